# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server holds when it starts, and how it deviates from a current vCenter.

As YAML (every key may be left out; ``libraries`` and ``users`` then keep their defaults):

    libraries:
      - name: templates            # names need not be unique
        type: LOCAL                # or SUBSCRIBED
        description: ""
        id: 0b...                  # made up when left out
        security_policy_id: ...    # a library with one takes signed OVF content only
        storage_uri: ""            # nfs://... of a library that no datastore backs
        published: false           # whether other libraries may subscribe to it
        items:
          - name: rocky9
            type: ovf                  # or iso, or vm-template, which takes no sessions
            description: ""
            id: ...
            cached: true               # false: the files are not on the library's storage, and their size is 0
            backing: there             # or "gone": from its datastore, so that no file can be added
            in_use: false              # true: it can not be deleted
            verification: NOT_AVAILABLE
            created: "2026-11-23T12:00:00.000Z"     # when the server started, if left out
            modified: "2026-11-23T12:01:00.000Z"    # when it was created, if left out
            files:
              - {name: tools.iso, size: 65536}     # that many bytes that depend on the name only
              - {name: note.txt, text: hello}
              - {name: disk.vmdk, path: /some/file}
    users:
      - name: administrator@vsphere.local
        password: ...
        privileges: [ContentLibrary.UpdateSession, ...]    # all when left out
        permission: global         # or "vcenter": only on the vCenter object, so that the privileges do not count
    datastores:                    # the ds:// sources that can be pulled
      - {uri: "ds:///vmfs/volumes/a/rocky9.iso", size: 65536}
    free_space: 1099511627776      # bytes of the datastore that backs the libraries; -1: nobody can reach it
    version: 8.0.2                 # as the SOAP interface says it
    trusted_roots: ["-----BEGIN CERTIFICATE-----..."]
    dialects: [api, rest]          # an old server has only rest
    old_api: plain-404             # what a server without /api answers there: or json-404, 400, 405, redirect, json-rpc
    checksum_algorithm: SHA1       # SHA256, SHA512, MD5, or none: the server reports no checksum
    rest_empty_list: "[]"          # or "null", or "{}": how /rest writes an empty list
    omit_session_id: false         # true: the answer to get has no id
    preview: true                  # false: a server from before preview_info and warning_behavior
    transfers_shown: true          # false: a pushed file stays WAITING, without bytes, until it is READY
    arrival: with-its-answer       # or "later": a pushed file is READY some time after its PUT was answered
    completion: when-done          # or "at-once": where all was pushed, complete is answered before the item is updated
    ready_file: stays              # or checksum-later, size-later: not at first; checked-again: VALIDATING once more
    descriptor_entries: true       # false: a descriptor creates no entries for the files that it references
    ended_seconds: 3600            # how long a session that has ended stays
    login_limit: 550               # how many logins each user may have
    logins_together: 0             # how many all users may have together, if that is what counts
    token_idle_seconds: 1800       # how long a login may be idle
    token_seconds: 86400           # how long a login lives
    warning_texts: bare            # or "named": with the certificate, parameters and a localized text
    x509: pem                      # or "base64": without the first and the last line of PEM, or "none"
    chain: base64                  # or "pem", or "absent"
    reading_extends: false         # true: to read a session or its files extends it
    lost_puts: false               # true: a pushed file stays WAITING, though its PUT was answered with success
    silent_puts: false             # true: the server has a pushed file, and its status stays WAITING all the same
    put_status: 200                # the status of the answer to a PUT
    iso_preview: unavailable       # what the session of an ISO has: or not-applicable, or absent
    ova_preview: preparing         # or unavailable, or long-unavailable: for ten times as long
    ova_extras: kept               # or "dropped": members that the descriptor does not reference
    token_memory: for-good         # how long a client token counts: or for-a-time, or until-deletion
    cancel_meanwhile: accepted     # or "refused": a cancellation while the server completes the session
    unignored_warning: fails-later # or "refuses": complete itself is refused, when the session has failed
    busy_text: item                # or "session": what the refusal of a second session names
    long_names: taken              # or "refused": names of items with more than 80 characters, or with a slash
    download_outlives: false       # true: a download address can be fetched from after its session
    session_ids: two-parts         # or one-part, made from the client token
    rest_error_type: true          # false: an error of /rest has its type only outside
    old_authentication: false      # true: the refusal of a missing login has another id and no challenge
    endpoint_name: primary         # what addresses of content carry: the server's own name; or "as-asked": the client's
    unprivileged_creation: refused # or "empty": a user without the privilege gets an empty identifier
    imports: allowed               # or "unauthorized": as where the certificate of the vCenter has expired
    verification: at-once          # or "later": VERIFICATION_IN_PROGRESS for a time after a completion
    completing_seconds: 0          # how long the completion of a session takes at least
    while_completing: refused      # the answer to requests meanwhile: refused, unexplained, busy or accepted
    patch_ignored: false           # true: PATCH of a session answers success and changes nothing
    probe: true                    # false: the probe of a PULL source answers 404
    probe_answer: thumbprint       # what the probe reports of a source: or certificate, or both
    thumbprint_algorithm: SHA1     # which hash the probe reports, SHA1 or SHA256
    thumbprints: [SHA1]            # which hashes a PULL source may be pinned with
    source_certificate: unknown    # a server from before 9.0 refuses the field; or "known", or "dropped": ignores it
    untrusted_source: hangs        # or "refused"
    ova_from_url: true             # false: an OVA can not be pulled
    ranges: true                   # false: the data service ignores Range
    otherwise: {}                  # facts that are not so here, each with a word of otherwise.py
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .otherwise import require_known

