#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_library_update_session
short_description: Publish files to a content library item in an update session
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Content reaches an item of a vCenter content library through an update session. A task declares
    the state of the session, the warnings that it may ignore and the files that the item should hold, and the module
    changes what differs.
  - With O(state=done) and O(files) it publishes. If the item already holds exactly these files, there is no session, no
    upload and no change, so a playbook may run as often as it likes.
  - Without O(state=done) nothing is published. The session is then left open, and the item keeps its content until
    another task completes it.
  - A session that an earlier, killed run left behind is taken over. A session that this task made itself is canceled
    and deleted when the task fails, so nothing stays behind that would block the next run.
  - A local file that changes after the task has looked at it, and before the last file is sent, fails the task with the
    type V(TRANSFER_FAILED). Nothing is published then.
  - The manifest, the certificate and the descriptor of an OVF package go first. A warning about them that
    O(warning_behavior) does not accept fails the task before the first byte of a disk is sent.
extends_documentation_fragment:
  - vsphere.content.attributes
  - vsphere.content.attributes.group
  - vsphere.content.connection
  - vsphere.content.library_item
  - vsphere.content.progress
attributes:
  check_mode:
    support: full
    details:
      - The warnings that a preview will raise cannot be known before the files are on the server.
      - An item that an earlier task of the play would make is not there in check mode, which is an error. Skip the
        task then, with C(when).
options:
  session_id:
    description:
      - The identifier of the update session.
      - If it is left out, the session is named by its item, and is the caller's ACTIVE session on that item. vCenter
        allows one at a time.
    type: str
  state:
    description:
      - The state to bring the session to.
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
      - The files that the item should hold, or with O(files[].state=absent) should not hold.
      - An C(.ovf) brings along the files that it references, and the C(.mf) and C(.cert) of the same name beside it, in
        upper or lower case.
      - A signature is never left out silently. If a descriptor has no C(.mf) or no C(.cert), and a single one beside it
        belongs to no descriptor there, that is an error. If there are several, that is a warning. To send such a file,
        name it, too.
      - What the type of the item excludes is an error before a session is made, in check mode too. An item of type
        V(iso) takes no C(.ovf) and no C(.ova). With O(state=done), an item of type V(ovf) takes an C(.iso) only along
        with a descriptor, or in place of one of that name. A VM template takes no session at all.
      - If it is left out, files are neither sent nor compared. An empty list declares nothing.
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
          - If E(VMWARE_PUBLISH_SRC_ROOT) is set, or C(publish_src_root) in the section C(vsphere_content) of
            C(ansible.cfg), each file that the task reads must be below that directory, by its real path. That holds for
            what a descriptor brings along, and for O(files[].ssl_certificate), too.
        type: path
      url:
        description:
          - Where vCenter itself should fetch the file from, by C(https), C(http) or C(ds), so that the bytes do not
            pass through the host that runs the task. Instead of O(files[].src).
          - What the URL holds is known by O(files[].checksum) only. Without it, O(when_unverifiable) decides whether it
            is fetched again.
          - Where vCenter can, it is asked to look at the URL before anything is changed.
          - A user name, password or query in it is sent to vCenter and shown nowhere.
          - What an C(.ova) behind a URL holds is not known here. Once the item holds a descriptor, such a file is
            unverifiable.
          - With an C(.ovf) behind a URL, vCenter fetches the files that it references, too. What those are is not known
            here either, so O(purge_files) removes nothing beside either of the two.
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
          - Whether the item should hold the file.
        type: str
        choices: [present, absent]
        default: present
  purge_files:
    description:
      - Whether files of the item that O(files) does not name are removed.
      - If it is left out, V(true) if O(files) holds an C(.ovf) or C(.ova), as the item then is that package, else
        V(false).
      - With V(true), a list of O(files) that leaves the item with none is an error, as it is what a pattern over a
        directory gives that is not mounted. To empty an item, name each file with O(files[].state=absent) and leave
        this option out, or delete the item.
      - Nothing is removed while the task does not know what belongs to a package that is there. That is so if vCenter
        itself fetches the package, and if the item or the session holds a descriptor that the task neither sends nor
        finds to be the same. A warning then names the files that stay. Entries with O(files[].state=absent) are removed
        all the same.
      - An item or a session never gets a second descriptor beside one of another name. That is an error before anything
        is changed. To replace a package by one whose descriptor has another name, give the old descriptor an entry with
        O(files[].state=absent). The other files of the old package then go with it.
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
      - The progress, 0 to 100, that the session should show in vCenter, at least. A lower or equal one is no change.
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
      - A completion shows no progress. If it takes longer, the task fails with the type V(TIMED_OUT). The session and
        the item stay, as vCenter may still complete the session, and RV(item_changed) is V(true). The same holds where
        the answer to the completion is lost. The next run waits for the session, and asks for its completion once more.
    type: int
    default: 600
  busy_timeout:
    description:
      - How many seconds to wait for another ACTIVE session on the item to end, or for somebody at work in it to finish.
      - With V(0) such a session is an error of the type V(RESOURCE_BUSY). A session of the same user in which nothing
        moves is no obstacle. It is completed at once if it holds all that is declared. Before anything else is changed
        in it, it is watched for 5 seconds, or for 10 if files were on their way, as another task may be at work in it.
      - One that vCenter is completing already counts as at work, unless it holds all that is declared.
    type: int
    default: 0
  keep_failed_session:
    description:
      - Whether a session that this task made is left as it is when the task fails, to be looked at.
      - A session whose completion vCenter was asked for is left in any case.
    type: bool
    default: false
  new_item:
    description:
      - The registered result of the M(vsphere.content.content_library_item) task that comes before this one, if the
        item shall not stay empty when this task fails. It counts only if that task has made the item.
      - A task that fails then deletes the item, in the way that this option of M(vsphere.content.content_library_item)
        describes. O(ignore:msg) says that the item was deleted, or why it stays.
      - The item stays if RV(item_changed) is V(true), and if a session is left on it, as with O(keep_failed_session).
      - It also stays if the task itself is killed, by its C(timeout) or with the whole job, and with C(async).
    type: dict
