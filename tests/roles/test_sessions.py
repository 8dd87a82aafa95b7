# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles sessions and clean_sessions, by their playbooks."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.roles.conftest import Jobs
from tests.roles.jobs import Job
from tests.simulator import Store


@dataclass(frozen=True)
class Seeded:
    active: str
    failed: str
    download: str


@pytest.fixture
def seeded(jobs: Jobs) -> Seeded:
    def seed(store: Store) -> Seeded:
        rocky9, tools = (store.find_item_id("templates", name) for name in ("rocky9", "tools"))
        store.seed_item_files(tools, {"tools.iso": b"content"})
        return Seeded(
            active=store.seed_update_session(
                rocky9, files={"rocky9.ovf": b"<Envelope/>", "disk.vmdk": None}, client_progress=40
            ),
            failed=store.seed_update_session(tools, state="ERROR", error_message="out of space"),
            download=store.seed_download_session(tools, state="CANCELED"),
        )

    return jobs.sim.run(seed)


def table(job: Job) -> list[str]:
    """The lines of the only thing that is shown."""
    (shown,) = [task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug"]
    lines: list[str] = shown
    return lines


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a table, whose columns begin where their titles do."""
    starts = [found.start() for found in re.finditer(r"\S+", lines[0])]
    ends = [*starts[1:], None]
    return [[line[start:end].strip() for start, end in zip(starts, ends)] for line in lines]


def removed(job: Job) -> set[str]:
    """The sessions that a job has removed, or in check mode would."""
    return {task.result["item"]["id"] for task in job.tasks if task.changed}


def left(jobs: Jobs) -> set[str]:
    return jobs.sim.run(lambda store: {*store.updates.sessions, *store.downloads.sessions})


@pytest.mark.rest
def test_sessions_are_shown_as_a_table_and_handed_over_as_data(jobs: Jobs, seeded: Seeded) -> None:
    done = jobs.sim.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools"), state="DONE"))
    job = jobs.run("sessions.yml", {}).succeeded()

    data = {entry["id"]: entry for entry in job.handed_over["content_library_sessions"]["localhost"]}
    expires = {session_id: entry["expiration_time"] for session_id, entry in data.items()}
    assert re.fullmatch(r"20[0-9T:.-]+Z", expires[seeded.active])
    place, *lines = table(job)
    vcenter = f"{jobs.sim.hostname}:{jobs.sim.port}"
    assert place == f"On {vcenter}:"
    assert {entry["vcenter"] for entry in data.values()} == {vcenter}
    assert rows(lines) == [
        ["LIBRARY", "ITEM", "KIND", "STATE", "PROGRESS", "FILES", "EXPIRES", "SESSION"],
        ["templates", "rocky9", "update", "ACTIVE", "40 %", "1 of 2", expires[seeded.active], seeded.active],
        ["templates", "tools", "update", "ERROR", "0 %", "1 of 1", expires[seeded.failed], seeded.failed],
        ["templates", "tools", "update", "DONE", "-", "1 of 1", expires[done], done],
        ["templates", "tools", "download", "CANCELED", "0 %", "0 of 1", expires[seeded.download], seeded.download],
    ]

    assert set(data) == {seeded.active, seeded.failed, seeded.download, done}
    assert [file["name"] for file in data[seeded.active]["files"]] == ["rocky9.ovf", "disk.vmdk"]
    assert (data[seeded.failed]["library"], data[seeded.failed]["library_item"]) == ("templates", "tools")
    assert not job.changed
    assert not jobs.mutations


def test_a_failure_is_told_with_its_type(jobs: Jobs) -> None:
    wrong = {"vcenter_connection": {"ca_path": jobs.sim.ca_path, "username": "nobody@vsphere.local"}}
    (task,) = jobs.run("sessions.yml", wrong).failed().of("content_library_session_info")
    assert (task.verdict, task.result["error"]["type"]) == ("failed", "UNAUTHENTICATED")


@pytest.mark.rest
def test_ended_sessions_go_and_active_ones_when_asked_for(jobs: Jobs, seeded: Seeded) -> None:
    everything, ended = {seeded.active, seeded.failed, seeded.download}, {seeded.failed, seeded.download}
    for variables, would_go in (
        ({"clean_sessions_session_ids": ""}, ended),
        ({"clean_sessions_include_active": "true", "clean_sessions_kind": "update"}, everything - {seeded.download}),
    ):
        predicted = jobs.run("clean_sessions.yml", variables, "--check").succeeded()
        assert {session_id for session_id in everything if session_id in predicted.stdout} == would_go
        assert removed(predicted) == would_go
        assert left(jobs) == everything
        assert not jobs.mutations

    # What names nothing must not count as naming sessions.
    assert removed(jobs.run("clean_sessions.yml", {"clean_sessions_session_ids": ","}).succeeded()) == ended
    assert left(jobs) == {seeded.active}

    # A session that has gone is no error, or a second run would be one.
    named = {"clean_sessions_session_ids": [seeded.active, seeded.failed]}
    assert removed(jobs.run("clean_sessions.yml", named).succeeded()) == {seeded.active}
    assert not left(jobs)


@pytest.mark.rest
def test_other_users_sessions_stay_and_a_failure_is_told(jobs: Jobs) -> None:
    ours, theirs, download = jobs.sim.run(
        lambda store: [
            store.seed_update_session(store.find_item_id("templates", "tools")),
            store.seed_update_session(store.find_item_id("templates", "rocky9"), user="viewer@vsphere.local"),
            store.seed_download_session(store.find_item_id("templates", "tools")),
        ]
    )
    jobs.sim.inject("DELETE:*update-session/*:*:500")
    everything = {"clean_sessions_include_active": "true"}

    job = jobs.run("clean_sessions.yml", everything).failed()
    (task,) = job.of("content_library_update_session")
    told = {entry["id"]: entry for entry in job.handed_over["content_library_cleaned"]["localhost"]}
    place = f"tools in templates on {told[ours]['vcenter']}"
    assert f"1 of 2 sessions could not be removed: update session {ours} of {place}: failed" in job.stdout
    assert task.result["error"]["session_id"] == ours
    assert {session_id: entry["outcome"] for session_id, entry in told.items()} == {ours: "failed", download: "removed"}
    assert told[ours]["error"] == task.result["error"]
    assert left(jobs) == {ours, theirs}

    jobs.sim.clear_faults()
    assert len(jobs.run("clean_sessions.yml", everything).succeeded().changed) == 1
    assert left(jobs) == {theirs}


def test_a_second_run_finds_nothing_to_do(jobs: Jobs) -> None:
    job = jobs.run("clean_sessions.yml", {"clean_sessions_include_active": "true"}).succeeded()
    assert not job.changed
    assert "There are no sessions." in job.stdout
