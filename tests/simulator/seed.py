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
        items:
          - name: rocky9
            type: ovf
            description: ""
            id: ...
            files:
              - {name: tools.iso, size: 65536}     # that many bytes that depend on the name only
              - {name: note.txt, text: hello}
              - {name: disk.vmdk, path: /some/file}
    users:
      - name: administrator@vsphere.local
        password: ...
        privileges: [ContentLibrary.UpdateSession, ...]    # all when left out
    datastores:                    # what ds:// sources can be pulled from
      - {uri: "ds:///vmfs/volumes/a/rocky9.iso", size: 65536}
    trusted_roots: ["-----BEGIN CERTIFICATE-----..."]
    checksum_algorithm: SHA1       # SHA256, SHA512, MD5, or none: the server reports no checksum
    rest_empty_list: "[]"          # or "null", or "{}": how /rest writes an empty list
    omit_session_id: false         # id is absent from what get answers
    preview: true                  # false: a server from before preview_info and warning_behavior
    transfers_shown: true          # false: a file that is pushed stays WAITING, without bytes, until it is READY
    completing_seconds: 0          # how long the completion of a session takes at least
    while_completing: refused      # what is asked of a session meanwhile: refused, unexplained, busy or accepted
    patch_ignored: false           # true: PATCH of a session answers success and takes nothing
    probe: true                    # false: the probe of a PULL source is a 404
    thumbprint_algorithm: SHA1     # which hash the probe reports, SHA1 or SHA256
    thumbprints: [SHA1, SHA256]    # which hashes a PULL source may be pinned with
    source_certificate: known      # or "unknown": a server from before 9.0 refuses the field, or "dropped": ignores it
    ranges: true                   # false: the data service ignores Range
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

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


@dataclass(frozen=True)
class LibrarySeed:
    name: str
    items: tuple[ItemSeed, ...] = ()
    type: str = "LOCAL"
    description: str = ""
    id: str = ""
    security_policy_id: str = ""


@dataclass(frozen=True)
class UserSeed:
    name: str
    password: str = PASSWORD
    privileges: tuple[str, ...] = PRIVILEGES


def filler(name: str, size: int) -> bytes:
    """Bytes that depend on the name only, so that two servers hold the same file."""
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
    trusted_roots: tuple[str, ...] = ()
    checksum_algorithm: str = "SHA1"
    rest_empty_list: str = "[]"
    omit_session_id: bool = False
    preview: bool = True
    transfers_shown: bool = True
    completing_seconds: float = 0.0
    while_completing: str = "refused"
    patch_ignored: bool = False
    probe: bool = True
    thumbprint_algorithm: str = "SHA1"
    thumbprints: tuple[str, ...] = ("SHA1", "SHA256")
    source_certificate: str = "known"
    ranges: bool = True


def load_seed(path: str) -> Seed:
    import yaml  # only a server that is given a seed pays for it

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
    for name in ("trusted_roots", "thumbprints"):
        if name in values:
            values[name] = tuple(values[name])
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
