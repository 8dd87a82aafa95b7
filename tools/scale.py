# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures one play over many hosts against the simulator, prints tables, and writes them into the guide.

First each host publishes to its own item, then all of them publish to one item. All hosts use one simulated vCenter,
which therefore does the work of many. Then it measures the nightly job, and tasks over a library of a thousand items.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.harness.checkout import ROOT, collections_root
from tests.harness.modules import connection_args, run_module_process
from tests.harness.packages import make_iso
from tests.roles.jobs import Job, credential, run_job, verified
from tools import nightly, shelf
from tools.bench.machine import facts
from tools.environment import check_environment
from tools.measured import MEBIBYTE, list_table, read_record, simulator
from tools.pages import write_parts

MIRROR = "ds:///vmfs/volumes/mirror/image.iso"
BUSY_TIMEOUT = 3600
SHARED = "shared"
HOSTS, FORKS = 100, 20
SMOKE = (3, 2)
PARTS = ("scale", "nightly", "shelf")
PAGE = ROOT / "docs" / "docsite" / "rst" / "guide_scale.rst"
PAGE_WIDTH = 120
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
        """Whether the promises held: each refused host was told that the item is busy, and no content is mixed."""
        return not (self.failures or self.sessions_left or self.damaged)

    @property
    def cells(self) -> Sequence[str]:
        """One cell for each of `COLUMNS`."""
        counts = (self.changed, self.refused, self.failures, self.sessions_left, self.damaged)
        sent = f"{self.sent // MEBIBYTE} MiB"
        return (self.title, f"{self.seconds:.0f} s", f"{self.requests}", sent, *map(str, counts))


def refusals(job: Job) -> int:
    """How many hosts were refused because another one published to the item."""
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
    template_vars: Mapping[str, Any],
    shared: Sequence[Path] = (),
) -> Measured:
    """Measure one play; after it the shared item must hold one of the images in `shared`."""
    record = folder / "record.jsonl"
    before = len(read_record(record))
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
        common,
        f"--forks {forks}",
        inventory=inventory,
        template_vars=template_vars,
    )
    seconds = time.monotonic() - began
    exchanges = read_record(record)[before:]
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
    with simulator(folder, {"datastores": [{"uri": MIRROR, "path": str(image)}]}) as server:
        for title, source, shared in [plays[0], plays[-1]] if smoke else plays:
            yield measure(title, folder, server, hosts, forks, source, shared)


class Row(Protocol):
    @property
    def cells(self) -> Sequence[str]: ...
    @property
    def kept(self) -> bool: ...


@dataclass(frozen=True)
class Part:
    """A table of the page: what it is called when printed, what the page says of it, and how its rows are measured."""

    title: str
    said: str
    columns: Sequence[str]
    measure: Callable[[], Iterable[Row]]

    def rows(self) -> list[Row]:
        """Measure the rows, and print each as soon as it is there."""
        print(f"{self.title}\n\n| {' | '.join(self.columns)} |", flush=True)
        rows = []
        for row in self.measure():
            print(f"| {' | '.join(row.cells)} |", flush=True)
            rows.append(row)
        print()
        return rows


def write_page(parts: Mapping[str, Part], measured: Mapping[str, Sequence[Row]]) -> None:
    where = facts(check_environment(os.environ))
    how = f"measured {where['measured']} on {where['machine']}, with Python {where['Python']} and {where['packages']}:"
    texts = {}
    for name, rows in measured.items():
        lines = textwrap.wrap(f"{parts[name].said}, {how}", PAGE_WIDTH)
        texts[name] = "\n".join([*lines, "", *list_table([parts[name].columns, *(row.cells for row in rows)])])
    write_parts(PAGE, texts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description="Measure one play over many hosts.")
    parser.add_argument("--mebibytes", type=int, default=1, help="the size of each image")
    parser.add_argument("--only", choices=PARTS, help="measure one part of the page alone")
    parser.add_argument(
        "--smoke", action="store_true", help="few hosts and plays: see that it works, and write nothing"
    )
    options = parser.parse_args()
    collections_root()
    number, forks = SMOKE if options.smoke else (HOSTS, FORKS)
    hosts = [f"vcenter{index:03}" for index in range(1, number + 1)]
    each, smoke = f"{options.mebibytes} MiB each", options.smoke
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        folder = Path(scratch)
        parts = {
            "scale": Part(
                f"{number} hosts, {forks} forks, {each}",
                f"{HOSTS} hosts, {FORKS} forks, {each}",
                COLUMNS,
                lambda: measure_all(folder, hosts, forks, options.mebibytes, smoke=smoke),
            ),
            "nightly": Part(
                "The nightly job",
                f"{nightly.SCENE}, {each}, {FORKS} forks",
                nightly.COLUMNS,
                lambda: nightly.measure_nights(folder, FORKS, options.mebibytes, smoke=smoke),
            ),
            "shelf": Part(
                "A library of many items",
                shelf.SCENE,
                shelf.COLUMNS,
                lambda: shelf.measure_shelf(folder, smoke=smoke),
            ),
        }
        measured = {name: parts[name].rows() for name in ([options.only] if options.only else PARTS)}
    if not smoke:
        write_page(parts, measured)
        print(f"Written: {PAGE.relative_to(ROOT)}")
    return 0 if all(row.kept for rows in measured.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
