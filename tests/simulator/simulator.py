# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server inside a test process: a loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Callable, ClassVar, TypeVar

from .clock import Seconds
from .record import Exchange, Observer
from .seed import Seed, load_seed
from .server import Server, Settings
from .store import Store
from .tls import make_tls

Result = TypeVar("Result")


class Simulator:
    """A running server; its state is read and changed through ``run``, on the server's own thread.

    ``on_exchange`` is told of each exchange on that thread, with the bodies, before the client has the answer; a test
    run that watches all servers sets ``default_observer``, which is told first.
    """

    default_observer: ClassVar[Observer | None] = None

    def __init__(
        self,
        dialect: str = "both",
        seed: Seed | str | None = None,
        data: str | None = None,
        session_timeout: float = 300.0,
        login_timeout: float = 1800.0,
        latency_ms: float = 0,
        rate: int | None = None,
        settle: float = 0.2,
        faults: Iterable[str] = (),
        record: str | None = None,
        clock: Seconds = time.monotonic,
        hostname: str = "127.0.0.1",
        port: int = 0,
        on_exchange: Observer | None = None,
    ) -> None:
        self._seed = load_seed(seed) if isinstance(seed, str) else seed or Seed()
        self._settings = Settings(
            hostname,
            port,
            dialect,
            data,
            session_timeout,
            login_timeout,
            latency_ms,
            rate,
            settle,
            record,
            clock,
            tuple(each for each in (Simulator.default_observer, on_exchange) if each),
        )
        self._initial_faults = tuple(faults)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._server: Server | None = None
        self._directory = ""

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._directory = tempfile.mkdtemp(prefix="simulator-")
        self._thread.start()
        self._await(self._start())

    async def _start(self) -> None:
        server = Server(self._settings, self._seed)
        for text in self._initial_faults:
            server.faults.add(text)
        await server.start(make_tls(self._directory, self._settings.host))
        self._server = server

    def stop(self) -> None:
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._directory)

    async def _stop(self) -> None:
        await self._running.stop()
        # Connections that were cut in the middle leave tasks behind that wait for their peers.
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
        """What has been exchanged so far, in the order in which the exchanges ended."""
        return self._running.record.snapshot()

    def clear_exchanges(self) -> None:
        self._call(self._running.record.clear)

    def inject(self, fault: str) -> None:
        self._call(lambda: self._running.faults.add(fault))

    def clear_faults(self) -> None:
        self._call(self._running.clear_faults)

    def wait_until_held(self, timeout: float = 60.0) -> bool:
        """Whether a request stands still, as the fault ``hold`` says, within so many seconds."""
        return self._running.holds.reached.wait(timeout)

    def release(self) -> None:
        """Let go on what stands still; nothing is held any more before the faults are cleared."""
        self._call(self._running.holds.release)

    @property
    def in_flight(self) -> int:
        """How many requests are being served, those of clients that have gone included."""
        return self._running.in_flight

    def reset(self, seed: Seed | None = None) -> None:
        """A new state on the same port: logins, exchanges and faults are gone too."""
        self._seed = seed or Seed()
        self._await(self._running.reset(self._seed))

    def run(self, work: Callable[[Store], Result]) -> Result:
        return self._call(lambda: work(self._running.store))

    def _call(self, work: Callable[[], Result]) -> Result:
        async def on_loop() -> Result:
            return work()

        return self._await(on_loop())
