# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an item's content is: the files that are wanted against those that are there. Pure, but for a digest passed in.

A comparison ends in one of four verdicts. Equal and different are proven; what cannot be proven is unverifiable, never
guessed: a disk's size on the server is the storage it uses, and a server may keep no checksum.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable, Optional

from .._vcenter.errors import InvalidArgument, some_of
from .._vcenter.models import ChecksumInfo, LibraryItem, LibraryItemFile, UpdateFile
from .local_file import Identity

DIGEST_LENGTHS: Mapping[str, int] = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}
UNSET_ALGORITHM = "SHA1"
ISO, OVF, VM_TEMPLATE = ITEM_TYPES = ("iso", "ovf", "vm-template")


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

    @property
    def is_usable(self) -> bool:
        """Whether anything can be compared with it: servers send empty ones, and may use algorithms of their own."""
        length = DIGEST_LENGTHS.get(self.algorithm)
        return length is not None and re.fullmatch(f"[0-9a-f]{{{length}}}", self.digest) is not None


@dataclass(frozen=True)
class PullSource:
    """Where vCenter itself shall fetch a file, and how it may recognise the server there.

    C(thumbprint) is in upper-case hex digits with colons, C(certificate) is PEM text.
    """

    url: str
    thumbprint: str | None = None
    certificate: str | None = None


@dataclass(frozen=True)
class WantedFile:
    """A file that an item shall hold, under the name that it has there.

    It is on the host that runs the task, at C(path), C(size) bytes from C(offset); or vCenter pulls it from C(source),
    and its size is not known. C(members) are the files of an OVA, which is what the item will hold instead of it.
    C(origin) is what to call its content in a diff, and C(identity) that of the file when its path was first looked at.
    """

    name: str
    origin: str
    path: str | None = None
    size: int | None = None
    offset: int = 0
    checksum: Checksum | None = None
    source: PullSource | None = None
    members: tuple[WantedFile, ...] = ()
    identity: Identity | None = None

    @property
    def role(self) -> Role:
        return role_of(self.name)

    @property
    def is_opaque(self) -> bool:
        """Whether the item will hold something else than this, and nobody here knows what: a pulled OVA."""
        return self.role is Role.ARCHIVE and not self.members

    @property
    def is_read(self) -> bool:
        """Whether this task reads what the file says: a descriptor that lies here."""
        return self.path is not None and self.role is Role.DESCRIPTOR

    @property
    def brings_unknown(self) -> bool:
        """Whether vCenter brings files along with it of which nobody here knows: those of a package that it pulls.

        The name in the item decides what vCenter makes of a file. The one in the URL counts, too, as it is not
        documented that vCenter does not look at it.
        """
        if not self.source:
            return False
        return self.role in PREVIEWED or role_of(re.split("[?#]", self.source.url)[0]) in PREVIEWED


@dataclass(frozen=True)
class Held:
    """What the server says of a file it has; C(exact_size) is False where size means storage used."""

    size: int | None
    checksum: Checksum | None
    exact_size: bool


