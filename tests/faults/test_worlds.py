# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main jobs on each version of vCenter, and in each world: whichever way an open question turns out.

Each answer to a question is tried alone, and all pairs of two answers in few servers (`rest`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import begin_update, contents, item_id, update_states
from tests.harness.packages import Package, kept_of, make_iso, make_ova, make_package
from tests.harness.servers import CannedServer, Reply
from tests.harness.tasks import ROCKY9, SESSION_INFO, TOOLS, Tasks, fetch, files_in, publish
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tests.simulator.versions import DEFAULT, VERSIONS
from tests.simulator.worlds import WORLDS

VCENTER = "vcenter"
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
IGNORED = [{"type": kind, "ignored": True} for kind in ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE")]
#: How a world needs the server to be, so that its question arises at all.
NEEDS = {"old-api": {VCENTER: "6.7"}}
#: In which files never arrive, so that a task can only fail.
HOPELESS = ("pushed-file", "stays-waiting")

Choice = Mapping[str, str]


class Jobs:
    """The files of the main jobs, and a mirror to pull from."""

    def __init__(self, folder: Path, mirror: CannedServer) -> None:
        self.image = make_iso(folder / "tools.iso", 5000)
        self.package = make_package(folder / "package", disks=1, disk_bytes=9000, nvram=True, signed="self-signed")
        self.unsigned = make_package(folder / "unsigned", disks=1, disk_bytes=9000)
        self.ova = make_ova(
            make_package(folder / "ova", "appliance", disks=1, disk_bytes=9000), folder / "appliance.ova"
        )
        self.url = f"http://{mirror.hostname}:{mirror.port}/tools.iso"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    folder = tmp_path_factory.mktemp("jobs")
    content = make_iso(folder / "tools.iso", 5000).read_bytes()
    with CannedServer(lambda _request: Reply(200, content), tls=False) as mirror:
        yield Jobs(folder, mirror)


def server_of(choice: Choice) -> Simulator:
    worlds = {"arrival": "with-its-answer", **{name: value for name, value in choice.items() if name != VCENTER}}
    return Simulator(seed=SEED, settle=0.02, vcenter=choice.get(VCENTER, DEFAULT), worlds=worlds)


def do_twice(tasks: Tasks, **options: Any) -> None:
    """Run a task that changes something, and once more, which changes nothing."""
    first = tasks.run(**options)
    assert (first.failed, first.changed) == (False, True), first.msg
    again = tasks.run(**options)
    assert (again.failed, again.changed) == (False, False), again.msg


def do_all(sim: Simulator, jobs: Jobs, dialect: str, dest: Path) -> None:
    tasks = Tasks(sim, dialect)
    do_twice(tasks, **publish(jobs.image))
    assert contents(sim) == {"tools.iso": jobs.image.read_bytes()}
    publish_package(tasks, jobs.package if sim.run(lambda store: store.seed.preview) else jobs.unsigned)
    appliance = {"library": "templates", "library_item": "appliance"}
    do_twice(tasks, **publish(jobs.ova, appliance))
    pulled: dict[str, Any] = {
        "library": "templates",
        "library_item": "pulled",
        "state": "done",
        "files": [{"url": jobs.url}],
    }
    run = tasks.run(**pulled)
    assert not run.failed, run.msg
    assert contents(sim, "pulled") == {"tools.iso": jobs.image.read_bytes()}
    do_twice(tasks, **fetch(dest, TOOLS))
    assert files_in(dest)["tools.iso"] == jobs.image.read_bytes()
    take_over(tasks, jobs)
    cancel(tasks)


def publish_package(tasks: Tasks, package: Package) -> None:
    declared = {"warning_behavior": IGNORED} if package.certificate else {}
    do_twice(tasks, **publish(package.descriptor, ROCKY9, **declared))
    assert contents(tasks.sim, "rocky9") == kept_of(package)


def take_over(tasks: Tasks, jobs: Jobs) -> None:
    """A session that a killed task left is found, filled and completed."""
    begin_update(tasks.sim, "left", transferring={"tools.iso": 100})
    do_twice(tasks, **publish(jobs.image, {"library": "templates", "library_item": "left"}))
    assert contents(tasks.sim, "left") == {"tools.iso": jobs.image.read_bytes()}


def cancel(tasks: Tasks) -> None:
    session = begin_update(tasks.sim, "canceled", files={"tools.iso": b"part"})
    shown = tasks.run(SESSION_INFO, library="templates", library_item="canceled", kind="update")
    assert [entry["id"] for entry in shown.result["update_sessions"]] == [session]
    run = tasks.run(library="templates", library_item="canceled", state="canceled")
    assert (run.failed, update_states(tasks.sim)[session]) == (False, "CANCELED"), run.msg


def dialect_of(choice: Choice) -> str:
    """Versions before /api are found out by the task itself."""
    return "auto" if choice.get(VCENTER) == "6.7" else "rest" if "rest-empty-list" in choice else "api"


SINGLE: list[dict[str, str]] = [{VCENTER: version} for version in VERSIONS] + [
    {**NEEDS.get(world.name, {}), world.name: value}
    for world in WORLDS.values()
    for value in world.values
    if value != world.default and (world.name, value) != HOPELESS
]
#: A task that finds a session need not look on for long, as nobody else is there.
PACED = pytest.mark.paced(
    watch_idle=0.3,
    watch_transfer=0.3,
    watch_pause=0.05,
    claim=0.05,
    first_insisting_pause=0.01,
    preview_unavailable=0.5,
)


def named(choice: Choice) -> str:
    return "-".join(f"{name}={value}" for name, value in choice.items())


def pairwise(values: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Few choices that hold each pair of values of two names."""
    missing = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(values, 2)
        for x, y in itertools.product(values[a], values[b])
    }
    rows: list[dict[str, str]] = []
    while missing:
        row = dict(min(missing))
        for name in values:
            if name not in row:
                row[name] = max(values[name], key=lambda value: _gain(row, name, value, missing))
        rows.append({name: row[name] for name in values})
        missing -= set(itertools.combinations(rows[-1].items(), 2))
    return rows


def _gain(row: Mapping[str, str], name: str, value: str, missing: set[Any]) -> int:
    pairs = ((pair, (name, value)) for pair in row.items())
    return sum((a, b) in missing or (b, a) in missing for a, b in pairs)


def choices() -> dict[str, tuple[str, ...]]:
    """What is combined: all but what lets a task only fail."""
    usable = {
        world.name: tuple(value for value in world.values if (world.name, value) != HOPELESS)
        for world in WORLDS.values()
    }
    return {VCENTER: tuple(VERSIONS), **{name: values for name, values in usable.items() if len(values) > 1}}


def test_the_cover_holds_each_pair() -> None:
    values = {"a": ("1", "2", "3"), "b": ("1", "2"), "c": ("1", "2")}
    rows = pairwise(values)
    held = {pair for row in rows for pair in itertools.combinations(row.items(), 2)}
    assert len(held) == 3 * 2 + 3 * 2 + 2 * 2
    assert len(rows) < 9


@PACED
@pytest.mark.parametrize("choice", [pytest.param(choice, id=named(choice)) for choice in SINGLE])
def test_the_main_jobs_whichever_way_a_question_turns_out(choice: Choice, jobs: Jobs, dest: Path) -> None:
    with server_of(choice) as sim:
        do_all(sim, jobs, dialect_of(choice), dest)


@pytest.mark.rest
@PACED
@pytest.mark.parametrize(
    "choice", [pytest.param(row, id=str(number)) for number, row in enumerate(pairwise(choices()))]
)
def test_the_main_jobs_however_two_questions_turn_out(choice: Choice, jobs: Jobs, dest: Path) -> None:
    with server_of(choice) as sim:
        do_all(sim, jobs, "auto", dest)


@pytest.mark.fact("file-stays-waiting")
@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_a_file_that_never_arrives_ends_in_a_failure_that_says_so(jobs: Jobs, dialect: str) -> None:
    with server_of(dict([HOPELESS])) as sim:
        run = Tasks(sim, dialect).run(**publish(jobs.image, wait_timeout=1))
        assert run.error["type"] == "TIMED_OUT"
        assert "tools.iso" in run.msg
        assert update_states(sim) == {}
        assert item_id(sim)
