# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a fetched file is held against it, all of it: checksums of the item, of the session and of the task,
and its length.

A server behind the fault proxy says of the session and of the data whatever a test makes up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proxy import FaultProxy, Misbehaviour
from tests.harness.held import download_states
from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.tasks import DOWNLOAD_SESSION, Tasks, files_in
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tests.simulator.seed import filler

DISK, IMAGE = "disk1.vmdk", "tools.iso"
CONTENT = filler("content", 50_000)
FORGED = filler("forged", 50_000)
USABLE = ("MD5", "SHA1", "SHA256", "SHA512")
Info = Mapping[str, str]


def digest(algorithm: str, content: bytes = CONTENT) -> str:
    return hashlib.new(algorithm.lower(), content).hexdigest()


def info(algorithm: str, content: bytes = CONTENT) -> Info:
    return {"algorithm": algorithm, "checksum": digest(algorithm, content)}


def seed_of(algorithm: str, name: str = DISK) -> Seed:
    item = ItemSeed("rocky9", "ovf", {name: CONTENT})
    return Seed(libraries=(LibrarySeed("templates", (item,)),), checksum_algorithm=algorithm)


pytestmark = pytest.mark.seed(seed_of("SHA256"))


def fetch(dest: Path, **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "rocky9", "dest": str(dest), **options}


def without_dest(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "dest"}


# -- what a server makes up


def answer(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "Connection: close", *headers, "", ""]).encode() + body


def with_length(content: bytes) -> bytes:
    return answer(content, f"Content-Length: {len(content)}")


def in_chunks(content: bytes) -> bytes:
    middle = len(content) // 2
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (content[:middle], content[middle:], b"")]
    return answer(b"".join(chunks), "Transfer-Encoding: chunked")


def until_closed(content: bytes) -> bytes:
    return answer(content)


def fetch_from(
    sim: Simulator, dest: Path, data: bytes, *, name: str = DISK, size: int | None, said: Info | None, **options: Any
) -> ModuleResult:
    """Fetch from a server whose session says this of its file, and which answers with this when it is asked for it."""
    with FaultProxy(sim) as front:
        address = f"https://{front.hostname}:{front.port}/cls/data/0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55/{name}"
        file = {"name": name, "status": "PREPARED", "bytes_transferred": 0, "download_endpoint": {"uri": address}}
        file.update({"size": size} if size is not None else {}, **({"checksum_info": said} if said is not None else {}))
        pieces = {"download.file.get": with_length(json.dumps(file).encode()), "data.get": data}
        for operation, piece in pieces.items():
            front.misbehave(Misbehaviour("made-up", operation, last=None, pieces=(piece,).__iter__))
        return run_module(DOWNLOAD_SESSION, {**connection_args(front), "api_dialect": "api", **fetch(dest, **options)})


# -- checksums of the server


@pytest.mark.parametrize(
    ("item", "said", "shown"),
    [
        ("SHA256", None, "SHA256"),
        ("SHA256", {"algorithm": "SHA512", "checksum": ""}, "SHA256"),
        ("SHA256", {"algorithm": "CRC32", "checksum": "cbf43926"}, "SHA256"),
        ("SHA256", {"algorithm": "SHA512", "checksum": "abc"}, "SHA256"),
        ("SHA256", info("MD5"), "SHA256"),
        ("SHA256", info("SHA512"), "SHA512"),
        ("MD5", info("SHA256"), "SHA256"),
        ("none", info("MD5"), "MD5"),
    ],
)
class TestChecksumsOfTheServer:
    def test_the_strongest_that_is_usable_is_shown(
        self, server: Simulator, dest: Path, item: str, said: Info | None, shown: str
    ) -> None:
        server.reset(seed_of(item))
        ran = fetch_from(server, dest, with_length(CONTENT), size=len(CONTENT), said=said)
        assert ran.rc == 0, ran.result
        (file,) = ran.result["files"]
        assert (file["verified"], file["checksum_info"]) == (True, info(shown))
        assert files_in(dest) == {DISK: CONTENT}
        assert ran.warnings == []

    def test_what_does_not_have_it_is_not_put_into_place(
        self, server: Simulator, dest: Path, item: str, said: Info | None, shown: str
    ) -> None:
        server.reset(seed_of(item))
        ran = fetch_from(server, dest, with_length(FORGED), size=len(FORGED), said=said)
        assert ran.result["error"]["type"] == "CHECKSUM_MISMATCH"
        known = {algorithm for algorithm in (item, (said or {}).get("algorithm"), shown) if algorithm in USABLE}
        assert any(digest(algorithm) in ran.result["msg"] for algorithm in known)
        assert files_in(dest) == {}
        assert download_states(server) == {}


