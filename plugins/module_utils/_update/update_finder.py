# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task finds its update session and the content of the item; it changes neither."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._item.item_lookup import find_named_item, require_local_library
from .._session.finding import Vanished, await_idle, find_active, predicted
from .._session.states import Step
from .._session.waiting import Patience, patience_from
from .._task.converge import Task
from .._transfer.comparison import compare_with_item, compare_with_session, needs_item_content
from .._transfer.local_file import COMPARED, SENT, require_same
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, NotFound
from .._vcenter.models import Library, LibraryItem, UpdateSession
from .missing_item import item_to_create
from .objections import (
    manifest_objections,
    require_accepted_signer,
    require_declared_type,
    require_fitting_item,
    require_one_package,
    spared_warning,
    undecided_warning,
    unnamed_ova_warnings,
)
from .update_plan import Declared, Found, Plan, needs_restart, plan_update

# Most runs find nothing to do. They start faster because the files that move bytes are imported only where needed.
if TYPE_CHECKING:
    from .._transfer.hashing import Digests


class UpdateFinder:
    """Reads what is there, compares it with the declared state, and plans the rest."""

    def __init__(
        self, api: Api, declared: Declared, params: Mapping[str, Any], task: Task, *, check_mode: bool
    ) -> None:
        self._api = api
        self._declared = declared
        self._params = params
        self._task = task
        self._check_mode = check_mode
        self._warned: set[str] = set()
        self._refusal: ApiError | None = None

    def find(self) -> Found:
        """Find what is there, after a wait for others who work in a session that the task would change.

        Has vCenter probe the files that it will pull. Raises `InvalidArgument`, `NotFound`, `ResourceBusy` or
        `NotAllowedInCurrentState` for an impossible task, before anything is changed.
        """
        vanished = Vanished(self.patience, self._task.clock)
        self._refusal = None
        found = self._look(vanished)
        while found.session and self._declared.session_id is None and (plan := self._plan(found)).touches_session:
            self.expect(plan)
            seen = found.session
            with self._task.progress.waiting("what becomes of the session that was found"):
                session, files, claimable = await_idle(
                    self._api.updates, seen, changes=plan.disturbs, patience=self.patience, clock=self._task.clock
                )
            if session:
                found = replace(found, session=session, active=session, files=tuple(files), claimable=claimable)
                found = self.compared(found)
                break
            vanished.note(seen)
            found = self._look(vanished)
        plan = self.final_plan(found)
        self._require_listed(plan)
        if found.item and (plan.opens or plan.files.push or plan.description is not None):
            if not found.session and found.item.library_id:
                require_local_library(self._api.get_library(found.item.library_id))
            require_fitting_item(self._declared, found, found.item)
        elif found.missing:
            require_fitting_item(self._declared, found, found.missing)
        if plan.files.push:
            from .pull import probe

            self._check_packages(plan)
            for file in plan.files.push:
                if text := probe(self._api.updates, file):
                    self._warn_once(text)
        return found

    def _check_packages(self, plan: Plan) -> None:
        """Raise, or warn of, what vCenter would refuse after the upload."""
        wanted, item = self._declared.wanted, plan.found.item or plan.found.missing
        if wanted is None or item is None:
            return
        for text in (*wanted.remarks, *unnamed_ova_warnings(plan, item)):
            self._warn_once(text)
        for objection in manifest_objections(wanted, self.digests.of):
            if self._declared.check_manifest:
                raise objection
            self._warn_once(objection.said)

    def _plan(self, found: Found) -> Plan:
        return plan_update(self._declared, found)

    def _look(self, vanished: Vanished) -> Found:
        declared = self._declared
        while True:
            found = self._find_session()
            if not found.alive or not found.session:
                return self.compared(found)
            try:
                files = self._api.updates.files(str(found.session.id)) if declared.fills else ()
            except NotFound:
                if declared.session_id:
                    raise
                vanished.note(found.session)
            else:
                return self.compared(replace(found, active=found.session, files=tuple(files)))

    def _find_session(self) -> Found:
        if self._declared.session_id:
            try:
                session = self._api.updates.get(self._declared.session_id)
            except NotFound:
                if self._declared.state == "absent":
                    return Found(None)
                raise
            return Found(self._item_of(session.library_item_id), session=session)
        named = self._named_item()
        if named is None:
            return Found(None)
        if isinstance(named, Library):
            return Found(None, missing=self._item_to_create(named))
        require_declared_type(self._declared, named)
        active = find_active(self._api.updates, str(named.id), self._task.clock.timing, on_refused=self._note_refusal)
        return Found(named, session=active)

    def _note_refusal(self, refusal: ApiError) -> None:
        self._refusal = refusal

    def _require_listed(self, plan: Plan) -> None:
        """Require that the user may see its sessions, unless the item already holds what the task declares.

        In check mode this is a warning: a user who may only read gets the prediction all the same.
        """
        done = plan.step is Step.NOTHING and self._declared.wanted is not None
        if self._refusal is None or done:
            return
        if not self._check_mode:
            raise self._refusal
        self._warn_once(predicted(self._refusal))

    def _item_of(self, item_id: str | None) -> LibraryItem | None:
        """The item of a session. Somebody may have deleted it, and the task can end the session all the same."""
        if item_id is None:
            return None
        try:
            return self._api.get_item(item_id)
        except NotFound:
            return LibraryItem(id=item_id)

    def _named_item(self) -> LibraryItem | Library | None:
        """The item, its library if it is missing, or None if an item that is named by its identifier has gone."""
        try:
            # When a task creates the item, vCenter refuses a library that takes none. Only check mode has to read it.
            return find_named_item(self._api, self._params, reads_library=self._check_mode)
        except NotFound:
            if self._declared.state == "absent" and self._params["library_item_id"]:
                return None
            raise

    def _item_to_create(self, library: Library) -> LibraryItem | None:
        missing = item_to_create(
            self._declared,
            self._params["library_item"],
            library,
            check_mode=self._check_mode,
            warn=self._warn_once,
        )
        if missing:
            require_local_library(library)
        return missing

    def compared(self, found: Found) -> Found:
        """Add the verdicts on the wanted files; the item's files are read only if they matter."""
        declared, wanted = self._declared, self._declared.wanted
        if not wanted or not declared.fills or (found.session and not found.alive):
            return found
        if not found.alive or declared.state == "done" or needs_item_content(wanted, found.files):
            found = self.with_content(found)
        if found.alive:
            found = replace(found, in_session=compare_with_session(wanted, found.files, found.in_item, self.digests.of))
            if not found.in_item and needs_restart(declared, found):
                found = self.with_content(found)
        self.require_unchanged()
        return found

    def knows_content(self, found: Found, session: UpdateSession) -> bool:
        """Whether the item holds what was read of it when vCenter opened the session, as from then on nobody else may.

        `content_version` grows with each change of the content, and the session has the one that it was opened at. The
        item was read before its files.
        """
        item = found.item or LibraryItem()
        is_seen = bool(found.content) or not item.size
        return (
            is_seen
            and item.content_version is not None
            and item.content_version == session.library_item_content_version
        )

    def with_content(self, found: Found) -> Found:
        """Read the item's files now, and add them and the verdicts on them."""
        content = tuple(self._api.list_item_files(str(found.library_item_id))) if found.item else ()
        wanted = self._declared.wanted
        in_item = compare_with_item(wanted, content, self.digests.of) if wanted else {}
        return replace(found, content=content, in_item=in_item)

    def final_plan(self, found: Found) -> Plan:
        """The plan once nobody else is at work, after a warning if files stay. Raises what `objections` raise."""
        plan = self._plan(found)
        require_one_package(plan)
        require_accepted_signer(self._declared, plan)
        for text in (spared_warning(self._declared, plan), undecided_warning(self._declared, plan)):
            if text:
                self._warn_once(text)
        return plan

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._task.warn(text)

    def require_unchanged(self, sent: Collection[str] = ()) -> None:
        """Require that no local file has changed, also those that were compared or sent first. Raises FileChanged."""
        for file in self._declared.wanted.files if self._declared.wanted else ():
            if file.path and file.identity:
                require_same(file.path, file.identity, SENT if file.name in sent else COMPARED)

    @cached_property
    def patience(self) -> Patience:
        return patience_from(self._task.clock, self._declared.busy_timeout)

    @cached_property
    def digests(self) -> Digests:
        from .._transfer.hashing import Digests

        return Digests()

    def expect(self, plan: Plan) -> None:
        """Tell the progress which files will move."""
        self._task.progress.expect({file.name: file.size for file in plan.files.push})
