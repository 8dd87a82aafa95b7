# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""govc and openssl judge packages that our tasks publish; both know nothing of this code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.boxes import LINE, Box, named
from tests.harness.held import contents
from tests.harness.packages import ACCEPTED, make_package
from tests.harness.tasks import Tasks, publish
from tests.peers.programs import Govc
from tests.simulator import Simulator, Store

BOXES: dict[str, Box] = {
    "one disk": named("disk.vmdk"),
    "ten disks": named(*(f"disk{number}.vmdk" for number in range(10))),
    "a blank": named("my disk.vmdk"),
    "an ideographic space": named("検証\u3000機.vmdk"),
    "a joiner": named("vm-👩\u200d💻.vmdk"),
    "a colon": named("vm: 2.vmdk"),
    "SHA1": Box(manifest=(LINE, "SHA1")),
    "SHA512": Box(manifest=(LINE, "SHA512")),
}


def openssl(*arguments: str | Path) -> str:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not there")
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("shape", ["directory", "OVA"])
@pytest.mark.parametrize("feature", BOXES)
def test_govc_exports_what_we_publish_and_imports_what_we_find(
    programs: Path, sim: Simulator, tmp_path: Path, feature: str, shape: str
) -> None:
    box, govc = BOXES[feature], Govc(programs, sim, tmp_path)
    path = box.write(tmp_path / "box", shape)
    tasks = Tasks(sim, "api")
    run = tasks.run(**publish(path, {"library": "templates", "library_item": "rocky9"}))
    assert run.changed, run.msg
    (tmp_path / "exported").mkdir()
    govc("library.export", "/templates/rocky9", str(tmp_path / "exported"))
    exported = {file.name: file.read_bytes() for file in (tmp_path / "exported").rglob("*") if file.is_file()}
    assert exported == box.contents()
    govc("library.import", "-m", "-n", "imported", "templates", str(path))
    assert contents(sim, "imported") == box.contents()
    again = tasks.run(**publish(path, {"library": "templates", "library_item": "imported"}))
    assert (again.changed, again.mutations) == (False, [])


@pytest.mark.parametrize("feature", ["one disk", "SHA1", "SHA512"])
def test_openssl_computes_the_digests_that_we_refuse_others_for(sim: Simulator, tmp_path: Path, feature: str) -> None:
    box = BOXES[feature]
    descriptor = box.write(tmp_path / "box", "directory")
    _form, label = box.manifest or ("", "")
    for name, digest in re.findall(r"\((.+)\)= (.+)", (tmp_path / "box" / "box.mf").read_text()):
        said = openssl("dgst", "-r", f"-{label.lower()}", tmp_path / "box" / name)
        assert said.split()[0] == digest
    (tmp_path / "box" / "disk.vmdk").write_bytes(b"another one")
    run = Tasks(sim, "api").run(**publish(descriptor, {"library": "templates", "library_item": "rocky9"}))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert openssl("dgst", "-r", f"-{label.lower()}", tmp_path / "box" / "disk.vmdk").split()[0] in run.msg


def test_openssl_verifies_the_signature_that_we_send(sim: Simulator, tmp_path: Path) -> None:
    package = make_package(tmp_path / "package", disks=1, disk_bytes=9000, signed="self-signed")
    declared = publish(package.descriptor, {"library": "templates", "library_item": "rocky9"}, state="active")
    run = Tasks(sim, "api").run(**declared, warning_behavior=ACCEPTED)
    assert run.changed, run.msg

    def received(store: Store) -> dict[str, bytes]:
        (session,) = store.updates.sessions.values()
        return {name: entry.blob.read(0, entry.blob.size) for name, entry in session.files.items() if entry.blob}

    sent = sim.run(received)
    for name in ("rocky9.mf", "rocky9.cert"):
        (tmp_path / name).write_bytes(sent[name])
    (tmp_path / "signature").write_bytes(bytes.fromhex(sent["rocky9.cert"].split(b"\n")[0].split(b"= ")[1].decode()))
    (tmp_path / "key").write_text(openssl("x509", "-pubkey", "-noout", "-in", tmp_path / "rocky9.cert"))
    verify = ("dgst", "-sha256", "-verify", tmp_path / "key", "-signature", tmp_path / "signature")
    assert "Verified OK" in openssl(*verify, tmp_path / "rocky9.mf")
