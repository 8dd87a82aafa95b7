# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter says about a session before its completion: which files have arrived, and the preview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .._vcenter.api import UpdateSessions
from .._vcenter.errors import InvalidResponse, TransferFailed
from .._vcenter.models import UpdateFile, UpdateSession, WarningBehavior
from .._vcenter.timing import Clock
from .states import require_active
from .waiting import wait_for

PENDING_PREVIEWS = ("UNAVAILABLE", "PREPARING")
BEFORE_ARRIVAL = ("WAITING_FOR_TRANSFER", "TRANSFERRING")
ENDED_TRANSFERS = ("READY", "ERROR")
SIGNER_WARNINGS = (
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
)
"""What a preview raises about the certificate of a signer."""


def behaviors(ignored: Sequence[str]) -> tuple[WarningBehavior, ...]:
    return tuple(WarningBehavior(type=kind, ignored=True) for kind in ignored)


def require_warning_behavior(session: UpdateSession, ignored_warnings: Sequence[str]) -> None:
    """Require that the session ignores these warnings: servers have answered a change with success and ignored it.

    Raises InvalidResponse.
    """
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
    updates: UpdateSessions,
    session_id: str,
    names: Sequence[str],
    *,
    wait_timeout: float,
    clock: Clock,
    on_look: Callable[[Sequence[UpdateFile]], None],
) -> list[UpdateFile]:
    """Wait until the server has received the named files: after the answer to a PUT it may still process the file.

    A server without previews may never say that a pushed file has arrived. If such a server says nothing of a file for
    a while, the file counts as received; if it is missing, vCenter refuses the completion.

    `on_look` gets the files of the session after each read. Returns them at the end. Raises TransferFailed with the
    server's reason, or TimedOut.
    """
    patience = clock.now() + clock.timing.silent_file
    silent: set[str] = set()

    def read() -> list[UpdateFile]:
        files = updates.files(session_id)
        on_look(files)
        waiting = [file for file in files if file.name in names and file.status != "READY"]
        for file in waiting:
            if file.status == "ERROR":
                raise TransferFailed(
                    f"the server could not take {file.name}: {file.reason}",
                    operation="update_session.file.receive",
                    messages=file.messages,
                    session_id=session_id,
                )
        silent.clear()
        if waiting:
            session = updates.get(session_id)
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


def is_replaced(before: UpdateFile, now: UpdateFile | None) -> bool:
    """Whether somebody has put another file in the place of one that has arrived, or has removed it.

    vCenter may check a file again, and learn its size and checksum later. So what counts is another checksum, another
    size, or a transfer that has begun anew. A file that only counted as arrived may change.
    """
    if now is None or before.status != "READY":
        return now is None
    known, shown = before.checksum_info, now.checksum_info
    if known and shown and known.algorithm == shown.algorithm:
        return known.checksum.lower() != shown.checksum.lower()
    sized = before.size is not None and now.size is not None and before.size != now.size
    return sized or now.status in BEFORE_ARRIVAL


def _is_silent(file: UpdateFile) -> bool:
    return file.source_type == "PUSH" and file.status == "WAITING_FOR_TRANSFER" and not file.bytes_transferred


def keeps_silent(session: UpdateSession, files: Sequence[UpdateFile]) -> bool:
    """Whether a server without previews may still lack a pushed file without saying so."""
    return session.preview_info is None and any(
        file.source_type == "PUSH" and file.status not in ENDED_TRANSFERS for file in files
    )


def _describe_transfers(files: Sequence[UpdateFile], names: Sequence[str]) -> str:
    statuses = {file.name: f"{file.status}, {file.bytes_transferred or 0} bytes" for file in files}
    unfinished = [name for name in names if not statuses.get(name, "").startswith("READY")]
    return ", ".join(f"{name} ({statuses.get(name, 'not listed by the server')})" for name in unfinished)


def await_preview(updates: UpdateSessions, session_id: str, *, wait_timeout: float, clock: Clock) -> UpdateSession:
    """Wait for the preview of a session that has its descriptor, unless the server makes no previews."""
    patience = clock.now() + min(clock.timing.preview_unavailable, wait_timeout)

    def ready(session: UpdateSession) -> bool:
        state = session.preview_info.state if session.preview_info else None
        return state not in PENDING_PREVIEWS or (state == "UNAVAILABLE" and clock.now() >= patience)

    def read() -> UpdateSession:
        session = updates.get(session_id)
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
