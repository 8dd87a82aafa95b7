# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A trial that is ended takes away what it made. What a killed one left, a later one does, and touches nothing else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._check.marks import new_marks
from tests.harness.modules import connection_args, finish_module, run_module
from tests.harness.nursery import ForkedModule, fork_module
from tests.harness.samples import marked
from tests.harness.tasks import CHECK
from tests.harness.trials import HOUR, MARK, PAUSES, TRIAL, MovedClock, items, sessions
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, Store, UserSeed
from tests.simulator.seed import ADMINISTRATOR

OTHER_USER = "publisher@vsphere.local"
SEED = replace(Seed(), users=(UserSeed(ADMINISTRATOR), UserSeed(OTHER_USER)))
#: Where the server stands still until the trial is dead, as `tests.simulator.faults` writes it.
POINTS = {
    "item-created-unanswered": "POST:*/library/item?client_token*:1:hold-answer",
    "session-created-unanswered": "POST:*/update-session?client_token*:1:hold-answer",
    "image-half-sent": "PUT:*check.iso:1:hold/50",
    "completion-unanswered": "POST:*action=complete:2:hold-answer",
    "session-failed": "POST:*action=fail:1:hold-answer",
    "download-created-unanswered": "POST:*/download-session?client_token*:1:hold-answer",
    "image-half-fetched": "GET:/cls/data/*check.iso:2:hold/50",
    "descriptor-unanswered": "PUT:*check.ovf:1:hold-answer",
    "disk-half-sent": "PUT:*check-disk1.vmdk:2:hold/50",
    "ova-unanswered": "PUT:*check.ova:1:hold-answer",
    "deletion": "DELETE:*/library/item/*:2:hold",
}


@pytest.fixture
def quick() -> dict[str, float]:
    return dict(PAUSES)


@pytest.fixture(scope="module")
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="module")
def running(clock: MovedClock) -> Iterator[Simulator]:
    # No session expires by itself: only the next trial ends what the killed one has left.
    with Simulator(settle=0, clock=clock, session_timeout=100 * HOUR) as sim:
        yield sim


@pytest.fixture
def place(running: Simulator) -> Simulator:
    """A library in which another user is at work."""
    running.reset(SEED)
    running.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), user=OTHER_USER))
    running.run(lambda store: store.seed_download_session(store.find_item_id("templates", "rocky9"), user=OTHER_USER))
    return running


def args(sim: Simulator) -> dict[str, Any]:
    return {**connection_args(sim), **TRIAL, "api_dialect": "api"}


def stopped_at(sim: Simulator, hold: str) -> ForkedModule:
    """A trial for which the server stands still at a point."""
    sim.inject(hold)
    process = fork_module(CHECK, args(sim))
    assert sim.wait_until_held(), hold
    return process


def contents(sim: Simulator) -> dict[str, tuple[str, ...]]:
    def files(store: Store) -> dict[str, tuple[str, ...]]:
        return {item.name: tuple(item.files) for item in store.catalog.items.values()}

    return sim.run(files)


@pytest.mark.process
@pytest.mark.parametrize("name", marked([(name, (name,)) for name in POINTS], bool, one_in=3))
def test_what_a_killed_trial_left_goes_after_an_hour_and_nothing_else(
    name: str, place: Simulator, clock: MovedClock
) -> None:
    before = (items(place), sessions(place), contents(place))
    process = stopped_at(place, POINTS[name])
    process.kill()
    process.wait()
    place.release()
    place.clear_faults()
    left = [item for item in items(place) if item.startswith(MARK)]
    assert len(left) == 1, "a trial has one item at a time"

    soon = run_module(CHECK, args(place))
    assert [entry["library_item"] for entry in soon.result["left"]] == left
    assert "not more than an hour old" in soon.result["left"][0]["why"]
    assert [item for item in items(place) if item.startswith(MARK)] == left

    clock.pass_time(HOUR + 60)
    later = run_module(CHECK, args(place))
    assert later.result["left"] == []
    assert left[0] in [entry["library_item"] for entry in later.result["taken_away"]]
    assert (items(place), sessions(place), contents(place)) == before


@pytest.mark.process
@pytest.mark.parametrize("name", marked([(name, (name,)) for name in POINTS], bool, one_in=3))
def test_a_trial_that_is_ended_takes_away_what_it_made(name: str, place: Simulator) -> None:
    before = (items(place), sessions(place))
    process = stopped_at(place, POINTS[name])
    process.send_signal(signal.SIGTERM)
    place.release()
    ended = finish_module(process)
    assert (ended.rc, ended.result["error"]["type"]) == (1, "CANCELED"), ended.result
    assert (items(place), sessions(place)) == before
    assert "Traceback" not in ended.stdout


def of_trial(sim: Simulator, hours: float, **changes: Any) -> ItemSeed:
    """An item as a trial makes one, so many hours ago, with some changes."""
    began = sim.run(lambda store: store.calendar.date(store.calendar.clock() - hours * HOUR))
    marks = new_marks(began)
    stamp = began.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return replace(
        ItemSeed(marks.name("iso"), "iso", {"check.iso": b"x"}, description=marks.description, created=stamp),
        **changes,
    )


def test_only_what_has_both_marks_no_other_file_and_an_hour_is_deleted(place: Simulator) -> None:
    old, other = of_trial(place, 2), of_trial(place, 3)
    stay = {
        "young": of_trial(place, 0.9),
        "no-description": of_trial(place, 2, description=""),
        "description-of-another": of_trial(place, 2, description=other.description),
        "foreign-file": of_trial(place, 2, files={"check.iso": b"x", "diary.iso": b"y"}),
        "created-later": of_trial(place, 2, created=""),
        "template": of_trial(place, 2, type="vm-template"),
        "like-one": of_trial(place, 2, name=f"{MARK}of-mine"),
        "foreign-session": of_trial(place, 4),
        "named-otherwise": of_trial(place, 2, name="tools"),
    }
    library = LibrarySeed("templates", (old, *stay.values()))
    elsewhere = LibrarySeed("elsewhere", (other,))
    place.reset(replace(SEED, libraries=(library, elsewhere)))
    busy = place.run(lambda store: store.find_item_id("templates", stay["foreign-session"].name))
    session = place.run(lambda store: store.seed_update_session(busy, files={"mine.iso": b"content"}))

    ran = run_module(CHECK, args(place))
    assert ran.rc == 0, ran.result
    assert items(place) == sorted([other.name, *(item.name for item in stay.values())])
    assert sessions(place) == {session: "ACTIVE"}
    assert [old.name] == [
        entry["library_item"] for entry in ran.result["taken_away"] if entry["why"] == "an earlier trial left it"
    ]
    why = {entry["library_item"]: entry["why"] for entry in ran.result["left"]}
    assert set(why) == {item.name for name, item in stay.items() if name != "named-otherwise"}
    assert "an hour" in why[stay["young"].name]
    assert "an hour" in why[stay["created-later"].name]
    assert "marks" in why[stay["no-description"].name]
    assert "file that no trial has made" in why[stay["foreign-file"].name]
    assert "file that no trial has made" in why[stay["foreign-session"].name]
