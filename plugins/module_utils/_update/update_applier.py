# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the plan for an update session is carried out: the task creates or claims it, fills, completes or ends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from .._item.new_item import NewItem
from .._session.arrival import behaviors, keeps_silent
from .._session.completion import MISSING_OR_INVALID, NOT_RECEIVED, complete, is_completing, is_refused_for
from .._session.ending import discard, end
from .._session.lost_answers import noted
from .._session.opening import claim, is_new, not_new, open_when_free
from .._session.states import ACTIVE, RUN_AGAIN, Step
from .._task.converge import Overtaken, Task
from .._task.signals import Interrupted
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, ContentError, NotAllowedInCurrentState, NotFound, ResourceBusy, TimedOut
from .._vcenter.messages import LocalizableMessage
from .._vcenter.models import LibraryItem, UpdateSession
from .file_plan import verdicts_after
from .session_record import SessionRecord
from .session_values import set_values
from .update_finder import UpdateFinder
from .update_plan import NO_FILES, Declared, Found, Plan

# Most runs find nothing to do. They start faster because the files that move bytes are imported only where needed.
if TYPE_CHECKING:
    from .push import Upload


class UpdateApplier:
    """Carries out a plan, and records each step in `record` at once."""

    def __init__(
        self,
        api: Api,
        declared: Declared,
        finder: UpdateFinder,
        record: SessionRecord,
        new_item: NewItem,
        task: Task,
    ) -> None:
        self._api = api
        self._declared = declared
        self._finder = finder
        self._record = record
        self._new_item = new_item
        self._task = task
        self._client_token = declared.client_token
        self.upload: Upload | None = None

    def apply(self, plan: Plan) -> Found:
        found = self._take_steps(plan)
        if plan.description is None:
            return found
        item_id = str(found.library_item_id)
        with noted("the description of the item was changed", self._record.was_changed):
            self._api.update_item(item_id, LibraryItem(description=plan.description))
        return replace(found, item=self._api.get_item(item_id))

    def _take_steps(self, plan: Plan) -> Found:
        if plan.step is Step.NOTHING:
            return plan.found
        if plan.step not in (Step.CONVERGE, Step.COMPLETE):
            return self._end(plan)
        try:
            return self._converge(plan)
        except (NotAllowedInCurrentState, NotFound, ResourceBusy) as error:
            found = plan.found.session
            if not found or plan.opens or self._declared.session_id or not self._starts_again(error):
                raise
            raise self._overtaken(
                "it is being completed, or has ended meanwhile", session_id=str(found.id), messages=error.messages
            ) from None

    def _starts_again(self, error: ContentError) -> bool:
        """Whether the task looks for a session again: the one that it found is gone, or vCenter is completing it."""
        if isinstance(error, NotFound):
            # Changes in a session that is gone do not count.
            self._record.has_gone()
            return True
        completing = not isinstance(error, NotAllowedInCurrentState) or is_completing(error)
        return completing and not self._record.changes

    def _converge(self, plan: Plan) -> Found:
        declared, found = self._declared, plan.found
        session = found.session
        self._claim(plan)
        if plan.resumes:
            plan = self._resume(plan)
            found, session = plan.found, plan.found.session
            if plan.step is Step.NOTHING:
                return found
        if plan.opens:
            plan = self._with_item(plan)
            found = plan.found
            session = self._open(plan)
            if declared.fills:
                plan = self._plan_again(plan, session)
        if session is None:
            raise AssertionError("a session that is neither found nor made cannot converge")
        session_id = str(session.id)
        if not plan.opens:
            self._record.was_found(session_id)
        session = set_values(self._api.updates, session, plan, self._declared, self._record)
        if plan.step is Step.CONVERGE and not (plan.opens or plan.touches_session):
            return found
        upload = self._begin_upload(session_id, plan.found)
        with upload.kept_alive(session, self._api.server_time()):
            upload.push(plan.files.push, completes=plan.step is Step.COMPLETE)
            upload.remove(plan.files.remove)
            self._finder.require_unchanged(upload.sent)
            if plan.step is Step.COMPLETE:
                return self._complete(plan, upload)
            self._task.progress.conclude("open, nothing published yet")
            session = self._api.updates.get(session_id)
            files = tuple(self._api.updates.files(session_id)) if declared.fills else ()
        return self._settled(replace(found, session=session, active=session, files=files), plan)

    def _begin_upload(self, session_id: str, found: Found) -> Upload:
        from .._transfer.seen_checksums import SeenChecksums
        from .acceptance import Acceptance
        from .push import Upload

        self.upload = Upload(
            updates=self._api.updates,
            stream=self._api.stream,
            session_id=session_id,
            digest=self._finder.digests.of,
            parallel=self._declared.parallel_transfers,
            wait_timeout=self._declared.wait_timeout,
            clock=self._task.clock,
            acceptance=Acceptance(
                updates=self._api.updates,
                session_id=session_id,
                signer=self._declared.accepted_signer,
                wanted=self._declared.wanted,
                record=self._record,
                wait_timeout=self._declared.wait_timeout,
                clock=self._task.clock,
                progress=self._task.progress,
            ),
            on_change=self._record.was_changed,
            warn=self._task.warn,
            progress=self._task.progress,
            seen=SeenChecksums(found.content, found.files),
            check_manifest=self._declared.check_manifest,
        )
        return self.upload

    def _resume(self, plan: Plan) -> Plan:
        """Ask once more for the completion of a session that seems to hold all declared files; returns the rest to do.

        An earlier run may have lost the answer while vCenter completes the session. To send files into it, or to cancel
        it, could undo that. Afterwards the task compares the item as always, and sends again what does not fit.
        """
        session = plan.found.session
        if session is None:
            raise AssertionError("only a found session is resumed")
        self._record.was_found(str(session.id))
        warnings = None if plan.ignored_warnings == session.ignored_warnings else plan.ignored_warnings
        as_it_is = replace(plan, opens=False, ignored_warnings=warnings, files=NO_FILES)
        try:
            session = set_values(self._api.updates, session, as_it_is, self._declared, self._record)
        except NotAllowedInCurrentState as refusal:
            if not is_completing(refusal):
                raise
        upload = self._begin_upload(str(session.id), plan.found)
        try:
            with upload.kept_alive(session, self._api.server_time()):
                done = self._complete(as_it_is, upload)
        except NotAllowedInCurrentState as refusal:
            if not is_refused_for(refusal, NOT_RECEIVED, MISSING_OR_INVALID):
                raise
            return replace(plan, resumes=False)
        if done.alive:
            return Plan(done, Step.NOTHING)
        rest = self._finder.final_plan(
            self._finder.compared(replace(done, session=None, active=None, files=(), in_session={}))
        )
        if rest.step is not Step.NOTHING:
            return rest
        return replace(rest, found=replace(rest.found, session=done.session, active=done.active))

    def _require_idle(self, session: UpdateSession) -> None:
        """Require that vCenter is not completing the session, before the task cancels it.

        It sets `warning_behavior` to what it is, as vCenter refuses every change of a session that it completes. No
        source says with which words, so any refusal counts.
        """
        try:
            self._api.updates.set_warning_behavior(str(session.id), behaviors(session.ignored_warnings))
        except ApiError as error:
            if isinstance(error, (NotAllowedInCurrentState, ResourceBusy)):
                reason = f"vCenter {'is' if is_completing(error) else 'may be'} completing it"
                raise self._overtaken(reason, session_id=str(session.id), messages=error.messages) from None
            # Old servers do not know the operation. A session that is gone need not be canceled.
            if error.may_have_happened:
                raise

    def _claim(self, plan: Plan) -> None:
        """Let only one of several tasks that found the same session go on."""
        session = plan.found.session
        if session is None or self._declared.session_id is not None or not plan.disturbs or not plan.found.claimable:
            return
        if not claim(self._api.updates, session, self._task.clock):
            raise self._overtaken("another task has taken it over at the same time", session_id=str(session.id))

    def _overtaken(
        self,
        reason: str,
        *,
        session_id: str,
        operation: str = "update_session.take_over",
        remedy: str | None = None,
        messages: Sequence[LocalizableMessage] = (),
    ) -> Overtaken:
        remedy = remedy or self._finder.patience.remedy
        error = ResourceBusy(reason, operation=operation, session_id=session_id, remedy=remedy, messages=messages)
        return Overtaken(error, patient=self._task.clock.now() < self._finder.patience.until)

    def _plan_again(self, plan: Plan, session: UpdateSession) -> Plan:
        """Plan again once the session is open: somebody may have published since; from now on nobody can."""
        if self._finder.knows_content(plan.found, session):
            return plan
        found = self._finder.with_content(plan.found)
        if found.content == plan.found.content:
            return plan
        fresh = self._finder.final_plan(replace(found, session=None, active=None, files=()))
        if not fresh.files:
            discard(self._api.updates, str(session.id), self._task.clock)
            self._record.has_gone()
            # A new token, as a server may still remember the deleted session for the old one.
            self._client_token = str(uuid.uuid4())
            raise self._overtaken(
                "other tasks publish to the item at the same time",
                operation="update_session.create",
                session_id=str(session.id),
                remedy=RUN_AGAIN,
            )
        return replace(plan, files=fresh.files, found=found)

    def _with_item(self, plan: Plan) -> Plan:
        """Create the item if it is missing."""
        missing = plan.found.missing
        if missing is None:
            return plan
        return replace(plan, found=replace(plan.found, item=self._new_item.create(missing), missing=None))

    def _open(self, plan: Plan) -> UpdateSession:
        """Create a session, which a failure removes again. First remove a found one that can no longer be filled."""
        stale = plan.found.session
        if stale:
            self._require_idle(stale)
            self._record.was_found(str(stale.id))
            self._take_end(str(stale.id), Step.CANCEL_AND_DELETE)
            self._record.was_replaced()
        self._finder.expect(plan)
        with self._task.progress.waiting("an update session on the item"):
            try:
                session_id = open_when_free(
                    self._api.updates,
                    UpdateSession(
                        library_item_id=plan.found.library_item_id,
                        warning_behavior=behaviors(plan.ignored_warnings or ()) or None,
                    ),
                    client_token=self._client_token,
                    patience=self._finder.patience,
                    clock=self._task.clock,
                    shield=self._task.shield,
                    on_created=self._record.was_made,
                )
            except ResourceBusy:
                self._new_item.is_used("somebody else publishes to it")
                raise
        session = self._api.updates.get(session_id)
        if not is_new(session, plan.found.library_item_id):
            self._record.was_foreign()
            is_given = self._declared.has_client_token and self._client_token == self._declared.client_token
            raise not_new(session, "update_session.create", is_given=is_given)
        self._task.progress.step("session created")
        return session

    def _complete(self, plan: Plan, upload: Upload) -> Found:
        declared = self._declared
        active, files = upload.settle()
        upload.show_completion(files)
        self._task.progress.step("completing")
        with self._task.progress.waiting("vCenter to complete the session"), self._ended_wait():
            session = complete(
                self._api.updates,
                upload.session_id,
                wait=declared.wait,
                wait_timeout=declared.wait_timeout,
                clock=self._task.clock,
                silent=keeps_silent(active, files),
                was_found=not self._record.is_ours,
                on_reached=self._record.reached,
            )
        found = replace(plan.found, session=session, active=active, files=tuple(files))
        if session.state == ACTIVE:
            return replace(found, promised=plan.expected)
        item = self._api.get_item(str(found.library_item_id))
        content = tuple(self._api.list_item_files(str(item.id))) if declared.fills else found.content
        return self._settled(replace(found, item=item, content=content), plan)

    @contextmanager
    def _ended_wait(self) -> Iterator[None]:
        """After vCenter was asked for the completion, a signal only ends the wait, so it is reported as TIMED_OUT."""
        try:
            yield
        except Interrupted as ended:
            if self._record.was_asked:
                ended.error_type = TimedOut.default_type
            raise

    def _settled(self, found: Found, plan: Plan) -> Found:
        """Add the verdicts after the plan, without hashing again."""
        before = plan.found.in_item if plan.opens else plan.found.in_session
        verdicts = verdicts_after(before, plan.files)
        return replace(found, in_session=verdicts, in_item=verdicts)

    def _end(self, plan: Plan) -> Found:
        session_id = str(plan.found.session.id if plan.found.session else "")
        self._record.was_found(session_id)
        return replace(plan.found, session=self._take_end(session_id, plan.step), files=())

    def _take_end(self, session_id: str, step: Step) -> UpdateSession | None:
        return end(
            self._api.updates,
            session_id,
            step,
            called="it",
            error_message=self._declared.error_message,
            on_change=self._record.was_changed,
            clock=self._task.clock,
        )
