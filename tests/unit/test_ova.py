# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An OVA: sent as one file, recognised by what it holds, and refused before anything is made if it is no whole one."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, hold, update_states
from tests.harness.packages import ACCEPTED, Package, kept_of, make_ova, make_package
from tests.harness.samples import waiting
from tests.harness.tasks import DIALECTS, Tasks, src
from tests.simulator import Seed, Simulator
from tests.simulator.worlds import WORLDS, in_worlds

BLOCK = 512
ALGORITHMS = ("SHA1", "SHA256", "MD5", "SHA512")
DESCRIPTOR = b"<Envelope><References><File href='disk.vmdk'/></References></Envelope>"
DISK = b"disk" * 300


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return make_package(tmp_path / "package", disks=2, disk_bytes=20_000, nvram=True, signed="self-signed")


@pytest.fixture
def archive(package: Package, tmp_path: Path) -> Path:
    return make_ova(package, tmp_path / "rocky9.ova")


def task(*files: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "library": "templates",
        "library_item": "rocky9",
        "state": "done",
        "files": list(files),
        "warning_behavior": ACCEPTED,
        **options,
    }


def bare_package(tmp_path: Path, **options: Any) -> Package:
    """Without a manifest, so that its files can be changed one by one."""
    package = make_package(tmp_path / "bare", nvram=True, **{"disks": 2, "disk_bytes": 20_000, **options})
    package.manifest.unlink()
    return package


def pack(package: Package, path: Path, *others: Path) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as packed:
        for member in (package.descriptor, *package.references, *others):
            packed.add(member, member.name)
    return path


# -- what is sent, and what is recognised


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_ova_goes_as_one_file_and_is_recognised_by_its_members(
    server: Simulator, package: Package, archive: Path, algorithm: str, dialect: str
) -> None:
    server.reset(Seed(checksum_algorithm=algorithm))
    tasks = Tasks(server, dialect)
    run = tasks.converge(**task(src(archive)))
    assert run.changed
    assert run.uploaded == ["rocky9.ova"]
    assert run.added == [{"name": "rocky9.ova", "source_type": "PUSH", "size": archive.stat().st_size}]
    assert run.result["transferred"]["bytes"] == archive.stat().st_size
    assert contents(tasks.sim, "rocky9") == kept_of(package)
    assert sorted(run.diff["after"]["item_content"]) == sorted(kept_of(package))


def test_the_second_run_says_that_every_member_is_verified(one: Tasks, package: Package, archive: Path) -> None:
    one.run(**task(src(archive)))
    run = one.run(**task(src(archive)))
    assert not run.changed
    assert {file["name"]: file["verified"] for file in run.result["files"]} == dict.fromkeys(kept_of(package), True)


def test_an_item_that_was_published_as_ovf_is_recognised_as_the_same_ova(
    one: Tasks, package: Package, archive: Path
) -> None:
    assert one.converge(**task(src(package.descriptor))).changed
    run = one.converge(**task(src(archive)))
    assert not run.changed
    assert run.uploaded == []


def test_an_archive_in_the_pax_format_is_read_as_well(one: Tasks, tmp_path: Path) -> None:
    package = bare_package(tmp_path)
    path = tmp_path / "pax.ova"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as packed:
        for member in (package.descriptor, *package.references):
            entry = packed.gettarinfo(member, member.name)
            entry.pax_headers = {"mtime": "1700000000.25", "comment": "x" * 700}
            with member.open("rb") as stream:
                packed.addfile(entry, stream)
    run = one.converge(**task(src(path)))
    assert run.uploaded == ["pax.ova"]
    assert "pax.ova has headers of the tar format pax" in run.outcome.warnings[0]
    assert contents(one.sim, "rocky9") == kept_of(package)


@pytest.mark.fact("unreferenced-ova-members")
@pytest.mark.parametrize("said", WORLDS["ova-members"].values)
def test_a_member_that_the_descriptor_does_not_name_may_be_kept_or_dropped(
    one: Tasks, tmp_path: Path, said: str
) -> None:
    package = bare_package(tmp_path)
    stray = tmp_path / "README.txt"
    stray.write_bytes(b"Read me.")
    path = pack(package, tmp_path / "rocky9.ova", stray)
    one.sim.reset(in_worlds(Seed(), {"ova-members": said}))
    run = one.converge(**task(src(path)))
    assert run.uploaded == ["rocky9.ova"]
    assert ("README.txt" in contents(one.sim, "rocky9")) is (said == "kept")
    stray.write_bytes(b"Read it!")
    pack(package, path, stray)
    assert one.converge(**task(src(path))).changed is (said == "kept")


