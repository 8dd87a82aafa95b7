# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of mistakes fits the code as it is, leaves no operation out, and tells a seen mistake from a missed one."""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.operations import ROUTES
from tests.harness.checkout import ROOT
from tests.mutations.__main__ import Verdict, every_mutation, judge, row, sample, summed_up, without_go
from tests.mutations.bench import Bench, open_bench
from tests.mutations.conduct import (
    AS_VCENTERS_ARE,
    ASSUMED,
    JUDGED_BY_OTHERS,
    JUDGED_BY_US,
    NOTHING_ASSUMED,
    behaviour_mutations,
)
from tests.mutations.mistakes import becomes
from tests.mutations.mutation import Mutation, Suite, govc, unit, vcsim
from tests.mutations.routes import NEVER_TAKEN, SEEN_BY_GOVC, SEEN_BY_SDK, SEEN_THROUGH_SDK, TAKEN_BY_VCSIM, our_name
from tests.simulator.facts import FACTS, Strength
from tests.simulator.routes import API_ROWS, REST_ROWS
from tests.simulator.worlds import WORLDS

TABLE = every_mutation()
LOGIN = {"session.login", "session.logout"}
TAKEN = {dialect: {name for name in ROUTES if (name, dialect) not in NEVER_TAKEN} for dialect in ("api", "rest")}
SERVED = {"api": API_ROWS, "rest": REST_ROWS}
BEHAVIOURS = {"polling", "read-back", "order", "clean-up", "retry", "log in again"}
NUMBERS = Path("plugins", "module_utils", "counting.py")
USE_OF_NUMBERS = "from plugins.module_utils.counting import ONE\n"
SEES_IT = Suite("somebody", ("test_numbers.py", "-k", "one"))
SEES_NOTHING = Suite("nobody", ("test_numbers.py", "-k", "always"))
CALLS_UPON_THE_DESCRIPTION = Suite("somebody", ("test_numbers.py", "-k", "described"))
HAS_NO_SUCH_TEST = Suite("somebody", ("test_numbers.py", "-k", "nothing_of_the_kind"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    copy = tmp_path_factory.mktemp("copy")
    write_numbers(copy)
    (copy / "test_numbers.py").write_text(
        USE_OF_NUMBERS
        + "def test_one(): assert ONE == 1\n"
        + "def test_always(): pass\n"
        + "def test_described(): assert ONE == 1, 'against the published description'\n"
    )
    with open_bench(copy, os.environ) as opened:
        yield opened


def write_numbers(copy: Path) -> None:
    (copy / NUMBERS).parent.mkdir(parents=True)
    (copy / NUMBERS).write_text("ONE = 1\n")


def mistake(*suites: Suite, of: str = "ONE", new: str = "2") -> Mutation:
    return Mutation("a mistake", "client", "both", f"{of}", becomes(new), suites)


@pytest.mark.parametrize("mutation", TABLE, ids=lambda mutation: mutation.title)
def test_each_mistake_can_be_made(mutation: Mutation) -> None:
    right = mutation.file(ROOT).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutation.apply(right))) != as_tree(right)


@cache
def as_tree(source: str) -> str:
    return ast.dump(ast.parse(source))


def wrong_operations(side: str, dialect: str) -> set[str]:
    return {each.name.partition(":")[0] for each in TABLE if (each.side, each.dialect) == (side, dialect)}


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_no_operation_of_the_client_is_left_out(dialect: str) -> None:
    assert (TAKEN[dialect] | LOGIN) - wrong_operations("client", dialect) == set()


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_no_operation_of_the_simulator_is_left_out(dialect: str) -> None:
    served = {our_name(row.operation) for row in SERVED[dialect]}
    assert (served | LOGIN | {"session.get"}) - wrong_operations("simulator", dialect) == set()


def test_no_behaviour_is_left_out() -> None:
    rows = {
        side: [each.name for each in behaviour_mutations() if each.side == side] for side in ("client", "simulator")
    }
    assert {name.partition(":")[0] for name in rows["client"]} >= set(BEHAVIOURS)
    assert len(rows["client"]) >= 10
    assert len(rows["simulator"]) >= 5


def test_who_can_judge_a_behaviour_alone() -> None:
    assert [name for name, *_where, suite in JUDGED_BY_OTHERS if suite.ours] == []
    assert [name for name, *_where, suite in JUDGED_BY_US if not suite.ours] == []


