# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hostile server: no answer takes much memory, and none keeps a task from ending."""

from __future__ import annotations

import itertools
import re
import select
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing
from tests.faults.attacks import ENCODINGS, RUSHING, STATUSES, Attack
from tests.faults.kills import ignores_signals
from tests.faults.proxy import FaultProxy, Misbehaviour
from tests.harness.held import hold, logins, update_states
from tests.harness.modules import ModuleResult, connection_args, finish_module, start_module
from tests.harness.packages import make_iso
from tests.harness.samples import marked
from tests.harness.tasks import DOWNLOAD_SESSION, SESSION_INFO, TOOLS, UPDATE_SESSION
from tests.harness.waiting import eventually
from tests.simulator import Simulator

MOST_MEBIBYTES = 150
# A module and a simulator share a machine that may be busy with others.
PATIENCE = 60.0
TO_END = 10.0
IMAGE_BYTES = 200_000
LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Phase:
    """Where a task meets the answer: at the request for an operation, and with which module."""

    operation: str
    module: str
    options: Mapping[str, Any]


PHASES = {
    "login": Phase("session.login", SESSION_INFO, {"kind": "update"}),
    "api": Phase("update.list", SESSION_INFO, {"kind": "update"}),
    "put": Phase("data.put", UPDATE_SESSION, {**TOOLS, "state": "done"}),
    "get": Phase("data.get", DOWNLOAD_SESSION, TOOLS),
    "logout": Phase("session.logout", SESSION_INFO, {"kind": "update"}),
}


@pytest.fixture
def front(server: Simulator) -> Iterator[FaultProxy]:
    server.reset()
    hold(server, {"data.iso": b"content" * 1000})
    with FaultProxy(server) as proxy:
        yield proxy


def arguments(front: FaultProxy, phase: Phase, folder: Path, **options: Any) -> dict[str, Any]:
    local: dict[str, Any] = {}
    if phase.module == UPDATE_SESSION:
        local = {"files": [{"src": str(make_iso(folder / "tools.iso", IMAGE_BYTES))}]}
    if phase.module == DOWNLOAD_SESSION:
        local = {"dest": str(folder)}
    return {**connection_args(front), **phase.options, **local, **options}


def start(front: FaultProxy, phase: Phase, folder: Path, **options: Any) -> Any:
    return start_module(phase.module, arguments(front, phase, folder, **options))


# -- memory


def table() -> list[Any]:
    """Each body in each phase, on a push in one; statuses and encodings take turns, so that each meets each."""
    cells = []
    turns = itertools.cycle(itertools.product(STATUSES, ENCODINGS))
    for phase, body in itertools.product(PHASES, RUSHING):
        status, encoding = next(turns)
        cells.append((f"{phase}-{status}-{encoding}-{body}", (phase, Attack(status, encoding, body))))
    # What is taken takes most.
    cells += [(f"{name}-taken", (name, Attack(200, "identity", "just-taken"))) for name in ("login", "api")]
    return marked(cells, lambda values: values[1].body, one_in=3)


def peak_of(process: Any) -> tuple[ModuleResult, float]:
    """The result of a module's process, and the most memory that it has held, in MiB.

    What the system counts of a process that has ended goes back to before its first instruction, when it was a copy of
    this one.
    """
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None and not select.select([process.stdout], [], [], LOOK_SECONDS)[0]:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(encoding="ascii"), re.MULTILINE)
        peak = int(found.group(1)) if found else peak
    return finish_module(process, PATIENCE), peak / 1024


@pytest.mark.parametrize(("phase_name", "attack"), table())
def test_no_answer_takes_much_memory(phase_name: str, attack: Attack, front: FaultProxy, tmp_path: Path) -> None:
    phase = PHASES[phase_name]
    front.misbehave(Misbehaviour("made-up", phase.operation, last=None, pieces=attack.pieces))
    ran, peak = peak_of(start(front, phase, tmp_path, request_timeout=5))
    assert 0 < peak <= MOST_MEBIBYTES
    assert "Traceback" not in ran.stdout + ran.stderr
    assert ran.stderr == ""
    if phase_name == "logout":
        assert ran.rc == 0, ran.result
    elif phase_name != "put" or attack.status != 200:
        assert ran.result["failed"], ran.result


# -- time


DRIPPED = {
    "head": Attack(200, "identity", "headers", drips=True),
    "body": Attack(200, "identity", "until-closed", drips=True),
    "chunks": Attack(200, "identity", "chunked", drips=True),
    "trailers": Attack(200, "identity", "trailers"),
    "interim": Attack(200, "identity", "interim"),
}


def answer(front: FaultProxy, operation: str, attack: Attack) -> None:
    front.misbehave(Misbehaviour("made-up", operation, last=None, pieces=attack.pieces))


def is_met(front: FaultProxy, operation: str) -> bool:
    """Whether the task is reading what was made up for an operation."""

    def met() -> bool:
        return front.sent_bytes > 0 and any(seen.operation == operation for seen in front.requests)

    return eventually(met, PATIENCE)


def end(process: Any, number: int = signal.SIGTERM) -> ModuleResult:
    """The result of a process that is sent a signal; to wait for any one answer would take it longer than we do."""
    process.send_signal(number)
    ended = finish_module(process, PATIENCE)
    assert ended.stderr == ""
    return ended


