# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness of what servers do: it sees each world of the simulator, or says why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.samples import marked
from tests.peers.witness import OUT_OF_SIGHT, POINTS, Witness
from tests.simulator import Simulator
from tests.simulator.likeness import SHOWN, UNOBSERVED, Likeness
from tests.simulator.versions import DEFAULT
from tests.simulator.worlds import WORLDS

#: How a world needs the server to be, so that its question arises at all.
NEEDS: Mapping[str, dict[str, Any]] = {
    "old-api": {"vcenter": "6.7"},
}
#: Which show themselves at /rest only, or with an answer that is described there only.
IN_REST = ("old-api", "rest-empty-list", "rest-error-type", "meanwhile")
#: What a witness, who has no time and no other account, cannot tell from the value beside it.
ALIKE = {("client-token", "for-a-time"): "for-good", ("ova-preview", "long-unavailable"): "unavailable"}
CELLS = {
    f"{world.name}={value}": (world.name, value)
    for world in WORLDS.values()
    if world.name not in OUT_OF_SIGHT
    for value in world.values
}


def see(point: str, dialect: str, folder: Path, url: str = "", **server: Any) -> str:
    worlds = {"arrival": "with-its-answer", **server.pop("worlds", {})}
    with Simulator(settle=0.2, worlds=worlds, **server) as sim:
        witness = Witness(sim, dialect, folder, url, patience=2)
        return witness.look(POINTS[point])


@pytest.mark.parametrize(("world", "value"), marked(CELLS.items(), lambda _cell: None))
def test_each_world_is_seen(world: str, value: str, https: str, tmp_path: Path) -> None:
    dialect = "rest" if world in IN_REST else "api"
    server = {"vcenter": DEFAULT, **NEEDS.get(world, {}), "worlds": {world: value}}
    assert see(world, dialect, tmp_path, https, **server) == ALIKE.get((world, value), value)


FACTS_SEEN = {
    f"{fact}={word}": (fact, word) for fact, words in SHOWN.items() if fact not in OUT_OF_SIGHT for word in words
}


@pytest.mark.parametrize(("fact", "word"), marked(FACTS_SEEN.items(), lambda _cell: None))
def test_each_word_for_a_fact_is_seen(fact: str, word: str, https: str, tmp_path: Path) -> None:
    dialect = "rest" if fact in IN_REST or word == "rest-only" else "api"
    shows = {"probe_answer": "both"} if fact == "certificate-as-pin" else {}
    like = Likeness(DEFAULT, deviations={**SHOWN[fact][word], **shows})
    assert see(fact, dialect, tmp_path, https, like=like) == word


def test_all_but_what_is_out_of_sight_is_looked_at() -> None:
    assert set(POINTS) == {*WORLDS, *SHOWN} - set(OUT_OF_SIGHT)


def test_a_server_that_does_not_get_that_far_shows_nothing(tmp_path: Path) -> None:
    assert see("arrival", "api", tmp_path, worlds={"pushed-file": "stays-waiting"}) == UNOBSERVED
