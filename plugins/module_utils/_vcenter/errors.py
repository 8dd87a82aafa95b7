# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a failure is named and shown: the exceptions, what an answer of the server means, and the payload of a failed
task.

The names of types are the API's own (the values of com.vmware.vapi.std.errors.Error.Type), plus the few that name what
happens on our side of the wire. To change what a user is told to do about a failure, edit REMEDIES or OPERATIONS.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from .models import PAIRED_MAPS, PLAIN_MAPS, ErrorBody, LocalizableMessage, SchemaError, decode, to_result

QUOTED_CHARACTERS = 200
LISTED_NAMES = 10
QUOTED_BYTES = 1024 * 1024
SECRET_CHARACTERS = 64 * 1024
DEEPEST_LEVEL = 64
JSON_BYTES = 12 * 1024 * 1024
JSON_VALUES = 500_000
"""What JSON of a server may hold. The longest list of a vCenter is that of a session's files: one of them has some 30
values and at most 1,000 bytes, so 10,000 of them pass, and no virtual machine has a tenth as many. Either limit is
needed: a value of two bytes takes 64 in memory, and a single character can make a text take four bytes for each.
"""
WHITE_SPACE = "\t\n\r\xa0\u2028\u2029"


@dataclass(frozen=True)
class Operation:
    """What people call an operation ("could not ..."), the privilege that vCenter asks for it, and whether it has to do
    with what the task is about; C(link) leads to that where it is looked for and nothing of it is known yet.
    """

    phrase: str
    privilege: str | None = None
    has_subject: bool = True
    link: str | None = None


OPERATIONS: Mapping[str, Operation] = {
    "session.login": Operation("log in", has_subject=False),
    "session.logout": Operation("log out", has_subject=False),
    "library.find": Operation("look up the library", link="for "),
    "library.get": Operation("read the library"),
    "item.find": Operation("look up", link=""),
    "item.get": Operation("read the library item"),
    "item.create": Operation("create the library item", "ContentLibrary.AddLibraryItem"),
    "item.update": Operation("update the library item", "ContentLibrary.UpdateLibraryItem"),
    "item.delete": Operation("delete the library item", "ContentLibrary.DeleteLibraryItem"),
    "item.file.list": Operation("list the files of the library item"),
    "update_session.create": Operation("create an update session", "ContentLibrary.UpdateSession"),
    "update_session.list": Operation("list the update sessions", "ContentLibrary.UpdateSession"),
    "update_session.get": Operation("read the update session", "ContentLibrary.UpdateSession"),
    "update_session.update": Operation(
        "set the warning_behavior of the update session", "ContentLibrary.UpdateSession"
    ),
    "update_session.complete": Operation("complete the update session", "ContentLibrary.UpdateSession"),
    "update_session.cancel": Operation("cancel the update session", "ContentLibrary.UpdateSession"),
    "update_session.fail": Operation("fail the update session", "ContentLibrary.UpdateSession"),
    "update_session.keep_alive": Operation("keep the update session alive", "ContentLibrary.UpdateSession"),
    "update_session.delete": Operation("delete the update session", "ContentLibrary.UpdateSession"),
    "update_session.file.add": Operation("add a file to the update session", "ContentLibrary.UpdateSession"),
    "update_session.file.list": Operation("list the files of the update session", "ContentLibrary.UpdateSession"),
    "update_session.file.remove": Operation("remove a file in the update session", "ContentLibrary.UpdateSession"),
    "update_session.file.probe": Operation("probe the source of a file"),
    "update_session.file.validate": Operation(
        "validate the files of the update session", "ContentLibrary.UpdateSession"
    ),
    "update_session.take_over": Operation("take over the update session"),
    "update_session.preview": Operation("go on with the update session"),
    "update_session.file.receive": Operation("have the server receive the files of the update session"),
    "update_session.file.put": Operation("upload a file to the update session"),
    "download_session.create": Operation("create a download session", "ContentLibrary.DownloadSession"),
    "download_session.list": Operation("list the download sessions", "ContentLibrary.DownloadSession"),
    "download_session.get": Operation("read the download session", "ContentLibrary.DownloadSession"),
    "download_session.cancel": Operation("cancel the download session", "ContentLibrary.DownloadSession"),
    "download_session.fail": Operation("fail the download session", "ContentLibrary.DownloadSession"),
    "download_session.keep_alive": Operation("keep the download session alive", "ContentLibrary.DownloadSession"),
    "download_session.delete": Operation("delete the download session", "ContentLibrary.DownloadSession"),
    "download_session.file.list": Operation("list the files of the download session", "ContentLibrary.DownloadSession"),
    "download_session.file.get": Operation("read a file of the download session", "ContentLibrary.DownloadSession"),
    "download_session.file.find": Operation("find the files to fetch", link="in "),
    "download_session.file.prepare": Operation(
        "prepare a file of the download session", "ContentLibrary.DownloadSession"
    ),
    "download_session.file.get_data": Operation(
        "download a file of the download session", "ContentLibrary.DownloadSession"
    ),
}

