# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others make up: names and addresses from a server, descriptors and certificates from anywhere, links on disk.

Archives are in ``tests/unit/test_ova.py``, the names that a fetch refuses in ``test_download_session_dest.py``, and the
references that a descriptor may not have in ``test_update_session_files.py``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

from tests.faults.secrets_relay import Relay
from tests.harness.checkout import ROOT
from tests.harness.held import contents, hold
from tests.harness.modules import connection_args, run_module
from tests.harness.packages import make_package
from tests.harness.samples import marked
from tests.harness.servers import CannedServer, Identity, Received, Reply, make_identity
from tests.harness.tasks import SESSION_INFO, TOOLS, UPDATE_SESSION, Tasks, fetch, publish
from tests.simulator import Simulator
from tools.environment import check_environment

MOST_BYTES = 150 << 20
CONTENT = b"an image"
TOKEN_HEADER = "vmware-api-session-id"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "tools.iso"
    path.write_bytes(CONTENT)
    return path


class Memory:
    """The most that was held at once, in bytes, on top of what was there before."""

    peak = 0


@contextmanager
def measured() -> Iterator[Memory]:
    memory = Memory()
    tracemalloc.start()
    try:
        yield memory
        memory.peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# -- names


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a\\b",
        "nul\0in it",
        "line\nbreak",
        "x" * 300,
        "ü" * 300,
        "\x1b[31mred",
        "\u202egnp.exe",
        "%2e%2e%2f",
        "?a=b&c#d",
        "update-session",
        "TOOLS.iso",
        "CON",
    ],
)
def test_a_file_of_any_name_can_be_shown_and_removed(tasks: Tasks, image: Path, name: str) -> None:
    hold(tasks.sim, {name: b"old", "tools.iso": CONTENT})
    tasks.converge(**publish(image, purge_files=True))
    assert contents(tasks.sim) == {"tools.iso": CONTENT}
    (removed,) = tasks.run(SESSION_INFO, with_files=True).result["update_sessions"] or [None]
    assert removed is None or removed["state"] == "DONE"


@pytest.mark.parametrize(("name", "api"), [("..", "cannot stand in a URL"), (".", "cannot stand in a URL")])
def test_a_name_that_would_lead_to_another_resource_is_never_asked_for(
    sim: Simulator, image: Path, name: str, api: str
) -> None:
    """Where the name is a part of the path, `..` would ask for the session itself to be deleted."""
    hold(sim, {name: b"old", "tools.iso": CONTENT})
    refused = Tasks(sim, "api").run(**publish(image, purge_files=True))
    assert refused.error["type"] == "INVALID_RESPONSE"
    assert api in refused.msg
    assert [entry.path for entry in refused.sent("DELETE") if "/file" in entry.path] == []
    assert contents(sim) == {name: b"old", "tools.iso": CONTENT}
    Tasks(sim, "rest").converge(**publish(image, purge_files=True))
    assert contents(sim) == {"tools.iso": CONTENT}


@pytest.mark.parametrize("identifier", ["..", ".", "..."])
def test_an_identifier_from_the_server_that_leads_elsewhere_is_never_asked_for(
    sim: Simulator, identity: Identity, identifier: str
) -> None:
    def meddle(_number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        listed = request.method == "GET" and "/update-session?" in request.path
        return Reply(200, json.dumps([identifier]).encode()) if listed else None

    with Relay(sim, identity, meddle) as relay:
        ran = run_module(UPDATE_SESSION, {**connection_args(relay), **TOOLS, "state": "absent", "api_dialect": "api"})
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert "cannot stand in a URL" in ran.result["msg"]
    assert [request.path for request in relay.received if request.path.rstrip("/").endswith("item")] == []


@pytest.mark.parametrize("name", ["CON", "NUL.iso", "aux", "$(reboot).iso", "{{ 7 * 7 }}", "-rf", "~root", "x.part"])
def test_a_name_that_is_special_elsewhere_is_a_name_here(tasks: Tasks, dest: Path, name: str) -> None:
    hold(tasks.sim, {name: CONTENT})
    tasks.converge(**fetch(dest, TOOLS))
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == {name: CONTENT}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.iso", ".a.iso.0a1b2c3d.1.vsphere-content.part"], "cannot be the name of a file in dest"),
        (["A.iso", "a.ISO"], "may be the same file in dest"),
        (["\u00e9.iso", "e\u0301.iso"], "may be the same file in dest"),
        (["\u00c9.iso", "e\u0301.ISO"], "may be the same file in dest"),
        (["a\u202eosi.exe"], "cannot be the name of a file in dest"),
        (["a\x9b2J"], "cannot be the name of a file in dest"),
    ],
)
def test_names_that_cannot_stand_in_a_directory_are_refused(
    tasks: Tasks, dest: Path, names: list[str], said: str
) -> None:
    hold(tasks.sim, dict.fromkeys(names, CONTENT))
    run = tasks.refuse(**fetch(dest, TOOLS))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert list(dest.iterdir()) == []


