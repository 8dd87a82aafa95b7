# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a trial reports makes a simulator that is like the one that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.harness.modules import connection_args, run_module
from tests.harness.samples import marked
from tests.harness.tasks import CHECK
from tests.harness.trials import TRIAL, odd
from tests.simulator import Seed, Simulator
from tests.simulator.likeness import SHOWN, Likeness, likeness_of, read_report
from tests.simulator.versions import DEFAULT, VERSIONS, as_version

#: What only a fetch shows, and what decides whether other points are seen at all. A package without its disk is taken
#: only where its warnings do not fail it first.
NOT_ALONE = (
    "certificate-as-pin",
    "ova-from-url",
    "pull-stays-active",
    "preview-while-active",
    "two-dialects",
    "references-must-be-there",
)
#: What else a server does then, whatever it would do otherwise.
FOLLOWS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("item-file-sha1", "none"): {"download-checksum-when-fetched": "never"},
}
WORDS = [
    (f"{fact}={word}", (fact, word))
    for fact, words in SHOWN.items()
    if fact not in NOT_ALONE
    for word in list(words)[1:]
]


def tried(like: Likeness, report: Path) -> dict[str, Any]:
    with Simulator(settle=0.0, like=like) as sim:
        ran = run_module(CHECK, {**connection_args(sim), **TRIAL, "report": str(report)})
    assert ran.rc == 0, ran.result
    return ran.result


@pytest.mark.parametrize(("fact", "word"), marked(WORDS, lambda _cell: None, one_in=3))
def test_what_is_otherwise_than_a_fact_is_named_and_nothing_else(fact: str, word: str, tmp_path: Path) -> None:
    like = Likeness(DEFAULT, deviations=SHOWN[fact][word])
    assert odd(tried(like, tmp_path / "report.json")) == {fact: word, **FOLLOWS.get((fact, word), {})}


@pytest.mark.rest
@pytest.mark.parametrize("vcenter", VERSIONS)
def test_a_simulator_like_the_report_of_a_version_is_that_version(vcenter: str, tmp_path: Path) -> None:
    tried(Likeness(vcenter), tmp_path / "report.json")
    like = likeness_of(read_report(str(tmp_path / "report.json")))
    assert like.version == vcenter
    placed = like.place(Seed(), {}, {})
    # Each word that is as usual is one of `otherwise`, too.
    assert replace(placed, otherwise={}) == as_version(Seed(), vcenter)
