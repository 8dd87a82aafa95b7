# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial observes of sessions: who may have one, what names it, and what becomes of one that has ended."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress

from .._vcenter.answers import is_unknown
from .._vcenter.errors import ContentError, InvalidResponse, NotAllowedInCurrentState, NotFound, ResourceBusy
from .._vcenter.models import WarningBehavior
from .._vcenter.remedies import needs
from .known import OTHER, UNOBSERVED
from .made import read_time
from .trial import Trial

TWO_PARTS = re.compile("[0-9A-Fa-f-]{36}:[0-9A-Fa-f-]{36}")
ONE_PART = re.compile("[0-9A-Fa-f-]{36}")
USUAL_SECONDS, TOLERANCE = 300.0, 45.0
SELF_SIGNED, UNTRUSTED = "SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE"
IGNORED = tuple(WarningBehavior(type=kind, ignored=True) for kind in (SELF_SIGNED, UNTRUSTED))


def open_first(trial: Trial, item_id: str, client_token: str) -> str:
    """Create the first session of a trial. Raises what a creation raises."""
    try:
        session_id = trial.open_update(item_id, client_token)
    except InvalidResponse as error:
        trial.seen["unprivileged-creation"] = "empty"
        error.remedy = needs("ContentLibrary.UpdateSession")
        raise
    except ContentError as error:
        if error.error_type == "UNAUTHORIZED":
            trial.seen["unprivileged-creation"] = "refused"
        raise
    if TWO_PARTS.fullmatch(session_id):
        trial.seen["session-ids"] = "two-parts"
    else:
        trial.seen["session-ids"] = "one-part" if ONE_PART.fullmatch(session_id) else OTHER
    return session_id


def observe_session(trial: Trial, item_id: str, session_id: str, client_token: str) -> None:
    """Observe an ACTIVE session without files; it is ACTIVE afterwards, or the creation of another one fails."""
    _observe_reading(trial, session_id)
    _observe_token(trial, item_id, session_id, client_token)
    _observe_second(trial, item_id, session_id)
    _observe_change(trial, session_id)


def _observe_reading(trial: Trial, session_id: str) -> None:
    first = trial.session(session_id)
    trial.seen["session-id"] = "shown" if trial.raw_session().get("id") else "left-out"
    now, expires = trial.task.connection.server_time(), read_time(first.expiration_time)
    if now and expires:
        seconds = (expires - now).total_seconds()
        near = abs(seconds - USUAL_SECONDS) <= TOLERANCE
        trial.seen["sessions-expire"] = "five-minutes" if near else "sooner" if seconds < USUAL_SECONDS else "later"
    clock = trial.task.clock
    for _again in range(2):
        clock.sleep(clock.timing.extending_pause)
        last = trial.session(session_id)
    if first.expiration_time and last.expiration_time:
        trial.seen["reading-extends"] = "no" if first.expiration_time == last.expiration_time else "yes"


def _observe_token(trial: Trial, item_id: str, session_id: str, client_token: str) -> None:
    """Ask for the same session once more, as a task does whose answer was lost."""
    try:
        again = trial.open_update(item_id, client_token)
    except ResourceBusy:
        trial.seen["client-token-is-idempotent"] = "refused"
        return
    trial.seen["client-token-is-idempotent"] = "same-session" if again == session_id else "another-session"
    if again != session_id:
        trial.end_update(again)


def _observe_second(trial: Trial, item_id: str, session_id: str) -> None:
    try:
        second = trial.open_update(item_id)
    except ResourceBusy as error:
        trial.seen["one-active-session"] = "refused"
        said = " ".join(argument for message in error.messages for argument in message.args or ())
        trial.seen["busy-text"] = "session" if session_id in said else "item" if item_id in said else OTHER
        return
    if second != session_id:
        trial.seen["one-active-session"] = "allowed"
        trial.end_update(second)


def _observe_change(trial: Trial, session_id: str) -> None:
    try:
        trial.api.updates.set_warning_behavior(session_id, IGNORED)
    except ContentError as error:
        if not is_unknown(error):
            raise
        trial.seen["patch-changes-warnings-only"] = "not-found"
        return
    was_set = set(trial.session(session_id).ignored_warnings) == {SELF_SIGNED, UNTRUSTED}
    trial.seen["patch-changes-warnings-only"] = "set" if was_set else "ignored"


def observe_deletion(trial: Trial, session_id: str) -> bool:
    """Try to delete an ACTIVE session; returns whether it is still there."""
    try:
        trial.api.updates.delete(session_id)
    except NotAllowedInCurrentState:
        trial.seen["active-session-is-not-deleted"] = "refused"
        return True
    trial.seen["active-session-is-not-deleted"] = "deleted"
    return False


def observe_memory(trial: Trial, item_id: str, client_token: str, *, is_slow: bool) -> None:
    """Ask for a deleted session by its client token: a vCenter that remembers the token names what is gone."""
    if trial.seen.get("client-token-is-idempotent") != "same-session":
        # Nothing is remembered, so there is nothing to forget.
        return
    if _is_forgotten(trial, item_id, client_token):
        trial.seen["client-token"] = "until-deletion"
    elif is_slow:
        trial.task.clock.sleep(trial.task.clock.timing.trial_slow)
        trial.seen["client-token"] = "for-a-time" if _is_forgotten(trial, item_id, client_token) else "for-good"
    else:
        trial.seen["client-token"] = UNOBSERVED


def _is_forgotten(trial: Trial, item_id: str, client_token: str) -> bool:
    session_id = trial.open_update(item_id, client_token)
    try:
        is_new = trial.session(session_id).state == "ACTIVE"
    except NotFound:
        is_new = False
    trial.end_update(session_id)
    return is_new


def observe_expiry(trial: Trial, item_id: str) -> None:
    """Wait for the end of a session in which nobody does anything, which is announced with the session."""
    announced: Mapping[bool, str] = {True: trial.seen.get("sessions-expire", UNOBSERVED), False: "later"}
    session_id = trial.open_update(item_id)
    trial.task.clock.sleep(trial.task.clock.timing.trial_slow)
    is_over = True
    with suppress(NotFound):
        is_over = trial.session(session_id).state != "ACTIVE"
    trial.seen["sessions-expire"] = announced[is_over]
    trial.end_update(session_id)


def end_in_each_way(trial: Trial, item_id: str) -> None:
    """Fail a session, and cancel another one: for the report alone."""
    session_id = trial.open_update(item_id)
    trial.api.updates.fail(session_id, "This is a check.")
    trial.session(session_id)
    trial.end_update(session_id)
    other = trial.open_update(item_id)
    trial.api.updates.cancel(other)
    trial.session(other)
    trial.end_update(other)


def new_token() -> str:
    return str(uuid.uuid4())
