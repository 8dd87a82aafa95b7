# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the content of an item is: its files, their roles in a package, and their checksums."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .._vcenter.errors import InvalidArgument, some_of
from .._vcenter.models import ChecksumInfo, LibraryItem, LibraryItemFile
from .local_file import Identity

DIGEST_LENGTHS: Mapping[str, int] = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}
UNSET_ALGORITHM = "SHA1"
ISO, OVF, VM_TEMPLATE = ITEM_TYPES = ("iso", "ovf", "vm-template")


class Role(enum.IntEnum):
    """What a file is to an item, in the order in which files start: vCenter refuses a manifest after the descriptor.

    The roles of `DESCRIPTOR_SET` go one by one and before all else; all others go at once.
    """

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


@dataclass(frozen=True)
class Checksum:
    """A checksum in lower-case hex digits, with the API's name of its algorithm."""

    algorithm: str
    digest: str

    @property
    def is_usable(self) -> bool:
        """Whether the task can compare with it: servers send empty checksums, and may use unknown algorithms."""
        length = DIGEST_LENGTHS.get(self.algorithm)
        return length is not None and re.fullmatch(f"[0-9a-f]{{{length}}}", self.digest) is not None


@dataclass(frozen=True)
class PullSource:
    """Where vCenter itself fetches a file, and how it recognises the server there.

    `thumbprint` is in upper-case hex digits with colons, `certificate` is PEM text.
    """

    url: str
    thumbprint: str | None = None
    certificate: str | None = None


@dataclass(frozen=True)
class WantedFile:
    """A file that an item shall hold, with its `name` in the item.

    Either it is on the host that runs the task: `size` bytes from `offset` of `path`. Or vCenter pulls it from
    `source`, and nobody knows its size. `members` are the files of an OVA; the item will hold them instead of it.
    `origin` names its content in a diff. `identity` is that of the file when the task first looked at it. `vouched` are
    the checksums in the manifest of its package. `is_referenced` is False for a member of an OVA that the descriptor
    does not name.
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
    vouched: tuple[Checksum, ...] = ()
    is_referenced: bool = True

    @property
    def role(self) -> Role:
        return role_of(self.name)

    @property
    def is_opaque(self) -> bool:
        """Whether the item will hold unknown files instead of this one: it is a pulled OVA."""
        return self.role is Role.ARCHIVE and not self.members

    @property
    def may_be_dropped(self) -> bool:
        """Whether the item may lack this file in the end. No source says what becomes of unreferenced members."""
        return self.role in NOT_KEPT or not self.is_referenced

    @property
    def is_read(self) -> bool:
        """Whether the task reads the content of this file: it is a local descriptor."""
        return self.path is not None and self.role is Role.DESCRIPTOR

    @property
    def brings_unknown(self) -> bool:
        """Whether vCenter adds files that the task does not know: those of a package that it pulls.

        The name in the item decides how vCenter treats a file. The name in the URL counts too, as no documentation says
        that vCenter ignores it.
        """
        if not self.source:
            return False
        return self.role in PREVIEWED or role_of(re.split("[?#]", self.source.url)[0]) in PREVIEWED


@dataclass(frozen=True)
class Wanted:
    """The content that the task declares.

    `files` are in the order to send them. `absent` are the names to remove; `purge` removes all other names too.
    `purge_declared` says that the user has said whether to; else the files decide. `warnings` are for the user.
    `faults` are what vCenter refuses of the manifests, and `remarks` are further warnings. Both count only if something
    is sent.
    """

    files: tuple[WantedFile, ...]
    absent: frozenset[str]
    purge: bool
    purge_declared: bool = False
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that may be there: those of the files, and of the members of an OVA."""
        return frozenset(file.name for file in self.files) | {file.name for file in self.content}

    @cached_property
    def content(self) -> tuple[WantedFile, ...]:
        """The files as the item will hold them: the members of an OVA instead of the OVA."""
        return unpacked(self.files)

    @property
    def previewed(self) -> bool:
        """Whether vCenter makes a preview of this content."""
        return any(file.role in PREVIEWED for file in self.files)

    @property
    def pulled_packages(self) -> tuple[str, ...]:
        """The names of the files with `brings_unknown`."""
        return tuple(file.name for file in self.files if file.brings_unknown)

    def unnamed(self, held: Iterable[str]) -> tuple[str, ...]:
        """The `held` names that the task does not declare, without those that vCenter does not keep."""
        known = self.names | self.absent
        return tuple(sorted(name for name in held if name not in known and role_of(name) not in NOT_KEPT))

    def superfluous(self, held: Iterable[str]) -> tuple[str, ...]:
        """The `held` names to remove, if the task knows everything that the declared files bring."""
        return tuple(sorted(name for name in held if name in self.absent or (self.purge and name not in self.names)))


def unpacked(files: Iterable[WantedFile]) -> tuple[WantedFile, ...]:
    """Files as an item will hold them: the members of an OVA, if they are known, instead of the OVA."""
    return tuple(part for file in files for part in file.members or (file,))


def stem_of(name: str) -> str:
    return os.path.splitext(name)[0]


def role_of(name: str) -> Role:
    """What a file is to vCenter, which goes by what follows the last dot, even if nothing precedes it."""
    return ROLES.get("." + name.rpartition(".")[2].lower(), Role.OTHER) if "." in name else Role.OTHER


def require_item_type(name: str, value: str | None) -> None:
    """Raises InvalidArgument for another spelling of vCenter's types; vCenter would take it for a different type."""
    meant = (value or "").strip().lower()
    if meant in ITEM_TYPES and value != meant:
        raise InvalidArgument(
            f"{name} is {value!r}, which vCenter does not take for {meant!r}", remedy=f"Write {name}: {meant}."
        )


def describe_content(item: LibraryItem, files: Sequence[LibraryItemFile]) -> str:
    """What an item holds, for a sentence; an empty text if it surely holds nothing.

    A VM template may have no files. Storage in use counts as content even without a listed file. The content_version
    proves nothing: an item whose last file was removed has a high one.
    """
    if files:
        return f"{len(files)} file{'s' if len(files) > 1 else ''} ({some_of([file.name for file in files])})"
    if item.type == VM_TEMPLATE:
        return "a VM template"
    return f"{item.size} bytes of storage, although vCenter lists no file of it" if item.size else ""


def read_checksum(info: ChecksumInfo | None) -> Checksum | None:
    return Checksum(info.algorithm or UNSET_ALGORITHM, info.checksum.lower()) if info and info.checksum else None


def usable_checksum(info: ChecksumInfo | None) -> Checksum | None:
    checksum = read_checksum(info)
    return checksum if checksum and checksum.is_usable else None


def write_checksum(checksum: Checksum | None) -> ChecksumInfo | None:
    return ChecksumInfo(algorithm=checksum.algorithm, checksum=checksum.digest) if checksum else None
