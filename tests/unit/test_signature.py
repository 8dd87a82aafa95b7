# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A signature is never left out silently: what lies beside a descriptor is sent with it, refused, or spoken of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import ACCEPTED, Package, make_package
from tests.harness.tasks import Run, Tasks


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """One disk, and a manifest that can take any name."""
    return make_package(tmp_path / "package", disks=1, disk_bytes=9000)


@pytest.fixture
def signed(tmp_path: Path) -> Package:
    return make_package(tmp_path / "signed", disks=1, disk_bytes=9000, signed="self-signed")


def task(*files: Path | dict[str, Any], **options: Any) -> dict[str, Any]:
    entries = [entry if isinstance(entry, dict) else {"src": str(entry)} for entry in files]
    fixed = {"library": "templates", "library_item": "rocky9", "state": "done", "warning_behavior": ACCEPTED}
    return {**fixed, "files": entries, **options}


def beside(package: Package, *names: str) -> None:
    for name in names:
        (package.directory / name).write_bytes(package.manifest.read_bytes() if package.manifest.exists() else b"x\n")


def refused(run: Run, *said: str) -> None:
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert run.exchanges == ()
    assert [text for text in said if text not in run.msg] == []


# -- which files are a descriptor's own


@pytest.mark.parametrize("name", ["rocky9.mf", "rocky9.MF", "ROCKY9.MF", "Rocky9.mf"])
def test_a_manifest_is_sent_under_its_own_name_in_any_case(one: Tasks, package: Package, name: str) -> None:
    package.manifest.rename(package.directory / name)
    run = one.converge(**task(package.descriptor))
    assert run.uploaded == [name, "rocky9.ovf", "rocky9-disk1.vmdk"]
    assert run.outcome.warnings == []


@pytest.mark.parametrize("name", ["rocky9.cert", "rocky9.CERT", "ROCKY9.Cert"])
def test_a_certificate_is_sent_under_its_own_name_in_any_case(one: Tasks, signed: Package, name: str) -> None:
    assert signed.certificate is not None
    signed.certificate.rename(signed.directory / name)
    run = one.converge(**task(signed.descriptor))
    assert run.uploaded == ["rocky9.mf", name, "rocky9.ovf", "rocky9-disk1.vmdk"]


def test_what_was_changed_after_the_manifest_in_upper_case_is_refused(one: Tasks, tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, disk_bytes=9000, tamper="disk")
    package.manifest.rename(tmp_path / "ROCKY9.MF")
    run = one.refuse(**task(package.descriptor))
    assert run.error["type"] == "CHECKSUM_MISMATCH"


def test_a_descriptor_in_upper_case_has_its_manifest(one: Tasks, package: Package) -> None:
    descriptor = package.descriptor.rename(package.directory / "ROCKY9.OVF")
    package.manifest.write_text(package.manifest.read_text().replace("rocky9.ovf", "ROCKY9.OVF"))
    package.manifest.rename(package.directory / "ROCKY9.MF")
    run = one.converge(**task(descriptor))
    assert run.uploaded == ["ROCKY9.MF", "ROCKY9.OVF", "rocky9-disk1.vmdk"]


@pytest.mark.parametrize("names", [("rocky9", "other"), ("rocky", "rocky9"), ("rocky.9", "rocky"), ("r.ovf", "r")])
def test_each_descriptor_of_a_directory_has_its_own_manifest(
    one: Tasks, tmp_path: Path, names: tuple[str, str]
) -> None:
    first, _second = (make_package(tmp_path, name, disks=1, disk_bytes=9000) for name in names)
    run = one.converge(**task(first.descriptor))
    assert run.uploaded == [path.name for path in first.files]
    assert run.outcome.warnings == []


def test_descriptors_that_differ_by_case_alone_have_the_manifest_in_their_case(one: Tasks, tmp_path: Path) -> None:
    lower, upper = (make_package(tmp_path, name, disks=1, disk_bytes=9000) for name in ("rocky9", "ROCKY9"))
    assert one.run(**task(lower.descriptor)).uploaded[0] == "rocky9.mf"
    upper.manifest.rename(tmp_path / "Rocky9.mf")
    refused(one.run(**task(upper.descriptor)), str(tmp_path / "Rocky9.mf"), "ROCKY9, rocky9", "base name")


def test_a_descriptor_under_another_name_keeps_the_manifest_of_its_file(one: Tasks, package: Package) -> None:
    package.manifest.write_text(package.manifest.read_text().replace("(rocky9.ovf)", "(golden.ovf)"))
    run = one.converge(**task({"src": str(package.descriptor), "name": "golden.ovf"}))
    assert run.uploaded == ["rocky9.mf", "golden.ovf", "rocky9-disk1.vmdk"]


# -- what cannot be told, or cannot be read


