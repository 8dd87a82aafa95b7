# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all rows share: the scratch folder, the programs, and the servers that they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.checkout import ROOT, collections_root
from tests.harness.modules import MODULES, Server, connection_args
from tools.bench.scale import MIB, Scale

STOP_SECONDS = 30


class BenchError(Exception):
    """Something that the benchmark measures did not work."""


def run(command: Sequence[str], env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """Run a command and return its output. Raises BenchError."""
    ran = subprocess.run(command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise BenchError(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


@contextmanager
def serving(*command: str) -> Iterator[dict[str, Any]]:
    """Run a server that prints a line of JSON when it is ready and stops on SIGTERM."""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise BenchError(f"{' '.join(command)} did not start")
            yield json.loads(line)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)


@dataclass(frozen=True)
class Endpoint:
    """A server, with the values for the connection options."""

    hostname: str
    port: int
    ca_path: str
    username: str = ""
    password: str = ""


@contextmanager
def simulator(*options: str) -> Iterator[Endpoint]:
    with serving(sys.executable, "-m", "tests.simulator", *options) as ready:
        ready.pop("pid")
        yield Endpoint(**ready)


def server_environment(server: Server, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that name a server for a task or our worker, so that no command line has the password."""
    return {
        **env,
        "VMWARE_HOST": server.hostname,
        "VMWARE_PORT": str(server.port),
        "VMWARE_USER": server.username,
        "VMWARE_PASSWORD": server.password,
        "VMWARE_CA_PATH": str(server.ca_path),
    }


@dataclass(frozen=True)
class Memory:
    """The memory of a process in MiB: right before the module runs, and at its peak."""

    idle: float
    peak: float


@dataclass(frozen=True)
class Bench:
    """Where to measure; `programs` is the folder of the Go programs, `env` what child processes see."""

    scale: Scale
    scratch: Path
    programs: Path
    env: Mapping[str, str] = field(repr=False)

    def random_file(self, name: str, size: int) -> Path:
        """A file of this size, written once, so that later reads come from memory."""
        path = self.scratch / name
        if not path.exists():
            block = os.urandom(min(size, MIB))
            with path.open("wb") as file:
                for start in range(0, size, len(block)):
                    file.write(block[: size - start])
        return path

    def worker(self, command: str, server: Endpoint, *options: str) -> Any:
        """Run our worker in a separate process; returns what it measured."""
        place = ("--hostname", server.hostname, "--port", str(server.port), "--ca", server.ca_path)
        env = self._importing(server_environment(server, self.env))
        return json.loads(run([sys.executable, "-m", "tools.bench.worker", command, *place, *options], env))

    def memory(
        self, way: str, module: str, server: Server, options: Mapping[str, Any]
    ) -> tuple[Memory, dict[str, Any]]:
        """The memory of the process that a module runs in, and its result; `way` is a command of our worker."""
        path = self.scratch / "memory"
        command = [sys.executable, "-m", "tools.bench.worker", way, "--module", module, "--path", str(path)]
        result = self._run_module(command, server, options)
        return Memory(**{name: kib / 1024 for name, kib in json.loads(path.read_text()).items()}), result

    def module(self, module: str, server: Server, options: Mapping[str, Any]) -> dict[str, Any]:
        """Run a module in a process, as a task would."""
        return self._run_module([sys.executable, "-m", f"{MODULES}.{module}"], server, options)

    def _importing(self, env: Mapping[str, str]) -> dict[str, str]:
        return {**env, "PYTHONPATH": str(collections_root())}

    def _run_module(self, command: Sequence[str], server: Server, options: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {
            **connection_args(server),
            **options,
            "_ansible_remote_tmp": str(self.scratch),
            "_ansible_diff": False,
        }
        output = run(command, self._importing(self.env), json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        result: dict[str, Any] = json.loads(output)
        return result
