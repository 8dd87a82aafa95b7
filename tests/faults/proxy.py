# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network that fails: it stands before a simulator, passes on what is sent, and misbehaves at chosen requests.

It ends TLS with the simulator's own certificate and speaks TLS to it, so it knows what it passes on. As the simulator
names the addresses of uploads and downloads after the Host that it was asked at, content comes this way too.

What it does at a request (``KINDS``) is one of these. The server knows nothing of the request:

===================  ==================================================================================
``reset``            the connection is reset (RST) before anything is passed on
``reset-during``     the connection is reset after a part of the request's body has been passed on
``stop-reading``     nothing of the request's body is read, and nothing is answered
``status``           another status with an HTML page, as from a gateway; ``Retry-After`` may come along
``redirect``         a redirect to another host
``made-up``          bytes that the test makes up, as fast or as slowly as it likes, for as long as the other side reads
===================  ==================================================================================

The server has done what it was asked, and its answer meets with something:

===================  ==================================================================================
``reset-after``      the connection is reset before the first byte of the answer
``reset-in-answer``  the connection is reset after a part of the answer
``silent``           nothing comes
``stall``            a part of the answer comes, and then nothing
``slow``             the answer comes after a pause
``trickle``          the answer comes in many small pieces, with pauses
``gateway-timeout``  a 504 with an HTML page comes instead
``empty``            the answer's status comes without its body
``huge``             100 MiB of a string come instead, made while they are sent
===================  ==================================================================================

And three are not the network's: ``gone`` resets this and every later request, ``act`` does something to the server
before it is asked, and ``simulator`` has the simulator itself misbehave (``tests/simulator/faults.py``).
"""

from __future__ import annotations

import re
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qsl

from tests.simulator import Simulator
from tests.simulator.routes import find_route
from tests.simulator.server import LOCAL_NAME, LOGIN_PATHS

BLOCK = 64 * 1024
HUGE_BYTES = 100 * 1024 * 1024
PIECES = 20
PAGE = "<html><head><title>{title}</title></head><body><h1>A gateway</h1></body></html>"
PATIENCE_SECONDS = 60.0
IDLE_SECONDS = 5.0
ELSEWHERE = "https://elsewhere.invalid/"
RESET = struct.pack("ii", 1, 0)
CONTENT_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
CLOSES = re.compile(rb"^connection: *close", re.IGNORECASE | re.MULTILINE)

BEFORE = ("reset", "reset-during", "stop-reading", "status", "redirect", "made-up", "gone")
AFTER = (
    "reset-after",
    "reset-in-answer",
    "silent",
    "stall",
    "slow",
    "trickle",
    "gateway-timeout",
    "empty",
    "huge",
)
KINDS = (*BEFORE, *AFTER, "act", "simulator")


def operation_of(method: str, target: str) -> str:
    """What a request asks for, as the simulator's table of routes names it; empty if it knows no such thing."""
    path, _mark, query = target.partition("?")
    if path in LOGIN_PATHS:
        return {"POST": "session.login", "DELETE": "session.logout"}.get(method, "session.get")
    if path.startswith("/cls/data/"):
        return f"data.{method.lower()}"
    match = find_route(path.split("/")[1], method, path, dict(parse_qsl(query, keep_blank_values=True)))
    return match.row.operation if match else ""


@dataclass(frozen=True)
class Seen:
    """A request as it came in, with the sizes of its body and of the body of the server's answer, if it was asked."""

    method: str
    target: str
    request_bytes: int
    answer_bytes: int | None = None

    @property
    def operation(self) -> str:
        return operation_of(self.method, self.target)


@dataclass(frozen=True)
class Misbehaviour:
    """What goes wrong at the requests for an operation, from the `first` to the `last`, None for all later ones.

    `percent` is the part of a body that passes, `seconds` a pause, `status` and `retry_after` what a gateway
    answers, `pieces` what is answered piece by piece, `act` what happens to the server, and `text` the kind of a
    fault of the simulator.
    """

    kind: str
    operation: str
    first: int = 1
    last: int | None = 1
    percent: int = 50
    seconds: float = 0.1
    status: int = 502
    retry_after: str = ""
    pieces: Callable[[], Iterable[bytes]] = tuple
    act: Callable[[], object] | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is none of {', '.join(KINDS)}")


