# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task reports its progress: one count of moved bytes, for lines in the job's output and for vCenter.

Transfers only note how many bytes they moved. A separate thread makes lines of that and appends them to a file that the
action plugin reads. So a problem with the lines can neither fail a transfer nor hold it up.
"""

from __future__ import annotations

import math
import os
import queue
import stat
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Callable

from .._vcenter.timing import SYSTEM_CLOCK, Timing

DEFAULT_INTERVAL = 5
SPEED_SECONDS = 10.0
MEBIBYTE = 1 << 20
UNITS = ((1 << 30, "GiB", 2), (MEBIBYTE, "MiB", 1), (1 << 10, "KiB", 1), (1, "B", 0))
PULLING = "pulling"
# Without O_CREAT: after a task's timeout the action plugin and its file are gone, while the module still runs.
OPEN_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
# The first line says that the module has opened the file, so the action plugin can remove its name.
GREETING = "\n"


def progress_spec() -> dict[str, Any]:
    """The argument spec of the documentation fragment `vsphere.content.progress`."""
    return {"progress_interval": {"type": "int", "default": DEFAULT_INTERVAL}, "progress_file": {"type": "path"}}


def open_progress(params: Mapping[str, Any], vcenter: str, clean: Callable[[str], str], timing: Timing) -> Progress:
    """The progress of a task with these options in a vCenter; `clean` removes secrets from a line."""
    path, interval = params.get("progress_file"), params.get("progress_interval")
    named = params.get("library_item") or params.get("library_item_id") or f"session {params.get('session_id')}"
    if not path or not interval or interval < 0:
        return Progress()
    # A play may publish one image to many libraries of many vCenters, and its hosts may share a vCenter.
    library = params.get("library") or params.get("library_id")
    place = f" in {library} on {vcenter}" if library else f" on {vcenter}"
    return Progress(lambda text: clean(f"{named}{place}: {text}"), path, interval, timing=timing)


class Progress:
    """What a task has to move, how far it is, and what it waits for. It writes lines only if it has a `path`.

    Any thread may call the methods. But for `say`, nothing is written before `expect` names a file to move.
    """

    def __init__(
        self,
        clean: Callable[[str], str] = str,
        path: str | None = None,
        interval: float = DEFAULT_INTERVAL,
        now: Callable[[], float] = time.monotonic,
        timing: Timing = SYSTEM_CLOCK.timing,
    ) -> None:
        self._now = now
        self._expected: dict[str, int | None] = {}
        self._files: dict[str, Moving] = {}
        self._waits: tuple[str, float] | None = None
        self._end = ""
        self._teller = _Teller(path, interval, self.lines, clean, timing.flush) if path else None

    def expect(self, files: Mapping[str, int | None]) -> None:
        """Note the files to move: their names, and how many bytes they hold if that is known."""
        self._expected = dict(files)

    def start(self, name: str, total: int | None, at_end: str) -> Moving:
        """Note that a file of `total` bytes begins to move; `at_end` says what happens after the last one."""
        if total is not None and name in self._expected:
            self._expected[name] = total
        moving = self._files[name] = Moving(name, total, at_end, self._now)
        return moving

    def serve(self, name: str, doing: str | None, done: int | None = None) -> None:
        """Note what the server is `doing` with a file, None once it has finished, and how many bytes are `done`."""
        if name in self._expected:
            moving = self._files.get(name) or self.start(name, None, "")
            moving.serve(doing, done)
            if doing is None and moving.ended is None:
                moving.finish()

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show what the task waits for, if the block lasts longer than an interval."""
        self._waits = (text, self._now())
        try:
            yield
        finally:
            self._waits = None

    def step(self, text: str) -> None:
        """Write a line at once, if there is anything to move: the task has done something, or begins it."""
        if self._expected:
            self.say(text)

    def say(self, text: str) -> None:
        """Write a line at once."""
        if self._teller:
            self._teller.say(lambda: text)

    def conclude(self, text: str) -> None:
        """Note what the summary says of the end, such as that something is left to do."""
        self._end = f", {text}"

    @property
    def percent(self) -> int:
        """How much of the expected bytes has moved, 0 to 100. A file of unknown size counts once it has arrived."""
        files = dict(self._files)
        total = sum(size or 0 for size in self._expected.values())
        moved = sum(min(moving.done, self._expected.get(name) or 0) for name, moving in files.items())
        counted = [
            name
            for name, size in self._expected.items()
            if size is not None or (name in files and files[name].ended is not None)
        ]
        return min(100, moved * 100 * len(counted) // (total * len(self._expected))) if total else 0

    def lines(self) -> Iterator[str]:
        """The lines about each file and the wait, since the last call."""
        for moving in list(self._files.values()):
            line = moving.line()
            if line:
                yield line
        waits = self._waits
        if waits and self._expected:
            yield f"waiting for {waits[0]}, {_so_far(self._now() - waits[1])}"

    def close(self, *, failed: bool = False) -> None:
        """Write the summary and stop; may be called again."""
        teller, self._teller = self._teller, None
        if teller:
            if self._files:
                teller.say(lambda: self._summary(failed))
            teller.close()

    def _summary(self, failed: bool) -> str:
        files = list(self._files.values())
        done = sum(moving.done for moving in files)
        now = self._now()
        seconds = _covered([(moving.began, moving.ended or now) for moving in files])
        rate = f"{_duration(round(seconds))}, mean {_speed(done / max(seconds, 0.001))}"
        if failed:
            sizes = [size for size in self._expected.values() if size is not None]
            total = sum(sizes) if len(sizes) == len(self._expected) else None
            return f"failed after {_amount(done, total or None)} in {rate}"
        count = sum(moving.ended is not None for moving in files)
        return f"{count} {'file' if count == 1 else 'files'}, {_amount(done)} in {rate}{self._end}"


class Moving:
    """One file on its way; `done` is how many of its bytes have moved."""

    def __init__(self, name: str, total: int | None, at_end: str, now: Callable[[], float]) -> None:
        self.total = total
        self.done = 0
        self.began = now()
        self.ended: float | None = None
        self._name = name
        self._at_end = at_end
        self._now = now
        self._doing: str | None = None
        self._since = self.began
        self._shown = 0
        self._marks = deque([(self.began, 0)])
        self._moved = self.began

    def reach(self, done: int) -> None:
        """Note how many bytes have moved; fewer than before if the transfer starts again."""
        self.done = done

    def finish(self) -> None:
        self.ended = self._now()

    def serve(self, doing: str | None, done: int | None = None) -> None:
        """Note what the server is `doing` with the file, None for nothing, and how many bytes are `done`."""
        if done is not None:
            self.done = done
        if doing != self._doing:
            self._doing, self._since = doing, self._now()

    def line(self) -> str | None:
        """The next line, None if there is none. A file that has ended gets a last line only if it had one before."""
        now, done = self._now(), self.done
        speed = self._mark(now, done)
        if self._doing:
            if self.ended is not None:
                self._shown = done
            return f"{self._name}: vCenter is {self._doing} it{self._by_server(now, done, speed)}"
        if self.ended is not None:
            return self._last_line(done)
        if self.total is not None and done >= self.total:
            if done > self._shown:
                self._since = now
            self._shown = done
            return f"{self._name}: {self._part(done)}, {self._at_end}, {_so_far(now - self._since)}"
        rest = self._pace(now, done, speed)
        if done < self._shown:
            return f"{self._name}: again from the start, {_amount(done)} so far, {rest}"
        self._shown = done
        return f"{self._name}: {self._part(done)}, {rest}"

    def _last_line(self, done: int) -> str | None:
        if not 0 < self._shown < done:
            return None
        self._shown = done
        seconds = max((self.ended or 0) - self.began, 0.001)
        return f"{self._name}: {self._part(done)}, mean {_speed(done / seconds)}"

    def _by_server(self, now: float, done: int, speed: float) -> str:
        if self._doing == PULLING and done:
            return f", {_amount(done)} so far, {self._pace(now, done, speed)}"
        return f", {_so_far(now - self._since)}"

    def _part(self, done: int) -> str:
        if self.total is None:
            return f"{_amount(done)} so far"
        return f"{_amount(done, self.total)} ({done * 100 // self.total if self.total else 100} %)"

    def _pace(self, now: float, done: int, speed: float) -> str:
        if not speed:
            return f"nothing moved for {_duration(now - self._moved)}"
        left = f", {_duration(math.ceil((self.total - done) / speed))} left" if self.total is not None else ""
        return f"{_speed(speed)}{left}"

    def _mark(self, now: float, done: int) -> float:
        """The bytes per second over the last `SPEED_SECONDS`."""
        if done != self._marks[-1][1]:
            self._moved = now
        if done < self._marks[-1][1]:
            self._marks.clear()
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] <= now - SPEED_SECONDS:
            self._marks.popleft()
        began, before = self._marks[0]
        return (done - before) / (now - began) if now > began else 0.0