seealso:
  - module: vsphere.content.content_library_item
  - module: vsphere.content.content_library_session_info
"""

EXAMPLES = r"""
# The connection comes from VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD, or from module_defaults.
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
      description: The server's checksum.
      type: dict
      contains:
        algorithm:
          description: The algorithm, such as V(SHA256).
          type: str
        checksum:
          description: The checksum in hexadecimal digits.
          type: str
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
    source_endpoint:
      description: Where the server fetches the file from, without what lets it in there. Not for files of an item.
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
      description: Where the file is sent to. Not for files of an item.
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
      description: Why the server could not take the file. Not for files of an item.
      type: dict
    keep_in_storage:
      description: V(false) for manifest and certificate, which vCenter reads and drops. Not for files of an item.
      type: bool
item_changed:
  description:
    - Whether this task completed a session, so that the item has new content. On failure, also whether it may have new
      content.
  returned: success, and failure once something was begun
  type: bool
  sample: true
transferred:
  description: What was sent.
  returned: when something was sent
  type: dict
  sample:
    files: 1
    bytes: 734003200
    seconds: 8.402
  contains:
    files:
      description: How many files were sent.
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

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._session.item_lookup import (
    ITEM_MUTUALLY_EXCLUSIVE,
    describe_item,
    item_spec,
    require_complete_names,
)
from ..module_utils._session.waiting import SYSTEM_CLOCK
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.option_checks import read_client_token, require_limits, require_names
from ..module_utils._task.progress import progress_spec
from ..module_utils._task.run import run_module
from ..module_utils._transfer.content import Wanted
from ..module_utils._update.update_plan import Declared
from ..module_utils._update.update_resource import UpdateSessionResource
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import InvalidArgument

WARNING_TYPES = [
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
]


def argument_spec() -> dict[str, Any]:
    return {
        **item_spec(),
        **progress_spec(),
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
        "new_item": {"type": "dict"},
    }


def read_declared(params: Mapping[str, Any]) -> Declared:
    """What the task declares, checked as far as that needs no server. Raises InvalidArgument."""
    require_names(params)
    if not params["session_id"]:
        require_complete_names(params)
    require_limits(params)
    return Declared(
        session_id=params["session_id"],
        state=params["state"],
        ignored_warnings=_read_warning_behavior(params["warning_behavior"]),
        wanted=_read_wanted(params),
        accept_unverifiable=params["when_unverifiable"] == "skip",
        client_progress=params["client_progress"],
        error_message=params["error_message"],
        keep_alive=params["keep_alive"],
        client_token=read_client_token(params["client_token"]),
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        parallel_transfers=params["parallel_transfers"],
        busy_timeout=params["busy_timeout"],
        keep_failed_session=params["keep_failed_session"],
    )


def _read_wanted(params: Mapping[str, Any]) -> Wanted | None:
    if params["files"] is None:
        return None
    # A task without files starts faster without what reads packages.
    from ..module_utils._transfer.package import read_wanted

    return read_wanted(params["files"], params["purge_files"])


def _secrets(params: Mapping[str, Any]) -> set[str]:
    """What must not be shown of the options, which need not be valid."""
    if not params.get("files"):
        return set()
    from ..module_utils._transfer.package import credentials_in

    return credentials_in(params["files"])


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


def update_session(module: AnsibleModule, task: Task, declared: Declared) -> dict[str, Any]:
    if declared.wanted:
        from ..module_utils._transfer.package import weak_thumbprints

        for text in declared.wanted.warnings:
            task.warn(text)
        for name in weak_thumbprints(declared.wanted):
            task.warn(
                f"The ssl_thumbprint of {name} is a SHA-1 one, which can be forged; use SHA-256 where vCenter takes it."
            )
    resource = UpdateSessionResource(Api(task.connection), declared, module.params, task, SYSTEM_CLOCK)
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main() -> None:
    run_module(
        argument_spec(),
        lambda module: read_declared(module.params),
        update_session,
        describe=describe_item,
        secrets=_secrets,
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
