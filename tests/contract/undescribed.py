# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers really do and no published description says: each entry with its reason.

An entry that no test of a whole run uses is taken out, or the run fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from tests.simulator import Exchange

OURS = "vsphere.content"
PROBE = "POST /rest/com/vmware/content/library/item/updatesession/file?~action=probe"
#: What an old server does not have yet, and what a new one does not have any more.
NOT_EVERYWHERE = re.compile(
    r"[A-Z]+ /api/"
    r"|PATCH /rest/com/vmware/content/library/item/update-session/"
    r"|POST /rest/com/vmware/cis/session$"
    r"|GET /rest/com/vmware/content/library$"
)
DATASTORE = re.compile(r"GET /(?:api|rest)/vcenter/datastore/[\w-]+")
BARE_NAME = re.compile(r"\?(file_name|library_id|name)=?$")

#: Statuses that any operation may answer with; the body is still held to the description of an error, if there is one.
STATUSES: Mapping[int, str] = {
    400: "any operation refuses a malformed request, though for a few no such answer is described",
    401: "any operation answers so when the login is missing or has expired; described for logins only",
    403: "any operation answers so to a user without the privilege; described for file add and prepare only",
}

#: Fields by the type of the description that has no place for them: those that only the official bindings 9.x know,
#: and one that is described for logins only.
FIELDS: Mapping[tuple[str, str], str] = {
    ("ContentLibraryItemTransferEndpoint", "ssl_certificate"): "since 9.0: the certificate to trust, as PEM",
    ("content.library.item.transfer_endpoint", "ssl_certificate"): "since 9.0: the certificate to trust, as PEM",
    ("VapiStdErrorsError", "challenge"): "the refusal of a request without a login has it, not only that of a login",
    ("vapi.std.errors.error", "challenge"): "the refusal of a request without a login has it, not only that of a login",
}


@dataclass(frozen=True)
class Undescribed:
    """A kind of exchange, or of its request or answer, that the description has no word about."""

    name: str
    reason: str
    applies: Callable[[Exchange], bool]


def is_foreign(exchange: Exchange) -> bool:
    """Whether it is not our client that asks: other clients of the tests send nonsense on purpose."""
    return not exchange.client.startswith(OURS)


def _path(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0]


def _request_line(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.path}"


def _is_unknown_operation(exchange: Exchange) -> bool:
    if exchange.status != 404 or not (
        b"operationsForUrlNotFound" in exchange.response_body or not exchange.response_body.startswith(b"{")
    ):
        return False
    return is_foreign(exchange) or bool(NOT_EVERYWHERE.match(_request_line(exchange)))


def _is_source_unthought_of(exchange: Exchange) -> bool:
    adds = exchange.method == "POST" and (exchange.path.endswith(("/file", "?~action=add")))
    return adds and exchange.status == 500 and b"vapi.bindings.method.impl.unexpected" in exchange.response_body


def _is_old_api(exchange: Exchange) -> bool:
    if _request_line(exchange) == "POST /api/session":
        return exchange.status in (200, 302, 400, 405)
    answers = {200: b'{"jsonrpc"', 302: b"302 found", 400: b'{"type"', 405: b"405 method not allowed"}
    # Such a server is asked once by a task that has no login of its own.
    return _path(exchange).startswith("/api/") and exchange.response_body.startswith(
        answers.get(exchange.status, b"not an answer")
    )


def _has_query_in_body(exchange: Exchange) -> bool:
    bare = BARE_NAME.search(exchange.path)
    if exchange.method != "GET" or not bare or not is_foreign(exchange):
        return False
    try:
        return set(json.loads(exchange.request_body)) == {bare.group(1)}
    except ValueError:
        return False


#: Exchanges of which nothing is described.
EXCHANGES = (
    Undescribed(
        "data",
        "content goes to an address that the server hands out, which is no operation of the API",
        lambda each: "/cls/data/" in _path(each) and not _path(each).startswith(("/api/", "/rest/")),
    ),
    Undescribed(
        "probe",
        "real servers and other clients know the probe of a PULL source, no description has it",
        lambda each: _request_line(each) == PROBE,
    ),
    Undescribed(
        "soap",
        "govc logs in through the SOAP interface too, and only that interface tells anybody the version",
        lambda each: _path(each) == "/sdk",
    ),
    Undescribed(
        "datastore",
        "the description is that of the Content Library alone; a datastore is of another part of the API",
        lambda each: bool(DATASTORE.fullmatch(_request_line(each))),
    ),
)

#: Requests to a described operation, whose answer is held to its description all the same.
REQUESTS = (
    Undescribed(
        "query in the body",
        "the official bindings name in the query of a GET what tells it from its twin, and put the value into a body",
        _has_query_in_body,
    ),
)

#: Answers to requests that are as described.
ANSWERS = (
    Undescribed(
        "no such path",
        "what a server does not know is a 404 in plain text or with an id of its own: an old one has no /api and no"
        " PATCH of a session, and one that has given up /rest no login there",
        _is_unknown_operation,
    ),
    Undescribed(
        "login at an old server",
        "no source says what a server from before /api answers there, so the simulator tries several",
        _is_old_api,
    ),
    Undescribed(
        "source that is a folder",
        "vCenter answers a ds:// source that it did not think of with an internal error",
        _is_source_unthought_of,
    ),
    Undescribed(
        "media type",
        "a body that says it is no JSON is refused before any operation sees it; ours always says that it is",
        lambda each: each.status == 415 and is_foreign(each),
    ),
)

#: How old servers write an empty list: as null, or they leave it out.
EMPTY_LIST = "empty list"


def is_empty_list(error: ValidationError) -> bool:
    """Whether all that a schema has to complain about is a list in an envelope that is written so."""
    schema: Any = error.schema
    if error.validator == "required":
        return error.instance == {} and schema["properties"].get("value", {}).get("type") == "array"
    null = error.validator == "type" and error.instance is None and list(error.absolute_path) == ["value"]
    return null and schema["type"] == "array"
