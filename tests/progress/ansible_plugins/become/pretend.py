# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Becomes nobody else, whoever is asked for."""

from __future__ import annotations

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: pretend
short_description: Becomes nobody else
description: [Runs what it is given as it is.]
author: [The vsphere.content authors]
options:
  become_user:
    description: [Who is asked for.]
    type: str
    vars: [{name: ansible_become_user}]
    keyword: [{name: become_user}]
  become_exe:
    description: [Not used.]
    type: str
  become_flags:
    description: [Not used.]
    type: str
    default: ''
  become_pass:
    description: [Not used.]
    type: str
"""


class BecomeModule(BecomeBase):
    name = "pretend"

    def build_become_command(self, cmd: str, shell: object) -> str:
        super().build_become_command(cmd, shell)  # type: ignore[no-untyped-call]
        return str(self._build_success_command(cmd, shell))  # type: ignore[no-untyped-call]
