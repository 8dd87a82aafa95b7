# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchanges to try the contract on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.contract.undescribed import OURS
from tests.simulator import Exchange

API = "/api/content/library/item/update-session"
REST = "/rest/com/vmware/content/library/item"
SESSION = {"id": "a:b", "library_item_id": "c", "state": "ACTIVE", "expiration_time": "2026-11-23T12:05:00.000Z"}
ERROR = {"error_type": "NOT_FOUND", "messages": []}
REST_ERROR = {"type": "com.vmware.vapi.std.errors.not_found", "value": {"messages": []}}
SDK = "python-requests/2.32"
PLAIN = b"404 page not found\n"


def exchange(
    method: str,
    path: str,
    status: int,
    *,
    sent: Any = None,
    answered: Any = None,
    fault: str | None = None,
    client: str = OURS,
) -> Exchange:
    """``sent`` and ``answered`` are written as JSON, unless they are bytes already."""
    request, answer = (_encoded(value) for value in (sent, answered))
    return Exchange(0.0, method, path, status, len(request), len(answer), "me", True, request, answer, fault, client)


def _encoded(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"" if value is None else json.dumps(value).encode()


def api_error(kind: str) -> dict[str, Any]:
    return {"error_type": kind, "messages": []}


def rest_error(kind: str, **value: Any) -> dict[str, Any]:
    return {"type": f"com.vmware.vapi.std.errors.{kind}", "value": {"messages": [], **value}}


SPEC = {
    "name": "a.iso",
    "source_type": "PULL",
    "source_endpoint": {"uri": "https://mirror.test/a.iso", "ssl_certificate": "-----BEGIN CERTIFICATE-----"},
}
#: For each entry of the undescribed an exchange that meets it.
MEETING: Mapping[str, Exchange] = {
    "data": exchange("PUT", "/cls/data/1/a.iso", 200),
    "probe": exchange("POST", f"{REST}/updatesession/file?~action=probe", 404, answered=PLAIN),
    "datastore": exchange("GET", "/api/vcenter/datastore/datastore-11", 200),
    "soap": exchange("POST", "/sdk", 200, client="govc"),
    "query in the body": exchange(
        "GET",
        f"{API.replace('update', 'download')}/a:b/file?file_name",
        200,
        sent={"file_name": "x"},
        answered={"name": "x", "status": "PREPARED", "bytes_transferred": 0},
        client=SDK,
    ),
    "no such path": exchange("POST", "/api/session", 404, answered=PLAIN),
    "login at an old server": exchange("POST", "/api/session", 405, answered=b"405 method not allowed\n"),
    "source that is a folder": exchange(
        "POST",
        f"{API}/a:b/file",
        500,
        sent={"name": "a.iso", "source_type": "PULL", "source_endpoint": {"uri": "ds:///a"}},
        answered={
            "error_type": "INTERNAL_SERVER_ERROR",
            "messages": [{"id": "vapi.bindings.method.impl.unexpected", "default_message": "x", "args": []}],
        },
    ),
    "media type": exchange("POST", API, 415, sent=b"<session/>", answered=b"Unsupported", client=SDK),
    "empty list": exchange("GET", f"{REST}/update-session", 200, answered={}),
    "400": exchange("GET", API, 400, answered=api_error("INVALID_ARGUMENT")),
    "401": exchange("GET", API, 401, answered=api_error("UNAUTHENTICATED")),
    "403": exchange("GET", API, 403, answered=api_error("UNAUTHORIZED")),
    "ContentLibraryItemTransferEndpoint.ssl_certificate": exchange("POST", f"{API}/a:b/file", 0, sent=SPEC),
    "VapiStdErrorsError.challenge": exchange(
        "GET", f"{API}/a:b", 401, answered={**api_error("UNAUTHENTICATED"), "challenge": "Basic"}
    ),
    "vapi.std.errors.error.challenge": exchange(
        "GET", f"{REST}/update-session/id:a:b", 401, answered=rest_error("unauthenticated", challenge="Basic")
    ),
    "content.library.item.transfer_endpoint.ssl_certificate": exchange(
        "POST", f"{REST}/updatesession/file/id:a:b?~action=add", 0, sent={"file_spec": SPEC}
    ),
}
