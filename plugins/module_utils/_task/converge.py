# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task brings about what it declares: read, plan, stop in check mode or apply, read again; undo on failure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol, TypeVar

from .._vcenter.connection import Connection
from .._vcenter.errors import ContentError, failure
from .progress import Progress

StateT = TypeVar("StateT")
PlanT = TypeVar("PlanT")


class Overtaken(Exception):
    """Somebody else has changed meanwhile what was read, which is to be read again.

    C(error) is for a second time, unless the task is C(patient) with others then.
    """

    def __init__(self, error: ContentError, *, patient: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.patient = patient


class Resource(Protocol[StateT, PlanT]):
    """What a module that declares something brings along; StateT and PlanT are frozen dataclasses."""

    def read(self) -> StateT:
        """What is there."""

    def plan(self, before: StateT) -> PlanT:
        """What has to be done; without asking the server."""

    def project(self, state: StateT) -> Mapping[str, Any]:
        """The part of a state that counts as a difference."""

    def expect(self, plan: PlanT) -> Mapping[str, Any]:
        """That part as the plan will leave it."""

    def apply(self, plan: PlanT) -> StateT:
        """Do it; returns what is there then."""

    def result(self, state: StateT) -> dict[str, Any]:
        """What the task returns."""


@dataclass
class Task:
    """What the work of a module may use: the connection, what to undo on failure, words for the result, and an account
    of what moves.

    Within C(shield()) a signal waits: what is made there and noted for what C(on_failure) undoes cannot be lost in
    between. C(so_far) is what a task that fails, or is ended, can return all the same; it is asked for when all is
    undone. C(take_step) takes a step of that, again if a second signal has cut it, as then it says what is left.
    """

    connection: Connection
    warn: Callable[[str], None]
    shield: Callable[[], AbstractContextManager[None]]
    progress: Progress = field(default_factory=Progress)
    undo: list[Callable[[], str]] = field(default_factory=list)
    so_far: Callable[[], Mapping[str, Any]] = dict
    take_step: Callable[[Callable[[], str]], str] = lambda step: step()

    def on_failure(self, undo: Callable[[], str]) -> None:
        """Have something undone if the task fails, the last first; C(undo) returns what to say of it, if anything."""
        self.undo.append(undo)

    def undo_all(self, error: ContentError) -> None:
        """Undo what was done, noting in the failure what was and could not be undone, and what is left to return."""
        while self.undo:
            try:
                said = self.take_step(self.undo.pop())
                error.notes.extend([said] if said else [])
            except Exception as failed:  # noqa: BLE001 (what cannot be undone keeps nothing else from being undone)
                error.notes.append(f"Clean-up failed: {failure(failed)['msg']}")
        error.result = {**error.result, **self.so_far()}


def converge(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Read, plan, and outside check mode apply; C(changed) and the diff compare projections, never status codes.

    Who is overtaken by somebody else starts again, once, and as often as it takes while there is patience left.
    """
    times = 0
    while True:
        try:
            return _converge(resource, check_mode=check_mode, diff_mode=diff_mode)
        except Overtaken as overtaken:
            times += 1
            if times > 1 and not overtaken.patient:
                raise overtaken.error from None


def _converge(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
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
