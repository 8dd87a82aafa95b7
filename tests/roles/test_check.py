# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role check, by its playbook and as the first task of a nightly job."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.servers import unused_port
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import Job, credential, run_job, verified
from tests.simulator import LibrarySeed, Seed
from tests.simulator.likeness import read_report
from tests.simulator.worlds import in_worlds

CHECK = "content_library_check"


def shown(job: Job) -> list[list[str]]:
    """The lines of each thing that is shown."""
    return [task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug" and "msg" in task.result]


def results(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = job.handed_over["content_library_checked"]["localhost"]
    return found


def reason(job: Job) -> str:
    """Why a job has failed in the end."""
    return str([task for task in job.failed().tasks if task.verdict == "failed"][-1].result["msg"])


def test_what_was_looked_at_is_a_table_with_what_to_do_and_a_report_is_left(jobs: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    job = jobs.run("check.yml", {"check_library": "templates, mirror", "check_report": str(path)})

    place, header, *lines = shown(job)[0]
    vcenter = f"{jobs.sim.hostname}:{jobs.sim.port}"
    assert place == f"On {vcenter}:"
    assert header.split() == ["PUBLISH", "LOOKED", "AT", "FOUND"]
    starts = {line.index("it is a local library") for line in lines if "library templates  " in line}
    assert starts == {header.index("FOUND")}
    (failing,) = [line for line in lines if line.startswith("WILL FAIL")]
    assert failing.split("  ")[1] == "library mirror"
    found = results(job)
    assert (found["vcenter"], found["usable"], found["report"]) == (vcenter, False, str(path))
    assert [row["about"] in "\n".join(lines) for row in found["rows"]] == [True] * len(found["rows"])

    (remedy,) = [row["remedy"] for row in found["rows"] if row["verdict"] == "will_fail"]
    assert lines[lines.index(failing) + 1].strip() == f"Do: {remedy}"
    assert reason(job).startswith(f"A publish would fail on {vcenter}. library mirror: it subscribes to another")
    assert reason(job).endswith(remedy)
    assert "templates" not in reason(job)

    differences, report = shown(job)[1:]
    assert "observations are as known." in differences[0]
    assert "more can be made in a trial only (check_trial)." in differences[1]
    assert report[0] == f"The report lies in {path} on the host localhost."
    assert "Please read it before you send it." in report[1]
    assert json.loads(path.read_text(encoding="utf-8"))["trial"] is False
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (job.changed, jobs.mutations) == ([], [])


@pytest.mark.rest
def test_a_vcenter_that_can_be_published_to_is_no_failure(jobs: Jobs) -> None:
    job = jobs.run("check.yml", {"check_library": "templates", "check_report": ""}).succeeded()
    assert (results(job)["usable"], results(job)["report"]) == (True, None)
    assert {line.split()[0] for line in shown(job)[0][2:] if not line.startswith(" ")} == {"ok", "unknown"}
    assert len(shown(job)) == 2, "there is no report to tell of"


@pytest.mark.rest
def test_a_trial_says_what_it_took_away_and_what_is_otherwise_than_known(jobs: Jobs, tmp_path: Path) -> None:
    jobs.sim.reset(in_worlds(Seed(), {"range": "ignored"}))
    before = jobs.item_names()
    answers = {
        "check_library": "templates",
        "check_trial": "true",
        "check_url": "",
        "check_report": str(tmp_path / "report.json"),
    }

    predicted = jobs.run("check.yml", answers, "--check").succeeded()
    assert (jobs.mutations, predicted.changed, results(predicted)["report"]) == ([], [], None)
    assert "trial" in "\n".join(shown(predicted)[0])

    job = jobs.run("check.yml", answers).succeeded()
    assert job.changed == ["Look at the vCenter"]
    assert jobs.item_names() == before
    taken = [entry["library_item"] for entry in results(job)["taken_away"]]
    lines = shown(job)[0]
    assert [line.split()[2] for line in lines if line.startswith("Taken away: ")] == taken
    assert taken
    (told,) = [line for line in shown(job)[1] if line.startswith("A request for a part of a download: ignored.")]
    assert told.endswith("The simulator can do so (--world range=ignored).")
    assert "more could not be made in this trial. Some of them need a file to fetch (check_url)." in shown(job)[1][1]
    assert read_report(str(tmp_path / "report.json")).observations["range"] == "ignored"


@pytest.mark.rest
def test_a_vcenter_that_is_down_is_a_row_and_a_path_that_cannot_be_written_a_failure(
    jobs: Jobs, tmp_path: Path
) -> None:
    login = {"username": jobs.sim.username, "password": jobs.sim.password, "ca_path": jobs.sim.ca_path}
    down = {"hostname": jobs.sim.hostname, "port": unused_port(), **login}
    job = jobs.run("check.yml", {"check_report": "", "vcenter_connection": down})
    assert results(job)["rows"][0]["verdict"] == "will_fail", reason(job)
    assert "connection to" in reason(job)

    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    refused = jobs.run("check.yml", {"check_report": str(tmp_path / "other.json")})
    assert "is there, and is no report" in reason(refused)
    assert (results(refused)["usable"], results(refused)["rows"]) == (False, [])
    assert "Nothing could be looked at." in shown(refused)[0]
    assert (tmp_path / "other.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.rest
@pytest.mark.parametrize("variables", [{}, {"VMWARE_FETCH_DEST_ROOT": "FOLDER"}], ids=["", "an operator's directory"])
def test_without_a_path_the_playbook_leaves_its_report_where_it_may_write(
    jobs: Jobs, tmp_path: Path, variables: dict[str, str]
) -> None:
    env = {**verified(credential(jobs.sim), jobs.sim), **{name: str(tmp_path) for name in variables}}
    job = run_job(tmp_path / "job", "check.yml", env, {}).succeeded()
    folder = tmp_path if variables else tmp_path / "job" / "project"
    assert results(job)["report"] == str(folder / "vcenter-check-localhost.json")
    assert Path(results(job)["report"]).is_file()


@pytest.mark.rest
@pytest.mark.parametrize("library", ["templates", "mirror"])
def test_a_nightly_job_begins_with_a_look(jobs: Jobs, images: Images, tmp_path: Path, library: str) -> None:
    """Where the publish would fail, nothing is begun."""
    jobs.sim.reset(Seed(libraries=(LibrarySeed("templates"), LibrarySeed("mirror", type="SUBSCRIBED"))))
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"images": library},
        "roles": [
            {"role": "vsphere.content.check", "vars": {"check_library": "{{ images }}"}},
            {
                "role": "vsphere.content.publish",
                "vars": {"publish_libraries": "{{ images }}", "publish_src": str(images.iso)},
            },
        ],
    }
    playbook = tmp_path / "nightly.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    job = jobs.run(str(playbook), {})
    published = "content_library_published" in job.handed_over
    assert (job.status, published) == (("successful", True) if library == "templates" else ("failed", False))
    assert bool(jobs.mutations) is published
