# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an answer of the server is read: its JSON, or the error that it means.

The error types are the API's own (the values of com.vmware.vapi.std.errors.Error.Type).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from .errors import (
    TRANSIENT_STATUSES,
    ApiError,
    ContentError,
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    Redirected,
    ResourceBusy,
    Unauthenticated,
)
from .messages import ErrorBody
from .schema import PAIRED_MAPS, PLAIN_MAPS, SchemaError, decode

# What servers say to a path or a method that they do not know. The status 404 may also mean what the path names.
UNKNOWN_PATH = (400, 405, 406, 410, 415, 501)
QUOTED_CHARACTERS = 200
QUOTED_BYTES = 1024 * 1024
SECRET_CHARACTERS = 64 * 1024
DEEPEST_LEVEL = 64
JSON_VALUES = 500_000
"""How many values an answer may hold, beside the limit on its bytes. The longest list of a vCenter is that of the files
of a session. A file has some 30 values and at most 1,000 bytes, so 10,000 files pass. No virtual machine has a tenth as
many. Both limits are needed: a value of two bytes takes 64 in memory, and one character can make every character of a
text take four bytes.
"""

TYPE_OF_STATUS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    500: "INTERNAL_SERVER_ERROR",
    **dict.fromkeys(TRANSIENT_STATUSES, "SERVICE_UNAVAILABLE"),
}
_CLASSES: Mapping[str, type[ApiError]] = {
    entry.default_type: entry for entry in (NotFound, NotAllowedInCurrentState, ResourceBusy, Unauthenticated)
}


def from_response(
    status: int,
    body: bytes,
    operation: str,
    session_id: str | None = None,
    *,
    hide: Callable[[str], str] = str,
) -> ApiError:
    """The exception that an answer with any status but a success means.

    The type comes from the body's error_type or type. Only a body without one leaves it to the status, as vCenter sends
    some errors with other statuses than published (NOT_ALLOWED_IN_CURRENT_STATE with 400, RESOURCE_BUSY with 400 or
    500). `hide` removes secrets from a body that is quoted.
    """
    try:
        envelope = read_json(body)
    except (ValueError, InvalidResponse):
        envelope = None
    error = _read_envelope(envelope)
    error_type = (error.error_type if error else None) or _type_name(envelope) or TYPE_OF_STATUS.get(status)
    messages = (error.messages if error else None) or ()
    said = "; ".join(message.text for message in messages if message.text)
    return _CLASSES.get(error_type or "", ApiError)(
        said or _describe_body(status, body, hide),
        error_type=error_type or ("ERROR" if error else "INVALID_RESPONSE"),
        status=status,
        operation=operation,
        messages=messages,
        data=error.data if error else None,
        session_id=session_id,
        in_json=envelope is not None,
    )


def is_unknown(error: ContentError) -> bool:
    """Whether a server, or what stands for it, may say by this that it does not know the path of a request."""
    if isinstance(error, Redirected):
        return True
    if isinstance(error, InvalidResponse):
        return 200 <= (error.status or 0) < 300
    named = any((message.id or "").endswith("operationsForUrlNotFound") for message in error.messages)
    return error.status in UNKNOWN_PATH or (error.status == 404 and (named or not error.in_json))


def read_json(body: bytes) -> Any:
    """The JSON of an answer. Raises ValueError for anything else, and for JSON nested deeper than any answer is.

    Raises InvalidResponse for more values than any answer of a vCenter has. A parser would hold all of them before
    anybody could count, so this counts the commas and brackets in the bytes. Those within texts count too; the limit
    leaves room for them.

    Half of a surrogate pair reads as a question mark, as no output can show it and no URL can hold it. NaN and infinity
    raise ValueError: JSON has no such numbers, but Python would read and write them.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > JSON_VALUES:
        raise InvalidResponse(f"the answer has more than {JSON_VALUES} values, which no vCenter sends")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [value]
    for _depth in range(DEEPEST_LEVEL):
        level = [child for entry in level for child in _children(entry)]
    if level:
        raise ValueError("nested too deeply")
    if re.search(rb"\\u[dD]", body):
        value = _without_halves(value)
    return value


def _without_halves(value: Any) -> Any:
    """The value with a question mark in place of each half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(entry) for key, entry in value.items()}
    return [_without_halves(entry) for entry in value] if isinstance(value, list) else value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def quote(body: bytes, hide: Callable[[str], str] = str) -> str:
    """A body that we cannot read, shortened to one line for a message.

    `hide` removes secrets before anything is cut off, as it would not recognise half a secret. Only the beginning of a
    long body is read, and its last characters are dropped, as they may be half a secret. Of a URL only the scheme is
    shown: the URL may be cut off before the sign that ends its password.
    """
    text = hide(body[:QUOTED_BYTES].decode("utf-8", "replace"))
    if len(body) > QUOTED_BYTES:
        text = text[:-SECRET_CHARACTERS]
    text = re.sub("://[^\\s\"'<>]*", "://...", text)[: 20 * QUOTED_CHARACTERS]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()
    shown = "".join(character for character in text if character.isprintable())
    return shown if len(shown) <= QUOTED_CHARACTERS else f"{shown[:QUOTED_CHARACTERS]}..."


def _read_envelope(envelope: Any) -> ErrorBody | None:
    """The error of either dialect: `{"error_type":, "messages":}`, or `{"type":, "value": {"messages":}}`."""
    if not isinstance(envelope, dict):
        return None
    wrapped = isinstance(envelope.get("value"), dict)
    try:
        return decode(ErrorBody, envelope["value"] if wrapped else envelope, PAIRED_MAPS if wrapped else PLAIN_MAPS)
    except SchemaError:
        return None


def _type_name(envelope: Any) -> str | None:
    """NOT_FOUND from the `/rest` envelope's com.vmware.vapi.std.errors.not_found."""
    name = envelope.get("type") if isinstance(envelope, dict) else None
    return name.rsplit(".", 1)[-1].upper() if isinstance(name, str) and name else None


def _describe_body(status: int, body: bytes, hide: Callable[[str], str]) -> str:
    shown = quote(body, hide)
    return f"HTTP {status}: {shown}" if shown else f"HTTP {status} without a body"
