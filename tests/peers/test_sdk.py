# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The official bindings against the simulator: each operation and error, and each field of a session and an item."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import inspect
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from com.vmware.content.library.item.updatesession_client import File as UpdateFiles
from com.vmware.content.library.item.updatesession_client import WarningBehavior
from com.vmware.content.library.item_client import (
    DownloadSessionModel,
    File,
    Storage,
    TransferEndpoint,
    UpdateSessionModel,
)
from com.vmware.content.library_client import Item, ItemModel
from com.vmware.content_client import Library
from com.vmware.vapi.std.errors_client import Error
from vmware.vapi.bindings import type as bindings

from tests.harness.held import item_id
from tests.harness.modules import connection_args, run_module
from tests.harness.packages import BARE_DESCRIPTOR, SELF_SIGNED_RAISES, make_package
from tests.harness.tasks import DIALECTS, ITEM_INFO, SESSION_INFO, Tasks
from tests.peers.comparison import Comparison
from tests.peers.sdk import Sdk, connect, read_error
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR, VIEWER

SECONDS = 100
CLS = "com.vmware.vdcs.cls-main."
NESTED_PARAMS = {
    "file": {"s": "disk.vmdk"},
    "since": {"dt": "2026-11-23T12:00:00.000Z", "format": "MED_DATE_TIME"},
    "tries": {"i": 3},
    "ratio": {"d": 0.5, "precision": 2},
    "cause": {"l": {"id": "cause", "params": {"host": {"s": "esx1"}}}},
}
MESSAGE = {"id": "broken", "default_message": "Broken.", "args": ["x"], "params": NESTED_PARAMS, "localized": "Kaputt."}

# Only newer releases fill it, and the simulator is none.
ENDPOINT = {".file_download_endpoint"}
FAILED = {"state": "error", "error_message": "Broken."}


@pytest.fixture
def sdk(sim: Simulator) -> Sdk:
    return connect(sim)


def spec(item: str) -> Any:
    return UpdateSessionModel(library_item_id=item)


def push(name: str, checksum: Any = None) -> Any:
    return UpdateFiles.AddSpec(name=name, source_type=UpdateFiles.SourceType.PUSH, checksum_info=checksum)


def pull(name: str, uri: str) -> Any:
    return UpdateFiles.AddSpec(
        name=name, source_type=UpdateFiles.SourceType.PULL, source_endpoint=TransferEndpoint(uri=uri)
    )


def upload(sdk: Sdk, session: str, name: str, content: bytes, checksum: Any = None) -> None:
    uri = sdk.update_files.add(session, push(name, checksum)).upload_endpoint.uri
    requests.put(uri, data=content, verify=sdk.http.verify).raise_for_status()


def age(session: Any, seconds: float) -> None:
    """As if nobody had been at work in a session for so long."""
    session.expires -= seconds


# -- operations


def test_a_client_token_makes_create_repeatable(sdk: Sdk, iso: str) -> None:
    token = str(uuid.uuid4())
    first, again = (sdk.updates.create(spec(iso), client_token=token) for _each in range(2))
    assert first == again
    download = DownloadSessionModel(library_item_id=iso)
    assert sdk.downloads.create(download, client_token=token) == sdk.downloads.create(download, client_token=token)
    assert sdk.downloads.create(download) != sdk.downloads.create(download)


@pytest.mark.parametrize("kind", ["updates", "downloads"])
def test_get_and_list(sdk: Sdk, iso: str, ovf: str, kind: str) -> None:
    service = getattr(sdk, kind)
    model = UpdateSessionModel if kind == "updates" else DownloadSessionModel
    of_iso, of_ovf = (service.create(model(library_item_id=item)) for item in (iso, ovf))
    assert sorted(service.list()) == sorted([of_iso, of_ovf])
    assert service.list(iso) == [of_iso]
    found = service.get(of_ovf)
    assert (found.id, found.library_item_id, found.state, found.client_progress) == (of_ovf, ovf, "ACTIVE", 0)
    assert found.expiration_time > datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


