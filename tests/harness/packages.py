# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes content to publish: OVF packages (signed in each way that matters), OVAs and ISO images.

``python -m tests.harness.packages ovf DIR --signed self-signed`` and ``... iso PATH --size 1MiB`` do it from a shell.
The disks have a stream-optimized header and descriptor, so that servers which look into a disk accept them. The rest is
pseudo-random, so nothing boots from them.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import hashlib
import json
import random
import re
import struct
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate, Name

PathLike = Union[str, Path]

#: What a vCenter raises about a self-signed signer that it does not trust, and what accepts that.
SELF_SIGNED_RAISES = ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE")
ACCEPTED = [{"type": kind, "ignored": True} for kind in SELF_SIGNED_RAISES]

SIGNATURES = ("self-signed", "expired", "not-yet-valid", "untrusted", "trusted")
TAMPERINGS = ("descriptor", "disk", "manifest", "signature")
BLOCK = 1 << 20
SECTOR = 512
DESCRIPTOR_SECTORS = 20
GRAIN_SECTORS = 128
VMDK_FLAGS = 0x30001  # newline test, compressed grains, markers
#: A minimal descriptor.
BARE_DESCRIPTOR = (
    b'<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
    b'<References><File ovf:id="f" ovf:href="disk.vmdk"/></References></Envelope>'
)
UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


@dataclass(frozen=True)
class Package:
    """The paths of the files of an OVF package; ``root_pem`` is the authority of its certificate, if it has one."""

    descriptor: Path
    manifest: Path
    certificate: Path | None
    disks: tuple[Path, ...]
    nvram: Path | None
    root_pem: str | None

    @property
    def directory(self) -> Path:
        return self.descriptor.parent

    @property
    def name(self) -> str:
        return self.descriptor.stem

    @property
    def references(self) -> tuple[Path, ...]:
        return self.disks + ((self.nvram,) if self.nvram else ())

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, in the order in which a server wants them."""
        signed = (self.certificate,) if self.certificate else ()
        return (self.manifest, *signed, self.descriptor, *self.references)


def certificate_in(signature: Path) -> str:
    """The certificate of the signer in a `.cert`, as PEM text."""
    end = "-----END CERTIFICATE-----\n"
    text = signature.read_text(encoding="utf-8")
    return text[text.index("-----BEGIN") : text.index(end)] + end


def signer_in(signature: Path) -> str:
    """The SHA-256 fingerprint of that certificate, in upper-case hex digits with colons."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(certificate_in(signature).encode()).fingerprint(SHA256()).hex(":").upper()


def kept_of(package: Package) -> dict[str, bytes]:
    """What vCenter keeps of a package: all but its manifest and certificate."""
    return {path.name: path.read_bytes() for path in (package.descriptor, *package.references)}


