# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a result shows with -vvv of the exchanges with the server: each of them, and nothing that lets anybody in."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

from tests.faults.secrets_relay import Relay
from tests.fuzz.operations import LOGIN, LOGOUT, operation_of
from tests.harness.checkout import ROOT
from tests.harness.modules import MODULES, ModuleResult, connection_args, run_module
from tests.harness.packages import make_iso, make_package
from tests.harness.servers import Received, Reply, make_identity, unused_port
from tests.harness.tasks import (
    DIALECTS,
    DOWNLOAD_SESSION,
    ERROR_KEYS,
    LIBRARY_ITEM,
    SESSION_INFO,
    TOOLS,
    UPDATE_SESSION,
)
from tests.simulator import Simulator
from tools.environment import check_environment

DATA = "/cls/data/"
# In the order in which they can follow each other: what is fetched has been published before.
TASKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "publish": (UPDATE_SESSION, {**TOOLS, "state": "done", "files": [{"src": "DIR/tools.iso"}]}),
    "fetch": (DOWNLOAD_SESSION, {**TOOLS, "dest": "DIR/fetched"}),
    "item": (LIBRARY_ITEM, {"library": "templates", "name": "new", "type": "iso"}),
    "info": (SESSION_INFO, {**TOOLS, "with_files": True}),
    "refused": (UPDATE_SESSION, {"session_id": "a:b", "state": "done"}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_iso(tmp_path / "tools.iso", 5000)
    (tmp_path / "fetched").mkdir()
    return tmp_path


def run(sim: Any, name: str, folder: Path, *, verbosity: int = 3, **options: Any) -> ModuleResult:
    module, given = TASKS[name]
    placed = json.loads(json.dumps(given).replace("DIR", str(folder)))
    return run_module(module, {**connection_args(sim), **placed, **options}, verbosity=verbosity)


def traced(ran: ModuleResult) -> list[tuple[str, str, int | None]]:
    trace = ran.result["trace"]
    assert {tuple(entry) for entry in trace} <= {("method", "path", "status", "milliseconds")}
    return [(entry["method"], entry["path"], entry["status"]) for entry in trace]


def answered(sim: Simulator) -> list[tuple[str, str, int | None]]:
    """What the server has answered; a status of zero stands for no answer."""
    return [(entry.method, _told_path(entry.path, sim.port), entry.status or None) for entry in sim.exchanges]


def _told_path(path: str, port: int) -> str:
    return f"https://localhost:{port}{path.partition('?')[0]}" if path.startswith(DATA) else path


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TASKS)
def test_each_exchange_is_there(sim: Simulator, folder: Path, dialect: str, name: str) -> None:
    if name == "fetch":
        assert run(sim, "publish", folder).rc == 0
        sim.clear_exchanges()
    ran = run(sim, name, folder, api_dialect=dialect)
    assert ran.rc == (1 if name == "refused" else 0), ran.result
    assert traced(ran) == answered(sim)
    assert bool([entry for entry in traced(ran) if DATA in entry[1]]) == (name in ("publish", "fetch"))


def test_uploads_in_several_threads_are_all_there(sim: Simulator, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=4, disk_bytes=20_000)
    files = [{"src": str(package.descriptor)}]
    options = {"library": "templates", "library_item": "rocky9", "state": "done", "files": files}
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **options, "parallel_transfers": 4}, verbosity=3)
    assert ran.rc == 0, ran.result
    assert sorted(traced(ran), key=str) == sorted(answered(sim), key=str)
    assert traced(ran)[0] == ("POST", "/api/session", 201)
    assert traced(ran)[-1] == ("DELETE", "/api/session", 204)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("503", [201, 200, 200, 503, 200, 200, 204]),
        ("reset", [201, 200, 200, None, 200, 200, 204]),
        ("unauthenticated", [201, 200, 200, 401, 201, 200, 200, 204, 401]),
    ],
)
@pytest.mark.paced(first_request_pause=0.01)
def test_what_was_tried_again_is_there_each_time(
    sim: Simulator, folder: Path, fault: str, statuses: list[int | None]
) -> None:
    sim.inject(f"GET:/api/content/library/item/update-session*:1:{fault}")
    ran = run(sim, "info", folder)
    assert ran.rc == 0, ran.result
    assert [status for _method, _path, status in traced(ran)] == statuses
    assert traced(ran) == answered(sim)


def test_nobody_who_answers_is_there_without_a_status(sim: Simulator, folder: Path) -> None:
    ran = run(sim, "info", folder, port=unused_port())
    assert traced(ran) == [("POST", "/api/session", None)]


def test_options_that_are_refused_send_nothing(sim: Simulator, folder: Path) -> None:
    ran = run(sim, "publish", folder, wait_timeout=0)
    assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
    assert ran.result["trace"] == []


@pytest.mark.parametrize("name", ["info", "refused"])
def test_without_vvv_there_is_no_trace(sim: Simulator, folder: Path, name: str) -> None:
    assert "trace" not in run(sim, name, folder, verbosity=2).result


def test_the_time_is_that_until_the_head_of_the_answer(folder: Path) -> None:
    with Simulator(latency_ms=120) as slow:
        ran = run(slow, "info", folder)
    assert {entry["milliseconds"] >= 120 for entry in ran.result["trace"]} == {True}
    assert {type(entry["milliseconds"]) for entry in ran.result["trace"]} == {int}


# Secrets

