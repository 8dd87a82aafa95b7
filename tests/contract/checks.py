# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds one exchange to the published description: path, verb, query, body, status, answer, and no unknown field."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tests.contract.reduce import DESCRIPTION, GENERAL_ERRORS
from tests.contract.undescribed import (
    ANSWERS,
    EMPTY_LIST,
    EXCHANGES,
    FIELDS,
    REQUESTS,
    STATUSES,
    Undescribed,
    is_empty_list,
    is_foreign,
)

if TYPE_CHECKING:
    from tests.simulator import Exchange

INT64 = 1 << 63
BAD_REQUEST = 400
ERROR_NAME = re.compile(r"(?:VapiStdErrors|vapi\.std\.errors\.)(.*?)(?:_error)?$")
ERROR_ENVELOPE = re.compile(r"vapi\.std\.errors\..*_error$")
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", value))


@FORMATS.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -INT64 <= value < INT64


@dataclass(frozen=True)
class Operation:
    """One verb of one path, and the action that is named in the query."""

    name: str
    facts: Mapping[str, Any]
    segments: tuple[str, ...]

    def serves(self, given: Sequence[str]) -> bool:
        return len(given) == len(self.segments) and all(map(_fits, self.segments, given))

    @property
    def dialect(self) -> str:
        return self.segments[1]

    @property
    def placeholders(self) -> int:
        return sum("{" in segment for segment in self.segments)

    @property
    def required_query(self) -> set[str]:
        return {name for name, parameter in self.facts["query"].items() if parameter["required"]}


def _fits(template: str, given: str) -> bool:
    literal, brace, _name = template.partition("{")
    return given.startswith(literal) and len(given) > len(literal) if brace else given == literal


