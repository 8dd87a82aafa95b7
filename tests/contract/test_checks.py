# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract sees each kind of deviation from the description, on both sides of the wire."""

from __future__ import annotations

import pytest

from tests.contract.checks import Contract, load_contract
from tests.contract.exchanges import (
    API,
    ERROR,
    MEETING,
    PLAIN,
    REST,
    REST_ERROR,
    SDK,
    SESSION,
    api_error,
    exchange,
    rest_error,
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


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
    "missing privilege": exchange("DELETE", f"{API}/a:b", 403, answered=api_error("UNAUTHORIZED")),
    "busy": exchange("POST", API, 500, sent={"library_item_id": "c"}, answered=api_error("RESOURCE_BUSY")),
    "busy in the old dialect": exchange(
        "POST",
        f"{REST}/update-session",
        400,
        sent={"create_spec": {"library_item_id": "c"}},
        answered=rest_error("resource_busy"),
    ),
    "wrong state in the old dialect": exchange(
        "PATCH",
        f"{REST}/update-session/id:a:b",
        400,
        sent={"update_spec": {}},
        answered=rest_error("not_allowed_in_current_state", error_type="NOT_ALLOWED_IN_CURRENT_STATE"),
    ),
    "null for a list": exchange("GET", f"{REST}/update-session", 200, answered={"value": None}),
    "an old server has no warnings": exchange(
        "PATCH", f"{REST}/update-session/id:a:b", 404, sent={"update_spec": {}}, answered=PLAIN
    ),
    "a new server has no old dialect": exchange("POST", "/rest/com/vmware/cis/session", 404, answered=PLAIN),
    "cut before its body": exchange("POST", f"{API}/a:b?action=fail", 0),
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
    "error of another status": (exchange("GET", f"{API}/a:b", 404, answered=api_error("UNAUTHORIZED")), "does not go"),
    "error with the status of others": (
        exchange("POST", f"{API}/a:b?action=cancel", 400, answered=ERROR),
        "NOT_FOUND does not go with the status 400",
    ),
    "busy with the status of the other dialect": (
        exchange("POST", API, 400, sent={"library_item_id": "c"}, answered=api_error("RESOURCE_BUSY")),
        "RESOURCE_BUSY does not go with the status 400",
    ),
    "undescribed status of another error": (
        exchange("GET", f"{API}/a:b", 401, answered=ERROR),
        "NOT_FOUND does not go with the status 401",
    ),
    "error of another status in the old dialect": (
        exchange("GET", f"{REST}/update-session/id:a:b", 404, answered=rest_error("unauthenticated")),
        "UNAUTHENTICATED does not go with the status 404",
    ),
    "error that contradicts itself": (
        exchange("GET", f"{REST}/update-session/id:a:b", 404, answered=rest_error("not_found", error_type="CANCELED")),
        "CANCELED does not go with the status 404",
    ),
    "error without a type": (
        exchange("GET", f"{REST}/update-session/id:a:b", 404, answered={"value": {"messages": []}}),
        "'type' is a required",
    ),
    "error without a value": (
        exchange("GET", f"{REST}/update-session/id:a:b", 404, answered={"type": REST_ERROR["type"]}),
        "'value' is a required",
    ),
    "wrong path that is told so in plain text": (
        exchange("DELETE", f"{API}s/a:b", 404, answered=PLAIN),
        "no such operation",
    ),
    "wrong field of what an old server does not have": (
        exchange("PATCH", f"{REST}/update-session/id:a:b", 404, sent={"update": {}}, answered=PLAIN),
        "'update_spec' is a required",
    ),
    "plain text of what each server has": (
        exchange("GET", f"{REST}/update-session/id:a:b", 404, answered=PLAIN),
        "is not JSON",
    ),
    "probe of the other dialect": (exchange("POST", f"{REST}/updatesession/file?action=probe", 200), "no such"),
    "our query in a body": (
        exchange("GET", f"{API}/a:b/file?file_name", 200, sent={"file_name": "x"}, answered=[]),
        "the request has a body",
    ),
    "another body than that of the query": (
        exchange("GET", f"{API}/a:b/file?file_name", 200, sent={"name": "x"}, answered=[], client=SDK),
        "the request has a body",
    ),
    "answer to a query in a body": (
        exchange(
            "GET",
            f"{API.replace('update', 'download')}/a:b/file?file_name",
            200,
            sent={"file_name": "x"},
            answered=[],
            client=SDK,
        ),
        "[] is not of type 'object'",
    ),
    "our media type": (exchange("POST", API, 415, sent={"library_item_id": "c"}), "status 415 is not described"),
    "no new identifier": (
        exchange("POST", f"{REST}/update-session", 200, sent={"create_spec": {}}, answered={"value": None}),
        "None is not of type 'string'",
    ),
    "nothing at all": (
        exchange("POST", f"{REST}/update-session", 200, sent={"create_spec": {}}, answered={}),
        "'value' is a required",
    ),
    "query parameter twice": (
        exchange("GET", f"{API}?library_item_id=c&library_item_id=d", 200, answered=[]),
        "library_item_id is repeated",
    ),
    "one of a set twice": (
        exchange(
            "POST",
            f"{API}/a:b/file?action=validate",
            200,
            answered={"has_errors": True, "missing_files": ["a", "a"], "invalid_files": []},
        ),
        "has non-unique elements",
    ),
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


def test_nonsense_of_a_foreign_client_is_wrong_only_if_it_is_taken(contract: Contract) -> None:
    path, sent, answer = f"{API}/a:b?action=fail", {"why": "x"}, api_error("INVALID_ARGUMENT")
    assert contract.violations(exchange("POST", path, 400, sent=sent, answered=answer, client=SDK)) == []
    assert contract.violations(exchange("POST", path, 400, sent=sent, answered=answer)) != []
    assert contract.violations(exchange("POST", path, 204, sent=sent, client=SDK)) != []


def test_a_type_of_a_query_parameter_counts(contract: Contract) -> None:
    path, facts = "/api/content/library", contract.description["operations"]["GET /api/content/library"]
    limited = {**facts, "query": {"limit": {"required": False, "type": "integer"}}}
    described = {**contract.description, "operations": {f"GET {path}": limited}}
    assert Contract(described).violations(exchange("GET", f"{path}?limit=5", 200, answered=[])) == []
    found = Contract(described).violations(exchange("GET", f"{path}?limit=true", 200, answered=[]))
    assert found == [f"GET {path}?limit=true -> 200: the query parameter limit at $: True is not of type 'integer'"]


def test_an_injected_fault_excuses_the_answer_but_not_the_request(contract: Contract) -> None:
    assert contract.violations(exchange("GET", f"{API}/a:b", 502, fault="html")) == []
    assert contract.violations(exchange("GET", f"{API}/a:b?x=1", 502, fault="html")) != []


def test_each_entry_of_the_undescribed_can_be_met() -> None:
    assert sorted(MEETING) == sorted(load_contract().unused())


@pytest.mark.parametrize("entry", MEETING)
def test_what_is_listed_as_undescribed_passes_and_counts_as_met(entry: str) -> None:
    contract = load_contract()
    assert contract.violations(MEETING[entry]) == []
    assert entry not in contract.unused()
