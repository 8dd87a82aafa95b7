# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that meet: who comes second waits or gets RESOURCE_BUSY, and nobody loses or mixes up what another one brings.

The server holds the one that came first at a chosen request while the second one runs, so that they always meet there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._download.destination import Folder
from ansible_collections.vsphere.content.plugins.module_utils._download.fetch import require_placed
from ansible_collections.vsphere.content.plugins.module_utils._download.partial import Partial
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import FileChanged
from tests.faults.kills import SECONDS, watched
from tests.harness.held import contents, update_states
from tests.harness.modules import ModuleResult, connection_args, finish_module
from tests.harness.nursery import ForkedModule, fork_module
from tests.harness.packages import make_iso
from tests.harness.tasks import (
    DIALECTS,
    DOWNLOAD_SESSION,
    LIBRARY_ITEM,
    TOOLS,
    UPDATE_SESSION,
    Run,
    Tasks,
    action_of,
    changes_something,
)
from tests.harness.waiting import eventually
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tests.simulator.seed import ADMINISTRATOR, VIEWER, UserSeed

FILES = ("a.iso", "b.iso")
SIZE = 30_000
CROWD = 6
CREATION = re.compile(r"/update-session(\?client_token|$)")

# Where the first one stands still, between files as well as within one.
MEETINGS = {
    "before-its-first-file": "POST:*session/*file*:1:hold",
    "in-its-first-file": "PUT:*a.iso:1:hold/50",
    "between-its-files": "POST:*session/*file*:2:hold",
    "in-its-last-file": "PUT:*b.iso:1:hold/50",
    "before-completing": "POST:*validate*:1:hold",
}


def make_content(folder: Path, seed: str, names: Sequence[str] = FILES) -> list[Path]:
    folder.mkdir()
    return [make_iso(folder / name, SIZE, seed + name) for name in names]


@pytest.fixture
def ours(tmp_path: Path) -> list[Path]:
    return make_content(tmp_path / "one", "one")


@pytest.fixture
def other(tmp_path: Path) -> list[Path]:
    """Other content: one of its files has the name of one of the others, the second has not."""
    return make_content(tmp_path / "other", "other", ("a.iso", "c.iso"))


def publishing(files: Sequence[Path], **more: Any) -> dict[str, Any]:
    """One file after the other, and nothing else stays in the item."""
    sources = [{"src": str(path)} for path in files]
    return {**TOOLS, "state": "done", "files": sources, "purge_files": True, "parallel_transfers": 1, **more}


def start(tasks: Tasks, module: str, options: Mapping[str, Any]) -> ForkedModule:
    return fork_module(module, {**connection_args(tasks.sim), "api_dialect": tasks.dialect, **options})


def start_held(tasks: Tasks, hold: str, options: Mapping[str, Any], module: str = UPDATE_SESSION) -> ForkedModule:
    """A task that stands still at a request."""
    tasks.sim.inject(hold)
    process = start(tasks, module, options)
    assert tasks.sim.wait_until_held(SECONDS)
    return process


def finish(tasks: Tasks, process: ForkedModule) -> ModuleResult:
    tasks.sim.release()
    return finish_module(process, SECONDS)


