# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fetched files come to stand in a directory: beside their target first, then whole and at once in its place.

Another user may be able to write to the directory, and to put anything in the place of a name there, such as a symbolic
link to a file of root's. So the directory is held open, and so is each file that is written, compared or changed: what
is done is done by descriptor, and a name counts only while it leads to the file that is open.

A file under way has a lock, which ends with its process; so one without is left by a killed run, whoever's it was.
"""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import pwd
import stat
import threading
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from .._transfer.local_file import FileChanged
from .._vcenter.errors import InvalidArgument, TransferFailed, some_of

PARTIAL_SUFFIX = ".vsphere-content.part"
SHOWN_BYTES = 160
NAME_BYTES = 255
GET_DATA = "download_session.file.get_data"
FETCHED, ADJUSTED = "fetched", "given its attributes"
"""What was being done with a file while something else took its place."""

# A pipe or a device must not keep anybody waiting, and a symbolic link leads elsewhere.
FOUND_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
MADE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

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
        operation=GET_DATA,
        remedy=remedy,
    )


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


def _others_who_write(found: os.stat_result) -> str:
    """Who, beside root, may write to a directory; an empty text if nobody may. Root's group is trusted as root is."""
    if found.st_uid != 0:
        return f"the user {_name_of_user(found.st_uid)}"
    if found.st_mode & stat.S_IWOTH:
        return "every user"
    if found.st_mode & stat.S_IWGRP and found.st_gid != 0:
        return f"the group {_name_of_group(found.st_gid)}"
    return ""


def remove_stale(folder: Folder) -> None:
    """Remove what killed runs left of files that they were fetching, whatever those are called. Raises TransferFailed.

    The names of an item's files may have changed since, so that nobody would look for these any more.
    """
    for name in folder.names():
        if name.startswith(".") and name.endswith(PARTIAL_SUFFIX):
            _remove_unlocked(folder, name)


