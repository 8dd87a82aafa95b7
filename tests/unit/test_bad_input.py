# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task cannot follow is a clear error that names the option and the remedy, before anything is changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.modules import ModuleResult, connection_args, run_module, run_module_process
from tests.harness.packages import make_iso, make_package
from tests.harness.servers import CannedServer, Reply, make_identity, unused_port
from tests.harness.tasks import DOWNLOAD_SESSION, LIBRARY_ITEM, SESSION_INFO, TOOLS, UPDATE_SESSION
from tests.harness.users import as_nobody
from tests.simulator import Exchange, ItemSeed, LibrarySeed, Seed, Simulator

#: What a task of an update session has at least.
OPEN: dict[str, Any] = {**TOOLS, "state": "active"}
ROCKY: dict[str, Any] = {"library": "templates", "library_item": "rocky9"}
LOGINS = ("/api/session", "/rest/com/vmware/cis/session")
SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Bad:
    """Options that cannot be followed; `says` are words of the message. In them, DIR stands for the test's folder."""

    id: str
    options: dict[str, Any]
    says: tuple[str, ...]
    item: dict[str, Any] | None = None
    module: str = UPDATE_SESSION


def warnings(*entries: tuple[str, Any]) -> dict[str, Any]:
    return {"warning_behavior": [{"type": kind, "ignored": ignored} for kind, ignored in entries]}


def files(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"files": list(entries)}


ISO = {"src": "DIR/tools.iso"}

FILES = ("files takes a list of dictionaries", "[{src: /images/tools.iso}]")
WARNINGS = ("warning_behavior takes a list of dictionaries", "[{type: SELF_SIGNED_CERTIFICATE, ignored: true}]")

