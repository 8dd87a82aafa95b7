# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings: what a preview raises stops a task unless warning_behavior accepts it, and warning_behavior itself."""

from __future__ import annotations

import json
import textwrap
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents, item_id, update_states
from tests.harness.packages import SELF_SIGNED_RAISES, Package, make_iso, make_ova, make_package
from tests.harness.tasks import DIALECTS, Run, Tasks
from tests.simulator import Seed, Simulator

SELF_SIGNED = "SELF_SIGNED_CERTIFICATE"
UNTRUSTED = "UNTRUSTED_CERTIFICATE"
EXPIRED = "EXPIRED_CERTIFICATE"
NOT_YET_VALID = "NOT_YET_VALID_CERTIFICATE"
SIGNATURES: dict[str, tuple[str, ...]] = {
    "self-signed": SELF_SIGNED_RAISES,
    "untrusted": (UNTRUSTED,),
    "expired": (EXPIRED,),
    "not-yet-valid": (NOT_YET_VALID,),
}
ROOT_NAME = "CN=Golden Image Root CA"
SIGNER_NAME = "CN=Image Builder"
DESCRIPTOR_SET = ["rocky9.mf", "rocky9.cert", "rocky9.ovf"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """One package for each signature; the disks are small, as only their order counts here."""
    root = tmp_path_factory.mktemp("packages")
    return {kind: make_package(root / kind, disks=1, disk_bytes=4000, signed=kind) for kind in SIGNATURES}


@pytest.fixture(scope="module")
def self_signed(packages: dict[str, Package]) -> Package:
    return packages["self-signed"]


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(tmp_path_factory.mktemp("unsigned"), disks=1, disk_bytes=4000)


def trust(tasks: Tasks, package: Package, signature: str) -> None:
    """Have the root of a package trusted, so that nothing is raised about it but what its name says."""
    if package.root_pem and signature != "untrusted":
        tasks.sim.reset(Seed(trusted_roots=(package.root_pem,)))


def publish(package: Package, *ignored: str, **options: Any) -> dict[str, Any]:
    declared = {"warning_behavior": ignore(*ignored)} if ignored else {}
    return {
        "library": "templates",
        "library_item": "rocky9",
        "state": "done",
        "files": [{"src": str(package.descriptor)}],
        **declared,
        **options,
    }


def ignore(*kinds: str) -> list[dict[str, Any]]:
    return [{"type": kind, "ignored": True} for kind in kinds]


def assert_warned(run: Run, *kinds: str) -> None:
    assert run.error["type"] == "WARNINGS_NOT_IGNORED"
    data = run.error["data"]
    assert sorted(warning["type"] for warning in data["warnings"]) == sorted(kinds)
    assert sorted(data["warning_behavior"], key=lambda entry: str(entry["type"])) == ignore(*sorted(kinds))
    assert [kind for kind in kinds if kind not in run.msg] == []
    assert run.msg.endswith(f'accepted_signer: "{data["accepted_signer"]}"')
    assert len(textwrap.wrap(run.msg.split(" Changed in it: ")[0], 120)) <= 4
    assert run.uploaded == DESCRIPTOR_SET, "nothing but the descriptor set is sent"
    assert [entry["name"] for entry in run.added] == DESCRIPTOR_SET
    assert run.sent("POST", "complete") == []


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_warning_stops_the_task_before_the_first_disk(
    tasks: Tasks, packages: dict[str, Package], signature: str
) -> None:
    package, kinds = packages[signature], SIGNATURES[signature]
    trust(tasks, package, signature)
    run = tasks.run(**publish(package))
    assert_warned(run, *kinds)
    certificate = run.error["data"]["certificate_info"]
    assert SIGNER_NAME in certificate["subject"]
    assert (ROOT_NAME in certificate["issuer"]) == (signature != "self-signed")
    assert f"The signer is {certificate['subject']}." in run.msg
    [canceled], [deleted] = run.sent("POST", "cancel"), run.sent("DELETE")
    assert run.error["session_id"] in canceled.path
    assert run.error["session_id"] in deleted.path
    assert "canceled and deleted" in run.msg
    assert update_states(tasks.sim) == {}
    assert not run.changed
    assert run.result["item_changed"] is False
    assert contents(tasks.sim, "rocky9") == {}
    assert tasks.sim.run(lambda store: store.logins.count) == 0


@pytest.mark.fact("messages-may-be-localized")
def test_the_parameters_of_a_warning_are_returned(tasks: Tasks, self_signed: Package) -> None:
    tasks.sim.reset(Seed(warning_texts="named"))
    data = tasks.run(**publish(self_signed)).error["data"]
    subject = data["certificate_info"]["subject"]
    for warning in data["warnings"]:
        params = warning["message"]["params"]
        assert (params["subject"]["s"], params["reason"]["l"]["params"]["subject"]["s"]) == (subject, subject)
        assert subject in warning["message"]["localized"]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_warning_that_is_declared_lets_the_package_pass(
    tasks: Tasks, packages: dict[str, Package], signature: str
) -> None:
    package, kinds = packages[signature], SIGNATURES[signature]
    trust(tasks, package, signature)
    run = tasks.converge(**publish(package, *kinds))
    assert run.session is not None
    assert run.session["state"] == "DONE"
    assert run.diff["after"]["warning_behavior"] == ignore(*kinds)
    preview = run.session["preview_info"]
    assert preview["state"] == "AVAILABLE", "DONE has no preview: the last one seen is returned"
    assert [(warning["type"], warning["ignored"]) for warning in preview["warnings"]] == [
        (kind, True) for kind in kinds
    ]
    assert preview["certificate_info"]["x509"]
    assert preview["cert_chain"]
    assert contents(tasks.sim, "rocky9") == {
        path.name: path.read_bytes() for path in (package.descriptor, *package.references)
    }


@pytest.mark.parametrize("accepted", [(), (UNTRUSTED,), (EXPIRED,), (SELF_SIGNED, NOT_YET_VALID)])
def test_each_warning_must_be_declared_by_itself(
    tasks: Tasks, packages: dict[str, Package], accepted: tuple[str, ...]
) -> None:
    run = tasks.run(**publish(packages["expired"], *accepted))
    assert_warned(run, *sorted({UNTRUSTED, EXPIRED} - set(accepted)))


def test_a_warning_declared_as_not_ignored_stops_the_task(tasks: Tasks, self_signed: Package) -> None:
    run = tasks.run(**publish(self_signed, warning_behavior=[{"type": SELF_SIGNED, "ignored": False}]))
    assert_warned(run, *SELF_SIGNED_RAISES)


def test_a_trusted_package_raises_nothing(tasks: Tasks, packages: dict[str, Package]) -> None:
    trust(tasks, packages["untrusted"], "trusted")
    assert tasks.converge(**publish(packages["untrusted"])).changed


def test_check_mode_cannot_know_the_warnings(tasks: Tasks, self_signed: Package) -> None:
    run = tasks.run(check=True, **publish(self_signed))
    assert run.changed
    assert run.mutations == []


@pytest.mark.parametrize("name", ["id", "item"])
def test_a_session_that_was_found_stays_and_the_failure_lists_its_changes(
    tasks: Tasks, self_signed: Package, name: str
) -> None:
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item))
    options = publish(self_signed, UNTRUSTED)
    if name == "id":
        options = {**options, "session_id": session}
        del options["library"], options["library_item"]
    run = tasks.run(**options)
    assert_warned(run, SELF_SIGNED)
    assert update_states(tasks.sim) == {session: "ACTIVE"}
    assert run.sent("POST", "cancel") == run.sent("DELETE") == []
    listed = run.msg.split("Changed in it:")[1]
    for change in ("warning_behavior was set", *(f"file {name} was added" for name in DESCRIPTOR_SET)):
        assert change in listed
    assert "vmdk" not in listed
    assert run.changed, "what stays in the session is a change, though the task failed"