# What to do about the types that nobody knows more of, those of a later vCenter among them.
OTHERWISE = "ERROR"
REMEDIES: Mapping[str, str] = {
    "ALREADY_EXISTS": "Choose another name, or address what exists by its identifier.",
    "CANCELED": "Run it again; raise the task's or the job's time-out if that ended it.",
    "CHECKSUM_MISMATCH": "Nothing was published. Check whether the file changed while the task ran, and run it again.",
    "CONNECTION_FAILED": "Check hostname, port and the proxy options, and that the vCenter can be reached from the "
    "host that runs this task.",
    "ERROR": "If the message does not help, run the task at -vvv: its result then shows each request as trace.",
    "INTERNAL_SERVER_ERROR": "vCenter met an error of its own; its Content Library service log says more.",
    "INVALID_ARGUMENT": "vCenter refuses a value: check the option that its message is about.",
    "INVALID_ELEMENT_TYPE": "The item is none that files can be published to. If its library subscribes to another "
    "one, publish there; if it is a VM template, choose another item.",
    "INVALID_RESPONSE": "Check that hostname and port are those of a vCenter, and what stands between it and this "
    "host.",
    "NOT_ALLOWED_IN_CURRENT_STATE": "Run the task again: it looks at the session anew. If it names a session_id that "
    "has ended, name the item instead.",
    "NOT_FOUND": "It may have expired or been deleted by somebody else. Check the name or the identifier.",
    "OPERATION_NOT_FOUND": "This vCenter does not offer the operation.",
    "RESOURCE_BUSY": "Another update session is ACTIVE on this item, perhaps another user's. Set busy_timeout to "
    "wait for it.",
    "SERVICE_UNAVAILABLE": "vCenter's Content Library service does not answer now: try again later.",
    "TIMED_OUT": "If the server is only slow, raise the time-out that the message names.",
    "TLS_UNVERIFIED": "Set ca_path to the certificate authority that signed the vCenter's certificate. validate_certs: "
    "false switches the check off and is for tests only.",
    "TRANSFER_FAILED": "Fix the cause and run the task again.",
    "UNAUTHENTICATED": "Check username and password (or VMWARE_USER and VMWARE_PASSWORD). Where session_token is used, "
    "get a new token.",
    "UNAUTHORIZED": "Give the user's role the privileges that this task needs on the library.",
}

TYPE_OF_STATUS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    429: "SERVICE_UNAVAILABLE",
    500: "INTERNAL_SERVER_ERROR",
    502: "SERVICE_UNAVAILABLE",
    503: "SERVICE_UNAVAILABLE",
    504: "SERVICE_UNAVAILABLE",
}


