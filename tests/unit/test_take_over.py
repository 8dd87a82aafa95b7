# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a killed run left is taken over and finished; what somebody is at work in is left alone, or waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._session.finding import await_idle
from ansible_collections.vsphere.content.plugins.module_utils._session.opening import claim
from ansible_collections.vsphere.content.plugins.module_utils._session.waiting import patience_from
from ansible_collections.vsphere.content.plugins.module_utils._task.converge import Task, converge
from ansible_collections.vsphere.content.plugins.module_utils._update.update_resource import UpdateSessionResource
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api, UpdateSessions
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import ContentError, ResourceBusy
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import UpdateSession
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing
from ansible_collections.vsphere.content.plugins.modules.content_library_update_session import (
    argument_spec,
    read_declared,
)
from tests.harness.clocks import NapClock
from tests.harness.held import contents, update_states
from tests.harness.modules import connect, paced
from tests.harness.packages import ACCEPTED, Package, make_iso, make_package
from tests.harness.tasks import ROCKY9, TOOLS, Run, Tasks, changes_something
from tests.harness.waiting import HANG, in_time, once
from tests.simulator import Seed, Simulator
from tests.simulator.blobs import blob_of
from tests.simulator.seed import VIEWER

FILE = "tools.iso"
TIMING = Timing()


@dataclass
class Scene:
    """An ACTIVE session that a task finds, and the server's side of it."""

    sim: Simulator
    api: Api
    item: str

    def seed(self, **content: Any) -> str:
        return self.sim.run(lambda store: store.seed_update_session(self.item, **content))

    def take_over(self, session_id: str, clock: NapClock, busy_timeout: float = 0, changes: bool = True) -> Any:
        session = self.api.updates.get(session_id)
        self.sim.clear_exchanges()
        patience = patience_from(clock.clock, busy_timeout)
        return await_idle(self.api.updates, session, changes=changes, patience=patience, clock=clock.clock)[:2]

    def move(self, session_id: str, name: str = FILE, count: int = 10) -> None:
        self.sim.run(lambda store: store.move_transfer(session_id, name, count))

    def extend(self, session_id: str) -> None:
        """Somebody else's sign of life; a moment later than the last one, as time stands still between them."""

        def touch(store: Any) -> None:
            store.updates.session(session_id).expires += 1

        self.sim.run(touch)

    def finish(self, session_id: str, name: str, content: bytes = b"content") -> None:
        """Somebody else's upload of one file arrives whole."""

        def receive(store: Any) -> None:
            session = store.updates.session(session_id)
            store.updates.received(session, session.files[name], blob_of(content), None)

        self.sim.run(receive)


@pytest.fixture
def looking() -> Iterator[None]:
    with paced(watch_idle=TIMING.watch_idle):
        yield


@pytest.fixture
def connection(tasks: Tasks) -> Iterator[Connection]:
    opened = connect(tasks.sim, tasks.dialect)
    opened.login()
    yield opened
    opened.logout()


@pytest.fixture
def scene(tasks: Tasks, connection: Connection) -> Scene:
    return Scene(tasks.sim, Api(connection), tasks.sim.run(lambda store: store.find_item_id("templates", "tools")))


