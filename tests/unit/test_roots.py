# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Below which directories a task reads what it publishes and writes what it fetches, however a path gets there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.packages import make_iso, make_package
from tests.harness.tasks import CHECK, DOWNLOAD_SESSION, UPDATE_SESSION
from tests.simulator import Simulator

PATHS = "require_allowed_paths"
SRC_ROOT, DEST_ROOT = "VMWARE_PUBLISH_SRC_ROOT", "VMWARE_FETCH_DEST_ROOT"


@dataclass(frozen=True)
class Place:
    """A server, a directory that is allowed, and one beside it that is not."""

    sim: Simulator
    allowed: Path
    outside: Path

    def publish(self, *paths: object, root: object = None) -> ModuleResult:
        files = [{"src": str(path)} for path in paths]
        item = {"library": "templates", "library_item": "tools", "state": "done", "files": files}
        env = {SRC_ROOT: str(self.allowed if root is None else root)}
        return run_module(UPDATE_SESSION, {**connection_args(self.sim), **item}, env=env)

    def fetch(self, dest: object, root: object = None) -> ModuleResult:
        item = {"library": "mirror", "library_item": "synced", "dest": str(dest)}
        env = {DEST_ROOT: str(self.allowed if root is None else root)}
        return run_module(DOWNLOAD_SESSION, {**connection_args(self.sim), **item}, env=env)

    def check(self, report: object) -> ModuleResult:
        given = {**connection_args(self.sim), "report": str(report)}
        return run_module(CHECK, given, env={DEST_ROOT: str(self.allowed)})

    def refused(self, ran: ModuleResult) -> str:
        """What is said of a path that is not allowed, of which nobody has heard."""
        assert ran.rc == 1, ran.result
        assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
        assert self.sim.exchanges == ()
        return str(ran.result["msg"])


@pytest.fixture
def place(sim: Simulator, tmp_path: Path) -> Place:
    made = Place(sim, tmp_path / "images", tmp_path / "images-of-others")
    for folder in (made.allowed, made.outside):
        folder.mkdir()
        make_iso(folder / "tools.iso", 20_000)
    return made


def test_what_is_below_the_root_is_published(place: Place) -> None:
    below = place.allowed / "november"
    below.mkdir()
    image = shutil.copy(place.allowed / "tools.iso", below)
    (below / "link.iso").symlink_to("../tools.iso")
    for path in (image, place.allowed, below / "link.iso", f"{below}/../tools.iso"):
        assert place.publish(path).rc == 0
    assert place.publish(image, root=f"{place.allowed}/").rc == 0
    assert place.publish(place.outside / "tools.iso", root="").rc == 0, "nothing is required without a root"
    assert place.publish(place.outside / "tools.iso", root="/").rc == 0