def from_response(
    status: int,
    body: bytes,
    operation: str,
    session_id: str | None = None,
    *,
    hide: Callable[[str], str] = str,
) -> ApiError:
    """The exception that an answer outside the operation's success codes means.

    The type is taken from the body's error_type or type, and only without one from the status, as vCenter sends some
    errors with other statuses than published (NOT_ALLOWED_IN_CURRENT_STATE with 400, RESOURCE_BUSY with 400 or 500).
    C(hide) takes secrets out of a body that is quoted.
    """
    try:
        envelope = read_json(body)
    except (ValueError, InvalidResponse):
        envelope = None
    error = _read_envelope(envelope)
    error_type = (error.error_type if error else None) or _type_name(envelope) or TYPE_OF_STATUS.get(status)
    messages = (error.messages if error else None) or ()
    said = "; ".join(message.text for message in messages if message.text)
    return _CLASSES.get(error_type or "", ApiError)(
        said or _describe_body(status, body, hide),
        error_type=error_type or ("ERROR" if error else "INVALID_RESPONSE"),
        status=status,
        operation=operation,
        messages=messages,
        data=error.data if error else None,
        session_id=session_id,
        in_json=envelope is not None,
    )


def read_json(body: bytes) -> Any:
    """The JSON of an answer. Raises ValueError for anything else, and for what is nested deeper than any answer is.

    Raises InvalidResponse for what is larger than any answer of a vCenter: a parser would hold it whole before anybody
    could look at it, so the values are counted by the signs that begin them or stand between them. Those within a text
    count along; the limit leaves room for them.

    Half of a surrogate pair, which no output can show and no URL can hold, reads as a question mark. Numbers that are
    none in JSON, which Python would read and write all the same, are refused.
    """
    if len(body) > JSON_BYTES:
        raise InvalidResponse(f"the answer has {len(body)} bytes, where no vCenter sends more than {JSON_BYTES}")
    if sum(map(body.count, (b",", b"[", b"{"))) > JSON_VALUES:
        raise InvalidResponse(f"the answer has more than {JSON_VALUES} values, which no vCenter sends")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [value]
    for _depth in range(DEEPEST_LEVEL):
        level = [child for entry in level for child in _children(entry)]
    if level:
        raise ValueError("nested too deeply")
    if re.search(rb"\\u[dD]", body):
        value = _without_halves(value)
    return value


def _without_halves(value: Any) -> Any:
    """The value with a question mark for each half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(entry) for key, entry in value.items()}
    return [_without_halves(entry) for entry in value] if isinstance(value, list) else value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def quote(body: bytes, hide: Callable[[str], str] = str) -> str:
    """A body that we cannot read, shortened to one line for a message.

    C(hide) takes out secrets before anything is cut off, as half a secret would not be known for one. Only the
    beginning of a long body is read, and what may be half a secret at the end of that is dropped. Of a URL nothing but
    its scheme is left: it may be cut off before the sign that ends its password.
    """
    text = hide(body[:QUOTED_BYTES].decode("utf-8", "replace"))
    if len(body) > QUOTED_BYTES:
        text = text[:-SECRET_CHARACTERS]
    text = re.sub("://[^\\s\"'<>]*", "://...", text)[: 20 * QUOTED_CHARACTERS]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()
    shown = "".join(character for character in text if character.isprintable())
    return shown if len(shown) <= QUOTED_CHARACTERS else f"{shown[:QUOTED_CHARACTERS]}..."


def printable(text: str) -> str:
    """Text of a server or a user on one line, with what could steer a terminal written out."""
    return "".join(
        character if character.isprintable() else " " if character in WHITE_SPACE else _escape(character)
        for character in text
    )


def some_of(names: Sequence[str]) -> str:
    """Names between commas, as many as people read, and how many more there are."""
    more = len(names) - LISTED_NAMES
    return ", ".join(names[:LISTED_NAMES]) + (f" and {more} more" if more > 0 else "")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def failure(error: Exception) -> dict[str, Any]:
    """The failure payload of a task: C(msg) for people and C(error) for playbooks. Takes any exception."""
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
    """An exception that nobody expects, as a failure."""
    return ContentError(f"{type(error).__name__}: {error}", error_type="INTERNAL_ERROR", remedy=_REPORT)


_REPORT = "This is a defect of vsphere.content: please report it with the output of this task at -vvv."


def _read_envelope(envelope: Any) -> ErrorBody | None:
    """The error of either dialect: C({"error_type":, "messages":}), or C({"type":, "value": {"messages":}})."""
    if not isinstance(envelope, dict):
        return None
    wrapped = isinstance(envelope.get("value"), dict)
    try:
        return decode(ErrorBody, envelope["value"] if wrapped else envelope, PAIRED_MAPS if wrapped else PLAIN_MAPS)
    except SchemaError:
        return None


def _type_name(envelope: Any) -> str | None:
    """NOT_FOUND from the C(/rest) envelope's com.vmware.vapi.std.errors.not_found."""
    name = envelope.get("type") if isinstance(envelope, dict) else None
    return name.rsplit(".", 1)[-1].upper() if isinstance(name, str) and name else None


