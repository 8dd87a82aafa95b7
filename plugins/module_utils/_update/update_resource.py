# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an update session is read, brought to its declared state and reported: what C(converge) asks of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .._session.acquire import Vanished, claim, find_active, open_session, take_over
from .._session.completion import MISSING_OR_INVALID, NOT_RECEIVED, complete, is_completing, is_refused_for
from .._session.item_lookup import require_local_item, resolve_item
from .._session.lost_answers import discard, end_surely, is_lost, noted, withdraw
from .._session.receive import behaviors, keeps_silent, require_warning_behavior
from .._session.states import ACTIVE, CANCELED, ERROR, RUN_AGAIN, Step
from .._session.waiting import Clock, Patience, patience_from
from .._task.converge import Overtaken, Task
from .._task.signals import Interrupted
from .._transfer.content import Verdict, compare_with_item, compare_with_session, needs_item_content, verdicts_after
from .._transfer.local_file import COMPARED, SENT, require_same
from .._vcenter.api import Api
from .._vcenter.errors import ApiError, ContentError, NotAllowedInCurrentState, NotFound, ResourceBusy, TimedOut
from .._vcenter.models import UpdateFile, UpdateSession, to_result
from .session_record import Outcome
from .update_plan import (
    NO_FILES,
    Declared,
    Found,
    Plan,
    needs_restart,
    plan_update,
    project_update,
    require_fitting_item,
    require_one_package,
    spared_warning,
)

# Most runs find nothing to do, and start faster without what moves bytes: that is imported where it is needed.
if TYPE_CHECKING:
    from .._transfer.streams import Digests
    from .push import Upload

CANCELLATION = "it was canceled"
WARNINGS_SET = "warning_behavior was set"


