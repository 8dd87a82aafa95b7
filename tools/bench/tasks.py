# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole tasks, end to end, as ansible-runner reports them."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from tests.harness.packages import make_package
from tests.peers.programs import Govc, run_vcsim
from tools.bench.bench import Bench, BenchError, simulator
from tools.bench.measure import Bar, Condition, Figure, Pair, Sample, take_turns
from tools.bench.runner import FORKS, Runner, running, vcenters
from tools.bench.scale import MIB, as_text
from tools.usage import counted

ITEM = "vsphere.content.content_library_item"
UPDATE = "vsphere.content.content_library_update_session"
LIBRARY = "templates"


def publish(bench: Bench) -> Figure:
    image = bench.random_file("image.iso", bench.scale.image)
    with run_vcsim(bench.programs) as server, running(bench, server) as runner:
        govc = Govc(bench.programs, server, bench.scratch)
        govc("library.create", LIBRARY)

        def ours() -> Sample:
            return Sample(bench.scale.image / MIB / _publish(runner, "image", image, bench.scale.image))

        def imported() -> Sample:
            seconds = _import(govc, "image", image)
            return Sample(bench.scale.image / MIB / seconds.value, seconds.cpu)

        pairs = take_turns(bench.scale.rounds, ours, imported)
    image.unlink()
    return Figure(
        "publish",
        f"a task that publishes an ISO of {bench.scale.image // MIB} MiB in a new item of vcsim, and hashes it",
        "govc library.import",
        "MiB/s",
        Bar(0.75),
        pairs,
        note="both create the item; vcsim never says that it has received a file, so the task waits for a second "
        "before it completes the session, and govc does not",
    )


def publish_package(bench: Bench) -> Figure:
    size, latency = bench.scale.package_disk, bench.scale.parallel_latency
    package = make_package(bench.scratch / "package", disks=3, disk_bytes=size)
    data = bench.scratch / "data"
    with simulator("--data", str(data), "--latency", str(latency)) as server, running(bench, server) as runner:
        govc = Govc(bench.programs, server, bench.scratch)

        whole = sum(path.stat().st_size for path in package.files)
        pairs = take_turns(
            bench.scale.rounds,
            lambda: Sample(_publish(runner, "package", package.descriptor, whole)),
            lambda: _import(govc, "package", package.descriptor),
        )
    shutil.rmtree(data)
    shutil.rmtree(package.directory)
    return Figure(
        "publish-package",
        f"a task that publishes an OVF with three disks of {as_text(size)} in a new item, {latency} ms latency",
        "govc library.import",
        "s",
        Bar(1.5, less_is_better=True),
        pairs,
        note="both create the item; the task compares the files with the manifest and sends that, too, and govc does "
        "not",
    )


def unchanged(bench: Bench) -> Figure:
    image = bench.random_file("image.iso", bench.scale.image)
    record = bench.scratch / "record.jsonl"
    data = bench.scratch / "data"
    with simulator("--data", str(data), "--record", str(record)) as server, running(bench, server) as runner:
        empty = {UPDATE: {"library": LIBRARY, "library_item": "tools", "state": "done"}}
        again = {UPDATE: {**empty[UPDATE], "files": [{"src": str(image)}]}}
        runner.play([again])
        uploads = _uploads(record)

        def both() -> Pair:
            # The first task of a play also builds the module, which the others then reuse.
            _built, whole, without = runner.play([empty, again, empty])
            if whole.result["changed"] or without.result["changed"]:
                raise BenchError("a second run changes something")
            return Pair(Sample(whole.seconds), Sample(_hash_seconds(image) + without.seconds))

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
    return _nothing_to_do(bench, "nothing-to-do", "in a fork of the worker", in_worker=True, limit=0.2)


def nothing_to_do_alone(bench: Bench) -> Figure:
    return _nothing_to_do(bench, "nothing-to-do-alone", "in a process of its own", in_worker=False, limit=1.3)


def _nothing_to_do(bench: Bench, name: str, way: str, *, in_worker: bool, limit: float) -> Figure:
    with simulator() as server, running(bench, server) as runner:
        task = _empty_task(in_worker=in_worker)
        runs = runner.play([task, {"imports_requests": {}}] * (bench.scale.rounds * 2))
    pairs = tuple(Pair(Sample(ours.seconds), Sample(theirs.seconds)) for ours, theirs in zip(runs[::2], runs[1::2]))
    return Figure(
        name,
        f"a task with nothing to do {way}, login and logout included",
        "a module that only imports requests",
        "s",
        Bar(limit, less_is_better=True),
        pairs,
    )


def many_hosts(bench: Bench) -> Figure:
    hosts = vcenters(bench.scale.hosts)
    with simulator() as server, running(bench, server) as runner:
        task = _empty_task(in_worker=True)
        seconds = runner.play_on(hosts, [task, {"imports_requests": {}}] * bench.scale.rounds)
    return Figure(
        "many-hosts",
        f"one task with nothing to do on each of {len(hosts)} hosts, {FORKS} forks",
        "the same with a module that only imports requests",
        "s",
        Bar(0.25, less_is_better=True),
        tuple(Pair(Sample(ours), Sample(theirs)) for ours, theirs in zip(seconds[::2], seconds[1::2])),
    )


def _empty_task(*, in_worker: bool) -> dict[str, Any]:
    return {
        UPDATE: {"library": LIBRARY, "library_item": "tools", "state": "done"},
        "vars": {"vsphere_content_in_worker": in_worker},
    }


def _publish(runner: Runner, name: str, path: Path, size: int) -> float:
    """The seconds of a task that publishes so many bytes; another task removes the item again."""
    item = {"library": LIBRARY, "library_item": name}
    published, _gone = runner.play(
        [
            {UPDATE: {**item, "state": "done", "files": [{"src": str(path)}]}},
            {ITEM: {**item, "state": "absent"}},
        ]
    )
    if published.result["transferred"]["bytes"] != size:
        raise BenchError(f"{path} was not sent whole")
    return published.seconds


def _import(govc: Govc, name: str, path: Path) -> Sample:
    """The seconds of govc's import; the item is removed again."""
    began = time.perf_counter()
    _said, cpu = counted(lambda: govc("library.import", "-n", name, LIBRARY, str(path)))
    seconds = time.perf_counter() - began
    govc("library.rm", f"{LIBRARY}/{name}")
    return Sample(seconds, cpu)


def _uploads(record: Path) -> int:
    exchanges: list[dict[str, Any]] = [json.loads(line) for line in record.read_text().splitlines()]
    return sum(exchange["method"] == "PUT" for exchange in exchanges)


def _hash_seconds(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha1")
    return time.perf_counter() - began
