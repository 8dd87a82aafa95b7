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

from .._vcenter.timing import Timing

SaidT = TypeVar("SaidT")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Wakes the main thread. A process without a handler ignores it.
WAKE = signal.SIGURG
RESULT_DESCRIPTOR = 1
FAREWELL = b"\0"
UNKNOWN = "What it was asking vCenter for at that moment may have been done."


class Interrupted(BaseException):
    """A signal asked the task to end. As a BaseException it reaches the clean-up, and no library catches it.

    The failure has `error_type`. A caller sets it to `TIMED_OUT` if the signal only ended a wait.
    """

    error_type = "CANCELED"


class Abandoned(Interrupted):
    """A second signal asked the task to end at once."""


class Signals:
    """Turns the first signal, or the loss of the process that reads our result, into Interrupted.

    From then on the task cleans up, within a few seconds. A second signal is Abandoned: it also cuts what a shield
    holds, and the current step of the clean-up. Later signals are ignored.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
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
        """Handle signals in the block, and ignore them after it: no signal must cut the printing of the result."""
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
        """Let a signal wait until the end of the block. Only the main thread gets signals; others need no shield."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            # Also in place of an error: a caller that catches the error would go on and forget the signal.
            self._raise_if_caught()

    def begin_to_end(self) -> None:
        """From here on the task ends anyway: a first signal only limits its time, and a second one cuts."""
        self._ending = True

    def take_step(self, step: Callable[[], SaidT]) -> SaidT:
        """Take a step of the clean-up; returns its note.

        If a second signal cuts the step, it runs once more. It can send nothing then, so it says what is left.
        """
        try:
            self._in_step = not self._abandoned
            return step()
        except Abandoned:
            return step()
        finally:
            self._in_step = False

    def time_left(self) -> float | None:
        """How many seconds the task has for its remaining requests; None before a signal."""
        if not self._noticed:
            return None
        return 0.0 if self._abandoned else max(0.0, self._until - time.monotonic())

    def grant(self, seconds: float) -> None:
        """Have at least this many seconds left, unless a second signal has come."""
        self._until = max(self._until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep; after a signal for `longest_hurried_pause` at most, also within a shield."""
        began = time.monotonic()
        while (slept := time.monotonic() - began) < (
            min(seconds, self._timing.longest_hurried_pause) if self._noticed else seconds
        ):
            time.sleep(min(self._timing.nap, seconds - slept))

    def _ignore(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        self._ignore()
        name, now = signal.Signals(number).name, time.monotonic()
        if not self._noticed:
            self._first = self._caught = name
            self._came, self._until = now, now + self._timing.clean_up
            self._noticed = True
            self._raise_if_caught()
            return
        self._abandoned = True
        # Abandoned replaces the Interrupted that the end of the shield would raise.
        self._caught = None
        if self._in_step or not self._ending:
            told = f"The task was ended by {self._first}, and by {name} before it had cleaned up."
            raise Abandoned(f"{told} {UNKNOWN}" if self._shields else told)

    def _listen_again(self, _number: int, _frame: FrameType | None) -> None:
        """Handle signals again. Only the main thread can, so WAKE makes it do this."""
        listens = self._abandoned or self._finished.is_set() or signal.getsignal(SIGNALS[0]) == self._catch
        if self._noticed and not listens and time.monotonic() - self._came >= self._timing.one_wish:
            for number in SIGNALS:
                signal.signal(number, self._catch)

    def _raise_if_caught(self) -> None:
        if self._caught and not self._shields and not self._ending:
            name, self._caught = self._caught, None
            raise Interrupted(f"The task was ended by {name}.")

    def _watch(self, woken: int) -> None:
        """Make the main thread notice signals, and send it SIGTERM when nobody reads our result any more.

        A task's timeout kills the worker and not the module. Then the other end of our standard output closes, or, if
        that is not a pipe, the parent process changes.
        """
        parent = os.getppid()
        poller = select.poll()
        poller.register(RESULT_DESCRIPTOR, 0)
        poller.register(woken, select.POLLIN)
        came = False
        while not self._finished.is_set():
            events = dict(poller.poll((self._timing.wake if came else self._timing.reader_check) * 1000))
            if woken in events:
                numbers = os.read(woken, 64)
                came = came or any(number in SIGNALS for number in numbers)
            elif came:
                # A signal just before the main thread begins to wait does not wake it, but this one does.
                signal.pthread_kill(threading.main_thread().ident or 0, WAKE)
            if RESULT_DESCRIPTOR in events:
                poller.unregister(RESULT_DESCRIPTOR)
            unread = events.get(RESULT_DESCRIPTOR, 0) & (select.POLLERR | select.POLLHUP)
            lost = unread or os.getppid() != parent
            parent = os.getppid()
            # A task that already has a signal needs no second one: both ended for the same reason.
            if lost and not self._noticed:
                os.kill(os.getpid(), signal.SIGTERM)
