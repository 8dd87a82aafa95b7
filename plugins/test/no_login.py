# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test by which the roles see that the other targets of a vCenter need not be tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: no_login
short_description: Whether a task has failed before it could do anything in its vCenter
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - True for the result of a module of this collection that has failed because the vCenter refused the login, could not
    be reached or could not be verified. Other tasks of the play would fail in the same way, and vCenter locks an
    account after a few refused logins.
options:
  _input:
    description: The result of a task.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Publish an image to each library, until a login fails
  vsphere.content.content_library_update_session:
    library: "{{ item }}"
    library_item: tools
    state: done
    files:
      - src: /images/tools.iso
  loop: [templates, archive]
  register: published
  when: published is not defined or published is not vsphere.content.no_login
  ignore_errors: true
"""

RETURN = r"""
_value:
  description: Whether the task has failed in that way.
  type: bool
"""

UNREACHED = ("CONNECTION_FAILED", "TLS_UNVERIFIED")
# With a session token there is no login, and a task that publishes asks for the library first.
FIRST = ("library.find", "library.get")


def has_no_login(result: Mapping[str, Any]) -> bool:
    """Whether the result of a task says that it could do nothing in its vCenter."""
    error = result.get("error") or {}
    kind, operation = error.get("type"), error.get("operation")
    return bool(result.get("failed")) and (
        kind == "UNAUTHENTICATED" or operation == "session.login" or (operation in FIRST and kind in UNREACHED)
    )


class TestModule:
    """Ansible's way to find tests."""

    def tests(self) -> dict[str, Callable[[Mapping[str, Any]], bool]]:
        return {"no_login": has_no_login}
