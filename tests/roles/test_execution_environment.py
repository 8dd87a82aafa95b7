# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder makes of the collection; no container engine is needed for that."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from tests.harness.checkout import ROOT, collections_root
from tools.environment import check_environment


def builder(*arguments: str) -> str:
    ran = subprocess.run(
        ["ansible-builder", *arguments], env=check_environment(os.environ), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_build_context_holds_the_collection_and_a_recipe(tmp_path: Path) -> None:
    definition = ROOT / "execution-environment.yml"
    builder("create", "--file", str(definition), "--context", str(tmp_path), "--output-filename", "Containerfile")

    wanted = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted == {"collections": [{"name": "vsphere.content"}]}
    recipe = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'EE_BASE_IMAGE="{yaml.safe_load(definition.read_text())["images"]["base_image"]["name"]}"' in recipe
    assert "ansible-galaxy collection install" in recipe
    for package in ("ansible-core", "ansible-runner"):
        assert package in recipe


def test_introspection_finds_what_the_modules_need() -> None:
    found = yaml.safe_load(builder("introspect", str(collections_root())))
    assert [line.partition("#")[0].strip() for line in found["python"]] == ["requests>=2.28"]
    assert not found["system"]