def play_once(folder: Path, *tasks: dict[str, Any]) -> str:
    """What ansible-playbook shows of some tasks with all its verbosity; the last of them fails."""
    play = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    ran = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", "--diff", "-vvvv", str(playbook)],
        cwd=ROOT,
        env=check_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.rest
def test_text_of_a_server_reaches_no_terminal_raw(sim: Simulator, identity: Identity, image: Path) -> None:
    """In a diff, in a warning and in the message of a failure, as ansible-playbook shows them."""
    steering = "\x1b[2J\x1b]0;owned\x07\x9b31m\rfake: ok\u202e"
    hold(sim, {f"diff-{steering}": b"old"})
    logouts: list[Reply] = []

    def refusal(place: str) -> Reply:
        message = {"id": "x", "default_message": f"{place}-{steering}", "args": []}
        return Reply(400, json.dumps({"error_type": "ERROR", "messages": [message]}).encode())

    def meddle(_number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        if request.method == "DELETE" and request.path == "/api/session":
            logouts.append(refusal("warning"))
            return logouts[-1]
        return refusal("message") if logouts and "session" not in request.path else None

    with Relay(sim, identity, meddle) as relay:
        task = {**connection_args(relay), **publish(image, purge_files=True), "api_dialect": "api"}
        shown = play_once(image.parent, *[{"vsphere.content.content_library_update_session": task}] * 2)
    assert {place for place in ("diff", "warning", "message") if f"{place}-" in shown} == {"diff", "warning", "message"}
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown) == []


# -- addresses


@dataclass(frozen=True)
class Place:
    """Where a server says that data is to go, or to come from: `own` and `other` stand for hosts with ports."""

    uri: str
    error: str | None
    at_other: bool = False

    @property
    def logs_in(self) -> bool:
        """Whether a client takes what stands before the host for a user with a password."""
        authority = re.split(r"[/?#\\]", self.uri.removeprefix("https://"))[0]
        return ":" in authority.replace("{own}", "host:443").rpartition("@")[0]


