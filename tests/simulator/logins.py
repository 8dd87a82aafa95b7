# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in: API session tokens, which both dialects share, and which expire when idle."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from .clock import Calendar
from .errors import ApiError, message, unauthenticated
from .facts import follows
from .seed import Seed, UserSeed


@dataclass
class Login:
    user: UserSeed
    created: float
    last_used: float


class Logins:
    def __init__(
        self, seed: Seed, users: Mapping[str, UserSeed], calendar: Calendar, idle_seconds: float | None
    ) -> None:
        self._seed = seed
        self._users = users
        self._calendar = calendar
        self._idle_seconds = seed.token_idle_seconds if idle_seconds is None else idle_seconds
        self._by_token: dict[str, Login] = {}

    def refusal(self) -> ApiError:
        """The answer to a request without a login."""
        usual = ("old-id", "absent") if self._seed.old_authentication else ("endpoint-id", "there")
        name = self._seed.otherwise.get("authentication-required-id", usual[0])
        challenge = self._seed.otherwise.get("challenge-in-refused-login", usual[1])
        return unauthenticated(name == "old-id", challenge == "there")

    def check(self, name: str, password: str) -> UserSeed:
        user = self._users.get(name.lower())
        if user is None or user.password != password:
            raise self.refusal()
        return user

    def login(self, name: str, password: str) -> str:
        user = self.check(name, password)
        self._refuse_too_many(user)
        token = uuid.uuid4().hex
        now = self._calendar.clock()
        self._by_token[token] = Login(user, now, now)
        return token

    @follows("login-limit", "login-limit-by-version")
    def _refuse_too_many(self, user: UserSeed) -> None:
        together = self._seed.logins_together
        limit = together or self._seed.login_limit
        counted = [login for token in list(self._by_token) if (login := self.peek(token))]
        if sum(together > 0 or login.user is user for login in counted) >= limit:
            text = "Failed to login: the number of sessions is limited to {0}."
            name = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
            raise ApiError("SERVICE_UNAVAILABLE", message(name, text, str(limit)))

    def resolve(self, token: str | None) -> Login:
        """The login of a request, which also keeps it alive."""
        login = self.peek(token)
        if login is None:
            raise self.refusal()
        login.last_used = self._calendar.clock()
        return login

    @follows("token-idle-time", "token-ends-absolutely", "upload-keeps-no-login")
    def peek(self, token: str | None) -> Login | None:
        login = self._by_token.get(token or "")
        if login is None:
            return None
        now = self._calendar.clock()
        if now - login.last_used > self._idle_seconds or now - login.created > self._seed.token_seconds:
            del self._by_token[token or ""]
            return None
        return login

    def logout(self, token: str | None) -> None:
        self._by_token.pop(token or "", None)

    def expire_all(self) -> None:
        self._by_token.clear()

    @property
    def count(self) -> int:
        return len(self._by_token)

    def describe(self, login: Login) -> dict[str, str]:
        return {
            "user": login.user.name,
            "created_time": self._calendar.stamp(login.created),
            "last_accessed_time": self._calendar.stamp(login.last_used),
        }
