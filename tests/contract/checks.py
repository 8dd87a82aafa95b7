# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds one exchange to the published description: path, verb, query, body, status, answer, and no unknown field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tests.contract.reduce import DESCRIPTION, GENERAL_ERRORS
from tests.contract.undescribed import EXCHANGES, FIELDS, STATUSES

if TYPE_CHECKING:
    from tests.simulator import Exchange

INT64 = 1 << 63
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

    def violations(self, exchange: Exchange, *, deliberate: bool = False) -> list[str]:
        """What is wrong with an exchange. A ``deliberate`` client sends nonsense on purpose: then only a server that
        takes the nonsense is wrong."""
        self.checked += 1
        for each in EXCHANGES:
            if each.applies(exchange):
                self.used.add(each.name)
                return []
        where = f"{exchange.method} {exchange.path} -> {exchange.status}"
        operation = self._operation(exchange)
        refused = deliberate and exchange.status >= 400
        if operation is None:
            return [] if refused else [f"{where}: no such operation is described"]
        found = [] if refused else [*self._query(operation, exchange), *self._request(operation, exchange)]
        if exchange.status and exchange.fault is None:
            found += self._answer(operation, exchange)
        return [f"{where}: {text}" for text in found]

    def unused(self) -> list[str]:
        """The entries of the undescribed that nothing has met."""
        known = [each.name for each in EXCHANGES] + [str(status) for status in STATUSES] + list(map(_field_key, FIELDS))
        return [name for name in known if name not in self.used]

    def _operation(self, exchange: Exchange) -> Operation | None:
        path, _mark, raw_query = exchange.path.partition("?")
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        action = {name: value for name, value in query.items() if name.lstrip("~") == "action"}
        segments = [unquote(segment) for segment in path.split("/")]
        serving = [
            each
            for each in self._operations
            if each.facts["verb"] == exchange.method and each.facts["action"] == action and each.serves(segments)
        ]
        # A fixed path goes before a placeholder, and a parameter that must be there before one that need not.
        serving.sort(
            key=lambda each: (each.placeholders, not each.required_query <= set(query), -len(each.required_query))
        )
        return serving[0] if serving else None

    def _query(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        query = dict(parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True))
        given = set(query) - set(operation.facts["action"])
        for name in sorted(given - set(operation.facts["query"])):
            yield f"the query parameter {name} is not described"
        for name in sorted(operation.required_query - given):
            yield f"the query parameter {name} is missing"

    def _request(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        schema, raw = operation.facts["body"], exchange.request_body
        if schema is None:
            if raw.strip():
                yield "the request has a body, none is described"
        elif raw.strip():
            yield from self._check("the request", raw, f"{operation.name} body", schema)
        elif operation.facts["body_required"] and exchange.fault is None:
            yield "the request lacks its body"

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        answers, status = operation.facts["answers"], exchange.status
        key = f"{operation.name} {status}"
        if str(status) in answers:
            schema = answers[str(status)]
        elif status in STATUSES:
            self.used.add(str(status))
            key = GENERAL_ERRORS[exchange.path.split("/")[1]]
            schema = {"$ref": f"#/definitions/{key}"}
        else:
            yield f"the status {status} is not described"
            return
        if schema is None:
            if exchange.response_body:
                yield "the answer has a body, none is described"
            return
        yield from self._check("the answer", exchange.response_body, key, schema)

    def _check(self, what: str, raw: bytes, key: str, schema: Mapping[str, Any]) -> Iterator[str]:
        try:
            value = json.loads(raw)
        except ValueError:
            yield f"{what} is not JSON: {raw[:80]!r}"
            return
        if key not in self._validators:
            whole = {**_closed(schema, ""), "definitions": self._definitions}
            self._validators[key] = Draft7Validator(whole, format_checker=FORMATS)
        for error in self._validators[key].iter_errors(value):
            if not self._excused(error):
                yield f"{what} at {error.json_path}: {error.message}"

    def _excused(self, error: ValidationError) -> bool:
        if error.validator != "additionalProperties":
            return False
        shape: Any = error.schema
        instance: Any = error.instance
        extra = {(shape.get("title", ""), name) for name in set(instance) - set(shape["properties"])}
        if not extra <= set(FIELDS):
            return False
        self.used.update(map(_field_key, extra))
        return True


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
    return closed


def load_contract() -> Contract:
    return Contract(json.loads(DESCRIPTION.read_text(encoding="utf-8")))
