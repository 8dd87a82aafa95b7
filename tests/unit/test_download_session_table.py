# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download sessions without dest: what a task does with the sessions that it finds, or with none."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import download_states, item_id, seed_of
from tests.harness.modules import connection_args, finish_module, start_module
from tests.harness.tasks import DOWNLOAD_SESSION, Run, Tasks, fetch
from tests.harness.waiting import HANG
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES, UserSeed

STATES = ("active", "canceled", "error", "absent")
FOUND = ("none", "ACTIVE", "ERROR", "CANCELED")
ENDS = {"active": "ACTIVE", "canceled": "CANCELED", "error": "ERROR", "absent": None}
UNKNOWN_SESSION = "00000000-0000-4000-8000-000000000000:00000000-0000-4000-8000-000000000001"
WHY = "The datastore is full."
FILES = {"rocky9.ovf": b"<Envelope/>", "disk1.vmdk": b"1" * 3000, "disk2.vmdk": b"2" * 2000, "rocky9.nvram": b"n"}
SEED = Seed(libraries=(LibrarySeed("templates", (ItemSeed("rocky9", "ovf", FILES),)),))

pytestmark = pytest.mark.seed(SEED)

REFUSED = "refused"
NOT_FOUND = "not found"

# What becomes of the session that is named by its id: the state it ends in (None: gone), or why not.
BY_ID: dict[str, dict[str, str | None]] = {
    "active": {"none": NOT_FOUND, "ACTIVE": "ACTIVE", "ERROR": REFUSED, "CANCELED": REFUSED},
    "canceled": {"none": NOT_FOUND, "ACTIVE": "CANCELED", "ERROR": REFUSED, "CANCELED": "CANCELED"},
    "error": {"none": NOT_FOUND, "ACTIVE": "ERROR", "ERROR": "ERROR", "CANCELED": REFUSED},
    "absent": {"none": None, "ACTIVE": None, "ERROR": None, "CANCELED": None},
}


def seed_session(tasks: Tasks, found: str = "ACTIVE", **content: Any) -> str:
    item = item_id(tasks.sim, "rocky9")
    if found == "none":
        return UNKNOWN_SESSION
    return tasks.sim.run(lambda store: store.seed_download_session(item, state=found, error_message=WHY, **content))


def declare(state: str, **options: Any) -> dict[str, Any]:
    reason = {"error_message": "Withdrawn."} if state == "error" else {}
    return {"module": DOWNLOAD_SESSION, "state": state, **reason, **options}


def by_item(state: str = "active", **options: Any) -> dict[str, Any]:
    return declare(state, library="templates", library_item="rocky9", **options)


def prepared(run: Run) -> list[str]:
    """The names that were asked to be prepared, in order."""
    bodies = [json.loads(entry.request_body) for entry in run.sent("POST", "prepare", "session")]
    return [body["file_name"] for body in bodies]


@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("state", STATES)
def test_a_session_named_by_its_id(tasks: Tasks, state: str, found: str) -> None:
    session = seed_session(tasks, found, prepared=FILES)
    before = download_states(tasks.sim)
    expected = BY_ID[state][found]
    options = declare(state, session_id=session)
    if expected in (REFUSED, NOT_FOUND):
        run = tasks.refuse(**options)
        assert run.error["session_id"] == session
        if expected == NOT_FOUND:
            assert run.error["type"] == "NOT_FOUND"
        else:
            assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
            assert f"is {found} and cannot become {state.upper()}" in run.msg
            assert (WHY in run.msg) == (found == "ERROR")
        assert download_states(tasks.sim) == before
        return
    run = tasks.converge(**options)
    assert run.changed == (expected != (None if found == "none" else found))
    assert download_states(tasks.sim) == ({} if expected is None else {session: expected})
    assert run.diff["before"]["state"] == (None if found == "none" else found)
    assert run.diff["after"]["state"] == expected
    assert (run.session or {}).get("state") == expected
    assert (run.session or {}).get("id") == (None if expected is None else session)