@contextlib.contextmanager
def beside(work: Callable[[], Any], every: float) -> Iterator[None]:
    """Have something done again and again by somebody else."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.wait(every):
            work()

    worker = threading.Thread(target=repeat)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


# -- what counts as somebody at work


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"files": {FILE: b"whole"}},
        {"files": {FILE: None}},
        {"files": {"other.iso": b"whole", FILE: None}, "client_progress": 60},
    ],
    ids=["empty", "ready", "waiting", "ready-and-waiting"],
)
def test_a_session_in_which_nothing_is_transferred_is_completed_at_once(scene: Scene, content: dict[str, Any]) -> None:
    clock = NapClock()
    session_id = scene.seed(**content)
    session, files = scene.take_over(session_id, clock, changes=False)
    assert session.id == session_id
    assert {file.name for file in files} == set(content.get("files", {}))
    assert clock.seconds == 0
    assert len(scene.sim.exchanges) == 1


@pytest.mark.usefixtures("looking")
def test_before_anything_else_is_changed_in_it_the_session_is_looked_at_for_a_while(scene: Scene) -> None:
    clock = NapClock()
    session_id = scene.seed(files={FILE: b"whole"})
    session, files = scene.take_over(session_id, clock)
    assert (session.id, [file.name for file in files], clock.seconds) == (session_id, [FILE], TIMING.watch_idle)
    assert not any(changes_something(exchange) for exchange in scene.sim.exchanges)


@pytest.mark.usefixtures("looking")
def test_somebody_between_two_files_is_seen_at_work(scene: Scene) -> None:
    """Nothing is transferred, but its session is kept alive."""
    session_id = scene.seed(files={FILE: b"whole"})
    clock = NapClock(lambda seconds: scene.extend(session_id) if seconds == 3 else None)
    with pytest.raises(ResourceBusy):
        scene.take_over(session_id, clock)
    assert 3 <= clock.seconds < 3.1, "then the task looks once whether reading extends the session"


def test_a_task_at_work_shows_it_more_often_than_others_look_on() -> None:
    assert 2 * TIMING.sign_of_life < TIMING.watch_idle < TIMING.watch_transfer


# -- who has a session that several find


def test_of_several_that_take_a_session_over_the_last_one_has_it(scene: Scene) -> None:
    session_id = scene.seed(files={FILE: b"whole"})
    found = scene.api.updates.get(session_id)
    late: list[bool] = []

    def another(_seconds: float) -> None:
        if not late:
            late.append(claim(scene.api.updates, scene.api.updates.get(session_id), NapClock().clock))

    assert claim(scene.api.updates, found, NapClock(another).clock) is False
    assert late == [True]


@pytest.mark.parametrize("end", ["extended", "CANCELED"])
def test_a_session_that_somebody_has_touched_meanwhile_is_not_claimed(scene: Scene, end: str) -> None:
    session_id = scene.seed()
    found = scene.api.updates.get(session_id)
    if end == "extended":
        scene.extend(session_id)
    else:
        scene.sim.run(lambda store: store.updates.cancel(session_id))
    scene.sim.clear_exchanges()
    assert claim(scene.api.updates, found, NapClock().clock) is False
    assert not any(changes_something(exchange) for exchange in scene.sim.exchanges)


def test_a_file_that_failed_is_not_under_transfer(scene: Scene) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    def fail(store: Any) -> None:
        session = store.updates.session(session_id)
        store.updates.transfer_failed(session, session.files[FILE], {"id": "x", "default_message": "x", "args": []})

    scene.sim.run(fail)
    clock = NapClock()
    session, files = scene.take_over(session_id, clock)
    assert (session.id, files[0].status, clock.seconds) == (session_id, "ERROR", 0)


def test_a_transfer_that_does_not_move_is_watched_and_then_taken_over(scene: Scene) -> None:
    clock = NapClock()
    session_id = scene.seed(transferring={FILE: 300})
    session, files = scene.take_over(session_id, clock)
    assert session.id == session_id
    assert [(file.name, file.bytes_transferred) for file in files] == [(FILE, 300)]
    assert clock.seconds == TIMING.watch_transfer == 10
    assert not any(changes_something(exchange) for exchange in scene.sim.exchanges)


@pytest.mark.parametrize("sign", ["bytes_transferred", "client_progress", "expiration_time"])
def test_a_transfer_that_moves_is_somebody_at_work(scene: Scene, sign: str) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    def stir(store: Any) -> None:
        session = store.updates.session(session_id)
        if sign == "bytes_transferred":
            session.files[FILE].bytes_transferred += 1
        elif sign == "client_progress":
            session.client_progress += 1
        else:
            session.expires += 5

    clock = NapClock(lambda seconds: scene.sim.run(stir) if seconds == 4 else None)
    with pytest.raises(ResourceBusy) as raised:
        scene.take_over(session_id, clock)
    assert 4 <= clock.seconds < 4.1
    assert raised.value.session_id == session_id
    assert "another task is at work" in str(raised.value)
    assert "busy_timeout" in raised.value.explain()
    assert not any(changes_something(exchange) for exchange in scene.sim.exchanges)


def test_somebody_at_work_is_waited_for_up_to_busy_timeout(scene: Scene) -> None:
    session_id = scene.seed(transferring={FILE: 300})
    clock = NapClock(lambda _seconds: scene.move(session_id))
    with pytest.raises(ResourceBusy):
        scene.take_over(session_id, clock, busy_timeout=25)
    assert 25 <= clock.seconds <= 25 + TIMING.watch_pause


@pytest.mark.parametrize("end", ["DONE", "CANCELED", "ERROR", "deleted"])
def test_a_session_that_ends_while_it_is_watched_is_no_session_any_more(scene: Scene, end: str) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    def act(seconds: float) -> None:
        def finish(store: Any) -> None:
            if end == "deleted":
                del store.updates.sessions[session_id]
            else:
                store.updates.session(session_id).state = end

        if seconds == 3:
            scene.move(session_id)
        elif seconds == 5:
            scene.sim.run(finish)

    assert scene.take_over(session_id, NapClock(act), busy_timeout=60) == (None, [])


def test_somebody_who_stops_is_taken_over_after_another_watch(scene: Scene) -> None:
    session_id = scene.seed(transferring={FILE: 300})
    clock = NapClock(lambda seconds: scene.move(session_id) if seconds <= 7 else None)
    session, files = scene.take_over(session_id, clock, busy_timeout=60)
    assert session.id == session_id
    assert files[0].bytes_transferred == 370
    assert clock.seconds == 7 + TIMING.watch_transfer


def test_the_pause_between_two_files_of_somebody_at_work_is_no_invitation(scene: Scene) -> None:
    """One disk has arrived, the next has not been announced: the task that sends them is still there."""
    session_id = scene.seed(transferring={"disk1.vmdk": 300})
    seen_quiet: list[float] = []

    def act(seconds: float) -> None:
        def announce(store: Any) -> None:
            source = store.updates.session(session_id)
            store.updates.add_file(store.users[scene.sim.username], source.id, {"name": "d2", "source_type": "PUSH"})

        if seconds < 4:
            scene.move(session_id, "disk1.vmdk")
        elif seconds == 4:
            scene.finish(session_id, "disk1.vmdk")
            seen_quiet.append(seconds)
        elif seconds == 8:
            scene.sim.run(announce)
        elif seconds > 8:
            scene.move(session_id, "d2")

    with pytest.raises(ResourceBusy):
        scene.take_over(session_id, NapClock(act), busy_timeout=20)
    assert seen_quiet == [4]


# -- sessions that come and go


@pytest.mark.parametrize("with_files", [False, True])
def test_a_session_that_is_listed_and_has_no_files_ends_the_task(tasks: Tasks, image: Path, with_files: bool) -> None:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    session_id = tasks.sim.run(lambda store: store.seed_update_session(item, files={FILE: b"whole"}))
    tasks.sim.inject("*:*session/*file*:*:404")
    files: dict[str, Any] = {"files": [{"src": str(image)}]} if with_files else {}
    run = tasks.run(**TOOLS, state="done", **files)
    assert (run.error["type"], run.error["session_id"]) == ("INVALID_RESPONSE", session_id)
    assert (run.changed, run.mutations) == (False, [])
    assert len(run.exchanges) < 20
    assert update_states(tasks.sim) == {session_id: "ACTIVE"}


@pytest.mark.usefixtures("looking")
@pytest.mark.parametrize("purge_files", [None, True])
def test_what_another_run_has_left_in_the_session_is_told_or_removed(
    tasks: Tasks, scene: Scene, image: Path, purge_files: bool | None
) -> None:
    scene.seed(files={"left.iso": b"left"})
    purge: dict[str, Any] = {} if purge_files is None else {"purge_files": purge_files}
    run = tasks.run(**TOOLS, state="done", files=[{"src": str(image)}], **purge)
    assert run.changed, run.msg
    told = [text for text in run.outcome.warnings if "left.iso" in text and "purge_files: true" in text]
    assert len(told) == (not purge_files), run.outcome.warnings
    assert set(contents(tasks.sim)) == {FILE} | ({"left.iso"} if not purge_files else set())


@pytest.mark.parametrize("busy_timeout", [0, pytest.param(60, marks=pytest.mark.rest)])
def test_sessions_that_end_while_they_are_watched_are_not_watched_for_ever(
    timed: Timed, scene: Scene, image: Path, busy_timeout: int
) -> None:
    """A hundred hosts publish to one item: whenever the task looks, it is another one's turn."""
    scene.seed(transferring={FILE: 300})

    def take_turns(_seconds: float) -> None:
        scene.sim.run(lambda store: store.updates.cancel(store.active_update_sessions()[0]))
        scene.seed(transferring={FILE: 300})

    clock = NapClock(take_turns)
    with pytest.raises(ResourceBusy) as raised:
        timed.run(clock, **TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=busy_timeout)
    assert "busy_timeout" in raised.value.explain()
    assert raised.value.operation == "update_session.take_over"
    assert busy_timeout <= clock.seconds <= busy_timeout + 2 * TIMING.watch_pause
    assert (timed.uploaded, timed.created) == ([], 0)


