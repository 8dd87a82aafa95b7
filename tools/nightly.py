# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the nightly job: images for many libraries of several simulated vCenters, one of which is down at first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.packages import make_iso
from tests.harness.servers import unused_port
from tests.roles.jobs import credential, run_job
from tools.measured import MEBIBYTE, Measured, read_record, simulator

LIBRARIES, IMAGES = 12, ("drivers", "installer", "tools")
VCENTERS = ("berlin", "lima", "oslo", "tokyo")
SCENE = f"{len(VCENTERS)} vCenters, {LIBRARIES} libraries in each, {len(IMAGES)} images for each library"
OUTCOMES = ("published", "unchanged", "failed", "not tried")
COLUMNS = ("run", "wall time", "requests", "sent", *OUTCOMES)


@dataclass(frozen=True)
class Night(Measured):
    """What a run of the job took, and what became of each image in each library."""

    sent: int

    @property
    def cells(self) -> Sequence[str]:
        """One cell for each of `COLUMNS`."""
        counts = (str(self.outcomes.get(outcome, 0)) for outcome in OUTCOMES)
        return (self.title, f"{self.seconds:.0f} s", f"{self.requests}", f"{self.sent // MEBIBYTE} MiB", *counts)


def measure_nights(folder: Path, forks: int, mebibytes: int, *, smoke: bool) -> Iterator[Night]:
    """The first night, in which the last vCenter is down, the next one, and one in which there is nothing to do."""
    names = [f"library{number:02}" for number in range(1, (2 if smoke else LIBRARIES) + 1)]
    vcenters = VCENTERS[-2:] if smoke else VCENTERS
    images = [make_iso(folder / f"{name}.iso", mebibytes * MEBIBYTE, name) for name in IMAGES]
    each = len(names) * len(images)
    with ExitStack() as stack:
        servers: dict[str, Any] = {}
        for vcenter in vcenters:
            (folder / vcenter).mkdir()
            seed = {"libraries": [{"name": name} for name in names]}
            servers[vcenter] = stack.enter_context(simulator(folder / vcenter, seed))
        up, whole = (len(vcenters) - 1) * each, len(vcenters) * each
        nights: list[tuple[str, Mapping[str, int], Mapping[str, int]]] = [
            ("one vCenter is down", {vcenters[-1]: unused_port()}, {"published": up, "not tried": each}),
            ("the next night", {}, {"published": each, "unchanged": up}),
            ("nothing to do", {}, {"unchanged": whole}),
        ]
        for title, ports, expected in nights:
            records = [folder / vcenter / "record.jsonl" for vcenter in vcenters]
            before = [len(read_record(record)) for record in records]
            began = time.monotonic()
            hosts = {
                name: {
                    "vcenter_connection": {
                        "hostname": server.hostname,
                        "port": ports.get(name, server.port),
                        "ca_path": server.ca_path,
                    }
                }
                for name, server in servers.items()
            }
            login = credential(servers[vcenters[0]])
            job = run_job(
                folder / title.replace(" ", "-"),
                "publish.yml",
                {name: login[name] for name in ("VMWARE_USER", "VMWARE_PASSWORD")},
                {"vcenter_hosts": "all"},
                f"--forks {forks}",
                inventory={"all": {"hosts": hosts}},
                template_vars={"publish_libraries": names, "publish_items": [{"src": str(image)} for image in images]},
            )
            seconds = time.monotonic() - began
            exchanges = [entry for record, seen in zip(records, before) for entry in read_record(record)[seen:]]
            told = job.handed_over["content_library_published"]
            yield Night(
                title,
                seconds,
                len(exchanges),
                Counter(entry["outcome"] for entries in told.values() for entry in entries),
                expected,
                sum(entry["request_bytes"] for entry in exchanges if entry["method"] == "PUT"),
            )
