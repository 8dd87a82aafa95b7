# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine and the versions behind the figures."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from tests.harness.checkout import ROOT
from tests.peers.binaries import find_go
from tools.bench.bench import run

PACKAGES = ("ansible-core", "ansible-runner", "requests", "urllib3", "aiohttp")


def facts(env: Mapping[str, str]) -> dict[str, str]:
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    govmomi = re.search(r"github\.com/vmware/govmomi (v\S+)", (ROOT / "tests/peers/go.mod").read_text())
    return {
        "measured": now(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()} "
        f"{platform.release()}",
        "Python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "packages": packages,
        "peers": f"{run(['curl', '--version'], env).splitlines()[0]}; govmomi {govmomi.group(1) if govmomi else ''}, "
        f"{run([find_go(), 'version'], env).strip()}",
    }


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
