# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""While bytes move: several files at once, sessions and logins that would expire, uploads that break, and memory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.harness.held import contents, update_states
from tests.harness.modules import connection_args, finish_module, paced, start_module
from tests.harness.packages import ACCEPTED, make_iso, make_package, sparse
from tests.harness.tasks import BY_OWN_NAME, DIALECTS, UPDATE_SESSION, Run, Tasks, is_login
from tests.harness.waiting import LifeClock, eventually, in_time, while_held
from tests.simulator import Exchange, Seed, Simulator, Store

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
LARGE = 64 * MEBIBYTE
"""More than the buffers between client and server hold, so that the client sees the server's pace."""
PACE = 32 * MEBIBYTE
#: What takes half an hour at that pace.
ENDLESS = 1000 * LARGE


@dataclass(frozen=True)
class Span:
    """When an exchange began and ended."""

    name: str
    begin: float
    end: float


class Timed:
    """A simulator that also notes when each upload ended, which the record does not say."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.sim = Simulator(settle=0, on_exchange=self._note)

    def _note(self, exchange: Exchange) -> None:
        if exchange.method == "PUT":
            self.spans.append(Span(exchange.path.rsplit("/", 1)[-1], exchange.time, time.time()))

    def __enter__(self) -> Timed:
        self.sim.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.sim.stop()

    @property
    def most_at_once(self) -> int:
        return max(sum(other.begin <= span.begin < other.end for other in self.spans) for span in self.spans)


@pytest.fixture(scope="module")
def slow_server() -> Iterator[Simulator]:
    with Simulator(settle=0, rate=PACE) as running:
        yield running


@pytest.fixture
def slowed(slow_server: Simulator) -> Tasks:
    """Each upload of a large file takes about two seconds."""
    slow_server.reset()
    return Tasks(slow_server, "api")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return sparse(tmp_path / "large.iso", LARGE)


def images(directory: Path, count: int, size: int) -> list[Path]:
    return [make_iso(directory / f"{number}.iso", size) for number in range(1, count + 1)]


def task(*paths: Path, **options: Any) -> dict[str, Any]:
    files = [{"src": str(path)} for path in paths]
    return {"library": "templates", "library_item": "tools", "state": "done", "files": files, **options}


def sizes(sim: Simulator, item: str = "tools") -> dict[str, int]:
    def read(store: Store) -> dict[str, int]:
        held = store.catalog.item(store.find_item_id("templates", item)).files
        return {name: entry.blob.size for name, entry in held.items()}

    return sim.run(read)


def assert_nothing_came_of_it(sim: Simulator, run: Run) -> None:
    assert run.failed
    assert not run.changed
    assert run.sent("POST", "complete") == []
    assert update_states(sim) == {}
    assert sizes(sim) == {}
    assert sim.run(lambda store: store.logins.count) == 0


def told_progress(exchanges: tuple[Exchange, ...]) -> list[int]:
    """The client_progress of each sign of life, in order."""
    bodies = [json.loads(entry.request_body or b"{}") for entry in exchanges if "action=keep-alive" in entry.path]
    return [body["client_progress"] for body in bodies if "client_progress" in body]


@contextlib.contextmanager
def meanwhile(sim: Simulator, act: Callable[[Store, str], Any], after: int = MEBIBYTE) -> Iterator[None]:
    """Do something on the server once so many bytes of an upload have arrived."""
    done = threading.Event()
    failed: list[Exception] = []

    def look(store: Store) -> bool:
        for session in list(store.updates.sessions.values()):
            if sum(entry.bytes_transferred for entry in session.files.values()) >= after:
                act(store, session.id)
                return True
        return False

    def watch() -> None:
        try:
            while not done.wait(0.02):
                if sim.run(look):
                    return
        except Exception as error:  # noqa: BLE001 (raised again, in the test's own thread)
            failed.append(error)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join(5)
    assert not failed, failed


# -- several files at once


def until_under_way(sim: Simulator, count: int, *faults: str) -> contextlib.AbstractContextManager[None]:
    """Uploads stand still by these faults until so many files have begun to arrive; the block sends them."""

    def begun(store: Store) -> int:
        files = [file for session in store.updates.sessions.values() for file in session.files.values()]
        return sum(file.bytes_transferred > 0 for file in files)

    def wait() -> None:
        assert eventually(lambda: sim.run(begun) >= count)

    for fault in faults[1:]:
        sim.inject(fault)
    return while_held(sim, faults[0], wait)


@pytest.mark.parametrize(("count", "limit", "at_once"), [(3, 1, 1), (8, None, 4), (8, 8, 8)])
def test_as_many_files_go_at_once_as_declared(tmp_path: Path, count: int, limit: int | None, at_once: int) -> None:
    paths = images(tmp_path, count, 32 * KIBIBYTE)
    options = {} if limit is None else {"parallel_transfers": limit}
    with Timed() as timed:
        with until_under_way(timed.sim, at_once, "PUT:*:*:hold/50"):
            run = Tasks(timed.sim, "api").run(**task(*paths, **options))
        assert not run.failed, run.msg
        assert timed.most_at_once == at_once
        assert sizes(timed.sim) == {path.name: 32 * KIBIBYTE for path in paths}
    assert run.result["transferred"]["files"] == count
    assert run.result["transferred"]["bytes"] == count * 32 * KIBIBYTE


def test_the_descriptor_set_goes_alone_and_in_order_before_the_disks_go_at_once(tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=4, disk_bytes=40 * KIBIBYTE, nvram=True, signed="self-signed")
    with Timed() as timed:
        with until_under_way(timed.sim, 8, "PUT:*.vmdk:*:hold/50", "PUT:*.nvram:*:hold/50"):
            run = Tasks(timed.sim, "rest").run(
                **task(package.descriptor, library_item="rocky9", warning_behavior=ACCEPTED, parallel_transfers=5)
            )
        assert not run.failed, run.msg
        assert set(sizes(timed.sim, "rocky9")) == {path.name for path in package.files[2:]}
        begun = sorted(timed.spans, key=lambda span: span.begin)
    assert [span.name for span in begun[:3]] == ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
    for earlier, later in zip(begun[:3], begun[1:4]):
        assert earlier.end <= later.begin
    assert all(disk.begin < other.end for disk in begun[3:] for other in begun[3:]), "the disks overlap"


@pytest.mark.parametrize("limit", [0, 33, -1])
def test_a_number_of_transfers_that_makes_no_sense(one: Tasks, tmp_path: Path, limit: int) -> None:
    run = one.refuse(**task(*images(tmp_path, 1, 10), parallel_transfers=limit))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"parallel_transfers is {limit}" in run.msg


def test_one_failing_file_stops_the_others_and_each_fate_is_told(slowed: Tasks, tmp_path: Path) -> None:
    small, *others = (
        make_iso(tmp_path / "1-small.iso", KIBIBYTE),
        make_iso(tmp_path / "2-refused.iso", KIBIBYTE),
        sparse(tmp_path / "3-large.iso", 10 * LARGE),
        make_iso(tmp_path / "4-waiting.iso", KIBIBYTE),
    )
    slowed.sim.inject("PUT:*/1-small.iso:1:slow/0.01")
    slowed.sim.inject("PUT:*/2-refused.iso:1:500")
    run = slowed.run(**task(small, *others, parallel_transfers=1))
    assert run.error["type"] == "INTERNAL_SERVER_ERROR"
    assert run.error["status"] == 500
    for told in (
        "1-small.iso was transferred",
        "2-refused.iso failed",
        "3-large.iso was not started",
        "4-waiting.iso was not started",
    ):
        assert told in run.msg
    assert [entry["name"] for entry in run.added] == ["1-small.iso", "2-refused.iso"]
    assert "was canceled and deleted" in run.msg
    assert_nothing_came_of_it(slowed.sim, run)


def test_files_under_way_are_broken_off_when_another_one_fails(slowed: Tasks, tmp_path: Path) -> None:
    first, second, third = (sparse(tmp_path / f"{number}.iso", ENDLESS) for number in (1, 2, 3))
    with meanwhile(slowed.sim, lambda *_found: os.truncate(second, MEBIBYTE)), in_time():
        run = slowed.run(**task(first, second, third))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{second} changed while it was sent" in run.msg
    assert "1.iso was stopped; 2.iso failed; 3.iso was stopped" in run.msg
    assert_nothing_came_of_it(slowed.sim, run)


# -- sessions and logins that would expire


LIFE = 1.2


def expiring(**more: Any) -> tuple[LifeClock, dict[str, Any]]:
    """Options of a server whose time passes only with signs of life, and the clock."""
    clock = LifeClock(LIFE * 2 / 3)
    return clock, {"clock": clock, "on_exchange": clock.note, "session_timeout": LIFE, "login_timeout": LIFE, **more}


def test_an_upload_that_outlives_session_and_login_completes(large: Path) -> None:
    clock, options = expiring(settle=0, rate=PACE // 2)
    with Simulator(**options) as sim:
        run = Tasks(sim, "rest").run(**task(large))
        assert not run.failed, run.msg
        assert clock.seconds > 2 * LIFE
        assert sizes(sim) == {"large.iso": LARGE}
        logins = [entry for entry in run.exchanges if entry.method == "POST" and entry.path.endswith("/cis/session")]
    progress = told_progress(run.exchanges)
    assert len(progress) >= 3
    assert progress == sorted(set(progress)), "it grows, and never goes back"
    assert 0 < progress[0] < 100
    assert len(logins) == 1, "the signs of life keep the login alive too"
    assert run.outcome.warnings == []


def test_a_refused_login_is_not_asked_for_with_each_sign_of_life(large: Path) -> None:
    """The password was changed meanwhile; each refusal counts, and a vCenter locks the account after a few."""
    faults = ["POST:*keep-alive*:1:unauthenticated", "POST:*/session:2+:401"]
    with Simulator(settle=0, rate=PACE * 5 // 8, session_timeout=1.2, faults=faults) as sim:
        run = Tasks(sim, "api").run(**task(large))
    assert (run.error["type"], run.error["operation"]) == ("UNAUTHENTICATED", "session.login")
    assert len(run.sent("POST", "keep-alive")) >= 3
    assert [entry.status for entry in run.exchanges if is_login(entry) and entry.method == "POST"] == [201, 401]


def test_a_session_is_kept_alive_while_the_server_reads_nothing(tmp_path: Path) -> None:
    """The bytes alone would keep the simulator's session alive, so here none arrive for a while."""
    clock, options = expiring(settle=0)
    with Simulator(**options) as sim:
        with while_held(sim, "PUT:*:1:hold", lambda: eventually(clock.has_passed(2 * LIFE))):
            run = Tasks(sim, "api").run(**task(make_iso(tmp_path / "tools.iso", KIBIBYTE)))
        assert not run.failed, run.msg
        assert clock.seconds >= 2 * LIFE
        assert sizes(sim) == {"tools.iso": KIBIBYTE}


