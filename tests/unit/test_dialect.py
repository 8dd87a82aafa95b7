# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dialect makes of odd names, tokens and maps, and what it reads out of the envelopes that come back.

Each operation on the wire is in tests/mutations: a mistake in any part of any route is seen there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.dialect import DIALECTS, Call
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.messages import (
    LocalizableMessage,
    LocalizationParam,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import UpdateSession
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.schema import SchemaError

UPDATE = "/api/content/library/item/update-session"
SESSION = {"session_id": "a:b"}

ODD = ["a b.iso", "50%.iso", "a#b.iso", "a?b&c=d.iso", "a/b.iso", "ä€.iso", "a+b.iso", "~a-b_c.iso", "a%2Fb"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_arrives_as_it_is_in_a_path(name: str) -> None:
    path = DIALECTS["api"].call("update_session.file.remove", {**SESSION, "file_name": name}).path
    assert path.isascii()
    assert "/" not in path.partition("/file/")[2]
    parts = urlsplit(path)
    assert (parts.query, parts.fragment) == ("", "")
    assert unquote(parts.path.partition("/file/")[2]) == name


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_identifier_arrives_as_it_is_in_a_query(odd: str, dialect: str) -> None:
    path = DIALECTS[dialect].call("update_session.list", {"library_item_id": odd}).path
    assert path.isascii()
    assert parse_qs(urlsplit(path).query) == {"library_item_id": [odd]}


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_the_colon_of_an_identifier_stays(dialect: str) -> None:
    session = "815994e5-2828-4a88-86ed-4575f9e964e2:9c7e16e9-9b8c-4c5a-a67b-a66a08b7d71c"
    assert session in DIALECTS[dialect].call("update_session.get", {"session_id": session}).path


def create(dialect: str) -> Call:
    return DIALECTS[dialect].call(
        "update_session.create", {}, model=UpdateSession(library_item_id="i"), client_token="a token"
    )


def test_client_token_stands_where_servers_of_all_versions_look_for_it() -> None:
    api = create("api")
    assert api.path == f"{UPDATE}?client_token=a+token"
    assert api.headers == {"Client-Token": "a token"}
    assert api.body == {"library_item_id": "i"}


def test_client_token_stands_in_the_body_of_the_older_dialect() -> None:
    rest = create("rest")
    assert "?" not in rest.path
    assert rest.headers == {}
    assert rest.body == {"create_spec": {"library_item_id": "i"}, "client_token": "a token"}


def test_maps_are_written_as_the_dialect_does() -> None:
    message = LocalizableMessage(id="m", params={"size": LocalizationParam(i=5)})
    session = UpdateSession(error_message=message)
    bodies = [DIALECTS[name].call("update_session.update", SESSION, model=session).body for name in ("api", "rest")]
    assert bodies[0]["error_message"]["params"] == {"size": {"i": 5}}
    assert bodies[1]["update_spec"]["error_message"]["params"] == [{"key": "size", "value": {"i": 5}}]


@pytest.mark.parametrize(
    ("dialect", "answer", "value"),
    [
        ("api", "x", "x"),
        ("api", {"value": "x"}, {"value": "x"}),
        ("api", None, None),
        ("rest", {"value": "x"}, "x"),
        ("rest", {"value": None}, None),
        ("rest", {}, None),
        ("rest", None, None),
    ],
)
def test_an_answer_is_taken_out_of_its_envelope(dialect: str, answer: Any, value: Any) -> None:
    assert DIALECTS[dialect].result(answer) == value


@pytest.mark.parametrize(
    ("dialect", "answer", "value"),
    [
        ("api", [], []),
        ("api", ["x"], ["x"]),
        ("rest", {"value": []}, []),
        ("rest", {"value": ["x"]}, ["x"]),
        ("rest", {"value": None}, []),
        ("rest", {"value": {}}, []),
        ("rest", {}, []),
    ],
)
def test_an_empty_list_has_many_forms(dialect: str, answer: Any, value: Any) -> None:
    assert DIALECTS[dialect].result_list(answer) == value


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("api", {"value": []}),
        ("api", None),
        ("api", "x"),
        ("rest", None),
        ("rest", []),
        ("rest", "x"),
        ("rest", {"value": "x"}),
        ("rest", {"value": {"a": 1}}),
        ("rest", {"value": 0}),
        ("rest", {"value": False}),
    ],
    ids=repr,
)
def test_what_is_no_list_is_not_taken_for_an_empty_one(dialect: str, answer: Any) -> None:
    with pytest.raises(SchemaError):
        DIALECTS[dialect].result_list(answer)
