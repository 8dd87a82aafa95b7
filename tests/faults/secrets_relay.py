# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway before the simulator that passes everything on, and may answer or change an answer by itself."""

from __future__ import annotations

import http.client
import ssl
import threading
from typing import Callable, Optional, TypeVar

from tests.harness.servers import CannedServer, Identity, Received, Reply
from tests.simulator import Simulator

Meddle = Callable[[int, Received, Callable[[], Reply]], Optional[Reply]]
"""Given the number of a request, from 1 on, the request, and how to pass it on; None passes it on unchanged."""

RelayT = TypeVar("RelayT", bound="Relay")

PASSED_ON = ("content-type", "content-range", "accept-ranges", "retry-after")


class Relay(CannedServer):
    """The connection options are those of the simulator, but for its address and authority."""

    def __init__(self, sim: Simulator, identity: Identity, meddle: Meddle | None = None) -> None:
        super().__init__(self._relay, identity=identity)
        self.meddle = meddle
        self.username, self.password = sim.username, sim.password
        self._target = (sim.hostname, sim.port)
        self._context = ssl.create_default_context(cafile=sim.ca_path)
        self._counting = threading.Lock()
        self._count = 0
        self._mine = threading.local()

    def __enter__(self: RelayT) -> RelayT:
        super().__enter__()
        return self

    def _relay(self, request: Received) -> Reply:
        with self._counting:
            self._count += 1
            number = self._count

        def pass_on() -> Reply:
            return self._pass_on(request)

        return (self.meddle(number, request, pass_on) if self.meddle else None) or pass_on()

    def _pass_on(self, request: Received) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name != "connection"}
        try:
            return self._ask(request, headers)
        except (http.client.HTTPException, OSError):
            # The simulator has closed the connection of this thread, as it does when nobody asks for a while.
            self._mine.connection.close()
            return self._ask(request, headers)

    def _ask(self, request: Received, headers: dict[str, str]) -> Reply:
        connection = self._mine.__dict__.setdefault("connection", self._connect())
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        given = {name: value for name, value in answer.getheaders() if name.lower() in PASSED_ON}
        return Reply(answer.status, answer.read(), given)

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self._target, context=self._context, timeout=60)