def test_a_session_is_kept_alive_while_the_server_settles_what_it_received(tmp_path: Path) -> None:
    _clock, options = expiring(settle=2 * LIFE)
    with Simulator(**options) as sim:
        run = Tasks(sim, "api").run(**task(make_iso(tmp_path / "tools.iso", KIBIBYTE), state="active"))
        assert not run.failed, run.msg
        assert [file["status"] for file in run.result["files"]] == ["READY"]


def test_a_login_that_expires_in_mid_upload_is_renewed(slowed: Tasks, large: Path) -> None:
    with meanwhile(slowed.sim, lambda store, _session: store.logins.expire_all()):
        run = slowed.run(**task(large))
    assert not run.failed, run.msg
    logins = [entry for entry in run.exchanges if entry.method == "POST" and entry.path == "/api/session"]
    assert len(logins) == 2
    assert sizes(slowed.sim) == {"large.iso": LARGE}
    assert slowed.sim.run(lambda store: store.logins.count) == 0


def test_a_declared_progress_is_not_taken_back_by_the_signs_of_life(large: Path) -> None:
    with Simulator(settle=0, rate=PACE, session_timeout=2) as sim:
        sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), client_progress=10))
        run = Tasks(sim, "api").run(**task(large, client_progress=80))
    assert not run.failed, run.msg
    assert len(run.sent("POST", "keep-alive")) >= 3
    progress = told_progress(run.exchanges)
    assert progress[0] == 80
    assert progress == sorted(set(progress))


