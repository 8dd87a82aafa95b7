# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a module what whoever runs the job allows it, which may stand in ansible.cfg, where no module can read it.

It goes by the module's environment. Options would not do: whoever launches a job may have a say in those.
"""

from __future__ import annotations

import os
from typing import Any

from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction

CONFIGURATION = ("action", "vsphere.content.operator")
SECTION = "vsphere_content"
VARIABLES = {
    "allowed_hosts": "VMWARE_ALLOWED_HOSTS",
    "publish_src_root": "VMWARE_PUBLISH_SRC_ROOT",
    "fetch_dest_root": "VMWARE_FETCH_DEST_ROOT",
}
# There is no entry "vars", as no variable of a play has a say. An empty variable of the environment has none either, so
# that the environment is read here.
SETTINGS = {name: {"type": "str", "ini": [{"section": SECTION, "key": name}]} for name in VARIABLES}

# Ansible makes its constants while it starts.
CONSTANTS: Any = constants


class OperatorAction(NormalAction):
    """Runs the module as Ansible itself does, with the settings of the job in its environment.

    What C(environment) of the play says of them counts more: who writes the playbook is trusted with all of that.
    """

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        environment: dict[str, Any] = {}
        super()._compute_environment_string(environment)
        environment = {**_settings(), **environment}
        if raw_environment_out is not None:
            raw_environment_out.clear()
            raw_environment_out.update(environment)
        prefix: str = self._connection._shell.env_prefix(**environment)
        return prefix


def _settings() -> dict[str, str]:
    """What is set for this job, by the names that modules know it by; the environment counts before ansible.cfg."""
    CONSTANTS.config.initialize_plugin_configuration_definitions(*CONFIGURATION, SETTINGS)
    kind, plugin = CONFIGURATION
    found = {
        variable: os.environ.get(variable, "").strip()
        or CONSTANTS.config.get_config_value(name, plugin_type=kind, plugin_name=plugin)
        for name, variable in VARIABLES.items()
    }
    return {variable: str(value) for variable, value in found.items() if value}
