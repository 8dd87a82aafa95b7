# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes the operator's settings to a module, and settles which options of `module_defaults` the module gets.

The settings may be in ansible.cfg, which no module can read. They go through the module's environment and not through
options, as whoever launches a job may choose the options.
"""

from __future__ import annotations

import os
from typing import Any

from ansible import constants

from ..plugin_utils._in_worker import InWorkerAction
from ..plugin_utils._login_turns import login_turns
from ..plugin_utils._own_options import own_names, told_of_defaults, without_displaced

CONFIGURATION = ("action", "vsphere.content.operator")
SECTION = "vsphere_content"
VARIABLES = {
    "allowed_hosts": "VMWARE_ALLOWED_HOSTS",
    "publish_src_root": "VMWARE_PUBLISH_SRC_ROOT",
    "fetch_dest_root": "VMWARE_FETCH_DEST_ROOT",
}
# There is no entry "vars", as no variable of a play may set them. There is no entry "env" either: an empty variable of
# the environment must not count, so `_settings` reads the environment itself.
SETTINGS = {name: {"type": "str", "ini": [{"section": SECTION, "key": name}]} for name in VARIABLES}

# Ansible creates its constants while it starts, so type checkers do not know them.
CONSTANTS: Any = constants


class OperatorAction(InWorkerAction):
    """Runs the module as Ansible itself does, with the operator's settings in its environment.

    The `environment` of the play overrides them, as the author of the playbook is trusted with them.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        own, given = own_names(self._task, self._templar), self._task.args
        if own is not None:
            self._task.args = without_displaced(given, own, str(self._task.resolved_action))
        result: dict[str, Any] = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
        if own is not None and (result.get("error") or {}).get("type") == "INVALID_ARGUMENT":
            result["msg"] = told_of_defaults(str(result["msg"]), self._task.args, own)
        return result

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        environment: dict[str, Any] = {}
        # Only newer versions of ansible-core give its types.
        ansible: Any = super()
        ansible._compute_environment_string(environment)
        environment = {**_settings(), **login_turns(self._connection.transport), **environment}
        if raw_environment_out is not None:
            raw_environment_out.clear()
            raw_environment_out.update(environment)
        prefix: str = self._connection._shell.env_prefix(**environment)
        return prefix


def _settings() -> dict[str, str]:
    """The settings of this job, by the variables that modules read. The environment comes before ansible.cfg."""
    CONSTANTS.config.initialize_plugin_configuration_definitions(*CONFIGURATION, SETTINGS)
    kind, plugin = CONFIGURATION
    found = {
        variable: os.environ.get(variable, "").strip()
        or CONSTANTS.config.get_config_value(name, plugin_type=kind, plugin_name=plugin)
        for name, variable in VARIABLES.items()
    }
    return {variable: str(value) for variable, value in found.items() if value}
