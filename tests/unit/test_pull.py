# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PULL: what vCenter fetches itself, from whom, and what becomes of it; and what nobody gets to read of a URL."""

from __future__ import annotations

import hashlib
import json
import syslog
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, hold, update_states
from tests.harness.modules import WITH_INVOCATION, connection_args, run_module
from tests.harness.packages import ACCEPTED, BARE_DESCRIPTOR, kept_of, make_ova, make_package
from tests.harness.servers import CannedServer, Identity, Received, Reply, make_identity, relay_to, unused_port
from tests.harness.tasks import UPDATE_SESSION, Run, Tasks
from tests.harness.waiting import in_time
from tests.simulator import ItemSeed, LibrarySeed, Seed
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES, UserSeed

CONTENT = b"an image that lies on a mirror" * 100
OTHER = b"another image of the same size" * 100
STORED = "ds:///vmfs/volumes/golden/tools.iso"
SECRET = "S3cr3t%2FP%40ss-9q"
SECRETS = (SECRET, "S3cr3t/P@ss-9q", "S3cr3t", "P@ss-9q", "P%40ss-9q")


def serve(request: Received) -> Reply:
    """A mirror that has one image, under any name but one."""
    if "missing" in request.path:
        return Reply(404, b"not here")
    return Reply(200, b"" if request.method == "HEAD" else CONTENT, {"Content-Type": "application/octet-stream"})


@pytest.fixture(scope="module")
def https(identity: Identity) -> Iterator[str]:
    with CannedServer(serve, identity=identity) as mirror:
        yield f"https://{mirror.hostname}:{mirror.port}"


@pytest.fixture(scope="module")
def mirror() -> Iterator[CannedServer]:
    with CannedServer(serve, tls=False) as running:
        yield running


@pytest.fixture
def http(mirror: CannedServer) -> str:
    return f"http://{mirror.hostname}:{mirror.port}"


def task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "tools", "state": "done", "files": list(files), **options}


def assert_nothing_came_of_it(tasks: Tasks, run: Run) -> None:
    assert run.failed
    assert not run.changed
    assert not run.result.get("item_changed")
    assert run.sent("POST", "complete") == []
    assert update_states(tasks.sim) == {}
    assert contents(tasks.sim) == {}


def checked(url: str, content: bytes = CONTENT) -> dict[str, Any]:
    return {"url": url, "checksum": hashlib.sha256(content).hexdigest()}


# -- whom vCenter trusts


def test_a_server_that_vcenter_trusts(tasks: Tasks, https: str, identity: Identity) -> None:
    tasks.sim.reset(Seed(trusted_roots=(Path(identity.ca_path).read_text(),)))
    run = tasks.converge(**task(checked(f"{https}/images/tools.iso")))
    assert run.changed
    assert run.uploaded == []
    assert run.outcome.warnings == []
    assert run.added == [
        {
            "name": "tools.iso",
            "source_type": "PULL",
            "source_endpoint": {"uri": f"{https}/images/tools.iso"},
            "checksum_info": {"algorithm": "SHA256", "checksum": hashlib.sha256(CONTENT).hexdigest()},
        }
    ]
    assert contents(tasks.sim) == {"tools.iso": CONTENT}
    assert "transferred" not in run.result, "no byte passed through here"
    assert [file["verified"] for file in run.result["files"]] == [True]