@dataclass(frozen=True)
class Wanted:
    """The content that is declared.

    C(files) are in the order to send them, C(absent) are names that must go, and with C(purge) so must all others.
    C(purge_declared) says that the user asked for the purge, and it was not concluded from the files. C(warnings) are
    what the user must hear of the files.
    """

    files: tuple[WantedFile, ...]
    absent: frozenset[str]
    purge: bool
    purge_declared: bool = False
    warnings: tuple[str, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that may be there: of the files, and of what an OVA unpacks to."""
        return frozenset(file.name for file in self.files) | {file.name for file in self.content}

    @cached_property
    def content(self) -> tuple[WantedFile, ...]:
        """The files as the item will hold them, with an OVA as its members."""
        return unpacked(self.files)

    @property
    def previewed(self) -> bool:
        """Whether a server would make a preview of it."""
        return any(file.role in PREVIEWED for file in self.files)

    @property
    def pulled_packages(self) -> tuple[str, ...]:
        """The names of the files with which vCenter brings others along, whose names nobody here knows."""
        return tuple(file.name for file in self.files if file.brings_unknown)

    def superfluous(self, held: Iterable[str]) -> tuple[str, ...]:
        """The names, of those there, that must go if all is known that the declared files bring along."""
        return tuple(sorted(name for name in held if name in self.absent or (self.purge and name not in self.names)))


@dataclass(frozen=True)
class FilePlan:
    """What to send and what to remove; C(restart) says that only a new session can take it in the right order.

    C(spared) are the names that a purge would remove if it were known what belongs to C(doubts): packages that vCenter
    pulls, and descriptors there that are neither sent nor equal. C(rivals) are the descriptors there that would stay
    beside another one that is sent.
    """

    push: tuple[WantedFile, ...] = ()
    remove: tuple[str, ...] = ()
    restart: bool = False
    spared: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.push or self.remove)


Digest = Callable[[str, str, int, int, Optional[Identity]], str]
"""Hashes a part of a file: (path, algorithm, offset, size in bytes, identity) to lower-case hex digits."""


def unpacked(files: Iterable[WantedFile]) -> tuple[WantedFile, ...]:
    """Files as an item will hold them: an OVA as its members, as far as they are known."""
    return tuple(part for file in files for part in file.members or (file,))


def role_of(name: str) -> Role:
    return ROLES.get(os.path.splitext(name)[1].lower(), Role.OTHER)


def require_item_type(name: str, value: str | None) -> None:
    """Raises InvalidArgument for a type in another spelling than vCenter's, which it takes for a type of its own."""
    meant = (value or "").strip().lower()
    if meant in ITEM_TYPES and value != meant:
        raise InvalidArgument(
            f"{name} is {value!r}, which vCenter does not take for {meant!r}", remedy=f"Write {name}: {meant}."
        )


def describe_content(item: LibraryItem, files: Sequence[LibraryItemFile]) -> str:
    """What an item holds, for a sentence; an empty text for an item that surely holds nothing.

    A VM template need not have files. Storage in use is content, too, although no file is listed. The content_version
    proves nothing: an item whose last file was removed has a high one.
    """
    if files:
        return f"{len(files)} file{'s' if len(files) > 1 else ''} ({some_of([file.name for file in files])})"
    if item.type == VM_TEMPLATE:
        return "a VM template"
    return f"{item.size} bytes, although vCenter lists no file of it" if item.size else ""


def compare(file: WantedFile, held: Held | None, digest: Digest) -> Verdict:
    """One wanted file against what the server has under its name; hashes the file only if nothing else decides."""
    if held is None:
        return Verdict.MISSING
    if held.exact_size and None not in (held.size, file.size) and held.size != file.size:
        return Verdict.DIFFERENT
    if held.checksum is None or not held.checksum.is_usable:
        return Verdict.UNVERIFIABLE
    # Of a local descriptor its own bytes count and not what is declared of them, as its references are read from it.
    if file.checksum and file.checksum.algorithm == held.checksum.algorithm and not file.is_read:
        return Verdict.EQUAL if file.checksum == held.checksum else Verdict.DIFFERENT
    if file.path is None or file.size is None:
        return Verdict.UNVERIFIABLE
    digits = digest(file.path, held.checksum.algorithm, file.offset, file.size, file.identity)
    return Verdict.EQUAL if digits == held.checksum.digest else Verdict.DIFFERENT


def compare_with_item(wanted: Wanted, files: Sequence[LibraryItemFile], digest: Digest) -> dict[str, Verdict]:
    """The verdict on each wanted file against the item's own files, on an OVA and its members alike.

    What the server does not keep counts as equal.
    """
    held = held_by_item(files)
    verdicts = {file.name: _compare_with_held(file, held, digest) for file in wanted.content}
    archives = {
        file.name: together(verdicts[part.name] for part in file.members) for file in wanted.files if file.members
    }
    return {**verdicts, **archives}


def _compare_with_held(file: WantedFile, held: Mapping[str, Held], digest: Digest) -> Verdict:
    if file.role in NOT_KEPT and file.name not in held:
        return Verdict.EQUAL
    if file.is_opaque and file.name not in held:
        unpacked = any(role_of(name) is Role.DESCRIPTOR for name in held)
        return Verdict.UNVERIFIABLE if unpacked else Verdict.MISSING
    return compare(file, held.get(file.name), digest)


def compare_with_session(
    wanted: Wanted, files: Sequence[UpdateFile], in_item: Mapping[str, Verdict], digest: Digest
) -> dict[str, Verdict]:
    """The verdict on each wanted file against an ACTIVE session's files.

    A file that the session does not change (source NONE) is the item's, so what is known of that one, C(in_item),
    decides where the session says too little.
    """
    held = held_by_session(files)
    there, unchanged = {file.name for file in files}, _unchanged(files)
    verdicts: dict[str, Verdict] = {}
    for file in wanted.files:
        verdict = compare(file, held.get(file.name), digest)
        if verdict in (Verdict.UNVERIFIABLE, Verdict.MISSING) and _is_untouched(file, there, unchanged):
            verdict = in_item.get(file.name, verdict)
        verdicts[file.name] = verdict
        for part in file.members:
            # An OVA that the session has received brings its members; until then they are the item's.
            verdicts[part.name] = verdict if file.name in held else in_item.get(part.name, Verdict.MISSING)
    return verdicts


def is_filled(wanted: Wanted, verdicts: Mapping[str, Verdict], files: Sequence[UpdateFile]) -> bool:
    """Whether an ACTIVE session has received all that is wanted and nothing else, as far as anybody can tell.

    vCenter may then be completing it already, as an earlier run has asked for. C(verdicts) are those on the session.
    """
    received = [file for file in files if file.is_brought]
    fits = (Verdict.EQUAL, Verdict.UNVERIFIABLE)
    return (
        bool(received)
        and all(file.status == "READY" and file.name in wanted.names for file in received)
        and all(verdicts[file.name] in fits for file in wanted.files)
    )


def _is_untouched(file: WantedFile, there: Container[str], unchanged: Set[str]) -> bool:
    """Whether a session leaves what the item holds of a file as it is; C(there) are all names in the session."""
    if file.role is not Role.ARCHIVE:
        return file.name in unchanged
    parts = {part.name for part in file.members if part.role not in NOT_KEPT}
    return parts <= unchanged and file.name not in there


def needs_item_content(wanted: Wanted, files: Sequence[UpdateFile]) -> bool:
    """Whether an ACTIVE session says too little of its unchanged files to compare the wanted ones with."""
    unchanged = _unchanged(files)
    parts = {part.name for file in wanted.files for part in file.members}
    return any(file.is_opaque for file in wanted.files) or any(
        file.name in unchanged and file.name in wanted.names and (file.name in parts or not file.checksum_info)
        for file in files
    )


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
    signature again; what the session has received of that set already is not sent twice. Where it is not known what
    belongs to a package, nothing is removed but what is declared absent.
    """
    held = tuple(held)
    fits = {Verdict.EQUAL, Verdict.UNVERIFIABLE} if accept_unverifiable else {Verdict.EQUAL}
    pushed = {file.name for file in files} - _unchanged(files)
    unfit = {file.name: file for file in wanted.files if verdicts[file.name] not in fits}
    # The server drops manifest and certificate when a session is completed: not having them asks for nothing by itself.
    if all(file.role in NOT_KEPT for file in unfit.values()) and not pushed & wanted.names:
        unfit = {}
    push = tuple(
        file
        for file in wanted.files
        if file.name in unfit or (unfit and file.role in DESCRIPTOR_SET and file.name not in pushed)
    )
    sent = {part.name for part in unpacked(push)}
    doubts = (*wanted.pulled_packages, *_unknown_descriptors(wanted, verdicts, held, sent))
    superfluous = wanted.superfluous(held)
    remove = tuple(name for name in superfluous if name in wanted.absent or not doubts)
    going = frozenset(remove)
    return FilePlan(
        push=push,
        remove=remove,
        restart=any(map(is_descriptor, pushed)) and any(file.role in NOT_KEPT for file in push),
        spared=tuple(name for name in superfluous if name not in going),
        doubts=doubts,
        rivals=tuple(name for name in doubts if name not in wanted.names) if any(map(is_descriptor, sent)) else (),
    )


def _unknown_descriptors(
    wanted: Wanted, verdicts: Mapping[str, Verdict], held: Iterable[str], sent: Container[str]
) -> list[str]:
    """The descriptors there of which the task cannot know what belongs to them, as they stay and are not its own."""
    equal = {part.name for part in wanted.content if verdicts[part.name] is Verdict.EQUAL}
    return [
        name
        for name in held
        if is_descriptor(name) and name not in sent and name not in equal and name not in wanted.absent
    ]


def is_descriptor(name: str) -> bool:
    return role_of(name) is Role.DESCRIPTOR


def project_session(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], going: Iterable[str] = ()
) -> dict[str, Any]:
    """What a diff shows of a session's files: the wanted ones that are there, and those that are C(going)."""
    return _project(wanted.files, held, verdicts, going)


def project_item(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], going: Iterable[str] = ()
) -> dict[str, Any]:
    """What a diff shows of an item's files; what some servers keep and others drop is no part of the content."""
    content = [file for file in wanted.content if file.role not in NOT_KEPT and not file.is_opaque]
    kept = {name: held[name] for name in held if role_of(name) not in NOT_KEPT}
    return _project(content, kept, verdicts, going)


