# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is killed in mid-transfer: nothing goes on running or waits for the lines' sake, and no file is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.harness.users import reachable_folder, require_root, run_as_nobody
from tests.harness.waiting import eventually
from tests.progress.lines import read_shown
from tests.progress.plays import (
    MODULE_WAYS,
    Place,
    Playing,
    Process,
    kits,
    module_ways,
    play,
    play_by_runner,
    publication,
    settings_of,
)
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

LARGE = 40_000_000
HOSTS = ("host1", "host2", "host3")
# So long that a task of several that start at once is in mid-transfer by then.
TIMEOUT = 20


@pytest.fixture
def halfway() -> Iterator[Simulator]:
    """A server on which each upload stands still in the middle until it is released."""
    with Simulator(settle=0) as running:
        running.reset(
            Seed(libraries=(LibrarySeed("templates", tuple(ItemSeed(name, "iso") for name in (*KILLS, *HOSTS))),))
        )
        running.inject("PUT:*:*:hold/50")
        yield running


@dataclass(frozen=True)
class Victim:
    """A play in mid-transfer."""

    place: Place
    playing: Playing

    def has_ended(self) -> bool:
        return not self.place.processes

    @property
    def main(self) -> Process:
        """The ansible-playbook itself."""
        plays = [process for process in self.place.processes if "ansible-playbook" in process.command]
        (found,) = [process for process in plays if process.parent not in [each.pid for each in plays]]
        return found

    @property
    def workers(self) -> list[Process]:
        return [process for process in self.place.processes if process.parent == self.main.pid]

    @property
    def worker(self) -> Process:
        (found,) = self.workers
        return found

    @property
    def module(self) -> Process:
        """The fork of the worker, or the Python that a shell of the worker has started."""
        running = {process.pid: process for process in self.place.processes}
        parents = {process.parent for process in running.values()}
        workers = {process.pid for process in self.workers}
        (found,) = [
            process
            for process in running.values()
            if process.pid not in parents and process.pid not in workers and process.pid != self.main.pid
        ]
        return found


@dataclass(frozen=True)
class Kill:
    """What is done to a play; whether it undoes what it has made, and with which code ansible-playbook ends."""

    strike: Callable[[Victim], None]
    cleans_up: bool
    code: int
    options: dict[str, Any] = field(default_factory=dict)


def to(who: str, number: signal.Signals) -> Callable[[Victim], None]:
    return lambda victim: os.kill(getattr(victim, who).pid, number)


def nothing(_victim: Victim) -> None:
    pass


KILLS = {
    "timeout": Kill(nothing, True, 2, {"timeout": TIMEOUT}),
    "module-SIGTERM": Kill(to("module", signal.SIGTERM), True, 2),
    "module-SIGKILL": Kill(to("module", signal.SIGKILL), False, 2),
    "worker-SIGKILL": Kill(to("worker", signal.SIGKILL), True, 1),
    "worker-SIGTERM": Kill(to("worker", signal.SIGTERM), True, 1),
    "main-SIGTERM": Kill(to("main", signal.SIGTERM), True, -15),
    "main-SIGKILL": Kill(to("main", signal.SIGKILL), False, -9),
}


def in_mid_transfer(playing: Playing) -> bool:
    return eventually(lambda: " of " in playing.output)


def states(sim: Simulator) -> dict[str, str]:
    """The state of the session on each item that has one."""

    def read(store: Any) -> dict[str, str]:
        return {session.item.name: session.state for session in store.updates.sessions.values()}

    return sim.run(read)


@pytest.mark.rest
@pytest.mark.parametrize("way", module_ways())
def test_whatever_is_killed_nothing_is_left_of_the_lines(halfway: Simulator, tmp_path: Path, way: str) -> None:
    image = tmp_path / "large.iso"
    image.touch()
    os.truncate(image, LARGE)
    victims = {}
    for name, kill in KILLS.items():
        place = Place(tmp_path / name, halfway, MODULE_WAYS[way])
        place.folder.mkdir()
        playbook = place.playbook(publication(image, name, progress_interval=1, **kill.options))
        victims[name] = Victim(place, play(place, playbook))
    for name, victim in victims.items():
        assert in_mid_transfer(victim.playing), (name, victim.playing.output)
        KILLS[name].strike(victim)
    codes = {name: victim.playing.wait() for name, victim in victims.items()}
    halfway.release()
    for name, victim in victims.items():
        assert eventually(victim.has_ended), (name, victim.place.processes)
        assert [path for path in victim.place.files if "progress" in path] == [], name
    assert codes == {name: kill.code for name, kill in KILLS.items()}
    assert not {name for name, state in states(halfway).items() if state == "ACTIVE" and KILLS[name].cleans_up}


@pytest.mark.parametrize("kit", kits("newest", "awx"))
def test_a_worker_that_is_killed_while_it_shows_lines_stops_nobody_else(
    halfway: Simulator, tmp_path: Path, kit: str
) -> None:
    image = tmp_path / "large.iso"
    image.touch()
    os.truncate(image, LARGE)
    place = Place(tmp_path, halfway, settings_of(kit))
    place.inventory(HOSTS)
    task = publication(image, "{{ inventory_hostname }}", progress_interval=1)
    playing, _directory = play_by_runner(place, place.playbook(task))
    victim = Victim(place, playing)
    vcenter = f"{halfway.hostname}:{halfway.port}"
    shown = [f"[{host}] {host} in templates on {vcenter}: large.iso: " for host in HOSTS]
    assert eventually(lambda: all(line in playing.output for line in shown)), playing.output
    os.kill(victim.workers[0].pid, signal.SIGKILL)
    assert playing.wait() != 0
    halfway.release()
    assert eventually(victim.has_ended), place.processes
    assert {line.host for line in read_shown(playing.lines)} == set(HOSTS)
    assert "A worker was found in a dead state" in playing.output
    assert [path for path in place.files if "progress" in path] == []
    assert states(halfway) == {}


@pytest.fixture
def reachable() -> Iterator[Path]:
    require_root()
    with reachable_folder() as folder:
        yield folder


def test_another_user_cannot_reach_the_file_of_the_lines(halfway: Simulator, reachable: Path) -> None:
    """It has no name any more once the module has it open, and until then one in a folder of this user's alone."""
    image = reachable / "large.iso"
    image.touch()
    os.truncate(image, LARGE)
    place = Place(reachable, halfway)
    playing = play(place, place.playbook(publication(image, HOSTS[0], progress_interval=1)))
    assert in_mid_transfer(playing), playing.output
    opened = [entry for entry in Path(f"/proc/{Victim(place, playing).module.pid}/fd").iterdir() if entry.exists()]
    (file,) = [entry for entry in opened if "/progress-" in os.readlink(entry)]
    assert os.readlink(file).endswith(" (deleted)")
    assert file.stat().st_mode & 0o777 == 0o600
    folder = Path(os.readlink(file)).parent
    for above in folder.parents[: len(folder.relative_to(reachable).parts)]:
        # Whatever the folders of a user let through.
        above.chmod(0o755)
    run_as_nobody(
        'ls "$ABOVE"; ! ls "$FOLDER"; ! cat "$FILE"; ! echo forged >> "$FILE"',
        Path("/"),
        ABOVE=str(folder.parent),
        FOLDER=str(folder),
        FILE=str(file),
    )
    halfway.release()
    assert playing.wait() == 0, playing.output