def end_as(how: str) -> Callable[[Store, str], None]:
    def end(store: Store, session: str) -> None:
        if how == "expired":
            del store.updates.sessions[session]
        elif how == "failed by somebody":
            store.updates.fail(session, "The golden image was withdrawn.")
        else:
            store.updates.cancel(session)
            if how == "deleted by somebody":
                store.updates.delete(session)

    return end


ENDS = {
    "expired": ("NOT_FOUND", "does not exist"),
    "deleted by somebody": ("NOT_FOUND", "does not exist"),
    "canceled by somebody": ("TRANSFER_FAILED", "CANCELED"),
    "failed by somebody": ("TRANSFER_FAILED", "The golden image was withdrawn."),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_session_that_ends_in_mid_upload_stops_it_with_the_servers_reason(tmp_path: Path, how: str) -> None:
    error_type, said = ENDS[how]
    with Simulator(settle=0, rate=PACE // 2, session_timeout=2) as sim:
        with meanwhile(sim, end_as(how)), in_time():
            run = Tasks(sim, "api").run(**task(sparse(tmp_path / "huge.iso", ENDLESS)))
        assert run.error["type"] == error_type, run.msg
        assert said in run.msg
        assert run.error["session_id"]
        assert_nothing_came_of_it(sim, run)


def test_the_files_beside_it_are_told_of_when_a_session_ends(tmp_path: Path) -> None:
    files = [sparse(tmp_path / f"{number}.iso", 10 * LARGE) for number in (1, 2)]
    with Simulator(settle=0, rate=PACE // 2, session_timeout=2) as sim:
        with meanwhile(sim, end_as("failed by somebody")):
            run = Tasks(sim, "rest").run(**task(*files))
        assert run.error["type"] == "TRANSFER_FAILED"
        assert "The golden image was withdrawn." in run.msg
        assert_nothing_came_of_it(sim, run)


# -- uploads that break


@pytest.mark.parametrize(("percent", "dialect"), [(10, "api"), (50, "rest"), (99, "api")])
def test_an_upload_that_is_reset_completes_on_the_second_try(
    server: Simulator, tmp_path: Path, percent: int, dialect: str
) -> None:
    server.reset()
    server.inject(f"PUT:/cls/data/*:1:reset-mid-body/{percent}")
    image = make_iso(tmp_path / "tools.iso", 6 * MEBIBYTE)
    run = Tasks(server, dialect).run(**task(image))
    assert not run.failed, run.msg
    assert run.uploaded == ["tools.iso", "tools.iso"]
    assert [file["verified"] for file in run.result["files"]] == [True]
    assert run.result["transferred"] | {"seconds": 0} == {"files": 1, "bytes": 6 * MEBIBYTE, "seconds": 0}
    [warning] = run.outcome.warnings
    assert re.search(
        "The upload of tools.iso broke and was started again \\(try 2 of 3\\): .*(reset|[Bb]roken pipe|closed)", warning
    )
    assert server.run(lambda store: store.item_contents(store.find_item_id("templates", "tools"))) == {
        "tools.iso": image.read_bytes()
    }


def test_the_progress_does_not_go_back_when_an_upload_starts_again(large: Path) -> None:
    with Simulator(settle=0, rate=PACE, session_timeout=2, faults=["PUT:*:1:reset-mid-body/60"]) as sim:
        sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), client_progress=30))
        run = Tasks(sim, "api").run(**task(large))
    assert not run.failed, run.msg
    assert len(run.uploaded) == 2
    progress = told_progress(run.exchanges)
    assert len(progress) >= 2
    assert progress[0] > 30
    assert progress == sorted(set(progress))


