# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trials of a vCenter, with pauses that suit a simulator, and what is left of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock
from tests.harness.modules import pauses
from tests.harness.waiting import eventually
from tests.simulator import Simulator, Store

TRIAL: dict[str, Any] = {"libraries": ["templates"], "trial": True}
HOUR = 3600.0
#: Seconds of a `CountedClock` after which a file or a preview is received.
SEEN_ON_ITS_WAY = 0.4
STEP = 0.004
#: The pauses of a trial against a simulator, by the names of `Timing`.
PAUSES: Mapping[str, float] = {
    "first_pause": 0.02,
    "longest_pause": 0.1,
    "preview_unavailable": 2.0,
    "trial_wait": 5.0,
    # Unlike any other pause, so that `in_step` knows it.
    "trial_head_start": 0.0625,
    "trial_hang": 1.0,
    "first_insisting_pause": 0.05,
}
MARK = "vsphere-content-check-"


class CountedClock:
    """The time of a server that passes when the server looks at it, and when a task sleeps: never by itself.

    So a busy machine changes nothing.
    """

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        self.seconds += STEP
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds


class TimedSimulator(Simulator):
    """A server with a `CountedClock`."""

    def __init__(self, **options: Any) -> None:
        self.time = CountedClock()
        super().__init__(**{"clock": self.time, **options})


def in_step(sim: TimedSimulator) -> Clock:
    """The clock of a trial that lives in the time of the server. A completion has its head start once it is begun."""
    given = pauses()

    def is_begun(store: Store) -> bool:
        return any(each.completing_since is not None for each in store.updates.sessions.values())

    def sleep(seconds: float) -> None:
        if seconds == given.trial_head_start:
            assert eventually(lambda: sim.run(is_begun))
        else:
            sim.time.pass_time(seconds)

    return Clock(lambda: sim.time.seconds, sleep, given)


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
