# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure is named by its type, explained to people, whole for playbooks, and gives no secret away."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter import errors, remedies
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.answers import from_response, read_json
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import (
    ApiError,
    ContentError,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    Unauthenticated,
    failure,
)
from tests.harness.checkout import ROOT
from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.packages import make_package
from tests.harness.servers import CannedServer, Identity, Received, Reply, relay_to, unused_port
from tests.harness.tasks import (
    DOWNLOAD_SESSION,
    ERROR_KEYS,
    LIBRARY_ITEM,
    ROCKY9,
    SESSION_INFO,
    TOOLS,
    UPDATE_SESSION,
    announced,
    publish,
    src,
)
from tests.simulator import Seed, Simulator, UserSeed
from tests.simulator.seed import PRIVILEGES, filler

PASSWORD = "Canary-7f3kQ2"

# The API's own names, and the status that each dialect publishes or was seen to send.
TYPES: list[tuple[str, int, int]] = [
    ("ALREADY_EXISTS", 400, 400),
    ("ALREADY_IN_DESIRED_STATE", 400, 400),
    ("CANCELED", 400, 400),
    ("CONCURRENT_CHANGE", 409, 409),
    ("ERROR", 400, 500),
    ("FEATURE_IN_USE", 400, 400),
    ("INTERNAL_SERVER_ERROR", 500, 500),
    ("INVALID_ARGUMENT", 400, 400),
    ("INVALID_ELEMENT_CONFIGURATION", 400, 400),
    ("INVALID_ELEMENT_TYPE", 400, 400),
    ("INVALID_REQUEST", 400, 400),
    ("NOT_ALLOWED_IN_CURRENT_STATE", 400, 400),
    ("NOT_FOUND", 404, 404),
    ("OPERATION_NOT_FOUND", 404, 404),
    ("RESOURCE_BUSY", 500, 400),
    ("RESOURCE_INACCESSIBLE", 500, 500),
    ("RESOURCE_IN_USE", 400, 400),
    ("SERVICE_UNAVAILABLE", 503, 503),
    ("TIMED_OUT", 504, 504),
    ("UNABLE_TO_ALLOCATE_RESOURCE", 400, 400),
    ("UNAUTHENTICATED", 401, 401),
    ("UNAUTHORIZED", 403, 403),
    ("UNEXPECTED_INPUT", 400, 400),
    ("UNSUPPORTED", 400, 400),
    ("UNVERIFIED_PEER", 400, 400),
    ("INVENTED_BY_A_LATER_SERVER", 418, 418),
]
# What REMEDIES says of these fits a refusal of the server; whoever refuses by itself knows more.
REFUSED_BY_SERVER = {"INVALID_ARGUMENT", "NOT_ALLOWED_IN_CURRENT_STATE"}
KINDS: dict[str, type[ContentError]] = {
    name: found for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, ContentError)
}
CLASSES: dict[str, type[ApiError]] = {
    "NOT_FOUND": NotFound,
    "NOT_ALLOWED_IN_CURRENT_STATE": NotAllowedInCurrentState,
    "RESOURCE_BUSY": ResourceBusy,
    "UNAUTHENTICATED": Unauthenticated,
}
OUTER = {
    "id": "com.vmware.vdcs.cls-main.outer",
    "default_message": "The import failed.",
    "args": ["disk.vmdk"],
    "localized": "Der Import ist fehlgeschlagen.",
}
INNER = {"id": "com.vmware.vdcs.cls-main.inner", "default_message": "Pipe closed.", "args": []}


def body(dialect: str, error_type: str, messages: Sequence[Any] = (OUTER, INNER), data: Any = None) -> bytes:
    if dialect == "api":
        return json.dumps({"error_type": error_type, "messages": messages, "data": data}).encode()
    value = {"messages": messages, "data": data}
    return json.dumps({"type": f"com.vmware.vapi.std.errors.{error_type.lower()}", "value": value}).encode()


