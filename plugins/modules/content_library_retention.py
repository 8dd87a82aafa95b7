#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_retention
short_description: Keep the newest items of content libraries
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Deletes the items of local libraries whose name fits O(pattern), except for the O(keep) newest ones of each library.
  - Only items with files, of the type V(iso) or V(ovf), count. Templates of virtual machines, items without files and
    items of other types are neither counted nor deleted.
  - The task first lists and judges all items of all libraries. It leaves out an item that has gone meanwhile. If it
    cannot read something for any other reason, it fails before it deletes anything.
  - It then deletes one item after another, the oldest first. Right before each deletion it reads the item, the items
    that are to stay, and the sessions of the user on the item again. If the item or an item that is to stay has changed
    since it was listed, or if a session of the user is ACTIVE on the item, the item stays.
  - The task cannot see sessions of other users, nor virtual machines that have an ISO of the library mounted. vCenter
    may refuse to delete an item that is in use. Such an item stays, too.
  - RV(library_items) says what becomes of each item, and why, in check mode too. A task that fails also returns it.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
options:
  libraries:
    description:
      - The names of the libraries. Each of them keeps O(keep) items.
      - If several libraries have one of these names, the task fails and lists them. Then use O(library_ids).
      - One of O(libraries) and O(library_ids) is required.
    type: list
    elements: str
  library_ids:
    description:
      - The identifiers of libraries, for names that are not unique. They are added to O(libraries).
    type: list
    elements: str
  pattern:
    description:
      - Which items belong together. All items of a library whose whole name fits this pattern are counted as one
        family. No other item is ever deleted.
      - V(*) stands for any text, V(?) for one character, V([0-9]) for one of these characters and V([!0-9]) for any
        other character. Upper and lower case differ.
      - V(rocky9-*) fits V(rocky9-minimal-2026-11), too. V(rocky9-[0-9]*) does not.
    type: str
    required: true
  keep:
    description:
      - How many of the newest items each library keeps. At least V(1).
    type: int
    required: true
  by:
    description:
      - What makes an item newer than another one. V(last_modified_time) is when its content or its name, type or
        description last changed, V(creation_time) when it was created.
      - With V(name), the part of the name that O(name_pattern) says.
      - If two items are as old as each other, the task keeps or deletes both of them.
    type: str
    choices: [last_modified_time, creation_time, name]
    default: last_modified_time
  name_pattern:
    description:
      - A regular expression of Python that fits whole names. The text of its only group orders the items, and each
        number within it counts as one, so that V(9.2) comes before V(9.10).
      - An item whose name does not fit is neither counted nor deleted.
      - Required with O(by=name), and only allowed there.
    type: str
  at_most:
    description:
      - How many items the task may delete in all libraries together. If more would have to go, the task fails before it
        deletes the first one, also in check mode.
    type: int
    default: 10
  published_ids:
    description:
      - The identifiers of items that were just published. The task never deletes them. In a library in which none of
        them counts, it deletes nothing.
      - If it is left out, the task does not ask what was just published.
    type: list
    elements: str
seealso:
  - module: vsphere.content.content_library_item
  - module: vsphere.content.content_library_item_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: See which images would go
  vsphere.content.content_library_retention:
    libraries: [nightly]
    pattern: rocky9-[0-9]*
    keep: 3
  check_mode: true
  register: predicted

- name: Show what becomes of each, and why
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.outcome }}, {{ item.reason }}"
  loop: "{{ predicted.library_items }}"
  loop_control:
    label: "{{ item.name }}"

- name: Keep the three newest, by the date in their name
  vsphere.content.content_library_retention:
    libraries: [nightly]
    pattern: rocky9-[0-9]*
    keep: 3
    by: name
    name_pattern: rocky9-(.+)
"""

RETURN = r"""
library_items:
  description:
    - Each item whose name fits O(pattern), and what becomes of it. The oldest items of a library come first, and before
      them those that do not count.
  returned: always, once the items were listed
  type: list
  elements: dict
  sample:
    - id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      library: templates
      library_id: 7b231f64-3f66-443c-a1c2-bc275a521b5c
      name: rocky9-2026-05
      type: ovf
      size: 1073741824
      content_version: "2"
      creation_time: "2026-05-23T12:00:00.000Z"
      last_modified_time: "2026-05-23T12:01:00.000Z"
      outcome: deleted
      reason: 3 newer ones stay
  contains:
    id:
      description: The identifier of the item.
      type: str
    library:
      description: The name of its library.
      type: str
    library_id:
      description: The identifier of its library.
      type: str
    name:
      description: Its name.
      type: str
    type:
      description: Its type.
      type: str
    size:
      description: How many bytes of storage its files use.
      type: int
    content_version:
      description: Changes when its files do.
      type: str
    creation_time:
      description: When it was created.
      type: str
    last_modified_time:
      description: When it was last changed.
      type: str
    outcome:
      description:
        - V(deleted), V(stays), or V(gone) if somebody else has deleted it meanwhile.
        - V(to be deleted) in check mode, and if the task failed before it came to the item.
        - V(perhaps deleted) if the task failed because the answer to its deletion was lost.
      type: str
    reason:
      description: Why the item stays or goes.
      type: str
