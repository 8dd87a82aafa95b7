# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task makes sure that a session of either kind ends: canceled, failed, deleted or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Callable

from .._vcenter.api import Sessions, SessionT, UpdateSessions
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound
from .._vcenter.timing import Clock
from .lost_answers import insist, noted
from .states import ACTIVE, DONE, ENDS, Fate, Step

# The fate of a session by its state, after its completion was asked for. In any other state it has failed.
FATES: Mapping[str | None, Fate] = {ACTIVE: Fate.LEFT, DONE: Fate.COMPLETED}


def end(
    sessions: Sessions[SessionT, Any],
    session_id: str,
    step: Step,
    *,
    called: str,
    error_message: str | None,
    on_change: Callable[[str], None],
    clock: Clock,
) -> SessionT | None:
    """Take a step that ends a session; returns the session afterwards, None if it is gone.

    `on_change` takes a sentence on what was done, or perhaps done, to the session; `called` is its subject.
    """
    if step is Step.CANCEL:
        with noted(f"{called} was canceled", on_change):
            _end_surely(sessions, session_id, step, lambda: sessions.cancel(session_id), clock)
    elif step is Step.FAIL:
        with noted(f"{called} was marked as failed", on_change):
            _end_surely(sessions, session_id, step, lambda: sessions.fail(session_id, error_message or ""), clock)
    else:
        with noted(f"{called} was deleted", on_change):
            discard(sessions, session_id, clock, lambda: on_change(f"{called} was canceled"))
        return None
    return sessions.get(session_id)


def _end_surely(
    sessions: Sessions[Any, Any], session_id: str, step: Step, ask: Callable[[], None], clock: Clock
) -> None:
    """Cancel or fail a session. If vCenter refuses a repeated request, the first one may have done it."""
    asked = 0

    def ask_again() -> None:
        nonlocal asked
        asked += 1
        ask()

    try:
        insist(ask_again, clock)
    except NotAllowedInCurrentState:
        if asked == 1 or sessions.get(session_id).state != ENDS[step]:
            raise


def discard(
    sessions: Sessions[Any, Any], session_id: str, clock: Clock, on_canceled: Callable[[], None] = lambda: None
) -> None:
    """Delete a session in any state, after canceling it if necessary; it may be gone already.

    `on_canceled` is called after the cancel and before the delete.
    """
    with _named_if_left(session_id):
        with suppress(NotAllowedInCurrentState):
            insist(lambda: sessions.cancel(session_id), clock)
            on_canceled()
        insist(lambda: sessions.delete(session_id), clock)


def delete(sessions: Sessions[Any, Any], session_id: str, clock: Clock) -> None:
    """Delete a session that is no longer needed; it may be gone already."""
    with suppress(NotFound):
        insist(lambda: sessions.delete(session_id), clock)


def withdraw(updates: UpdateSessions, session_id: str, clock: Clock, *, was_asked: bool) -> Fate:
    """Cancel and delete an update session that the task created, unless it has been completed.

    If its completion `was_asked` for, the session stays while it is ACTIVE or cannot be read: vCenter may be completing
    it, and to cancel it would undo the whole upload.
    """
    if was_asked:
        fate = _fate_of(updates, session_id)
        if fate is not Fate.CANCELED:
            return fate
    with _named_if_left(session_id):
        try:
            insist(lambda: updates.cancel(session_id), clock)
        except NotFound:
            return Fate.GONE
        except NotAllowedInCurrentState:
            if updates.get(session_id).state == DONE:
                return Fate.COMPLETED
        insist(lambda: updates.delete(session_id), clock)
    return Fate.CANCELED


def _fate_of(updates: UpdateSessions, session_id: str) -> Fate:
    """The fate of a session whose completion was asked for; `CANCELED` if it has ended without being completed."""
    try:
        return FATES.get(updates.get(session_id).state, Fate.CANCELED)
    except NotFound:
        return Fate.GONE
    except ContentError:
        return Fate.LEFT


@contextmanager
def _named_if_left(session_id: str) -> Iterator[None]:
    """Ignore that the session is gone; add a note to any failure to remove it."""
    try:
        yield
    except NotFound:
        return
    except ContentError as error:
        error.notes.append(f"Session {session_id} is left behind; state: absent with this session_id removes it.")
        raise
