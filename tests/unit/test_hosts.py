# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a password or token of the environment goes, whatever host a task names: a canary, and who gets to see it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.servers import CannedServer, Identity, Proxy, Received, Reply, unused_port
from tests.harness.tasks import SESSION_INFO, TOOLS
from tests.simulator import Simulator

# Names that nothing resolves: what is not refused cannot be connected to.
OWN, OTHER = "vc.berlin.invalid", "vc.tokyo.invalid"
USER, PASSWORD, TOKEN = "publisher@vsphere.local", "C4n4ry-of-the-environment", "T0ken-of-the-environment"
LOGIN = {"VMWARE_USER": USER, "VMWARE_PASSWORD": PASSWORD}
ALLOWED = "VMWARE_ALLOWED_HOSTS"


def like_a_vcenter(request: Received) -> Reply:
    return Reply(200, b'"the-token"' if request.method == "POST" and request.path == "/api/session" else b"[]")


@pytest.fixture
def listener(identity: Identity) -> Iterator[CannedServer]:
    """Somebody who would take whatever login comes."""
    with CannedServer(like_a_vcenter, identity=identity) as server:
        yield server


def info(env: Mapping[str, str], **options: Any) -> ModuleResult:
    ran = run_module(SESSION_INFO, {"kind": "update", "request_timeout": 5, **options}, env=env)
    assert not any(secret in ran.stdout + ran.stderr for secret in (PASSWORD, TOKEN))
    return ran


def refusal(ran: ModuleResult) -> str:
    assert ran.rc == 1, ran.result
    assert ran.result["error"]["type"] == "INVALID_ARGUMENT", ran.result["msg"]
    return str(ran.result["msg"])


def got_the_password(server: CannedServer) -> bool:
    sent = [base64.b64decode(request.headers.get("authorization", "")[6:]).decode() for request in server.received]
    return f"{USER}:{PASSWORD}" in sent


def at(server: CannedServer, **options: Any) -> dict[str, Any]:
    return {"hostname": server.hostname, "port": server.port, "ca_path": server.ca_path, **options}


def test_a_password_of_the_environment_goes_to_no_other_host(listener: CannedServer) -> None:
    env = {**LOGIN, "VMWARE_HOST": OWN}
    for trust in ({}, {"ca_path": None, "validate_certs": False}):
        said = refusal(info(env, **at(listener, **trust)))
        assert f"the task names {listener.hostname}:{listener.port}" in said
        assert f"the password of the environment (VMWARE_PASSWORD) belongs to {OWN}:443" in said
        assert ALLOWED in said
    assert listener.received == []

    assert info({**env, ALLOWED: f"{listener.hostname}:{listener.port}"}, **at(listener)).rc == 0
    assert got_the_password(listener)


def test_a_password_without_a_host_in_the_environment_belongs_to_no_host(listener: CannedServer) -> None:
    for env in (LOGIN, {**LOGIN, "VMWARE_HOST": ""}, {**LOGIN, "VMWARE_HOST": " ", ALLOWED: ""}):
        listener.received.clear()
        assert info(env, **at(listener)).rc == 0
        assert got_the_password(listener)


def test_a_list_of_hosts_alone_binds_a_password(listener: CannedServer) -> None:
    said = refusal(info({**LOGIN, ALLOWED: OWN}, **at(listener)))
    assert f"belongs to the hosts in {ALLOWED}" in said
    assert listener.received == []


def test_a_refusal_tells_all_that_is_allowed(listener: CannedServer) -> None:
    said = refusal(info({**LOGIN, "VMWARE_HOST": OWN, ALLOWED: OTHER}, **at(listener)))
    assert f"belongs to {OWN}:443 and the hosts in {ALLOWED}." in said


def test_a_token_of_the_environment_goes_to_no_other_host(listener: CannedServer) -> None:
    env = {"VMWARE_SESSION_TOKEN": TOKEN, "VMWARE_HOST": OWN}
    # The token counts before a login of the environment, and where there is no whole login.
    for more, options in (({}, {}), (LOGIN, {}), ({}, {"username": USER})):
        said = refusal(info({**env, **more}, **at(listener, **options)))
        assert f"the session_token of the environment (VMWARE_SESSION_TOKEN) belongs to {OWN}:443" in said
    assert listener.received == []


