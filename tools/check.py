# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the project's checks, also after a failure, and sums them up in one line.

Without arguments it runs all of them, else those that are named; several run three at a time, as many of them leave a
core idle. A check that is not pytest counts as one test. In CI, where CI=true, what was skipped counts as failed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from tests.harness.checkout import CACHE, ROOT
from tools.environment import check_environment
from tools.lanes import side_by_side
from tools.molecule import play, what_is_missing
from tools.package import build
from tools.sanity import (
    OLDEST,
    SUPPORTED,
    for_developers_only,
    left_out,
    provide_pip,
    sanity_command,
    works,
)
from tools.site import build_site
from tools.staging import stage
from tools.supported import SMALLEST, core_of, others, provide
from tools.wheels import provide_home

# For each of three steps on two cores, as many tests wait for a clock; but each worker takes seconds to start.
PYTEST_JOBS = "2"
IN_ONE_PROCESS = "--numprocesses=0"
LANES = 3


@dataclass(frozen=True)
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    remarks: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            (*self.remarks, *other.remarks),
        )


@dataclass(frozen=True)
class Step:
    name: str
    headline: str
    check: Callable[[Mapping[str, str]], Outcome]


def run(command: Sequence[str], env: Mapping[str, str], folder: Path = ROOT) -> tuple[int, str]:
    """Run a command, showing its output as it comes, and return the exit code and the output."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    return process.wait(), "".join(lines)


def commands(*several: Sequence[str]) -> Callable[[Mapping[str, str]], Outcome]:
    """Make a check of commands that must all end well, and have a line for each thing that they leave out."""

    def check(env: Mapping[str, str]) -> Outcome:
        ran = [run(command, env) for command in several]
        failed = any(code for code, _output in ran)
        lines = [line for _code, output in ran for line in output.splitlines()]
        missing = tuple(line for line in lines if line.startswith("left out: "))
        return Outcome(int(not failed and not missing), int(failed), len(missing), missing)

    return check


def tests(name: str, *arguments: str) -> Callable[[Mapping[str, str]], Outcome]:
    """Make a check of pytest's tests."""
    return lambda env: run_tests(["pytest"], name, arguments, env)


