# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator by a clock that tests move, so that nothing waits for files to settle or for sessions to expire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.clocks import SETTLE, HandClock
from tests.harness.held import item_id
from tests.simulator import Simulator
from tests.unit.simulator.wire_client import Wire

SESSION_TIMEOUT = 300.0
LOGIN_TIMEOUT = 1800.0


@pytest.fixture(scope="package")
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="package")
def timed_simulator(hand_clock: HandClock) -> Iterator[Simulator]:
    with Simulator(
        clock=hand_clock,
        settle=SETTLE,
        session_timeout=SESSION_TIMEOUT,
        login_timeout=LOGIN_TIMEOUT,
        worlds={"completion": "at-once"},  # an answer when done would wait for a test that waits for it
    ) as running:
        yield running


@pytest.fixture
def server(timed_simulator: Simulator) -> Simulator:
    timed_simulator.reset()
    return timed_simulator


@pytest.fixture
def clock(hand_clock: HandClock) -> HandClock:
    return hand_clock


@pytest.fixture
def wire(server: Simulator, dialect: str) -> Wire:
    return Wire(server, dialect)


@pytest.fixture
def iso(server: Simulator) -> str:
    return item_id(server)


@pytest.fixture
def ovf(server: Simulator) -> str:
    return item_id(server, "rocky9")


@pytest.fixture
def synced(server: Simulator) -> str:
    return item_id(server, "synced", "mirror")
