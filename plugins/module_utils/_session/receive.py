# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter says of a session before it is completed: which files have arrived, the preview, and its warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .._vcenter.api import Api
from .._vcenter.errors import InvalidResponse, TransferFailed, WarningsNotIgnored
from .._vcenter.models import PreviewWarning, UpdateFile, UpdateSession, WarningBehavior, to_result
from .states import require_active
from .waiting import Clock, wait_for

UNAVAILABLE_SECONDS = 10.0
PENDING_PREVIEWS = ("UNAVAILABLE", "PREPARING")
# How long a server that knows no previews may say nothing of a file that it has answered for.
SILENT_SECONDS = 1.0
ENDED_TRANSFERS = ("READY", "ERROR")


def behaviors(ignored: Sequence[str]) -> tuple[WarningBehavior, ...]:
    return tuple(WarningBehavior(type=kind, ignored=True) for kind in ignored)


def require_warning_behavior(session: UpdateSession, ignored_warnings: Sequence[str]) -> None:
    """Servers have answered a change with success and not made it; a session must say itself what it ignores."""
    if session.ignored_warnings != tuple(sorted(ignored_warnings)):
        raise InvalidResponse(
            f"the server did not take warning_behavior: it ignores {_listed(session.ignored_warnings)}, "
            f"declared is {_listed(ignored_warnings)}",
            operation="update_session.update",
            session_id=session.id,
            remedy="This vCenter may be too old for warning_behavior (it came with 6.8): then leave the option out, "
            "and publish packages that raise no warning.",
        )


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"


def await_files(
    api: Api,
    session_id: str,
    names: Sequence[str],
    *,
    wait_timeout: float,
    clock: Clock,
    on_look: Callable[[Sequence[UpdateFile]], None],
) -> list[UpdateFile]:
    """Wait until the server has received the named files: an answered PUT is not yet a received file.

    Servers that know no previews need not say of a pushed file that it has arrived. One of which such a server says
    nothing at all for a while counts as received: if it is not, completing is refused.

    C(on_look) is told all files of the session each time they have been looked at.

    Returns all files of the session. Raises TransferFailed with the server's reason, or TimedOut.
    """
    patience = clock.now() + SILENT_SECONDS
    silent: set[str] = set()

    def read() -> list[UpdateFile]:
        files = api.list_update_files(session_id)
        on_look(files)
        waiting = [file for file in files if file.name in names and file.status != "READY"]
        for file in waiting:
            if file.status == "ERROR":
                reason = file.error_message.text if file.error_message else "the server gives no reason"
                raise TransferFailed(
                    f"the server could not take {file.name}: {reason}",
                    operation="update_session.file.receive",
                    session_id=session_id,
                )
        silent.clear()
        if waiting:
            session = api.get_update_session(session_id)
            require_active(session, "update_session.file.receive")
            if session.preview_info is None and clock.now() >= patience:
                silent.update(file.name for file in waiting if _is_silent(file))
        return files

    return wait_for(
        read,
        ready=lambda files: set(names) <= silent | {file.name for file in files if file.status == "READY"},
        signs=lambda files: [(file.name, file.status, file.bytes_transferred) for file in files],
        describe=lambda files: _describe_transfers(files, names),
        operation="update_session.file.receive",
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def _is_silent(file: UpdateFile) -> bool:
    return file.source_type == "PUSH" and file.status == "WAITING_FOR_TRANSFER" and not file.bytes_transferred


def keeps_silent(session: UpdateSession, files: Sequence[UpdateFile]) -> bool:
    """Whether a server that knows no previews may not have received all that was pushed, without saying so."""
    return session.preview_info is None and any(
        file.source_type == "PUSH" and file.status not in ENDED_TRANSFERS for file in files
    )


def _describe_transfers(files: Sequence[UpdateFile], names: Sequence[str]) -> str:
    statuses = {file.name: f"{file.status}, {file.bytes_transferred or 0} bytes" for file in files}
    unfinished = [name for name in names if not statuses.get(name, "").startswith("READY")]
    return ", ".join(f"{name} ({statuses.get(name, 'not listed by the server')})" for name in unfinished)


def await_preview(api: Api, session_id: str, *, wait_timeout: float, clock: Clock) -> UpdateSession:
    """Wait for the preview of a session that has its descriptor; a server that makes none is not waited for."""
    patience = clock.now() + min(UNAVAILABLE_SECONDS, wait_timeout)

    def ready(session: UpdateSession) -> bool:
        state = session.preview_info.state if session.preview_info else None
        return state not in PENDING_PREVIEWS or (state == "UNAVAILABLE" and clock.now() >= patience)

    def read() -> UpdateSession:
        session = api.get_update_session(session_id)
        require_active(session, "update_session.preview")
        return session

    return wait_for(
        read,
        ready=ready,
        signs=lambda session: session.preview_info,
        describe=lambda _session: "the preview is still being prepared",
        operation="update_session.preview",
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def require_accepted_warnings(session: UpdateSession) -> None:
    """Raise WarningsNotIgnored if the preview holds a warning that the session does not ignore."""
    preview = session.preview_info
    raised = [
        warning
        for warning in (preview.warnings if preview else None) or ()
        if warning.type not in session.ignored_warnings and not warning.ignored
    ]
    if not raised or not preview:
        return
    certificate = preview.certificate_info
    signer = (
        f" The certificate's subject is {certificate.subject}, its issuer {certificate.issuer}." if certificate else ""
    )
    entries = ", ".join(f"{{type: {warning.type}, ignored: true}}" for warning in raised)
    raise WarningsNotIgnored(
        "its preview raises what warning_behavior does not accept: "
        + "; ".join(_describe_warning(warning) for warning in raised)
        + f".{signer}",
        operation="update_session.preview",
        session_id=session.id,
        data={
            "warnings": [to_result(warning) for warning in raised],
            "certificate_info": to_result(certificate) if certificate else None,
            "warning_behavior": [{"type": warning.type, "ignored": True} for warning in raised],
        },
        remedy=f"If you trust this package all the same, declare it: warning_behavior: [{entries}].",
    )


def _describe_warning(warning: PreviewWarning) -> str:
    text = warning.message.text.rstrip(".") if warning.message else ""
    return f"{warning.type} ({text})" if text else warning.type
