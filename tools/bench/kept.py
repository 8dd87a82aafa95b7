# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures behind the page, which outlive the run that measured them: all rows together take more than two hours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.bench.measure import Bar, Condition, Figure, Pair, Sample

#: The one fact that differs from row to row on the same machine.
MOMENT = "measured"


@dataclass(frozen=True)
class Measured:
    """A figure, with the facts of the machine that measured it."""

    figure: Figure
    facts: Mapping[str, str]

    @property
    def machine(self) -> Mapping[str, str]:
        """The facts that stay the same on a machine as long as its versions do."""
        return {name: value for name, value in self.facts.items() if name != MOMENT}


@dataclass(frozen=True)
class Kept:
    """The figures in a folder: a file for each row."""

    folder: Path

    def save(self, measured: Measured) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        written = json.dumps({"figure": asdict(measured.figure), "facts": dict(measured.facts)}, indent=1)
        self._path(measured.figure.name).write_text(f"{written}\n", encoding="utf-8")

    def find(self, name: str) -> Measured | None:
        try:
            kept = json.loads(self._path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Measured(_figure(kept["figure"]), kept["facts"])

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _figure(written: Mapping[str, Any]) -> Figure:
    parts = {
        "limit": Bar(**written["limit"]),
        "pairs": tuple(Pair(Sample(**pair["ours"]), Sample(**pair["yardstick"])) for pair in written["pairs"]),
        "conditions": tuple(Condition(**condition) for condition in written["conditions"]),
    }
    return Figure(**{**written, **parts})
