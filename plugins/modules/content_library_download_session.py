#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_download_session
short_description: Fetch files of a content library item in a download session
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Content leaves an item of a vCenter content library through a download session. A task declares
    the state of the session and the files that should be prepared in it, and the module changes what differs.
  - With O(dest) it fetches. The files of the item are compared with those in that directory, and only those that
    differ are fetched, through a session that the task makes and deletes. If all are the same, there is no session, no
    download and no change, so a playbook may run as often as it likes.
  - A file takes its place only when it is whole and has every checksum that is known of it, from the item, from the
    session and from O(checksums). A warning names each one of which none is known. Until then it lies beside its
    target under a name that starts with a dot, and it is removed when the task fails or is ended. What a killed run
    left in the directory is removed by the next run with the same O(dest), and its session by the next one of the same
    user that fetches the same item there.
  - When a connection breaks, the download goes on where it broke off, or from the start where the server cannot do
    that; the task then warns. After five tries on one file it fails.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
  - vsphere.content.library_item
  - vsphere.content.progress
  - ansible.builtin.files
attributes:
  check_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(dest), a file for which neither the server nor O(checksums) has a checksum is fetched again by each run,
        unless O(when_unverifiable=skip).
options:
  session_id:
    description:
      - The identifier of the download session.
      - If it is left out, the session is named by its item. With O(state=active) it is then an ACTIVE session of the
        caller's on that item, and with the other states all of the caller's sessions on it.
    type: str
  state:
    description:
      - The state to bring the session to.
      - V(active) makes sure that there is an ACTIVE session in which the O(files) are prepared, and makes one if the
        item has none and there are files to prepare. With O(dest), that the files are there, for which the session is
        only a means.
      - V(canceled) cancels ACTIVE sessions, V(error) marks them as failed with O(error_message).
      - V(absent) removes sessions, and cancels them first if they are ACTIVE.
      - A session that has ended is never opened again. Asking for that is an error when the session is named by
        O(session_id). Named by its item, it is left alone.
      - Download sessions do not exclude each other. By item, V(canceled), V(error) and V(absent) also end what another
        task of the same user is fetching.
    type: str
    choices: [active, canceled, error, absent]
    default: active
  files:
    description:
      - The files to prepare, and with O(dest) to fetch, by their names in the item or as globs such as V(*.vmdk). Case
        counts.
      - A name or glob that fits no file of the item is an error, and so is an empty list, unless O(allow_empty=true).
      - If it is left out, all files of the item. If it has none, that is an error unless O(allow_empty=true).
    type: list
    elements: str
  allow_empty:
    description:
      - Whether it is fine that there is nothing to fetch, as the item holds no files, or none that a name or glob of
        O(files) fits. For O(state=active).
      - V(false) makes that an error before a session is made, in check mode too.
      - V(true) takes the files that there are. If there are none, no session is made, and nothing in O(dest) is
        touched.
    type: bool
    default: false
  endpoint_type:
    description:
      - How the files should be reached. V(HTTPS) is an address on the vCenter, V(DIRECT) is one in the datastore, for
        clients that can reach it, and needs the privilege ContentLibrary.ReadStorage.
      - O(dest) goes with V(HTTPS) only.
    type: str
    choices: [HTTPS, DIRECT]
    default: HTTPS
  dest:
    description:
      - The absolute path of a directory, on the host that runs the task, to fetch the files to. They keep the names
        that they have in the item. The directory must exist.
      - Files there that the item does not have are left alone. A symbolic link with the name of a file is replaced by
        the file, and not followed.
      - It should belong to the user who runs the task, or to root. A task that runs as root warns if others may write
        to it. They cannot have the task touch anything else, but what was fetched is theirs to change.
      - A file name of the item that is not a plain name, such as one with a slash, is an error before anything is
        written. So are two names that differ in case alone.
      - If E(VMWARE_FETCH_DEST_ROOT) is set, or C(fetch_dest_root) in the section C(vsphere_content) of C(ansible.cfg),
        it must be that directory or one below, by its real path.
      - If it is left out, nothing is fetched.
    type: path
  when_unverifiable:
    description:
      - What to do with a file in O(dest) whose name and size fit but for which neither the server nor O(checksums) has
        a checksum, so that nobody can tell whether the content is the same. That is also so for every C(.vmdk) without
        a checksum, whatever its size.
      - V(download) fetches it again, which is always right and may be slow. V(skip) takes it for the same.
    type: str
    choices: [download, skip]
    default: download
  checksums:
    description:
      - Checksums of files that are known from elsewhere, by the names that the files have in the item, each as
        M(ansible.builtin.get_url) takes it, such as V(md5:d41d8cd98f00b204e9800998ecf8427e). The algorithms are C(md5),
        C(sha1), C(sha256) and C(sha512), and a URL instead of the digits is not read.
      - They are compared in addition to those of the server, and count where the server has none. A file that does not
        have its checksum is not put into place, and one in O(dest) that has it is not fetched again.
      - A checksum that contradicts the server's, and that of a file which the task does not fetch, is an error before
        anything is fetched. The latter is fine with O(allow_empty=true).
      - For O(state=active). Without O(dest), it is only held against what the server says.
    type: dict
  require_verified:
    description:
      - Whether a file of which neither the server nor O(checksums) has a checksum is an error, and is not put into
        place. Otherwise it is put there with a warning.
      - Needs O(dest), and does not go with O(when_unverifiable=skip).
    type: bool
    default: false
  parallel_transfers:
    description:
      - How many files to fetch at once, 1 to 32.
    type: int
    default: 4
  keep_session:
    description:
      - Whether the session that was made for O(dest) is left ACTIVE when all is well. When the task fails, it is
        canceled and deleted in any case.
    type: bool
    default: false
  client_progress:
    description:
      - The progress, 0 to 100, that the session should show in vCenter, at least. A lower or equal one is no change.
        For O(state=active).
      - If it is left out, the progress is not touched. With O(dest) the task itself reports it.
    type: int
  error_message:
    description:
      - The reason to record with O(state=error), where it is needed.
    type: str
  keep_alive:
    description:
      - Whether to extend the life of the ACTIVE session, which otherwise ends after some minutes without activity.
        This alone is not a change. While files are fetched to O(dest), the task does so itself.
    type: bool
    default: false
  client_token:
    description:
      - A UUID that makes the creation of the session repeatable. The same token gives the same session.
      - If it is left out, the task makes one up.
    type: str
  wait_timeout:
    description:
      - How many seconds the server may go without progress in preparing files before the task fails.
    type: int
    default: 600
  mode:
    description:
      - The permissions of the files in O(dest), as M(ansible.builtin.copy) takes them.
      - If it is left out, a file that takes another's place gets the permissions of that one if root or the user who
        runs the task owns it, and any other file those that the umask gives. The same goes for O(owner), O(group) and
        the SELinux context.
  attributes:
    description:
      - The attributes that the files in O(dest) should have, as M(ansible.builtin.file) takes them.
      - A task that runs as root refuses it where others may write to O(dest), as C(chattr) can be had to change another
        file there.
  unsafe_writes:
    description:
      - Has no effect. A file always takes its place by a rename, and never in part.
