# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole state of the server, and short cuts for tests to set it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .blobs import blob_of
from .catalog import Catalog
from .clock import Calendar, Seconds
from .downloads import Downloads, DownloadSession
from .errors import CLS, message, unauthorized
from .facts import follows
from .logins import Logins
from .seed import Seed, UserSeed
from .updates import UpdateFile, Updates, UpdateSession

#: The seconds after which a session expires that does not live for five minutes.
EXPIRES = {"sooner": 120.0, "later": 3600.0}


class Store:
    """The rules in one place, independent of HTTP and of the dialects."""

    def __init__(
        self, seed: Seed, clock: Seconds, session_timeout: float, login_timeout: float | None, settle: float
    ) -> None:
        self.seed = seed
        self.calendar = Calendar(clock)
        self.settle = settle
        self.users = {user.name.lower(): user for user in seed.users}
        self.logins = Logins(seed, self.users, self.calendar, login_timeout)
        self.catalog = Catalog(seed, self.calendar)
        session_timeout = EXPIRES.get(seed.otherwise.get("sessions-expire", ""), session_timeout)
        self.updates = Updates(seed, self.catalog, self.calendar, session_timeout, settle)
        self.downloads = Downloads(seed, self.catalog, self.calendar, session_timeout, settle)

    def advance(self) -> None:
        """Bring the state up to the present time."""
        self.updates.advance()
        self.downloads.advance()

    @follows("list-needs-a-privilege", "permissions-are-global")
    def authorize(self, user: UserSeed, privilege: str) -> None:
        if privilege and (privilege not in user.privileges or user.permission != "global"):
            raise unauthorized(user.name)

    def delete_item(self, item_id: str) -> None:
        self.catalog.delete_item(item_id)
        self.updates.forget_item(item_id)
        self.downloads.forget_item(item_id)

    # -- short cuts for tests

    def find_library_id(self, name: str) -> str:
        return next(entry.id for entry in self.catalog.libraries.values() if entry.seed.name == name)

    def find_item_id(self, library: str, name: str) -> str:
        return next(
            entry.id
            for entry in self.catalog.items.values()
            if entry.library.seed.name == library and entry.name == name
        )

    def seed_item_files(self, item_id: str, files: Mapping[str, bytes]) -> None:
        """Have somebody else publish these files."""
        item = self.catalog.item(item_id)
        self.catalog.put_files(item, {name: blob_of(content) for name, content in files.items()})
        item.content_version += 1

    def seed_update_session(
        self,
        item_id: str,
        *,
        user: str | None = None,
        state: str = "ACTIVE",
        warning_behavior: list[dict[str, Any]] | None = None,
        files: Mapping[str, bytes | None] | None = None,
        transferring: Mapping[str, int] | None = None,
        client_progress: int = 0,
        error_message: str = "The transfer failed.",
    ) -> str:
        """Make a session in any state. ``files`` are READY (None: waiting), ``transferring`` stop after these bytes."""
        session = self.updates.open(self.catalog.item(item_id), self._user_name(user), warning_behavior)
        for name, content in (files or {}).items():
            entry = session.files[name] = UpdateFile(name, "PUSH")
            if content is not None:
                entry.started = True
                self.updates.received(session, entry, blob_of(content), None)
                entry.received_at = self.calendar.clock() - 2 * self.settle
        for name, count in (transferring or {}).items():
            entry = session.files[name] = UpdateFile(name, "PUSH", started=True, bytes_transferred=count)
        session.client_progress = client_progress
        session.state = state
        if state == "ERROR":
            session.error_message = message(CLS + "client_error", "{0}", error_message)
        return session.id

    def seed_download_session(
        self,
        item_id: str,
        *,
        user: str | None = None,
        state: str = "ACTIVE",
        prepared: Iterable[str] = (),
        client_progress: int = 0,
        error_message: str = "The transfer failed.",
    ) -> str:
        session = self.downloads.open(self.catalog.item(item_id), self._user_name(user))
        for name in prepared:
            session.files[name].requested_at = self.calendar.clock() - self.settle
        session.client_progress = client_progress
        session.state = state
        if state == "ERROR":
            session.error_message = message(CLS + "client_error", "{0}", error_message)
        return session.id

    def move_transfer(self, session_id: str, name: str, count: int) -> None:
        """Let ``count`` more bytes of a file arrive, as from somebody else's upload."""
        session = self.updates.session(session_id)
        entry = session.files[name]
        entry.started = True
        self.updates.transferred(session, entry, entry.bytes_transferred + count)

    def break_transfer(self, session_id: str, name: str, reason: str = "Pipe closed") -> None:
        """Set the session to ERROR, as after a disk that the datastore refused."""
        self.updates.break_transfer(self.updates.session(session_id), name, reason)

    def refuse_to_prepare(self, name: str, reason: str) -> None:
        """Let all later preparations of files of this name fail."""
        self.downloads.unpreparable[name] = reason

    def update_session(self, session_id: str) -> UpdateSession:
        self.advance()
        return self.updates.session(session_id)

    def download_session(self, session_id: str) -> DownloadSession:
        self.advance()
        return self.downloads.session(session_id)

    def active_update_sessions(self) -> list[str]:
        self.advance()
        return [entry.id for entry in self.updates.sessions.values() if entry.state == "ACTIVE"]

    def item_contents(self, item_id: str) -> dict[str, bytes]:
        self.advance()
        return {name: entry.blob.read(0, entry.blob.size) for name, entry in self.catalog.item(item_id).files.items()}

    def _user_name(self, user: str | None) -> str:
        return self.users[user.lower()].name if user else self.seed.users[0].name
