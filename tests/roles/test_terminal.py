# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks make of names that a vCenter keeps, with control characters or templates in them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.harness.checkout import ROOT
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import credential, verified
from tests.simulator import LibrarySeed, Seed, Simulator, Store
from tools.environment import check_environment
from tools.sanity import OLDEST, works
from tools.supported import provide

STEERING = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"
FORGING = "\nfailed: [localhost] (item=forged) => forged\r\x0b\u2028"
NAME = f"named-{STEERING}{FORGING}"
REASON = f"reason-{STEERING}{FORGING}"
#: All but the line breaks and tabulators of the output's own.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NEWEST = Path(sys.executable).parent
FORGED = re.compile("^failed: .*forged", re.MULTILINE)


def seed(sim: Simulator, name: str, reason: str) -> str:
    """An item that is called so, with a session of each kind that has failed; its file is, as is one of tools."""

    def change(store: Store) -> str:
        item = store.catalog.item(store.find_item_id("templates", "rocky9"))
        item.name = item.description = name
        for holder in (item.id, store.find_item_id("templates", "tools")):
            store.seed_item_files(holder, {name: b"content"})
        store.seed_update_session(item.id, state="ERROR", error_message=reason)
        store.seed_download_session(item.id, state="ERROR", error_message=reason)
        return item.id

    return sim.run(change)


def run_playbook(
    jobs: Jobs, playbook: str, variables: Mapping[str, Any], folder: Path, programs: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    """What ansible-playbook itself prints, of the ansible-core whose programs are in that folder."""
    extra_vars = folder / "variables.json"
    extra_vars.write_text(json.dumps(variables), encoding="utf-8")
    options = ["-vv", "--diff", "-i", "localhost,", "-e", f"@{extra_vars}"]
    return subprocess.run(
        [str(programs / "ansible-playbook"), *options, f"awx/project/{playbook}"],
        cwd=ROOT,
        env={**check_environment(os.environ), **verified(credential(jobs.sim), jobs.sim), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def sessions(_item_id: str, _images: Images, _dest: Path) -> dict[str, Any]:
    return {}


def fetch(item_id: str, _images: Images, dest: Path) -> dict[str, Any]:
    return {"fetch_library_item_id": item_id, "fetch_dest": str(dest)}


def retain(_item_id: str, _images: Images, _dest: Path) -> dict[str, Any]:
    return {"retain_libraries": ["templates"], "retain_items": "*", "retain_keep": 1}


def publish(_item_id: str, images: Images, _dest: Path) -> dict[str, Any]:
    """To an item of which all else is then removed, so that a diff shows it."""
    return {
        "publish_items": [{"files": [{"src": str(images.iso)}], "library_item": "tools", "purge_files": True}],
        "publish_libraries": ["templates"],
    }


@pytest.mark.parametrize("result_format", ["json", pytest.param("yaml", marks=pytest.mark.night)])
@pytest.mark.parametrize(
    ("playbook", "variables", "ends_well", "shown"),
    [
        pytest.param("sessions.yml", sessions, True, ["named-", "reason-"], id="sessions"),
        pytest.param(
            "clean_sessions.yml", sessions, True, ["named-", "reason-"], id="clean_sessions", marks=pytest.mark.rest
        ),
        # No file can be called so in a directory.
        pytest.param("fetch.yml", fetch, False, ["named-"], id="fetch", marks=pytest.mark.rest),
        pytest.param("publish.yml", publish, True, ["named-"], id="publish", marks=pytest.mark.rest),
        pytest.param("retain.yml", retain, True, ["named-"], id="retain", marks=pytest.mark.rest),
    ],
)
def test_names_of_a_server_steer_no_terminal_and_forge_no_line(
    jobs: Jobs,
    images: Images,
    tmp_path: Path,
    result_format: str,
    playbook: str,
    variables: Callable[[str, Images, Path], Mapping[str, Any]],
    ends_well: bool,
    shown: list[str],
) -> None:
    wanted = variables(seed(jobs.sim, NAME, REASON), images, tmp_path / "dest")
    env = {"ANSIBLE_CALLBACK_RESULT_FORMAT": result_format, "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    ran = run_playbook(jobs, playbook, wanted, tmp_path, NEWEST, **env)
    output = ran.stdout + ran.stderr
    assert (ran.returncode == 0) == ends_well, output
    assert [word for word in shown if word not in output] == []
    assert [line for line in output.split("\n") if UNPRINTABLE.search(line)] == []
    assert FORGED.findall(output) == []


@pytest.fixture(params=["newest", pytest.param("oldest", marks=pytest.mark.rest)])
def programs(request: pytest.FixtureRequest) -> Path:
    """Those of an ansible-core that trusts no text but the play's, and of one that must be told what is none of it."""
    if request.param == "newest":
        return NEWEST
    env = check_environment(os.environ)
    if not works(OLDEST, env) and os.environ.get("CI") != "true":
        pytest.skip(f"there is no Python {OLDEST}")
    return provide(OLDEST, env).parent


@pytest.mark.parametrize(
    ("playbook", "variables"),
    [
        pytest.param("sessions.yml", sessions, id="sessions", marks=pytest.mark.rest),
        pytest.param("clean_sessions.yml", sessions, id="clean_sessions", marks=pytest.mark.night),
        pytest.param("fetch.yml", fetch, id="fetch"),
        pytest.param("publish.yml", publish, id="publish", marks=pytest.mark.rest),
        pytest.param("retain.yml", retain, id="retain", marks=pytest.mark.rest),
    ],
)
def test_text_of_a_server_is_no_template(
    jobs: Jobs,
    images: Images,
    tmp_path: Path,
    programs: Path,
    playbook: str,
    variables: Callable[[str, Images, Path], Mapping[str, Any]],
) -> None:
    trace = tmp_path / "evaluated"
    # No slash, which could not stand in the name of a file.
    template = "{{ 6 * 7 }}{{ lookup('ansible.builtin.pipe', 'touch ' ~ trace_of_a_template) }}{% set x = 1 %}"
    item_id = seed(jobs.sim, f"named-{template}", f"reason-{template}")
    wanted = {**variables(item_id, images, tmp_path / "dest"), "trace_of_a_template": str(trace)}
    ran = run_playbook(jobs, playbook, wanted, tmp_path, programs)
    output = ran.stdout + ran.stderr
    assert ran.returncode == 0, output
    assert "named-{{ 6 * 7 }}{{ lookup(" in output
    assert not trace.exists()


@pytest.mark.rest
def test_what_a_check_shows_of_a_server_is_text_on_one_line(jobs: Jobs, tmp_path: Path, programs: Path) -> None:
    trace = tmp_path / "evaluated"
    template = "{{ 6 * 7 }}{{ lookup('ansible.builtin.pipe', 'touch ' ~ trace_of_a_template) }}"
    policy = f"named-{template}{STEERING}{FORGING}"
    jobs.sim.reset(Seed(libraries=(LibrarySeed("templates", security_policy_id=policy),)))
    wanted = {"check_library": "templates", "check_report": "", "trace_of_a_template": str(trace)}
    ran = run_playbook(jobs, "check.yml", wanted, tmp_path, programs, ANSIBLE_SHOW_CUSTOM_STATS="true")
    output = ran.stdout + ran.stderr
    assert ran.returncode == 0, output
    assert "named-{{ 6 * 7 }}{{ lookup(" in output
    assert not trace.exists()
    assert [line for line in output.split("\n") if UNPRINTABLE.search(line)] == []
    assert FORGED.findall(output) == []
