# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the Content Library that we use, one method each, without loops and policy.

Each method raises what `Connection.send` raises, and `InvalidResponse` for an answer of another shape than published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable, Generic, TypeVar

from .answers import is_unknown
from .connection import Connection
from .dialect import DIALECTS, Dialect
from .errors import ApiError, ContentError, InvalidResponse
from .models import (
    DownloadFile,
    DownloadSession,
    FileValidation,
    Library,
    LibraryFilter,
    LibraryItem,
    LibraryItemFile,
    LibraryItemFilter,
    LibraryItemStorage,
    ProbeResult,
    TransferEndpoint,
    UpdateFile,
    UpdateFileAddition,
    UpdateSession,
    WarningBehavior,
)
from .schema import Model, ModelT, SchemaError, decode

ValueT = TypeVar("ValueT")
SessionT = TypeVar("SessionT", UpdateSession, DownloadSession)
FileT = TypeVar("FileT", UpdateFile, DownloadFile)


def _identifier(value: Any) -> str:
    """Require an identifier: a server has given an empty one to a user without the privilege."""
    if not isinstance(value, str) or not value:
        raise SchemaError("", "an identifier", value)
    return value


class _Caller:
    """Asks for operations in the dialect that the connection speaks, and reads their answers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ids(self, operation: str, model: Model | None = None, **arguments: Any) -> list[str]:
        answer = self.call(operation, arguments, model=model, repeatable=True)
        return self.read(operation, lambda dialect: [_identifier(entry) for entry in dialect.result_list(answer)])

    def one(self, operation: str, model: type[ModelT], **arguments: Any) -> ModelT:
        answer = self.call(operation, arguments, repeatable=True)
        return self.read(
            operation, lambda dialect: decode(model, dialect.result(answer), dialect.maps), arguments.get("session_id")
        )

    def many(self, operation: str, model: type[ModelT], **arguments: Any) -> list[ModelT]:
        answer = self.call(operation, arguments, repeatable=True)
        return self.read(
            operation,
            lambda dialect: [decode(model, entry, dialect.maps) for entry in dialect.result_list(answer)],
            arguments.get("session_id"),
        )

    def create(self, operation: str, model: Model, client_token: str) -> str:
        answer = self.call(operation, {}, model=model, client_token=client_token, repeatable=True)
        return self.read(operation, lambda dialect: _identifier(dialect.result(answer)))

    def act(self, operation: str, session_id: str, model: Model | None = None, **arguments: Any) -> None:
        self.call(operation, {"session_id": session_id, **arguments}, model=model)

    def answered(self, operation: str, model: type[ModelT], session_id: str, given: Model) -> ModelT:
        """The answer of an operation that changes a session."""
        answer = self.call(operation, {"session_id": session_id}, model=given)
        return self.read(operation, lambda dialect: decode(model, dialect.result(answer), dialect.maps), session_id)

    def probe(self, endpoint: TransferEndpoint) -> ProbeResult:
        """See `UpdateSessions.probe`: always in `/rest`; the dialect of the connection stays as it is."""
        operation, dialect = "update_session.file.probe", DIALECTS["rest"]
        call = dialect.call(operation, {}, model=endpoint)
        answer = self._connection.send(call.method, call.path, operation=operation, body=call.body, repeatable=True)
        return _read(operation, dialect, lambda rest: decode(ProbeResult, rest.result(answer), rest.maps))

    def call(
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
        """Find out the dialect by the first operation, always a read: with a session_token there is no login."""
        try:
            answer = send("api")
        except (ApiError, InvalidResponse) as error:
            if not is_unknown(error):
                self._connection.dialect = "api"
                raise
            failed: ContentError | None = error
        else:
            failed = None
            if not (isinstance(answer, dict) and "jsonrpc" in answer):
                self._connection.dialect = "api"
                return answer
        try:
            answer = send("rest")
        except (ApiError, InvalidResponse) as error:
            if failed and is_unknown(error):
                raise failed from None
            raise
        self._connection.dialect = "rest"
        return answer

    def read(self, operation: str, read: Callable[[Dialect], ValueT], session_id: str | None = None) -> ValueT:
        return _read(operation, DIALECTS[self._connection.dialect or "api"], read, session_id)


def _read(operation: str, dialect: Dialect, read: Callable[[Dialect], ValueT], session_id: str | None = None) -> ValueT:
    try:
        return read(dialect)
    except SchemaError as error:
        raise InvalidResponse(
            f"the answer is not as the API describes it: {error}", operation=operation, session_id=session_id
        ) from None


class Sessions(Generic[SessionT, FileT]):
    """The operations that sessions of both kinds have; all but `create` take the identifier of one."""

    kind: str
    """The prefix of this kind's operations, and of the argument that its list of files takes."""
    progress: str
    """The API's name for the progress that a keep-alive takes."""
    session: type[SessionT]
    file: type[FileT]

    def __init__(self, caller: _Caller) -> None:
        self._caller = caller

    def create(self, session: SessionT, client_token: str) -> str:
        """Create a session with the fields of `session`, such as `library_item_id`; returns its identifier."""
        return self._caller.create(f"{self.kind}.create", session, client_token)

    def ids(self, library_item_id: str | None = None) -> list[str]:
        """The identifiers of the caller's sessions, of one item or of all."""
        return self._caller.ids(f"{self.kind}.list", library_item_id=library_item_id)

    def get(self, session_id: str) -> SessionT:
        session = self._caller.one(f"{self.kind}.get", self.session, session_id=session_id)
        # Some versions of vCenter leave it out of the answer.
        return replace(session, id=session.id or session_id)

    def cancel(self, session_id: str) -> None:
        self._caller.act(f"{self.kind}.cancel", session_id)

    def fail(self, session_id: str, error_message: str) -> None:
        self._caller.act(f"{self.kind}.fail", session_id, client_error_message=error_message)

    def keep_alive(self, session_id: str, progress: int | None = None) -> None:
        """Extend a session; `progress` is 0 to 100, and that of an update session must grow."""
        arguments: Mapping[str, Any] = {self.progress: progress}
        self._caller.act(f"{self.kind}.keep_alive", session_id, **arguments)

    def delete(self, session_id: str) -> None:
        self._caller.act(f"{self.kind}.delete", session_id)

    def files(self, session_id: str) -> list[FileT]:
        """The files of a session: those that it offers to fetch, or those that the item has once it is completed."""
        return self._caller.many(
            f"{self.kind}.file.list", self.file, session_id=session_id, **{f"{self.kind}_id": session_id}
        )


