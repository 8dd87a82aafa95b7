# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sessions: their states, their files, and what a completed one leaves in its item.

Choices where the published description leaves room:
- A raised warning that is not ignored does not refuse complete: it is answered with success, and the session turns
  to ERROR with an error_message that names the warning.
- On a library with a security policy, an unsigned package turns the session to ERROR the same way; one whose warnings
  are all ignored is taken, and leaves the item with ``security_compliance: false``.
- Missing references and files that have not been received refuse complete. Where a PULL is still under way this can
  only be seen later: the session then turns to ERROR.
- Files that the item already holds are files of the session with the source NONE, until it replaces or removes them.
- What is asked of a session while it is being completed is said nowhere, so the seed's ``while_completing`` chooses:
  another completion, a change or a file is "refused" for its state, refused with another text ("unexplained"), "busy"
  (but for validate, which is described with no such answer), or "accepted", which changes nothing.
- A session that expires is deleted.
- A client token is remembered for good: creating with it again names its session, even one that is deleted.
- A session of a user is visible by its id to everybody; only lists are limited to the caller's.
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
from .catalog import Catalog, Item, ItemFile, check_client_token, storage_size
from .clock import Calendar
from .descriptor import extension, manifest_digests, references, unpack
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
from .preview import Finding, inspect
from .seed import Seed, UserSeed

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
    breaks: Message | None = None
    breaks_at: float = 0.0


PullStarter = Callable[[UpdateSession, UpdateFile], None]


def session_id() -> str:
    return f"{uuid.uuid4()}:{uuid.uuid4()}"