def content_of(files: Sequence[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files}


def assert_refused(run: Run) -> None:
    assert run.error["type"] == "RESOURCE_BUSY", run.msg
    assert "busy_timeout" in run.msg
    # The first one goes on keeping its session alive.
    changing = [entry for entry in run.exchanges if changes_something(entry) and action_of(entry) != "keep-alive"]
    assert (run.changed, changing) == (False, [])


# -- two publish to one item


# Before completing, a second one with the same content can only do the same: see the test that both complete.
REFUSED = [(name, content) for name in MEETINGS for content in ("same", "other")]
REFUSED.remove(("before-completing", "same"))


@pytest.mark.parametrize(("meeting", "content"), REFUSED)
def test_who_finds_somebody_at_work_gets_resource_busy_and_disturbs_nothing(
    server: Simulator, ours: list[Path], other: list[Path], meeting: str, content: str
) -> None:
    """All that shows that the first one is at work are its signs of life: nothing of it moves."""
    server.reset()
    tasks = Tasks(server, DIALECTS[(list(MEETINGS).index(meeting) + (content == "same")) % 2])
    first = start_held(tasks, MEETINGS[meeting], publishing(ours))
    (session,) = update_states(server)
    second = tasks.run(**publishing(ours if content == "same" else other))
    assert_refused(second)
    assert second.error["session_id"] == session
    assert update_states(server) == {session: "ACTIVE"}
    outcome = finish(tasks, first)
    assert outcome.rc == 0, outcome.result["msg"]
    assert outcome.result["session"]["id"] == session
    assert contents(server) == content_of(ours)
    assert update_states(server) == {session: "DONE"}


def test_both_may_complete_what_both_want(tasks: Tasks, ours: list[Path]) -> None:
    first = start_held(tasks, "POST:*complete*:1:hold", publishing(ours))
    (session,) = update_states(tasks.sim)
    second = tasks.run(**publishing(ours))
    assert not second.failed, second.msg
    outcome = finish(tasks, first)
    assert outcome.rc == 0, outcome.result["msg"]
    assert {second.result["session"]["id"], outcome.result["session"]["id"]} == {session}
    assert second.uploaded == []
    assert contents(tasks.sim) == content_of(ours)
    assert update_states(tasks.sim) == {session: "DONE"}


@pytest.mark.parametrize("content", ["same", "other"])
def test_who_waits_goes_on_when_the_first_one_is_done(
    tasks: Tasks, ours: list[Path], other: list[Path], content: str
) -> None:
    wanted = ours if content == "same" else other
    first = start_held(tasks, MEETINGS["in-its-first-file"], publishing(ours))
    second = start(tasks, UPDATE_SESSION, publishing(wanted, busy_timeout=60))
    (session,) = update_states(tasks.sim)
    reads = len([entry for entry in tasks.sim.exchanges if session in entry.path])
    assert eventually(lambda: len([entry for entry in tasks.sim.exchanges if session in entry.path]) > reads + 2)
    outcome, waited = finish(tasks, first), finish_module(second, SECONDS)
    assert (outcome.rc, waited.rc) == (0, 0), (outcome.result, waited.result)
    assert waited.result["changed"] == (content == "other")
    assert contents(tasks.sim) == content_of(wanted)
    assert set(update_states(tasks.sim).values()) == {"DONE"}


def test_what_was_published_before_the_own_session_began_is_seen(
    tasks: Tasks, ours: list[Path], other: list[Path]
) -> None:
    """The second one looked at the item before the first one published: its plan is of yesterday."""
    late = start_held(tasks, "POST:*/update-session*:1:hold", publishing(other))
    first = tasks.run(**publishing(ours))
    assert not first.failed, first.msg
    outcome = finish(tasks, late)
    assert outcome.rc == 0, outcome.result["msg"]
    assert contents(tasks.sim) == content_of(other)
    assert set(update_states(tasks.sim).values()) == {"DONE"}


def test_who_waited_while_others_published_the_same_changes_nothing(tasks: Tasks, ours: list[Path]) -> None:
    def seed(store: Any) -> str:
        return str(store.seed_update_session(store.find_item_id("templates", "tools"), user=VIEWER))

    def publish(store: Any) -> None:
        store.seed_item_files(store.find_item_id("templates", "tools"), content_of(ours))
        store.updates.cancel(theirs)

    theirs = tasks.sim.run(seed)
    waiting = start(tasks, UPDATE_SESSION, publishing(ours, busy_timeout=60))
    assert eventually(lambda: any(CREATION.search(entry.path) for entry in tasks.sim.exchanges))
    tasks.sim.run(publish)
    outcome = finish_module(waiting, SECONDS)
    assert outcome.rc == 0, outcome.result["msg"]
    assert (outcome.result["changed"], outcome.result["item_changed"]) == (False, False)
    assert update_states(tasks.sim) == {theirs: "CANCELED"}


def test_a_session_that_is_lost_to_another_task_is_not_canceled(
    tasks: Tasks, ours: list[Path], other: list[Path]
) -> None:
    """Whoever stood still for so long that nobody could see it at work has lost, and ends what it began alone."""
    first = start_held(tasks, "POST:*/update-session*:1:hold-answer", publishing(ours))
    second = tasks.run(**publishing(other))
    assert not second.failed, second.msg
    outcome = finish(tasks, first)
    assert outcome.result["error"]["type"] == "RESOURCE_BUSY", outcome.result["msg"]
    assert contents(tasks.sim) == content_of(other)
    assert set(update_states(tasks.sim).values()) == {"DONE"}


@pytest.mark.parametrize("added_again", [True, False])
def test_a_file_that_another_task_replaces_under_way_is_no_riddle(
    tasks: Tasks, ours: list[Path], added_again: bool
) -> None:
    """The endpoint that the first one was given has gone with the file that it was for."""

    def replace(store: Any) -> None:
        store.updates.remove_file(session, "a.iso")
        if added_again:
            store.updates.add_file(
                UserSeed(ADMINISTRATOR), session, {"name": "a.iso", "source_type": "PUSH", "size": SIZE}
            )

    first = start_held(tasks, "PUT:*a.iso:1:hold", publishing(ours))
    (session,) = update_states(tasks.sim)
    tasks.sim.run(replace)
    outcome = finish(tasks, first)
    assert outcome.result["error"]["type"] == "RESOURCE_BUSY", outcome.result["msg"]
    assert "another task has replaced a.iso" in outcome.result["msg"]
    assert update_states(tasks.sim) == {}


@pytest.mark.parametrize(
    ("sent", "busy_timeout", "left"),
    [
        ("same", 0, False),
        ("same", 120, False),
        ("different", 0, False),
        ("different", 120, False),
        ("different", 0, True),
    ],
    ids=["same", "same-waiting", "different", "different-waiting", "different-after-a-killed-run"],
)
def test_a_crowd_publishes_to_one_item(
    server: Simulator, tmp_path: Path, sent: str, busy_timeout: int, left: bool
) -> None:
    server.reset()
    if left:
        server.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), files={"x": b"x"}))
    wanted = [
        make_content(tmp_path / str(number), "one" if sent == "same" else str(number), ("a.iso", f"{number}.iso"))
        if sent == "different"
        else make_content(tmp_path / str(number), "one")
        for number in range(CROWD)
    ]
    crowd = [
        start(Tasks(server, DIALECTS[number % 2]), UPDATE_SESSION, publishing(files, busy_timeout=busy_timeout))
        for number, files in enumerate(wanted)
    ]
    outcomes = [finish_module(process, 4 * SECONDS) for process in crowd]
    refused = [outcome.result for outcome in outcomes if outcome.rc]
    assert {result["error"]["type"] for result in refused} <= {"RESOURCE_BUSY"}, refused
    assert len(refused) < CROWD
    assert not (busy_timeout and refused), refused
    winners = [content_of(files) for files, outcome in zip(wanted, outcomes) if outcome.rc == 0]
    assert contents(server) in winners
    assert set(update_states(server).values()) == {"DONE"}
    assert server.run(lambda store: store.logins.count) == 0


