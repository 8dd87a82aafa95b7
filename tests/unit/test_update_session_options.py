# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how: waiting, progress, keeping alive, repeating, failing and what a failure leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.clocks import SETTLE, HandClock
from tests.harness.held import begin_update, contents, update_states
from tests.harness.tasks import TOOLS, Run, Tasks, publish
from tests.harness.waiting import in_time
from tests.simulator import Exchange, Simulator

TOKEN = "b8a2a2e3-2314-43cd-a871-6ede0f429751"


@pytest.fixture(scope="module")
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def still_server(hand_clock: HandClock) -> Iterator[Simulator]:
    with Simulator(settle=SETTLE, clock=hand_clock, worlds={"completion": "at-once"}) as running:
        yield running


@pytest.fixture
def still_tasks(still_server: Simulator, dialect: str) -> Tasks:
    """On a server for which no time passes: nothing is received, and nothing is ever completed."""
    still_server.reset()
    return Tasks(still_server, dialect)


def keep_alives(run: Run) -> list[dict[str, Any]]:
    return [json.loads(entry.request_body or b"{}") for entry in run.sent("POST", "keep-alive")]


def creations(run: Run) -> list[Exchange]:
    return [entry for entry in run.sent("POST") if entry.path.partition("?")[0].endswith("/update-session")]


def token_of(creation: Exchange) -> str:
    """Where each dialect carries the client_token."""
    if creation.path.startswith("/rest"):
        return str(json.loads(creation.request_body)["client_token"])
    return creation.path.partition("client_token=")[2]


# -- wait, wait_timeout


def test_without_wait_a_completion_that_was_accepted_is_enough(still_tasks: Tasks, hand_clock: HandClock) -> None:
    session = begin_update(still_tasks.sim, files={"tools.iso": b"1"})
    predicted = still_tasks.run(check=True, session_id=session, state="done", wait=False)
    run = still_tasks.run(session_id=session, state="done", wait=False)
    assert run.session is not None
    assert run.session["state"] == "ACTIVE"
    assert run.changed
    assert predicted.changed
    assert predicted.diff == run.diff
    assert run.diff["after"]["state"] == "DONE"
    assert update_states(still_tasks.sim) == {session: "ACTIVE"}
    hand_clock.seconds += 3 * SETTLE
    assert update_states(still_tasks.sim) == {session: "DONE"}
    assert not still_tasks.run(session_id=session, state="done", wait=False).changed


def test_a_file_that_is_never_received_ends_the_wait(still_tasks: Tasks, image: Path) -> None:
    with in_time(at_least=1):
        run = still_tasks.run(**publish(image, wait_timeout=1))
    assert run.error["type"] == "TIMED_OUT"
    for word in ("wait_timeout", "tools.iso", "TRANSFERRING", "5000 bytes", "1 second"):
        assert word in run.msg
    assert run.sent("POST", "complete") == []
    assert update_states(still_tasks.sim) == {}


def test_a_completion_that_never_ends_ends_the_wait(still_tasks: Tasks) -> None:
    session = begin_update(still_tasks.sim, files={"tools.iso": b"1"})
    run = still_tasks.run(session_id=session, state="done", wait_timeout=1)
    assert run.error["type"] == "TIMED_OUT"
    assert "wait_timeout" in run.msg
    assert "Changed in it: its completion was accepted." in run.msg
    assert run.changed, "what was done to a session that stays is a change"
    assert update_states(still_tasks.sim) == {session: "ACTIVE"}


@pytest.mark.parametrize(("option", "value"), [("wait_timeout", 0), ("busy_timeout", -1)])
def test_a_time_that_makes_no_sense_is_refused(tasks: Tasks, option: str, value: int) -> None:
    run = tasks.refuse(**TOOLS, **{option: value})
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert option in run.msg


# -- client_progress, keep_alive


