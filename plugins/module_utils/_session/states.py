# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declared state asks of the session that was found: the tables, and the errors where the two do not fit.

Also what a task may know of the end of a session. Pure: no server, no clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from .._vcenter.errors import NotAllowedInCurrentState, ResourceBusy, TransferFailed
from .._vcenter.models import Session

RUN_AGAIN = "Run the task again when nobody else publishes to the item."
ACTIVE, DONE, ERROR, CANCELED, NONE = "ACTIVE", "DONE", "ERROR", "CANCELED", None

# A task sets this client_progress before it asks for the completion, for later runs to see; uploads stay below it.
COMPLETING_PROGRESS = 100


class Step(enum.Enum):
    """What the task does with the session that it found, or without one, or without an item."""

    NOTHING = "nothing"
    CREATE = "create"
    OPEN = "open"
    CONVERGE = "converge"
    COMPLETE = "complete"
    CANCEL = "cancel"
    FAIL = "fail"
    DELETE = "delete"
    CANCEL_AND_DELETE = "cancel and delete"
    REFUSE = "refuse"


class Completion(enum.Enum):
    """How far the completion of a session has come, as far as the task knows."""

    NONE = "none"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DONE = "done"


class Fate(enum.Enum):
    """What happened to a session that a task created and had to give up."""

    CANCELED = "canceled"
    LEFT = "left"
    COMPLETED = "completed"
    GONE = "gone"


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

# For an item that is not there: the task creates it where it would open a session on it.
MISSING_ITEM_STEPS: Mapping[str, Step] = {
    declared: Step.CREATE if row[NONE] is Step.OPEN else Step.NOTHING for declared, row in UPDATE_STEPS.items()
}

# A session in a state that this version does not know can only be removed.
UNKNOWN_STATE_STEPS: Mapping[str, Step] = {"absent": Step.CANCEL_AND_DELETE}

# The same as for update sessions, but download sessions are never completed.
DOWNLOAD_STEPS: Mapping[str, Mapping[str | None, Step]] = {
    declared: {found: step for found, step in row.items() if found != DONE}
    for declared, row in UPDATE_STEPS.items()
    if declared != "done"
}

# The state of a session after a step that ends it; None if it is gone.
ENDS: Mapping[Step, str | None] = {
    Step.COMPLETE: DONE,
    Step.CANCEL: CANCELED,
    Step.FAIL: ERROR,
    Step.DELETE: None,
    Step.CANCEL_AND_DELETE: None,
}


def choose_step(
    declared: str, session: Session | None, steps: Mapping[str, Mapping[str | None, Step]] | None = None
) -> Step:
    """The step in the table, by default that of update sessions.

    Raises NotAllowedInCurrentState if a session in the found state cannot reach the declared one.
    """
    found = session.state if session else NONE
    step = (steps or UPDATE_STEPS)[declared].get(found, UNKNOWN_STATE_STEPS.get(declared, Step.REFUSE))
    if session and step is Step.REFUSE:
        raise NotAllowedInCurrentState(
            _refusal(declared, session), messages=session.messages, session_id=session.id, remedy=_way_out(session)
        )
    return step


def _refusal(declared: str, session: Session) -> str:
    because = f": {session.reason}" if session.error_message else ""
    return f"session {session.id} is {session.state} and cannot become {declared.upper()}{because}"


def _way_out(session: Session) -> str:
    if session.state not in (DONE, ERROR, CANCELED):
        return "This version of the collection does not know the state; only state: absent or a newer version may help."
    return "A session that has ended cannot be opened again: name the item instead of session_id, to get a new one."


def require_active(session: Session, operation: str) -> None:
    """Raises TransferFailed, or ResourceBusy if another task completed the session.

    A transfer can fail after the answer to its PUT: vCenter then sets the session to ERROR and gives the reason.
    """
    if session.state == DONE:
        raise ResourceBusy(
            "another task has completed it", operation=operation, session_id=session.id, remedy=RUN_AGAIN
        )
    if session.state != ACTIVE:
        raise TransferFailed(
            f"it became {session.state} while the task was at work in it: {session.reason}",
            operation=operation,
            messages=session.messages,
            session_id=session.id,
        )
