# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the tarball from a staged copy, tries it as somebody who installs it, and says what is wrong with it."""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.harness.checkout import CACHE, NAME
from tools.staging import stage

# All that a user gets. A new entry is a decision: anything else in the tarball has strayed in.
WANTED = re.compile(
    r"^(?:FILES\.json|MANIFEST\.json|CHANGELOG\.rst|LICENSE|README\.md|execution-environment\.yml|requirements\.txt"
    r"|(?:LICENSES|awx|changelogs|demo|docs|meta|playbooks|plugins|roles)(?:/.*)?"
    r"|tests|tests/harness(?:/(?:__init__|packages)\.py)?|tests/simulator(?:/.*)?)$"
)
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
        ["antsibull-changelog", changelog_action(copy, metadata["version"])],
        ["ansible-galaxy", "collection", "build", str(copy), "--output-path", str(target)],
    ):
        if run(command, copy)[0]:
            return [f"{' '.join(command[:2])} failed"], tarball
    return strays(tarball) + import_complaints(run, tarball) + demo_complaints(run, tarball), tarball


def changelog_action(copy: Path, version: str) -> str:
    """Say how to make CHANGELOG.rst, which no checkout holds: before a release, from the fragments of that release."""
    changes = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    return "generate" if version in changes["releases"] else "release"


def strays(tarball: Path) -> list[str]:
    with tarfile.open(tarball) as archive:
        return [f"not for users: {name}" for name in archive.getnames() if not WANTED.match(name)]


def import_complaints(run: Run, tarball: Path) -> list[str]:
    # The importer leaves a file of results in the current directory, and its exit code hides most of what it says.
    scratch = CACHE / "importer"
    scratch.mkdir(parents=True, exist_ok=True)
    code, output = run(["python", "-m", "galaxy_importer.main", str(tarball)], scratch)
    complaints = [line for line in output.splitlines() if COMPLAINT.search(line)]
    return complaints or (["galaxy-importer failed"] if code else [])


def demo_complaints(run: Run, tarball: Path) -> list[str]:
    # Outside the checkout, where a file that is missing from the tarball would still be found.
    with tempfile.TemporaryDirectory() as empty:
        place = Path(empty)
        # Elsewhere it is installed already, in the checkout's own path.
        alone = ["env", f"ANSIBLE_COLLECTIONS_PATH={empty}"]
        if run([*alone, "ansible-galaxy", "collection", "install", "--offline", str(tarball)], place)[0]:
            return ["the tarball cannot be installed"]
        demo = place.joinpath(*NAME, "demo", "run")
        return ["the demo of the installed tarball failed"] if run(["bash", str(demo)], place)[0] else []
