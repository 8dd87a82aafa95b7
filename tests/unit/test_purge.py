# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is purged on partial knowledge: where a task cannot know what belongs to a package, its files stay."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import Package, make_iso, make_package
from tests.harness.tasks import DIALECTS, Run, Tasks
from tests.harness.waiting import while_held
from tests.simulator import Seed, Simulator

STORE = "ds:///vmfs/volumes/golden"
OTHER = {"other.ovf": b"<Envelope/>", "other-disk1.vmdk": b"the disk of another package"}


@pytest.fixture(params=DIALECTS)
def each(request: pytest.FixtureRequest, server: Simulator) -> Tasks:
    """In both dialects."""
    server.reset()
    return Tasks(server, request.param)


@pytest.fixture
def tasks(server: Simulator) -> Tasks:
    server.reset()
    return Tasks(server, "api")


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Two disks and no manifest, so that its files can be changed one by one."""
    package = make_package(tmp_path / "package", disks=2, disk_bytes=9000)
    package.manifest.unlink()
    return package


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file that belongs to no package."""
    return make_iso(tmp_path / "notes.bin", 5000)


def task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "rocky9", "state": "done", "files": list(files), **options}


def src(path: Path, **more: Any) -> dict[str, Any]:
    return {"src": str(path), **more}


def pulled(path: Path, tasks: Tasks, **more: Any) -> dict[str, Any]:
    """The file as vCenter fetches it from a datastore, recognised by its checksum."""
    url = f"{STORE}/{path.name}"
    tasks.sim.reset(Seed(datastores={url: path.read_bytes()}))
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    return {"url": url, "checksum": digest, "checksum_algorithm": "SHA1", **more}


