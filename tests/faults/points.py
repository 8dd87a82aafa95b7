# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks of the fault matrix, and the points of each: the requests at which something goes wrong.

A point is a request for an operation, as the simulator names operations; the same in both dialects.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from tests.harness.tasks import SESSION_INFO, UPDATE_SESSION
from tests.simulator import Store

DOWNLOAD_SESSION = "content_library_download_session"
LIBRARY_ITEM = "content_library_item"

LIBRARY, ITEM, NEW_ITEM = "templates", "tools", "drivers"
DESCRIPTION = "Drivers and tools"


class Kind(enum.Enum):
    """What a request is to the task that sends it; the columns of the table in C(expectations)."""

    LOGIN = "log in"
    READ = "read"
    CREATE = "create, with a client token"
    ADD = "announce a file"
    PUT = "upload"
    GET = "download"
    CHANGE = "change, sent once"
    COMPLETE = "complete"
    END = "see how it ended"
    REMOVE = "cancel, delete"
    LOGOUT = "log out"


@dataclass(frozen=True)
class Scene:
    """What a task works with: an item, a local image, a directory, and the bytes of the image."""

    item_id: str
    image: Path
    dest: Path
    content: bytes
    session_id: str = ""

    @property
    def name(self) -> str:
        return self.image.name


def _nothing(_store: Store, _scene: Scene) -> str:
    return ""


def _session(store: Store, scene: Scene) -> str:
    return store.seed_update_session(scene.item_id)


def _content(store: Store, scene: Scene) -> str:
    store.seed_item_files(scene.item_id, {scene.name: scene.content})
    return ""


def _published(store: Store, scene: Scene) -> bool:
    item = store.catalog.items.get(scene.item_id)
    return item is not None and store.item_contents(item.id) == {scene.name: scene.content}


def _fetched(_store: Store, scene: Scene) -> bool:
    return {path.name: path.read_bytes() for path in scene.dest.iterdir()} == {scene.name: scene.content}


def _canceled(store: Store, _scene: Scene) -> bool:
    return not store.active_update_sessions()


def _removed(store: Store, _scene: Scene) -> bool:
    return not store.updates.sessions


def _read(_store: Store, _scene: Scene) -> bool:
    return True


def _made(store: Store, _scene: Scene) -> bool:
    return [entry.type for entry in store.catalog.items.values() if entry.name == NEW_ITEM] == ["iso"]


def _described(store: Store, _scene: Scene) -> bool:
    return [entry.description for entry in store.catalog.items.values() if entry.name == ITEM] == [DESCRIPTION]


def _deleted(store: Store, scene: Scene) -> bool:
    return scene.item_id not in store.catalog.items


def _nothing_yet(_store: Store, _scene: Scene) -> bool:
    return False


@dataclass(frozen=True)
class Task:
    """A task as a playbook has it: what stands on the server before, what is declared, and whether it is so.

    C(seed) makes what it finds, and returns the id of a session in it. C(is_begun) is whether anything of it has been
    changed, where that can be while it is not so yet. C(fault) is one that it always meets, a rule of
    the simulator's, so that it always fails with C(fails).
    """

    module: str
    options: Callable[[Scene], dict[str, Any]]
    is_done: Callable[[Store, Scene], bool]
    seed: Callable[[Store, Scene], str] = _nothing
    fault: str = ""
    fails: str = ""
    is_begun: Callable[[Store, Scene], bool] = _nothing_yet


def _publish(scene: Scene) -> dict[str, Any]:
    return {
        "library_item_id": scene.item_id,
        "state": "done",
        "files": [{"src": str(scene.image)}],
    }


def _of_library(name: str, **options: Any) -> Callable[[Scene], dict[str, Any]]:
    return lambda _scene: {"library": LIBRARY, "name": name, **options}


TASKS: Mapping[str, Task] = {
    "publish": Task(UPDATE_SESSION, _publish, _published),
    "clean-up": Task(
        UPDATE_SESSION, _publish, _published, fault="POST:*complete*:*:500", fails="INTERNAL_SERVER_ERROR"
    ),
    "cancel": Task(
        UPDATE_SESSION, lambda scene: {"library_item_id": scene.item_id, "state": "canceled"}, _canceled, _session
    ),
    "remove": Task(
        UPDATE_SESSION,
        lambda scene: {"session_id": scene.session_id, "state": "absent"},
        _removed,
        _session,
        is_begun=_canceled,
    ),
    "fetch": Task(
        DOWNLOAD_SESSION,
        lambda scene: {"library_item_id": scene.item_id, "dest": str(scene.dest)},
        _fetched,
        _content,
    ),
    "info": Task(SESSION_INFO, lambda scene: {"library_item_id": scene.item_id, "kind": "update"}, _read, _session),
    "create-item": Task(LIBRARY_ITEM, _of_library(NEW_ITEM, type="iso"), _made),
    "update-item": Task(LIBRARY_ITEM, _of_library(ITEM, description=DESCRIPTION), _described),
    "delete-item": Task(LIBRARY_ITEM, _of_library(ITEM, state="absent"), _deleted),
}


