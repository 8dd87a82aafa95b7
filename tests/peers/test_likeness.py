# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator that is like the report of vcsim does what vcsim does, as a witness sees it who knows nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.modules import connection_args, run_module
from tests.peers.programs import Govc, Vcsim
from tests.peers.witness import Witness
from tests.simulator.likeness import OTHER, UNOBSERVED
from tools.measured import simulator

NO_PREVIEW = "it has no previews"
#: The points of which vcsim shows nothing, or something that nobody has a word for. The witness must agree.
UNSHOWN: Mapping[str, str] = {
    "authentication-required-id": "it refuses a request without a login by the status alone",
    "rest-error-type": "it says in plain text that there is no such session",
    "busy-text": "it takes two sessions on one item",
    "client-token": "it does not know client tokens",
    "ready-file": "it never says that it has received a pushed file",
    "item-version-stays": "its items have no version",
    "meanwhile": "it does nothing during a completion",
    "cancel-meanwhile": "it does nothing during a completion",
    "verification": "it says nothing of the signature of an item",
    "untrusted-source": "it trusts every source",
    "certificate-as-pin": "its probe shows no certificate that could be given back",
    "ova-from-url": "the file that is fetched here is an image",
    "unprivileged-creation": "its only user may do everything",
    "token-idle": "it takes longer than a test",
    **dict.fromkeys(
        (
            "chain-is-base64",
            "iso-preview",
            "ova-preview",
            "self-signed-raises-two-warnings",
            "unignored-warning",
            "warning-texts",
            "x509",
        ),
        NO_PREVIEW,
    ),
}
#: Points at which vcsim does now one thing and now another.
BY_CHANCE: Mapping[str, str] = {"completion": "another thread sets the state, before or after the answer is read"}


@pytest.fixture
def quick() -> dict[str, float]:
    # vcsim never says of a file that it was received.
    return {"silent_file": 0.2, "trial_wait": 2.0, "trial_hang": 0.5}


@pytest.mark.rest
def test_a_simulator_like_the_report_of_vcsim_does_what_vcsim_does(
    vcsim: Vcsim, programs: Path, https: str, tmp_path: Path
) -> None:
    Govc(programs, vcsim, tmp_path)("library.create", "templates")
    report = tmp_path / "report.json"
    trial = {"libraries": ["templates"], "trial": True, "url": https, "report": str(report)}
    ran = run_module("content_library_check", {**connection_args(vcsim), **trial})
    assert ran.rc == 0, ran.result
    told: dict[str, str] = json.loads(report.read_text(encoding="utf-8"))["observations"]

    theirs = Witness(vcsim, "rest", tmp_path, https, patience=0.5).see()
    with simulator(tmp_path, {}, "--like", str(report)) as running:
        ours = Witness(running, "rest", tmp_path, https, patience=0.5).see()

    seen = {name: (told[name], theirs.get(name), ours.get(name)) for name in told if name not in {*UNSHOWN, *BY_CHANCE}}
    assert {name: each for name, each in seen.items() if each[0] == UNOBSERVED} == {}
    assert {name: each for name, each in seen.items() if len(set(each)) > 1} == {}
    shown = [name for name in UNSHOWN if theirs.get(name, UNOBSERVED) not in (UNOBSERVED, OTHER)]
    assert shown == [], "the list is to be shortened"
