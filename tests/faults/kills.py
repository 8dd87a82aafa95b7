# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The points at which a module's process is killed, the ways in which it dies, and what to look at while it does.

A point is an event on the wire: the server stands still there until the process has been killed, so that the kill
falls neither before nor after it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union

from tests.harness.nursery import ForkedModule
from tests.harness.waiting import eventually
from tests.simulator import Simulator

SECONDS = 60.0

# From <sys/inotify.h>.
INOTIFY_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
EVENTS = {0x2: "written", 0x40: "moved away", 0x80: "moved in", 0x100: "created", 0x200: "deleted"}
OVERFLOW = 0x4000
EVENT_HEAD = struct.Struct("iIII")


@dataclass(frozen=True)
class Point:
    """Where the server stands still, as `tests.simulator.faults` writes it; `faults` lead the task there.

    `done` says that the work is done by then as the server sees it, so that there is nothing to put back; `last` that
    it will be, if nobody withdraws what was asked for. Where the task is `shielded`, a signal waits for the answer, as
    what it would cut could not be put back.
    """

    name: str
    hold: str
    done: bool = False
    last: bool = False
    shielded: bool = False
    faults: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_content(self) -> bool:
        """Whether it lies inside a PUT or a GET of content."""
        return self.hold.startswith(("PUT:", "GET:/cls/data/"))


EXPIRY = ("POST:*validate*:1:unauthenticated",)
PUBLISH_POINTS = (
    Point("login", "POST:*/session:1:hold", shielded=True),
    Point("earlier-session-read", "GET:*/update-session/*:1:hold"),
    Point("session-created", "POST:*/update-session*:1:hold", shielded=True),
    Point("session-created-unanswered", "POST:*/update-session*:1:hold-answer", shielded=True),
    Point("session-read", "GET:*/update-session/*:2:hold"),
    Point("manifest-0", "PUT:*.mf:1:hold/0"),
    Point("certificate-50", "PUT:*.cert:1:hold/50"),
    Point("descriptor-announced", "POST:*session/*file*:3:hold"),
    Point("descriptor-100", "PUT:*.ovf:1:hold/100"),
    Point("disk1-0", "PUT:*disk1.vmdk:1:hold/0"),
    Point("disk1-50", "PUT:*disk1.vmdk:1:hold/50"),
    Point("disk1-99", "PUT:*disk1.vmdk:1:hold/99"),
    Point("disk1-unanswered", "PUT:*disk1.vmdk:1:hold-answer"),
    Point("disk2-25", "PUT:*disk2.vmdk:1:hold/25"),
    Point("disk2-75", "PUT:*disk2.vmdk:1:hold/75"),
    Point("disk2-100", "PUT:*disk2.vmdk:1:hold/100"),
    Point("validated", "POST:*validate*:1:hold"),
    Point("login-renewed", "POST:*/session:2:hold", shielded=True, faults=EXPIRY),
    Point("login-renewed-unanswered", "POST:*/session:2:hold-answer", shielded=True, faults=EXPIRY),
    Point("completed", "POST:*complete*:1:hold", last=True),
    Point("completed-unanswered", "POST:*complete*:1:hold-answer", done=True),
    Point("logout", "DELETE:*/session:1:hold", done=True, shielded=True),
)

# The task looks the item up, then creates it, each by a POST to the same path.
NEW_ITEM_POINTS = (
    Point("item-looked-up", "POST:*/library/item*:1:hold"),
    Point("item-created", "POST:*/library/item*:2:hold", shielded=True),
    Point("item-created-unanswered", "POST:*/library/item*:2:hold-answer", shielded=True),
    Point("session-created", "POST:*/update-session*:1:hold", shielded=True),
    Point("session-created-unanswered", "POST:*/update-session*:1:hold-answer", shielded=True),
    Point("disk1-50", "PUT:*disk1.vmdk:1:hold/50"),
    Point("validated", "POST:*validate*:1:hold"),
    Point("completed", "POST:*complete*:1:hold", last=True),
    Point("completed-unanswered", "POST:*complete*:1:hold-answer", done=True),
    Point("logout", "DELETE:*/session:1:hold", done=True, shielded=True),
)