def test_each_answer_to_an_open_question_is_assumed_by_a_mistake() -> None:
    rows = {name for name, *_mistake in (*JUDGED_BY_OTHERS, *AS_VCENTERS_ARE)}
    assert {name for names in ASSUMED.values() for name in names} <= rows
    open_worlds = {world.name for world in WORLDS.values() if FACTS[world.fact].strength is Strength.UNKNOWN}
    assert sorted([*ASSUMED, *NOTHING_ASSUMED]) == sorted(open_worlds)


@pytest.mark.parametrize(
    ("named", "side", "dialect", "witness"),
    [
        (SEEN_BY_SDK, "simulator", "api", "official SDK"),
        (SEEN_BY_GOVC, "simulator", "rest", "govc"),
        (SEEN_THROUGH_SDK, "client", "api", "official SDK"),
        (SEEN_THROUGH_SDK, "client", "rest", "official SDK"),
        (TAKEN_BY_VCSIM, "client", "rest", "vcsim"),
    ],
)
def test_nobody_is_named_as_a_witness_and_never_asked(
    named: Mapping[str, str], side: str, dialect: str, witness: str
) -> None:
    asked = {
        each.name.partition(":")[0]
        for each in TABLE
        if (each.side, each.dialect, each.suites[0].witness) == (side, dialect, witness)
    }
    assert {our_name(name) for name in named} - asked == set()


def test_others_are_asked_before_we_are() -> None:
    for each in TABLE:
        asked = [suite.ours for suite in each.suites]
        assert asked == sorted(asked), each.title


def test_each_mistake_has_a_name_of_its_own() -> None:
    assert [title for title, count in Counter(each.title for each in TABLE).items() if count > 1] == []


def test_the_sample_is_of_both_sides_and_of_every_kind_of_witness() -> None:
    chosen = sample(TABLE)
    assert {each.side for each in chosen} == {"client", "simulator"}
    first = {each.suites[0].witness for each in chosen}
    assert first == {each.suites[0].witness for each in TABLE}


def test_without_go_others_are_asked() -> None:
    ours, peers = unit("test_numbers", "one"), (vcsim("one"), govc("one"))
    mixed, lost = mistake(*peers, ours), mistake(*peers)
    assert [each.suites for each in without_go([mixed, lost])] == [(ours,)]


@pytest.mark.parametrize(
    ("mutation", "witness"),
    [
        (mistake(SEES_NOTHING, SEES_IT), "somebody"),
        (mistake(CALLS_UPON_THE_DESCRIPTION), "published description"),
        (mistake(SEES_NOTHING), ""),
        (mistake(HAS_NO_SUCH_TEST), ""),
        (mistake(SEES_IT, of="TWO"), ""),
        (mistake(SEES_IT, new="="), ""),
    ],
    ids=["second suite", "description", "nobody", "no test", "not in the code", "no Python"],
)
def test_who_saw_it(bench: Bench, mutation: Mutation, witness: str) -> None:
    verdict = judge(mutation, bench)
    assert verdict.witness == witness
    assert bool(verdict.trouble) == (not witness and mutation.suites != (SEES_NOTHING,))
    assert (bench.copy / NUMBERS).read_text() == "ONE = 1\n"


def test_a_suite_that_hangs_is_no_witness_like_others(tmp_path: Path) -> None:
    write_numbers(tmp_path)
    (tmp_path / "test_numbers.py").write_text("import time\ndef test_one(): time.sleep(600)\n")
    with open_bench(tmp_path, os.environ, seconds=0.1) as bench:
        verdict = judge(mistake(SEES_IT), bench)
    assert (verdict.witness, verdict.trouble) == ("hangs in: somebody", "")


def test_the_table_tells_who_is_independent() -> None:
    seen = mistake(SEES_IT)
    assert " independent  somebody (2 s)" in row(Verdict(seen, "somebody", seconds=2))
    assert " only ours    unit tests (2 s)" in row(Verdict(seen, "unit tests", ours=True, seconds=2))
    assert " -            NOBODY (2 s)" in row(Verdict(seen, seconds=2))


def test_one_that_nobody_saw_ends_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    seen, missed = Verdict(mistake(SEES_IT), "somebody", ours=True), Verdict(mistake(SEES_NOTHING))
    assert (summed_up([seen]), summed_up([seen, missed]), summed_up([])) == (0, 1, 1)
    told = capsys.readouterr().out
    assert "1 of 2 mistakes were seen, 1 of them only by our own tests\n    1 only by: somebody\n" in told
    assert "not seen: client both a mistake" in told
