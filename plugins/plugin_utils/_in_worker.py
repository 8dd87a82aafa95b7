# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module in a fork of Ansible's worker where that is the same as running it in a process of its own.

Ansible makes a program of each module, starts a shell and a Python for it, and has that Python import and compile
everything again. This takes a third of a second. A fork has all that already.

Only the start of the module is replaced. Ansible's own code still adds its internal options to those of the task, reads
what the module prints, and makes the task's result of it.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, ClassVar

from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ..plugin_utils._core import become_module, encode, unbuilt
from ..plugin_utils._fork import Outcome, Program, run_in_fork
from ..plugin_utils._way import is_allowed, look, why_own_process

PLUGINS = __name__.rpartition(".plugin_utils.")[0]
MODULES, UTILS = f"{PLUGINS}.modules", f"{PLUGINS}.module_utils"
UTILS_FOLDER = Path(__file__).parent.parent / "module_utils"
PREFIX = "vsphere.content"

display = Display()


@dataclass(frozen=True)
class Imported:
    """A module of this collection that this process has imported, or the defect that has prevented that."""

    path: str = ""
    main: Callable[[], Any] | None = None
    defect: str = ""


def import_module(plugin: str) -> Imported:
    """Import the module of the same name as an action plugin with all that it needs.

    This happens once for all workers: the process that forks them loads the plugin. It changes nothing else here, not
    even the environment, and it does not fail: the module may run on another host, which may have what is missing here.
    """
    environment = dict(os.environ)
    try:
        if not is_allowed():
            return Imported(defect="it was told not to")
        with warnings.catch_warnings():
            # requests warns of libraries that it was not tested with. In a module's own process nobody sees that.
            warnings.simplefilter("ignore")
            module: Any = importlib.import_module(f"{MODULES}.{plugin.rpartition('.')[2]}")
            # Also what a module imports only when it needs it: somebody may replace the collection during the job.
            for path in UTILS_FOLDER.glob("*/*.py"):
                importlib.import_module(f"{UTILS}.{path.parent.name}.{path.stem}")
        return Imported(str(module.__file__), module.main)
    except Exception as error:  # noqa: BLE001 (a defect of any library)
        return Imported(defect=f"{type(error).__name__}: {error}")
    finally:
        # The module's own code takes variables away that must not have an effect in its process.
        os.environ.update(environment)


class InWorkerAction(NormalAction):
    """Runs the module of its name as Ansible does, or the same in a fork of this worker."""

    MODULE: ClassVar[Imported]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._forks = False
        self._encoded: bytes | None = None
        self._environment: dict[str, Any] = {}

    def _execute_module(self, module_name: Any = None, *args: Any, **options: Any) -> Any:
        task_vars = options.get("task_vars") or {}
        reason = "it is not the module of this task" if module_name else self._why_own_process(task_vars)
        self._forks = reason is None
        display.vvv(f"{PREFIX}: {_way_of(reason)}", host=str(task_vars.get("inventory_hostname", "")))
        if not self._forks:
            self._on_start()
        # Only newer versions of ansible-core give its types.
        ansible: Any = super()
        try:
            return ansible._execute_module(module_name, *args, **options)
        finally:
            self._forks = False

    def _on_start(self) -> None:
        """Called once the fork for the module exists, or before Ansible starts a process for it."""

    def _why_own_process(self, task_vars: Mapping[str, Any]) -> str | None:
        try:
            ansible: Any = self
            ansible._compute_environment_string(self._environment)
            return why_own_process(look(self, self.MODULE.defect, self._environment, task_vars))
        except Exception as error:  # noqa: BLE001 (whatever cannot be told means a process of its own)
            return f"what counts for it cannot be told: {type(error).__name__}"

    def _is_pipelining_enabled(self, *args: Any, **options: Any) -> bool:
        # Without files to send, Ansible makes no folder for them.
        ansible: Any = super()
        return self._forks or ansible._is_pipelining_enabled(*args, **options)

    def _configure_module(self, module_name: Any, module_args: Any, task_vars: Any) -> Any:
        if not self._forks:
            ansible: Any = super()
            return ansible._configure_module(module_name, module_args, task_vars)
        self._encoded = encode(module_args)
        return unbuilt(self.MODULE.path)

    def _low_level_execute_command(self, cmd: Any, *args: Any, **options: Any) -> Any:
        if not self._forks:
            ansible: Any = super()
            return ansible._low_level_execute_command(cmd, *args, **options)
        return _as_command(run_in_fork(self._program(), self._on_start))

    def _program(self) -> Program:
        options, main = self._encoded, self.MODULE.main

        def run() -> None:
            if options is None or main is None:
                raise AssertionError("a module is configured before it is run")
            become_module(options)
            main()

        return Program(
            self.MODULE.path,
            run,
            {name: str(value) for name, value in self._environment.items()},
            self._loader.get_basedir(),
        )


def _way_of(reason: str | None) -> str:
    if reason is None:
        return "this module runs in a fork of the worker."
    return f"this module runs in a process of its own, as {reason}."


def _as_command(outcome: Outcome) -> dict[str, Any]:
    """What ActionBase takes for the end of a command."""
    stdout, stderr = (to_text(text, errors="surrogate_then_replace") for text in (outcome.stdout, outcome.stderr))
    return {
        "rc": outcome.status,
        "stdout": stdout,
        "stdout_lines": stdout.splitlines(),
        "stderr": stderr,
        "stderr_lines": stderr.splitlines(),
    }
