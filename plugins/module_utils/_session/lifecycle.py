# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How sessions live: waiting, taking over, being kept alive, completing.

Each wait has a deadline on a monotonic clock, which moves on with every sign of progress.
"""

from __future__ import annotations

import enum
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, TypeVar

from .._vcenter.api import Api
from .._vcenter.errors import (
    ContentError,
    InvalidResponse,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    TimedOut,
    TransferFailed,
    WarningsNotIgnored,
)
from .._vcenter.models import PreviewWarning, Session, UpdateFile, UpdateSession, WarningBehavior, to_result
from .lost_answers import ask_to_complete, is_lost, make_surely, may_pass
from .states import ACTIVE, DONE

ValueT = TypeVar("ValueT")
KeyT = TypeVar("KeyT")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
WATCH_SECONDS = 10.0
LOOK_SECONDS = 5.0
WATCH_PAUSE = 1.0
CLAIM_SECONDS = 1.0
JOIN_SECONDS = 5.0
UNAVAILABLE_SECONDS = 10.0
READERS = 16
SHORTEST_KEEP_ALIVE = 0.5
LONGEST_KEEP_ALIVE = 30.0
# So often that whoever looks on for LOOK_SECONDS sees a task that is at work in an update session.
SIGN_OF_LIFE_SECONDS = 2.0
STOP_SECONDS = 1.0

COMPLETE = "update_session.complete"
ANOTHER_SESSION = "Another update session is ACTIVE on this item, perhaps another user's."
RUN_AGAIN = "Run the task again when nobody else publishes to the item."
# How the message is called by which vCenter refuses a completion as a file has not arrived.
NOT_RECEIVED = "update_session_file_not_received"
ACCEPTED = "vCenter has accepted the completion"
MISSING_OR_INVALID = "session_has_missing_or_invalid_files"
PENDING_PREVIEWS = ("UNAVAILABLE", "PREPARING")
# How long a server that knows no previews may say nothing of a file that it has answered for.
SILENT_SECONDS = 1.0
UNFINISHED_TRANSFERS = ("TRANSFERRING", "VALIDATING")
ENDED_TRANSFERS = ("READY", "ERROR")


class Completion(enum.Enum):
    """How far the completion of a session has come, as far as anybody can tell."""

    NONE = "none"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DONE = "done"


# What the state of a session says of a completion that it did not refuse.
REACHED: Mapping[str | None, Completion] = {ACTIVE: Completion.ACCEPTED, DONE: Completion.DONE}


@dataclass(frozen=True)
class Clock:
    """Monotonic seconds, and how to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


SYSTEM_CLOCK = Clock(time.monotonic, time.sleep)


@dataclass(frozen=True)
class Patience:
    """How long a task waits for others that are at work on its item: for all of them together."""

    seconds: float
    until: float

    @property
    def remedy(self) -> str:
        if not self.seconds:
            return "Wait until it has ended, or set busy_timeout to have this task wait for it."
        return (
            f"This task has waited for it for {self.seconds:g} seconds (busy_timeout). Raise busy_timeout, or run the "
            "task again when the other one has ended."
        )


def patience_from(clock: Clock, seconds: float) -> Patience:
    return Patience(seconds, clock.now() + seconds)


def gather(read: Callable[[KeyT], ValueT], keys: Sequence[KeyT]) -> list[ValueT]:
    """Read several things, some at a time, in the order of the keys; what has gone in the meantime is left out.

    The threads are daemons, so that an answer that does not come keeps nobody from ending.
    """
    answers: list[Future[ValueT]] = [Future() for _key in keys]
    waiting: queue.SimpleQueue[tuple[KeyT, Future[ValueT]]] = queue.SimpleQueue()
    for entry in zip(keys, answers):
        waiting.put(entry)
    stop = threading.Event()
    for number in range(min(READERS, len(answers))):
        threading.Thread(target=_read_all, args=(read, waiting, stop), name=f"reader-{number}", daemon=True).start()
    found: list[ValueT] = []
    try:
        for answer in answers:
            with suppress(NotFound):
                found.append(answer.result())
    finally:
        stop.set()
    return found


def _read_all(
    read: Callable[[KeyT], ValueT], waiting: queue.SimpleQueue[tuple[KeyT, Future[ValueT]]], stop: threading.Event
) -> None:
    while not stop.is_set():
        try:
            key, answer = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            answer.set_result(read(key))
        except Exception as error:  # noqa: BLE001 (raised again, in the thread that waits)
            answer.set_exception(error)


