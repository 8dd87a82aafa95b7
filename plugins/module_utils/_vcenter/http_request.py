# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer: time-outs, limits, and which answers are refused unread."""

from __future__ import annotations

import os
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable

from .adapters import BLOCK_BYTES, HAS_REQUESTS, KEY_LOG, UNDER_WAY, HttpSession, shown_certificate
from .answers import quote, read_json
from .connection_options import ConnectionOptions, in_url
from .errors import ContentError, InvalidResponse, OutOfTime, Redirected, TimedOut
from .exchange_limits import Limit, Limits
from .http_errors import LATER, Silence, Way, never_left, origin_of, place_of, translate
from .timing import Timing

if HAS_REQUESTS:
    import requests

TOKEN_HEADER = "vmware-api-session-id"  # noqa: S105 (the name of the header, not a token)


def canonical(url: str) -> str:
    """The URL as requests sends it, so that every parser finds the same host in it. Raises ValueError."""
    try:
        written = str(requests.Request("GET", url).prepare().url)
    except requests.RequestException as error:
        raise ValueError(str(error)) from None
    origin_of(written)
    return written


def data_place(url: str, own: bool) -> str:
    """Where data goes or comes from, without the user and the query, which may be secret."""
    host, port = origin_of(url)
    path = urllib.parse.urlsplit(url).path
    return path if own else f"https://{in_url(host or '')}:{port}{path}"


@dataclass(frozen=True)
class Exchange:
    """A request that was sent, and the status of its answer; `status` is None if no answer came.

    `place` is a path with its query for an operation of the API. For data it has no query, and the host if that is not
    the vCenter, but never a user. `began` and `head` are seconds of the same clock. At `head` the status and the
    headers had come; the body may take longer.
    """

    method: str
    place: str
    status: int | None
    began: float
    head: float


@dataclass(frozen=True)
class Seen:
    """An exchange with the vCenter and both bodies, for a check that looks at raw answers.

    `status` and `answer` are None if no answer came, and `answer` also if it was refused unread. `began` and `ended`
    are seconds of the same clock. The answer to a login holds its token.
    """

    operation: str
    method: str
    place: str
    status: int | None
    request: bytes | None
    answer: bytes | None
    began: float
    ended: float


