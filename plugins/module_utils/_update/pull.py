# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How vCenter fetches a file itself: the task has it probe the source, then announces the file."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable

from .._transfer.content import DESCRIPTOR_SET, NOT_KEPT, PullSource, Role, WantedFile, write_checksum
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import ApiError, NotFound, TransferFailed
from .._vcenter.models import ProbeResult, TransferEndpoint, UpdateFileAddition
from .._vcenter.remedies import needs

REFUSALS = ("INVALID_ARGUMENT", "INVALID_REQUEST", "UNEXPECTED_INPUT")
PROBE_SUCCESSES = ("SUCCESS", None)
PROBE_TYPES: Mapping[str, str] = {"CERTIFICATE_ERROR": "UNVERIFIED_PEER", "TIMED_OUT": "TIMED_OUT"}


def probe(updates: UpdateSessions, file: WantedFile) -> str | None:
    """Ask vCenter whether it can fetch a pulled file; returns a warning, or None. Servers without the operation pass.

    Raises TransferFailed with what vCenter found; its type is UNVERIFIED_PEER for a certificate that vCenter does not
    trust.
    """
    source = file.source
    if source is None:
        return None
    try:
        found = _probe_endpoint(updates, _endpoint(source, with_certificate=True)) if source.certificate else None
        if found is None or found.status not in PROBE_SUCCESSES:
            # A server that does not know the field may complain of the certificate, so the second answer counts.
            found = _probe_endpoint(updates, _endpoint(source, with_certificate=False)) or found
    except ApiError as error:
        _advise(error, file, source)
        raise
    if found is None or found.status in PROBE_SUCCESSES or _is_pinned(source, found):
        return _weakness(file, source, found)
    reasons = "; ".join(message.text for message in found.error_messages or () if message.text)
    raise TransferFailed(
        f"vCenter cannot fetch {file.origin}: {found.status}{f' ({reasons})' if reasons else ''}",
        error_type=PROBE_TYPES.get(found.status, "TRANSFER_FAILED"),
        messages=found.error_messages or (),
        remedy=_probe_remedy(found),
    )


def _weakness(file: WantedFile, source: PullSource, found: ProbeResult | None) -> str | None:
    """A warning of a SHA-1 thumbprint, if the vCenter is one of 9 or later, which answer with the certificate."""
    if not source.thumbprint or len(source.thumbprint) >= 64 or not found or not found.ssl_certificate:
        return None
    return f"The ssl_thumbprint of {file.name} is a SHA-1 one, which can be forged. This vCenter takes a SHA-256 one."


def _probe_endpoint(updates: UpdateSessions, endpoint: TransferEndpoint) -> ProbeResult | None:
    """What the server found, None if it does not know the operation or a field of the endpoint."""
    try:
        return updates.probe(endpoint)
    except ApiError as error:
        if isinstance(error, NotFound) or error.error_type in (*REFUSALS, "OPERATION_NOT_FOUND"):
            return None
        raise


def _is_pinned(source: PullSource, found: ProbeResult) -> bool:
    """Whether the server only complains of the declared certificate: some servers ignore the thumbprint in a probe."""
    pinned = _endpoint(source, with_certificate=False).ssl_certificate_thumbprint
    return found.status == "CERTIFICATE_ERROR" and pinned is not None and pinned in _presented(found)


def _presented(found: ProbeResult) -> tuple[str, ...]:
    """The thumbprints of the certificate that the server met, the strongest first."""
    try:
        der = ssl.PEM_cert_to_DER_cert((found.ssl_certificate or "").strip())
    except ValueError:
        return (found.ssl_thumbprint,) if found.ssl_thumbprint else ()
    return _written(hashlib.sha256(der)), _written(hashlib.sha1(der, usedforsecurity=False))


def _written(digest: Any) -> str:
    """A digest as vCenter writes a thumbprint."""
    digits = digest.hexdigest().upper()
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))


