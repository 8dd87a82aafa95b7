# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cells of the fault matrix: a fault at a point of a task in a dialect, made to happen, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from tests.faults.expectations import EXPECTED, FAULTS, Expectation, can_happen, expected
from tests.faults.points import ITEM, LIBRARY, POINTS, TASKS, Kind, Point, Scene, Task
from tests.faults.proxy import FaultProxy, Misbehaviour
from tests.faults.secrets_canaries import Canaries
from tests.harness.modules import WITH_INVOCATION, ModuleResult, Server, connection_args, run_module
from tests.harness.tasks import DIALECTS
from tests.simulator import Seed, Simulator, Store
from tests.simulator.downloads import DownloadSession
from tests.simulator.seed import VIEWER
from tests.simulator.updates import UpdateSession
from tests.simulator.versions import DEFAULT, as_version

#: Faults of which it matters how much has passed before, where much passes.
PARTIAL = ("reset-during", "reset-in-answer")
#: Points after which a session that the task made is still ACTIVE if the server is gone.
HOLDERS = ("publish", "pull", "fetch", "clean-up", "fetch-clean-up")
#: What is not put back when the task fails, so that it counts as soon as it may have been done.
LASTING_CHANGES = ("item.create", "item.update", "item.delete")
#: Tasks that work on a session which they have found, and which stays.
ON_FOUND = ("warn", "take-out", "cancel", "fail", "remove", "remove-download")

DIALECT_OPERATIONS = {"update.": "update_session.", "download.": "download_session."}
RECEIVE = "update_session.file.receive"
DATA_OPERATIONS = {
    "data.put": "update_session.file.put",
    "data.get": "download_session.file.get_data",
    "probe": "update_session.file.probe",
}


@dataclass(frozen=True)
class Cell:
    """One fault at one point of a task, after `percent` of what passes there, with a vCenter of one version."""

    dialect: str
    point: Point
    fault_name: str
    percent: int = 50
    vcenter: str = DEFAULT

    @property
    def id(self) -> str:
        part = f"-{self.percent}" if len(_parts(self.point, self.fault_name)) > 1 else ""
        version = "" if self.vcenter == DEFAULT else f"{self.vcenter}-"
        return f"{version}{self.dialect}-{self.point.id}-{self.fault_name}{part}"

    @property
    def task(self) -> Task:
        return TASKS[self.point.task]

    @property
    def expected(self) -> Expectation:
        found = expected(self.fault_name, self.point)
        fails, where = self.task.fails, self.task.fails_in
        return replace(found, outcome=fails, operation=where) if fails else found

    @property
    def is_undone(self) -> bool:
        """Whether what met the fault failed, whatever comes of the task."""
        return expected(self.fault_name, self.point).fails

    def may_be_done(self, error: Mapping[str, Any]) -> bool:
        """Whether nobody can tell from an error what the server did with a change that stays."""
        unanswered = error["type"] in ("CONNECTION_FAILED", "TIMED_OUT", "INVALID_RESPONSE")
        stays = self.point.operation in LASTING_CHANGES or (
            self.point.task in ON_FOUND and self.point.kind in (Kind.CHANGE, Kind.REMOVE)
        )
        return stays and (unanswered or (error["status"] or 0) >= 500)

    @property
    def leaves_doubt(self) -> bool:
        """Whether nobody can tell if a session is being completed, so that it is left as it is."""
        return self.point.kind is Kind.COMPLETE and self.expected.outcome == "TIMED_OUT"

    @property
    def done_by_others(self) -> bool:
        """Whether somebody else does what the task is about to do: takes its session away."""
        return FAULTS[self.fault_name].kind == "act" and self.point.task in ON_FOUND

    @property
    def time_outs(self) -> dict[str, int]:
        """Short ones where they are what ends the task, as all that is waited for then is time."""
        found = {"request_timeout": 1} if FAULTS[self.fault_name].kind in ("silent", "stall") else {}
        waits = self.expected.operation == RECEIVE or self.point.kind in (Kind.COMPLETE, Kind.END)
        return {**found, "wait_timeout": 1} if waits and self.expected.outcome == "TIMED_OUT" else found

    @property
    def operation(self) -> str:
        """What a failure should name as having failed, in the words of the collection."""
        if self.expected.operation:
            return self.expected.operation
        name = DATA_OPERATIONS.get(self.point.operation, self.point.operation)
        for theirs, ours in DIALECT_OPERATIONS.items():
            name = name.replace(theirs, ours, 1) if name.startswith(theirs) else name
        return name

    @property
    def logins_left(self) -> int:
        """A login whose token was in a lost answer, or whose end never reached the server, ends by itself later."""
        fault = FAULTS[self.fault_name]
        if self.point.kind is Kind.LOGIN:
            return int(fault.served and self.is_undone)
        if self.fault_name == "gone":
            return 1
        return int(self.point.kind is Kind.LOGOUT and not fault.served and not self.fault_name.startswith("401"))

    @property
    def sessions_left(self) -> int:
        """ACTIVE sessions that the task made and could not remove."""
        if self.point.id in ("clean-up-cancel", "fetch-clean-up-cancel"):
            return int(self.is_undone)
        ended = self.point.kind is Kind.END or self.point.id in ("clean-up-delete", "fetch-clean-up-delete")
        holds = self.point.task in HOLDERS and self.point.in_session and not ended
        return int((self.fault_name == "gone" and holds) or self.leaves_doubt)


def _parts(point: Point, fault_name: str) -> tuple[int, ...]:
    moves_much = (fault_name == "reset-during") == (point.kind is Kind.PUT)
    return point.parts if fault_name in PARTIAL and moves_much else (50,)


