# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an item shows that a trial has made it, and when: pure."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

PREFIX = "vsphere-content-check-"
STAMP = "%Y%m%dT%H%M%SZ"
OLD = timedelta(hours=1)
"""No trial takes so long. What is older belongs to one that was killed."""
PADDING = "-" + "x" * 60
"""Makes a name longer than 80 characters, the limit of other objects of a vCenter."""
KINDS = ("iso", "ovf", "ova", "pull")
_NAME = re.compile(rf"{PREFIX}(\d{{8}}T\d{{6}}Z)-([0-9a-f]{{16}})-(?:{'|'.join(KINDS)})(?:-x+)?")
_DESCRIPTION = re.compile(
    r"A check of vsphere\.content made this item at (\d{8}T\d{6}Z) with the identifier ([0-9a-f]{16})\. .*"
)


@dataclass(frozen=True)
class Marks:
    """The marks of one trial: when it began, by the clock of the vCenter, and a random identifier."""

    stamp: str
    identifier: str

    def name(self, kind: str, *, is_long: bool = False) -> str:
        return f"{PREFIX}{self.stamp}-{self.identifier}-{kind}{PADDING if is_long else ''}"

    @property
    def description(self) -> str:
        return (
            f"A check of vsphere.content made this item at {self.stamp} with the identifier {self.identifier}. "
            "If it is more than an hour old, nobody needs it."
        )

    @property
    def began(self) -> datetime:
        return datetime.strptime(self.stamp, STAMP).replace(tzinfo=timezone.utc)


def new_marks(now: datetime) -> Marks:
    return Marks(now.strftime(STAMP), secrets.token_hex(8))


def read_marks(name: str | None, description: str | None) -> Marks | None:
    """The marks of an item, None unless its name and its description both bear the same ones."""
    named, described = _NAME.fullmatch(name or ""), _DESCRIPTION.fullmatch(description or "")
    if not named or not described or named.group(1, 2) != described.group(1, 2):
        return None
    marks = Marks(*named.group(1, 2))
    try:
        return marks if marks.began else None
    except ValueError:
        return None
