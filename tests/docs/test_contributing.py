# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CONTRIBUTING.md tells whoever comes for the first time works, by its own words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks
from tests.harness.checkout import ROOT
from tools.environment import check_environment
from tools.staging import stage

PAGE = ROOT / "CONTRIBUTING.md"
PLACE = re.compile(r"`((?:changelogs|docs|plugins|tests|tools)/[^` ]*)`")
TEST, CHANGE, NEWS = "python", "diff", "yaml"
#: What needs the network, or everything that there is, is another test's.
QUICK = ".venv/bin/"


def steps() -> Iterator[tuple[Block, str]]:
    """The blocks of code, each with the file that it is for: its own, or the last that was named before it."""
    rest = PAGE.read_text(encoding="utf-8")
    for block in blocks(PAGE):
        before, _block, rest = rest.partition(f"```{block.language}\n{block.text}```\n")
        yield block, block.file_name or (PLACE.findall(before) or [""])[-1]


def make_change(copy: Path, block: Block, place: str) -> None:
    path = copy / place
    if block.language == NEWS:
        assert not path.exists()
        path.write_text(block.text, encoding="utf-8")
        return
    source = path.read_text(encoding="utf-8")
    if block.language == TEST:
        path.write_text(f"{source}\n\n{block.text}", encoding="utf-8")
        return
    old, new = (
        "".join(line[1:] for line in block.text.splitlines(keepends=True) if line.startswith(sign)) for sign in "-+"
    )
    assert source.count(old) == 1
    path.write_text(source.replace(old, new), encoding="utf-8")


def succeeds(copy: Path, command: str) -> bool:
    arguments = command.partition("#")[0].split()
    ran = subprocess.run(
        arguments, cwd=copy, env=check_environment(os.environ), capture_output=True, text=True, check=False
    )
    print(ran.stdout, ran.stderr)
    return ran.returncode == 0


@pytest.mark.rest
def test_the_first_change_is_made_and_let_through(tmp_path: Path) -> None:
    copy = stage(tmp_path / "stage").rename(tmp_path / "vsphere.content")
    (copy / ".venv").symlink_to(sys.prefix)
    made: list[str] = []
    for block, place in steps():
        for command in block.commands:
            if command.startswith(QUICK):
                assert succeeds(copy, command) == (made != [TEST]), command
        if block.language in (TEST, CHANGE, NEWS):
            make_change(copy, block, place)
            made.append(block.language)
    assert made == [TEST, CHANGE, NEWS]


def test_files_that_are_named_are_there() -> None:
    named = PLACE.findall(PAGE.read_text(encoding="utf-8"))
    assert [pattern for pattern in named if not any(ROOT.glob(pattern.rstrip("/")))] == []
