# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which items of a library are old enough to go, and why each of the others stays. Pure: no server, no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

from .._vcenter.models import Library, LibraryItem
from .._vcenter.schema import to_result
from .item_reader import Listed

DELETED, TO_DELETE, PERHAPS, GONE, STAYS = "deleted", "to be deleted", "perhaps deleted", "gone", "stays"
# A template of a virtual machine has another type, and so has what nobody has declared.
COUNTED_TYPES = ("iso", "ovf")
BY_NAME = "name"
SHOWN = ("id", "name", "type", "size", "content_version", "creation_time", "last_modified_time")
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")
# What changes when anything of an item does that a user would call a change.
TELLING = ("library_id", "name", "type", "version", "content_version", "metadata_version", "last_modified_time")
Age = tuple[Union[str, tuple[int, int, str]], ...]


@dataclass(frozen=True)
class Rules:
    """What a task declares: which items it is about, how they are ordered, and how many stay.

    `name_pattern` has one group, and is there if `by` is `BY_NAME`. `published_ids` is None unless something was just
    published.
    """

    pattern: str
    keep: int
    by: str
    at_most: int
    name_pattern: re.Pattern[str] | None = None
    published_ids: frozenset[str] | None = None


@dataclass(frozen=True)
class Entry:
    """An item that the pattern fits, what becomes of it, and why.

    `is_newest` says that it is one of those that the task keeps for their age.
    """

    library: Library
    listed: Listed
    outcome: str
    reason: str
    is_newest: bool = False

    @property
    def item(self) -> LibraryItem:
        return self.listed.item

    @property
    def item_id(self) -> str:
        return str(self.listed.item.id)

    @property
    def title(self) -> str:
        return f"{self.item.name!r} in {self.library.name!r}"

    def but(self, outcome: str, reason: str) -> Entry:
        return replace(self, outcome=outcome, reason=reason)

    def result(self) -> dict[str, Any]:
        """The entry as a task returns it."""
        shown = to_result(self.item)
        return {
            "library": self.library.name,
            "library_id": self.library.id,
            **{name: shown[name] for name in SHOWN},
            "outcome": self.outcome,
            "reason": self.reason,
        }


def judge(library: Library, items: Sequence[Listed], rules: Rules) -> list[Entry]:
    """What is to become of each item of a library, the oldest first; what does not count comes before all others.

    An item goes only if it is older than the oldest of the `keep` newest: of two that are as old, both stay.
    """
    aged: list[tuple[Age, Listed]] = []
    uncounted: list[Entry] = []
    for listed in items:
        age = age_of(listed.item, rules)
        reason = why_uncounted(listed, age, rules)
        if reason or age is None:
            uncounted.append(Entry(library, listed, STAYS, reason))
        else:
            aged.append((age, listed))
    aged.sort(key=lambda pair: pair[0], reverse=True)
    limit = aged[: rules.keep][-1][0] if aged else None
    published = rules.published_ids
    nothing_new = published is not None and not any(str(listed.item.id) in published for _age, listed in aged)

    def entry(number: int, age: Age, listed: Listed) -> Entry:
        if number <= rules.keep:
            among = "the newest" if rules.keep == 1 else f"one of the {rules.keep} newest"
            return Entry(library, listed, STAYS, f"it is {among}", is_newest=True)
        if age == limit:
            return Entry(library, listed, STAYS, f"it is as new as the last of the {rules.keep} newest")
        if published is not None and str(listed.item.id) in published:
            return Entry(library, listed, STAYS, "it was just published")
        if nothing_new:
            return Entry(library, listed, STAYS, "nothing that fits pattern was just published to this library")
        return Entry(library, listed, TO_DELETE, f"{rules.keep} newer ones stay")

    judged = [entry(number, age, listed) for number, (age, listed) in enumerate(aged, 1)]
    return [*uncounted, *reversed(judged)]


def age_of(item: LibraryItem, rules: Rules) -> Age | None:
    """What orders the items, the newest last; None for an item that has no place in this order."""
    if rules.name_pattern:
        found = rules.name_pattern.fullmatch(item.name or "")
        return None if found is None or found[1] is None else natural(found[1])
    found = TIME.fullmatch(str(getattr(item, rules.by) or ""))
    return (found[1], (found[2] or "").rstrip("0")) if found else None


def natural(text: str) -> Age:
    """A text in which each number counts as one, so that 9 comes before 10."""
    return tuple(
        (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", text)
    )


def why_uncounted(listed: Listed, age: Age | None, rules: Rules) -> str:
    """Why an item neither counts nor goes; an empty text if it counts."""
    if listed.item.type not in COUNTED_TYPES:
        kind = f"it is of type {listed.item.type}" if listed.item.type else "it has no type"
        return f"{kind}, and only {' and '.join(COUNTED_TYPES)} count"
    if not listed.files:
        return "it holds no files"
    if age is None:
        return "its name does not fit name_pattern" if rules.name_pattern else f"vCenter gives no usable {rules.by}"
    return ""


def has_changed(before: LibraryItem, now: LibraryItem) -> bool:
    return any(getattr(before, name) != getattr(now, name) for name in TELLING)