@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("state", STATES)
def test_sessions_named_by_their_item(tasks: Tasks, state: str, found: str) -> None:
    first, second = seed_session(tasks, found, prepared=FILES), seed_session(tasks, found, prepared=FILES)
    run = tasks.converge(**by_item(state))
    after = download_states(tasks.sim)
    if state == "active":
        made = [key for key in after if key not in (first, second)]
        assert run.changed == (found != "ACTIVE")
        assert len(made) == (0 if found == "ACTIVE" else 1)
        assert run.session is not None
        assert run.session["id"] == (first if found == "ACTIVE" else made[0])
        assert run.session["state"] == "ACTIVE"
        return
    ends = {"ACTIVE": ENDS[state], "none": None}.get(found, found if state != "absent" else None)
    assert after == ({} if ends is None else {first: ends, second: ends})
    assert run.changed == (found != "none" and ends != found)
    assert run.diff["before"]["states"] == ([] if found == "none" else [found, found])
    assert run.diff["after"]["states"] == ([] if ends is None else [ends, ends])
    assert (run.session or {}).get("state") == ends


def test_only_the_callers_sessions_on_the_item_are_meant(tasks: Tasks) -> None:
    item = item_id(tasks.sim, "rocky9")
    other = tasks.sim.run(lambda store: store.seed_download_session(item, user="viewer@vsphere.local"))
    assert not tasks.converge(**by_item("absent")).changed
    assert download_states(tasks.sim) == {other: "ACTIVE"}


def test_a_failed_session_says_why(tasks: Tasks) -> None:
    session = seed_session(tasks)
    run = tasks.converge(**declare("error", session_id=session))
    assert run.session is not None
    assert run.session["error_message"]["default_message"] == "Withdrawn."


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (None, list(FILES)),
        (["rocky9.ovf"], ["rocky9.ovf"]),
        (["*.vmdk"], ["disk1.vmdk", "disk2.vmdk"]),
        (["rocky9.nvram", "disk[2-9].vmdk", "*.nvram"], ["disk2.vmdk", "rocky9.nvram"]),
    ],
)
@pytest.mark.parametrize("named", ["id", "item"])
def test_files_are_prepared_by_name_and_glob(
    tasks: Tasks, named: str, files: list[str] | None, names: list[str]
) -> None:
    options = declare("active", session_id=seed_session(tasks)) if named == "id" else by_item()
    run = tasks.converge(**options, **({} if files is None else {"files": files}))
    assert run.changed
    assert prepared(run) == names
    assert [(file["name"], file["status"]) for file in run.result["files"]] == [(name, "PREPARED") for name in names]
    assert run.diff["after"]["files"] == {name: {"status": "PREPARED", "endpoint_type": "HTTPS"} for name in names}
    for file in run.result["files"]:
        assert file["download_endpoint"]["uri"].startswith(f"https://localhost:{tasks.sim.port}/")
        assert {"size", "bytes_transferred", "checksum_info", "error_message"} <= set(file)


def test_only_what_is_not_prepared_is_asked_for(tasks: Tasks) -> None:
    session = seed_session(tasks, prepared=["disk1.vmdk"])
    run = tasks.converge(**declare("active", session_id=session, files=["*.vmdk"]))
    assert prepared(run) == ["disk2.vmdk"]
    assert run.diff["before"]["files"]["disk2.vmdk"] == {"status": "UNPREPARED", "endpoint_type": None}


@pytest.mark.parametrize("named", ["id", "item"])
def test_a_pattern_that_fits_nothing_is_refused_with_what_there_is(tasks: Tasks, named: str) -> None:
    options = declare("active", session_id=seed_session(tasks)) if named == "id" else by_item()
    run = tasks.refuse(**options, files=["*.vmdk", "Rocky9.ovf", "*.iso"])
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "'Rocky9.ovf', '*.iso' under files fit none of" in run.msg
    assert "rocky9.ovf, disk1.vmdk" in run.msg
    assert "allow_empty" in run.msg
    assert ("'rocky9' in library 'templates'" in run.msg) == (named == "item")
    assert (item_id(tasks.sim, "rocky9") in run.msg) == (named == "id")


def test_of_many_names_some_are_told(tasks: Tasks) -> None:
    item = item_id(tasks.sim, "rocky9")
    tasks.sim.run(lambda store: store.seed_item_files(item, {f"chunk.{number:09d}": b"" for number in range(300)}))
    run = tasks.refuse(**by_item(files=[f"piece.{number}" for number in range(40)]))
    assert "'piece.9' and 30 more under files fit none of its files, " in run.msg
    assert len(run.msg) < 1000


