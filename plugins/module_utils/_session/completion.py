# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an update session is completed, and how a task learns the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable

from .._vcenter.api import UpdateSessions
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound, ResourceBusy, TimedOut, TransferFailed
from .._vcenter.messages import LocalizableMessage
from .._vcenter.models import UpdateSession
from .._vcenter.remedies import INCOMPLETE_FILES
from .._vcenter.schema import to_result
from .._vcenter.timing import Clock
from .lost_answers import ask_to_complete, is_worth_repeating
from .states import ACTIVE, DONE, Completion, require_active
from .waiting import pauses, wait_for

COMPLETE = "update_session.complete"
# The end of the message's identifier when vCenter refuses a completion because a file has not arrived.
NOT_RECEIVED = "update_session_file_not_received"
ACCEPTED = "vCenter has accepted the completion"
MISSING_OR_INVALID = "session_has_missing_or_invalid_files"


# What the state of a session says about a completion that vCenter did not refuse.
REACHED: Mapping[str | None, Completion] = {ACTIVE: Completion.ACCEPTED, DONE: Completion.DONE}


def complete(
    updates: UpdateSessions,
    session_id: str,
    *,
    wait: bool,
    wait_timeout: float,
    clock: Clock,
    silent: bool,
    was_found: bool,
    on_reached: Callable[[Completion], None],
) -> UpdateSession:
    """Validate and complete a session, then, with `wait`, wait until it has left ACTIVE.

    vCenter answers a completion when it has updated the item, so the answer may come too late for `request_timeout`, or
    be lost. Then the task reads the session until it has left ACTIVE, even if `wait` is False. Source: the published
    description of `complete`.

    A `silent` server does not say which files it has received: while it refuses because files are missing, the task
    asks again. `was_found` says that an earlier run, or another task, may have asked for the completion before.

    Returns the session as it was last seen, and tells `on_reached` how far the completion has come. Raises
    TransferFailed with the missing and invalid files, or with the reason why the session failed, and TimedOut if the
    outcome is not known within `wait_timeout` seconds.
    """

    def ask() -> ContentError | None:
        return _validate_and_ask(updates, session_id, clock, on_reached)

    try:
        lost = _ask_until_received(ask, session_id, wait_timeout, clock) if silent else ask()
    except (NotAllowedInCurrentState, ResourceBusy) as refusal:
        # If nobody has asked for the completion, a refused validation does not mean that vCenter completes the session.
        completing = is_completing(refusal) and (was_found or refusal.operation == COMPLETE)
        if completing and not was_found:
            on_reached(Completion.UNKNOWN)
        session = _await_end_by_others(
            updates, session_id, refusal, wait_timeout, clock, wait=wait, was_found=was_found, completing=completing
        )
    else:
        on_reached(Completion.UNKNOWN if lost else Completion.ACCEPTED)
        known = f"no answer says whether vCenter completes it ({lost.said})" if lost else ACCEPTED
        session = _await_end(updates, session_id, wait_timeout, clock, wait=wait or bool(lost), known=known, lost=lost)
    on_reached(REACHED.get(session.state, Completion.FAILED))
    _require_completed(session)
    return session


def _require_completed(session: UpdateSession) -> None:
    if session.state != DONE:
        require_active(session, COMPLETE)


