# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that changes while a task reads it is never published, nor said to be verified."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._download.download_plan import compare_local
from ansible_collections.vsphere.content.plugins.module_utils._transfer.comparison import Held, Verdict
from ansible_collections.vsphere.content.plugins.module_utils._transfer.content import Checksum
from ansible_collections.vsphere.content.plugins.module_utils._transfer.hashing import Digests
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import identity_of
from tests.harness.held import contents, hold
from tests.harness.packages import Package, make_iso
from tests.harness.tasks import Run, Tasks
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed

KIBIBYTE = 1 << 10
SESSION_IS_MADE = "POST:*/update-session?client_token=*:1:hold"
ITEM_IS_READ = "GET:*/library/item/*/file:1:hold"

#: An item without a type takes images and packages alike.
pytestmark = pytest.mark.seed(Seed(libraries=(LibrarySeed("templates", (ItemSeed("tools", ""),)),)))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "tools.iso", 64 * KIBIBYTE)


def task(*paths: Path, state: str = "done") -> dict[str, Any]:
    files = [{"src": str(path)} for path in paths]
    return {"library": "templates", "library_item": "tools", "state": state, "files": files}


def hold_copies(tasks: Tasks, *paths: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in paths}
    hold(tasks.sim, files)
    return files


def write(path: Path) -> None:
    """Other bytes in the same place, of the same number."""
    with path.open("r+b") as stream:
        stream.write(b"changed")


def write_and_set_back(path: Path) -> None:
    found = path.stat()
    write(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 4)


def replace(path: Path) -> None:
    """Another file of the same content, size and time, by a rename."""
    found = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.rename(path)


