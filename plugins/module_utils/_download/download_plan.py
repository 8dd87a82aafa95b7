# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change about download sessions, or files on disk, to reach the declared state, and what a diff shows.

A task declares one of three things: an ACTIVE session with prepared files, the end of sessions, or files in a
directory, for which the session is only a means. Each has its plan and its projection. No server and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.states import ACTIVE, DOWNLOAD_STEPS, ENDS, Step, choose_step
from .._transfer.comparison import Digest, Held, Verdict, compare, held_by_item, together
from .._transfer.content import Checksum, WantedFile
from .._transfer.local_file import FileChanged, Identity
from .._vcenter.errors import NotAllowedInCurrentState
from .._vcenter.models import ChecksumInfo, DownloadFile, DownloadSession, LibraryItemFile, file_result
from .._vcenter.schema import result_keys, to_result

PREPARED = "PREPARED"
AS_DECLARED = "as declared"
FILE_KEYS = (*result_keys(DownloadFile, LibraryItemFile), "path", "verified", "fetched")
CONTENT: Mapping[Verdict, str] = {
    Verdict.EQUAL: "same as in the item",
    Verdict.DIFFERENT: "not the same as in the item",
    Verdict.UNVERIFIABLE: "not known to be the same as in the item",
}


@dataclass(frozen=True)
class Declared:
    """The options of the task, checked. `patterns` are names and globs of files, None for all; `dest` is the directory
    to fetch them to; `checksums` has the names of files as keys."""

    session_id: str | None
    state: str
    patterns: tuple[str, ...] | None
    allow_empty: bool
    endpoint_type: str
    dest: str | None
    has_attributes: bool
    accept_unverifiable: bool
    checksums: Mapping[str, Checksum]
    require_verified: bool
    client_progress: int | None
    error_message: str | None
    keep_alive: bool
    keep_session: bool
    client_token: str
    has_client_token: bool
    wait_timeout: int
    parallel_transfers: int


@dataclass(frozen=True)
class Local:
    """A file in dest: its `size` (None for a symbolic link), its `verdict`, the `attributes` that differ from the
    declared ones, and the `identity` of the file that was looked at."""

    size: int | None
    verdict: Verdict
    identity: Identity
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    """A file that is in its place in dest; `checksum_info` is the server's."""

    size: int
    checksum_info: ChecksumInfo | None
    verified: bool
    identity: Identity


@dataclass(frozen=True)
class Found:
    """What is there, as far as the task needed it.

    `sessions` has the one that the task names, or the caller's sessions on the item. `files` are those of the first
    ACTIVE one, `content` those of the item, and `local` those in dest; `wanted` has the names of the declared files.
    """

    library_item_id: str | None
    sessions: tuple[DownloadSession, ...] = ()
    files: tuple[DownloadFile, ...] = ()
    content: tuple[LibraryItemFile, ...] = ()
    local: Mapping[str, Local] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()

    @property
    def active(self) -> DownloadSession | None:
        return next((session for session in self.sessions if session.state == ACTIVE), None)


@dataclass(frozen=True)
class Plan:
    """What to do: open a session, set the progress if it is not None, prepare or fetch files, adjust attributes, and
    end sessions by `steps`."""

    found: Found
    opens: bool = False
    client_progress: int | None = None
    prepare: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    adjust: tuple[str, ...] = ()
    steps: tuple[tuple[str, Step], ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)


def compare_local(
    path: str, name: str, identity: Identity, held: Held, declared: Checksum | None, digest: Digest
) -> Verdict:
    """Compare a file in dest with the item's, by each known checksum.

    A file that changes meanwhile is `DIFFERENT`, so the task fetches it.
    """
    file = WantedFile(name, origin=path, path=path, size=identity.size, identity=identity)
    known = {each for each in (held.checksum, declared) if each and each.is_usable}
    by_each = [replace(held, checksum=each) for each in known] or [held]
    try:
        return together(compare(file, each, digest) for each in by_each)
    except FileChanged:
        return Verdict.DIFFERENT


def plan_download(declared: Declared, found: Found) -> Plan:
    """The plan for the declared state. Raises NotAllowedInCurrentState if the named session cannot reach it."""
    if declared.dest is not None:
        return _plan_fetching(declared, found)
    if declared.state == "active":
        return _plan_preparing(declared, found)
    return _plan_ending(declared, found)


