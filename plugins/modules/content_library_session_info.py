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
  - Reads update sessions and download sessions with their state, progress, expiration, preview and, if asked for,
    files.
  - vCenter shows only the sessions that the user of this task has made, unless they are named by O(session_ids).
  - A session that ends while it is being read is left out of the result.
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
      - The identifiers of the sessions to read. One that does not exist is left out of the result.
      - If it is left out, the sessions of the item are read, and without an item all sessions of the user.
    type: list
    elements: str
  states:
    description:
      - Only sessions in one of these states are returned.
      - If it is left out, sessions in any state are.
    type: list
    elements: str
    choices: [ACTIVE, DONE, ERROR, CANCELED]
  with_files:
    description:
      - Whether the files of each session are read too, which takes one more request for each session.
    type: bool
    default: false
seealso:
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
    - All keys are always there, none where the server sent nothing. Keys that a newer vCenter adds are passed on.
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
      description: The content version of the item when the session was made.
      type: str
    state:
      description: V(ACTIVE), V(DONE), V(ERROR) or V(CANCELED).
      type: str
    client_progress:
      description: The progress that the client reported, 0 to 100.
      type: int
    expiration_time:
      description: When the session ends by itself unless something happens in it.
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
              description: Whether the two are the same.
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
              description: The warning, by vCenter's name for it.
              type: str
            message:
              description: What vCenter says about it, as a localizable message.
              type: dict
            ignored:
              description: Whether the session goes on in spite of it.
              type: bool
    warning_behavior:
      description: Which warnings the session ignores.
      type: list
      elements: dict
      contains:
        type:
          description: The warning, by vCenter's name for it.
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
          description: Where the server fetches the file from, without what lets it in there.
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
          description: Where the file is sent to.
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
    - All keys are always there, none where the server sent nothing. Keys that a newer vCenter adds are passed on.
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
      description: The content version of the item when the session was made.
      type: str
    state:
      description: V(ACTIVE), V(ERROR) or V(CANCELED).
      type: str
    client_progress:
      description: The progress that the client reported, 0 to 100.
      type: int
    expiration_time:
      description: When the session ends by itself unless something happens in it.
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
  description: What went wrong, for a playbook to decide on.
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
      description: The session that it happened in.
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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._session.item_lookup import (
    ITEM_MUTUALLY_EXCLUSIVE,
    describe_item,
    item_spec,
    names_item,
    require_complete_names,
    resolve_item,
)
from ..module_utils._session.waiting import gather
from ..module_utils._task.converge import Task
from ..module_utils._task.option_checks import require_names
from ..module_utils._task.run import run_module
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.models import Model, Session, to_result


@dataclass(frozen=True)
class Kind:
    """How sessions of one kind are read, and under which name they are returned."""

    key: str
    list_ids: Callable[[str | None], list[str]]
    get: Callable[[str], Session]
    list_files: Callable[[str], Sequence[Model]]


def kinds_of(api: Api, kind: str) -> list[Kind]:
    kinds = {
        "update": Kind("update_sessions", api.list_update_sessions, api.get_update_session, api.list_update_files),
        "download": Kind(
            "download_sessions", api.list_download_sessions, api.get_download_session, api.list_download_files
        ),
    }
    return list(kinds.values()) if kind == "all" else [kinds[kind]]


def read_sessions(api: Api, params: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    item_id = resolve_item(api, params) if names_item(params) else None
    states, with_files = params["states"], params["with_files"]
    wanted = params["session_ids"]
    found: dict[str, list[dict[str, Any]]] = {"update_sessions": [], "download_sessions": []}
    met: set[str] = set()
    for kind in kinds_of(api, params["kind"]):

        def read(session_id: str, kind: Kind = kind) -> dict[str, Any] | None:
            session = kind.get(session_id)
            met.add(session_id)
            if (states and session.state not in states) or (item_id and session.library_item_id != item_id):
                return None
            files = {"files": [to_result(file) for file in kind.list_files(session_id)]} if with_files else {}
            return {**to_result(session), **files}

        ids = kind.list_ids(item_id) if wanted is None else wanted
        found[kind.key] = [session for session in gather(read, ids) if session]
        # An identifier that has been met is not asked for as a session of the other kind.
        wanted = None if wanted is None else [session_id for session_id in wanted if session_id not in met]
    return found


def require_valid(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument."""
    require_names(params)
    for session_id in params["session_ids"] or ():
        require_names({"session_id": session_id})
    require_complete_names(params)


def session_info(module: AnsibleModule, task: Task, _declared: None) -> dict[str, Any]:
    return {"changed": False, **read_sessions(Api(task.connection), module.params)}


def main() -> None:
    run_module(
        {
            **item_spec(),
            "kind": {"type": "str", "default": "all", "choices": ["all", "update", "download"]},
            "session_ids": {"type": "list", "elements": "str"},
            "states": {"type": "list", "elements": "str", "choices": ["ACTIVE", "DONE", "ERROR", "CANCELED"]},
            "with_files": {"type": "bool", "default": False},
        },
        lambda module: require_valid(module.params),
        session_info,
        describe=describe_item,
        supports_check_mode=True,
        mutually_exclusive=[
            *ITEM_MUTUALLY_EXCLUSIVE,
            *(("session_ids", name) for name in ("library", "library_id", "library_item", "library_item_id")),
        ],
    )


if __name__ == "__main__":
    main()
