# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sessions: their states, their files, and the content that a completed one leaves in its item.

Choices where neither a fact nor a world says what happens:
- In a library with a security policy, an unsigned package sends the session to ERROR. A package whose warnings are all
  ignored is accepted, and its item has ``security_compliance: false``.
- A VM template is refused with INVALID_ELEMENT_TYPE, and a download session on it as an update session is.
- While a PULL is under way the server cannot know yet whether references are missing: the session goes to ERROR later.
- Files that the item already holds are files of the session with the source NONE, until it replaces or removes them.
- While the server completes a session, another completion, a change or a file is "refused" for its state, refused with
  another text ("unexplained"), "busy" (except for validate, whose description has no such answer), or "accepted", which
  changes nothing: the world ``meanwhile``.
- A session that expires is deleted.
- Files that a pulled descriptor references and that the session has already are not fetched again.
- Everybody can read a session by its id.
- An item that is deleted takes its sessions with it.
"""

from __future__ import annotations

import builtins
import contextlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable
from urllib.parse import quote, urlsplit

from .blobs import HASHES, Blob, blob_of
from .catalog import Catalog, Item, ItemFile, check_client_token, refuse_template, storage_size, storage_uri
from .clock import Calendar
from .descriptor import extension, fetched_along, manifest_digests, readings, require_importable, resolved, unpack
from .errors import (
    CLS,
    ApiError,
    Message,
    invalid_argument,
    message,
    not_found,
    resource_busy,
    unauthorized,
    wrong_state,
)
from .facts import follows
from .preview import Finding, inspect
from .seed import Seed, UserSeed

#: What identifiers of one part are made in.
TOKENS = uuid.UUID("6ba7b814-9dad-11d1-80b4-00c04fd430c8")
#: How long a server that remembers a client token for a time does so.
TOKEN_SECONDS = 600.0
WARNING_TYPES = ("SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE", "NOT_YET_VALID_CERTIFICATE", "UNTRUSTED_CERTIFICATE")
NOT_STORED = ("mf", "cert", "ova")


@dataclass
class UpdateFile:
    name: str
    source_type: str
    size: int | None = None
    algorithm: str | None = None
    checksum: str | None = None
    source_endpoint: dict[str, str] | None = None
    upload_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: bool = False
    bytes_transferred: int = 0
    generation: int = 0
    blob: Blob | None = None
    members: dict[str, Blob] | None = None
    received_at: float | None = None
    error: Message | None = None
    #: Whether nobody added it, but the descriptor references it.
    is_expected: bool = False
    #: How often it was shown as READY.
    shown_ready: int = 0


@dataclass
class UpdateSession:
    id: str
    item: Item
    user: str
    content_version: str
    expires: float
    warning_behavior: list[dict[str, Any]] | None = None
    state: str = "ACTIVE"
    client_progress: int = 0
    error_message: Message | None = None
    files: dict[str, UpdateFile] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    completing_since: float | None = None
    ended_at: float | None = None
    breaks: Message | None = None
    breaks_at: float = 0.0


PullStarter = Callable[[UpdateSession, UpdateFile], None]


@follows("session-ids-are-opaque")
def session_id(seed: Seed, client_token: str | None = None) -> str:
    if seed.session_ids == "one-part":
        return str(uuid.uuid5(TOKENS, client_token or str(uuid.uuid4())))
    return f"{uuid.uuid4()}:{uuid.uuid4()}"


class Updates:
    def __init__(self, seed: Seed, catalog: Catalog, calendar: Calendar, timeout: float, settle: float) -> None:
        self._seed = seed
        self._catalog = catalog
        self._calendar = calendar
        self._timeout = timeout
        self._settle = settle
        self._tokens: dict[str, tuple[str, float]] = {}
        self.sessions: dict[str, UpdateSession] = {}
        self.start_pull: PullStarter | None = None
        self.datastores = dict(seed.datastores)

    # -- sessions

    @follows("no-session-for-subscribed-items", "expired-certificate-of-vcenter")
    def create(self, user: UserSeed, spec: Mapping[str, Any], client_token: str | None) -> str:
        check_client_token(client_token)
        if self._seed.imports == "unauthorized":
            raise unauthorized(user.name)
        known = self._known_token(f"{user.name} {client_token}") if client_token else None
        again = self._seed.otherwise.get("client-token-is-idempotent", "same-session")
        if known is not None and again == "same-session":
            return known
        if not spec.get("library_item_id"):
            raise invalid_argument(
                CLS + "session_spec_incomplete", "The field {0} of the create spec is missing.", "library_item_id"
            )
        item = self._catalog.item(spec["library_item_id"])
        if item.library.seed.type == "SUBSCRIBED":
            raise ApiError(
                "INVALID_ELEMENT_TYPE",
                message(
                    CLS + "update_session_subscribed_item", "The item {0} is a member of a subscribed library.", item.id
                ),
            )
        refuse_template(item, "update")
        if known is None or again != "another-session":
            self._refuse_second(item)
        session = self.open(item, user.name, spec.get("warning_behavior"), None if known else client_token)
        if client_token:
            self._tokens[f"{user.name} {client_token}"] = (session.id, self._calendar.clock())
        return session.id

    @follows("client-token-is-idempotent", "client-token-memory")
    def _known_token(self, token: str) -> str | None:
        known, since = self._tokens.get(token, (None, 0.0))
        is_old = self._calendar.clock() - since > TOKEN_SECONDS
        if self._seed.token_memory == "until-deletion" and known not in self.sessions:
            return None
        return None if self._seed.token_memory == "for-a-time" and is_old else known

    @follows("one-active-session", "two-creations-text")
    def _refuse_second(self, item: Item) -> None:
        for entry in self.sessions.values():
            if self._seed.does("one-active-session", "allowed"):
                return
            if entry.item is item and entry.state == "ACTIVE":
                raise resource_busy(item.id if self._seed.busy_text == "item" else entry.id, self._seed.busy_text)

    def open(
        self,
        item: Item,
        user: str,
        warning_behavior: builtins.list[dict[str, Any]] | None,
        client_token: str | None = None,
    ) -> UpdateSession:
        expires = self._calendar.clock() + self._timeout
        session = UpdateSession(
            session_id(self._seed, client_token),
            item,
            user,
            str(item.content_version),
            expires,
            self._known(warning_behavior),
        )
        self.sessions[session.id] = session
        return session

    def _known(self, warning_behavior: builtins.list[dict[str, Any]] | None) -> builtins.list[dict[str, Any]] | None:
        return warning_behavior if self._seed.preview else None

    @follows("lists-are-the-callers")
    def list(self, user: UserSeed, item_id: str | None) -> builtins.list[str]:
        if item_id is not None:
            self._catalog.item(item_id)
        return [
            entry.id for entry in self.sessions.values() if entry.user == user.name and item_id in (None, entry.item.id)
        ]

    def session(self, identifier: str) -> UpdateSession:
        if identifier not in self.sessions:
            raise not_found("update_session", identifier)
        return self.sessions[identifier]

    @follows("changes-need-an-active-session")
    def _active(self, identifier: str, operation: str) -> UpdateSession:
        session = self.session(identifier)
        if session.state != "ACTIVE":
            reason = session.error_message["default_message"] if session.error_message else ""
            raise wrong_state(operation, session.state, reason)
        return session

    def _filling(self, identifier: str, operation: str) -> UpdateSession:
        session = self._active(identifier, operation)
        if session.completing_since is not None and self._seed.while_completing != "accepted":
            raise self._completing(session, operation)
        self.touch(session)
        return session

    @follows("meanwhile")
    def _completing(self, session: UpdateSession, operation: str) -> ApiError:
        if self._seed.while_completing == "busy" and operation != "validate":
            return resource_busy(session.item.id)
        if self._seed.while_completing == "unexplained":
            text = message(CLS + "operation_not_allowed", "The operation {0} is not allowed now.", operation)
            return ApiError("NOT_ALLOWED_IN_CURRENT_STATE", text)
        return wrong_state(operation, session.state, "The session is being completed.")

    def touch(self, session: UpdateSession) -> None:
        session.expires = self._calendar.clock() + self._timeout

    @follows("patch-changes-warnings-only")
    def update(self, identifier: str, spec: Mapping[str, Any]) -> None:
        session = self._filling(identifier, "update")
        ignored = self._seed.patch_ignored or self._seed.does("patch-changes-warnings-only", "ignored")
        if "warning_behavior" in spec and not ignored:
            session.warning_behavior = spec["warning_behavior"]

    def cancel(self, identifier: str) -> None:
        session = self._active(identifier, "cancel")
        if session.completing_since is not None and self._seed.cancel_meanwhile == "refused":
            raise self._completing(session, "cancel")
        session.state = "CANCELED"

    def fail(self, identifier: str, reason: str) -> None:
        session = self._active(identifier, "fail")
        self._break(session, message(CLS + "client_error", "{0}", reason))

    @follows("progress-grows")
    def keep_alive(self, identifier: str, progress: int | None) -> None:
        """A client should only let the progress grow; no source says that less is refused."""
        session = self._active(identifier, "keepAlive")
        if progress is not None:
            check_progress(progress)
            session.client_progress = progress
        self.touch(session)

    @follows("active-session-is-not-deleted")
    def delete(self, identifier: str) -> None:
        session = self.session(identifier)
        if session.state == "ACTIVE" and not self._seed.does("active-session-is-not-deleted", "deleted"):
            raise wrong_state("delete", session.state, "")
        del self.sessions[identifier]

    def forget_item(self, item_id: str) -> None:
        for session in [entry for entry in self.sessions.values() if entry.item.id == item_id]:
            del self.sessions[session.id]

    @follows("completion-needs-received-files", "refused-completion-keeps-the-session", "references-must-be-there")
    def complete(self, identifier: str) -> None:
        session = self._filling(identifier, "complete")
        if session.completing_since is not None:
            return
        pulling = False
        for entry in session.files.values():
            status = self.status(entry)
            if entry.source_type == "PULL" and status != "ERROR":
                pulling = pulling or status != "READY"
            elif status != "READY" and not self._is_expected(entry) and not self._is_taken_unreceived(entry):
                raise _not_received(entry.name, status)
        if self._lacks(session) and not pulling:
            raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", self._missing_message(session))
        session.completing_since = self._calendar.clock()
        self.advance()

    def _is_taken_unreceived(self, entry: UpdateFile) -> bool:
        """Whether a server that takes such a completion has what it is about to take, or nothing to wait for."""
        is_there = entry.blob is not None or entry.received_at is None
        return is_there and entry.error is None and self._seed.does("completion-needs-received-files", "accepted")

    @follows("warning-fails-the-session", "answer-to-an-unignored-warning")
    def refuse_warned(self, session: UpdateSession) -> None:
        """Where that is so, refuse a completion because of warnings that nobody ignores."""
        if self._seed.unignored_warning == "refuses" and session.state == "ERROR" and session.error_message:
            raise wrong_state("complete", session.state, session.error_message["default_message"])

    @follows("complete-answers-when-updated", "complete-with-pull-answers-at-once")
    def is_being_completed(self, session: UpdateSession) -> bool:
        """Whether a request to complete the session waits for its answer."""
        pulls = any(entry.source_type == "PULL" for entry in session.files.values())
        is_under_way = session.state == "ACTIVE" and self.sessions.get(session.id) is session
        return is_under_way and not pulls and self._seed.completion == "when-done"

    # -- the passing of time

    @follows("sessions-expire", "ended-sessions-vanish")
    def advance(self) -> None:
        now = self._calendar.clock()
        for session in list(self.sessions.values()):
            if session.state != "ACTIVE":
                session.ended_at = now if session.ended_at is None else session.ended_at
                if now - session.ended_at > self._seed.ended_seconds:
                    del self.sessions[session.id]
            elif session.breaks is not None and now >= session.breaks_at:
                self._break(session, session.breaks)
            elif session.completing_since is None and self._is_done_by_itself(session):
                self._finish(session)
            elif session.completing_since is not None and now <= session.expires:
                self._advance_completion(session, now)
            elif now > session.expires:
                del self.sessions[session.id]

    def _is_done_by_itself(self, session: UpdateSession) -> bool:
        fetched = [entry for entry in session.files.values() if entry.source_type == "PULL"]
        is_whole = fetched and all(self.status(entry) == "READY" for entry in session.files.values())
        return bool(is_whole) and self._seed.does("pull-stays-active", "done")

    def _advance_completion(self, session: UpdateSession, now: float) -> None:
        assert session.completing_since is not None
        settled = session.completing_since + self._seed.completing_seconds
        for entry in session.files.values():
            status = self.status(entry)
            if status == "ERROR" and entry.error is not None:
                self._break(session, _failed_import(session, entry, entry.error))
                return
            if status != "READY" and not self._is_expected(entry) and not self._is_taken_unreceived(entry):
                return
            settled = max(settled, (entry.received_at or 0.0) + self._arrival(entry))
        if now < settled + self._settle or session.breaks is not None:
            return
        self._finish(session)

    def _finish(self, session: UpdateSession) -> None:
        if self._lacks(session):
            self._break(session, self._missing_message(session))
            return
        finding = self._finding(session)
        open_warnings = [entry for entry in self._warnings(session, finding) if not entry["ignored"]]
        if open_warnings:
            self._break(
                session,
                message(
                    CLS + "session_has_unignored_warnings",
                    "The preview raised warnings that are not ignored: {0}. {1}",
                    ", ".join(entry["type"] for entry in open_warnings),
                    " ".join(entry["message"]["default_message"] for entry in open_warnings),
                ),
            )
            return
        policy = session.item.library.seed.security_policy_id
        packaged = self._packaged(session)
        if policy and packaged and finding.certificate_info is None:
            self._break(
                session,
                message(
                    CLS + "security_policy_unsigned_content",
                    "The security policy {0} refuses content that is not signed.",
                    policy,
                ),
            )
            return
        if packaged and self._seed.preview:
            _judge_item(session.item, finding, self._calendar.clock())
        self._commit(session)
        session.state = "DONE"

    @follows("manifest-is-not-stored")
    def _commit(self, session: UpdateSession) -> None:
        added: dict[str, Blob] = {}
        algorithms: dict[str, str] = {}
        for entry in session.files.values():
            if entry.blob is None:  # only of a server that completes a session without its files
                continue
            is_unpacked = entry.members is not None and not self._seed.does("ova-is-unpacked", "kept-whole")
            contents = entry.members or {} if is_unpacked else {entry.name: entry.blob}
            for name, blob in contents.items():
                if self._is_stored(name) and (not is_unpacked or self._is_kept(entry, name)):
                    added[name] = blob
                    algorithms[name] = self._reported_algorithm(entry)
        self._catalog.commit(session.item, added, algorithms, sorted(session.removed))
        self._move_own(session)

    def _is_stored(self, name: str) -> bool:
        kind = extension(name)
        if kind == "ova":
            return self._seed.does("ova-is-unpacked", "kept-whole")
        return kind not in NOT_STORED or self._seed.does("manifest-is-not-stored", "kept")

    @follows("own-source-is-moved")
    def _move_own(self, session: UpdateSession) -> None:
        """A source inside the storage of the item's library is there no more."""
        for entry in session.files.values():
            uri = (entry.source_endpoint or {}).get("uri", "")
            if f"/contentlib-{session.item.library.id}/" in uri:
                self.datastores.pop(uri, None)

    @follows("ova-is-unpacked", "unreferenced-ova-members")
    def _is_kept(self, entry: UpdateFile, name: str) -> bool:
        """Whether a file of a session, or a member of an OVA, becomes a file of the item."""
        if entry.members is None or self._seed.ova_extras == "kept" or extension(name) == "ovf":
            return True
        descriptor = next(blob for member, blob in entry.members.items() if extension(member) == "ovf")
        return name in resolved(descriptor.read(0, descriptor.size), entry.members)

    def _break(self, session: UpdateSession, reason: Message) -> None:
        session.state = "ERROR"
        session.error_message = reason

    # -- files

    @follows("backing-gone", "manifest-before-descriptor", "other-files-in-any-order")
    def add_file(self, user: UserSeed, identifier: str, spec: Mapping[str, Any]) -> UpdateFile:
        session = self._filling(identifier, "addFile")
        if session.item.backing == "gone":
            text = message(
                CLS + "item_backing_missing", "The content of the item {0} can not be accessed.", session.item.id
            )
            raise ApiError("RESOURCE_INACCESSIBLE", text)
        entry = self._new_file(user, spec)
        is_late = extension(entry.name) in ("mf", "cert") and any(extension(name) == "ovf" for name in session.files)
        if is_late and not self._seed.does("manifest-before-descriptor", "taken"):
            raise ApiError(
                "NOT_ALLOWED_IN_CURRENT_STATE",
                message(
                    CLS + "manifest_or_certificate_after_descriptor",
                    "The file {0} can not be added after the OVF descriptor.",
                    entry.name,
                ),
            )
        for name, known in list(session.files.items()):
            if self._is_expected(known) and entry.name in readings(name):
                del session.files[name]
        session.files[entry.name] = entry
        session.removed.discard(entry.name)
        if entry.source_type == "PULL":
            self._pull(session, entry)
        return entry

    def _new_file(self, user: UserSeed, spec: Mapping[str, Any]) -> UpdateFile:
        name, source_type, endpoint = spec["name"], spec["source_type"], spec.get("source_endpoint")
        if not name or name in (".", "..") or "/" in name or "\\" in name:
            raise invalid_argument(CLS + "invalid_file_name", "The file name {0} is not valid.", name)
        if (source_type == "PULL") != (endpoint is not None):
            raise invalid_argument(
                "vapi.data.structure.union.invalid",
                "source_endpoint must be given when source_type is PULL, and only then; source_type is {0}.",
                source_type,
            )
        if spec.get("size", 0) < 0:
            raise invalid_argument(CLS + "invalid_file_size", "The size {0} is not valid.", str(spec["size"]))
        entry = UpdateFile(name, source_type, spec.get("size"), source_endpoint=endpoint)
        if "checksum_info" in spec:
            entry.algorithm = spec["checksum_info"].get("algorithm", "SHA1")
            entry.checksum = spec["checksum_info"]["checksum"].lower()
            _check_checksum(name, entry.algorithm or "SHA1", entry.checksum or "")
        if endpoint is not None:
            entry.source_endpoint = check_source(self._seed, user, endpoint)
            self._refuse_folder(entry.source_endpoint["uri"])
        return entry

    @follows("datastore-folder-is-internal-error")
    def _refuse_folder(self, uri: str) -> None:
        if any(known.startswith(uri.rstrip("/") + "/") for known in self.datastores):
            name = "java.lang.IllegalArgumentException"
            text = "Provider method implementation threw unexpected exception: {0}"
            raise ApiError("INTERNAL_SERVER_ERROR", message("vapi.bindings.method.impl.unexpected", text, name))

    def _pull(self, session: UpdateSession, entry: UpdateFile) -> None:
        assert entry.source_endpoint is not None
        uri = entry.source_endpoint["uri"]
        entry.started = True
        if urlsplit(uri).scheme == "ds":
            content = self.datastores.get(uri)
            if content is None:
                self.transfer_failed(
                    session, entry, message(CLS + "datastore_file_not_found", "The file {0} does not exist.", uri)
                )
            else:
                members, fault = unpack(entry.name, blob_of(content), self._seed.checksum_algorithm)
                self.received(session, entry, blob_of(content), members, fault)
        elif self.start_pull is not None:
            self.start_pull(session, entry)

    def snapshot(self, session: UpdateSession) -> dict[str, UpdateFile]:
        """The files of the item after a completion of the session, including those that the server then drops."""
        unchanged = {
            name: self._unchanged(session.item, entry)
            for name, entry in session.item.files.items()
            if name not in session.removed
        }
        return {**unchanged, **session.files}

    def _unchanged(self, item: Item, held: ItemFile) -> UpdateFile:
        return UpdateFile(
            held.name,
            "NONE",
            storage_size(item.type, held.name, held.blob.size),
            held.algorithm,
            upload_id="",
            blob=held.blob,
            received_at=self._calendar.clock() - 2 * self._settle,
        )

    def file(self, identifier: str, name: str) -> UpdateFile:
        files = self.snapshot(self.session(identifier))
        if name not in files:
            raise invalid_argument(CLS + "update_session_file_not_found", "The session has no file {0}.", name)
        return files[name]

    def remove_file(self, identifier: str, name: str) -> None:
        session = self._filling(identifier, "removeFile")
        if name not in self.snapshot(session):
            raise invalid_argument(CLS + "update_session_file_not_found", "The session has no file {0}.", name)
        session.files.pop(name, None)
        if name in session.item.files:
            session.removed.add(name)

    @follows("validate-needs-received-files")
    def validate(self, identifier: str) -> dict[str, Any]:
        session = self._filling(identifier, "validate")
        for entry in session.files.values():
            status = self.status(entry)
            is_awaited = status not in ("READY", "ERROR") and not self._is_expected(entry)
            if entry.source_type == "PUSH" and is_awaited and not self._is_taken_unreceived(entry):
                raise _not_received(entry.name, status)
        missing = self._missing(session)
        invalid = [
            {"name": entry.name, "error_message": entry.error or _never_added(entry.name)}
            for entry in session.files.values()
            if self.status(entry) == "ERROR" or self._is_expected(entry)
        ]
        return {"has_errors": bool(missing or invalid), "missing_files": missing, "invalid_files": invalid}

    def _is_expected(self, entry: UpdateFile) -> bool:
        """Whether nobody has done anything about a file that the descriptor references."""
        return entry.is_expected and not entry.started

    def status(self, entry: UpdateFile) -> str:
        if self._seed.silent_puts and entry.source_type == "PUSH" and entry.error is None:
            return "WAITING_FOR_TRANSFER"
        if entry.received_at is None:
            if entry.error is not None:
                return "ERROR"
            return "TRANSFERRING" if entry.started and self._shows(entry) else "WAITING_FOR_TRANSFER"
        elapsed = self._calendar.clock() - entry.received_at
        arrival = self._arrival(entry)
        if elapsed >= arrival:
            return "ERROR" if entry.error is not None else "READY"
        if not self._shows(entry):
            return "WAITING_FOR_TRANSFER"
        return "TRANSFERRING" if elapsed < arrival / 2 else "VALIDATING"

    @follows("answered-put-may-be-completed", "answered-put-is-not-received")
    def _arrival(self, entry: UpdateFile) -> float:
        """The seconds from the last byte of a file until it is READY."""
        return 0.0 if entry.source_type == "PUSH" and self._seed.arrival == "with-its-answer" else self._settle

    def _shows(self, entry: UpdateFile) -> bool:
        return self._seed.transfers_shown or entry.source_type != "PUSH"

    # -- content on its way

    def upload_target(self, upload_id: str) -> UpdateSession | None:
        for session in self.sessions.values():
            if session.state == "ACTIVE" and any(entry.upload_id == upload_id for entry in session.files.values()):
                return session
        return None

    def upload_file(self, session: UpdateSession, upload_id: str) -> UpdateFile:
        return next(entry for entry in session.files.values() if entry.upload_id == upload_id)

    def begin_transfer(self, session: UpdateSession, entry: UpdateFile) -> int:
        """Start or restart a file; returns a number that tells this start from a later one."""
        entry.started, entry.bytes_transferred, entry.received_at = True, 0, None
        entry.blob, entry.members, entry.error = None, None, None
        entry.generation += 1
        self.touch(session)
        return entry.generation

    def transferred(self, session: UpdateSession, entry: UpdateFile, count: int) -> None:
        entry.bytes_transferred = count
        self.touch(session)

    def digest_algorithms(self, session: UpdateSession, entry: UpdateFile) -> set[str]:
        """The algorithms by which to hash the content of a file on arrival."""
        wanted = {self._reported_algorithm(entry)}
        manifest = self._content_of(session, "mf")
        if manifest is not None:
            with contextlib.suppress(ValueError):
                wanted.add(manifest_digests(manifest).get(entry.name, ("none", ""))[0])
        return {name for name in wanted if name in HASHES}

    @follows("file-stays-waiting")
    def received(
        self, session: UpdateSession, entry: UpdateFile, blob: Blob, members: dict[str, Blob] | None, fault: str = ""
    ) -> None:
        """Take note that all bytes of a file are here; errors in them show once the file has settled."""
        if self._seed.lost_puts and entry.source_type == "PUSH":
            entry.started, entry.bytes_transferred = False, 0
            self.touch(session)
            return
        entry.blob, entry.members = blob, members
        entry.bytes_transferred = 0 if self._seed.silent_puts and entry.source_type == "PUSH" else blob.size
        entry.received_at = self._calendar.clock()
        self.touch(session)
        entry.error = self._content_fault(entry, fault)
        entry.size = blob.size if entry.error is None else entry.size
        self._judge_package(session)
        if extension(entry.name) == "ovf" and entry.error is None:
            if entry.source_endpoint:
                self._pull_along(session, entry.source_endpoint, blob.read(0, blob.size))
            elif self._seed.descriptor_entries:
                self._expect_references(session)

    @follows("pulled-descriptor-brings-the-package")
    def _pull_along(self, session: UpdateSession, descriptor: Mapping[str, str], content: bytes) -> None:
        """Fetch what a pulled descriptor references, but for what the session has already."""
        for name, uri in fetched_along(content, descriptor["uri"], session.files).items():
            entry = UpdateFile(name, "PULL", source_endpoint={**descriptor, "uri": uri})
            session.files[name] = entry
            self._pull(session, entry)

    @follows("descriptor-creates-entries")
    def _expect_references(self, session: UpdateSession) -> None:
        """Make an entry for each file that the descriptor references and that nobody has added yet."""
        for name in self._missing(session):
            session.files[name] = UpdateFile(name, "PUSH", is_expected=True)

    def transfer_failed(self, session: UpdateSession, entry: UpdateFile, reason: Message) -> None:
        entry.error = reason
        self.touch(session)

    @follows("transfer-fails-after-its-answer", "error-reason-has-a-path")
    def break_transfer(self, session: UpdateSession, name: str, reason: str) -> None:
        """Let the server fail after it answered the PUT: the session goes to ERROR."""
        text = "Error transferring file {0} to {2}: {1}"
        place = storage_uri(session.item, name)
        session.breaks = message(CLS + "file_transfer_error", text, name, reason, place)
        session.breaks_at = self._calendar.clock() + self._settle

    @follows("declared-checksum-is-verified")
    def _content_fault(self, entry: UpdateFile, fault: str) -> Message | None:
        assert entry.blob is not None
        if fault:
            return message(CLS + "file_content_invalid", "The content of file {0} is not valid: {1}", entry.name, fault)
        if entry.size is not None and entry.size != entry.blob.size:
            return message(
                CLS + "file_size_mismatch",
                "The size of file {0} is {1}, but {2} was declared.",
                entry.name,
                str(entry.blob.size),
                str(entry.size),
            )
        if entry.algorithm and entry.blob.digest(entry.algorithm) != entry.checksum:
            return message(
                CLS + "file_checksum_mismatch",
                "The {1} checksum of file {0} is {2}, but {3} was declared.",
                entry.name,
                entry.algorithm,
                entry.blob.digest(entry.algorithm),
                entry.checksum or "",
            )
        if extension(entry.name) == "ovf":
            try:
                require_importable(entry.blob.read(0, entry.blob.size))
            except ValueError as error:
                return message(
                    CLS + "file_content_invalid", "The content of file {0} is not valid: {1}", entry.name, str(error)
                )
        return None

    # -- the package

    def _judge_package(self, session: UpdateSession) -> None:
        for name, fault in self._finding(session).faults.items():
            holder = session.files.get(name) or next(
                (entry for entry in session.files.values() if entry.members and name in entry.members), None
            )
            if holder is not None and holder.error is None:
                holder.error = fault

    def _finding(self, session: UpdateSession) -> Finding:
        if not self._packaged(session) or not self._seed.preview:
            return Finding()
        contents = self._package(session)

        def digest_of(name: str, algorithm: str) -> str | None:
            blob = contents.get(name)
            known = blob is not None and (algorithm in blob.digests or blob.size < 1 << 24 or name not in session.files)
            return blob.digest(algorithm) if blob is not None and known else None

        named = {extension(name): (name, blob) for name, blob in contents.items() if extension(name) in ("mf", "cert")}
        pieces = {kind: (name, blob.read(0, blob.size)) for kind, (name, blob) in named.items()}
        return inspect(pieces.get("mf"), pieces.get("cert"), digest_of, self._seed, self._calendar.now())

    def _package(self, session: UpdateSession) -> dict[str, Blob]:
        contents: dict[str, Blob] = {}
        for entry in session.files.values():
            if entry.blob is not None:
                contents.update(entry.members if entry.members is not None else {entry.name: entry.blob})
        return contents

    def _packaged(self, session: UpdateSession) -> bool:
        return any(extension(name) == "ovf" for name in self._package(session))

    def _content_of(self, session: UpdateSession, kind: str) -> bytes | None:
        for name, blob in self._package(session).items():
            if extension(name) == kind:
                return blob.read(0, blob.size)
        return None

    def _missing(self, session: UpdateSession) -> builtins.list[str]:
        """What the item would lack of what its descriptor references, whoever brought the descriptor."""
        kept = {name: entry.blob for name, entry in session.item.files.items() if name not in session.removed}
        contents = {**kept, **self._package(session)}
        present = contents.keys() | session.files.keys()
        missing: dict[str, None] = {}
        for name, blob in contents.items():
            if extension(name) == "ovf":
                with contextlib.suppress(ValueError):
                    wanted = resolved(blob.read(0, blob.size), present)
                    missing.update(dict.fromkeys(each for each in wanted if each not in present))
        return list(missing)

    def _lacks(self, session: UpdateSession) -> bool:
        if self._seed.does("references-must-be-there", "taken"):
            return False
        return bool(self._missing(session)) or any(self._is_expected(entry) for entry in session.files.values())

    @follows("missing-and-invalid-are-two-arguments", "unadded-reference-is-invalid")
    def _missing_message(self, session: UpdateSession) -> Message:
        """Both lists have a blank after each name, and are empty texts without one."""
        missing = self._missing(session)
        invalid = [entry.name for entry in session.files.values() if self._is_expected(entry)]
        return message(
            CLS + "session_has_missing_or_invalid_files",
            "The session has missing or invalid files. Missing files: {0}. Invalid files: {1}.",
            "".join(f"{name} " for name in missing),
            "".join(f"{name} " for name in invalid),
        )

    def _warnings(self, session: UpdateSession, finding: Finding) -> builtins.list[dict[str, Any]]:
        behavior = {entry["type"]: entry["ignored"] for entry in session.warning_behavior or ()}
        return [
            {"type": kind, "message": text, "ignored": behavior.get(kind, False)}
            for kind, text in finding.warnings
            if self._is_raised(kind)
        ]

    def _is_raised(self, kind: str) -> bool:
        raised = self._seed.otherwise.get("self-signed-raises-two-warnings", "both")
        unraised = {
            "untrusted-alone": ("SELF_SIGNED_CERTIFICATE",),
            "self-signed-alone": ("UNTRUSTED_CERTIFICATE",),
            "neither": ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE"),
        }
        return kind not in unraised.get(raised, ())

    # -- what is answered

    @follows("session-without-id", "session-names-its-content-version")
    def describe(self, session: UpdateSession) -> dict[str, Any]:
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
        if session.warning_behavior is not None:
            model["warning_behavior"] = session.warning_behavior
        is_silent = self._seed.iso_preview == "absent" and session.item.type == "iso"
        if session.state == "ACTIVE" and self._seed.preview and not is_silent:
            model["preview_info"] = self._preview(session)
        return model

    @follows("ova-preview-when-whole", "ova-preview-unavailable")
    def _is_unread(self, entry: UpdateFile, now: float) -> bool:
        """Whether an OVA has no preview yet, in a world in which it is UNAVAILABLE until the server has read it."""
        if self._seed.ova_preview == "preparing":
            return False
        seconds = self._settle * (10 if self._seed.ova_preview == "long-unavailable" else 1)
        return entry.received_at is None or now < entry.received_at + self._arrival(entry) + seconds

    @follows("preview-while-active", "iso-preview", "iso-preview-state")
    def _preview(self, session: UpdateSession) -> dict[str, Any]:
        metadata = [entry for entry in session.files.values() if extension(entry.name) in ("ovf", "ova", "mf", "cert")]
        descriptors = [entry for entry in metadata if extension(entry.name) in ("ovf", "ova")]
        if not any(entry.started for entry in descriptors):
            is_image = self._seed.iso_preview == "not-applicable" and bool(session.files) and not metadata
            is_open = session.completing_since is None and not is_image
            return {"state": "UNAVAILABLE" if is_open else "NOT_APPLICABLE"}
        now = self._calendar.clock()
        if any(extension(entry.name) == "ova" and self._is_unread(entry, now) for entry in descriptors):
            return {"state": "UNAVAILABLE"}
        if any(
            entry.received_at is None or now < entry.received_at + self._arrival(entry) + self._settle
            for entry in metadata
        ):
            return {"state": "PREPARING"}
        finding = self._finding(session)
        info: dict[str, Any] = {"state": "AVAILABLE", "warnings": self._warnings(session, finding)}
        if finding.certificate_info is not None:
            info["certificate_info"] = finding.certificate_info
            if finding.cert_chain:
                info["cert_chain"] = list(finding.cert_chain)
        return info

    @follows("size-and-checksum-when-ready")
    def describe_file(self, entry: UpdateFile, origin: str) -> dict[str, Any]:
        status, lacks = self._status_shown(entry)
        model: dict[str, Any] = {
            "name": entry.name,
            "source_type": entry.source_type,
            "bytes_transferred": entry.bytes_transferred,
            "status": status,
            "keep_in_storage": extension(entry.name) not in NOT_STORED,
        }
        if not self._shows(entry) and status == "WAITING_FOR_TRANSFER":
            model["bytes_transferred"] = 0
        if status == "READY" and entry.size is not None and lacks != "size":
            model["size"] = entry.size
        if entry.source_type == "PUSH":
            model["upload_endpoint"] = {"uri": f"{origin}/cls/data/{entry.upload_id}/{quote(entry.name, safe='')}"}
        if entry.source_endpoint is not None:
            model["source_endpoint"] = entry.source_endpoint
        if status == "ERROR" and entry.error is not None:
            model["error_message"] = entry.error
        algorithm = self._reported_algorithm(entry)
        has_checksum = algorithm != "none" and entry.blob is not None and entry.members is None
        if status == "READY" and has_checksum and lacks != "checksum":
            assert entry.blob is not None
            model["checksum_info"] = {"algorithm": algorithm, "checksum": entry.blob.digest(algorithm)}
        return model

    @follows("ready-and-then-more")
    def _status_shown(self, entry: UpdateFile) -> tuple[str, str]:
        """The status of a file, and what is not shown of it yet; each time that a READY file is shown counts."""
        status = self.status(entry)
        if status != "READY" or entry.source_type == "NONE":
            return status, ""
        entry.shown_ready += 1
        if self._seed.ready_file == "checked-again" and entry.shown_ready == 2:
            return "VALIDATING", ""
        is_first = entry.shown_ready == 1 and self._seed.ready_file in ("checksum-later", "size-later")
        return status, self._seed.ready_file.partition("-")[0] if is_first else ""

    def _reported_algorithm(self, entry: UpdateFile) -> str:
        if self._seed.checksum_algorithm == "none":
            return "none"
        return entry.algorithm or self._seed.checksum_algorithm


