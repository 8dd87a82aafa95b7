# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request may hold: bodies are checked as strictly as by the API itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from .errors import invalid_argument
from .updates import WARNING_TYPES

Shape = Union["Scalar", "Struct", "ListOf", "Enum"]


@dataclass(frozen=True)
class Scalar:
    kind: str

    def check(self, value: Any, where: str) -> Any:
        fits = {
            "string": isinstance(value, str),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool),
            "boolean": isinstance(value, bool),
            "any": True,
        }[self.kind]
        if not fits:
            raise mismatch(where, self.kind, value)
        return value


@dataclass(frozen=True)
class Enum:
    values: tuple[str, ...]

    def check(self, value: Any, where: str) -> Any:
        if not isinstance(value, str):
            raise mismatch(where, "string", value)
        if value not in self.values:
            raise invalid_argument(
                "vapi.bindings.typeconverter.enum.invalid",
                "The value {0} of {1} is not one of the enumeration's.",
                value,
                where,
            )
        return value


@dataclass(frozen=True)
class ListOf:
    of: Shape

    def check(self, value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise mismatch(where, "list", value)
        return [self.of.check(entry, f"{where}[{index}]") for index, entry in enumerate(value)]


@dataclass(frozen=True)
class Struct:
    """``fields`` in any order, all ``required`` ones among them; null means that a field is absent."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def check(self, value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise mismatch(where, "structure", value)
        unknown = sorted(set(value) - set(self.fields))
        if unknown:
            raise invalid_argument(
                "vapi.data.structure.field.extra",
                "Structure {0} has the unexpected field {1}.",
                where,
                ", ".join(unknown),
            )
        given = {name: entry for name, entry in value.items() if entry is not None}
        for name in self.required:
            if name not in given:
                raise invalid_argument(
                    "vapi.data.structure.field.missing", "Structure {0} lacks the field {1}.", where, name
                )
        return {name: self.fields[name].check(entry, f"{where}.{name}") for name, entry in given.items()}


def mismatch(where: str, wanted: str, value: Any) -> Exception:
    return invalid_argument(
        "vapi.data.validate.mismatch", "Expected {1} for {0}, but found {2}.", where, wanted, json.dumps(value)[:80]
    )


def decode(raw: bytes, shape: Struct) -> dict[str, Any]:
    if not raw.strip():
        return dict(shape.check({}, "body"))
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise invalid_argument("vapi.json.deserialize.error", "The body is not JSON: {0}", str(error)) from None
    return dict(shape.check(value, "body"))


STRING = Scalar("string")
INTEGER = Scalar("integer")
BOOLEAN = Scalar("boolean")
NOTHING = Struct({})

PARAM: dict[str, Shape] = {
    "s": STRING,
    "dt": STRING,
    "i": INTEGER,
    "d": Scalar("number"),
    "l": Scalar("any"),
    "format": STRING,
    "precision": INTEGER,
}
MESSAGE = Struct(
    {"id": STRING, "default_message": STRING, "args": ListOf(STRING), "params": Scalar("any"), "localized": STRING},
    ("id", "default_message", "args"),
)
WARNING_TYPE = Enum(WARNING_TYPES)
WARNING_BEHAVIOR = ListOf(Struct({"type": WARNING_TYPE, "ignored": BOOLEAN}, ("type", "ignored")))
PREVIEW = Struct(
    {
        "state": Enum(("UNAVAILABLE", "NOT_APPLICABLE", "PREPARING", "AVAILABLE")),
        "certificate_info": Struct(
            {"issuer": STRING, "subject": STRING, "self_signed": BOOLEAN, "x509": STRING},
            ("issuer", "subject", "self_signed", "x509"),
        ),
        "warnings": ListOf(
            Struct({"type": WARNING_TYPE, "message": MESSAGE, "ignored": BOOLEAN}, ("type", "message", "ignored"))
        ),
        "cert_chain": ListOf(STRING),
    },
    ("state",),
)
SESSION_FIELDS: dict[str, Shape] = {
    "id": STRING,
    "library_item_id": STRING,
    "library_item_content_version": STRING,
    "error_message": MESSAGE,
    "client_progress": INTEGER,
    "expiration_time": STRING,
}
DOWNLOAD_MODEL = Struct({**SESSION_FIELDS, "state": Enum(("ACTIVE", "CANCELED", "ERROR"))})
OLD_UPDATE_MODEL = Struct({**SESSION_FIELDS, "state": Enum(("ACTIVE", "DONE", "ERROR", "CANCELED"))})
UPDATE_MODEL = Struct({**OLD_UPDATE_MODEL.fields, "preview_info": PREVIEW, "warning_behavior": WARNING_BEHAVIOR})
CHECKSUM = Struct({"algorithm": Enum(("SHA1", "MD5", "SHA256", "SHA512")), "checksum": STRING}, ("checksum",))
ENDPOINT = Struct({"uri": STRING, "ssl_certificate_thumbprint": STRING, "ssl_certificate": STRING}, ("uri",))
FILE_SPEC = Struct(
    {
        "name": STRING,
        "source_type": Enum(("NONE", "PUSH", "PULL")),
        "source_endpoint": ENDPOINT,
        "size": INTEGER,
        "checksum_info": CHECKSUM,
    },
    ("name", "source_type"),
)
ITEM_MODEL = Struct(
    {
        "cached": BOOLEAN,
        "certificate_verification_info": Struct({"status": STRING, "cert_chain": ListOf(STRING)}, ("status",)),
        "content_version": STRING,
        "creation_time": STRING,
        "description": STRING,
        "id": STRING,
        "last_modified_time": STRING,
        "last_sync_time": STRING,
        "library_id": STRING,
        "metadata_version": STRING,
        "name": STRING,
        "security_compliance": BOOLEAN,
        "size": INTEGER,
        "source_id": STRING,
        "type": STRING,
        "version": STRING,
    }
)
FIND_ITEM = Struct({"cached": BOOLEAN, "library_id": STRING, "name": STRING, "source_id": STRING, "type": STRING})
FIND_LIBRARY = Struct({"name": STRING, "type": Enum(("LOCAL", "SUBSCRIBED"))})
FAIL = Struct({"client_error_message": STRING}, ("client_error_message",))
UPDATE_KEEP_ALIVE = Struct({"client_progress": INTEGER})
DOWNLOAD_KEEP_ALIVE = Struct({"progress": INTEGER})
FILE_NAME = Struct({"file_name": STRING}, ("file_name",))
PREPARE = Struct({"file_name": STRING, "endpoint_type": Enum(("HTTPS", "DIRECT"))}, ("file_name",))
PROBE = Struct({"source_endpoint": ENDPOINT}, ("source_endpoint",))