def make_plain_ova(package: Package, path: Path) -> Path:
    """An archive without a manifest."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as packed:
        for member in (package.descriptor, *package.references):
            packed.add(member, member.name)
    return path


def absent(name: str) -> dict[str, Any]:
    return {"name": name, "state": "absent"}


def item_of(tasks: Tasks) -> str:
    return tasks.sim.run(lambda store: store.find_item_id("templates", "rocky9"))


def hold(tasks: Tasks, files: dict[str, bytes]) -> None:
    item = item_of(tasks)
    tasks.sim.run(lambda store: store.seed_item_files(item, files))


def fill(tasks: Tasks, files: dict[str, bytes]) -> str:
    """A session that an earlier run has left."""
    item = item_of(tasks)
    return tasks.sim.run(lambda store: store.seed_update_session(item, files=files))


def contents(tasks: Tasks) -> dict[str, bytes]:
    item = item_of(tasks)
    return tasks.sim.run(lambda store: store.item_contents(item))


def in_session(tasks: Tasks, session: str) -> set[str]:
    return tasks.sim.run(lambda store: set(store.updates.snapshot(store.updates.session(session))))


def kept_of(package: Package) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (package.descriptor, *package.references)}


def removals(run: Run) -> list[str]:
    return [text for text in run.mutations if text.startswith("DELETE") or "~action=remove" in text]


def told(run: Run) -> list[str]:
    return [text for text in run.outcome.warnings if "purge_files removes nothing" in text]


# -- a package that vCenter pulls


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("purge_files", [None, True])
def test_a_pulled_descriptor_leaves_its_references_in_the_item(
    each: Tasks, package: Package, state: str, purge_files: bool | None
) -> None:
    declared = task(pulled(package.descriptor, each), state=state)
    hold(each, kept_of(package))
    if purge_files is not None:
        declared["purge_files"] = purge_files
    run = each.converge(**declared)
    assert not run.changed
    assert contents(each) == kept_of(package)
    assert len(told(run)) == (1 if purge_files else 0)
    assert run.outcome.warnings == told(run)


@pytest.mark.parametrize("state", ["active", "done"])
def test_a_pulled_descriptor_leaves_its_references_in_a_session(each: Tasks, package: Package, state: str) -> None:
    declared = task(pulled(package.descriptor, each), state=state)
    session = fill(each, kept_of(package))
    predicted = each.run(check=True, **declared)
    run = each.run(**declared)
    assert not run.failed, run.msg
    assert (predicted.changed, predicted.diff) == (run.changed, run.diff)
    assert removals(run) == []
    assert run.outcome.warnings == []
    if state == "active":
        assert in_session(each, session) == set(kept_of(package))
    else:
        assert contents(each) == kept_of(package)


@pytest.mark.parametrize("how", ["fetched again", "under another name", "by the name in its URL", "beside a disk"])
def test_each_way_to_pull_a_descriptor_removes_nothing(tasks: Tasks, package: Package, how: str) -> None:
    held = kept_of(package)
    entry = pulled(package.descriptor, tasks)
    files = [entry]
    if how == "fetched again":
        entry["checksum"] = None
    elif how == "under another name":
        plain = package.descriptor.with_name("descriptor.xml")
        plain.write_bytes(package.descriptor.read_bytes())
        files = [pulled(plain, tasks, name="rocky9.ovf")]
    elif how == "by the name in its URL":
        entry["name"] = "descriptor.xml"
    else:
        files = [entry, src(package.disks[0])]
    hold(tasks, held)
    predicted = tasks.run(check=True, **task(*files, purge_files=True))
    run = tasks.run(**task(*files, purge_files=True))
    assert not run.failed, run.msg
    assert predicted.diff == run.diff
    assert removals(run) == []
    assert held.items() <= contents(tasks).items()
    assert told(predicted) == told(run) != []


def test_beside_a_pulled_descriptor_what_is_declared_absent_goes(tasks: Tasks, package: Package) -> None:
    entry = pulled(package.descriptor, tasks)
    hold(tasks, {**kept_of(package), "note.txt": b"by hand"})
    run = tasks.converge(**task(entry, absent("note.txt")))
    assert run.changed
    assert contents(tasks) == kept_of(package)


def test_purging_beside_a_pulled_archive_says_that_nothing_goes(tasks: Tasks, package: Package, tmp_path: Path) -> None:
    archive = make_plain_ova(package, tmp_path / "rocky9.ova")
    entry = pulled(archive, tasks)
    hold(tasks, kept_of(package))
    run = tasks.run(**task(entry, purge_files=True, when_unverifiable="skip"))
    assert not run.failed, run.msg
    assert not run.changed
    [text] = told(run)
    assert "vCenter itself fetches rocky9.ova" in text
    assert "rocky9-disk1.vmdk, rocky9-disk2.vmdk" in text
    assert "state: absent" in text


# -- a package there that the task does not name


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("what", ["image", "disk"])
def test_a_package_that_the_task_does_not_name_stays_in_the_item(
    each: Tasks, package: Package, image: Path, what: str, state: str
) -> None:
    hold(each, OTHER)
    sent = image if what == "image" else package.disks[0]
    run = each.converge(**task(src(sent), purge_files=True, state=state))
    assert run.uploaded == [sent.name]
    [text] = told(run)
    assert "other.ovf describes a package that this task does not send" in text
    assert "These files stay: other-disk1.vmdk, other.ovf." in text
    assert "state: absent" in text
    assert contents(each) == (OTHER if state == "active" else {**OTHER, sent.name: sent.read_bytes()})


def test_check_mode_tells_the_same(tasks: Tasks, image: Path) -> None:
    hold(tasks, OTHER)
    declared = task(src(image), purge_files=True)
    predicted, run = tasks.run(check=True, **declared), tasks.run(**declared)
    assert len(told(predicted)) == 1
    assert told(predicted) == told(run)


def test_a_package_that_the_task_does_not_name_stays_in_a_session(tasks: Tasks, image: Path) -> None:
    session = fill(tasks, OTHER)
    run = tasks.run(**task(src(image), purge_files=True, state="active"))
    assert not run.failed, run.msg
    assert removals(run) == []
    assert in_session(tasks, session) == {*OTHER, image.name}
    assert len(told(run)) == 1


def test_what_a_purge_spares_in_a_session_is_told_once_and_without_a_remedy_that_does_not_help(
    tasks: Tasks, image: Path
) -> None:
    files = {"other.ovf": OTHER["other.ovf"], "note.txt": b"by hand"}
    fill(tasks, files)
    run = tasks.run(**task(src(image), purge_files=True))
    assert not run.failed, run.msg
    assert contents(tasks) == {**files, image.name: image.read_bytes()}
    assert run.outcome.warnings == told(run)
    assert len(told(run)) == 1


@pytest.mark.parametrize("named", [["other.ovf"], list(OTHER)])
def test_a_package_goes_once_its_descriptor_is_declared_absent(tasks: Tasks, image: Path, named: list[str]) -> None:
    hold(tasks, OTHER)
    run = tasks.converge(**task(src(image), *map(absent, named), purge_files=True))
    assert contents(tasks) == {image.name: image.read_bytes()}
    assert run.outcome.warnings == []


# -- a descriptor that cannot be told from the one there


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("purge_files", [None, True])
def test_an_unverifiable_descriptor_that_is_skipped_says_nothing_of_its_references(
    tasks: Tasks, package: Package, tmp_path: Path, form: str, purge_files: bool | None
) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    held = {**kept_of(package), "rocky9-disk3.vmdk": b"perhaps a disk of the descriptor there"}
    hold(tasks, held)
    sent = package.descriptor if form == "ovf" else make_plain_ova(package, tmp_path / "rocky9.ova")
    declared = task(src(sent), when_unverifiable="skip", purge_files=purge_files)
    run = tasks.converge(**declared)
    assert not run.changed
    assert contents(tasks) == held
    [text] = told(run)
    assert "vCenter has no checksum of rocky9.ovf, which when_unverifiable leaves in place" in text
    assert "rocky9-disk3.vmdk" in text


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_an_unverifiable_descriptor_that_is_sent_is_known(
    tasks: Tasks, package: Package, tmp_path: Path, form: str
) -> None:
    tasks.sim.reset(Seed(checksum_algorithm="none"))
    hold(tasks, {**kept_of(package), "rocky9-disk3.vmdk": b"of an older version"})
    sent = package.descriptor if form == "ovf" else make_plain_ova(package, tmp_path / "rocky9.ova")
    run = tasks.run(**task(src(sent)))
    assert not run.failed, run.msg
    assert contents(tasks) == kept_of(package)


def test_a_declared_checksum_does_not_stand_for_a_local_descriptor_that_has_another(
    tasks: Tasks, package: Package
) -> None:
    """The checksum is that of the item's descriptor, the references are read from the local one."""
    newer = make_package(package.directory / "newer", disks=1, disk_bytes=9000)
    newer.manifest.unlink()
    text = newer.descriptor.read_text()
    size = package.descriptor.stat().st_size
    newer.descriptor.write_text(text + f"<!--{' ' * (size - len(text.encode()) - 7)}-->")
    assert newer.descriptor.stat().st_size == size
    hold(tasks, kept_of(package))
    stale = hashlib.sha1(package.descriptor.read_bytes()).hexdigest()
    run = tasks.run(**task(src(newer.descriptor, checksum=stale, checksum_algorithm="SHA1")))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert run.sent("POST", "complete") == []
    assert contents(tasks) == kept_of(package)


