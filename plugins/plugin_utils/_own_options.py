# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task itself says of its target comes before `module_defaults`.

Ansible merges the two option by option. So a `library` of the defaults would meet the `session_id` of a task, and the
module cannot tell which of them the task means.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.mod_args import ModuleArgsParser

# The options that name a target, by what they are called in the tables below.
TARGETS = {
    "session_id": "session",
    "session_ids": "session",
    "library_item_id": "item_id",
    "library_item": "item",
    "library_item_name": "item",
    "name": "item",
    "library": "library",
    "library_name": "library",
    "library_id": "library",
    "libraries": "libraries",
    "library_ids": "libraries",
    "pattern": "pattern",
}
# The parts of a name that a task gives, and what it can have of the defaults beside them. A `name` beside an
# identifier would rename the item.
COMPLETED_BY: Mapping[str, Collection[str]] = {
    "session": (),
    "item_id": (),
    "item": ("library",),
    "library": ("item", "pattern"),
    "libraries": ("pattern",),
    "pattern": ("library", "libraries"),
}
INFO = "session_info"


def own_names(task: Any, templar: Any) -> set[str] | None:
    """The options that a task itself gives, without those of `module_defaults`. None if nobody can tell."""
    written = task.get_ds()
    if not isinstance(written, Mapping):
        return None
    try:
        parser = ModuleArgsParser(task_ds=written, collection_list=task.collections)
        options = dict(parser.parse(skip_action_validation=True)[1])
        variable = options.pop("_variable_params", None)
        return {*options, *(templar.template(variable) if variable else ())}
    except AnsibleError:
        return None


def without_displaced(options: Mapping[str, Any], own: Collection[str], module: str) -> dict[str, Any]:
    """The options of a task without the defaults of a target that the task itself names in another way."""
    given = {TARGETS[name] for name in own if name in TARGETS and options.get(name) is not None}
    kept = set(TARGETS.values()).intersection(*(COMPLETED_BY[part] for part in given)) - given if given else None
    if kept is None and module.endswith(INFO) and not any(TARGETS.get(name) == "item" for name in options):
        # A library alone names no sessions.
        kept = set(TARGETS.values()) - {"library"}
    return {
        name: value
        for name, value in options.items()
        if name in own or name not in TARGETS or kept is None or TARGETS[name] in kept
    }


def told_of_defaults(message: str, options: Collection[str], own: Collection[str]) -> str:
    """A message about options, with those that come from `module_defaults`."""
    excluding = message.partition("mutually exclusive:")[2]
    names = [
        name
        for name in options
        if name not in own and re.search(rf"\b{re.escape(name)}\b", message if name in TARGETS else excluding)
    ]
    if not names:
        return message
    verb = "comes" if len(names) == 1 else "come"
    return f"{message.rstrip('.')}. Of these options {', '.join(sorted(names))} {verb} from module_defaults."
