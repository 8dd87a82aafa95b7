# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How vcsim is started and stopped, tried on programs that do it badly."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness.waiting import HANG, in_time
from tests.peers.programs import run_vcsim

READY = '{"hostname": "", "port": 1, "username": "", "password": "", "ca_path": "", "pid": 1}'


def stand_in(folder: Path, *commands: str) -> Path:
    program = folder / "vcsim"
    program.write_text("\n".join(["#!/bin/sh", *commands, ""]))
    program.chmod(0o755)
    return folder


def test_one_that_never_gets_ready_is_not_waited_for(tmp_path: Path) -> None:
    silent = stand_in(tmp_path, "echo no datastore >&2", f"exec sleep {10 * HANG}")
    with in_time(), pytest.raises(AssertionError, match="did not start: no datastore"), run_vcsim(silent, seconds=2):
        pass


def test_one_that_logs_more_than_a_pipe_holds_goes_on(tmp_path: Path) -> None:
    chatty = stand_in(
        tmp_path, "head -c 200000 /dev/zero >&2", f"echo '{READY}'", "head -c 200000 /dev/zero >&2", "cat"
    )
    with run_vcsim(chatty, seconds=20) as running:
        assert running.port == 1


def test_one_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = stand_in(tmp_path, f"echo '{READY}'", f"exec sleep {10 * HANG}")
    with in_time(), pytest.raises(subprocess.TimeoutExpired), run_vcsim(deaf, seconds=2):
        pass
