# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transfer layer alone, against curl and the same server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.bench.bench import Bench, BenchError, Endpoint, run, serving
from tools.bench.measure import Bar, Condition, Figure, Sample, take_turns
from tools.bench.scale import MIB
from tools.usage import counted

HASH = "SHA256"


@contextmanager
def sink(bench: Bench) -> Iterator[Endpoint]:
    with serving(str(bench.programs / "sink")) as ready:
        ready.pop("pid")
        yield Endpoint(**ready)


def put_given(bench: Bench) -> Figure:
    return _put(bench, "put", "PUT of a file whose checksum is given", 0.95)


def put_hashed(bench: Bench) -> Figure:
    return _put(bench, "put-hashed", "PUT of a file, hashed while it is sent", 0.80, "--hash", HASH)


def put_with_progress(bench: Bench) -> Figure:
    size = bench.scale.transfer
    path, told = bench.random_file("content.bin", size), bench.scratch / "progress"
    told.touch()
    lines: list[int] = []
    with sink(bench) as server:

        def sent(*options: str) -> Sample:
            return _speed(size, bench.worker("put", server, "--path", str(path), *options))

        def with_lines() -> Sample:
            told.write_text("")
            speed = sent("--progress", str(told))
            lines.append(len(told.read_text().split("\n")))
            return speed

        pairs = take_turns(bench.scale.short_rounds, with_lines, sent)
    return Figure(
        "progress",
        f"PUT of a file with twenty lines a second about its progress, {size // MIB} MiB",
        "the same without lines",
        "MiB/s",
        Bar(0.95),
        pairs,
        (Condition(f"lines written in each round: {min(lines)} or more", min(lines) > 1),),
        note="a task writes a line every five seconds",
    )


def download(bench: Bench) -> Figure:
    size = bench.scale.transfer
    fetched, theirs = bench.scratch / "fetched", bench.scratch / "fetched-by-curl"
    with sink(bench) as server:
        options = ("--path", str(fetched), "--size", str(size), "--hash", HASH)

        def ours() -> Sample:
            return _speed(size, bench.worker("get", server, *options))

        def curl() -> Sample:
            speed = _curl(bench, server, f"{size}", size, theirs, "--output", str(theirs))
            # Both make a new file: the pages of one that is there already need not be found and cleared.
            theirs.unlink()
            return speed

        pairs = take_turns(bench.scale.short_rounds, ours, curl)
    return Figure(
        "download",
        f"download of {size // MIB} MiB with its checksum",
        "curl --http1.1 -o",
        "MiB/s",
        Bar(0.80),
        pairs,
    )


def _put(bench: Bench, name: str, title: str, limit: float, *options: str) -> Figure:
    size = bench.scale.transfer
    path = bench.random_file("content.bin", size)
    with sink(bench) as server:

        def ours() -> Sample:
            return _speed(size, bench.worker("put", server, "--path", str(path), *options))

        def curl() -> Sample:
            return _curl(bench, server, path.name, size, path, "--upload-file", str(path), "--output", "/dev/null")

        pairs = take_turns(bench.scale.short_rounds, ours, curl)
    return Figure(name, f"{title}, {size // MIB} MiB", "curl --http1.1 -T", "MiB/s", Bar(limit), pairs)


def _curl(bench: Bench, server: Endpoint, path: str, size: int, moved: Path, *options: str) -> Sample:
    """Let curl move a file; returns its speed by curl's own clock, which starts before it connects."""
    command = ["curl", "--disable", "--silent", "--show-error", "--fail", "--http1.1", "--cacert", server.ca_path]
    url = f"https://{server.hostname}:{server.port}/{path}"
    command += ["--write-out", '{"seconds": %{time_total}}', *options, url]
    told, cpu = counted(lambda: json.loads(run(command, bench.env)))
    if moved.stat().st_size != size:
        raise BenchError(f"curl moved {moved.stat().st_size} bytes instead of {size}")
    return _speed(size, {**told, "cpu": cpu})


def _speed(size: int, measured: Mapping[str, float]) -> Sample:
    """MiB per second."""
    return Sample(size / MIB / measured["seconds"], measured["cpu"])
