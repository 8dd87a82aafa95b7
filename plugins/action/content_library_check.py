# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..plugin_utils._in_worker import import_module
from ..plugin_utils._operator import OperatorAction


class ActionModule(OperatorAction):
    """Passes the operator's settings to the module of the same name, which documents the rest."""

    MODULE = import_module(__name__)
