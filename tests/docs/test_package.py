# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said about a tarball that lacks something, or holds too much."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tools.package import dead_links, missing, strays


def pack(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"README.md": "[a](SECURITY.md), [b](docs/a.md#part)", "SECURITY.md": "", "docs/a.md": ""}, []),
        ({"README.md": "[a](https://example.com/a), [b](#part)"}, []),
        ({"docs/a.md": "[a](../SECURITY.md)"}, ["docs/a.md links to what is not there: ../SECURITY.md"]),
        ({"docs/a.md": "[a](b.md)", "b.md": ""}, ["docs/a.md links to what is not there: b.md"]),
    ],
)
def test_links_to_what_is_not_in_the_tarball(files: dict[str, str], found: list[str], tmp_path: Path) -> None:
    assert dead_links(pack(tmp_path / "tarball", files)) == found


def test_what_is_promised_is_in_the_tarball(tmp_path: Path) -> None:
    tarball = pack(tmp_path / "tarball", {"roles/fetch/tasks/main.yml": "", "playbooks/fetch.yml": ""})
    known = ["roles/fetch/tasks/main.yml", "playbooks/fetch.yml", "awx/project/fetch.yml", "tools/site.py"]
    assert missing(tarball, known) == ["missing: awx/project/fetch.yml"]


def test_what_is_for_developers_is_not(tmp_path: Path) -> None:
    names = ["README.md", "SECURITY.md", "awx/project/fetch.yml", "extensions/molecule/config.yml", "tools/site.py"]
    assert strays(pack(tmp_path / "tarball", dict.fromkeys(names, ""))) == [
        "not for users: extensions/molecule/config.yml",
        "not for users: tools/site.py",
    ]
