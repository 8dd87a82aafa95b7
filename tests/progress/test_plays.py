# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines appear while a task runs, through whatever runs it, and where they cannot the task is the same without them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.harness.checkout import ROOT
from tests.harness.packages import sparse
from tests.harness.waiting import eventually
from tests.progress.lines import Line, read_shown, require_forward
from tests.progress.plays import (
    MODULE_WAYS,
    SECONDS,
    STRATEGIES,
    UPDATE,
    Place,
    Playing,
    kits,
    module_ways,
    play,
    play_as_awx_does,
    play_by_runner,
    publication,
    settings_of,
    whole_kit,
)
from tests.roles.jobs import read_job
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

RATE = 4_800_000
LARGE = 2 * RATE
FEWEST = 5
WARNING = "[WARNING]"
HOSTS = [f"host{number:02}" for number in range(20)]


def seed(*items: str) -> Seed:
    return Seed(libraries=(LibrarySeed("templates", tuple(ItemSeed(item, "iso") for item in items)),))


@pytest.fixture(scope="module")
def paced() -> Iterator[Simulator]:
    with Simulator(settle=0.2, rate=RATE) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


# -- live


@dataclass(frozen=True)
class Told:
    """Lines about progress with the time of each, and the time of the task's result."""

    lines: Sequence[Line]
    times: Sequence[float]
    result: float


def from_output(playing: Playing) -> Told:
    assert playing.wait() == 0, playing.output
    assert WARNING not in playing.output
    lines = read_shown(playing.lines)
    return Told(lines, [playing.time_of(line.text) for line in lines], playing.time_of("changed: [localhost]"))


def from_events(directory: Path) -> Told:
    job = read_job(directory)
    assert job.status == "successful", job.stdout
    assert WARNING not in job.stdout

    def time_of(event: Mapping[str, Any]) -> float:
        return datetime.fromisoformat(event["created"]).timestamp()

    shown = [event for event in job.events if event["event"] == "verbose" and "progress: " in event["stdout"]]
    (result,) = [event for event in job.events if event["event"] == "runner_on_ok"]
    assert {event["event_data"].get("task") for event in shown} <= {result["event_data"]["task"], None}
    return Told(read_shown(event["stdout"] for event in shown), list(map(time_of, shown)), time_of(result))


#: What was started, and what it has told when it has come to its end.
Way = tuple[Playing, Callable[[], Told]]


def in_a_pipe(place: Place, playbook: Path) -> Way:
    playing = play(place, playbook)
    return playing, lambda: from_output(playing)


def in_a_terminal(place: Place, playbook: Path) -> Way:
    playing = play(place, playbook, terminal=True)
    return playing, lambda: from_output(playing)


def by_runner(place: Place, playbook: Path) -> Way:
    return told_of(*play_by_runner(place, playbook))


def as_awx_does(place: Place, playbook: Path) -> Way:
    return told_of(*play_as_awx_does(place, playbook))


def told_of(playing: Playing, directory: Path) -> Way:
    def told() -> Told:
        assert playing.wait() == 0, playing.output
        return from_events(directory)

    return playing, told


WAYS: Mapping[str, Callable[[Place, Path], Way]] = {
    "pipe": in_a_pipe,
    "terminal": in_a_terminal,
    "runner": by_runner,
    "awx": as_awx_does,
}
# The ways that are tried with each kit, unless all of them are.
COMBINATIONS = {"newest": list(WAYS), "oldest": ["pipe"], "awx": ["runner", "awx"]}
#: Those of ansible-core with which tasks of several hosts run at once.


def ways_of(kit: str) -> list[str]:
    return list(WAYS) if kit == whole_kit() else COMBINATIONS[kit]


def require_live(told: Told) -> None:
    require_forward(told.lines)
    before = [moment for moment, line in zip(told.times, told.lines) if line.kind == "moves" and moment < told.result]
    assert len(before) >= FEWEST, told.lines
    assert [line.step for line in told.lines if line.step] == ["session created", "completing"]
    assert told.lines[-1].kind == "summary"