class Meddled(UpdateSessions):
    """Somebody else acts just before this task makes a session, and just after it has deleted one."""

    def __init__(self, updates: UpdateSessions, meddle: Callable[[str], None]) -> None:
        super().__init__(updates._caller)
        self.tokens: list[str] = []
        self._meddle = meddle

    def create(self, session: UpdateSession, client_token: str) -> str:
        self._meddle("create")
        self.tokens.append(client_token)
        return super().create(session, client_token)

    def delete(self, session_id: str) -> None:
        super().delete(session_id)
        self._meddle("delete")


@pytest.mark.parametrize("fault", ["", "POST:*complete*:1:400", "POST:*update-session?*:2:400"])
def test_a_session_that_was_given_up_has_no_say_any_more(timed: Timed, scene: Scene, image: Path, fault: str) -> None:
    """Somebody publishes the same before the task can, and then something else: it starts again, in a new session."""
    others = iter([image.read_bytes(), b"other content"])

    def publish(event: str) -> None:
        content = next(others, None)
        if content:
            scene.sim.run(lambda store: store.seed_item_files(scene.item, {FILE: content}))

    api = Api(timed.connection)
    api.updates = updates = Meddled(api.updates, publish)
    options = {**TOOLS, "state": "done", "files": [{"src": str(image)}]}
    if fault:
        timed.tasks.sim.inject(fault if timed.tasks.dialect == "api" else fault.replace("session?*", "session"))
        with pytest.raises(ContentError) as raised:
            timed.run(NapClock(), api, **options)
        error = raised.value
        assert error.error_type == "INVALID_ARGUMENT"
        assert error.result == {**error.result, "changed": False, "item_changed": False}
        assert [note.split(", ")[1] for note in error.notes] == (
            ["which this task created"] if "complete" in fault else []
        )
        assert update_states(timed.tasks.sim) == {}
    else:
        outcome = timed.run(NapClock(), api, **options)
        assert (outcome["changed"], outcome["item_changed"]) == (True, True)
        assert contents(timed.tasks.sim) == {FILE: image.read_bytes()}
    assert len(set(updates.tokens)) == 2, "a server may remember of a token which session it was for"


