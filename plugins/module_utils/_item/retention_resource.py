# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the old items of libraries are found and deleted, each only after it was read once more, for `converge`.

vCenter has no deletion that depends on what it finds. So the task reads, right before each deletion, the items that are
to stay, the user's sessions on the item, and the item itself. What changes between the last of these requests and the
deletion is lost. Whatever a task cannot read ends it, unless the item has gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._session.finding import find_active, none_of_theirs, own_ids
from .._session.lost_answers import noted
from .._session.states import ACTIVE
from .._session.waiting import gather
from .._task.converge import Task
from .._vcenter.api import Api, Sessions
from .._vcenter.errors import ApiError, InvalidArgument, NotFound, some_of
from .._vcenter.models import Library, LibraryItem, Session
from .item_reader import Listed, find_ids, read_items
from .retention_plan import DELETED, GONE, PERHAPS, STAYS, TO_DELETE, Entry, Rules, has_changed, judge

# Whoever raises `at_most` should have seen what goes then, not just the beginning.
SHOWN_DOOMED = 50


@dataclass(frozen=True)
class Judged:
    """The items of all libraries, and what is to become of each; of a library, the oldest comes first."""

    entries: tuple[Entry, ...]

    @property
    def to_delete(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.outcome == TO_DELETE)


def require_local(library: Library) -> None:
    """Raises InvalidArgument for a library of another type, also if vCenter gives none."""
    if library.type != "LOCAL":
        raise InvalidArgument(
            f"library {library.name!r} ({library.id}) is no local library, as its type is {library.type or 'unknown'}",
            error_type="INVALID_ELEMENT_TYPE",
            remedy="Name local libraries only: what is deleted there goes from the libraries that subscribe to them.",
        )


