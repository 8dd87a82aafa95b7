# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How files come out of a download session: prepared by the server, fetched several at once, verified, put into place.

A file takes its target's place only when it is whole and is what the server says it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Callable

from .._session.keep_alive import LONGEST_KEEP_ALIVE, kept_alive
from .._session.lost_answers import discard_download, end_surely, make_surely, noted
from .._session.states import CANCELED, ERROR, Step
from .._session.waiting import Clock, gather, wait_for
from .._task.progress import Progress
from .._transfer.content import DIGEST_LENGTHS, UNSET_ALGORITHM, Checksum, held_by_item, usable_checksum, write_checksum
from .._transfer.local_file import COMPARED, FileChanged, identity_of
from .._transfer.streams import TransferStopped, get_file, hash_opened, run_all
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, ChecksumMismatch, ContentError, InvalidResponse, TransferFailed, some_of
from .._vcenter.models import ChecksumInfo, DownloadFile, DownloadSession, LibraryItemFile
from .destination import GET_DATA, Folder, Partial, remove_stale
from .download_plan import PREPARED, Declared, Fetched
from .session_mark import left_marks

PREPARE = "download_session.file.prepare"

DAMAGED = "Run the task again; if that does not help, the content is damaged on the server or on the way."
# Who knows a checksum.
DECLARED, OF_SESSION, OF_ITEM = "checksums", "the session", "the item"
REMEDIES: Mapping[str, str] = {
    DECLARED: "Correct checksums, or find out who has changed the item.",
    OF_SESSION: DAMAGED,
    OF_ITEM: DAMAGED,
}
WAITING, STOPPED, FETCHED, FAILED = "not started", "stopped", "fetched", "failed"


def find_sessions(api: Api, library_item_id: str) -> list[DownloadSession]:
    """The caller's download sessions on an item."""
    sessions = gather(api.get_download_session, api.list_download_sessions(library_item_id))
    # Some servers list the sessions of all items, whatever they are asked for.
    return [session for session in sessions if session.library_item_id in (library_item_id, None)]


def open_download(
    api: Api,
    library_item_id: str,
    *,
    client_token: str,
    shield: Callable[[], AbstractContextManager[None]],
    on_created: Callable[[str], None],
) -> DownloadSession:
    """Create a download session; C(on_created) is told its id before a signal can come between."""
    with shield():
        session_id = make_surely(lambda: api.create_download_session(library_item_id, client_token))
        on_created(session_id)
    return api.get_download_session(session_id)


def discard_left(
    api: Api,
    folder: Folder,
    library_item_id: str,
    *,
    client_token: str,
    warn: Callable[[str], None],
) -> None:
    """Remove what killed runs left: their sessions on the item, and files under way. Raises TransferFailed."""
    left, others = left_marks(folder, library_item_id)
    if others:
        warn(
            f"In {folder.path}, what looks like the mark of a download session and was not made by a task of this user "
            f"is left alone: {some_of(others)}. If nobody is fetching there, remove it."
        )
    for mark in left:
        try:
            # With a token of its own, a task goes on with the session.
            if mark.client_token not in ("", client_token):
                discard_download(api, api.create_download_session(library_item_id, mark.client_token))
        except ApiError as error:
            warn(f"The download session of a killed run could not be removed, and ends by itself: {error.said}")
        warn_if_left(mark.remove(), warn)
    remove_stale(folder)


def warn_if_left(left: str, warn: Callable[[str], None]) -> None:
    """Warn of what could not be removed, if anything."""
    if left:
        warn(left)


def end_session(
    api: Api, session: DownloadSession, step: Step, error_message: str | None, *, on_change: Callable[[str], None]
) -> DownloadSession | None:
    """Take one step with a session; returns it as it is then, None if it is gone."""
    session_id = str(session.id)
    if step is Step.CANCEL:
        with noted(f"session {session_id} was canceled", on_change):
            end_surely(
                lambda: api.cancel_download_session(session_id), lambda: api.get_download_session(session_id), CANCELED
            )
    elif step is Step.FAIL:
        with noted(f"session {session_id} was marked as failed", on_change):
            end_surely(
                lambda: api.fail_download_session(session_id, error_message or ""),
                lambda: api.get_download_session(session_id),
                ERROR,
            )
    else:
        with noted(f"session {session_id} was deleted", on_change):
            discard_download(api, session_id, lambda: on_change(f"session {session_id} was canceled"))
        return None
    return api.get_download_session(session_id)


