# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task reaches vCenter: logins, dialects, TLS, proxies, environment, redirects, and what is tried again."""

from __future__ import annotations

import base64
import errno
import gzip
import json
import os
import shutil
import subprocess
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NoReturn

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._session.waiting import gather
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import (
    connection_spec,
    read_options,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.environment import VARIABLES
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import (
    ContentError,
    InvalidResponse,
    TimedOut,
    Unauthenticated,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import UpdateSession, WarningBehavior
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.operations import ROUTES
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock, Timing
from tests.harness.calls import CHANGES, CREATES, PROBES, READS
from tests.harness.modules import ModuleResult, connection_args, run_module, run_module_process
from tests.harness.servers import CannedServer, Identity, Proxy, Received, Reply, make_identity, unused_port
from tests.harness.tasks import BY_OWN_NAME, SESSION_INFO, TOOLS, UPDATE_SESSION, src
from tests.harness.waiting import HANG, eventually, in_time
from tests.simulator import Simulator
from tests.simulator.worlds import WORLDS

LOGINS = {"api": "/api/session", "rest": "/rest/com/vmware/cis/session"}
UPDATE_LISTS = {"api": "/api/content/library/item/update-session", "rest": "/rest/com/vmware/content/library/item/"}
HUGE_BYTES = 64 * 1024 * 1024
PASSWORD = "Canary-7f3kQ2"
BEHAVIOR = (WarningBehavior(type="EXPIRED_CERTIFICATE", ignored=True),)


@pytest.fixture(scope="module")
def rest_only() -> Iterator[Simulator]:
    with Simulator(dialect="rest") as running:
        yield running


def info(server: Any, *, env: dict[str, str] | None = None, **options: Any) -> ModuleResult:
    return run_module(SESSION_INFO, {**connection_args(server), "kind": "update", **options}, env=env)


def trace(sim: Simulator) -> list[str]:
    """What the server was asked, without queries and identifiers of a run."""
    return [f"{exchange.method} {exchange.path.partition('?')[0]}" for exchange in sim.exchanges]


def count(sim: Simulator, method: str, path: str) -> int:
    return sum(1 for exchange in sim.exchanges if exchange.method == method and exchange.path.startswith(path))


def token_of(sim: Simulator) -> str:
    user, password = sim.username, sim.password
    return str(sim.run(lambda store: store.logins.login(user, password)))


def release_all(sim: Simulator, requests: int) -> None:
    """Let answers go that are held, as soon as there are so many of them."""
    while sim.in_flight < requests:
        time.sleep(0.01)
    sim.release()


def without_authority(server: Any) -> dict[str, Any]:
    """The options of `info` but for the authority, which the environment is asked for only where it is left out."""
    return {name: value for name, value in connection_args(server).items() if name != "ca_path"}


def open_connection(
    server: Any,
    sleeps: list[float] | None = None,
    secrets: list[str] | None = None,
    time_left: Callable[[], float | None] = lambda: None,
    **changes: Any,
) -> Connection:
    """A logged-in connection that sleeps in no time; `sleeps` and `secrets` keep what it would tell."""
    defaults = {name: option.get("default") for name, option in connection_spec().items()}
    options = read_options({**defaults, **connection_args(server), **changes})
    connection = Connection(
        options,
        on_secret=([] if secrets is None else secrets).append,
        time_left=time_left,
        clock=Clock(sleep=([] if sleeps is None else sleeps).append),
        jitter=lambda: 0.5,
    )
    connection.login()
    return connection


# Logins and dialects


def test_a_task_logs_in_works_and_logs_out(sim: Simulator, dialect: str) -> None:
    ran = info(sim, api_dialect=dialect)
    assert ran.rc == 0, ran.result
    asked = trace(sim)
    assert asked[0] == f"POST {LOGINS[dialect]}"
    assert asked[-1] == f"DELETE {LOGINS[dialect]}"
    assert len(asked) == 3
    assert all(path.split(" ")[1].startswith(f"/{dialect}/") for path in asked)
    assert sim.run(lambda store: store.logins.count) == 0


def test_only_the_login_carries_credentials_and_all_else_the_token(identity: Identity) -> None:
    with CannedServer(_quiet_vcenter, identity=identity) as server:
        assert info(server).rc == 0
    login, *others = server.received
    assert login.headers["authorization"].startswith("Basic ")
    assert "vmware-api-session-id" not in login.headers
    assert [("authorization" in each.headers, each.headers.get("vmware-api-session-id")) for each in others] == [
        (False, "the-token")
    ] * len(others)


def test_a_current_vcenter_is_recognized_by_its_login(sim: Simulator) -> None:
    assert info(sim).rc == 0
    assert [path for path in trace(sim) if "/rest/" in path] == []
    assert count(sim, "POST", LOGINS["api"]) == 1


def test_an_old_vcenter_is_recognized_by_the_login_it_does_not_know(rest_only: Simulator) -> None:
    rest_only.reset()
    assert info(rest_only).rc == 0
    assert trace(rest_only)[:2] == [f"POST {LOGINS['api']}", f"POST {LOGINS['rest']}"]
    assert [path for path in trace(rest_only)[1:] if "/api/" in path] == []
    assert rest_only.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize("said", WORLDS["old-api"].values)
@pytest.mark.parametrize("with_token", [False, True], ids=["login", "token"])
def test_a_vcenter_without_the_new_dialect_is_recognized_by_whatever_it_says(said: str, with_token: bool) -> None:
    with Simulator(dialect="rest", worlds={"old-api": said}) as server:
        token: dict[str, Any] = {"session_token": token_of(server)} if with_token else {}
        ran = info(server, **token, **TOOLS)
        asked = trace(server)
    assert ran.rc == 0, ran.result
    assert [path for path in asked[1:] if "/api/" in path] == []


@pytest.mark.parametrize("status", [401, 403, 503])
@pytest.mark.paced(first_request_pause=0.01)
def test_a_login_that_is_refused_is_not_tried_in_the_other_dialect(sim: Simulator, status: int) -> None:
    sim.inject(f"POST:{LOGINS['api']}:*:{status}")
    assert info(sim).result["error"]["status"] == status
    assert trace(sim) == [f"POST {LOGINS['api']}"]


@pytest.mark.parametrize(("forced", "offered"), [("api", "rest"), ("rest", "api")])
def test_a_forced_dialect_that_is_not_offered_fails_without_trying_the_other(forced: str, offered: str) -> None:
    with Simulator(dialect=offered) as server:
        ran = info(server, api_dialect=forced)
        assert trace(server) == [f"POST {LOGINS[forced]}"]
    assert ran.rc == 1
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert "api_dialect" in ran.result["msg"]


@pytest.mark.parametrize("api_dialect", ["auto", "api", "rest"])
def test_a_session_token_is_used_as_it_is_and_stays_open(sim: Simulator, api_dialect: str) -> None:
    token = token_of(sim)
    ran = info(sim, session_token=token, username=None, password=None, api_dialect=api_dialect, **TOOLS)
    assert ran.rc == 0, ran.result
    assert not any("session" in path.rsplit("/", 1)[-1] and "update" not in path for path in trace(sim))
    assert all(exchange.token_sent and exchange.status == 200 for exchange in sim.exchanges)
    assert sim.run(lambda store: store.logins.count) == 1
    assert len(sim.exchanges) == 3


def test_a_session_token_falls_back_to_the_old_dialect_on_a_404_that_is_no_json(rest_only: Simulator) -> None:
    rest_only.reset()
    ran = info(rest_only, session_token=token_of(rest_only), **TOOLS)
    assert ran.rc == 0, ran.result
    first, *others = trace(rest_only)
    assert first.startswith("POST /api/")
    assert len(others) == 3
    assert all("/rest/" in path for path in others)


def test_a_session_token_takes_a_404_in_json_as_an_answer_of_the_new_dialect(sim: Simulator) -> None:
    ran = run_module(
        UPDATE_SESSION,
        {**connection_args(sim), "session_token": token_of(sim), "session_id": "a:b", "state": "canceled"},
    )
    assert ran.result["error"]["type"] == "NOT_FOUND"
    assert trace(sim) == ["GET /api/content/library/item/update-session/a:b"]


def test_a_failing_task_logs_out(sim: Simulator, dialect: str) -> None:
    ran = run_module(
        UPDATE_SESSION, {**connection_args(sim), "api_dialect": dialect, "session_id": "a:b", "state": "done"}
    )
    assert ran.result["error"]["type"] == "NOT_FOUND"
    assert trace(sim)[-1] == f"DELETE {LOGINS[dialect]}"
    assert sim.run(lambda store: store.logins.count) == 0


def test_a_task_with_bad_arguments_does_not_stay_logged_in(sim: Simulator) -> None:
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **TOOLS, "state": "active", "client_progress": 101})
    assert ran.rc == 1
    assert sim.run(lambda store: store.logins.count) == 0


