# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a user can send: what it holds, and how it is written."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._vcenter.errors import InvalidArgument
from .asking import About
from .known import OTHER, POINTS, UNOBSERVED

FORMAT = 1
KEYS = {"format", "vcenter", "trial", "observations", "exchanges"}
LARGEST = 64 * 1024**2
ANOTHER = "Name another file."


def make_report(
    about: About,
    dialects: Sequence[str],
    dialect: str | None,
    *,
    trial: bool,
    seen: Mapping[str, str],
    exchanges: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "vcenter": {
            "version": about.version,
            "build": about.build,
            "dialects": list(dialects),
            "dialect": dialect,
        },
        "trial": trial,
        "observations": {name: _listed(seen.get(name, UNOBSERVED), point.values) for name, point in POINTS.items()},
        "exchanges": list(exchanges),
    }


def _listed(value: str, values: Sequence[str]) -> str:
    return value if value in (*values, UNOBSERVED) else OTHER


def require_writable(path: str) -> None:
    """Raises InvalidArgument if a report cannot be written there, or if something else than a report is there."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise InvalidArgument(
            f"report: {folder} is not a directory on the host that runs this task",
            remedy="Name a file in a directory that is there.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidArgument(
            f"report: no file can be made in {folder}", remedy="Name a file in a directory that the user may write to."
        )
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidArgument(f"report: {path} cannot be written: {error.strerror}", remedy=ANOTHER) from None
    if not stat.S_ISREG(found.st_mode) or not _is_report(path, found.st_size):
        raise InvalidArgument(f"report: {path} is there, and is no report", remedy=ANOTHER)


def _is_report(path: str, size: int) -> bool:
    if size > LARGEST:
        return False
    try:
        with open(path, encoding="utf-8") as stream:
            held = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(held, dict) and set(held) == KEYS


def write_report(path: str, report: Mapping[str, Any]) -> None:
    """Write a report that only its owner can read. Raises InvalidArgument."""
    require_writable(path)
    made = ""
    try:
        # Of the mode 0600. The name is taken at once, so nobody sees half of a report.
        descriptor, made = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".report-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(report, stream, indent=1)
            stream.write("\n")
        os.replace(made, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(made)
        raise InvalidArgument(f"report: {path} cannot be written: {error.strerror}", remedy=ANOTHER) from None
