# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads that break, take long, fail beside others, are ended by signals or meet each other in one directory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._transfer.hashing import hash_file
from ansible_collections.vsphere.content.plugins.module_utils._transfer.side_by_side import TransferStopped
from ansible_collections.vsphere.content.plugins.module_utils._transfer.streams import Arrived, get_file
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import (
    ConnectionFailed,
    NotFound,
    TransferFailed,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing
from tests.harness.held import download_states, seed_of
from tests.harness.modules import module_environment
from tests.harness.tasks import BY_OWN_NAME, TOOLS, Tasks, fetch, files_in
from tests.harness.waiting import LifeClock, eventually, while_held
from tests.simulator import Simulator
from tests.simulator.seed import filler

IMAGE = filler("image", 3_000_000)
LARGER_IMAGE = filler("larger", 16_000_000)
DATA = "/cls/data/"


pytestmark = pytest.mark.seed(seed_of({"a.iso": IMAGE}, "tools", "iso"))


def fates(error: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["fate"] for entry in error["data"]["files"]}


def test_a_download_that_is_cut_three_times_is_taken_up_where_it_broke(tasks: Tasks, dest: Path) -> None:
    tasks.sim.reset(seed_of({"a.iso": LARGER_IMAGE}, "tools", "iso"))
    for time_of in (1, 2, 3):
        tasks.sim.inject(f"GET:{DATA}*:{time_of}:reset-mid-body")
    run = tasks.run(**fetch(dest, TOOLS))
    assert not run.failed, run.msg
    assert files_in(dest) == {"a.iso": LARGER_IMAGE}
    assert run.result["files"][0]["verified"]
    assert len(run.outcome.warnings) == 3
    assert all("download of a.iso broke and was taken up again" in text for text in run.outcome.warnings)
    gets = [entry for entry in run.exchanges if entry.path.startswith(DATA)]
    assert [entry.status for entry in gets if entry.status][1:] == [206, 206, 206]
    assert gets[-1].response_bytes < len(LARGER_IMAGE) // 4


def test_a_server_without_ranges_sends_it_all_again(one: Tasks, dest: Path) -> None:
    one.sim.reset(seed_of({"a.iso": IMAGE}, "tools", "iso", ranges=False))
    one.sim.inject(f"GET:{DATA}*:1:reset-mid-body")
    one.sim.inject(f"GET:{DATA}*:2:truncate")
    run = one.run(**fetch(dest, TOOLS))
    assert not run.failed, run.msg
    assert files_in(dest) == {"a.iso": IMAGE}
    assert len(run.outcome.warnings) == 2
    assert run.exchanges[-4].response_bytes == len(IMAGE)


@pytest.mark.parametrize("fault", ["truncate", "reset", "503", "html"])
def test_what_breaks_once_is_tried_again(one: Tasks, dest: Path, fault: str) -> None:
    one.sim.inject(f"GET:{DATA}*:1:{fault}")
    run = one.run(**fetch(dest, TOOLS))
    assert not run.failed, run.msg
    assert files_in(dest) == {"a.iso": IMAGE}
    assert len(run.outcome.warnings) == 1


def test_what_breaks_again_and_again_fails_after_five_tries(one: Tasks, dest: Path) -> None:
    one.sim.reset(seed_of({"a.iso": LARGER_IMAGE}, "tools", "iso"))
    one.sim.inject(f"GET:{DATA}*:*:reset-mid-body")
    run = one.run(**fetch(dest, TOOLS))
    assert run.error["type"] == "CONNECTION_FAILED"
    assert re.search(rf"after \d+ of {len(LARGER_IMAGE)} bytes", run.msg)
    assert len(run.outcome.warnings) == 4
    assert files_in(dest) == {}
    assert download_states(one.sim) == {}


def test_a_login_that_expires_is_renewed(tasks: Tasks, dest: Path) -> None:
    tasks.sim.inject(f"GET:{DATA}*:1:unauthenticated")
    run = tasks.run(**fetch(dest, TOOLS), **BY_OWN_NAME)
    assert not run.failed, run.msg
    assert files_in(dest) == {"a.iso": IMAGE}
    assert run.outcome.warnings == []


def test_a_download_that_outlives_session_and_login_is_kept_alive(dest: Path) -> None:
    seed = seed_of({"a.iso": IMAGE}, "tools", "iso")
    clock = LifeClock(1.0)
    times: dict[str, Any] = {"clock": clock, "session_timeout": 1.5, "login_timeout": 1.5}
    with Simulator(seed=seed, settle=0, rate=1_000_000, on_exchange=clock.note, **times) as sim:
        run = Tasks(sim, "api").run(**fetch(dest, TOOLS))
    assert not run.failed, run.msg
    assert files_in(dest) == {"a.iso": IMAGE}
    signs = [json.loads(entry.request_body) for entry in run.sent("POST", "keep-alive", "session")]
    told = [sign["progress"] for sign in signs if "progress" in sign]
    assert len(signs) >= 3
    assert told == sorted(set(told))
    assert 0 < told[0] < 100


def test_files_are_fetched_at_once(dest: Path) -> None:
    files = {f"{number}.iso": filler(str(number), 600_000) for number in range(4)}
    with Simulator(seed=seed_of(files, "tools", "iso"), settle=0) as sim:

        def all_are_under_way() -> None:
            assert eventually(lambda: sim.in_flight >= len(files))

        with while_held(sim, f"GET:{DATA}*:*:hold/50", all_are_under_way):
            run = Tasks(sim, "api").run(**fetch(dest, TOOLS))
    assert files_in(dest) == files
    assert run.result["transferred"]["files"] == len(files)


def test_one_that_fails_stops_the_others_and_each_fate_is_told(dest: Path) -> None:
    def forge(store: Any) -> None:
        store.catalog.item(store.find_item_id("templates", "tools")).files["bad.iso"].blob.digests["SHA1"] = "0" * 40

    files = {"good.iso": b"quick", "bad.iso": filler("bad", 400_000), "long.iso": filler("long", 4_000_000), "z": b"z"}
    with Simulator(seed=seed_of(files, "tools", "iso"), settle=0, rate=800_000) as sim:
        sim.run(forge)
        run = Tasks(sim, "api").run(**fetch(dest, TOOLS, parallel_transfers=2))
        assert download_states(sim) == {}
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert fates(run.error) == {"good.iso": "fetched", "bad.iso": "failed", "long.iso": "stopped", "z": "not started"}
    assert run.changed
    assert run.result["transferred"]["files"] == 1
    assert files_in(dest) == {"good.iso": b"quick"}


def test_a_session_that_is_ended_by_somebody_else_is_the_reason(dest: Path) -> None:
    def end(store: Any) -> None:
        for session in store.downloads.sessions.values():
            session.state = "CANCELED"

    with (
        Simulator(seed=seed_of({"a.iso": IMAGE}, "tools", "iso"), settle=0, session_timeout=2, rate=600_000) as sim,
        while_held(sim, f"GET:{DATA}*:1:hold/1", lambda: sim.run(end)),
    ):
        run = Tasks(sim, "api").run(**fetch(dest, TOOLS))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "it became CANCELED while the task was at work in it" in run.msg
    assert files_in(dest) == {}


@dataclass
class Memory:
    """A sink that can be looked at."""

    content: bytes = b""

    def write(self, block: bytes) -> None:
        self.content += block

    def clear(self) -> None:
        self.content = b""


@dataclass
class Answer:
    """What a server sends: all of `blocks`, and then a broken connection if so told."""

    status_code: int
    blocks: list[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False

    def iter_content(self, _size: int) -> Iterator[bytes]:
        yield from self.blocks
        if self.breaks:
            raise OSError("reset")


@dataclass
class Script:
    """Gives its answers one after the other, and keeps the Range of each request."""

    answers: list[Answer | Exception]
    ranges: list[str | None] = field(default_factory=list)

    @contextlib.contextmanager
    def stream(self, _method: str, _url: str, *, headers: Mapping[str, str], **_rest: Any) -> Iterator[Answer]:
        self.ranges.append(headers.get("Range"))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer

    def fetch(self, size: int | None = 6, stop: threading.Event | None = None) -> tuple[bytes, Arrived]:
        sink = Memory()
        arrived = get_file(
            self.stream,
            "https://vcenter.example.com/a",
            sink,
            timing=Timing(),
            size=size,
            hash_with="SHA256",
            session_id="s",
            stop=stop or threading.Event(),
            on_progress=lambda _received: None,
            on_break=lambda _why: None,
        )
        return sink.content, arrived


def part(content: str, span: str, *, breaks: bool = False) -> Answer:
    return Answer(206, [content.encode()], {"Content-Range": f"bytes {span}"}, breaks)


HALF = Answer(200, [b"abc"], {"Content-Length": "6"}, breaks=True)
WHOLE = Answer(200, [b"abc", b"def"], {"Content-Length": "6"})
SPAN = {"Content-Range": "bytes 3-5/*"}
REFUSED = TransferFailed("no such range", status=416)


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        ([WHOLE], [None]),
        ([HALF, part("def", "3-5/6")], [None, "bytes=3-"]),
        ([HALF, part("def", "3-5/*")], [None, "bytes=3-"]),
        ([HALF, part("d", "3-5/6", breaks=True), part("ef", "4-5/6")], [None, "bytes=3-", "bytes=4-"]),
        ([HALF, WHOLE], [None, "bytes=3-"]),
        ([HALF, part("ef", "4-5/6"), WHOLE], [None, "bytes=3-", None]),
        ([HALF, part("def", "3-5/7"), WHOLE], [None, "bytes=3-", None]),
        ([HALF, Answer(206, [b"def"]), WHOLE], [None, "bytes=3-", None]),
        ([HALF, REFUSED, WHOLE], [None, "bytes=3-", None]),
        ([Answer(200, [b"abcdef"], breaks=True)], [None]),
        ([Answer(200, [b"abc"]), part("def", "3-5/6")], [None, "bytes=3-"]),
        ([ConnectionFailed("no connection"), WHOLE], [None, None]),
    ],
)
def test_however_a_download_breaks_it_ends_up_whole(
    answers: list[Answer | Exception], ranges: list[str | None]
) -> None:
    script = Script(list(answers))
    assert script.fetch() == (b"abcdef", Arrived({"SHA256": hashlib.sha256(b"abcdef").hexdigest()}, is_whole=True))
    assert script.ranges == ranges


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("answers", "is_whole"),
    [
        ([HALF, part("def", "3-5/6")], True),
        ([Answer(200, [b"abc", b"def"], CHUNKED)], True),
        ([Answer(200, [b"abc", b"def"], {**CHUNKED, "Content-Length": "4"})], True),
        ([Answer(200, [b"abc"], CHUNKED, breaks=True), part("def", "3-5/6")], True),
        ([Answer(200, [b"abc"], CHUNKED, breaks=True), part("def", "3-5/*")], False),
        ([Answer(200, [b"abc"], CHUNKED, breaks=True), Answer(206, [b"def"], {**CHUNKED, **SPAN})], False),
        ([Answer(200, [b"abc"], CHUNKED, breaks=True), Answer(200, [b"abcdef"])], False),
        ([Answer(200, [b"abcdef"])], False),
    ],
)
def test_without_a_known_size_the_answers_tell_whether_it_is_whole(answers: list[Answer], is_whole: bool) -> None:
    content, arrived = Script(list(answers)).fetch(size=None)
    assert (content, arrived.is_whole) == (b"abcdef", is_whole)


