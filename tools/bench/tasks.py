# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole tasks, end to end, as ansible-runner reports them."""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from tests.peers.programs import Govc, run_vcsim
from tools.bench.bench import Bench, BenchError, simulator
from tools.bench.measure import Bar, Condition, Figure, Pair, take_turns
from tools.bench.runner import running
from tools.bench.scale import MIB

ITEM = "vsphere.content.content_library_item"
UPDATE = "vsphere.content.content_library_update_session"
LIBRARY = "templates"


def publish(bench: Bench) -> Figure:
    image = bench.random_file("image.iso", bench.scale.image)
    with run_vcsim(bench.programs) as server, running(bench, server) as runner:
        govc = Govc(bench.programs, server, bench.scratch)
        govc("library.create", LIBRARY)

        making: list[float] = []

        def ours() -> float:
            item = {"library": LIBRARY, "library_item": "image", "ca_path": server.ca_path}
            made, published, _gone = runner.play(
                [
                    {ITEM: {**item, "type": "iso"}},
                    {UPDATE: {**item, "state": "done", "files": [{"src": str(image)}]}},
                    {ITEM: {**item, "state": "absent"}},
                ]
            )
            making.append(made.seconds)
            return float(published.result["transferred"]["bytes"]) / MIB / published.seconds

        def imported() -> float:
            began = time.perf_counter()
            govc("library.import", "-n", "image", LIBRARY, str(image))
            seconds = time.perf_counter() - began
            govc("library.rm", f"{LIBRARY}/image")
            return bench.scale.image / MIB / seconds

        pairs = take_turns(bench.scale.rounds, ours, imported)
    image.unlink()
    return Figure(
        "publish",
        f"a task that publishes an ISO of {bench.scale.image // MIB} MiB in a new item of vcsim",
        "govc library.import",
        "MiB/s",
        Bar(0.9),
        pairs,
        note=f"the task before it, which makes the item, takes {statistics.median(making):.2f} s and is not counted; "
        "vcsim never says that it has received a file, so the task waits for a second before it completes the session, "
        "and govc does not",
    )


def unchanged(bench: Bench) -> Figure:
    image = bench.random_file("image.iso", bench.scale.image)
    record = bench.scratch / "record.jsonl"
    data = bench.scratch / "data"
    with simulator("--data", str(data), "--record", str(record)) as server, running(bench, server) as runner:
        empty = {UPDATE: {"library": LIBRARY, "library_item": "tools", "state": "done", "ca_path": server.ca_path}}
        again = {UPDATE: {**empty[UPDATE], "files": [{"src": str(image)}]}}
        runner.play([again])
        uploads = _uploads(record)

        def both() -> Pair:
            # The first task of a play also pays for building the module, which the others then share.
            _built, whole, without = runner.play([empty, again, empty])
            if whole.result["changed"] or without.result["changed"]:
                raise BenchError("a second run changes something")
            return Pair(whole.seconds, _hash_seconds(image) + without.seconds)

        pairs = tuple(both() for _round in range(bench.scale.rounds))
        sent = _uploads(record) - uploads
    image.unlink()
    shutil.rmtree(data)
    return Figure(
        "unchanged",
        f"the second run of a task with {bench.scale.image // MIB} MiB that the item already holds",
        "hashing the file, and the task without files",
        "s",
        Bar(1.0, less_is_better=True),
        pairs,
        (Condition(f"no upload: {sent}", sent == 0),),
    )


def nothing_to_do(bench: Bench) -> Figure:
    with simulator() as server, running(bench, server) as runner:
        task = {UPDATE: {"library": LIBRARY, "library_item": "tools", "state": "done", "ca_path": server.ca_path}}
        runs = runner.play([task, {"imports_requests": {}}] * (bench.scale.rounds * 2))
    pairs = tuple(Pair(ours.seconds, theirs.seconds) for ours, theirs in zip(runs[::2], runs[1::2]))
    return Figure(
        "nothing-to-do",
        "a task with nothing to do, login and logout included",
        "a module that only imports requests",
        "s",
        Bar(1.3, less_is_better=True),
        pairs,
    )


def _uploads(record: Path) -> int:
    exchanges: list[dict[str, Any]] = [json.loads(line) for line in record.read_text().splitlines()]
    return sum(exchange["method"] == "PUT" for exchange in exchanges)


def _hash_seconds(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha1")
    return time.perf_counter() - began