seealso:
  - module: vsphere.content.content_library_update_session
  - module: vsphere.content.content_library_session_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
- name: Fetch an image, if it is not there already
  vsphere.content.content_library_download_session:
    library: templates
    library_item: tools
    dest: /srv/images
    owner: root
    group: root
    mode: "0644"

- name: Fetch the descriptor and the disks of a package, two at a time
  vsphere.content.content_library_download_session:
    library: templates
    library_item: rocky9
    files:
      - "*.ovf"
      - "*.vmdk"
    dest: /srv/packages/rocky9
    parallel_transfers: 2

- name: Fetch an image whose checksum is known, whatever the server says of it
  vsphere.content.content_library_download_session:
    library: templates
    library_item: tools
    dest: /srv/images
    checksums:
      tools.iso: "sha256:{{ published_iso_sha256 }}"
    require_verified: true

- name: Have the files prepared for another program to fetch
  vsphere.content.content_library_download_session:
    library: templates
    library_item: rocky9
  register: prepared

- name: Show where they can be fetched from
  ansible.builtin.debug:
    msg: "{{ prepared.files | map(attribute='download_endpoint.uri') }}"

- name: Remove that session again
  vsphere.content.content_library_download_session:
    session_id: "{{ prepared.session.id }}"
    state: absent

- name: Remove all download sessions that we have on an item
  vsphere.content.content_library_download_session:
    library: templates
    library_item: rocky9
    state: absent
