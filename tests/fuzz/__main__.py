# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the cases in several processes, and sums up what came of them."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.harness.checkout import collections_root  # noqa: E402 - found only through the line above

sys.path.insert(0, str(collections_root()))

from tests.fuzz.flows import Answer, Flow, record_flows  # noqa: E402
from tests.fuzz.judge import CONNECTION, NO_RESULT, PROGRESS, REFUSED, SHORT, SUCCESS, Verdict, judge, without_pauses  # noqa: E402
from tests.fuzz.mutate import ERRORS  # noqa: E402
from tests.fuzz.operations import OPERATIONS, PROBE  # noqa: E402
from tests.fuzz.options import draw_options, read_specs  # noqa: E402
from tests.fuzz.replay import Script  # noqa: E402
from tests.harness.tasks import DIALECTS  # noqa: E402

SEED = 20261123
ANSWERS, OPTIONS = 100_000, 20_000
MOST_TROUBLES = 20
CHECKED = 0.2
KNOWN_OUTCOMES = {
    SUCCESS,
    REFUSED,
    NO_RESULT,
    *ERRORS,
    "CHECKSUM_MISMATCH",
    "CONNECTION_FAILED",
    "ERROR",
    "INTERNAL_ERROR",
    "INVALID_RESPONSE",
    "SIGNER_NOT_ACCEPTED",
    "TLS_UNVERIFIED",
    "TRANSFER_FAILED",
    "WARNINGS_NOT_IGNORED",
}
# Of address space, most of which is only set aside: a case that takes up all there is ends in a MemoryError.
MOST_MEMORY = 4 << 30
# A directory in memory, where the system has one.
MEMORY = Path("/dev/shm")


@dataclass
class Sum:
    """What came of several cases; `troubles` has for each that broke a promise its name and what it broke."""

    runs: int = 0
    option_sets: int = 0
    answers: int = 0
    valid: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    option_outcomes: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    troubles: list[str] = field(default_factory=list)

    def add(self, other: Mapping[str, Any]) -> None:
        for name in ("runs", "option_sets", "answers", "valid"):
            vars(self)[name] += other[name]
        for name in ("outcomes", "option_outcomes", "operations"):
            vars(self)[name].update(other[name])
        self.slowest = max(self.slowest, (other["slowest"][0], other["slowest"][1]))
        self.troubles += other["troubles"]


class Bench:
    """What all cases of a process share: the recordings, a sandbox, and the seed."""

    def __init__(self, sandbox: Path, seed: int) -> None:
        self.seed = seed
        self.sandbox = sandbox
        self._hurry = contextlib.ExitStack()
        self._hurry.enter_context(without_pauses())
        self.flows = record_flows(sandbox)
        self._specs = read_specs(sorted({flow.module for flow in self.flows}))
        self._pools = {dialect: _pool(self.flows, dialect) for dialect in DIALECTS}
        (sandbox / "link").symlink_to("tools.iso")
        (sandbox / "loop").symlink_to("loop")
        os.mkfifo(sandbox / "pipe")
        (sandbox / PROGRESS).touch()
        self._prove()

    def _prove(self) -> None:
        """Undisturbed, each flow ends as it was recorded; and a defect, if there is one, is seen."""
        for flow in self.flows:
            script = self._script(flow, "", None, reads_only=False)
            verdict = judge(script, self._options(flow), self.sandbox)
            if verdict.outcome != SUCCESS or verdict.troubles or sum(script.asked.values()) < len(flow.steps):
                raise RuntimeError(f"{flow.title} ends in {verdict.outcome}, {verdict.troubles}: {verdict.result}")
        unanswerable = Script("", replace(self.flows[0], answers={}), {}, None, reads_only=False)
        if not judge(unanswerable, self._options(self.flows[0]), self.sandbox).troubles:
            raise RuntimeError("an exception below the modules is not seen")

    def mutated_answers(self, number: int) -> tuple[Script, Verdict]:
        rng = random.Random(f"{self.seed} answers {number}")
        flow = self.flows[number % len(self.flows)]
        step = rng.choice(flow.steps)
        script = self._script(flow, f"{self.seed} {number}", (step.place, step.number), rng.random() < CHECKED)
        return script, judge(script, self._options(flow), self.sandbox)

    def random_options(self, number: int) -> tuple[Script, Verdict, dict[str, Any]]:
        rng = random.Random(f"{self.seed} options {number}")
        flow = self.flows[number % len(self.flows)]
        script = self._script(flow, f"{self.seed} {number}", None, rng.random() < CHECKED)
        spec, own = self._specs[flow.module]
        options = draw_options(rng, self._options(flow), spec, own, self.sandbox)
        return script, judge(script, options, self.sandbox), options

    def _script(self, flow: Flow, seed: str, target: tuple[str, int] | None, reads_only: bool) -> Script:
        return Script(seed, flow, self._pools[flow.dialect], target, reads_only)

    def _options(self, flow: Flow) -> dict[str, Any]:
        spec, _own = self._specs[flow.module]
        short = {name: value for name, value in SHORT.items() if name in spec}
        one_by_one = {"parallel_transfers": 1} if "parallel_transfers" in spec else {}
        return {**CONNECTION, **short, **one_by_one, "api_dialect": flow.dialect, **flow.options}