@pytest.mark.parametrize("kind", ["updates", "downloads"])
def test_a_list_has_only_the_callers_sessions(sdk: Sdk, sim: Simulator, iso: str, kind: str) -> None:
    model = UpdateSessionModel if kind == "updates" else DownloadSessionModel
    session = getattr(sdk, kind).create(model(library_item_id=iso))
    assert getattr(sdk, kind).list() == [session]
    sim.run(lambda store: store.users.update({PLAIN_USER: UserSeed(PLAIN_USER)}))
    assert getattr(connect(sim, PLAIN_USER), kind).list() == []


def test_update_changes_what_is_ignored(sdk: Sdk, ovf: str) -> None:
    session = sdk.updates.create(spec(ovf))
    declared = [WarningBehavior(type="EXPIRED_CERTIFICATE", ignored=True)]
    sdk.updates.update(session, UpdateSessionModel(warning_behavior=declared))
    (found,) = sdk.updates.get(session).warning_behavior
    assert (found.type, found.ignored) == ("EXPIRED_CERTIFICATE", True)


@pytest.mark.parametrize("kind", ["updates", "downloads"])
def test_keep_alive_with_and_without_progress(sdk: Sdk, sim: Simulator, iso: str, kind: str) -> None:
    service = getattr(sdk, kind)
    seed = "seed_update_session" if kind == "updates" else "seed_download_session"
    session = sim.run(lambda store: getattr(store, seed)(iso, client_progress=5))
    for arguments, progress in (((), 5), ((60,), 60)):
        sim.run(lambda store: age(getattr(store, kind).session(session), SECONDS))
        before = service.get(session)
        service.keep_alive(session, *arguments)
        after = service.get(session)
        assert after.client_progress == progress
        assert (after.expiration_time - before.expiration_time).total_seconds() >= SECONDS


@pytest.mark.parametrize("kind", ["updates", "downloads"])
def test_cancel_fail_and_delete(sdk: Sdk, iso: str, ovf: str, kind: str) -> None:
    service = getattr(sdk, kind)
    model = UpdateSessionModel if kind == "updates" else DownloadSessionModel
    canceled, failed = (service.create(model(library_item_id=item)) for item in (iso, ovf))
    service.cancel(canceled)
    service.fail(failed, "no room left")
    assert service.get(canceled).state == "CANCELED"
    assert service.get(failed).state == "ERROR"
    assert service.get(failed).error_message.args == ["no room left"]
    for session in (canceled, failed):
        service.delete(session)
    assert service.list() == []


def test_files_of_an_update_session_up_to_done(sdk: Sdk, sim: Simulator, iso: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"old.iso": b"old"}))
    session = sdk.updates.create(spec(iso))
    upload(sdk, session, "new.iso", b"new")
    sdk.update_files.add(session, push("late.iso"))
    assert {each.name: each.status for each in sdk.update_files.list(session)} == {
        "old.iso": "READY",
        "new.iso": "READY",
        "late.iso": "WAITING_FOR_TRANSFER",
    }
    assert {each.name: each.source_type for each in sdk.update_files.list(session)}["old.iso"] == "NONE"
    sdk.update_files.remove(session, "late.iso")
    sdk.update_files.remove(session, "old.iso")
    found = sdk.update_files.get(session, "new.iso")
    assert (found.size, found.bytes_transferred, found.keep_in_storage) == (3, 3, True)
    assert len(found.checksum_info.checksum) == 40
    assert not sdk.update_files.validate(session).has_errors
    sdk.updates.complete(session)
    assert sdk.updates.get(session).state == "DONE"
    assert sim.run(lambda store: store.item_contents(iso)) == {"new.iso": b"new"}


def test_validate_names_what_a_descriptor_misses_and_so_do_we(sim: Simulator, tmp_path: Path) -> None:
    sim.reset(Seed(descriptor_entries=False))
    sdk = connect(sim, ADMINISTRATOR)
    package = make_package(tmp_path, disks=1, disk_bytes=20_000)
    session = sdk.updates.create(spec(item_id(sim, "rocky9")))
    upload(sdk, session, package.descriptor.name, package.descriptor.read_bytes())
    found = sdk.update_files.validate(session)
    assert (found.has_errors, found.missing_files, found.invalid_files) == (True, {package.disks[0].name}, [])

    for dialect in DIALECTS:
        ran = Tasks(sim, dialect).run(session_id=session, state="done")
        assert set(ran.error["data"]["missing_files"]) == found.missing_files


