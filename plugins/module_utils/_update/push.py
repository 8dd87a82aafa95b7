# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How declared files get into an update session: descriptor set, preview, then the rest; received, and checked.

vCenter asks for this order: it refuses a manifest or certificate after the descriptor. The preview comes before the
first disk, so that a warning costs kilobytes and not hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, TypeVar

from .._session.arrival import await_files, is_replaced
from .._session.keep_alive import Hold
from .._session.lost_answers import noted
from .._session.states import COMPLETING_PROGRESS, RUN_AGAIN
from .._task.progress import PULLING, Progress
from .._transfer.comparison import Digest
from .._transfer.content import (
    DESCRIPTOR_SET,
    DIGEST_LENGTHS,
    PREVIEWED,
    UNSET_ALGORITHM,
    Checksum,
    PullSource,
    Role,
    WantedFile,
    read_checksum,
    role_of,
    write_checksum,
)
from .._transfer.side_by_side import TransferStopped, run_all
from .._transfer.streams import PUT, Stream, put_file
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import (
    ChecksumMismatch,
    ContentError,
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    TransferFailed,
)
from .._vcenter.models import TransferEndpoint, UpdateFile, UpdateFileAddition, UpdateSession
from .._vcenter.timing import Clock
from .acceptance import Acceptance
from .pull import announce, in_order

# The API's default, and so most likely the algorithm that the server will use.
HASHED_WHILE_SENT = UNSET_ALGORITHM
SentT = TypeVar("SentT")


