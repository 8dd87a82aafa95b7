# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it gains to do many things at once, on a simulator with the pace of a line."""

from __future__ import annotations

import shutil
import time

from tools.bench.bench import Bench, BenchError, simulator
from tools.bench.measure import Bar, Figure, take_turns
from tools.bench.scale import MIB

UPDATE = "content_library_update_session"
INFO = "content_library_session_info"
LIBRARY = "templates"
ITEM = "tools"


def parallel_files(bench: Bench) -> Figure:
    scale = bench.scale
    files = [bench.random_file(f"part-{number}.iso", scale.parallel_size) for number in range(scale.parallel_files)]
    data = bench.scratch / "data"
    pace = ("--latency", str(scale.parallel_latency), "--rate", str(scale.rate))
    with simulator("--data", str(data), *pace) as server:

        def speed(at_once: int) -> float:
            item = {"library": LIBRARY, "library_item": ITEM, "parallel_transfers": at_once}
            sent = bench.module(UPDATE, server, {**item, "files": [{"src": str(path)} for path in files]})
            bench.module(UPDATE, server, {**item, "state": "absent"})
            return float(sent["transferred"]["bytes"] / MIB / sent["transferred"]["seconds"])

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
    with simulator("--latency", str(scale.sessions_latency)) as server:
        bench.worker("open", server, "--size", str(scale.sessions))

        def ours() -> float:
            began = time.perf_counter()
            found = bench.module(INFO, server, {"kind": "download"})["download_sessions"]
            return _checked(began, len(found), scale.sessions)

        def one_by_one() -> float:
            began = time.perf_counter()
            found = bench.worker("list", server)["sessions"]
            return _checked(began, found, scale.sessions)

        pairs = take_turns(scale.rounds, ours, one_by_one)
    return Figure(
        "session-info",
        f"session_info of {scale.sessions} sessions, {scale.sessions_latency} ms latency, the whole process",
        "a process that reads one after another",
        "s",
        Bar(0.15, less_is_better=True),
        pairs,
    )


def _checked(began: float, found: int, expected: int) -> float:
    seconds = time.perf_counter() - began
    if found != expected:
        raise BenchError(f"{found} sessions were read, of {expected}")
    return seconds
