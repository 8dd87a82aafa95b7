# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No play outlives its test, not even one that hangs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.progress.plays import Playing


@pytest.fixture(autouse=True)
def no_play_goes_on() -> Iterator[None]:
    yield
    while Playing.started:
        Playing.started.pop().kill()