PLACES = {
    "its own": Place("https://{own}{path}", None),
    "its own in capitals": Place("HTTPS://{own}{path}", None),
    "another port": Place("https://{other}/x", None, at_other=True),
    "another name": Place("https://localhost:{other_port}/x", None, at_other=True),
    "a user at another port": Place("https://user:word@{other}/x", None, at_other=True),
    "a backslash before its own": Place("https://{other}\\@{own}/x", None, at_other=True),
    "its own as a user": Place("https://{own}@{other}/x", None, at_other=True),
    "its own in the fragment": Place("https://{other}/x#@{own}/", None, at_other=True),
    "another one in the fragment": Place("https://{own}{path}#@{other}/x", None),
    "a user at its own and another": Place("https://a@{own}@{other}/x", None, at_other=True),
    "a semicolon after its own": Place("https://{own};@{other}/x", None, at_other=True),
    "its own in the query": Place("https://{other}?@{own}/x", None, at_other=True),
    "a percent sign after its own": Place("https://127.0.0.1%2f@{other}/x", None, at_other=True),
    "a tabulator after its own": Place("https://{own}\t@{other}/x", None, at_other=True),
    "a line break after its own": Place("https://{own}\n@{other}/x", None, at_other=True),
    "a zero after its own": Place("https://{own}\0@{other}/x", None, at_other=True),
    "a blank before": Place(" https://{own}{path}", None),
    "zeros in the port": Place("https://127.0.0.1:00{other_port}/x", None, at_other=True),
    "backslashes": Place("https:\\\\{own}{path}", "INVALID_RESPONSE"),
    "one slash": Place("https:/{own}{path}", "INVALID_RESPONSE"),
    "three slashes": Place("https:///{own}{path}", "INVALID_RESPONSE"),
    "a number for a host": Place("https://2130706433:{other_port}/x", "TLS_UNVERIFIED"),
    "an octal number in a host": Place("https://0177.0.0.1:{other_port}/x", "TLS_UNVERIFIED"),
    "a short address": Place("https://127.1:{other_port}/x", "TLS_UNVERIFIED"),
    "an address of IPv6": Place("https://[::ffff:127.0.0.1]:{other_port}/x", "TLS_UNVERIFIED"),
    "an encoded host": Place("https://%31%32%37.0.0.1:{other_port}/x", None, at_other=True),
    "wide digits": Place("https://\uff11\uff12\uff17.0.0.1:{other_port}/x", "INVALID_RESPONSE"),
    "ideographic full stops": Place("https://127\u30020\u30020\u30021:{other_port}/x", "INVALID_RESPONSE"),
    "no TLS": Place("http://{own}{path}", "INVALID_RESPONSE"),
    "no TLS elsewhere": Place("http://{other}/x", "INVALID_RESPONSE"),
    "no scheme": Place("//{own}{path}", "INVALID_RESPONSE"),
    "a path": Place("{path}", "INVALID_RESPONSE"),
    "nothing": Place("", "INVALID_RESPONSE"),
    "no host": Place("https:///x", "INVALID_RESPONSE"),
    "half an address": Place("https://[::1/x", "INVALID_RESPONSE"),
    "no port": Place("https://127.0.0.1:99999/x", "INVALID_RESPONSE"),
    "a label too long": Place("https://" + "a" * 70 + "/x", "CONNECTION_FAILED"),
    "a wildcard": Place("https://*.test/x", "INVALID_RESPONSE"),
    "a datastore": Place("ds:///vmfs/volumes/x/tools.iso", "INVALID_RESPONSE"),
    "a file": Place("file:///etc/passwd", "INVALID_RESPONSE"),
    "a script": Place("javascript:alert(1)", "INVALID_RESPONSE"),
    "nobody there": Place("https://127.0.0.1:1/x", "CONNECTION_FAILED"),
}


@dataclass(frozen=True)
class Scene:
    """A vCenter that says where data is, and another server that takes and gives what it is asked."""

    relay: Relay
    other: CannedServer
    place: Place

    def written(self, path: str) -> str:
        own, other = (f"127.0.0.1:{server.port}" for server in (self.relay, self.other))
        return self.place.uri.format(own=own, other=other, other_port=self.other.port, path=path)

    def meddle(self, _number: int, _request: Received, pass_on: Callable[[], Reply]) -> Reply:
        reply = pass_on()
        said = re.search(rb'"(https://[^"]*(/cls/data/[^"]*))"', reply.body)
        if not said:
            return reply
        place = json.dumps(self.written(said.group(2).decode())).encode()
        return Reply(reply.status, reply.body.replace(b'"' + said.group(1) + b'"', place), reply.headers)


@pytest.fixture
def scene(request: pytest.FixtureRequest, sim: Simulator, identity: Identity) -> Iterator[Scene]:
    with CannedServer(lambda _request: Reply(200, CONTENT), identity=identity) as other, Relay(sim, identity) as relay:
        scene = Scene(relay, other, PLACES[request.param])
        relay.meddle = scene.meddle
        yield scene


