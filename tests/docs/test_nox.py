# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions of nox: names for steps that there are, which run with what `make venv` has made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.checkout import ROOT
from tools.check import PUSH, REST
from tools.environment import check_environment

SESSIONS = [
    "test",
    "test-all",
    "lint",
    "docs-check",
    "license-check",
    "ansible-lint",
    "build-import-check",
    "ansible-test-sanity",
    "ansible-test-units",
    "molecule",
]
STEPS = {"--all", *(step.name for step in (*PUSH, *REST))}


def nox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nox", *arguments],
        cwd=ROOT,
        env=check_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_sessions_have_the_names_of_other_collections_and_steps_of_ours() -> None:
    listed = nox("--list", "--json", "--sessions", *SESSIONS)
    assert listed.returncode == 0, listed.stderr
    described = {each["session"]: each["description"] for each in json.loads(listed.stdout)}
    run = {name: text.removesuffix(".").split("tools.check")[1].split() for name, text in described.items()}
    assert list(run) == SESSIONS
    assert [word for words in run.values() for word in words if word not in STEPS] == []


@pytest.mark.rest
def test_a_session_runs_its_step() -> None:
    ran = nox("--sessions", "license-check")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "=== reuse: ok" in ran.stdout
    assert "1 passed, 0 failed, 0 skipped" in ran.stdout


def test_nothing_is_installed_for_a_session(tmp_path: Path) -> None:
    ran = nox("--sessions", "license-check", "--install-only", "--envdir", str(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(tmp_path.iterdir()) == []
