# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vCenter finds in a signed package before it imports it: certificate, chain, warnings, broken signatures.

It raises these warnings: UNTRUSTED_CERTIFICATE (the chain does not end in a trusted root), with it
SELF_SIGNED_CERTIFICATE if the signer has issued the certificate to itself, EXPIRED_CERTIFICATE and
NOT_YET_VALID_CERTIFICATE. If the signature does not fit the manifest, or a digest does not fit its file, the file goes
to ERROR instead.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Optional

from .descriptor import manifest_digests
from .errors import CLS, Message, message
from .facts import follows

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

    from .seed import Seed

SIGNATURE_LINE = re.compile(r"^(SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*$", re.MULTILINE)
PEM_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
BARE = {
    "SELF_SIGNED_CERTIFICATE": ("CERTIFICATE_SELF_SIGNED", "The certificate is self-signed."),
    "UNTRUSTED_CERTIFICATE": ("CERTIFICATE_UNTRUSTED", "The certificate is not trusted."),
    "EXPIRED_CERTIFICATE": ("CERTIFICATE_EXPIRED", "The certificate has expired."),
    "NOT_YET_VALID_CERTIFICATE": ("CERTIFICATE_NOT_YET_VALID", "The certificate is not yet valid."),
}
TEXTS = {
    "SELF_SIGNED_CERTIFICATE": "The OVF package is signed with the self-signed certificate {0}.",
    "UNTRUSTED_CERTIFICATE": "The OVF package is signed with the certificate {0}, whose issuer {1} is not trusted.",
    "EXPIRED_CERTIFICATE": "The OVF package is signed with the certificate {0}, which expired on {2}.",
    "NOT_YET_VALID_CERTIFICATE": "The OVF package is signed with the certificate {0}, which is not valid before {3}.",
}

DigestOf = Callable[[str, str], Optional[str]]


@dataclass(frozen=True)
class Finding:
    certificate_info: dict[str, Any] | None = None
    cert_chain: Sequence[str] = ()
    warnings: Sequence[tuple[str, Message]] = ()
    faults: Mapping[str, Message] = field(default_factory=dict)


def inspect(
    manifest: tuple[str, bytes] | None,
    certificate: tuple[str, bytes] | None,
    digest_of: DigestOf,
    seed: Seed,
    now: datetime.datetime,
) -> Finding:
    faults: dict[str, Message] = {}
    if manifest is not None:
        faults.update(_digest_faults(manifest, digest_of))
    if certificate is None:
        return Finding(faults=faults)
    name, content = certificate
    try:
        chain, pems = _chain(content)
        _verify_signature(content, chain[0], manifest)
    except ValueError as error:
        faults[name] = message(
            CLS + "ovf_signature_invalid", "The signature in {0} is not valid: {1}", name, str(error)
        )
        return Finding(faults=faults)
    if seed.x509 == "none":
        return Finding(None, [], _warnings(chain, seed, now), faults)
    signer = chain[0]
    info = {
        "issuer": _name(signer.issuer),
        "subject": _name(signer.subject),
        "self_signed": _issued_by(signer, signer),
        "x509": _written(pems[0], seed.x509),
    }
    shown = [_written(pem, seed.chain) for pem in pems] if seed.chain != "absent" else []
    return Finding(info, shown, _warnings(chain, seed, now), faults)


@follows("java-style-names")
def _name(name: Name) -> str:
    from cryptography.x509.oid import NameOID

    return ", ".join(part.rfc4514_string({NameOID.EMAIL_ADDRESS: "EMAILADDRESS"}) for part in reversed(name.rdns))


@follows("chain-is-base64", "x509-form")
def _written(pem: str, form: str) -> str:
    return pem if form == "pem" else "".join(pem.splitlines()[1:-1])


def _digest_faults(manifest: tuple[str, bytes], digest_of: DigestOf) -> dict[str, Message]:
    try:
        digests = manifest_digests(manifest[1])
    except ValueError as error:
        return {
            manifest[0]: message(
                CLS + "ovf_manifest_invalid", "The manifest {0} is not valid: {1}", manifest[0], str(error)
            )
        }
    faults = {}
    for name, (algorithm, declared) in digests.items():
        actual = digest_of(name, algorithm)
        if actual is not None and actual != declared:
            faults[name] = message(
                CLS + "ovf_manifest_digest_mismatch",
                "The {0} digest of {1} does not match the manifest {2}.",
                algorithm,
                name,
                manifest[0],
            )
    return faults


