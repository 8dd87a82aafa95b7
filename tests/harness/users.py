# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other users: this process with the rights of one, and programs that one runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
SECONDS = 60.0


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop the rights of root in the block, if the tests have them."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)


def require_root() -> None:
    """Skip a test that needs the rights of root, except in CI."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("CI runs as root, as a test starts a process of another user")
        pytest.skip("only root can start a process of another user")


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A directory that every user can reach; only their owner can reach those of pytest."""
    made = Path(tempfile.mkdtemp(prefix="vsphere-content-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def start_as_nobody(script: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a shell script as another user, in this folder."""
    return subprocess.Popen(
        ["/bin/sh", "-euc", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", **variables},
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_as_nobody(script: str, folder: Path, **variables: str) -> None:
    process = start_as_nobody(script, folder, **variables)
    said, _nothing = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
