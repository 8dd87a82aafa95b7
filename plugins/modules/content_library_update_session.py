#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_update_session
short_description: Declare an update session of a vCenter Content Library item, and publish files through it
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Content reaches an item of a vCenter content library through an update session. This module takes the state that the
    session shall have, the warnings that it may ignore and the files that the item shall hold, and makes it so.
  - With O(state=done) and O(files) it publishes. If the item already holds exactly these files, there is no session, no
    upload and no change, so a playbook may run as often as it likes.
  - A session that an earlier, killed run left behind is taken over. A session that this task made itself is canceled
    and deleted when the task fails, so nothing stays behind that would block the next run.
  - The manifest, the certificate and the descriptor of an OVF package go first. A warning about them that
    O(warning_behavior) does not accept fails the task before the first byte of a disk is sent.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.connection
  - vsphere.content.library_item
attributes:
  check_mode:
    support: full
    details:
      - The warnings that a preview will raise cannot be known before the files are on the server.
options:
  session_id:
    description:
      - The identifier of the update session.
      - If it is left out, the session is named by its item, and is the caller's ACTIVE session on that item. vCenter
        allows one at a time.
    type: str
  state:
    description:
      - The state that the session shall have in the end.
      - V(active) makes sure that there is an ACTIVE session with these O(warning_behavior) and O(files). None is made
        if the item already holds the O(files).
      - V(done) completes the session, so that its content becomes the item's content, and makes one first if it must.
        Without O(files), no session on the item means that there is nothing to complete.
      - V(canceled) cancels an ACTIVE session, V(error) marks it as failed with O(error_message).
      - V(absent) removes the session, and cancels it first if it is ACTIVE.
      - A session that has ended is never opened again. Asking for that is an error when the session is named by
        O(session_id); named by its item, a new session is made.
    type: str
    choices: [active, done, canceled, error, absent]
    default: active
  warning_behavior:
    description:
      - What to do about the warnings that vCenter may raise about the signature of an OVF package.
      - The list is the whole truth. A type that it does not name is not ignored, so the order, duplicates and entries
        with O(warning_behavior[].ignored=false) make no difference.
      - If it is left out, a session that exists keeps what it has, and a new session ignores nothing.
    type: list
    elements: dict
    suboptions:
      type:
        description:
          - The warning, by vCenter's name for it.
        type: str
        required: true
        choices:
          - SELF_SIGNED_CERTIFICATE
          - EXPIRED_CERTIFICATE
          - NOT_YET_VALID_CERTIFICATE
          - UNTRUSTED_CERTIFICATE
      ignored:
        description:
          - Whether the content is accepted in spite of the warning.
        type: bool
        required: true
  files:
    description:
      - The files that the item shall hold, or with V(state=absent) shall not hold.
      - An C(.ovf) brings along the files that it references, and the C(.mf) and C(.cert) of the same name beside it.
      - If it is left out, files are neither sent nor compared.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The name of the file in the item.
          - If it is left out, the last part of O(files[].src).
        type: str
      src:
        description:
          - The absolute path of the file on the host that runs the task. Needed unless O(files[].url) is given or
            O(files[].state=absent).
          - An C(.ova) is sent whole and compared with the item by what it holds, as vCenter unpacks it. It is never
            unpacked here.
        type: path
      url:
        description:
          - Where vCenter itself shall fetch the file, by C(https), C(http) or C(ds), so that the bytes do not pass
            through the host that runs the task. Instead of O(files[].src).
          - What the URL holds is known by O(files[].checksum) only. Without it, O(when_unverifiable) decides whether it
            is fetched again.
          - Where vCenter can, it is asked to look at the URL before anything is changed.
          - A user name, password or query in it is sent to vCenter and shown nowhere.
          - What an C(.ova) behind a URL holds is not known here. Once the item holds a descriptor, such a file is
            unverifiable, and O(purge_files) removes nothing.
        type: str
      ssl_thumbprint:
        description:
          - The thumbprint of the certificate of the server in O(files[].url), for a server that vCenter does not trust
            by itself. SHA-256 or SHA-1, in hexadecimal digits, with or without colons.
          - vCenter before 9 documents SHA-1, later ones SHA-256. SHA-1 is weak, so the task warns about it.
          - If it is left out, vCenter trusts what it trusts. A certificate is never accepted because it was presented.
        type: str
      ssl_certificate:
        description:
          - The certificate of that server in PEM form, or the absolute path of a file with it on the host that runs the
            task, instead of O(files[].ssl_thumbprint).
          - vCenter before 9 takes thumbprints only, and is given that of the certificate.
        type: str
      checksum:
        description:
          - The checksum of the file in hexadecimal digits, if it is known. vCenter then checks what arrives against it,
            and an item that has this checksum already is recognised without reading the file.
          - If it is left out, the file is hashed when that is needed.
        type: str
      checksum_algorithm:
        description:
          - What O(files[].checksum) was made with.
        type: str
        choices: [SHA1, MD5, SHA256, SHA512]
        default: SHA256
      state:
        description:
          - Whether the item shall hold the file.
        type: str
        choices: [present, absent]
        default: present
  purge_files:
    description:
      - Whether files of the item that O(files) does not name are removed.
      - If it is left out, V(true) if O(files) holds an C(.ovf) or C(.ova), as the item then is that package, else
        V(false).
    type: bool
  when_unverifiable:
    description:
      - What to do with a file whose name and size fit but for which the server has no checksum, so that nobody can tell
        whether the content is the same. That is also so for every C(.vmdk) without a checksum.
      - V(upload) sends it again, which is always right and may be slow. V(skip) takes it for the same, which is fast
        and leaves an old image in place if a new one of the same size was made.
    type: str
    choices: [upload, skip]
    default: upload
  parallel_transfers:
    description:
      - How many files are sent at once, 1 to 32. The descriptor of a package and what goes with it always go first, one
        by one.
    type: int
    default: 4
  client_progress:
    description:
      - The progress, 0 to 100, that the session shall show in vCenter, at least. A lower or equal one is no change.
      - If it is left out, the progress is not touched.
    type: int
  error_message:
    description:
      - The reason to record with O(state=error), where it is needed.
    type: str
  keep_alive:
    description:
      - Whether to extend the life of the ACTIVE session, which otherwise ends after some minutes without activity.
        This alone is not a change.
    type: bool
    default: false
  client_token:
    description:
      - A UUID that makes the creation of the session repeatable. The same token gives the same session.
      - If it is left out, the task makes one up.
    type: str
  wait:
    description:
      - Whether O(state=done) waits until vCenter has finished. With V(false) the task returns when vCenter has accepted
        the completion, and the session may still be ACTIVE.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds the server may go without progress on a file, a preview or a completion before the task fails.
    type: int
    default: 600
  busy_timeout:
    description:
      - How many seconds to wait for another ACTIVE session on the item to end, or for somebody at work in it to finish.
      - With V(0) such a session is an error of the type V(RESOURCE_BUSY) at once. A session of the same user in which
        nothing moves is no obstacle. It is taken over, if files were on their way after watching it for 10 seconds.
    type: int
    default: 0
  keep_failed_session:
    description:
      - Whether a session that this task made is left as it is when the task fails, to be looked at.
    type: bool
    default: false