def _ask_until_received(
    ask: Callable[[], ContentError | None], session_id: str, wait_timeout: float, clock: Clock
) -> ContentError | None:
    """Ask for the completion until vCenter no longer refuses it for files that have not arrived."""

    def ask_again() -> ContentError | None:
        try:
            return ask()
        except NotAllowedInCurrentState as refusal:
            if not is_refused_for(refusal, NOT_RECEIVED):
                raise
            return refusal

    return wait_for(
        ask_again,
        ready=lambda answer: not isinstance(answer, NotAllowedInCurrentState),
        signs=lambda answer: answer.said if answer else None,
        describe=lambda answer: answer.said if answer else "",
        operation=COMPLETE,
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def _validate_and_ask(
    updates: UpdateSessions, session_id: str, clock: Clock, on_reached: Callable[[Completion], None]
) -> ContentError | None:
    """Returns None if vCenter accepted the completion, and the error if the answer was lost."""
    validation = updates.validate_files(session_id)
    if validation.has_errors:
        missing = [f"{name} is missing" for name in validation.missing_files or ()]
        invalid = [f"{file.name} is invalid ({file.reason})" for file in validation.invalid_files or ()]
        raise TransferFailed(
            f"its files are not complete: {', '.join(missing + invalid)}",
            operation=COMPLETE,
            messages=[message for file in validation.invalid_files or () for message in file.messages],
            session_id=session_id,
            data=to_result(validation),
            remedy=INCOMPLETE_FILES,
        )
    try:
        ask_to_complete(lambda: updates.complete(session_id), clock)
    except (NotAllowedInCurrentState, ResourceBusy):
        raise
    except ContentError as error:
        if not error.may_have_happened:
            raise
        return error
    except BaseException:
        # A signal has ended the wait for the answer.
        on_reached(Completion.UNKNOWN)
        raise
    return None


def _await_end(
    updates: UpdateSessions,
    session_id: str,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    known: str,
    lost: ContentError | None = None,
    messages: Sequence[LocalizableMessage] = (),
) -> UpdateSession:
    """Read a session after its completion was asked for: until it has ended, or, without `wait`, once.

    `known` says in words what is known of the completion, `messages` are those of a refusal that says so, and `lost` is
    the error that came instead of an answer. An error that may pass does not end the wait; of the others, the second
    one does.
    """
    progress: int | None = None
    errors = 0

    def read() -> UpdateSession | ContentError:
        try:
            return updates.get(session_id)
        except NotFound as gone:
            raise lost or gone from None
        except ContentError as error:
            nonlocal errors
            errors += not is_worth_repeating(error)
            if errors > 1:
                raise
            return error

    def signs(found: UpdateSession | ContentError) -> int | None:
        nonlocal progress
        progress = progress if isinstance(found, ContentError) else found.client_progress
        return progress

    def describe(found: UpdateSession | ContentError) -> str:
        unread = f"the session cannot be read ({found.said})" if isinstance(found, ContentError) else ""
        return f"{known}, and {unread or 'it is still ACTIVE'}"

    try:
        found = wait_for(
            read,
            ready=lambda found: isinstance(found, UpdateSession) and (found.state != ACTIVE or not wait),
            signs=signs,
            describe=describe,
            operation=COMPLETE,
            timeout=wait_timeout,
            clock=clock,
            session_id=session_id,
        )
    except TimedOut as error:
        error.remedy = "Run the task again: it waits for the session. If vCenter is only slow, raise wait_timeout."
        error.messages = tuple(messages or (lost.messages if lost else ()))
        raise
    if isinstance(found, ContentError):
        raise found
    return found


def _await_end_by_others(
    updates: UpdateSessions,
    session_id: str,
    refusal: ContentError,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    was_found: bool,
    completing: bool,
) -> UpdateSession:
    """Wait until a session that refuses a completion is DONE: another task, or an earlier run, may have asked for it.

    If the session stays ACTIVE, this raises the refusal, or TimedOut if vCenter is known to be `completing` it. Raises
    TransferFailed with its reason if it ends in another way.
    """
    if completing:
        known = f"vCenter is at work on it already ({refusal.said})"
        session = _await_end(
            updates, session_id, wait_timeout, clock, wait=wait, known=known, messages=refusal.messages
        )
    else:
        # If the session was found, a refusal without a reason may mean that vCenter completes it already.
        named = is_refused_for(refusal, NOT_RECEIVED, MISSING_OR_INVALID)
        end = clock.now() + (wait_timeout if was_found and not named else clock.timing.join_completion)
        waits = pauses(clock.timing)
        while (session := updates.get(session_id)).state == ACTIVE:
            if clock.now() >= end:
                raise refusal
            clock.sleep(min(next(waits), max(0.0, end - clock.now())))
    _require_completed(session)
    return session


def is_refused_for(refusal: ContentError, *reasons: str) -> bool:
    """Whether the identifier of one of vCenter's messages ends with one of these reasons."""
    return any((message.id or "").endswith(reasons) for message in refusal.messages)


def is_completing(refusal: ContentError) -> bool:
    """Whether vCenter refuses a change of an ACTIVE session as ACTIVE or busy, as it does while it completes one."""
    return isinstance(refusal, ResourceBusy) or any(
        (message.args or ())[1:2] == (ACTIVE,) for message in refusal.messages
    )
