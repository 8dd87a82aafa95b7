# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How wanted files compare with those on the server. Pure, except for the digest function that the caller passes in.

A comparison ends in one of four verdicts. `EQUAL` and `DIFFERENT` are proven. Without a proof the verdict is
`UNVERIFIABLE`: a disk's size on the server is the storage it uses, and a server may keep no checksum.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Callable, Optional

from .._vcenter.models import LibraryItemFile, UpdateFile
from .content import Checksum, Role, Wanted, WantedFile, read_checksum, role_of
from .local_file import Identity


class Verdict(enum.Enum):
    EQUAL = "equal"
    DIFFERENT = "different"
    UNVERIFIABLE = "unverifiable"
    MISSING = "missing"


@dataclass(frozen=True)
class Held:
    """What the server says of a file that it has; `exact_size` is False if `size` is the storage in use."""

    size: int | None
    checksum: Checksum | None
    exact_size: bool


Digest = Callable[[str, str, int, int, Optional[Identity]], str]
"""Hashes a part of a file: takes (path, algorithm, offset, size in bytes, identity), returns lower-case hex digits."""


def compare(file: WantedFile, held: Held | None, digest: Digest) -> Verdict:
    """Compare a wanted file with the server's file of that name; hash it only if nothing else decides."""
    if held is None:
        return Verdict.MISSING
    if held.exact_size and None not in (held.size, file.size) and held.size != file.size:
        return Verdict.DIFFERENT
    if held.checksum is None or not held.checksum.is_usable:
        return Verdict.UNVERIFIABLE
    # For a local descriptor its bytes count and not the declared checksum, as the task reads its references from them.
    if file.checksum and file.checksum.algorithm == held.checksum.algorithm and not file.is_read:
        return Verdict.EQUAL if file.checksum == held.checksum else Verdict.DIFFERENT
    if file.path is None or file.size is None:
        return Verdict.UNVERIFIABLE
    digits = digest(file.path, held.checksum.algorithm, file.offset, file.size, file.identity)
    return Verdict.EQUAL if digits == held.checksum.digest else Verdict.DIFFERENT


def compare_with_item(wanted: Wanted, files: Sequence[LibraryItemFile], digest: Digest) -> dict[str, Verdict]:
    """Compare each wanted file, and each member of an OVA, with the item's files.

    Files that the server need not keep count as equal where they are not there.
    """
    held = held_by_item(files)
    verdicts = {file.name: _compare_with_held(file, held, digest) for file in wanted.content}
    archives = {
        file.name: together(verdicts[part.name] for part in file.members) for file in wanted.files if file.members
    }
    return {**verdicts, **archives}


def _compare_with_held(file: WantedFile, held: Mapping[str, Held], digest: Digest) -> Verdict:
    if file.may_be_dropped and file.name not in held:
        return Verdict.EQUAL
    if file.is_opaque and file.name not in held:
        unpacked = any(role_of(name) is Role.DESCRIPTOR for name in held)
        return Verdict.UNVERIFIABLE if unpacked else Verdict.MISSING
    return compare(file, held.get(file.name), digest)


def compare_with_session(
    wanted: Wanted, files: Sequence[UpdateFile], in_item: Mapping[str, Verdict], digest: Digest
) -> dict[str, Verdict]:
    """Compare each wanted file with the files of an ACTIVE session.

    A file that the session does not change (source NONE) is the item's. If the session says too little about it, its
    verdict of `in_item` counts.
    """
    held = held_by_session(files)
    there, unchanged = {file.name for file in files}, names_unchanged(files)
    verdicts: dict[str, Verdict] = {}
    for file in wanted.files:
        verdict = compare(file, held.get(file.name), digest)
        if verdict in (Verdict.UNVERIFIABLE, Verdict.MISSING) and _is_untouched(file, there, unchanged):
            verdict = in_item.get(file.name, verdict)
        verdicts[file.name] = verdict
        for part in file.members:
            # Once the session has received an OVA, its members have its verdict; until then they are the item's.
            verdicts[part.name] = verdict if file.name in held else in_item.get(part.name, Verdict.MISSING)
    return verdicts


def is_filled(wanted: Wanted, verdicts: Mapping[str, Verdict], files: Sequence[UpdateFile]) -> bool:
    """Whether an ACTIVE session has received all wanted files and no others, as far as the task can tell.

    vCenter may then be completing it for an earlier run. `verdicts` are those of `compare_with_session`.
    """
    received = [file for file in files if file.is_brought]
    fits = (Verdict.EQUAL, Verdict.UNVERIFIABLE)
    return (
        bool(received)
        and all(file.status == "READY" and _may_belong(file.name, wanted) for file in received)
        and all(verdicts[file.name] in fits for file in wanted.files)
    )


def _may_belong(name: str, wanted: Wanted) -> bool:
    """Whether a received file is a wanted one, or one that a package brings which vCenter fetches."""
    return name in wanted.names or bool(wanted.pulled_packages)


def _is_untouched(file: WantedFile, there: Container[str], unchanged: Set[str]) -> bool:
    """Whether a session does not change a file of the item; `there` are all names in the session."""
    if file.role is not Role.ARCHIVE:
        return file.name in unchanged
    parts = {part.name for part in file.members if not part.may_be_dropped}
    return parts <= unchanged and file.name not in there


def needs_item_content(wanted: Wanted, files: Sequence[UpdateFile]) -> bool:
    """Whether an ACTIVE session says too little about its unchanged files to compare the wanted ones with them."""
    unchanged = names_unchanged(files)
    parts = {part.name for file in wanted.files for part in file.members}
    return any(file.is_opaque for file in wanted.files) or any(
        file.name in unchanged and file.name in wanted.names and (file.name in parts or not file.checksum_info)
        for file in files
    )


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict from several: those on the parts of a file, or by several checksums."""
    found = set(verdicts)
    for verdict in (Verdict.MISSING, Verdict.DIFFERENT, Verdict.UNVERIFIABLE):
        if verdict in found:
            return verdict
    return Verdict.EQUAL


def bytes_of(file: LibraryItemFile) -> int | None:
    """How many bytes a file of an item holds, None if nobody can tell.

    Its size is the storage that it uses. For a disk that is another number, and for a file that is not cached it is 0.
    """
    return file.size if is_cached(file) and role_of(file.name) is not Role.DISK else None


def is_cached(file: LibraryItemFile) -> bool:
    """Whether the server holds the content of a file of an item. Not every server says so; 0 bytes then are none."""
    return bool(file.size) if file.cached is None else file.cached


def held_by_item(files: Sequence[LibraryItemFile]) -> dict[str, Held]:
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=bytes_of(file) is not None)
        for file in files
    }


def held_by_session(files: Sequence[UpdateFile]) -> dict[str, Held]:
    """The files that a session has received completely."""
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=file.is_brought)
        for file in files
        if file.status == "READY"
    }


def names_unchanged(files: Sequence[UpdateFile]) -> set[str]:
    return {file.name for file in files if not file.is_brought}
