# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules have in common as attributes."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, and then returns what it would change without changing it.
    support: full
  diff_mode:
    description: Returns what it changes, or would change in check mode, when C(--diff) is given.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Reads only, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff to show.
    support: N/A
  idempotent:
    description: Changes nothing, however often it is run.
    support: full
"""

    GROUP = r"""
options: {}
attributes:
  action_group:
    description: Takes the connection options from C(module_defaults) of the group C(vsphere.content.vcenter).
    support: full
    membership:
      - vsphere.content.vcenter
"""
