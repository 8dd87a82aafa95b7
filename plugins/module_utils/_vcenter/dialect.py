# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where `/api` and `/rest` differ beside the routes: envelope, map encoding, names of actions, client tokens.

vCenter 7.0U2 and later speak `/api`. `/rest` is older, deprecated, and still there in 8.x.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .operations import ROUTES
from .schema import PAIRED_MAPS, PLAIN_MAPS, MapForm, Model, SchemaError, encode


@dataclass(frozen=True)
class Call:
    """One HTTP request: `path` includes the query, `body` is sent as JSON."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    """One of the two dialects: `DIALECTS["api"]` and `DIALECTS["rest"]`."""

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
        """The request for an operation; query and body leave out arguments that are None.

        Raises ValueError for a name that cannot be part of a path.
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
        """The content of an answer, without its envelope; None for an operation that returns nothing."""
        if not self.wraps:
            return answer
        if answer is not None and not isinstance(answer, dict):
            raise SchemaError("", "an object with the key value", answer)
        return (answer or {}).get("value")

    def result_list(self, answer: Any) -> list[Any]:
        """The list in an answer; `/rest` may send an empty list as null, or as an empty object.

        Raises SchemaError for an answer without a body, as something on the way may have dropped it.
        """
        value = self.result(answer)
        if self.wraps and answer is not None and (value is None or value == {}):
            return []
        if not isinstance(value, list):
            raise SchemaError("", "a list", value)
        return value


class _Segments(dict[str, Any]):
    """The arguments of a path, each encoded when the path asks for it."""

    def __getitem__(self, name: str) -> str:
        value = str(super().__getitem__(name))
        # A segment of dots alone leads to another resource, even when it is encoded.
        if not value.strip("."):
            raise ValueError(f"{name} is {value!r}, which cannot stand in a URL")
        return quote(value, safe=":", errors="replace")


DIALECTS: Mapping[str, Dialect] = {
    "api": Dialect(name="api", action_key="action", maps=PLAIN_MAPS, wraps=False),
    "rest": Dialect(name="rest", action_key="~action", maps=PAIRED_MAPS, wraps=True),
}