def test_a_logout_that_fails_is_a_warning(sim: Simulator) -> None:
    sim.inject("DELETE:/api/session:1:500")
    ran = info(sim)
    assert ran.rc == 0
    [warning] = ran.warnings
    assert "log out" in warning


def test_a_login_that_expires_in_mid_task_is_renewed(sim: Simulator, dialect: str) -> None:
    sim.inject(f"GET:{UPDATE_LISTS[dialect]}*:1:unauthenticated")
    ran = info(sim, api_dialect=dialect)
    assert ran.rc == 0, ran.result
    lists = f"GET {UPDATE_LISTS[dialect]}"
    assert [each.startswith(lists) for each in trace(sim)] == [False, True, False, True, False, False]
    assert count(sim, "POST", LOGINS[dialect]) == count(sim, "DELETE", LOGINS[dialect]) == 2
    assert sim.run(lambda store: store.logins.count) == 0


def test_each_expiry_is_answered_with_one_login(sim: Simulator) -> None:
    sim.inject("POST:/api/content/library?action=find:1:unauthenticated")
    sim.inject("GET:/api/content/library/item/update-session*:1:unauthenticated")
    ran = info(sim, **TOOLS)
    assert ran.rc == 0, ran.result
    assert count(sim, "POST", LOGINS["api"]) == 3


def test_a_server_that_takes_no_login_for_long_is_not_logged_in_to_forever(sim: Simulator) -> None:
    sim.inject("GET:/api/content/library/item/update-session*:*:unauthenticated")
    ran = info(sim)
    assert ran.result["error"]["type"] == "UNAUTHENTICATED"
    assert count(sim, "POST", LOGINS["api"]) == 2
    assert count(sim, "GET", "/api/content") == 2


def test_threads_that_meet_one_expiry_log_in_once(sim: Simulator) -> None:
    def seed(store: Any) -> list[str]:
        item = store.find_item_id("templates", "tools")
        return [store.seed_update_session(item, state="CANCELED") for _number in range(6)]

    ids = sim.run(seed)
    connection = open_connection(sim)
    sim.run(lambda store: store.logins.expire_all())
    for number in range(1, 7):
        sim.inject(f"GET:*/update-session/*:{number}:hold-answer")
    threading.Thread(target=release_all, args=(sim, len(ids)), daemon=True).start()
    assert len(gather(Api(connection).updates.get, ids, len(ids))) == 6
    connection.logout()
    assert count(sim, "POST", LOGINS["api"]) == 2
    assert sim.run(lambda store: store.logins.count) == 0


def test_an_upload_whose_login_expired_is_sent_again(sim: Simulator, image: Path, dialect: str) -> None:
    sim.inject("PUT:/cls/data/*:1:unauthenticated")
    sim.inject("POST:*complete*:1:unauthenticated")
    ran = run_module(
        UPDATE_SESSION,
        {
            **connection_args(sim),
            **BY_OWN_NAME,
            **TOOLS,
            "api_dialect": dialect,
            "state": "done",
            "files": [src(image)],
        },
    )
    assert ran.rc == 0, ran.result
    contents = sim.run(lambda store: store.item_contents(store.find_item_id("templates", "tools")))
    assert contents["tools.iso"] == image.read_bytes()
    assert count(sim, "PUT", "/cls/data/") == 2
    assert count(sim, "POST", LOGINS[dialect]) == 3


@pytest.mark.parametrize("api_dialect", ["auto", "api", "rest"])
def test_a_session_token_that_expired_is_an_error_and_no_new_login(sim: Simulator, api_dialect: str) -> None:
    token = token_of(sim)
    sim.run(lambda store: store.logins.expire_all())
    ran = info(sim, session_token=token, api_dialect=api_dialect)
    assert ran.result["error"]["type"] == "UNAUTHENTICATED"
    assert "session_token" in ran.result["msg"]
    assert len(sim.exchanges) == 1
    assert count(sim, "POST", "/") == 0


