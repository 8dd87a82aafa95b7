# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role retain, by its playbook and as a part of publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.harness.held import item_id
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import Job
from tests.simulator import ItemSeed, LibrarySeed, Seed

FILES = {"drivers.iso": b"an image of last month"}
ANSWERS = {"retain_libraries": "nightly", "retain_items": "drivers-[0-9]*", "retain_keep": "2"}
RULES = "content_library_retention"


def named(days: Sequence[int]) -> list[str]:
    return [f"drivers-2024-11-{day:02}" for day in days]


def nightly(days: Sequence[int]) -> tuple[ItemSeed, ...]:
    return tuple(
        ItemSeed(name, "iso", FILES, modified=f"2024-11-{day:02}T03:00:00Z") for name, day in zip(named(days), days)
    )


def libraries_of(days: Sequence[int]) -> Seed:
    items = (*nightly(days), ItemSeed("drivers-minimal", "iso", FILES, modified="2024-11-01T00:00:00Z"))
    return Seed(libraries=(LibrarySeed("nightly", items), LibrarySeed("other", items)))


def held(jobs: Jobs, library: str = "nightly") -> list[str]:
    return jobs.sim.run(
        lambda store: sorted(item.name for item in store.catalog.items.values() if item.library.seed.name == library)
    )


def results(job: Job) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.handed_over["content_library_retained"]["localhost"]
    return found


def outcomes(job: Job) -> dict[str, str]:
    return {entry["name"]: entry["outcome"] for entry in results(job)}


@pytest.mark.rest
def test_the_newest_stay_and_check_mode_shows_what_would_go(jobs: Jobs) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    before = held(jobs)

    predicted = jobs.run("retain.yml", ANSWERS, "--check").succeeded()
    assert (jobs.mutations, held(jobs)) == ([], before)
    stay = dict.fromkeys(named([3, 4]), "stays")
    assert outcomes(predicted) == {**dict.fromkeys(named([1, 2]), "to be deleted"), **stay}
    place = f"in nightly on {jobs.sim.hostname}:{jobs.sim.port}"
    assert f"drivers-2024-11-01 {place}: to be deleted, 2 newer ones stay" in predicted.stdout
    assert f"drivers-2024-11-04 {place}: stays, it is one of the 2 newest" in predicted.stdout

    real = jobs.run("retain.yml", ANSWERS).succeeded()
    assert outcomes(real) == {**dict.fromkeys(named([1, 2]), "deleted"), **stay}
    assert {entry["vcenter"] for entry in results(real)} == {f"{jobs.sim.hostname}:{jobs.sim.port}"}
    assert held(jobs) == [*named([3, 4]), "drivers-minimal"]
    assert held(jobs, "other") == before

    again = jobs.run("retain.yml", ANSWERS).succeeded()
    assert (again.changed, jobs.mutations, outcomes(again)) == ([], [], stay)


@pytest.mark.rest
def test_too_many_are_an_error_that_lists_them_and_hands_them_over(jobs: Jobs) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    job = jobs.run("retain.yml", {**ANSWERS, "retain_at_most": "1"}).failed()
    assert (jobs.mutations, len(held(jobs))) == ([], 5)
    assert [name for name, outcome in outcomes(job).items() if outcome == "to be deleted"] == named([1, 2])
    last = [task for task in job.tasks if task.verdict == "failed"][-1]
    assert "2 items would be deleted, and at_most is 1: 'drivers-2024-11-01' in 'nightly'" in last.result["msg"]


@pytest.mark.rest
def test_a_failure_in_the_midst_hands_over_what_has_gone(jobs: Jobs) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    jobs.sim.inject("DELETE:*:2:500")
    job = jobs.run("retain.yml", ANSWERS).failed()
    assert outcomes(job) == {
        "drivers-2024-11-01": "deleted",
        "drivers-2024-11-02": "perhaps deleted",
        **dict.fromkeys(named([3, 4]), "stays"),
    }
    jobs.sim.clear_faults()
    jobs.run("retain.yml", ANSWERS).succeeded()
    assert held(jobs) == [*named([3, 4]), "drivers-minimal"]


# After a publish


def keeping(images: Images, **more: Any) -> dict[str, Any]:
    """A publish of tonight's image that keeps the two newest."""
    return {
        "publish_libraries": "nightly",
        "publish_src": str(images.iso),
        "publish_library_item": "drivers-2024-11-05",
        "publish_keep": 2,
        "publish_keep_items": "drivers-[0-9]*",
        **more,
    }


@pytest.mark.rest
def test_publish_keeps_the_newest_of_what_it_has_published(jobs: Jobs, images: Images) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    predicted = jobs.run("publish.yml", keeping(images), "--check").succeeded()
    assert jobs.mutations == []
    assert not predicted.of(RULES), "nobody knows yet how new the item will be"

    real = jobs.run("publish.yml", keeping(images)).succeeded()
    assert held(jobs) == [*named([4, 5]), "drivers-minimal"]
    assert held(jobs, "other") == [*named([1, 2, 3, 4]), "drivers-minimal"]
    assert [name for name, outcome in outcomes(real).items() if outcome == "deleted"] == named([1, 2, 3])


@pytest.mark.rest
def test_publish_keeps_all_after_a_failure(jobs: Jobs, images: Images) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    job = jobs.run("publish.yml", keeping(images, publish_libraries="nightly, nowhere")).failed()
    assert not job.of(RULES)
    assert held(jobs) == [*named([1, 2, 3, 4, 5]), "drivers-minimal"]


@pytest.mark.rest
def test_publish_keeps_each_family_in_the_libraries_of_its_images_alone(jobs: Jobs, images: Images) -> None:
    seed = libraries_of([1, 2, 3, 4])
    rocky9 = tuple(
        ItemSeed(f"rocky9-{day}", "ovf", {"rocky9.ovf": b"x"}, modified=f"2024-11-0{day}T03:00:00Z")
        for day in (1, 2, 3)
    )
    libraries = tuple(LibrarySeed(each.name, (*each.items, *rocky9)) for each in seed.libraries)
    jobs.sim.reset(Seed(libraries=libraries))
    other = jobs.sim.run(lambda store: store.find_library_id("other"))
    entries = [
        {"src": str(images.iso), "library_item": "drivers-2024-11-05", "libraries": ["nightly"]},
        {"src": str(images.iso), "library_item": "tools", "library_ids": [other]},
    ]
    options = {"publish_items": entries, "publish_keep": 2, "publish_keep_items": "drivers-[0-9]*, rocky9-*"}
    jobs.run("publish.yml", options).succeeded()
    rocky = [item.name for item in rocky9]
    assert held(jobs) == [*named([4, 5]), "drivers-minimal", *rocky], "no rocky9 was published"
    assert held(jobs, "other") == [*named([1, 2, 3, 4]), "drivers-minimal", *rocky, "tools"]


@pytest.mark.rest
def test_an_old_item_that_publish_finds_as_it_should_be_stays(jobs: Jobs, images: Images) -> None:
    jobs.sim.reset(libraries_of([1, 2, 3, 4]))
    item = item_id(jobs.sim, named([1])[0], "nightly")
    jobs.sim.run(lambda store: store.seed_item_files(item, {"drivers.iso": images.iso.read_bytes()}))
    job = jobs.run("publish.yml", keeping(images, publish_library_item=named([1])[0])).succeeded()
    assert held(jobs) == [*named([1, 3, 4]), "drivers-minimal"]
    assert job.handed_over["content_library_published"]["localhost"][0]["outcome"] == "unchanged"
