# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which manifest and which certificate beside an OVF descriptor are its own, by their names.

vCenter accepts a package without its signature silently, whoever changed the package. So for each file that may be a
signature the task finds out which descriptor it belongs to, or it tells the user.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .._vcenter.errors import InvalidArgument, some_of
from .content import DESCRIPTOR_SET, NOT_KEPT, Role, role_of, stem_of

WORDS = {Role.MANIFEST: "manifest", Role.CERTIFICATE: "certificate"}
CANDIDATES = 50_000
"""How many descriptors, manifests and certificates a directory may hold; other files do not count. A store of that many
packages uses more than one directory.
"""
ENDINGS = {Role.MANIFEST: (".mf", ".MF"), Role.CERTIFICATE: (".cert", ".CERT")}


@dataclass(frozen=True)
class Signature:
    """The names of the files beside a descriptor to send with it, and warnings about the others."""

    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def find_signature(descriptor: str, *, elsewhere: Collection[Role], others: Collection[str]) -> Signature:
    """The manifest and the certificate beside the descriptor at this path.

    `elsewhere` are those of the two that the user names, wherever they are. `others` are the names beside the
    descriptor that are sent anyway. Raises InvalidArgument if the names do not tell which file is the descriptor's own.
    """
    directory, name = os.path.split(descriptor)
    try:
        beside = _candidates(directory, others)
    except OSError as error:
        return _guess(directory, name, elsewhere, others, error.strerror or str(error))
    found: list[str] = []
    strays: list[str] = []
    lacking = []
    descriptors = {stem_of(name), *(stem_of(entry) for entry in beside if role_of(entry) is Role.DESCRIPTOR)}
    folded = {stem.casefold() for stem in descriptors}
    alike = sorted(stem for stem in descriptors if stem.casefold() == stem_of(name).casefold())
    for role in NOT_KEPT:
        files = [entry for entry in beside if role_of(entry) is role]
        own = [entry for entry in files if _is_own(directory, entry, descriptors, stem_of(name), alike)]
        found += _the_one(directory, name, role, own)
        if not own and role not in elsewhere:
            lacking.append(role)
            strays += [entry for entry in files if stem_of(entry).casefold() not in folded]
    strays = [entry for entry in strays if not os.path.isdir(os.path.join(directory, entry))]
    return Signature(tuple(found), _judge(descriptor, lacking, strays))


def _candidates(directory: str, others: Collection[str]) -> list[str]:
    """The descriptors, manifests and certificates in a directory, sorted; other names are never kept in memory."""
    found: list[str] = []
    with os.scandir(directory or os.curdir) as entries:
        for entry in entries:
            # A hidden file that is called by an ending alone has no base name of a descriptor.
            if role_of(entry.name) not in DESCRIPTOR_SET or entry.name in others or stem_of(entry.name) == entry.name:
                continue
            found.append(entry.name)
            if len(found) > CANDIDATES:
                raise InvalidArgument(
                    f"files: {directory} holds more than {CANDIDATES} descriptors, manifests and certificates",
                    remedy="Put the package into a directory of its own.",
                )
    return sorted(found)


def _is_own(directory: str, entry: str, descriptors: Collection[str], own: str, alike: Sequence[str]) -> bool:
    """Whether a file belongs to the descriptor with the stem `own`.

    Case counts only if it distinguishes descriptors; `alike` are the stems that equal `own` but for case. Raises
    InvalidArgument.
    """
    stem = stem_of(entry)
    if stem in descriptors or stem.casefold() != own.casefold():
        return stem == own
    if len(alike) > 1:
        raise InvalidArgument(
            f"files: {os.path.join(directory, entry)} may belong to each of the descriptors {some_of(alike)}",
            remedy="Give it the base name of its descriptor, in the same case of letters.",
        )
    return True


def _the_one(directory: str, name: str, role: Role, own: Sequence[str]) -> Sequence[str]:
    if len(own) > 1:
        raise InvalidArgument(
            f"files: {some_of(own)} in {directory} may each be the {WORDS[role]} of {name}",
            remedy=f"Take away the one that is not the {WORDS[role]} of this package.",
        )
    return own


def _judge(descriptor: str, lacking: Iterable[Role], strays: Sequence[str]) -> tuple[str, ...]:
    """Warnings about files that look like a signature and belong to no descriptor.

    Raises InvalidArgument if all of them have one stem, as they are then most likely the descriptor's own.
    """
    if not strays:
        return ()
    stem = stem_of(os.path.basename(descriptor))
    kinds = " and no ".join(WORDS[role] for role in lacking)
    names = some_of(strays)
    if len({stem_of(entry).casefold() for entry in strays}) == 1:
        raise InvalidArgument(
            f"files: {descriptor} has no {kinds} of its own, and {names} beside it belongs to no descriptor there",
            remedy=f"If this is the signature of the package, name it in files, or give it the base name {stem}. Else "
            "take it away.",
        )
    return (
        f"{descriptor} has no {kinds} of its own, so it is published without. Beside it are {names}, which belong to "
        f"no descriptor there. If one of them is the package's, name it in files, or give it the base name {stem}.",
    )


def _guess(directory: str, name: str, elsewhere: Collection[Role], others: Collection[str], reason: str) -> Signature:
    """The files with the usual names, in a directory that the task may search but not list."""
    found: list[str] = []
    unknown = []
    for role, endings in ENDINGS.items():
        usual = [stem_of(name) + ending for ending in endings]
        there = [entry for entry in usual if os.path.lexists(os.path.join(directory, entry)) and entry not in others]
        if len(there) > 1 and os.path.samestat(*(os.lstat(os.path.join(directory, entry)) for entry in there)):
            # Both names are one file, as the file system ignores case.
            del there[1:]
        found += _the_one(directory, name, role, there)
        if not there and role not in elsewhere:
            unknown.append(WORDS[role])
    if not unknown:
        return Signature(tuple(found))
    return Signature(
        tuple(found),
        (
            f"{directory} cannot be listed ({reason}), so nobody can tell whether {name} has a "
            f"{' and a '.join(unknown)} there under an unusual name; none was found under the usual ones. Let the user "
            "that runs this task list the directory, or name them in files.",
        ),
    )