def test_validate_names_what_came_in_wrong_and_so_do_we(sdk: Sdk, sim: Simulator, iso: str) -> None:
    session = sdk.updates.create(spec(iso))
    upload(sdk, session, "broken.iso", b"new", File.ChecksumInfo(algorithm="SHA1", checksum="0" * 40))
    found = sdk.update_files.validate(session)
    (invalid,) = found.invalid_files
    assert (found.has_errors, found.missing_files, invalid.name) == (True, set(), "broken.iso")
    assert invalid.error_message.id == CLS + "file_checksum_mismatch"
    assert invalid.error_message.args == ["broken.iso", "SHA1", hashlib.sha1(b"new").hexdigest(), "0" * 40]

    for dialect in DIALECTS:
        ran = Tasks(sim, dialect).run(session_id=session, state="done")
        (ours,) = ran.error["data"]["invalid_files"]
        assert ours["name"] == invalid.name
        assert (ours["error_message"]["id"], ours["error_message"]["args"]) == (
            invalid.error_message.id,
            invalid.error_message.args,
        )
        assert f"broken.iso is invalid ({invalid.error_message.default_message})" in ran.msg


def test_files_of_a_download_session(sdk: Sdk, sim: Simulator, iso: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"a.iso": b"content", "b.iso": b"other"}))
    session = sdk.downloads.create(DownloadSessionModel(library_item_id=iso))
    assert {each.name: each.status for each in sdk.download_files.list(session)} == {
        "a.iso": "UNPREPARED",
        "b.iso": "UNPREPARED",
    }
    sdk.download_files.prepare(session, "a.iso")
    found = sdk.download_files.get(session, "a.iso")
    assert (found.status, found.size) == ("PREPARED", 7)
    answer = requests.get(
        found.download_endpoint.uri,
        headers={"vmware-api-session-id": sdk.http.headers["vmware-api-session-id"]},
        verify=sdk.http.verify,
    )
    assert answer.content == b"content"
    assert sdk.download_files.get(session, "a.iso").checksum_info.algorithm == "SHA1"
    sdk.download_files.prepare(session, "b.iso", "DIRECT")
    assert sdk.download_files.get(session, "b.iso").download_endpoint.uri.startswith("ds:///")


def test_libraries_are_listed_found_and_read(sdk: Sdk, sim: Simulator) -> None:
    templates = sim.run(lambda store: store.find_library_id("templates"))
    mirror = sim.run(lambda store: store.find_library_id("mirror"))
    assert sdk.libraries.list() == [templates, mirror]
    assert sdk.local_libraries.list() == [templates]
    assert sdk.libraries.find(Library.FindSpec(name="mirror")) == [mirror]
    found = sdk.libraries.get(mirror)
    assert (found.id, found.name, found.type) == (mirror, "mirror", "SUBSCRIBED")


def test_an_item_from_its_making_to_its_end(sdk: Sdk, sim: Simulator) -> None:
    library, token = sim.run(lambda store: store.find_library_id("templates")), str(uuid.uuid4())
    made = ItemModel(library_id=library, name="new", type="iso")
    item, again = (sdk.items.create(made, client_token=token) for _each in range(2))
    assert item == again
    assert item in sdk.items.list(library)
    assert sdk.items.find(Item.FindSpec(name="new")) == [item]
    sdk.items.update(item, ItemModel(description="new words"))
    found = sdk.items.get(item)
    assert (found.id, found.library_id, found.name, found.description) == (item, library, "new", "new words")
    sdk.items.delete(item)
    assert item not in sdk.items.list(library)


