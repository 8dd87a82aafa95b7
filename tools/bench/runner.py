# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks by ansible-runner, with the durations that it reports."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.harness.modules import Server
from tools.bench.bench import Bench, BenchError, run, server_environment
from tools.usage import counted

# The yardstick: a task that only imports requests costs this much in any case.
IMPORTS_REQUESTS = """\
from ansible.module_utils.basic import AnsibleModule
import requests

AnsibleModule({}).exit_json(changed=False, version=requests.__version__)
"""

# The group of all hosts of a play.
MANY = "many"
FORKS = 20


@dataclass(frozen=True)
class TaskRun:
    name: str
    seconds: float
    result: Mapping[str, Any]


@dataclass(frozen=True)
class JobRun:
    """A job, from the start of ansible-runner to its end, with the CPU seconds of all its processes."""

    seconds: float
    cpu: float
    changed: int


@dataclass(frozen=True)
class Runner:
    """A project that ansible-runner runs plays in."""

    folder: Path
    env: Mapping[str, str] = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def play(self, tasks: Sequence[Mapping[str, Any]]) -> list[TaskRun]:
        """Run tasks on localhost in one play. Raises BenchError if one fails."""
        number = self._run({"hosts": "localhost", "tasks": list(tasks)})
        found = list(self._runs(number))
        if len(found) != len(tasks):
            raise BenchError(f"{len(tasks)} tasks were to be run, and {len(found)} have ended well")
        return found

    def play_on(self, hosts: Sequence[str], tasks: Sequence[Mapping[str, Any]]) -> list[float]:
        """Run each task on all hosts at once; returns the seconds of each task. Raises BenchError if one fails."""
        self._list_hosts(hosts)
        number = self._run({"hosts": MANY, "tasks": list(tasks)}, "--forks", str(FORKS))
        if len(list(self._runs(number))) != len(tasks) * len(hosts):
            raise BenchError("a task has not ended well on each host")
        ends = ("playbook_on_task_start", "playbook_on_stats")
        times = [datetime.fromisoformat(each["created"]) for each in self._events(number) if each["event"] in ends]
        return [(end - start).total_seconds() for start, end in zip(times, times[1:])]

    def role_on(self, hosts: Sequence[str], role: str, variables: Mapping[str, Any]) -> JobRun:
        """Run a role of this collection on all hosts in a job of its own. Raises BenchError if it fails for one."""
        self._list_hosts(hosts)
        play = {"hosts": MANY, "roles": [f"vsphere.content.{role}"], "vars": dict(variables)}
        began = time.perf_counter()
        number, cpu = counted(lambda: self._run(play, "--forks", str(FORKS)))
        seconds = time.perf_counter() - began
        [stats] = [event["event_data"] for event in self._events(number) if event["event"] == "playbook_on_stats"]
        if set(stats["ok"]) != set(hosts):
            raise BenchError(f"the role {role} has not run on each host")
        return JobRun(seconds, cpu, len(stats["changed"]))

    def _list_hosts(self, hosts: Sequence[str]) -> None:
        inventory = self.folder / "inventory" / "hosts.json"
        inventory.parent.mkdir(exist_ok=True)
        own_python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_connection": "local"}
        inventory.write_text(json.dumps({MANY: {"hosts": dict.fromkeys(hosts), "vars": own_python}}))

    def _run(self, play: Mapping[str, Any], *options: str) -> int:
        number = next(self._numbers)
        (self.folder / "project" / "play.yml").write_text(json.dumps([{**play, "gather_facts": False}]))
        command = [str(Path(sys.prefix, "bin", "ansible-runner")), "run", str(self.folder)]
        run([*command, "--playbook", "play.yml", "--ident", str(number), "--quiet", *options], self.env)
        return number

    def _runs(self, number: int) -> Iterator[TaskRun]:
        for event in self._events(number):
            if event["event"] == "runner_on_ok":
                data = event["event_data"]
                yield TaskRun(data["task"], data["duration"], data["res"])

    def _events(self, number: int) -> list[dict[str, Any]]:
        events = (self.folder / "artifacts" / str(number) / "job_events").glob("*.json")
        return sorted((json.loads(path.read_text()) for path in events), key=lambda event: int(event["counter"]))


def vcenters(number: int) -> list[str]:
    """The names of the hosts of a play."""
    return [f"vcenter{index:03}" for index in range(1, number + 1)]


@contextmanager
def running(bench: Bench, server: Server, collections: Path | None = None) -> Iterator[Runner]:
    """A runner whose tasks find the server by the environment; `collections` is where another commit's are."""
    with tempfile.TemporaryDirectory(dir=bench.scratch, prefix="runner-") as folder:
        library = Path(folder, "project", "library")
        library.mkdir(parents=True)
        (library / "imports_requests.py").write_text(IMPORTS_REQUESTS)
        others = {"ANSIBLE_COLLECTIONS_PATH": str(collections)} if collections else {}
        quiet = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false"}
        yield Runner(Path(folder), {**server_environment(server, bench.env), **others, **quiet})
