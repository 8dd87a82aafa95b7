# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our modules against vcsim: a server with /rest only, without PATCH, previews, warnings and checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import (
    connection_spec,
    read_options,
)
from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.packages import Package, make_iso, make_package
from tests.harness.servers import Identity
from tests.harness.tasks import CHECK
from tests.harness.trials import PAUSES, odd
from tests.peers.conftest import CONTENT
from tests.peers.programs import Govc, Vcsim

UPDATE, DOWNLOAD = "content_library_update_session", "content_library_download_session"
INFO, ITEM = "content_library_session_info", "content_library_item"
ITEM_INFO, RETENTION = "content_library_item_info", "content_library_retention"
PATIENCE = 15


class Tasks:
    """Tasks of one playbook, on the item ``image`` of the library ``templates``."""

    def __init__(self, server: Vcsim) -> None:
        self._connection = connection_args(server)

    def run(self, module: str, check: bool = False, **args: Any) -> ModuleResult:
        named = {"session_id", "session_ids", "pattern"}.intersection(args)
        item = {} if named else {"library": "templates", "library_item": "image"}
        return run_module(module, {**self._connection, **item, **args}, check=check)

    def ok(self, module: str, check: bool = False, **args: Any) -> dict[str, Any]:
        ran = self.run(module, check, **args)
        assert ran.rc == 0, ran.result["msg"]
        return ran.result

    def failed(self, module: str, **args: Any) -> dict[str, Any]:
        ran = self.run(module, **args)
        assert ran.rc == 1
        return ran.result

    def fetch(self, folder: Path, **args: Any) -> dict[str, bytes]:
        """Fetch to a folder; returns what is there afterwards."""
        target = folder / "fetched"
        target.mkdir()
        assert self.ok(DOWNLOAD, dest=str(target), wait_timeout=PATIENCE, **args)["changed"]
        return {path.name: path.read_bytes() for path in target.iterdir()}

    def publish(self, *sources: Path, **args: Any) -> dict[str, Any]:
        files = [{"src": str(path)} for path in sources]
        return self.ok(UPDATE, state="done", files=files, wait_timeout=PATIENCE, **args)


@pytest.fixture
def quick() -> dict[str, float]:
    # vcsim never says of a file that it was received.
    return {"silent_file": 0.2}


@pytest.fixture
def tasks(vcsim: Vcsim, programs: Path, tmp_path: Path) -> Tasks:
    Govc(programs, vcsim, tmp_path)("library.create", "templates")
    return Tasks(vcsim)


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "image.iso", 300_000)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return make_package(tmp_path / "package", disks=2, disk_bytes=40_000, nvram=True, signed="self-signed")


def test_an_item_is_made_once_and_deleted_once(tasks: Tasks) -> None:
    assert [tasks.ok(ITEM, type="iso")["changed"] for _again in range(2)] == [True, False]
    assert tasks.ok(ITEM, type="iso")["library_item"]["type"] == "iso"
    assert [tasks.ok(ITEM, state="absent")["changed"] for _again in range(2)] == [True, False]


#: What vcsim does otherwise than a vCenter; see also tests/simulator/facts.py.
OWN_WAYS = {
    "two-dialects": "rest-only",
    "authentication-required-id": "other",
    "challenge-in-refused-login": "absent",
    "rest-error-type": "other",
    "rest-empty-list": "null",
    "session-ids": "one-part",
    "one-active-session": "allowed",
    "client-token-is-idempotent": "another-session",
    "active-session-is-not-deleted": "deleted",
    "patch-changes-warnings-only": "ignored",
    "sessions-expire": "later",
    "endpoint-name": "as-asked",
    "arrival": "other",
    "completion-needs-received-files": "accepted",
    "item-file-sha1": "none",
    "preview-while-active": "absent",
    "descriptor-entries": "none",
    "manifest-before-descriptor": "taken",
    "references-must-be-there": "taken",
    "manifest-is-not-stored": "kept",
    "range": "ignored",
    "download-checksum-when-fetched": "never",
}


@pytest.mark.paced(**PAUSES)
def test_a_trial_tells_what_vcsim_does_in_its_own_way(vcsim: Vcsim, tasks: Tasks) -> None:
    given = {**connection_args(vcsim), "libraries": ["templates"], "trial": True}
    ran = run_module(CHECK, given)
    assert ran.rc == 0, ran.result
    assert odd(ran.result) == OWN_WAYS
    assert (ran.result["usable"], ran.result["left"]) == (True, [])
    assert tasks.ok(ITEM_INFO, pattern="*")["library_items"] == []


