# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mapping loses nothing, whatever a server sends: models both ways, and any JSON as an answer to any operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.vsphere.content.plugins.module_utils._vcenter import messages, models
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.answers import from_response, read_json
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import ContentError, failure
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.schema import (
    PAIRED_MAPS,
    PLAIN_MAPS,
    Model,
    SchemaError,
    decode,
    encode,
    to_result,
)
from tests.harness.calls import CHANGES, CREATES, PROBES, READS
from tests.harness.modules import connection_args, run_module
from tests.harness.servers import CannedServer, Identity, Received, Reply

Json = st.SearchStrategy[Any]

SCALARS: Json = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
ANY_JSON: Json = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ANYTHING: Json = ANY_JSON.filter(lambda value: value is not None)
TEXT: Json = st.text(max_size=12)
FLAG: Json = st.booleans()
COUNT: Json = st.integers()
DECIMAL: Json = st.floats(allow_nan=False, allow_infinity=False)
STATES: Json = st.sampled_from(["ACTIVE", "DONE", "ERROR", "CANCELED", "SUSPENDED_BY_A_LATER_SERVER"])
FIELD_OF_A_LATER_SERVER: Json = st.dictionaries(TEXT.map(lambda text: f"later_{text}"), ANY_JSON, max_size=2)


FIELDS: dict[int, set[str]] = {}
"""The names of the fields of each strategy that `model` makes, by the identity of the strategy."""


def model(required: dict[str, Json], optional: dict[str, Json]) -> Json:
    """Objects with the required fields, some of the optional ones, and some that nobody has heard of yet."""
    known = st.fixed_dictionaries(required, optional=optional)
    made = st.tuples(known, FIELD_OF_A_LATER_SERVER).map(lambda parts: {**parts[1], **parts[0]})
    FIELDS[id(made)] = {*required, *optional}
    return made


PARAM: Json = model(
    {},
    {
        "s": TEXT,
        "dt": TEXT,
        "i": COUNT,
        "d": DECIMAL,
        "l": st.deferred(lambda: NESTED_MESSAGE),
        "format": TEXT,
        "precision": COUNT,
    },
)
PARAMS: Json = st.dictionaries(TEXT, PARAM, max_size=2)
NESTED_MESSAGE: Json = model({"id": TEXT}, {"params": PARAMS})
MESSAGE: Json = model(
    {}, {"id": TEXT, "default_message": TEXT, "args": st.lists(TEXT), "params": PARAMS, "localized": TEXT}
)
BEHAVIOR: Json = model({"type": TEXT, "ignored": FLAG}, {})
WARNING: Json = model({"type": TEXT}, {"message": MESSAGE, "ignored": FLAG})
CERTIFICATE: Json = model({}, {"issuer": TEXT, "subject": TEXT, "self_signed": FLAG, "x509": TEXT})
PREVIEW: Json = model(
    {},
    {
        "state": TEXT,
        "certificate_info": CERTIFICATE,
        "warnings": st.lists(WARNING, max_size=2),
        "cert_chain": st.lists(TEXT, max_size=2),
    },
)
SESSION: dict[str, Json] = {
    "id": TEXT,
    "library_item_id": TEXT,
    "library_item_content_version": TEXT,
    "state": STATES,
    "client_progress": COUNT,
    "expiration_time": TEXT,
    "error_message": MESSAGE,
}
CHECKSUM: Json = model({"checksum": TEXT}, {"algorithm": TEXT})
ENDPOINT: Json = model({"uri": TEXT}, {"ssl_certificate_thumbprint": TEXT, "ssl_certificate": TEXT})
# What lets a server in at a source is not shown: there is a test of that by itself.
SOURCE: Json = model(
    {"uri": TEXT.filter(lambda text: not set(text) & set("@?#["))},
    {"ssl_certificate_thumbprint": TEXT, "ssl_certificate": TEXT},
)
BACKING: Json = model({}, {"type": TEXT, "datastore_id": TEXT, "storage_uri": TEXT})
PUBLISHED: Json = model({}, {"published": FLAG})
VERIFICATION: Json = model({}, {"status": TEXT, "cert_chain": st.lists(TEXT, max_size=2)})

