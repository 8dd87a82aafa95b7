# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs of measurements, taken in turns, and what they say: a ratio is never made of figures of two runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

Measure = Callable[[], float]


def take_turns(rounds: int, ours: Measure, yardstick: Measure) -> tuple[Pair, ...]:
    """Measure both in each round, and let the other one begin in the next, so that neither has the warmer machine."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            against = yardstick()
            pairs.append(Pair(ours(), against))
        else:
            value = ours()
            pairs.append(Pair(value, yardstick()))
    return tuple(pairs)


@dataclass(frozen=True)
class Pair:
    """What was measured in one round, both in the unit of the row."""

    ours: float
    yardstick: float

    @property
    def ratio(self) -> float:
        return self.ours / self.yardstick


@dataclass(frozen=True)
class Bar:
    """What a ratio must reach: at least `limit`, or at most where less is better."""

    limit: float
    less_is_better: bool = False

    def holds(self, ratio: float) -> bool:
        return ratio <= self.limit if self.less_is_better else ratio >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.less_is_better else '≥'} {self.limit:g}"


@dataclass(frozen=True)
class Condition:
    """What a row demands beside its ratio."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Figure:
    """A row of the table with what was measured for it."""

    name: str
    title: str
    yardstick: str
    unit: str
    limit: Bar
    pairs: tuple[Pair, ...]
    conditions: tuple[Condition, ...] = ()
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        return sorted(pair.ratio for pair in self.pairs)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def ours(self) -> float:
        return statistics.median(pair.ours for pair in self.pairs)

    @property
    def against(self) -> float:
        return statistics.median(pair.yardstick for pair in self.pairs)

    @property
    def reached(self) -> bool:
        return self.limit.holds(self.ratio) and all(condition.holds for condition in self.conditions)
