# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task makes of each fault, by what the request is to it that meets the fault.

The table, `EXPECTED`, is what is promised: docs/reliability.md shows it, and each cell of the matrix is held against
it. `EXCEPTIONS` are the points at which something else is right, each with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.faults.points import POINTS, WITH_BODY, WITHOUT_ANSWER, Kind, Point

SUCCESS = "success"
OFTEN = 0


@dataclass(frozen=True)
class Fault:
    """What happens, in words and to the proxy: `text` is a fault of the simulator's, `lasting` one that stays.

    `served` says that the server has done what it was asked. `at` are the points where it can happen: at all, at
    requests with a "body", at those with an "answer", where there is a "session", an "item" or a "rival". `takes_time`
    has it tried at one request of each kind only.
    """

    says: str
    kind: str
    text: str = ""
    status: int = 0
    retry_after: str = ""
    lasting: bool = False
    served: bool = False
    at: str = ""
    takes_time: bool = False


@dataclass(frozen=True)
class Expectation:
    """What comes of it: `outcome` is success or the type of the error, `sent` how often the request goes out, which
    is OFTEN where that depends on the time.

    `warned` says that the task tells of it in a warning. `operation` is what an error names as having failed, where
    that is not what met the fault.
    """

    outcome: str = SUCCESS
    sent: int = 1
    warned: bool = False
    operation: str = ""

    @property
    def fails(self) -> bool:
        return self.outcome != SUCCESS


FAULTS: Mapping[str, Fault] = {
    "reset-before": Fault("the connection is reset before the server has the request", "reset"),
    "reset-during": Fault("the connection is reset while the body of the request is sent", "reset-during", at="body"),
    "reset-after": Fault("the connection is reset before the answer", "reset-after", served=True),
    "reset-in-answer": Fault("the connection is reset in mid-answer", "reset-in-answer", served=True),
    "reset-always": Fault("the connection is reset at each try", "reset", lasting=True),
    "gone": Fault("the server is gone for good", "gone", lasting=True),
    "slow": Fault("the answer is late, but in time", "slow", served=True),
    "trickle": Fault("the answer comes in small pieces", "trickle", served=True),
    "silent": Fault("no answer within request_timeout", "silent", served=True),
    "stall": Fault("the answer stops in the middle, until request_timeout", "stall", served=True, at="answer",
                   takes_time=True),
    "401": Fault("the login has expired (401)", "simulator", text="unauthenticated"),
    "401-always": Fault("a 401 at each try", "simulator", text="unauthenticated", lasting=True),
    "403": Fault("a privilege is missing (403)", "simulator", text="403"),
    "429": Fault("too many requests (429)", "status", status=429),
    "429-in-an-hour": Fault("too many requests, Retry-After: 3600", "status", status=429, retry_after="3600"),
    "500": Fault("an error of vCenter's own (500)", "simulator", text="500"),
    "502": Fault("an HTML page of a gateway (502)", "status", status=502),
    "503": Fault("the service is not there (503)", "simulator", text="503"),
    "503-always": Fault("a 503 at each try", "simulator", text="503", lasting=True),
    "504": Fault("the gateway gives up on a server that does it (504)", "gateway-timeout", served=True),
    "busy": Fault("RESOURCE_BUSY", "simulator", text="busy"),
    "html": Fault("an HTML page with status 200, as of a captive portal", "status", status=200),
    "redirect": Fault("a redirect to another host", "redirect"),
    "truncated": Fault("half of the answer, and no sign that it is half", "simulator", text="truncate", served=True,
                       at="answer"),
    "empty": Fault("an answer without its body", "empty", served=True, at="answer"),
    "huge": Fault("100 MiB where a word was expected", "huge", served=True),
    "session-deleted": Fault("somebody else deleted the session", "act", at="session"),
    "session-expired": Fault("the session has expired", "act", at="session"),
    "item-deleted": Fault("somebody else deleted the item", "act", at="item"),
    "restarted": Fault("the server lost all sessions and logins", "act", at="session"),
    "rival": Fault("another user's session is ACTIVE on the item", "act", at="rival"),
}  # fmt: skip


