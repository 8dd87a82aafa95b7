# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The place where the tasks of one run tell each other how their logins ended, which `login_turns` of the modules uses.

ansible-playbook imports this file before it forks its workers, so all of them have the same key, and no file holds it.
The folder is the one that ansible-playbook makes for its run with mode 0700, and removes at its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ansible import constants

VARIABLE = "VSPHERE_CONTENT_LOGINS"
KEY = secrets.token_hex(16)

# Ansible creates its constants while it starts, so type checkers do not know them.
CONSTANTS: Any = constants


def login_turns(transport: str) -> Mapping[str, str]:
    """The variable for a module, if it runs on the controller; another host does not have the folder."""
    return {VARIABLE: f"{KEY}:{CONSTANTS.DEFAULT_LOCAL_TMP}"} if transport == "local" else {}
