# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of each check: without the developer's own settings, and without leftovers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.harness.checkout import CACHE, collections_root

FOREIGN_PREFIXES = ("ANSIBLE_", "GALAXY_", "GIT_", "MOLECULE_", "VMWARE_")
FOREIGN_NAMES = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "PYENV_VERSION", "VIRTUAL_ENV"}


def check_environment(own: Mapping[str, str]) -> dict[str, str]:
    home = CACHE / "home"
    (home / ".ansible_async").mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in own.items()
        if name not in FOREIGN_NAMES and not name.startswith(FOREIGN_PREFIXES)
    }
    return {
        **kept,
        "ANSIBLE_ASYNC_DIR": str(home / ".ansible_async"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections_root()),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_REMOTE_TMP": str(CACHE / "remote_tmp"),
        "HOME": str(home),
        "NO_COLOR": "1",
        "PATH": os.pathsep.join(search_path(own)),
        "PIP_CACHE_DIR": str(CACHE / "pip"),
        # Ansible does not flush what it writes into a pipe.
        "PYTHONUNBUFFERED": "1",
        "XDG_CACHE_HOME": str(home / ".cache"),
        **pip_settings(own),
        **go_settings(own),
    }


def search_path(own: Mapping[str, str]) -> list[str]:
    """Put this virtual environment first, and a version manager's real Pythons in place of its shims.

    ansible-test takes whatever ``python3.X`` it finds, and stops at a shim whose version is not active.
    """
    pyenv = Path(own.get("PYENV_ROOT") or Path(own["HOME"], ".pyenv"))
    real = sorted(pyenv.glob("versions/3.*/bin"), key=patch_release, reverse=True)
    rest = [folder for folder in own.get("PATH", os.defpath).split(os.pathsep) if Path(folder).name != "shims"]
    return [str(Path(sys.prefix, "bin")), *(str(folder) for folder in real), *rest]


def patch_release(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


def pip_settings(own: Mapping[str, str]) -> dict[str, str]:
    """Keep the developer's package index: pip looks for it in the home folder, which the checks replace."""
    if "PIP_CONFIG_FILE" in own:
        return {}
    settings = Path(own["HOME"], ".config", "pip", "pip.conf")
    return {"PIP_CONFIG_FILE": str(settings)} if settings.is_file() else {}


def go_settings(own: Mapping[str, str]) -> dict[str, str]:
    """Keep the developer's module proxy: Go looks for it in the home folder, which the checks replace."""
    if "GOENV" in own:
        return {}
    settings = Path(own["HOME"], ".config", "go", "env")
    return {"GOENV": str(settings)} if settings.is_file() else {}
