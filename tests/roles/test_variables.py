# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad variables fail a role at its start, with the reason, and before vCenter is asked for anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.roles.conftest import Images, Jobs

ISO = "IMAGES/drivers.iso"
LIBRARY = {"publish_libraries": "templates"}
GONE = {"name": "old.iso", "state": "absent"}
NAMED = {"fetch_library": "mirror", "fetch_library_item": "synced"}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("publish", {}, "There is nothing to publish."),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_accepted_warnings": ["ANY"]}, "publish_accepted_warnings"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_when_unverifiable": "x"}, "publish_when_unverifiable"),
    ("publish", {**LIBRARY, "publish_src": ISO, "publish_busy_timeout": "long"}, "publish_busy_timeout"),
    ("publish", {**LIBRARY, "publish_items": [{"scr": ISO}]}, "publish_items"),
    ("publish", {**LIBRARY, "publish_items": [{"src": ISO, "checksum_algorithm": "CRC"}]}, "checksum_algorithm"),
    ("publish", {**LIBRARY, "publish_src": "/not/there.iso"}, "/not/there.iso does not exist"),
    ("publish", {**LIBRARY, "publish_src": "there.iso"}, "there.iso is not an absolute path"),
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
    ("sessions", {"sessions_kind": "x"}, "value of sessions_kind must be one of: all, update, download"),
    ("sessions", {"sessions_states": ["ACTIVE", "OPEN"]}, "value of sessions_states must be one or more of"),
    ("clean_sessions", {"clean_sessions_kind": "x"}, "value of clean_sessions_kind must be one of"),
    ("clean_sessions", {"clean_sessions_include_active": "perhaps"}, "clean_sessions_include_active"),
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


def test_bad_variables_fail_before_vcenter_is_asked(jobs: Jobs, folder: Path) -> None:
    tasks = [attempt(role, variables) for role, variables, _reason in BAD]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]).replace("IMAGES", str(folder)), encoding="utf-8")

    job = jobs.run(str(playbook), {}).succeeded()

    reasons = [task.result["msg"] for task in job.tasks if task.verdict == "failed"]
    assert len(reasons) == len(BAD), reasons
    assert [(case, reason) for case, reason in zip(BAD, reasons) if case[2] not in reason] == []
    assert not jobs.sim.exchanges
