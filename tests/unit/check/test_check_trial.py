# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a trial observes: exactly the switches of a simulator that were set, and nothing stays of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock
from tests.harness.modules import connection_args, paced, pauses, run_module
from tests.harness.packages import make_iso, make_ova, make_package
from tests.harness.samples import marked, waiting
from tests.harness.servers import CannedServer, Identity, Received, Reply
from tests.harness.tasks import CHECK, Run, Tasks
from tests.harness.trials import (
    SEEN_ON_ITS_WAY,
    TRIAL,
    MovedClock,
    TimedSimulator,
    in_step,
    items,
    odd,
    seen,
    sessions,
)
from tests.simulator import LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES
from tests.simulator.versions import VERSIONS
from tests.simulator.worlds import WORLDS

UPDATING = "ContentLibrary.UpdateSession"
#: The points by which a vCenter of a version differs from what is known, besides those that only a fetch shows.
OF_VERSION: Mapping[str, Mapping[str, str]] = {
    "6.7": {
        "two-dialects": "rest-only",
        "authentication-required-id": "old-id",
        "challenge-in-refused-login": "absent",
        "rest-error-type": "outside-only",
        "probe-exists": "not-found",
        "session-id": "left-out",
        "patch-changes-warnings-only": "not-found",
        "preview-while-active": "absent",
    },
    "7.0": {"session-ids": "one-part"},
    "8.0": {},
    "9.0": {"session-ids": "one-part"},
}
OF_FETCH = {"probe-answer", "pin", "untrusted-source", "certificate-as-pin", "ova-from-url", "pull-stays-active"}
#: A point that no trial waits for, and those that need an account, a source or a time of their own: see below.
NEVER = {"token-idle"}
BY_ITSELF = {"old-api", "unprivileged-creation", "client-token", "probe-answer", "pin", "untrusted-source"}
#: What can be seen only while vCenter is at work on something.
ON_ITS_WAY = {"arrival", "completion", "meanwhile", "cancel-meanwhile", "ova-preview", "verification"}

ALONE = [
    (f"{world.name}={value}", ({world.name: value},))
    for world in WORLDS.values()
    if world.name not in NEVER | BY_ITSELF
    for value in world.values[1:]
]
#: Several at once, so that all are seen on each push; each pushed file must arrive for the rest to be seen.
TOGETHER: Mapping[str, Mapping[str, str]] = {
    "quick": {
        "ready-file": "checksum-later",
        "descriptor-entries": "none",
        "x509": "base64",
        "warning-texts": "named",
        "reading-extends": "yes",
        "put-answer": "201",
        "iso-preview": "absent",
        "ova-members": "dropped",
        "client-token": "until-deletion",
        "unignored-warning": "refuses",
        "endpoint-name": "as-asked",
        "busy-text": "session",
        "item-names": "refused",
        "download-address": "outlives-it",
        "range": "ignored",
        "session-id": "left-out",
        "rest-empty-list": "null",
        "session-ids": "one-part",
    },
    "slow": {
        "ready-file": "checked-again",
        "x509": "none",
        "put-answer": "204",
        "iso-preview": "not-applicable",
        "ova-preview": "unavailable",
        "cancel-meanwhile": "refused",
        "verification": "later",
        "meanwhile": "busy",
        "rest-empty-list": "{}",
    },
    "slower": {"arrival": "later", "completion": "at-once", "meanwhile": "accepted", "ready-file": "size-later"},
}


def server(settle: float, **options: Any) -> TimedSimulator:
    worlds = {"arrival": "with-its-answer", **options.pop("worlds", {})}
    return TimedSimulator(settle=settle, worlds=worlds, **options)


def try_out(sim: Simulator, dialect: str = "auto", clock: Clock | None = None, **options: Any) -> dict[str, Any]:
    """Run a trial that takes away all that it makes; returns its result."""
    before, open_before = items(sim), sessions(sim)
    own = in_step(sim) if isinstance(sim, TimedSimulator) else None
    with paced(clock or own):
        ran = run_module(CHECK, {**connection_args(sim), "api_dialect": dialect, **TRIAL, **options})
    assert ran.rc == 0, ran.result
    assert (items(sim), sessions(sim)) == (before, open_before)
    assert ran.result["left"] == []
    assert sim.run(lambda store: store.logins.count) == 0
    return ran.result


def in_world(worlds: Mapping[str, str]) -> dict[str, Any]:
    settle = SEEN_ON_ITS_WAY if set(worlds) & ON_ITS_WAY else 0.0
    # No description of /api has this answer to a completion.
    dialect = "rest" if worlds.get("meanwhile") == "busy" else "auto"
    with server(settle, worlds=worlds) as sim:
        return try_out(sim, dialect)


