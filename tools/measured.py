# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the measurements of plays share: a simulated vCenter in a process of its own, and a table in a page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from tests.harness.checkout import ROOT

MEBIBYTE = 1024 * 1024


@contextmanager
def simulator(folder: Path, seed: Mapping[str, Any], *options: str) -> Iterator[SimpleNamespace]:
    """A vCenter that records its exchanges in record.jsonl of a folder; yields what it prints of itself."""
    file = folder / "seed.yml"
    file.write_text(yaml.safe_dump(dict(seed)), encoding="utf-8")
    command = [sys.executable, "-m", "tests.simulator", "--seed", str(file), "--data", str(folder / "data")]
    with subprocess.Popen(
        [*command, "--record", str(folder / "record.jsonl"), *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield SimpleNamespace(**json.loads(process.stdout.readline() if process.stdout else ""))
        finally:
            process.terminate()


@dataclass(frozen=True)
class Measured:
    """What a run took, and what became of each thing that it was to move, by how many are in each case."""

    title: str
    seconds: float
    requests: int
    outcomes: Mapping[str, int]
    expected: Mapping[str, int]

    @property
    def kept(self) -> bool:
        """Whether all ended as it had to, and nothing was done twice or to anything else."""
        return self.outcomes == self.expected


def read_record(record: Path) -> list[dict[str, Any]]:
    """The exchanges that a simulator has recorded so far."""
    return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()] if record.exists() else []


def list_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a list-table of reStructuredText whose first row is its header."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'-' if index else '* -'} {cell}".replace("   - ", "     - ") for index, cell in enumerate(row)]
    return lines