def lead_elsewhere(path: Path) -> None:
    """The same, by another link of the same name."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    link = path.with_name("link")
    link.symlink_to(other)
    link.rename(path)


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "written to": (write, "it was written to"),
    "written to, and its time set back": (write_and_set_back, "it was written to, or its name or its attributes were"),
    "longer": (grow, f"it has {64 * KIBIBYTE + 4} bytes, and had {64 * KIBIBYTE}"),
    "shorter": (shrink, " bytes"),
    "replaced": (replace, "another file has taken its place"),
    "link to another": (lead_elsewhere, "another file has taken its place"),
    "gone": (Path.unlink, "it cannot be found any more (No such file or directory)"),
}


def assert_put_back(tasks: Tasks, run: Run, path: Path, doing: str, held: dict[str, bytes]) -> None:
    assert run.error["type"] == "TRANSFER_FAILED", run.msg
    assert f"{path} changed while it was {doing}: " in run.msg
    assert "Run the task again" in run.msg
    assert not run.changed
    assert run.result.get("item_changed") in (False, None)
    assert "verified" not in str(run.result)
    assert run.sent("POST", "complete") == []
    assert tasks.sim.run(lambda store: list(store.updates.sessions)) == []
    assert contents(tasks.sim) == held


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_changes_while_it_is_sent(one: Tasks, image: Path, how: str, state: str) -> None:
    change, said = CHANGES[how]
    with while_held(one.sim, "PUT:*/tools.iso:1:hold/50", lambda: change(image)):
        run = one.run(**task(image, state=state))
    assert_put_back(one, run, image, "sent", {})
    assert said in run.msg
    assert run.uploaded == ["tools.iso"]


@pytest.mark.parametrize("how", [how for how in CHANGES if how != "gone"])
def test_a_file_that_changes_before_its_first_byte_is_sent(one: Tasks, image: Path, how: str) -> None:
    """It may have been looked at, and compared, by then."""
    change, said = CHANGES[how]
    with while_held(one.sim, "POST:*/update-session/*/file:1:hold", lambda: change(image)):
        run = one.run(**task(image))
    assert_put_back(one, run, image, "sent", {})
    assert said in run.msg
    assert run.uploaded == []


@pytest.mark.parametrize("what", ["vanishes", "becomes a directory"])
def test_a_file_that_cannot_be_opened_any_more(one: Tasks, image: Path, what: str) -> None:
    def change() -> None:
        image.unlink()
        if what == "becomes a directory":
            image.mkdir()

    with while_held(one.sim, "POST:*/update-session/*/file:1:hold", change):
        run = one.run(**task(image))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{image} cannot be read: {'No such file' if what == 'vanishes' else 'Is a directory'}" in run.msg
    assert one.sim.run(lambda store: list(store.updates.sessions)) == []
    assert contents(one.sim) == {}


def test_a_file_that_changes_before_it_is_sent_again(one: Tasks, image: Path) -> None:
    one.sim.inject("PUT:*/tools.iso:1:reset-mid-body/50")
    with while_held(one.sim, "POST:*/update-session/*/file:2:hold", lambda: replace(image)):
        run = one.run(**task(image))
    assert_put_back(one, run, image, "sent", {})
    assert run.uploaded == ["tools.iso"]


def test_a_change_is_told_rather_than_what_a_server_says_of_the_bytes(one: Tasks, image: Path) -> None:
    with while_held(one.sim, "PUT:*/tools.iso:1:hold/50", lambda: write(image)):
        one.sim.inject("PUT:*/tools.iso:1:400")
        run = one.run(**task(image))
    assert_put_back(one, run, image, "sent", {})


def test_a_file_that_changes_after_it_was_sent_and_before_the_last_one_is(one: Tasks, bare: Package) -> None:
    """The descriptor says what the disks are, which come after it."""
    with while_held(one.sim, "PUT:*/rocky9-disk2.vmdk:1:hold/50", lambda: write(bare.descriptor)):
        run = one.run(**task(bare.descriptor))
    assert_put_back(one, run, bare.descriptor, "sent", {})
    assert sorted(run.uploaded) == ["rocky9-disk1.vmdk", "rocky9-disk2.vmdk", "rocky9.ovf"]


def test_a_descriptor_that_changes_after_its_references_were_read(one: Tasks, bare: Package) -> None:
    with while_held(one.sim, ITEM_IS_READ, lambda: write(bare.descriptor)):
        run = one.run(**task(bare.descriptor))
    assert_put_back(one, run, bare.descriptor, "compared", {})


@pytest.mark.parametrize("when", [ITEM_IS_READ, SESSION_IS_MADE, "PUT:*/rocky9.ova:1:hold/50"])
def test_an_archive_that_changes_after_its_headers_were_read(one: Tasks, bare: Package, when: str) -> None:
    archive = bare.directory.with_name("rocky9.ova")
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as packed:
        for member in (bare.descriptor, *bare.references):
            packed.add(member, member.name)
    with while_held(one.sim, when, lambda: replace(archive)):
        run = one.run(**task(archive))
    assert_put_back(one, run, archive, "compared" if when == ITEM_IS_READ else "sent", {})


def test_a_file_that_is_only_compared_is_not_verified_if_it_changes(one: Tasks, image: Path) -> None:
    held = hold_copies(one, image)
    with while_held(one.sim, ITEM_IS_READ, lambda: replace(image)):
        run = one.run(**task(image))
    assert_put_back(one, run, image, "compared", held)


def test_a_file_that_was_compared_and_changes_while_another_one_is_sent(one: Tasks, image: Path) -> None:
    held = hold_copies(one, image)
    second = make_iso(image.with_name("second.iso"), KIBIBYTE)
    with while_held(one.sim, "PUT:*/second.iso:1:hold", lambda: write(image)):
        run = one.run(**task(image, second))
    assert_put_back(one, run, image, "compared", held)
    assert run.uploaded == ["second.iso"]


def test_a_file_that_stays_as_it_is_may_be_read_by_others(one: Tasks, image: Path) -> None:
    with while_held(one.sim, "PUT:*/tools.iso:1:hold/50", image.read_bytes):
        run = one.run(**task(image))
    assert not run.failed, run.msg
    assert [file["verified"] for file in run.result["files"]] == [True]
    assert contents(one.sim) == {image.name: image.read_bytes()}


def test_a_file_in_dest_that_became_shorter_since_it_was_looked_at_is_another_one(tmp_path: Path) -> None:
    """It is fetched then, in place of an error: what is there is not the item's."""
    path = tmp_path / "disk.vmdk"
    path.write_bytes(b"not so short")
    identity = identity_of(path.stat())
    path.write_bytes(b"short")
    held = Held(1 << 20, Checksum("SHA1", "0" * 40), exact_size=False)
    assert compare_local(str(path), path.name, identity, held, None, Digests().of) is Verdict.DIFFERENT
