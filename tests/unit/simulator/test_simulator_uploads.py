# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How content arrives: settling, checks, broken connections, and what complete makes of it."""

from __future__ import annotations

import hashlib
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.harness.clocks import SETTLE, HandClock
from tests.harness.held import contents, item_id
from tests.harness.packages import make_ova, make_package
from tests.harness.waiting import eventually
from tests.simulator import Seed, Simulator
from tests.unit.simulator.conftest import LOGIN_TIMEOUT, SESSION_TIMEOUT
from tests.unit.simulator.wire_client import Wire, wire_error, wire_messages

CONTENT = b"golden" * 5000


def status(wire: Wire, session: str, name: str) -> str:
    return str(wire.value(wire.file(session, name))["status"])


def test_a_file_settles_and_the_session_takes_it_over(
    server: Simulator, wire: Wire, iso: str, clock: HandClock
) -> None:
    session = wire.open(iso)
    target = wire.value(wire.add(session, "a b.iso"))
    assert target["status"] == "WAITING_FOR_TRANSFER"
    assert not {"size", "checksum_info"} & set(target)
    assert wire_error(wire.validate(session)) == "NOT_ALLOWED_IN_CURRENT_STATE"
    uri = target["upload_endpoint"]["uri"]
    assert uri.startswith(f"https://localhost:{server.port}/")
    assert uri.endswith("/a%20b.iso")
    refusal = wire.act(session, "complete")
    assert wire_messages(refusal)[0]["id"].endswith(".update_session_file_not_received")
    assert wire_messages(refusal)[0]["args"] == ["a b.iso", "WAITING"]

    assert wire.put(uri, CONTENT).status_code == 200
    assert status(wire, session, "a b.iso") == "TRANSFERRING"
    assert wire_error(wire.act(session, "complete")) == "NOT_ALLOWED_IN_CURRENT_STATE"
    clock.pass_time(SETTLE * 0.7)
    assert status(wire, session, "a b.iso") == "VALIDATING"
    clock.pass_time(SETTLE * 0.7)
    ready = wire.value(wire.file(session, "a b.iso"))
    assert (ready["status"], ready["size"], ready["bytes_transferred"]) == ("READY", len(CONTENT), len(CONTENT))
    digest = hashlib.sha1(CONTENT).hexdigest()
    assert ready["checksum_info"] == {"algorithm": "SHA1", "checksum": digest}

    assert wire.act(session, "complete").status_code in (200, 204)
    assert wire.model(session)["state"] == "ACTIVE"
    assert wire.value(wire.item_files(iso)) == []
    clock.settle()
    model = wire.model(session)
    assert (model["state"], "preview_info" in model) == ("DONE", False)
    (entry,) = wire.value(wire.item_files(iso))
    assert (entry["name"], entry["checksum_info"]["checksum"]) == ("a b.iso", digest)
    item = wire.value(wire.item(iso))
    assert (item["version"], item["content_version"], item["size"]) == ("1", "2", len(CONTENT))


@pytest.mark.parametrize(
    "spec",
    [
        {"size": 5},
        {"checksum_info": {"checksum": "0" * 40}},
        {"checksum_info": {"algorithm": "SHA256", "checksum": "0" * 64}},
    ],
)
def test_content_that_is_not_what_was_declared(wire: Wire, iso: str, clock: HandClock, spec: dict[str, Any]) -> None:
    session = wire.open(iso)
    assert wire.push(session, "a.iso", CONTENT, **spec).status_code == 200
    clock.settle()
    entry = wire.value(wire.file(session, "a.iso"))
    assert (entry["status"], entry["error_message"]["args"][0]) == ("ERROR", "a.iso")
    report = wire.value(wire.validate(session))
    assert (report["has_errors"], report["missing_files"]) == (True, [])
    assert report["invalid_files"] == [{"name": "a.iso", "error_message": entry["error_message"]}]
    assert wire_error(wire.act(session, "complete")) == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert wire.model(session)["state"] == "ACTIVE"
    assert wire.push(session, "a.iso", CONTENT).status_code == 200
    clock.settle()
    assert status(wire, session, "a.iso") == "READY"