# What is refused by what it is, whatever the server holds.
LOCAL: list[Bad] = [
    Bad("unknown-warning", warnings(("WEAK_CIPHER", True)), ("warning_behavior", "WEAK_CIPHER", "EXPIRED_CERTIFICATE")),
    Bad(
        "conflicting-warnings",
        warnings(("EXPIRED_CERTIFICATE", True), ("EXPIRED_CERTIFICATE", False)),
        ("warning_behavior", "EXPIRED_CERTIFICATE", "Drop one"),
    ),
    Bad("warning-without-ignored", {"warning_behavior": [{"type": "EXPIRED_CERTIFICATE"}]}, ("ignored", "required")),
    Bad("warning-as-text", {"warning_behavior": "EXPIRED_CERTIFICATE"}, ("the text 'EXPIRED_CERTIFICATE'", *WARNINGS)),
    Bad("warnings-as-texts", {"warning_behavior": ["EXPIRED_CERTIFICATE"]}, ("entry 1 of warning_b", *WARNINGS)),
    Bad("warning-as-dict", {"warning_behavior": {"EXPIRED_CERTIFICATE": True}}, ("is a dictionary", *WARNINGS)),
    Bad("files-as-text", {"files": "DIR/tools.iso"}, ("files is the text 'DIR/tools.iso'", *FILES)),
    Bad("files-as-url", {"files": "https://u:p@m/x.iso?p"}, ("files is a text,", *FILES)),
    Bad("files-as-dict", {"files": ISO}, ("files is a dictionary", *FILES)),
    Bad("files-as-number", {"files": 5}, ("files is 5", *FILES)),
    Bad("file-as-text", {"files": [ISO, "DIR/tools.iso"]}, ("entry 2 of files is the text 'DIR/tools.iso'", *FILES)),
    Bad("files-in-a-list", {"files": [[ISO]]}, ("entry 1 of files is a list", *FILES)),
    Bad("file-left-empty", {"files": [None]}, ("entry 1 of files is empty", *FILES)),
    Bad("fetch-as-dict", {"files": {"name": "x"}}, ("files is a dict", "[tools.iso]"), module=DOWNLOAD_SESSION),
    Bad("checksums-as-list", {"checksums": ["md5:0"]}, ("checksums is a list", "tools.iso: "), module=DOWNLOAD_SESSION),
    Bad("signer-and-warnings", {"accepted_signer": SHA256, **warnings()}, ("accepted_signer|warning_behavior",)),
    Bad("signer-by-sha1", {"accepted_signer": "ab:" * 19 + "ab"}, ("accepted_signer is a SHA-1", "SHA-256", "openssl")),
    Bad("signer-empty", {"accepted_signer": ""}, ("accepted_signer is neither", "64 hex digits", "PEM")),
    Bad("signer-relative", {"accepted_signer": "signer.pem"}, ("accepted_signer is neither", "absolute path")),
    Bad("signer-missing", {"accepted_signer": "DIR/gone.pem"}, ("accepted_signer DIR/gone.pem does not exist",)),
    Bad("signer-no-certificate", {"accepted_signer": "DIR/tools.iso"}, ("accepted_signer is not one", "PEM form")),
    Bad(
        "signer-broken",
        {"accepted_signer": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        ("accepted_signer is not one certificate in PEM form", "absolute path"),
    ),
    Bad("progress-above-100", {"client_progress": 101}, ("client_progress", "101", "0 to 100")),
    Bad("progress-below-0", {"client_progress": -1}, ("client_progress", "-1", "0 to 100")),
    Bad("progress-no-number", {"client_progress": "half"}, ("client_progress", "convert to int")),
    Bad(
        "relative-src", files({"src": "files/tools.iso"}), ("src", "relative", "{{ role_path }}", "{{ playbook_dir }}")
    ),
    Bad("src-as-list", files({"src": ["DIR/tools.iso"]}), ("entry 1 of files: src is a list, and takes one text",)),
    Bad("library-as-list", {"library": ["a", "b"]}, ("library is a list, and takes one text", "another entry or task")),
    Bad("missing-src", files({"src": "DIR/none.iso"}), ("src", "DIR/none.iso", "does not exist", "delegate_to")),
    Bad("directory-without", files({"src": "DIR/folder"}), ("DIR/folder is a directory without an .ovf", "itself")),
    Bad(
        "directory-of-several",
        files({"src": "DIR/twins/"}),
        ("DIR/twins/ is a directory with 2 packages: a.OVA, b.iso", "Name the one to publish"),
    ),
    Bad("circular-src", files({"src": "DIR/loop.iso"}), ("src", "DIR/loop.iso", "cannot be read")),
    Bad("pipe-src", files({"src": "DIR/pipe.iso"}), ("src", "DIR/pipe.iso", "regular file")),
    Bad("neither-src-nor-url", files({"name": "x.iso"}), ("files", "x.iso", "src")),
    Bad("src-and-url", files({**ISO, "url": "https://mirror/x.iso"}), ("files", "src", "Keep one")),
    Bad("broken-url", files({"url": "https://[mirror/x.iso"}), ("files", "url", "percent-encoded")),
    Bad("strange-url", files({"url": "ftp://mirror/x.iso"}), ("files", "ftp://mirror/x.iso", "https://")),
    Bad(
        "two-files-of-one-name",
        files(ISO, {"src": "DIR/other.iso", "name": "tools.iso"}),
        ("files", "tools.iso", "DIR/other.iso", "another name"),
    ),
    Bad("present-and-absent", files(ISO, {"name": "tools.iso", "state": "absent"}), ("files", "tools.iso", "Drop one")),
    Bad("purge-with-an-empty-list", {"files": [], "purge_files": True}, ("purge_files", "empty", "delete the item")),
    Bad("absent-without-name", files({"state": "absent"}), ("files", "absent", "name")),
    Bad("name-with-a-folder", files({**ISO, "name": "../tools.iso"}), ("files", "../tools.iso", "without a directory")),
    Bad("checksum-too-short", files({**ISO, "checksum": SHA256[:-1]}), ("checksum", "tools.iso", "SHA256", "64")),
    Bad("checksum-no-hex", files({**ISO, "checksum": "g" * 64}), ("checksum", "tools.iso", "hex")),
    Bad(
        "checksum-of-another-algorithm",
        files({**ISO, "checksum": SHA256, "checksum_algorithm": "SHA1"}),
        ("checksum", "SHA1", "40", "checksum_algorithm"),
    ),
    Bad("unknown-algorithm", files({**ISO, "checksum_algorithm": "CRC32"}), ("checksum_algorithm", "CRC32", "SHA256")),
    Bad("no-descriptor", files({"src": "DIR/broken.ovf"}), ("files", "DIR/broken.ovf", "OVF descriptor"), ROCKY),
    Bad("missing-reference", files({"src": "DIR/lacking/rocky9.ovf"}), ("files", "rocky9-disk1.vmdk", "beside"), ROCKY),
    Bad("reference-upwards", files({"src": "DIR/upwards/rocky9.ovf"}), ("files", "../secret.vmdk", "plain"), ROCKY),
    Bad("reference-absolute", files({"src": "DIR/absolute/rocky9.ovf"}), ("files", "/etc/passwd", "plain"), ROCKY),
    Bad("one-file-too-many", files(*[{**ISO, "name": f"{n}.iso"} for n in range(10_001)]), ("DIR/tools.iso", "10000")),
    Bad(
        "one-package-too-many",
        files(*[{"src": "DIR/broken.ovf", "name": f"{n}.ovf"} for n in range(101)]),
        ("files", "101", "0.ovf and 1.ovf", "at most 100", "item of its own"),
        ROCKY,
    ),
    Bad(
        "file-referenced-twice", files({"src": "DIR/twice/rocky9.ovf"}), ("rocky9-disk1.vmdk", "twice", "again"), ROCKY
    ),
    Bad("client-token", {"client_token": "once"}, ("client_token", "once", "UUID")),
    Bad("wait-timeout", {"wait_timeout": 0}, ("wait_timeout", "0", "1 to 604800")),
    Bad("busy-timeout", {"busy_timeout": -1}, ("busy_timeout", "-1")),
    Bad("error-without-message", {"state": "error"}, ("error_message", "state")),
    *(
        Bad(f"mode-{mode}", {"mode": mode}, (f"mode is {said}", "in quotes"), module=DOWNLOAD_SESSION)
        for mode, said in (
            ("abc", "'abc': mode must be in octal or symbolic form"),
            ("999", "'999': mode must be"),
            (999, "the number 999, which is 01747"),
            (-1, "the number -1"),
            ("77777", "'77777': Invalid mode"),
        )
    ),
    Bad("owner", {"owner": "nobody-has-this"}, ("owner is 'nobody-has-this'", "by name"), module=DOWNLOAD_SESSION),
    Bad("group", {"group": "nobody-has-this"}, ("group is 'nobody-has-this'", "by name"), module=DOWNLOAD_SESSION),
    Bad("empty-item", {"library_item": " "}, ("library_item", "names nothing")),
    Bad(
        "no-state",
        {"state": None},
        ("state is missing", "done to publish", "active to fill", "canceled to", "error to", "absent to remove"),
    ),
    Bad("unknown-state", {"state": "open"}, ("state", "open", "active")),
    Bad("unknown-option", {"warnings": []}, ("warnings",)),
    Bad("item-without-library", {}, ("library_item", "'tools'", "library_id"), {"library_item": "tools"}),
    Bad("library-without-item", {}, ("library_item",), {"library": "templates"}),
    Bad("library-named-twice", {"library_id": "l"}, ("library", "library_id", "mutually exclusive")),
    Bad("session-and-item", {"session_id": "a:b"}, ("session_id", "library_item", "mutually exclusive")),
    Bad("info-item-without-library", {}, ("library_item", "library_id"), {"library_item": "tools"}, SESSION_INFO),
    Bad("info-unknown-state", {"states": ["OPEN"]}, ("states", "OPEN", "ACTIVE"), {}, SESSION_INFO),
    Bad("item-without-a-name", {}, ("name", "library"), {"library": "templates"}, LIBRARY_ITEM),
    Bad("item-without-a-library", {}, ("'new'", "library_id"), {"name": "new"}, LIBRARY_ITEM),
    Bad("name-too-long", {"name": "n" * 81}, ("name", "80", "Shorten"), {"library": "templates"}, LIBRARY_ITEM),
    Bad(
        "description-too-long",
        {"name": "new", "description": "n" * 2001},
        ("description", "2000", "Shorten"),
        {"library": "templates"},
        LIBRARY_ITEM,
    ),
]

# What the connection options cannot be.
CONNECTION: list[Bad] = [
    Bad("host-with-a-port", {"hostname": "vcenter.example.com:443"}, ("hostname", "vcenter.example.com:443", "port")),
    Bad("address-with-a-port", {"hostname": "10.0.0.5:443"}, ("hostname", "10.0.0.5:443", "port")),
    Bad("host-as-url", {"hostname": "https://vcenter.example.com/ui"}, ("hostname", "https://", "alone")),
    Bad("no-host", {"hostname": None}, ("hostname is missing", "VMWARE_HOST")),
    Bad("empty-host", {"hostname": ""}, ("hostname is missing", "VMWARE_HOST")),
    Bad("host-with-an-empty-label", {"hostname": "vcenter..example.com"}, ("hostname", "vcenter..example.com")),
    Bad("host-with-a-long-label", {"hostname": "v" * 64}, ("hostname",)),
    Bad("port-too-large", {"port": 65536}, ("port", "65536", "65535")),
    Bad("port-zero", {"port": 0}, ("port", "0", "1 to")),
    Bad("port-no-number", {"port": "https"}, ("port", "convert to int")),
    Bad("time-out-zero", {"request_timeout": 0}, ("request_timeout", "0", "1 to")),
    Bad("half-a-character", {"password": "\ud800"}, ("password", "half of a surrogate pair")),
    Bad("no-user", {"username": None}, ("username", "VMWARE_USER", "session_token")),
    Bad("no-password", {"password": None}, ("password", "VMWARE_PASSWORD", "session_token")),
    Bad("empty-password", {"password": ""}, ("password", "VMWARE_PASSWORD")),
    Bad("missing-ca", {"ca_path": "DIR/none.pem"}, ("ca_path", "DIR/none.pem", "PEM")),
    Bad("ca-that-is-none", {"ca_path": "DIR/tools.iso"}, ("ca_path", "DIR/tools.iso", "PEM")),
    Bad("pipe-ca", {"ca_path": "DIR/pipe.iso"}, ("ca_path", "DIR/pipe.iso", "no file")),
    Bad("folder-ca", {"ca_path": "DIR/folder"}, ("ca_path", "DIR/folder", "Run openssl rehash")),
    Bad("empty-ca", {"ca_path": "DIR/empty.pem"}, ("ca_path", "DIR/empty.pem", "PEM")),
    Bad("proxy-without-port", {"proxy_host": "proxy"}, ("proxy_host", "Set proxy_port")),
    Bad("proxy-port-too-large", {"proxy_host": "proxy", "proxy_port": 70000}, ("proxy_port", "70000", "65535")),
    Bad("unknown-dialect", {"api_dialect": "soap"}, ("api_dialect", "soap", "rest")),
    Bad("unknown-proxy-protocol", {"proxy_protocol": "socks5"}, ("proxy_protocol", "socks5")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of each kind that cannot be published, and some that could."""
    path = tmp_path_factory.mktemp("files")
    (path / "folder" / "below.ova").mkdir(parents=True)
    make_iso(path / "folder" / "below.ova" / "tools.iso", 5000)
    (path / "twins").mkdir()
    for name in ("a.OVA", "b.iso", "notes.txt"):
        make_iso(path / "twins" / name, 5000)
    make_iso(path / "tools.iso", 5000)
    make_iso(path / "other.iso", 5000)
    (path / "loop.iso").symlink_to("loop.iso")
    os.mkfifo(path / "pipe.iso")
    (path / "broken.ovf").write_text("<Envelope><References>")
    (path / "empty.pem").touch()
    make_package(path / "lacking", disks=1).disks[0].unlink()
    for name, href in (("upwards", "../secret.vmdk"), ("absolute", "/etc/passwd")):
        package = make_package(path / name, disks=1)
        package.descriptor.write_text(package.descriptor.read_text().replace(package.disks[0].name, href))
    package = make_package(path / "twice", disks=2)
    package.descriptor.write_text(package.descriptor.read_text().replace("disk2.vmdk", "disk1.vmdk"))
    (path / "secret.vmdk").write_text("secret")
    return path


def placed(value: Any, folder: Path) -> Any:
    """The value with DIR as the test's folder."""
    if isinstance(value, dict):
        return {key: placed(entry, folder) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [placed(entry, folder) for entry in value]
    return value.replace("DIR/", f"{folder}/") if isinstance(value, str) else value


def changes(sim: Simulator) -> list[Exchange]:
    """The requests that would change something."""
    return [
        exchange
        for exchange in sim.exchanges
        if exchange.method != "GET"
        and exchange.path.partition("?")[0] not in LOGINS
        and "action=find" not in exchange.path
        and "action=get" not in exchange.path
    ]


def require_refusal(ran: ModuleResult, sim: Simulator, *says: str) -> None:
    assert ran.rc == 1, ran.result
    for words in says:
        assert words in ran.result["msg"]
    assert "exception" not in ran.result
    assert "Traceback" not in ran.stdout + ran.stderr
    assert changes(sim) == []
    assert sim.run(lambda store: store.active_update_sessions()) == []
    assert sim.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize("bad", LOCAL, ids=lambda bad: bad.id)
def test_bad_options_are_refused_before_anything_is_changed(sim: Simulator, folder: Path, bad: Bad) -> None:
    item = TOOLS if bad.item is None else bad.item
    state = {"state": "done" if "files" in bad.options else "active"} if bad.module == UPDATE_SESSION else {}
    ran = run_module(bad.module, {**connection_args(sim), **item, **state, **placed(bad.options, folder)})
    require_refusal(ran, sim, *placed(list(bad.says), folder))
    if "error" in ran.result:
        assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
        assert ran.result["error"]["status"] is None


@pytest.mark.parametrize("bad", CONNECTION, ids=lambda bad: bad.id)
def test_bad_connection_options_are_refused_before_anything_is_sent(sim: Simulator, folder: Path, bad: Bad) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), **placed(bad.options, folder)})
    require_refusal(ran, sim, *placed(list(bad.says), folder))
    assert sim.exchanges == ()
    if "error" in ran.result:
        assert ran.result["error"]["type"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("hostname", ["127.0.0.1", " 127.0.0.1 ", "localhost"])
def test_good_host_names_are_taken(sim: Simulator, hostname: str) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), "hostname": hostname})
    assert ran.rc == 0, ran.result


