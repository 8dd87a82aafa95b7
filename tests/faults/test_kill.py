# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's process that is killed at any point leaves nothing behind that a next run does not put right.

By a signal, or when the worker that reads its result is gone, it puts back itself what it made. By SIGKILL it cannot:
then the next run ends as if there had been none before it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.kills import (
    DEATHS,
    FETCH_POINTS,
    NEW_ITEM_POINTS,
    PUBLISH_POINTS,
    Point,
    die,
    table_of_points,
    watched,
)
from tests.faults.matrix_page import PAGE
from tests.harness.held import contents, update_states
from tests.harness.modules import ModuleResult, connection_args, paced, run_module
from tests.harness.nursery import ForkedModule, fork_module
from tests.harness.packages import Package, make_package
from tests.harness.samples import marked
from tests.harness.tasks import DIALECTS, DOWNLOAD_SESSION, ROCKY9, UPDATE_SESSION
from tests.harness.waiting import HANG, eventually, once
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, Store
from tests.simulator.seed import VIEWER
from tools.environment import check_environment
from tools.pages import read_part

DISK_BYTES = 6 << 20
SIGNALED = [death for death in DEATHS if death != "SIGKILL"]
TIMEOUT = 15
CREATION = re.compile(r"/(update|download)-session(\?|$)")
TAKEN_BACK = "which this task created, was canceled and deleted."
COMPLETED = "had been completed by then, so the item has its new content."
LEFT = "stays, and so does the item, as vCenter may be completing it."


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(tmp_path_factory.mktemp("package"), disks=2, disk_bytes=DISK_BYTES, signed="trusted")


@pytest.fixture
def soon() -> Iterator[None]:
    """The run after a kill need not watch for long: nobody is at work."""
    with paced(watch_transfer=0.2, watch_pause=0.05, watch_idle=0.2):
        yield


def old_content(package: Package) -> dict[str, bytes]:
    return {path.name: f"an older {path.name}".encode() for path in (package.descriptor, *package.references)}


def new_content(package: Package) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (package.descriptor, *package.references)}


def reset(sim: Simulator, package: Package, content: Mapping[str, bytes]) -> None:
    assert package.root_pem
    items = (ItemSeed("rocky9", "ovf", content),)
    sim.reset(Seed(libraries=(LibrarySeed("templates", items),), trusted_roots=(package.root_pem,)))


def download_states(sim: Simulator) -> list[str]:
    return sim.run(lambda store: sorted(entry.state for entry in store.downloads.sessions.values()))


def login_count(sim: Simulator) -> int:
    return sim.run(lambda store: store.logins.count)


def options(sim: Simulator, dialect: str, task: Mapping[str, Any]) -> dict[str, Any]:
    return {**connection_args(sim), "api_dialect": dialect, **ROCKY9, **task}


def publish(package: Package) -> dict[str, Any]:
    return {"state": "done", "files": [{"src": str(package.descriptor)}]}


def fetch(dest: Path, point: Point) -> dict[str, Any]:
    return {"dest": str(dest), **point.options}


def cells(points: tuple[Point, ...], deaths: list[str]) -> list[Any]:
    """Each point with each death, the dialects taking turns along both; on a push each death at each kind of point."""
    found = [
        (f"{point.name}-{death}-{dialect}", (point, death, dialect))
        for row, point in enumerate(points)
        for column, death in enumerate(deaths)
        for dialect in [DIALECTS[(row + column) % len(DIALECTS)]]
    ]
    return marked(found, lambda values: (values[0].in_content, values[0].shielded, values[0].last, values[1]))


def succeeded(outcome: ModuleResult, *, changed: bool) -> None:
    assert (outcome.rc, outcome.result.get("changed")) == (0, changed), outcome.result.get("msg")


@pytest.mark.parametrize("points", [PUBLISH_POINTS, FETCH_POINTS], ids=["publish", "fetch"])
def test_there_are_points_enough(points: tuple[Point, ...]) -> None:
    assert len({point.name for point in points}) == len(points) >= 20
    assert sum(point.in_content for point in points) >= 10


