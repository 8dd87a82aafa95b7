# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the API, independent of the dialect: the privilege that each needs, and what each does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .catalog import SERVER_GUID, Item, ItemFile, Library, storage_size, storage_uri
from .errors import not_found
from .facts import follows
from .seed import LibrarySeed, UserSeed
from .store import Store

UPDATE = "ContentLibrary.UpdateSession"
DOWNLOAD = "ContentLibrary.DownloadSession"
STORAGE = "ContentLibrary.ReadStorage"
DATASTORE_ID = "datastore-11"


@dataclass(frozen=True)
class Call:
    """One request: its user, its arguments, and the origin for transfer addresses."""

    store: Store
    user: UserSeed
    origin: str
    args: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.args.get(name)


def describe_datastore(store: Store, datastore_id: str) -> dict[str, Any]:
    """The one datastore, which no operation of the Content Library describes."""
    if datastore_id != DATASTORE_ID:
        raise not_found("datastore", datastore_id)
    is_there = store.seed.free_space >= 0
    free = {"free_space": store.seed.free_space} if is_there else {}
    return {
        "name": "datastore1",
        "type": "VMFS",
        "accessible": is_there,
        "multiple_host_access": True,
        "thin_provisioning_supported": True,
        **free,
    }


@dataclass(frozen=True)
class Operation:
    run: Callable[[Call], Any]
    privilege: str = ""


@follows("other-storage")
def _backing(seed: LibrarySeed) -> dict[str, str]:
    if seed.storage_uri:
        return {"type": "OTHER", "storage_uri": seed.storage_uri}
    return {"type": "DATASTORE", "datastore_id": DATASTORE_ID}


def describe_library(library: Library) -> dict[str, Any]:
    seed = library.seed
    model: dict[str, Any] = {
        "id": library.id,
        "name": seed.name,
        "type": seed.type,
        "description": seed.description,
        "creation_time": library.created,
        "last_modified_time": library.created,
        "version": "1",
        "server_guid": SERVER_GUID,
        "storage_backings": [_backing(seed)],
    }
    if seed.security_policy_id:
        model["security_policy_id"] = seed.security_policy_id
    if seed.type == "SUBSCRIBED":
        model["last_sync_time"] = library.created
        model["subscription_info"] = {
            "authentication_method": "NONE",
            "automatic_sync_enabled": True,
            "on_demand": False,
            "subscription_url": "https://publisher.invalid/cls/vcsp/lib.json",
        }
    else:
        model["publish_info"] = {"authentication_method": "NONE", "published": seed.published}
    return model


@follows("uncached-has-size-0", "disk-size-is-storage")
def file_size(item: Item, entry: ItemFile) -> int:
    return storage_size(item.type, entry.name, entry.blob.size) if entry.cached else 0


@follows("verification-statuses")
def verification_of(store: Store, item: Item) -> str:
    elapsed = store.calendar.clock() - item.verified_at if item.verified_at is not None else store.settle
    is_under_way = store.seed.verification == "later" and elapsed < store.settle
    return "VERIFICATION_IN_PROGRESS" if is_under_way else item.verification


@follows("subscribed-items-have-own-ids")
def describe_item(store: Store, item: Item) -> dict[str, Any]:
    model: dict[str, Any] = {
        "id": item.id,
        "library_id": item.library.id,
        "name": item.name,
        "type": item.type,
        "description": item.description,
        "version": str(item.version),
        "metadata_version": str(item.metadata_version),
        "content_version": str(item.content_version),
        "creation_time": item.created,
        "last_modified_time": item.modified,
        "size": sum(file_size(item, entry) for entry in item.files.values()),
        "cached": item.cached,
    }
    if store.seed.preview:
        model["certificate_verification_info"] = {"status": verification_of(store, item)}
        if item.cert_chain:
            model["certificate_verification_info"]["cert_chain"] = item.cert_chain
        model["security_compliance"] = item.compliant
    if item.library.seed.type == "SUBSCRIBED":
        model["source_id"] = "0d5a6c5e-3d4b-4b0e-9c0a-2f1d1c7b8a90"
        model["last_sync_time"] = item.modified
    return model


def describe_item_file(item: Item, entry: ItemFile) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": entry.name,
        "size": file_size(item, entry),
        "cached": entry.cached,
        "version": str(entry.version),
    }
    if entry.algorithm != "none":
        model["checksum_info"] = {"algorithm": entry.algorithm, "checksum": entry.blob.digest(entry.algorithm)}
    return model


def _item_file_list(call: Call) -> Any:
    item = call.store.catalog.item(call["library_item_id"])
    return [describe_item_file(item, entry) for entry in item.files.values()]


def _item_file_get(call: Call) -> Any:
    entry = call.store.catalog.item_file(call["library_item_id"], call["name"])
    return describe_item_file(call.store.catalog.item(call["library_item_id"]), entry)


@follows("storage-of-an-item")
def describe_item_storage(item: Item, entry: ItemFile) -> dict[str, Any]:
    return {
        **describe_item_file(item, entry),
        "storage_backing": _backing(item.library.seed),
        "storage_uris": [storage_uri(item, entry.name)],
    }


def _item_storage_list(call: Call) -> Any:
    item = call.store.catalog.item(call["library_item_id"])
    return [describe_item_storage(item, entry) for entry in item.files.values()]


def _item_storage_get(call: Call) -> Any:
    entry = call.store.catalog.item_file(call["library_item_id"], call["file_name"])
    return [describe_item_storage(call.store.catalog.item(call["library_item_id"]), entry)]


