# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a transfer at a time: told by a clock that the test moves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._task.progress import PULLING, Moving, Progress
from tests.harness.checkout import ROOT
from tests.progress.lines import read_line, read_shown

KIBIBYTE, MEBIBYTE, GIBIBYTE = 1 << 10, 1 << 20, 1 << 30
DISK = "disk1.vmdk"
ANSWER = "waiting for vCenter's answer"


@dataclass
class Scene:
    """An account, and the seconds that have passed."""

    seconds: float = 100.0
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(now=lambda: self.seconds)

    def start(self, total: int | None) -> Moving:
        self.progress.expect({DISK: total})
        return self.progress.start(DISK, total, ANSWER)

    def after(self, seconds: float) -> list[str]:
        self.seconds += seconds
        lines = list(self.progress.lines())
        for line in lines:
            read_line(f"item on vcenter: {line}")
        return [line.replace(f"{DISK}: ", "") for line in lines]


@pytest.mark.parametrize(
    ("total", "done", "seconds", "line"),
    [
        (700 * MEBIBYTE, 120 * MEBIBYTE, 5, "120.0 of 700.0 MiB (17 %), 24.0 MiB/s, 0:25 left"),
        (40 * GIBIBYTE, GIBIBYTE, 10, "1.00 of 40.00 GiB (2 %), 102.4 MiB/s, 6:30 left"),
        (400 * GIBIBYTE, GIBIBYTE, 100, "1.00 of 400.00 GiB (0 %), 10.2 MiB/s, 11:05:00 left"),
        (8 * KIBIBYTE, 2 * KIBIBYTE, 1, "2.0 of 8.0 KiB (25 %), 0.002 MiB/s, 0:03 left"),
        (100, 99, 1, "99 of 100 B (99 %), 0.000 MiB/s, 0:01 left"),
        (GIBIBYTE, GIBIBYTE - 1, 1024, "1.00 of 1.00 GiB (99 %), 1.000 MiB/s, 0:01 left"),
        (None, 3 * MEBIBYTE, 2, "3.0 MiB so far, 1.5 MiB/s"),
        (3 * MEBIBYTE, 0, 7, "0.0 of 3.0 MiB (0 %), nothing moved for 0:07"),
        (3 * MEBIBYTE, 3 * MEBIBYTE, 1, f"3.0 of 3.0 MiB (100 %), {ANSWER}, 0:00 so far"),
        (0, 0, 1, f"0 of 0 B (100 %), {ANSWER}, 0:01 so far"),
    ],
)
def test_how_far_how_fast_how_long_still(total: int | None, done: int, seconds: float, line: str) -> None:
    scene = Scene()
    scene.start(total).reach(done)
    assert scene.after(seconds) == [line]


def test_the_speed_is_that_of_the_last_seconds() -> None:
    scene = Scene()
    moving = scene.start(1000 * MEBIBYTE)
    lines = []
    for second in range(1, 21):
        moving.reach(MEBIBYTE * (50 * second if second < 10 else 450 + 2 * (second - 9)))
        lines += scene.after(1)
    assert lines[8] == "450.0 of 1000.0 MiB (45 %), 50.0 MiB/s, 0:11 left"
    assert lines[19] == "472.0 of 1000.0 MiB (47 %), 2.0 MiB/s, 4:24 left"


def test_what_stands_still_is_told_from_when_on() -> None:
    scene = Scene()
    moving = scene.start(100 * MEBIBYTE)
    moving.reach(50 * MEBIBYTE)
    scene.after(5)
    assert scene.after(5) == ["50.0 of 100.0 MiB (50 %), 5.0 MiB/s, 0:10 left"]
    for _look in range(12):
        scene.after(5)
    assert scene.after(5) == ["50.0 of 100.0 MiB (50 %), nothing moved for 1:10"]
    moving.reach(60 * MEBIBYTE)
    assert scene.after(5) == ["60.0 of 100.0 MiB (60 %), 1.0 MiB/s, 0:40 left"]


