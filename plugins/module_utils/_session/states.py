# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declared state asks of the session that was found: the tables, and what is said where one excludes the other.

Pure: no server, no clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from .._vcenter.errors import NotAllowedInCurrentState, ResourceBusy, TransferFailed
from .._vcenter.models import Session, UpdateSession

RUN_AGAIN = "Run the task again when nobody else publishes to the item."
ACTIVE, DONE, ERROR, CANCELED, NONE = "ACTIVE", "DONE", "ERROR", "CANCELED", None

# By this client_progress a task shows a later run that it is about to ask for the completion; uploads stay below it.
COMPLETING_PROGRESS = 100


class Step(enum.Enum):
    """What is to be done with the session that was found, or with none."""

    NOTHING = "nothing"
    OPEN = "open"
    CONVERGE = "converge"
    COMPLETE = "complete"
    CANCEL = "cancel"
    FAIL = "fail"
    DELETE = "delete"
    CANCEL_AND_DELETE = "cancel and delete"
    REFUSE = "refuse"


UPDATE_STEPS: Mapping[str, Mapping[str | None, Step]] = {
    "active": {NONE: Step.OPEN, ACTIVE: Step.CONVERGE, DONE: Step.REFUSE, ERROR: Step.REFUSE, CANCELED: Step.REFUSE},
    "done": {NONE: Step.OPEN, ACTIVE: Step.COMPLETE, DONE: Step.NOTHING, ERROR: Step.REFUSE, CANCELED: Step.REFUSE},
    "canceled": {
        NONE: Step.NOTHING,
        ACTIVE: Step.CANCEL,
        DONE: Step.REFUSE,
        ERROR: Step.REFUSE,
        CANCELED: Step.NOTHING,
    },
    "error": {NONE: Step.NOTHING, ACTIVE: Step.FAIL, DONE: Step.REFUSE, ERROR: Step.NOTHING, CANCELED: Step.REFUSE},
    "absent": {
        NONE: Step.NOTHING,
        ACTIVE: Step.CANCEL_AND_DELETE,
        DONE: Step.DELETE,
        ERROR: Step.DELETE,
        CANCELED: Step.DELETE,
    },
}

# What becomes of a session in a state that this version does not know: it can be removed, and nothing else.
UNKNOWN_STATE_STEPS: Mapping[str, Step] = {"absent": Step.CANCEL_AND_DELETE}

# Ended sessions are as with update sessions, but there is no DONE.
DOWNLOAD_STEPS: Mapping[str, Mapping[str | None, Step]] = {
    "active": {NONE: Step.OPEN, ACTIVE: Step.CONVERGE, ERROR: Step.REFUSE, CANCELED: Step.REFUSE},
    "canceled": {NONE: Step.NOTHING, ACTIVE: Step.CANCEL, ERROR: Step.REFUSE, CANCELED: Step.NOTHING},
    "error": {NONE: Step.NOTHING, ACTIVE: Step.FAIL, ERROR: Step.NOTHING, CANCELED: Step.REFUSE},
    "absent": {NONE: Step.NOTHING, ACTIVE: Step.CANCEL_AND_DELETE, ERROR: Step.DELETE, CANCELED: Step.DELETE},
}


def choose_step(
    declared: str, session: Session | None, steps: Mapping[str, Mapping[str | None, Step]] | None = None
) -> Step:
    """The cell of the table, by default that of update sessions.

    Raises NotAllowedInCurrentState where the found state excludes the declared one.
    """
    found = session.state if session else NONE
    step = (steps or UPDATE_STEPS)[declared].get(found, UNKNOWN_STATE_STEPS.get(declared, Step.REFUSE))
    if session and step is Step.REFUSE:
        raise NotAllowedInCurrentState(_refusal(declared, session), session_id=session.id, remedy=_way_out(session))
    return step


def _refusal(declared: str, session: Session) -> str:
    because = f": {session.error_message.text}" if session.error_message and session.error_message.text else ""
    return f"session {session.id} is {session.state} and cannot become {declared.upper()}{because}"


def _way_out(session: Session) -> str:
    if session.state not in (DONE, ERROR, CANCELED):
        return "This version of the collection does not know the state; only state: absent or a newer version may help."
    return "A session that has ended cannot be opened again: name the item instead of session_id, to get a new one."


def require_active(session: UpdateSession, operation: str) -> None:
    """A transfer can fail after its PUT was answered: the session then goes to ERROR by itself, with the reason."""
    if session.state == DONE:
        raise ResourceBusy(
            "another task has completed it", operation=operation, session_id=session.id, remedy=RUN_AGAIN
        )
    if session.state != ACTIVE:
        reason = session.error_message.text if session.error_message else "the server gives no reason"
        raise TransferFailed(
            f"it became {session.state} by itself: {reason}", operation=operation, session_id=session.id
        )