@dataclass
class _Rule:
    misbehaviour: Misbehaviour
    met: int = 0

    def fires(self, operation: str) -> bool:
        wanted = self.misbehaviour
        if operation != wanted.operation:
            return False
        self.met += 1
        return self.met >= wanted.first and (wanted.last is None or self.met <= wanted.last)


@dataclass
class _Traffic:
    """What has passed since the last time that all was cleared."""

    rules: list[_Rule] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    gone: Misbehaviour | None = None
    sent_bytes: int = 0


class FaultProxy:
    """The network before one simulator; it has the attributes that the connection options need.

    It is addressed by the vCenter's own name, so that the login counts for content, too.
    """

    def __init__(self, sim: Simulator) -> None:
        self.hostname = LOCAL_NAME
        self.username = sim.username
        self.password = sim.password
        self.ca_path = sim.ca_path
        self._sim = sim
        self._traffic = _Traffic()
        self._changing = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._idle: list[_Wire] = []
        self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._inward.load_cert_chain(Path(sim.ca_path).with_name("server.pem"))
        self._outward = ssl.create_default_context(cafile=sim.ca_path)
        self._server = _Listener((sim.hostname, 0), socketserver.BaseRequestHandler)
        self._server.proxy = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.clear()
        for wire in self._idle:
            wire.close()

    @property
    def requests(self) -> tuple[Seen, ...]:
        """What has come in, in the order in which it came."""
        with self._changing:
            return tuple(self._traffic.requests)

    @property
    def sent_bytes(self) -> int:
        """How much of huge and of made-up answers has gone out."""
        with self._changing:
            return self._traffic.sent_bytes

    def misbehave(self, misbehaviour: Misbehaviour) -> None:
        with self._changing:
            self._traffic.rules.append(_Rule(misbehaviour))

    def clear(self) -> None:
        """Behave from now on, forget what was, and end all connections, whatever state they are in."""
        with self._changing:
            self._traffic = _Traffic()
            for connection in self._connections:
                # Another thread may be in the TLS layer of this connection: wake it from below.
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            if not self._changing.wait_for(lambda: not self._connections, PATIENCE_SECONDS):
                raise TimeoutError("a connection of the fault proxy does not end")

    # -- for the connections

    @contextmanager
    def connection(self, raw: socket.socket) -> Iterator[ssl.SSLSocket]:
        """A client's connection, spoken to over TLS; clear() can end it from its first moment on."""
        with self._changing:
            self._connections.add(raw)
        known = raw
        try:
            secured = self._inward.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
            with self._changing:
                self._connections.remove(known)
                self._connections.add(secured)
                known = secured
            try:
                secured.do_handshake()
                yield secured
            finally:
                secured.close()
        finally:
            with self._changing:
                self._connections.discard(known)
                self._changing.notify_all()

    def note(self, method: str, target: str, size: int) -> tuple[_Traffic, int, Misbehaviour | None]:
        """Keep a request; returns where, and what is to go wrong with it."""
        operation = operation_of(method, target)
        with self._changing:
            traffic = self._traffic
            traffic.requests.append(Seen(method, target, size))
            fired = [rule.misbehaviour for rule in traffic.rules if rule.fires(operation)]
            found = traffic.gone or (fired[0] if fired else None)
            if found and found.kind == "gone":
                traffic.gone = found
            return traffic, len(traffic.requests) - 1, found

    def note_answer(self, traffic: _Traffic, index: int, size: int) -> None:
        with self._changing:
            seen = traffic.requests[index]
            traffic.requests[index] = Seen(seen.method, seen.target, seen.request_bytes, size)

    def note_sent(self, traffic: _Traffic, size: int) -> None:
        with self._changing:
            traffic.sent_bytes += size

    def reach(self) -> _Wire:
        """A connection to the simulator: one that has served another client, if it is not too old to be used again."""
        oldest = time.monotonic() - IDLE_SECONDS
        with self._changing:
            while self._idle:
                wire = self._idle.pop()
                if wire.used_at > oldest:
                    return wire
                wire.close()
        raw = socket.create_connection((self._sim.hostname, self._sim.port), timeout=PATIENCE_SECONDS)
        return _Wire(self._outward.wrap_socket(raw, server_hostname=self._sim.hostname))

    def give_back(self, wire: _Wire | None) -> None:
        """Keep a connection on which nothing is under way."""
        if wire:
            wire.used_at = time.monotonic()
            with self._changing:
                self._idle.append(wire)

    def have_simulator_fail(self, method: str, target: str, kind: str) -> None:
        self._sim.inject(f"{method}:{target}:1:{kind}")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64
    proxy: FaultProxy

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as it is called
        with self.proxy.connection(request) as secured:
            _Conversation(self.proxy, secured).go_on()

    def shutdown_request(self, request: Any) -> None:
        # The connection has ended itself by then, in the way that was asked for; a farewell would spoil a reset.
        pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that turn away and connections that are cut are what this is about.
        pass


