# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check keeps of each exchange: raw for those who observe, and as a report may show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._vcenter.answers import read_json
from .._vcenter.connection import LOGIN_PATHS
from .._vcenter.errors import InvalidResponse
from .._vcenter.http_request import Seen
from .._vcenter.operations import ROUTES
from .asking import ABOUT, DATASTORE, DATASTORE_PATHS, SOAP_PATH
from .shapes import error_type, message_ids, shape

PROBE = "update_session.file.probe"
DATA_PATH = "{data}"
LOGINS = ("session.login", "session.logout")
NOT_JSON = "not JSON"


@dataclass(frozen=True)
class Transfer:
    """A request for content, which has no body that a report shows; times are those of `Seen`."""

    operation: str
    method: str
    status: int | None
    began: float
    ended: float


class Recorder:
    """Keeps all exchanges of a check, in the order in which they ended."""

    def __init__(self) -> None:
        self.seen: list[Seen | Transfer] = []

    def note(self, exchange: Seen | Transfer) -> None:
        self.seen.append(exchange)

    def last(self, operation: str) -> Seen:
        """The last exchange of an operation. Raises LookupError if there is none."""
        for exchange in reversed(self.seen):
            if isinstance(exchange, Seen) and exchange.operation == operation:
                return exchange
        raise LookupError(operation)

    def exchanges(self) -> list[dict[str, Any]]:
        """The exchanges as a report shows them, in the order in which they began."""
        seen = sorted(self.seen, key=lambda exchange: exchange.began)
        return [_shown(exchange, seen[0].began) for exchange in seen]


def body_of(raw: bytes | None) -> Any:
    """The JSON of a body, None if it is empty. Raises ValueError for anything else."""
    if not raw:
        return None
    try:
        return read_json(raw)
    except InvalidResponse as error:
        raise ValueError(str(error)) from None


def json_of(raw: bytes | None) -> Any:
    """The JSON of a body, None if it is empty or anything else."""
    try:
        return body_of(raw)
    except ValueError:
        return None


def _shown(exchange: Seen | Transfer, start: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operation": exchange.operation,
        "method": exchange.method,
        "path": DATA_PATH,
        "status": exchange.status,
        "error_type": None,
        "message_ids": [],
        "request": None,
        "response": None,
        "milliseconds": round((exchange.ended - exchange.began) * 1000),
        "after": round((exchange.began - start) * 1000),
    }
    if isinstance(exchange, Transfer):
        return shown
    shown["path"] = _template(exchange)
    shown["request"] = _shape_of(exchange.request)
    if exchange.operation in LOGINS and exchange.status is not None and exchange.status < 400:
        # The answer to a login is a token, and nothing else.
        return {**shown, "response": "string" if exchange.answer else None}
    shown["response"] = _shape_of(exchange.answer)
    if exchange.status is not None and exchange.status >= 400:
        envelope = json_of(exchange.answer)
        shown["error_type"], shown["message_ids"] = error_type(envelope), message_ids(envelope)
    return shown


def _shape_of(raw: bytes | None) -> Any:
    try:
        return shape(body_of(raw)) if raw else None
    except ValueError:
        return NOT_JSON


def dialect_of(exchange: Seen) -> str:
    return "rest" if exchange.place.startswith("/rest/") else "api"


def _template(exchange: Seen) -> str:
    """The path of an operation with gaps for what is not its own, so that no identifier leaves."""
    dialect = dialect_of(exchange)
    if exchange.operation in LOGINS:
        return LOGIN_PATHS[dialect]
    if exchange.operation == ABOUT:
        return SOAP_PATH
    if exchange.operation == DATASTORE:
        return DATASTORE_PATHS[dialect]
    route = ROUTES[exchange.operation][dialect]
    action = f"{'~' if dialect == 'rest' else ''}action={route.action}" if route.action else ""
    query = "&".join(
        [*([action] if action else []), *(f"{name}={{{name}}}" for name in route.query if f"{name}=" in exchange.place)]
    )
    return route.path + (f"?{query}" if query else "")