def test_an_archive_that_is_not_called_so_is_spoken_of(one: Tasks, archive: Path, tmp_path: Path) -> None:
    path = archive.rename(tmp_path / "rocky9")
    run = one.converge(**task(src(path), purge_files=False))
    assert f"{path} is an OVA, and rocky9 is not called so" in run.outcome.warnings[0]
    assert list(contents(one.sim, "rocky9")) == ["rocky9"]
    image = one.run(**task(src(path, name="rocky9.img"), library_item="tools", purge_files=False))
    assert image.outcome.warnings == []


@pytest.mark.parametrize("when_unverifiable", ["upload", "skip"])
def test_without_checksums_on_the_server_an_ova_is_unverifiable(
    one: Tasks, package: Package, archive: Path, when_unverifiable: str
) -> None:
    one.sim.reset(Seed(checksum_algorithm="none"))
    declared = task(src(archive), when_unverifiable=when_unverifiable)
    assert one.run(**declared).uploaded == ["rocky9.ova"]
    predicted = one.run(check=True, **declared)
    again = one.run(**declared)
    assert predicted.changed == again.changed == (when_unverifiable == "upload")
    assert predicted.diff == again.diff
    assert again.uploaded == (["rocky9.ova"] if when_unverifiable == "upload" else [])
    assert all(file["verified"] is False for file in again.result["files"])
    assert contents(one.sim, "rocky9") == kept_of(package)


@pytest.mark.parametrize("when_unverifiable", ["upload", "skip"])
def test_a_member_of_another_size_is_seen_without_any_checksum(
    one: Tasks, tmp_path: Path, when_unverifiable: str
) -> None:
    one.sim.reset(Seed(checksum_algorithm="none"))
    package = bare_package(tmp_path)
    declared = task(src(pack(package, tmp_path / "rocky9.ova")), when_unverifiable=when_unverifiable)
    one.run(**declared)
    assert package.nvram is not None
    package.nvram.write_bytes(b"another size")
    pack(package, tmp_path / "rocky9.ova")
    assert one.run(**declared).uploaded == ["rocky9.ova"]
    assert contents(one.sim, "rocky9") == kept_of(package)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
@pytest.mark.parametrize("changed", ["rocky9.ovf", "rocky9-disk2.vmdk", "rocky9.nvram"])
def test_a_changed_member_of_the_same_size_is_seen(one: Tasks, tmp_path: Path, changed: str, algorithm: str) -> None:
    one.sim.reset(Seed(checksum_algorithm=algorithm))
    package = bare_package(tmp_path)
    archive = pack(package, tmp_path / "rocky9.ova")
    one.converge(**task(src(archive)))
    member = package.directory / changed
    content = member.read_bytes()
    member.write_bytes(content.replace(b"A virtual machine", b"a virtual machine") if changed.endswith(".ovf")
                       else content[:-1] + bytes([content[-1] ^ 1]))  # fmt: skip
    assert member.read_bytes() != content
    pack(package, archive)
    run = one.converge(**task(src(archive)))
    assert run.changed
    assert run.uploaded == ["rocky9.ova"]
    assert contents(one.sim, "rocky9") == kept_of(package)


@pytest.mark.parametrize(("purge_files", "purged"), [(None, True), (True, True), (False, False)])
def test_members_of_an_older_version_are_purged(
    one: Tasks, tmp_path: Path, purge_files: bool | None, purged: bool
) -> None:
    old = bare_package(tmp_path, disks=3)
    one.converge(**task(src(pack(old, tmp_path / "rocky9.ova"))))
    hold(one.sim, {"note.txt": b"by hand"}, "rocky9")
    new = bare_package(tmp_path, disks=1)
    options: dict[str, Any] = {} if purge_files is None else {"purge_files": purge_files}
    run = one.converge(**task(src(pack(new, tmp_path / "rocky9.ova")), **options))
    assert run.changed
    gone = {"rocky9-disk2.vmdk", "rocky9-disk3.vmdk", "note.txt"}
    assert set(contents(one.sim, "rocky9")) == set(kept_of(new)) | (set() if purged else gone)
    assert {name: contents(one.sim, "rocky9")[name] for name in kept_of(new)} == kept_of(new)
    assert set(run.diff["after"]["item_content"]) == set(contents(one.sim, "rocky9"))
    assert set(run.result["files_removed"]) == (gone if purged else set())


