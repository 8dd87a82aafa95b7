# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder makes of the collection; no container engine is needed for that."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.adapters import OLDEST_LIBRARIES
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
    assert wanted == {"collections": [{"name": "vsphere.content", "version": released_version()}]}
    recipe = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'EE_BASE_IMAGE="{definition()["images"]["base_image"]["name"]}"' in recipe
    python = definition()["dependencies"]["python_interpreter"]
    assert f'PYCMD="{python["python_path"]}"' in recipe
    assert f'PYPKG="{python["package_system"]}"' in recipe
    assert "ansible-galaxy collection install" in recipe
    for package in ("ansible-core", "ansible-runner"):
        assert package in recipe


def released_version() -> str:
    version: str = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    return version


def test_nothing_in_it_is_open_to_what_comes() -> None:
    image = definition()["images"]["base_image"]["name"]
    assert re.fullmatch(r"[a-z./0-9]+:[\w.]+@sha256:[0-9a-f]{64}", image)
    wanted = definition()["dependencies"]
    packages = [wanted["ansible_core"]["package_pip"], wanted["ansible_runner"]["package_pip"], *wanted["python"]]
    bounded = {requirement.name for requirement in map(Requirement, packages) if "<" in str(requirement.specifier)}
    assert bounded == {"ansible-core", "ansible-runner", *OLDEST_LIBRARIES}


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