EMPTY = Seed(libraries=(LibrarySeed("templates", (ItemSeed("rocky9", "ovf"),)),))
NOTHING: list[dict[str, Any]] = [{}, {"files": ["rocky9.ovf"]}, {"files": ["*"]}]


@pytest.mark.parametrize("options", NOTHING, ids=["all", "name", "glob"])
@pytest.mark.parametrize("named", ["names", "item id", "session id", "session on the item"])
def test_preparing_nothing_is_an_error(tasks: Tasks, named: str, options: dict[str, Any]) -> None:
    tasks.sim.reset(EMPTY)
    item = item_id(tasks.sim, "rocky9")
    session = seed_session(tasks) if named.startswith("session") else None
    by: dict[str, Any] = {
        "names": by_item(),
        "item id": declare("active", library_item_id=item),
        "session id": declare("active", session_id=session),
        "session on the item": by_item(),
    }[named]
    run = tasks.refuse(**by, **options)
    assert (run.error["type"], run.error["session_id"]) == ("NOT_FOUND", session)
    assert ("'rocky9' in library 'templates'" if by.get("library") else item) in run.msg
    assert "holds no files" in run.msg
    assert ("Publish to it first" if session is None else f"session {session} on item {item}") in run.msg
    assert "allow_empty: true" in run.msg
    assert download_states(tasks.sim) == ({session: "ACTIVE"} if session else {})


@pytest.mark.parametrize("options", [{}, {"allow_empty": True}], ids=["any", "allow_empty"])
@pytest.mark.parametrize("with_dest", [True, False], ids=["dest", "session"])
def test_a_vm_template_has_nothing_to_fetch(tasks: Tasks, dest: Path, with_dest: bool, options: dict[str, Any]) -> None:
    by: dict[str, Any] = fetch(dest) if with_dest else by_item()
    tasks.sim.reset(seed_of({}, kind="vm-template"))
    empty = tasks.run(**by, **options)
    assert empty.failed is not bool(options), empty.msg
    assert options or "is a VM template, which has no files to fetch. Name an item of type ovf or iso" in empty.msg
    tasks.sim.reset(seed_of({"rocky9.vmtx": b"listed all the same"}, kind="vm-template"))
    refused = tasks.run(**by, **options)
    assert refused.error["type"] == "INVALID_ELEMENT_TYPE"
    assert "contains a virtual machine template. vCenter gives no files of this item." in refused.msg
    assert download_states(tasks.sim) == {}


@pytest.mark.parametrize("seed", [EMPTY, SEED], ids=["no-files", "other-files"])
@pytest.mark.parametrize("options", [{"files": ["*.iso", "tools.iso"]}, {"files": []}], ids=["none-fits", "none-named"])
def test_nothing_to_prepare_may_be_allowed_and_makes_no_session(
    tasks: Tasks, seed: Seed, options: dict[str, Any]
) -> None:
    tasks.sim.reset(seed)
    run = tasks.converge(**by_item(**options, allow_empty=True, client_progress=30, keep_alive=True))
    assert (run.changed, run.result["files"], run.session) == (False, [], None)
    assert download_states(tasks.sim) == {}


def test_all_of_an_empty_item_may_be_allowed(tasks: Tasks) -> None:
    tasks.sim.reset(EMPTY)
    run = tasks.converge(**by_item(allow_empty=True))
    assert (run.changed, run.result["files"], run.session) == (False, [], None)


def test_a_session_in_which_nothing_is_prepared_is_kept_alive_all_the_same(tasks: Tasks) -> None:
    session = seed_session(tasks)
    run = tasks.converge(**declare("active", session_id=session, files=[], allow_empty=True, client_progress=30))
    assert (run.changed, run.result["files"]) == (True, [])
    assert run.session is not None
    assert (run.session["id"], run.session["client_progress"]) == (session, 30)


def test_what_is_there_is_prepared_where_the_rest_is_allowed_to_be_missing(tasks: Tasks) -> None:
    run = tasks.converge(**by_item(files=["rocky9.ovf", "rocky9.mf", "*.iso"], allow_empty=True))
    assert prepared(run) == ["rocky9.ovf"]


