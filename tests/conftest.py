# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all suites share: the checkout's own packages to import, and simulators that are held to the description.

``sim`` is a simulator in which nothing has to be waited for, unless a suite has another one. ``server`` is the same for
one module alone, and ``tasks`` run against it, in each dialect. ``dest`` is a directory to fetch to.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.harness.checkout import collections_root

sys.path.insert(0, str(collections_root()))

from tests.harness.tasks import DIALECTS, Tasks

if TYPE_CHECKING:
    from tests.simulator import Simulator

pytest_plugins = ("tests.contract.watch",)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The worker's simulator, as the last test left it: tests take ``sim``, which is reset."""
    from tests.simulator import Simulator

    with Simulator(settle=0) as running:
        yield running


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    simulator.reset()
    return simulator


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    """The module's simulator, as the last test left it."""
    from tests.simulator import Simulator

    with Simulator(settle=0) as running:
        yield running


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """An empty directory to fetch to."""
    folder = tmp_path / "dest"
    folder.mkdir()
    return folder


@pytest.fixture(params=DIALECTS)
def tasks(request: pytest.FixtureRequest, server: Simulator) -> Tasks:
    """Tasks that speak one dialect, against a server that was reset."""
    server.reset()
    return Tasks(server, request.param)
