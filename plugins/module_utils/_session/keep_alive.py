# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a session is kept from expiring while it is worked on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Callable

from .._vcenter.errors import ContentError, NotAllowedInCurrentState, NotFound
from .._vcenter.models import Session

SHORTEST_KEEP_ALIVE = 0.5
LONGEST_KEEP_ALIVE = 30.0
# So often that whoever looks on for LOOK_SECONDS sees a task that is at work in an update session.
SIGN_OF_LIFE_SECONDS = 2.0
STOP_SECONDS = 1.0


@contextmanager
def kept_alive(
    extend: Callable[[int | None], None],
    session: Session,
    *,
    server_time: datetime | None,
    at_most: float,
    progress: Callable[[], int],
    on_lost: Callable[[ContentError], None],
) -> Iterator[None]:
    """While the block runs, extend a session well before it expires, and with it the login, in a thread.

    C(at_most) so many seconds lie between two signs of life, fewer where the session expires soon. C(extend) is told
    the progress, 0 to 100, when it has grown; C(on_lost) why the session cannot be extended any more. A passing failure
    is left to the next round.
    """
    finished = threading.Event()
    interval = keep_alive_interval(session.expiration_time, server_time, at_most)

    def keep() -> None:
        told = session.client_progress or 0
        while not finished.wait(interval):
            try:
                reached = min(progress(), 100)
                extend(reached if reached > told else None)
            except (NotFound, NotAllowedInCurrentState) as error:
                if not finished.is_set():
                    on_lost(error)
                return
            except Exception:  # noqa: BLE001, S112 (a traceback would stand in the output, and the next round may do)
                continue
            told = max(told, reached)

    keeper = threading.Thread(target=keep, name="keep-alive", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        finished.set()
        keeper.join(STOP_SECONDS)


def keep_alive_interval(expiration_time: str | None, server_time: datetime | None, at_most: float) -> float:
    """Seconds between two signs of life: a quarter of the time left, and seldom enough to be no load.

    Both times are the server's, so that the clock of this host may show anything.
    """
    if server_time is None:
        return at_most
    try:
        expires = datetime.fromisoformat((expiration_time or "").replace("Z", "+00:00"))
        left = (expires - server_time).total_seconds()
    except (ValueError, TypeError):
        return at_most
    return min(max(left / 4, SHORTEST_KEEP_ALIVE), at_most)
