# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vcsim and govc as processes."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.harness.modules import Server

SECONDS = 60


@dataclass(frozen=True)
class Vcsim:
    """What vcsim says of itself when it is ready."""

    hostname: str
    port: int
    username: str
    password: str
    ca_path: str
    pid: int


@contextmanager
def run_vcsim(folder: Path, seconds: float = SECONDS) -> Iterator[Vcsim]:
    """Run vcsim until the block ends; it also ends by itself when this process goes away, as its input then ends.

    It has so many seconds to start and to stop. What it logs goes to a file: a pipe that nobody reads would fill up.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
        subprocess.Popen(
            [str(folder / "vcsim")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            line = _first_line(process, seconds)
            if not line:
                log.seek(0)
                raise AssertionError(f"vcsim did not start: {log.read()}")
            yield Vcsim(**json.loads(line))
        finally:
            _stop(process, seconds)


def _first_line(process: subprocess.Popen[str], seconds: float) -> str:
    """What a process says first, empty if it ends or is still silent after so many seconds."""
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    alarm = threading.Timer(seconds, process.kill)
    alarm.start()
    try:
        return process.stdout.readline()
    finally:
        alarm.cancel()


def _stop(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


class GovcError(Exception):
    """What govc wrote to stderr."""


@dataclass(frozen=True)
class Govc:
    """govc, logged in to a server; each command is a process and a login of its own."""

    folder: Path
    server: Server
    home: Path

    def __call__(self, *arguments: str) -> str:
        server = self.server
        credentials = f"{quote(server.username, safe='')}:{quote(server.password, safe='')}"
        ran = subprocess.run(
            [str(self.folder / "govc"), *arguments],
            env={
                "HOME": str(self.home),
                "GOVC_URL": f"https://{credentials}@{server.hostname}:{server.port}/sdk",
                "GOVC_TLS_CA_CERTS": str(server.ca_path),
                "GOVC_PERSIST_SESSION": "false",
                # library.probe is one of the commands that govc hides.
                "GOVC_SHOW_UNRELEASED": "true",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if ran.returncode:
            raise GovcError(ran.stderr)
        return ran.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments[:1], "-json", *arguments[1:]))
