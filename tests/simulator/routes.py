# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two dialects as tables: one row per operation and dialect, from verb, path, action, query and body to arguments.

A bare body (``body_as``) is one argument; of any other body each field is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from . import shapes
from .shapes import NOTHING, Shape, Struct


@dataclass(frozen=True)
class Row:
    verb: str
    path: str
    operation: str
    action: str = ""
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    required_query: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Struct = NOTHING
    body_as: str = ""
    #: Absent from a server that predates previews and warnings.
    modern: bool = False


@dataclass(frozen=True)
class Match:
    row: Row
    args: dict[str, str]


def _wrapped(name: str, shape: Shape, token: bool = False) -> Struct:
    fields: dict[str, Shape] = {name: shape}
    if token:
        fields["client_token"] = shapes.STRING
    return Struct(fields, (name,))


_CREATE_QUERY = {"client_token": "client_token"}
_CREATE_HEADER = {"client-token": "client_token"}
_FILTER = {"library_item_id": "library_item_id"}
_LIB = "/api/content/library"
_UP = "/api/content/library/item/update-session"
_DOWN = "/api/content/library/item/download-session"

API_ROWS: Sequence[Row] = (
    Row("GET", _LIB, "library.list"),
    Row("POST", _LIB, "library.find", "find", body=shapes.FIND_LIBRARY, body_as="spec"),
    Row("GET", "/api/content/local-library", "local_library.list"),
    Row("GET", f"{_LIB}/item", "item.list", query={"library_id": "library_id"}, required_query=("library_id",)),
    Row(
        "POST",
        f"{_LIB}/item",
        "item.create",
        status=201,
        query=_CREATE_QUERY,
        headers=_CREATE_HEADER,
        body=shapes.ITEM_MODEL,
        body_as="create_spec",
    ),
    Row("POST", f"{_LIB}/item", "item.find", "find", body=shapes.FIND_ITEM, body_as="spec"),
    Row("GET", _UP, "update.list", query=_FILTER),
    Row(
        "POST",
        _UP,
        "update.create",
        status=201,
        query=_CREATE_QUERY,
        headers=_CREATE_HEADER,
        body=shapes.UPDATE_MODEL,
        body_as="create_spec",
    ),
    Row("GET", f"{_UP}/{{session_id}}", "update.get"),
    Row(
        "PATCH",
        f"{_UP}/{{session_id}}",
        "update.update",
        status=204,
        body=shapes.UPDATE_MODEL,
        body_as="update_spec",
        modern=True,
    ),
    Row("DELETE", f"{_UP}/{{session_id}}", "update.delete", status=204),
    Row("POST", f"{_UP}/{{session_id}}", "update.complete", "complete", status=204),
    Row("POST", f"{_UP}/{{session_id}}", "update.cancel", "cancel", status=204),
    Row("POST", f"{_UP}/{{session_id}}", "update.fail", "fail", status=204, body=shapes.FAIL),
    Row("POST", f"{_UP}/{{session_id}}", "update.keep_alive", "keep-alive", status=204, body=shapes.UPDATE_KEEP_ALIVE),
    Row("GET", f"{_UP}/{{session_id}}/file", "update.file.list"),
    Row(
        "POST",
        f"{_UP}/{{session_id}}/file",
        "update.file.add",
        status=201,
        body=shapes.FILE_SPEC,
        body_as="file_spec",
    ),
    Row("POST", f"{_UP}/{{session_id}}/file", "update.file.validate", "validate"),
    Row("GET", f"{_UP}/{{session_id}}/file/{{file_name}}", "update.file.get"),
    Row("DELETE", f"{_UP}/{{session_id}}/file/{{file_name}}", "update.file.remove", status=204),
    Row("GET", _DOWN, "download.list", query=_FILTER),
    Row(
        "POST",
        _DOWN,
        "download.create",
        status=201,
        query=_CREATE_QUERY,
        headers=_CREATE_HEADER,
        body=shapes.DOWNLOAD_MODEL,
        body_as="create_spec",
    ),
    Row("GET", f"{_DOWN}/{{session_id}}", "download.get"),
    Row("DELETE", f"{_DOWN}/{{session_id}}", "download.delete", status=204),
    Row("POST", f"{_DOWN}/{{session_id}}", "download.cancel", "cancel", status=204),
    Row("POST", f"{_DOWN}/{{session_id}}", "download.fail", "fail", status=204, body=shapes.FAIL),
    Row(
        "POST",
        f"{_DOWN}/{{session_id}}",
        "download.keep_alive",
        "keep-alive",
        status=204,
        body=shapes.DOWNLOAD_KEEP_ALIVE,
    ),
    Row(
        "GET",
        f"{_DOWN}/{{session_id}}/file",
        "download.file.get",
        query={"file_name": "file_name"},
        required_query=("file_name",),
    ),
    Row("GET", f"{_DOWN}/{{session_id}}/file", "download.file.list"),
    Row("POST", f"{_DOWN}/{{session_id}}/file", "download.file.prepare", "prepare", body=shapes.PREPARE),
    Row("GET", f"{_LIB}/item/{{library_item_id}}", "item.get"),
    Row(
        "PATCH",
        f"{_LIB}/item/{{library_item_id}}",
        "item.update",
        status=204,
        body=shapes.ITEM_MODEL,
        body_as="update_spec",
    ),
    Row("DELETE", f"{_LIB}/item/{{library_item_id}}", "item.delete", status=204),
    Row(
        "GET",
        f"{_LIB}/item/{{library_item_id}}/file",
        "item.file.get",
        query={"name": "name"},
        required_query=("name",),
    ),
    Row("GET", f"{_LIB}/item/{{library_item_id}}/file", "item.file.list"),
    Row(
        "GET",
        f"{_LIB}/item/{{library_item_id}}/storage",
        "item.storage.get",
        query={"file_name": "file_name"},
        required_query=("file_name",),
    ),
    Row("GET", f"{_LIB}/item/{{library_item_id}}/storage", "item.storage.list"),
    Row("GET", f"{_LIB}/{{library_id}}", "library.get"),
)

