# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Below which directories a task may read the files that it publishes, and write those that it fetches.

Whoever launches a job may give a path in a variable. So the directories come from the environment, and no option of a
task can change them.
"""

from __future__ import annotations

import os

from .._vcenter.errors import InvalidArgument

PUBLISH_SRC_ROOT = "publish_src_root"
FETCH_DEST_ROOT = "fetch_dest_root"
VARIABLES = {PUBLISH_SRC_ROOT: "VMWARE_PUBLISH_SRC_ROOT", FETCH_DEST_ROOT: "VMWARE_FETCH_DEST_ROOT"}


def require_below(setting: str, option: str, path: str) -> None:
    """Require that a path, with its links resolved, is the directory of a setting or below it.

    `option` names the path in the message. An empty setting allows every path. Raises InvalidArgument.
    """
    variable = VARIABLES[setting]
    root = os.environ.get(variable, "").strip()
    if not root:
        return
    if not os.path.isabs(root):
        raise InvalidArgument(
            f"{variable} ({setting}) is {root!r}, which is not an absolute path",
            remedy="Have who runs the job set it to the absolute path of a directory.",
        )
    real, real_root = os.path.realpath(path), os.path.realpath(root)
    if os.path.commonpath((real, real_root)) != real_root:
        leads = "" if real == path else f", as it leads to {real}"
        raise InvalidArgument(
            f"{option} {path} is not below {root} ({setting}){leads}",
            remedy=f"Give a path below {root}. Who runs the job sets that directory, by {variable} or in ansible.cfg.",
        )
