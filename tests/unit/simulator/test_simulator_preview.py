# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the preview tells of a package, and what that means for complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.clocks import SETTLE, HandClock
from tests.harness.held import item_id
from tests.harness.packages import ACCEPTED, Package, make_package
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tests.unit.simulator.wire_client import Wire


def push_package(wire: Wire, item: str, package: Package, clock: HandClock, **spec: Any) -> str:
    session = wire.open(item, **spec)
    for path in package.files:
        assert wire.push(session, path.name, path.read_bytes()).status_code == 200
    clock.settle()
    return session


def find(server: Simulator, library: str = "templates") -> str:
    return server.run(lambda store: store.find_item_id(library, "rocky9"))


@pytest.mark.parametrize(
    ("signed", "trust", "expected"),
    [
        (None, False, []),
        ("self-signed", False, ["SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE"]),
        ("trusted", True, []),
        ("untrusted", False, ["UNTRUSTED_CERTIFICATE"]),
        ("expired", True, ["EXPIRED_CERTIFICATE"]),
        ("not-yet-valid", True, ["NOT_YET_VALID_CERTIFICATE"]),
        ("expired", False, ["EXPIRED_CERTIFICATE", "UNTRUSTED_CERTIFICATE"]),
    ],
)
def test_warnings(
    server: Simulator,
    dialect: str,
    clock: HandClock,
    tmp_path: Path,
    signed: str | None,
    trust: bool,
    expected: list[str],
) -> None:
    package = make_package(tmp_path, signed=signed, disks=1, disk_bytes=1000)
    server.reset(Seed(trusted_roots=(str(package.root_pem),) if trust else ()))
    wire, item = Wire(server, dialect), find(server)
    session = push_package(wire, item, package, clock)
    preview = wire.model(session)["preview_info"]
    assert preview["state"] == "AVAILABLE"
    assert sorted(entry["type"] for entry in preview["warnings"]) == expected
    assert ("certificate_info" in preview) == (signed is not None)
    if signed:
        info = preview["certificate_info"]
        assert info["subject"].startswith("CN=Image Builder")
        assert info["self_signed"] == (signed == "self-signed")
        assert info["subject"].count(", O=") == 1
        assert "".join(info["x509"].splitlines()[1:-1]) == preview["cert_chain"][0]

    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    model = wire.model(session)
    assert model["state"] == ("ERROR" if expected else "DONE")
    if expected:
        assert all(kind in model["error_message"]["default_message"] for kind in expected)
        assert wire.delete(session).status_code in (200, 204)
        behavior = [{"type": kind, "ignored": True} for kind in expected]
        session = push_package(wire, item, package, clock, warning_behavior=behavior)
        assert all(entry["ignored"] for entry in wire.model(session)["preview_info"]["warnings"])
        assert wire.act(session, "complete").status_code in (200, 204)
        clock.settle()
        assert wire.model(session)["state"] == "DONE"
    verdict = wire.value(wire.item(item))["certificate_verification_info"]
    assert verdict["status"] == {
        None: "NOT_AVAILABLE",
        "trusted": "VERIFIED",
        "self-signed": "UNTRUSTED",
        "untrusted": "UNTRUSTED",
    }.get(signed, "VERIFICATION_FAILURE")


def test_a_warnings_message_is_written_as_the_dialect_writes_maps(
    server: Simulator, dialect: str, clock: HandClock, tmp_path: Path
) -> None:
    server.reset(Seed(warning_texts="named"))
    wire = Wire(server, dialect)
    package = make_package(tmp_path, signed="self-signed", disks=0)
    session = push_package(wire, item_id(server, "rocky9"), package, clock)
    params = wire.model(session)["preview_info"]["warnings"][0]["message"]["params"]
    if wire.dialect == "rest":
        params = {entry["key"]: entry["value"] for entry in params}
        nested = {entry["key"]: entry["value"] for entry in params["reason"]["l"]["params"]}
    else:
        nested = params["reason"]["l"]["params"]
    assert nested["subject"] == params["subject"]
    assert params["not_after"]["format"] == "MED_DATE"
    assert isinstance(params["days_left"]["d"], float)


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        ("descriptor", "rocky9.ovf"),
        ("disk", "rocky9-disk1.vmdk"),
        ("manifest", "rocky9.cert"),
        ("signature", "rocky9.cert"),
    ],
)
def test_what_was_changed_after_signing(
    wire: Wire, ovf: str, clock: HandClock, tmp_path: Path, tamper: str, broken: str
) -> None:
    package = make_package(tmp_path, signed="self-signed", tamper=tamper, disks=1, disk_bytes=1000)
    session = push_package(wire, ovf, package, clock)
    states = {entry["name"]: entry["status"] for entry in wire.value(wire.files(session))}
    assert {name for name, state in states.items() if state == "ERROR"} == {broken}
    assert [entry["name"] for entry in wire.value(wire.validate(session))["invalid_files"]] == [broken]


def test_the_states_of_a_preview(wire: Wire, ovf: str, clock: HandClock, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=0)
    session = wire.open(ovf)

    def state() -> str:
        return str(wire.model(session)["preview_info"]["state"])

    assert state() == "UNAVAILABLE"
    wire.push(session, package.manifest.name, package.manifest.read_bytes())
    target = wire.value(wire.add(session, package.descriptor.name))["upload_endpoint"]["uri"]
    assert state() == "UNAVAILABLE"
    wire.put(target, package.descriptor.read_bytes())
    assert state() == "PREPARING"
    clock.pass_time(SETTLE * 1.1)
    assert wire.value(wire.file(session, package.descriptor.name))["status"] == "READY"
    assert state() == "PREPARING"
    clock.pass_time(SETTLE)
    assert state() == "AVAILABLE"


def test_an_image_has_no_preview(wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    wire.push(session, "a.iso", b"1")
    clock.settle()
    assert wire.model(session)["preview_info"] == {"state": "UNAVAILABLE"}
    wire.act(session, "complete")
    assert wire.model(session)["preview_info"] == {"state": "NOT_APPLICABLE"}


def test_a_security_policy(server: Simulator, dialect: str, clock: HandClock, tmp_path: Path) -> None:
    vault = LibrarySeed("vault", (ItemSeed("rocky9", "ovf"),), security_policy_id="policy-1")
    server.reset(Seed(libraries=(vault,)))
    wire, item = Wire(server, dialect), find(server, "vault")
    unsigned = push_package(wire, item, make_package(tmp_path / "a", disks=0), clock)
    wire.act(unsigned, "complete")
    clock.settle()
    model = wire.model(unsigned)
    assert (model["state"], "policy-1" in model["error_message"]["default_message"]) == ("ERROR", True)
    package = make_package(tmp_path / "b", disks=0, signed="self-signed")
    tolerated = push_package(wire, item, package, clock, warning_behavior=ACCEPTED)
    wire.act(tolerated, "complete")
    clock.settle()
    assert wire.model(tolerated)["state"] == "DONE"
    assert wire.value(wire.item(item))["security_compliance"] is False
