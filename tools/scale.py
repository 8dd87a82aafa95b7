# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures one play over many hosts against the simulator, prints a table, and writes it into the guide about it.

First each host publishes to an item of its own, then all of them to one item. All of them are one simulated vCenter,
which therefore does the work of all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from tests.harness.checkout import ROOT, collections_root
from tests.harness.modules import connection_args, run_module_process
from tests.harness.packages import make_iso
from tests.roles.jobs import Job, credential, run_job, verified
from tools.bench.machine import facts
from tools.environment import check_environment
from tools.pages import write_parts

MIRROR = "ds:///vmfs/volumes/mirror/image.iso"
MEBIBYTE = 1024 * 1024
BUSY_TIMEOUT = 3600
SHARED = "shared"
HOSTS, FORKS = 100, 20
SMOKE = (3, 2)
PAGE = ROOT / "docs" / "docsite" / "rst" / "guide_scale.rst"
PAGE_WIDTH = 126
COLUMNS = ("run", "wall time", "requests", "sent", "hosts changed", "refused", "failures", "sessions left", "damaged")


@dataclass(frozen=True)
class Measured:
    title: str
    seconds: float
    requests: int
    sent: int
    changed: int
    refused: int
    failures: int
    sessions_left: int
    damaged: int

    @property
    def kept(self) -> bool:
        """Whether it kept what is promised: whoever is refused was told that the item is busy, and nothing is mixed."""
        return not (self.failures or self.sessions_left or self.damaged)

    @property
    def cells(self) -> Sequence[str]:
        """One for each of C(COLUMNS)."""
        counts = (self.changed, self.refused, self.failures, self.sessions_left, self.damaged)
        sent = f"{self.sent // MEBIBYTE} MiB"
        return (self.title, f"{self.seconds:.0f} s", f"{self.requests}", sent, *map(str, counts))


