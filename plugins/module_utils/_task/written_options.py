# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is told about an option of the wrong form: the right one.

Ansible's own message lacks it, or Ansible makes something else of the option. These checks read the options
as the task wrote them. Each raises InvalidArgument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._vcenter.errors import InvalidArgument

LONGEST_SHOWN = 200


def require_given(params: Mapping[str, Any], option: str, remedy: str) -> None:
    if params.get(option) in (None, ""):
        raise InvalidArgument(f"the option {option} is missing", remedy=remedy)


def require_dicts(params: Mapping[str, Any], option: str, example: str) -> None:
    """Require that an option is a list of dictionaries, if it is given; `example` is what is in one of them."""
    given = params.get(option)
    if given is None:
        return
    if isinstance(given, list):
        wrong = [(number, entry) for number, entry in enumerate(given, 1) if not isinstance(entry, Mapping)]
        said = [f"entry {number} of {option} is {_kind(entry)}" for number, entry in wrong[:1]]
    else:
        said = [f"{option} is {_kind(given)}"]
    if said:
        raise InvalidArgument(
            f"{said[0]}, and {option} takes a list of dictionaries", remedy=f"Write {option}: [{{{example}}}]."
        )


def require_list(params: Mapping[str, Any], option: str, example: str) -> None:
    """Require that an option is no dictionary. Ansible makes a list of everything else."""
    if isinstance(params.get(option), Mapping):
        raise InvalidArgument(f"{option} is a dictionary, and takes a list", remedy=f"Write {option}: [{example}].")


def require_dict(params: Mapping[str, Any], option: str, example: str) -> None:
    """Require that an option is a dictionary, if it is given; `example` is what is in it."""
    given = params.get(option)
    if given is not None and not isinstance(given, Mapping):
        raise InvalidArgument(
            f"{option} is {_kind(given)}, and takes a dictionary", remedy=f"Write {option}: {{{example}}}."
        )


def require_texts(params: Mapping[str, Any], spec: Mapping[str, Any], within: str = "") -> None:
    """Require that no option that takes a text is a list or a dictionary, which Ansible would make a text of."""
    for option, rules in spec.items():
        for name in (option, *rules.get("aliases", ())):
            given = params.get(name)
            if rules.get("type", "str") in ("str", "path") and isinstance(given, (list, Mapping)):
                raise InvalidArgument(
                    f"{within}{name} is {_kind(given)}, and takes one text",
                    remedy=f"Write {name} as one text, and another entry or task for each further one.",
                )
            entries = given if isinstance(given, list) else [given]
            for number, entry in enumerate(entries, 1):
                if "options" in rules and isinstance(entry, Mapping):
                    require_texts(entry, rules["options"], f"entry {number} of {name}: ")


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, list):
        return "a list"
    # A URL may hold a password that cannot be told from the rest.
    if isinstance(value, str):
        return "a text" if "://" in value or len(value) > LONGEST_SHOWN else f"the text {value!r}"
    return "empty" if value is None else f"{value!r}"
