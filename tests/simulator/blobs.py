# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bytes of files live: in memory, or on disk so that gigabytes do not fill memory."""

from __future__ import annotations

import bisect
import hashlib
import io
import itertools
import os
import uuid
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

HASHES = {"SHA1": "sha1", "MD5": "md5", "SHA256": "sha256", "SHA512": "sha512"}
BLOCK = 1 << 20


class Pieces:
    """Content in memory, kept in the blocks in which it came: one growing buffer would be copied again and again."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = [block for block in blocks if block]
        self._starts = [0, *itertools.accumulate(len(block) for block in self._blocks)]

    def read(self, start: int, length: int) -> bytes:
        found = []
        index = max(0, bisect.bisect_right(self._starts, start) - 1)
        while length > 0 and index < len(self._blocks):
            inside = start - self._starts[index]
            piece = self._blocks[index][inside : inside + length]
            found.append(piece)
            start, length, index = start + len(piece), length - len(piece), index + 1
        return b"".join(found)


class Stored:
    """A file with content, which is removed as soon as no blob is a part of it any more, or the simulator ends."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, uuid.uuid4().hex)
        # An empty file needs a place too.
        with open(self.path, "wb"):
            pass
        weakref.finalize(self, os.unlink, self.path)


@dataclass(frozen=True)
class Blob:
    """Finished content: a range of bytes in memory or in a file, with its known digests."""

    size: int
    digests: dict[str, str] = field(default_factory=dict)
    memory: Pieces | None = None
    stored: Stored | None = None
    offset: int = 0

    def read(self, start: int, length: int) -> bytes:
        length = max(0, min(length, self.size - start))
        if self.memory is not None:
            return self.memory.read(self.offset + start, length)
        assert self.stored is not None
        with open(self.stored.path, "rb") as stream:
            stream.seek(self.offset + start)
            return stream.read(length)

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, self.size, BLOCK):
            yield self.read(start, BLOCK)

    def digest(self, algorithm: str) -> str:
        if algorithm in self.digests:
            return self.digests[algorithm]
        hasher = hashlib.new(HASHES[algorithm])
        for block in self.blocks():
            hasher.update(block)
        self.digests[algorithm] = hasher.hexdigest()
        return self.digests[algorithm]

    def open(self) -> BinaryIO:
        if self.memory is not None:
            return io.BytesIO(self.read(0, self.size))
        assert self.stored is not None
        return open(self.stored.path, "rb")

    def window(self, offset: int, size: int) -> Blob:
        return Blob(size, {}, self.memory, self.stored, self.offset + offset)


class BlobWriter:
    """Takes content block by block and hashes it on the way."""

    def __init__(self, directory: str | None, algorithms: Iterable[str]) -> None:
        self._hashers = {name: hashlib.new(HASHES[name]) for name in algorithms}
        self._stored = Stored(directory) if directory else None
        self._blocks: list[bytes] = []
        self.size = 0

    def write(self, block: bytes) -> None:
        if self._stored is None:
            self._blocks.append(block)
        else:
            with open(self._stored.path, "ab") as stream:
                stream.write(block)
        for hasher in self._hashers.values():
            hasher.update(block)
        self.size += len(block)

    def finish(self) -> Blob:
        digests = {name: hasher.hexdigest() for name, hasher in self._hashers.items()}
        return Blob(self.size, digests, None if self._stored else Pieces(self._blocks), self._stored)


def blob_of(content: bytes) -> Blob:
    return Blob(len(content), {}, Pieces([content]))


def damaged(blob: Blob) -> Blob:
    """The same content with another last byte."""
    content = blob.read(0, blob.size)
    return blob_of(content[:-1] + bytes([content[-1] ^ 0xFF]))
