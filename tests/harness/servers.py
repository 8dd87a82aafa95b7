# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that the simulator cannot imitate: with canned answers, a bad certificate, not a vCenter, or a proxy."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import select
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import requests

HOST = "127.0.0.1"
TUNNEL_SECONDS = 30.0


@dataclass(frozen=True)
class Received:
    """One request as it came in; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


Responder = Callable[[Received], Reply]


@dataclass(frozen=True)
class Identity:
    """A server's certificate with its key, and the authority that signed it."""

    ca_path: str
    server_path: str

    @property
    def certificate(self) -> str:
        """The certificate as PEM."""
        return Path(self.server_path).read_text(encoding="utf-8").partition("-----BEGIN PRIVATE")[0].strip()

    def thumbprint(self, algorithm: str) -> str:
        """The hash of the certificate as the API writes it."""
        digest = hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(self.certificate)).hexdigest().upper()
        return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


def make_identity(
    directory: Path,
    *,
    hosts: Sequence[str] = (HOST, "localhost"),
    days: tuple[int, int] = (-1, 30),
    fault: str = "",
) -> Identity:
    """Write a certificate for `hosts`, valid from and to these days from now, and an authority for it.

    `fault` is what older authorities do: no-key-identifier, no-key-usage, or not-critical, of their constraints. With
    no-authority the one that signs may not.
    """
    from cryptography import x509  # most tests need no certificate of their own
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An Authority of a Test")])

    def builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        begun = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )
        if fault == "no-key-identifier":
            return begun
        return begun.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )

    authorizing = fault != "no-authority"
    begun = (
        builder(authority, ca_key.public_key())
        .not_valid_before(now - datetime.timedelta(days=1000))
        .not_valid_after(now + datetime.timedelta(days=1000))
        .add_extension(
            x509.BasicConstraints(ca=authorizing, path_length=0 if authorizing else None),
            critical=fault != "not-critical",
        )
    )
    if fault != "no-key-usage":
        begun = begun.add_extension(_signing_usage(), critical=True)
    ca = begun.sign(ca_key, hashes.SHA256())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    server = (
        builder(subject, key.public_key())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative_name(host) for host in hosts]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_path, server_path = directory / "ca.pem", directory / "server.pem"
    ca_path.write_bytes(ca.public_bytes(pem))
    server_path.write_bytes(server.public_bytes(pem) + private)
    return Identity(str(ca_path), str(server_path))


def _signing_usage() -> Any:
    from cryptography import x509

    chosen = {"key_cert_sign", "crl_sign", "digital_signature"}
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in chosen for name in names})


def _alternative_name(host: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def server_context(identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.server_path)
    return context


class _QuietServer(ThreadingHTTPServer):
    """Prints no errors, as tests break off handshakes on purpose."""

    daemon_threads = True
    context: ssl.SSLContext | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.served: set[Any] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a client that never speaks TLS must not block the others.
        self.served.add(client_address)
        try:
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        finally:
            self.served.remove(client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class CannedServer:
    """Answers each request by `respond`, over TLS unless `tls` is false, and keeps what it received.

    It has the attributes that the connection options need; `ca_path` is the authority of its certificate.
    """

    def __init__(self, respond: Responder, *, tls: bool = True, identity: Identity | None = None) -> None:
        self.respond = respond
        self.received: list[Received] = []
        self.hostname = HOST
        self.username = "administrator@vsphere.local"
        self.password = "Canary-7f3kQ2"
        self._tls = tls
        self._identity = identity
        self._directory = ""
        self._server = _QuietServer((HOST, 0), self._handler())
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def ca_path(self) -> str:
        return self._identity.ca_path if self._identity else ""

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.received]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._server.served)

    def __enter__(self) -> CannedServer:
        if self._tls:
            if self._identity is None:
                self._directory = tempfile.mkdtemp(prefix="canned-")
                self._identity = make_identity(Path(self._directory))
            self._server.context = server_context(self._identity)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._directory:
            shutil.rmtree(self._directory)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # This sends header and body together; otherwise each answer waits for a delayed acknowledgement.
            wbufsize = -1

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.command, self.path, headers, body)
                owner.received.append(request)
                reply = owner.respond(request)
                self.send_response_only(reply.status)
                for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)
                self.wfile.flush()

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 (the names that it is called by)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def relay_to(server: Any, change: Callable[[Received, Reply | None], Reply | None]) -> Responder:
    """Hand each request on to a server.

    `change` may answer in its place, when it is called without a reply, or change the reply of the server.
    """

    def respond(request: Received) -> Reply:
        given = change(request, None)
        if given:
            return given
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        url = f"https://{server.hostname}:{server.port}{request.path}"
        answer = requests.request(
            request.method, url, data=request.body, headers=headers, verify=server.ca_path, timeout=TUNNEL_SECONDS
        )
        reply = Reply(answer.status_code, answer.content, {"Content-Type": answer.headers.get("Content-Type", "")})
        return change(request, reply) or reply

    return respond


class Proxy:
    """An HTTP proxy with tunnels. It speaks TLS if it has an identity, and keeps the head of each CONNECT.

    `credentials` are the user and password that it requires; `refuse` is the status of its answer to each CONNECT.
    """

    def __init__(
        self, *, identity: Identity | None = None, credentials: tuple[str, str] | None = None, refuse: int | None = None
    ) -> None:
        self.heads: list[str] = []
        self._identity = identity
        self._expected = credentials and base64.b64encode(":".join(credentials).encode()).decode()
        self._refuse = refuse
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])

    @property
    def connects(self) -> list[str]:
        """The requested targets, as host:port."""
        return [head.split(" ", 2)[1] for head in self.heads if head.startswith("CONNECT ")]

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        # close alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(client.close)
            client.settimeout(TUNNEL_SECONDS)
            if self._identity:
                client = server_context(self._identity).wrap_socket(client, server_side=True)
                stack.callback(client.close)
            head = b""
            while b"\r\n\r\n" not in head:
                received = client.recv(4096)
                if not received:
                    return
                head += received
                if not head[:1].isalpha():
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    return
            self.heads.append(head.decode("latin-1"))
            status = self._refusal(self.heads[-1])
            if status:
                client.sendall(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            host, _colon, port = self.heads[-1].split(" ", 2)[1].rpartition(":")
            target = socket.create_connection((host, int(port)), timeout=TUNNEL_SECONDS)
            stack.callback(target.close)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _tunnel(client, target)

    def _refusal(self, head: str) -> int | None:
        if self._refuse or not head.startswith("CONNECT "):
            return self._refuse or 405
        if self._expected and f"Proxy-Authorization: Basic {self._expected}".lower() not in head.lower():
            return 407
        return None


def _tunnel(client: socket.socket, target: socket.socket) -> None:
    other = {client: target, target: client}
    while True:
        waiting = isinstance(client, ssl.SSLSocket) and client.pending() > 0
        ready = [client] if waiting else select.select([client, target], [], [], TUNNEL_SECONDS)[0]
        if not ready:
            return
        for side in ready:
            received = side.recv(65536)
            if not received:
                return
            other[side].sendall(received)


_TAKEN: list[socket.socket] = []
"""The sockets of ports on which nothing listens, so that no server of another test gets one of them."""


def unused_port() -> int:
    """A port on which nothing listens as long as this process lives."""
    taken = socket.socket()
    taken.bind((HOST, 0))
    _TAKEN.append(taken)
    return int(taken.getsockname()[1])