@pytest.mark.parametrize("closing", ["204", "500", "reset"])
def test_a_login_that_was_alive_in_spite_of_a_401_is_closed_as_well(sim: Simulator, closing: str) -> None:
    """What stands before a vCenter may answer so; the logins would add up to the most that a user may have."""
    sim.inject("POST:/api/content/library?action=find:1:401")
    sim.inject("GET:/api/content/library/item/update-session*:1:401")
    if closing != "204":
        sim.inject(f"DELETE:/api/session:2:{closing}")
    ran = info(sim, **TOOLS)
    assert (ran.rc, ran.warnings) == (0, []), ran.result
    assert count(sim, "POST", LOGINS["api"]) == 3
    assert sim.run(lambda store: store.logins.count) == (0 if closing == "204" else 2)


def test_a_login_that_is_refused_is_refused_once_for_all_readers(sim: Simulator) -> None:
    """Each refusal counts, and a vCenter locks the account after a few."""
    connection = open_connection(sim)
    sim.run(lambda store: store.logins.expire_all())
    sim.inject("POST:/api/session:*:401")

    def read(session_id: str) -> Unauthenticated:
        with pytest.raises(Unauthenticated) as caught:
            Api(connection).updates.get(session_id)
        return caught.value

    ids = [f"{number}:{number}" for number in range(16)]
    errors = [*gather(read, ids, len(ids)), read("last:one")]
    connection.logout()
    assert [(error.operation, error.session_id) for error in errors] == [
        ("session.login", session_id) for session_id in [*ids, "last:one"]
    ]
    assert count(sim, "GET", "/api/content") == 16 + 1
    assert [each.status for each in sim.exchanges if each.method == "POST"] == [201, 401]


def test_a_password_that_no_longer_works_in_mid_task_is_unauthenticated(sim: Simulator) -> None:
    sim.inject("GET:/api/content/library/item/update-session*:1:unauthenticated")
    sim.inject("POST:/api/session:2+:401")
    ran = info(sim)
    assert (ran.result["error"]["type"], ran.result["error"]["operation"]) == ("UNAUTHENTICATED", "session.login")


def test_a_password_in_another_encoding_is_sent_as_it_came(identity: Identity) -> None:
    """In the environment it is bytes, which need not be UTF-8."""
    with CannedServer(_quiet_vcenter, identity=identity) as server:
        given = {name: value for name, value in connection_args(server).items() if name != "password"}
        ran = run_module(SESSION_INFO, {**given, "kind": "update"}, env={"VMWARE_PASSWORD": os.fsdecode(b"gr\xfc\xdf")})
    assert ran.rc == 0, ran.result
    assert (
        base64.b64decode(server.received[0].headers["authorization"].split()[1])
        == b"administrator@vsphere.local:gr\xfc\xdf"
    )


# TLS


def test_a_private_authority_is_trusted_by_ca_path(sim: Simulator) -> None:
    assert info(sim, ca_path=sim.ca_path, validate_certs=True).rc == 0


def hashed_authority(sim: Simulator, directory: Path) -> str:
    """Make a directory in which OpenSSL finds the simulator's authority."""
    # It looks an issuer up by a hash of its name, which is the file's name.
    hashed = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", sim.ca_path], capture_output=True, check=True, text=True
    )
    directory.mkdir()
    shutil.copy(sim.ca_path, directory / f"{hashed.stdout.strip()}.0")
    return str(directory)


def test_a_directory_of_hashed_certificates_is_a_ca_path(sim: Simulator, tmp_path: Path) -> None:
    assert info(sim, ca_path=hashed_authority(sim, tmp_path / "authorities")).rc == 0


UNTRUSTED: list[Any] = [
    pytest.param({}, {"ca_path": None}, "Set ca_path to", id="unknown-authority"),
    pytest.param({"days": (-60, -30)}, {}, "Have it, or its authority, renewed", id="expired"),
    pytest.param({"days": (30, 60)}, {}, "Check the clocks", id="not-yet-valid"),
    pytest.param({"hosts": ("vcenter.example.com",)}, {}, "Set hostname to a name", id="another-host"),
    pytest.param({"hosts": ("127.0.0.2",)}, {}, "Set hostname to a name", id="another-address"),
    pytest.param({"fault": "no-authority"}, {}, "Have one issued", id="authority-that-is-none"),
]


@pytest.mark.parametrize(("made", "options", "to_do"), UNTRUSTED)
def test_a_certificate_that_cannot_be_verified_names_what_is_wrong_with_it(
    made: dict[str, Any], options: dict[str, Any], to_do: str, tmp_path: Path
) -> None:
    with CannedServer(_quiet_vcenter, identity=make_identity(tmp_path, **made)) as server:
        ran = info(server, **options)
        assert ran.result["error"]["type"] == "TLS_UNVERIFIED"
        assert to_do in ran.result["msg"]
        assert ("Set ca_path" in ran.result["msg"]) is ("ca_path" in options)
        assert "validate_certs" in ran.result["msg"]
        assert f"{server.hostname}:{server.port}" in ran.result["msg"]
        assert server.received == [], "nothing is sent to a server that is not the vCenter"

        assert info(server, **options, validate_certs=False).rc == 0


@pytest.mark.parametrize("fault", ["no-key-identifier", "no-key-usage", "not-critical"])
@pytest.mark.parametrize("proxied", [False, True], ids=["vcenter", "proxy"])
def test_an_older_authority_is_trusted_by_each_python(fault: str, proxied: bool, tmp_path: Path) -> None:
    identity = make_identity(tmp_path, fault=fault)
    with CannedServer(_quiet_vcenter, identity=identity) as server, Proxy(identity=identity) as proxy:
        named = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port, "proxy_protocol": "https"}
        ran = run_module(SESSION_INFO, {**connection_args(server), **(named if proxied else {}), "kind": "update"})
    assert ran.rc == 0, ran.result


def test_another_authority_is_not_enough(sim: Simulator, identity: Identity) -> None:
    failed = info(sim, ca_path=identity.ca_path).result
    assert failed["error"]["type"] == "TLS_UNVERIFIED"
    assert f"ca_path is {identity.ca_path}, which does not hold the authority" in failed["msg"]
    assert sim.exchanges == ()


def test_switching_verification_off_by_option_is_silent(sim: Simulator) -> None:
    ran = info(sim, ca_path=None, validate_certs=False)
    assert ran.rc == 0
    assert (ran.warnings, ran.stderr) == ([], "")


