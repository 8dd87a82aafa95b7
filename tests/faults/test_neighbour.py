# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root fetches to a directory that another user may write to, and that user is at work there meanwhile.

Nothing of root's elsewhere is touched, nothing but what was fetched passes for it, and nobody's session is ended.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._download.session_mark import MARK_SUFFIX
from tests.faults.neighbours import AGAIN_AND_AGAIN, IN_THE_TARGETS_PLACE, MARKS, MARKS_PLANTED, ON_THE_WAY
from tests.harness.held import download_states
from tests.harness.tasks import DOWNLOAD_SESSION, Run, Tasks, fetch
from tests.harness.users import NOBODY, reachable_folder, require_root, run_as_nobody, start_as_nobody
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed
from tests.simulator.seed import filler

TARGET = "disk1.vmdk"
CONTENT = filler("disk1", 200_000)
HALF_WAY = "GET:/cls/data/*:1:hold/50"
TOKEN = "b8a2a2e3-2314-43cd-a871-6ede0f429751"
ROUNDS = 8

pytestmark = pytest.mark.seed(
    Seed(libraries=(LibrarySeed("templates", (ItemSeed("rocky9", "ovf", {TARGET: CONTENT}),)),))
)


@pytest.fixture
def place() -> Iterator[Path]:
    require_root()
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def dest(place: Path) -> Path:
    """The other user's directory."""
    folder = place / "dest"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


@pytest.fixture
def victim(place: Path) -> Iterator[Path]:
    """A file of root's that is as it was at the end, down to the time of its last change."""
    path = place / "victim"
    path.write_bytes(b"of root")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_bytes() == b"of root"
    assert (after.st_mode, after.st_uid, after.st_ctime_ns) == (before.st_mode, before.st_uid, before.st_ctime_ns)


def is_root_s(path: Path, content: bytes = CONTENT) -> bool:
    """Whether it is a file of root's with that content, which nobody else may write to."""
    found = path.lstat()
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid == 0
        and stat.S_IMODE(found.st_mode) == 0o644
        and path.read_bytes() == content
    )


def prefix_of_marks(tasks: Tasks) -> str:
    item = tasks.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    return f".{hashlib.sha256(item.encode()).hexdigest()[:8]}"


def leave_mark(tasks: Tasks, dest: Path) -> Path:
    """What a killed run leaves."""
    path = dest / f"{prefix_of_marks(tasks)}.1{MARK_SUFFIX}"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


def warnings_of(run: Run, containing: str) -> list[str]:
    return [text for text in run.outcome.warnings if containing in text]


# -- while a file is fetched


@pytest.mark.parametrize("options", [{}, {"owner": "root", "mode": "0666"}], ids=["plain", "declared"])
@pytest.mark.parametrize("attack", ON_THE_WAY)
def test_what_is_put_in_the_place_of_a_file_under_way_is_not_followed(
    one: Tasks, dest: Path, victim: Path, attack: str, options: dict[str, str]
) -> None:
    with while_held(one.sim, HALF_WAY, lambda: run_as_nobody(ON_THE_WAY[attack], dest, VICTIM=str(victim))):
        run = one.run(**fetch(dest, **options))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "changed while it was fetched: somebody else has put something in its place, or removed it" in run.msg
    assert "Fetch to a directory that nobody else may write to" in run.msg
    assert run.error["data"] == {"files": [{"name": TARGET, "fate": "failed"}]}
    assert not run.changed
    assert not os.path.lexists(dest / TARGET)
    assert download_states(one.sim) == {}
    assert bool(warnings_of(run, "was put in the place of a file of this task")) == (attack != "nothing")


@pytest.mark.parametrize("attack", IN_THE_TARGETS_PLACE)
def test_nothing_is_taken_over_from_what_another_user_puts_in_the_place_of_the_target(
    one: Tasks, dest: Path, victim: Path, attack: str
) -> None:
    def attacked() -> None:
        run_as_nobody(IN_THE_TARGETS_PLACE[attack], dest, VICTIM=str(victim), TARGET=TARGET)

    with while_held(one.sim, HALF_WAY, attacked):
        run = one.run(**fetch(dest))
    assert not run.failed, run.msg
    assert run.result["files"][0]["verified"]
    assert is_root_s(dest / TARGET)


