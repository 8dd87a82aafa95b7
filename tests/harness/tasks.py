# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks as a playbook runs them: a module against a simulator, with the requests that the server received."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.simulator import Exchange, Simulator

UPDATE_SESSION = "content_library_update_session"
DOWNLOAD_SESSION = "content_library_download_session"
SESSION_INFO = "content_library_session_info"
CHECK = "content_library_check"
ITEM_INFO = "content_library_item_info"
RETENTION = "content_library_retention"
LIBRARY_ITEM = "content_library_item"
#: Two items that the simulator holds by default: one of an image, and one of a package.
TOOLS: dict[str, Any] = {"library": "templates", "library_item": "tools"}
ROCKY9: dict[str, Any] = {"library": "templates", "library_item": "rocky9"}
DIALECTS = ("api", "rest")

#: The keys of each failure.
ERROR_KEYS = {"type", "status", "operation", "messages", "data", "session_id"}
LOGIN_PATHS = ("/api/session", "/rest/com/vmware/cis/session")
SESSION_PATH = re.compile(r"/update-session/(id:)?[0-9a-f-]+:[0-9a-f-]+$")
READING_ACTIONS = ("find", "get", "probe")


#: Names the vCenter as its addresses of content do, so that these are its own, which the login counts for.
BY_OWN_NAME: dict[str, Any] = {"hostname": "localhost"}


def files_in(folder: Path) -> dict[str, bytes]:
    """The contents of the files in a directory, by their names."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def src(path: Path | str, **more: Any) -> dict[str, Any]:
    """An entry of the option `files`."""
    return {"src": str(path), **more}


def publish(path: Path | str, item: Mapping[str, str] = TOOLS, /, **options: Any) -> dict[str, Any]:
    """A task that publishes a file to an item."""
    return {**item, "state": "done", "files": [src(path)], **options}


def fetch(dest: Path | str, item: Mapping[str, str] = ROCKY9, /, **options: Any) -> dict[str, Any]:
    """A task that fetches the files of an item."""
    return {"module": DOWNLOAD_SESSION, **item, "dest": str(dest), **options}


def action_of(exchange: Exchange) -> str:
    found = re.search(r"[?&]~?action=([a-z-]+)", exchange.path)
    return found.group(1) if found else ""


def is_login(exchange: Exchange) -> bool:
    return exchange.path.partition("?")[0] in LOGIN_PATHS


def changes_something(exchange: Exchange) -> bool:
    """Whether a request changes something. Validate does, as it extends the session; login and logout do not count.

    Nor does the SOAP interface, of which our client asks for the version only.
    """
    return (
        not is_login(exchange)
        and exchange.path != "/sdk"
        and exchange.method != "GET"
        and action_of(exchange) not in READING_ACTIONS
    )


def announced(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    """The announcement of each file, without the envelope of a dialect."""
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
        """The failure payload; the run must have one."""
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
        """The reads of one update session, without those of its files."""
        return [entry for entry in self.exchanges if entry.method == "GET" and SESSION_PATH.search(entry.path)]

    def sent(self, method: str, action: str = "", containing: str = "update-session") -> list[Exchange]:
        """The requests of a verb and action on update sessions."""
        return [
            entry
            for entry in self.exchanges
            if entry.method == method and action_of(entry) == action and containing in entry.path
        ]


def in_dialect(sim: Simulator, module: str, dialect: str) -> Callable[..., ModuleResult]:
    """A function that runs a module in one dialect; afterwards the record holds only the requests of the last run."""

    def run(*, check: bool = False, **options: Any) -> ModuleResult:
        sim.clear_exchanges()
        return run_module(module, {**connection_args(sim), "api_dialect": dialect, **options}, check=check)

    return run


@dataclass(frozen=True)
class Tasks:
    """Runs tasks with one connection, speaking one dialect, against a simulator."""

    sim: Simulator
    dialect: str

    def run(self, module: str = UPDATE_SESSION, *, check: bool = False, **options: Any) -> Run:
        """Run a task; one of an update session that names no state declares it active."""
        self.sim.clear_exchanges()
        given = {**connection_args(self.sim), "api_dialect": self.dialect}
        if module == UPDATE_SESSION:
            given["state"] = "active"
        outcome = run_module(module, {**given, **options}, check=check)
        return Run(outcome, self.sim.exchanges)

    def converge(self, **options: Any) -> Run:
        """Run a task in check mode, then for real, then once more; returns the real run.

        Asserts that check mode only reads and predicts the real run, and that the third run finds nothing to do.
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
