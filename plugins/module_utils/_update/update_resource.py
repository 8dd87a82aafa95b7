# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The update session that a task declares, for `converge`, and what the task returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._item.new_item import NewItem
from .._session.states import Fate, Step
from .._task.converge import Task
from .._transfer.comparison import Verdict
from .._vcenter.api import Api
from .._vcenter.models import LibraryItem, LibraryItemFile, UpdateFile, file_result
from .._vcenter.schema import result_keys, to_result
from .session_record import SessionRecord
from .update_finder import UpdateFinder
from .update_plan import Declared, Found, Plan, plan_update, project_update

# Most runs find nothing to do. They start faster because what changes something is imported only where needed.
if TYPE_CHECKING:
    from .push import Upload
    from .update_applier import UpdateApplier

FILE_KEYS = result_keys(UpdateFile, LibraryItemFile)
ITEM_RESULT = ("id", "name", "library_id", "type", "content_version")


class UpdateSessionResource:
    """An update session, for `converge`."""

    def __init__(
        self, api: Api, declared: Declared, params: Mapping[str, Any], task: Task, *, check_mode: bool
    ) -> None:
        self._api = api
        self._declared = declared
        self._task = task
        self._check_mode = check_mode
        self._planned_removals: tuple[str, ...] = ()
        self._record = SessionRecord(declared.keep_failed_session)
        self._new_item = NewItem(api, task)
        self._finder = UpdateFinder(api, declared, params, task, check_mode=check_mode)
        self._applier: UpdateApplier | None = None
        # What is registered first is undone last: the item is deleted when its session has gone.
        task.on_failure(self._take_item_away)
        task.on_failure(lambda: self._record.undo(self._withdraw))
        task.on_failure(self._record.told_of_earlier)

    def read(self) -> Found:
        return self._finder.find()

    def plan(self, before: Found) -> Plan:
        plan = plan_update(self._declared, before)
        self._planned_removals = plan.files.remove
        return plan

    def project(self, state: Found) -> dict[str, Any]:
        return project_update(self._declared, state)

    def expect(self, plan: Plan) -> Mapping[str, Any]:
        return plan.expected

    def apply(self, plan: Plan) -> Found:
        self._task.so_far = self._so_far
        if plan.step is Step.NOTHING and plan.description is None:
            return plan.found
        if self._applier is None:
            from .update_applier import UpdateApplier

            self._applier = UpdateApplier(
                self._api, self._declared, self._finder, self._record, self._new_item, self._task
            )
        return self._applier.apply(plan)

    def result(self, state: Found) -> dict[str, Any]:
        session = state.session
        if session and not session.preview_info and state.active:
            session = replace(session, preview_info=state.active.preview_info)
        removed = self._planned_removals if self._check_mode else self._upload.removed if self._upload else ()
        outcome: dict[str, Any] = {
            "session": to_result(session) if session else None,
            "library_item": _item_result(state.item or state.missing),
            "item_created": self._new_item.was_created or state.missing is not None,
            "files_removed": list(removed),
            **self._moved(),
        }
        if self._declared.fills:
            verdicts = state.in_session or state.in_item
            outcome["files"] = [
                {**file_result(file, FILE_KEYS), "verified": self._verified(file.name, verdicts)}
                for file in state.files or state.content
            ]
        return outcome

    @property
    def _upload(self) -> Upload | None:
        return self._applier.upload if self._applier else None

    def _withdraw(self, session_id: str, *, was_asked: bool) -> Fate:
        # The task has created the session, so this is imported already.
        from .._session.ending import withdraw

        return withdraw(self._api.updates, session_id, self._task.clock, was_asked=was_asked)

    def _take_item_away(self) -> str:
        if self._record.item_changed:
            self._new_item.is_used("it has, or may have, its new content")
        if self._declared.keep_failed_session:
            self._new_item.is_used("keep_failed_session says")
        return self._new_item.take_away()

    def _so_far(self) -> dict[str, Any]:
        changed = self._record.changed or self._new_item.stays
        return {"changed": changed, "item_created": self._new_item.stays, **self._moved()}

    def _verified(self, name: str, verdicts: Mapping[str, Verdict]) -> bool | None:
        if name not in verdicts:
            return None
        unverified = self._upload.unverified if self._upload else set()
        return verdicts[name] is Verdict.EQUAL and name not in unverified

    def _moved(self) -> dict[str, Any]:
        moved: dict[str, Any] = {"item_changed": self._record.item_changed}
        if self._upload and self._upload.transferred["files"]:
            moved["transferred"] = self._upload.transferred
        return moved


def _item_result(item: LibraryItem | None) -> dict[str, Any] | None:
    return {name: getattr(item, name) for name in ITEM_RESULT} if item else None