def _advise(error: ApiError, file: WantedFile, source: PullSource) -> None:
    """Add a remedy to the server's refusal of a source, where one is known."""
    if error.error_type == "UNAUTHORIZED" and source.url.startswith("ds:"):
        error.remedy = (
            f"For {file.name}, which vCenter fetches from a datastore: {needs('ContentLibrary.ReadStorage')} Other "
            "files need ContentLibrary.UpdateSession alone."
        )
    elif error.error_type == "INTERNAL_SERVER_ERROR":
        error.remedy = (
            f"Check url of {file.name}: vCenter answers so to the URL of a directory, too. Else the log of its Content "
            "Library service says more."
        )
    elif source.thumbprint and error.error_type in REFUSALS:
        given, other = ("SHA-1", "SHA-256") if len(source.thumbprint) < 64 else ("SHA-256", "SHA-1")
        error.remedy = (
            f"If it is the {given} ssl_thumbprint of {file.name} that this vCenter refuses, give the {other} one: "
            "servers before 9 document SHA-1, later ones SHA-256."
        )


def _probe_remedy(found: ProbeResult) -> str:
    thumbprint = found.ssl_thumbprint or next(iter(_presented(found)), None)
    if found.status != "CERTIFICATE_ERROR" or not thumbprint:
        return "Check the URL as the vCenter sees it: its name service, its proxy, its trusted certificates."
    kind = {40: "SHA-1", 64: "SHA-256"}.get(len(thumbprint.replace(":", "")), "unknown")
    return (
        f"The server there presents a certificate with the {kind} thumbprint {thumbprint}. After checking with its "
        "owner that this is the right one, pass it as ssl_thumbprint, or the certificate as ssl_certificate."
    )


def _endpoint(source: PullSource, *, with_certificate: bool) -> TransferEndpoint:
    """The source for the API: with its certificate (9.0 and later), or its thumbprint, else the certificate's SHA-1."""
    if source.certificate and with_certificate:
        return TransferEndpoint(uri=source.url, ssl_certificate=source.certificate)
    thumbprint = source.thumbprint
    if source.certificate:
        der = ssl.PEM_cert_to_DER_cert(source.certificate.strip())
        thumbprint = _written(hashlib.sha1(der, usedforsecurity=False))
    return TransferEndpoint(uri=source.url, ssl_certificate_thumbprint=thumbprint)


def in_order(files: Sequence[WantedFile]) -> tuple[list[WantedFile], list[WantedFile]]:
    """The files that go one by one and before all else, and those that go then, at once.

    With a descriptor that it fetches, vCenter at once fetches what the descriptor references. So the other files that
    it shall fetch are announced before the descriptor. Then it fetches them from where the user says, compares their
    checksums, and need not fetch them twice.
    """
    signature = [file for file in files if file.role in NOT_KEPT]
    descriptors = [file for file in files if file.role is Role.DESCRIPTOR]
    rest = [file for file in files if file.role not in DESCRIPTOR_SET]
    early = [file for file in rest if file.source] if any(file.source for file in descriptors) else []
    return [*signature, *early, *descriptors], [file for file in rest if file not in early]


def announce(
    updates: UpdateSessions, session_id: str, file: WantedFile, source: PullSource, on_change: Callable[[str], None]
) -> None:
    """Add a file to a session for vCenter to fetch. Raises `ApiError` with a remedy for the source."""
    addition = UpdateFileAddition(name=file.name, source_type="PULL", checksum_info=write_checksum(file.checksum))
    if not (source.certificate and _add_with_certificate(updates, session_id, addition, source)):
        endpoint = _endpoint(source, with_certificate=False)
        try:
            updates.add_file(session_id, replace(addition, source_endpoint=endpoint))
        except ApiError as error:
            _advise(error, file, source)
            raise
    on_change(f"file {file.name} was added, to be pulled")


def _add_with_certificate(
    updates: UpdateSessions, session_id: str, addition: UpdateFileAddition, source: PullSource
) -> bool:
    """Add a file with its certificate; False if the server is older and refuses the field, or drops it."""
    endpoint = _endpoint(source, with_certificate=True)
    try:
        added = updates.add_file(session_id, replace(addition, source_endpoint=endpoint))
    except ApiError as error:
        if error.error_type in REFUSALS:
            return False
        raise
    return bool(added.source_endpoint and added.source_endpoint.ssl_certificate)