# -- what is done with what is taken over


@dataclass
class Timed:
    """Runs the module's work with a clock of the test's, through its own argument spec's defaults."""

    tasks: Tasks
    connection: Connection

    def run(self, clock: NapClock, api: Api | None = None, **options: Any) -> dict[str, Any]:
        names = ("library", "library_id", "library_item", "library_item_id")
        params = {name: spec.get("default") for name, spec in argument_spec().items()}
        params.update(dict.fromkeys(names), **options)
        params["files"] = [
            {**{name: spec.get("default") for name, spec in argument_spec()["files"]["options"].items()}, **entry}
            for entry in options["files"]
        ]
        task = Task(
            connection=self.connection, clock=clock.clock, warn=lambda _text: None, shield=contextlib.nullcontext
        )
        self.tasks.sim.clear_exchanges()
        resource = UpdateSessionResource(
            api or Api(self.connection), read_declared(params), params, task, check_mode=False
        )
        try:
            return converge(resource, check_mode=False, diff_mode=True)
        except ContentError as error:
            task.undo_all(error)
            raise

    @property
    def uploaded(self) -> list[str]:
        return [entry.path.rsplit("/", 1)[-1] for entry in self.tasks.sim.exchanges if entry.method == "PUT"]

    @property
    def created(self) -> int:
        paths = [entry.path for entry in self.tasks.sim.exchanges if entry.method == "POST"]
        return sum("action" not in path and path.partition("?")[0].endswith("update-session") for path in paths)


