# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a fork of Ansible's worker: when that happens, and that nobody can tell it by anything else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.packages import sparse
from tests.progress.plays import MODULE_WAYS, STRATEGIES, UPDATE, Place, kits, play, publication, settings_of
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator

INFO = "vsphere.content.content_library_session_info"
ITEM = "vsphere.content.content_library_item"
FORK = "a fork of the worker"
SAID = re.compile(r"vsphere\.content: this module runs in (?:(a fork of the worker)|a process of its own, as (.*))\.$")
#: What differs from run to run, whichever way a module goes.
CHANCE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d+\.\d+|/tmp/\S*/(?=\w+\.yml)"
)


def ways_said(lines: list[str]) -> list[str]:
    """Which way each module of a run at -vvv went: a fork, or why it did not."""
    return [found[1] or found[2] for line in lines if (found := SAID.search(line))]


def listing(**task: Any) -> dict[str, Any]:
    return {INFO: {"kind": "update"}, **task}


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits("newest", "oldest", "awx", "2.19"))
def test_each_task_says_which_way_it_goes_and_why(server: Simulator, tmp_path: Path, kit: str) -> None:
    place = Place(tmp_path, server, {**settings_of(kit), "ANSIBLE_PIPELINING": "true"})
    place.inventory(["own", "other", "unknown"])
    pretend = {"become": True, "become_method": "pretend", "become_user": "somebody"}
    elsewhere = {"ansible_connection": "elsewhere"}
    # Another name of the same Python.
    name = str(Path(place.env["PATH"].partition(os.pathsep)[0], "python3"))
    tasks: list[tuple[dict[str, Any], str]] = [
        (listing(), FORK),
        ({"vsphere.content.session_info": {"kind": "update"}}, FORK),
        ({"vsphere.content.require_allowed_paths": {}}, FORK),
        (listing(delegate_to="other"), FORK),
        # A host that no inventory lists runs by the Python of ansible-playbook, as Ansible has it.
        (listing(delegate_to="localhost", connection="local"), FORK),
        (listing(environment={"VMWARE_PORT": str(server.port), "no_proxy": "*"}), FORK),
        (listing(environment={"PYTHONWARNINGS": "ignore"}), "its environment sets variables"),
        (listing(vars={"vsphere_content_in_worker": "{{ 1 > 2 }}"}), "the setting in_worker is off"),
        (listing(vars={"vsphere_content_in_worker": "perhaps"}), "the setting in_worker is off, or is no boolean"),
        (listing(vars={"ansible_python_interpreter": name}), f"ansible_python_interpreter is {name!r}"),
        (listing(delegate_to="unknown"), f"ansible_python_interpreter is {name!r}"),
        (listing(vars={"ansible_shell_executable": "/bin/bash"}), "its shell is not /bin/sh"),
        (listing(vars=elsewhere), "the connection is not Ansible's own local one"),
        (listing(**pretend), "it becomes another user"),
        (listing(**{"async": 60, "poll": 1}), "the task is asynchronous"),
    ]
    inventory = json.loads(place.inventory().read_text(encoding="utf-8"))
    inventory["all"]["hosts"]["unknown"]["ansible_python_interpreter"] = name
    place.inventory().write_text(json.dumps(inventory), encoding="utf-8")
    playing = play(place, place.playbook(*(task for task, _way in tasks), hosts="own"), "-vvv")
    assert playing.wait() == 0, playing.output
    said = ways_said(playing.lines)
    assert [way for (_task, way), found in zip(tasks, said) if not found.startswith(way)] == [], said
    assert len(said) == len(tasks)


JOBS: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "usual": ({}, "", FORK),
    "empty": ({"VSPHERE_CONTENT_IN_WORKER": " "}, "", FORK),
    "off": ({"VSPHERE_CONTENT_IN_WORKER": "no"}, "", "the setting in_worker is off"),
    "off in ansible.cfg": ({}, "[vsphere_content]\nin_worker = false\n", "the setting in_worker is off"),
    "on does not help": (
        {"VSPHERE_CONTENT_IN_WORKER": "yes"},
        "[vsphere_content]\nin_worker = off\n",
        "the setting in_worker is off",
    ),
    "no boolean": ({"VSPHERE_CONTENT_IN_WORKER": "perhaps"}, "", "the setting in_worker is off, or is no boolean"),
    "kept files": ({"ANSIBLE_KEEP_REMOTE_FILES": "true"}, "", "Ansible is to keep"),
    "limited files": ({"ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE": "1024"}, "", "Ansible is to limit"),
    "logged keys": ({"SSLKEYLOGFILE": "/dev/null"}, "", "the environment has SSLKEYLOGFILE"),
    "another shell": ({"ANSIBLE_EXECUTABLE": "/bin/bash"}, "", "its shell is not /bin/sh"),
}


