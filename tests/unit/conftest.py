# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all unit tests share: the collection's own names to import, and one simulator for each worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.harness.checkout import CACHE, collections_root  # noqa: E402 - found only through the line above

sys.path.insert(0, str(collections_root()))
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(CACHE / "hypothesis"))

if TYPE_CHECKING:
    from tests.simulator import Simulator


def pytest_configure(config: pytest.Config) -> None:
    from tests.contract.watch import ContractWatch

    config.pluginmanager.register(ContractWatch(config), "contract-watch")


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The worker's simulator, as the last test left it: tests take ``sim``, which is reset."""
    from tests.simulator import Simulator

    with Simulator() as running:
        yield running


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that finds a session need not look on for long, as nobody else is there; nor need a clean-up pause."""
    from ansible_collections.vsphere.content.plugins.module_utils import _lifecycle

    monkeypatch.setattr(_lifecycle, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(_lifecycle, "CLAIM_SECONDS", 0.0)
    monkeypatch.setattr(_lifecycle, "FIRST_REMOVAL_PAUSE", 0.01)


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    simulator.reset()
    return simulator
