# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table "declared x found": what a task does with the session that it finds, or with none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import item_id, update_states
from tests.harness.tasks import Run, Tasks
from tests.simulator import Seed, Simulator
from tests.simulator.versions import as_version

STATES = ("active", "done", "canceled", "error", "absent")
FOUND = ("none", "ACTIVE", "DONE", "ERROR", "CANCELED")
UNKNOWN_SESSION = "00000000-0000-4000-8000-000000000000:00000000-0000-4000-8000-000000000001"
WHY = "The datastore is full."

REFUSED = "refused"
NOT_FOUND = "not found"
ENDS = {"active": "ACTIVE", "done": "DONE", "canceled": "CANCELED", "error": "ERROR", "absent": None}

# What becomes of the session that is named by its id: the state it ends in (None: gone), or why not.
BY_ID: dict[str, dict[str, str | None]] = {
    "active": {"none": NOT_FOUND, "ACTIVE": "ACTIVE", "DONE": REFUSED, "ERROR": REFUSED, "CANCELED": REFUSED},
    "done": {"none": NOT_FOUND, "ACTIVE": "DONE", "DONE": "DONE", "ERROR": REFUSED, "CANCELED": REFUSED},
    "canceled": {"none": NOT_FOUND, "ACTIVE": "CANCELED", "DONE": REFUSED, "ERROR": REFUSED, "CANCELED": "CANCELED"},
    "error": {"none": NOT_FOUND, "ACTIVE": "ERROR", "DONE": REFUSED, "ERROR": "ERROR", "CANCELED": REFUSED},
    "absent": {"none": None, "ACTIVE": None, "DONE": None, "ERROR": None, "CANCELED": None},
}


@pytest.fixture(params=["8.0-api", "8.0-rest", "7.0-api", "9.0-rest"])
def vcenter(request: pytest.FixtureRequest) -> str:
    """Its version and the dialect that is spoken with it."""
    return str(request.param)


@pytest.fixture
def tasks(seeded_server: Simulator, vcenter: str) -> Tasks:
    version, _dash, dialect = vcenter.partition("-")
    seeded_server.reset(as_version(Seed(), version))
    return Tasks(seeded_server, dialect)


def seed_session(tasks: Tasks, found: str, **content: Any) -> str:
    item = item_id(tasks.sim)
    if found == "none":
        return UNKNOWN_SESSION
    return tasks.sim.run(lambda store: store.seed_update_session(item, state=found, error_message=WHY, **content))


def declare(state: str, **options: Any) -> dict[str, Any]:
    return {"state": state, **({"error_message": "Withdrawn."} if state == "error" else {}), **options}


def by_item(state: str, **options: Any) -> dict[str, Any]:
    return declare(state, library="templates", library_item="tools", **options)


def assert_refused(run: Run, session: str, state: str, found: str) -> None:
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert run.error["session_id"] == session
    assert session in run.msg
    assert f"is {found} and cannot become {state.upper()}" in run.msg
    assert (WHY in run.msg) == (found == "ERROR")


@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("state", STATES)
def test_a_session_named_by_its_id(tasks: Tasks, state: str, found: str) -> None:
    session = seed_session(tasks, found)
    before = update_states(tasks.sim)
    expected = BY_ID[state][found]
    options = declare(state, session_id=session)
    if expected in (REFUSED, NOT_FOUND):
        run = tasks.refuse(**options)
        if expected == NOT_FOUND:
            assert (run.error["type"], run.error["session_id"]) == ("NOT_FOUND", session)
        else:
            assert_refused(run, session, state, found)
        assert update_states(tasks.sim) == before
        return
    run = tasks.converge(**options)
    assert run.changed == (expected != (None if found == "none" else found))
    assert update_states(tasks.sim) == ({} if expected is None else {session: expected})
    assert run.diff["before"]["state"] == (None if found == "none" else found)
    assert run.diff["after"]["state"] == expected
    assert (run.session or {}).get("state") == expected
    assert (run.session or {}).get("id") == (None if expected is None else session)


@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("state", STATES)
def test_a_session_named_by_its_item_is_the_active_one_or_none(tasks: Tasks, state: str, found: str) -> None:
    session = seed_session(tasks, found)
    run = tasks.converge(**by_item(state))
    after = update_states(tasks.sim)
    if found == "ACTIVE":
        expected = ENDS[state]
        assert run.changed == (state != "active")
        assert after == ({} if expected is None else {session: expected})
        assert run.diff["before"]["state"] == "ACTIVE"
        assert run.diff["after"]["state"] == expected
        return
    made = {key: value for key, value in after.items() if key != session}
    assert after.get(session) == (None if found == "none" else found), "a session that has ended is not touched"
    assert list(made.values()) == (["ACTIVE"] if state == "active" else [])
    assert run.changed == (state == "active")
    assert run.diff["before"]["state"] is None
    assert run.diff["after"]["state"] == ("ACTIVE" if state == "active" else None)
    assert (run.session or {}).get("id") == next(iter(made), None)


