# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network that fails: it stands before a simulator, passes on what is sent, and misbehaves at chosen requests.

It ends TLS with the simulator's own certificate and speaks TLS to it, so it knows what it passes on. As the simulator
names the addresses of uploads and downloads after the Host that it was asked at, content comes this way too.

What it does at a request (``KINDS``) is one of these. The server knows nothing of the request:

===================  ==================================================================================
``reset``            the connection is reset (RST) before anything is passed on
``reset-during``     the connection is reset after a part of the request's body has been passed on
``status``           another status with an HTML page, as from a gateway; ``Retry-After`` may come along
``redirect``         a redirect to another host
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

import http.client
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Callable
from urllib.parse import parse_qsl

from tests.simulator import Simulator
from tests.simulator.routes import find_route
from tests.simulator.server import HTML_PAGE, LOGIN_PATHS

BLOCK = 64 * 1024
HUGE_BYTES = 100 * 1024 * 1024
PIECES = 20
PATIENCE_SECONDS = 60.0
ELSEWHERE = "https://elsewhere.invalid/"
RESET = struct.pack("ii", 1, 0)

BEFORE = ("reset", "reset-during", "status", "redirect", "gone")
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
    """What goes wrong at the requests for an operation, from the C(first) to the C(last), None for all later ones.

    C(percent) is the part of a body that passes, C(seconds) a pause, C(status) and C(retry_after) what a gateway
    answers, C(act) what happens to the server, and C(text) the kind of a fault of the simulator.
    """

    kind: str
    operation: str
    first: int = 1
    last: int | None = 1
    percent: int = 50
    seconds: float = 0.1
    status: int = 502
    retry_after: str = ""
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
    """The network before one simulator; it has the attributes that the connection options need."""

    def __init__(self, sim: Simulator) -> None:
        self.hostname = sim.hostname
        self.username = sim.username
        self.password = sim.password
        self.ca_path = sim.ca_path
        self._sim = sim
        self._traffic = _Traffic()
        self._changing = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._inward.load_cert_chain(Path(sim.ca_path).with_name("server.pem"))
        self._outward = ssl.create_default_context(cafile=sim.ca_path)
        self._server = _Listener((sim.hostname, 0), self._handler())
        self._server.proxy = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.clear()

    @property
    def requests(self) -> tuple[Seen, ...]:
        """What has come in, in the order in which it came."""
        with self._changing:
            return tuple(self._traffic.requests)

    @property
    def sent_bytes(self) -> int:
        """How much of huge answers has gone out."""
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

    def reach(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._sim.hostname, self._sim.port, timeout=PATIENCE_SECONDS, context=self._outward
        )

    def have_simulator_fail(self, method: str, target: str, kind: str) -> None:
        self._sim.inject(f"{method}:{target}:1:{kind}")

    def _handler(self) -> type[_Conversation]:
        owner = self

        class Conversation(_Conversation):
            proxy = owner

        return Conversation


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64
    proxy: FaultProxy

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self.proxy.connection(request) as secured:
            super().finish_request(secured, client_address)

    def shutdown_request(self, request: Any) -> None:
        # The connection has ended itself by then, in the way that was asked for; a farewell would spoil a reset.
        pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that turn away and connections that are cut are what this is about.
        pass


