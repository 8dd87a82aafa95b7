# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an item's content is: the declared files, what an OVF descriptor brings in, and local versus library.

A comparison ends in one of four verdicts. Equal and different are proven; what cannot be proven is unverifiable, never
guessed: a disk's size on the server is the storage it uses, and a server may keep no checksum.
"""

from __future__ import annotations

import enum
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable
from xml.parsers import expat

from ansible_collections.vsphere.content.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content.plugins.module_utils._schema import ChecksumInfo, LibraryItemFile, UpdateFile

DIGEST_LENGTHS: Mapping[str, int] = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}
UNSET_ALGORITHM = "SHA1"


class Role(enum.IntEnum):
    """What a file is to an item, in the order in which vCenter takes them: after the descriptor it refuses a
    manifest."""

    MANIFEST = 0
    CERTIFICATE = 1
    DESCRIPTOR = 2
    DISK = 3
    ARCHIVE = 4
    OTHER = 5


ROLES: Mapping[str, Role] = {
    ".mf": Role.MANIFEST,
    ".cert": Role.CERTIFICATE,
    ".ovf": Role.DESCRIPTOR,
    ".vmdk": Role.DISK,
    ".ova": Role.ARCHIVE,
}
DESCRIPTOR_SET = (Role.MANIFEST, Role.CERTIFICATE, Role.DESCRIPTOR)
NOT_KEPT = (Role.MANIFEST, Role.CERTIFICATE)
PREVIEWED = (Role.DESCRIPTOR, Role.ARCHIVE)


class Verdict(enum.Enum):
    EQUAL = "equal"
    DIFFERENT = "different"
    UNVERIFIABLE = "unverifiable"
    MISSING = "missing"


@dataclass(frozen=True)
class Checksum:
    """A checksum in lower-case hex digits, with the API's name of its algorithm."""

    algorithm: str
    digest: str


@dataclass(frozen=True)
class LocalFile:
    """A file on the host that runs the task, under the name that it has in the item; C(size) in bytes."""

    name: str
    path: str
    size: int
    checksum: Checksum | None = None

    @property
    def role(self) -> Role:
        return role_of(self.name)


@dataclass(frozen=True)
class Held:
    """What the server says of a file it has; C(exact_size) is False where size means storage used."""

    size: int | None
    checksum: Checksum | None
    exact_size: bool


@dataclass(frozen=True)
class Wanted:
    """The content that is declared: files in the order to send them, names that must go, and whether all others go
    too."""

    files: tuple[LocalFile, ...]
    absent: frozenset[str]
    purge: bool

    @property
    def names(self) -> frozenset[str]:
        return frozenset(file.name for file in self.files)

    @property
    def previewed(self) -> bool:
        """Whether a server would make a preview of it."""
        return any(file.role in PREVIEWED for file in self.files)

    def superfluous(self, held: Iterable[str]) -> tuple[str, ...]:
        """The names, of those that are there, that must go."""
        return tuple(sorted(name for name in held if name in self.absent or (self.purge and name not in self.names)))


@dataclass(frozen=True)
class FilePlan:
    """What to do about files: send, remove; C(restart) says that only a new session can take them in the right
    order."""

    push: tuple[LocalFile, ...] = ()
    remove: tuple[str, ...] = ()
    restart: bool = False

    def __bool__(self) -> bool:
        return bool(self.push or self.remove)


Digest = Callable[[str, str], str]
"""Hashes a file: (path, algorithm) to lower-case hex digits."""


def role_of(name: str) -> Role:
    return ROLES.get(os.path.splitext(name)[1].lower(), Role.OTHER)


def read_wanted(files: Sequence[Mapping[str, Any]], purge_files: bool | None) -> Wanted:
    """The declared content, from the option C(files). Reads descriptors, nothing else. Raises InvalidArgument."""
    present: list[LocalFile] = []
    for entry in files:
        if entry["state"] == "present":
            present.extend(_with_references(_local_file(entry)))
    absent = frozenset(_absent_name(entry) for entry in files if entry["state"] == "absent")
    by_name: dict[str, LocalFile] = {}
    for file in present:
        twin = by_name.setdefault(file.name, file)
        if twin.path != file.path:
            raise InvalidArgument(
                f"files: {twin.path} and {file.path} would both be named {file.name}",
                remedy="Give one of them another name.",
            )
        if file.checksum:
            by_name[file.name] = file
    both = sorted(absent & by_name.keys())
    if both:
        raise InvalidArgument(f"files: {both[0]} is declared present and absent", remedy="Drop one of the two entries.")
    package = any(file.role in PREVIEWED for file in by_name.values())
    return Wanted(
        files=tuple(sorted(by_name.values(), key=lambda file: min(file.role, Role.DISK))),
        absent=absent,
        purge=package if purge_files is None else purge_files,
    )


