# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report of a vCenter teaches: ``make learn REPORT=FILE``.

Says which facts the report confirms, refutes or adds to, and runs the main jobs against a simulator that is like that
vCenter. Fails if the file is no report, or if a job does not do its work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from tests.harness.checkout import collections_root

sys.path.insert(0, str(collections_root()))

from tests.harness.main_jobs import MAIN_JOBS, PAUSES, SEED, Files, mirror
from tests.harness.modules import paced
from tests.harness.tasks import Tasks
from tests.simulator import Seed, Simulator
from tests.simulator.facts import FACTS, Fact, Strength
from tests.simulator.likeness import OTHER, SHOWN, UNOBSERVED, Likeness, Report, likeness_of, nearest, read_report
from tests.simulator.otherwise import OTHERWISE
from tests.simulator.versions import as_version
from tests.simulator.worlds import WORLDS, in_worlds


class Lesson(Enum):
    """What an observation says about a fact."""

    CONFIRMS = "confirms"
    REFUTES = "refutes"
    ADDS = "adds to"
    FITS = "fits"


#: What each value of a world says, where the fact is not an open question. A fact that speaks of some vCenters is not
#: refuted by one of which it is not true.
SAYS: Mapping[str, Mapping[str, Lesson]] = {
    "descriptor-entries": {"created": Lesson.CONFIRMS, "none": Lesson.FITS},
    "arrival": {"with-its-answer": Lesson.FITS, "later": Lesson.CONFIRMS},
    "token-idle": dict.fromkeys(WORLDS["token-idle"].values, Lesson.ADDS),
    "warning-texts": {"bare": Lesson.CONFIRMS, "named": Lesson.REFUTES},
    "pushed-file": {"arrives": Lesson.FITS, "stays-waiting": Lesson.CONFIRMS},
    "endpoint-name": {"primary": Lesson.CONFIRMS, "as-asked": Lesson.REFUTES},
    "unprivileged-creation": {"refused": Lesson.FITS, "empty": Lesson.CONFIRMS},
    "verification": {"at-once": Lesson.FITS, "later": Lesson.CONFIRMS},
    "session-ids": dict.fromkeys(WORLDS["session-ids"].values, Lesson.CONFIRMS),
    "session-id": {"shown": Lesson.FITS, "left-out": Lesson.CONFIRMS},
    "rest-empty-list": dict.fromkeys(WORLDS["rest-empty-list"].values, Lesson.CONFIRMS),
}
#: The facts of these name versions, so that the version decides what confirms them.
BY_VERSION = ("probe-answer", "untrusted-source")
#: What a vCenter as old as 6.7 does otherwise than these facts say of later ones.
IN_OLD_ONES: Mapping[str, str] = {
    "authentication-required-id": "old-id",
    "challenge-in-refused-login": "absent",
    "patch-changes-warnings-only": "not-found",
}


@dataclass(frozen=True)
class Learned:
    """An observation, and what it says about its fact."""

    name: str
    seen: str
    lesson: Lesson
    fact: Fact

    def __str__(self) -> str:
        return f"{self.lesson.value:<9} {self.fact.id} ({self.fact.strength.value}): {self.fact.says}"


def learn(report: Report) -> Iterator[Learned]:
    """What was seen, each with its fact, in the order of the report."""
    for name, seen in report.observations.items():
        if seen != UNOBSERVED:
            fact = FACTS[WORLDS[name].fact if name in WORLDS else name]
            yield Learned(name, seen, _lesson(name, seen, fact, nearest(report.version)), fact)


def _lesson(name: str, seen: str, fact: Fact, version: str) -> Lesson:
    if seen == OTHER or fact.strength is Strength.UNKNOWN:
        return Lesson.ADDS
    if name in SAYS:
        return SAYS[name][seen]
    return Lesson.CONFIRMS if seen == usual(name, version) else Lesson.REFUTES


def usual(name: str, version: str) -> str:
    """What a vCenter of that version is known to do at a point."""
    seed = as_version(Seed(), version)
    if name in OTHERWISE:
        return IN_OLD_ONES.get(name, OTHERWISE[name][0]) if seed.old_authentication else OTHERWISE[name][0]
    if name in WORLDS:
        return next(value for value in WORLDS[name].values if in_worlds(seed, {name: value}) == seed)
    return next(word for word, changes in SHOWN[name].items() if replace(seed, **changes) == seed)


def run_jobs(like: Likeness, dialect: str = "auto") -> dict[str, str]:
    """The main jobs against such a simulator; what has not come out well of each, or an empty text."""
    outcomes = {}
    with tempfile.TemporaryDirectory() as name, Simulator(seed=SEED, settle=0.1, like=like) as sim:
        folder = Path(name)
        (folder / "dest").mkdir()
        with mirror(folder) as running, paced(None, **PAUSES):
            files = Files(folder, running)
            for title, job in MAIN_JOBS.items():
                try:
                    job(Tasks(sim, dialect), files, folder / "dest")
                except AssertionError as error:
                    outcomes[title] = str(error) or "it has not done what it should"
                else:
                    outcomes[title] = ""
    return outcomes


def lines_about(report: Report, like: Likeness) -> list[str]:
    """The lines about the vCenter and its facts."""
    seen = [each for each in report.observations.values() if each != UNOBSERVED]
    lines = [
        f"A vCenter {report.version or 'of an unknown version'}, for which the simulator's {like.version} stands.",
        f"{len(seen)} of {len(report.observations)} points were seen.",
        "",
    ]
    learned = list(learn(report))
    counts = Counter(each.lesson for each in learned)
    told = (f"confirms {counts[Lesson.CONFIRMS]} facts", f"refutes {counts[Lesson.REFUTES]}")
    lines.insert(1, f"The report {told[0]}, {told[1]} and adds to {counts[Lesson.ADDS]}.")
    for lesson in (Lesson.REFUTES, Lesson.ADDS, Lesson.CONFIRMS, Lesson.FITS):
        found = [each for each in learned if each.lesson is lesson]
        lines += [line for each in found for line in (str(each), f"{'':<10}seen: {each.name} is {each.seen}")]
    for name, what in like.unlike.items():
        lines.append(f"The simulator cannot do it yet: {name} is {what}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m tools.learn", description="What a report of a vCenter teaches.")
    options.add_argument("report", metavar="REPORT.json", help="what the check has left")
    given = options.parse_args(arguments)
    try:
        report = read_report(given.report)
    except (OSError, ValueError) as error:
        print(f"learn: {error}", file=sys.stderr)
        return 2
    like = likeness_of(report)
    print("\n".join(lines_about(report, like)))
    print("\nThe main jobs against such a simulator:")
    outcomes = run_jobs(like)
    for title, problem in outcomes.items():
        print(f"{'failed' if problem else 'ok':<9} {title}{f': {problem}' if problem else ''}")
    return int(any(outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