class _Conversation(BaseHTTPRequestHandler):
    """One client's connection, with a connection of its own to the simulator."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self._upstream = self.proxy.reach()

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def handle_any(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        self._traffic, self._index, found = self.proxy.note(self.command, self.path, size)
        kind = found.kind if found else ""
        if found and kind in ("reset", "gone"):
            self._reset()
        elif found and kind == "reset-during":
            self._forward(size * found.percent // 100)
            self._reset()
        elif found and kind in ("status", "redirect"):
            self._drain(size)
            self._answer_as_gateway(found)
        else:
            self._ask(found, size)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 (the names that it is called by)

    def log_message(self, *args: Any) -> None:
        pass

    def _ask(self, found: Misbehaviour | None, size: int) -> None:
        """Pass the request on, and the answer back, in whichever way."""
        if found and found.act:
            found.act()
        if found and found.text:
            self.proxy.have_simulator_fail(self.command, self.path, found.text)
        try:
            self._forward(size)
            answer = self._upstream.getresponse()
        except (OSError, http.client.HTTPException):
            self._reset()
            return
        head = self._head(answer)
        if found and found.kind in AFTER:
            body = answer.read()
            self.proxy.note_answer(self._traffic, self._index, len(body))
            self._spoil(found, answer.status, head, body)
            return
        self._relay(answer, head)

    def _forward(self, passed: int) -> None:
        """Send the head of the request and so many bytes of its body to the simulator."""
        self._upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self._upstream.putheader(name, value)
        first = self.rfile.read(min(passed, BLOCK))
        self._upstream.endheaders(first or None)
        left = passed - len(first)
        while left > 0:
            block = self.rfile.read(min(left, BLOCK))
            if not block:
                raise ConnectionError("the client went away")
            self._upstream.send(block)
            left -= len(block)

    def _drain(self, size: int) -> None:
        while size > 0:
            block = self.rfile.read(min(size, BLOCK))
            if not block:
                return
            size -= len(block)

    def _head(self, answer: http.client.HTTPResponse) -> bytes:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders()]
        self.close_connection = bool(answer.will_close)
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _relay(self, answer: http.client.HTTPResponse, head: bytes) -> None:
        count, ready, block = 0, head, answer.read(BLOCK)
        while block:
            count += len(block)
            self.wfile.write(ready)
            ready, block = block, answer.read(BLOCK)
        # Whoever has the last byte may look at what has passed, so it is noted before that goes.
        self.proxy.note_answer(self._traffic, self._index, count)
        self.wfile.write(ready)

    def _spoil(self, found: Misbehaviour, status: int, head: bytes, body: bytes) -> None:
        part = head + body[: len(body) * found.percent // 100] if body else head[: len(head) // 2]
        if found.kind == "reset-after":
            self._reset()
        elif found.kind == "reset-in-answer":
            self.wfile.write(part)
            self._reset()
        elif found.kind == "silent":
            self._wait_until_gone()
        elif found.kind == "stall":
            self.wfile.write(part)
            self._wait_until_gone()
        elif found.kind == "slow":
            time.sleep(found.seconds)
            self.wfile.write(head + body)
        elif found.kind == "trickle":
            self._trickle(head + body, found.seconds)
        elif found.kind == "empty":
            self.wfile.write(f"HTTP/1.1 {status} \r\nContent-Length: 0\r\n\r\n".encode())
        elif found.kind == "huge":
            self._send_much()
        else:
            self._answer_as_gateway(found)

    def _trickle(self, data: bytes, seconds: float) -> None:
        piece = -(-len(data) // PIECES)
        for start in range(0, len(data), piece):
            self.wfile.write(data[start : start + piece])
            time.sleep(seconds / PIECES)

    def _answer_as_gateway(self, found: Misbehaviour) -> None:
        status = {"gateway-timeout": 504, "redirect": 302}.get(found.kind, found.status)
        lines = [f"HTTP/1.1 {status} Gateway", "Content-Type: text/html", f"Content-Length: {len(HTML_PAGE)}"]
        if found.kind == "redirect":
            lines.append(f"Location: {ELSEWHERE}")
        if found.retry_after:
            lines.append(f"Retry-After: {found.retry_after}")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + HTML_PAGE)

    def _send_much(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        self.wfile.write(f'Content-Length: {HUGE_BYTES}\r\n\r\n"'.encode())
        block = b"a" * BLOCK
        for start in range(1, HUGE_BYTES, BLOCK):
            self.wfile.write(block[: HUGE_BYTES - start])
            self.proxy.note_sent(self._traffic, BLOCK)

    def _wait_until_gone(self) -> None:
        self.connection.settimeout(PATIENCE_SECONDS)
        with suppress(OSError):
            self.connection.recv(1)
        self.close_connection = True

    def _reset(self) -> None:
        """End the connection so that the other side sees it reset, and the one to the simulator as well."""
        for ended in (self.connection, self._upstream.sock):
            if ended is not None:
                ended.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True