# -- one package in the place of another


@pytest.mark.parametrize("purge_files", [None, True, False])
@pytest.mark.parametrize("form", ["ovf", "ova", "pulled"])
def test_a_second_descriptor_is_refused(
    each: Tasks, package: Package, tmp_path: Path, form: str, purge_files: bool | None
) -> None:
    if form == "pulled":
        entry = pulled(package.descriptor, each)
    else:
        entry = src(package.descriptor if form == "ovf" else make_plain_ova(package, tmp_path / "rocky9.ova"))
    hold(each, OTHER)
    run = each.refuse(**task(entry, purge_files=purge_files))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "the item holds other.ovf of another package, beside which rocky9.ovf would come" in run.msg
    assert "an entry with name: other.ovf and state: absent" in run.msg
    assert contents(each) == OTHER


def test_a_descriptor_in_another_case_is_another_one(tasks: Tasks, package: Package) -> None:
    held = {"Rocky9.OVF": package.descriptor.read_bytes(), "stray.vmdk": b"1"}
    hold(tasks, held)
    run = tasks.refuse(**task(src(package.descriptor)))
    assert "Rocky9.OVF of another package" in run.msg
    assert contents(tasks) == held


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_the_remedy_replaces_one_package_by_another(tasks: Tasks, package: Package, tmp_path: Path, form: str) -> None:
    hold(tasks, OTHER)
    sent = package.descriptor if form == "ovf" else make_plain_ova(package, tmp_path / "rocky9.ova")
    run = tasks.converge(**task(src(sent), absent("other.ovf")))
    assert run.changed
    assert contents(tasks) == kept_of(package)
    assert run.outcome.warnings == []


@pytest.mark.parametrize("by", ["item", "id"])
def test_a_second_descriptor_in_a_session_is_refused(tasks: Tasks, package: Package, by: str) -> None:
    session = fill(tasks, OTHER)
    declared = task(src(package.descriptor), state="active")
    if by == "id":
        declared = {"session_id": session, "state": "active", "files": declared["files"]}
    run = tasks.refuse(**declared)
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert run.error["session_id"] == session
    assert f"session {session} holds other.ovf of another package" in run.msg
    assert "end the session first, with state: absent" in run.msg
    assert in_session(tasks, session) == set(OTHER)


def test_an_item_that_holds_two_descriptors_already_is_left_as_it_is(tasks: Tasks, package: Package) -> None:
    held = {**kept_of(package), **OTHER}
    hold(tasks, held)
    run = tasks.converge(**task(src(package.descriptor)))
    assert not run.changed
    assert contents(tasks) == held
    [text] = told(run)
    assert "other.ovf describes a package that this task does not send" in text


def test_a_package_that_another_task_publishes_meanwhile_is_not_purged(tasks: Tasks, package: Package) -> None:
    """What was seen before the session was made does not count any more once it is there."""
    with while_held(tasks.sim, "POST:*/update-session?client_token=*:1:hold", lambda: hold(tasks, OTHER)):
        run = tasks.run(**task(src(package.descriptor)))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "the item holds other.ovf of another package" in run.msg
    assert "was canceled and deleted" in run.msg
    assert contents(tasks) == OTHER