@contextmanager
def simulator(folder: Path, image: Path) -> Iterator[SimpleNamespace]:
    seed = folder / "seed.yml"
    datastores = [{"uri": MIRROR, "path": str(image)}]
    seed.write_text(yaml.safe_dump({"datastores": datastores}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.simulator", "--seed", str(seed), "--data", str(folder / "data")]
    with subprocess.Popen(
        [*command, "--record", str(folder / "record.jsonl")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield SimpleNamespace(**json.loads(process.stdout.readline() if process.stdout else ""))
        finally:
            process.terminate()


def refusals(job: Job) -> int:
    """How many hosts were refused as another one published to the item."""
    tasks = [task for task in job.of("content_library_update_session") if task.verdict == "failed"]
    return sum(task.result.get("error", {}).get("type") == "RESOURCE_BUSY" for task in tasks)


def is_damaged(server: Any, folder: Path, images: Sequence[Path]) -> bool:
    """Whether the shared item holds anything but one of the images."""
    folder.mkdir()
    named = {"library": "templates", "library_item": SHARED, "dest": str(folder)}
    run_module_process("content_library_download_session", {**connection_args(server), **named})
    held = [path.read_bytes() for path in folder.iterdir()]
    return len(held) != 1 or held[0] not in {path.read_bytes() for path in images}


def measure(
    title: str,
    folder: Path,
    server: Any,
    hosts: Sequence[str],
    forks: int,
    extra_vars: Mapping[str, Any],
    shared: Sequence[Path] = (),
) -> Measured:
    """One play; C(shared) are the images of which one shall be in the shared item after it."""
    record = folder / "record.jsonl"
    before = len(record.read_text(encoding="utf-8").splitlines())
    inventory: dict[str, Any] = {"all": {"hosts": {host: {} for host in hosts}}}
    common = {
        "vcenter_hosts": "all",
        "vcenter_shared": True,
        "publish_libraries": "templates",
    }
    began = time.monotonic()
    job = run_job(
        folder / title.replace(" ", "-"),
        "publish.yml",
        verified(credential(server), server),
        {**common, **extra_vars},
        f"--forks {forks}",
        inventory=inventory,
    )
    seconds = time.monotonic() - began
    exchanges = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()[before:]]
    arguments = {**connection_args(server), "states": ["ACTIVE"]}
    left = run_module_process("content_library_session_info", arguments).result
    refused = refusals(job)
    return Measured(
        title,
        seconds,
        len(exchanges),
        sum(entry["request_bytes"] for entry in exchanges if entry["method"] == "PUT"),
        len(job.stats["changed"]),
        refused,
        len(job.stats["failures"]) + len(job.stats["dark"]) - refused,
        len(left["update_sessions"]) + len(left["download_sessions"]),
        int(bool(shared) and is_damaged(server, folder / f"fetched-{title.replace(' ', '-')}", shared)),
    )


def measure_all(folder: Path, hosts: Sequence[str], forks: int, mebibytes: int, *, smoke: bool) -> Iterator[Measured]:
    size = mebibytes * MEBIBYTE
    image = make_iso(folder / "image.iso", size)
    own = []
    for host in hosts:
        (folder / host).mkdir()
        own.append(make_iso(folder / host / "image.iso", size, host))
    sent = {"publish_src": str(image), "publish_library_item": "sent-{{ inventory_hostname }}"}
    pulled = {"publish_url": MIRROR, "publish_library_item": "pulled-{{ inventory_hostname }}"}
    same = {"publish_src": str(image), "publish_library_item": SHARED}
    other = {"publish_src": f"{folder}/{{{{ inventory_hostname }}}}/image.iso", "publish_library_item": SHARED}
    waiting = {"publish_busy_timeout": BUSY_TIMEOUT}
    plays: list[tuple[str, Mapping[str, Any], list[Path]]] = [
        ("publish", sent, []),
        ("publish again", sent, []),
        ("publish from a mirror", pulled, []),
        ("one image to one item", {**same, **waiting}, [image]),
        ("images of their own to one item", other, [image, *own]),
        ("images of their own to one item, waiting", {**other, **waiting}, own),
    ]
    with simulator(folder, image) as server:
        for title, source, shared in [plays[0], plays[-1]] if smoke else plays:
            yield measure(title, folder, server, hosts, forks, source, shared)


def write_page(runs: Sequence[Measured], mebibytes: int) -> None:
    rows = [COLUMNS, *(run.cells for run in runs)]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'-' if index else '* -'} {cell}".replace("   - ", "     - ") for index, cell in enumerate(row)]
    where = facts(check_environment(os.environ))
    said = (
        f"{HOSTS} hosts, {FORKS} forks, {mebibytes} MiB each, measured {where['measured']} on {where['machine']}, with "
        f"Python {where['Python']} and {where['packages']}:"
    )
    text = "\n".join([*textwrap.wrap(said, PAGE_WIDTH), "", *lines])
    write_parts(PAGE, {"scale": text})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description="Measure one play over many hosts.")
    parser.add_argument("--mebibytes", type=int, default=1, help="the size of each image")
    parser.add_argument(
        "--smoke", action="store_true", help="few hosts and plays: see that it works, and write nothing"
    )
    options = parser.parse_args()
    collections_root()
    number, forks = SMOKE if options.smoke else (HOSTS, FORKS)
    hosts = [f"vcenter{index:03}" for index in range(1, number + 1)]
    runs = []
    print(f"{number} hosts, {forks} forks, {options.mebibytes} MiB each\n\n| {' | '.join(COLUMNS)} |", flush=True)
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        for run in measure_all(Path(scratch), hosts, forks, options.mebibytes, smoke=options.smoke):
            print(f"| {' | '.join(run.cells)} |", flush=True)
            runs.append(run)
    if not options.smoke:
        write_page(runs, options.mebibytes)
        print(f"\nWritten: {PAGE.relative_to(ROOT)}")
    return 0 if all(run.kept for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
