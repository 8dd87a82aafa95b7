# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch makes a test fail in which the description is not kept to, and a run that has seen too little."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.contract.exchanges import MEETING
from tests.harness.checkout import ROOT

#: The exchanges of `test_undescribed` and of `test_clean`.
ALL = len(MEETING) + 1
BY_WORKERS = ("--numprocesses=2", "--all-undescribed", f"--exchanges={ALL}")
WATCHED = """
import pytest
import requests
from tests.contract.exchanges import MEETING
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def sim():
    with Simulator() as running:
        yield running


def ask(sim, query):
    url = f"https://{sim.hostname}:{sim.port}/api/session{query}"
    requests.get(url, verify=sim.ca_path, headers={"User-Agent": "vsphere.content"}, timeout=10)


@pytest.fixture
def tidied(sim):
    yield
    ask(sim, "?colour=red")


def test_clean(sim):
    ask(sim, "")


def test_violating(sim):
    ask(sim, "?colour=red")


@pytest.mark.beyond_description
def test_beyond(sim):
    ask(sim, "?colour=red")


def test_tidied(tidied):
    pass


@pytest.mark.parametrize("entry", MEETING)
def test_undescribed(entry):
    Simulator.default_observer(MEETING[entry])
"""
COLOURED = "against the published description:\nGET /api/session?colour=red -> 401: the query parameter colour is not"


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of a run of what is watched."""
    (folder / "test_watched.py").write_text(WATCHED, encoding="utf-8")
    # In CI, pytest says each reason twice.
    env = {name: text for name, text in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.contract.watch", *arguments],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_who_fails(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-k", "not undescribed")
    assert code == 1
    ended = re.findall("^(PASSED|FAILED|ERROR) .*::(test_[a-z]+)", output, re.MULTILINE)
    assert sorted(ended) == [
        ("ERROR", "test_tidied"),
        ("FAILED", "test_beyond"),
        ("FAILED", "test_violating"),
        ("PASSED", "test_clean"),
        ("PASSED", "test_tidied"),
    ]
    assert output.count(COLOURED) == 3


def test_what_workers_have_seen_is_added_up(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-k", "clean or undescribed", *BY_WORKERS)
    assert (code, f"{ALL} exchanges held to the published description" in output) == (0, True), output


def test_a_run_that_has_seen_too_little_fails(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-k", "undescribed and not probe", *BY_WORKERS)
    assert code == 1
    assert re.findall("^FAILED: .*", output, re.MULTILINE) == [
        f"FAILED: at least {ALL} exchanges were expected, {ALL - 2} were seen",
        "FAILED: no test meets what is listed as undescribed: probe",
    ]
