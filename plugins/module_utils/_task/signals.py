# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task ends before its time: by a signal, or when nobody is left to read its result."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Callable, TypeVar

SaidT = TypeVar("SaidT")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Wakes a thread that waits; where it is not handled it is ignored.
WAKE = signal.SIGURG
RESULT_DESCRIPTOR = 1
READER_CHECK_SECONDS = 1.0
WAKE_SECONDS = 0.1
FAREWELL = b"\0"
# For all that a task does after the signal that ends it, but for the logout.
CLEAN_UP_SECONDS = 6.5
# A terminal and Ansible may each send a signal for one and the same wish: those that come within so many seconds of the
# first are ignored.
ONE_WISH_SECONDS = 0.5
LONGEST_HURRIED_PAUSE = 0.5
NAP_SECONDS = 0.1
UNKNOWN = "What it was asking vCenter for at that moment may have been done."


class Interrupted(BaseException):
    """A signal asked the task to end; no library catches it on its way to the clean-up.

    C(error_type) is what users are told. A caller sets it to C(TIMED_OUT) where only a wait has ended.
    """

    error_type = "CANCELED"


class Abandoned(Interrupted):
    """A second signal asked the task to end at once."""


class Signals:
    """Turns the first signal, or the loss of whoever waits for our result, into Interrupted.

    From then on the task cleans up, and has a few seconds for all of it. A second signal is Abandoned: it also ends
    what a shield holds, and the step of the clean-up that is under way. Later ones are ignored.
    """

    def __init__(self) -> None:
        self._shields = 0
        self._caught: str | None = None
        self._first = ""
        self._came = 0.0
        self._until = 0.0
        self._noticed = False
        self._abandoned = False
        self._ending = False
        self._in_step = False
        self._finished = threading.Event()

    @contextmanager
    def handled(self) -> Iterator[None]:
        """What comes after the block is the printing of the result, which no signal must cut: they are ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous_wake = signal.signal(WAKE, self._listen_again)
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
            self._finished.set()
            self._ignore()
            signal.set_wakeup_fd(previous_alarm)
            with suppress(BlockingIOError):
                os.write(alarm, FAREWELL)
            watcher.join()
            os.close(woken)
            os.close(alarm)
            signal.signal(WAKE, previous_wake or signal.SIG_DFL)

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
            # Also in place of an error: whoever catches that would go on, and the signal would be forgotten.
            self._raise_if_caught()

    def begin_to_end(self) -> None:
        """From here on the task ends anyway: a signal puts it in a hurry, and only a second one cuts anything."""
        self._ending = True

    def take_step(self, step: Callable[[], SaidT]) -> SaidT:
        """Take a step of the clean-up, and return what it says.

        One that a second signal cuts is taken again: as nothing can be sent any more, it says what is left.
        """
        try:
            self._in_step = not self._abandoned
            return step()
        except Abandoned:
            return step()
        finally:
            self._in_step = False

    def time_left(self) -> float | None:
        """How many seconds there are for what is still to be sent; None where the task need not end."""
        if not self._noticed:
            return None
        return 0.0 if self._abandoned else max(0.0, self._until - time.monotonic())

    def grant(self, seconds: float) -> None:
        """Have at least so many seconds left, unless the task was asked to end at once."""
        self._until = max(self._until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep, but for no more than a moment where the task has to end, also within a shield."""
        began = time.monotonic()
        while (slept := time.monotonic() - began) < (min(seconds, LONGEST_HURRIED_PAUSE) if self._noticed else seconds):
            time.sleep(min(NAP_SECONDS, seconds - slept))

    def _ignore(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        self._ignore()
        name, now = signal.Signals(number).name, time.monotonic()
        if not self._noticed:
            self._first = self._caught = name
            self._came, self._until = now, now + CLEAN_UP_SECONDS
            self._noticed = True
            self._raise_if_caught()
            return
        self._abandoned = True
        # The end of a shield says no more than this.
        self._caught = None
        if self._in_step or not self._ending:
            told = f"The task was ended by {self._first}, and by {name} before it had cleaned up."
            raise Abandoned(f"{told} {UNKNOWN}" if self._shields else told)

    def _listen_again(self, _number: int, _frame: FrameType | None) -> None:
        """Only the main thread can, so it has to be woken for it."""
        listens = self._abandoned or self._finished.is_set() or signal.getsignal(SIGNALS[0]) == self._catch
        if self._noticed and not listens and time.monotonic() - self._came >= ONE_WISH_SECONDS:
            for number in SIGNALS:
                signal.signal(number, self._catch)

    def _raise_if_caught(self) -> None:
        if self._caught and not self._shields and not self._ending:
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
        came = False
        while not self._finished.is_set():
            events = dict(poller.poll((WAKE_SECONDS if came else READER_CHECK_SECONDS) * 1000))
            if woken in events:
                numbers = os.read(woken, 64)
                came = came or any(number in SIGNALS for number in numbers)
            elif came:
                # A signal that comes just before the main thread begins to wait does not wake it: the next one does.
                signal.pthread_kill(threading.main_thread().ident or 0, WAKE)
            if RESULT_DESCRIPTOR in events:
                poller.unregister(RESULT_DESCRIPTOR)
            unread = events.get(RESULT_DESCRIPTOR, 0) & (select.POLLERR | select.POLLHUP)
            lost = unread or os.getppid() != parent
            parent = os.getppid()
            # Whoever is ended together with our reader has one wish and not two.
            if lost and not self._noticed:
                os.kill(os.getpid(), signal.SIGTERM)
