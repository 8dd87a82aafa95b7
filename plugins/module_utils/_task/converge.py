# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task reaches its declared state: read, plan, stop in check mode or apply, read again; undo on failure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol, TypeVar

from .._vcenter.connection import Connection
from .._vcenter.errors import ContentError, failure
from .._vcenter.timing import Clock
from .progress import Progress

StateT = TypeVar("StateT")
PlanT = TypeVar("PlanT")


class Overtaken(Exception):
    """Somebody else has changed what the task read, so it must read again.

    If this happens twice, `error` is raised; with `patient=True` the task keeps trying.
    """

    def __init__(self, error: ContentError, *, patient: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.patient = patient


class Resource(Protocol[StateT, PlanT]):
    """What a module must provide for `converge`; StateT and PlanT are frozen dataclasses."""

    def read(self) -> StateT:
        """The state that is there now."""

    def plan(self, before: StateT) -> PlanT:
        """The changes to make; asks no server."""

    def project(self, state: StateT) -> Mapping[str, Any]:
        """The part of a state that counts as a difference."""

    def expect(self, plan: PlanT) -> Mapping[str, Any]:
        """The projection of the state that the plan will reach."""

    def apply(self, plan: PlanT) -> StateT:
        """Carry out the plan; returns the state that is there then."""

    def result(self, state: StateT) -> dict[str, Any]:
        """What the task returns."""


@dataclass
class Task:
    """What the work of a module may use: the connection, the clock, warnings, the progress, and undo on failure.

    Within `shield()` a signal waits, so a task can create something and register its undo with no signal in between.
    `so_far` returns the result of a task that fails or is ended; it is called when everything is undone. `take_step`
    runs one undo. If a second signal cuts it, it runs once more, to say what is left.
    """

    connection: Connection
    clock: Clock
    warn: Callable[[str], None]
    shield: Callable[[], AbstractContextManager[None]]
    progress: Progress = field(default_factory=Progress)
    undo: list[Callable[[], str]] = field(default_factory=list)
    so_far: Callable[[], Mapping[str, Any]] = dict
    take_step: Callable[[Callable[[], str]], str] = lambda step: step()

    def on_failure(self, undo: Callable[[], str]) -> None:
        """Register an undo for the case of failure; the last one runs first. `undo` returns a note for the message."""
        self.undo.append(undo)

    def undo_all(self, error: ContentError) -> None:
        """Undo everything, and add to the failure what was undone, what could not be, and the result so far."""
        while self.undo:
            try:
                said = self.take_step(self.undo.pop())
                error.notes.extend([said] if said else [])
            except Exception as failed:  # noqa: BLE001 (one failed undo must not stop the others)
                error.notes.append(f"Clean-up failed: {failure(failed)['msg']}")
        error.result = {**error.result, **self.so_far()}


def converge(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Read, plan, and outside check mode apply; `changed` and the diff compare projections, never status codes.

    A task that somebody overtakes starts again once, and as often as needed while it is patient.
    """
    times = 0
    while True:
        try:
            return _converge_once(resource, check_mode=check_mode, diff_mode=diff_mode)
        except Overtaken as overtaken:
            times += 1
            if times > 1 and not overtaken.patient:
                raise overtaken.error from None


def _converge_once(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    before = resource.read()
    plan = resource.plan(before)
    old, new = resource.project(before), resource.expect(plan)
    if old == new:
        after = before if check_mode else resource.apply(plan)
    elif check_mode:
        after = before
    else:
        after = resource.apply(plan)
        new = resource.project(after)
    outcome = {"changed": old != new, **resource.result(after)}
    if diff_mode:
        outcome["diff"] = {"before": old, "after": new}
    return outcome