@pytest.fixture
def timed(tasks: Tasks, connection: Connection) -> Timed:
    return Timed(tasks, connection)


def test_an_unfinished_file_is_sent_again_after_the_watch(timed: Timed, scene: Scene, image: Path) -> None:
    session_id = scene.seed(transferring={FILE: 300})
    clock = NapClock()
    outcome = timed.run(clock, **TOOLS, state="done", files=[{"src": str(image)}])
    assert outcome["changed"] is True
    assert (outcome["session"]["id"], outcome["session"]["state"]) == (session_id, "DONE")
    assert (timed.uploaded, timed.created) == ([FILE], 0)
    assert clock.seconds >= TIMING.watch_transfer
    assert contents(timed.tasks.sim) == {FILE: image.read_bytes()}


def test_a_ready_file_fits_by_its_checksum_and_is_not_sent_again(timed: Timed, scene: Scene, image: Path) -> None:
    second = make_iso(image.parent / "second.iso", 7000)
    session_id = scene.seed(files={FILE: image.read_bytes()}, transferring={"second.iso": 300})
    outcome = timed.run(NapClock(), **TOOLS, state="done", files=[{"src": str(image)}, {"src": str(second)}])
    assert outcome["session"]["id"] == session_id
    assert timed.uploaded == ["second.iso"]
    assert contents(timed.tasks.sim) == {FILE: image.read_bytes(), "second.iso": second.read_bytes()}


@pytest.mark.parametrize("flaw", ["other-content", "other-size", "no-checksum"])
def test_a_ready_file_that_is_not_proven_equal_is_sent_again(tasks: Tasks, image: Path, flaw: str) -> None:
    if flaw == "no-checksum":
        tasks.sim.reset(Seed(checksum_algorithm="none"))
    held = {
        "other-content": b"x" * image.stat().st_size,
        "other-size": b"short",
        "no-checksum": image.read_bytes(),
    }[flaw]
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    session_id = tasks.sim.run(lambda store: store.seed_update_session(item, files={FILE: held}))
    run = tasks.run(**TOOLS, state="done", files=[{"src": str(image)}])
    assert (run.session or {}).get("id") == session_id
    assert run.uploaded == [FILE]
    assert contents(tasks.sim) == {FILE: image.read_bytes()}


def test_somebody_who_completes_the_same_content_leaves_nothing_to_do(timed: Timed, scene: Scene, image: Path) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    def act(seconds: float) -> None:
        if seconds == 2:
            scene.finish(session_id, FILE, image.read_bytes())
        elif seconds == 3:
            scene.sim.run(lambda store: store.updates.complete(session_id))

    outcome = timed.run(NapClock(act), **TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=60)
    assert outcome["changed"] is False
    assert (timed.uploaded, timed.created) == ([], 0)
    assert contents(timed.tasks.sim) == {FILE: image.read_bytes()}


