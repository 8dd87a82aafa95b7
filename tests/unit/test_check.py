# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks' own rules: what counts as failed, what was left out, what may be in the tarball."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.harness.checkout import ROOT
from tools.check import Outcome, Step, commands, counted, main
from tools.environment import check_environment, search_path
from tools.package import strays
from tools.sanity import left_out
from tools.staging import stage


def step(name: str, outcome: Outcome) -> Step:
    return Step(name, "", lambda env: outcome)


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_what_was_skipped_fails_only_in_ci(strict: bool, code: int) -> None:
    assert main([], strict, [step("one", Outcome(passed=1, skipped=1))]) == code


def test_only_the_named_steps_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["two"], False, [step("one", Outcome(failed=1)), step("two", Outcome(passed=1))]) == 0
    assert "=== one" not in capsys.readouterr().out


SEVERAL = """
import os, sys, time
from pathlib import Path
from tests.harness.checkout import ROOT
from tools.check import Outcome, Step, main

def shake_hands(mine, other):
    print(f"{mine} says hello")
    os.system(f"echo {mine} passes it on")
    Path(sys.argv[1], mine).touch()
    deadline = time.monotonic() + 20
    while not Path(sys.argv[1], other).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return Outcome(passed=int(Path(sys.argv[1], other).exists()))

steps = [
    Step("one", "", lambda env: shake_hands("one", "two")),
    Step("two", "", lambda env: shake_hands("two", "one")),
    Step("three", "", lambda env: Outcome(failed=1)),
    Step("four", "", lambda env: os._exit(3)),
    Step("five", "", lambda env: Outcome(passed=3, skipped=2)),
]
sys.exit(main([], False, steps))
"""


def test_several_steps_run_side_by_side_whatever_becomes_of_each(tmp_path: Path) -> None:
    # In a process of its own, as it forks: pytest's workers have threads.
    command = [sys.executable, "-c", SEVERAL, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    for name in ("one", "two"):
        assert f"=== {name}: \n{name} says hello\n{name} passes it on\n=== {name}: ok" in ran.stdout
    assert ran.stdout.splitlines()[-2:] == ["Failed: three, four", "5 passed, 2 failed, 2 skipped"]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("print('all is here')", Outcome(passed=1)),
        ("print('left out: the half of it')", Outcome(skipped=1, remarks=("left out: the half of it",))),
        ("raise SystemExit('left out: no excuse')", Outcome(failed=1, skipped=1, remarks=("left out: no excuse",))),
    ],
)
def test_what_a_command_leaves_out_counts_as_skipped(script: str, outcome: Outcome) -> None:
    assert commands((sys.executable, "-c", script))(os.environ) == outcome


def test_errors_of_fixtures_count_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>')
    assert counted(report) == Outcome(passed=3, failed=3, skipped=3)


@pytest.mark.parametrize(
    "line",
    [
        'WARNING: Skipping sanity test "compile" on Python 3.9 because it could not be found.',
        "WARNING: All targets skipped.",
    ],
)
def test_a_part_that_ansible_test_leaves_out_is_seen(line: str) -> None:
    assert left_out(f'Running sanity test "compile"\n{line}\n') == [line]


def test_real_pythons_take_the_place_of_shims(tmp_path: Path) -> None:
    for version in ("3.9.2", "3.9.18"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
    own = {"HOME": "/home/me", "PYENV_ROOT": str(tmp_path), "PATH": f"{tmp_path}/shims:/usr/bin"}

    versions = tmp_path / "versions"
    assert search_path(own)[1:] == [str(versions / "3.9.18" / "bin"), str(versions / "3.9.2" / "bin"), "/usr/bin"]


def test_checks_see_nothing_of_the_developers_settings() -> None:
    own = {"HOME": "/home/me", "PATH": "/usr/bin", "VMWARE_PASSWORD": "x", "ANSIBLE_CONFIG": "y", "LANG": "C.UTF-8"}
    env = check_environment(own)
    assert {"VMWARE_PASSWORD", "ANSIBLE_CONFIG"}.isdisjoint(env)
    assert env["LANG"] == "C.UTF-8"
    assert env["HOME"] != "/home/me"


def test_the_staged_copy_holds_only_what_git_knows_of(tmp_path: Path) -> None:
    copy = stage(tmp_path)
    assert (copy / "galaxy.yml").is_file()
    assert os.readlink(copy / "LICENSES" / "GPL-3.0-or-later.txt") == "../LICENSE"
    assert not (copy / ".cache").exists()


@pytest.mark.parametrize(
    ("name", "stray"),
    [
        ("plugins/modules/content_library_item.py", False),
        ("tests/simulator/__main__.py", False),
        ("tests/harness/packages.py", False),
        ("tests/harness/modules.py", True),
        ("tests/unit/test_check.py", True),
        ("Makefile", True),
        ("notes.txt", True),
    ],
)
def test_a_tarball_takes_only_what_users_need(name: str, stray: bool, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.touch()
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=name)
    assert bool(strays(tmp_path / "x.tar.gz")) == stray
