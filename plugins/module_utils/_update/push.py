# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How declared files get into an update session: descriptor set, preview, then the rest; received, and checked.

The order is vCenter's: a manifest or certificate is refused after the descriptor. The preview comes before the first
disk, so that a warning costs kilobytes and not hours.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Callable, TypeVar

from .._session.keep_alive import SIGN_OF_LIFE_SECONDS, kept_alive
from .._session.lost_answers import noted
from .._session.receive import await_files, await_preview, require_accepted_warnings
from .._session.states import COMPLETING_PROGRESS, RUN_AGAIN, require_active
from .._session.waiting import Clock
from .._task.progress import PULLING, Progress
from .._transfer.content import (
    DESCRIPTOR_SET,
    DIGEST_LENGTHS,
    PREVIEWED,
    UNSET_ALGORITHM,
    Checksum,
    Digest,
    PullSource,
    Role,
    WantedFile,
    read_checksum,
    role_of,
    write_checksum,
)
from .._transfer.streams import PUT, TransferStopped, put_file, run_all, will_pass
from .._vcenter.api import Api
from .._vcenter.errors import (
    ApiError,
    ChecksumMismatch,
    ContentError,
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    TransferFailed,
)
from .._vcenter.models import ProbeResult, TransferEndpoint, UpdateFile, UpdateFileAddition, UpdateSession

# What the API means where no algorithm is named: most likely the one that the server will tell us.
HASHED_WHILE_SENT = UNSET_ALGORITHM
SentT = TypeVar("SentT")

TRIES = 3
FIRST_PAUSE = 0.25
REFUSALS = ("INVALID_ARGUMENT", "INVALID_REQUEST", "UNEXPECTED_INPUT")
PROBE_SUCCESSES = ("SUCCESS", None)
PROBE_TYPES: Mapping[str, str] = {"CERTIFICATE_ERROR": "UNVERIFIED_PEER", "TIMED_OUT": "TIMED_OUT"}


def probe(api: Api, file: WantedFile) -> None:
    """Ask vCenter whether it can fetch a pulled file; a server that knows no probe is asked nothing more.

    Raises TransferFailed with what the server found, of the type UNVERIFIED_PEER for a certificate it does not trust.
    """
    source = file.source
    if source is None:
        return
    try:
        found = _probe_endpoint(api, _endpoint(source, with_certificate=True)) if source.certificate else None
        if found is None or found.status not in PROBE_SUCCESSES:
            # What is said of a certificate by a server that does not know the field counts only without a better word.
            found = _probe_endpoint(api, _endpoint(source, with_certificate=False)) or found
    except ApiError as error:
        _advise(error, file, source)
        raise
    if found is None or found.status in PROBE_SUCCESSES or _is_pinned(source, found):
        return
    reasons = "; ".join(message.text for message in found.error_messages or () if message.text)
    raise TransferFailed(
        f"vCenter cannot fetch {file.origin}: {found.status}{f' ({reasons})' if reasons else ''}",
        error_type=PROBE_TYPES.get(found.status, "TRANSFER_FAILED"),
        remedy=_probe_remedy(found.status, found.ssl_thumbprint),
    )


def _probe_endpoint(api: Api, endpoint: TransferEndpoint) -> ProbeResult | None:
    """What the server found, None if it knows no probe or not what it is asked with."""
    try:
        return api.probe(endpoint)
    except ApiError as error:
        if isinstance(error, NotFound) or error.error_type in (*REFUSALS, "OPERATION_NOT_FOUND"):
            return None
        raise


def _is_pinned(source: PullSource, found: ProbeResult) -> bool:
    """Whether all that is wrong is a certificate that is the declared one: some servers probe without looking at it."""
    pinned = _endpoint(source, with_certificate=False).ssl_certificate_thumbprint
    return found.status == "CERTIFICATE_ERROR" and pinned is not None and found.ssl_thumbprint == pinned


def _advise(error: ApiError, file: WantedFile, source: PullSource) -> None:
    """Say what to do about a source that the server refuses, where its own words do not."""
    if error.error_type == "UNAUTHORIZED" and source.url.startswith("ds:"):
        error.remedy = (
            f"To fetch {file.name} from a datastore the user needs the privilege ContentLibrary.ReadStorage, beside "
            "ContentLibrary.UpdateSession on the library."
        )
    elif source.thumbprint and error.error_type in REFUSALS:
        given, other = ("SHA-1", "SHA-256") if len(source.thumbprint) < 64 else ("SHA-256", "SHA-1")
        error.remedy = (
            f"If it is the {given} ssl_thumbprint of {file.name} that this vCenter refuses, give the {other} one: "
            "servers before 9 document SHA-1, later ones SHA-256."
        )


