# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the options of an update session are written: what Ansible refuses, and `warning_behavior`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._task.written_options import require_dicts, require_given
from .._vcenter.errors import InvalidArgument

STATE_REMEDY = (
    "Set state to done to publish the files, active to fill a session and leave it open, canceled to cancel a session, "
    "error to mark it as failed, or absent to remove it."
)


def check_written(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for options that Ansible refuses, with their right form."""
    require_given(params, "state", STATE_REMEDY)
    require_dicts(params, "files", "src: /images/tools.iso")
    require_dicts(params, "warning_behavior", "type: SELF_SIGNED_CERTIFICATE, ignored: true")


def read_warning_behavior(entries: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...] | None:
    """The warnings to ignore, None if the option is left out. Raises InvalidArgument."""
    if entries is None:
        return None
    declared: dict[str, bool] = {}
    for entry in entries:
        if declared.setdefault(entry["type"], entry["ignored"]) != entry["ignored"]:
            raise InvalidArgument(
                f"warning_behavior names {entry['type']} twice, once ignored and once not",
                remedy="Drop one of the two entries.",
            )
    return tuple(sorted(kind for kind, ignored in declared.items() if ignored))
