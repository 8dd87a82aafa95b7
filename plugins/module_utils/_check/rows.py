# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of the check's table: what was looked at, what was found, whether a publish will fail, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .._vcenter.errors import ContentError, printable


class Verdict(Enum):
    """What a row says of a publish: that it does not speak against one, that one will fail, or that nobody can tell."""

    OK = "ok"
    WILL_FAIL = "will_fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Row:
    about: str
    found: str
    verdict: Verdict = Verdict.OK
    remedy: str | None = None

    def result(self) -> dict[str, Any]:
        return {
            "about": printable(self.about),
            "found": printable(self.found),
            "verdict": self.verdict.value,
            "remedy": self.remedy,
        }


def failed(about: str, error: ContentError, verdict: Verdict = Verdict.WILL_FAIL) -> Row:
    """The row for something that could not be read."""
    return Row(about, error.said, verdict, error.way_out())


def is_usable(rows: Iterable[Row]) -> bool:
    """Whether nothing that was looked at makes a publish fail."""
    return all(row.verdict is not Verdict.WILL_FAIL for row in rows)
