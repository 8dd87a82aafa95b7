# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a session is kept from expiring while files move through it, and how a task finds out why one was lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Callable

from .._vcenter.api import Sessions
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound
from .._vcenter.models import Session
from .._vcenter.timing import Clock, Timing
from .states import require_active


class Hold:
    """A session that files move through; `stop` is set when the session is lost, to end the transfers.

    `operation` is that of the transfers, for messages.
    """

    def __init__(self, sessions: Sessions[Any, Any], session_id: str, operation: str, clock: Clock) -> None:
        self.stop = threading.Event()
        self._sessions = sessions
        self._session_id = session_id
        self._operation = operation
        self._timing = clock.timing
        self._lost: ContentError | None = None

    @contextmanager
    def kept_alive(
        self, session: Session, *, server_time: datetime | None, at_most: float, progress: Callable[[], int]
    ) -> Iterator[None]:
        """While the block runs, a thread extends the session, and with it the login, well before it expires.

        It does so every `at_most` seconds, more often if the session expires soon. It passes on the `progress`, 0 to
        100, when that has grown. Unless the session is lost, a failure is ignored, as the next try may succeed.
        """
        finished = threading.Event()
        interval = keep_alive_interval(session.expiration_time, server_time, at_most, self._timing)

        def keep() -> None:
            told = session.client_progress or 0
            while not finished.wait(interval):
                try:
                    reached = min(progress(), 100)
                    self._sessions.keep_alive(self._session_id, reached if reached > told else None)
                except (NotFound, NotAllowedInCurrentState) as error:
                    if not finished.is_set():
                        self._lost = error
                        self.stop.set()
                    return
                except Exception:  # noqa: BLE001, S112 (a traceback would get into the output; the next may succeed)
                    continue
                told = max(told, reached)

        keeper = threading.Thread(target=keep, name="keep-alive", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            finished.set()
            keeper.join(self._timing.stop)

    def why_lost(self) -> ContentError | None:
        """Why the session was lost, None if it was not; this says more than the refusal of an operation."""
        try:
            session = self._sessions.get(self._session_id)
        except ContentError as error:
            return self._lost or error
        try:
            require_active(session, self._operation)
        except ContentError as error:
            return error
        return self._lost


def keep_alive_interval(
    expiration_time: str | None, server_time: datetime | None, at_most: float, timing: Timing
) -> float:
    """Seconds between two extensions: a quarter of the time left, within `shortest_keep_alive` and `at_most`.

    Both times are the server's, so the clock of this host does not matter.
    """
    if server_time is None:
        return at_most
    try:
        expires = datetime.fromisoformat((expiration_time or "").replace("Z", "+00:00"))
        left = (expires - server_time).total_seconds()
    except (ValueError, TypeError):
        return at_most
    return min(max(left / 4, timing.shortest_keep_alive), at_most)
