# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each operation as each dialect puts it on the wire, and what is read out of the envelopes that come back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.dialect import DIALECTS, ROUTES, Call
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import OPERATIONS
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import (
    DownloadSession,
    LibraryFilter,
    LibraryItem,
    LibraryItemFilter,
    LocalizableMessage,
    LocalizationParam,
    Model,
    SchemaError,
    TransferEndpoint,
    UpdateFileAddition,
    UpdateSession,
    WarningBehavior,
)
from tests.simulator.routes import find_route

ITEM = "/api/content/library/item"
REST = "/rest/com/vmware/content/library"
UPDATE = f"{ITEM}/update-session"
REST_UPDATE = f"{REST}/item/update-session/id:a:b"
REST_FILE = f"{REST}/item/updatesession/file"
DOWNLOAD = f"{ITEM}/download-session"
REST_DOWNLOAD = f"{REST}/item/download-session/id:a:b"
REST_DOWNLOAD_FILE = f"{REST}/item/downloadsession/file"
SESSION = {"session_id": "a:b"}
PUSH = {"name": "x.iso", "source_type": "PUSH"}

# operation, arguments, model, then method, path and body of /api and of /rest
TABLE: list[tuple[str, dict[str, Any], Model | None, tuple[str, str, Any], tuple[str, str, Any]]] = [
    (
        "library.find",
        {},
        LibraryFilter(name="templates"),
        ("POST", "/api/content/library?action=find", {"name": "templates"}),
        ("POST", f"{REST}?~action=find", {"spec": {"name": "templates"}}),
    ),
    (
        "library.get",
        {"library_id": "l"},
        None,
        ("GET", "/api/content/library/l", None),
        ("GET", f"{REST}/id:l", None),
    ),
    (
        "item.find",
        {},
        LibraryItemFilter(name="tools", library_id="l"),
        ("POST", f"{ITEM}?action=find", {"name": "tools", "library_id": "l"}),
        ("POST", f"{REST}/item?~action=find", {"spec": {"name": "tools", "library_id": "l"}}),
    ),
    ("item.get", {"library_item_id": "i"}, None, ("GET", f"{ITEM}/i", None), ("GET", f"{REST}/item/id:i", None)),
    (
        "item.create",
        {},
        LibraryItem(name="n", library_id="l"),
        ("POST", ITEM, {"name": "n", "library_id": "l"}),
        ("POST", f"{REST}/item", {"create_spec": {"name": "n", "library_id": "l"}}),
    ),
    (
        "item.update",
        {"library_item_id": "i"},
        LibraryItem(description=""),
        ("PATCH", f"{ITEM}/i", {"description": ""}),
        ("PATCH", f"{REST}/item/id:i", {"update_spec": {"description": ""}}),
    ),
    (
        "item.delete",
        {"library_item_id": "i"},
        None,
        ("DELETE", f"{ITEM}/i", None),
        ("DELETE", f"{REST}/item/id:i", None),
    ),
    (
        "item.file.list",
        {"library_item_id": "i"},
        None,
        ("GET", f"{ITEM}/i/file", None),
        ("GET", f"{REST}/item/file?library_item_id=i", None),
    ),
    (
        "update_session.create",
        {},
        UpdateSession(library_item_id="i"),
        ("POST", UPDATE, {"library_item_id": "i"}),
        ("POST", f"{REST}/item/update-session", {"create_spec": {"library_item_id": "i"}}),
    ),
    (
        "update_session.list",
        {"library_item_id": "i"},
        None,
        ("GET", f"{UPDATE}?library_item_id=i", None),
        ("GET", f"{REST}/item/update-session?library_item_id=i", None),
    ),
    (
        "update_session.list",
        {"library_item_id": None},
        None,
        ("GET", UPDATE, None),
        ("GET", f"{REST}/item/update-session", None),
    ),
    ("update_session.get", SESSION, None, ("GET", f"{UPDATE}/a:b", None), ("GET", REST_UPDATE, None)),
    (
        "update_session.update",
        SESSION,
        UpdateSession(warning_behavior=(WarningBehavior(type="EXPIRED_CERTIFICATE", ignored=True),)),
        ("PATCH", f"{UPDATE}/a:b", {"warning_behavior": [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]}),
        (
            "PATCH",
            REST_UPDATE,
            {"update_spec": {"warning_behavior": [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]}},
        ),
    ),
    (
        "update_session.complete",
        SESSION,
        None,
        ("POST", f"{UPDATE}/a:b?action=complete", None),
        ("POST", f"{REST_UPDATE}?~action=complete", None),
    ),
    (
        "update_session.cancel",
        SESSION,
        None,
        ("POST", f"{UPDATE}/a:b?action=cancel", None),
        ("POST", f"{REST_UPDATE}?~action=cancel", None),
    ),
    (
        "update_session.fail",
        {**SESSION, "client_error_message": "why"},
        None,
        ("POST", f"{UPDATE}/a:b?action=fail", {"client_error_message": "why"}),
        ("POST", f"{REST_UPDATE}?~action=fail", {"client_error_message": "why"}),
    ),
    (
        "update_session.keep_alive",
        {**SESSION, "client_progress": 0},
        None,
        ("POST", f"{UPDATE}/a:b?action=keep-alive", {"client_progress": 0}),
        ("POST", f"{REST_UPDATE}?~action=keep-alive", {"client_progress": 0}),
    ),
    (
        "update_session.keep_alive",
        {**SESSION, "client_progress": None},
        None,
        ("POST", f"{UPDATE}/a:b?action=keep-alive", {}),
        ("POST", f"{REST_UPDATE}?~action=keep-alive", {}),
    ),
    ("update_session.delete", SESSION, None, ("DELETE", f"{UPDATE}/a:b", None), ("DELETE", REST_UPDATE, None)),
    (
        "update_session.file.list",
        {**SESSION, "update_session_id": "a:b"},
        None,
        ("GET", f"{UPDATE}/a:b/file", None),
        ("GET", f"{REST_FILE}?update_session_id=a:b", None),
    ),
    (
        "update_session.file.add",
        SESSION,
        UpdateFileAddition(name="x.iso", source_type="PUSH"),
        ("POST", f"{UPDATE}/a:b/file", PUSH),
        ("POST", f"{REST_FILE}/id:a:b?~action=add", {"file_spec": PUSH}),
    ),
    (
        "update_session.file.remove",
        {**SESSION, "file_name": "x.iso"},
        None,
        ("DELETE", f"{UPDATE}/a:b/file/x.iso", None),
        ("POST", f"{REST_FILE}/id:a:b?~action=remove", {"file_name": "x.iso"}),
    ),
    (
        "update_session.file.validate",
        SESSION,
        None,
        ("POST", f"{UPDATE}/a:b/file?action=validate", None),
        ("POST", f"{REST_FILE}/id:a:b?~action=validate", None),
    ),
    (
        "download_session.list",
        {},
        None,
        ("GET", f"{ITEM}/download-session", None),
        ("GET", f"{REST}/item/download-session", None),
    ),
    (
        "download_session.get",
        SESSION,
        None,
        ("GET", f"{ITEM}/download-session/a:b", None),
        ("GET", f"{REST}/item/download-session/id:a:b", None),
    ),
    (
        "download_session.file.list",
        {**SESSION, "download_session_id": "a:b"},
        None,
        ("GET", f"{ITEM}/download-session/a:b/file", None),
        ("GET", f"{REST}/item/downloadsession/file?download_session_id=a:b", None),
    ),
    # Only the older dialect has the probe, whatever is spoken otherwise.
    (
        "update_session.file.probe",
        {},
        TransferEndpoint(uri="https://mirror/x.iso"),
        ("", "", None),
        ("POST", f"{REST_FILE}?~action=probe", {"source_endpoint": {"uri": "https://mirror/x.iso"}}),
    ),
    (
        "download_session.create",
        {},
        DownloadSession(library_item_id="i"),
        ("POST", DOWNLOAD, {"library_item_id": "i"}),
        ("POST", f"{REST}/item/download-session", {"create_spec": {"library_item_id": "i"}}),
    ),
    (
        "download_session.cancel",
        SESSION,
        None,
        ("POST", f"{DOWNLOAD}/a:b?action=cancel", None),
        ("POST", f"{REST_DOWNLOAD}?~action=cancel", None),
    ),
    (
        "download_session.fail",
        {**SESSION, "client_error_message": "why"},
        None,
        ("POST", f"{DOWNLOAD}/a:b?action=fail", {"client_error_message": "why"}),
        ("POST", f"{REST_DOWNLOAD}?~action=fail", {"client_error_message": "why"}),
    ),
    (
        "download_session.keep_alive",
        {**SESSION, "progress": 5},
        None,
        ("POST", f"{DOWNLOAD}/a:b?action=keep-alive", {"progress": 5}),
        ("POST", f"{REST_DOWNLOAD}?~action=keep-alive", {"progress": 5}),
    ),
    ("download_session.delete", SESSION, None, ("DELETE", f"{DOWNLOAD}/a:b", None), ("DELETE", REST_DOWNLOAD, None)),
    (
        "download_session.file.get",
        {**SESSION, "file_name": "x.iso"},
        None,
        ("GET", f"{DOWNLOAD}/a:b/file?file_name=x.iso", None),
        ("POST", f"{REST_DOWNLOAD_FILE}/id:a:b?~action=get", {"file_name": "x.iso"}),
    ),
    (
        "download_session.file.prepare",
        {**SESSION, "file_name": "x.iso", "endpoint_type": "HTTPS"},
        None,
        ("POST", f"{DOWNLOAD}/a:b/file?action=prepare", {"file_name": "x.iso", "endpoint_type": "HTTPS"}),
        (
            "POST",
            f"{REST_DOWNLOAD_FILE}/id:a:b?~action=prepare",
            {"file_name": "x.iso", "endpoint_type": "HTTPS"},
        ),
    ),
]