@pytest.mark.parametrize(
    "own",
    [
        {"username": "me", "password": "my-own"},
        {"session_token": "my-own"},
        {"session_token": "", "username": "me", "password": "my-own"},
        {"password": "my-own"},
    ],
    ids=["login", "token", "login in place of a token", "password"],
)
def test_what_the_task_gives_itself_goes_anywhere(listener: CannedServer, own: dict[str, Any]) -> None:
    env = {**LOGIN, "VMWARE_HOST": OWN, "VMWARE_SESSION_TOKEN": TOKEN}
    assert info(env, **at(listener, **own)).rc == 0
    received = json.dumps([dict(request.headers) for request in listener.received])
    assert received != "[]"
    assert TOKEN not in received
    assert not got_the_password(listener)


SAME = [
    ({"VMWARE_HOST": OWN}, {}),
    ({"VMWARE_HOST": OWN}, {"hostname": "VC.Berlin.INVALID"}),
    ({"VMWARE_HOST": OWN}, {"hostname": f" {OWN}. "}),
    ({"VMWARE_HOST": f"{OWN}."}, {"hostname": OWN, "port": 443}),
    ({"VMWARE_HOST": OWN, "VMWARE_PORT": "8443"}, {"hostname": OWN}),
    ({"VMWARE_HOST": OWN, "VMWARE_PORT": "8443"}, {"hostname": OWN, "port": 8443}),
    ({"VMWARE_HOST": "[0:0::1]", "VMWARE_PORT": "PORT"}, {"hostname": "::1"}),
    ({ALLOWED: f"other.invalid, {OWN}"}, {"hostname": OWN}),
    ({ALLOWED: "other.invalid\nVC.berlin.invalid.\n"}, {"hostname": OWN}),
    ({ALLOWED: "vc.*.invalid"}, {"hostname": OWN}),
    ({ALLOWED: "v*.b*.invalid"}, {"hostname": OWN}),
    ({ALLOWED: f"{OWN}:8443"}, {"hostname": OWN, "port": 8443}),
    ({ALLOWED: OWN, "VMWARE_PORT": "8443"}, {"hostname": OWN, "port": 8443}),
    ({ALLOWED: f"{OWN}:*"}, {"hostname": OWN, "port": 8443}),
    ({ALLOWED: "*"}, {"hostname": OWN}),
    ({ALLOWED: "*:*"}, {"hostname": OWN, "port": 8443}),
    ({ALLOWED: "127.0.0.1:*"}, {"hostname": "127.0.0.1", "port": "PORT"}),
    ({ALLOWED: "127.0.0.0/8:*"}, {"hostname": "127.0.0.1", "port": "PORT"}),
    ({ALLOWED: "[::1]:*"}, {"hostname": "0::1", "port": "PORT"}),
    ({ALLOWED: "::/64", "VMWARE_PORT": "PORT"}, {"hostname": "[::1]"}),
]
DIFFERENT = [
    ({"VMWARE_HOST": OWN}, {"hostname": OTHER}),
    ({"VMWARE_HOST": OWN}, {"hostname": f"x.{OWN}"}),
    ({"VMWARE_HOST": OWN}, {"hostname": "vc"}),
    ({"VMWARE_HOST": OWN}, {"hostname": OWN, "port": 8443}),
    ({"VMWARE_HOST": OWN}, {"port": 8443}),
    ({"VMWARE_HOST": OWN, "VMWARE_PORT": "8443"}, {"hostname": OWN, "port": 443}),
    ({"VMWARE_HOST": "127.0.0.1"}, {"hostname": "127.1"}),
    ({"VMWARE_HOST": "127.0.0.1"}, {"hostname": "::ffff:127.0.0.1"}),
    ({ALLOWED: "*.invalid"}, {"hostname": OWN}),
    ({ALLOWED: "vc.berlin*.invalid"}, {"hostname": f"vc.berlin.{OWN}"}),
    ({ALLOWED: "vc-berlin.invalid"}, {"hostname": OWN}),
    ({ALLOWED: "vc.berlin"}, {"hostname": OWN}),
    ({ALLOWED: OWN}, {"hostname": OWN, "port": 8443}),
    ({ALLOWED: f"{OWN}:8443"}, {"hostname": OWN}),
    ({ALLOWED: f"{OWN}:8443", "VMWARE_HOST": OTHER}, {"hostname": OWN}),
    ({ALLOWED: "10.0.0.0/24"}, {"hostname": "10.0.1.1"}),
    ({ALLOWED: "10.0.0.0/24"}, {"hostname": "10.0.0.invalid"}),
    ({ALLOWED: "*:8443"}, {"hostname": OWN}),
    ({ALLOWED: ","}, {"hostname": OWN}),
]


