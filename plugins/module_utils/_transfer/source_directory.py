# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file a directory stands for, as builds leave an image alone in a directory of its own."""

from __future__ import annotations

import os

from .._vcenter.errors import InvalidArgument, some_of
from .allowed_directories import PUBLISH_SRC_ROOT, require_below

PACKAGES = (".ovf", ".ova", ".iso")


def find_source(path: str) -> str:
    """The path itself, or that of the only package in it if it is a directory. Raises InvalidArgument."""
    if not os.path.isabs(path) or not os.path.isdir(path):
        return path
    require_below(PUBLISH_SRC_ROOT, "files: src", path)
    try:
        with os.scandir(path) as entries:
            found = sorted(
                entry.name for entry in entries if entry.name.lower().endswith(PACKAGES) and not entry.is_dir()
            )
    except OSError as error:
        raise InvalidArgument(
            f"files: src {path} is a directory that cannot be listed: {error.strerror}",
            remedy="Give the user that runs this task the right to list it, or name the file in it.",
        ) from None
    if not found:
        raise InvalidArgument(
            f"files: src {path} is a directory without an .ovf, .ova or .iso",
            remedy="Name the file itself; the task does not look into the directories below.",
        )
    if len(found) > 1:
        raise InvalidArgument(
            f"files: src {path} is a directory with {len(found)} packages: {some_of(found)}",
            remedy="Name the one to publish; each of the others goes to an item of its own.",
        )
    return os.path.join(path, found[0])
