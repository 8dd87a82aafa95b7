# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: what is sent, in which order, what is recognised as there already, and what keeps a session from being
completed."""

from __future__ import annotations

import hashlib
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, hold, seed_of, update_states
from tests.harness.packages import ACCEPTED, Package, kept_of, make_package
from tests.harness.tasks import Run, Tasks, src
from tests.simulator import Seed, Simulator, Store
from tests.simulator.worlds import WORLDS

ALGORITHMS = ("SHA1", "SHA256", "MD5", "SHA512")
MEBIBYTE = 1 << 20


@pytest.fixture
def refusing(server: Simulator) -> Tasks:
    """For what is refused on our side, where the dialect has no say."""
    server.reset()
    return Tasks(server, "api")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Package:
    directory = tmp_path_factory.mktemp("original")
    return make_package(directory, disks=2, disk_bytes=12_000, nvram=True, signed="self-signed")


@pytest.fixture
def package(original: Package, tmp_path: Path) -> Package:
    """A copy that a test may damage."""
    directory = tmp_path / "package"
    shutil.copytree(original.directory, directory)
    certificate, nvram = original.certificate, original.nvram
    return replace(
        original,
        descriptor=directory / original.descriptor.name,
        manifest=directory / original.manifest.name,
        certificate=directory / certificate.name if certificate else None,
        disks=tuple(directory / disk.name for disk in original.disks),
        nvram=directory / nvram.name if nvram else None,
    )


def image_task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "tools", "state": "done", "files": list(files), **options}


def package_task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return image_task(*files, **{"library_item": "rocky9", "warning_behavior": ACCEPTED, **options})


def digest(path: Path, algorithm: str) -> str:
    return hashlib.new(algorithm.lower(), path.read_bytes()).hexdigest()


def change(path: Path) -> None:
    """Other content of the same size."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


# -- OVF packages


@pytest.mark.parametrize("listing", ["directory", "descriptor alone", "reversed", "shuffled", "sorted"])
def test_a_package_arrives_complete_in_the_servers_order(tasks: Tasks, package: Package, listing: str) -> None:
    paths = {
        "directory": [package.directory],
        "descriptor alone": [package.descriptor],
        "reversed": list(reversed(package.files)),
        "shuffled": random.Random(5).sample(package.files, len(package.files)),
        "sorted": sorted(package.files),
    }[listing]
    run = tasks.converge(**package_task(*(src(path) for path in paths)))
    assert run.uploaded[:3] == ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
    assert sorted(run.uploaded[3:]) == ["rocky9-disk1.vmdk", "rocky9-disk2.vmdk", "rocky9.nvram"]
    assert sorted(entry["name"] for entry in run.added) == sorted(run.uploaded)
    assert contents(tasks.sim, "rocky9") == kept_of(package)
    assert run.result["transferred"]["files"] == 6
    assert run.result["transferred"]["bytes"] == sum(path.stat().st_size for path in package.files)
    assert sorted(run.diff["after"]["item_content"]) == sorted(kept_of(package))


def test_a_package_needs_neither_manifest_nor_certificate(tasks: Tasks, package: Package) -> None:
    package.manifest.unlink()
    assert package.certificate is not None
    package.certificate.unlink()
    run = tasks.converge(**package_task(src(package.descriptor)))
    assert run.uploaded[0] == "rocky9.ovf"
    assert contents(tasks.sim, "rocky9") == kept_of(package)


