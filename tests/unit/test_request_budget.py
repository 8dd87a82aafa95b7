# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a task makes that has nothing to do: what a playbook costs that is run every hour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import Package, make_iso, make_package
from tests.harness.tasks import SESSION_INFO, UPDATE_SESSION, Run, Tasks, is_login
from tests.simulator import Simulator, Store

LOGIN_AND_LOGOUT = 2
BY_NAMES: dict[str, Any] = {"library": "templates", "library_item": "tools"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_iso(tmp_path_factory.mktemp("images") / "tools.iso", 3000)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(tmp_path_factory.mktemp("package"), disks=2, disk_bytes=3000)


def item_of(store: Store) -> str:
    return store.find_item_id("templates", "tools")


def seed_session(tasks: Tasks, state: str, **content: Any) -> str:
    return tasks.sim.run(lambda store: store.seed_update_session(item_of(store), state=state, **content))


def assert_budget(tasks: Tasks, requests: int, module: str = UPDATE_SESSION, **options: Any) -> None:
    """The exact number of requests; two fewer with a session_token."""
    assert_idle(tasks.run(module, **options), requests)
    token = tasks.sim.run(lambda store: store.logins.login(tasks.sim.username, tasks.sim.password))
    borrowed = tasks.run(module, session_token=token, **options)
    assert_idle(borrowed, requests - LOGIN_AND_LOGOUT)
    assert [entry.path for entry in borrowed.exchanges if is_login(entry)] == []
    assert tasks.sim.run(lambda store: store.logins.count) == 1, "a session that was handed over is not logged out"


def assert_idle(run: Run, requests: int) -> None:
    assert not run.failed, run.msg
    assert not run.changed
    assert run.mutations == []
    assert [entry.status for entry in run.exchanges if entry.status >= 400] == []
    assert len(run.exchanges) == requests, [f"{entry.method} {entry.path}" for entry in run.exchanges]


@pytest.mark.parametrize(
    ("state", "found"), [("active", "ACTIVE"), ("done", "DONE"), ("canceled", "CANCELED"), ("error", "ERROR")]
)
def test_by_session_id_three(tasks: Tasks, state: str, found: str) -> None:
    session = seed_session(tasks, found)
    assert_budget(tasks, 3, session_id=session, state=state, error_message="why")


def test_by_the_id_of_a_session_with_all_that_is_declared_three(tasks: Tasks) -> None:
    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    session = seed_session(tasks, "ACTIVE", warning_behavior=behavior, client_progress=50)
    assert_budget(tasks, 3, session_id=session, warning_behavior=behavior, client_progress=40)


def test_by_session_id_with_files_four(tasks: Tasks, image: Path) -> None:
    session = seed_session(tasks, "ACTIVE", files={"tools.iso": image.read_bytes()})
    assert_budget(tasks, 4, session_id=session, files=[{"src": str(image)}])


@pytest.mark.parametrize("ended", [0, 3])
@pytest.mark.parametrize("state", ["done", "canceled", "error", "absent"])
def test_by_names_five_and_one_per_session(tasks: Tasks, state: str, ended: int) -> None:
    for _number in range(ended):
        seed_session(tasks, "DONE")
    assert_budget(tasks, 5 + ended, **BY_NAMES, state=state, error_message="why")


@pytest.mark.parametrize("ended", [0, 2])
def test_by_names_with_an_active_session_five_and_one_per_session(tasks: Tasks, ended: int) -> None:
    for _number in range(ended):
        seed_session(tasks, "CANCELED")
    seed_session(tasks, "ACTIVE")
    assert_budget(tasks, 5 + ended + 1, **BY_NAMES, state="active")


@pytest.mark.parametrize("ended", [0, 3])
@pytest.mark.parametrize("state", ["active", "done"])
def test_by_names_with_files_six_and_one_per_session(tasks: Tasks, image: Path, state: str, ended: int) -> None:
    tasks.sim.run(lambda store: store.seed_item_files(item_of(store), {"tools.iso": image.read_bytes()}))
    for _number in range(ended):
        seed_session(tasks, "DONE")
    assert_budget(tasks, 5 + ended + 1, **BY_NAMES, state=state, files=[{"src": str(image)}])


@pytest.mark.parametrize("where", ["session", "item"])
def test_by_names_with_files_in_an_active_session_seven(tasks: Tasks, image: Path, where: str) -> None:
    files = {"tools.iso": image.read_bytes()}
    if where == "item":
        tasks.sim.run(lambda store: store.seed_item_files(item_of(store), files))
    seed_session(tasks, "ACTIVE", files=files if where == "session" else {})
    assert_budget(tasks, 7, **BY_NAMES, state="active", files=[{"src": str(image)}])


def test_a_package_costs_no_more_than_an_image(tasks: Tasks, package: Package) -> None:
    task: dict[str, Any] = {
        "library": "templates",
        "library_item": "rocky9",
        "state": "done",
        "files": [{"src": str(package.descriptor)}],
    }
    assert tasks.run(**task).changed
    assert_budget(tasks, 5 + 1 + 1, **task)


def test_by_item_id_three_and_one_per_session(tasks: Tasks) -> None:
    seed_session(tasks, "DONE")
    assert_budget(tasks, 3 + 1, library_item_id=tasks.sim.run(item_of), state="done")


def test_by_library_id_and_name_four_and_one_per_session(tasks: Tasks) -> None:
    seed_session(tasks, "DONE")
    library = tasks.sim.run(lambda store: store.find_library_id("templates"))
    assert_budget(tasks, 4 + 1, library_id=library, library_item="tools", state="done")


@pytest.mark.parametrize("with_files", [False, True])
@pytest.mark.parametrize("sessions", [0, 2])
@pytest.mark.parametrize("named", ["nothing", "item id", "names"])
def test_session_info_one_per_list_and_one_per_session(
    tasks: Tasks, named: str, sessions: int, with_files: bool
) -> None:
    for _number in range(sessions):
        seed_session(tasks, "DONE")
        tasks.sim.run(lambda store: store.seed_download_session(item_of(store)))
    item: dict[str, Any] = {
        "nothing": {},
        "item id": {"library_item_id": tasks.sim.run(item_of)},
        "names": BY_NAMES,
    }[named]
    per_session = 2 if with_files else 1
    lists_and_names = 2 + (2 if named == "names" else 0)
    requests = LOGIN_AND_LOGOUT + lists_and_names + 2 * sessions * per_session
    assert_budget(tasks, requests, SESSION_INFO, **item, with_files=with_files)


@pytest.mark.parametrize("kind", ["update", "download"])
def test_session_info_of_one_kind_reads_one_list(tasks: Tasks, kind: str) -> None:
    seed_session(tasks, "DONE")
    tasks.sim.run(lambda store: store.seed_download_session(item_of(store)))
    assert_budget(tasks, LOGIN_AND_LOGOUT + 1 + 1, SESSION_INFO, kind=kind)


def test_the_dialect_of_a_current_server_costs_nothing(server: Simulator) -> None:
    server.reset()
    session = seed_session(Tasks(server, "auto"), "DONE")
    assert_budget(Tasks(server, "auto"), 3, session_id=session, state="done")