def test_what_is_sent_again_is_told_so_until_it_is_further_than_before() -> None:
    scene = Scene()
    moving = scene.start(100 * MEBIBYTE)
    moving.reach(50 * MEBIBYTE)
    scene.after(5)
    moving.reach(10 * MEBIBYTE)
    assert scene.after(5) == ["again from the start, 10.0 MiB so far, nothing moved for 0:00"]
    moving.reach(20 * MEBIBYTE)
    assert scene.after(5) == ["again from the start, 20.0 MiB so far, 2.0 MiB/s, 0:40 left"]
    moving.reach(60 * MEBIBYTE)
    assert scene.after(5) == ["60.0 of 100.0 MiB (60 %), 5.0 MiB/s, 0:08 left"]


def test_the_answer_is_waited_for_from_the_last_byte_on() -> None:
    scene = Scene()
    moving = scene.start(100 * MEBIBYTE)
    scene.after(30)
    moving.reach(100 * MEBIBYTE)
    scene.after(5)
    assert scene.after(5) == [f"100.0 of 100.0 MiB (100 %), {ANSWER}, 0:05 so far"]


def test_a_file_that_was_shown_is_shown_once_more_at_its_end() -> None:
    scene = Scene()
    moving = scene.start(100 * MEBIBYTE)
    moving.reach(50 * MEBIBYTE)
    scene.after(5)
    moving.reach(100 * MEBIBYTE)
    scene.seconds += 5
    moving.finish()
    assert scene.after(1) == ["100.0 of 100.0 MiB (100 %), mean 10.0 MiB/s"]
    assert scene.after(5) == []


def test_a_file_that_came_and_went_between_two_looks_is_not_shown() -> None:
    scene = Scene()
    moving = scene.start(KIBIBYTE)
    moving.reach(KIBIBYTE)
    moving.finish()
    assert scene.after(5) == []


def test_what_the_server_does_with_a_file() -> None:
    scene = Scene()
    moving = scene.start(KIBIBYTE)
    moving.reach(512)
    scene.after(5)
    moving.reach(KIBIBYTE)
    moving.finish()
    scene.progress.serve(DISK, "transferring")
    assert scene.after(5) == ["vCenter is transferring it, 0:05 so far"]
    scene.progress.serve(DISK, "transferring")
    assert scene.after(5) == ["vCenter is transferring it, 0:10 so far"]
    scene.progress.serve(DISK, "validating")
    assert scene.after(3) == ["vCenter is validating it, 0:03 so far"]
    scene.progress.serve(DISK, None)
    assert scene.after(5) == []


def test_a_file_that_the_server_pulls() -> None:
    scene = Scene()
    scene.progress.expect({DISK: None})
    scene.progress.serve(DISK, PULLING)
    assert scene.after(5) == ["vCenter is pulling it, 0:05 so far"]
    scene.progress.serve(DISK, PULLING, 50 * MEBIBYTE)
    assert scene.after(5) == ["vCenter is pulling it, 50.0 MiB so far, 5.0 MiB/s"]
    scene.after(5)
    assert scene.after(20) == ["vCenter is pulling it, 50.0 MiB so far, nothing moved for 0:25"]
    scene.progress.serve(DISK, "validating", 60 * MEBIBYTE)
    assert scene.after(2) == ["vCenter is validating it, 0:02 so far"]
    scene.progress.serve(DISK, None, 60 * MEBIBYTE)
    assert scene.after(5) == []


def test_what_is_none_of_ours_is_not_shown() -> None:
    scene = Scene()
    scene.progress.expect({DISK: None})
    scene.progress.serve("somebody-elses.iso", PULLING, 5)
    assert scene.after(5) == []


@pytest.mark.parametrize(
    ("expected", "lines"), [({DISK: 5}, ["waiting for vCenter to complete the session, 1:05 so far"]), ({}, [])]
)
def test_a_wait_is_shown_while_it_lasts_if_there_is_something_to_move(
    expected: dict[str, int], lines: list[str]
) -> None:
    scene = Scene()
    scene.progress.expect(expected)
    with scene.progress.waiting("vCenter to complete the session"):
        assert scene.after(65) == lines
    assert scene.after(5) == []


@pytest.mark.parametrize(
    ("expected", "moved", "percent"),
    [
        ({}, {}, 0),
        ({"a": 100, "b": 300}, {}, 0),
        ({"a": 100, "b": 300}, {"a": 100}, 25),
        ({"a": 100, "b": 300}, {"a": 100, "b": 299}, 99),
        ({"a": 100, "b": 300}, {"a": 100, "b": 300}, 100),
        ({"a": 100, "b": 300}, {"a": 5000}, 25),
        ({"a": 100, "b": None}, {"a": 100, "b": 5000}, 50),
        ({"a": None}, {"a": 5000}, 0),
    ],
)
def test_the_percentage_of_all_files(expected: dict[str, int | None], moved: dict[str, int], percent: int) -> None:
    progress = Progress()
    progress.expect(expected)
    for name, done in moved.items():
        progress.start(name, expected[name], "").reach(done)
    assert progress.percent == percent


