# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How declared files get into an update session: descriptor set, preview, then the rest; received, and checked.

vCenter asks for this order: it refuses a manifest or certificate after the descriptor. The preview comes before the
first disk, so that a warning costs kilobytes and not hours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable

from .._session.arrival import await_files, is_replaced
from .._session.keep_alive import Hold
from .._session.lost_answers import noted
from .._session.states import COMPLETING_PROGRESS
from .._task.progress import PULLING, Progress
from .._transfer.comparison import Digest
from .._transfer.content import (
    DESCRIPTOR_SET,
    DIGEST_LENGTHS,
    PREVIEWED,
    Checksum,
    PullSource,
    Role,
    WantedFile,
    read_checksum,
    role_of,
)
from .._transfer.seen_checksums import SeenChecksums
from .._transfer.side_by_side import TransferStopped, run_all
from .._transfer.streams import PUT, Stream
from .._transfer.vouching import without_vouchers
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import (
    ChecksumMismatch,
    ContentError,
    NotAllowedInCurrentState,
    TransferFailed,
)
from .._vcenter.models import UpdateFile, UpdateSession
from .._vcenter.timing import Clock
from .acceptance import Acceptance
from .pull import announce, in_order
from .sending import Sender


@dataclass
class Upload:
    """The files that one task brings into one session, and what became of them.

    `digest` hashes a local file. `acceptance` judges the preview. `on_change` gets each change in the session, in
    words; `warn` gets each problem that was solved. `seen` is what the task has seen of the server's checksums. With
    `check_manifest`, a file that its manifest does not vouch for ends its transfer. `unverified` has the names of files
    without a checksum of the server to compare with. `session` is the session at its preview.
    """

    updates: UpdateSessions
    stream: Stream
    session_id: str
    digest: Digest
    parallel: int
    wait_timeout: float
    clock: Clock
    acceptance: Acceptance
    on_change: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Progress
    seen: SeenChecksums
    check_manifest: bool
    seconds: float = 0.0
    removed: tuple[str, ...] = ()
    unverified: set[str] = field(default_factory=set)
    session: UpdateSession | None = None
    _seen: Sequence[UpdateFile] = ()
    _read: UpdateSession | None = None
    _received: dict[str, UpdateFile] = field(default_factory=dict)
    _files: dict[str, WantedFile] = field(default_factory=dict)
    _completing: bool = False

    def __post_init__(self) -> None:
        self._hold = Hold(self.updates, self.session_id, PUT, self.clock)
        self._sender = Sender(
            updates=self.updates,
            stream=self.stream,
            session_id=self.session_id,
            timing=self.clock.timing,
            stop=self._hold.stop,
            on_change=self.on_change,
            warn=self.warn,
            progress=self.progress,
            seen=self.seen,
        )

    def kept_alive(self, session: UpdateSession, server_time: datetime | None) -> AbstractContextManager[None]:
        """While the block runs, keep the session from expiring, and show other tasks that somebody works in it."""
        at_most = self.clock.timing.sign_of_life
        return self._hold.kept_alive(session, server_time=server_time, at_most=at_most, progress=self._percent)

    def push(self, files: Sequence[WantedFile], *, completes: bool) -> None:
        """Bring files in, in the given order, and wait until the server has them.

        `completes` says whether `settle` comes next. Raises SignerNotAccepted or WarningsNotIgnored before any file but
        the descriptor set is sent; for an OVA, after it was sent.
        """
        self.progress.expect({file.name: file.size for file in files})
        if not files:
            return
        if not self.check_manifest:
            files = [without_vouchers(file) for file in files]
        started = self.clock.now()
        try:
            self._push_in_order(files, completes=completes)
        finally:
            self.seconds += self.clock.now() - started

    def remove(self, names: Sequence[str]) -> None:
        """Remove files from the session, and so from the item when the session is completed."""
        for name in names:
            with noted(f"file {name} was removed", self.on_change):
                self.updates.remove_file(self.session_id, name)
        self.removed = (*self.removed, *names)
        if names:
            self._seen = ()
            self.progress.say(f"removed {', '.join(names)}")

    def settle(self) -> tuple[UpdateSession, list[UpdateFile]]:
        """Wait until the session may be completed: for pulled files, and for the preview of a package.

        Returns the session and its files. Raises TransferFailed, SignerNotAccepted, WarningsNotIgnored or TimedOut, and
        ResourceBusy if somebody has replaced files of this task.
        """
        says_all = self._seen and all(file.checksum_info for file in self._received.values())
        files = list(self._seen) if says_all else self.updates.files(self.session_id)
        self._require_undisturbed(files)
        pulled = [file.name for file in files if file.source_type == "PULL"]
        checked = [name for name, file in self._received.items() if file.status == "READY"]
        if pulled or any(file.name in checked and file.status != "READY" for file in files):
            files = self._await([*pulled, *checked])
            self._require_undisturbed(files)
        self._compare_late(files)
        packaged = any(role_of(file.name) in PREVIEWED and file.is_brought for file in files)
        if packaged and (not self.session or self.acceptance.signer):
            self.session = self.acceptance.confirm()
        return self.session or self._read or self.updates.get(self.session_id), files

    def show_completion(self, files: Sequence[UpdateFile]) -> None:
        """Set the session's progress to 100 before the completion, if its `files` cannot be compared later.

        By this a later run sees that vCenter may be completing the session. A failure is ignored, as the completion
        then fails for the same reason.
        """
        self._completing = True
        if any(file.is_brought and not file.checksum_info for file in files):
            with suppress(ContentError):
                self.updates.keep_alive(self.session_id, COMPLETING_PROGRESS)

    def _percent(self) -> int:
        return COMPLETING_PROGRESS if self._completing else min(self.progress.percent, COMPLETING_PROGRESS - 1)

    @property
    def sent(self) -> Collection[str]:
        """The names of the files that were sent."""
        return self._sender.sizes

    @property
    def transferred(self) -> dict[str, Any]:
        # A copy: after a signal, other threads may still be sending.
        sizes = list(self._sender.sizes.values())
        return {"files": len(sizes), "bytes": sum(sizes), "seconds": round(self.seconds, 3)}

    def _push_in_order(self, files: Sequence[WantedFile], *, completes: bool) -> None:
        first, then = in_order(files)
        wanted = self.acceptance.wanted
        packed = any(file.role is Role.ARCHIVE for file in files)
        for file in first:
            self._bring_in([file])
        self._receive([file for file in files if file.role in DESCRIPTOR_SET])
        if wanted and wanted.previewed and not packed:
            self.session = self.acceptance.require()
        self._bring_in(then)
        # Nothing else is read between the last list of the files and the completion.
        self._read = self.updates.get(self.session_id) if completes and not (packed or self.session) else None
        self._receive([file for file in files if file.role not in DESCRIPTOR_SET])
        if packed:
            self.session, self._seen = self.acceptance.require(), ()

    def _bring_in(self, files: Sequence[WantedFile]) -> None:
        """Have vCenter fetch the pulled files, and send the others, several at once."""
        for file in files:
            if file.source:
                self._pull(file, file.source)
        jobs = {file.name: (lambda file=file: self._sender.send(file)) for file in files if not file.source}
        try:
            run_all(jobs, limit=self.parallel, stop=self._hold.stop, stop_seconds=self.clock.timing.stop)
        except TransferStopped:
            raise self._hold.why_lost() or TransferFailed("the transfer was stopped", operation=PUT) from None
        except NotAllowedInCurrentState as error:
            reason = self._hold.why_lost()
            if reason is None:
                raise
            reason.notes.extend(error.notes)
            raise reason from None

    def _receive(self, files: Sequence[WantedFile]) -> None:
        if not files:
            return
        names = [file.name for file in files]
        self._seen = self._await(names)
        self.seen.note_received(self._seen)
        received = {file.name: file for file in self._seen}
        self._compare(files, received)
        self._received.update((name, received[name]) for name in names)
        self._files.update(zip(names, files))

    def _await(self, names: Sequence[str]) -> list[UpdateFile]:
        return await_files(
            self.updates,
            self.session_id,
            names,
            wait_timeout=self.wait_timeout,
            clock=self.clock,
            on_look=lambda files: self._note([file for file in files if file.name in names]),
        )

    def _note(self, files: Sequence[UpdateFile]) -> None:
        for file in files:
            pulled = file.source_type == "PULL"
            done = (file.size or file.bytes_transferred) if pulled else None
            if file.status == "READY":
                self.progress.serve(file.name, None, done)
            elif file.status == "VALIDATING":
                self.progress.serve(file.name, "validating", done)
            else:
                self.progress.serve(file.name, PULLING if pulled else "transferring", done)

    def _require_undisturbed(self, files: Sequence[UpdateFile]) -> None:
        """Require that no other task has replaced our files, as one that took this task for dead would."""
        now = {file.name: file for file in files}
        replaced = [name for name, file in self._received.items() if is_replaced(file, now.get(name))]
        if replaced:
            raise self._sender.displaced(f"{', '.join(replaced)} in it meanwhile", "update_session.complete")

    def _compare_late(self, files: Sequence[UpdateFile]) -> None:
        """Compare the checksums that the server did not have yet when the files arrived."""
        now = {file.name: file for file in files if file.checksum_info}
        late = [name for name, file in self._received.items() if name in now and not file.checksum_info]
        self.unverified -= {part.name for name in late for part in (self._files[name], *self._files[name].members)}
        self._compare([self._files[name] for name in late], now)

    def _pull(self, file: WantedFile, source: PullSource) -> None:
        """Have vCenter fetch one file. After a lost answer the file is announced again, which replaces the first."""
        self._sender.try_again(
            lambda: announce(self.updates, self.session_id, file, source, self.on_change),
            f"Having vCenter fetch {file.name} failed, and was asked for again",
        )

    def _compare(self, files: Sequence[WantedFile], received: Mapping[str, UpdateFile]) -> None:
        """Compare the server's checksums with ours. Raises ChecksumMismatch, so the session is not completed.

        What the server says of a declared checksum has come before this. Not every server compares it.
        """
        for file in files:
            self._sender.require_declared(file)
            theirs = read_checksum(received[file.name].checksum_info)
            ours = self._checksum_of(file, theirs.algorithm) if theirs else None
            if theirs is None or ours is None:
                self.unverified |= {file.name, *(part.name for part in file.members)}
            elif theirs != ours:
                if self._sender.is_of_another(received[file.name]):
                    raise self._sender.displaced(f"{file.name} in it meanwhile", "update_session.file.receive")
                raise ChecksumMismatch(
                    f"{file.name} arrived with the {theirs.algorithm} checksum {theirs.digest}, {file.origin} has "
                    f"{ours.digest}",
                    operation="update_session.file.receive",
                    session_id=self.session_id,
                )

    def _checksum_of(self, file: WantedFile, algorithm: str) -> Checksum | None:
        """Our checksum of a file by the server's algorithm, None if we cannot compute it."""
        known = self._sender.checksums.get(file.name, file.checksum)
        if known and known.algorithm == algorithm:
            return known
        if algorithm not in DIGEST_LENGTHS or file.path is None or file.size is None:
            return None
        return Checksum(algorithm, self.digest(file.path, algorithm, file.offset, file.size, file.identity))
