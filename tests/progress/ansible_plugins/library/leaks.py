#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warns, changes whatever a module can change in its process, and returns what it has found there."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: leaks
short_description: Leaves traces
description: [Leaves traces in its process.]
author: [The vsphere.content authors]
options:
  round:
    description: [Which round of a loop this is.]
    type: str
    required: true
  old:
    description: [An option that goes.]
    type: str
"""
EXAMPLES = ""
RETURN = ""

VARIABLE = "VMWARE_LEAKED"
rounds: list[str] = []


def main() -> None:
    spec: dict[str, Any] = {"round": {"type": "str", "required": True}, "old": {"type": "str"}}
    module = AnsibleModule(spec)
    name = module.params["round"]
    found: dict[str, Any] = {
        "variable": os.environ.get(VARIABLE),
        "rounds": list(rounds),
        "handled": callable(signal.getsignal(signal.SIGUSR1)),
        "threads": threading.active_count(),
        "directory": os.getcwd(),
        "umask": os.umask(0o077),
    }
    rounds.append(name)
    os.environ[VARIABLE] = name
    os.chdir("/")
    signal.signal(signal.SIGUSR1, lambda *_arguments: None)
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    module.warn(f"warning of round {name}")
    module.deprecate(f"deprecation of round {name}", version="99.0.0", collection_name="vsphere.content")
    if module.params["old"]:
        module.fail_json(msg=f"round {name} fails", **found)
    module.exit_json(changed=True, **found)


if __name__ == "__main__":
    main()