def test_a_found_session_is_completed_only_after_its_preview(tasks: Tasks, self_signed: Package) -> None:
    item = item_id(tasks.sim, "rocky9")
    files = {path.name: path.read_bytes() for path in self_signed.files}
    session = tasks.sim.run(lambda store: store.seed_update_session(item, files=files))
    run = tasks.run(session_id=session, state="done")
    assert run.error["type"] == "WARNINGS_NOT_IGNORED"
    assert run.mutations == []
    assert "Changed in it: nothing" in run.msg
    assert tasks.converge(session_id=session, state="done", warning_behavior=ignore(*SELF_SIGNED_RAISES)).changed
    assert update_states(tasks.sim) == {session: "DONE"}


def test_an_ova_is_stopped_before_it_is_completed(tasks: Tasks, self_signed: Package, tmp_path: Path) -> None:
    archive = make_ova(self_signed, tmp_path / "rocky9.ova")
    run = tasks.run(**publish(self_signed, files=[{"src": str(archive)}]))
    assert run.error["type"] == "WARNINGS_NOT_IGNORED"
    assert run.sent("POST", "complete") == []
    assert update_states(tasks.sim) == {}


@pytest.mark.parametrize("old_server", [False, True], ids=["iso", "old server"])
def test_no_preview_is_waited_for_where_none_will_come(
    tasks: Tasks, self_signed: Package, tmp_path: Path, old_server: bool
) -> None:
    image = make_iso(tmp_path / "tools.iso", 1000)
    if old_server:
        tasks.sim.reset(Seed(preview=False))
    iso = {"library_item": "tools", "files": [{"src": str(image)}]}
    options = publish(self_signed, **({} if old_server else iso))
    run = tasks.run(**options)
    assert not run.failed, run.msg
    assert run.session is not None
    assert run.session["state"] == "DONE"
    assert len(run.session_reads) <= 4


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_preview_is_waited_for_while_it_is_prepared(dialect: str, self_signed: Package) -> None:
    with Simulator(settle=0.15) as slow:
        run = Tasks(slow, dialect).run(**publish(self_signed))
    assert_warned(run, *SELF_SIGNED_RAISES)