def check_progress(progress: int) -> None:
    if not 0 <= progress <= 100:
        raise invalid_argument(CLS + "invalid_progress", "The progress {0} is not between 0 and 100.", str(progress))


def _check_checksum(name: str, algorithm: str, checksum: str) -> None:
    digits = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}[algorithm]
    if extension(name) == "ova":
        raise invalid_argument(
            CLS + "checksum_unsupported_for_ova", "A checksum can not be given for the OVA {0}.", name
        )
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", checksum):
        raise invalid_argument(CLS + "invalid_checksum", "{0} is not a {1} checksum.", checksum, algorithm)


@follows("storage-sources-need-a-privilege")
def check_source(seed: Seed, user: UserSeed, endpoint: Mapping[str, str]) -> dict[str, str]:
    """The checked source of a PULL, in the form that this server uses."""
    parts = urlsplit(endpoint["uri"])
    if parts.scheme not in ("http", "https", "ds", "file") or not (parts.netloc or parts.path):
        raise invalid_argument(CLS + "invalid_url_format", "The URL {0} is not valid.", endpoint["uri"])
    if parts.scheme in ("ds", "file") and "ContentLibrary.ReadStorage" not in user.privileges:
        raise unauthorized(user.name)
    if "ssl_certificate" in endpoint and seed.source_certificate == "unknown":
        raise invalid_argument(
            "vapi.data.structure.field.extra",
            "Structure {0} has the unexpected field {1}.",
            "source_endpoint",
            "ssl_certificate",
        )
    thumbprint = endpoint.get("ssl_certificate_thumbprint", "")
    digits = thumbprint.replace(":", "")
    kind = {40: "SHA1", 64: "SHA256"}.get(len(digits))
    if thumbprint and (kind not in seed.thumbprints or not re.fullmatch("[0-9A-Fa-f]+", digits)):
        raise invalid_argument(
            CLS + "invalid_thumbprint", "{0} is not a {1} thumbprint.", thumbprint, " or ".join(seed.thumbprints)
        )
    dropped = {"ssl_certificate"} if seed.source_certificate == "dropped" else set()
    return {name: value for name, value in endpoint.items() if name not in dropped}


