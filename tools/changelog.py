# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes CHANGELOG.rst, or, with ``--check``, compares it with the fragments.

It shows unreleased changes under the version in galaxy.yml, and keeps their fragments.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.harness.checkout import CACHE, ROOT
from tools.staging import stage

NAME = "CHANGELOG.rst"


def action(copy: Path) -> list[str]:
    """The command that makes the page in a copy of the checkout; before a release, from the fragments for it."""
    version = yaml.safe_load((copy / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    changes = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    return ["antsibull-changelog", "generate" if version in changes["releases"] else "release"]


def made() -> str:
    """The page as it should be. Raises CalledProcessError if it cannot be made."""
    copy = stage(CACHE / "changelog")
    subprocess.run(action(copy), cwd=copy, check=True)
    return (copy / NAME).read_text(encoding="utf-8")


def main(arguments: Sequence[str], page: Path = ROOT / NAME) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if there is something to write")
    wanted = made()
    if parser.parse_args(arguments).check:
        if page.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{NAME} is not what the fragments make of it: make changelog")
        return 1
    page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
