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
  - Makes sure that a library item with this name, type and description exists, or that it does not.
  - A new item is empty. M(vsphere.content.content_library_update_session) gives it content.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
options:
  library:
    description:
      - The name of the content library.
      - If several libraries have this name, the task fails and lists them; use O(library_id) then.
    type: str
  library_id:
    description:
      - The identifier of the content library, instead of O(library).
    type: str
  name:
    description:
      - The name of the item. Together with O(library_item_id), the name that the item should have.
    type: str
    aliases: [library_item]
  library_item_id:
    description:
      - The identifier of an item that exists, instead of its library and O(name).
    type: str
  type:
    description:
      - The type of the item, such as V(ovf) or V(iso). It tells vCenter how to treat the files. Only for V(ovf),
        which is also right for an OVA, it reads descriptors and shows a preview.
      - An item that holds files keeps its type, as vCenter treats the files by it. Another O(type) is then an error, in
        check mode too. So it is for a VM template, and for an item on which the user has an ACTIVE update session; the
        sessions of other users cannot be seen.
      - V(iso), V(ovf) and V(vm-template) are written in lower case. In another case, vCenter takes them for unknown
        types, so that is an error.
      - If it is left out, a new item has no type, and that of an item that exists is left alone.
    type: str
  description:
    description:
      - What to say about the item.
      - If it is left out, a new item has none, and that of an item that exists is left alone.
    type: str
  state:
    description:
      - Whether the item should exist. V(absent) deletes it with all its files.
    type: str
    choices: [present, absent]
    default: present
  new_item:
    description:
      - With O(state=absent), delete the item only if an earlier task of this module made it, and it is still as it was
        made. The value is the registered result of that task.
      - The item stays if it holds files, if its content version is another one by now, or if there is an update session
        on it; RV(kept) then says which. To see a session of another user, which cannot be read, the task makes one of
        its own, as vCenter allows only one at a time. It removes that right before it deletes the item. Whoever makes a
        session just then loses it.
    type: dict
seealso:
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

- name: Make an item, to see whether it can be made
  vsphere.content.content_library_item:
    library: templates
    name: trial
  register: trial

- name: Delete it again, unless it was there before or somebody uses it by now
  vsphere.content.content_library_item:
    library: templates
    name: trial
    state: absent
    new_item: "{{ trial }}"
"""

RETURN = r"""
created:
  description: Whether this task made the item, which in check mode it never does.
  returned: success
  type: bool
kept:
  description: Why the item stays, as the end of a sentence. None if it was deleted, or in check mode would be.
  returned: success, with O(new_item)
  type: str
  sample: "it holds 1 file by now: rocky9.iso"
library_item:
  description:
    - The item, none if there is none.
    - All keys are always there, none where the server sent nothing. Keys that a newer vCenter adds are passed on.
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
      description: Changes when its metadata do.
      type: str
    source_id:
      description: The item that this one is a copy of.
      type: str
    creation_time:
      description: When it was made.
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
          description: Where a newer vCenter offers the file.
          type: str
error:
  description: What went wrong, for a playbook to decide on.
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
      description: The kind of failure, by vCenter's name for it, such as V(NOT_FOUND), or one of this collection's own.
      type: str
    status:
      description: The HTTP status, none if there was no answer.
      type: int
    operation:
      description: Which operation of the API failed.
      type: str
    messages:
      description: The server's messages, whole.
      type: list
      elements: dict
    data:
      description: What else the server sent with the failure.
      type: dict
    session_id:
      description: The update session that keeps an item from changing its type, where there is one.
      type: str
trace:
  description:
    - Each request that the task sent, in the order in which they began, those that were tried again included. Headers
      and bodies are never in it.
  returned: at C(-vvv) and above
  type: list
  elements: dict
  sample:
    - method: GET
      path: /api/content/library/item/update-session?library_item_id=0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      status: 200
      milliseconds: 12
  contains:
    method:
      description: The verb.
      type: str
    path:
      description:
        - The path, with its query for an operation of the API.
        - Where content was sent or fetched, it is without the query, and with the host if that is not the vCenter.
      type: str
    status:
      description: The status of the answer, none where no answer came.
      type: int
    milliseconds:
      description: The time until the head of the answer came. The sending of a file counts, its receiving does not.
      type: int
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._session.acquire import find_active
from ..module_utils._session.item_lookup import find_item, require_local_library, resolve_library
from ..module_utils._session.lost_answers import make_surely, noted
from ..module_utils._session.new_item import NewItem, read_new_item, reason_found_alone, reason_to_keep
from ..module_utils._task.converge import Overtaken, Task, converge
from ..module_utils._task.option_checks import require_names
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import describe_content, require_item_type
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import ApiError, ContentError, InvalidArgument, NotFound, ResourceBusy
from ..module_utils._vcenter.models import Library, LibraryItem, LibraryItemFile, to_result