# The published fields of each model, written down a second time, so that a slip of the pen in one is seen.
WIRE: dict[str, Json] = {
    "LocalizationParam": PARAM,
    "NestedLocalizableMessage": NESTED_MESSAGE,
    "LocalizableMessage": MESSAGE,
    "WarningBehavior": BEHAVIOR,
    "PreviewWarning": WARNING,
    "CertificateInfo": CERTIFICATE,
    "PreviewInfo": PREVIEW,
    "UpdateSession": model(
        {}, {**SESSION, "preview_info": PREVIEW, "warning_behavior": st.lists(BEHAVIOR, max_size=2)}
    ),
    "DownloadSession": model({}, SESSION),
    "ChecksumInfo": CHECKSUM,
    "TransferEndpoint": ENDPOINT,
    "SourceEndpoint": SOURCE,
    "ProbeResult": model(
        {},
        {
            "status": TEXT,
            "ssl_thumbprint": TEXT,
            "ssl_certificate": TEXT,
            "error_messages": st.lists(MESSAGE, max_size=2),
        },
    ),
    "UpdateFile": model(
        {"name": TEXT, "status": TEXT},
        {
            "source_type": TEXT,
            "size": COUNT,
            "bytes_transferred": COUNT,
            "checksum_info": CHECKSUM,
            "source_endpoint": SOURCE,
            "upload_endpoint": ENDPOINT,
            "error_message": MESSAGE,
            "keep_in_storage": FLAG,
        },
    ),
    "UpdateFileAddition": model(
        {"name": TEXT, "source_type": TEXT},
        {"size": COUNT, "checksum_info": CHECKSUM, "source_endpoint": ENDPOINT},
    ),
    "FileValidationError": model({"name": TEXT}, {"error_message": MESSAGE}),
    "FileValidation": model(
        {"has_errors": FLAG},
        {
            "missing_files": st.lists(TEXT, max_size=2),
            "invalid_files": st.lists(model({"name": TEXT}, {"error_message": MESSAGE}), max_size=2),
        },
    ),
    "DownloadFile": model(
        {"name": TEXT, "status": TEXT},
        {
            "size": COUNT,
            "bytes_transferred": COUNT,
            "checksum_info": CHECKSUM,
            "download_endpoint": ENDPOINT,
            "error_message": MESSAGE,
        },
    ),
    "PublishInfo": PUBLISHED,
    "Library": model(
        {},
        {
            **dict.fromkeys(("id", "name", "type", "security_policy_id"), TEXT),
            "publish_info": PUBLISHED,
            "storage_backings": st.lists(BACKING, max_size=2),
        },
    ),
    "Datastore": model({}, {"name": TEXT, "accessible": FLAG, "free_space": COUNT}),
    "CertificateVerificationInfo": VERIFICATION,
    "LibraryItem": model(
        {},
        {
            **dict.fromkeys(
                (
                    "id",
                    "library_id",
                    "name",
                    "description",
                    "type",
                    "version",
                    "content_version",
                    "metadata_version",
                    "source_id",
                    "creation_time",
                    "last_modified_time",
                    "last_sync_time",
                ),
                TEXT,
            ),
            "size": COUNT,
            "cached": FLAG,
            "security_compliance": FLAG,
            "certificate_verification_info": VERIFICATION,
        },
    ),
    "LibraryItemFile": model(
        {"name": TEXT},
        {
            "size": COUNT,
            "cached": FLAG,
            "version": TEXT,
            "checksum_info": CHECKSUM,
            "file_download_endpoint": TEXT,
        },
    ),
    "StorageBacking": BACKING,
    "LibraryItemStorage": model(
        {"name": TEXT},
        {
            "size": COUNT,
            "cached": FLAG,
            "version": TEXT,
            "checksum_info": CHECKSUM,
            "file_download_endpoint": TEXT,
            "storage_backing": BACKING,
            "storage_uris": st.lists(TEXT, max_size=2),
        },
    ),
    "LibraryFilter": model({}, {"name": TEXT}),
    "LibraryItemFilter": model({}, {"name": TEXT, "library_id": TEXT, "type": TEXT}),
    "ErrorBody": model(
        {},
        {
            "messages": st.lists(MESSAGE, max_size=2),
            "error_type": TEXT,
            "data": ANYTHING,
        },
    ),
}
SESSION_KEYS = set(SESSION)


