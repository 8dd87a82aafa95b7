# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks' own rules: what counts as failed, what was left out, what may be in the tarball."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.checkout import ROOT
from tools import changelog, check
from tools.check import PUSH, REST, Outcome, Step, commands, counted, main
from tools.environment import check_environment, search_path
from tools.package import strays
from tools.sanity import left_out
from tools.staging import stage


def step(name: str, outcome: Outcome, seconds: int = 0) -> Step:
    return Step(name, seconds, "", lambda env: outcome)


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_what_was_skipped_fails_only_in_ci(strict: bool, code: int) -> None:
    assert main([], strict, [step("one", Outcome(passed=1, skipped=1))]) == code


def test_only_the_named_steps_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["two"], False, [step("one", Outcome(failed=1)), step("two", Outcome(passed=1))]) == 0
    assert "=== one" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [([], ["one"]), (["--all"], ["one", "two"]), (["two"], ["two"]), (["one", "two"], ["one", "two"])],
)
def test_what_does_not_pay_on_each_push_runs_when_all_is_asked_for(
    arguments: list[str], ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several would fork, and pytest's workers have threads.
    monkeypatch.setattr(check, "run_steps", lambda steps, env: {step.name: check.run_step(step, env) for step in steps})
    done: list[str] = []

    def noted(name: str) -> Step:
        def note(_env: Mapping[str, str]) -> Outcome:
            done.append(name)
            return Outcome(passed=1)

        return Step(name, 0, "", note)

    assert main(arguments, True, [noted("one")], [noted("two")]) == 0
    assert done == ran


# -- what steps may take of a core


def test_what_runs_on_each_push_takes_twelve_minutes_of_a_core_at_most() -> None:
    assert sum(step.seconds for step in PUSH) <= 12 * 60


def test_each_step_has_a_name_of_its_own_and_its_time() -> None:
    steps = (*PUSH, *REST)
    assert len({step.name for step in steps}) == len(steps)
    assert [step.name for step in steps if step.seconds < 1] == []


BURN = """
import time
while time.process_time() < {}: pass
"""


def burning(seconds: float, budget: int) -> Step:
    return Step("burn", budget, "", commands((sys.executable, "-c", BURN.format(seconds))))


def test_the_run_tells_what_a_step_has_used_and_may_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], True, [burning(1.0, 7)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^=== burn: ok in \d+ s, 1 / 7 s of a core$", told, re.MULTILINE)
    assert re.search(r"^burn +1 / 7\nin all +1 / 7$", told, re.MULTILINE)


def test_a_step_that_uses_much_more_than_it_may_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (burning(0, 0).limit, burning(0, 50).limit) == (20, 170)
    used = iter([0.0, 20.5])
    monkeypatch.setattr(check, "cpu_seconds", lambda: next(used))
    assert main([], False, [step("one", Outcome(passed=1))]) == 1
    assert "too slow: more than 20 s of a core" in capsys.readouterr().out


# -- several at once


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
    Step("one", 0, "", lambda env: shake_hands("one", "two")),
    Step("two", 0, "", lambda env: shake_hands("two", "one")),
    Step("three", 0, "", lambda env: Outcome(failed=1)),
    Step("four", 0, "", lambda env: os._exit(3)),
    Step("five", 0, "", lambda env: Outcome(passed=3, skipped=2)),
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


@pytest.mark.parametrize(("written", "code"), [("as it should be", 0), ("as it was", 1)])
def test_a_page_of_changes_that_lacks_a_fragment_is_seen(
    written: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / changelog.NAME
    page.write_text(written)
    monkeypatch.setattr(changelog, "made", lambda: "as it should be")
    assert changelog.main(["--check"], page) == code
    assert page.read_text() == written
    assert changelog.main([], page) == 0
    assert page.read_text() == "as it should be"


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
