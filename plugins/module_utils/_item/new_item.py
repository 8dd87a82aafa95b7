# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a library item is created, and how a task that fails deletes the one that it created."""

from __future__ import annotations

import uuid
from contextlib import suppress

from .._session.finding import find_sessions
from .._session.lost_answers import insist, make_surely
from .._task.converge import Overtaken, Task
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, ContentError, NotFound, some_of
from .._vcenter.models import Library, LibraryItem
from .item_lookup import require_local_library


def create_item(api: Api, item: LibraryItem, *, type_option: str) -> str:
    """Create an item; returns its identifier. Raises `Overtaken` if somebody else has just created one of that name.

    `type_option` is what the module calls the type, for the remedy of a refusal.
    """
    try:
        token = str(uuid.uuid4())
        return make_surely(lambda: api.create_item(item, token))
    except ApiError as error:
        if error.error_type == "ALREADY_EXISTS":
            raise Overtaken(error) from None
        # The refusal stays the failure, even if the task cannot find out the reason.
        library = Library()
        with suppress(ContentError):
            library = api.get_library(str(item.library_id))
        if error.error_type == "INVALID_ELEMENT_TYPE":
            require_local_library(library, error.messages)
        if library.security_policy_id and error.error_type in REFUSALS_BY_POLICY:
            error.remedy = explain_policy(library, type_option)
        raise


# What vCenter answers to an item that a security policy excludes differs. Other types have another reason.
REFUSALS_BY_POLICY = (
    "ERROR",
    "INVALID_ARGUMENT",
    "INVALID_ELEMENT_TYPE",
    "NOT_ALLOWED_IN_CURRENT_STATE",
    "UNSUPPORTED",
)


def explain_policy(library: Library, type_option: str) -> str:
    return (
        f"Library {library.name!r} enforces the security policy {library.security_policy_id}: it takes items of type "
        f"ovf only, with a signature that vCenter can verify. Set {type_option}: ovf, or use a library without a "
        "security policy."
    )


class NewItem:
    """The item that a task creates because there is none, and that it deletes again if it fails.

    It deletes the item only if the item is as it was created: no file, the same content version, and no session that
    this user can see. vCenter has no deletion that depends on what it finds, and shows nobody the sessions of others.
    So what somebody else begins after the last look is lost with the item.
    """

    def __init__(self, api: Api, task: Task) -> None:
        self._api = api
        self._task = task
        self._wanted: LibraryItem | None = None
        self._item: LibraryItem | None = None
        self._used = ""
        self.was_created = False
        self.stays = False
        """Whether this task has created an item, or may have, and has not deleted it again."""

    def create(self, wanted: LibraryItem) -> LibraryItem:
        """Create the item; returns it as vCenter describes it. Raises `Overtaken`."""
        with self._task.shield():
            self._wanted, self.stays = wanted, True
            try:
                item_id = create_item(self._api, wanted, type_option="item_type")
            except (ContentError, Overtaken) as error:
                self.stays = isinstance(error, ContentError) and error.may_have_happened
                raise
            self.was_created = True
            self._wanted = LibraryItem(id=item_id, library_id=wanted.library_id, name=wanted.name)
            self._item = self._api.get_item(item_id)
        self._task.progress.say("item created")
        return self._item

    def is_used(self, reason: str) -> None:
        """Note why the item must not be deleted, as the end of a sentence."""
        self._used = self._used or reason

    def take_away(self) -> str:
        """Delete the item if it is as it was created, after a failure or a signal; returns a sentence about it."""
        wanted = self._wanted
        if wanted is None or not self.stays:
            return ""
        if not self.was_created:
            return f"The item {wanted.name} may have been created, and would then be empty. Another run finds it."
        called = f"The item {wanted.name} ({wanted.id}), which this task created,"
        try:
            if reason := self._used or self._difference():
                return f"{called} stays, as {reason}."
            with suppress(NotFound):
                insist(lambda: self._api.delete_item(str(wanted.id)), self._task.clock)
        except ContentError as error:
            error.notes.append(f"{called} is left behind. Another run finds it.")
            raise
        self.stays = False
        return f"{called} was deleted again."

    def _difference(self) -> str:
        """Why the item must stay, as the end of a sentence; an empty text if it is as it was created."""
        made = self._item
        if made is None:
            return "the task never saw it as it was created"
        item_id = str(made.id)
        try:
            item = self._api.get_item(item_id)
            files = self._api.list_item_files(item_id)
        except NotFound:
            return ""
        if files:
            return f"it holds {some_of([file.name for file in files])} by now"
        if item.content_version != made.content_version:
            return f"its content version is {item.content_version} by now, and was {made.content_version}"
        sessions = find_sessions(self._api.updates, item_id, self._task.clock.timing)
        return f"update session {sessions[0].id} is {sessions[0].state} on it" if sessions else ""
