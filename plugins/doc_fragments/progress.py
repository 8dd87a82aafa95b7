# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of plugins/module_utils/_task/progress.py, progress_spec, and what the action plugins do with them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  progress_interval:
    description:
      - How many seconds at least lie between two lines about the same file in the job's output. While a file moves,
        such a line shows how much was sent or fetched, the speed and the time left. V(0) shows no lines.
      - If it is left out, the controller's environment variable E(VSPHERE_CONTENT_PROGRESS_INTERVAL) counts, then
        C(progress_interval) in the section C([vsphere_content]) of its C(ansible.cfg), then V(5).
      - A task that has nothing to move shows no lines. Nor does a task with C(async) or C(no_log), over another
        connection than C(local), with C(become) to another user, or with a stdout callback that prints JSON. Otherwise
        these tasks work in the same way.
    type: int
    default: 5
  progress_file:
    description:
      - An existing file to which the task appends lines about its progress.
      - The action plugin that shows the lines sets this option. If a task sets it, the lines go to this file and not to
        the job's output.
      - The task goes on if it cannot write there.
    type: path
attributes:
  action:
    description: An action plugin of the same name runs on the controller.
    support: full
    details:
      - It shows the progress. Without it, the module does the same work.
  async:
    description: Can be run with C(async).
    support: full
    details:
      - Then it shows no progress.
"""
