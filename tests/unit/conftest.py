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


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that finds a session need not look on for long, as nobody else is there; nor need a clean-up pause."""
    from ansible_collections.vsphere.content.plugins.module_utils._session import acquire, lost_answers

    monkeypatch.setattr(acquire, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(acquire, "CLAIM_SECONDS", 0.0)
    monkeypatch.setattr(lost_answers, "FIRST_PAUSE", 0.01)
