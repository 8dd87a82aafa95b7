# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is purged on partial knowledge: where a task cannot know what belongs to a package, its files stay."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, hold
from tests.harness.packages import Package, kept_of, make_iso, make_package
from tests.harness.tasks import Run, Tasks, src
from tests.harness.waiting import while_held
from tests.simulator import Seed

STORE = "ds:///vmfs/volumes/golden"
OTHER = {"other.ovf": b"<Envelope/>", "other-disk1.vmdk": b"the disk of another package"}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A file that belongs to no package."""
    return make_iso(tmp_path / "notes.bin", 5000)


def task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "rocky9", "state": "done", "files": list(files), **options}


def pulled(path: Path, tasks: Tasks, **more: Any) -> dict[str, Any]:
    """The file as vCenter fetches it from a datastore, beside its neighbours, recognised by its checksum."""
    url = f"{STORE}/{path.name}"
    beside = {f"{STORE}/{each.name}": each.read_bytes() for each in path.parent.iterdir() if each.is_file()}
    tasks.sim.reset(Seed(datastores=beside))
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


def fill(tasks: Tasks, files: dict[str, bytes]) -> str:
    """A session that an earlier run has left."""
    item = item_of(tasks)
    return tasks.sim.run(lambda store: store.seed_update_session(item, files=files))


def in_session(tasks: Tasks, session: str) -> set[str]:
    return tasks.sim.run(lambda store: set(store.updates.snapshot(store.updates.session(session))))


def removals(run: Run) -> list[str]:
    return [text for text in run.mutations if text.startswith("DELETE") or "~action=remove" in text]


def told(run: Run) -> list[str]:
    return [text for text in run.outcome.warnings if "purge_files removes nothing" in text]


# -- what `files` does not name


@pytest.mark.parametrize("purge_files", [None, True, False])
@pytest.mark.parametrize("kind", ["image", "package"])
def test_a_file_that_files_does_not_name_goes_or_stays_and_a_task_that_decides_nothing_says_which(
    one: Tasks, bare: Package, notes: Path, kind: str, purge_files: bool | None
) -> None:
    old = {"tools-2026-10.iso": b"October"} if kind == "image" else {"old.vmdk": b"October"}
    sent = {notes.name: notes.read_bytes()} if kind == "image" else kept_of(bare)
    hold(one.sim, old, "rocky9")
    declared = task(src(notes if kind == "image" else bare.descriptor))
    if purge_files is not None:
        declared["purge_files"] = purge_files
    goes = kind == "package" if purge_files is None else purge_files
    (name,) = old

    run = one.converge(**declared)

    assert contents(one.sim, "rocky9") == (sent if goes else {**old, **sent})
    assert run.result["files_removed"] == ([name] if goes else [])
    assert set(run.diff["before"]["item_content"]) == {name}
    assert set(run.diff["after"]["item_content"]) == {*sent, *([] if goes else [name])}
    warnings = [text for text in run.outcome.warnings if text.startswith(f"files does not name {name}")]
    assert run.outcome.warnings == warnings
    fate = ["The task removes them"] if goes else ["They stay"]
    choices = ["purge_files: false", "purge_files: true"]
    assert [all(text in said for text in fate + choices) for said in warnings] == [True] * (purge_files is None)


def test_check_mode_warns_of_what_files_does_not_name(one: Tasks, notes: Path) -> None:
    hold(one.sim, {"old.iso": b"October"}, "rocky9")
    predicted, run = one.run(check=True, **task(src(notes))), one.run(**task(src(notes)))
    assert predicted.outcome.warnings == run.outcome.warnings != []


# -- a package that vCenter pulls


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("purge_files", [None, True])
def test_a_pulled_descriptor_leaves_its_references_in_the_item(
    tasks: Tasks, bare: Package, state: str, purge_files: bool | None
) -> None:
    declared = task(pulled(bare.descriptor, tasks), state=state)
    hold(tasks.sim, kept_of(bare), "rocky9")
    if purge_files is not None:
        declared["purge_files"] = purge_files
    run = tasks.converge(**declared)
    assert not run.changed
    assert contents(tasks.sim, "rocky9") == kept_of(bare)
    assert len(told(run)) == (1 if purge_files else 0)
    assert run.outcome.warnings == told(run)


@pytest.mark.parametrize("state", ["active", "done"])
def test_a_pulled_descriptor_leaves_its_references_in_a_session(tasks: Tasks, bare: Package, state: str) -> None:
    declared = task(pulled(bare.descriptor, tasks), state=state)
    session = fill(tasks, kept_of(bare))
    predicted = tasks.run(check=True, **declared)
    run = tasks.run(**declared)
    assert not run.failed, run.msg
    assert (predicted.changed, predicted.diff) == (run.changed, run.diff)
    assert removals(run) == []
    assert run.outcome.warnings == []
    if state == "active":
        assert in_session(tasks, session) == set(kept_of(bare))
    else:
        assert contents(tasks.sim, "rocky9") == kept_of(bare)


@pytest.mark.parametrize("how", ["fetched again", "under another name", "by the name in its URL", "beside a disk"])
def test_each_way_to_pull_a_descriptor_removes_nothing(one: Tasks, bare: Package, how: str) -> None:
    held = kept_of(bare)
    entry = pulled(bare.descriptor, one)
    files = [entry]
    if how == "fetched again":
        entry["checksum"] = None
    elif how == "under another name":
        plain = bare.descriptor.with_name("descriptor.xml")
        plain.write_bytes(bare.descriptor.read_bytes())
        files = [pulled(plain, one, name="rocky9.ovf")]
    elif how == "by the name in its URL":
        entry["name"] = "descriptor.xml"
    else:
        files = [entry, src(bare.disks[0])]
    hold(one.sim, held, "rocky9")
    predicted = one.run(check=True, **task(*files, purge_files=True))
    run = one.run(**task(*files, purge_files=True))
    assert not run.failed, run.msg
    assert predicted.diff == run.diff
    assert removals(run) == []
    assert held.items() <= contents(one.sim, "rocky9").items()
    assert told(predicted) == told(run) != []


def test_beside_a_pulled_descriptor_what_is_declared_absent_goes(one: Tasks, bare: Package) -> None:
    entry = pulled(bare.descriptor, one)
    hold(one.sim, {**kept_of(bare), "note.txt": b"by hand"}, "rocky9")
    run = one.converge(**task(entry, absent("note.txt")))
    assert run.changed
    assert contents(one.sim, "rocky9") == kept_of(bare)


def test_purging_beside_a_pulled_archive_says_that_nothing_goes(one: Tasks, bare: Package, tmp_path: Path) -> None:
    archive = make_plain_ova(bare, tmp_path / "rocky9.ova")
    entry = pulled(archive, one, checksum=None)
    hold(one.sim, kept_of(bare), "rocky9")
    run = one.run(**task(entry, purge_files=True, when_unverifiable="skip"))
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
    tasks: Tasks, bare: Package, notes: Path, what: str, state: str
) -> None:
    hold(tasks.sim, OTHER, "rocky9")
    sent = notes if what == "image" else bare.disks[0]
    run = tasks.converge(**task(src(sent), purge_files=True, state=state))
    assert run.uploaded == [sent.name]
    [text] = told(run)
    assert "other.ovf describes a package that this task does not send" in text
    assert "These files stay: other-disk1.vmdk, other.ovf." in text
    assert "state: absent" in text
    assert contents(tasks.sim, "rocky9") == (OTHER if state == "active" else {**OTHER, sent.name: sent.read_bytes()})


def test_check_mode_tells_the_same(one: Tasks, notes: Path) -> None:
    hold(one.sim, OTHER, "rocky9")
    declared = task(src(notes), purge_files=True)
    predicted, run = one.run(check=True, **declared), one.run(**declared)
    assert len(told(predicted)) == 1
    assert told(predicted) == told(run)


def test_a_package_that_the_task_does_not_name_stays_in_a_session(one: Tasks, notes: Path) -> None:
    session = fill(one, OTHER)
    run = one.run(**task(src(notes), purge_files=True, state="active"))
    assert not run.failed, run.msg
    assert removals(run) == []
    assert in_session(one, session) == {*OTHER, notes.name}
    assert len(told(run)) == 1


def test_what_a_purge_spares_in_a_session_is_told_once_and_without_a_remedy_that_does_not_help(
    one: Tasks, notes: Path
) -> None:
    files = {"other.ovf": OTHER["other.ovf"], "note.txt": b"by hand"}
    fill(one, files)
    run = one.run(**task(src(notes), purge_files=True))
    assert not run.failed, run.msg
    assert contents(one.sim, "rocky9") == {**files, notes.name: notes.read_bytes()}
    assert run.outcome.warnings == told(run)
    assert len(told(run)) == 1


@pytest.mark.parametrize("named", [["other.ovf"], list(OTHER)])
def test_a_package_goes_once_its_descriptor_is_declared_absent(one: Tasks, notes: Path, named: list[str]) -> None:
    hold(one.sim, OTHER, "rocky9")
    run = one.converge(**task(src(notes), *map(absent, named), purge_files=True))
    assert contents(one.sim, "rocky9") == {notes.name: notes.read_bytes()}
    assert run.outcome.warnings == []


# -- a descriptor that cannot be told from the one there


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("purge_files", [None, True])
def test_an_unverifiable_descriptor_that_is_skipped_says_nothing_of_its_references(
    one: Tasks, bare: Package, tmp_path: Path, form: str, purge_files: bool | None
) -> None:
    one.sim.reset(Seed(checksum_algorithm="none"))
    held = {**kept_of(bare), "rocky9-disk3.vmdk": b"perhaps a disk of the descriptor there"}
    hold(one.sim, held, "rocky9")
    sent = bare.descriptor if form == "ovf" else make_plain_ova(bare, tmp_path / "rocky9.ova")
    declared = task(src(sent), when_unverifiable="skip", purge_files=purge_files)
    run = one.converge(**declared)
    assert not run.changed
    assert contents(one.sim, "rocky9") == held
    [text] = told(run)
    assert "vCenter has no checksum of rocky9.ovf, which when_unverifiable leaves in place" in text
    assert "rocky9-disk3.vmdk" in text


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_an_unverifiable_descriptor_that_is_sent_is_known(one: Tasks, bare: Package, tmp_path: Path, form: str) -> None:
    one.sim.reset(Seed(checksum_algorithm="none"))
    hold(one.sim, {**kept_of(bare), "rocky9-disk3.vmdk": b"of an older version"}, "rocky9")
    sent = bare.descriptor if form == "ovf" else make_plain_ova(bare, tmp_path / "rocky9.ova")
    run = one.run(**task(src(sent)))
    assert not run.failed, run.msg
    assert contents(one.sim, "rocky9") == kept_of(bare)


def test_a_declared_checksum_does_not_stand_for_a_local_descriptor_that_has_another(one: Tasks, bare: Package) -> None:
    """The checksum is that of the item's descriptor, the references are read from the local one."""
    newer = make_package(bare.directory / "newer", disks=1, disk_bytes=9000)
    newer.manifest.unlink()
    text = newer.descriptor.read_text()
    size = bare.descriptor.stat().st_size
    newer.descriptor.write_text(text + f"<!--{' ' * (size - len(text.encode()) - 7)}-->")
    assert newer.descriptor.stat().st_size == size
    hold(one.sim, kept_of(bare), "rocky9")
    stale = hashlib.sha1(bare.descriptor.read_bytes()).hexdigest()
    run = one.run(**task(src(newer.descriptor, checksum=stale, checksum_algorithm="SHA1")))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert run.sent("POST", "complete") == []
    assert contents(one.sim, "rocky9") == kept_of(bare)


