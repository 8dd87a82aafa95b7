# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of plugins/module_utils/_target.py, item_spec."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  library:
    description:
      - The name of the content library that holds O(library_item).
      - A name that several libraries bear is an error that lists them; O(library_id) then takes one.
    type: str
  library_id:
    description:
      - The identifier of the content library that holds O(library_item), instead of O(library).
    type: str
  library_item:
    description:
      - The name of the library item.
      - A name that several items of the library bear is an error that lists them; O(library_item_id) then takes one.
    type: str
  library_item_id:
    description:
      - The identifier of the library item, instead of O(library_item) and its library.
    type: str
"""