def test_a_root_may_be_a_link(place: Place, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(place.allowed)
    assert place.publish(place.allowed / "tools.iso", root=tmp_path / "current").rc == 0
    assert place.publish(tmp_path / "current" / "tools.iso", root=place.allowed).rc == 0


@pytest.mark.parametrize(
    "where", ["OUTSIDE", "OUTSIDE/tools.iso", "ALLOWED/../images-of-others/tools.iso", "/etc/passwd"]
)
def test_no_path_outside_the_root_is_published(place: Place, where: str) -> None:
    path = where.replace("OUTSIDE", str(place.outside)).replace("ALLOWED", str(place.allowed))
    said = place.refused(place.publish(place.allowed / "tools.iso", path))
    assert f"files: src {path} is not below {place.allowed} (publish_src_root)" in said
    assert SRC_ROOT in said


def test_what_is_not_there_is_told_from_what_is_by_nothing_outside_the_root(place: Place) -> None:
    there, missing = (place.refused(place.publish(place.outside / name)) for name in ("tools.iso", "gone.iso"))
    assert there.replace("tools.iso", "") == missing.replace("gone.iso", "")


@pytest.mark.parametrize("link", ["file", "directory"])
def test_no_link_leads_out_of_the_root(place: Place, link: str) -> None:
    if link == "file":
        path = place.allowed / "linked.iso"
        path.symlink_to(place.outside / "tools.iso")
    else:
        (place.allowed / "linked").symlink_to(place.outside)
        path = place.allowed / "linked" / "tools.iso"
    assert f"as it leads to {place.outside / 'tools.iso'}" in place.refused(place.publish(path))


@pytest.mark.parametrize("part", ["disk", "manifest", "certificate"])
def test_nothing_that_a_descriptor_brings_along_leads_out_of_the_root(place: Place, part: str) -> None:
    descriptor = make_package(place.allowed / "rocky9", signed="self-signed", disk_bytes=20_000).descriptor
    suffix = {"disk": ".vmdk", "manifest": ".mf", "certificate": ".cert"}[part]
    moved = next(path for path in descriptor.parent.iterdir() if path.suffix == suffix)
    shutil.move(moved, place.outside)
    moved.symlink_to(place.outside / moved.name)

    said = place.refused(place.publish(descriptor))

    assert f"{moved.name}, referenced by" in said or f"{moved.name} beside" in said
    assert f"leads to {place.outside / moved.name}" in said


def test_a_certificate_that_goes_along_is_from_below_the_root(place: Place) -> None:
    certificate = place.outside / "mirror.pem"
    shutil.copy(place.sim.ca_path, certificate)
    files = [{"url": "https://mirror.invalid/a.iso", "ssl_certificate": str(certificate)}]
    options = {"library": "templates", "library_item": "tools", "state": "done", "files": files}
    ran = run_module(UPDATE_SESSION, {**connection_args(place.sim), **options}, env={SRC_ROOT: str(place.allowed)})
    assert f"ssl_certificate {certificate} is not below {place.allowed}" in place.refused(ran)
    options = {"library": "templates", "library_item": "tools", "state": "done", "accepted_signer": str(certificate)}
    ran = run_module(UPDATE_SESSION, {**connection_args(place.sim), **options}, env={SRC_ROOT: str(place.allowed)})
    assert place.refused(ran).startswith(f"accepted_signer {certificate} is not below {place.allowed}")


def test_an_item_is_fetched_to_the_root_and_below(place: Place, tmp_path: Path) -> None:
    below = place.allowed / "fetched"
    below.mkdir()
    (tmp_path / "link").symlink_to(below)
    for dest in (place.allowed, below, tmp_path / "link"):
        assert place.fetch(dest).rc == 0
    assert place.fetch(place.outside, root="").rc == 0, "nothing is required without a root"


@pytest.mark.parametrize("link", [False, True], ids=["path", "link"])
def test_no_item_is_fetched_over_what_is_outside_the_root(place: Place, link: bool) -> None:
    code = place.outside / "site-packages"
    code.mkdir()
    dest = place.allowed / "linked" if link else code
    if link:
        dest.symlink_to(code)

    said = place.refused(place.fetch(dest))

    assert f"dest {dest} is not below {place.allowed} (fetch_dest_root)" in said
    assert list(code.iterdir()) == []
    place.refused(place.fetch(place.outside / "gone"))


@pytest.mark.parametrize("variable", [SRC_ROOT, DEST_ROOT])
def test_a_root_that_is_no_absolute_path_lets_nothing_through(place: Place, variable: str) -> None:
    ran = (
        place.publish(place.allowed / "tools.iso", root="images")
        if variable == SRC_ROOT
        else place.fetch(place.allowed, root="images")
    )
    said = place.refused(ran)
    assert variable in said
    assert "is 'images', which is not an absolute path" in said


def test_the_roots_are_two(place: Place) -> None:
    assert run_module(PATHS, {"src": ["/a"], "dest": "/b"}, env={SRC_ROOT: "/a", DEST_ROOT: "/b"}).rc == 0
    for options in ({"src": ["/a", "/b"]}, {"dest": "/a"}):
        ran = run_module(PATHS, options, env={SRC_ROOT: "/a", DEST_ROOT: "/b"}, check=True)
        assert ran.result["error"]["type"] == "INVALID_ARGUMENT"
        assert not ran.result.get("changed")
    shown = run_module(PATHS, {"src": ["https://me:S3cret-w0rd@mirror.invalid/a.iso"]}, env={SRC_ROOT: "/a"})
    assert "S3cret-w0rd" not in shown.stdout
    assert run_module(PATHS, {"src": ["/b"], "dest": "/a"}).result["changed"] is False


def test_the_report_of_a_check_is_written_below_the_root(place: Place) -> None:
    outside = place.outside / "report.json"
    assert f"report {outside} is not below {place.allowed} (fetch_dest_root)" in place.refused(place.check(outside))
    assert not outside.exists()
    assert place.check(place.allowed / "report.json").result["report"] == str(place.allowed / "report.json")


def sources_of(*paths: Path, recurse: bool = True, root: object = "") -> ModuleResult:
    options = {"src": [str(path) for path in paths], "recurse": recurse}
    return run_module(PATHS, options, env={SRC_ROOT: str(root)})


def test_what_stands_at_each_path_is_told(place: Place) -> None:
    folder = place.allowed
    below = folder / "below"
    (below / "deep").mkdir(parents=True)
    make_iso(below / "deep" / "Rocky.OVA", 1000)
    (folder / "latest.iso").symlink_to(folder / "tools.iso")
    (below / "again").symlink_to(folder)
    for name in ("tools.iso.part", "readme.txt", ".tools.iso"):
        (folder / name).touch()
    (folder / ".snapshot").mkdir()
    (folder / ".snapshot" / "old.iso").touch()
    missing, file = folder / "gone.iso", folder / "tools.iso"

    ran = sources_of(missing, file, folder)

    assert ran.result["sources"] == [
        {"path": str(missing), "exists": False, "is_directory": False, "images": []},
        {"path": str(file), "exists": True, "is_directory": False, "images": []},
        {
            "path": str(folder),
            "exists": True,
            "is_directory": True,
            "images": [str(below / "deep" / "Rocky.OVA"), str(folder / "latest.iso"), str(folder / "tools.iso")],
        },
    ]
    (flat,) = sources_of(folder, recurse=False).result["sources"]
    assert flat["images"] == [str(folder / "latest.iso"), str(folder / "tools.iso")]
    (inner,) = sources_of(below).result["sources"]
    assert [Path(path).name for path in inner["images"]] == ["latest.iso", "tools.iso", "Rocky.OVA"]


def test_no_directory_outside_the_root_is_listed(place: Place) -> None:
    (place.allowed / "linked").symlink_to(place.outside)
    said = place.refused(sources_of(place.allowed, root=place.allowed))
    assert f"src {place.allowed / 'linked'} is not below {place.allowed}" in said
    assert "tools.iso" not in said


def test_what_cannot_be_looked_at_is_not_missing(place: Place) -> None:
    # Not even the superuser can follow more links than the kernel does.
    loop = place.allowed / "loop"
    loop.symlink_to(loop)
    said = place.refused(sources_of(loop / "images"))
    assert f"src {loop / 'images'} cannot be looked at: Too many levels" in said
