# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cycle of the soak test, and that it would notice what it is there to notice."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Simulator
from tools.soak import __main__ as program
from tools.soak.ledger import SAMPLES, Ledger
from tools.soak.trouble import FETCH, LOGIN, PUBLISH, choose

SEED = 50


@pytest.mark.rest
def test_a_cycle_keeps_what_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--minutes", "0", "--seed", str(SEED)]) == 0
    rows = dict(row.strip("| ").split(" | ", 1) for row in capsys.readouterr().out.splitlines()[2:])
    assert rows["cycles"] == "1, 0 of them by ansible-playbook"
    assert int(rows["runs"]) >= 5
    left = [rows[name] for name in ("sessions left over", "logins left over", "temporary files left")]
    assert (rows["seed"], left, rows["promises broken"]) == (str(SEED), ["0", "0", "0"], "0")


def leave_session(sim: Simulator, _folder: Path) -> None:
    sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools")))


def leave_login(sim: Simulator, _folder: Path) -> None:
    sim.run(lambda store: store.logins.login(sim.username, sim.password))


def leave_file(_sim: Simulator, folder: Path) -> None:
    (folder / "dest-tools").mkdir()
    (folder / "dest-tools" / ".tools.iso.part").touch()


LEFT = {"session": (leave_session, (1, 0, 0)), "login": (leave_login, (0, 1, 0)), "file": (leave_file, (0, 0, 1))}


@pytest.mark.parametrize(("leave", "counted"), LEFT.values(), ids=LEFT)
def test_what_is_left_over_is_a_broken_promise(sim: Simulator, tmp_path: Path, leave: Any, counted: Any) -> None:
    leave(sim, tmp_path)
    ledger = program.Soak(sim, tmp_path, SEED).finish()
    assert (ledger.sessions_left, ledger.logins_left, ledger.files_left) == counted
    assert len(ledger.broken) == 1
    assert f"BROKEN: cycle 0: left over: sessions, logins and files {counted}" in ledger.report()


def test_a_broken_promise_is_told_by_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def soak(_seconds: float, seed: int) -> Ledger:
        return Ledger(seed, broken=["cycle 1: something"])

    monkeypatch.setattr(program, "soak", soak)
    assert program.main([]) == 1


@pytest.mark.parametrize(("late", "broken"), [(1000, 0), (1090, 0), (1110, 1)])
def test_memory_that_grows_is_a_broken_promise(late: int, broken: int) -> None:
    ledger = Ledger(SEED)
    ledger.memory["server"] = [*[2000] * 3, *[1000] * SAMPLES, *[late] * 2 * SAMPLES]
    ledger.judge_memory()
    assert len(ledger.broken) == broken


def test_the_same_seed_chooses_the_same_trouble_and_all_of_it_in_the_end() -> None:
    def chosen(seed: int, job: str) -> list[str]:
        dice = random.Random(seed)
        return [str(choose(dice, job, mortal=True)) for _roll in range(3000)]

    assert chosen(SEED, "fetch") == chosen(SEED, "fetch") != chosen(SEED + 1, "fetch")
    faults: Mapping[str, tuple[str, ...]] = {"publish": PUBLISH, "fetch": FETCH}
    for job, own in faults.items():
        assert {*own, *LOGIN, "None"} <= set(chosen(SEED, job))
