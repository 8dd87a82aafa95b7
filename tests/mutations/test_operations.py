# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each operation of our client against the simulator, in both dialects: its effect, and both halves of the exchange.

What the simulator serves to other clients only is asked for through our connection, by the description's own words.

The halves are held to the published description one by one, so that a mistake in either is told from the other's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import ContentError
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import (
    DownloadSession,
    LibraryItem,
    TransferEndpoint,
    UpdateFileAddition,
    UpdateSession,
    WarningBehavior,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.operations import ROUTES
from tests.contract.checks import Contract, load_contract
from tests.harness.modules import connect
from tests.harness.packages import BARE_DESCRIPTOR
from tests.mutations.routes import our_name
from tests.simulator import Exchange, Simulator
from tests.simulator.routes import API_ROWS, REST_ROWS
from tests.simulator.seed import VIEWER

UNREACHABLE = "https://127.0.0.1:1/x.iso"
EXPIRED = (WarningBehavior(type="EXPIRED_CERTIFICATE", ignored=True),)
LIBRARY, REST_LIBRARY = "/api/content/library", "/rest/com/vmware/content/library"
WHO_AM_I = {"api": ("GET", "/api/session"), "rest": ("POST", "/rest/com/vmware/cis/session?~action=get")}
#: Verb, path and body.
Request = tuple[str, str, Any]


@dataclass(frozen=True)
class Scene:
    """A server with one ISO in the item ``iso`` and an empty item ``ovf``, and our client of it."""

    sim: Simulator
    connection: Connection
    library: str
    iso: str
    ovf: str

    @property
    def api(self) -> Api:
        return Api(self.connection)

    def api_with(self, **options: Any) -> Api:
        """Our client in a login of its own."""
        connection = Connection(replace(self.connection.options, **options), on_secret=lambda _secret: None)
        connection.login()
        return Api(connection)

    def ask(self, api: Request, rest: Request) -> Any:
        """The answer to a request that our client never makes."""
        dialect = self.connection.dialect
        verb, path, body = api if dialect == "api" else rest
        answer = self.connection.send(verb, path, operation="test", body=body)
        return answer if dialect == "api" else answer["value"]

    def update(self, **options: Any) -> str:
        return self.sim.run(lambda store: store.seed_update_session(self.iso, **options))

    def download(self, **options: Any) -> str:
        return self.sim.run(lambda store: store.seed_download_session(self.iso, **options))

    def other_update(self) -> str:
        return self.sim.run(lambda store: store.seed_update_session(self.ovf))

    def other_download(self) -> str:
        return self.sim.run(lambda store: store.seed_download_session(self.ovf))

    def of_update(self, session: str) -> Any:
        return self.sim.run(lambda store: store.update_session(session))

    def of_download(self, session: str) -> Any:
        return self.sim.run(lambda store: store.download_session(session))


@pytest.fixture
def connection(sim: Simulator, dialect: str) -> Connection:
    return connect(sim, dialect)


@pytest.fixture
def scene(connection: Connection, sim: Simulator) -> Iterator[Scene]:
    iso = sim.run(lambda store: store.find_item_id("templates", "tools"))
    ovf = sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    sim.run(lambda store: store.seed_item_files(iso, {"a.iso": b"content"}))
    connection.login()
    yield Scene(sim, connection, sim.run(lambda store: store.find_library_id("templates")), iso, ovf)
    connection.logout()


def library_list(scene: Scene) -> None:
    mirror = scene.sim.run(lambda store: store.find_library_id("mirror"))
    assert scene.api.list_libraries() == [scene.library, mirror]


def local_library_list(scene: Scene) -> None:
    found = scene.ask(
        ("GET", "/api/content/local-library", None), ("GET", "/rest/com/vmware/content/local-library", None)
    )
    assert found == [scene.library]


def library_get(scene: Scene) -> None:
    found = scene.api.get_library(scene.library)
    assert (found.id, found.name, found.type) == (scene.library, "templates", "LOCAL")


def item_get(scene: Scene) -> None:
    found = scene.api.get_item(scene.iso)
    assert (found.id, found.library_id, found.name, found.type) == (scene.iso, scene.library, "tools", "iso")


def item_find(scene: Scene) -> None:
    assert scene.api.find_items("tools", scene.library) == [scene.iso]
    assert scene.api.find_items(library_id=scene.library, item_type="ovf") == [scene.ovf]
    assert scene.api.find_items(library_id=scene.library) == [scene.ovf, scene.iso]


def item_list(scene: Scene) -> None:
    query = f"/item?library_id={scene.library}"
    found = scene.ask(("GET", LIBRARY + query, None), ("GET", REST_LIBRARY + query, None))
    assert sorted(found) == sorted([scene.iso, scene.ovf])


def item_create(scene: Scene) -> None:
    made = LibraryItem(library_id=scene.library, name="new", type="iso", description="x")
    token = str(uuid.uuid4())
    assert scene.api.create_item(made, token) == scene.api.create_item(made, token)
    assert scene.sim.run(lambda store: store.find_item_id("templates", "new"))


def item_update(scene: Scene) -> None:
    scene.api.update_item(scene.ovf, LibraryItem(description="new words"))
    assert scene.sim.run(lambda store: store.catalog.item(scene.ovf).description) == "new words"


def item_delete(scene: Scene) -> None:
    scene.api.delete_item(scene.ovf)
    assert scene.sim.run(lambda store: store.catalog.item_ids(scene.library)) == [scene.iso]


def item_file_list(scene: Scene) -> None:
    (found,) = scene.api.list_item_files(scene.iso)
    assert (found.name, found.size) == ("a.iso", 7)
    assert found.checksum_info


def item_file_get(scene: Scene) -> None:
    found = scene.ask(
        ("GET", f"{LIBRARY}/item/{scene.iso}/file?name=a.iso", None),
        ("POST", f"{REST_LIBRARY}/item/file/id:{scene.iso}?~action=get", {"name": "a.iso"}),
    )
    assert (found["name"], found["size"]) == ("a.iso", 7)


def item_storage_list(scene: Scene) -> None:
    (found,) = scene.api.list_item_storage(scene.iso)
    assert (found.name, found.size, found.cached) == ("a.iso", 7, True)
    assert found.storage_backing
    assert (found.storage_backing.type, found.storage_backing.datastore_id) == ("DATASTORE", "datastore-11")
    assert [uri.partition("://")[0] for uri in found.storage_uris or ()] == ["ds"]


def item_storage_get(scene: Scene) -> None:
    scene.sim.run(lambda store: store.seed_item_files(scene.iso, {"b.iso": b"more"}))
    (found,) = scene.ask(
        ("GET", f"{LIBRARY}/item/{scene.iso}/storage?file_name=b.iso", None),
        ("POST", f"{REST_LIBRARY}/item/storage/id:{scene.iso}?~action=get", {"file_name": "b.iso"}),
    )
    assert (found["name"], found["size"], len(found["storage_uris"])) == ("b.iso", 4, 1)


def update_create(scene: Scene) -> None:
    token = str(uuid.uuid4())
    made = scene.api.updates.create(UpdateSession(library_item_id=scene.ovf, warning_behavior=EXPIRED), token)
    assert made == scene.api.updates.create(UpdateSession(library_item_id=scene.ovf, warning_behavior=EXPIRED), token)
    session = scene.of_update(made)
    assert (session.item.id, session.warning_behavior) == (
        scene.ovf,
        [{"type": "EXPIRED_CERTIFICATE", "ignored": True}],
    )


def update_list(scene: Scene) -> None:
    mine, other = scene.update(), scene.other_update()
    assert scene.api.updates.ids(scene.iso) == [mine]
    assert sorted(scene.api.updates.ids()) == sorted([mine, other])


def update_get(scene: Scene) -> None:
    session = scene.update(
        client_progress=7, warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}], files={"x.ovf": b"<x/>"}
    )
    found = scene.api.updates.get(session)
    assert (found.id, found.library_item_id, found.state, found.client_progress) == (session, scene.iso, "ACTIVE", 7)
    assert found.warning_behavior == EXPIRED
    assert found.preview_info
    assert (found.preview_info.state, found.preview_info.warnings) == ("AVAILABLE", ())
    assert found.expiration_time
    assert found.library_item_content_version


