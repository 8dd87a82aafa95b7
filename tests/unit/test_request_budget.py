# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task costs that has nothing to do, such as in a playbook that is run every hour: its requests, its imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import begin_update, hold, item_id
from tests.harness.modules import connection_args, run_module_process
from tests.harness.packages import Package, make_iso, make_package
from tests.harness.tasks import SESSION_INFO, TOOLS, UPDATE_SESSION, Run, Tasks, is_login
from tests.simulator import Simulator

LOGIN_AND_LOGOUT = 2


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
def test_by_session_id_four(tasks: Tasks, state: str, found: str) -> None:
    session = begin_update(tasks.sim, state=found)
    assert_budget(tasks, 4, session_id=session, state=state, error_message="why")


def test_by_the_id_of_a_session_with_all_that_is_declared_four(tasks: Tasks) -> None:
    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    session = begin_update(tasks.sim, state="ACTIVE", warning_behavior=behavior, client_progress=50)
    assert_budget(tasks, 4, session_id=session, warning_behavior=behavior, client_progress=40)


def test_by_session_id_with_files_five(tasks: Tasks, image: Path) -> None:
    session = begin_update(tasks.sim, state="ACTIVE", files={"tools.iso": image.read_bytes()})
    assert_budget(tasks, 5, session_id=session, files=[{"src": str(image)}])


@pytest.mark.parametrize("ended", [0, 3])
@pytest.mark.parametrize("state", ["done", "canceled", "error", "absent"])
def test_by_names_six_and_one_per_session(tasks: Tasks, state: str, ended: int) -> None:
    for _number in range(ended):
        begin_update(tasks.sim, state="DONE")
    assert_budget(tasks, 6 + ended, **TOOLS, state=state, error_message="why")


@pytest.mark.parametrize("ended", [0, 2])
def test_by_names_with_an_active_session_six_and_one_per_session(tasks: Tasks, ended: int) -> None:
    for _number in range(ended):
        begin_update(tasks.sim, state="CANCELED")
    begin_update(tasks.sim, state="ACTIVE")
    assert_budget(tasks, 6 + ended + 1, **TOOLS, state="active")


@pytest.mark.parametrize("ended", [0, 3])
@pytest.mark.parametrize("state", ["active", "done"])
def test_by_names_with_files_seven_and_one_per_session(tasks: Tasks, image: Path, state: str, ended: int) -> None:
    hold(tasks.sim, {"tools.iso": image.read_bytes()})
    for _number in range(ended):
        begin_update(tasks.sim, state="DONE")
    assert_budget(tasks, 6 + ended + 1, **TOOLS, state=state, files=[{"src": str(image)}])


@pytest.mark.parametrize("where", ["session", "item"])
def test_by_names_with_files_in_an_active_session_eight(tasks: Tasks, image: Path, where: str) -> None:
    files = {"tools.iso": image.read_bytes()}
    if where == "item":
        hold(tasks.sim, files)
    begin_update(tasks.sim, state="ACTIVE", files=files if where == "session" else {})
    assert_budget(tasks, 8, **TOOLS, state="active", files=[{"src": str(image)}])


def test_a_package_costs_no_more_than_an_image(tasks: Tasks, package: Package) -> None:
    task: dict[str, Any] = {
        "library": "templates",
        "library_item": "rocky9",
        "state": "done",
        "files": [{"src": str(package.descriptor)}],
    }
    assert tasks.run(**task).changed
    assert_budget(tasks, 6 + 1 + 1, **task)


@pytest.mark.parametrize(("kind", "requests"), [("image", 17), ("package", 26)])
def test_what_is_published_to_a_new_item(one: Tasks, tmp_path: Path, kind: str, requests: int) -> None:
    """docs/architecture.md says what each request is for."""
    image = make_iso(tmp_path / "new.iso", 5000)
    source = image if kind == "image" else make_package(tmp_path / "package", disks=3, disk_bytes=9000).descriptor
    run = one.run(library="templates", library_item="new", state="done", files=[{"src": str(source)}])
    assert run.changed, run.msg
    assert len(run.exchanges) == requests, [f"{entry.method} {entry.path}" for entry in run.exchanges]


def test_by_item_id_four_and_one_per_session(tasks: Tasks) -> None:
    begin_update(tasks.sim, state="DONE")
    assert_budget(tasks, 4 + 1, library_item_id=item_id(tasks.sim), state="done")


def test_by_library_id_and_name_five_and_one_per_session(tasks: Tasks) -> None:
    begin_update(tasks.sim, state="DONE")
    library = tasks.sim.run(lambda store: store.find_library_id("templates"))
    assert_budget(tasks, 5 + 1, library_id=library, library_item="tools", state="done")


@pytest.mark.parametrize("with_files", [False, True])
@pytest.mark.parametrize("sessions", [0, 2])
@pytest.mark.parametrize("named", ["nothing", "item id", "names"])
def test_session_info_one_per_list_and_one_per_session(
    tasks: Tasks, named: str, sessions: int, with_files: bool
) -> None:
    for _number in range(sessions):
        begin_update(tasks.sim, state="DONE")
        tasks.sim.run(lambda store: store.seed_download_session(store.find_item_id("templates", "tools")))
    item: dict[str, Any] = {
        "nothing": {},
        "item id": {"library_item_id": item_id(tasks.sim)},
        "names": TOOLS,
    }[named]
    per_session = 2 if with_files else 1
    lists_and_names = 2 + (2 if named == "names" else 0)
    requests = LOGIN_AND_LOGOUT + lists_and_names + 2 * sessions * per_session
    assert_budget(tasks, requests, SESSION_INFO, **item, with_files=with_files)


@pytest.mark.parametrize("kind", ["update", "download"])
def test_session_info_of_one_kind_reads_one_list(tasks: Tasks, kind: str) -> None:
    begin_update(tasks.sim, state="DONE")
    tasks.sim.run(lambda store: store.seed_download_session(store.find_item_id("templates", "tools")))
    assert_budget(tasks, LOGIN_AND_LOGOUT + 1 + 1, SESSION_INFO, kind=kind)


def test_the_dialect_of_a_current_server_costs_nothing(server: Simulator) -> None:
    server.reset()
    session = begin_update(server, state="DONE")
    assert_budget(Tasks(server, "auto"), 4, session_id=session, state="done")


#: What changes something, and what reads packages.
NEEDLESS = {
    *("completion", "ending", "opening", "pull", "push", "session_values", "streams", "update_applier"),
    *("ova", "ovf", "references", "signature", "signer"),
}


@pytest.mark.process
@pytest.mark.parametrize("declares_files", [False, True])
def test_a_task_in_a_process_of_its_own_compiles_no_code_that_it_does_not_use(
    sim: Simulator, image: Path, declares_files: bool
) -> None:
    hold(sim, {"tools.iso": image.read_bytes()})
    files = {"files": [{"src": str(image)}]} if declares_files else {}
    arguments = {**connection_args(sim), **TOOLS, "state": "done", **files}
    ran = run_module_process(UPDATE_SESSION, arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert (ran.rc, ran.result["changed"]) == (0, False)
    imported = {line.rpartition(".")[2] for line in ran.stderr.splitlines() if ".module_utils._" in line}
    assert {"update_finder", *(["hashing"] if declares_files else [])} <= imported
    assert imported & NEEDLESS == set()
