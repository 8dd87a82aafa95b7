# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.harness.trials import PAUSES


@pytest.fixture
def quick() -> dict[str, float]:
    return dict(PAUSES)
