# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the option `files` is read: paths and URLs, the references of an OVF descriptor, the files in an OVA.

Anything wrong with them raises InvalidArgument here, before the task changes anything.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from .._vcenter.errors import InvalidArgument
from .._vcenter.models import without_credentials
from .content import (
    DIGEST_LENGTHS,
    NOT_KEPT,
    PREVIEWED,
    Checksum,
    PullSource,
    Role,
    Wanted,
    WantedFile,
    role_of,
    unpacked,
)
from .file_budget import Budget
from .local_file import identify
from .manifest import read_manifests, with_vouched
from .names import is_file_name
from .pull_source import PULLED_SCHEMES, read_certificate, read_thumbprint
from .source_directory import find_source

# Most tasks publish one image. They start faster because what reads packages is imported only where needed.

PACKAGES = 100
"""How many descriptors and archives one task may name, as the directory of each is listed. An item holds one."""


def read_wanted(files: Sequence[Mapping[str, Any]], purge_files: bool | None) -> Wanted:
    """The declared content; of local files this reads only descriptors, manifests and the headers of an OVA."""
    budget, said = Budget(), _Said([], [], [])
    listed = [
        _pulled_file(entry, budget) if entry["url"] else _local_file(entry, budget, said)
        for entry in files
        if entry["state"] == "present"
    ]
    neighbours = _read_listed(listed)
    present: list[WantedFile] = []
    packages: list[tuple[str, ...]] = []
    for file in listed:
        found, names = _with_references(file, neighbours, budget, said)
        present += found
        packages += [names] if names else []
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
    manifests = read_manifests(
        list(by_name.values()), [[by_name[name] for name in names if name in by_name] for names in packages]
    )
    wanted = [with_vouched(file, manifests.vouched) for file in by_name.values()]
    package = any(file.role in PREVIEWED for file in wanted)
    return Wanted(
        files=tuple(sorted(wanted, key=lambda file: min(file.role, Role.DISK))),
        absent=absent,
        purge=package if purge_files is None else purge_files,
        purge_declared=purge_files is not None,
        warnings=tuple(said.warnings),
        faults=(*said.faults, *manifests.faults),
        remarks=(*said.remarks, *manifests.remarks),
    )


@dataclass
class _Said:
    """What the task has found to say of the files; `Wanted` says what each list is."""

    warnings: list[str]
    faults: list[str]
    remarks: list[str]


def _absent_name(entry: Mapping[str, Any]) -> str:
    if not entry["name"]:
        raise InvalidArgument("files: an entry with state: absent has no name", remedy="Name the file to remove.")
    return str(entry["name"])


def _local_file(entry: Mapping[str, Any], budget: Budget, said: _Said) -> WantedFile:
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
    path = find_source(path)
    name = _file_name(entry["name"] or os.path.basename(path))
    budget.take(name, path)
    file = _file_at(path, name, "src", checksum=_declared_checksum(entry, name))
    if file.role is not Role.ARCHIVE:
        return file
    from .ova import read_ova

    contents = read_ova(path, file.identity, budget)
    said.faults += contents.faults
    said.remarks += contents.remarks
    return replace(file, members=contents.members)


def _file_name(name: str) -> str:
    if not is_file_name(name):
        raise InvalidArgument(
            f"files: {name!r} is not a file name",
            remedy="Give a name without a directory and without control characters, such as disk1.vmdk.",
        )
    return name


def _pulled_file(entry: Mapping[str, Any], budget: Budget) -> WantedFile:
    """A file that vCenter fetches itself; the task knows neither its content nor its size."""
    url = entry["url"]
    try:
        if not url.isprintable():
            raise ValueError
        parts = urlsplit(url)
        shown = without_credentials(url)
        _port = parts.port
    except ValueError:
        # The message shows neither the URL nor the reason: an invalid URL may have its password anywhere.
        raise InvalidArgument(
            f"files: the url of {entry['name'] or 'an entry'} is not a URL",
            remedy="Correct url; what is special in a user name or password must be percent-encoded.",
        ) from None
    if entry["src"]:
        raise InvalidArgument(f"files: {shown} is given together with src", remedy="Keep one of the two.")
    if parts.scheme in ("https", "http") and parts.hostname and not (entry["name"] or parts.path.rpartition("/")[2]):
        raise InvalidArgument(
            f"files: {shown} names no file", remedy="Give the URL of a file, such as https://host/images/tools.iso."
        )
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
                f"files: {option} is given for {shown}, which is not an https URL",
                remedy=f"Drop {option}, or use https.",
            )
    name = _file_name(entry["name"] or unquote(parts.path.rsplit("/", 1)[-1]))
    if entry["checksum"] and role_of(name) is Role.ARCHIVE:
        raise InvalidArgument(
            f"files: {shown} is an OVA that vCenter fetches, and vCenter takes no checksum of an OVA",
            remedy="Drop checksum. To have the file compared, fetch it first, and give its path as src.",
        )
    budget.take(name, shown)
    source = PullSource(
        url,
        read_thumbprint(entry["ssl_thumbprint"]),
        read_certificate(entry["ssl_certificate"], "files: ssl_certificate"),
    )
    return WantedFile(name, shown, checksum=_declared_checksum(entry, name), source=source)