"""

RETURN = r"""
session:
  description:
    - The session as it was last seen, none if there is none. Where a task ended several, the last one.
    - With O(dest), none unless O(keep_session=true) and files were fetched. Without O(dest), no session is made where
      there is no file to prepare.
    - All keys are always there, none where the server sent nothing. Keys that a newer vCenter adds are passed on.
  returned: always
  type: dict
  sample:
    id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
    library_item_id: 0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55
    library_item_content_version: "2"
    state: ACTIVE
    client_progress: 0
    expiration_time: "2026-11-23T12:05:00.000Z"
    error_message:
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
      description:
        - Why the session failed, as vCenter's localizable message with C(id), C(default_message), C(args), C(params)
          and C(localized).
      type: dict
files:
  description:
    - The files that O(files) names, as the task last saw them. Those of the session, or with O(dest) those of the item.
  returned: with O(state=active)
  type: list
  elements: dict
  sample:
    - name: tools.iso
      status: PREPARED
      size: 734003200
      bytes_transferred: 0
      checksum_info:
      download_endpoint:
        uri: https://vcenter.example.com:443/cls/data/2f6a1d50-9f0c-4c3b-8c43-4c2f5b0a7f11/tools.iso
        ssl_certificate_thumbprint:
        ssl_certificate:
      error_message:
  contains:
    name:
      description: The name of the file.
      type: str
    size:
      description:
        - The size in bytes. With O(dest) and a file that was fetched, what came; else as the server reports it, which
          for a file of an item is the storage that it uses.
      type: int
    checksum_info:
      description:
        - The server's checksum. In a session it is known after the download.
      type: dict
      contains:
        algorithm:
          description: The algorithm, such as V(SHA256).
          type: str
        checksum:
          description: The checksum in hexadecimal digits.
          type: str
    status:
      description: V(UNPREPARED), V(PREPARE_REQUESTED), V(PREPARING), V(PREPARED) or V(ERROR). Without O(dest).
      type: str
    bytes_transferred:
      description: How many bytes the server has sent. Without O(dest).
      type: int
    download_endpoint:
      description: Where the prepared file can be fetched from. Without O(dest).
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
      description: Why the server could not prepare the file. Without O(dest).
      type: dict
    path:
      description: The path of the file, with O(dest).
      type: str
    verified:
      description:
        - Whether the content in O(dest) is known to be the item's, by a checksum of the server's or of O(checksums). In
          check mode, of a file that is yet to be fetched, V(false).
      type: bool
    fetched:
      description: Whether this task fetched the file, with O(dest).
      type: bool
    version:
      description: The version of the file in the item, with O(dest).
      type: str
    cached:
      description: Whether the vCenter has the file itself, with O(dest).
      type: bool
transferred:
  description: What was fetched.
  returned: when something was fetched
  type: dict
  sample:
    files: 1
    bytes: 734003200
    seconds: 8.402
  contains:
    files:
      description: How many files were fetched.
      type: int
    bytes:
      description: How many bytes these files hold.
      type: int
    seconds:
      description: How long it took, from the first byte to the last.
      type: float
error:
  description: What went wrong, for a playbook to decide on.
  returned: on failure
  type: dict
  sample:
    type: NOT_FOUND
    status: 404
    operation: download_session.get
    messages: []
    data:
    session_id: 815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
  contains:
    type:
      description:
        - The kind of failure, by vCenter's name for it, such as V(NOT_FOUND) or V(UNAUTHORIZED), or one of
          V(CONNECTION_FAILED), V(TLS_UNVERIFIED), V(INVALID_RESPONSE), V(TRANSFER_FAILED), V(CHECKSUM_MISMATCH),
          V(TIMED_OUT).
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
      description:
        - What else the failure carries. When files were being fetched, C(files) with each one's C(name) and C(fate),
          which is V(fetched), V(failed), V(stopped) or V(not started).
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

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._download.attributes import FileAttributes
from ..module_utils._download.destination import ADJUSTED, Folder, Partial, require_one_component
from ..module_utils._download.download_plan import (
    Declared,
    Found,
    Local,
    Plan,
    compare_local,
    describe_local,
    match_names,
    plan_download,
    project_download,
    read_declared,
    require_distinct_names,
    require_fitting_checksums,
)
from ..module_utils._download.fetch import (
    Download,
    discard_left,
    end_session,
    find_sessions,
    open_download,
    prepare_files,
    warn_if_left,
)
from ..module_utils._download.session_mark import SessionMark, mark_for
from ..module_utils._session.item_lookup import ITEM_MUTUALLY_EXCLUSIVE, describe_item, item_spec, resolve_item
from ..module_utils._session.lost_answers import delete_download, discard_download, noted
from ..module_utils._session.states import ACTIVE
from ..module_utils._session.waiting import SYSTEM_CLOCK, Clock
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.progress import progress_spec
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import Verdict, held_by_item
from ..module_utils._transfer.local_file import COMPARED, Identity, identity_of, require_same_opened
from ..module_utils._transfer.streams import hash_opened
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound
from ..module_utils._vcenter.models import DownloadSession, to_result


