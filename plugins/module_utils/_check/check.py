# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vCenter is checked: the preflight, the trial if it was asked for, the observations and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._task.converge import Task
from .._transfer.allowed_directories import FETCH_DEST_ROOT, require_below
from .._vcenter.errors import ContentError, InvalidArgument
from .known import observations
from .preflight import Looked, look
from .reading import observe_reading
from .recorder import Recorder
from .report import make_report, require_writable, write_report
from .rows import Row, Verdict, is_usable
from .trial_pull import require_fetchable
from .trial_run import Tried, require_own, try_out


@dataclass(frozen=True)
class Wanted:
    """What a user wants to know; see the options of the module."""

    libraries: tuple[str, ...]
    trial: bool
    url: str | None
    slow: bool
    report: str | None


def read_wanted(params: Mapping[str, Any]) -> Wanted:
    """Raises InvalidArgument."""
    libraries = tuple(dict.fromkeys(params["libraries"]))
    if "" in libraries:
        raise InvalidArgument("libraries holds an empty name", remedy="Leave it out, or name a library.")
    if params["trial"] and len(libraries) != 1:
        raise InvalidArgument(
            f"trial is set, and libraries names {len(libraries)} libraries",
            remedy="Name the one library in which the trial may make an item.",
        )
    for option in ("url", "slow"):
        if params[option] and not params["trial"]:
            raise InvalidArgument(f"{option} is given without trial", remedy=f"Set trial: true, or leave {option} out.")
    if params["url"]:
        require_fetchable(params["url"])
    if params["report"]:
        require_below(FETCH_DEST_ROOT, "report", params["report"])
        require_writable(params["report"])
    return Wanted(libraries, params["trial"], params["url"] or None, params["slow"], params["report"] or None)


def check(task: Task, wanted: Wanted, *, check_mode: bool) -> dict[str, Any]:
    """Check the vCenter; returns what the module returns.

    Raises InvalidArgument if the library of a trial is refused or the report cannot be written, and what a deletion
    raises if the trial could not take away what it made.
    """
    connection, recorder = task.connection, Recorder()
    connection.http.on_seen = recorder.note
    looked = look(task, wanted.libraries)
    seen = observe_reading(connection, recorder, looked.dialects, logged_in=looked.logged_in)
    tried = _try(task, wanted, looked, recorder, check_mode=check_mode) if wanted.trial else Tried()
    seen.update(tried.seen)
    rows = [*map(tried.settle, looked.rows), *tried.rows]
    result = {
        "changed": tried.changed,
        "rows": [row.result() for row in rows],
        "usable": is_usable(rows),
        "observations": observations(seen),
        "report": None,
        "taken_away": tried.taken_away,
        "left": tried.left,
    }
    try:
        if wanted.report and not check_mode:
            made = make_report(
                looked.about,
                looked.dialects,
                connection.dialect,
                trial=tried.was_run,
                seen=seen,
                exchanges=recorder.exchanges(),
            )
            write_report(wanted.report, made)
            result["report"] = wanted.report
        if tried.problem:
            raise tried.problem
    except ContentError as error:
        error.result = {**error.result, **result}
        raise
    return result


def _try(task: Task, wanted: Wanted, looked: Looked, recorder: Recorder, *, check_mode: bool) -> Tried:
    """Run the trial, unless something speaks against it. Raises InvalidArgument for a library that is refused."""
    (name,) = wanted.libraries
    library = looked.libraries.get(name)
    if library:
        require_own(library)
    if check_mode:
        return Tried([Row("trial", "it is not run in check mode")])
    if library is None:
        remedy = "Look at the rows above: first the vCenter must be reached, and the library found."
        return Tried([Row("trial", "it was not run, as the library could not be read", Verdict.UNKNOWN, remedy)])
    if task.connection.server_time() is None:
        found = "it was not run, as vCenter does not tell its time, by which a later trial knows what a killed one left"
        return Tried([Row("trial", found, Verdict.UNKNOWN, "See that no proxy takes the Date from vCenter's answers.")])
    return try_out(task, recorder, library, url=wanted.url, slow=wanted.slow)