def works(sent: int = 1, *, warned: bool = False) -> Expectation:
    return Expectation(SUCCESS, sent, warned)


def fails(outcome: str, sent: int = 1, *, warned: bool = False, operation: str = "") -> Expectation:
    return Expectation(outcome, sent, warned, operation)


#: As if nothing had happened; sent again without a word; sent again with a warning; not sent again, with a warning.
ONCE, AGAIN, RESENT, TOLD = works(), works(2), works(2, warned=True), works(warned=True)
CUT, LATE, WRONG = fails("CONNECTION_FAILED"), fails("TIMED_OUT"), fails("INVALID_RESPONSE")
AWAY, LOST = fails("SERVICE_UNAVAILABLE"), fails("NOT_FOUND")
#: What becomes of a completion cannot be seen.
UNSEEN = fails("TIMED_OUT", OFTEN, operation="update_session.complete")
FORBIDDEN, BROKEN, BUSY = fails("UNAUTHORIZED"), fails("INTERNAL_SERVER_ERROR"), fails("RESOURCE_BUSY")


def row(**expectations: Expectation) -> Mapping[Kind, Expectation]:
    return {Kind[name.upper()]: expectation for name, expectation in expectations.items()}


def everywhere(expectation: Expectation) -> Mapping[Kind, Expectation]:
    return dict.fromkeys(Kind, expectation)


def moved(expectation: Expectation) -> dict[str, Expectation]:
    """The same for the three requests that move a file."""
    return {"add": expectation, "put": expectation, "get": expectation}


