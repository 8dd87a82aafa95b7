# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files the references of a descriptor mean, among those in its directory or in its archive."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from .._vcenter.errors import InvalidArgument
from .content import PREVIEWED, role_of
from .names import explain_forms, other_form, readings
from .ovf import Reference, part_name, twice_referenced


class Surroundings(Protocol):
    """The files among which a descriptor lies."""

    remedy: str

    def has(self, name: str) -> bool:
        """Whether a file of this name is among them."""

    def names(self) -> Iterable[str]:
        """All of them, as far as they can be listed."""

    def lacks(self, name: str) -> str:
        """The sentence that says that a referenced file is not among them."""


class Directory:
    """The files beside a descriptor, and those that come from elsewhere under their names."""

    def __init__(self, descriptor: str, listed: Collection[str] = ()) -> None:
        self._descriptor = descriptor
        self._path = os.path.dirname(descriptor)
        self._listed = listed
        self.remedy = "Put the file beside the descriptor, or name it in files; the package is incomplete without it."

    def has(self, name: str) -> bool:
        return name in self._listed or self.is_beside(name)

    def is_beside(self, name: str) -> bool:
        return os.path.exists(os.path.join(self._path, name))

    def names(self) -> Iterable[str]:
        try:
            return [*self._listed, *os.listdir(self._path)]
        except OSError:
            return self._listed

    def lacks(self, name: str) -> str:
        return f"files: {self._descriptor} references {name!r}, which is not there"


class Archive:
    """The members of an OVA."""

    def __init__(self, path: str, members: Collection[str]) -> None:
        self._path = path
        self._members = members
        self.remedy = "Export the OVA again."

    def has(self, name: str) -> bool:
        return name in self._members

    def names(self) -> Iterable[str]:
        return self._members

    def lacks(self, name: str) -> str:
        return f"files: {self._path} lacks {name!r}, which its descriptor references"


def find_references(references: Sequence[Reference], there: Surroundings, origin: str) -> tuple[str, ...]:
    """The names of the files that the references mean. Raises InvalidArgument for a missing one, or one meant twice."""
    found: dict[str, None] = {}
    for reference in references:
        for name in _find(reference, there, origin):
            if name in found:
                raise twice_referenced(origin, name)
            if role_of(name) in PREVIEWED:
                raise InvalidArgument(
                    f"files: {origin} references {name!r}, which vCenter takes for a package of its own",
                    remedy="Export the package again, and publish the other one to an item of its own.",
                )
            found[name] = None
    return tuple(found)


def _find(reference: Reference, there: Surroundings, origin: str) -> list[str]:
    names = readings(reference.href)
    if not names:
        raise InvalidArgument(
            f"files: {origin} references {reference.href!r}, which is not a file beside it",
            remedy="Export the package again: the references of a descriptor must be plain file names.",
        )
    sought = [part_name(name, 0) if reference.is_split else name for name in names]
    found = next((name for name, first in zip(names, sought) if there.has(first)), None)
    if found is None:
        raise _missing(sought, there)
    return _parts(found, reference.parts, there) if reference.is_split else [found]


def _parts(name: str, count: int | None, there: Surroundings) -> list[str]:
    """The files that hold a split one. Raises InvalidArgument if one in between is not there."""
    parts = [part_name(name, 0)]
    while there.has(part_name(name, len(parts))) and count != len(parts):
        parts.append(part_name(name, len(parts)))
    last = (count or 0) - 1
    if count is None:
        numbered = re.compile(re.escape(name) + r"\.(\d{9})")
        last = max(int(match.group(1)) for match in map(numbered.fullmatch, [*there.names(), parts[-1]]) if match)
    if last >= len(parts):
        lacking = there.lacks(part_name(name, len(parts)))
        raise InvalidArgument(f"{lacking}: the parts of {name!r} go to {part_name(name, last)!r}", remedy=there.remedy)
    return parts


def _missing(sought: Sequence[str], there: Surroundings) -> InvalidArgument:
    text = there.lacks(sought[0])
    for name in sought:
        twin = other_form(name, there.names())
        if twin:
            return InvalidArgument(
                f"{text}; {explain_forms(name, twin)}",
                remedy="Give the file the name that the descriptor has, character by character.",
            )
    return InvalidArgument(text, remedy=there.remedy)
