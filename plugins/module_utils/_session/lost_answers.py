# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task makes sure that a request is carried out, although answers get lost.

It repeats a request only where that does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from .._vcenter.errors import ContentError, InvalidResponse, OutOfTime, ResourceBusy, TimedOut
from .._vcenter.timing import SYSTEM_CLOCK, Clock


def make_surely(create: Callable[[], str]) -> str:
    """Create something with a client token; returns its identifier.

    If the answer came too late or cannot be read, this asks again. For the same token the server names what it has
    created already, so no session or item is left that nobody knows of.
    """
    try:
        return create()
    except (TimedOut, InvalidResponse):
        return create()


@contextmanager
def noted(what: str, on_change: Callable[[str], None]) -> Iterator[None]:
    """Report after the block that it changed something; with "perhaps" if its answer was lost."""
    try:
        yield
    except BaseException as error:
        # An interruption by a signal is not an Exception; it ends the wait for an answer.
        if not isinstance(error, Exception) or (isinstance(error, ContentError) and error.may_have_happened):
            on_change(f"perhaps {what}")
        raise
    on_change(what)


def insist(ask: Callable[[], None], clock: Clock = SYSTEM_CLOCK) -> None:
    """Send a request that does no harm when it is repeated, until it succeeds or the tries are used up.

    It removes something that would block the next run. So, unlike other requests, it is repeated after a server error.
    """
    _ask(ask, clock.timing.removal_tries, clock, again=is_worth_repeating)


def ask_to_complete(ask: Callable[[], None], clock: Clock) -> None:
    """Ask for a completion. Ask again only if vCenter surely has not begun with it: a whole upload is at stake."""
    _ask(
        ask,
        clock.timing.completion_tries,
        clock,
        again=lambda error: not error.may_have_happened and (error.is_transient or not error.was_sent),
    )


def is_worth_repeating(error: ContentError) -> bool:
    """Whether a request that does no harm when it is repeated may succeed then."""
    passes = error.is_transient or error.may_have_happened or isinstance(error, ResourceBusy)
    return passes and not isinstance(error, OutOfTime)


def _ask(ask: Callable[[], None], tries: int, clock: Clock, *, again: Callable[[ContentError], bool]) -> None:
    pause = clock.timing.first_insisting_pause
    for tried in range(1, tries + 1):
        try:
            ask()
        except ContentError as error:
            if tried == tries or not again(error):
                raise
        else:
            return
        clock.sleep(pause)
        pause *= 2