def expect_session(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> dict[str, Any]:
    """What C(project_session) will show once the plan is carried out."""
    return project_session(wanted, *_carried_out(plan.push, held, verdicts, plan))


def expect_item(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> dict[str, Any]:
    """What C(project_item) will show once the plan is carried out and the session completed."""
    received = [file for file in wanted.files if file.members and file.name in held]
    return project_item(wanted, *_carried_out(unpacked((*received, *plan.push)), held, verdicts, plan))


def verdicts_after(verdicts: Mapping[str, Verdict], plan: FilePlan) -> dict[str, Verdict]:
    """The verdicts once the plan is carried out: what was sent was compared on arrival, so nothing is hashed again."""
    sent = {name for file in plan.push for name in (file.name, *(part.name for part in file.members))}
    return {**verdicts, **dict.fromkeys(sent, Verdict.EQUAL)}


def _carried_out(
    sent: Iterable[WantedFile], held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> tuple[dict[str, Held], dict[str, Verdict]]:
    going = frozenset(plan.remove)
    left = {name: entry for name, entry in held.items() if name not in going}
    arrived = {file.name: Held(file.size, file.checksum, exact_size=True) for file in sent}
    return {**left, **arrived}, verdicts_after(verdicts, plan)


def _project(
    files: Iterable[WantedFile], held: Mapping[str, Held], verdicts: Mapping[str, Verdict], going: Iterable[str]
) -> dict[str, Any]:
    shown = {file.name: _describe(file, held[file.name], verdicts[file.name]) for file in files if file.name in held}
    return {**shown, **{name: _describe_held(held[name]) for name in going if name in held}}


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a whole from those on its parts, or on a file from those by several checksums."""
    found = set(verdicts)
    for verdict in (Verdict.MISSING, Verdict.DIFFERENT, Verdict.UNVERIFIABLE):
        if verdict in found:
            return verdict
    return Verdict.EQUAL


def held_by_item(files: Sequence[LibraryItemFile]) -> dict[str, Held]:
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=role_of(file.name) is not Role.DISK)
        for file in files
    }


def held_by_session(files: Sequence[UpdateFile]) -> dict[str, Held]:
    """The files that a session has received whole; what is still to be sent or under way is not there yet."""
    return {
        file.name: Held(file.size, read_checksum(file.checksum_info), exact_size=file.is_brought)
        for file in files
        if file.status == "READY"
    }


def _unchanged(files: Sequence[UpdateFile]) -> set[str]:
    return {file.name for file in files if not file.is_brought}


def _describe(file: WantedFile, held: Held, verdict: Verdict) -> dict[str, Any]:
    """An equal file is shown by where its content comes from: check mode can predict that without hashing anything."""
    if verdict is Verdict.EQUAL:
        return {"size": file.size, "content": f"same as {file.origin}"}
    if verdict is Verdict.UNVERIFIABLE:
        return {"size": file.size, "content": f"not known to be the same as {file.origin}"}
    return _describe_held(held)


def _describe_held(held: Held) -> dict[str, Any]:
    checksum = f"{held.checksum.algorithm}:{held.checksum.digest}" if held.checksum else "no checksum"
    return {"size": held.size, "content": checksum}


def read_checksum(info: ChecksumInfo | None) -> Checksum | None:
    return Checksum(info.algorithm or UNSET_ALGORITHM, info.checksum.lower()) if info and info.checksum else None


def usable_checksum(info: ChecksumInfo | None) -> Checksum | None:
    checksum = read_checksum(info)
    return checksum if checksum and checksum.is_usable else None


def write_checksum(checksum: Checksum | None) -> ChecksumInfo | None:
    return ChecksumInfo(algorithm=checksum.algorithm, checksum=checksum.digest) if checksum else None
