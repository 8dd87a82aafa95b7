# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks that tests move, so that no test depends on the speed of the machine."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock
from tests.harness.modules import pauses

SETTLE = 10.0


class HandClock:
    """The time of a server, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds

    def settle(self) -> None:
        """Let files be received by a server that takes SETTLE seconds for it."""
        self.pass_time(2 * SETTLE)


class NapClock:
    """Time that passes only while somebody sleeps; ``during`` is called with the seconds that have passed by then."""

    def __init__(self, during: Callable[[float], None] = lambda _seconds: None) -> None:
        self.seconds = 0.0
        self.naps: list[float] = []
        self.during = during
        self.clock = Clock(self.now, self.sleep, pauses())

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.naps.append(seconds)
        # A sleep of 0 seconds at a deadline must not stop the clock.
        self.seconds += max(seconds, 0.001)
        self.during(self.seconds)
