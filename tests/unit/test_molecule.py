# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the molecule scenarios are run: from nothing, on the servers that there are, and with no server left behind."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.harness.checkout import CACHE
from tools.molecule import FORGET, STOP, TEST, play


class Runs:
    """Stands where commands are run; those that `failing` names fail."""

    def __init__(self, *failing: list[str]) -> None:
        self.failing = failing
        self.ran: list[list[str]] = []
        self.settings: Mapping[str, str] = {}

    def __call__(self, command: list[str], settings: Mapping[str, str]) -> int:
        self.ran.append(command)
        self.settings = settings
        return int(command in self.failing)


@pytest.mark.parametrize(
    ("failing", "ran", "well"),
    [
        ([], [FORGET, TEST], True),
        ([TEST], [FORGET, TEST, STOP], False),
        ([FORGET], [FORGET], False),
    ],
)
def test_what_is_run(failing: list[list[str]], ran: list[list[str]], well: bool) -> None:
    runs = Runs(*failing)
    assert play(runs, {}, with_vcsim=True) is well
    assert runs.ran == ran


@pytest.mark.parametrize(("with_vcsim", "servers"), [(True, "all"), (False, "simulators")])
def test_on_which_servers(with_vcsim: bool, servers: str) -> None:
    runs = Runs()
    play(runs, {"PATH": "/usr/bin"}, with_vcsim=with_vcsim)
    assert (runs.settings["VCENTERS"], runs.settings["PATH"]) == (servers, "/usr/bin")
    assert runs.settings["MOLECULE_EPHEMERAL_DIRECTORY"].startswith(str(CACHE))
