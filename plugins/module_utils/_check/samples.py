# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial publishes: a small ISO, an OVF package with one empty disk, which is signed, and an OVA: pure.

To sign needs a library that this collection does not require. So the certificate and the signature of the manifest are
constants. Their key was made for them alone and thrown away; nobody trusts it, and the certificate is worth nothing.
All bytes of the package are fixed, as the signature fits no others.

Sources: ECMA-119 for the ISO; VMware's Virtual Disk Format 1.1 for the disk; DMTF DSP0243, OVF 1.1, for the package.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile

ISO_NAME, DESCRIPTOR_NAME, DISK_NAME = "check.iso", "check.ovf", "check-disk1.vmdk"
MANIFEST_NAME, CERTIFICATE_NAME = "check.mf", "check.cert"
OVA_NAME, EXTRA_NAME = "check.ova", "check-extra.txt"
OWN_NAMES = frozenset((ISO_NAME, DESCRIPTOR_NAME, DISK_NAME, MANIFEST_NAME, CERTIFICATE_NAME, OVA_NAME, EXTRA_NAME))
"""The names of all files that a trial may put into its items."""

_BLOCK, _SECTOR = 2048, 512
_DISK_SECTORS = 2048
_GRAIN, _TABLE_ENTRIES, _DESCRIPTOR_SECTORS = 128, 512, 20
_AT_END = 0xFFFFFFFFFFFFFFFF
_DIRECTORY_MARKER, _FOOTER_MARKER = 2, 3


def iso() -> bytes:
    """An empty volume: the system area, a primary descriptor and the terminator of the descriptors."""
    primary = bytearray(_BLOCK)
    primary[0:7] = b"\x01CD001\x01"
    primary[8:72] = b" " * 64
    primary[40:45] = b"CHECK"
    primary[80:88] = struct.pack("<I", 18) + struct.pack(">I", 18)
    primary[120:124] = struct.pack("<H", 1) + struct.pack(">H", 1)
    primary[124:128] = struct.pack("<H", 1) + struct.pack(">H", 1)
    primary[128:132] = struct.pack("<H", _BLOCK) + struct.pack(">H", _BLOCK)
    primary[881] = 1
    return bytes(16 * _BLOCK) + bytes(primary) + b"\xffCD001\x01".ljust(_BLOCK, b"\0")


def _disk_header(directory: int) -> bytes:
    numbers = (3, 0x30001, _DISK_SECTORS, _GRAIN, 1, _DESCRIPTOR_SECTORS, _TABLE_ENTRIES, 0, directory, _GRAIN)
    head = b"KDMV" + struct.pack("<IIQQQQIQQQ", *numbers) + struct.pack("<BccccH", 0, b"\n", b" ", b"\r", b"\n", 1)
    return head.ljust(_SECTOR, b"\0")


def _marker(sectors: int, kind: int) -> bytes:
    return struct.pack("<QII", sectors, 0, kind).ljust(_SECTOR, b"\0")


def disk() -> bytes:
    """A stream-optimized disk of 1 MiB in which nothing was ever written."""
    text = (
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        f'createType="streamOptimized"\n\n# Extent description\nRW {_DISK_SECTORS} SPARSE "{DISK_NAME}"\n\n'
        '# The Disk Data Base\n#DDB\n\nddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "1"\n'
        'ddb.geometry.heads = "64"\nddb.geometry.sectors = "32"\nddb.virtualHWVersion = "10"\n'
    )
    begin = _disk_header(_AT_END) + text.encode().ljust(_DESCRIPTOR_SECTORS * _SECTOR, b"\0")
    begin = begin.ljust(_GRAIN * _SECTOR, b"\0")
    # The directory of grains has one entry, for a table that is not there, as no grain is.
    directory = _marker(1, _DIRECTORY_MARKER) + bytes(_SECTOR)
    footer = _marker(1, _FOOTER_MARKER) + _disk_header(_GRAIN + 1)
    return begin + directory + footer + bytes(_SECTOR)


def descriptor() -> bytes:
    size = len(disk())
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
          xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
    <File ovf:id="file1" ovf:href="{DISK_NAME}" ovf:size="{size}"/>
  </References>
  <DiskSection>
    <Info>Virtual disks</Info>
    <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="{_DISK_SECTORS * _SECTOR}"
          ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <VirtualSystem ovf:id="check">
    <Info>A virtual machine that is never started</Info>
    <Name>check</Name>
    <OperatingSystemSection ovf:id="1"><Info>The guest</Info></OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>check</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:ElementName>1 virtual CPU</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>1</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:ElementName>32 MiB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>32</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:ElementName>SCSI controller</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>Hard disk 1</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
