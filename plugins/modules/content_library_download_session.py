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
  - Content leaves an item of a vCenter content library through a download session. A task declares the state of the
    session and the files to prepare in it, and the module changes what differs.
  - With O(dest) the task fetches. It compares the files of the item with those in that directory, and fetches only
    those that differ, through a session that it creates and deletes. If all files are the same, the task creates no
    session, downloads nothing and reports no change, so a playbook can run it any number of times.
  - The task puts a file in place only when it is whole and matches every known checksum of it, from the item, from the
    session and from O(checksums). If no checksum is known, a warning names the file. Until then the file lies beside
    its target under a name that starts with a dot. The task removes it if it fails or is ended.
  - The next run with the same O(dest) removes what a killed run left in the directory. The next run of the same user
    that fetches the same item there also removes the session of the killed run.
  - If a connection breaks, the task resumes the download where it broke off, or from the start if the server cannot
    resume. It then warns. After five tries on one file it fails.
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
      - With O(dest), each run fetches again a file for which neither the server nor O(checksums) has a checksum, unless
        O(when_unverifiable=skip).
options:
  session_id:
    description:
      - The identifier of the download session.
      - If it is left out, the task finds sessions by the item. With O(state=active) it uses an ACTIVE session of the
        caller on the item. With the other states it changes all sessions of the caller on the item.
    type: str
  state:
    description:
      - The state to bring the session to.
      - V(active) makes sure that there is an ACTIVE session in which the O(files) are prepared. The task creates one if
        the item has none and there are files to prepare. With O(dest), the task makes sure that the files are in that
        directory.
      - V(canceled) cancels ACTIVE sessions, V(error) marks them as failed with O(error_message).
      - V(absent) removes sessions, and cancels them first if they are ACTIVE.
      - A session that has ended cannot be opened again, and cannot end in another way. The task fails if O(session_id)
        names such a session. If the task names the item, it leaves such a session alone. V(absent) always deletes it.
      - An item can have several ACTIVE download sessions. If the task names the item, V(canceled), V(error) and
        V(absent) also end a session in which another task of the same user is fetching.
    type: str
    choices: [active, canceled, error, absent]
    default: active
  files:
    description:
      - The files to prepare, and with O(dest) to fetch, by their names in the item or as globs such as V(*.vmdk). They
        are case-sensitive.
      - A name or glob that matches no file of the item is an error, and so is an empty list, unless
        O(allow_empty=true).
      - If it is left out, the task takes all files of the item. An item without files is an error unless
        O(allow_empty=true).
    type: list
    elements: str
  allow_empty:
    description:
      - Whether there may be nothing to fetch, because the item holds no files, or none that a name or glob of O(files)
        matches. For O(state=active).
      - With V(false) the task then fails before it creates a session, in check mode too.
      - With V(true) the task takes the files that exist. If there are none, it creates no session and changes nothing
        in O(dest).
    type: bool
    default: false
  endpoint_type:
    description:
      - How clients reach the files. V(HTTPS) is an address on the vCenter. V(DIRECT) is an address in the datastore,
        for clients that can reach it. It needs the privilege ContentLibrary.ReadStorage.
      - O(dest) requires V(HTTPS).
    type: str
    choices: [HTTPS, DIRECT]
    default: HTTPS
  dest:
    description:
      - The absolute path of a directory, on the host that runs the task, to fetch the files to. They keep the names
        that they have in the item. The directory must exist.
      - The task leaves other files there alone. It replaces a symbolic link that has the name of a file, and does not
        follow it.
      - The directory should belong to root or to the user who runs the task. A task that runs as root warns if other
        users may write to it. Such a user can change the fetched files, but cannot make the task change anything
        outside the directory.
      - The task fails before it writes anything if a file of the item does not have a plain name, for example a name
        with a slash, or if two names differ only in case.
      - If E(VMWARE_FETCH_DEST_ROOT) is set, or C(fetch_dest_root) in the section C(vsphere_content) of C(ansible.cfg),
        the real path must be that directory or one below it.
      - If it is left out, the task fetches nothing.
    type: path
  when_unverifiable:
    description:
      - What to do with a file in O(dest) whose name and size match, but for which neither the server nor O(checksums)
        has a checksum, so that the task cannot compare the content. Every C(.vmdk) without a checksum counts as such a
        file, whatever its size.
      - V(transfer) fetches it again, which is always right and may be slow. V(skip) treats it as equal. V(download)
        means the same as V(transfer).
    type: str
    choices: [transfer, skip, download]
    default: transfer
  checksums:
    description:
      - Checksums that you know from another source, by the names that the files have in the item. Each has the form of
        M(ansible.builtin.get_url), such as V(md5:d41d8cd98f00b204e9800998ecf8427e). The algorithms are C(md5), C(sha1),
        C(sha256) and C(sha512). The task does not read a URL in place of the digits.
      - The task compares them in addition to those of the server, and also if the server has none. It does not put a
        file in place that does not match, and does not fetch again a file in O(dest) that matches.
      - The task fails before it fetches anything if a checksum contradicts the server's, or names a file that the task
        does not fetch. With O(allow_empty=true) it accepts the latter.
      - For O(state=active). Without O(dest), the task only compares them with the server's checksums.
    type: dict
  require_verified:
    description:
      - Whether the task fails for a file of which neither the server nor O(checksums) has a checksum, and does not put
        it in place. Otherwise the task puts it in place and warns.
      - Requires O(dest), and excludes O(when_unverifiable=skip).
    type: bool
    default: false
  parallel_transfers:
    description:
      - How many files to fetch at once, 1 to 32.
    type: int
    default: 4
  keep_session:
    description:
      - Whether the task leaves the session that it created for O(dest) ACTIVE when it succeeds. If the task fails, it
        cancels and deletes the session in any case.
    type: bool
    default: false
  client_progress:
    description:
      - The lowest progress, 0 to 100, that the session should show in vCenter. If it already shows as much or more, the
        task does not change it. For O(state=active).
      - If it is left out, the task does not change the progress. With O(dest) it reports the real one.
    type: int
  error_message:
    description:
      - The reason to record with O(state=error), which requires it.
    type: str
  keep_alive:
    description:
      - Whether to extend the life of the ACTIVE session, which otherwise expires after some minutes without activity.
        The task does not report this alone as a change. While it fetches files to O(dest), it always does so.
    type: bool
    default: false
  client_token:
    description:
      - A UUID that makes it safe to repeat the creation of the session. vCenter gives the same session for the same
        token.
      - If it is left out, the task generates one.
    type: str
  wait_timeout:
    description:
      - How many seconds the server may go without progress in preparing files before the task fails.
    type: int
    default: 600
  mode:
    description:
      - The permissions of the files in O(dest), as M(ansible.builtin.copy) takes them. Write octal digits in quotes, as
        V('0644'). A number above V(0777) is an error.
      - If it is left out, a fetched file takes the permissions of the file that it replaces, if root or the user who
        runs the task owns that file. Otherwise the umask decides. The same holds for O(owner), O(group) and the SELinux
        context.
  attributes:
    description:
      - The attributes that the files in O(dest) should have, as M(ansible.builtin.file) takes them.
      - A task that runs as root refuses this option if other users may write to O(dest), as they could redirect
        C(chattr) to another file.
  unsafe_writes:
    description:
      - Has no effect. The task always puts a whole file in place by a rename.
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

