# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reduces published API descriptions (Swagger 2.0) to the facts about the operations used here.

``python -m tests.contract.reduce 7.0.3.swagger.json 8.0.2.swagger.json`` writes description.json: paths, verbs,
queries, bodies, statuses and types of all the versions together, and no prose. An operation, a query parameter, a
status, a field or a value counts if any version has it, and must be there only if all demand it. What versions
contradict each other about is refused: then somebody must decide.

The descriptions are not ours to pass on. description.json holds their digests instead, and a run tells whether it was
made from the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

DESCRIPTION = Path(__file__).with_name("description.json")
USED = re.compile(
    r"^(?:/api/session|/rest/com/vmware/cis/session"
    r"|(?:/api|/rest/com/vmware)/content/(?:local-library|library(?:/.*)?))$"
)
UNUSED = re.compile(
    r"/changes\b|action=(?:copy|publish)"
    r"|^patch .*/library/(?:id:)?\{library_id\}$|^post .*/local-library$"
)
#: What any operation may answer with, whether its own list of answers has it or not.
GENERAL_ERRORS = {"api": "VapiStdErrorsError", "rest": "vapi.std.errors.error_error"}
TYPE_FACTS = (
    "type",
    "format",
    "enum",
    "items",
    "uniqueItems",
    "properties",
    "additionalProperties",
    "required",
    "$ref",
)


def reduce_descriptions(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    operations: dict[str, dict[str, Any]] = {}
    definitions: dict[str, Any] = {}
    for document in documents.values():
        wanted = set(GENERAL_ERRORS.values())
        for name, operation in _operations(document):
            known = operations.get(name)
            operations[name] = _united_operation(known, operation, name) if known else operation
            wanted |= set(_references(operation))
        for name in _closure(document["definitions"], wanted):
            shape = _facts(document["definitions"][name])
            definitions[name] = _united(definitions.get(name, shape), shape, name)
    return {"operations": operations, "definitions": definitions}


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, verbs in document["paths"].items():
        path, _mark, query = key.partition("?")
        if not USED.match(path):
            continue
        # What follows the question mark is an action, or only tells apart two operations of one path.
        action = dict(parse_qsl(query))
        for verb, facts in verbs.items():
            if UNUSED.search(f"{verb} {key}"):
                continue
            yield f"{verb.upper()} {key}", {"verb": verb.upper(), "path": path, "action": action, **_traffic(facts)}


def _traffic(facts: Mapping[str, Any]) -> dict[str, Any]:
    parameters = facts["parameters"]
    bodies = [entry for entry in parameters if entry["in"] == "body"]
    return {
        "query": {
            entry["name"]: {"required": entry["required"], "type": entry["type"]}
            for entry in parameters
            if entry["in"] == "query"
        },
        "body": _facts(bodies[0]["schema"]) if bodies else None,
        "body_required": bool(bodies and bodies[0].get("required")),
        "answers": {
            status: _facts(answer["schema"]) if "schema" in answer else None
            for status, answer in facts["responses"].items()
        },
    }


def _united_operation(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> dict[str, Any]:
    bodies = [each["body"] for each in (one, other) if each["body"] is not None]
    return {
        **one,
        "query": _each(one["query"], other["query"], name, _united_parameter, _optional),
        "body": _united(bodies[0], bodies[-1], f"the body of {name}") if bodies else None,
        "body_required": one["body_required"] and other["body_required"],
        "answers": _each(one["answers"], other["answers"], name, _united),
    }


def _optional(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameter, "required": False}


def _united_parameter(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> dict[str, Any]:
    if one["type"] != other["type"]:
        raise ValueError(f"the versions disagree about {name}")
    return {**one, "required": one["required"] and other["required"]}


def _united(one: Any, other: Any, name: str) -> Any:
    """A schema for what fits either."""
    if one == other:
        return one
    if one is None or other is None or set(one) - {"required"} != set(other) - {"required"}:
        raise ValueError(f"the versions disagree about {name}")
    united = {fact: value for fact, value in one.items() if fact != "required"}
    for fact, value in united.items():
        if fact == "properties":
            united[fact] = _each(value, other[fact], name, _united)
        elif fact == "enum":
            united[fact] = [*value, *(each for each in other[fact] if each not in value)]
        elif fact in ("items", "additionalProperties") and isinstance(value, dict):
            united[fact] = _united(value, other[fact], f"{name}.{fact}")
        elif value != other[fact]:
            raise ValueError(f"the versions disagree about {name}")
    required = [field for field in one.get("required", ()) if field in other.get("required", ())]
    return {**united, "required": required} if required else united


def _each(
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    name: str,
    unite: Callable[[Any, Any, str], Any],
    alone: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Any]:
    """What either has: united where both have it, and what `alone` makes of it where only one does."""
    both = {key: unite(one[key], other[key], f"{name}.{key}") for key in one if key in other}
    single = {key: alone(value) for side in (one, other) for key, value in side.items() if key not in both}
    return {**both, **single}


def _facts(schema: Any) -> Any:
    """A schema without its prose; what stands under ``properties`` are names, which all count."""
    reduced = {}
    for name, value in schema.items():
        if name not in TYPE_FACTS:
            continue
        if name == "properties":
            reduced[name] = {field: _facts(shape) for field, shape in value.items()}
        elif name in ("items", "additionalProperties") and isinstance(value, dict):
            reduced[name] = _facts(value)
        else:
            reduced[name] = value
    return reduced


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for entry in value.values():
            yield from _references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _references(entry)


def _closure(definitions: Mapping[str, Any], wanted: set[str]) -> set[str]:
    found: set[str] = set()
    while wanted:
        found |= wanted
        wanted = {name for each in wanted for name in _references(definitions[each])} - found
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract.reduce", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("descriptions", nargs="+", type=Path, metavar="SWAGGER.json")
    parser.add_argument("--output", type=Path, default=DESCRIPTION, help="where to write it instead")
    options = parser.parse_args(arguments)
    documents, sources = {}, {}
    for path in options.descriptions:
        raw = path.read_bytes()
        document = json.loads(raw)
        version = document["info"]["version"]
        documents[version], sources[version] = document, hashlib.sha256(raw).hexdigest()
    known = json.loads(options.output.read_bytes())["sources"] if options.output.exists() else {}
    for version, digest in sources.items():
        print(f"{version}: {digest}, {'the same as before' if known.get(version) == digest else 'new'}")
    reduced = {"sources": sources, **reduce_descriptions(documents)}
    options.output.write_text(json.dumps(reduced, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(reduced['operations'])} operations, {len(reduced['definitions'])} types")
    return 0


if __name__ == "__main__":
    sys.exit(main())