def _not_received(name: str, status: str) -> ApiError:
    return ApiError(
        "NOT_ALLOWED_IN_CURRENT_STATE",
        message(
            CLS + "update_session_file_not_received",
            "File {0} has transfer errors or has not been fully received yet (status: {1}).",
            name,
            "WAITING" if status == "WAITING_FOR_TRANSFER" else status,
        ),
    )


@follows("failed-pull-text")
def _failed_import(session: UpdateSession, entry: UpdateFile, reason: Message) -> Message:
    if entry.source_type != "PULL":
        return reason
    text = "The import of library item {0} has failed. Error transferring file {1}. Reason: {2}"
    return message(CLS + "import_failed", text, session.item.id, entry.name, reason["default_message"])


def _never_added(name: str) -> Message:
    return message(CLS + "file_not_added", "File {0} is referenced by the descriptor, but was not added.", name)


def _judge_item(item: Item, finding: Finding, now: float) -> None:
    kinds = {kind for kind, _text in finding.warnings}
    if finding.certificate_info is None:
        item.verification = "NOT_AVAILABLE"
    elif kinds & {"EXPIRED_CERTIFICATE", "NOT_YET_VALID_CERTIFICATE"}:
        item.verification = "VERIFICATION_FAILURE"
    else:
        item.verification = "UNTRUSTED" if kinds else "VERIFIED"
    item.cert_chain = list(finding.cert_chain)
    item.verified_at = now
    item.compliant = not (item.library.seed.security_policy_id and kinds)
