# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fetched file is verified: it must fit every known checksum, of the user, the session and the item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

from .._transfer.content import DIGEST_LENGTHS, Checksum
from .._transfer.hashing import hash_opened
from .._vcenter.errors import ChecksumMismatch
from .destination import GET_DATA
from .partial import Partial

DAMAGED = "Run the task again; if that does not help, the content is damaged on the server or on the way."


# Where a checksum comes from, for messages.
DECLARED, OF_SESSION, OF_ITEM = "checksums", "the session", "the item"


REMEDIES: Mapping[str, str] = {
    DECLARED: "Correct checksums, or find out who has changed the item.",
    OF_SESSION: DAMAGED,
    OF_ITEM: DAMAGED,
}


def strength(checksum: Checksum) -> int:
    return DIGEST_LENGTHS[checksum.algorithm]


@dataclass
class Content:
    """The content of a fetched file: its size in bytes, and its known digests by algorithm; each is computed once."""

    partial: Partial
    size: int
    digests: dict[str, str]

    def checksum(self, algorithm: str) -> Checksum:
        """Raises TransferFailed."""
        if algorithm not in self.digests:
            opened, path = self.partial.descriptor, self.partial.target
            self.digests[algorithm] = hash_opened(opened, path, algorithm, 0, self.size)
        return Checksum(algorithm, self.digests[algorithm])


def verify(
    name: str,
    known: Mapping[str, Checksum | None],
    content: Content,
    read_item_again: Callable[[], Checksum | None],
    session_id: str,
) -> dict[str, Checksum]:
    """The known checksums of a file by their sources, all of which its content has. Raises `ChecksumMismatch`.

    The checksum of the session does not replace that of the item. If the item's does not fit, the task reads the item
    once more, as the session may hold content that the item got since.
    """
    matched: dict[str, Checksum] = {}
    for whose, theirs in known.items():
        if theirs is None:
            continue
        ours = content.checksum(theirs.algorithm)
        if theirs != ours and whose == OF_ITEM:
            now = read_item_again()
            # A weaker checksum does not replace the earlier one.
            theirs = now if now and strength(now) >= strength(theirs) else theirs
            ours = content.checksum(theirs.algorithm)
        if theirs != ours:
            raise ChecksumMismatch(
                f"{name} arrived with the {ours.algorithm} checksum {ours.digest}, and {whose} has {theirs.digest}",
                operation=GET_DATA,
                session_id=session_id,
                remedy=f"Nothing of it was put into dest. {REMEDIES[whose]}",
            )
        matched[whose] = theirs
    return matched
