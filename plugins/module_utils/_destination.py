# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fetched files come to stand in a directory: beside their target first, then whole and at once in its place.

A file under way has a lock, which ends with its process; so one without is left by a killed run, whoever's it was.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress

from ansible_collections.vsphere.content.plugins.module_utils._errors import InvalidArgument, TransferFailed

PARTIAL_SUFFIX = ".vsphere-content.part"
SHOWN_BYTES = 160
NAME_BYTES = 255

REMEDIES_OF_ERRNO = {
    errno.ENOSPC: "Make room on the file system of dest.",
    errno.EDQUOT: "Make room within the quota of the user that runs this task.",
    errno.EFBIG: "The file is larger than the file system of dest, or a limit of the process, allows.",
    errno.EACCES: "Give the user that runs this task the right to write to dest.",
    errno.EPERM: "Give the user that runs this task the right to write to dest, and look for immutable files there.",
    errno.EROFS: "The file system of dest is mounted read-only.",
}


def cannot_write(path: str, error: OSError) -> TransferFailed:
    """The failure to raise for what the operating system said."""
    remedy = REMEDIES_OF_ERRNO.get(error.errno or 0)
    return TransferFailed(
        f"{path} cannot be written: {error.strerror or error}",
        operation="download_session.file.get_data",
        remedy=remedy,
    )


def look(directory: str, names: Iterable[str]) -> dict[str, int | None]:
    """The sizes of what stands in a directory under these names; None for a symbolic link, which is no file of its own.

    Raises InvalidArgument for what no file may take the place of.
    """
    found = {name: _look(os.path.join(directory, name)) for name in names}
    return {name: entry.st_size if stat.S_ISREG(entry.st_mode) else None for name, entry in found.items() if entry}


def _look(path: str) -> os.stat_result | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidArgument(
            f"{path} cannot be looked at: {error.strerror}",
            remedy="Give the user that runs this task the right to read dest.",
        ) from None
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISLNK(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise InvalidArgument(
            f"{path} is {kind}, and a file of the item has its name",
            remedy="Move it away, or choose another dest.",
        )
    return found


def require_one_component(name: str) -> None:
    """A server's name for a file must not lead out of the directory. Raises InvalidArgument."""
    harmless = name not in ("", ".", "..") and name.isprintable() and "/" not in name and "\\" not in name
    # It would be taken for what a killed run left of another file.
    harmless = harmless and not name.endswith(PARTIAL_SUFFIX)
    if not harmless or len(name.encode()) > NAME_BYTES:
        raise InvalidArgument(
            f"the item has a file named {name[:NAME_BYTES]!r}, which cannot be the name of a file in dest",
            remedy="Name the files that you want under files, or have the item published with other names.",
        )


def remove_or_tell(path: str) -> str:
    """Remove a file of ours; returns a sentence on it if it is there and cannot be removed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        # A file system that is mounted read-only refuses before it looks.
        if os.path.lexists(path):
            return f"{path} cannot be removed ({error.strerror}), and stays until the next run with this dest."
    return ""


def remove_stale(directory: str) -> None:
    """Remove what killed runs left of files that they were fetching, whatever those are called. Raises TransferFailed.

    The names of an item's files may have changed since, so that nobody would look for these any more.
    """
    try:
        found = [entry.path for entry in os.scandir(directory) if _is_partial(entry.name)]
    except OSError as error:
        raise cannot_write(directory, error) from None
    for path in found:
        _remove_unlocked(path)


def _is_partial(name: str) -> bool:
    return name.startswith(".") and name.endswith(PARTIAL_SUFFIX)


def _remove_unlocked(path: str) -> None:
    # Somebody else's, or one that has just become whole: either is none of our business.
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(descriptor)


class Partial:
    """A file on its way into a directory, hidden and locked, until C(replace_target) or C(discard)."""

    def __init__(self, directory: str, name: str) -> None:
        self.target = os.path.join(directory, name)
        shown = name.encode()[:SHOWN_BYTES].decode("utf-8", "ignore")
        self.path = os.path.join(directory, f".{shown}.{uuid.uuid4().hex[:16]}{PARTIAL_SUFFIX}")
        self._directory = directory
        self._descriptor: int | None = None
        self._discarded = False
        self._guard = threading.Lock()

    def open(self) -> None:
        """Raises TransferFailed."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            while not self._is_ours():
                with self._guard:
                    self._require_wanted()
                    self._descriptor = os.open(self.path, flags, 0o600)
                # On a file system without locks nobody can tell what is stale, so nothing is ever removed there.
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def write(self, block: bytes) -> None:
        """Raises TransferFailed."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._opened(), rest) :]
        except OSError as error:
            raise cannot_write(self.target, error) from None

    def clear(self) -> None:
        """Start anew. Raises TransferFailed."""
        try:
            os.lseek(self._opened(), 0, os.SEEK_SET)
            os.ftruncate(self._opened(), 0)
        except OSError as error:
            raise cannot_write(self.target, error) from None

    def sync(self) -> None:
        """Have all of it on disk. Raises TransferFailed."""
        try:
            os.fsync(self._opened())
        except OSError as error:
            raise cannot_write(self.target, error) from None

    def replace_target(self) -> None:
        """Take the target's place, at once. Raises TransferFailed if that is not so then."""
        try:
            os.replace(self.path, self.target)
        except OSError as error:
            raise cannot_write(self.target, error) from None

    def sync_directory(self) -> None:
        """Have on disk that it stands there. Raises TransferFailed."""
        try:
            folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            # Some file systems cannot be asked for it.
            if error.errno != errno.EINVAL:
                raise cannot_write(self.target, error) from None

    def discard(self) -> str:
        """Leave nothing behind, also if another thread is about to open the file or is writing to it.

        Returns what is left all the same, as what keeps a file from being removed has failed the task already.
        """
        with self._guard:
            self._discarded = True
            return remove_or_tell(self.path)

    def close(self) -> None:
        """For the thread that opened the file: nobody else can tell whether a write is under way."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # It is on disk by now, or given up.
            with suppress(OSError):
                os.close(descriptor)

    def _is_ours(self) -> bool:
        """Whether the file is there: another run may have taken it for stale before it was locked."""
        if self._descriptor is None:
            return False
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self.path), os.fstat(self._descriptor)):
                return True
        self.close()
        return False

    def _require_wanted(self) -> None:
        if self._discarded:
            raise TransferFailed(f"{self.target} is not wanted any more")

    def _opened(self) -> int:
        if self._descriptor is None:
            raise AssertionError("written to before it was opened")
        return self._descriptor