def find_sessions(api: Api, library_item_id: str) -> list[UpdateSession]:
    """The caller's update sessions on an item, in any state."""
    sessions = gather(api.get_update_session, api.list_update_sessions(library_item_id))
    # Some servers list the sessions of all items, whatever they are asked for.
    return [session for session in sessions if session.library_item_id in (library_item_id, None)]


def find_active(api: Api, library_item_id: str) -> UpdateSession | None:
    """The caller's ACTIVE update session on an item."""
    return next((session for session in find_sessions(api, library_item_id) if session.state == ACTIVE), None)


def take_over(
    api: Api, session: UpdateSession, *, changes: bool, patience: Patience, clock: Clock
) -> tuple[UpdateSession | None, list[UpdateFile]]:
    """Make sure that nobody is at work in an ACTIVE session that was found by its item.

    One in which nothing is transferred may still be somebody's who is about to send the next file, so who C(changes)
    more than its state looks on for a while. Returns the session and its files as they are now, or no session if it
    ended while we waited. Raises ResourceBusy.
    """
    try:
        files = api.list_update_files(str(session.id))
    except NotFound:
        return None, []
    transferring = any(_under_transfer(file) for file in files)
    if not transferring and not changes:
        return session, files
    seconds = WATCH_SECONDS if transferring else LOOK_SECONDS
    while True:
        moved = _watch(api, session, files, seconds, clock)
        if moved is None:
            return None, []
        session, files, at_work = moved
        if not at_work:
            return session, files
        if clock.now() >= patience.until:
            raise ResourceBusy(
                "something moves in it, so another task is at work in it",
                operation="update_session.take_over",
                session_id=session.id,
                remedy=patience.remedy,
            )
        # Once somebody was seen at work, a pause between two of their files is no invitation.
        seconds = WATCH_SECONDS


@dataclass
class Vanished:
    """Sessions that were found and had ended when they were looked at: looking for another one must come to an end."""

    patience: Patience
    clock: Clock
    _ids: set[str] = field(default_factory=set)

    def note(self, session: UpdateSession) -> None:
        """Raises InvalidResponse if the same session is found ever again, and ResourceBusy if there are too many."""
        session_id = str(session.id)
        if session_id in self._ids:
            raise InvalidResponse(
                "the server lists it as ACTIVE, and then says that it has ended",
                operation="update_session.take_over",
                session_id=session_id,
                remedy="Run the task again; if that does not help, cancel the session in vCenter.",
            )
        if self._ids and self.clock.now() >= self.patience.until:
            raise ResourceBusy(
                "one session on the item ends and another one is made, as other tasks publish to it",
                operation="update_session.take_over",
                session_id=session_id,
                remedy=self.patience.remedy,
            )
        self._ids.add(session_id)


def claim(api: Api, session: UpdateSession, clock: Clock) -> bool:
    """Whether a session in which nobody was seen at work is ours, and not another task's that has seen the same.

    Whoever extends it last has it. Each one waits, longer than there is between looking and extending, and then looks
    whether the session still expires when it would by its own doing.
    """
    session_id = str(session.id)
    try:
        found = api.get_update_session(session_id)
        if (found.state, found.expiration_time) != (ACTIVE, session.expiration_time):
            return False
        api.keep_update_session_alive(session_id)
        ours = api.get_update_session(session_id).expiration_time
        clock.sleep(CLAIM_SECONDS)
        return api.get_update_session(session_id).expiration_time == ours
    except (NotFound, NotAllowedInCurrentState):
        return False


def _under_transfer(file: UpdateFile) -> bool:
    return file.status in UNFINISHED_TRANSFERS or (file.status not in ENDED_TRANSFERS and bool(file.bytes_transferred))


def _watch(
    api: Api, session: UpdateSession, files: list[UpdateFile], seconds: float, clock: Clock
) -> tuple[UpdateSession, list[UpdateFile], bool] | None:
    """Look on for some seconds: the session, its files, and whether anything moved; None if the session ended."""
    before = _signs_of_life(session, files)
    end = clock.now() + seconds
    while clock.now() < end:
        clock.sleep(WATCH_PAUSE)
        try:
            session = api.get_update_session(str(session.id))
            if session.state != ACTIVE:
                return None
            files = api.list_update_files(str(session.id))
        except NotFound:
            return None
        if _signs_of_life(session, files) != before:
            return session, files, True
    return session, files, False


