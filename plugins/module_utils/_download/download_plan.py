# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change about download sessions, or about files on disk: declared against found, and what a diff shows of
both. No server and no clock; the disk only to check that dest is a directory.

A task declares one of three things: an ACTIVE session with prepared files, the end of sessions, or files in a
directory, for which the session is only a means. Each has its plan and its projection.
"""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.item_lookup import require_complete_names
from .._session.states import ACTIVE, DOWNLOAD_STEPS, Step, choose_step
from .._task.option_checks import read_client_token, require_directory, require_limits, require_names
from .._transfer.content import (
    DIGEST_LENGTHS,
    Checksum,
    Digest,
    Held,
    Verdict,
    WantedFile,
    compare,
    held_by_item,
    together,
    usable_checksum,
)
from .._transfer.local_file import FileChanged, Identity
from .._transfer.roots import FETCH_DEST_ROOT, require_below
from .._vcenter.errors import ChecksumMismatch, InvalidArgument, NotAllowedInCurrentState, NotFound, some_of
from .._vcenter.models import ChecksumInfo, DownloadFile, DownloadSession, LibraryItemFile, to_result

PREPARED = "PREPARED"
FIND = "download_session.file.find"
AS_DECLARED = "as declared"
ENDS: Mapping[Step, str | None] = {
    Step.CANCEL: "CANCELED",
    Step.FAIL: "ERROR",
    Step.DELETE: None,
    Step.CANCEL_AND_DELETE: None,
}
CONTENT: Mapping[Verdict, str] = {
    Verdict.EQUAL: "same as in the item",
    Verdict.DIFFERENT: "not the same as in the item",
    Verdict.UNVERIFIABLE: "not known to be the same as in the item",
}


@dataclass(frozen=True)
class Declared:
    """The options of the task, checked; C(patterns) are names and globs of files, None for all; C(dest) is where to
    fetch them to, and C(checksums) are by the names of files."""

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
    wait_timeout: int
    parallel_transfers: int


@dataclass(frozen=True)
class Local:
    """A file in dest: its size, None for a symbolic link, how it compares, what differs from the declared attributes,
    and which file that is said of."""

    size: int | None
    verdict: Verdict
    identity: Identity
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    """A file that has been put into place; C(checksum_info) is what the server said of it."""

    size: int
    checksum_info: ChecksumInfo | None
    verified: bool
    identity: Identity


@dataclass(frozen=True)
class Found:
    """What there is, as far as it was needed.

    C(sessions) is the one that the task names, or the caller's sessions on the item. C(files) are those of the first
    ACTIVE one, C(content) are those of the item, and C(local) is what dest has of them; C(wanted) are the names of the
    files that are declared.
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
    """What to do: make a session, set what is not None, prepare or fetch files, adjust their attributes, take steps
    with sessions."""

    found: Found
    opens: bool = False
    client_progress: int | None = None
    prepare: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    adjust: tuple[str, ...] = ()
    steps: tuple[tuple[str, Step], ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)


def read_declared(params: Mapping[str, Any], *, has_attributes: bool) -> Declared:
    """What the task declares, checked as far as that needs no server. Raises InvalidArgument."""
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
    """Of the form of ansible.builtin.get_url: algorithm, colon, hexadecimal digits. Raises InvalidArgument."""
    form = "Give it as ALGORITHM:DIGITS, such as sha256:2c26b46b68ff..., with md5, sha1, sha256 or sha512."
    algorithm, colon, digits = str(text).strip().partition(":")
    checksum = Checksum(algorithm.strip().upper(), digits.strip().lower())
    if not colon or checksum.algorithm not in DIGEST_LENGTHS:
        raise InvalidArgument(f"checksums: that of {name} names no algorithm that is known here", remedy=form)
    if not checksum.is_usable:
        length = DIGEST_LENGTHS[checksum.algorithm]
        raise InvalidArgument(
            f"checksums: that of {name} is no {checksum.algorithm} checksum, which has {length} hex digits",
            remedy=form,
        )
    return checksum


def require_fitting_checksums(
    declared: Declared, wanted: Iterable[str], files: Iterable[LibraryItemFile | DownloadFile]
) -> None:
    """Raises InvalidArgument for the checksum of a file that is not among those that are wanted, and ChecksumMismatch
    for one that the server contradicts.
    """
    unknown = [name for name in declared.checksums if name not in set(wanted)]
    if unknown and not declared.allow_empty:
        raise InvalidArgument(
            f"checksums has {some_of([repr(name) for name in unknown])}, and the files of the task are "
            f"{some_of(list(wanted))}",
            operation=FIND,
            remedy="Give names as the item has them, and no others than those under files; case counts.",
        )
    for file in files:
        ours, theirs = declared.checksums.get(file.name), usable_checksum(file.checksum_info)
        if ours and theirs and ours.algorithm == theirs.algorithm and ours != theirs:
            raise ChecksumMismatch(
                f"for {file.name}, checksums has {ours.algorithm} {ours.digest}, and the server has {theirs.digest}",
                operation=FIND,
                remedy="Nothing was fetched. Correct checksums, or find out who has changed the item.",
            )


