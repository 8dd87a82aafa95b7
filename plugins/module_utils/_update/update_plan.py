# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change about an update session: declared against found, and what a diff shows of both. Pure: no server,
no clock.

The table of declared and found states is C(UPDATE_STEPS) of C(_steps); what the content needs is C(plan_files) of
C(_content). This file joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.states import ACTIVE, COMPLETING_PROGRESS, Step, choose_step
from .._transfer.content import (
    ISO,
    OVF,
    PREVIEWED,
    VM_TEMPLATE,
    FilePlan,
    Role,
    Verdict,
    Wanted,
    expect_item,
    expect_session,
    held_by_item,
    held_by_session,
    is_filled,
    plan_files,
    project_item,
    project_session,
    role_of,
    unpacked,
)
from .._vcenter.errors import InvalidArgument, NotAllowedInCurrentState, some_of
from .._vcenter.models import LibraryItem, LibraryItemFile, UpdateFile, UpdateSession

ENDS: Mapping[Step, str | None] = {
    Step.COMPLETE: "DONE",
    Step.CANCEL: "CANCELED",
    Step.FAIL: "ERROR",
    Step.DELETE: None,
    Step.CANCEL_AND_DELETE: None,
}


NO_FILES = FilePlan()


@dataclass(frozen=True)
class Declared:
    """The options of the task, checked; C(ignored_warnings) and C(wanted) are None where nothing is declared of
    them."""

    session_id: str | None
    state: str
    ignored_warnings: tuple[str, ...] | None
    wanted: Wanted | None
    accept_unverifiable: bool
    client_progress: int | None
    error_message: str | None
    keep_alive: bool
    client_token: str
    wait: bool
    wait_timeout: int
    parallel_transfers: int
    busy_timeout: int
    keep_failed_session: bool

    @property
    def fills(self) -> bool:
        """Whether the declared state has to do with files at all."""
        return self.wanted is not None and self.state in ("active", "done")


@dataclass(frozen=True)
class Found:
    """What is on the server, as far as it was needed: C(active) is the session as it was last seen alive.

    C(in_session) and C(in_item) are the verdicts on the wanted files. C(promised) is what a completion that was
    accepted and not waited for will make of the projection.
    """

    library_item_id: str | None
    session: UpdateSession | None = None
    active: UpdateSession | None = None
    files: tuple[UpdateFile, ...] = ()
    content: tuple[LibraryItemFile, ...] = ()
    in_session: Mapping[str, Verdict] = field(default_factory=dict)
    in_item: Mapping[str, Verdict] = field(default_factory=dict)
    promised: Mapping[str, Any] | None = None

    @property
    def alive(self) -> bool:
        return self.session is not None and self.session.state == ACTIVE


@dataclass(frozen=True)
class Plan:
    """What to do: make a session or a new one in place of the found, set what is not None, move files, take the
    step.

    C(resumes) says that an earlier run may have asked for the completion of the found session, so it is asked for once
    more before anything is sent or canceled.
    """

    found: Found
    step: Step
    opens: bool = False
    resumes: bool = False
    ignored_warnings: tuple[str, ...] | None = None
    client_progress: int | None = None
    files: FilePlan = NO_FILES
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def touches_session(self) -> bool:
        """Whether the found session would be changed by more than an end that was asked for."""
        values = self.ignored_warnings is not None or self.client_progress is not None
        return values or bool(self.files) or self.step is Step.COMPLETE

    @property
    def disturbs(self) -> bool:
        """Whether somebody who is at work in the found session would lose by it, as not by a mere completion."""
        return self.opens or self.ignored_warnings is not None or bool(self.files)


def plan_update(declared: Declared, found: Found) -> Plan:
    """Raises NotAllowedInCurrentState where the found session excludes what is declared."""
    step = choose_step(declared.state, found.session)
    if step is Step.OPEN:
        return _plan_opening(declared, found)
    if step in (Step.CONVERGE, Step.COMPLETE):
        return _plan_converging(declared, found, step)
    before = project_update(declared, found)
    if step in ENDS:
        return Plan(found, step, expected=_ended(before, ENDS[step]))
    return Plan(found, step, expected=before)


