# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the tarball from a staged copy, installs and tries it as a user would, and reports what is wrong."""

from __future__ import annotations

import posixpath
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from tests.harness.checkout import CACHE, NAME
from tools import changelog
from tools.staging import listed_files, stage

# Everything that a user gets. A new entry is a decision; anything else in the tarball is there by mistake.
WANTED = re.compile(
    r"^(?:\.ansible-lint|FILES\.json|MANIFEST\.json|CHANGELOG\.rst|LICENSE|MAINTAINERS"
    r"|(?:CODE_OF_CONDUCT|CONTRIBUTING|README|SECURITY)\.md"
    r"|execution-environment\.yml|requirements\.txt"
    r"|(?:LICENSES|awx|changelogs|demo|docs|meta|playbooks|plugins|roles)(?:/.*)?"
    r"|tests|tests/harness(?:/(?:__init__|packages)\.py)?|tests/simulator(?:/.*)?)$"
)
# The documentation tells users to run and to copy these.
PROMISED = ("awx/", "playbooks/", "roles/")
LINK = re.compile(r"\]\(((?!https?:|#)[^)#]+)")
COMPLAINT = re.compile(r"\b(?:ERROR|WARNING)\b")

Run = Callable[[list[str], Path], "tuple[int, str]"]


def build(run: Run) -> tuple[list[str], Path]:
    """Build the tarball; return what is wrong, and where it is."""
    copy = stage(CACHE / "package")
    metadata = yaml.safe_load((copy / "galaxy.yml").read_text(encoding="utf-8"))
    target = CACHE / "dist"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    tarball = target / f"{metadata['namespace']}-{metadata['name']}-{metadata['version']}.tar.gz"
    for command in (
        changelog.action(copy),
        ["ansible-galaxy", "collection", "build", str(copy), "--output-path", str(target)],
    ):
        if run(command, copy)[0]:
            return [f"{' '.join(command[:2])} failed"], tarball
    found = strays(tarball) + missing(tarball, listed_files()) + dead_links(tarball)
    return found + import_complaints(run, tarball) + install_complaints(run, tarball), tarball


def strays(tarball: Path) -> list[str]:
    with tarfile.open(tarball) as archive:
        return [f"not for users: {name}" for name in archive.getnames() if not WANTED.match(name)]


def missing(tarball: Path, known: Sequence[str]) -> list[str]:
    with tarfile.open(tarball) as archive:
        packed = set(archive.getnames())
    return [f"missing: {name}" for name in known if name.startswith(PROMISED) and name not in packed]


def dead_links(tarball: Path) -> list[str]:
    """The links in pages to files that a user does not get."""
    found = []
    with tarfile.open(tarball) as archive:
        packed = set(archive.getnames())
        for page in sorted(name for name in packed if name.endswith(".md")):
            stream = archive.extractfile(page)
            targets = LINK.findall(stream.read().decode()) if stream else ()
            aims = {target: posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) for target in targets}
            found += [
                f"{page} links to what is not there: {target}" for target, aim in aims.items() if aim not in packed
            ]
    return found


def import_complaints(run: Run, tarball: Path) -> list[str]:
    # The importer writes a file into the current directory, and its exit code ignores most of its findings.
    scratch = CACHE / "importer"
    scratch.mkdir(parents=True, exist_ok=True)
    code, output = run(["python", "-m", "galaxy_importer.main", str(tarball)], scratch)
    complaints = [line for line in output.splitlines() if COMPLAINT.search(line)]
    return complaints or (["galaxy-importer failed"] if code else [])


def install_complaints(run: Run, tarball: Path) -> list[str]:
    # Outside the checkout: there, a file that the tarball lacks would still be found.
    with tempfile.TemporaryDirectory() as empty:
        place = Path(empty)
        # Other paths have the collection already: the checkout.
        alone = ["env", f"ANSIBLE_COLLECTIONS_PATH={empty}"]
        if run([*alone, "ansible-galaxy", "collection", "install", "--offline", str(tarball)], place)[0]:
            return ["the tarball cannot be installed"]
        if run([*alone, "ansible-playbook", "vsphere.content.sessions", "--syntax-check"], place)[0]:
            return ["a playbook of the installed tarball is not found by its name"]
        demo = place.joinpath(*NAME, "demo", "run")
        return ["the demo of the installed tarball failed"] if run(["bash", str(demo)], place)[0] else []