PROBE = "update_session.file.probe"
CASES = [
    pytest.param(dialect, entry, id=f"{dialect}-{entry[0]}")
    for entry in TABLE
    for dialect in ("api", "rest")
    if (dialect, entry[0]) != ("api", PROBE)
]


@pytest.mark.parametrize(("dialect", "entry"), CASES)
def test_an_operation_as_the_dialect_puts_it(dialect: str, entry: Any) -> None:
    operation, arguments, model, api, rest = entry
    call = DIALECTS[dialect].call(operation, arguments, model=model)
    assert (call.method, call.path, call.body) == (api if dialect == "api" else rest)
    assert call.headers == {}


@pytest.mark.parametrize(("dialect", "entry"), CASES)
def test_an_operation_is_what_a_server_takes_it_for(dialect: str, entry: Any) -> None:
    operation, arguments, model, _api, _rest = entry
    call = DIALECTS[dialect].call(operation, arguments, model=model)
    path, _mark, query = call.path.partition("?")
    match = find_route(
        call.path.split("/")[1], call.method, path, {key: values[0] for key, values in parse_qs(query).items()}
    )
    assert match is not None
    assert match.row.operation in (operation.replace("_session", ""), operation.rpartition(".")[2])


def test_every_operation_is_in_the_table_and_has_words_for_its_failure() -> None:
    assert set(ROUTES) == {entry[0] for entry in TABLE}
    assert set(ROUTES) <= set(OPERATIONS)


