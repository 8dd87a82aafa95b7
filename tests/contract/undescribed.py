# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers really do and no published description says: each entry with its reason.

An entry that no test of a whole run uses is taken out, or the run fails.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from tests.simulator import Exchange

#: Statuses that any operation may answer with; the body is still held to the description of an error, if there is one.
STATUSES: Mapping[int, str] = {
    400: "any operation refuses a malformed request, though for a few no such answer is described",
    401: "any operation answers so when the login is missing or has expired; described for logins only",
    403: "any operation answers so to a user without the privilege; described for file add and prepare only",
}

#: Fields that only the official bindings 9.x know, by the type of the description that has no place for them.
FIELDS: Mapping[tuple[str, str], str] = {
    ("ContentLibraryItemTransferEndpoint", "ssl_certificate"): "since 9.0: the certificate to trust, as PEM",
    ("content.library.item.transfer_endpoint", "ssl_certificate"): "since 9.0: the certificate to trust, as PEM",
}


@dataclass(frozen=True)
class Undescribed:
    """A kind of exchange that the description has no word about."""

    name: str
    reason: str
    applies: Callable[[Exchange], bool]


def _path(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0]


def _body(exchange: Exchange) -> Any:
    try:
        return json.loads(exchange.response_body)
    except ValueError:
        return None


EXCHANGES = (
    Undescribed(
        "data",
        "content goes to an address that the server hands out, which is no operation of the API",
        lambda each: _path(each).startswith("/cls/data/"),
    ),
    Undescribed(
        "probe",
        "real servers and other clients know the probe of a PULL source, no description has it",
        lambda each: each.path.endswith("action=probe"),
    ),
    Undescribed(
        "soap",
        "govc logs in through the SOAP interface too",
        lambda each: _path(each) == "/sdk",
    ),
    Undescribed(
        "no such path",
        "what a server does not know is a 404 in plain text: an old one has no /api, and no PATCH of a session",
        lambda each: each.status == 404 and not each.response_body.startswith(b"{"),
    ),
    Undescribed(
        "media type",
        "a body that says it is no JSON is refused before any operation sees it",
        lambda each: each.status == 415,
    ),
    Undescribed(
        "query in the body",
        "the official bindings name in the query of a GET what tells it from its twin, and put the value into a body",
        lambda each: each.method == "GET" and bool(each.request_body),
    ),
    Undescribed(
        "empty list",
        "old servers write an empty list as null, or leave it out",
        lambda each: each.status == 200 and _path(each).startswith("/rest/") and _body(each) in ({}, {"value": None}),
    ),
)
