# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of mistakes fits the code as it is, leaves no operation out, and tells a seen mistake from a missed one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._dialect import ROUTES
from tests.harness.checkout import ROOT
from tests.mutations.__main__ import Verdict, every_mutation, judge, sample, summed_up
from tests.mutations.bench import Bench, open_bench
from tests.mutations.mutation import Mutation, Suite
from tests.mutations.routes import NEVER_TAKEN

TABLE = every_mutation()
NUMBERS = "counting.py"
SEES_IT = Suite("somebody", ("test_numbers.py", "-k", "one"))
SEES_NOTHING = Suite("nobody", ("test_numbers.py", "-k", "always"))
CALLS_UPON_THE_DESCRIPTION = Suite("somebody", ("test_numbers.py", "-k", "described"))
HAS_NO_SUCH_TEST = Suite("somebody", ("test_numbers.py", "-k", "nothing_of_the_kind"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    copy = tmp_path_factory.mktemp("copy")
    (copy / NUMBERS).write_text("ONE = 1\n")
    (copy / "test_numbers.py").write_text(
        "from counting import ONE\n"
        + "def test_one(): assert ONE == 1\n"
        + "def test_always(): pass\n"
        + "def test_described(): assert ONE == 1, 'against the published description'\n"
    )
    with open_bench(copy, os.environ) as opened:
        yield opened


def mistake(*suites: Suite, old: str = "ONE = 1", new: str = "ONE = 2") -> Mutation:
    return Mutation("a mistake", "client", "both", NUMBERS, old, new, suites)


@pytest.mark.parametrize("mutation", TABLE, ids=lambda mutation: mutation.title)
def test_each_mistake_can_be_made(mutation: Mutation) -> None:
    right = (ROOT / mutation.path).read_text(encoding="utf-8")
    wrong = mutation.apply(right)
    assert wrong != right
    compile(wrong, mutation.path, "exec")


@pytest.mark.parametrize("side", ["client", "simulator"])
@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_no_operation_is_left_out(side: str, dialect: str) -> None:
    wrong = {each.name.partition(":")[0] for each in TABLE if (each.side, each.dialect) == (side, dialect)}
    assert {name for name in ROUTES if (name, dialect) not in NEVER_TAKEN} - wrong == set()


def test_each_mistake_has_a_name_of_its_own() -> None:
    assert [title for title, count in Counter(each.title for each in TABLE).items() if count > 1] == []


def test_the_sample_is_of_both_sides() -> None:
    assert {each.side for each in sample(TABLE)} == {"client", "simulator"}


@pytest.mark.parametrize(
    ("mutation", "witness"),
    [
        (mistake(SEES_NOTHING, SEES_IT), "somebody"),
        (mistake(CALLS_UPON_THE_DESCRIPTION), "published description"),
        (mistake(SEES_NOTHING), ""),
        (mistake(HAS_NO_SUCH_TEST), ""),
        (mistake(SEES_IT, old="TWO = 2"), ""),
        (mistake(SEES_IT, new="ONE ="), ""),
    ],
    ids=["second suite", "description", "nobody", "no test", "not in the code", "no Python"],
)
def test_who_saw_it(bench: Bench, mutation: Mutation, witness: str) -> None:
    verdict = judge(mutation, bench)
    assert verdict.witness == witness
    assert bool(verdict.trouble) == (not witness and mutation.suites != (SEES_NOTHING,))
    assert (bench.copy / NUMBERS).read_text() == "ONE = 1\n"


def test_one_that_nobody_saw_ends_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    seen, missed = Verdict(mistake(SEES_IT), "somebody"), Verdict(mistake(SEES_NOTHING))
    assert (summed_up([seen]), summed_up([seen, missed]), summed_up([])) == (0, 1, 1)
    assert "not seen: client both a mistake" in capsys.readouterr().out
