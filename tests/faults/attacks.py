# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hostile server may answer: status by encoding by body by pace, made while it is sent.

A body is endless unless its name says otherwise, and a server that drips sends a byte at a time, long before anybody
would call it silent.
"""

from __future__ import annotations

import gzip
import itertools
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Callable

BLOCK = bytes(64 * 1024)
DRIP_SECONDS = 0.2
PACKED_BYTES = 1 << 30
ENCODINGS = ("identity", "gzip", "deflate")
# A redirect, a refusal, a gateway's answer and one that seems fine.
STATUSES = (200, 302, 401, 503)


@dataclass(frozen=True)
class Attack:
    """One answer; `drips` is whether it comes byte by byte."""

    status: int
    encoding: str
    body: str
    drips: bool = False

    @property
    def id(self) -> str:
        return f"{self.status}-{self.encoding}-{self.body}-{'drips' if self.drips else 'rushes'}"

    def pieces(self) -> Iterator[bytes]:
        pieces = BODIES[self.body](self)
        return drip(pieces) if self.drips else iter(pieces)

    def head(self, *headers: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Made Up", "Content-Type: application/json", *headers]
        if self.status == 302:
            lines.append("Location: https://elsewhere.invalid/")
        if self.encoding != "identity":
            lines.append(f"Content-Encoding: {self.encoding}")
        return "\r\n".join([*lines, "", ""]).encode()


def drip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for number in piece:
            time.sleep(DRIP_SECONDS)
            yield bytes([number])


def packed(encoding: str) -> Iterator[bytes]:
    """A gigabyte of zeros, which takes one megabyte on the wire."""
    if encoding == "identity":
        yield from itertools.repeat(BLOCK, PACKED_BYTES // len(BLOCK))
        return
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    for block in itertools.repeat(BLOCK, PACKED_BYTES // len(BLOCK)):
        yield packer.compress(block)
    yield packer.flush()


def _until_closed(attack: Attack) -> Iterator[bytes]:
    yield attack.head("Connection: close")
    yield from packed(attack.encoding)


def _announced(attack: Attack) -> Iterator[bytes]:
    yield attack.head(f"Content-Length: {PACKED_BYTES}")
    yield from packed(attack.encoding)


def _chunked(attack: Attack) -> Iterator[bytes]:
    yield attack.head("Transfer-Encoding: chunked")
    for block in packed(attack.encoding):
        if block:
            yield b"%x\r\n%s\r\n" % (len(block), block)


def _one_chunk(attack: Attack) -> Iterator[bytes]:
    yield attack.head("Transfer-Encoding: chunked")
    yield b"ffffffffff\r\n"
    yield from packed(attack.encoding)


def _size_of_a_chunk(attack: Attack) -> Iterator[bytes]:
    yield attack.head("Transfer-Encoding: chunked")
    yield from itertools.repeat(b"0" * len(BLOCK), PACKED_BYTES // len(BLOCK))


def _trailers(attack: Attack) -> Iterator[bytes]:
    yield attack.head("Transfer-Encoding: chunked") + b"0\r\n"
    for number in range(1 << 20):
        yield b"X-%d: %s\r\n" % (number, b"a" * 1000)


def _headers(attack: Attack) -> Iterator[bytes]:
    yield attack.head()[:-2]
    for number in range(1 << 20):
        yield b"X-%d: %s\r\n" % (number, b"a" * 1000)


def _one_header(attack: Attack) -> Iterator[bytes]:
    yield attack.head()[:-2] + b"X: "
    yield from itertools.repeat(b"a" * len(BLOCK), PACKED_BYTES // len(BLOCK))


def _interim(_attack: Attack) -> Iterator[bytes]:
    yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\nX: a\r\n\r\n")


def _finite(attack: Attack) -> Iterator[bytes]:
    """Of the size that is just taken."""
    body = b'"' + b"a" * (31 << 20) + b'"'
    coded = body
    if attack.encoding != "identity":
        coded = gzip.compress(body) if attack.encoding == "gzip" else zlib.compress(body)
    yield attack.head(f"Content-Length: {len(coded)}") + coded


BODIES: dict[str, Callable[[Attack], Iterable[bytes]]] = {
    "until-closed": _until_closed,
    "announced": _announced,
    "chunked": _chunked,
    "one-chunk": _one_chunk,
    "size-of-a-chunk": _size_of_a_chunk,
    "trailers": _trailers,
    "headers": _headers,
    "one-header": _one_header,
    "interim": _interim,
    "just-taken": _finite,
}
# What has an end of its own, or is refused at its head, when it comes at full speed.
RUSHING = tuple(name for name in BODIES if name not in ("interim", "trailers"))