def require_payload(ran: ModuleResult) -> dict[str, Any]:
    """The error of a failed task, complete and without a traceback."""
    assert ran.rc == 1
    assert ran.result["failed"] is True
    assert ran.result["msg"]
    assert "exception" not in ran.result
    assert "Traceback" not in ran.stdout + ran.stderr
    error: dict[str, Any] = ran.result["error"]
    assert set(error) == ERROR_KEYS
    assert isinstance(error["messages"], list)
    return error


# What an answer means


@pytest.mark.parametrize(("error_type", "status", "rest_status"), TYPES, ids=[entry[0] for entry in TYPES])
def test_an_error_is_named_by_the_type_that_the_server_gives(
    dialect: str, error_type: str, status: int, rest_status: int
) -> None:
    error = from_response(
        status if dialect == "api" else rest_status,
        body(dialect, error_type, data={"a": 1}),
        "update_session.get",
        "a:b",
    )
    assert error.error_type == error_type
    assert error.__class__ is CLASSES.get(error_type, ApiError)
    assert error.data == {"a": 1}
    assert error.in_json
    assert [message.id for message in error.messages] == [OUTER["id"], INNER["id"]]


def test_the_type_within_the_older_envelope_outranks_its_name() -> None:
    value = {"error_type": "RESOURCE_BUSY", "messages": []}
    answer = {"type": "com.vmware.vapi.std.errors.error", "value": value}
    assert from_response(400, json.dumps(answer).encode(), "update_session.create").error_type == "RESOURCE_BUSY"


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "UNAUTHORIZED"),
        (404, "NOT_FOUND"),
        (429, "SERVICE_UNAVAILABLE"),
        (500, "INTERNAL_SERVER_ERROR"),
        (502, "SERVICE_UNAVAILABLE"),
        (503, "SERVICE_UNAVAILABLE"),
        (504, "SERVICE_UNAVAILABLE"),
        (418, "INVALID_RESPONSE"),
    ],
)
@pytest.mark.parametrize(
    "answer", [b"", b"404 page not found\n", b"<html><p>Bad\n gateway</p></html>", b"\xff\xfe\x00"]
)
def test_only_an_answer_without_a_type_is_named_by_its_status(status: int, error_type: str, answer: bytes) -> None:
    error = from_response(status, answer, "update_session.get")
    assert (error.error_type, error.status, error.in_json) == (error_type, status, False)
    assert str(status) in error.said


def test_an_answer_that_is_no_json_is_quoted_on_one_line_and_shortened() -> None:
    page = (
        b"<html>\r\n<head><title>502 Bad\tGateway</title></head><body>" + b"upstream \x1b[31m" * 500 + b"</body></html>"
    )
    error = from_response(502, page, "update_session.get")
    assert "502 Bad Gateway upstream" in error.said
    assert len(error.said) < 300
    assert error.said.isprintable()
    assert "<" not in error.said


def test_a_secret_is_taken_out_of_a_quoted_page_before_it_is_cut() -> None:
    page = ("x" * 190 + " Token-Canary-99 and more " * 20).encode()
    error = from_response(
        502, page, "update_session.get", hide=lambda text: text.replace("Token-Canary-99", "********")
    )
    assert "Token" not in error.said
    assert "*****" in error.said


def test_of_a_url_in_a_quoted_answer_nothing_is_left_that_could_be_its_password() -> None:
    error = from_response(502, b'{"uri": "https://svc:S3cr3t-7', "update_session.get")
    assert error.said == 'HTTP 502: {"uri": "https://...'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x9b2J", "a\\x1b[31mb\\x9b2J"),
        ("a\r\nb\tc\u2028d\xa0e", "a  b c d e"),
        ("a\u202eb\x07\x00", "a\\u202eb\\x07\\x00"),
        ("half \ud800", "half \\ud800"),
        ("Größe: 3 €, 漢字", "Größe: 3 €, 漢字"),
    ],
)
def test_nothing_in_a_message_steers_a_terminal(text: str, shown: str) -> None:
    assert errors.printable(text) == shown


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"[1e999]", b'{"value": -1e999}'])
def test_a_number_that_json_does_not_have_is_no_answer(number: bytes) -> None:
    with pytest.raises(ValueError, match="no number"):
        read_json(number)


