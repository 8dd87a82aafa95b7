# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this checkout is, and the folder that makes it importable as a collection."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
NAME = ("ansible_collections", "vsphere", "content")


def collections_root() -> Path:
    """Return the folder above ``ansible_collections``, for PYTHONPATH and ANSIBLE_COLLECTIONS_PATH.

    Ansible finds a collection only under its full name. Unless the path of the checkout ends with that name, a link in
    the scratch folder gives it one.
    """
    if ROOT.parts[-3:] == NAME:
        return ROOT.parents[2]
    path = CACHE / "path"
    link = path.joinpath(*NAME)
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(ROOT, target_is_directory=True)
    except FileExistsError:
        if link.resolve() != ROOT:
            link.unlink()
            link.symlink_to(ROOT, target_is_directory=True)
    return path
