# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the option C(files) is read: paths and URLs, what an OVF descriptor brings in, what an OVA holds.

Everything that can be wrong with them is found here, before anything is changed, and raised as InvalidArgument.
"""

from __future__ import annotations

import io
import os
import re
import ssl
import stat
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from .._vcenter.errors import InvalidArgument
from .._vcenter.models import without_credentials
from .content import DIGEST_LENGTHS, NOT_KEPT, PREVIEWED, Checksum, PullSource, Role, Wanted, WantedFile, unpacked
from .local_file import Identity, identity_of
from .roots import PUBLISH_SRC_ROOT, require_below
from .signature import find_signature

PULLED_SCHEMES = ("http", "https", "ds")
BLOCK_BYTES = 64 * 1024
TAR_BLOCK_BYTES = 512

FILES = 10_000
NAME_CHARACTERS = 255 * FILES
"""How many files one task may name, with all that its descriptors and archives bring along, and how many characters
their names may have together. A virtual machine has at most 256 SCSI disks (VMware, Configuration Maximums), and the
largest disk, of 62 TB, has 6,200 chunks of 10 GB. Most file systems take names of up to 255 bytes.
"""
PACKAGES = 100
"""How many descriptors and archives one task may name: the directory of each is looked through. An item holds one."""
DESCRIPTOR_BYTES = 4 * 1024 * 1024
DESCRIPTOR_NODES = 250_000
"""How long a descriptor may be, and how many elements and attributes it may have: more than a hundred times what tools
write for one virtual machine. A node of a few bytes takes several hundred in the memory of the parser.
"""
HEADER_BYTES = 16 * 1024
GLOBAL_RECORDS = 100
"""How much may be read to find a member of an archive, and how many records of that may hold for all members. A header
has 512 bytes, and what else describes a file in an archive (a long name, times, labels) has some hundreds.
"""


class Budget:
    """What one task may still name; counted while its inputs are read, as a small file can name any number."""

    def __init__(self) -> None:
        self._files = FILES
        self._characters = NAME_CHARACTERS

    def take(self, name: str, origin: str) -> None:
        """Count a file that C(origin) brings. Raises InvalidArgument when there are too many."""
        self._files -= 1
        self._characters -= len(name)
        if self._files < 0:
            raise InvalidArgument(
                f"files: {origin} names more files than a task takes: {FILES}, of all entries together",
                remedy="Check whether this is what you mean to publish; no virtual machine has so many files.",
            )
        if self._characters < 0:
            raise InvalidArgument(
                f"files: {origin} names files by more characters than a task takes: {NAME_CHARACTERS}, of all entries "
                "together",
                remedy="Check whether this is what you mean to publish; a file system takes no name of more than 255 "
                "bytes.",
            )


def read_wanted(files: Sequence[Mapping[str, Any]], purge_files: bool | None) -> Wanted:
    """The declared content; reads descriptors and the headers of an OVA, nothing else."""
    budget = Budget()
    listed = [
        _pulled_file(entry, budget) if entry["url"] else _local_file(entry, budget)
        for entry in files
        if entry["state"] == "present"
    ]
    neighbours = _read_listed(listed)
    present: list[WantedFile] = []
    warnings: list[str] = []
    for file in listed:
        found, said = _with_references(file, neighbours, budget)
        present += found
        warnings += said
    absent = frozenset(_absent_name(entry) for entry in files if entry["state"] == "absent")
    by_name: dict[str, WantedFile] = {}
    for file in present:
        twin = by_name.setdefault(file.name, file)
        if (twin.origin, twin.source) != (file.origin, file.source):
            raise InvalidArgument(
                f"files: {twin.origin} and {file.origin} would both be named {file.name}",
                remedy="Give one of them another name.",
            )
        if file.checksum:
            by_name[file.name] = file
    parts = unpacked(by_name.values())
    origins: dict[str, str] = {}
    for part in parts:
        if origins.setdefault(part.name, part.origin) != part.origin:
            raise InvalidArgument(
                f"files: {origins[part.name]} and {part.origin} would both be named {part.name}",
                remedy="Drop one of them; an OVA is unpacked by vCenter.",
            )
    both = sorted(absent & (by_name.keys() | origins.keys()))
    if both:
        raise InvalidArgument(f"files: {both[0]} is declared present and absent", remedy="Drop one of the two entries.")
    if purge_files and all(part.role in NOT_KEPT for part in parts):
        raise InvalidArgument(
            f"purge_files is true, and files {'names none that the item would keep' if files else 'is empty'}: "
            "everything that the item holds would go",
            remedy="Check what makes the list; a pattern that fits nothing leaves it empty. To empty the item on "
            "purpose, name the files to remove, each with state: absent and without purge_files, or delete the item.",
        )
    package = any(file.role in PREVIEWED for file in by_name.values())
    return Wanted(
        files=tuple(sorted(by_name.values(), key=lambda file: min(file.role, Role.DISK))),
        absent=absent,
        purge=package if purge_files is None else purge_files,
        purge_declared=bool(purge_files),
        warnings=tuple(warnings),
    )


def _absent_name(entry: Mapping[str, Any]) -> str:
    if not entry["name"]:
        raise InvalidArgument("files: an entry with state: absent has no name", remedy="Name the file to remove.")
    return str(entry["name"])


def _local_file(entry: Mapping[str, Any], budget: Budget) -> WantedFile:
    path = entry["src"]
    for option in ("ssl_thumbprint", "ssl_certificate"):
        if entry[option]:
            raise InvalidArgument(
                f"files: {option} is given without url", remedy=f"Drop {option}; it is for files that vCenter pulls."
            )
    if not path:
        raise InvalidArgument(
            f"files: {entry['name'] or 'an entry'} has neither src nor url",
            remedy="Set src to the file to upload, or url to what vCenter shall fetch.",
        )
    name = _file_name(entry["name"] or os.path.basename(path))
    budget.take(name, path)
    file = _file_at(path, name, "src", checksum=_declared_checksum(entry, name))
    if file.role is not Role.ARCHIVE:
        return file
    return replace(file, members=tuple(replace(part, identity=file.identity) for part in read_members(path, budget)))


def _file_name(name: str) -> str:
    if not _is_one_component(name):
        raise InvalidArgument(
            f"files: {name!r} is not a file name", remedy="Give a name without a directory, such as disk1.vmdk."
        )
    return name


def _pulled_file(entry: Mapping[str, Any], budget: Budget) -> WantedFile:
    """A file that vCenter fetches itself; what the URL holds is not known here, nor its size."""
    url = entry["url"]
    try:
        if not url.isprintable():
            raise ValueError
        parts = urlsplit(url)
        shown = without_credentials(url)
        _port = parts.port
    except ValueError:
        # Neither the URL nor the reason is shown: what is no URL may have its password anywhere.
        raise InvalidArgument(
            f"files: the url of {entry['name'] or 'an entry'} is no URL",
            remedy="Correct url; what is special in a user name or password must be percent-encoded.",
        ) from None
    if entry["src"]:
        raise InvalidArgument(f"files: {shown} is given together with src", remedy="Keep one of the two.")
    if parts.scheme not in PULLED_SCHEMES or not (parts.path.strip("/") and (parts.hostname or parts.scheme == "ds")):
        raise InvalidArgument(
            f"files: {shown!r} is nothing that vCenter can fetch",
            remedy="Give a whole URL that starts with https://, http:// or ds://.",
        )
    if entry["ssl_thumbprint"] and entry["ssl_certificate"]:
        raise InvalidArgument(
            f"files: {shown} has ssl_thumbprint and ssl_certificate",
            remedy="Keep one of the two; both name one server.",
        )
    for option in ("ssl_thumbprint", "ssl_certificate"):
        if entry[option] and parts.scheme != "https":
            raise InvalidArgument(
                f"files: {option} is given for {shown}, which is no https URL", remedy=f"Drop {option}, or use https."
            )
    name = _file_name(entry["name"] or unquote(parts.path.rsplit("/", 1)[-1]))
    budget.take(name, shown)
    source = PullSource(url, _read_thumbprint(entry["ssl_thumbprint"]), _read_certificate(entry["ssl_certificate"]))
    return WantedFile(name, shown, checksum=_declared_checksum(entry, name), source=source)


def credentials_in(options: Any) -> set[str]:
    """What must not be shown of the URLs in any options, valid or not, as it stands there and decoded."""
    if isinstance(options, Mapping):
        return {secret for value in options.values() for secret in credentials_in(value)}
    if isinstance(options, (list, tuple)):
        return {secret for value in options for secret in credentials_in(value)}
    secrets: set[str] = set()
    for url in _urls_in(options) if isinstance(options, str) else ():
        rest = url.partition("://")[2]
        netloc = re.split("[/?#]", rest, maxsplit=1)[0]
        # A password with a slash in it makes no URL, but is a password all the same.
        broken = "@" not in netloc and re.search(r":.*\D", netloc)
        userinfo = (rest if broken else netloc).rpartition("@")[0]
        query, _hash, fragment = url.partition("?")[2].partition("#")
        for secret in (userinfo, userinfo.partition(":")[2], query, fragment):
            secrets |= {secret, unquote(secret)}
    return {secret for secret in secrets if secret}


def _urls_in(text: str) -> list[str]:
    """The text as a URL, of which anything may be the password, and those within a text that is none."""
    scheme = "[A-Za-z][A-Za-z0-9+.-]*://"
    return re.findall(f"^\\s*({scheme}.+)", text, re.DOTALL) + re.findall(rf"{scheme}[^\s\"'<>]+", text)


def weak_thumbprints(wanted: Wanted | None) -> list[str]:
    """The names of the pulled files whose server is known by a SHA-1 thumbprint."""
    sources = {file.name: file.source for file in (wanted.files if wanted else ()) if file.source}
    return [name for name, source in sources.items() if source.thumbprint and len(source.thumbprint) < 64]


def _read_thumbprint(text: str | None) -> str | None:
    """Upper-case pairs of hex digits with colons, as vCenter writes them."""
    if not text:
        return None
    digits = re.sub(r"[:\s]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", digits):
        raise InvalidArgument(
            f"files: ssl_thumbprint {text!r} is neither a SHA-256 nor a SHA-1 thumbprint",
            remedy="Give 64 or 40 hex digits, with or without colons.",
        )
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))


def _read_certificate(text: str | None) -> str | None:
    """PEM text, or what the file of that path holds."""
    if not text:
        return None
    if os.path.isabs(text):
        _identify(text, "ssl_certificate")
        with open(text, encoding="ascii", errors="replace") as file:
            text = file.read()
    pem = text.strip() + "\n"
    try:
        # Anything but one certificate, such as its key, would go to vCenter along with it.
        if len(re.findall("-----BEGIN ", pem)) != 1:
            raise ValueError
        ssl.PEM_cert_to_DER_cert(pem)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError):
        raise InvalidArgument(
            "files: ssl_certificate is not one certificate in PEM form",
            remedy="Give the text from BEGIN CERTIFICATE to END CERTIFICATE, or the absolute path of a file with it.",
        ) from None
    return pem


def read_members(path: str, budget: Budget) -> tuple[WantedFile, ...]:
    """What an OVA holds, in its order, read from its headers alone; nothing is unpacked.

    Source: DMTF DSP0243, OVF 1.1, section 12: a tar archive of plain files, the descriptor first.
    """
    try:
        with _HeaderReader(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            members = tuple(_member(path, entry) for entry in _entries(path, file, archive, budget))
            _require_package(path, members)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"files: {path} is not a whole tar archive, as an OVA must be: {error}", remedy="Copy or export it again."
        ) from None
    return members


def _entries(path: str, file: _HeaderReader, archive: tarfile.TarFile, budget: Budget) -> Iterator[tarfile.TarInfo]:
    """The headers of an archive one by one, of which none is kept."""
    if not archive.offset:
        # Before Python 3.11, tarfile looks for the next one before the beginning of an archive that holds none.
        return
    for entry in iter(archive.next, None):
        if len(archive.pax_headers) > GLOBAL_RECORDS:
            raise tarfile.ReadError("a header for all members is too large")
        budget.take(entry.name, path)
        # tarfile keeps each of them with all that was said of it.
        archive.members.clear()  # type: ignore[attr-defined]
        file.left = HEADER_BYTES
        yield entry


def _member(path: str, entry: tarfile.TarInfo) -> WantedFile:
    if not entry.isreg() or entry.issparse() or entry.size < 0:
        raise InvalidArgument(
            f"files: {path} holds {entry.name!r}, which is no plain file", remedy="Export the OVA again."
        )
    if not _is_one_component(entry.name):
        raise InvalidArgument(
            f"files: {path} holds {entry.name!r}, which is no plain file name", remedy="Export the OVA again."
        )
    return WantedFile(entry.name, f"{entry.name} in {path}", path, entry.size, entry.offset_data)


def _require_package(path: str, members: Sequence[WantedFile]) -> None:
    """An OVA that vCenter would take: whole, with the descriptor first, each name once and each reference there."""
    names = Counter(member.name for member in members)
    if not members or members[0].role is not Role.DESCRIPTOR:
        raise InvalidArgument(f"files: {path} does not start with an OVF descriptor", remedy="Export the OVA again.")
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise InvalidArgument(f"files: {path} holds {twice[0]!r} twice", remedy="Export the OVA again.")
    if not _is_ended(path, members[-1]):
        raise InvalidArgument(
            f"files: {path} is cut off or damaged after {members[-1].name!r}", remedy="Copy or export it again."
        )
    missing = sorted(set(_references(members[0], Budget())) - names.keys())
    if missing:
        raise InvalidArgument(
            f"files: {path} lacks {missing[0]!r}, which its descriptor references", remedy="Export the OVA again."
        )


def _is_ended(path: str, last: WantedFile) -> bool:
    """Whether the archive says itself that it ends after a member: what is no header looks like an end to readers."""
    with open(path, "rb") as file:
        file.seek(last.offset + -(-(last.size or 0) // TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES)
        return file.read(TAR_BLOCK_BYTES) == bytes(TAR_BLOCK_BYTES)


def _file_at(path: str, name: str, option: str, *, checksum: Checksum | None = None) -> WantedFile:
    identity = _identify(path, option)
    return WantedFile(name, path, path, identity.size, checksum=checksum, identity=identity)


def _identify(path: str, option: str) -> Identity:
    if not os.path.isabs(path):
        raise InvalidArgument(
            f"files: {option} {path!r} is relative, and a module has no directory of its own to start from",
            remedy="Start it with {{ role_path }}/files or {{ playbook_dir }}.",
        )
    require_below(PUBLISH_SRC_ROOT, f"files: {option}", path)
    try:
        found = os.stat(path)
        # Opening anything but a file may wait for somebody else, as a pipe does.
        if stat.S_ISREG(found.st_mode):
            with open(path, "rb"):
                pass
    except FileNotFoundError:
        raise InvalidArgument(
            f"files: {option} {path} does not exist on the host that runs this task",
            remedy="Check the path; a file on the controller needs delegate_to: localhost.",
        ) from None
    except OSError as error:
        raise InvalidArgument(
            f"files: {option} {path} cannot be read: {error.strerror}",
            remedy="Give the user that runs this task the right to read it.",
        ) from None
    if stat.S_ISDIR(found.st_mode):
        raise InvalidArgument(f"files: {option} {path} is a directory", remedy="Name each file by itself.")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidArgument(
            f"files: {option} {path} is not a regular file", remedy="Copy its content to a file first."
        )
    return identity_of(found)


def _declared_checksum(entry: Mapping[str, Any], name: str) -> Checksum | None:
    if not entry["checksum"]:
        return None
    algorithm = entry["checksum_algorithm"]
    checksum = Checksum(algorithm, entry["checksum"].strip().lower())
    if not checksum.is_usable:
        raise InvalidArgument(
            f"files: the checksum of {name} is no {algorithm} checksum, which has {DIGEST_LENGTHS[algorithm]} hex "
            "digits",
            remedy="Correct checksum, or set checksum_algorithm to the one that it was made with.",
        )
    return checksum


@dataclass(frozen=True)
class _Listed:
    """What the user names: the names in each directory (by its real path), and the manifests and certificates, by the
    folded stem of their names. C(single) says that it is one package.
    """

    beside: Mapping[str, set[str]]
    signatures: Mapping[str, set[Role]]
    single: bool

    def signature_of(self, descriptor: WantedFile) -> set[Role]:
        """Which of manifest and certificate the user names for a descriptor; for a task's only package, by any name."""
        if self.single:
            return set().union(*self.signatures.values())
        stems = {_stem(descriptor.name), _stem(str(descriptor.path))}
        return set().union(*(self.signatures.get(stem, set()) for stem in stems))


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0].casefold()


