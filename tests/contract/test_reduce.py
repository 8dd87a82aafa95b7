# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several versions of a description come to together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.contract.reduce import DESCRIPTION, GENERAL_ERRORS, main, reduce_descriptions

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
FILTER = {"name": "filter", "in": "query", "required": True, "type": "string"}
STRUCTURE = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
WIDER = {"type": "object", "properties": {"a": TEXT, "b": NUMBER}, "required": ["a", "b"]}


def document(
    of: Mapping[str, Any] = TEXT,
    *,
    verb: str = "get",
    status: str = "200",
    parameters: Sequence[Mapping[str, Any]] = (),
    version: str = "1",
) -> dict[str, Any]:
    """A description of one operation, which answers with a T."""
    answer = {"description": "Prose.", "schema": {"$ref": "#/definitions/T"}}
    operation = {"parameters": parameters, "responses": {status: answer}, "summary": "Prose."}
    general = {name: {"type": "object"} for name in GENERAL_ERRORS.values()}
    return {
        "info": {"version": version},
        "paths": {"/api/content/library": {verb: operation}, "/api/vcenter/vm": {verb: operation}},
        "definitions": {"T": {**of, "description": "Prose."}, "Unused": of, **general},
    }


def body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "body", "in": "body", "required": True, "schema": schema}


def of_both(one: Mapping[str, Any], other: Mapping[str, Any]) -> Any:
    """What both types come to, whichever comes first."""
    there, back = (
        reduce_descriptions({"1": document(first), "2": document(second)})["definitions"]["T"]
        for first, second in ((one, other), (other, one))
    )
    assert json.dumps(there, sort_keys=True) == json.dumps(back, sort_keys=True)
    return there


def test_what_is_not_used_here_goes_and_so_does_prose() -> None:
    both = reduce_descriptions({"1": document(), "2": document(verb="post")})
    assert sorted(both["operations"]) == ["GET /api/content/library", "POST /api/content/library"]
    assert both["definitions"]["T"] == TEXT
    assert "Unused" not in both["definitions"]
    assert "Prose" not in json.dumps(both)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (STRUCTURE, WIDER, {**WIDER, "required": ["a"]}),
        (
            {"type": "object", "properties": {"a": STRUCTURE}},
            {"type": "object", "properties": {"a": WIDER}},
            {"type": "object", "properties": {"a": {**WIDER, "required": ["a"]}}},
        ),
        (
            {"type": "array", "uniqueItems": True, "items": STRUCTURE},
            {"type": "array", "uniqueItems": True, "items": WIDER},
            {"type": "array", "uniqueItems": True, "items": {**WIDER, "required": ["a"]}},
        ),
        ({"type": "object", "properties": {"a": TEXT}}, STRUCTURE, {"type": "object", "properties": {"a": TEXT}}),
    ],
    ids=["fields", "nested fields", "elements", "what must be there"],
)
def test_a_type_has_what_either_version_has(
    one: Mapping[str, Any], other: Mapping[str, Any], together: Mapping[str, Any]
) -> None:
    assert of_both(one, other) == together


def test_values_add_up() -> None:
    versions = {"1": document({**TEXT, "enum": ["A", "B"]}), "2": document({**TEXT, "enum": ["B", "C"]})}
    assert reduce_descriptions(versions)["definitions"]["T"] == {**TEXT, "enum": ["A", "B", "C"]}


def test_an_operation_has_what_either_version_has() -> None:
    versions = {"1": document(parameters=[FILTER, body(TEXT)]), "2": document(status="404")}
    (operation,) = reduce_descriptions(versions)["operations"].values()
    assert operation["query"] == {"filter": {"required": False, "type": "string"}}
    assert (operation["body"], operation["body_required"]) == (TEXT, False)
    assert sorted(operation["answers"]) == ["200", "404"]


@pytest.mark.parametrize(
    ("one", "other", "about"),
    [
        (document(TEXT), document(NUMBER), "T"),
        (document(STRUCTURE), document({**STRUCTURE, "properties": {"a": NUMBER}}), "T.a"),
        (document(TEXT), document({**TEXT, "format": "date-time"}), "T"),
        (
            document(parameters=[body(TEXT)]),
            document(parameters=[body(NUMBER)]),
            "the body of GET /api/content/library",
        ),
        (
            document(parameters=[FILTER]),
            document(parameters=[{**FILTER, "type": "integer"}]),
            "GET /api/content/library.filter",
        ),
    ],
)
def test_a_contradiction_is_refused(one: dict[str, Any], other: dict[str, Any], about: str) -> None:
    with pytest.raises(ValueError, match=f"the versions disagree about {about}$"):
        reduce_descriptions({"1": one, "2": other})


def test_a_run_tells_whether_its_sources_are_those_of_the_last_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, paths = tmp_path / "description.json", [tmp_path / "1.json", tmp_path / "2.json"]

    def run() -> list[str]:
        assert main([*map(str, paths), "--output", str(target)]) == 0
        return [line.rpartition(", ")[2] for line in capsys.readouterr().out.splitlines()[:2]]

    for path in paths:
        path.write_text(json.dumps(document(version=path.stem)), encoding="utf-8")
    assert run() == ["new", "new"]
    paths[1].write_text(json.dumps(document(version="2", verb="post")), encoding="utf-8")
    assert run() == ["the same as before", "new"]
    sources = json.loads(target.read_bytes())["sources"]
    assert sources == {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_description_names_its_sources() -> None:
    sources = json.loads(DESCRIPTION.read_bytes())["sources"]
    assert {version: len(digest) for version, digest in sources.items()} == {"7.0.3": 64, "8.0.2": 64}
