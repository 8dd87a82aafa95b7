# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages that ansible-test installs for itself, fetched beforehand by the hashes of a lock file.

ansible-test names exact versions but no hashes, and of the environment it reads only HOME. So it gets a home of its
own, whose configuration lets pip use only the fetched packages.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT
from tools.supported import is_made

PIP_SETTINGS = """\
[global]
no-index = true
find-links = {wheels}
disable-pip-version-check = true
[install]
no-compile = true
"""


def provide_home(name: str, pythons: Sequence[Path], env: Mapping[str, str]) -> Path:
    """Fetch the packages of ``requirements/NAME.txt`` for each of these Pythons; returns the home for ansible-test.

    Raises CalledProcessError if a package is missing or has another hash.
    """
    home = CACHE / "ansible-test" / name
    wheels, settings = home / "wheels", home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    requirements = ROOT / "requirements" / f"{name}.txt"
    for python in pythons:
        fetched = home / f"{python.resolve().name}.txt"
        if is_made(fetched, requirements):
            continue
        download = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        wanted = ["--require-hashes", "--requirement", str(requirements)]
        subprocess.run([*download, "--only-binary=:all:", f"--dest={wheels}", *wanted], env=env, check=True)
        shutil.copyfile(requirements, fetched)
    settings.write_text(PIP_SETTINGS.format(wheels=wheels), encoding="utf-8")
    return home
