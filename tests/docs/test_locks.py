# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the lock files hold what the files that they are made of ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.checkout import ROOT

ASKED = sorted((ROOT / "requirements").glob("*.in"))
PINNED = re.compile(r"^(\S+)==([^\s;\\]+)(?: ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)


def requirements(path: Path) -> Iterator[Requirement]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from requirements(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            yield Requirement(line)


@pytest.mark.parametrize("path", ASKED, ids=lambda path: path.stem)
def test_a_lock_file_holds_a_version_that_fits_of_all_that_is_asked_for(path: Path) -> None:
    lock = COMMENT.sub("", path.with_suffix(".txt").read_text(encoding="utf-8"))
    pins = [(name, version) for name, version, _hashes in PINNED.findall(lock)]
    assert PINNED.sub("", lock).strip() == "", "what has no version or no hash"
    asked = list(requirements(path))
    assert asked
    assert [
        str(wanted)
        for wanted in asked
        if not any(
            name == canonicalize_name(wanted.name) and wanted.specifier.contains(version, prereleases=True)
            for name, version in pins
        )
    ] == [], "make lock"


def test_each_lock_file_is_made_of_something() -> None:
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert locks == {path.stem for path in ASKED}