def sparse(path: Path, size: int) -> Path:
    """A file of zeros that takes no place on the disk."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def make_package(
    directory: PathLike,
    name: str = "rocky9",
    disks: int = 2,
    disk_bytes: int = 200_000,
    nvram: bool = False,
    signed: str | None = None,
    tamper: str | None = None,
) -> Package:
    """Write a package whose manifest fits, unless ``tamper`` names the file to change afterwards.

    ``signed`` is None, ``self-signed``, or one of ``expired``, ``not-yet-valid``, ``untrusted`` and ``trusted``, which
    the root in ``root_pem`` issues. The last two differ only in whether the server trusts that root.
    """
    if signed is not None and signed not in SIGNATURES:
        raise ValueError(f"signed must be one of {', '.join(SIGNATURES)}, not {signed!r}")
    if tamper is not None and tamper not in TAMPERINGS:
        raise ValueError(f"tamper must be one of {', '.join(TAMPERINGS)}, not {tamper!r}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    disk_paths = tuple(folder / f"{name}-disk{number}.vmdk" for number in range(1, disks + 1))
    for path in disk_paths:
        write_disk(path, disk_bytes)
    nvram_path = folder / f"{name}.nvram" if nvram else None
    if nvram_path:
        make_iso(nvram_path, 8684, nvram_path.name)
    descriptor = folder / f"{name}.ovf"
    descriptor.write_text(_descriptor(name, disk_paths, nvram_path), encoding="utf-8")
    manifest = folder / f"{name}.mf"
    listed = (descriptor, *disk_paths, *((nvram_path,) if nvram_path else ()))
    manifest.write_text("".join(f"SHA256({path.name})= {_sha256(path)}\n" for path in listed), encoding="utf-8")
    certificate = folder / f"{name}.cert" if signed else None
    root_pem = _sign(manifest, certificate, signed) if certificate and signed else None
    package = Package(descriptor, manifest, certificate, disk_paths, nvram_path, root_pem)
    if tamper:
        _tamper(package, tamper)
    return package


def make_ova(package: Package, path: PathLike) -> Path:
    """The package as one archive: the descriptor first, then manifest and certificate, then the references."""
    signed = (package.certificate,) if package.certificate else ()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for member in (package.descriptor, package.manifest, *signed, *package.references):
            archive.add(member, member.name)
    return Path(path)


def make_iso(path: PathLike, size: int, seed: str = "") -> Path:
    """Write this many bytes, which depend only on the seed, without holding them in memory."""
    with open(path, "wb") as stream:
        for block in _noise(seed or Path(path).name, size):
            stream.write(block)
    return Path(path)


def write_disk(path: Path, size: int) -> None:
    overhead = (1 + DESCRIPTOR_SECTORS) * SECTOR
    sectors = max(GRAIN_SECTORS, -(-size // SECTOR))
    header = struct.pack("<4sIIQQQQIQQQBccccH", b"KDMV", 3, VMDK_FLAGS, sectors, GRAIN_SECTORS, 1, DESCRIPTOR_SECTORS,
                         512, 0, 0, 1 + DESCRIPTOR_SECTORS, 0, b"\n", b" ", b"\r", b"\n", 1)  # fmt: skip
    descriptor = (
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        f'createType="streamOptimized"\n\n# Extent description\nRW {sectors} SPARSE "{path.name}"\n\n'
        '# The Disk Data Base\n#DDB\n\nddb.adapterType = "lsilogic"\nddb.virtualHWVersion = "19"\n'
    )
    with path.open("wb") as stream:
        stream.write(header.ljust(SECTOR, b"\0"))
        stream.write(descriptor.encode().ljust(DESCRIPTOR_SECTORS * SECTOR, b"\0"))
        for block in _noise(path.name, max(0, size - overhead)):
            stream.write(block)


def parse_size(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text)
    if match is None or match.group(2).upper() not in UNITS:
        raise argparse.ArgumentTypeError(f"not a size: {text} (a number, with B, KiB, MiB or GiB)")
    return int(match.group(1)) * UNITS[match.group(2).upper()]


def _noise(seed: str, size: int) -> Iterator[bytes]:
    source = random.Random(seed)
    for start in range(0, size, BLOCK):
        yield source.randbytes(min(BLOCK, size - start))


def _descriptor(name: str, disks: tuple[Path, ...], nvram: Path | None) -> str:
    files = [(f"file{number}", path) for number, path in enumerate((*disks, *((nvram,) if nvram else ())), 1)]
    references = "\n".join(
        f'    <File ovf:id="{key}" ovf:href="{path.name}" ovf:size="{path.stat().st_size}"/>' for key, path in files
    )
    sections = "\n".join(
        f'    <Disk ovf:diskId="vmdisk{number}" ovf:fileRef="file{number}" ovf:capacity="1073741824"'
        ' ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>'
        for number, _path in enumerate(disks, 1)
    )
    drives = "\n".join(
        f"      <Item><rasd:AddressOnParent>{number - 1}</rasd:AddressOnParent>"
        f"<rasd:ElementName>Hard disk {number}</rasd:ElementName>"
        f"<rasd:HostResource>ovf:/disk/vmdisk{number}</rasd:HostResource>"
        f"<rasd:InstanceID>{number + 3}</rasd:InstanceID><rasd:Parent>3</rasd:Parent>"
        "<rasd:ResourceType>17</rasd:ResourceType></Item>"
        for number, _path in enumerate(disks, 1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
          xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
{references}
  </References>
  <DiskSection>
    <Info>Virtual disks</Info>
{sections}
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="VM Network"><Description>VM Network</Description></Network>
  </NetworkSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A virtual machine</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="80"><Info>Guest</Info></OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware</Info>
      <System><vssd:ElementName>Virtual Hardware Family</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-19</vssd:VirtualSystemType></System>
      <Item><rasd:ElementName>1 virtual CPU</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ElementName>512MB</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
      <Item><rasd:Address>0</rasd:Address><rasd:ElementName>SCSI controller</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType></Item>
{drives}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
"""


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


