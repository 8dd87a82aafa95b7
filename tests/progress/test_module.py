# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module adds to the file of progress_file, and that nothing about that file can do a task any harm."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import ACCEPTED, kept_of, make_iso, make_package, sparse
from tests.harness.servers import HOST
from tests.harness.tasks import DOWNLOAD_SESSION, TOOLS, Run, Tasks
from tests.harness.waiting import eventually, once
from tests.progress.lines import Line, read_line, require_forward
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

# More than what the buffers between client and server hold.
LARGE, PACE = 40_000_000, 10_000_000
SELDOM = 3600
# A file is transferred for so long, and validated for as long.
STEP = 10.0
SECRET, TOKEN = "Canary-9w2xM4", "f00dfeed"


@dataclass(frozen=True)
class Telling:
    """Runs tasks that tell of themselves, and reads what they have told."""

    tasks: Tasks
    path: Path

    def run(self, module: str = "content_library_update_session", **options: Any) -> Run:
        self.path.write_text("")
        return self.tasks.run(module, **{"progress_file": str(self.path), "progress_interval": SELDOM, **options})

    @property
    def texts(self) -> list[str]:
        return [text for text in self.path.read_text(encoding="utf-8").split("\n") if text]

    @property
    def lines(self) -> list[Line]:
        return [read_line(text) for text in self.texts]


@pytest.fixture
def telling(server: Simulator, tmp_path: Path) -> Telling:
    server.reset()
    return Telling(Tasks(server, "api"), tmp_path / "progress")


@pytest.fixture(scope="module")
def slow_server() -> Iterator[Simulator]:
    with Simulator(settle=2.5, rate=PACE) as running:
        yield running


@pytest.fixture
def slow(slow_server: Simulator, tmp_path: Path) -> Telling:
    slow_server.reset()
    return Telling(Tasks(slow_server, "rest"), tmp_path / "progress")


def place_of(sim: Simulator) -> str:
    """What a line calls the vCenter, whose port is not the usual one."""
    return f"{sim.hostname}:{sim.port}"


def publish(telling: Telling, *paths: Path, **options: Any) -> Run:
    return telling.run(**{**TOOLS, "state": "done", "files": [{"src": str(path)} for path in paths], **options})


# -- steps


def test_the_steps_of_a_publication(telling: Telling, tmp_path: Path) -> None:
    package = make_package(tmp_path / "rocky9", signed="self-signed", disk_bytes=20_000)
    run = publish(telling, package.descriptor, library_item="rocky9", warning_behavior=ACCEPTED)
    assert run.changed, run.msg
    steps = ["session created", "preview seen, ignored: SELF_SIGNED_CERTIFICATE, UNTRUSTED_CERTIFICATE", "completing"]
    vcenter = place_of(telling.tasks.sim)
    assert [(line.item, line.library, line.vcenter, line.step) for line in telling.lines[:-1]] == [
        ("rocky9", "templates", vcenter, step) for step in steps
    ]
    assert telling.texts[-1].startswith(f"rocky9 in templates on {vcenter}: {len(package.files)} files, ")


def test_the_steps_of_a_download(telling: Telling, image: Path, tmp_path: Path) -> None:
    publish(telling, image)
    (tmp_path / "dest").mkdir()
    run = telling.run(DOWNLOAD_SESSION, **TOOLS, dest=str(tmp_path / "dest"))
    assert run.changed, run.msg
    assert [line.kind for line in telling.lines] == ["step", "summary"]


def test_a_session_is_called_by_its_identifier_where_no_item_is_named(telling: Telling, image: Path) -> None:
    opened = telling.run(**TOOLS).session
    assert opened
    run = telling.run(session_id=opened["id"], state="done", files=[{"src": str(image)}])
    assert run.changed, run.msg
    assert telling.texts
    named = f"session {opened['id']} on {place_of(telling.tasks.sim)}: "
    assert all(text.startswith(named) for text in telling.texts)


