# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download sessions, and content that the server fetches itself."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness.clocks import SETTLE, HandClock
from tests.harness.held import item_id
from tests.harness.packages import kept_of, make_package
from tests.harness.waiting import eventually
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import PRIVILEGES, filler
from tests.simulator.tls import make_tls
from tests.unit.simulator.wire_client import Wire, wire_error, wire_messages

DOWN = "download-session"
CONTENT = filler("synced.iso", 65536)


def prepared(wire: Wire, synced: str, clock: HandClock) -> tuple[str, str]:
    session = wire.open(synced, DOWN)
    assert wire.value(wire.prepare(session, "synced.iso"))["status"] == "PREPARE_REQUESTED"
    clock.settle()
    return session, wire.value(wire.download_file(session, "synced.iso"))["download_endpoint"]["uri"]


def test_prepare_and_fetch(server: Simulator, wire: Wire, synced: str, clock: HandClock) -> None:
    session = wire.open(synced, DOWN)
    (entry,) = wire.value(wire.files(session, "download"))
    assert (entry["name"], entry["status"], "download_endpoint" in entry) == ("synced.iso", "UNPREPARED", False)
    wire.prepare(session, "synced.iso")
    clock.pass_time(SETTLE * 0.7)
    assert wire.value(wire.download_file(session, "synced.iso"))["status"] == "PREPARING"
    clock.settle()
    entry = wire.value(wire.download_file(session, "synced.iso"))
    assert (entry["status"], entry["size"], "checksum_info" in entry) == ("PREPARED", 65536, False)
    answer = requests.get(entry["download_endpoint"]["uri"], verify=server.ca_path)
    assert answer.content == CONTENT
    entry = wire.value(wire.download_file(session, "synced.iso"))
    assert entry["checksum_info"] == {"algorithm": "SHA1", "checksum": hashlib.sha1(CONTENT).hexdigest()}
    assert entry["bytes_transferred"] == 65536
    wire.act(session, "keep-alive", {"progress": 100}, DOWN)
    assert wire.model(session, DOWN)["client_progress"] == 100
    wire.act(session, "cancel", kind=DOWN)
    assert requests.get(answer.url, verify=server.ca_path).status_code == 404


def test_ranges(server: Simulator, wire: Wire, synced: str, clock: HandClock) -> None:
    session, uri = prepared(wire, synced, clock)
    part = requests.get(uri, headers={"Range": "bytes=100-199"}, verify=server.ca_path)
    assert (part.status_code, part.headers["Content-Range"]) == (206, "bytes 100-199/65536")
    assert part.content == CONTENT[100:200]
    assert "checksum_info" not in wire.value(wire.download_file(session, "synced.iso"))
    rest = requests.get(uri, headers={"Range": "bytes=60000-"}, verify=server.ca_path)
    assert rest.content == CONTENT[60000:]
    assert requests.get(uri, headers={"Range": "bytes=65536-"}, verify=server.ca_path).status_code == 416


def test_a_server_without_ranges(server: Simulator, dialect: str, clock: HandClock) -> None:
    server.reset(Seed(ranges=False))
    wire, synced = Wire(server, dialect), server.run(lambda store: store.find_item_id("mirror", "synced"))
    _session, uri = prepared(wire, synced, clock)
    answer = requests.get(uri, headers={"Range": "bytes=100-"}, verify=server.ca_path)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_direct_endpoint_needs_the_privilege(server: Simulator, dialect: str, clock: HandClock) -> None:
    rights = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    server.reset(Seed(users=(UserSeed("a@x"), UserSeed("b@x", privileges=rights))))
    synced = server.run(lambda store: store.find_item_id("mirror", "synced"))
    wire = Wire(server, dialect, "a@x")
    session = wire.open(synced, DOWN)
    wire.prepare(session, "synced.iso", endpoint_type="DIRECT")
    clock.settle()
    endpoint = wire.value(wire.download_file(session, "synced.iso"))["download_endpoint"]["uri"]
    assert endpoint.startswith("ds:///vmfs/volumes/")
    other = Wire(server, dialect, "b@x")
    refusal = other.prepare(other.open(synced, DOWN), "synced.iso", endpoint_type="DIRECT")
    assert (refusal.status_code, wire_error(refusal)) == (403, "UNAUTHORIZED")


class Source(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/a.iso"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(CONTENT) if found else 0))
        self.end_headers()
        if found and self.command == "GET":
            self.wfile.write(CONTENT)

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, *_args: Any) -> None:
        """Keeps the test's output free of it."""


