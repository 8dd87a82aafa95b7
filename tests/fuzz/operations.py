# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operation a request is, read from the client's own table of routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.operations import ROUTES
from tests.harness.tasks import LOGIN_PATHS

LOGIN, LOGOUT = "session.login", "session.logout"
PUT_DATA, GET_DATA = "update_session.file.put", "download_session.file.get_data"
# Only one dialect has it, and serves both.
PROBE = "update_session.file.probe"
OPERATIONS = (LOGIN, LOGOUT, PUT_DATA, GET_DATA, *ROUTES)

READS = ("find", "get", "list", "probe")


@dataclass(frozen=True)
class Pattern:
    operation: str
    verb: str
    path: re.Pattern[str]
    action: str
    names_file: bool
    gaps: int


def _patterns() -> list[Pattern]:
    found = []
    for operation, routes in ROUTES.items():
        for route in routes.values():
            path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path))
            names_file = "file_name" in route.query
            found.append(
                Pattern(operation, route.verb, re.compile(path), route.action or "", names_file, route.path.count("{"))
            )
    # What is spelled out goes before what has a gap for an identifier.
    return sorted(found, key=lambda pattern: pattern.gaps)


PATTERNS = _patterns()


def operation_of(method: str, url: str) -> str | None:
    """The operation of a request, by its verb and its URL or path; None for what is none of ours."""
    parts = urlsplit(url)
    if parts.path in LOGIN_PATHS:
        return {"POST": LOGIN, "DELETE": LOGOUT}.get(method)
    if not parts.path.startswith(("/api/", "/rest/")):
        return {"PUT": PUT_DATA, "GET": GET_DATA}.get(method)
    query = parse_qs(parts.query, keep_blank_values=True)
    action = (query.get("action") or query.get("~action") or [""])[0]
    for pattern in PATTERNS:
        fits = pattern.verb == method and pattern.action == action and pattern.path.fullmatch(parts.path)
        if fits and pattern.names_file == ("file_name" in query and method == "GET"):
            return pattern.operation
    return None


def only_reads(operation: str) -> bool:
    return operation in (LOGIN, LOGOUT, GET_DATA) or operation.rsplit(".", 1)[-1] in READS
