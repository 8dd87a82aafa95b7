# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the roles refuse values of their variables before they change anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..module_utils._vcenter.errors import printable

DOCUMENTATION = r"""
name: unusable
short_description: Say which variables of a role have values that it cannot use
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - The roles of this collection use it to refuse wrong values by the names of their variables. An argument spec cannot
    say all of that, and modules name their own options.
  - A variable that is none or empty is not checked, as AWX hands over an empty answer in either form.
options:
  _input:
    description: The values, by the names of the variables.
    type: dict
    required: true
  rules:
    description:
      - What each variable must be, by its name. Variables without a rule are not checked.
      - With C(text), the value is text or a list of texts. A number no longer shows how it was written. V(9.10) has
        become V(9.1), and V(0640) has become V(416).
      - C(range) is a list of the lowest and the highest number, C(longest) the highest number of characters.
      - C(pattern) is a regular expression that the whole text matches.
      - With C(groups), the text is a regular expression of Python with as many groups.
      - C(otherwise) is a sentence that says how to write the value.
      - C(entries) are rules for each dictionary of a list.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Require values that can be used
  ansible.builtin.assert:
    that: found | length == 0
    fail_msg: "{{ found }}"
  vars:
    found: "{{ {'threads': threads} | vsphere.content.unusable({'threads': {'range': [1, 32]}}) }}"
"""

RETURN = r"""
_value:
  description: A sentence or more for each value that cannot be used, on one line. Empty if there is none.
  type: str
"""

CHANGED_BY_YAML = (
    "AWX with ansible-core 2.19 or later reads the answers of a survey as YAML, which changes such an answer. Choose a "
    "name that is no number, date, true or false, or set the variable in the job template's variables in quotes."
)


def explain_unusable(values: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """What is wrong with the values, by rules as the documentation describes them."""
    misread = list(_misread(values, rules))
    return printable(" ".join([*misread, *([CHANGED_BY_YAML] if misread else []), *_unfit(values, rules)]))


def _misread(values: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterator[str]:
    for name, rule in rules.items():
        value = values.get(name)
        if rule.get("text"):
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if part is not None and not isinstance(part, str):
                    yield f"{name} is {part}, which is not text."
                    yield from _advice(rule)
        for entry, inner in _entries(name, value, rule):
            yield from _misread(entry, inner)


def _unfit(values: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterator[str]:
    for name, rule in rules.items():
        yield from _wrong(name, values.get(name), rule)
        for entry, inner in _entries(name, values.get(name), rule):
            yield from _unfit(entry, inner)


def _entries(name: str, value: Any, rule: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each dictionary of a list with the rules for it, both by names that say where they stand."""
    for number, entry in enumerate(value or () if "entries" in rule else (), start=1):
        place = f" of entry {number} of {name}"
        yield _placed(entry, place), _placed(rule["entries"], place)


def _placed(entry: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {f"{name}{place}": value for name, value in entry.items()}


def _wrong(name: str, value: Any, rule: Mapping[str, Any]) -> Iterator[str]:
    if value is None or value == "":
        return
    lowest, highest = rule.get("range") or (None, None)
    if lowest is not None and highest is not None and not lowest <= int(value) <= highest:
        yield f"{name} is {value}. Set it to a number from {lowest} to {highest}."
    if not isinstance(value, str):
        return
    if len(value) > rule.get("longest", len(value)):
        yield f"{name} is longer than {rule['longest']} characters, which vCenter does not take."
    if not re.fullmatch(rule.get("pattern", "(?s).*"), value):
        yield f"{name} is {value}."
        yield from _advice(rule)
    if "groups" in rule:
        yield from _wrong_expression(name, value, rule["groups"])


def _wrong_expression(name: str, value: str, groups: int) -> Iterator[str]:
    try:
        found = re.compile(value).groups
    except re.error as error:
        yield f"{name} is {value}, which is no regular expression: {error}."
    else:
        if found != groups:
            yield f"{name} is {value}, which has {found} groups. It needs {groups}."


def _advice(rule: Mapping[str, Any]) -> Iterator[str]:
    if advice := rule.get("otherwise"):
        yield str(advice)


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"unusable": explain_unusable}
