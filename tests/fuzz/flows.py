# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server answers in undisturbed runs that together use every operation, recorded against the simulator.

Whatever differs from recording to recording, such as identifiers and times, is replaced, so that a case is the same
wherever it runs.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

from tests.contract.checks import Contract, load_contract
from tests.fuzz.operations import GET_DATA, LOGIN, operation_of
from tests.harness.modules import connection_args, run_module
from tests.harness.packages import ACCEPTED, Package, make_iso, make_package
from tests.harness.tasks import TOOLS
from tests.simulator import Exchange, Seed, Simulator

UPDATE, DOWNLOAD = "content_library_update_session", "content_library_download_session"
INFO, ITEM = "content_library_session_info", "content_library_item"
ITEM_INFO, RETENTION = "content_library_item_info", "content_library_retention"

HOST = "vcenter.test"
TOKEN = "Token-Canary-5fd0c2"
PASSWORD = "Canary-7f3kQ2"
SOURCE = "ds:///vmfs/volumes/golden/tools.iso"
IMAGE = b"an image of a few bytes"
PACKAGE = {"library": "templates", "library_item": "rocky9"}

OWN_ADDRESS = rf"^https://{re.escape(HOST)}(:443)?(?=/)"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True)
class Step:
    """One request of a flow: the how-manieth of its place, and what it asks for."""

    place: str
    number: int
    operation: str


@dataclass(frozen=True)
class Flow:
    """An undisturbed run: the answers to the requests of each place, which is a verb with a path, and their order."""

    name: str
    dialect: str
    module: str
    options: Mapping[str, Any]
    steps: tuple[Step, ...]
    answers: Mapping[str, tuple[Answer, ...]]

    @property
    def title(self) -> str:
        return f"{self.dialect}/{self.name}"


@dataclass(frozen=True)
class Scene:
    """Where a scenario takes place: a server, local files to send, and a directory to fetch to."""

    sim: Simulator
    image: Path
    package: Package
    dest: Path

    def item(self, name: str = "tools") -> str:
        return self.sim.run(lambda store: store.find_item_id("templates", name))

    def hold(self, files: Mapping[str, bytes]) -> None:
        item = self.item()
        self.sim.run(lambda store: store.seed_item_files(item, files))

    def update(self, **options: Any) -> str:
        item = self.item()
        return self.sim.run(lambda store: store.seed_update_session(item, **options))

    def download(self, **options: Any) -> str:
        self.hold({"a.iso": b"content", "b.iso": b"more"})
        item = self.item()
        return self.sim.run(lambda store: store.seed_download_session(item, **options))


def _publish(scene: Scene) -> dict[str, Any]:
    return {**TOOLS, "state": "done", "files": [{"src": str(scene.image)}], "client_progress": 5}


def _publish_package(scene: Scene) -> dict[str, Any]:
    files = [{"src": str(scene.package.descriptor)}]
    return {**PACKAGE, "state": "done", "files": files, "warning_behavior": ACCEPTED}


def _pull(_scene: Scene) -> dict[str, Any]:
    return {**TOOLS, "state": "done", "files": [{"url": SOURCE}]}


def _purge(scene: Scene) -> dict[str, Any]:
    scene.hold({"old.iso": b"old", "tools.iso": IMAGE})
    return {**TOOLS, "state": "done", "files": [{"src": str(scene.image)}], "purge_files": True}


def _fill(scene: Scene) -> dict[str, Any]:
    scene.update(files={"a.iso": b"content"})
    values = {"warning_behavior": ACCEPTED, "keep_alive": True, "client_progress": 40}
    return {**TOOLS, "state": "active", "files": [{"src": str(scene.image)}], **values}


def _equal(scene: Scene) -> dict[str, Any]:
    scene.hold({"tools.iso": IMAGE})
    return {**TOOLS, "state": "done", "files": [{"src": str(scene.image)}]}


def _take_over(scene: Scene) -> dict[str, Any]:
    scene.update(transferring={"tools.iso": 10})
    return {**TOOLS, "state": "done", "files": [{"src": str(scene.image)}]}


def _complete_found(scene: Scene) -> dict[str, Any]:
    scene.update(files={"a.iso": b"content"})
    return {**TOOLS, "state": "done"}


def _cancel_update(scene: Scene) -> dict[str, Any]:
    return {"session_id": scene.update(), "state": "canceled"}


def _fail_update(scene: Scene) -> dict[str, Any]:
    return {"session_id": scene.update(), "state": "error", "error_message": "no room"}


