# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vCenter is checked: the preflight, the trial if it was asked for, the observations and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._task.converge import Task
from .._vcenter.errors import InvalidArgument
from .known import observations
from .preflight import look
from .reading import observe_reading
from .recorder import Recorder
from .report import make_report, require_writable, write_report
from .rows import is_usable


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
    if params["report"]:
        require_writable(params["report"])
    return Wanted(libraries, params["trial"], params["url"] or None, params["slow"], params["report"] or None)


def check(task: Task, wanted: Wanted, *, check_mode: bool) -> dict[str, Any]:
    """Check the vCenter; returns what the module returns. Raises InvalidArgument if the report cannot be written."""
    connection, recorder = task.connection, Recorder()
    connection.http.on_seen = recorder.note
    looked = look(task, wanted.libraries)
    seen = observe_reading(connection, recorder, looked.dialects, logged_in=looked.logged_in)
    report = None
    if wanted.report and not check_mode:
        made = make_report(
            looked.about,
            looked.dialects,
            connection.dialect,
            trial=False,
            seen=seen,
            exchanges=recorder.exchanges(),
        )
        write_report(wanted.report, made)
        report = wanted.report
    return {
        "changed": False,
        "rows": [row.result() for row in looked.rows],
        "usable": is_usable(looked.rows),
        "observations": observations(seen),
        "report": report,
        "taken_away": [],
        "left": [],
    }