GOING = {
    "before-it-is-looked-into": "*:*session/*file*:1:hold",
    "after-it-is-taken-over": "POST:*session/*file*:2:hold",
}


@pytest.mark.parametrize("hold", GOING.values(), ids=GOING)
@pytest.mark.parametrize("busy_timeout", [0, 60])
def test_a_session_that_goes_although_it_was_found_is_none(
    tasks: Tasks, ours: list[Path], busy_timeout: int, hold: str
) -> None:
    theirs = tasks.sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools")))
    second = start_held(tasks, hold, publishing(ours, busy_timeout=busy_timeout))
    tasks.sim.run(lambda store: store.updates.cancel(theirs))
    tasks.sim.run(lambda store: store.updates.delete(theirs))
    outcome = finish(tasks, second)
    assert outcome.rc == 0, outcome.result["msg"]
    assert contents(tasks.sim) == content_of(ours)
    assert (theirs in update_states(tasks.sim), set(update_states(tasks.sim).values())) == (False, {"DONE"})


# -- two make one item


def test_an_item_that_somebody_else_makes_meanwhile_is_there(tasks: Tasks) -> None:
    options: dict[str, Any] = {"library": "templates", "name": "fresh", "type": "iso"}
    late = start_held(tasks, "POST:*/library/item*:2:hold", options, module=LIBRARY_ITEM)
    first = tasks.run(LIBRARY_ITEM, **options)
    assert first.changed
    outcome = finish(tasks, late)
    assert outcome.rc == 0, outcome.result["msg"]
    assert outcome.result["changed"] is False
    assert outcome.result["diff"]["before"] == outcome.result["diff"]["after"]
    assert outcome.result["library_item"]["id"] == first.result["library_item"]["id"]


# -- two fetch to one directory


