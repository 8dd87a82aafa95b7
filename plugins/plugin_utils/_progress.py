# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible itself does, and meanwhile shows the lines that it adds to a file.

Where that is not possible, or anything about it fails, the module runs all the same.

Lines are shown by a thread of a worker, which ansible-playbook forked while threads of its own held whatever locks they
held. So this thread waits for no lock, neither of the screen nor of a callback: see C(_Outlet).
"""

from __future__ import annotations

import os
import pwd
import select
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any, Callable

from ansible import constants
from ansible.errors import AnsibleError
from ansible.executor.task_queue_manager import DisplaySend
from ansible.module_utils.common.text.converters import to_text
from ansible.utils.display import Display

from ..plugin_utils._operator import OperatorAction

POLL_SECONDS = 0.2
LAST_LOOK_SECONDS = 2.0
RETRY_SECONDS = 0.01
PATIENCE_SECONDS = 0.2
READ_BYTES = 1 << 16
# So much goes whole and without waiting into a pipe that has room at all; multiprocessing adds a length of four bytes.
MOST_BYTES = select.PIPE_BUF - 4
CONFIGURATION = ("action", "vsphere.content.progress")
INTERVAL = "progress_interval"
FILE = "progress_file"
SETTINGS = {
    INTERVAL: {
        "name": "Seconds between two lines about the progress of a file",
        "type": "int",
        "default": 5,
        "env": [{"name": "VSPHERE_CONTENT_PROGRESS_INTERVAL"}],
        "ini": [{"section": "vsphere_content", "key": "progress_interval"}],
    }
}
# ansible-runner's own callback passes on to the one that is named there.
WRAPPED_CALLBACK = "ORIGINAL_STDOUT_CALLBACK"
# What these callbacks print is read by programs, or shall not be there at all.
SILENT_CALLBACKS = ("null",)
MACHINE_READABLE = "json"

# Ansible makes its constants while it starts.
CONSTANTS: Any = constants

display = Display()


class ProgressAction(OperatorAction):
    """Shows how far a module is while it runs, if it says so in the file of its option C(progress_file)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._options: Mapping[str, Any] = {}
        self._warnings: list[str] = []
        result: dict[str, Any]
        interval = self._interval() if self._can_show() else 0
        if interval:
            with _shown(str((task_vars or {}).get("inventory_hostname", ""))) as path:
                if path:
                    self._options = {INTERVAL: interval, FILE: path}
                result = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
        else:
            result = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
        if self._warnings:
            result["warnings"] = [*(result.get("warnings") or ()), *self._warnings]
        return result

    def _execute_module(self, module_name: Any = None, module_args: Any = None, *rest: Any, **options: Any) -> Any:
        if module_name is None and module_args is None and self._options:
            module_args = {**self._task.args, **self._options}
        return super()._execute_module(module_name, module_args, *rest, **options)

    def _interval(self) -> int:
        """Seconds between two lines, 0 for none. What cannot be read of the task is left to the module to refuse."""
        try:
            if INTERVAL in self._task.args:
                return max(0, int(self._task.args[INTERVAL]))
            CONSTANTS.config.initialize_plugin_configuration_definitions(*CONFIGURATION, SETTINGS)
            kind, name = CONFIGURATION
            return max(0, int(CONSTANTS.config.get_config_value(INTERVAL, plugin_type=kind, plugin_name=name)))
        except (TypeError, ValueError):
            return 0
        except AnsibleError as error:
            # With the result it is ansible-playbook that displays it, and needs no lock of this process.
            self._warnings.append(f"No progress is shown: {error}")
            return 0

    def _can_show(self) -> bool:
        """Whether a file of this process is one of the module's too, and the job's output is meant to be read."""
        return (
            self._connection.transport == "local"
            and not self._becomes_another()
            and not self._task.async_val
            and not self._task.no_log
            and FILE not in self._task.args
            and not _is_for_programs(CONSTANTS.DEFAULT_STDOUT_CALLBACK)
            and not _is_for_programs(os.environ.get(WRAPPED_CALLBACK))
        )

    def _becomes_another(self) -> bool:
        if self._connection.become is None:
            return False
        user = self.get_become_option("become_user")  # type: ignore[no-untyped-call]
        return bool(user != pwd.getpwuid(os.geteuid()).pw_name)


def _is_for_programs(callback: str | None) -> bool:
    name = (callback or "").rpartition(".")[2].lower()
    return MACHINE_READABLE in name or name in SILENT_CALLBACKS


