# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules and playbooks as separate processes, which may be killed on the way, and measures their memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.kills import DEATHS
from tests.harness.modules import connection_args, start_module
from tests.harness.waiting import eventually
from tests.simulator import Simulator
from tools.environment import check_environment
from tools.soak.trouble import Trouble

SECONDS = 300.0
ERROR_TYPE = re.compile(r'"error": \{.*?"type": "([A-Z_]+)"', re.DOTALL)


@dataclass(frozen=True)
class Ran:
    """How a process ended: its result, the type of its failure, and its peak memory in KiB."""

    code: int
    output: str
    result: Mapping[str, Any]
    error_type: str | None
    peak: int

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))


def run_module(sim: Simulator, name: str, options: Mapping[str, Any], dialect: str, trouble: Trouble | None) -> Ran:
    process = start_module(name, {**connection_args(sim), "api_dialect": dialect, **options})
    if trouble and trouble.death:
        _kill(sim, process, trouble.death)
    output, code, peak = _finish(process)
    start = output.find("{")
    result: dict[str, Any] = json.loads(output[start:]) if start >= 0 else {}
    killed = f"KILLED_BY_{-code}" if code < 0 else "UNREAD"
    error_type = (result.get("error") or {}).get("type") if result else killed
    return Ran(code, output, result, error_type if code else None, peak)


def run_playbook(sim: Simulator, name: str, variables: Mapping[str, Any], folder: Path) -> Ran:
    """Run a playbook of the collection as a user does."""
    given = folder / "variables.json"
    given.write_text(json.dumps({"vcenter_connection": {"ca_path": sim.ca_path}, **variables}), encoding="utf-8")
    process = subprocess.Popen(
        ["ansible-playbook", "--inventory", "localhost,", f"vsphere.content.{name}", "--extra-vars", f"@{given}"],
        env={
            **check_environment(os.environ),
            "VMWARE_HOST": sim.hostname,
            "VMWARE_PORT": str(sim.port),
            "VMWARE_USER": sim.username,
            "VMWARE_PASSWORD": sim.password,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, code, peak = _finish(process)
    found = ERROR_TYPE.search(output)
    return Ran(code, output, {}, (found.group(1) if found else "UNKNOWN") if code else None, peak)


def _kill(sim: Simulator, process: subprocess.Popen[str], death: str) -> None:
    """Kill the process as soon as the server holds its request; one that never gets there ends normally."""
    eventually(lambda: sim.wait_until_held(0) or _has_ended(process), SECONDS)
    if sim.wait_until_held(0):
        DEATHS[death](process)
        eventually(lambda: _has_ended(process), seconds=3)
    sim.release()


def _has_ended(process: subprocess.Popen[str]) -> bool:
    """Whether the process has ended; it is not reaped yet, as its memory usage comes with that."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _finish(process: subprocess.Popen[str]) -> tuple[str, int, int]:
    limit = threading.Timer(SECONDS, process.kill)
    limit.start()
    try:
        stdout = process.stdout
        output = stdout.read() if stdout and not stdout.closed else ""
        _pid, status, usage = os.wait4(process.pid, 0)
    finally:
        limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    return output, process.returncode, usage.ru_maxrss
