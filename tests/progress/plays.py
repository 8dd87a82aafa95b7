# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays as people start them, in a pipe or in a terminal: what they print and when, and what is left of them."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.harness.modules import Server
from tools.environment import check_environment
from tools.sanity import OLDEST, works
from tools.supported import (
    AWX_PYTHON,
    AWX_REQUIREMENTS,
    DEMO_REQUIREMENTS,
    REQUIREMENTS,
    WHOLE,
    provide,
    running_python,
)

SECONDS = 240.0
MARK = "PROGRESS_TEST"
PLUGINS = Path(__file__).parent / "ansible_plugins"

UPDATE = "vsphere.content.content_library_update_session"


@dataclass
class Place:
    """A home folder of a play's own, and the connection to a server that its tasks get from the environment."""

    folder: Path
    server: Server
    settings: Mapping[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def env(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {
            **check_environment(os.environ),
            "HOME": str(home),
            "ANSIBLE_HOME": str(home / ".ansible"),
            "ANSIBLE_ASYNC_DIR": str(home / ".ansible_async"),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote_tmp"),
            "ANSIBLE_INVENTORY": str(self.inventory()),
            "ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS / "connection"),
            "ANSIBLE_BECOME_PLUGINS": str(PLUGINS / "become"),
            "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callback"),
            "ANSIBLE_ACTION_PLUGINS": str(PLUGINS / "action"),
            "ANSIBLE_LIBRARY": str(PLUGINS / "library"),
            "VMWARE_HOST": self.server.hostname,
            "VMWARE_PORT": str(self.server.port),
            "VMWARE_USER": self.server.username,
            "VMWARE_PASSWORD": self.server.password,
            MARK: self.mark,
            **self.settings,
        }

    def inventory(self, hosts: Sequence[str] = ()) -> Path:
        path = self.folder / "hosts.json"
        if hosts or not path.exists():
            named = {host: {"ansible_connection": "local"} for host in hosts or ["localhost"]}
            shared = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
            path.write_text(json.dumps({"all": {"hosts": named, "vars": shared}}), encoding="utf-8")
        return path

    def playbook(self, *tasks: Mapping[str, Any], **play: Any) -> Path:
        path = self.folder / "play.yml"
        defaults = {"group/vsphere.content.vcenter": {"ca_path": self.server.ca_path}}
        plays = [{"hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": list(tasks), **play}]
        path.write_text(json.dumps(plays), encoding="utf-8")
        return path

    @property
    def files(self) -> list[str]:
        """What is left in the folders that Ansible writes to."""
        roots = (self.folder / "home", self.folder / "remote_tmp")
        return [str(path.relative_to(self.folder)) for root in roots for path in root.rglob("*") if path.is_file()]

    @property
    def processes(self) -> list[Process]:
        return marked(self.mark)


@dataclass(frozen=True)
class Process:
    pid: int

    def has(self, name: str, value: str) -> bool:
        return f"{name}={value}".encode() in self._read("environ").split(b"\0")

    @property
    def parent(self) -> int:
        stat = self._read("stat").rpartition(b")")[2].split()
        return int(stat[1]) if stat else 0

    @property
    def is_dead(self) -> bool:
        stat = self._read("stat").rpartition(b")")[2].split()
        return not stat or stat[0] in (b"Z", b"X")

    @property
    def command(self) -> str:
        return self._read("cmdline").replace(b"\0", b" ").decode("utf-8", "replace")

    def _read(self, name: str) -> bytes:
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/{name}").read_bytes()
        return b""


def processes() -> Iterator[Process]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and not (process := Process(int(path.name))).is_dead:
            yield process


def marked(mark: str) -> list[Process]:
    """What runs of a place's plays."""
    return [process for process in processes() if process.has(MARK, mark)]


class Playing:
    """A command whose output is taken as it comes, line by line with the time of each."""

    started: ClassVar[list[Playing]] = []

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, terminal: bool = False) -> None:
        source, sink = pty.openpty() if terminal else os.pipe()
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
        os.close(sink)
        self._mark = env[MARK]
        self._source = source
        self._lines: list[tuple[float, str]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.started.append(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        return [text for _time, text in list(self._lines)]

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def time_of(self, text: str) -> float:
        return next(moment for moment, line in self._lines if text in line)

    def wait(self, seconds: float = SECONDS) -> int:
        """The exit code. Raises AssertionError for a command that takes longer, which may hang for good."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds:.0f} seconds:\n{self.output}") from None
        self._reader.join(seconds)
        return code

    def kill(self) -> None:
        """End the command and all that it has started, also in sessions of its own."""
        for process in marked(self._mark):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self._process.wait()

    def _read(self) -> None:
        rest = b""
        # A terminal answers with an error once nobody has it open for writing.
        with suppress(OSError):
            while block := os.read(self._source, 1 << 16):
                *whole, rest = (rest + block).split(b"\n")
                now = time.monotonic()
                self._lines += [(now, line.decode("utf-8", "replace").rstrip("\r")) for line in whole]
        os.close(self._source)
        if rest:
            self._lines.append((time.monotonic(), rest.decode("utf-8", "replace")))


def play(place: Place, playbook: Path, *options: str, **more: Any) -> Playing:
    return Playing(["ansible-playbook", str(playbook), *options], place.env, **more)


#: How modules run: in a fork of the worker where they can, or always in a process of their own.
MODULE_WAYS: Mapping[str, Mapping[str, str]] = {"fork": {}, "process": {"VSPHERE_CONTENT_IN_WORKER": "false"}}


def module_ways() -> list[Any]:
    """Parameters of pytest for both ways of modules; before the night there is the usual one."""
    return [pytest.param(way, marks=() if way == "fork" else pytest.mark.night) for way in MODULE_WAYS]


# Whose programs play: those of the tests' own environment, of the oldest ansible-core, of AWX, or of the first
# ansible-core in which modules and the controller write data by profiles.
KITS = {
    "newest": None,
    "oldest": (OLDEST, REQUIREMENTS),
    "awx": (AWX_PYTHON, AWX_REQUIREMENTS),
    "2.19": (AWX_PYTHON, DEMO_REQUIREMENTS),
}
USUAL_KITS = ("newest", "oldest", "awx")
#: A night plays with each strategy.
STRATEGIES = ["linear", *(["free", "host_pinned"] if WHOLE else [])]


def whole_kit() -> str:
    """The kit of which all is tried, if any."""
    return {"": "", OLDEST: "oldest", running_python(): "newest"}.get(WHOLE, WHOLE)


def kits(*names: str) -> list[Any]:
    """Parameters of pytest for these kits or the usual ones, and for the whole one; a push has the newest."""
    wanted = dict.fromkeys([*(names or USUAL_KITS), *filter(None, [whole_kit()])])
    return [pytest.param(name, marks=() if name == "newest" else pytest.mark.rest) for name in wanted]


def settings_of(kit: str) -> dict[str, str]:
    """What a place needs to play with the programs of a kit; the test is skipped where its Python is missing."""
    wanted = KITS.get(kit, (kit, REQUIREMENTS))
    if not wanted:
        return {}
    env = check_environment(os.environ)
    version, requirements = wanted
    if not works(version, env):
        pytest.skip(f"Python {version} is not installed")
    programs = provide(version, env, requirements).parent
    return {"PATH": os.pathsep.join((str(programs), env["PATH"]))}


def runner_folder(place: Place, playbook: Path) -> Path:
    """A private data directory that ansible-runner takes."""
    folder = place.folder / "runner"
    for name in ("project", "inventory", "env"):
        (folder / name).mkdir(parents=True)
    shutil.copy(playbook, folder / "project" / "play.yml")
    shutil.copy(place.inventory(), folder / "inventory" / "hosts.json")
    return folder


def play_by_runner(place: Place, playbook: Path) -> tuple[Playing, Path]:
    """A job of ansible-runner, and the directory that its events are in."""
    folder = runner_folder(place, playbook)
    options = ["run", str(folder), "--playbook", "play.yml", "--ident", "job"]
    return Playing(["ansible-runner", *options], place.env), folder


def play_as_awx_does(place: Place, playbook: Path) -> tuple[Playing, Path]:
    """A job of ansible-runner in three parts, and the directory that its events are in."""
    folder = runner_folder(place, playbook)
    script = (
        f"ansible-runner transmit {folder} --playbook play.yml --ident job"
        f" | ansible-runner worker --private-data-dir {place.folder}/worker"
        f" | ansible-runner process {place.folder}/processed --ident job"
    )
    return Playing(["bash", "-o", "pipefail", "-c", script], place.env), place.folder / "processed"


def publication(path: Path, item: str = "tools", **options: Any) -> dict[str, Any]:
    """A task that publishes an image."""
    own = {name: value for name, value in options.items() if name.startswith("progress_")}
    rest = {name: value for name, value in options.items() if name not in own}
    declared = {"library": "templates", "library_item": item, "state": "done", "files": [{"src": str(path)}]}
    return {"name": f"Publish {item}", UPDATE: {**declared, **own}, **rest}
