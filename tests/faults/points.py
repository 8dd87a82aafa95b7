# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks of the fault matrix, and the points of each: the requests at which something goes wrong.

A point is a request for an operation, as the simulator names operations; the same in both dialects.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from tests.harness.tasks import DOWNLOAD_SESSION, SESSION_INFO, UPDATE_SESSION
from tests.simulator import Store

LIBRARY_ITEM = "content_library_item"

LIBRARY, ITEM, NEW_ITEM = "templates", "tools", "drivers"
DESCRIPTION = "Drivers and tools"
WARNING_BEHAVIOR = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]


class Kind(enum.Enum):
    """What a request is to the task that sends it; the columns of the table in `expectations`."""

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
    """What a task works with: an item, a local image, its bytes, a directory, and the sessions that it finds."""

    item_id: str
    image: Path
    dest: Path
    content: bytes
    url: str = ""
    session_id: str = ""
    found: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.image.name


def _nothing(_store: Store, _scene: Scene) -> str:
    return ""


def _session(store: Store, scene: Scene) -> str:
    return store.seed_update_session(scene.item_id)


def _filled_session(store: Store, scene: Scene) -> str:
    return store.seed_update_session(scene.item_id, files={scene.name: scene.content})


def _content(store: Store, scene: Scene) -> str:
    store.seed_item_files(scene.item_id, {scene.name: scene.content})
    return ""


def _download(store: Store, scene: Scene) -> str:
    _content(store, scene)
    return store.seed_download_session(scene.item_id)


def _published(store: Store, scene: Scene) -> bool:
    item = store.catalog.items.get(scene.item_id)
    return item is not None and store.item_contents(item.id) == {scene.name: scene.content}


def _fetched(_store: Store, scene: Scene) -> bool:
    return {path.name: path.read_bytes() for path in scene.dest.iterdir()} == {scene.name: scene.content}


def _canceled(store: Store, _scene: Scene) -> bool:
    return not store.active_update_sessions()


def _removed(store: Store, _scene: Scene) -> bool:
    return not store.updates.sessions


def _warned(store: Store, scene: Scene) -> bool:
    session = store.updates.sessions.get(scene.session_id)
    return session is not None and session.warning_behavior == WARNING_BEHAVIOR


def _failed(store: Store, scene: Scene) -> bool:
    session = store.updates.sessions.get(scene.session_id)
    return session is not None and session.state == "ERROR"


def _emptied(store: Store, scene: Scene) -> bool:
    session = store.updates.sessions.get(scene.session_id)
    return session is not None and not session.files


def _download_canceled(store: Store, _scene: Scene) -> bool:
    return not any(session.state == "ACTIVE" for session in store.downloads.sessions.values())