@pytest.mark.parametrize("value", ["False", "false", "0", "no"])
def test_switching_verification_off_by_environment_warns_once_and_names_awx(sim: Simulator, value: str) -> None:
    ran = info(sim, ca_path=None, env={"VMWARE_VALIDATE_CERTS": value}, **TOOLS)
    assert ran.rc == 0, ran.result
    [warning] = ran.warnings
    assert "AWX" in warning
    assert "VMWARE_VALIDATE_CERTS" in warning
    assert ran.stderr == ""


def test_verification_that_the_environment_asks_for_is_done_without_a_word(sim: Simulator) -> None:
    assert info(sim, env={"VMWARE_VALIDATE_CERTS": "true"}).warnings == []
    assert info(sim, ca_path=None, env={"VMWARE_VALIDATE_CERTS": "true"}).result["error"]["type"] == "TLS_UNVERIFIED"


def test_the_option_outranks_the_environment(sim: Simulator) -> None:
    ran = info(sim, ca_path=None, validate_certs=True, env={"VMWARE_VALIDATE_CERTS": "False"})
    assert (ran.result["error"]["type"], ran.warnings) == ("TLS_UNVERIFIED", [])
    ran = info(sim, ca_path=None, validate_certs=False, env={"VMWARE_VALIDATE_CERTS": "False"})
    assert (ran.rc, ran.warnings) == (0, [])


AUTHORITY = "VMWARE_CA_PATH"
NOT_VERIFIED = {"VMWARE_VALIDATE_CERTS": "False"}


@pytest.mark.parametrize("verdict", [{}, NOT_VERIFIED])
def test_an_authority_is_verified_against_whatever_else_the_environment_says(
    sim: Simulator, identity: Identity, verdict: dict[str, str]
) -> None:
    """The two variables come from two credentials of AWX, either of which may be the first."""
    for path, error in ((sim.ca_path, None), (identity.ca_path, "TLS_UNVERIFIED")):
        for named in ({AUTHORITY: path, **verdict}, {**verdict, AUTHORITY: path}):
            by_environment = run_module(SESSION_INFO, without_authority(sim), env=named)
            assert (by_environment.result.get("error", {}).get("type"), by_environment.warnings) == (error, [])
        by_option = info(sim, ca_path=path, env=verdict)
        assert (by_option.result.get("error", {}).get("type"), by_option.warnings) == (error, [])


def test_only_the_task_itself_can_say_that_nothing_is_verified_against_an_authority(
    sim: Simulator, identity: Identity
) -> None:
    env = {AUTHORITY: identity.ca_path, "VMWARE_VALIDATE_CERTS": "True"}
    ran = run_module(SESSION_INFO, {**without_authority(sim), "validate_certs": False}, env=env)
    assert (ran.rc, ran.warnings) == (0, [])


def test_the_task_s_authority_outranks_that_of_the_environment(sim: Simulator, identity: Identity) -> None:
    assert info(sim, env={AUTHORITY: identity.ca_path}).rc == 0
    # AWX sets a variable to nothing where a credential leaves something out.
    assert run_module(SESSION_INFO, without_authority(sim), env={AUTHORITY: "", **NOT_VERIFIED}).rc == 0


def test_an_authority_of_the_environment_that_cannot_be_read_is_named_with_its_variable(
    sim: Simulator, tmp_path: Path
) -> None:
    env = {AUTHORITY: str(tmp_path / "none.pem"), **NOT_VERIFIED}
    ran = run_module(SESSION_INFO, without_authority(sim), env=env)
    assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
    assert f"(from the environment variable {AUTHORITY}): {tmp_path}/none.pem does not exist" in ran.result["msg"]
    assert sim.exchanges == ()
    unused = run_module(SESSION_INFO, {**without_authority(sim), "validate_certs": False}, env=env)
    assert unused.rc == 0, "nothing is verified against it"


# The environment


def test_the_environment_names_vcenter_and_user(sim: Simulator) -> None:
    env = {
        "VMWARE_HOST": sim.hostname,
        "VMWARE_PORT": str(sim.port),
        "VMWARE_USER": sim.username,
        "VMWARE_PASSWORD": sim.password,
    }
    ran = run_module(SESSION_INFO, {"ca_path": sim.ca_path, "kind": "update"}, env=env)
    assert ran.rc == 0, ran.result
    assert {exchange.user for exchange in sim.exchanges} == {sim.username}
    assert PASSWORD not in ran.stdout


def test_the_environment_hands_over_a_session_token(sim: Simulator) -> None:
    token = token_of(sim)
    ran = info(sim, username=None, password=None, env={"VMWARE_SESSION_TOKEN": token})
    assert ran.rc == 0, ran.result
    assert len(sim.exchanges) == 1
    assert token not in ran.stdout


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"session_token": "ended"}, "Get a new session_token, or leave it out"),
        ({}, "put a new one into VMWARE_SESSION_TOKEN, or remove that variable"),
    ],
    ids=["task", "environment"],
)
def test_a_token_that_has_ended_is_named_by_where_it_comes_from(
    sim: Simulator, named: dict[str, str], says: str
) -> None:
    ran = info(sim, username=None, password=None, env={"VMWARE_SESSION_TOKEN": "ended"}, **named)
    assert ran.result["error"]["type"] == "UNAUTHENTICATED"
    assert says in ran.result["msg"]
    assert "Check username" not in ran.result["msg"]


def test_an_empty_variable_counts_as_one_that_is_not_set(sim: Simulator) -> None:
    assert info(sim, env=dict.fromkeys(VARIABLES.values(), "")).rc == 0
    login = {"hostname": "vcenter.invalid", "username": sim.username, "password": sim.password}
    ran = run_module(SESSION_INFO, login, env=dict.fromkeys(VARIABLES.values(), " "))
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert "vcenter.invalid:443" in ran.result["msg"]


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("VMWARE_PORT", "https", "Set VMWARE_PORT to a number from 1 to 65535, or remove it"),
        ("VMWARE_PORT", "443.5", "Set VMWARE_PORT to a number"),
        ("VMWARE_PORT", "70000", "port (from the environment variable VMWARE_PORT) is 70000"),
        ("VMWARE_PROXY_PORT", "inf", "Set VMWARE_PROXY_PORT to a number"),
        ("VMWARE_VALIDATE_CERTS", "perhaps", "Set VMWARE_VALIDATE_CERTS to true or false, or remove it"),
        ("VMWARE_HOST", "https://vc.invalid", "hostname (from the environment variable VMWARE_HOST): 'https://vc.inv"),
        ("VMWARE_CA_PATH", "/none.pem", "ca_path (from the environment variable VMWARE_CA_PATH): /none.pem does not"),
        ("VMWARE_SESSION_TOKEN", "a b", "session_token (from the environment variable VMWARE_SESSION_TOKEN) holds"),
    ],
)
def test_a_wrong_value_of_the_environment_is_told_by_its_variable(
    sim: Simulator, variable: str, value: str, says: str
) -> None:
    own = {name: given for name, given in connection_args(sim).items() if VARIABLES[name] != variable}
    if variable == "VMWARE_SESSION_TOKEN":
        del own["username"], own["password"]
    ran = run_module(SESSION_INFO, own, env={variable: value})
    assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
    assert says in ran.result["msg"]
    assert sim.exchanges == ()