def _read_listed(listed: Sequence[WantedFile]) -> _Listed:
    packages = [file for file in listed if file.role in PREVIEWED]
    if len(packages) > PACKAGES:
        raise InvalidArgument(
            f"files: {len(packages)} of the entries are packages, such as {packages[0].name} and {packages[1].name}",
            remedy=f"Publish each package to an item of its own; a task takes at most {PACKAGES}.",
        )
    places: dict[str, set[str]] = defaultdict(set)
    signatures: dict[str, set[Role]] = defaultdict(set)
    for file in listed:
        if file.path:
            place, name = os.path.split(file.path)
            places[place].add(name)
        if file.role in NOT_KEPT:
            signatures[_stem(file.name)].add(file.role)
    beside: dict[str, set[str]] = defaultdict(set)
    for place, names in places.items():
        beside[os.path.realpath(place)] |= names
    return _Listed(dict(beside), dict(signatures), single=len(packages) == 1)


def _with_references(file: WantedFile, listed: _Listed, budget: Budget) -> tuple[list[WantedFile], Sequence[str]]:
    """A file with what comes with it, and what to warn of.

    A descriptor brings its references, and the manifest and certificate beside it.
    """
    if file.role is not Role.DESCRIPTOR or not file.path:
        return [file], ()
    directory = os.path.dirname(file.path)
    references = _references(file, budget)
    found = [file]
    # What is listed needs no finding, and is not sent twice.
    signature = find_signature(
        file.path,
        elsewhere=listed.signature_of(file),
        others={*references, *listed.beside.get(os.path.realpath(directory), ())},
    )
    for name in signature.names:
        path = os.path.join(directory, name)
        _require_signature_file(path, file.name)
        found.append(_file_at(path, _file_name(name), f"{name} beside {file.name},"))
    for name in references:
        if not _is_one_component(name):
            raise InvalidArgument(
                f"files: {file.path} references {name!r}, which is not a file beside it",
                remedy="Export the package again: the references of a descriptor must be plain file names.",
            )
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            raise InvalidArgument(
                f"files: {file.path} references {name}, which is not there",
                remedy=f"Put {name} beside the descriptor; the package is incomplete without it.",
            )
        found.append(_file_at(path, name, f"{name}, referenced by {file.name},"))
    return found, signature.warnings