@pytest.mark.parametrize(("env", "options"), SAME)
def test_another_way_to_write_an_allowed_place_is_no_other_place(env: dict[str, str], options: dict[str, Any]) -> None:
    port = unused_port()
    env = {name: value.replace("PORT", str(port)) for name, value in env.items()}
    options = {name: port if value == "PORT" else value for name, value in options.items()}
    assert info({**LOGIN, **env}, **options).result["error"]["type"] == "CONNECTION_FAILED"


@pytest.mark.parametrize(("env", "options"), DIFFERENT)
def test_another_name_or_port_is_another_place(env: dict[str, str], options: dict[str, Any]) -> None:
    assert "Nothing was sent." in refusal(info({**LOGIN, **env}, **options))


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("VMWARE_HOST", "https://a:S3cret-w0rd@vc.berlin.invalid/", "VMWARE_HOST holds no host name"),
        ("VMWARE_PORT", "https", "VMWARE_PORT is 'https'"),
        ("VMWARE_PORT", "0", "VMWARE_PORT is '0'"),
        (ALLOWED, f"{OTHER}, https://a:S3cret-w0rd@x.invalid", f"entry 2 of {ALLOWED}"),
        (ALLOWED, "10.0.0.*", f"entry 1 of {ALLOWED}"),
        (ALLOWED, f"{OTHER} 10.0.0.0/99", f"entry 2 of {ALLOWED}"),
        (ALLOWED, f"{OTHER}:port", f"entry 1 of {ALLOWED}"),
        (ALLOWED, "[::1", f"entry 1 of {ALLOWED}"),
    ],
)
def test_a_variable_that_cannot_be_read_lets_nothing_through(variable: str, value: str, reason: str) -> None:
    ran = info({**LOGIN, "VMWARE_HOST": OTHER, variable: value}, hostname=OTHER, port=443)
    assert reason in refusal(ran)
    assert "S3cret-w0rd" not in ran.stdout


# A proxy reads along where the task says that nobody is verified, or against whom


def test_a_proxy_gets_no_chance_to_read_a_password_of_the_environment(sim: Simulator, identity: Identity) -> None:
    login = {"VMWARE_USER": sim.username, "VMWARE_PASSWORD": sim.password}
    env = {**login, "VMWARE_HOST": sim.hostname, "VMWARE_PORT": str(sim.port)}
    not_verified = {**env, "VMWARE_VALIDATE_CERTS": "false"}
    with Proxy() as proxy:
        through = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port, "proxy_protocol": "http"}
        for given, options, reason in (
            (env, {"validate_certs": False}, "verifies no certificate"),
            (not_verified, {}, "verifies no certificate"),
            (env, {"ca_path": sim.ca_path}, "trusts an authority of its own choice"),
            ({**env, "VMWARE_CA_PATH": identity.ca_path}, {"ca_path": sim.ca_path}, "an authority of its own choice"),
        ):
            said = refusal(info(given, **through, **options))
            assert f"the task names the proxy 127.0.0.1:{proxy.port} and" in said
            assert reason in said
        assert proxy.heads == []
        assert sim.exchanges == ()

        authority = {"VMWARE_CA_PATH": sim.ca_path}
        assert info({**not_verified, **authority}, **through).rc == 0, "it sees what is encrypted"
        assert info({**not_verified, ALLOWED: f"127.0.0.1:{proxy.port}"}, **through).rc == 0
        assert info({**login, **not_verified, "VMWARE_HOST": ""}, **through, hostname=sim.hostname).rc == 0
        own = connection_args(sim)
        assert info(not_verified, **through, **own).rc == 0, "the password is the task's own"
        chosen = {"VMWARE_PROXY_HOST": "127.0.0.1", "VMWARE_PROXY_PORT": str(proxy.port)}
        assert info({**not_verified, **chosen}, proxy_protocol="http").rc == 0, "who runs the job chose the proxy"
    assert len(proxy.connects) == 5


TASKS: dict[str, dict[str, Any]] = {
    "content_library_check": {"libraries": ["templates"]},
    "content_library_download_session": TOOLS,
    "content_library_item": {"library": "templates", "name": "tools"},
    "content_library_item_info": TOOLS,
    "content_library_retention": {"libraries": ["templates"], "pattern": "tools", "keep": 1},
    "content_library_session_info": TOOLS,
    "content_library_update_session": {**TOOLS, "state": "done"},
}


@pytest.mark.parametrize("module", TASKS)
def test_each_module_keeps_a_password_from_another_host(listener: CannedServer, module: str, tmp_path: Path) -> None:
    ran = run_module(module, {**at(listener), **TASKS[module]}, env={**LOGIN, "VMWARE_HOST": OWN})
    assert "belongs to" in refusal(ran)
    assert listener.received == []