@pytest.mark.parametrize(
    ("fault", "error_type", "said"),
    [
        ("reset-mid-body", "CONNECTION_FAILED", "no connection to"),
        ("reset", "CONNECTION_FAILED", "no connection to"),
        ("503", "SERVICE_UNAVAILABLE", "A fault with the status 503"),
        ("html", "SERVICE_UNAVAILABLE", "HTTP 502: "),
    ],
)
def test_an_upload_that_breaks_three_times_is_given_up(
    one: Tasks, tmp_path: Path, fault: str, error_type: str, said: str
) -> None:
    one.sim.inject(f"PUT:/cls/data/*:*:{fault}")
    run = one.run(**task(make_iso(tmp_path / "tools.iso", 2 * MEBIBYTE)))
    assert run.error["type"] == error_type, run.msg
    assert said in run.msg
    assert "upload a file to the update session" in run.msg
    assert len(run.uploaded) == 3
    assert len(run.outcome.warnings) == 2
    assert_nothing_came_of_it(one.sim, run)


def test_a_server_that_stays_silent_is_not_waited_for_for_ever(one: Tasks, tmp_path: Path) -> None:
    one.sim.inject("PUT:/cls/data/*:1:hang")
    image = make_iso(tmp_path / "tools.iso", KIBIBYTE)
    run = one.run(**task(image), request_timeout=1)
    assert not run.failed, run.msg
    [warning] = run.outcome.warnings
    assert "was silent for 1 seconds (request_timeout)" in warning


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 500, 501, 507])
def test_an_upload_that_is_refused_is_not_sent_again(one: Tasks, tmp_path: Path, status: int) -> None:
    one.sim.inject(f"PUT:/cls/data/*:1:{status}")
    run = one.run(**task(make_iso(tmp_path / "tools.iso", KIBIBYTE)))
    assert run.error["status"] == status
    assert run.uploaded == ["tools.iso"]
    assert run.outcome.warnings == []
    assert_nothing_came_of_it(one.sim, run)


