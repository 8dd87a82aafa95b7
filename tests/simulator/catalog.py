# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries, items and the files that items hold."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .blobs import Blob, blob_of
from .clock import Calendar
from .errors import CLS, ApiError, invalid_argument, message, not_found
from .facts import follows
from .seed import ItemSeed, LibrarySeed, Seed

SERVER_GUID = "7a7c2b0e-8b0f-4c55-9d2e-5b6f1f1f2f10"
VM_TEMPLATE = "vm-template"
#: The limit of other objects of a vCenter.
LONGEST_NAME = 80
MEBIBYTE = 1 << 20


@dataclass
class Library:
    id: str
    seed: LibrarySeed
    created: str


@dataclass
class ItemFile:
    name: str
    blob: Blob
    version: int
    algorithm: str
    #: Whether it is on the library's storage. If not, its size is shown as 0.
    cached: bool = True


@dataclass
class Item:
    id: str
    library: Library
    name: str
    type: str
    description: str
    created: str
    modified: str
    version: int = 1
    metadata_version: int = 1
    content_version: int = 1
    files: dict[str, ItemFile] = field(default_factory=dict)
    verification: str = "NOT_AVAILABLE"
    verified_at: float | None = None
    backing: str = "there"
    in_use: bool = False
    cert_chain: list[str] = field(default_factory=list)
    compliant: bool = True

    @property
    def cached(self) -> bool:
        return all(entry.cached for entry in self.files.values())


