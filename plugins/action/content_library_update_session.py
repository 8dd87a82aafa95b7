# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..plugin_utils._in_worker import import_module
from ..plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """The module of the same name documents what this adds to it."""

    MODULE = import_module(__name__)