def serve(context: Any = None) -> tuple[HTTPServer, int]:
    httpd = HTTPServer(("127.0.0.1", 0), Source)
    if context is not None:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    return httpd, httpd.server_address[1]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    folder = tmp_path_factory.mktemp("source")
    secure, secure_port = serve(make_tls(str(folder), "127.0.0.1"))
    plain, plain_port = serve()
    yield f"http://127.0.0.1:{plain_port}", f"https://127.0.0.1:{secure_port}", folder
    for httpd in (plain, secure):
        httpd.shutdown()
        httpd.server_close()


def pull(wire: Wire, item: str, uri: str, **endpoint: Any) -> tuple[str, dict[str, Any]]:
    session = wire.open(item)
    wire.value(wire.add(session, "a.iso", source_type="PULL", source_endpoint={"uri": uri, **endpoint}))
    entry: dict[str, Any] = {}

    def has_come_to_something() -> bool:
        entry.update(wire.value(wire.file(session, "a.iso")))
        return bool(entry["bytes_transferred"]) or entry["status"] == "ERROR"

    assert eventually(has_come_to_something)
    return session, entry


def certificate(folder: Path) -> str:
    return (folder / "server.pem").read_text().partition("-----BEGIN PRIVATE")[0]


def thumbprint(folder: Path, algorithm: str) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate(folder))
    digest = hashlib.new(algorithm, der).hexdigest().upper()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))


def test_pull_over_http(server: Simulator, wire: Wire, iso: str, clock: HandClock, sources: Any) -> None:
    session, _entry = pull(wire, iso, f"{sources[0]}/a.iso")
    assert wire.act(session, "complete").status_code in (200, 204)
    assert eventually(lambda: wire.value(wire.file(session, "a.iso"))["bytes_transferred"] == len(CONTENT))
    clock.settle()
    clock.settle()
    assert wire.model(session)["state"] == "DONE"
    assert server.run(lambda store: store.item_contents(iso)) == {"a.iso": CONTENT}


def test_pull_of_what_is_not_there(wire: Wire, iso: str, sources: Any) -> None:
    _session, entry = pull(wire, iso, f"{sources[0]}/b.iso")
    assert (entry["status"], entry["error_message"]["id"].rpartition(".")[2]) == ("ERROR", "http_request_error")


def test_pull_over_https(server: Simulator, dialect: str, sources: Any, clock: HandClock) -> None:
    _plain, origin, folder = sources
    uri, ca = f"{origin}/a.iso", (folder / "ca.pem").read_text()
    server.reset(Seed(thumbprints=("SHA1", "SHA256"), source_certificate="known"))

    def outcome(**endpoint: Any) -> dict[str, Any]:
        wire = Wire(server, dialect)
        session, _entry = pull(
            wire, server.run(lambda store: store.find_item_id("templates", "tools")), uri, **endpoint
        )
        assert eventually(lambda: wire.value(wire.file(session, "a.iso"))["bytes_transferred"] in (0, 1, len(CONTENT)))
        clock.settle()
        entry: dict[str, Any] = wire.value(wire.file(session, "a.iso"))
        wire.act(session, "cancel")
        return entry

    for algorithm in ("sha1", "sha256"):
        assert outcome(ssl_certificate_thumbprint=thumbprint(folder, algorithm))["status"] == "READY"
    presented = certificate(folder)
    assert outcome(ssl_certificate=presented)["status"] == "READY"
    other = outcome(ssl_certificate=ca)
    assert other["error_message"]["id"].endswith(".http_request_error_peer_not_authenticated")
    wrong = outcome(ssl_certificate_thumbprint="00" * 20)
    assert wrong["error_message"]["id"].endswith(".http_request_error_peer_not_authenticated")
    stuck = outcome()
    assert (stuck["status"], stuck["bytes_transferred"]) == ("TRANSFERRING", 1)
    server.reset(Seed(untrusted_source="refused"))
    assert "Server not trusted" in outcome()["error_message"]["default_message"]
    server.reset(Seed(trusted_roots=(ca,)))
    assert outcome()["status"] == "READY"


@pytest.mark.fact("pulled-descriptor-brings-the-package")
def test_a_descriptor_that_is_pulled_brings_what_it_references(
    server: Simulator, dialect: str, clock: HandClock, tmp_path: Path
) -> None:
    package = make_package(tmp_path, disks=2, nvram=True)
    stored = {f"ds:///vmfs/volumes/a/{path.name}": path.read_bytes() for path in package.files}
    server.reset(Seed(datastores=stored))
    wire, item = Wire(server, dialect), item_id(server, "rocky9")
    session = wire.open(item)
    endpoint = {"uri": "ds:///vmfs/volumes/a/rocky9.ovf"}
    assert wire.add(session, "rocky9.ovf", source_type="PULL", source_endpoint=endpoint).status_code in (200, 201)
    clock.settle()
    assert {entry["source_type"] for entry in wire.value(wire.files(session))} == {"PULL"}
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    assert server.run(lambda store: store.item_contents(item)) == kept_of(package)


