# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What SECURITY.md tells those to do who want to know whether a release is ours, on one that is signed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.checkout import NAME
from tools.environment import check_environment
from tools.release import sign
from tools.staging import stage


@dataclass(frozen=True)
class Download:
    """A folder with a release, and somebody who has our key and runs commands there."""

    folder: Path
    env: Mapping[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def installed(self) -> Path:
        return self.folder.joinpath("collections", *NAME)

    def verify(self) -> subprocess.CompletedProcess[str]:
        """By the name, as ansible-galaxy looks the collection up where it is installed."""
        signature = (self.folder / "MANIFEST.json.asc").as_uri()
        ours = ["--keyring", str(self.folder / "keyring.gpg"), "--signature", signature]
        return self.run("ansible-galaxy", "collection", "verify", "--offline", *ours, ".".join(NAME[-2:]))


@pytest.fixture(scope="module")
def gpg_home() -> Iterator[Mapping[str, str]]:
    """A throw-away key. The path is short, as a socket of gpg's agent stands there."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        env = {**check_environment(os.environ), "GNUPGHOME": home}
        make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "Release <release@example.com>"]
        subprocess.run(make, env=env, check=True)
        yield env
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=env, check=True)


@pytest.fixture
def download(gpg_home: Mapping[str, str], tmp_path: Path) -> Download:
    staged = stage(tmp_path / "staged")
    found = Download(
        tmp_path / "release", {**gpg_home, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "release/collections")}
    )
    found.folder.mkdir()
    assert found.run("ansible-galaxy", "collection", "build", str(staged)).returncode == 0
    shutil.rmtree(tmp_path / "staged")
    (tarball,) = found.folder.glob("*.tar.gz")
    sign(tarball, env=gpg_home)
    assert found.run("gpg", "--batch", "--output", "keyring.gpg", "--export").returncode == 0
    return found


@pytest.mark.rest
def test_a_release_is_verified_as_the_page_says(download: Download) -> None:
    assert download.run("gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS").returncode == 0
    assert download.run("sha256sum", "--check", "SHA256SUMS").returncode == 0
    (tarball,) = download.folder.glob("*.tar.gz")
    assert download.run("ansible-galaxy", "collection", "install", "--offline", str(tarball)).returncode == 0
    verified = download.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr

    # What was changed afterwards is seen, and so is a manifest that was made to fit.
    module = download.installed / "plugins" / "modules" / "content_library_item.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = download.verify()
    assert changed.returncode != 0
    assert "plugins/modules/content_library_item.py" in changed.stdout
    manifest = download.installed / "MANIFEST.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert download.verify().returncode != 0


def test_a_download_that_was_changed_is_seen(download: Download) -> None:
    (tarball,) = download.folder.glob("*.tar.gz")
    with tarball.open("ab") as file:
        file.write(b"more")
    assert download.run("sha256sum", "--check", "SHA256SUMS").returncode != 0
    sums = download.folder / "SHA256SUMS"
    sums.write_text(sums.read_text(encoding="utf-8").upper(), encoding="utf-8")
    assert download.run("gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS").returncode != 0
