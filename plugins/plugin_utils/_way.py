# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a module runs in a fork of Ansible's worker, or in a process of its own as Ansible runs all modules.

Both ways must be the same but for the time that they take. So whatever might make a difference, and whatever cannot be
told, means a process of its own.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from inspect import getfile
from typing import Any

import ansible
from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils._core import TESTED_CORES, running_core
from ..plugin_utils._fork import DESCRIPTORS

CONFIGURATION = ("action", "vsphere.content.worker")
SETTING = "in_worker"
SETTING_VARIABLE = "VSPHERE_CONTENT_IN_WORKER"
# There is no entry "env" and no entry "vars", as each of the three can forbid it, and none can allow it again.
SETTINGS = {
    SETTING: {
        "name": "Whether modules may run in a fork of Ansible's worker",
        "type": "str",
        "default": "true",
        "ini": [{"section": "vsphere_content", "key": SETTING}],
    }
}
SETTING_OF_PLAY = f"vsphere_content_{SETTING}"
LOCAL = "plugins/connection/local.py"
SHELL, SHELL_PROGRAM = "plugins/shell/sh.py", "/bin/sh"
# requests may have made a TLS context when another plugin imported it, and it keeps the name of this file.
KEY_LOG = "SSLKEYLOGFILE"
# It hands ansible-core 2.15 the results of a worker. What it may lock, no module uses.
HARMLESS_THREADS = {"QueueFeederThread"}
# Variables that are read while a module runs. Python, its libraries and those below them read others as they start.
READ_LATE = re.compile(r"VMWARE_\w+|VSPHERE_CONTENT_\w+|(?:HTTPS?|ALL|NO)_PROXY", re.ASCII | re.IGNORECASE)

# Ansible creates its constants while it starts, so type checkers do not know them.
CONSTANTS: Any = constants


@dataclass(frozen=True)
class Circumstances:
    """What counts for the way of a task.

    `variables` are the names in its `environment`, with those that the operator sets. `threads` are the names of all
    other threads of the worker.
    """

    wanted: bool
    defect: str
    system: str
    core: str
    asynchronous: bool
    connection: str
    shell: str
    shell_program: str
    interpreter: str
    python: str
    becomes: bool
    keeps_files: bool
    limits_files: bool
    logs_keys: bool
    variables: Collection[str]
    threads: Collection[str]


@dataclass(frozen=True)
class Rule:
    """One reason for a process of its own; `reason` may have fields of the circumstances in braces."""

    holds: Callable[[Circumstances], bool]
    reason: str


RULES = (
    Rule(lambda seen: not seen.wanted, f"the setting {SETTING} is off, or is no boolean"),
    Rule(lambda seen: bool(seen.defect), "Ansible itself cannot import the module: {defect}"),
    Rule(lambda seen: seen.system != "linux", "the controller has no Linux, or no /proc"),
    Rule(lambda seen: seen.core not in TESTED_CORES, "ansible-core {core} is not tested with it"),
    Rule(lambda seen: seen.asynchronous, "the task is asynchronous"),
    Rule(lambda seen: seen.connection != LOCAL, "the connection is not Ansible's own local one"),
    Rule(lambda seen: seen.shell != SHELL or seen.shell_program != SHELL_PROGRAM, "its shell is not /bin/sh"),
    Rule(
        lambda seen: seen.interpreter != seen.python,
        "ansible_python_interpreter is {interpreter!r}, and ansible-playbook runs by {python!r}",
    ),
    Rule(lambda seen: seen.becomes, "it becomes another user, or may do so"),
    Rule(lambda seen: seen.keeps_files, "Ansible is to keep the files of modules"),
    Rule(lambda seen: seen.limits_files, "Ansible is to limit the open files of modules"),
    Rule(lambda seen: seen.logs_keys, f"the environment has {KEY_LOG}"),
    Rule(
        lambda seen: any(not READ_LATE.fullmatch(name) for name in seen.variables),
        "its environment sets variables that programs may read when they start",
    ),
    Rule(lambda seen: bool(set(seen.threads) - HARMLESS_THREADS), "another thread runs in the worker"),
)


def why_own_process(seen: Circumstances) -> str | None:
    """Why the module needs a process of its own; None if it may run in a fork of the worker."""
    for rule in RULES:
        if rule.holds(seen):
            return rule.reason.format(**vars(seen))
    return None


def look(action: Any, defect: str, environment: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Circumstances:
    """What counts for the way of the task of an action plugin.

    `defect` is why its module cannot be imported; `environment` is that of the task, with the operator's settings.
    An exception means that something cannot be told. The caller runs the module in a process of its own, where Ansible
    comes upon the same, if it matters.
    """
    delegate = action._task.delegate_to
    of_host = task_vars["ansible_delegated_vars"][delegate] if delegate else task_vars
    shells = {CONSTANTS.DEFAULT_EXECUTABLE, action._play_context.executable}
    return Circumstances(
        wanted=is_allowed() and _is_true(action._templar.template(task_vars.get(SETTING_OF_PLAY, True))),
        defect=defect,
        system=sys.platform if os.path.isdir(DESCRIPTORS) else "",
        core=running_core(),
        asynchronous=bool(action._task.async_val),
        connection=_part_of_ansible(action._connection),
        shell=_part_of_ansible(action._connection._shell),
        shell_program=shells.pop() if len(shells) == 1 else "",
        interpreter=_interpreter(action, of_host),
        python=sys.executable,
        becomes=_becomes(action),
        keeps_files=bool(CONSTANTS.DEFAULT_KEEP_REMOTE_FILES),
        limits_files=_configured("PYTHON_MODULE_RLIMIT_NOFILE", task_vars) != 0,
        logs_keys=KEY_LOG in os.environ,
        variables=environment.keys(),
        threads={thread.name for thread in threading.enumerate() if thread is not threading.current_thread()},
    )


def becomes_another(action: Any) -> bool:
    """Whether a task becomes a user other than the one that this process runs as."""
    if action._connection.become is None:
        return False
    return bool(action.get_become_option("become_user") != pwd.getpwuid(os.geteuid()).pw_name)


def _becomes(action: Any) -> bool:
    """Whether Ansible would put a command of a become plugin before the module's."""
    if action._connection.become is None:
        return False
    same = action.get_become_option("become_user") == action._get_remote_user() and not becomes_another(action)
    return bool(CONSTANTS.BECOME_ALLOW_SAME_USER or not same)


def _part_of_ansible(plugin: Any) -> str:
    """The file of a plugin below that of ansible-core. Another plugin of the same name may do anything."""
    return os.path.relpath(getfile(type(plugin)), os.path.dirname(ansible.__file__))


def _interpreter(action: Any, of_host: Mapping[str, Any]) -> str:
    """The interpreter that somebody has set; one that Ansible has to discover is no path."""
    return str(action._templar.template(_configured("INTERPRETER_PYTHON", of_host))).strip()


def is_allowed() -> bool:
    """Whether neither the environment of the job nor its ansible.cfg forbids forks of the worker."""
    CONSTANTS.config.initialize_plugin_configuration_definitions(*CONFIGURATION, SETTINGS)
    kind, plugin = CONFIGURATION
    configured = CONSTANTS.config.get_config_value(SETTING, plugin_type=kind, plugin_name=plugin)
    return _is_true(configured) and _is_true(os.environ.get(SETTING_VARIABLE, "").strip() or True)


def _is_true(value: Any) -> bool:
    try:
        return bool(boolean(value))
    except TypeError:
        return False


def _configured(name: str, variables: Mapping[str, Any]) -> Any:
    return CONSTANTS.config.get_config_value(name, variables=variables)