def test_a_failure_is_summed_up_before_it_is_cleaned_up_after(telling: Telling, image: Path) -> None:
    telling.tasks.sim.inject("POST:*complete*:1:400")
    assert publish(telling, image).failed
    assert [line.kind for line in telling.lines] == ["step", "step", "failure"]


def test_a_download_of_disks_counts_bytes_and_not_the_storage_that_they_use(telling: Telling, tmp_path: Path) -> None:
    package = make_package(tmp_path / "rocky9", disks=2, disk_bytes=20_000)
    # One by one, so that the item lists the disk that will come before the one that will not.
    assert publish(telling, package.descriptor, library_item="rocky9", parallel_transfers=1).changed
    (tmp_path / "dest").mkdir()
    telling.tasks.sim.inject("GET:/cls/data/*disk2*:*:500")
    fetch = {**TOOLS, "library_item": "rocky9", "dest": str(tmp_path / "dest"), "parallel_transfers": 1}
    assert telling.run(DOWNLOAD_SESSION, **fetch).failed
    held = sum(len(content) for content in kept_of(package).values())
    assert f" of {held / 1024:.1f} KiB in " in telling.texts[-1]


NOTHING_TO_MOVE = {
    "the item holds it already": {"state": "done", "files": True},
    "a session without files": {"state": "active"},
    "the end of a session": {"state": "absent"},
    "check mode": {"state": "done", "files": True, "check": True},
}


@pytest.mark.parametrize("options", NOTHING_TO_MOVE.values(), ids=NOTHING_TO_MOVE)
def test_a_task_with_nothing_to_move_tells_nothing(telling: Telling, image: Path, options: dict[str, Any]) -> None:
    if not options.get("check"):
        publish(telling, image)
    files = {"files": [{"src": str(image)}]} if options.get("files") else {}
    assert not telling.run(**{**TOOLS, **options, **files}).failed
    assert telling.texts == []


# -- lines