def listens_again(process: Any) -> bool:
    """Whether a signal counts as a second one, after a first that has been noticed."""
    return eventually(lambda: not ignores_signals(process.pid), PATIENCE)


def test_what_a_task_that_has_to_end_grants_itself_is_what_is_promised() -> None:
    assert Timing().clean_up + Timing().logout < TO_END


def moments() -> list[Any]:
    """Where a signal waits, each way to be slow; elsewhere one."""
    waits = [*itertools.product(("login", "logout"), DRIPPED), *itertools.product(("api", "put", "get"), ("head",))]
    return marked([("-".join(each), each) for each in waits], lambda values: values[0])


@pytest.mark.parametrize(("phase_name", "dripped"), moments())
def test_a_signal_ends_a_task_whatever_the_server_sends(
    phase_name: str, dripped: str, front: FaultProxy, server: Simulator, tmp_path: Path
) -> None:
    phase = PHASES[phase_name]
    answer(front, phase.operation, DRIPPED[dripped])
    process = start(front, phase, tmp_path, request_timeout=600)
    assert is_met(front, phase.operation)
    ended = end(process)
    if phase_name == "logout":
        assert ended.rc == 0, ended.result
        assert any("The API session ends by itself" in each for each in ended.warnings)
        return
    assert ended.result["error"]["type"] == "CANCELED"
    assert "ended by SIGTERM" in ended.result["msg"]
    if phase_name == "login":
        assert "Could not log in" in ended.result["msg"]
        assert any("an API session may be open" in each for each in ended.warnings)
    else:
        assert (update_states(server), logins(server)) == ({}, 0)


@pytest.mark.parametrize("dripped", ["body", pytest.param("interim", marks=pytest.mark.rest)])
def test_a_session_that_cannot_be_removed_in_time_is_named(
    dripped: str, front: FaultProxy, server: Simulator, tmp_path: Path
) -> None:
    answer(front, "update.cancel", DRIPPED[dripped])
    answer(front, "session.logout", DRIPPED[dripped])
    front.misbehave(Misbehaviour("stop-reading", "data.put"))
    process = start(front, PHASES["put"], tmp_path, request_timeout=600)
    assert eventually(lambda: any(seen.operation == "data.put" for seen in front.requests), PATIENCE)
    ended = end(process)
    (left,) = update_states(server)
    assert f"Session {left} is left behind" in ended.result["msg"]
    assert any("The API session ends by itself" in each for each in ended.warnings)


@pytest.mark.parametrize("dripped", DRIPPED)
def test_a_second_signal_ends_a_task_at_once_and_what_is_left_is_named(
    dripped: str, front: FaultProxy, server: Simulator, tmp_path: Path
) -> None:
    answer(front, "update.cancel", DRIPPED[dripped])
    front.misbehave(Misbehaviour("stop-reading", "data.put"))
    process = start(front, PHASES["put"], tmp_path, request_timeout=600)
    assert eventually(lambda: any(seen.operation == "data.put" for seen in front.requests), PATIENCE)
    process.send_signal(signal.SIGTERM)
    assert is_met(front, "update.cancel")
    assert listens_again(process)
    ended = end(process, signal.SIGINT)
    (left,) = update_states(server)
    assert "The task was ended by SIGTERM." in ended.result["msg"]
    assert f"Session {left} is left behind" in ended.result["msg"]
    assert any("The API session ends by itself" in each for each in ended.warnings)
    assert not any(seen.operation in ("update.delete", "session.logout") for seen in front.requests)
    assert (server.run(lambda store: store.update_session(left).state), logins(server)) == ("ACTIVE", 1)


@pytest.mark.parametrize("operation", ["session.login", "update.create"])
def test_a_second_signal_ends_what_the_first_one_waits_for(
    operation: str, front: FaultProxy, server: Simulator, tmp_path: Path
) -> None:
    answer(front, operation, DRIPPED["head"])
    process = start(front, PHASES["put"], tmp_path, request_timeout=600)
    assert is_met(front, operation)
    process.send_signal(signal.SIGHUP)
    assert eventually(lambda: ignores_signals(process.pid), PATIENCE)
    assert listens_again(process)
    ended = end(process)
    assert ended.result["error"]["type"] == "CANCELED"
    assert "ended by SIGHUP, and by SIGTERM before it had cleaned up." in ended.result["msg"]
    assert "What it was asking vCenter for at that moment may have been done." in ended.result["msg"]
    assert any("API session" in each for each in ended.warnings)
    assert update_states(server) == {}


@pytest.mark.rest
def test_no_exchange_takes_longer_than_ten_times_request_timeout(server: Simulator, tmp_path: Path) -> None:
    """Without a signal; all of them at the same time, as they take that long."""
    server.reset()
    cells = [*itertools.product(("login", "api"), ("head", "body", "trailers", "interim")), ("put", "head")]
    with ExitStack() as stack:
        running = []
        for name, dripped in cells:
            own = stack.enter_context(FaultProxy(server))
            answer(own, PHASES[name].operation, DRIPPED[dripped])
            running.append(start(own, PHASES[name], tmp_path, request_timeout=3))
        results = [finish_module(process, 2 * PATIENCE).result for process in running]
    for (name, dripped), result in zip(cells, results):
        assert result["error"]["type"] == "TIMED_OUT", (name, dripped, result)
        assert "after 30 seconds (10 times request_timeout)" in result["msg"]
