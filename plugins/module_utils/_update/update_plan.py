# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change about an update session to get from the found to the declared state, and what a diff shows of both.

It joins `UPDATE_STEPS` of `states`, the table of declared and found states, with `plan_files` of `file_plan`. Pure: no
server, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.states import ACTIVE, COMPLETING_PROGRESS, ENDS, Step, choose_step
from .._transfer.comparison import Held, Verdict, held_by_item, held_by_session, is_filled, names_unchanged
from .._transfer.content import Wanted
from .._vcenter.errors import NotAllowedInCurrentState
from .._vcenter.models import LibraryItem, LibraryItemFile, UpdateFile, UpdateSession
from .file_plan import FilePlan, expect_item, expect_session, plan_files, project_item, project_session

NO_FILES = FilePlan()


@dataclass(frozen=True)
class Declared:
    """The options of the task, checked; `ignored_warnings`, `accepted_signer` and `wanted` are None if not declared."""

    session_id: str | None
    state: str
    ignored_warnings: tuple[str, ...] | None
    accepted_signer: str | None
    wanted: Wanted | None
    accept_unverifiable: bool
    check_manifest: bool
    client_progress: int | None
    error_message: str | None
    keep_alive: bool
    client_token: str
    has_client_token: bool
    wait: bool
    wait_timeout: int
    parallel_transfers: int
    busy_timeout: int
    keep_failed_session: bool
    create_item: bool
    item_type: str | None
    item_description: str | None

    @property
    def fills(self) -> bool:
        """Whether the task declares files, and a state in which they matter."""
        return self.wanted is not None and self.state in ("active", "done")


@dataclass(frozen=True)
class Found:
    """What is on the server, as far as the task needed it; `active` is the session when it was last ACTIVE.

    If the named item is missing, `item` is None, and `missing` is the one that the task would create. `in_session` and
    `in_item` are the verdicts on the wanted files. `promised` is the projection after a completion that vCenter
    accepted and the task did not wait for. `claimable` is False if no task can make the session its own. One that would
    send files replaces it then, as of several tasks vCenter lets only one make a new session.
    """

    item: LibraryItem | None
    missing: LibraryItem | None = None
    session: UpdateSession | None = None
    active: UpdateSession | None = None
    files: tuple[UpdateFile, ...] = ()
    content: tuple[LibraryItemFile, ...] = ()
    in_session: Mapping[str, Verdict] = field(default_factory=dict)
    in_item: Mapping[str, Verdict] = field(default_factory=dict)
    promised: Mapping[str, Any] | None = None
    claimable: bool = True

    @property
    def library_item_id(self) -> str | None:
        return self.item.id if self.item else None

    @property
    def alive(self) -> bool:
        return self.session is not None and self.session.state == ACTIVE


@dataclass(frozen=True)
class Plan:
    """What to do, in this order: open a new session, set the values that are not None, move files, take the step.

    On a missing item the task creates the item before the session. `description` is what an item that is there gets in
    the end; None if it keeps its own. `resumes` says that an earlier run may have asked for the completion of the found
    session. Then the task asks once more before it sends or cancels anything.
    """

    found: Found
    step: Step
    opens: bool = False
    resumes: bool = False
    ignored_warnings: tuple[str, ...] | None = None
    client_progress: int | None = None
    files: FilePlan = NO_FILES
    description: str | None = None
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def touches_session(self) -> bool:
        """Whether the plan changes values or files of the found session, or completes it."""
        values = self.ignored_warnings is not None or self.client_progress is not None
        return values or bool(self.files) or self.step is Step.COMPLETE

    @property
    def disturbs(self) -> bool:
        """Whether the plan would harm another task at work in the found session; a mere completion would not."""
        return self.opens or self.ignored_warnings is not None or bool(self.files)


def plan_update(declared: Declared, found: Found) -> Plan:
    """The plan for the declared state. Raises NotAllowedInCurrentState if the found session cannot reach it."""
    plan = _plan_session(declared, found)
    if not declared.fills or not found.item or declared.item_description in (None, found.item.description or ""):
        return plan
    item = {**plan.expected["library_item"], "description": declared.item_description}
    return replace(plan, description=declared.item_description, expected={**plan.expected, "library_item": item})