def storage_size(item_type: str, name: str, size: int) -> int:
    """A file's size in the API: the storage that it uses, which for a disk is not the number of bytes sent."""
    if item_type == "ovf" and name.lower().endswith(".vmdk"):
        return -(-size // MEBIBYTE) * MEBIBYTE
    return size


@follows("storage-names")
def storage_uri(item: Item, name: str) -> str:
    """Where a file of an item is stored."""
    stem, dot, kind = name.rpartition(".")
    stored = f"{stem}_{uuid.uuid5(uuid.NAMESPACE_URL, item.id + name)}.{kind}" if dot else name
    folder = f"contentlib-{item.library.id}/{item.id}"
    if item.library.seed.storage_uri:
        return f"{item.library.seed.storage_uri}/{folder}/{quote(stored, safe='')}"
    return f"ds:///vmfs/volumes/datastore1//{folder}/{quote(stored, safe='')}?serverId={SERVER_GUID}"


class Catalog:
    def __init__(self, seed: Seed, calendar: Calendar) -> None:
        self._seed = seed
        self._calendar = calendar
        self.libraries: dict[str, Library] = {}
        self.items: dict[str, Item] = {}
        self._item_tokens: dict[str, str] = {}
        for entry in seed.libraries:
            library = Library(entry.id or str(uuid.uuid4()), entry, calendar.now_stamp())
            self.libraries[library.id] = library
            for item in entry.items:
                self._add_item(library, item)

    def _add_item(self, library: Library, seed: ItemSeed) -> Item:
        created = seed.created or self._calendar.now_stamp()
        modified = seed.modified or created
        item = Item(seed.id or str(uuid.uuid4()), library, seed.name, seed.type, seed.description, created, modified)
        self.items[item.id] = item
        self.put_files(item, {name: blob_of(content) for name, content in seed.files.items()})
        item.verification, item.backing, item.in_use = seed.verification, seed.backing, seed.in_use
        for entry in item.files.values():
            entry.cached = seed.cached
        return item

    @follows("item-file-sha1")
    def put_files(self, item: Item, blobs: Mapping[str, Blob], algorithms: Mapping[str, str] | None = None) -> None:
        for name, blob in blobs.items():
            algorithm = (algorithms or {}).get(name, self._seed.checksum_algorithm)
            before = item.files.get(name)
            item.files[name] = ItemFile(name, blob, before.version + 1 if before else 1, algorithm)

    def library_ids(self, kind: str | None = None) -> list[str]:
        return [entry.id for entry in self.libraries.values() if kind in (None, entry.seed.type)]

    def find_libraries(self, spec: Mapping[str, Any]) -> list[str]:
        if not spec:
            raise invalid_argument(CLS + "find_spec_empty", "The search specification is empty.")
        return [
            entry.id
            for entry in self.libraries.values()
            if spec.get("name", entry.seed.name).lower() == entry.seed.name.lower()
            and spec.get("type", entry.seed.type) == entry.seed.type
        ]

    def library(self, library_id: str) -> Library:
        if library_id not in self.libraries:
            raise not_found("library", library_id)
        return self.libraries[library_id]

    def item(self, item_id: str) -> Item:
        if item_id not in self.items:
            raise not_found("library_item", item_id)
        return self.items[item_id]

    def item_ids(self, library_id: str) -> list[str]:
        library = self.library(library_id)
        return [entry.id for entry in self.items.values() if entry.library is library]

    def find_items(self, spec: Mapping[str, Any]) -> list[str]:
        if not spec:
            raise invalid_argument(CLS + "find_spec_empty", "The search specification is empty.")
        return [entry.id for entry in self.items.values() if _matches(entry, spec)]

    def create_item(self, spec: Mapping[str, Any], client_token: str | None) -> str:
        check_client_token(client_token)
        if client_token and client_token in self._item_tokens:
            return self._item_tokens[client_token]
        for required in ("library_id", "name"):
            if not spec.get(required):
                raise invalid_argument(
                    CLS + "item_spec_incomplete", "The field {0} of the create spec is missing.", required
                )
        library = self.library(spec["library_id"])
        self._refuse_name(spec["name"])
        _refuse_subscribed(library)
        self._refuse_duplicate(library, spec["name"])
        item_type = spec.get("type", "")
        if library.seed.security_policy_id and item_type != "ovf":
            raise invalid_argument(
                CLS + "security_policy_unsupported_item_type",
                "The security policy {0} of library {1} does not allow items of type {2}.",
                library.seed.security_policy_id,
                library.seed.name,
                item_type or "(none)",
            )
        item = self._add_item(library, ItemSeed(spec["name"], item_type, {}, spec.get("description", "")))
        if client_token:
            self._item_tokens[client_token] = item.id
        return item.id

    @follows("item-name-limits")
    def _refuse_name(self, name: str) -> None:
        if self._seed.long_names == "refused" and (len(name) > LONGEST_NAME or "/" in name):
            raise invalid_argument(CLS + "invalid_item_name", "The name {0} is not valid.", name)

    def update_item(self, item_id: str, spec: Mapping[str, Any]) -> None:
        item = self.item(item_id)
        _refuse_subscribed(item.library)
        if spec.get("name", item.name) != item.name:
            self._refuse_duplicate(item.library, spec["name"])
        item.name = spec.get("name", item.name)
        item.description = spec.get("description", item.description)
        item.type = spec.get("type", item.type)
        item.version += 1
        item.metadata_version += 1
        item.modified = self._calendar.now_stamp()

    @follows("deletion-in-use", "deletion-is-later")
    def delete_item(self, item_id: str) -> None:
        """Its content goes later, which no operation shows."""
        item = self.item(item_id)
        _refuse_subscribed(item.library)
        if item.in_use:
            raise ApiError("RESOURCE_IN_USE", message(CLS + "item_in_use", "The item {0} is in use.", item.name))
        del self.items[item_id]

    def item_file(self, item_id: str, name: str) -> ItemFile:
        files = self.item(item_id).files
        if name not in files:
            raise not_found("library_item_file", name)
        return files[name]

    @follows("item-version-stays", "item-modified-with-content")
    def commit(
        self, item: Item, added: Mapping[str, Blob], algorithms: Mapping[str, str], removed: Sequence[str]
    ) -> None:
        """Set the content of an item to that of its completed session."""
        for name in removed:
            item.files.pop(name, None)
        self.put_files(item, added, algorithms)
        item.content_version += 1
        item.version += self._seed.does("item-version-stays", "moves")
        item.modified = self._calendar.now_stamp()

    @follows("already-exists-text")
    def _refuse_duplicate(self, library: Library, name: str) -> None:
        if any(entry.library is library and entry.name == name for entry in self.items.values()):
            raise ApiError(
                "ALREADY_EXISTS",
                message(
                    CLS + "duplicate_item_name_unsupported_in_library",
                    "Operation is not supported since a library item with the name {0} exists in the library '{1}'"
                    " (ID: {2}).",
                    name,
                    library.seed.name,
                    library.id,
                ),
            )


@follows("vm-template-takes-no-session")
def refuse_template(item: Item, kind: str) -> None:
    """Refuse a session of a kind, update or download, on a VM template."""
    if item.type == VM_TEMPLATE:
        raise ApiError(
            "INVALID_ELEMENT_TYPE",
            message(
                f"{CLS}{kind}_session_unsupported",
                "{1} session creation is not supported for library item '{0}' (ID: {2}) because it contains a virtual"
                " machine template.",
                item.name,
                kind.capitalize(),
                item.id,
            ),
        )


def check_client_token(client_token: str | None) -> None:
    if client_token is None:
        return
    try:
        uuid.UUID(client_token)
    except ValueError:
        raise invalid_argument(
            CLS + "invalid_client_token", "The client token {0} is not a UUID.", client_token
        ) from None


@follows("no-item-for-subscribed-libraries")
def _refuse_subscribed(library: Library) -> None:
    if library.seed.type == "SUBSCRIBED":
        raise ApiError(
            "INVALID_ELEMENT_TYPE",
            message(
                CLS + "subscribed_library_operation_unsupported",
                "The operation is not supported on the subscribed library {0}.",
                library.seed.name,
            ),
        )


def _matches(item: Item, spec: Mapping[str, Any]) -> bool:
    return (
        spec.get("name", item.name).lower() == item.name.lower()
        and spec.get("library_id", item.library.id) == item.library.id
        and spec.get("type", item.type).lower() == item.type.lower()
        and spec.get("cached", item.cached) == item.cached
        and "source_id" not in spec
    )
