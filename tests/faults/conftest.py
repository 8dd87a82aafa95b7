# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands before each worker's simulator, and what the tasks of the matrix work with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.matrix_cells import Stage
    from tests.faults.proxy import FaultProxy
    from tests.simulator import Simulator


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
def stage(simulator: Simulator, fault_proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """What the tasks of the matrix work with; each test sets it anew."""
    from tests.faults.matrix_cells import Stage
    from tests.harness.packages import make_iso
    from tests.harness.servers import CannedServer, Reply

    image = make_iso(tmp_path_factory.mktemp("images") / "tools.iso", 200_000)
    with CannedServer(lambda _request: Reply(200, image.read_bytes()), tls=False) as mirror:
        url = f"http://{mirror.hostname}:{mirror.port}/{image.name}"
        yield Stage(simulator, fault_proxy, image, tmp_path_factory.mktemp("dest"), url)
