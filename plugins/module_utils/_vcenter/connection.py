# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How we reach vCenter: connection options, TLS, proxy, login, logout, re-login, time-outs and the retry rule.

Nothing but exceptions of C(_errors) leaves this file, and no token or password ever stands in one.
"""

from __future__ import annotations

import errno
import http.cookiejar
import json
import os
import random
import re
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Protocol, TypeVar

from .connection_options import LONGEST_TOKEN, TOKEN, ConnectionOptions, as_sent, basic_credentials, in_url, unquoted
from .errors import (
    ConnectionFailed,
    ContentError,
    InvalidResponse,
    OutOfTime,
    TimedOut,
    TlsUnverified,
    from_response,
    quote,
    read_json,
)
from .limits import Limit, Limits

# Python and urllib3 write the keys of each connection to the file that this names, and make it. Some releases of
# requests begin with that when they are imported.
KEY_LOG = "SSLKEYLOGFILE"
os.environ.pop(KEY_LOG, None)

try:
    import requests
    import requests.adapters
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

AnswerT = TypeVar("AnswerT")

# With anything older some certificates and proxies end in a traceback. requirements.txt says the same.
OLDEST_LIBRARIES: Mapping[str, tuple[int, ...]] = {"requests": (2, 28), "urllib3": (1, 26, 9)}

LOGIN_PATHS = {"api": "/api/session", "rest": "/rest/com/vmware/cis/session"}
TOKEN_HEADER = "vmware-api-session-id"  # noqa: S105 (the name of the header, not a token)
USER_AGENT = "vsphere.content"

ATTEMPTS = 4
RETRIED_STATUSES = (429, 502, 503, 504)
# Handshakes end like this, and nothing else does. Source: the names of OpenSSL's errors.
HANDSHAKE_FAILURES = (
    "CERTIFICATE_VERIFY_FAILED",
    "HTTP_REQUEST",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNKNOWN_PROTOCOL",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
)
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
# Such an answer to a login is not asked for again, as vCenter locks an account after a few of them.
REFUSALS = (401, 403)
# Of a task that has to end, so that it has cleaned up before whoever ends it loses patience.
HURRIED_TIMEOUT = 4
# An answer may take so many times request_timeout in all, however steadily it comes.
TOTAL_FACTOR = 10
# A connection is tried anew as often, which is as good as what the kernel does, and can be given up in between.
CONNECT_SECONDS = 3.0

LATER = "See what became of it when the server answers again."

BLOCK_BYTES = 1024 * 1024
ANSWER_BYTES = 32 * 1024 * 1024


def outdated_libraries() -> dict[str, str]:
    """Which libraries are older than what works, with their versions; none where they are missing altogether."""
    if not HAS_REQUESTS:
        return {}
    found = {library.__name__: getattr(library, "__version__", "") for library in (requests, urllib3)}
    return {name: version for name, version in found.items() if _numbers(version) < OLDEST_LIBRARIES[name]}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _origin(url: str) -> tuple[str | None, int]:
    """Host and port of an https URL. Raises ValueError for what is none."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("no https URL")
    return parts.hostname, parts.port or 443


def _place_of(url: str) -> str:
    return ":".join(str(part) for part in _origin(url))


def _canonical(url: str) -> str:
    """The URL as requests sends it, in which every reader finds the same host. Raises ValueError."""
    written = str(requests.Request("GET", url).prepare().url)
    _origin(written)
    return written


def _data_place(url: str, own: bool) -> str:
    """Where data goes or comes from, without what may let somebody in: the user and the query."""
    host, port = _origin(url)
    path = urllib.parse.urlsplit(url).path
    return path if own else f"https://{in_url(host or '')}:{port}{path}"


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and those that it wraps, down to the one at the bottom."""
    causes = [error]
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        context = None if error.__suppress_context__ else error.__context__
        inner = inner if isinstance(inner, BaseException) else error.__cause__ or context
        if inner is None or any(inner is cause for cause in causes):
            return causes
        causes.append(inner)
        error = inner


def _root_cause(error: BaseException) -> BaseException:
    """The exception at the bottom: what urllib3 and requests wrap says in which pool, not what went wrong."""
    return _causes(error)[-1]


def _never_left(error: Exception) -> bool:
    """Whether a request surely did not get to its server: there was no name, no connection or no TLS to send it over.

    A connection that is cut may have been cut after the request, so that does not count.
    """
    root = _root_cause(error)
    # A certificate of another name is a ValueError alone to urllib3 below version 2, which compares names itself.
    if isinstance(error, requests.exceptions.SSLError) and isinstance(root, ValueError):
        return True
    if isinstance(root, ssl.SSLError):
        return (root.reason or "") in HANDSHAKE_FAILURES
    unreached = isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(root, ConnectionRefusedError)
    return unreached or any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error))


def _plain_reason(error: BaseException) -> str:
    root = _root_cause(error)
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, when the server says so in seconds; the date form is as good as silence to us."""
    text = headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"\d{1,6}", text) else None


