# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name as those of the collection are run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from ansible_collections.vsphere.content.plugins.plugin_utils._in_worker import Imported, InWorkerAction

PATH = Path(__file__).parent.parent / "library" / "leaks.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("leaks_in_worker", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ActionModule(InWorkerAction):
    MODULE = Imported(str(PATH), load().main)
