# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages that tests and the demo publish."""

from __future__ import annotations

import hashlib
import re
import struct
import tarfile
from pathlib import Path

import pytest

from tests.harness.packages import BARE_DESCRIPTOR, main, make_iso, make_ova, make_package, parse_size
from tests.simulator.descriptor import fetched_along, manifest_digests, require_importable, resolved


def test_a_package_is_consistent(tmp_path: Path) -> None:
    package = make_package(tmp_path, "web", disks=2, nvram=True, signed="untrusted")
    listed = resolved(package.descriptor.read_bytes(), ())
    assert listed == ["web-disk1.vmdk", "web-disk2.vmdk", "web.nvram"]
    digests = manifest_digests(package.manifest.read_bytes())
    assert sorted(digests) == sorted([*listed, "web.ovf"])
    for name, (algorithm, digest) in digests.items():
        assert (algorithm, digest) == ("SHA256", hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert [path.name for path in package.files] == ["web.mf", "web.cert", "web.ovf", *listed]
    assert str(package.root_pem) in (tmp_path / "web.cert").read_text()


def test_a_disk_looks_stream_optimized(tmp_path: Path) -> None:
    disk = make_package(tmp_path, disks=1, disk_bytes=300_000).disks[0].read_bytes()
    magic, _version, flags, capacity = struct.unpack_from("<4sIIQ", disk)
    assert (magic, bool(flags & 1 << 16), len(disk)) == (b"KDMV", True, 300_000)
    assert f'RW {capacity} SPARSE "rocky9-disk1.vmdk"'.encode() in disk[:4096]


def test_an_ova_starts_with_its_descriptor(tmp_path: Path) -> None:
    package = make_package(tmp_path, disks=1, signed="self-signed")
    with tarfile.open(make_ova(package, tmp_path / "x.ova")) as archive:
        assert archive.getnames() == ["rocky9.ovf", "rocky9.mf", "rocky9.cert", "rocky9-disk1.vmdk"]


def test_an_image_depends_on_its_seed(tmp_path: Path) -> None:
    first = make_iso(tmp_path / "a", 1_500_000, "s").read_bytes()
    assert make_iso(tmp_path / "b", 1_500_000, "s").read_bytes() == first
    assert make_iso(tmp_path / "c", 1_500_000, "t").read_bytes() != first
    assert len(first) == 1_500_000


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["iso", str(tmp_path / "a.iso"), "--size", "1MiB"]) == 0
    assert (tmp_path / "a.iso").stat().st_size == parse_size("1 MiB") == 1 << 20
    root = tmp_path / "root.pem"
    arguments = ["ovf", str(tmp_path / "p"), "--signed", "expired", "--root", str(root)]
    assert main([*arguments, "--ova", str(tmp_path / "x.ova")]) == 0
    assert root.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "rocky9.cert" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [{"signed": "maybe"}, {"tamper": "everything"}])
def test_unknown_kinds_are_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_package(tmp_path, signed=wrong.get("signed"), tamper=wrong.get("tamper"))


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("SHA256(a)= 0a", ""),
        ("SHA1(a)=0a\r", ""),
        ("SHA512(a (1))= 0A", ""),
        ("SHA256 (a)= 0a", "Invalid OVF checksum algorithm: SHA256 ."),
        ("SHA2-256(a)= 0a", "Invalid OVF checksum algorithm: SHA2-256."),
        ("MD5(a)= 0a", "Invalid OVF checksum algorithm: MD5."),
        ("", "Invalid OVF manifest entry: ."),
        ("0a  a", "Invalid OVF manifest entry: 0a  a."),
    ],
)
def test_a_manifest_is_read_as_strictly_as_by_a_vcenter(line: str, refused: str) -> None:
    text = f"SHA256(first)= 0b\n{line}\n".encode()
    if not refused:
        assert len(manifest_digests(text)) == 2
        return
    with pytest.raises(ValueError, match=re.escape(refused)):
        manifest_digests(text)


def test_a_package_with_a_compressed_disk_is_not_imported() -> None:
    text = BARE_DESCRIPTOR.replace(b"ovf:href=", b'ovf:compression="gzip" ovf:href=')
    with pytest.raises(ValueError, match="compressed disks is currently not supported"):
        require_importable(text)
    require_importable(text.replace(b"gzip", b"identity"))


def test_what_is_fetched_with_a_descriptor_lies_beside_it() -> None:
    text = BARE_DESCRIPTOR.replace(b'ovf:href="disk.vmdk"', b'ovf:href="my%20disk" ovf:size="3" ovf:chunkSize="2"')
    assert fetched_along(text, "https://mirror/vm/box.ovf?token=x", ()) == {
        "my disk.000000000": "https://mirror/vm/my%20disk.000000000",
        "my disk.000000001": "https://mirror/vm/my%20disk.000000001",
    }
    assert list(fetched_along(text, "https://mirror/vm/box.ovf", ["my disk.000000000"])) == ["my disk.000000001"]