def project_download(declared: Declared, found: Found) -> dict[str, Any]:
    """The part of the found state that counts as a difference, without identifiers and times."""
    if declared.dest is not None:
        return {"files": {name: _show_local(declared, found, name) for name in found.wanted if name in found.local}}
    if declared.state != "active":
        return _show_states(declared, [session.state for session in found.sessions])
    session = found.active or (found.sessions[0] if declared.session_id and found.sessions else None)
    shown: dict[str, Any] = {"state": session.state if session else None}
    if declared.client_progress is not None:
        shown["client_progress"] = min((session.client_progress or 0), declared.client_progress) if session else None
    files = {file.name: {"status": file.status, "endpoint_type": endpoint_type(file)} for file in found.files}
    return {**shown, "files": {name: files[name] for name in found.wanted if name in files}}


def describe_local(file: LibraryItemFile, path: str, local: Local | None, fetched: Fetched | None) -> dict[str, Any]:
    """A file of the item, as a task with `dest` returns it."""
    is_same = local is not None and local.verdict is Verdict.EQUAL
    shown = {**file_result(file, FILE_KEYS), "path": path, "verified": is_same, "fetched": fetched is not None}
    if fetched is None:
        return shown
    checksum = to_result(fetched.checksum_info) if fetched.checksum_info else None
    return {**shown, "size": fetched.size, "checksum_info": checksum, "verified": is_same and fetched.verified}


def describe_prepared(file: DownloadFile) -> dict[str, Any]:
    """A file of the session, as a task without `dest` returns it."""
    return file_result(file, FILE_KEYS)


def endpoint_type(file: DownloadFile) -> str | None:
    """How a prepared file can be fetched: over HTTPS, or DIRECT from its datastore."""
    if not file.download_endpoint:
        return None
    return "HTTPS" if file.download_endpoint.uri.lower().startswith("http") else "DIRECT"


def _plan_preparing(declared: Declared, found: Found) -> Plan:
    if declared.session_id and found.sessions:
        choose_step(declared.state, found.sessions[0], DOWNLOAD_STEPS)
    session, before = found.active, project_download(declared, found)
    if session is None and not found.wanted:
        # A session without files to fetch is useless.
        return Plan(found, expected=before)
    ready = {"status": PREPARED, "endpoint_type": declared.endpoint_type}
    expected = {**before, "state": ACTIVE, "files": dict.fromkeys(found.wanted, ready)}
    progress = declared.client_progress
    if progress is not None:
        expected["client_progress"] = progress
    return Plan(
        found,
        opens=session is None,
        client_progress=progress
        if progress and progress > ((session.client_progress if session else 0) or 0)
        else None,
        prepare=tuple(name for name in found.wanted if before["files"].get(name) != ready),
        expected=expected,
    )


def _plan_ending(declared: Declared, found: Found) -> Plan:
    steps = [(session, _end(declared, session)) for session in found.sessions]
    after = [ENDS.get(step, session.state) for session, step in steps]
    return Plan(
        found,
        steps=tuple((str(session.id), step) for session, step in steps if step in ENDS),
        expected=_show_states(declared, after),
    )


def _end(declared: Declared, session: DownloadSession) -> Step:
    """The step for a session. If the task names the item, a session that ended in another way than declared stays."""
    try:
        return choose_step(declared.state, session, DOWNLOAD_STEPS)
    except NotAllowedInCurrentState:
        if declared.session_id:
            raise
        return Step.NOTHING


def _show_states(declared: Declared, states: Iterable[str | None]) -> dict[str, Any]:
    left = sorted(state for state in states if state)
    return {"state": next(iter(left), None)} if declared.session_id else {"states": left}


def _plan_fetching(declared: Declared, found: Found) -> Plan:
    fits = {Verdict.EQUAL, Verdict.UNVERIFIABLE} if declared.accept_unverifiable else {Verdict.EQUAL}
    local = found.local
    fetch = tuple(name for name in found.wanted if name not in local or local[name].verdict not in fits)
    expected = {
        name: _show(declared, found, name, Verdict.EQUAL, None)
        if name in fetch
        else _show(declared, found, name, local[name].verdict, local[name].size)
        for name in found.wanted
    }
    return Plan(
        found,
        fetch=fetch,
        adjust=tuple(name for name in found.wanted if name not in fetch and local[name].attributes),
        expected={"files": expected},
    )


def _show_local(declared: Declared, found: Found, name: str) -> dict[str, Any]:
    local = found.local[name]
    shown = _show(declared, found, name, local.verdict, local.size)
    return {**shown, "attributes": dict(local.attributes)} if local.attributes else shown


def _show(declared: Declared, found: Found, name: str, verdict: Verdict, size: int | None) -> dict[str, Any]:
    """A file in the projection. An equal one shows the size that the item has, but none for a disk."""
    if verdict is Verdict.EQUAL:
        held = held_by_item(found.content)[name]
        size = held.size if held.exact_size else None
    shown: dict[str, Any] = {"size": size, "content": CONTENT[verdict]}
    return {**shown, "attributes": AS_DECLARED} if declared.has_attributes else shown
