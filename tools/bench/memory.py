# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Peak memory of the process of a module."""

from __future__ import annotations

from pathlib import Path

from tests.peers.programs import Govc, run_vcsim
from tools.bench.bench import Bench, BenchError
from tools.bench.measure import Bar, Condition, Figure, take_turns
from tools.bench.scale import MIB

ITEM = "content_library_item"
UPDATE = "content_library_update_session"
LIBRARY = "templates"
MOST_MIB = 120


def peak_memory(bench: Bench) -> Figure:
    scale = bench.scale
    large, small = (_sparse(bench.scratch / f"{size}.iso", size) for size in (scale.large, scale.small))
    with run_vcsim(bench.programs) as server:
        Govc(bench.programs, server, bench.scratch)("library.create", LIBRARY)

        def peak(path: Path) -> float:
            item = {"library": LIBRARY, "library_item": "image"}
            bench.module(ITEM, server, {**item, "type": "iso"})
            found, result = bench.peak(UPDATE, server, {**item, "state": "done", "files": [{"src": str(path)}]})
            bench.module(ITEM, server, {**item, "state": "absent"})
            if result["transferred"]["bytes"] != path.stat().st_size:
                raise BenchError(f"{path} was not sent whole")
            return found

        pairs = take_turns(scale.rounds, lambda: peak(large), lambda: peak(small))
    highest = max(pair.ours for pair in pairs)
    return Figure(
        "memory",
        f"peak memory of the module's process, a sparse file of {scale.large // MIB} MiB",
        f"one of {scale.small // MIB} MiB",
        "MiB",
        Bar(1.1, less_is_better=True),
        pairs,
        (Condition(f"highest peak {highest:.0f} MiB, below {MOST_MIB}", highest < MOST_MIB),),
    )


def _sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path