def _remove_update(scene: Scene) -> dict[str, Any]:
    scene.update(files={"a.iso": b"content"})
    return {**TOOLS, "state": "absent"}


def _fetch(scene: Scene) -> dict[str, Any]:
    scene.hold({"a.iso": b"content", "b.iso": b"more"})
    return {**TOOLS, "dest": str(scene.dest), "parallel_transfers": 1}


def _prepare(scene: Scene) -> dict[str, Any]:
    scene.hold({"a.iso": b"content", "b.iso": b"more"})
    return {**TOOLS, "state": "active", "files": ["a.*"], "client_progress": 9}


def _prepare_found(scene: Scene) -> dict[str, Any]:
    return {"session_id": scene.download(prepared=["a.iso"]), "state": "active", "keep_alive": True}


def _cancel_download(scene: Scene) -> dict[str, Any]:
    return {"session_id": scene.download(), "state": "canceled"}


def _fail_download(scene: Scene) -> dict[str, Any]:
    return {"session_id": scene.download(), "state": "error", "error_message": "no room"}


def _remove_downloads(scene: Scene) -> dict[str, Any]:
    scene.download()
    scene.download()
    return {**TOOLS, "state": "absent"}


def _all_sessions(scene: Scene) -> dict[str, Any]:
    scene.update(files={"a.iso": b"content", "b.iso": None})
    scene.download(prepared=["a.iso"])
    return {"with_files": True}


def _sessions_of_an_item(scene: Scene) -> dict[str, Any]:
    scene.update(state="ERROR", error_message="no room")
    return {**TOOLS, "kind": "update", "states": ["ACTIVE", "ERROR"]}


def _make_item(_scene: Scene) -> dict[str, Any]:
    return {"library": "templates", "name": "new", "type": "iso", "description": "made by a test"}


def _change_item(scene: Scene) -> dict[str, Any]:
    scene.hold({"a.iso": b"content"})
    return {"library_item_id": scene.item(), "description": "other words", "name": "tools2"}


def _delete_item(_scene: Scene) -> dict[str, Any]:
    return {"library": "templates", "name": "tools", "state": "absent"}


def _all_items(scene: Scene) -> dict[str, Any]:
    scene.hold({"a.iso": b"content"})
    return {"with_storage": True}


def _retain_items(scene: Scene) -> dict[str, Any]:
    scene.hold({"a.iso": b"content"})
    rocky9 = scene.item("rocky9")
    scene.sim.run(lambda store: store.seed_item_files(rocky9, {"rocky9.ovf": b"<Envelope/>"}))
    return {"libraries": ["templates"], "pattern": "*", "keep": 1, "by": "name", "name_pattern": "(.+)"}


SCENARIOS: Mapping[str, tuple[str, Callable[[Scene], dict[str, Any]]]] = {
    "publish": (UPDATE, _publish),
    "publish-package": (UPDATE, _publish_package),
    "publish-pulled": (UPDATE, _pull),
    "publish-purging": (UPDATE, _purge),
    "publish-nothing": (UPDATE, _equal),
    "fill-found": (UPDATE, _fill),
    "take-over": (UPDATE, _take_over),
    "complete-found": (UPDATE, _complete_found),
    "cancel-update": (UPDATE, _cancel_update),
    "fail-update": (UPDATE, _fail_update),
    "remove-update": (UPDATE, _remove_update),
    "fetch": (DOWNLOAD, _fetch),
    "prepare": (DOWNLOAD, _prepare),
    "prepare-found": (DOWNLOAD, _prepare_found),
    "cancel-download": (DOWNLOAD, _cancel_download),
    "fail-download": (DOWNLOAD, _fail_download),
    "remove-downloads": (DOWNLOAD, _remove_downloads),
    "all-sessions": (INFO, _all_sessions),
    "sessions-of-an-item": (INFO, _sessions_of_an_item),
    "make-item": (ITEM, _make_item),
    "change-item": (ITEM, _change_item),
    "delete-item": (ITEM, _delete_item),
    "all-items": (ITEM_INFO, _all_items),
    "retain-items": (RETENTION, _retain_items),
}


