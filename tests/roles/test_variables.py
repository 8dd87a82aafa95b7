# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad variables fail a role at its start, with the reason, and before vCenter is asked for anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.checkout import ROOT
from tests.roles.conftest import Images, Jobs


def options_of(role: str) -> dict[str, Any]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, Any] = specs["argument_specs"]["main"]["options"]
    return options


ISO = "IMAGES/drivers.iso"
LIBRARY = {"publish_libraries": "templates"}
EXPIRED = {"accepted_warnings": "EXPIRED_CERTIFICATE"}
GONE = {"name": "old.iso", "state": "absent"}
KEEP = {"retain_libraries": "templates", "retain_items": "rocky9-*", "retain_keep": 3}
NAMED = {"fetch_library": "mirror", "fetch_library_item": "synced"}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("publish", {}, "There is nothing to publish."),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_accepted_warnings": ["ANY"]}, "publish_accepted_warnings"),
    (
        "publish",
        {
            **LIBRARY,
            "publish_items": [{"src": ISO, "accepted_signer": "AB", "accepted_warnings": "EXPIRED_CERTIFICATE"}],
        },
        "Keep one of the two.",
    ),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_when_unverifiable": "x"}, "publish_when_unverifiable"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_busy_timeout": "long"}, "publish_busy_timeout"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_busy_timeout": -1}, "publish_busy_timeout is -1. Set it to"),
    (
        "publish",
        {**LIBRARY, "publish_src": ISO, "publish_parallel_transfers": "33"},
        "publish_parallel_transfers is 33.",
    ),
    (
        "publish",
        {**LIBRARY, "publish_src": ISO, "publish_library_item": "x" * 81},
        "publish_library_item is longer than",
    ),
    (
        "publish",
        {**LIBRARY, "publish_src": ISO, "publish_checksum": "abc"},
        "publish_checksum is abc. A SHA256 checksum",
    ),
    (
        "fetch",
        {**NAMED, "fetch_dest": "/x", "fetch_wait_timeout": 0},
        "fetch_wait_timeout is 0. Set it to a number from 1",
    ),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_mode": "rw"}, "fetch_mode is rw. Write permissions as u=rw,g=r."),
    ("publish", {**LIBRARY, "publish_items": [{"scr": ISO}]}, "publish_items"),
    ("publish", {**LIBRARY, "publish_items": [{"src": ISO, "checksum_algorithm": "CRC"}]}, "checksum_algorithm"),
    ("publish", {**LIBRARY, "publish_src": "/not/there.iso"}, "/not/there.iso does not exist"),
    ("publish", {**LIBRARY, "publish_src": "there.iso"}, "there.iso is not an absolute path"),
    ("publish", {**LIBRARY, "publish_src": "~/not-there.iso"}, "~/not-there.iso does not exist on the host"),
    ("publish", {**LIBRARY, "publish_url": "https://mirror/"}, "The url of an item names no file."),
    (
        "publish",
        {**LIBRARY, "publish_url": "https://mirror/box.ova", "publish_checksum": "0" * 64},
        "box.ova is an OVA that vCenter fetches, and vCenter takes no checksum of an OVA.",
    ),
    (
        "publish",
        {**LIBRARY, "publish_items": [{"src": ISO, "library_item": 9.1}]},
        "library_item of entry 1 of publish_items",
    ),
    (
        "publish",
        {**LIBRARY, "publish_items": [{"src": ISO}, {"src": ISO, "library_item": "x" * 81}]},
        "library_item of entry 2 of publish_items is longer than 80 characters",
    ),
    (
        "publish",
        {**LIBRARY, "publish_items": [{"src": ISO, "checksum": "abc"}]},
        "checksum of entry 1 of publish_items is abc. A checksum has 32, 40, 64 or 128 hexadecimal digits",
    ),
    ("publish", {"publish_src": ISO}, "No library is given."),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_url": "ds:///a.iso"}, "these are given: src, url"),
    ("publish", {**LIBRARY, "publish_items": [{"library_item": "x"}]}, "An item takes one of src, url and files."),
    ("publish", {**LIBRARY, "publish_items": [{"files": [{"src": ISO}]}]}, "needs a library_item"),
    (
        "publish",
        {**LIBRARY, "publish_items": [{"library_item": "x", "files": [], "purge_files": True}]},
        "An item takes one of src, url and files.",
    ),
    (
        "publish",
        {**LIBRARY, "publish_items": [{"library_item": "x", "files": [GONE], "purge_files": True}]},
        "files names none that the item would keep",
    ),
    ("publish", {**LIBRARY, "publish_src": "IMAGES/empty"}, "holds no .ovf, .ova or .iso"),
    (
        "publish",
        {**LIBRARY, "publish_src": "IMAGES", "publish_recurse": True, "publish_library_item": "x"},
        "holds 2 images",
    ),
    # A good entry is not published before a bad one is seen.
    ("publish", {**LIBRARY, "publish_items": [{"src": ISO}, {"files": [{"src": ISO}]}]}, "Nothing has been changed."),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_type": "ISO"}, "The type ISO is written iso. Nothing"),
    ("publish", {**LIBRARY, "publish_items": [{"src": ISO}, {"src": ISO, "type": "Ovf"}]}, "Ovf is written ovf."),
    ("fetch", NAMED, "missing required arguments: fetch_dest"),
    ("fetch", {**NAMED, "fetch_dest": "relative"}, "fetch_dest is relative, which is not an absolute path."),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_create_dest": "perhaps"}, "fetch_create_dest"),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_allow_empty": "perhaps"}, "fetch_allow_empty"),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_when_unverifiable": "x"}, "fetch_when_unverifiable"),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_checksums": "md5:0"}, "fetch_checksums"),
    ("fetch", {**NAMED, "fetch_dest": "/x", "fetch_require_verified": "perhaps"}, "fetch_require_verified"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_keep": 2}, "publish_keep_items is empty."),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_keep_items": "*"}, "publish_keep_items is given, and publish"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_keep": -1}, "publish_keep is -1. Set it to a number from 0"),
    ("retain", {**KEEP, "retain_keep": 0}, "retain_keep is 0. Set it to a number from 1 to 10000."),
    ("retain", {**KEEP, "retain_at_most": 0}, "retain_at_most is 0. Set it to a number from 1"),
    ("retain", {**KEEP, "retain_libraries": ","}, "No library is given."),
    ("retain", {**KEEP, "retain_items": ""}, "retain_items is empty."),
    ("retain", {**KEEP, "retain_by": "size"}, "value of retain_by must be one of"),
    ("retain", {**KEEP, "retain_by": "name"}, "retain_name_pattern is empty."),
    ("retain", {**KEEP, "retain_name_pattern": "(.+)"}, "Set retain_by to name."),
    (
        "retain",
        {**KEEP, "retain_by": "name", "retain_name_pattern": "(rocky9"},
        "retain_name_pattern is (rocky9, which is no regular expression: ",
    ),
    (
        "retain",
        {**KEEP, "retain_by": "name", "retain_name_pattern": "rocky9-.*"},
        "retain_name_pattern is rocky9-.*, which has 0 groups. It needs 1.",
    ),
    ("retain", {"retain_libraries": "templates"}, "missing required arguments: retain_items, retain_keep"),
    ("check", {"check_trial": "perhaps"}, "check_trial"),
    ("check", {"check_trial": True}, "check_library names 0 libraries. Set it to the one library"),
    ("check", {"check_trial": True, "check_library": "a, b"}, "check_library names 2 libraries."),
    ("check", {"check_url": "https://mirror/a.iso"}, "Only a trial has vCenter fetch a file."),
    ("check", {"check_slow": True}, "Only a trial waits. Set check_trial to true"),
    ("sessions", {"sessions_kind": "x"}, "value of sessions_kind must be one of: all, update, download"),
    ("sessions", {"sessions_states": ["ACTIVE", "OPEN"]}, "value of sessions_states must be one or more of"),
    ("clean_sessions", {"clean_sessions_kind": "x"}, "value of clean_sessions_kind must be one of"),
    ("clean_sessions", {"clean_sessions_include_active": "perhaps"}, "clean_sessions_include_active"),
]

