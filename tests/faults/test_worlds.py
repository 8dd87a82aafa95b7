# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main jobs on each version of vCenter, and in each world: whichever way an open question turns out.

A push tries each answer once, in few servers. Each answer alone and all pairs of two answers have the mark `rest`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import item_id, update_states
from tests.harness.main_jobs import MAIN_JOBS, PAUSES, SEED, Files, mirror
from tests.harness.samples import waiting
from tests.harness.tasks import Tasks, publish
from tests.simulator import Simulator
from tests.simulator.versions import DEFAULT, VERSIONS
from tests.simulator.worlds import WORLDS

VCENTER = "vcenter"
#: How a world needs the server to be, so that its question arises at all.
NEEDS = {"old-api": {VCENTER: "6.7"}}
#: In which files never arrive, so that a task can only fail.
HOPELESS = ("pushed-file", "stays-waiting")

Choice = Mapping[str, str]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder = tmp_path_factory.mktemp("jobs")
    with mirror(folder) as running:
        yield Files(folder, running)


def server_of(choice: Choice) -> Simulator:
    worlds = {"arrival": "with-its-answer", **{name: value for name, value in choice.items() if name != VCENTER}}
    return Simulator(seed=SEED, settle=0.02, vcenter=choice.get(VCENTER, DEFAULT), worlds=worlds)


def do_all(sim: Simulator, jobs: Files, dialect: str, dest: Path) -> None:
    tasks = Tasks(sim, dialect)
    for job in MAIN_JOBS.values():
        job(tasks, jobs, dest)


def dialect_of(choice: Choice) -> str:
    """Versions before /api are found out by the task itself."""
    return "auto" if choice.get(VCENTER) == "6.7" else "rest" if "rest-empty-list" in choice else "api"


SINGLE: list[dict[str, str]] = [{VCENTER: version} for version in VERSIONS] + [
    {**NEEDS.get(world.name, {}), world.name: value}
    for world in WORLDS.values()
    for value in world.values
    if value != world.default and (world.name, value) != HOPELESS
]
PACED = pytest.mark.paced(**PAUSES)


def named(choice: Choice) -> str:
    return "-".join(f"{name}={value}" for name, value in choice.items())


def pairwise(values: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Few choices that hold each pair of values of two names."""
    missing = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(values, 2)
        for x, y in itertools.product(values[a], values[b])
    }
    rows: list[dict[str, str]] = []
    while missing:
        row = dict(min(missing))
        for name in values:
            if name not in row:
                row[name] = max(values[name], key=lambda value: _gain(row, name, value, missing))
        rows.append({name: row[name] for name in values})
        missing -= set(itertools.combinations(rows[-1].items(), 2))
    return rows


def _gain(row: Mapping[str, str], name: str, value: str, missing: set[Any]) -> int:
    pairs = ((pair, (name, value)) for pair in row.items())
    return sum((a, b) in missing or (b, a) in missing for a, b in pairs)


def choices() -> dict[str, tuple[str, ...]]:
    """What is combined: all but what lets a task only fail."""
    usable = {
        world.name: tuple(value for value in world.values if (world.name, value) != HOPELESS)
        for world in WORLDS.values()
    }
    return {VCENTER: tuple(VERSIONS), **{name: values for name, values in usable.items() if len(values) > 1}}


def test_the_cover_holds_each_pair() -> None:
    values = {"a": ("1", "2", "3"), "b": ("1", "2"), "c": ("1", "2")}
    rows = pairwise(values)
    held = {pair for row in rows for pair in itertools.combinations(row.items(), 2)}
    assert len(held) == 3 * 2 + 3 * 2 + 2 * 2
    assert len(rows) < 9


def each_once(values: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """The fewest choices that hold each value."""
    longest = max(map(len, values.values()))
    return [{name: each[number % len(each)] for name, each in values.items()} for number in range(longest)]


@pytest.mark.rest
@PACED
@pytest.mark.parametrize("choice", waiting([(named(choice), (choice,), False) for choice in SINGLE], one_in=3))
def test_the_main_jobs_whichever_way_a_question_turns_out(choice: Choice, jobs: Files, dest: Path) -> None:
    with server_of(choice) as sim:
        do_all(sim, jobs, dialect_of(choice), dest)


@PACED
@pytest.mark.parametrize(
    "choice",
    [
        *(pytest.param(row, id=f"once-{number}") for number, row in enumerate(each_once(choices()))),
        *waiting([(f"pairs-{number}", (row,), False) for number, row in enumerate(pairwise(choices()))], one_in=2),
    ],
)
def test_the_main_jobs_however_several_questions_turn_out(choice: Choice, jobs: Files, dest: Path) -> None:
    with server_of(choice) as sim:
        do_all(sim, jobs, "auto", dest)


@pytest.mark.fact("file-stays-waiting")
@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_a_file_that_never_arrives_ends_in_a_failure_that_says_so(jobs: Files, dialect: str) -> None:
    with server_of(dict([HOPELESS])) as sim:
        run = Tasks(sim, dialect).run(**publish(jobs.image, wait_timeout=1))
        assert run.error["type"] == "TIMED_OUT"
        assert "tools.iso" in run.msg
        assert update_states(sim) == {}
        assert item_id(sim)
