# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bytes move: a file to a URL or from one, hashed on the way in a thread of its own; several files at once.

Memory use does not grow with the size of a file.
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from .._vcenter.errors import ConnectionFailed, ContentError, TimedOut, TransferFailed
from .local_file import COMPARED, SENT, FileChanged, Identity, identity_of, require_same, require_same_opened

BLOCK_BYTES = 1024 * 1024
# Enough for the sender not to wait for the hash, and few enough not to show in the memory of a module.
QUEUED_BLOCKS = 3
STOP_SECONDS = 1.0
PUT = "update_session.file.put"
GET_TRIES = 5
FIRST_GET_PAUSE = 0.25
PASSING_STATUSES = (429, 502, 503, 504)
RANGE_REFUSED = 416

Stream = Callable[..., AbstractContextManager[Any]]
"""C(Connection.stream)."""

Progress = Callable[[int], None]
"""Told how many bytes of the file have been handed over so far."""


@dataclass(frozen=True)
class Arrived:
    """What came of a file: its checksum, and whether that is surely all of it.

    The end of an answer that names no length, and is not sent in chunks, is that of its connection, whatever ended it.
    """

    digest: str
    is_whole: bool


def hash_file(path: str, algorithm: str, offset: int, size: int, identity: Identity | None = None) -> str:
    """The checksum of C(size) bytes of a file from C(offset), in lower-case hex digits.

    C(algorithm) is an API name such as SHA256. Raises TransferFailed, and FileChanged if the file is not the one of the
    C(identity) before the first and after the last byte; without one, that of the moment when it is opened.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            identity = identity or identity_of(os.fstat(file.fileno()))
            require_same(path, identity, COMPARED)
            digest = hash_opened(file.fileno(), path, algorithm, offset, size, identity)
            require_same(path, identity, COMPARED)
            return digest
    except OSError as error:
        raise _unreadable(path, error) from None


def hash_opened(
    descriptor: int, path: str, algorithm: str, offset: int, size: int, identity: Identity | None = None
) -> str:
    """The same of a file that is open, wherever the path that it is called by leads."""
    # Reading and hashing take about as long as each other, so each has a thread.
    hasher = _Hasher(algorithm)
    try:
        identity = identity or identity_of(os.fstat(descriptor))
        require_same_opened(path, identity, COMPARED, descriptor)
        while size > 0 and (block := os.pread(descriptor, min(size, BLOCK_BYTES), offset)):
            hasher.update(block)
            offset, size = offset + len(block), size - len(block)
        require_same_opened(path, identity, COMPARED, descriptor)
        if size:
            raise FileChanged(path, COMPARED, f"it lacks {size} bytes")
        return hasher.finish()
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        hasher.close()


def put_file(
    stream: Stream,
    url: str,
    path: str,
    identity: Identity,
    *,
    hash_with: str | None,
    session_id: str,
    stop: threading.Event,
    on_progress: Progress | None = None,
) -> str | None:
    """Send a file by HTTP PUT; returns its checksum when C(hash_with) names an algorithm.

    Raises what the stream raises, TransferStopped as soon as C(stop) is set, and TransferFailed if the file cannot be
    read. If it is not the one of the C(identity) before the first and after the last byte, that is a FileChanged,
    whatever else became of it.
    """
    senders: list[_Sender] = []

    def open_body() -> _Sender:
        _close(senders)
        senders.append(_Sender(path, identity, hash_with, stop, on_progress))
        return senders[-1]

    try:
        try:
            with stream("PUT", url, operation=PUT, session_id=session_id, body=open_body):
                pass
        except ContentError:
            # A server that refuses bytes which do not fit together says so in words that help nobody.
            if senders:
                senders[-1].require_unchanged()
            raise
        senders[-1].require_unchanged()
        return senders[-1].digest()
    except TransferFailed as error:
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
    hash_with: str,
    session_id: str,
    stop: threading.Event,
    on_progress: Progress,
    on_break: Callable[[str], None],
) -> Arrived:
    """Fetch C(size) bytes by HTTP GET, or as many as come where the size is not known.

    A connection that breaks is taken up where it broke if the server takes a Range, else from the start, a bounded
    number of times; C(on_break) is told how each one broke. Raises what the stream and the sink raise, TransferStopped
    as soon as C(stop) is set, and TransferFailed for more bytes than there should be.
    """
    receiver = _Receiver(sink, size, hash_with, stop, on_progress)
    pause = FIRST_GET_PAUSE
    try:
        for tried in range(1, GET_TRIES + 1):
            before = receiver.received
            try:
                receiver.receive(stream, url, session_id)
                return Arrived(receiver.digest(), receiver.is_whole)
            except ContentError as error:
                if not will_pass(error) or tried == GET_TRIES:
                    raise
                on_break(f"{error.said} (try {tried} of {GET_TRIES})")
            if receiver.received <= before:
                stop.wait(pause)
                pause *= 2
        raise AssertionError("the last try returns or raises")
    finally:
        receiver.close()


def will_pass(error: ContentError) -> bool:
    """Whether a transfer that failed so is worth another try."""
    return isinstance(error, (ConnectionFailed, TimedOut)) or error.status in PASSING_STATUSES


def run_all(jobs: Mapping[str, Callable[[], None]], *, limit: int, stop: threading.Event) -> None:
    """Run named jobs, at most C(limit) at a time; the first that fails sets C(stop), and the others end by it.

    Raises the first failure, with each job's fate in its notes, or TransferStopped if C(stop) was set from outside.
    The threads are daemons, so that a job that hangs in the network keeps nobody from ending.
    """
    crew = _Crew(jobs, stop)
    workers = [
        threading.Thread(target=crew.work, name=f"transfer-{number}", daemon=True)
        for number in range(min(limit, len(jobs)))
    ]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    except BaseException:
        stop.set()
        end = time.monotonic() + STOP_SECONDS
        for worker in workers:
            # The signal may have come before all of them were started.
            if worker.is_alive():
                worker.join(max(0.0, end - time.monotonic()))
        raise
    crew.require_success()


def _new_hash(algorithm: str) -> Any:
    try:
        # It finds damage and wards off nobody, so a host that allows MD5 and SHA-1 only for that may use them.
        return hashlib.new(algorithm.lower(), usedforsecurity=False)
    except ValueError:
        raise TransferFailed(
            f"Python on this host cannot make {algorithm} checksums",
            remedy="Run the task on a host whose OpenSSL allows the algorithm.",
        ) from None


def _unreadable(path: str, error: OSError) -> TransferFailed:
    return TransferFailed(f"{path} cannot be read: {error.strerror}")


def _close(senders: list[_Sender]) -> None:
    while senders:
        senders.pop().close()


class Sink(Protocol):
    """Where fetched bytes go, written by another thread than receives them; both methods raise TransferFailed."""

    def write(self, block: bytes) -> None:
        """Add a block at the end."""

    def clear(self) -> None:
        """Forget all blocks."""


class TransferStopped(Exception):
    """The transfer was asked to stop, as another one failed or its session was lost."""


class _Crew:
    """Jobs shared by several threads, and what became of each."""

    def __init__(self, jobs: Mapping[str, Callable[[], None]], stop: threading.Event) -> None:
        self._jobs = jobs
        self._stop = stop
        self._fates = dict.fromkeys(jobs, "was not started")
        self._failures: list[Exception] = []
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in jobs:
            self._waiting.put(name)

    def work(self) -> None:
        while not self._stop.is_set():
            try:
                name = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._run(name)

    def require_success(self) -> None:
        if self._failures:
            error = self._failures[0]
            if isinstance(error, ContentError) and len(self._jobs) > 1:
                error.notes.append("; ".join(f"{name} {fate}" for name, fate in self._fates.items()) + ".")
            raise error
        if self._stop.is_set():
            raise TransferStopped

    def _run(self, name: str) -> None:
        self._fates[name] = "was stopped"
        try:
            self._jobs[name]()
            self._fates[name] = "was transferred"
        except TransferStopped:
            self._stop.set()
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that waits)
            self._fates[name] = "failed"
            self._failures.append(error)
            self._stop.set()


class Digests:
    """Checksums of local files, each made once however often it is asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int, int], str] = {}

    def of(self, path: str, algorithm: str, offset: int, size: int, identity: Identity | None) -> str:
        """Raises TransferFailed, and FileChanged also where the checksum is known and the file is another one now."""
        part = (path, algorithm, offset, size)
        if part not in self._known:
            self._known[part] = hash_file(*part, identity)
        elif identity:
            require_same(path, identity, COMPARED)
        return self._known[part]


