# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role fetch, by its playbook."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.progress.plays import kits, settings_of
from tests.roles.conftest import Jobs


def test_an_item_is_fetched_once_and_shown_in_check_mode(jobs: Jobs, tmp_path: Path) -> None:
    dest = tmp_path / "out" / "mirror"
    options = {
        "fetch_library": "mirror",
        "fetch_library_item": "synced",
        "fetch_dest": str(dest),
        "fetch_files": "",
        "fetch_mode": "u=rw,g=r,o=",
    }

    predicted = jobs.run("fetch.yml", options, "--check").succeeded()
    vcenter = f"{jobs.sim.hostname}:{jobs.sim.port}"
    assert f"synced in mirror on {vcenter}: would be fetched to {dest}" in predicted.stdout
    assert not dest.exists()

    real = jobs.run("fetch.yml", options).succeeded()
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == jobs.contents("mirror", "synced")
    assert (dest / "synced.iso").stat().st_mode & 0o777 == 0o640
    (fetched,) = real.handed_over["content_library_fetched"]["localhost"]
    assert [file["name"] for file in fetched.pop("files")] == ["synced.iso"]
    assert fetched == {
        "vcenter": vcenter,
        "library": "mirror",
        "library_item": "synced",
        "dest": str(dest),
        "outcome": "fetched",
        "changed": True,
        "error": None,
        "reason": None,
    }

    again = jobs.run("fetch.yml", options).succeeded()
    assert not again.changed
    assert not jobs.mutations


@pytest.mark.rest
def test_a_checksum_that_is_declared_is_held_against_item_and_file(jobs: Jobs, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    content = jobs.contents("mirror", "synced")["synced.iso"]
    options = {
        "fetch_library": "mirror",
        "fetch_library_item": "synced",
        "fetch_dest": str(dest),
        "fetch_require_verified": True,
    }
    for checksums in ({"synced.iso": "sha1:" + "0" * 40}, {"other.iso": "sha1:" + "0" * 40}):
        for how in (["--check"], []):
            failed = jobs.run("fetch.yml", {**options, "fetch_checksums": checksums}, *how).failed()
            (task,) = failed.of("content_library_download_session")
            assert "checksums has" in task.result["msg"]
            assert not dest.exists()

    fitting = {"synced.iso": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    jobs.run("fetch.yml", {**options, "fetch_checksums": fitting}).succeeded()
    assert (dest / "synced.iso").read_bytes() == content
    assert not jobs.run("fetch.yml", {**options, "fetch_checksums": fitting}).succeeded().changed


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits("newest", "awx"))
def test_a_name_that_fits_no_item_is_told(jobs: Jobs, tmp_path: Path, kit: str) -> None:
    options = {"fetch_library": "mirror", "fetch_library_item": "sinced", "fetch_dest": str(tmp_path)}
    job = jobs.run("fetch.yml", options, settings=settings_of(kit)).failed()
    (task,) = job.of("content_library_download_session")
    assert task.result["error"]["type"] == "NOT_FOUND"
    (told,) = job.handed_over["content_library_fetched"]["localhost"]
    assert (told["outcome"], told["error"], told["files"]) == ("failed", task.result["error"], [])
    assert told["reason"] == task.result["msg"].partition(". ")[0]
    last = [task.result["msg"] for task in job.tasks if task.verdict == "failed"][-1]
    assert last.startswith(f"sinced in mirror on {told['vcenter']}: failed (NOT_FOUND). The reason is above"), last


@pytest.mark.rest
def test_an_item_without_files_is_an_error_and_may_be_allowed(jobs: Jobs, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    options = {"fetch_library": "templates", "fetch_library_item": "rocky9", "fetch_dest": str(dest)}
    for how in (["--check"], []):
        (task,) = jobs.run("fetch.yml", options, *how).failed().of("content_library_download_session")
        assert task.result["error"]["type"] == "NOT_FOUND"
        assert "it holds no files" in task.result["msg"]
        assert not dest.exists()

    allowed = {**options, "fetch_allow_empty": True}
    jobs.run("fetch.yml", allowed, "--check").succeeded()
    real = jobs.run("fetch.yml", allowed).succeeded()
    assert real.changed == ["Make the directory"]
    assert list(dest.iterdir()) == []
    assert real.handed_over["content_library_fetched"]["localhost"][0]["files"] == []
    assert jobs.run("fetch.yml", options).failed().of("content_library_download_session")
    assert not jobs.mutations