def test_the_declared_algorithm_is_the_one_that_is_reported(wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    digest = hashlib.sha256(CONTENT).hexdigest()
    wire.push(session, "a.iso", CONTENT, checksum_info={"algorithm": "SHA256", "checksum": digest.upper()})
    clock.settle()
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    (entry,) = wire.value(wire.item_files(iso))
    assert entry["checksum_info"] == {"algorithm": "SHA256", "checksum": digest}


def test_a_server_without_checksums(server: Simulator, dialect: str, clock: HandClock) -> None:
    server.reset(Seed(checksum_algorithm="none"))
    wire = Wire(server, dialect)
    session = wire.open(server.run(lambda store: store.find_item_id("templates", "tools")))
    wire.push(session, "a.iso", CONTENT)
    clock.settle()
    assert "checksum_info" not in wire.value(wire.file(session, "a.iso"))
    synced = server.run(lambda store: store.find_item_id("mirror", "synced"))
    assert "checksum_info" not in wire.value(wire.item_files(synced))[0]


def test_a_broken_upload_leaves_what_arrived_and_can_be_sent_again(
    server: Simulator, iso: str, clock: HandClock
) -> None:
    wire = Wire(server, "api")
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]
    parts = urlsplit(uri)
    connection = http.client.HTTPSConnection(
        str(parts.hostname), parts.port, context=ssl.create_default_context(cafile=server.ca_path)
    )
    connection.putrequest("PUT", parts.path)
    connection.putheader("Content-Length", str(len(CONTENT)))
    connection.endheaders(CONTENT[:1000])
    connection.close()
    assert eventually(lambda: any(entry.method == "PUT" for entry in server.exchanges))
    clock.settle()
    entry = wire.value(wire.file(session, "a.iso"))
    assert (entry["status"], entry["bytes_transferred"] <= 1000) == ("TRANSFERRING", True)
    assert wire.put(uri, CONTENT).status_code == 200
    clock.settle()
    assert status(wire, session, "a.iso") == "READY"


def test_files_are_replaced_removed_and_kept(server: Simulator, wire: Wire, iso: str, clock: HandClock) -> None:
    server.run(lambda store: store.seed_item_files(iso, {"old.iso": b"1", "kept.iso": b"2", "same.iso": b"3"}))
    session = wire.open(iso)
    assert wire.remove(session, "old.iso").status_code in (200, 204)
    wire.push(session, "same.iso", b"4")
    wire.push(session, "dropped.iso", b"5")
    assert wire.remove(session, "dropped.iso").status_code in (200, 204)
    assert "old.iso" in {entry["name"] for entry in wire.value(wire.item_files(iso))}
    clock.settle()
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    assert server.run(lambda store: store.item_contents(iso)) == {"kept.iso": b"2", "same.iso": b"4"}


@pytest.mark.fact("references-must-be-there", "descriptor-creates-entries", "missing-and-invalid-are-two-arguments")
@pytest.mark.parametrize("entries", [True, False])
def test_references_of_the_descriptor_must_be_there(
    server: Simulator, dialect: str, clock: HandClock, tmp_path: Path, entries: bool
) -> None:
    server.reset(Seed(descriptor_entries=entries))
    wire, ovf = Wire(server, dialect), item_id(server, "rocky9")
    package = make_package(tmp_path, disks=2)
    session = wire.open(ovf)
    for path in (package.manifest, package.descriptor, package.disks[0]):
        wire.push(session, path.name, path.read_bytes())
    clock.settle()
    listed = {entry["name"]: entry["status"] for entry in wire.value(wire.files(session))}
    assert listed.get("rocky9-disk2.vmdk") == ("WAITING_FOR_TRANSFER" if entries else None)
    report = wire.value(wire.validate(session))
    invalid = [entry["name"] for entry in report["invalid_files"]]
    wanted = ([], ["rocky9-disk2.vmdk"]) if entries else (["rocky9-disk2.vmdk"], [])
    assert (report["missing_files"], invalid) == wanted
    refusal = wire.act(session, "complete")
    assert wire_messages(refusal)[0]["id"].endswith(".session_has_missing_or_invalid_files")
    assert wire_messages(refusal)[0]["args"] == ["".join(f"{name} " for name in names) for names in wanted]
    wire.push(session, package.disks[1].name, package.disks[1].read_bytes())
    clock.settle()
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    files = {entry["name"]: entry for entry in wire.value(wire.item_files(ovf))}
    assert sorted(files) == ["rocky9-disk1.vmdk", "rocky9-disk2.vmdk", "rocky9.ovf"]
    assert files["rocky9-disk1.vmdk"]["size"] == 1 << 20 != package.disks[0].stat().st_size


def test_an_ova_becomes_its_members(server: Simulator, wire: Wire, ovf: str, clock: HandClock, tmp_path: Path) -> None:
    package = make_package(tmp_path, nvram=True)
    archive = make_ova(package, tmp_path / "rocky9.ova")
    session = wire.open(ovf)
    wire.push(session, "rocky9.ova", archive.read_bytes())
    clock.settle()
    assert wire.value(wire.file(session, "rocky9.ova"))["keep_in_storage"] is False
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    stored = server.run(lambda store: store.item_contents(ovf))
    wanted = (package.descriptor, *package.references)
    assert stored == {path.name: path.read_bytes() for path in wanted}
    checksums = {entry["name"]: entry["checksum_info"]["checksum"] for entry in wire.value(wire.item_files(ovf))}
    assert checksums == {path.name: hashlib.sha1(path.read_bytes()).hexdigest() for path in wanted}


