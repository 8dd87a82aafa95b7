# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task waits: with growing pauses, until a deadline that progress moves. How it reads in parallel."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from .._vcenter.errors import NotFound, TimedOut
from .._vcenter.timing import Clock, Timing

ValueT = TypeVar("ValueT")
KeyT = TypeVar("KeyT")


@dataclass(frozen=True)
class Patience:
    """How long a task waits, in all, for other tasks that work on its item."""

    seconds: float
    until: float

    @property
    def remedy(self) -> str:
        if not self.seconds:
            return "Wait until it has ended, or set busy_timeout to have this task wait for it."
        return (
            f"This task has waited for it for {self.seconds:g} seconds (busy_timeout). Raise busy_timeout, or run the "
            "task again when the other one has ended."
        )


def patience_from(clock: Clock, seconds: float) -> Patience:
    return Patience(seconds, clock.now() + seconds)


def gather(read: Callable[[KeyT], ValueT], keys: Sequence[KeyT], readers: int) -> list[ValueT]:
    """Read several things, `readers` at a time; returns them in the order of the keys, without those not found.

    The threads are daemons, so that a missing answer does not keep the process from ending.
    """
    answers: list[Future[ValueT]] = [Future() for _key in keys]
    waiting: queue.SimpleQueue[tuple[KeyT, Future[ValueT]]] = queue.SimpleQueue()
    for entry in zip(keys, answers):
        waiting.put(entry)
    stop = threading.Event()
    for number in range(min(readers, len(answers))):
        threading.Thread(target=_read_all, args=(read, waiting, stop), name=f"reader-{number}", daemon=True).start()
    found: list[ValueT] = []
    try:
        for answer in answers:
            with suppress(NotFound):
                found.append(answer.result())
    finally:
        stop.set()
    return found


def _read_all(
    read: Callable[[KeyT], ValueT], waiting: queue.SimpleQueue[tuple[KeyT, Future[ValueT]]], stop: threading.Event
) -> None:
    while not stop.is_set():
        try:
            key, answer = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            answer.set_result(read(key))
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that waits)
            answer.set_exception(error)


def pauses(timing: Timing) -> Iterator[float]:
    """Seconds to wait between two reads, more each time up to `longest_pause`."""
    pause = timing.first_pause
    while True:
        yield pause
        pause = min(pause * 2, timing.longest_pause)


def wait_for(
    read: Callable[[], ValueT],
    *,
    ready: Callable[[ValueT], bool],
    signs: Callable[[ValueT], Any],
    describe: Callable[[ValueT], str],
    operation: str,
    timeout: float,
    clock: Clock,
    session_id: str | None,
) -> ValueT:
    """Read until `ready`. Raises TimedOut if `signs` do not change for `timeout` seconds."""
    value = read()
    seen, deadline, waits = signs(value), clock.now() + timeout, pauses(clock.timing)
    while not ready(value):
        if clock.now() >= deadline:
            raise TimedOut(
                f"no progress for {timeout:g} seconds (wait_timeout): {describe(value)}",
                operation=operation,
                session_id=session_id,
                remedy="If the server is only slow, raise wait_timeout.",
            )
        clock.sleep(min(next(waits), max(0.0, deadline - clock.now())))
        value = read()
        if signs(value) != seen:
            seen, deadline, waits = signs(value), clock.now() + timeout, pauses(clock.timing)
    return value