@pytest.mark.parametrize("fault", ["429", "502", "503", "504", "unauthenticated"])
def test_an_upload_that_is_refused_in_passing_is_sent_again(one: Tasks, tmp_path: Path, fault: str) -> None:
    one.sim.inject(f"PUT:/cls/data/*:1:{fault}")
    run = one.run(**task(make_iso(tmp_path / "tools.iso", KIBIBYTE)), **BY_OWN_NAME)
    assert not run.failed, run.msg
    assert len(run.uploaded) == 2
    assert len(run.outcome.warnings) == (0 if fault == "unauthenticated" else 1)
    assert sizes(one.sim) == {"tools.iso": KIBIBYTE}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("what", ["session", "file"])
def test_what_fails_after_the_answer_to_its_upload_is_told_with_the_servers_reason(
    tmp_path: Path, dialect: str, what: str
) -> None:
    image = make_iso(tmp_path / "tools.iso", KIBIBYTE)
    options: dict[str, Any] = {"src": str(image)}
    if what == "file":
        options |= {"checksum": "0" * 64}
    with Simulator(settle=0.2, faults=["PUT:*:1:transfer-error"] if what == "session" else []) as sim:
        run = Tasks(sim, dialect).run(**{**task(), "files": [options]})
        assert run.error["type"] == "TRANSFER_FAILED"
        assert [entry.status for entry in run.exchanges if entry.method == "PUT"] == [200]
        if what == "session":
            assert "Error transferring file tools.iso" in run.msg
            assert "Pipe closed" in run.msg
        else:
            assert "the server could not take tools.iso: The SHA256 checksum of file tools.iso is" in run.msg
        assert_nothing_came_of_it(sim, run)


# -- signals, and memory


REPORT_PEAK = """
import atexit, os, re

def report():
    with open("/proc/self/status") as status, open(os.environ["PEAK_REPORT"], "w") as out:
        out.write(re.search(r"VmHWM:\\s*(\\d+) kB", status.read()).group(1))

atexit.register(report)
"""


