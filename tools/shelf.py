# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures tasks over a library of many items, against a simulated vCenter each answer of which takes its time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.modules import connection_args, run_module_process
from tests.harness.tasks import ITEM_INFO, RETENTION
from tools.measured import Measured, read_record, simulator

LIBRARY, ITEMS, KEPT = "nightly", 1000, 10
FAMILY, FAMILY_KEPT = 10, 2
LATENCY, SECONDS = 20, 600
SCENE = f"{ITEMS} items, {LATENCY} ms before each answer"
COLUMNS = ("task", "wall time", "requests", "waits in sum", "items")


@dataclass(frozen=True)
class Shelf(Measured):
    """What a task took, and what it returned of the items.

    `waits` are the seconds for which the simulator let the requests wait: at least what they take one after another.
    """

    waits: float

    @property
    def cells(self) -> Sequence[str]:
        """One cell for each of `COLUMNS`."""
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())
        return (self.title, f"{self.seconds:.1f} s", f"{self.requests}", f"{self.waits:.1f} s", told)


def measure_shelf(folder: Path, *, smoke: bool) -> Iterator[Shelf]:
    """Read the items with their files, see which of all would go, and delete the old ones of a small family."""
    number, kept = (20, 2) if smoke else (ITEMS, KEPT)
    items = [
        {"name": f"{LIBRARY}-{index:04}", "type": "iso", "files": [{"name": "image.iso", "size": 64}]}
        for index in range(number)
    ]
    by_name = {"libraries": [LIBRARY], "by": "name", "name_pattern": rf"{LIBRARY}-(\d+)"}
    every = {**by_name, "pattern": f"{LIBRARY}-*", "keep": kept, "at_most": number}
    family = {**by_name, "pattern": f"{LIBRARY}-000?", "keep": FAMILY_KEPT}
    tasks: list[tuple[str, str, Mapping[str, Any], bool, Mapping[str, int]]] = [
        ("read all with their files", ITEM_INFO, {"library": LIBRARY}, False, {"read": number}),
        (
            f"see which would go if {kept} of all stay",
            RETENTION,
            every,
            True,
            {"to be deleted": number - kept, "stays": kept},
        ),
        (
            f"keep {FAMILY_KEPT} of {FAMILY}",
            RETENTION,
            family,
            False,
            {"deleted": FAMILY - FAMILY_KEPT, "stays": FAMILY_KEPT},
        ),
    ]
    scene = folder / "shelf"
    scene.mkdir()
    record = scene / "record.jsonl"
    seed = {"libraries": [{"name": LIBRARY, "items": items}]}
    with simulator(scene, seed, "--latency", str(LATENCY)) as server:
        for title, module, options, check, expected in tasks:
            before = len(read_record(record))
            began = time.monotonic()
            ran = run_module_process(module, {**connection_args(server), **options}, check=check, timeout=SECONDS)
            seconds = time.monotonic() - began
            requests = len(read_record(record)) - before
            told = Counter(entry.get("outcome", "read") for entry in ran.result.get("library_items", []))
            yield Shelf(title, seconds, requests, told, expected, requests * LATENCY / 1000)