@pytest.mark.parametrize(
    ("found", "declared", "sent"), [(0, 1, True), (40, 100, True), (40, 40, False), (40, 39, False), (0, 0, False)]
)
def test_client_progress_is_a_minimum(tasks: Tasks, found: int, declared: int, sent: bool) -> None:
    session = begin_update(tasks.sim, client_progress=found)
    run = tasks.converge(session_id=session, client_progress=declared)
    assert run.changed == sent
    assert keep_alives(run) == ([{"client_progress": declared}] if sent else [])
    assert tasks.sim.run(lambda store: store.update_session(session).client_progress) == max(found, declared)
    assert run.diff["after"]["client_progress"] == declared
    assert run.session is not None
    assert run.session["client_progress"] == max(found, declared)


def test_client_progress_of_a_new_session(tasks: Tasks) -> None:
    run = tasks.converge(**TOOLS, state="active", client_progress=30)
    assert keep_alives(run) == [{"client_progress": 30}]
    assert run.session is not None
    assert run.session["client_progress"] == 30


@pytest.mark.parametrize("progress", [-1, 101])
def test_a_progress_out_of_range_is_refused(tasks: Tasks, progress: int) -> None:
    run = tasks.refuse(**TOOLS, client_progress=progress)
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "client_progress" in run.msg


def test_client_progress_that_is_not_declared_is_no_part_of_the_diff(tasks: Tasks) -> None:
    session = begin_update(tasks.sim, client_progress=10)
    assert "client_progress" not in tasks.converge(session_id=session, state="active").diff["after"]


def test_keep_alive_extends_the_session_and_changes_nothing(still_tasks: Tasks, hand_clock: HandClock) -> None:
    session = begin_update(still_tasks.sim)
    before = still_tasks.sim.run(lambda store: store.update_session(session).expires)
    hand_clock.seconds += 100
    predicted = still_tasks.run(check=True, session_id=session, keep_alive=True)
    assert predicted.mutations == []
    assert still_tasks.sim.run(lambda store: store.update_session(session).expires) == before
    run = still_tasks.run(session_id=session, keep_alive=True)
    assert not run.changed
    assert not predicted.changed
    assert len(run.mutations) == len(keep_alives(run)) == 1
    assert "client_progress" not in keep_alives(run)[0]
    assert still_tasks.sim.run(lambda store: store.update_session(session).expires) == before + 100


def test_the_session_is_not_kept_alive_unasked(tasks: Tasks) -> None:
    assert tasks.run(session_id=begin_update(tasks.sim)).mutations == []


@pytest.mark.parametrize("state", ["DONE", "none"])
def test_only_an_active_session_is_kept_alive(tasks: Tasks, state: str) -> None:
    named = {"session_id": begin_update(tasks.sim, state=state)} if state == "DONE" else TOOLS
    run = tasks.run(**named, state="done", keep_alive=True)
    assert not run.failed, run.msg
    assert run.mutations == []


# -- client_token


def test_the_client_token_goes_along_with_the_creation(tasks: Tasks) -> None:
    [creation] = creations(tasks.run(**TOOLS, client_token=TOKEN))
    assert token_of(creation) == TOKEN


def test_each_task_makes_up_a_token_of_its_own(tasks: Tasks) -> None:
    tokens = []
    for _number in range(2):
        [creation] = creations(tasks.run(**TOOLS))
        tokens.append(token_of(creation))
        tasks.run(**TOOLS, state="absent")
    assert len(set(tokens)) == 2


@pytest.mark.parametrize("token", [None, TOKEN], ids=["made up", "given"])
def test_a_creation_whose_answer_is_lost_is_repeated_and_gives_the_same_session(
    tasks: Tasks, token: str | None
) -> None:
    tasks.sim.inject("POST:*/update-session*:1:reset-mid-body")
    given: dict[str, Any] = {"client_token": token} if token else {}
    run = tasks.run(**TOOLS, **given)
    first, second = creations(run)
    assert token_of(first) == token_of(second)
    assert run.session is not None
    assert update_states(tasks.sim) == {run.session["id"]: "ACTIVE"}


