# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many items are listed and read: one request for a list, and one or more for each item, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .._session.waiting import gather
from .._vcenter.api import Api
from .._vcenter.models import LibraryItem, LibraryItemFile, LibraryItemStorage


@dataclass(frozen=True)
class Listed:
    """An item as it was read; `files` and `storage` are None if nobody asked for them."""

    item: LibraryItem
    files: tuple[LibraryItemFile, ...] | None = None
    storage: tuple[LibraryItemStorage, ...] | None = None


def find_ids(
    api: Api,
    library_ids: Sequence[str | None],
    readers: int,
    *,
    name: str | None = None,
    item_type: str | None = None,
) -> list[str]:
    """The identifiers of the items of these libraries; None stands for all libraries, and needs a name or a type.

    A library that somebody deletes meanwhile has none.
    """

    def find(library_id: str | None) -> list[str]:
        return api.find_items(name, library_id, item_type)

    return [item_id for found in gather(find, library_ids, readers) for item_id in found]


def read_items(
    api: Api,
    item_ids: Sequence[str],
    readers: int,
    *,
    pattern: str | None = None,
    with_files: bool = False,
    with_storage: bool = False,
) -> list[Listed]:
    """Read the items of which the whole name fits the glob `pattern`, without those that disappear meanwhile."""

    def read(item_id: str) -> Listed | None:
        item = api.get_item(item_id)
        if pattern is not None and not fits(item, pattern):
            return None
        files = tuple(api.list_item_files(item_id)) if with_files else None
        return Listed(item, files, tuple(api.list_item_storage(item_id)) if with_storage else None)

    return [listed for listed in gather(read, item_ids, readers) if listed]


def fits(item: LibraryItem, pattern: str) -> bool:
    """Whether the whole name of an item fits a glob; upper and lower case differ."""
    return fnmatchcase(item.name or "", pattern)


def read_library_names(api: Api, items: Iterable[LibraryItem], readers: int) -> dict[str | None, str | None]:
    """The names of the libraries of these items by their identifiers, without those that disappear meanwhile."""
    library_ids = list(dict.fromkeys(item.library_id for item in items if item.library_id))
    return {library.id: library.name for library in gather(api.get_library, library_ids, readers)}