def prepare_files(
    api: Api,
    session_id: str,
    names: Sequence[str],
    endpoint_type: str,
    *,
    wait_timeout: float,
    clock: Clock,
    on_change: Callable[[str], None],
) -> None:
    """Have files prepared, and wait until they are. Raises TransferFailed with the server's reason, or TimedOut."""
    for name in names:
        with noted(f"{name} was asked for", on_change):
            _prepare(api, session_id, name, endpoint_type)
    if names:
        _await_prepared(
            lambda: [file for file in api.list_download_files(session_id) if file.name in names],
            session_id,
            len(names),
            wait_timeout=wait_timeout,
            clock=clock,
        )


def _prepare(api: Api, session_id: str, name: str, endpoint_type: str) -> None:
    try:
        api.prepare_download_file(session_id, name, endpoint_type)
    except ApiError as error:
        if error.error_type == "UNAUTHORIZED" and endpoint_type == "DIRECT":
            error.remedy = "endpoint_type: DIRECT needs the privilege ContentLibrary.ReadStorage on the library."
        raise


def _await_prepared(
    read: Callable[[], list[DownloadFile]], session_id: str, count: int, *, wait_timeout: float, clock: Clock
) -> list[DownloadFile]:
    def look() -> list[DownloadFile]:
        files = read()
        for file in files:
            if file.status == ERROR:
                reason = file.error_message.text if file.error_message else "the server gives no reason"
                raise TransferFailed(
                    f"{file.name} could not be prepared: {reason}", operation=PREPARE, session_id=session_id
                )
        return files

    return wait_for(
        look,
        ready=lambda files: sum(file.status == PREPARED for file in files) == count,
        signs=lambda files: [(file.name, file.status) for file in files],
        describe=lambda files: ", ".join(f"{file.name} is {file.status}" for file in files if file.status != PREPARED),
        operation=PREPARE,
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def require_placed(partial: Partial, size: int) -> None:
    """Require that a file stands in its target's place. Raises FileChanged.

    Another task may have put the same there at the same moment.
    """
    try:
        partial.require_placed()
    except FileChanged:
        if not _is_twin(partial, size):
            raise


def _is_twin(partial: Partial, size: int) -> bool:
    try:
        with partial.folder.opened(partial.name, COMPARED) as there:
            found, ours = os.fstat(there), os.fstat(partial.descriptor)
            if (found.st_uid, found.st_gid, found.st_mode) != (ours.st_uid, ours.st_gid, ours.st_mode):
                return False
            digests = {
                hash_opened(descriptor, partial.target, UNSET_ALGORITHM, 0, size)
                for descriptor in (there, partial.descriptor)
            }
            return found.st_size == size and len(digests) == 1
    except TransferFailed:
        return False


def _size_of(prepared: DownloadFile, file: LibraryItemFile) -> int | None:
    """How many bytes have to come: as the session says, else as the item does where that is not the storage in use."""
    held = held_by_item([file])[file.name]
    return held.size if prepared.size is None and held.exact_size else prepared.size


def _strength(checksum: Checksum) -> int:
    return DIGEST_LENGTHS[checksum.algorithm]


@dataclass
class _Content:
    """What has come of a file: C(size) bytes, and by the algorithm the digests that are known, each made only once."""

    partial: Partial
    size: int
    digests: dict[str, str]

    def checksum(self, algorithm: str) -> Checksum:
        """Raises TransferFailed."""
        if algorithm not in self.digests:
            opened, path = self.partial.descriptor, self.partial.target
            self.digests[algorithm] = hash_opened(opened, path, algorithm, 0, self.size)
        return Checksum(algorithm, self.digests[algorithm])


@dataclass
class Download:
    """The files that one task fetches through one session into one directory, and what became of them.

    C(dress) gives a file, before it takes a target's place, that target's attributes; C(warn) is told what went wrong
    and was mended.
    """

    api: Api
    session: DownloadSession
    folder: Folder
    declared: Declared
    clock: Clock
    dress: Callable[[Partial], None]
    warn: Callable[[str], None]
    progress: Progress
    seconds: float = 0.0
    fetched: dict[str, Fetched] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _placing: threading.Lock = field(default_factory=threading.Lock)
    _lost: ContentError | None = None

    def fetch(self, files: Sequence[LibraryItemFile]) -> None:
        """Bring the files into the directory, keeping the session alive meanwhile.

        Whatever is not whole when this ends, by a failure or a signal, is gone. A failure has each file's fate in its
        data.
        """
        self.fates = dict.fromkeys((file.name for file in files), WAITING)
        partials = {file.name: Partial(self.folder, file.name) for file in files}
        started = self.clock.now()
        try:
            with kept_alive(
                lambda progress: self.api.keep_download_session_alive(self._session_id, progress),
                self.session,
                server_time=self.api.server_time(),
                at_most=LONGEST_KEEP_ALIVE,
                progress=lambda: self.progress.percent,
                on_lost=self._lose,
            ):
                self._run(files, partials)
        finally:
            self.seconds += self.clock.now() - started
            for partial in partials.values():
                warn_if_left(partial.discard(), self.warn)
            self._warn_of_unverified()

    @property
    def transferred(self) -> dict[str, Any]:
        return {
            "files": len(self.fetched),
            # A task that is ended leaves threads behind that may be putting a file into its place.
            "bytes": sum(file.size for file in list(self.fetched.values())),
            "seconds": round(self.seconds, 3),
        }

    def _warn_of_unverified(self) -> None:
        unverified = [name for name, fetched in list(self.fetched.items()) if not fetched.verified]
        if unverified:
            self.warn(
                f"Fetched, but not verified: {some_of(unverified)}. The server has no checksum that can be compared. "
                "Give it in checksums; require_verified: true makes this an error."
            )

    @property
    def _session_id(self) -> str:
        return str(self.session.id)

    def _run(self, files: Sequence[LibraryItemFile], partials: dict[str, Partial]) -> None:
        jobs = {file.name: (lambda file=file: self._fetch(file, partials[file.name])) for file in files}
        try:
            run_all(jobs, limit=self.declared.parallel_transfers, stop=self._stop)
        except TransferStopped:
            raise self._with_fates(self._reason_of_loss()) from None
        except ContentError as error:
            raise self._with_fates(error) from None

    def _with_fates(self, error: ContentError) -> ContentError:
        said = error.data if isinstance(error.data, dict) else {}
        error.data = {**said, "files": [{"name": name, "fate": fate} for name, fate in self.fates.items()]}
        error.session_id = error.session_id or self._session_id
        return error

    def _lose(self, error: ContentError) -> None:
        self._lost = error
        self._stop.set()

    def _reason_of_loss(self) -> ContentError:
        """The session ended under our hands: its own reason says more than that it cannot be kept alive."""
        lost = self._lost or TransferFailed("the transfer was stopped", operation=GET_DATA)
        try:
            session = self.api.get_download_session(self._session_id)
        except ContentError:
            return lost
        because = f": {session.error_message.text}" if session.error_message else ""
        return TransferFailed(
            f"the session became {session.state} while files were fetched{because}",
            operation=GET_DATA,
            session_id=session.id,
        )

    def _fetch(self, file: LibraryItemFile, partial: Partial) -> None:
        self.fates[file.name] = STOPPED
        try:
            fetched = self._receive(file, partial)
            with self._placing:
                partial.require_own()
                self.dress(partial)
                partial.replace_target()
            # From here on it stands there, whatever follows.
            self.fetched[file.name] = fetched
            require_placed(partial, fetched.size)
            partial.sync_directory()
            self.fates[file.name] = FETCHED
        except ContentError as error:
            self.fates[file.name] = FAILED
            error.operation = error.operation or GET_DATA
            raise
        finally:
            partial.discard()
            partial.close()

    def _receive(self, file: LibraryItemFile, partial: Partial) -> Fetched:
        # The session says a checksum only when all has come, but it will hardly be of another kind than the item's.
        expected = usable_checksum(file.checksum_info) or self.declared.checksums.get(file.name)
        algorithm = expected.algorithm if expected else UNSET_ALGORITHM
        self.progress.start(file.name, file.size, "").serve("preparing")
        prepared = self._prepared(file.name)
        moving = self.progress.start(file.name, prepared.size, "being checked")
        partial.open()
        if prepared.download_endpoint is None:
            raise InvalidResponse(f"the server named no endpoint to fetch {file.name} from", operation=PREPARE)
        arrived = get_file(
            self.api.stream,
            prepared.download_endpoint.uri,
            partial,
            size=_size_of(prepared, file),
            hash_with=algorithm,
            session_id=self._session_id,
            stop=self._stop,
            on_progress=moving.reach,
            on_break=lambda why: self.warn(f"The download of {file.name} broke and was taken up again: {why}"),
        )
        said = self.api.get_download_file(self._session_id, file.name).checksum_info
        matched = self._verify(file, said, _Content(partial, moving.done, {algorithm: arrived.digest}))
        if not matched:
            self._require_enough(file.name, arrived.is_whole)
        partial.sync()
        moving.finish()
        servers = [checksum for whose, checksum in matched.items() if whose != DECLARED]
        info = write_checksum(max(servers, key=_strength, default=None)) or said or file.checksum_info
        return Fetched(moving.done, info, bool(matched), identity_of(os.fstat(partial.descriptor)))

    def _prepared(self, name: str) -> DownloadFile:
        _prepare(self.api, self._session_id, name, "HTTPS")
        [file] = _await_prepared(
            lambda: [self.api.get_download_file(self._session_id, name)],
            self._session_id,
            1,
            wait_timeout=self.declared.wait_timeout,
            clock=Clock(self.clock.now, self._pause),
        )
        return file

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise TransferStopped

    def _verify(self, file: LibraryItemFile, said: ChecksumInfo | None, content: _Content) -> dict[str, Checksum]:
        """What is known of a file, by whom, all of which its content has. Raises ChecksumMismatch.

        C(said) is what the session says, which does not displace what the item said.
        """
        known = {
            DECLARED: self.declared.checksums.get(file.name),
            OF_SESSION: usable_checksum(said),
            OF_ITEM: usable_checksum(file.checksum_info),
        }
        matched: dict[str, Checksum] = {}
        for whose, theirs in known.items():
            if theirs is None:
                continue
            ours = content.checksum(theirs.algorithm)
            if theirs != ours and whose == OF_ITEM:
                # The session may be of the content that the item has got since.
                theirs = self._checksum_now(file, theirs)
                ours = content.checksum(theirs.algorithm)
            if theirs != ours:
                raise ChecksumMismatch(
                    f"{file.name} arrived with the {ours.algorithm} checksum {ours.digest}, and {whose} has "
                    f"{theirs.digest}",
                    operation=GET_DATA,
                    session_id=self._session_id,
                    remedy=f"Nothing of it was put into dest. {REMEDIES[whose]}",
                )
            matched[whose] = theirs
        return matched

    def _checksum_now(self, file: LibraryItemFile, before: Checksum) -> Checksum:
        """What the item says of a file by now; what it said before where that is nothing, or weaker."""
        item_id = self.session.library_item_id
        files = self.api.list_item_files(item_id) if item_id else []
        now = next((usable_checksum(each.checksum_info) for each in files if each.name == file.name), None)
        return now if now and _strength(now) >= _strength(before) else before

    def _require_enough(self, name: str, is_whole: bool) -> None:
        """Require that a file may be put into place for which no checksum speaks. Raises TransferFailed."""
        lacks = ""
        if not is_whole:
            lacks = (
                "came without its length, not in chunks, and without a checksum, so nothing tells whether it is whole"
            )
        elif self.declared.require_verified:
            lacks = "cannot be verified, as require_verified asks: the server has no checksum that can be compared"
        if lacks:
            raise TransferFailed(
                f"{name} {lacks}",
                operation=GET_DATA,
                session_id=self._session_id,
                remedy="Nothing of it was put into dest. Give its checksum in checksums, as ALGORITHM:DIGITS.",
            )
