# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trials of a vCenter, with pauses that suit a simulator, and what is left of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.simulator import Simulator, Store

TRIAL: dict[str, Any] = {"libraries": ["templates"], "trial": True}
HOUR = 3600.0
#: Seconds after which a file or a preview is received: long enough to be seen on its way on a busy machine.
SEEN_ON_ITS_WAY = 0.4
#: The pauses of a trial against a simulator, by the names of `Timing`.
PAUSES: Mapping[str, float] = {
    "first_pause": 0.05,
    "preview_unavailable": 2.0,
    "trial_wait": 5.0,
    "trial_hang": 1.0,
    "first_insisting_pause": 0.05,
}
MARK = "vsphere-content-check-"


class MovedClock:
    """The time of a server that goes on by itself, and that a test can move."""

    def __init__(self) -> None:
        self.moved = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.moved

    def pass_time(self, seconds: float) -> None:
        self.moved += seconds


def seen(result: Mapping[str, Any]) -> dict[str, str]:
    """What was observed, by the names of points."""
    return {entry["name"]: entry["seen"] for entry in result["observations"] if entry["fits"]}


def odd(result: Mapping[str, Any]) -> dict[str, str]:
    """What was observed to be otherwise than is known."""
    return {entry["name"]: entry["seen"] for entry in result["observations"] if entry["fits"] not in (None, "as_known")}


def items(sim: Simulator) -> list[str]:
    def names(store: Store) -> list[str]:
        return sorted(item.name for item in store.catalog.items.values())

    return sim.run(names)


def sessions(sim: Simulator) -> dict[str, str]:
    """The states of all sessions of both kinds, by their identifiers."""

    def states(store: Store) -> dict[str, str]:
        store.advance()
        return {each.id: each.state for kind in (store.updates, store.downloads) for each in kind.sessions.values()}

    return sim.run(states)
