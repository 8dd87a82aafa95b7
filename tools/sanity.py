# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-test needs beside a staged copy, and which lines of its output report skipped parts."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.harness.checkout import ROOT

# The Pythons of the support matrix. A machine that lacks one of them does not check everything.
SUPPORTED = ("3.9", "3.10", "3.11", "3.12", "3.13")
# The oldest ansible-core runs on this one.
OLDEST = SUPPORTED[0]

# Tells ansible-test for which Pythons the files need no boilerplate.
CONFIGURATION = "tests/config.yml"

# ansible-test succeeds even if it ran nothing at all.
LEFT_OUT = re.compile(r"could not be found|All targets skipped|No tests applicable|^WARNING: Skipping|^Skipping sanity")


def for_developers_only() -> list[str]:
    """The Python code that no user gets: ruff and mypy check it, and pylint would take a minute for it."""
    metadata = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    ignored = [name for name in metadata["build_ignore"] if name == "tools" or name.startswith("tests/")]
    return [name for name in ignored if name != CONFIGURATION]


def provide_pip(environment: Path, home: Path) -> None:
    """Put our script where ansible-test looks for its downloaded one, for each pip version that it names."""
    (file,) = environment.glob("lib/python3*/site-packages/ansible_test/_internal/python_requirements.py")
    source = file.read_text(encoding="utf-8")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"\bpip='([\d.]+)'", source):
        shutil.copyfile(ROOT / "tools" / "get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py")


def works(version: str, env: Mapping[str, str]) -> bool:
    python = shutil.which(f"python{version}", path=env["PATH"])
    return python is not None and subprocess.run([python, "-c", ""], env=env, check=False).returncode == 0


def sanity_command(versions: Sequence[str], without: Sequence[str] = ()) -> list[str]:
    # By default ansible-test also wants Pythons that are not in the support matrix.
    targets = [f"--target-python={version}" for version in versions]
    skipped = [f"--skip-test={test}" for test in without]
    return ["ansible-test", "sanity", "--color", "no", "--controller", "origin:python=default", *targets, *skipped]


def left_out(output: str) -> list[str]:
    return [line for line in output.splitlines() if LEFT_OUT.search(line)]