def paired(value: Any, *, known: bool = True) -> Any:
    """What the older dialect writes for the same value: the map of a message's params as a list of pairs.

    What nobody has heard of is in no dialect's form, and stays as it is.
    """
    if not known:
        return value
    if isinstance(value, list):
        return [paired(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: [{"key": key, "value": paired(param)} for key, param in entry.items()]
        if name == "params"
        else paired(entry, known=not name.startswith("later_") and name != "data")
        for name, entry in value.items()
    }


MODELS: dict[str, type[Model]] = {
    name: found
    for module in (messages, models)
    for name, found in vars(module).items()
    if isinstance(found, type) and issubclass(found, Model) and found is not Model
}


def test_every_model_is_held_to_the_table() -> None:
    assert set(MODELS) - {"Session"} == set(WIRE)


@pytest.mark.parametrize("name", WIRE)
def test_every_field_is_held_to_the_table(name: str) -> None:
    declared = {entry.name for entry in fields(MODELS[name]) if "codec" in entry.metadata}
    assert declared == FIELDS[id(WIRE[name])]


@pytest.mark.parametrize("name", WIRE)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_wire_to_ours_to_wire_is_the_identity_in_both_dialects(name: str, data: st.DataObject) -> None:
    wire = data.draw(WIRE[name])
    kind = MODELS[name]
    plain = decode(kind, wire, PLAIN_MAPS)
    assert encode(plain, PLAIN_MAPS) == wire
    other = decode(kind, paired(wire), PAIRED_MAPS)
    assert encode(other, PAIRED_MAPS) == paired(wire)
    assert other == plain
    assert decode(kind, encode(plain, PAIRED_MAPS), PAIRED_MAPS) == plain


@pytest.mark.parametrize("name", WIRE)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_result_holds_all_that_was_sent_and_nothing_else(name: str, data: st.DataObject) -> None:
    wire = data.draw(WIRE[name])
    kind = MODELS[name]
    shown = to_result(decode(kind, wire))
    always: dict[str, Any] = {"warning_behavior": []} if kind is models.UpdateSession else {}
    assert without_nulls(shown) == {**always, **without_nulls(wire)}
    assert shown == to_result(decode(kind, paired(wire), PAIRED_MAPS))
    assert set(shown) >= set(to_result(decode(kind, _smallest(name))))
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://svc:S3cr3t@mirror/x.iso", "https://mirror/x.iso"),
        ("https://S3cr3t@mirror:8443/x.iso", "https://mirror:8443/x.iso"),
        ("http://mirror/x.iso?X-Signature=S3cr3t", "http://mirror/x.iso?..."),
        ("http://mirror/x.iso#S3cr3t", "http://mirror/x.iso"),
        ("ds://svc:S3cr3t@golden/x.iso", "ds://golden/x.iso"),
        ("https://svc:S3cr3t@[mirror/x.iso", "..."),
        ("https://mirror/x y.iso", "https://mirror/x y.iso"),
    ],
)
def test_what_lets_a_server_in_at_a_source_is_sent_and_not_shown(uri: str, shown: str) -> None:
    wire = {"name": "x.iso", "status": "READY", "source_endpoint": {"uri": uri}}
    file = decode(models.UpdateFile, wire)
    assert encode(file) == wire
    assert to_result(file)["source_endpoint"]["uri"] == shown


def _smallest(name: str) -> dict[str, Any]:
    """The fields without which the model is none."""
    smallest: dict[str, dict[str, Any]] = {
        "NestedLocalizableMessage": {"id": ""},
        "WarningBehavior": {"type": "", "ignored": False},
        "PreviewWarning": {"type": ""},
        "ChecksumInfo": {"checksum": ""},
        "TransferEndpoint": {"uri": ""},
        "SourceEndpoint": {"uri": ""},
        "UpdateFile": {"name": "", "status": ""},
        "UpdateFileAddition": {"name": "", "source_type": ""},
        "FileValidationError": {"name": ""},
        "FileValidation": {"has_errors": False},
        "DownloadFile": {"name": "", "status": ""},
        "LibraryItemFile": {"name": ""},
        "LibraryItemStorage": {"name": ""},
    }
    return smallest.get(name, {})


def without_nulls(value: Any) -> Any:
    """Null and absent are the same on this API."""
    if isinstance(value, dict):
        return {key: without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [without_nulls(entry) for entry in value] if isinstance(value, list) else value


def test_null_and_absent_read_the_same() -> None:
    nulls = dict.fromkeys([*SESSION, "preview_info", "warning_behavior"])
    empty = decode(models.UpdateSession, nulls)
    assert empty == models.UpdateSession()
    assert encode(empty) == {}
    assert set(to_result(empty)) == set(nulls)


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ({"client_progress": "5"}, "client_progress"),
        ({"client_progress": True}, "client_progress"),
        ({"state": 1}, "state"),
        ({"warning_behavior": {}}, "warning_behavior"),
        ({"warning_behavior": [{"type": "X"}]}, "warning_behavior[0].ignored"),
        ({"preview_info": {"warnings": [{"type": "X", "ignored": 1}]}}, "preview_info.warnings[0].ignored"),
        ({"error_message": {"args": ["a", 1]}}, "error_message.args[1]"),
        ({"error_message": {"params": {"x": {"l": {}}}}}, "error_message.params.x.l.id"),
        ([], "the answer"),
    ],
)
def test_a_value_of_another_type_is_named_by_its_place(wire: Any, path: str) -> None:
    with pytest.raises(SchemaError) as caught:
        decode(models.UpdateSession, wire)
    assert str(caught.value).startswith(path)


