# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task finds the caller's sessions, and watches whether anybody works in one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from .._vcenter.api import Sessions, SessionT, UpdateSessions
from .._vcenter.errors import ApiError, InvalidResponse, NotFound, ResourceBusy
from .._vcenter.models import UpdateFile, UpdateSession
from .._vcenter.timing import Clock, Timing
from .arrival import ENDED_TRANSFERS
from .states import ACTIVE
from .waiting import Patience, gather

EXTENDING_READS = 3
UNFINISHED_TRANSFERS = ("TRANSFERRING", "VALIDATING")


def none_of_theirs(_refusal: ApiError) -> None:
    """A user who may not list sessions may not create them either, so it has none."""


def predicted(refusal: ApiError) -> str:
    """What check mode warns of if vCenter refuses to list the user's sessions."""
    return f"{refusal.explain()} The prediction is for a user who has no session on the item."


def doubted(refusal: ApiError) -> str:
    """What check mode warns of if vCenter refuses to list sessions, where the task would create one."""
    return f"{refusal.explain()} Without check mode the task would fail, as it has to create a session."


def own_ids(
    sessions: Sessions[Any, Any], library_item_id: str | None, on_refused: Callable[[ApiError], None]
) -> list[str]:
    """The identifiers of the caller's sessions; none if vCenter refuses to list them, which `on_refused` gets."""
    try:
        return sessions.ids(library_item_id)
    except ApiError as error:
        if error.error_type != "UNAUTHORIZED":
            raise
        on_refused(error)
        return []


def find_sessions(
    sessions: Sessions[SessionT, Any],
    library_item_id: str,
    timing: Timing,
    *,
    on_refused: Callable[[ApiError], None] = none_of_theirs,
) -> list[SessionT]:
    """The caller's sessions on an item, in any state; see `own_ids`."""
    found = gather(sessions.get, own_ids(sessions, library_item_id, on_refused), timing.readers)
    # Some servers list the sessions of all items.
    return [session for session in found if session.library_item_id in (library_item_id, None)]


def find_active(
    sessions: Sessions[SessionT, Any],
    library_item_id: str,
    timing: Timing,
    *,
    on_refused: Callable[[ApiError], None] = none_of_theirs,
) -> SessionT | None:
    """The caller's ACTIVE session on an item; see `own_ids`."""
    found = find_sessions(sessions, library_item_id, timing, on_refused=on_refused)
    return next((session for session in found if session.state == ACTIVE), None)


def await_idle(
    updates: UpdateSessions, session: UpdateSession, *, changes: bool, patience: Patience, clock: Clock
) -> tuple[UpdateSession | None, list[UpdateFile], bool]:
    """Make sure that nobody is at work in an ACTIVE session that was found by its item.

    Even if nothing is transferred, another task may be about to send its next file. So a task that `changes` more than
    the state watches for a while. Returns the session and its files as they are now, or no session if it ended
    meanwhile, and whether a task can claim the session. Raises ResourceBusy.

    Where reading extends a session, its expiry shows no life: others may just be reading it, as this task is. Only a
    transfer that has stopped shows then that nobody is at work. A session in which nothing is transferred is left
    alone, as the task there may be waiting for vCenter.
    """
    timing = clock.timing
    extends = False
    try:
        files = updates.files(str(session.id))
        transferring = any(_under_transfer(file) for file in files)
        if not transferring and not changes:
            return session, files, True
        seconds = timing.watch_transfer if transferring else timing.watch_idle
        while True:
            before = _progress(session, files)
            session, files, at_work = _watch(updates, session, files, seconds, clock, extends=extends)
            if session.state != ACTIVE:
                return None, [], True
            if at_work and not extends and _progress(session, files) == before:
                extends = _reading_extends(updates, session, clock)
                at_work = not extends
                if extends:
                    continue
            unsure = extends and changes and not any(_under_transfer(file) for file in files)
            if not at_work and not unsure:
                return session, files, not extends
            if clock.now() >= patience.until:
                raise _busy(session, patience, at_work=at_work)
            # Once a task was seen at work, a short pause between two of its files does not mean that it has ended.
            seconds = timing.watch_transfer
    except NotFound:
        return None, [], True


def _busy(session: UpdateSession, patience: Patience, *, at_work: bool) -> ResourceBusy:
    return ResourceBusy(
        "it is changing, so another task is at work in it"
        if at_work
        else "reading it extends it on this vCenter, so nothing shows whether another task is at work in it",
        operation="update_session.take_over",
        session_id=session.id,
        remedy=f"{patience.remedy} If nobody is at work in it, the role clean_sessions removes it, by its identifier.",
    )


@dataclass
class Vanished:
    """Remembers sessions that vanished, so that the search ends."""

    patience: Patience
    clock: Clock
    _ids: set[str] = field(default_factory=set)

    def note(self, session: UpdateSession) -> None:
        """Raises InvalidResponse if the same session is found again, and ResourceBusy if the patience is over."""
        session_id = str(session.id)
        if session_id in self._ids:
            raise InvalidResponse(
                "the server lists it as ACTIVE, and then says that it has ended",
                operation="update_session.take_over",
                session_id=session_id,
                remedy="Run the task again; if that does not help, cancel the session in vCenter.",
            )
        if self._ids and self.clock.now() >= self.patience.until:
            raise ResourceBusy(
                "one session on the item ends and another one is created, as other tasks publish to it",
                operation="update_session.take_over",
                session_id=session_id,
                remedy=self.patience.remedy,
            )
        self._ids.add(session_id)


def _under_transfer(file: UpdateFile) -> bool:
    return file.status in UNFINISHED_TRANSFERS or (file.status not in ENDED_TRANSFERS and bool(file.bytes_transferred))


def _reading_extends(updates: UpdateSessions, session: UpdateSession, clock: Clock) -> bool:
    """Whether each read moves the expiry of a session: no task extends it so often.

    No source says what vCenter does.
    """
    known = session.expiration_time
    for _read in range(EXTENDING_READS):
        clock.sleep(clock.timing.extending_pause)
        now = updates.get(str(session.id)).expiration_time
        if now == known:
            return False
        known = now
    return True


def _watch(
    updates: UpdateSessions,
    session: UpdateSession,
    files: list[UpdateFile],
    seconds: float,
    clock: Clock,
    *,
    extends: bool,
) -> tuple[UpdateSession, list[UpdateFile], bool]:
    """Watch for some seconds, at most until the session has ended; returns it, its files, and whether anything moved.

    Raises NotFound.
    """
    before = _signs_of_life(session, files, extends=extends)
    end = clock.now() + seconds
    while clock.now() < end:
        clock.sleep(clock.timing.watch_pause)
        session = updates.get(str(session.id))
        if session.state != ACTIVE:
            break
        files = updates.files(str(session.id))
        if _signs_of_life(session, files, extends=extends) != before:
            return session, files, True
    return session, files, False


def _signs_of_life(session: UpdateSession, files: list[UpdateFile], *, extends: bool) -> tuple[Any, ...]:
    return None if extends else session.expiration_time, _progress(session, files)


def _progress(session: UpdateSession, files: list[UpdateFile]) -> tuple[Any, ...]:
    return session.client_progress, sorted((file.name, file.bytes_transferred, file.status) for file in files)