def test_an_empty_list_is_refused_before_the_first_request(tasks: Tasks) -> None:
    run = tasks.refuse(**by_item(files=[]))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert all(text in run.msg for text in ("files is an empty list", "leave files out", "allow_empty"))
    assert run.exchanges == ()


@pytest.mark.parametrize("files", [[], ["*.iso"]])
@pytest.mark.parametrize("state", ["canceled", "error", "absent"])
def test_sessions_end_whatever_there_was_to_fetch(tasks: Tasks, state: str, files: list[str]) -> None:
    tasks.sim.reset(EMPTY)
    session = seed_session(tasks)
    assert tasks.converge(**by_item(state, files=files)).changed
    assert download_states(tasks.sim) == ({session: ENDS[state]} if ENDS[state] else {})


def test_a_file_whose_name_looks_like_a_glob_is_found_by_its_name(tasks: Tasks) -> None:
    item = item_id(tasks.sim, "rocky9")
    tasks.sim.run(lambda store: store.seed_item_files(item, {"a[1].iso": b"x"}))
    assert prepared(tasks.converge(**by_item(files=["a[1].iso"]))) == ["a[1].iso"]


def test_direct_addresses_are_in_the_datastore_and_replace_others(tasks: Tasks) -> None:
    session = seed_session(tasks, prepared=["rocky9.ovf"])
    run = tasks.converge(**declare("active", session_id=session, files=["rocky9.ovf"], endpoint_type="DIRECT"))
    assert run.diff["before"]["files"]["rocky9.ovf"]["endpoint_type"] == "HTTPS"
    assert run.diff["after"]["files"]["rocky9.ovf"]["endpoint_type"] == "DIRECT"
    assert run.result["files"][0]["download_endpoint"]["uri"].startswith("ds:///vmfs/volumes/")


def test_direct_without_its_privilege_names_it_and_leaves_nothing(tasks: Tasks) -> None:
    granted = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    tasks.sim.reset(Seed(libraries=SEED.libraries, users=(UserSeed(ADMINISTRATOR, privileges=granted),)))
    run = tasks.run(**by_item(endpoint_type="DIRECT"))
    assert run.error["type"] == "UNAUTHORIZED"
    assert "ContentLibrary.ReadStorage" in run.msg
    assert "was canceled and deleted" in run.msg
    assert not run.changed
    assert download_states(tasks.sim) == {}


def test_a_user_without_the_privilege_learns_which(tasks: Tasks) -> None:
    granted = tuple(name for name in PRIVILEGES if name != "ContentLibrary.DownloadSession")
    tasks.sim.reset(Seed(libraries=SEED.libraries, users=(UserSeed(ADMINISTRATOR, privileges=granted),)))
    run = tasks.run(**by_item())
    assert run.error["type"] == "UNAUTHORIZED"
    assert "could not list the download sessions" in run.msg.lower()
    assert "ContentLibrary.DownloadSession" in run.msg


@pytest.mark.parametrize("found", ["none", "ACTIVE"])
def test_a_file_that_cannot_be_prepared_fails_with_the_servers_reason(tasks: Tasks, found: str) -> None:
    session = seed_session(tasks, found)
    tasks.sim.run(lambda store: store.refuse_to_prepare("disk2.vmdk", "The host is in maintenance mode."))
    run = tasks.run(**by_item())
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "disk2.vmdk could not be prepared: The host is in maintenance mode." in run.msg
    assert download_states(tasks.sim) == ({} if found == "none" else {session: "ACTIVE"})
    assert ("was canceled and deleted" in run.msg) == (found == "none")
    assert run.changed == (found != "none")