def match_names(
    patterns: Sequence[str] | None, names: Iterable[str], *, session: DownloadSession | None, allow_empty: bool
) -> tuple[str, ...]:
    """The names that are declared, in the server's order; with None all.

    The names are those of the session, or of the item if there is no session. Unless C(allow_empty), raises NotFound
    where there are none at all, and InvalidArgument for patterns that fit none.
    """
    listed = list(names)
    if not listed and not allow_empty:
        raise _nothing_held(session)
    if patterns is None:
        return tuple(listed)
    unfit = [pattern for pattern in patterns if not any(_fits(name, pattern) for name in listed)]
    if unfit and not allow_empty:
        held = f"the files of {_called(session)}" if session else "its files"
        raise InvalidArgument(
            f"{some_of([repr(pattern) for pattern in unfit])} under files fit{'s' if len(unfit) == 1 else ''} none of "
            f"{held}, {some_of(listed)}",
            operation=FIND,
            session_id=session.id if session else None,
            remedy="Give names as the item has them, or globs such as '*.vmdk'; case counts. With allow_empty: true, "
            "the task takes those that are there, even if none is.",
        )
    return tuple(name for name in listed if any(_fits(name, pattern) for pattern in patterns))


def _nothing_held(session: DownloadSession | None) -> NotFound:
    remedy = (
        "If the item has got files since, remove this session with state: absent, and make a new one."
        if session
        else "Publish to it first; if its library subscribes to another one, have it synchronized."
    )
    return NotFound(
        f"{_called(session) if session else 'it'} holds no files",
        operation=FIND,
        session_id=session.id if session else None,
        remedy=f"{remedy} With allow_empty: true, it is fine that there is nothing to fetch.",
    )


def _called(session: DownloadSession) -> str:
    return f"session {session.id} on item {session.library_item_id}"


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatch.fnmatchcase(name, pattern)


def require_distinct_names(names: Iterable[str]) -> None:
    """Two names that differ in case alone, or in how an accent is coded, may be one file on disk. Raises
    InvalidArgument."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(unicodedata.normalize("NFC", name.casefold()), name)
        if twin is not name:
            raise InvalidArgument(
                f"the item has the files {twin!r} and {name!r}, which may be one and the same in dest",
                remedy="Name one of them under files, and fetch the other to another dest.",
            )


def compare_local(
    path: str, name: str, identity: Identity, held: Held, declared: Checksum | None, digest: Digest
) -> Verdict:
    """A file in dest against the item's, by each checksum that is known of it.

    One that changes meanwhile is never the same, so that it is fetched: what was seen of it says nothing of what is
    there.
    """
    file = WantedFile(name, origin=path, path=path, size=identity.size, identity=identity)
    known = {each for each in (held.checksum, declared) if each and each.is_usable}
    by_each = [replace(held, checksum=each) for each in known] or [held]
    try:
        return together(compare(file, each, digest) for each in by_each)
    except FileChanged:
        return Verdict.DIFFERENT


def plan_download(declared: Declared, found: Found) -> Plan:
    """Raises NotAllowedInCurrentState where a session that the task names excludes what is declared."""
    if declared.dest is not None:
        return _plan_fetching(declared, found)
    if declared.state == "active":
        return _plan_preparing(declared, found)
    return _plan_ending(declared, found)


def project_download(declared: Declared, found: Found) -> dict[str, Any]:
    """The part of what was found that counts as a difference; identifiers and times do not."""
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
    """A file of the item as a task that fetches returns it."""
    is_same = local is not None and local.verdict is Verdict.EQUAL
    shown = {**to_result(file), "path": path, "verified": is_same, "fetched": fetched is not None}
    if fetched is None:
        return shown
    checksum = to_result(fetched.checksum_info) if fetched.checksum_info else None
    return {**shown, "size": fetched.size, "checksum_info": checksum, "verified": is_same and fetched.verified}


def endpoint_type(file: DownloadFile) -> str | None:
    """How a prepared file can be had: over HTTPS, or DIRECT from its datastore."""
    if not file.download_endpoint:
        return None
    return "HTTPS" if file.download_endpoint.uri.lower().startswith("http") else "DIRECT"


def _plan_preparing(declared: Declared, found: Found) -> Plan:
    if declared.session_id and found.sessions:
        choose_step(declared.state, found.sessions[0], DOWNLOAD_STEPS)
    session, before = found.active, project_download(declared, found)
    if session is None and not found.wanted:
        # A session that nothing can be fetched through is of no use.
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
    """By item, a session that has ended in another way than declared is left alone: it stands in nobody's way."""
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
    """A file that is the item's has the size that the item says, which for a disk says nothing."""
    if verdict is Verdict.EQUAL:
        held = held_by_item(found.content)[name]
        size = held.size if held.exact_size else None
    shown: dict[str, Any] = {"size": size, "content": CONTENT[verdict]}
    return {**shown, "attributes": AS_DECLARED} if declared.has_attributes else shown