def _probe_remedy(status: str, thumbprint: str | None) -> str:
    if status != "CERTIFICATE_ERROR" or not thumbprint:
        return "Check the URL as the vCenter sees it: its name service, its proxy, its trusted certificates."
    kind = {40: "SHA-1", 64: "SHA-256"}.get(len(thumbprint.replace(":", "")), "unknown")
    return (
        f"The server there presents a certificate with the {kind} thumbprint {thumbprint}. After checking with its "
        "owner that this is the right one, pass it as ssl_thumbprint, or the certificate as ssl_certificate."
    )


def _endpoint(source: PullSource, *, with_certificate: bool) -> TransferEndpoint:
    """The source as the API takes it: the certificate where it is known (9.0 and later), else its SHA-1 thumbprint."""
    if source.certificate and with_certificate:
        return TransferEndpoint(uri=source.url, ssl_certificate=source.certificate)
    thumbprint = source.thumbprint
    if source.certificate:
        der = ssl.PEM_cert_to_DER_cert(source.certificate.strip())
        digits = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
        thumbprint = ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))
    return TransferEndpoint(uri=source.url, ssl_certificate_thumbprint=thumbprint)


def _differ(before: UpdateFile, now: UpdateFile) -> bool:
    """Whether it is another file; one that was only taken for received may still become READY."""
    return before.status == "READY" and (before.status, before.size, before.checksum_info) != (
        now.status,
        now.size,
        now.checksum_info,
    )