@pytest.mark.parametrize(
    ("item", "said", "says"),
    [
        ("SHA256", info("MD5", FORGED), f"the item has {digest('SHA256')}"),
        ("MD5", info("SHA256", FORGED), f"the item has {digest('MD5')}"),
        ("SHA256", info("SHA1"), f"the session has {digest('SHA1')}"),
    ],
)
def test_none_of_two_checksums_displaces_the_other(
    server: Simulator, dest: Path, item: str, said: Info, says: str
) -> None:
    server.reset(seed_of(item))
    ran = fetch_from(server, dest, with_length(FORGED), size=len(FORGED), said=said)
    assert ran.result["error"]["type"] == "CHECKSUM_MISMATCH"
    assert says in ran.result["msg"]
    assert files_in(dest) == {}


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_a_file_that_was_published_since_the_item_was_read_is_held_against_the_item_as_it_is_then(
    server: Simulator, dest: Path, algorithm: str
) -> None:
    server.reset(seed_of(algorithm))
    tasks = Tasks(server, "api")

    def publish() -> None:
        server.run(lambda store: store.seed_item_files(store.find_item_id("templates", "rocky9"), {DISK: FORGED}))

    with while_held(server, "POST:*download-session?*:1:hold", publish):
        run = tasks.run(DOWNLOAD_SESSION, **fetch(dest))
    assert not run.failed, run.msg
    (file,) = run.result["files"]
    assert (file["verified"], file["checksum_info"]) == (True, info(algorithm, FORGED))
    assert files_in(dest) == {DISK: FORGED}


def test_a_weaker_checksum_that_the_item_has_got_meanwhile_displaces_no_stronger_one(
    server: Simulator, dest: Path
) -> None:
    server.reset(seed_of("SHA256"))

    def publish(store: Any) -> None:
        item = store.find_item_id("templates", "rocky9")
        store.seed_item_files(item, {DISK: FORGED})
        store.catalog.item(item).files[DISK].algorithm = "MD5"

    with while_held(server, "POST:*download-session?*:1:hold", lambda: server.run(publish)):
        run = Tasks(server, "api").run(DOWNLOAD_SESSION, **fetch(dest))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert files_in(dest) == {}
    assert not Tasks(server, "api").run(DOWNLOAD_SESSION, **fetch(dest)).failed
    assert files_in(dest) == {DISK: FORGED}


# -- nothing to compare


def test_a_file_without_a_checksum_is_put_there_with_a_warning(server: Simulator, dest: Path) -> None:
    server.reset(seed_of("none"))
    run = Tasks(server, "api").run(DOWNLOAD_SESSION, **fetch(dest))
    assert [file["verified"] for file in run.result["files"]] == [False]
    (warning,) = run.outcome.warnings
    assert warning.startswith(f"Fetched, but not verified: {DISK}. The server has no checksum that can be compared.")
    assert "Give it in checksums" in warning
    assert files_in(dest) == {DISK: CONTENT}


def test_require_verified_makes_that_an_error(server: Simulator, dest: Path) -> None:
    server.reset(seed_of("none"))
    tasks = Tasks(server, "api")
    (dest / DISK).write_bytes(b"older")
    run = tasks.run(DOWNLOAD_SESSION, **fetch(dest, require_verified=True))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{DISK} cannot be verified, as require_verified asks" in run.msg
    assert "Give its checksum in checksums" in run.msg
    assert not run.changed
    assert files_in(dest) == {DISK: b"older"}
    assert download_states(server) == {}
    checksums = {DISK: f"sha256:{digest('sha256')}"}
    run = tasks.converge(module=DOWNLOAD_SESSION, **fetch(dest, require_verified=True, checksums=checksums))
    assert (run.outcome.warnings, files_in(dest)) == ([], {DISK: CONTENT})


