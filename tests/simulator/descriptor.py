# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OVF package says about itself: the descriptor's references, the manifest's digests, an OVA's members.

What a vCenter refuses was seen in reports about other products' packages:
- A blank between algorithm and parenthesis, an empty line, and other algorithms than SHA1, SHA256 and SHA512:
  https://github.com/home-assistant/operating-system/issues/826, .../issues/3654,
  https://github.com/MISP/MISP/issues/3947, https://github.com/nextcloud/vm/issues/2607. Without a blank after the
  equals sign it takes them, as the first of these shows.
- Compressed disks: https://github.com/EMCECS/ECS-CommunityEdition/issues/329.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Collection, Mapping
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from .blobs import Blob

MANIFEST_LINE = re.compile(r"^([^(]*)\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*$")


def extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _read(descriptor: bytes) -> list[dict[str, str]]:
    """The attributes of each file in the References section, in its order; ValueError if it is not a descriptor."""
    try:
        root = ElementTree.fromstring(descriptor)
    except ElementTree.ParseError as error:
        raise ValueError(f"not a descriptor: {error}") from error
    if local_name(root.tag) != "Envelope" or not _is_own(root.tag):
        raise ValueError(f"not a descriptor: its root element is {root.tag}")
    return [
        {local_name(key): value for key, value in entry.attrib.items() if _is_own(key)}
        for section in root
        if _is_own(section.tag) and local_name(section.tag) == "References"
        for entry in section
        if _is_own(entry.tag) and local_name(entry.tag) == "File"
    ]


def _is_own(name: str) -> bool:
    """Whether an element or an attribute has a namespace of OVF, or none."""
    namespace = name.rpartition("}")[0]
    return not namespace or ("ovf" in namespace and "envelope" in namespace)


def require_importable(descriptor: bytes) -> None:
    """Raises ValueError for what is no descriptor, or one of a package that a vCenter does not import."""
    for entry in _read(descriptor):
        if entry.get("compression", "identity") not in ("identity", ""):
            raise ValueError("OVF package with compressed disks is currently not supported for OVF import.")


def readings(href: str) -> tuple[str, ...]:
    """The names that a reference may mean: it is a URL, so a name in it may be percent-encoded."""
    plain = href[2:] if href.startswith("./") else href
    return href, unquote(href), plain, unquote(plain)


def resolved(descriptor: bytes, present: Collection[str]) -> list[str]:
    """The files that a descriptor references, by the names under which they are present, or should be.

    A file with `chunkSize` lies in parts (DMTF DSP0243, OVF 1.1, section 7.1).
    """
    found = []
    for entry in _read(descriptor):
        href = entry.get("href", "")
        if not href:
            continue
        names = readings(href)
        if "chunkSize" not in entry:
            found.append(next((name for name in names if name in present), href))
            continue
        name = next((name for name in names if f"{name}.000000000" in present), href)
        count = max(1, -(-int(entry.get("size", "0")) // int(entry["chunkSize"])))
        numbered = [other for other in present if re.fullmatch(re.escape(name) + r"\.\d{9}", other)]
        if "size" not in entry:
            count = max([1, *(int(other[-9:]) + 1 for other in numbered)])
        found += [f"{name}.{number:09d}" for number in range(count)]
    return found


def fetched_along(descriptor: bytes, base: str, present: Collection[str]) -> dict[str, str]:
    """The references that are not present, with their URLs beside that of the descriptor."""
    folder = re.split("[?#]", base)[0].rpartition("/")[0]
    # A reference is a URL already; a blank in it is not.
    return {
        unquote(name): f"{folder}/{quote(name, safe='%')}"
        for name in resolved(descriptor, present)
        if name not in present
    }


def manifest_digests(manifest: bytes) -> dict[str, tuple[str, str]]:
    """File name to (algorithm, hexadecimal digest); ValueError with a vCenter's words if a line is not a digest."""
    digests = {}
    lines = manifest.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    for line in lines[:-1] if lines[-1] == "" else lines:
        match = MANIFEST_LINE.match(line)
        if match is None:
            raise ValueError(f"Invalid OVF manifest entry: {line[:80]}.")
        if match.group(1) not in ("SHA1", "SHA256", "SHA512"):
            raise ValueError(f"Invalid OVF checksum algorithm: {match.group(1)}.")
        digests[match.group(2)] = (match.group(1), match.group(3).lower())
    return digests


def unpack(name: str, content: Blob, algorithm: str) -> tuple[dict[str, Blob] | None, str]:
    """The members of an OVA (None for any other file), and what is wrong with it."""
    if extension(name) != "ova":
        return None, ""
    try:
        return ova_members(content, algorithm), ""
    except ValueError as error:
        return None, str(error)


def ova_members(archive: Blob, algorithm: str) -> dict[str, Blob]:
    """The files of an OVA in its order, as parts of the archive; ValueError if it is not an OVA."""
    members: dict[str, Blob] = {}
    try:
        with archive.open() as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for entry in tar:
                if entry.isfile():
                    members[entry.name.removeprefix("./")] = archive.window(entry.offset_data, entry.size)
    except tarfile.TarError as error:
        raise ValueError(f"not an OVA: {error}") from error
    _require_package(members)
    wanted = {name: {algorithm} for name in members}
    for name, blob in members.items():
        if extension(name) == "mf":
            for listed, (declared, _digest) in manifest_digests(blob.read(0, blob.size)).items():
                wanted.get(listed, set()).add(declared)
    for name, blob in members.items():
        for kind in wanted[name] - {"none"}:
            blob.digest(kind)
    return members


def _require_package(members: Mapping[str, Blob]) -> None:
    descriptors = [blob for name, blob in members.items() if extension(name) == "ovf"]
    if not descriptors:
        raise ValueError("not an OVA: it has no descriptor")
    for blob in descriptors:
        require_importable(blob.read(0, blob.size))


def local_name(tag: str) -> str:
    return tag.rpartition("}")[2]
