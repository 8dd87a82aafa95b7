# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of options that an argument spec cannot express."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Mapping
from typing import Any

from .._vcenter.connection_options import require_range
from .._vcenter.errors import InvalidArgument

# The published limits of an ItemModel, in characters.
LONGEST_NAME, LONGEST_DESCRIPTION = 80, 2000
LONGEST_WAIT = 7 * 24 * 3600
MOST_ITEMS = 10_000
LIMITS = {
    "client_progress": (0, 100),
    "parallel_transfers": (1, 32),
    "wait_timeout": (1, LONGEST_WAIT),
    "busy_timeout": (0, LONGEST_WAIT),
    "progress_interval": (0, LONGEST_WAIT),
    "keep": (1, MOST_ITEMS),
    "at_most": (1, MOST_ITEMS),
}


def require_limits(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for a number outside `LIMITS`. Options that the module does not have are skipped."""
    for name, (lowest, highest) in LIMITS.items():
        require_range(name, params.get(name), lowest, highest)


def require_lengths(params: Mapping[str, Any], **longest: int) -> None:
    """Raises InvalidArgument for a text with more characters than the `longest` of its option."""
    for option, most in longest.items():
        if len(params[option] or "") > most:
            raise InvalidArgument(f"{option} is longer than {most} characters", remedy=f"Shorten {option}.")


def require_names(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for a name or identifier that is empty or only dots.

    A variable that was never set often becomes an empty text. An identifier of dots would lead to another URL.
    """
    for option in ("session_id", "library", "library_id", "library_item", "library_item_id", "name", "pattern"):
        value = params.get(option)
        if value is not None and (not value.strip() or value.strip(".") == ""):
            raise InvalidArgument(
                f"{option} is {value!r}, which names nothing",
                remedy=f"Give {option} a value, or leave it out; `| default(omit)` does so for a variable.",
            )


def read_client_token(token: str | None) -> str:
    """The UUID that makes a creation repeatable; a new one if none is given. Raises InvalidArgument."""
    if token is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(token))
    except ValueError:
        raise InvalidArgument(
            f"client_token {token!r} is not a UUID", remedy="Give one such as b8a2a2e3-2314-43cd-a871-6ede0f429751."
        ) from None


def require_directory(name: str, path: str) -> None:
    """Raises InvalidArgument unless `path` is the absolute path of a directory."""
    if not os.path.isabs(path):
        raise InvalidArgument(
            f"{name}: {path!r} is relative, and a module has no directory of its own to start from",
            remedy="Start it with {{ role_path }} or {{ playbook_dir }}.",
        )
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise InvalidArgument(
            f"{name}: {path} does not exist on the host that runs this task",
            remedy="Make the directory first, with ansible.builtin.file and state: directory.",
        ) from None
    except OSError as error:
        raise InvalidArgument(
            f"{name}: {path} cannot be looked at: {error.strerror}", remedy=f"Check the path in the option {name}."
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidArgument(
            f"{name}: {path} is not a directory",
            remedy="Give the directory that the files are to be in; they keep the names that they have in the item.",
        )
