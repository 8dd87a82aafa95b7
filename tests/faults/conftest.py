# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkout's own packages to import, and for each worker a simulator in which nothing has to be waited for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.harness.checkout import collections_root  # noqa: E402 - found only through the line above

sys.path.insert(0, str(collections_root()))

if TYPE_CHECKING:
    from tests.faults.matrix_cells import Stage
    from tests.faults.proxy import FaultProxy
    from tests.simulator import Simulator


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


@pytest.fixture(scope="session")
def fault_proxy(simulator: Simulator) -> Iterator[FaultProxy]:
    """What stands before the worker's simulator, as the last test left it: tests take ``proxy``, which behaves."""
    from tests.faults.proxy import FaultProxy

    with FaultProxy(simulator) as running:
        yield running


@pytest.fixture
def proxy(fault_proxy: FaultProxy, sim: Simulator) -> Iterator[FaultProxy]:  # noqa: ARG001 - it is reset first
    fault_proxy.clear()
    yield fault_proxy
    fault_proxy.clear()


@pytest.fixture(scope="session")
def stage(simulator: Simulator, fault_proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """What the tasks of the matrix work with; each test sets it anew."""
    from tests.faults.matrix_cells import Stage
    from tests.harness.packages import make_iso

    image = make_iso(tmp_path_factory.mktemp("images") / "tools.iso", 200_000)
    return Stage(simulator, fault_proxy, image, tmp_path_factory.mktemp("dest"))