def _require_signature_file(path: str, descriptor: str) -> None:
    """Say of what has the name of a signature and is none that it matters; what else is wrong C(_identify) finds."""
    if os.path.isdir(path):
        what = "a directory"
    elif os.path.islink(path) and not os.path.lexists(os.path.realpath(path)):
        what = "a link to what is not there"
    else:
        return
    raise InvalidArgument(
        f"files: {path} has the name of a signature of {descriptor}, and is {what}",
        remedy="Put the file there, or take this away if the package is not signed.",
    )


def _is_one_component(name: str) -> bool:
    return (
        name not in ("", ".", "..") and name.isprintable() and not re.search(r"[/\\]|^[A-Za-z][A-Za-z0-9+.-]*:", name)
    )


def _references(descriptor: WantedFile, budget: Budget) -> tuple[str, ...]:
    """The file names in the References section of an OVF descriptor, in its order.

    A document type is refused, so that no entity is ever expanded. Two references to one file are refused as by the
    standard. Source: DMTF DSP0243, OVF 1.1, section 7.1.
    """
    origin, size = descriptor.origin, descriptor.size or 0
    if size > DESCRIPTOR_BYTES:
        raise InvalidArgument(
            f"files: {origin} has {size} bytes, where an OVF descriptor has at most {DESCRIPTOR_BYTES}",
            remedy="Check whether it is a descriptor, and export the package again.",
        )
    names: dict[str, None] = {}
    depth: list[str] = []
    nodes = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal nodes
        nodes += 1 + len(attributes)
        if nodes > DESCRIPTOR_NODES:
            raise InvalidArgument(
                f"files: {origin} has more elements and attributes than an OVF descriptor, which has at most "
                f"{DESCRIPTOR_NODES}",
                remedy="Check whether it is a descriptor, and export the package again.",
            )
        depth.append(_local_name(tag))
        if depth[-2:] == ["References", "File"]:
            values = {_local_name(name): value for name, value in attributes.items()}
            for name in _chunks(values, origin):
                budget.take(name, origin)
                if name in names:
                    raise InvalidArgument(
                        f"files: {origin} references {name!r} twice",
                        remedy="Export the package again: two references may not lead to one file.",
                    )
                names[name] = None

    def refuse_doctype(*_declaration: Any) -> None:
        raise InvalidArgument(
            f"files: {origin} has a document type declaration, which no OVF descriptor needs",
            remedy="Remove the DOCTYPE; it is refused as it can make a parser read or fetch other files.",
        )

    # Without an interning of its own: the names of a hostile document are all different.
    parser = expat.ParserCreate(namespace_separator=" ", intern=None)
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _tag: depth.pop()
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        for block in _blocks(descriptor):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InvalidArgument(
            f"files: {origin} is not an OVF descriptor: {error}", remedy="Export the package again."
        ) from None
    return tuple(names)


