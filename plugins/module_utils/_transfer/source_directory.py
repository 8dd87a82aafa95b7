# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a directory holds, and which one it stands for, as builds leave an image in a directory of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

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
            found = sorted(entry.name for entry in entries if _is_image(entry.name) and not entry.is_dir())
    except OSError as error:
        _refuse_unlisted("files: src", path, error)
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


def find_images(path: str, *, recurse: bool) -> list[str]:
    """The paths of all packages in a directory and, with `recurse`, below it, in their order.

    Names that begin with a dot are left out: they are of unfinished copies, snapshots and the like. Links are followed,
    and each directory is read once. Raises InvalidArgument for a directory that cannot be read or is not allowed.
    """
    return sorted(
        os.path.join(folder, name) for folder, names in _folders(path, recurse) for name in names if _is_image(name)
    )


def _folders(path: str, recurse: bool) -> Iterator[tuple[str, list[str]]]:
    """The directories with the names of what each holds beside other directories."""
    seen: set[str] = set()
    walk = os.walk(path, followlinks=True, onerror=lambda error: _refuse_unlisted("src", error.filename, error))
    for folder, folders, names in walk:
        require_below(PUBLISH_SRC_ROOT, "src", folder)
        real = os.path.realpath(folder)
        # os.walk goes on into what is left in this list.
        folders[:] = [name for name in folders if recurse and real not in seen and not name.startswith(".")]
        if real not in seen:
            yield folder, names
        seen.add(real)


def _is_image(name: str) -> bool:
    return name.lower().endswith(PACKAGES) and not name.startswith(".")


def _refuse_unlisted(option: str, path: str, error: OSError) -> NoReturn:
    raise InvalidArgument(
        f"{option} {path} is a directory that cannot be listed: {error.strerror}",
        remedy="Give the user that runs this task the right to list it, or name the file in it.",
    ) from None
