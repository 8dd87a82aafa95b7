# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each operation of our client, called once, by whether it may be sent again when its answer is lost."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import (
    DownloadSession,
    LibraryItem,
    TransferEndpoint,
    UpdateFileAddition,
    UpdateSession,
    WarningBehavior,
)

Call = Callable[[Api], Any]
BEHAVIOR = (WarningBehavior(type="SELF_SIGNED_CERTIFICATE", ignored=True),)

READS: dict[str, Call] = {
    "library.list": lambda api: api.list_libraries(),
    "library.find": lambda api: api.find_libraries("templates"),
    "library.get": lambda api: api.get_library("a"),
    "item.find": lambda api: api.find_items("tools", "a"),
    "item.get": lambda api: api.get_item("a"),
    "item.file.list": lambda api: api.list_item_files("a"),
    "item.storage.list": lambda api: api.list_item_storage("a"),
    "update_session.list": lambda api: api.updates.ids(),
    "update_session.get": lambda api: api.updates.get("a:b"),
    "update_session.file.list": lambda api: api.updates.files("a:b"),
    "update_session.file.validate": lambda api: api.updates.validate_files("a:b"),
    "download_session.list": lambda api: api.downloads.ids("a"),
    "download_session.get": lambda api: api.downloads.get("a:b"),
    "download_session.file.list": lambda api: api.downloads.files("a:b"),
    "download_session.file.get": lambda api: api.downloads.get_file("a:b", "x"),
}
CREATES: dict[str, Call] = {
    "item.create": lambda api: api.create_item(LibraryItem(library_id="a", name="n"), "11-22"),
    "update_session.create": lambda api: api.updates.create(UpdateSession(library_item_id="a"), "11-22"),
    "download_session.create": lambda api: api.downloads.create(DownloadSession(library_item_id="a"), "11-22"),
}
CHANGES: dict[str, Call] = {
    "item.update": lambda api: api.update_item("a", LibraryItem(name="n")),
    "item.delete": lambda api: api.delete_item("a"),
    "update_session.update": lambda api: api.updates.set_warning_behavior("a:b", BEHAVIOR),
    "update_session.complete": lambda api: api.updates.complete("a:b"),
    "update_session.cancel": lambda api: api.updates.cancel("a:b"),
    "update_session.fail": lambda api: api.updates.fail("a:b", "why"),
    "update_session.keep_alive": lambda api: api.updates.keep_alive("a:b", 5),
    "update_session.delete": lambda api: api.updates.delete("a:b"),
    "update_session.file.add": lambda api: api.updates.add_file("a:b", UpdateFileAddition("x", "PUSH")),
    "update_session.file.remove": lambda api: api.updates.remove_file("a:b", "x"),
    "download_session.cancel": lambda api: api.downloads.cancel("a:b"),
    "download_session.fail": lambda api: api.downloads.fail("a:b", "why"),
    "download_session.keep_alive": lambda api: api.downloads.keep_alive("a:b", 5),
    "download_session.delete": lambda api: api.downloads.delete("a:b"),
    "download_session.file.prepare": lambda api: api.downloads.prepare_file("a:b", "x", "HTTPS"),
}
PROBES: dict[str, Call] = {
    # It changes nothing, but can take long: it is sent once, and a failure of it decides nothing.
    "update_session.file.probe": lambda api: api.updates.probe(TransferEndpoint("https://mirror/x.iso")),
}