def test_the_page_names_the_points() -> None:
    assert read_part(PAGE, "kills") == table_of_points()


# -- a publish


def start_publish(sim: Simulator, package: Package, point: Point, dialect: str) -> ForkedModule:
    """An older content, and a session that has ended, stand there already."""
    reset(sim, package, old_content(package))
    sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "rocky9"), state="DONE"))
    for fault in (*point.faults, point.hold):
        sim.inject(fault)
    return fork_module(UPDATE_SESSION, options(sim, dialect, publish(package)))


@pytest.mark.parametrize(("point", "death", "dialect"), cells(PUBLISH_POINTS, SIGNALED))
def test_a_publish_that_is_ended_puts_everything_back(
    server: Simulator, package: Package, point: Point, death: str, dialect: str
) -> None:
    words = die(server, start_publish(server, package, point, dialect), point, death)
    assert contents(server, "rocky9") == (new_content(package) if point.done else old_content(package))
    made = ["DONE"] if point.done else ["ACTIVE"] if point.last else []
    assert sorted(update_states(server).values()) == [*made, "DONE"]
    assert login_count(server) == 0
    if words:
        aftermath = COMPLETED if point.done else LEFT if point.last else TAKEN_BACK
        assert_told(server, words, point, death, aftermath, changed=bool(made))


def assert_told(
    sim: Simulator, words: Mapping[str, Any], point: Point, death: str, aftermath: str, *, changed: bool
) -> None:
    """What a task that was ended says: by what, what became of the session that it had made, and what is changed."""
    if point.done and point.shielded:
        assert (words.get("failed"), words["changed"]) == (None, True)
        return
    assert f"ended by {death}" in words["msg"]
    # The wait for vCenter has ended there, and not what it does.
    error_type = "TIMED_OUT" if aftermath in (LEFT, COMPLETED) and not point.shielded else "CANCELED"
    assert (words["failed"], words["error"]["type"]) == (True, error_type)
    assert set(words["error"]) == {"type", "status", "operation", "messages", "data", "session_id"}
    made = [entry for entry in sim.exchanges if entry.method == "POST" and CREATION.search(entry.path)]
    assert (aftermath in words["msg"]) == bool(made)
    assert words.get("changed", False) == changed
    assert words.get("item_changed", False) == (changed and aftermath in (COMPLETED, LEFT))


@pytest.mark.parametrize(("point", "death", "dialect"), cells(PUBLISH_POINTS, ["SIGKILL"]))
@pytest.mark.usefixtures("soon")
def test_the_run_after_a_killed_publish_ends_as_if_undisturbed(
    server: Simulator, package: Package, point: Point, death: str, dialect: str
) -> None:
    die(server, start_publish(server, package, point, dialect), point, death)
    published = point.done or point.last
    assert contents(server, "rocky9") == (new_content(package) if published else old_content(package))
    server.clear_faults()
    task = options(server, dialect, publish(package))
    succeeded(run_module(UPDATE_SESSION, task), changed=not published)
    assert contents(server, "rocky9") == new_content(package)
    assert sorted(update_states(server).values()) == ["DONE", "DONE"]
    succeeded(run_module(UPDATE_SESSION, task), changed=False)


# -- a publish to an item that it creates


def start_publish_to_new_item(sim: Simulator, package: Package, point: Point, dialect: str) -> ForkedModule:
    reset(sim, package, {})
    sim.run(lambda store: store.catalog.items.clear())
    sim.inject(point.hold)
    return fork_module(UPDATE_SESSION, options(sim, dialect, publish(package)))


def items(sim: Simulator) -> list[str]:
    return sim.run(lambda store: [item.name for item in store.catalog.items.values()])


@pytest.mark.parametrize(("point", "death", "dialect"), cells(NEW_ITEM_POINTS, SIGNALED))
def test_a_publish_that_is_ended_takes_its_new_item_away(
    server: Simulator, package: Package, point: Point, death: str, dialect: str
) -> None:
    words = die(server, start_publish_to_new_item(server, package, point, dialect), point, death)
    stays = point.done or point.last
    assert items(server) == (["rocky9"] if stays else [])
    assert list(update_states(server).values()) == (["DONE"] if point.done else ["ACTIVE"] if point.last else [])
    assert login_count(server) == 0
    if point.done:
        assert contents(server, "rocky9") == new_content(package)
    elif words:
        assert ("which this task created, was deleted again." in words["msg"]) == (
            not stays and point.name != "item-looked-up"
        )
        assert words.get("changed", False) == stays