ADMINISTRATOR = "administrator@vsphere.local"
VIEWER = "viewer@vsphere.local"
PASSWORD = "Canary-7f3kQ2"
PRIVILEGES = (
    "ContentLibrary.AddLibraryItem",
    "ContentLibrary.UpdateLibraryItem",
    "ContentLibrary.DeleteLibraryItem",
    "ContentLibrary.UpdateSession",
    "ContentLibrary.DownloadSession",
    "ContentLibrary.ReadStorage",
)


@dataclass(frozen=True)
class ItemSeed:
    name: str
    type: str = "iso"
    files: Mapping[str, bytes] = field(default_factory=dict)
    description: str = ""
    id: str = ""
    cached: bool = True
    verification: str = "NOT_AVAILABLE"
    #: Whether its content is still on the datastore, and whether something uses it, so that it can not be deleted.
    backing: str = "there"
    in_use: bool = False
    #: Times as the API writes them.
    created: str = ""
    modified: str = ""


@dataclass(frozen=True)
class LibrarySeed:
    name: str
    items: tuple[ItemSeed, ...] = ()
    type: str = "LOCAL"
    description: str = ""
    id: str = ""
    security_policy_id: str = ""
    storage_uri: str = ""
    published: bool = False


@dataclass(frozen=True)
class UserSeed:
    name: str
    password: str = PASSWORD
    privileges: tuple[str, ...] = PRIVILEGES
    #: A role on the vCenter object alone gives no privileges of the content library.
    permission: str = "global"


def filler(name: str, size: int) -> bytes:
    """Bytes that depend only on the name, so that two servers hold the same file."""
    return hashlib.shake_256(name.encode()).digest(size)


DEFAULT_LIBRARIES = (
    LibrarySeed("templates", (ItemSeed("rocky9", "ovf"), ItemSeed("tools", "iso"))),
    LibrarySeed("mirror", (ItemSeed("synced", "iso", {"synced.iso": filler("synced.iso", 65536)}),), type="SUBSCRIBED"),
)
DEFAULT_USERS = (
    UserSeed(ADMINISTRATOR),
    UserSeed(VIEWER, privileges=tuple(name for name in PRIVILEGES if name != "ContentLibrary.UpdateSession")),
)


