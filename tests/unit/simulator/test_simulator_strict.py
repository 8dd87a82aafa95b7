# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that a vCenter would not take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator import Seed, Simulator
from tests.unit.simulator.wire_client import Wire, wire_error, wire_messages

API = "/api/content/library/item/update-session"
REST = "/rest/com/vmware/content/library/item/update-session"


@pytest.mark.parametrize(
    "spec",
    [
        {"library_item": "x"},
        {"library_item_id": 7},
        {},
        {"client_progress": "12"},
        {"warning_behavior": [{"type": "SELF_SIGNED_CERTIFICATE"}]},
        {"warning_behavior": [{"type": "BAD_HAIR", "ignored": True}]},
        {"warning_behavior": {"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}},
    ],
)
def test_bodies(wire: Wire, spec: dict[str, Any], iso: str) -> None:
    full = spec if spec.get("library_item_id") or not spec else {"library_item_id": iso, **spec}
    path, body = (API, full) if wire.dialect == "api" else (REST, {"create_spec": full})
    response = wire.call("POST", path, body)
    assert (response.status_code, wire_error(response)) == (400, "INVALID_ARGUMENT")


def test_each_dialect_has_its_own_envelope(server: Simulator, iso: str) -> None:
    assert Wire(server, "api").call("POST", API, {"create_spec": {"library_item_id": iso}}).status_code == 400
    assert Wire(server, "rest").call("POST", REST, {"library_item_id": iso}).status_code == 400


def test_each_dialect_has_its_own_action(server: Simulator, iso: str) -> None:
    wire = Wire(server, "api")
    session = wire.open(iso)
    for path in (
        f"{API}/{session}?~action=cancel",
        f"{API}/{session}?action=reopen",
        f"{API}/id:{session}?action=cancel",
        f"{REST}/id:{session}?action=cancel",
        f"{REST}/{session}?~action=cancel",
    ):
        response = wire.call("POST", path)
        assert response.status_code == 404, path
    assert wire.model(session)["state"] == "ACTIVE"


@pytest.mark.fact("unknown-operation-is-json")
def test_unknown_paths_and_verbs_are_404_by_an_id_of_their_own(wire: Wire, iso: str) -> None:
    prefix = "/api" if wire.dialect == "api" else "/rest/com/vmware"
    for verb, path in (
        ("PUT", f"{prefix}/content/library/item/update-session"),
        ("GET", f"{prefix}/content/libraries"),
    ):
        response = wire.call(verb, path)
        assert (response.status_code, wire_error(response)) == (404, "NOT_FOUND")
        assert wire_messages(response)[0]["id"] == "com.vmware.vapi.rest.operationsForUrlNotFound"
    elsewhere = wire.call("GET", "/elsewhere")
    assert (elsewhere.status_code, elsewhere.headers["Content-Type"].partition(";")[0]) == (404, "text/plain")


def test_unknown_and_missing_query_parameters(wire: Wire) -> None:
    prefix = "/api" if wire.dialect == "api" else "/rest/com/vmware"
    for path in ("/content/library/item/update-session?item=1", "/content/library/item"):
        response = wire.call("GET", prefix + path)
        assert (response.status_code, wire_error(response)) == (400, "INVALID_ARGUMENT")


def test_a_body_needs_its_content_type(wire: Wire, iso: str) -> None:
    path = API if wire.dialect == "api" else REST
    assert wire.call("POST", path, data='{"library_item_id": "x"}').status_code == 415
    response = wire.call("POST", path, data="{not json", headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_without_a_token(server: Simulator, dialect: str) -> None:
    response = Wire(server, dialect, log_in=False).list()
    assert (response.status_code, wire_error(response)) == (401, "UNAUTHENTICATED")


def test_percent_encoded_identifiers_are_the_same_identifiers(wire: Wire, iso: str) -> None:
    session = wire.open(iso)
    assert wire.get(session.replace(":", "%3A")).status_code == 200


def test_patch_takes_warning_behavior_and_nothing_else(wire: Wire, ovf: str) -> None:
    session = wire.open(ovf)
    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    assert "warning_behavior" not in wire.model(session)
    assert wire.patch(session, warning_behavior=behavior).status_code in (200, 204)
    message = {"id": "x", "default_message": "x", "args": []}
    ignored = {"type": "SELF_SIGNED_CERTIFICATE", "message": message, "ignored": True}
    trap = {"state": "AVAILABLE", "warnings": [ignored]}
    assert wire.patch(session, preview_info=trap, client_progress=7, state="DONE").status_code in (200, 204)
    model = wire.model(session)
    assert (model["warning_behavior"], model["state"], model["client_progress"]) == (behavior, "ACTIVE", 0)


def test_deviating_servers(server: Simulator, dialect: str) -> None:
    def item() -> str:
        return server.run(lambda store: store.find_item_id("templates", "rocky9"))

    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    server.reset(Seed(patch_ignored=True))
    wire = Wire(server, dialect)
    session = wire.open(item())
    assert wire.patch(session, warning_behavior=behavior).status_code in (200, 204)
    assert "warning_behavior" not in wire.model(session)

    server.reset(Seed(preview=False, omit_session_id=True, probe=False))
    wire = Wire(server, dialect)
    session = wire.open(item())
    assert not {"preview_info", "warning_behavior", "id"} & set(wire.model(session))
    assert wire.patch(session, warning_behavior=behavior).status_code == 404
    assert wire.create(item(), warning_behavior=behavior).status_code == 400
    assert wire.probe(uri="http://localhost/x").status_code == 404
    assert "security_compliance" not in wire.value(wire.item(item()))


def test_one_dialect_only() -> None:
    with Simulator(dialect="rest") as sim:
        response = Wire(sim, "api", log_in=False).log_in(sim.username, sim.password)
        assert (response.status_code, response.headers["Content-Type"].partition(";")[0]) == (404, "text/plain")
        assert Wire(sim, "rest").list().status_code == 200


def test_a_get_as_the_official_bindings_send_it(server: Simulator, iso: str) -> None:
    server.run(lambda store: store.seed_item_files(iso, {"a.iso": b"1"}))
    wire = Wire(server, "api")
    path = f"/api/content/library/item/{iso}/file?name"
    answer = wire.call("GET", path, data='{"name": "a.iso"}')
    assert (answer.status_code, answer.json()["name"]) == (200, "a.iso")
    assert wire.call("GET", path, data="{}").status_code == 400
    assert wire.call("GET", f"/api/content/library/item/{iso}/file?name=b.iso").status_code == 404
