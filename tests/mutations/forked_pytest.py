# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs pytest in the current folder again and again, each time in a fork of a process that has loaded others' code.

Loading that takes longer than most tests, and it is the same whatever is wrong in ours, of which nothing is loaded
here. A line of standard input holds the arguments of a run as JSON, a line of the answer its exit code and output. The
only argument is how many seconds a run may take.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO

PAUSE = 0.02
PYTEST = ("-x", "-q", "--tb=short", "-p", "no:xdist")
#: As the command timeout has it; none of pytest's codes.
HUNG = 124
LOADED = (
    "_pytest.assertion.rewrite",
    "aiohttp.web",
    "ansible.module_utils.basic",
    "ansible.module_utils.testing",
    "com.vmware.content.library.item_client",
    "cryptography.x509",
    "hypothesis",
    "jsonschema",
    "requests",
    "vmware.vapi.lib.connect",
    "yaml",
)


def load() -> None:
    # The folder of this script, which comes first, has modules of very common names.
    sys.path[0] = os.getcwd()
    # A file that changes twice in a second would be taken for the one that was compiled.
    sys.dont_write_bytecode = True
    for name in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def run(arguments: Sequence[str], seconds: float) -> tuple[int, str]:
    """The exit code and the output of one run; HUNG if it had to be ended."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        child = os.fork()
        if not child:
            _be_pytest(arguments, output)
        # A group of its own, with which what it starts can be ended too.
        os.setpgid(child, child)
        code = _wait_for(child, seconds)
        if code is None:
            return HUNG, ""
        output.seek(0)
        return code, output.read()


def _be_pytest(arguments: Sequence[str], output: IO[str]) -> None:
    import pytest

    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        code = int(pytest.main([*PYTEST, *arguments]))
    finally:
        sys.stdout.flush()
        os._exit(code)


def _wait_for(child: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(PAUSE)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main() -> None:
    seconds = float(sys.argv[1])
    load()
    # What pytest prints goes elsewhere, so that nothing comes between the answers.
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), seconds)), flush=True)


if __name__ == "__main__":
    main()
