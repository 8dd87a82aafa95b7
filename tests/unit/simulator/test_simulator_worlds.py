# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of vCenter, and the worlds in which an open question has one answer or the other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.simulator import Seed, Simulator
from tests.simulator.__main__ import main
from tests.simulator.versions import DEFAULT, VERSIONS, as_version
from tests.simulator.worlds import WORLDS, in_worlds, parse_worlds
from tests.unit.simulator.wire_client import Wire


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_the_default_of_a_world_is_the_default_of_the_seed(world: Any) -> None:
    assert in_worlds(Seed(), {world.name: world.default}) == Seed()
    others = [in_worlds(Seed(), {world.name: value}) for value in world.values[1:]]
    assert others
    assert Seed() not in others


def test_the_worlds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--worlds"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["name"]: set(entry) for entry in listed} == {
        name: {"name", "values", "default", "fact"} for name in WORLDS
    }
    assert all(entry["default"] in entry["values"] for entry in listed)


@pytest.mark.parametrize(
    ("text", "said"), [("range", "NAME=VALUE"), ("rnge=ignored", "meanwhile, range"), ("range=no", "honoured, ignored")]
)
def test_a_world_that_there_is_not_is_refused_with_those_that_there_are(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        in_worlds(Seed(), parse_worlds([text]))


def test_the_last_value_of_a_world_counts() -> None:
    assert parse_worlds(["range=ignored", "meanwhile=busy", "range=honoured"]) == {
        "range": "honoured",
        "meanwhile": "busy",
    }


def test_what_a_seed_says_outranks_the_version() -> None:
    assert as_version(Seed(), DEFAULT) == Seed()
    for version, changes in VERSIONS.items():
        assert as_version(Seed(), version) == replace(Seed(), **changes)
    assert as_version(Seed(thumbprints=("SHA1", "MD5")), "9.0").thumbprints == ("SHA1", "MD5")


def test_a_version_and_a_world_outlast_a_reset() -> None:
    with Simulator(vcenter="6.7", worlds={"rest-empty-list": "null"}) as sim:
        for _attempt in range(2):
            assert Wire(sim, "api", log_in=False).log_in(sim.username, sim.password).status_code == 404
            assert Wire(sim, "rest").list().json() == {"value": None}
            sim.reset()
