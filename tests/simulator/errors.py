# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's errors: a type, and localizable messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .facts import follows

CLS = "com.vmware.vdcs.cls-main."
Message = dict[str, Any]


class ApiError(Exception):
    """One error of the API, independent of the dialect."""

    def __init__(self, error_type: str, *messages: Message, data: Any | None = None, challenge: str = "") -> None:
        super().__init__(f"{error_type}: " + " ".join(entry["default_message"] for entry in messages))
        self.error_type = error_type
        self.messages: list[Message] = list(messages)
        self.data = data
        self.challenge = challenge


def message(
    message_id: str,
    template: str,
    *args: str,
    params: dict[str, Any] | None = None,
    localized: str | None = None,
) -> Message:
    """A LocalizableMessage; ``{0}`` in the template takes the first argument."""
    entry: Message = {"id": message_id, "default_message": template.format(*args), "args": list(args)}
    if params is not None:
        entry["params"] = params
    if localized is not None:
        entry["localized"] = localized
    return entry


def not_found(kind: str, identifier: str) -> ApiError:
    return ApiError(
        "NOT_FOUND",
        message(CLS + f"{kind}_not_found", f"The {kind.replace('_', ' ')} {{0}} does not exist.", identifier),
    )


@follows("unknown-operation-is-json")
def unknown_operation(path: str) -> ApiError:
    text = "Unable to find operations for URL {0}"
    return ApiError("NOT_FOUND", message("com.vmware.vapi.rest.operationsForUrlNotFound", text, path))


def invalid_argument(message_id: str, template: str, *args: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message(message_id, template, *args))


@follows("authentication-required-id", "challenge-in-refused-login")
def unauthenticated(is_old: bool = False, has_challenge: bool = True) -> ApiError:
    name = "vapi.method" if is_old else "com.vmware.vapi.endpoint.method"
    text = message(f"{name}.authentication.required", "Authentication required.")
    return ApiError(
        "UNAUTHENTICATED", text, challenge='Basic realm="VAPI endpoint",SIGN realm=""' if has_challenge else ""
    )


def unauthorized(user: str) -> ApiError:
    return ApiError(
        "UNAUTHORIZED",
        message("com.vmware.vdcs.util.unauthorized", "The user {0} is not allowed to perform this operation.", user),
    )


def wrong_state(operation: str, state: str, reason: str, kind: str = "import") -> ApiError:
    """The refusal of an operation that needs an ACTIVE session, for a session in another state."""
    args: Sequence[str] = (operation, state, reason) if reason else (operation, state)
    text = f"The operation {{0}} can not be invoked when the {kind} session is in the {{1}} state."
    return ApiError(
        "NOT_ALLOWED_IN_CURRENT_STATE",
        message(CLS + f"{kind}_session_wrong_state", text + (" Reason: {2}" if reason else ""), *args),
    )


def resource_busy(identifier: str, named: str = "item") -> ApiError:
    text = "Another update session is active on the library item {0}."
    if named == "session":
        text = "The update session {0} is active on the library item."
    return ApiError("RESOURCE_BUSY", message(CLS + "update_session_already_active", text, identifier))