def _chain(content: bytes) -> tuple[list[Certificate], list[str]]:
    from cryptography import x509  # only packages with a signature need it

    pems = [
        block if block.endswith("\n") else block + "\n"
        for block in PEM_BLOCK.findall(content.decode("utf-8", "replace"))
    ]
    if not pems:
        raise ValueError("there is no certificate")
    return [x509.load_pem_x509_certificate(pem.encode()) for pem in pems], pems


def _verify_signature(content: bytes, signer: Certificate, manifest: tuple[str, bytes] | None) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    match = SIGNATURE_LINE.search(content.decode("utf-8", "replace"))
    if match is None:
        raise ValueError("there is no signature line")
    if manifest is None or match.group(2) != manifest[0]:
        raise ValueError(f"the manifest {match.group(2)} that it signs is missing")
    algorithm = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256(), "SHA512": hashes.SHA512()}[match.group(1)]
    key = signer.public_key()
    try:
        signature = bytes.fromhex(match.group(3))
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, manifest[1], padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, manifest[1], ec.ECDSA(algorithm))
        else:
            raise ValueError("its kind of key is not supported")
    except InvalidSignature:
        raise ValueError(f"it does not match the manifest {manifest[0]}") from None


def _issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@follows("self-signed-raises-two-warnings")
def _warnings(chain: Sequence[Certificate], seed: Seed, now: datetime.datetime) -> list[tuple[str, Message]]:
    from cryptography import x509

    roots = [x509.load_pem_x509_certificate(pem.encode()) for pem in seed.trusted_roots]
    signer = chain[0]
    raised = []
    if not _trusted(chain, roots):
        raised += ["SELF_SIGNED_CERTIFICATE"] if _issued_by(signer, signer) else []
        raised.append("UNTRUSTED_CERTIFICATE")
    not_before, not_after = _validity(signer)
    if now > not_after:
        raised.append("EXPIRED_CERTIFICATE")
    if now < not_before:
        raised.append("NOT_YET_VALID_CERTIFICATE")
    tell = _bare_message if seed.warning_texts == "bare" else _warning_message
    return [(kind, tell(kind, signer, now)) for kind in raised]


def _trusted(chain: Sequence[Certificate], roots: Sequence[Certificate]) -> bool:
    for certificate, issuer in zip(chain, chain[1:]):
        if certificate in roots:
            return True
        if not _issued_by(certificate, issuer):
            return False
    last = chain[-1]
    return last in roots or any(_issued_by(last, root) for root in roots)


def _validity(certificate: Certificate) -> tuple[datetime.datetime, datetime.datetime]:
    utc = datetime.timezone.utc
    try:
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except AttributeError:  # cryptography before 42 knows only naive dates
        return certificate.not_valid_before.replace(tzinfo=utc), certificate.not_valid_after.replace(tzinfo=utc)


@follows("warnings-are-bare")
def _bare_message(kind: str, _signer: Certificate, _now: datetime.datetime) -> Message:
    name, text = BARE[kind]
    return message(f"com.vmware.vdcs.vsphere-cs-lib.{name}", text)


@follows("messages-may-be-localized")
def _warning_message(kind: str, signer: Certificate, now: datetime.datetime) -> Message:
    not_before, not_after = _validity(signer)
    subject, issuer = _name(signer.subject), _name(signer.issuer)
    texts = (subject, issuer, not_after.isoformat(), not_before.isoformat())
    name = kind.lower()
    return message(
        CLS + f"preview_warning_{name}",
        TEXTS[kind],
        *texts,
        params={
            "subject": {"s": subject},
            "issuer": {"s": issuer},
            "not_after": {"dt": _stamp(not_after), "format": "MED_DATE"},
            "not_before": {"dt": _stamp(not_before), "format": "MED_DATE"},
            "days_left": {"d": round((not_after - now).total_seconds() / 86400, 1), "precision": 1},
            "serial_bits": {"i": signer.serial_number.bit_length()},
            "reason": {"l": {"id": CLS + f"{name}_reason", "params": {"subject": {"s": subject}}}},
        },
        localized=TEXTS[kind].format(*texts),
    )


def _stamp(date: datetime.datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
