# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever ends a task, an error, a signal or the loss of its parent: what it made is gone, and it has logged out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NoReturn

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vsphere.content.plugins.module_utils._task.run import run_module as run_as_module
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import ContentError
from tests.harness.checkout import ROOT, collections_root
from tests.harness.held import contents, logins, update_states
from tests.harness.modules import MODULES, connection_args, finish_module, run_module, start_module
from tests.harness.packages import make_iso, make_package
from tests.harness.tasks import (
    ROCKY9,
    SESSION_INFO,
    TOOLS,
    UPDATE_SESSION,
    Run,
    Tasks,
    changes_something,
    is_login,
    publish,
)
from tests.harness.waiting import SECONDS, eventually
from tests.simulator import Seed, Simulator

FILE = "tools.iso"

FAILURES = {
    "session-read": ("GET:*update-session/*:1:500", "INTERNAL_SERVER_ERROR"),
    "file-add": ("POST:*file*:1:400", "INVALID_ARGUMENT"),
    "upload": ("PUT:*:1:500", "INTERNAL_SERVER_ERROR"),
    "file-list": ("GET:*session*file*:1:500", "INTERNAL_SERVER_ERROR"),
    "validate": ("POST:*validate*:1:500", "INTERNAL_SERVER_ERROR"),
    "complete": ("POST:*complete*:1:400", "INVALID_ARGUMENT"),
    "html": ("POST:*validate*:*:html", "SERVICE_UNAVAILABLE"),
    "no-answer": ("POST:*validate*:*:reset", "CONNECTION_FAILED"),
    "damaged-on-arrival": ("PUT:*:1:corrupt", "CHECKSUM_MISMATCH"),
}


def made_by(run: Run) -> str:
    """The id of the session that the task made, as the server answered it."""
    (answer,) = [json.loads(entry.response_body) for entry in run.sent("POST") if "file" not in entry.path]
    return str(answer["value"] if isinstance(answer, dict) else answer)


# -- an error


@pytest.mark.parametrize(("fault", "error_type"), FAILURES.values(), ids=FAILURES)
def test_what_a_failed_task_made_is_canceled_and_deleted(
    tasks: Tasks, image: Path, fault: str, error_type: str
) -> None:
    tasks.sim.inject(fault)
    run = tasks.run(**publish(image))
    assert (run.error["type"], run.changed) == (error_type, False)
    assert "The session, which this task created, was canceled and deleted." in run.msg
    assert "'tools'" in run.msg
    assert "Traceback" not in run.outcome.stdout + run.outcome.stderr
    assert (update_states(tasks.sim), contents(tasks.sim), logins(tasks.sim)) == ({}, {}, 0)
    assert [entry.method for entry in run.exchanges if changes_something(entry)][-1] == "DELETE"