# Any JSON as an answer


class AnswerAnything:
    """Stands where a connection does, and answers each operation with the same value."""

    def __init__(self, dialect: str | None, answer: Any) -> None:
        self.dialect = dialect
        self._answer = answer

    def send(self, method: str, path: str, **_options: Any) -> Any:
        return self._answer

    @contextmanager
    def stream(self, *_arguments: Any, **_options: Any) -> Iterator[Any]:
        yield None

    def server_time(self) -> None:
        return None


CALLS = {**READS, **CREATES, **CHANGES, **PROBES}


def nearly(kind: Json) -> Json:
    """An answer of the right shape, bare or in its envelope, alone or in a list, and perhaps with one wrong value."""
    spoiled = st.tuples(kind, st.randoms(use_true_random=False), ANY_JSON).map(
        lambda parts: {**parts[0], parts[1].choice(sorted(parts[0])): parts[2]} if parts[0] else parts[0]
    )
    one = kind | spoiled
    many = one | st.lists(one, max_size=2)
    return many | many.map(lambda value: {"value": value})


def deep(levels: int) -> bytes:
    """A message in a message in a message, deeper than Python itself would write it."""
    before, after = b'{"id": "m", "params": {"p": {"l": ', b"}}}"
    return before * levels + b'{"id": "innermost"}' + after * levels