def test_a_stray_file_alone_is_removed_without_sending_the_ova_again(
    one: Tasks, package: Package, archive: Path
) -> None:
    one.converge(**task(src(archive)))
    hold(one.sim, {"note.txt": b"by hand"}, "rocky9")
    run = one.converge(**task(src(archive)))
    assert run.changed
    assert run.uploaded == []
    assert contents(one.sim, "rocky9") == kept_of(package)


def test_an_ova_beside_another_file(one: Tasks, package: Package, archive: Path, tmp_path: Path) -> None:
    note = tmp_path / "release.txt"
    note.write_text("9.6")
    run = one.converge(**task(src(archive), src(note)))
    assert sorted(run.uploaded) == ["release.txt", "rocky9.ova"]
    assert contents(one.sim, "rocky9") == {**kept_of(package), "release.txt": b"9.6"}


def test_a_declared_checksum_of_an_ova_is_checked_here_as_the_server_takes_none(one: Tasks, archive: Path) -> None:
    """The API has no checksum for an OVA; one that was declared must stop the wrong file all the same."""
    wrong = {"checksum": hashlib.sha1(b"").hexdigest(), "checksum_algorithm": "SHA1"}
    run = one.run(**task(src(archive, **wrong)))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert hashlib.sha1(archive.read_bytes()).hexdigest() in run.msg
    assert wrong["checksum"] in run.msg
    assert run.sent("POST", "complete") == []
    assert update_states(one.sim) == {}
    assert contents(one.sim, "rocky9") == {}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_ova_that_has_its_declared_checksum_is_published(
    one: Tasks, package: Package, archive: Path, algorithm: str
) -> None:
    digest = hashlib.new(algorithm.lower(), archive.read_bytes()).hexdigest()
    run = one.converge(**task(src(archive, checksum=digest, checksum_algorithm=algorithm)))
    assert "checksum_info" not in run.added[0]
    assert contents(one.sim, "rocky9") == kept_of(package)


# -- beside what else is declared, and in sessions that are there


def test_a_member_of_an_ova_cannot_be_declared_absent(one: Tasks, archive: Path) -> None:
    run = one.refuse(**task(src(archive), {"name": "rocky9.nvram", "state": "absent"}))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "rocky9.nvram is declared present and absent" in run.msg


def test_a_file_beside_an_ova_cannot_have_the_name_of_a_member(one: Tasks, package: Package, archive: Path) -> None:
    run = one.refuse(**task(src(archive), src(package.disks[0])))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "would both be named rocky9-disk1.vmdk" in run.msg


@pytest.mark.parametrize("state", ["active", "done"])
@pytest.mark.parametrize("there", [True, False], ids=["item holds it", "item is empty"])
def test_an_ova_in_a_found_session(one: Tasks, package: Package, archive: Path, state: str, there: bool) -> None:
    if there:
        one.run(**task(src(archive)))
    one.sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "rocky9")))
    predicted = one.run(check=True, **task(src(archive), state=state))
    run = one.run(**task(src(archive), state=state))
    assert not run.failed, run.msg
    assert predicted.diff == run.diff
    assert run.uploaded == ([] if there else ["rocky9.ova"])
    assert contents(one.sim, "rocky9") == (kept_of(package) if there or state == "done" else {})


def test_an_ova_that_a_found_session_has_received_is_completed_where_that_is_accepted(
    one: Tasks, package: Package, archive: Path
) -> None:
    one.run(**task(src(archive), state="active"))
    declared = task(src(archive), when_unverifiable="skip")
    predicted = one.run(check=True, **declared)
    run = one.run(**declared)
    assert not run.failed, run.msg
    assert predicted.diff == run.diff
    assert run.uploaded == []
    assert contents(one.sim, "rocky9") == kept_of(package)


def test_an_unknown_ova_in_a_found_session_is_not_taken_for_what_the_item_holds(
    one: Tasks, package: Package, archive: Path
) -> None:
    one.run(**task(src(archive)))
    one.sim.run(
        lambda store: store.seed_update_session(
            store.find_item_id("templates", "rocky9"), files={"rocky9.ova": b"another one"}
        )
    )
    run = one.run(**task(src(archive)))
    assert not run.failed, run.msg
    assert run.uploaded == ["rocky9.ova"]
    assert contents(one.sim, "rocky9") == kept_of(package)