@pytest.mark.parametrize("hostname", ["::1", "[::1]"])
def test_an_address_of_version_6_may_have_brackets(sim: Simulator, hostname: str) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), "hostname": hostname, "port": unused_port()})
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert "::1" in ran.result["msg"]


def predict_as_nobody(sim: Simulator, src: Path, item: dict[str, Any]) -> ModuleResult:
    """What a task would do that has not the rights of root."""
    # A CA file lies where only its maker can read it.
    options = {**connection_args(sim), "ca_path": None, "validate_certs": False, **item}
    options |= {"state": "active", "files": [{"src": str(src)}]}
    # Nobody may read the libraries of root's Python either, so all that is needed of them is loaded before.
    run_module(UPDATE_SESSION, options, check=True)
    sim.clear_exchanges()
    with as_nobody():
        return run_module(UPDATE_SESSION, options, check=True)


def test_a_file_that_may_not_be_read_is_named(sim: Simulator, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    iso = make_iso(closed / "tools.iso", 5000)
    closed.chmod(0)
    ran = predict_as_nobody(sim, iso, TOOLS)
    closed.chmod(0o700)
    require_refusal(ran, sim, "src", str(iso), "cannot be read", "Permission denied", "right to read")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder in which others may open what they know the name of, but not list it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


def test_an_authority_that_may_not_be_read_is_named(sim: Simulator, open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(0o700)
    (closed / "ca.pem").touch()
    paths = (Path(shutil.copy(sim.ca_path, open_folder / "ca.pem")), closed, closed / "ca.pem")
    paths[0].chmod(0o600)
    for path in paths:
        options = {**connection_args(sim), "ca_path": str(path)}
        with as_nobody():
            ran = run_module(SESSION_INFO, options)
        require_refusal(ran, sim, f"ca_path: {path} cannot be read: Permission denied", "right to read")
        assert sim.exchanges == ()


def test_a_manifest_that_may_not_be_read_is_named(sim: Simulator, open_folder: Path) -> None:
    package = make_package(open_folder, disks=1, disk_bytes=9000)
    package.manifest.chmod(0)
    ran = predict_as_nobody(sim, package.descriptor, ROCKY)
    require_refusal(ran, sim, str(package.manifest), "cannot be read", "Permission denied", "right to read")


@pytest.mark.parametrize(("name", "sent"), [("rocky9.mf", True), ("rocky9.MF", True), ("Rocky9.Mf", False)])
def test_a_signature_in_a_directory_that_may_not_be_listed_is_sent_or_spoken_of(
    sim: Simulator, open_folder: Path, name: str, sent: bool
) -> None:
    package = make_package(open_folder, disks=1, disk_bytes=9000)
    package.manifest.rename(open_folder / name)
    ran = predict_as_nobody(sim, package.descriptor, ROCKY)
    assert ran.rc == 0, ran.result
    assert set(ran.result["diff"]["after"]["files"]) == {"rocky9.ovf", "rocky9-disk1.vmdk", *([name] if sent else [])}
    [text] = [text for text in ran.warnings if "cannot be listed" in text]
    assert f"{open_folder} cannot be listed (Permission denied)" in text
    assert ("has a certificate there" if sent else "has a manifest and a certificate there") in text
    assert "name them in files" in text


@pytest.mark.process
def test_bad_input_leaves_nothing_on_stderr_of_a_real_process(sim: Simulator) -> None:
    ran = run_module_process(UPDATE_SESSION, {**connection_args(sim), **OPEN, "client_progress": 101})
    require_refusal(ran, sim, "client_progress")
    assert ran.stderr == ""


# What only the server knows


@pytest.mark.parametrize(("module", "options"), [(UPDATE_SESSION, OPEN), (SESSION_INFO, TOOLS)])
def test_a_library_of_no_such_name(sim: Simulator, dialect: str, module: str, options: dict[str, Any]) -> None:
    ran = run_module(module, {**connection_args(sim), "api_dialect": dialect, **options, "library": "tempaltes"})
    require_refusal(ran, sim, "'tempaltes'", "library", "spelling")
    assert ran.result["error"]["type"] == "NOT_FOUND"


def test_an_item_of_no_such_name(sim: Simulator, dialect: str) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), "api_dialect": dialect, **TOOLS, "library_item": "tolls"})
    require_refusal(ran, sim, "'tolls'", "'templates'", "library_item", "content_library_item")
    assert ran.result["error"]["type"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (UPDATE_SESSION, {"library_id": "none", "library_item": "tools", "state": "active"}),
        (UPDATE_SESSION, {"library_item_id": "none", "state": "active"}),
        (SESSION_INFO, {"library_item_id": "none"}),
        (LIBRARY_ITEM, {"library_id": "none", "name": "new"}),
    ],
    ids=["update-library", "update-item", "info-item", "item-library"],
)
def test_an_identifier_of_nothing(sim: Simulator, dialect: str, module: str, options: dict[str, Any]) -> None:
    ran = run_module(module, {**connection_args(sim), "api_dialect": dialect, **options})
    require_refusal(ran, sim, "none")
    assert ran.result["error"]["type"] == "NOT_FOUND"


