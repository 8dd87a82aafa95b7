# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is measured: all of it, or just enough to see that everything still works."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Scale:
    """Sizes are in bytes; `rate` is per second and connection, the latencies are in milliseconds."""

    rounds: int
    transfer: int
    parallel_files: int
    parallel_size: int
    parallel_latency: int
    rate: int
    image: int
    small: int
    large: int
    sessions: int
    sessions_latency: int


FULL = Scale(
    rounds=5,
    transfer=GIB,
    parallel_files=8,
    parallel_size=32 * MIB,
    parallel_latency=50,
    rate=25 * MIB,
    image=2 * GIB,
    small=64 * MIB,
    large=4 * GIB,
    sessions=1000,
    sessions_latency=20,
)

SMOKE = Scale(
    rounds=1,
    transfer=4 * MIB,
    parallel_files=4,
    parallel_size=256 * KIB,
    parallel_latency=5,
    rate=4 * MIB,
    image=4 * MIB,
    small=MIB,
    large=4 * MIB,
    sessions=20,
    sessions_latency=2,
)
