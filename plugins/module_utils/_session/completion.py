# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an update session is completed, and how a task learns what has become of that."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Callable

from .._vcenter.api import Api
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound, ResourceBusy, TimedOut, TransferFailed
from .._vcenter.models import UpdateSession, to_result
from .lost_answers import ask_to_complete, is_lost, may_pass
from .states import ACTIVE, DONE, require_active
from .waiting import Clock, pauses, wait_for

JOIN_SECONDS = 5.0
COMPLETE = "update_session.complete"
# How the message is called by which vCenter refuses a completion as a file has not arrived.
NOT_RECEIVED = "update_session_file_not_received"
ACCEPTED = "vCenter has accepted the completion"
MISSING_OR_INVALID = "session_has_missing_or_invalid_files"


class Completion(enum.Enum):
    """How far the completion of a session has come, as far as anybody can tell."""

    NONE = "none"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DONE = "done"


# What the state of a session says of a completion that it did not refuse.
REACHED: Mapping[str | None, Completion] = {ACTIVE: Completion.ACCEPTED, DONE: Completion.DONE}


def complete(
    api: Api,
    session_id: str,
    *,
    wait: bool,
    wait_timeout: float,
    clock: Clock,
    silent: bool,
    was_found: bool,
    on_reached: Callable[[Completion], None],
) -> UpdateSession:
    """Validate and complete a session, then wait until it has left ACTIVE, unless told not to.

    The answer to a completion comes when vCenter has updated the item, so it may come too late for C(request_timeout),
    or be lost. The session is then read until it has left ACTIVE, also where C(wait) is False. Source: the published
    description of C(complete).

    Where the server is C(silent) on what it has received, it is asked again while it says that files are missing yet.
    C(was_found) says that an earlier run, or another task, may have asked for the completion before.

    Returns the session as it was last seen; C(on_reached) is told how far the completion has come. Raises
    TransferFailed naming missing and invalid files, or with the reason for which the session failed; TimedOut if
    nothing says within C(wait_timeout) seconds what has become of it.
    """

    def ask() -> ContentError | None:
        return _ask_to_complete(api, session_id, clock, on_reached)

    try:
        lost = _ask_until_received(ask, session_id, wait_timeout, clock) if silent else ask()
    except (NotAllowedInCurrentState, ResourceBusy) as refusal:
        # Of a session that nobody has asked to complete, the refusal to validate it says nothing of that kind.
        completing = is_completing(refusal) and (was_found or refusal.operation == COMPLETE)
        if completing and not was_found:
            on_reached(Completion.UNKNOWN)
        session = _await_end_by_others(
            api, session_id, refusal, wait_timeout, clock, wait=wait, was_found=was_found, completing=completing
        )
    else:
        on_reached(Completion.UNKNOWN if lost else Completion.ACCEPTED)
        known = f"no answer says whether vCenter completes it ({lost.said})" if lost else ACCEPTED
        session = _await_end(api, session_id, wait_timeout, clock, wait=wait or bool(lost), known=known, lost=lost)
    on_reached(REACHED.get(session.state, Completion.FAILED))
    _require_completed(session)
    return session


def _require_completed(session: UpdateSession) -> None:
    if session.state != DONE:
        require_active(session, COMPLETE)


def _ask_until_received(
    ask: Callable[[], ContentError | None], session_id: str, wait_timeout: float, clock: Clock
) -> ContentError | None:
    """Ask for the completion until it is not refused any more for files that have not arrived."""

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


def _ask_to_complete(
    api: Api, session_id: str, clock: Clock, on_reached: Callable[[Completion], None]
) -> ContentError | None:
    """Returns None for a completion that was accepted, and the error that came where the answer was lost."""
    validation = api.validate_update_files(session_id)
    if validation.has_errors:
        missing = [f"{name} is missing" for name in validation.missing_files or ()]
        invalid = [
            f"{file.name} is invalid ({file.error_message.text if file.error_message else 'no reason given'})"
            for file in validation.invalid_files or ()
        ]
        raise TransferFailed(
            f"its files do not make an item: {', '.join(missing + invalid)}",
            operation=COMPLETE,
            session_id=session_id,
            data=to_result(validation),
            remedy="Declare the missing files under files, and replace the invalid ones.",
        )
    try:
        ask_to_complete(lambda: api.complete_update_session(session_id), clock.sleep)
    except (NotAllowedInCurrentState, ResourceBusy):
        raise
    except ContentError as error:
        if not is_lost(error):
            raise
        return error
    except BaseException:
        # A signal has ended the wait for the answer.
        on_reached(Completion.UNKNOWN)
        raise
    return None


def _await_end(
    api: Api,
    session_id: str,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    known: str,
    lost: ContentError | None = None,
) -> UpdateSession:
    """A session whose completion was asked for, when it has ended, or as soon as it was read where nobody waits.

    C(known) is what is known of the completion, in words, and C(lost) what came in place of an answer to the request. A
    server that cannot be reached says nothing of the session, so the wait goes on; any other error ends it when it
    comes for the second time.
    """
    progress: int | None = None
    errors = 0

    def read() -> UpdateSession | ContentError:
        try:
            return api.get_update_session(session_id)
        except NotFound as gone:
            raise lost or gone from None
        except ContentError as error:
            nonlocal errors
            errors += not may_pass(error)
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
        error.messages = error.messages or (lost.messages if lost else ())
        raise
    if isinstance(found, ContentError):
        raise found
    return found


def _await_end_by_others(
    api: Api,
    session_id: str,
    refusal: ContentError,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    was_found: bool,
    completing: bool,
) -> UpdateSession:
    """A session that takes no completion, once it is DONE: another task, or an earlier run, may have completed it.

    Raises the refusal if it stays ACTIVE and is not C(completing) by what is known, TimedOut if it is, and
    TransferFailed with its reason if it ends in another way.
    """
    if completing:
        known = f"vCenter is at work on it already ({refusal.said})"
        session = _await_end(api, session_id, wait_timeout, clock, wait=wait, known=known)
    else:
        # Of a session that was found, a refusal without a reason may mean that vCenter completes it already.
        named = is_refused_for(refusal, NOT_RECEIVED, MISSING_OR_INVALID)
        end = clock.now() + (wait_timeout if was_found and not named else JOIN_SECONDS)
        waits = pauses()
        while (session := api.get_update_session(session_id)).state == ACTIVE:
            if clock.now() >= end:
                raise refusal
            clock.sleep(min(next(waits), max(0.0, end - clock.now())))
    _require_completed(session)
    return session


def is_refused_for(refusal: ContentError, *reasons: str) -> bool:
    """Whether vCenter names one of these reasons, by the end of its message's identifier."""
    return any((message.id or "").endswith(reasons) for message in refusal.messages)


def is_completing(refusal: ContentError) -> bool:
    """Whether an ACTIVE session refuses something for being ACTIVE or busy, as while the server is completing it."""
    return isinstance(refusal, ResourceBusy) or any(
        (message.args or ())[1:2] == (ACTIVE,) for message in refusal.messages
    )