def run_through(scene: Scene, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    module = options.get("module", UPDATE_SESSION)
    given = {name: value for name, value in options.items() if name != "module"}
    ran = run_module(module, {**connection_args(scene.relay), "api_dialect": "api", **given, **more})
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran.result


def require_place(scene: Scene, result: dict[str, Any], method: str) -> None:
    """What came of it is what the table says, and the token was seen by the vCenter alone."""
    error = result["error"]["type"] if result.get("failed") else None
    expected, at_other = scene.place.error, scene.place.at_other
    if at_other and method == "PUT":
        # It is taken there, so here it never arrives.
        expected = "TIMED_OUT"
    assert error == expected, result.get("msg")
    assert [entry.method for entry in scene.other.received] == ([method] if at_other else [])
    for entry in scene.other.received:
        assert TOKEN_HEADER not in entry.headers
        assert "cookie" not in entry.headers
        # What an address carries itself is sent as every client does; it is the server's own affair.
        assert ("authorization" in entry.headers) is scene.place.logs_in
    data = [entry for entry in scene.relay.received if entry.path.startswith("/cls/data/")]
    assert [entry.method for entry in data] == ([method] if not at_other and not expected else [])
    assert all(TOKEN_HEADER in entry.headers for entry in data)


@pytest.mark.paced(silent_file=60.0)
@pytest.mark.parametrize("scene", PLACES, indirect=True)
def test_an_upload_goes_where_the_server_says_and_its_token_does_not(scene: Scene, sim: Simulator, image: Path) -> None:
    require_place(scene, run_through(scene, publish(image), wait_timeout=1), "PUT")
    assert sim.run(lambda store: [session.state for session in store.updates.sessions.values()]) in ([], ["DONE"])


@pytest.mark.parametrize("scene", PLACES, indirect=True)
def test_a_download_comes_from_where_the_server_says_and_its_token_does_not(
    scene: Scene, sim: Simulator, dest: Path
) -> None:
    hold(sim, {"tools.iso": CONTENT})
    require_place(scene, run_through(scene, fetch(dest, TOOLS)), "GET")
    there = {path.name: path.read_bytes() for path in dest.iterdir()}
    assert there == ({} if scene.place.error else {"tools.iso": CONTENT})


@pytest.mark.parametrize("scene", ["another port"], indirect=True)
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_the_certificate_of_another_place_is_verified_too(
    scene: Scene, sim: Simulator, image: Path, dest: Path, tmp_path: Path, method: str
) -> None:
    hold(sim, {"tools.iso": CONTENT} if method == "GET" else {})
    options = publish(image) if method == "PUT" else fetch(dest, TOOLS)
    with CannedServer(lambda _request: Reply(200, CONTENT), identity=make_identity(tmp_path / "unknown")) as stranger:
        scene.relay.meddle = Scene(scene.relay, stranger, scene.place).meddle
        result = run_through(scene, options)
    assert result["error"]["type"] == "TLS_UNVERIFIED"
    assert stranger.received == []


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_redirect_of_data_is_not_followed(
    sim: Simulator, identity: Identity, image: Path, dest: Path, method: str, status: int
) -> None:
    with CannedServer(lambda _request: Reply(200, CONTENT), identity=identity) as other:
        elsewhere = {"Location": f"https://127.0.0.1:{other.port}/x"}

        def meddle(_number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
            return Reply(status, headers=elsewhere) if request.path.startswith("/cls/data/") else None

        hold(sim, {"tools.iso": CONTENT} if method == "GET" else {})
        options = publish(image) if method == "PUT" else fetch(dest, TOOLS)
        with Relay(sim, identity, meddle) as relay:
            given = {name: value for name, value in options.items() if name != "module"}
            ran = run_module(options.get("module", UPDATE_SESSION), {**connection_args(relay), **given})
    assert ran.result["error"]["type"] == "INVALID_RESPONSE"
    assert "redirect" in ran.result["msg"]
    assert other.received == []
    assert list(dest.iterdir()) == []


# -- descriptors

HEAD = '<?xml version="1.0"{}?>'
ENVELOPE = (
    '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
    "<References>{}</References></Envelope>"
)
DISK = '<File ovf:id="f" ovf:href="{}"/>'
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
CHUNKS = '<File ovf:href="{}" ovf:size="{}" ovf:chunkSize="1"/>'
REFUSED = "has a document type declaration"
TOO_MANY_FILES = "names more files than a task takes"
TOO_MANY_CHARACTERS = "by more characters than a task takes"
TOO_MANY_NODES = "more elements and attributes than an OVF descriptor"
TOO_LONG = "where an OVF descriptor has at most 4194304"
NO_DESCRIPTOR = "is not an OVF descriptor"
DESCRIPTORS: dict[str, tuple[bytes, str]] = {
    "a bomb of entities": (
        f'<!DOCTYPE a [<!ENTITY e0 "ha">{BOMB}]>{ENVELOPE.format("&e9;")}'.encode(),
        REFUSED,
    ),
    "a large entity many times": (
        f'<!DOCTYPE a [<!ENTITY e "{"x" * 100_000}">]>{ENVELOPE.format("&e;" * 10_000)}'.encode(),
        REFUSED,
    ),
    "an external entity": (
        f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>{ENVELOPE.format("&e;")}'.encode(),
        REFUSED,
    ),
    "a parameter entity": (b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:1/x.dtd"> %e;]><a/>', REFUSED),
    "an external document type": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', REFUSED),
    "a document type after a comment": (b"<!-- x --><!DOCTYPE a><a/>", REFUSED),
    "a document type in UTF-16": ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), REFUSED),
    "an entity that nobody declared": (ENVELOPE.format("&e;").encode(), NO_DESCRIPTOR),
    "an encoding of several bytes": (HEAD.format(' encoding="utf-7"').encode() + b"<a/>", NO_DESCRIPTOR),
    "an encoding that is none": (HEAD.format(' encoding="x-none"').encode() + b"<a/>", NO_DESCRIPTOR),
    "an encoding that is code": (HEAD.format(' encoding="base64"').encode() + b"<a/>", NO_DESCRIPTOR),
    "a control character in a reference": (ENVELOPE.format(DISK.format("a&#1;")).encode(), NO_DESCRIPTOR),
    "a line break in a reference": (ENVELOPE.format(DISK.format("a&#10;b")).encode(), "not a file beside it"),
    "a reference that turns around": (ENVELOPE.format(DISK.format("a&#x202e;b")).encode(), "not a file beside it"),
    "a long reference": (ENVELOPE.format(DISK.format("x" * 300)).encode(), "which is not there"),
    "a longer reference": (ENVELOPE.format(DISK.format("x" * 100_000)).encode(), "which is not there"),
    "a reference to a directory": (ENVELOPE.format(DISK.format("folder")).encode(), "is a directory"),
    "a reference to a pipe": (ENVELOPE.format(DISK.format("pipe")).encode(), "is not a regular file"),
    "chunks without an end": (ENVELOPE.format(CHUNKS.format("a", 9999999999999999)).encode(), TOO_MANY_FILES),
    "many disks of many chunks": (
        ENVELOPE.format("".join(CHUNKS.format(f"d{number}", 9000) for number in range(4000))).encode(),
        TOO_MANY_FILES,
    ),
    "chunks of a long name": (ENVELOPE.format(CHUNKS.format("x" * 100_000, 9000)).encode(), TOO_MANY_CHARACTERS),
    "many files": (ENVELOPE.format("".join(DISK.format(number) for number in range(50_000))).encode(), TOO_MANY_FILES),
    "two references to one file": (ENVELOPE.format(DISK.format("a") * 2).encode(), "references 'a' twice"),
    "a reference to a chunk of another": (
        ENVELOPE.format(CHUNKS.format("a", 2) + DISK.format("a.000000001")).encode(),
        "references 'a.000000001' twice",
    ),
    "elements without an end": (ENVELOPE.format("<a>" * 400_000).encode(), TOO_MANY_NODES),
    "elements of many names": (ENVELOPE.format("".join(f"<a{n}/>" for n in range(300_000))).encode(), TOO_MANY_NODES),
    "an element of many attributes": (
        ENVELOPE.format("<a " + " ".join(f"a{number}=''" for number in range(260_000)) + "/>").encode(),
        TOO_MANY_NODES,
    ),
    "a long comment": (ENVELOPE.format(f"<!--{'x' * (4 << 20)}-->").encode(), TOO_LONG),
    "a name as long as a descriptor may be": (
        ENVELOPE.format(DISK.format("\N{GRINNING FACE}" + "x" * (4_000_000))).encode(),
        TOO_MANY_CHARACTERS,
    ),
    "chunks of a size that is too long a number": (
        ENVELOPE.format(f'<File ovf:href="a" ovf:size="{"9" * 5000}" ovf:chunkSize="1"/>').encode(),
        "into parts by sizes that are none",
    ),
}


@pytest.mark.parametrize(
    "case", marked([(name, (name,)) for name in DESCRIPTORS], lambda values: DESCRIPTORS[values[0]][1])
)
def test_a_descriptor_that_was_made_to_harm_is_refused(one: Tasks, tmp_path: Path, case: str) -> None:
    content, said = DESCRIPTORS[case]
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for number in range(2):
        (tmp_path / f"a.{number:09d}").touch()
    path = tmp_path / "box.ovf"
    path.write_bytes(content)
    with measured() as memory:
        run = one.refuse(**publish(path, library_item="rocky9"))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg
    assert "box.ovf" in run.msg
    assert memory.peak < MOST_BYTES


def test_a_descriptor_may_nest_as_deep_as_it_likes(one: Tasks, tmp_path: Path) -> None:
    path = tmp_path / "box.ovf"
    path.write_bytes(ENVELOPE.format("<a>" * 100_000 + "</a>" * 100_000).encode())
    assert one.run(check=True, **publish(path, library_item="rocky9")).changed


@pytest.mark.parametrize("name_characters", [10, pytest.param(200, marks=pytest.mark.rest)])
def test_a_directory_of_many_other_files_is_looked_through_without_being_held(
    one: Tasks, tmp_path: Path, name_characters: int
) -> None:
    """Names of any length and number make no difference: those of 20,000 files would be more than what is allowed."""
    peaks = []
    for number in (0, 20_000):
        folder = tmp_path / str(number)
        package = make_package(folder, disks=1, disk_bytes=9000)
        for entry in range(number):
            (folder / f"{entry:0{name_characters}d}.txt").touch()
        with measured() as memory:
            run = one.run(check=True, **publish(package.descriptor, library_item="rocky9"))
        assert sorted(run.diff["after"]["item_content"]) == ["rocky9-disk1.vmdk", "rocky9.ovf"]
        peaks.append(memory.peak)
    assert peaks[1] - peaks[0] < 20_000 * 8


@pytest.mark.rest
def test_a_directory_of_too_many_signatures_is_refused(one: Tasks) -> None:
    with tempfile.TemporaryDirectory() as name:
        package = make_package(name, disks=1, disk_bytes=9000)
        for number in range(50_000):
            Path(name, f"{number}.mf").touch()
        with measured() as memory:
            run = one.refuse(**publish(package.descriptor, library_item="rocky9"))
    assert f"{name} holds more than 50000 descriptors, manifests and certificates" in run.msg
    assert "directory of its own" in run.msg
    assert memory.peak < MOST_BYTES


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python a piece of work calls, each step of a generator among them: no clock is asked."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.rest
@pytest.mark.parametrize("alive", [False, pytest.param(True, marks=pytest.mark.night)], ids=["item", "session"])
def test_twice_as_many_files_are_twice_the_work(one: Tasks, tmp_path: Path, alive: bool) -> None:
    """Declared against what is there: neither is compared with each of the other."""
    numbers = range(1000)
    for number in numbers:
        (tmp_path / f"{number}.txt").write_bytes(CONTENT)

    def predict(count: int) -> int:
        def fill(store: Any) -> None:
            item = store.find_item_id("templates", "tools")
            files = {f"old-{number}.txt": CONTENT for number in numbers[:count]}
            files.update({f"{number}.txt": b"x" for number in numbers[: count // 2]})
            store.seed_item_files(item, files)
            if alive:
                store.seed_update_session(item, files={"new.txt": b"x"})

        one.sim.reset()
        one.sim.run(fill)
        files = [{"src": str(tmp_path / f"{number}.txt")} for number in numbers[:count]]
        options: dict[str, Any] = {**TOOLS, "state": "done", "files": files, "purge_files": True}
        return calls(lambda: one.run(check=True, **options).diff)

    predict(10)
    assert predict(1000) < 2.3 * predict(500)


# -- answers


MIB = 1 << 20
ANSWERS: dict[str, Callable[[], bytes]] = {
    "lists": lambda: b"[" + b"[]," * (10 * MIB) + b"0]",
    "objects": lambda: b"[" + b'{"a":0},' * (4 * MIB) + b"0]",
    "keys": lambda: b"{" + b",".join(b'"%d":1.5' % number for number in range(2 * MIB)) + b"}",
    "as many objects as pass": lambda: b"[" + b'{"a":0},' * 249_998 + b"0]",
    "a text": lambda: b'["' + b"x" * (31 * MIB) + b'"]',
    "a text of wide characters": lambda: '["\N{GRINNING FACE}{}"]'.replace("{}", "x" * (12 * MIB - 20)).encode(),
    "a text of escaped characters": lambda: b'["\\ud83d\\ude00\\ud800' + b"x" * (12 * MIB - 40) + b'"]',
    "many texts of escaped characters": lambda: b'["\\ud800"' + b',"\\ud83d\\ude00"' * 490_000 + b"]",
    "no JSON of wide characters": lambda: ("\N{GRINNING FACE}" * (7 * MIB)).encode(),
    "a number": lambda: b"1" * (31 * MIB),
    "depth": lambda: b"[" * (31 * MIB),
    "more than is read": lambda: b'["' + b"x" * (40 * MIB) + b'"]',
}


def read_files(sim: Simulator, identity: Identity, answer: Reply) -> tuple[dict[str, Any], int]:
    """The result of a task that asks for the files of a session and gets this answer, and the memory that it took."""
    session = sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools")))
    options = {"session_ids": [session], "with_files": True, "api_dialect": "api"}

    def meddle(_number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        return answer if request.path.endswith("/file") else None

    with Relay(sim, identity, meddle) as relay:
        # What is loaded for the first task of all is no part of what the answer takes.
        run_module(SESSION_INFO, {**connection_args(relay), **options, "with_files": False})
        with measured() as memory:
            ran = run_module(SESSION_INFO, {**connection_args(relay), **options})
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran.result, memory.peak


@pytest.mark.parametrize("status", [200, pytest.param(500, marks=pytest.mark.rest)])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_was_made_to_fill_the_memory_is_refused(
    sim: Simulator, identity: Identity, kind: str, status: int
) -> None:
    result, peak = read_files(sim, identity, Reply(status, ANSWERS[kind]()))
    assert result["failed"]
    if status == 200:
        assert result["error"]["type"] == "INVALID_RESPONSE"
        assert "Check that hostname and port" in result["msg"]
    assert len(result["msg"]) < 10_000
    assert peak < MOST_BYTES


@pytest.mark.rest
def test_a_list_of_more_files_than_any_item_has_is_read(sim: Simulator, identity: Identity) -> None:
    """Ten thousand of them, with all that a vCenter says of one that it could not verify."""
    endpoint = {
        "uri": f"https://vcenter.example.com:443/cls/data/{'0' * 36}/disk.vmdk",
        "ssl_certificate_thumbprint": "AB:" * 20,
    }
    message = {"id": "com.vmware.vdcs.cls-main.x", "default_message": "The file, [disk], differs.", "args": ["a", "b"]}
    files = [
        {
            "name": f"appliance-disk{number}.vmdk",
            "source_type": "PULL",
            "status": "ERROR",
            "size": 1 << 40,
            "bytes_transferred": 1 << 40,
            "checksum_info": {"algorithm": "SHA256", "checksum": "0" * 64},
            "source_endpoint": endpoint,
            "upload_endpoint": endpoint,
            "error_message": message,
            "file_ref": {"uri": endpoint["uri"]},
        }
        for number in range(10_000)
    ]
    result, peak = read_files(sim, identity, Reply(200, json.dumps(files).encode()))
    assert len(result["update_sessions"][0]["files"]) == 10_000
    assert peak < MOST_BYTES


# -- links and special files


def test_a_link_to_a_file_is_read_under_its_own_name(one: Tasks, tmp_path: Path) -> None:
    """As ansible.builtin.copy does."""
    (tmp_path / "real").write_bytes(CONTENT)
    link = tmp_path / "tools.iso"
    link.symlink_to("real")
    one.converge(**publish(link))
    assert contents(one.sim) == {"tools.iso": CONTENT}


@pytest.mark.parametrize(
    ("target", "said"),
    [("nowhere", "does not exist"), (".", "is a directory"), ("pipe", "is not a regular file")],
)
def test_a_link_to_anything_else_is_refused(one: Tasks, tmp_path: Path, target: str, said: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    link = tmp_path / "tools.iso"
    link.symlink_to(target)
    run = one.refuse(**publish(link))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert said in run.msg


def test_a_dest_that_is_a_link_to_a_directory_is_that_directory(tasks: Tasks, tmp_path: Path, dest: Path) -> None:
    """As with ansible.builtin.copy; a link in the place of a file is replaced, which is in the unit tests."""
    hold(tasks.sim, {"tools.iso": CONTENT})
    link = tmp_path / "link"
    link.symlink_to(dest)
    tasks.converge(**fetch(link, TOOLS))
    assert (dest / "tools.iso").read_bytes() == CONTENT
    assert link.is_symlink()


def test_a_dest_that_is_a_link_to_nothing_is_refused(one: Tasks, tmp_path: Path) -> None:
    hold(one.sim, {"tools.iso": CONTENT})
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert "does not exist on the host that runs this task" in one.refuse(**fetch(link, TOOLS)).msg
    assert not (tmp_path / "nowhere").exists()


# -- certificates


CERTIFICATES: dict[str, Callable[[str, str], str]] = {
    "a key": lambda _certificate, key: key,
    "a certificate with its key": lambda certificate, key: certificate + key,
    "a key between certificates": lambda certificate, key: certificate + key + certificate,
    "two certificates": lambda certificate, _key: certificate * 2,
    "the frame of a certificate": lambda certificate, _key: re.sub(r"-\n[^-]*", "-\nSGVsbG8=\n", certificate),
    "a certificate that is cut": lambda certificate, _key: certificate[: len(certificate) // 2],
    "a certificate without its end": lambda certificate, _key: certificate.split("-----END")[0],
    "nothing": lambda _certificate, _key: "",
    "NULs": lambda _certificate, _key: "\0" * 1000,
}


@pytest.fixture
def given(request: pytest.FixtureRequest, identity: Identity, tmp_path: Path) -> Path:
    """A file that is no single certificate."""
    certificate, frame, key = Path(identity.server_path).read_text().partition("-----BEGIN PRIVATE")
    path = tmp_path / "given.pem"
    path.write_text(CERTIFICATES[request.param](certificate, frame + key))
    return path


@pytest.mark.parametrize(
    ("given", "inline"),
    [(kind, False) for kind in CERTIFICATES] + [(kind, True) for kind in CERTIFICATES if kind != "nothing"],
    indirect=["given"],
)
def test_what_is_not_one_certificate_is_sent_to_nobody(one: Tasks, given: Path, inline: bool) -> None:
    entry = {"url": "https://mirror.test/x.iso", "ssl_certificate": given.read_text() if inline else str(given)}
    run = one.refuse(**TOOLS, state="done", files=[entry])
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "is not one certificate in PEM form" in run.msg


NO_AUTHORITIES = ("a key", "the frame of a certificate", "a certificate that is cut", "nothing", "NULs")


@pytest.mark.parametrize("given", NO_AUTHORITIES, indirect=True)
def test_a_ca_path_without_a_certificate_is_refused(sim: Simulator, given: Path) -> None:
    ran = run_module(SESSION_INFO, {**connection_args(sim), "ca_path": str(given)})
    assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
    assert "holds no certificate that can be read" in ran.result["msg"]
    assert sim.exchanges == ()
