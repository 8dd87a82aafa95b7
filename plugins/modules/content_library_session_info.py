#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_session_info
short_description: Read update and download sessions of content libraries
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Reads update sessions and download sessions with their state, progress, expiration and preview, and with
    O(with_files) their files.
  - vCenter lists only the sessions that the user of this task created. O(session_ids) can name others.
  - The task leaves out a session that disappears while it reads it.
extends_documentation_fragment:
  - vsphere.content.attributes.info
  - vsphere.content.attributes.group
  - vsphere.content.connection
  - vsphere.content.library_item
options:
  kind:
    description:
      - Which sessions to read.
    type: str
    choices: [all, update, download]
    default: all
  session_ids:
    description:
      - The identifiers of the sessions to read. The task leaves out those that do not exist.
      - If it is left out, the task reads the sessions of the item, or without an item all sessions of the user.
    type: list
    elements: str
  states:
    description:
      - Return only sessions in one of these states.
      - If it is left out, the task returns sessions in any state.
    type: list
    elements: str
    choices: [ACTIVE, DONE, ERROR, CANCELED]
  with_files:
    description:
      - Whether to read the files of each session, too. This takes one more request for each session.
    type: bool
    default: false
  with_names:
    description:
      - Whether to read the names of the items and libraries that the sessions belong to, too. This takes one more
        request for each item and each library.
    type: bool
    default: false
seealso:
  - module: vsphere.content.content_library_download_session
  - module: vsphere.content.content_library_item_info
  - module: vsphere.content.content_library_update_session
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: See which of our sessions are still open, with their files
  vsphere.content.content_library_session_info:
    states: [ACTIVE]
    with_files: true
  register: open_sessions

- name: Read the update sessions of one item
  vsphere.content.content_library_session_info:
    kind: update
    library: templates
    library_item: rocky9
"""

RETURN = r"""
update_sessions:
  description:
    - The update sessions, as M(vsphere.content.content_library_update_session) returns them under RV(ignore:session).
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
      library_item_id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
      library_item_content_version: "2"
      state: ACTIVE
      client_progress: 40
      expiration_time: "2026-11-23T12:05:00.000Z"
      error_message:
      preview_info:
      warning_behavior: []
  contains:
    id:
      description: The identifier of the session.
      type: str
    library_item_id:
      description: The identifier of the item that the session works on.
      type: str
    library_item_content_version:
      description: The content version of the item when the session was created.
      type: str
    state:
      description: V(ACTIVE), V(DONE), V(ERROR) or V(CANCELED).
      type: str
    client_progress:
      description: The progress that the client reported, 0 to 100.
      type: int
    expiration_time:
      description: When the session expires if nothing happens in it.
      type: str
    library_item:
      description: The name of the item, or none if it does not exist any more. Only with O(with_names).
      type: str
    library_id:
      description: The identifier of the item's library, or none. Only with O(with_names).
      type: str
    library:
      description: The name of that library, or none. Only with O(with_names).
      type: str
    error_message:
      description: Why the session failed, as vCenter's localizable message.
      type: dict
    preview_info:
      description: What vCenter found in the descriptor, manifest and certificate.
      type: dict
      contains:
        state:
          description: V(UNAVAILABLE), V(PREPARING), V(AVAILABLE) or V(NOT_APPLICABLE).
          type: str
        certificate_info:
          description: The signer's certificate.
          type: dict
          contains:
            issuer:
              description: Who issued the certificate.
              type: str
            subject:
              description: Whom the certificate is for.
              type: str
            self_signed:
              description: Whether issuer and subject are the same.
              type: bool
            x509:
              description: The certificate itself, in PEM form.
              type: str
        cert_chain:
          description: The chain of certificates.
          type: list
          elements: str
        warnings:
          description: The warnings raised.
          type: list
          elements: dict
          contains:
            type:
              description: The warning, by vCenter's name.
              type: str
            message:
              description: What vCenter says about it, as a localizable message.
              type: dict
            ignored:
              description: Whether the session ignores the warning.
              type: bool
    warning_behavior:
      description: Which warnings the session ignores.
      type: list
      elements: dict
      contains:
        type:
          description: The warning, by vCenter's name.
          type: str
        ignored:
          description: Whether the content is accepted in spite of the warning.
          type: bool
    files:
      description: The files of the session. Only with O(with_files).
      type: list
      elements: dict
      contains:
        name:
          description: The name of the file.
          type: str
        held_by:
          description: V(session), as V(item) marks the files of an item in the results of other modules.
          type: str
        status:
          description: How far the file is, such as V(TRANSFERRING) or V(READY).
          type: str
        source_type:
          description: V(PUSH), V(PULL), or V(NONE) for a file that the session does not change.
          type: str
        size:
          description: The size in bytes, as the server reports it.
          type: int
        bytes_transferred:
          description: How many bytes the server has received.
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
        source_endpoint:
          description: The address from which the server fetches the file, without credentials.
          type: dict
          contains:
            uri:
              description: The address.
              type: str
            ssl_certificate_thumbprint:
              description: The thumbprint of the certificate of the server there.
              type: str
            ssl_certificate:
              description: The certificate of the server there, in PEM form.
              type: str
        upload_endpoint:
          description: The address to which the task sends the file.
          type: dict
          contains:
            uri:
              description: The address.
              type: str
            ssl_certificate_thumbprint:
              description: The thumbprint of the certificate of the server there.
              type: str
            ssl_certificate:
              description: The certificate of the server there, in PEM form.
              type: str
        error_message:
          description: Why the server could not take the file, as vCenter's localizable message.
          type: dict
        keep_in_storage:
          description: V(false) for manifest and certificate, which vCenter reads and drops.
          type: bool