@pytest.mark.fact("own-source-is-moved", "datastore-folder-is-internal-error")
def test_a_source_in_the_librarys_own_storage_is_moved_and_a_folder_is_none(
    server: Simulator, dialect: str, clock: HandClock
) -> None:
    uri = "ds:///vmfs/volumes/a/contentlib-mine/a.iso"
    libraries = (LibrarySeed("templates", (ItemSeed("tools"),), id="mine"),)
    server.reset(Seed(libraries=libraries, datastores={uri: b"stored"}))
    wire, iso = Wire(server, dialect), item_id(server)
    session = wire.open(iso)
    folder = {"uri": uri.rpartition("/")[0]}
    refusal = wire.add(session, "a.iso", source_type="PULL", source_endpoint=folder)
    assert (wire_error(refusal), wire_messages(refusal)[0]["args"]) == (
        "INTERNAL_SERVER_ERROR",
        ["java.lang.IllegalArgumentException"],
    )
    wire.value(wire.add(session, "a.iso", source_type="PULL", source_endpoint={"uri": uri}))
    clock.settle()
    assert wire.act(session, "complete").status_code in (200, 204)
    clock.settle()
    assert server.run(lambda store: (store.item_contents(iso), store.updates.datastores)) == ({"a.iso": b"stored"}, {})


def test_pull_from_a_datastore(server: Simulator, dialect: str, clock: HandClock) -> None:
    uri = "ds:///vmfs/volumes/a/a.iso"
    rights = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    server.reset(Seed(datastores={uri: b"stored"}, users=(UserSeed("a@x"), UserSeed("b@x", privileges=rights))))
    iso = server.run(lambda store: store.find_item_id("templates", "tools"))
    wire = Wire(server, dialect, "a@x")
    session, _entry = pull(wire, iso, uri)
    clock.settle()
    assert wire.value(wire.file(session, "a.iso"))["status"] == "READY"
    refusal = Wire(server, dialect, "b@x").add(session, "b", source_type="PULL", source_endpoint={"uri": uri})
    assert (refusal.status_code, wire_error(refusal)) == (403, "UNAUTHORIZED")


def test_probe(server: Simulator, sources: Any) -> None:
    plain, secure, folder = sources
    wire = Wire(server, "rest")
    assert wire.value(wire.probe(uri=f"{plain}/a.iso"))["status"] == "SUCCESS"
    assert wire.value(wire.probe(uri=f"{plain}/b.iso"))["status"] == "RESOURCE_NOT_FOUND"
    assert wire.value(wire.probe(uri="http:/nothing"))["status"] == "INVALID_URL"
    answer = wire.value(wire.probe(uri=f"{secure}/a.iso"))
    assert (answer["status"], answer["ssl_thumbprint"]) == ("CERTIFICATE_ERROR", thumbprint(folder, "sha1"))
    assert answer["error_messages"][0]["id"].endswith(".http_request_error_peer_not_authenticated")
    server.reset(Seed(thumbprint_algorithm="SHA256", thumbprints=("SHA256",), probe_answer="both"))
    wire = Wire(server, "rest")
    pinned = wire.value(wire.probe(uri=f"{secure}/a.iso", ssl_certificate_thumbprint=thumbprint(folder, "sha256")))
    assert (pinned["status"], pinned["ssl_thumbprint"]) == ("SUCCESS", thumbprint(folder, "sha256"))
    assert pinned["ssl_certificate"].strip() == certificate(folder).strip()


@pytest.mark.parametrize("knows", ["known", "unknown", "dropped"])
def test_servers_that_know_no_certificate_of_a_source(server: Simulator, sources: Any, knows: str) -> None:
    _plain, secure, folder = sources
    server.reset(Seed(source_certificate=knows))
    wire = Wire(server, "rest")
    answer = wire.probe(uri=f"{secure}/a.iso", ssl_certificate=certificate(folder))
    if knows == "unknown":
        assert (answer.status_code, wire_error(answer)) == (400, "INVALID_ARGUMENT")
    else:
        assert wire.value(answer)["status"] == ("SUCCESS" if knows == "known" else "CERTIFICATE_ERROR")


def test_a_server_takes_the_thumbprints_of_its_time(server: Simulator, sources: Any) -> None:
    _plain, secure, folder = sources
    server.reset(Seed(thumbprints=("SHA256",)))
    wire = Wire(server, "rest")
    taken = wire.probe(uri=f"{secure}/a.iso", ssl_certificate_thumbprint=thumbprint(folder, "sha256"))
    assert wire.value(taken)["status"] == "SUCCESS"
    refused = wire.probe(uri=f"{secure}/a.iso", ssl_certificate_thumbprint=thumbprint(folder, "sha1"))
    assert (refused.status_code, wire_error(refused)) == (400, "INVALID_ARGUMENT")
