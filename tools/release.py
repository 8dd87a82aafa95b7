# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signs a tarball, so that whoever has it from anywhere can see that it is whole, and ours.

Beside it then stand SHA256SUMS with a signature, for a download, and MANIFEST.json.asc, by which ansible-galaxy
verifies an installed collection: the manifest holds the checksum of each file.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.harness.checkout import CACHE, ROOT

MANIFEST = "MANIFEST.json"
SUMS = "SHA256SUMS"


def sign(tarball: Path, key: str = "", env: Mapping[str, str] | None = None) -> list[Path]:
    """Write what goes with a tarball beside it. ``key`` names one of gpg's, by default the user's first.

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", default="", help="the key to sign with, as gpg's --local-user takes it")
    key = parser.parse_args().key
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True).stdout:
        print("There are changes that are not committed. Commit them or put them away, as a release is what is tagged.")
        return 1
    (tarball,) = (CACHE / "dist").glob("*.tar.gz")
    for path in [tarball, *sign(tarball, key)]:
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