def test_files_of_an_item(sdk: Sdk, sim: Simulator, iso: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"a.iso": b"content", "b.iso": b"other"}))
    assert {each.name: each.size for each in sdk.item_files.list(iso)} == {"a.iso": 7, "b.iso": 5}
    found = sdk.item_files.get(iso, "b.iso")
    assert (found.name, found.size, found.checksum_info.algorithm) == ("b.iso", 5, "SHA1")
    stored = {each.name: each for each in sdk.item_storage.list(iso)}
    assert {name: each.size for name, each in stored.items()} == {"a.iso": 7, "b.iso": 5}
    assert stored["a.iso"].storage_backing.datastore_id == "datastore-11"
    assert stored["a.iso"].storage_uris[0].startswith("ds:///vmfs/volumes/")
    (one,) = sdk.item_storage.get(iso, "b.iso")
    assert (one.name, one.storage_uris) == ("b.iso", stored["b.iso"].storage_uris)


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("kind", ["update", "download"])
def test_progress_that_we_declare(sdk: Sdk, sim: Simulator, iso: str, kind: str, dialect: str) -> None:
    sim.run(lambda store: store.seed_item_files(iso, {"a.iso": b"content"}))
    ran = run_module(
        f"content_library_{kind}_session",
        {
            **connection_args(sim),
            "api_dialect": dialect,
            "library_item_id": iso,
            "state": "active",
            "client_progress": 40,
        },
    )
    assert ran.rc == 0, ran.result
    assert getattr(sdk, f"{kind}s").get(ran.result["session"]["id"]).client_progress == 40


# -- errors

NOBODY = "11111111-2222-4333-8444-555555555555"
PLAIN_USER = "plain@vsphere.local"
DATASTORE_FILE = "ds:///vmfs/volumes/a/a"
WORLD = Seed(
    libraries=(
        LibrarySeed("templates", (ItemSeed("tools", "iso", {"a.iso": b"a"}), ItemSeed("rocky9", "ovf"))),
        LibrarySeed("mirror", (ItemSeed("synced", "iso"),), type="SUBSCRIBED"),
    ),
    users=(
        UserSeed(ADMINISTRATOR),
        UserSeed(PLAIN_USER, privileges=("ContentLibrary.UpdateSession", "ContentLibrary.DownloadSession")),
        UserSeed(VIEWER, privileges=()),
    ),
)


class World:
    """A server with a session of each kind in each state that an error needs."""

    def __init__(self, sim: Simulator) -> None:
        sim.reset(WORLD)
        self.sim = sim
        self.sdk, self.plain, self.viewer = (connect(sim, user.name) for user in WORLD.users)
        self.iso = sim.run(lambda store: store.find_item_id("templates", "tools"))
        self.ovf = sim.run(lambda store: store.find_item_id("templates", "rocky9"))
        self.synced = sim.run(lambda store: store.find_item_id("mirror", "synced"))
        self.active = sim.run(lambda store: store.seed_update_session(self.iso, files={"late.iso": None}))
        self.ended = sim.run(lambda store: store.seed_update_session(self.ovf, state="CANCELED"))
        self.download = sim.run(lambda store: store.seed_download_session(self.iso))
        self.ended_download = sim.run(lambda store: store.seed_download_session(self.iso, state="CANCELED"))

    def described(self) -> str:
        """A session that holds a descriptor, and nothing of what it references."""
        session: str = self.sdk.updates.create(spec(self.ovf))
        upload(self.sdk, session, "x.ovf", BARE_DESCRIPTOR)
        return session