EXPECTED: Mapping[str, Mapping[Kind, Expectation]] = {
    "reset-before": row(login=CUT, read=AGAIN, create=AGAIN, **moved(RESENT), change=CUT, complete=LATE, end=AGAIN,
                        remove=AGAIN, logout=TOLD),
    "reset-during": row(read=AGAIN, create=AGAIN, add=RESENT, put=RESENT, change=CUT, remove=AGAIN),
    "reset-after": row(login=CUT, read=AGAIN, create=AGAIN, **moved(RESENT), change=CUT, complete=ONCE, end=AGAIN,
                       remove=AGAIN, logout=TOLD),
    "reset-in-answer": row(login=CUT, read=AGAIN, create=AGAIN, **moved(RESENT), change=CUT, complete=ONCE, end=AGAIN,
                           remove=AGAIN, logout=TOLD),
    "reset-always": row(login=CUT, read=fails("CONNECTION_FAILED", 4), create=fails("CONNECTION_FAILED", 4),
                        add=fails("CONNECTION_FAILED", 3, warned=True), put=fails("CONNECTION_FAILED", 3, warned=True),
                        get=fails("CONNECTION_FAILED", 5, warned=True), change=CUT, complete=LATE,
                        end=UNSEEN, remove=fails("CONNECTION_FAILED", 3), logout=TOLD),
    "gone": row(login=CUT, read=fails("CONNECTION_FAILED", 4, warned=True),
                create=fails("CONNECTION_FAILED", 4, warned=True), add=fails("CONNECTION_FAILED", 3, warned=True),
                put=fails("CONNECTION_FAILED", 1, warned=True, operation="update_session.file.add"),
                get=fails("CONNECTION_FAILED", 5, warned=True), change=fails("CONNECTION_FAILED", warned=True),
                complete=fails("TIMED_OUT", warned=True), end=replace(UNSEEN, warned=True),
                remove=fails("CONNECTION_FAILED", 3, warned=True), logout=TOLD),
    "slow": everywhere(ONCE),
    "trickle": everywhere(ONCE),
    "silent": row(login=LATE, read=LATE, create=AGAIN, **moved(RESENT), change=LATE, complete=ONCE, end=AGAIN,
                  remove=AGAIN, logout=TOLD),
    "stall": row(login=LATE, read=LATE, create=AGAIN, add=RESENT, get=RESENT, change=LATE, end=AGAIN),
    "401": {**everywhere(AGAIN), **row(login=fails("UNAUTHENTICATED"), logout=ONCE)},
    "401-always": {**everywhere(fails("UNAUTHENTICATED", 2)),
                   **row(login=fails("UNAUTHENTICATED"), end=fails("UNAUTHENTICATED", 6), logout=ONCE)},
    "403": {**everywhere(FORBIDDEN), **row(end=AGAIN, logout=TOLD)},
    "429": row(login=AWAY, read=AGAIN, create=AGAIN, **moved(RESENT), change=AWAY, complete=AGAIN, end=AGAIN,
               remove=AGAIN, logout=TOLD),
    "429-in-an-hour": row(login=AWAY, read=AWAY, create=AWAY, **moved(RESENT), change=AWAY, complete=AGAIN, end=AGAIN,
                          remove=AGAIN, logout=TOLD),
    "500": {**everywhere(BROKEN), **row(complete=LATE, end=AGAIN, remove=AGAIN, logout=TOLD)},
    "502": row(login=AWAY, read=AGAIN, create=AGAIN, **moved(RESENT), change=AWAY, complete=LATE, end=AGAIN,
               remove=AGAIN, logout=TOLD),
    "503": row(login=AWAY, read=AGAIN, create=AGAIN, **moved(RESENT), change=AWAY, complete=LATE, end=AGAIN,
               remove=AGAIN, logout=TOLD),
    "503-always": row(login=AWAY, read=fails("SERVICE_UNAVAILABLE", 4), create=fails("SERVICE_UNAVAILABLE", 4),
                      add=fails("SERVICE_UNAVAILABLE", 3, warned=True),
                      put=fails("SERVICE_UNAVAILABLE", 3, warned=True),
                      get=fails("SERVICE_UNAVAILABLE", 5, warned=True), change=AWAY, complete=LATE,
                      end=UNSEEN, remove=fails("SERVICE_UNAVAILABLE", 3), logout=TOLD),
    "504": row(login=AWAY, read=AGAIN, create=AGAIN, **moved(RESENT), change=AWAY, complete=ONCE, end=AGAIN,
               remove=AGAIN, logout=TOLD),
    "busy": row(read=BUSY, create=BUSY, add=BUSY, change=BUSY, complete=LATE, end=AGAIN, remove=AGAIN),
    "html": row(login=WRONG, read=WRONG, create=AGAIN, add=WRONG,
                put=fails("TIMED_OUT", operation="update_session.file.receive"),
                get=fails("CHECKSUM_MISMATCH", 2, warned=True), change=WRONG, complete=LATE, end=AGAIN, remove=AGAIN,
                logout=ONCE),
    "redirect": row(login=WRONG, read=WRONG, create=AGAIN, **moved(WRONG), change=WRONG, complete=LATE, end=AGAIN,
                    remove=AGAIN, logout=TOLD),
    "truncated": row(login=WRONG, read=WRONG, create=AGAIN, add=WRONG, get=RESENT, change=WRONG, end=AGAIN),
    "empty": row(login=WRONG, read=WRONG, create=AGAIN, add=WRONG, get=RESENT, change=ONCE, end=AGAIN),
    "huge": row(login=WRONG, read=WRONG, create=AGAIN, add=WRONG, put=ONCE, get=fails("TRANSFER_FAILED"), change=WRONG,
                complete=ONCE, end=AGAIN, remove=AGAIN, logout=TOLD),
    "session-deleted": row(read=LOST, **moved(LOST), change=LOST, complete=LOST, end=fails("NOT_FOUND", 2),
                           remove=ONCE),
    "session-expired": row(read=LOST, **moved(LOST), change=LOST, complete=LOST, end=ONCE, remove=ONCE),
    "item-deleted": row(read=LOST, create=LOST, **moved(LOST), change=LOST, complete=LOST, end=fails("NOT_FOUND", 2),
                        remove=ONCE),
    "restarted": row(read=fails("NOT_FOUND", 2), add=fails("NOT_FOUND", 2), put=LOST, get=LOST,
                     change=fails("NOT_FOUND", 2), complete=fails("NOT_FOUND", 2), end=fails("NOT_FOUND", 3),
                     remove=AGAIN),
    "rival": row(create=BUSY),
}  # fmt: skip


