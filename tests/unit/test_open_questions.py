# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open questions about vCenter that matter only in rare tasks, which come out well with either answer.

The main jobs run with each answer in tests/faults/test_worlds.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.held import contents, hold, update_states
from tests.harness.modules import connection_args, paced, run_module
from tests.harness.packages import make_ova, make_package
from tests.harness.servers import CannedServer, Identity, Received, Reply, relay_to
from tests.harness.tasks import ROCKY9, UPDATE_SESSION, Run, Tasks, publish
from tests.simulator import Seed, Simulator
from tests.simulator.worlds import WORLDS, in_worlds


@pytest.mark.fact("client-token-memory")
@pytest.mark.parametrize("answer", WORLDS["client-token"].values)
def test_a_session_that_was_not_needed_does_not_come_back_by_its_client_token(
    sim: Simulator, identity: Identity, image: Path, answer: str
) -> None:
    """Others publish the same content before the task has its session, and other content once it has removed that."""

    def change(request: Received, reply: Reply | None) -> Reply | None:
        if not reply and request.path.partition("?")[0].endswith("/item/update-session") and request.method == "POST":
            creations.append(request.path)
            if len(creations) == 1:
                hold(sim, {image.name: image.read_bytes()})
        elif reply and request.method == "DELETE" and len(creations) == 1:
            hold(sim, {image.name: b"something else"})
        here, there = f"127.0.0.1:{server.port}", f"localhost:{sim.port}"
        return reply and Reply(reply.status, reply.body.replace(there.encode(), here.encode()))

    creations: list[str] = []
    sim.reset(in_worlds(Seed(), {"client-token": answer}))
    options = {name: value for name, value in publish(image, busy_timeout=60).items() if name != "module"}
    with CannedServer(relay_to(sim, change), identity=identity) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(server), **options, "api_dialect": "api"})
    assert (ran.rc, ran.result.get("changed")) == (0, True), ran.result
    assert len(creations) == 2
    assert contents(sim) == {image.name: image.read_bytes()}


def publish_unaccepted(tmp_path: Path, worlds: Mapping[str, str]) -> Run:
    """Publish an OVA whose signer nobody accepts."""
    package = make_package(tmp_path / "package", disks=1, disk_bytes=9000, signed="self-signed")
    with Simulator(settle=0.03, worlds=worlds) as sim:
        run = Tasks(sim, "api").run(**publish(make_ova(package, tmp_path / "rocky9.ova"), ROCKY9))
        assert contents(sim, "rocky9") == {}
        assert update_states(sim) == {}
    return run


@pytest.mark.fact("ova-preview-unavailable")
@pytest.mark.parametrize("answer", WORLDS["ova-preview"].values)
def test_the_preview_of_an_ova_is_waited_for_in_whatever_state_it_begins(tmp_path: Path, answer: str) -> None:
    run = publish_unaccepted(tmp_path, {"ova-preview": answer})
    assert run.error["type"] == "WARNINGS_NOT_IGNORED"
    assert run.sent("POST", "complete") == []


@pytest.mark.fact("answer-to-an-unignored-warning")
@pytest.mark.parametrize("answer", WORLDS["unignored-warning"].values)
def test_a_warning_that_no_preview_has_shown_in_time_is_told_when_the_session_has_failed(
    tmp_path: Path, answer: str
) -> None:
    with paced(preview_unavailable=0.01, join_completion=0.1):
        run = publish_unaccepted(tmp_path, {"ova-preview": "long-unavailable", "unignored-warning": answer})
    assert (run.error["type"], len(run.sent("POST", "complete"))) == ("TRANSFER_FAILED", 1)
    assert "SELF_SIGNED_CERTIFICATE" in run.msg
    assert run.error["messages"]
