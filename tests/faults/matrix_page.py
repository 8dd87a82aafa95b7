# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the fault matrix and writes what came of it into docs/reliability.md, between its markers.

``python -m tests.faults.matrix_page`` does it; the page's own tests hold it against what is expected. What a task says
is there as an example: no test holds the page to the words.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.expectations import EXCEPTIONS, FAULTS, SUCCESS, Expectation
from tests.faults.matrix_cells import Cell, cells
from tests.faults.matrix_whole import WHOLE
from tests.faults.points import Kind
from tests.harness.checkout import CACHE, ROOT
from tools.pages import write_parts

PAGE = ROOT / "docs" / "reliability.md"
RESULTS = CACHE / "matrix.xml"
SUITES = ("tests/faults/test_matrix.py", "tests/faults/test_special.py")
#: Which points show what a user sees, the first at which the task fails.
SHOWN = (
    "publish-complete",
    "publish-put",
    "fetch-get",
    "publish-arrived",
    "publish-create",
    "publish-login",
    "fetch-prepare",
)

SESSION = re.compile(r"[0-9a-f-]{36}:[0-9a-f-]{36}")
IDENTIFIER = re.compile(r"[0-9a-f-]{36}")
PLACE = re.compile(r"(?:127\.0\.0\.1|localhost):\d+")
UNKNOWN_PLACE = re.compile(r"(vcenter\.invalid):\d+")
LINE_OF_PYTHON = re.compile(r" \(_ssl\.c:\d+\)")

Outcomes = Mapping[str, Mapping[Kind, Expectation]]


@dataclass(frozen=True)
class Result:
    """What one cell came to, and what the task said."""

    found: Expectation
    told: str


def shown(message: str) -> str:
    """A message without what differs from run to run."""
    message = IDENTIFIER.sub("ITEM", SESSION.sub("SESSION", message))
    message = UNKNOWN_PLACE.sub(r"\1:443", PLACE.sub("vcenter.example.com:443", message))
    return LINE_OF_PYTHON.sub("", message).replace("|", "\\|")


def example_of(fault_name: str) -> Cell | None:
    """The cell whose message the page shows for a fault, if the fault ends any task."""
    by_id = {cell.id: cell for cell in cells() if cell.expected.fails and cell.fault_name == fault_name}
    return next((by_id[f"api-{point}-{fault_name}"] for point in SHOWN if f"api-{point}-{fault_name}" in by_id), None)


# -- what stands on the page


def matrix_table(outcomes: Outcomes) -> str:
    lines = [
        _row("what happens", "type of the error", *(kind.value for kind in Kind)),
        _row(*["---"] * (len(Kind) + 2)),
    ]
    for name, fault in FAULTS.items():
        row = outcomes[name]
        usual = _usual_type(row)
        lines.append(_row(fault.says, usual and f"`{usual}`", *(_cell(row.get(kind), usual) for kind in Kind)))
    return "\n".join(lines)


def exceptions_list(outcomes: Mapping[str, Mapping[str, Expectation]]) -> str:
    """The points at which something else is right."""
    lines = []
    for point_id, row in outcomes.items():
        lines.append(f"- `{point_id}`: {EXCEPTIONS[point_id].because}")
        lines += [f"  - {FAULTS[name].says}: {_cell(found, '')}" for name, found in row.items()]
    return "\n".join(lines)


def messages_table(messages: Mapping[str, str]) -> str:
    lines = [_row("what happens", "where", "type of the error", "what the task says"), _row(*["---"] * 4)]
    lines += [_row(*facts, messages[name]) for name, facts in facts_of_messages().items()]
    return "\n".join(lines)


def facts_of_messages() -> Mapping[str, tuple[str, str, str]]:
    """What stands before the words, by the fault: what happens, where, and the type of the error."""
    return {
        name: (fault.says, cell.point.kind.value, f"`{cell.expected.outcome}`")
        for name, fault in FAULTS.items()
        for cell in [example_of(name)]
        if cell
    }


def whole_table(messages: Mapping[str, str]) -> str:
    lines = [_row("what happens", "type of the error", "what the task says"), _row(*["---"] * 3)]
    lines += [_row(*facts, messages[name]) for name, facts in facts_of_whole().items()]
    return "\n".join(lines)