def test_an_answer_without_a_body_says_so() -> None:
    assert "without a body" in from_response(503, b"", "update_session.get").said


def test_a_message_says_what_was_done_to_what_and_what_to_do_about_it() -> None:
    error = from_response(404, body("api", "NOT_FOUND"), "update_session.get", "a:b")
    error.subject = "of library item 'tools' in library 'templates'"
    error.notes.append("Session a:b was left alone.")
    msg = failure(error)["msg"]
    parts = ["read the update session", "a:b", "'tools'", "Der Import ist fehlgeschlagen", "Pipe closed", "left alone"]
    positions = [msg.index(part) for part in parts]
    assert positions == sorted(positions)
    assert "Check the name or the identifier" in msg
    assert "The import failed" not in msg, "the translation stands for the default message"


@pytest.mark.parametrize("error_type", [entry[0] for entry in TYPES])
def test_each_error_of_a_server_comes_with_something_to_do(error_type: str) -> None:
    error = from_response(400, body("api", error_type), "update_session.get", "a:b")
    said, _last_words, to_do = failure(error)["msg"].rpartition("Pipe closed. ")
    assert said
    assert to_do.endswith(".")


def made_without_a_remedy() -> Iterator[tuple[str, str]]:
    """The failures of our own that leave what to do to REMEDIES: where they are made, and their type."""
    for path in sorted(ROOT.glob("plugins/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS):
                continue
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if "remedy" not in given:
                default = ast.Constant(KINDS[node.func.id].default_type)
                yield f"{path.name}:{node.lineno}", ast.literal_eval(given.get("error_type", default))


def test_each_failure_of_our_own_comes_with_something_to_do() -> None:
    made = dict(made_without_a_remedy())
    assert made
    advised = set(remedies.REMEDIES) - REFUSED_BY_SERVER
    silent = {place: error_type for place, error_type in made.items() if error_type not in advised}
    # Where Ansible's own words about an option are handed on.
    assert [place for place in silent if not place.startswith("masking.py:")] == []


def test_a_payload_holds_messages_whole_in_both_dialects() -> None:
    nested = {"id": "inner", "params": {"n": {"i": 5}}}
    plain = {**OUTER, "params": {"p": {"l": nested, "format": "SHORT"}}}
    paired = {
        **OUTER,
        "params": [
            {
                "key": "p",
                "value": {"l": {"id": "inner", "params": [{"key": "n", "value": {"i": 5}}]}, "format": "SHORT"},
            }
        ],
    }
    shown = [
        failure(from_response(400, body(name, "INVALID_ARGUMENT", [message]), "update_session.get"))["error"][
            "messages"
        ]
        for name, message in (("api", plain), ("rest", paired))
    ]
    assert shown[0] == shown[1]
    assert shown[0][0]["params"]["p"]["l"]["params"]["n"]["i"] == 5


def test_an_exception_of_ours_is_a_failure_that_asks_for_a_report() -> None:
    payload = failure(KeyError("x"))
    assert set(payload["error"]) == ERROR_KEYS
    assert "report" in payload["msg"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_exception_makes_a_whole_payload(kind: type[ContentError]) -> None:
    payload = failure(kind("something went wrong"))
    assert set(payload["error"]) == ERROR_KEYS
    assert payload["msg"].startswith("something went wrong.")
    assert payload["error"]["type"]


def test_a_failure_carries_what_the_task_can_return_all_the_same() -> None:
    error = InvalidArgument("no", remedy="Do otherwise.")
    error.result = {"changed": True}
    assert failure(error)["changed"] is True


# Through the whole module


@pytest.mark.parametrize(
    ("fault", "error_type", "status"),
    [
        ("400", "INVALID_ARGUMENT", 400),
        ("403", "UNAUTHORIZED", 403),
        ("404", "NOT_FOUND", 404),
        ("500", "INTERNAL_SERVER_ERROR", 500),
        ("busy", "RESOURCE_BUSY", {"api": 500, "rest": 400}),
    ],
)
def test_a_refusal_is_told_by_type_in_both_dialects(
    sim: Simulator, dialect: str, fault: str, error_type: str, status: Any
) -> None:
    sim.inject(f"*:/{dialect}/*content*:*:{fault}")
    ran = run_module(SESSION_INFO, {**connection_args(sim), "api_dialect": dialect, **TOOLS})
    error = require_payload(ran)
    assert (error["type"], error["operation"]) == (error_type, "library.find")
    assert error["status"] == (status[dialect] if isinstance(status, dict) else status)
    assert error["messages"][0]["id"] == "injected"
    assert error["messages"][0]["default_message"].rstrip(".") in ran.result["msg"]
    assert "'tools'" in ran.result["msg"]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (LIBRARY_ITEM, {"state": "gone"}, "value of state must be one of"),
        (LIBRARY_ITEM, {"library": "a", "library_id": "b", "name": "c"}, "mutually exclusive: library|library_id"),
        (LIBRARY_ITEM, {"colour": "red"}, "Unsupported parameters for"),
        (SESSION_INFO, {"kind": "any"}, "value of kind must be one of"),
        (SESSION_INFO, {"session_ids": ["a:b"], **TOOLS}, "mutually exclusive: session_ids|library"),
        (SESSION_INFO, {"with_files": "perhaps"}, "'with_files' is of type"),
        (
            UPDATE_SESSION,
            {**TOOLS, "state": "error"},
            "state is error but all of the following are missing: error_message",
        ),
        (UPDATE_SESSION, {"state": "active"}, "one of the following is required: session_id"),
        (UPDATE_SESSION, {**TOOLS, "state": "done", "files": [{"source": "/x"}]}, "Unsupported parameters for"),
        (
            DOWNLOAD_SESSION,
            {**TOOLS, "state": "error"},
            "state is error but all of the following are missing: error_message",
        ),
        (DOWNLOAD_SESSION, {"session_id": "a:b", "dest": "/x"}, "mutually exclusive: session_id|dest"),
        (DOWNLOAD_SESSION, {**TOOLS, "parallel_transfers": "many"}, "'parallel_transfers' is of type"),
    ],
)
def test_what_ansible_itself_refuses_has_an_error_as_well(
    sim: Simulator, name: str, options: dict[str, Any], said: str
) -> None:
    ran = run_module(name, {**connection_args(sim), **options})
    assert said in ran.result["msg"].replace(", ", "|")
    assert require_payload(ran) == {
        "type": "INVALID_ARGUMENT",
        "status": None,
        "operation": None,
        "messages": [],
        "data": None,
        "session_id": None,
    }
    assert sim.exchanges == ()


@pytest.mark.parametrize(
    ("reply", "error_type", "quoted"),
    [
        (Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"}), "NOT_FOUND", "404 page not found"),
        (Reply(502, b"<html><h1>Bad Gateway</h1></html>"), "SERVICE_UNAVAILABLE", "Bad Gateway"),
        (Reply(401, b""), "UNAUTHENTICATED", "HTTP 401"),
        (Reply(500, b""), "INTERNAL_SERVER_ERROR", "HTTP 500"),
        (Reply(200, b"<html><h1>Welcome</h1></html>"), "INVALID_RESPONSE", "Welcome"),
        (Reply(200, b""), "INVALID_RESPONSE", "list"),
        (Reply(200, b'{"a": '), "INVALID_RESPONSE", "not JSON"),
        (Reply(200, b'{"a": 1}'), "INVALID_RESPONSE", "list"),
        (Reply(200, b"[1]"), "INVALID_RESPONSE", "identifier"),
    ],
    ids=["plain-404", "html-502", "empty-401", "empty-500", "html-200", "empty-200", "half", "no-list", "no-text"],
)
@pytest.mark.paced(first_request_pause=0.01)
def test_an_answer_that_no_vcenter_gives_is_quoted(
    identity: Identity, reply: Reply, error_type: str, quoted: str
) -> None:

    def respond(request: Received) -> Reply:
        if request.path == "/api/session":
            return Reply(201, b'"the-token"')
        return reply

    with CannedServer(respond, identity=identity) as server:
        ran = run_module(SESSION_INFO, {**connection_args(server), "kind": "update"})
    error = require_payload(ran)
    assert (error["type"], error["operation"]) == (error_type, "update_session.list")
    assert quoted in ran.result["msg"]


@pytest.mark.parametrize("fault", ["reset", "reset-mid-body"])
@pytest.mark.paced(first_request_pause=0.01)
def test_no_answer_is_a_connection_that_failed(sim: Simulator, dialect: str, fault: str) -> None:
    sim.inject(f"GET:/{dialect}/*:*:{fault}")
    error = require_payload(
        ran := run_module(SESSION_INFO, {**connection_args(sim), "api_dialect": dialect, "kind": "update"})
    )
    assert (error["type"], error["status"]) == ("CONNECTION_FAILED", None)
    assert f"{sim.hostname}:{sim.port}" in ran.result["msg"]
    assert sim.run(lambda store: store.logins.count) == 0


def test_a_half_answer_is_no_json(sim: Simulator) -> None:
    sim.inject("GET:/api/*:*:truncate")
    item = sim.run(lambda store: store.find_item_id("templates", "tools"))
    sim.run(lambda store: store.seed_update_session(item))
    error = require_payload(run_module(SESSION_INFO, {**connection_args(sim), "kind": "update"}))
    assert error["type"] == "INVALID_RESPONSE"


def test_a_port_on_which_nothing_listens(sim: Simulator) -> None:
    port = unused_port()
    ran = run_module(SESSION_INFO, {**connection_args(sim), "port": port})
    assert require_payload(ran)["type"] == "CONNECTION_FAILED"
    assert f"127.0.0.1:{port}" in ran.result["msg"]
    assert "refused" in ran.result["msg"]


# Privileges

NEEDS: list[tuple[str, str, dict[str, Any]]] = [
    ("ContentLibrary.UpdateSession", UPDATE_SESSION, {**TOOLS, "state": "active"}),
    ("ContentLibrary.AddLibraryItem", LIBRARY_ITEM, {"library": "templates", "name": "new"}),
    ("ContentLibrary.UpdateLibraryItem", LIBRARY_ITEM, {"library": "templates", "name": "tools", "description": "new"}),
    ("ContentLibrary.DeleteLibraryItem", LIBRARY_ITEM, {"library": "templates", "name": "tools", "state": "absent"}),
]


UNPRIVILEGED = Seed(
    users=tuple(
        UserSeed(f"without-{name.lower()}@vsphere.local", privileges=tuple(set(PRIVILEGES) - {name}))
        for name in PRIVILEGES
    )
)


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[Simulator]:
    with Simulator(seed=UNPRIVILEGED) as running:
        yield running


@pytest.mark.parametrize(
    ("privilege", "name", "options"),
    NEEDS,
    ids=[f"{name.rsplit('_', 1)[-1]}-{privilege.rsplit('.', 1)[-1]}-{len(o)}" for privilege, name, o in NEEDS],
)
def test_a_privilege_that_is_missing_is_named(
    unprivileged: Simulator, dialect: str, privilege: str, name: str, options: dict[str, Any]
) -> None:
    unprivileged.clear_exchanges()
    user = f"without-{privilege.lower()}@vsphere.local"
    ran = run_module(name, {**connection_args(unprivileged), "api_dialect": dialect, "username": user, **options})
    error = require_payload(ran)
    assert (error["type"], error["status"]) == ("UNAUTHORIZED", 403)
    assert privilege in ran.result["msg"]
    assert unprivileged.run(lambda store: store.logins.count) == 0


def test_the_viewer_of_the_default_seed_is_told_the_privilege(sim: Simulator, image: Path) -> None:
    ran = run_module(
        UPDATE_SESSION,
        {
            **connection_args(sim),
            **TOOLS,
            "username": "viewer@vsphere.local",
            "state": "done",
            "files": [src(image)],
        },
    )
    assert require_payload(ran)["type"] == "UNAUTHORIZED"
    assert "ContentLibrary.UpdateSession" in ran.result["msg"]
    assert [each.method for each in sim.exchanges if each.method not in ("GET", "POST", "DELETE")] == []


def read_only(sim: Simulator) -> dict[str, Any]:
    """The connection of a user who may read the library, and have no sessions."""
    return {**connection_args(sim), "username": "without-contentlibrary.updatesession@vsphere.local"}


def test_a_user_who_may_only_read_gets_the_sessions_that_it_can_have(unprivileged: Simulator, dialect: str) -> None:
    ran = run_module(SESSION_INFO, {**read_only(unprivileged), **TOOLS, "api_dialect": dialect})
    assert (ran.rc, ran.result.get("update_sessions")) == (0, []), ran.result
    assert ["ContentLibrary.UpdateSession" in text for text in ran.warnings] == [True]


def test_a_user_who_may_only_read_gets_a_prediction_and_an_explanation(unprivileged: Simulator, image: Path) -> None:
    unprivileged.reset(UNPRIVILEGED)
    options = {**read_only(unprivileged), **publish(image)}
    predicted = run_module(UPDATE_SESSION, options, check=True)
    assert predicted.result["changed"] is True, predicted.result
    assert ["ContentLibrary.UpdateSession" in text for text in predicted.warnings] == [True]
    assert require_payload(run_module(UPDATE_SESSION, options))["operation"] == "update_session.list"
    item = unprivileged.run(lambda store: store.find_item_id("templates", "tools"))
    unprivileged.run(lambda store: store.seed_item_files(item, {"tools.iso": image.read_bytes()}))
    there = run_module(UPDATE_SESSION, options)
    assert (there.rc, there.result["changed"], there.warnings) == (0, False, []), there.result


def test_check_mode_warns_a_user_who_may_not_fetch(unprivileged: Simulator, dest: Path, dialect: str) -> None:
    unprivileged.reset(UNPRIVILEGED)
    user = {"username": "without-contentlibrary.downloadsession@vsphere.local", "api_dialect": dialect}
    options = {
        **connection_args(unprivileged),
        **user,
        "library": "mirror",
        "library_item": "synced",
        "dest": str(dest),
    }
    predicted = run_module(DOWNLOAD_SESSION, options, check=True)
    assert predicted.result["changed"] is True, predicted.result
    assert ["ContentLibrary.DownloadSession" in text and "would fail" in text for text in predicted.warnings] == [True]
    assert require_payload(run_module(DOWNLOAD_SESSION, options))["operation"] == "download_session.create"
    (dest / "synced.iso").write_bytes(filler("synced.iso", 65536))
    for check in (True, False):
        there = run_module(DOWNLOAD_SESSION, options, check=check)
        assert (there.rc, there.result["changed"], there.warnings) == (0, False, []), there.result


def test_an_item_of_a_user_who_may_not_fill_it_is_deleted_again(unprivileged: Simulator, image: Path) -> None:
    unprivileged.reset(UNPRIVILEGED)
    options = {"library": "templates", "library_item": "new", "state": "done", "files": [src(image)]}
    ran = run_module(UPDATE_SESSION, {**read_only(unprivileged), **options})
    assert require_payload(ran)["operation"] == "update_session.create"
    assert "was deleted again" in ran.result["msg"]
    assert ran.result["item_created"] is False


# What to do about it


CREATE, ADD, LOGIN = "/item/update-session", "/file", "/api/session"
BACKING = "com.vmware.vdcs.cls-main.invalid_library_backing_does_not_exist"
UNSUPPORTED = "com.vmware.vdcs.cls-main.update_session_unsupported"
SESSIONS = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
OTHER = "com.vmware.vdcs.cls-main.something_else"
UPDATING = "most likely lacks the privilege ContentLibrary.UpdateSession, from a global permission"


@dataclass(frozen=True)
class Refused:
    """A request that is refused, and what is said of it; `name` is the message's identifier."""

    path: str
    status: int
    error_type: str
    name: str
    said: str
    not_said: str


REFUSED = {
    "storage": Refused(CREATE, 400, "NOT_ALLOWED_IN_CURRENT_STATE", BACKING, "storage of the library", "session_id"),
    "template": Refused(CREATE, 400, "NOT_ALLOWED_IN_CURRENT_STATE", UNSUPPORTED, "to another item", "session_id"),
    "element": Refused(CREATE, 400, "INVALID_ELEMENT_TYPE", UNSUPPORTED, "to another item", "subscribes"),
    "state": Refused(CREATE, 400, "NOT_ALLOWED_IN_CURRENT_STATE", OTHER, "Change what its message names", "session_id"),
    "create-404": Refused(CREATE, 404, "", "", UPDATING, "deleted"),
    "add-404": Refused(ADD, 404, "", "", UPDATING, "Check the name"),
    "add-busy": Refused(ADD, 500, "RESOURCE_BUSY", OTHER, "vCenter is at work on it", "Another update session"),
    "logins": Refused(LOGIN, 503, "SERVICE_UNAVAILABLE", SESSIONS, "session_token", "Content Library service"),
    "login-403": Refused(LOGIN, 403, "UNAUTHORIZED", OTHER, "this user may log in", "on the library"),
    "gone-content": Refused(ADD, 500, "RESOURCE_INACCESSIBLE", OTHER, "check the datastore", "-vvv"),
    "bare-400": Refused(ADD, 400, "", "", "gives no reason", "its message"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
@pytest.mark.paced(first_insisting_pause=0.01)
def test_a_remedy_does_not_contradict_what_the_server_has_said(
    sim: Simulator, identity: Identity, image: Path, refused: Refused
) -> None:
    message = {"id": refused.name, "default_message": "No.", "args": []}
    answer = Reply(refused.status, body("api", refused.error_type, [message]) if refused.error_type else b"")

    def change(request: Received, _reply: Reply | None) -> Reply | None:
        path, _mark, query = request.path.partition("?")
        meets = request.method == "POST" and path.endswith(refused.path) and "action" not in query
        return answer if meets else None

    with CannedServer(relay_to(sim, change), identity=identity) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(server), **publish(image)})
    require_payload(ran)
    assert refused.said in ran.result["msg"]
    assert refused.not_said not in ran.result["msg"]


def test_a_place_for_data_that_this_host_cannot_resolve_is_named_once(
    sim: Simulator, identity: Identity, image: Path
) -> None:
    def change(request: Received, reply: Reply | None) -> Reply | None:
        own = f"https://localhost:{sim.port}/"
        return reply and Reply(
            reply.status, reply.body.replace(own.encode(), b"https://vcenter01.example.invalid:443/")
        )

    with CannedServer(relay_to(sim, change), identity=identity) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(server), **publish(image)})
    assert require_payload(ran)["type"] == "CONNECTION_FAILED"
    assert "must resolve that name" in ran.result["msg"]
    assert "hostname" not in ran.result["msg"]
    assert ran.warnings == []
    assert len(announced(sim.exchanges)) == 1


