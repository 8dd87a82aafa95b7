# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The official Python bindings, speaking REST to a server of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from com.vmware.content.library.item.downloadsession_client import File as DownloadFiles
from com.vmware.content.library.item.updatesession_client import File as UpdateFiles
from com.vmware.content.library.item_client import DownloadSession, UpdateSession
from com.vmware.content.library.item_client import File as ItemFiles
from com.vmware.content.library.item_client import Storage as ItemStorage
from com.vmware.content.library_client import Item
from com.vmware.content_client import Library, LocalLibrary
from com.vmware.vapi.std.errors_client import Error
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector

from tests.harness.modules import Server


@dataclass(frozen=True)
class Sdk:
    updates: Any
    downloads: Any
    update_files: Any
    download_files: Any
    libraries: Any
    local_libraries: Any
    items: Any
    item_files: Any
    item_storage: Any
    http: requests.Session


@dataclass(frozen=True)
class SdkError:
    """What the server sent; the class of the bindings' exception means nothing in this mode."""

    type: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]


def connect(server: Server, user: str | None = None) -> Sdk:
    origin = f"https://{server.hostname}:{server.port}"
    http = requests.Session()
    http.trust_env = False
    http.verify = str(server.ca_path)
    answer = http.post(f"{origin}/api/session", auth=(user or server.username, server.password))
    http.headers["vmware-api-session-id"] = answer.json()
    config = StubConfiguration(get_requests_connector(http, msg_protocol="rest", url=f"{origin}/api"))
    sessions = (UpdateSession(config), DownloadSession(config), UpdateFiles(config), DownloadFiles(config))
    sdk = Sdk(
        *sessions, Library(config), LocalLibrary(config), Item(config), ItemFiles(config), ItemStorage(config), http
    )
    provider = sdk.updates._api_interface._api_provider
    while hasattr(provider, "next_provider"):
        provider = provider.next_provider
    provider.set_rest_format(False)
    _mend_headers(provider)
    return sdk


def _mend_headers(provider: Any) -> None:
    """The generated metadata of 9.1 maps a header's name to its parameter, the runtime reads it the other way round and
    so drops the client token without a word."""
    for metadata in provider._rest_metadata_map.values():
        parameters = metadata._header_parameters
        metadata._header_parameters = {
            (name if name.islower() else parameter): (parameter if name.islower() else name)
            for name, parameter in parameters.items()
        }


def read_error(error: Error) -> SdkError:
    return SdkError(
        str(error.error_type),
        tuple(message.id for message in error.messages),
        tuple(message.default_message for message in error.messages),
    )
