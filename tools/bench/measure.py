# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs of measurements, taken in turns: both figures of a ratio come from the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import comb

from tools.usage import Usage, usage

CONFIDENCE = 0.95
TRIES = 4
# The share of the machine's CPU that processes which are not of the row may use during it.
MOST_OTHERS = 0.1

REACHED, MISSED, UNDECIDED, DISTURBED = "reached", "missed", "undecided", "disturbed"


@dataclass(frozen=True)
class Sample:
    """A measurement in the unit of its row; `cpu` are the CPU seconds of its process, if one can be counted."""

    value: float
    cpu: float | None = None


Measure = Callable[[], Sample]


def take_turns(rounds: int, ours: Measure, yardstick: Measure) -> tuple[Pair, ...]:
    """Measure both in each round, and swap their order in the next, so that neither has the warmer machine."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            against = yardstick()
            pairs.append(Pair(ours(), against))
        else:
            value = ours()
            pairs.append(Pair(value, yardstick()))
    return tuple(pairs)


def undisturbed(measure: Callable[[], Figure], cores: int, read: Callable[[], Usage] = usage) -> Figure:
    """Measure a row until other processes have left it alone, at most `TRIES` times; the last figure tells of them."""
    for _try in range(TRIES):
        began = read()
        figure = measure()
        figure = replace(figure, others=read().others_since(began, cores))
        if figure.verdict != DISTURBED:
            break
        print(f"{figure.name}: {figure.others:.0%} of the CPU went to other processes", flush=True)
    return figure


def interval_of(values: Sequence[float]) -> tuple[float, float]:
    """Two of the values between which the median lies with `CONFIDENCE`, by the sign test.

    Each measurement is as likely below the median as above it. So the chance that all are on one side, or all but one,
    is known without knowing how they spread. Fewer than six values cannot give that confidence, and all of them count.
    """
    ordered, number = sorted(values), len(values)
    left_out = 0
    while 1 - 2 * sum(comb(number, below) for below in range(left_out + 2)) / 2**number >= CONFIDENCE:
        left_out += 1
    return ordered[left_out], ordered[-1 - left_out]


@dataclass(frozen=True)
class Pair:
    """The two measurements of one round."""

    ours: Sample
    yardstick: Sample

    @property
    def ratio(self) -> float:
        return self.ours.value / self.yardstick.value


@dataclass(frozen=True)
class Bar:
    """What a ratio must reach: at least `limit`, or at most `limit` if less is better."""

    limit: float
    less_is_better: bool = False

    def holds(self, ratio: float) -> bool:
        return ratio <= self.limit if self.less_is_better else ratio >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.less_is_better else '≥'} {self.limit:g}"


@dataclass(frozen=True)
class Condition:
    """A condition of a row beside its ratio."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Figure:
    """A row of the table with its measurements; `others` is the share of the CPU that went to other processes."""

    name: str
    title: str
    yardstick: str
    unit: str
    limit: Bar
    pairs: tuple[Pair, ...]
    conditions: tuple[Condition, ...] = ()
    note: str = ""
    others: float = 0.0

    @property
    def ratios(self) -> list[float]:
        return [pair.ratio for pair in self.pairs]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        return interval_of(self.ratios)

    @property
    def ours(self) -> Sample:
        return _median([pair.ours for pair in self.pairs])

    @property
    def against(self) -> Sample:
        return _median([pair.yardstick for pair in self.pairs])

    @property
    def verdict(self) -> str:
        """What the row says of its bar. An interval that holds the bar does not decide."""
        if self.others > MOST_OTHERS:
            return DISTURBED
        held = {self.limit.holds(ratio) for ratio in self.interval}
        if held == {False} or not all(condition.holds for condition in self.conditions):
            return MISSED
        return REACHED if held == {True} else UNDECIDED


def _median(samples: Sequence[Sample]) -> Sample:
    used = [sample.cpu for sample in samples if sample.cpu is not None]
    return Sample(statistics.median(sample.value for sample in samples), statistics.median(used) if used else None)
