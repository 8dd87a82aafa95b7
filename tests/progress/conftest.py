# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the suite finds the collection, and that all its traffic is held against the published description."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.harness.checkout import collections_root

sys.path.insert(0, str(collections_root()))


def pytest_configure(config: pytest.Config) -> None:
    from tests.contract.watch import ContractWatch

    config.pluginmanager.register(ContractWatch(config), "contract-watch")