def test_somebody_who_gives_up_leaves_the_item_to_a_new_session(timed: Timed, scene: Scene, image: Path) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    def act(seconds: float) -> None:
        if seconds == 2:
            scene.move(session_id)
        elif seconds == 3:
            scene.sim.run(lambda store: store.updates.cancel(session_id))

    outcome = timed.run(NapClock(act), **TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=60)
    assert outcome["changed"] is True
    assert outcome["session"]["id"] != session_id
    assert (timed.uploaded, timed.created) == ([FILE], 1)
    assert update_states(timed.tasks.sim)[session_id] == "CANCELED"


# -- where reading extends a session


def later(_seconds: float) -> None:
    """The server's time has passed as well, by more than its smallest step."""
    time.sleep(0.002)


EXTENDS = pytest.mark.seed(Seed(reading_extends=True))


@EXTENDS
def test_of_two_tasks_that_watch_the_same_abandoned_session_each_comes_to_its_end(
    timed: Timed, scene: Scene, image: Path
) -> None:
    session_id = scene.seed(transferring={FILE: 300})
    options = {**TOOLS, "state": "done", "files": [{"src": str(image)}]}
    outcomes: list[Any] = []

    def another(seconds: float) -> None:
        later(seconds)
        if seconds > 5 and not outcomes:
            outcomes.append({})
            outcomes[0] = timed.run(NapClock(later), **options)

    outcomes.append(timed.run(NapClock(another), **options))
    assert [outcome["changed"] for outcome in outcomes] == [True, False]
    assert timed.created == 1
    assert session_id not in update_states(timed.tasks.sim)
    assert contents(timed.tasks.sim) == {FILE: image.read_bytes()}


@EXTENDS
@pytest.mark.usefixtures("looking")
@pytest.mark.parametrize("busy_timeout", [0, 20])
def test_a_session_that_may_be_alive_stays(timed: Timed, scene: Scene, image: Path, busy_timeout: int) -> None:
    session_id = scene.seed(files={"other.iso": b"whole"})
    clock = NapClock(later)
    with pytest.raises(ResourceBusy) as raised:
        timed.run(clock, **TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=busy_timeout)
    assert all(name in raised.value.explain() for name in ("busy_timeout", "clean_sessions", "nothing shows whether"))
    assert busy_timeout <= clock.seconds <= busy_timeout + TIMING.watch_transfer + 1
    assert (timed.created, update_states(timed.tasks.sim)) == (0, {session_id: "ACTIVE"})


@EXTENDS
@pytest.mark.parametrize("sign", ["bytes_transferred", "client_progress"])
def test_what_moves_there_is_somebody_at_work(scene: Scene, sign: str) -> None:
    session_id = scene.seed(transferring={FILE: 300})

    moved: list[float] = []

    def stir(store: Any) -> None:
        session = store.updates.session(session_id)
        moving = session if sign == "client_progress" else session.files[FILE]
        setattr(moving, sign, getattr(moving, sign) + 1)

    def act(seconds: float) -> None:
        later(seconds)
        if seconds >= 4 and not moved:
            moved.append(seconds)
            scene.sim.run(stir)

    clock = NapClock(act)
    with pytest.raises(ResourceBusy, match="another task is at work"):
        scene.take_over(session_id, clock)
    assert [clock.seconds] == moved


# -- a session that somebody works in


@pytest.mark.parametrize(
    ("dialect", "check"), [("api", False), ("rest", True)], ids=["api-for-real", "rest-check-mode"]
)
def test_a_moving_transfer_makes_the_task_fail_with_resource_busy(
    server: Simulator, image: Path, dialect: str, check: bool
) -> None:
    server.reset()
    tasks = Tasks(server, dialect)
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    session_id = tasks.sim.run(lambda store: store.seed_update_session(item, transferring={FILE: 300}))
    with beside(lambda: tasks.sim.run(lambda store: store.move_transfer(session_id, FILE, 10)), every=0.2):
        run = tasks.run(check=check, **TOOLS, state="done", files=[{"src": str(image)}])
    assert (run.error["type"], run.error["session_id"]) == ("RESOURCE_BUSY", session_id)
    assert (run.changed, run.mutations) == (False, [])
    assert all(text in run.msg for text in (session_id, "another task is at work", "busy_timeout", "'tools'"))
    assert update_states(tasks.sim) == {session_id: "ACTIVE"}
    assert tasks.sim.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize("state", ["canceled", "absent", "error"])