@pytest.mark.parametrize("name", ["quick", "slow", pytest.param("slower", marks=pytest.mark.rest)])
def test_the_worlds_that_were_set_are_named_and_no_others(name: str) -> None:
    result = in_world(TOGETHER[name])
    assert odd(result) == TOGETHER[name]
    assert {entry["world"] for entry in result["observations"]} - {None} == {
        f"{world}={value}" for world, value in TOGETHER[name].items()
    }
    assert result["usable"], [row for row in result["rows"] if row["verdict"] == "will_fail"]


@pytest.mark.parametrize("worlds", waiting([(name, values, False) for name, values in ALONE], one_in=3))
def test_each_world_alone_is_named_and_no_other(worlds: Mapping[str, str]) -> None:
    assert odd(in_world(worlds)) == worlds


def test_the_worlds_are_all_tried() -> None:
    tried = {pair for worlds in TOGETHER.values() for pair in worlds.items()}
    alone = {pair for _name, (worlds,) in ALONE for pair in worlds.items()}
    left = {("pushed-file", "stays-waiting"), ("meanwhile", "unexplained"), ("ova-preview", "long-unavailable")}
    assert alone - tried == left, "these are tried alone"


@pytest.mark.parametrize("vcenter", VERSIONS)
def test_each_version_is_told_by_what_it_does(vcenter: str) -> None:
    with server(0, vcenter=vcenter) as sim:
        result = try_out(sim)
    assert odd(result) == OF_VERSION[vcenter]
    (version,) = (row["found"] for row in result["rows"] if row["about"] == "version")
    assert version.startswith(vcenter)


def test_a_vcenter_as_known_shows_all_points_but_those_of_a_fetch(dialect: str) -> None:
    with server(SEEN_ON_ITS_WAY) as sim:
        result = try_out(sim, dialect)
    unseen = {entry["name"] for entry in result["observations"]} - set(seen(result))
    assert odd(result) == {}
    assert unseen == {"old-api", "unprivileged-creation", "client-token", *NEVER, *OF_FETCH}
    assert len(result["taken_away"]) == 3
    assert result["changed"]


@pytest.mark.parametrize("answer", WORLDS["old-api"].values)
def test_what_a_vcenter_without_api_answers(answer: str) -> None:
    with server(0, vcenter="6.7", worlds={"old-api": answer}) as sim:
        run = run_module(CHECK, connection_args(sim))
    assert seen(run.result)["old-api"] == answer


@pytest.mark.parametrize("answer", ["empty", pytest.param("refused", marks=pytest.mark.rest)])
def test_an_account_that_may_create_items_but_no_sessions(answer: str, sim: Simulator) -> None:
    users = (UserSeed(ADMINISTRATOR, privileges=tuple(name for name in PRIVILEGES if name != UPDATING)),)
    sim.reset(Seed(users=users, unprivileged_creation=answer))
    result = try_out(sim)
    assert seen(result)["unprivileged-creation"] == answer
    assert not result["usable"]
    failing = {row["about"]: row["remedy"] for row in result["rows"] if row["verdict"] == "will_fail"}
    assert UPDATING in failing["trial: an image"]


def test_an_account_that_may_only_read(sim: Simulator) -> None:
    sim.reset(Seed(users=(UserSeed(ADMINISTRATOR, privileges=()),)))
    result = try_out(sim)
    assert (result["usable"], result["changed"], result["taken_away"]) == (False, False, [])


def test_files_that_never_arrive_are_told(sim: Simulator) -> None:
    sim.reset(Seed(lost_puts=True))
    with paced(trial_wait=0.2, silent_file=0.1, preview_unavailable=0.1):
        result = try_out(sim)
    assert odd(result) == {"pushed-file": "stays-waiting"}
    assert not result["usable"]


class Sources:
    """A mirror with an image, a package as OVA, and one that vCenter trusts or not."""

    def __init__(self, folder: Path) -> None:
        image = make_iso(folder / "x.iso", 5000).read_bytes()
        package = make_package(folder / "package", disks=1, disk_bytes=9000)
        self._files = {"/x.iso": image, "/x.ova": make_ova(package, folder / "x.ova").read_bytes()}

    def __call__(self, request: Received) -> Reply:
        held = self._files.get(request.path)
        return Reply(404) if held is None else Reply(200, held)


@pytest.fixture
def mirror(tmp_path: Path, identity: Identity) -> Iterator[CannedServer]:
    with CannedServer(Sources(tmp_path), identity=identity) as running:
        yield running


FETCHED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    "as-known": ({}, {}),
    "9.0": (
        {"vcenter": "9.0"},
        {"session-ids": "one-part", "probe-answer": "both", "pin": "sha256", "untrusted-source": "refused"},
    ),
    "refused": ({"worlds": {"untrusted-source": "refused"}}, {"untrusted-source": "refused"}),
    "certificate": ({"worlds": {"probe-answer": "certificate"}}, {"probe-answer": "certificate"}),
    "both": ({"worlds": {"probe-answer": "both"}}, {"probe-answer": "both"}),
    "sha256": ({"worlds": {"pin": "sha256"}}, {"pin": "sha256"}),
}


