# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a library item is read, brought to its declared state and reported, for `converge`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .._session.finding import find_active
from .._session.lost_answers import noted
from .._task.converge import Task
from .._transfer.content import describe_content
from .._vcenter.api import Api
from .._vcenter.errors import InvalidArgument, NotFound, ResourceBusy
from .._vcenter.models import LibraryItem, LibraryItemFile, file_result
from .._vcenter.schema import to_result
from .item_lookup import find_item, require_local_library, resolve_library
from .new_item import create_item

DECLARABLE = ("name", "type", "description")


@dataclass(frozen=True)
class Found:
    """The item as it is, with its files. `library_id` is known if the task names the item by its library."""

    library_id: str | None
    item: LibraryItem | None
    files: tuple[LibraryItemFile, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What to do with the item: create, change or delete it; `change` holds the fields to set."""

    found: Found
    create: LibraryItem | None = None
    change: LibraryItem | None = None
    delete: bool = False

    @property
    def changes(self) -> bool:
        return self.delete or self.create is not None or self.change is not None

    @property
    def retypes(self) -> bool:
        """Whether the plan changes the type of an existing item."""
        return self.change is not None and self.change.type is not None


class ItemResource:
    """The library item that a task declares, for `converge`."""

    def __init__(self, api: Api, params: Mapping[str, Any], task: Task) -> None:
        self._api = api
        self._params = params
        self._task = task
        self._wanted = {name: params[name] for name in DECLARABLE if params[name] is not None}
        self._created = False
        self._changes: list[str] = []
        task.on_failure(self._tell_changes)
        task.so_far = lambda: {"changed": bool(self._changes)}

    def read(self) -> Found:
        found = self._look()
        library_id = found.library_id or (found.item.library_id if found.item else None)
        plan = self.plan(found)
        if library_id and plan.changes:
            require_local_library(self._api.get_library(library_id))
        if plan.retypes:
            self._require_empty(found)
        return found

    def plan(self, before: Found) -> Plan:
        item = before.item
        if self._params["state"] == "absent":
            return Plan(before, delete=item is not None)
        if item is None:
            return Plan(before, create=LibraryItem(library_id=before.library_id, **self._wanted))
        different = {name: value for name, value in self._values(item).items() if value != (getattr(item, name) or "")}
        return Plan(before, change=LibraryItem(**different) if different else None)

    def project(self, state: Found) -> dict[str, Any]:
        if state.item is None:
            return {"state": "absent"}
        return {"state": "present", **{name: getattr(state.item, name) or "" for name in DECLARABLE}}

    def expect(self, plan: Plan) -> dict[str, Any]:
        if plan.delete:
            return {"state": "absent"}
        changes = plan.create or plan.change
        before = self.project(plan.found) if plan.found.item else {"state": "present", **dict.fromkeys(DECLARABLE, "")}
        return {**before, **self._values(plan.found.item)} if changes else self.project(plan.found)

    def apply(self, plan: Plan) -> Found:
        item = plan.found.item
        if plan.create:
            with noted("the item was created", self._changes.append):
                item_id = create_item(self._api, plan.create, type_option="type")
            self._created = True
            return self._load(plan.found.library_id, item_id)
        if item is None or not item.id:
            return plan.found
        if plan.delete:
            with noted("the item was deleted", self._changes.append), suppress(NotFound):
                self._api.delete_item(item.id)
            return Found(plan.found.library_id, None)
        if plan.change:
            if plan.retypes:
                # The task reads the item once more, as somebody may have published to it since.
                self._require_empty(self._load(plan.found.library_id, item.id))
            with noted("the item was changed", self._changes.append):
                self._api.update_item(item.id, plan.change)
            return self._load(plan.found.library_id, item.id)
        return plan.found

    def result(self, state: Found) -> dict[str, Any]:
        item, files = state.item, [file_result(file) for file in state.files]
        item_result = {**to_result(item), "files": files} if item else None
        return {"created": self._created, "library_item": item_result}

    def _values(self, item: LibraryItem | None) -> dict[str, Any]:
        """The declared values. vCenter finds names in any case, so the name that found an item does not rename it."""
        found_by_name = item is not None and not self._params["library_item_id"]
        return {name: value for name, value in self._wanted.items() if name != "name" or not found_by_name}

    def _require_empty(self, found: Found) -> None:
        """Require that an item whose type changes holds nothing: nobody could tell afterwards what its content is.

        An ACTIVE session counts as content, even an empty one, as it was created for the present type. Raises
        InvalidArgument or ResourceBusy.
        """
        item, wanted = found.item, self._wanted["type"]
        if item is None or (item.type or "") == wanted:
            return
        kind = f"it is of type {item.type}" if item.type else "it has no type"
        content = describe_content(item, found.files)
        if content:
            raise InvalidArgument(
                f"{kind} and holds {content}, and what an item holds never changes its type, here to {wanted!r}",
                operation="item.update",
                remedy="Choose another name, or delete the item first, with state: absent. Without type, the item "
                "keeps the one that it has.",
            )
        session = find_active(self._api.updates, str(item.id), self._task.clock.timing)
        if session:
            raise ResourceBusy(
                f"{kind}, and update session {session.id} is ACTIVE on it, which was created for that type",
                operation="item.update",
                session_id=session.id,
                remedy="Run the task again when the session has ended, or end the session with "
                "vsphere.content.content_library_update_session and state: absent.",
            )

    def _tell_changes(self) -> str:
        if not self._changes:
            return ""
        return f"Changed, and not put back: {'; '.join(self._changes)}. The next run goes on from there."

    def _look(self) -> Found:
        if self._params["library_item_id"]:
            return self._read_by_id(self._params["library_item_id"])
        library_id = resolve_library(self._api, self._params)
        item_id = find_item(self._api, library_id, self._params["name"])
        if item_id is not None:
            # Somebody else may delete the item after it was found and before it is read.
            with suppress(NotFound):
                return self._load(library_id, item_id)
        return Found(library_id, None)

    def _read_by_id(self, item_id: str) -> Found:
        try:
            return self._load(None, item_id)
        except NotFound:
            if self._params["state"] == "absent":
                return Found(None, None)
            raise

    def _load(self, library_id: str | None, item_id: str) -> Found:
        return Found(library_id, self._api.get_item(item_id), tuple(self._api.list_item_files(item_id)))