def _pool(flows: Sequence[Flow], dialect: str) -> dict[str, tuple[Answer, ...]]:
    """For each operation what some flow was answered; of a probe, what the one dialect that has it answers."""
    pool: dict[str, list[Answer]] = {}
    for flow in flows:
        for step in flow.steps:
            if flow.dialect == dialect or step.operation == PROBE:
                pool.setdefault(step.operation, []).append(flow.answers[step.place][step.number])
    missing = [operation for operation in OPERATIONS if operation not in pool]
    if missing:
        raise RuntimeError(f"no flow uses {', '.join(missing)}, so nobody would see what is made of its answers")
    return {operation: tuple(given) for operation, given in pool.items()}


def work(share: tuple[int, int], seed: int, answers: int, options: int) -> Sum:
    """Run one process's share of the cases."""
    index, jobs = share
    summed = Sum()
    # The harness sets up the environment anew for each case: the smaller, the faster.
    for name in set(os.environ) - {"HOME", "PATH"}:
        del os.environ[name]
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with _sandbox() as folder:
        sandbox = Path(folder)
        bench = Bench(sandbox, seed)
        # What is there by now stays, and need not be looked through again and again.
        gc.freeze()
        for number in range(index, options, jobs):
            script, verdict, _options = bench.random_options(number)
            summed.option_sets += 1
            summed.option_outcomes[verdict.outcome] += 1
            _note(summed, f"options:{number}", script, verdict)
        number = index
        while summed.answers * jobs < answers and len(summed.troubles) < MOST_TROUBLES:
            script, verdict = bench.mutated_answers(number)
            summed.runs += 1
            summed.answers += len(script.served)
            summed.valid += sum(served.valid for served in script.served)
            summed.outcomes[verdict.outcome] += 1
            summed.operations.update(f"{served.dialect} {served.operation}" for served in script.served)
            _note(summed, f"answers:{number}", script, verdict)
            number += jobs
    return summed


def _sandbox() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None)


def _note(summed: Sum, case: str, script: Script, verdict: Verdict) -> None:
    summed.slowest = max(summed.slowest, (verdict.seconds, case))
    if verdict.troubles and len(summed.troubles) < MOST_TROUBLES:
        summed.troubles.append(f"{case} ({script.flow.title}): {'; '.join(verdict.troubles)}")


