# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workflows of GitHub: what they run is what a developer runs, what they use is pinned, and they may do little."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.checkout import ROOT
from tests.peers.binaries import LINTER
from tools.release import what_is_wrong_with
from tools.sanity import SUPPORTED

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^\s*(?:- )?uses: actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")
#: The tests need the rights of root, and root has another PATH.
AS_ROOT = ["sudo", "--preserve-env", "env", "PATH=$PATH"]


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield f"{path.stem}-{name}", job


def commands() -> list[str]:
    return list(dict.fromkeys(step["run"] for _name, job in jobs() for step in job["steps"] if "run" in step))


def test_the_workflows_are_those_that_are_expected() -> None:
    assert [path.stem for path in WORKFLOWS] == ["nightly", "push", "release"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actionlint_finds_nothing(programs: Path, path: Path) -> None:
    ran = subprocess.run([programs / LINTER, "-no-color", path], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_actionlint_finds_what_is_wrong(programs: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("matrix.python", "matrix.pyhton"))
    ran = subprocess.run([programs / LINTER, "-no-color", wrong], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert 'property "pyhton" is not defined' in ran.stdout


@pytest.mark.parametrize("command", commands())
def test_each_step_runs_targets_of_make(command: str) -> None:
    words = shlex.split(command)
    words = words[len(AS_ROOT) :] if words[: len(AS_ROOT)] == AS_ROOT else words
    assert words[0] == "make"
    assert len(words) > 1
    ran = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_workflows_run_what_they_are_for() -> None:
    made = {name: [step["run"].partition("make ")[2] for step in job["steps"] if "run" in step] for name, job in jobs()}
    assert made == {
        "push-test": ["test"],
        "nightly-test-all": ["test-all"],
        "release-build": ["tagged", "test-all", "package docs"],
        "release-publish": ["publish"],
        "release-pages": [],
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_is_used_is_pinned_by_its_commit(path: Path) -> None:
    used = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.match(line)] == []


def test_an_action_has_one_version() -> None:
    used = {line.split("uses: ")[1] for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line}
    assert len({line.split("@")[0] for line in used}) == len(used)


def test_a_workflow_may_do_nothing_but_what_each_job_needs() -> None:
    assert [path.stem for path in WORKFLOWS if read(path)["permissions"]] == []
    allowed = {name: job["permissions"] for name, job in jobs()}
    assert {name: granted for name, granted in allowed.items() if granted != {"contents": "read"}} == {
        "release-pages": {"pages": "write", "id-token": "write"}
    }
    assert all(job["timeout-minutes"] <= 90 for _name, job in jobs())
    checkouts = [step for _name, job in jobs() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert [step for step in checkouts if step["with"] != {"persist-credentials": False}] == []


def test_a_secret_is_given_to_a_job_of_the_protected_environment_alone() -> None:
    secretive = {name: job for name, job in jobs() if "secrets." in str(job)}
    assert {name: job["environment"] for name, job in secretive.items()} == {"release-publish": "galaxy"}
    assert secretive["release-publish"]["needs"] == "build"


def test_a_night_has_the_ansible_core_of_each_supported_python() -> None:
    job = read(ROOT / ".github" / "workflows" / "nightly.yml")["jobs"]["test-all"]
    assert job["strategy"]["matrix"]["python"] == list(SUPPORTED)
    assert job["env"] == {"WHOLE_MATRIX_OF": "${{ matrix.python }}"}
    steps = [step for _name, each in jobs() for step in each["steps"]]
    installed = [step["with"]["python-version"] for step in steps if "setup-python" in step.get("uses", "")]
    assert {each.split()[-1] for each in installed} == {SUPPORTED[-1]}
    assert {len(each.split()) for each in installed} == {1, len(SUPPORTED)}


def test_only_the_version_can_be_released() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert what_is_wrong_with(version) == ""
    assert what_is_wrong_with(f"v{version}") == f"The tag is v{version}, and the version in galaxy.yml {version}."