def test_the_same_token_again_gives_the_same_session(tasks: Tasks) -> None:
    first = tasks.run(**TOOLS, client_token=TOKEN)
    again = tasks.run(**TOOLS, client_token=TOKEN)
    assert first.session is not None
    assert again.session is not None
    assert first.session["id"] == again.session["id"]
    assert [first.changed, again.changed] == [True, False]


@pytest.mark.parametrize("state", ["active", "done"])
def test_a_token_of_a_session_that_has_ended_opens_nothing(tasks: Tasks, image: Path, state: str) -> None:
    """The server answers with the session of old, which cannot be filled and is not ours to remove."""
    first = tasks.run(**TOOLS, client_token=TOKEN)
    assert first.session is not None
    tasks.run(session_id=first.session["id"], state="canceled")
    run = tasks.run(**publish(image, state=state, client_token=TOKEN))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "client_token" in run.msg
    assert not run.changed
    assert run.uploaded == []
    assert update_states(tasks.sim) == {first.session["id"]: "CANCELED"}


def test_a_token_of_another_items_session_opens_nothing(tasks: Tasks) -> None:
    first = tasks.run(library="templates", library_item="rocky9", client_token=TOKEN)
    assert first.session is not None
    run = tasks.run(**TOOLS, client_token=TOKEN)
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "client_token" in run.msg
    assert update_states(tasks.sim) == {first.session["id"]: "ACTIVE"}


def test_a_client_token_that_is_no_uuid_is_refused(tasks: Tasks) -> None:
    run = tasks.refuse(**TOOLS, client_token="1")
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "client_token" in run.msg


# -- error_message, keep_failed_session


def test_the_error_message_is_recorded_and_returned(tasks: Tasks) -> None:
    session = begin_update(tasks.sim)
    run = tasks.converge(session_id=session, state="error", error_message="Image 4711 was withdrawn: «no».")
    [failing] = run.sent("POST", "fail")
    assert json.loads(failing.request_body) == {"client_error_message": "Image 4711 was withdrawn: «no»."}
    assert run.session is not None
    assert "Image 4711 was withdrawn: «no»." in str(run.session["error_message"])
    assert update_states(tasks.sim) == {session: "ERROR"}


def test_another_error_message_does_not_change_a_session_in_error(tasks: Tasks) -> None:
    session = begin_update(tasks.sim, state="ERROR", error_message="first")
    run = tasks.converge(session_id=session, state="error", error_message="second")
    assert not run.changed
    assert run.session is not None
    assert "first" in str(run.session["error_message"])


def test_a_session_cannot_be_failed_without_saying_why(tasks: Tasks) -> None:
    run = tasks.run(session_id=begin_update(tasks.sim), state="error")
    assert run.failed
    assert "error_message" in run.msg
    assert run.exchanges == ()


@pytest.mark.parametrize("keep", [False, True])
def test_what_becomes_of_a_session_that_this_task_made_and_failed_to_fill(
    tasks: Tasks, image: Path, keep: bool
) -> None:
    tasks.sim.inject("PUT:*:1:corrupt")
    run = tasks.run(**publish(image, keep_failed_session=keep))
    session = run.error["session_id"]
    assert session in run.msg
    assert update_states(tasks.sim) == ({session: "ACTIVE"} if keep else {})
    assert ("is kept, as keep_failed_session says" in run.msg) == keep
    assert ("canceled and deleted" in run.msg) == (not keep)
    assert run.changed == keep, "a session that stays is a change"
    assert tasks.sim.run(lambda store: store.logins.count) == 0


def test_a_kept_session_is_taken_over_and_completed_by_the_next_run(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("PUT:*:1:corrupt")
    kept = tasks.run(**publish(image, keep_failed_session=True)).error["session_id"]
    run = tasks.converge(**publish(image))
    assert run.uploaded == ["tools.iso"], "what arrived damaged is sent again"
    assert update_states(tasks.sim) == {kept: "DONE"}
    assert contents(tasks.sim) == {"tools.iso": image.read_bytes()}
