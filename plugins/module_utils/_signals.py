# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task ends before its time: by a signal, or when nobody is left to read its result."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
RESULT_DESCRIPTOR = 1
READER_CHECK_SECONDS = 1.0
INSIST_SECONDS = 0.1
FAREWELL = b"\0"


class Interrupted(BaseException):
    """A signal asked the task to end; no library catches it on its way to the clean-up."""


class Signals:
    """Turns the first signal, or the loss of whoever waits for our result, into Interrupted; later ones are ignored.

    C(noticed) says that it has come, also while a shield still holds it back.
    """

    def __init__(self) -> None:
        self._shields = 0
        self._caught: str | None = None
        self.noticed = False
        self._finished = threading.Event()

    @contextmanager
    def handled(self) -> Iterator[None]:
        """What comes after the block is the printing of the result, which no signal must cut: they stay ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in SIGNALS:
            signal.signal(number, self._catch)
        woken, alarm = os.pipe()
        os.set_blocking(alarm, False)
        previous_alarm = signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        watcher = threading.Thread(target=self._watch, args=(woken,), name="signal-watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self.ignore()
            self._finished.set()
            signal.set_wakeup_fd(previous_alarm)
            with suppress(BlockingIOError):
                os.write(alarm, FAREWELL)
            watcher.join()
            os.close(woken)
            os.close(alarm)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let a signal wait until the end of the block; in another thread than the main one none comes anyway."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            # Also in place of an error: whoever catches that would go on, and later signals are ignored.
            self._raise_if_caught()

    def ignore(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        self.ignore()
        self.noticed = True
        self._caught = signal.Signals(number).name
        self._raise_if_caught()

    def _raise_if_caught(self) -> None:
        if self._caught and not self._shields:
            name, self._caught = self._caught, None
            raise Interrupted(f"The task was ended by {name}.")

    def _watch(self, woken: int) -> None:
        """See to it that signals are noticed, and take the loss of whoever reads our result for one.

        A task's timeout kills the worker and not the module: the reader's end of our standard output closes with it;
        where that is no pipe, the parent process changes.
        """
        parent = os.getppid()
        poller = select.poll()
        poller.register(RESULT_DESCRIPTOR, 0)
        poller.register(woken, select.POLLIN)
        while not self._finished.is_set():
            events = dict(poller.poll(READER_CHECK_SECONDS * 1000))
            if woken in events:
                self._insist(os.read(woken, 64))
            if RESULT_DESCRIPTOR in events:
                poller.unregister(RESULT_DESCRIPTOR)
            unread = events.get(RESULT_DESCRIPTOR, 0) & (select.POLLERR | select.POLLHUP)
            if unread or os.getppid() != parent:
                parent = os.getppid()
                os.kill(os.getpid(), signal.SIGTERM)

    def _insist(self, numbers: bytes) -> None:
        """A signal that comes just before the main thread begins to wait does not wake it: the next one does."""
        for number in numbers:
            while number in SIGNALS and not self.noticed and not self._finished.wait(INSIST_SECONDS):
                signal.pthread_kill(threading.main_thread().ident or 0, number)