@pytest.mark.parametrize("dialect", ["api", "rest"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    answer=ANY_JSON | nearly(WIRE["UpdateSession"]) | nearly(WIRE["UpdateFile"]) | nearly(WIRE["FileValidation"]),
    name=st.sampled_from(sorted(CALLS)),
)
def test_any_answer_gives_a_result_or_a_typed_error(dialect: str, answer: Any, name: str) -> None:
    api = Api(AnswerAnything(dialect, answer))  # type: ignore[arg-type]
    caught = None
    try:
        CALLS[name](api)
    except ContentError as error:
        caught = error
    assert caught is None or caught.error_type == "INVALID_RESPONSE"
    assert caught is None or json.dumps(failure(caught))


@pytest.mark.parametrize("answer", ["", None, 0, {}, [], {"value": ""}], ids=repr)
@pytest.mark.parametrize("name", sorted(CREATES))
@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_a_create_that_answers_no_identifier_fails_there_and_then(dialect: str, name: str, answer: Any) -> None:
    with pytest.raises(ContentError) as caught:
        CALLS[name](Api(AnswerAnything(dialect, answer)))  # type: ignore[arg-type]
    assert caught.value.error_type == "INVALID_RESPONSE"


BODIES: st.SearchStrategy[bytes] = (
    st.binary(max_size=300)
    | ANY_JSON.map(lambda value: json.dumps(value).encode())
    | nearly(WIRE["ErrorBody"]).map(lambda value: json.dumps(value).encode())
    | nearly(WIRE["ErrorBody"]).map(lambda value: json.dumps({"type": "com.vmware.x", "value": paired(value)}).encode())
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=st.integers(100, 999), body=BODIES)
@example(status=400, body=b"[" * 200_000)
@example(status=400, body=b'{"messages": [%s]}' % deep(20))
@example(status=400, body=b'{"messages": [%s]}' % deep(600))
@example(status=500, body=b'{"error_type": "\\ud800", "messages": [{"default_message": "\\ud800"}]}')
@example(status=400, body=b'{"data": NaN, "messages": [{"id": "x", "params": {"a": {"d": Infinity}}}]}')
def test_any_refusal_gives_a_typed_error(status: int, body: bytes) -> None:
    error = from_response(status, body, "update_session.get", "a:b")
    payload = failure(error)
    assert isinstance(payload["msg"], str)
    assert set(payload["error"]) == {"type", "status", "operation", "messages", "data", "session_id"}
    assert isinstance(payload["error"]["type"], str)
    assert payload["error"]["type"]
    assert payload["error"]["status"] == status
    assert "\n" not in payload["msg"] or b"\\n" in body


def test_what_is_nested_beyond_reason_is_no_json_of_a_vcenter() -> None:
    assert read_json(b"[" * 60 + b"]" * 60)
    with pytest.raises(ValueError, match="too deeply"):
        read_json(b"[" * 70 + b"]" * 70)


def test_half_a_surrogate_pair_reads_as_a_question_mark() -> None:
    assert read_json(b'{"a": "x\\uD800y", "b": "\\ud83d\\ude00"}') == {"a": "x?y", "b": "\N{GRINNING FACE}"}


class Puppet:
    """A server that takes the login and answers all else with what it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""

    def __call__(self, request: Received) -> Reply:
        if request.path == "/api/session":
            return Reply(201, b'"the-token"')
        return Reply(self.status, self.body)


@pytest.fixture(scope="module")
def puppet(identity: Identity) -> Iterator[tuple[Puppet, dict[str, Any]]]:
    puppet = Puppet()
    with CannedServer(puppet, identity=identity) as server:
        yield puppet, connection_args(server)


TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "info": ("content_library_session_info", {"session_ids": ["a:b"], "with_files": True}),
    "info-all": ("content_library_session_info", {}),
    "items": ("content_library_item_info", {"library_item_id": "a", "with_storage": True}),
    "check": ("content_library_check", {"libraries": ["templates"]}),
    "retention": ("content_library_retention", {"library_ids": ["a"], "pattern": "*", "keep": 1}),
    "update": ("content_library_update_session", {"session_id": "a:b", "state": "canceled"}),
    "update-item": ("content_library_update_session", {"library_item_id": "a", "state": "absent"}),
    "item": ("content_library_item", {"library": "templates", "name": "tools"}),
}


@pytest.mark.parametrize("task", TASKS)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    body=BODIES | nearly(WIRE["UpdateSession"]).map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 200, 204, 400, 404, 500]),
)
@example(body=b'["\\ud800"]', status=200)
@example(body=b'{"error_type": "\\ud800", "messages": [{"default_message": "\\udfff"}]}', status=400)
@example(body=b"[" * 500 + b"]" * 500, status=200)
@example(body=b'{"error_message": %s}' % deep(20), status=200)
@example(body=b'{"error_message": %s}' % deep(600), status=200)
@example(body=b'{"later": ' + b"[" * 900 + b"]" * 900 + b"}", status=200)
@example(body=b'{"state": "\xed\xa0\x80"}', status=200)
@example(body='{"state": "ACTIVE"}'.encode("utf-16"), status=200)
@example(body=b'{"data": ' + b"[" * 500 + b"]" * 500 + b', "error_type": "NOT_FOUND"}', status=500)
@example(body=b"1" * 5000, status=200)
def test_any_answer_leaves_a_module_with_a_result_and_no_traceback(
    task: str, body: bytes, status: int, puppet: tuple[Puppet, dict[str, Any]]
) -> None:
    answering, connection = puppet
    answering.status, answering.body = status, body
    name, arguments = TASKS[task]
    ran = run_module(name, {**connection, **arguments})
    assert ran.rc in (0, 1)
    assert "Traceback" not in ran.stdout + ran.stderr
    if ran.rc:
        assert ran.result["error"]["type"] not in ("", None, "INTERNAL_ERROR"), ran.result["msg"]


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_what_a_later_server_invents_reaches_the_playbook(dialect: str, identity: Identity) -> None:
    message = {
        "id": "outer",
        "default_message": "Outer.",
        "args": ["a"],
        "params": {"p": {"l": {"id": "inner", "params": {"n": {"i": 5, "unit_2040": "GiB"}}}, "format": "SHORT"}},
        "severity_2040": "grave",
    }
    session = {
        "library_item_id": "an-item",
        "state": "SUSPENDED",
        "error_message": message,
        "preview_info": {"state": "GUESSED", "warnings": [{"type": "SMELLS_BAD", "message": message}]},
        "warning_behavior": [{"type": "SMELLS_BAD", "ignored": True, "until": "2040"}],
        "owner_2040": {"name": "somebody"},
    }

    def respond(request: Received) -> Reply:
        if request.path in ("/api/session", "/rest/com/vmware/cis/session"):
            return Reply(200, b'"the-token"' if dialect == "api" else b'{"value": "the-token"}')
        return Reply(200, json.dumps(session if dialect == "api" else {"value": paired(session)}).encode())

    with CannedServer(respond, identity=identity) as server:
        ran = run_module(
            "content_library_session_info",
            {**connection_args(server), "kind": "update", "session_ids": ["a:b"], "api_dialect": dialect},
        )
    [found] = ran.result["update_sessions"]
    assert without_nulls(found) == {**session, "id": "a:b"}
