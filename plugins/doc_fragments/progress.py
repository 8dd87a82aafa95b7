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
      - While files move, a line for each of them appears in the job's output, at most every so many seconds, that says
        how far it is, how fast and how long still. V(0) shows none.
      - If it is left out, the environment variable E(VSPHERE_CONTENT_PROGRESS_INTERVAL) is used, or without one
        C(progress_interval) in the section C([vsphere_content]) of C(ansible.cfg), or without that V(5). Both are those
        of the controller.
      - A task that has nothing to move shows nothing. Nothing is shown either with C(async) or C(no_log), over another
        connection than C(local), with C(become) to another user, or where the stdout callback prints JSON. The task
        does the same in all these cases.
    type: int
    default: 5
  progress_file:
    description:
      - A file that exists, to which lines about the progress are added while the task runs.
      - The action plugin that shows the lines sets it. A task that sets it has the lines there, and none in the job's
        output.
      - The task does not fail if it cannot write there.
    type: path
attributes:
  action:
    description: An action plugin of the same name runs on the controller.
    support: full
    details:
      - It shows the progress, and does nothing else. Without it the module does the same.
  async:
    description: Can be run with C(async).
    support: full
    details:
      - No progress is shown then.
"""
