# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests of many alike run when. A push has one of each kind, or a few of each test.

The others have the mark `rest`, by which `make test-all` runs them. Those of which it needs only some have the mark
`night`, too: they wait for a run with WHOLE_MATRIX_OF. Those beyond the few have the mark `more`, too: the unit tests
among them are left to another Python.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Hashable, Iterable
from typing import Any, Callable, TypeVar

import pytest

CellT = TypeVar("CellT")

#: The parameters of tests by which the same is asked of another form of the server.
FORMS = ("dialect", "vcenter")
#: The most sets of parameters that a push tries of a test that asks a server and says nothing of kinds.
FEW = 2
#: The fixtures by which a test asks one.
SERVERS = {"simulator", "server", "identity"}
#: Has each test take what a push leaves out: another form of the server, and beside one of the few those beyond them.
ANOTHER_PYTHON = os.environ.get("ANOTHER_PYTHON", "") == "1"
#: The parameter by which other programs play the same, and the one of a push.
KIT, USUAL_KIT = "kit", "newest"


def one_of_each(cells: Iterable[CellT], kind: Callable[[CellT], Hashable]) -> list[CellT]:
    """One cell of each kind. Each kind takes another place in its group, so that the other properties vary too."""
    groups: dict[Hashable, list[CellT]] = {}
    for cell in cells:
        groups.setdefault(kind(cell), []).append(cell)
    return [group[number % len(group)] for number, group in enumerate(groups.values())]


def marked(
    cells: Iterable[tuple[str, tuple[Any, ...]]], kind: Callable[[tuple[Any, ...]], Hashable], one_in: int = 1
) -> list[Any]:
    """The parameters of pytest for cells with an id. A push has the sample, and the others wait as `waiting` says."""
    named = dict(cells)
    sample = set(one_of_each(named, lambda name: kind(named[name])))
    return waiting([(name, values, name in sample) for name, values in named.items()], one_in)


def waiting(cells: Iterable[tuple[str, tuple[Any, ...], bool]], one_in: int) -> list[Any]:
    """The parameters of pytest for cells with an id, each with whether a push has it.

    Of those that it does not have, `make test-all` runs one in so many, and the others wait for the night.
    """
    found, others = [], 0
    for name, values, is_on_push in cells:
        others += not is_on_push
        mark = () if is_on_push else pytest.mark.night if others % one_in else pytest.mark.rest
        found.append(pytest.param(*values, id=name, marks=mark))
    return found


def mark_samples(items: Iterable[pytest.Item], *, another_python: bool = ANOTHER_PYTHON) -> None:
    """Mark what a push, or another Python, leaves out: the same with another server, other parameters or programs."""
    items = list(items)
    with_kinds = {_function(item) for item in items if _waits(item)}
    _mark_other_forms(items, another_python)
    alike = [item for item in items if _asks_a_server(item) and _function(item) not in with_kinds and not _waits(item)]
    _mark_more(alike, another_python)
    _mark_other_kits(items)
    for item in items:
        if item.get_closest_marker("night") or item.get_closest_marker("more"):
            item.add_marker("rest")


def _mark_other_forms(items: Iterable[pytest.Item], another_python: bool) -> None:
    """Leave one form of the server to each test on a push. Its name settles which, so that each has its share."""
    groups: dict[Hashable, list[pytest.Item]] = {}
    for item in items:
        params = _params(item)
        if any(form in params for form in FORMS):
            # Tests of one function share the objects of their parameters.
            others = tuple((name, id(value)) for name, value in params.items() if name not in FORMS)
            groups.setdefault((_function(item), others), []).append(item)
    for group in groups.values():
        chosen = (_number(group[0].nodeid) + another_python) % len(group)
        for item in group[:chosen] + group[chosen + 1 :]:
            item.add_marker("night")


def _mark_more(items: Iterable[pytest.Item], another_python: bool) -> None:
    """Leave a few sets of parameters to each test on a push, as far from each other as may be."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(_function(item), []).append(item)
    for name, group in groups.items():
        count = min(FEW, len(group))
        few = [(_number(name) + number * len(group) // count) % len(group) for number in range(count)]
        for place, item in enumerate(group):
            if another_python and place in few[1:]:
                item.add_marker("rest")
            elif not another_python and place not in few:
                item.add_marker("more")


def _mark_other_kits(items: Iterable[pytest.Item]) -> None:
    """Leave one kit beside the usual one to each test before the night."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if _params(item).get(KIT, USUAL_KIT) != USUAL_KIT:
            groups.setdefault(_function(item), []).append(item)
    for name, group in groups.items():
        kits = sorted({_params(item)[KIT] for item in group})
        kept = kits[_number(name) % len(kits)]
        for item in group:
            if _params(item)[KIT] != kept:
                item.add_marker("night")


def _params(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _number(name: str) -> int:
    """The same number in each run."""
    return zlib.crc32(name.encode())


def _asks_a_server(item: pytest.Item) -> bool:
    return not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))


def _waits(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("rest", "night"))
