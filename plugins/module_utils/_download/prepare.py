# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task has vCenter prepare files, so that it can fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .._session.lost_answers import noted
from .._session.states import ERROR
from .._session.waiting import wait_for
from .._vcenter.api import DownloadSessions
from .._vcenter.errors import ApiError, TransferFailed
from .._vcenter.models import DownloadFile
from .._vcenter.remedies import needs
from .._vcenter.timing import Clock
from .download_plan import PREPARED

PREPARE = "download_session.file.prepare"


def prepare_files(
    downloads: DownloadSessions,
    session_id: str,
    names: Sequence[str],
    endpoint_type: str,
    *,
    wait_timeout: float,
    clock: Clock,
    on_change: Callable[[str], None],
) -> None:
    """Have vCenter prepare files, and wait for it. Raises TransferFailed with the server's reason, or TimedOut."""
    for name in names:
        with noted(f"{name} was asked for", on_change):
            prepare(downloads, session_id, name, endpoint_type)
    if names:
        await_prepared(
            lambda: [file for file in downloads.files(session_id) if file.name in names],
            session_id,
            len(names),
            wait_timeout=wait_timeout,
            clock=clock,
        )


def prepare(downloads: DownloadSessions, session_id: str, name: str, endpoint_type: str) -> None:
    try:
        downloads.prepare_file(session_id, name, endpoint_type)
    except ApiError as error:
        if error.error_type == "UNAUTHORIZED" and endpoint_type == "DIRECT":
            error.remedy = f"For endpoint_type: DIRECT: {needs('ContentLibrary.ReadStorage')}"
        raise


def await_prepared(
    read: Callable[[], list[DownloadFile]], session_id: str, count: int, *, wait_timeout: float, clock: Clock
) -> list[DownloadFile]:
    def look() -> list[DownloadFile]:
        files = read()
        for file in files:
            if file.status == ERROR:
                raise TransferFailed(
                    f"{file.name} could not be prepared: {file.reason}",
                    operation=PREPARE,
                    messages=file.messages,
                    session_id=session_id,
                )
        return files

    return wait_for(
        look,
        ready=lambda files: sum(file.status == PREPARED for file in files) == count,
        signs=lambda files: [(file.name, file.status) for file in files],
        describe=lambda files: ", ".join(f"{file.name} is {file.status}" for file in files if file.status != PREPARED),
        operation=PREPARE,
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )
