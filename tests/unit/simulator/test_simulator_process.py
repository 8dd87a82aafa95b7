# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line, the record, faults, the seed file and the two SOAP calls."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness.clocks import HandClock
from tests.harness.waiting import in_time
from tests.simulator import Seed, Simulator
from tests.simulator.faults import parse_fault
from tests.simulator.seed import load_seed
from tests.unit.simulator.wire_client import Wire, wire_error

ROOT = Path(__file__).resolve().parents[3]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def start(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready: dict[str, Any] = json.loads(process.stdout.readline())
    return process, ready


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line(tmp_path: Path, number: signal.Signals) -> None:
    record, seed = tmp_path / "record.jsonl", tmp_path / "seed.yml"
    seed.write_text("libraries: [{name: mine, items: [{name: x, files: [{name: a.iso, size: 10}]}]}]\n")
    process, ready = start("--record", str(record), "--seed", str(seed), "--fault", "GET:*update-session*:2:503/7")
    try:
        assert sorted(ready) == ["ca_path", "hostname", "password", "pid", "port", "username"]
        assert ready["pid"] == process.pid
        origin = f"https://{ready['hostname']}:{ready['port']}"
        http = requests.Session()
        http.trust_env, http.verify = False, ready["ca_path"]
        token = http.post(f"{origin}/api/session", auth=(ready["username"], ready["password"])).json()
        http.headers["vmware-api-session-id"] = token
        sessions = f"{origin}/api/content/library/item/update-session"
        assert http.get(sessions).json() == []
        failed = http.get(sessions)
        assert (failed.status_code, failed.headers["Retry-After"]) == (503, "7")
        found = http.post(f"{origin}/api/content/library?action=find", json={"name": "MINE"}).json()
        assert len(found) == 1
        process.send_signal(number)
        output, errors = process.communicate(timeout=5)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (0, "", "")
    assert not Path(ready["ca_path"]).exists()
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(line["method"], line["status"]) for line in lines] == [
        ("POST", 201),
        ("GET", 200),
        ("GET", 503),
        ("POST", 200),
    ]
    assert set(lines[0]) == {"time", "method", "path", "status", "request_bytes", "response_bytes", "user"}
    assert lines[0]["user"] == ready["username"]
    assert token not in record.read_text()
    assert ready["password"] not in record.read_text()