def test_a_session_that_holds_another_descriptor_already_is_replaced(one: Tasks, package: Package) -> None:
    """vCenter takes no manifest after a descriptor, whoever brought it."""
    one.sim.run(
        lambda store: store.seed_update_session(
            store.find_item_id("templates", "rocky9"), files={"other.ovf": b"<Envelope/>"}
        )
    )
    run = one.run(**task(src(package.descriptor)))
    assert not run.failed, run.msg
    assert run.uploaded[:3] == ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
    assert contents(one.sim, "rocky9") == kept_of(package)


# -- what is no OVA


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, **fields: Any) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: Any) -> bytes:
    return header(name, len(content), kind, **fields) + padded(content)


def pax(records: dict[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    lines = b""
    for key, value in records.items():
        line = f" {key}={value}\n".encode()
        length = len(line) + 1
        while length != len(line) + len(str(length)):
            length = len(line) + len(str(length))
        lines += str(length).encode() + line
    return member("././@PaxHeader", lines, kind)


END = bytes(2 * BLOCK)
OVF = member("box.ovf", DESCRIPTOR)
VMDK = member("disk.vmdk", DISK)
MANIFEST = member("box.mf", b"SHA1(box.ovf)= 00\n")


def gnu_sparse(extended: int = 0) -> bytes:
    """One megabyte, of which the first block is stored, as GNU tar writes it; so many blocks of its map may follow."""
    block = bytearray(header("disk.vmdk", BLOCK, tarfile.GNUTYPE_SPARSE))
    block[386:410] = b"00000000000\x00" + b"00000001000\x00"
    block[410:434] = b"00004000000\x00" + b"00000000000\x00"
    block[483:495] = b"00004000000\x00"
    block[482] = extended > 0
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\x00 ".encode()
    extension = bytearray(b"00000000000\x00" * 42 + bytes(8))
    extension[504] = 1
    return bytes(block) + bytes(extension) * extended + bytes(BLOCK)


def claims(name: str, size: int) -> bytes:
    """The header of a member that is said to be larger than any file."""
    return header(name, size)


FORGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is not a whole tar archive"),
    "nothing but the end": (END, "does not start with an OVF descriptor"),
    "noise": (random.Random(3).randbytes(4096), "is not a whole tar archive"),
    "text": (b"<html>404</html>", "is not a whole tar archive"),
    "compressed": (gzip.compress(OVF + VMDK + END), "is not a whole tar archive"),
    "cut in the first header": (OVF[:300], "is not a whole tar archive"),
    "cut in the descriptor": (OVF[: BLOCK + 20], "is not a whole tar archive"),
    "cut in the header of the disk": (OVF + VMDK[:200], "is cut off or damaged after 'box.ovf'"),
    "cut after the header of the disk": (OVF + VMDK[:BLOCK], "is not a whole tar archive"),
    "cut in the disk": (OVF + VMDK[: BLOCK + 100], "is not a whole tar archive"),
    "cut before the disk": (OVF, "is cut off or damaged after 'box.ovf'"),
    "cut before the end": (OVF + VMDK, "is cut off or damaged after 'disk.vmdk'"),
    "cut in the header of the last member": (OVF + VMDK + MANIFEST[:100], "is cut off or damaged after 'disk.vmdk'"),
    "damaged header of the last member": (
        OVF + VMDK + MANIFEST[:100] + b"7" + MANIFEST[101:] + END,
        "is cut off or damaged after 'disk.vmdk'",
    ),
    "noise after the disk": (
        OVF + VMDK + random.Random(4).randbytes(4096),
        "is cut off or damaged after 'disk.vmdk'",
    ),
    "cut in the end, with a disk that claims more": (OVF + claims("disk.vmdk", 1 << 30) + END, "not a whole tar"),
    "disk of more bytes than can be counted": (OVF + claims("disk.vmdk", 1 << 80) + END, "not a whole tar"),
    "disk of a negative size": (OVF + claims("disk.vmdk", -512) + END, "not a plain file"),
    "headers without an end": (OVF + member("x", kind=tarfile.XHDTYPE) * 2000 + VMDK + END, "a header is too large"),
    "long names without an end": (
        OVF + member("x", b"x" * 200 + b"\0", tarfile.GNUTYPE_LONGNAME) * 2000 + VMDK + END,
        "a header is too large",
    ),
    "sparse file of GNU without an end": (OVF + gnu_sparse(extended=200) + END, "a header is too large"),
    "headers for all members": (
        OVF + pax({str(number): "x" for number in range(101)}, tarfile.XGLTYPE) + VMDK + END,
        "a header for all members is too large",
    ),
    "descriptor that is too long": (member("box.ovf", bytes(4 << 20) + DESCRIPTOR) + VMDK + END, "where an OVF"),
    "two references to one file": (
        member("box.ovf", DESCRIPTOR.replace(b"<File href='disk.vmdk'/>", b"<File href='disk.vmdk'/>" * 2))
        + VMDK
        + END,
        "references 'disk.vmdk' twice",
    ),
    "size overridden by a pax header": (OVF + pax({"size": str(1 << 70)}) + VMDK + END, "not a whole tar"),
    "negative size in a pax header": (OVF + pax({"size": "-1024"}) + VMDK + END, "disk.vmdk"),
    "symbolic link": (
        OVF + member("disk.vmdk", kind=tarfile.SYMTYPE, linkname="/etc/passwd") + END,
        "not a plain file",
    ),
    "hard link": (OVF + member("disk.vmdk", kind=tarfile.LNKTYPE, linkname="box.ovf") + END, "not a plain file"),
    "link as descriptor": (
        member("box.ovf", kind=tarfile.SYMTYPE, linkname="/etc/hostname") + VMDK + END,
        "not a plain file",
    ),
    "character device": (OVF + member("disk.vmdk", kind=tarfile.CHRTYPE, devmajor=1, devminor=5) + END, "not a plain"),
    "block device": (OVF + member("disk.vmdk", kind=tarfile.BLKTYPE, devmajor=8) + END, "not a plain file"),
    "fifo": (OVF + member("disk.vmdk", kind=tarfile.FIFOTYPE) + END, "not a plain file"),
    "directory": (OVF + VMDK + member("more", kind=tarfile.DIRTYPE) + END, "not a plain file"),
    "sparse file of GNU": (OVF + gnu_sparse() + END, "not a plain file"),
    "sparse file of pax": (
        OVF + pax({"GNU.sparse.size": "1048576", "GNU.sparse.map": "0,1200"}) + VMDK + END,
        "not a plain file",
    ),
    "absolute name": (
        OVF + VMDK + member("/etc/cron.d/x", b"x") + END,
        "'/etc/cron.d/x', which is not a plain file name",
    ),
    "name with ../": (OVF + VMDK + member("../x", b"x") + END, "'../x', which is not a plain file name"),
    "name in a folder": (OVF + VMDK + member("a/x", b"x") + END, "'a/x', which is not a plain file name"),
    "name with a backslash": (OVF + VMDK + member("..\\x", b"x") + END, "which is not a plain file name"),
    "name of a URL": (OVF + VMDK + member("ds:x", b"x") + END, "which is not a plain file name"),
    "name with a line break": (OVF + VMDK + member("a\nb", b"x") + END, "which is not a plain file name"),
    "name that is no text": (OVF + VMDK + member("\udcff\udcfe", b"x") + END, "which is not a plain file name"),
    "name overridden by a pax header": (OVF + VMDK + pax({"path": "../x"}) + MANIFEST + END, "not a plain file name"),
    "long name with ../": (
        OVF + VMDK + member("././@LongLink", b"../" * 50 + b"x\x00", tarfile.GNUTYPE_LONGNAME) + MANIFEST + END,
        "not a plain file name",
    ),
    "descriptor not first": (VMDK + OVF + END, "does not start with an OVF descriptor"),
    "manifest first": (MANIFEST + OVF + VMDK + END, "does not start with an OVF descriptor"),
    "no descriptor": (VMDK + END, "does not start with an OVF descriptor"),
    "two descriptors of one name": (OVF + VMDK + OVF + END, "holds 'box.ovf' twice"),
    "two disks of one name": (OVF + VMDK + member("disk.vmdk", b"other") + END, "holds 'disk.vmdk' twice"),
    "missing reference": (OVF + MANIFEST + END, "lacks 'disk.vmdk', which its descriptor references"),
    "reference out of the archive": (
        member("box.ovf", DESCRIPTOR.replace(b"disk.vmdk", b"../disk.vmdk")) + VMDK + END,
        "references '../disk.vmdk', which is not a file beside it",
    ),
    "document type": (
        member("box.ovf", b'<!DOCTYPE Envelope [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + DESCRIPTOR) + VMDK + END,
        "DOCTYPE",
    ),
    "descriptor that is no XML": (member("box.ovf", b"not XML") + VMDK + END, "is not an OVF descriptor"),
    "descriptor without content": (member("box.ovf") + VMDK + END, "is not an OVF descriptor"),
    "descriptor that is cut": (member("box.ovf", DESCRIPTOR[:40]) + VMDK + END, "is not an OVF descriptor"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_is_no_whole_ova_is_an_error_before_a_session_is_made(one: Tasks, tmp_path: Path, case: str) -> None:
    content, said = FORGED[case]
    path = tmp_path / "box.ova"
    path.write_bytes(content)
    run = one.run(**task(src(path)))
    assert not run.mutations
    assert not run.changed
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert str(path) in run.msg
    assert said in run.msg
    assert re.search(r"(xport (it|the OVA|the package) again|Remove the DOCTYPE)", run.msg), "the remedy"


def test_the_pieces_that_the_forged_archives_are_made_of_are_an_ova(one: Tasks, tmp_path: Path) -> None:
    """What makes the table above a proof: nothing but the forgery is wrong with them."""
    path = tmp_path / "box.ova"
    path.write_bytes(OVF + VMDK + pax({"comment": "harmless"}) + member("box.txt", b"x") + END)
    one.converge(**task(src(path)))
    assert contents(one.sim, "rocky9") == {"box.ovf": DESCRIPTOR, "disk.vmdk": DISK, "box.txt": b"x"}


@pytest.mark.parametrize(
    "kind",
    [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE],
    ids=["long name", "long link", "pax", "pax, global"],
)
def test_a_header_that_claims_the_memory_of_the_host_is_refused_unread(one: Tasks, tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "box.ova"
    with path.open("wb") as stream:
        stream.write(OVF + header("././@LongLink", 1 << 28, kind))
        stream.truncate((1 << 28) + 8 * BLOCK)
    tracemalloc.start()
    run = one.refuse(**task(src(path)))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "is not a whole tar archive" in run.msg
    assert peak < 32 << 20


WIDE = pax({f"{number:04}": "x" for number in range(1200)})
MANY: dict[str, tuple[Callable[[int], bytes], int, str]] = {
    "members without content": (
        lambda number: header(f"{number}.txt", 0),
        12_000,
        "names more files than a task takes",
    ),
    "members of long names": (
        lambda number: pax({"path": f"{number}" + "x" * 10_000}) + header("x", 0),
        300,
        "names files by more characters than a task takes",
    ),
    "members of one name": (lambda _number: header("a.txt", 0), 5_000, "holds 'a.txt' twice"),
    "members of large headers": (lambda number: WIDE + header(f"{number}.txt", 0), 200, "is cut off or damaged"),
    "large headers for all members": (
        lambda number: pax({"a": "x" * 10_000}, tarfile.XGLTYPE) + header(f"{number}.txt", 0),
        300,
        "is cut off or damaged",
    ),
}


@pytest.mark.parametrize("case", waiting([(name, (name,), False) for name in MANY], one_in=2))
def test_an_archive_of_many_members_fills_no_memory(one: Tasks, tmp_path: Path, case: str) -> None:
    build, count, said = MANY[case]
    path = tmp_path / "box.ova"
    with path.open("wb") as stream:
        stream.write(OVF + VMDK)
        for number in range(count):
            stream.write(build(number))
        if "cut off" not in said:
            stream.write(END)
    tracemalloc.start()
    run = one.refuse(**task(src(path)))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert str(path) in run.msg
    assert said in run.msg
    assert peak < 32 << 20


def test_an_archive_is_read_no_further_than_a_task_takes_files(one: Tasks, tmp_path: Path) -> None:
    """What comes behind is read by nobody: it is no header, and not missed."""
    path = tmp_path / "box.ova"
    path.write_bytes(OVF + VMDK + b"".join(header(f"{number}.txt", 0) for number in range(10_000)) + b"noise" * 1000)
    assert "names more files than a task takes: 10000" in one.refuse(**task(src(path))).msg
