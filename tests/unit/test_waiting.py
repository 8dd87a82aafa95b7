# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure part of how sessions live: the table of states is whole, and a wait ends when nothing moves any more."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import count
from typing import Any, Callable, cast

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._session.arrival import require_warning_behavior
from ansible_collections.vsphere.content.plugins.module_utils._session.keep_alive import Hold
from ansible_collections.vsphere.content.plugins.module_utils._session.states import UPDATE_STEPS, Step, choose_step
from ansible_collections.vsphere.content.plugins.module_utils._session.waiting import gather, wait_for
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import UpdateSessions
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import (
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    TimedOut,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.messages import LocalizableMessage
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import UpdateSession, WarningBehavior
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock, Timing
from ansible_collections.vsphere.content.plugins.modules.content_library_update_session import argument_spec
from tests.harness.clocks import NapClock
from tests.harness.waiting import SECONDS

PUBLISHED_STATES = ("ACTIVE", "DONE", "ERROR", "CANCELED")
UNKNOWN_STATE = "SUSPENDED"
TIMING = Timing()


@pytest.fixture
def fake() -> NapClock:
    return NapClock()


def wait(fake: NapClock, read: Callable[[], Any], **options: Any) -> Any:
    settings: dict[str, Any] = {
        "ready": lambda value: value == "ready",
        "signs": lambda value: value,
        "describe": lambda value: f"the last that was seen is {value}",
        "operation": "update_session.complete",
        "timeout": 60,
        "session_id": "session-1",
        **options,
    }
    return wait_for(read, clock=fake.clock, **settings)


def reading(values: Sequence[Any]) -> Callable[[], Any]:
    """Gives one value after the other, and then the last one for ever."""
    calls = count()
    return lambda: values[min(next(calls), len(values) - 1)]


def test_a_refusal_names_the_session_and_the_way_out() -> None:
    with pytest.raises(NotAllowedInCurrentState) as refused:
        choose_step("active", UpdateSession(id="session-1", state="DONE"))
    said = refused.value.explain()
    assert "session session-1 is DONE and cannot become ACTIVE" in said
    assert "name the item instead of session_id" in said
    assert refused.value.session_id == "session-1"


def test_the_table_has_a_row_for_each_state_that_can_be_declared_and_a_column_for_each_published_one() -> None:
    assert sorted(UPDATE_STEPS) == sorted(argument_spec()["state"]["choices"])
    for row in UPDATE_STEPS.values():
        assert set(row) == {None, *PUBLISHED_STATES}


@pytest.mark.parametrize("declared", sorted(set(UPDATE_STEPS) - {"absent"}))
def test_a_state_that_this_version_does_not_know_is_refused(declared: str) -> None:
    with pytest.raises(NotAllowedInCurrentState) as refused:
        choose_step(declared, UpdateSession(id="session-1", state=UNKNOWN_STATE))
    assert UNKNOWN_STATE in str(refused.value)
    assert "state: absent" in refused.value.explain()


def test_a_session_in_an_unknown_state_can_still_be_removed() -> None:
    assert choose_step("absent", UpdateSession(id="session-1", state=UNKNOWN_STATE)) is Step.CANCEL_AND_DELETE


def test_a_refusal_gives_the_reason_why_the_session_failed() -> None:
    reason = LocalizableMessage(id="why", default_message="The datastore is full.", localized="Der Datastore ist voll.")
    with pytest.raises(NotAllowedInCurrentState, match="Der Datastore ist voll"):
        choose_step("done", UpdateSession(id="session-1", state="ERROR", error_message=reason))


def test_what_is_ready_is_not_waited_for(fake: NapClock) -> None:
    assert wait(fake, reading(["ready"])) == "ready"
    assert fake.naps == []


def test_pauses_grow_up_to_a_limit_while_nothing_moves(fake: NapClock) -> None:
    wait(fake, reading(["busy"] * 12 + ["ready"]))
    assert fake.naps[0] == TIMING.first_pause
    assert fake.naps == sorted(fake.naps)
    assert fake.naps[-1] == TIMING.longest_pause


def test_pauses_start_small_again_after_progress(fake: NapClock) -> None:
    wait(fake, reading([*["busy"] * 8, "moved", "moved", "ready"]))
    assert fake.naps[7] == TIMING.longest_pause
    assert fake.naps[8] == TIMING.first_pause


def test_a_wait_ends_when_nothing_has_moved_for_the_time_out(fake: NapClock) -> None:
    with pytest.raises(TimedOut) as raised:
        wait(fake, reading(["stuck"]), timeout=30)
    assert fake.seconds == pytest.approx(30, abs=0.1)
    said = raised.value.explain()
    assert "no progress for 30 seconds (wait_timeout)" in said
    assert "the last that was seen is stuck" in said
    assert "raise wait_timeout" in said
    assert "complete the update session session-1" in said
    assert raised.value.error_type == "TIMED_OUT"
    assert raised.value.session_id == "session-1"


def test_the_deadline_moves_on_with_every_sign_of_progress(fake: NapClock) -> None:
    """Slower than the time-out as a whole, but never without a sign for that long."""
    started = [int(second / 20) for second in range(100)]

    def read() -> int:
        return started[min(int(fake.seconds), len(started) - 1)]

    assert wait(fake, read, ready=lambda value: value == 4, timeout=30) == 4
    assert fake.seconds > 60


def test_the_deadline_counts_from_the_last_sign(fake: NapClock) -> None:
    def read() -> str:
        return "first" if fake.seconds < 25 else "second"

    with pytest.raises(TimedOut, match="second"):
        wait(fake, read, timeout=30)
    assert 55 <= fake.seconds <= 55 + TIMING.longest_pause + 0.2


def test_what_changes_without_being_a_sign_does_not_move_the_deadline(fake: NapClock) -> None:
    numbers = count()
    with pytest.raises(TimedOut):
        wait(fake, lambda: next(numbers), ready=lambda _value: False, signs=lambda _value: "same", timeout=5)
    assert fake.seconds == pytest.approx(5, abs=0.1)


def test_what_became_ready_during_the_last_pause_is_no_time_out(fake: NapClock) -> None:
    def read() -> str:
        return "ready" if fake.seconds >= 30 else "busy"

    assert wait(fake, read, timeout=30) == "ready"


def test_what_the_read_raises_comes_through(fake: NapClock) -> None:
    def read() -> str:
        raise NotFound("the session has gone")

    with pytest.raises(NotFound, match="the session has gone"):
        wait(fake, read)


def test_gather_keeps_the_order_of_the_keys_whoever_answers_first() -> None:
    last_is_read = threading.Event()

    def read(key: int) -> int:
        if key == 4:
            last_is_read.set()
        assert key or last_is_read.wait(SECONDS)
        return key * 10

    assert gather(read, range(5), 5) == [0, 10, 20, 30, 40]


def test_gather_leaves_out_what_has_gone_and_nothing_else() -> None:
    def read(key: str) -> str:
        if key == "gone":
            raise NotFound("it has gone")
        return key

    assert gather(read, ["a", "gone", "b", "gone"], 2) == ["a", "b"]


def test_gather_raises_what_is_more_than_a_thing_that_has_gone() -> None:
    def read(key: str) -> str:
        raise InvalidResponse(f"{key} is no answer")

    with pytest.raises(InvalidResponse, match="first is no answer"):
        gather(read, ["first", "second"], 2)


def test_gather_reads_several_at_a_time_but_not_all() -> None:
    readers, lock, running, most = 4, threading.Lock(), [0], [0]
    all_are_there = threading.Barrier(readers)

    def read(key: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        # One that were to read all by itself would wait here in vain.
        all_are_there.wait(SECONDS)
        with lock:
            running[0] -= 1
        return key

    assert gather(read, range(3 * readers), readers) == list(range(3 * readers))
    assert most[0] == readers


def test_nothing_that_goes_wrong_with_a_sign_of_life_shows_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """A defect is no reason to stop either: the next one may go well."""
    alive = threading.Event()
    tries = count()

    class Refusing(UpdateSessions):
        def keep_alive(self, _session_id: str, _progress: int | None = None) -> None:
            if next(tries) == 0:
                raise RuntimeError("a wrong turn")
            alive.set()

    session = UpdateSession(id="session-1", state="ACTIVE")
    updates = Refusing(cast(Any, None))
    hold = Hold(updates, "session-1", "update_session.file.put", Clock())
    with hold.kept_alive(session, server_time=None, at_most=0.01, progress=lambda: 50):
        assert alive.wait(5)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "held",
    [
        [("EXPIRED_CERTIFICATE", True), ("UNTRUSTED_CERTIFICATE", True)],
        [("UNTRUSTED_CERTIFICATE", True), ("EXPIRED_CERTIFICATE", True), ("EXPIRED_CERTIFICATE", True)],
        [("UNTRUSTED_CERTIFICATE", True), ("SELF_SIGNED_CERTIFICATE", False), ("EXPIRED_CERTIFICATE", True)],
    ],
    ids=["same", "other-order-and-twice", "explicit-false"],
)
def test_warning_behavior_is_compared_by_what_is_ignored(held: list[tuple[str, bool]]) -> None:
    behavior = tuple(WarningBehavior(type=kind, ignored=ignored) for kind, ignored in held)
    session = UpdateSession(id="session-1", state="ACTIVE", warning_behavior=behavior)
    require_warning_behavior(session, ["UNTRUSTED_CERTIFICATE", "EXPIRED_CERTIFICATE"])


@pytest.mark.parametrize(
    "held", [None, (), (WarningBehavior(type="EXPIRED_CERTIFICATE", ignored=True),)], ids=["none", "empty", "another"]
)
def test_a_warning_behavior_that_was_not_taken_is_an_error(held: tuple[WarningBehavior, ...] | None) -> None:
    session = UpdateSession(id="session-1", state="ACTIVE", warning_behavior=held)
    with pytest.raises(InvalidResponse) as raised:
        require_warning_behavior(session, ["UNTRUSTED_CERTIFICATE"])
    assert "declared is UNTRUSTED_CERTIFICATE" in str(raised.value)
    assert raised.value.session_id == "session-1"