error:
  description: What went wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: UNAUTHORIZED
    status: 403
    operation: item.delete
    messages: []
    data:
    session_id:
  contains:
    type:
      description:
        - The type of the failure, by vCenter's name, such as V(NOT_FOUND) or V(RESOURCE_BUSY), or one of
          V(CONNECTION_FAILED), V(TLS_UNVERIFIED), V(INVALID_RESPONSE), V(TRANSFER_FAILED), V(CHECKSUM_MISMATCH),
          V(TIMED_OUT), V(WARNINGS_NOT_IGNORED), V(SIGNER_NOT_ACCEPTED).
      type: str
    status:
      description: The HTTP status, or none if no answer came.
      type: int
    operation:
      description: The operation of the API that failed.
      type: str
    messages:
      description: The server's messages, unchanged.
      type: list
      elements: dict
    data:
      description: What the server sent with the failure besides its messages.
      type: dict
    session_id:
      description: The session in which it happened, if there is one.
      type: str
trace:
  description:
    - Each request that the task sent, in the order in which they began, including those that it sent again. It never
      contains headers or bodies.
  returned: at C(-vvv) and above
  type: list
  elements: dict
  sample:
    - method: DELETE
      path: /api/content/library/item/0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      status: 204
      milliseconds: 12
  contains:
    method:
      description: The verb.
      type: str
    path:
      description:
        - The path. For an operation of the API, it includes the query.
        - For content that was sent or fetched, it has no query, and includes the host if that is not the vCenter.
      type: str
    status:
      description: The HTTP status of the answer, or none if no answer came.
      type: int
    milliseconds:
      description: The time until the head of the answer came. It includes sending a file, but not receiving one.
      type: int
"""

import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._item.item_lookup import find_library
from ..module_utils._item.retention_plan import BY_NAME, Rules
from ..module_utils._item.retention_resource import RetentionResource
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.option_checks import require_limits, require_names
from ..module_utils._task.run import run_module
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import InvalidArgument
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


def read_rules(params: Mapping[str, Any]) -> Rules:
    """Raises InvalidArgument."""
    require_names(params)
    for option, single in (("libraries", "library"), ("library_ids", "library_id")):
        for name in params[option] or ():
            require_names({single: name})
    if not (params["libraries"] or params["library_ids"]):
        raise InvalidArgument("no library is given", remedy="Set libraries or library_ids.")
    require_limits(params)
    published = params["published_ids"]
    return Rules(
        pattern=params["pattern"],
        keep=params["keep"],
        by=params["by"],
        at_most=params["at_most"],
        name_pattern=read_name_pattern(params),
        published_ids=None if published is None else frozenset(published),
    )


def read_name_pattern(params: Mapping[str, Any]) -> re.Pattern[str] | None:
    """The regular expression that orders the items if `by` is the name. Raises InvalidArgument."""
    text = params["name_pattern"]
    if params["by"] != BY_NAME:
        if text is not None:
            raise InvalidArgument(
                f"name_pattern is given, and the items are ordered by {params['by']}",
                remedy="Set by: name, or leave name_pattern out.",
            )
        return None
    remedy = "Set name_pattern to a regular expression with one group, such as rocky9-(.+)."
    if not text:
        raise InvalidArgument("by is name, and name_pattern is missing", remedy=remedy)
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise InvalidArgument(f"name_pattern {text!r} is no regular expression: {error}", remedy=remedy) from None
    if compiled.groups != 1:
        raise InvalidArgument(f"name_pattern {text!r} has {compiled.groups} groups, and needs one", remedy=remedy)
    return compiled


def describe(params: Mapping[str, Any]) -> str | None:
    """What messages say of the items."""
    return f"of the items that fit {params['pattern']!r}"


def retention(module: AnsibleModule, task: Task, rules: Rules) -> dict[str, Any]:
    api, params = Api(task.connection), module.params
    named = [find_library(api, name, option="libraries", id_option="library_ids") for name in params["libraries"] or ()]
    library_ids = list(dict.fromkeys([*named, *(params["library_ids"] or ())]))
    resource = RetentionResource(api, library_ids, rules, task)
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        {
            "libraries": {"type": "list", "elements": "str"},
            "library_ids": {"type": "list", "elements": "str"},
            "pattern": {"type": "str", "required": True},
            "keep": {"type": "int", "required": True},
            "by": {
                "type": "str",
                "default": "last_modified_time",
                "choices": ["last_modified_time", "creation_time", BY_NAME],
            },
            "name_pattern": {"type": "str"},
            "at_most": {"type": "int", "default": 10},
            "published_ids": {"type": "list", "elements": "str"},
        },
        lambda module: read_rules(module.params),
        retention,
        describe=describe,
        clock=clock,
        supports_check_mode=True,
    )


if __name__ == "__main__":
    main()