def start(paced: Simulator, folder: Path, images: Path, kit: str, way: str) -> Way:
    name = f"{kit}-{way}"
    place = Place(folder / name, paced, settings_of(kit))
    image = sparse(images / f"{name}.iso", LARGE)
    place.folder.mkdir()
    return WAYS[way](place, place.playbook(publication(image, name, progress_interval=1)))


def moved(playing: Playing) -> list[str]:
    """The lines about bytes that are there by now."""
    return [text for text in playing.lines if "progress: " in text and " of " in text]


@pytest.mark.parametrize("kit", kits())
def test_a_long_upload_is_seen_moving_through_whatever_runs_it(
    paced: Simulator, images: Path, tmp_path: Path, kit: str
) -> None:
    """It cannot end before enough lines are there."""
    paced.reset(seed(*(f"{kit}-{way}" for way in ways_of(kit))))
    paced.inject("PUT:*:*:hold/90")
    started = [start(paced, tmp_path, images, kit, way) for way in ways_of(kit)]
    for playing, _told in started:
        assert eventually(lambda: len(moved(playing)) >= FEWEST, SECONDS), playing.output  # noqa: B023 (called at once)
    paced.release()
    for _playing, told in started:
        require_live(told())


@pytest.mark.rest
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_twenty_hosts_at_once_each_have_whole_lines(
    paced: Simulator, images: Path, tmp_path: Path, strategy: str
) -> None:
    paced.reset(seed(*HOSTS))
    paced.inject("PUT:*:*:hold/90")
    place = Place(tmp_path, paced, settings_of(whole_kit() or "newest"))
    place.inventory(HOSTS)
    image = sparse(images / "hosts.iso", LARGE)
    playbook = place.playbook(publication(image, "{{ inventory_hostname }}", progress_interval=1), strategy=strategy)
    playing = play(place, playbook, "--forks=20")
    assert eventually(lambda: all(any(f"[{host}]" in text for text in moved(playing)) for host in HOSTS), SECONDS), (
        playing.output
    )
    paced.release()
    assert playing.wait() == 0, playing.output
    lines = read_shown(playing.lines)
    require_forward(lines)
    for host in HOSTS:
        mine = [line for line in lines if line.host == host]
        assert {line.item for line in mine} == {host}
        assert [line.step for line in mine if line.step] == ["session created", "completing"]
        assert [line.kind for line in mine if line.kind != "step"][-1] == "summary"
        assert any(line.kind == "moves" for line in mine), host


# -- where lines appear, and where not


def shown_by_task(playing: Playing) -> dict[str, list[str]]:
    """The lines about progress below the headline of each task."""
    tasks: dict[str, list[str]] = {}
    for text in playing.lines:
        if text.startswith("TASK ["):
            tasks[text[len("TASK [") :].partition("]")[0]] = []
        elif "progress: " in text:
            tasks[list(tasks)[-1]].append(text)
    return tasks


def copied_module(name: str) -> str:
    """The module as it must be outside of the collection, where nothing is relative to it."""
    text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
    return text.replace("from ..module_utils", "from ansible_collections.vsphere.content.plugins.module_utils")


