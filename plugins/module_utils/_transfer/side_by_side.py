# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How several transfers run in parallel, and how all of them end when one fails."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from typing import Callable

from .._vcenter.errors import ContentError


def run_all(jobs: Mapping[str, Callable[[], None]], *, limit: int, stop: threading.Event, stop_seconds: float) -> None:
    """Run named jobs, at most `limit` at a time. The first one that fails sets `stop`, which ends the others.

    Raises the first failure, with each job's fate in its notes, or TransferStopped if somebody else set `stop`. An
    interrupted caller waits `stop_seconds` for the jobs. The threads are daemons, so a job that hangs in the network
    does not keep the process from ending.
    """
    crew = _Crew(jobs, stop)
    workers = [
        threading.Thread(target=crew.work, name=f"transfer-{number}", daemon=True)
        for number in range(min(limit, len(jobs)))
    ]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    except BaseException:
        stop.set()
        end = time.monotonic() + stop_seconds
        for worker in workers:
            # The signal may have come before all threads were started.
            if worker.is_alive():
                worker.join(max(0.0, end - time.monotonic()))
        raise
    crew.require_success()


class TransferStopped(Exception):
    """The transfer was told to stop, as another one failed or its session was lost."""


class _Crew:
    """Jobs that several threads share, and the fate of each."""

    def __init__(self, jobs: Mapping[str, Callable[[], None]], stop: threading.Event) -> None:
        self._jobs = jobs
        self._stop = stop
        self._fates = dict.fromkeys(jobs, "was not started")
        self._failures: list[Exception] = []
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in jobs:
            self._waiting.put(name)

    def work(self) -> None:
        while not self._stop.is_set():
            try:
                name = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._run(name)

    def require_success(self) -> None:
        if self._failures:
            error = self._failures[0]
            if isinstance(error, ContentError) and len(self._jobs) > 1:
                error.notes.append("; ".join(f"{name} {fate}" for name, fate in self._fates.items()) + ".")
            raise error
        if self._stop.is_set():
            raise TransferStopped

    def _run(self, name: str) -> None:
        self._fates[name] = "was stopped"
        try:
            self._jobs[name]()
            self._fates[name] = "was transferred"
        except TransferStopped:
            self._stop.set()
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that waits)
            self._fates[name] = "failed"
            self._failures.append(error)
            self._stop.set()