class _Hasher(threading.Thread):
    """Hashes blocks in order, and writes them where they go to a sink, beside the thread that sends or receives them.

    OpenSSL and the kernel let go of the interpreter while they work. What the sink raises, C(update) and C(finish)
    raise.
    """

    def __init__(self, algorithm: str, sink: Sink | None = None) -> None:
        super().__init__(name="hash", daemon=True)
        self._digest = _new_hash(algorithm)
        self._sink = sink
        self._failure: Exception | None = None
        self._blocks: queue.Queue[bytes | None] = queue.Queue(QUEUED_BLOCKS)
        self.start()

    def run(self) -> None:
        while (block := self._blocks.get()) is not None:
            # After a failure blocks are still taken, as whoever hands them over may be waiting for room.
            if not self._failure:
                self._take(block)

    def update(self, block: bytes) -> None:
        self._require_success()
        self._blocks.put(block)

    def close(self) -> None:
        """Wait until all blocks have been dealt with; may be called again."""
        if self.is_alive():
            self._blocks.put(None)
            self.join()

    def finish(self) -> str:
        self.close()
        self._require_success()
        return str(self._digest.hexdigest())

    def _take(self, block: bytes) -> None:
        try:
            if self._sink:
                self._sink.write(block)
            self._digest.update(block)
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that hands the blocks over)
            self._failure = error

    def _require_success(self) -> None:
        if self._failure:
            raise self._failure