def _plan_session(declared: Declared, found: Found) -> Plan:
    step = choose_step(declared.state, found.session)
    if step is Step.OPEN:
        return _plan_opening(declared, found)
    if step in (Step.CONVERGE, Step.COMPLETE):
        return _plan_converging(declared, found, step)
    before = project_update(declared, found)
    if step in ENDS:
        return Plan(found, step, expected=_ended(before, ENDS[step]))
    return Plan(found, step, expected=before)


def needs_restart(declared: Declared, found: Found) -> bool:
    """Whether an ACTIVE session cannot take the wanted files, so that the task must know the item's files."""
    if declared.wanted is None:
        return False
    return not found.claimable or _plan_session_files(declared.wanted, declared, found).restart


def project_update(declared: Declared, found: Found) -> dict[str, Any]:
    """The part of the found state that counts as a difference, without identifiers, times and previews.

    If the task accepts a signer, it sets `warning_behavior` itself, by what the preview raises. So that is no part of
    what the task declares.
    """
    if found.promised is not None:
        return dict(found.promised)
    seen = found.active or found.session
    shown: dict[str, Any] = {"state": found.session.state if found.session else None}
    if declared.accepted_signer is None:
        shown["warning_behavior"] = _behavior(seen.ignored_warnings) if found.session and seen else None
    if declared.client_progress is not None:
        shown["client_progress"] = _progress(declared.client_progress, found.session)
    if declared.wanted and declared.fills:
        shown["library_item"] = _project_item(found.item)
        shown["files"] = _project_session_files(declared.wanted, found)
        if declared.state == "done":
            shown["item_content"] = _project_item_files(declared.wanted, found)
    return shown


def _project_item(item: LibraryItem | None) -> dict[str, Any] | None:
    return {name: getattr(item, name) or "" for name in ("name", "type", "description")} if item else None


def _plan_opening(declared: Declared, found: Found) -> Plan:
    before = project_update(declared, found)
    files = NO_FILES
    if declared.wanted:
        held = held_by_item(found.content)
        files = plan_files(declared.wanted, found.in_item, held, accept_unverifiable=declared.accept_unverifiable)
    # With files a session is needed only if the item lacks some; without files only if the task declares an ACTIVE one.
    if not files and (declared.wanted is not None or declared.state == "done"):
        return Plan(found, Step.NOTHING, files=files, expected=before)
    step = Step.COMPLETE if declared.state == "done" else Step.CONVERGE
    return _open_with(declared, found, step, files, declared.ignored_warnings or ())


def _open_with(
    declared: Declared, found: Found, step: Step, files: FilePlan, ignored_warnings: tuple[str, ...]
) -> Plan:
    """The plan for a new session that receives these files."""
    plan = Plan(
        found,
        step,
        opens=True,
        ignored_warnings=ignored_warnings,
        client_progress=declared.client_progress or None,
        files=files,
    )
    return _with_expectation(declared, plan, project_update(declared, found), ignored_warnings)


def _plan_converging(declared: Declared, found: Found, step: Step) -> Plan:
    session = found.session
    if session is None:
        raise AssertionError("only a found session converges")
    warnings = declared.ignored_warnings
    files = _plan_session_files(declared.wanted, declared, found) if declared.wanted else NO_FILES
    resumes = bool(files) and _may_be_completing(declared, found, step)
    if files.restart or (files and not found.claimable):
        return replace(_plan_restart(declared, found, step), resumes=resumes)
    progress = declared.client_progress
    plan = Plan(
        found,
        step,
        ignored_warnings=None if warnings is None or warnings == session.ignored_warnings else warnings,
        client_progress=progress if progress is not None and progress > (session.client_progress or 0) else None,
        files=files,
        resumes=resumes,
    )
    before = project_update(declared, found)
    return _with_expectation(declared, plan, before, session.ignored_warnings if warnings is None else warnings)


