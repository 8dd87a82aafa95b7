# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether files are those that their manifest vouches for: small ones are read before they are sent, others meanwhile.

To read a large file twice would cost as much time as many networks need to carry it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .._vcenter.errors import ChecksumMismatch
from .comparison import Digest
from .content import Checksum, WantedFile, unpacked
from .hashing import Hasher

LARGE_BYTES = 64 * 1024 * 1024
"""From which size on a file is compared with its manifest only while it is sent."""


def mismatches(files: Iterable[WantedFile], digest: Digest) -> Iterator[ChecksumMismatch]:
    """What differs between local files that are not large and their manifests, one by one."""
    for file in unpacked(files):
        if not file.path or file.size is None or file.size >= LARGE_BYTES:
            continue
        for vouched in file.vouched:
            digits = digest(file.path, vouched.algorithm, file.offset, file.size, file.identity)
            if digits != vouched.digest:
                yield _mismatch(file, vouched, digits)


def without_vouchers(file: WantedFile) -> WantedFile:
    """The file as if it had no manifest."""
    return replace(file, vouched=(), members=tuple(replace(part, vouched=()) for part in file.members))


def _mismatch(file: WantedFile, vouched: Checksum, digits: str) -> ChecksumMismatch:
    return ChecksumMismatch(
        f"{file.origin} is not the file that its manifest vouches for: the manifest says {vouched.algorithm} "
        f"{vouched.digest}, the file has {digits}",
        remedy="Nothing was published. If the file is right, make the manifest anew, and its signature. If not, copy "
        "or export the package again.",
    )


class SentParts:
    """The large parts of one file while it is sent: all of it, or members of an OVA."""

    def __init__(self, file: WantedFile) -> None:
        self._left = [
            _Part(part, vouched)
            for part in unpacked([file])
            if part.size is not None and part.size >= LARGE_BYTES
            for vouched in part.vouched
        ]

    def take(self, start: int, block: bytes) -> None:
        """Note bytes of the file before they are sent. Raises ChecksumMismatch at the end of a part that differs."""
        for part in self._left:
            part.take(start, block)
        self._left = [part for part in self._left if not part.is_done]

    def close(self) -> None:
        for part in self._left:
            part.close()


class _Part:
    def __init__(self, file: WantedFile, vouched: Checksum) -> None:
        self.is_done = False
        self._file = file
        self._vouched = vouched
        self._end = file.offset + (file.size or 0)
        self._hasher: Hasher | None = None

    def take(self, start: int, block: bytes) -> None:
        own = block[max(self._file.offset - start, 0) : max(self._end - start, 0)]
        if not own:
            return
        self._hasher = self._hasher or Hasher(self._vouched.algorithm)
        self._hasher.update(own)
        if start + len(block) >= self._end:
            digits = self._hasher.finish()[self._vouched.algorithm]
            self.is_done = True
            if digits != self._vouched.digest:
                raise _mismatch(self._file, self._vouched, digits)

    def close(self) -> None:
        if self._hasher:
            self._hasher.close()
