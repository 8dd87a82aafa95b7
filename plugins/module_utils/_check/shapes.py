# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may leave a vCenter in a report: names of known fields, types, values of known enumerations, and nothing else.

Everything here is a list of what is allowed. What is not in a list shows its type alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._vcenter import messages, models
from .._vcenter.schema import Model, result_keys

UNKNOWN_FIELD, UNKNOWN = "unknown field", "unknown"
DEEPEST = 12

_MODELS: tuple[type[Model], ...] = tuple(
    each
    for source in (models, messages)
    for each in vars(source).values()
    if isinstance(each, type) and issubclass(each, Model) and each is not Model
)
# Beside the fields of the models: the envelopes of both dialects, what a creation or an action takes, and fields of
# libraries and datastores that the published description has.
KNOWN_FIELDS = frozenset(
    (
        *result_keys(*_MODELS),
        *("value", "key", "type", "spec", "create_spec", "update_spec", "file_spec", "client_token", "challenge"),
        *("file_name", "endpoint_type", "progress", "client_error_message", "jsonrpc", "error", "code", "message"),
        *("authentication_method", "subscription_info", "server_guid", "publish_url", "user_name", "on_demand"),
        *("automatic_sync_enabled", "subscription_url", "optimization_info", "optimize_remote_publishing"),
        *("state_info", "multiple_host_access", "thin_provisioning_supported"),
    )
)

ERROR_TYPES = frozenset(
    [
        "ERROR",
        "ALREADY_EXISTS",
        "ALREADY_IN_DESIRED_STATE",
        "CANCELED",
        "CONCURRENT_CHANGE",
        "FEATURE_IN_USE",
        "INTERNAL_SERVER_ERROR",
        "INVALID_ARGUMENT",
        "INVALID_ELEMENT_CONFIGURATION",
        "INVALID_ELEMENT_TYPE",
        "INVALID_REQUEST",
        "NOT_ALLOWED_IN_CURRENT_STATE",
        "NOT_FOUND",
        "OPERATION_NOT_FOUND",
        "RESOURCE_BUSY",
        "RESOURCE_IN_USE",
        "RESOURCE_INACCESSIBLE",
        "SERVICE_UNAVAILABLE",
        "TIMED_OUT",
        "UNABLE_TO_ALLOCATE_RESOURCE",
        "UNAUTHENTICATED",
        "UNAUTHORIZED",
        "UNEXPECTED_INPUT",
        "UNSUPPORTED",
        "UNVERIFIED_PEER",
    ]
)
_WARNINGS = ("SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE", "NOT_YET_VALID_CERTIFICATE", "UNTRUSTED_CERTIFICATE")
_STATES = ("ACTIVE", "DONE", "ERROR", "CANCELED", "UNAVAILABLE", "NOT_APPLICABLE", "PREPARING", "AVAILABLE")
_FILES = ("WAITING_FOR_TRANSFER", "TRANSFERRING", "VALIDATING", "READY", "ERROR")
_PREPARED = ("UNPREPARED", "PREPARE_REQUESTED", "PREPARING", "PREPARED")
_PROBED = ("SUCCESS", "INVALID_URL", "TIMED_OUT", "HOST_NOT_FOUND", "RESOURCE_NOT_FOUND", "INVALID_CREDENTIALS")
_JUDGED = ("NOT_AVAILABLE", "VERIFIED", "INTERNAL", "VERIFICATION_FAILURE", "VERIFICATION_IN_PROGRESS", "UNTRUSTED")
ENUMERATIONS: Mapping[str, frozenset[str]] = {
    "type": frozenset(
        (*_WARNINGS, "LOCAL", "SUBSCRIBED", "DATASTORE", "OTHER", "VMFS", "NFS", "NFS41", "VSAN", "VVOL")
    ),
    "state": frozenset(_STATES),
    "status": frozenset((*_FILES, *_PREPARED, *_PROBED, "CERTIFICATE_ERROR", "UNKNOWN_ERROR", *_JUDGED)),
    "source_type": frozenset(("NONE", "PUSH", "PULL")),
    "endpoint_type": frozenset(("HTTPS", "DIRECT")),
    "algorithm": frozenset(("SHA1", "MD5", "SHA256", "SHA512")),
    "error_type": ERROR_TYPES,
}
"""The values of enumerations that may leave, by the name of their field."""

# An identifier of a message has no host, no address and no name of anybody in it.
_MESSAGE_ID = re.compile(r"(?:com\.vmware|vapi|cis)(?:\.[A-Za-z][A-Za-z_-]{0,63}){1,9}")
_ERROR_CLASS = re.compile(r"com\.vmware\.vapi\.std\.errors\.([a-z_]+)")


def shape(value: Any, name: str = "", depth: int = 0) -> Any:
    """The keys and types of a JSON value; `name` is that of its field."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if value is None:
        return "null"
    if isinstance(value, str):
        return value if value in ENUMERATIONS.get(name, ()) else "string"
    if depth >= DEEPEST:
        return "list" if isinstance(value, list) else "object"
    if isinstance(value, list):
        return _distinct(shape(entry, name, depth + 1) for entry in value)
    known = {key: shape(entry, key, depth + 1) for key, entry in value.items() if key in KNOWN_FIELDS}
    others = sorted({_kind(entry) for key, entry in value.items() if key not in KNOWN_FIELDS})
    return {**known, **({UNKNOWN_FIELD: ", ".join(others)} if others else {})}


def _distinct(shapes: Iterable[Any]) -> list[Any]:
    return list({json.dumps(each, sort_keys=True): each for each in shapes}.values())


def _kind(value: Any) -> str:
    found = shape(value)
    return found if isinstance(found, str) else "list" if isinstance(found, list) else "object"


def inner_of(envelope: Any) -> Any:
    """What the envelope of `/rest` holds; anything else is as it is."""
    inner = envelope.get("value") if isinstance(envelope, dict) else None
    return inner if isinstance(inner, dict) else envelope


def error_type(envelope: Any) -> str | None:
    """The type of an error in the envelope of either dialect, None if it names none."""
    if not isinstance(envelope, dict):
        return None
    named = inner_of(envelope).get("error_type")
    if named is None and isinstance(envelope.get("type"), str):
        found = _ERROR_CLASS.fullmatch(envelope["type"])
        named = found.group(1).upper() if found else UNKNOWN
    if named is None:
        return None
    return named if isinstance(named, str) and named in ERROR_TYPES else UNKNOWN


def message_ids(envelope: Any) -> list[str]:
    """The identifiers of the messages of an error in the envelope of either dialect."""
    inner = envelope.get("value", envelope) if isinstance(envelope, dict) else None
    found = inner.get("messages") if isinstance(inner, dict) else None
    return (
        [message_id(entry.get("id")) for entry in found or () if isinstance(entry, dict)]
        if isinstance(found, list)
        else []
    )


def message_id(text: Any) -> str:
    """An identifier of a message if it looks like one of vCenter's."""
    return text if isinstance(text, str) and _MESSAGE_ID.fullmatch(text) else UNKNOWN
