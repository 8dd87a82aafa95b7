# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people see who have not got as far as a vCenter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from ansible_collections.vsphere.content.plugins.module_utils._task.run import OLDEST_CORE
from tests.docs.pages import clients, programs, sections
from tests.harness.checkout import NAME, ROOT
from tests.harness.modules import ModuleResult, run_module, run_module_process
from tests.harness.servers import unused_port
from tools.environment import check_environment

CONNECTION = {"hostname": "127.0.0.1", "username": "publisher@vsphere.local", "password": "Canary-7f3kQ2"}
NAMED = {"library": "templates", "library_item": "tools"}
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "content_library_check": {},
    "content_library_item": {"library": "templates", "name": "tools"},
    "content_library_download_session": NAMED,
    "content_library_item_info": {},
    "content_library_retention": {"libraries": ["templates"], "pattern": "rocky9-*", "keep": 3},
    "content_library_session_info": {},
    "content_library_update_session": {**NAMED, "state": "active"},
}


#: The module that does not fail then: it says the same in a row of its result.
TELLS_IN_ROWS = "content_library_check"
NOTHING_KNOWN: dict[str, object] = {"status": None, "operation": None, "messages": [], "data": None, "session_id": None}


def options_of(path: Path) -> dict[str, object]:
    return {**CONNECTION, **OPTIONS[path.stem], "port": unused_port()} if path in clients() else {}


def run(path: Path, verbosity: int = 0) -> ModuleResult:
    found = run_module_process(path.stem, options_of(path), verbosity=verbosity)
    assert found.result["failed"], found.result
    assert "exception" not in found.result
    assert "Traceback" not in found.stderr + found.stdout
    return found


def page() -> str:
    return (ROOT / "docs" / "docsite" / "rst" / "troubleshooting.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize("verbosity", [0, 4])
@pytest.mark.parametrize("path", clients(), ids=lambda path: path.stem)
def test_without_requests_a_module_says_what_to_install(
    path: Path, verbosity: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requests.py").write_text("raise ImportError('urllib3 does not fit')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = run(path, verbosity)
    said = found.result["msg"]
    assert said.startswith("Failed to import the required Python library (requests) on ")
    assert "Python says: urllib3 does not fit." in said
    assert said.endswith(f"{sys.executable} -m pip install requests.")
    assert found.result["error"] == {**NOTHING_KNOWN, "type": "MISSING_REQUIREMENT"}
    assert said.split(" on ")[0] in sections(page(), "~")["MISSING_REQUIREMENT"]


@pytest.mark.parametrize(
    ("name", "version", "oldest"), [("requests", "2.27.1", "2.28"), ("urllib3", "1.26.8", "1.26.9")]
)
def test_with_an_old_library_a_module_says_what_to_upgrade(
    name: str, version: str, oldest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import {name}\n{name}.__version__ = '{version}'\n"
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = run(clients()[0])
    said = found.result["msg"]
    assert said.startswith(f"{name} {version} of ")
    assert f"Python {sys.executable} is too old: vsphere.content needs {name} {oldest} or later." in said
    assert said.endswith(f"{sys.executable} -m pip install --upgrade 'requests>=2.28' 'urllib3>=1.26.9'.")
    assert found.result["error"] == {**NOTHING_KNOWN, "type": "MISSING_REQUIREMENT"}


def test_an_ansible_core_that_is_not_supported_is_named(tmp_path: Path) -> None:
    """Ansible itself says so, by what the collection requires; here that is what nobody has yet."""
    copy = tmp_path.joinpath(*NAME)
    (copy / "meta").mkdir(parents=True)
    (copy / "plugins").symlink_to(ROOT / "plugins")
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    (copy / "meta" / "runtime.yml").write_text(
        yaml.safe_dump({**runtime, "requires_ansible": ">=99"}), encoding="utf-8"
    )
    ran = subprocess.run(
        [
            "ansible",
            "localhost",
            "-m",
            "vsphere.content.session_info",
            "-a",
            f"hostname=127.0.0.1 port={unused_port()}",
        ],
        env={**check_environment(os.environ), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    warning = "Collection vsphere.content does not support Ansible version "
    assert warning in " ".join((ran.stdout + ran.stderr).split())
    assert f"``{warning}...``" in sections(page(), "-")["Before the first request"]


def run_on_core(path: Path, version: str) -> list[str]:
    return run_module(path.stem, {**options_of(path), "_ansible_version": version}).warnings


@pytest.mark.parametrize("path", programs(), ids=lambda path: path.stem)
def test_a_module_says_what_to_do_about_an_ansible_core_that_is_too_old(path: Path) -> None:
    (said,) = run_on_core(path, "2.14.0")
    assert said == (
        "vsphere.content needs ansible-core 2.15 or later and this is 2.14.0. Update it where ansible-playbook runs: "
        "python -m pip install --upgrade 'ansible-core>=2.15'; in AWX choose a newer execution environment."
    )
    assert f"``{said.split(' and ')[0]} ...``" in sections(page(), "-")["Before the first request"]


@pytest.mark.parametrize(
    ("version", "is_told"),
    [
        ("1.9.6", True),
        ("2.9.27", True),
        ("2.14.0rc1", True),
        ("2.15.0b1", False),
        ("2.20.1", False),
        ("3.0.0", False),
        # As what runs a module without Ansible leaves it.
        ("0.0", False),
        ("unknown", False),
    ],
)
def test_only_an_ansible_core_that_is_too_old_is_told(version: str, is_told: bool) -> None:
    assert bool(run_on_core(clients()[0], version)) is is_told


def test_too_old_is_what_the_collection_does_not_support() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={'.'.join(map(str, OLDEST_CORE))}.0"


@pytest.mark.parametrize("path", [path for path in clients() if path.stem != TELLS_IN_ROWS], ids=lambda path: path.stem)
def test_an_unreachable_host_is_named_with_what_to_check(path: Path) -> None:
    found = run(path)
    assert found.result["error"]["type"] == "CONNECTION_FAILED"
    assert f"no connection to {CONNECTION['hostname']}:" in found.result["msg"]
    assert "Check hostname, port and the proxy options" in found.result["msg"]
