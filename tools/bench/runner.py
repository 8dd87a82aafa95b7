# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks as ansible-runner runs them, with the durations that it reports."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.modules import Server
from tools.bench.bench import Bench, BenchError, run, server_environment

# To compare with: what Ansible and the import of requests cost, whatever a task then does.
IMPORTS_REQUESTS = """\
from ansible.module_utils.basic import AnsibleModule
import requests

AnsibleModule({}).exit_json(changed=False, version=requests.__version__)
"""


@dataclass(frozen=True)
class TaskRun:
    name: str
    seconds: float
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Runner:
    """A project that ansible-runner runs plays in."""

    folder: Path
    env: Mapping[str, str] = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def play(self, tasks: Sequence[Mapping[str, Any]]) -> list[TaskRun]:
        """Run tasks on localhost in one play. Raises BenchError if one fails."""
        number = next(self._numbers)
        play = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
        (self.folder / "project" / "play.yml").write_text(json.dumps([play]))
        command = [str(Path(sys.prefix, "bin", "ansible-runner")), "run", str(self.folder)]
        run([*command, "--playbook", "play.yml", "--ident", str(number), "--quiet"], self.env)
        found = list(self._runs(number))
        if len(found) != len(tasks):
            raise BenchError(f"{len(tasks)} tasks were to be run, and {len(found)} have ended well")
        return found

    def _runs(self, number: int) -> Iterator[TaskRun]:
        events = (self.folder / "artifacts" / str(number) / "job_events").glob("*.json")
        for event in sorted((json.loads(path.read_text()) for path in events), key=lambda event: event["counter"]):
            if event["event"] == "runner_on_ok":
                data = event["event_data"]
                yield TaskRun(data["task"], data["duration"], data["res"])


@contextmanager
def running(bench: Bench, server: Server) -> Iterator[Runner]:
    """A runner whose tasks are told by the environment where the server is."""
    with tempfile.TemporaryDirectory(dir=bench.scratch, prefix="runner-") as folder:
        library = Path(folder, "project", "library")
        library.mkdir(parents=True)
        (library / "imports_requests.py").write_text(IMPORTS_REQUESTS)
        quiet = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false"}
        yield Runner(Path(folder), {**server_environment(server, bench.env), **quiet})
