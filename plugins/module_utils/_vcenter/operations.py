# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the API: what messages call each, the privilege that vCenter asks for it, and how it is spelled.

To add an operation, add a row here and a method to `api`.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """How one dialect spells one operation.

    `path` has its arguments in braces; `query` and `body` name the arguments that go there. `wrap` is the key under
    which the body holds a model; without it the model is the body.
    """

    verb: str
    path: str
    action: str | None = None
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    wrap: str | None = None


@dataclass(frozen=True)
class Operation:
    """What messages call an operation ("could not `phrase`"), the privilege that vCenter asks for it, and its routes.

    A message names the item only if `has_subject`, and the session only if `names_session` as well. `link` replaces
    the "of" before the item: "look up the library for library item ...". What a task does without one operation of the
    API has no routes.
    """

    phrase: str
    privilege: str | None = None
    has_subject: bool = True
    names_session: bool = True
    link: str | None = None
    api: Route | None = None
    rest: Route | None = None

    @property
    def changes(self) -> bool:
        """Whether it changes something on the server."""
        return self.api is not None and self.api.verb != "GET" and self.api.action not in READING_ACTIONS

    @property
    def is_of_session(self) -> bool:
        """Whether it is asked of a session that exists."""
        return self.api is not None and "{session_id}" in self.api.path


API_LIBRARY = "/api/content/library"
API_ITEM = f"{API_LIBRARY}/item"
API_UPDATE = f"{API_ITEM}/update-session"
API_DOWNLOAD = f"{API_ITEM}/download-session"
REST_LIBRARY = "/rest/com/vmware/content/library"
REST_ITEM = f"{REST_LIBRARY}/item"
REST_UPDATE = f"{REST_ITEM}/update-session"
REST_UPDATE_FILE = f"{REST_ITEM}/updatesession/file"
REST_DOWNLOAD = f"{REST_ITEM}/download-session"
REST_DOWNLOAD_FILE = f"{REST_ITEM}/downloadsession/file"
READING_ACTIONS = ("find", "probe", "validate")
UPDATING, DOWNLOADING = "ContentLibrary.UpdateSession", "ContentLibrary.DownloadSession"