def test_a_session_of_no_such_identifier(sim: Simulator, dialect: str) -> None:
    ran = run_module(
        UPDATE_SESSION, {**connection_args(sim), "api_dialect": dialect, "session_id": "a:b", "state": "done"}
    )
    require_refusal(ran, sim, "a:b", "expired")
    assert ran.result["error"]["type"] == "NOT_FOUND"
    assert ran.result["error"]["session_id"] == "a:b"


TWINS = Seed(
    libraries=(
        LibrarySeed("templates", (ItemSeed("tools", id="item-1"), ItemSeed("tools", id="item-2")), id="library-1"),
        LibrarySeed("templates", (ItemSeed("tools", id="item-3"),), id="library-2"),
    )
)


@pytest.fixture
def twins(sim: Simulator) -> Simulator:
    sim.reset(TWINS)
    return sim


@pytest.mark.parametrize(
    ("module", "options"),
    [(UPDATE_SESSION, OPEN), (SESSION_INFO, TOOLS), (LIBRARY_ITEM, {"library": "templates", "name": "tools"})],
    ids=["update", "info", "item"],
)
def test_a_library_name_of_several_lists_them(
    twins: Simulator, dialect: str, module: str, options: dict[str, Any]
) -> None:
    ran = run_module(module, {**connection_args(twins), "api_dialect": dialect, **options})
    require_refusal(ran, twins, "'templates'", "library-1", "library-2", "library_id")


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (UPDATE_SESSION, {"library_item": "tools", "state": "active"}),
        (SESSION_INFO, {"library_item": "tools"}),
        (LIBRARY_ITEM, {"name": "tools"}),
    ],
    ids=["update", "info", "item"],
)
def test_an_item_name_of_several_lists_them(
    twins: Simulator, dialect: str, module: str, options: dict[str, Any]
) -> None:
    named = {"api_dialect": dialect, "library_id": "library-1", **options}
    ran = run_module(module, {**connection_args(twins), **named})
    require_refusal(ran, twins, "'tools'", "item-1", "item-2", "library_item_id")