def show(seed: int, case: str) -> int:
    """Run one case alone, and show what was answered and what came of it."""
    kind, _colon, number = case.partition(":")
    with _sandbox() as folder:
        bench = Bench(Path(folder), seed)
        given = None
        if kind == "options":
            script, verdict, given = bench.random_options(int(number))
        else:
            script, verdict = bench.mutated_answers(int(number))
    print(f"{case} of seed {seed}: {script.flow.title}, {'check mode, ' if script.reads_only else ''}{verdict.outcome}")
    if given is not None:
        print(f"  options: {json.dumps(given)}")
    for served in script.served:
        print(f"  answered {served.operation}: {served.what}")
    print(f"  result: {json.dumps(verdict.result)[:4000]}")
    for trouble in verdict.troubles:
        print(f"  broken: {trouble}")
    return 1 if verdict.troubles else 0


def run_all(seed: int, answers: int, options: int, jobs: int) -> int:
    began = time.monotonic()
    asked = ["--seed", str(seed), "--answers", str(answers), "--options", str(options)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz", *asked, "--share", f"{index}/{jobs}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(jobs)
    ]
    summed = Sum()
    for worker in workers:
        output, _none = worker.communicate()
        if worker.returncode == 0:
            summed.add(json.loads(output))
        else:
            summed.troubles.append(f"a process ended with {worker.returncode}")
    return report(summed, seed, time.monotonic() - began, complete=answers >= ANSWERS)


def report(summed: Sum, seed: int, seconds: float, *, complete: bool) -> int:
    share = 100 * summed.valid / max(summed.answers, 1)
    print(f"seed {seed}")
    print(f"{summed.answers} mutated answers in {summed.runs} runs")
    print(f"  {share:.1f} % of them valid JSON in the right envelope")
    print(f"  {_listed(summed.outcomes)}")
    print(f"{summed.option_sets} random option sets")
    print(f"  {_listed(summed.option_outcomes)}")
    reached = {f"{dialect} {operation}" for dialect in DIALECTS for operation in OPERATIONS} & set(summed.operations)
    print(f"{len(reached)} of {len(OPERATIONS) * len(DIALECTS)} operations of both dialects had mutated answers")
    print(f"slowest case: {summed.slowest[1]}, {summed.slowest[0]:.2f} s")
    print(f"{seconds:.0f} s in all")
    problems = [*_shortfalls(summed, share, len(reached), complete=complete), *summed.troubles]
    for problem in problems:
        case = problem.partition(" ")[0]
        again = f"\n    python -m tests.fuzz --seed {seed} --case {case}" if ":" in case else ""
        print(f"broken: {problem}{again}")
    print("every promise was kept" if not problems else f"{len(problems)} broken")
    return 1 if problems else 0


def _shortfalls(summed: Sum, share: float, reached: int, *, complete: bool) -> Iterator[str]:
    """Where the run itself was not what it should be."""
    if share < 50:
        yield "fewer than half of the answers were valid"
    if complete and reached < len(OPERATIONS) * len(DIALECTS):
        yield "an operation was left out"
    if not summed.option_outcomes[SUCCESS] or not summed.outcomes[SUCCESS]:
        yield "nothing succeeded, so nothing was tried"


def _listed(outcomes: Counter[str]) -> str:
    """What came of the cases, the most frequent first; types that a server made up are summed."""
    shown = [f"{name} {count}" for name, count in outcomes.most_common() if name in KNOWN_OUTCOMES]
    others = sum(count for name, count in outcomes.items() if name not in KNOWN_OUTCOMES)
    return ", ".join([*shown, f"types that the server made up {others}"] if others else shown)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--answers", type=int, default=ANSWERS, help="how many mutated answers (default: %(default)s)")
    parser.add_argument("--options", type=int, default=OPTIONS, help="how many option sets (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes (default: %(default)s)")
    parser.add_argument("--case", help="run this one alone, such as answers:123, and show it")
    parser.add_argument("--share", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.case:
        return show(chosen.seed, chosen.case)
    if chosen.share:
        index, _slash, jobs = chosen.share.partition("/")
        summed = work((int(index), int(jobs)), chosen.seed, chosen.answers, chosen.options)
        print(json.dumps(vars(summed)))
        return 0
    return run_all(chosen.seed, chosen.answers, chosen.options, chosen.jobs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