DECLARABLE = ("name", "type", "description")
LONGEST = {"name": 80, "description": 2000}


def read_declared(params: Mapping[str, Any]) -> NewItem | None:
    """The option C(new_item), when all options have been checked. Raises InvalidArgument."""
    require_valid(params)
    if params["new_item"] is not None and params["state"] != "absent":
        raise InvalidArgument(
            "new_item says when to delete an item, and state is present", remedy="Set state: absent, or drop new_item."
        )
    return read_new_item(params["new_item"])


def require_valid(params: Mapping[str, Any]) -> None:
    """Raise InvalidArgument for what vCenter would refuse (source: the published limits of ItemModel)."""
    require_names(params)
    require_item_type("type", params["type"])
    if not params["library_item_id"]:
        if not params["name"]:
            raise InvalidArgument("neither name nor library_item_id is given", remedy="Set name and its library.")
        if not (params["library"] or params["library_id"]):
            raise InvalidArgument(
                f"item {params['name']!r} is given without its library", remedy="Set library or library_id."
            )
    for option, longest in LONGEST.items():
        if len(params[option] or "") > longest:
            raise InvalidArgument(f"{option} is longer than {longest} characters", remedy=f"Shorten {option}.")


@dataclass(frozen=True)
class Found:
    """The item as it is, with its files; the library is known when the item was named by it.

    C(reason) is why it must not be deleted.
    """

    library_id: str | None
    item: LibraryItem | None
    files: tuple[LibraryItemFile, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """Make, change or delete; C(change) holds the fields to set."""

    found: Found
    create: LibraryItem | None = None
    change: LibraryItem | None = None
    delete: bool = False

    @property
    def changes(self) -> bool:
        return self.delete or self.create is not None or self.change is not None

    @property
    def retypes(self) -> bool:
        """Whether an item that exists is to become one of another type."""
        return self.change is not None and self.change.type is not None


class ItemResource:
    """The library item that a task declares, for C(converge)."""

    def __init__(self, api: Api, params: Mapping[str, Any], new: NewItem | None, task: Task) -> None:
        self._api = api
        self._params = params
        self._new = new
        self._task = task
        self._wanted = {name: params[name] for name in DECLARABLE if params[name] is not None}
        self._created = False
        self._changes: list[str] = []
        task.on_failure(self._tell_changes)
        task.so_far = lambda: {"changed": bool(self._changes)}

    def read(self) -> Found:
        found = self._look()
        if self._new and found.item:
            found = replace(found, reason=reason_to_keep(self._api, self._new, found.item, found.files))
        library_id = found.library_id or (found.item.library_id if found.item else None)
        plan = self.plan(found)
        if library_id and plan.changes:
            require_local_library(self._api.get_library(library_id))
        if plan.retypes:
            self._require_empty(found)
        return found

    def plan(self, before: Found) -> Plan:
        item = before.item
        if self._params["state"] == "absent":
            return Plan(before, delete=item is not None and not before.reason)
        if item is None:
            return Plan(before, create=LibraryItem(library_id=before.library_id, **self._wanted))
        different = {name: value for name, value in self._values(item).items() if value != (getattr(item, name) or "")}
        return Plan(before, change=LibraryItem(**different) if different else None)

    def project(self, state: Found) -> dict[str, Any]:
        if state.item is None:
            return {"state": "absent"}
        return {"state": "present", **{name: getattr(state.item, name) or "" for name in DECLARABLE}}

    def expect(self, plan: Plan) -> dict[str, Any]:
        if plan.delete:
            return {"state": "absent"}
        changes = plan.create or plan.change
        before = self.project(plan.found) if plan.found.item else {"state": "present", **dict.fromkeys(DECLARABLE, "")}
        return {**before, **self._values(plan.found.item)} if changes else self.project(plan.found)

    def apply(self, plan: Plan) -> Found:
        item = plan.found.item
        if plan.create:
            with noted("the item was made", self._changes.append):
                item_id = self._create(plan.create)
            self._created = True
            return self._load(plan.found.library_id, item_id)
        if item is None or not item.id:
            return plan.found
        if plan.delete:
            if self._new and (reason := self._reason_found_alone(self._new)):
                return replace(plan.found, reason=reason)
            with noted("the item was deleted", self._changes.append), suppress(NotFound):
                self._api.delete_item(item.id)
            return Found(plan.found.library_id, None)
        if plan.change:
            if plan.retypes:
                # Somebody may have published to it since it was read.
                self._require_empty(self._load(plan.found.library_id, item.id))
            with noted("the item was changed", self._changes.append):
                self._api.update_item(item.id, plan.change)
            return self._load(plan.found.library_id, item.id)
        return plan.found

    def result(self, state: Found) -> dict[str, Any]:
        item, files = state.item, [to_result(file) for file in state.files]
        kept = {"kept": state.reason or None} if self._new else {}
        item_result = {**to_result(item), "files": files} if item else None
        return {"created": self._created, "library_item": item_result, **kept}

    def _values(self, item: LibraryItem | None) -> dict[str, Any]:
        """What is declared of an item; vCenter finds names in any case, so the name that found it is no rename."""
        found_by_name = item is not None and not self._params["library_item_id"]
        return {name: value for name, value in self._wanted.items() if name != "name" or not found_by_name}

    def _reason_found_alone(self, new: NewItem) -> str:
        try:
            return reason_found_alone(self._api, new, shield=self._task.shield, on_failure=self._task.on_failure)
        except NotFound:
            return ""

    def _require_empty(self, found: Found) -> None:
        """What an item holds would be treated as what it is not, once the item is of another type.

        A session that is ACTIVE counts, whatever it has received yet: it was made for the type that the item has.
        Raises InvalidArgument or ResourceBusy.
        """
        item, wanted = found.item, self._wanted["type"]
        if item is None or (item.type or "") == wanted:
            return
        kind = f"it is of type {item.type}" if item.type else "it has no type"
        content = describe_content(item, found.files)
        if content:
            raise InvalidArgument(
                f"{kind} and holds {content}, and what an item holds never changes its type, here to {wanted!r}",
                operation="item.update",
                remedy="Choose another name, or delete the item first, with state: absent. Without type, the item "
                "keeps the one that it has.",
            )
        session = find_active(self._api, str(item.id))
        if session:
            raise ResourceBusy(
                f"{kind}, and update session {session.id} is ACTIVE on it, which was made for that type",
                operation="item.update",
                session_id=session.id,
                remedy="Run the task again when the session has ended, or end the session with "
                "vsphere.content.content_library_update_session and state: absent.",
            )

    def _tell_changes(self) -> str:
        if not self._changes:
            return ""
        return f"Changed, and not put back: {'; '.join(self._changes)}. The next run goes on from there."

    def _look(self) -> Found:
        if self._params["library_item_id"]:
            return self._read_by_id(self._params["library_item_id"])
        library_id = resolve_library(self._api, self._params)
        item_id = find_item(self._api, library_id, self._params["name"])
        if item_id is not None:
            # Somebody else may delete it between its being found and its being read.
            with suppress(NotFound):
                return self._load(library_id, item_id)
        return Found(library_id, None)

    def _read_by_id(self, item_id: str) -> Found:
        try:
            return self._load(None, item_id)
        except NotFound:
            if self._params["state"] == "absent":
                return Found(None, None)
            raise

    def _load(self, library_id: str | None, item_id: str) -> Found:
        return Found(library_id, self._api.get_item(item_id), tuple(self._api.list_item_files(item_id)))

    def _create(self, item: LibraryItem) -> str:
        try:
            token = str(uuid.uuid4())
            return make_surely(lambda: self._api.create_item(item, token))
        except ApiError as error:
            if error.error_type == "ALREADY_EXISTS":
                raise Overtaken(error) from None
            # What was refused is the failure, whatever comes of asking why.
            with suppress(ContentError):
                library = self._api.get_library(str(item.library_id))
                if library.security_policy_id and error.error_type != "UNAUTHORIZED":
                    error.remedy = explain_policy(library)
            raise


def explain_policy(library: Library) -> str:
    return (
        f"Library {library.name!r} enforces the security policy {library.security_policy_id}: it takes items of type "
        "ovf only, with a signature that vCenter can verify. Set type: ovf, or use a library without a security policy."
    )


def describe(params: Mapping[str, Any]) -> str:
    name = params["name"] or params["library_item_id"]
    library = params["library"] or params["library_id"]
    return f"{name!r} in library {library!r}" if library else repr(name)


def library_item(module: AnsibleModule, task: Task, new: NewItem | None) -> dict[str, Any]:
    resource = ItemResource(Api(task.connection), module.params, new, task)
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main() -> None:
    run_module(
        {
            "library": {"type": "str"},
            "library_id": {"type": "str"},
            "name": {"type": "str", "aliases": ["library_item"]},
            "library_item_id": {"type": "str"},
            "type": {"type": "str"},
            "description": {"type": "str"},
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "new_item": {"type": "dict"},
        },
        lambda module: read_declared(module.params),
        library_item,
        describe=describe,
        supports_check_mode=True,
        mutually_exclusive=[
            ("library", "library_id"),
            ("library_item_id", "library"),
            ("library_item_id", "library_id"),
        ],
    )


if __name__ == "__main__":
    main()
