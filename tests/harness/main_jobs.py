# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that have to work on every vCenter, whichever way an open question turns out.

Each does its work and does it once more, when there is nothing to do. AssertionError says what has not come out so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.harness.held import begin_update, contents, update_states
from tests.harness.packages import kept_of, make_iso, make_ova, make_package
from tests.harness.servers import CannedServer, Reply
from tests.harness.tasks import ROCKY9, SESSION_INFO, TOOLS, Tasks, fetch, files_in, publish
from tests.simulator import ItemSeed, LibrarySeed, Seed

SEED = Seed(
    libraries=(
        LibrarySeed(
            "templates",
            (
                ItemSeed("tools", "iso"),
                ItemSeed("rocky9", "ovf"),
                ItemSeed("appliance", "ovf"),
                ItemSeed("pulled", "iso"),
                ItemSeed("left", "iso"),
                ItemSeed("canceled", "iso"),
            ),
        ),
    )
)
#: In seconds. Where a file never arrives, a job has to end.
PATIENCE = 10
IGNORED = [{"type": kind, "ignored": True} for kind in ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE")]
#: A task that finds a session need not look on for long, as nobody else is there.
PAUSES: Mapping[str, float] = {
    "watch_idle": 0.3,
    "watch_transfer": 0.3,
    "watch_pause": 0.05,
    "claim": 0.05,
    "first_insisting_pause": 0.01,
    "preview_unavailable": 0.5,
    "silent_file": 0.3,
}


class Files:
    """What the main jobs publish, and the address of a mirror to pull from."""

    def __init__(self, folder: Path, mirror: CannedServer) -> None:
        self.image = make_iso(folder / "tools.iso", 5000)
        self.package = make_package(folder / "package", disks=1, disk_bytes=9000, nvram=True, signed="self-signed")
        self.unsigned = make_package(folder / "unsigned", disks=1, disk_bytes=9000)
        self.ova = make_ova(
            make_package(folder / "ova", "appliance", disks=1, disk_bytes=9000), folder / "appliance.ova"
        )
        self.url = f"http://{mirror.hostname}:{mirror.port}/tools.iso"


def mirror(folder: Path) -> CannedServer:
    """A server without TLS that has the image at each address."""
    content = make_iso(folder / "tools.iso", 5000).read_bytes()
    return CannedServer(lambda _request: Reply(200, content), tls=False)


def do_twice(tasks: Tasks, **options: Any) -> None:
    """Run a task that changes something, and once more, which changes nothing."""
    options["wait_timeout"] = PATIENCE
    if tasks.sim.run(lambda store: store.seed.checksum_algorithm) == "none":
        options["when_unverifiable"] = "skip"
    first = tasks.run(**options)
    assert (first.failed, first.changed) == (False, True), first.msg or "nothing was changed"
    again = tasks.run(**options)
    assert (again.failed, again.changed) == (False, False), again.msg or "it was changed once more"


def publish_iso(tasks: Tasks, files: Files, _dest: Path) -> None:
    do_twice(tasks, **publish(files.image))
    assert contents(tasks.sim) == {"tools.iso": files.image.read_bytes()}, "the item does not hold the image"


def publish_package(tasks: Tasks, files: Files, _dest: Path) -> None:
    """A signed one, where vCenter checks signatures."""
    package = files.package if tasks.sim.run(lambda store: store.seed.preview) else files.unsigned
    declared = {"warning_behavior": IGNORED} if package.certificate else {}
    do_twice(tasks, **publish(package.descriptor, ROCKY9, **declared))
    expected = kept_of(package)
    if tasks.sim.run(lambda store: store.seed.does("manifest-is-not-stored", "kept")):
        expected[package.manifest.name] = package.manifest.read_bytes()
    assert contents(tasks.sim, "rocky9") == expected, "the item does not hold the package"


def publish_ova(tasks: Tasks, files: Files, _dest: Path) -> None:
    do_twice(tasks, **publish(files.ova, {"library": "templates", "library_item": "appliance"}))


def pull(tasks: Tasks, files: Files, _dest: Path) -> None:
    declared: dict[str, Any] = {
        "library": "templates",
        "library_item": "pulled",
        "state": "done",
        "files": [{"url": files.url}],
        "wait_timeout": PATIENCE,
    }
    run = tasks.run(**declared)
    assert not run.failed, run.msg
    assert contents(tasks.sim, "pulled") == {"tools.iso": files.image.read_bytes()}, "the item does not hold the image"


def fetch_iso(tasks: Tasks, files: Files, dest: Path) -> None:
    do_twice(tasks, **fetch(dest, TOOLS))
    assert files_in(dest)["tools.iso"] == files.image.read_bytes(), "the file is another one"


def take_over(tasks: Tasks, files: Files, _dest: Path) -> None:
    """A session that a killed task left is found, filled and completed."""
    begin_update(tasks.sim, "left", transferring={"tools.iso": 100})
    do_twice(tasks, **publish(files.image, {"library": "templates", "library_item": "left"}))
    assert contents(tasks.sim, "left") == {"tools.iso": files.image.read_bytes()}, "the item does not hold the image"


def cancel(tasks: Tasks, _files: Files, _dest: Path) -> None:
    session = begin_update(tasks.sim, "canceled", files={"tools.iso": b"part"})
    shown = tasks.run(SESSION_INFO, library="templates", library_item="canceled", kind="update")
    assert [entry["id"] for entry in shown.result["update_sessions"]] == [session], "the session is not shown"
    run = tasks.run(library="templates", library_item="canceled", state="canceled")
    assert (run.failed, update_states(tasks.sim)[session]) == (False, "CANCELED"), run.msg


#: In this order, as the ISO that one publishes is fetched by another.
MAIN_JOBS: Mapping[str, Callable[[Tasks, Files, Path], None]] = {
    "publish an ISO": publish_iso,
    "publish a package": publish_package,
    "publish an OVA": publish_ova,
    "have a file pulled": pull,
    "fetch an ISO": fetch_iso,
    "take a session over": take_over,
    "show and cancel a session": cancel,
}
