# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an exchange with a server may take, whatever the server sends. A second thread ends it.

The time-out of a socket begins anew with each byte, so a server that sends one byte a second never reaches it. Only
another thread can end a read that has begun, by shutting down its connection.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Callable

from .timing import Timing

ENDLESS = float("inf")


class Limit:
    """The time that one exchange has; `over` says that the exchange took longer and was ended.

    `connect_try` is how many seconds each try to connect may take.
    """

    def __init__(self, seconds: float, connect_try: float) -> None:
        self.began = time.monotonic()
        self.over = False
        self.connect_try = connect_try
        self._seconds = seconds
        self._until = self.began + seconds
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    def watch(self, descriptor: int) -> None:
        """Name the connection that the exchange uses now; it may have tried another one before."""
        # A duplicate, as the connection's descriptor changes hands when TLS begins. It may be closed and used for
        # something else before the limit ends the exchange.
        duplicate = socket.socket(fileno=os.dup(descriptor))
        with self._lock:
            self._release()
            self._connection = duplicate
            if self.over:
                self._shut()

    def pause(self) -> None:
        """Stop counting, while data moves."""
        self._until = ENDLESS

    def resume(self) -> None:
        """Start counting again from zero."""
        self._until = time.monotonic() + self._seconds

    def end_if_over(self, at_most: float) -> None:
        """End the exchange if its time is over, or if the monotonic clock has reached `at_most`."""
        if not self.over and time.monotonic() >= min(self._until, at_most):
            with self._lock:
                self.over = True
                self._shut()

    def close(self) -> None:
        with self._lock:
            self._release()

    def _shut(self) -> None:
        # The server may have closed it already.
        with suppress(OSError):
            if self._connection:
                self._connection.shutdown(socket.SHUT_RDWR)

    def _release(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


class Limits:
    """The limits of all exchanges under way, each of `seconds`.

    `time_left` returns how many seconds a task has left after a signal, None without one. The thread lives only while
    there is an exchange, so nobody has to close this.
    """

    def __init__(self, seconds: float, time_left: Callable[[], float | None], timing: Timing) -> None:
        self._seconds = seconds
        self._timing = timing
        self._time_left = time_left
        self._hurried_since: float | None = None
        self._open: set[Limit] = set()
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def limit(self) -> Iterator[Limit]:
        """The limit of the exchange in the block."""
        limit = Limit(self._seconds, self._timing.connect_try)
        try:
            with self._lock:
                self._open.add(limit)
                if not self._watcher:
                    watcher = threading.Thread(target=self._watch, name="limits", daemon=True)
                    watcher.start()
                    self._watcher = watcher
            yield limit
        finally:
            with self._lock:
                self._open.discard(limit)
            limit.close()

    def _watch(self) -> None:
        while True:
            time.sleep(self._timing.limit_watch)
            with self._lock:
                if not self._open:
                    self._watcher = None
                    return
                found = tuple(self._open)
            left, now = self._time_left(), time.monotonic()
            if left is not None and self._hurried_since is None:
                self._hurried_since = now
            for limit in found:
                limit.end_if_over(ENDLESS if left is None else min(now + left, self._hurried_end(limit)))

    def _hurried_end(self, limit: Limit) -> float:
        return max(limit.began, self._hurried_since or 0.0) + self._timing.hurried_exchange
