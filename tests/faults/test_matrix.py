# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault at each point of each task, in both dialects: it comes out as expected, and the next run converges."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable

import pytest

from tests.faults.expectations import EXCEPTIONS, EXPECTED, FAULTS, OFTEN
from tests.faults.matrix_cells import Aftermath, Cell, Stage, cells, holes
from tests.faults.matrix_page import (
    PAGE,
    exceptions_list,
    expected_exceptions,
    facts_of_messages,
    facts_of_whole,
    matrix_table,
)
from tests.faults.points import POINTS, TASKS, WITH_BODY, WITHOUT_ANSWER, Kind, Scene
from tests.harness.modules import ModuleResult
from tests.harness.samples import marked, one_of_each, waiting
from tests.harness.tasks import DIALECTS, DOWNLOAD_SESSION, ERROR_KEYS, UPDATE_SESSION
from tools.pages import read_part

CELLS = list(cells())
OTHER_VERSIONS = ("7.0", "9.0")


@pytest.fixture
def quick() -> dict[str, float]:
    return {
        "first_request_pause": 0.002,
        "first_insisting_pause": 0.002,
        "watch_idle": 0.02,
        "watch_pause": 0.01,
        "watch_transfer": 0.02,
        "join_completion": 0.02,
        "first_pause": 0.01,
        "first_transfer_pause": 0.002,
        # test_special has a huge answer of the real size.
        "longest_answer": 1024 * 1024,
    }


@pytest.fixture(scope="session")
def sent_undisturbed(stage: Stage) -> Callable[[Cell], int]:
    """How often the task of a cell sends the request of its point when nothing goes wrong."""
    known: dict[tuple[str, str, str], list[str]] = {}

    def count(cell: Cell) -> int:
        like = cell.point.task, cell.dialect, cell.vcenter
        if like not in known:
            scene = stage.set(cell.task, cell.vcenter)
            stage.run(cell.task, scene, cell.dialect, stage.proxy)
            known[like] = [seen.operation for seen in stage.proxy.requests]
        return known[like].count(cell.point.operation)

    return count


def kind_of(cell: Cell) -> object:
    """What happens at which kind of request; cells of one kind are promised the same."""
    exceptions = EXCEPTIONS.get(cell.point.id)
    is_exception = exceptions is not None and cell.fault_name in exceptions.expected
    return cell.fault_name, cell.point.kind, cell.point.id if is_exception else ""


#: Each fault once, each promise, and each task.
ON_EACH_PUSH = [
    *one_of_each(CELLS, lambda cell: cell.fault_name),
    *one_of_each(CELLS, lambda cell: cell.expected),
    *one_of_each(CELLS, lambda cell: cell.point.task),
]


#: One of each kind, by turns with another version than the one that all cells are tried with.
OF_OTHER_VERSIONS = [
    replace(cell, vcenter=OTHER_VERSIONS[number % len(OTHER_VERSIONS)])
    for number, cell in enumerate(one_of_each(CELLS, kind_of))
]


@pytest.mark.parametrize(
    "cell",
    waiting([(each.id, (each,), each in ON_EACH_PUSH) for each in CELLS], one_in=8),
)
def test_cell(
    cell: Cell,
    stage: Stage,
    sent_undisturbed: Callable[[Cell], int],
    record_property: Callable[[str, object], None],
) -> None:
    prove(cell, stage, sent_undisturbed(cell), record_property)


@pytest.mark.parametrize(
    "cell",
    marked(
        [(cell.id, (cell,)) for cell in OF_OTHER_VERSIONS],
        lambda values: (values[0].vcenter, values[0].point.kind),
        one_in=4,
    ),
)
def test_another_version_makes_no_difference(
    cell: Cell,
    stage: Stage,
    sent_undisturbed: Callable[[Cell], int],
    record_property: Callable[[str, object], None],
) -> None:
    prove(cell, stage, sent_undisturbed(cell), record_property)


def prove(cell: Cell, stage: Stage, usual: int, record_property: Callable[[str, object], None]) -> None:
    """`usual` is how often the request of the point is sent when nothing goes wrong."""
    scene = stage.set(cell.task, cell.vcenter)
    stage.spoil(cell, scene)
    ran = stage.run(cell.task, scene, cell.dialect, stage.proxy, **cell.time_outs)
    left = stage.look(cell.task, scene)
    failed = bool(ran.result.get("failed"))
    sent = stage.times_sent(cell, usual, failed=failed)
    sent = OFTEN if cell.expected.sent == OFTEN and sent > 1 else sent

    outcome = ran.result["error"]["type"] if failed else "success"
    for name, value in (("outcome", outcome), ("sent", sent), ("warned", bool(ran.warnings))):
        record_property(name, value)
    record_property("told", ran.result.get("msg", ""))
    expected = cell.expected
    assert (outcome, sent, bool(ran.warnings)) == (expected.outcome, expected.sent, expected.warned), ran.result
    assert_well_told(cell, ran)
    assert stage.canaries.found_in(ran.stdout) == []
    assert_put_back(cell, scene, ran, left)
    # What worked without a trace has left the same as an undisturbed run, after which others show that nothing is done.
    if failed or left.logins or not left.is_done:
        assert_next_run_converges(cell, stage, scene, left)


def assert_well_told(cell: Cell, ran: ModuleResult) -> None:
    assert "Traceback" not in ran.stdout
    assert ran.stderr == ""
    if cell.expected.fails:
        assert set(ran.result["error"]) == ERROR_KEYS
        assert ran.result["error"]["operation"] == cell.operation
        assert bool(ran.result["error"]["session_id"]) == cell.point.in_session
        assert ran.result["msg"]