@pytest.mark.process
@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "GET:*:1:explode"],
        ["--seed", "/nowhere.yml"],
        ["--dialect", "soap"],
        ["--world", "range:seldom"],
        ["--vcenter", "5.5"],
    ],
)
def test_a_wrong_command_line_says_so(arguments: list[str]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.simulator", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stdout) == (2, "")
    assert arguments[1].rpartition(":")[2] in finished.stderr


@pytest.mark.parametrize("text", ["", "GET", "GET:*:0x:reset", "GET:*:1:explode", "get:*:1:reset"])
def test_what_is_no_fault(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_an_unknown_key_in_a_seed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed.yml"
    path.write_text("libraries: [{name: x, colour: red}]\n")
    with pytest.raises(ValueError, match="colour"):
        load_seed(str(path))
    path.write_text("datastores: [{uri: 'ds:///a', text: b}]\nchecksum_algorithm: none\n")
    seed = load_seed(str(path))
    assert (seed.datastores, seed.checksum_algorithm) == ({"ds:///a": b"b"}, "none")
    assert seed.libraries == Seed().libraries


def test_faults_that_answer(server: Simulator, wire: Wire, iso: str) -> None:
    session = wire.open(iso)
    server.inject("GET:*update-session*:1:503/5")
    server.inject("GET:*update-session*:2:html")
    server.inject("GET:*update-session*:3:busy")
    server.inject("GET:*update-session*:4:truncate")
    answers = [wire.get(session) for _attempt in range(5)]
    assert [answer.status_code for answer in answers] == [503, 502, 500 if wire.dialect == "api" else 400, 200, 200]
    assert (answers[0].headers["Retry-After"], wire_error(answers[0])) == ("5", "SERVICE_UNAVAILABLE")
    assert "<html>" in answers[1].text
    assert wire_error(answers[2]) == "RESOURCE_BUSY"
    assert answers[4].text.startswith(answers[3].text)
    assert len(answers[3].text) == len(answers[4].text) // 2
    marks = [entry.fault for entry in server.exchanges if entry.method == "GET"]
    assert [mark is not None for mark in marks] == [True, True, True, True, False]


def test_unauthenticated_ends_the_login(server: Simulator, wire: Wire) -> None:
    server.inject("GET:*:1:unauthenticated")
    answer = wire.list()
    assert (answer.status_code, answer.text) == (401, "")
    assert wire_error(wire.list()) == "UNAUTHENTICATED"


def test_faults_that_break_the_connection(server: Simulator, wire: Wire, iso: str) -> None:
    server.inject("POST:*update-session*:1:reset")
    server.inject("POST:*update-session*:2:reset-mid-body")
    for expected in (0, 1):
        with pytest.raises(BROKEN):
            wire.create(iso)
        assert len(server.run(lambda store: store.active_update_sessions())) == expected
    assert [entry.status for entry in server.exchanges[-2:]] == [0, 0]
    server.clear_faults()
    assert wire_error(wire.create(iso)) == "RESOURCE_BUSY"


def test_an_upload_that_is_reset(server: Simulator, wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]
    server.inject("PUT:/cls/data/*:1:reset-mid-body")
    with pytest.raises(BROKEN):
        wire.put(uri, b"x" * 5_000_000)
    clock.settle()
    entry = wire.value(wire.file(session, "a.iso"))
    assert (entry["status"], entry["bytes_transferred"] < 5_000_000) == ("TRANSFERRING", True)
    assert wire.put(uri, b"x").status_code == 200


def test_an_upload_that_is_refused_still_gets_its_answer(server: Simulator, wire: Wire, iso: str) -> None:
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]
    server.inject("PUT:*:1:503/1")
    server.inject("PUT:*:2:unauthenticated")
    answers = [wire.put(uri, b"x" * 2_000_000).status_code for _attempt in range(3)]
    assert answers == [503, 401, 200]


def test_a_download_that_is_reset(server: Simulator, wire: Wire, synced: str) -> None:
    session = server.run(lambda store: store.seed_download_session(synced, prepared=["synced.iso"]))
    uri = wire.value(wire.download_file(session, "synced.iso"))["download_endpoint"]["uri"]
    server.inject("GET:/cls/data/*:1:reset-mid-body")
    server.inject("GET:/cls/data/*:2:truncate")
    with pytest.raises(BROKEN):
        requests.get(uri, verify=server.ca_path)
    assert len(requests.get(uri, verify=server.ca_path).content) == 32768
    assert "checksum_info" not in wire.value(wire.download_file(session, "synced.iso"))
    assert len(requests.get(uri, verify=server.ca_path).content) == 65536


def test_hang_and_slow(server: Simulator, wire: Wire) -> None:
    server.inject("GET:*:1:hang")
    server.inject("GET:*:2:slow/0.3")
    with pytest.raises(requests.exceptions.ReadTimeout):
        wire.http.get(f"{wire.origin}/api/session", timeout=0.2)
    with in_time(at_least=0.3):
        assert wire.list().status_code == 200


def test_latency_and_rate() -> None:
    with Simulator(latency_ms=50, rate=200_000, settle=0) as sim:
        wire = Wire(sim, "api")
        with in_time(at_least=0.05):
            wire.list()
        session = wire.open(sim.run(lambda store: store.find_item_id("templates", "tools")))
        with in_time(at_least=0.4):
            wire.push(session, "a.iso", b"x" * 100_000)


def test_the_record_never_holds_a_token(server: Simulator, wire: Wire, iso: str) -> None:
    session = wire.open(iso)
    wire.push(session, "a.iso", b"12345")
    wire.call("GET", "/elsewhere")
    kept = server.exchanges
    assert [(entry.method, entry.status, entry.token_sent) for entry in kept][-3:] == [
        ("POST", 201 if wire.dialect == "api" else 200, True),
        ("PUT", 200, False),
        ("GET", 404, True),
    ]
    upload = kept[-2]
    assert (upload.request_bytes, upload.user, kept[-1].user) == (5, None, server.username)
    assert wire.token not in repr(kept)
    assert server.password not in repr(kept)
    server.clear_exchanges()
    assert server.exchanges == ()


def test_reset_starts_over_on_the_same_port(server: Simulator, wire: Wire, iso: str) -> None:
    wire.open(iso)
    server.inject("GET:*:*:503")
    port = server.port
    server.reset()
    assert (server.port, server.exchanges, server.run(lambda store: store.logins.count)) == (port, (), 0)
    assert wire.list().status_code == 401
    assert server.run(lambda store: store.active_update_sessions()) == []


def soap(server: Simulator, content: str) -> requests.Response:
    body = f'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>{content}</Body></Envelope>'
    return requests.post(f"https://{server.hostname}:{server.port}/sdk", data=body, verify=server.ca_path)


def test_the_two_soap_calls(server: Simulator) -> None:
    this = '<_this xmlns="urn:vim25" type="ServiceInstance">ServiceInstance</_this>'
    content = soap(server, f'<RetrieveServiceContent xmlns="urn:vim25">{this}</RetrieveServiceContent>')
    assert '<sessionManager type="SessionManager">' in content.text

    def login(password: str) -> requests.Response:
        fields = f"<userName>{server.username}</userName><password>{password}</password>"
        return soap(server, f'<Login xmlns="urn:vim25">{fields}</Login>')

    answer = login(server.password)
    assert (answer.status_code, "vmware_soap_session" in answer.cookies) == (200, True)
    assert "InvalidLoginFault" in login("wrong").text
    assert server.password not in repr(server.exchanges)
