# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the project's checks, goes on after a failure, and sums up the results in one line.

Without arguments it runs the steps of each push, with ``--all`` the others as well, else the named ones. It runs three
at a time, as many of them leave a core idle. A check that is not pytest counts as one test. In CI, where CI=true, a
skipped test counts as failed.

``PUSH`` and ``REST`` have the seconds of a core that each step may use: those that it used on two slow cores, in a run
of all steps. A new test must fit into these. With WHOLE_MATRIX_OF=PYTHON, what else waits for the night runs as well,
and no step is held to its seconds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from tests.harness.checkout import CACHE, ROOT
from tests.peers.binaries import LINTER, PEERS, Unavailable
from tests.peers.binaries import build as build_programs
from tools.environment import check_environment
from tools.lanes import side_by_side
from tools.molecule import play, what_is_missing
from tools.package import build
from tools.sanity import OLDEST, SUPPORTED, for_developers_only, left_out, provide_pip, sanity_command, works
from tools.site import build_site
from tools.staging import stage
from tools.supported import SMALLEST, WHOLE, core_of, others, provide, running_python
from tools.usage import cpu_seconds
from tools.wheels import provide_home

# For each of three steps on two cores. Many tests wait for a clock, but each worker takes seconds to start.
PYTEST_JOBS = "2"
IN_ONE_PROCESS = "--numprocesses=0"
LANES = 3


@dataclass(frozen=True)
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            (*self.remarks, *other.remarks),
            self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Step:
    """A check, and the seconds of a core that it should use."""

    name: str
    seconds: int
    headline: str
    check: Callable[[Mapping[str, str]], Outcome]

    @property
    def limit(self) -> int:
        """The seconds above which the step fails: where others use the cores, the same work took 2.3 times as many."""
        return 3 * self.seconds + 20


def run(command: Sequence[str], env: Mapping[str, str], folder: Path = ROOT) -> tuple[int, str]:
    """Run a command and show its output as it comes; returns the exit code and the output."""
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
    """Make a check of commands that must all succeed, and that print a line for each part that they skip."""

    def check(env: Mapping[str, str]) -> Outcome:
        ran = [run(command, env) for command in several]
        failed = any(code for code, _output in ran)
        lines = [line for _code, output in ran for line in output.splitlines()]
        missing = tuple(line for line in lines if line.startswith("left out: "))
        return Outcome(int(not failed and not missing), int(failed), len(missing), missing)

    return check


def tests(name: str, *arguments: str) -> Callable[[Mapping[str, str]], Outcome]:
    """Make a check that runs pytest."""
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


def in_forks(env: Mapping[str, str]) -> Outcome:
    # What looks into the process of a module cannot see into a fork.
    chosen = ("-m", "not rest", "-k", "not all_goes_well and not any_request_fails", *IN_FORKS)
    return run_tests(["pytest"], "forks", chosen, {**env, "MODULES_IN_FORK": "1"})


def sanity(env: Mapping[str, str]) -> Outcome:
    return ansible_test(Path(sys.executable), "sanity", SUPPORTED, env)


def sanity_oldest(env: Mapping[str, str]) -> Outcome:
    if not works(OLDEST, env):
        return Outcome(skipped=1, remarks=(f"left out: Python {OLDEST}, not found",))
    # yamllint for this Python must be built, with tools that no lock file can pin. The newest one reads the same files.
    return ansible_test(provide(OLDEST, env), "sanity-oldest", (OLDEST,), env, without=("yamllint",))


