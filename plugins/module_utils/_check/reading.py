# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is observed of a vCenter by reading alone: how it refuses, and how each dialect writes."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from .._vcenter.answers import from_response, is_unknown
from .._vcenter.connection import LOGIN_PATHS, Connection
from .._vcenter.dialect import DIALECTS
from .._vcenter.errors import ContentError
from .._vcenter.http_request import Seen
from .._vcenter.models import LibraryItemFilter, TransferEndpoint
from .._vcenter.schema import Model
from .known import OTHER
from .recorder import PROBE, Recorder, body_of, json_of
from .shapes import inner_of

AUTHENTICATION_IDS = {
    "com.vmware.vapi.endpoint.method.authentication.required": "endpoint-id",
    "vapi.method.authentication.required": "old-id",
}
EMPTY_LISTS: dict[str, Any] = {"[]": {"value": []}, "null": {"value": None}, "{}": {}}
NOWHERE = "nowhere://check"
"""No vCenter fetches anything from there: it only shows whether the probe is an operation."""


def observe_reading(
    connection: Connection, recorder: Recorder, dialects: tuple[str, ...], *, logged_in: bool
) -> dict[str, str]:
    """What reading shows, by the names of points."""
    seen: dict[str, str] = {}
    if not dialects:
        return seen
    seen["two-dialects"] = "both" if len(dialects) > 1 else f"{dialects[0]}-only"
    _observe_refusals(recorder, seen)
    if "api" not in dialects:
        _observe_old_api(recorder, seen)
    if not logged_in or "rest" not in dialects:
        return seen
    for observe in (_observe_error, _observe_empty_list, _observe_probe):
        with suppress(ContentError, LookupError, ValueError):
            observe(connection, recorder, seen)
    return seen


def _observe_refusals(recorder: Recorder, seen: dict[str, str]) -> None:
    """The refusals of the first requests, which had no login."""
    for exchange in recorder.seen:
        if not isinstance(exchange, Seen) or exchange.operation != "library.list" or exchange.status != 401:
            continue
        inner = inner_of(json_of(exchange.answer))
        refusal = from_response(401, exchange.answer or b"", exchange.operation)
        ids = [str(message.id) for message in refusal.messages]
        seen["authentication-required-id"] = AUTHENTICATION_IDS.get(ids[0], OTHER) if ids else OTHER
        seen["challenge-in-refused-login"] = "there" if isinstance(inner, dict) and inner.get("challenge") else "absent"
        return


def _observe_old_api(recorder: Recorder, seen: dict[str, str]) -> None:
    asked = [each for each in recorder.seen if isinstance(each, Seen) and each.place.startswith("/api/")]
    logins = [each for each in asked if each.place == LOGIN_PATHS["api"]]
    for exchange in (*logins, *asked):
        seen["old-api"] = old_api(exchange.status, exchange.answer)
        return


def old_api(status: int | None, answer: bytes | None) -> str:
    """What a vCenter without `/api` answers there."""
    envelope = json_of(answer)
    is_json = isinstance(envelope, dict)
    if status == 404:
        return "json-404" if is_json else "plain-404"
    if status is not None and 300 <= status < 400:
        return "redirect"
    if status == 200 and is_json and "jsonrpc" in envelope:
        return "json-rpc"
    return str(status) if status in (400, 405) else OTHER


def _ask_rest(connection: Connection, operation: str, model: Model | None = None, **arguments: Any) -> None:
    """Ask in `/rest`, whatever the connection speaks."""
    call = DIALECTS["rest"].call(operation, arguments, model=model)
    connection.send(call.method, call.path, operation=operation, body=call.body, repeatable=True)


def _observe_error(connection: Connection, recorder: Recorder, seen: dict[str, str]) -> None:
    with suppress(ContentError):
        _ask_rest(connection, "library.get", library_id=str(uuid.uuid4()))
    asked = recorder.last("library.get")
    if asked.status is None or asked.status < 400:
        return
    envelope = json_of(asked.answer)
    inner = envelope.get("value") if isinstance(envelope, dict) else None
    if isinstance(inner, dict) and isinstance(envelope.get("type"), str):
        seen["rest-error-type"] = "repeated" if inner.get("error_type") else "outside-only"
    else:
        seen["rest-error-type"] = OTHER


def _observe_empty_list(connection: Connection, recorder: Recorder, seen: dict[str, str]) -> None:
    _ask_rest(connection, "item.find", LibraryItemFilter(name=str(uuid.uuid4())))
    answer = body_of(recorder.last("item.find").answer)
    seen["rest-empty-list"] = next((name for name, form in EMPTY_LISTS.items() if form == answer), OTHER)


def _observe_probe(connection: Connection, _recorder: Recorder, seen: dict[str, str]) -> None:
    try:
        _ask_rest(connection, PROBE, TransferEndpoint(NOWHERE))
    except ContentError as error:
        if not is_unknown(error):
            return
        seen["probe-exists"] = "not-found"
    else:
        seen["probe-exists"] = "answered"