# -- one package in the place of another


@pytest.mark.parametrize("purge_files", [None, True, False])
@pytest.mark.parametrize("form", ["ovf", "ova", "pulled"])
def test_a_second_descriptor_is_refused(
    tasks: Tasks, bare: Package, tmp_path: Path, form: str, purge_files: bool | None
) -> None:
    if form == "pulled":
        entry = pulled(bare.descriptor, tasks)
    else:
        entry = src(bare.descriptor if form == "ovf" else make_plain_ova(bare, tmp_path / "rocky9.ova"))
    hold(tasks.sim, OTHER, "rocky9")
    run = tasks.refuse(**task(entry, purge_files=purge_files))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "the item holds other.ovf of another package, beside which rocky9.ovf would come" in run.msg
    assert "an entry with name: other.ovf and state: absent" in run.msg
    assert contents(tasks.sim, "rocky9") == OTHER


def test_a_descriptor_in_another_case_is_another_one(one: Tasks, bare: Package) -> None:
    held = {"Rocky9.OVF": bare.descriptor.read_bytes(), "stray.vmdk": b"1"}
    hold(one.sim, held, "rocky9")
    run = one.refuse(**task(src(bare.descriptor)))
    assert "Rocky9.OVF of another package" in run.msg
    assert contents(one.sim, "rocky9") == held


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_the_remedy_replaces_one_package_by_another(one: Tasks, bare: Package, tmp_path: Path, form: str) -> None:
    hold(one.sim, OTHER, "rocky9")
    sent = bare.descriptor if form == "ovf" else make_plain_ova(bare, tmp_path / "rocky9.ova")
    run = one.converge(**task(src(sent), absent("other.ovf")))
    assert run.changed
    assert contents(one.sim, "rocky9") == kept_of(bare)
    assert run.result["files_removed"] == sorted(OTHER)
    (warning,) = run.outcome.warnings
    assert "files does not name other-disk1.vmdk. The task removes them" in warning


