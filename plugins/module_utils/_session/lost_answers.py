# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How something is made, ended or removed for certain, although answers get lost on the way.

It is asked for again only where that does no harm.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Callable

from .._vcenter.api import Api
from .._vcenter.errors import (
    ConnectionFailed,
    ContentError,
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    OutOfTime,
    ResourceBusy,
    TimedOut,
)
from .._vcenter.models import Session
from .states import ACTIVE, DONE

REMOVAL_TRIES = 3
COMPLETION_TRIES = 5
FIRST_PAUSE = 1.0
# So a server says that it has not begun with a request.
TOO_MANY_REQUESTS = 429


class Fate(enum.Enum):
    """What became of a session that a task made and had to give up."""

    CANCELED = "canceled"
    LEFT = "left"
    COMPLETED = "completed"
    GONE = "gone"


# What the state of a session whose completion was asked for says of its fate. One in any other state has failed.
FATES: Mapping[str | None, Fate] = {ACTIVE: Fate.LEFT, DONE: Fate.COMPLETED}


def make_surely(create: Callable[[], str]) -> str:
    """The identifier of what is made with a client token.

    Where the answer came too late or cannot be read, it is asked for again: for the same token the server names what it
    has made already, so that nothing is left that nobody knows of.
    """
    try:
        return create()
    except (TimedOut, InvalidResponse):
        return create()


def is_lost(error: ContentError) -> bool:
    """Whether the server may have done what it was asked, although it was answered with an error, or not at all."""
    unread = isinstance(error, (ConnectionFailed, TimedOut, InvalidResponse)) or (error.status or 0) >= 500
    return unread and error.was_sent


def may_be_done(error: BaseException) -> bool:
    """Whether what was asked for may be done all the same: its answer is lost, or a signal ended the wait for it."""
    return not isinstance(error, Exception) or (isinstance(error, ContentError) and is_lost(error))


@contextmanager
def noted(what: str, on_change: Callable[[str], None]) -> Iterator[None]:
    """Tell in words of what the block changes, when it has; also where its answer was lost, as then it may have."""
    try:
        yield
    except BaseException as error:
        if may_be_done(error):
            on_change(f"perhaps {what}")
        raise
    on_change(what)


def end_surely(ask: Callable[[], None], read: Callable[[], Session], state: str) -> None:
    """Have a session canceled or failed; that this is refused after a lost answer can mean that it has been done."""
    asked: list[None] = []

    def ask_again() -> None:
        asked.append(None)
        ask()

    try:
        insist(ask_again)
    except NotAllowedInCurrentState:
        if len(asked) == 1 or read().state != state:
            raise


def withdraw(api: Api, session_id: str, *, asked: bool) -> Fate:
    """Undo the making of an update session: cancel and delete it, unless it has been completed.

    A session whose completion was C(asked) for is left to vCenter for as long as it is ACTIVE or cannot be read:
    vCenter may be at work on it, and canceling it would undo the whole upload.
    """
    if asked:
        fate = _fate_of(api, session_id)
        if fate is not Fate.CANCELED:
            return fate
    with _told_if_left(session_id):
        try:
            insist(lambda: api.cancel_update_session(session_id))
        except NotFound:
            return Fate.GONE
        except NotAllowedInCurrentState:
            if api.get_update_session(session_id).state == DONE:
                return Fate.COMPLETED
        insist(lambda: api.delete_update_session(session_id))
    return Fate.CANCELED


def _fate_of(api: Api, session_id: str) -> Fate:
    """What has become of a session whose completion was asked for; C(CANCELED) is one that has ended without it."""
    try:
        return FATES.get(api.get_update_session(session_id).state, Fate.CANCELED)
    except NotFound:
        return Fate.GONE
    except ContentError:
        return Fate.LEFT


def discard(api: Api, session_id: str, on_canceled: Callable[[], None] = lambda: None) -> None:
    """Delete an update session whatever its state, canceling it first if need be; one that has gone is fine.

    C(on_canceled) is told when it has been canceled and not yet deleted.
    """
    _discard(api.cancel_update_session, api.delete_update_session, session_id, on_canceled)


def discard_download(api: Api, session_id: str, on_canceled: Callable[[], None] = lambda: None) -> None:
    """The same for a download session."""
    _discard(api.cancel_download_session, api.delete_download_session, session_id, on_canceled)


def delete_download(api: Api, session_id: str) -> None:
    """Delete a download session that has served its purpose; one that has gone is fine."""
    with suppress(NotFound):
        insist(lambda: api.delete_download_session(session_id))


def insist(ask: Callable[[], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """Ask for something that does no harm when it is asked for again, as what is left behind blocks the next run.

    Unlike with other requests, an error of the server's own is no reason to give up.
    """
    _ask(ask, REMOVAL_TRIES, sleep, again=may_pass)


def ask_to_complete(ask: Callable[[], None], sleep: Callable[[float], None]) -> None:
    """Ask for a completion, again only where vCenter has surely not begun with it: an upload depends on the answer."""
    _ask(ask, COMPLETION_TRIES, sleep, again=lambda error: not error.was_sent or error.status == TOO_MANY_REQUESTS)


def may_pass(error: ContentError) -> bool:
    """Whether what was asked for may be done when it is asked for again."""
    if isinstance(error, OutOfTime):
        return False
    unsent = isinstance(error, ConnectionFailed) and not error.was_sent
    return is_lost(error) or unsent or error.status == TOO_MANY_REQUESTS or isinstance(error, ResourceBusy)


def _ask(
    ask: Callable[[], None], tries: int, sleep: Callable[[float], None], *, again: Callable[[ContentError], bool]
) -> None:
    pause = FIRST_PAUSE
    for tried in range(1, tries + 1):
        try:
            ask()
        except ContentError as error:
            if tried == tries or not again(error):
                raise
        else:
            return
        sleep(pause)
        pause *= 2


def _discard(
    cancel: Callable[[str], None], delete: Callable[[str], None], session_id: str, on_canceled: Callable[[], None]
) -> None:
    with _told_if_left(session_id):
        with suppress(NotAllowedInCurrentState):
            insist(lambda: cancel(session_id))
            on_canceled()
        insist(lambda: delete(session_id))


@contextmanager
def _told_if_left(session_id: str) -> Iterator[None]:
    """A session that has gone is fine; one that cannot be removed is named."""
    try:
        yield
    except NotFound:
        return
    except ContentError as error:
        error.notes.append(f"Session {session_id} is left behind; state: absent with this session_id removes it.")
        raise
