# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each error that the API publishes, with the status and the shape of its dialect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.clocks import HandClock
from tests.simulator import LibrarySeed, Seed, Simulator
from tests.unit.simulator.wire_client import Wire, wire_error, wire_messages

GONE = "00000000-0000-0000-0000-000000000000:00000000-0000-0000-0000-000000000000"
NOBODY = "00000000-0000-0000-0000-000000000000"


def expect(response: Any, status: int, error: str) -> None:
    assert (response.status_code, wire_error(response)) == (status, error), response.text


def test_envelope(wire: Wire) -> None:
    body = wire.get(GONE).json()
    if wire.dialect == "api":
        assert body["error_type"] == "NOT_FOUND"
        messages = body["messages"]
    else:
        assert body["type"] == "com.vmware.vapi.std.errors.not_found"
        messages = body["value"]["messages"]
    assert messages[0]["id"].startswith("com.vmware.vdcs.cls-main.")
    assert messages[0]["args"] == [GONE]


@pytest.mark.parametrize("state", ["DONE", "ERROR", "CANCELED"])
def test_what_needs_an_active_session(server: Simulator, wire: Wire, iso: str, state: str) -> None:
    session = server.run(lambda store: store.seed_update_session(iso, state=state, error_message="Pipe closed"))
    for response in (
        wire.patch(session, warning_behavior=[]),
        wire.act(session, "complete"),
        wire.act(session, "cancel"),
        wire.act(session, "fail", {"client_error_message": "x"}),
        wire.act(session, "keep-alive", {}),
        wire.add(session, "a.iso"),
        wire.validate(session),
    ):
        expect(response, 400, "NOT_ALLOWED_IN_CURRENT_STATE")
    text = wire_messages(wire.act(session, "complete"))[0]
    assert text["args"] == ["complete", state] + (["Pipe closed"] if state == "ERROR" else [])
    assert f"can not be invoked when the import session is in the {state} state" in text["default_message"]
    assert wire.delete(session).status_code in (200, 204)


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("../a.iso", {}),
        ("", {}),
        ("a.iso", {"size": -1}),
        ("a.iso", {"source_type": "PULL"}),
        ("a.iso", {"source_endpoint": {"uri": "http://localhost/a"}}),
        ("a.iso", {"checksum_info": {"checksum": "12"}}),
        ("a.iso", {"checksum_info": {"algorithm": "SHA3", "checksum": "0" * 64}}),
        ("a.ova", {"checksum_info": {"checksum": "0" * 40}}),
        ("a.iso", {"source_type": "PULL", "source_endpoint": {"uri": "gopher://x/a"}}),
        ("a.iso", {"source_type": "PULL", "source_endpoint": {"uri": "https://x", "ssl_certificate_thumbprint": "1"}}),
    ],
)
def test_add_refuses(wire: Wire, iso: str, name: str, spec: dict[str, Any]) -> None:
    expect(wire.add(wire.open(iso), name, **spec), 400, "INVALID_ARGUMENT")


def test_progress_is_a_percentage(wire: Wire, iso: str) -> None:
    session = wire.open(iso)
    expect(wire.act(session, "keep-alive", {"client_progress": 101}), 400, "INVALID_ARGUMENT")
    assert wire.act(session, "keep-alive", {"client_progress": 40}).status_code in (200, 204)
    assert wire.model(session)["client_progress"] == 40


def test_items_duplicate_subscribed_and_unknown(server: Simulator, wire: Wire, synced: str) -> None:
    library = server.run(lambda store: store.find_library_id("templates"))
    mirror = server.run(lambda store: store.find_library_id("mirror"))
    refusal = wire.create_item(library_id=library, name="tools", type="iso")
    expect(refusal, 400, "ALREADY_EXISTS")
    assert wire_messages(refusal)[0]["id"].endswith(".duplicate_item_name_unsupported_in_library")
    assert wire_messages(refusal)[0]["args"] == ["tools", "templates", library]
    expect(wire.create_item(library_id=mirror, name="x"), 400, "INVALID_ELEMENT_TYPE")
    expect(wire.create_item(library_id=NOBODY, name="x"), 404, "NOT_FOUND")
    expect(wire.create_item(name="x"), 400, "INVALID_ARGUMENT")
    expect(wire.delete_item(synced), 400, "INVALID_ELEMENT_TYPE")
    expect(wire.item(NOBODY), 404, "NOT_FOUND")


def test_a_security_policy_takes_ovf_items_only(server: Simulator, dialect: str) -> None:
    server.reset(Seed(libraries=(LibrarySeed("vault", security_policy_id="policy-1"),)))
    wire, library = Wire(server, dialect), server.run(lambda store: store.find_library_id("vault"))
    expect(wire.create_item(library_id=library, name="x", type="iso"), 400, "INVALID_ARGUMENT")
    assert wire.create_item(library_id=library, name="x", type="ovf").status_code in (200, 201)


@pytest.mark.parametrize(("knob", "text"), [("[]", '{"value": []}'), ("null", '{"value": null}'), ("{}", "{}")])
def test_how_an_empty_list_looks_on_rest(server: Simulator, knob: str, text: str) -> None:
    server.reset(Seed(rest_empty_list=knob))
    assert Wire(server, "rest").list().text == text
    assert Wire(server, "api").list().text == "[]"


def test_logins(server: Simulator, dialect: str, clock: HandClock) -> None:
    wire = Wire(server, dialect)
    assert wire.value(wire.who_am_i())["user"] == server.username
    other = Wire(server, "rest" if dialect == "api" else "api", log_in=False)
    other.http.headers["vmware-api-session-id"] = wire.token
    assert other.who_am_i().status_code == 200
    assert wire.call("DELETE", wire.session_path).status_code in (200, 204)
    expect(wire.who_am_i(), 401, "UNAUTHENTICATED")
    expect(wire.list(), 401, "UNAUTHENTICATED")
    expect(wire.log_in(server.username, "wrong"), 401, "UNAUTHENTICATED")
