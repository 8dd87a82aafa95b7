# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manifest of a package says of its files, and whether vCenter will take it.

vCenter reads a manifest more strictly than the tools that write it. It refuses one after the upload, and what it says
of a digest that differs is "Pipe closed". Sources: DMTF DSP0243, OVF 1.1, section 5.1, and these reports:
https://github.com/home-assistant/operating-system/issues/826 (a blank before the parenthesis) and .../issues/3654 (the
label SHA2-256 of OpenSSL 3), https://github.com/siderolabs/talos/issues/8148 (a digest that differs).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .._vcenter.errors import some_of
from .content import DIGEST_LENGTHS, NOT_KEPT, Checksum, Role, WantedFile, stem_of
from .names import readings

ALGORITHMS = ("SHA1", "SHA256", "SHA512")
LINE = re.compile(r"([^(]*)\((.*)\)\s*=\s*([0-9A-Fa-f]+)")
SHOWN = 80
"""How many characters of a manifest a message shows of each thing."""
MANIFEST_BYTES = 4 * 1024 * 1024
"""How many bytes a manifest may have: enough for all files that one task takes."""


@dataclass(frozen=True)
class Reading:
    """What the manifests of the declared files say.

    `vouched` has the checksums of each file by its name in the item. `faults` are what vCenter refuses, and `remarks`
    what it takes and a user should know; both are whole sentences.
    """

    vouched: Mapping[str, tuple[Checksum, ...]]
    faults: tuple[str, ...]
    remarks: tuple[str, ...]


def read_manifests(files: Sequence[WantedFile], packages: Sequence[Sequence[WantedFile]]) -> Reading:
    """Read the manifests among local files.

    `packages` are the descriptors, each with what it references. A manifest belongs to the only one, or to the one that
    has its base name.
    """
    vouched: dict[str, tuple[Checksum, ...]] = {}
    faults: list[str] = []
    remarks: list[str] = []
    for manifest in files:
        if manifest.role is not Role.MANIFEST or not manifest.path:
            continue
        entries, wrong = _read(manifest)
        faults += wrong
        named = [package for package in packages if _stem(package[0]) == _stem(manifest)]
        package = packages[0] if len(packages) == 1 else named[0] if named else ()
        known = {file.name: file for file in files} | {_own_name(file): file for file in package}
        found: dict[str, tuple[Checksum, ...]] = {}
        strays = []
        for name, checksum in entries:
            file = next((known[each] for each in readings(name) if each in known), None)
            if file is None:
                strays.append(name)
            else:
                found[file.name] = (*found.get(file.name, ()), checksum)
        vouched.update(found)
        # What cannot be read may well be the entry that is missed.
        remarks += [] if wrong else _remarks(manifest, package, found, strays, {name for name, _checksum in entries})
    return Reading(vouched, tuple(faults), tuple(remarks))


def with_vouched(file: WantedFile, vouched: Mapping[str, tuple[Checksum, ...]]) -> WantedFile:
    return replace(file, vouched=vouched[file.name]) if file.name in vouched else file


def _own_name(file: WantedFile) -> str:
    """The name of a file where it lies, which is the one in its manifest; a member of an archive has no other."""
    return os.path.basename(file.path) if file.path and not file.offset else file.name


def _stem(file: WantedFile) -> str:
    return stem_of(file.name).casefold()


def _read(manifest: WantedFile) -> tuple[list[tuple[str, Checksum]], list[str]]:
    """The entries of a manifest, and what vCenter refuses about it."""
    if (manifest.size or 0) > MANIFEST_BYTES:
        return [], [f"{manifest.origin} has {manifest.size} bytes, and a manifest has at most {MANIFEST_BYTES}"]
    # A task without a manifest starts faster without this import.
    from .ovf import blocks_of

    text = b"".join(blocks_of(manifest)).decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    entries: list[tuple[str, Checksum]] = []
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, start=1):
        found = _entry(line[:-1] if line.endswith("\r") else line)
        if isinstance(found, str):
            return entries, [f"line {number} of {manifest.origin} {found}"]
        entries.append(found)
    return entries, []


def _entry(line: str) -> tuple[str, Checksum] | str:
    """The name and the checksum of a line, or what is wrong with it."""
    if not line.strip():
        return "is empty"
    # Without blanks at its end, a line of any length is matched in a time that grows no faster than the line.
    match = LINE.fullmatch(line.rstrip())
    if match is None:
        return f"is {line[:SHOWN]!r}, and no entry such as SHA256(disk.vmdk)= 0a1b..."
    label, name, digits = match.groups()
    if label not in ALGORITHMS:
        if label.rstrip() in ALGORITHMS:
            return f"has a blank between {label.rstrip()} and the parenthesis"
        return f"has the algorithm {label[:SHOWN]!r}, and vCenter knows {', '.join(ALGORITHMS)}"
    checksum = Checksum(label, digits.lower())
    if not checksum.is_usable:
        return f"has no {label} digest of {DIGEST_LENGTHS[label]} hex digits for {name[:SHOWN]!r}"
    return name, checksum


def _remarks(
    manifest: WantedFile,
    package: Sequence[WantedFile],
    found: Mapping[str, tuple[Checksum, ...]],
    strays: Sequence[str],
    named: set[str],
) -> Iterator[str]:
    if strays and package:
        names = some_of([repr(name[:SHOWN]) for name in strays])
        yield f"{manifest.origin} has entries of files that are not declared: {names}."
    unnamed = [file.name for file in package if file.name not in found and file.role not in NOT_KEPT]
    if unnamed:
        yield (
            f"{manifest.origin} has no entry of {some_of([repr(name) for name in unnamed])}, so it does not show "
            "whether this is what the package was made with."
        )
    for file in package[:1]:
        if file.name in found and file.name not in named:
            yield (
                f"{manifest.origin} has an entry of {_own_name(file)}, which goes into the item as {file.name}. So "
                "this task compares it with its manifest, and vCenter does not. Leave out the name of a descriptor "
                "that has a manifest."
            )
