# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download sessions: a snapshot of an item's files, prepared one by one and then fetched."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .catalog import Catalog, Item, ItemFile, check_client_token, refuse_template, storage_uri
from .clock import Calendar
from .errors import CLS, Message, invalid_argument, message, not_found, unauthorized, wrong_state
from .facts import follows
from .seed import Seed, UserSeed
from .updates import check_progress, session_id

READ_STORAGE = "ContentLibrary.ReadStorage"


@dataclass
class DownloadFile:
    source: ItemFile
    download_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    endpoint_type: str = "HTTPS"
    requested_at: float | None = None
    bytes_transferred: int = 0
    complete: bool = False


@dataclass
class DownloadSession:
    id: str
    item: Item
    user: str
    content_version: str
    expires: float
    files: dict[str, DownloadFile]
    state: str = "ACTIVE"
    client_progress: int = 0
    error_message: Message | None = None
    ended_at: float | None = None
    reads_storage: bool = True


class Downloads:
    def __init__(self, seed: Seed, catalog: Catalog, calendar: Calendar, timeout: float, settle: float) -> None:
        self._seed = seed
        self._catalog = catalog
        self._calendar = calendar
        self._timeout = timeout
        self._settle = settle
        self._tokens: dict[str, str] = {}
        self.sessions: dict[str, DownloadSession] = {}
        self.unpreparable: dict[str, str] = {}

    def create(self, user: UserSeed, spec: Mapping[str, Any], client_token: str | None) -> str:
        check_client_token(client_token)
        known = self._tokens.get(f"{user.name} {client_token}") if client_token else None
        if known is not None and known in self.sessions:
            return known
        if not spec.get("library_item_id"):
            raise invalid_argument(
                CLS + "session_spec_incomplete", "The field {0} of the create spec is missing.", "library_item_id"
            )
        item = self._catalog.item(spec["library_item_id"])
        refuse_template(item, "download")
        session = self.open(item, user.name, client_token, READ_STORAGE in user.privileges)
        if client_token:
            self._tokens[f"{user.name} {client_token}"] = session.id
        return session.id

    @follows("direct-needs-a-privilege-at-creation")
    def open(
        self, item: Item, user: str, client_token: str | None = None, reads_storage: bool = True
    ) -> DownloadSession:
        files = {name: DownloadFile(entry) for name, entry in item.files.items()}
        expires = self._calendar.clock() + self._timeout
        session = DownloadSession(
            session_id(self._seed, client_token), item, user, str(item.content_version), expires, files
        )
        session.reads_storage = reads_storage
        self.sessions[session.id] = session
        return session

    def list(self, user: UserSeed, item_id: str | None) -> builtins.list[str]:
        if item_id is not None:
            self._catalog.item(item_id)
        return [
            entry.id for entry in self.sessions.values() if entry.user == user.name and item_id in (None, entry.item.id)
        ]

    def session(self, identifier: str) -> DownloadSession:
        if identifier not in self.sessions:
            raise not_found("download_session", identifier)
        return self.sessions[identifier]

    def _active(self, identifier: str, operation: str) -> DownloadSession:
        session = self.session(identifier)
        if session.state != "ACTIVE":
            reason = session.error_message["default_message"] if session.error_message else ""
            raise wrong_state(operation, session.state, reason, "download")
        self.touch(session)
        return session

    def touch(self, session: DownloadSession) -> None:
        session.expires = self._calendar.clock() + self._timeout

    def cancel(self, identifier: str) -> None:
        self._active(identifier, "cancel").state = "CANCELED"

    def fail(self, identifier: str, reason: str) -> None:
        session = self._active(identifier, "fail")
        session.state, session.error_message = "ERROR", message(CLS + "client_error", "{0}", reason)

    def keep_alive(self, identifier: str, progress: int | None) -> None:
        session = self._active(identifier, "keepAlive")
        if progress is not None:
            check_progress(progress)
            session.client_progress = progress

    def delete(self, identifier: str) -> None:
        self.session(identifier)
        del self.sessions[identifier]

    def forget_item(self, item_id: str) -> None:
        for session in [entry for entry in self.sessions.values() if entry.item.id == item_id]:
            del self.sessions[session.id]

    @follows("sessions-expire", "ended-sessions-vanish")
    def advance(self) -> None:
        now = self._calendar.clock()
        for session in list(self.sessions.values()):
            if session.state != "ACTIVE" and session.ended_at is None:
                session.ended_at = now
            is_over = session.ended_at is not None and now - session.ended_at > self._seed.ended_seconds
            if is_over or (session.state == "ACTIVE" and now > session.expires):
                del self.sessions[session.id]

    def file(self, identifier: str, name: str) -> DownloadFile:
        session = self.session(identifier)
        if name not in session.files:
            raise invalid_argument(CLS + "download_session_file_not_found", "The session has no file {0}.", name)
        return session.files[name]

    def prepare(self, user: UserSeed, identifier: str, name: str, endpoint_type: str) -> DownloadFile:
        session = self._active(identifier, "prepare")
        entry = self.file(identifier, name)
        if endpoint_type == "DIRECT" and not (session.reads_storage and READ_STORAGE in user.privileges):
            raise unauthorized(user.name)
        if entry.requested_at is None or entry.endpoint_type != endpoint_type:
            entry.requested_at, entry.endpoint_type = self._calendar.clock(), endpoint_type
        return entry

    def status(self, entry: DownloadFile) -> str:
        if entry.requested_at is None:
            return "UNPREPARED"
        if entry.source.name in self.unpreparable:
            return "ERROR"
        elapsed = self._calendar.clock() - entry.requested_at
        if elapsed >= self._settle:
            return "PREPARED"
        return "PREPARE_REQUESTED" if elapsed < self._settle / 2 else "PREPARING"

    @follows("download-address-after-its-session", "prepare-then-get")
    def source(self, download_id: str) -> DownloadSession | None:
        """The session of a download address, None if nothing can be fetched from there any more."""
        for session in self.sessions.values():
            for entry in session.files.values():
                is_open = session.state == "ACTIVE" or self._seed.download_outlives
                if entry.download_id == download_id and is_open and self.status(entry) == "PREPARED":
                    return session
        return None

    def source_file(self, session: DownloadSession, download_id: str) -> DownloadFile:
        return next(entry for entry in session.files.values() if entry.download_id == download_id)

    def fetched(self, session: DownloadSession, entry: DownloadFile, position: int) -> None:
        entry.bytes_transferred = max(entry.bytes_transferred, position)
        entry.complete = entry.complete or position >= entry.source.blob.size
        self.touch(session)

    def describe(self, session: DownloadSession) -> dict[str, Any]:
        model: dict[str, Any] = {
            "id": session.id,
            "library_item_id": session.item.id,
            "library_item_content_version": session.content_version,
            "client_progress": session.client_progress,
            "state": session.state,
            "expiration_time": self._calendar.stamp(session.expires),
        }
        if self._seed.omit_session_id:
            del model["id"]
        if session.error_message is not None:
            model["error_message"] = session.error_message
        return model

    @follows("download-checksum-when-fetched", "download-size-late")
    def describe_file(self, session: DownloadSession, entry: DownloadFile, origin: str) -> dict[str, Any]:
        name, blob = entry.source.name, entry.source.blob
        status = self.status(entry)
        model: dict[str, Any] = {"name": name, "bytes_transferred": entry.bytes_transferred, "status": status}
        # The size of a disk is known only once it has been prepared for export.
        if status == "PREPARED" or not name.lower().endswith(".vmdk"):
            model["size"] = blob.size
        if status == "PREPARED":
            model["download_endpoint"] = {"uri": self._endpoint(session, entry, origin)}
        if status == "ERROR":
            model["error_message"] = message(CLS + "prepare_failed", "{0}", self.unpreparable[name])
        if self._shows_checksum(entry) and entry.source.algorithm != "none":
            algorithm = entry.source.algorithm
            model["checksum_info"] = {"algorithm": algorithm, "checksum": blob.digest(algorithm)}
        return model

    def _shows_checksum(self, entry: DownloadFile) -> bool:
        when = self._seed.otherwise.get("download-checksum-when-fetched", "when-fetched")
        return when == "before" or (entry.complete and when == "when-fetched")

    def _endpoint(self, session: DownloadSession, entry: DownloadFile, origin: str) -> str:
        name = quote(entry.source.name, safe="")
        if entry.endpoint_type == "DIRECT":
            return storage_uri(session.item, entry.source.name)
        return f"{origin}/cls/data/{entry.download_id}/{name}"
