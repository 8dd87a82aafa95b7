# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios: on which servers they run, and how each run starts without the leftovers of the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.harness.checkout import CACHE
from tests.peers.binaries import Unavailable, build

Run = Callable[[list[str], Mapping[str, str]], int]

#: Otherwise molecule uses the state of its instances from an earlier run, even from one that was broken off.
FORGET = ["molecule", "reset", "--scenario-name", "default"]
TEST = ["molecule", "test", "--all"]
#: If a scenario's own clean-up fails, molecule leaves the servers running.
STOP = ["molecule", "destroy", "--scenario-name", "default"]


def what_is_missing() -> list[str]:
    """Build vcsim, or say why the scenarios run without it."""
    try:
        build()
    except Unavailable as error:
        return [f"left out: the scenarios on vcsim; {error}"]
    return []


def play(run: Run, env: Mapping[str, str], *, with_vcsim: bool) -> bool:
    """Run all scenarios; returns whether all succeeded."""
    settings = {
        **env,
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CACHE / "molecule" / "run"),
        "VCENTERS": "all" if with_vcsim else "simulators",
    }
    if run(FORGET, settings):
        return False
    if run(TEST, settings):
        run(STOP, settings)
        return False
    return True