def _describe_body(status: int, body: bytes, hide: Callable[[str], str]) -> str:
    shown = quote(body, hide)
    return f"HTTP {status}: {shown}" if shown else f"HTTP {status} without a body"


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "...")) else f"{text}."


class ContentError(Exception):
    """A failure that a task reports: C(error_type) to branch on, and what is needed to explain it.

    C(session_id), C(subject) (what people call the thing), C(notes) (sentences on what was or was not put back) and
    C(result) (what the task can return all the same) may be added on the way up, by whoever knows them. C(was_sent) is
    False only where the request surely never left this host.
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
        self.notes: list[str] = []
        self.result: dict[str, Any] = {}

    def explain(self) -> str:
        """What was being done, to what, what the server said, and what to do about it."""
        known = OPERATIONS.get(self.operation or "")
        about = (self._named_session(), self._linked_subject(known)) if known and known.has_subject else ()
        place = "".join(f" {text}" for text in about if text)
        doing = f"Could not {known.phrase}{place}: " if known else ""
        parts = [doing + _sentence(self.said), *self.notes, self.remedy or self._default_remedy(known)]
        return " ".join(part for part in parts if part)

    def _linked_subject(self, known: Operation) -> str:
        if not self.subject or known.link is None:
            return self.subject or ""
        return f"{known.link}{self.subject.removeprefix('of ')}"

    def _named_session(self) -> str:
        return self.session_id if self.session_id and self.session_id not in self.said else ""

    def _default_remedy(self, operation: Operation | None) -> str:
        if self.error_type == "UNAUTHORIZED" and operation and operation.privilege:
            return f"The user needs the privilege {operation.privilege} on the library."
        return REMEDIES.get(self.error_type, REMEDIES[OTHERWISE])


class InvalidArgument(ContentError):
    """An option that cannot be followed; found before anything is changed."""

    default_type = "INVALID_ARGUMENT"


class ApiError(ContentError):
    """The server answered with an error; C(in_json) tells a vCenter's answer from that of something in between."""


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


class TlsUnverified(ContentError):
    default_type = "TLS_UNVERIFIED"


class InvalidResponse(ContentError):
    """An answer that is no answer of this API."""

    default_type = "INVALID_RESPONSE"


class TransferFailed(ContentError):
    default_type = "TRANSFER_FAILED"


class ChecksumMismatch(ContentError):
    default_type = "CHECKSUM_MISMATCH"


class TimedOut(ContentError):
    """A wait of ours reached its deadline."""

    default_type = "TIMED_OUT"


class OutOfTime(TimedOut):
    """A task that has to end has no time left, so to ask again is of no use."""


class WarningsNotIgnored(ContentError):
    """The preview raised warnings that warning_behavior does not accept; C(data) holds them."""

    default_type = "WARNINGS_NOT_IGNORED"


_CLASSES: Mapping[str, type[ApiError]] = {
    entry.default_type: entry for entry in (NotFound, NotAllowedInCurrentState, ResourceBusy, Unauthenticated)
}
