# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manifest: what vCenter would refuse of it after the upload is refused before a session, or as the bytes go out."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, hold, update_states
from tests.harness.packages import BARE_DESCRIPTOR, sparse
from tests.harness.tasks import Tasks, src

DISK = b"disk" * 300
LARGE = 64 << 20
FORM = "{label}({name})= {digest}\n"


def line(name: str, content: bytes, form: str = FORM, label: str = "SHA256", algorithm: str | None = None) -> str:
    digest = hashlib.new((algorithm or label).lower(), content).hexdigest()
    return form.format(label=label, name=name, digest=digest, upper=digest.upper())


def task(path: Path, **options: Any) -> dict[str, Any]:
    return {"library": "templates", "library_item": "rocky9", "state": "done", "files": [src(path)], **options}


def in_directory(place: Path, manifest: str, disk: bytes = DISK, descriptor: bytes = BARE_DESCRIPTOR) -> Path:
    (place / "box.mf").write_bytes(manifest.encode())
    (place / "disk.vmdk").write_bytes(disk)
    (place / "box.ovf").write_bytes(descriptor)
    return place / "box.ovf"


def in_archive(place: Path, manifest: str, disk: bytes = DISK, descriptor: bytes = BARE_DESCRIPTOR) -> Path:
    members = {"box.ovf": descriptor, "box.mf": manifest.encode(), "disk.vmdk": disk}
    with tarfile.open(place / "box.ova", "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return place / "box.ova"


Shape = Callable[..., Path]
SHAPES = pytest.mark.parametrize("shape", [in_directory, in_archive], ids=["directory", "OVA"])
LINES = {
    "coreutils": ("{label} ({name}) = {digest}\n", "SHA256", "has a blank between SHA256 and the parenthesis"),
    "VirtualBox": ("{label} ({name})= {digest}\n", "SHA1", "has a blank between SHA1 and the parenthesis"),
    "OpenSSL 3": ("SHA2-256({name})= {digest}\n", "SHA256", "has the algorithm 'SHA2-256'"),
    "MD5": ("{label}({name})= {digest}\n", "MD5", "has the algorithm 'MD5'"),
    "lower case": ("sha256({name})= {digest}\n", "SHA256", "has the algorithm 'sha256'"),
    "sha256sum": ("{digest}  {name}\n", "SHA256", "and no entry such as SHA256(disk.vmdk)= 0a1b..."),
    "an empty line after each": ("{label}({name})= {digest}\n\n", "SHA256", "line 2 of"),
    "an empty line of Windows": ("{label}({name})= {digest}\r\n\r\n", "SHA256", "is empty"),
    "a digest of another algorithm": ("SHA512({name})= {digest}\n", "SHA256", "has no SHA512 digest of 128 hex digits"),
}


@SHAPES
@pytest.mark.parametrize("case", LINES)
def test_a_line_that_vcenter_does_not_take_is_refused(one: Tasks, tmp_path: Path, shape: Shape, case: str) -> None:
    form, label, said = LINES[case]
    path = shape(tmp_path, line("box.ovf", BARE_DESCRIPTOR, form, label) + line("disk.vmdk", DISK, form, label))
    run = one.refuse(**task(path))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert "box.mf" in run.msg


@pytest.mark.parametrize("case", LINES)
def test_without_the_check_the_task_warns_and_the_server_refuses(one: Tasks, tmp_path: Path, case: str) -> None:
    form, label, said = LINES[case]
    path = in_directory(tmp_path, line("disk.vmdk", DISK, form, label))
    run = one.run(**task(path, check_manifest=False))
    assert any(said in text for text in run.outcome.warnings)
    assert run.error["session_id"]
    assert contents(one.sim, "rocky9") == {}


@SHAPES
def test_digits_in_capitals_and_a_last_line_without_an_end_are_fine(one: Tasks, tmp_path: Path, shape: Shape) -> None:
    form = FORM.replace("digest", "upper")
    text = line("box.ovf", BARE_DESCRIPTOR, form) + line("disk.vmdk", DISK, form)
    run = one.run(**task(shape(tmp_path, text.rstrip())))
    assert run.changed, run.msg
    assert run.outcome.warnings == []
    assert set(contents(one.sim, "rocky9")) == {"box.ovf", "disk.vmdk"}


@SHAPES
@pytest.mark.parametrize("changed", ["box.ovf", "disk.vmdk"])
def test_a_file_that_differs_is_refused(one: Tasks, tmp_path: Path, shape: Shape, changed: str) -> None:
    text = line("box.ovf", BARE_DESCRIPTOR) + line("disk.vmdk", DISK)
    ovf = BARE_DESCRIPTOR + b"<!-- other -->" * (changed == "box.ovf")
    disk = DISK[::-1] if changed == "disk.vmdk" else DISK
    path = shape(tmp_path, text, disk, ovf)
    run = one.refuse(**task(path))
    says = hashlib.sha256(DISK if changed == "disk.vmdk" else BARE_DESCRIPTOR).hexdigest()
    has = hashlib.sha256(disk if changed == "disk.vmdk" else ovf).hexdigest()
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert changed in run.msg
    assert f"the manifest says SHA256 {says}, the file has {has}" in run.msg


def test_an_item_that_holds_the_files_is_left_alone_whatever_their_manifest_says(one: Tasks, tmp_path: Path) -> None:
    hold(one.sim, {"box.ovf": BARE_DESCRIPTOR, "disk.vmdk": DISK}, "rocky9")
    run = one.converge(**task(in_directory(tmp_path, "no manifest")))
    assert not run.changed


def test_a_name_does_not_take_a_changed_descriptor_off_its_manifest(one: Tasks, tmp_path: Path) -> None:
    text = line("box.ovf", BARE_DESCRIPTOR) + line("disk.vmdk", DISK)
    path = in_directory(tmp_path, text, descriptor=BARE_DESCRIPTOR + b"<!-- other -->")
    assert one.refuse(**task(path, files=[src(path, name="golden.ovf")])).error["type"] == "CHECKSUM_MISMATCH"
    path.write_bytes(BARE_DESCRIPTOR)
    run = one.run(**task(path, files=[src(path, name="golden.ovf")]))
    assert run.changed
    assert "has an entry of box.ovf, which goes into the item as golden.ovf" in run.outcome.warnings[0]


@SHAPES
def test_entries_and_files_that_have_no_counterpart_are_named(one: Tasks, tmp_path: Path, shape: Shape) -> None:
    path = shape(tmp_path, line("disk.vmdk", DISK) + line("gone.vmdk", DISK))
    run = one.run(**task(path))
    assert run.changed
    warnings = "\n".join(run.outcome.warnings)
    assert "has entries of files that are not declared: 'gone.vmdk'" in warnings
    assert "has no entry of 'box.ovf'" in warnings
    assert one.run(**task(path)).outcome.warnings == []


@SHAPES
def test_a_large_disk_is_compared_while_it_is_sent(one: Tasks, tmp_path: Path, shape: Shape) -> None:
    disk = sparse(tmp_path / "large", LARGE).read_bytes()
    wrong = shape(tmp_path, line("box.ovf", BARE_DESCRIPTOR) + line("disk.vmdk", DISK), disk)
    run = one.run(**task(wrong))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert f"the manifest says SHA256 {hashlib.sha256(DISK).hexdigest()}" in run.msg
    assert run.sent("POST", "complete") == []
    assert update_states(one.sim) == {}
    unchecked = one.run(**task(wrong, check_manifest=False))
    assert unchecked.error["type"] == "TRANSFER_FAILED"
    assert unchecked.uploaded[-1] in ("disk.vmdk", "box.ova")
    right = shape(tmp_path, line("box.ovf", BARE_DESCRIPTOR) + line("disk.vmdk", disk), disk)
    assert one.run(**task(right)).changed


HARMFUL = {
    "blanks without an end": ("SHA256(a)=" + " " * (3 << 20) + "x", "and no entry such as"),
    "parentheses without an end": ("SHA256" + "(" * (3 << 20), "and no entry such as"),
    "closed without an end": ("SHA256(" + ") " * (1 << 20), "and no entry such as"),
    "a long name": ("SHA256(" + "x" * (3 << 20) + ")= 0", "has no SHA256 digest of 64 hex digits"),
    "too many bytes": ("\n" * (5 << 20), "a manifest has at most 4194304"),
    "no text": ("\0\x1b[2J", r"line 1 of"),
}


@SHAPES
@pytest.mark.parametrize("case", HARMFUL)
def test_a_manifest_that_was_made_to_harm_is_refused(one: Tasks, tmp_path: Path, shape: Shape, case: str) -> None:
    text, said = HARMFUL[case]
    run = one.refuse(**task(shape(tmp_path, text)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert len(run.msg) < 2000
    assert "\x1b" not in run.outcome.stdout
