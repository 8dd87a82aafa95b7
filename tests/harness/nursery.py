# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts modules as separate processes, without the third of a second that Python takes to import what they need.

A process that has imported everything forks for each module. It needs Linux, as do the tests that use it.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn, TextIO

from tests.harness.checkout import ROOT
from tests.harness.modules import IN_FORK, MODULES, module_environment, module_input

NAMES = (
    "content_library_check",
    "content_library_download_session",
    "content_library_item",
    "content_library_item_info",
    "content_library_retention",
    "content_library_session_info",
    "content_library_update_session",
)
LARGEST_ORDER = 1 << 17
SECONDS = 60.0


class ForkedModule:
    """A running module, with the interface of a ``subprocess.Popen`` in text mode."""

    def __init__(self, status: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.pid = int(status.readline())
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout, stderr
        self._status = status
        self._readers: list[threading.Thread] = []
        self._said: dict[TextIO, str] = {}

    def poll(self) -> int | None:
        return self._ended_within(0)

    def wait(self, timeout: float = SECONDS) -> int:
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"module {self.pid}", timeout)
        return code

    def _ended_within(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, *, timeout: float = SECONDS) -> tuple[str, str]:
        """Read its output until it ends; after a TimeoutExpired it still runs."""
        if not self._readers:
            self._readers = [threading.Thread(target=self._read, args=(each,)) for each in (self.stdout, self.stderr)]
            for reader in self._readers:
                reader.start()
        self.wait(timeout)
        for reader in self._readers:
            reader.join()
        return self._said[self.stdout], self._said[self.stderr]

    def _read(self, stream: TextIO) -> None:
        # In a thread, as the module blocks when a pipe is full and nobody reads.
        with stream:
            self._said[stream] = stream.read()


@cache
def _orders() -> socket.socket:
    """The socket for orders to the process that forks; that process ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, env=module_environment(None), stdin=theirs.fileno()
        )
    return ours


def fork_module(name: str, args: Mapping[str, Any]) -> ForkedModule:
    """Start a module for tests that send it signals; see finish_module()."""
    ours, theirs = zip(*(os.pipe() for _each in range(3)))
    with module_input(args) as stdin:
        order = json.dumps([name, module_environment(None)]).encode()
        socket.send_fds(_orders(), [order], [stdin.fileno(), *theirs])
    for descriptor in theirs:
        os.close(descriptor)
    status, stdout, stderr = (os.fdopen(descriptor, encoding="utf-8") for descriptor in ours)
    return ForkedModule(status, stdout, stderr)


def serve() -> str | None:
    """Take orders. Returns the module's name in each module's process, and None at the end."""
    for name in NAMES:
        importlib.import_module(f"{MODULES}.{name}")
        # runpy warns of a main module that was imported before.
        del sys.modules[f"{MODULES}.{name}"]
    orders = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, descriptors, _flags, _address = socket.recv_fds(orders, LARGEST_ORDER, 4)
        if not order:
            return None
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            return _watch_over(*json.loads(order), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _watch_over(name: str, environment: Mapping[str, str], stdin: int, status: int, stdout: int, stderr: int) -> str:
    """Fork the module's process, and report its number and its exit status; returns in the module's process."""
    pid = os.fork()
    if not pid and IN_FORK:
        os.environ.clear()
        os.environ.update(environment)
        _live_as_fork(name, stdin, stdout, stderr)
    if not pid:
        for target, descriptor in enumerate((stdin, stdout, stderr)):
            os.dup2(descriptor, target)
        for descriptor in (stdin, status, stdout, stderr):
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(environment)
        return name
    for descriptor in (0, 1, 2, stdin, stdout, stderr):
        os.close(descriptor)
    os.write(status, f"{pid}\n".encode())
    os.write(status, f"{os.waitpid(pid, 0)[1]}\n".encode())
    os._exit(0)


def _live_as_fork(name: str, stdin: int, stdout: int, stderr: int) -> NoReturn:
    from ansible_collections.vsphere.content.plugins.plugin_utils._core import become_module
    from ansible_collections.vsphere.content.plugins.plugin_utils._fork import Program, become

    with os.fdopen(stdin, "rb") as source:
        options = source.read()

    def run() -> None:
        become_module(options)
        importlib.import_module(f"{MODULES}.{name}").main()

    become(Program(name, run, {}, str(ROOT)), stdout, stderr)


if __name__ == "__main__":
    born = serve()
    if born:
        runpy.run_module(f"{MODULES}.{born}", run_name="__main__", alter_sys=True)