# -- checksums of the task


@pytest.mark.parametrize("item", ["SHA256", "MD5", "none"])
@pytest.mark.parametrize("written", ["sha256:{}", "SHA256: {}", "sha512:{}"])
def test_a_declared_checksum_counts_beside_those_of_the_server(
    server: Simulator, dest: Path, item: str, written: str
) -> None:
    server.reset(seed_of(item))
    algorithm = written.partition(":")[0]
    (dest / DISK).write_bytes(FORGED)
    options = fetch(dest, checksums={DISK: written.format(digest(algorithm).upper())})
    run = Tasks(server, "api").converge(module=DOWNLOAD_SESSION, **options)
    assert [(file["verified"], file["fetched"]) for file in run.result["files"]] == [(True, True)]
    assert run.result["files"][0]["checksum_info"] == (None if item == "none" else info(item))
    assert files_in(dest) == {DISK: CONTENT}
    assert run.outcome.warnings == []


@pytest.mark.parametrize("item", ["MD5", "none"])
def test_a_file_that_has_not_the_declared_checksum_is_not_put_into_place(
    server: Simulator, dest: Path, item: str
) -> None:
    """Nor is one that stands there already the right one, whatever the server says."""
    server.reset(seed_of(item))
    (dest / DISK).write_bytes(CONTENT)
    run = Tasks(server, "api").run(
        DOWNLOAD_SESSION, **fetch(dest, checksums={DISK: f"sha256:{digest('SHA256', FORGED)}"})
    )
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert f"checksums has {digest('SHA256', FORGED)}" in run.msg
    assert not run.changed
    assert files_in(dest) == {DISK: CONTENT}
    assert download_states(server) == {}


