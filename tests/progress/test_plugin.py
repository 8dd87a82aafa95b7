# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the action plugins follow the file that a module adds its lines to, and where they hand the lines over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible.executor.task_queue_manager import DisplaySend, FinalQueue

from ansible_collections.vsphere.content.plugins.plugin_utils._progress import _is_for_programs, _Outlet, _Tail
from tests.harness.waiting import eventually


@dataclass
class Followed:
    """A file that is followed, and what has been shown of it."""

    path: Path
    shown: list[str] = field(default_factory=list)
    parent: int = 1

    def __post_init__(self) -> None:
        self.path.touch()
        reader = os.open(self.path, os.O_RDONLY)
        self.writer = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self.tail = _Tail(reader, str(self.path), self.shown.append, lambda: self.parent)
        self.tail.start()

    def add(self, text: bytes) -> None:
        os.write(self.writer, text)

    def end(self) -> None:
        if self.tail.is_alive():
            self.tail.finish()


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    file = Followed(tmp_path / "progress")
    yield file
    file.end()
    os.close(file.writer)


def test_whole_lines_are_shown_while_the_file_grows(followed: Followed) -> None:
    followed.add(b"one\ntw")
    assert eventually(lambda: followed.shown == ["one"])
    followed.add(b"o\n\nthree\n")
    assert eventually(lambda: followed.shown == ["one", "two", "three"])


def test_what_comes_last_is_shown_at_the_end(followed: Followed) -> None:
    followed.add(b"first\n")
    assert eventually(lambda: followed.shown)
    followed.add(b"last\nhalf a li")
    followed.end()
    assert followed.shown == ["first", "last"]


def test_the_name_goes_as_soon_as_the_module_has_the_file(followed: Followed) -> None:
    assert followed.path.exists()
    followed.add(b"\n")
    assert eventually(lambda: not followed.path.exists())
    followed.add(b"still read\n")
    assert eventually(lambda: followed.shown == ["still read"])


def test_a_file_that_was_never_opened_goes_at_the_end(followed: Followed) -> None:
    followed.end()
    assert not followed.path.exists()


def test_nothing_is_handed_to_a_playbook_that_is_gone(followed: Followed) -> None:
    followed.add(b"one\n")
    assert eventually(lambda: followed.shown == ["one"])
    followed.parent = 4711
    followed.add(b"two\n")
    followed.end()
    assert followed.shown == ["one"]


def test_what_is_no_text_is_shown_as_far_as_it_is(followed: Followed) -> None:
    followed.add(b"a\xffb\n")
    followed.end()
    assert followed.shown == ["a\ufffdb"]


# -- the queue that takes a worker's result to ansible-playbook


@pytest.fixture
def queue() -> Iterator[Any]:
    """Such a queue as the installed ansible-core has it; the test is at both ends."""
    made = FinalQueue()
    yield made
    made.close()


def taken(queue: Any) -> list[str]:
    """The lines that are in the queue, which is empty then."""
    lines: list[str] = []
    while not queue.empty():
        sent = queue.get()
        assert isinstance(sent, DisplaySend)
        assert getattr(sent, "method", "display") == "display"
        assert sent.kwargs == {}
        lines.extend(sent.args)
    return lines


def test_lines_go_the_way_of_the_result(queue: Any) -> None:
    outlet = _Outlet(queue)
    for text in ("one", "zwei \u00e9\u2028", "three"):
        outlet.show(text)
    queue.send_prompt(worker_id=1, prompt="what a worker itself sends")
    assert [queue.get().args for _line in range(3)] == [("one",), ("zwei \u00e9\u2028",), ("three",)]
    assert queue.get().prompt == "what a worker itself sends"


def test_a_line_is_dropped_while_another_worker_writes(queue: Any) -> None:
    outlet = _Outlet(queue)
    with queue._wlock:
        outlet.show("dropped")
    outlet.show("shown")
    assert taken(queue) == ["shown"]


def test_a_line_is_dropped_while_nobody_reads_and_the_queue_stays_free(queue: Any) -> None:
    outlet = _Outlet(queue)
    lines = [f"{number} {'x' * 3000}" for number in range(25)]
    for line in lines:
        outlet.show(line)
    assert queue._wlock.acquire(block=False)
    queue._wlock.release()
    seen = taken(queue)
    assert 0 < len(seen) < len(lines)
    assert seen == lines[: len(seen)]
    outlet.show("there is room again")
    assert taken(queue) == ["there is room again"]


def test_a_line_that_would_not_go_in_one_piece_is_dropped(queue: Any) -> None:
    outlet = _Outlet(queue)
    outlet.show("x" * 4096)
    outlet.show("shown")
    assert taken(queue) == ["shown"]


def test_nothing_goes_once_the_task_has_ended(queue: Any) -> None:
    outlet = _Outlet(queue)
    outlet.close()
    outlet.show("late")
    assert taken(queue) == []


def test_without_a_queue_a_line_is_displayed(capsys: pytest.CaptureFixture[str]) -> None:
    _Outlet(None).show("progress: [host] one")
    assert capsys.readouterr().out == "progress: [host] one\n"


# -- callbacks


@pytest.mark.parametrize(
    ("callback", "so"),
    [
        ("default", False),
        ("ansible.builtin.default", False),
        ("awx_display", False),
        ("community.general.yaml", False),
        ("json", True),
        ("ansible.posix.json", True),
        ("ansible.posix.jsonl", True),
        ("null", True),
        ("community.general.null", True),
        (None, False),
    ],
)
def test_callbacks_whose_output_programs_read(callback: str | None, so: bool) -> None:
    assert _is_for_programs(callback) is so