@pytest.fixture
def filled(server: Simulator, ours: list[Path]) -> dict[str, bytes]:
    content = content_of(ours)
    server.reset(Seed(libraries=(LibrarySeed("templates", (ItemSeed("tools", "iso", content),)),)))
    return content


FETCH_MEETINGS = {
    "its-session-made": "GET:*/download-session/*:1:hold",
    "in-its-first-file": "GET:/cls/data/*a.iso:1:hold/50",
    "in-its-last-file": "GET:/cls/data/*b.iso:1:hold/99",
    "before-deleting-its-session": "DELETE:*/download-session/*:1:hold",
}


@pytest.mark.parametrize("hold", FETCH_MEETINGS.values(), ids=FETCH_MEETINGS)
def test_two_fetch_to_one_directory_and_neither_disturbs_the_other(
    server: Simulator, filled: dict[str, bytes], dest: Path, hold: str
) -> None:
    tasks = Tasks(server, DIALECTS[list(FETCH_MEETINGS.values()).index(hold) % 2])
    options = {**TOOLS, "dest": str(dest), "parallel_transfers": 1}
    with watched(dest) as watch:
        first = start_held(tasks, hold, options, module=DOWNLOAD_SESSION)
        (session,) = server.run(lambda store: list(store.downloads.sessions))
        second = tasks.run(DOWNLOAD_SESSION, **options)
        assert not second.failed, second.msg
        assert server.run(lambda store: list(store.downloads.sessions)) == [session]
        outcome = finish(tasks, first)
        assert outcome.rc == 0, outcome.result["msg"]
        happened = watch.read()
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == filled
    assert {event for name in filled for event in happened.get(name, set())} == {"moved in"}
    assert server.run(lambda store: len(store.downloads.sessions)) == 0


def test_a_crowd_fetches_to_one_directory(server: Simulator, filled: dict[str, bytes], dest: Path) -> None:
    options = {**TOOLS, "dest": str(dest)}
    with watched(dest) as watch:
        crowd = [start(Tasks(server, DIALECTS[number % 2]), DOWNLOAD_SESSION, options) for number in range(CROWD)]
        outcomes = [finish_module(process, 4 * SECONDS) for process in crowd]
        happened = watch.read()
    assert [outcome.result.get("msg") for outcome in outcomes] == [None] * CROWD
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == filled
    assert {event for name in filled for event in happened[name]} == {"moved in"}
    assert server.run(lambda store: (len(store.downloads.sessions), store.logins.count)) == (0, 0)


class Crowded(Folder):
    """A directory to which other tasks fetch the same file: each puts its copy there while ours looks at the last."""

    def __init__(self, path: Path, copies: list[bytes]) -> None:
        super().__init__(str(path))
        self._copies = copies

    @contextmanager
    def opened(self, name: str, doing: str) -> Iterator[int]:
        with super().opened(name, doing) as descriptor:
            yield descriptor
            if self._copies:
                put(Partial(self, name), self._copies.pop())


def put(partial: Partial, content: bytes) -> Partial:
    partial.open()
    partial.write(content)
    partial.replace_target()
    return partial


@pytest.mark.parametrize(("last", "is_twin"), [(b"what all fetch", True), (b"what they do not", False)])
def test_a_copy_that_comes_while_another_one_is_looked_at_is_no_failure(
    tmp_path: Path, last: bytes, is_twin: bool
) -> None:
    content = b"what all fetch"
    folder = Crowded(tmp_path, [last, content, content])
    ours = put(Partial(folder, "a.iso"), content)
    put(Partial(folder, "a.iso"), content)
    with nullcontext() if is_twin else pytest.raises(FileChanged):
        require_placed(ours, len(content))
    assert (tmp_path / "a.iso").read_bytes() == last


def test_a_fetch_beside_a_publish_gets_one_content_whole(
    server: Simulator, filled: dict[str, bytes], dest: Path, tmp_path: Path
) -> None:
    """The item changes while a file of it is on its way: what comes is what the session was made for."""
    tasks = Tasks(server, "api")
    options = {**TOOLS, "dest": str(dest), "parallel_transfers": 1}
    newer = make_content(tmp_path / "newer", "newer")
    fetching = start_held(tasks, "GET:/cls/data/*a.iso:1:hold/50", options, module=DOWNLOAD_SESSION)
    published = tasks.run(**publishing(newer))
    assert not published.failed, published.msg
    outcome = finish(tasks, fetching)
    assert outcome.rc == 0, outcome.result["msg"]
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == filled
