# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""accepted_signer: a package passes in spite of its warnings if this signer, and no other, has signed it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import begin_update, contents, hold, update_states
from tests.harness.packages import (
    ACCEPTED,
    Package,
    certificate_in,
    kept_of,
    make_iso,
    make_ova,
    make_package,
    signer_in,
)
from tests.harness.tasks import ROCKY9, TOOLS, Run, Tasks, action_of, publish, src
from tests.harness.waiting import while_held
from tests.simulator import Seed
from tests.simulator.blobs import blob_of

DESCRIPTOR_SET = ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]
STORE = "ds:///vmfs/volumes/golden"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(tmp_path_factory.mktemp("ours"), disks=1, disk_bytes=4000, signed="self-signed")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The same files, signed by somebody else of the same name."""
    return make_package(tmp_path_factory.mktemp("theirs"), disks=1, disk_bytes=4000, signed="self-signed")


def signer_of(package: Package) -> str:
    assert package.certificate is not None
    return signer_in(package.certificate)


def files_of(package: Package) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in package.files}


def accept(package: Package, signer: Package | None = None, **options: Any) -> dict[str, Any]:
    return publish(package.descriptor, ROCKY9, **{"accepted_signer": signer_of(signer or package), **options})


def pulled(tasks: Tasks, package: Package, **deviations: Any) -> list[dict[str, Any]]:
    """Entries by which vCenter fetches the descriptor set of a package, while the task sends the disk."""
    stored = {f"{STORE}/{path.name}": path.read_bytes() for path in package.files[:3]}
    tasks.sim.reset(Seed(datastores=stored, **deviations))
    return [*({"url": url} for url in stored), src(package.disks[0])]


def assert_other_signer(run: Run, found: Package, accepted: Package) -> None:
    assert run.error["type"] == "SIGNER_NOT_ACCEPTED"
    assert run.error["data"]["accepted_signer"] == signer_of(found)
    assert signer_of(found) in run.msg
    assert f"accepted_signer is {signer_of(accepted)}" in run.msg
    assert "If you trust" in run.msg


def assert_not_completed(run: Run) -> None:
    assert run.sent("PATCH") == run.sent("POST", "complete") == []
    assert run.result["item_changed"] is False


# -- what is accepted


@pytest.mark.parametrize("form", ["fingerprint", "bare digits in lower case", "pem", "path"])
def test_the_signers_warnings_are_accepted_when_all_files_are_there(
    tasks: Tasks, package: Package, tmp_path: Path, form: str
) -> None:
    assert package.certificate is not None
    pem = certificate_in(package.certificate)
    path = tmp_path / "signer.pem"
    path.write_text(pem, encoding="utf-8")
    given = {
        "fingerprint": signer_of(package),
        "bare digits in lower case": signer_of(package).replace(":", "").lower(),
        "pem": pem,
        "path": str(path),
    }
    run = tasks.converge(**accept(package, accepted_signer=given[form]))
    assert contents(tasks.sim, "rocky9") == kept_of(package)
    assert "warning_behavior" not in run.diff["after"], "the task has set it, and nobody has declared it"
    [patch] = run.sent("PATCH")
    body = json.loads(patch.request_body)
    assert body.get("update_spec", body) == {"warning_behavior": ACCEPTED}
    order = [entry for entry in run.exchanges if entry.method == "PUT" or action_of(entry) == "complete"]
    [completion] = run.sent("POST", "complete")
    assert run.exchanges.index(order[-2]) < run.exchanges.index(patch) < run.exchanges.index(completion)


@pytest.mark.parametrize("signature", ["expired", "not-yet-valid", "untrusted", "trusted"])
def test_whatever_is_raised_about_the_signer_is_accepted(one: Tasks, tmp_path: Path, signature: str) -> None:
    signed = make_package(tmp_path, disks=1, disk_bytes=4000, signed=signature)
    one.sim.reset(Seed(trusted_roots=(signed.root_pem or "",) if signature == "trusted" else ()))
    run = one.converge(**accept(signed))
    assert len(run.sent("PATCH")) == (signature != "trusted")


def test_a_refusal_says_what_accepts_the_signer(one: Tasks, package: Package) -> None:
    refused = one.run(**publish(package.descriptor, ROCKY9))
    assert refused.error["data"]["accepted_signer"] == signer_of(package)
    assert refused.error["data"]["warning_behavior"] == ACCEPTED
    assert one.run(**accept(package, accepted_signer=refused.error["data"]["accepted_signer"])).changed


def test_an_ova_is_accepted_by_the_certificate_in_it(one: Tasks, package: Package, tmp_path: Path) -> None:
    archive = make_ova(package, tmp_path / "rocky9.ova")
    assert one.converge(**accept(package, files=[src(archive)])).changed


def test_an_image_has_no_signer_to_ask_for(one: Tasks, package: Package, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "tools.iso", 1000)
    run = one.converge(**publish(image, TOOLS, accepted_signer=signer_of(package)))
    assert run.sent("PATCH") == []


# -- what is refused before anything is changed


@pytest.mark.parametrize("place", ["beside", "listed", "archive"])
def test_a_local_certificate_of_another_signer_is_refused(
    tasks: Tasks, package: Package, foreign: Package, tmp_path: Path, place: str
) -> None:
    bare = make_package(tmp_path, disks=1, disk_bytes=4000)
    files: Mapping[str, list[dict[str, Any]]] = {
        "beside": [src(foreign.descriptor)],
        "listed": [src(bare.descriptor), src(foreign.certificate or "", name="signature.cert")],
        "archive": [src(make_ova(foreign, tmp_path / "rocky9.ova"))],
    }
    run = tasks.refuse(**accept(package, files=files[place]))
    assert_other_signer(run, foreign, package)
    assert ".cert" in run.msg


@pytest.mark.parametrize("packed", [False, True], ids=["files", "archive"])
def test_a_package_that_nobody_has_signed_is_refused(
    one: Tasks, package: Package, tmp_path: Path, packed: bool
) -> None:
    unsigned = make_package(tmp_path, disks=1, disk_bytes=4000)
    path = make_ova(unsigned, tmp_path / "rocky9.ova") if packed else unsigned.descriptor
    run = one.refuse(**accept(package, files=[src(path)]))
    assert run.error["type"] == "SIGNER_NOT_ACCEPTED"
    assert f"{path} has no .cert" in run.msg
    assert "leave accepted_signer out" in run.msg


@pytest.mark.parametrize("text", ["", "SHA256(rocky9.mf)= 00\n", "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"])
def test_a_certificate_that_cannot_be_read_is_refused(one: Tasks, package: Package, tmp_path: Path, text: str) -> None:
    signed = make_package(tmp_path, disks=1, disk_bytes=4000, signed="self-signed")
    assert signed.certificate is not None
    signed.certificate.write_text(text)
    run = one.refuse(**accept(signed, package))
    assert f"{signed.certificate} is not a signature" in run.msg


def test_an_item_that_holds_the_package_is_left_alone(one: Tasks, package: Package, foreign: Package) -> None:
    hold(one.sim, kept_of(package), "rocky9")
    assert not one.converge(**accept(package, foreign)).changed


# -- what only the preview shows


def test_a_pulled_package_is_compared_before_the_first_disk(tasks: Tasks, package: Package, foreign: Package) -> None:
    files = pulled(tasks, foreign)
    run = tasks.run(**accept(package, files=files))
    assert_other_signer(run, foreign, package)
    assert run.uploaded == []
    assert_not_completed(run)
    assert update_states(tasks.sim) == {}
    assert tasks.run(**accept(foreign, files=files)).changed
    assert kept_of(foreign).items() <= contents(tasks.sim, "rocky9").items()


def test_the_signer_is_compared_again_before_the_completion(one: Tasks, package: Package, foreign: Package) -> None:
    """Somebody puts another signature into the session while the disk is on its way."""
    signed = {name: content for name, content in files_of(package).items() if name in DESCRIPTOR_SET}
    session = begin_update(one.sim, "rocky9", files=signed)

    def sign_anew(store: Any) -> None:
        found = store.updates.session(session)
        for name in DESCRIPTOR_SET:
            found.files[name].blob = blob_of(files_of(foreign)[name])

    with while_held(one.sim, "PUT:*.vmdk:1:hold", lambda: one.sim.run(sign_anew)):
        run = one.run(**ROCKY9, state="done", files=[src(package.disks[0])], accepted_signer=signer_of(package))
    assert run.uploaded == ["rocky9-disk1.vmdk"]
    assert_other_signer(run, foreign, package)
    assert_not_completed(run)
    assert update_states(one.sim) == {session: "ACTIVE"}


def test_a_preview_may_show_the_bare_certificate(one: Tasks, package: Package, foreign: Package) -> None:
    files = pulled(one, package, x509="base64")
    assert_other_signer(one.run(**accept(package, foreign, files=files)), package, foreign)
    assert one.run(**accept(package, files=files)).changed


@pytest.mark.parametrize("deviations", [{"x509": "none"}, {"preview": False}], ids=["none", "old"])
@pytest.mark.parametrize("case", ["sent", "chain", "pulled", "found"])
def test_without_a_certificate_in_the_preview_only_what_the_task_has_sent_counts(
    one: Tasks, package: Package, tmp_path: Path, deviations: dict[str, Any], case: str
) -> None:
    one.sim.reset(Seed(**deviations))
    declared = accept(package)
    if case == "chain":
        signed = make_package(tmp_path, disks=1, disk_bytes=4000, signed="untrusted")
        declared = accept(signed)
    elif case == "pulled":
        declared["files"] = pulled(one, package, **deviations)
    elif case == "found":
        begin_update(one.sim, "rocky9", files={**files_of(package), "rocky9-disk1.vmdk": None})
    run = one.run(**declared)
    if case == "sent":
        assert run.changed, run.msg
        return
    assert run.error["type"] == "SIGNER_NOT_ACCEPTED"
    assert "shows no certificate" in run.msg
    assert ("state: absent" in run.msg) == (case == "found")
    assert_not_completed(run)


# -- sessions that were found


@pytest.mark.parametrize("ignored", [None, ACCEPTED], ids=["before", "after"])
def test_a_killed_run_is_finished(tasks: Tasks, package: Package, ignored: list[dict[str, Any]] | None) -> None:
    """It was killed right before it set what the session ignores, or while vCenter was to complete the session."""
    left = {"files": files_of(package), "warning_behavior": ignored, "client_progress": 100 if ignored else 99}
    session = begin_update(tasks.sim, "rocky9", **left)
    run = tasks.converge(**accept(package))
    assert run.changed
    assert update_states(tasks.sim) == {session: "DONE"}
    assert len(run.sent("PATCH")) == (ignored is None)


def test_what_a_found_session_ignores_accepts_no_other_signer(one: Tasks, package: Package, foreign: Package) -> None:
    session = begin_update(one.sim, "rocky9", files=files_of(foreign), warning_behavior=ACCEPTED)
    run = one.run(session_id=session, state="done", accepted_signer=signer_of(package))
    assert_other_signer(run, foreign, package)
    assert run.mutations == []
    assert one.converge(session_id=session, state="done", accepted_signer=signer_of(foreign)).changed


def test_a_session_that_stays_open_ignores_nothing(one: Tasks, package: Package) -> None:
    run = one.converge(**accept(package, state="active"))
    assert run.session is not None
    assert not run.session["warning_behavior"]
    assert one.run(session_id=run.session["id"], state="done").error["type"] == "WARNINGS_NOT_IGNORED"
    assert one.converge(**accept(package)).changed


def test_a_server_that_does_not_take_the_acceptance_is_an_error(one: Tasks, package: Package) -> None:
    one.sim.reset(Seed(patch_ignored=True))
    run = one.run(**accept(package))
    assert run.error["type"] == "INVALID_RESPONSE"
    assert run.sent("POST", "complete") == []
    assert update_states(one.sim) == {}