@pytest.mark.parametrize(
    ("module", "options"),
    [(UPDATE_SESSION, {"state": "active"}), (DOWNLOAD_SESSION, {}), (SESSION_INFO, {}), (LIBRARY_ITEM, {})],
    ids=["update", "download", "info", "item"],
)
def test_a_library_and_an_item_have_a_second_name(sim: Simulator, module: str, options: dict[str, Any]) -> None:
    named = {"library_name": "templates", "library_item_name": "tools", "allow_empty": True}
    if module != DOWNLOAD_SESSION:
        del named["allow_empty"]
    ran = run_module(module, {**connection_args(sim), **named, **options})
    assert ran.rc == 0, ran.result
    both = run_module(module, {**connection_args(sim), **named, **options, "library_id": "l"})
    assert "mutually exclusive: library|library_id" in both.result["msg"]


def test_identifiers_take_what_names_cannot_tell_apart(twins: Simulator, dialect: str) -> None:
    options = {**connection_args(twins), "api_dialect": dialect, "state": "active"}
    by_library = run_module(UPDATE_SESSION, {**options, "library_id": "library-2", "library_item": "tools"})
    by_item = run_module(UPDATE_SESSION, {**options, "library_item_id": "item-2"})
    assert by_library.result["session"]["library_item_id"] == "item-3"
    assert by_item.result["session"]["library_item_id"] == "item-2"


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_an_item_of_a_subscribed_library(sim: Simulator, folder: Path, dialect: str, check: bool) -> None:
    options = {"library": "mirror", "library_item": "synced", "state": "done", "files": [placed(ISO, folder)]}
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), "api_dialect": dialect, **options}, check=check)
    require_refusal(ran, sim, "'mirror'", "subscribed", "Publish to the library")
    assert ran.result["error"]["type"] == "INVALID_ELEMENT_TYPE"


