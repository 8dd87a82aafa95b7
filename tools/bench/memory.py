# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peak memory of a module, in a process of its own and in a fork of Ansible's worker."""

from __future__ import annotations

from pathlib import Path

from tests.peers.programs import Govc, run_vcsim
from tools.bench.bench import Bench, BenchError
from tools.bench.measure import Bar, Condition, Figure, Sample, take_turns
from tools.bench.scale import MIB

ITEM = "content_library_item"
UPDATE = "content_library_update_session"
LIBRARY = "templates"
MOST_MIB = 120


def peak_memory(bench: Bench) -> Figure:
    return _peak_memory(bench, "memory", "a fork of the worker", "memory-in-fork")


def peak_memory_alone(bench: Bench) -> Figure:
    return _peak_memory(bench, "memory-alone", "a process of its own", "memory")


def _peak_memory(bench: Bench, name: str, where: str, way: str) -> Figure:
    scale = bench.scale
    large, small = (_sparse(bench.scratch / f"{size}.iso", size) for size in (scale.large, scale.small))
    taken: list[float] = []
    with run_vcsim(bench.programs) as server:
        Govc(bench.programs, server, bench.scratch)("library.create", LIBRARY)

        def peak(path: Path) -> Sample:
            item = {"library": LIBRARY, "library_item": "image"}
            memory, result = bench.memory(way, UPDATE, server, {**item, "state": "done", "files": [{"src": str(path)}]})
            bench.module(ITEM, server, {**item, "state": "absent"})
            if result["transferred"]["bytes"] != path.stat().st_size:
                raise BenchError(f"{path} was not sent whole")
            taken.append(memory.peak - memory.idle)
            return Sample(memory.peak)

        pairs = take_turns(scale.rounds, lambda: peak(large), lambda: peak(small))
    return Figure(
        name,
        f"peak memory of a task in {where} that publishes a sparse file of {scale.large // MIB} MiB",
        f"one of {scale.small // MIB} MiB",
        "MiB",
        Bar(1.1, less_is_better=True),
        pairs,
        (Condition(f"at most {max(taken):.0f} MiB above the idle process, of {MOST_MIB}", max(taken) <= MOST_MIB),),
    )


def _sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path
