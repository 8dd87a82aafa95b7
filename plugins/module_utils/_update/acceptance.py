# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the preview of a session is accepted: who has signed the package, and which warnings it raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._session.arrival import SIGNER_WARNINGS, await_preview
from .._task.progress import Progress
from .._transfer.content import Wanted
from .._transfer.signer import certificates_of, signer_in, signers_in
from .._vcenter.api import UpdateSessions
from .._vcenter.errors import SignerNotAccepted, WarningsNotIgnored
from .._vcenter.models import PreviewWarning, UpdateSession
from .._vcenter.schema import to_result
from .._vcenter.timing import Clock
from .session_record import SessionRecord
from .session_values import ignore_warnings


@dataclass
class Acceptance:
    """Judges the preview of one session; `signer` is the accepted one, None if the task names none."""

    updates: UpdateSessions
    session_id: str
    signer: str | None
    wanted: Wanted | None
    record: SessionRecord
    wait_timeout: float
    clock: Clock
    progress: Progress
    _is_told: bool = False

    def require(self) -> UpdateSession:
        """Wait for the preview, and require that the task accepts it; returns the session.

        Raises SignerNotAccepted or WarningsNotIgnored.
        """
        with self.progress.waiting("vCenter to prepare the preview"):
            session = await_preview(self.updates, self.session_id, wait_timeout=self.wait_timeout, clock=self.clock)
        if self.signer:
            self._require_signer(session, self.signer)
        _require_accepted_warnings(session, SIGNER_WARNINGS if self.signer else ())
        if session.preview_info and not self._is_told:
            self._is_told = True
            kinds = [warning.type for warning in session.preview_info.warnings or ()]
            self.progress.step(f"preview seen{', ignored: ' if kinds else ''}{', '.join(kinds)}")
        return session

    def confirm(self) -> UpdateSession:
        """Do the same right before the completion, then have the session ignore the warnings about an accepted signer.

        The task sets that no earlier, as the session would ignore them about any other signer, too.
        """
        session = self.require()
        preview = session.preview_info
        raised = {warning.type for warning in (preview.warnings if preview else None) or ()}
        if not self.signer or raised <= set(session.ignored_warnings):
            return session
        return ignore_warnings(self.updates, self.session_id, sorted(raised), self.record)

    def _require_signer(self, session: UpdateSession, accepted: str) -> None:
        preview = session.preview_info
        shown = signer_in(preview)
        if shown == accepted or (shown is None and self._has_sent_certificate_of(accepted)):
            return
        certificate = preview.certificate_info if preview else None
        if shown:
            subject = f" ({certificate.subject})" if certificate and certificate.subject else ""
            said = f"the package in it is signed by {shown}{subject}, and accepted_signer is {accepted}"
            remedy = (
                "If you trust this signer, give its fingerprint as accepted_signer. Else do not publish the package."
            )
        elif self.record.is_ours:
            said = "vCenter shows no certificate to compare with accepted_signer"
            remedy = "Publish a signed package by src, so that the task can compare its .cert."
        else:
            said = "vCenter shows no certificate to compare with accepted_signer, and the session was found, not made"
            remedy = "End the session first, with state: absent. The task then compares what it sends into a new one."
        raise SignerNotAccepted(
            said,
            operation="update_session.accept",
            session_id=session.id,
            data={
                "accepted_signer": shown,
                "certificate_info": to_result(certificate) if certificate else None,
            },
            remedy=remedy,
        )

    def _has_sent_certificate_of(self, accepted: str) -> bool:
        """Whether nobody but the accepted signer can have signed, although the preview shows no certificate.

        The task has made the session, so it has sent its whole descriptor set into it. The one certificate there is the
        accepted one, and vCenter has compared the signature with it.
        """
        sent = certificates_of(self.wanted) if self.wanted and self.record.is_ours else ()
        return [signers_in(file) for file in sent] == [(accepted,)]


def _require_accepted_warnings(session: UpdateSession, accepted: Sequence[str]) -> None:
    """Raise WarningsNotIgnored if the preview holds a warning that neither the session ignores nor the task accepts."""
    preview = session.preview_info
    raised = [
        warning
        for warning in (preview.warnings if preview else None) or ()
        if warning.type not in (*session.ignored_warnings, *accepted) and not warning.ignored
    ]
    if not raised or not preview:
        return
    certificate, signer = preview.certificate_info, signer_in(preview)
    subject = f". The signer is {certificate.subject}" if certificate and certificate.subject else ""
    if signer and all(warning.type in SIGNER_WARNINGS for warning in raised):
        remedy = f'If you trust this signer, declare: accepted_signer: "{signer}"'
    else:
        entries = ", ".join(f"{{type: {warning.type}, ignored: true}}" for warning in raised)
        remedy = f"If you trust this package all the same, declare: warning_behavior: [{entries}]"
    raise WarningsNotIgnored(
        f"the task does not accept what vCenter raises: {', '.join(map(_describe_warning, raised))}{subject}",
        operation="update_session.accept",
        messages=[warning.message for warning in raised if warning.message],
        session_id=session.id,
        data={
            "warnings": [to_result(warning) for warning in raised],
            "certificate_info": to_result(certificate) if certificate else None,
            "accepted_signer": signer,
            "warning_behavior": [{"type": warning.type, "ignored": True} for warning in raised],
        },
        remedy=remedy,
    )


def _describe_warning(warning: PreviewWarning) -> str:
    """The type of a warning, which says it all about a signer; of other warnings the text, too."""
    text = warning.message.text.rstrip(".") if warning.message and warning.type not in SIGNER_WARNINGS else ""
    return f"{warning.type} ({text})" if text else warning.type