@follows("reading-extends")
def _read(call: Call) -> None:
    """Note that somebody has read a session, which extends it in some worlds."""
    updates = call.store.updates
    if call.store.seed.reading_extends and updates.session(call["session_id"]).state == "ACTIVE":
        updates.touch(updates.session(call["session_id"]))


def _update_get(call: Call) -> Any:
    _read(call)
    return call.store.updates.describe(call.store.updates.session(call["session_id"]))


def _update_file_list(call: Call) -> Any:
    _read(call)
    files = call.store.updates.snapshot(call.store.updates.session(call["session_id"]))
    return [call.store.updates.describe_file(entry, call.origin) for entry in files.values()]


def _update_file_add(call: Call) -> Any:
    entry = call.store.updates.add_file(call.user, call["session_id"], call["file_spec"])
    return call.store.updates.describe_file(entry, call.origin)


def _update_file_get(call: Call) -> Any:
    _read(call)
    entry = call.store.updates.file(call["session_id"], call["file_name"])
    return call.store.updates.describe_file(entry, call.origin)


def _download_file_list(call: Call) -> Any:
    session = call.store.downloads.session(call["session_id"])
    return [call.store.downloads.describe_file(session, entry, call.origin) for entry in session.files.values()]


def _download_file_get(call: Call) -> Any:
    entry = call.store.downloads.file(call["session_id"], call["file_name"])
    return call.store.downloads.describe_file(call.store.downloads.session(call["session_id"]), entry, call.origin)


def _download_file_prepare(call: Call) -> Any:
    session_id, endpoint_type = call["session_id"], call["endpoint_type"] or "HTTPS"
    entry = call.store.downloads.prepare(call.user, session_id, call["file_name"], endpoint_type)
    return call.store.downloads.describe_file(call.store.downloads.session(session_id), entry, call.origin)


OPERATIONS: dict[str, Operation] = {
    "library.list": Operation(lambda c: c.store.catalog.library_ids()),
    "library.get": Operation(lambda c: describe_library(c.store.catalog.library(c["library_id"]))),
    "library.find": Operation(lambda c: c.store.catalog.find_libraries(c["spec"] or {})),
    "local_library.list": Operation(lambda c: c.store.catalog.library_ids("LOCAL")),
    "item.create": Operation(
        lambda c: c.store.catalog.create_item(c["create_spec"], c["client_token"]), "ContentLibrary.AddLibraryItem"
    ),
    "item.list": Operation(lambda c: c.store.catalog.item_ids(c["library_id"])),
    "item.find": Operation(lambda c: c.store.catalog.find_items(c["spec"] or {})),
    "item.get": Operation(lambda c: describe_item(c.store, c.store.catalog.item(c["library_item_id"]))),
    "item.update": Operation(
        lambda c: c.store.catalog.update_item(c["library_item_id"], c["update_spec"]),
        "ContentLibrary.UpdateLibraryItem",
    ),
    "item.delete": Operation(lambda c: c.store.delete_item(c["library_item_id"]), "ContentLibrary.DeleteLibraryItem"),
    "item.file.list": Operation(_item_file_list),
    "item.file.get": Operation(_item_file_get),
    "item.storage.list": Operation(_item_storage_list, STORAGE),
    "item.storage.get": Operation(_item_storage_get, STORAGE),
    "update.create": Operation(lambda c: c.store.updates.create(c.user, c["create_spec"], c["client_token"]), UPDATE),
    "update.list": Operation(lambda c: c.store.updates.list(c.user, c["library_item_id"]), UPDATE),
    "update.get": Operation(_update_get),
    "update.update": Operation(lambda c: c.store.updates.update(c["session_id"], c["update_spec"])),
    "update.complete": Operation(lambda c: c.store.updates.complete(c["session_id"])),
    "update.cancel": Operation(lambda c: c.store.updates.cancel(c["session_id"])),
    "update.fail": Operation(lambda c: c.store.updates.fail(c["session_id"], c["client_error_message"])),
    "update.keep_alive": Operation(lambda c: c.store.updates.keep_alive(c["session_id"], c["client_progress"])),
    "update.delete": Operation(lambda c: c.store.updates.delete(c["session_id"])),
    "update.file.list": Operation(_update_file_list),
    "update.file.add": Operation(_update_file_add),
    "update.file.get": Operation(_update_file_get),
    "update.file.remove": Operation(lambda c: c.store.updates.remove_file(c["session_id"], c["file_name"])),
    "update.file.validate": Operation(lambda c: c.store.updates.validate(c["session_id"])),
    "download.create": Operation(
        lambda c: c.store.downloads.create(c.user, c["create_spec"], c["client_token"]), DOWNLOAD
    ),
    "download.list": Operation(lambda c: c.store.downloads.list(c.user, c["library_item_id"]), DOWNLOAD),
    "download.get": Operation(lambda c: c.store.downloads.describe(c.store.downloads.session(c["session_id"]))),
    "download.cancel": Operation(lambda c: c.store.downloads.cancel(c["session_id"])),
    "download.fail": Operation(lambda c: c.store.downloads.fail(c["session_id"], c["client_error_message"])),
    "download.keep_alive": Operation(lambda c: c.store.downloads.keep_alive(c["session_id"], c["progress"])),
    "download.delete": Operation(lambda c: c.store.downloads.delete(c["session_id"])),
    "download.file.list": Operation(_download_file_list),
    "download.file.get": Operation(_download_file_get),
    "download.file.prepare": Operation(_download_file_prepare),
}