@pytest.mark.parametrize(("first", "second"), [("rocky9.mf", "rocky9.MF"), ("ROCKY9.cert", "rocky9.CERT")])
def test_two_files_for_one_place_are_refused(one: Tasks, package: Package, first: str, second: str) -> None:
    beside(package, first, second)
    run = one.refuse(**task(package.descriptor))
    refused(run, first, second, "may each be the")


@pytest.mark.parametrize("name", ["rocky9.mf", "ROCKY9.MF", "rocky9.cert", "Rocky9.CERT"])
@pytest.mark.parametrize("what", ["a directory", "a link to what is not there"])
def test_what_has_the_name_of_a_signature_and_is_none_is_refused(
    one: Tasks, package: Package, name: str, what: str
) -> None:
    if name.lower().endswith(".mf"):
        package.manifest.unlink()
    path = package.directory / name
    if what == "a directory":
        path.mkdir()
    else:
        path.symlink_to("store/rocky9")
    run = one.refuse(**task(package.descriptor))
    refused(run, str(path), what, "if the package is not signed")


def test_a_link_to_the_signature_is_followed(one: Tasks, package: Package) -> None:
    store = package.directory.with_name("store")
    store.mkdir()
    package.manifest.symlink_to(package.manifest.rename(store / "1234"))
    assert one.converge(**task(package.descriptor)).uploaded[0] == "rocky9.mf"


# -- what belongs to no descriptor there


@pytest.mark.parametrize("names", [["signed.mf"], ["Signed.MF"], ["signed.mf", "Signed.cert"], ["rocky9.ovf.mf"]])
def test_a_single_signature_of_no_descriptor_there_is_refused(one: Tasks, package: Package, names: list[str]) -> None:
    beside(package, *names)
    package.manifest.unlink()
    run = one.refuse(**task(package.descriptor))
    refused(run, *names, "has no manifest and no certificate of its own", "name it in files", "base name rocky9")


def test_a_certificate_of_no_descriptor_is_refused_beside_the_own_manifest(one: Tasks, package: Package) -> None:
    beside(package, "builder.cert")
    run = one.refuse(**task(package.descriptor))
    refused(run, "has no certificate of its own", "builder.cert")


def test_the_remedy_sends_the_signature(one: Tasks, package: Package) -> None:
    manifest = package.manifest.rename(package.directory / "signed.mf")
    run = one.converge(**task(package.descriptor, manifest))
    assert run.uploaded == ["signed.mf", "rocky9.ovf", "rocky9-disk1.vmdk"]
    assert run.outcome.warnings == []


def test_several_signatures_of_no_descriptor_are_a_warning(one: Tasks, package: Package) -> None:
    beside(package, "one.mf", "two.cert")
    package.manifest.unlink()
    run = one.converge(**task(package.descriptor))
    assert run.uploaded == ["rocky9.ovf", "rocky9-disk1.vmdk"]
    [text] = run.outcome.warnings
    assert "has no manifest and no certificate of its own, so it is published without" in text
    assert "one.mf, two.cert" in text


def test_a_package_that_has_its_own_is_not_asked_about_others(one: Tasks, signed: Package) -> None:
    beside(signed, "one.mf", "two.cert")
    run = one.converge(**task(signed.descriptor))
    assert run.uploaded == [path.name for path in signed.files]
    assert run.outcome.warnings == []


def test_what_is_no_signature_of_anything_is_left_alone(one: Tasks, package: Package) -> None:
    """A directory, a file without a base name, and one that the descriptor references."""
    package.manifest.unlink()
    (package.directory / "old.mf").mkdir()
    (package.directory / ".cert").write_bytes(b"x")
    disk = package.disks[0].rename(package.directory / "guest.cert")
    text = package.descriptor.read_text()
    package.descriptor.write_text(text.replace("rocky9-disk1.vmdk", disk.name))
    run = one.run(**task(package.descriptor), check=True)
    assert not run.failed, run.msg
    assert run.outcome.warnings == []


# -- what the user names


@pytest.mark.parametrize("form", ["by its path", "by another path", "under another name"])
def test_a_manifest_that_is_listed_is_sent_once(one: Tasks, package: Package, form: str) -> None:
    path, name = package.manifest, "rocky9.mf"
    entry: dict[str, Any] = {"src": str(path)}
    if form == "by another path":
        alias = package.directory.with_name("alias")
        alias.symlink_to(package.directory)
        entry = {"src": str(alias / name)}
    elif form == "under another name":
        path = path.rename(package.directory / "rocky9.MF")
        entry = {"src": str(path), "name": name}
    run = one.converge(**task(package.descriptor, entry))
    assert run.uploaded == [name, "rocky9.ovf", "rocky9-disk1.vmdk"]


def test_a_manifest_from_another_place_answers_for_the_descriptor(one: Tasks, package: Package) -> None:
    beside(package, "draft.mf")
    keys = package.directory.with_name("keys")
    keys.mkdir()
    run = one.converge(**task(package.descriptor, package.manifest.rename(keys / "release.mf")))
    assert run.uploaded == ["release.mf", "rocky9.ovf", "rocky9-disk1.vmdk"]
