# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests of many alike run when. A push has one of each kind.

The others have the mark `rest`, by which `make test-all` runs them. Those of which it needs only some have the mark
`night`, too: they wait for a run with WHOLE_MATRIX_OF.
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
#: Has each test take the form after the one that it has on a push. Another Python's run of all tests does.
NEXT_FORMS = os.environ.get("NEXT_FORMS", "") == "1"
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


def mark_samples(items: Iterable[pytest.Item]) -> None:
    """Mark what a push leaves out of tests that ask the same of other forms of the server, or by other programs."""
    items = list(items)
    _mark_other_forms(items)
    _mark_other_kits(items)
    for item in items:
        if item.get_closest_marker("night"):
            item.add_marker("rest")


def _mark_other_forms(items: Iterable[pytest.Item]) -> None:
    """Leave one form of the server to each test on a push. Its name settles which, so that each has its share."""
    groups: dict[Hashable, list[pytest.Item]] = {}
    for item in items:
        params = _params(item)
        if any(form in params for form in FORMS):
            # Tests of one function share the objects of their parameters.
            others = tuple((name, id(value)) for name, value in params.items() if name not in FORMS)
            groups.setdefault((item.nodeid.partition("[")[0], others), []).append(item)
    for group in groups.values():
        chosen = (zlib.crc32(group[0].nodeid.encode()) + NEXT_FORMS) % len(group)
        for item in group[:chosen] + group[chosen + 1 :]:
            item.add_marker("night")


def _mark_other_kits(items: Iterable[pytest.Item]) -> None:
    """Leave one kit beside the usual one to each test before the night."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if _params(item).get(KIT, USUAL_KIT) != USUAL_KIT:
            groups.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, group in groups.items():
        kits = sorted({_params(item)[KIT] for item in group})
        kept = kits[zlib.crc32(name.encode()) % len(kits)]
        for item in group:
            if _params(item)[KIT] != kept:
                item.add_marker("night")


def _params(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}
