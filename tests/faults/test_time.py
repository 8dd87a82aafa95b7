# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing waits for ever, and no wait asks what time of day it is.

Time passes in these tests only while a task sleeps, for the server as well; and with each nap the clock on the wall
jumps by hours, back and forth.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._session.keep_alive import keep_alive_interval
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing
from tests.faults.matrix_page import PAGE
from tests.harness.checkout import ROOT
from tests.harness.clocks import NapClock
from tests.harness.held import begin_update, hold
from tests.harness.modules import paced
from tests.harness.packages import Package
from tests.harness.tasks import DIALECTS, DOWNLOAD_SESSION, ROCKY9, TOOLS, UPDATE_SESSION, Tasks, publish
from tests.harness.waiting import LifeClock, eventually, in_time, while_held
from tests.simulator import Simulator
from tests.simulator.seed import VIEWER
from tools.pages import read_part

TIMING = Timing()
HOUR = 3600.0
JUMPS = (5 * HOUR, -9 * HOUR, 30 * HOUR, -24 * HOUR)
WAIT = 50
SETTLE = 60.0
FOREVER = 1e6

OF_THE_WALL = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"},
}


class JumpingClock(NapClock):
    """The clock on the wall jumps to and fro meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._jumps = itertools.cycle(JUMPS)
        self.wall = time.time()

    def sleep(self, seconds: float) -> None:
        self.wall += seconds + next(self._jumps)
        super().sleep(seconds)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[JumpingClock]:
    made = JumpingClock()
    monkeypatch.setattr(time, "time", lambda: made.wall)
    with paced(made.clock):
        yield made


@pytest.fixture
def server(hand: JumpingClock) -> Iterator[Simulator]:
    """A server that takes a minute for each step with a file, and that lets nothing expire."""
    # The clock moves while a task waits, and stands while it waits for an answer.
    with Simulator(
        settle=SETTLE,
        clock=hand.now,
        session_timeout=FOREVER,
        login_timeout=FOREVER,
        worlds={"completion": "at-once"},
    ) as running:
        yield running


# -- each wait has an end, and its error says which option moves it


@dataclass(frozen=True)
class Wait:
    """A wait that does not succeed: what for and by which option, the task, what happens beside it, how it ends."""

    waits_for: str
    option: str
    task: Callable[[Path, Package], tuple[str, dict[str, Any]]]
    seconds: float
    error_type: str
    operation: str
    said: tuple[str, ...]
    prepare: Callable[[Simulator, JumpingClock], None] = lambda _sim, _hand: None


def update(**options: Any) -> Callable[[Path, Package], tuple[str, dict[str, Any]]]:
    return lambda image, _package: (UPDATE_SESSION, publish(image, **options))


def hold_foreign_session(sim: Simulator, _hand: JumpingClock) -> None:
    begin_update(sim, user=VIEWER)


def keep_moving(sim: Simulator, hand: JumpingClock) -> None:
    session = begin_update(sim, transferring={"tools.iso": 1})
    hand.during = lambda _seconds: sim.run(lambda store: store.move_transfer(session, "tools.iso", 1))


def one_after_the_other(sim: Simulator, hand: JumpingClock) -> None:
    """Somebody at work gives up, and somebody else comes."""
    session = begin_update(sim, transferring={"tools.iso": 1})

    def act(seconds: float) -> None:
        def work(store: Any) -> None:
            if store.updates.sessions[session].state != "ACTIVE":
                return
            if seconds < 20:
                store.move_transfer(session, "tools.iso", 1)
            else:
                store.updates.cancel(session)
                store.seed_update_session(store.find_item_id("templates", "tools"), user=VIEWER)

        sim.run(work)

    hand.during = act


def prepare_nothing(sim: Simulator, _hand: JumpingClock) -> None:
    hold(sim, {"tools.iso": b"content"})


WAITS = {
    "a-file-is-received": Wait(
        "a file to be received by the server, after it was sent or while the server pulls it",
        "wait_timeout",
        update(wait_timeout=20),
        20,
        "TIMED_OUT",
        "update_session.file.receive",
        ("no progress for 20 seconds (wait_timeout)", "tools.iso (TRANSFERRING", "raise wait_timeout"),
    ),
    "the-preview": Wait(
        "the preview of a package",
        "wait_timeout",
        lambda _image, package: (UPDATE_SESSION, publish(package.descriptor, ROCKY9, wait_timeout=WAIT)),
        SETTLE + WAIT,
        "TIMED_OUT",
        "update_session.preview",
        ("no progress for 50 seconds (wait_timeout)", "preview is still being prepared", "raise wait_timeout"),
    ),
    "the-completion": Wait(
        "a completion that was accepted",
        "wait_timeout",
        update(wait_timeout=WAIT),
        SETTLE + WAIT,
        "TIMED_OUT",
        "update_session.complete",
        ("no progress for 50 seconds (wait_timeout)", "vCenter has accepted the completion", "raise wait_timeout"),
    ),
    "a-file-is-prepared": Wait(
        "a file to be prepared for the download",
        "wait_timeout",
        lambda _image, _package: (DOWNLOAD_SESSION, {**TOOLS, "wait_timeout": 20}),
        20,
        "TIMED_OUT",
        "download_session.file.prepare",
        ("no progress for 20 seconds (wait_timeout)", "tools.iso is PREPARE_REQUESTED", "raise wait_timeout"),
        prepare_nothing,
    ),
    "another-users-session": Wait(
        "another user's session on the item to end",
        "busy_timeout",
        update(busy_timeout=40),
        40,
        "RESOURCE_BUSY",
        "update_session.create",
        ("waited for it for 40 seconds (busy_timeout)", "Raise busy_timeout"),
        hold_foreign_session,
    ),
    "another-task-at-work": Wait(
        "another task to end its work in a session of the same user",
        "busy_timeout",
        update(busy_timeout=25),
        25,
        "RESOURCE_BUSY",
        "update_session.take_over",
        ("another task is at work", "waited for it for 25 seconds (busy_timeout)", "Raise busy_timeout"),
        keep_moving,
    ),
    "one-after-the-other": Wait(
        "several of these, one after the other, all in all",
        "busy_timeout",
        update(busy_timeout=40),
        40,
        "RESOURCE_BUSY",
        "update_session.create",
        ("waited for it for 40 seconds (busy_timeout)", "Raise busy_timeout"),
        one_after_the_other,
    ),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_wait_ends_when_it_should_and_says_what_would_make_it_longer(
    server: Simulator, hand: JumpingClock, image: Path, package: Package, wait: Wait
) -> None:
    tasks = Tasks(server, DIALECTS[list(WAITS.values()).index(wait) % 2])
    wait.prepare(server, hand)
    module, options = wait.task(image, package)
    run = tasks.run(module, **options)
    assert wait.seconds <= hand.seconds <= wait.seconds + 2 * TIMING.longest_pause
    assert (run.error["type"], run.error["operation"]) == (wait.error_type, wait.operation), run.msg
    for text in wait.said:
        assert text in run.msg


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_server_that_does_not_answer_is_waited_for_as_long_as_the_option_says(dialect: str, image: Path) -> None:
    with Simulator(settle=0) as sim:
        sim.inject("POST:*validate*:1:hang")
        with in_time(at_least=1):
            run = Tasks(sim, dialect).run(**publish(image, request_timeout=1))
    assert (run.error["type"], run.error["operation"]) == ("TIMED_OUT", "update_session.file.validate")
    assert "was silent for 1 seconds (request_timeout)" in run.msg
    assert "raise the time-out that the message names" in run.msg


@pytest.mark.paced(first_request_pause=0.0)
def test_a_host_that_takes_no_connection_is_waited_for_as_long_as_the_option_says(image: Path) -> None:
    """As behind a firewall that drops what it does not let through."""
    with Simulator(settle=0) as sim, contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind((sim.hostname, 0))
        full.listen(0)
        for _place in range(2):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        with in_time(at_least=1):
            run = Tasks(sim, "api").run(**publish(image, request_timeout=1, port=full.getsockname()[1]))
    assert (run.error["type"], run.error["operation"]) == ("CONNECTION_FAILED", "session.login")
    assert "nothing answers within 1 seconds (request_timeout)" in run.msg


def table_of_waits() -> str:
    """What docs/reliability.md says of them."""
    lines = ["| what is waited for | no longer than | error |", "|---|---|---|"]
    lines += [f"| {wait.waits_for} | `{wait.option}` | `{wait.error_type}` |" for wait in WAITS.values()]
    return "\n".join(lines)


def test_the_page_names_the_waits() -> None:
    assert read_part(PAGE, "time") == table_of_waits()


# -- nothing ends early or late


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_goes_on_is_waited_for_however_long_it_takes(
    server: Simulator, hand: JumpingClock, package: Package, dialect: str
) -> None:
    """Each step takes thirty seconds, the whole several minutes, and wait_timeout is forty seconds."""
    run = Tasks(server, dialect).run(**publish(package.descriptor, ROCKY9, wait_timeout=SETTLE + 10))
    assert not run.failed, run.msg
    assert hand.seconds > 3 * SETTLE
    assert (run.session or {}).get("state") == "DONE"


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ({"transferring": {"tools.iso": 300}}, TIMING.watch_transfer),
        ({"files": {"other.iso": b"x"}}, TIMING.watch_idle),
    ],
    ids=["a-file-under-way", "between-files"],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_session_that_a_killed_run_left_is_watched_for_as_long_as_it_should(
    hand: JumpingClock, image: Path, dialect: str, content: Mapping[str, Any], seconds: float
) -> None:
    with Simulator(settle=0, clock=hand.now, session_timeout=FOREVER, login_timeout=FOREVER) as sim:
        session = begin_update(sim, **content)
        run = Tasks(sim, dialect).run(**publish(image))
    assert (run.session or {}).get("id") == session
    assert seconds <= hand.seconds <= seconds + 2 * TIMING.watch_pause + TIMING.longest_pause


# -- a session lives on whatever the clocks show


@pytest.mark.parametrize("ahead", [-5 * HOUR, 5 * HOUR], ids=["behind", "ahead"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_session_outlives_its_time_out_on_a_server_whose_clock_shows_something_else(
    image: Path, dialect: str, ahead: float
) -> None:
    clock = LifeClock(1.0)
    with Simulator(settle=0, session_timeout=1.5, clock=clock, on_exchange=clock.note) as sim:
        sim.run(lambda store: store.calendar.set_ahead(ahead))
        with while_held(sim, "PUT:*:1:hold/50", lambda: eventually(clock.has_passed(6))):
            run = Tasks(sim, dialect).run(**publish(image))
    assert not run.failed, run.msg
    assert clock.seconds >= 6


def test_the_time_between_two_signs_of_life_comes_from_two_times_of_the_servers() -> None:
    from datetime import datetime, timedelta, timezone

    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    expiry = (now + timedelta(seconds=4)).isoformat().replace("+00:00", "Z")
    assert keep_alive_interval(expiry, now, 30, TIMING) == 1
    assert keep_alive_interval(expiry, now - timedelta(hours=1), 30, TIMING) == 30
    assert keep_alive_interval(expiry, now + timedelta(hours=1), 30, TIMING) == 0.5
    assert [keep_alive_interval(None, now, 2, TIMING), keep_alive_interval(expiry, None, 2, TIMING)] == [2, 2]
    assert keep_alive_interval("some day", now, 2, TIMING) == 2


def of_the_wall(source: str) -> list[str]:
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in OF_THE_WALL.get(node.value.id, ())
    ]


def test_no_file_of_the_collection_asks_for_the_time_of_day() -> None:
    assert of_the_wall("import time\ntime.time()\ndatetime.now(timezone.utc)") == ["2: time.time", "3: datetime.now"]
    files = sorted((ROOT / "plugins").rglob("*.py"))
    assert len(files) > 20
    found = {str(path.relative_to(ROOT)): of_the_wall(path.read_text(encoding="utf-8")) for path in files}
    # The preflight tells how far vCenter's clock is from that of this host.
    assert len(found.pop("plugins/module_utils/_check/preflight.py")) == 1
    assert {path: lines for path, lines in found.items() if lines} == {}
