# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An item that is missing is created by the task that publishes to it, and deleted again if that fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, update_states
from tests.harness.packages import Package
from tests.harness.tasks import LIBRARY_ITEM, Tasks, src
from tests.harness.waiting import while_held
from tests.simulator import Simulator, Store
from tests.simulator.seed import VIEWER

pytestmark = pytest.mark.fact("failed-import-leaves-an-item")

FRESH: dict[str, Any] = {"library": "templates", "library_item": "fresh"}
#: How a fault names the creation of an item in each dialect.
ITEM_CREATED = {"api": "POST:*/library/item?client_token*", "rest": "POST:*/library/item"}
SESSION_CREATED = "POST:*/update-session*:1"
STATES = ("active", "done", "canceled", "error", "absent")


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    path = tmp_path / "fresh.iso"
    path.write_bytes(b"an image of nothing")
    return path


def item_is_there(sim: Simulator) -> bool:
    return sim.run(lambda store: any(item.name == "fresh" for item in store.catalog.items.values()))


def fresh(store: Store) -> str:
    return store.find_item_id("templates", "fresh")


def declare(state: str, **options: Any) -> dict[str, Any]:
    return {**FRESH, "state": state, **({"error_message": "Withdrawn."} if state == "error" else {}), **options}


def publish(path: Path, **options: Any) -> dict[str, Any]:
    return declare("done", files=[src(path)], **options)


@pytest.mark.parametrize("state", ["active", "done"])
def test_it_is_created_with_the_session(tasks: Tasks, server: Simulator, iso: Path, state: str) -> None:
    run = tasks.converge(**declare(state, files=[src(iso)], item_description="An image"))
    created, *_rest = run.mutations
    assert re.search("/content/library/item([?]|$)", created)
    item = server.run(lambda store: store.catalog.item(fresh(store)))
    assert (item.name, item.type, item.description) == ("fresh", "iso", "An image")
    assert run.result["library_item"] == {
        "id": item.id,
        "name": "fresh",
        "library_id": item.library.id,
        "type": "iso",
        "content_version": str(item.content_version),
    }
    assert run.result["item_created"] is True
    assert run.diff["before"]["library_item"] is None
    assert run.diff["after"]["library_item"] == {"name": "fresh", "type": "iso", "description": "An image"}
    assert contents(server, "fresh") == ({"fresh.iso": iso.read_bytes()} if state == "done" else {})
    assert list(update_states(server).values()) == ["DONE" if state == "done" else "ACTIVE"]


@pytest.mark.parametrize("state", ["canceled", "error", "absent"])
def test_without_it_there_is_no_session_to_end(tasks: Tasks, server: Simulator, state: str, iso: Path) -> None:
    for files in (None, [src(iso)]):
        run = tasks.converge(**declare(state, files=files))
        assert not run.changed
        assert (run.session, run.result["library_item"], run.result["item_created"]) == (None, None, False)
    assert not item_is_there(server)


@pytest.mark.parametrize("files", [None, [], [{"name": "old.iso", "state": "absent"}]])
@pytest.mark.parametrize("state", ["active", "done"])
def test_without_files_it_is_not_found(tasks: Tasks, state: str, files: list[dict[str, Any]] | None) -> None:
    run = tasks.refuse(**declare(state, files=files))
    assert run.error["type"] == "NOT_FOUND"
    assert "no item of library 'templates' is named 'fresh', and files names nothing to publish" in run.msg


@pytest.mark.parametrize("state", ["active", "done"])
def test_where_it_may_not_be_created_it_is_not_found(tasks: Tasks, iso: Path, state: str) -> None:
    task = declare(state, files=[src(iso)], create_item=False)
    run = tasks.refuse(**task)
    assert run.error["type"] == "NOT_FOUND"
    assert "create_item" in run.msg
    earlier = "an earlier task of the play that would create the item has not done so"
    assert earlier not in run.msg
    assert earlier in tasks.run(check=True, **task).msg


@pytest.mark.parametrize("named", [{"library": "tempaltes"}, {"library_id": "none"}])
@pytest.mark.parametrize("state", STATES)
def test_a_library_is_never_created(tasks: Tasks, iso: Path, state: str, named: dict[str, Any]) -> None:
    task = declare(state, files=[src(iso)])
    del task["library"]
    run = tasks.refuse(**task, **named)
    assert run.error["type"] == "NOT_FOUND"