def test_items_are_read_and_the_newest_stays(tasks: Tasks, iso: Path) -> None:
    names = ["image-1", "image-2", "image-3"]
    for name in names:
        tasks.publish(iso, library_item=name, item_type="iso")
    found = tasks.ok(ITEM_INFO, library="templates", pattern="image-*", with_storage=True)["library_items"]
    assert sorted(item["name"] for item in found) == names
    assert {(item["library"], item["type"], item["files"][0]["name"]) for item in found} == {
        ("templates", "iso", "image.iso")
    }
    assert all(item["storage"][0]["storage_uris"] for item in found)

    declared: dict[str, Any] = {
        "libraries": ["templates"],
        "pattern": "image-*",
        "keep": 1,
        "by": "name",
        "name_pattern": r"image-(\d+)",
    }
    gone = [
        entry["name"] for entry in tasks.ok(RETENTION, **declared)["library_items"] if entry["outcome"] == "deleted"
    ]
    assert gone == ["image-1", "image-2"]
    assert [item["name"] for item in tasks.ok(ITEM_INFO, pattern="*")["library_items"]] == ["image-3"]
    assert tasks.ok(RETENTION, **declared)["changed"] is False


def test_an_image_is_published_and_fetched_again(tasks: Tasks, iso: Path, tmp_path: Path) -> None:
    tasks.ok(ITEM, type="iso")
    first = tasks.publish(iso)
    assert (first["changed"], first["item_changed"], first["transferred"]["bytes"]) == (True, True, 300_000)
    assert first["session"]["state"] == "DONE"
    assert [(each["name"], each["verified"], each["checksum_info"]) for each in first["files"]] == [
        ("image.iso", False, None)
    ]

    assert tasks.fetch(tmp_path) == {"image.iso": iso.read_bytes()}
    assert tasks.ok(INFO)["download_sessions"] == []


def test_what_the_server_cannot_verify_is_skipped_or_sent_as_declared(tasks: Tasks, iso: Path) -> None:
    tasks.ok(ITEM, type="iso")
    tasks.publish(iso)
    skipped = tasks.publish(iso, when_unverifiable="skip")
    assert (skipped["changed"], skipped["session"]) == (False, None)
    assert [each["verified"] for each in skipped["files"]] == [False]
    assert tasks.publish(iso)["transferred"]["files"] == 1

    with iso.open("ab") as stream:
        stream.write(b"more")
    assert tasks.publish(iso, when_unverifiable="skip")["transferred"]["bytes"] == 300_004


def test_an_image_is_pulled_and_fetched(tasks: Tasks, http: str, tmp_path: Path) -> None:
    tasks.ok(ITEM, type="iso")
    pulled = tasks.ok(UPDATE, state="done", files=[{"url": http}])
    assert (pulled["item_changed"], pulled["session"]["state"]) == (True, "DONE")
    assert [(each["source_type"], each["source_endpoint"]["uri"]) for each in pulled["files"]] == [("PULL", http)]
    again = tasks.ok(UPDATE, state="done", files=[{"url": http}], when_unverifiable="skip")
    assert (again["changed"], again["session"]) == (False, None)
    assert tasks.fetch(tmp_path) == {"image.iso": CONTENT}


def test_a_pull_of_something_else_is_the_servers_error(tasks: Tasks, http: str) -> None:
    tasks.ok(ITEM, type="iso")
    declared = {"url": http, "checksum": "0" * 64}
    failure = tasks.failed(UPDATE, state="done", files=[declared])
    assert failure["error"]["type"] == "TRANSFER_FAILED"
    assert f"actual={hashlib.sha256(CONTENT).hexdigest()}, expected={declared['checksum']}" in failure["msg"]
    assert tasks.ok(INFO)["update_sessions"] == []


def test_an_untrusted_source_is_an_error_that_shows_its_thumbprint(
    tasks: Tasks, https: str, identity: Identity
) -> None:
    tasks.ok(ITEM, type="iso")
    failure = tasks.failed(UPDATE, state="done", files=[{"url": https}])
    assert failure["error"]["type"] == "UNVERIFIED_PEER"
    assert "CERTIFICATE_ERROR" in failure["msg"]
    assert f"SHA-1 thumbprint {identity.thumbprint('sha1')}" in failure["msg"]
    assert "pass it as ssl_thumbprint" in failure["msg"]
    assert tasks.ok(INFO)["update_sessions"] == []


@pytest.mark.parametrize("pin", ["ssl_thumbprint", "ssl_certificate"])
def test_a_source_that_is_pinned_is_pulled(tasks: Tasks, https: str, identity: Identity, pin: str) -> None:
    """vcsim's probe does not look at what is pinned, but tells the thumbprint that it found."""
    tasks.ok(ITEM, type="iso")
    given = identity.thumbprint("sha1") if pin == "ssl_thumbprint" else identity.certificate
    assert tasks.ok(UPDATE, state="done", files=[{"url": https, pin: given}])["item_changed"]
    wrong = tasks.failed(UPDATE, state="done", files=[{"url": https, "ssl_thumbprint": "AB" * 20}])
    assert wrong["error"]["type"] == "UNVERIFIED_PEER"