class UpdateSessions(Sessions[UpdateSession, UpdateFile]):
    kind, progress = "update_session", "client_progress"
    session, file = UpdateSession, UpdateFile

    def set_warning_behavior(self, session_id: str, warning_behavior: tuple[WarningBehavior, ...]) -> None:
        change = UpdateSession(warning_behavior=warning_behavior)
        self._caller.act("update_session.update", session_id, model=change)

    def complete(self, session_id: str) -> None:
        self._caller.act("update_session.complete", session_id)

    def validate_files(self, session_id: str) -> FileValidation:
        return self._caller.one("update_session.file.validate", FileValidation, session_id=session_id)

    def add_file(self, session_id: str, addition: UpdateFileAddition) -> UpdateFile:
        """Announce a file, which replaces one of that name; for a pushed file the answer has the upload endpoint."""
        return self._caller.answered("update_session.file.add", UpdateFile, session_id, addition)

    def remove_file(self, session_id: str, file_name: str) -> None:
        self._caller.act("update_session.file.remove", session_id, file_name=file_name)

    def probe(self, endpoint: TransferEndpoint) -> ProbeResult:
        """Have the server look at the source of a pulled file.

        Only `/rest` has this operation, and the published description does not have it. A server without it answers
        `NOT_FOUND`.
        """
        return self._caller.probe(endpoint)


class DownloadSessions(Sessions[DownloadSession, DownloadFile]):
    kind, progress = "download_session", "progress"
    session, file = DownloadSession, DownloadFile

    def get_file(self, session_id: str, file_name: str) -> DownloadFile:
        return self._caller.one("download_session.file.get", DownloadFile, session_id=session_id, file_name=file_name)

    def prepare_file(self, session_id: str, file_name: str, endpoint_type: str) -> None:
        """Ask for an endpoint to fetch a file from; the file has one once it is PREPARED."""
        self._caller.act("download_session.file.prepare", session_id, file_name=file_name, endpoint_type=endpoint_type)


class Api:
    """The Content Library of one vCenter, in either dialect."""

    def __init__(self, connection: Connection) -> None:
        self._caller = _Caller(connection)
        self.stream = connection.stream
        self.server_time = connection.server_time
        self.updates = UpdateSessions(self._caller)
        self.downloads = DownloadSessions(self._caller)

    def list_libraries(self) -> list[str]:
        """The identifiers of all libraries that the user may read."""
        return self._caller.ids("library.list")

    def find_libraries(self, name: str) -> list[str]:
        """The identifiers of the libraries of this name."""
        return self._caller.ids("library.find", model=LibraryFilter(name=name))

    def get_library(self, library_id: str) -> Library:
        library = self._caller.one("library.get", Library, library_id=library_id)
        return replace(library, id=library.id or library_id)

    def find_items(
        self, name: str | None = None, library_id: str | None = None, item_type: str | None = None
    ) -> list[str]:
        """The identifiers of the items that meet what is given, which must be something; names need not be unique."""
        return self._caller.ids("item.find", model=LibraryItemFilter(name=name, library_id=library_id, type=item_type))

    def get_item(self, library_item_id: str) -> LibraryItem:
        item = self._caller.one("item.get", LibraryItem, library_item_id=library_item_id)
        return replace(item, id=item.id or library_item_id)

    def create_item(self, item: LibraryItem, client_token: str) -> str:
        """Create an item from its library_id, name, type and description; returns its identifier."""
        return self._caller.create("item.create", item, client_token)

    def update_item(self, library_item_id: str, change: LibraryItem) -> None:
        """Set the fields of `change`: name, description or type."""
        self._caller.call("item.update", {"library_item_id": library_item_id}, model=change)

    def delete_item(self, library_item_id: str) -> None:
        self._caller.call("item.delete", {"library_item_id": library_item_id})

    def list_item_files(self, library_item_id: str) -> list[LibraryItemFile]:
        return self._caller.many("item.file.list", LibraryItemFile, library_item_id=library_item_id)

    def list_item_storage(self, library_item_id: str) -> list[LibraryItemStorage]:
        """Where the files of an item lie; a file is listed once for each storage that holds it."""
        return self._caller.many("item.storage.list", LibraryItemStorage, library_item_id=library_item_id)