seealso:
  - module: vsphere.content.content_library_item
  - module: vsphere.content.content_library_session_info
"""

EXAMPLES = r"""
- name: Publish an ISO
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - src: /images/tools.iso

- name: Publish a signed OVF package whose certificate is self-signed
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: done
    warning_behavior:
      - type: SELF_SIGNED_CERTIFICATE
        ignored: true
    files:
      - src: /images/rocky9/rocky9.ovf

- name: Fill a session, and look at it before anything is published
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: active
    warning_behavior:
      - type: SELF_SIGNED_CERTIFICATE
        ignored: true
    files:
      - src: /images/rocky9/rocky9.ovf
  register: filled

- name: Complete the session
  vsphere.content.content_library_update_session:
    session_id: "{{ filled.session.id }}"
    state: done
  when: filled.session is not none

- name: Have vCenter fetch an image from a mirror by itself
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - url: https://mirror.example.com/images/tools.iso
        checksum: "{{ tools_iso_sha256 }}"

- name: Remove one file and leave the others alone
  vsphere.content.content_library_update_session:
    library: templates
    library_item: tools
    state: done
    files:
      - name: tools.iso
        state: absent

- name: Make sure that no session of ours blocks the item
  vsphere.content.content_library_update_session:
    library: templates
    library_item: rocky9
    state: absent
