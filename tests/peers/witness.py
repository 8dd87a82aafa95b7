# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server does at each point on which vCenters differ, seen by plain requests: nothing of ours is asked.

Two servers are alike if a witness sees the same of both. A point is named as the world that decides it, or else as the
fact that it shows, and what is seen of it has the words of that world.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import io
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.harness.modules import Server
from tests.harness.packages import BARE_DESCRIPTOR, Package, make_package
from tests.simulator.likeness import OTHER, UNOBSERVED
from tests.unit.simulator.wire_client import TOKEN, Wire, wire_error, wire_messages

#: Of which a witness sees nothing in a few seconds, in an account that may do everything, with the address of an image.
OUT_OF_SIGHT = ("token-idle", "unprivileged-creation", "ova-from-url")
IGNORED = [{"type": kind, "ignored": True} for kind in ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE")]
EXTRA = "readme.txt"
#: How often to look for what a server does later, in seconds.
PAUSE = 0.01


class Unseen(Exception):
    """A server that does not do what has to come before a point shows nothing of the point."""


Look = Callable[["Witness"], str]
POINTS: dict[str, Look] = {}


def point(name: str) -> Callable[[Look], Look]:
    def register(look: Look) -> Look:
        POINTS[name] = look
        return look

    return register


class Witness:
    """Looks at a server in one dialect, in items of its own in the library `templates`.

    `url` is of a file that the server may pull, and `patience` the seconds in which something has to come.
    """

    def __init__(self, server: Server, dialect: str, folder: Path, url: str = "", patience: float = 3.0) -> None:
        self.server = server
        self.wire = Wire(server, dialect)
        self.url, self._patience = url, patience
        self.package: Package = make_package(folder / "package", disks=1, disk_bytes=9000, signed="self-signed")
        self._library = self._find("templates")
        self._items: list[str] = []
        self._sessions: list[tuple[str, str]] = []

    def see(self) -> dict[str, str]:
        """What is seen of each point."""
        return {name: self.look(look) for name, look in POINTS.items()}

    def look(self, look: Look) -> str:
        try:
            return look(self)
        except (Unseen, requests.RequestException):
            return UNOBSERVED
        finally:
            self._take_away()

    # -- what the points are made of

    def need(self, response: requests.Response) -> Any:
        """What an answer holds, if it is one of success."""
        self.need_answer(response)
        body = response.json() if response.content else None
        return body.get("value") if self.wire.dialect == "rest" and isinstance(body, dict) else body

    def item(self, kind: str = "iso", name: str = "") -> str:
        spec = {"name": name or f"witness-{uuid.uuid4()}", "type": kind, "library_id": self._library}
        self._items.append(str(self.need(self.wire.create_item(**spec))))
        return self._items[-1]

    def session(self, item: str, kind: str = "update-session", **spec: Any) -> str:
        return self.remember(str(self.need(self.wire.create(item, kind, **spec))), kind)

    def remember(self, session: str, kind: str = "update-session") -> str:
        """Take a session away later."""
        self._sessions.append((session, kind))
        return session

    def push(self, session: str, name: str, content: bytes) -> requests.Response:
        """The answer to a PUT."""
        uri = self.need(self.wire.add(session, name))["upload_endpoint"]["uri"]
        return self.wire.http.put(uri, data=content, headers={"Content-Type": "application/octet-stream"})

    def pushed(self, name: str = "tools.iso", content: bytes = b"an image" * 64, kind: str = "iso") -> str:
        """A session that was sent a file."""
        session = self.session(self.item(kind))
        self.need_answer(self.push(session, name, content))
        return session

    def need_answer(self, response: requests.Response) -> None:
        if response.status_code >= 300:
            raise Unseen(response.text)

    def file(self, session: str, name: str = "tools.iso") -> dict[str, Any]:
        found: dict[str, Any] = self.need(self.wire.file(session, name))
        return found

    def ready(self, session: str, name: str = "tools.iso") -> dict[str, Any]:
        """The file when it is first seen READY."""
        return self.until(lambda: self.file(session, name), lambda found: found.get("status") == "READY")

    def arrived(self, session: str, name: str = "tools.iso") -> None:
        """Wait for a file, but not where the server never says that one is READY."""
        if self.file(session, name).get("status") in ("TRANSFERRING", "VALIDATING"):
            self.ready(session, name)

    def until(self, read: Callable[[], dict[str, Any]], is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            found = read()
            if is_there(found):
                return found
            time.sleep(5 * PAUSE)
        raise Unseen("it has not come")

    def model(self, session: str) -> dict[str, Any]:
        found: dict[str, Any] = self.need(self.wire.get(session))
        return found

    def preview(self, session: str, state: str = "AVAILABLE") -> dict[str, Any]:
        if "preview_info" not in self.model(session):
            raise Unseen("there are no previews")
        wanted = self.until(
            lambda: self.model(session), lambda model: model.get("preview_info", {}).get("state") == state
        )
        found: dict[str, Any] = wanted["preview_info"]
        return found

    def signed(self, **spec: Any) -> str:
        """A session that holds a package whose signer vouches for itself."""
        session = self.session(self.item("ovf"), **spec)
        for path in self.package.files:
            self.need_answer(self.push(session, path.name, path.read_bytes()))
        for path in self.package.files:
            self.arrived(session, path.name)
        return session

    def complete(self, session: str) -> None:
        self.need_answer(self.wire.act(session, "complete"))
        self.until(lambda: self.model(session), lambda model: model["state"] != "ACTIVE")

    def published(self) -> str:
        """An item that holds tools.iso."""
        session = self.pushed()
        self.arrived(session)
        self.complete(session)
        return self.newest

    def prepared(self) -> tuple[str, str]:
        """A download session, and the address of its file."""
        session = self.session(self.published(), "download-session")
        self.need(self.wire.prepare(session, "tools.iso"))
        found = self.until(
            lambda: self.need(self.wire.download_file(session, "tools.iso")),
            lambda file: file.get("status") == "PREPARED",
        )
        return session, str(found["download_endpoint"]["uri"])

    def while_completing(self, ask: Callable[[str], requests.Response]) -> requests.Response:
        """The answer to a request about a session that the server is completing; Unseen if the server was too quick."""
        session = self.pushed()
        self.ready(session)
        with self._another() as other:
            asked = threading.Thread(target=lambda: other.act(session, "complete"))
            asked.start()
            time.sleep(5 * PAUSE)
            was_under_way = asked.is_alive() or self.model(session)["state"] == "ACTIVE"
            answer = ask(session)
            is_under_way = asked.is_alive() or self.model(session)["state"] == "ACTIVE"
            asked.join()
        if not was_under_way or not (is_under_way or answer.status_code < 300):
            raise Unseen("the session was done before it could be asked about")
        return answer

    @contextlib.contextmanager
    def _another(self) -> Iterator[Wire]:
        """The same login by connections of its own, as a server may answer one request of a connection at a time."""
        other = Wire(self.server, self.wire.dialect, log_in=False)
        other.http.headers[TOKEN] = self.wire.token
        yield other
        other.http.close()

    def speaks(self, dialect: str) -> bool:
        other = Wire(self.server, dialect, log_in=False)
        with contextlib.closing(other.http):
            answer = other.log_in(self.server.username, self.server.password)
            try:
                body = answer.json()
            except ValueError:
                return False
            token = body.get("value") if isinstance(body, dict) else body
            if answer.status_code >= 300 or not isinstance(token, str):
                return False
            other.http.headers[TOKEN] = token
            other.call("DELETE", other.session_path)
        return True

    # -- items of its own

    @property
    def newest(self) -> str:
        return self._items[-1]

    def held(self, item: str) -> list[dict[str, Any]]:
        """The files of an item."""
        found: list[dict[str, Any]] = self.need(self.wire.item_files(item)) or []
        return found

    def _find(self, name: str) -> str:
        path = "/rest/com/vmware/content/library?~action=find"
        spec: dict[str, Any] = {"spec": {"name": name}}
        if self.wire.dialect == "api":
            path, spec = "/api/content/library?action=find", {"name": name}
        (found,) = self.need(self.wire.call("POST", path, spec))
        return str(found)

    def _take_away(self) -> None:
        for session, kind in self._sessions:
            with contextlib.suppress(requests.RequestException):
                self.wire.act(session, "cancel", kind=kind)
                self.wire.delete(session, kind)
        for item in self._items:
            with contextlib.suppress(requests.RequestException):
                self.wire.delete_item(item)
        self._sessions, self._items = [], []


# -- logins and addresses


@point("old-api")
def old_api(witness: Witness) -> str:
    login = (witness.server.username, witness.server.password)
    answer = witness.wire.http.post(f"{witness.wire.origin}/api/session", auth=login, allow_redirects=False)
    if answer.status_code == 201:
        raise Unseen("it has /api")
    kinds = {400: "400", 405: "405", 302: "redirect", 200: "json-rpc", 404: "plain-404"}
    is_json = "json" in answer.headers.get("Content-Type", "")
    return "json-404" if answer.status_code == 404 and is_json else kinds.get(answer.status_code, OTHER)


@point("two-dialects")
def two_dialects(witness: Witness) -> str:
    spoken = [dialect for dialect in ("api", "rest") if witness.speaks(dialect)]
    return {1: f"{spoken[0]}-only", 2: "both"}[len(spoken)]


def unauthenticated(witness: Witness) -> requests.Response:
    """The refusal of a request without a login."""
    with contextlib.closing(Wire(witness.server, witness.wire.dialect, log_in=False).http) as stranger:
        path = {"api": "/api", "rest": "/rest/com/vmware"}[witness.wire.dialect]
        return stranger.get(f"{witness.wire.origin}{path}/content/library/item/update-session")


@point("authentication-required-id")
def authentication_required_id(witness: Witness) -> str:
    try:
        (named, *_others) = wire_messages(unauthenticated(witness))
    except (ValueError, KeyError):
        return OTHER
    kinds = {
        "com.vmware.vapi.endpoint.method.authentication.required": "endpoint-id",
        "vapi.method.authentication.required": "old-id",
    }
    return kinds.get(named["id"], OTHER)


@point("challenge-in-refused-login")
def challenge(witness: Witness) -> str:
    try:
        body = unauthenticated(witness).json()
    except ValueError:
        return "absent"
    return "there" if "challenge" in body or "challenge" in body.get("value", {}) else "absent"


@point("rest-error-type")
def rest_error_type(witness: Witness) -> str:
    if witness.wire.dialect != "rest":
        raise Unseen("only /rest has two places")
    refused = witness.wire.get(str(uuid.uuid4()))
    try:
        value = refused.json()["value"]
    except (ValueError, KeyError):
        return OTHER
    return "repeated" if "error_type" in value else "outside-only"


@point("endpoint-name")
def endpoint_name(witness: Witness) -> str:
    added = witness.need(witness.wire.add(witness.session(witness.item()), "tools.iso"))
    named = urlsplit(added["upload_endpoint"]["uri"]).hostname
    return "as-asked" if named == witness.server.hostname else "primary"


@point("rest-empty-list")
def rest_empty_list(witness: Witness) -> str:
    if witness.wire.dialect != "rest":
        raise Unseen("only /rest has several ways")
    body = witness.wire.list().json()
    return {"[]": "[]", "None": "null", "gone": "{}"}.get(str(body.get("value", "gone")), OTHER)


# -- sessions


@point("session-ids")
def session_ids(witness: Witness) -> str:
    return "two-parts" if ":" in witness.session(witness.item()) else "one-part"


@point("session-id")
def session_id(witness: Witness) -> str:
    return "shown" if witness.model(witness.session(witness.item())).get("id") else "left-out"


@point("reading-extends")
def reading_extends(witness: Witness) -> str:
    session = witness.session(witness.item())
    before = witness.model(session).get("expiration_time")
    if before is None:
        raise Unseen("nothing says when it expires")
    time.sleep(10 * PAUSE)
    witness.need_answer(witness.wire.files(session))
    witness.model(session)
    return "no" if witness.model(session)["expiration_time"] == before else "yes"


@point("busy-text")
def busy_text(witness: Witness) -> str:
    item = witness.item()
    session = witness.session(item)
    refused = witness.wire.create(item)
    if refused.status_code < 300:
        raise Unseen("it takes two sessions")
    return "session" if session in refused.text else "item" if item in refused.text else OTHER


@point("one-active-session")
def one_active_session(witness: Witness) -> str:
    item = witness.item()
    witness.session(item)
    second = witness.wire.create(item)
    if second.status_code < 300:
        witness.remember(str(witness.need(second)))
        return "allowed"
    return "refused"


@point("active-session-is-not-deleted")
def active_session_is_not_deleted(witness: Witness) -> str:
    session = witness.session(witness.item())
    return "deleted" if witness.wire.delete(session).status_code < 300 else "refused"


@point("patch-changes-warnings-only")
def patch(witness: Witness) -> str:
    session = witness.session(witness.item("ovf"))
    answer = witness.wire.patch(session, warning_behavior=IGNORED)
    if answer.status_code >= 300:
        return "not-found" if answer.status_code in (404, 405) else OTHER
    return "set" if witness.model(session).get("warning_behavior") == IGNORED else "ignored"


@point("sessions-expire")
def sessions_expire(witness: Witness) -> str:
    """By the clock of the server itself."""
    answer = witness.wire.get(witness.session(witness.item()))
    expires = witness.need(answer).get("expiration_time")
    if not expires or "Date" not in answer.headers:
        raise Unseen("nothing says when it expires")
    left = (
        datetime.datetime.fromisoformat(expires.replace("Z", "+00:00"))
        - email.utils.parsedate_to_datetime(answer.headers["Date"])
    ).total_seconds()
    return "five-minutes" if 290 <= left <= 310 else "sooner" if left < 290 else "later"


@point("client-token-is-idempotent")
def client_token_is_idempotent(witness: Witness) -> str:
    item, token = witness.item(), str(uuid.uuid4())
    first = witness.remember(str(witness.need(witness.wire.create(item, token=token))))
    again = witness.wire.create(item, token=token)
    if again.status_code >= 300:
        return "refused"
    return "same-session" if witness.remember(str(witness.need(again))) == first else "another-session"


@point("client-token")
def client_token(witness: Witness) -> str:
    """A server that remembers a token for a time seems to remember it for good."""
    item, token = witness.item(), str(uuid.uuid4())
    first = witness.remember(str(witness.need(witness.wire.create(item, token=token))))
    if witness.need(witness.wire.create(item, token=token)) != first:
        raise Unseen("it does not know client tokens")
    witness.need_answer(witness.wire.act(first, "cancel"))
    witness.need_answer(witness.wire.delete(first))
    named = str(witness.need(witness.wire.create(item, token=token)))
    witness.remember(named)
    return "until-deletion" if witness.wire.get(named).status_code < 300 else "for-good"


@point("item-names")
def item_names(witness: Witness) -> str:
    """By a name of more than 80 characters."""
    try:
        witness.item(name=f"witness-{uuid.uuid4()}".ljust(90, "x"))
    except Unseen:
        return "refused"
    return "taken"


# -- files that are pushed


@point("put-answer")
def put_answer(witness: Witness) -> str:
    status = witness.push(witness.session(witness.item()), "tools.iso", b"content").status_code
    return str(status) if status in (200, 201, 204) else OTHER


@point("arrival")
def arrival(witness: Witness) -> str:
    """OTHER if a file is there after the completion of its session, and was never READY before."""
    session = witness.pushed()
    at_once = witness.file(session).get("status") == "READY"
    if arrives(witness, session) != "READY":
        return OTHER
    return "with-its-answer" if at_once else "later"


def arrives(witness: Witness, session: str) -> str:
    """The last status of a file before it is there; Unseen if it is not."""
    try:
        return str(witness.ready(session)["status"])
    except Unseen:
        status = str(witness.file(session).get("status"))
        witness.complete(session)
        if not witness.held(witness.newest):
            raise
        return status


@point("pushed-file")
def pushed_file(witness: Witness) -> str:
    session = witness.pushed()
    try:
        arrives(witness, session)
    except Unseen:
        return "stays-waiting" if witness.file(session).get("status") == "WAITING_FOR_TRANSFER" else OTHER
    return "arrives"


@point("ready-file")
def ready_file(witness: Witness) -> str:
    session = witness.pushed()
    first = witness.ready(session)
    later = [witness.file(session) for _again in range(3)]
    if any(file.get("status") != "READY" for file in later):
        return "checked-again"
    for value, field in (("checksum-later", "checksum_info"), ("size-later", "size")):
        if first.get(field) is None and any(file.get(field) is not None for file in later):
            return value
    return "stays"


@point("manifest-before-descriptor")
def manifest_before_descriptor(witness: Witness) -> str:
    package = witness.package
    session = witness.pushed(package.descriptor.name, package.descriptor.read_bytes(), "ovf")
    return "taken" if witness.wire.add(session, package.manifest.name).status_code < 300 else "refused"


@point("descriptor-entries")
def descriptor_entries(witness: Witness) -> str:
    session = witness.pushed("bare.ovf", BARE_DESCRIPTOR, "ovf")
    witness.arrived(session, "bare.ovf")
    names = [file["name"] for file in witness.need(witness.wire.files(session)) or []]
    return "created" if "disk.vmdk" in names else "none"


# -- previews


@point("preview-while-active")
def preview_while_active(witness: Witness) -> str:
    session = witness.pushed("bare.ovf", BARE_DESCRIPTOR, "ovf")
    return "there" if "preview_info" in witness.model(session) else "absent"


@point("self-signed-raises-two-warnings")
def self_signed(witness: Witness) -> str:
    raised = {warning["type"].partition("_")[0] for warning in witness.preview(witness.signed()).get("warnings") or []}
    if len(raised) < 2:
        return {"SELF": "self-signed-alone", "UNTRUSTED": "untrusted-alone", "": "neither"}.get("".join(raised), OTHER)
    return "both" if raised == {"SELF", "UNTRUSTED"} else OTHER


@point("chain-is-base64")
def chain(witness: Witness) -> str:
    found = witness.preview(witness.signed()).get("cert_chain") or []
    return "absent" if not found else "pem" if found[0].startswith("-----BEGIN") else "base64"


@point("iso-preview")
def iso_preview(witness: Witness) -> str:
    if preview_while_active(witness) == "absent":
        raise Unseen("there are no previews at all")
    session = witness.pushed()
    witness.arrived(session)
    state = witness.model(session).get("preview_info", {"state": "absent"}).get("state")
    return {"UNAVAILABLE": "unavailable", "NOT_APPLICABLE": "not-applicable", "absent": "absent"}.get(state, OTHER)


@point("x509")
def x509(witness: Witness) -> str:
    shown = witness.preview(witness.signed())
    text = shown.get("certificate_info", {}).get("x509", "")
    if not text:
        return "none" if shown.get("warnings") else OTHER
    return "pem" if text.startswith("-----BEGIN") else "base64"


@point("warning-texts")
def warning_texts(witness: Witness) -> str:
    warnings = witness.preview(witness.signed()).get("warnings") or []
    if not warnings:
        raise Unseen("it does not warn")
    return "named" if any(warning["message"].get("args") for warning in warnings) else "bare"


@point("ova-preview")
def ova_preview(witness: Witness) -> str:
    """A server that is UNAVAILABLE for long seems like one that is so for a moment."""
    session = witness.pushed("box.ova", ova(witness.package), "ovf")
    if "preview_info" not in witness.model(session):
        raise Unseen("there are no previews")
    state = witness.model(session)["preview_info"]["state"]
    return {"UNAVAILABLE": "unavailable", "PREPARING": "preparing", "AVAILABLE": "preparing"}.get(state, OTHER)


def ova(package: Package) -> bytes:
    """The package without its signature as one archive, with a file that the descriptor does not reference."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in (package.descriptor, *package.disks):
            archive.add(path, path.name)
        extra = tarfile.TarInfo(EXTRA)
        extra.size = 5
        archive.addfile(extra, io.BytesIO(b"hello"))
    return stream.getvalue()


# -- completing


@point("completion-needs-received-files")
def completion_needs_received_files(witness: Witness) -> str:
    session = witness.session(witness.item())
    witness.need(witness.wire.add(session, "tools.iso"))
    return "accepted" if witness.wire.act(session, "complete").status_code < 300 else "refused"


@point("references-must-be-there")
def references_must_be_there(witness: Witness) -> str:
    session = witness.pushed("bare.ovf", BARE_DESCRIPTOR, "ovf")
    witness.arrived(session, "bare.ovf")
    return "taken" if witness.wire.act(session, "complete").status_code < 300 else "refused"


@point("item-file-sha1")
def item_file_sha1(witness: Witness) -> str:
    (held,) = witness.held(witness.published())
    return str((held.get("checksum_info") or {}).get("algorithm", "none"))


@point("item-version-stays")
def item_version_stays(witness: Witness) -> str:
    item = witness.item()
    before = witness.need(witness.wire.item(item)).get("version")
    if before is None:
        raise Unseen("items have no version")
    session = witness.session(item)
    witness.need_answer(witness.push(session, "tools.iso", b"content"))
    witness.arrived(session)
    witness.complete(session)
    return "stays" if witness.need(witness.wire.item(item))["version"] == before else "moves"


@point("manifest-is-not-stored")
def manifest_is_not_stored(witness: Witness) -> str:
    witness.complete(witness.signed(warning_behavior=IGNORED))
    names = {file["name"].rpartition(".")[2] for file in witness.held(witness.newest)}
    return "kept" if names & {"mf", "cert"} else "dropped"


@point("ova-is-unpacked")
def ova_is_unpacked(witness: Witness) -> str:
    return "kept-whole" if "box.ova" in ova_names(witness) else "unpacked"


def ova_names(witness: Witness) -> list[str]:
    """The files of an item to which an OVA was pushed."""
    session = witness.pushed("box.ova", ova(witness.package), "ovf")
    witness.arrived(session, "box.ova")
    witness.complete(session)
    return [file["name"] for file in witness.held(witness.newest)]


@point("completion")
def completion(witness: Witness) -> str:
    session = witness.pushed()
    witness.arrived(session)
    witness.need_answer(witness.wire.act(session, "complete"))
    return {"DONE": "when-done", "ACTIVE": "at-once"}.get(witness.model(session)["state"], OTHER)


@point("meanwhile")
def meanwhile(witness: Witness) -> str:
    answer = witness.while_completing(lambda session: witness.wire.act(session, "complete"))
    if answer.status_code < 300:
        return "accepted"
    if wire_error(answer) == "RESOURCE_BUSY":
        return "busy"
    named = any(len(message.get("args", [])) > 1 for message in wire_messages(answer))
    return "refused" if named else "unexplained"


@point("cancel-meanwhile")
def cancel_meanwhile(witness: Witness) -> str:
    answer = witness.while_completing(lambda session: witness.wire.act(session, "cancel"))
    return "accepted" if answer.status_code < 300 else "refused"


@point("unignored-warning")
def unignored_warning(witness: Witness) -> str:
    session = witness.signed()
    if not witness.preview(session).get("warnings"):
        raise Unseen("it does not warn")
    answer = witness.wire.act(session, "complete")
    witness.until(lambda: witness.model(session), lambda model: model["state"] == "ERROR")
    return "fails-later" if answer.status_code < 300 else "refuses"


@point("verification")
def verification(witness: Witness) -> str:
    witness.complete(witness.signed(warning_behavior=IGNORED))
    item = witness.need(witness.wire.item(witness.newest))
    found = item.get("certificate_verification_info", {}).get("status")
    if found is None:
        raise Unseen("it says nothing of it")
    return "later" if found == "VERIFICATION_IN_PROGRESS" else "at-once"


@point("ova-members")
def ova_members(witness: Witness) -> str:
    names = ova_names(witness)
    if "box.ova" in names:
        raise Unseen("it does not unpack")
    return "kept" if EXTRA in names else "dropped"


# -- files that are fetched


@point("range")
def ranges(witness: Witness) -> str:
    _session, uri = witness.prepared()
    answer = witness.wire.http.get(uri, headers={"Range": "bytes=1-3"})
    return {206: "honoured", 200: "ignored"}.get(answer.status_code, OTHER)


@point("download-checksum-when-fetched")
def download_checksum(witness: Witness) -> str:
    session, uri = witness.prepared()
    if witness.need(witness.wire.download_file(session, "tools.iso")).get("checksum_info"):
        return "before"
    witness.need_answer(witness.wire.http.get(uri))
    later = witness.need(witness.wire.download_file(session, "tools.iso"))
    return "when-fetched" if later.get("checksum_info") else "never"


@point("download-address")
def download_address(witness: Witness) -> str:
    session, uri = witness.prepared()
    witness.need_answer(witness.wire.http.get(uri))
    witness.need_answer(witness.wire.act(session, "cancel", kind="download-session"))
    return "outlives-it" if witness.wire.http.get(uri).status_code < 300 else "ends-with-it"


# -- files that the server fetches


@point("probe-exists")
def probe_exists(witness: Witness) -> str:
    answer = witness.wire.probe(uri=witness.url or "https://127.0.0.1:1/tools.iso")
    return "answered" if answer.status_code < 300 else "not-found" if answer.status_code == 404 else OTHER


@point("pull-stays-active")
def pull_stays_active(witness: Witness) -> str:
    session = witness.session(witness.item())
    certificate = probed(witness).get("ssl_thumbprint", "")
    source = {"uri": witness.url, "ssl_certificate_thumbprint": certificate}
    witness.need(witness.wire.add(session, "tools.iso", source_type="PULL", source_endpoint=source))
    witness.ready(session)
    return {"ACTIVE": "active", "DONE": "done"}.get(witness.model(session)["state"], OTHER)


@point("probe-answer")
def probe_answer(witness: Witness) -> str:
    found = probed(witness)
    told = [name for name in ("thumbprint", "certificate") if found.get(f"ssl_{name}")]
    return {1: told[0], 2: "both"}[len(told)] if told else OTHER


@point("pin")
def pin(witness: Witness) -> str:
    digits = probed(witness).get("ssl_thumbprint", "").replace(":", "")
    if not digits:
        raise Unseen("it tells no thumbprint")
    return {40: "sha1", 64: "sha256"}.get(len(digits), OTHER)


@point("certificate-as-pin")
def certificate_as_pin(witness: Witness) -> str:
    """By the certificate that a probe shows."""
    certificate = probed(witness).get("ssl_certificate")
    if not certificate:
        raise Unseen("the probe shows no certificate")
    session = witness.session(witness.item())
    source = {"uri": witness.url, "ssl_certificate": certificate}
    answer = witness.wire.add(session, "tools.iso", source_type="PULL", source_endpoint=source)
    if answer.status_code >= 300:
        return "refused"
    witness.ready(session)
    return "taken"


@point("untrusted-source")
def untrusted_source(witness: Witness) -> str:
    if not witness.url.startswith("https:"):
        raise Unseen("no address was given")
    session = witness.session(witness.item())
    witness.need(witness.wire.add(session, "tools.iso", source_type="PULL", source_endpoint={"uri": witness.url}))
    try:
        found = witness.until(lambda: witness.file(session), lambda file: file.get("status") in ("READY", "ERROR"))
    except Unseen:
        return "hangs"
    if found["status"] == "READY":
        raise Unseen("it trusts the source")
    return "refused"


def probed(witness: Witness) -> dict[str, Any]:
    if not witness.url.startswith("https:"):
        raise Unseen("no address was given")
    answer = witness.wire.probe(uri=witness.url)
    if answer.status_code >= 300:
        raise Unseen("there is no probe")
    found: dict[str, Any] = answer.json()["value"]
    return found