BEHAVIOR = UpdateSessionModel(warning_behavior=[])
UNKNOWN_TYPE = UpdateSessionModel(warning_behavior=[WarningBehavior(type="NO_SUCH_WARNING", ignored=True)])
STATE = "NOT_ALLOWED_IN_CURRENT_STATE"
ERRORS: tuple[tuple[str, str, str, Callable[[World], Any]], ...] = (
    ("create update", "INVALID_ARGUMENT", "library_item_id", lambda w: w.sdk.updates.create(UpdateSessionModel())),
    ("create update", "INVALID_ELEMENT_TYPE", "subscribed", lambda w: w.sdk.updates.create(spec(w.synced))),
    ("create update", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.create(spec(NOBODY))),
    ("create update", "RESOURCE_BUSY", "active", lambda w: w.sdk.updates.create(spec(w.iso))),
    ("create update", "INVALID_ARGUMENT", "x", lambda w: w.sdk.updates.create(spec(w.ovf), client_token="x")),
    (
        "create download",
        "INVALID_ARGUMENT",
        "library_item_id",
        lambda w: w.sdk.downloads.create(DownloadSessionModel()),
    ),
    (
        "create download",
        "NOT_FOUND",
        NOBODY,
        lambda w: w.sdk.downloads.create(DownloadSessionModel(library_item_id=NOBODY)),
    ),
    ("get update", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.get(NOBODY)),
    ("get download", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.get(NOBODY)),
    ("list updates", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.list(NOBODY)),
    ("list downloads", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.list(NOBODY)),
    ("update", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.update(NOBODY, BEHAVIOR)),
    ("update", STATE, "CANCELED", lambda w: w.sdk.updates.update(w.ended, BEHAVIOR)),
    ("update", "INVALID_ARGUMENT", "NO_SUCH_WARNING", lambda w: w.sdk.updates.update(w.active, UNKNOWN_TYPE)),
    ("complete", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.complete(NOBODY)),
    ("complete", STATE, "late.iso", lambda w: w.sdk.updates.complete(w.active)),
    ("complete", STATE, "disk.vmdk", lambda w: w.sdk.updates.complete(w.described())),
    ("complete", STATE, "CANCELED", lambda w: w.sdk.updates.complete(w.ended)),
    ("cancel", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.cancel(NOBODY)),
    ("cancel", STATE, "CANCELED", lambda w: w.sdk.updates.cancel(w.ended)),
    ("fail", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.fail(NOBODY, "x")),
    ("fail", STATE, "CANCELED", lambda w: w.sdk.updates.fail(w.ended, "x")),
    ("keep alive", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.keep_alive(NOBODY)),
    ("keep alive", STATE, "CANCELED", lambda w: w.sdk.updates.keep_alive(w.ended, 5)),
    ("cancel download", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.cancel(NOBODY)),
    ("cancel download", STATE, "CANCELED", lambda w: w.sdk.downloads.cancel(w.ended_download)),
    ("fail download", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.fail(NOBODY, "x")),
    ("fail download", STATE, "CANCELED", lambda w: w.sdk.downloads.fail(w.ended_download, "x")),
    ("keep download alive", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.keep_alive(NOBODY)),
    ("keep download alive", STATE, "CANCELED", lambda w: w.sdk.downloads.keep_alive(w.ended_download)),
    ("delete update", "NOT_FOUND", NOBODY, lambda w: w.sdk.updates.delete(NOBODY)),
    ("delete update", STATE, "ACTIVE", lambda w: w.sdk.updates.delete(w.active)),
    ("delete download", "NOT_FOUND", NOBODY, lambda w: w.sdk.downloads.delete(NOBODY)),
    ("file add", "INVALID_ARGUMENT", "a/b", lambda w: w.sdk.update_files.add(w.active, push("a/b"))),
    ("file add", "NOT_FOUND", NOBODY, lambda w: w.sdk.update_files.add(NOBODY, push("a.iso"))),
    ("file add", "UNAUTHORIZED", PLAIN_USER, lambda w: w.plain.update_files.add(w.active, pull("a", DATASTORE_FILE))),
    ("file add", "UNAUTHORIZED", PLAIN_USER, lambda w: w.plain.update_files.add(w.active, pull("a", "file:///a"))),
    ("file add", STATE, "x.mf", lambda w: w.sdk.update_files.add(w.described(), push("x.mf"))),
    ("file add", STATE, "x.cert", lambda w: w.sdk.update_files.add(w.described(), push("x.cert"))),
    ("file add", STATE, "CANCELED", lambda w: w.sdk.update_files.add(w.ended, push("a.iso"))),
    ("file get", "NOT_FOUND", NOBODY, lambda w: w.sdk.update_files.get(NOBODY, "a.iso")),
    ("file get", "INVALID_ARGUMENT", "no.iso", lambda w: w.sdk.update_files.get(w.active, "no.iso")),
    ("file list", "NOT_FOUND", NOBODY, lambda w: w.sdk.update_files.list(NOBODY)),
    ("file remove", "NOT_FOUND", NOBODY, lambda w: w.sdk.update_files.remove(NOBODY, "a.iso")),
    ("file remove", "INVALID_ARGUMENT", "no.iso", lambda w: w.sdk.update_files.remove(w.active, "no.iso")),
    ("file validate", "NOT_FOUND", NOBODY, lambda w: w.sdk.update_files.validate(NOBODY)),
    ("file validate", STATE, "late.iso", lambda w: w.sdk.update_files.validate(w.active)),
    ("file validate", STATE, "CANCELED", lambda w: w.sdk.update_files.validate(w.ended)),
    ("prepare", "NOT_FOUND", NOBODY, lambda w: w.sdk.download_files.prepare(NOBODY, "a.iso")),
    ("prepare", "INVALID_ARGUMENT", "no.iso", lambda w: w.sdk.download_files.prepare(w.download, "no.iso")),
    ("prepare", "UNAUTHORIZED", PLAIN_USER, lambda w: w.plain.download_files.prepare(w.download, "a.iso", "DIRECT")),
)


