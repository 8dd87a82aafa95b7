# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a session becomes a task's own: the task creates it, or claims one that it has found."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Callable

from .._vcenter.api import Sessions, SessionT, UpdateSessions
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound, ResourceBusy
from .._vcenter.models import Session, UpdateSession
from .._vcenter.timing import Clock
from .lost_answers import make_surely
from .states import ACTIVE, RUN_AGAIN
from .waiting import Patience, pauses

ANOTHER_SESSION = "Another update session is ACTIVE on this item, perhaps another user's."


def open_session(
    sessions: Sessions[SessionT, Any],
    wanted: SessionT,
    *,
    client_token: str,
    shield: Callable[[], AbstractContextManager[None]],
    on_created: Callable[[str], None],
) -> str:
    """Create a session with the fields of `wanted`; returns its identifier.

    `on_created` gets the identifier within the same shielded block, so no signal can come in between.
    """
    with shield():
        session_id = make_surely(lambda: sessions.create(wanted, client_token))
        on_created(session_id)
    return session_id


def open_when_free(
    updates: UpdateSessions,
    wanted: UpdateSession,
    *,
    client_token: str,
    patience: Patience,
    clock: Clock,
    shield: Callable[[], AbstractContextManager[None]],
    on_created: Callable[[str], None],
) -> str:
    """`open_session` for an update session; waits while another session blocks the item. Raises `ResourceBusy`."""
    waits = pauses(clock.timing)
    while True:
        try:
            return open_session(updates, wanted, client_token=client_token, shield=shield, on_created=on_created)
        except ResourceBusy as error:
            if clock.now() >= patience.until:
                if patience.seconds:
                    error.remedy = f"{ANOTHER_SESSION} {patience.remedy}"
                raise
        clock.sleep(min(next(waits), max(0.0, patience.until - clock.now())))


def is_new(session: Session, library_item_id: str | None) -> bool:
    """Whether a session can be new: for a client token that it knows, a server names an older session."""
    return session.state == ACTIVE and session.library_item_id in (library_item_id, None)


def used_before(session: Session, operation: str) -> NotAllowedInCurrentState:
    """The failure if the client_token names a session that is not new."""
    return NotAllowedInCurrentState(
        f"client_token was used before: it names session {session.id}, which is {session.state}, on item "
        f"{session.library_item_id}",
        operation=operation,
        remedy="Leave client_token out, or give a new one for each session.",
    )


def not_new(session: UpdateSession, operation: str, *, is_given: bool) -> ContentError:
    """The failure if a created session is not new; `is_given` says that the user has chosen its client token."""
    if session.state == ACTIVE or is_given:
        return used_before(session, operation)
    return ResourceBusy(
        f"another task has taken it over, and it is {session.state}",
        operation=operation,
        session_id=session.id,
        remedy=RUN_AGAIN,
    )


def claim(updates: UpdateSessions, session: UpdateSession, clock: Clock) -> bool:
    """Claim an idle session; returns whether this task has it, and not another one that claims it too.

    The task that extends the session last has it. Each one extends it, waits longer than a task takes from looking to
    extending, and then looks whether the session still expires at the time that its own extension gave.
    """
    session_id = str(session.id)
    try:
        found = updates.get(session_id)
        if (found.state, found.expiration_time) != (ACTIVE, session.expiration_time):
            return False
        updates.keep_alive(session_id)
        ours = updates.get(session_id).expiration_time
        clock.sleep(clock.timing.claim)
        return updates.get(session_id).expiration_time == ours
    except (NotFound, NotAllowedInCurrentState):
        return False