@contextmanager
def _about(session_id: str | None) -> Iterator[None]:
    """Have whatever goes wrong say in which session."""
    try:
        yield
    except ContentError as error:
        error.session_id = error.session_id or session_id
        raise


def _token_in(body: bytes) -> str | None:
    """The token that a login is answered with, in the envelope of either dialect."""
    try:
        token = read_json(body)
    except ValueError:
        return None
    token = token.get("value") if isinstance(token, dict) else token
    known = isinstance(token, str) and len(token) <= LONGEST_TOKEN and TOKEN.fullmatch(token)
    return token if known else None


class Body(Protocol):
    """What a streamed request sends: a reader that knows its length in bytes."""

    def __len__(self) -> int:
        """All bytes that there are to read."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""


@dataclass(frozen=True)
class Exchange:
    """A request that was sent, and what came back; C(status) is None where no answer came.

    C(place) is a path with its query for an operation of the API. For data it is without the query, and with the host
    where that is not the vCenter, but never with its user. C(began) and C(head) are seconds of one clock; C(head) is
    when the status and the headers were there, the body may take longer.
    """

    method: str
    place: str
    status: int | None
    began: float
    head: float


@dataclass(frozen=True)
class Answer:
    """An answer of the server, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


_UNDER_WAY = threading.local()
"""C(limit) is the limit of the exchange that the thread is about, which its connection has to know."""


class _TimedConnection(_HttpsConnection):  # type: ignore[misc]
    """A connection that can be shut down from outside when the time of an exchange is over, even before TLS begins.

    It sends and receives in large blocks: with the default of 16 KiB, Python's overhead halves the speed of an upload.
    """

    timeout: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "blocksize": BLOCK_BYTES})

    def _new_conn(self) -> Any:
        whole, began = self.timeout, time.monotonic()
        try:
            while True:
                left = whole - (time.monotonic() - began)
                self.timeout = min(left, CONNECT_SECONDS)
                try:
                    made = super()._new_conn()
                except urllib3.exceptions.ConnectTimeoutError as error:
                    # The kernel, which gives up by itself, gives a reason.
                    given_up = getattr(error.__cause__ or error.__context__, "errno", None)
                    if given_up or left <= CONNECT_SECONDS or _UNDER_WAY.limit.over:
                        raise
                else:
                    _UNDER_WAY.limit.watch(made.fileno())
                    return made
        finally:
            self.timeout = whole

    def _connect_tls_proxy(self, *args: Any) -> Any:
        try:
            return super()._connect_tls_proxy(*args)
        except ssl.SSLError as error:
            # Before 2.0 this is told as if it were the vCenter's.
            raise urllib3.exceptions.ProxyError("no TLS with the proxy", error) from error

    def putrequest(self, *args: Any, **options: Any) -> Any:
        if self.sock is not None:
            _UNDER_WAY.limit.watch(self.sock.fileno())
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
        """requests would write the password in Latin-1, which many cannot be."""
        parts = urllib.parse.urlsplit(proxy)
        if not parts.username:
            return {}
        user, password = (unquoted(text or "") for text in (parts.username, parts.password))
        return {"Proxy-Authorization": f"Basic {basic_credentials(user, password)}"}

    def build_response(self, request: Any, response: Any) -> Any:
        # Has the standard library read the chunks of an answer. It limits the line with the size of a chunk; urllib3
        # does not before 2.8, which Python 3.9 does not have.
        response.chunked = False
        # So it is from 2.0 on; before, an answer that is cut off is one that has come to its end.
        response.enforce_content_length = True
        return super().build_response(request, response)


