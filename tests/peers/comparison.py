# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the official bindings read of a server beside what a module returned, along the types of the bindings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from vmware.vapi.bindings import type as bindings

#: What a result always lists, also where a server sends nothing.
ALWAYS_LISTS = {".warning_behavior"}


class Comparison:
    """Walks values along the bindings' type of them, and keeps at which places it met any.

    A place is the way to a field, without the positions in lists and maps: a message is one place in an error, and
    another in a warning.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._known = set(_places(kind, "", ()))
        self._met: set[str] = set()

    @property
    def unmet(self) -> set[str]:
        """The fields that no value so far had."""
        return self._known - self._met

    def compare(self, theirs: Any, ours: Any) -> None:
        """Raises AssertionError, with the place, where a module's result is not what the bindings read."""
        self._compare(self._kind, theirs, ours, "")

    def _compare(self, kind: Any, theirs: Any, ours: Any, place: str) -> None:
        kind = _resolved(kind)
        if theirs is None and place in ALWAYS_LISTS:
            assert ours == [], f"{place} is {ours!r}, and not an empty list"
        elif theirs is None or ours is None:
            assert theirs is ours, f"{place} is {ours!r}, and not {theirs!r}"
        elif isinstance(kind, bindings.StructType):
            self._compare_fields(kind, theirs, ours, place)
        elif isinstance(kind, bindings.ListType):
            assert len(theirs) == len(ours), f"{place} has {len(ours)} entries, and not {len(theirs)}"
            for left, right in zip(theirs, ours):
                self._compare(kind.element_type, left, right, f"{place}[]")
        elif isinstance(kind, bindings.MapType):
            assert set(theirs) == set(ours), f"{place} has the keys {sorted(ours)}, and not {sorted(theirs)}"
            for name, value in theirs.items():
                self._compare(kind.value_type, value, ours[name], f"{place}[]")
        elif isinstance(kind, bindings.DateTimeType):
            self._compare(None, theirs, datetime.datetime.strptime(ours, "%Y-%m-%dT%H:%M:%S.%fZ"), place)
        else:
            assert theirs == ours, f"{place} is {ours!r}, and not {theirs!r}"

    def _compare_fields(self, kind: Any, theirs: Any, ours: Any, place: str) -> None:
        names = kind.get_field_names()
        assert set(ours) <= set(names), f"{place} has {sorted(set(ours) - set(names))}, which the bindings do not know"
        for name in names:
            value = theirs.get_field(name)
            if value is not None:
                self._met.add(f"{place}.{name}")
            self._compare(kind.get_field(name), value, ours.get(name), f"{place}.{name}")


def _places(kind: Any, place: str, holders: tuple[str, ...]) -> Iterator[str]:
    """The fields of a structure and of those that it holds, but not once more of those that it is held by."""
    kind = _resolved(kind)
    if isinstance(kind, bindings.MapType):
        yield from _places(kind.value_type, f"{place}[]", holders)
    elif isinstance(kind, bindings.ListType):
        yield from _places(kind.element_type, f"{place}[]", holders)
    elif isinstance(kind, bindings.StructType) and kind.name not in holders:
        for name in kind.get_field_names():
            yield f"{place}.{name}"
            yield from _places(kind.get_field(name), f"{place}.{name}", (*holders, kind.name))


def _resolved(kind: Any) -> Any:
    while True:
        if isinstance(kind, bindings.OptionalType):
            kind = kind.element_type
        elif isinstance(kind, bindings.ReferenceType):
            kind = kind.resolved_type
        else:
            return kind