_RLIB = "/rest/com/vmware/content/library"
_RITEM = "/rest/com/vmware/content/library/item"
_RUP = f"{_RITEM}/update-session"
_RDOWN = f"{_RITEM}/download-session"
_RUPFILE = f"{_RITEM}/updatesession/file"
_RDOWNFILE = f"{_RITEM}/downloadsession/file"

REST_ROWS: Sequence[Row] = (
    Row("GET", _RLIB, "library.list"),
    Row("POST", _RLIB, "library.find", "find", body=_wrapped("spec", shapes.FIND_LIBRARY)),
    Row("GET", f"{_RLIB}/id:{{library_id}}", "library.get"),
    Row("GET", "/rest/com/vmware/content/local-library", "local_library.list"),
    Row("GET", _RITEM, "item.list", query={"library_id": "library_id"}, required_query=("library_id",)),
    Row("POST", _RITEM, "item.create", body=_wrapped("create_spec", shapes.ITEM_MODEL, token=True)),
    Row("POST", _RITEM, "item.find", "find", body=_wrapped("spec", shapes.FIND_ITEM)),
    Row("GET", f"{_RITEM}/id:{{library_item_id}}", "item.get"),
    Row("PATCH", f"{_RITEM}/id:{{library_item_id}}", "item.update", body=_wrapped("update_spec", shapes.ITEM_MODEL)),
    Row("DELETE", f"{_RITEM}/id:{{library_item_id}}", "item.delete"),
    Row(
        "GET",
        f"{_RITEM}/file",
        "item.file.list",
        query={"library_item_id": "library_item_id"},
        required_query=("library_item_id",),
    ),
    Row(
        "POST",
        f"{_RITEM}/file/id:{{library_item_id}}",
        "item.file.get",
        "get",
        body=Struct({"name": shapes.STRING}, ("name",)),
    ),
    Row(
        "GET",
        f"{_RITEM}/storage",
        "item.storage.list",
        query={"library_item_id": "library_item_id"},
        required_query=("library_item_id",),
    ),
    Row("POST", f"{_RITEM}/storage/id:{{library_item_id}}", "item.storage.get", "get", body=shapes.FILE_NAME),
    Row("GET", _RUP, "update.list", query=_FILTER),
    Row("POST", _RUP, "update.create", body=_wrapped("create_spec", shapes.UPDATE_MODEL, token=True)),
    Row("GET", f"{_RUP}/id:{{session_id}}", "update.get"),
    Row(
        "PATCH",
        f"{_RUP}/id:{{session_id}}",
        "update.update",
        body=_wrapped("update_spec", shapes.UPDATE_MODEL),
        modern=True,
    ),
    Row("DELETE", f"{_RUP}/id:{{session_id}}", "update.delete"),
    Row("POST", f"{_RUP}/id:{{session_id}}", "update.complete", "complete"),
    Row("POST", f"{_RUP}/id:{{session_id}}", "update.cancel", "cancel"),
    Row("POST", f"{_RUP}/id:{{session_id}}", "update.fail", "fail", body=shapes.FAIL),
    Row("POST", f"{_RUP}/id:{{session_id}}", "update.keep_alive", "keep-alive", body=shapes.UPDATE_KEEP_ALIVE),
    Row(
        "GET",
        _RUPFILE,
        "update.file.list",
        query={"update_session_id": "session_id"},
        required_query=("update_session_id",),
    ),
    # No description has it. Other clients use it only in this dialect, also if they speak the other one otherwise.
    Row("POST", _RUPFILE, "probe", "probe", body=shapes.PROBE),
    Row(
        "POST", f"{_RUPFILE}/id:{{session_id}}", "update.file.add", "add", body=_wrapped("file_spec", shapes.FILE_SPEC)
    ),
    Row("POST", f"{_RUPFILE}/id:{{session_id}}", "update.file.get", "get", body=shapes.FILE_NAME),
    Row("POST", f"{_RUPFILE}/id:{{session_id}}", "update.file.remove", "remove", body=shapes.FILE_NAME),
    Row("POST", f"{_RUPFILE}/id:{{session_id}}", "update.file.validate", "validate"),
    Row("GET", _RDOWN, "download.list", query=_FILTER),
    Row("POST", _RDOWN, "download.create", body=_wrapped("create_spec", shapes.DOWNLOAD_MODEL, token=True)),
    Row("GET", f"{_RDOWN}/id:{{session_id}}", "download.get"),
    Row("DELETE", f"{_RDOWN}/id:{{session_id}}", "download.delete"),
    Row("POST", f"{_RDOWN}/id:{{session_id}}", "download.cancel", "cancel"),
    Row("POST", f"{_RDOWN}/id:{{session_id}}", "download.fail", "fail", body=shapes.FAIL),
    Row("POST", f"{_RDOWN}/id:{{session_id}}", "download.keep_alive", "keep-alive", body=shapes.DOWNLOAD_KEEP_ALIVE),
    Row(
        "GET",
        _RDOWNFILE,
        "download.file.list",
        query={"download_session_id": "session_id"},
        required_query=("download_session_id",),
    ),
    Row("POST", f"{_RDOWNFILE}/id:{{session_id}}", "download.file.get", "get", body=shapes.FILE_NAME),
    Row("POST", f"{_RDOWNFILE}/id:{{session_id}}", "download.file.prepare", "prepare", body=shapes.PREPARE),
)


