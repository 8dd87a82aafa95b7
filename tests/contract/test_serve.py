# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator that is a process of its own writes down what is against the description."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import requests

from tests.contract.undescribed import OURS
from tests.harness.checkout import ROOT


def test_what_is_against_the_description_is_written_down(tmp_path: Path) -> None:
    violations = tmp_path / "violations"
    command = [sys.executable, "-m", "tests.contract.serve", str(violations), "--dialect", "api"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        written = []
        for query in ("", "?colour=red"):
            url = f"https://{ready['hostname']}:{ready['port']}/api/session{query}"
            requests.get(url, verify=ready["ca_path"], headers={"User-Agent": OURS}, timeout=30)
            written.append(violations.read_text(encoding="utf-8"))
        process.terminate()
    assert process.returncode == 0
    said = "GET /api/session?colour=red -> 401: the query parameter colour is not described\n"
    assert written == ["", said]