def run_tests(pytest: Sequence[str], name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Outcome:
    report = CACHE / f"{name}.xml"
    report.unlink(missing_ok=True)
    common = ("-q", "-rs", "--tb=short", f"--numprocesses={PYTEST_JOBS}", f"--junit-xml={report}")
    code = run([*pytest, *common, *arguments], env)[0]
    outcome = counted(report) if report.exists() else Outcome()
    return outcome if outcome.failed or not code else Outcome(outcome.passed, 1, outcome.skipped)


def counted(report: Path) -> Outcome:
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        totals = {name: total + int(suite.get(name, 0)) for name, total in totals.items()}
    failed = totals["failures"] + totals["errors"]
    return Outcome(totals["tests"] - failed - totals["skipped"], failed, totals["skipped"])


def sanity(env: Mapping[str, str]) -> Outcome:
    return ansible_test(Path(sys.executable), "sanity", SUPPORTED, env)


def sanity_oldest(env: Mapping[str, str]) -> Outcome:
    if not works(OLDEST, env):
        return Outcome(skipped=1, remarks=(f"left out: Python {OLDEST}, not found",))
    # Its yamllint has to be built, by tools that no lock file can hold. The newest one runs on the same files.
    return ansible_test(provide(OLDEST, env), "sanity-oldest", (OLDEST,), env, without=("yamllint",))


def ansible_test(
    python: Path, name: str, targets: Sequence[str], env: Mapping[str, str], without: Sequence[str] = ()
) -> Outcome:
    """Run ansible-test sanity as it is installed beside a Python, for those Pythons that are here.

    ``without`` names tests that are left out.
    """
    found = [version for version in targets if works(version, env)]
    home = provide_home(name, [python, *(provide(version, env) for version in found if version in others())], env)
    provide_pip(python.parent.parent, home)
    copy = stage(CACHE / "stage" / name, without=for_developers_only())
    path = os.pathsep.join((str(python.parent), env["PATH"]))
    code, output = run(sanity_command(found, without), {**env, "HOME": str(home), "PATH": path}, copy)
    missing = [f"left out: Python {version}, not found" for version in targets if version not in found]
    missing += left_out(output)
    remarks = (f"ansible-core {core_of(python)}, Python {', '.join(found)}", *missing)
    return Outcome(passed=int(not code), failed=int(bool(code)), skipped=len(missing), remarks=remarks)


def pythons(env: Mapping[str, str]) -> Outcome:
    """Run unit tests on the Pythons that do not run all tests, each with an ansible-core of its time."""
    total = Outcome()
    for version in others():
        if not works(version, env):
            total += Outcome(skipped=1, remarks=(f"left out: Python {version}, not found",))
            continue
        python = provide(version, env)
        what = f"Python {version} with ansible-core {core_of(python)}"
        print(f"--- {what}", flush=True)
        chosen = ("tests/unit", "-m", "not process") if version == OLDEST else TELLING
        pytest = [str(python), "-m", "pytest"]
        outcome = run_tests(pytest, f"unit-{version}", chosen, env)
        # By itself: in a process that has loaded the controller's side of Ansible, a module hands its warnings to that.
        outcome += run_tests(pytest, f"queue-{version}", (IN_ONE_PROCESS, QUEUE), env)
        total += replace(outcome, remarks=(f"{what}: {outcome.passed} passed, {outcome.failed} failed",))
    return total


def smallest(env: Mapping[str, str]) -> Outcome:
    """Run what depends on requests and urllib3 with the oldest that are said to work; all tests run with the newest."""
    if not works(OLDEST, env):
        return Outcome(skipped=1, remarks=(f"left out: Python {OLDEST}, not found",))
    python = provide(OLDEST, env, SMALLEST)
    return run_tests([str(python), "-m", "pytest"], "smallest", ("-m", "not process", *ON_THE_WIRE), env)


def licences(env: Mapping[str, str]) -> Outcome:
    # On the copy, as a checkout may hold scratch files that are nobody's work.
    code = run(["reuse", "--root", str(stage(CACHE / "licences")), "lint", "--lines"], env)[0]
    return Outcome(passed=int(not code), failed=int(bool(code)))


def package(env: Mapping[str, str]) -> Outcome:
    problems, tarball = build(lambda command, folder: run(command, env, folder))
    if problems:
        return Outcome(failed=1, remarks=tuple(problems))
    return Outcome(passed=1, remarks=(f"{tarball.relative_to(ROOT)} ({tarball.stat().st_size // 1024} KiB)",))


def molecule(env: Mapping[str, str]) -> Outcome:
    missing = what_is_missing()
    well = play(lambda command, settings: run(command, settings)[0], env, with_vcsim=not missing)
    return Outcome(passed=int(well), failed=int(not well), skipped=len(missing), remarks=tuple(missing))


def site(env: Mapping[str, str]) -> Outcome:
    problems, page = build_site(lambda command, folder: run(command, env, folder))
    if problems:
        return Outcome(failed=1, remarks=tuple(problems))
    return Outcome(passed=1, remarks=(str(page.relative_to(ROOT)),))


DOCS_LINT = (
    "python",
    "-m",
    "tools.docs_lint",
    "lint-collection-docs",
    "--plugin-docs",
    "--validate-collection-refs=all",
    "--disallow-unknown-collection-refs",
    "--check-extra-docs-refs",
    ".",
)
BENCHMARKS = (("python", "-m", "tools.bench", "--smoke"), ("python", "-m", "tools.scale", "--smoke"))
# Progress is shown through parts of ansible-core that differ between its releases.
QUEUE = "tests/progress/test_plugin.py"
# What could differ between Pythons and ansible-cores beyond the oldest and the newest, which run all unit tests:
# argument specs, results, TLS and HTTP, files, archives.
TELLING = tuple(
    f"tests/unit/test_{name}.py"
    for name in (
        "attributes",
        "bad_input",
        "connection",
        "download_session_dest",
        "errors",
        "item",
        "ova",
        "session_info",
        "transfers",
        "update_session_table",
    )
)
ON_THE_WIRE = (
    "tests/unit/test_connection.py",
    "tests/unit/test_transfers.py",
    "tests/faults/test_attacks.py::test_no_answer_takes_much_memory",
    "tests/faults/test_attacks.py::test_no_exchange_takes_longer_than_ten_times_request_timeout",
)
MUTATIONS = ("python", "-m", "tests.mutations", "--sample")
FUZZ = ("python", "-m", "tests.fuzz", "--answers", "2500", "--options", "1000")
TYPES = (
    ("mypy", "-p", "ansible_collections.vsphere.content.plugins"),
    ("mypy", "-p", "tests.simulator", "-p", "tests.harness", "-p", "tools"),
    ("mypy", "tests/unit"),
    ("mypy", "tests/conftest.py", "tests/contract", "tests/peers"),
    ("mypy", "tests/mutations"),
    ("mypy", "tests/docs"),
    ("mypy", "tests/roles"),
    ("mypy", "tests/faults"),
    ("mypy", "tests/fuzz"),
    ("mypy", "tests/progress"),
)

# What is seen at once stands first, then the longest, so that none of them is left to run alone at the end.
STEPS = (
    Step("ruff", "Lint the Python code", commands(("ruff", "check", "."))),
    Step("ruff-format", "Check the Python code's format", commands(("ruff", "format", "--check", "."))),
    Step("reuse", "Check that each file names its licence", licences),
    Step("changelog", "Lint the changelog", commands(("antsibull-changelog", "lint"))),
    Step("pythons", "Run the unit tests on the other Pythons and ansible-cores", pythons),
    Step("smallest", "Run what goes over the wire with the oldest requests and urllib3", smallest),
    Step("molecule", "Play the molecule scenarios", molecule),
    Step(
        "faults",
        "Break what can break, and see that it ends well",
        tests("faults", "--exchanges=35000", "tests/faults"),
    ),
    Step("sanity", "Run ansible-test sanity", sanity),
    Step("sanity-oldest", "Run the oldest ansible-test sanity that is supported", sanity_oldest),
    Step("unit", "Run the unit tests", tests("unit", "--all-undescribed", "--exchanges=15000", "-m", "not process")),
    Step(
        "processes", "Run the modules and the simulator as processes", tests("processes", "tests/unit", "-m", "process")
    ),
    Step("examples", "Run each example of the documentation", tests("examples", "--exchanges=450", "tests/docs")),
    Step("progress", "See tasks move while they run", tests("progress", "--exchanges=800", "tests/progress")),
    Step(
        "roles",
        "Run the roles, the playbooks and what AWX needs of them",
        tests("roles", "--exchanges=250", "tests/roles"),
    ),
    Step(
        "peers", "Test against vcsim, govc and the official bindings", tests("peers", "--exchanges=300", "tests/peers")
    ),
    Step(
        "operations",
        "Test each operation in both dialects",
        tests("operations", IN_ONE_PROCESS, "--exchanges=120", "tests/mutations"),
    ),
    Step("types", "Check the types", commands(*TYPES)),
    Step("ansible-lint", "Lint the Ansible content", commands(("ansible-lint",))),
    Step("docs", "Lint the documentation", commands(DOCS_LINT)),
    Step("site", "Build the documentation's site", site),
    Step("package", "Build the tarball and import it as Galaxy would", package),
    Step("bench", "Try the benchmarks with tiny sizes", commands(*BENCHMARKS)),
    Step("demo", "Run the demo", commands(("bash", "demo/run"))),
    Step("fuzz", "Let answers and options go wrong", commands(FUZZ)),
    Step("mutations", "Make a few mistakes, and see that they are seen", commands(MUTATIONS)),
    Step(
        "contract",
        "Test what holds the traffic to the published description",
        tests("contract", IN_ONE_PROCESS, "tests/contract"),
    ),
)


def run_step(step: Step, env: Mapping[str, str]) -> Outcome:
    print(f"\n=== {step.name}: {step.headline}", flush=True)
    began, used = time.monotonic(), cpu_seconds()
    outcome = step.check(env)
    for remark in outcome.remarks:
        print(f"    {remark}")
    verdict = "failed" if outcome.failed else "ok"
    took = f"{time.monotonic() - began:.0f} s, {cpu_seconds() - used:.0f} s of a core"
    print(f"=== {step.name}: {verdict} in {took}", flush=True)
    return outcome


def cpu_seconds() -> float:
    """What the processes that this one started and saw end have used, and all that these started and saw end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_steps(steps: Sequence[Step], env: Mapping[str, str]) -> dict[str, Outcome]:
    jobs = {step.name: partial(run_step, step, env) for step in steps}
    outcomes = {}
    for name, outcome, output in side_by_side(
        jobs, limit=LANES, on_start=lambda name: print(f"... {name} has started", flush=True)
    ):
        print(output, flush=True)
        outcomes[name] = outcome or Outcome(failed=1)
    return outcomes


def main(arguments: Sequence[str], strict: bool, steps: Sequence[Step] = STEPS) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.check", description="Run the project's checks.")
    known = [step.name for step in steps]
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(known))
    chosen = parser.parse_args(arguments).steps
    if unknown := sorted(set(chosen) - set(known)):
        parser.error(f"no such step: {', '.join(unknown)}")

    env = check_environment(os.environ)
    wanted = [step for step in steps if step.name in chosen or not chosen]
    outcomes = run_steps(wanted, env) if len(wanted) > 1 else {step.name: run_step(step, env) for step in wanted}
    total = sum(outcomes.values(), start=Outcome())
    broken = [name for name, each in outcomes.items() if each.failed or (strict and each.skipped)]
    print(f"\nFailed: {', '.join(broken)}" if broken else "")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], strict=os.environ.get("CI") == "true"))
