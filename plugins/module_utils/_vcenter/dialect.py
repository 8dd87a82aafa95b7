# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where C(/api) and C(/rest) differ: path, verb, action, envelope, map encoding.

C(/api) is what vCenter 7.0U2 and later speak; C(/rest) is the older one, deprecated but still there in 8.x. To add an
operation, add its two routes to ROUTES.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .models import PAIRED_MAPS, PLAIN_MAPS, MapForm, Model, SchemaError, encode


@dataclass(frozen=True)
class Route:
    """How one dialect spells one operation.

    C(path) has its arguments in braces; C(query) and C(body) name the arguments that stand there instead. C(wrap) is
    the name under which the body holds a model; without it the model is the body.
    """

    verb: str
    path: str
    action: str | None = None
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    wrap: str | None = None


@dataclass(frozen=True)
class Call:
    """One HTTP request: C(path) carries its query, C(body) is what is sent as JSON."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


API_LIBRARY = "/api/content/library"
API_ITEM = f"{API_LIBRARY}/item"
API_UPDATE = f"{API_ITEM}/update-session"
API_DOWNLOAD = f"{API_ITEM}/download-session"
REST_LIBRARY = "/rest/com/vmware/content/library"
REST_ITEM = f"{REST_LIBRARY}/item"
REST_UPDATE = f"{REST_ITEM}/update-session"
REST_UPDATE_FILE = f"{REST_ITEM}/updatesession/file"
REST_DOWNLOAD = f"{REST_ITEM}/download-session"
REST_DOWNLOAD_FILE = f"{REST_ITEM}/downloadsession/file"

ROUTES: Mapping[str, Mapping[str, Route]] = {
    operation: {"api": api, "rest": rest}
    for operation, api, rest in (
        (
            "library.find",
            Route("POST", API_LIBRARY, action="find"),
            Route("POST", REST_LIBRARY, action="find", wrap="spec"),
        ),
        (
            "library.get",
            Route("GET", API_LIBRARY + "/{library_id}"),
            Route("GET", REST_LIBRARY + "/id:{library_id}"),
        ),
        (
            "item.find",
            Route("POST", API_ITEM, action="find"),
            Route("POST", REST_ITEM, action="find", wrap="spec"),
        ),
        (
            "item.get",
            Route("GET", API_ITEM + "/{library_item_id}"),
            Route("GET", REST_ITEM + "/id:{library_item_id}"),
        ),
        (
            "item.create",
            Route("POST", API_ITEM),
            Route("POST", REST_ITEM, wrap="create_spec"),
        ),
        (
            "item.update",
            Route("PATCH", API_ITEM + "/{library_item_id}"),
            Route("PATCH", REST_ITEM + "/id:{library_item_id}", wrap="update_spec"),
        ),
        (
            "item.delete",
            Route("DELETE", API_ITEM + "/{library_item_id}"),
            Route("DELETE", REST_ITEM + "/id:{library_item_id}"),
        ),
        (
            "item.file.list",
            Route("GET", API_ITEM + "/{library_item_id}/file"),
            Route("GET", REST_ITEM + "/file", query=("library_item_id",)),
        ),
        (
            "update_session.create",
            Route("POST", API_UPDATE),
            Route("POST", REST_UPDATE, wrap="create_spec"),
        ),
        (
            "update_session.list",
            Route("GET", API_UPDATE, query=("library_item_id",)),
            Route("GET", REST_UPDATE, query=("library_item_id",)),
        ),
        (
            "update_session.get",
            Route("GET", API_UPDATE + "/{session_id}"),
            Route("GET", REST_UPDATE + "/id:{session_id}"),
        ),
        (
            "update_session.update",
            Route("PATCH", API_UPDATE + "/{session_id}"),
            Route("PATCH", REST_UPDATE + "/id:{session_id}", wrap="update_spec"),
        ),
        (
            "update_session.complete",
            Route("POST", API_UPDATE + "/{session_id}", action="complete"),
            Route("POST", REST_UPDATE + "/id:{session_id}", action="complete"),
        ),
        (
            "update_session.cancel",
            Route("POST", API_UPDATE + "/{session_id}", action="cancel"),
            Route("POST", REST_UPDATE + "/id:{session_id}", action="cancel"),
        ),
        (
            "update_session.fail",
            Route("POST", API_UPDATE + "/{session_id}", action="fail", body=("client_error_message",)),
            Route("POST", REST_UPDATE + "/id:{session_id}", action="fail", body=("client_error_message",)),
        ),
        (
            "update_session.keep_alive",
            Route("POST", API_UPDATE + "/{session_id}", action="keep-alive", body=("client_progress",)),
            Route("POST", REST_UPDATE + "/id:{session_id}", action="keep-alive", body=("client_progress",)),
        ),
        (
            "update_session.delete",
            Route("DELETE", API_UPDATE + "/{session_id}"),
            Route("DELETE", REST_UPDATE + "/id:{session_id}"),
        ),
        (
            "update_session.file.list",
            Route("GET", API_UPDATE + "/{session_id}/file"),
            Route("GET", REST_UPDATE_FILE, query=("update_session_id",)),
        ),
        (
            "update_session.file.add",
            Route("POST", API_UPDATE + "/{session_id}/file"),
            Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="add", wrap="file_spec"),
        ),
        (
            "update_session.file.remove",
            Route("DELETE", API_UPDATE + "/{session_id}/file/{file_name}"),
            Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="remove", body=("file_name",)),
        ),
        (
            "update_session.file.validate",
            Route("POST", API_UPDATE + "/{session_id}/file", action="validate"),
            Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="validate"),
        ),
        (
            "update_session.file.probe",
            Route("POST", REST_UPDATE_FILE, action="probe", wrap="source_endpoint"),
            Route("POST", REST_UPDATE_FILE, action="probe", wrap="source_endpoint"),
        ),
        (
            "download_session.create",
            Route("POST", API_DOWNLOAD),
            Route("POST", REST_DOWNLOAD, wrap="create_spec"),
        ),
        (
            "download_session.list",
            Route("GET", API_DOWNLOAD, query=("library_item_id",)),
            Route("GET", REST_DOWNLOAD, query=("library_item_id",)),
        ),
        (
            "download_session.get",
            Route("GET", API_DOWNLOAD + "/{session_id}"),
            Route("GET", REST_DOWNLOAD + "/id:{session_id}"),
        ),
        (
            "download_session.cancel",
            Route("POST", API_DOWNLOAD + "/{session_id}", action="cancel"),
            Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="cancel"),
        ),
        (
            "download_session.fail",
            Route("POST", API_DOWNLOAD + "/{session_id}", action="fail", body=("client_error_message",)),
            Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="fail", body=("client_error_message",)),
        ),
        (
            "download_session.keep_alive",
            Route("POST", API_DOWNLOAD + "/{session_id}", action="keep-alive", body=("progress",)),
            Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="keep-alive", body=("progress",)),
        ),
        (
            "download_session.delete",
            Route("DELETE", API_DOWNLOAD + "/{session_id}"),
            Route("DELETE", REST_DOWNLOAD + "/id:{session_id}"),
        ),
        (
            "download_session.file.list",
            Route("GET", API_DOWNLOAD + "/{session_id}/file"),
            Route("GET", REST_DOWNLOAD_FILE, query=("download_session_id",)),
        ),
        (
            "download_session.file.get",
            Route("GET", API_DOWNLOAD + "/{session_id}/file", query=("file_name",)),
            Route("POST", REST_DOWNLOAD_FILE + "/id:{session_id}", action="get", body=("file_name",)),
        ),
        (
            "download_session.file.prepare",
            Route("POST", API_DOWNLOAD + "/{session_id}/file", action="prepare", body=("file_name", "endpoint_type")),
            Route(
                "POST",
                REST_DOWNLOAD_FILE + "/id:{session_id}",
                action="prepare",
                body=("file_name", "endpoint_type"),
            ),
        ),
    )
}


@dataclass(frozen=True)
class Dialect:
    """One of the two ways to speak: C(DIALECTS["api"]) and C(DIALECTS["rest"])."""

    name: str
    action_key: str
    maps: MapForm
    wraps: bool

    def call(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        model: Model | None = None,
        client_token: str | None = None,
    ) -> Call:
        """The request for an operation; an argument that is None is left out of query and body.

        Raises ValueError for a name that no path can hold.
        """
        route = ROUTES[operation][self.name]
        path = route.path.format_map(_Segments(arguments))
        query = {self.action_key: route.action} if route.action else {}
        query.update({name: arguments[name] for name in route.query if arguments.get(name) is not None})
        body = {name: arguments[name] for name in route.body if arguments.get(name) is not None} if route.body else None
        headers = {}
        if model is not None:
            encoded = encode(model, self.maps)
            body = {route.wrap: encoded} if route.wrap else encoded
        if client_token and self.wraps:
            body = {**(body or {}), "client_token": client_token}
        elif client_token:
            # Servers up to 8.x read the query, the bindings of 9.x send the header.
            query["client_token"] = client_token
            headers["Client-Token"] = client_token
        return Call(
            route.verb, path + (f"?{urlencode(query, safe='~:', errors='replace')}" if query else ""), body, headers
        )

    def result(self, answer: Any) -> Any:
        """What an answer holds, without its envelope; None for an operation that returns nothing."""
        if not self.wraps:
            return answer
        if answer is not None and not isinstance(answer, dict):
            raise SchemaError("", "an object with the key value", answer)
        return (answer or {}).get("value")

    def result_list(self, answer: Any) -> list[Any]:
        """The list that an answer holds; C(/rest) may send an empty one as null, or as an empty object.

        An answer that has no body at all is no list, as something on the way can have lost it.
        """
        value = self.result(answer)
        if self.wraps and answer is not None and (value is None or value == {}):
            return []
        if not isinstance(value, list):
            raise SchemaError("", "a list", value)
        return value


class _Segments(dict[str, Any]):
    """The arguments of a path, encoded: only those that stand in it are looked at."""

    def __getitem__(self, name: str) -> str:
        value = str(super().__getitem__(name))
        # What is nothing but dots leads to another resource, in whatever way it is encoded.
        if not value.strip("."):
            raise ValueError(f"{name} is {value!r}, which cannot stand in a URL")
        return quote(value, safe=":", errors="replace")


DIALECTS: Mapping[str, Dialect] = {
    "api": Dialect(name="api", action_key="action", maps=PLAIN_MAPS, wraps=False),
    "rest": Dialect(name="rest", action_key="~action", maps=PAIRED_MAPS, wraps=True),
}