def test_options_outrank_the_environment(sim: Simulator) -> None:
    env = {"VMWARE_HOST": "nowhere.invalid", "VMWARE_PORT": "1", "VMWARE_USER": "nobody", "VMWARE_PASSWORD": "wrong"}
    env["VMWARE_SESSION_TOKEN"] = "ended"
    assert info(sim, env=env).rc == 0


@pytest.mark.parametrize("protocol", [None, "http", "https"], ids=["direct", "http-proxy", "https-proxy"])
@pytest.mark.parametrize("verified", [True, False], ids=["verified", "not-verified"])
def test_no_keys_of_connections_are_written(
    sim: Simulator, identity: Identity, tmp_path: Path, protocol: str | None, verified: bool
) -> None:
    """Whoever reads them can read the password."""
    bundle, keys = tmp_path / "both.pem", tmp_path / "keys"
    bundle.write_text(Path(sim.ca_path).read_text() + Path(identity.ca_path).read_text())
    with Proxy(identity=identity if protocol == "https" else None) as proxy:
        options = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port, "proxy_protocol": protocol} if protocol else {}
        ran = info(sim, ca_path=str(bundle), validate_certs=verified, env={"SSLKEYLOGFILE": str(keys)}, **options)
    assert ran.rc == 0, ran.result
    assert len(proxy.connects) == bool(protocol)
    assert not keys.exists()


@pytest.mark.process
def test_no_keys_are_written_by_a_process_that_has_only_begun(sim: Simulator, tmp_path: Path) -> None:
    """Some releases of requests make a TLS context as soon as they are imported."""
    keys = tmp_path / "keys"
    ran = run_module_process(SESSION_INFO, {**connection_args(sim), "kind": "update"}, env={"SSLKEYLOGFILE": str(keys)})
    assert ran.rc == 0, ran.result
    assert not keys.exists()


def test_a_directory_of_authorities_in_the_environment_has_no_say(sim: Simulator, tmp_path: Path) -> None:
    hashed = hashed_authority(sim, tmp_path / "authorities")
    assert info(sim, ca_path=None, env={"SSL_CERT_DIR": hashed}).result["error"]["type"] == "TLS_UNVERIFIED"
    assert info(sim, env={"SSL_CERT_DIR": "/nonexistent"}).rc == 0


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_the_environment_has_no_say(sim: Simulator, identity: Identity, variable: str) -> None:
    assert info(sim, ca_path=None, env={variable: sim.ca_path}).result["error"]["type"] == "TLS_UNVERIFIED"
    assert info(sim, env={variable: identity.ca_path}).rc == 0
    assert info(sim, env={variable: "/nonexistent/bundle.pem"}).rc == 0
    assert info(sim, ca_path=None, validate_certs=False, env={variable: "/nonexistent/bundle.pem"}).rc == 0


@pytest.mark.parametrize(
    "variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
)
def test_a_proxy_of_the_environment_has_no_say(sim: Simulator, variable: str) -> None:
    with Proxy() as proxy:
        ran = info(sim, env={variable: f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "", "no_proxy": ""})
    assert ran.rc == 0, ran.result
    assert proxy.heads == []


def test_netrc_is_never_read(sim: Simulator, tmp_path: Path, identity: Identity) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login viewer@vsphere.local password Canary-7f3kQ2\n")
    netrc.chmod(0o600)
    assert info(sim, env={"NETRC": str(netrc)}).rc == 0
    shutil.copy(netrc, tmp_path / ".netrc")
    assert info(sim, env={"HOME": str(tmp_path)}).rc == 0
    assert {exchange.user for exchange in sim.exchanges} == {sim.username}
    with CannedServer(_quiet_vcenter, identity=identity) as server:
        assert info(server, env={"NETRC": str(netrc)}).rc == 0
    assert [("authorization" in each.headers) for each in server.received] == [True, False, False]


