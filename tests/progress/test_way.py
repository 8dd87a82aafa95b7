# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way a module goes: a fork of the worker only where nothing speaks against it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import pytest

from ansible_collections.vsphere.content.plugins.plugin_utils._core import TESTED_CORES, running_core
from ansible_collections.vsphere.content.plugins.plugin_utils._way import (
    LOCAL,
    RULES,
    SHELL,
    SHELL_PROGRAM,
    Circumstances,
    why_own_process,
)
from tests.harness.checkout import ROOT, collections_root
from tools.environment import check_environment

PYTHON = "/opt/venv/bin/python"
#: A task of localhost, in a job whose operator has set something.
USUAL = Circumstances(
    wanted=True,
    defect="",
    system="linux",
    core=running_core(),
    asynchronous=False,
    connection=LOCAL,
    shell=SHELL,
    shell_program=SHELL_PROGRAM,
    interpreter=PYTHON,
    python=PYTHON,
    becomes=False,
    keeps_files=False,
    limits_files=False,
    logs_keys=False,
    variables={"VMWARE_ALLOWED_HOSTS"},
    threads=(),
)
HARMLESS: list[dict[str, Any]] = [
    {},
    *({"core": core} for core in TESTED_CORES),
    {"variables": ()},
    {"variables": ("VMWARE_HOST", "VSPHERE_CONTENT_PROGRESS_INTERVAL", "https_proxy", "HTTP_PROXY", "no_proxy")},
    {"threads": ("QueueFeederThread",)},
]
DOUBTS: list[tuple[dict[str, Any], str]] = [
    ({"wanted": False}, "setting in_worker is off"),
    ({"defect": "ModuleNotFoundError: no yaml"}, "cannot import the module: ModuleNotFoundError: no yaml"),
    ({"system": "darwin"}, "no Linux"),
    ({"system": "freebsd14"}, "no Linux"),
    ({"system": ""}, "no /proc"),
    ({"core": "2.14"}, "ansible-core 2.14 is not tested"),
    ({"core": "2.16"}, "ansible-core 2.16 is not tested"),
    ({"core": "2.22"}, "ansible-core 2.22 is not tested"),
    ({"asynchronous": True}, "asynchronous"),
    ({"connection": "plugins/connection/ssh.py"}, "connection is not Ansible's own local one"),
    ({"connection": "../../../mitogen/connection/local.py"}, "connection is not Ansible's own local one"),
    ({"shell": "plugins/shell/powershell.py"}, "shell is not /bin/sh"),
    ({"shell_program": "/bin/bash"}, "shell is not /bin/sh"),
    ({"shell_program": ""}, "shell is not /bin/sh"),
    ({"interpreter": "auto"}, "ansible_python_interpreter is 'auto'"),
    ({"interpreter": ""}, "ansible_python_interpreter is ''"),
    ({"interpreter": "/opt/venv/bin/python3"}, "ansible_python_interpreter is '/opt/venv/bin/python3'"),
    ({"interpreter": f"{PYTHON} -E"}, "-E'"),
    ({"becomes": True}, "becomes another user"),
    ({"keeps_files": True}, "keep the files"),
    ({"limits_files": True}, "limit the open files"),
    ({"logs_keys": True}, "SSLKEYLOGFILE"),
    ({"variables": ("VMWARE_HOST", "PYTHONPATH")}, "variables that programs may read when they start"),
    ({"variables": ("LC_ALL",)}, "variables that programs may read when they start"),
    ({"variables": ("MY_VMWARE_HOST",)}, "variables that programs may read when they start"),
    ({"variables": ("VMWARE_HOST\nLD_PRELOAD",)}, "variables that programs may read when they start"),
    ({"threads": ("QueueFeederThread", "Thread-1")}, "another thread"),
]


@pytest.mark.parametrize("changes", HARMLESS, ids=str)
def test_a_module_runs_in_a_fork_where_nothing_speaks_against_it(changes: dict[str, Any]) -> None:
    assert why_own_process(replace(USUAL, **changes)) is None


@pytest.mark.parametrize(("changes", "reason"), DOUBTS, ids=str)
def test_a_doubt_means_a_process_of_its_own(changes: dict[str, Any], reason: str) -> None:
    assert reason in str(why_own_process(replace(USUAL, **changes)))


def test_each_rule_and_each_circumstance_is_tried() -> None:
    seen = [replace(USUAL, **changes) for changes, _reason in DOUBTS]
    assert [rule.reason for rule in RULES if not any(rule.holds(each) for each in seen)] == []
    varied = {name for changes, _reason in DOUBTS for name in changes}
    assert varied | {"python"} == {field.name for field in fields(Circumstances)}


def test_only_releases_of_ansible_core_count_that_these_tests_run_with() -> None:
    pinned = {
        found[1]
        for path in (ROOT / "requirements").glob("*.txt")
        for found in re.finditer(r"^ansible-core==(\d+\.\d+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert pinned == set(TESTED_CORES)


PROBE = """
import os, sys
from ansible_collections.vsphere.content.plugins.plugin_utils._in_worker import import_module
made = import_module(f"x.{sys.argv[1]}")
utils = {name.rpartition(".")[2] for name in sys.modules if ".module_utils._" in name}
print(made.main is not None, made.defect or "none", os.environ.get("SSLKEYLOGFILE"), "requests" in sys.modules)
print(set(sys.argv[2:]) <= utils)
"""


@pytest.mark.parametrize(
    ("name", "env", "said"),
    [
        ("content_library_item", {}, "True none /dev/null True"),
        ("missing", {}, "False ModuleNotFoundError: "),
        ("content_library_item", {"VSPHERE_CONTENT_IN_WORKER": "false"}, "False it was told not to /dev/null False"),
    ],
)
def test_a_module_is_imported_without_harm_to_the_job(name: str, env: dict[str, str], said: str) -> None:
    """The environment stays as it is, nothing is raised, and nothing is loaded in vain."""
    place = {"PYTHONPATH": str(collections_root()), "SSLKEYLOGFILE": "/dev/null"}
    utils = {path.stem for path in (ROOT / "plugins" / "module_utils").glob("**/*.py")}
    command = [sys.executable, "-c", PROBE, name, *utils]
    ran = subprocess.run(
        command, env={**check_environment(os.environ), **place, **env}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(said)
    assert ran.stdout.endswith(f"{said.startswith('True')}\n"), (
        "a fork would import the rest from files that may change"
    )
    assert not ran.stderr