"""

RETURN = r"""
session:
  description:
    - The session as it was last seen, none if there is none.
    - All keys are always there, none where the server sent nothing. Keys that a newer vCenter adds are passed on.
  returned: always
  type: dict
  sample:
    id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
    library_item_id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
    library_item_content_version: "2"
    state: DONE
    client_progress: 100
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
      description:
        - Why the session failed, as vCenter's localizable message with C(id), C(default_message), C(args), C(params)
          and C(localized).
      type: dict
    preview_info:
      description: What vCenter found in the descriptor, manifest and certificate. The last one seen, as DONE has none.
      type: dict
      contains:
        state:
          description: V(UNAVAILABLE), V(PREPARING), V(AVAILABLE) or V(NOT_APPLICABLE).
          type: str
        certificate_info:
          description: The signer's certificate with C(issuer), C(subject), C(self_signed) and C(x509).
          type: dict
        cert_chain:
          description: The chain of certificates.
          type: list
          elements: str
        warnings:
          description: The warnings raised, each with C(type), C(message) and C(ignored).
          type: list
          elements: dict
    warning_behavior:
      description: Which warnings the session ignores, each with C(type) and C(ignored).
      type: list
      elements: dict
files:
  description:
    - The files as the task last saw them. Those of the session, or those of the item where no session was needed.
  returned: when O(files) is given, or files had to be looked at
  type: list
  elements: dict
  sample:
    - name: tools.iso
      status: READY
      size: 734003200
      bytes_transferred: 734003200
      checksum_info:
        algorithm: SHA1
        checksum: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
      verified: true
  contains:
    name:
      description: The name of the file.
      type: str
    size:
      description: The size in bytes, as the server reports it. For a file of an item, the storage that it uses.
      type: int
    checksum_info:
      description: The server's checksum, with C(algorithm) and C(checksum).
      type: dict
    verified:
      description:
        - Whether the content is known to be that of O(files[].src), by checksum. None for a file that is not declared.
      type: bool
    status:
      description: How far a file of a session is, such as V(TRANSFERRING) or V(READY). Not for files of an item.
      type: str
    source_type:
      description: V(PUSH), V(PULL), or V(NONE) for a file that the session does not change. Not for files of an item.
      type: str
    bytes_transferred:
      description: How many bytes the server has received. Not for files of an item.
      type: int
    error_message:
      description: Why the server could not take the file. Not for files of an item.
      type: dict
    keep_in_storage:
      description: V(false) for manifest and certificate, which vCenter reads and drops. Not for files of an item.
      type: bool
item_changed:
  description: Whether this task completed a session, so that the item has new content.
  returned: always
  type: bool
  sample: true
transferred:
  description: What was sent, with C(files), C(bytes) and C(seconds).
  returned: when something was sent
  type: dict
  sample:
    files: 1
    bytes: 734003200
    seconds: 8.402
