# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of awx/nightly as data, for tests that run the job that they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.harness.checkout import ROOT

NIGHTLY = ROOT / "awx" / "nightly"


def commands_of(script: Path) -> list[str]:
    """The commands of a script, each in one line."""
    lines = script.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def options_of(words: Sequence[str]) -> dict[str, str]:
    """The long options of a command with their values; "" for one without. What is no option is left out."""
    found = {}
    for word, value in zip(words, [*words[1:], "--"]):
        if word.startswith("--"):
            found[word[2:]] = "" if value.startswith("--") else value
    return found
