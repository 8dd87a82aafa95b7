# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an item that was just made may be taken away again: only while it is as it was made, and nobody uses it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable

from .._vcenter.api import Api
from .._vcenter.errors import InvalidArgument, ResourceBusy
from .._vcenter.models import LibraryItem, LibraryItemFile
from .acquire import find_sessions
from .lost_answers import discard, make_surely

SHOWN_FILES = 3


@dataclass(frozen=True)
class NewItem:
    """What an earlier task returned of its item; C(made) says whether it was that task who made it."""

    made: bool
    item_id: str
    content_version: str | None


def read_new_item(value: Mapping[str, Any] | None) -> NewItem | None:
    """Read the result of a task of the module content_library_item. Raises InvalidArgument."""
    if value is None:
        return None
    item = value.get("library_item")
    made = value.get("created") is True
    if "created" not in value or (made and not (isinstance(item, Mapping) and item.get("id"))):
        raise InvalidArgument(
            "new_item is no result of vsphere.content.content_library_item",
            remedy="Register the task that makes the item, and give the variable as a whole.",
        )
    known: Mapping[str, Any] = item if isinstance(item, Mapping) else {}
    return NewItem(made, str(known.get("id") or ""), known.get("content_version"))


def reason_to_keep(api: Api, new: NewItem, item: LibraryItem, files: Sequence[LibraryItemFile]) -> str:
    """Why an item must stay, as the end of a sentence; an empty text if it is as it was made.

    Of the sessions on it, only those of the task's own user can be seen.
    """
    if not new.made or item.id != new.item_id:
        return "it is not the one that this run has made"
    if reason := _difference(new, item, files):
        return reason
    sessions = find_sessions(api, new.item_id)
    return f"update session {sessions[0].id} is {sessions[0].state} on it" if sessions else ""


def reason_found_alone(
    api: Api,
    new: NewItem,
    *,
    shield: Callable[[], AbstractContextManager[None]],
    on_failure: Callable[[Callable[[], str]], None],
) -> str:
    """The same, looked at while nobody else can begin to work on the item.

    An update session of our own keeps everybody out, as vCenter allows one at a time. That is also how a session of
    another user shows, which cannot be seen otherwise.
    """
    token = str(uuid.uuid4())
    ours: list[str] = []

    def leave() -> str:
        while ours:
            discard(api, ours.pop())
        return ""

    on_failure(leave)
    try:
        with shield():
            ours.append(make_surely(lambda: api.create_update_session(new.item_id, None, token)))
    except ResourceBusy:
        return "another task publishes to it"
    reason = _difference(new, api.get_item(new.item_id), api.list_item_files(new.item_id))
    leave()
    return reason


def _difference(new: NewItem, item: LibraryItem, files: Sequence[LibraryItemFile]) -> str:
    if files:
        names = ", ".join(str(file.name) for file in files[:SHOWN_FILES])
        return f"it holds {len(files)} file{'s' if len(files) > 1 else ''} by now: {names}"
    if item.content_version != new.content_version:
        return f"its content version is {item.content_version} by now, and was {new.content_version}"
    return ""