OPERATIONS: Mapping[str, Operation] = {
    "session.login": Operation("log in", has_subject=False),
    "session.logout": Operation("log out", has_subject=False),
    "vcenter.about": Operation("read the version", has_subject=False),
    "datastore.get": Operation("read the datastore", privilege="System.Read", has_subject=False),
    "library.list": Operation(
        "list the libraries",
        has_subject=False,
        api=Route("GET", API_LIBRARY),
        rest=Route("GET", REST_LIBRARY),
    ),
    "library.find": Operation(
        "look up the library",
        link="for ",
        api=Route("POST", API_LIBRARY, action="find"),
        rest=Route("POST", REST_LIBRARY, action="find", wrap="spec"),
    ),
    "library.get": Operation(
        "read the library",
        api=Route("GET", API_LIBRARY + "/{library_id}"),
        rest=Route("GET", REST_LIBRARY + "/id:{library_id}"),
    ),
    "item.find": Operation(
        "look up",
        link="",
        api=Route("POST", API_ITEM, action="find"),
        rest=Route("POST", REST_ITEM, action="find", wrap="spec"),
    ),
    "item.get": Operation(
        "read the library item",
        api=Route("GET", API_ITEM + "/{library_item_id}"),
        rest=Route("GET", REST_ITEM + "/id:{library_item_id}"),
    ),
    "item.create": Operation(
        "create the library item",
        privilege="ContentLibrary.AddLibraryItem",
        api=Route("POST", API_ITEM),
        rest=Route("POST", REST_ITEM, wrap="create_spec"),
    ),
    "item.update": Operation(
        "update the library item",
        privilege="ContentLibrary.UpdateLibraryItem",
        api=Route("PATCH", API_ITEM + "/{library_item_id}"),
        rest=Route("PATCH", REST_ITEM + "/id:{library_item_id}", wrap="update_spec"),
    ),
    "item.delete": Operation(
        "delete the library item",
        privilege="ContentLibrary.DeleteLibraryItem",
        api=Route("DELETE", API_ITEM + "/{library_item_id}"),
        rest=Route("DELETE", REST_ITEM + "/id:{library_item_id}"),
    ),
    "item.file.list": Operation(
        "list the files of the library item",
        api=Route("GET", API_ITEM + "/{library_item_id}/file"),
        rest=Route("GET", REST_ITEM + "/file", query=("library_item_id",)),
    ),
    "item.storage.list": Operation(
        "see where the files of the library item lie",
        privilege="ContentLibrary.ReadStorage",
        api=Route("GET", API_ITEM + "/{library_item_id}/storage"),
        rest=Route("GET", REST_ITEM + "/storage", query=("library_item_id",)),
    ),
    "update_session.create": Operation(
        "create an update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE),
        rest=Route("POST", REST_UPDATE, wrap="create_spec"),
    ),
    "update_session.list": Operation(
        "list the update sessions",
        privilege=UPDATING,
        api=Route("GET", API_UPDATE, query=("library_item_id",)),
        rest=Route("GET", REST_UPDATE, query=("library_item_id",)),
    ),
    "update_session.get": Operation(
        "read the update session",
        privilege=UPDATING,
        api=Route("GET", API_UPDATE + "/{session_id}"),
        rest=Route("GET", REST_UPDATE + "/id:{session_id}"),
    ),
    "update_session.update": Operation(
        "set the warning_behavior of the update session",
        privilege=UPDATING,
        api=Route("PATCH", API_UPDATE + "/{session_id}"),
        rest=Route("PATCH", REST_UPDATE + "/id:{session_id}", wrap="update_spec"),
    ),
    "update_session.complete": Operation(
        "complete the update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}", action="complete"),
        rest=Route("POST", REST_UPDATE + "/id:{session_id}", action="complete"),
    ),
    "update_session.cancel": Operation(
        "cancel the update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}", action="cancel"),
        rest=Route("POST", REST_UPDATE + "/id:{session_id}", action="cancel"),
    ),
    "update_session.fail": Operation(
        "fail the update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}", action="fail", body=("client_error_message",)),
        rest=Route("POST", REST_UPDATE + "/id:{session_id}", action="fail", body=("client_error_message",)),
    ),
    "update_session.keep_alive": Operation(
        "keep the update session alive",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}", action="keep-alive", body=("client_progress",)),
        rest=Route("POST", REST_UPDATE + "/id:{session_id}", action="keep-alive", body=("client_progress",)),
    ),
    "update_session.delete": Operation(
        "delete the update session",
        privilege=UPDATING,
        api=Route("DELETE", API_UPDATE + "/{session_id}"),
        rest=Route("DELETE", REST_UPDATE + "/id:{session_id}"),
    ),
    "update_session.file.add": Operation(
        "add a file to the update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}/file"),
        rest=Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="add", wrap="file_spec"),
    ),
    "update_session.file.list": Operation(
        "list the files of the update session",
        privilege=UPDATING,
        api=Route("GET", API_UPDATE + "/{session_id}/file"),
        rest=Route("GET", REST_UPDATE_FILE, query=("update_session_id",)),
    ),
    "update_session.file.remove": Operation(
        "remove a file in the update session",
        privilege=UPDATING,
        api=Route("DELETE", API_UPDATE + "/{session_id}/file/{file_name}"),
        rest=Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="remove", body=("file_name",)),
    ),
    "update_session.file.probe": Operation(
        "probe the source of a file",
        api=Route("POST", REST_UPDATE_FILE, action="probe", wrap="source_endpoint"),
        rest=Route("POST", REST_UPDATE_FILE, action="probe", wrap="source_endpoint"),
    ),
    "update_session.file.validate": Operation(
        "validate the files of the update session",
        privilege=UPDATING,
        api=Route("POST", API_UPDATE + "/{session_id}/file", action="validate"),
        rest=Route("POST", REST_UPDATE_FILE + "/id:{session_id}", action="validate"),
    ),
    "update_session.take_over": Operation("take over the update session"),
    "update_session.preview": Operation("go on with the update session"),
    "update_session.accept": Operation("publish the package", names_session=False, link="to "),
    "update_session.file.receive": Operation("have the server receive the files of the update session"),
    "update_session.file.put": Operation("upload a file to the update session"),
    "download_session.create": Operation(
        "create a download session",
        privilege=DOWNLOADING,
        api=Route("POST", API_DOWNLOAD),
        rest=Route("POST", REST_DOWNLOAD, wrap="create_spec"),
    ),
    "download_session.list": Operation(
        "list the download sessions",
        privilege=DOWNLOADING,
        api=Route("GET", API_DOWNLOAD, query=("library_item_id",)),
        rest=Route("GET", REST_DOWNLOAD, query=("library_item_id",)),
    ),
    "download_session.get": Operation(
        "read the download session",
        privilege=DOWNLOADING,
        api=Route("GET", API_DOWNLOAD + "/{session_id}"),
        rest=Route("GET", REST_DOWNLOAD + "/id:{session_id}"),
    ),
    "download_session.cancel": Operation(
        "cancel the download session",
        privilege=DOWNLOADING,
        api=Route("POST", API_DOWNLOAD + "/{session_id}", action="cancel"),
        rest=Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="cancel"),
    ),
    "download_session.fail": Operation(
        "fail the download session",
        privilege=DOWNLOADING,
        api=Route("POST", API_DOWNLOAD + "/{session_id}", action="fail", body=("client_error_message",)),
        rest=Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="fail", body=("client_error_message",)),
    ),
    "download_session.keep_alive": Operation(
        "keep the download session alive",
        privilege=DOWNLOADING,
        api=Route("POST", API_DOWNLOAD + "/{session_id}", action="keep-alive", body=("progress",)),
        rest=Route("POST", REST_DOWNLOAD + "/id:{session_id}", action="keep-alive", body=("progress",)),
    ),
    "download_session.delete": Operation(
        "delete the download session",
        privilege=DOWNLOADING,
        api=Route("DELETE", API_DOWNLOAD + "/{session_id}"),
        rest=Route("DELETE", REST_DOWNLOAD + "/id:{session_id}"),
    ),
    "download_session.file.list": Operation(
        "list the files of the download session",
        privilege=DOWNLOADING,
        api=Route("GET", API_DOWNLOAD + "/{session_id}/file"),
        rest=Route("GET", REST_DOWNLOAD_FILE, query=("download_session_id",)),
    ),
    "download_session.file.get": Operation(
        "read a file of the download session",
        privilege=DOWNLOADING,
        api=Route("GET", API_DOWNLOAD + "/{session_id}/file", query=("file_name",)),
        rest=Route("POST", REST_DOWNLOAD_FILE + "/id:{session_id}", action="get", body=("file_name",)),
    ),
    "download_session.file.find": Operation("find the files to fetch", link="in "),
    "download_session.file.prepare": Operation(
        "prepare a file of the download session",
        privilege=DOWNLOADING,
        api=Route("POST", API_DOWNLOAD + "/{session_id}/file", action="prepare", body=("file_name", "endpoint_type")),
        rest=Route(
            "POST",
            REST_DOWNLOAD_FILE + "/id:{session_id}",
            action="prepare",
            body=("file_name", "endpoint_type"),
        ),
    ),
    "download_session.file.get_data": Operation("download a file of the download session", privilege=DOWNLOADING),
}
ROUTES: Mapping[str, Mapping[str, Route]] = {
    name: {"api": operation.api, "rest": operation.rest}
    for name, operation in OPERATIONS.items()
    if operation.api and operation.rest
}
"""The routes of each operation that has some, by dialect."""
