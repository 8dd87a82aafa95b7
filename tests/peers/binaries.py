# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds vcsim and govc into .cache/peers: ``python -m tests.peers.binaries``."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.harness.checkout import CACHE

MODULE = Path(__file__).resolve().parent
FOLDER = CACHE / "peers"
PEERS = ("govc", "vcsim")
#: No witness of anything: only what clients are measured against.
YARDSTICK = "sink"
#: What reads the workflows of GitHub.
LINTER = "actionlint"
GO_FOLDERS = (Path("/usr/local/go/bin"), Path("/usr/lib/go/bin"))


class Unavailable(Exception):
    """What is needed to build is not on this machine, or out of its reach."""


def build(*programs: str, optimized: bool = False) -> Path:
    """Build what has changed of the peers, or of the programs given; returns their folder. Raises Unavailable.

    Only what is measured is optimized: it takes half as long again to compile.
    """
    go = find_go()
    folder = FOLDER / "optimized" if optimized else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    # Test processes that run side by side would write the same files.
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetched = _run(go, "mod", "download")
        if fetched.returncode:
            raise Unavailable(f"the modules cannot be fetched: {_last_line(fetched.stderr)}")
        packages = [f"./cmd/{program}" for program in programs or PEERS]
        flags = () if optimized else ("-gcflags=all=-N -l",)
        built = _run(go, "build", "-trimpath", *flags, "-o", f"{folder}{os.sep}", *packages)
        if built.returncode:
            raise RuntimeError(f"the peers cannot be built:\n{built.stderr}")
    return folder


def find_go() -> str:
    found = shutil.which("go", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, GO_FOLDERS)]))
    if not found:
        raise Unavailable("Go is not installed; https://go.dev/dl has it")
    return found


def _run(go: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "GOCACHE": str(CACHE / "go" / "build"),
        "GOMODCACHE": str(CACHE / "go" / "mod"),
        # Otherwise the modules are read-only, and the scratch folder cannot be removed.
        "GOFLAGS": "-modcacherw",
    }
    return subprocess.run(
        [go, *arguments], cwd=MODULE, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )


def _last_line(text: str) -> str:
    return next(iter(reversed(text.strip().splitlines())), "no reason given")


def main() -> int:
    try:
        print(build())
    except (Unavailable, RuntimeError) as error:
        print(f"peers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