def test_a_line_and_vcenter_show_the_same() -> None:
    scene = Scene()
    moving = scene.start(70 * MEBIBYTE)
    for done in range(0, 70 * MEBIBYTE, 999_999):
        moving.reach(done)
        (line,) = scene.after(1)
        assert f"({scene.progress.percent} %)" in line


def test_the_guide_shows_what_there_is_and_how_to_read_it() -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_progress.rst").read_text(encoding="utf-8")
    shown = [text.strip() for text in guide.splitlines() if text.startswith("   progress: [")]
    (expression,) = [text.strip() for text in guide.splitlines() if text.startswith("   ^progress: ")]
    lines = read_shown(shown)
    assert [line for line, text in zip(lines, shown) if re.match(expression, text)] == [
        line for line in lines if line.kind == "moves"
    ]
    assert len({line.kind for line in lines}) == 5
    others = re.findall(r"\* - ``(.+)``\n", guide.partition("Other lines:")[2].partition("``client_progress``")[0])
    assert [read_line(f"item on vcenter: {text}").kind for text in others] == [
        "moves",
        "again",
        "moves",
        "server",
        "waits",
        "removal",
        "summary",
        "failure",
    ]


# -- what reaches the file


def told(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.mark.parametrize(
    ("failed", "rest", "line"),
    [
        (False, 100 * MEBIBYTE, "1 file, 60.0 MiB in 0:20, mean 3.0 MiB/s"),
        (True, 100 * MEBIBYTE, "failed after 60.0 of 160.0 MiB in 0:20, mean 3.0 MiB/s"),
        (True, None, "failed after 60.0 MiB in 0:20, mean 3.0 MiB/s"),
    ],
)
def test_steps_are_told_at_once_and_the_sum_at_the_end(
    tmp_path: Path, failed: bool, rest: int | None, line: str
) -> None:
    path = tmp_path / "progress"
    path.touch()
    seconds = [100.0]
    progress = Progress(lambda text: f"tools: {text}", str(path), 60, now=lambda: seconds[0])
    progress.step("before there is anything to move")
    progress.expect({"a.iso": 60 * MEBIBYTE, "b.iso": rest})
    progress.step("session created")
    moving = progress.start("a.iso", 60 * MEBIBYTE, "")
    moving.reach(60 * MEBIBYTE)
    seconds[0] += 20
    moving.finish()
    progress.close(failed=failed)
    progress.close()
    assert told(path) == ["tools: session created", f"tools: {line}"]


def test_the_mean_is_over_the_time_in_which_something_moved(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    seconds = [100.0]
    progress = Progress(str, str(path), 60, now=lambda: seconds[0])
    progress.expect({"a.ovf": 10 * MEBIBYTE, "b.vmdk": 10 * MEBIBYTE, "c.vmdk": 10 * MEBIBYTE})
    first = progress.start("a.ovf", 10 * MEBIBYTE, "")
    seconds[0] += 2
    first.reach(10 * MEBIBYTE)
    first.finish()
    seconds[0] += 100
    disks = [progress.start(name, 10 * MEBIBYTE, "") for name in ("b.vmdk", "c.vmdk")]
    for disk in disks:
        seconds[0] += 4
        disk.reach(10 * MEBIBYTE)
        disk.finish()
    progress.close()
    assert told(path) == ["3 files, 30.0 MiB in 0:10, mean 3.0 MiB/s"]


def test_a_size_that_no_file_can_have_costs_a_line_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    progress = Progress(str, str(path), 60)
    progress.expect({"a.iso": None})
    progress.step("session created")
    progress.serve("a.iso", PULLING, 10**400)
    progress.close(failed=True)
    assert told(path) == ["session created"]


def test_a_task_with_nothing_to_move_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    progress = Progress(str, str(path), 60)
    progress.expect({})
    progress.step("completing")
    progress.close()
    assert told(path) == []
