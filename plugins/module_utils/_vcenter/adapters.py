# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is replaced in requests and urllib3: connections that another thread can end, plain bodies, no redirects."""

from __future__ import annotations

import http.cookiejar
import os
import re
import ssl
import threading
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any, Protocol

from .connection_options import basic_credentials, unquoted
from .exchange_limits import Limit

# Python and urllib3 write the keys of each connection to the file that this variable names. Some releases of requests
# create the file as soon as they are imported.
KEY_LOG = "SSLKEYLOGFILE"
os.environ.pop(KEY_LOG, None)

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3
    import urllib3.connection
except ImportError as error:
    HAS_REQUESTS = False
    REQUESTS_IMPORT_ERROR = str(error)
    _Adapter: Any = object
    _HttpsConnection: Any = object
    _HttpsPool: Any = object
    _Session: Any = object
else:
    HAS_REQUESTS = True
    REQUESTS_IMPORT_ERROR = ""
    _Adapter = requests.adapters.HTTPAdapter
    _HttpsConnection = urllib3.connection.HTTPSConnection
    _HttpsPool = urllib3.HTTPSConnectionPool
    _Session = requests.Session

# With older releases some certificates and proxies end in a traceback. requirements.txt has the same versions.
OLDEST_LIBRARIES: Mapping[str, tuple[int, ...]] = {"requests": (2, 28), "urllib3": (1, 26, 9)}

USER_AGENT = "vsphere.content"
BLOCK_BYTES = 1024 * 1024


def outdated_libraries() -> dict[str, str]:
    """The libraries that are too old, with their versions; empty if they are missing."""
    if not HAS_REQUESTS:
        return {}
    found = {library.__name__: getattr(library, "__version__", "") for library in (requests, urllib3)}
    return {name: version for name, version in found.items() if _numbers(version) < OLDEST_LIBRARIES[name]}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


# Older releases set no flags, and compare the names in certificates themselves.
SETS_FLAGS = HAS_REQUESTS and _numbers(getattr(urllib3, "__version__", "")) >= (2,)


class Body(Protocol):
    """The body of a streamed request: a reader that knows its length in bytes."""

    def __len__(self) -> int:
        """How many bytes there are in all."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes; empty at the end."""


UNDER_WAY = threading.local()
"""`limit` is the limit of the thread's current exchange; the connection reads it here."""


class _TimedConnection(_HttpsConnection):  # type: ignore[misc]
    """A connection that a `Limit` can shut down when the time of an exchange is over, even before TLS begins.

    It sends and receives in large blocks: with the default of 16 KiB, Python's overhead halves the speed of an upload.
    """

    timeout: Any
    cert_reqs: Any
    ca_certs: Any
    ca_cert_dir: Any
    ssl_context: Any
    proxy_config: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "blocksize": BLOCK_BYTES})

    def _new_conn(self) -> Any:
        whole, began = self.timeout, time.monotonic()
        try:
            while True:
                left = whole - (time.monotonic() - began)
                self.timeout = min(left, UNDER_WAY.limit.connect_try)
                try:
                    made = super()._new_conn()
                except urllib3.exceptions.ConnectTimeoutError as error:
                    # If the kernel gave up, and not this try, there is an errno.
                    given_up = getattr(error.__cause__ or error.__context__, "errno", None)
                    if given_up or left <= UNDER_WAY.limit.connect_try or UNDER_WAY.limit.over:
                        raise
                else:
                    UNDER_WAY.limit.watch(made.fileno())
                    return made
        finally:
            self.timeout = whole

    def connect(self) -> Any:
        if SETS_FLAGS:
            self.ssl_context = self._context(with_authorities=not (self.ca_certs or self.ca_cert_dir))
            if self.proxy_config:
                # urllib3 loads no authorities into the context of a proxy.
                self.proxy_config = self.proxy_config._replace(ssl_context=self._context(with_authorities=True))
        return super().connect()

    def _context(self, *, with_authorities: bool) -> ssl.SSLContext:
        """A context that judges certificates as each Python before 3.13 does.

        From 3.13 on, urllib3 sets two more flags: one refuses authorities that lack a formal extension, as many private
        ones do, and the other trusts authorities whose own authority is missing. A certificate must not be good on one
        host and bad on the next.
        """
        required = urllib3.util.ssl_.resolve_cert_reqs(self.cert_reqs)
        context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=required)
        context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0))
        if with_authorities and required != ssl.CERT_NONE:
            bundle = self.ca_certs or (None if self.ca_cert_dir else requests.utils.DEFAULT_CA_BUNDLE_PATH)
            context.load_verify_locations(bundle, self.ca_cert_dir)
        return context

    def _connect_tls_proxy(self, *args: Any) -> Any:
        try:
            return super()._connect_tls_proxy(*args)
        except ssl.SSLError as error:
            # urllib3 before 2.0 reports this as an error of the vCenter.
            raise urllib3.exceptions.ProxyError("no TLS with the proxy", error) from error

    def putrequest(self, *args: Any, **options: Any) -> Any:
        if self.sock is not None:
            UNDER_WAY.limit.watch(self.sock.fileno())
        return super().putrequest(*args, **options)


class _TimedPool(_HttpsPool):  # type: ignore[misc]
    ConnectionCls = _TimedConnection


class _TimedAdapter(_Adapter):  # type: ignore[misc]
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _TimedPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"https": _TimedPool}
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Replaces that of requests, which encodes the password in Latin-1 and fails with other characters."""
        parts = urllib.parse.urlsplit(proxy)
        if not parts.username:
            return {}
        user, password = (unquoted(text or "") for text in (parts.username, parts.password))
        return {"Proxy-Authorization": f"Basic {basic_credentials(user, password)}"}

    def build_response(self, request: Any, response: Any) -> Any:
        # This makes the standard library read the chunks of an answer. It limits the line with the size of a chunk.
        # urllib3 does so only from 2.8 on, which does not support Python 3.9.
        response.chunked = False
        # The default of urllib3 2.0 and later. Older releases take an answer that is cut off for a whole one.
        response.enforce_content_length = True
        return super().build_response(request, response)


def shown_certificate(response: Any) -> Mapping[str, Any]:
    """The certificate of the server, as `ssl.SSLSocket.getpeercert` describes it; empty if it is not known.

    It must be asked for before the body is read, as the connection may go to another request then.
    """
    read = getattr(getattr(getattr(response.raw, "connection", None), "sock", None), "getpeercert", None)
    return (read() or {}) if read else {}


class TimedBody:
    """A body that pauses the limit of its exchange while it is sent."""

    def __init__(self, body: Body, limit: Limit) -> None:
        self._body = body
        self._limit = limit

    def __len__(self) -> int:
        return len(self._body)

    def read(self, size: int = -1) -> bytes:
        self._limit.pause()
        block = self._body.read(size)
        if not block:
            self._limit.resume()
        return block


class HttpSession(_Session):  # type: ignore[misc]
    """A session of requests without redirects, cookies and environment.

    Even if redirects are off, requests reads and unpacks the whole body of one, whatever its size, to prepare the next
    request.
    """

    def __init__(self, proxy: str | None) -> None:
        super().__init__()
        self.trust_env = False
        # A cookie may hold the token. It goes to every port, and the server may set it for its whole domain.
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # An answer that is not compressed cannot grow while it is read.
        self.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT})
        self.mount("https://", _TimedAdapter(pool_maxsize=32))
        if proxy:
            self.proxies = {"https": proxy}

    def get_redirect_target(self, _response: Any) -> None:
        return None
