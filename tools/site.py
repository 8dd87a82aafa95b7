# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation site from modules and guides; any warning is an error."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT

SITE = CACHE / "site"
COLLECTION = "vsphere.content"

# The labels of Ansible's documentation that ours refers to. If the site cannot be reached, the generated configuration
# uses these files, so a build without a network still has links.
FOREIGN_LABELS = {
    "ansible_devel": {
        "ansible_collections.ansible.builtin.copy_module": "collections/ansible/builtin/copy_module.html",
        "ansible_collections.ansible.builtin.file_module": "collections/ansible/builtin/file_module.html",
        "ansible_collections.ansible.builtin.get_url_module": "collections/ansible/builtin/get_url_module.html",
        "ansible_configuration_settings": "reference_appendices/config.html",
        "action_plugins": "plugins/action.html",
        "common_return_values": "reference_appendices/common_return_values.html",
    },
    "jinja2": {},
    "python2": {},
    "python3": {},
}

# Settings that the generated configuration does not offer.
STYLE = "\nhtml_static_path = ['static']\nhtml_css_files = ['site.css']\n"

Run = Callable[[list[str], Path], "tuple[int, str]"]


def build_site(run: Run) -> tuple[list[str], Path]:
    """Build the site; returns what is wrong, and the first page."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    # antsibull-docs refuses a folder that others may write to.
    (SITE / "rst").mkdir(mode=0o755)
    shutil.copytree(ROOT / "docs" / "images", SITE / "rst" / "images")
    (SITE / "static").mkdir()
    shutil.copy(ROOT / "tools" / "site.css", SITE / "static")
    for name, labels in FOREIGN_LABELS.items():
        (SITE / f"{name}.inv").write_bytes(inventory(name, labels))
    shown = ["--use-current", "--squash-hierarchy", "--fail-on-error"]
    names = ["--project", COLLECTION, "--title", COLLECTION, "--copyright", f"The {COLLECTION} authors"]
    if run(["antsibull-docs", "sphinx-init", *shown, *names, "--dest-dir", str(SITE), COLLECTION], SITE)[0]:
        return ["antsibull-docs sphinx-init failed"], SITE
    with (SITE / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(STYLE)
    for command in (
        [
            "antsibull-docs",
            "--config-file",
            "antsibull-docs.cfg",
            "collection",
            *shown,
            "--dest-dir",
            "rst",
            COLLECTION,
        ],
        ["sphinx-build", "-M", "html", "rst", "build", "-c", ".", "--fail-on-warning", "--keep-going", "--quiet"],
    ):
        if run(command, SITE)[0]:
            return [f"{' '.join(command[:2])} failed"], SITE
    return [], SITE / "build" / "html" / "index.html"


def inventory(project: str, labels: dict[str, str]) -> bytes:
    """The labels of a site in Sphinx's inventory format."""
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in labels.items())
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    return f"{head}# The remainder of this file is compressed using zlib.\n".encode() + zlib.compress(lines.encode())
