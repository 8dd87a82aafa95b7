# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a trial goes, and what its rows say: each part goes on if another one has failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .._task.converge import Task
from .._vcenter.api import Api
from .._vcenter.errors import ContentError, InvalidArgument
from .._vcenter.models import Library
from .made import MINE, Made
from .preflight import CREATION
from .recorder import Recorder
from .rows import Row, Verdict
from .trial import Trial
from .trial_download import try_download
from .trial_image import try_image
from .trial_package import try_ova, try_package
from .trial_pull import try_pull


@dataclass
class Tried:
    """What a trial has found; `problem` is why something that it made is still there, None if nothing is."""

    rows: list[Row] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    taken_away: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    changed: bool = False
    was_run: bool = False
    problem: ContentError | None = None

    def settle(self, row: Row) -> Row:
        """A row of the preflight, after what the trial has shown."""
        has_created = any(entry["why"] == MINE for entry in (*self.taken_away, *self.left))
        return Row(row.about, "the account has it") if has_created and row.about == CREATION else row


def require_own(library: Library) -> None:
    """Raises InvalidArgument for a library whose content comes from others or goes to others."""
    if library.type == "SUBSCRIBED":
        raise InvalidArgument(
            f"trial: library {library.name!r} subscribes to another one, and nobody can make items there",
            remedy="Name a local library that is not published.",
        )
    if library.publish_info and library.publish_info.published:
        raise InvalidArgument(
            f"trial: library {library.name!r} is published, so others would get what the trial makes",
            remedy="Name a local library that is not published.",
        )


def try_out(task: Task, recorder: Recorder, library: Library, *, url: str | None, slow: bool) -> Tried:
    """Try out what a publish does; takes away what it makes, and what a killed trial has left."""
    api, tried = Api(task.connection), Tried(was_run=True)
    made = Made(api, task, library)
    trial = Trial(task, api, recorder, made, tried.seen)
    images: list[str] = []
    parts: list[tuple[str, Callable[[], object]]] = [
        ("trial: what earlier ones left", made.clear_up),
        ("trial: an image", lambda: images.append(try_image(trial, is_slow=slow))),
        ("trial: a download", lambda: _download(trial, images)),
        ("trial: a signed package", lambda: try_package(trial)),
        ("trial: an OVA", lambda: try_ova(trial)),
    ]
    if url:
        parts.append(("trial: a file that vCenter fetches", lambda: try_pull(trial, url)))
    for about, part in parts:
        is_image = about == "trial: an image"
        try:
            part()
        except ContentError as error:
            tried.rows.append(_failed(about, error))
        else:
            if about != "trial: a download" or images:
                tried.rows.append(Row(about, "it works" if part != made.clear_up else _left(made)))
        if is_image and images:
            # The download needs the item.
            continue
        tried.problem = _take_away(task, made) or tried.problem
        if tried.problem:
            break
    tried.taken_away, tried.left, tried.changed = made.taken_away, made.left, made.was_used
    return tried


def _download(trial: Trial, images: list[str]) -> None:
    """Try a download of the image, if there is one."""
    for item_id in images:
        try_download(trial, item_id)


def _take_away(task: Task, made: Made) -> ContentError | None:
    """Take away what was made; returns why that failed, also when it was tried again."""
    for _again in range(2):
        try:
            task.take_step(made.take_away)
        except ContentError as error:
            problem = error
        else:
            return None
    return problem


def _failed(about: str, error: ContentError) -> Row:
    verdict = Verdict.WILL_FAIL if about not in _NOT_OF_A_PUBLISH else Verdict.UNKNOWN
    return Row(about, error.said, verdict, error.way_out())


_NOT_OF_A_PUBLISH = ("trial: what earlier ones left", "trial: a download", "trial: a file that vCenter fetches")


def _left(made: Made) -> str:
    if made.left:
        return f"{len(made.left)} items look like those of a trial, and stay: see left"
    return "nothing of them is there"