@pytest.mark.parametrize(
    ("fault", "error_type", "changed", "said"),
    [
        ("POST:*prepare*:1:500", "INTERNAL_SERVER_ERROR", True, "perhaps rocky9.ovf was asked for"),
        ("POST:*prepare*:1:reset", "CONNECTION_FAILED", True, "perhaps rocky9.ovf was asked for"),
        ("POST:*prepare*:1:403", "UNAUTHORIZED", False, ""),
        ("POST:*prepare*:2:403", "UNAUTHORIZED", True, "rocky9.ovf was asked for."),
        ("GET:*session*file*:2:400", "INVALID_ARGUMENT", True, "rocky9.ovf was asked for; disk1.vmdk was asked for."),
    ],
    ids=["not-told", "no-answer", "first-refused", "second-refused", "wait"],
)
@pytest.mark.parametrize("found", ["none", "ACTIVE"])
def test_what_was_prepared_before_a_failure_is_told_and_counts_where_it_stays(
    tasks: Tasks, found: str, fault: str, error_type: str, changed: bool, said: str
) -> None:
    session = seed_session(tasks, found)
    # A session that was found has its files listed before.
    tasks.sim.inject(fault.replace(":2:400", ":1:400") if found == "none" else fault)
    run = tasks.run(**by_item(files=["rocky9.ovf", "disk1.vmdk"]))
    assert run.error["type"] == error_type, run.msg
    if found == "none":
        assert not run.changed
        assert "not put back" not in run.msg
        assert download_states(tasks.sim) == {}
        return
    assert run.changed == changed
    assert ("not put back" in run.msg) == changed
    assert said in run.msg
    assert download_states(tasks.sim) == {session: "ACTIVE"}


@pytest.mark.parametrize(("status", "said"), [(500, "perhaps client_progress was set"), (403, "")])
def test_a_progress_that_may_have_been_set_counts(tasks: Tasks, status: int, said: str) -> None:
    session = seed_session(tasks, prepared=FILES)
    tasks.sim.inject(f"POST:*keep-alive*:1:{status}")
    run = tasks.run(**declare("active", session_id=session, client_progress=30))
    assert run.changed == bool(said)
    assert said in run.msg


def test_a_progress_that_was_set_before_a_failure_counts(tasks: Tasks) -> None:
    session = seed_session(tasks)
    tasks.sim.inject("POST:*prepare*:1:403")
    run = tasks.run(**declare("active", session_id=session, client_progress=30))
    assert run.changed
    assert "Changed, and not put back: client_progress was set." in run.msg


DONE_TO = {"canceled": "canceled", "error": "marked as failed", "absent": "deleted"}


@pytest.mark.parametrize("state", DONE_TO)
def test_sessions_that_were_ended_before_another_one_could_not_be_are_told_of(tasks: Tasks, state: str) -> None:
    first, second = seed_session(tasks), seed_session(tasks)
    action = {"canceled": "cancel", "error": "fail", "absent": "cancel"}[state]
    tasks.sim.inject(f"POST:*{second}*{action}*:*:403")
    run = tasks.run(**by_item(state))
    assert run.error["type"] == "UNAUTHORIZED"
    assert run.error["session_id"] == second
    assert run.changed
    assert f"session {first} was {DONE_TO[state]}" in run.msg
    assert f"session {second} was" not in run.msg
    assert download_states(tasks.sim) == {
        **({} if state == "absent" else {first: ENDS[state]}),
        second: "ACTIVE",
    }


def test_a_session_that_could_be_canceled_and_not_deleted_has_changed(tasks: Tasks) -> None:
    session = seed_session(tasks)
    tasks.sim.inject("DELETE:*download-session*:*:403")
    run = tasks.run(**declare("absent", session_id=session))
    assert run.error["type"] == "UNAUTHORIZED"
    assert run.changed
    assert f"Changed, and not put back: session {session} was canceled." in run.msg
    assert download_states(tasks.sim) == {session: "CANCELED"}