@dataclass
class Upload:
    """The files that one task brings into one session, and what became of them.

    C(digest) hashes a local file; C(on_change) is told in words what was changed in the session, C(warn) what went
    wrong and was mended. C(sent) has the checksums of what was sent, C(unverified) the names of the files for which the
    server gave none to compare with. C(session) is the session as the preview showed it.
    """

    api: Api
    session_id: str
    digest: Digest
    parallel: int
    wait_timeout: float
    clock: Clock
    on_change: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Progress
    seconds: float = 0.0
    sent: dict[str, Checksum] = field(default_factory=dict)
    unverified: set[str] = field(default_factory=set)
    session: UpdateSession | None = None
    _sizes: dict[str, int] = field(default_factory=dict)
    _received: dict[str, UpdateFile] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _completing: bool = False
    _lost: ContentError | None = None

    @contextmanager
    def kept_alive(self, session: UpdateSession) -> Iterator[None]:
        """While the block runs, keep the session from expiring, and show that somebody is at work in it."""
        with kept_alive(
            lambda progress: self.api.keep_update_session_alive(self.session_id, progress),
            session,
            server_time=self.api.server_time(),
            at_most=SIGN_OF_LIFE_SECONDS,
            progress=self._progress,
            on_lost=self._lose,
        ):
            yield

    def push(self, files: Sequence[WantedFile], *, previewed: bool) -> None:
        """Bring files in, in the order given, and wait until the server has them.

        C(previewed) says whether the session will show a preview. Raises WarningsNotIgnored before anything but the
        descriptor set is sent, or before the end for an OVA.
        """
        self.progress.expect({file.name: file.size for file in files})
        if not files:
            return
        started = self.clock.now()
        try:
            self._push(files, previewed=previewed)
        finally:
            self.seconds += self.clock.now() - started

    def remove(self, names: Sequence[str]) -> None:
        """Have files gone when the session is completed."""
        for name in names:
            with noted(f"file {name} was removed", self.on_change):
                self.api.remove_update_file(self.session_id, name)

    def settle(self) -> tuple[UpdateSession, list[UpdateFile]]:
        """Wait for what must be there before the session may be completed: pulled files, and the preview of a package.

        Returns the session and its files as they are then. Raises TransferFailed, WarningsNotIgnored or TimedOut, and
        ResourceBusy if it does not hold any more what was brought in.
        """
        files = self.api.list_update_files(self.session_id)
        self._require_undisturbed(files)
        pulled = [file.name for file in files if file.source_type == "PULL"]
        if pulled:
            files = self._await(pulled)
        if not self.session and any(role_of(file.name) in PREVIEWED and file.is_brought for file in files):
            self._preview()
        return self.session or self.api.get_update_session(self.session_id), files

    def show_completion(self, files: Sequence[UpdateFile]) -> None:
        """Leave a mark, before the completion is asked for, in a session whose C(files) say too little of themselves.

        A later run, which cannot compare them, sees by it that vCenter may be completing the session. That it cannot be
        left is no error: what is wrong with the session, the completion says.
        """
        self._completing = True
        if all(file.checksum_info or not file.is_brought for file in files):
            return
        with suppress(ContentError):
            self.api.keep_update_session_alive(self.session_id, COMPLETING_PROGRESS)

    def _progress(self) -> int:
        return COMPLETING_PROGRESS if self._completing else min(self.progress.percent, COMPLETING_PROGRESS - 1)

    @property
    def transferred(self) -> dict[str, Any]:
        # Whoever is ended by a signal asks while others are still sending.
        sizes = list(self._sizes.values())
        return {"files": len(sizes), "bytes": sum(sizes), "seconds": round(self.seconds, 3)}

    def _push(self, files: Sequence[WantedFile], *, previewed: bool) -> None:
        first = [file for file in files if file.role in DESCRIPTOR_SET]
        rest = [file for file in files if file.role not in DESCRIPTOR_SET]
        packed = any(file.role is Role.ARCHIVE for file in rest)
        for file in first:
            self._bring_in([file])
        self._receive(first)
        if previewed and not packed:
            self._preview()
        self._bring_in(rest)
        self._receive(rest)
        if packed:
            self._preview()

    def _preview(self) -> None:
        with self.progress.waiting("vCenter to prepare the preview"):
            self.session = await_preview(self.api, self.session_id, wait_timeout=self.wait_timeout, clock=self.clock)
        require_accepted_warnings(self.session)
        if self.session.preview_info:
            ignored = [warning.type for warning in self.session.preview_info.warnings or ()]
            self.progress.step(f"preview seen{', ignored: ' if ignored else ''}{', '.join(ignored)}")

    def _bring_in(self, files: Sequence[WantedFile]) -> None:
        """Have the pulled files fetched, and send the others, several at once."""
        for file in files:
            if file.source:
                self._pull(file, file.source)
        jobs = {file.name: (lambda file=file: self._send(file)) for file in files if not file.source}
        try:
            run_all(jobs, limit=self.parallel, stop=self._stop)
        except TransferStopped:
            reason = self._end_of_session() or self._lost
            raise reason or TransferFailed("the transfer was stopped", operation=PUT) from None
        except NotAllowedInCurrentState as error:
            reason = self._end_of_session()
            if reason is None:
                raise
            reason.notes.extend(error.notes)
            raise reason from None

    def _lose(self, error: ContentError) -> None:
        self._lost = error
        self._stop.set()

    def _end_of_session(self) -> ContentError | None:
        """Why the session ended under our hands, which says more than the operation that is not allowed any more."""
        try:
            require_active(self.api.get_update_session(self.session_id), PUT)
        except ContentError as error:
            return error
        return None

    def _receive(self, files: Sequence[WantedFile]) -> None:
        if not files:
            return
        names = [file.name for file in files]
        received = {file.name: file for file in self._await(names)}
        self._compare(files, received)
        self._received.update((name, received[name]) for name in names)

    def _await(self, names: Sequence[str]) -> list[UpdateFile]:
        return await_files(
            self.api,
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
        """Another task that held this one for dead may have put its own files in the place of ours."""
        now = {file.name: file for file in files}
        replaced = [name for name, file in self._received.items() if name not in now or _differ(file, now[name])]
        if replaced:
            raise ResourceBusy(
                f"another task has replaced {', '.join(replaced)} in it meanwhile",
                operation="update_session.complete",
                session_id=self.session_id,
                remedy=RUN_AGAIN,
            )

    def _pull(self, file: WantedFile, source: PullSource) -> None:
        """Have the server fetch one file; an announcement whose answer is lost is made again, in the same place."""
        self._try(
            lambda: self._announce(file, source), f"Having vCenter fetch {file.name} failed, and was asked for again"
        )

    def _announce(self, file: WantedFile, source: PullSource) -> None:
        addition = UpdateFileAddition(name=file.name, source_type="PULL", checksum_info=write_checksum(file.checksum))
        if source.certificate and self._add_with_certificate(addition, source):
            self.on_change(f"file {file.name} was added, to be pulled")
            return
        try:
            self.api.add_update_file(
                self.session_id, replace(addition, source_endpoint=_endpoint(source, with_certificate=False))
            )
        except ApiError as error:
            _advise(error, file, source)
            raise
        self.on_change(f"file {file.name} was added, to be pulled")

    def _add_with_certificate(self, addition: UpdateFileAddition, source: PullSource) -> bool:
        """Whether the server took the certificate itself; older ones refuse the field, or drop it."""
        endpoint = _endpoint(source, with_certificate=True)
        try:
            added = self.api.add_update_file(self.session_id, replace(addition, source_endpoint=endpoint))
        except ApiError as error:
            if error.error_type in REFUSALS:
                return False
            raise
        return bool(added.source_endpoint and added.source_endpoint.ssl_certificate)

    def _send(self, file: WantedFile) -> None:
        """Send one file; a PUT that breaks is sent again from the start, to a new endpoint."""
        moving = self.progress.start(file.name, file.size, "waiting for vCenter's answer")
        self.sent[file.name] = self._try(
            lambda: self._put(file, moving.reach), f"The upload of {file.name} broke and was started again"
        )
        moving.finish()
        self._sizes[file.name] = file.size or 0

    def _try(self, bring_in: Callable[[], SentT], broken: str) -> SentT:
        """Bring a file in, with C(TRIES) against what will pass; what is added again takes the place of the first."""
        pause, tried = FIRST_PAUSE, 1
        while True:
            try:
                return bring_in()
            except ContentError as error:
                if tried == TRIES or not will_pass(error):
                    raise
                tried += 1
                self.warn(f"{broken} (try {tried} of {TRIES}): {error.said}")
            self._stop.wait(pause)
            pause *= 2

    def _put(self, file: WantedFile, on_progress: Callable[[int], None]) -> Checksum:
        # The server unpacks an OVA while it arrives and, as the API says, takes no checksum for it.
        declared = None if file.role is Role.ARCHIVE else file.checksum
        added = self.api.add_update_file(
            self.session_id,
            UpdateFileAddition(
                name=file.name, source_type="PUSH", size=file.size, checksum_info=write_checksum(declared)
            ),
        )
        self.on_change(f"file {file.name} was added")
        if added.upload_endpoint is None:
            raise InvalidResponse(
                f"the server named no endpoint to upload {file.name} to",
                operation="update_session.file.add",
                session_id=self.session_id,
            )
        if file.path is None or file.identity is None:
            raise AssertionError("only a file that lies here is sent")
        hashed_with = file.checksum.algorithm if file.checksum else HASHED_WHILE_SENT
        try:
            digest = put_file(
                self.api.stream,
                added.upload_endpoint.uri,
                file.path,
                file.identity,
                hash_with=None if declared else hashed_with,
                session_id=self.session_id,
                stop=self._stop,
                on_progress=on_progress,
            )
        except NotFound as error:
            if self._is_displaced(file.name, added.upload_endpoint):
                raise ResourceBusy(
                    f"another task has replaced {file.name} in it while this one was sending it",
                    operation=PUT,
                    session_id=self.session_id,
                    remedy=RUN_AGAIN,
                ) from error
            raise
        sent = declared or Checksum(hashed_with, digest or "")
        if file.checksum and sent != file.checksum:
            raise ChecksumMismatch(
                f"{file.origin} has the {sent.algorithm} checksum {sent.digest}, declared is {file.checksum.digest}",
                session_id=self.session_id,
            )
        return sent

    def _is_displaced(self, name: str, endpoint: TransferEndpoint) -> bool:
        """Whether an ACTIVE session has another file in the place of ours: with that one our endpoint has gone."""
        try:
            found = [file for file in self.api.list_update_files(self.session_id) if file.name == name]
        except ContentError:
            return False
        return all(file.upload_endpoint not in (None, endpoint) for file in found)

    def _compare(self, files: Sequence[WantedFile], received: Mapping[str, UpdateFile]) -> None:
        """What the server says it received against what we sent; a mismatch keeps the session from being completed."""
        for file in files:
            theirs = read_checksum(received[file.name].checksum_info)
            ours = self._checksum_of(file, theirs.algorithm) if theirs else None
            if theirs is None or ours is None:
                self.unverified |= {file.name, *(part.name for part in file.members)}
            elif theirs != ours:
                raise ChecksumMismatch(
                    f"{file.name} arrived with the {theirs.algorithm} checksum {theirs.digest}, {file.origin} has "
                    f"{ours.digest}",
                    operation="update_session.file.receive",
                    session_id=self.session_id,
                )

    def _checksum_of(self, file: WantedFile, algorithm: str) -> Checksum | None:
        """Our checksum of a file by the server's algorithm, None if we cannot make one."""
        known = self.sent.get(file.name, file.checksum)
        if known and known.algorithm == algorithm:
            return known
        if algorithm not in DIGEST_LENGTHS or file.path is None or file.size is None:
            return None
        return Checksum(algorithm, self.digest(file.path, algorithm, file.offset, file.size, file.identity))