def update_update(scene: Scene) -> None:
    session = scene.update()
    scene.api.updates.set_warning_behavior(session, EXPIRED)
    assert scene.of_update(session).warning_behavior == [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]


def update_complete(scene: Scene) -> None:
    session = scene.update(files={"b.iso": b"more"})
    scene.api.updates.complete(session)
    assert scene.of_update(session).state == "DONE"


def update_file_list(scene: Scene) -> None:
    session = scene.update(files={"b.iso": b"more", "c.iso": None})
    files = {file.name: file for file in scene.api.updates.files(session)}
    assert {name: file.status for name, file in files.items()} == {
        "a.iso": "READY",
        "b.iso": "READY",
        "c.iso": "WAITING_FOR_TRANSFER",
    }
    assert (files["b.iso"].bytes_transferred, files["b.iso"].source_type) == (4, "PUSH")
    assert files["b.iso"].checksum_info
    assert files["c.iso"].upload_endpoint


def update_file_add(scene: Scene) -> None:
    session = scene.update()
    added = scene.api.updates.add_file(session, UpdateFileAddition(name="b.iso", source_type="PUSH", size=4))
    assert added.upload_endpoint
    assert "b.iso" in scene.of_update(session).files


def update_file_get(scene: Scene) -> None:
    session = scene.update(files={"b.iso": b"more"})
    found = scene.ask(
        ("GET", f"{LIBRARY}/item/update-session/{session}/file/b.iso", None),
        ("POST", f"{REST_LIBRARY}/item/updatesession/file/id:{session}?~action=get", {"file_name": "b.iso"}),
    )
    assert (found["name"], found["status"], found["size"]) == ("b.iso", "READY", 4)


