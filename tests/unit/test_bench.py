# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a benchmark says of its figures: the interval of a ratio, the verdict on a bar, who else used the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.harness.checkout import ROOT
from tools.bench.kept import Kept, Measured
from tools.bench.measure import Bar, Condition, Figure, Pair, Sample, interval_of, take_turns, undisturbed
from tools.bench.plot import plot
from tools.bench.report import page, table
from tools.bench.scale import FULL
from tools.usage import Usage

AT_LEAST, AT_MOST = Bar(0.8), Bar(0.8, less_is_better=True)
CORES = 2
HERE = {"measured": "today", "machine": "this one"}


def figure(ratios: Sequence[float], limit: Bar = AT_LEAST, condition: bool = True, cpu: float | None = None) -> Figure:
    pairs = tuple(Pair(Sample(10 * ratio, cpu), Sample(10.0)) for ratio in ratios)
    return Figure("row", "what it is", "curl", "s", limit, pairs, (Condition("it holds", condition),))


@pytest.mark.parametrize(
    ("rounds", "left_out"),
    [(1, 0), (5, 0), (7, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3)],
)
def test_an_interval_leaves_out_no_more_than_its_confidence_allows(rounds: int, left_out: int) -> None:
    values = [float(value) for value in range(rounds, 0, -1)]
    assert interval_of(values) == (1.0 + left_out, rounds - left_out)


@pytest.mark.parametrize(
    ("limit", "ratios", "verdict"),
    [
        (AT_LEAST, [0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 1.2], "reached"),
        (AT_LEAST, [0.7, 0.9, 0.9, 0.9, 0.9, 0.9, 1.2], "undecided"),
        (AT_LEAST, [0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9], "undecided"),
        (AT_LEAST, [0.1, 0.7, 0.7, 0.7, 0.7, 0.7, 0.79], "missed"),
        (AT_MOST, [0.1, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8], "reached"),
        (AT_MOST, [0.1, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9], "undecided"),
        (AT_MOST, [0.81, 0.9, 0.9, 0.9, 0.9, 0.9, 1.2], "missed"),
        # One odd round of nine does not count.
        (AT_LEAST, [0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], "reached"),
        (AT_LEAST, [0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], "undecided"),
    ],
)
def test_a_bar_is_decided_only_by_the_whole_interval(limit: Bar, ratios: list[float], verdict: str) -> None:
    assert figure(ratios, limit).verdict == verdict


def test_a_condition_that_is_not_met_misses_the_bar() -> None:
    assert figure([1.0] * 7, condition=False).verdict == "missed"


def test_the_order_of_a_pair_changes_in_each_round() -> None:
    order = []

    def measure(name: str, value: float) -> Sample:
        order.append(name)
        return Sample(value)

    pairs = take_turns(3, lambda: measure("ours", 1.0), lambda: measure("theirs", 2.0))
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert [pair.ratio for pair in pairs] == [0.5] * 3


@pytest.mark.parametrize(
    ("others", "measured", "verdict"),
    [
        ([0.1], 1, "reached"),
        ([0.11, 0.0], 2, "reached"),
        ([0.5, 0.5, 0.5, 0.1], 4, "reached"),
        ([0.5, 0.5, 0.5, 0.2], 4, "disturbed"),
    ],
)
def test_a_row_is_repeated_until_others_leave_it_alone(
    capsys: pytest.CaptureFixture[str], others: list[float], measured: int, verdict: str
) -> None:
    moments, rows = [], 0
    for number, share in enumerate(others):
        began = Usage(clock=100.0 * number, machine=500.0, own=40.0)
        # Both cores for ten seconds: a share of others, and of the rest most is ours.
        ended = Usage(began.clock + 10.0, began.machine + 12.0 + share * 20.0, began.own + 12.0)
        moments += [began, ended]
    read = iter(moments)

    def measure() -> Figure:
        nonlocal rows
        rows += 1
        return figure([1.0] * 7)

    found = undisturbed(measure, CORES, lambda: next(read))
    assert (rows, found.verdict) == (measured, verdict)
    assert found.others == pytest.approx(others[-1])
    assert ("DISTURBED" in table([found])) is (verdict == "disturbed")


def test_ticks_that_are_too_few_are_no_negative_share() -> None:
    assert Usage(10.0, 5.0, 6.0).others_since(Usage(0.0, 0.0, 0.0), CORES) == 0.0


def test_the_page_and_the_picture_tell_of_each_row() -> None:
    rows = [figure([0.7] * 7, cpu=1.25), figure([0.7] * 6 + [0.9])]
    text = page([Measured(row, {**HERE, "measured": moment}) for row, moment in zip(rows, ("noon", "one"))])
    assert (
        "| what it is<br>it holds | 7.00 s, CPU 1.25 s | 10.00 s: curl | **0.70** (0.70 to 0.70) | ≥ 0.8: MISSED |"
        in text
    )
    assert "| **0.70** (0.70 to 0.90) | ≥ 0.8: UNDECIDED |" in text
    assert text.endswith("## Where\n\n- measured: noon to one\n- machine: this one\n- rounds of each row: 7\n")
    assert all(f'class="{verdict}"' in plot(rows) for verdict in ("missed", "undecided"))


def test_the_page_names_the_rows_of_each_machine() -> None:
    text = page([Measured(figure([0.7] * 7), HERE), Measured(figure([0.7] * 9), {**HERE, "machine": "another"})])
    assert "row:\n\n- measured: today\n- machine: this one\n- rounds of each row: 7\n" in text
    assert text.endswith("\n\nrow:\n\n- measured: today\n- machine: another\n- rounds of each row: 9\n")


def test_a_kept_figure_is_as_it_was_measured(tmp_path: Path) -> None:
    kept, row = Kept(tmp_path / "figures"), Measured(figure([0.7] * 7, cpu=1.25), HERE)
    assert kept.find("row") is None
    kept.save(row)
    assert kept.find("row") == row
    assert row.machine == {"machine": "this one"}


def test_the_commit_to_compare_with_is_in_the_history() -> None:
    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    is_shallow = git("rev-parse", "--is-shallow-repository").stdout.strip()
    assert is_shallow == "true" or git("merge-base", "--is-ancestor", FULL.before, "HEAD").returncode == 0
