# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a local file is still the one that the task looked at first.

The task opens a path several times: to read its references, to hash it, to send it, and to send it again. If somebody
changes the file in between, the checksum of the sent bytes only proves that half an old and half a new file arrived.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace

from .._vcenter.errors import InvalidArgument, TransferFailed
from .allowed_directories import PUBLISH_SRC_ROOT, require_below

SENT, COMPARED = "sent", "compared"
"""What the task was doing with a file while it changed, for messages."""


@dataclass(frozen=True)
class Identity:
    """Tells a file from another one in its place, and from itself before a write.

    `modified` and `changed` are in nanoseconds. Whoever writes to a file can set `modified` back, but not `changed`.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    def has_content_of(self, other: Identity) -> bool:
        """Whether it is the same file with the same content; its name and attributes may have changed."""
        return replace(self, changed=0) == replace(other, changed=0)


class FileChanged(TransferFailed):
    """A local file changed after the task looked at it."""

    def __init__(self, path: str, doing: str, how: str, *, remedy: str | None = None) -> None:
        super().__init__(
            f"{path} changed while it was {doing}: {how}",
            remedy=remedy or "Run the task again when nobody writes to the file any more.",
        )


def identity_of(found: os.stat_result) -> Identity:
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def require_same(path: str, identity: Identity, doing: str, opened: int | None = None) -> None:
    """Require that a path still leads to the same file, and that a descriptor, if given, is of that file.

    `doing` completes "while it was ...". Raises FileChanged.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise FileChanged(path, doing, f"it cannot be found any more ({error.strerror})") from None
    _require(path, identity, doing, found)
    if opened is not None:
        require_same_opened(path, identity, doing, opened)


def require_same_opened(path: str, identity: Identity, doing: str, opened: int) -> None:
    """Require that an open file is the same as before; its path may lead elsewhere by now. Raises FileChanged."""
    _require(path, identity, doing, os.fstat(opened))


def _require(path: str, identity: Identity, doing: str, found: os.stat_result) -> None:
    now = identity_of(found)
    if now == identity:
        return
    if (now.device, now.inode) != (identity.device, identity.inode):
        how = "another file has taken its place"
    elif now.size != identity.size:
        how = f"it has {now.size} bytes, and had {identity.size}"
    elif now.modified != identity.modified:
        how = "it was written to"
    else:
        how = "it was written to, or its name or its attributes were changed"
    raise FileChanged(path, doing, how)


def identify(path: str, option: str) -> Identity:
    if not os.path.isabs(path):
        raise InvalidArgument(
            f"{option} {path!r} is relative, and a module has no directory of its own to start from",
            remedy="Start it with {{ role_path }}/files or {{ playbook_dir }}.",
        )
    require_below(PUBLISH_SRC_ROOT, option, path)
    try:
        found = os.stat(path)
        # To open anything else may block, as with a pipe.
        if stat.S_ISREG(found.st_mode):
            with open(path, "rb"):
                pass
    except FileNotFoundError:
        raise InvalidArgument(
            f"{option} {path} does not exist on the host that runs this task",
            remedy="Check the path; a file on the controller needs delegate_to: localhost.",
        ) from None
    except OSError as error:
        raise InvalidArgument(
            f"{option} {path} cannot be read: {error.strerror}",
            remedy="Give the user that runs this task the right to read it.",
        ) from None
    if stat.S_ISDIR(found.st_mode):
        raise InvalidArgument(f"{option} {path} is a directory", remedy="Name the file itself.")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidArgument(f"{option} {path} is not a regular file", remedy="Copy its content to a file first.")
    return identity_of(found)