@pytest.mark.parametrize(("reported", "kind"), [("SHA1", "SHA-1"), ("SHA256", "SHA-256")])
def test_an_untrusted_certificate_is_shown_and_never_pinned_by_itself(
    tasks: Tasks, https: str, identity: Identity, reported: str, kind: str
) -> None:
    tasks.sim.reset(Seed(thumbprint_algorithm=reported))
    run = tasks.refuse(**task({"url": f"{https}/tools.iso"}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert f"{kind} thumbprint {identity.thumbprint(reported.lower())}" in run.msg
    assert "After checking" in run.msg
    assert "ssl_thumbprint" in run.msg
    assert "ssl_certificate" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize("probe_answer", ["thumbprint", "both"], ids=["before 9", "from 9 on"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("writing", ["upper case and colons", "lower case", "spaces"])
def test_a_thumbprint_that_was_given_is_sent_as_the_api_writes_it(
    one: Tasks, https: str, identity: Identity, algorithm: str, writing: str, probe_answer: str
) -> None:
    """Of SHA-1, which vCenter before 9 asks for, only a vCenter that takes SHA-256 makes the task warn."""
    printed = identity.thumbprint(algorithm)
    given = {
        "upper case and colons": printed,
        "lower case": printed.replace(":", "").lower(),
        "spaces": f" {printed.replace(':', ' ')} ",
    }[writing]
    one.sim.reset(Seed(thumbprints=(algorithm.upper(),), probe_answer=probe_answer))
    run = one.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": given}))
    assert not run.failed, run.msg
    assert run.added[0]["source_endpoint"] == {
        "uri": f"{https}/tools.iso",
        "ssl_certificate_thumbprint": printed,
    }
    assert contents(one.sim) == {"tools.iso": CONTENT}
    weak = [text for text in run.outcome.warnings if "SHA-1" in text]
    assert len(weak) == len(run.outcome.warnings) == (algorithm == "sha1" and probe_answer == "both")


@pytest.mark.parametrize(("given", "other"), [("sha1", "SHA-256"), ("sha256", "SHA-1")])
def test_a_refused_thumbprint_names_the_other_kind(
    tasks: Tasks, https: str, identity: Identity, given: str, other: str
) -> None:
    tasks.sim.reset(Seed(thumbprints=(other.replace("-", ""),)))
    run = tasks.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": identity.thumbprint(given)}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"give the {other} one" in run.msg
    assert_nothing_came_of_it(tasks, run)


def test_another_certificate_than_the_pinned_one_is_found_by_the_probe(
    tasks: Tasks, https: str, identity: Identity
) -> None:
    run = tasks.refuse(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": "AB" * 20}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert identity.thumbprint("sha1") in run.msg
    assert_nothing_came_of_it(tasks, run)


def test_another_certificate_than_the_pinned_one_is_the_servers_error_without_a_probe(tasks: Tasks, https: str) -> None:
    tasks.sim.reset(Seed(probe=False))
    run = tasks.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": "AB" * 20}))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "shows another certificate than the one that was given" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize(
    ("form", "server_knows"), [("text", "known"), ("path", "known"), ("text", "unknown"), ("path", "dropped")]
)
def test_a_certificate_goes_where_it_is_known_and_its_thumbprint_elsewhere(
    tasks: Tasks, https: str, identity: Identity, tmp_path: Path, form: str, server_knows: str
) -> None:
    tasks.sim.reset(Seed(source_certificate=server_knows))
    path = tmp_path / "mirror.pem"
    path.write_text(identity.certificate + "\n")
    given = str(path) if form == "path" else identity.certificate
    run = tasks.converge(**task({**checked(f"{https}/tools.iso"), "ssl_certificate": given}))
    accepted = run.added[-1]["source_endpoint"]
    uri = {"uri": f"{https}/tools.iso"}
    if server_knows == "known":
        assert accepted == {**uri, "ssl_certificate": identity.certificate + "\n"}
        assert len(run.added) == 1
    else:
        assert accepted == {**uri, "ssl_certificate_thumbprint": identity.thumbprint("sha1")}
    assert contents(tasks.sim) == {"tools.iso": CONTENT}
    assert run.outcome.warnings == []


def test_a_server_that_takes_no_sha1_at_all_is_probed_with_the_certificate(
    one: Tasks, https: str, identity: Identity
) -> None:
    one.sim.reset(Seed(thumbprints=("SHA256",), source_certificate="known"))
    one.converge(**task({**checked(f"{https}/tools.iso"), "ssl_certificate": identity.certificate}))
    assert contents(one.sim) == {"tools.iso": CONTENT}


@pytest.mark.parametrize("server_knows", ["known", "unknown", "dropped"])
def test_the_certificate_of_another_server_is_found_by_the_probe(
    one: Tasks, https: str, identity: Identity, tmp_path: Path, server_knows: str
) -> None:
    one.sim.reset(Seed(source_certificate=server_knows))
    other = make_identity(tmp_path / "other").certificate
    run = one.refuse(**task({"url": f"{https}/tools.iso", "ssl_certificate": other}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert identity.thumbprint("sha1") in run.msg


@pytest.mark.fact("probe-answers-certificate")
@pytest.mark.parametrize("also_thumbprint", [False, True], ids=["certificate", "both"])
@pytest.mark.parametrize("pinned", ["", "sha1", "sha256", "other"])
def test_a_certificate_that_the_probe_answers_counts_as_its_thumbprint(
    one: Tasks, https: str, identity: Identity, pinned: str, also_thumbprint: bool
) -> None:
    """As 9.0 does; a server that ignores the thumbprint in a probe complains of the certificate all the same."""
    one.sim.reset(Seed(thumbprints=("SHA1", "SHA256")))

    def change(request: Received, reply: Reply | None) -> Reply | None:
        if not reply or "action=probe" not in request.path:
            return None
        shown = {"ssl_thumbprint": identity.thumbprint("sha256")} if also_thumbprint else {}
        found = {"status": "CERTIFICATE_ERROR", "ssl_certificate": identity.certificate + "\n", **shown}
        return Reply(200, json.dumps({"value": found}).encode())

    pin = "AB" * 32 if pinned == "other" else identity.thumbprint(pinned) if pinned else None
    given = {"ssl_thumbprint": pin} if pin else {}
    with CannedServer(relay_to(one.sim, change), identity=identity) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(server), **task({"url": f"{https}/tools.iso", **given})})
    if pinned in ("sha1", "sha256"):
        assert ran.rc == 0, ran.result
        assert contents(one.sim) == {"tools.iso": CONTENT}
    else:
        assert ran.result["error"]["type"] == "UNVERIFIED_PEER"
        assert f"SHA-256 thumbprint {identity.thumbprint('sha256')}" in ran.result["msg"]


# -- without a probe, and when nothing moves


def test_a_server_without_a_probe_is_done_without(tasks: Tasks, https: str, identity: Identity) -> None:
    tasks.sim.reset(Seed(probe=False, trusted_roots=(Path(identity.ca_path).read_text(),)))
    assert tasks.converge(**task(checked(f"{https}/tools.iso"))).changed
    assert contents(tasks.sim) == {"tools.iso": CONTENT}


def test_a_pull_that_hangs_ends_with_what_the_server_was_doing(tasks: Tasks, https: str) -> None:
    """As with an untrusted server on some versions: no error, only a transfer that stays at its first percent."""
    tasks.sim.reset(Seed(probe=False))
    with in_time(at_least=1):
        run = tasks.run(**task({"url": f"{https}/tools.iso"}, wait_timeout=1))
    assert run.error["type"] == "TIMED_OUT"
    assert "no progress for 1 seconds (wait_timeout): tools.iso (TRANSFERRING, 1 bytes)" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{http}/missing.iso", "RESOURCE_NOT_FOUND"),
        ("http://127.0.0.1:{unused}/tools.iso", "UNKNOWN_ERROR"),
        ("ds:///vmfs/volumes/golden/missing.iso", "RESOURCE_NOT_FOUND"),
    ],
    ids=["no such file", "no such server", "no such file in the datastore"],
)
@pytest.mark.parametrize("probe", [True, False], ids=["probe", "no probe"])
def test_what_vcenter_cannot_fetch(one: Tasks, http: str, url: str, said: str, probe: bool) -> None:
    one.sim.reset(Seed(probe=probe))
    declared = task({"url": url.format(http=http, unused=unused_port())})
    run = one.refuse(**declared) if probe else one.run(**declared)
    assert run.error["type"] == "TRANSFER_FAILED"
    assert (said if probe else "the server could not take") in run.msg
    assert_nothing_came_of_it(one, run)


def test_plain_http(tasks: Tasks, http: str) -> None:
    assert tasks.converge(**task(checked(f"{http}/a%20b/tools%20(1).iso"))).changed
    assert contents(tasks.sim) == {"tools (1).iso": CONTENT}


def test_content_that_is_not_what_was_declared_is_not_published(tasks: Tasks, http: str) -> None:
    run = tasks.run(**task(checked(f"{http}/tools.iso", OTHER)))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert hashlib.sha256(OTHER).hexdigest() in run.msg
    assert_nothing_came_of_it(tasks, run)


# -- datastores


def test_a_file_of_a_datastore(tasks: Tasks) -> None:
    tasks.sim.reset(Seed(datastores={STORED: CONTENT}))
    run = tasks.converge(**task(checked(STORED)))
    assert run.added[0]["source_endpoint"] == {"uri": STORED}
    assert contents(tasks.sim) == {"tools.iso": CONTENT}


@pytest.mark.parametrize("probe", [True, False], ids=["probe", "no probe"])
def test_a_file_of_a_datastore_without_the_privilege(tasks: Tasks, probe: bool) -> None:
    rights = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    users = (UserSeed(ADMINISTRATOR, privileges=rights),)
    tasks.sim.reset(Seed(datastores={STORED: CONTENT}, probe=probe, users=users))
    run = tasks.run(**task({"url": STORED}))
    assert run.error["type"] == "UNAUTHORIZED"
    assert "ContentLibrary.ReadStorage" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize("own", [True, False], ids=["the library's own storage", "elsewhere"])
def test_a_file_in_the_storage_of_the_library_is_moved(one: Tasks, own: bool) -> None:
    library = "0d1f5c2e-6f1c-4f0b-9d53-2d8a3f1b7c11"
    url = f"ds:///vmfs/volumes/golden/contentlib-{library if own else 'other'}/tools.iso"
    libraries = (LibrarySeed("templates", (ItemSeed("tools"), ItemSeed("more")), id=library),)
    one.sim.reset(Seed(libraries=libraries, datastores={url: CONTENT}))
    assert one.run(**task({"url": url})).changed
    assert one.run(**task({"url": url}, library_item="more")).failed == own
    assert contents(one.sim) == {"tools.iso": CONTENT}


# -- what is known of a URL


@pytest.mark.parametrize("when_unverifiable", ["transfer", "skip"])
@pytest.mark.parametrize(
    ("held", "declared", "pulled"),
    [
        (None, None, {"transfer", "skip"}),
        (None, CONTENT, {"transfer", "skip"}),
        (CONTENT, CONTENT, set()),
        (OTHER, CONTENT, {"transfer", "skip"}),
        (CONTENT, None, {"transfer"}),
        (OTHER, None, {"transfer"}),
    ],
    ids=[
        "nothing there, no checksum",
        "nothing there, checksum",
        "the same, checksum",
        "another, checksum",
        "the same, no checksum",
        "another, no checksum",
    ],
)
def test_a_checksum_and_when_unverifiable_decide_whether_a_url_is_fetched(
    one: Tasks, http: str, held: bytes | None, declared: bytes | None, pulled: set[str], when_unverifiable: str
) -> None:
    if held is not None:
        hold(one.sim, {"tools.iso": held})
    file: dict[str, Any] = {"url": f"{http}/tools.iso"}
    if declared is not None:
        file |= {"checksum": hashlib.sha1(declared).hexdigest(), "checksum_algorithm": "SHA1"}
    predicted = one.run(check=True, **task(file, when_unverifiable=when_unverifiable))
    run = one.run(**task(file, when_unverifiable=when_unverifiable))
    assert not run.failed, run.msg
    assert predicted.changed == run.changed == (when_unverifiable in pulled)
    assert predicted.diff == run.diff
    assert [entry["source_type"] for entry in run.added] == ["PULL"] * (when_unverifiable in pulled)
    assert contents(one.sim) == {"tools.iso": CONTENT if run.changed else held}
    assert [file["verified"] for file in run.result["files"]] == [declared is not None]


@pytest.mark.parametrize("when_unverifiable", ["transfer", "skip"])
def test_a_server_without_checksums_makes_even_a_declared_one_unverifiable(
    one: Tasks, http: str, when_unverifiable: str
) -> None:
    one.sim.reset(Seed(checksum_algorithm="none"))
    hold(one.sim, {"tools.iso": CONTENT})
    run = one.run(**task(checked(f"{http}/tools.iso"), when_unverifiable=when_unverifiable))
    assert run.changed == (when_unverifiable == "transfer")


def test_pulled_and_pushed_files_of_one_package_go_in_order(one: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, disk_bytes=9000, nvram=True, signed="self-signed")
    stored = {f"ds:///vmfs/volumes/golden/{path.name}": path.read_bytes() for path in package.files}
    one.sim.reset(Seed(datastores=stored))
    urls = [
        {"url": url, "checksum": hashlib.sha1(content).hexdigest(), "checksum_algorithm": "SHA1"}
        for url, content in reversed(stored.items())
    ]
    pushed = {"src": str(package.disks[0])}
    declared = task(
        *(entry for entry in urls if not entry["url"].endswith(".vmdk")),
        pushed,
        library_item="rocky9",
        warning_behavior=ACCEPTED,
    )
    run = one.converge(**declared)
    assert [(entry["name"], entry["source_type"]) for entry in run.added] == [
        ("rocky9.mf", "PULL"),
        ("rocky9.cert", "PULL"),
        ("rocky9.nvram", "PULL"),
        ("rocky9.ovf", "PULL"),
        ("rocky9-disk1.vmdk", "PUSH"),
    ]
    assert contents(one.sim, "rocky9") == {path.name: path.read_bytes() for path in package.files[2:]}


# -- a descriptor that brings its package


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[CannedServer]:
    """A mirror with a package, whose disk has a blank in its name."""
    disk = b"disk" * 300
    ovf = BARE_DESCRIPTOR.replace(b"disk.vmdk", b"my%20disk.vmdk")
    held = {"/vm/box.ovf": ovf, "/vm/my%20disk.vmdk": disk, "/other/my%20disk.vmdk": disk[::-1]}

    def answer(request: Received) -> Reply:
        content = held.get(request.path)
        return Reply(404, b"") if content is None else Reply(200, b"" if request.method == "HEAD" else content)

    with CannedServer(answer, tls=False) as running:
        yield running


def fetched(depot: CannedServer) -> list[str]:
    return sorted(request.path for request in depot.received if request.method == "GET")


@pytest.mark.parametrize("beside", ["", "vm", "other"])
def test_a_pulled_descriptor_brings_its_package_once(tasks: Tasks, depot: CannedServer, beside: str) -> None:
    at = f"http://{depot.hostname}:{depot.port}"
    ovf = BARE_DESCRIPTOR.replace(b"disk.vmdk", b"my%20disk.vmdk")
    disk = b"disk" * 300 if beside != "other" else (b"disk" * 300)[::-1]
    files = [checked(f"{at}/vm/box.ovf", ovf)]
    if beside:
        files.append(checked(f"{at}/{beside}/my%20disk.vmdk", disk))
    files = [{**file, "checksum_algorithm": "SHA256"} for file in files]
    tasks.sim.reset(Seed(checksum_algorithm="SHA256"))
    declared = task(*files, library_item="rocky9")
    assert tasks.converge(**declared).changed
    assert fetched(depot) == sorted(["/vm/box.ovf", f"/{beside or 'vm'}/my%20disk.vmdk"])
    assert contents(tasks.sim, "rocky9") == {"box.ovf": ovf, "my disk.vmdk": disk}


def test_a_local_descriptor_whose_disk_comes_by_url(tasks: Tasks, depot: CannedServer, tmp_path: Path) -> None:
    path = tmp_path / "box.ovf"
    path.write_bytes(BARE_DESCRIPTOR.replace(b"disk.vmdk", b"my%20disk.vmdk"))
    disk = checked(f"http://{depot.hostname}:{depot.port}/vm/my%20disk.vmdk", b"disk" * 300)
    run = tasks.converge(**task({"src": str(path)}, disk, library_item="rocky9"))
    assert run.uploaded == ["box.ovf"]
    assert fetched(depot) == ["/vm/my%20disk.vmdk"]
    assert set(contents(tasks.sim, "rocky9")) == {"box.ovf", "my disk.vmdk"}
    other = {**disk, "name": "other.vmdk"}
    assert "which is not there" in tasks.refuse(**task({"src": str(path)}, other, library_item="rocky9")).msg


def test_what_a_pulled_descriptor_lacks_is_the_servers_error(one: Tasks, depot: CannedServer) -> None:
    url = "ds:///vmfs/volumes/golden/box.ovf"
    one.sim.reset(Seed(datastores={url: BARE_DESCRIPTOR}))
    run = one.run(**task({"url": url}, library_item="rocky9"))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "disk.vmdk" in run.msg
    assert contents(one.sim, "rocky9") == {}


def test_an_item_cannot_lose_what_its_descriptor_references(one: Tasks) -> None:
    hold(one.sim, {"box.ovf": BARE_DESCRIPTOR, "disk.vmdk": b"disk"}, "rocky9")
    run = one.run(**task({"name": "disk.vmdk", "state": "absent"}, library_item="rocky9"))
    assert run.failed
    assert "disk.vmdk" in run.msg
    assert set(contents(one.sim, "rocky9")) == {"box.ovf", "disk.vmdk"}


def test_a_checksum_of_a_pulled_ova_is_refused_before_the_first_request(one: Tasks) -> None:
    run = one.refuse(**task(checked("https://mirror.example/rocky9.ova"), library_item="rocky9"))
    assert "vCenter takes no checksum of an OVA" in run.msg
    assert run.exchanges == ()


@pytest.mark.parametrize("when_unverifiable", ["transfer", "skip"])
def test_an_ova_behind_a_url_is_unverifiable_once_it_is_unpacked(
    one: Tasks, tmp_path: Path, when_unverifiable: str
) -> None:
    """Nobody here knows its members, so nothing that it brought may be taken for superfluous either."""
    package = make_package(tmp_path, disks=1, disk_bytes=9000)
    url = "ds:///vmfs/volumes/golden/rocky9.ova"
    one.sim.reset(Seed(datastores={url: make_ova(package, tmp_path / "rocky9.ova").read_bytes()}))
    declared = task({"url": url}, library_item="rocky9", when_unverifiable=when_unverifiable)
    kept = {path.name: path.read_bytes() for path in package.files[1:]}
    for number in (1, 2):
        predicted = one.run(check=True, **declared)
        run = one.run(**declared)
        assert not run.failed, run.msg
        assert predicted.changed == run.changed == (number == 1 or when_unverifiable == "transfer")
        assert predicted.diff == run.diff
        assert run.sent("DELETE", containing="/file/") == []
        assert contents(one.sim, "rocky9") == kept


def test_an_ova_behind_a_url_in_a_found_session(one: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, disk_bytes=9000)
    url = "ds:///vmfs/volumes/golden/rocky9.ova"
    one.sim.reset(Seed(datastores={url: make_ova(package, tmp_path / "rocky9.ova").read_bytes()}))
    item = one.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    one.run(**task({"url": url}, library_item="rocky9"))
    one.sim.run(lambda store: store.seed_update_session(item))
    declared = task({"url": url}, library_item="rocky9", when_unverifiable="skip", state="active")
    run = one.converge(**declared)
    assert not run.changed
    assert run.added == []


# -- what must not be read anywhere


def texts_of(outcome: Any, logged: list[str]) -> str:
    return "\n".join([outcome.stdout, outcome.stderr, json.dumps(outcome.result), *outcome.warnings, *logged])


LEAKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "success": ({"url": "{http}/tools.iso"}, {}),
    "nothing to do": ({"url": "{http}/tools.iso"}, {"when_unverifiable": "skip"}),
    "weak thumbprint": ({"url": "{https}/tools.iso", "ssl_thumbprint": "{sha1}"}, {}),
    "untrusted": ({"url": "{https}/tools.iso"}, {}),
    "not there": ({"url": "{http}/missing.iso"}, {}),
    "refused by vCenter": ({"url": "ds://{secret}@golden/missing.iso"}, {}),
    "wrong content": ({"url": "{http}/tools.iso", "checksum": "0" * 64}, {}),
    "together with src": ({"url": "{http}/tools.iso", "src": "/tmp/tools.iso"}, {}),
    "bad scheme": ({"url": "ftp://{secret}@mirror.example/tools.iso"}, {}),
    "no file": ({"url": "https://{secret}@mirror.example/"}, {}),
    "no URL": ({"url": "https://{secret}@[mirror/tools.iso"}, {}),
    "bad port": ({"url": "https://{secret}@mirror.example:port/tools.iso"}, {}),
    "thumbprint with http": ({"url": "{http}/tools.iso", "ssl_thumbprint": "AB" * 20}, {}),
    "unknown suboption": ({"url": "{http}/tools.iso", "source": "x"}, {}),
    "bad suboption": ({"url": "{http}/tools.iso", "checksum_algorithm": "CRC"}, {}),
    "unknown option": ({"url": "{http}/tools.iso"}, {"libary": "templates"}),
    "wrong password": ({"url": "{http}/tools.iso"}, {"password": "wrong"}),
    "no password": ({"url": "{http}/tools.iso"}, {"password": ""}),
    "no such host": ({"url": "{http}/tools.iso"}, {"port": 1}),
    "no such item": ({"url": "{http}/tools.iso"}, {"library_item": "nothing", "create_item": False}),
    "two of one name": ({"url": "{http}/tools.iso"}, {"more": {"url": "{http}/more/tools.iso"}}),
    "token in the query": ({"url": "http://{host}/tools.iso?X-Signature={password}"}, {}),
    "token as the user": ({"url": "http://{password}@{host}/tools.iso"}, {}),
    "password with a slash": ({"url": "https://svc:S3cr3t/P@ss-9q@mirror.example/tools.iso"}, {}),
}
DONE = ("success", "nothing to do", "weak thumbprint", "token in the query", "token as the user")


@pytest.mark.parametrize(
    ("case", "probe"),
    [(case, True) for case in LEAKS] + [(case, False) for case in ("not there", "refused by vCenter", "wrong content")],
)
def test_credentials_in_a_url_are_in_no_output(
    one: Tasks,
    mirror: CannedServer,
    https: str,
    identity: Identity,
    case: str,
    probe: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one.sim.reset(Seed(probe=probe))
    logged: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda *texts: logged.extend(str(text) for text in texts))
    secret = f"svc:{SECRET}"
    values = {
        "http": f"http://{secret}@{mirror.hostname}:{mirror.port}",
        "https": https.replace("://", f"://{secret}@"),
        "host": f"{mirror.hostname}:{mirror.port}",
        "secret": secret,
        "password": SECRET,
        "sha1": identity.thumbprint("sha1"),
    }
    entry, options = LEAKS[case]
    options = dict(options)
    more = options.pop("more", None)
    files = [
        {name: value.format(**values) if isinstance(value, str) else value for name, value in each.items()}
        for each in (entry, more)
        if each
    ]
    args = {**connection_args(one.sim), **task(*files), **WITH_INVOCATION, **options}
    if case == "nothing to do":
        hold(one.sim, {"tools.iso": CONTENT})
    outcome = run_module(UPDATE_SESSION, args, verbosity=4)
    assert bool(outcome.result.get("failed")) == (case not in DONE), outcome.result.get("msg")
    assert "invocation" in outcome.result
    assert "INTERNAL_ERROR" not in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr
    shown = texts_of(outcome, logged)
    assert [text for text in SECRETS if text in shown] == []
    assert logged or case in ("unknown suboption", "bad suboption", "unknown option")


def test_a_url_with_credentials_is_sent_to_vcenter_whole(one: Tasks, mirror: CannedServer) -> None:
    url = f"http://svc:{SECRET}@{mirror.hostname}:{mirror.port}/tools.iso?key=a%2Bb"
    run = one.run(**task({"url": url}))
    assert run.added[0]["source_endpoint"] == {"uri": url}
    assert contents(one.sim) == {"tools.iso": CONTENT}


# -- options that make no sense


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"url": "https://m/x.iso", "src": "/images/x.iso"}, "is given together with src"),
        ({"url": "ftp://m/x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "file:///etc/passwd"}, "is nothing that vCenter can fetch"),
        ({"url": "/images/x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "https:///x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "https://m"}, "https://m names no file. Give the URL of a file"),
        ({"url": "https://m/"}, "https://m/ names no file. Give the URL of a file"),
        ({"url": "https://m/", "name": "x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "https://[m/x.iso"}, "is not a URL"),
        ({"url": "https://m:port/x.iso"}, "is not a URL"),
        ({"url": "https://m/folder/"}, "https://m/folder/ names no file"),
        ({"url": "https://m/x.iso", "name": "a/b"}, "is not a file name"),
        ({"url": "https://m/..%2Fx.iso"}, "is not a file name"),
        ({"url": "http://m/x.iso", "ssl_thumbprint": "AB" * 32}, "which is not an https URL"),
        ({"url": "ds:///v/x.iso", "ssl_thumbprint": "AB" * 32}, "which is not an https URL"),
        ({"url": "http://m/x.iso", "ssl_certificate": "{pem}"}, "which is not an https URL"),
        ({"url": "https://m/x.iso", "ssl_thumbprint": "AB" * 32, "ssl_certificate": "{pem}"}, "has ssl_thumbprint and"),
        ({"src": "{image}", "ssl_thumbprint": "AB" * 32}, "ssl_thumbprint is given without url"),
        ({"src": "{image}", "ssl_certificate": "{pem}"}, "ssl_certificate is given without url"),
        ({"url": "https://m/x.iso", "ssl_thumbprint": "AB" * 31}, "neither a SHA-256 nor a SHA-1 thumbprint"),
        ({"url": "https://m/x.iso", "ssl_thumbprint": "XY" * 20}, "neither a SHA-256 nor a SHA-1 thumbprint"),
        ({"url": "https://m/x.iso", "ssl_certificate": "no PEM"}, "ssl_certificate is not one certificate in PEM form"),
        (
            {"url": "https://m/x.iso", "ssl_certificate": "{image}"},
            "ssl_certificate is not one certificate in PEM form",
        ),
        ({"url": "https://m/x.iso", "ssl_certificate": "/no/such.pem"}, "ssl_certificate /no/such.pem does not exist"),
        ({"url": "https://m/x.iso", "checksum": "abc"}, "does not have 64 hex digits"),
    ],
)
def test_options_of_a_url_that_make_no_sense(
    one: Tasks, identity: Identity, tmp_path: Path, entry: dict[str, str], said: str
) -> None:
    image = tmp_path / "image.iso"
    image.write_bytes(b"x")
    values = {"pem": identity.certificate, "image": str(image)}
    run = one.refuse(**task({name: value.format(**values) for name, value in entry.items()}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg


def test_two_urls_of_one_name(one: Tasks) -> None:
    run = one.refuse(**task({"url": "https://m/x.iso?v=1"}, {"url": "https://m/x.iso?v=2"}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "would both be named x.iso" in run.msg


# -- worlds


@pytest.mark.fact("untrusted-source-is-refused-on-9")
def test_an_untrusted_source_that_is_refused_is_no_wait(tasks: Tasks, https: str) -> None:
    tasks.sim.reset(Seed(probe=False, untrusted_source="refused"))
    run = tasks.run(**task({"url": f"{https}/tools.iso"}))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "Server not trusted" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.fact("pulled-descriptor-brings-the-package")
def test_a_descriptor_alone_brings_its_package(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=2, nvram=True)
    stored = {f"ds:///vmfs/volumes/golden/{path.name}": path.read_bytes() for path in package.files}
    tasks.sim.reset(Seed(datastores=stored))
    declared: dict[str, Any] = {"library": "templates", "library_item": "rocky9", "state": "done"}
    run = tasks.run(**declared, files=[{"url": f"ds:///vmfs/volumes/golden/{package.descriptor.name}"}])
    assert not run.failed, run.msg
    assert contents(tasks.sim, "rocky9") == kept_of(package)