def test_a_session_that_fails_by_itself_is_deleted_and_the_server_s_reason_is_told(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("PUT:*:1:transfer-error")
    run = tasks.run(**publish(image))
    assert "Pipe closed" in run.msg
    assert "The session, which this task created, was canceled and deleted." in run.msg
    assert (run.changed, update_states(tasks.sim), contents(tasks.sim), logins(tasks.sim)) == (False, {}, {}, 0)


def test_the_run_after_a_failure_converges(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("POST:*validate*:1:500")
    tasks.run(**publish(image))
    again = tasks.run(**publish(image))
    assert (again.session or {}).get("state") == "DONE"
    assert contents(tasks.sim) == {FILE: image.read_bytes()}


def test_a_login_that_expires_before_the_clean_up_is_renewed(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("POST:*validate*:1:500")
    tasks.sim.inject("POST:*cancel*:1:unauthenticated")
    run = tasks.run(**publish(image))
    assert run.error["type"] == "INTERNAL_SERVER_ERROR"
    assert (update_states(tasks.sim), logins(tasks.sim)) == ({}, 0)


def test_a_session_that_has_gone_by_itself_needs_no_clean_up(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("POST:*validate*:1:500")
    tasks.sim.inject("POST:*cancel*:1:404")
    run = tasks.run(**publish(image))
    assert run.error["type"] == "INTERNAL_SERVER_ERROR"
    assert "Clean-up failed" not in run.msg
    assert logins(tasks.sim) == 0


@pytest.mark.parametrize("fault", ["POST:*cancel*:*:500", "DELETE:*update-session*:*:500"], ids=["cancel", "delete"])
def test_a_clean_up_that_fails_is_told_with_the_session_that_is_left(tasks: Tasks, image: Path, fault: str) -> None:
    tasks.sim.inject("POST:*complete*:1:400")
    tasks.sim.inject(fault)
    run = tasks.run(**publish(image))
    session_id = made_by(run)
    assert (run.error["type"], run.error["operation"]) == ("INVALID_ARGUMENT", "update_session.complete")
    assert "Clean-up failed" in run.msg
    assert f"Session {session_id} is left behind; state: absent with this session_id removes it." in run.msg
    assert "was canceled and deleted" not in run.msg
    assert list(update_states(tasks.sim)) == [session_id]
    assert logins(tasks.sim) == 0
    tasks.sim.clear_faults()
    assert tasks.run(session_id=session_id, state="absent").changed
    assert update_states(tasks.sim) == {}


def test_keep_failed_session_keeps_it_for_a_look_and_for_the_next_run(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("POST:*validate*:1:500")
    run = tasks.run(**publish(image, keep_failed_session=True))
    session_id = made_by(run)
    assert (run.error["type"], run.changed) == ("INTERNAL_SERVER_ERROR", True)
    assert f"Session {session_id}, which this task created, is kept, as keep_failed_session says." in run.msg
    assert (update_states(tasks.sim), logins(tasks.sim)) == ({session_id: "ACTIVE"}, 0)
    again = tasks.run(**publish(image))
    assert ((again.session or {}).get("id"), (again.session or {}).get("state")) == (session_id, "DONE")
    assert again.uploaded == []


@pytest.mark.parametrize("by", ["item", "session_id"])
def test_a_session_that_was_found_stays_and_what_was_changed_in_it_is_listed(
    tasks: Tasks, image: Path, by: str
) -> None:
    session_id = tasks.sim.run(lambda store: store.seed_update_session(find_item_in(store), files={"old.iso": b"old"}))
    tasks.sim.inject("POST:*validate*:1:500")
    named = TOOLS if by == "item" else {"session_id": session_id}
    files = [{"src": str(image)}, {"name": "old.iso", "state": "absent"}]
    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    run = tasks.run(**named, state="done", files=files, warning_behavior=behavior, client_progress=30)
    assert (run.error["type"], run.changed) == ("INTERNAL_SERVER_ERROR", True)
    assert f"Session {session_id} was found, not created by this task, and stays." in run.msg
    for change in ("warning_behavior was set", "client_progress was set", f"file {FILE} was added", "old.iso was rem"):
        assert change in run.msg
    assert (update_states(tasks.sim), logins(tasks.sim)) == ({session_id: "ACTIVE"}, 0)
    assert not run.sent("POST", "cancel")
    assert not run.sent("DELETE", containing="update-session/")[1:], "only the file was removed"


def find_item_in(store: Any) -> str:
    return str(store.find_item_id("templates", "tools"))


@pytest.mark.parametrize(
    ("status", "said", "changed"), [(400, "nothing", False), (500, "perhaps warning_behavior was set", True)]
)
def test_a_found_session_in_which_nothing_was_changed_is_told_so(
    tasks: Tasks, status: int, said: str, changed: bool
) -> None:
    session_id = tasks.sim.run(lambda store: store.seed_update_session(find_item_in(store)))
    tasks.sim.inject(f"PATCH:*:1:{status}")
    run = tasks.run(**TOOLS, warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}])
    assert run.changed is changed
    assert f"Session {session_id} was found, not created by this task, and stays. Changed in it: {said}." in run.msg
    assert update_states(tasks.sim) == {session_id: "ACTIVE"}


@pytest.mark.parametrize(
    ("state", "fault", "left", "change"),
    [
        ("absent", "DELETE:*update-session*:*:403", "CANCELED", "it was canceled"),
        ("canceled", "GET:*update-session/*:2+:500", "CANCELED", "it was canceled"),
        ("error", "GET:*update-session/*:2+:500", "ERROR", "it was marked as failed"),
    ],
)
def test_ending_a_session_tells_how_far_it_has_come(
    tasks: Tasks, state: str, fault: str, left: str, change: str
) -> None:
    session_id = tasks.sim.run(lambda store: store.seed_update_session(find_item_in(store)))
    tasks.sim.inject(fault)
    reason: dict[str, Any] = {"error_message": "withdrawn"} if state == "error" else {}
    run = tasks.run(session_id=session_id, state=state, **reason)
    assert run.failed
    assert f"Session {session_id} was found, not created by this task, and stays. Changed in it: {change}." in run.msg
    assert (run.changed, run.result["item_changed"], update_states(tasks.sim)) == (True, False, {session_id: left})


def replace_stale(tasks: Tasks, tmp_path: Path, fault: str) -> tuple[str, Run]:
    """A task finds a session that cannot take its package any more, and a request fails."""
    package = make_package(tmp_path, disks=1, disk_bytes=20_000)
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    files = {path.name: path.read_bytes() for path in package.files[:2]}
    stale = tasks.sim.run(
        lambda store: store.seed_update_session(store.find_item_id("templates", "rocky9"), files=files)
    )
    tasks.sim.inject(fault)
    return stale, tasks.run(**publish(package.descriptor, ROCKY9))


def test_a_stale_session_that_can_only_be_canceled_is_told_of(tasks: Tasks, tmp_path: Path) -> None:
    stale, run = replace_stale(tasks, tmp_path, "DELETE:*update-session*:*:403")
    assert (run.error["type"], run.changed, update_states(tasks.sim)) == ("UNAUTHORIZED", True, {stale: "CANCELED"})
    assert f"Session {stale} was found, not created by this task, and stays. Changed in it: it was canceled." in run.msg


def test_a_failure_after_a_stale_session_was_replaced_says_that_it_is_gone(tasks: Tasks, tmp_path: Path) -> None:
    stale, run = replace_stale(tasks, tmp_path, "POST:*validate*:1:500")
    assert (run.error["type"], run.changed) == ("INTERNAL_SERVER_ERROR", True)
    assert f"ession {stale}" in run.msg
    assert "was removed" in run.msg
    assert "The session, which this task created, was canceled and deleted." in run.msg
    assert (update_states(tasks.sim), logins(tasks.sim)) == ({}, 0)


def test_a_logout_that_fails_is_a_warning_and_no_failure(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("DELETE:*/session:1:500")
    run = tasks.run(**publish(image))
    assert (run.session or {}).get("state") == "DONE"
    assert any("log out" in warning for warning in run.outcome.warnings)


# -- what any module has of it


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, server: Simulator) -> Callable[[Callable[[Any], Any]], dict[str, Any]]:
    """Run a piece of work as a module, logged in to the server; returns its result."""
    server.reset()

    def call(piece: Callable[[Any], Any]) -> dict[str, Any]:
        def main() -> NoReturn:
            def run(_module_: AnsibleModule, task: Any, _declared: None) -> dict[str, Any]:
                outcome: dict[str, Any] = piece(task)
                return outcome

            run_as_module({}, lambda _module_: None, run, describe=lambda _params: None)

        made = types.ModuleType(f"{MODULES}.made_up")
        vars(made)["main"] = main
        monkeypatch.setitem(sys.modules, made.__name__, made)
        return run_module("made_up", connection_args(server)).result

    return call


def test_what_was_done_is_undone_from_the_last_to_the_first(work: Any, server: Simulator) -> None:
    order: list[str] = []

    def undo(name: str) -> Callable[[], str]:
        return lambda: order.append(name) or f"{name} was undone."  # type: ignore[func-returns-value]

    def piece(task: Any) -> dict[str, Any]:
        task.on_failure(undo("first"))
        task.on_failure(undo("second"))
        raise ContentError("it broke")

    result = work(piece)
    assert order == ["second", "first"]
    assert "second was undone. first was undone." in result["msg"]
    assert logins(server) == 0


def test_nothing_is_undone_after_success(work: Any, server: Simulator) -> None:
    order: list[str] = []

    def piece(task: Any) -> dict[str, Any]:
        task.on_failure(lambda: order.append("undone") or "")  # type: ignore[func-returns-value]
        return {"changed": True}

    assert work(piece)["changed"] is True
    assert (order, logins(server)) == ([], 0)


@pytest.mark.parametrize("broken", [ContentError("the server is away"), KeyError("lost")], ids=["known", "a-defect"])
def test_one_thing_that_cannot_be_undone_does_not_keep_the_others(
    work: Any, server: Simulator, broken: Exception
) -> None:
    def fail() -> str:
        raise broken

    def piece(task: Any) -> dict[str, Any]:
        task.on_failure(lambda: "The first was undone.")
        task.on_failure(fail)
        raise ContentError("it broke", error_type="TRANSFER_FAILED")

    result = work(piece)
    assert result["error"]["type"] == "TRANSFER_FAILED"
    assert all(text in result["msg"] for text in ("it broke", "Clean-up failed"))
    assert "The first was undone." in result["msg"]
    assert logins(server) == 0


def test_a_defect_of_ours_is_cleaned_up_after_as_well(work: Any, server: Simulator) -> None:
    def piece(task: Any) -> dict[str, Any]:
        task.on_failure(lambda: "The session was deleted.")
        raise RuntimeError("a wrong turn")

    result = work(piece)
    assert result["failed"] is True
    assert all(text in result["msg"] for text in ("a wrong turn", "The session was deleted.", "please report it"))
    assert "Traceback" not in result["msg"]
    assert logins(server) == 0


def test_a_signal_within_a_shield_ends_the_task_also_where_the_block_fails(work: Any, server: Simulator) -> None:
    """Whoever catches the error would go on, and no other signal is heard any more."""

    def piece(task: Any) -> dict[str, Any]:
        with contextlib.suppress(ContentError), task.shield():
            task.on_failure(lambda: "The session was deleted.")
            os.kill(os.getpid(), signal.SIGTERM)
            raise ContentError("another task is at work")
        return {"changed": True}

    result = work(piece)
    assert result["error"]["type"] == "CANCELED"
    assert result["msg"].startswith("The task was ended by SIGTERM. The session was deleted.")
    assert logins(server) == 0


def test_a_shield_in_another_thread_holds_nothing_back(work: Any) -> None:
    """Signals come to the main thread alone."""
    entered, leave = threading.Event(), threading.Event()

    def stay(task: Any) -> None:
        with task.shield():
            entered.set()
            leave.wait()

    def piece(task: Any) -> dict[str, Any]:
        thread = threading.Thread(target=stay, args=(task,))
        thread.start()
        entered.wait()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            return {"changed": True}
        finally:
            leave.set()
            thread.join()

    assert work(piece)["error"]["type"] == "CANCELED"


# -- a signal, or nobody left to wait for the result


@pytest.fixture(scope="module")
def slow_server() -> Iterator[Simulator]:
    with Simulator(settle=0, rate=2_000_000) as running:
        yield running


@pytest.fixture
def slow(slow_server: Simulator) -> Simulator:
    slow_server.reset()
    return slow_server


@pytest.fixture(scope="module")
def large_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_iso(tmp_path_factory.mktemp("images") / FILE, 24_000_000)


def upload_args(sim: Simulator, image: Path, dialect: str = "auto") -> dict[str, Any]:
    return {
        **connection_args(sim),
        "api_dialect": dialect,
        **TOOLS,
        "state": "done",
        "files": [{"src": str(image)}],
    }


def transferred(sim: Simulator) -> int:
    def read(store: Any) -> int:
        held = [file for session in store.updates.sessions.values() for file in session.files.values()]
        return sum(file.bytes_transferred for file in held)

    return sim.run(read)


def in_mid_upload(sim: Simulator) -> bool:
    return eventually(lambda: transferred(sim) > 0)


@pytest.mark.process
def test_an_interrupt_in_mid_upload_ends_the_task_cleanly(slow: Simulator, large_image: Path) -> None:
    """The other signals, and the loss of the reader, come at each point in tests/faults."""
    process = start_module(UPDATE_SESSION, upload_args(slow, large_image))
    assert in_mid_upload(slow)
    process.send_signal(signal.SIGINT)
    ended = finish_module(process, SECONDS)
    assert (update_states(slow), contents(slow), logins(slow)) == ({}, {}, 0)
    assert ended.result["failed"] is True
    assert "ended by SIGINT" in ended.result["msg"]
    assert "The session, which this task created, was canceled and deleted." in ended.result["msg"]
    assert set(ended.result["error"]) == {"type", "status", "operation", "messages", "data", "session_id"}
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.process
def test_a_signal_leaves_a_found_session_as_it_is(slow: Simulator, large_image: Path) -> None:
    session_id = slow.run(lambda store: store.seed_update_session(find_item_in(store)))
    arguments = {name: value for name, value in upload_args(slow, large_image).items() if name not in TOOLS}
    process = start_module(UPDATE_SESSION, {**arguments, "session_id": session_id})
    assert in_mid_upload(slow)
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process, SECONDS)
    assert (update_states(slow), logins(slow)) == ({session_id: "ACTIVE"}, 0)
    assert "ended by SIGTERM" in ended.result["msg"]
    assert f"Session {session_id} was found, not created by this task, and stays." in ended.result["msg"]
    assert f"Changed in it: file {FILE} was added." in ended.result["msg"]
    assert (ended.result["changed"], ended.result["item_changed"]) == (True, False)


@pytest.mark.process
@pytest.mark.parametrize(
    ("request_held", "said", "changed"),
    [("validate", "nothing", False), ("complete", "it may have been completed", True)],
)
def test_a_signal_while_a_found_session_is_completed_leaves_no_wrong_word(
    server: Simulator, request_held: str, said: str, changed: bool
) -> None:
    server.reset()
    session_id = server.run(lambda store: store.seed_update_session(find_item_in(store), files={FILE: b"whole"}))
    server.inject(f"POST:*{request_held}*:1:hold-answer")
    process = start_module(UPDATE_SESSION, {**connection_args(server), "session_id": session_id, "state": "done"})
    assert server.wait_until_held()
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process, SECONDS)
    server.release()
    assert f"Changed in it: {said}." in ended.result["msg"]
    assert (ended.result["changed"], ended.result["item_changed"]) == (changed, changed)


@pytest.mark.process
def test_a_signal_ends_the_watch_over_a_session_that_was_found(slow: Simulator, large_image: Path) -> None:
    session_id = slow.run(lambda store: store.seed_update_session(find_item_in(store), transferring={FILE: 300}))
    process = start_module(UPDATE_SESSION, upload_args(slow, large_image))
    assert eventually(lambda: sum(session_id in entry.path for entry in slow.exchanges) > 3)
    process.send_signal(signal.SIGINT)
    ended = finish_module(process, SECONDS)
    assert "ended by SIGINT" in ended.result["msg"]
    assert not [entry for entry in slow.exchanges if session_id in entry.path and changes_something(entry)]
    assert (update_states(slow), logins(slow)) == ({session_id: "ACTIVE"}, 0)


@pytest.mark.process
def test_a_signal_in_mid_clean_up_does_not_cut_it(server: Simulator, image: Path) -> None:
    server.reset()
    server.inject("POST:*validate*:1:500")
    server.inject("POST:*cancel*:1:hold")
    process = start_module(UPDATE_SESSION, upload_args(server, image))
    assert server.wait_until_held()
    process.send_signal(signal.SIGTERM)
    server.release()
    ended = finish_module(process, SECONDS)
    assert (update_states(server), logins(server)) == ({}, 0)
    assert "was canceled and deleted" in ended.result["msg"]
    assert ended.result["error"]["type"] == "INTERNAL_SERVER_ERROR", "the failure came first"


@pytest.mark.process
def test_a_terminal_and_ansible_that_both_send_a_signal_have_one_wish(slow: Simulator, large_image: Path) -> None:
    slow.inject("POST:*cancel*:1:slow/0.7")
    process = start_module(UPDATE_SESSION, upload_args(slow, large_image))
    assert in_mid_upload(slow)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
        process.send_signal(number)
    ended = finish_module(process, SECONDS)
    assert (update_states(slow), logins(slow)) == ({}, 0)
    assert "was canceled and deleted" in ended.result["msg"]


@pytest.mark.process
def test_a_server_that_has_gone_silent_holds_the_end_of_a_task_up_only_for_moments(
    slow: Simulator, large_image: Path
) -> None:
    """Far less than request_timeout for each request: whoever ends a task kills it after a while."""
    process = start_module(UPDATE_SESSION, {**upload_args(slow, large_image), "request_timeout": 600})
    assert in_mid_upload(slow)
    slow.inject("POST:*cancel*:1:hang")
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process, SECONDS)
    assert "was canceled and deleted" in ended.result["msg"]
    assert (update_states(slow), logins(slow)) == ({}, 0)


