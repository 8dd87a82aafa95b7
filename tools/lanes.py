# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs several jobs in parallel, each in its own process, and keeps the output of each together."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing.connection import wait
from typing import Any, Callable, Generic, TypeVar

ResultT = TypeVar("ResultT")

# The jobs are closures, and only a fork can pass these to a process.
FORK = multiprocessing.get_context("fork")


def side_by_side(
    jobs: Mapping[str, Callable[[], ResultT]], *, limit: int, on_start: Callable[[str], None]
) -> Iterator[tuple[str, ResultT | None, str]]:
    """Run named jobs in the given order, at most ``limit`` at a time.

    Yields the name, result and output of each job when it ends; a process that dies has no result.
    """
    waiting = list(jobs.items())
    running: dict[Any, _Process[ResultT]] = {}
    while waiting or running:
        while waiting and len(running) < limit:
            name, job = waiting.pop(0)
            on_start(name)
            process = _Process(name, job)
            running[process.receiver] = process
        for receiver in wait(list(running)):
            ended = running.pop(receiver)
            yield (ended.name, *ended.finish())


class _Process(Generic[ResultT]):
    def __init__(self, name: str, job: Callable[[], ResultT]) -> None:
        self.name = name
        self._output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (closed by finish)
        self.receiver, sender = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_work, args=(job, self._output.fileno(), sender), name=name)
        self._process.start()
        sender.close()

    def finish(self) -> tuple[ResultT | None, str]:
        try:
            result: ResultT | None = self.receiver.recv()
        except EOFError:
            result = None
        self._process.join()
        self.receiver.close()
        with self._output as output:
            output.seek(0)
            return result, output.read()


def _work(job: Callable[[], Any], output: int, sender: Any) -> None:
    # Programs that the job starts write there too.
    os.dup2(output, 1)
    os.dup2(output, 2)
    with open(1, "w", buffering=1, encoding="utf-8", closefd=False) as kept:
        sys.stdout = sys.stderr = kept
        result = job()
    sender.send(result)
