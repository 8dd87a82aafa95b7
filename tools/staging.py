# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the files that git knows, under the collection's full name.

ansible-test refuses a link to the checkout, and a tarball must not contain stray files of it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.harness.checkout import NAME, ROOT


def stage(root: Path, without: Sequence[str] = ()) -> Path:
    """Make a fresh copy below ``root``; returns the collection's folder in it."""
    shutil.rmtree(root, ignore_errors=True)
    target = root.joinpath(*NAME)
    left_out = tuple(f"{entry}/" for entry in without)
    for name in listed_files():
        if name in without or name.startswith(left_out):
            continue
        source, copy = ROOT / name, target / name
        if source.is_symlink() or source.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    # The copy is in a folder that git ignores. Without its own repository, ansible-test finds no targets there.
    subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    return target


def listed_files() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name]
