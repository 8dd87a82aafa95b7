# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has done to update sessions so far, and what its message says of that when it fails or is ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .._session.states import Completion, Fate

REACHED: Mapping[Completion, str] = {
    Completion.UNKNOWN: "it may have been completed",
    Completion.ACCEPTED: "its completion was accepted",
    Completion.FAILED: "its completion failed",
    Completion.DONE: "it was completed",
}
ASKED = (Completion.UNKNOWN, Completion.ACCEPTED)
MAY_BE_DONE = (*ASKED, Completion.DONE)


class Withdraw(Protocol):
    def __call__(self, session_id: str, *, was_asked: bool) -> Fate:
        """Cancel and delete a session, unless its completion was asked for; returns its fate."""


@dataclass
class SessionRecord:
    """What a task has done to its current session, and to those before.

    The task found the session, or created it. If the task fails, it removes one that it created, unless `keep` is set.
    The task records each step at once, so the record is true whenever the task ends.
    """

    keep: bool
    session_id: str = ""
    is_ours: bool = False
    completion: Completion = Completion.NONE
    changes: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    _was_published: bool = False
    _is_foreign: bool = False

    def was_found(self, session_id: str) -> None:
        if session_id == self.session_id:
            return
        if self._all_changes:
            self.earlier.append(self._tell_found())
        self._was_published = self.item_changed
        self._begin(session_id)

    def was_made(self, session_id: str) -> None:
        self.was_found(session_id)
        self.is_ours = True
        self.was_changed(f"session {session_id} was created")

    def was_changed(self, change: str) -> None:
        """Record a change in the session, in words."""
        self.changes.append(change)

    def was_not_changed(self, change: str) -> None:
        """Remove a recorded change that did not happen after all."""
        self.changes.remove(change)

    def reached(self, completion: Completion) -> None:
        self.completion = completion

    def was_foreign(self) -> None:
        """The session that the task seemed to have created belongs to somebody else."""
        self._begin(self.session_id)
        self._is_foreign = True

    def was_replaced(self) -> None:
        """The task has removed the session that it found, to create another one."""
        self.earlier.append(f"Session {self.session_id}, which was found and held its descriptor already, was removed.")
        self.has_gone()

    def has_gone(self) -> None:
        """The session is gone."""
        self._begin("")

    @property
    def item_changed(self) -> bool:
        """Whether this task has, or may have, changed the content of the item."""
        return self._was_published or self.completion in MAY_BE_DONE

    @property
    def was_asked(self) -> bool:
        """Whether vCenter may still be completing the session, as this task asked for."""
        return self.completion in ASKED

    @property
    def changed(self) -> bool:
        stays = not self.is_ours or self.keep
        return bool(self.earlier) or self.item_changed or (stays and bool(self._all_changes))

    def told_of_earlier(self) -> str:
        """The sentences on the sessions before the current one."""
        return " ".join(self.earlier)

    def undo(self, withdraw: Withdraw) -> str:
        """Remove the session if the task created it, after a failure or a signal; returns a sentence on its fate."""
        if not self.session_id:
            return ""
        if self._is_foreign:
            return f"Session {self.session_id} was not created by this task, and stays as it was."
        if not self.is_ours:
            return self._tell_found()
        if self.completion is Completion.DONE:
            return self._tell(Fate.COMPLETED)
        if self.keep and not self.was_asked:
            return f"Session {self.session_id}, which this task created, is kept, as keep_failed_session says."
        fate = withdraw(self.session_id, was_asked=self.was_asked)
        said = self._tell(fate)
        self.completion = self._completion_by(fate)
        return said

    def _begin(self, session_id: str) -> None:
        self.session_id, self.is_ours, self._is_foreign = session_id, False, False
        self.completion, self.changes = Completion.NONE, []

    @property
    def _all_changes(self) -> list[str]:
        return self.changes + [text for reached, text in REACHED.items() if reached is self.completion]

    def _completion_by(self, fate: Fate) -> Completion:
        if fate is Fate.COMPLETED:
            return Completion.DONE
        return Completion.NONE if fate is Fate.CANCELED or not self.item_changed else self.completion

    def _tell_found(self) -> str:
        changes = "; ".join(self._all_changes) or "nothing"
        return f"Session {self.session_id} was found, not created by this task, and stays. Changed in it: {changes}."

    def _tell(self, fate: Fate) -> str:
        session = f"Session {self.session_id}"
        if fate is Fate.COMPLETED:
            return f"{session} had been completed by then, so the item has its new content."
        if fate is Fate.LEFT:
            why = "has accepted its completion and goes on with it"
            if self.completion is Completion.UNKNOWN:
                why = "may be completing it"
            return (
                f"{session} stays, and so does the item, as vCenter {why}. "
                "vsphere.content.content_library_session_info shows what has become of it."
            )
        if fate is Fate.GONE and self.item_changed:
            return (
                f"{session} had ended before it could be canceled, so the item may have its new content. Another run "
                "sends what is missing."
            )
        if fate is Fate.GONE:
            return f"{session}, which this task created, has gone."
        return "The session, which this task created, was canceled and deleted."