""".encode()


def manifest() -> bytes:
    listed = ((DESCRIPTOR_NAME, descriptor()), (DISK_NAME, disk()))
    return "".join(f"SHA256({name})= {hashlib.sha256(held).hexdigest()}\n" for name, held in listed).encode()


def certificate() -> bytes:
    """The signature of the manifest, and the certificate of who has signed it."""
    return f"SHA256({MANIFEST_NAME})= {_SIGNATURE}\n{_CERTIFICATE}".encode()


def ova() -> bytes:
    """The package as one file, unsigned, with a member that its descriptor does not reference."""
    held = io.BytesIO()
    members = ((DESCRIPTOR_NAME, descriptor()), (DISK_NAME, disk()), (EXTRA_NAME, b"Nothing references this file.\n"))
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()


_SIGNATURE = (
    "91367c5406a6cb9536fce2dbb5d1dac1df544fa4bdf4871b3e3e7d97d5fc3f6a3a140eb83ed302053cfe9979a88531c38d37"
    "f60d6f29c7743ad58c947d19ca6a89d7b6e1f1152d61f8f9609f61ced6bff95bdb570fe1563399c56b14f552ebf495111aa5"
    "a5f7770144e990ff60019fb8d0ca08af0ef1c05a1656380156cc739155711a5caa066f89b2f88706d0958343ac5910ef4313"
    "5e8b14ec80ddc955c66ea3c041dd2a1828cf80cc10da22c9769f899b5a3a4b1f91668d4cbc04cd702a0799164a1e200d20cb"
    "25f619df59455d61555352ac2a307ce9a53186b7ff54b9cf27ae290467a61ce159b80f780f8d69aa4c32efbfbe3715f11a10"
    "49e3e4c9fe86"
)
_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIDFTCCAf2gAwIBAgIBATANBgkqhkiG9w0BAQsFADBFMRgwFgYDVQQKDA92c3Bo
ZXJlLmNvbnRlbnQxKTAnBgNVBAMMIEEgY2hlY2sgdGhhdCBub2JvZHkgc2hvdWxk
IHRydXN0MB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTAwMDAwMFowRTEYMBYGA1UE
CgwPdnNwaGVyZS5jb250ZW50MSkwJwYDVQQDDCBBIGNoZWNrIHRoYXQgbm9ib2R5
IHNob3VsZCB0cnVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKtN
0KyT46U9uVzmguo5+eGd0+vtlMxuWod3v+q8xIvkHFBdMYbJHZrhncO038+3XhsT
VxMf5FHnKEovwgjuHqtxMBjLJt8/wklmJIbhXykbkuZO/k3UTfC+z193QD899hTm
I/5Zf7qstvGviucicIKTsoDPvaqMByaW7cu2MqDxcGIaDFcbN3cKVb0Sq3rP91nj
oD8yd0wimlxZtCNMt5TtkjnFO4Vp2GVGA0UQHjoRiTpCk+i+eVYfylYw87g3CajC
wK8EUww6U5d/XreALF2P8wsx1z3130PkydrLm04cL7sZ6NAuRBGlGj9fcl9URxVP
NJlzrnjBadTABTk9NU0CAwEAAaMQMA4wDAYDVR0TAQH/BAIwADANBgkqhkiG9w0B
AQsFAAOCAQEACzhbNFlFt2n6HjPxoTxfEUSzZ8rOOwGc4UjXvj8FlJDdIFCy+xn+
O7F7/70PmqJpngSU5lyb3VFtYgLulG76zlRWtBvipup+7z/L0dRBmEa5YiGjw9Pm
V0ZUvr3hktkDAimDPYSWUSlTsexHLngzpVjSu4+ptEUW5UTq0Nk2a9NC1Xr1Jg6d
jYKrs7rADtFPSSAU5dvvI7+wmgwu4b3eEhBMca63Ky1WzMvschxZaKcDQthGPJ8R
anBWTyqjTMB3mjMucqgBuzQF5Ta5IDnw0JEqhQynBaWG2inAHvgRFxTQZuDxMXEg
zOP0qeebayzLhJHx59oUCqtsahvYeXFUVA==
-----END CERTIFICATE-----
"""