def cells() -> Iterator[Cell]:
    for point in POINTS:
        for name in FAULTS:
            for dialect in DIALECTS:
                if can_happen(name, point, dialect):
                    yield from (Cell(dialect, point, name, part) for part in _parts(point, name))


@dataclass(frozen=True)
class Aftermath:
    """What a run left: the ids of ACTIVE sessions that it made, logins, files in dest, whether it is done, or at least
    begun, and what of its "item" and "session" is still there."""

    sessions: tuple[str, ...]
    logins: int
    files: tuple[str, ...]
    is_done: bool
    is_begun: bool
    there: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One worker's simulator, the network before it, what tasks work with, and what no task may show."""

    sim: Simulator
    proxy: FaultProxy
    image: Path
    dest: Path
    url: str
    canaries: Canaries = field(default_factory=Canaries)

    def set(self, task: Task, vcenter: str = DEFAULT) -> Scene:
        """Everything as it is before the task."""
        self.proxy.clear()
        self.sim.reset(as_version(Seed(), vcenter))
        for path in self.dest.iterdir():
            path.unlink()
        item_id = self.sim.run(lambda store: store.find_item_id(LIBRARY, ITEM))
        scene = Scene(item_id, self.image, self.dest, self.image.read_bytes(), self.url)
        scene = replace(scene, session_id=self.sim.run(lambda store: task.seed(store, scene)))
        scene = replace(scene, found=frozenset(self.sim.run(_session_ids)))
        if task.fault:
            self.sim.inject(task.fault)
        self.canaries.forms.clear()
        self.canaries.add("password", self.sim.password, self.sim.username)
        self.sim.run(lambda store: self.canaries.add_tokens_of(store.logins))
        return scene

    def run(self, task: Task, scene: Scene, dialect: str, server: Server, **options: Any) -> ModuleResult:
        connection = {**connection_args(server), "api_dialect": dialect}
        return run_module(task.module, {**connection, **task.options(scene), **options, **WITH_INVOCATION}, verbosity=4)

    def spoil(self, cell: Cell, scene: Scene) -> None:
        fault, point = FAULTS[cell.fault_name], cell.point
        action = ACTIONS.get(cell.fault_name)
        self.proxy.misbehave(
            Misbehaviour(
                fault.kind,
                point.operation,
                first=point.nth,
                last=None if fault.lasting else point.nth,
                percent=cell.percent,
                status=fault.status,
                retry_after=fault.retry_after,
                text=fault.text,
                act=(lambda: self.sim.run(lambda store: action(store, scene))) if action else None,
            )
        )

    def mend(self, scene: Scene) -> None:
        """The network and the server work again, and nobody else is at work."""
        self.proxy.clear()
        self.sim.clear_faults()

        def end_rivals(store: Store) -> None:
            for session in store.updates.sessions.values():
                if session.user == VIEWER and session.id != scene.session_id:
                    session.state = "CANCELED"

        self.sim.run(end_rivals)

    def look(self, task: Task, scene: Scene) -> Aftermath:
        def look(store: Store) -> Aftermath:
            store.advance()
            known = {"item": set(store.catalog.items), "session": _session_ids(store)}
            there = [
                name
                for name, wanted in (("item", scene.item_id), ("session", scene.session_id))
                if wanted in known[name]
            ]
            made = [
                entry.id
                for entry in _sessions(store)
                if entry.state == "ACTIVE" and entry.user == self.sim.username and entry.id not in scene.found
            ]
            files = tuple(sorted(path.name for path in self.dest.iterdir()))
            is_done = task.is_done(store, scene)
            is_begun = is_done or task.is_begun(store, scene)
            return Aftermath(tuple(made), store.logins.count, files, is_done, is_begun, tuple(there))

        return self.sim.run(look)

    def times_sent(self, cell: Cell, sent_undisturbed: int, *, failed: bool) -> int:
        """How often the request that met the fault went out, the first time included.

        A task that fails ends there, and one that works goes on to the later requests for the same.
        """
        sent = sum(1 for seen in self.proxy.requests if seen.operation == cell.point.operation)
        others = cell.point.nth - 1 if failed else sent_undisturbed - 1
        return sent - others


def _sessions(store: Store) -> list[UpdateSession | DownloadSession]:
    return [*store.updates.sessions.values(), *store.downloads.sessions.values()]


def _session_ids(store: Store) -> set[str]:
    return {session.id for session in _sessions(store)}


def _forget_sessions(store: Store, _scene: Scene) -> None:
    store.updates.sessions.clear()
    store.downloads.sessions.clear()


def _expire_sessions(store: Store, _scene: Scene) -> None:
    for session in _sessions(store):
        session.expires = store.calendar.clock() - 1
    store.advance()


def _restart(store: Store, scene: Scene) -> None:
    _forget_sessions(store, scene)
    store.logins.expire_all()


ACTIONS: dict[str, Callable[[Store, Scene], Any]] = {
    "session-deleted": _forget_sessions,
    "session-expired": _expire_sessions,
    "item-deleted": lambda store, scene: store.delete_item(scene.item_id),
    "restarted": _restart,
    "rival": lambda store, scene: store.seed_update_session(scene.item_id, user=VIEWER),
}


def holes() -> list[str]:
    """Faults that can happen at a point of which nothing is expected, and expectations that no cell meets."""
    met = {(cell.fault_name, cell.point.kind) for cell in cells()}
    written = {(name, kind) for name, kinds in EXPECTED.items() for kind in kinds}
    return [f"{name} at {kind.name}" for name, kind in sorted(met ^ written, key=str)]
