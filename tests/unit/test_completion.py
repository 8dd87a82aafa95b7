# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A completion is never undone by us: however late its answer is, or lost, the session stays and the next run goes on.

The answer to a completion comes when vCenter has updated the item, which may take longer than any request_timeout.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._session.lost_answers import ask_to_complete
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import (
    ApiError,
    ConnectionFailed,
    ContentError,
    TlsUnverified,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock, Timing
from tests.harness.held import contents, update_states
from tests.harness.modules import connection_args, finish_module, start_module
from tests.harness.packages import Package, make_iso, make_ova, make_package
from tests.harness.tasks import ROCKY9, TOOLS, UPDATE_SESSION, Run, Tasks, publish
from tests.harness.waiting import eventually, once
from tests.simulator import Seed, Simulator, Store

pytestmark = pytest.mark.fact("slow-storage-outlasts-clients")

FILE = "tools.iso"
#: Longer than any wait of a test.
LONG = 600.0
#: Where vCenter answers a completion at once, and then takes its time.
ACCEPTED = Seed(completing_seconds=LONG, completion="at-once")
#: What keeps the answer to a completion from the task, and whether vCenter was asked.
LOST = {
    "late": ("hold-answer", True),
    "unreadable": ("html", False),
    "refused-by-a-gateway": ("503", False),
    "failed": ("500", False),
    "cut-on-the-way": ("reset", False),
    "lost-on-the-way": ("hang", False),
}


def lose_answer(tasks: Tasks, kind: str = "hold-answer") -> dict[str, Any]:
    """Have the first completion meet a fault; returns the options that keep the wait for it short."""
    tasks.sim.inject(f"POST:*complete*:1:{kind}")
    return {"request_timeout": 3, "wait_timeout": 1}


def assert_left_to_vcenter(run: Run, sim: Simulator) -> str:
    """The session stays as it is, and the task says so; returns its id."""
    assert (run.error["type"], run.error["operation"]) == ("TIMED_OUT", "update_session.complete"), run.msg
    assert (run.changed, run.result["item_changed"]) == (True, True)
    ((session_id, state),) = update_states(sim).items()
    assert state == "ACTIVE"
    assert f"Session {session_id} stays, and so does the item, as vCenter " in run.msg
    assert all(text in run.msg for text in ("wait_timeout", "Run the task again", "content_library_session_info"))
    assert not run.sent("POST", "cancel")
    assert not run.sent("DELETE")
    assert len(run.sent("POST", "complete")) <= 1
    return session_id


def speed_up(sim: Simulator) -> None:
    """Have each completion end at once, also one that is under way."""
    sim.clear_faults()
    sim.run(lambda store: setattr(store.updates, "_seed", Seed()))


@contextmanager
def soon(sim: Simulator) -> Iterator[None]:
    """Have completions end as soon as one was asked for in the block."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            if any("complete" in entry.path or "validate" in entry.path for entry in sim.exchanges):
                speed_up(sim)
                return

    sim.clear_exchanges()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


# -- the answer is lost


def test_a_session_that_is_done_by_then_is_a_success(tasks: Tasks, image: Path) -> None:
    run = tasks.run(**publish(image, **lose_answer(tasks)))
    assert ((run.session or {}).get("state"), run.changed, run.result["item_changed"]) == ("DONE", True, True)
    assert contents(tasks.sim) == {FILE: image.read_bytes()}
    assert tasks.run(**publish(image)).changed is False


@pytest.mark.parametrize(("kind", "asked"), LOST.values(), ids=LOST)
def test_a_session_that_stays_active_is_left_and_the_next_run_completes_it(
    tasks: Tasks, image: Path, kind: str, asked: bool
) -> None:
    tasks.sim.reset(Seed(completing_seconds=LONG))
    run = tasks.run(**publish(image, **lose_answer(tasks, kind)))
    session_id = assert_left_to_vcenter(run, tasks.sim)
    assert "no answer says whether vCenter completes it" in run.msg
    assert tasks.sim.run(lambda store: store.updates.sessions[session_id].completing_since is not None) is asked
    if asked:
        again = tasks.run(**publish(image, wait_timeout=1))
        assert (again.error["type"], update_states(tasks.sim)) == ("TIMED_OUT", {session_id: "ACTIVE"})
        assert "vCenter is at work on it already" in again.msg
        speed_up(tasks.sim)
    else:
        speed_up(tasks.sim)
        again = tasks.run(**publish(image))
        assert ((again.session or {})["id"], again.changed) == (session_id, True)
    assert (again.uploaded, again.sent("POST", "cancel")) == ([], [])
    assert tasks.run(**publish(image)).changed is False
    assert contents(tasks.sim) == {FILE: image.read_bytes()}


def test_keep_failed_session_and_wait_change_nothing_about_that(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(completing_seconds=LONG))
    run = tasks.run(**publish(image, keep_failed_session=True, wait=False, **lose_answer(tasks)))
    assert_left_to_vcenter(run, tasks.sim)


def test_a_server_that_cannot_be_read_meanwhile_is_waited_for(tasks: Tasks, image: Path) -> None:
    paths = [f"{entry.method} {entry.path}" for entry in tasks.run(**publish(image)).exchanges]
    before = paths[: next(place for place, path in enumerate(paths) if "complete" in path)]
    tasks.sim.reset()
    options = lose_answer(tasks)
    seen = sum(path.startswith("GET ") and "update-session/" in path for path in before)
    tasks.sim.inject(f"GET:*update-session/*:{seen + 1}:500")
    run = tasks.run(**publish(image, **{**options, "wait_timeout": 60}))
    assert ((run.session or {}).get("state"), run.changed) == ("DONE", True)


def completion_of(tasks: Tasks) -> Callable[[], bool]:
    """Whether the server is completing a session."""

    def begun(store: Store) -> bool:
        return any(session.completing_since is not None for session in store.updates.sessions.values())

    return lambda: tasks.sim.run(begun)


def test_a_session_that_has_gone_meanwhile_may_have_been_completed(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(completing_seconds=LONG))
    options = {**lose_answer(tasks), "wait_timeout": 60}
    with once(completion_of(tasks), lambda: tasks.sim.run(lambda store: store.updates.sessions.clear())):
        run = tasks.run(**publish(image, **options))
    assert (run.error["type"], run.result["item_changed"]) == ("TIMED_OUT", True)
    assert "so the item may have its new content. Another run sends what is missing." in run.msg


@pytest.mark.parametrize("lost", [True, False])
def test_a_completion_that_fails_in_the_end_leaves_nothing(tasks: Tasks, image: Path, lost: bool) -> None:
    def fail(store: Any) -> None:
        (session,) = store.updates.sessions.values()
        store.updates.fail(session.id, "The datastore is full.")

    tasks.sim.reset(Seed(completing_seconds=LONG))
    options = {**lose_answer(tasks), "wait_timeout": 60} if lost else {}
    with once(completion_of(tasks), lambda: tasks.sim.run(fail)):
        run = tasks.run(**publish(image, **options))
    assert (run.error["type"], run.changed, run.result["item_changed"]) == ("TRANSFER_FAILED", False, False)
    assert "The datastore is full." in run.msg
    assert "which this task created, was canceled and deleted." in run.msg
    assert update_states(tasks.sim) == {}


@pytest.mark.parametrize(("lost", "may_be_done"), [("validate", False), ("complete", True)])
def test_only_a_completion_that_was_asked_for_may_have_been_made(tasks: Tasks, lost: str, may_be_done: bool) -> None:
    session_id = tasks.sim.run(
        lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), files={FILE: b"whole"})
    )
    tasks.sim.inject(f"POST:*{lost}*:*:500")
    run = tasks.run(session_id=session_id, state="done", wait_timeout=1)
    assert run.error["type"] == ("TIMED_OUT" if may_be_done else "INTERNAL_SERVER_ERROR")
    assert lost in run.error["operation"]
    assert (run.changed, run.result["item_changed"]) == (may_be_done, may_be_done)
    assert ("it may have been completed" in run.msg) == may_be_done
    assert update_states(tasks.sim) == {session_id: "ACTIVE"}


# -- it surely was not asked for


@pytest.mark.parametrize(
    "error",
    [ConnectionFailed("no name"), TlsUnverified("not trusted"), ApiError("too many requests", status=429)],
    ids=["connect", "tls", "too-many-requests"],
)
def test_what_surely_did_not_arrive_is_asked_for_again(error: ContentError) -> None:
    error.was_sent = error.status is not None
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        if len(asked) < Timing().completion_tries:
            raise error

    ask_to_complete(ask, Clock(sleep=lambda _seconds: None))
    assert len(asked) == Timing().completion_tries


def test_what_may_have_arrived_is_asked_for_once() -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise ConnectionFailed("it was closed")

    with pytest.raises(ConnectionFailed):
        ask_to_complete(ask, Clock(sleep=lambda _seconds: None))
    assert len(asked) == 1


# -- vCenter takes its time


def test_a_completion_that_is_only_slow_is_left_to_the_server(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(ACCEPTED)
    run = tasks.run(**publish(image, wait_timeout=1))
    assert_left_to_vcenter(run, tasks.sim)
    assert "vCenter has accepted the completion, and it is still ACTIVE" in run.msg


def test_a_found_session_whose_completion_is_slow_stays(tasks: Tasks) -> None:
    tasks.sim.reset(ACCEPTED)
    session_id = tasks.sim.run(
        lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), files={FILE: b"whole"})
    )
    run = tasks.run(**TOOLS, state="done", wait_timeout=1)
    assert run.error["type"] == "TIMED_OUT"
    assert "Changed in it: its completion was accepted." in run.msg
    assert (run.changed, run.result["item_changed"], update_states(tasks.sim)) == (True, True, {session_id: "ACTIVE"})
    again = tasks.run(**TOOLS, state="done", wait_timeout=1)
    assert (again.error["type"], again.changed, again.result["item_changed"]) == ("TIMED_OUT", False, False)
    assert tasks.run(**TOOLS, state="done", wait=False).result["session"]["state"] == "ACTIVE"


@pytest.mark.parametrize("answer", ["refused", "unexplained", "busy", "accepted"])
def test_whatever_a_second_request_gets_the_next_run_waits_for_the_first(
    tasks: Tasks, image: Path, answer: str
) -> None:
    tasks.sim.reset(Seed(completing_seconds=LONG, while_completing=answer))
    tasks.run(**publish(image, **lose_answer(tasks)))
    (session_id,) = update_states(tasks.sim)
    with soon(tasks.sim):
        again = tasks.run(**publish(image, wait_timeout=60))
    assert ((again.session or {})["id"], again.changed, again.uploaded) == (session_id, True, [])
    assert not again.sent("POST", "cancel")
    assert contents(tasks.sim) == {FILE: image.read_bytes()}
    assert tasks.run(**publish(image)).changed is False


@pytest.mark.parametrize("answer", ["refused", "unexplained", "busy", "accepted"])
@pytest.mark.parametrize("completing", [True, False])
def test_a_package_of_which_the_session_says_too_little_is_completed_and_not_sent_again(
    tasks: Tasks, package: Package, tmp_path: Path, completing: bool, answer: str
) -> None:
    """vCenter has no checksum of an OVA in a session, but of its members in the item."""
    ova = make_ova(package, tmp_path / "rocky9.ova")
    tasks.sim.reset(Seed(completing_seconds=LONG, while_completing=answer))
    declared = {**ROCKY9, "state": "done", "files": [{"src": str(ova)}]}
    tasks.run(**declared, **lose_answer(tasks, "hold-answer" if completing else "reset"))
    (session_id,) = update_states(tasks.sim)
    with soon(tasks.sim):
        again = tasks.run(**declared, wait_timeout=60)
    assert ((again.session or {})["id"], again.changed, again.uploaded) == (session_id, True, [])
    assert again.result["item_changed"] is True
    assert not again.sent("POST", "cancel")
    assert [file["verified"] for file in again.result["files"]].count(False) == 0
    assert set(contents(tasks.sim, "rocky9")) == {package.descriptor.name, *(path.name for path in package.references)}
    assert tasks.run(**declared).changed is False


def test_what_was_completed_and_cannot_be_told_from_the_wanted_is_sent_again(tasks: Tasks, image: Path) -> None:
    """A server without checksums: what an earlier run had sent may be something else."""
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    other = image.read_bytes()[::-1]
    asked: dict[str, Any] = {"files": {FILE: other}, "client_progress": 100}
    found = tasks.sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), **asked))
    run = tasks.run(**publish(image))
    assert (run.changed, run.uploaded, contents(tasks.sim)) == (True, [FILE], {FILE: image.read_bytes()})
    assert update_states(tasks.sim)[found] == "DONE"
    assert (run.session or {})["id"] != found


def test_a_session_that_vcenter_does_not_complete_is_filled_again(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    asked: dict[str, Any] = {"files": {FILE: image.read_bytes()[::-1]}, "client_progress": 100}
    found = tasks.sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), **asked))
    tasks.sim.run(lambda store: setattr(store.updates.sessions[found].files[FILE], "received_at", None))
    run = tasks.run(**publish(image))
    assert (run.uploaded, update_states(tasks.sim)) == ([FILE], {found: "DONE"})
    assert contents(tasks.sim) == {FILE: image.read_bytes()}


def test_what_an_earlier_run_has_sent_and_did_not_complete_is_not_published_unseen(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    other = image.read_bytes()[::-1]
    tasks.sim.run(
        lambda store: store.seed_update_session(
            store.find_item_id("templates", "tools"), files={FILE: other}, client_progress=99
        )
    )
    run = tasks.run(**publish(image))
    assert (run.uploaded, len(run.sent("POST", "complete"))) == ([FILE], 1)
    assert contents(tasks.sim) == {FILE: image.read_bytes()}


@pytest.mark.parametrize("busy_timeout", [0, 30])
def test_a_session_that_is_being_completed_takes_no_other_content(
    tasks: Tasks, image: Path, tmp_path: Path, busy_timeout: int
) -> None:
    tasks.sim.reset(Seed(completing_seconds=2.5, completion="at-once"))
    tasks.run(**publish(image, wait=False))
    other = make_iso(tmp_path / FILE, 20_001)
    run = tasks.run(**publish(other, busy_timeout=busy_timeout))
    if busy_timeout:
        assert contents(tasks.sim) == {FILE: other.read_bytes()}, run.msg
    else:
        assert (run.error["type"], run.changed, run.uploaded) == ("RESOURCE_BUSY", False, [])
        assert "it is being completed, or has ended meanwhile" in run.msg


@pytest.mark.fact("meanwhile")
@pytest.mark.parametrize("answer", ["refused", "unexplained"])
def test_a_session_that_is_being_completed_is_not_canceled_for_another_descriptor(
    tasks: Tasks, package: Package, tmp_path: Path, answer: str
) -> None:
    """vCenter takes no manifest after the descriptor, so such a session is replaced where nothing is lost by it."""
    tasks.sim.reset(replace(ACCEPTED, while_completing=answer))
    first = {**ROCKY9, "state": "done", "wait": False, "files": [{"src": str(package.descriptor)}]}
    session_id = (tasks.run(**first).session or {})["id"]
    other = make_package(tmp_path, disks=1, disk_bytes=20_001)
    run = tasks.run(**{**first, "files": [{"src": str(other.descriptor)}]})
    assert run.error["type"] == "RESOURCE_BUSY"
    assert ("vCenter may be completing it" if answer == "unexplained" else "vCenter is completing it") in run.msg
    assert (run.changed, run.uploaded, update_states(tasks.sim)) == (False, [], {session_id: "ACTIVE"})
    assert not run.sent("POST", "cancel")


# -- a signal ends the wait


@pytest.mark.process
@pytest.mark.parametrize(("kind", "why"), [("", "has accepted its completion"), ("hold-answer", "may be completing")])
def test_a_signal_ends_the_wait_and_leaves_the_session(server: Simulator, image: Path, kind: str, why: str) -> None:
    server.reset(ACCEPTED)
    if kind:
        server.inject(f"POST:*complete*:1:{kind}")
    declared = {**TOOLS, "state": "done", "files": [{"src": str(image)}], "request_timeout": 600}
    process = start_module(UPDATE_SESSION, {**connection_args(server), **declared})
    if kind:
        assert server.wait_until_held()
    else:
        # Two more have ended: a busy server may note the end of the validation only after that of the completion.
        assert eventually(lambda: any("complete" in entry.path for entry in server.exchanges[:-2]))
    (session_id,) = update_states(server)
    process.terminate()
    ended = finish_module(process, 30)
    server.release()
    assert update_states(server) == {session_id: "ACTIVE"}
    assert f"Session {session_id} stays, and so does the item, as vCenter {why}" in ended.result["msg"]
    assert (ended.result["changed"], ended.result["item_changed"]) == (True, True)