def _may_be_completing(declared: Declared, found: Found, step: Step) -> bool:
    """Whether an earlier run may have asked for the completion of the session that was found on the item."""
    session = found.session
    if step is not Step.COMPLETE or declared.session_id or not declared.wanted or not session:
        return False
    shown = session.client_progress == COMPLETING_PROGRESS
    return shown and is_filled(declared.wanted, found.in_session, found.files)


def _project_session_files(wanted: Wanted, found: Found) -> dict[str, Any]:
    """The files of an ACTIVE session in the projection. Once it has ended, its files belong to the item or are gone."""
    if not found.alive:
        return {}
    return project_session(wanted, held_by_session(found.files), found.in_session)


def _project_item_files(wanted: Wanted, found: Found) -> dict[str, Any]:
    return project_item(wanted, held_by_item(found.content), found.in_item) if found.content else {}


def _held_after_completion(found: Found) -> dict[str, Held]:
    """What the item holds once a found session is completed, before what the plan changes in the session."""
    unchanged, item = names_unchanged(found.files), held_by_item(found.content)
    held = held_by_session(found.files)
    return {**held, **{name: item[name] for name in unchanged & held.keys() & item.keys()}}


def _plan_session_files(wanted: Wanted, declared: Declared, found: Found) -> FilePlan:
    return plan_files(
        wanted,
        found.in_session,
        [file.name for file in found.files],
        accept_unverifiable=declared.accept_unverifiable,
        files=found.files,
    )


def _plan_restart(declared: Declared, found: Found, step: Step) -> Plan:
    """The plan to replace a session that has its descriptor, as vCenter takes no manifest after it.

    Raises NotAllowedInCurrentState if the task names the session by its identifier.
    """
    session = found.session
    if session is None or declared.wanted is None:
        raise AssertionError("only a found session that is to hold files starts anew")
    if declared.session_id is not None:
        raise NotAllowedInCurrentState(
            f"session {session.id} already holds its OVF descriptor, and vCenter takes no manifest or certificate "
            "after it",
            session_id=session.id,
            remedy="Name the item instead of session_id: the task then starts with a new session.",
        )
    warnings = session.ignored_warnings if declared.ignored_warnings is None else declared.ignored_warnings
    files = plan_files(
        declared.wanted,
        found.in_item,
        held_by_item(found.content),
        accept_unverifiable=declared.accept_unverifiable,
    )
    return _open_with(declared, found, step, replace(files, restart=True), warnings)


def _with_expectation(
    declared: Declared, plan: Plan, before: Mapping[str, Any], ignored_warnings: tuple[str, ...]
) -> Plan:
    """The plan with the projection that it will lead to."""
    found, wanted = plan.found, declared.wanted
    ended = plan.step is Step.COMPLETE
    expected = {**before, "state": "DONE" if ended else ACTIVE}
    if declared.accepted_signer is None:
        expected["warning_behavior"] = _behavior(ignored_warnings)
    if declared.client_progress is not None:
        expected["client_progress"] = declared.client_progress
    if wanted and declared.fills:
        held = held_by_item(found.content) if plan.opens else held_by_session(found.files)
        verdicts = found.in_item if plan.opens else found.in_session
        if plan.opens and found.missing:
            expected["library_item"] = _project_item(found.missing)
        expected["files"] = {} if ended else expect_session(wanted, held, verdicts, plan.files)
        if ended:
            held = held if plan.opens else _held_after_completion(found)
            expected["item_content"] = expect_item(wanted, held, verdicts, plan.files)
    return replace(plan, expected=expected)


def _ended(before: Mapping[str, Any], state: str | None) -> dict[str, Any]:
    gone = {} if state or "warning_behavior" not in before else {"warning_behavior": None}
    return {**before, "state": state, **gone}


def _behavior(ignored_warnings: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"type": kind, "ignored": True} for kind in ignored_warnings]


def _progress(declared: int, session: UpdateSession | None) -> int | None:
    """The progress in the projection: a greater one counts as the declared one, and so does any of an ended session."""
    if session is None:
        return None
    return min(session.client_progress or 0, declared) if session.state == ACTIVE else declared
