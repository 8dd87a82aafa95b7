# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments beside the one that runs the checks: of each Python of the support matrix, with the newest
ansible-core that it can run, of an AWX that is in use, and of the oldest libraries.
"""

from __future__ import annotations

import fcntl
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
AWX_PYTHON, AWX_REQUIREMENTS = "3.11", ROOT / "requirements" / "awx.txt"


def others() -> list[str]:
    """The supported Pythons but for the one that runs all tests anyway."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [version for version in SUPPORTED if version != running]


def provide(version: str, env: Mapping[str, str], requirements: Path = REQUIREMENTS) -> Path:
    """Make the environment, unless there is one as the requirements want it; returns its Python."""
    folder = CACHE / requirements.stem / version
    python, made = folder / "bin" / "python", folder / requirements.name
    with _alone(folder.with_name(f"{version}.lock")):
        if not is_made(made, requirements):
            subprocess.run([f"python{version}", "-m", "venv", "--clear", str(folder)], env=env, check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--requirement", str(requirements)], env=env, check=True)
            shutil.copyfile(requirements, made)
    return python


def is_made(made: Path, requirements: Path) -> bool:
    """Whether a copy of the requirements, left when all of them had been brought, is what they are still."""
    return made.exists() and made.read_bytes() == requirements.read_bytes()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Several checks want the same environment, and run side by side."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def core_of(python: Path) -> str:
    command = [str(python), "-c", "import ansible.release; print(ansible.release.__version__)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