def test_an_ova_that_is_none_is_an_error(wire: Wire, ovf: str, clock: HandClock) -> None:
    session = wire.open(ovf)
    wire.push(session, "x.ova", CONTENT)
    clock.settle()
    assert status(wire, session, "x.ova") == "ERROR"


def test_a_session_expires_without_activity(wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    before = wire.model(session)["expiration_time"]
    clock.pass_time(SESSION_TIMEOUT * 0.9)
    assert wire.act(session, "keep-alive", {}).status_code in (200, 204)
    assert wire.model(session)["expiration_time"] > before
    clock.pass_time(SESSION_TIMEOUT * 0.9)
    assert wire.model(session)["state"] == "ACTIVE"
    clock.pass_time(SESSION_TIMEOUT * 0.2)
    assert wire.get(session).status_code == 404
    assert wire.open(iso) != session


def test_the_files_of_a_session_are_the_items_as_they_will_be(server: Simulator, wire: Wire, clock: HandClock) -> None:
    item = server.run(lambda store: store.find_item_id("templates", "tools"))
    server.run(lambda store: store.seed_item_files(item, {"kept.iso": b"1", "gone.iso": b"2", "new.iso": b"3"}))
    session = wire.open(item)
    assert wire.remove(session, "gone.iso").status_code in (200, 204)
    wire.push(session, "new.iso", CONTENT)
    clock.settle()
    files = {entry["name"]: (entry["source_type"], entry["status"]) for entry in wire.value(wire.files(session))}
    assert files == {"kept.iso": ("NONE", "READY"), "new.iso": ("PUSH", "READY")}
    assert wire.remove(session, "gone.iso").status_code == 400
    assert wire.remove(session, "never.iso").status_code == 400


def test_a_login_expires_when_it_idles(wire: Wire, clock: HandClock) -> None:
    clock.pass_time(LOGIN_TIMEOUT * 0.9)
    assert wire.list().status_code == 200
    clock.pass_time(LOGIN_TIMEOUT * 1.1)
    assert wire.list().status_code == 401


def test_an_upload_keeps_the_session_but_not_the_login(
    server: Simulator, wire: Wire, iso: str, clock: HandClock
) -> None:
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]

    def arrived() -> int:
        return server.run(lambda store: store.updates.session(session).files["a.iso"].bytes_transferred)

    def slowly() -> Iterator[bytes]:
        for block in range(1, 16):
            yield CONTENT
            sent = block * len(CONTENT)
            assert eventually(lambda: arrived() >= sent)  # noqa: B023 (called at once)
            clock.pass_time(SESSION_TIMEOUT / 2)

    assert wire.put(uri, slowly()).status_code == 200
    assert wire.list().status_code == 401
    assert Wire(server, wire.dialect).model(session)["state"] == "ACTIVE"


def test_a_session_that_goes_to_error_by_itself(server: Simulator, wire: Wire, iso: str, clock: HandClock) -> None:
    session = wire.open(iso)
    server.inject("PUT:*:1:transfer-error")
    assert wire.push(session, "disk.vmdk", CONTENT).status_code == 200
    clock.settle()
    model = wire.model(session)
    assert (model["state"], "Pipe closed" in model["error_message"]["default_message"]) == ("ERROR", True)
    refusal = wire_messages(wire.act(session, "complete"))[0]
    assert refusal["args"][:2] == ["complete", "ERROR"]
    assert refusal["args"][2].endswith("Pipe closed")


def test_somebody_elses_transfer(server: Simulator, wire: Wire, iso: str) -> None:
    session = server.run(lambda store: store.seed_update_session(iso, transferring={"a.iso": 100}))
    server.run(lambda store: store.move_transfer(session, "a.iso", 50))
    entry = wire.value(wire.file(session, "a.iso"))
    assert (entry["status"], entry["bytes_transferred"]) == ("TRANSFERRING", 150)


def test_content_on_disk_goes_with_what_held_it(tmp_path: Path) -> None:
    def kept() -> set[bytes]:
        return {entry.read_bytes() for entry in tmp_path.iterdir()}

    with Simulator(settle=0, data=str(tmp_path)) as sim:
        wire = Wire(sim, "api")
        item = item_id(sim)
        for content in (b"first", b"second"):
            session = wire.open(item)
            wire.push(session, "tools.iso", content)
            wire.act(session, "complete").raise_for_status()
            assert wire.delete(session).status_code == 204
            assert kept() == {content}
            assert contents(sim) == {"tools.iso": content}
        session = wire.open(item)
        wire.push(session, "other.iso", b"third")
        assert kept() == {b"second", b"third"}
        wire.act(session, "cancel").raise_for_status()
        assert wire.delete(session).status_code == 204
        assert kept() == {b"second"}
        assert wire.delete_item(item).status_code == 204
        assert kept() == set()