def _remove_unlocked(folder: Folder, name: str) -> None:
    # Somebody else's, or one that has just become whole: either is none of our business.
    with suppress(OSError):
        descriptor = folder.open(name, os.O_RDWR | FOUND_FLAGS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.leads_to(name, os.fstat(descriptor)):
                folder.unlink(name)
        finally:
            os.close(descriptor)


def _name_of_user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _name_of_group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


class Folder:
    """The directory that files are fetched to, as it was found: all is done in this one, wherever its path leads later.

    A C(name) is a single component.
    """

    def __init__(self, path: str) -> None:
        """Raises InvalidArgument."""
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise InvalidArgument(
                f"dest: {path} cannot be opened: {error.strerror}",
                remedy="Give the user that runs this task the right to read dest.",
            ) from None
        # A task that is ended may leave threads behind that are at work in it.
        weakref.finalize(self, os.close, self._descriptor).atexit = False

    def path_of(self, name: str) -> str:
        """What to call a file in it."""
        return os.path.join(self.path, name)

    def place_of(self, name: str) -> str:
        """A path to a file in it for what takes nothing but paths; wherever the path of the directory leads."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}/{name}"

    def others(self) -> str:
        """Who, beside root, may put something into it; an empty text if nobody may, or if this is not root."""
        return _others_who_write(os.fstat(self._descriptor)) if os.geteuid() == 0 else ""

    def warning(self, found: Mapping[str, os.stat_result], owner: int | None) -> str:
        """What root has to hear of others who may change the files that were found; empty if there is nothing to say.

        C(owner) is the one that the files shall have.
        """
        if os.geteuid() != 0:
            return ""
        who, where = self.others(), f"to {self.path}"
        folder = os.fstat(self._descriptor)
        if folder.st_uid == 0 and (not who or folder.st_mode & stat.S_ISVTX):
            # There, others may replace or change nothing but what is theirs.
            theirs = {name: entry.st_uid for name, entry in found.items() if entry.st_uid not in (0, owner)}
            who = some_of([f"the user {_name_of_user(number)}" for number in sorted({*theirs.values()})])
            where = f"in {self.path} to {some_of(sorted(theirs))}"
        if not who:
            return ""
        return (
            f"This task runs as root, and {who} may write {where}: what is there can be replaced or changed as soon as "
            "it was verified."
        )

    def names(self) -> list[str]:
        """What stands in it. Raises TransferFailed."""
        try:
            return sorted(os.listdir(self._descriptor))
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def find(self, name: str) -> os.stat_result | None:
        """What stands in it under a name, itself and not what it leads to. Raises OSError."""
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def look(self, names: Iterable[str]) -> dict[str, os.stat_result]:
        """What stands in it under these names: files, and symbolic links, which are no files of their own.

        Raises InvalidArgument for what no file may take the place of.
        """
        found = {name: self._look(name) for name in names}
        return {name: entry for name, entry in found.items() if entry}

    def heir(self, name: str) -> os.stat_result | None:
        """The file whose owner, group and permissions pass to the one that takes its place.

        Only root's and our own: else whoever may write here says to whom root gives the content.
        """
        found = self.find(name)
        return found if found and stat.S_ISREG(found.st_mode) and found.st_uid in (0, os.geteuid()) else None

    def open(self, name: str, flags: int) -> int:
        """A descriptor, which the caller closes; a file that is made is this user's alone. Raises OSError."""
        return os.open(name, flags, 0o600, dir_fd=self._descriptor)

    @contextmanager
    def opened(self, name: str, doing: str) -> Iterator[int]:
        """A file, open to be read, whose name leads to it before and after. Raises FileChanged, TransferFailed."""
        try:
            descriptor = self.open(name, os.O_RDONLY | FOUND_FLAGS)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                raise self._changed(name, doing) from None
            raise TransferFailed(f"{self.path_of(name)} cannot be read: {error.strerror}") from None
        try:
            self.require(name, os.fstat(descriptor), doing)
            yield descriptor
            self.require(name, os.fstat(descriptor), doing)
        finally:
            os.close(descriptor)

    def require_one_name(self, name: str, descriptor: int) -> None:
        """Require of a file that root is about to change that it is not one from elsewhere. Raises TransferFailed."""
        if self.others() and os.fstat(descriptor).st_nlink > 1:
            raise TransferFailed(
                f"{self.path_of(name)} has another name as well, this task runs as root, and {self.others()} may have "
                "put it there",
                remedy="Remove it, and run the task again.",
            )

    def leads_to(self, name: str, file: os.stat_result) -> bool:
        """Whether a name is that of a file, and of a regular one. Raises OSError."""
        found = self.find(name)
        return found is not None and stat.S_ISREG(found.st_mode) and os.path.samestat(found, file)

    def require(self, name: str, file: os.stat_result, doing: str) -> None:
        """Require that a name is that of a file. Raises FileChanged and OSError."""
        if not self.leads_to(name, file):
            raise self._changed(name, doing)

    def require_here(self) -> None:
        """Require that the path leads here still: else nobody finds what is put here. Raises TransferFailed."""
        try:
            there = os.stat(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        if not os.path.samestat(there, os.fstat(self._descriptor)):
            raise TransferFailed(
                f"{self.path} is not the directory any more that it was when the task began",
                operation=GET_DATA,
                remedy="Run the task again when nobody replaces dest any more.",
            )

    def replace(self, name: str, target: str) -> None:
        """Rename a file within it. Raises OSError."""
        os.replace(name, target, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def unlink(self, name: str) -> None:
        """Raises OSError."""
        os.unlink(name, dir_fd=self._descriptor)

    def remove_or_tell(self, name: str, file: os.stat_result) -> str:
        """Remove a file of ours; returns a sentence if something is left under its name."""
        path = self.path_of(name)
        try:
            if self.find(name) is None:
                return ""
            if not self.leads_to(name, file):
                return f"{path} was put in the place of a file of this task by somebody else, and stays."
            self.unlink(name)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{path} cannot be removed ({error.strerror}), and stays until the next run with this dest."
        return ""

    def sync(self) -> None:
        """Have on disk which names stand in it. Raises OSError."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            # Some file systems cannot be asked for it.
            if error.errno != errno.EINVAL:
                raise

    def _look(self, name: str) -> os.stat_result | None:
        path = self.path_of(name)
        try:
            found = self.find(name)
        except OSError as error:
            raise InvalidArgument(
                f"{path} cannot be looked at: {error.strerror}",
                remedy="Give the user that runs this task the right to read dest.",
            ) from None
        if found and not stat.S_ISREG(found.st_mode) and not stat.S_ISLNK(found.st_mode):
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise InvalidArgument(
                f"{path} is {kind}, and a file of the item has its name",
                remedy="Move it away, or choose another dest.",
            )
        return found

    def _changed(self, name: str, doing: str) -> FileChanged:
        return FileChanged(
            self.path_of(name),
            doing,
            "somebody else has put something in its place, or removed it",
            remedy="Fetch to a directory that nobody else may write to, and run the task again.",
        )


class Partial:
    """A file on its way into a directory, hidden and locked, until C(replace_target) or C(discard)."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.target = folder.path_of(name)
        shown = name.encode()[:SHOWN_BYTES].decode("utf-8", "ignore")
        self.hidden = f".{shown}.{uuid.uuid4().hex[:16]}{PARTIAL_SUFFIX}"
        self._descriptor: int | None = None
        self._made: os.stat_result | None = None
        self._discarded = False
        self._guard = threading.Lock()

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise AssertionError("used before it was opened")
        return self._descriptor

    def open(self) -> None:
        """Raises TransferFailed."""
        try:
            while not self._is_ours():
                with self._guard:
                    self._require_wanted()
                    self._descriptor = self.folder.open(self.hidden, MADE_FLAGS)
                    self._made = os.fstat(self._descriptor)
                # On a file system without locks nobody can tell what is stale, so nothing is ever removed there.
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise cannot_write(self.folder.path_of(self.hidden), error) from None

    def write(self, block: bytes) -> None:
        """Raises TransferFailed."""
        rest = memoryview(block)
        with self._failures_told():
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]

    def clear(self) -> None:
        """Start anew. Raises TransferFailed."""
        with self._failures_told():
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.ftruncate(self.descriptor, 0)

    def sync(self) -> None:
        """Have all of it on disk. Raises TransferFailed."""
        with self._failures_told():
            os.fsync(self.descriptor)

    def require_own(self) -> None:
        """Require that its hidden name is its own still. Raises TransferFailed."""
        with self._failures_told():
            self.folder.require(self.hidden, os.fstat(self.descriptor), FETCHED)

    def heir(self) -> os.stat_result | None:
        """Raises TransferFailed."""
        with self._failures_told():
            return self.folder.heir(self.name)

    def replace_target(self) -> None:
        """Take the target's place, at once. Raises TransferFailed if that is not so then."""
        self.folder.require_here()
        self.require_own()
        with self._failures_told():
            self.folder.replace(self.hidden, self.name)

    def require_placed(self) -> None:
        """Require that it is what stands in the target's place. Raises TransferFailed."""
        with self._failures_told():
            self.folder.require(self.name, os.fstat(self.descriptor), FETCHED)

    def sync_directory(self) -> None:
        """Have on disk that it stands there. Raises TransferFailed."""
        with self._failures_told():
            self.folder.sync()

    def discard(self) -> str:
        """Leave nothing behind, also if another thread is about to open the file or is writing to it.

        Returns what is left all the same, as what keeps a file from being removed has failed the task already.
        """
        with self._guard:
            self._discarded = True
            return self.folder.remove_or_tell(self.hidden, self._made) if self._made else ""

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
        if self.folder.leads_to(self.hidden, os.fstat(self._descriptor)):
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
