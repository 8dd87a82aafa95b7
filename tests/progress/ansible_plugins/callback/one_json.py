# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints one JSON document at the end of a run, as other programs want it."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: one_json
type: stdout
short_description: One JSON document
description: [Prints whether each task has changed something.]
author: [The vsphere.content authors]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "one_json"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._changed: list[bool] = []

    def v2_runner_on_ok(self, result: Any) -> None:
        self._changed.append(result.is_changed())

    def v2_playbook_on_stats(self, _stats: Any) -> None:
        self._display.display(json.dumps({"changed": self._changed}))
