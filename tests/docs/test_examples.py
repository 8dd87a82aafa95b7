# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each example of the documentation runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks, documents, modules
from tests.docs.scene import Scene, playbook_commands
from tests.harness.checkout import ROOT

# Tasks of EXAMPLES that tell a story of their own, which what stands before them must not have told already.
ANEW = frozenset({"Fill a session, and look at it before anything is published"})
PLAYED = [path for path in modules() + documents() if any(block.is_played for block in blocks(path))]
#: The first screen, and the module that does the main job.
ON_EACH_PUSH = {ROOT / "README.md", ROOT / "plugins" / "modules" / "content_library_update_session.py"}
COMMANDED = [path for path in documents() if playbook_commands(blocks(path))]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(ROOT)), marks=() if path in ON_EACH_PUSH else pytest.mark.rest)
        for path in PLAYED
    ],
)
def test_the_examples_of_a_page_run(scene: Scene, path: Path) -> None:
    chosen = [block for block in blocks(path) if block.is_played]
    outcome = scene.play(chosen, ANEW)
    assert outcome.code == 0, outcome.output
    assert not outcome.skipped, f"these examples have shown nothing: {outcome.skipped}"
    assert scene.sim.run(lambda store: store.logins.count) == 0, "a login was left behind"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(ROOT)), marks=() if path in ON_EACH_PUSH else pytest.mark.rest)
        for path in COMMANDED
    ],
)
def test_the_playbooks_of_a_page_run(scene: Scene, path: Path) -> None:
    for command, outcome in scene.run_playbooks(blocks(path)).items():
        assert outcome.code == 0, f"{command}\n{outcome.output}"
        assert "no hosts matched" not in outcome.output


def test_each_playbook_of_the_collection_is_run_by_its_name() -> None:
    shown = [command for path in COMMANDED for command in playbook_commands(blocks(path))]
    for playbook in (ROOT / "playbooks").glob("*.yml"):
        assert any(f" vsphere.content.{playbook.stem}" in command for command in shown), playbook.stem
    assert any("--check" in command for command in shown)


def test_a_dictionary_is_defaults_or_says_why_it_is_not_run(scene: Scene) -> None:
    with pytest.raises(ValueError, match="no comment says why"):
        scene.play([Block("yaml", "hosts: all\n")], ANEW)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_has_examples(path: Path) -> None:
    assert any(block.content({}) for block in blocks(path))
