# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task finds its download sessions, and the files in `dest`; it changes none."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._item.item_lookup import resolve_item
from .._session.finding import doubted, find_sessions, own_ids, predicted
from .._task.converge import Task
from .._transfer.comparison import Verdict, held_by_item
from .._transfer.hashing import hash_opened
from .._transfer.local_file import COMPARED, Identity, identity_of
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, NotFound
from .._vcenter.models import DownloadSession
from .attributes import FileAttributes
from .destination import Folder, require_one_component
from .download_plan import Declared, Found, Local, compare_local, plan_download
from .selection import match_names, require_distinct_names, require_fetchable, require_fitting_checksums


class DownloadFinder:
    """Reads what is there, and compares the files in `folder` with those of the item."""

    def __init__(
        self,
        api: Api,
        declared: Declared,
        params: Mapping[str, Any],
        folder: Folder | None,
        attributes: FileAttributes,
        task: Task,
        *,
        check_mode: bool,
    ) -> None:
        self._api = api
        self._declared = declared
        self._params = params
        self._folder = folder
        self._attributes = attributes
        self._task = task
        self._check_mode = check_mode

    def find(self) -> Found:
        """Find what is there. Raises `NotFound`, `InvalidArgument` or `ChecksumMismatch` if the options do not fit."""
        declared = self._declared
        if declared.session_id:
            return self._with_files(self._look_by_id(declared.session_id))
        item_id = resolve_item(self._api, self._params)
        if self._folder:
            return self._with_local(Found(item_id, content=tuple(self._api.list_item_files(item_id))), self._folder)
        timing = self._task.clock.timing
        sessions = find_sessions(self._api.downloads, item_id, timing, on_refused=self._meet_refusal)
        return self._with_files(Found(item_id, tuple(sessions)))

    def _meet_refusal(self, refusal: ApiError) -> None:
        """A user who may only read gets a prediction all the same."""
        if not self._check_mode:
            raise refusal
        self._task.warn(predicted(refusal))

    def compare(
        self,
        found: Found,
        folder: Folder,
        entries: Mapping[str, os.stat_result],
        verdicts: Mapping[str, Verdict],
    ) -> dict[str, Local]:
        """Compare the wanted files in dest, except those with a verdict. A symbolic link is not followed."""
        held, local = held_by_item(found.content), {}

        def digest(_path: str, algorithm: str, offset: int, size: int, identity: Identity | None) -> str:
            with folder.opened(name, COMPARED) as descriptor:
                return hash_opened(descriptor, path, algorithm, offset, size, identity)

        for name, entry in entries.items():
            path, identity = folder.path_of(name), identity_of(entry)
            if not stat.S_ISREG(entry.st_mode):
                local[name] = Local(None, Verdict.DIFFERENT, identity)
                continue
            declared = self._declared.checksums.get(name)
            verdict = verdicts.get(name) or compare_local(path, name, identity, held[name], declared, digest)
            attributes = self._attributes.differences(path, folder.place_of(name), entry)
            local[name] = Local(entry.st_size, verdict, identity, attributes)
        return local

    def _look_by_id(self, session_id: str) -> Found:
        try:
            session = self._api.downloads.get(session_id)
        except NotFound:
            if self._declared.state == "absent":
                return Found(None)
            raise
        return Found(session.library_item_id, (session,))

    def _with_files(self, found: Found) -> Found:
        """Add the files of the ACTIVE session, or those of the item if there is no session."""
        declared, session = self._declared, found.active
        if declared.state != "active" or (declared.session_id and not session):
            return found
        if session:
            found = replace(found, files=tuple(self._api.downloads.files(str(session.id))))
        else:
            found = replace(found, content=tuple(self._api.list_item_files(str(found.library_item_id))))
        names = [file.name for file in (found.files if session else found.content)]
        return self._with_wanted(found, names, session)

    def _with_local(self, found: Found, folder: Folder) -> Found:
        found = self._with_wanted(found, [file.name for file in found.content])
        for name in found.wanted:
            require_one_component(name)
        require_distinct_names(found.wanted)
        self._attributes.require_settable(folder.path, folder.others())
        entries = folder.look(found.wanted)
        warning = folder.warning(entries, self._attributes.owner)
        if warning:
            self._task.warn(warning)
        found = replace(found, local=self.compare(found, folder, entries, {}))
        if self._check_mode and plan_download(self._declared, found).fetch:
            # To list sessions takes the privilege that it takes to create one.
            own_ids(self._api.downloads, found.library_item_id, lambda refusal: self._task.warn(doubted(refusal)))
        return found

    def _with_wanted(self, found: Found, names: Sequence[str], session: DownloadSession | None = None) -> Found:
        declared = self._declared
        if not names and not declared.allow_empty and not session:
            require_fetchable(self._api.get_item(str(found.library_item_id)))
        wanted = match_names(declared.patterns, names, session=session, allow_empty=declared.allow_empty)
        require_fitting_checksums(declared, wanted, found.files if session else found.content)
        return replace(found, wanted=wanted)
