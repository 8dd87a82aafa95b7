# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes use the CPU: those that this one has started, and all others of the machine. Linux only."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

STAT = Path("/proc/stat")

Found = TypeVar("Found")


@dataclass(frozen=True)
class Usage:
    """What was used until some moment, in seconds: of a clock, of a core by all processes, and of a core by ours."""

    clock: float
    machine: float
    own: float

    def others_since(self, earlier: Usage, cores: int) -> float:
        """The share of the machine's CPU that processes other than ours have used since then, from 0 to 1."""
        others = (self.machine - earlier.machine) - (self.own - earlier.own)
        # The kernel counts all processes by ticks, and each of ours exactly.
        return max(0.0, others) / (cores * (self.clock - earlier.clock))


def usage() -> Usage:
    """What was used until now. Ours are this process and those that it has waited for, with their own such ones."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(time.monotonic(), _machine_seconds(), own.ru_utime + own.ru_stime + cpu_seconds())


def cpu_seconds() -> float:
    """The CPU seconds of all processes that this one started and waited for, and of their own such processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def counted(action: Callable[[], Found]) -> tuple[Found, float]:
    """Do something; returns what it returns, and the CPU seconds of the processes that it has waited for."""
    before = cpu_seconds()
    found = action()
    return found, cpu_seconds() - before


def _machine_seconds() -> float:
    """The first three numbers of the first line are ticks of processes: usual ones, those with a low priority, and in
    the kernel."""
    ticks = STAT.read_text(encoding="ascii").split(maxsplit=4)[1:4]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
