# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many files one task may name, counted while its inputs are read: a small file can name any number of others."""

from __future__ import annotations

from .._vcenter.errors import InvalidArgument

FILES = 10_000
NAME_CHARACTERS = 255 * FILES
"""How many files one task may name, including those of its descriptors and archives, and how many characters all their
names may have. A virtual machine has at most 256 SCSI disks (VMware, Configuration Maximums), and the largest disk, of
62 TB, has 6,200 chunks of 10 GB. Most file systems take names of up to 255 bytes.
"""


class Budget:
    """How many files and characters of names one task has left."""

    def __init__(self) -> None:
        self._files = FILES
        self._characters = NAME_CHARACTERS

    def take(self, name: str, origin: str) -> None:
        """Count a file that `origin` names. Raises InvalidArgument if there are too many."""
        self._files -= 1
        self._characters -= len(name)
        if self._files < 0:
            raise InvalidArgument(
                f"files: {origin} names more files than a task takes: {FILES}, of all entries together",
                remedy="Check whether this is what you mean to publish; no virtual machine has so many files.",
            )
        if self._characters < 0:
            raise InvalidArgument(
                f"files: {origin} names files by more characters than a task takes: {NAME_CHARACTERS}, of all entries "
                "together",
                remedy="Check whether this is what you mean to publish; a file system takes no name of more than 255 "
                "bytes.",
            )
