# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of plugins/module_utils/_item/item_lookup.py, item_spec."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  library:
    description:
      - The name of the content library that holds O(library_item).
      - If several libraries have this name, the task fails and lists them. Then use O(library_id).
      - What C(module_defaults) say of a library, an item or a session does not count if the task itself names its
        target in another way.
    type: str
    aliases: [library_name]
  library_id:
    description:
      - The identifier of the content library that holds O(library_item), instead of O(library).
    type: str
  library_item:
    description:
      - The name of the library item.
      - If several items of the library have this name, the task fails and lists them. Then use O(library_item_id).
    type: str
    aliases: [library_item_name]
  library_item_id:
    description:
      - The identifier of the library item, instead of O(library_item) and its library.
    type: str
"""