- name: Fetch an image, and require a checksum that you know
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
    - The session as the task last saw it, or none. If the task ended several sessions, the last of them.
    - With O(dest), it is none unless O(keep_session=true) and the task fetched files. Without O(dest), it is none if
      the task had no file to prepare.
    - Every key is always present, with none for a value that the server did not send. The task passes on keys that a
      newer vCenter adds.
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
    error_message:
      description:
        - Why the session failed, as vCenter's localizable message with C(id), C(default_message), C(args), C(params)
          and C(localized).
      type: dict
files:
  description:
    - The files that O(files) names, as the task last saw them, of the session, or with O(dest) of the item.
    - Each entry has the same keys. A key that does not apply is none.
  returned: with O(state=active)
  type: list
  elements: dict
  sample:
    - name: tools.iso
      held_by: session
      status: PREPARED
      size: 734003200
      bytes_transferred: 0
      checksum_info:
      download_endpoint:
        uri: https://vcenter.example.com:443/cls/data/2f6a1d50-9f0c-4c3b-8c43-4c2f5b0a7f11/tools.iso
        ssl_certificate_thumbprint:
        ssl_certificate:
      error_message:
      cached:
      version:
      file_download_endpoint:
      path:
      verified:
      fetched:
  contains:
    name:
      description: The name of the file.
      type: str
    held_by:
      description: V(session) or V(item), whichever the entry describes.
      type: str
    size:
      description:
        - The size in bytes. For a file that the task fetched to O(dest), it is what arrived. Otherwise it is what the
          server reports, which for a file of an item is the storage that it uses.
      type: int
    checksum_info:
      description:
        - The server's checksum. A session has it after the download.
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
        - Whether a checksum of the server or of O(checksums) proves that the content in O(dest) is the item's. In check
          mode it is V(false) for a file that the task would fetch.
      type: bool
    fetched:
      description: Whether this task fetched the file, with O(dest).
      type: bool
    version:
      description: The version of the file in the item, with O(dest).
      type: str
    cached:
      description: Whether the vCenter has stored the file itself, with O(dest).
      type: bool
    file_download_endpoint:
      description: The address at which a newer vCenter offers the file, with O(dest).
      type: str
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
  description: What went wrong, in a form that a playbook can test.
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
      description:
        - More about the failure. If the task was fetching files, C(files) with the C(name) and C(fate) of each. The
          fate is V(fetched), V(failed), V(stopped) or V(not started).
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
      path: /api/content/library/item/download-session?client_token=9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c
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