@pytest.mark.parametrize("option", ["library_item_id", "library_id"])
def test_an_item_named_by_identifiers(tasks: Tasks, option: str) -> None:
    library = tasks.sim.run(lambda store: store.find_library_id("templates"))
    named = {"library_item_id": {"library_item_id": item_id(tasks.sim)}, "library_id": {"library_id": library}}[option]
    if option == "library_id":
        named["library_item"] = "tools"
    session = seed_session(tasks, "ACTIVE")
    run = tasks.converge(state="canceled", **named)
    assert run.changed
    assert update_states(tasks.sim) == {session: "CANCELED"}


def test_somebody_elses_session_is_not_found_by_item(tasks: Tasks) -> None:
    item = item_id(tasks.sim)
    other = tasks.sim.run(lambda store: store.seed_update_session(item, user="viewer@vsphere.local"))
    run = tasks.converge(**by_item("absent"))
    assert not run.changed
    assert update_states(tasks.sim) == {other: "ACTIVE"}


@pytest.mark.parametrize("name", ["id", "item"])
@pytest.mark.parametrize(
    ("content", "uploads", "changed"),
    [("empty", True, True), ("same", False, False), ("other", True, True), ("waiting", True, True)],
)
@pytest.mark.parametrize("state", ["active", "done"])
def test_an_active_session_gets_the_files(
    tasks: Tasks, image: Path, state: str, content: str, uploads: bool, changed: bool, name: str
) -> None:
    fillings: dict[str, dict[str, bytes | None]] = {
        "empty": {},
        "same": {"tools.iso": image.read_bytes()},
        "other": {"tools.iso": b"x" * 5000},
        "waiting": {"tools.iso": None},
    }
    session = seed_session(tasks, "ACTIVE", files=fillings[content])
    files = [{"src": str(image)}]
    options = declare(state, session_id=session, files=files) if name == "id" else by_item(state, files=files)
    run = tasks.converge(**options)
    assert run.uploaded == (["tools.iso"] if uploads else [])
    assert run.changed == (changed or state == "done")
    assert update_states(tasks.sim) == {session: ENDS[state]}
    assert run.result["item_changed"] == (state == "done")
    contents = tasks.sim.run(lambda store: store.item_contents(store.find_item_id("templates", "tools")))
    assert contents == ({"tools.iso": image.read_bytes()} if state == "done" else {})
    [file] = run.result["files"]
    assert (file["name"], file["verified"]) == ("tools.iso", True)


@pytest.mark.parametrize(
    ("held", "found"), [("nothing", "none"), ("same", "none"), ("same", "DONE"), ("other", "DONE")]
)
@pytest.mark.parametrize("state", ["active", "done"])
def test_an_item_without_a_session_gets_one_only_if_it_lacks_the_files(
    tasks: Tasks, image: Path, state: str, held: str, found: str
) -> None:
    item = item_id(tasks.sim)
    held_files: dict[str, dict[str, bytes]] = {
        "nothing": {},
        "same": {"tools.iso": image.read_bytes()},
        "other": {"tools.iso": b"y" * 5000},
    }
    contents = held_files[held]
    tasks.sim.run(lambda store: store.seed_item_files(item, contents))
    ended = seed_session(tasks, found)
    run = tasks.converge(**by_item(state, files=[{"src": str(image)}]))
    lacks = held != "same"
    assert run.changed == lacks
    assert run.uploaded == (["tools.iso"] if lacks else [])
    made = [value for key, value in update_states(tasks.sim).items() if key != ended]
    assert made == ([ENDS[state]] if lacks else [])
    assert (run.session or {}).get("state") == (ENDS[state] if lacks else None)
    assert run.result["item_changed"] == (lacks and state == "done")
    if not lacks or state == "done":
        assert tasks.sim.run(lambda store: store.item_contents(item)) == {"tools.iso": image.read_bytes()}


@pytest.mark.parametrize("found", ["none", "DONE", "ERROR", "CANCELED"])
@pytest.mark.parametrize("state", ["active", "done"])
def test_files_do_not_reopen_a_session_named_by_its_id(tasks: Tasks, image: Path, state: str, found: str) -> None:
    session = seed_session(tasks, found)
    options = declare(state, session_id=session, files=[{"src": str(image)}])
    if (state, found) == ("done", "DONE"):
        assert not tasks.converge(**options).changed
    elif found == "none":
        assert tasks.refuse(**options).error["type"] == "NOT_FOUND"
    else:
        assert_refused(tasks.refuse(**options), session, state, found)


@pytest.mark.parametrize("state", ["canceled", "error", "absent"])
def test_files_have_no_say_in_how_a_session_is_given_up(tasks: Tasks, image: Path, state: str) -> None:
    session = seed_session(tasks, "ACTIVE")
    run = tasks.converge(**by_item(state, files=[{"src": str(image)}]))
    assert run.changed
    assert run.uploaded == []
    assert update_states(tasks.sim) == ({} if state == "absent" else {session: ENDS[state]})


def test_two_tasks_are_as_idempotent_as_one(tasks: Tasks, image: Path) -> None:
    fill = by_item("active", files=[{"src": str(image)}])
    publish = by_item("done")
    assert [tasks.run(**fill).changed, tasks.run(**publish).changed] == [True, True]
    assert [tasks.run(**fill).changed, tasks.run(**publish).changed] == [False, False]
    assert list(update_states(tasks.sim).values()) == ["DONE"]
