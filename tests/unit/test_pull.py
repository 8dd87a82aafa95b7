# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PULL: what vCenter fetches itself, from whom, and what becomes of it; and what nobody gets to read of a URL."""

from __future__ import annotations

import hashlib
import json
import syslog
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.parameters import PASS_VARS

from tests.harness.modules import connection_args, run_module
from tests.harness.packages import make_ova, make_package
from tests.harness.servers import CannedServer, Identity, Received, Reply, make_identity, unused_port
from tests.harness.tasks import DIALECTS, UPDATE_SESSION, Run, Tasks
from tests.simulator import Seed, Simulator
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES, UserSeed

CONTENT = b"an image that lies on a mirror" * 100
OTHER = b"another image of the same size" * 100
STORED = "ds:///vmfs/volumes/golden/tools.iso"
SECRET = "S3cr3t%2FP%40ss-9q"
# Older versions return the arguments of a module without being told to.
WITH_INVOCATION = {"_ansible_inject_invocation": True} if "inject_invocation" in PASS_VARS else {}
SECRETS = (SECRET, "S3cr3t/P@ss-9q", "S3cr3t", "P@ss-9q", "P%40ss-9q")


def serve(request: Received) -> Reply:
    """A mirror that has one image, under any name but one."""
    if "missing" in request.path:
        return Reply(404, b"not here")
    return Reply(200, b"" if request.method == "HEAD" else CONTENT, {"Content-Type": "application/octet-stream"})


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("mirror"))


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


@pytest.fixture
def tasks(server: Simulator) -> Tasks:
    server.reset()
    return Tasks(server, "api")


@pytest.fixture(params=DIALECTS)
def each(request: pytest.FixtureRequest, server: Simulator) -> Tasks:
    """In both dialects."""
    server.reset()
    return Tasks(server, request.param)


def task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "tools", "state": "done", "files": list(files), **options}


def contents(tasks: Tasks, item: str = "tools") -> dict[str, bytes]:
    return tasks.sim.run(lambda store: store.item_contents(store.find_item_id("templates", item)))


def hold(tasks: Tasks, files: dict[str, bytes]) -> None:
    tasks.sim.run(lambda store: store.seed_item_files(store.find_item_id("templates", "tools"), files))


def sessions(tasks: Tasks) -> list[str]:
    return tasks.sim.run(lambda store: [entry.state for entry in store.updates.sessions.values()])


def assert_nothing_came_of_it(tasks: Tasks, run: Run) -> None:
    assert run.failed
    assert not run.changed
    assert not run.result.get("item_changed")
    assert run.sent("POST", "complete") == []
    assert sessions(tasks) == []
    assert contents(tasks) == {}


def checked(url: str, content: bytes = CONTENT) -> dict[str, Any]:
    return {"url": url, "checksum": hashlib.sha256(content).hexdigest()}


# -- whom vCenter trusts


def test_a_server_that_vcenter_trusts(each: Tasks, https: str, identity: Identity) -> None:
    each.sim.reset(Seed(trusted_roots=(Path(identity.ca_path).read_text(),)))
    run = each.converge(**task(checked(f"{https}/images/tools.iso")))
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
    assert contents(each) == {"tools.iso": CONTENT}
    assert "transferred" not in run.result, "no byte passed through here"
    assert [file["verified"] for file in run.result["files"]] == [True]