def test_a_package_is_published_and_fetched_again(tasks: Tasks, package: Package, tmp_path: Path) -> None:
    tasks.ok(ITEM, type="ovf")
    first = tasks.publish(package.descriptor)
    assert (first["changed"], first["session"]["state"]) == (True, "DONE")
    assert sorted(each["name"] for each in first["files"]) == sorted(path.name for path in package.files)
    again = tasks.publish(package.descriptor, when_unverifiable="skip")
    assert (again["changed"], again["session"]) == (False, None)

    # Disks it rewrites, so that nothing can be said of their bytes.
    kept = [path for path in package.files if path not in package.disks]
    assert len(kept) == 4, "manifest, certificate, descriptor and NVRAM"
    fetched = tasks.fetch(tmp_path, files=[path.name for path in kept])
    assert fetched == {path.name: path.read_bytes() for path in kept}


def test_another_package_is_not_brought_beside_the_one_that_is_there(
    tasks: Tasks, package: Package, tmp_path: Path
) -> None:
    """vcsim drops a session in which a file is removed, so there one package cannot replace another one."""
    tasks.ok(ITEM, type="ovf")
    tasks.publish(package.descriptor)
    other = make_package(tmp_path / "other", "other", disks=1, disk_bytes=40_000)
    wanted = [{"src": str(other.descriptor)}]
    refused = tasks.failed(UPDATE, state="done", files=wanted)
    assert refused["error"]["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    held = tasks.ok(ITEM, type="ovf")["library_item"]["files"]
    assert {each["name"] for each in held} == {path.name for path in package.files}
    replacing = [*wanted, {"name": package.descriptor.name, "state": "absent"}]
    failure = tasks.failed(UPDATE, state="done", files=replacing)
    assert (failure["error"]["type"], failure["error"]["operation"]) == ("NOT_FOUND", "update_session.file.remove")


def test_a_signed_package_arrives_in_the_servers_order(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path / "signed", disks=1, disk_bytes=40_000, signed="self-signed")
    tasks.ok(ITEM, type="ovf")
    tasks.publish(package.descriptor)
    # vcsim lists what it has received in the order in which it came.
    files = tasks.ok(ITEM)["library_item"]["files"]
    assert [each["name"] for each in files] == [path.name for path in package.files]


def test_a_login_that_ended_is_renewed(vcsim: Vcsim) -> None:
    logins: list[str] = []
    defaults = {name: option.get("default") for name, option in connection_spec().items()}
    connection = Connection(read_options({**defaults, **connection_args(vcsim)}), on_secret=logins.append)
    connection.login()
    requests.delete(
        f"{connection.options.origin}/rest/com/vmware/cis/session",
        headers={"vmware-api-session-id": logins[-1]},
        verify=vcsim.ca_path,
    ).raise_for_status()
    assert Api(connection).find_libraries("nowhere") == []
    connection.logout()


def test_sessions_are_read_canceled_and_removed(tasks: Tasks, iso: Path) -> None:
    tasks.ok(ITEM, type="iso")
    opened = tasks.ok(UPDATE, state="active", files=[{"src": str(iso)}])["session"]
    assert (opened["state"], opened["preview_info"], opened["warning_behavior"]) == ("ACTIVE", None, [])
    assert tasks.ok(UPDATE, state="active")["session"]["id"] == opened["id"]

    (seen,) = tasks.ok(INFO, with_files=True, kind="update")["update_sessions"]
    assert (seen["id"], seen["library_item_id"]) == (opened["id"], opened["library_item_id"])
    assert [each["name"] for each in seen["files"]] == ["image.iso"]

    assert [tasks.ok(UPDATE, session_id=opened["id"], state="canceled")["changed"] for _again in range(2)] == [
        True,
        False,
    ]
    assert [tasks.ok(UPDATE, session_id=opened["id"], state="absent")["changed"] for _again in range(2)] == [
        True,
        False,
    ]
    assert tasks.ok(INFO)["update_sessions"] == []


def test_a_source_that_cannot_be_pulled_is_an_error_before_a_session_is_made(tasks: Tasks) -> None:
    tasks.ok(ITEM, type="iso")
    failure = tasks.failed(
        UPDATE, state="active", files=[{"name": "image.iso", "url": "https://127.0.0.1:1/image.iso"}]
    )
    assert "127.0.0.1:1: connect: connection refused" in failure["msg"]
    assert tasks.ok(INFO)["update_sessions"] == []


def test_downloads_are_read_reused_and_removed(tasks: Tasks, iso: Path) -> None:
    tasks.ok(ITEM, type="iso")
    tasks.publish(iso)
    opened = tasks.ok(DOWNLOAD)
    assert [(each["name"], each["status"]) for each in opened["files"]] == [("image.iso", "PREPARED")]
    assert (tasks.ok(DOWNLOAD)["session"]["id"], opened["session"]["state"]) == (opened["session"]["id"], "ACTIVE")
    (seen,) = tasks.ok(INFO, kind="download", with_files=True)["download_sessions"]
    assert (seen["id"], [each["name"] for each in seen["files"]]) == (opened["session"]["id"], ["image.iso"])

    assert [tasks.ok(DOWNLOAD, state="absent")["changed"] for _again in range(2)] == [True, False]
    assert tasks.ok(INFO)["download_sessions"] == []

    # vcsim deletes what is canceled, so that there is nothing to read back of it.
    tasks.ok(DOWNLOAD)
    tasks.run(DOWNLOAD, state="canceled")
    assert tasks.ok(INFO)["download_sessions"] == []
    assert not tasks.ok(DOWNLOAD, state="canceled")["changed"]


@pytest.mark.parametrize(("module", "kind"), [(UPDATE, "update"), (DOWNLOAD, "download")])
def test_a_session_of_another_item_is_left_alone(tasks: Tasks, iso: Path, module: str, kind: str) -> None:
    """vcsim lists the sessions of all items, whichever item it is asked for."""
    for name in ("image", "other"):
        tasks.ok(ITEM, type="iso", library_item=name)
        if kind == "download":
            tasks.publish(iso, library_item=name)
    theirs = tasks.ok(module, state="active", library_item="other")["session"]["id"]
    assert [tasks.ok(module, state=state)["changed"] for state in ("canceled", "absent")] == [False, False]
    assert tasks.ok(INFO)[f"{kind}_sessions"] == []

    mine = tasks.ok(module, state="active")["session"]["id"]
    assert mine != theirs
    assert tasks.ok(module, state="active")["session"]["id"] == mine
    assert tasks.ok(module, state="absent")["changed"]
    (left,) = tasks.ok(INFO, library_item="other")[f"{kind}_sessions"]
    assert (left["id"], left["state"]) == (theirs, "ACTIVE")


def assert_warning_behavior_was_not_taken(failure: dict[str, Any], declared: str) -> None:
    error = failure["error"]
    assert (error["type"], error["operation"]) == ("INVALID_RESPONSE", "update_session.update")
    assert f"the server did not take warning_behavior: it ignores none, declared is {declared}" in failure["msg"]
    assert "This vCenter may be too old for warning_behavior" in failure["msg"]
    assert "leave the option out" in failure["msg"]


def test_a_warning_behavior_that_the_server_does_not_know_is_an_error(tasks: Tasks, package: Package) -> None:
    tasks.ok(ITEM, type="ovf")
    failure = tasks.failed(
        UPDATE,
        state="done",
        warning_behavior=[{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}],
        files=[{"src": str(package.descriptor)}],
    )
    assert_warning_behavior_was_not_taken(failure, "SELF_SIGNED_CERTIFICATE")
    assert tasks.ok(INFO)["update_sessions"] == []


def test_a_warning_behavior_cannot_be_changed_there(tasks: Tasks) -> None:
    tasks.ok(ITEM, type="ovf")
    session = tasks.ok(UPDATE, state="active")["session"]
    failure = tasks.failed(
        UPDATE,
        session_id=session["id"],
        state="active",
        warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}],
    )
    assert_warning_behavior_was_not_taken(failure, "EXPIRED_CERTIFICATE")
    (still,) = tasks.ok(INFO)["update_sessions"]
    assert still["state"] == "ACTIVE"


def test_nothing_ignored_is_no_change_there(tasks: Tasks) -> None:
    tasks.ok(ITEM, type="ovf")
    session = tasks.ok(UPDATE, state="active")["session"]
    declared = tasks.ok(
        UPDATE,
        session_id=session["id"],
        state="active",
        warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": False}],
    )
    assert not declared["changed"]


def test_check_mode_foretells_and_changes_nothing(tasks: Tasks, iso: Path) -> None:
    tasks.ok(ITEM, type="iso")
    foretold = tasks.ok(UPDATE, check=True, state="done", files=[{"src": str(iso)}])
    assert tasks.ok(INFO)["update_sessions"] == []
    done = tasks.publish(iso)
    assert (foretold["changed"], done["changed"]) == (True, True)


def test_a_wrong_password_and_an_unknown_item_are_typed_errors(tasks: Tasks) -> None:
    assert tasks.failed(UPDATE, state="active", library_item="nowhere")["error"]["type"] == "NOT_FOUND"
    assert tasks.failed(INFO, password="wrong")["error"]["type"] == "UNAUTHENTICATED"