def test_more_than_there_should_be_is_a_failure() -> None:
    with pytest.raises(TransferFailed, match="more than the 5 bytes"):
        Script([WHOLE]).fetch(size=5)


def test_a_refusal_is_not_tried_again() -> None:
    script = Script([NotFound("gone", status=404), WHOLE])
    with pytest.raises(NotFound):
        script.fetch()
    assert len(script.ranges) == 1


def test_a_stop_ends_it_at_the_next_block() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(TransferStopped):
        Script([WHOLE]).fetch(stop=stop)


def test_a_checksum_that_this_host_cannot_make_is_a_failure_that_says_so() -> None:
    with pytest.raises(TransferFailed, match="cannot make SHA3-000 checksums") as raised:
        hash_file(__file__, "SHA3-000", 0, 1)
    assert "OpenSSL" in raised.value.explain()


STRICT_OPENSSL = """
openssl_conf = init
[init]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
"""
HASH_ALL = """
import sys
# Python's own take over where OpenSSL refuses; distributions that have FIPS in mind leave them out.
sys.modules["_md5"] = sys.modules["_sha1"] = None
from ansible_collections.vsphere.content.plugins.module_utils._transfer.hashing import hash_file
from ansible_collections.vsphere.content.plugins.module_utils._transfer.content import PullSource
from ansible_collections.vsphere.content.plugins.module_utils._update.pull import _endpoint
for algorithm in ("MD5", "SHA1", "SHA256"):
    print(hash_file(sys.argv[1], algorithm, 0, 3))
source = PullSource("https://a", certificate="-----BEGIN CERTIFICATE-----\\nYWJj\\n-----END CERTIFICATE-----")
print(_endpoint(source, with_certificate=False).ssl_certificate_thumbprint.replace(":", "").lower())
"""


@pytest.mark.process
def test_a_host_that_allows_weak_hashes_for_no_security_makes_checksums_and_thumbprints(tmp_path: Path) -> None:
    """As one in FIPS mode does."""
    (tmp_path / "openssl.cnf").write_text(STRICT_OPENSSL)
    (tmp_path / "abc").write_bytes(b"abc")
    ran = subprocess.run(
        [sys.executable, "-c", HASH_ALL, str(tmp_path / "abc")],
        env=module_environment({"OPENSSL_CONF": str(tmp_path / "openssl.cnf")}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.split() == [hashlib.new(name, b"abc").hexdigest() for name in ("md5", "sha1", "sha256", "sha1")]
