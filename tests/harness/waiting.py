# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a test waits for another thread or process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from tests.simulator import Exchange, Simulator

SECONDS = 60.0
PAUSE = 0.01
#: Seconds after which something surely hangs, even on a busy machine.
HANG = 600.0


@contextmanager
def in_time(at_least: float = 0.0) -> Iterator[None]:
    """Assert that the block takes at least this long and does not hang; how much longer depends on the machine."""
    began = time.monotonic()
    yield
    assert at_least <= time.monotonic() - began < HANG


def eventually(condition: Callable[[], Any], seconds: float = SECONDS) -> bool:
    """Whether the condition becomes true within this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


class LifeClock:
    """A server's clock that moves only with each keep-alive, so a session can only outlive its time by these."""

    def __init__(self, step: float) -> None:
        self.seconds = 0.0
        self._step = step

    def __call__(self) -> float:
        return self.seconds

    def note(self, exchange: Exchange) -> None:
        """Move the clock if the exchange is a keep-alive; call it for each exchange."""
        if "keep-alive" in exchange.path:
            self.seconds += self._step

    def has_passed(self, seconds: float) -> Callable[[], bool]:
        return lambda: self.seconds >= seconds


@contextmanager
def once(happens: Callable[[], Any], act: Callable[[], object]) -> Iterator[None]:
    """Call `act` as soon as `happens` is true, while the block runs."""
    failed: list[Exception] = []

    def wait_and_act() -> None:
        try:
            assert eventually(happens)
            act()
        except Exception as error:  # noqa: BLE001 (raised again, in the test's own thread)
            failed.append(error)

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


@contextmanager
def while_held(sim: Simulator, fault: str, act: Callable[[], object]) -> Iterator[None]:
    """Call `act` while a fault `hold` or `hold-answer` holds a request; the block sends the request."""

    def act_and_release() -> None:
        try:
            act()
        finally:
            sim.release()

    sim.inject(fault)
    with once(lambda: sim.wait_until_held(0), act_and_release):
        yield