class _Sender:
    """The body of one PUT: a reader that knows its length, hashes what it hands out and reports progress."""

    def __init__(
        self, path: str, identity: Identity, hash_with: str | None, stop: threading.Event, on_progress: Progress | None
    ) -> None:
        self._path = path
        self._stop = stop
        self._identity = identity
        self._size = identity.size
        self._sent = 0
        self._on_progress = on_progress
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed by close, which put_file always calls)
        except OSError as error:
            raise _unreadable(path, error) from None
        self._hasher = None
        try:
            self.require_unchanged()
        except FileChanged:
            self._file.close()
            raise
        self._hasher = _Hasher(hash_with) if hash_with else None

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
            raise _unreadable(self._path, error) from None
        if not block:
            raise FileChanged(self._path, SENT, f"it ends after {self._sent} of {self._size} bytes")
        self._sent += len(block)
        if self._hasher:
            self._hasher.update(block)
        if self._on_progress:
            self._on_progress(self._sent)
        return block

    def require_unchanged(self) -> None:
        """Raises FileChanged."""
        require_same(self._path, self._identity, SENT, self._file.fileno())

    def digest(self) -> str | None:
        hasher, self._hasher = self._hasher, None
        return hasher.finish() if hasher else None

    def close(self) -> None:
        self.digest()
        self._file.close()


class _Receiver:
    """What has come of one file so far, over as many connections as it takes."""

    def __init__(
        self, sink: Sink, size: int | None, hash_with: str, stop: threading.Event, on_progress: Progress
    ) -> None:
        self.received = 0
        self._in_chunks = False
        self._sink = sink
        self._size = size
        self._hash_with = hash_with
        self._hasher = _Hasher(hash_with, sink)
        self._stop = stop
        self._on_progress = on_progress

    def receive(self, stream: Stream, url: str, session_id: str) -> None:
        """Fetch what is still missing. Raises ConnectionFailed if the connection ends before all of it has come."""
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
        """Whether all has come, as far as that is known without a checksum."""
        return self._size is not None or self._in_chunks

    def digest(self) -> str:
        """Raises what the sink raises."""
        return self._hasher.finish()

    def close(self) -> None:
        self._hasher.close()

    def _place(self, answer: Any) -> None:
        """Decide what the body that is about to come is: the rest, or all of it."""
        # Chunks have a last one, and whatever length is given beside them does not count.
        chunked = answer.headers.get("Transfer-Encoding", "").lower().split(",")[-1].strip() == "chunked"
        start, whole = 0, None if chunked else answer.headers.get("Content-Length")
        if answer.status_code == 206:
            match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
            start, whole = (int(match.group(1)), match.group(2)) if match else (-1, None)
        # A part of an unknown whole has an end of its own.
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
        self._hasher = _Hasher(self._hash_with, self._sink)
        self.received = 0

    def _broken(self, how: str) -> ConnectionFailed:
        of = "" if self._size is None else f" of {self._size}"
        return ConnectionFailed(f"{how} after {self.received}{of} bytes", operation="download_session.file.get_data")

    def _give_up_rest(self, why: str) -> ConnectionFailed:
        """The same, where only the whole file can be had: the next try starts anew."""
        error = self._broken(why)
        self._restart()
        return error