class _TimedBody:
    """A body whose exchange is not timed while it is sent, as that takes as long as it takes."""

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


class _Http(_Session):  # type: ignore[misc]
    """A session of requests that knows no redirects.

    To look ahead to the next request, requests reads and unpacks the whole body of a redirect, whatever its size, also
    where redirects are not to be followed.
    """

    def get_redirect_target(self, _response: Any) -> None:
        return None


class Connection:
    """A logged-in conversation with one vCenter; safe to use from several threads.

    C(dialect) is api or rest once it is known: by login, by option, or by who uses a session_token. C(on_secret) is
    told each secret before it is sent, so that it can be kept out of every output; C(hide) takes all of them out of a
    text that is about to be shortened. C(on_exchange) is told of each request as soon as it is answered or has failed,
    by the thread that sent it. C(shield) holds signals back in its block, as a login whose token is lost cannot be
    closed. C(time_left) is how many seconds there are for all that is still to be sent by a task that has to end, or
    None; then no answer is waited for longer than a moment.
    """

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        on_secret: Callable[[str], None],
        hide: Callable[[str], str] = str,
        on_exchange: Callable[[Exchange], None] | None = None,
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
        time_left: Callable[[], float | None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        os.environ.pop(KEY_LOG, None)
        self.options = options
        self.dialect = options.dialect
        self._on_secret = on_secret
        self._hide = hide
        self._on_exchange = on_exchange
        self._shield = shield
        self._time_left = time_left
        self._limits = Limits(options.request_timeout * TOTAL_FACTOR, time_left)
        self._sleep = sleep
        self._jitter = jitter
        self._token = options.session_token
        self._superseded: list[str] = []
        self._open: str | None = None
        self._lost_login = False
        self._refusal: Answer | None = None
        self._dated = ("", 0.0)
        self._renewing = threading.Lock()
        self._http = _Http()
        self._http.trust_env = False
        # A cookie knows no port, and a server may set it for its whole domain: the token in one would go too far.
        self._http.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # What is not compressed does not grow while it is read.
        self._http.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        )
        self._http.mount("https://", _TimedAdapter(pool_maxsize=32))
        if options.proxy:
            self._http.proxies = {"https": options.proxy}
        for secret in options.coded_credentials:
            on_secret(secret)

    def login(self) -> None:
        """Open an API session of our own; with session_token there is nothing to do. Finds out the dialect."""
        if not self.options.session_token:
            with self._shield():
                self._token = self._log_in()

    def _log_in(self) -> str:
        user, password = (as_sent(text or "") for text in (self.options.username, self.options.password))
        for dialect in [self.dialect] if self.dialect else ["api", "rest"]:
            answer = self._refusal or self._ask_for_login(dialect, (user, password))
            if answer.status in (404, 405) and not answer.body.lstrip().startswith(b"{"):
                continue
            if answer.status in REFUSALS:
                self._refusal = answer
            token = self._read_token(answer)
            self.dialect = dialect
            return token
        raise InvalidResponse(
            f"what answers at {self.options.hostname}:{self.options.port} offers no vCenter login "
            f"(HTTP {answer.status}: {quote(answer.body, self._hide_token)})",
            status=answer.status,
            operation="session.login",
            remedy="Check hostname and port, and api_dialect: it is forced." if self.options.dialect else None,
        )

    def _ask_for_login(self, dialect: str, auth: tuple[bytes, bytes]) -> Answer:
        try:
            return self._exchange("POST", self.options.origin + LOGIN_PATHS[dialect], "session.login", auth=auth)
        except BaseException as error:
            self._lost_login = getattr(error, "was_sent", True)
            raise

    def logout(self) -> None:
        """Close the API sessions that were opened here; one that was handed to us stays open.

        Those that were taken for expired may be open all the same; that they cannot be closed is no news. After a
        failure it may be called again, and closes what is left. Raises what C(send) raises, and TimedOut where a task
        that had to end did not wait for the answer to a login.
        """
        # A thread that is about to log in again must not do so afterwards.
        with self._renewing:
            self._open, self._token = self._token or self._open, None
        try:
            if self._open and not self.options.session_token:
                self._close(self._open)
                self._open = None
                with suppress(ContentError):
                    for superseded in self._superseded:
                        self._close(superseded)
        finally:
            self._http.close()
        if self._lost_login and self._time_left() is not None:
            raise TimedOut(
                "the answer to a login did not come in time, so an API session may be open",
                operation="session.logout",
                remedy=LATER,
            )

    def _close(self, token: str) -> None:
        url = self.options.origin + LOGIN_PATHS[self.dialect or "api"]
        answer = self._exchange("DELETE", url, "session.logout", token=token)
        if answer.status >= 400 and answer.status != 401:
            raise from_response(answer.status, answer.body, "session.logout", hide=self._hide)

    def server_time(self) -> datetime | None:
        """What the clock of the vCenter shows, by its last answer, whatever that of this host does; None if unknown."""
        text, at = self._dated
        try:
            return parsedate_to_datetime(text) + timedelta(seconds=time.monotonic() - at)
        except (TypeError, ValueError, OverflowError, IndexError):
            # Each version of Python has ways of its own to stumble over what is no date.
            return None

    def send(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        session_id: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Any:
        """One operation: returns the JSON of the answer, None where it has no body.

        C(path) starts with a slash and carries its query; C(repeatable) says that sending twice does no harm. Raises
        ApiError, ConnectionFailed, TimedOut, TlsUnverified or InvalidResponse, which know whether they were sent.
        """
        sent_headers = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent_headers["Content-Type"] = "application/json"
        url = self.options.origin + path

        def attempt() -> Answer:
            return self._authenticated(
                lambda token: self._exchange(method, url, operation, token=token, data=data, headers=sent_headers),
                lambda answer: answer.status,
            )

        with _about(session_id):
            answer = self._retrying(attempt) if repeatable else attempt()
            if not 200 <= answer.status < 300:
                raise from_response(answer.status, answer.body, operation, session_id, hide=self._hide)
            return self._read_json(answer, operation)

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        session_id: str | None = None,
        body: Callable[[], Body] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        """Move data to or from C(url): yields the answer with its body unread, as C(requests) gives it.

        C(body) is called anew for each try. The token goes along only if the URL is the vCenter's own; to another host
        or port the data goes without it, over TLS that is verified in the same way. Raises what C(send) raises.
        """
        try:
            url = _canonical(url)
        except (ValueError, requests.RequestException):
            raise InvalidResponse(
                f"the server named {url.split('?')[0]!r} as the place of the data, which is no https URL",
                operation=operation,
                session_id=session_id,
            ) from None
        own = _origin(url) == _origin(self.options.origin)
        place = _data_place(url, own)
        sent_headers = {"Content-Type": "application/octet-stream", "Accept": "*/*", **(headers or {})}

        def attempt(token: str | None) -> Any:
            limit.resume()
            return self._request(
                method,
                url,
                operation,
                limit,
                place=place,
                token=token,
                data=_TimedBody(body(), limit) if body else None,
                headers=sent_headers,
            )

        with _about(session_id), self._limits.limit() as limit:
            response = (
                self._authenticated(attempt, lambda answer: int(answer.status_code), lambda answer: answer.close())
                if own
                else attempt(None)
            )
            try:
                if not 200 <= response.status_code < 300:
                    answer = self._read_body(response, operation, limit)
                    raise from_response(response.status_code, answer, operation, session_id, hide=self._hide)
                limit.pause()
                yield response
            finally:
                response.close()

    def _authenticated(
        self,
        attempt: Callable[[str | None], AnswerT],
        status_of: Callable[[AnswerT], int],
        discard: Callable[[AnswerT], None] = lambda _answer: None,
    ) -> AnswerT:
        """Try with the token we have; if it has expired, log in again, once, and try with the new one."""
        token = self._token
        answer = attempt(token)
        if status_of(answer) != 401 or self.options.session_token or not token:
            return answer
        discard(answer)
        with self._shield(), self._renewing:
            if self._token == token:
                self._token = self._log_in()
                self._superseded.append(token)
        return attempt(self._token)

    def _retrying(self, attempt: Callable[[], Answer]) -> Answer:
        for tried in range(1, ATTEMPTS + 1):
            delay = min(FIRST_DELAY * 2 ** (tried - 1), LONGEST_DELAY) * (0.5 + self._jitter())
            try:
                answer = attempt()
            except ConnectionFailed:
                if tried == ATTEMPTS:
                    raise
            else:
                asked = _retry_after(answer.headers)
                if answer.status not in RETRIED_STATUSES or tried == ATTEMPTS or (asked or 0) > LONGEST_DELAY:
                    return answer
                delay = max(delay, asked or 0)
            self._sleep(delay)
        raise AssertionError("the last try returns or raises")

    def _exchange(
        self,
        method: str,
        url: str,
        operation: str,
        *,
        token: str | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[bytes, bytes] | None = None,
    ) -> Answer:
        place = url[len(self.options.origin) :]
        with self._limits.limit() as limit:
            response = self._request(
                method, url, operation, limit, place=place, token=token, data=data, headers=headers, auth=auth
            )
            self._dated = (response.headers.get("Date", ""), time.monotonic())
            try:
                return Answer(response.status_code, response.headers, self._read_body(response, operation, limit))
            finally:
                response.close()

    def _request(
        self,
        method: str,
        url: str,
        operation: str,
        limit: Limit,
        *,
        place: str,
        token: str | None,
        headers: Mapping[str, str] | None,
        **options: Any,
    ) -> Any:
        """What is asked and answered, with the body of the answer unread."""
        self._require_time(operation)
        sent_headers = {**(headers or {}), **({TOKEN_HEADER: token} if token else {})}
        began, status = time.monotonic(), None
        try:
            _UNDER_WAY.limit = limit
            response = self._http.request(
                method,
                url,
                headers=sent_headers,
                timeout=self._timeout,
                verify=self.options.verify,
                allow_redirects=False,
                stream=True,
                **options,
            )
            status = response.status_code
        except (requests.RequestException, OSError, ValueError) as error:
            # A host name that is none ends in a ValueError, which requests hands on as it is.
            failed = self._overdue(url, operation) if limit.over else self._translate(error, url, operation)
            failed.was_sent = not _never_left(error)
            raise failed from None
        finally:
            if self._on_exchange:
                self._on_exchange(Exchange(method, place, status, began, time.monotonic()))
        if limit.over:
            # To the standard library, headers that are cut off are headers that have come to their end.
            response.close()
            raise self._overdue(url, operation)
        oddity = self._oddity(response)
        if oddity:
            response.close()
            raise InvalidResponse(
                f"{url.split('?')[0]} answers {oddity}", status=response.status_code, operation=operation
            )
        return response

    def _oddity(self, response: Any) -> str:
        """What keeps an answer from being taken at all, whatever it says."""
        if 300 <= response.status_code < 400:
            return f"with a redirect (HTTP {response.status_code}), which is not followed"
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            return f"in an encoding that it was not asked for: {quote(encoding.encode(), self._hide)}"
        return ""

    def _require_time(self, operation: str) -> None:
        left = self._time_left()
        if left is not None and left <= 0:
            error = OutOfTime("it was not asked, as the task has to end and has no time left", operation=operation)
            error.was_sent = False
            raise error

    def _overdue(self, url: str, operation: str) -> ContentError:
        """What is said of an exchange that took too long in all."""
        place = _place_of(url)
        left = self._time_left()
        if left is None:
            total = self.options.request_timeout * TOTAL_FACTOR
            return TimedOut(
                f"{place} had not come to the end of its answer after {total} seconds ({TOTAL_FACTOR} times "
                "request_timeout)",
                operation=operation,
            )
        kind = TimedOut if left > 0 else OutOfTime
        return kind(
            f"{place} had not come to the end of its answer, and the task has to end",
            operation=operation,
            remedy=LATER,
        )

    def _read_body(self, response: Any, operation: str, limit: Limit) -> bytes:
        read = bytearray()
        try:
            for chunk in response.iter_content(BLOCK_BYTES):
                read += chunk
                if len(read) > ANSWER_BYTES:
                    raise InvalidResponse(
                        f"the answer is larger than {ANSWER_BYTES // 1024**2} MiB",
                        status=response.status_code,
                        operation=operation,
                    )
        except (requests.RequestException, OSError) as error:
            if not limit.over:
                raise self._translate(error, response.url, operation) from None
        if limit.over:
            # An answer without a length ends where its connection does.
            raise self._overdue(response.url, operation)
        return bytes(read)

    def _read_json(self, answer: Answer, operation: str) -> Any:
        if not answer.body:
            return None
        try:
            return read_json(answer.body)
        except ValueError:
            raise InvalidResponse(
                f"the answer (HTTP {answer.status}) is not JSON: {quote(answer.body, self._hide)}",
                status=answer.status,
                operation=operation,
            ) from None

    def _read_token(self, answer: Answer) -> str:
        token = _token_in(answer.body)
        if token:
            # Before anything is said of an answer with a strange status.
            self._on_secret(token)
        if not 200 <= answer.status < 300:
            raise from_response(answer.status, answer.body, "session.login", hide=self._hide_token)
        if answer.body.lstrip().startswith(b"<"):
            self._read_json(answer, "session.login")
        if token is None:
            raise InvalidResponse(
                f"what answers at {self.options.hostname}:{self.options.port} gave no session token: is it a vCenter?",
                status=answer.status,
                operation="session.login",
            )
        return token

    def _hide_token(self, text: str) -> str:
        """Of what answers a login, JSON that cannot be read is not quoted: it may be most of a token."""
        return self._hide(text) if '"' not in text or text.lstrip().startswith("<") else "an answer that is not shown"

    @property
    def _cut_short(self) -> bool:
        return self.options.request_timeout > HURRIED_TIMEOUT and self._time_left() is not None

    @property
    def _timeout(self) -> int:
        """Seconds that a connection may take, and that a server may be silent."""
        return HURRIED_TIMEOUT if self._cut_short else self.options.request_timeout

    @property
    def _named_timeout(self) -> str:
        return f"{self._timeout} seconds ({'the task has to end' if self._cut_short else 'request_timeout'})"

    def _translate(self, error: Exception, url: str, operation: str) -> ContentError:
        place = _place_of(url)
        reason = _plain_reason(error)
        if isinstance(error, requests.exceptions.ProxyError):
            return self._translate_proxy_error(error, reason, operation)
        if isinstance(error, requests.exceptions.SSLError):
            if "CERTIFICATE_VERIFY_FAILED" in str(error) or "doesn't match" in str(error):
                return TlsUnverified(f"the certificate of {place} is not trusted: {reason}", operation=operation)
            if not isinstance(_root_cause(error), (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
                return ConnectionFailed(f"what answers at {place} does not speak TLS: {reason}", operation=operation)
            # So some Pythons call a connection that is cut while something is sent.
            reason = "it was closed"
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            return InvalidResponse(f"{url.split('?')[0]!r} is no URL to send to", operation=operation)
        # The kernel may lose patience before request_timeout does.
        if getattr(_root_cause(error), "errno", None) == errno.ETIMEDOUT:
            return ConnectionFailed(f"no connection to {place}: {reason}", operation=operation)
        if isinstance(error, requests.exceptions.ConnectTimeout):
            reason = f"nothing answers within {self._named_timeout}"
        elif isinstance(error, requests.exceptions.ReadTimeout) or "timed out" in reason:
            remedy = LATER if self._cut_short else None
            return TimedOut(f"{place} was silent for {self._named_timeout}", operation=operation, remedy=remedy)
        return ConnectionFailed(f"no connection to {place}: {reason}", operation=operation)

    def _translate_proxy_error(self, error: Exception, reason: str, operation: str) -> ContentError:
        parts = urllib.parse.urlsplit(self.options.proxy or "")
        proxy = f"the proxy {parts.hostname}:{parts.port}"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TlsUnverified(
                f"the certificate of {proxy} is not trusted: {reason}",
                operation=operation,
                remedy="Add the authority that signed it to the file of ca_path, or set proxy_protocol: http if the "
                "proxy itself is spoken to without TLS. validate_certs: false switches the check off and is for tests "
                "only.",
            )
        remedy = None
        if isinstance(_root_cause(error), ssl.SSLError):
            remedy = "It may not speak TLS itself: then set proxy_protocol: http."
        return ConnectionFailed(f"{proxy} failed: {reason}", operation=operation, remedy=remedy)