@dataclass
class StepClock:
    """Time that passes when the test says so."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_upload_that_breaks_goes_on_from_where_it_was_last_shown(tmp_path: Path) -> None:
    """The server goes on when what it is doing has been told."""
    clock = StepClock()
    with Simulator(settle=2 * STEP, rate=PACE, clock=clock) as sim:
        slow = Telling(Tasks(sim, "rest"), tmp_path / "progress")
        sim.inject("PUT:*:1:reset-mid-body/90")
        sim.inject("PUT:*:2:hold/10")

        def go_on() -> None:
            assert eventually(lambda: "again from the start" in slow.path.read_text())
            sim.release()
            try:
                for told in ("vCenter is transferring", "vCenter is validating", "waiting for vCenter to complete"):
                    assert eventually(lambda: told in slow.path.read_text()), told  # noqa: B023 (called at once)
                    clock.seconds += STEP
            finally:
                clock.seconds += 10 * STEP

        with once(slow.path.exists, go_on):
            run = publish(slow, sparse(tmp_path / "large.iso", LARGE), progress_interval=1)
    assert run.changed, run.msg
    require_forward(slow.lines)
    kinds = [line.kind for line in slow.lines]
    assert kinds.index("moves") < kinds.index("again") < kinds.index("server") < len(kinds) - 1
    told = [json.loads(sent.request_body).get("client_progress") for sent in run.sent("POST", "keep-alive")]
    shown = [percent for percent in told if percent]
    assert shown
    assert shown == sorted(set(shown))
    assert max(shown) <= 100


def test_several_files_at_once_have_a_line_each(slow: Telling, tmp_path: Path) -> None:
    held = {name: bytes(LARGE) for name in ("a.iso", "b.iso")}
    slow.tasks.sim.run(lambda store: store.seed_item_files(store.find_item_id("templates", "tools"), held))
    (tmp_path / "dest").mkdir()
    run = slow.run(DOWNLOAD_SESSION, **TOOLS, dest=str(tmp_path / "dest"), progress_interval=1)
    assert run.changed, run.msg
    require_forward(slow.lines)
    for name in held:
        kinds = [line.kind for line in slow.lines if line.file == name]
        assert kinds[0] == "server"
        assert kinds.count("moves") >= 2


@contextlib.contextmanager
def trickling(size: int, seconds: float) -> Iterator[int]:
    """A server whose answers take so long; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            for _part in range(20):
                self.wfile.write(bytes(size // 20))
                self.wfile.flush()
                time.sleep(seconds / 20)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def test_what_vcenter_pulls_is_shown_without_what_lets_it_in(slow: Telling) -> None:
    with trickling(20_000_000, 4.0) as port:
        url = f"http://reader:{SECRET}@{HOST}:{port}/large.iso?signature={TOKEN}"
        run = slow.run(**TOOLS, state="done", files=[{"url": url}], progress_interval=1)
    assert run.changed, run.msg
    assert "large.iso: vCenter is pulling it, " in " ".join(slow.texts)
    assert " MiB so far, " in " ".join(slow.texts)
    assert slow.texts[-1].startswith(f"tools in templates on {place_of(slow.tasks.sim)}: 1 file, 19.1 MiB in ")
    assert [line.kind for line in slow.lines][-1] == "summary"
    for secret in (SECRET, TOKEN, "reader", f"{HOST}:{port}"):
        assert secret not in slow.path.read_text()


def test_no_secret_and_nothing_that_steers_a_terminal_stands_in_a_line(telling: Telling, tmp_path: Path) -> None:
    name = f"to\x1b[2Jo\u202els {telling.tasks.sim.password}"
    telling.tasks.sim.reset(Seed(libraries=(LibrarySeed("templates", (ItemSeed(name, "iso"),)),)))
    run = publish(telling, make_iso(tmp_path / "a.iso", 2000), library_item=name)
    assert run.changed, run.msg
    assert {line.item for line in telling.lines} == {"to\\x1b[2Jo\\u202els ********"}


# -- the file itself


def missing(_folder: Path) -> Path:
    return _folder / "missing"


def directory(folder: Path) -> Path:
    return folder


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def full(_folder: Path) -> Path:
    return Path("/dev/full")


def link(folder: Path) -> Path:
    (folder / "target").touch()
    (folder / "link").symlink_to(folder / "target")
    return folder / "link"


def identity_of(path: Path) -> tuple[int, int, int] | None:
    """Which file it is, and of what kind; None if there is none."""
    if not path.exists():
        return None
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mode


@pytest.mark.parametrize("make", [missing, directory, pipe, full, link])
def test_a_file_that_cannot_be_written_to_makes_no_difference(
    telling: Telling, image: Path, tmp_path: Path, make: Any
) -> None:
    path = make(tmp_path)
    before = identity_of(path)
    run = publish(replace(telling, path=tmp_path / "unused"), image, progress_file=str(path))
    assert (run.changed, run.session and run.session["state"], run.outcome.warnings) == (True, "DONE", [])
    assert run.outcome.stderr == ""
    assert identity_of(path) == before


def test_a_file_whose_disk_is_full_makes_no_difference(
    telling: Telling, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def refuse(descriptor: int, data: bytes) -> int:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", refuse)
    run = publish(telling, image)
    assert (run.changed, run.outcome.warnings, run.outcome.stderr) == (True, [], "")


def test_a_task_without_the_file_is_the_same(telling: Telling, image: Path) -> None:
    run = publish(telling, image, progress_file=None)
    assert run.changed
    assert telling.texts == []


@pytest.mark.parametrize("module", ["content_library_update_session", DOWNLOAD_SESSION])
def test_an_interval_below_zero_is_refused(telling: Telling, module: str) -> None:
    run = telling.run(module, **TOOLS, state="active", progress_interval=-1)
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "progress_interval is -1" in run.msg
    assert run.exchanges == ()


def test_an_interval_of_zero_tells_nothing(telling: Telling, image: Path) -> None:
    assert publish(telling, image, progress_interval=0).changed
    assert telling.texts == []
