# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes each mistake in a copy of the checkout, and tells who saw it: ``python -m tests.mutations``.

Each suite must first be content with the copy as it is. A line of the table tells whether the witness is independent of
us, or whether it takes our own tests to see the mistake; one in which a suite hangs is told from one that it names. A
mistake that nobody sees, or that cannot be made any more as the code has changed, ends in exit code 1.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeVar

from tests.harness.checkout import CACHE, ROOT
from tests.mutations.bench import Bench, make_copy, open_bench
from tests.mutations.conduct import behaviour_mutations
from tests.mutations.forked_pytest import HUNG
from tests.mutations.mutation import NEEDING_GO, Mutation
from tests.mutations.routes import client_mutations, simulator_mutations
from tests.mutations.wire import wire_mutations
from tests.peers.binaries import Unavailable, build
from tools.environment import check_environment

Task = TypeVar("Task")
Result = TypeVar("Result")

FOLDER = CACHE / "mutations"
DESCRIPTION = "published description"
ALL_PASSED, SOME_FAILED = 0, 1
#: One for each kind of mistake and of witness, to see in passing that the table can still be made.
SAMPLE = (
    "client api update_session.fail: the field client_error_message is not sent",
    "client rest item.get: id: is left out",
    "simulator api update_session.list: the query parameter is another",
    "simulator rest library.find: the wrapper spec is renamed",
    "client both localized is read under another name",
    "client both retry: a read is not tried again",
    "client both worlds: only the status 200 answers an upload",
)


@dataclass(frozen=True)
class Verdict:
    """`witness` is who saw the mistake, empty if nobody did; `trouble` why it could not be judged.

    `ours` says that it took a test of our own.
    """

    mutation: Mutation
    witness: str = ""
    ours: bool = False
    trouble: str = ""
    seconds: float = 0.0


def every_mutation() -> list[Mutation]:
    return [*client_mutations(ROOT), *simulator_mutations(ROOT), *wire_mutations(), *behaviour_mutations()]


def sample(mutations: Sequence[Mutation]) -> list[Mutation]:
    """Those in SAMPLE; one that is missing is a KeyError."""
    by_title = {each.title: each for each in mutations}
    return [by_title[title] for title in SAMPLE]


def without_go(mutations: Sequence[Mutation]) -> list[Mutation]:
    """What can be judged where vcsim and govc cannot be built."""
    left = [
        replace(each, suites=tuple(suite for suite in each.suites if suite.witness not in NEEDING_GO))
        for each in mutations
    ]
    return [each for each in left if each.suites]


def judge(mutation: Mutation, bench: Bench) -> Verdict:
    began = time.monotonic()
    try:
        with bench.made(mutation):
            verdict = _verdict(mutation, bench)
    except ValueError as error:
        verdict = Verdict(mutation, trouble=str(error))
    return replace(verdict, seconds=time.monotonic() - began)


def _verdict(mutation: Mutation, bench: Bench) -> Verdict:
    for suite in mutation.suites:
        code, output = bench.run(suite.arguments)
        if code == HUNG:
            return Verdict(mutation, f"hangs in: {suite.witness}", suite.ours)
        if code == SOME_FAILED and f"against the {DESCRIPTION}" in output:
            return Verdict(mutation, DESCRIPTION)
        if code == SOME_FAILED:
            return Verdict(mutation, suite.witness, suite.ours)
        if code != ALL_PASSED:
            return Verdict(mutation, trouble=f"pytest ended with {code}: {_end_of(output)}")
    return Verdict(mutation)


def baselines(mutations: Sequence[Mutation]) -> list[tuple[str, ...]]:
    """All that the suites run, file by file."""
    words: dict[str, set[str]] = {}
    for suite in (suite for each in mutations for suite in each.suites):
        file = suite.arguments[0].partition("::")[0]
        words.setdefault(file, set()).update(suite.arguments[2:])
    return [(file, "-k", " or ".join(sorted(chosen))) if chosen else (file,) for file, chosen in words.items()]


def discontent(arguments: tuple[str, ...], bench: Bench) -> str:
    """Why a suite would prove nothing: it fails without any mistake."""
    code, output = bench.run(arguments)
    return "" if code == ALL_PASSED else f"{' '.join(arguments)}: {_end_of(output)}"


def _end_of(output: str) -> str:
    return " ".join(output.splitlines()[-3:])


def lent(benches: queue.Queue[Bench], work: Callable[[Task, Bench], Result]) -> Callable[[Task], Result]:
    """The work with a bench of its own, which goes back when it is done."""

    def run(task: Task) -> Result:
        bench = benches.get()
        try:
            return work(task, bench)
        finally:
            benches.put(bench)

    return run


def row(verdict: Verdict) -> str:
    mutation = verdict.mutation
    seen = verdict.trouble or verdict.witness or "NOBODY"
    judged = "only ours" if verdict.ours else "independent" if verdict.witness else "-"
    return (
        f"{mutation.side:<10} {mutation.dialect:<5} {mutation.name:<80} {judged:<12} {seen} ({verdict.seconds:.0f} s)"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mistakes whose side, dialect and name have all these words")
    parser.add_argument("--sample", action="store_true", help="a few mistakes of different kinds")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at a time (default: 2)")
    options = parser.parse_args(arguments)
    chosen = sample(every_mutation()) if options.sample else every_mutation()
    mutations = [each for each in chosen if all(word in each.title for word in options.words)]
    try:
        build()
    except Unavailable as error:
        print(f"left out: what only vcsim or govc can see; {error}")
        mutations = without_go(mutations)

    shutil.rmtree(FOLDER, ignore_errors=True)
    env = check_environment(os.environ)
    benches: queue.Queue[Bench] = queue.Queue()
    with ThreadPoolExecutor(options.jobs) as workers, ExitStack() as stack:
        for number in range(options.jobs):
            benches.put(stack.enter_context(open_bench(make_copy(FOLDER / str(number)), env)))
        useless = [text for text in workers.map(lent(benches, discontent), baselines(mutations)) if text]
        if useless:
            print("\n".join(f"not content even without a mistake: {text}" for text in useless))
            return 1
        verdicts = []
        for verdict in workers.map(lent(benches, judge), mutations):
            print(row(verdict), flush=True)
            verdicts.append(verdict)
    shutil.rmtree(FOLDER)
    return summed_up(verdicts)


def summed_up(verdicts: Sequence[Verdict]) -> int:
    missed = [each for each in verdicts if not each.witness]
    counts = Counter((each.ours, each.witness) for each in verdicts if each.witness)
    alone = sum(each.ours for each in verdicts)
    print(
        f"\n{len(verdicts) - len(missed)} of {len(verdicts)} mistakes were seen, {alone} of them only by our own tests"
    )
    for (ours, witness), count in sorted(counts.items(), key=lambda entry: (entry[0][0], -entry[1])):
        print(f"  {count:>3} {'only by' if ours else 'by'}: {witness}")
    for each in missed:
        print(f"not seen: {each.mutation.title}{': ' if each.trouble else ''}{each.trouble}")
    return 1 if missed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