ODD = ["a b.iso", "50%.iso", "a#b.iso", "a?b&c=d.iso", "a/b.iso", "ä€.iso", "a+b.iso", "~a-b_c.iso", "a%2Fb"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_arrives_as_it_is_in_a_path(name: str) -> None:
    path = DIALECTS["api"].call("update_session.file.remove", {**SESSION, "file_name": name}).path
    assert path.isascii()
    assert "/" not in path.partition("/file/")[2]
    parts = urlsplit(path)
    assert (parts.query, parts.fragment) == ("", "")
    assert unquote(parts.path.partition("/file/")[2]) == name


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_identifier_arrives_as_it_is_in_a_query(odd: str, dialect: str) -> None:
    path = DIALECTS[dialect].call("update_session.list", {"library_item_id": odd}).path
    assert path.isascii()
    assert parse_qs(urlsplit(path).query) == {"library_item_id": [odd]}


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_the_colon_of_an_identifier_stays(dialect: str) -> None:
    session = "815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c"
    assert session in DIALECTS[dialect].call("update_session.get", {"session_id": session}).path


def create(dialect: str) -> Call:
    return DIALECTS[dialect].call(
        "update_session.create", {}, model=UpdateSession(library_item_id="i"), client_token="a token"
    )


def test_client_token_stands_where_servers_of_all_versions_look_for_it() -> None:
    api = create("api")
    assert api.path == f"{UPDATE}?client_token=a+token"
    assert api.headers == {"Client-Token": "a token"}
    assert api.body == {"library_item_id": "i"}


def test_client_token_stands_in_the_body_of_the_older_dialect() -> None:
    rest = create("rest")
    assert "?" not in rest.path
    assert rest.headers == {}
    assert rest.body == {"create_spec": {"library_item_id": "i"}, "client_token": "a token"}


def test_maps_are_written_as_the_dialect_does() -> None:
    message = LocalizableMessage(id="m", params={"size": LocalizationParam(i=5)})
    session = UpdateSession(error_message=message)
    bodies = [DIALECTS[name].call("update_session.update", SESSION, model=session).body for name in ("api", "rest")]
    assert bodies[0]["error_message"]["params"] == {"size": {"i": 5}}
    assert bodies[1]["update_spec"]["error_message"]["params"] == [{"key": "size", "value": {"i": 5}}]


@pytest.mark.parametrize(
    ("dialect", "answer", "value"),
    [
        ("api", "x", "x"),
        ("api", {"value": "x"}, {"value": "x"}),
        ("api", None, None),
        ("rest", {"value": "x"}, "x"),
        ("rest", {"value": None}, None),
        ("rest", {}, None),
        ("rest", None, None),
    ],
)
def test_an_answer_is_taken_out_of_its_envelope(dialect: str, answer: Any, value: Any) -> None:
    assert DIALECTS[dialect].result(answer) == value


@pytest.mark.parametrize(
    ("dialect", "answer", "value"),
    [
        ("api", [], []),
        ("api", ["x"], ["x"]),
        ("rest", {"value": []}, []),
        ("rest", {"value": ["x"]}, ["x"]),
        ("rest", {"value": None}, []),
        ("rest", {"value": {}}, []),
        ("rest", {}, []),
    ],
)
def test_an_empty_list_has_many_forms(dialect: str, answer: Any, value: Any) -> None:
    assert DIALECTS[dialect].result_list(answer) == value


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("api", {"value": []}),
        ("api", None),
        ("api", "x"),
        ("rest", None),
        ("rest", []),
        ("rest", "x"),
        ("rest", {"value": "x"}),
        ("rest", {"value": {"a": 1}}),
        ("rest", {"value": 0}),
        ("rest", {"value": False}),
    ],
    ids=repr,
)
def test_what_is_no_list_is_not_taken_for_an_empty_one(dialect: str, answer: Any) -> None:
    with pytest.raises(SchemaError):
        DIALECTS[dialect].result_list(answer)