def _blocks(file: WantedFile) -> Iterator[bytes]:
    """The bytes of a file here, or of one in an archive, and none that were added since it was looked at."""
    left = file.size or 0
    with open(str(file.path), "rb") as stream:
        stream.seek(file.offset)
        while left:
            block = stream.read(min(left, BLOCK_BYTES))
            if not block:
                return
            left -= len(block)
            yield block


def _local_name(name: str) -> str:
    return name.rsplit(" ", 1)[-1]


def _chunks(attributes: Mapping[str, str], origin: str) -> Iterator[str]:
    """The files of one reference: one, or, where it is split, name.000000000 and on; any number of them."""
    href = attributes.get("href", "")
    if "chunkSize" not in attributes:
        yield href
        return
    try:
        size, chunk = int(attributes["size"]), int(attributes["chunkSize"])
        count = -(-size // chunk)
    except (KeyError, ValueError, ZeroDivisionError):
        count = 0
    if count <= 0:
        raise InvalidArgument(
            f"files: {origin} splits {href!r} into chunks without saying how many", remedy="Export the package again."
        )
    for number in range(count):
        yield f"{href}.{number:09d}"


class _HeaderReader(io.FileIO):
    """A file of which only so much is read for one member: forged headers claim names of gigabytes, and follow each
    other without end, all to be held in memory.
    """

    left = HEADER_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= self.left:
            raise tarfile.ReadError("a header is too large")
        self.left -= size
        return super().read(size) or b""