@pytest.mark.parametrize("by", ["item", "id"])
def test_a_second_descriptor_in_a_session_is_refused(one: Tasks, bare: Package, by: str) -> None:
    session = fill(one, OTHER)
    declared = task(src(bare.descriptor), state="active")
    if by == "id":
        declared = {"session_id": session, "state": "active", "files": declared["files"]}
    run = one.refuse(**declared)
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert run.error["session_id"] == session
    assert f"session {session} holds other.ovf of another package" in run.msg
    assert "end the session first, with state: absent" in run.msg
    assert in_session(one, session) == set(OTHER)


def test_an_item_that_holds_two_descriptors_already_is_left_as_it_is(one: Tasks, bare: Package) -> None:
    held = {**kept_of(bare), **OTHER}
    hold(one.sim, held, "rocky9")
    run = one.converge(**task(src(bare.descriptor)))
    assert not run.changed
    assert contents(one.sim, "rocky9") == held
    [text] = told(run)
    assert "other.ovf describes a package that this task does not send" in text


def test_a_package_that_another_task_publishes_meanwhile_is_not_purged(one: Tasks, bare: Package) -> None:
    """What was seen before the session was made does not count any more once it is there."""
    with while_held(one.sim, "POST:*/update-session?client_token=*:1:hold", lambda: hold(one.sim, OTHER, "rocky9")):
        run = one.run(**task(src(bare.descriptor)))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "the item holds other.ovf of another package" in run.msg
    assert "was canceled and deleted" in run.msg
    assert contents(one.sim, "rocky9") == OTHER
