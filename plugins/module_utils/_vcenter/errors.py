# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a failure is named and shown: the exceptions, what each means for another try, and the payload of a failed task.

The error types are the API's own (the values of com.vmware.vapi.std.errors.Error.Type), plus a few for failures on our
side of the wire. `remedies` says what a user can do about each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .messages import LocalizableMessage
from .operations import OPERATIONS, Operation
from .remedies import Refusal, remedy_for
from .schema import to_result

LISTED_NAMES = 10
WHITE_SPACE = "\t\n\r\xa0\u2028\u2029"
# A server, or a proxy before it, says by these that the same request may succeed a moment later.
TRANSIENT_STATUSES = (429, 502, 503, 504)


def printable(text: str) -> str:
    """Text of a server or a user on one line, with characters escaped that could control a terminal."""
    return "".join(
        character if character.isprintable() else " " if character in WHITE_SPACE else _escape(character)
        for character in text
    )


def some_of(names: Sequence[str], most: int = LISTED_NAMES) -> str:
    """The first `most` names between commas, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def failure(error: Exception) -> dict[str, Any]:
    """What a task that failed returns, for any exception: `msg` for people and `error` for playbooks."""
    if not isinstance(error, ContentError):
        error = defect(error)
    return {
        **error.result,
        "msg": error.explain(),
        "error": {
            "type": error.error_type,
            "status": error.status,
            "operation": error.operation,
            "messages": [to_result(message) for message in error.messages],
            "data": error.data,
            "session_id": error.session_id,
        },
    }


def defect(error: BaseException) -> ContentError:
    """An unexpected exception, as a failure."""
    return ContentError(f"{type(error).__name__}: {error}", error_type="INTERNAL_ERROR", remedy=_REPORT)


_REPORT = "This is a defect of vsphere.content: please report it, with the output of the task run with -vvv."


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "...")) else f"{text}."


class ContentError(Exception):
    """A failure that a task reports: `error_type` to branch on, and what explains it.

    The layers above add `session_id`, `subject` (the item, in words), `vcenter` (its host, with the port if that is
    unusual), `user`, `notes` (sentences on what was put back or not) and `result` (what the task can still return).
    `was_sent` is False only if the request surely never left this host.
    """

    default_type = "ERROR"

    def __init__(
        self,
        said: str,
        *,
        error_type: str | None = None,
        status: int | None = None,
        operation: str | None = None,
        messages: Sequence[LocalizableMessage] = (),
        data: Any = None,
        session_id: str | None = None,
        remedy: str | None = None,
        in_json: bool = False,
    ) -> None:
        super().__init__(said)
        self.said = said
        self.error_type = error_type or self.default_type
        self.status = status
        self.operation = operation
        self.messages = tuple(messages)
        self.data = data
        self.session_id = session_id
        self.remedy = remedy
        self.in_json = in_json
        self.was_sent = True
        self.subject: str | None = None
        self.vcenter: str | None = None
        self.user: str | None = None
        self.notes: list[str] = []
        self.result: dict[str, Any] = {}

    @property
    def may_have_happened(self) -> bool:
        """Whether the server may have done what it was asked, although it answered with an error or not at all."""
        unread = isinstance(self, (ConnectionFailed, TimedOut, InvalidResponse)) or (self.status or 0) >= 500
        return unread and self.was_sent

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed a moment later."""
        if isinstance(self, (OutOfTime, HostUnresolved)):
            return False
        return isinstance(self, (ConnectionFailed, TimedOut)) or self.status in TRANSIENT_STATUSES

    def explain(self) -> str:
        """The message: what the task tried, on which item and vCenter, what it was told, and what the user can do."""
        known = OPERATIONS.get(self.operation or "")
        parts = [self._what_failed(known), *self.notes, "" if known else self._where(), self.way_out()]
        return " ".join(part for part in parts if part)

    def _what_failed(self, known: Operation | None) -> str:
        if not known:
            return _sentence(self.said)
        session = self._named_session() if known.names_session else ""
        about = (session, self._linked_subject(known)) if known.has_subject else ()
        if self.vcenter:
            about = (*about, f"to {self.vcenter} as {self.user}" if self.user else f"on {self.vcenter}")
        place = "".join(f" {text}" for text in about if text)
        return f"Could not {known.phrase}{place}: {_sentence(self.said)}"

    def _where(self) -> str:
        return f"The vCenter is {self.vcenter}." if self.vcenter and self.vcenter not in self.said else ""

    def _linked_subject(self, known: Operation) -> str:
        if not self.subject or known.link is None:
            return self.subject or ""
        return f"{known.link}{self.subject.removeprefix('of ')}"

    def _named_session(self) -> str:
        return self.session_id if self.session_id and self.session_id not in self.said else ""

    def way_out(self) -> str:
        ids = tuple(message.id for message in self.messages if message.id)
        answered = isinstance(self, ApiError)
        return self.remedy or remedy_for(Refusal(self.error_type, self.operation, answered, self.in_json, ids))


class InvalidArgument(ContentError):
    """An option that the task cannot follow; found before it changes anything."""

    default_type = "INVALID_ARGUMENT"


class ApiError(ContentError):
    """The server answered with an error; `in_json` tells a vCenter's answer from that of a proxy in between."""


class NotFound(ApiError):
    default_type = "NOT_FOUND"


class NotAllowedInCurrentState(ApiError):
    default_type = "NOT_ALLOWED_IN_CURRENT_STATE"


class ResourceBusy(ApiError):
    default_type = "RESOURCE_BUSY"


class Unauthenticated(ApiError):
    default_type = "UNAUTHENTICATED"


class ConnectionFailed(ContentError):
    """No answer: refused, reset, unresolved, or silent for request_timeout."""

    default_type = "CONNECTION_FAILED"


class HostUnresolved(ConnectionFailed):
    """vCenter has named a place for data whose name this host does not know; to ask again does not change that."""


class TlsUnverified(ContentError):
    default_type = "TLS_UNVERIFIED"


class InvalidResponse(ContentError):
    """An answer that this API does not give."""

    default_type = "INVALID_RESPONSE"


class Redirected(InvalidResponse):
    """A redirect, which is never followed: credentials and content go nowhere that the user has not named."""


class TransferFailed(ContentError):
    default_type = "TRANSFER_FAILED"


class ChecksumMismatch(ContentError):
    default_type = "CHECKSUM_MISMATCH"


class TimedOut(ContentError):
    """A wait of the task reached its deadline."""

    default_type = "TIMED_OUT"


class OutOfTime(TimedOut):
    """A task that has to end has no time left, so it cannot ask again."""


class SignerNotAccepted(ContentError):
    """A package has another signer than the task accepts, or none; `data` holds what would accept it."""

    default_type = "SIGNER_NOT_ACCEPTED"


class WarningsNotIgnored(ContentError):
    """The preview raised warnings that the task does not accept; `data` holds them, and what would accept them."""

    default_type = "WARNINGS_NOT_IGNORED"
