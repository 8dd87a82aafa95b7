# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder makes of the collection; no container engine is needed for that."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.vsphere.content.plugins.module_utils._connection import OLDEST_LIBRARIES
from tests.harness.checkout import ROOT, collections_root
from tools.environment import check_environment
from tools.sanity import SUPPORTED

DEFINITION = ROOT / "execution-environment.yml"


def builder(*arguments: str) -> str:
    ran = subprocess.run(
        ["ansible-builder", *arguments], env=check_environment(os.environ), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    return loaded


def test_the_build_context_holds_the_collection_and_a_recipe(tmp_path: Path) -> None:
    builder("create", "--file", str(DEFINITION), "--context", str(tmp_path), "--output-filename", "Containerfile")

    wanted = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted == {"collections": [{"name": "vsphere.content"}]}
    recipe = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'EE_BASE_IMAGE="{definition()["images"]["base_image"]["name"]}"' in recipe
    python = definition()["dependencies"]["python_interpreter"]
    assert f'PYCMD="{python["python_path"]}"' in recipe
    assert f'PYPKG="{python["package_system"]}"' in recipe
    assert "ansible-galaxy collection install" in recipe
    for package in ("ansible-core", "ansible-runner"):
        assert package in recipe


def test_the_python_is_one_that_the_collection_is_tested_with() -> None:
    """By its version: what an image calls python3 may be any other one day."""
    python = definition()["dependencies"]["python_interpreter"]
    name = python["package_system"]
    assert python["python_path"] == f"/usr/bin/{name}"
    assert name.removeprefix("python") in SUPPORTED


def test_introspection_finds_what_the_modules_need() -> None:
    found = yaml.safe_load(builder("introspect", str(collections_root())))
    assert [line.partition("#")[0].strip() for line in found["python"]] == [
        f"{name}>={'.'.join(map(str, oldest))}" for name, oldest in OLDEST_LIBRARIES.items()
    ]
    assert not found["system"]
