# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OVF package says about itself: the descriptor's references, the manifest's digests, an OVA's members."""

from __future__ import annotations

import re
import tarfile
from xml.etree import ElementTree

from .blobs import Blob

MANIFEST_LINE = re.compile(r"^(SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*$")


def extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def references(descriptor: bytes) -> list[str]:
    """The files that the descriptor's References section names, in its order; ValueError if it is no descriptor."""
    try:
        root = ElementTree.fromstring(descriptor)
    except ElementTree.ParseError as error:
        raise ValueError(f"not a descriptor: {error}") from error
    if _local(root.tag) != "Envelope":
        raise ValueError(f"not a descriptor: its root element is {_local(root.tag)}")
    found = []
    for section in root:
        if _local(section.tag) == "References":
            for entry in section:
                href = next((value for key, value in entry.attrib.items() if _local(key) == "href"), "")
                if _local(entry.tag) == "File" and href:
                    found.append(href)
    return found


def manifest_digests(manifest: bytes) -> dict[str, tuple[str, str]]:
    """File name to (algorithm, hexadecimal digest); ValueError if a line is no digest."""
    digests = {}
    for line in manifest.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        match = MANIFEST_LINE.match(line.strip())
        if match is None:
            raise ValueError(f"not a manifest: {line[:80]}")
        digests[match.group(2)] = (match.group(1), match.group(3).lower())
    return digests


def unpack(name: str, content: Blob, algorithm: str) -> tuple[dict[str, Blob] | None, str]:
    """The members of an OVA, None of any other file, and what is wrong with it."""
    if extension(name) != "ova":
        return None, ""
    try:
        return ova_members(content, algorithm), ""
    except ValueError as error:
        return None, str(error)


def ova_members(archive: Blob, algorithm: str) -> dict[str, Blob]:
    """The files of an OVA in their order, as windows on it; ValueError if it is none."""
    members: dict[str, Blob] = {}
    try:
        with archive.open() as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for entry in tar:
                if entry.isfile():
                    members[entry.name] = archive.window(entry.offset_data, entry.size)
    except tarfile.TarError as error:
        raise ValueError(f"not an OVA: {error}") from error
    if not any(extension(name) == "ovf" for name in members):
        raise ValueError("not an OVA: it has no descriptor")
    wanted = {name: {algorithm} for name in members}
    for name, blob in members.items():
        if extension(name) == "mf":
            for listed, (declared, _digest) in manifest_digests(blob.read(0, blob.size)).items():
                wanted.get(listed, set()).add(declared)
    for name, blob in members.items():
        for kind in wanted[name] - {"none"}:
            blob.digest(kind)
    return members


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
