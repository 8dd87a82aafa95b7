# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a local file is still the one that it was: what is read of it now and what was read before must fit together.

A path is opened several times, to read what it references, to hash it, to send it, and to send it again. A checksum of
what was sent proves nothing where half of it was written before, and the other half after somebody changed the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from .._vcenter.errors import TransferFailed

SENT, COMPARED = "sent", "compared"
"""What was being done with a file while it changed."""


@dataclass(frozen=True)
class Identity:
    """What tells a file from another one in its place, and from itself before it was written to.

    C(modified) and C(changed) are in nanoseconds. Who writes to a file can set the first back, but not the second.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    def has_content_of(self, other: Identity) -> bool:
        """Whether it is the same file, which may have got another name or other attributes since."""
        return replace(self, changed=0) == replace(other, changed=0)


class FileChanged(TransferFailed):
    """A local file is not the one any more that was read before."""

    def __init__(self, path: str, doing: str, how: str, *, remedy: str | None = None) -> None:
        super().__init__(
            f"{path} changed while it was {doing}: {how}",
            remedy=remedy or "Run the task again when nobody writes to the file any more.",
        )


def identity_of(found: os.stat_result) -> Identity:
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def require_same(path: str, identity: Identity, doing: str, opened: int | None = None) -> None:
    """Require that a path leads to the same file as before, and an opened file to it.

    C(doing) completes "while it was ...". Raises FileChanged.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise FileChanged(path, doing, f"it cannot be found any more ({error.strerror})") from None
    _require(path, identity, doing, found)
    if opened is not None:
        require_same_opened(path, identity, doing, opened)


def require_same_opened(path: str, identity: Identity, doing: str, opened: int) -> None:
    """Require that an opened file is the same as before, wherever its path leads by now. Raises FileChanged."""
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