@pytest.mark.parametrize("attack", AGAIN_AND_AGAIN)
def test_whoever_is_quick_makes_a_task_fail_and_no_more(one: Tasks, dest: Path, victim: Path, attack: str) -> None:
    process = start_as_nobody(f"set +e; {AGAIN_AND_AGAIN[attack]}", dest, VICTIM=str(victim), TARGET=TARGET)
    try:
        runs = [one.run(**fetch(dest, owner="root", mode="0644")) for _round in range(ROUNDS)]
    finally:
        process.kill()
        process.communicate()
    assert {run.error["type"] for run in runs if run.failed} <= {"TRANSFER_FAILED"}
    assert not any("defect" in run.msg for run in runs)
    assert download_states(one.sim) == {}


def test_a_directory_that_is_replaced_meanwhile_is_not_followed(one: Tasks, place: Path, dest: Path) -> None:
    """Whoever owns the directory above can do that."""
    os.chown(place, NOBODY, NOBODY)
    of_root = place / "of-root"
    of_root.mkdir()
    with while_held(one.sim, HALF_WAY, lambda: run_as_nobody("mv dest away; ln -s of-root dest", place)):
        run = one.run(**fetch(dest))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{dest} is another directory than when the task began" in run.msg
    assert list(of_root.iterdir()) == list((place / "away").iterdir()) == []


def test_what_is_put_in_the_place_of_the_mark_is_left_alone(one: Tasks, dest: Path, victim: Path) -> None:
    swap = f'for name in {MARKS}; do mv "$name" taken; ln -s "$VICTIM" "$name"; done'
    with while_held(one.sim, HALF_WAY, lambda: run_as_nobody(swap, dest, VICTIM=str(victim))):
        run = one.run(**fetch(dest))
    assert not run.failed, run.msg
    assert is_root_s(dest / TARGET)
    assert len(warnings_of(run, "was put in the place of a file of this task")) == 1


# -- while a file that is there already gets other attributes


@pytest.mark.parametrize("what", ["a-link", "a-file-of-root's"])
def test_a_file_is_given_attributes_only_while_it_is_the_one_that_was_compared(
    one: Tasks, dest: Path, victim: Path, what: str
) -> None:
    (dest / TARGET).write_bytes(CONTENT)
    # So there is something to ask the server between comparing and adjusting.
    leave_mark(one, dest)
    # Whoever owns a directory can move a file of root's out of it.
    (dest / "below").mkdir()
    os.chown(dest / "below", NOBODY, NOBODY)
    moved = dest / "below" / "file"
    moved.write_bytes(CONTENT)
    before = moved.stat()
    attack = {
        "a-link": 'rm -f "$TARGET"; ln -s "$VICTIM" "$TARGET"',
        "a-file-of-root's": 'mv -f below/file "$TARGET"',
    }[what]

    def attacked() -> None:
        run_as_nobody(attack, dest, VICTIM=str(victim), TARGET=TARGET)

    with while_held(one.sim, "POST:*download-session*:1:hold", attacked):
        run = one.run(**fetch(dest, mode="0666"))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{dest}/{TARGET} changed while it was given its attributes" in run.msg
    assert not run.changed
    if what != "a-link":
        assert stat.S_IMODE((dest / TARGET).stat().st_mode) == stat.S_IMODE(before.st_mode)


def test_a_file_with_another_name_elsewhere_is_not_given_attributes(one: Tasks, place: Path, dest: Path) -> None:
    """Where the kernel does not keep users from linking what is not theirs."""
    of_root = place / "of-root"
    of_root.write_bytes(CONTENT)
    of_root.chmod(0o600)
    os.link(of_root, dest / TARGET)
    run = one.run(**fetch(dest, mode="0666"))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{dest}/{TARGET} has another name as well, this task runs as root, and the user nobody may" in run.msg
    assert stat.S_IMODE(of_root.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("owner", "mode", "who"), [(NOBODY, 0o755, "the user nobody"), (0, 0o1777, "every user")], ids=["theirs", "sticky"]
)
def test_attributes_of_chattr_are_refused_before_anything_is_changed(
    one: Tasks, dest: Path, owner: int, mode: int, who: str
) -> None:
    os.chown(dest, owner, owner)
    dest.chmod(mode)
    (dest / TARGET).write_bytes(CONTENT)
    run = one.refuse(**fetch(dest, attributes="+A", mode="0600"))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert f"attributes is given, this task runs as root, and {who} may write to {dest}" in run.msg
    assert stat.S_IMODE((dest / TARGET).stat().st_mode) == 0o644


