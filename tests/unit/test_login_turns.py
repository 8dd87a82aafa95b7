# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often a password is sent by the tasks of one run: to log in alone, to wait, and to know what became of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import (
    connection_spec,
    read_options,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import ContentError
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.login_turns import TURNS_VARIABLE
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock
from tests.harness.modules import connection_args, run_module
from tests.harness.servers import CannedServer, Received, Reply
from tests.harness.tasks import SESSION_INFO, is_login
from tests.harness.waiting import HANG
from tests.simulator import Simulator

KEY = "0123456789abcdef"
WRONG = {"password": "not-the-right-1"}


@dataclass
class Gate:
    """A vCenter that answers the first login only once another task waits for it, and each later one at once."""

    answers: list[Reply]
    open: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _request: Received) -> Reply:
        self.reached.set()
        assert self.open.wait(HANG)
        return self.answers.pop(0)


@contextmanager
def gated(*answers: Reply) -> Iterator[tuple[Gate, CannedServer]]:
    gate = Gate(list(answers))
    with CannedServer(gate) as server:
        yield gate, server


def log_in(server: Any, folder: Path, waits: threading.Event | None = None, **changes: Any) -> ContentError | None:
    """Log in as a task of the run does; `waits` is set once it waits for another one."""

    def sleep(seconds: float) -> None:
        if waits:
            waits.set()
        threading.Event().wait(seconds)

    defaults = {name: option.get("default") for name, option in connection_spec().items()}
    options = read_options({**defaults, **connection_args(server), "api_dialect": "api", **changes})
    connection = Connection(options, on_secret=lambda _text: None, turns=f"{KEY}:{folder}", clock=Clock(sleep=sleep))
    try:
        connection.login()
    except ContentError as error:
        return error
    return None


TOKEN = Reply(201, b'"a-token"')
REFUSED = Reply(401, b"{}")
BUSY = Reply(503, b"{}")


@pytest.mark.parametrize(
    ("answers", "second", "told", "logins"),
    [
        pytest.param([TOKEN, TOKEN], {}, None, 2, id="accepted"),
        pytest.param([REFUSED], {}, "UNAUTHENTICATED", 1, id="refused"),
        pytest.param([Reply(403, b"{}")], {}, "UNAUTHORIZED", 1, id="forbidden"),
        pytest.param([REFUSED], {"request_timeout": 7}, "UNAUTHENTICATED", 1, id="refused, in whatever way"),
        pytest.param([BUSY], {}, "SERVICE_UNAVAILABLE", 1, id="failed"),
        pytest.param([BUSY, TOKEN], {"request_timeout": 7}, None, 2, id="failed in another way"),
    ],
)
def test_the_first_login_goes_alone_and_the_second_task_knows_what_became_of_it(
    tmp_path: Path, answers: list[Reply], second: dict[str, Any], told: str | None, logins: int
) -> None:
    waits = threading.Event()
    with gated(*answers) as (gate, server), ThreadPoolExecutor() as pool:
        first = pool.submit(log_in, server, tmp_path)
        assert gate.reached.wait(HANG)
        other = pool.submit(log_in, server, tmp_path, waits, **second)
        assert waits.wait(HANG)
        assert len(server.received) == 1
        gate.open.set()
        first.result(HANG)
        error = other.result(HANG)
    assert (error.error_type if error else None) == told
    assert len(server.received) == logins


def test_a_login_that_could_not_be_sent_is_tried_again_by_later_tasks(tmp_path: Path) -> None:
    with gated(BUSY, TOKEN, TOKEN) as (gate, server):
        gate.open.set()
        assert [bool(log_in(server, tmp_path)) for _task in range(3)] == [True, False, False]


def run(sim: Simulator, place: str, **options: Any) -> tuple[str | None, str]:
    """A task of the run: the type of its failure, and its message."""
    env = {TURNS_VARIABLE: place} if place else {}
    result = run_module(SESSION_INFO, {**connection_args(sim), **options}, env=env).result
    return (result["error"]["type"], result["msg"]) if result.get("failed") else (None, "")


def test_a_refused_password_is_sent_once_and_another_one_at_once(sim: Simulator, tmp_path: Path) -> None:
    place = f"{KEY}:{tmp_path}"
    for _task in range(3):
        kind, said = run(sim, place, **WRONG)
        assert kind == "UNAUTHENTICATED"
    assert "in another task of this run, so this task did not send them. Check username and password" in said
    other_spelling = run(sim, place, username=sim.username.upper(), **WRONG)
    assert (kind, said) == (other_spelling[0], other_spelling[1].replace(sim.username.upper(), sim.username))
    assert [entry.status for entry in sim.exchanges if is_login(entry)] == [401]

    assert run(sim, place) == (None, "")
    assert run(sim, place, username="nobody@vsphere.local")[0] == "UNAUTHENTICATED"
    assert [entry.status for entry in sim.exchanges if is_login(entry) and entry.method == "POST"] == [401, 201, 401]

    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        kept = f"{file.name} {file.read_text(encoding='utf-8')}"
        assert not [text for text in (WRONG["password"], sim.password, sim.username, KEY) if text in kept]


@pytest.mark.parametrize("place", ["", f"{KEY}:/not/there", "rubbish", f"{KEY}:FILE"])
def test_a_task_logs_in_as_it_pleases_where_there_is_no_run(sim: Simulator, tmp_path: Path, place: str) -> None:
    file = tmp_path / "file"
    file.touch()
    for _task in range(2):
        assert run(sim, place.replace("FILE", str(file)), **WRONG)[0] == "UNAUTHENTICATED"
    assert [entry.status for entry in sim.exchanges if is_login(entry)] == [401, 401]


def test_a_password_that_is_refused_in_the_midst_of_a_run_is_not_sent_again(sim: Simulator, tmp_path: Path) -> None:
    place = f"{KEY}:{tmp_path}"
    assert run(sim, place)[0] is None
    sim.inject("POST:/api/session:*:401")
    assert [run(sim, place)[0] for _task in range(2)] == ["UNAUTHENTICATED"] * 2
    assert [entry.status for entry in sim.exchanges if is_login(entry) and entry.method == "POST"] == [201, 401]
