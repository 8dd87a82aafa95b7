# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures that outlive the run that measured them, as all rows together take more than an hour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.bench.measure import Bar, Condition, Figure, Pair, Sample

# What a fact of the machine may differ in without making another machine of it.
OF_THE_MOMENT = ("measured", "load before")


@dataclass(frozen=True)
class Kept:
    """The figures in a folder: a file for each row, with the facts of the machine that measured it."""

    folder: Path

    def save(self, figure: Figure, facts: Mapping[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        written = json.dumps({"figure": asdict(figure), "facts": dict(facts)}, indent=1)
        self._path(figure.name).write_text(written, encoding="utf-8")

    def find(self, name: str, facts: Mapping[str, str]) -> Figure | None:
        """The figure of a row, if a machine like this one has measured it with the same versions."""
        try:
            kept = json.loads(self._path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return _figure(kept["figure"]) if _lasting(kept["facts"]) == _lasting(facts) else None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _lasting(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if name not in OF_THE_MOMENT}


def _figure(written: Mapping[str, Any]) -> Figure:
    parts = {
        "limit": Bar(**written["limit"]),
        "pairs": tuple(Pair(Sample(**pair["ours"]), Sample(**pair["yardstick"])) for pair in written["pairs"]),
        "conditions": tuple(Condition(**condition) for condition in written["conditions"]),
    }
    return Figure(**{**written, **parts})