@pytest.mark.parametrize("way", ["file", "session", "validation"])
def test_the_message_of_a_failure_after_its_request_is_in_the_payload(
    sim: Simulator, image: Path, tmp_path: Path, way: str
) -> None:
    if way == "session":
        sim.inject("PUT:*:1:transfer-error")
    options = publish(image)
    if way == "validation":
        options = {**publish(make_package(tmp_path, tamper="disk").descriptor, ROCKY9), "check_manifest": False}
    if way == "file":
        options["files"] = [src(image, checksum="0" * 40, checksum_algorithm="SHA1")]
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **options})
    error = require_payload(ran)
    assert error["messages"], ran.result["msg"]
    assert error["messages"][0]["default_message"].rstrip(".") in ran.result["msg"]


# Secrets


def secrets_of(password: str, token: str) -> list[str]:
    user = "administrator@vsphere.local"
    return [
        password,
        quote(password, safe=""),
        token,
        base64.b64encode(f"{user}:{password}".encode()).decode(),
    ]


def require_no_secret(ran: ModuleResult, *secrets: str) -> None:
    everything = json.dumps(ran.result) + ran.stdout + ran.stderr
    assert [secret for secret in secrets if secret in everything] == []


@pytest.mark.parametrize("verbosity", [0, 4])
def test_no_secret_stands_in_the_output_of_a_task_that_does_all(
    sim: Simulator, dialect: str, image: Path, verbosity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = spy_on_tokens(sim, monkeypatch)
    ran = run_module(
        UPDATE_SESSION,
        {**connection_args(sim), **TOOLS, "api_dialect": dialect, "state": "done", "files": [src(image)]},
        verbosity=verbosity,
    )
    assert ran.rc == 0, ran.result
    assert len(tokens) == 1
    require_no_secret(ran, *secrets_of(PASSWORD, tokens[0]))


@pytest.mark.parametrize("fault", ["500", "html", "reset", "unauthenticated", "truncate"])
@pytest.mark.paced(first_request_pause=0.01)
def test_no_secret_stands_in_the_output_of_a_task_that_fails(
    sim: Simulator, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = spy_on_tokens(sim, monkeypatch)
    sim.inject(f"POST:/api/content/*:*:{fault}")
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **TOOLS, "state": "active"}, verbosity=4)
    assert ran.rc == 1
    assert tokens
    require_no_secret(ran, PASSWORD, *tokens)


