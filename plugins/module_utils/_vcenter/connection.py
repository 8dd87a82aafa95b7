# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to one vCenter: login, renewal, logout, and which requests are sent again.

This file raises only exceptions of `errors`, and none of them holds a token or password.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Callable, TypeVar

from .adapters import Body, TimedBody
from .answers import from_response, is_unknown, quote, read_json
from .connection_options import LONGEST_TOKEN, TOKEN, ConnectionOptions, as_sent
from .errors import TRANSIENT_STATUSES, ConnectionFailed, ContentError, InvalidResponse, Redirected, TimedOut
from .http_errors import LATER, origin_of
from .http_request import Answer, Exchange, Http, canonical, data_place
from .login_turns import REFUSED_STATUSES, LoginTurns
from .timing import SYSTEM_CLOCK, Clock

AnswerT = TypeVar("AnswerT")

LOGIN_PATHS = {"api": "/api/session", "rest": "/rest/com/vmware/cis/session"}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header; its date form is ignored."""
    text = headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"\d{1,6}", text) else None


@contextmanager
def _about(session_id: str | None) -> Iterator[None]:
    """Add the session to every failure in the block."""
    try:
        yield
    except ContentError as error:
        error.session_id = error.session_id or session_id
        raise


def _token_in(body: bytes) -> str | None:
    """The token in the answer to a login, in the envelope of either dialect."""
    try:
        token = read_json(body)
    except ValueError:
        return None
    token = token.get("value") if isinstance(token, dict) else token
    known = isinstance(token, str) and len(token) <= LONGEST_TOKEN and TOKEN.fullmatch(token)
    return token if known else None


def _knows_no_login(answer: Answer) -> bool:
    """Whether a dialect is not there, in whatever way the server says so.

    No source says what a vCenter without `/api` answers. A refusal, and a server that does not answer now, say nothing
    of that. Neither does half of an answer: it may be most of a token.
    """
    if not 200 <= answer.status < 300:
        return answer.status == 404 or is_unknown(from_response(answer.status, answer.body, "session.login"))
    return not _token_in(answer.body) and (answer.body.lstrip().startswith(b"<") or _is_object(answer.body))


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(read_json(body), dict)
    except (ValueError, InvalidResponse):
        return False


class Connection:
    """A logged-in connection to one vCenter; safe to use from several threads.

    `dialect` is api or rest once it is known: from the login, the option, or, with a session_token, from the first
    operation. `on_secret` takes each secret before it is sent, so that no output shows it. `shield` holds signals back
    in its block, as nobody can close a login whose token is lost. `turns` is the place of `LoginTurns`. `hide`,
    `on_exchange` and `time_left` are those of `http`, which also sends what needs no login.
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
        turns: str = "",
        clock: Clock = SYSTEM_CLOCK,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.options = options
        self.dialect = options.dialect
        self._on_secret = on_secret
        self._hide = hide
        self._shield = shield
        self._time_left = time_left
        self._clock = clock
        self._turns = LoginTurns(turns, options, clock, hide)
        self._jitter = jitter
        self._token = options.session_token
        self._superseded: list[str] = []
        self._open: str | None = None
        self._lost_login = False
        self._refusal: Answer | None = None
        self._renewing = threading.Lock()
        self.http = Http(options, hide=hide, on_exchange=on_exchange, time_left=time_left, timing=clock.timing)
        self.server_time = self.http.server_time
        for secret in options.coded_credentials:
            on_secret(secret)

    def login(self) -> None:
        """Open an API session, and find out the dialect. With session_token there is nothing to do."""
        if not self.options.session_token:
            with self._turns.taken(), self._shield():
                self._token = self._log_in()

    def _log_in(self) -> str:
        user, password = (as_sent(text or "") for text in (self.options.username, self.options.password))
        unknown: list[Answer | Redirected] = []
        for dialect in [self.dialect] if self.dialect else ["api", "rest"]:
            answer = self._refusal or self._ask_for_login(dialect, (user, password))
            if isinstance(answer, Redirected) or _knows_no_login(answer):
                unknown.append(answer)
                continue
            if answer.status in REFUSED_STATUSES:
                self._refusal = answer
            token = self._read_token(answer)
            self.dialect = dialect
            return token
        raise unknown[0] if isinstance(unknown[0], Redirected) else self._no_login(unknown[0])

    def _no_login(self, answer: Answer) -> ContentError:
        """The failure if neither dialect knows a login, from the answer to the first one."""
        if answer.status not in (404, 405):
            try:
                self._read_token(answer)
            except ContentError as error:
                return error
        said = from_response(answer.status, answer.body, "session.login", hide=self._hide_token)
        shown = said.said if said.messages else quote(answer.body, self._hide_token)
        return InvalidResponse(
            f"{self.options.hostname}:{self.options.port} offers no vCenter login (HTTP {answer.status}: {shown})",
            status=answer.status,
            operation="session.login",
            messages=said.messages,
            remedy="Check hostname, port and api_dialect, which is set." if self.options.dialect else None,
        )

    def _ask_for_login(self, dialect: str, auth: tuple[bytes, bytes]) -> Answer | Redirected:
        """The answer to a login. A redirect counts as one: it opens no login, but the other dialect may know one."""
        try:
            return self.http.exchange("POST", self.options.origin + LOGIN_PATHS[dialect], "session.login", auth=auth)
        except Redirected as error:
            return error
        except BaseException as error:
            self._lost_login = getattr(error, "was_sent", True)
            raise

    def logout(self) -> None:
        """Close the API sessions that were opened here; that of a session_token stays open.

        This includes those that a 401 declared expired, as they may still be open. A failure to close one of these is
        ignored. After any other failure it may be called again, and closes what is left. Raises what `send` raises, and
        TimedOut if a task that had to end did not wait for the answer to a login.
        """
        # Without a token, no thread logs in again after this.
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
            self.http.close()
        if self._lost_login and self._time_left() is not None:
            raise TimedOut(
                "the answer to a login did not come in time, so an API session may be open",
                operation="session.logout",
                remedy=LATER,
            )

    def _close(self, token: str) -> None:
        url = self.options.origin + LOGIN_PATHS[self.dialect or "api"]
        answer = self.http.exchange("DELETE", url, "session.logout", token=token)
        if answer.status >= 400 and answer.status != 401:
            raise from_response(answer.status, answer.body, "session.logout", hide=self._hide)

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
        """Ask for one operation; returns the JSON of the answer, None if it has no body.

        `path` starts with a slash and includes the query; `repeatable` says that sending twice does no harm. Raises
        ApiError, ConnectionFailed, TimedOut, TlsUnverified or InvalidResponse, whose `was_sent` says whether the
        request may have left this host.
        """
        sent_headers = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent_headers["Content-Type"] = "application/json"
        url = self.options.origin + path

        def attempt() -> Answer:
            return self._authenticated(
                lambda token: self.http.exchange(method, url, operation, token=token, data=data, headers=sent_headers),
                lambda answer: answer.status,
            )

        with _about(session_id):
            answer = self._retrying(attempt) if repeatable else attempt()
            if not 200 <= answer.status < 300:
                raise from_response(answer.status, answer.body, operation, session_id, hide=self._hide)
            return self.http.json(answer, operation)

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
        """Move data to or from `url`; yields the answer as an object of requests, with its body unread.

        Each try calls `body` anew. Only the vCenter's own host and port get the token; TLS is verified in the same way
        for all. Raises what `send` raises.
        """
        try:
            url = canonical(url)
        except ValueError:
            raise InvalidResponse(
                f"the server named {url.split('?')[0]!r} as the place of the data, which is not an https URL",
                operation=operation,
                session_id=session_id,
            ) from None
        own = origin_of(url) == origin_of(self.options.origin)
        place = data_place(url, own)
        sent_headers = {"Content-Type": "application/octet-stream", "Accept": "*/*", **(headers or {})}

        def attempt(token: str | None) -> Any:
            limit.resume()
            return self.http.request(
                method,
                url,
                operation,
                limit,
                place=place,
                token=token,
                data=TimedBody(body(), limit) if body else None,
                headers=sent_headers,
            )

        with _about(session_id), self.http.limit() as limit:
            response = (
                self._authenticated(attempt, lambda answer: int(answer.status_code), lambda answer: answer.close())
                if own
                else attempt(None)
            )
            try:
                if not 200 <= response.status_code < 300:
                    answer = self.http.read(response, operation, limit)
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
        """Try with the current token; after a 401 log in again, once, and try with the new token."""
        token = self._token
        answer = attempt(token)
        if status_of(answer) != 401 or self.options.session_token or not token:
            return answer
        discard(answer)
        with self._shield(), self._renewing, self._turns.taken():
            if self._token == token:
                self._token = self._log_in()
                self._superseded.append(token)
        return attempt(self._token)

    def _retrying(self, attempt: Callable[[], Answer]) -> Answer:
        timing = self._clock.timing
        for tried in range(1, timing.request_tries + 1):
            delay = min(timing.first_request_pause * 2 ** (tried - 1), timing.longest_request_pause)
            delay *= 0.5 + self._jitter()
            try:
                answer = attempt()
            except ConnectionFailed:
                if tried == timing.request_tries:
                    raise
            else:
                asked = _retry_after(answer.headers)
                too_long = (asked or 0) > timing.longest_request_pause
                if answer.status not in TRANSIENT_STATUSES or tried == timing.request_tries or too_long:
                    return answer
                delay = max(delay, asked or 0)
            self._clock.sleep(delay)
        raise AssertionError("the last try returns or raises")

    def _read_token(self, answer: Answer) -> str:
        token = _token_in(answer.body)
        if token:
            # Before any message about an answer with a strange status.
            self._on_secret(token)
        if not 200 <= answer.status < 300:
            raise from_response(answer.status, answer.body, "session.login", hide=self._hide_token)
        if answer.body.lstrip().startswith(b"<"):
            self.http.json(answer, "session.login")
        if token is None:
            raise InvalidResponse(
                f"{self.options.hostname}:{self.options.port} answered the login without a session token: is it a "
                "vCenter?",
                status=answer.status,
                operation="session.login",
            )
        return token

    def _hide_token(self, text: str) -> str:
        """Hide secrets in the answer to a login. JSON that cannot be read is not quoted: it may be most of a token."""
        return self._hide(text) if '"' not in text or text.lstrip().startswith("<") else "an answer that is not shown"