# Proxies


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_all_goes_through_the_declared_proxy(sim: Simulator, identity: Identity, tmp_path: Path, protocol: str) -> None:
    bundle = tmp_path / "both.pem"
    bundle.write_text(Path(sim.ca_path).read_text() + Path(identity.ca_path).read_text())
    with Proxy(identity=identity if protocol == "https" else None) as proxy:
        ran = info(
            sim,
            ca_path=str(bundle),
            proxy_host="127.0.0.1",
            proxy_port=proxy.port,
            proxy_protocol=protocol,
            env={"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "*"},
        )
    assert ran.rc == 0, ran.result
    assert proxy.connects == [f"127.0.0.1:{sim.port}"]
    assert len(sim.exchanges) == 3
    assert "vmware-api-session-id" not in proxy.heads[0].lower()


def test_the_environment_names_the_proxy_unless_the_task_says_otherwise(sim: Simulator) -> None:
    with Proxy() as proxy:
        env = {"VMWARE_PROXY_HOST": "127.0.0.1", "VMWARE_PROXY_PORT": str(proxy.port)}
        assert info(sim, env=env, proxy_protocol="http").rc == 0
        assert len(proxy.connects) == 1
        assert info(sim, env=env, proxy_host="").rc == 0
    assert len(proxy.connects) == 1
    lacking = info(sim, env={"VMWARE_PROXY_HOST": "127.0.0.1"}).result["msg"]
    assert "proxy_host (from the environment variable VMWARE_PROXY_HOST) is given without proxy_port" in lacking
    assert "the environment variable VMWARE_PROXY_PORT" in lacking


def test_the_proxy_is_given_its_credentials_as_they_are(sim: Simulator) -> None:
    user, password = "EXAMPLE\\svc@corp", "p@ss:w/rd%41 #?"
    options: dict[str, Any] = {"proxy_host": "127.0.0.1", "proxy_protocol": "http", "proxy_username": user}
    with Proxy(credentials=(user, password)) as proxy:
        ran = info(sim, **options, proxy_port=proxy.port, proxy_password=password)
        assert ran.rc == 0, ran.result
        assert len(proxy.connects) == 1

        ran = info(sim, **options, proxy_port=proxy.port, proxy_password="another-Canary/9")
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert "407" in ran.result["msg"]
    assert "another-Canary" not in ran.stdout + ran.stderr


def test_a_proxy_that_refuses_is_named(sim: Simulator) -> None:
    with Proxy(refuse=403) as proxy:
        ran = info(sim, proxy_host="127.0.0.1", proxy_port=proxy.port, proxy_protocol="http")
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert f"proxy 127.0.0.1:{proxy.port}" in ran.result["msg"]
    assert "403" in ran.result["msg"]
    assert sim.exchanges == ()


def test_a_proxy_that_is_not_there_is_named_without_its_password(sim: Simulator) -> None:
    port = unused_port()
    ran = info(
        sim,
        proxy_host="127.0.0.1",
        proxy_port=port,
        proxy_protocol="http",
        proxy_username="svc",
        proxy_password="another/Canary 9",
    )
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert f"proxy 127.0.0.1:{port}" in ran.result["msg"]
    assert "proxy options" in ran.result["msg"]
    assert "Canary" not in ran.stdout.replace("Canary-7f3kQ2", "") + ran.stderr


def test_a_plain_proxy_that_is_spoken_to_over_tls_names_proxy_protocol(sim: Simulator) -> None:
    with Proxy() as proxy:
        ran = info(sim, proxy_host="127.0.0.1", proxy_port=proxy.port)
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert "proxy_protocol" in ran.result["msg"]


def test_a_proxy_whose_certificate_is_not_trusted_is_told_from_the_vcenter(sim: Simulator, identity: Identity) -> None:
    with Proxy(identity=identity) as proxy:
        ran = info(sim, proxy_host="127.0.0.1", proxy_port=proxy.port)
    assert ran.result["error"]["type"] == "TLS_UNVERIFIED"
    assert f"proxy 127.0.0.1:{proxy.port}" in ran.result["msg"]
    assert "ca_path" in ran.result["msg"]
    assert proxy.heads == []


# Whether a request has surely not arrived


def failure_of(server: Any, **changes: Any) -> ContentError:
    """What comes of a request by a task that is logged in already, so that it is its first."""
    connection = open_connection(server, session_token="f" * 32, api_dialect="api", **changes)
    with pytest.raises(ContentError) as caught:
        Api(connection).updates.complete("a:b")
    return caught.value


@pytest.mark.parametrize(
    ("changes", "error_type"),
    [
        ({"hostname": "vcenter.invalid"}, "CONNECTION_FAILED"),
        ({"port": unused_port()}, "CONNECTION_FAILED"),
        ({"ca_path": None}, "TLS_UNVERIFIED"),
        ({"hostname": "localhost"}, "TLS_UNVERIFIED"),
    ],
    ids=["name", "connect", "authority", "another-name"],
)
def test_what_surely_did_not_leave_is_known(tmp_path: Path, changes: dict[str, Any], error_type: str) -> None:
    identity = make_identity(tmp_path, hosts=("127.0.0.1",))
    with CannedServer(_quiet_vcenter, identity=identity) as server:
        failed = failure_of(server, **changes)
        assert (failed.error_type, failed.was_sent, server.received) == (error_type, False, [])


def test_what_meets_no_tls_surely_did_not_leave() -> None:
    with CannedServer(_quiet_vcenter, tls=False) as server:
        failed = failure_of(server, ca_path=None)
        assert (failed.error_type, failed.was_sent, server.received) == ("CONNECTION_FAILED", False, [])


@pytest.mark.parametrize("fault", ["reset", "hang", "html", "500"])
def test_what_may_have_arrived_is_never_called_unsent(sim: Simulator, fault: str) -> None:
    sim.inject(f"POST:*complete*:*:{fault}")
    assert failure_of(sim, request_timeout=1).was_sent


# Redirects, and where the token goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("stage", ["login", "operation"])
def test_a_redirect_is_refused(identity: Identity, status: int, stage: str) -> None:
    with CannedServer(_quiet_vcenter, identity=identity) as elsewhere:

        def respond(request: Received) -> Reply:
            if (request.path in LOGINS.values()) == (stage == "login"):
                return Reply(status, headers={"Location": f"https://127.0.0.1:{elsewhere.port}{request.path}"})
            return _quiet_vcenter(request)

        with CannedServer(respond, identity=identity) as server:
            ran = info(server)
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert ran.result["error"]["status"] == status
    assert "redirect" in ran.result["msg"]
    assert elsewhere.received == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
@pytest.mark.parametrize("stage", ["login", "operation"])
def test_a_redirect_is_refused_before_its_body_is_read(identity: Identity, stage: str, encoding: str) -> None:
    """requests looks ahead to where a redirect leads, and reads its body for that."""
    body = bytes(HUGE_BYTES)
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}.get(encoding, body)
    headers = {"Location": "https://127.0.0.1:1/", "Content-Encoding": encoding}

    def respond(request: Received) -> Reply:
        redirected = (request.path in LOGINS.values()) == (stage == "login")
        return Reply(302, packed, headers) if redirected else _quiet_vcenter(request)

    with CannedServer(respond, identity=identity) as server:
        tracemalloc.start()
        try:
            ran = info(server)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (ran.result["error"]["type"], ran.result["error"]["status"]) == ("INVALID_RESPONSE", 302)
    assert peak < HUGE_BYTES // 2


@pytest.mark.parametrize("own", [True, False], ids=["own-origin", "another-origin"])
def test_data_for_another_origin_goes_without_the_token(identity: Identity, own: bool) -> None:
    with (
        CannedServer(lambda _request: Reply(), identity=identity) as store,
        CannedServer(_quiet_vcenter, identity=identity) as server,
    ):
        connection = open_connection(server)
        target = server if own else store
        with connection.stream("PUT", f"https://127.0.0.1:{target.port}/data/x", operation="update_session.file.put"):
            pass
        connection.logout()
    sent = target.received[-2 if own else -1]
    assert (sent.method, sent.path) == ("PUT", "/data/x")
    assert ("vmware-api-session-id" in sent.headers) is own
    assert "authorization" not in sent.headers


def test_a_401_of_another_origin_is_no_reason_to_log_in_again(identity: Identity) -> None:
    with (
        CannedServer(lambda _request: Reply(401), identity=identity) as store,
        CannedServer(_quiet_vcenter, identity=identity) as server,
    ):
        connection = open_connection(server)
        with (
            pytest.raises(ContentError),
            connection.stream("GET", f"https://127.0.0.1:{store.port}/x", operation="download_session.get"),
        ):
            pass
        connection.logout()
    assert len(store.received) == 1
    assert [path for path in server.paths if path.startswith("POST")] == ["POST /api/session"]