@pytest.mark.parametrize(("reported", "kind"), [("SHA1", "SHA-1"), ("SHA256", "SHA-256")])
def test_an_untrusted_certificate_is_shown_and_never_pinned_by_itself(
    each: Tasks, https: str, identity: Identity, reported: str, kind: str
) -> None:
    each.sim.reset(Seed(thumbprint_algorithm=reported))
    run = each.refuse(**task({"url": f"{https}/tools.iso"}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert f"{kind} thumbprint {identity.thumbprint(reported.lower())}" in run.msg
    assert "After checking" in run.msg
    assert "ssl_thumbprint" in run.msg
    assert "ssl_certificate" in run.msg
    assert_nothing_came_of_it(each, run)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("writing", ["upper case and colons", "lower case", "spaces"])
def test_a_thumbprint_that_was_given_is_sent_as_the_api_writes_it(
    tasks: Tasks, https: str, identity: Identity, algorithm: str, writing: str
) -> None:
    printed = identity.thumbprint(algorithm)
    given = {
        "upper case and colons": printed,
        "lower case": printed.replace(":", "").lower(),
        "spaces": f" {printed.replace(':', ' ')} ",
    }[writing]
    run = tasks.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": given}))
    assert not run.failed, run.msg
    assert run.added[0]["source_endpoint"] == {
        "uri": f"{https}/tools.iso",
        "ssl_certificate_thumbprint": printed,
    }
    assert contents(tasks) == {"tools.iso": CONTENT}
    weak = [text for text in run.outcome.warnings if "SHA-1" in text]
    assert len(weak) == len(run.outcome.warnings) == (1 if algorithm == "sha1" else 0)


@pytest.mark.parametrize(("given", "other"), [("sha1", "SHA-256"), ("sha256", "SHA-1")])
def test_a_refused_thumbprint_names_the_other_kind(
    each: Tasks, https: str, identity: Identity, given: str, other: str
) -> None:
    each.sim.reset(Seed(thumbprints=(other.replace("-", ""),)))
    run = each.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": identity.thumbprint(given)}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"give the {other} one" in run.msg
    assert_nothing_came_of_it(each, run)


def test_another_certificate_than_the_pinned_one_is_found_by_the_probe(
    each: Tasks, https: str, identity: Identity
) -> None:
    run = each.refuse(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": "AB" * 32}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert identity.thumbprint("sha1") in run.msg
    assert_nothing_came_of_it(each, run)


def test_another_certificate_than_the_pinned_one_is_the_servers_error_without_a_probe(each: Tasks, https: str) -> None:
    each.sim.reset(Seed(probe=False))
    run = each.run(**task({"url": f"{https}/tools.iso", "ssl_thumbprint": "AB" * 32}))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "shows another certificate than the one that was given" in run.msg
    assert_nothing_came_of_it(each, run)


@pytest.mark.parametrize(
    ("form", "server_knows"), [("text", "known"), ("path", "known"), ("text", "unknown"), ("path", "dropped")]
)
def test_a_certificate_goes_where_it_is_known_and_its_thumbprint_elsewhere(
    each: Tasks, https: str, identity: Identity, tmp_path: Path, form: str, server_knows: str
) -> None:
    each.sim.reset(Seed(source_certificate=server_knows))
    path = tmp_path / "mirror.pem"
    path.write_text(identity.certificate + "\n")
    given = str(path) if form == "path" else identity.certificate
    run = each.converge(**task({**checked(f"{https}/tools.iso"), "ssl_certificate": given}))
    accepted = run.added[-1]["source_endpoint"]
    uri = {"uri": f"{https}/tools.iso"}
    if server_knows == "known":
        assert accepted == {**uri, "ssl_certificate": identity.certificate + "\n"}
        assert len(run.added) == 1
    else:
        assert accepted == {**uri, "ssl_certificate_thumbprint": identity.thumbprint("sha1")}
    assert contents(each) == {"tools.iso": CONTENT}
    assert run.outcome.warnings == []


def test_a_server_that_takes_no_sha1_at_all_is_probed_with_the_certificate(
    tasks: Tasks, https: str, identity: Identity
) -> None:
    tasks.sim.reset(Seed(thumbprints=("SHA256",)))
    tasks.converge(**task({**checked(f"{https}/tools.iso"), "ssl_certificate": identity.certificate}))
    assert contents(tasks) == {"tools.iso": CONTENT}


@pytest.mark.parametrize("server_knows", ["known", "unknown", "dropped"])
def test_the_certificate_of_another_server_is_found_by_the_probe(
    tasks: Tasks, https: str, identity: Identity, tmp_path: Path, server_knows: str
) -> None:
    tasks.sim.reset(Seed(source_certificate=server_knows))
    other = make_identity(tmp_path / "other").certificate
    run = tasks.refuse(**task({"url": f"{https}/tools.iso", "ssl_certificate": other}))
    assert run.error["type"] == "UNVERIFIED_PEER"
    assert identity.thumbprint("sha1") in run.msg


# -- without a probe, and when nothing moves


def test_a_server_without_a_probe_is_done_without(each: Tasks, https: str, identity: Identity) -> None:
    each.sim.reset(Seed(probe=False, trusted_roots=(Path(identity.ca_path).read_text(),)))
    assert each.converge(**task(checked(f"{https}/tools.iso"))).changed
    assert contents(each) == {"tools.iso": CONTENT}


def test_a_pull_that_hangs_ends_with_what_the_server_was_doing(each: Tasks, https: str) -> None:
    """As with an untrusted server on some versions: no error, only a transfer that stays at its first percent."""
    each.sim.reset(Seed(probe=False))
    started = time.monotonic()
    run = each.run(**task({"url": f"{https}/tools.iso"}, wait_timeout=1))
    assert 1 <= time.monotonic() - started < 4
    assert run.error["type"] == "TIMED_OUT"
    assert "no progress for 1 seconds (wait_timeout): tools.iso (TRANSFERRING, 1 bytes)" in run.msg
    assert_nothing_came_of_it(each, run)


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
def test_what_vcenter_cannot_fetch(tasks: Tasks, http: str, url: str, said: str, probe: bool) -> None:
    tasks.sim.reset(Seed(probe=probe))
    declared = task({"url": url.format(http=http, unused=unused_port())})
    run = tasks.refuse(**declared) if probe else tasks.run(**declared)
    assert run.error["type"] == "TRANSFER_FAILED"
    assert (said if probe else "the server could not take") in run.msg
    assert_nothing_came_of_it(tasks, run)


def test_plain_http(each: Tasks, http: str) -> None:
    assert each.converge(**task(checked(f"{http}/a%20b/tools%20(1).iso"))).changed
    assert contents(each) == {"tools (1).iso": CONTENT}


def test_content_that_is_not_what_was_declared_is_not_published(each: Tasks, http: str) -> None:
    run = each.run(**task(checked(f"{http}/tools.iso", OTHER)))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert hashlib.sha256(OTHER).hexdigest() in run.msg
    assert_nothing_came_of_it(each, run)


# -- datastores


def test_a_file_of_a_datastore(each: Tasks) -> None:
    each.sim.reset(Seed(datastores={STORED: CONTENT}))
    run = each.converge(**task(checked(STORED)))
    assert run.added[0]["source_endpoint"] == {"uri": STORED}
    assert contents(each) == {"tools.iso": CONTENT}


@pytest.mark.parametrize("probe", [True, False], ids=["probe", "no probe"])
def test_a_file_of_a_datastore_without_the_privilege(each: Tasks, probe: bool) -> None:
    rights = tuple(name for name in PRIVILEGES if name != "ContentLibrary.ReadStorage")
    users = (UserSeed(ADMINISTRATOR, privileges=rights),)
    each.sim.reset(Seed(datastores={STORED: CONTENT}, probe=probe, users=users))
    run = each.run(**task({"url": STORED}))
    assert run.error["type"] == "UNAUTHORIZED"
    assert "ContentLibrary.ReadStorage" in run.msg
    assert_nothing_came_of_it(each, run)


# -- what is known of a URL


@pytest.mark.parametrize("when_unverifiable", ["upload", "skip"])
@pytest.mark.parametrize(
    ("held", "declared", "pulled"),
    [
        (None, None, {"upload", "skip"}),
        (None, CONTENT, {"upload", "skip"}),
        (CONTENT, CONTENT, set()),
        (OTHER, CONTENT, {"upload", "skip"}),
        (CONTENT, None, {"upload"}),
        (OTHER, None, {"upload"}),
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
    tasks: Tasks, http: str, held: bytes | None, declared: bytes | None, pulled: set[str], when_unverifiable: str
) -> None:
    if held is not None:
        hold(tasks, {"tools.iso": held})
    file: dict[str, Any] = {"url": f"{http}/tools.iso"}
    if declared is not None:
        file |= {"checksum": hashlib.sha1(declared).hexdigest(), "checksum_algorithm": "SHA1"}
    predicted = tasks.run(check=True, **task(file, when_unverifiable=when_unverifiable))
    run = tasks.run(**task(file, when_unverifiable=when_unverifiable))
    assert not run.failed, run.msg
    assert predicted.changed == run.changed == (when_unverifiable in pulled)
    assert predicted.diff == run.diff
    assert [entry["source_type"] for entry in run.added] == ["PULL"] * (when_unverifiable in pulled)
    assert contents(tasks) == {"tools.iso": CONTENT if run.changed else held}
    assert [file["verified"] for file in run.result["files"]] == [declared is not None]


@pytest.mark.parametrize("when_unverifiable", ["upload", "skip"])
def test_a_server_without_checksums_makes_even_a_declared_one_unverifiable(
    tasks: Tasks, http: str, when_unverifiable: str
) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    hold(tasks, {"tools.iso": CONTENT})
    run = tasks.run(**task(checked(f"{http}/tools.iso"), when_unverifiable=when_unverifiable))
    assert run.changed == (when_unverifiable == "upload")


def test_pulled_and_pushed_files_of_one_package_go_in_order(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, disk_bytes=9000, nvram=True, signed="self-signed")
    stored = {f"ds:///vmfs/volumes/golden/{path.name}": path.read_bytes() for path in package.files}
    tasks.sim.reset(Seed(datastores=stored))
    urls = [
        {"url": url, "checksum": hashlib.sha1(content).hexdigest(), "checksum_algorithm": "SHA1"}
        for url, content in reversed(stored.items())
    ]
    pushed = {"src": str(package.disks[0])}
    declared = task(
        *(entry for entry in urls if not entry["url"].endswith(".vmdk")),
        pushed,
        library_item="rocky9",
        warning_behavior=[{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}],
    )
    run = tasks.converge(**declared)
    assert [entry["name"] for entry in run.added[:3]] == ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
    assert {entry["name"]: entry["source_type"] for entry in run.added[3:]} == {
        "rocky9.nvram": "PULL",
        "rocky9-disk1.vmdk": "PUSH",
    }
    assert contents(tasks, "rocky9") == {path.name: path.read_bytes() for path in package.files[2:]}


@pytest.mark.parametrize("when_unverifiable", ["upload", "skip"])
def test_an_ova_behind_a_url_is_unverifiable_once_it_is_unpacked(
    tasks: Tasks, tmp_path: Path, when_unverifiable: str
) -> None:
    """Nobody here knows its members, so nothing that it brought may be taken for superfluous either."""
    package = make_package(tmp_path, disks=1, disk_bytes=9000)
    url = "ds:///vmfs/volumes/golden/rocky9.ova"
    tasks.sim.reset(Seed(datastores={url: make_ova(package, tmp_path / "rocky9.ova").read_bytes()}))
    declared = task({"url": url}, library_item="rocky9", when_unverifiable=when_unverifiable)
    kept = {path.name: path.read_bytes() for path in package.files[1:]}
    for number in (1, 2):
        predicted = tasks.run(check=True, **declared)
        run = tasks.run(**declared)
        assert not run.failed, run.msg
        assert predicted.changed == run.changed == (number == 1 or when_unverifiable == "upload")
        assert predicted.diff == run.diff
        assert run.sent("DELETE", containing="/file/") == []
        assert contents(tasks, "rocky9") == kept


def test_an_ova_behind_a_url_in_a_found_session(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, disk_bytes=9000)
    url = "ds:///vmfs/volumes/golden/rocky9.ova"
    tasks.sim.reset(Seed(datastores={url: make_ova(package, tmp_path / "rocky9.ova").read_bytes()}))
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    tasks.run(**task({"url": url}, library_item="rocky9"))
    tasks.sim.run(lambda store: store.seed_update_session(item))
    declared = task({"url": url}, library_item="rocky9", when_unverifiable="skip", state="active")
    run = tasks.converge(**declared)
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
    "no such item": ({"url": "{http}/tools.iso"}, {"library_item": "nothing"}),
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
    tasks: Tasks,
    mirror: CannedServer,
    https: str,
    identity: Identity,
    case: str,
    probe: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks.sim.reset(Seed(probe=probe))
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
    args = {**connection_args(tasks.sim), **task(*files), **WITH_INVOCATION, **options}
    if case == "nothing to do":
        hold(tasks, {"tools.iso": CONTENT})
    outcome = run_module(UPDATE_SESSION, args, verbosity=4)
    assert bool(outcome.result.get("failed")) == (case not in DONE), outcome.result.get("msg")
    assert "invocation" in outcome.result
    assert "INTERNAL_ERROR" not in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr
    shown = texts_of(outcome, logged)
    assert [text for text in SECRETS if text in shown] == []
    assert logged or case in ("unknown suboption", "bad suboption", "unknown option")


def test_a_url_with_credentials_is_sent_to_vcenter_whole(tasks: Tasks, mirror: CannedServer) -> None:
    url = f"http://svc:{SECRET}@{mirror.hostname}:{mirror.port}/tools.iso?key=a%2Bb"
    run = tasks.run(**task({"url": url}))
    assert run.added[0]["source_endpoint"] == {"uri": url}
    assert contents(tasks) == {"tools.iso": CONTENT}


# -- options that make no sense


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"url": "https://m/x.iso", "src": "/images/x.iso"}, "is given together with src"),
        ({"url": "ftp://m/x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "file:///etc/passwd"}, "is nothing that vCenter can fetch"),
        ({"url": "/images/x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "https:///x.iso"}, "is nothing that vCenter can fetch"),
        ({"url": "https://m/"}, "is nothing that vCenter can fetch"),
        ({"url": "https://[m/x.iso"}, "is no URL"),
        ({"url": "https://m:port/x.iso"}, "is no URL"),
        ({"url": "https://m/folder/"}, "is not a file name"),
        ({"url": "https://m/x.iso", "name": "a/b"}, "is not a file name"),
        ({"url": "https://m/..%2Fx.iso"}, "is not a file name"),
        ({"url": "http://m/x.iso", "ssl_thumbprint": "AB" * 32}, "which is no https URL"),
        ({"url": "ds:///v/x.iso", "ssl_thumbprint": "AB" * 32}, "which is no https URL"),
        ({"url": "http://m/x.iso", "ssl_certificate": "{pem}"}, "which is no https URL"),
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
        ({"url": "https://m/x.iso", "checksum": "abc"}, "is no SHA256 checksum"),
    ],
)
def test_options_of_a_url_that_make_no_sense(
    tasks: Tasks, identity: Identity, tmp_path: Path, entry: dict[str, str], said: str
) -> None:
    image = tmp_path / "image.iso"
    image.write_bytes(b"x")
    values = {"pem": identity.certificate, "image": str(image)}
    run = tasks.refuse(**task({name: value.format(**values) for name, value in entry.items()}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg


def test_two_urls_of_one_name(tasks: Tasks) -> None:
    run = tasks.refuse(**task({"url": "https://m/x.iso?v=1"}, {"url": "https://m/x.iso?v=2"}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "would both be named x.iso" in run.msg