@dataclass
class Upload:
    """The files that one task brings into one session, and what became of them.

    `digest` hashes a local file. `acceptance` judges the preview. `on_change` gets each change in the session, in
    words; `warn` gets each problem that was solved. `sent` has the checksums of sent files, `unverified` the names of
    files without a checksum of the server to compare with. `session` is the session at its preview.
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
    seconds: float = 0.0
    removed: tuple[str, ...] = ()
    sent: dict[str, Checksum] = field(default_factory=dict)
    unverified: set[str] = field(default_factory=set)
    session: UpdateSession | None = None
    _sizes: dict[str, int] = field(default_factory=dict)
    _seen: Sequence[UpdateFile] = ()
    _read: UpdateSession | None = None
    _received: dict[str, UpdateFile] = field(default_factory=dict)
    _files: dict[str, WantedFile] = field(default_factory=dict)
    _endpoints: dict[str, TransferEndpoint] = field(default_factory=dict)
    _completing: bool = False

    def __post_init__(self) -> None:
        self._hold = Hold(self.updates, self.session_id, PUT, self.clock)

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
    def transferred(self) -> dict[str, Any]:
        # A copy: after a signal, other threads may still be sending.
        sizes = list(self._sizes.values())
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
        jobs = {file.name: (lambda file=file: self._send(file)) for file in files if not file.source}
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
            raise self._displaced(f"{', '.join(replaced)} in it meanwhile", "update_session.complete")

    def _displaced(self, what: str, operation: str, **more: Any) -> ResourceBusy:
        said = f"another task has replaced {what}"
        return ResourceBusy(said, operation=operation, session_id=self.session_id, remedy=RUN_AGAIN, **more)

    def _compare_late(self, files: Sequence[UpdateFile]) -> None:
        """Compare the checksums that the server did not have yet when the files arrived."""
        now = {file.name: file for file in files if file.checksum_info}
        late = [name for name, file in self._received.items() if name in now and not file.checksum_info]
        self.unverified -= {part.name for name in late for part in (self._files[name], *self._files[name].members)}
        self._compare([self._files[name] for name in late], now)

    def _pull(self, file: WantedFile, source: PullSource) -> None:
        """Have vCenter fetch one file. After a lost answer the file is announced again, which replaces the first."""
        self._try(
            lambda: announce(self.updates, self.session_id, file, source, self.on_change),
            f"Having vCenter fetch {file.name} failed, and was asked for again",
        )

    def _send(self, file: WantedFile) -> None:
        """Send one file; after a PUT that breaks, again from the start and to a new endpoint."""
        moving = self.progress.start(file.name, file.size, "waiting for vCenter's answer")
        self.sent[file.name] = self._try(
            lambda: self._put(file, moving.reach), f"The upload of {file.name} broke and was started again"
        )
        moving.finish()
        self._sizes[file.name] = file.size or 0

    def _try(self, bring_in: Callable[[], SentT], broken: str) -> SentT:
        """Bring a file in, again after a transient error; a file that is added again replaces the first."""
        timing = self.clock.timing
        pause, tried = timing.first_transfer_pause, 1
        while True:
            try:
                return bring_in()
            except ContentError as error:
                if tried == timing.upload_tries or not error.is_transient:
                    raise
                tried += 1
                self.warn(f"{broken} (try {tried} of {timing.upload_tries}): {error.said}")
            self._hold.stop.wait(pause)
            pause *= 2

    def _put(self, file: WantedFile, on_progress: Callable[[int], None]) -> Checksum:
        # The server unpacks an OVA while it arrives and, as the API says, takes no checksum for it.
        declared = None if file.role is Role.ARCHIVE else file.checksum
        told = write_checksum(declared)
        addition = UpdateFileAddition(name=file.name, source_type="PUSH", size=file.size, checksum_info=told)
        added = self.updates.add_file(self.session_id, addition)
        self.on_change(f"file {file.name} was added")
        if added.upload_endpoint is None:
            raise InvalidResponse(
                f"the server named no endpoint to upload {file.name} to",
                operation="update_session.file.add",
                session_id=self.session_id,
            )
        self._endpoints[file.name] = added.upload_endpoint
        hashed_with = file.checksum.algorithm if file.checksum else HASHED_WHILE_SENT
        try:
            digest = put_file(
                self.stream,
                added.upload_endpoint.uri,
                file,
                hash_with=None if declared else hashed_with,
                session_id=self.session_id,
                stop=self._hold.stop,
                on_progress=on_progress,
            )
        except NotFound as error:
            if self._has_been_displaced(file.name):
                what = f"{file.name} in it while this one was sending it"
                raise self._displaced(what, PUT, messages=error.messages) from error
            raise
        sent = declared or Checksum(hashed_with, digest or "")
        if file.checksum and sent != file.checksum:
            raise ChecksumMismatch(
                f"{file.origin} has the {sent.algorithm} checksum {sent.digest}, declared is {file.checksum.digest}",
                session_id=self.session_id,
            )
        return sent

    def _has_been_displaced(self, name: str) -> bool:
        """Whether another task has replaced our file in an ACTIVE session, or has removed it."""
        with suppress(ContentError):
            return all(self._is_of_another(file) for file in self.updates.files(self.session_id) if file.name == name)
        return False

    def _is_of_another(self, file: UpdateFile) -> bool:
        """Whether a file has another endpoint than the one that it got when this task added it."""
        return file.upload_endpoint not in (None, self._endpoints.get(file.name, file.upload_endpoint))

    def _compare(self, files: Sequence[WantedFile], received: Mapping[str, UpdateFile]) -> None:
        """Compare the server's checksums with ours. Raises ChecksumMismatch, so the session is not completed."""
        for file in files:
            theirs = read_checksum(received[file.name].checksum_info)
            ours = self._checksum_of(file, theirs.algorithm) if theirs else None
            if theirs is None or ours is None:
                self.unverified |= {file.name, *(part.name for part in file.members)}
            elif theirs != ours:
                if self._is_of_another(received[file.name]):
                    raise self._displaced(f"{file.name} in it meanwhile", "update_session.file.receive")
                raise ChecksumMismatch(
                    f"{file.name} arrived with the {theirs.algorithm} checksum {theirs.digest}, {file.origin} has "
                    f"{ours.digest}",
                    operation="update_session.file.receive",
                    session_id=self.session_id,
                )

    def _checksum_of(self, file: WantedFile, algorithm: str) -> Checksum | None:
        """Our checksum of a file by the server's algorithm, None if we cannot compute it."""
        known = self.sent.get(file.name, file.checksum)
        if known and known.algorithm == algorithm:
            return known
        if algorithm not in DIGEST_LENGTHS or file.path is None or file.size is None:
            return None
        return Checksum(algorithm, self.digest(file.path, algorithm, file.offset, file.size, file.identity))
