# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles sessions and clean_sessions, by their playbooks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.roles.conftest import Jobs
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
            active=store.seed_update_session(rocky9, files={"rocky9.ovf": b"<Envelope/>", "disk.vmdk": None}),
            failed=store.seed_update_session(tools, state="ERROR", error_message="out of space"),
            download=store.seed_download_session(tools, state="CANCELED"),
        )

    return jobs.sim.run(seed)


def left(jobs: Jobs) -> set[str]:
    return jobs.sim.run(lambda store: {*store.updates.sessions, *store.downloads.sessions})


def test_sessions_are_shown_as_a_table_and_handed_over_as_data(jobs: Jobs, seeded: Seeded) -> None:
    job = jobs.run("sessions.yml", {}).succeeded()

    (shown,) = [task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug"]
    words = [line.split() for line in shown]
    assert words[0] == ["ITEM", "KIND", "STATE", "PROGRESS", "FILES", "EXPIRES", "SESSION"]
    assert {(row[0], row[1], row[2], row[-1]) for row in words[1:]} == {
        ("rocky9", "update", "ACTIVE", seeded.active),
        ("tools", "update", "ERROR", seeded.failed),
        ("tools", "download", "CANCELED", seeded.download),
    }
    assert next(line for line in shown if line.startswith("rocky9")).find("1 of 2") == shown[0].find("FILES")

    data = {entry["id"]: entry for entry in job.handed_over["content_library_sessions"]["localhost"]}
    assert set(data) == {seeded.active, seeded.failed, seeded.download}
    assert [file["name"] for file in data[seeded.active]["files"]] == ["rocky9.ovf", "disk.vmdk"]
    assert data[seeded.failed]["library_item"] == "tools"
    assert not job.changed
    assert not jobs.mutations


def test_a_failure_is_told_with_its_type(jobs: Jobs) -> None:
    wrong = {"vcenter_connection": {"ca_path": jobs.sim.ca_path, "username": "nobody@vsphere.local"}}
    (task,) = jobs.run("sessions.yml", wrong).failed().of("content_library_session_info")
    assert (task.verdict, task.result["error"]["type"]) == ("failed", "UNAUTHENTICATED")


def test_ended_sessions_go_and_active_ones_when_asked_for(jobs: Jobs, seeded: Seeded) -> None:
    predicted = jobs.run("clean_sessions.yml", {"clean_sessions_session_ids": ""}, "--check").succeeded()
    assert len(predicted.changed) == 2
    assert not jobs.mutations

    # What names nothing must not count as naming sessions.
    assert len(jobs.run("clean_sessions.yml", {"clean_sessions_session_ids": ","}).succeeded().changed) == 2
    assert left(jobs) == {seeded.active}

    named = {"clean_sessions_session_ids": [seeded.active]}
    assert len(jobs.run("clean_sessions.yml", named).succeeded().changed) == 1
    assert not left(jobs)


def test_other_users_sessions_stay_and_a_failure_is_told(jobs: Jobs) -> None:
    ours, theirs = jobs.sim.run(
        lambda store: [
            store.seed_update_session(store.find_item_id("templates", "tools")),
            store.seed_update_session(store.find_item_id("templates", "rocky9"), user="viewer@vsphere.local"),
        ]
    )
    jobs.sim.inject("DELETE:*update-session/*:*:500")
    everything = {"clean_sessions_include_active": "true"}

    (task,) = jobs.run("clean_sessions.yml", everything).failed().of("content_library_update_session")
    assert task.result["error"]["session_id"] == ours
    assert left(jobs) == {ours, theirs}

    jobs.sim.clear_faults()
    assert len(jobs.run("clean_sessions.yml", everything).succeeded().changed) == 1
    assert left(jobs) == {theirs}


def test_a_second_run_finds_nothing_to_do(jobs: Jobs) -> None:
    job = jobs.run("clean_sessions.yml", {"clean_sessions_include_active": "true"}).succeeded()
    assert not job.changed
    assert "There are no sessions." in job.stdout