@pytest.mark.parametrize("state", STATES)
def test_an_identifier_creates_nothing(tasks: Tasks, iso: Path, state: str) -> None:
    task = declare(state, files=[src(iso)], library_item_id="none")
    del task["library"], task["library_item"]
    if state == "absent":
        assert not tasks.converge(**task).changed
    else:
        assert tasks.refuse(**task).error["type"] == "NOT_FOUND"


def test_its_type_follows_from_the_files(tasks: Tasks, server: Simulator, package: Package, tmp_path: Path) -> None:
    def type_of(*names: str, **options: Any) -> str:
        files = []
        for name in names:
            path = package.descriptor if name == ".ovf" else tmp_path / f"a{name}"
            if name != ".ovf":
                path.write_bytes(b"content")
            files.append(src(path))
        run = tasks.run(check=True, **declare("done", files=files, **options))
        return str(run.result["library_item"]["type"]) if not run.failed else run.msg

    assert type_of(".iso") == "iso"
    assert type_of(".ISO") == "iso"
    assert type_of(".ovf") == "ovf"
    assert type_of(".iso", ".ovf") == "ovf"
    assert type_of(".txt", item_type="other") == "other"
    assert "would make it one of type ovf" in type_of(".ovf", item_type="iso")
    assert "would make it one of type iso" in type_of(".iso", item_type="ovf")
    assert "a VM template takes no files" in type_of(".iso", item_type="vm-template")
    assert "Write item_type: iso." in type_of(".iso", item_type="ISO")
    assert not item_is_there(server)


def test_other_files_need_an_item_type(tasks: Tasks, server: Simulator, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("notes")
    run = tasks.run(**publish(notes))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "notes.txt does not tell of which type it would be" in run.msg
    assert "Set item_type" in run.msg
    assert not run.mutations
    # An earlier task of the play may be what creates it, with its type.
    predicted = tasks.run(check=True, **publish(notes))
    assert predicted.changed
    assert "does not tell of which type" in str(predicted.result["warnings"])
    tasks.converge(**publish(notes, item_type="other"))
    assert contents(server, "fresh") == {"notes.txt": b"notes"}


def test_check_mode_sees_through_the_task_that_would_create_it(tasks: Tasks, server: Simulator, iso: Path) -> None:
    item: dict[str, Any] = {"module": LIBRARY_ITEM, "library": "templates", "name": "fresh", "type": "iso"}
    predicted = [tasks.run(check=True, **item), tasks.run(check=True, **publish(iso))]
    assert [run.changed for run in predicted] == [True, True]
    assert not item_is_there(server)
    real = [tasks.run(**item), tasks.run(**publish(iso))]
    assert [run.changed for run in real] == [True, True]
    assert predicted[1].diff["after"] == real[1].diff["after"]
    assert real[1].result["item_created"] is False


def test_an_item_that_is_there_gets_the_description(tasks: Tasks, server: Simulator, iso: Path) -> None:
    tasks.converge(**publish(iso))
    run = tasks.converge(**publish(iso, item_description="Newer"))
    assert (run.changed, run.result["item_changed"], run.uploaded) == (True, False, [])
    assert run.diff["before"]["library_item"]["description"] == ""
    assert server.run(lambda store: store.catalog.item(fresh(store)).description) == "Newer"
    assert not tasks.converge(**publish(iso)).changed, "without the option an item keeps its description"


@pytest.mark.parametrize("item_type", ["ovf", "other"])
def test_an_item_of_another_type_than_declared_is_refused(tasks: Tasks, iso: Path, item_type: str) -> None:
    tasks.run(**publish(iso))
    run = tasks.refuse(**publish(iso, item_type=item_type))
    assert f"is of type iso, and item_type is {item_type}" in run.msg


def test_a_library_that_subscribes_to_another_gets_none(tasks: Tasks, iso: Path) -> None:
    """In check mode the task reads the library; for real vCenter refuses the item."""
    for check, sent in ((True, []), (False, ["POST"])):
        run = tasks.run(check=check, **publish(iso, library="mirror"))
        assert (run.error["type"], run.changed) == ("INVALID_ELEMENT_TYPE", False)
        assert run.msg.count("library 'mirror'") == 1
        assert "Publish to the library that it subscribes to." in run.msg
        assert [mutation.partition(" ")[0] for mutation in run.mutations] == sent
        assert [bool(message["id"]) for message in run.error["messages"]] == [True] * len(sent)


def test_a_failure_deletes_it_after_its_session(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject("PUT:*:*:transfer-error")
    run = tasks.run(**publish(iso))
    assert run.failed
    assert (run.changed, run.result["item_created"], run.result["item_changed"]) == (False, False, False)
    assert not item_is_there(server)
    assert update_states(server) == {}
    assert "which this task created, was deleted again." in run.msg
    assert run.msg.index("The session, which") < run.msg.index("The item fresh ")
    session_gone, item_gone = run.mutations[-2:]
    assert session_gone.startswith("DELETE ")
    assert "update-session" in session_gone
    assert item_gone.startswith("DELETE ")
    assert "update-session" not in item_gone


def test_a_failed_session_that_is_kept_keeps_it(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject("PUT:*:*:transfer-error")
    run = tasks.run(**publish(iso, keep_failed_session=True))
    assert "stays, as keep_failed_session says." in run.msg
    assert (run.changed, run.result["item_created"]) == (True, True)
    assert item_is_there(server)


def test_a_completion_of_unknown_end_keeps_it(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject("POST:*complete*:*:hang")
    run = tasks.run(**publish(iso, wait_timeout=1, request_timeout=1))
    assert run.failed
    assert "stays, as it has, or may have, its new content." in run.msg
    assert (run.changed, run.result["item_created"], run.result["item_changed"]) == (True, True, True)
    assert item_is_there(server)


def publish_meanwhile(store: Store) -> None:
    store.seed_item_files(fresh(store), {"theirs.iso": b"an image of somebody else"})


def publish_and_remove_meanwhile(store: Store) -> None:
    publish_meanwhile(store)
    store.catalog.item(fresh(store)).files.clear()


def begin_unseen(store: Store) -> None:
    store.seed_update_session(fresh(store), user=VIEWER)


def fail_meanwhile(store: Store) -> None:
    store.seed_update_session(fresh(store), state="ERROR", error_message="out of space")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (publish_meanwhile, "it holds theirs.iso by now"),
        (publish_and_remove_meanwhile, "its content version is 2 by now, and was 1"),
        (fail_meanwhile, "is ERROR on it"),
    ],
)
def test_what_somebody_has_done_to_it_keeps_it(
    tasks: Tasks, server: Simulator, iso: Path, change: Callable[[Store], None], reason: str
) -> None:
    server.inject("PUT:*:*:transfer-error")
    with while_held(server, "*:*cancel*:1:hold", lambda: server.run(change)):
        run = tasks.run(**publish(iso))
    assert run.failed
    assert reason in run.msg
    assert (run.changed, run.result["item_created"]) == (True, True)
    assert item_is_there(server)


def test_a_session_of_another_user_keeps_it(tasks: Tasks, server: Simulator, iso: Path) -> None:
    with while_held(server, f"{SESSION_CREATED}:hold", lambda: server.run(begin_unseen)):
        run = tasks.run(**publish(iso))
    assert run.error["type"] == "RESOURCE_BUSY"
    assert "stays, as somebody else publishes to it." in run.msg
    assert item_is_there(server)


def test_an_answer_that_is_lost_creates_one_item(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject(f"{ITEM_CREATED[tasks.dialect]}:1:truncate")
    run = tasks.run(**publish(iso))
    assert not run.failed, run.msg
    names = server.run(lambda store: [item.name for item in store.catalog.items.values()])
    assert names.count("fresh") == 1


def test_an_item_that_may_have_been_created_is_spoken_of(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject(f"{ITEM_CREATED[tasks.dialect]}:*:truncate")
    run = tasks.run(**publish(iso))
    assert run.failed
    assert "The item fresh may have been created, and would then be empty." in run.msg
    assert run.changed


def test_an_item_that_cannot_be_deleted_is_named(tasks: Tasks, server: Simulator, iso: Path) -> None:
    server.inject("PUT:*:*:transfer-error")
    server.inject("DELETE:*/library/item/*:2+:503")
    run = tasks.run(**publish(iso))
    assert "which this task created, is left behind." in run.msg
    assert (run.changed, run.result["item_created"]) == (True, True)
    assert item_is_there(server)


def test_of_two_tasks_that_create_it_one_finds_it(tasks: Tasks, server: Simulator, iso: Path) -> None:
    def create(store: Store) -> None:
        spec = {"library_id": store.find_library_id("templates"), "name": "fresh", "type": "iso"}
        store.catalog.create_item(spec, None)

    with while_held(server, f"{ITEM_CREATED[tasks.dialect]}:1:hold", lambda: server.run(create)):
        run = tasks.run(**publish(iso))
    assert not run.failed, run.msg
    assert (run.changed, run.result["item_created"]) == (True, False)
    assert contents(server, "fresh") == {"fresh.iso": iso.read_bytes()}
