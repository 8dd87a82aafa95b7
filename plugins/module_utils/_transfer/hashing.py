# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a local file is hashed: in its own thread, beside the one that reads, sends or receives it, and once per task."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from typing import Any, Protocol

from .._vcenter.errors import TransferFailed
from .local_file import COMPARED, FileChanged, Identity, identity_of, require_same, require_same_opened

BLOCK_BYTES = 1024 * 1024
# Enough that the sender does not wait for the hash, and few enough that the memory of a module hardly grows.
QUEUED_BLOCKS = 3


def hash_file(path: str, algorithm: str, offset: int, size: int, identity: Identity | None = None) -> str:
    """The checksum of `size` bytes of a file from `offset`, in lower-case hex digits.

    `algorithm` is an API name such as SHA256. Raises TransferFailed, and FileChanged if the file does not have the
    `identity` before the first and after the last byte. Without an `identity`, that of the opened file counts.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            identity = identity or identity_of(os.fstat(file.fileno()))
            require_same(path, identity, COMPARED)
            digest = hash_opened(file.fileno(), path, algorithm, offset, size, identity)
            require_same(path, identity, COMPARED)
            return digest
    except OSError as error:
        raise unreadable(path, error) from None


def hash_opened(
    descriptor: int, path: str, algorithm: str, offset: int, size: int, identity: Identity | None = None
) -> str:
    """`hash_file` for an open file; `path` only names it in messages."""
    # Reading takes about as long as hashing, so each has a thread.
    hasher = Hasher(algorithm)
    try:
        identity = identity or identity_of(os.fstat(descriptor))
        require_same_opened(path, identity, COMPARED, descriptor)
        while size > 0 and (block := os.pread(descriptor, min(size, BLOCK_BYTES), offset)):
            hasher.update(block)
            offset, size = offset + len(block), size - len(block)
        require_same_opened(path, identity, COMPARED, descriptor)
        if size:
            raise FileChanged(path, COMPARED, f"it lacks {size} bytes")
        return hasher.finish()[algorithm]
    except OSError as error:
        raise unreadable(path, error) from None
    finally:
        hasher.close()


def _new_hash(algorithm: str) -> Any:
    try:
        # The checksum only finds damage, so a host that allows MD5 and SHA-1 for nothing else may use them here.
        return hashlib.new(algorithm.lower(), usedforsecurity=False)
    except ValueError:
        raise TransferFailed(
            f"Python on this host cannot make {algorithm} checksums",
            remedy="Run the task on a host whose OpenSSL allows the algorithm.",
        ) from None


def unreadable(path: str, error: OSError) -> TransferFailed:
    return TransferFailed(f"{path} cannot be read: {error.strerror}")


class Sink(Protocol):
    """Where fetched bytes go. Another thread writes them than receives them. Both methods raise TransferFailed."""

    def write(self, block: bytes) -> None:
        """Append a block."""

    def clear(self) -> None:
        """Remove all blocks."""


class Digests:
    """Checksums of local files; each is computed only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int, int], str] = {}

    def of(self, path: str, algorithm: str, offset: int, size: int, identity: Identity | None) -> str:
        """Raises TransferFailed, and FileChanged, even for a known checksum, if the file has changed."""
        part = (path, algorithm, offset, size)
        if part not in self._known:
            self._known[part] = hash_file(*part, identity)
        elif identity:
            require_same(path, identity, COMPARED)
        return self._known[part]


class Hasher(threading.Thread):
    """Hashes blocks in order, and writes them to a sink, if any, beside the thread that sends or receives them.

    Python's lock is free while OpenSSL and the kernel work. `update` and `finish` raise what the sink raised. Without
    an algorithm the blocks are only written.
    """

    def __init__(self, algorithm: str | None, sink: Sink | None = None) -> None:
        super().__init__(name="hash", daemon=True)
        self._digests = {algorithm: _new_hash(algorithm)} if algorithm else {}
        self._sink = sink
        self._failure: Exception | None = None
        self._blocks: queue.Queue[bytes | None] = queue.Queue(QUEUED_BLOCKS)
        self.start()

    def run(self) -> None:
        while (block := self._blocks.get()) is not None:
            # After a failure it still takes blocks, as the other thread may be waiting for room in the queue.
            if not self._failure:
                self._take(block)

    def update(self, block: bytes) -> None:
        self._require_success()
        self._blocks.put(block)

    def close(self) -> None:
        """Wait until all blocks are hashed and written; may be called again."""
        if self.is_alive():
            self._blocks.put(None)
            self.join()

    def finish(self) -> dict[str, str]:
        """The checksum of all blocks in lower-case hex digits, by its algorithm."""
        self.close()
        self._require_success()
        return {algorithm: digest.hexdigest() for algorithm, digest in self._digests.items()}

    def _take(self, block: bytes) -> None:
        try:
            if self._sink:
                self._sink.write(block)
            for digest in self._digests.values():
                digest.update(block)
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that hands the blocks over)
            self._failure = error

    def _require_success(self) -> None:
        if self._failure:
            raise self._failure