@pytest.mark.parametrize(
    ("module", "options"),
    [(UPDATE_SESSION, OPEN), (SESSION_INFO, TOOLS), (LIBRARY_ITEM, {"library": "templates", "name": "tools"})],
    ids=["update", "info", "item"],
)
def test_a_wrong_password(sim: Simulator, dialect: str, module: str, options: dict[str, Any]) -> None:
    ran = run_module(module, {**connection_args(sim), "api_dialect": dialect, **options, "password": "Wrong-Canary-1"})
    require_refusal(ran, sim, "log in", "username", "password")
    assert (ran.result["error"]["type"], ran.result["error"]["status"]) == ("UNAUTHENTICATED", 401)
    assert "Wrong-Canary-1" not in ran.stdout
    assert len(sim.exchanges) == 1, "another try would lock the account sooner"


def test_a_host_that_is_not_there(sim: Simulator) -> None:
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **OPEN, "hostname": "vcenter.invalid"})
    require_refusal(ran, sim, "vcenter.invalid", "hostname")
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"


def test_a_port_that_speaks_no_tls(sim: Simulator) -> None:
    with CannedServer(lambda _request: Reply(200, b"hello"), tls=False) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(sim), **OPEN, "port": server.port})
    require_refusal(ran, sim, f"127.0.0.1:{server.port}", "TLS", "port")
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert server.received == [], "no password is sent in the clear"