def require_fitting_item(declared: Declared, found: Found, item: LibraryItem) -> None:
    """Raises InvalidArgument for files that an item of this type cannot be meant for.

    Only what surely contradicts it does: an item without a type, or of one that is not known, takes any file. A package
    may reference an image, so that an item of type ovf takes one along with the descriptor, or in place of one that
    it has; and with C(state: active) the descriptor may be yet to come.
    """
    files = declared.wanted.files if declared.wanted else ()
    packages = [file.name for file in files if file.role in PREVIEWED]
    there = {held.name for held in found.content} | {held.name for held in found.files}
    images = [file.name for file in files if file.name.lower().endswith(".iso") and file.name not in there]
    called = f"library item {item.name!r} ({item.id})"
    if item.type == VM_TEMPLATE:
        raise InvalidArgument(
            f"{called} is a VM template, which takes no update session",
            error_type="INVALID_ELEMENT_TYPE",
            remedy="Publish to an item of another name.",
        )
    if item.type == ISO and packages:
        raise InvalidArgument(_misfit(called, ISO, packages, OVF), remedy=_other_item(OVF))
    if item.type == OVF and declared.state == "done" and images and not packages and not _has_package(found):
        raise InvalidArgument(_misfit(called, OVF, images, ISO), remedy=_other_item(ISO))


def _misfit(called: str, item_type: str, names: Sequence[str], fitting: str) -> str:
    return f"{called} is of type {item_type}, and {some_of(names)} would make it one of type {fitting}"


def _other_item(fitting: str) -> str:
    return (
        f"Publish to an item of another name. If this one is empty, vsphere.content.content_library_item can give it "
        f"type: {fitting} first; check mode does not see what an earlier task of the play would change."
    )


def _has_package(found: Found) -> bool:
    """Whether a session that was found has got the descriptor already."""
    return any(role_of(file.name) in PREVIEWED for file in found.files if file.is_brought)


def needs_restart(declared: Declared, found: Found) -> bool:
    """Whether an ACTIVE session cannot take the wanted files any more, so that the item's own files must be known."""
    return declared.wanted is not None and _plan_session_files(declared.wanted, declared, found).restart


def project_update(declared: Declared, found: Found) -> dict[str, Any]:
    """The part of what was found that counts as a difference; identifiers, times and previews do not."""
    if found.promised is not None:
        return dict(found.promised)
    seen = found.active or found.session
    shown: dict[str, Any] = {
        "state": found.session.state if found.session else None,
        "warning_behavior": _behavior(seen.ignored_warnings) if found.session and seen else None,
    }
    if declared.client_progress is not None:
        shown["client_progress"] = _progress(declared.client_progress, found.session)
    if declared.wanted and declared.fills:
        shown["files"] = _project_session_files(declared.wanted, declared, found)
        if declared.state == "done":
            shown["item_content"] = _project_item_files(declared.wanted, declared, found)
    return shown


def require_one_package(plan: Plan) -> None:
    """Refuse to bring a second descriptor into an item or a session. Raises NotAllowedInCurrentState.

    What belongs to the one that is there is not known, so the task cannot take it away by itself, and nothing says what
    vCenter makes of an item with two of them.
    """
    rivals, session = plan.files.rivals, None if plan.opens else plan.found.session
    if not rivals:
        return
    names = ", ".join(rivals)
    sent = ", ".join(part.name for part in unpacked(plan.files.push) if part.role is Role.DESCRIPTOR)
    brought = {file.name for file in plan.found.files if file.is_brought}
    if session and brought.issuperset(rivals):
        holder, way_out = f"session {session.id}", "If it does not, end the session first, with state: absent."
    else:
        holder, way_out = "the item", "If it does not, publish it to an item of its own."
    raise NotAllowedInCurrentState(
        f"{holder} holds {names} of another package, beside which {sent} would come",
        session_id=str(session.id) if session else None,
        remedy=f"If this package replaces that one, add an entry with name: {rivals[0]} and state: absent to files. "
        f"What else is there and not named in files then goes as well, unless purge_files is false. {way_out}",
    )


def spared_warning(declared: Declared, plan: Plan) -> str | None:
    """What to tell the user about files that purge_files would remove and that stay; None if there is nothing to tell.

    A package that vCenter pulls always leaves its files unnamed, so that is told only to users who set purge_files.
    """
    wanted, files = declared.wanted, plan.files
    if not wanted or not files.spared:
        return None
    pulled = wanted.pulled_packages
    if pulled and not wanted.purge_declared:
        return None
    own = [name for name in files.doubts if name in wanted.names and name not in pulled]
    others = [name for name in files.doubts if name not in wanted.names]
    reasons = [f"vCenter itself fetches {', '.join(pulled)} and what belongs to it"] if pulled else []
    if others:
        reasons.append(f"{', '.join(others)} describes a package that this task does not send")
    if own:
        reasons.append(f"vCenter has no checksum of {', '.join(own)}, which when_unverifiable leaves in place")
    return (
        f"purge_files removes nothing, as it is not known what belongs to the item: {'; '.join(reasons)}. These files "
        f"stay: {', '.join(files.spared)}. To remove one, give it an entry with state: absent in files."
    )


