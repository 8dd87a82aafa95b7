# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signs a tarball, so that everybody who gets it, from anywhere, can verify that it is complete and ours.

It writes SHA256SUMS with a signature, for downloads, and MANIFEST.json.asc, by which ansible-galaxy verifies an
installed collection: the manifest holds the checksum of each file.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.harness.checkout import CACHE, ROOT

MANIFEST = "MANIFEST.json"
SUMS = "SHA256SUMS"


def sign(tarball: Path, key: str = "", env: Mapping[str, str] | None = None) -> list[Path]:
    """Write the checksums and signatures beside a tarball. ``key`` names a key of gpg, by default the user's first.

    Raises CalledProcessError if gpg cannot sign.
    """
    folder = tarball.parent
    sums = folder / SUMS
    sums.write_text(f"{hashlib.sha256(tarball.read_bytes()).hexdigest()}  {tarball.name}\n", encoding="utf-8")
    with tarfile.open(tarball) as archive:
        stream = archive.extractfile(MANIFEST)
        manifest = stream.read() if stream else b""
    whose = [f"--local-user={key}"] if key else []
    signatures = {folder / f"{SUMS}.asc": sums.read_bytes(), folder / f"{MANIFEST}.asc": manifest}
    for signature, content in signatures.items():
        command = ["gpg", "--batch", "--yes", "--armor", *whose, f"--output={signature}", "--detach-sign"]
        subprocess.run(command, input=content, env=env, check=True)
    return [sums, *signatures]


def what_is_wrong_with(tag: str) -> str:
    """Why a tag cannot be released; an empty text if it is the version."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    return "" if tag == version else f"The tag is {tag}, and the version in galaxy.yml {version}."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", default="", help="the key to sign with, as gpg's --local-user takes it")
    parser.add_argument("--tag", help="sign nothing, and see whether this tag is the version")
    options = parser.parse_args()
    if options.tag is not None:
        print(wrong := what_is_wrong_with(options.tag))
        return int(bool(wrong))
    key = options.key
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True).stdout:
        print("There are changes that are not committed. Commit them or put them away, as a release is what is tagged.")
        return 1
    (tarball,) = (CACHE / "dist").glob("*.tar.gz")
    for path in [tarball, *sign(tarball, key)]:
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