@pytest.mark.parametrize("name", marked([(name, (name,)) for name in FETCHED], bool))
def test_how_a_vcenter_fetches(name: str, mirror: CannedServer) -> None:
    options, expected = FETCHED[name]
    with server(0, **options) as sim:
        result = try_out(sim, url=f"https://localhost:{mirror.port}/x.iso")
    found = odd(result)
    # A vCenter before 9.0 does not know the field by which a certificate pins, which is the fact.
    assert found.pop("certificate-as-pin", None) in (None, "refused")
    assert found == expected
    assert seen(result)["probe-answer"]


@pytest.mark.rest
def test_a_package_that_is_fetched(mirror: CannedServer, identity: Identity) -> None:
    for taken in (True, False):
        trusted = (Path(identity.ca_path).read_text(encoding="utf-8"),)
        with Simulator(settle=0, seed=Seed(ova_from_url=taken, trusted_roots=trusted)) as sim:
            result = try_out(sim, url=f"https://localhost:{mirror.port}/x.ova")
        assert seen(result)["ova-from-url"] == ("taken" if taken else "refused")


@pytest.mark.parametrize("url", ["ds:///vmfs/volumes/a/b.iso", "x.iso", "https://mirror/x.ovf"])
def test_what_no_trial_fetches_is_refused(one: Tasks, url: str) -> None:
    run = one.run(CHECK, **TRIAL, url=url)
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert run.exchanges == ()


@pytest.mark.parametrize("memory", marked([(each, (each,)) for each in WORLDS["client-token"].values], bool))
def test_a_slow_trial_tells_how_long_a_token_counts(memory: str) -> None:
    clock = MovedClock()

    def sleep(seconds: float) -> None:
        clock.pass_time(seconds if seconds > 60 else 0)

    with server(0, clock=clock, worlds={"client-token": memory}) as sim:
        result = try_out(sim, clock=Clock(clock, sleep, pauses()), slow=True)
    assert seen(result)["client-token"] == memory
    assert seen(result)["sessions-expire"] == "five-minutes"


REFUSED = {
    "mirror": "subscribes to another one",
    "public": "is published, so others would get what the trial makes",
}


@pytest.mark.parametrize("library", REFUSED)
def test_a_library_of_others_is_refused(one: Tasks, library: str) -> None:
    seed = Seed()
    one.sim.reset(replace(seed, libraries=(*seed.libraries, LibrarySeed("public", published=True))))
    run: Run = one.run(CHECK, libraries=[library], trial=True)
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert REFUSED[library] in run.msg
    assert run.mutations == []


def test_check_mode_reads_and_says_that_it_tries_nothing(one: Tasks) -> None:
    run = one.run(CHECK, check=True, **TRIAL)
    assert (run.failed, run.changed, run.mutations) == (False, False, [])
    assert run.result["rows"][-1] == {
        "about": "trial",
        "found": "it is not run in check mode",
        "verdict": "ok",
        "remedy": None,
    }


def test_a_trial_at_a_vcenter_that_is_down_says_so(one: Tasks) -> None:
    one.sim.inject("*:*:*:reset")
    result = one.run(CHECK, **TRIAL).result
    assert (result["usable"], result["changed"], result["rows"][-1]["about"]) == (False, False, "trial")


def test_what_cannot_be_taken_away_fails_the_task_and_is_named(one: Tasks) -> None:
    one.sim.inject("DELETE:*/library/item/*:*:503")
    run = one.run(CHECK, **TRIAL)
    (name,) = (name for name in items(one.sim) if name.startswith("vsphere-content-check-"))
    assert run.failed
    assert name in run.msg
    assert [entry["library_item"] for entry in run.result["left"]] == [name]
    assert run.result["rows"], "what was seen is returned all the same"
    assert "ACTIVE" not in sessions(one.sim).values()


#: At every so many-th request of a trial something fails, once.
STRIDE = 16


@pytest.mark.parametrize(
    "fault", waiting([(fault, (fault,), False) for fault in ("reset", "500", "truncate", "unauthenticated")], one_in=4)
)
def test_whatever_request_fails_the_trial_leaves_nothing(fault: str) -> None:
    with server(0) as sim, paced(trial_wait=0.3, first_request_pause=0.01, preview_unavailable=0.2, silent_file=0.1):
        try_out(sim)
        for number in range(1, len(sim.exchanges), STRIDE):
            sim.reset()
            sim.inject(f"*:*:{number}:{fault}")
            try_out(sim)