@pytest.mark.rest
def test_what_a_whole_job_says(server: Simulator, tmp_path: Path) -> None:
    runs = {}
    for name, (env, configuration, _way) in JOBS.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "ansible.cfg").write_text(configuration, encoding="utf-8")
        place = Place(folder, server, {**env, "ANSIBLE_CONFIG": str(folder / "ansible.cfg")})
        runs[name] = play(place, place.playbook(listing()), "-vvv")
    for name, playing in runs.items():
        assert playing.wait() == 0, (name, playing.output)
        (said,) = ways_said(playing.lines)
        assert said.startswith(JOBS[name][2]), name


def output_of(place: Place, playbook: Path, way: str, *options: str) -> list[str]:
    """What a run prints, without what is left to chance."""
    playing = play(Place(place.folder, place.server, {**place.settings, **MODULE_WAYS[way]}), playbook, *options)
    playing.wait()
    return [CHANCE.sub("...", line) for line in playing.lines]


ROUNDS = ("one", "two", "three")
LEAKING = {
    "leaks": {"round": "{{ item }}", "old": "{{ 'given' if item == 'two' else omit }}"},
    "loop": list(ROUNDS),
    "register": "result",
    "ignore_errors": True,
}


@pytest.mark.rest
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kit", kits("newest", "oldest", "awx", "2.19"))
def test_each_round_of_a_loop_has_its_own_warnings_and_finds_no_traces(
    server: Simulator, tmp_path: Path, kit: str, strategy: str
) -> None:
    place = Place(tmp_path, server, settings_of(kit))
    report = tmp_path / "report.json"
    save = {
        "ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(report)},
        "changed_when": False,
    }
    show = {"ansible.builtin.debug": {"var": "result"}}
    playbook = place.playbook(LEAKING, {**save, "no_log": True}, show, strategy=strategy)
    shown = {way: output_of(place, playbook, way) for way in MODULE_WAYS}
    assert shown["fork"] == shown["process"]
    whole = json.loads(report.read_text(encoding="utf-8"))
    rounds = whole["results"]
    for name, each in zip(ROUNDS, rounds):
        assert (each["variable"], each["rounds"], each["handled"], each["threads"]) == (None, [], False, 1)
        assert each["directory"] == str(tmp_path)
        # ansible-core up to 2.20 moves them to the result of the loop.
        assert told(each, "warnings") in ([], [f"warning of round {name}"])
        assert told(each, "deprecations") in ([], [f"deprecation of round {name}"])
    for kind in ("warnings", "deprecations"):
        found = [text for result in (whole, *rounds) for text in told(result, kind)]
        assert set(found) == {f"{kind[:-1]} of round {name}" for name in ROUNDS}
    assert len({each["umask"] for each in rounds}) == 1
    assert ways_said(output_of(place, playbook, "fork", "-vvv")) == [FORK] * len(ROUNDS)


def told(result: Mapping[str, Any], kind: str) -> list[str]:
    """The warnings or deprecations of a result, or of a round of a loop."""
    texts = [each if isinstance(each, str) else each["msg"] for each in result.get(kind, [])]
    return [text for text in texts if "of round" in text]


@pytest.mark.rest
def test_all_that_a_run_shows_is_the_same(server: Simulator, tmp_path: Path) -> None:
    place = Place(tmp_path, server)
    image = sparse(tmp_path / "tools.iso", 100_000)
    quiet: dict[str, Any] = {"progress_interval": 0}
    publish = publication(image, **quiet)
    tasks = [
        {**publish, "check_mode": True},
        publish,
        publish,
        {**publication(image, "{{ item }}", **quiet), "loop": ["tools", "missing"]},
        {**publish, "no_log": True},
        {UPDATE: {"library": "templates", "state": "done", "files": "tools.iso"}},
        {UPDATE: {"library": "nowhere", "library_item": "tools", "state": "done"}},
        {INFO: {"kind": "update", "states": ["LATE"]}},
        {INFO: {"kind": "update", "password": "wrong"}, "environment": {"VMWARE_VALIDATE_CERTS": "false"}},
        {ITEM: {"library": "templates", "library_item": "tools", "state": "absent"}, "when": "true"},
        listing(timeout=60, environment={"VMWARE_HOST": "nowhere.invalid"}),
    ]
    tasks = [{**task, "ignore_errors": True, "register": f"result_{number}"} for number, task in enumerate(tasks)]
    tasks += [{"ansible.builtin.debug": {"var": f"result_{number}"}} for number in range(len(tasks))]
    shown = {}
    for way in MODULE_WAYS:
        server.reset(Seed(libraries=(LibrarySeed("templates", (ItemSeed("tools", "iso"),)),)))
        shown[way] = output_of(place, place.playbook(*tasks), way, "--diff")
    assert shown["fork"] == shown["process"]
    recap = shown["fork"][-2]
    assert "failed=0" in recap, "\n".join(shown["fork"])
    assert "ignored=5" in recap, "\n".join(shown["fork"])