error:
  description: What went wrong, for a playbook to decide on.
  returned: on failure
  type: dict
  sample:
    type: NOT_FOUND
    status: 404
    operation: update_session.get
    messages: []
    data:
    session_id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
  contains:
    type:
      description:
        - The kind of failure, by vCenter's name for it, such as V(NOT_FOUND) or V(RESOURCE_BUSY), or one of
          V(CONNECTION_FAILED), V(TLS_UNVERIFIED), V(INVALID_RESPONSE), V(TRANSFER_FAILED), V(CHECKSUM_MISMATCH),
          V(TIMED_OUT), V(WARNINGS_NOT_IGNORED).
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
      description: What else the failure carries. For V(WARNINGS_NOT_IGNORED), the warnings and what would accept them.
      type: dict
    session_id:
      description: The session that it happened in.
      type: str
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vsphere.content.plugins.module_utils._api import Api
from ansible_collections.vsphere.content.plugins.module_utils._content import (
    Verdict,
    compare_with_item,
    compare_with_session,
    needs_item_content,
    verdicts_after,
)
from ansible_collections.vsphere.content.plugins.module_utils._errors import (
    ContentError,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
)
from ansible_collections.vsphere.content.plugins.module_utils._lifecycle import (
    ACTIVE,
    SYSTEM_CLOCK,
    Clock,
    Step,
    behaviors,
    complete,
    discard,
    find_active,
    open_session,
    require_warning_behavior,
    take_over,
)
from ansible_collections.vsphere.content.plugins.module_utils._module import Task, converge, run_module
from ansible_collections.vsphere.content.plugins.module_utils._package import (
    credentials_in,
    read_wanted,
    weak_thumbprints,
)
from ansible_collections.vsphere.content.plugins.module_utils._schema import UpdateSession, to_result
from ansible_collections.vsphere.content.plugins.module_utils._target import (
    ITEM_MUTUALLY_EXCLUSIVE,
    describe_item,
    item_spec,
    require_complete_names,
    require_local_item,
    resolve_item,
)
from ansible_collections.vsphere.content.plugins.module_utils._transfer import Digests
from ansible_collections.vsphere.content.plugins.module_utils._update_plan import (
    Declared,
    Found,
    Plan,
    needs_restart,
    plan_update,
    project_update,
)
from ansible_collections.vsphere.content.plugins.module_utils._upload import Upload, probe

MOST_TRANSFERS = 32
WARNING_TYPES = [
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
]


def argument_spec() -> dict[str, Any]:
    return {
        **item_spec(),
        "session_id": {"type": "str"},
        "state": {"type": "str", "default": "active", "choices": ["active", "done", "canceled", "error", "absent"]},
        "warning_behavior": {
            "type": "list",
            "elements": "dict",
            "options": {
                "type": {"type": "str", "required": True, "choices": WARNING_TYPES},
                "ignored": {"type": "bool", "required": True},
            },
        },
        "files": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str"},
                "src": {"type": "path"},
                "url": {"type": "str"},
                "ssl_thumbprint": {"type": "str"},
                "ssl_certificate": {"type": "str"},
                "checksum": {"type": "str"},
                "checksum_algorithm": {
                    "type": "str",
                    "default": "SHA256",
                    "choices": ["SHA1", "MD5", "SHA256", "SHA512"],
                },
                "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            },
        },
        "purge_files": {"type": "bool"},
        "when_unverifiable": {"type": "str", "default": "upload", "choices": ["upload", "skip"]},
        "parallel_transfers": {"type": "int", "default": 4},
        "client_progress": {"type": "int"},
        "error_message": {"type": "str"},
        "keep_alive": {"type": "bool", "default": False},
        "client_token": {"type": "str", "no_log": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        "busy_timeout": {"type": "int", "default": 0},
        "keep_failed_session": {"type": "bool", "default": False},
    }


