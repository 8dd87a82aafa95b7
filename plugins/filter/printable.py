# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the roles show names from a server."""

from __future__ import annotations

from typing import Any, Callable

from ..module_utils._vcenter.errors import printable

DOCUMENTATION = r"""
name: printable
short_description: Write text on one line, with characters escaped that could control a terminal
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - A user who may name items of a library can put line breaks and control characters into the names. If such a name is
    shown as it is, it can forge lines of a job's log, and control the terminal of a person who reads the log.
  - White space that is no blank becomes a blank. Any other character that is not printable is escaped, as C(\x1b) for
    the escape character.
  - Ansible shows the label of a loop as it is. In results it escapes such characters itself.
options:
  _input:
    description: The text. Anything else is shown as text.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Remove the sessions that have ended
  vsphere.content.content_library_update_session:
    session_id: "{{ item.id }}"
    state: absent
  loop: "{{ sessions_found | rejectattr('state', 'equalto', 'ACTIVE') | selectattr('kind', 'equalto', 'update') }}"
  loop_control:
    label: "{{ item.library_item | vsphere.content.printable }}"
"""

RETURN = r"""
_value:
  description: The text on one line, of printable characters only.
  type: str
"""


def show(value: Any) -> str:
    return printable(str(value))


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"printable": show}
