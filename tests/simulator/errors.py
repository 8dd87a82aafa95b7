# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the server says no: a typed fault, and the localizable messages that it carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CLS = "com.vmware.vdcs.cls-main."
Message = dict[str, Any]


class ApiError(Exception):
    """One error of the API, independent of the dialect that will carry it."""

    def __init__(self, error_type: str, *messages: Message, data: Any | None = None) -> None:
        super().__init__(f"{error_type}: " + " ".join(entry["default_message"] for entry in messages))
        self.error_type = error_type
        self.messages: list[Message] = list(messages)
        self.data = data


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


def invalid_argument(message_id: str, template: str, *args: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message(message_id, template, *args))


def unauthenticated() -> ApiError:
    return ApiError(
        "UNAUTHENTICATED",
        message("com.vmware.vapi.endpoint.method.authentication.required", "Authentication required."),
    )


def unauthorized(user: str) -> ApiError:
    return ApiError(
        "UNAUTHORIZED",
        message("com.vmware.vdcs.util.unauthorized", "The user {0} is not allowed to perform this operation.", user),
    )


def wrong_state(operation: str, state: str, reason: str, kind: str = "import") -> ApiError:
    """The refusal that a session which is no longer ACTIVE gives to each operation that needs it to be."""
    args: Sequence[str] = (operation, state, reason) if reason else (operation, state)
    text = f"The operation {{0}} can not be invoked when the {kind} session is in the {{1}} state."
    return ApiError(
        "NOT_ALLOWED_IN_CURRENT_STATE",
        message(CLS + f"{kind}_session_wrong_state", text + (" Reason: {2}" if reason else ""), *args),
    )


def resource_busy(item_id: str) -> ApiError:
    return ApiError(
        "RESOURCE_BUSY",
        message(
            CLS + "update_session_already_active", "Another update session is active on the library item {0}.", item_id
        ),
    )