def update_file_remove(scene: Scene) -> None:
    session = scene.update()
    scene.api.updates.remove_file(session, "a.iso")
    assert scene.api.updates.files(session) == []


def update_file_validate(scene: Scene) -> None:
    session = scene.sim.run(lambda store: store.seed_update_session(scene.ovf, files={"x.ovf": BARE_DESCRIPTOR}))
    found = scene.api.updates.validate_files(session)
    assert [invalid.name for invalid in found.invalid_files or ()] == ["disk.vmdk"]
    scene.sim.run(lambda store: store.updates.remove_file(session, "disk.vmdk"))
    found = scene.api.updates.validate_files(session)
    assert (found.has_errors, found.missing_files, found.invalid_files) == (True, ("disk.vmdk",), ())


def update_file_probe(scene: Scene) -> None:
    assert scene.api.updates.probe(TransferEndpoint(UNREACHABLE)).status not in (None, "SUCCESS")


def download_create(scene: Scene) -> None:
    token = str(uuid.uuid4())
    made = scene.api.downloads.create(DownloadSession(library_item_id=scene.iso), token)
    assert made == scene.api.downloads.create(DownloadSession(library_item_id=scene.iso), token)
    assert scene.of_download(made).item.id == scene.iso


def download_list(scene: Scene) -> None:
    mine, other = scene.download(), scene.other_download()
    assert scene.api.downloads.ids(scene.iso) == [mine]
    assert sorted(scene.api.downloads.ids()) == sorted([mine, other])


def download_get(scene: Scene) -> None:
    session = scene.download(client_progress=9)
    found = scene.api.downloads.get(session)
    assert (found.id, found.library_item_id, found.state, found.client_progress) == (session, scene.iso, "ACTIVE", 9)
    assert found.expiration_time


def download_file_list(scene: Scene) -> None:
    (found,) = scene.api.downloads.files(scene.download())
    assert (found.name, found.status, found.size) == ("a.iso", "UNPREPARED", 7)


def download_file_get(scene: Scene) -> None:
    found = scene.api.downloads.get_file(scene.download(prepared=["a.iso"]), "a.iso")
    assert (found.name, found.status) == ("a.iso", "PREPARED")
    assert found.download_endpoint


def download_file_prepare(scene: Scene) -> None:
    session = scene.download()
    scene.api.downloads.prepare_file(session, "a.iso", "DIRECT")
    endpoint = scene.api.downloads.get_file(session, "a.iso").download_endpoint
    assert endpoint
    assert endpoint.uri.startswith("ds:///")


def of_kind(
    kind: str, check: Callable[[Any, Callable[..., str], Callable[[str], Any]], None]
) -> Callable[[Scene], None]:
    """A check of what sessions of both kinds have; it is given our operations, a seeder and a look at the server."""

    def run(scene: Scene) -> None:
        if kind == "update":
            check(scene.api.updates, scene.update, scene.of_update)
        else:
            check(scene.api.downloads, scene.download, scene.of_download)

    return run


def cancel(sessions: Any, seed: Callable[..., str], look: Callable[[str], Any]) -> None:
    session = seed()
    sessions.cancel(session)
    assert look(session).state == "CANCELED"


def fail(sessions: Any, seed: Callable[..., str], _look: Callable[[str], Any]) -> None:
    session = seed()
    sessions.fail(session, "no room")
    assert sessions.get(session).error_message.args == ("no room",)


def keep_alive(sessions: Any, seed: Callable[..., str], look: Callable[[str], Any]) -> None:
    session = seed()
    sessions.keep_alive(session)
    sessions.keep_alive(session, 40)
    assert look(session).client_progress == 40


def delete(sessions: Any, seed: Callable[..., str], _look: Callable[[str], Any]) -> None:
    sessions.delete(seed(state="CANCELED"))
    assert sessions.ids() == []