# A task that watched the session would hang.
@pytest.mark.paced(watch_transfer=10 * HANG)
def test_ending_a_session_is_a_decision_that_waits_for_nobody(tasks: Tasks, state: str) -> None:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    session_id = tasks.sim.run(lambda store: store.seed_update_session(item, transferring={FILE: 300}))
    reason: dict[str, Any] = {"error_message": "withdrawn"} if state == "error" else {}
    with in_time():
        run = tasks.run(**TOOLS, state=state, **reason)
    assert run.changed
    assert update_states(tasks.sim) == ({} if state == "absent" else {session_id: state.upper()})


# A task that watched the session would hang.
@pytest.mark.paced(watch_transfer=10 * HANG)
def test_a_session_named_by_its_id_is_the_task_s_own_to_fill(tasks: Tasks, image: Path) -> None:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    session_id = tasks.sim.run(lambda store: store.seed_update_session(item, transferring={FILE: 300}))
    with in_time():
        run = tasks.run(session_id=session_id, state="done", files=[{"src": str(image)}])
    assert (run.session or {}).get("state") == "DONE"


# -- another user's session


def test_another_user_s_session_is_resource_busy(tasks: Tasks, image: Path) -> None:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    theirs = tasks.sim.run(lambda store: store.seed_update_session(item, user=VIEWER))
    run = tasks.run(**TOOLS, state="done", files=[{"src": str(image)}])
    assert (run.error["type"], run.error["operation"]) == ("RESOURCE_BUSY", "update_session.create")
    assert (run.changed, run.uploaded) == (False, [])
    assert all(text in run.msg for text in ("busy_timeout", "'tools'", "another user"))
    assert update_states(tasks.sim) == {theirs: "ACTIVE"}
    assert len([entry for entry in run.exchanges if changes_something(entry)]) == 1, "it is not tried again at once"


def test_another_user_s_session_is_waited_for(tasks: Tasks, image: Path) -> None:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    theirs = tasks.sim.run(lambda store: store.seed_update_session(item, user=VIEWER))
    with once(
        lambda: any(entry.status >= 400 for entry in tasks.sim.exchanges),
        lambda: tasks.sim.run(lambda store: store.updates.cancel(theirs)),
    ):
        run = tasks.run(**TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=30)
    assert (run.session or {}).get("state") == "DONE"
    assert contents(tasks.sim) == {FILE: image.read_bytes()}
    tokens = {entry.path + repr(entry.request_body) for entry in run.sent("POST") if not entry.path.endswith("/file")}
    assert len(tokens) == 1, "the same client token goes with each try"


def test_the_wait_for_another_user_s_session_ends(server: Simulator, image: Path) -> None:
    server.reset()
    tasks = Tasks(server, "api")
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "tools"))
    theirs = tasks.sim.run(lambda store: store.seed_update_session(item, user=VIEWER))
    with in_time(at_least=1):
        run = tasks.run(**TOOLS, state="done", files=[{"src": str(image)}], busy_timeout=1)
    assert run.error["type"] == "RESOURCE_BUSY"
    assert update_states(tasks.sim) == {theirs: "ACTIVE"}


# -- an OVF package whose upload was cut


def left_by_a_killed_run(tasks: Tasks, package: Package, received: int, seed: Seed | None = None) -> str:
    """An ACTIVE session that has the first so many files of the package, in the order in which a server wants them."""
    if seed:
        tasks.sim.reset(seed)
    files = {path.name: path.read_bytes() for path in package.files[:received]}
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    return tasks.sim.run(lambda store: store.seed_update_session(item, files=files))