def _signs_of_life(session: UpdateSession, files: list[UpdateFile]) -> tuple[Any, ...]:
    progress = sorted((file.name, file.bytes_transferred, file.status) for file in files)
    return session.client_progress, session.expiration_time, progress


def behaviors(ignored: Sequence[str]) -> tuple[WarningBehavior, ...]:
    return tuple(WarningBehavior(type=kind, ignored=True) for kind in ignored)


def open_session(
    api: Api,
    library_item_id: str,
    *,
    ignored_warnings: Sequence[str],
    client_token: str,
    patience: Patience,
    clock: Clock,
    shield: Callable[[], AbstractContextManager[None]],
    on_created: Callable[[str], None],
) -> str:
    """Create an update session, waiting while another one blocks it; returns its id.

    C(on_created) is told the id before a signal can come between, as C(shield) holds signals back.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            with shield():
                session_id = make_surely(
                    lambda: api.create_update_session(
                        library_item_id, behaviors(ignored_warnings) or None, client_token
                    )
                )
                on_created(session_id)
            return session_id
        except ResourceBusy as error:
            if clock.now() >= patience.until:
                if patience.seconds:
                    error.remedy = f"{ANOTHER_SESSION} {patience.remedy}"
                raise
        clock.sleep(min(pause, max(0.0, patience.until - clock.now())))
        pause = min(pause * 2, LONGEST_PAUSE)


def require_warning_behavior(session: UpdateSession, ignored_warnings: Sequence[str]) -> None:
    """Servers have answered a change with success and not made it; a session must say itself what it ignores."""
    if session.ignored_warnings != tuple(sorted(ignored_warnings)):
        raise InvalidResponse(
            f"the server did not take warning_behavior: it ignores {_listed(session.ignored_warnings)}, "
            f"declared is {_listed(ignored_warnings)}",
            operation="update_session.update",
            session_id=session.id,
            remedy="This vCenter may be too old for warning_behavior (it came with 6.8): then leave the option out, "
            "and publish packages that raise no warning.",
        )


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"


def wait_for(
    read: Callable[[], ValueT],
    *,
    ready: Callable[[ValueT], bool],
    signs: Callable[[ValueT], Any],
    describe: Callable[[ValueT], str],
    operation: str,
    timeout: float,
    clock: Clock,
    session_id: str | None,
) -> ValueT:
    """Read until C(ready); raises TimedOut when C(signs) have not changed for C(timeout) seconds."""
    value = read()
    seen, deadline, pause = signs(value), clock.now() + timeout, FIRST_PAUSE
    while not ready(value):
        if clock.now() >= deadline:
            raise TimedOut(
                f"no progress for {timeout:g} seconds (wait_timeout): {describe(value)}",
                operation=operation,
                session_id=session_id,
                remedy="If the server is only slow, raise wait_timeout.",
            )
        clock.sleep(min(pause, max(0.0, deadline - clock.now())))
        pause = min(pause * 2, LONGEST_PAUSE)
        value = read()
        if signs(value) != seen:
            seen, deadline, pause = signs(value), clock.now() + timeout, FIRST_PAUSE
    return value


def await_files(
    api: Api,
    session_id: str,
    names: Sequence[str],
    *,
    wait_timeout: float,
    clock: Clock,
    on_look: Callable[[Sequence[UpdateFile]], None],
) -> list[UpdateFile]:
    """Wait until the server has received the named files: an answered PUT is not yet a received file.

    Servers that know no previews need not say of a pushed file that it has arrived. One of which such a server says
    nothing at all for a while counts as received: if it is not, completing is refused.

    C(on_look) is told all files of the session each time they have been looked at.

    Returns all files of the session. Raises TransferFailed with the server's reason, or TimedOut.
    """
    patience = clock.now() + SILENT_SECONDS
    silent: set[str] = set()

    def read() -> list[UpdateFile]:
        files = api.list_update_files(session_id)
        on_look(files)
        waiting = [file for file in files if file.name in names and file.status != "READY"]
        for file in waiting:
            if file.status == "ERROR":
                reason = file.error_message.text if file.error_message else "the server gives no reason"
                raise TransferFailed(
                    f"the server could not take {file.name}: {reason}",
                    operation="update_session.file.receive",
                    session_id=session_id,
                )
        silent.clear()
        if waiting:
            session = api.get_update_session(session_id)
            require_active(session, "update_session.file.receive")
            if session.preview_info is None and clock.now() >= patience:
                silent.update(file.name for file in waiting if _is_silent(file))
        return files

    return wait_for(
        read,
        ready=lambda files: set(names) <= silent | {file.name for file in files if file.status == "READY"},
        signs=lambda files: [(file.name, file.status, file.bytes_transferred) for file in files],
        describe=lambda files: _describe_transfers(files, names),
        operation="update_session.file.receive",
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def _is_silent(file: UpdateFile) -> bool:
    return file.source_type == "PUSH" and file.status == "WAITING_FOR_TRANSFER" and not file.bytes_transferred


def keeps_silent(session: UpdateSession, files: Sequence[UpdateFile]) -> bool:
    """Whether a server that knows no previews may not have received all that was pushed, without saying so."""
    return session.preview_info is None and any(
        file.source_type == "PUSH" and file.status not in ENDED_TRANSFERS for file in files
    )


def _describe_transfers(files: Sequence[UpdateFile], names: Sequence[str]) -> str:
    statuses = {file.name: f"{file.status}, {file.bytes_transferred or 0} bytes" for file in files}
    unfinished = [name for name in names if not statuses.get(name, "").startswith("READY")]
    return ", ".join(f"{name} ({statuses.get(name, 'not listed by the server')})" for name in unfinished)


def require_active(session: UpdateSession, operation: str) -> None:
    """A transfer can fail after its PUT was answered: the session then goes to ERROR by itself, with the reason."""
    if session.state == DONE:
        raise ResourceBusy(
            "another task has completed it", operation=operation, session_id=session.id, remedy=RUN_AGAIN
        )
    if session.state != ACTIVE:
        reason = session.error_message.text if session.error_message else "the server gives no reason"
        raise TransferFailed(
            f"it became {session.state} by itself: {reason}", operation=operation, session_id=session.id
        )


@contextmanager
def kept_alive(
    extend: Callable[[int | None], None],
    session: Session,
    *,
    server_time: datetime | None,
    at_most: float,
    progress: Callable[[], int],
    on_lost: Callable[[ContentError], None],
) -> Iterator[None]:
    """While the block runs, extend a session well before it expires, and with it the login, in a thread.

    C(at_most) so many seconds lie between two signs of life, fewer where the session expires soon. C(extend) is told
    the progress, 0 to 100, when it has grown; C(on_lost) why the session cannot be extended any more. A passing failure
    is left to the next round.
    """
    finished = threading.Event()
    interval = keep_alive_interval(session.expiration_time, server_time, at_most)

    def keep() -> None:
        told = session.client_progress or 0
        while not finished.wait(interval):
            try:
                reached = min(progress(), 100)
                extend(reached if reached > told else None)
            except (NotFound, NotAllowedInCurrentState) as error:
                if not finished.is_set():
                    on_lost(error)
                return
            except Exception:  # noqa: BLE001, S112 (a traceback would stand in the output, and the next round may do)
                continue
            told = max(told, reached)

    keeper = threading.Thread(target=keep, name="keep-alive", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        finished.set()
        keeper.join(STOP_SECONDS)


def keep_alive_interval(expiration_time: str | None, server_time: datetime | None, at_most: float) -> float:
    """Seconds between two signs of life: a quarter of the time left, and seldom enough to be no load.

    Both times are the server's, so that the clock of this host may show anything.
    """
    if server_time is None:
        return at_most
    try:
        expires = datetime.fromisoformat((expiration_time or "").replace("Z", "+00:00"))
        left = (expires - server_time).total_seconds()
    except (ValueError, TypeError):
        return at_most
    return min(max(left / 4, SHORTEST_KEEP_ALIVE), at_most)


def await_preview(api: Api, session_id: str, *, wait_timeout: float, clock: Clock) -> UpdateSession:
    """Wait for the preview of a session that has its descriptor; a server that makes none is not waited for."""
    patience = clock.now() + min(UNAVAILABLE_SECONDS, wait_timeout)

    def ready(session: UpdateSession) -> bool:
        state = session.preview_info.state if session.preview_info else None
        return state not in PENDING_PREVIEWS or (state == "UNAVAILABLE" and clock.now() >= patience)

    def read() -> UpdateSession:
        session = api.get_update_session(session_id)
        require_active(session, "update_session.preview")
        return session

    return wait_for(
        read,
        ready=ready,
        signs=lambda session: session.preview_info,
        describe=lambda _session: "the preview is still being prepared",
        operation="update_session.preview",
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def require_accepted_warnings(session: UpdateSession) -> None:
    """Raise WarningsNotIgnored if the preview holds a warning that the session does not ignore."""
    preview = session.preview_info
    raised = [
        warning
        for warning in (preview.warnings if preview else None) or ()
        if warning.type not in session.ignored_warnings and not warning.ignored
    ]
    if not raised or not preview:
        return
    certificate = preview.certificate_info
    signer = (
        f" The certificate's subject is {certificate.subject}, its issuer {certificate.issuer}." if certificate else ""
    )
    entries = ", ".join(f"{{type: {warning.type}, ignored: true}}" for warning in raised)
    raise WarningsNotIgnored(
        "its preview raises what warning_behavior does not accept: "
        + "; ".join(_describe_warning(warning) for warning in raised)
        + f".{signer}",
        operation="update_session.preview",
        session_id=session.id,
        data={
            "warnings": [to_result(warning) for warning in raised],
            "certificate_info": to_result(certificate) if certificate else None,
            "warning_behavior": [{"type": warning.type, "ignored": True} for warning in raised],
        },
        remedy=f"If you trust this package all the same, declare it: warning_behavior: [{entries}].",
    )


def _describe_warning(warning: PreviewWarning) -> str:
    text = warning.message.text.rstrip(".") if warning.message else ""
    return f"{warning.type} ({text})" if text else warning.type


def complete(
    api: Api,
    session_id: str,
    *,
    wait: bool,
    wait_timeout: float,
    clock: Clock,
    silent: bool,
    was_found: bool,
    on_reached: Callable[[Completion], None],
) -> UpdateSession:
    """Validate and complete a session, then wait until it has left ACTIVE, unless told not to.

    The answer to a completion comes when vCenter has updated the item, so it may come too late for C(request_timeout),
    or be lost. The session is then read until it has left ACTIVE, also where C(wait) is False. Source: the published
    description of C(complete).

    Where the server is C(silent) on what it has received, it is asked again while it says that files are missing yet.
    C(was_found) says that an earlier run, or another task, may have asked for the completion before.

    Returns the session as it was last seen; C(on_reached) is told how far the completion has come. Raises
    TransferFailed naming missing and invalid files, or with the reason for which the session failed; TimedOut if
    nothing says within C(wait_timeout) seconds what has become of it.
    """

    def ask() -> ContentError | None:
        return _ask_to_complete(api, session_id, clock, on_reached)

    try:
        lost = _ask_until_received(ask, session_id, wait_timeout, clock) if silent else ask()
    except (NotAllowedInCurrentState, ResourceBusy) as refusal:
        # Of a session that nobody has asked to complete, the refusal to validate it says nothing of that kind.
        completing = is_completing(refusal) and (was_found or refusal.operation == COMPLETE)
        if completing and not was_found:
            on_reached(Completion.UNKNOWN)
        session = _await_end_by_others(
            api, session_id, refusal, wait_timeout, clock, wait=wait, was_found=was_found, completing=completing
        )
    else:
        on_reached(Completion.UNKNOWN if lost else Completion.ACCEPTED)
        known = f"no answer says whether vCenter completes it ({lost.said})" if lost else ACCEPTED
        session = _await_end(api, session_id, wait_timeout, clock, wait=wait or bool(lost), known=known, lost=lost)
    on_reached(REACHED.get(session.state, Completion.FAILED))
    _require_completed(session)
    return session


def _require_completed(session: UpdateSession) -> None:
    if session.state != DONE:
        require_active(session, COMPLETE)


def _ask_until_received(
    ask: Callable[[], ContentError | None], session_id: str, wait_timeout: float, clock: Clock
) -> ContentError | None:
    """Ask for the completion until it is not refused any more for files that have not arrived."""

    def ask_again() -> ContentError | None:
        try:
            return ask()
        except NotAllowedInCurrentState as refusal:
            if not is_refused_for(refusal, NOT_RECEIVED):
                raise
            return refusal

    return wait_for(
        ask_again,
        ready=lambda answer: not isinstance(answer, NotAllowedInCurrentState),
        signs=lambda answer: answer.said if answer else None,
        describe=lambda answer: answer.said if answer else "",
        operation=COMPLETE,
        timeout=wait_timeout,
        clock=clock,
        session_id=session_id,
    )


def _ask_to_complete(
    api: Api, session_id: str, clock: Clock, on_reached: Callable[[Completion], None]
) -> ContentError | None:
    """Returns None for a completion that was accepted, and the error that came where the answer was lost."""
    validation = api.validate_update_files(session_id)
    if validation.has_errors:
        missing = [f"{name} is missing" for name in validation.missing_files or ()]
        invalid = [
            f"{file.name} is invalid ({file.error_message.text if file.error_message else 'no reason given'})"
            for file in validation.invalid_files or ()
        ]
        raise TransferFailed(
            f"its files do not make an item: {', '.join(missing + invalid)}",
            operation=COMPLETE,
            session_id=session_id,
            data=to_result(validation),
            remedy="Declare the missing files under files, and replace the invalid ones.",
        )
    try:
        ask_to_complete(lambda: api.complete_update_session(session_id), clock.sleep)
    except (NotAllowedInCurrentState, ResourceBusy):
        raise
    except ContentError as error:
        if not is_lost(error):
            raise
        return error
    except BaseException:
        # A signal has ended the wait for the answer.
        on_reached(Completion.UNKNOWN)
        raise
    return None


def _await_end(
    api: Api,
    session_id: str,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    known: str,
    lost: ContentError | None = None,
) -> UpdateSession:
    """A session whose completion was asked for, when it has ended, or as soon as it was read where nobody waits.

    C(known) is what is known of the completion, in words, and C(lost) what came in place of an answer to the request. A
    server that cannot be reached says nothing of the session, so the wait goes on; any other error ends it when it
    comes for the second time.
    """
    progress: int | None = None
    errors = 0

    def read() -> UpdateSession | ContentError:
        try:
            return api.get_update_session(session_id)
        except NotFound as gone:
            raise lost or gone from None
        except ContentError as error:
            nonlocal errors
            errors += not may_pass(error)
            if errors > 1:
                raise
            return error

    def signs(found: UpdateSession | ContentError) -> int | None:
        nonlocal progress
        progress = progress if isinstance(found, ContentError) else found.client_progress
        return progress

    def describe(found: UpdateSession | ContentError) -> str:
        unread = f"the session cannot be read ({found.said})" if isinstance(found, ContentError) else ""
        return f"{known}, and {unread or 'it is still ACTIVE'}"

    try:
        found = wait_for(
            read,
            ready=lambda found: isinstance(found, UpdateSession) and (found.state != ACTIVE or not wait),
            signs=signs,
            describe=describe,
            operation=COMPLETE,
            timeout=wait_timeout,
            clock=clock,
            session_id=session_id,
        )
    except TimedOut as error:
        error.remedy = "Run the task again: it waits for the session. If vCenter is only slow, raise wait_timeout."
        error.messages = error.messages or (lost.messages if lost else ())
        raise
    if isinstance(found, ContentError):
        raise found
    return found


def _await_end_by_others(
    api: Api,
    session_id: str,
    refusal: ContentError,
    wait_timeout: float,
    clock: Clock,
    *,
    wait: bool,
    was_found: bool,
    completing: bool,
) -> UpdateSession:
    """A session that takes no completion, once it is DONE: another task, or an earlier run, may have completed it.

    Raises the refusal if it stays ACTIVE and is not C(completing) by what is known, TimedOut if it is, and
    TransferFailed with its reason if it ends in another way.
    """
    if completing:
        known = f"vCenter is at work on it already ({refusal.said})"
        session = _await_end(api, session_id, wait_timeout, clock, wait=wait, known=known)
    else:
        # Of a session that was found, a refusal without a reason may mean that vCenter completes it already.
        named = is_refused_for(refusal, NOT_RECEIVED, MISSING_OR_INVALID)
        end = clock.now() + (wait_timeout if was_found and not named else JOIN_SECONDS)
        pause = FIRST_PAUSE
        while (session := api.get_update_session(session_id)).state == ACTIVE:
            if clock.now() >= end:
                raise refusal
            clock.sleep(min(pause, max(0.0, end - clock.now())))
            pause = min(pause * 2, LONGEST_PAUSE)
    _require_completed(session)
    return session


def is_refused_for(refusal: ContentError, *reasons: str) -> bool:
    """Whether vCenter names one of these reasons, by the end of its message's identifier."""
    return any((message.id or "").endswith(reasons) for message in refusal.messages)


def is_completing(refusal: ContentError) -> bool:
    """Whether an ACTIVE session refuses something for being ACTIVE or busy, as while the server is completing it."""
    return isinstance(refusal, ResourceBusy) or any(
        (message.args or ())[1:2] == (ACTIVE,) for message in refusal.messages
    )