def _plan_opening(declared: Declared, found: Found) -> Plan:
    before = project_update(declared, found)
    files = NO_FILES
    if declared.wanted:
        held = held_by_item(found.content)
        files = plan_files(declared.wanted, found.in_item, held, accept_unverifiable=declared.accept_unverifiable)
    # With files, there is something to do only if the item lacks them; without, only an ACTIVE session can be declared.
    if not files and (declared.wanted is not None or declared.state == "done"):
        return Plan(found, Step.NOTHING, files=files, expected=before)
    step = Step.COMPLETE if declared.state == "done" else Step.CONVERGE
    warnings = declared.ignored_warnings or ()
    plan = Plan(
        found,
        step,
        opens=True,
        ignored_warnings=warnings,
        client_progress=declared.client_progress or None,
        files=files,
    )
    return _with_expectation(declared, plan, before, warnings)


def _plan_converging(declared: Declared, found: Found, step: Step) -> Plan:
    session = found.session
    if session is None:
        raise AssertionError("only a found session converges")
    warnings = declared.ignored_warnings
    files = _plan_session_files(declared.wanted, declared, found) if declared.wanted else NO_FILES
    resumes = bool(files) and _may_be_completing(declared, found, step)
    if files.restart:
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
    """Whether an earlier run of the task may have asked for the completion of the session that its item has."""
    session = found.session
    if step is not Step.COMPLETE or declared.session_id or not declared.wanted or not session:
        return False
    shown = session.client_progress == COMPLETING_PROGRESS
    return shown and is_filled(declared.wanted, found.in_session, found.files)


def _project_session_files(wanted: Wanted, declared: Declared, found: Found) -> dict[str, Any]:
    """What the ACTIVE session holds; once it has ended, its files are the item's or gone."""
    if not found.alive:
        return {}
    going = _plan_session_files(wanted, declared, found).remove
    return project_session(wanted, held_by_session(found.files), found.in_session, going)


def _project_item_files(wanted: Wanted, declared: Declared, found: Found) -> dict[str, Any]:
    if not found.content:
        return {}
    held = held_by_item(found.content)
    going = plan_files(wanted, found.in_item, held, accept_unverifiable=declared.accept_unverifiable).remove
    return project_item(wanted, held, found.in_item, going)


def _plan_session_files(wanted: Wanted, declared: Declared, found: Found) -> FilePlan:
    return plan_files(
        wanted,
        found.in_session,
        [file.name for file in found.files],
        accept_unverifiable=declared.accept_unverifiable,
        files=found.files,
    )


def _plan_restart(declared: Declared, found: Found, step: Step) -> Plan:
    """The session has its descriptor, and vCenter takes no manifest after it: only a new session can be filled."""
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
    plan = Plan(
        found,
        step,
        opens=True,
        ignored_warnings=warnings,
        client_progress=declared.client_progress or None,
        files=replace(files, restart=True),
    )
    return _with_expectation(declared, plan, project_update(declared, found), warnings)


def _with_expectation(
    declared: Declared, plan: Plan, before: Mapping[str, Any], ignored_warnings: tuple[str, ...]
) -> Plan:
    """The plan with what its execution will make of the projection."""
    found, wanted = plan.found, declared.wanted
    ended = plan.step is Step.COMPLETE
    expected = {**before, "state": "DONE" if ended else ACTIVE, "warning_behavior": _behavior(ignored_warnings)}
    if declared.client_progress is not None:
        expected["client_progress"] = declared.client_progress
    if wanted and declared.fills:
        held = held_by_item(found.content) if plan.opens else held_by_session(found.files)
        verdicts = found.in_item if plan.opens else found.in_session
        expected["files"] = {} if ended else expect_session(wanted, held, verdicts, plan.files)
        if ended:
            expected["item_content"] = expect_item(wanted, held, verdicts, plan.files)
    return replace(plan, expected=expected)


def _ended(before: Mapping[str, Any], state: str | None) -> dict[str, Any]:
    return {**before, "state": state, "warning_behavior": before["warning_behavior"] if state else None}


def _behavior(ignored_warnings: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"type": kind, "ignored": True} for kind in ignored_warnings]


def _progress(declared: int, session: UpdateSession | None) -> int | None:
    """At least the declared progress counts as the declared one, and so does that of a session that has ended."""
    if session is None:
        return None
    return min(session.client_progress or 0, declared) if session.state == ACTIVE else declared
