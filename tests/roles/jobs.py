# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: the example project in a private data directory, by ansible-runner, read from its events."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.checkout import ROOT
from tests.harness.modules import Server
from tools.environment import check_environment

PROJECT = ROOT / "awx" / "project"
SECONDS = 3600
VERDICTS = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_skipped": "skipped"}


class AwxDumper(yaml.SafeDumper):
    """Writes as AWX does what somebody has entered: each text is marked, so that no template in it counts."""


AwxDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text, style="'"))


@dataclass(frozen=True)
class Task:
    """How a task ended on a host; a loop's items are tasks of their own, its sum is left out."""

    name: str
    module: str
    host: str
    verdict: str
    result: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))


@dataclass(frozen=True)
class Job:
    """A finished job: what its private data directory holds."""

    directory: Path
    status: str
    rc: int
    events: tuple[Mapping[str, Any], ...]

    @property
    def stdout(self) -> str:
        return "\n".join(str(event.get("stdout", "")) for event in self.events)

    @property
    def tasks(self) -> list[Task]:
        return list(_tasks(self.events))

    @property
    def stats(self) -> Mapping[str, Any]:
        """What the last event sums up: a dictionary of hosts for each of ok, changed, failures and so on."""
        return next(event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")

    @property
    def handed_over(self) -> Mapping[str, Any]:
        """What set_stats hands to the next node of a workflow."""
        data: Mapping[str, Any] = self.stats.get("artifact_data", {})
        return data

    @property
    def changed(self) -> list[str]:
        return [task.name for task in self.tasks if task.changed]

    def of(self, module: str) -> list[Task]:
        return [task for task in self.tasks if task.module == f"vsphere.content.{module}" and task.verdict != "skipped"]

    def succeeded(self) -> Job:
        assert (self.status, self.rc) == ("successful", 0), self.stdout
        return self

    def failed(self) -> Job:
        assert self.status == "failed", self.stdout
        assert "Traceback" not in self.stdout
        return self


def credential(server: Server) -> dict[str, str]:
    """The environment that AWX's built-in "VMware vCenter" credential injects, beside the simulator's own port."""
    return {
        "VMWARE_HOST": server.hostname,
        "VMWARE_USER": server.username,
        "VMWARE_PASSWORD": server.password,
        "VMWARE_PORT": str(server.port),
    }


def verified(env: Mapping[str, str], server: Server) -> dict[str, str]:
    """The same with what our credential type for a certificate authority injects."""
    return {**env, "VMWARE_CA_PATH": str(server.ca_path)}


def called(command: Sequence[str], settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A program of the checks' environment, or of the kit whose settings are given, once it has ended."""
    return subprocess.run(
        command,
        env={**check_environment(os.environ), **(settings or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def run_job(
    directory: Path,
    playbook: str,
    env: Mapping[str, str],
    extra_vars: Mapping[str, Any],
    *options: str,
    inventory: Mapping[str, Any] | None = None,
    template_vars: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Job:
    """Run a playbook of the example project by the programs of `settings`, and read what happened."""
    prepare(directory, env, extra_vars, inventory, template_vars, files)
    command = ["ansible-runner", "run", str(directory), "--playbook", playbook, "--ident", "job", "--quiet"]
    ran = called([*command, *command_line(options)], settings)
    assert (directory / "artifacts" / "job" / "status").exists(), ran.stdout + ran.stderr
    return read_job(directory)


def command_line(options: Sequence[str]) -> list[str]:
    return [f"--cmdline={' '.join(options)}"] if options else []


def prepare(
    directory: Path,
    env: Mapping[str, str],
    extra_vars: Mapping[str, Any],
    inventory: Mapping[str, Any] | None = None,
    template_vars: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """Lay out a private data directory as AWX does: project, environment, extra vars, inventory.

    `extra_vars` are what a user enters at the launch. `template_vars` stand in the job template: AWX trusts them.
    `files` are what somebody has added to the project.
    """
    shutil.copytree(PROJECT, directory / "project")
    for name, text in (files or {}).items():
        (directory / "project" / name).parent.mkdir(exist_ok=True)
        (directory / "project" / name).write_text(text, encoding="utf-8")
    for name in ("env", "inventory"):
        (directory / name).mkdir()
    (directory / "env" / "envvars").write_text(json.dumps(dict(env)), encoding="utf-8")
    entered = yaml.dump(dict(extra_vars), Dumper=AwxDumper) if extra_vars else ""
    trusted = yaml.safe_dump({name: value for name, value in (template_vars or {}).items() if name not in extra_vars})
    (directory / "env" / "extravars").write_text((trusted if template_vars else "") + entered or "{}", encoding="utf-8")
    hosts = inventory or {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    (directory / "inventory" / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")


def read_job(directory: Path) -> Job:
    artifacts = directory / "artifacts" / "job"
    files = sorted(artifacts.glob("job_events/*.json"), key=lambda path: int(path.name.partition("-")[0]))
    return Job(
        directory,
        (artifacts / "status").read_text(encoding="utf-8"),
        int((artifacts / "rc").read_text(encoding="utf-8")),
        tuple(json.loads(path.read_text(encoding="utf-8")) for path in files),
    )


def _tasks(events: Sequence[Mapping[str, Any]]) -> Iterator[Task]:
    for event in events:
        data = event.get("event_data", {})
        kind = event["event"].replace("runner_item_", "runner_")
        result = data.get("res", {})
        if kind in VERDICTS and "results" not in result:
            yield Task(data["task"], data["task_action"], data["host"], VERDICTS[kind], result)