class _Wire:
    """One side's connection, and what has been read of it."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.used_at = time.monotonic()
        self._reader = connection.makefile("rb", BLOCK)

    def head(self) -> bytes:
        """The first line and the headers, with the empty line after them; empty if the other side has gone."""
        lines: list[bytes] = []
        while not lines or lines[-1] != b"\r\n":
            line = self._reader.readline()
            if not line:
                return b""
            lines.append(line)
        return b"".join(lines)

    def blocks(self, size: int) -> Iterator[bytes]:
        while size > 0:
            block = self._reader.read(min(size, BLOCK))
            if not block:
                raise ConnectionError("the other side went away in the middle")
            size -= len(block)
            yield block

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset_on_close(self) -> None:
        """Have the other side see a reset, and no farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def wait_until_gone(self) -> None:
        self.connection.settimeout(PATIENCE_SECONDS)
        with suppress(OSError):
            self.connection.recv(1)

    def wait_until_closed(self) -> None:
        """Wait for the other side's end without reading what it has sent before."""
        poller = select.poll()
        poller.register(self.connection, select.POLLRDHUP)
        poller.poll(PATIENCE_SECONDS * 1000)

    def close(self) -> None:
        with suppress(OSError):
            self._reader.close()
        self.connection.close()


def _size_of(head: bytes) -> int:
    found = CONTENT_LENGTH.search(head)
    return int(found.group(1)) if found else 0


