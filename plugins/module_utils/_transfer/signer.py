# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has signed a package, by the SHA-256 fingerprint of the certificate in its `.cert` and in vCenter's preview.

A fingerprint is written in upper-case hex digits with colons. Source of what a `.cert` holds: DMTF DSP0243, OVF 1.1,
section 5.1: the signed digest of the manifest, then the certificate in PEM form.
"""

from __future__ import annotations

import binascii
import hashlib
import os
import re

from .._vcenter.errors import InvalidArgument, SignerNotAccepted
from .._vcenter.models import PreviewInfo
from .content import Role, Wanted, WantedFile
from .local_file import COMPARED, require_same
from .pull_source import read_certificate

CERTIFICATE_BYTES = 1024 * 1024
"""How many bytes a `.cert` may have; a signature and a chain of certificates take some thousands."""
PEM_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
DER_SEQUENCE = b"\x30"


def read_accepted_signer(text: str) -> str:
    """The fingerprint that the option `accepted_signer` names or is the certificate of. Raises InvalidArgument."""
    digits = re.sub(r"[:\s]", "", text)
    if re.fullmatch("[0-9A-Fa-f]{64}", digits):
        return _with_colons(digits)
    if re.fullmatch("[0-9A-Fa-f]{40}", digits):
        raise InvalidArgument(
            "accepted_signer is a SHA-1 fingerprint, and somebody can forge a certificate that has it, too",
            remedy="Give the SHA-256 fingerprint, as openssl x509 -noout -fingerprint -sha256 -in FILE shows it.",
        )
    if "-----BEGIN " not in text and not os.path.isabs(text):
        raise InvalidArgument(
            "accepted_signer is neither a SHA-256 fingerprint nor a certificate",
            remedy="Give 64 hex digits, with or without colons, or the certificate in PEM form, as text or as the "
            "absolute path of a file with it.",
        )
    (found,) = _fingerprints(read_certificate(text, "accepted_signer") or "")
    return found


def require_signed_by(wanted: Wanted, accepted: str) -> None:
    """Require that each local package has a certificate, and that each local certificate is the accepted signer's.

    Raises SignerNotAccepted, or InvalidArgument for a certificate that cannot be read.
    """
    listed = any(file.role is Role.CERTIFICATE for file in wanted.files)
    for file in wanted.files:
        if file.members:
            signed = any(part.role is Role.CERTIFICATE for part in file.members)
        else:
            signed = listed or not file.is_read
        if not signed:
            raise SignerNotAccepted(
                f"files: {file.origin} has no .cert, so nobody has signed it, and accepted_signer asks for a signer",
                data={"accepted_signer": None},
                remedy="Publish a signed package, or leave accepted_signer out.",
            )
    for file in certificates_of(wanted):
        found = signers_in(file)[0]
        if found != accepted:
            raise SignerNotAccepted(
                f"files: {file.origin} is the certificate of {found}, and accepted_signer is {accepted}",
                data={"accepted_signer": found},
                remedy="If you trust the signer of this package, give its fingerprint as accepted_signer. Else do not "
                "publish the package.",
            )


def certificates_of(wanted: Wanted) -> tuple[WantedFile, ...]:
    """The local certificates: files beside a descriptor, files that the user names, and members of an OVA."""
    return tuple(part for part in wanted.content if part.path and part.role is Role.CERTIFICATE)


def signers_in(file: WantedFile) -> tuple[str, ...]:
    """The fingerprints of the certificates in a local `.cert`. The first one is the signer's, others are of its chain.

    Raises InvalidArgument if it holds none, or something else in PEM form, and FileChanged.
    """
    path, size = str(file.path), file.size or 0
    text = ""
    if size <= CERTIFICATE_BYTES:
        if file.identity:
            require_same(path, file.identity, COMPARED)
        with open(path, "rb") as stream:
            stream.seek(file.offset)
            text = stream.read(size).decode("ascii", "replace")
    found = _fingerprints(text)
    if not found or len(found) != text.count("-----BEGIN "):
        raise InvalidArgument(
            f"files: {file.origin} is not a signature with certificates in PEM form, so nobody can tell who has signed",
            remedy="Sign the package again.",
        )
    return found


def signer_in(preview: PreviewInfo | None) -> str | None:
    """The fingerprint of the signer that a preview shows, None if it shows no certificate that can be read.

    No documentation says how vCenter writes a certificate, nor in which order it lists a chain. So the task reads PEM
    and bare base64, and of a chain only a single certificate.
    """
    if preview is None:
        return None
    chain = preview.cert_chain or ()
    shown = preview.certificate_info.x509 if preview.certificate_info else None
    for text in (shown, *(chain if len(chain) == 1 else ())):
        found = _fingerprints(text or "") or _fingerprint(text or "")
        if found:
            return found[0]
    return None


def _fingerprints(text: str) -> tuple[str, ...]:
    """Those of the certificates in a text with PEM blocks."""
    return tuple(found for block in PEM_CERTIFICATE.findall(text) for found in _fingerprint(block))


def _fingerprint(base64: str) -> tuple[str, ...]:
    """That of one certificate; nothing if the text is not one."""
    try:
        der = binascii.a2b_base64(base64)
    except ValueError:
        return ()
    return (_with_colons(hashlib.sha256(der).hexdigest()),) if der.startswith(DER_SEQUENCE) else ()


def _with_colons(digits: str) -> str:
    return ":".join(re.findall("..", digits.upper()))