def _download_removed(store: Store, _scene: Scene) -> bool:
    return not store.downloads.sessions


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

    `seed` makes what it finds, and returns the id of a session in it; `needs` is what a later run cannot do without:
    an "item", or that "session". `is_begun` is whether anything of it has been changed, where that can be while it is
    not so yet. `fault` is one that it always meets, a rule of the simulator's, so that it always fails with `fails`
    in `fails_in`.
    """

    module: str
    options: Callable[[Scene], dict[str, Any]]
    is_done: Callable[[Store, Scene], bool]
    seed: Callable[[Store, Scene], str] = _nothing
    needs: str = ""
    fault: str = ""
    fails: str = ""
    fails_in: str = ""
    is_begun: Callable[[Store, Scene], bool] = _nothing_yet


def _publish(scene: Scene) -> dict[str, Any]:
    return {
        "library_item_id": scene.item_id,
        "state": "done",
        "files": [{"src": str(scene.image)}],
    }


def _pull(scene: Scene) -> dict[str, Any]:
    known = {"checksum": hashlib.sha256(scene.content).hexdigest(), "checksum_algorithm": "SHA256"}
    return {"library_item_id": scene.item_id, "state": "done", "files": [{"url": scene.url, **known}]}


def _of_library(name: str, **options: Any) -> Callable[[Scene], dict[str, Any]]:
    return lambda _scene: {"library": LIBRARY, "name": name, **options}


def _of_session(**options: Any) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: {"session_id": scene.session_id, **options}


def _fetch(scene: Scene) -> dict[str, Any]:
    return {"library_item_id": scene.item_id, "dest": str(scene.dest)}


TASKS: Mapping[str, Task] = {
    "publish": Task(UPDATE_SESSION, _publish, _published, needs="item"),
    "clean-up": Task(
        UPDATE_SESSION,
        _publish,
        _published,
        needs="item",
        fault="POST:*complete*:*:400",
        fails="INVALID_ARGUMENT",
        fails_in="update_session.complete",
    ),
    "pull": Task(
        UPDATE_SESSION,
        _pull,
        _published,
        needs="item",
    ),
    "warn": Task(
        UPDATE_SESSION,
        _of_session(state="active", warning_behavior=WARNING_BEHAVIOR),
        _warned,
        _session,
        needs="session",
    ),
    "take-out": Task(
        UPDATE_SESSION,
        lambda scene: {
            "session_id": scene.session_id,
            "state": "active",
            "files": [{"name": scene.name, "state": "absent"}],
        },
        _emptied,
        _filled_session,
        needs="session",
    ),
    "cancel": Task(
        UPDATE_SESSION,
        lambda scene: {"library_item_id": scene.item_id, "state": "canceled"},
        _canceled,
        _session,
        needs="item",
    ),
    "fail": Task(
        UPDATE_SESSION, _of_session(state="error", error_message="Stopped."), _failed, _session, needs="session"
    ),
    "remove": Task(UPDATE_SESSION, _of_session(state="absent"), _removed, _session, is_begun=_canceled),
    "fetch": Task(DOWNLOAD_SESSION, _fetch, _fetched, _content, needs="item"),
    "fetch-clean-up": Task(
        DOWNLOAD_SESSION,
        _fetch,
        _fetched,
        _content,
        needs="item",
        fault="GET:/cls/data/*:*:500",
        fails="INTERNAL_SERVER_ERROR",
        fails_in="download_session.file.get_data",
    ),
    "remove-download": Task(
        DOWNLOAD_SESSION, _of_session(state="absent"), _download_removed, _download, is_begun=_download_canceled
    ),
    "info": Task(
        SESSION_INFO,
        lambda scene: {"library_item_id": scene.item_id, "kind": "update", "with_files": True},
        _read,
        _session,
        needs="item",
    ),
    "info-downloads": Task(
        SESSION_INFO,
        lambda scene: {"library_item_id": scene.item_id, "kind": "download", "with_files": True},
        _read,
        _download,
        needs="item",
    ),
    "create-item": Task(LIBRARY_ITEM, _of_library(NEW_ITEM, type="iso"), _made),
    "update-item": Task(LIBRARY_ITEM, _of_library(ITEM, description=DESCRIPTION), _described),
    "delete-item": Task(LIBRARY_ITEM, _of_library(ITEM, state="absent"), _deleted),
}


@dataclass(frozen=True)
class Point:
    """The `nth` request of a task for an operation.

    `in_session` says that it is about a session, which can have gone; `parts` are the percentages of its body, or of
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
    Point("publish", "library", Kind.READ, "library.get"),
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
    Point("pull", "probe", Kind.READ, "probe"),
    Point("pull", "add", Kind.ADD, "update.file.add", in_session=True),
    Point("warn", "set", Kind.CHANGE, "update.update", in_session=True),
    Point("warn", "read-back", Kind.READ, "update.get", nth=2, in_session=True),
    Point("take-out", "remove", Kind.CHANGE, "update.file.remove", in_session=True),
    Point("cancel", "cancel", Kind.REMOVE, "update.cancel", in_session=True),
    Point("fail", "fail", Kind.REMOVE, "update.fail", in_session=True),
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
    Point("fetch-clean-up", "cancel", Kind.REMOVE, "download.cancel", in_session=True),
    Point("fetch-clean-up", "delete", Kind.REMOVE, "download.delete", in_session=True),
    Point("remove-download", "cancel", Kind.REMOVE, "download.cancel", in_session=True),
    Point("remove-download", "delete", Kind.REMOVE, "download.delete", in_session=True),
    Point("info", "login", Kind.LOGIN, "session.login"),
    Point("info", "list", Kind.READ, "update.list"),
    Point("info", "get", Kind.READ, "update.get", in_session=True),
    Point("info", "files", Kind.READ, "update.file.list", in_session=True),
    Point("info", "logout", Kind.LOGOUT, "session.logout"),
    Point("info-downloads", "list", Kind.READ, "download.list"),
    Point("info-downloads", "get", Kind.READ, "download.get", in_session=True),
    Point("info-downloads", "files", Kind.READ, "download.file.list", in_session=True),
    Point("create-item", "login", Kind.LOGIN, "session.login"),
    Point("create-item", "library", Kind.READ, "library.find"),
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
            "library.find",
            "probe",
            "update.create",
            "update.update",
            "update.fail",
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
    for dialect, more in {"api": (), "rest": ("update.file.remove", "download.file.get")}.items()
}
WITHOUT_ANSWER = frozenset(
    {
        "session.logout",
        "data.put",
        "update.update",
        "update.file.remove",
        "update.complete",
        "update.cancel",
        "update.fail",
        "update.delete",
        "download.cancel",
        "download.delete",
        "item.update",
        "item.delete",
    }
)
