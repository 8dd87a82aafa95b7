# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gain of doing many things at once, on a simulator that is as slow as a network line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import yaml

from tools.bench.bench import Bench, BenchError, Endpoint, simulator
from tools.bench.measure import Bar, Figure, Pair, Sample, take_turns
from tools.bench.scale import MIB
from tools.usage import counted

UPDATE = "content_library_update_session"
INFO = "content_library_session_info"
ITEM_INFO = "content_library_item_info"
LIBRARY = "templates"
ITEM = "tools"


def parallel_files(bench: Bench) -> Figure:
    scale = bench.scale
    files = [bench.random_file(f"part-{number}.iso", scale.parallel_size) for number in range(scale.parallel_files)]
    data = bench.scratch / "data"
    pace = ("--latency", str(scale.parallel_latency), "--rate", str(scale.rate))
    with simulator("--data", str(data), *pace) as server:

        def speed(at_once: int) -> Sample:
            item = {"library": LIBRARY, "library_item": ITEM, "parallel_transfers": at_once}
            wanted = {**item, "state": "active", "files": [{"src": str(path)} for path in files]}
            sent, cpu = counted(lambda: bench.module(UPDATE, server, wanted))
            bench.module(UPDATE, server, {**item, "state": "absent"})
            return Sample(sent["transferred"]["bytes"] / MIB / sent["transferred"]["seconds"], cpu)

        pairs = take_turns(scale.rounds, lambda: speed(len(files)), lambda: speed(1))
    shutil.rmtree(data)
    for path in files:
        path.unlink()
    return Figure(
        "parallel-files",
        f"{len(files)} files of {scale.parallel_size / MIB:g} MiB at once, {scale.rate / MIB:g} MiB/s each, "
        f"{scale.parallel_latency} ms latency",
        "the same, one after another",
        "MiB/s",
        Bar(5),
        pairs,
    )


def session_info(bench: Bench) -> Figure:
    scale = bench.scale
    with simulator("--latency", str(scale.list_latency)) as server:
        bench.worker("open", server, "--size", str(scale.sessions))
        pairs = take_turns(
            scale.rounds,
            lambda: _timed(scale.sessions, lambda: len(_sessions(bench, server))),
            lambda: _timed(scale.sessions, lambda: int(bench.worker("list", server)["read"])),
        )
    return _whole_process("session-info", f"session_info of {scale.sessions} sessions", scale.list_latency, pairs)


def item_info(bench: Bench) -> Figure:
    scale = bench.scale
    items = [
        {"name": f"nightly-{number}", "type": "iso", "files": [{"name": "nightly.iso", "size": 64}]}
        for number in range(scale.items)
    ]
    seed = bench.scratch / "items.yml"
    seed.write_text(yaml.safe_dump({"libraries": [{"name": LIBRARY, "items": items}]}), encoding="utf-8")
    with simulator("--seed", str(seed), "--latency", str(scale.list_latency)) as server:
        pairs = take_turns(
            scale.rounds,
            lambda: _timed(scale.items, lambda: len(_items(bench, server))),
            lambda: _timed(scale.items, lambda: int(bench.worker("items", server)["read"])),
        )
    return _whole_process("item-info", f"item_info of {scale.items} items with their files", scale.list_latency, pairs)


def _sessions(bench: Bench, server: Endpoint) -> list[Any]:
    found: list[Any] = bench.module(INFO, server, {"kind": "download"})["download_sessions"]
    return found


def _items(bench: Bench, server: Endpoint) -> list[Any]:
    found: list[Any] = bench.module(ITEM_INFO, server, {"library": LIBRARY})["library_items"]
    return found


def _whole_process(name: str, what: str, latency: int, pairs: tuple[Pair, ...]) -> Figure:
    return Figure(
        name,
        f"{what}, {latency} ms latency, the whole process",
        "a process that reads one after another",
        "s",
        Bar(0.15, less_is_better=True),
        pairs,
    )


def _timed(expected: int, read: Callable[[], int]) -> Sample:
    """The seconds that reading takes. Raises BenchError if something else was read than is there."""
    began = time.perf_counter()
    found, cpu = counted(read)
    seconds = time.perf_counter() - began
    if found != expected:
        raise BenchError(f"{found} were read, of {expected}")
    return Sample(seconds, cpu)
