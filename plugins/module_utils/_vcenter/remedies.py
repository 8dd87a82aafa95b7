# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can do about a failure, unless the place that raises it knows better.

A remedy follows the message that a user has just read, so it must not contradict it. What vCenter's message means
counts before the operation that it refused, and that counts before the type of the error. Where nothing is known, the
remedy leads back to the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Callable

from .operations import OPERATIONS, Operation

# The remedy for types that are not listed, such as those of a later vCenter.
OTHERWISE = "ERROR"
REMEDIES: Mapping[str, str] = {
    "ALREADY_EXISTS": "Choose another name, or address what exists by its identifier.",
    "CANCELED": "Run it again; raise the task's or the job's time-out if that ended it.",
    "CHECKSUM_MISMATCH": "Nothing was published. Check whether the file changed while the task ran, and run it again.",
    "CONNECTION_FAILED": "Check hostname, port and the proxy options, and that the vCenter can be reached from the "
    "host that runs this task.",
    "ERROR": "If the message does not help, run the task with -vvv: its result then shows each request as trace.",
    "INTERNAL_SERVER_ERROR": "vCenter failed internally; the log of its Content Library service says more.",
    "INVALID_ARGUMENT": "vCenter refuses a value: check the option that its message is about.",
    "INVALID_ELEMENT_TYPE": "vCenter takes no files for this item. Publish to another one; if its library subscribes "
    "to another library, publish there.",
    "INVALID_RESPONSE": "Check that hostname and port are those of a vCenter, and what stands between it and this "
    "host.",
    "NOT_ALLOWED_IN_CURRENT_STATE": "vCenter does not allow this as things are there now. Change what its message "
    "names, and run the task again.",
    "NOT_FOUND": "It may have expired or been deleted by somebody else. Check the name or the identifier.",
    "OPERATION_NOT_FOUND": "This vCenter does not offer the operation.",
    "RESOURCE_BUSY": "Another update session is ACTIVE on this item, perhaps another user's. Set busy_timeout to "
    "wait for it.",
    "RESOURCE_INACCESSIBLE": "vCenter cannot reach its storage: check the datastore of the library in vCenter. If the "
    "content of the item is gone, delete the item and publish it again.",
    "RESOURCE_IN_USE": "Something in vCenter still uses it: end that use first, and run the task again.",
    "SERVICE_UNAVAILABLE": "vCenter, or a proxy in front of it, does not answer now: try again later.",
    "TIMED_OUT": "If the server is only slow, raise the time-out that the message names.",
    "TLS_UNVERIFIED": "Set ca_path to the certificate authority that signed the vCenter's certificate. validate_certs: "
    "false switches the check off and is for tests only.",
    "TRANSFER_FAILED": "Fix the cause and run the task again.",
    "UNAUTHENTICATED": "Check username and password (or VMWARE_USER and VMWARE_PASSWORD).",
    "UNAUTHORIZED": "Give the user's role the privileges that this task needs on the library.",
}

INCOMPLETE_FILES = "Declare the missing files under files, and replace the invalid ones."
# By the identifier of a message, of which only a part is known to be the same in each version.
BY_MESSAGE: Sequence[tuple[str, str]] = (
    (
        "session_?count",
        "Log out logins of this user that are no longer needed, or wait until they end. To run many tasks over one "
        "login, give them a session_token.",
    ),
    (
        "backing",
        "The storage of the library is gone, or vCenter cannot reach it: repair the library in vCenter, or publish to "
        "another one.",
    ),
    ("update_session_unsupported", "This item takes no files. Publish to another item."),
    (
        "session_has_missing_or_invalid_files",
        INCOMPLETE_FILES,
    ),
    (
        "update_session_file_not_received",
        "Run the task again, so that it sends the file anew. If that does not help, the log of vCenter's Content "
        "Library service says more.",
    ),
    ("operationsforurlnotfound", REMEDIES["OPERATION_NOT_FOUND"]),
)
SESSION_ENDED = (
    "Run the task again: it looks at the session anew. If it names a session_id that has ended, name the item instead."
)
GLOBAL = "from a global permission: a role on the vCenter object alone does not count"


@dataclass(frozen=True)
class Refusal:
    """What is known of a failure. `answered` says that an answer of a server is the failure, `in_json` that it is JSON.

    `ids` are the identifiers of the server's messages.
    """

    error_type: str
    operation: str | None
    answered: bool
    in_json: bool
    ids: tuple[str, ...]


def remedy_for(refusal: Refusal) -> str:
    known = OPERATIONS.get(refusal.operation or "")
    by_message = (
        remedy for words, remedy in BY_MESSAGE for entry in refusal.ids if re.search(words, entry, re.IGNORECASE)
    )
    by_operation = _BY_OPERATION.get(refusal.error_type) if refusal.answered and known else None
    return (
        next(by_message, None)
        or (by_operation(refusal, known) if by_operation and known else None)
        or REMEDIES.get(refusal.error_type, REMEDIES[OTHERWISE])
    )


def needs(privilege: str) -> str:
    return f"The user needs the privilege {privilege}, {GLOBAL}."


def _not_found(_refusal: Refusal, known: Operation) -> str | None:
    """vCenter hides from a user without a privilege that something is there."""
    if not known.changes or not known.privilege:
        return None
    gone = "If it has not expired or been deleted" if known.is_of_session else "If it is there"
    return f"{gone}, the user most likely lacks the privilege {known.privilege}, {GLOBAL}."


def _wrong_element(refusal: Refusal, _known: Operation) -> str | None:
    is_download = (refusal.operation or "").startswith("download_session")
    return "vCenter gives no files of this item. Name another one." if is_download else None


def _not_allowed(_refusal: Refusal, known: Operation) -> str | None:
    return SESSION_ENDED if known.is_of_session else None


def _busy(refusal: Refusal, _known: Operation) -> str | None:
    return (
        None
        if refusal.operation == "update_session.create"
        else "Run the task again in a while: vCenter is at work on it."
    )


def _unauthorized(refusal: Refusal, known: Operation) -> str | None:
    if refusal.operation == "session.login":
        return "Check in vCenter that this user may log in."
    return needs(known.privilege) if known.privilege else None


def _unauthenticated(refusal: Refusal, _known: Operation) -> str | None:
    if refusal.operation == "session.login":
        return None
    return "vCenter has taken the login itself: check what stands between it and this host and may answer for it."


def _unavailable(refusal: Refusal, _known: Operation) -> str | None:
    return "Try again later, or change what vCenter's message names." if refusal.ids else None


def _timed_out(_refusal: Refusal, _known: Operation) -> str:
    return "vCenter itself has given up: run the task again later."


def _invalid(refusal: Refusal, _known: Operation) -> str | None:
    return None if refusal.in_json else "The answer gives no reason. Check what stands between vCenter and this host."


_BY_OPERATION: Mapping[str, Callable[[Refusal, Operation], str | None]] = {
    "INVALID_ARGUMENT": _invalid,
    "INVALID_ELEMENT_TYPE": _wrong_element,
    "NOT_ALLOWED_IN_CURRENT_STATE": _not_allowed,
    "NOT_FOUND": _not_found,
    "RESOURCE_BUSY": _busy,
    "SERVICE_UNAVAILABLE": _unavailable,
    "TIMED_OUT": _timed_out,
    "UNAUTHENTICATED": _unauthenticated,
    "UNAUTHORIZED": _unauthorized,
}
