# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract sees each kind of deviation from the description, on both sides of the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.checks import Contract, load_contract
from tests.contract.reduce import reduce_descriptions
from tests.simulator import Exchange

API = "/api/content/library/item/update-session"
REST = "/rest/com/vmware/content/library/item"
SESSION = {"id": "a:b", "library_item_id": "c", "state": "ACTIVE", "expiration_time": "2026-11-23T12:05:00.000Z"}
ERROR = {"error_type": "NOT_FOUND", "messages": []}
REST_ERROR = {"type": "com.vmware.vapi.std.errors.not_found", "value": {"messages": []}}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


def exchange(
    method: str, path: str, status: int, *, sent: Any = None, answered: Any = None, fault: str | None = None
) -> Exchange:
    request, answer = (b"" if value is None else json.dumps(value).encode() for value in (sent, answered))
    return Exchange(0.0, method, path, status, len(request), len(answer), "me", True, request, answer, fault)


GOOD = {
    "read": exchange("GET", f"{API}/a:b", 200, answered=SESSION),
    "read in the old dialect": exchange("GET", f"{REST}/update-session/id:a:b", 200, answered={"value": SESSION}),
    "create": exchange("POST", f"{API}?client_token=t", 201, sent={"library_item_id": "c"}, answered="a:b"),
    "list with a filter": exchange("GET", f"{API}?library_item_id=c", 200, answered=["a:b"]),
    "keep-alive without a body": exchange("POST", f"{API}/a:b?action=keep-alive", 204),
    "a name that needs encoding": exchange("DELETE", f"{API}/a:b/file/my%2Ffile%20x.iso", 204),
    "told from its twin by a parameter": exchange(
        "GET", f"{API.replace('update', 'download')}/a:b/file?file_name=x", 404, answered=ERROR
    ),
    "refused login": exchange("POST", "/api/session", 401, answered={"messages": []}),
    "missing privilege": exchange("DELETE", f"{API}/a:b", 403, answered={"error_type": "UNAUTHORIZED", "messages": []}),
}
BAD = {
    "wrong verb": (exchange("PUT", f"{API}/a:b", 204), "no such operation"),
    "wrong path": (exchange("GET", "/api/content/library/item/updatesession/a:b", 200), "no such operation"),
    "id: left out": (exchange("GET", f"{REST}/update-session/a:b", 200, answered={"value": SESSION}), "no such"),
    "action of the other dialect": (exchange("POST", f"{API}/a:b?~action=cancel", 204), "no such operation"),
    "unknown action": (exchange("POST", f"{API}/a:b?action=abort", 204), "no such operation"),
    "unknown query parameter": (exchange("GET", f"{API}?item=c", 200, answered=[]), "parameter item is not"),
    "missing query parameter": (exchange("GET", f"{REST}/file", 200, answered={"value": []}), "is missing"),
    "unknown field sent": (
        exchange("POST", f"{API}/a:b?action=fail", 204, sent={"client_error_message": "x", "why": "y"}),
        "the request at $: Additional properties",
    ),
    "renamed field sent": (
        exchange("POST", f"{API}/a:b?action=fail", 204, sent={"error_message": "x"}),
        "client_error_message' is a required",
    ),
    "envelope left out": (
        exchange("POST", f"{REST}/update-session", 200, sent={"library_item_id": "c"}, answered={"value": "a:b"}),
        "create_spec' is a required",
    ),
    "envelope of the other dialect": (
        exchange("POST", API, 201, sent={"create_spec": {"library_item_id": "c"}}, answered="a:b"),
        "Additional properties",
    ),
    "body missing": (exchange("POST", f"{API}/a:b?action=fail", 204), "lacks its body"),
    "body where there is none": (exchange("POST", f"{API}/a:b?action=complete", 204, sent={}), "none is described"),
    "wrong status": (exchange("POST", f"{API}/a:b?action=cancel", 200), "status 200 is not described"),
    "unknown field answered": (exchange("GET", f"{API}/a:b", 200, answered={**SESSION, "x": 1}), "'x' was unexpected"),
    "unknown value answered": (exchange("GET", f"{API}/a:b", 200, answered={"state": "OPEN"}), "'OPEN' is not one of"),
    "wrong type answered": (exchange("GET", f"{API}/a:b", 200, answered={"client_progress": "5"}), "not of type"),
    "no time": (exchange("GET", f"{API}/a:b", 200, answered={"expiration_time": "soon"}), "is not a 'date-time'"),
    "too large": (exchange("GET", f"{API}/a:b", 200, answered={"client_progress": 2**63}), "is not a 'int64'"),
    "envelope missing in the answer": (exchange("GET", f"{REST}/update-session", 200, answered=["a"]), "not of type"),
    "an answer where there is none": (exchange("DELETE", f"{API}/a:b", 204, answered="x"), "none is described"),
    "error of the other dialect": (exchange("GET", f"{API}/a:b", 404, answered=REST_ERROR), "'messages' is a required"),
    "unknown error": (
        exchange("GET", f"{API}/a:b", 404, answered={"error_type": "LOST", "messages": []}),
        "'LOST' is not one of",
    ),
    "map of the other dialect": (
        exchange(
            "GET",
            f"{REST}/update-session/id:a:b",
            200,
            answered={"value": {"error_message": {"id": "", "default_message": "", "args": [], "params": {}}}},
        ),
        "{} is not of type 'array'",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_described_passes(contract: Contract, name: str) -> None:
    assert contract.violations(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_a_deviation_is_named(contract: Contract, name: str) -> None:
    deviant, words = BAD[name]
    assert words in "\n".join(contract.violations(deviant))


def test_nonsense_that_was_sent_on_purpose_is_wrong_only_if_it_is_taken(contract: Contract) -> None:
    sent = {"why": "x"}
    refused = exchange("POST", f"{API}/a:b?action=fail", 400, sent=sent, answered=ERROR)
    taken = exchange("POST", f"{API}/a:b?action=fail", 204, sent=sent)
    assert contract.violations(refused, deliberate=True) == []
    assert contract.violations(refused) != []
    assert contract.violations(taken, deliberate=True) != []


def test_an_injected_fault_excuses_the_answer_but_not_the_request(contract: Contract) -> None:
    assert contract.violations(exchange("GET", f"{API}/a:b", 502, fault="html")) == []
    assert contract.violations(exchange("GET", f"{API}/a:b?x=1", 502, fault="html")) != []


def test_an_entry_that_nothing_meets_is_named() -> None:
    contract = load_contract()
    assert {"probe", "401"} <= set(contract.unused())
    contract.violations(exchange("GET", f"{API}/a:b", 401, answered=ERROR))
    contract.violations(exchange("POST", f"{API}/file?action=probe", 200))
    assert {"probe", "401"}.isdisjoint(contract.unused())


def test_versions_add_up_and_may_not_contradict_each_other() -> None:
    def document(verb: str, kind: str) -> dict[str, Any]:
        answer = {"description": "Prose.", "schema": {"$ref": "#/definitions/T"}}
        operation = {"parameters": [], "responses": {"200": answer}, "summary": "Prose."}
        general = {name: {"type": "object"} for name in ("VapiStdErrorsError", "vapi.std.errors.error_error")}
        return {
            "paths": {"/api/content/library": {verb: operation}, "/api/vcenter/vm": {verb: operation}},
            "definitions": {"T": {"type": kind, "description": "Prose."}, "Unused": {"type": kind}, **general},
        }

    both = reduce_descriptions({"1": document("get", "string"), "2": document("post", "string")})
    assert sorted(both["operations"]) == ["GET /api/content/library", "POST /api/content/library"]
    assert both["definitions"]["T"] == {"type": "string"}
    assert "Unused" not in both["definitions"]
    assert "Prose" not in json.dumps(both)
    with pytest.raises(ValueError, match="disagree about T"):
        reduce_descriptions({"1": document("get", "string"), "2": document("get", "integer")})
