# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds requests where a fault says so, until the test lets them go on."""

from __future__ import annotations

import asyncio
import threading

from .faults import Fault


class Holds:
    """Shared by the server's thread, where requests wait, and the test's, which waits until one is held."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._released = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        await self._released.wait()

    def release(self) -> None:
        """Let all held requests go on, and hold no others."""
        self._released.set()


def hold_after(fault: Fault | None, size: int) -> int | None:
    """How many bytes of content pass before the hold, None without one."""
    if fault is None or fault.kind != "hold" or not fault.value:
        return None
    return int(size * float(fault.value) / 100)