def _file_at(path: str, name: str, option: str, *, checksum: Checksum | None = None) -> WantedFile:
    identity = identify(path, f"files: {option}")
    return WantedFile(name, path, path, identity.size, checksum=checksum, identity=identity)


def _declared_checksum(entry: Mapping[str, Any], name: str) -> Checksum | None:
    if not entry["checksum"]:
        return None
    algorithm = entry["checksum_algorithm"]
    checksum = Checksum(algorithm, entry["checksum"].strip().lower())
    if not checksum.is_usable:
        raise InvalidArgument(
            f"files: the {algorithm} checksum of {name} does not have {DIGEST_LENGTHS[algorithm]} hex digits",
            remedy="Correct checksum, or set checksum_algorithm to the one that it was made with.",
        )
    return checksum


@dataclass(frozen=True)
class _Listed:
    """The files that the user names: `names` has their names in the item, `pulled` those that vCenter fetches.

    `beside` has the names in each directory (by its real path), `signatures` the manifests and certificates by the
    folded stem of their names. `single` says that there is one package.
    """

    names: frozenset[str]
    pulled: frozenset[str]
    beside: Mapping[str, set[str]]
    signatures: Mapping[str, set[Role]]
    single: bool

    def signature_of(self, descriptor: WantedFile) -> set[Role]:
        """Which of manifest and certificate the user names for a descriptor; for a single package any name counts."""
        if self.single:
            return set().union(*self.signatures.values())
        stems = {_folded_stem(descriptor.name), _folded_stem(str(descriptor.path))}
        return set().union(*(self.signatures.get(stem, set()) for stem in stems))


def _folded_stem(name: str) -> str:
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
            signatures[_folded_stem(file.name)].add(file.role)
    beside: dict[str, set[str]] = defaultdict(set)
    for place, names in places.items():
        beside[os.path.realpath(place)] |= names
    return _Listed(
        names=frozenset(file.name for file in listed),
        pulled=frozenset(file.name for file in listed if file.source),
        beside=dict(beside),
        signatures=dict(signatures),
        single=len(packages) == 1,
    )


def _with_references(
    file: WantedFile, listed: _Listed, budget: Budget, said: _Said
) -> tuple[list[WantedFile], tuple[str, ...]]:
    """A file with the files that come with it, and the names of its package.

    A local descriptor brings its references, and the manifest and certificate beside it. Others have no such names.
    """
    if file.role is not Role.DESCRIPTOR or not file.path:
        return [file], ()
    from .ovf import read_references
    from .references import Directory, find_references
    from .signature import find_signature

    directory = os.path.dirname(file.path)
    there = Directory(file.path, listed.names)
    references = find_references(read_references(file, budget), there, file.origin)
    found = [file]
    # A file that the user lists is sent anyway, and must not be sent twice.
    signature = find_signature(
        file.path,
        elsewhere=listed.signature_of(file),
        others={*references, *listed.beside.get(os.path.realpath(directory), ())},
    )
    for name in signature.names:
        path = os.path.join(directory, name)
        _require_signature_file(path, file.name)
        found.append(_file_at(path, _file_name(name), f"{name} beside {file.name},"))
    # What vCenter shall fetch need not lie here, and what does not lie beside the descriptor may come from elsewhere.
    found += [
        _file_at(os.path.join(directory, name), name, f"{name}, referenced by {file.name},")
        for name in references
        if name not in listed.pulled and not (name in listed.names and not there.is_beside(name))
    ]
    said.warnings += signature.warnings
    return found, (file.name, *references)


def _require_signature_file(path: str, descriptor: str) -> None:
    """Raises InvalidArgument for a directory or a broken link with a signature's name; `identify` finds the rest."""
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
