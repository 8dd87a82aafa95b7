# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in: API session tokens that both dialects share, and that end when they idle."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from .clock import Calendar
from .errors import unauthenticated
from .seed import UserSeed


@dataclass
class Login:
    user: UserSeed
    created: float
    last_used: float


class Logins:
    def __init__(self, users: Mapping[str, UserSeed], calendar: Calendar, timeout: float) -> None:
        self._users = users
        self._calendar = calendar
        self._timeout = timeout
        self._by_token: dict[str, Login] = {}

    def check(self, name: str, password: str) -> UserSeed:
        user = self._users.get(name.lower())
        if user is None or user.password != password:
            raise unauthenticated()
        return user

    def login(self, name: str, password: str) -> str:
        user = self.check(name, password)
        token = uuid.uuid4().hex
        now = self._calendar.clock()
        self._by_token[token] = Login(user, now, now)
        return token

    def resolve(self, token: str | None) -> Login:
        """The login of a request; being asked for is what keeps it alive."""
        login = self.peek(token)
        if login is None:
            raise unauthenticated()
        login.last_used = self._calendar.clock()
        return login

    def peek(self, token: str | None) -> Login | None:
        login = self._by_token.get(token or "")
        if login is None:
            return None
        if self._calendar.clock() - login.last_used > self._timeout:
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
