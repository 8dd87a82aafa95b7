# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator that is like the vCenter of a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Seed, Simulator
from tests.simulator.__main__ import main
from tests.simulator.facts import FACTS
from tests.simulator.likeness import SHOWN, UNOBSERVED, likeness_of, nearest, report_from
from tests.simulator.seed import seed_from_mapping
from tests.simulator.versions import VERSIONS, as_version
from tests.simulator.worlds import WORLDS, in_worlds
from tests.unit.simulator.wire_client import Wire


def report(version: str = "8.0.2", dialects: list[str] | None = None, **observations: str) -> dict[str, Any]:
    """A report as the check writes it. An underscore in the name of a point stands for a hyphen."""
    return {
        "format": 1,
        "vcenter": {"version": version, "build": "22617221", "dialects": dialects or ["api", "rest"], "dialect": "api"},
        "trial": True,
        "observations": {name.replace("_", "-"): seen for name, seen in observations.items()},
        "exchanges": [],
    }


def placed(found: dict[str, Any], usual: dict[str, str] | None = None, **chosen: str) -> Seed:
    return likeness_of(report_from(found)).place(Seed(), usual or {}, chosen)


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_each_value_of_a_world_is_taken_from_a_report(world: Any) -> None:
    for value in world.values:
        found = {**report(), "observations": {world.name: value}}
        assert placed(found) == in_worlds(Seed(), {world.name: value})


@pytest.mark.parametrize("fact", SHOWN)
def test_each_word_for_a_fact_is_a_deviation_of_the_seed_or_none(fact: str) -> None:
    assert fact in FACTS
    assert fact not in WORLDS
    for word, changes in SHOWN[fact].items():
        found = {**report(), "observations": {fact: word}}
        assert placed(found) == replace(Seed(), **changes)


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("6.5.0", "6.7"),
        ("6.7.0.51000", "6.7"),
        ("7.0.3.01700", "7.0"),
        ("8.0.2.00300", "8.0"),
        ("9.1.0", "9.0"),
        ("10.0", "9.0"),
        ("", "8.0"),
        ("none", "8.0"),
    ],
)
def test_the_version_is_the_one_that_is_known_or_the_one_before(version: str, known: str) -> None:
    assert nearest(version) == known


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_not_seen_is_as_the_version_has_it(version: str) -> None:
    dialects = list(VERSIONS[version].get("dialects", ("api", "rest")))
    named = as_version(Seed(), version).version
    unseen = {**report(named, dialects), "observations": dict.fromkeys(WORLDS, UNOBSERVED)}
    assert placed(unseen) == as_version(Seed(), version)


def test_the_simulator_says_the_version_of_the_report() -> None:
    assert placed(report("8.0.3.00400")).version == "8.0.3.00400"
    assert placed(report("of my own")).version == Seed().version


def test_what_was_seen_counts_before_the_version_and_what_is_chosen_before_that() -> None:
    found = report("9.0.0", ["rest"], session_ids="two-parts", arrival="later", range="other")
    seed = placed(found, {"arrival": "with-its-answer", "completion": "at-once"}, **{"session-ids": "one-part"})
    assert (seed.dialects, seed.arrival, seed.completion, seed.session_ids, seed.ranges) == (
        ("rest",),
        "later",
        "at-once",
        "one-part",
        True,
    )
    assert likeness_of(report_from(found)).unlike == {"range": "other"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "is no report of a check"),
        ({"worlds": {}}, "is no report of a check"),
        ({"format": 2}, "has the format 2, and only 1 is known"),
        ({"format": 1, "observations": {}}, "lacks vcenter or observations"),
        (report(dialects=["soap"]), "names dialects that there are not"),
        (report(rnge="ignored"), "neither a world nor a fact"),
        (report(range="perhaps"), "it can only be honoured, ignored, other"),
    ],
)
def test_what_is_no_report_is_refused(
    found: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    assert main(["--like", str(path)]) == 2
    told = capsys.readouterr().err
    assert (said in told, str(path) in told) == (True, True), told


def test_a_file_that_is_no_json_or_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    assert main(["--like", str(path)]) == 2
    path.write_text("version: 8", encoding="utf-8")
    assert main(["--like", str(path)]) == 2
    missing, wrong = capsys.readouterr().err.splitlines()
    assert "No such file" in missing
    assert "is no report: Expecting value" in wrong


def test_a_dialect_that_such_a_vcenter_does_not_speak_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report("7.0.1", ["rest"])), encoding="utf-8")
    assert main(["--like", str(path), "--dialect", "api"]) == 2
    assert "does not speak /api" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"one-active-session": "allowd"}, "has no word 'allowd', only refused, allowed"),
        ({"arrival": "later"}, "nothing can be otherwise about 'arrival', only about authentication-required-id, "),
    ],
)
def test_a_seed_with_a_word_that_there_is_not_is_refused(otherwise: dict[str, str], said: str) -> None:
    assert seed_from_mapping({"otherwise": {"one-active-session": "allowed"}}).does("one-active-session", "allowed")
    with pytest.raises(ValueError, match=said):
        seed_from_mapping({"otherwise": otherwise})


def test_a_simulator_is_like_the_report_also_after_a_reset() -> None:
    like = likeness_of(report_from(report("6.7.0", ["rest"], rest_empty_list="null")))
    with Simulator(like=like) as sim:
        for _attempt in range(2):
            assert Wire(sim, "api", log_in=False).log_in(sim.username, sim.password).status_code == 404
            assert Wire(sim, "rest").list().json() == {"value": None}
            sim.reset()
