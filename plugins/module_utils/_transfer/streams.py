# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bytes move: a file to a URL or from one; a second thread hashes it on the way.

Memory use does not grow with the size of a file.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable

from .._vcenter.errors import ChecksumMismatch, ConnectionFailed, ContentError, TransferFailed
from .._vcenter.timing import Timing
from .content import WantedFile
from .hashing import BLOCK_BYTES, Hasher, Sink, unreadable
from .local_file import SENT, FileChanged, require_same
from .side_by_side import TransferStopped
from .vouching import SentParts

PUT = "update_session.file.put"
RANGE_REFUSED = 416

Stream = Callable[..., AbstractContextManager[Any]]
"""`Connection.stream`."""

Progress = Callable[[int], None]
"""Called with the number of bytes of the file that have moved so far."""


@dataclass(frozen=True)
class Arrived:
    """A file that arrived: its checksum by the algorithm, if it was hashed, and whether it surely arrived whole.

    An answer with neither a length nor chunks ends with its connection, whatever ended that.
    """

    digests: Mapping[str, str]
    is_whole: bool


def put_file(
    stream: Stream,
    url: str,
    file: WantedFile,
    *,
    hash_with: str | None,
    session_id: str,
    stop: threading.Event,
    on_progress: Progress | None = None,
) -> Mapping[str, str]:
    """Send a local file by HTTP PUT; returns its checksum by `hash_with`, or nothing if that is None.

    Raises what the stream raises, TransferStopped as soon as `stop` is set, TransferFailed if the file cannot be read,
    and ChecksumMismatch before the last byte of a part that differs from its manifest. If the file does not have its
    identity before the first and after the last byte, it raises FileChanged, whatever else failed.
    """
    senders: list[_Sender] = []

    def open_body() -> _Sender:
        _close(senders)
        senders.append(_Sender(file, hash_with, stop, on_progress))
        return senders[-1]

    try:
        try:
            with stream("PUT", url, operation=PUT, session_id=session_id, body=open_body):
                pass
        except ContentError:
            # If the file changed, that helps the user more than the server's words on bytes that do not fit.
            if senders:
                senders[-1].require_unchanged()
            raise
        senders[-1].require_unchanged()
        return senders[-1].digests()
    except (TransferFailed, ChecksumMismatch) as error:
        error.operation, error.session_id = PUT, session_id
        raise
    finally:
        _close(senders)


def get_file(
    stream: Stream,
    url: str,
    sink: Sink,
    *,
    size: int | None,
    hash_with: str | None,
    session_id: str,
    stop: threading.Event,
    on_progress: Progress,
    on_break: Callable[[str], None],
    timing: Timing,
) -> Arrived:
    """Fetch `size` bytes by HTTP GET, or as many as come if the size is not known.

    After a connection breaks, this goes on where it broke if the server takes a Range, else from the start, for
    `download_tries` tries in all. `on_break` gets the reason of each break. Raises what the stream and the sink raise,
    TransferStopped as soon as `stop` is set, and TransferFailed if more bytes come than there should be.
    """
    receiver = _Receiver(sink, size, hash_with, stop, on_progress)
    pause, tries = timing.first_transfer_pause, timing.download_tries
    try:
        for tried in range(1, tries + 1):
            before = receiver.received
            try:
                receiver.receive(stream, url, session_id)
                return Arrived(receiver.digests(), receiver.is_whole)
            except ContentError as error:
                if not error.is_transient or tried == tries:
                    raise
                on_break(f"{error.said} (try {tried} of {tries})")
            if receiver.received <= before:
                stop.wait(pause)
                pause *= 2
        raise AssertionError("the last try returns or raises")
    finally:
        receiver.close()


def _close(senders: list[_Sender]) -> None:
    while senders:
        senders.pop().close()