def facts_of_whole() -> Mapping[str, tuple[str, str]]:
    return {name: (fault.says, f"`{fault.outcome}`") for name, fault in WHOLE.items()}


def _row(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _usual_type(row: Mapping[Kind, Expectation]) -> str:
    types = Counter(found.outcome for found in row.values() if found.outcome != SUCCESS)
    return types.most_common(1)[0][0] if types else ""


def _cell(found: Expectation | None, usual: str) -> str:
    if found is None:
        return ""
    words = ["works" if found.outcome == SUCCESS else "fails"]
    if found.outcome not in (SUCCESS, usual):
        words.append(f"(`{found.outcome}`)")
    if found.sent != 1:
        words.append(str(found.sent or "often"))
    return " ".join(words) + ("!" if found.warned else "")


# -- from results to what stands there


def read_results(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The name of each test that passed, with what it recorded."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is None and case.find("error") is None:
            properties = {entry.get("name", ""): entry.get("value", "") for entry in case.iter("property")}
            yield str(case.get("name")), properties


def results_of_cells(path: Path) -> dict[str, Result]:
    found = {}
    for name, properties in read_results(path):
        if name.startswith("test_cell["):
            expectation = Expectation(properties["outcome"], int(properties["sent"]), properties["warned"] == "True")
            found[name[len("test_cell[") : -1]] = Result(expectation, properties["told"])
    return found


def outcomes_of(results: Mapping[str, Result]) -> tuple[Outcomes, Mapping[str, Mapping[str, Expectation]]]:
    """What came of each fault at each kind of request, and at the points that are exceptions.

    A clean-up never makes a task work, so of it only counts what the other tasks' removals show as well.
    """
    by_kind: dict[str, dict[Kind, set[Expectation]]] = {name: {} for name in FAULTS}
    by_point: dict[str, dict[str, set[Expectation]]] = {}
    for cell in cells():
        found = results[cell.id].found
        exceptions = EXCEPTIONS.get(cell.point.id)
        if cell.task.fails:
            continue
        if exceptions and cell.fault_name in exceptions.expected:
            by_point.setdefault(cell.point.id, {}).setdefault(cell.fault_name, set()).add(found)
        else:
            by_kind[cell.fault_name].setdefault(cell.point.kind, set()).add(found)
    return (
        {name: {kind: _only(found) for kind, found in row.items()} for name, row in by_kind.items()},
        {
            point: {name: _only(by_point[point][name]) for name in exceptions.expected}
            for point, exceptions in EXCEPTIONS.items()
        },
    )


def _only(found: set[Expectation]) -> Expectation:
    (one,) = found
    return one


def expected_exceptions() -> Mapping[str, Mapping[str, Expectation]]:
    return {point: exceptions.expected for point, exceptions in EXCEPTIONS.items()}


def main() -> int:
    RESULTS.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    code = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--numprocesses=2", f"--junit-xml={RESULTS}", *SUITES],
        cwd=ROOT,
        check=False,
    ).returncode
    seconds = time.monotonic() - started
    results = results_of_cells(RESULTS)
    missing = [cell.id for cell in cells() if cell.id not in results]
    if missing:
        print(
            f"{len(missing)} cells did not come out as expected, so the page stays as it is: {', '.join(missing[:10])}"
        )
        return 1
    outcomes, exceptions = outcomes_of(results)
    told = {name: shown(results[cell.id].told) for name in FAULTS for cell in [example_of(name)] if cell}
    others = dict(read_results(RESULTS))
    whole = {name: shown(others[f"test_no_request_gets_through[{name}-publish-api]"]["told"]) for name in WHOLE}
    figures = f"{len(results)} cells, each as expected, in {seconds:.0f} seconds on two cores."
    parts = {
        "figures of the matrix": figures,
        "matrix": matrix_table(outcomes),
        "exceptions": exceptions_list(exceptions),
        "messages": messages_table(told),
        "whole connection": whole_table(whole),
    }
    write_parts(PAGE, parts)
    print(figures)
    return code


if __name__ == "__main__":
    sys.exit(main())