@pytest.mark.parametrize(
    "declared",
    [
        *[ignore(*kinds) for kinds in permutations((EXPIRED, UNTRUSTED))],
        ignore(UNTRUSTED, EXPIRED, UNTRUSTED),
        [*ignore(EXPIRED, UNTRUSTED), {"type": SELF_SIGNED, "ignored": False}],
        [{"type": SELF_SIGNED, "ignored": False}, {"type": SELF_SIGNED, "ignored": False}, *ignore(UNTRUSTED, EXPIRED)],
    ],
    ids=["same order", "other order", "duplicates", "explicit false", "duplicate false"],
)
def test_the_same_behaviour_in_other_words_makes_no_change(tasks: Tasks, declared: list[dict[str, Any]]) -> None:
    found = [*ignore(UNTRUSTED, EXPIRED), {"type": NOT_YET_VALID, "ignored": False}]
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=found))
    run = tasks.converge(session_id=session, warning_behavior=declared)
    assert not run.changed
    assert run.session is not None
    assert run.session["warning_behavior"] == found, "the result shows what the server sends"


@pytest.mark.parametrize("found", [None, [], [{"type": EXPIRED, "ignored": False}]], ids=["unset", "empty", "false"])
def test_nothing_ignored_in_other_words_makes_no_change(tasks: Tasks, found: list[dict[str, Any]] | None) -> None:
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=found))
    assert not tasks.converge(session_id=session, warning_behavior=[]).changed


