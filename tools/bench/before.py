# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as it was at an earlier commit, beside the one that is measured."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.harness.checkout import NAME
from tools.bench.bench import BenchError, run


def checked_out(commit: str, scratch: Path) -> Path:
    """The folder above ``ansible_collections`` that holds the collection of a commit. Raises BenchError."""
    root = scratch / f"before-{commit[:12]}"
    place = root.joinpath(*NAME)
    if not place.exists():
        archive = scratch / "before.tar"
        try:
            run(["git", "archive", "--output", str(archive), commit])
        except BenchError as error:
            raise BenchError(f"{error}The commit to compare with is not here: run git fetch --unshallow.") from error
        with tarfile.open(archive) as packed:
            packed.extractall(place, filter="data")
        archive.unlink()
    return root