def test_the_answer_to_data_that_a_login_is_missing_for_is_closed_before_it_is_sent_again(identity: Identity) -> None:
    """Of an answer that nobody reads to its end, the connection stays open."""
    connections: list[int] = []

    def respond(request: Received) -> Reply:
        if not request.path.startswith("/data/"):
            return _quiet_vcenter(request)
        eventually(lambda: server.connections == 1, 2)
        connections.append(server.connections)
        return Reply(401, b"x" * (16 << 20)) if len(connections) == 1 else Reply()

    with CannedServer(respond, identity=identity) as server:
        connection = open_connection(server)
        url = f"https://127.0.0.1:{server.port}/data/x"
        with connection.stream("PUT", url, operation="update_session.file.put"):
            pass
        connection.logout()
    assert connections == [1, 1]


def test_cookies_are_not_kept_as_they_know_no_port(identity: Identity) -> None:
    """Some vCenters set their token as a cookie, which would go to every port of the host, or of its whole domain."""

    def respond(request: Received) -> Reply:
        reply = _quiet_vcenter(request)
        return Reply(reply.status, reply.body, {"Set-Cookie": "vmware-api-session-id=the-token; Path=/; Secure"})

    with (
        CannedServer(lambda _request: Reply(), identity=identity) as store,
        CannedServer(respond, identity=identity) as server,
    ):
        connection = open_connection(server)
        connection.send("GET", "/api/content/library", operation="library.find")
        with connection.stream("GET", f"https://127.0.0.1:{store.port}/x", operation="download_session.get"):
            pass
        connection.logout()
    assert [request.path for request in (*server.received, *store.received) if "cookie" in request.headers] == []


@pytest.mark.parametrize("half", [b'"0a1b2c3d4e5f', b'{"value": "0a1b2c3d4e5f', b'value": "0a1b2c3d4e5f"}'])
@pytest.mark.parametrize(
    ("status", "said"), [(200, "answered the login without a session token"), (599, "HTTP 599: an answer that is not")]
)
def test_half_an_answer_to_a_login_is_not_quoted_as_it_may_be_a_token(
    identity: Identity, half: bytes, status: int, said: str
) -> None:
    with CannedServer(lambda _request: Reply(status, half), identity=identity) as server:
        ran = info(server)
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert said in ran.result["msg"]
    assert "0a1b2c" not in ran.stdout


@pytest.mark.parametrize("body", [b'"Token-Canary-99"', b'{"value": "Token-Canary-99"}'])
def test_a_token_in_a_refusal_is_a_secret_too(identity: Identity, body: bytes) -> None:
    with CannedServer(lambda _request: Reply(500, body), identity=identity) as server:
        ran = info(server)
    assert ran.result["error"]["status"] == 500
    assert "Canary-99" not in ran.stdout


# What comes with an answer


ODD_DATES = {
    "a year too large": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
    "a zone too large": "Sat, 01 Jan 2000 00:00:00 +9999",
    "half a time": "1:2 Dec , 0 :: x",
    "no date": "soon",
}


@pytest.mark.parametrize("date", ODD_DATES.values(), ids=ODD_DATES)
def test_a_date_that_is_none_leaves_the_time_of_the_server_unknown(identity: Identity, date: str) -> None:
    def respond(request: Received) -> Reply:
        reply = _quiet_vcenter(request)
        return Reply(reply.status, reply.body, {"Date": date})

    with CannedServer(respond, identity=identity) as server:
        connection = open_connection(server)
        assert connection.server_time() is None
        connection.logout()


def compressed(body: bytes, encoding: str = "gzip") -> Reply:
    return Reply(200, gzip.compress(body), {"Content-Encoding": encoding})


@pytest.mark.parametrize("stage", ["login", "operation"])
def test_an_answer_that_would_grow_while_it_is_read_is_refused(identity: Identity, stage: str) -> None:
    """What is limited are the bytes of an answer, and a few of them can unpack into any number."""

    def respond(request: Received) -> Reply:
        if (request.path == LOGINS["api"]) == (stage == "login"):
            return compressed(json.dumps(["x" * (100 << 20)]).encode())
        return _quiet_vcenter(request)

    with CannedServer(respond, identity=identity) as server:
        ran = info(server)
    assert (ran.result["error"]["type"], ran.result["error"]["status"]) == ("INVALID_RESPONSE", 200)
    assert "answers in an encoding that it was not asked for: gzip." in ran.result["msg"]
    assert {request.headers["accept-encoding"] for request in server.received} == {"identity"}


