# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task removes what killed runs left in a directory and on the server."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import Callable

from .._session.ending import discard
from .._vcenter.api import DownloadSessions
from .._vcenter.errors import ApiError, some_of
from .._vcenter.models import DownloadSession
from .._vcenter.timing import Clock
from .destination import FOUND_FLAGS, PARTIAL_SUFFIX, Folder
from .session_mark import left_marks


def remove_stale(folder: Folder) -> None:
    """Remove all partial files that killed runs left, under any name. Raises TransferFailed.

    The names of the item's files may have changed since, so no later run might look for the old ones.
    """
    for name in folder.names():
        if name.startswith(".") and name.endswith(PARTIAL_SUFFIX):
            _remove_unlocked(folder, name)


def _remove_unlocked(folder: Folder, name: str) -> None:
    # It may belong to another user, or its task may just have renamed it: then it stays.
    with suppress(OSError):
        descriptor = folder.open(name, os.O_RDWR | FOUND_FLAGS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.leads_to(name, os.fstat(descriptor)):
                folder.unlink(name)
        finally:
            os.close(descriptor)


def discard_left(
    downloads: DownloadSessions,
    folder: Folder,
    library_item_id: str,
    *,
    client_token: str,
    clock: Clock,
    warn: Callable[[str], None],
) -> None:
    """Remove what killed runs left: their sessions on the item, and partial files. Raises TransferFailed."""
    left, others = left_marks(folder, library_item_id)
    if others:
        warn(
            f"In {folder.path}, what looks like the mark of a download session and was not made by a task of this user "
            f"is left alone: {some_of(others)}. If nobody is fetching there, remove it."
        )
    for mark in left:
        try:
            # This task goes on with a session that has its own token.
            if mark.client_token not in ("", client_token):
                _discard_session_of(downloads, library_item_id, mark.client_token, clock)
        except ApiError as error:
            warn(f"The download session of a killed run could not be removed, and ends by itself: {error.said}")
        warn_if_left(mark.remove(), warn)
    remove_stale(folder)


def _discard_session_of(downloads: DownloadSessions, library_item_id: str, client_token: str, clock: Clock) -> None:
    """Delete the session with this token: the server names it, or creates a new one, and either is deleted."""
    session = DownloadSession(library_item_id=library_item_id)
    discard(downloads, downloads.create(session, client_token), clock)


def warn_if_left(left: str, warn: Callable[[str], None]) -> None:
    """Warn if something could not be removed."""
    if left:
        warn(left)
