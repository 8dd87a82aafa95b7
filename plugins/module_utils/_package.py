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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import IO, Any
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from ansible_collections.vsphere.content.plugins.module_utils._content import (
    DIGEST_LENGTHS,
    NOT_KEPT,
    PREVIEWED,
    Checksum,
    PullSource,
    Role,
    Wanted,
    WantedFile,
)
from ansible_collections.vsphere.content.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content.plugins.module_utils._local import Identity, identity_of
from ansible_collections.vsphere.content.plugins.module_utils._schema import without_credentials
from ansible_collections.vsphere.content.plugins.module_utils._signature import find_signature

PULLED_SCHEMES = ("http", "https", "ds")
TAR_BLOCK_BYTES = 512
HEADER_BYTES = 1024 * 1024


def read_wanted(files: Sequence[Mapping[str, Any]], purge_files: bool | None) -> Wanted:
    """The declared content; reads descriptors and the headers of an OVA, nothing else."""
    listed = [
        _pulled_file(entry) if entry["url"] else _local_file(entry) for entry in files if entry["state"] == "present"
    ]
    present: list[WantedFile] = []
    warnings: list[str] = []
    for file in listed:
        found, said = _with_references(file, listed)
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
    parts = [part for file in by_name.values() for part in file.members or (file,)]
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


def _local_file(entry: Mapping[str, Any]) -> WantedFile:
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
    file = _file_at(path, name, "src", checksum=_declared_checksum(entry, name))
    if file.role is not Role.ARCHIVE:
        return file
    return replace(file, members=tuple(replace(part, identity=file.identity) for part in read_members(path)))


def _file_name(name: str) -> str:
    if not _is_one_component(name):
        raise InvalidArgument(
            f"files: {name!r} is not a file name", remedy="Give a name without a directory, such as disk1.vmdk."
        )
    return name


def _pulled_file(entry: Mapping[str, Any]) -> WantedFile:
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


def read_members(path: str) -> tuple[WantedFile, ...]:
    """What an OVA holds, in its order, read from its headers alone; nothing is unpacked.

    Source: DMTF DSP0243, OVF 1.1, section 12: a tar archive of plain files, the descriptor first.
    """
    try:
        with _HeaderReader(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            members = tuple(_member(path, entry) for entry in archive)
            _require_package(path, archive, members)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"files: {path} is not a whole tar archive, as an OVA must be: {error}", remedy="Copy or export it again."
        ) from None
    return members


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


def _require_package(path: str, archive: tarfile.TarFile, members: Sequence[WantedFile]) -> None:
    """An OVA that vCenter would take: whole, with the descriptor first, each name once and each reference there."""
    names = [member.name for member in members]
    if not members or members[0].role is not Role.DESCRIPTOR:
        raise InvalidArgument(f"files: {path} does not start with an OVF descriptor", remedy="Export the OVA again.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidArgument(f"files: {path} holds {twice[0]!r} twice", remedy="Export the OVA again.")
    if not _is_ended(path, members[-1]):
        raise InvalidArgument(
            f"files: {path} is cut off or damaged after {names[-1]!r}", remedy="Copy or export it again."
        )
    descriptor = archive.extractfile(names[0])
    if descriptor is None:
        raise InvalidArgument(f"files: {path} holds no readable descriptor", remedy="Export the OVA again.")
    missing = sorted(set(_references(descriptor, f"{names[0]} in {path}")) - set(names))
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
    algorithm, digest = entry["checksum_algorithm"], entry["checksum"].strip().lower()
    if not re.fullmatch(f"[0-9a-f]{{{DIGEST_LENGTHS[algorithm]}}}", digest):
        raise InvalidArgument(
            f"files: the checksum of {name} is no {algorithm} checksum, which has {DIGEST_LENGTHS[algorithm]} hex "
            "digits",
            remedy="Correct checksum, or set checksum_algorithm to the one that it was made with.",
        )
    return Checksum(algorithm, digest)


def _with_references(file: WantedFile, listed: Sequence[WantedFile]) -> tuple[list[WantedFile], Sequence[str]]:
    """A file with what comes with it, and what to warn of; C(listed) are all that the user names.

    A descriptor brings its references, and the manifest and certificate beside it.
    """
    if file.role is not Role.DESCRIPTOR or not file.path:
        return [file], ()
    directory = os.path.dirname(file.path)
    references = read_references(file.path)
    found = [file]
    signature = find_signature(
        file.path,
        elsewhere=_listed_signature(file, listed),
        others={*references, *_listed_beside(directory, listed)},
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


def _listed_signature(descriptor: WantedFile, listed: Sequence[WantedFile]) -> set[Role]:
    """Which of manifest and certificate the user names for a descriptor; for a task's only package, by any name."""

    def stem(name: str) -> str:
        return os.path.splitext(os.path.basename(name))[0].casefold()

    single = sum(file.role in PREVIEWED for file in listed) == 1
    stems = {stem(descriptor.name), stem(str(descriptor.path))}
    return {file.role for file in listed if file.role in NOT_KEPT and (single or stem(file.name) in stems)}


def _listed_beside(directory: str, listed: Sequence[WantedFile]) -> set[str]:
    """The names in a directory of what the user names: what is listed needs no finding, and is not sent twice."""
    places = [os.path.split(os.path.abspath(file.path)) for file in listed if file.path]
    return {name for place, name in places if os.path.realpath(place) == os.path.realpath(directory)}


def _is_one_component(name: str) -> bool:
    return (
        name not in ("", ".", "..") and name.isprintable() and not re.search(r"[/\\]|^[A-Za-z][A-Za-z0-9+.-]*:", name)
    )


def read_references(path: str) -> tuple[str, ...]:
    """The file names in the References section of an OVF descriptor, in its order."""
    with open(path, "rb") as descriptor:
        return _references(descriptor, path)


def _references(descriptor: IO[bytes], origin: str) -> tuple[str, ...]:
    """A document type is refused, so that no entity is ever expanded. Source: DMTF DSP0243, OVF 1.1, section 7.1."""
    names: list[str] = []
    depth: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth.append(_local_name(tag))
        if depth[-2:] == ["References", "File"]:
            values = {_local_name(name): value for name, value in attributes.items()}
            names.extend(_chunks(values, origin))

    def refuse_doctype(*_declaration: Any) -> None:
        raise InvalidArgument(
            f"files: {origin} has a document type declaration, which no OVF descriptor needs",
            remedy="Remove the DOCTYPE; it is refused as it can make a parser read or fetch other files.",
        )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _tag: depth.pop()
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.ParseFile(descriptor)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InvalidArgument(
            f"files: {origin} is not an OVF descriptor: {error}", remedy="Export the package again."
        ) from None
    return tuple(names)


def _local_name(name: str) -> str:
    return name.rsplit(" ", 1)[-1]


def _chunks(attributes: Mapping[str, str], origin: str) -> list[str]:
    """The files of one reference: one, or, where it is split, name.000000000 and on."""
    href = attributes.get("href", "")
    if "chunkSize" not in attributes:
        return [href]
    try:
        size, chunk = int(attributes["size"]), int(attributes["chunkSize"])
        count = -(-size // chunk)
    except (KeyError, ValueError, ZeroDivisionError):
        count = 0
    if not 0 < count <= 10000:
        raise InvalidArgument(
            f"files: {origin} splits {href!r} into chunks without saying how many", remedy="Export the package again."
        )
    return [f"{href}.{number:09d}" for number in range(count)]


class _HeaderReader(io.FileIO):
    """A file of which only small pieces are read: a forged header claims a name of gigabytes, to be held in memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= HEADER_BYTES:
            raise tarfile.ReadError("a header is too large")
        return super().read(size) or b""
