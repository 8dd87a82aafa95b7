# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures one play over many hosts against the simulator, and prints the table of docs/scale.md.

Each host publishes an image of its own. All of them are one simulated vCenter, which therefore does the work of all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from tests.harness.checkout import ROOT, collections_root
from tests.harness.modules import connection_args, run_module_process
from tests.harness.packages import make_iso
from tests.roles.jobs import credential, run_job

MIRROR = "ds:///vmfs/volumes/mirror/image.iso"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    title: str
    seconds: float
    requests: int
    sent: int
    changed: int
    failures: int
    sessions_left: int

    @property
    def row(self) -> str:
        cells = (
            self.title,
            f"{self.seconds:.0f} s",
            self.requests,
            f"{self.sent // MEBIBYTE} MiB",
            self.changed,
            self.failures,
            self.sessions_left,
        )
        return f"| {' | '.join(str(cell) for cell in cells)} |"


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


def measure(title: str, folder: Path, server: Any, hosts: int, forks: int, extra_vars: Mapping[str, Any]) -> Measured:
    record = folder / "record.jsonl"
    before = len(record.read_text(encoding="utf-8").splitlines())
    inventory: dict[str, Any] = {"all": {"hosts": {f"vcenter{number:03}": {} for number in range(1, hosts + 1)}}}
    common = {
        "vcenter_hosts": "all",
        "vcenter_connection": {"ca_path": server.ca_path},
        "publish_libraries": "templates",
    }
    began = time.monotonic()
    job = run_job(
        folder / title.replace(" ", "-"),
        "publish.yml",
        credential(server),
        {**common, **extra_vars},
        f"--forks {forks}",
        inventory=inventory,
    )
    seconds = time.monotonic() - began
    exchanges = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()[before:]]
    arguments = {**connection_args(server), "states": ["ACTIVE"]}
    left = run_module_process("content_library_session_info", arguments).result
    return Measured(
        title,
        seconds,
        len(exchanges),
        sum(entry["request_bytes"] for entry in exchanges if entry["method"] == "PUT"),
        len(job.stats["changed"]),
        len(job.stats["failures"]) + len(job.stats["dark"]),
        len(left["update_sessions"]) + len(left["download_sessions"]),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description="Measure one play over many hosts.")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--forks", type=int, default=20)
    parser.add_argument("--mebibytes", type=int, default=1, help="the size of each image")
    options = parser.parse_args()
    collections_root()
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        folder = Path(scratch)
        image = folder / "image.iso"
        make_iso(image, options.mebibytes * MEBIBYTE)
        sent = {"publish_src": str(image), "publish_library_item": "sent-{{ inventory_hostname }}"}
        pulled = {"publish_url": MIRROR, "publish_library_item": "pulled-{{ inventory_hostname }}"}
        print(f"{options.hosts} hosts, {options.forks} forks, {options.mebibytes} MiB each\n")
        print("| run | wall time | requests | sent by the controller | hosts changed | failures | sessions left |")
        print("|---|---|---|---|---|---|---|", flush=True)
        runs = []
        with simulator(folder, image) as server:
            for title, source in (("publish", sent), ("publish again", sent), ("publish from a mirror", pulled)):
                runs.append(measure(title, folder, server, options.hosts, options.forks, source))
                print(runs[-1].row, flush=True)
    return 1 if any(run.failures or run.sessions_left for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