def read_declared(params: Mapping[str, Any]) -> Declared:
    """What the task declares, checked as far as that needs no server. Raises InvalidArgument."""
    if not params["session_id"]:
        require_complete_names(params)
    progress = params["client_progress"]
    if progress is not None and not 0 <= progress <= 100:
        raise InvalidArgument(f"client_progress is {progress}", remedy="Set client_progress to a number from 0 to 100.")
    for name, lowest in (("wait_timeout", 1), ("busy_timeout", 0)):
        if params[name] < lowest:
            raise InvalidArgument(f"{name} is {params[name]}", remedy=f"Set {name} to {lowest} seconds or more.")
    if not 1 <= params["parallel_transfers"] <= MOST_TRANSFERS:
        raise InvalidArgument(
            f"parallel_transfers is {params['parallel_transfers']}",
            remedy=f"Set parallel_transfers to a number from 1 to {MOST_TRANSFERS}.",
        )
    return Declared(
        session_id=params["session_id"],
        state=params["state"],
        ignored_warnings=_read_warning_behavior(params["warning_behavior"]),
        wanted=None if params["files"] is None else read_wanted(params["files"], params["purge_files"]),
        accept_unverifiable=params["when_unverifiable"] == "skip",
        client_progress=progress,
        error_message=params["error_message"],
        keep_alive=params["keep_alive"],
        client_token=_read_client_token(params["client_token"]),
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        parallel_transfers=params["parallel_transfers"],
        busy_timeout=params["busy_timeout"],
        keep_failed_session=params["keep_failed_session"],
    )


def _read_warning_behavior(entries: list[dict[str, Any]] | None) -> tuple[str, ...] | None:
    if entries is None:
        return None
    declared: dict[str, bool] = {}
    for entry in entries:
        if declared.setdefault(entry["type"], entry["ignored"]) != entry["ignored"]:
            raise InvalidArgument(
                f"warning_behavior names {entry['type']} twice, once ignored and once not",
                remedy="Drop one of the two entries.",
            )
    return tuple(sorted(kind for kind, ignored in declared.items() if ignored))


def _read_client_token(token: str | None) -> str:
    if token is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(token))
    except ValueError:
        raise InvalidArgument(
            f"client_token {token!r} is no UUID", remedy="Give one such as b8a2a2e3-2314-43cd-a871-6ede0f429751."
        ) from None


