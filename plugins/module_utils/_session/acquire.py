# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task comes to an update session: it finds one, watches whether anybody works in it, claims it or makes one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Callable

from .._vcenter.api import Api
from .._vcenter.errors import InvalidResponse, NotAllowedInCurrentState, NotFound, ResourceBusy
from .._vcenter.models import UpdateFile, UpdateSession
from .lost_answers import make_surely
from .receive import ENDED_TRANSFERS, behaviors
from .states import ACTIVE
from .waiting import Clock, Patience, gather, pauses

WATCH_SECONDS = 10.0
LOOK_SECONDS = 5.0
WATCH_PAUSE = 1.0
CLAIM_SECONDS = 1.0
ANOTHER_SESSION = "Another update session is ACTIVE on this item, perhaps another user's."
UNFINISHED_TRANSFERS = ("TRANSFERRING", "VALIDATING")


def find_sessions(api: Api, library_item_id: str) -> list[UpdateSession]:
    """The caller's update sessions on an item, in any state."""
    sessions = gather(api.get_update_session, api.list_update_sessions(library_item_id))
    # Some servers list the sessions of all items, whatever they are asked for.
    return [session for session in sessions if session.library_item_id in (library_item_id, None)]


def find_active(api: Api, library_item_id: str) -> UpdateSession | None:
    """The caller's ACTIVE update session on an item."""
    return next((session for session in find_sessions(api, library_item_id) if session.state == ACTIVE), None)


def take_over(
    api: Api, session: UpdateSession, *, changes: bool, patience: Patience, clock: Clock
) -> tuple[UpdateSession | None, list[UpdateFile]]:
    """Make sure that nobody is at work in an ACTIVE session that was found by its item.

    One in which nothing is transferred may still be somebody's who is about to send the next file, so who C(changes)
    more than its state looks on for a while. Returns the session and its files as they are now, or no session if it
    ended while we waited. Raises ResourceBusy.
    """
    try:
        files = api.list_update_files(str(session.id))
    except NotFound:
        return None, []
    transferring = any(_under_transfer(file) for file in files)
    if not transferring and not changes:
        return session, files
    seconds = WATCH_SECONDS if transferring else LOOK_SECONDS
    while True:
        moved = _watch(api, session, files, seconds, clock)
        if moved is None:
            return None, []
        session, files, at_work = moved
        if not at_work:
            return session, files
        if clock.now() >= patience.until:
            raise ResourceBusy(
                "something moves in it, so another task is at work in it",
                operation="update_session.take_over",
                session_id=session.id,
                remedy=patience.remedy,
            )
        # Once somebody was seen at work, a pause between two of their files is no invitation.
        seconds = WATCH_SECONDS


@dataclass
class Vanished:
    """Sessions that were found and had ended when they were looked at: looking for another one must come to an end."""

    patience: Patience
    clock: Clock
    _ids: set[str] = field(default_factory=set)

    def note(self, session: UpdateSession) -> None:
        """Raises InvalidResponse if the same session is found ever again, and ResourceBusy if there are too many."""
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
                "one session on the item ends and another one is made, as other tasks publish to it",
                operation="update_session.take_over",
                session_id=session_id,
                remedy=self.patience.remedy,
            )
        self._ids.add(session_id)


def claim(api: Api, session: UpdateSession, clock: Clock) -> bool:
    """Whether a session in which nobody was seen at work is ours, and not another task's that has seen the same.

    Whoever extends it last has it. Each one waits, longer than there is between looking and extending, and then looks
    whether the session still expires when it would by its own doing.
    """
    session_id = str(session.id)
    try:
        found = api.get_update_session(session_id)
        if (found.state, found.expiration_time) != (ACTIVE, session.expiration_time):
            return False
        api.keep_update_session_alive(session_id)
        ours = api.get_update_session(session_id).expiration_time
        clock.sleep(CLAIM_SECONDS)
        return api.get_update_session(session_id).expiration_time == ours
    except (NotFound, NotAllowedInCurrentState):
        return False


def _under_transfer(file: UpdateFile) -> bool:
    return file.status in UNFINISHED_TRANSFERS or (file.status not in ENDED_TRANSFERS and bool(file.bytes_transferred))


def _watch(
    api: Api, session: UpdateSession, files: list[UpdateFile], seconds: float, clock: Clock
) -> tuple[UpdateSession, list[UpdateFile], bool] | None:
    """Look on for some seconds: the session, its files, and whether anything moved; None if the session ended."""
    before = _signs_of_life(session, files)
    end = clock.now() + seconds
    while clock.now() < end:
        clock.sleep(WATCH_PAUSE)
        try:
            session = api.get_update_session(str(session.id))
            if session.state != ACTIVE:
                return None
            files = api.list_update_files(str(session.id))
        except NotFound:
            return None
        if _signs_of_life(session, files) != before:
            return session, files, True
    return session, files, False


def _signs_of_life(session: UpdateSession, files: list[UpdateFile]) -> tuple[Any, ...]:
    progress = sorted((file.name, file.bytes_transferred, file.status) for file in files)
    return session.client_progress, session.expiration_time, progress


def open_session(
    api: Api,
    library_item_id: str,
    *,
    ignored_warnings: Sequence[str],
    client_token: str,
    patience: Patience,
    clock: Clock,
    shield: Callable[[], AbstractContextManager[None]],
    on_created: Callable[[str], None],
) -> str:
    """Create an update session, waiting while another one blocks it; returns its id.

    C(on_created) is told the id before a signal can come between, as C(shield) holds signals back.
    """
    waits = pauses()
    while True:
        try:
            with shield():
                session_id = make_surely(
                    lambda: api.create_update_session(
                        library_item_id, behaviors(ignored_warnings) or None, client_token
                    )
                )
                on_created(session_id)
            return session_id
        except ResourceBusy as error:
            if clock.now() >= patience.until:
                if patience.seconds:
                    error.remedy = f"{ANOTHER_SESSION} {patience.remedy}"
                raise
        clock.sleep(min(next(waits), max(0.0, patience.until - clock.now())))
