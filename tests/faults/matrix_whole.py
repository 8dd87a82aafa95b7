# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the whole connection, which no request gets past: how each is made, and what is expected of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from tests.harness.servers import HOST, CannedServer, Identity, Proxy, Reply, make_identity, unused_port

Options = dict[str, Any]


@dataclass(frozen=True)
class WholeFault:
    """What is wrong, in words and made so; the type of the error, and a word that its message has.

    `happens` yields the connection options that lead to it, and sees afterwards that nothing was given away.
    """

    says: str
    happens: Callable[[Path], AbstractContextManager[Options]]
    outcome: str
    told: str


@contextmanager
def _refused(_folder: Path) -> Iterator[Options]:
    yield {"port": unused_port()}


@contextmanager
def _unknown_name(_folder: Path) -> Iterator[Options]:
    yield {"hostname": "vcenter.invalid"}


@contextmanager
def _mute(_folder: Path) -> Iterator[Options]:
    with socket.create_server((HOST, 0)) as listener:
        yield {"port": listener.getsockname()[1], "request_timeout": 1}


@contextmanager
def _without_tls(_folder: Path) -> Iterator[Options]:
    with CannedServer(lambda _request: Reply(), tls=False) as server:
        yield {"port": server.port}
    assert server.received == []


@contextmanager
def _another_authority(folder: Path) -> Iterator[Options]:
    # The server is the right one: it is what the task trusts that does not fit.
    yield {"ca_path": make_identity(folder).ca_path}


@contextmanager
def _presenting(identity: Identity) -> Iterator[Options]:
    with CannedServer(lambda _request: Reply(), identity=identity) as server:
        yield {"port": server.port, "ca_path": identity.ca_path}
    assert server.received == []


@contextmanager
def _redirected(folder: Path) -> Iterator[Options]:
    identity = make_identity(folder)
    with CannedServer(lambda _request: Reply(), identity=identity) as elsewhere:
        away = Reply(307, headers={"Location": f"https://{HOST}:{elsewhere.port}/"})
        with CannedServer(lambda _request: away, identity=identity) as server:
            yield {"port": server.port, "ca_path": identity.ca_path}
    assert elsewhere.received == []


@contextmanager
def _refusing_proxy(_folder: Path) -> Iterator[Options]:
    with Proxy(refuse=403) as proxy:
        yield {"proxy_host": HOST, "proxy_port": proxy.port, "proxy_protocol": "http"}


@contextmanager
def _asking_proxy(_folder: Path) -> Iterator[Options]:
    with Proxy(credentials=("svc", "another")) as proxy:
        yield {"proxy_host": HOST, "proxy_port": proxy.port, "proxy_protocol": "http"}


@contextmanager
def _no_proxy(_folder: Path) -> Iterator[Options]:
    yield {"proxy_host": HOST, "proxy_port": unused_port(), "proxy_protocol": "http"}


WHOLE: Mapping[str, WholeFault] = {
    "refused": WholeFault("nothing listens there", _refused, "CONNECTION_FAILED", "Connection refused"),
    "unknown-name": WholeFault(
        "the name service does not know the host", _unknown_name, "CONNECTION_FAILED", "vcenter.invalid:"
    ),
    "mute": WholeFault("what listens there never says a word", _mute, "TIMED_OUT", "request_timeout"),
    "without-tls": WholeFault(
        "what listens there is not a TLS server", _without_tls, "CONNECTION_FAILED", "is not a TLS server"
    ),
    "another-authority": WholeFault(
        "the certificate is of an authority that is not trusted", _another_authority, "TLS_UNVERIFIED", "ca_path"
    ),
    "expired": WholeFault(
        "the certificate has expired",
        lambda folder: _presenting(make_identity(folder, days=(-60, -30))),
        "TLS_UNVERIFIED",
        "expired",
    ),
    "another-host": WholeFault(
        "the certificate is another host's",
        lambda folder: _presenting(make_identity(folder, hosts=("vcenter.example.com",))),
        "TLS_UNVERIFIED",
        "is not trusted",
    ),
    "redirected": WholeFault("all is redirected to another host", _redirected, "INVALID_RESPONSE", "redirect"),
    "proxy-refuses": WholeFault("the proxy refuses", _refusing_proxy, "CONNECTION_FAILED", "403"),
    "proxy-asks": WholeFault("the proxy asks for a password", _asking_proxy, "CONNECTION_FAILED", "407"),
    "proxy-refused": WholeFault("the proxy is not there", _no_proxy, "CONNECTION_FAILED", "the proxy"),
}