@pytest.mark.parametrize(
    ("found", "declared"),
    [
        ((), (SELF_SIGNED,)),
        ((SELF_SIGNED,), ()),
        ((SELF_SIGNED,), (EXPIRED,)),
        ((SELF_SIGNED, EXPIRED), (EXPIRED,)),
        ((EXPIRED,), (EXPIRED, NOT_YET_VALID, SELF_SIGNED, UNTRUSTED)),
    ],
    ids=["add", "remove the only one", "replace", "remove one", "all four"],
)
def test_the_declared_list_is_the_whole_truth(tasks: Tasks, found: tuple[str, ...], declared: tuple[str, ...]) -> None:
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=ignore(*found)))
    run = tasks.converge(session_id=session, warning_behavior=ignore(*declared))
    assert run.changed
    [patch] = run.sent("PATCH")
    body = json.loads(patch.request_body)
    assert body.get("update_spec", body) == {"warning_behavior": ignore(*sorted(declared))}
    assert run.diff["before"]["warning_behavior"] == ignore(*sorted(found))
    assert run.diff["after"]["warning_behavior"] == ignore(*sorted(declared))
    assert tasks.sim.run(lambda store: store.update_session(session).warning_behavior) == ignore(*sorted(declared))


def test_a_behaviour_that_is_not_declared_is_left_alone(tasks: Tasks) -> None:
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=ignore(EXPIRED)))
    assert not tasks.converge(session_id=session, state="active").changed


def test_the_behaviour_of_a_new_session_goes_with_its_creation(tasks: Tasks) -> None:
    run = tasks.converge(library="templates", library_item="rocky9", warning_behavior=ignore(UNTRUSTED, EXPIRED))
    assert run.sent("PATCH") == []
    assert run.session is not None
    assert run.session["warning_behavior"] == ignore(EXPIRED, UNTRUSTED)


def test_a_server_that_does_not_take_the_change_is_an_error(tasks: Tasks) -> None:
    tasks.sim.reset(Seed(patch_ignored=True))
    item = item_id(tasks.sim, "rocky9")
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=ignore(EXPIRED)))
    run = tasks.run(session_id=session, state="done", warning_behavior=ignore(SELF_SIGNED))
    assert len(run.sent("PATCH")) == 1
    assert run.error["type"] == "INVALID_RESPONSE"
    assert f"it ignores {EXPIRED}, declared is {SELF_SIGNED}" in run.msg
    assert "Changed in it: nothing." in run.msg
    assert run.result["changed"] is False
    assert run.sent("POST", "complete") == []
    assert update_states(tasks.sim) == {session: "ACTIVE"}


def test_a_server_that_knows_no_warning_behavior_is_an_error(tasks: Tasks, self_signed: Package) -> None:
    tasks.sim.reset(Seed(preview=False))
    run = tasks.run(**publish(self_signed, *SELF_SIGNED_RAISES))
    assert run.failed
    assert "warning_behavior" in run.msg
    assert run.uploaded == []
    assert update_states(tasks.sim) == {}


def test_conflicting_duplicates_are_refused(tasks: Tasks) -> None:
    entries = [*ignore(EXPIRED), {"type": EXPIRED, "ignored": False}]
    run = tasks.refuse(library="templates", library_item="rocky9", warning_behavior=entries)
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "warning_behavior" in run.msg
    assert EXPIRED in run.msg


def test_a_found_session_without_a_declared_behaviour_keeps_its_own(tasks: Tasks, self_signed: Package) -> None:
    item = item_id(tasks.sim, "rocky9")
    kept = ignore(*SELF_SIGNED_RAISES)
    session = tasks.sim.run(lambda store: store.seed_update_session(item, warning_behavior=kept))
    run = tasks.converge(**publish(self_signed))
    assert run.changed
    assert run.sent("PATCH") == []
    assert update_states(tasks.sim) == {session: "DONE"}


def test_an_unsigned_package_has_a_preview_without_a_certificate(tasks: Tasks, unsigned: Package) -> None:
    run = tasks.converge(**publish(unsigned))
    assert run.session is not None
    preview = run.session["preview_info"]
    assert (preview["state"], preview["warnings"], preview["certificate_info"]) == ("AVAILABLE", [], None)