@pytest.mark.parametrize("state", ["canceled", "error"])
def test_a_session_that_has_ended_and_cannot_be_read_then_has_changed(tasks: Tasks, state: str) -> None:
    session = seed_session(tasks)
    tasks.sim.inject("GET:*download-session/*:2:403")
    run = tasks.run(**declare(state, session_id=session))
    assert run.error["type"] == "UNAUTHORIZED"
    assert run.changed
    assert f"session {session} was {DONE_TO[state]}." in run.msg
    assert download_states(tasks.sim) == {session: ENDS[state]}


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "fault", "said"),
    [
        ({"state": "active"}, "POST:*prepare*:2:hold", "rocky9.ovf was asked for; perhaps disk1.vmdk was asked for"),
        ({"state": "canceled"}, "POST:*cancel*:1:hold-answer", "perhaps session {session} was canceled"),
        ({"state": "absent"}, "DELETE:*:1:hold", "session {session} was canceled; perhaps session {session} was del"),
    ],
    ids=["preparing", "canceling", "deleting"],
)
def test_a_signal_hides_nothing_of_what_was_done(
    server: Simulator, options: dict[str, str], fault: str, said: str
) -> None:
    server.reset(SEED)
    session = seed_session(Tasks(server, "api"))
    server.inject(fault)
    process = start_module(DOWNLOAD_SESSION, {**connection_args(server), "session_id": session, **options})
    assert server.wait_until_held()
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process)
    server.release()
    assert (ended.result["error"]["type"], ended.result["changed"]) == ("CANCELED", True)
    assert f"Changed, and not put back: {said.format(session=session)}" in ended.result["msg"]


def test_preparing_is_waited_for_as_long_as_it_moves() -> None:
    with Simulator(seed=SEED, settle=HANG) as slow:
        run = Tasks(slow, "api").run(**by_item(files=["rocky9.ovf"], wait_timeout=1))
    assert run.error["type"] == "TIMED_OUT"
    assert "rocky9.ovf is PREPARE_REQUESTED" in run.msg
    assert "wait_timeout" in run.msg


@pytest.mark.parametrize(("shown", "declared", "sent"), [(0, 30, True), (30, 30, False), (60, 30, False)])
def test_progress_is_at_least_what_is_declared(tasks: Tasks, shown: int, declared: int, sent: bool) -> None:
    session = seed_session(tasks, prepared=FILES, client_progress=shown)
    run = tasks.converge(**declare("active", session_id=session, client_progress=declared))
    assert run.changed == sent
    assert run.session is not None
    assert run.session["client_progress"] == max(shown, declared)
    assert len(run.sent("POST", "keep-alive", "session")) == (1 if sent else 0)


def test_keeping_alive_is_no_change(tasks: Tasks) -> None:
    session = seed_session(tasks, prepared=FILES)
    run = tasks.run(**declare("active", session_id=session, keep_alive=True))
    assert not run.changed
    assert len(run.sent("POST", "keep-alive", "session")) == 1


def test_a_client_token_gives_the_same_session_again(tasks: Tasks) -> None:
    token = "b8a2a2e3-2314-43cd-a871-6ede0f429751"
    tasks.sim.inject("POST:*download-session*:1:reset-mid-body")
    run = tasks.run(**by_item(client_token=token, files=["rocky9.ovf"]))
    assert not run.failed, run.msg
    assert run.session is not None
    assert list(download_states(tasks.sim)) == [run.session["id"]]


def test_a_session_gone_meanwhile_is_no_obstacle_to_its_removal(tasks: Tasks) -> None:
    session = seed_session(tasks)
    tasks.sim.inject("DELETE:*download-session*:1:404")
    run = tasks.run(**declare("absent", session_id=session))
    assert not run.failed, run.msg


@pytest.mark.parametrize("named", ["id", "item"])
def test_requests_of_a_task_that_has_nothing_to_do(tasks: Tasks, named: str) -> None:
    session = seed_session(tasks, prepared=FILES)
    run = tasks.run(**(declare("active", session_id=session) if named == "id" else by_item()))
    assert not run.changed
    assert len(run.exchanges) == (4 if named == "id" else 7)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"client_progress": 101}, ["client_progress is 101", "0 to 100"]),
        ({"parallel_transfers": 0}, ["parallel_transfers is 0", "1 to 32"]),
        ({"parallel_transfers": 33}, ["parallel_transfers is 33", "1 to 32"]),
        ({"wait_timeout": 0}, ["wait_timeout is 0"]),
        ({"client_token": "x"}, ["client_token 'x'"]),
        ({"library_item": "other"}, ["'other'", "library_item"]),
        ({"library": "other"}, ["'other'", "library"]),
        ({"library": None}, ["library_item 'rocky9'", "library"]),
    ],
)
def test_bad_input_names_the_option(server: Simulator, options: dict[str, Any], says: list[str]) -> None:
    server.reset(SEED)
    run = Tasks(server, "api").refuse(**{**by_item(), **options})
    assert all(text in run.msg for text in says), run.msg