class UpdateSessionResource:
    """The update session that a task declares, for C(converge)."""

    def __init__(self, api: Api, declared: Declared, params: Mapping[str, Any], task: Task, clock: Clock) -> None:
        self._api = api
        self._declared = declared
        self._params = params
        self._task = task
        self._clock = clock
        self._digests = Digests()
        self._changes: list[str] = []
        self._replaced = ""
        self._upload: Upload | None = None
        self._item_changed = False
        self._foreign = False

    def read(self) -> Found:
        found = self._look()
        while found.session and self._declared.session_id is None and self.plan(found).touches_session:
            session, files = take_over(
                self._api, found.session, busy_timeout=self._declared.busy_timeout, clock=self._clock
            )
            if session:
                found = self._compared(replace(found, session=session, active=session, files=tuple(files)))
                break
            found = self._look()
        plan = self.plan(found)
        if found.library_item_id and not found.session and plan.opens:
            require_local_item(self._api, found.library_item_id)
        for file in plan.files.push:
            probe(self._api, file)
        return found

    def plan(self, before: Found) -> Plan:
        return plan_update(self._declared, before)

    def project(self, state: Found) -> dict[str, Any]:
        return project_update(self._declared, state)

    def expect(self, plan: Plan) -> Mapping[str, Any]:
        return plan.expected

    def apply(self, plan: Plan) -> Found:
        try:
            if plan.step is Step.NOTHING:
                return plan.found
            if plan.step in (Step.CONVERGE, Step.COMPLETE):
                return self._converge(plan)
            return self._end(plan)
        except ContentError as error:
            found = plan.found.session
            # A session of our own is undone with all that was done in it.
            kept = not plan.opens or self._declared.keep_failed_session or self._item_changed
            if found and not plan.opens:
                changed = "; ".join(self._changes) or "nothing"
                error.notes.append(
                    f"Session {found.id} was found, not made by this task, and stays. Changed in it: {changed}."
                )
            elif self._replaced:
                error.notes.append(self._replaced)
            error.result = {"changed": bool(self._replaced) or (kept and bool(self._changes)), **self._moved()}
            raise

    def result(self, state: Found) -> dict[str, Any]:
        session = state.session
        if session and not session.preview_info and state.active:
            session = replace(session, preview_info=state.active.preview_info)
        outcome: dict[str, Any] = {"session": to_result(session) if session else None, **self._moved()}
        if self._declared.fills:
            verdicts = state.in_session or state.in_item
            outcome["files"] = [
                {**to_result(file), "verified": self._verified(file.name, verdicts)}
                for file in state.files or state.content
            ]
        return outcome

    def _look(self) -> Found:
        if self._declared.session_id:
            try:
                session = self._api.get_update_session(self._declared.session_id)
            except NotFound:
                if self._declared.state == "absent":
                    return Found(None)
                raise
            found = Found(session.library_item_id, session)
        else:
            item_id = resolve_item(self._api, self._params)
            found = Found(item_id, find_active(self._api, item_id))
        if not found.alive or not found.session:
            return self._compared(found)
        files = self._api.list_update_files(str(found.session.id)) if self._declared.fills else ()
        return self._compared(replace(found, active=found.session, files=tuple(files)))

    def _compared(self, found: Found) -> Found:
        """With the verdicts on the wanted files; the item's own files are read only where they have a say."""
        declared, wanted = self._declared, self._declared.wanted
        if not wanted or not declared.fills or (found.session and not found.alive):
            return found
        if not found.alive or declared.state == "done" or needs_item_content(wanted, found.files):
            found = self._with_content(found)
        if found.alive:
            found = replace(
                found, in_session=compare_with_session(wanted, found.files, found.in_item, self._digests.of)
            )
            if not found.in_item and needs_restart(declared, found):
                found = self._with_content(found)
        return found

    def _with_content(self, found: Found) -> Found:
        content = tuple(self._api.list_item_files(str(found.library_item_id)))
        wanted = self._declared.wanted
        in_item = compare_with_item(wanted, content, self._digests.of) if wanted else {}
        return replace(found, content=content, in_item=in_item)

    def _converge(self, plan: Plan) -> Found:
        declared, found = self._declared, plan.found
        session = self._open(plan) if plan.opens else found.session
        if session is None:
            raise AssertionError("a session that is neither found nor made cannot converge")
        session_id = str(session.id)
        if plan.ignored_warnings is not None and not plan.opens:
            self._api.set_warning_behavior(session_id, behaviors(plan.ignored_warnings))
            self._changes.append("warning_behavior was set")
            session = self._api.get_update_session(session_id)
        if plan.ignored_warnings is not None:
            require_warning_behavior(session, plan.ignored_warnings)
        if declared.keep_alive or plan.client_progress is not None:
            self._api.keep_update_session_alive(session_id, plan.client_progress)
            self._changes.extend(["client_progress was set"] if plan.client_progress is not None else [])
        if plan.step is Step.CONVERGE and not (plan.opens or plan.touches_session):
            return found
        upload = self._upload = Upload(
            api=self._api,
            session_id=session_id,
            digest=self._digests.of,
            parallel=declared.parallel_transfers,
            wait_timeout=declared.wait_timeout,
            clock=self._clock,
            on_change=self._changes.append,
            warn=self._task.warn,
        )
        upload.push(plan.files.push, session, previewed=bool(declared.wanted and declared.wanted.previewed))
        upload.remove(plan.files.remove)
        if plan.step is Step.COMPLETE:
            return self._complete(plan, upload)
        session = self._api.get_update_session(session_id)
        files = tuple(self._api.list_update_files(session_id)) if declared.fills else ()
        return self._settled(replace(found, session=session, active=session, files=files), plan)

    def _open(self, plan: Plan) -> UpdateSession:
        """Make a session, after removing the one that cannot be filled any more; have it removed if the task fails."""
        declared, stale = self._declared, plan.found.session
        if stale:
            discard(self._api, str(stale.id))
            self._replaced = f"Session {stale.id}, which was found and held its descriptor already, was removed."
        session_id = open_session(
            self._api,
            str(plan.found.library_item_id),
            ignored_warnings=plan.ignored_warnings or (),
            client_token=declared.client_token,
            busy_timeout=declared.busy_timeout,
            clock=self._clock,
            shield=self._task.shield,
            on_created=lambda created: self._task.on_failure(lambda: self._undo_open(created)),
        )
        session = self._api.get_update_session(session_id)
        if session.state != ACTIVE or session.library_item_id not in (plan.found.library_item_id, None):
            self._foreign = True
            raise NotAllowedInCurrentState(
                f"client_token was used before: it names session {session_id}, which is {session.state}, on item "
                f"{session.library_item_id}",
                operation="update_session.create",
                remedy="Leave client_token out, or give a new one for each session.",
            )
        self._changes.append(f"session {session_id} was made")
        return session

    def _undo_open(self, session_id: str) -> str:
        if self._foreign:
            return f"Session {session_id} was not made by this task, and stays as it was."
        if self._declared.keep_failed_session:
            return f"Session {session_id}, which this task made, is kept, as keep_failed_session says."
        discard(self._api, session_id)
        return f"Session {session_id}, which this task made, was canceled and deleted."

    def _complete(self, plan: Plan, upload: Upload) -> Found:
        declared = self._declared
        active, files = upload.settle()
        session = complete(
            self._api,
            upload.session_id,
            wait=declared.wait,
            wait_timeout=declared.wait_timeout,
            clock=self._clock,
            on_accepted=lambda: self._changes.append("its completion was accepted"),
        )
        self._item_changed = True
        found = replace(plan.found, session=session, active=active, files=tuple(files))
        if session.state == ACTIVE:
            return replace(found, promised=plan.expected)
        if declared.fills:
            found = replace(found, content=tuple(self._api.list_item_files(str(found.library_item_id))))
        return self._settled(found, plan)

    def _settled(self, found: Found, plan: Plan) -> Found:
        """The verdicts after the fact: what was sent was compared on arrival, so nothing is hashed again."""
        before = plan.found.in_item if plan.opens else plan.found.in_session
        verdicts = verdicts_after(before, plan.files)
        return replace(found, in_session=verdicts, in_item=verdicts)

    def _end(self, plan: Plan) -> Found:
        session_id = str(plan.found.session.id if plan.found.session else "")
        if plan.step is Step.CANCEL:
            self._api.cancel_update_session(session_id)
        elif plan.step is Step.FAIL:
            self._api.fail_update_session(session_id, str(self._declared.error_message))
        else:
            discard(self._api, session_id)
            return replace(plan.found, session=None, files=())
        return replace(plan.found, session=self._api.get_update_session(session_id), files=())

    def _verified(self, name: str, verdicts: Mapping[str, Verdict]) -> bool | None:
        if name not in verdicts:
            return None
        unverified = self._upload.unverified if self._upload else set()
        return verdicts[name] is Verdict.EQUAL and name not in unverified

    def _moved(self) -> dict[str, Any]:
        moved: dict[str, Any] = {"item_changed": self._item_changed}
        if self._upload and self._upload.sent:
            moved["transferred"] = self._upload.transferred
        return moved


def update_session(module: AnsibleModule, task: Task) -> dict[str, Any]:
    declared = read_declared(module.params)
    for name in weak_thumbprints(declared.wanted):
        task.warn(
            f"The ssl_thumbprint of {name} is a SHA-1 one, which can be forged; use SHA-256 where vCenter takes it."
        )
    resource = UpdateSessionResource(Api(task.connection), declared, module.params, task, SYSTEM_CLOCK)
    try:
        return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)
    except ContentError as error:
        error.subject = describe_item(module.params)
        raise


def main() -> None:
    run_module(
        argument_spec(),
        update_session,
        secrets=lambda params: credentials_in(params.get("files")),
        supports_check_mode=True,
        mutually_exclusive=[
            *ITEM_MUTUALLY_EXCLUSIVE,
            *(("session_id", name) for name in ("library", "library_id", "library_item", "library_item_id")),
        ],
        required_one_of=[("session_id", "library_item", "library_item_id")],
        required_if=[("state", "error", ("error_message",))],
    )


if __name__ == "__main__":
    main()