@pytest.fixture
def peak_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Simulator, dict[str, Any]], float]:
    """Run a task in a process of its own; its peak memory in MiB, as the kernel counts it."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(REPORT_PEAK)
    monkeypatch.setenv("PYTHONPATH", str(site))
    report = tmp_path / "peak"

    def run(sim: Simulator, args: dict[str, Any]) -> float:
        process = start_module(UPDATE_SESSION, {**connection_args(sim), **args}, env={"PEAK_REPORT": str(report)})
        outcome = finish_module(process)
        assert outcome.rc == 0, outcome.result.get("msg")
        assert outcome.result["changed"] == bool(outcome.result.get("transferred"))
        return int(report.read_text()) / 1024

    return run


@pytest.mark.process
@pytest.mark.rest
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, peak_of: Callable[[Simulator, dict[str, Any]], float]
) -> None:
    """Neither while a file is sent and hashed, nor while it is compared with what the item holds."""
    peaks = {}
    for mebibytes in (16, 256):
        data = tmp_path / f"data-{mebibytes}"
        data.mkdir()
        args = task(sparse(tmp_path / "zeros.iso", mebibytes * MEBIBYTE))
        with Simulator(settle=0, data=str(data)) as sim:
            peaks[mebibytes] = [peak_of(sim, args), peak_of(sim, args)]
            assert [entry.method for entry in sim.exchanges].count("PUT") == 1
    for small, big in zip(peaks[16], peaks[256]):
        assert big < 120
        assert big / small <= 1.1


# -- a server that shows no preview, and says nothing of a file until it has it


SILENCE, SETTLE = 0.2, 1.0
"""How long such a file is waited for, and how long it takes."""
PUBLISH: dict[str, Any] = {"library": "templates", "library_item": "tools", "state": "done"}


@pytest.fixture(scope="module")
def silent_server() -> Iterator[Simulator]:
    with Simulator(settle=SETTLE) as running:
        yield running


@pytest.fixture(params=[{"preview": False}, {"iso_preview": "absent"}], ids=["old", "no preview of an ISO"])
def silent(silent_server: Simulator, dialect: str, request: pytest.FixtureRequest) -> Iterator[Tasks]:
    silent_server.reset(Seed(transfers_shown=False, **request.param))
    with paced(silent_file=SILENCE):
        yield Tasks(silent_server, dialect)


def test_a_file_that_arrives_after_all_is_no_reason_to_give_up(silent: Tasks, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "tools.iso", 20_000)
    run = silent.run(**PUBLISH, files=[{"src": str(image)}])
    assert not run.failed, run.msg
    asked = run.sent("POST", "validate", "session")
    assert len(asked) > 1
    assert [entry.status < 300 for entry in asked] == [*[False] * (len(asked) - 1), True]
    assert len(run.sent("POST", "complete")) == 1
    assert (contents(silent.sim), run.uploaded) == ({"tools.iso": image.read_bytes()}, ["tools.iso"])
    assert run.result["item_changed"] is True
    assert silent.run(**PUBLISH, files=[{"src": str(image)}]).changed is False


def test_the_task_that_completes_need_not_be_the_one_that_sent_it(silent: Tasks, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "tools.iso", 20_000)
    filled = silent.run(**{**PUBLISH, "state": "active"}, files=[{"src": str(image)}])
    run = silent.run(**PUBLISH)
    assert (run.session or {})["id"] == (filled.session or {})["id"]
    assert contents(silent.sim) == {"tools.iso": image.read_bytes()}


def test_a_refusal_for_another_reason_is_not_waited_out(silent: Tasks, tmp_path: Path) -> None:
    silent.sim.inject("POST:*validate*:2:400")
    run = silent.run(**PUBLISH, files=[{"src": str(make_iso(tmp_path / "tools.iso", 20_000))}])
    assert (run.error["type"], len(run.sent("POST", "validate", "session"))) == ("INVALID_ARGUMENT", 2)
    assert run.sent("POST", "complete") == []
    assert (run.changed, update_states(silent.sim), contents(silent.sim)) == (False, {}, {})


def test_a_file_that_never_arrives_is_waited_for_no_longer_than_wait_timeout(silent: Tasks) -> None:
    def seed(store: Store) -> str:
        return store.seed_update_session(store.find_item_id("templates", "tools"), files={"tools.iso": None})

    session_id = silent.sim.run(seed)
    with in_time(at_least=1):
        run = silent.run(**PUBLISH, wait_timeout=1)
    assert (run.error["type"], run.error["session_id"]) == ("TIMED_OUT", session_id)
    assert all(text in run.msg for text in ("tools.iso", "has not been fully received yet", "wait_timeout"))
    assert (run.changed, run.result["item_changed"], list(update_states(silent.sim).values())) == (
        False,
        False,
        ["ACTIVE"],
    )