#: What our client does not need, and other clients do.
OF_OTHERS: dict[str, Callable[[Scene], None]] = {
    "local_library.list": local_library_list,
    "item.list": item_list,
    "item.file.get": item_file_get,
    "item.storage.get": item_storage_get,
    "update_session.file.get": update_file_get,
}
OPERATIONS: dict[str, Callable[[Scene], None]] = {
    "library.list": library_list,
    "library.find": lambda scene: _same(scene.api.find_libraries("templates"), [scene.library]),
    "library.get": library_get,
    "item.find": item_find,
    "item.get": item_get,
    "item.create": item_create,
    "item.update": item_update,
    "item.delete": item_delete,
    "item.file.list": item_file_list,
    "item.storage.list": item_storage_list,
    "update_session.create": update_create,
    "update_session.list": update_list,
    "update_session.get": update_get,
    "update_session.update": update_update,
    "update_session.complete": update_complete,
    "update_session.file.list": update_file_list,
    "update_session.file.add": update_file_add,
    "update_session.file.remove": update_file_remove,
    "update_session.file.validate": update_file_validate,
    "update_session.file.probe": update_file_probe,
    "download_session.create": download_create,
    "download_session.list": download_list,
    "download_session.get": download_get,
    "download_session.file.list": download_file_list,
    "download_session.file.get": download_file_get,
    "download_session.file.prepare": download_file_prepare,
    **{
        f"{kind}_session.{check.__name__}": of_kind(kind, check)
        for kind in ("update", "download")
        for check in (cancel, fail, keep_alive, delete)
    },
}
REFUSALS: dict[str, Callable[[Scene], Any]] = {
    "NOT_FOUND": lambda scene: scene.api.updates.get("nobody:nowhere"),
    "RESOURCE_BUSY": lambda scene: (
        scene.update(),
        scene.api.updates.create(UpdateSession(library_item_id=scene.iso), _token()),
    ),
    "UNAUTHENTICATED": lambda scene: scene.api_with(password="wrong"),
    "UNAUTHORIZED": lambda scene: scene.api_with(username=VIEWER).updates.create(
        UpdateSession(library_item_id=scene.ovf), _token()
    ),
    "NOT_ALLOWED_IN_CURRENT_STATE": lambda scene: scene.api.updates.cancel(scene.update(state="DONE")),
    "INVALID_ARGUMENT": lambda scene: scene.api.updates.keep_alive(scene.update(), 101),
}


def _same(found: Any, expected: Any) -> None:
    assert found == expected


def _token() -> str:
    return str(uuid.uuid4())


def deviations(contract: Contract, exchange: Exchange) -> list[str]:
    asked = contract.asked(exchange)
    if asked:
        return [f"our client: {text}" for text in asked]
    if exchange.status == 404 and not exchange.response_body.startswith(b"{"):
        return [f"the simulator does not know {exchange.method} {exchange.path}"]
    return [f"the simulator: {text}" for text in contract.answered(exchange)]


def hold_to_description(sim: Simulator) -> None:
    contract = load_contract()
    found = [text for exchange in sim.exchanges for text in deviations(contract, exchange)]
    if found:
        pytest.fail("against the published description:\n" + "\n".join(found), pytrace=False)


def test_every_operation_is_here() -> None:
    assert set(OPERATIONS) == set(ROUTES)
    assert set(OPERATIONS) | set(OF_OTHERS) == {our_name(row.operation) for row in (*API_ROWS, *REST_ROWS)}


def test_a_login(connection: Connection, sim: Simulator) -> None:
    verb, path = WHO_AM_I[connection.dialect or ""]
    try:
        connection.login()
        found = connection.send(verb, path, operation="test")
        connection.logout()
    finally:
        hold_to_description(sim)
    assert found.get("value", found)["user"] == sim.username
    assert sim.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize("operation", [*OPERATIONS, *OF_OTHERS])
def test_an_operation(scene: Scene, operation: str) -> None:
    try:
        {**OPERATIONS, **OF_OTHERS}[operation](scene)
    finally:
        hold_to_description(scene.sim)


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal(scene: Scene, kind: str) -> None:
    try:
        with pytest.raises(ContentError) as caught:
            REFUSALS[kind](scene)
    finally:
        hold_to_description(scene.sim)
    refused = next(each for each in scene.sim.exchanges if each.status >= 400)
    body = json.loads(refused.response_body)
    if refused.path.startswith("/rest/"):
        # The description says only that this is text, and our client reads no more than its last part.
        assert body["type"] == f"com.vmware.vapi.std.errors.{kind.lower()}"
    else:
        assert body["error_type"] == kind
    assert caught.value.error_type == kind
    assert caught.value.messages
