# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file on its way into a directory: hidden and locked beside its target, until a rename puts it in its place.

A lock ends with its process, so a hidden file without one was left by a killed run of some user.
"""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .._vcenter.errors import TransferFailed
from .destination import FETCHED, MADE_FLAGS, PARTIAL_SUFFIX, Folder, cannot_write

SHOWN_BYTES = 160


class Partial:
    """A file on its way into a directory, hidden and locked, until `replace_target` or `discard`."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.target = folder.path_of(name)
        shown = name.encode()[:SHOWN_BYTES].decode("utf-8", "ignore")
        self.hidden = f".{shown}.{uuid.uuid4().hex[:16]}{PARTIAL_SUFFIX}"
        self._opened: int | None = None
        self._made: os.stat_result | None = None
        self._discarded = False
        self._guard = threading.Lock()

    @property
    def descriptor(self) -> int:
        if self._opened is None:
            raise AssertionError("used before it was opened")
        return self._opened

    def open(self) -> None:
        """Create the hidden file and lock it. Raises TransferFailed."""
        try:
            while not self._is_ours():
                with self._guard:
                    self._require_wanted()
                    self._opened = self.folder.open(self.hidden, MADE_FLAGS)
                    self._made = os.fstat(self._opened)
                # On a file system without locks nobody can tell which files are stale, so none is removed.
                with suppress(OSError):
                    fcntl.flock(self._opened, fcntl.LOCK_EX)
        except OSError as error:
            raise cannot_write(self.folder.path_of(self.hidden), error) from None

    def write(self, block: bytes) -> None:
        """Raises TransferFailed."""
        rest = memoryview(block)
        with self._failures_told():
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]

    def clear(self) -> None:
        """Remove all content. Raises TransferFailed."""
        with self._failures_told():
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.ftruncate(self.descriptor, 0)

    def sync(self) -> None:
        """Write all of it to disk. Raises TransferFailed."""
        with self._failures_told():
            os.fsync(self.descriptor)

    def require_own(self) -> None:
        """Require that its hidden name still leads to it. Raises TransferFailed."""
        with self._failures_told():
            self.folder.require(self.hidden, os.fstat(self.descriptor), FETCHED)

    def heir(self) -> os.stat_result | None:
        """Raises TransferFailed."""
        with self._failures_told():
            return self.folder.heir(self.name)

    def replace_target(self) -> None:
        """Take the target's place by a rename. Raises TransferFailed."""
        self.folder.require_here()
        self.require_own()
        with self._failures_told():
            self.folder.replace(self.hidden, self.name)

    def require_placed(self) -> None:
        """Require that it is in the target's place. Raises TransferFailed."""
        with self._failures_told():
            self.folder.require(self.name, os.fstat(self.descriptor), FETCHED)

    def sync_directory(self) -> None:
        """Write its new name to disk. Raises TransferFailed."""
        with self._failures_told():
            self.folder.sync()

    def discard(self) -> str:
        """Remove the file, also while another thread opens it or writes to it.

        Returns a sentence if something is left, instead of an error: the task has failed already.
        """
        with self._guard:
            self._discarded = True
            return self.folder.remove_or_tell(self.hidden, self._made) if self._made else ""

    def close(self) -> None:
        """Close the file; only the thread that opened it may do so, as others do not know whether it is writing."""
        descriptor, self._opened = self._opened, None
        if descriptor is not None:
            # The content is on disk by now, or no longer wanted.
            with suppress(OSError):
                os.close(descriptor)

    def _is_ours(self) -> bool:
        """Whether the file still has its name: before it was locked, another run may have removed it as stale."""
        if self._opened is None:
            return False
        if self.folder.leads_to(self.hidden, os.fstat(self._opened)):
            return True
        self.close()
        return False

    def _require_wanted(self) -> None:
        if self._discarded:
            raise TransferFailed(f"{self.target} is not wanted any more")

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.target, error) from None