@functools.cache
def _key(_owner: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa  # unsigned packages and images need none of it

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def _root() -> Certificate:
    return _certificate("Golden Image Root CA", "Golden Image Root CA", "root", "root", (-3650, 3650), True)


def _certificate(
    subject: str, issuer: str, owner: str, signer: str, days: tuple[int, int], authority: bool
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(_key(owner).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(_key(signer), hashes.SHA256())
    )


def _name(common_name: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Corp"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _sign(manifest: Path, certificate: Path, signed: str) -> str | None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    days = {"expired": (-400, -30), "not-yet-valid": (30, 400)}.get(signed, (-1, 365))
    own_root = signed == "self-signed"
    subject = "Image Builder"
    signer = _certificate(
        subject,
        subject if own_root else "Golden Image Root CA",
        "signer",
        "signer" if own_root else "root",
        days,
        False,
    )
    signature = _key("signer").sign(manifest.read_bytes(), padding.PKCS1v15(), hashes.SHA256())
    chain = [signer] if own_root else [signer, _root()]
    pems = [entry.public_bytes(serialization.Encoding.PEM).decode() for entry in chain]
    certificate.write_text(f"SHA256({manifest.name})= {signature.hex()}\n" + "".join(pems), encoding="utf-8")
    return None if own_root else pems[-1]


def _tamper(package: Package, piece: str) -> None:
    if piece == "descriptor":
        _append(package.descriptor, b"<!-- changed -->\n")
    elif piece == "disk":
        _append(package.disks[0], b"changed")
    elif piece == "manifest":
        # It says the same, and is not what was signed.
        package.manifest.write_bytes(package.manifest.read_bytes().replace(b")= ", b")=", 1))
    elif package.certificate is not None:
        text = package.certificate.read_text(encoding="utf-8")
        position = text.index("= ") + 2
        other = "0" if text[position] != "0" else "1"
        package.certificate.write_text(text[:position] + other + text[position + 1 :], encoding="utf-8")


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(content)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.harness.packages", description=(__doc__ or "").splitlines()[0]
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    ovf = kinds.add_parser("ovf", help="an OVF package in a directory")
    ovf.add_argument("directory", type=Path)
    ovf.add_argument("--name", default="rocky9")
    ovf.add_argument("--disks", type=int, default=2)
    ovf.add_argument("--disk-size", type=parse_size, default=200_000)
    ovf.add_argument("--nvram", action="store_true")
    ovf.add_argument("--signed", choices=SIGNATURES)
    ovf.add_argument("--tamper", choices=TAMPERINGS)
    ovf.add_argument("--root", type=Path, help="write the authority's certificate there")
    ovf.add_argument("--ova", type=Path, help="also pack it into this archive")
    iso = kinds.add_parser("iso", help="an image of pseudo-random bytes")
    iso.add_argument("path", type=Path)
    iso.add_argument("--size", type=parse_size, default=1 << 20)
    iso.add_argument("--seed", default="", help="the same seed gives the same bytes (default: the file's name)")
    options = parser.parse_args(arguments)
    if options.kind == "iso":
        made = [make_iso(options.path, options.size, options.seed)]
    else:
        package = make_package(
            options.directory,
            options.name,
            options.disks,
            options.disk_size,
            options.nvram,
            options.signed,
            options.tamper,
        )
        made = list(package.files)
        if options.ova:
            made.append(make_ova(package, options.ova))
        if options.root and package.root_pem:
            options.root.write_text(package.root_pem, encoding="utf-8")
    print(json.dumps([str(path) for path in made]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
