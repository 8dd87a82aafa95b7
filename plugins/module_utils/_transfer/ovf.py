# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OVF descriptor references, read within limits. Source: DMTF DSP0243, OVF 1.1, section 7.1.

vCenter since 6.5 refuses a package with compressed disks, as https://github.com/EMCECS/ECS-CommunityEdition/issues/329
and https://github.com/sexibytes/sexilog/issues/49 show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from .._vcenter.errors import InvalidArgument
from .content import WantedFile
from .file_budget import Budget

BLOCK_BYTES = 64 * 1024
DESCRIPTOR_BYTES = 4 * 1024 * 1024


DESCRIPTOR_NODES = 250_000
"""How many bytes, and how many elements and attributes, a descriptor may have: more than a hundred times what tools
write for one virtual machine. A node of a few bytes takes several hundred in the memory of the parser.
"""


@dataclass(frozen=True)
class Reference:
    """A reference to a file, as the descriptor writes it.

    A file that `is_split` lies in `parts` files, named href.000000000 and on; None if the descriptor does not say how
    many.
    """

    href: str
    is_split: bool = False
    parts: int | None = None


def read_references(descriptor: WantedFile, budget: Budget) -> tuple[Reference, ...]:
    """The References section of an OVF descriptor, in its order.

    Only that of the envelope itself counts, and no elements of foreign namespaces. Raises InvalidArgument
    for what is no descriptor, for a compressed file, for a document type, so that no entity is ever expanded, and for a
    second reference to a file, which the standard forbids.
    """
    origin, size = descriptor.origin, descriptor.size or 0
    if size > DESCRIPTOR_BYTES:
        raise InvalidArgument(
            f"files: {origin} has {size} bytes, where an OVF descriptor has at most {DESCRIPTOR_BYTES}",
            remedy="Check whether it is a descriptor, and export the package again.",
        )
    reader = _Reader(origin, budget)
    # Interning would keep every name, and in a hostile document all names are different.
    parser = expat.ParserCreate(namespace_separator=" ", intern=None)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    try:
        for block in blocks_of(descriptor):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _no_descriptor(origin, str(error)) from None
    return tuple(reader.found.values())


class _Reader:
    """What the parser has seen of a descriptor so far; `found` are its references by their names."""

    def __init__(self, origin: str, budget: Budget) -> None:
        self.found: dict[str, Reference] = {}
        self._origin = origin
        self._budget = budget
        self._depth: list[str] = []
        self._nodes = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if self._nodes > DESCRIPTOR_NODES:
            raise InvalidArgument(
                f"files: {self._origin} has more elements and attributes than an OVF descriptor, which has at most "
                f"{DESCRIPTOR_NODES}",
                remedy="Check whether it is a descriptor, and export the package again.",
            )
        namespace, name = _split(tag)
        if not self._depth and (name != "Envelope" or not _is_own(namespace)):
            raise _no_descriptor(self._origin, f"its root element is {name[:80]!r}, and not an Envelope of OVF")
        self._depth.append(name if _is_own(namespace) else "")
        if self._depth == ["Envelope", "References", "File"]:
            own = {_split(key): value for key, value in attributes.items()}
            self._take({local: value for (space, local), value in own.items() if _is_own(space)})

    def end(self, _tag: str) -> None:
        self._depth.pop()

    def refuse_doctype(self, *_declaration: Any) -> None:
        raise InvalidArgument(
            f"files: {self._origin} has a document type declaration, which no OVF descriptor needs",
            remedy="Remove the DOCTYPE; it is refused as it can make a parser read or fetch other files.",
        )

    def _take(self, attributes: Mapping[str, str]) -> None:
        href, compression = attributes.get("href", ""), attributes.get("compression", "identity")
        if href in self.found:
            raise twice_referenced(self._origin, href)
        if compression not in ("identity", ""):
            raise InvalidArgument(
                f"files: {self._origin} says that {href!r} is compressed by {compression!r}, and vCenter takes no "
                "package with compressed disks",
                remedy="Write the package without compression: ovftool without --compress does so, or unpack the disk "
                "with gunzip, and correct its name and ovf:compression in the descriptor, and the manifest.",
            )
        reference = Reference(href, "chunkSize" in attributes, _count_parts(attributes, self._origin))
        # There is no limit on the number of parts, so they are counted before anybody looks for them.
        for number in range(reference.parts or 1):
            self._budget.take(part_name(href, number) if reference.is_split else href, self._origin)
        self.found[href] = reference


def part_name(name: str, number: int) -> str:
    return f"{name}.{number:09d}"


def twice_referenced(origin: str, name: str) -> InvalidArgument:
    return InvalidArgument(
        f"files: {origin} references {name!r} twice",
        remedy="Export the package again: two references may not lead to one file.",
    )


def _no_descriptor(origin: str, reason: str) -> InvalidArgument:
    return InvalidArgument(f"files: {origin} is not an OVF descriptor: {reason}", remedy="Export the package again.")


def blocks_of(file: WantedFile) -> Iterator[bytes]:
    """The bytes of a local file, or of a member of an archive, without any that were added since."""
    left = file.size or 0
    with open(str(file.path), "rb") as stream:
        stream.seek(file.offset)
        while left:
            block = stream.read(min(left, BLOCK_BYTES))
            if not block:
                return
            left -= len(block)
            yield block


def _split(name: str) -> tuple[str, str]:
    """The namespace, empty if there is none, and the local name."""
    namespace, _blank, local = name.rpartition(" ")
    return namespace, local


def _is_own(namespace: str) -> bool:
    """Whether a namespace is one of OVF, of any version, or none: before OVF 1.0, only the root had one."""
    return not namespace or ("ovf" in namespace and "envelope" in namespace)


def _count_parts(attributes: Mapping[str, str], origin: str) -> int | None:
    """In how many parts a file is split; None if it is whole, or if its size is not said. Raises InvalidArgument."""
    if "chunkSize" not in attributes:
        return None
    try:
        chunk, size = int(attributes["chunkSize"]), int(attributes.get("size", "0"))
    except ValueError:
        chunk, size = 0, 0
    if chunk <= 0 or size < 0:
        raise InvalidArgument(
            f"files: {origin} splits {attributes.get('href', '')!r} into parts by sizes that are none",
            remedy="Export the package again.",
        )
    return -(-size // chunk) or None
