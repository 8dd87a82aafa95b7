# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that tests move, so that nothing waits for files to settle or for sessions to expire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator import Simulator
from tests.unit.simulator.wire_client import Wire

SETTLE = 10.0
SESSION_TIMEOUT = 300.0
LOGIN_TIMEOUT = 1800.0


class HandClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds

    def settle(self) -> None:
        self.pass_time(2 * SETTLE)


@pytest.fixture(scope="package")
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="package")
def timed_simulator(hand_clock: HandClock) -> Iterator[Simulator]:
    with Simulator(
        clock=hand_clock, settle=SETTLE, session_timeout=SESSION_TIMEOUT, login_timeout=LOGIN_TIMEOUT
    ) as running:
        yield running


@pytest.fixture
def server(timed_simulator: Simulator) -> Simulator:
    timed_simulator.reset()
    return timed_simulator


@pytest.fixture
def clock(hand_clock: HandClock) -> HandClock:
    return hand_clock


@pytest.fixture(params=["api", "rest"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wire(server: Simulator, dialect: str) -> Wire:
    return Wire(server, dialect)


@pytest.fixture
def iso(server: Simulator) -> str:
    return server.run(lambda store: store.find_item_id("templates", "tools"))


@pytest.fixture
def ovf(server: Simulator) -> str:
    return server.run(lambda store: store.find_item_id("templates", "rocky9"))


@pytest.fixture
def synced(server: Simulator) -> str:
    return server.run(lambda store: store.find_item_id("mirror", "synced"))
