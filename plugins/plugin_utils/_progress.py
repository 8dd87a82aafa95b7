# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible itself does, and meanwhile shows the lines that the module appends to a file.

If that is not possible, or fails, the module runs without it.

A thread of a worker shows the lines. ansible-playbook forks its workers while its own threads may hold locks, and in a
worker nobody releases these. So the thread waits for no lock, neither of the display nor of a callback: see `_Outlet`.
"""

from __future__ import annotations

import os
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
from ..plugin_utils._way import becomes_another

POLL_SECONDS = 0.2
LAST_LOOK_SECONDS = 2.0
RETRY_SECONDS = 0.01
PATIENCE_SECONDS = 0.2
READ_BYTES = 1 << 16
# A pipe that is writable takes this much at once without blocking. multiprocessing adds a length of four bytes.
MOST_BYTES = select.PIPE_BUF - 4
CONFIGURATION = ("action", "vsphere.content.progress")
INTERVAL = "progress_interval"
FILE = "progress_file"
INTERVAL_VARIABLE = "VSPHERE_CONTENT_PROGRESS_INTERVAL"
# There is no entry "env", as an empty variable must not count.
SETTINGS = {
    INTERVAL: {
        "name": "Seconds between two lines about the progress of a file",
        "type": "int",
        "default": 5,
        "ini": [{"section": "vsphere_content", "key": "progress_interval"}],
    }
}
# ansible-runner's own callback passes everything on to the callback that this variable names.
WRAPPED_CALLBACK = "ORIGINAL_STDOUT_CALLBACK"
# Programs read the output of these callbacks, or there shall be none.
SILENT_CALLBACKS = ("null",)
MACHINE_READABLE = "json"

# Ansible creates its constants while it starts, so type checkers do not know them.
CONSTANTS: Any = constants

display = Display()


class ProgressAction(OperatorAction):
    """Shows the lines that a module writes to the file of its option `progress_file`, while it runs."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._options: Mapping[str, Any] = {}
        self._tail: _Tail | None = None
        self._warnings: list[str] = []
        interval = self._interval() if self._can_show() else 0
        if interval:
            with _followed(str((task_vars or {}).get("inventory_hostname", ""))) as self._tail:
                if self._tail:
                    self._options = {INTERVAL: interval, FILE: self._tail.path}
                result = super().run(tmp, task_vars)
        else:
            result = super().run(tmp, task_vars)
        if self._warnings:
            result["warnings"] = [*(result.get("warnings") or ()), *self._warnings]
        return result

    def _execute_module(self, module_name: Any = None, module_args: Any = None, *rest: Any, **options: Any) -> Any:
        if module_name is None and module_args is None and self._options:
            module_args = {**self._task.args, **self._options}
        return super()._execute_module(module_name, module_args, *rest, **options)

    def _on_start(self) -> None:
        # Not before: a fork would inherit the locks that the thread may hold at that moment.
        if self._tail:
            with suppress(RuntimeError):
                self._tail.start()

    def _interval(self) -> int:
        """Seconds between two lines, 0 for none. An option that is not a number is 0 here; the module refuses it."""
        try:
            if INTERVAL in self._task.args:
                return max(0, int(self._task.args[INTERVAL]))
            if said := os.environ.get(INTERVAL_VARIABLE, "").strip():
                return self._read_variable(said)
            CONSTANTS.config.initialize_plugin_configuration_definitions(*CONFIGURATION, SETTINGS)
            kind, name = CONFIGURATION
            return max(0, int(CONSTANTS.config.get_config_value(INTERVAL, plugin_type=kind, plugin_name=name)))
        except (TypeError, ValueError):
            return 0
        except AnsibleError as error:
            # ansible-playbook displays a warning of the result, so this process needs no lock for it.
            self._warnings.append(f"No progress is shown: {error}")
            return 0

    def _read_variable(self, said: str) -> int:
        with suppress(ValueError):
            return max(0, int(said))
        self._warnings.append(
            f"No progress is shown: the environment variable {INTERVAL_VARIABLE} is {said!r}. Set it to a number of "
            "seconds, or remove it."
        )
        return 0

    def _can_show(self) -> bool:
        """Whether the module can write to a file of this process, and people read the output of the job."""
        return (
            self._connection.transport == "local"
            and not becomes_another(self)
            and not self._task.async_val
            and not self._task.no_log
            and FILE not in self._task.args
            and not _is_for_programs(CONSTANTS.DEFAULT_STDOUT_CALLBACK)
            and not _is_for_programs(os.environ.get(WRAPPED_CALLBACK))
        )


