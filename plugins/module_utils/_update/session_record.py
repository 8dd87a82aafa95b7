# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has done so far to update sessions, and what is told of that when it fails or is ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._session.completion import Completion
from .._session.lost_answers import Fate

REACHED: Mapping[Completion, str] = {
    Completion.UNKNOWN: "it may have been completed",
    Completion.ACCEPTED: "its completion was accepted",
    Completion.FAILED: "its completion failed",
    Completion.DONE: "it was completed",
}
ASKED = (Completion.UNKNOWN, Completion.ACCEPTED)
MAY_BE_DONE = (*ASKED, Completion.DONE)


class Withdraw(Protocol):
    def __call__(self, session_id: str, *, asked: bool) -> Fate:
        """Undo the making of a session, unless its completion was asked for; returns what has become of it."""


@dataclass
class Outcome:
    """One session is worked on at a time, one that was C(found), or C(made) by this task, which is undone on failure
    unless it is to be kept.

    Each step is noted as soon as it has been taken, so that what is told is true whenever the task ends.
    """

    keep: bool
    session_id: str = ""
    made: bool = False
    completion: Completion = Completion.NONE
    changes: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    _published: bool = False
    _foreign: bool = False

    def find(self, session_id: str) -> None:
        if session_id == self.session_id:
            return
        if self._all_changes:
            self.earlier.append(self._tell_found())
        self._published = self.item_changed
        self._begin(session_id)

    def make(self, session_id: str) -> None:
        self.find(session_id)
        self.made = True
        self.note(f"session {session_id} was made")

    def note(self, change: str) -> None:
        """Something was changed in the session; in words."""
        self.changes.append(change)

    def retract(self, change: str) -> None:
        """What was noted is seen not to have been changed after all."""
        self.changes.remove(change)

    def reach(self, completion: Completion) -> None:
        self.completion = completion

    def disown(self) -> None:
        """What seemed to have been made is somebody else's."""
        self._begin(self.session_id)
        self._foreign = True

    def replace(self) -> None:
        """The session that was found has been removed, to make another one."""
        self.earlier.append(f"Session {self.session_id}, which was found and held its descriptor already, was removed.")
        self.forget()

    def forget(self) -> None:
        """The session has been removed, and nothing of it is left."""
        self._begin("")

    @property
    def item_changed(self) -> bool:
        """Whether the item has, or may have, new content by this task."""
        return self._published or self.completion in MAY_BE_DONE

    @property
    def asked(self) -> bool:
        """Whether vCenter goes on with what it was asked for, as far as is known."""
        return self.completion in ASKED

    @property
    def changed(self) -> bool:
        stays = not self.made or self.keep
        return bool(self.earlier) or self.item_changed or (stays and bool(self._all_changes))

    @property
    def result(self) -> dict[str, Any]:
        return {"changed": self.changed, "item_changed": self.item_changed}

    def tell_earlier(self) -> str:
        """What to say of the sessions that were worked on before."""
        return " ".join(self.earlier)

    def undo(self, withdraw: Withdraw) -> str:
        """End what was made, as the task has failed or was ended; returns what to say of the session."""
        if not self.session_id:
            return ""
        if self._foreign:
            return f"Session {self.session_id} was not made by this task, and stays as it was."
        if not self.made:
            return self._tell_found()
        if self.completion is Completion.DONE:
            return self._tell(Fate.COMPLETED)
        if self.keep and not self.asked:
            return f"Session {self.session_id}, which this task made, is kept, as keep_failed_session says."
        fate = withdraw(self.session_id, asked=self.asked)
        said = self._tell(fate)
        self.completion = self._completion_by(fate)
        return said

    def _begin(self, session_id: str) -> None:
        self.session_id, self.made, self._foreign = session_id, False, False
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
        return f"Session {self.session_id} was found, not made by this task, and stays. Changed in it: {changes}."

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
            return f"{session}, which this task made, has gone."
        return f"{session}, which this task made, was canceled and deleted."
