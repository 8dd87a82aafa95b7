# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running ansible-core needs to be told so that a module runs in a fork as it does in a process of its own.

All of this is private to ansible-core. So it counts only for the releases that are tested: see `TESTED_CORES`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.executor import module_common
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.release import __version__

# requirements/supported.in has the same releases.
TESTED_CORES = ("2.15", "2.17", "2.18", "2.19", "2.20", "2.21")
# How ansible-core 2.19 and later write options and results, unless a module says otherwise.
PROFILE = "legacy"

# Only newer releases have types, and all of this is private.
MODULE_COMMON: Any = module_common
BASIC: Any = basic
WARNINGS: Any = warnings
HAS_PROFILES = hasattr(MODULE_COMMON, "_BuiltModule")


def running_core() -> str:
    """The release of ansible-core by its first two numbers, such as 2.21."""
    return ".".join(__version__.split(".")[:2])


def unbuilt(path: str) -> Any:
    """What ActionBase takes for a module that is ready to run. Nothing has to be sent for it."""
    shebang = f"#!{sys.executable}"
    if not HAS_PROFILES:
        return "new", shebang, b"", path
    built = MODULE_COMMON._BuiltModule(
        b_module_data=b"", module_style="new", shebang=shebang, serialization_profile=PROFILE
    )
    return built, path


def encode(options: Mapping[str, Any]) -> bytes:
    """The options as a module reads them. Raises AnsibleError for an option that is no JSON."""
    try:
        return json.dumps({"ANSIBLE_MODULE_ARGS": options}, **ENCODING).encode()
    except TypeError as error:
        raise AnsibleError(f"Unable to pass options to module, they must be JSON serializable: {error}") from error


def _load_encoding() -> dict[str, Any]:
    """How json writes options. All that both sides need for options and results is imported here, once for all."""
    if not HAS_PROFILES:
        return {"cls": importlib.import_module("ansible.parsing.ajson").AnsibleJSONEncoder, "vault_to_text": True}
    codec: Any = importlib.import_module("ansible.module_utils.common.json")
    for direction in codec.Direction:
        codec.get_module_encoder(PROFILE, direction)
        codec.get_module_decoder(PROFILE, direction)
    return {"cls": codec.get_module_encoder(PROFILE, codec.Direction.CONTROLLER_TO_MODULE)}


ENCODING = _load_encoding()


def become_module(options: bytes) -> None:
    """Make this process, a fork of Ansible's worker, one that runs a module.

    Its warnings go into the result: in a worker they would go to the display, or appear in the next round of a loop.
    """
    BASIC._ANSIBLE_ARGS = options
    WARNINGS._global_warnings.clear()
    WARNINGS._global_deprecations.clear()
    if HAS_PROFILES:
        BASIC._ANSIBLE_PROFILE = PROFILE
        shared: Any = importlib.import_module("ansible.module_utils._internal")
        shared.is_controller = False
        tracebacks: Any = importlib.import_module("ansible.module_utils._internal._traceback")
        tracebacks._is_traceback_enabled = tracebacks._is_module_traceback_enabled