download_sessions:
  description:
    - The download sessions.
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
  returned: success
  type: list
  elements: dict
  sample: []
  contains:
    id:
      description: The identifier of the session.
      type: str
    library_item_id:
      description: The identifier of the item that the session works on.
      type: str
    library_item_content_version:
      description: The content version of the item when the session was created.
      type: str
    state:
      description: V(ACTIVE), V(ERROR) or V(CANCELED).
      type: str
    client_progress:
      description: The progress that the client reported, 0 to 100.
      type: int
    expiration_time:
      description: When the session expires if nothing happens in it.
      type: str
    library_item:
      description: The name of the item, or none if it does not exist any more. Only with O(with_names).
      type: str
    library_id:
      description: The identifier of the item's library, or none. Only with O(with_names).
      type: str
    library:
      description: The name of that library, or none. Only with O(with_names).
      type: str
    error_message:
      description: Why the session failed, as vCenter's localizable message.
      type: dict
    files:
      description: The files of the session. Only with O(with_files).
      type: list
      elements: dict
      contains:
        name:
          description: The name of the file.
          type: str
        held_by:
          description: V(session), as V(item) marks the files of an item in the results of other modules.
          type: str
        status:
          description: V(UNPREPARED), V(PREPARE_REQUESTED), V(PREPARING), V(PREPARED) or V(ERROR).
          type: str
        size:
          description: The size in bytes, as the server reports it.
          type: int
        bytes_transferred:
          description: How many bytes the server has sent.
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
        download_endpoint:
          description: Where the prepared file can be fetched from.
          type: dict
          contains:
            uri:
              description: The address.
              type: str
            ssl_certificate_thumbprint:
              description: The thumbprint of the certificate of the server there.
              type: str
            ssl_certificate:
              description: The certificate of the server there, in PEM form.
              type: str
        error_message:
          description: Why the server could not prepare the file, as vCenter's localizable message.
          type: dict
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
      path: /api/content/library/item/download-session?library_item_id=0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
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

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Union

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._item.item_lookup import (
    ITEM_MUTUALLY_EXCLUSIVE,
    describe_item,
    item_spec,
    names_item,
    require_complete_names,
    resolve_item,
)
from ..module_utils._item.item_reader import read_library_names
from ..module_utils._session.finding import own_ids
from ..module_utils._session.waiting import gather
from ..module_utils._task.converge import Task
from ..module_utils._task.option_checks import require_names
from ..module_utils._task.run import run_module
from ..module_utils._vcenter.api import Api, DownloadSessions, UpdateSessions
from ..module_utils._vcenter.errors import ApiError
from ..module_utils._vcenter.models import file_result
from ..module_utils._vcenter.schema import to_result
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock

AnySessions = Union[UpdateSessions, DownloadSessions]


def kinds_of(api: Api, kind: str) -> dict[str, AnySessions]:
    """The kinds of sessions to read, by the key under which the task returns them."""
    kinds: dict[str, AnySessions] = {"update_sessions": api.updates, "download_sessions": api.downloads}
    return kinds if kind == "all" else {f"{kind}_sessions": kinds[f"{kind}_sessions"]}


def read_sessions(
    api: Api, params: dict[str, Any], readers: int, warn: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    item_id = resolve_item(api, params) if names_item(params) else None
    states, with_files = params["states"], params["with_files"]
    wanted = params["session_ids"]
    found: dict[str, list[dict[str, Any]]] = {"update_sessions": [], "download_sessions": []}
    met: set[str] = set()

    def on_refused(refusal: ApiError) -> None:
        warn(f"{refusal.explain()} Without it a user can create none, so none are returned.")

    for key, sessions in kinds_of(api, params["kind"]).items():

        def read(session_id: str, sessions: AnySessions = sessions) -> dict[str, Any] | None:
            session = sessions.get(session_id)
            met.add(session_id)
            if (states and session.state not in states) or (item_id and session.library_item_id != item_id):
                return None
            shown = to_result(session)
            if with_files:
                shown["files"] = [file_result(file) for file in sessions.files(session_id)]
            return shown

        ids = own_ids(sessions, item_id, on_refused) if wanted is None else wanted
        found[key] = [session for session in gather(read, ids, readers) if session]
        # A session that was found is not looked for among the other kind.
        wanted = None if wanted is None else [session_id for session_id in wanted if session_id not in met]
    return found


def add_names(api: Api, sessions: Sequence[dict[str, Any]], readers: int) -> None:
    """Note in each session the names of its item and library, none for an item that does not exist any more."""
    item_ids = list(dict.fromkeys(filter(None, (session["library_item_id"] for session in sessions))))
    items = dict(gather(lambda item_id: (item_id, api.get_item(item_id)), item_ids, readers))
    libraries = read_library_names(api, items.values(), readers)
    for session in sessions:
        item = items.get(session["library_item_id"])
        session["library_item"] = item.name if item else None
        session["library_id"] = item.library_id if item else None
        session["library"] = libraries.get(session["library_id"])


def require_valid(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument."""
    require_names(params)
    for session_id in params["session_ids"] or ():
        require_names({"session_id": session_id})
    require_complete_names(params)


def session_info(module: AnsibleModule, task: Task, _declared: None) -> dict[str, Any]:
    api, readers = Api(task.connection), task.clock.timing.readers
    found = read_sessions(api, module.params, readers, task.warn)
    if module.params["with_names"]:
        add_names(api, [session for sessions in found.values() for session in sessions], readers)
    return {"changed": False, **found}


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        {
            **item_spec(),
            "kind": {"type": "str", "default": "all", "choices": ["all", "update", "download"]},
            "session_ids": {"type": "list", "elements": "str"},
            "states": {"type": "list", "elements": "str", "choices": ["ACTIVE", "DONE", "ERROR", "CANCELED"]},
            "with_files": {"type": "bool", "default": False},
            "with_names": {"type": "bool", "default": False},
        },
        lambda module: require_valid(module.params),
        session_info,
        describe=describe_item,
        clock=clock,
        supports_check_mode=True,
        mutually_exclusive=[
            *ITEM_MUTUALLY_EXCLUSIVE,
            *(("session_ids", name) for name in ("library", "library_id", "library_item", "library_item_id")),
        ],
    )


if __name__ == "__main__":
    main()