def find_route(dialect: str, verb: str, raw_path: str, query: Mapping[str, str]) -> Match | None:
    """The row for a request, None if the path, its verb or its action does not exist."""
    rows, key, foreign = (API_ROWS, "action", "~action") if dialect == "api" else (REST_ROWS, "~action", "action")
    if foreign in query:
        return None
    segments = raw_path.split("/")
    action = query.get(key, "")
    for row in rows:
        if (
            row.verb != verb
            or row.action != action
            or (row.required_query and dialect == "api" and _optional_twin(row, query))
        ):
            continue
        args = _match(row.path.split("/"), segments)
        if args is not None:
            return Match(row, args)
    return None


def _optional_twin(row: Row, query: Mapping[str, str]) -> bool:
    """Whether a row needs a query parameter that the request lacks; then its twin without the parameter serves it."""
    return row.operation.endswith((".file.get", ".storage.get")) and row.required_query[0] not in query


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    args: dict[str, str] = {}
    for wanted, raw in zip(template, segments):
        given = unquote(raw)
        literal, brace, name = wanted.partition("{")
        if not brace:
            if wanted != given:
                return None
        elif not given.startswith(literal) or len(given) == len(literal):
            return None
        else:
            args[name.rstrip("}")] = given[len(literal) :]
    return args