@pytest.mark.process
def test_a_signal_does_not_cut_the_result_when_all_is_done(server: Simulator) -> None:
    """The result is larger than a pipe holds, so that the module is still printing it."""
    server.reset()
    count = 200
    server.run(lambda store: [store.seed_update_session(find_item_in(store), state="DONE") for _number in range(count)])
    process = start_module(SESSION_INFO, {**connection_args(server), **TOOLS, "kind": "update"})
    assert eventually(lambda: any(is_login(entry) and entry.method == "DELETE" for entry in server.exchanges))
    assert process.stdout
    assert select.select([process.stdout], [], [], SECONDS)[0]
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process, SECONDS)
    assert (ended.rc, len(ended.result["update_sessions"])) == (0, count)


@pytest.mark.process
def test_a_task_whose_parent_dies_ends_cleanly(slow: Simulator, large_image: Path, tmp_path: Path) -> None:
    arguments = {"ANSIBLE_MODULE_ARGS": {**upload_args(slow, large_image), "_ansible_remote_tmp": str(tmp_path)}}
    (tmp_path / "arguments").write_text(json.dumps(arguments), encoding="utf-8")
    parent_code = (
        "import subprocess, sys, time\n"
        "with open('arguments') as given, open('result', 'w') as result:\n"
        f"    subprocess.Popen([sys.executable, '-m', '{MODULES}.{UPDATE_SESSION}'], stdin=given, stdout=result)\n"
        "time.sleep(60)\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VMWARE_")}
    environment = {**kept, "PYTHONPATH": os.pathsep.join([str(collections_root()), str(ROOT)])}
    parent = subprocess.Popen([sys.executable, "-c", parent_code], cwd=tmp_path, env=environment)
    assert in_mid_upload(slow)
    parent.kill()
    parent.wait()
    assert eventually(lambda: not update_states(slow) and not logins(slow), SECONDS)
    assert eventually(lambda: (tmp_path / "result").read_text(encoding="utf-8").strip(), SECONDS)
    result = json.loads((tmp_path / "result").read_text(encoding="utf-8"))
    assert "was canceled and deleted" in result["msg"]
