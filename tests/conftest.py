# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all suites share: the checkout's own packages to import, and simulators that are held to the description.

``sim`` is a simulator in which nothing has to be waited for, unless a suite has another one. ``server`` is the same for
one module alone. ``tasks`` run against it in each dialect, ``one`` where the dialect changes nothing. The mark ``seed``
says what it holds.
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

from tests.harness.packages import Package, make_iso, make_package
from tests.harness.samples import mark_samples
from tests.harness.servers import Identity, make_identity
from tests.harness.tasks import DIALECTS, Tasks

if TYPE_CHECKING:
    from tests.simulator import Simulator

IMAGE_BYTES, DISK_BYTES = 5000, 9000

pytest_plugins = ("tests.contract.watch",)


MARKERS = (
    "paced(**pauses): gives modules that run in the tests' process these pauses, by the names of `Timing`",
    "process: starts processes of its own, which takes longer than a unit test should",
    "seed(seed): what the server of `tasks` and `one` holds",
    "fact(*ids): the facts about vCenter that the test stands on; see tests/simulator/facts.py",
    "rest: does not pay on each push, so that `make test-all` runs it and `make test` does not",
    "more: one of many sets of parameters of a test, of which `make test` tries a few",
    "night: one of many alike, which only `make test-all WHOLE_MATRIX_OF=...` runs",
)


def pytest_configure(config: pytest.Config) -> None:
    # Here and not in pyproject.toml, which ansible-test does not read.
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


# Before pytest itself drops the tests of other marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_samples(items)


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


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "tools.iso", IMAGE_BYTES)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Two disks and a manifest, which nobody has signed."""
    return make_package(tmp_path / "package", disks=2, disk_bytes=DISK_BYTES)


@pytest.fixture
def bare(package: Package) -> Package:
    """A package without its manifest, so that its files can be changed one by one."""
    package.manifest.unlink()
    return package


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of a server that nobody trusts unless told to."""
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seeded_server(request: pytest.FixtureRequest, server: Simulator) -> Simulator:
    mark = request.node.get_closest_marker("seed")
    server.reset(*mark.args if mark else ())
    return server


@pytest.fixture
def tasks(seeded_server: Simulator, dialect: str) -> Tasks:
    """Tasks that speak one dialect, against a server that was reset."""
    return Tasks(seeded_server, dialect)


@pytest.fixture
def one(seeded_server: Simulator) -> Tasks:
    """Tasks that speak either dialect, against a server that was reset."""
    return Tasks(seeded_server, "api")


@pytest.fixture
def quick() -> dict[str, float]:
    """Pauses of a suite's own, by the names of `Timing`, for modules that run in this process."""
    return {}


@pytest.fixture(autouse=True)
def _paced(request: pytest.FixtureRequest, quick: dict[str, float]) -> Iterator[None]:
    """The pauses of the suite, and those of the marker `paced`."""
    from tests.harness.modules import paced

    marker = request.node.get_closest_marker("paced")
    with paced(**{**quick, **(marker.kwargs if marker else {})}):
        yield