class _Conversation:
    """What goes on over one client's connection; each of its requests reaches the simulator over one other."""

    def __init__(self, proxy: FaultProxy, client: ssl.SSLSocket) -> None:
        self._proxy = proxy
        self._client = _Wire(client)
        self._server: _Wire | None = None
        self._goes_on = True
        self._traffic: _Traffic
        self._index = 0

    def go_on(self) -> None:
        try:
            while self._goes_on and (head := self._client.head()):
                self._handle(head)
            self._proxy.give_back(self._server)
            self._server = None
        finally:
            if self._server:
                self._server.close()
            self._client.close()

    def _handle(self, head: bytes) -> None:
        method, target = (word.decode("latin-1") for word in head.split(b" ", 2)[:2])
        size = _size_of(head)
        self._traffic, self._index, found = self._proxy.note(method, target, size)
        kind = found.kind if found else ""
        if found and found.act:
            found.act()
        if found and found.text:
            self._proxy.have_simulator_fail(method, target, found.text)
        if found and kind in ("reset", "gone"):
            self._reset()
        elif found and kind == "reset-during":
            with suppress(OSError):
                self._forward(head, size * found.percent // 100)
            self._reset()
        elif found and kind == "stop-reading":
            self._client.wait_until_closed()
            self._goes_on = False
        elif found and kind in ("status", "redirect", "made-up"):
            for _block in self._client.blocks(size):
                pass
            if kind == "made-up":
                self._make_up(found)
            else:
                self._answer_as_gateway(found)
        else:
            self._ask(found, head, size)

    def _ask(self, found: Misbehaviour | None, head: bytes, size: int) -> None:
        """Pass the request on, and the answer back, in whichever way."""
        try:
            server = self._forward(head, size)
            answer = server.head()
        except OSError:
            answer = b""
        if not answer:
            self._reset()
            return
        body = server.blocks(_size_of(answer))
        if found and found.kind in AFTER:
            whole = b"".join(body)
            self._proxy.note_answer(self._traffic, self._index, len(whole))
            self._spoil(found, answer, whole)
        else:
            self._relay(answer, body)
        if CLOSES.search(answer):
            self._goes_on = False
            server.close()
            self._server = None

    def _forward(self, head: bytes, size: int) -> _Wire:
        """Send the head of a request and so many bytes of its body to the simulator."""
        self._server = self._server or self._proxy.reach()
        ready = head
        for block in self._client.blocks(size):
            self._server.send(ready)
            ready = block
        self._server.send(ready)
        return self._server

    def _relay(self, head: bytes, body: Iterator[bytes]) -> None:
        count, ready = 0, head
        for block in body:
            count += len(block)
            self._client.send(ready)
            ready = block
        # Whoever has the last byte may look at what has passed, so it is noted before that goes.
        self._proxy.note_answer(self._traffic, self._index, count)
        self._client.send(ready)

    def _spoil(self, found: Misbehaviour, head: bytes, body: bytes) -> None:
        part = head + body[: len(body) * found.percent // 100] if body else head[: len(head) // 2]
        if found.kind == "reset-after":
            self._reset()
        elif found.kind == "reset-in-answer":
            self._client.send(part)
            self._reset()
        elif found.kind == "silent":
            self._fall_silent()
        elif found.kind == "stall":
            self._client.send(part)
            self._fall_silent()
        elif found.kind == "slow":
            time.sleep(found.seconds)
            self._client.send(head + body)
        elif found.kind == "trickle":
            self._trickle(head + body, found.seconds)
        elif found.kind == "empty":
            self._client.send(head.splitlines()[0] + b"\r\nContent-Length: 0\r\n\r\n")
        elif found.kind == "huge":
            self._send_much()
        else:
            self._answer_as_gateway(found)

    def _trickle(self, data: bytes, seconds: float) -> None:
        piece = -(-len(data) // PIECES)
        for start in range(0, len(data), piece):
            self._client.send(data[start : start + piece])
            time.sleep(seconds / PIECES)

    def _answer_as_gateway(self, found: Misbehaviour) -> None:
        status = HTTPStatus({"gateway-timeout": 504, "redirect": 302}.get(found.kind, found.status))
        page = PAGE.format(title=f"{status} {status.phrase}").encode()
        lines = [f"HTTP/1.1 {status} {status.phrase}", "Content-Type: text/html", f"Content-Length: {len(page)}"]
        if found.kind == "redirect":
            lines.append(f"Location: {ELSEWHERE}")
        if found.retry_after:
            lines.append(f"Retry-After: {found.retry_after}")
        self._client.send("\r\n".join([*lines, "", ""]).encode() + page)

    def _send_much(self) -> None:
        self._client.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        self._client.send(f'Content-Length: {HUGE_BYTES}\r\n\r\n"'.encode())
        block = b"a" * BLOCK
        for start in range(1, HUGE_BYTES, BLOCK):
            self._client.send(block[: HUGE_BYTES - start])
            self._proxy.note_sent(self._traffic, BLOCK)

    def _make_up(self, found: Misbehaviour) -> None:
        self._goes_on = False
        with suppress(OSError):
            for piece in found.pieces():
                self._client.send(piece)
                self._proxy.note_sent(self._traffic, len(piece))

    def _fall_silent(self) -> None:
        self._client.wait_until_gone()
        self._goes_on = False

    def _reset(self) -> None:
        """End both connections as if their cables had been cut."""
        self._goes_on = False
        self._client.reset_on_close()
        if self._server:
            self._server.reset_on_close()
            self._server.close()
            self._server = None
