# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each example of the documentation runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import blocks, documents, modules
from tests.docs.scene import Scene

# Tasks of EXAMPLES that tell a story of their own, which what stands before them must not have told already.
ANEW = frozenset({"Fill a session, and look at it before anything is published"})


def _runnable(path: Path) -> bool:
    return any(block.is_run and isinstance(block.content({}), list) for block in blocks(path))


@pytest.mark.parametrize(
    "path", [path for path in modules() + documents() if _runnable(path)], ids=lambda path: path.name
)
def test_the_examples_of_a_page_run(scene: Scene, path: Path) -> None:
    chosen = [block for block in blocks(path) if block.is_run]
    outcome = scene.play(chosen, ANEW)
    assert outcome.code == 0, outcome.output
    assert not outcome.skipped, f"these examples have shown nothing: {outcome.skipped}"
    assert scene.sim.run(lambda store: store.logins.count) == 0, "a login was left behind"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.name)
def test_each_module_has_examples(path: Path) -> None:
    assert any(block.content({}) for block in blocks(path))