class _Teller(threading.Thread):
    """Appends lines to a file: those of `say` at once, and those of `lines` once per interval.

    Only this thread touches the file. An error, such as a full disk or a missing file, ends only this thread. If
    writing hangs, `close` waits `flush` seconds at most.
    """

    def __init__(
        self, path: str, interval: float, lines: Callable[[], Iterable[str]], clean: Callable[[str], str], flush: float
    ) -> None:
        super().__init__(name="progress", daemon=True)
        self._flush = flush
        self._path = path
        self._interval = interval
        self._lines = lines
        self._clean = clean
        self._said: queue.SimpleQueue[Callable[[], str] | None] = queue.SimpleQueue()
        with suppress(RuntimeError):
            self.start()

    def say(self, make: Callable[[], str]) -> None:
        """Write a line. The thread calls `make`, so an error in it, such as for an absurd size, does no harm."""
        self._said.put(make)

    def close(self) -> None:
        self._said.put(None)
        if self.is_alive():
            self.join(self._flush)

    def run(self) -> None:
        try:
            descriptor = os.open(self._path, OPEN_FLAGS)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    self._tell(descriptor)
            finally:
                os.close(descriptor)
        except Exception:  # noqa: BLE001 (only the lines are lost; a traceback would get into the task's output)
            return

    def _tell(self, descriptor: int) -> None:
        os.write(descriptor, GREETING.encode())
        due = time.monotonic() + self._interval
        while True:
            try:
                make = self._said.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = max(due + self._interval, time.monotonic())
                texts = list(self._lines())
            else:
                if make is None:
                    return
                texts = [make()]
            if texts:
                os.write(descriptor, "".join(f"{self._clean(each)}\n" for each in texts).encode("utf-8", "replace"))


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """The seconds during which at least one of the spans lasted."""
    seconds, reached = 0.0, 0.0
    for began, ended in sorted(spans):
        seconds += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return seconds


def _amount(done: int, total: int | None = None) -> str:
    largest = done if total is None else total
    size, unit, digits = next((entry for entry in UNITS if largest >= entry[0]), UNITS[-1])
    of = "" if total is None else f" of {total / size:.{digits}f}"
    return f"{done / size:.{digits}f}{of} {unit}"


def _speed(bytes_a_second: float) -> str:
    value = bytes_a_second / MEBIBYTE
    return f"{value:.{1 if value >= 1 else 3}f} MiB/s"


def _so_far(seconds: float) -> str:
    return f"{_duration(seconds)} so far"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