@pytest.mark.parametrize("missing", ["rocky9-disk2.vmdk", "rocky9.nvram"])
def test_a_missing_reference_fails_before_anything_is_created(tasks: Tasks, package: Package, missing: str) -> None:
    (package.directory / missing).unlink()
    run = tasks.refuse(**package_task(src(package.descriptor)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"references {missing!r}, which is not there" in run.msg


@pytest.mark.parametrize(
    "href",
    [
        "../rocky9-disk1.vmdk",
        "disks/rocky9-disk1.vmdk",
        "/etc/hostname",
        "..",
        "file:///etc/hostname",
        "https://images.example/rocky9-disk1.vmdk",
        "..\\rocky9-disk1.vmdk",
        "ds:disk.vmdk",
        "",
    ],
)
def test_a_reference_that_is_no_file_beside_the_descriptor_is_refused(
    refusing: Tasks, package: Package, href: str
) -> None:
    text = package.descriptor.read_text(encoding="utf-8")
    package.descriptor.write_text(text.replace('"rocky9-disk1.vmdk"', f'"{href}"'), encoding="utf-8")
    run = refusing.refuse(**package_task(src(package.descriptor)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"references {href!r}, which is not a file beside it" in run.msg


def test_a_document_type_is_refused(refusing: Tasks, package: Package) -> None:
    text = package.descriptor.read_text(encoding="utf-8")
    declaration = '<!DOCTYPE Envelope [<!ENTITY disk SYSTEM "file:///etc/hostname">]>\n<Envelope'
    package.descriptor.write_text(text.replace("<Envelope", declaration, 1), encoding="utf-8")
    run = refusing.refuse(**package_task(src(package.descriptor)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "DOCTYPE" in run.msg


@pytest.mark.parametrize("content", [b"", b"not XML", b"<Envelope><References>", b"\x00\xff"])
def test_what_is_no_descriptor_is_refused(refusing: Tasks, package: Package, content: bytes) -> None:
    package.descriptor.write_bytes(content)
    run = refusing.refuse(**package_task(src(package.descriptor)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"{package.descriptor} is not an OVF descriptor" in run.msg


def test_a_changed_disk_takes_the_whole_descriptor_set_along(tasks: Tasks, package: Package) -> None:
    """A new disk alone would leave an item whose signature was never checked."""
    tasks.converge(**package_task(src(package.descriptor)))
    changed = make_package(package.directory, disks=2, disk_bytes=30_000, nvram=True, signed="self-signed")
    run = tasks.converge(**package_task(src(changed.descriptor)))
    assert run.uploaded[:3] == ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
    assert sorted(run.uploaded[3:]) == ["rocky9-disk1.vmdk", "rocky9-disk2.vmdk"]
    assert contents(tasks.sim, "rocky9") == kept_of(changed)


def test_a_tampered_disk_is_not_published(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path / "tampered", disks=1, disk_bytes=4000, signed="self-signed", tamper="disk")
    run = tasks.run(**package_task(src(package.descriptor), check_manifest=False))
    assert "the manifest says SHA256" in run.outcome.warnings[0]
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "rocky9-disk1.vmdk" in run.msg
    assert "does not match the manifest" in run.msg
    assert update_states(tasks.sim) == {}
    assert contents(tasks.sim, "rocky9") == {}


# -- removing


def test_a_file_declared_absent_is_removed_and_no_other(tasks: Tasks, image: Path) -> None:
    hold(tasks.sim, {"old.iso": b"1", "other.iso": b"2"})
    run = tasks.converge(**image_task(src(image), {"name": "old.iso", "state": "absent"}))
    assert run.changed
    assert contents(tasks.sim) == {"other.iso": b"2", "tools.iso": image.read_bytes()}
    assert "old.iso" in run.diff["before"]["item_content"]
    assert "old.iso" not in run.diff["after"]["item_content"]


def test_the_last_file_can_be_removed(tasks: Tasks) -> None:
    hold(tasks.sim, {"old.iso": b"1"})
    run = tasks.converge(**image_task({"name": "old.iso", "state": "absent"}))
    assert run.changed
    assert run.result["item_changed"]
    assert contents(tasks.sim) == {}


def test_an_absent_file_that_is_not_there_makes_no_session(tasks: Tasks) -> None:
    hold(tasks.sim, {"other.iso": b"2"})
    run = tasks.converge(**image_task({"name": "old.iso", "state": "absent"}))
    assert not run.changed
    assert update_states(tasks.sim) == {}


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("where", ["item", "session"])
def test_a_file_is_removed_from_a_found_session(tasks: Tasks, state: str, where: str) -> None:
    files = {"old.iso": b"1"}
    if where == "item":
        hold(tasks.sim, files)
    session = tasks.sim.run(
        lambda store: store.seed_update_session(
            store.find_item_id("templates", "tools"), files=files if where == "session" else {}
        )
    )
    run = tasks.converge(**image_task({"name": "old.iso", "state": "absent"}, state=state))
    assert run.changed
    assert list(update_states(tasks.sim).values()) == ["ACTIVE" if state == "active" else "DONE"]
    if state == "active":
        assert tasks.sim.run(lambda store: store.updates.snapshot(store.updates.session(session))) == {}
    else:
        assert contents(tasks.sim) == {}


@pytest.mark.parametrize(
    ("kind", "purge_files", "purged"),
    [
        ("ovf", None, True),
        ("ovf", False, False),
        ("iso", None, False),
        ("iso", True, True),
    ],
)
def test_purge_files(
    tasks: Tasks, package: Package, image: Path, kind: str, purge_files: bool | None, purged: bool
) -> None:
    item = "rocky9" if kind == "ovf" else "tools"
    hold(tasks.sim, {"stray.vmdk": b"1", "stray.txt": b"2"}, item)
    options: dict[str, Any] = {} if purge_files is None else {"purge_files": purge_files}
    task = package_task(src(package.descriptor), **options) if kind == "ovf" else image_task(src(image), **options)
    run = tasks.converge(**task)
    wanted = kept_of(package) if kind == "ovf" else {"tools.iso": image.read_bytes()}
    strays = {} if purged else {"stray.vmdk": b"1", "stray.txt": b"2"}
    assert contents(tasks.sim, item) == {**wanted, **strays}
    assert run.diff["before"]["item_content"].keys() == {"stray.vmdk", "stray.txt"}
    assert run.diff["after"]["item_content"].keys() == wanted.keys() | strays.keys()
    assert run.result["files_removed"] == (["stray.txt", "stray.vmdk"] if purged else [])
    predicted = tasks.run(check=True, **task)
    told = [text for text in predicted.outcome.warnings if "files does not name stray.txt, stray.vmdk" in text]
    assert len(told) == (purge_files is None and not purged)
    assert all("purge_files: true" in text and "purge_files: false" in text for text in told)


def test_a_default_purge_is_told_before_it_happens(tasks: Tasks, package: Package) -> None:
    hold(tasks.sim, {"stray.vmdk": b"1"}, "rocky9")
    predicted = tasks.run(check=True, **package_task(src(package.descriptor)))
    assert predicted.result["files_removed"] == ["stray.vmdk"]
    (told,) = [text for text in predicted.outcome.warnings if "stray.vmdk" in text]
    assert "The task removes them, as purge_files is left out" in told


def test_purging_alone_is_a_change(tasks: Tasks, image: Path) -> None:
    hold(tasks.sim, {"tools.iso": image.read_bytes(), "stray.iso": b"1"})
    assert not tasks.converge(**image_task(src(image))).changed
    run = tasks.converge(**image_task(src(image), purge_files=True))
    assert run.changed
    assert run.uploaded == []
    assert contents(tasks.sim) == {"tools.iso": image.read_bytes()}


@pytest.mark.parametrize("purge_files", [None, False])
def test_an_empty_list_of_files_declares_nothing(tasks: Tasks, purge_files: bool | None) -> None:
    hold(tasks.sim, {"old.iso": b"1"})
    assert not tasks.converge(**image_task(purge_files=purge_files)).changed
    assert contents(tasks.sim) == {"old.iso": b"1"}


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ([], "files is empty"),
        (["absent"], "files names none that the item would keep"),
        (["manifest", "absent"], "files names none that the item would keep"),
    ],
    ids=["nothing", "only what is absent", "only what vCenter drops"],
)
def test_a_purge_that_would_leave_nothing_is_refused_before_the_first_request(
    refusing: Tasks, package: Package, kept: list[str], said: str, state: str
) -> None:
    """It is what a pattern over a directory gives that is not mounted."""
    hold(refusing.sim, {"golden.iso": b"1", "old.iso": b"2"})
    entries = {"absent": {"name": "old.iso", "state": "absent"}, "manifest": src(package.manifest)}
    run = refusing.refuse(**image_task(*(entries[name] for name in kept), purge_files=True, state=state))
    assert run.exchanges == ()
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert "name the files to remove" in run.msg
    assert "or delete the item" in run.msg
    assert contents(refusing.sim) == {"golden.iso": b"1", "old.iso": b"2"}


def test_a_file_under_another_name(tasks: Tasks, image: Path) -> None:
    run = tasks.converge(**image_task(src(image, name="Tools 8.0 (final) é.iso")))
    assert run.changed
    assert contents(tasks.sim) == {"Tools 8.0 (final) é.iso": image.read_bytes()}


def test_an_empty_file(tasks: Tasks, tmp_path: Path) -> None:
    empty = tmp_path / "empty.iso"
    empty.touch()
    assert tasks.converge(**image_task(src(empty))).changed
    assert contents(tasks.sim) == {"empty.iso": b""}


# -- equal, different, unverifiable


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_item_is_recognised_by_the_servers_checksum_whatever_its_algorithm(
    tasks: Tasks, image: Path, algorithm: str
) -> None:
    tasks.sim.reset(Seed(checksum_algorithm=algorithm))
    assert tasks.converge(**image_task(src(image))).changed
    change(image)
    again = tasks.run(**image_task(src(image)))
    assert again.uploaded == ["tools.iso"], "name and size are the same, the content is not"
    assert contents(tasks.sim) == {"tools.iso": image.read_bytes()}
    assert [file["checksum_info"] for file in again.result["files"]] == [
        {"algorithm": algorithm, "checksum": digest(image, algorithm)}
    ]


def test_the_size_of_a_disk_proves_nothing(tasks: Tasks, package: Package) -> None:
    """The server reports the storage that a disk uses, here one mebibyte for a few kilobytes."""
    tasks.run(**package_task(src(package.descriptor)))
    run = tasks.run(**package_task(src(package.descriptor)))
    assert not run.changed
    sizes = {file["name"]: file["size"] for file in run.result["files"]}
    assert sizes["rocky9-disk1.vmdk"] == MEBIBYTE != package.disks[0].stat().st_size


@pytest.mark.parametrize("choice", [None, "transfer", "upload"])
def test_unverifiable_content_is_sent_again(tasks: Tasks, image: Path, choice: str | None) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    hold(tasks.sim, {"tools.iso": image.read_bytes()})
    options = {"when_unverifiable": choice} if choice else {}
    predicted = tasks.run(check=True, **image_task(src(image), **options))
    run = tasks.run(**image_task(src(image), **options))
    assert run.uploaded == ["tools.iso"]
    assert predicted.changed
    assert run.changed
    assert predicted.diff == run.diff
    assert [file["verified"] for file in run.result["files"]] == [False]


def test_unverifiable_content_can_be_accepted(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    hold(tasks.sim, {"tools.iso": image.read_bytes()})
    run = tasks.converge(**image_task(src(image), when_unverifiable="skip"))
    assert not run.changed
    assert [file["verified"] for file in run.result["files"]] == [False]


@pytest.mark.parametrize("when_unverifiable", ["transfer", "skip"])
def test_another_size_is_another_content_without_any_checksum(
    tasks: Tasks, image: Path, when_unverifiable: str
) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    hold(tasks.sim, {"tools.iso": b"short"})
    run = tasks.run(**image_task(src(image), when_unverifiable=when_unverifiable))
    assert run.uploaded == ["tools.iso"]
    assert contents(tasks.sim) == {"tools.iso": image.read_bytes()}


@pytest.mark.parametrize("when_unverifiable", ["transfer", "skip"])
def test_a_package_on_a_server_without_checksums(tasks: Tasks, package: Package, when_unverifiable: str) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    task = package_task(src(package.descriptor), when_unverifiable=when_unverifiable)
    assert tasks.run(**task).changed
    assert contents(tasks.sim, "rocky9") == kept_of(package)
    again = tasks.run(**task)
    assert again.changed == (when_unverifiable == "transfer")
    assert len(again.uploaded) == (6 if when_unverifiable == "transfer" else 0)


# -- checksums


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_declared_checksum_goes_into_the_add_spec(tasks: Tasks, image: Path, algorithm: str) -> None:
    declared = {"checksum": digest(image, algorithm).upper(), "checksum_algorithm": algorithm}
    run = tasks.converge(**image_task(src(image, **declared)))
    [added] = run.added
    assert added == {
        "name": "tools.iso",
        "source_type": "PUSH",
        "size": 5000,
        "checksum_info": {"algorithm": algorithm, "checksum": digest(image, algorithm)},
    }
    assert [file["verified"] for file in run.result["files"]] == [True]


def test_no_checksum_is_made_up_for_the_add_spec(tasks: Tasks, image: Path) -> None:
    [added] = tasks.run(**image_task(src(image))).added
    assert added == {"name": "tools.iso", "source_type": "PUSH", "size": 5000}


def test_a_declared_checksum_that_the_item_has_needs_no_reading_of_the_file(tasks: Tasks, image: Path) -> None:
    hold(tasks.sim, {"tools.iso": b"z" * 5000})
    declared = {"checksum": hashlib.sha1(b"z" * 5000).hexdigest(), "checksum_algorithm": "SHA1"}
    assert not tasks.converge(**image_task(src(image, **declared))).changed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_declared_checksum_that_is_not_met_is_an_error_of_the_server(
    tasks: Tasks, image: Path, algorithm: str
) -> None:
    declared = {"checksum": hashlib.new(algorithm.lower(), b"").hexdigest(), "checksum_algorithm": algorithm}
    run = tasks.run(**image_task(src(image, **declared)))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "tools.iso" in run.msg
    assert declared["checksum"] in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_content_that_arrives_changed_is_not_published(tasks: Tasks, image: Path, algorithm: str) -> None:
    tasks.sim.reset(Seed(checksum_algorithm=algorithm))
    tasks.sim.inject("PUT:/cls/data/*:1:corrupt")
    run = tasks.run(**image_task(src(image)))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert digest(image, algorithm) in run.msg
    assert f"tools.iso arrived with the {algorithm} checksum" in run.msg
    assert_nothing_came_of_it(tasks, run)


@pytest.mark.parametrize("later", [value for value in WORLDS["ready-file"].values if value != "stays"])
def test_what_vcenter_does_with_our_file_afterwards_is_no_other_task_s_work(
    tasks: Tasks, image: Path, later: str
) -> None:
    tasks.sim.reset(Seed(ready_file=later))
    run = tasks.run(**image_task(src(image)))
    assert not run.failed, run.msg
    assert [file["verified"] for file in run.result["files"]] == [True]
    assert contents(tasks.sim) == {"tools.iso": image.read_bytes()}


def test_a_checksum_that_comes_later_is_compared_before_the_completion(tasks: Tasks, image: Path) -> None:
    tasks.sim.reset(Seed(ready_file="checksum-later"))
    tasks.sim.inject("PUT:/cls/data/*:1:corrupt")
    run = tasks.run(**image_task(src(image)))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert_nothing_came_of_it(tasks, run)


def test_a_disk_that_arrives_changed_is_not_published(tasks: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path / "bare", disks=1, disk_bytes=4000)
    package.manifest.unlink()
    tasks.sim.inject("PUT:/cls/data/*.vmdk:1:corrupt")
    run = tasks.run(**package_task(src(package.descriptor), warning_behavior=[]))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert_nothing_came_of_it(tasks, run, "rocky9")


def test_a_session_that_fails_by_itself_tells_why(tasks: Tasks, image: Path) -> None:
    tasks.sim.inject("PUT:/cls/data/*:1:transfer-error")
    run = tasks.run(**image_task(src(image)))
    assert run.failed
    assert "Pipe closed" in run.msg
    assert_nothing_came_of_it(tasks, run)


def test_a_found_session_with_a_missing_reference_is_not_completed(tasks: Tasks, package: Package) -> None:
    files = {path.name: path.read_bytes() for path in package.files[:4]}
    session = tasks.sim.run(
        lambda store: store.seed_update_session(store.find_item_id("templates", "rocky9"), files=files)
    )
    run = tasks.run(
        session_id=session,
        state="done",
        warning_behavior=ACCEPTED,
    )
    assert run.error["type"] == "TRANSFER_FAILED"
    for name in ("rocky9-disk2.vmdk", "rocky9.nvram"):
        assert f"File {name} is referenced by the descriptor, but was not added" in run.msg
    assert list(update_states(tasks.sim).values()) == ["ACTIVE"]
    assert run.sent("POST", "complete") == []


def assert_nothing_came_of_it(tasks: Tasks, run: Run, item: str = "tools") -> None:
    assert run.sent("POST", "complete") == []
    assert update_states(tasks.sim) == {}
    assert contents(tasks.sim, item) == {}
    assert not run.changed
    assert run.result["item_changed"] is False


# -- items of another type


def retype(tasks: Tasks, item: str, item_type: str) -> None:
    def set_type(store: Store) -> None:
        store.catalog.item(store.find_item_id("templates", item)).type = item_type

    tasks.sim.run(set_type)


@pytest.mark.parametrize("held", [{}, {"tools.iso": b"content"}], ids=["empty", "filled"])
@pytest.mark.parametrize("state", ["active", "done"])
def test_no_package_goes_into_an_item_of_type_iso(
    tasks: Tasks, package: Package, held: dict[str, bytes], state: str
) -> None:
    hold(tasks.sim, held)
    run = tasks.refuse(**package_task(src(package.descriptor), library_item="tools", state=state))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert all(text in run.msg for text in ("'tools'", "type iso", package.descriptor.name, "another name"))
    assert contents(tasks.sim) == held


def test_no_package_is_pulled_into_an_item_of_type_iso(refusing: Tasks) -> None:
    run = refusing.refuse(**image_task({"url": "https://mirror.example.com/rocky9.OVA"}))
    assert "rocky9.OVA would make it one of type ovf" in run.msg


def test_no_package_goes_into_a_session_on_an_item_of_type_iso(tasks: Tasks, package: Package) -> None:
    session = tasks.run(library="templates", library_item="tools", state="active").session
    assert session is not None
    for named in ({"library": "templates", "library_item": "tools"}, {"session_id": session["id"]}):
        run = tasks.refuse(**named, state="done", files=[src(package.descriptor)])
        assert "type iso" in run.msg
    assert list(update_states(tasks.sim).values()) == ["ACTIVE"]


@pytest.mark.parametrize("held", [{}, {"rocky9.ovf": b"<Envelope/>"}], ids=["empty", "filled"])
@pytest.mark.parametrize("purge", [True, False])
def test_no_image_alone_goes_into_an_item_of_type_ovf(
    tasks: Tasks, image: Path, held: dict[str, bytes], purge: bool
) -> None:
    hold(tasks.sim, held, "rocky9")
    run = tasks.refuse(**image_task(src(image), library_item="rocky9", purge_files=purge))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert all(text in run.msg for text in ("'rocky9'", "type ovf", "tools.iso", "another name"))
    assert contents(tasks.sim, "rocky9") == held


def test_an_image_that_belongs_to_a_package_goes_with_it_and_is_replaced(
    tasks: Tasks, package: Package, image: Path
) -> None:
    tasks.converge(**package_task(src(package.descriptor), src(image)))
    change(image)
    tasks.converge(**package_task(src(image)))
    assert contents(tasks.sim, "rocky9") == {**kept_of(package), "tools.iso": image.read_bytes()}


def test_an_image_may_reach_a_session_before_its_package(tasks: Tasks, package: Package, image: Path) -> None:
    tasks.converge(**package_task(src(image), state="active"))
    tasks.run(**package_task(src(package.descriptor), state="active", purge_files=False))
    change(image)
    done = tasks.run(**package_task(src(image)))
    assert not done.failed, done.msg
    assert contents(tasks.sim, "rocky9") == {**kept_of(package), "tools.iso": image.read_bytes()}


@pytest.mark.parametrize("item_type", ["", "vmdk"])
def test_an_item_of_no_known_type_takes_anything(tasks: Tasks, package: Package, image: Path, item_type: str) -> None:
    retype(tasks, "tools", item_type)
    tasks.converge(**image_task(src(image)))
    tasks.converge(**package_task(src(package.descriptor), library_item="tools"))


@pytest.mark.parametrize("files", [True, False])
def test_a_vm_template_takes_no_session(tasks: Tasks, image: Path, files: bool) -> None:
    tasks.sim.reset(seed_of({}, "tools", "vm-template"))
    options = image_task(src(image)) if files else {"library": "templates", "library_item": "tools", "state": "active"}
    run = tasks.refuse(**options)
    assert run.error["type"] == "INVALID_ELEMENT_TYPE"
    assert all(text in run.msg for text in ("'tools'", "VM template", "another name"))
    assert not tasks.converge(library="templates", library_item="tools", state="absent").changed
