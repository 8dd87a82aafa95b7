# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial makes, and how it is taken away: its own items and sessions, and items that a killed trial has left."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from .._item.item_reader import find_ids, read_items
from .._session.ending import discard
from .._session.finding import find_sessions
from .._session.lost_answers import insist, make_surely
from .._task.converge import Task
from .._vcenter.api import Api, Sessions, SessionT
from .._vcenter.errors import ContentError, NotFound
from .._vcenter.models import Library, LibraryItem
from .marks import OLD, PREFIX, Marks, new_marks, read_marks
from .samples import OWN_NAMES

TYPES = {"iso": "iso", "ovf": "ovf", "ova": "ovf", "pull": "iso"}
MINE = "this trial made it"
LEFT_BY_ANOTHER = "an earlier trial left it"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?Z")


class Made:
    """The items of one library that a trial makes, one at a time, and their sessions.

    Whatever ends the task, `take_away` deletes what is there. `taken_away` and `left` are what the module returns.
    """

    def __init__(self, api: Api, task: Task, library: Library) -> None:
        self._api = api
        self._task = task
        self._library = library
        now = task.connection.server_time()
        if now is None:
            raise AssertionError("a trial is run only where the server tells its time")
        self.marks: Marks = new_marks(now)
        self.taken_away: list[dict[str, Any]] = []
        self.left: list[dict[str, Any]] = []
        self.was_used = False
        """Whether anything was made, or may have been."""
        self._items: list[LibraryItem] = []
        self._sessions: list[tuple[Sessions[Any, Any], str]] = []
        task.on_failure(self.take_away)
        task.so_far = lambda: {"taken_away": self.taken_away, "left": self.left}

    def item(self, kind: str, *, is_long: bool = False) -> str:
        """Create an item; returns its identifier. Raises what a creation raises."""
        wanted = LibraryItem(
            library_id=self._library.id,
            name=self.marks.name(kind, is_long=is_long),
            description=self.marks.description,
            type=TYPES[kind],
        )
        token = str(uuid.uuid4())
        with self._task.shield():
            try:
                item_id = make_surely(lambda: self._api.create_item(wanted, token))
            except ContentError as error:
                if error.may_have_happened:
                    self._look_for(wanted)
                raise
            self._note(item_id, wanted)
        return item_id

    def _note(self, item_id: str, wanted: LibraryItem) -> None:
        self.was_used = True
        self._items.append(LibraryItem(id=item_id, library_id=wanted.library_id, name=wanted.name))

    def _look_for(self, wanted: LibraryItem) -> None:
        """Find an item that may have been created: nobody else has its random name."""
        try:
            for item_id in self._api.find_items(wanted.name, wanted.library_id):
                self._note(item_id, wanted)
        except ContentError:
            self.was_used = True
            self.left.append(self._named(wanted, "vCenter did not answer, and may have created it"))

    def session(self, sessions: Sessions[SessionT, Any], wanted: SessionT, client_token: str = "") -> str:
        """Create a session; returns its identifier. Raises what a creation raises."""
        token = client_token or str(uuid.uuid4())
        with self._task.shield():
            session_id = make_surely(lambda: sessions.create(wanted, token))
            self._sessions.append((sessions, session_id))
        return session_id

    def end(self, sessions: Sessions[Any, Any], session_id: str) -> None:
        """Cancel a session if it is ACTIVE, and delete it; it may be gone already."""
        discard(sessions, session_id, self._task.clock)
        self._sessions = [entry for entry in self._sessions if entry != (sessions, session_id)]

    def take_away(self) -> str:
        """End all sessions and delete all items; returns a sentence. Raises what a deletion raises, and names the item.

        It may be called again after it has failed.
        """
        names = []
        while self._items:
            item = self._items[-1]
            called = f"The item {item.name} ({item.id}), which the trial created,"
            try:
                self._delete(str(item.id))
            except ContentError as error:
                error.notes.append(f"{called} is left behind. A trial that begins an hour later deletes it.")
                entry = self._named(item, f"it could not be deleted: {error.said}")
                self.left = [*(each for each in self.left if each["library_item"] != item.name), entry]
                raise
            self._items.pop()
            self._sessions.clear()
            self.left = [each for each in self.left if each["library_item"] != item.name]
            self.taken_away.append(self._named(item, MINE))
            names.append(called)
        return " ".join(f"{called} was deleted again." for called in names)

    def _delete(self, item_id: str) -> None:
        for sessions, session_id in self._sessions:
            discard(sessions, session_id, self._task.clock)
        timing = self._task.clock.timing
        for kind in (self._api.updates, self._api.downloads):
            # A server may have created a session without our knowing its identifier. If it does not tell, the item is
            # nobody else's all the same.
            with suppress(ContentError):
                for session in _listed(kind, item_id, timing):
                    discard(kind, str(session.id), self._task.clock)
        with suppress(NotFound):
            insist(lambda: self._api.delete_item(item_id), self._task.clock)

    def _named(self, item: LibraryItem, why: str) -> dict[str, Any]:
        return {"library": self._library.name, "library_item": item.name, "why": why}

    # -- what a trial left that was killed

    def clear_up(self) -> None:
        """Delete the items that a killed trial has left in the library, and note those that look like that and stay.

        Raises what a search raises. An item that cannot be judged stays.
        """
        readers = self._task.clock.timing.readers
        found = read_items(self._api, find_ids(self._api, [self._library.id], readers), readers, pattern=f"{PREFIX}*")
        for listed in found:
            try:
                why = self._why_it_stays(str(listed.item.id))
                if not why:
                    self.was_used = True
                    self._delete(str(listed.item.id))
            except NotFound:
                continue
            except ContentError as error:
                why = f"it could not be read or deleted: {error.said}"
            (self.left if why else self.taken_away).append(self._named(listed.item, why or LEFT_BY_ANOTHER))

    def _why_it_stays(self, item_id: str) -> str:
        """Why an item must stay, read anew; an empty text if nobody needs it."""
        timing = self._task.clock.timing
        sessions = [session for kind in (self._api.updates,) for session in _listed(kind, item_id, timing)]
        files = {file.name for session in sessions for file in self._api.updates.files(str(session.id))}
        files |= {file.name for file in self._api.list_item_files(item_id)}
        item = self._api.get_item(item_id)
        marks = read_marks(item.name, item.description)
        if marks is None or item.type not in TYPES.values():
            return "its name and its description do not both have the marks of a trial"
        if files - OWN_NAMES:
            return "it holds a file that no trial has made"
        now = self._task.connection.server_time()
        created = read_time(item.creation_time)
        if now is None or created is None:
            return "vCenter does not tell how old it is"
        if now - max(marks.began, created) <= OLD:
            return "it is not more than an hour old, so a trial may be at work in it"
        return ""


def _listed(sessions: Sessions[Any, Any], item_id: str, timing: Any) -> list[Any]:
    return find_sessions(sessions, item_id, timing)


def read_time(text: str | None) -> datetime | None:
    """A time as the API writes it, with any number of digits after the second; None for anything else."""
    found = _TIME.fullmatch(text or "")
    if not found:
        return None
    try:
        whole = datetime.strptime(found.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return whole + timedelta(seconds=float(f"0{found.group(2) or ''}"))
