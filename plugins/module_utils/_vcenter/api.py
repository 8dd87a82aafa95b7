# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the Content Library that we use, one method each; no loop over them and no policy.

Each method raises what C(Connection.send) raises, and InvalidResponse for an answer of another shape than published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable, TypeVar

from .connection import Connection
from .dialect import DIALECTS, Dialect
from .errors import ApiError, InvalidResponse
from .models import (
    DownloadFile,
    DownloadSession,
    FileValidation,
    Library,
    LibraryFilter,
    LibraryItem,
    LibraryItemFile,
    LibraryItemFilter,
    Model,
    ModelT,
    ProbeResult,
    SchemaError,
    TransferEndpoint,
    UpdateFile,
    UpdateFileAddition,
    UpdateSession,
    WarningBehavior,
    decode,
)

ValueT = TypeVar("ValueT")
SessionT = TypeVar("SessionT", UpdateSession, DownloadSession)


def _identifier(value: Any) -> str:
    """A user without the privilege has been given an empty session identifier, so an empty one is no answer."""
    if not isinstance(value, str) or not value:
        raise SchemaError("", "an identifier", value)
    return value


class Api:
    """The Content Library of one vCenter, in whichever dialect the connection speaks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.stream = connection.stream
        self.server_time = connection.server_time

    def find_libraries(self, name: str) -> list[str]:
        """The identifiers of the libraries of this name."""
        return self._ids("library.find", model=LibraryFilter(name=name))

    def get_library(self, library_id: str) -> Library:
        library = self._one("library.get", Library, library_id=library_id)
        return replace(library, id=library.id or library_id)

    def find_items(self, name: str, library_id: str) -> list[str]:
        """The identifiers of the items of this name in a library; names need not be unique."""
        return self._ids("item.find", model=LibraryItemFilter(name=name, library_id=library_id))

    def get_item(self, library_item_id: str) -> LibraryItem:
        item = self._one("item.get", LibraryItem, library_item_id=library_item_id)
        return replace(item, id=item.id or library_item_id)

    def create_item(self, item: LibraryItem, client_token: str) -> str:
        """Create an item from its library_id, name, type and description; returns its identifier."""
        return self._create("item.create", item, client_token)

    def update_item(self, library_item_id: str, change: LibraryItem) -> None:
        """Set the name, description or type that C(change) has."""
        self._call("item.update", {"library_item_id": library_item_id}, model=change)

    def delete_item(self, library_item_id: str) -> None:
        self._call("item.delete", {"library_item_id": library_item_id})

    def list_item_files(self, library_item_id: str) -> list[LibraryItemFile]:
        return self._many("item.file.list", LibraryItemFile, library_item_id=library_item_id)

    def create_update_session(
        self, library_item_id: str, warning_behavior: tuple[WarningBehavior, ...] | None, client_token: str
    ) -> str:
        """Create an update session on an item; returns its identifier."""
        session = UpdateSession(library_item_id=library_item_id, warning_behavior=warning_behavior)
        return self._create("update_session.create", session, client_token)

    def list_update_sessions(self, library_item_id: str | None = None) -> list[str]:
        """The identifiers of the caller's update sessions, of one item or of all."""
        return self._ids("update_session.list", library_item_id=library_item_id)

    def get_update_session(self, session_id: str) -> UpdateSession:
        return self._session("update_session.get", UpdateSession, session_id)

    def set_warning_behavior(self, session_id: str, warning_behavior: tuple[WarningBehavior, ...]) -> None:
        self._act("update_session.update", session_id, model=UpdateSession(warning_behavior=warning_behavior))

    def complete_update_session(self, session_id: str) -> None:
        self._act("update_session.complete", session_id)

    def cancel_update_session(self, session_id: str) -> None:
        self._act("update_session.cancel", session_id)

    def fail_update_session(self, session_id: str, error_message: str) -> None:
        self._act("update_session.fail", session_id, client_error_message=error_message)

    def keep_update_session_alive(self, session_id: str, client_progress: int | None = None) -> None:
        """Extend a session's life; C(client_progress) is 0 to 100 and must be more than the session's."""
        self._act("update_session.keep_alive", session_id, client_progress=client_progress)

    def delete_update_session(self, session_id: str) -> None:
        self._act("update_session.delete", session_id)

    def list_update_files(self, session_id: str) -> list[UpdateFile]:
        """The files that the item will have when the session is completed: those it has, less the removed, plus the
        added."""
        return self._many("update_session.file.list", UpdateFile, session_id=session_id, update_session_id=session_id)

    def add_update_file(self, session_id: str, addition: UpdateFileAddition) -> UpdateFile:
        """Announce a file; for a pushed one the answer holds the endpoint to upload to. A file of that name is
        replaced."""
        operation = "update_session.file.add"
        answer = self._call(operation, {"session_id": session_id}, model=addition)
        return self._read(
            operation, lambda dialect: decode(UpdateFile, dialect.result(answer), dialect.maps), session_id
        )

    def remove_update_file(self, session_id: str, file_name: str) -> None:
        self._act("update_session.file.remove", session_id, file_name=file_name)

    def probe(self, endpoint: TransferEndpoint) -> ProbeResult:
        """Have the server look at the source of a pulled file.

        Only C(/rest) has this, whatever dialect is spoken otherwise; it is not in the published description, and a
        server without it answers NOT_FOUND.
        """
        call = DIALECTS["rest"].call("update_session.file.probe", {}, model=endpoint)
        answer = self._connection.send(
            call.method, call.path, operation="update_session.file.probe", body=call.body, repeatable=True
        )
        try:
            return decode(ProbeResult, DIALECTS["rest"].result(answer), DIALECTS["rest"].maps)
        except SchemaError as error:
            raise InvalidResponse(
                f"the answer is not as servers give it: {error}", operation="update_session.file.probe"
            ) from None

    def validate_update_files(self, session_id: str) -> FileValidation:
        return self._one("update_session.file.validate", FileValidation, session_id=session_id)

    def create_download_session(self, library_item_id: str, client_token: str) -> str:
        """Create a download session on an item; returns its identifier."""
        return self._create("download_session.create", DownloadSession(library_item_id=library_item_id), client_token)

    def list_download_sessions(self, library_item_id: str | None = None) -> list[str]:
        """The identifiers of the caller's download sessions, of one item or of all."""
        return self._ids("download_session.list", library_item_id=library_item_id)

    def get_download_session(self, session_id: str) -> DownloadSession:
        return self._session("download_session.get", DownloadSession, session_id)

    def cancel_download_session(self, session_id: str) -> None:
        self._act("download_session.cancel", session_id)

    def fail_download_session(self, session_id: str, error_message: str) -> None:
        self._act("download_session.fail", session_id, client_error_message=error_message)

    def keep_download_session_alive(self, session_id: str, progress: int | None = None) -> None:
        """Extend a session's life; C(progress) is 0 to 100."""
        self._act("download_session.keep_alive", session_id, progress=progress)

    def delete_download_session(self, session_id: str) -> None:
        self._act("download_session.delete", session_id)

    def list_download_files(self, session_id: str) -> list[DownloadFile]:
        return self._many(
            "download_session.file.list", DownloadFile, session_id=session_id, download_session_id=session_id
        )

    def get_download_file(self, session_id: str, file_name: str) -> DownloadFile:
        return self._one("download_session.file.get", DownloadFile, session_id=session_id, file_name=file_name)

    def prepare_download_file(self, session_id: str, file_name: str, endpoint_type: str) -> None:
        """Ask for an endpoint to fetch a file from; it is there once the file is PREPARED."""
        self._act("download_session.file.prepare", session_id, file_name=file_name, endpoint_type=endpoint_type)

    def _ids(self, operation: str, model: Model | None = None, **arguments: Any) -> list[str]:
        answer = self._call(operation, arguments, model=model, repeatable=True)
        return self._read(operation, lambda dialect: [_identifier(entry) for entry in dialect.result_list(answer)])

    def _one(self, operation: str, model: type[ModelT], **arguments: Any) -> ModelT:
        answer = self._call(operation, arguments, repeatable=True)
        return self._read(
            operation, lambda dialect: decode(model, dialect.result(answer), dialect.maps), arguments.get("session_id")
        )

    def _session(self, operation: str, model: type[SessionT], session_id: str) -> SessionT:
        """A session; some versions leave its identifier out of the answer."""
        session = self._one(operation, model, session_id=session_id)
        return replace(session, id=session.id or session_id)

    def _many(self, operation: str, model: type[ModelT], **arguments: Any) -> list[ModelT]:
        answer = self._call(operation, arguments, repeatable=True)
        return self._read(
            operation,
            lambda dialect: [decode(model, entry, dialect.maps) for entry in dialect.result_list(answer)],
            arguments.get("session_id"),
        )

    def _create(self, operation: str, model: Model, client_token: str) -> str:
        answer = self._call(operation, {}, model=model, client_token=client_token, repeatable=True)
        return self._read(operation, lambda dialect: _identifier(dialect.result(answer)))

    def _act(self, operation: str, session_id: str, model: Model | None = None, **arguments: Any) -> None:
        self._call(operation, {"session_id": session_id, **arguments}, model=model)

    def _call(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        model: Model | None = None,
        client_token: str | None = None,
        repeatable: bool = False,
    ) -> Any:
        def send(dialect: str) -> Any:
            try:
                call = DIALECTS[dialect].call(operation, arguments, model=model, client_token=client_token)
            except ValueError as error:
                raise InvalidResponse(
                    f"what the server named cannot be asked for: {error}", operation=operation
                ) from None
            return self._connection.send(
                call.method,
                call.path,
                operation=operation,
                session_id=arguments.get("session_id"),
                body=call.body,
                headers=call.headers,
                repeatable=repeatable,
            )

        if self._connection.dialect:
            return send(self._connection.dialect)
        return self._find_dialect(send)

    def _find_dialect(self, send: Callable[[str], Any]) -> Any:
        """With a session_token there was no login to show the dialect: the first operation, always a read, does."""
        try:
            answer = send("api")
        except ApiError as error:
            if error.status == 404 and not error.in_json:
                answer = send("rest")
                self._connection.dialect = "rest"
                return answer
            self._connection.dialect = "api"
            raise
        self._connection.dialect = "api"
        return answer

    def _read(self, operation: str, read: Callable[[Dialect], ValueT], session_id: str | None = None) -> ValueT:
        try:
            return read(DIALECTS[self._connection.dialect or "api"])
        except SchemaError as error:
            raise InvalidResponse(
                f"the answer is not as the API describes it: {error}", operation=operation, session_id=session_id
            ) from None