@contextmanager
def _shown(host: str) -> Iterator[str | None]:
    """While the block runs, show the lines that are added to a file; yields its path, None where none can be made."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="progress-", dir=CONSTANTS.DEFAULT_LOCAL_TMP)
    except OSError:
        yield None
        return
    with closing(_Outlet(getattr(display, "_final_q", None))) as outlet:
        tail = _Tail(descriptor, path, lambda line: outlet.show(f"progress: [{host}] {line}"))
        with suppress(RuntimeError):
            tail.start()
        try:
            yield path
        finally:
            tail.finish()


class _Outlet:
    """Where lines go: in a worker into the queue that takes the task's result to ansible-playbook, which displays them.

    Nothing else is safe there. The display's own lock may have been held when the worker was forked, and then no thread
    but the worker's first ever gets it; callbacks, as those of ansible-runner, add locks that all processes share. A
    thread that waits for the one and holds the other stops the whole play.

    Nor is the queue waited for. A line goes while nobody else is writing and there is room for all of it, else it is
    dropped after a moment: a worker that is killed while it waits with the queue's lock in hand stops the play as well.
    """

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._closed = False
        self._at_work = threading.Lock()

    def show(self, line: str) -> None:
        """Have a line displayed, if it can go within a moment."""
        if self._queue is None:
            display.display(line)
            return
        message = _message(line)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(message) <= MOST_BYTES and not self._post(message) and time.monotonic() < deadline:
            time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Let nothing more go: a process that ends while it writes into the queue leaves it locked for all others."""
        with self._at_work:
            self._closed = True

    def _post(self, message: memoryview) -> bool:
        """Whether a message has gone, or is to go no more."""
        with self._at_work:
            if self._closed:
                return True
            if not self._queue._wlock.acquire(block=False):
                return False
            try:
                reserved = _reserve(self._queue)
                if reserved:
                    self._queue._writer.send_bytes(message)
                return reserved
            finally:
                self._queue._wlock.release()


def _message(line: str) -> memoryview:
    """What makes ansible-playbook display a line when it finds that in the queue."""
    sent = DisplaySend("display", line)
    # ansible-core 2.15 names no method.
    return ForkingPickler.dumps(sent if hasattr(sent, "method") else DisplaySend(line))


def _reserve(queue: Any) -> bool:
    """Whether a message of at most C(MOST_BYTES) goes without waiting. The caller has the queue's lock."""
    poll = select.poll()
    poll.register(queue._writer, select.POLLOUT)
    if not poll.poll(0):
        return False
    # The queue of ansible-core 2.15 counts what is in it, and its reader fails at what was not counted.
    places = getattr(queue, "_sem", None)
    return places is None or bool(places.acquire(block=False))


class _Tail(threading.Thread):
    """Shows each whole line that is added to a file, soon after it was added.

    The file's name is taken away as soon as the module has the file open, so that nothing is left of it, whatever is
    killed.
    """

    def __init__(
        self, descriptor: int, path: str, show: Callable[[str], None], parent: Callable[[], int] = os.getppid
    ) -> None:
        super().__init__(name="progress", daemon=True)
        self._descriptor = descriptor
        self._path: str | None = path
        self._show = show
        self._ended = threading.Event()
        self._find_parent = parent
        self._parent = parent()
        self._rest = b""

    def run(self) -> None:
        try:
            while not self._ended.wait(POLL_SECONDS):
                self._look()
            self._look()
        except Exception:  # noqa: BLE001 (it is only about the lines)
            return

    def finish(self) -> None:
        """Show what is still to be shown."""
        self._ended.set()
        if self.is_alive():
            self.join(LAST_LOOK_SECONDS)
        self._forget_name()
        # A thread that hangs may still be about to read.
        if not self.is_alive():
            os.close(self._descriptor)

    def _look(self) -> None:
        while added := os.read(self._descriptor, READ_BYTES):
            self._forget_name()
            *lines, self._rest = (self._rest + added).split(b"\n")
            for line in filter(None, lines):
                # Once ansible-playbook is gone nobody takes the lines, and handing them over would block in the end.
                if self._find_parent() == self._parent:
                    self._show(to_text(line, errors="replace"))

    def _forget_name(self) -> None:
        path, self._path = self._path, None
        if path:
            with suppress(OSError):
                os.unlink(path)