# -- what another user has left there before


@pytest.mark.parametrize("planted", MARKS_PLANTED)
def test_a_mark_that_another_user_planted_ends_no_session_and_is_told_of(
    one: Tasks, dest: Path, victim: Path, planted: str
) -> None:
    """It may name the session of another job, whose token is no secret."""
    other = one.run(DOWNLOAD_SESSION, library="templates", library_item="rocky9", client_token=TOKEN).session
    assert other is not None
    prefix = prefix_of_marks(one)
    run_as_nobody(MARKS_PLANTED[planted], dest, VICTIM=str(victim), PREFIX=prefix, TOKEN=TOKEN)
    left = sorted(os.listdir(dest))
    for _time in range(2):
        run = one.run(**fetch(dest))
        assert not run.failed, run.msg
        assert download_states(one.sim) == {other["id"]: "ACTIVE"}
        (told,) = warnings_of(run, "was not made by a task of this user")
        assert f"In {dest}, what looks like the mark of a download session" in told
        assert sorted(os.listdir(dest)) == sorted([TARGET, *left])


@pytest.mark.parametrize("change", ["mode", "owner", "second-name", "content"])
def test_a_mark_counts_only_in_its_exact_form(one: Tasks, dest: Path, change: str) -> None:
    path = leave_mark(one, dest)
    if change == "mode":
        path.chmod(0o640)
    elif change == "owner":
        os.chown(path, NOBODY, -1)
    elif change == "second-name":
        os.link(path, dest / "second")
    else:
        path.write_text(f"{TOKEN}\n{TOKEN}\n")
    run = one.run(**fetch(dest))
    assert warnings_of(run, path.name)
    assert path.exists()
    assert len(run.sent("POST", containing="download-session?client_token")) == 1


def test_a_mark_of_a_run_that_was_killed_before_it_named_a_session_is_removed(one: Tasks, dest: Path) -> None:
    path = leave_mark(one, dest)
    path.write_text("")
    run = one.run(**fetch(dest))
    assert not run.failed, run.msg
    assert not warnings_of(run, path.name)
    assert os.listdir(dest) == [TARGET]
    assert len(run.sent("POST", containing="download-session?client_token")) == 1


# -- what root hears of others


@pytest.mark.parametrize(
    ("mode", "owner", "group", "who"),
    [
        (0o755, NOBODY, NOBODY, "the user nobody"),
        (0o775, 0, NOBODY, "the group nogroup"),
        (0o777, 0, 0, "every user"),
        (0o775, 0, 0, ""),
        (0o1777, 0, 0, ""),
        (0o755, 0, 0, ""),
    ],
)
def test_root_is_told_once_who_else_may_write_to_dest(
    one: Tasks, dest: Path, mode: int, owner: int, group: int, who: str
) -> None:
    os.chown(dest, owner, group)
    dest.chmod(mode)
    for check in (True, False, False):
        run = one.run(**fetch(dest), check=check)
        assert not run.failed, run.msg
        told = warnings_of(run, "This task runs as root")
        assert [text.partition(" may write to ")[0] for text in told] == (
            [f"This task runs as root, and {who}"] * bool(who)
        )


@pytest.mark.parametrize("mode", [0o755, 0o1777])
@pytest.mark.parametrize("declared", [True, False])
def test_root_is_told_of_another_user_s_file_in_dest_unless_that_is_what_is_declared(
    one: Tasks, dest: Path, declared: bool, mode: int
) -> None:
    os.chown(dest, 0, 0)
    dest.chmod(mode)
    (dest / TARGET).write_bytes(CONTENT)
    os.chown(dest / TARGET, NOBODY, NOBODY)
    run = one.run(**fetch(dest, **({"owner": "nobody"} if declared else {})))
    told = warnings_of(run, f"the user nobody may write in {dest} to {TARGET}")
    assert len(told) == (0 if declared else 1)
    assert run.outcome.warnings == told
