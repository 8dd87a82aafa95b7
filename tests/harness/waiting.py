# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for what happens in another thread or process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from tests.simulator import Simulator

SECONDS = 60.0
PAUSE = 0.01


def eventually(condition: Callable[[], Any], seconds: float = SECONDS) -> bool:
    """Whether it comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


@contextmanager
def while_held(sim: Simulator, fault: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something while a request stands still, by a fault C(hold) or C(hold-answer); the block sends the request."""
    failed: list[Exception] = []

    def wait_and_act() -> None:
        try:
            assert sim.wait_until_held(SECONDS)
            act()
        except Exception as error:  # noqa: BLE001 (raised again, in the test's own thread)
            failed.append(error)
        finally:
            sim.release()

    sim.inject(fault)
    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]
