# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments beside the one of the checks: one for each Python of the support matrix with the newest
ansible-core for it, one like an AWX that is in use, and one with the oldest libraries.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT
from tools.sanity import SUPPORTED

REQUIREMENTS = ROOT / "requirements" / "supported.txt"
# AWX's own execution environment.
SMALLEST = ROOT / "requirements" / "smallest.txt"
# Enough to run playbooks, on Python 3.11 with ansible-core 2.19.
DEMO_REQUIREMENTS = ROOT / "requirements" / "demo.txt"
#: The Python of whose ansible-core all is tried, which takes a night.
WHOLE = os.environ.get("WHOLE_MATRIX_OF", "")
AWX_PYTHON, AWX_REQUIREMENTS = "3.11", ROOT / "requirements" / "awx.txt"


def running_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def others() -> list[str]:
    """The supported Pythons, without the one that runs all tests anyway."""
    return [version for version in SUPPORTED if version != running_python()]


def provide(version: str, env: Mapping[str, str], requirements: Path = REQUIREMENTS) -> Path:
    """Make the environment, unless there is one that fits the requirements; returns its Python."""
    folder = CACHE / requirements.stem / version
    python, made = folder / "bin" / "python", folder / requirements.name
    with _alone(folder.with_name(f"{version}.lock")):
        if not is_made(made, requirements):
            subprocess.run([f"python{version}", "-m", "venv", "--clear", str(folder)], env=env, check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
            subprocess.run([*pip, "--requirement", str(requirements)], env=env, check=True)
            shutil.copyfile(requirements, made)
    return python


def is_made(made: Path, requirements: Path) -> bool:
    """Whether the environment is complete, and its copy of the requirements is the same as the present ones."""
    return made.exists() and made.read_bytes() == requirements.read_bytes()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock, as checks that run in parallel want the same environment."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def core_of(python: Path) -> str:
    command = [str(python), "-c", "import ansible.release; print(ansible.release.__version__)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