def record_flows(folder: Path) -> list[Flow]:
    """Play each scenario once in each dialect; `folder` holds the local files that the flows speak of.

    Pauses are shrunk by then as they are for the cases, so that a recording has all that a case will ask for.
    """
    image = make_image(folder)
    package = make_package(folder / "rocky9", disks=1, disk_bytes=12_000)
    dest = folder / "dest"
    dest.mkdir(exist_ok=True)
    seed = Seed(datastores={SOURCE: IMAGE})
    flows, contract = [], load_contract()
    with Simulator(settle=0, seed=seed) as sim:
        scene = Scene(sim, image, package, dest)
        for dialect, name in itertools.product(("api", "rest"), SCENARIOS):
            sim.reset(seed)
            flow = _record(scene, contract, dialect, name)
            flows.append(flow)
            if name == "publish-package":
                flows.append(_warned(flow))
    return flows


def make_image(folder: Path) -> Path:
    image = folder / "tools.iso"
    image.write_bytes(IMAGE)
    make_iso(folder / "other.iso", 3000)
    return image


def _record(scene: Scene, contract: Contract, dialect: str, name: str) -> Flow:
    module, prepare = SCENARIOS[name]
    options = prepare(scene)
    scene.sim.clear_exchanges()
    ran = run_module(module, {**connection_args(scene.sim), "api_dialect": dialect, **options})
    if ran.rc != 0:
        raise RuntimeError(f"{dialect}/{name} cannot be recorded: {ran.result.get('msg')}")
    wrong = [text for exchange in scene.sim.exchanges for text in contract.violations(exchange)]
    if wrong:
        raise RuntimeError(f"{dialect}/{name} is against the published description: {'; '.join(wrong)}")
    for path in scene.dest.iterdir():
        path.unlink()
    canonical = Canonical()
    steps = []
    answers: dict[str, list[Answer]] = {}
    for exchange in scene.sim.exchanges:
        operation = operation_of(exchange.method, exchange.path)
        if operation is None:
            raise RuntimeError(f"{exchange.method} {exchange.path} is no operation that we know")
        place = place_of(exchange.method, canonical(exchange.path))
        given = answers.setdefault(place, [])
        steps.append(Step(place, len(given), operation))
        given.append(_answer(operation, exchange, canonical))
    return Flow(
        name,
        dialect,
        module,
        json.loads(canonical(json.dumps(options))),
        tuple(steps),
        {place: tuple(given) for place, given in answers.items()},
    )


def _answer(operation: str, exchange: Exchange, canonical: Canonical) -> Answer:
    if operation == GET_DATA:
        return Answer(exchange.status, {"a.iso": b"content", "b.iso": b"more"}[exchange.path.rsplit("/", 1)[-1]])
    body = canonical(exchange.response_body.decode())
    return Answer(exchange.status, body.replace("<token>", TOKEN).encode() if operation == LOGIN else body.encode())


def place_of(method: str, url: str) -> str:
    """What tells requests apart whose answers differ: queries hold tokens that are made up."""
    return f"{method} {re.sub(OWN_ADDRESS, '', url.partition('?')[0])}"


class Canonical:
    """Replaces what a server makes up: identifiers by numbers, times by one far ahead, its addresses by one name."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        text = re.sub(r"https://(?:127\.0\.0\.1|localhost):\d+", f"https://{HOST}", text)
        return UUID.sub(self._identifier, TIME.sub("2099-01-01T00:00:00.000Z", text))

    def _identifier(self, found: re.Match[str]) -> str:
        number = len(self._known) + 1
        return self._known.setdefault(found.group(), f"00000000-0000-4000-8000-{number:012d}")


def _warned(flow: Flow) -> Flow:
    """The same flow with a preview that raises a warning, whose certificate would be another one each time."""
    read = {step.place for step in flow.steps if step.operation == "update_session.get"}
    answers = {
        place: tuple(_with_warning(answer) for answer in given) if place in read else given
        for place, given in flow.answers.items()
    }
    return replace(flow, name="publish-warned", answers=answers)


def _with_warning(answer: Answer) -> Answer:
    document = json.loads(answer.body)
    session = document.get("value", document)
    params: Any = {"reason": {"s": "self-signed"}}
    if "value" in document:
        params = [{"key": "reason", "value": {"s": "self-signed"}}]
    if (session.get("preview_info") or {}).get("state") == "AVAILABLE":
        message = {"id": "warned", "default_message": "It signs itself.", "args": ["x"], "params": params}
        session["preview_info"] = {
            "state": "AVAILABLE",
            "certificate_info": {"issuer": "CN=a", "subject": "CN=a", "self_signed": True, "x509": "MII"},
            "cert_chain": ["-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"],
            "warnings": [{"type": "SELF_SIGNED_CERTIFICATE", "message": message, "ignored": False}],
        }
    return Answer(answer.status, json.dumps(document).encode())
