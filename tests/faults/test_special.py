# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the whole connection for each module in both dialects, and what takes its time and is tried only here."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing
from tests.faults.matrix_cells import Stage
from tests.faults.matrix_whole import WHOLE
from tests.faults.points import TASKS
from tests.faults.proxy import HUGE_BYTES, Misbehaviour
from tests.harness.modules import connection_args, run_module
from tests.harness.packages import make_iso
from tests.harness.samples import marked
from tests.harness.tasks import DIALECTS, ERROR_KEYS, UPDATE_SESSION
from tests.simulator import Store
from tests.simulator.seed import VIEWER

MODULES = ("publish", "fetch", "info", "create-item")


@pytest.mark.parametrize(
    ("fault_name", "task_name", "dialect"),
    marked([("-".join(cell), cell) for cell in itertools.product(WHOLE, MODULES, DIALECTS)], lambda values: values[0]),
)
def test_no_request_gets_through(
    fault_name: str,
    task_name: str,
    dialect: str,
    stage: Stage,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    fault, task = WHOLE[fault_name], TASKS[task_name]
    scene = stage.set(task)
    with fault.happens(tmp_path) as options:
        ran = stage.run(task, scene, dialect, stage.sim, **options)
    record_property("told", ran.result["msg"])
    assert ran.result["error"]["type"] == fault.outcome, ran.result
    assert ran.result["error"]["operation"] == "session.login"
    assert set(ran.result["error"]) == ERROR_KEYS
    assert fault.told in ran.result["msg"]
    assert "Traceback" not in ran.stdout
    assert ran.stderr == ""
    assert stage.sim.exchanges == ()
    assert stage.look(task, scene).files == ()

    again = stage.run(task, scene, dialect, stage.sim)
    assert again.rc == 0, again.result
    assert stage.look(task, scene).is_done


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_user_s_session_is_in_the_way_from_the_start(dialect: str, stage: Stage) -> None:
    task = TASKS["publish"]
    scene = stage.set(task)
    rival = stage.sim.run(lambda store: store.seed_update_session(scene.item_id, user=VIEWER, files={"a.iso": b"a"}))
    ran = stage.run(task, scene, dialect, stage.sim)
    assert ran.result["error"]["type"] == "RESOURCE_BUSY"
    assert "busy_timeout" in ran.result["msg"]
    assert not any(exchange.method == "PUT" for exchange in stage.sim.exchanges)
    assert stage.sim.run(lambda store: store.update_session(rival).state) == "ACTIVE"
    stage.mend(scene)
    assert stage.run(task, scene, dialect, stage.sim).rc == 0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(status: int, stage: Stage) -> None:
    task = TASKS["info"]
    scene = stage.set(task)
    stage.proxy.misbehave(Misbehaviour("status", "update.list", status=status, retry_after="2"))
    started = time.monotonic()
    ran = stage.run(task, scene, "api", stage.proxy)
    assert ran.rc == 0, ran.result
    assert time.monotonic() - started >= 2


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("state", ["canceled", "error"])
@pytest.mark.parametrize("kind", ["update", "download"])
def test_a_session_ends_as_declared_although_the_answer_was_lost(
    kind: str, state: str, dialect: str, stage: Stage
) -> None:
    scene = stage.set(TASKS["publish"])

    def seed(store: Store) -> str:
        make = store.seed_update_session if kind == "update" else store.seed_download_session
        return make(scene.item_id)

    session_id = stage.sim.run(seed)
    operation = f"{kind}.{'cancel' if state == 'canceled' else 'fail'}"
    stage.proxy.misbehave(Misbehaviour("reset-after", operation))
    connection = {**connection_args(stage.proxy), "api_dialect": dialect}
    declared = {"session_id": session_id, "state": state, "error_message": "why"}
    ran = run_module(f"content_library_{kind}_session", {**connection, **declared})
    assert ran.rc == 0, ran.result
    assert ran.result["session"]["state"] == state.upper()
    assert [seen.operation for seen in stage.proxy.requests].count(operation) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_in_another_state_than_declared_is_refused_once(dialect: str, stage: Stage) -> None:
    scene = stage.set(TASKS["publish"])
    session_id = stage.sim.run(lambda store: store.seed_update_session(scene.item_id))
    fail = Misbehaviour(
        "act",
        "update.cancel",
        act=lambda: stage.sim.run(lambda store: store.updates.fail(session_id, "somebody else")),
    )
    stage.proxy.misbehave(fail)
    connection = {**connection_args(stage.proxy), "api_dialect": dialect}
    ran = run_module(UPDATE_SESSION, {**connection, "session_id": session_id, "state": "canceled"})
    assert ran.result["error"]["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert [seen.operation for seen in stage.proxy.requests].count("update.cancel") == 1


def test_an_upload_that_broke_is_started_again_after_a_pause(stage: Stage) -> None:
    task = TASKS["publish"]
    scene = stage.set(task)
    stage.proxy.misbehave(Misbehaviour("status", "data.put", last=2, status=503))
    started = time.monotonic()
    ran = stage.run(task, scene, "api", stage.proxy)
    assert ran.rc == 0, ran.result
    assert len(ran.warnings) == 2
    assert time.monotonic() - started >= 3 * Timing().first_transfer_pause


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_server_that_stops_reading_is_left_and_the_upload_started_again(
    dialect: str, stage: Stage, tmp_path: Path
) -> None:
    task = TASKS["publish"]
    # More than the buffers between the two would hold.
    large = replace(stage, image=make_iso(tmp_path / "tools.iso", 24 * 1024 * 1024))
    scene = large.set(task)
    stage.proxy.misbehave(Misbehaviour("stop-reading", "data.put"))
    ran = large.run(task, scene, dialect, stage.proxy, request_timeout=1)
    assert ran.rc == 0, ran.result
    assert [seen.operation for seen in stage.proxy.requests].count("data.put") == 2
    assert ran.warnings
    assert large.look(task, scene).is_done


@pytest.mark.parametrize(
    ("task_name", "operation"), [("info", "session.login"), ("info", "update.get"), ("fetch", "data.get")]
)
def test_an_answer_that_takes_longer_than_request_timeout_but_never_stops_is_waited_for(
    task_name: str, operation: str, stage: Stage
) -> None:
    task = TASKS[task_name]
    scene = stage.set(task)
    stage.proxy.misbehave(Misbehaviour("trickle", operation, seconds=2.0))
    started = time.monotonic()
    ran = stage.run(task, scene, "api", stage.proxy, request_timeout=1)
    assert ran.rc == 0, ran.result
    assert not ran.warnings
    assert time.monotonic() - started >= 1.5


@pytest.mark.parametrize("dialect", DIALECTS)
def test_of_an_answer_without_end_only_so_much_is_read(dialect: str, stage: Stage) -> None:
    task = TASKS["info"]
    scene = stage.set(task)
    stage.proxy.misbehave(Misbehaviour("huge", "update.list"))
    ran = stage.run(task, scene, dialect, stage.proxy)
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert "larger than 12 MiB" in ran.result["msg"]
    # What the connection has taken in beyond what was read is no more than its buffers hold.
    assert Timing().longest_answer <= stage.proxy.sent_bytes < HUGE_BYTES * 3 // 4
