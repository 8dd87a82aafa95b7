# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each dialect writes an answer: envelope, maps, empty lists, and the statuses and bodies of errors."""

from __future__ import annotations

import json
from typing import Any

from .errors import ApiError
from .facts import follows

API_STATUS = {
    "UNAUTHENTICATED": 401,
    "UNAUTHORIZED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_BUSY": 500,
    "INTERNAL_SERVER_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
    "TIMED_OUT": 504,
}
REST_STATUS = {**API_STATUS, "RESOURCE_BUSY": 400}
ERROR_OF_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    503: "SERVICE_UNAVAILABLE",
    504: "TIMED_OUT",
}


@follows("rest-empty-list")
def encode_result(dialect: str, value: Any, empty_list: str) -> bytes:
    if dialect == "api":
        return json.dumps(value).encode()
    if value == [] and empty_list != "[]":
        return b"{}" if empty_list == "{}" else b'{"value": null}'
    return json.dumps({"value": rest_maps(value)}).encode()


@follows("two-dialects", "busy-by-dialect", "wrong-state-is-400", "rest-error-type", "challenge-in-refused-login")
def encode_fault(dialect: str, fault: ApiError, rest_error_type: bool = True) -> tuple[int, bytes]:
    more = {name: value for name, value in (("data", fault.data), ("challenge", fault.challenge)) if value}
    if dialect == "api":
        body = {"error_type": fault.error_type, "messages": fault.messages, **more}
        return API_STATUS.get(fault.error_type, 400), json.dumps(body).encode()
    value = {**_type_inside(fault, rest_error_type), "messages": rest_maps(fault.messages), **more}
    envelope = {"type": f"com.vmware.vapi.std.errors.{fault.error_type.lower()}", "value": value}
    return REST_STATUS.get(fault.error_type, 400), json.dumps(envelope).encode()


def _type_inside(fault: ApiError, is_repeated: bool) -> dict[str, str]:
    return {"error_type": fault.error_type} if is_repeated else {}


@follows("rest-maps-are-lists")
def rest_maps(value: Any) -> Any:
    """Write maps as lists of pairs, as `/rest` does; the only map here is ``params`` of messages."""
    if isinstance(value, list):
        return [rest_maps(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: [{"key": key, "value": rest_maps(param)} for key, param in entry.items()]
        if name == "params" and isinstance(entry, dict)
        else rest_maps(entry)
        for name, entry in value.items()
    }
