# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that stand still where a fault says so, until a test has done what it wanted to do meanwhile."""

from __future__ import annotations

import asyncio
import threading

from .faults import Fault


class Holds:
    """Shared by the server's thread, where requests wait, and the test's, which waits for one to stand still."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._released = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        await self._released.wait()

    def release(self) -> None:
        """Let go on what stands still, and on what would."""
        self._released.set()


def hold_after(fault: Fault | None, size: int) -> int | None:
    """How many bytes of content pass before it is held, None where it is not."""
    if fault is None or fault.kind != "hold" or not fault.value:
        return None
    return int(size * float(fault.value) / 100)
