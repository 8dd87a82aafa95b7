# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one local file gets into an update session: added, sent by PUT, hashed on the way, and again if that broke."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from .._session.states import RUN_AGAIN
from .._task.progress import Progress
from .._transfer.content import UNSET_ALGORITHM, Checksum, Role, WantedFile, write_checksum
from .._transfer.seen_checksums import SeenChecksums
from .._transfer.streams import PUT, Stream, put_file
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import ChecksumMismatch, ContentError, InvalidResponse, NotFound, ResourceBusy
from .._vcenter.models import TransferEndpoint, UpdateFile, UpdateFileAddition
from .._vcenter.timing import Timing

# The API's default, and so most likely the algorithm that the server will use.
HASHED_WHILE_SENT = UNSET_ALGORITHM
BroughtT = TypeVar("BroughtT")


@dataclass
class Sender:
    """The local files that one task sends into one session.

    `stop` ends the transfers. `sizes` has the bytes of the sent files, `checksums` those of the ones that were hashed.
    """

    updates: UpdateSessions
    stream: Stream
    session_id: str
    timing: Timing
    stop: threading.Event
    on_change: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Progress
    seen: SeenChecksums
    checksums: dict[str, Checksum] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    _endpoints: dict[str, TransferEndpoint] = field(default_factory=dict)

    def send(self, file: WantedFile) -> None:
        """Send one file; after a PUT that breaks, again from the start and to a new endpoint."""
        moving = self.progress.start(file.name, file.size, "waiting for vCenter's answer")
        checksum = self.try_again(
            lambda: self._put(file, moving.reach), f"The upload of {file.name} broke and was started again"
        )
        if checksum:
            self.checksums[file.name] = checksum
        moving.finish()
        self.sizes[file.name] = file.size or 0
        if file.role is Role.ARCHIVE:
            self.require_declared(file)

    def require_declared(self, file: WantedFile) -> None:
        """Require that a file that was sent has its declared checksum. Raises ChecksumMismatch."""
        sent = self.checksums.get(file.name)
        if file.checksum and sent and sent != file.checksum:
            raise ChecksumMismatch(
                f"{file.origin} has the {sent.algorithm} checksum {sent.digest}, declared is {file.checksum.digest}",
                session_id=self.session_id,
            )

    def try_again(self, bring_in: Callable[[], BroughtT], broken: str) -> BroughtT:
        """Bring a file in, again after a transient error; a file that is added again replaces the first."""
        pause, tried = self.timing.first_transfer_pause, 1
        while True:
            try:
                return bring_in()
            except ContentError as error:
                if tried == self.timing.upload_tries or not error.is_transient:
                    raise
                tried += 1
                self.warn(f"{broken} (try {tried} of {self.timing.upload_tries}): {error.said}")
            self.stop.wait(pause)
            pause *= 2

    def is_of_another(self, file: UpdateFile) -> bool:
        """Whether a file has another endpoint than the one that it got when this task added it."""
        return file.upload_endpoint not in (None, self._endpoints.get(file.name, file.upload_endpoint))

    def displaced(self, what: str, operation: str, **more: Any) -> ResourceBusy:
        said = f"another task has replaced {what}"
        return ResourceBusy(said, operation=operation, session_id=self.session_id, remedy=RUN_AGAIN, **more)

    def _put(self, file: WantedFile, on_progress: Callable[[int], None]) -> Checksum | None:
        # The server unpacks an OVA while it arrives and, as the API says, takes no checksum for it.
        told = None if file.role is Role.ARCHIVE else write_checksum(file.checksum)
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
        try:
            digests = put_file(
                self.stream,
                added.upload_endpoint.uri,
                file,
                hash_with=self._algorithm(file),
                session_id=self.session_id,
                stop=self.stop,
                on_progress=on_progress,
            )
        except NotFound as error:
            if self._has_been_displaced(file.name):
                what = f"{file.name} in it while this one was sending it"
                raise self.displaced(what, PUT, messages=error.messages) from error
            raise
        return next((Checksum(*each) for each in digests.items()), None)

    def _algorithm(self, file: WantedFile) -> str | None:
        """By which algorithm a file is hashed on its way; None where the server shows nothing to compare with."""
        if file.checksum:
            return file.checksum.algorithm
        return HASHED_WHILE_SENT if self.seen.may_come(file.name) else None

    def _has_been_displaced(self, name: str) -> bool:
        """Whether another task has replaced our file in an ACTIVE session, or has removed it."""
        with suppress(ContentError):
            return all(self.is_of_another(file) for file in self.updates.files(self.session_id) if file.name == name)
        return False
