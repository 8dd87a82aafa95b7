# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is learned from the report of a vCenter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._check.known import POINTS
from tests.simulator.facts import FACTS, Strength
from tests.simulator.likeness import OTHER, SHOWN, UNOBSERVED, Report, likeness_of
from tests.simulator.versions import VERSIONS
from tests.simulator.worlds import WORLDS
from tools.learn import BY_VERSION, IN_OLD_ONES, SAYS, Lesson, learn, lines_about, main, run_jobs, usual

ADDS, CONFIRMS, FITS, REFUTES = Lesson.ADDS, Lesson.CONFIRMS, Lesson.FITS, Lesson.REFUTES


def report(version: str = "8.0.2", **observations: str) -> Report:
    """An underscore in the name of a point stands for a hyphen."""
    return Report(version, ("api", "rest"), {name.replace("_", "-"): seen for name, seen in observations.items()})


def written(folder: Path, version: str = "8.0.2", **observations: str) -> str:
    path = folder / "report.json"
    found: dict[str, Any] = {
        "format": 1,
        "vcenter": {"version": version, "build": "1", "dialects": ["api", "rest"], "dialect": "api"},
        "trial": True,
        "observations": dict(report(version, **observations).observations),
        "exchanges": [],
    }
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


def test_the_simulator_has_a_word_for_all_that_the_check_reports() -> None:
    theirs = {name: point.values for name, point in POINTS.items()}
    ours = {**{name: tuple(words) for name, words in SHOWN.items()}, **{w.name: w.values for w in WORLDS.values()}}
    assert {name: values for name, values in theirs.items() if ours.get(name) != values} == {}
    assert [name for name in SHOWN if name not in theirs] == []


def test_each_value_of_a_world_says_something_about_its_fact() -> None:
    open_questions = {name for name, world in WORLDS.items() if FACTS[world.fact].strength is Strength.UNKNOWN}
    assert set(WORLDS) == open_questions | set(SAYS) | set(BY_VERSION)
    assert {name: set(values) for name, values in SAYS.items()} == {name: set(WORLDS[name].values) for name in SAYS}
    assert set(IN_OLD_ONES) <= set(SHOWN)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_usual_refutes_nothing(version: str) -> None:
    observations = {name: usual(name, version) for name in (*WORLDS, *SHOWN)}
    learned = list(learn(Report(version, (), observations)))
    assert len(learned) == len(observations)
    assert [each for each in learned if each.lesson is REFUTES] == []


@pytest.mark.parametrize(
    ("version", "name", "seen", "lesson"),
    [
        ("8.0.2", "reading-extends", "no", ADDS),
        ("8.0.2", "range", OTHER, ADDS),
        ("8.0.2", "item-file-sha1", OTHER, ADDS),
        ("8.0.2", "item-file-sha1", "SHA1", CONFIRMS),
        ("8.0.2", "item-file-sha1", "none", REFUTES),
        ("8.0.2", "one-active-session", "allowed", REFUTES),
        ("8.0.2", "warning-texts", "named", REFUTES),
        ("8.0.2", "arrival", "with-its-answer", FITS),
        ("8.0.2", "arrival", "later", CONFIRMS),
        ("8.0.2", "probe-answer", "both", REFUTES),
        ("9.0.0", "probe-answer", "both", CONFIRMS),
        ("6.7.0", "preview-while-active", "absent", CONFIRMS),
        ("7.0.3", "preview-while-active", "absent", REFUTES),
        ("6.7.0", "challenge-in-refused-login", "absent", CONFIRMS),
        ("7.0.3", "challenge-in-refused-login", "absent", REFUTES),
    ],
)
def test_what_an_observation_says(version: str, name: str, seen: str, lesson: Lesson) -> None:
    (learned,) = learn(Report(version, (), {name: seen}))
    assert learned.lesson is lesson


def test_what_was_not_seen_says_nothing_and_what_has_no_word_is_told() -> None:
    found = report(range=OTHER, meanwhile=UNOBSERVED, one_active_session="allowed")
    lines = lines_about(found, likeness_of(found))
    assert lines[:3] == [
        "A vCenter 8.0.2, for which the simulator's 8.0 stands.",
        "The report confirms 0 facts, refutes 1 and adds to 1.",
        "2 of 3 points were seen.",
    ]
    assert lines[4].startswith("refutes   one-active-session (documented): An item has at most one ACTIVE update")
    assert lines[5].strip() == "seen: one-active-session is allowed"
    assert lines[-1] == "The simulator cannot do it yet: range is other"


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    assert f"learn: {path} is no report" in capsys.readouterr().err


@pytest.mark.rest
def test_the_main_jobs_run_under_a_vcenter_like_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that does much otherwise, as vcsim does."""
    path = written(
        tmp_path,
        "6.7.0",
        item_file_sha1="none",
        one_active_session="allowed",
        client_token_is_idempotent="another-session",
        preview_while_active="absent",
        patch_changes_warnings_only="ignored",
        pushed_file="arrives",
        arrival=OTHER,
        completion_needs_received_files="accepted",
        manifest_is_not_stored="kept",
        range="ignored",
    )
    assert main([path]) == 0
    said = capsys.readouterr().out.partition("The main jobs against such a simulator:\n")[2]
    assert {line.split()[0] for line in said.splitlines()} == {"ok"}
    assert len(said.splitlines()) == 7


@pytest.mark.rest
def test_a_job_that_does_not_do_its_work_is_told_with_its_reason() -> None:
    outcomes = run_jobs(likeness_of(report(pushed_file="stays-waiting")), "api")
    assert "tools.iso" in outcomes["publish an ISO"]
    assert outcomes["have a file pulled"] == ""
