# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of a trial share: the session at hand, how a file is sent, how long one waits, and what was seen."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from .._session.waiting import pauses
from .._task.converge import Task
from .._vcenter.api import Api
from .._vcenter.errors import ChecksumMismatch, ContentError, TransferFailed
from .._vcenter.models import DownloadFile, UpdateFile, UpdateFileAddition, UpdateSession
from .made import Made
from .recorder import Recorder, Transfer, body_of

PUT, GET_DATA = "update_session.file.put", "download_session.file.get_data"
COMPLETE = "update_session.complete"
WAITING = "WAITING_FOR_TRANSFER"
LOG = "A publish would fail as well. The log of vCenter's Content Library service says why."


class Content:
    """Bytes as the body of a request."""

    def __init__(self, content: bytes) -> None:
        self._size = len(content)
        self._stream = io.BytesIO(content)

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


@dataclass
class Trial:
    """A trial in one library; `seen` is what was observed, by the names of points."""

    task: Task
    api: Api
    recorder: Recorder
    made: Made
    seen: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    """Whether vCenter may say nothing of a file that it has: then only a completion tells."""

    def open_update(self, item_id: str, client_token: str = "", *, ignored: Iterable[Any] = ()) -> str:
        wanted = UpdateSession(library_item_id=item_id, warning_behavior=tuple(ignored) or None)
        return self.made.session(self.api.updates, wanted, client_token)

    def end_update(self, session_id: str) -> None:
        self.made.end(self.api.updates, session_id)

    def add(self, session_id: str, name: str, content: bytes) -> str:
        """Announce a file; returns the address to send it to. Raises TransferFailed if vCenter names none."""
        addition = UpdateFileAddition(name=name, source_type="PUSH", size=len(content))
        endpoint = self.api.updates.add_file(session_id, addition).upload_endpoint
        if endpoint is None:
            raise TransferFailed(f"vCenter named no address to send {name} to", operation=PUT, session_id=session_id)
        return endpoint.uri

    def send(self, session_id: str, url: str, content: bytes) -> int:
        """Send a file; returns the status of the answer."""
        status, began = None, time.monotonic()
        try:
            with self.api.stream(
                "PUT", url, operation=PUT, session_id=session_id, body=lambda: Content(content)
            ) as answer:
                status = int(answer.status_code)
            return status
        except ContentError as error:
            status = error.status
            raise
        finally:
            self.recorder.note(Transfer(PUT, "PUT", status, began, time.monotonic()))

    def fetch(self, session_id: str, url: str, *, span: str = "") -> tuple[int, bytes]:
        """Fetch a file, or a span of its bytes; returns the status of the answer, and its bytes."""
        status, began = None, time.monotonic()
        headers = {"Range": span} if span else {}
        try:
            with self.api.stream("GET", url, operation=GET_DATA, session_id=session_id, headers=headers) as answer:
                status = int(answer.status_code)
                held = b"".join(answer.iter_content(65536))
            return status, held
        except ContentError as error:
            status = error.status
            raise
        finally:
            self.recorder.note(Transfer(GET_DATA, "GET", status, began, time.monotonic()))

    def push(self, session_id: str, name: str, content: bytes) -> UpdateFile:
        """Announce and send a file, and wait until vCenter has it. Raises TransferFailed."""
        self.send(session_id, self.add(session_id, name, content), content)
        file = self.await_file(session_id, name)
        if file is None or (file.status != "READY" and not self.says_nothing_of(file)):
            raise self.not_received(name, file, session_id)
        return file

    def says_nothing_of(self, file: UpdateFile) -> bool:
        """Whether a file looks as if nothing of it had come, at a vCenter of which that is known."""
        return self.is_silent and file.status == WAITING

    def not_received(self, name: str, file: UpdateFile | None, session_id: str) -> ContentError:
        """The failure if vCenter does not receive a file whose upload it has answered."""
        why = f"status: {file.status}, {file.reason}" if file else "it is not in the session"
        return TransferFailed(
            f"vCenter has not received {name}, though it answered its upload with success ({why})",
            operation="update_session.file.receive",
            session_id=session_id,
            remedy=LOG,
        )

    def not_found(self, session_id: str) -> ContentError:
        """The failure if the list of sessions lacks an ACTIVE one of the user's own."""
        return TransferFailed(
            "the list of sessions lacks the one that is ACTIVE on the item, so no task could take it over",
            operation="update_session.list",
            session_id=session_id,
            remedy=LOG,
        )

    def lost(self, name: str, session_id: str) -> ContentError:
        """The failure if a completed session has left no file in the item."""
        return TransferFailed(f"the item does not hold {name}", operation=COMPLETE, session_id=session_id, remedy=LOG)

    def not_prepared(self, name: str, file: DownloadFile, session_id: str) -> ContentError:
        """The failure if vCenter does not offer a file that it was asked to prepare."""
        said = f"vCenter has not prepared {name} (status: {file.status}, {file.reason})"
        return TransferFailed(said, operation="download_session.file.prepare", session_id=session_id)

    def differs(self, name: str, session_id: str) -> ContentError:
        """The failure if the item holds other bytes than were sent."""
        return ChecksumMismatch(
            f"the checksum of {name} in the item is not that of what was sent",
            operation=COMPLETE,
            session_id=session_id,
        )

    def file(self, session_id: str, name: str) -> UpdateFile | None:
        return next((file for file in self.api.updates.files(session_id) if file.name == name), None)

    def await_file(
        self,
        session_id: str,
        name: str,
        *,
        seconds: float | None = None,
        each: Callable[[UpdateFile], None] | None = None,
    ) -> UpdateFile | None:
        """A file once it is READY or in ERROR, or as it is when the time is over."""
        found: list[UpdateFile | None] = [None]
        clock = self.task.clock
        began = clock.now()

        def has_ended() -> bool:
            file = found[0] = self.file(session_id, name)
            if file is None:
                return False
            if each:
                each(file)
            is_given_up = self.says_nothing_of(file) and clock.now() - began >= clock.timing.silent_file
            return is_given_up or file.status in ("READY", "ERROR")

        self.until(has_ended, seconds)
        return found[0]

    def until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Whether a condition becomes true in time; it is looked at again and again."""
        clock = self.task.clock
        deadline = clock.now() + (clock.timing.trial_wait if seconds is None else seconds)
        waits = pauses(clock.timing)
        while not condition():
            if clock.now() >= deadline:
                return False
            clock.sleep(min(next(waits), max(0.0, deadline - clock.now())))
        return True

    def session(self, session_id: str) -> UpdateSession:
        return self.api.updates.get(session_id)

    def raw_session(self) -> dict[str, Any]:
        """The last answer about an update session, without its envelope."""
        answer = body_of(self.recorder.last("update_session.get").answer)
        inner = answer.get("value") if isinstance(answer, dict) and "value" in answer else answer
        return inner if isinstance(inner, dict) else {}

    def await_end(self, session_id: str) -> UpdateSession:
        """A session once it is no longer ACTIVE, or as it is when the time is over."""
        found: list[UpdateSession] = []

        def has_ended() -> bool:
            found.append(self.session(session_id))
            return found[-1].state != "ACTIVE"

        self.until(has_ended)
        return found[-1]

    def complete(self, session_id: str) -> None:
        """Complete a session, and wait until it is DONE. Raises TransferFailed if it does not become that."""
        self.api.updates.complete(session_id)
        self.await_done(session_id)

    def await_done(self, session_id: str) -> None:
        """Raises TransferFailed for a session that ends otherwise, or not in time."""
        ended = self.await_end(session_id)
        if ended.state != "DONE":
            said = f"the session is {ended.state} after its completion: {ended.reason}"
            raise TransferFailed(said, operation=COMPLETE, session_id=session_id, remedy=LOG)


@dataclass
class Aside:
    """A request that another thread sends; `error` is how it failed, if it did."""

    thread: Thread
    error: ContentError | None = None

    @property
    def is_under_way(self) -> bool:
        return self.thread.is_alive()


def aside(ask: Callable[[], None]) -> Aside:
    """Send a request in another thread."""

    def run() -> None:
        try:
            ask()
        except ContentError as error:
            sent.error = error

    # A daemon, so that a missing answer does not keep the process from ending.
    sent = Aside(Thread(target=run, name="trial-aside", daemon=True))
    sent.thread.start()
    return sent


def states_named(error: ContentError) -> set[str]:
    """The states of a session that the arguments of a refusal name."""
    named = {argument for message in error.messages for argument in message.args or ()}
    return named & {"ACTIVE", "DONE", "ERROR", "CANCELED"}


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