SECRETS = {"Url-Canary", "Query-Canary", "Canary-7f3kQ2"}
TOKEN = "vmware-api-session-id"


def sent_elsewhere(place: str, query: str = "?key=Query-Canary") -> Callable[..., Reply]:
    """Have the data fetched from another place."""

    def meddle(_number: int, _request: Received, pass_on: Callable[[], Reply]) -> Reply:
        answer = pass_on()
        text = answer.body.decode("utf-8", "replace")
        changed = re.sub(r'"https://[^/"]+(/cls/data/[^"?]*)"', lambda found: f'"{place}{found[1]}{query}"', text)
        return Reply(answer.status, changed.encode() if changed != text else answer.body, answer.headers)

    return meddle


@pytest.mark.parametrize("elsewhere", [False, True], ids=["own", "another host"])
def test_where_data_is_goes_without_user_and_query(
    sim: Simulator, folder: Path, tmp_path_factory: pytest.TempPathFactory, elsewhere: bool
) -> None:
    assert run(sim, "publish", folder).rc == 0
    identity = make_identity(tmp_path_factory.mktemp("identity"))
    with Relay(sim, identity) as vcenter, Relay(sim, identity) as mirror:
        place = mirror if elsewhere else vcenter
        vcenter.meddle = sent_elsewhere(f"https://svc:Url-Canary@{place.hostname}:{place.port}")
        ran = run(vcenter, "fetch", folder)
        [data] = [request.path for request in place.received if request.path.startswith(DATA)]
    assert ran.rc == 0, ran.result
    assert data.endswith("?key=Query-Canary")
    shown = [path for method, path, _status in traced(ran) if DATA in path]
    assert shown == [(f"https://{mirror.hostname}:{mirror.port}" if elsewhere else "") + data.partition("?")[0]]
    require_no_secret(ran, vcenter)


def test_a_secret_in_a_path_is_hidden_also_where_it_is_coded(
    sim: Simulator, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert run(sim, "publish", folder).rc == 0
    identity = make_identity(tmp_path_factory.mktemp("identity"))
    with Relay(sim, identity) as vcenter:
        vcenter.meddle = sent_elsewhere(f"https://{vcenter.hostname}:{vcenter.port}/Canary-7f3kQ2/Canary%2D7f3kQ2")
        ran = run(vcenter, "fetch", folder)
    assert "404" in json.dumps(ran.result["trace"])
    [shown] = [path for _method, path, _status in traced(ran) if DATA in path]
    assert shown.startswith("/********/********/cls/")
    require_no_secret(ran, vcenter)
    assert "Canary%2D7f3kQ2" not in ran.stdout


def require_no_secret(ran: ModuleResult, vcenter: Relay) -> None:
    tokens = {request.headers[TOKEN] for request in vcenter.received if TOKEN in request.headers}
    assert tokens
    assert [secret for secret in SECRETS | tokens if secret in ran.stdout + ran.stderr] == []


# As people see it


@pytest.mark.process
@pytest.mark.parametrize("options", [pytest.param([], marks=pytest.mark.rest), ["-vvv"]], ids=["plain", "vvv"])
def test_ansible_playbook_shows_it_when_asked(sim: Simulator, tmp_path: Path, options: list[str]) -> None:
    task = {
        "name": "Look",
        "vsphere.content.content_library_session_info": {**connection_args(sim), **TOOLS},
        "register": "found",
    }
    said = {"name": "Say", "ansible.builtin.debug": {"msg": "traced {{ found.trace | default([]) | to_json }}"}}
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task, said]}]))
    ran = subprocess.run(
        ["ansible-playbook", *options, str(playbook)],
        cwd=ROOT,
        env={**check_environment(os.environ), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(json.loads(re.search(r'"msg": (".*")', ran.stdout)[1]).removeprefix("traced "))  # type: ignore[index]
    wanted = answered(sim) if options else []
    assert [(entry["method"], entry["path"], entry["status"]) for entry in found] == wanted
    assert sim.password not in ran.stdout + ran.stderr


# -- what the documentation of the modules says of it


def returned(module: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{MODULES}.{module}").RETURN)[key]
    return found


def without_sample(described: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the module, so without what else an error carries."""
    contains = {name: entry for name, entry in described["contains"].items() if name != "data"}
    return {**described, "contains": contains, "sample": None}


@pytest.mark.parametrize("key", ["error", "trace"])
@pytest.mark.parametrize("module", sorted({module for module, _options in TASKS.values()} - {UPDATE_SESSION}))
def test_each_module_describes_it_in_the_same_words(module: str, key: str) -> None:
    assert without_sample(returned(module, key)) == without_sample(returned(UPDATE_SESSION, key))


@pytest.mark.parametrize("name", ["publish", "fetch", "item", "info"])
def test_a_sample_is_one_of_the_module_s_own(sim: Simulator, folder: Path, name: str) -> None:
    if name == "fetch":
        run(sim, "publish", folder)
    module, _options = TASKS[name]
    asked = {operation_of(method, path) for method, path, _status in traced(run(sim, name, folder))}
    (request,) = returned(module, "trace")["sample"]
    own = asked - {LOGIN, LOGOUT}
    assert operation_of(request["method"], request["path"]) in own
    assert returned(module, "error")["sample"]["operation"] in asked
    assert set(returned(module, "error")["sample"]) == set(returned(module, "error")["contains"]) == ERROR_KEYS
