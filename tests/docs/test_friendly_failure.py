# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people see who have not got as far as a vCenter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import modules, sections
from tests.harness.checkout import ROOT
from tests.harness.modules import ModuleResult, run_module_process
from tests.harness.servers import unused_port

CONNECTION = {"hostname": "127.0.0.1", "username": "publisher@vsphere.local", "password": "Canary-7f3kQ2"}
NAMED = {"library": "templates", "library_item": "tools"}
OPTIONS = {
    "content_library_item": {"library": "templates", "name": "tools"},
    "content_library_download_session": NAMED,
    "content_library_session_info": {},
    "content_library_update_session": NAMED,
}


def run(path: Path) -> ModuleResult:
    found = run_module_process(path.stem, {**CONNECTION, **OPTIONS[path.stem], "port": unused_port()})
    assert found.result["failed"], found.result
    assert "Traceback" not in found.stderr + found.result["msg"]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_without_requests_a_module_says_what_to_install(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requests.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = run(path).result["msg"]
    assert said.startswith("Failed to import the required Python library (requests) on ")
    page = (ROOT / "docs" / "docsite" / "rst" / "troubleshooting.rst").read_text(encoding="utf-8")
    assert said.split(" on ")[0] in sections(page, "-")["Before the first request"]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_an_unreachable_host_is_named_with_what_to_check(path: Path) -> None:
    found = run(path)
    assert found.result["error"]["type"] == "CONNECTION_FAILED"
    assert f"no connection to {CONNECTION['hostname']}:" in found.result["msg"]
    assert "Check hostname, port and the proxy options" in found.result["msg"]
