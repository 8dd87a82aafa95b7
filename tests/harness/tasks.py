# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks as a playbook has them: a module run against a simulator, together with what the server received meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.simulator import Exchange, Simulator

UPDATE_SESSION = "content_library_update_session"
SESSION_INFO = "content_library_session_info"
DIALECTS = ("api", "rest")

LOGIN_PATHS = ("/api/session", "/rest/com/vmware/cis/session")
SESSION_PATH = re.compile(r"/update-session/(id:)?[0-9a-f-]+:[0-9a-f-]+$")
READING_ACTIONS = ("find", "get", "probe")


def contents(folder: Path) -> dict[str, bytes]:
    """What the files in a directory hold, by their names."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def action_of(exchange: Exchange) -> str:
    found = re.search(r"[?&]~?action=([a-z-]+)", exchange.path)
    return found.group(1) if found else ""


def is_login(exchange: Exchange) -> bool:
    return exchange.path.partition("?")[0] in LOGIN_PATHS


def changes_something(exchange: Exchange) -> bool:
    """Whether a request is more than a read: validate counts, as it extends the session; login and logout do not."""
    return not is_login(exchange) and exchange.method != "GET" and action_of(exchange) not in READING_ACTIONS


def announced(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    """What was announced of each file, without the wrapper of a dialect."""
    return [
        body.get("file_spec", body)
        for body in (
            json.loads(entry.request_body)
            for entry in exchanges
            if entry.method == "POST"
            and "session" in entry.path
            and (re.search(r"/file$", entry.path) or entry.path.endswith("~action=add"))
        )
    ]


@dataclass(frozen=True)
class Run:
    """One run of a task: its result, and the requests in the order in which they were answered."""

    outcome: ModuleResult
    exchanges: tuple[Exchange, ...]

    @property
    def result(self) -> dict[str, Any]:
        return self.outcome.result

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def msg(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def error(self) -> dict[str, Any]:
        """The failure payload; that there is one is part of what a failure promises."""
        assert self.failed, self.result
        error: dict[str, Any] = self.result["error"]
        return error

    @property
    def session(self) -> dict[str, Any] | None:
        assert not self.failed, self.msg
        session: dict[str, Any] | None = self.result["session"]
        return session

    @property
    def diff(self) -> dict[str, Any]:
        assert not self.failed, self.msg
        diff: dict[str, Any] = self.result["diff"]
        return diff

    @property
    def mutations(self) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.exchanges if changes_something(entry)]

    @property
    def uploaded(self) -> list[str]:
        """The names of the files whose content was sent, in order."""
        return [entry.path.rsplit("/", 1)[-1] for entry in self.exchanges if entry.method == "PUT"]

    @property
    def added(self) -> list[dict[str, Any]]:
        return announced(self.exchanges)

    @property
    def session_reads(self) -> list[Exchange]:
        """The reads of one update session as such, without its files."""
        return [entry for entry in self.exchanges if entry.method == "GET" and SESSION_PATH.search(entry.path)]

    def sent(self, method: str, action: str = "", containing: str = "update-session") -> list[Exchange]:
        """The requests of a verb and action on update sessions."""
        return [
            entry
            for entry in self.exchanges
            if entry.method == method and action_of(entry) == action and containing in entry.path
        ]


@dataclass(frozen=True)
class Tasks:
    """Runs tasks with one connection, speaking one dialect, against a simulator."""

    sim: Simulator
    dialect: str

    def run(self, module: str = UPDATE_SESSION, *, check: bool = False, **options: Any) -> Run:
        self.sim.clear_exchanges()
        connection = {**connection_args(self.sim), "api_dialect": self.dialect}
        outcome = run_module(module, {**connection, **options}, check=check)
        return Run(outcome, self.sim.exchanges)

    def converge(self, **options: Any) -> Run:
        """Run a task in check mode, for real and again; returns the real run.

        Check mode only reads and predicts what the real run does; the run after it finds nothing to do.
        """
        predicted = self.run(check=True, **options)
        assert not predicted.failed, predicted.msg
        assert not predicted.mutations, predicted.mutations
        real = self.run(**options)
        assert not real.failed, real.msg
        assert predicted.changed == real.changed, (predicted.diff, real.diff)
        assert predicted.diff == real.diff, (predicted.diff, real.diff)
        assert real.changed == (real.diff["before"] != real.diff["after"]), real.diff
        assert real.changed or not real.mutations, real.mutations
        again = self.run(**options)
        assert not again.failed, again.msg
        assert not again.mutations, again.mutations
        assert not again.changed, again.diff
        assert again.diff["before"] == again.diff["after"], again.diff
        return real

    def refuse(self, **options: Any) -> Run:
        """Run a task that must fail before it changes anything, in check mode and for real; returns the real run."""
        predicted = self.run(check=True, **options)
        real = self.run(**options)
        for run in (predicted, real):
            assert run.failed, run.result
            assert not run.changed, run.result
            assert not run.mutations, run.mutations
            assert "Traceback" not in run.outcome.stdout + run.outcome.stderr
        assert predicted.error == real.error, (predicted.error, real.error)
        return real
