# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that files are fetched to.

Another user may be able to write to the directory, and to replace a name in it, for instance by a symbolic link to one
of root's files. So the task holds the directory open, and each file that it writes, compares or changes. It works by
descriptor, and a name counts only while it leads to the open file.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from .._transfer.local_file import FileChanged
from .._transfer.names import is_file_name
from .._vcenter.errors import InvalidArgument, TransferFailed, some_of

PARTIAL_SUFFIX = ".vsphere-content.part"
NAME_BYTES = 255
GET_DATA = "download_session.file.get_data"
FETCHED, ADJUSTED = "fetched", "given its attributes"
"""What the task was doing with a file while something else took its place, for messages."""

# To open a pipe or a device must not block, and a symbolic link leads elsewhere.
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
    """The failure to raise for an error of the operating system."""
    remedy = REMEDIES_OF_ERRNO.get(error.errno or 0)
    return TransferFailed(
        f"{path} cannot be written: {error.strerror or error}",
        operation=GET_DATA,
        remedy=remedy,
    )


def require_one_component(name: str) -> None:
    """Require that the server's name for a file does not lead out of the directory. Raises InvalidArgument."""
    # A later run would take a file with this ending for a leftover of a killed run.
    harmless = is_file_name(name) and not name.endswith(PARTIAL_SUFFIX)
    if not harmless or len(name.encode()) > NAME_BYTES:
        raise InvalidArgument(
            f"the item has a file named {name[:NAME_BYTES]!r}, which cannot be the name of a file in dest",
            remedy="Name the files that you want under files, or have the item published with other names.",
        )


def _others_who_write(found: os.stat_result) -> str:
    """Who except root may write to a directory; an empty text if nobody. Root's group is trusted like root."""
    if found.st_uid != 0:
        return f"the user {_name_of_user(found.st_uid)}"
    if found.st_mode & stat.S_IWOTH:
        return "every user"
    if found.st_mode & stat.S_IWGRP and found.st_gid != 0:
        return f"the group {_name_of_group(found.st_gid)}"
    return ""


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
    """The directory that files are fetched to. It stays this one, even if its path leads elsewhere later.

    A `name` is a single component.
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
        # Not at exit: threads of a task that was ended may still work in the directory.
        weakref.finalize(self, os.close, self._descriptor).atexit = False

    def path_of(self, name: str) -> str:
        """The path of a file in it, for messages."""
        return os.path.join(self.path, name)

    def place_of(self, name: str) -> str:
        """A path for functions that take only paths; it leads into this directory, wherever `path` leads by now."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}/{name}"

    def others(self) -> str:
        """Who except root may put something into it; an empty text if nobody, or if this task does not run as root."""
        return _others_who_write(os.fstat(self._descriptor)) if os.geteuid() == 0 else ""

    def warning(self, found: Mapping[str, os.stat_result], owner: int | None) -> str:
        """A warning for root about others who may change the found files; an empty text if there are none.

        `owner` is the declared owner of the files.
        """
        if os.geteuid() != 0:
            return ""
        who, where = self.others(), f"to {self.path}"
        folder = os.fstat(self._descriptor)
        if folder.st_uid == 0 and (not who or folder.st_mode & stat.S_ISVTX):
            # In such a directory others may replace or change only their own files.
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
        """The names in it, sorted. Raises TransferFailed."""
        try:
            return sorted(os.listdir(self._descriptor))
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def find(self, name: str) -> os.stat_result | None:
        """The status of a name in it, of a link itself and not of its target; None if it is free. Raises OSError."""
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def look(self, names: Iterable[str]) -> dict[str, os.stat_result]:
        """The files and symbolic links in it that have these names.

        Raises InvalidArgument for anything else, as a file must not replace it.
        """
        found = {name: self._entry_of(name) for name in names}
        return {name: entry for name, entry in found.items() if entry}

    def heir(self, name: str) -> os.stat_result | None:
        """The file whose owner, group and permissions pass to the one that takes its place.

        Only a file of root or of the task's user counts. Otherwise somebody who may write here could decide to whom
        root gives the content.
        """
        found = self.find(name)
        return found if found and stat.S_ISREG(found.st_mode) and found.st_uid in (0, os.geteuid()) else None

    def open(self, name: str, flags: int) -> int:
        """A descriptor, which the caller closes. Only this user may read a file that it creates. Raises OSError."""
        return os.open(name, flags, 0o600, dir_fd=self._descriptor)

    @contextmanager
    def opened(self, name: str, doing: str) -> Iterator[int]:
        """Open a file to read it; its name must lead to it before and after. Raises FileChanged, TransferFailed."""
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
        """Require that a file which root will change is not a hard link that others created. Raises TransferFailed."""
        if self.others() and os.fstat(descriptor).st_nlink > 1:
            raise TransferFailed(
                f"{self.path_of(name)} has another name as well, this task runs as root, and {self.others()} may have "
                "put it there",
                remedy="Remove it, and run the task again.",
            )

    def leads_to(self, name: str, file: os.stat_result) -> bool:
        """Whether a name leads to this file, and it is a regular one. Raises OSError."""
        found = self.find(name)
        return found is not None and stat.S_ISREG(found.st_mode) and os.path.samestat(found, file)

    def require(self, name: str, file: os.stat_result, doing: str) -> None:
        """Require that a name leads to this file. Raises FileChanged and OSError."""
        if not self.leads_to(name, file):
            raise self._changed(name, doing)

    def require_here(self) -> None:
        """Require that the path still leads here: otherwise nobody finds the fetched files. Raises TransferFailed."""
        try:
            there = os.stat(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        if not os.path.samestat(there, os.fstat(self._descriptor)):
            raise TransferFailed(
                f"{self.path} is another directory than when the task began",
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
        """Remove a file of this task; returns a sentence if something is left under its name."""
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
        """Write the names in it to disk. Raises OSError."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            # Some file systems cannot do this.
            if error.errno != errno.EINVAL:
                raise

    def _entry_of(self, name: str) -> os.stat_result | None:
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
