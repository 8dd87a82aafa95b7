# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's own names to import, and one scene for each worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.harness.checkout import collections_root

sys.path.insert(0, str(collections_root()))

if TYPE_CHECKING:
    from tests.docs.scene import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    from tests.docs.scene import set_scene

    with set_scene(tmp_path_factory.mktemp("scene")) as set_up:
        yield set_up
