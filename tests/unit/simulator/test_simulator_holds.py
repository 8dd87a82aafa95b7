# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that stand still until a test lets them go: before they are done, in mid-content, before their answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from tests.simulator import Simulator
from tests.unit.simulator.wire_client import Wire

SIZE = 4_000_000
SECONDS = 20.0


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as workers:
        yield workers


def received(server: Simulator, session: str) -> tuple[int, bool]:
    """How much of the only file has come, and whether it has come whole."""
    [entry] = server.run(lambda store: list(store.updates.sessions[session].files.values()))
    return entry.bytes_transferred, entry.received_at is not None


def finish(server: Simulator, answer: Future[requests.Response]) -> int:
    assert server.in_flight == 1
    server.release()
    return answer.result(SECONDS).status_code


@pytest.mark.parametrize(("kind", "made"), [("hold", 0), ("hold-answer", 1)])
def test_a_request_is_held_before_it_is_done_or_before_its_answer(
    server: Simulator, wire: Wire, iso: str, beside: ThreadPoolExecutor, kind: str, made: int
) -> None:
    server.inject(f"POST:*update-session*:1:{kind}")
    answer = beside.submit(wire.create, iso)
    assert server.wait_until_held(SECONDS)
    assert len(server.run(lambda store: store.active_update_sessions())) == made
    assert finish(server, answer) in (200, 201)
    assert len(server.run(lambda store: store.active_update_sessions())) == 1


@pytest.mark.parametrize(
    ("kind", "least", "most", "whole"),
    [
        ("hold", 0, 0, False),
        ("hold/0", 0, 0, False),
        ("hold/50", SIZE // 2, SIZE - 1, False),
        ("hold/100", SIZE, SIZE, False),
        ("hold-answer", SIZE, SIZE, True),
    ],
)
def test_an_upload_is_held_where_the_fault_says(
    server: Simulator, wire: Wire, iso: str, beside: ThreadPoolExecutor, kind: str, least: int, most: int, whole: bool
) -> None:
    session = wire.open(iso)
    uri = wire.value(wire.add(session, "a.iso"))["upload_endpoint"]["uri"]
    server.inject(f"PUT:*:1:{kind}")
    answer = beside.submit(wire.put, uri, b"x" * SIZE)
    assert server.wait_until_held(SECONDS)
    count, arrived = received(server, session)
    assert least <= count <= most
    assert arrived == whole
    assert finish(server, answer) == 200
    assert received(server, session) == (SIZE, True)


def test_a_download_is_held_in_its_middle(
    server: Simulator, wire: Wire, synced: str, beside: ThreadPoolExecutor
) -> None:
    session = server.run(lambda store: store.seed_download_session(synced, prepared=["synced.iso"]))
    uri = wire.value(wire.download_file(session, "synced.iso"))["download_endpoint"]["uri"]
    server.inject("GET:/cls/data/*:1:hold/25")
    answer = beside.submit(requests.get, uri, verify=server.ca_path)
    assert server.wait_until_held(SECONDS)
    [entry] = server.run(lambda store: list(store.downloads.sessions[session].files.values()))
    assert entry.bytes_transferred == entry.source.blob.size // 4
    assert finish(server, answer) == 200
    assert len(answer.result().content) == entry.source.blob.size


def test_a_reset_lets_go_and_holds_anew(server: Simulator, wire: Wire, iso: str, beside: ThreadPoolExecutor) -> None:
    server.inject("GET:*:1:hold")
    answer = beside.submit(wire.list)
    assert server.wait_until_held(SECONDS)
    server.reset()
    assert answer.result(SECONDS).status_code == 401
    assert not server.wait_until_held(0)