@pytest.mark.parametrize(("point", "death", "dialect"), cells(NEW_ITEM_POINTS, ["SIGKILL"]))
@pytest.mark.usefixtures("soon")
def test_the_run_after_a_killed_publish_to_a_new_item_ends_as_if_undisturbed(
    server: Simulator, package: Package, point: Point, death: str, dialect: str
) -> None:
    die(server, start_publish_to_new_item(server, package, point, dialect), point, death)
    server.clear_faults()
    task = options(server, dialect, publish(package))
    succeeded(run_module(UPDATE_SESSION, task), changed=not (point.done or point.last))
    assert items(server) == ["rocky9"]
    assert contents(server, "rocky9") == new_content(package)
    assert list(update_states(server).values()) == ["DONE"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.usefixtures("soon")
def test_the_run_after_one_that_was_killed_while_the_server_completes_waits_for_it(
    package: Package, dialect: str
) -> None:
    def completion_takes(seconds: float) -> None:
        def change(store: Store) -> None:
            updates: Any = store.updates
            updates._seed = replace(updates._seed, completing_seconds=seconds)

        sim.run(change)

    with Simulator(settle=0, worlds={"completion": "at-once"}) as sim:
        point = Point("completed-unanswered", "POST:*complete*:1:hold-answer")
        process = start_publish(sim, package, point, dialect)
        completion_takes(HANG)
        die(sim, process, point, "SIGKILL")
        sim.clear_faults()
        assert sorted(update_states(sim).values()) == ["ACTIVE", "DONE"]
        seen = len(sim.exchanges)

        def is_asked_again() -> bool:
            return any("complete" in entry.path or "validate" in entry.path for entry in sim.exchanges[seen:])

        with once(is_asked_again, lambda: completion_takes(0)):
            succeeded(run_module(UPDATE_SESSION, options(sim, dialect, publish(package))), changed=True)
        assert contents(sim, "rocky9") == new_content(package)
        assert sorted(update_states(sim).values()) == ["DONE", "DONE"]


@pytest.mark.parametrize("death", SIGNALED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_publish_that_waits_for_another_users_session_can_be_ended(
    server: Simulator, package: Package, death: str, dialect: str
) -> None:
    """It is asked for as long as busy_timeout says, and each time the answer is an error that is expected."""
    reset(server, package, old_content(package))
    rival = server.run(lambda store: store.seed_update_session(store.find_item_id("templates", "rocky9"), user=VIEWER))
    point = Point("refused", "POST:*/update-session*:2:hold-answer", shielded=True)
    server.inject(point.hold)
    task = {**options(server, dialect, publish(package)), "busy_timeout": 3600}
    words = die(server, fork_module(UPDATE_SESSION, task), point, death)
    assert server.run(lambda store: {entry.id: entry.state for entry in store.updates.sessions.values()}) == {
        rival: "ACTIVE"
    }
    assert (contents(server, "rocky9"), login_count(server)) == (old_content(package), 0)
    if words:
        assert (words["error"]["type"], words["msg"].split(".")[0]) == ("CANCELED", f"The task was ended by {death}")


# -- a fetch


@pytest.fixture
def dest(tmp_path: Path, package: Package) -> Path:
    """A directory that holds an older disk already."""
    made = tmp_path / "dest"
    made.mkdir()
    (made / package.disks[0].name).write_bytes(old_content(package)[package.disks[0].name])
    return made


def start_fetch(sim: Simulator, package: Package, dest: Path, point: Point, dialect: str) -> ForkedModule:
    reset(sim, package, new_content(package))
    sim.inject(point.hold)
    return fork_module(DOWNLOAD_SESSION, options(sim, dialect, fetch(dest, point)))


def local_content(dest: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in dest.iterdir()}


def assert_whole(dest: Path, package: Package, happened: Mapping[str, set[str]]) -> None:
    """A target is not there, or the old one, or the whole new one; and nothing but a rename ever touched its name."""
    new, old = new_content(package), old_content(package)
    found = local_content(dest)
    for name in new:
        assert found.get(name) in (None, old[name], new[name]), f"{name} is not whole"
        assert happened.get(name, set()) <= {"moved in"}, f"{name} was {happened[name]}"


@pytest.mark.parametrize(("point", "death", "dialect"), cells(FETCH_POINTS, SIGNALED))
def test_a_fetch_that_is_ended_leaves_whole_files_or_none(
    server: Simulator, package: Package, dest: Path, point: Point, death: str, dialect: str
) -> None:
    before = local_content(dest)
    with watched(dest) as watch:
        words = die(server, start_fetch(server, package, dest, point, dialect), point, death)
        assert_whole(dest, package, watch.read())
    if words:
        assert_told(server, words, point, death, TAKEN_BACK, changed=local_content(dest) != before)
    assert set(local_content(dest)) <= set(new_content(package)), "a temporary file is left"
    if point.done:
        assert local_content(dest) == new_content(package)
    assert download_states(server) == []
    assert login_count(server) == 0


@pytest.mark.parametrize(("point", "death", "dialect"), cells(FETCH_POINTS, ["SIGKILL"]))
def test_the_run_after_a_killed_fetch_ends_as_if_undisturbed(
    server: Simulator, package: Package, dest: Path, point: Point, death: str, dialect: str
) -> None:
    with watched(dest) as watch:
        die(server, start_fetch(server, package, dest, point, dialect), point, death)
        assert_whole(dest, package, watch.read())
        server.clear_faults()
        task = options(server, dialect, fetch(dest, point))
        succeeded(run_module(DOWNLOAD_SESSION, task), changed=not point.done)
        assert_whole(dest, package, watch.read())
    assert local_content(dest) == new_content(package)
    assert download_states(server) == []
    succeeded(run_module(DOWNLOAD_SESSION, task), changed=False)


# -- a task's timeout, for real


def play(folder: Path, sim: Simulator, module: str, task: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run one task with a timeout by ansible-playbook."""
    name = f"vsphere.content.{module}"
    tasks = [{"name": "Work", name: {**connection_args(sim), **ROCKY9, **task}, "timeout": TIMEOUT}]
    playbook = folder / "playbook.json"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return subprocess.run(
        ["ansible-playbook", "--inventory", "localhost,", str(playbook)],
        env=check_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_publish_that_runs_into_the_timeout_of_its_task_puts_everything_back(
    server: Simulator, package: Package, tmp_path: Path
) -> None:
    reset(server, package, old_content(package))
    server.inject("PUT:*disk1.vmdk:1:hold/50")
    played = play(tmp_path, server, UPDATE_SESSION, publish(package))
    assert server.wait_until_held(0), played.stdout + played.stderr
    assert played.returncode == 2
    assert f"{TIMEOUT} second" in played.stdout
    assert eventually(lambda: not sorted(update_states(server).values()) and not login_count(server))
    server.release()
    assert eventually(lambda: not server.in_flight)
    assert (contents(server, "rocky9"), sorted(update_states(server).values())) == (old_content(package), [])


@pytest.mark.rest
def test_a_fetch_that_runs_into_the_timeout_of_its_task_leaves_nothing(
    server: Simulator, package: Package, dest: Path, tmp_path: Path
) -> None:
    reset(server, package, new_content(package))
    server.inject("GET:/cls/data/*disk1.vmdk:1:hold/50")
    with watched(dest) as watch:
        played = play(tmp_path, server, DOWNLOAD_SESSION, {"dest": str(dest)})
        assert server.wait_until_held(0), played.stdout + played.stderr
        assert played.returncode == 2
        assert f"{TIMEOUT} second" in played.stdout
        assert eventually(lambda: not download_states(server) and not login_count(server))
        assert eventually(lambda: set(local_content(dest)) <= set(new_content(package)))
        assert_whole(dest, package, watch.read())
    server.release()