@dataclass(frozen=True)
class Exceptions:
    """What is right at one point instead, and why."""

    because: str
    expected: Mapping[str, Expectation]


NO_SESSION_TO_TELL_OF = "A session that has gone since the list was read is no session to tell of."
REST_TO_TELL_OF = "The account may not list one kind of session, and a warning says so; the other kind is shown."
_REFUSED = {"403": TOLD}
_GONE = {"session-deleted": ONCE, "session-expired": ONCE, "item-deleted": ONCE, "restarted": AGAIN}

EXCEPTIONS: Mapping[str, Exceptions] = {
    "info-list": Exceptions(REST_TO_TELL_OF, _REFUSED),
    "info-downloads-list": Exceptions(REST_TO_TELL_OF, _REFUSED),
    "info-get": Exceptions(NO_SESSION_TO_TELL_OF, _GONE),
    "info-files": Exceptions(NO_SESSION_TO_TELL_OF, _GONE),
    "info-downloads-get": Exceptions(NO_SESSION_TO_TELL_OF, _GONE),
    "info-downloads-files": Exceptions(NO_SESSION_TO_TELL_OF, _GONE),
    "cancel-cancel": Exceptions(
        "What should be there, canceled, is not there any more; the next run knows of nothing to cancel.",
        {"session-deleted": LOST, "session-expired": LOST, "item-deleted": LOST, "restarted": fails("NOT_FOUND", 2)},
    ),
    "fail-fail": Exceptions(
        "What should be there, in ERROR, is not there any more.",
        {"session-deleted": LOST, "session-expired": LOST, "item-deleted": LOST, "restarted": fails("NOT_FOUND", 2)},
    ),
    "delete-item-delete": Exceptions("What should go has gone.", {"item-deleted": ONCE}),
    "fetch-delete": Exceptions(
        "The files are in place, and the clean-up of the failed task asks for the deletion once more.",
        {
            "403": fails("UNAUTHORIZED", 2),
            "401-always": fails("UNAUTHENTICATED", 4),
            "reset-always": fails("CONNECTION_FAILED", 6),
            "503-always": fails("SERVICE_UNAVAILABLE", 6),
        },
    ),
}

#: Where a fault would be no fault, or another one: what is asked there is never answered so.
LEFT_OUT: Mapping[str, tuple[Kind, ...]] = {
    "busy": (Kind.LOGIN, Kind.LOGOUT, Kind.PUT, Kind.GET),
}


def can_happen(fault_name: str, point: Point, dialect: str) -> bool:
    """Whether a fault exists at a point."""
    if point.kind in LEFT_OUT.get(fault_name, ()):
        return False
    if FAULTS[fault_name].takes_time and point is not _first_with_answer(point.kind):
        return False
    at = FAULTS[fault_name].at
    if at == "body":
        return point.operation in WITH_BODY[dialect]
    if at == "answer":
        return point.operation not in WITHOUT_ANSWER
    if at == "session":
        return point.in_session
    if at == "item":
        return point.in_session or point.id in (
            "publish-create",
            "fetch-create",
            "update-item-update",
            "delete-item-delete",
        )
    return at != "rival" or point.id == "publish-create"


def _first_with_answer(kind: Kind) -> Point | None:
    return next((point for point in POINTS if point.kind is kind and point.operation not in WITHOUT_ANSWER), None)


def expected(fault_name: str, point: Point) -> Expectation:
    """What comes of a fault at a point."""
    exceptions = EXCEPTIONS.get(point.id)
    found = exceptions.expected.get(fault_name) if exceptions else None
    return found or EXPECTED[fault_name][point.kind]
