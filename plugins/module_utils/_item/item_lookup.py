# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task names a library and an item: by identifier, or by names that must match exactly one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._vcenter.api import Api
from .._vcenter.errors import InvalidArgument, NotFound
from .._vcenter.messages import LocalizableMessage
from .._vcenter.models import Library, LibraryItem

SHOWN_CANDIDATES = 20


def item_spec() -> dict[str, Any]:
    """The argument spec of the documentation fragment `vsphere.content.library_item`."""
    return {
        "library": {"type": "str", "aliases": ["library_name"]},
        "library_id": {"type": "str"},
        "library_item": {"type": "str", "aliases": ["library_item_name"]},
        "library_item_id": {"type": "str"},
    }


ITEM_MUTUALLY_EXCLUSIVE = [
    ("library", "library_id"),
    ("library_item_id", "library_item"),
    ("library_item_id", "library"),
    ("library_item_id", "library_id"),
]


def names_item(params: Mapping[str, Any]) -> bool:
    return bool(params["library_item_id"] or params["library_item"])


def require_complete_names(params: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for an item name without its library, or a library without an item."""
    library = params["library"] or params["library_id"]
    if params["library_item"] and not library:
        raise InvalidArgument(
            f"library_item {params['library_item']!r} is given without its library",
            remedy="Set library or library_id too, or name the item by library_item_id.",
        )
    if library and not params["library_item"]:
        raise InvalidArgument("a library is given without an item", remedy="Set library_item too.")


def find_named_item(api: Api, params: Mapping[str, Any], *, reads_library: bool) -> LibraryItem | Library:
    """The item that the options name, or its library if there is no such item. Raises InvalidArgument or NotFound.

    A library that was found by its name has no other fields unless `reads_library`.
    """
    if params["library_item_id"]:
        return api.get_item(str(params["library_item_id"]))
    library_id = resolve_library(api, params)
    item_id = find_item(api, library_id, params["library_item"])
    # Somebody else may delete the item after it was found and before it is read.
    with suppress(NotFound):
        if item_id is not None:
            return api.get_item(item_id)
    if params["library_id"] or reads_library:
        return api.get_library(library_id)
    return Library(id=library_id, name=params["library"])


def resolve_library(api: Api, params: Mapping[str, Any]) -> str:
    """The identifier of the library that `library_id` or `library` names. Raises InvalidArgument or NotFound."""
    if params["library_id"]:
        return str(params["library_id"])
    return find_library(api, params["library"])


def find_library(api: Api, name: str, *, option: str = "library", id_option: str = "library_id") -> str:
    """The identifier of the library of this name. Raises InvalidArgument or NotFound, with the names of the options."""
    found = api.find_libraries(name)
    if not found:
        raise NotFound(
            f"no library is named {name!r}",
            operation="library.find",
            remedy=f"Check the spelling of {option} (upper and lower case are the same). Only libraries that the user "
            "may read are found.",
        )
    if len(found) > 1:
        candidates = [_candidate(api.get_library(library_id)) for library_id in found[:SHOWN_CANDIDATES]]
        raise InvalidArgument(
            f"{len(found)} libraries are named {name!r}: {'; '.join(candidates)}",
            remedy=f"Name the one you mean by {id_option} instead of {option}.",
        )
    return found[0]


def find_item(api: Api, library_id: str, name: str) -> str | None:
    """The identifier of the item with this name in a library, None if there is none. Raises InvalidArgument."""
    found = api.find_items(name, library_id)
    if len(found) > 1:
        raise InvalidArgument(
            f"{len(found)} items in library {library_id} are named {name!r}: {_described_items(api, found)}",
            remedy="Name the one you mean by library_item_id.",
        )
    return found[0] if found else None


def resolve_item(api: Api, params: Mapping[str, Any]) -> str:
    """The identifier of the item that the options name. Raises InvalidArgument or NotFound."""
    if params["library_item_id"]:
        return str(params["library_item_id"])
    library_id = resolve_library(api, params)
    item_id = find_item(api, library_id, params["library_item"])
    if item_id is None:
        raise NotFound(
            f"no item of library {params['library'] or library_id!r} is named {params['library_item']!r}",
            operation="item.find",
            remedy="Check the option library_item for spelling, or make the item with "
            "vsphere.content.content_library_item.",
        )
    return item_id


def require_local_library(library: Library, messages: Sequence[LocalizableMessage] = ()) -> None:
    """Raises InvalidArgument for a subscribed library; `messages` are what vCenter has said of it."""
    if library.type == "SUBSCRIBED":
        raise InvalidArgument(
            f"library {library.name!r} ({library.id}) is a subscribed library, and its items cannot be changed",
            error_type="INVALID_ELEMENT_TYPE",
            remedy="Publish to the library that it subscribes to.",
            messages=messages,
        )


def describe_item(params: Mapping[str, Any]) -> str | None:
    """The item's name in messages."""
    if params["library_item"]:
        return f"of library item {params['library_item']!r} in library {params['library'] or params['library_id']!r}"
    return f"of library item {params['library_item_id']}" if params["library_item_id"] else None


def _candidate(library: Library) -> str:
    return f"{library.id} ({library.type or 'type unknown'})"


def _described_items(api: Api, item_ids: Sequence[str]) -> str:
    items = [api.get_item(item_id) for item_id in item_ids[:SHOWN_CANDIDATES]]
    return "; ".join(
        f"{item.id} (type {item.type or 'none'}, created {item.creation_time or 'unknown'})" for item in items
    )