from ..module_utils._download.attributes import FileAttributes
from ..module_utils._download.download_plan import Declared
from ..module_utils._download.download_resource import DownloadSessionResource
from ..module_utils._item.item_lookup import ITEM_MUTUALLY_EXCLUSIVE, describe_item, item_spec, require_complete_names
from ..module_utils._task.converge import Task, converge
from ..module_utils._task.option_checks import read_client_token, require_directory, require_limits, require_names
from ..module_utils._task.progress import progress_spec
from ..module_utils._task.run import run_module
from ..module_utils._task.written_options import require_dict, require_list
from ..module_utils._transfer.allowed_directories import FETCH_DEST_ROOT, require_below
from ..module_utils._transfer.content import DIGEST_LENGTHS, Checksum
from ..module_utils._vcenter.api import Api
from ..module_utils._vcenter.errors import InvalidArgument
from ..module_utils._vcenter.timing import SYSTEM_CLOCK, Clock


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
        "when_unverifiable": {"type": "str", "default": "transfer", "choices": ["transfer", "skip", "download"]},
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


def check_written(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for options that Ansible refuses, with their right form."""
    require_list(params, "files", "tools.iso")
    require_dict(params, "checksums", "tools.iso: 'sha256:DIGITS'")


def read_declared(params: Mapping[str, Any], *, has_attributes: bool) -> Declared:
    """What the task declares, after the checks that need no server. Raises InvalidArgument."""
    require_names(params)
    if not params["session_id"]:
        require_complete_names(params)
    require_limits(params)
    if params["dest"] is not None:
        if params["state"] != "active":
            raise InvalidArgument(
                f"dest is given with state: {params['state']}", remedy="Fetch files with state: active."
            )
        if params["endpoint_type"] != "HTTPS":
            raise InvalidArgument(
                "dest is given with endpoint_type: DIRECT, and this module does not read datastores itself",
                remedy="Set endpoint_type: HTTPS to have the files fetched, or leave out dest.",
            )
        require_below(FETCH_DEST_ROOT, "dest", params["dest"])
        require_directory("dest", params["dest"])
    _require_use_of_checksums(params)
    if params["files"] == [] and params["state"] == "active" and not params["allow_empty"]:
        raise InvalidArgument(
            "files is an empty list, so there is nothing to fetch",
            remedy="Name files, or leave files out for all of them. With allow_empty: true, it is fine that there is "
            "nothing to fetch.",
        )
    return Declared(
        session_id=params["session_id"],
        state=params["state"],
        patterns=tuple(params["files"]) if params["files"] is not None else None,
        allow_empty=params["allow_empty"],
        endpoint_type=params["endpoint_type"],
        dest=params["dest"],
        has_attributes=has_attributes,
        accept_unverifiable=params["when_unverifiable"] == "skip",
        checksums={str(name): _read_checksum(str(name), text) for name, text in (params["checksums"] or {}).items()},
        require_verified=params["require_verified"],
        client_progress=params["client_progress"],
        error_message=params["error_message"],
        keep_alive=params["keep_alive"],
        keep_session=params["keep_session"],
        client_token=read_client_token(params["client_token"]),
        has_client_token=params["client_token"] is not None,
        wait_timeout=params["wait_timeout"],
        parallel_transfers=params["parallel_transfers"],
    )


def _require_use_of_checksums(params: Mapping[str, Any]) -> None:
    if params["checksums"] and params["state"] != "active":
        raise InvalidArgument(
            f"checksums is given with state: {params['state']}", remedy="Fetch files with state: active."
        )
    if not params["require_verified"]:
        return
    if params["dest"] is None:
        raise InvalidArgument(
            "require_verified is true without dest, and nothing is fetched", remedy="Give dest, or leave it out."
        )
    if params["when_unverifiable"] == "skip":
        raise InvalidArgument(
            "require_verified is true with when_unverifiable: skip, which takes a file that nobody can verify for the "
            "item's",
            remedy="Leave out one of the two.",
        )


def _read_checksum(name: str, text: Any) -> Checksum:
    """Read a checksum in the form of ansible.builtin.get_url: algorithm, colon, hex digits. Raises InvalidArgument."""
    form = "Give it as ALGORITHM:DIGITS, such as sha256:2c26b46b68ff..., with md5, sha1, sha256 or sha512."
    algorithm, colon, digits = str(text).strip().partition(":")
    checksum = Checksum(algorithm.strip().upper(), digits.strip().lower())
    if not colon or checksum.algorithm not in DIGEST_LENGTHS:
        raise InvalidArgument(
            f"checksums: the checksum of {name} names an algorithm that is not known here", remedy=form
        )
    if not checksum.is_usable:
        length = DIGEST_LENGTHS[checksum.algorithm]
        raise InvalidArgument(
            f"checksums: the {checksum.algorithm} checksum of {name} does not have {length} hex digits",
            remedy=form,
        )
    return checksum


def declare(module: AnsibleModule) -> Declared:
    attributes = FileAttributes(module)
    attributes.require_valid()
    return read_declared(module.params, has_attributes=attributes.declared)


def download_session(module: AnsibleModule, task: Task, declared: Declared) -> dict[str, Any]:
    resource = DownloadSessionResource(
        Api(task.connection), declared, module.params, task, FileAttributes(module), check_mode=module.check_mode
    )
    return converge(resource, check_mode=module.check_mode, diff_mode=module._diff)


def main(clock: Clock = SYSTEM_CLOCK) -> None:
    run_module(
        argument_spec(),
        declare,
        download_session,
        describe=describe_item,
        check_written=check_written,
        clock=clock,
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
