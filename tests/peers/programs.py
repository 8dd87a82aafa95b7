# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vcsim and govc as processes."""

from __future__ import annotations

import json
import subprocess
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
def run_vcsim(folder: Path) -> Iterator[Vcsim]:
    """Run vcsim until the block ends; it also ends by itself when this process goes away, as its input then ends."""
    with subprocess.Popen(
        [str(folder / "vcsim")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("all three are pipes")
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"vcsim did not start: {process.stderr.read()}")
        yield Vcsim(**json.loads(line))
        process.communicate(timeout=SECONDS)


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
