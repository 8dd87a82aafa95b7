# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For which kinds of files a server shows checksums, so that a file is hashed on its way only where that can count.

Servers show none of some kinds, such as disks. Whatever a server shows later is compared all the same; the task then
reads the file once more.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._vcenter.models import ChecksumInfo, LibraryItemFile, UpdateFile
from .comparison import is_cached
from .content import usable_checksum


class SeenChecksums:
    """What one task has seen of one server: the files `stored` in an item, and those in a session.

    The kind of a file is what follows the last dot of its name.
    """

    def __init__(self, stored: Iterable[LibraryItemFile] = (), in_session: Iterable[UpdateFile] = ()) -> None:
        self._with: set[str] = set()
        self._without: set[str] = set()
        for file in stored:
            # One that is not cached says nothing.
            if is_cached(file):
                self.note(file.name, file.checksum_info)
        self.note_received(in_session)

    def may_come(self, name: str) -> bool:
        """Whether the server may show a checksum of a file: it did of one of this kind, or none was seen."""
        kind = _kind_of(name)
        return kind in self._with or kind not in self._without

    def note(self, name: str, info: ChecksumInfo | None) -> None:
        """Note what the server shows of a file that it has whole."""
        (self._with if usable_checksum(info) else self._without).add(_kind_of(name))

    def note_received(self, files: Iterable[UpdateFile]) -> None:
        """Note those files of an update session that it has received."""
        for file in files:
            if file.status == "READY" and file.is_brought:
                self.note(file.name, file.checksum_info)


def _kind_of(name: str) -> str:
    return name.rpartition(".")[2].lower()
