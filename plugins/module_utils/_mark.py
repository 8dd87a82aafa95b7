# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a directory tells from which download session it is being filled, so that a killed run's can be found again.

A mark is a hidden file that is locked as long as its process lives; so one without a lock is left by a killed run. It
names the session by its client token, as for the same token a server names a session again whose identifier the killed
run may never have learned.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress

from ansible_collections.vsphere.content.plugins.module_utils._destination import (
    FOUND_FLAGS,
    MADE_FLAGS,
    Folder,
    cannot_write,
)

MARK_SUFFIX = ".vsphere-content.session"


def left_marks(folder: Folder, library_item_id: str) -> list[SessionMark]:
    """The marks of killed runs that filled a directory from this item, locked for us. Raises TransferFailed."""
    prefix = _prefix(library_item_id)
    tokens = [name[len(prefix) : -len(MARK_SUFFIX)] for name in folder.names() if _is_mark(name, prefix)]
    marks = [SessionMark(folder, library_item_id, token) for token in sorted(tokens)]
    return [mark for mark in marks if mark.take()]


def _is_mark(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name.endswith(MARK_SUFFIX)


def _prefix(library_item_id: str) -> str:
    return f".{hashlib.sha256(library_item_id.encode()).hexdigest()[:8]}."


class SessionMark:
    """One mark, which is ours between C(place) or C(take) and C(remove)."""

    def __init__(self, folder: Folder, library_item_id: str, client_token: str) -> None:
        self.client_token = client_token
        self._folder = folder
        self._name = f"{_prefix(library_item_id)}{client_token}{MARK_SUFFIX}"
        self._descriptor: int | None = None

    def place(self) -> None:
        """Raises TransferFailed."""
        try:
            while self._descriptor is None:
                descriptor = self._folder.open(self._name, MADE_FLAGS)
                # On a file system without locks nobody can tell what is left, so no session is ever removed for it.
                with suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._keep(descriptor)
        except FileExistsError:
            # Two tasks were given one client_token, and so one session.
            return
        except OSError as error:
            raise cannot_write(self._folder.path, error) from None

    def take(self) -> bool:
        """Lock what another run has placed; False if it is alive, or somebody else was faster."""
        with suppress(OSError):
            descriptor = self._folder.open(self._name, os.O_RDWR | FOUND_FLAGS)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
            else:
                self._keep(descriptor)
        return self._descriptor is not None

    def remove(self) -> str:
        """Returns what is left all the same: the next run takes that for what a killed one left."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return ""
        try:
            return self._folder.remove_or_tell(self._name, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _keep(self, descriptor: int) -> None:
        """Another run may have taken it for left, and removed it, before it was locked."""
        if self._folder.leads_to(self._name, os.fstat(descriptor)):
            self._descriptor = descriptor
        else:
            os.close(descriptor)
