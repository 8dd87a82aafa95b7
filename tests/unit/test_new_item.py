# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An item that was just made is deleted again only while it is as it was made, and nobody uses it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.tasks import DIALECTS, Tasks
from tests.simulator import Simulator, Store
from tests.simulator.seed import VIEWER

ITEM = "content_library_item"
FRESH: dict[str, Any] = {"library": "templates", "name": "fresh"}
SECONDS = 60


@pytest.fixture(params=DIALECTS)
def tasks(request: pytest.FixtureRequest, sim: Simulator) -> Tasks:
    return Tasks(sim, request.param)


@pytest.fixture
def made(tasks: Tasks) -> dict[str, Any]:
    """What a playbook has registered of the task that made the item."""
    return tasks.run(ITEM, **FRESH).result


def remove(tasks: Tasks, made: dict[str, Any], *, check: bool = False) -> Any:
    return tasks.run(ITEM, check=check, **FRESH, state="absent", new_item=made)


def item_is_there(sim: Simulator) -> bool:
    return sim.run(lambda store: any(item.name == "fresh" for item in store.catalog.items.values()))


def fresh(store: Store) -> str:
    return store.find_item_id("templates", "fresh")


def publish(store: Store) -> None:
    item = store.catalog.item(fresh(store))
    store.seed_item_files(fresh(store), {"theirs.iso": b"an image of somebody else"})
    item.content_version += 1


def publish_and_remove(store: Store) -> None:
    publish(store)
    store.catalog.item(fresh(store)).files.clear()


def begin(store: Store) -> None:
    store.seed_update_session(fresh(store))


def fail(store: Store) -> None:
    store.seed_update_session(fresh(store), state="ERROR", error_message="out of space")


def begin_unseen(store: Store) -> None:
    store.seed_update_session(fresh(store), user=VIEWER)


def test_an_item_that_is_as_it_was_made_is_deleted(tasks: Tasks, sim: Simulator, made: dict[str, Any]) -> None:
    predicted = remove(tasks, made, check=True)
    assert (predicted.changed, predicted.result["kept"], predicted.mutations) == (True, None, [])
    assert item_is_there(sim)

    real = remove(tasks, made)
    assert (real.changed, real.result["kept"]) == (True, None)
    assert real.diff == predicted.diff
    assert not item_is_there(sim)
    created, canceled, deleted, gone = real.mutations
    assert created.startswith("POST ")
    assert "cancel" in canceled
    assert deleted.startswith("DELETE ")
    assert "update-session" not in gone
    assert not sim.run(lambda store: store.active_update_sessions())

    again = remove(tasks, made)
    assert (again.changed, again.result["kept"], again.mutations) == (False, None, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (publish, "it holds 1 file by now: theirs.iso"),
        (publish_and_remove, "its content version is 2 by now, and was 1"),
        (begin, "is ACTIVE on it"),
        (fail, "is ERROR on it"),
    ],
)
def test_an_item_that_somebody_uses_stays(
    tasks: Tasks, sim: Simulator, made: dict[str, Any], change: Callable[[Store], None], reason: str
) -> None:
    sim.run(change)
    for check in (True, False):
        ran = remove(tasks, made, check=check)
        assert (ran.changed, ran.mutations) == (False, [])
        assert reason in ran.result["kept"]
    assert item_is_there(sim)


def test_another_user_s_session_that_cannot_be_seen_keeps_the_item(
    tasks: Tasks, sim: Simulator, made: dict[str, Any]
) -> None:
    sim.run(begin_unseen)
    ran = remove(tasks, made)
    assert (ran.changed, ran.result["kept"]) == (False, "another task publishes to it")
    assert item_is_there(sim)
    assert len(sim.run(lambda store: store.active_update_sessions())) == 1


def test_what_is_published_at_the_last_moment_keeps_the_item(
    tasks: Tasks, sim: Simulator, made: dict[str, Any]
) -> None:
    sim.inject("POST:*/update-session*:1:hold")

    def publish_meanwhile() -> None:
        sim.wait_until_held(SECONDS)
        sim.run(publish)
        sim.release()

    somebody = threading.Thread(target=publish_meanwhile)
    somebody.start()
    ran = remove(tasks, made)
    somebody.join(SECONDS)
    assert (ran.changed, ran.result["kept"]) == (False, "it holds 1 file by now: theirs.iso")
    assert item_is_there(sim)
    assert not sim.run(lambda store: store.active_update_sessions()), "what kept others out has gone"


def test_an_item_that_this_run_has_not_made_stays(tasks: Tasks, sim: Simulator, made: dict[str, Any]) -> None:
    found = tasks.run(ITEM, **FRESH).result
    assert found["created"] is False
    ran = remove(tasks, found)
    assert (ran.changed, ran.result["kept"]) == (False, "it is not the one that this run has made")

    of_another_name = {**FRESH, "name": "tools"}
    ran = tasks.run(ITEM, **of_another_name, state="absent", new_item=made)
    assert (ran.changed, ran.result["kept"]) == (False, "it is not the one that this run has made")
    assert item_is_there(sim)


@pytest.mark.parametrize("value", [{}, {"created": True}, {"created": True, "library_item": None}, {"msg": "failed"}])
def test_what_is_no_result_of_the_module_is_refused(tasks: Tasks, sim: Simulator, value: dict[str, Any]) -> None:
    ran = remove(tasks, value)
    assert ran.error["type"] == "INVALID_ARGUMENT"
    assert "new_item is no result of vsphere.content.content_library_item" in ran.msg
    assert not ran.exchanges


def test_an_item_that_shall_be_there_is_not_to_be_deleted(tasks: Tasks, made: dict[str, Any]) -> None:
    ran = tasks.run(ITEM, **FRESH, new_item=made)
    assert "new_item says when to delete an item, and state is present" in ran.msg
    assert not ran.exchanges
