# /// script
# dependencies = ["nox>=2025.2.9", "antsibull-nox>=1.10,<2"]
# ///
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks under the names that they have in other collections: ``nox --list``.

Each session runs steps of ``tools.check`` with what ``make venv`` has made, so that there is one of each check.
"""

from __future__ import annotations

import antsibull_nox
import nox

antsibull_nox.load_antsibull_nox_toml()

#: The arguments of `tools.check` for each session; nox by itself runs the first one, which is what each push runs.
SESSIONS = {
    "test": [],
    "test-all": ["--all"],
    "lint": ["ruff", "ruff-format", "types"],
    "docs-check": ["docs", "changelog"],
    "license-check": ["reuse"],
    "ansible-lint": ["ansible-lint"],
    "build-import-check": ["package"],
    "ansible-test-sanity": ["sanity", "sanity-oldest"],
    "ansible-test-units": ["ansible-test-units"],
    "molecule": ["molecule"],
}


def add_session(name: str, arguments: list[str]) -> None:
    def run(session: nox.Session) -> None:
        session.run(".venv/bin/python", "-m", "tools.check", *arguments, *session.posargs, external=True)

    run.__doc__ = f"Run {' '.join(['python -m tools.check', *arguments])}."
    nox.session(run, name=name, venv_backend="none", default=name == "test")


for each in SESSIONS.items():
    add_session(*each)