@pytest.mark.parametrize(
    ("kind", "words", "provoke"),
    [each[1:] for each in ERRORS],
    ids=[f"{each[0]}-{each[1]}-{each[2]}" for each in ERRORS],
)
def test_errors_as_the_bindings_read_them(
    sim: Simulator, kind: str, words: str, provoke: Callable[[World], Any]
) -> None:
    world = World(sim)
    with pytest.raises(Error) as caught:
        provoke(world)
    error = read_error(caught.value)
    assert error.type == kind
    assert words in " ".join(error.texts)
    assert error.ids
    assert all(error.ids)


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("session_has_missing_or_invalid_files", lambda w: w.described()),
        ("update_session_file_not_received", lambda w: w.active),
    ],
    ids=["missing", "not received"],
)
def test_what_complete_misses_goes_by_its_own_name(sim: Simulator, name: str, session: Callable[[World], str]) -> None:
    world = World(sim)
    with pytest.raises(Error) as caught:
        world.sdk.updates.complete(session(world))
    assert read_error(caught.value).ids == (CLS + name,)


Operation = Callable[[World, Sdk], Any]
READS: Mapping[str, Operation] = {
    "updates.get": lambda w, sdk: sdk.updates.get(w.active),
    "updates.list": lambda w, sdk: sdk.updates.list(w.iso),
    "update_files.get": lambda w, sdk: sdk.update_files.get(w.active, "late.iso"),
    "update_files.list": lambda w, sdk: sdk.update_files.list(w.active),
    "downloads.get": lambda w, sdk: sdk.downloads.get(w.download),
    "downloads.list": lambda w, sdk: sdk.downloads.list(w.iso),
    "download_files.get": lambda w, sdk: sdk.download_files.get(w.download, "a.iso"),
    "download_files.list": lambda w, sdk: sdk.download_files.list(w.download),
}
CHANGES: Mapping[str, Operation] = {
    "updates.create": lambda w, sdk: sdk.updates.create(spec(w.ovf)),
    "updates.update": lambda w, sdk: sdk.updates.update(w.active, BEHAVIOR),
    "updates.keep_alive": lambda w, sdk: sdk.updates.keep_alive(w.active),
    "updates.complete": lambda w, sdk: sdk.updates.complete(w.active),
    "updates.cancel": lambda w, sdk: sdk.updates.cancel(w.active),
    "updates.fail": lambda w, sdk: sdk.updates.fail(w.active, "x"),
    "updates.delete": lambda w, sdk: sdk.updates.delete(w.ended),
    "update_files.add": lambda w, sdk: sdk.update_files.add(w.active, push("a.iso")),
    "update_files.remove": lambda w, sdk: sdk.update_files.remove(w.active, "late.iso"),
    "update_files.validate": lambda w, sdk: sdk.update_files.validate(w.active),
    "downloads.create": lambda w, sdk: sdk.downloads.create(DownloadSessionModel(library_item_id=w.iso)),
    "downloads.keep_alive": lambda w, sdk: sdk.downloads.keep_alive(w.download),
    "downloads.cancel": lambda w, sdk: sdk.downloads.cancel(w.download),
    "downloads.fail": lambda w, sdk: sdk.downloads.fail(w.download, "x"),
    "downloads.delete": lambda w, sdk: sdk.downloads.delete(w.ended_download),
    "download_files.prepare": lambda w, sdk: sdk.download_files.prepare(w.download, "a.iso"),
}