@dataclass(frozen=True)
class Answer:
    """An answer of the server with its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Requests to one vCenter, and for data to other hosts; safe to use from several threads.

    `hide` removes secrets from a text before it is shortened. The thread that sent a request calls `on_exchange` as
    soon as the request is answered or has failed. `time_left` returns None until a signal asks the task to end, then
    how many seconds are left for everything it still sends; each answer then gets a few seconds at most.

    Somebody who sets `on_seen` gets each exchange but those of data. `certificate` is then what the vCenter has shown,
    as `ssl.SSLSocket.getpeercert` describes it; it is empty if nobody has verified it.
    """

    on_seen: Callable[[Seen], None] | None = None
    certificate: Mapping[str, Any] = {}

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        hide: Callable[[str], str],
        on_exchange: Callable[[Exchange], None] | None,
        time_left: Callable[[], float | None],
        timing: Timing,
    ) -> None:
        os.environ.pop(KEY_LOG, None)
        self._options = options
        self._hide = hide
        self._on_exchange = on_exchange
        self._time_left = time_left
        self._timing = timing
        self._limits = Limits(options.request_timeout * timing.exchange_factor, time_left, timing)
        self._dated = ("", 0.0)
        self._way = Way(place_of(options.origin), options.proxy, options.verify)
        self._session = HttpSession(options.proxy)

    def close(self) -> None:
        self._session.close()

    def limit(self) -> AbstractContextManager[Limit]:
        """The limit of the exchange in the block; `request` takes it."""
        return self._limits.limit()

    def server_time(self) -> datetime | None:
        """The time on the vCenter's clock, by its last answer and not by this host's clock; None if unknown."""
        text, at = self._dated
        try:
            told = parsedate_to_datetime(text) + timedelta(seconds=time.monotonic() - at)
        except (TypeError, ValueError, OverflowError, IndexError):
            # Versions of Python differ in what they raise for a text that is not a date.
            return None
        # A date that is said to be of no zone is in UTC.
        return told if told.tzinfo else told.replace(tzinfo=timezone.utc)

    def exchange(
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
        """Send one request to the vCenter and read its whole answer. Raises what `request` and `read` raise."""
        place = url[len(self._options.origin) :]
        began, status, body = time.monotonic(), None, None
        try:
            with self._limits.limit() as limit:
                response = self.request(
                    method, url, operation, limit, place=place, token=token, data=data, headers=headers, auth=auth
                )
                self._dated = (response.headers.get("Date", ""), time.monotonic())
                try:
                    status = response.status_code
                    if self.on_seen:
                        self.certificate = shown_certificate(response) or self.certificate
                    body = self.read(response, operation, limit)
                    return Answer(response.status_code, response.headers, body)
                finally:
                    response.close()
        except ContentError as error:
            status = status or error.status
            raise
        finally:
            if self.on_seen:
                self.on_seen(Seen(operation, method, place, status, data, body, began, time.monotonic()))

    def request(
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
        """The answer to a request as an object of requests, with its body unread.

        Raises `ConnectionFailed`, `TimedOut`, `TlsUnverified` or `InvalidResponse`; their `was_sent` is False if the
        request surely never left this host.
        """
        self._require_time(operation)
        sent_headers = {**(headers or {}), **({TOKEN_HEADER: token} if token else {})}
        began, status = time.monotonic(), None
        try:
            UNDER_WAY.limit = limit
            response = self._session.request(
                method,
                url,
                headers=sent_headers,
                timeout=self._silence.seconds,
                verify=self._options.verify,
                allow_redirects=False,
                stream=True,
                **options,
            )
            status = response.status_code
        except (requests.RequestException, OSError, ValueError) as error:
            # requests passes on the ValueError that a host name which is not valid raises.
            failed = self._overdue(url, operation) if limit.over else self._translate(error, url, operation)
            failed.was_sent = not never_left(error)
            raise failed from None
        finally:
            if self._on_exchange:
                self._on_exchange(Exchange(method, place, status, began, time.monotonic()))
        if limit.over:
            # The standard library takes headers that are cut off for complete ones.
            response.close()
            raise self._overdue(url, operation)
        refused = self._refused(response, url.split("?")[0], operation)
        if refused:
            response.close()
            raise refused
        return response

    def _refused(self, response: Any, url: str, operation: str) -> InvalidResponse | None:
        """Why an answer is refused whatever it says; None if it is not."""
        status = response.status_code
        if 300 <= status < 400:
            text = f"{url} answers with a redirect (HTTP {status}), which is not followed"
            return Redirected(text, status=status, operation=operation)
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            text = f"{url} answers in an encoding that it was not asked for: {quote(encoding.encode(), self._hide)}"
            return InvalidResponse(text, status=status, operation=operation)
        return None

    def _require_time(self, operation: str) -> None:
        left = self._time_left()
        if left is not None and left <= 0:
            error = OutOfTime(
                "the request was not sent, as the task has to end and has no time left", operation=operation
            )
            error.was_sent = False
            raise error

    def _overdue(self, url: str, operation: str) -> ContentError:
        """The error for an exchange that took too long in all."""
        place = place_of(url)
        left = self._time_left()
        if left is None:
            factor = self._timing.exchange_factor
            total = self._options.request_timeout * factor
            return TimedOut(
                f"{place} had not finished its answer after {total} seconds ({factor} times request_timeout)",
                operation=operation,
            )
        kind = TimedOut if left > 0 else OutOfTime
        return kind(
            f"{place} had not finished its answer, and the task has to end",
            operation=operation,
            remedy=LATER,
        )

    def read(self, response: Any, operation: str, limit: Limit) -> bytes:
        """The body of an answer. Raises what `request` raises."""
        read = bytearray()
        try:
            for chunk in response.iter_content(BLOCK_BYTES):
                read += chunk
                if len(read) > self._timing.longest_answer:
                    raise InvalidResponse(
                        f"the answer is larger than {self._timing.longest_answer // 1024**2} MiB",
                        status=response.status_code,
                        operation=operation,
                    )
        except (requests.RequestException, OSError) as error:
            if not limit.over:
                raise self._translate(error, response.url, operation) from None
        if limit.over:
            # An answer without a length ends with its connection, so no error tells that the limit cut it.
            raise self._overdue(response.url, operation)
        return bytes(read)

    def json(self, answer: Answer, operation: str) -> Any:
        """The JSON of an answer, None if it has no body. Raises `InvalidResponse`."""
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

    @property
    def _silence(self) -> Silence:
        hurried = self._timing.hurried_silence
        if self._options.request_timeout > hurried and self._time_left() is not None:
            return Silence(hurried, is_hurried=True)
        return Silence(self._options.request_timeout, is_hurried=False)

    def _translate(self, error: Exception, url: str, operation: str) -> ContentError:
        return translate(error, url, operation, silence=self._silence, way=self._way)
