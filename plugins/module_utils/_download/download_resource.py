# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The download session, or the fetched files, that a task declares, for `converge`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .._session.ending import delete, discard, end
from .._session.lost_answers import noted
from .._session.opening import is_new, open_session, used_before
from .._session.states import Step
from .._task.converge import Task
from .._transfer.comparison import Verdict, bytes_of
from .._transfer.local_file import identity_of, require_same_opened
from .._vcenter.api import Api
from .._vcenter.errors import ContentError
from .._vcenter.models import DownloadSession
from .._vcenter.schema import to_result
from .attributes import FileAttributes
from .destination import ADJUSTED, Folder
from .download_finder import DownloadFinder
from .download_plan import (
    Declared,
    Found,
    Local,
    Plan,
    describe_local,
    describe_prepared,
    plan_download,
    project_download,
)
from .fetch import Download
from .leftovers import discard_left, warn_if_left
from .partial import Partial
from .prepare import prepare_files
from .session_mark import SessionMark, mark_for


class DownloadSessionResource:
    """A download session, or fetched files, for `converge`."""

    def __init__(
        self,
        api: Api,
        declared: Declared,
        params: Mapping[str, Any],
        task: Task,
        attributes: FileAttributes,
        *,
        check_mode: bool,
    ) -> None:
        self._api = api
        self._declared = declared
        self._task = task
        self._attributes = attributes
        self._folder = Folder(declared.dest) if declared.dest is not None else None
        self._finder = DownloadFinder(api, declared, params, self._folder, attributes, task, check_mode=check_mode)
        self._changes: list[str] = []
        self._is_foreign = False
        self._kept: DownloadSession | None = None
        self._download: Download | None = None

    def read(self) -> Found:
        return self._finder.find()

    def plan(self, before: Found) -> Plan:
        return plan_download(self._declared, before)

    def project(self, state: Found) -> dict[str, Any]:
        return project_download(self._declared, state)

    def expect(self, plan: Plan) -> Mapping[str, Any]:
        return plan.expected

    def apply(self, plan: Plan) -> Found:
        # If this task created the session, its undo removes all changes in it.
        stays = [] if plan.opens else self._changes
        self._task.on_failure(lambda: f"Changed, and not put back: {'; '.join(stays)}." if stays else "")
        self._task.so_far = lambda: {"changed": bool(stays or self._moved()), **self._moved()}
        if self._folder:
            return self._fetch(plan, self._folder)
        return self._prepare(plan) if self._declared.state == "active" else self._end(plan)

    def result(self, state: Found) -> dict[str, Any]:
        declared = self._declared
        session = self._kept if self._folder else state.active or next(reversed(state.sessions), None)
        outcome = {"session": to_result(session) if session else None, **self._moved()}
        if self._folder:
            content = {file.name: file for file in state.content}
            fetched = self._download.fetched if self._download else {}
            outcome["files"] = [
                describe_local(content[name], self._folder.path_of(name), state.local.get(name), fetched.get(name))
                for name in state.wanted
            ]
        elif declared.state == "active":
            files = {file.name: file for file in state.files}
            outcome["files"] = [describe_prepared(files[name]) for name in state.wanted if name in files]
        return outcome

    def _prepare(self, plan: Plan) -> Found:
        declared, found = self._declared, plan.found
        session = self._open(found) if plan.opens else found.active
        if session is None:
            return found
        session_id = str(session.id)
        if plan.client_progress is not None:
            with noted("client_progress was set", self._changes.append):
                self._api.downloads.keep_alive(session_id, plan.client_progress)
        elif declared.keep_alive:
            self._api.downloads.keep_alive(session_id)
        if plan.expected == self.project(found):
            return found
        prepare_files(
            self._api.downloads,
            session_id,
            plan.prepare,
            declared.endpoint_type,
            wait_timeout=declared.wait_timeout,
            clock=self._task.clock,
            on_change=self._changes.append,
        )
        session = self._api.downloads.get(session_id)
        return replace(found, sessions=(session,), files=tuple(self._api.downloads.files(session_id)))

    def _open(self, found: Found) -> DownloadSession:
        session_id = open_session(
            self._api.downloads,
            DownloadSession(library_item_id=found.library_item_id),
            client_token=self._declared.client_token,
            shield=self._task.shield,
            on_created=lambda created: self._task.on_failure(lambda: self._undo_open(created)),
        )
        session = self._api.downloads.get(session_id)
        if self._declared.has_client_token and not is_new(session, found.library_item_id):
            self._is_foreign = True
            raise used_before(session, "download_session.create")
        return session

    def _undo_open(self, session_id: str) -> str:
        if self._is_foreign:
            return f"Session {session_id} was not created by this task, and stays as it was."
        discard(self._api.downloads, session_id, self._task.clock)
        return "The session, which this task created, was canceled and deleted."

    def _end(self, plan: Plan) -> Found:
        steps = dict(plan.steps)
        left = []
        for session in plan.found.sessions:
            step = steps.get(str(session.id))
            after = self._take_end(str(session.id), step) if step else session
            left.extend([after] if after else [])
        return replace(plan.found, sessions=tuple(left))

    def _take_end(self, session_id: str, step: Step) -> DownloadSession | None:
        return end(
            self._api.downloads,
            session_id,
            step,
            called=f"session {session_id}",
            error_message=self._declared.error_message,
            on_change=self._changes.append,
            clock=self._task.clock,
        )

    def _mark(self, found: Found, folder: Folder) -> SessionMark:
        """Place a mark, so that the next run finds the session if this one is killed."""
        mark = mark_for(folder, str(found.library_item_id), self._declared.client_token)
        self._task.on_failure(mark.remove)
        mark.place()
        return mark

    def _fetch(self, plan: Plan, folder: Folder) -> Found:
        declared, found = self._declared, plan.found
        discard_left(
            self._api.downloads,
            folder,
            str(found.library_item_id),
            client_token=declared.client_token,
            clock=self._task.clock,
            warn=self._task.warn,
        )
        for name in plan.adjust:
            self._adjust(folder, name, found.local[name])
        if plan.fetch:
            mark = self._mark(found, folder)
            wanted = [file for file in found.content if file.name in plan.fetch]
            self._task.progress.expect({file.name: bytes_of(file) for file in wanted})
            session = self._open(found)
            self._task.progress.step("session created")
            self._download = Download(
                self._api,
                session,
                folder,
                declared,
                self._task.clock,
                self._dress,
                self._task.warn,
                self._task.progress,
            )
            self._download.fetch(wanted)
            for name in plan.fetch:
                self._attributes.set_flags(folder.path_of(name), folder.place_of(name))
            if declared.keep_session:
                self._kept = self._api.downloads.get(str(session.id))
            else:
                delete(self._api.downloads, str(session.id), self._task.clock)
            warn_if_left(mark.remove(), self._task.warn)
        entries = folder.look(found.wanted)
        return replace(found, local=self._finder.compare(found, folder, entries, self._known(plan, entries)))

    def _known(self, plan: Plan, entries: Mapping[str, os.stat_result]) -> dict[str, Verdict]:
        """The verdicts on the files in dest that the task has compared or fetched already."""
        fetched = self._download.fetched if self._download else {}
        known: dict[str, Verdict] = {}
        for name, entry in entries.items():
            now, before = identity_of(entry), plan.found.local.get(name)
            if name in fetched:
                if now.has_content_of(fetched[name].identity):
                    known[name] = Verdict.EQUAL
            elif before and (now == before.identity or (name in plan.adjust and now.has_content_of(before.identity))):
                known[name] = before.verdict
        return known

    def _dress(self, partial: Partial) -> None:
        place = partial.folder.place_of(partial.name)
        self._attributes.dress(partial.descriptor, partial.target, place, partial.heir())

    def _adjust(self, folder: Folder, name: str, local: Local) -> None:
        """Give an equal file the declared attributes; some may be set before one fails."""
        path, place = folder.path_of(name), folder.place_of(name)
        what = f"attributes of {path} were set"
        with folder.opened(name, ADJUSTED) as descriptor:
            require_same_opened(path, local.identity, ADJUSTED, descriptor)
            folder.require_one_name(name, descriptor)
            try:
                self._attributes.adjust(descriptor, path, place)
            except ContentError:
                with suppress(ContentError):
                    if self._attributes.differences(path, place, os.fstat(descriptor)) != local.attributes:
                        self._changes.append(f"some {what}")
                raise
            self._changes.append(what)

    def _moved(self) -> dict[str, Any]:
        return {"transferred": self._download.transferred} if self._download and self._download.fetched else {}