def compare(file: LocalFile, held: Held | None, digest: Digest) -> Verdict:
    """One local file against what the server has under its name; hashes the file only if nothing else decides."""
    if held is None:
        return Verdict.MISSING
    if held.size is not None and held.exact_size and held.size != file.size:
        return Verdict.DIFFERENT
    if held.checksum is None or held.checksum.algorithm not in DIGEST_LENGTHS:
        return Verdict.UNVERIFIABLE
    if file.checksum and file.checksum.algorithm == held.checksum.algorithm:
        return Verdict.EQUAL if file.checksum == held.checksum else Verdict.DIFFERENT
    return Verdict.EQUAL if digest(file.path, held.checksum.algorithm) == held.checksum.digest else Verdict.DIFFERENT


def compare_with_item(wanted: Wanted, files: Sequence[LibraryItemFile], digest: Digest) -> dict[str, Verdict]:
    """The verdict on each wanted file against the item's own files; what the server never keeps counts as equal."""
    held = held_by_item(files)
    return {
        file.name: Verdict.EQUAL
        if file.role in NOT_KEPT and file.name not in held
        else compare(file, held.get(file.name), digest)
        for file in wanted.files
    }


def compare_with_session(
    wanted: Wanted, files: Sequence[UpdateFile], in_item: Mapping[str, Verdict], digest: Digest
) -> dict[str, Verdict]:
    """The verdict on each wanted file against an ACTIVE session's files.

    A file that the session does not change (source NONE) is the item's, so what is known of that one, C(in_item),
    decides where the session says too little.
    """
    held, unchanged = held_by_session(files), _unchanged(files)
    verdicts = {}
    for file in wanted.files:
        verdict = compare(file, held.get(file.name), digest)
        if verdict is Verdict.UNVERIFIABLE and file.name in unchanged:
            verdict = in_item.get(file.name, verdict)
        verdicts[file.name] = verdict
    return verdicts


def needs_item_content(wanted: Wanted, files: Sequence[UpdateFile]) -> bool:
    """Whether an ACTIVE session says too little of its unchanged files to compare the wanted ones with."""
    unchanged = _unchanged(files)
    return any(file.name in wanted.names and file.name in unchanged and not file.checksum_info for file in files)


def plan_files(
    wanted: Wanted,
    verdicts: Mapping[str, Verdict],
    held: Iterable[str],
    *,
    accept_unverifiable: bool,
    files: Sequence[UpdateFile] = (),
) -> FilePlan:
    """What to send, and which of the C(held) names to remove; C(files) are those of the session, if there is one.

    Whenever a part of an OVF package is sent, its whole descriptor set goes with it, so that vCenter checks the
    signature again; what the session has received of that set already is not sent twice.
    """
    fits = {Verdict.EQUAL, Verdict.UNVERIFIABLE} if accept_unverifiable else {Verdict.EQUAL}
    pushed = {file.name for file in files} - _unchanged(files)
    unfit = [file for file in wanted.files if verdicts[file.name] not in fits]
    # The server drops manifest and certificate when a session is completed: not having them asks for nothing by itself.
    if all(file.role in NOT_KEPT for file in unfit) and not pushed & wanted.names:
        unfit = []
    push = tuple(
        file
        for file in wanted.files
        if file in unfit or (unfit and file.role in DESCRIPTOR_SET and file.name not in pushed)
    )
    described = any(file.role is Role.DESCRIPTOR and file.name in pushed for file in wanted.files)
    return FilePlan(
        push=push,
        remove=wanted.superfluous(held),
        restart=described and any(file.role in NOT_KEPT for file in push),
    )


def project_files(wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """What a diff shows of files: the wanted ones that are there, and those that must go."""
    shown = {
        file.name: _describe(file, held[file.name], verdicts[file.name]) for file in wanted.files if file.name in held
    }
    return {**shown, **{name: _describe_held(held[name]) for name in wanted.superfluous(held)}}


def expect_files(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> dict[str, Any]:
    """What C(project_files) will show once the plan is carried out."""
    sent = {file.name: Held(file.size, file.checksum, exact_size=True) for file in plan.push}
    left = {name: entry for name, entry in held.items() if name not in plan.remove}
    return project_files(wanted, {**left, **sent}, {**verdicts, **dict.fromkeys(sent, Verdict.EQUAL)})


def kept(held: Mapping[str, Held]) -> dict[str, Held]:
    """Without what a server drops, or some keep, when a session is completed: it is no part of an item's content."""
    return {name: entry for name, entry in held.items() if role_of(name) not in NOT_KEPT}


def held_by_item(files: Sequence[LibraryItemFile]) -> dict[str, Held]:
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=role_of(file.name) is not Role.DISK)
        for file in files
    }


def held_by_session(files: Sequence[UpdateFile]) -> dict[str, Held]:
    """The files that a session has received whole; what is still to be sent or under way is not there yet."""
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=file.source_type != "NONE")
        for file in files
        if file.status == "READY"
    }


def _unchanged(files: Sequence[UpdateFile]) -> set[str]:
    return {file.name for file in files if file.source_type == "NONE"}