@dataclass
class Contract:
    """The description, and what of the undescribed has been met so far."""

    description: Mapping[str, Any]
    used: set[str] = field(default_factory=set)
    checked: int = 0

    def __post_init__(self) -> None:
        self._operations = [
            Operation(name, facts, tuple(facts["path"].split("/")))
            for name, facts in self.description["operations"].items()
        ]
        self._definitions = {name: _closed(shape, name) for name, shape in self.description["definitions"].items()}
        self._validators: dict[str, Draft7Validator] = {}
        self._passed: set[tuple[str, bytes]] = set()
        self._error_types = _error_types(self._operations)

    def violations(self, exchange: Exchange) -> list[str]:
        """What is wrong with an exchange."""
        self.checked += 1
        return [*self.asked(exchange), *self.answered(exchange)]

    def asked(self, exchange: Exchange) -> list[str]:
        """What is wrong with the request. Of a foreign client it is wrong only if the server takes it."""
        if self._meets(EXCHANGES, exchange) or (is_foreign(exchange) and exchange.status >= BAD_REQUEST):
            return []
        operation = self._operation(exchange)
        if operation is None:
            return [_said(exchange, "no such operation is described")]
        if self._meets(REQUESTS, exchange):
            return []
        found = [*self._query(operation, exchange), *self._request(operation, exchange)]
        return [_said(exchange, text) for text in found]

    def answered(self, exchange: Exchange) -> list[str]:
        """What is wrong with the answer, unless the connection broke before it or a fault tampered with it."""
        if not exchange.status or exchange.fault is not None or self._meets(EXCHANGES, exchange):
            return []
        operation = self._operation(exchange)
        if operation is None or self._meets(ANSWERS, exchange):
            return []
        return [_said(exchange, text) for text in self._answer(operation, exchange)]

    def unused(self) -> list[str]:
        """The entries of the undescribed that nothing has met."""
        entries = [each.name for each in (*EXCHANGES, *REQUESTS, *ANSWERS)]
        known = [*entries, EMPTY_LIST, *map(str, STATUSES), *map(_field_key, FIELDS)]
        return [name for name in known if name not in self.used]

    def _meets(self, entries: Sequence[Undescribed], exchange: Exchange) -> bool:
        met = {each.name for each in entries if each.applies(exchange)}
        self.used |= met
        return bool(met)

    def _operation(self, exchange: Exchange) -> Operation | None:
        path, _mark, _query = exchange.path.partition("?")
        query = _query_of(exchange)
        action = {name: value for name, value in query if name.lstrip("~") == "action"}
        names = {name for name, _value in query}
        segments = [unquote(segment) for segment in path.split("/")]
        serving = [
            each
            for each in self._operations
            if each.facts["verb"] == exchange.method and each.facts["action"] == action and each.serves(segments)
        ]
        # A fixed path goes before a placeholder, and a parameter that must be there before one that need not.
        serving.sort(key=lambda each: (each.placeholders, not each.required_query <= names, -len(each.required_query)))
        return serving[0] if serving else None

    def _query(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        described, query = operation.facts["query"], _query_of(exchange)
        counts = Counter(name for name, _value in query)
        for name in sorted(name for name, count in counts.items() if count > 1):
            yield f"the query parameter {name} is repeated"
        for name in sorted(set(counts) - set(operation.facts["action"]) - set(described)):
            yield f"the query parameter {name} is not described"
        for name in sorted(operation.required_query - set(counts)):
            yield f"the query parameter {name} is missing"
        for name, value in query:
            kind = described[name]["type"] if name in described else "string"
            if kind != "string":
                yield from self._check(f"the query parameter {name}", value.encode(), f"a {kind}", {"type": kind})

    def _request(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        schema, raw = operation.facts["body"], exchange.request_body
        if schema is None:
            if raw.strip():
                yield "the request has a body, none is described"
        elif raw.strip():
            yield from self._check("the request", raw, f"{operation.name} body", schema)
        elif operation.facts["body_required"] and exchange.status and exchange.fault is None:
            yield "the request lacks its body"

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        answers, status = operation.facts["answers"], exchange.status
        key = f"{operation.name} {status}"
        if str(status) in answers:
            schema = answers[str(status)]
        elif status in STATUSES:
            self.used.add(str(status))
            key = GENERAL_ERRORS[operation.dialect]
            schema = {"$ref": f"#/definitions/{key}"}
        else:
            yield f"the status {status} is not described"
            return
        if schema is None:
            if exchange.response_body:
                yield "the answer has a body, none is described"
            return
        found = list(self._check("the answer", exchange.response_body, key, schema))
        yield from found
        if status >= BAD_REQUEST and not found:
            yield from self._error_type(operation.dialect, status, json.loads(exchange.response_body))

    def _error_type(self, dialect: str, status: int, error: Mapping[str, Any]) -> Iterator[str]:
        """Which error it is and its status say the same; what is described under no other status comes with 400."""
        types = self._error_types[dialect]
        elsewhere = set().union(*(names for each, names in types.items() if each != BAD_REQUEST))
        for name in _types_named(error):
            if name in elsewhere if status == BAD_REQUEST else name not in types[status]:
                yield f"the error {name} does not go with the status {status}"

    def _check(self, what: str, raw: bytes, key: str, schema: Mapping[str, Any]) -> Iterator[str]:
        # About half of all bodies have come before.
        if (key, raw) in self._passed:
            return
        try:
            value = json.loads(raw)
        except ValueError:
            yield f"{what} is not JSON: {raw[:80]!r}"
            return
        if key not in self._validators:
            whole = {**_closed(schema, ""), "definitions": self._definitions}
            self._validators[key] = Draft7Validator(whole, format_checker=FORMATS)
        found = [error for error in self._validators[key].iter_errors(value) if not self._excused(error)]
        if not found:
            self._passed.add((key, raw))
        yield from (f"{what} at {error.json_path}: {error.message}" for error in found)

    def _excused(self, error: ValidationError) -> bool:
        if is_empty_list(error):
            self.used.add(EMPTY_LIST)
            return True
        if error.validator != "additionalProperties":
            return False
        shape: Any = error.schema
        instance: Any = error.instance
        extra = {(shape.get("title", ""), name) for name in set(instance) - set(shape["properties"])}
        if not extra <= set(FIELDS):
            return False
        self.used.update(map(_field_key, extra))
        return True


def _said(exchange: Exchange, text: str) -> str:
    return f"{exchange.method} {exchange.path} -> {exchange.status}: {text}"


def _query_of(exchange: Exchange) -> list[tuple[str, str]]:
    return parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True)


def _error_types(operations: Sequence[Operation]) -> Mapping[str, Mapping[int, set[str]]]:
    """For each dialect and status the errors that any operation has there, by the names that answers give them."""
    found: dict[str, dict[int, set[str]]] = {dialect: defaultdict(set) for dialect in GENERAL_ERRORS}
    for operation in operations:
        for status, schema in operation.facts["answers"].items():
            if int(status) >= BAD_REQUEST:
                found[operation.dialect][int(status)].add(_error_name(schema["$ref"].rpartition("/")[2]))
    return found


def _error_name(definition: str) -> str:
    """``NOT_FOUND`` for ``VapiStdErrorsNotFound``, and for ``vapi.std.errors.not_found_error``."""
    name = ERROR_NAME.sub(r"\1", definition)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _types_named(error: Mapping[str, Any]) -> Iterator[str]:
    if "type" in error:
        yield error["type"].rpartition(".")[2].upper()
    for part in (error, error.get("value", {})):
        if "error_type" in part:
            yield part["error_type"]


def _field_key(entry: tuple[str, str]) -> str:
    return ".".join(entry)


def _closed(schema: Any, title: str) -> Any:
    """The schema, in which a structure has no other fields than those described."""
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _closed(shape, "") for name, shape in schema["properties"].items()}
        closed["additionalProperties"] = False
        closed["title"] = title
    if "items" in schema:
        closed["items"] = _closed(schema["items"], "")
    if ERROR_ENVELOPE.match(title):
        # Without its type nobody could tell one error from another, though the descriptions demand nothing.
        closed["required"] = ["type", "value"]
    return closed


def load_contract() -> Contract:
    return Contract(json.loads(DESCRIPTION.read_text(encoding="utf-8")))
