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

LONGEST_WAIT = 7 * 24 * 3600
LIMITS = {
    "client_progress": (0, 100),
    "parallel_transfers": (1, 32),
    "wait_timeout": (1, LONGEST_WAIT),
    "busy_timeout": (0, LONGEST_WAIT),
    "progress_interval": (0, LONGEST_WAIT),
}


def require_limits(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for a number that no session module takes; what a module has no option for fits."""
    for name, (lowest, highest) in LIMITS.items():
        require_range(name, params.get(name), lowest, highest)


def require_names(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for a name or identifier that is given and names nothing.

    A variable that was never set often ends as an empty one, and an identifier of dots would be another URL.
    """
    for option in ("session_id", "library", "library_id", "library_item", "library_item_id", "name"):
        value = params.get(option)
        if value is not None and (not value.strip() or value.strip(".") == ""):
            raise InvalidArgument(
                f"{option} is {value!r}, which names nothing",
                remedy=f"Give {option} a value, or leave it out; `| default(omit)` does so for a variable.",
            )


def read_client_token(token: str | None) -> str:
    """The UUID that makes a creation repeatable, made up if none is given. Raises InvalidArgument."""
    if token is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(token))
    except ValueError:
        raise InvalidArgument(
            f"client_token {token!r} is no UUID", remedy="Give one such as b8a2a2e3-2314-43cd-a871-6ede0f429751."
        ) from None


def require_directory(name: str, path: str) -> None:
    """Raises InvalidArgument unless C(path) is absolute and a directory."""
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