def assert_sent_in_order(run: Run, package: Package, already: int) -> None:
    """All but the first so many files were sent, what belongs to the descriptor before the rest, in vCenter's order."""
    first = [path.name for path in (package.manifest, package.descriptor)][already:]
    assert run.uploaded[: len(first)] == first
    assert sorted(run.uploaded) == sorted(path.name for path in package.files[already:])


def assert_published(tasks: Tasks, package: Package) -> None:
    stored = {path.name: path.read_bytes() for path in (package.descriptor, *package.references)}
    assert contents(tasks.sim, "rocky9") == stored
    assert tasks.sim.run(lambda store: store.active_update_sessions()) == []


@pytest.mark.parametrize(
    "received", [1, 2, 3, 4], ids=["after-manifest", "after-descriptor", "after-first-disk", "after-all-files"]
)
def test_a_package_goes_on_where_the_killed_run_stopped(tasks: Tasks, package: Package, received: int) -> None:
    session_id = left_by_a_killed_run(tasks, package, received)
    run = tasks.run(**ROCKY9, state="done", files=[{"src": str(package.descriptor)}])
    assert (run.session or {}).get("id") == session_id
    assert_sent_in_order(run, package, received)
    assert_published(tasks, package)
    again = tasks.run(**ROCKY9, state="done", files=[{"src": str(package.descriptor)}])
    assert (again.changed, again.mutations) == (False, [])


@pytest.mark.parametrize("received", [1, 2, 3, 4], ids=["manifest", "descriptor", "first-disk", "all-files"])
def test_without_checksums_only_what_came_before_the_descriptor_can_be_sent_again(
    tasks: Tasks, package: Package, received: int
) -> None:
    """vCenter takes no manifest after the descriptor, so from there on only a new session can be filled."""
    session_id = left_by_a_killed_run(tasks, package, received, Seed(checksum_algorithm="none"))
    run = tasks.run(**ROCKY9, state="done", files=[{"src": str(package.descriptor)}])
    ended = run.session or {}
    assert ended.get("state") == "DONE"
    assert (ended["id"] == session_id) == (received == 1)
    assert_sent_in_order(run, package, 0)
    assert list(update_states(tasks.sim)) == [ended["id"]]
    assert_published(tasks, package)


def test_a_changed_descriptor_starts_a_new_session(tasks: Tasks, package: Package, tmp_path: Path) -> None:
    session_id = left_by_a_killed_run(tasks, package, 2)
    other = make_package(tmp_path, disks=1, disk_bytes=20_000)
    run = tasks.run(**ROCKY9, state="done", files=[{"src": str(other.descriptor)}])
    assert (run.session or {}).get("id") != session_id
    assert session_id not in update_states(tasks.sim)
    assert_published(tasks, other)


def test_a_session_named_by_its_id_is_not_replaced_by_another(tasks: Tasks, package: Package) -> None:
    session_id = left_by_a_killed_run(tasks, package, 2, Seed(checksum_algorithm="none"))
    run = tasks.refuse(session_id=session_id, state="done", files=[{"src": str(package.descriptor)}])
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "Name the item instead of session_id" in run.msg
    assert update_states(tasks.sim) == {session_id: "ACTIVE"}


def test_a_new_session_in_place_of_a_stale_one_ignores_the_same_warnings(tasks: Tasks, tmp_path: Path) -> None:
    signed = make_package(tmp_path, disks=1, disk_bytes=20_000, signed="self-signed")
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    files = {path.name: path.read_bytes() for path in signed.files[:3]}
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    tasks.sim.run(lambda store: store.seed_update_session(item, files=files, warning_behavior=ACCEPTED))
    run = tasks.run(**ROCKY9, state="done", files=[{"src": str(signed.descriptor)}])
    assert (run.session or {}).get("state") == "DONE"
    assert_published(tasks, signed)
