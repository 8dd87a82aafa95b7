# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible itself does, and meanwhile shows the lines that it adds to a file.

Where that is not possible, or anything about it fails, the module runs all the same.
"""

from __future__ import annotations

import os
import pwd
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Callable

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

POLL_SECONDS = 0.2
LAST_LOOK_SECONDS = 2.0
READ_BYTES = 1 << 16
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


class ProgressAction(NormalAction):
    """Shows how far a module is while it runs, if it says so in the file of its option C(progress_file)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._options: Mapping[str, Any] = {}
        result: dict[str, Any]
        interval = self._interval()
        if not interval or not self._can_show():
            result = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
            return result
        with _shown(str((task_vars or {}).get("inventory_hostname", ""))) as path:
            if path:
                self._options = {INTERVAL: interval, FILE: path}
            result = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
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
            display.warning(f"No progress is shown: {error}")
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
    tail = _Tail(descriptor, path, lambda line: display.display(f"progress: [{host}] {line}"))
    with suppress(RuntimeError):
        tail.start()
    try:
        yield path
    finally:
        tail.finish()


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
