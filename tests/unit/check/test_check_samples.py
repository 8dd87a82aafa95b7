# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a trial publishes is what it claims to be, though nobody signs it anew: a package whose signature fits."""

from __future__ import annotations

import hashlib
import io
import re
import ssl
import tarfile
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from ansible_collections.vsphere.content.plugins.module_utils._check import marks, samples
from ansible_collections.vsphere.content.plugins.module_utils._check.made import read_time
from ansible_collections.vsphere.content.plugins.module_utils._check.presented import issuer_of

OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"


def test_the_signature_fits_the_manifest_and_its_certificate() -> None:
    text = samples.certificate().decode()
    line, pem = text.split("\n", 1)
    found = re.fullmatch(r"SHA256\(check\.mf\)= ([0-9a-f]+)", line)
    assert found
    certificate = load_pem_x509_certificate(pem.encode())
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(bytes.fromhex(found.group(1)), samples.manifest(), padding.PKCS1v15(), hashes.SHA256())
    assert certificate.issuer == certificate.subject
    assert certificate.not_valid_after_utc > datetime(2045, 1, 1, tzinfo=timezone.utc)


def test_the_issuer_of_a_certificate_is_read_and_half_of_one_is_refused() -> None:
    der = ssl.PEM_cert_to_DER_cert(samples.certificate().decode().split("\n", 1)[1].strip())
    assert issuer_of(der) == "A check that nobody should trust"
    for length in range(len(der)):
        with pytest.raises(ValueError, match=r"cut off|no certificate"):
            issuer_of(der[:length])


def test_the_manifest_fits_the_files() -> None:
    assert samples.manifest().decode().splitlines() == [
        f"SHA256({name})= {hashlib.sha256(content).hexdigest()}"
        for name, content in (("check.ovf", samples.descriptor()), ("check-disk1.vmdk", samples.disk()))
    ]


def test_the_descriptor_references_the_disk_alone() -> None:
    files = list(ElementTree.fromstring(samples.descriptor()).iter(f"{OVF}File"))
    assert [(file.get(f"{OVF}href"), file.get(f"{OVF}size")) for file in files] == [
        ("check-disk1.vmdk", str(len(samples.disk())))
    ]


def test_the_image_is_a_volume_and_the_disk_a_stream() -> None:
    assert samples.iso()[32768:32775] == b"\x01CD001\x01"
    assert len(samples.iso()) % 2048 == 0
    assert samples.disk()[:4] == b"KDMV"
    # The footer repeats the header, with the place of the directory.
    assert samples.disk()[-1024:-1020] == b"KDMV"


def test_the_ova_begins_with_its_descriptor() -> None:
    with tarfile.open(fileobj=io.BytesIO(samples.ova())) as archive:
        names = archive.getnames()
    assert names == ["check.ovf", "check-disk1.vmdk", "check-extra.txt"]
    assert set(names) < samples.OWN_NAMES


NOW = datetime(2026, 11, 30, 12, 0, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("kind", marks.KINDS)
@pytest.mark.parametrize("is_long", [False, True])
def test_marks_are_read_as_they_were_written(kind: str, is_long: bool) -> None:
    made = marks.new_marks(NOW)
    name = made.name(kind, is_long=is_long)
    assert (len(name) > 80) is is_long
    assert marks.read_marks(name, made.description) == made
    assert made.began == NOW


def test_no_two_trials_have_the_same_marks() -> None:
    first, second = marks.new_marks(NOW), marks.new_marks(NOW)
    assert first != second
    assert marks.read_marks(first.name("iso"), second.description) is None
    assert marks.read_marks(first.name("iso"), None) is None
    assert marks.read_marks(None, first.description) is None
    assert marks.read_marks(first.name("iso").replace("20261130", "20269930"), first.description) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-30T12:00:05Z", 0),
        ("2026-11-30T12:00:05.500Z", 0.5),
        ("2026-11-30T12:00:05.250000000Z", 0.25),
        ("2026-11-30 12:00:05", None),
        ("2026-13-30T12:00:05Z", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_the_api(text: str | None, seconds: float | None) -> None:
    assert read_time(text) == (None if seconds is None else NOW + timedelta(seconds=seconds))