def test_no_operation_of_the_bindings_is_left_out(sdk: Sdk) -> None:
    services = ("updates", "downloads", "update_files", "download_files")
    known = {
        f"{service}.{name}"
        for service in services
        for name, _method in inspect.getmembers(type(getattr(sdk, service)), inspect.isfunction)
        if not name.startswith("_")
    }
    assert known == {*READS, *CHANGES}


@pytest.mark.parametrize("name", [*READS, *CHANGES])
def test_each_operation_needs_a_login(sim: Simulator, name: str) -> None:
    world = World(sim)
    sim.run(lambda store: store.logins.expire_all())
    with pytest.raises(Error) as caught:
        {**READS, **CHANGES}[name](world, world.sdk)
    error = read_error(caught.value)
    assert (error.type, error.ids) == ("UNAUTHENTICATED", ("com.vmware.vapi.endpoint.method.authentication.required",))


NEED_A_PRIVILEGE = ("updates.create", "updates.list", "downloads.create", "downloads.list")


@pytest.mark.fact("list-needs-a-privilege")
@pytest.mark.parametrize("name", NEED_A_PRIVILEGE)
def test_creations_and_lists_need_a_privilege(sim: Simulator, name: str) -> None:
    world = World(sim)
    with pytest.raises(Error) as caught:
        {**READS, **CHANGES}[name](world, world.viewer)
    error = read_error(caught.value)
    assert (error.type, error.ids) == ("UNAUTHORIZED", ("com.vmware.vdcs.util.unauthorized",))
    assert VIEWER in error.texts[0]


#: What is refused for the state of the session, and not for a privilege.
REFUSED_TO_ALL = ("updates.complete", "update_files.validate")


@pytest.mark.fact("list-needs-a-privilege")
@pytest.mark.parametrize("name", sorted({*READS, *CHANGES} - {*NEED_A_PRIVILEGE}))
def test_whoever_knows_a_session_needs_no_privilege(sim: Simulator, name: str) -> None:
    world = World(sim)
    with pytest.raises(Error) if name in REFUSED_TO_ALL else contextlib.nullcontext() as caught:
        {**READS, **CHANGES}[name](world, world.viewer)
    assert caught is None or read_error(caught.value).type == STATE


