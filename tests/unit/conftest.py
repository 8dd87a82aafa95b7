# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all unit tests share: a simulator in which files take a moment to be READY, and pauses that are short."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.harness.checkout import CACHE

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(CACHE / "hypothesis"))

if TYPE_CHECKING:
    from tests.simulator import Simulator


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The worker's simulator, as the last test left it: tests take ``sim``, which is reset."""
    from tests.simulator import Simulator

    with Simulator() as running:
        yield running


@pytest.fixture
def quick() -> dict[str, float]:
    """A task that finds a session need not look on for long, as nobody else is there; nor need a clean-up pause."""
    return {"watch_idle": 0.0, "claim": 0.0, "first_insisting_pause": 0.01}