class UpdateSessionResource:
    """The update session that a task declares, for C(converge)."""

    def __init__(self, api: Api, declared: Declared, params: Mapping[str, Any], task: Task, clock: Clock) -> None:
        self._api = api
        self._declared = declared
        self._params = params
        self._task = task
        self._clock = clock
        self._client_token = declared.client_token
        self._upload: Upload | None = None
        self._warned: set[str] = set()
        self._outcome = Outcome(declared.keep_failed_session)
        task.on_failure(lambda: self._outcome.undo(partial(withdraw, api)))
        task.on_failure(self._outcome.tell_earlier)

    def read(self) -> Found:
        vanished = Vanished(self._patience, self._clock)
        found = self._look(vanished)
        while found.session and self._declared.session_id is None and (plan := self.plan(found)).touches_session:
            self._expect(plan)
            seen = found.session
            with self._task.progress.waiting("what becomes of the session that was found"):
                session, files = take_over(
                    self._api, seen, changes=plan.disturbs, patience=self._patience, clock=self._clock
                )
            if session:
                found = self._compared(replace(found, session=session, active=session, files=tuple(files)))
                break
            vanished.note(seen)
            found = self._look(vanished)
        plan = self._final_plan(found)
        if found.library_item_id and (plan.opens or plan.files.push):
            item = self._api.get_item(found.library_item_id)
            if not found.session:
                require_local_item(self._api, item)
            require_fitting_item(self._declared, found, item)
        if plan.files.push:
            from .push import probe

            for file in plan.files.push:
                probe(self._api, file)
        return found

    def plan(self, before: Found) -> Plan:
        return plan_update(self._declared, before)

    def project(self, state: Found) -> dict[str, Any]:
        return project_update(self._declared, state)

    def expect(self, plan: Plan) -> Mapping[str, Any]:
        return plan.expected

    def apply(self, plan: Plan) -> Found:
        self._task.so_far = lambda: {**self._outcome.result, **self._moved()}
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
                "it is being completed, or has ended meanwhile",
                session_id=str(found.id),
            ) from None

    def _starts_again(self, error: ContentError) -> bool:
        """Whether a session that was found is better looked at anew: it has gone, or is completed by the server."""
        if isinstance(error, NotFound):
            # Nothing is left of what was changed in it.
            self._outcome.forget()
            return True
        completing = not isinstance(error, NotAllowedInCurrentState) or is_completing(error)
        return completing and not self._outcome.changes

    def result(self, state: Found) -> dict[str, Any]:
        session = state.session
        if session and not session.preview_info and state.active:
            session = replace(session, preview_info=state.active.preview_info)
        outcome: dict[str, Any] = {"session": to_result(session) if session else None, **self._moved()}
        if self._declared.fills:
            verdicts = state.in_session or state.in_item
            outcome["files"] = [
                {**to_result(file), "verified": self._verified(file.name, verdicts)}
                for file in state.files or state.content
            ]
        return outcome

    @cached_property
    def _digests(self) -> Digests:
        from .._transfer.streams import Digests

        return Digests()

    @cached_property
    def _patience(self) -> Patience:
        return patience_from(self._clock, self._declared.busy_timeout)

    def _look(self, vanished: Vanished) -> Found:
        declared = self._declared
        while True:
            found = self._find()
            if not found.alive or not found.session:
                return self._compared(found)
            try:
                files = self._api.list_update_files(str(found.session.id)) if declared.fills else ()
            except NotFound:
                if declared.session_id:
                    raise
                vanished.note(found.session)
            else:
                return self._compared(replace(found, active=found.session, files=tuple(files)))

    def _find(self) -> Found:
        if self._declared.session_id:
            try:
                session = self._api.get_update_session(self._declared.session_id)
            except NotFound:
                if self._declared.state == "absent":
                    return Found(None)
                raise
            return Found(session.library_item_id, session)
        item_id = resolve_item(self._api, self._params)
        return Found(item_id, find_active(self._api, item_id))

    def _compared(self, found: Found) -> Found:
        """With the verdicts on the wanted files; the item's own files are read only where they have a say."""
        declared, wanted = self._declared, self._declared.wanted
        if not wanted or not declared.fills or (found.session and not found.alive):
            return found
        if not found.alive or declared.state == "done" or needs_item_content(wanted, found.files):
            found = self._with_content(found)
        if found.alive:
            found = replace(
                found, in_session=compare_with_session(wanted, found.files, found.in_item, self._digests.of)
            )
            if not found.in_item and needs_restart(declared, found):
                found = self._with_content(found)
        self._require_unchanged()
        return found

    def _require_unchanged(self, sent: Collection[str] = ()) -> None:
        """Files are compared and sent one after the other: when the last is done, the first must be what it was."""
        for file in self._declared.wanted.files if self._declared.wanted else ():
            if file.path and file.identity:
                require_same(file.path, file.identity, SENT if file.name in sent else COMPARED)

    def _with_content(self, found: Found) -> Found:
        content = tuple(self._api.list_item_files(str(found.library_item_id)))
        wanted = self._declared.wanted
        in_item = compare_with_item(wanted, content, self._digests.of) if wanted else {}
        return replace(found, content=content, in_item=in_item)

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
            session = self._open(plan)
            if declared.fills:
                plan = self._plan_again(plan, str(session.id))
        if session is None:
            raise AssertionError("a session that is neither found nor made cannot converge")
        session_id = str(session.id)
        if not plan.opens:
            self._outcome.find(session_id)
        session = self._set_values(plan, session)
        if plan.step is Step.CONVERGE and not (plan.opens or plan.touches_session):
            return found
        upload = self._begin_upload(session_id)
        with upload.kept_alive(session):
            upload.push(plan.files.push, previewed=bool(declared.wanted and declared.wanted.previewed))
            upload.remove(plan.files.remove)
            self._require_unchanged(upload.sent)
            if plan.step is Step.COMPLETE:
                return self._complete(plan, upload)
            session = self._api.get_update_session(session_id)
            files = tuple(self._api.list_update_files(session_id)) if declared.fills else ()
        return self._settled(replace(found, session=session, active=session, files=files), plan)

    def _begin_upload(self, session_id: str) -> Upload:
        from .push import Upload

        self._upload = Upload(
            api=self._api,
            session_id=session_id,
            digest=self._digests.of,
            parallel=self._declared.parallel_transfers,
            wait_timeout=self._declared.wait_timeout,
            clock=self._clock,
            on_change=self._outcome.note,
            warn=self._task.warn,
            progress=self._task.progress,
        )
        return self._upload

    def _resume(self, plan: Plan) -> Plan:
        """Ask once more for the completion of a session that seems to hold all that is declared; returns what is left.

        The answer to an earlier run may have been lost while vCenter completes the session. To send into it, or to
        cancel it, could undo that. What the item then holds is compared as ever, so what is wrong in it is sent again.
        """
        session = plan.found.session
        if session is None:
            raise AssertionError("only a found session is resumed")
        self._outcome.find(str(session.id))
        warnings = None if plan.ignored_warnings == session.ignored_warnings else plan.ignored_warnings
        as_it_is = replace(plan, opens=False, ignored_warnings=warnings, files=NO_FILES)
        try:
            session = self._set_values(as_it_is, session)
        except NotAllowedInCurrentState as refusal:
            if not is_completing(refusal):
                raise
        upload = self._begin_upload(str(session.id))
        try:
            with upload.kept_alive(session):
                done = self._complete(as_it_is, upload)
        except NotAllowedInCurrentState as refusal:
            if not is_refused_for(refusal, NOT_RECEIVED, MISSING_OR_INVALID):
                raise
            return replace(plan, resumes=False)
        if done.alive:
            return Plan(done, Step.NOTHING)
        rest = self._final_plan(self._compared(replace(done, session=None, active=None, files=(), in_session={})))
        if rest.step is not Step.NOTHING:
            return rest
        return replace(rest, found=replace(rest.found, session=done.session, active=done.active))

    def _require_idle(self, session: UpdateSession) -> None:
        """See that vCenter is not completing a session that is about to be canceled: it takes no change meanwhile."""
        try:
            self._api.set_warning_behavior(str(session.id), behaviors(session.ignored_warnings))
        except ApiError as error:
            if is_completing(error):
                raise self._overtaken(
                    "vCenter is completing it",
                    session_id=str(session.id),
                ) from None
            # Old servers do not know the operation, and a session that has gone need not be canceled.
            if is_lost(error):
                raise

    def _set_values(self, plan: Plan, session: UpdateSession) -> UpdateSession:
        session_id = str(session.id)
        if plan.ignored_warnings is not None and not plan.opens:
            session = self._set_warning_behavior(session_id, plan.ignored_warnings)
        elif plan.ignored_warnings is not None:
            require_warning_behavior(session, plan.ignored_warnings)
        if plan.client_progress is None and self._declared.keep_alive:
            self._api.keep_update_session_alive(session_id)
        if plan.client_progress is not None:
            with noted("client_progress was set", self._outcome.note):
                self._api.keep_update_session_alive(session_id, plan.client_progress)
            # The signs of life during an upload go on from here, and never back.
            session = replace(session, client_progress=plan.client_progress)
        return session

    def _set_warning_behavior(self, session_id: str, ignored_warnings: Sequence[str]) -> UpdateSession:
        with noted(WARNINGS_SET, self._outcome.note):
            self._api.set_warning_behavior(session_id, behaviors(ignored_warnings))
        session = self._api.get_update_session(session_id)
        try:
            require_warning_behavior(session, ignored_warnings)
        except ContentError:
            self._outcome.retract(WARNINGS_SET)
            raise
        return session

    def _claim(self, plan: Plan) -> None:
        """Of several tasks that find the same session, let one go on."""
        session = plan.found.session
        if session is None or self._declared.session_id is not None or not plan.disturbs:
            return
        if not claim(self._api, session, self._clock):
            raise self._overtaken(
                "another task has taken it over at the same time",
                session_id=str(session.id),
            )

    def _overtaken(
        self, reason: str, *, session_id: str, operation: str = "update_session.take_over", remedy: str | None = None
    ) -> Overtaken:
        remedy = remedy or self._patience.remedy
        error = ResourceBusy(reason, operation=operation, session_id=session_id, remedy=remedy)
        return Overtaken(error, patient=self._clock.now() < self._patience.until)

    def _expect(self, plan: Plan) -> None:
        self._task.progress.expect({file.name: file.size for file in plan.files.push})

    def _final_plan(self, found: Found) -> Plan:
        """The plan for what nobody else is at work in, with what the user must know of it. Raises
        NotAllowedInCurrentState."""
        plan = self.plan(found)
        require_one_package(plan)
        text = spared_warning(self._declared, plan)
        if text and text not in self._warned:
            self._warned.add(text)
            self._task.warn(text)
        return plan

    def _plan_again(self, plan: Plan, session_id: str) -> Plan:
        """What somebody published before the session was ours, and nobody can any more, has a say in what is sent."""
        found = self._with_content(plan.found)
        if found.content == plan.found.content:
            return plan
        fresh = self._final_plan(replace(found, session=None, active=None, files=()))
        if not fresh.files:
            discard(self._api, session_id)
            self._outcome.forget()
            # A server may remember of a token which session it was for, although that has gone.
            self._client_token = str(uuid.uuid4())
            raise self._overtaken(
                "other tasks publish to the item at the same time",
                operation="update_session.create",
                session_id=session_id,
                remedy=RUN_AGAIN,
            )
        return replace(plan, files=fresh.files, found=found)

    def _open(self, plan: Plan) -> UpdateSession:
        """Make a session, after removing the one that cannot be filled any more; have it removed if the task fails."""
        declared, stale = self._declared, plan.found.session
        if stale:
            self._require_idle(stale)
            self._outcome.find(str(stale.id))
            self._discard(str(stale.id))
            self._outcome.replace()
        self._expect(plan)
        with self._task.progress.waiting("an update session on the item"):
            session_id = open_session(
                self._api,
                str(plan.found.library_item_id),
                ignored_warnings=plan.ignored_warnings or (),
                client_token=self._client_token,
                patience=self._patience,
                clock=self._clock,
                shield=self._task.shield,
                on_created=self._outcome.make,
            )
        session = self._api.get_update_session(session_id)
        given = self._params["client_token"] and self._client_token == declared.client_token
        if session.state != ACTIVE and not given:
            self._outcome.disown()
            raise ResourceBusy(
                f"another task has taken it over, and it is {session.state}",
                operation="update_session.create",
                session_id=session_id,
                remedy=RUN_AGAIN,
            )
        if session.state != ACTIVE or session.library_item_id not in (plan.found.library_item_id, None):
            self._outcome.disown()
            raise NotAllowedInCurrentState(
                f"client_token was used before: it names session {session_id}, which is {session.state}, on item "
                f"{session.library_item_id}",
                operation="update_session.create",
                remedy="Leave client_token out, or give a new one for each session.",
            )
        self._task.progress.step("session created")
        return session

    def _complete(self, plan: Plan, upload: Upload) -> Found:
        declared = self._declared
        active, files = upload.settle()
        self._warn_of_left_files(plan, files)
        upload.show_completion(files)
        self._task.progress.step("completing")
        with self._task.progress.waiting("vCenter to complete the session"), self._ended_wait():
            session = complete(
                self._api,
                upload.session_id,
                wait=declared.wait,
                wait_timeout=declared.wait_timeout,
                clock=self._clock,
                silent=keeps_silent(active, files),
                was_found=not self._outcome.made,
                on_reached=self._outcome.reach,
            )
        found = replace(plan.found, session=session, active=active, files=tuple(files))
        if session.state == ACTIVE:
            return replace(found, promised=plan.expected)
        if declared.fills:
            found = replace(found, content=tuple(self._api.list_item_files(str(found.library_item_id))))
        return self._settled(found, plan)

    @contextmanager
    def _ended_wait(self) -> Iterator[None]:
        """A signal that comes when vCenter has been asked to complete a session ends the wait, and nothing else."""
        try:
            yield
        except Interrupted as ended:
            if self._outcome.asked:
                ended.error_type = TimedOut.default_type
            raise

    def _warn_of_left_files(self, plan: Plan, files: Sequence[UpdateFile]) -> None:
        """What another run has put into the session that was found becomes content, too, unless it is purged.

        Nobody can tell it from what vCenter brings along with a package that it pulls, and of what a purge would spare
        the user knows already.
        """
        found, wanted = plan.found.session, self._declared.wanted
        if plan.opens or found is None or wanted is None or wanted.pulled_packages or self._declared.session_id:
            return
        known = {*wanted.names, *plan.files.spared}
        left = [file.name for file in files if file.is_brought and file.name not in known]
        if left:
            self._task.warn(
                f"Session {found.id} was found, and holds what this task does not declare: {', '.join(left)}. It is "
                "published along with the rest. purge_files: true removes it."
            )

    def _settled(self, found: Found, plan: Plan) -> Found:
        """The verdicts after the fact: what was sent was compared on arrival, so nothing is hashed again."""
        before = plan.found.in_item if plan.opens else plan.found.in_session
        verdicts = verdicts_after(before, plan.files)
        return replace(found, in_session=verdicts, in_item=verdicts)

    def _end(self, plan: Plan) -> Found:
        session_id = str(plan.found.session.id if plan.found.session else "")
        self._outcome.find(session_id)
        api, reason = self._api, str(self._declared.error_message)
        if plan.step is Step.CANCEL:
            with noted(CANCELLATION, self._outcome.note):
                end_surely(
                    lambda: api.cancel_update_session(session_id), lambda: api.get_update_session(session_id), CANCELED
                )
        elif plan.step is Step.FAIL:
            with noted("it was marked as failed", self._outcome.note):
                end_surely(
                    lambda: api.fail_update_session(session_id, reason),
                    lambda: api.get_update_session(session_id),
                    ERROR,
                )
        else:
            self._discard(session_id)
            return replace(plan.found, session=None, files=())
        return replace(plan.found, session=api.get_update_session(session_id), files=())

    def _discard(self, session_id: str) -> None:
        with noted("it was deleted", self._outcome.note):
            discard(self._api, session_id, lambda: self._outcome.note(CANCELLATION))

    def _verified(self, name: str, verdicts: Mapping[str, Verdict]) -> bool | None:
        if name not in verdicts:
            return None
        unverified = self._upload.unverified if self._upload else set()
        return verdicts[name] is Verdict.EQUAL and name not in unverified

    def _moved(self) -> dict[str, Any]:
        moved: dict[str, Any] = {"item_changed": self._outcome.item_changed}
        if self._upload and self._upload.transferred["files"]:
            moved["transferred"] = self._upload.transferred
        return moved
