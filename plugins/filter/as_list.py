# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the roles read lists that a survey or a command line can only give as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

DOCUMENTATION = r"""
name: as_list
short_description: Read a list that may be text with commas
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - The roles of this collection use it for variables that take several names. A playbook gives them as a list. A survey
    and a command line have no lists, and give them as text with commas.
  - Blanks around an element do not count, and empty elements are left out.
options:
  _input:
    description: A list, text with commas between the elements, a single element, or none.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show the libraries to publish to
  ansible.builtin.debug:
    msg: "{{ 'templates, archive' | vsphere.content.as_list }}"
"""

RETURN = r"""
_value:
  description: The elements as text. Empty if there is none.
  type: list
  elements: str
  sample: [templates, archive]
"""


def as_list(value: object) -> list[str]:
    """The elements of a list, or of text with commas between them."""
    return [text for element in _elements(value) if (text := str(element).strip())]


def _elements(value: object) -> Iterable[object]:
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, Iterable):
        return value
    # A name that AWX has made a number of is refused by its variable, so it must get that far.
    return () if value is None else (value,)


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"as_list": as_list}