class _Sender:
    """The body of one PUT: a reader that knows its length, hashes the bytes and reports progress."""

    def __init__(
        self, file: WantedFile, hash_with: str | None, stop: threading.Event, on_progress: Progress | None
    ) -> None:
        if file.path is None or file.identity is None:
            raise AssertionError("only a file that lies here is sent")
        self._path = path = file.path
        self._stop = stop
        self._identity = file.identity
        self._size = file.identity.size
        self._parts = SentParts(file)
        self._sent = 0
        self._on_progress = on_progress
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed by close, which put_file always calls)
        except OSError as error:
            raise unreadable(path, error) from None
        self._hasher = None
        try:
            self.require_unchanged()
        except FileChanged:
            self._file.close()
            raise
        self._hasher = Hasher(hash_with) if hash_with else None

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise TransferStopped
        wanted = min(size if size > 0 else BLOCK_BYTES, self._size - self._sent)
        if wanted <= 0:
            return b""
        try:
            block = self._file.read(wanted)
        except OSError as error:
            raise unreadable(self._path, error) from None
        if not block:
            raise FileChanged(self._path, SENT, f"it ends after {self._sent} of {self._size} bytes")
        self._parts.take(self._sent, block)
        self._sent += len(block)
        if self._hasher:
            self._hasher.update(block)
        if self._on_progress:
            self._on_progress(self._sent)
        return block

    def require_unchanged(self) -> None:
        """Raises FileChanged."""
        require_same(self._path, self._identity, SENT, self._file.fileno())

    def digests(self) -> Mapping[str, str]:
        hasher, self._hasher = self._hasher, None
        return hasher.finish() if hasher else {}

    def close(self) -> None:
        self.digests()
        self._parts.close()
        self._file.close()


class _Receiver:
    """The part of a file that has arrived so far, over one or more connections."""

    def __init__(
        self, sink: Sink, size: int | None, hash_with: str | None, stop: threading.Event, on_progress: Progress
    ) -> None:
        self.received = 0
        self._in_chunks = False
        self._sink = sink
        self._size = size
        self._hash_with = hash_with
        self._hasher = Hasher(hash_with, sink)
        self._stop = stop
        self._on_progress = on_progress

    def receive(self, stream: Stream, url: str, session_id: str) -> None:
        """Fetch the missing rest. Raises ConnectionFailed if the connection ends before all of it has come."""
        if self.received and self.received == self._size:
            return
        headers = {"Range": f"bytes={self.received}-"} if self.received else {}
        operation = "download_session.file.get_data"
        try:
            with stream("GET", url, operation=operation, session_id=session_id, headers=headers) as answer:
                self._place(answer)
                for block in self._blocks(answer):
                    self._take(block)
        except ContentError as error:
            if error.status == RANGE_REFUSED:
                raise self._give_up_rest("the server refuses the rest") from None
            raise
        if self._size is not None and self.received < self._size:
            raise self._broken("the connection ended early")

    @property
    def is_whole(self) -> bool:
        """Whether the file surely arrived whole, even without a checksum."""
        return self._size is not None or self._in_chunks

    def digests(self) -> Mapping[str, str]:
        """Raises what the sink raises."""
        return self._hasher.finish()

    def close(self) -> None:
        self._hasher.close()

    def _place(self, answer: Any) -> None:
        """Find out whether the body that comes next is the rest of the file, or all of it."""
        # An answer in chunks shows its end by the last one. A length beside them does not count.
        chunked = answer.headers.get("Transfer-Encoding", "").lower().split(",")[-1].strip() == "chunked"
        start, whole = 0, None if chunked else answer.headers.get("Content-Length")
        if answer.status_code == 206:
            match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
            start, whole = (int(match.group(1)), match.group(2)) if match else (-1, None)
        # The last chunk of a 206 ends the part, and not the file.
        self._in_chunks = chunked and answer.status_code != 206
        total = int(whole) if whole and whole.isdigit() else None
        other = None not in (total, self._size) and total != self._size
        if start not in (0, self.received) or (start and other):
            raise self._give_up_rest("the server sends another part than it was asked for")
        if start != self.received:
            self._restart()
        if self._size is None:
            self._size = total

    def _blocks(self, answer: Any) -> Iterator[bytes]:
        try:
            yield from answer.iter_content(BLOCK_BYTES)
        except OSError:
            raise self._broken("the connection broke") from None

    def _take(self, block: bytes) -> None:
        if self._stop.is_set():
            raise TransferStopped
        if self._size is not None and self.received + len(block) > self._size:
            raise TransferFailed(
                f"the server sends more than the {self._size} bytes that the file should have",
                operation="download_session.file.get_data",
            )
        self._hasher.update(block)
        self.received += len(block)
        self._on_progress(self.received)

    def _restart(self) -> None:
        self._hasher.finish()
        self._sink.clear()
        self._hasher = Hasher(self._hash_with, self._sink)
        self.received = 0

    def _broken(self, how: str) -> ConnectionFailed:
        of = "" if self._size is None else f" of {self._size}"
        return ConnectionFailed(f"{how} after {self.received}{of} bytes", operation="download_session.file.get_data")

    def _give_up_rest(self, why: str) -> ConnectionFailed:
        """`_broken`, after which the next try starts anew: the server does not send the rest alone."""
        error = self._broken(why)
        self._restart()
        return error
