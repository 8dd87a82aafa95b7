# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OVA holds, read from its headers, its descriptor and its manifest."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .._vcenter.errors import InvalidArgument
from .content import PREVIEWED, Role, WantedFile, role_of
from .file_budget import Budget
from .local_file import Identity
from .manifest import read_manifests, with_vouched
from .names import is_file_name
from .ovf import read_references
from .references import Archive, find_references

TAR_BLOCK_BYTES = 512
HEADER_BYTES = 16 * 1024


GLOBAL_RECORDS = 100
"""How many bytes may be read to find a member of an archive, and how many records may apply to all members. A header
has 512 bytes, and the other records of a file (a long name, times, labels) have some hundreds.
"""


@dataclass(frozen=True)
class Contents:
    """The files in an OVA, in its order, and what is to be said of it; `faults` and `remarks` as those of `Wanted`."""

    members: tuple[WantedFile, ...]
    faults: tuple[str, ...]
    remarks: tuple[str, ...]


def read_ova(path: str, identity: Identity | None, budget: Budget) -> Contents:
    """What an OVA holds, read from the headers, the descriptor and the manifest. Raises InvalidArgument.

    Source: DMTF DSP0243, OVF 1.1, section 12: a tar archive of plain files, the descriptor first.
    """
    extended: list[str] = []
    try:
        with _HeaderReader(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            members: list[WantedFile] = []
            for entry in _entries(path, file, archive, budget):
                members.append(replace(_member(path, entry), identity=identity))
                if entry.pax_headers:
                    extended.append(entry.name)
            references = _require_package(path, members)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"files: {path} is not a whole tar archive, as an OVA must be: {error}", remedy="Copy or export it again."
        ) from None
    by_name = {member.name: member for member in members}
    package = [members[0], *(by_name[name] for name in references)]
    said = read_manifests(members, [package])
    return Contents(
        tuple(replace(with_vouched(member, said.vouched), is_referenced=member in package) for member in members),
        said.faults,
        (*said.remarks, *_extensions(path, extended)),
    )


def _extensions(path: str, names: Sequence[str]) -> Iterator[str]:
    """A warning about headers of the format pax.

    Source: https://github.com/vmware/open-vmdk/pull/65, by which vSphere does not support members over 8 GiB in it, and
    older versions not even smaller ones.
    """
    if names:
        yield (
            f"{path} has headers of the tar format pax, the first of them for {names[0]!r}. vCenter does not read "
            "those that say that a member is over 8 GiB, and old versions none. Pack the OVA with tar --format=ustar, "
            "or with --format=gnu if a member is over 8 GiB."
        )


def is_ova_of_other_name(file: WantedFile) -> bool:
    """Whether a local file is an OVA, and nothing in its name says so."""
    if file.role is not Role.OTHER or not file.path:
        return False
    with open(file.path, "rb") as stream:
        block = stream.read(TAR_BLOCK_BYTES)
    try:
        return role_of(tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape").name) is Role.DESCRIPTOR
    except tarfile.TarError:
        return False


def _entries(path: str, file: _HeaderReader, archive: tarfile.TarFile, budget: Budget) -> Iterator[tarfile.TarInfo]:
    """The headers of an archive one by one; none is kept in memory."""
    if not archive.offset:
        # An archive without members: before Python 3.11, tarfile would seek to a position before the file.
        return
    for entry in iter(archive.next, None):
        if len(archive.pax_headers) > GLOBAL_RECORDS:
            raise tarfile.ReadError("a header for all members is too large")
        budget.take(entry.name, path)
        # tarfile keeps every header with all its records.
        archive.members.clear()  # type: ignore[attr-defined]
        file.left = HEADER_BYTES
        yield entry


def _member(path: str, entry: tarfile.TarInfo) -> WantedFile:
    if not entry.isreg() or entry.issparse() or entry.size < 0:
        raise InvalidArgument(
            f"files: {path} holds {entry.name!r}, which is not a plain file", remedy="Export the OVA again."
        )
    # tar writes `./` before each name if it packs a directory.
    name = entry.name[2:] if entry.name.startswith("./") else entry.name
    if not is_file_name(name):
        raise InvalidArgument(
            f"files: {path} holds {entry.name!r}, which is not a plain file name", remedy="Export the OVA again."
        )
    return WantedFile(name, f"{name} in {path}", path, entry.size, entry.offset_data)


def _require_package(path: str, members: Sequence[WantedFile]) -> tuple[str, ...]:
    """Require an OVA that vCenter takes: whole, the descriptor first, each name once and each reference there.

    Returns the names of the members that the descriptor references. Raises InvalidArgument.
    """
    names = Counter(member.name for member in members)
    if not members or members[0].role is not Role.DESCRIPTOR:
        raise InvalidArgument(f"files: {path} does not start with an OVF descriptor", remedy="Export the OVA again.")
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise InvalidArgument(f"files: {path} holds {twice[0]!r} twice", remedy="Export the OVA again.")
    packages = [member.name for member in members[1:] if member.role in PREVIEWED]
    if packages:
        raise InvalidArgument(
            f"files: {path} holds {packages[0]!r} as well, which vCenter takes for a package of its own",
            remedy="Export the OVA again, and publish the other package to an item of its own.",
        )
    if not _is_ended(path, members[-1]):
        raise InvalidArgument(
            f"files: {path} is cut off or damaged after {members[-1].name!r}", remedy="Copy or export it again."
        )
    return find_references(read_references(members[0], Budget()), Archive(path, names.keys()), members[0].origin)


def _is_ended(path: str, last: WantedFile) -> bool:
    """Whether the archive has its end mark after the last member: tarfile takes any invalid header for the end."""
    with open(path, "rb") as file:
        file.seek(last.offset + -(-(last.size or 0) // TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES)
        return file.read(TAR_BLOCK_BYTES) == bytes(TAR_BLOCK_BYTES)


class _HeaderReader(io.FileIO):
    """A file that limits how many bytes tarfile reads for one member.

    Forged headers can claim names of gigabytes, or follow each other without end, and tarfile holds all in memory.
    """

    left = HEADER_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= self.left:
            raise tarfile.ReadError("a header is too large")
        self.left -= size
        return super().read(size) or b""