def ansible_test(
    python: Path, name: str, targets: Sequence[str], env: Mapping[str, str], without: Sequence[str] = ()
) -> Outcome:
    """Run the ansible-test sanity that is installed beside a Python, for the Pythons on this machine.

    ``without`` names tests to skip.
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


def ansible_test_units(env: Mapping[str, str]) -> Outcome:
    """Run some unit tests as other collections do: by ansible-test, with the packages installed beside it."""
    copy = stage(CACHE / "stage" / "units")
    code = run(["ansible-test", "units", "--color", "no", f"--python={running_python()}", *FAMILIAR], env, copy)[0]
    return Outcome(passed=int(not code), failed=int(bool(code)))


def pythons(env: Mapping[str, str]) -> Outcome:
    """Run unit tests on the Pythons that do not run all tests, each with the newest ansible-core for it.

    The oldest one runs them all, and so does the one of which all is tried. Each test has what a push leaves out:
    another form of the server, and, beside one of the sets of parameters that a push tries, all that it does not try.
    """
    total = Outcome()
    for version in others():
        if not works(version, env):
            total += Outcome(skipped=1, remarks=(f"left out: Python {version}, not found",))
            continue
        python = provide(version, env)
        what = f"Python {version} with ansible-core {core_of(python)}"
        print(f"--- {what}", flush=True)
        pytest = [str(python), "-m", "pytest"]
        whole = ("tests/unit", "-m", "not process and not rest")
        chosen = whole if version in (OLDEST, WHOLE) else (*TELLING, "-m", "not rest")
        outcome = run_tests(pytest, f"unit-{version}", chosen, {**env, "ANOTHER_PYTHON": "1"})
        # Alone: in a process that has loaded Ansible's controller code, a module passes its warnings to that.
        outcome += run_tests(pytest, f"controller-{version}", (IN_ONE_PROCESS, *ON_THE_CONTROLLER), env)
        total += replace(outcome, remarks=(f"{what}: {outcome.passed} passed, {outcome.failed} failed",))
    return total


def smallest(env: Mapping[str, str]) -> Outcome:
    """Run the tests of HTTP with the oldest supported requests and urllib3; all tests run with the newest."""
    if not works(OLDEST, env):
        return Outcome(skipped=1, remarks=(f"left out: Python {OLDEST}, not found",))
    python = provide(OLDEST, env, SMALLEST)
    return run_tests([str(python), "-m", "pytest"], "smallest", ("-m", "not process and not rest", *ON_THE_WIRE), env)


def licences(env: Mapping[str, str]) -> Outcome:
    # On the copy, as a checkout may hold scratch files that git does not know.
    code = run(["reuse", "--root", str(stage(CACHE / "licences")), "lint", "--lines"], env)[0]
    return Outcome(passed=int(not code), failed=int(bool(code)))


def package(env: Mapping[str, str]) -> Outcome:
    problems, tarball = build(lambda command, folder: run(command, env, folder))
    if problems:
        return Outcome(failed=1, remarks=tuple(problems))
    return Outcome(passed=1, remarks=(f"{tarball.relative_to(ROOT)} ({tarball.stat().st_size // 1024} KiB)",))


def go_programs(_env: Mapping[str, str]) -> Outcome:
    try:
        build_programs(*PEERS, LINTER)
    except Unavailable as error:
        return Outcome(skipped=1, remarks=(f"left out: vcsim, govc and actionlint; {error}",))
    return Outcome(passed=1)


def molecule(env: Mapping[str, str]) -> Outcome:
    missing = what_is_missing()
    well = play(lambda command, settings: run(command, settings)[0], env, with_vcsim=not missing)
    return Outcome(passed=int(well), failed=int(not well), skipped=len(missing), remarks=tuple(missing))


def site(env: Mapping[str, str]) -> Outcome:
    problems, page = build_site(lambda command, folder: run(command, env, folder))
    if problems:
        return Outcome(failed=1, remarks=tuple(problems))
    return Outcome(passed=1, remarks=(str(page.relative_to(ROOT)),))


CHANGELOG = (("antsibull-changelog", "lint"), ("python", "-m", "tools.changelog", "--check"))
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
# Action plugins depend on parts of ansible-core that differ between its releases.
ON_THE_CONTROLLER = ("tests/progress/test_plugin.py", "tests/progress/test_way.py")
# The tests of what may differ between ansible-cores and Pythons first: argument specs, results, files. With the oldest
# and the newest, all unit tests run.
TELLING = tuple(
    f"tests/unit/test_{name}.py"
    for name in (
        "attributes",
        "bad_input",
        "download_session_dest",
        "errors",
        "fork",
        "session_info",
    )
)
# Tests that take only seconds: with the simulator and without, and some with marks.
FAMILIAR = ("tests/unit/simulator/test_simulator_errors.py", "tests/unit/test_errors.py", "tests/unit/test_trace.py")
ON_THE_WIRE = (
    "tests/unit/test_connection.py",
    "tests/unit/test_transfers.py",
    "tests/faults/test_attacks.py::test_no_answer_takes_much_memory",
    "tests/faults/test_attacks.py::test_no_exchange_takes_longer_than_ten_times_request_timeout",
)
# Tests of modules that run in forks, too, as from Ansible's worker.
IN_FORKS = (
    "tests/unit/test_download_session_dest.py",
    "tests/unit/test_transfers.py",
    "tests/faults/test_kill.py",
    "tests/faults/test_secrets.py",
)
MUTATIONS = ("python", "-m", "tests.mutations", "--sample")
FUZZ = ("python", "-m", "tests.fuzz", "--answers", "2500", "--options", "1000")
TYPES = (("mypy", "-p", "ansible_collections.vsphere.content.plugins"), ("mypy", "tests", "tools"))

LEFT_OUT_ON_PUSH = "rest" if WHOLE else "rest and not night"
# Another Python runs the sets of parameters that a push leaves out, but not those of tests that start processes.
LEFT_OUT_OF_UNIT = f"{LEFT_OUT_ON_PUSH} and (process or not more)"

# The fast checks come first, then the longest ones, so that none of these runs alone at the end.
PUSH = (
    Step("ruff", 1, "Lint the Python code", commands(("ruff", "check", "."))),
    Step("ruff-format", 1, "Check the Python code's format", commands(("ruff", "format", "--check", "."))),
    Step("reuse", 3, "Check that each file names its licence", licences),
    Step("changelog", 18, "Lint the changelog, and hold its page to the fragments", commands(*CHANGELOG)),
    Step(
        "faults",
        132,
        "Break what can break, and see that it ends well",
        tests("faults", "--exchanges=10000", "-m", "not rest", "tests/faults"),
    ),
    Step(
        "unit",
        236,
        "Run the unit tests",
        tests("unit", "--all-undescribed", "--exchanges=20000", "-m", "not rest", "tests/unit"),
    ),
    Step(
        "roles",
        104,
        "Run the roles, the playbooks and what AWX needs of them",
        tests("roles", "--exchanges=150", "-m", "not rest", "tests/roles"),
    ),
    Step(
        "examples",
        54,
        "Run the examples of the first pages, and hold the documentation to the code",
        tests("examples", "--exchanges=240", "-m", "not rest", "tests/docs"),
    ),
    Step(
        "progress",
        46,
        "See tasks move while they run",
        tests("progress", "--exchanges=600", "-m", "not rest", "tests/progress"),
    ),
    Step("types", 30, "Check the types", commands(*TYPES)),
    Step("docs", 23, "Lint the documentation", commands(DOCS_LINT)),
    Step("demo", 16, "Run the demo", commands(("bash", "demo/run"))),
)
REST = (
    Step("go", 109, "Build vcsim, govc and actionlint, which is done once", go_programs),
    Step("pythons", 620, "Run the unit tests on the other Pythons and ansible-cores", pythons),
    Step(
        "whole-unit",
        130,
        "Run what a push leaves out of the unit tests",
        tests("whole-unit", "--exchanges=200", "-m", LEFT_OUT_OF_UNIT, "tests/unit"),
    ),
    Step(
        "whole-roles",
        606,
        "Run what a push leaves out of the roles, also with the oldest ansible-core and that of AWX",
        tests("whole-roles", "--exchanges=100", "-m", LEFT_OUT_ON_PUSH, "tests/roles"),
    ),
    Step(
        "whole-faults",
        370,
        "Break the rest of what can break",
        tests("whole-faults", "--exchanges=5000", "-m", LEFT_OUT_ON_PUSH, "tests/faults"),
    ),
    Step(
        "whole-examples",
        180,
        "Run the examples and the playbooks of the guides",
        tests("whole-examples", "-m", LEFT_OUT_ON_PUSH, "tests/docs"),
    ),
    Step(
        "peers",
        60,
        "Test against vcsim, govc and the official bindings",
        tests("peers", "--exchanges=300", "-m", "" if WHOLE else "not night", "tests/peers"),
    ),
    Step("duplicates", 16, "Look for lines that stand twice", commands(("python", "-m", "tools.duplicates"))),
    Step(
        "contract",
        16,
        "Test what holds the traffic to the published description",
        tests("contract", IN_ONE_PROCESS, "tests/contract"),
    ),
    Step(
        "operations",
        21,
        "Test each operation in both dialects",
        tests("operations", IN_ONE_PROCESS, "--exchanges=120", "tests/mutations"),
    ),
    Step("ansible-lint", 80, "Lint the Ansible content", commands(("ansible-lint",))),
    Step("molecule", 193, "Play the molecule scenarios", molecule),
    Step("sanity", 298, "Run ansible-test sanity", sanity),
    Step("sanity-oldest", 203, "Run the oldest ansible-test sanity that is supported", sanity_oldest),
    Step(
        "whole-progress",
        195,
        "See tasks move with the oldest ansible-core and in AWX, and in both ways of modules",
        tests("whole-progress", "-m", LEFT_OUT_ON_PUSH, "tests/progress"),
    ),
    Step("forks", 60, "Run tests of the modules with these in forks", in_forks),
    Step("smallest", 70, "Run what goes over the wire with the oldest requests and urllib3", smallest),
    Step("ansible-test-units", 77, "Run some of the unit tests by ansible-test", ansible_test_units),
    Step("package", 83, "Build the tarball and import it as Galaxy would", package),
    Step("site", 27, "Build the documentation's site", site),
    Step("bench", 121, "Try the benchmarks with tiny sizes", commands(*BENCHMARKS)),
    Step("fuzz", 40, "Let answers and options go wrong", commands(FUZZ)),
    Step("mutations", 34, "Make a few mistakes, and see that they are seen", commands(MUTATIONS)),
)


def run_step(step: Step, env: Mapping[str, str]) -> Outcome:
    print(f"\n=== {step.name}: {step.headline}", flush=True)
    began, used = time.monotonic(), cpu_seconds()
    outcome = step.check(env)
    seconds = cpu_seconds() - used
    if seconds > step.limit and not WHOLE:
        outcome += Outcome(failed=1, remarks=(f"too slow: more than {step.limit} s of a core",))
    for remark in outcome.remarks:
        print(f"    {remark}")
    verdict = "failed" if outcome.failed else "ok"
    took = f"{time.monotonic() - began:.0f} s, {seconds:.0f} / {step.seconds} s of a core"
    print(f"=== {step.name}: {verdict} in {took}", flush=True)
    return replace(outcome, seconds=seconds)


def run_steps(steps: Sequence[Step], env: Mapping[str, str]) -> dict[str, Outcome]:
    jobs = {step.name: partial(run_step, step, env) for step in steps}
    outcomes = {}
    for name, outcome, output in side_by_side(
        jobs, limit=LANES, on_start=lambda name: print(f"... {name} has started", flush=True)
    ):
        print(output, flush=True)
        outcomes[name] = outcome or Outcome(failed=1)
    # They end in any order.
    return {step.name: outcomes[step.name] for step in steps}


def table(steps: Sequence[Step], outcomes: Mapping[str, Outcome]) -> str:
    """The seconds of a core that each step used, and that it should use."""
    lines = [f"{step.name:<16}{outcomes[step.name].seconds:>7.0f} / {step.seconds}" for step in steps]
    used, budget = sum(each.seconds for each in outcomes.values()), sum(step.seconds for step in steps)
    return "\n".join(["seconds of a core: used / budget", *lines, f"{'in all':<16}{used:>7.0f} / {budget}"])


def main(arguments: Sequence[str], strict: bool, push: Sequence[Step] = PUSH, rest: Sequence[Step] = REST) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.check", description="Run the project's checks.")
    steps = (*push, *rest)
    known = [step.name for step in steps]
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(known))
    parser.add_argument("--all", action="store_true", help="run what does not pay on each push as well")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.steps) - set(known)):
        parser.error(f"no such step: {', '.join(unknown)}")

    env = check_environment(os.environ)
    usual = steps if options.all else push
    wanted = [step for step in steps if step.name in options.steps] or usual
    outcomes = run_steps(wanted, env) if len(wanted) > 1 else {step.name: run_step(step, env) for step in wanted}
    total = sum(outcomes.values(), start=Outcome())
    broken = [name for name, each in outcomes.items() if each.failed or (strict and each.skipped)]
    print(f"\n{table(wanted, outcomes)}\n")
    print(f"Failed: {', '.join(broken)}" if broken else "")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], strict=os.environ.get("CI") == "true"))
