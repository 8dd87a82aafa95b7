# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests of many alike run on each push: one of each kind. The others have the mark `rest`."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable
from typing import Any, Callable, TypeVar

import pytest

CellT = TypeVar("CellT")

#: The parameters of tests by which the same is asked of another form of the server.
FORMS = ("dialect", "vcenter")


def one_of_each(cells: Iterable[CellT], kind: Callable[[CellT], Hashable]) -> list[CellT]:
    """One cell of each kind. Each kind takes another place in its group, so that the other properties vary too."""
    groups: dict[Hashable, list[CellT]] = {}
    for cell in cells:
        groups.setdefault(kind(cell), []).append(cell)
    return [group[number % len(group)] for number, group in enumerate(groups.values())]


def marked(cells: Iterable[tuple[str, tuple[Any, ...]]], kind: Callable[[tuple[Any, ...]], Hashable]) -> list[Any]:
    """The parameters of pytest for cells with an id; those outside the sample have the mark `rest`."""
    named = dict(cells)
    sample = set(one_of_each(named, lambda name: kind(named[name])))
    return [
        pytest.param(*values, id=name, marks=() if name in sample else pytest.mark.rest)
        for name, values in named.items()
    ]


def mark_other_forms(items: Iterable[pytest.Item]) -> None:
    """Leave one form of the server to each test on a push. Its name settles which, so that each has its share."""
    groups: dict[Hashable, list[pytest.Item]] = {}
    for item in items:
        params: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
        if any(form in params for form in FORMS):
            # Tests of one function share the objects of their parameters.
            others = tuple((name, id(value)) for name, value in params.items() if name not in FORMS)
            groups.setdefault((item.nodeid.partition("[")[0], others), []).append(item)
    for group in groups.values():
        chosen = zlib.crc32(group[0].nodeid.encode()) % len(group)
        for item in group[:chosen] + group[chosen + 1 :]:
            item.add_marker("rest")