def argument_spec() -> dict[str, Any]:
    return {
        **item_spec(),
        **progress_spec(),
        "session_id": {"type": "str"},
        "state": {"type": "str", "default": "active", "choices": ["active", "canceled", "error", "absent"]},
        "files": {"type": "list", "elements": "str"},
        "allow_empty": {"type": "bool", "default": False},
        "endpoint_type": {"type": "str", "default": "HTTPS", "choices": ["HTTPS", "DIRECT"]},
        "dest": {"type": "path"},
        "when_unverifiable": {"type": "str", "default": "download", "choices": ["download", "skip"]},
        "checksums": {"type": "dict"},
        "require_verified": {"type": "bool", "default": False},
        "parallel_transfers": {"type": "int", "default": 4},
        "keep_session": {"type": "bool", "default": False},
        "client_progress": {"type": "int"},
        "error_message": {"type": "str"},
        "keep_alive": {"type": "bool", "default": False},
        "client_token": {"type": "str", "no_log": False},
        "wait_timeout": {"type": "int", "default": 600},
    }


class DownloadSessionResource:
    """The download session, or the fetched files, that a task declares, for C(converge)."""

    def __init__(
        self,
        api: Api,
        declared: Declared,
        params: Mapping[str, Any],
        task: Task,
        attributes: FileAttributes,
        clock: Clock,
    ) -> None:
        self._api = api
        self._declared = declared
        self._params = params
        self._task = task
        self._attributes = attributes
        self._clock = clock
        self._folder = Folder(declared.dest) if declared.dest is not None else None
        self._changes: list[str] = []
        self._foreign = False
        self._kept: DownloadSession | None = None
        self._download: Download | None = None

    def read(self) -> Found:
        declared = self._declared
        if declared.session_id:
            return self._with_files(self._look_by_id(declared.session_id))
        item_id = resolve_item(self._api, self._params)
        if self._folder:
            return self._with_local(Found(item_id, content=tuple(self._api.list_item_files(item_id))), self._folder)
        return self._with_files(Found(item_id, tuple(find_sessions(self._api, item_id))))

    def plan(self, before: Found) -> Plan:
        return plan_download(self._declared, before)

    def project(self, state: Found) -> dict[str, Any]:
        return project_download(self._declared, state)

    def expect(self, plan: Plan) -> Mapping[str, Any]:
        return plan.expected

    def apply(self, plan: Plan) -> Found:
        # A session of our own is undone with all that was done in it.
        stays = [] if plan.opens else self._changes
        self._task.on_failure(lambda: f"Changed, and not put back: {'; '.join(stays)}." if stays else "")
        self._task.so_far = lambda: {"changed": bool(stays or self._moved()), **self._moved()}
        if self._folder:
            return self._fetch(plan, self._folder)
        return self._prepare(plan) if self._declared.state == "active" else self._end(plan)

    def result(self, state: Found) -> dict[str, Any]:
        declared = self._declared
        session = self._kept if self._folder else state.active or next(reversed(state.sessions), None)
        outcome = {"session": to_result(session) if session else None, **self._moved()}
        if self._folder:
            content = {file.name: file for file in state.content}
            fetched = self._download.fetched if self._download else {}
            outcome["files"] = [
                describe_local(content[name], self._folder.path_of(name), state.local.get(name), fetched.get(name))
                for name in state.wanted
            ]
        elif declared.state == "active":
            files = {file.name: file for file in state.files}
            outcome["files"] = [to_result(files[name]) for name in state.wanted if name in files]
        return outcome

    def _look_by_id(self, session_id: str) -> Found:
        try:
            session = self._api.get_download_session(session_id)
        except NotFound:
            if self._declared.state == "absent":
                return Found(None)
            raise
        return Found(session.library_item_id, (session,))

    def _with_files(self, found: Found) -> Found:
        """With the files of the ACTIVE session, or of the item that one would be made for."""
        declared, session = self._declared, found.active
        if declared.state != "active" or (declared.session_id and not session):
            return found
        if session:
            found = replace(found, files=tuple(self._api.list_download_files(str(session.id))))
        else:
            found = replace(found, content=tuple(self._api.list_item_files(str(found.library_item_id))))
        names = [file.name for file in (found.files if session else found.content)]
        return self._with_wanted(found, names, session)

    def _with_local(self, found: Found, folder: Folder) -> Found:
        found = self._with_wanted(found, [file.name for file in found.content])
        for name in found.wanted:
            require_one_component(name)
        require_distinct_names(found.wanted)
        self._attributes.require_settable(folder.path, folder.others())
        entries = folder.look(found.wanted)
        warning = folder.warning(entries, self._attributes.owner)
        if warning:
            self._task.warn(warning)
        return replace(found, local=self._compare(found, folder, entries, {}))

    def _with_wanted(self, found: Found, names: Sequence[str], session: DownloadSession | None = None) -> Found:
        declared = self._declared
        wanted = match_names(declared.patterns, names, session=session, allow_empty=declared.allow_empty)
        require_fitting_checksums(declared, wanted, found.files if session else found.content)
        return replace(found, wanted=wanted)

    def _prepare(self, plan: Plan) -> Found:
        declared, found = self._declared, plan.found
        session = self._open(found) if plan.opens else found.active
        if session is None:
            return found
        session_id = str(session.id)
        if plan.client_progress is not None:
            with noted("client_progress was set", self._changes.append):
                self._api.keep_download_session_alive(session_id, plan.client_progress)
        elif declared.keep_alive:
            self._api.keep_download_session_alive(session_id)
        if plan.expected == self.project(found):
            return found
        prepare_files(
            self._api,
            session_id,
            plan.prepare,
            declared.endpoint_type,
            wait_timeout=declared.wait_timeout,
            clock=self._clock,
            on_change=self._changes.append,
        )
        session = self._api.get_download_session(session_id)
        return replace(found, sessions=(session,), files=tuple(self._api.list_download_files(session_id)))

    def _open(self, found: Found) -> DownloadSession:
        session = open_download(
            self._api,
            str(found.library_item_id),
            client_token=self._declared.client_token,
            shield=self._task.shield,
            on_created=lambda created: self._task.on_failure(lambda: self._undo_open(created)),
        )
        fits = session.state == ACTIVE and session.library_item_id in (found.library_item_id, None)
        if self._params["client_token"] and not fits:
            self._foreign = True
            raise NotAllowedInCurrentState(
                f"client_token was used before: it names session {session.id}, which is {session.state}, on item "
                f"{session.library_item_id}",
                operation="download_session.create",
                remedy="Leave client_token out, or give a new one for each session.",
            )
        return session

    def _undo_open(self, session_id: str) -> str:
        if self._foreign:
            return f"Session {session_id} was not made by this task, and stays as it was."
        discard_download(self._api, session_id)
        return f"Session {session_id}, which this task made, was canceled and deleted."

    def _end(self, plan: Plan) -> Found:
        steps = dict(plan.steps)
        left = []
        for session in plan.found.sessions:
            step = steps.get(str(session.id))
            reason, on_change = self._declared.error_message, self._changes.append
            after = end_session(self._api, session, step, reason, on_change=on_change) if step else session
            left.extend([after] if after else [])
        return replace(plan.found, sessions=tuple(left))

    def _mark(self, found: Found, folder: Folder) -> SessionMark:
        """Have the next run find the session that is about to be made, should this one be killed."""
        mark = mark_for(folder, str(found.library_item_id), self._declared.client_token)
        self._task.on_failure(mark.remove)
        mark.place()
        return mark

    def _fetch(self, plan: Plan, folder: Folder) -> Found:
        declared, found = self._declared, plan.found
        item_id, token = str(found.library_item_id), declared.client_token
        discard_left(self._api, folder, item_id, client_token=token, warn=self._task.warn)
        for name in plan.adjust:
            self._adjust(folder, name, found.local[name])
        if plan.fetch:
            mark = self._mark(found, folder)
            wanted = [file for file in found.content if file.name in plan.fetch]
            self._task.progress.expect({file.name: file.size for file in wanted})
            session = self._open(found)
            self._task.progress.step("session created")
            self._download = Download(
                self._api,
                session,
                folder,
                declared,
                self._clock,
                self._dress,
                self._task.warn,
                self._task.progress,
            )
            self._download.fetch(wanted)
            for name in plan.fetch:
                self._attributes.set_flags(folder.path_of(name), folder.place_of(name))
            if declared.keep_session:
                self._kept = self._api.get_download_session(str(session.id))
            else:
                delete_download(self._api, str(session.id))
            warn_if_left(mark.remove(), self._task.warn)
        entries = folder.look(found.wanted)
        return replace(found, local=self._compare(found, folder, entries, self._known(plan, entries)))

    def _known(self, plan: Plan, entries: Mapping[str, os.stat_result]) -> dict[str, Verdict]:
        """The verdicts on the files in dest that are those which were compared before, or fetched."""
        fetched = self._download.fetched if self._download else {}
        known: dict[str, Verdict] = {}
        for name, entry in entries.items():
            now, before = identity_of(entry), plan.found.local.get(name)
            if name in fetched:
                if now.has_content_of(fetched[name].identity):
                    known[name] = Verdict.EQUAL
            elif before and (now == before.identity or (name in plan.adjust and now.has_content_of(before.identity))):
                known[name] = before.verdict
        return known

    def _dress(self, partial: Partial) -> None:
        place = partial.folder.place_of(partial.name)
        self._attributes.dress(partial.descriptor, partial.target, place, partial.heir())

    def _adjust(self, folder: Folder, name: str, local: Local) -> None:
        """Give a file that is the item's already the attributes that are declared; some may take before one fails."""
        path, place = folder.path_of(name), folder.place_of(name)
        what = f"attributes of {path} were set"
        with folder.opened(name, ADJUSTED) as descriptor:
            require_same_opened(path, local.identity, ADJUSTED, descriptor)
            folder.require_one_name(name, descriptor)
            try:
                self._attributes.adjust(descriptor, path, place)
            except ContentError:
                with suppress(ContentError):
                    if self._attributes.differences(path, place, os.fstat(descriptor)) != local.attributes:
                        self._changes.append(f"some {what}")
                raise
            self._changes.append(what)

    def _compare(
        self,
        found: Found,
        folder: Folder,
        entries: Mapping[str, os.stat_result],
        verdicts: Mapping[str, Verdict],
    ) -> dict[str, Local]:
        """The wanted files that stand in dest; what has a verdict is not compared, and a symbolic link not followed."""
        held, local = held_by_item(found.content), {}

        def digest(_path: str, algorithm: str, offset: int, size: int, identity: Identity | None) -> str:
            with folder.opened(name, COMPARED) as descriptor:
                return hash_opened(descriptor, path, algorithm, offset, size, identity)

        for name, entry in entries.items():
            path, identity = folder.path_of(name), identity_of(entry)
            if not stat.S_ISREG(entry.st_mode):
                local[name] = Local(None, Verdict.DIFFERENT, identity)
                continue
            declared = self._declared.checksums.get(name)
            verdict = verdicts.get(name) or compare_local(path, name, identity, held[name], declared, digest)
            attributes = self._attributes.differences(path, folder.place_of(name), entry)
            local[name] = Local(entry.st_size, verdict, identity, attributes)
        return local

    def _moved(self) -> dict[str, Any]:
        return {"transferred": self._download.transferred} if self._download and self._download.fetched else {}


def download_session(module: AnsibleModule, task: Task, declared: Declared) -> dict[str, Any]:
    resource = DownloadSessionResource(
        Api(task.connection), declared, module.params, task, FileAttributes(module), SYSTEM_CLOCK
    )
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main() -> None:
    run_module(
        argument_spec(),
        lambda module: read_declared(module.params, has_attributes=FileAttributes(module).declared),
        download_session,
        describe=describe_item,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[
            *ITEM_MUTUALLY_EXCLUSIVE,
            *(("session_id", name) for name in ("library", "library_id", "library_item", "library_item_id", "dest")),
            ("dest", "client_progress"),
        ],
        required_one_of=[("session_id", "library_item", "library_item_id")],
        required_if=[("state", "error", ("error_message",))],
    )


if __name__ == "__main__":
    main()
