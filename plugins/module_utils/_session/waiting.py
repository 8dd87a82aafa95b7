# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task waits: by a clock that only moves on, with pauses that grow, and until a deadline that progress moves."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from .._vcenter.errors import NotFound, TimedOut

ValueT = TypeVar("ValueT")
KeyT = TypeVar("KeyT")
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
READERS = 16


@dataclass(frozen=True)
class Clock:
    """Monotonic seconds, and how to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


SYSTEM_CLOCK = Clock(time.monotonic, time.sleep)


@dataclass(frozen=True)
class Patience:
    """How long a task waits for others that are at work on its item: for all of them together."""

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


def gather(read: Callable[[KeyT], ValueT], keys: Sequence[KeyT]) -> list[ValueT]:
    """Read several things, some at a time, in the order of the keys; what has gone in the meantime is left out.

    The threads are daemons, so that an answer that does not come keeps nobody from ending.
    """
    answers: list[Future[ValueT]] = [Future() for _key in keys]
    waiting: queue.SimpleQueue[tuple[KeyT, Future[ValueT]]] = queue.SimpleQueue()
    for entry in zip(keys, answers):
        waiting.put(entry)
    stop = threading.Event()
    for number in range(min(READERS, len(answers))):
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


def pauses() -> Iterator[float]:
    """Seconds to wait between two looks, longer each time."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


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
    """Read until C(ready); raises TimedOut when C(signs) have not changed for C(timeout) seconds."""
    value = read()
    seen, deadline, waits = signs(value), clock.now() + timeout, pauses()
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
            seen, deadline, waits = signs(value), clock.now() + timeout, pauses()
    return value