def test_a_checksum_that_the_server_contradicts_is_refused_before_anything_is_fetched(one: Tasks, dest: Path) -> None:
    checksums = {DISK: f"sha256:{digest('SHA256', FORGED)}"}
    fetching = fetch(dest, checksums=checksums)
    for options in (fetching, without_dest(fetching)):
        run = one.refuse(module=DOWNLOAD_SESSION, **options)
        assert run.error["type"] == "CHECKSUM_MISMATCH"
        assert f"checksums has SHA256 {digest('SHA256', FORGED)}, and the server has {digest('SHA256')}" in run.msg
    assert files_in(dest) == {}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"checksums": {DISK: digest("SHA256")}}, f"the checksum of {DISK} names an algorithm that is not known here"),
        ({"checksums": {DISK: "sha3:00"}}, f"the checksum of {DISK} names an algorithm that is not known here"),
        ({"checksums": {DISK: None}}, f"the checksum of {DISK} names an algorithm that is not known here"),
        ({"checksums": {DISK: "sha256:0000"}}, f"the SHA256 checksum of {DISK} does not have 64 hex digits"),
        ({"checksums": {DISK: "md5:" + "g" * 32}}, f"the MD5 checksum of {DISK} does not have 32 hex digits"),
        (
            {"checksums": {DISK: "sha256:https://mirror.example.com/SUMS"}},
            f"the SHA256 checksum of {DISK} does not have",
        ),
        ({"checksums": {"disk2.vmdk": f"md5:{digest('md5')}"}}, f"'disk2.vmdk', and the files of the task are {DISK}"),
        ({"require_verified": True, "when_unverifiable": "skip"}, "require_verified is true with when_unverifiable"),
    ],
)
def test_what_cannot_be_followed_is_refused(one: Tasks, dest: Path, options: dict[str, Any], says: str) -> None:
    run = one.refuse(module=DOWNLOAD_SESSION, **fetch(dest, **options))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert says in run.msg
    assert files_in(dest) == {}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"checksums": {DISK: f"md5:{digest('md5')}"}, "state": "absent"}, "checksums is given with state: absent"),
        ({"require_verified": True}, "require_verified is true without dest"),
    ],
)
def test_what_only_goes_with_fetching_is_refused(one: Tasks, dest: Path, options: dict[str, Any], says: str) -> None:
    run = one.refuse(module=DOWNLOAD_SESSION, **without_dest(fetch(dest, **options)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert says in run.msg


def test_a_checksum_of_a_file_that_is_not_there_may_be_allowed(one: Tasks, dest: Path) -> None:
    checksums = {"disk2.vmdk": f"md5:{digest('md5')}"}
    one.converge(module=DOWNLOAD_SESSION, **fetch(dest, checksums=checksums, allow_empty=True))
    assert files_in(dest) == {DISK: CONTENT}


# -- without a length


@pytest.mark.parametrize(
    ("data", "works"),
    [
        (in_chunks(CONTENT), True),
        (in_chunks(CONTENT)[:-5], False),
        (in_chunks(CONTENT)[:30_000], False),
        (until_closed(CONTENT), False),
        (until_closed(CONTENT[:30_000]), False),
    ],
    ids=["chunked", "chunked-without-the-last", "chunked-and-cut", "until-closed", "until-closed-and-cut"],
)
def test_without_length_and_checksum_only_the_last_chunk_tells_that_a_file_is_whole(
    server: Simulator, dest: Path, data: bytes, works: bool
) -> None:
    server.reset(seed_of("none"))
    ran = fetch_from(server, dest, data, size=None, said=None)
    assert (ran.rc == 0) == works, ran.result
    assert files_in(dest) == ({DISK: CONTENT} if works else {})
    assert download_states(server) == {}
    if not works:
        assert ran.result["error"]["type"] in ("CONNECTION_FAILED", "TRANSFER_FAILED")
        assert not ran.result["changed"]


def test_an_answer_that_ends_with_its_connection_says_what_it_lacks(server: Simulator, dest: Path) -> None:
    server.reset(seed_of("none"))
    ran = fetch_from(server, dest, until_closed(CONTENT), size=None, said=None)
    assert ran.result["error"]["type"] == "TRANSFER_FAILED"
    assert f"{DISK} came without its length, not in chunks, and without a checksum" in ran.result["msg"]
    assert "Give its checksum in checksums" in ran.result["msg"]


@pytest.mark.parametrize("whose", ["item", "session", "task"])
@pytest.mark.parametrize(("content", "works"), [(CONTENT, True), (CONTENT[:30_000], False)], ids=["whole", "cut"])
def test_a_checksum_tells_it_as_well(server: Simulator, dest: Path, whose: str, content: bytes, works: bool) -> None:
    server.reset(seed_of("SHA256" if whose == "item" else "none"))
    checksums = {DISK: f"sha1:{digest('SHA1')}"} if whose == "task" else {}
    said = info("SHA1") if whose == "session" else None
    ran = fetch_from(server, dest, until_closed(content), size=None, said=said, checksums=checksums)
    assert (ran.rc == 0) == works, ran.result
    assert files_in(dest) == ({DISK: CONTENT} if works else {})
    if not works:
        assert ran.result["error"]["type"] == "CHECKSUM_MISMATCH"


@pytest.mark.parametrize(("content", "works"), [(CONTENT, True), (CONTENT[:30_000], False)], ids=["whole", "cut"])
def test_the_item_s_size_is_a_length_where_it_is_not_the_storage_in_use(
    server: Simulator, dest: Path, content: bytes, works: bool
) -> None:
    server.reset(seed_of("none", IMAGE))
    ran = fetch_from(server, dest, until_closed(content), name=IMAGE, size=None, said=None)
    assert (ran.rc == 0) == works, ran.result
    assert files_in(dest) == ({IMAGE: CONTENT} if works else {})
    if not works:
        assert f"after 30000 of {len(CONTENT)} bytes" in ran.result["msg"]