@pytest.mark.parametrize("own", [True, False], ids=["own-origin", "another-origin"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP, identity", "br"])
def test_data_that_would_grow_while_it_is_read_is_refused(identity: Identity, own: bool, encoding: str) -> None:
    def respond(request: Received) -> Reply:
        return compressed(b"content", encoding) if request.path == "/data/x" else _quiet_vcenter(request)

    with (
        CannedServer(respond, identity=identity) as store,
        CannedServer(respond, identity=identity) as server,
    ):
        connection = open_connection(server)
        url = f"https://127.0.0.1:{(server if own else store).port}/data/x"
        with (
            pytest.raises(InvalidResponse, match="encoding"),
            connection.stream("GET", url, operation="download_session.file.get_data"),
        ):
            pass
        connection.logout()
    sent = (*server.received, *store.received)
    assert {request.headers["accept-encoding"] for request in sent} == {"identity"}


def test_an_answer_that_says_that_it_is_as_it_is_is_read(identity: Identity) -> None:
    def respond(request: Received) -> Reply:
        reply = _quiet_vcenter(request)
        return Reply(reply.status, reply.body, {"Content-Encoding": "Identity"})

    with CannedServer(respond, identity=identity) as server:
        assert info(server).rc == 0


# What is tried again

BROKEN = ["429", "502", "503", "504", "html", "reset", "reset-mid-body"]
ANSWERED = ["400", "403", "404", "500", "busy"]


def test_it_is_decided_for_every_operation_whether_it_is_tried_again() -> None:
    assert {*READS, *CREATES, *CHANGES, *PROBES} == set(ROUTES)


def tried(sim: Simulator, dialect: str, operation: Callable[[Api], Any], fault: str) -> tuple[list[Any], list[float]]:
    """The requests that an operation made of a server with a fault, and the pauses in between."""
    sleeps: list[float] = []
    connection = open_connection(sim, sleeps, api_dialect=dialect)
    sim.clear_exchanges()
    sim.inject(f"*:/{dialect}/*:*:{fault}")
    with pytest.raises(ContentError):
        operation(Api(connection))
    sim.clear_faults()
    return [exchange for exchange in sim.exchanges if exchange.path not in LOGINS.values()], sleeps


@pytest.mark.parametrize("operation", [*READS, *CREATES])
def test_reads_and_creates_are_tried_again(sim: Simulator, dialect: str, operation: str) -> None:
    requests, sleeps = tried(sim, dialect, {**READS, **CREATES}[operation], "503")
    assert len(requests) == Timing().request_tries
    assert len({(each.method, each.path, each.request_body) for each in requests}) == 1
    assert sleeps == sorted(sleeps)
    assert len(sleeps) == Timing().request_tries - 1


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_worth_another_try_of_a_read(sim: Simulator, dialect: str, fault: str) -> None:
    requests, _sleeps = tried(sim, dialect, READS["update_session.list"], fault)
    assert len(requests) == Timing().request_tries


@pytest.mark.parametrize("fault", ANSWERED)
@pytest.mark.parametrize("operation", ["update_session.list", "update_session.create"])
def test_what_is_answered_is_not_tried_again(sim: Simulator, dialect: str, operation: str, fault: str) -> None:
    requests, sleeps = tried(sim, dialect, {**READS, **CREATES}[operation], fault)
    assert (len(requests), sleeps) == (1, [])


@pytest.mark.parametrize("fault", ["503", "reset"])
@pytest.mark.parametrize("operation", [*CHANGES])
def test_changes_are_never_sent_twice(sim: Simulator, dialect: str, operation: str, fault: str) -> None:
    requests, sleeps = tried(sim, dialect, CHANGES[operation], fault)
    assert (len(requests), sleeps) == (1, [])


def test_login_and_logout_are_sent_once(sim: Simulator) -> None:
    sim.inject("*:/api/session:*:503")
    assert info(sim).result["error"]["type"] == "SERVICE_UNAVAILABLE"
    assert trace(sim) == ["POST /api/session"]


def test_a_create_is_repeated_with_its_own_client_token(sim: Simulator, dialect: str) -> None:
    item = sim.run(lambda store: store.find_item_id("templates", "tools"))
    connection = open_connection(sim, api_dialect=dialect)
    sim.inject("POST:*/item/update-session*:1:reset-mid-body")
    token = "9b3f4b1e-6d07-4c6e-a4b7-c1f0a3b0a001"
    session = Api(connection).updates.create(UpdateSession(library_item_id=item), token)
    assert sim.run(lambda store: list(store.active_update_sessions())) == [session]
    created = [each for each in sim.exchanges if each.method == "POST" and "update-session" in each.path]
    assert len(created) == 2
    assert all(token in each.path + each.request_body.decode() for each in created)


def test_a_module_gets_over_a_short_outage(sim: Simulator) -> None:
    sim.inject("GET:/api/content/library/item/update-session*:1:reset")
    assert info(sim).rc == 0
    assert count(sim, "GET", "/api/content/library/item/update-session") == 2


@pytest.mark.parametrize(
    ("retry_after", "pauses"),
    [
        ("", [0.5, 1.0, 2.0]),
        ("0", [0.5, 1.0, 2.0]),
        ("7", [7, 7, 7]),
        ("31", []),
        ("Wed, 21 Oct 2026 07:28:00 GMT", [0.5, 1.0, 2.0]),
        ("-5", [0.5, 1.0, 2.0]),
    ],
    ids=["none", "at-once", "seconds", "too-long", "date", "nonsense"],
)
def test_retry_after_is_honoured_within_bounds(identity: Identity, retry_after: str, pauses: list[float]) -> None:
    def respond(request: Received) -> Reply:
        if request.path in LOGINS.values():
            return _quiet_vcenter(request)
        return Reply(503, headers={"Retry-After": retry_after} if retry_after else {})

    sleeps: list[float] = []
    with CannedServer(respond, identity=identity) as server, pytest.raises(ContentError):
        Api(open_connection(server, sleeps)).updates.ids()
    assert sleeps == pauses


def test_a_server_that_is_silent_is_given_up_after_request_timeout(sim: Simulator) -> None:
    sim.inject("GET:/api/content/library/item/update-session*:*:hang")
    ran = info(sim, request_timeout=1)
    assert ran.result["error"]["type"] == "TIMED_OUT"
    assert "request_timeout" in ran.result["msg"]
    assert count(sim, "GET", "/api/content") == 1


def test_a_server_that_is_silent_is_given_up_at_once_by_a_task_that_has_to_end(sim: Simulator) -> None:
    connection = open_connection(sim, time_left=lambda: 10 * HANG, request_timeout=6000)
    sim.inject("GET:/api/content/library/item/update-session*:*:hang")
    said = rf"was silent for {Timing().hurried_silence} seconds \(the task has to end\)"
    with in_time(at_least=Timing().hurried_silence), pytest.raises(TimedOut, match=said) as caught:
        Api(connection).updates.ids()
    assert "raise the time-out" not in caught.value.explain()
    connection.logout()


def test_a_connection_that_the_kernel_gives_up_has_failed_and_names_no_option(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its patience ends after two minutes, whatever request_timeout says."""

    def give_up(*_args: Any, **_options: Any) -> NoReturn:
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    monkeypatch.setattr("urllib3.util.connection.create_connection", give_up)
    ran = info(sim, request_timeout=600)
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert f"no connection to {sim.hostname}:{sim.port}: Connection timed out." in ran.result["msg"]
    assert "request_timeout" not in ran.result["msg"]


def test_each_token_and_the_coded_credentials_are_announced_as_secrets(sim: Simulator) -> None:
    secrets: list[str] = []
    connection = open_connection(sim, secrets=secrets)
    sim.run(lambda store: store.logins.expire_all())
    Api(connection).updates.ids()
    credentials = base64.b64encode(f"{sim.username}:{sim.password}".encode()).decode()
    tokens = [secret for secret in secrets if secret != credentials]
    assert credentials in secrets
    assert len(tokens) == len(set(tokens)) == 2


def _quiet_vcenter(request: Received) -> Reply:
    """A vCenter that holds nothing."""
    if request.path == LOGINS["api"]:
        return Reply(201, b'"the-token"') if request.method == "POST" else Reply(204)
    return Reply(200, json.dumps([]).encode())