@pytest.mark.rest
@pytest.mark.parametrize("way", module_ways())
def test_where_lines_appear_and_where_the_task_is_the_same_without(server: Simulator, tmp_path: Path, way: str) -> None:
    settings = {"ANSIBLE_LIBRARY": str(tmp_path / "library"), "ANSIBLE_PIPELINING": "true"}
    place = Place(tmp_path, server, {**settings, **MODULE_WAYS[way]})
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "renamed.py").write_text(copied_module("content_library_update_session"), encoding="utf-8")
    own_file = sparse(tmp_path / "own", 0)
    image = sparse(tmp_path / "tools.iso", 100_000)
    pretend = {"become": True, "become_method": "pretend"}
    short = publication(image, "short")
    short["vsphere.content.update_session"] = short.pop(UPDATE)
    renamed = publication(image, "renamed")
    renamed["renamed"] = {**renamed.pop(UPDATE), "ca_path": server.ca_path}
    shown = [
        publication(image, "plain"),
        short,
        publication(image, "itself", become_user=getpass.getuser(), **pretend),
        publication(image, "delegated", delegate_to="localhost", vars={"ansible_connection": "local"}),
        publication(image, "{{ item }}", loop=["looped", "again"]),
    ]
    silent = [
        publication(image, "plain"),
        publication(image, "async", **{"async": 60, "poll": 1}),
        publication(image, "no_log", no_log=True),
        publication(image, "elsewhere", vars={"ansible_connection": "elsewhere"}),
        publication(image, "another", become_user="somebody", **pretend),
        publication(image, "zero", progress_interval=0),
        publication(image, "file", progress_file=str(own_file)),
        publication(image, "checked", check_mode=True),
        renamed,
    ]
    for number, task in enumerate([*shown, *silent]):
        task["name"] = f"{'shown' if number < len(shown) else 'silent'} {number}"
    done = [task["name"] for task in [*shown, *silent]]
    changes = len(done) - 1
    items = ["plain", "short", "itself", "delegated", "looped", "again", "async", "no_log", "elsewhere", "another"]
    server.reset(seed(*items, "zero", "file", "checked", "renamed"))

    playing = play(place, place.playbook(*shown, *silent))
    assert playing.wait() == 0, playing.output
    tasks = shown_by_task(playing)
    assert list(tasks) == done
    assert {name for name, lines in tasks.items() if lines} == {task["name"] for task in shown}, playing.output
    for name, lines in tasks.items():
        kinds = [line.kind for line in read_shown(lines)]
        assert kinds == ["step", "step", "summary"] * (len(kinds) // 3), name
    assert f"changed={changes}" in playing.output, playing.output
    assert "failed after" not in own_file.read_text(encoding="utf-8")
    assert f"file in templates on {server.hostname}:{server.port}: session created\n" in own_file.read_text(
        encoding="utf-8"
    )
    assert [path for path in place.files if "progress" in path] == []


@dataclass(frozen=True)
class Setting:
    env: Mapping[str, str]
    configuration: str
    shown: bool
    said: str = "changed: [localhost]"


SETTINGS = {
    "by default": Setting({}, "", True),
    "off in ansible.cfg": Setting({}, "[vsphere_content]\nprogress_interval = 0\n", False),
    "the environment counts more": Setting(
        {"VSPHERE_CONTENT_PROGRESS_INTERVAL": "3"}, "[vsphere_content]\nprogress_interval = 0\n", True
    ),
    "what is no number": Setting(
        {"VSPHERE_CONTENT_PROGRESS_INTERVAL": "often"}, "", False, "[WARNING]: No progress is shown: "
    ),
    "for programs": Setting({"ANSIBLE_STDOUT_CALLBACK": "one_json"}, "", False, '{"changed": [true]}'),
}


@pytest.mark.rest
def test_settings_of_a_whole_run(server: Simulator, images: Path, tmp_path: Path) -> None:
    image = sparse(images / "settings.iso", 100_000)
    server.reset(seed(*map(str, range(len(SETTINGS)))))
    runs = {}
    for number, (name, setting) in enumerate(SETTINGS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "ansible.cfg").write_text(setting.configuration, encoding="utf-8")
        place = Place(folder, server, {**setting.env, "ANSIBLE_CONFIG": str(folder / "ansible.cfg")})
        runs[name] = play(place, place.playbook(publication(image, str(number))))
    for name, playing in runs.items():
        assert playing.wait() == 0, (name, playing.output)
        assert bool(read_shown(playing.lines)) == SETTINGS[name].shown, (name, playing.output)
        assert SETTINGS[name].said in playing.output, (name, playing.output)
    document = json.loads(runs["for programs"].output)
    assert document == {"changed": [True]}