@dataclass(frozen=True)
class Point:
    """The C(nth) request of a task for an operation.

    C(in_session) says that it is about a session, which can have gone; C(parts) are the percentages of its body, or of
    its answer's, after which it is tried what a break does.
    """

    task: str
    name: str
    kind: Kind
    operation: str
    nth: int = 1
    in_session: bool = False
    parts: tuple[int, ...] = (50,)

    @property
    def id(self) -> str:
        return f"{self.task}-{self.name}"


THIRDS = (10, 50, 99)

POINTS: tuple[Point, ...] = (
    Point("publish", "login", Kind.LOGIN, "session.login"),
    Point("publish", "list", Kind.READ, "update.list"),
    Point("publish", "create", Kind.CREATE, "update.create"),
    Point("publish", "read", Kind.READ, "update.get", in_session=True),
    Point("publish", "add", Kind.ADD, "update.file.add", in_session=True),
    Point("publish", "put", Kind.PUT, "data.put", in_session=True, parts=THIRDS),
    Point("publish", "arrived", Kind.READ, "update.file.list", in_session=True),
    Point("publish", "validate", Kind.READ, "update.file.validate", in_session=True),
    Point("publish", "complete", Kind.COMPLETE, "update.complete", in_session=True),
    Point("publish", "poll", Kind.END, "update.get", nth=3, in_session=True),
    Point("publish", "logout", Kind.LOGOUT, "session.logout"),
    Point("clean-up", "cancel", Kind.REMOVE, "update.cancel", in_session=True),
    Point("clean-up", "delete", Kind.REMOVE, "update.delete", in_session=True),
    Point("cancel", "cancel", Kind.REMOVE, "update.cancel", in_session=True),
    Point("remove", "cancel", Kind.REMOVE, "update.cancel", in_session=True),
    Point("remove", "delete", Kind.REMOVE, "update.delete", in_session=True),
    Point("fetch", "login", Kind.LOGIN, "session.login"),
    Point("fetch", "list", Kind.READ, "item.file.list"),
    Point("fetch", "create", Kind.CREATE, "download.create"),
    Point("fetch", "prepare", Kind.CHANGE, "download.file.prepare", in_session=True),
    Point("fetch", "poll", Kind.READ, "download.file.get", in_session=True),
    Point("fetch", "get", Kind.GET, "data.get", in_session=True, parts=THIRDS),
    Point("fetch", "delete", Kind.REMOVE, "download.delete", in_session=True),
    Point("fetch", "logout", Kind.LOGOUT, "session.logout"),
    Point("info", "login", Kind.LOGIN, "session.login"),
    Point("info", "list", Kind.READ, "update.list"),
    Point("info", "get", Kind.READ, "update.get", in_session=True),
    Point("info", "logout", Kind.LOGOUT, "session.logout"),
    Point("create-item", "login", Kind.LOGIN, "session.login"),
    Point("create-item", "find", Kind.READ, "item.find"),
    Point("create-item", "create", Kind.CREATE, "item.create"),
    Point("create-item", "read", Kind.READ, "item.get"),
    Point("create-item", "logout", Kind.LOGOUT, "session.logout"),
    Point("update-item", "update", Kind.CHANGE, "item.update"),
    Point("update-item", "read", Kind.READ, "item.file.list", nth=2),
    Point("delete-item", "delete", Kind.CHANGE, "item.delete"),
)

#: Requests that have a body, and answers that have one; the undisturbed run of each task is held against this.
WITH_BODY: Mapping[str, frozenset[str]] = {
    dialect: frozenset(
        {
            "update.create",
            "update.file.add",
            "data.put",
            "download.create",
            "download.file.prepare",
            "item.find",
            "item.create",
            "item.update",
            *more,
        }
    )
    for dialect, more in {"api": (), "rest": ("download.file.get",)}.items()
}
WITHOUT_ANSWER = frozenset(
    {
        "session.logout",
        "data.put",
        "update.complete",
        "update.cancel",
        "update.delete",
        "download.delete",
        "item.update",
        "item.delete",
    }
)