def spy_on_tokens(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that the server gives out from now on."""
    tokens: list[str] = []
    logins = sim.run(lambda store: store.logins)
    login = logins.login

    def spied(name: str, password: str) -> str:
        tokens.append(login(name, password))
        return tokens[-1]

    monkeypatch.setattr(logins, "login", spied)
    return tokens


@pytest.mark.parametrize("stage", ["login", "operation", "logout"])
@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_a_server_that_repeats_what_it_was_sent_makes_no_secret_public(
    identity: Identity, stage: str, form: str
) -> None:
    def echo(request: Received) -> Reply:
        heard = json.dumps(dict(request.headers))
        if form == "json":
            answer = {
                "error_type": "INVALID_REQUEST",
                "messages": [{"id": "x", "default_message": heard}],
                "data": heard,
            }
            return Reply(400, json.dumps(answer).encode())
        return Reply(400, (f"<pre>{heard}</pre>" if form == "html" else heard).encode())

    def respond(request: Received) -> Reply:
        now = {"POST": "login", "DELETE": "logout"}.get(request.method, "operation")
        if now == stage:
            return echo(request)
        return Reply(201, b'"Token-Canary-99"') if now == "login" else Reply(200, b"[]")

    with CannedServer(respond, identity=identity) as server:
        ran = run_module(SESSION_INFO, {**connection_args(server), "kind": "update"}, verbosity=4)
    assert (ran.rc == 0) is (stage == "logout")
    require_no_secret(ran, *secrets_of(PASSWORD, "Token-Canary-99"))


def test_a_session_token_of_the_task_is_kept_out_of_its_output(sim: Simulator) -> None:
    ran = run_module(
        SESSION_INFO, {**connection_args(sim), "session_token": "Token-Canary-99", "kind": "update"}, verbosity=4
    )
    assert require_payload(ran)["type"] == "UNAUTHENTICATED"
    require_no_secret(ran, "Token-Canary-99", PASSWORD)


@pytest.mark.parametrize("token", ["Token-Canary-99\n", " Token-Canary-99", "Token\x00Canary-99", "Token-Canary-99€"])
def test_a_session_token_that_is_none_is_named_and_not_shown(sim: Simulator, token: str) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), "session_token": token, "kind": "update"}, verbosity=4)
    assert require_payload(ran)["type"] == "INVALID_ARGUMENT"
    assert "session_token" in ran.result["msg"]
    assert sim.exchanges == ()
    require_no_secret(ran, "Canary-99", PASSWORD)


def test_a_password_of_any_characters_logs_in(tmp_path: Path) -> None:
    password = "Pä$$ wört:%41/€"
    with Simulator(seed=Seed(users=(UserSeed("EXAMPLE\\svc", password=password),))) as sim:
        ran = run_module(SESSION_INFO, {**connection_args(sim), "kind": "update"})
        assert ran.rc == 0, ran.result
        require_no_secret(ran, password)