class RetentionResource:
    """The libraries in which a task deletes old items, for `converge`."""

    def __init__(self, api: Api, library_ids: Sequence[str], rules: Rules, task: Task) -> None:
        self._api = api
        self._library_ids = library_ids
        self._rules = rules
        self._task = task
        self._entries: dict[str, Entry] = {}
        task.on_failure(self._tell_deleted)
        task.so_far = self._so_far

    def read(self) -> Judged:
        readers = self._task.clock.timing.readers
        libraries = [self._api.get_library(library_id) for library_id in self._library_ids]
        for library in libraries:
            require_local(library)
        entries = [
            entry for library in libraries for entry in judge(library, self._read_items(library, readers), self._rules)
        ]
        self._entries = {entry.item_id: entry for entry in entries}
        if any(entry.outcome == TO_DELETE for entry in entries):
            for session in self._own_active(readers):
                self._keep_active(session)
        return Judged(tuple(self._entries.values()))

    def plan(self, before: Judged) -> Judged:
        """Raises InvalidArgument for more deletions than a task may make."""
        titles = [entry.title for entry in before.to_delete]
        if len(titles) > self._rules.at_most:
            raise InvalidArgument(
                f"{len(titles)} items would be deleted, and at_most is {self._rules.at_most}: "
                f"{some_of(titles, SHOWN_DOOMED)}. Nothing has been deleted",
                remedy="If all of them may go, raise at_most. library_items of the result lists each, with the reason.",
            )
        return before

    def project(self, state: Judged) -> dict[str, Any]:
        """The names that this task leaves in each library. What somebody else deletes is no change of this task."""
        return self._names(state, {DELETED})

    def expect(self, plan: Judged) -> dict[str, Any]:
        return self._names(plan, {DELETED, TO_DELETE})

    def apply(self, plan: Judged) -> Judged:
        for entry in plan.to_delete:
            self._entries[entry.item_id] = self._delete(entry, plan)
        return Judged(tuple(self._entries.values()))

    def result(self, state: Judged) -> dict[str, Any]:
        return {"library_items": [entry.result() for entry in state.entries]}

    def _names(self, state: Judged, without: set[str]) -> dict[str, Any]:
        names: dict[str, list[str]] = {}
        for entry in state.entries:
            kept = names.setdefault(f"{entry.library.name} ({entry.library.id})", [])
            kept.extend([] if entry.outcome in without else [str(entry.item.name)])
        return {library: sorted(kept) for library, kept in names.items()}

    def _read_items(self, library: Library, readers: int) -> list[Listed]:
        ids = find_ids(self._api, [library.id], readers)
        found = read_items(self._api, ids, readers, pattern=self._rules.pattern, with_files=True)
        # Only an item that says so itself is one of this library.
        return [listed for listed in found if listed.item.library_id == library.id]

    def _own_active(self, readers: int) -> list[tuple[str, Session]]:
        """The user's ACTIVE sessions on any item, each with what its kind is called."""
        return [
            (kind, session)
            for kind, sessions in self._kinds()
            for session in gather(sessions.get, own_ids(sessions, None, none_of_theirs), readers)
            if session.state == ACTIVE
        ]

    def _kinds(self) -> tuple[tuple[str, Sessions[Any, Any]], ...]:
        return (("update session", self._api.updates), ("download session", self._api.downloads))

    def _keep_active(self, found: tuple[str, Session]) -> None:
        kind, session = found
        entry = self._entries.get(session.library_item_id or "")
        if entry and entry.outcome == TO_DELETE:
            self._entries[entry.item_id] = entry.but(STAYS, f"{kind} {session.id} is ACTIVE on it")

    def _delete(self, entry: Entry, plan: Judged) -> Entry:
        """Delete an item if everything is still as it was listed; returns what became of it."""
        try:
            if reason := self._loss(entry, plan) or self._use(entry):
                return entry.but(STAYS, reason)
            if has_changed(entry.item, self._api.get_item(entry.item_id)):
                return entry.but(STAYS, "it has changed since it was listed")
            with noted(DELETED, lambda outcome: self._note(entry, outcome)):
                self._api.delete_item(entry.item_id)
        except NotFound:
            # vCenter also answers this to a request for the sessions on an item that has gone.
            if self._read_again(entry) is not None:
                raise
            return entry.but(GONE, "somebody else has deleted it meanwhile")
        except ApiError as error:
            if error.error_type != "RESOURCE_IN_USE":
                raise
            return entry.but(STAYS, f"vCenter says that it is in use: {error.said}")
        return entry.but(DELETED, entry.reason)

    def _loss(self, entry: Entry, plan: Judged) -> str:
        """What has become of an item that is to stay, so that this one stays, too; an empty text if nothing has."""
        newest = [each for each in plan.entries if each.is_newest and each.library.id == entry.library.id]
        now = gather(self._read_again, newest, self._task.clock.timing.readers)
        for kept, item in zip(newest, now):
            if item is None or has_changed(kept.item, item):
                return f"{kept.item.name!r}, which is to stay, has changed or gone since it was listed"
        return ""

    def _use(self, entry: Entry) -> str:
        """In which session the user works on an item; an empty text if there is none."""
        for kind, sessions in self._kinds():
            session = find_active(sessions, entry.item_id, self._task.clock.timing)
            if session:
                return f"{kind} {session.id} is ACTIVE on it"
        return ""

    def _read_again(self, entry: Entry) -> LibraryItem | None:
        try:
            return self._api.get_item(entry.item_id)
        except NotFound:
            return None

    def _note(self, entry: Entry, outcome: str) -> None:
        self._entries[entry.item_id] = replace(entry, outcome=outcome)

    def _so_far(self) -> dict[str, Any]:
        entries = tuple(self._entries.values())
        touched = any(entry.outcome in (DELETED, PERHAPS) for entry in entries)
        return {"changed": touched, **self.result(Judged(entries))}

    def _tell_deleted(self) -> str:
        entries = self._entries.values()
        told = [
            f"{entry.title}{' (perhaps)' if entry.outcome == PERHAPS else ''}"
            for entry in entries
            if entry.outcome in (DELETED, PERHAPS)
        ]
        return f"Deleted before that: {some_of(told)}. The next run goes on from there." if told else ""
