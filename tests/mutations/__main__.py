# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes each mistake in a copy of the checkout, and tells who saw it: ``python -m tests.mutations``.

Each suite must first be content with the copy as it is. A mistake that nobody sees, or that cannot be made any more as
the code has changed, ends in exit code 1.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.harness.checkout import CACHE, ROOT
from tests.mutations.conduct import behaviour_mutations
from tests.mutations.mutation import Mutation
from tests.mutations.routes import client_mutations, simulator_mutations
from tests.mutations.wire import wire_mutations
from tools.environment import check_environment
from tools.staging import stage

Task = TypeVar("Task")
Result = TypeVar("Result")

FOLDER = CACHE / "mutations"
#: What takes long to make, and no mistake is made in.
SHARED = ("go", "peers")
SECONDS = 120
DESCRIPTION = "published description"
PYTEST = ("-m", "pytest", "-x", "-q", "--tb=short", "-p", "no:xdist")
ALL_PASSED, SOME_FAILED = 0, 1
#: One for each kind of mistake, to see in passing that the table can still be made.
SAMPLE = (
    "update_session.fail: the field client_error_message is renamed",
    "update_session.list: the query parameter is another",
    "log in again: an expired login ends the task",
)


@dataclass(frozen=True)
class Verdict:
    """C(witness) is who saw the mistake, empty if nobody did; C(trouble) why it could not be judged."""

    mutation: Mutation
    witness: str = ""
    trouble: str = ""
    seconds: float = 0.0


def every_mutation() -> list[Mutation]:
    return [*client_mutations(ROOT), *simulator_mutations(ROOT), *wire_mutations(), *behaviour_mutations()]


def sample(mutations: Sequence[Mutation]) -> list[Mutation]:
    """The first of each name in SAMPLE; one that is missing is a KeyError."""
    by_name: dict[str, Mutation] = {}
    for each in mutations:
        by_name.setdefault(each.name, each)
    return [by_name[name] for name in SAMPLE]


def make_copy(number: int) -> Path:
    copy = stage(FOLDER / str(number))
    cache = copy / ".cache"
    cache.mkdir()
    for name in SHARED:
        (CACHE / name).mkdir(exist_ok=True)
        (cache / name).symlink_to(CACHE / name)
    return copy


@contextmanager
def made(mutation: Mutation, copy: Path) -> Iterator[None]:
    """The mistake is in the copy while the block runs. Raises ValueError if it cannot be made."""
    path = copy / mutation.path
    right = path.read_text(encoding="utf-8")
    path.write_text(mutation.apply(right), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(right, encoding="utf-8")


def run_suite(arguments: Sequence[str], copy: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """The exit code and the output; a suite that hangs has failed."""
    try:
        ran = subprocess.run(
            [sys.executable, *PYTEST, *arguments],
            cwd=copy,
            # A file that changes twice in a second would be taken for the one that was compiled.
            env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return SOME_FAILED, "it hangs"
    return ran.returncode, ran.stdout + ran.stderr


def judge(mutation: Mutation, copy: Path, env: Mapping[str, str]) -> Verdict:
    began = time.monotonic()
    try:
        with made(mutation, copy):
            witness, trouble = _first_witness(mutation, copy, env)
    except ValueError as error:
        witness, trouble = "", str(error)
    return Verdict(mutation, witness, trouble, time.monotonic() - began)


def _first_witness(mutation: Mutation, copy: Path, env: Mapping[str, str]) -> tuple[str, str]:
    for suite in mutation.suites:
        code, output = run_suite(suite.arguments, copy, env)
        if code == SOME_FAILED:
            return DESCRIPTION if f"against the {DESCRIPTION}" in output else suite.witness, ""
        if code != ALL_PASSED:
            return "", f"pytest ended with {code}: {_end_of(output)}"
    return "", ""


def baselines(mutations: Sequence[Mutation]) -> list[tuple[str, ...]]:
    """All that the suites run, file by file."""
    words: dict[str, set[str]] = {}
    for suite in (suite for each in mutations for suite in each.suites):
        file = suite.arguments[0].partition("::")[0]
        words.setdefault(file, set()).update(suite.arguments[2:])
    return [(file, "-k", " or ".join(sorted(chosen))) if chosen else (file,) for file, chosen in words.items()]


def discontent(arguments: tuple[str, ...], copy: Path, env: Mapping[str, str]) -> str:
    """Why a suite would prove nothing: it fails without any mistake."""
    code, output = run_suite(arguments, copy, env)
    return "" if code == ALL_PASSED else f"{' '.join(arguments)}: {_end_of(output)}"


def _end_of(output: str) -> str:
    return " ".join(output.splitlines()[-3:])


def lent(copies: queue.Queue[Path], work: Callable[[Task, Path], Result]) -> Callable[[Task], Result]:
    """The work with a copy of its own, which goes back when it is done."""

    def run(task: Task) -> Result:
        copy = copies.get()
        try:
            return work(task, copy)
        finally:
            copies.put(copy)

    return run


def row(verdict: Verdict) -> str:
    mutation = verdict.mutation
    seen = verdict.trouble or verdict.witness or "NOBODY"
    return f"{mutation.side:<10} {mutation.dialect:<5} {mutation.name:<78} {seen} ({verdict.seconds:.0f} s)"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mistakes whose side, dialect and name have all these words")
    parser.add_argument("--sample", action="store_true", help="a few mistakes of different kinds")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at a time (default: 2)")
    options = parser.parse_args(arguments)
    chosen = sample(every_mutation()) if options.sample else every_mutation()
    mutations = [each for each in chosen if all(word in each.title for word in options.words)]

    shutil.rmtree(FOLDER, ignore_errors=True)
    env = check_environment(os.environ)
    copies: queue.Queue[Path] = queue.Queue()
    for number in range(options.jobs):
        copies.put(make_copy(number))
    with ThreadPoolExecutor(options.jobs) as workers:
        run_baseline = lent(copies, partial(discontent, env=env))
        useless = [text for text in workers.map(run_baseline, baselines(mutations)) if text]
        if useless:
            print("\n".join(f"not content even without a mistake: {text}" for text in useless))
            return 1
        verdicts = []
        for verdict in workers.map(lent(copies, partial(judge, env=env)), mutations):
            print(row(verdict), flush=True)
            verdicts.append(verdict)
    shutil.rmtree(FOLDER)
    return summed_up(verdicts)


def summed_up(verdicts: Sequence[Verdict]) -> int:
    missed = [each for each in verdicts if not each.witness]
    counts = Counter(each.witness for each in verdicts if each.witness)
    print(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} mistakes were seen")
    for witness, count in counts.most_common():
        print(f"  {count:>3} by: {witness}")
    for each in missed:
        print(f"not seen: {each.mutation.title}{': ' if each.trouble else ''}{each.trouble}")
    return 1 if missed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
