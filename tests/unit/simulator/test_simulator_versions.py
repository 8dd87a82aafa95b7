# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of vCenters, by version: logins, identifiers, addresses, and items that are not as they should be."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.harness.clocks import HandClock
from tests.harness.held import item_id, update_states
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import PRIVILEGES
from tests.simulator.server import Settings
from tests.simulator.versions import as_version
from tests.unit.simulator.wire_client import Wire, wire_error, wire_messages

DOWN = "download-session"


def of_item(**facts: Any) -> Seed:
    return Seed(libraries=(LibrarySeed("templates", (ItemSeed("tools", "iso", {"a.iso": b"content"}, **facts),)),))


@pytest.mark.fact("login-limit", "login-limit-by-version")
@pytest.mark.parametrize(("together", "others_may"), [(0, True), (2, False)])
def test_one_login_too_many(server: Simulator, dialect: str, together: int, others_may: bool) -> None:
    server.reset(Seed(login_limit=2, logins_together=together))
    wire = Wire(server, dialect)
    Wire(server, dialect)
    refused = wire.log_in(server.username, server.password)
    assert (refused.status_code, wire_error(refused)) == (503, "SERVICE_UNAVAILABLE")
    assert wire_messages(refused)[0]["id"].endswith(".failedToLoginMaxUserSessionCountReached")
    assert (wire.log_in("viewer@vsphere.local", server.password).status_code < 300) == others_may
    server.run(lambda store: store.logins.logout(wire.token))
    assert wire.log_in(server.username, server.password).status_code < 300


@pytest.mark.fact("token-ends-absolutely")
def test_a_busy_token_ends_as_well(server: Simulator, dialect: str, clock: HandClock) -> None:
    server.reset(Seed(token_seconds=3000))
    wire = Wire(server, dialect)
    for expected in (200, 200, 401):
        clock.pass_time(1100)
        assert wire.list().status_code == expected


@pytest.mark.fact("ended-sessions-vanish")
def test_sessions_that_have_ended_vanish_after_a_while(
    server: Simulator, wire: Wire, iso: str, clock: HandClock
) -> None:
    session, download = wire.open(iso), wire.open(iso, DOWN)
    wire.act(session, "cancel")
    wire.act(download, "cancel", kind=DOWN)
    assert update_states(server) == {session: "CANCELED"}
    clock.pass_time(3000)
    assert wire.get(session).status_code == 401
    again = Wire(server, wire.dialect)
    assert (again.get(session).status_code, again.get(download, DOWN).status_code) == (200, 200)
    clock.pass_time(1000)
    assert (again.get(session).status_code, again.get(download, DOWN).status_code) == (404, 404)


@pytest.mark.fact("post-uploads-as-well")
def test_content_may_be_posted(server: Simulator, wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]
    answer = requests.post(uri, data=b"content", headers={"Content-Type": "text/ovf"}, verify=server.ca_path)
    assert answer.status_code == 200
    clock.settle()
    assert wire.value(wire.file(session, "a.iso"))["status"] == "READY"


@pytest.mark.fact("urls-carry-the-primary-name")
@pytest.mark.parametrize(("name", "said"), [("primary", "localhost"), ("as-asked", "127.0.0.1")])
def test_addresses_carry_the_name_of_the_server_or_the_one_that_was_asked(
    server: Simulator, dialect: str, name: str, said: str
) -> None:
    server.reset(Seed(endpoint_name=name))
    wire = Wire(server, dialect)
    target = wire.value(wire.add(wire.open(item_id(server)), "a.iso"))
    assert target["upload_endpoint"]["uri"].startswith(f"https://{said}:{server.port}/")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings("::1"), "localhost"),
        (Settings("vcenter.test"), "vcenter.test"),
        (Settings("127.0.0.1", primary_name="vcenter.test"), "vcenter.test"),
    ],
)
def test_the_own_name_of_a_server(settings: Settings, name: str) -> None:
    assert settings.own_name == name


@pytest.mark.fact("backing-gone", "deletion-in-use", "uncached-has-size-0", "verification-statuses")
def test_items_that_are_not_as_they_should_be(server: Simulator, dialect: str) -> None:
    server.reset(of_item(backing="gone", in_use=True, cached=False, verification="INTERNAL"))
    wire, item = Wire(server, dialect), item_id(server)
    model = wire.value(wire.item(item))
    assert (model["size"], model["cached"]) == (0, False)
    assert model["certificate_verification_info"]["status"] == "INTERNAL"
    assert [(entry["size"], entry["cached"]) for entry in wire.value(wire.item_files(item))] == [(0, False)]
    refusal = wire.add(wire.open(item), "b.iso")
    assert (refusal.status_code, wire_error(refusal)) == (400, "RESOURCE_INACCESSIBLE")
    refusal = wire.delete_item(item)
    assert (refusal.status_code, wire_error(refusal)) == (400, "RESOURCE_IN_USE")


@pytest.mark.fact("vm-template-takes-no-session")
def test_a_vm_template_takes_no_sessions(server: Simulator, dialect: str) -> None:
    server.reset(Seed(libraries=(LibrarySeed("templates", (ItemSeed("tools", "vm-template"),)),)))
    wire, item = Wire(server, dialect), item_id(server)
    refusals = {"update": wire.create(item), DOWN: wire.create(item, DOWN)}
    for kind, refusal in refusals.items():
        assert (refusal.status_code, wire_error(refusal)) == (400, "INVALID_ELEMENT_TYPE")
        assert wire_messages(refusal)[0]["id"].endswith(f".{kind.partition('-')[0]}_session_unsupported")
        assert "contains a virtual machine template" in wire_messages(refusal)[0]["default_message"]


@pytest.mark.fact("direct-needs-a-privilege-at-creation", "storage-names")
def test_a_session_from_before_the_privilege_prepares_nothing_direct(server: Simulator, dialect: str) -> None:
    poor = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    server.reset(Seed(libraries=of_item().libraries, users=(UserSeed("a@x", privileges=poor),)))
    wire = Wire(server, dialect)
    session = wire.open(item_id(server), DOWN)
    rich = UserSeed("a@x")
    server.run(lambda store: store.users.update({"a@x": rich}))
    wire = Wire(server, dialect)
    assert wire.prepare(session, "a.iso", endpoint_type="DIRECT").status_code == 403
    later = wire.open(item_id(server), DOWN)
    assert wire.value(wire.prepare(later, "a.iso", endpoint_type="DIRECT"))["status"] == "PREPARE_REQUESTED"


@pytest.mark.fact("session-ids-are-opaque", "rest-error-type", "authentication-required-id", "login-sets-a-cookie")
@pytest.mark.parametrize(("version", "parts", "typed"), [("6.7", 2, False), ("7.0", 1, True), ("8.0", 2, True)])
def test_how_versions_write_identifiers_and_errors(server: Simulator, version: str, parts: int, typed: bool) -> None:
    server.reset(as_version(Seed(), version))
    wire = Wire(server, "rest")
    assert wire.http.cookies.get("vmware-api-session-id") == wire.token
    wire.http.cookies.clear()
    assert len(wire.open(item_id(server)).split(":")) == parts
    error = Wire(server, "rest", log_in=False).list().json()
    assert error["type"] == "com.vmware.vapi.std.errors.unauthenticated"
    assert ("error_type" in error["value"], "challenge" in error["value"]) == (typed, typed)
    (text,) = error["value"]["messages"]
    assert text["id"].startswith("com.vmware.") == typed
