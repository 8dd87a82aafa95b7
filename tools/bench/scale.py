# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much to measure: everything, or just enough to see that it still works."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def as_text(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


@dataclass(frozen=True)
class Scale:
    """Sizes are in bytes; `rate` is per second and connection, the latencies are in milliseconds.

    `rounds` leaves the interval of a ratio room for one odd round at each end. A round of seconds, in which a processor
    that runs a little faster decides, has `short_rounds`. Rows that take minutes have `long_rounds`, and none to spare.
    `before` is the commit that "before" means.
    """

    short_rounds: int
    rounds: int
    long_rounds: int
    transfer: int
    parallel_files: int
    parallel_size: int
    parallel_latency: int
    rate: int
    image: int
    small: int
    large: int
    sessions: int
    items: int
    list_latency: int
    package_disk: int
    hosts: int
    role_hosts: int
    role_image: int
    before: str


FULL = Scale(
    short_rounds=15,
    rounds=9,
    long_rounds=7,
    transfer=GIB,
    parallel_files=8,
    parallel_size=32 * MIB,
    parallel_latency=50,
    rate=25 * MIB,
    image=2 * GIB,
    small=64 * MIB,
    large=4 * GIB,
    sessions=1000,
    items=1000,
    list_latency=20,
    package_disk=100 * MIB,
    hosts=50,
    # Five for each fork. The two rows take an hour each, as the earlier commit needs minutes for a job.
    role_hosts=100,
    role_image=MIB,
    # The last one in which each module is a process of its own.
    before="c353bb38399eda99f97466cee1910042ed72bf04",
)

SMOKE = Scale(
    short_rounds=1,
    rounds=1,
    long_rounds=1,
    transfer=4 * MIB,
    parallel_files=4,
    parallel_size=256 * KIB,
    parallel_latency=5,
    rate=4 * MIB,
    image=4 * MIB,
    small=MIB,
    large=4 * MIB,
    sessions=20,
    items=20,
    list_latency=2,
    package_disk=256 * KIB,
    hosts=3,
    role_hosts=3,
    role_image=4 * KIB,
    # Each clone has it.
    before="HEAD",
)
