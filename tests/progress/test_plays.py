# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines appear while a task runs, through whatever runs it, and where they cannot the task is the same without them."""

from __future__ import annotations

import getpass
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.harness.checkout import ROOT
from tests.progress.lines import Line, read_shown, require_forward
from tests.progress.plays import UPDATE, Place, Playing, play, publication
from tests.roles.jobs import read_job
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator
from tools.environment import check_environment
from tools.sanity import OLDEST, works
from tools.supported import provide

RATE = 4_800_000
LARGE = 10 * RATE
FEWEST = 5
HOSTS = [f"host{number:02}" for number in range(20)]


def seed(*items: str) -> Seed:
    return Seed(libraries=(LibrarySeed("templates", tuple(ItemSeed(item, "iso") for item in items)),))


@pytest.fixture(scope="module")
def paced() -> Iterator[Simulator]:
    with Simulator(settle=0.2, rate=RATE) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    with Simulator(settle=0) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


# -- live


@dataclass(frozen=True)
class Told:
    """Lines about progress with the time of each, and the time of the task's result."""

    lines: Sequence[Line]
    times: Sequence[float]
    result: float


def from_output(playing: Playing) -> Told:
    assert playing.wait() == 0, playing.output
    lines = read_shown(playing.lines)
    return Told(lines, [playing.time_of(line.text) for line in lines], playing.time_of("changed: [localhost]"))


def from_events(directory: Path) -> Told:
    job = read_job(directory)
    assert job.status == "successful", job.stdout

    def time_of(event: Mapping[str, Any]) -> float:
        return datetime.fromisoformat(event["created"]).timestamp()

    shown = [event for event in job.events if event["event"] == "verbose" and "progress: " in event["stdout"]]
    (result,) = [event for event in job.events if event["event"] == "runner_on_ok"]
    assert {event["event_data"].get("task") for event in shown} <= {"Publish runner", "Publish awx", None}
    return Told(read_shown(event["stdout"] for event in shown), list(map(time_of, shown)), time_of(result))


def runner_folder(place: Place, playbook: Path) -> Path:
    """A private data directory that ansible-runner takes."""
    folder = place.folder / "runner"
    for name in ("project", "inventory", "env"):
        (folder / name).mkdir(parents=True)
    shutil.copy(playbook, folder / "project" / "play.yml")
    shutil.copy(place.inventory(), folder / "inventory" / "hosts.json")
    return folder


def in_a_pipe(place: Place, playbook: Path) -> Callable[[], Told]:
    playing = play(place, playbook)
    return lambda: from_output(playing)


def in_a_terminal(place: Place, playbook: Path) -> Callable[[], Told]:
    playing = play(place, playbook, terminal=True)
    return lambda: from_output(playing)


@pytest.fixture(scope="module")
def oldest_core() -> str:
    """The ansible-playbook of the oldest ansible-core that is supported."""
    env = check_environment(os.environ)
    if not works(OLDEST, env):
        pytest.skip(f"Python {OLDEST} is not installed")
    return str(provide(OLDEST, env).with_name("ansible-playbook"))


def by_runner(place: Place, playbook: Path) -> Callable[[], Told]:
    folder = runner_folder(place, playbook)
    options = ["run", str(folder), "--playbook", "play.yml", "--ident", "job", "--quiet"]
    playing = Playing(["ansible-runner", *options], place.env)

    def told() -> Told:
        assert playing.wait() == 0, playing.output
        return from_events(folder)

    return told


def as_awx_does(place: Place, playbook: Path) -> Callable[[], Told]:
    folder = runner_folder(place, playbook)
    script = (
        f"ansible-runner transmit {folder} --playbook play.yml --ident job"
        f" | ansible-runner worker --private-data-dir {place.folder}/worker"
        f" | ansible-runner process {place.folder}/processed --ident job"
    )
    playing = Playing(["bash", "-o", "pipefail", "-c", script], place.env)

    def told() -> Told:
        assert playing.wait() == 0, playing.output
        return from_events(place.folder / "processed")

    return told


WAYS = {"pipe": in_a_pipe, "terminal": in_a_terminal, "runner": by_runner, "awx": as_awx_does}


def require_live(told: Told) -> None:
    require_forward(told.lines)
    before = [moment for moment, line in zip(told.times, told.lines) if line.kind == "moves" and moment < told.result]
    assert len(before) >= FEWEST, told.lines
    assert before[-1] - before[0] >= FEWEST - 2, "they came together, and not while bytes moved"
    assert [line.step for line in told.lines if line.step] == ["session created", "completing"]
    assert told.lines[-1].kind == "summary"


def start(paced: Simulator, folder: Path, images: Path, name: str, way: Any) -> Callable[[], Told]:
    place = Place(folder / name, paced)
    image = sparse(images / f"{name}.iso", LARGE)
    place.folder.mkdir()
    told: Callable[[], Told] = way(place, place.playbook(publication(image, name, progress_interval=1)))
    return told


def test_a_long_upload_is_seen_moving_through_whatever_runs_it(paced: Simulator, images: Path, tmp_path: Path) -> None:
    paced.reset(seed(*WAYS))
    started = {name: start(paced, tmp_path, images, name, way) for name, way in WAYS.items()}
    for told in started.values():
        require_live(told())


def test_a_long_upload_is_seen_moving_with_the_oldest_core(
    paced: Simulator, images: Path, tmp_path: Path, oldest_core: str
) -> None:
    def by_the_oldest_core(place: Place, playbook: Path) -> Callable[[], Told]:
        playing = play(place, playbook, program=oldest_core)
        return lambda: from_output(playing)

    paced.reset(seed("oldest"))
    require_live(start(paced, tmp_path, images, "oldest", by_the_oldest_core)())


def test_twenty_hosts_at_once_each_have_whole_lines(paced: Simulator, images: Path, tmp_path: Path) -> None:
    paced.reset(seed(*HOSTS))
    place = Place(tmp_path, paced)
    place.inventory(HOSTS)
    image = sparse(images / "hosts.iso", LARGE // 2)
    playbook = place.playbook(publication(image, "{{ inventory_hostname }}", progress_interval=1))
    playing = play(place, playbook, "--forks=20")
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


def test_where_lines_appear_and_where_the_task_is_the_same_without(server: Simulator, tmp_path: Path) -> None:
    place = Place(tmp_path, server, {"ANSIBLE_LIBRARY": str(tmp_path / "library"), "ANSIBLE_PIPELINING": "true"})
    (tmp_path / "library").mkdir()
    shutil.copy(ROOT / "plugins" / "modules" / "content_library_update_session.py", tmp_path / "library" / "renamed.py")
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
    assert "file: session created\n" in own_file.read_text(encoding="utf-8")
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
