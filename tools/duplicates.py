# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds lines that stand twice under plugins: pylint's duplicate-code, of six lines or more.

What Ansible wants each module to have of its own is left out: its documentation and its argument spec.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT

MOST_PAIRS = 10
LEAST_LINES = 6
OF_EACH_MODULE = {"DOCUMENTATION", "EXAMPLES", "RETURN", "argument_spec"}
# pylint tells of more lines than it is given.
PYLINT = (
    *("pylint", "--disable=all", "--enable=duplicate-code", f"--min-similarity-lines={LEAST_LINES - 1}"),
    *("--ignore-imports=yes", "--ignore-signatures=yes", "--ignore-docstrings=yes", "--ignore-comments=yes"),
)
FOUND = "R0801"
# The bits of pylint's exit code that say that it has not done its work: a fatal message, a usage error.
FAILED_ITSELF = 1 | 32


def without_what_each_has(source: str) -> str:
    """A module's code with a blank line for each that Ansible wants it to have, so that line numbers stay."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        names = {getattr(node, "name", "")}
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if names & OF_EACH_MODULE:
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(lines)


def copies(plugins: Path, folder: Path) -> list[str]:
    """The files to compare, in a folder that is only for them."""
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    for path in sorted(plugins.rglob("*.py")):
        if "doc_fragments" in path.parts:
            continue
        copy = folder / path.relative_to(plugins)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(without_what_each_has(path.read_text(encoding="utf-8")), encoding="utf-8")
        made.append(str(copy))
    return made


def main(plugins: Path = ROOT / "plugins", folder: Path = CACHE / "duplicates") -> int:
    files = copies(plugins, folder)
    ran = subprocess.run([sys.executable, "-m", *PYLINT, *files], capture_output=True, text=True, check=False)
    print(ran.stdout, ran.stderr)
    pairs = ran.stdout.count(FOUND)
    print(f"{pairs} pairs of places share {LEAST_LINES} lines or more; {MOST_PAIRS} may")
    return int(pairs > MOST_PAIRS or bool(ran.returncode & FAILED_ITSELF))


if __name__ == "__main__":
    sys.exit(main())
