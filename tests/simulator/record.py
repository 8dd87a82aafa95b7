# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server received and answered, for tests to assert on, without tokens and passwords."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; ``status`` is 0 if the connection broke before an answer.

    Only requests of the API keep their bodies, and the record file has none. In the answer to a login ``<token>``
    replaces the token. ``fault`` is the rule that tampered with the exchange, ``client`` the client's User-Agent.
    """

    time: float
    method: str
    path: str
    status: int
    request_bytes: int
    response_bytes: int
    user: str | None
    token_sent: bool
    request_body: bytes = b""
    response_body: bytes = b""
    fault: str | None = None
    client: str = ""


Observer = Callable[[Exchange], None]


class Record:
    def __init__(self, path: str | None, observers: Sequence[Observer] = ()) -> None:
        self._exchanges: list[Exchange] = []
        self._observers = observers
        self._path = path
        if path:
            with open(path, "w", encoding="utf-8"):
                pass

    def add(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        for tell in self._observers:
            tell(exchange)
        if self._path:
            names = ("time", "method", "path", "status", "request_bytes", "response_bytes", "user")
            with open(self._path, "a", encoding="utf-8") as stream:
                stream.write(json.dumps({name: getattr(exchange, name) for name in names}) + "\n")

    def snapshot(self) -> tuple[Exchange, ...]:
        return tuple(self._exchanges)

    def clear(self) -> None:
        self._exchanges.clear()
