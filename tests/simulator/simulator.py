# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server inside a test process: an event loop in a background thread."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Callable, ClassVar, TypeVar

from .clock import Seconds
from .likeness import Likeness
from .record import Exchange, Observer
from .seed import Seed, load_seed
from .server import SETTLE, Server, Settings
from .store import Store
from .tls import make_tls
from .versions import DEFAULT
from .worlds import slow_world

Result = TypeVar("Result")


class Simulator:
    """A running server; ``run`` reads and changes its state, on the server's own thread.

    That thread calls ``on_exchange`` for each exchange, with the bodies, before the client has the answer. A test run
    that watches all servers sets ``default_observer``, which is called first.
    """

    default_observer: ClassVar[Observer | None] = None

    def __init__(
        self,
        dialect: str = "both",
        seed: Seed | str | None = None,
        data: str | None = None,
        session_timeout: float = 300.0,
        login_timeout: float | None = None,
        latency_ms: float = 0,
        rate: int | None = None,
        settle: float | None = None,
        faults: Iterable[str] = (),
        record: str | None = None,
        clock: Seconds = time.monotonic,
        hostname: str = "127.0.0.1",
        port: int = 0,
        on_exchange: Observer | None = None,
        vcenter: str = DEFAULT,
        worlds: Mapping[str, str] | None = None,
        like: Likeness | None = None,
    ) -> None:
        self._like, self._usual, self._worlds = like or Likeness(vcenter), slow_world(settle), worlds or {}
        self._seed = self._placed(load_seed(seed) if isinstance(seed, str) else seed or Seed())
        self._settings = Settings(
            hostname,
            port,
            dialect,
            data,
            session_timeout,
            login_timeout,
            latency_ms,
            rate,
            SETTLE if settle is None else settle,
            record,
            clock,
            tuple(each for each in (Simulator.default_observer, on_exchange) if each),
        )
        self._initial_faults = tuple(faults)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._server: Server | None = None
        self._directory = ""

    def _placed(self, seed: Seed) -> Seed:
        return self._like.place(seed, self._usual, self._worlds)

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        self._directory = tempfile.mkdtemp(prefix="simulator-")
        self._thread.start()
        self._await(self._start())

    async def _start(self) -> None:
        server = Server(self._settings, self._seed)
        for text in self._initial_faults:
            server.faults.add(text)
        await server.start(make_tls(self._directory, self._settings.host, self._settings.own_name))
        self._server = server

    def stop(self) -> None:
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._directory)

    async def _stop(self) -> None:
        await self._running.stop()
        # Connections that were cut leave tasks behind that wait for their peers.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the simulator has not been started")
        return self._server

    def _await(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @property
    def hostname(self) -> str:
        return self._settings.host

    @property
    def port(self) -> int:
        return self._running.port

    @property
    def username(self) -> str:
        return self._seed.users[0].name

    @property
    def password(self) -> str:
        return self._seed.users[0].password

    @property
    def ca_path(self) -> str:
        return f"{self._directory}/ca.pem"

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The exchanges so far, in the order in which they ended."""
        return self._running.record.snapshot()

    def clear_exchanges(self) -> None:
        self._call(self._running.record.clear)

    def inject(self, fault: str) -> None:
        self._call(lambda: self._running.faults.add(fault))

    def clear_faults(self) -> None:
        self._call(self._running.clear_faults)

    def wait_until_held(self, timeout: float = 60.0) -> bool:
        """Whether the fault ``hold`` holds a request within this many seconds."""
        return self._running.holds.reached.wait(timeout)

    def release(self) -> None:
        """Let held requests go on; none is held again before the faults are cleared."""
        self._call(self._running.holds.release)

    @property
    def in_flight(self) -> int:
        """How many requests the server is serving, including those of clients that have gone."""
        return self._running.in_flight

    def reset(self, seed: Seed | None = None) -> None:
        """Start with a new state on the same port and in the same worlds, without logins, exchanges and faults."""
        self._seed = self._placed(seed or Seed())
        self._await(self._running.reset(self._seed))

    def run(self, work: Callable[[Store], Result]) -> Result:
        return self._call(lambda: work(self._running.store))

    def _call(self, work: Callable[[], Result]) -> Result:
        async def on_loop() -> Result:
            return work()

        return self._await(on_loop())
