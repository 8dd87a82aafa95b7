# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server, or something in between, may make of an answer.

Most mutations leave valid JSON in the right envelope, with a wrong value somewhere in it: that is what gets past a
parser and into the code behind it. The others are answers of proxies, of broken connections and of nobody in
particular.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Union

import requests
import urllib3

from tests.fuzz.flows import HOST, Answer
from tests.fuzz.operations import GET_DATA, PUT_DATA

Json = Any
Failure = Union[requests.RequestException, urllib3.exceptions.HTTPError, OSError]

STATES = ("ACTIVE", "DONE", "ERROR", "CANCELED", "PAUSED", "active", "")
STATUSES = ("WAITING_FOR_TRANSFER", "TRANSFERRING", "VALIDATING", "READY", "ERROR", "PREPARED", "UNPREPARED", "NEW")
ERRORS = (
    "ALREADY_EXISTS",
    "INTERNAL_SERVER_ERROR",
    "INVALID_ARGUMENT",
    "INVALID_ELEMENT_TYPE",
    "NOT_ALLOWED_IN_CURRENT_STATE",
    "NOT_FOUND",
    "OPERATION_NOT_FOUND",
    "RESOURCE_BUSY",
    "RESOURCE_INACCESSIBLE",
    "SERVICE_UNAVAILABLE",
    "TIMED_OUT",
    "UNABLE_TO_ALLOCATE_RESOURCE",
    "UNAUTHENTICATED",
    "UNAUTHORIZED",
    "UNEXPECTED_INPUT",
    "UNVERIFIED_PEER",
    "YET_UNKNOWN",
)
HTTP_STATUSES = (200, 201, 202, 204, 206, 299, 400, 401, 403, 404, 405, 409, 416, 418, 429, 500, 502, 503, 504, 599)
ODD_HTTP_STATUSES = (*HTTP_STATUSES, 100, 300, 301, 302, 304, 307, 308, 600, 999)
TEXTS = (
    "",
    " ",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b\\c",
    "x" * 300,
    "ü" * 200,
    "long " * 4000,
    "nul\x00in it",
    "line\nbreak\r\n",
    "\x1b[31mred\x1b[0m\x07\x9b2J",
    "\u202egnp.exe",
    "e\u0301\u200d\ufeff",
    "\ud800 half",
    "%2e%2e%2f%00",
    "%s%n{0}{name}{{ 7 * 7 }}{% raw %}",
    "<b>bold</b><script>",
    "id:id:id",
    "null",
    "True",
    "-1",
    "tools.iso",
    ".tools.iso.0a1b2c3d.x.vsphere-content.part",
    "DISK.VMDK",
    "https://svc:secret@mirror.test/x?key=1",
    "SHA1",
    "SHA-3/512",
    "0" * 40,
)
TIMES = (
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2099-01-01T00:00:00",
    "2099-01-01",
    "1970-01-01T00:00:00+23:59",
    "tomorrow",
)
URLS = (
    "",
    "https://",
    "https:///x",
    "https://[",
    "https://[::1]/x",
    f"https://{HOST}:99999/x",
    f"https://{HOST}:0/x",
    f"https://{HOST}:443/cls/data/1/tools.iso",
    f"https://{HOST}:8443/x",
    f"https://{HOST}./x",
    f"https://{HOST.upper()}/x",
    f"https://elsewhere.test\\@{HOST}/x",
    f"https://{HOST}\\@elsewhere.test/x",
    f"https://{HOST}@elsewhere.test/x",
    f"https://user:secret@{HOST}/x",
    f"https://{HOST}#@elsewhere.test/x",
    f"https://elsewhere.test/{HOST}",
    f"http://{HOST}/x",
    f"//{HOST}/x",
    f"HTTPS://{HOST}/x",
    f"https://{HOST}/a b\tc\nd",
    f"https://{HOST}/%zz",
    "https://" + "a" * 70 + ".test/x",
    "https://ünï.test/x",
    "https://*.test/x",
    "ftp://elsewhere.test/x",
    "file:///etc/passwd",
    "ds:///vmfs/volumes/x/tools.iso",
    "javascript:alert(1)",
    "x",
)
NUMBERS = (0, -1, 1, 2, 7, 99, 100, 101, 2**31, 2**63, 2**64, -(2**63), 10**40, 0.5, 1e308, -0.0)
STRANGERS: tuple[Json, ...] = (None, True, False, 0, -5, 3.5, "text", "", [], {}, [None], {"x": {"y": []}}, ["a", 1])
PAGES = (
    b"",
    b" ",
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>upstream</h1></body></html>",
    b"404 page not found\n",
    b"\xff\xfe\x00\x01",
    b"\x1f\x8b\x08\x00 not gzip",
    b"null",
    b"NaN",
    b"[1e999]",
    b'{"value": -Infinity}',
    b"1" * 5000,
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"value": {}}{"value": {}}',
    b"'single'",
    "\ufeffnull".encode(),
    '{"value": []}'.encode("utf-16"),
    b'"' + b"x" * 200_000 + b'"',
    b"\x1b[2J\x1b[31mnot JSON\x07",
)
HEADERS: tuple[Mapping[str, str], ...] = (
    {"Retry-After": "0"},
    {"Retry-After": "1"},
    {"Retry-After": "99999999999999999999"},
    {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"},
    {"Retry-After": "-1"},
    {"Content-Type": "text/html"},
    {"Content-Length": "-5"},
    {"Content-Length": "many"},
    {"Content-Range": "bytes 3-6/7"},
    {"Content-Range": "bytes */0"},
    {"Content-Range": "bytes 0-99999999999999999999/*"},
    {"Location": "https://elsewhere.test/"},
    {"Set-Cookie": "vmware-api-session-id=x; Domain=test; Path=/"},
    {"WWW-Authenticate": "Basic realm=x"},
    {"Content-Encoding": "gzip"},
    {"Date": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"Date": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"},
    {"Date": "1:2 Dec , 0 :: x"},
    {"Date": "Sat, 01 Jan 2000 00:00:00 +9999"},
)
FAILURES: tuple[Callable[[], Failure], ...] = (
    lambda: requests.ConnectionError("reset"),
    lambda: requests.ConnectTimeout("timed out"),
    lambda: requests.ReadTimeout("timed out"),
    lambda: requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"),
    lambda: requests.exceptions.SSLError("wrong version number"),
    lambda: requests.exceptions.ProxyError("407"),
    lambda: requests.exceptions.InvalidHeader("two lengths"),
    lambda: ConnectionResetError(104, "Connection reset by peer"),
)
BREAKS: tuple[Callable[[], urllib3.exceptions.HTTPError], ...] = (
    lambda: urllib3.exceptions.ProtocolError("Connection broken"),
    lambda: urllib3.exceptions.ReadTimeoutError(None, None, "Read timed out."),  # type: ignore[arg-type]
    lambda: urllib3.exceptions.DecodeError("no gzip"),
    lambda: urllib3.exceptions.SSLError("bad record"),
)


@dataclass(frozen=True)
class Mutant:
    """What comes in place of an answer: `error` before it, or `broken` after `cut` bytes of its body."""

    what: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Failure | None = None
    broken: urllib3.exceptions.HTTPError | None = None
    cut: int = 0


@dataclass(frozen=True)
class Context:
    """What a mutation may draw on: the dialect, the headers that the server was sent, and answers to other requests."""

    dialect: str
    heard: Mapping[str, str]
    others: Sequence[Answer]


def mutate(rng: random.Random, operation: str, answer: Answer, context: Context) -> Mutant:
    if operation in (GET_DATA, PUT_DATA):
        return _mutate_data(rng, answer, context)
    drawn = rng.random()
    if drawn < 0.62:
        return _mutate_values(rng, answer, context)
    if drawn < 0.78:
        return _refuse(rng, context)
    if drawn < 0.84:
        other = rng.choice(context.others)
        return Mutant("answer of another operation", answer.status, other.body)
    return _mutate_bytes(rng, answer)


def fits_envelope(dialect: str, status: int, body: bytes) -> bool:
    """Whether an answer is strict JSON in the envelope that the dialect has for its kind of status."""
    try:
        value = json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return False
    if status >= 400:
        if not isinstance(value, dict):
            return False
        inner = value.get("value") if dialect == "rest" else value
        named = value.get("type" if dialect == "rest" else "error_type")
        return isinstance(named, str) and isinstance(inner, dict) and "messages" in inner
    return dialect == "api" or value == {} or (isinstance(value, dict) and "value" in value)


def no_constant(text: str) -> Json:
    raise ValueError(text)


def _mutate_values(rng: random.Random, answer: Answer, context: Context) -> Mutant:
    try:
        document = json.loads(answer.body)
    except ValueError:
        # The operation returns nothing: that may become anything.
        value = _stranger(rng)
        body = json.dumps({"value": value} if context.dialect == "rest" else value)
        return Mutant("an answer where none should be", answer.status, body.encode())
    said = []
    for _count in range(rng.choice((1, 1, 1, 2, 3))):
        holder = {"": document}
        inner = isinstance(document, dict) and set(document) == {"value"} and context.dialect == "rest"
        said.append(_change_one(rng, document if inner else holder, context))
        document = document if inner else holder.get("")
    return Mutant(", ".join(said), answer.status, json.dumps(document).encode())


def _change_one(rng: random.Random, root: dict[str, Json], context: Context) -> str:
    places = list(_places(root))
    holder, key = rng.choice(places)
    value = holder[key]
    drawn = rng.random()
    if drawn < 0.12:
        other_holder, other_key = rng.choice(places)
        holder[key] = other_holder[other_key] if not isinstance(other_holder[other_key], (dict, list)) else None
        return f"{key!r} has the value of {other_key!r}"
    if drawn < 0.24 and isinstance(holder, dict) and holder is not root:
        del holder[key]
        return f"{key!r} is missing"
    if drawn < 0.36:
        holder[key] = _stranger(rng)
        return f"{key!r} is {str(holder[key])[:40]!r}"
    # What stands in two places must be two things, or the next change would be made in both.
    holder[key] = copy.deepcopy(_other_value(rng, str(key), value, context))
    return f"{key!r} is {str(holder[key])[:40]!r}"


def _stranger(rng: random.Random) -> Json:
    return copy.deepcopy(rng.choice(STRANGERS))


def _places(value: Json) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return found


def _other_value(rng: random.Random, key: str, value: Json, context: Context) -> Json:
    if isinstance(value, bool):
        return rng.choice((not value, None, 1, "true"))
    if isinstance(value, (int, float)):
        return rng.choice((*NUMBERS, value + 1, str(value)))
    if isinstance(value, str):
        return _other_text(rng, key, value, context)
    if isinstance(value, list):
        return _other_list(rng, value)
    if isinstance(value, dict):
        return _other_object(rng, value, context)
    return rng.choice((_stranger(rng), *TEXTS[:8]))


def _other_text(rng: random.Random, key: str, value: str, context: Context) -> str:
    if rng.random() < 0.04 and context.heard:
        return str(rng.choice((dict(context.heard), *context.heard.values())))
    special = {"state": STATES, "status": STATUSES, "uri": URLS, "expiration_time": TIMES, "error_type": ERRORS}
    if key in special and rng.random() < 0.75:
        return rng.choice(special[key])
    return rng.choice((rng.choice(TEXTS), rng.choice(TEXTS), value.upper(), value[: len(value) // 2], value + "x"))


def _other_list(rng: random.Random, value: list[Json]) -> Json:
    return rng.choice(
        (
            [],
            value[::-1],
            value + value,
            value * 60,
            value[1:],
            [*value, None],
            [value],
            {str(index): entry for index, entry in enumerate(value)},
            {"key": "a", "value": value},
        )
    )


def _other_object(rng: random.Random, value: dict[str, Json], context: Context) -> Json:
    word = rng.choice(TEXTS)
    heard = dict(context.heard) if rng.random() < 0.2 else {value: name for name, value in context.heard.items()}
    return rng.choice(
        (
            {},
            {**value, word: word},
            {**value, "extra": {"deep": [[[[value]]]]}},
            {**value, "heard": heard},
            {key.upper(): entry for key, entry in value.items()},
            [value],
            [{"key": key, "value": entry} for key, entry in value.items()],
            {"value": value},
            _nest(value, 200),
        )
    )


def _nest(value: Json, depth: int) -> Json:
    for _level in range(depth):
        value = {"value": value}
    return value


def _refuse(rng: random.Random, context: Context) -> Mutant:
    """A refusal as the dialect writes it, of any type with any status."""
    error = rng.choice(ERRORS)
    text = rng.choice((*TEXTS, "The operation failed.", str(dict(context.heard))))
    message: dict[str, Json] = {"id": "com.vmware.vdcs.cls-main.x", "default_message": text, "args": [text, "b"]}
    if rng.random() < 0.3:
        nested = {"l": {"id": "n", "params": {} if context.dialect == "api" else []}}
        named = {"name": {"s": text}, "count": {"i": 3}, "nested": nested}
        pairs = [{"key": key, "value": value} for key, value in named.items()]
        message["params"] = named if context.dialect == "api" else pairs
    messages = [dict(message) for _count in range(rng.choice((0, 1, 1, 1, 2, 30)))]
    value: dict[str, Json] = {"messages": messages}
    if rng.random() < 0.3:
        value["data"] = rng.choice((_stranger(rng), dict(context.heard)))
    body: Json = {"type": f"com.vmware.vapi.std.errors.{error.lower()}", "value": value}
    if context.dialect == "api":
        body = {"error_type": error, **value}
    if rng.random() < 0.25:
        _change_one(rng, {"": body}, context)
    status = rng.choice([status for status in HTTP_STATUSES if status >= 400])
    headers = rng.choice(HEADERS) if rng.random() < 0.2 else {}
    return Mutant(f"refused with {status} {error}", status, json.dumps(body).encode(), headers)


def _mutate_bytes(rng: random.Random, answer: Answer) -> Mutant:
    body = answer.body
    drawn = rng.random()
    if drawn < 0.15:
        error = rng.choice(FAILURES)()
        return Mutant(f"no answer: {type(error).__name__}", 0, b"", error=error)
    if drawn < 0.25:
        broken = rng.choice(BREAKS)()
        cut = rng.randrange(len(body) + 1)
        return Mutant(f"broken after {cut} bytes", answer.status, body, broken=broken, cut=cut)
    headers = rng.choice(HEADERS) if rng.random() < 0.2 else {}
    status = rng.choice(ODD_HTTP_STATUSES) if rng.random() < 0.5 else answer.status
    if drawn < 0.45:
        return Mutant(f"status {status}", status, body, headers)
    if drawn < 0.65:
        cut = rng.randrange(len(body) + 1)
        return Mutant(f"cut after {cut} bytes", status, body[:cut], headers)
    if drawn < 0.8:
        flipped = bytearray(body or b"{}")
        for _count in range(rng.choice((1, 1, 2, 5))):
            flipped[rng.randrange(len(flipped))] = rng.randrange(256)
        return Mutant("bytes changed", status, bytes(flipped), headers)
    page = rng.choice(PAGES)
    return Mutant(f"page {page[:20]!r}", status, page, headers)


def _mutate_data(rng: random.Random, answer: Answer, context: Context) -> Mutant:
    body = answer.body
    drawn = rng.random()
    if drawn < 0.3:
        content = rng.choice((b"", body[:-1], body + b"more", b"x" * len(body), body * 500, rng.choice(PAGES)))
        length = rng.choice((len(content), len(body), 0, 2**63))
        return Mutant("other content", answer.status, content, {"Content-Length": str(length)})
    if drawn < 0.5:
        return Mutant("a part", 206, body[len(body) // 2 :], rng.choice(HEADERS))
    if drawn < 0.65:
        return _refuse(rng, context)
    return _mutate_bytes(rng, answer)