def assert_put_back(cell: Cell, scene: Scene, ran: ModuleResult, left: Aftermath) -> None:
    assert (len(left.sessions), left.logins) == (cell.sessions_left, cell.logins_left), (left, ran.result)
    for session_id in left.sessions:
        assert session_id in ran.result["msg"], "whoever has to clean up must know what"
    assert set(left.files) <= {scene.name}, "no temporary file is left"
    may_be_done = cell.leaves_doubt or (cell.expected.fails and cell.may_be_done(ran.result["error"]))
    if cell.task.module in (UPDATE_SESSION, DOWNLOAD_SESSION) and "item" in left.there and not cell.done_by_others:
        assert ran.result.get("changed", False) == (left.is_begun or may_be_done), ran.result
    if cell.point.task.endswith("-item"):
        assert ran.result.get("changed", False) == (left.is_done or may_be_done), ran.result
    if not cell.expected.fails and cell.point.task not in ("cancel", "delete-item"):
        assert left.is_done


def assert_next_run_converges(cell: Cell, stage: Stage, scene: Scene, left: Aftermath) -> None:
    stage.mend(scene)
    if cell.task.needs and cell.task.needs not in stage.look(cell.task, scene).there:
        # Nothing can be done to what is not there any more, and a task says so.
        again = stage.run(cell.task, scene, cell.dialect, stage.sim)
        assert again.result["error"]["type"] == "NOT_FOUND"
        return
    again = stage.run(cell.task, scene, cell.dialect, stage.sim)
    assert again.rc == 0, again.result
    assert stage.look(cell.task, scene).is_done
    if again.result["changed"]:
        again = stage.run(cell.task, scene, cell.dialect, stage.sim)
        assert (again.rc, again.result["changed"]) == (0, False), again.result
    after = stage.look(cell.task, scene)
    # Downloads do not exclude each other, so one that could not be removed is in nobody's way until it expires.
    stay = left.sessions if cell.point.task in ("fetch", "fetch-clean-up") else ()
    assert (after.is_done, after.sessions, after.files) == (True, stay, after.files and (scene.name,)), after


# The matrix itself


def test_what_runs_on_each_push_is_of_every_kind_task_and_dialect() -> None:
    assert {cell.point.kind for cell in ON_EACH_PUSH} == set(Kind)
    assert {cell.point.task for cell in ON_EACH_PUSH} == set(TASKS)
    assert {cell.dialect for cell in ON_EACH_PUSH} == set(DIALECTS)
    assert 10 * len(ON_EACH_PUSH) < len(CELLS)


def test_each_cell_has_a_name_of_its_own() -> None:
    assert len({cell.id for cell in CELLS}) == len(CELLS)


def test_nothing_is_left_out_and_nothing_is_promised_that_is_not_tried() -> None:
    assert holes() == []


def test_each_fault_is_tried_at_each_kind_of_request_or_cannot_be() -> None:
    tried = {(cell.dialect, cell.fault_name, cell.point.kind) for cell in CELLS}
    missing = {
        name: sorted(kind.name for kind in Kind if not any((dialect, name, kind) in tried for dialect in DIALECTS))
        for name, fault in FAULTS.items()
        if not fault.at
    }
    assert {name: kinds for name, kinds in missing.items() if kinds} == {"busy": ["GET", "LOGIN", "LOGOUT", "PUT"]}


def test_exceptions_are_of_points_and_faults_and_differ_from_the_rule() -> None:
    points = {point.id: point for point in POINTS}
    for point_id, exceptions in EXCEPTIONS.items():
        for name, expectation in exceptions.expected.items():
            assert expectation != EXPECTED[name].get(points[point_id].kind), (point_id, name)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("task_name", TASKS)
def test_each_point_is_met_and_has_the_bodies_that_are_said_of_it(task_name: str, dialect: str, stage: Stage) -> None:
    task = TASKS[task_name]
    scene = stage.set(task)
    ran = stage.run(task, scene, dialect, stage.proxy)
    assert ran.result.get("error", {}).get("type", "") == task.fails
    points = [point for point in POINTS if point.task == task_name]
    assert points
    for point in points:
        met = [seen for seen in stage.proxy.requests if seen.operation == point.operation]
        assert len(met) >= point.nth, point.id
        seen = met[point.nth - 1]
        assert bool(seen.request_bytes) == (point.operation in WITH_BODY[dialect]), point.id
        assert bool(seen.answer_bytes) == (point.operation not in WITHOUT_ANSWER), point.id
    assert all(seen.operation for seen in stage.proxy.requests), "each request is one that the server knows"


# The page that shows it


def read_page(marker: str) -> str:
    return read_part(PAGE, marker)


def test_the_page_shows_what_is_expected() -> None:
    assert read_page("matrix") == matrix_table(EXPECTED)
    assert read_page("exceptions") == exceptions_list(expected_exceptions())
    assert read_page("figures of the matrix").startswith(f"{len(CELLS)} cells, each as expected, in ")


def read_facts(marker: str) -> list[tuple[str, ...]]:
    """What the rows of a table hold, but for the words in the last column."""
    return [tuple(line[2:-2].split(" | "))[:-1] for line in read_page(marker).splitlines()[2:]]


def test_the_page_shows_each_fault_that_can_end_a_task_with_its_type() -> None:
    assert [name for name in FAULTS if any(found.fails for found in EXPECTED[name].values())] == [*facts_of_messages()]
    assert read_facts("messages") == [*facts_of_messages().values()]
    assert read_facts("whole connection") == [*facts_of_whole().values()]
