# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a function in a fork of this process as if it were a program of its own.

The fork has its own streams, signal handlers and environment. It never returns to the code that forked, and runs none
of its clean-up. Linux only.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import logging
import os
import selectors
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, NoReturn

STDIN, STDOUT, STDERR = 0, 1, 2
DESCRIPTORS = "/proc/self/fd"
READ_BYTES = 1 << 16
# A shell adds the number of the signal that has ended a program.
ENDED_BY_SIGNAL = 128
FAILED = 1

# The streams that a fork does not use. Collected, they would write what they have buffered, and close their numbers.
INHERITED: list[Any] = []

# Type checkers know only the public names; the fork needs the state of the whole module.
ATEXIT: Any = atexit


@dataclass(frozen=True)
class Program:
    """What a fork runs. `environment` is added to that of this process; `directory` is where it starts."""

    name: str
    run: Callable[[], Any]
    environment: Mapping[str, str]
    directory: str


@dataclass(frozen=True)
class Outcome:
    """What a program leaves: its exit status as a shell gives it, and what it has written."""

    status: int
    stdout: bytes
    stderr: bytes


def run_in_fork(program: Program, on_start: Callable[[], Any]) -> Outcome:
    """Run a program and wait for its end. This process calls `on_start` as soon as the fork exists.

    No other thread may run here, as the fork would inherit the locks that it holds. A signal handler of this process
    may raise an exception, such as that of a task's `timeout`. The pipes are closed then, and the fork goes on: it is
    up to the program to notice that nobody reads what it writes.
    """
    (read_stdout, write_stdout), (read_stderr, write_stderr) = os.pipe(), os.pipe()
    try:
        try:
            pid = _fork(program, write_stdout, write_stderr)
        finally:
            os.close(write_stdout)
            os.close(write_stderr)
        on_start()
        stdout, stderr = _read_all(read_stdout, read_stderr)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(read_stdout)
        os.close(read_stderr)
    return Outcome(status if status >= 0 else ENDED_BY_SIGNAL - status, stdout, stderr)


def _read_all(*descriptors: int) -> list[bytes]:
    found = {descriptor: bytearray() for descriptor in descriptors}
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                block = os.read(key.fd, READ_BYTES)
                found[key.fd] += block
                if not block:
                    selector.unregister(key.fd)
    return [bytes(found[descriptor]) for descriptor in descriptors]


def _fork(program: Program, stdout: int, stderr: int) -> int:
    """The number of the fork's process. Signals wait until the fork has handlers of its own."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            become(program, stdout, stderr, mask)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def become(program: Program, stdout: int, stderr: int, mask: Iterable[int] = ()) -> NoReturn:
    """Have this process, which is a fork, live and end as the program; `mask` are the signals that it blocks."""
    status = FAILED
    try:
        # What is garbage already must not be finalized here, too: that may remove files which the other process needs.
        gc.freeze()
        ATEXIT._clear()
        _forget_logging()
        streams = _take_streams(stdout, stderr)
        _take_signals(mask)
        status = _run(program)
        ATEXIT._run_exitfuncs()
        for stream in streams:
            with suppress(OSError):
                stream.flush()
    finally:
        os._exit(status)


def _run(program: Program) -> int:
    try:
        sys.argv = [program.name]
        os.chdir(program.directory)
        os.environ.update(program.environment)
        program.run()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return FAILED
    except BaseException:  # noqa: BLE001 (as for a program: what nothing has handled goes to its standard error)
        traceback.print_exc()
        return FAILED
    return 0


def _forget_logging() -> None:
    """Have the loggers of libraries be as silent as in a program that sets up no logging."""
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)


def _take_streams(stdout: int, stderr: int) -> Sequence[Any]:
    """Give the fork its own streams; returns those that it writes to.

    All other descriptors lead nowhere from here on. They stay open, because an object that the fork has inherited may
    close its number at any time, and the program must not have a file of that number.
    """
    inherited = [int(name) for name in os.listdir(DESCRIPTORS)]
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    # One of them may have the number of another stream, if that was closed in the process that forked.
    sources = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, STDERR + 1) for descriptor in (nowhere, stdout, stderr)]
    for target, source in zip((STDIN, STDOUT, STDERR), sources):
        os.dup2(source, target)
        os.close(source)
    for descriptor in inherited:
        if descriptor > STDERR and descriptor != nowhere:
            os.dup2(nowhere, descriptor, inheritable=False)
    INHERITED.extend((sys.stdin, sys.stdout, sys.stderr))
    sys.stdin = os.fdopen(STDIN, closefd=False)
    sys.stdout = os.fdopen(STDOUT, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(STDERR, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    return sys.stdout, sys.stderr


def _take_signals(mask: Iterable[int]) -> None:
    """Handle signals as a new program does: what was ignored stays ignored, and all else has its default."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if number == signal.SIGINT and handler != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
        elif callable(handler):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