PAGE = b"<!DOCTYPE html><html><head><title>Welcome to the printer</title></head><body>Ink: 3%</body></html>"
HTML = {"Content-Type": "text/html"}
STRANGERS = {
    "page": (Reply(200, PAGE, HTML), "Welcome to the printer"),
    "no-such-page": (Reply(404, PAGE, HTML), "Welcome to the printer"),
    "no-such-verb": (Reply(405, b"", HTML), "405"),
    "empty": (Reply(200, b""), "session token"),
    "json": (Reply(200, b'{"status": "ok"}'), "session token"),
    "empty-token": (Reply(201, b'""'), "session token"),
    "token-of-two-lines": (Reply(201, b'"a\\nb"'), "session token"),
    "token-beyond-ascii": (Reply(201, b'"\\u20ac"'), "session token"),
    "list": (Reply(201, b"[]"), "session token"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("api_dialect", ["auto", "rest"])
def test_something_that_is_no_vcenter_answers(sim: Simulator, tmp_path: Path, stranger: str, api_dialect: str) -> None:
    reply, quoted = STRANGERS[stranger]
    with CannedServer(lambda _request: reply, identity=make_identity(tmp_path)) as server:
        ran = run_module(UPDATE_SESSION, {**connection_args(server), **OPEN, "api_dialect": api_dialect})
    require_refusal(ran, sim, quoted, "hostname", "port")
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert all(path in [f"POST {login}" for login in LOGINS] for path in server.paths)


def test_a_certificate_that_is_not_trusted(sim: Simulator) -> None:
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **OPEN, "ca_path": None})
    require_refusal(ran, sim, "certificate", "ca_path", "validate_certs")
    assert ran.result["error"]["type"] == "TLS_UNVERIFIED"


def test_a_user_without_the_privilege(sim: Simulator, folder: Path, dialect: str) -> None:
    options = {**TOOLS, "state": "done", "files": [placed(ISO, folder)], "username": "viewer@vsphere.local"}
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), "api_dialect": dialect, **options})
    assert ran.rc == 1
    assert "ContentLibrary.UpdateSession" in ran.result["msg"]
    assert 403 in [exchange.status for exchange in sim.exchanges]
    assert changes(sim) == []
    assert sim.run(lambda store: store.active_update_sessions()) == []
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_broken_url_keeps_its_password(sim: Simulator) -> None:
    url = "https://svc:Url-Canary%2F1@[mirror/x.iso"
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), **OPEN, **files({"url": url})}, verbosity=4)
    require_refusal(ran, sim, "files", "url", "percent-encoded")
    assert "Url-Canary" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("option", ["session_id", "library_item_id"])
@pytest.mark.parametrize("value", ["", " ", ".", ".."])
def test_an_identifier_that_names_nothing_is_refused(sim: Simulator, option: str, value: str) -> None:
    ran = run_module(UPDATE_SESSION, {**connection_args(sim), option: value, "state": "absent"})
    require_refusal(ran, sim, option, repr(value), "omit")