# What ansible-core 2.19 or later makes of an answer such as 9.10. Users and groups may be numbers.
WHOLE: dict[str, dict[str, Any]] = {
    "publish": {**LIBRARY, "publish_src": ISO},
    "fetch": {**NAMED, "fetch_dest": "/x"},
    "retain": KEEP,
}
NO_NAMES = {"fetch_owner", "fetch_group"}
BAD += [
    (role, {**WHOLE.get(role, {}), name: 9.1}, f"{name} is 9.1, which is not text.")
    for role in ("check", "publish", "fetch", "retain", "sessions", "clean_sessions")
    for name, option in options_of(role).items()
    if option["type"] in ("str", "list") and option.get("elements") != "dict" and "choices" not in option
    if name not in NO_NAMES
]


@pytest.fixture
def folder(images: Images, tmp_path: Path) -> Path:
    """Where there are two images, and a directory with none."""
    found = tmp_path / "images"
    (found / "empty").mkdir(parents=True)
    for name in ("drivers.iso", "tools.iso"):
        shutil.copy(images.iso, found / name)
    return found


def attempt(role: str, variables: dict[str, Any]) -> dict[str, Any]:
    """A use of a role after whose failure the play goes on."""
    use = {"ansible.builtin.include_role": {"name": f"vsphere.content.{role}"}, "vars": variables}
    return {"block": [use], "rescue": [{"ansible.builtin.meta": "noop"}]}


@pytest.mark.rest
@pytest.mark.parametrize("half", [0, pytest.param(1, marks=pytest.mark.night)])
def test_bad_variables_fail_before_vcenter_is_asked(jobs: Jobs, folder: Path, half: int) -> None:
    bad = BAD[half::2]
    tasks = [attempt(role, variables) for role, variables, _reason in bad]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]).replace("IMAGES", str(folder)), encoding="utf-8")

    job = jobs.run(str(playbook), {}).succeeded()

    reasons = [task.result["msg"] for task in job.tasks if task.verdict == "failed"]
    assert len(reasons) == len(bad), reasons
    assert [(case, reason) for case, reason in zip(bad, reasons) if case[2] not in reason] == []
    assert not jobs.sim.exchanges
