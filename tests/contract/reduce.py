# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reduces published API descriptions (Swagger 2.0) to the facts about the operations used here.

``python -m tests.contract.reduce 7.0.3.swagger.json 8.0.2.swagger.json`` writes description.json: paths, verbs,
queries, bodies, statuses and types of all the versions together, and no prose. An operation, a query parameter or a
status counts if any version has it. A type that differs between versions is refused: then somebody must decide.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

DESCRIPTION = Path(__file__).with_name("description.json")
USED = re.compile(
    r"^(?:/api/session|/rest/com/vmware/cis/session"
    r"|(?:/api|/rest/com/vmware)/content/(?:local-library|library(?:/.*)?))$"
)
UNUSED = re.compile(
    r"/(?:changes|storage)\b|action=(?:copy|publish)"
    r"|^patch .*/library/(?:id:)?\{library_id\}$|^post .*/local-library$"
)
#: What any operation may answer with, whether its own list of answers has it or not.
GENERAL_ERRORS = {"api": "VapiStdErrorsError", "rest": "vapi.std.errors.error_error"}
TYPE_FACTS = ("type", "format", "enum", "items", "properties", "additionalProperties", "required", "$ref")


def reduce_descriptions(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    operations: dict[str, dict[str, Any]] = {}
    definitions: dict[str, Any] = {}
    for document in documents.values():
        wanted = set(GENERAL_ERRORS.values())
        for name, operation in _operations(document):
            _merge(operations.setdefault(name, {}), operation)
            wanted |= set(_references(operation))
        for name in _closure(document["definitions"], wanted):
            shape = _facts(document["definitions"][name])
            if definitions.setdefault(name, shape) != shape:
                raise ValueError(f"the versions disagree about {name}")
    return {"versions": sorted(documents), "operations": operations, "definitions": definitions}


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


def _merge(into: dict[str, Any], operation: Mapping[str, Any]) -> None:
    if not into:
        into.update(operation)
        return
    if into["body"] != operation["body"]:
        raise ValueError(f"the versions disagree about the body of {operation['verb']} {operation['path']}")
    into["query"] = {**operation["query"], **into["query"]}
    into["answers"] = {**operation["answers"], **into["answers"]}
    into["body_required"] = into["body_required"] and operation["body_required"]


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
    documents = {}
    for path in parser.parse_args(arguments).descriptions:
        document = json.loads(path.read_text(encoding="utf-8"))
        documents[document["info"]["version"]] = document
    reduced = reduce_descriptions(documents)
    DESCRIPTION.write_text(json.dumps(reduced, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(reduced['operations'])} operations, {len(reduced['definitions'])} types")
    return 0


if __name__ == "__main__":
    sys.exit(main())