# -- fields


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_field_of_an_update_session_arrives(sim: Simulator, tmp_path: Path, dialect: str) -> None:
    sim.reset(Seed(warning_texts="named"))
    sdk, iso, ovf = connect(sim, ADMINISTRATOR), item_id(sim), item_id(sim, "rocky9")
    package = make_package(tmp_path, disks=1, disk_bytes=20_000, signed="self-signed")
    previewed = sdk.updates.create(
        UpdateSessionModel(
            library_item_id=ovf,
            warning_behavior=[WarningBehavior(type=kind, ignored=True) for kind in SELF_SIGNED_RAISES],
        )
    )
    for path in package.files[:3]:
        upload(sdk, previewed, path.name, path.read_bytes())
    failed = sim.run(lambda store: store.seed_update_session(iso, state="ERROR"))
    sim.run(lambda store: setattr(store.update_session(failed), "error_message", MESSAGE))

    comparisons = [Comparison(UpdateSessionModel.get_binding_type()) for _each in range(2)]
    for session, found in ((previewed, {}), (failed, FAILED)):
        for comparison, ours in zip(comparisons, read_twice(Tasks(sim, dialect), "update", session, **found)):
            comparison.compare(sdk.updates.get(session), ours)
    assert [comparison.unmet for comparison in comparisons] == [set(), set()]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_field_of_a_download_session_arrives(sdk: Sdk, sim: Simulator, iso: str, dialect: str) -> None:
    failed = sim.run(lambda store: store.seed_download_session(iso, state="ERROR", client_progress=40))
    sim.run(lambda store: setattr(store.download_session(failed), "error_message", MESSAGE))

    for ours in read_twice(Tasks(sim, dialect), "download", failed, **FAILED):
        comparison = Comparison(DownloadSessionModel.get_binding_type())
        comparison.compare(sdk.downloads.get(failed), ours)
        assert comparison.unmet == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_field_of_an_item_arrives(sim: Simulator, dialect: str) -> None:
    items = (ItemSeed("checked", "ovf", {"checked.ovf": b"x"}, verification="VERIFIED"), ItemSeed("empty", "iso"))
    sim.reset(
        Seed(
            libraries=(*Seed().libraries, LibrarySeed("nightly", items, storage_uri="nfs://filer.example.com/library"))
        )
    )
    checked = item_id(sim, "checked", "nightly")
    sim.run(lambda store: setattr(store.catalog.items[checked], "cert_chain", ["MIIB"]))
    sdk = connect(sim)
    info = Tasks(sim, dialect).run(ITEM_INFO, with_storage=True)
    assert not info.failed, info.msg
    assert {item["id"] for item in info.result["library_items"]} == {
        item for library in sdk.libraries.list() for item in sdk.items.list(library)
    }

    an_item, a_file, a_storage = (Comparison(kind.get_binding_type()) for kind in (ItemModel, File.Info, Storage.Info))
    for ours in info.result["library_items"]:
        library, files, storage = (ours.pop(name) for name in ("library", "files", "storage"))
        assert library == sdk.libraries.get(ours["library_id"]).name
        an_item.compare(sdk.items.get(ours["id"]), ours)
        for comparison, theirs, found in (
            (a_file, sdk.item_files.list(ours["id"]), files),
            (a_storage, sdk.item_storage.list(ours["id"]), storage),
        ):
            assert len(theirs) == len(found)
            for left, right in zip(theirs, found):
                comparison.compare(left, {name: value for name, value in right.items() if name != "held_by"})
    assert [comparison.unmet for comparison in (an_item, a_file, a_storage)] == [set(), ENDPOINT, ENDPOINT]


def read_twice(tasks: Tasks, kind: str, session: str, **found: Any) -> tuple[Any, Any]:
    """A session as session_info returns it, and as the module does that declares what it finds; with the same keys."""
    info = tasks.run(SESSION_INFO, kind=kind, session_ids=[session])
    assert not info.failed, info.msg
    (listed,) = info.result[f"{kind}_sessions"]
    declared = tasks.run(f"content_library_{kind}_session", session_id=session, **found).session
    assert declared is not None
    assert listed.keys() == declared.keys()
    return listed, declared


def with_one_field_more(kind: Any) -> Any:
    fields = {name: kind.get_field(name) for name in kind.get_field_names()}
    return bindings.StructType(kind.name, {**fields, "novelty": bindings.OptionalType(bindings.StringType())})


def test_a_field_that_a_release_adds_is_noticed(sdk: Sdk, sim: Simulator, iso: str) -> None:
    session = sim.run(lambda store: store.seed_download_session(iso, state="ERROR", client_progress=40))
    sim.run(lambda store: setattr(store.download_session(session), "error_message", MESSAGE))
    theirs, (ours, _declared) = sdk.downloads.get(session), read_twice(Tasks(sim, "api"), "download", session, **FAILED)
    comparison = Comparison(with_one_field_more(DownloadSessionModel.get_binding_type()))

    theirs.novelty = None
    comparison.compare(theirs, ours)
    assert comparison.unmet == {".novelty"}, "no server fills it"

    theirs.novelty = "x"
    with pytest.raises(AssertionError, match=r"\.novelty is None, and not 'x'"):
        comparison.compare(theirs, ours)


def test_a_place_counts_by_itself(sdk: Sdk, sim: Simulator, iso: str) -> None:
    session = sim.run(lambda store: store.seed_update_session(iso, state="ERROR"))
    sim.run(lambda store: setattr(store.update_session(session), "error_message", MESSAGE))
    listed, _declared = read_twice(Tasks(sim, "api"), "update", session, **FAILED)
    comparison = Comparison(UpdateSessionModel.get_binding_type())
    comparison.compare(sdk.updates.get(session), listed)
    assert ".preview_info.warnings[].message.localized" in comparison.unmet
    assert ".error_message.localized" not in comparison.unmet