ONE_BY_ONE: Mapping[str, Any] = {"parallel_transfers": 1}
FETCH_POINTS = (
    Point("login", "POST:*/session:1:hold", shielded=True),
    Point("files-listed", "GET:*/library/item/*file*:1:hold"),
    Point("session-created", "POST:*/download-session*:1:hold", shielded=True),
    Point("session-created-unanswered", "POST:*/download-session*:1:hold-answer", shielded=True),
    Point("session-read", "GET:*/download-session/*:1:hold"),
    Point("last-prepared-unanswered", "POST:*prepare*:3:hold-answer"),
    Point("first-read", "*:*session/*file*:2:hold", options=ONE_BY_ONE),
    Point("descriptor-0", "GET:/cls/data/*.ovf:1:hold/0"),
    Point("descriptor-50", "GET:/cls/data/*.ovf:1:hold/50"),
    Point("disk1-0", "GET:/cls/data/*disk1.vmdk:1:hold/0"),
    Point("disk1-1", "GET:/cls/data/*disk1.vmdk:1:hold/1"),
    Point("disk1-50", "GET:/cls/data/*disk1.vmdk:1:hold/50"),
    Point("disk1-75", "GET:/cls/data/*disk1.vmdk:1:hold/75"),
    Point("disk1-99", "GET:/cls/data/*disk1.vmdk:1:hold/99"),
    Point("disk2-10", "GET:/cls/data/*disk2.vmdk:1:hold/10"),
    Point("disk2-60", "GET:/cls/data/*disk2.vmdk:1:hold/60"),
    Point("disk2-99-last", "GET:/cls/data/*disk2.vmdk:1:hold/99", options=ONE_BY_ONE),
    Point("checksum-read", "*:*session/*file*:3:hold", options=ONE_BY_ONE),
    Point("session-deleted", "DELETE:*/download-session/*:1:hold", done=True),
    Point("logout", "DELETE:*/session:1:hold", done=True, shielded=True),
)


def table_of_points() -> str:
    """What docs/reliability.md says of them."""
    lines = ["| job | where it is killed | of these in a PUT or GET | runs |", "|---|---|---|---|"]
    jobs = (("publish", PUBLISH_POINTS), ("publish to a new item", NEW_ITEM_POINTS), ("fetch", FETCH_POINTS))
    for job, points in jobs:
        names = ", ".join(point.name for point in points)
        inside = sum(point.in_content for point in points)
        lines.append(f"| {job} | {len(points)} points: {names} | {inside} | {len(points) * len(DEATHS)} |")
    return "\n".join(lines)


Running = Union[ForkedModule, "subprocess.Popen[str]"]


def end_by(number: signal.Signals) -> Callable[[Running], None]:
    return lambda process: process.send_signal(number)


def stop_reading(process: Running) -> None:
    """What a task's timeout does to a module: its worker, which reads the result, is gone."""
    assert process.stdout
    process.stdout.close()


DEATHS: Mapping[str, Callable[[Running], None]] = {
    "SIGTERM": end_by(signal.SIGTERM),
    "SIGHUP": end_by(signal.SIGHUP),
    "worker": stop_reading,
    "SIGKILL": end_by(signal.SIGKILL),
}


def die(sim: Simulator, process: ForkedModule, point: Point, death: str) -> dict[str, Any]:
    """Kill a module that the server keeps waiting; returns its last words when both have come to an end with it."""
    try:
        assert sim.wait_until_held(SECONDS), "the point was not reached"
        DEATHS[death](process)
        assert eventually(lambda: process.poll() is not None or ignores_signals(process.pid)), "it goes on"
        if not point.shielded:
            process.wait(SECONDS)
        sim.release()
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()
        sim.release()
    assert eventually(lambda: not sim.in_flight), "the server is still at work"
    if death in ("worker", "SIGKILL"):
        return {}
    said, _complaints = process.communicate()
    words: dict[str, Any] = json.loads(said)
    return words


def ignores_signals(pid: int) -> bool:
    """Whether a module has taken notice of its end: from then on it ignores signals, if only for a moment."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) & 1 << (signal.SIGTERM - 1))


@dataclass
class Watch:
    """What has happened to each name in a directory, as the kernel tells it: nothing is missed between two looks."""

    descriptor: int
    happened: dict[str, set[str]] = field(default_factory=dict)

    def read(self) -> dict[str, set[str]]:
        with suppress(BlockingIOError):
            while True:
                self._take(os.read(self.descriptor, 1 << 16))
        return self.happened

    def _take(self, events: bytes) -> None:
        while events:
            _watch, mask, _cookie, length = EVENT_HEAD.unpack_from(events)
            assert not mask & OVERFLOW, "more has happened than the kernel kept"
            name = events[EVENT_HEAD.size : EVENT_HEAD.size + length].rstrip(b"\0").decode()
            self.happened.setdefault(name, set()).update(text for bit, text in EVENTS.items() if mask & bit)
            events = events[EVENT_HEAD.size + length :]


@contextmanager
def watched(directory: Path) -> Iterator[Watch]:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(INOTIFY_FLAGS)
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    try:
        added = libc.inotify_add_watch(descriptor, os.fsencode(directory), sum(EVENTS))
        assert added >= 0, os.strerror(ctypes.get_errno())
        yield Watch(descriptor)
    finally:
        os.close(descriptor)
