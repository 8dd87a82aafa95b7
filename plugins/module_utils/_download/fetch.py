# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How files come out of a download session: prepared by vCenter, fetched in parallel, verified, and put in place.

A file takes its target's place only when it is whole and verified as far as possible.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._session.keep_alive import Hold
from .._task.progress import Progress
from .._transfer.comparison import bytes_of
from .._transfer.content import UNSET_ALGORITHM, Checksum, usable_checksum, write_checksum
from .._transfer.hashing import hash_opened
from .._transfer.local_file import COMPARED, FileChanged, identity_of
from .._transfer.seen_checksums import SeenChecksums
from .._transfer.side_by_side import TransferStopped, run_all
from .._transfer.streams import get_file
from .._vcenter.api import Api
from .._vcenter.errors import ContentError, InvalidResponse, TransferFailed, some_of
from .._vcenter.models import DownloadFile, DownloadSession, LibraryItemFile
from .._vcenter.timing import Clock
from .destination import GET_DATA, Folder
from .download_plan import Declared, Fetched
from .leftovers import warn_if_left
from .partial import Partial
from .prepare import PREPARE, await_prepared, prepare
from .verification import DECLARED, OF_ITEM, OF_SESSION, Content, strength, verify

WAITING, STOPPED, FETCHED, FAILED = "not started", "stopped", "fetched", "failed"


#: How many twins may take each other's place while a task looks at them.
MOST_TWINS = 50


def require_placed(partial: Partial, size: int) -> None:
    """Require that a file, or its twin from another task at the same moment, is in its target's place.

    Raises FileChanged.
    """
    try:
        partial.require_placed()
    except FileChanged:
        for _twin in range(MOST_TWINS):
            with suppress(FileChanged):
                if _is_twin(partial, size):
                    return
                break
        raise


def _is_twin(partial: Partial, size: int) -> bool:
    """Whether a copy of a file is in its target's place. Raises FileChanged if that changes while the task looks."""
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
    except TransferFailed as error:
        if isinstance(error, FileChanged):
            raise
        return False


def _size_of(prepared: DownloadFile, file: LibraryItemFile) -> int | None:
    """How many bytes must come: the session's size, else the item's, unless that is the storage in use."""
    return bytes_of(file) if prepared.size is None else prepared.size


@dataclass
class Download:
    """The files that one task fetches through one session into one directory, and what became of them.

    `dress` gives a file its attributes before it takes its target's place. `warn` gets each problem that was solved.
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
    _placing: threading.Lock = field(default_factory=threading.Lock)
    _seen: SeenChecksums = field(default_factory=SeenChecksums)

    def __post_init__(self) -> None:
        self._hold = Hold(self.api.downloads, self._session_id, GET_DATA, self.clock)

    def fetch(self, files: Sequence[LibraryItemFile]) -> None:
        """Bring the files into the directory, and keep the session alive meanwhile.

        After a failure or a signal no partial file is left. A failure has each file's fate in its data.
        """
        self.fates = dict.fromkeys((file.name for file in files), WAITING)
        partials = {file.name: Partial(self.folder, file.name) for file in files}
        started = self.clock.now()
        try:
            with self._hold.kept_alive(
                self.session,
                server_time=self.api.server_time(),
                at_most=self.clock.timing.longest_keep_alive,
                progress=lambda: self.progress.percent,
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
            # A copy: after a signal, other threads may still place files.
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
        jobs = {file.name: (lambda file=file: self._fetch_one(file, partials[file.name])) for file in files}
        try:
            run_all(
                jobs, limit=self.declared.parallel_transfers, stop=self._hold.stop, stop_seconds=self.clock.timing.stop
            )
        except TransferStopped:
            lost = self._hold.why_lost() or TransferFailed("the transfer was stopped", operation=GET_DATA)
            raise self._with_fates(lost) from None
        except ContentError as error:
            raise self._with_fates(error) from None

    def _with_fates(self, error: ContentError) -> ContentError:
        said = error.data if isinstance(error.data, dict) else {}
        error.data = {**said, "files": [{"name": name, "fate": fate} for name, fate in self.fates.items()]}
        error.session_id = error.session_id or self._session_id
        return error

    def _fetch_one(self, file: LibraryItemFile, partial: Partial) -> None:
        self.fates[file.name] = STOPPED
        try:
            fetched = self._receive(file, partial)
            with self._placing:
                partial.require_own()
                self.dress(partial)
                partial.replace_target()
            # From here on the file is in its place, even if the checks below fail.
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
        # The session has a checksum only after the transfer; most likely it uses the item's algorithm.
        expected = usable_checksum(file.checksum_info) or self.declared.checksums.get(file.name)
        unset = UNSET_ALGORITHM if self._seen.may_come(file.name) else None
        self.progress.start(file.name, bytes_of(file), "").serve("preparing")
        prepared = self._prepared(file.name)
        moving = self.progress.start(file.name, _size_of(prepared, file), "being checked")
        partial.open()
        if prepared.download_endpoint is None:
            raise InvalidResponse(f"the server named no endpoint to fetch {file.name} from", operation=PREPARE)
        arrived = get_file(
            self.api.stream,
            prepared.download_endpoint.uri,
            partial,
            size=_size_of(prepared, file),
            hash_with=expected.algorithm if expected else unset,
            session_id=self._session_id,
            stop=self._hold.stop,
            on_progress=moving.reach,
            timing=self.clock.timing,
            on_break=lambda why: self.warn(f"The download of {file.name} broke and was taken up again: {why}"),
        )
        said = self.api.downloads.get_file(self._session_id, file.name).checksum_info
        self._seen.note(file.name, said)
        known = {
            DECLARED: self.declared.checksums.get(file.name),
            OF_SESSION: usable_checksum(said),
            OF_ITEM: usable_checksum(file.checksum_info),
        }
        content = Content(partial, moving.done, dict(arrived.digests))
        matched = verify(file.name, known, content, lambda: self._checksum_now(file), self._session_id)
        if not matched:
            self._require_enough(file.name, arrived.is_whole)
        partial.sync()
        moving.finish()
        servers = [checksum for whose, checksum in matched.items() if whose != DECLARED]
        info = write_checksum(max(servers, key=strength, default=None)) or said or file.checksum_info
        return Fetched(moving.done, info, bool(matched), identity_of(os.fstat(partial.descriptor)))

    def _prepared(self, name: str) -> DownloadFile:
        prepare(self.api.downloads, self._session_id, name, "HTTPS")
        [file] = await_prepared(
            lambda: [self.api.downloads.get_file(self._session_id, name)],
            self._session_id,
            1,
            wait_timeout=self.declared.wait_timeout,
            clock=replace(self.clock, sleep=self._pause),
        )
        return file

    def _pause(self, seconds: float) -> None:
        if self._hold.stop.wait(seconds):
            raise TransferStopped

    def _checksum_now(self, file: LibraryItemFile) -> Checksum | None:
        """The item's present checksum of a file."""
        item_id = self.session.library_item_id
        files = self.api.list_item_files(item_id) if item_id else []
        return next((usable_checksum(each.checksum_info) for each in files if each.name == file.name), None)

    def _require_enough(self, name: str, is_whole: bool) -> None:
        """Require that a file without any checksum may take its place. Raises TransferFailed."""
        lacks = ""
        if not is_whole:
            lacks = (
                "came without its length, not in chunks, and without a checksum, so nobody can tell whether it is whole"
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