@dataclass(frozen=True)
class Seed:
    libraries: tuple[LibrarySeed, ...] = DEFAULT_LIBRARIES
    users: tuple[UserSeed, ...] = DEFAULT_USERS
    datastores: Mapping[str, bytes] = field(default_factory=dict)
    free_space: int = 1 << 40
    version: str = "8.0.2"
    trusted_roots: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ("api", "rest")
    old_api: str = "plain-404"
    checksum_algorithm: str = "SHA1"
    rest_empty_list: str = "[]"
    omit_session_id: bool = False
    preview: bool = True
    transfers_shown: bool = True
    arrival: str = "with-its-answer"
    completion: str = "when-done"
    ready_file: str = "stays"
    descriptor_entries: bool = True
    ended_seconds: float = 3600.0
    login_limit: int = 550
    logins_together: int = 0
    token_idle_seconds: float = 1800.0
    token_seconds: float = 86400.0
    warning_texts: str = "bare"
    x509: str = "pem"
    chain: str = "base64"
    reading_extends: bool = False
    lost_puts: bool = False
    silent_puts: bool = False
    put_status: int = 200
    iso_preview: str = "unavailable"
    ova_preview: str = "preparing"
    ova_extras: str = "kept"
    token_memory: str = "for-good"
    cancel_meanwhile: str = "accepted"
    unignored_warning: str = "fails-later"
    busy_text: str = "item"
    long_names: str = "taken"
    download_outlives: bool = False
    session_ids: str = "two-parts"
    rest_error_type: bool = True
    old_authentication: bool = False
    endpoint_name: str = "primary"
    unprivileged_creation: str = "refused"
    imports: str = "allowed"
    verification: str = "at-once"
    completing_seconds: float = 0.0
    while_completing: str = "refused"
    patch_ignored: bool = False
    probe: bool = True
    thumbprint_algorithm: str = "SHA1"
    probe_answer: str = "thumbprint"
    thumbprints: tuple[str, ...] = ("SHA1",)
    source_certificate: str = "unknown"
    untrusted_source: str = "hangs"
    ova_from_url: bool = True
    ranges: bool = True
    otherwise: Mapping[str, str] = field(default_factory=dict)

    def does(self, fact: str, word: str) -> bool:
        """Whether the server does that otherwise than the fact says."""
        return self.otherwise.get(fact) == word


def load_seed(path: str) -> Seed:
    import yaml  # only a server with a seed file needs it

    with open(path, encoding="utf-8") as stream:
        return seed_from_mapping(yaml.safe_load(stream) or {})


def seed_from_mapping(data: Mapping[str, Any]) -> Seed:
    _refuse_unknown(Seed, data)
    values: dict[str, Any] = dict(data)
    if "libraries" in values:
        values["libraries"] = tuple(_library(entry) for entry in values["libraries"])
    if "users" in values:
        values["users"] = tuple(_user(entry) for entry in values["users"])
    if "datastores" in values:
        values["datastores"] = {entry["uri"]: _content(entry["uri"], entry) for entry in values["datastores"]}
    for name in ("dialects", "trusted_roots", "thumbprints"):
        if name in values:
            values[name] = tuple(values[name])
    require_known(values.get("otherwise", {}))
    return Seed(**values)


def _refuse_unknown(kind: Any, data: Mapping[str, Any]) -> None:
    unknown = set(data) - {entry.name for entry in fields(kind)}
    if unknown:
        raise ValueError(f"unknown key in the seed's {kind.__name__}: {', '.join(sorted(unknown))}")


def _library(data: Mapping[str, Any]) -> LibrarySeed:
    _refuse_unknown(LibrarySeed, data)
    return LibrarySeed(**{**data, "items": tuple(_item(entry) for entry in data.get("items", ()))})


def _item(data: Mapping[str, Any]) -> ItemSeed:
    _refuse_unknown(ItemSeed, data)
    return ItemSeed(
        **{**data, "files": {entry["name"]: _content(entry["name"], entry) for entry in data.get("files", ())}}
    )


def _user(data: Mapping[str, Any]) -> UserSeed:
    _refuse_unknown(UserSeed, data)
    return UserSeed(**{**data, "privileges": tuple(data.get("privileges", PRIVILEGES))})


def _content(name: str, data: Mapping[str, Any]) -> bytes:
    if "text" in data:
        return str(data["text"]).encode()
    if "path" in data:
        with open(data["path"], "rb") as stream:
            return stream.read()
    return filler(name, int(data.get("size", 0)))