class Updates:
    def __init__(self, seed: Seed, catalog: Catalog, calendar: Calendar, timeout: float, settle: float) -> None:
        self._seed = seed
        self._catalog = catalog
        self._calendar = calendar
        self._timeout = timeout
        self._settle = settle
        self._tokens: dict[str, str] = {}
        self.sessions: dict[str, UpdateSession] = {}
        self.start_pull: PullStarter | None = None

    # -- sessions

    def create(self, user: UserSeed, spec: Mapping[str, Any], client_token: str | None) -> str:
        check_client_token(client_token)
        known = self._tokens.get(f"{user.name} {client_token}") if client_token else None
        if known is not None:
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
        if any(entry.item is item and entry.state == "ACTIVE" for entry in self.sessions.values()):
            raise resource_busy(item.id)
        session = self.open(item, user.name, spec.get("warning_behavior"))
        if client_token:
            self._tokens[f"{user.name} {client_token}"] = session.id
        return session.id

    def open(self, item: Item, user: str, warning_behavior: builtins.list[dict[str, Any]] | None) -> UpdateSession:
        expires = self._calendar.clock() + self._timeout
        session = UpdateSession(
            session_id(), item, user, str(item.content_version), expires, self._known(warning_behavior)
        )
        self.sessions[session.id] = session
        return session

    def _known(self, warning_behavior: builtins.list[dict[str, Any]] | None) -> builtins.list[dict[str, Any]] | None:
        return warning_behavior if self._seed.preview else None

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

    def _completing(self, session: UpdateSession, operation: str) -> ApiError:
        if self._seed.while_completing == "busy" and operation != "validate":
            return resource_busy(session.item.id)
        if self._seed.while_completing == "unexplained":
            text = message(CLS + "operation_not_allowed", "The operation {0} is not allowed now.", operation)
            return ApiError("NOT_ALLOWED_IN_CURRENT_STATE", text)
        return wrong_state(operation, session.state, "The session is being completed.")

    def touch(self, session: UpdateSession) -> None:
        session.expires = self._calendar.clock() + self._timeout

    def update(self, identifier: str, spec: Mapping[str, Any]) -> None:
        session = self._filling(identifier, "update")
        if "warning_behavior" in spec and not self._seed.patch_ignored:
            session.warning_behavior = spec["warning_behavior"]

    def cancel(self, identifier: str) -> None:
        self._active(identifier, "cancel").state = "CANCELED"

    def fail(self, identifier: str, reason: str) -> None:
        session = self._active(identifier, "fail")
        self._break(session, message(CLS + "client_error", "{0}", reason))

    def keep_alive(self, identifier: str, progress: int | None) -> None:
        session = self._active(identifier, "keepAlive")
        if progress is not None:
            check_progress(progress)
            session.client_progress = progress
        self.touch(session)

    def delete(self, identifier: str) -> None:
        session = self.session(identifier)
        if session.state == "ACTIVE":
            raise wrong_state("delete", session.state, "")
        del self.sessions[identifier]

    def forget_item(self, item_id: str) -> None:
        for session in [entry for entry in self.sessions.values() if entry.item.id == item_id]:
            del self.sessions[session.id]

    def complete(self, identifier: str) -> None:
        session = self._filling(identifier, "complete")
        if session.completing_since is not None:
            return
        pulling = False
        for entry in session.files.values():
            status = self.status(entry)
            if entry.source_type == "PULL" and status != "ERROR":
                pulling = pulling or status != "READY"
            elif status != "READY":
                raise ApiError(
                    "NOT_ALLOWED_IN_CURRENT_STATE",
                    message(
                        CLS + "update_session_file_not_received",
                        "File {0} has transfer errors or has not been fully received yet (status: {1}).",
                        entry.name,
                        "WAITING" if status == "WAITING_FOR_TRANSFER" else status,
                    ),
                )
        missing = self._missing(session)
        if missing and not pulling:
            raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", _missing_message(missing))
        session.completing_since = self._calendar.clock()
        self.advance()

    # -- the passing of time

    def advance(self) -> None:
        now = self._calendar.clock()
        for session in list(self.sessions.values()):
            if session.state != "ACTIVE":
                continue
            if session.breaks is not None and now >= session.breaks_at:
                self._break(session, session.breaks)
            elif session.completing_since is not None and now <= session.expires:
                self._advance_completion(session, now)
            elif now > session.expires:
                del self.sessions[session.id]

    def _advance_completion(self, session: UpdateSession, now: float) -> None:
        assert session.completing_since is not None
        settled = session.completing_since + self._seed.completing_seconds
        for entry in session.files.values():
            status = self.status(entry)
            if status == "ERROR" and entry.error is not None:
                self._break(session, entry.error)
                return
            if status != "READY":
                return
            settled = max(settled, (entry.received_at or 0.0) + self._settle)
        if now < settled + self._settle:
            return
        self._finish(session)

    def _finish(self, session: UpdateSession) -> None:
        missing = self._missing(session)
        if missing:
            self._break(session, _missing_message(missing))
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
            _judge_item(session.item, finding)
        self._commit(session)
        session.state = "DONE"

    def _commit(self, session: UpdateSession) -> None:
        added: dict[str, Blob] = {}
        algorithms: dict[str, str] = {}
        for entry in session.files.values():
            assert entry.blob is not None
            contents = entry.members if entry.members is not None else {entry.name: entry.blob}
            for name, blob in contents.items():
                if extension(name) not in NOT_STORED:
                    added[name] = blob
                    algorithms[name] = self._reported_algorithm(entry)
        self._catalog.commit(session.item, added, algorithms, sorted(session.removed))

    def _break(self, session: UpdateSession, reason: Message) -> None:
        session.state = "ERROR"
        session.error_message = reason

    # -- files

    def add_file(self, user: UserSeed, identifier: str, spec: Mapping[str, Any]) -> UpdateFile:
        session = self._filling(identifier, "addFile")
        entry = self._new_file(user, spec)
        if extension(entry.name) in ("mf", "cert") and any(extension(name) == "ovf" for name in session.files):
            raise ApiError(
                "NOT_ALLOWED_IN_CURRENT_STATE",
                message(
                    CLS + "manifest_or_certificate_after_descriptor",
                    "The file {0} can not be added after the OVF descriptor.",
                    entry.name,
                ),
            )
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
        return entry

    def _pull(self, session: UpdateSession, entry: UpdateFile) -> None:
        assert entry.source_endpoint is not None
        uri = entry.source_endpoint["uri"]
        entry.started = True
        if urlsplit(uri).scheme == "ds":
            content = self._seed.datastores.get(uri)
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
        """The item's files as completing the session would leave them, the dropped ones included."""
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

    def validate(self, identifier: str) -> dict[str, Any]:
        session = self._filling(identifier, "validate")
        missing = self._missing(session)
        invalid = [
            {"name": entry.name, "error_message": entry.error}
            for entry in session.files.values()
            if self.status(entry) == "ERROR"
        ]
        return {"has_errors": bool(missing or invalid), "missing_files": missing, "invalid_files": invalid}

    def status(self, entry: UpdateFile) -> str:
        if entry.received_at is None:
            if entry.error is not None:
                return "ERROR"
            return "TRANSFERRING" if entry.started and self._shows(entry) else "WAITING_FOR_TRANSFER"
        elapsed = self._calendar.clock() - entry.received_at
        if elapsed >= self._settle:
            return "ERROR" if entry.error is not None else "READY"
        if not self._shows(entry):
            return "WAITING_FOR_TRANSFER"
        return "TRANSFERRING" if elapsed < self._settle / 2 else "VALIDATING"

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
        """Starts or restarts a file; the number tells a later restart from this one."""
        entry.started, entry.bytes_transferred, entry.received_at = True, 0, None
        entry.blob, entry.members, entry.error = None, None, None
        entry.generation += 1
        self.touch(session)
        return entry.generation

    def transferred(self, session: UpdateSession, entry: UpdateFile, count: int) -> None:
        entry.bytes_transferred = count
        self.touch(session)

    def digest_algorithms(self, session: UpdateSession, entry: UpdateFile) -> set[str]:
        """What to hash while the content of a file passes by."""
        wanted = {self._reported_algorithm(entry)}
        manifest = self._content_of(session, "mf")
        if manifest is not None:
            with contextlib.suppress(ValueError):
                wanted.add(manifest_digests(manifest).get(entry.name, ("none", ""))[0])
        return {name for name in wanted if name in HASHES}

    def received(
        self, session: UpdateSession, entry: UpdateFile, blob: Blob, members: dict[str, Blob] | None, fault: str = ""
    ) -> None:
        """All bytes of a file are here; what is wrong with them shows when the file has settled."""
        entry.blob, entry.members = blob, members
        entry.bytes_transferred = blob.size
        entry.received_at = self._calendar.clock()
        self.touch(session)
        entry.error = self._content_fault(entry, fault)
        entry.size = blob.size if entry.error is None else entry.size
        self._judge_package(session)

    def transfer_failed(self, session: UpdateSession, entry: UpdateFile, reason: Message) -> None:
        entry.error = reason
        self.touch(session)

    def break_transfer(self, session: UpdateSession, name: str, reason: str) -> None:
        """The server fails after it answered the PUT: the session goes to ERROR by itself."""
        session.breaks = message(
            CLS + "file_transfer_error",
            "Error transferring file {0} to ds:///vmfs/volumes/datastore1/contentlib/{0}: {1}",
            name,
            reason,
        )
        session.breaks_at = self._calendar.clock() + self._settle

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
                references(entry.blob.read(0, entry.blob.size))
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
        return inspect(pieces.get("mf"), pieces.get("cert"), digest_of, self._seed.trusted_roots, self._calendar.now())

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
        descriptor = self._content_of(session, "ovf")
        if descriptor is None:
            return []
        try:
            wanted = references(descriptor)
        except ValueError:
            return []
        kept = {name for name in session.item.files if name not in session.removed}
        present = set(session.files) | set(self._package(session)) | kept
        return [name for name in wanted if name not in present]

    def _warnings(self, session: UpdateSession, finding: Finding) -> builtins.list[dict[str, Any]]:
        behavior = {entry["type"]: entry["ignored"] for entry in session.warning_behavior or ()}
        return [
            {"type": kind, "message": text, "ignored": behavior.get(kind, False)} for kind, text in finding.warnings
        ]

    # -- what is answered

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
        if session.state == "ACTIVE" and self._seed.preview:
            model["preview_info"] = self._preview(session)
        return model

    def _preview(self, session: UpdateSession) -> dict[str, Any]:
        metadata = [entry for entry in session.files.values() if extension(entry.name) in ("ovf", "ova", "mf", "cert")]
        descriptors = [entry for entry in metadata if extension(entry.name) in ("ovf", "ova")]
        if not any(entry.started for entry in descriptors):
            return {"state": "UNAVAILABLE" if session.completing_since is None else "NOT_APPLICABLE"}
        now = self._calendar.clock()
        if any(entry.received_at is None or now < entry.received_at + 2 * self._settle for entry in metadata):
            return {"state": "PREPARING"}
        finding = self._finding(session)
        info: dict[str, Any] = {"state": "AVAILABLE", "warnings": self._warnings(session, finding)}
        if finding.certificate_info is not None:
            info["certificate_info"] = finding.certificate_info
            info["cert_chain"] = list(finding.cert_chain)
        return info

    def describe_file(self, entry: UpdateFile, origin: str) -> dict[str, Any]:
        status = self.status(entry)
        model: dict[str, Any] = {
            "name": entry.name,
            "source_type": entry.source_type,
            "bytes_transferred": entry.bytes_transferred,
            "status": status,
            "keep_in_storage": extension(entry.name) not in NOT_STORED,
        }
        if not self._shows(entry) and status == "WAITING_FOR_TRANSFER":
            model["bytes_transferred"] = 0
        if entry.size is not None:
            model["size"] = entry.size
        if entry.source_type == "PUSH":
            model["upload_endpoint"] = {"uri": f"{origin}/cls/data/{entry.upload_id}/{quote(entry.name, safe='')}"}
        if entry.source_endpoint is not None:
            model["source_endpoint"] = entry.source_endpoint
        if status == "ERROR" and entry.error is not None:
            model["error_message"] = entry.error
        algorithm = self._reported_algorithm(entry)
        if status == "READY" and algorithm != "none" and entry.blob is not None and entry.members is None:
            model["checksum_info"] = {"algorithm": algorithm, "checksum": entry.blob.digest(algorithm)}
        elif entry.checksum is not None:
            model["checksum_info"] = {"algorithm": entry.algorithm, "checksum": entry.checksum}
        return model

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


def check_source(seed: Seed, user: UserSeed, endpoint: Mapping[str, str]) -> dict[str, str]:
    """The source as this server understands it."""
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


def _missing_message(missing: list[str]) -> Message:
    return message(
        CLS + "session_has_missing_or_invalid_files",
        "The session has missing or invalid files: {0}.",
        ", ".join(missing),
    )


def _judge_item(item: Item, finding: Finding) -> None:
    kinds = {kind for kind, _text in finding.warnings}
    if finding.certificate_info is None:
        item.verification = "NOT_AVAILABLE"
    elif kinds & {"EXPIRED_CERTIFICATE", "NOT_YET_VALID_CERTIFICATE"}:
        item.verification = "VERIFICATION_FAILURE"
    else:
        item.verification = "UNTRUSTED" if kinds else "VERIFIED"
    item.cert_chain = list(finding.cert_chain)
    item.compliant = not (item.library.seed.security_policy_id and kinds)
