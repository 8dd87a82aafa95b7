#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_item_info
short_description: Read items of content libraries
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Reads items with the name of their library, their versions, times, size, signature and files. With O(with_storage)
    it also reads where their files lie, for example to mount an ISO.
  - The task sends one request for each library and one for each item, and one more for each item with O(with_files)
    and with O(with_storage). It sends several at a time.
  - The task leaves out an item that disappears while it reads it.
extends_documentation_fragment:
  - vsphere.content.attributes.info
  - vsphere.content.attributes.group
  - vsphere.content.connection
options:
  library:
    description:
      - The name of the content library whose items to read.
      - If it is left out, the task reads items of all libraries that the user may read.
      - If several libraries have this name, the task fails and lists them. Then use O(library_id).
    type: str
    aliases: [library_name]
  library_id:
    description:
      - The identifier of the content library, instead of O(library).
    type: str
  library_item:
    description:
      - The name of the items to read, in upper or lower case. If several items have this name, the task returns all of
        them, and an empty list if none has it.
    type: str
    aliases: [library_item_name]
  library_item_id:
    description:
      - The identifier of the item to read. If there is no such item, the task returns an empty list.
    type: str
  pattern:
    description:
      - Return only items whose whole name fits this pattern. V(*) stands for any text, V(?) for one character, V([0-9])
        for one of these characters and V([!0-9]) for any other character. Upper and lower case differ.
    type: str
  type:
    description:
      - Return only items of this type, such as V(ovf), V(iso) or V(vm-template).
    type: str
  with_files:
    description:
      - Whether to read the files of each item, too. This takes one more request for each item.
    type: bool
    default: true
  with_storage:
    description:
      - Whether to read where the files of each item lie, too. This takes one more request for each item, and the
        privilege ContentLibrary.ReadStorage.
    type: bool
    default: false
seealso:
  - module: vsphere.content.content_library_item
  - module: vsphere.content.content_library_session_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: See which images a library holds
  vsphere.content.content_library_item_info:
    library: templates
  register: images

- name: Show them, the newest first
  ansible.builtin.debug:
    msg: "{{ item.last_modified_time }} {{ item.name }}, {{ item.size }} bytes"
  loop: "{{ images.library_items | sort(attribute='last_modified_time', reverse=true) }}"
  loop_control:
    label: "{{ item.name }}"

- name: Find out where an ISO lies
  vsphere.content.content_library_item_info:
    library: templates
    library_item: tools
    type: iso
    with_storage: true
  register: tools

- name: Show the path with which a virtual machine mounts it
  ansible.builtin.debug:
    msg: "{{ tools.library_items[0].storage[0].storage_uris[0] }}"
"""

RETURN = r"""
library_items:
  description:
    - The items.
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      library_id: 7b231f64-3f66-443c-a1c2-bc275a521b5c
      library: templates
      name: tools
      description:
      type: iso
      size: 65536
      cached: true
      version: "1"
      content_version: "2"
      metadata_version: "1"
      source_id:
      creation_time: "2026-11-23T12:00:00.000Z"
      last_modified_time: "2026-11-23T12:01:00.000Z"
      last_sync_time:
      security_compliance: true
      certificate_verification_info:
        status: NOT_AVAILABLE
        cert_chain: []
      files:
        - name: tools.iso
          size: 65536
          cached: true
          version: "1"
          checksum_info:
            algorithm: SHA1
            checksum: 5b6fb58e61fa475939767d68a446f97f1bff02c0
          file_download_endpoint:
          held_by: item
      storage:
  contains:
    id:
      description: The identifier of the item.
      type: str
    library_id:
      description: The identifier of its library.
      type: str
    library:
      description: The name of its library, or none if the library does not exist any more.
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
      description: Its files, or none without O(with_files).
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
    storage:
      description:
        - Where its files lie, or none without O(with_storage). A file is listed once for each storage that holds it.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the file.
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
        storage_backing:
          description: The storage.
          type: dict
          contains:
            type:
              description: V(DATASTORE) or V(OTHER).
              type: str
            datastore_id:
              description: The identifier of the datastore, such as V(datastore-11).
              type: str
            storage_uri:
              description: The URI of a storage of the type V(OTHER).
              type: str
        storage_uris:
          description:
            - The URIs of the file on the storage, such as
              V(ds:///vmfs/volumes/uuid/contentlib-uuid/uuid/tools_uuid.iso?serverId=uuid).
          type: list
          elements: str
error:
  description: What went wrong, in a form that a playbook can test.
  returned: on failure
  type: dict
  sample:
    type: UNAUTHENTICATED
    status: 401
    operation: session.login
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
    - method: GET
      path: /api/content/library/item/0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      status: 200
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

from ..module_utils._item.item_lookup import item_spec, resolve_library
from ..module_utils._item.item_reader import find_ids, read_items, read_library_names
from ..module_utils._task.converge import Task
from ..module_utils._task.option_checks import require_names
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import require_item_type
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.models import file_result
from ..module_utils._vcenter.schema import to_result
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


def listed_ids(api: Api, params: Mapping[str, Any], readers: int) -> list[str]:
    """The identifiers of the items that the options ask for, apart from `pattern`."""
    if params["library_item_id"]:
        return [params["library_item_id"]]
    name, item_type = params["library_item"], params["type"]
    library_ids: list[str | None]
    if params["library"] or params["library_id"]:
        library_ids = [resolve_library(api, params)]
    elif name or item_type:
        library_ids = [None]
    else:
        library_ids = [*api.list_libraries()]
    return find_ids(api, library_ids, readers, name=name, item_type=item_type)


def read_results(api: Api, params: Mapping[str, Any], readers: int) -> list[dict[str, Any]]:
    """The items that the options ask for, as the task returns them."""
    if params["library_id"]:
        # A search in a library that does not exist finds nothing, and does not say why.
        api.get_library(params["library_id"])
    found = read_items(
        api,
        listed_ids(api, params, readers),
        readers,
        pattern=params["pattern"],
        with_files=params["with_files"],
        with_storage=params["with_storage"],
    )
    libraries = read_library_names(api, [listed.item for listed in found], readers)
    return [
        {
            **to_result(listed.item),
            "library": libraries.get(listed.item.library_id),
            "files": None if listed.files is None else [file_result(file) for file in listed.files],
            "storage": None if listed.storage is None else [to_result(file) for file in listed.storage],
        }
        for listed in found
    ]


def require_valid(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument."""
    require_names(params)
    require_item_type("type", params["type"])


def describe(params: Mapping[str, Any]) -> str | None:
    """What messages say of the items."""
    if params["library_item_id"]:
        return f"of library item {params['library_item_id']}"
    library = params["library"] or params["library_id"]
    return f"of the items of library {library!r}" if library else None


def item_info(module: AnsibleModule, task: Task, _declared: None) -> dict[str, Any]:
    return {
        "changed": False,
        "library_items": read_results(Api(task.connection), module.params, task.clock.timing.readers),
    }


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        {
            **item_spec(),
            "pattern": {"type": "str"},
            "type": {"type": "str"},
            "with_files": {"type": "bool", "default": True},
            "with_storage": {"type": "bool", "default": False},
        },
        lambda module: require_valid(module.params),
        item_info,
        describe=describe,
        clock=clock,
        supports_check_mode=True,
        mutually_exclusive=[
            ("library", "library_id"),
            ("library_item", "pattern"),
            *(("library_item_id", name) for name in ("library", "library_id", "library_item", "pattern", "type")),
        ],
    )


if __name__ == "__main__":
    main()
