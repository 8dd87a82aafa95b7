# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fact about vCenter is the reason for a behaviour of the simulator or for a test, and each reason is a fact."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from tests.harness.checkout import ROOT
from tests.simulator.facts import FACTS, SUBJECTS
from tests.simulator.worlds import WORLDS


def references(source: str) -> Iterator[str]:
    """The facts that `@follows(...)` and `pytest.mark.fact(...)` name in a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("follows", "pytest.mark.fact"):
            yield from (ast.literal_eval(argument) for argument in node.args)


@cache
def referred() -> frozenset[str]:
    files = (path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    named = {fact for source in files for fact in references(source)}
    return frozenset(named | {world.fact for world in WORLDS.values()})


def test_what_counts_as_a_reference() -> None:
    source = '@follows("a", "b")\ndef f(): ...\n\n@pytest.mark.fact("c")\ndef test_f(): ...\n\nother("d")\n'
    assert list(references(source)) == ["a", "b", "c"]


def test_each_fact_is_the_reason_for_something() -> None:
    assert sorted(set(FACTS) - referred()) == []


def test_each_reason_is_a_fact() -> None:
    assert sorted(referred() - set(FACTS)) == []


def test_a_fact_is_one_sentence_or_two_with_a_source() -> None:
    for fact in FACTS.values():
        assert fact.subject in SUBJECTS, fact.id
        assert fact.says.endswith((".", ".”")), fact.id
        assert fact.source, fact.id
        assert fact.versions, fact.id