def _is_for_programs(callback: str | None) -> bool:
    name = (callback or "").rpartition(".")[2].lower()
    return MACHINE_READABLE in name or name in SILENT_CALLBACKS


@contextmanager
def _followed(host: str) -> Iterator[_Tail | None]:
    """Make a file, and a thread that shows the lines appended to it until the end of the block; None if that fails.

    The block has to start the thread.
    """
    try:
        descriptor, path = tempfile.mkstemp(prefix="progress-", dir=CONSTANTS.DEFAULT_LOCAL_TMP)
    except OSError:
        yield None
        return
    with closing(_Outlet(getattr(display, "_final_q", None))) as outlet:
        tail = _Tail(descriptor, path, lambda line: outlet.show(f"progress: [{host}] {line}"))
        try:
            yield tail
        finally:
            tail.finish()


class _Outlet:
    """Where lines go: from a worker into the queue of task results to ansible-playbook, which displays them.

    No other way is safe in a worker. A thread may have held the display's lock when Ansible forked the worker, and then
    only the worker's first thread ever gets it. Callbacks, such as those of ansible-runner, add locks that all
    processes share. A thread that waits for the first lock while it holds the second one stops the whole play.

    The thread does not wait for the queue either. It puts a line in if nobody else is writing and all of it fits, and
    drops it after `PATIENCE_SECONDS`: a worker that is killed while it waits with the queue's lock stops the play too.
    """

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._closed = False
        self._at_work = threading.Lock()

    def show(self, line: str) -> None:
        """Display a line, if the queue takes it within `PATIENCE_SECONDS`."""
        if self._queue is None:
            display.display(line)
            return
        message = _message(line)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(message) <= MOST_BYTES and not self._post(message) and time.monotonic() < deadline:
            time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Write nothing more: a process that ends while it writes into the queue leaves it locked for all others."""
        with self._at_work:
            self._closed = True

    def _post(self, message: memoryview) -> bool:
        """Whether the message is in the queue, or the outlet is closed."""
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
    """The message in the queue that makes ansible-playbook display a line."""
    sent = DisplaySend("display", line)
    # DisplaySend of ansible-core 2.15 takes no method.
    return ForkingPickler.dumps(sent if hasattr(sent, "method") else DisplaySend(line))


def _reserve(queue: Any) -> bool:
    """Whether the queue takes a message of `MOST_BYTES` without blocking. The caller holds the queue's lock."""
    poll = select.poll()
    poll.register(queue._writer, select.POLLOUT)
    if not poll.poll(0):
        return False
    # The queue of ansible-core 2.15 counts its messages, and its reader fails at one that was not counted.
    places = getattr(queue, "_sem", None)
    return places is None or bool(places.acquire(block=False))


class _Tail(threading.Thread):
    """Shows each whole line that is appended to a file, soon afterwards.

    It removes the file's name as soon as the module has opened the file. So no file is left, even if a process is
    killed.
    """

    def __init__(
        self, descriptor: int, path: str, show: Callable[[str], None], parent: Callable[[], int] = os.getppid
    ) -> None:
        super().__init__(name="progress", daemon=True)
        self.path = path
        self._descriptor = descriptor
        self._is_named = True
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
        except Exception:  # noqa: BLE001 (only the lines are lost)
            return

    def finish(self) -> None:
        """Show the remaining lines, and close the file."""
        self._ended.set()
        if self.is_alive():
            self.join(LAST_LOOK_SECONDS)
        self._forget_name()
        # A thread that hangs may still read from it.
        if not self.is_alive():
            os.close(self._descriptor)

    def _look(self) -> None:
        while added := os.read(self._descriptor, READ_BYTES):
            self._forget_name()
            *lines, self._rest = (self._rest + added).split(b"\n")
            for line in filter(None, lines):
                # Without ansible-playbook nobody takes the lines, and to add more would block in the end.
                if self._find_parent() == self._parent:
                    self._show(to_text(line, errors="replace"))

    def _forget_name(self) -> None:
        is_named, self._is_named = self._is_named, False
        if is_named:
            with suppress(OSError):
                os.unlink(self.path)
