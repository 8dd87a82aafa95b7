#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_item
short_description: Create, change or delete an item of a content library
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Makes sure that a library item with this name, type and description exists, or that no item of this name does.
  - A new item is empty. M(vsphere.content.content_library_update_session) gives it content, and creates an item that
    is missing by itself. This module is for what has to be done to the item apart from its content.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
options:
  library:
    description:
      - The name of the content library.
      - If several libraries have this name, the task fails and lists them. Then use O(library_id).
    type: str
    aliases: [library_name]
  library_id:
    description:
      - The identifier of the content library, instead of O(library).
    type: str
  name:
    description:
      - The name of the item. Together with O(library_item_id), the name that the item should have.
    type: str
    aliases: [library_item, library_item_name]
  library_item_id:
    description:
      - The identifier of an item that exists, instead of its library and O(name).
    type: str
  type:
    description:
      - The type of the item, such as V(ovf) or V(iso). It tells vCenter how to treat the files. vCenter reads
        descriptors and shows a preview only for V(ovf), which is also right for an OVA.
      - The type of an item cannot change if the item holds files, is a VM template, or has an ACTIVE update session of
        the user. The task cannot see sessions of other users. In all three cases another O(type) is an error, in check
        mode too.
      - V(iso), V(ovf) and V(vm-template) must be in lower case, as vCenter would treat V(ISO) as an unknown type. Upper
        case in them is an error.
      - If it is left out, a new item has no type, and an existing item keeps its type.
    type: str
  description:
    description:
      - The description of the item.
      - If it is left out, a new item has none, and an existing item keeps its description.
    type: str
  state:
    description:
      - Whether the item should exist. V(absent) deletes it with all its files.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: vsphere.content.content_library_item_info
  - module: vsphere.content.content_library_retention
  - module: vsphere.content.content_library_update_session
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: Make sure that there is an item for the image
  vsphere.content.content_library_item:
    library: templates
    name: rocky9-2026-11
    type: ovf
    description: Rocky Linux 9, November 2026

- name: Delete an item
  vsphere.content.content_library_item:
    library: templates
    name: rocky9-2026-11
    state: absent
"""

RETURN = r"""
created:
  description: Whether this task created the item. In check mode it is always V(false).
  returned: success
  type: bool
library_item:
  description:
    - The item, or none.
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
  returned: always
  type: dict
  sample:
    id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
    library_id: 7b231f64-3f66-443c-a1c2-bc275a521b5c
    name: rocky9-2026-11
    description: Rocky Linux 9, November 2026
    type: ovf
    size: 0
    cached: true
    version: "1"
    content_version: "1"
    metadata_version: "1"
    source_id:
    creation_time: "2026-11-23T12:00:00.000Z"
    last_modified_time: "2026-11-23T12:00:00.000Z"
    last_sync_time:
    security_compliance: true
    certificate_verification_info:
      status: NOT_AVAILABLE
      cert_chain: []
    files: []
  contains:
    id:
      description: The identifier of the item.
      type: str
    library_id:
      description: The identifier of its library.
      type: str
    name:
      description: Its name.
      type: str
    description:
      description: Its description.
      type: str
    type:
      description: Its type, such as V(ovf) or V(iso).
      type: str
    size:
      description: How many bytes of storage its files use.
      type: int
    cached:
      description: Whether all its files are on the library's storage.
      type: bool
    version:
      description: Changes when its name, type or description do.
      type: str
    content_version:
      description: Changes when its files do.
      type: str
    metadata_version:
      description: Changes when its metadata does.
      type: str
    source_id:
      description: The item that this one is a copy of.
      type: str
    creation_time:
      description: When it was created.
      type: str
    last_modified_time:
      description: When it was last changed.
      type: str
    last_sync_time:
      description: When it was last synchronized, in a subscribed library.
      type: str
    security_compliance:
      description: Whether it complies with the security policy of its library.
      type: bool
    certificate_verification_info:
      description: The result of the check of its signature.
      type: dict
      contains:
        status:
          description:
            - V(NOT_AVAILABLE), V(VERIFIED), V(INTERNAL), V(VERIFICATION_FAILURE), V(VERIFICATION_IN_PROGRESS) or
              V(UNTRUSTED).
          type: str
        cert_chain:
          description: The chain of certificates.
          type: list
          elements: str
    files:
      description: Its files.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the file.
          type: str
        held_by:
          description: V(item), as V(session) marks the files of a session in the results of other modules.
          type: str
        size:
          description: How many bytes of storage the file uses.
          type: int
        checksum_info:
          description: The server's checksum.
          type: dict
          contains:
            algorithm:
              description: The algorithm, such as V(SHA256).
              type: str
            checksum:
              description: The checksum in hexadecimal digits.
              type: str
        cached:
          description: Whether the file is on the library's storage.
          type: bool
        version:
          description: Changes when the file does.
          type: str
        file_download_endpoint:
          description: The address at which a newer vCenter offers the file.
          type: str
error:
  description: What went wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: ALREADY_EXISTS
    status: 400
    operation: item.create
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
    - method: POST
      path: /api/content/library/item?client_token=9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
      status: 201
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

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._item.item_resource import ItemResource
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.option_checks import LONGEST_DESCRIPTION, LONGEST_NAME, require_lengths, require_names
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import require_item_type
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import InvalidArgument
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


def require_valid(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for values that vCenter would refuse."""
    require_names(params)
    require_item_type("type", params["type"])
    if not params["library_item_id"]:
        if not params["name"]:
            raise InvalidArgument("neither name nor library_item_id is given", remedy="Set name and its library.")
        if not (params["library"] or params["library_id"]):
            raise InvalidArgument(
                f"item {params['name']!r} is given without its library", remedy="Set library or library_id."
            )
    require_lengths(params, name=LONGEST_NAME, description=LONGEST_DESCRIPTION)


def describe(params: Mapping[str, Any]) -> str:
    name = params["name"] or params["library_item_id"]
    library = params["library"] or params["library_id"]
    return f"{name!r} in library {library!r}" if library else repr(name)


def library_item(module: AnsibleModule, task: Task, _declared: None) -> dict[str, Any]:
    resource = ItemResource(Api(task.connection), module.params, task)
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        {
            "library": {"type": "str", "aliases": ["library_name"]},
            "library_id": {"type": "str"},
            "name": {"type": "str", "aliases": ["library_item", "library_item_name"]},
            "library_item_id": {"type": "str"},
            "type": {"type": "str"},
            "description": {"type": "str"},
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        },
        lambda module: require_valid(module.params),
        library_item,
        describe=describe,
        clock=clock,
        supports_check_mode=True,
        mutually_exclusive=[
            ("library", "library_id"),
            ("library_item_id", "library"),
            ("library_item_id", "library_id"),
        ],
    )


if __name__ == "__main__":
    main()
