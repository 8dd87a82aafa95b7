# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a directory shows from which session it is being filled, so that the next run finds the session of a killed one.

A mark is a hidden file that is locked while its process lives, so a killed run left any mark without a lock. The mark
holds the client token of the session. For the same token the server names the session again, even if the killed run
never learned its identifier.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
from contextlib import ExitStack, suppress

from .destination import FOUND_FLAGS, MADE_FLAGS, Folder, cannot_write

MARK_SUFFIX = ".vsphere-content.session"
MARK_MODE = 0o600
CONTENT = re.compile(rb"(?:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n)?")
READ_BYTES = 64


def left_marks(folder: Folder, library_item_id: str) -> tuple[list[SessionMark], list[str]]:
    """The marks of this user's killed runs that filled the directory from this item, now locked by this task, and the
    names of files that only look like marks. Raises TransferFailed.
    """
    left: list[SessionMark] = []
    others: list[str] = []
    for name in folder.names():
        if name.startswith(_prefix(library_item_id)) and name.endswith(MARK_SUFFIX):
            try:
                mark = _take(folder, name)
            except _NotOurs:
                others.append(name)
            else:
                left.extend([mark] if mark else [])
    return left, others


def mark_for(folder: Folder, library_item_id: str, client_token: str) -> SessionMark:
    """The mark of a session that the task is about to create; the caller places it."""
    # Two tasks with the same token have the same session, and so the same mark.
    return SessionMark(folder, f"{_prefix(library_item_id)}{_digits(client_token, 16)}{MARK_SUFFIX}", client_token)


def _prefix(library_item_id: str) -> str:
    return f".{_digits(library_item_id, 8)}."


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:count]


def _take(folder: Folder, name: str) -> SessionMark | None:
    """The mark of a killed run, locked; None if the run is alive, or another task was faster. Raises _NotOurs."""
    try:
        descriptor = folder.open(name, os.O_RDWR | FOUND_FLAGS)
    except FileNotFoundError:
        return None
    except OSError:
        raise _NotOurs from None
    with ExitStack() as stack:
        stack.callback(os.close, descriptor)
        found = os.fstat(descriptor)
        form = (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode), found.st_uid)
        if form != (True, MARK_MODE, os.geteuid()) or found.st_nlink > 1:
            raise _NotOurs
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = CONTENT.fullmatch(os.pread(descriptor, READ_BYTES, 0))
            is_there = folder.leads_to(name, found)
        except OSError:
            return None
        if not content:
            raise _NotOurs
        if not is_there:
            return None
        stack.pop_all()
        return SessionMark(folder, name, (content.group(1) or b"").decode(), descriptor)


class _NotOurs(Exception):
    """A file has the name of a mark, but this user's tasks did not create it."""


class SessionMark:
    """One mark. It belongs to this task from `place`, or from when the task found it, to `remove`.

    `client_token` is empty if the run was killed before it wrote the token, and so before it created a session.
    """

    def __init__(self, folder: Folder, name: str, client_token: str, descriptor: int | None = None) -> None:
        self.client_token = client_token
        self._folder = folder
        self._name = name
        self._descriptor = descriptor

    def place(self) -> None:
        """Raises TransferFailed."""
        try:
            while self._descriptor is None:
                descriptor = self._folder.open(self._name, MADE_FLAGS)
                # On a file system without locks nobody can tell which marks are stale, so no session is removed.
                with suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._keep(descriptor)
            os.write(self._descriptor, f"{self.client_token}\n".encode())
        except FileExistsError:
            # Another task with the same client_token has placed it for the same session.
            return
        except OSError as error:
            raise cannot_write(self._folder.path, error) from None

    def remove(self) -> str:
        """Remove the mark; returns a sentence if it is left. The next run then takes it for that of a killed run."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return ""
        try:
            return self._folder.remove_or_tell(self._name, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _keep(self, descriptor: int) -> None:
        """Keep the mark, unless another run removed it as stale before it was locked."""
        if self._folder.leads_to(self._name, os.fstat(descriptor)):
            self._descriptor = descriptor
        else:
            os.close(descriptor)
