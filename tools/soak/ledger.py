# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the soak test counts, and its report at the end."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

SAMPLES = 10
MOST_GROWTH = 1.1
KIBIBYTES = 1024


@dataclass
class Ledger:
    seed: int
    cycles: int = 0
    by_playbook: int = 0
    runs: int = 0
    faults: int = 0
    deaths: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    sessions_left: int = 0
    logins_left: int = 0
    files_left: int = 0
    memory: dict[str, list[int]] = field(default_factory=lambda: {"server": [], "module": [], "ansible": []})
    broken: list[str] = field(default_factory=list)

    def promise(self, kept: bool, what: str) -> None:
        if not kept:
            self.broken.append(f"cycle {self.cycles}: {what}")

    def report(self) -> str:
        failures = ", ".join(f"{name} {count}" for name, count in self.failures.most_common()) or "none"
        rows = {
            "seed": self.seed,
            "cycles": f"{self.cycles}, {self.by_playbook} of them by ansible-playbook",
            "runs": self.runs,
            "faults injected": f"{self.faults}, and {self.deaths} processes killed",
            "failures by type": failures,
            "sessions left over": self.sessions_left,
            "logins left over": self.logins_left,
            "temporary files left": self.files_left,
            **{f"memory, {name}": describe_growth(samples) for name, samples in self.memory.items()},
            "promises broken": len(self.broken),
        }
        lines = [f"| {name} | {value} |" for name, value in rows.items()]
        return "\n".join(["| soak | |", "|---|---|", *lines, *(f"BROKEN: {text}" for text in self.broken)])

    def judge_memory(self) -> None:
        for name, samples in self.memory.items():
            early, late = early_and_late(samples)
            self.promise(late <= early * MOST_GROWTH, f"the memory of {name} grew: {describe_growth(samples)}")


def early_and_late(samples: Sequence[int]) -> tuple[float, float]:
    """The medians of the first and of the last samples, without the first tenth as warm-up; 1 and 1 if too few."""
    warm = list(samples)[len(samples) // 10 :]
    if len(warm) < 2 * SAMPLES:
        return 1.0, 1.0
    return statistics.median(warm[:SAMPLES]), statistics.median(warm[-SAMPLES:])


def describe_growth(samples: Sequence[int]) -> str:
    early, late = early_and_late(samples)
    if early == late == 1.0:
        return f"{max(samples) / KIBIBYTES:.0f} MiB at most, too few runs to see it grow" if samples else "no run"
    return f"{early / KIBIBYTES:.1f} MiB early, {late / KIBIBYTES:.1f} MiB late ({late / early - 1:+.1%})"
