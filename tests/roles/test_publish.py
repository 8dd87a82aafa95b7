# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role publish, by its playbook: again and again, in check mode, and when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.roles.conftest import Images, Jobs, contents
from tests.roles.jobs import credential, run_job
from tests.simulator import LibrarySeed, Seed, Simulator


def test_a_directory_is_published_once_and_shown_in_check_mode(jobs: Jobs, images: Images) -> None:
    options = {
        "publish_libraries": "archive",
        "publish_src": str(images.folder),
        "publish_recurse": True,
        "publish_accepted_warnings": ["SELF_SIGNED_CERTIFICATE"],
    }
    jobs.sim.reset(Seed(libraries=(LibrarySeed("archive"),)))

    predicted = jobs.run("publish.yml", options, "--check").succeeded()
    assert not jobs.mutations
    assert "The item rocky9 would be made in archive, to hold rocky9.ovf." in predicted.stdout
    assert len(predicted.of("content_library_item")) == 2

    real = jobs.run("publish.yml", options).succeeded()
    assert jobs.contents("archive", "drivers") == {"drivers.iso": images.iso.read_bytes()}
    assert set(jobs.contents("archive", "rocky9")) == {path.name for path in images.package}
    published = real.handed_over["content_library_published"]["localhost"]
    assert [(entry["library"], entry["library_item"], entry["changed"]) for entry in published] == [
        ("archive", "drivers", True),
        ("archive", "rocky9", True),
    ]

    again = jobs.run("publish.yml", options).succeeded()
    assert not again.changed
    assert not jobs.mutations


def test_an_item_that_was_there_stays_when_publishing_fails(jobs: Jobs, images: Images) -> None:
    rocky9 = {"library_item": "rocky9", "src": str(images.signed), "description": "November"}
    job = jobs.run("publish.yml", {"publish_libraries": ["templates"], "publish_items": [rocky9]}).failed()

    assert [task.verdict for task in job.of("content_library_update_session")] == ["failed"]
    # The run has changed its description, which does not make it this run's item.
    assert job.changed == ["Make sure that the item is there"]
    assert "rocky9" in jobs.item_names()
    assert not jobs.sim.run(lambda store: store.active_update_sessions())


@pytest.mark.parametrize(
    ("extra_vars", "reason"),
    [
        ({"publish_src": "/images/a.iso", "publish_accepted_warnings": ["ANY"]}, "value of publish_accepted_warnings"),
        ({"publish_libraries": "templates", "publish_src": "/not/there.iso"}, "/not/there.iso does not exist"),
    ],
)
def test_bad_variables_fail_before_vcenter_is_asked(jobs: Jobs, extra_vars: dict[str, str], reason: str) -> None:
    job = jobs.run("publish.yml", extra_vars).failed()
    assert reason in job.stdout
    assert not jobs.sim.exchanges


def test_one_play_has_several_vcenters_fetch_from_a_mirror(jobs: Jobs, images: Images, tmp_path: Path) -> None:
    url, content = "ds:///vmfs/volumes/mirror/drivers.iso", images.iso.read_bytes()
    seed = Seed(libraries=(LibrarySeed("templates"), LibrarySeed("archive")), datastores={url: content})
    jobs.sim.reset(seed)
    with Simulator(seed=seed, settle=0.05) as other:
        vcenters = {"first": jobs.sim, "second": other}
        hosts = {
            name: {"vcenter_connection": {"hostname": sim.hostname, "port": sim.port, "ca_path": sim.ca_path}}
            for name, sim in vcenters.items()
        }
        login = {name: credential(jobs.sim)[name] for name in ("VMWARE_USER", "VMWARE_PASSWORD")}
        extra_vars = {
            "publish_libraries": "templates, archive",
            "publish_library_item": "drivers-{{ inventory_hostname }}",
            "publish_url": url,
            "vcenter_hosts": "all",
        }
        inventory = {"all": {"hosts": hosts}}

        job = run_job(tmp_path / "many", "publish.yml", login, extra_vars, inventory=inventory).succeeded()

        assert set(job.handed_over["content_library_published"]) == {"first", "second"}
        for name, sim in vcenters.items():
            for library in ("templates", "archive"):
                assert contents(sim, library, f"drivers-{name}") == {"drivers.iso": content}
            assert not [entry for entry in sim.exchanges if entry.method == "PUT"]
        # Once for each library, and not for each host: they go together, as many at a time as there are forks.
        started = [event["event_data"]["task"] for event in job.events if event["event"] == "playbook_on_task_start"]
        assert started.count("Make sure that the item holds the image") == 2
