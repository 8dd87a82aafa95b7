# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m tools.bench`: measures rows, prints them as a table, and writes docs/benchmarks.md with its picture.

A row that misses its bar is marked, and is not a failure. Only something that does not work is one. A row is repeated
if other processes have used the machine. The figures stand beside this file, and the page is made from them. So rows
can be measured one by one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT
from tests.peers.binaries import PEERS, YARDSTICK, Unavailable, build
from tools.bench.before import checked_out
from tools.bench.bench import Bench, BenchError
from tools.bench.kept import Kept, Measured
from tools.bench.machine import facts, now
from tools.bench.measure import Figure, undisturbed
from tools.bench.memory import peak_memory, peak_memory_alone
from tools.bench.parallel import item_info, parallel_files, session_info
from tools.bench.plot import plot
from tools.bench.report import page, table
from tools.bench.role import role_publish, role_publish_again
from tools.bench.scale import FULL, GIB, SMOKE
from tools.bench.tasks import (
    many_hosts,
    nothing_to_do,
    nothing_to_do_alone,
    publish,
    publish_package,
    unchanged,
)
from tools.bench.transfer import download, put_given, put_hashed, put_with_progress
from tools.environment import check_environment

ROWS: Mapping[str, Callable[[Bench], Figure]] = {
    "put": put_given,
    "put-hashed": put_hashed,
    "progress": put_with_progress,
    "download": download,
    "parallel-files": parallel_files,
    "publish": publish,
    "publish-package": publish_package,
    "unchanged": unchanged,
    "memory": peak_memory,
    "memory-alone": peak_memory_alone,
    "session-info": session_info,
    "item-info": item_info,
    "nothing-to-do": nothing_to_do,
    "nothing-to-do-alone": nothing_to_do_alone,
    "many-hosts": many_hosts,
    "role-publish": role_publish,
    "role-publish-again": role_publish_again,
}
WITH_BEFORE = {"role-publish", "role-publish-again"}
SHARED_MEMORY = Path("/dev/shm")
ROOM = 12 * GIB
PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = Kept(Path(__file__).with_name("figures"))
PICTURE = ROOT / "docs" / "images" / "benchmarks.svg"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measure the collection.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; without any, all are measured")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: see that it works, and write nothing")
    parser.add_argument(
        "--resume", action="store_true", help="leave out the rows that this machine has measured before"
    )
    options = parser.parse_args()
    if unknown := sorted(set(options.rows) - set(ROWS)):
        parser.error(f"no such row: {', '.join(unknown)}")
    try:
        programs = build(*PEERS, YARDSTICK, optimized=not options.smoke)
    except Unavailable as error:
        print(f"left out: the benchmarks, {error}")
        return 0 if options.smoke else 1
    env = check_environment(os.environ)
    machine = facts(env)
    with tempfile.TemporaryDirectory(dir=_roomy(), prefix="vsphere-content-bench-") as scratch:
        # The temporary files of the servers hold content too.
        os.environ["TMPDIR"] = scratch
        bench = Bench(SMOKE if options.smoke else FULL, Path(scratch), programs, env)
        try:
            names = [name for name in ROWS if not options.rows or name in options.rows]
            if set(names) & WITH_BEFORE:
                # Before an hour of other rows, as a clone may not have it.
                checked_out(bench.scale.before, bench.scratch)
            figures = [_figure(name, bench, machine, resume=options.resume) for name in names]
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    if options.smoke:
        print(f"{len(figures)} rows work; with sizes like these their figures mean nothing")
        return 0
    print(f"\n{table(figures)}")
    _write_page()
    return 0


def _figure(name: str, bench: Bench, machine: Mapping[str, str], *, resume: bool) -> Figure:
    """The figure of a row, measured now or kept from before. With tiny sizes, none is worth repeating or keeping."""
    row = partial(ROWS[name], bench)
    kept = KEPT.find(name)
    if bench.scale is SMOKE:
        figure = row()
    elif resume and kept and kept.machine == Measured(kept.figure, machine).machine:
        figure = kept.figure
    else:
        figure = undisturbed(row, os.cpu_count() or 1)
        KEPT.save(Measured(figure, {**machine, "measured": now()}))
    print(f"{name}: {figure.ratio:.2f}, bar {figure.limit}", flush=True)
    return figure


def _write_page() -> None:
    """Write the page and its picture from what is kept, if each row has been measured."""
    kept = {name: KEPT.find(name) for name in ROWS}
    if missing := [name for name, measured in kept.items() if not measured]:
        print(f"\nThe page stays as it is. Not measured yet: {', '.join(missing)}")
        return
    rows = [measured for measured in kept.values() if measured]
    PAGE.write_text(page(rows))
    PICTURE.write_text(plot([row.figure for row in rows]))
    print(f"\nWritten: {PAGE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}")


def _roomy() -> Path:
    """A folder in memory, if there is enough of it: otherwise the disk would decide the figures."""
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free >= ROOM:
        return SHARED_MEMORY
    CACHE.mkdir(exist_ok=True)
    return CACHE


if __name__ == "__main__":
    sys.exit(main())