def _describe(file: LocalFile, held: Held, verdict: Verdict) -> dict[str, Any]:
    """An equal file is shown by where its content comes from: check mode can predict that without hashing anything."""
    if verdict is Verdict.EQUAL:
        return {"size": file.size, "content": f"same as {file.path}"}
    if verdict is Verdict.UNVERIFIABLE:
        return {"size": file.size, "content": f"not known to be the same as {file.path}"}
    return _describe_held(held)


def _describe_held(held: Held) -> dict[str, Any]:
    checksum = f"{held.checksum.algorithm}:{held.checksum.digest}" if held.checksum else "no checksum"
    return {"size": held.size, "content": checksum}


def read_checksum(info: ChecksumInfo | None) -> Checksum | None:
    return Checksum(info.algorithm or UNSET_ALGORITHM, info.checksum.lower()) if info and info.checksum else None


def write_checksum(checksum: Checksum | None) -> ChecksumInfo | None:
    return ChecksumInfo(algorithm=checksum.algorithm, checksum=checksum.digest) if checksum else None


def _absent_name(entry: Mapping[str, Any]) -> str:
    if not entry["name"]:
        raise InvalidArgument("files: an entry with state: absent has no name", remedy="Name the file to remove.")
    return str(entry["name"])


def _local_file(entry: Mapping[str, Any]) -> LocalFile:
    path = entry["src"]
    if not path:
        raise InvalidArgument(
            f"files: {entry['name'] or 'an entry'} has no src", remedy="Set src to the file to upload."
        )
    name = entry["name"] or os.path.basename(path)
    if not _is_one_component(name):
        raise InvalidArgument(
            f"files: {name!r} is not a file name", remedy="Give a name without a directory, such as disk1.vmdk."
        )
    return LocalFile(name, path, _size_of(path, "src"), _declared_checksum(entry, name))


def _size_of(path: str, option: str) -> int:
    if not os.path.isabs(path):
        raise InvalidArgument(
            f"files: {option} {path!r} is relative, and a module has no directory of its own to start from",
            remedy="Start it with {{ role_path }}/files or {{ playbook_dir }}.",
        )
    try:
        found = os.stat(path)
        with open(path, "rb"):
            pass
    except FileNotFoundError:
        raise InvalidArgument(
            f"files: {option} {path} does not exist on the host that runs this task",
            remedy="Check the path; a file on the controller needs delegate_to: localhost.",
        ) from None
    except IsADirectoryError:
        raise InvalidArgument(f"files: {option} {path} is a directory", remedy="Name each file by itself.") from None
    except OSError as error:
        raise InvalidArgument(
            f"files: {option} {path} cannot be read: {error.strerror}",
            remedy="Give the user that runs this task the right to read it.",
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise InvalidArgument(
            f"files: {option} {path} is not a regular file", remedy="Copy its content to a file first."
        )
    return found.st_size


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


def _with_references(file: LocalFile) -> list[LocalFile]:
    """A file with what comes with it: a descriptor brings its references, and the manifest and certificate beside
    it."""
    if file.role is not Role.DESCRIPTOR:
        return [file]
    directory = os.path.dirname(file.path)
    stem = os.path.splitext(os.path.basename(file.path))[0]
    found = [file]
    for beside in (f"{stem}.mf", f"{stem}.cert"):
        path = os.path.join(directory, beside)
        if os.path.exists(path):
            found.append(LocalFile(beside, path, _size_of(path, f"{beside} beside {file.name},")))
    for name in read_references(file.path):
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
        found.append(LocalFile(name, path, _size_of(path, f"{name}, referenced by {file.name},")))
    return found


def _is_one_component(name: str) -> bool:
    return (
        name not in ("", ".", "..") and name.isprintable() and not re.search(r"[/\\]|^[A-Za-z][A-Za-z0-9+.-]*:", name)
    )


def read_references(path: str) -> tuple[str, ...]:
    """The file names in the References section of an OVF descriptor, in its order. Raises InvalidArgument.

    A document type is refused, so that no entity is ever expanded. Source: DMTF DSP0243, OVF 1.1, section 7.1.
    """
    names: list[str] = []
    depth: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth.append(_local_name(tag))
        if depth[-2:] == ["References", "File"]:
            values = {_local_name(name): value for name, value in attributes.items()}
            names.extend(_chunks(values, path))

    def refuse_doctype(*_declaration: Any) -> None:
        raise InvalidArgument(
            f"files: {path} has a document type declaration, which no OVF descriptor needs",
            remedy="Remove the DOCTYPE; it is refused as it can make a parser read or fetch other files.",
        )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _tag: depth.pop()
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        with open(path, "rb") as descriptor:
            parser.ParseFile(descriptor)
    except expat.ExpatError as error:
        raise InvalidArgument(
            f"files: {path} is not an OVF descriptor: {error}", remedy="Export the package again."
        ) from None
    return tuple(names)


def _local_name(name: str) -> str:
    return name.rsplit(" ", 1)[-1]


def _chunks(attributes: Mapping[str, str], path: str) -> list[str]:
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
            f"files: {path} splits {href!r} into chunks without saying how many", remedy="Export the package again."
        )
    return [f"{href}.{number:09d}" for number in range(count)]
