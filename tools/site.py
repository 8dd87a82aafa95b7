# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation's site from modules and guides, where any warning is an error."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT

SITE = CACHE / "site"
COLLECTION = "vsphere.content"

# The labels of Ansible's own documentation that ours refers to. The generated configuration looks for these files when
# the sites themselves cannot be reached, so that a build needs no network and links all the same.
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

# What the generated configuration does not offer to set.
STYLE = "\nhtml_static_path = ['static']\nhtml_css_files = ['site.css']\n"

Run = Callable[[list[str], Path], "tuple[int, str]"]


def build_site(run: Run) -> tuple[list[str], Path]:
    """Build the site; return what is wrong, and its first page."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    # antsibull-docs writes only where nobody else may.
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
    """The labels of a site in the format that Sphinx exchanges them in."""
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in labels.items())
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    return f"{head}# The remainder of this file is compressed using zlib.\n".encode() + zlib.compress(lines.encode())
