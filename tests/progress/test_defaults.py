# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options a module gets if `module_defaults` and the task itself name different targets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import contents
from tests.harness.packages import make_iso
from tests.progress.plays import Place, kits, play, settings_of
from tests.simulator import Simulator

GROUP = "group/vsphere.content.vcenter"
UPDATE, INFO = "vsphere.content.update_session", "vsphere.content.session_info"
ITEM = "vsphere.content.content_library_item"
ITEM_INFO, RETENTION = "vsphere.content.item_info", "vsphere.content.retention"


def task(module: str, register: str = "", **options: Any) -> dict[str, Any]:
    return {module: options, "ignore_errors": True, **({"register": register} if register else {})}


@pytest.fixture
def server() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def outcomes(place: Place, defaults: Mapping[str, Any], *tasks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each task returned."""
    report = place.folder / "report.json"
    named = [{**each, "register": f"result_{number}"} for number, each in enumerate(tasks)]
    listed = ", ".join(f"result_{number}" for number in range(len(named)))
    written = {"ansible.builtin.copy": {"content": f"{{{{ [{listed}] | to_json }}}}", "dest": str(report)}}
    shared = {GROUP: {"ca_path": place.server.ca_path, **defaults}}
    playing = play(place, place.playbook(*named, written, module_defaults=shared))
    assert playing.wait() == 0, playing.output
    found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("kit", kits("newest", "oldest"))
def test_what_a_task_says_of_its_target_comes_before_the_defaults(server: Simulator, tmp_path: Path, kit: str) -> None:
    place = Place(tmp_path, server, settings_of(kit))
    item = server.run(lambda store: store.find_item_id("templates", "tools"))
    library = server.run(lambda store: store.find_library_id("templates"))
    session = server.run(lambda store: store.seed_update_session(item))
    removal = {"session_id": session, "state": "absent"}
    image = make_iso(tmp_path / "a.iso", 5000)
    defaults = {"library": "templates", "library_item": "other", "library_item_id": None}
    retention: dict[str, Any] = {"libraries": ["templates"], "pattern": "t*", "keep": 1}
    by_session, renamed, listed, by_name, by_variable, contradiction, by_pattern, by_libraries = outcomes(
        place,
        defaults,
        task(UPDATE, session_id=session, state="done", files=[{"src": str(image)}]),
        task(ITEM, library_item_id=item, description="described"),
        task(INFO, session_ids=[session]),
        task(ITEM, library_id=library, library_item_name="tools"),
        {UPDATE: {}, "args": "{{ removal }}", "vars": {"removal": removal}, "ignore_errors": True},
        task(UPDATE, session_id=session, library_item_id=item, state="absent"),
        task(ITEM_INFO, pattern="t*"),
        task(RETENTION, **retention),
    )
    assert by_session["changed"], by_session
    assert contents(server, "tools") == {"a.iso": image.read_bytes()}
    assert (renamed["changed"], renamed["library_item"]["name"]) == (True, "tools")
    assert [found["id"] for found in listed["update_sessions"]] == [session]
    assert by_name["library_item"]["id"] == item
    assert by_variable["changed"], by_variable
    assert contradiction["failed"]
    assert "mutually exclusive: session_id|library_item_id" in contradiction["msg"]
    assert "module_defaults" not in contradiction["msg"]
    assert [(found["library"], found["name"]) for found in by_pattern["library_items"]] == [("templates", "tools")]
    assert [entry["name"] for entry in by_libraries["library_items"]] == ["tools"]


def test_defaults_that_contradict_each_other_are_told_as_such(server: Simulator, tmp_path: Path) -> None:
    both = {"library": "templates", "library_id": "l"}
    refused, listed, named = outcomes(
        Place(tmp_path, server),
        both,
        task(ITEM, name="tools"),
        task(INFO),
        task(ITEM, library="templates", name="tools"),
    )
    assert "Of these options library, library_id come from module_defaults." in refused["msg"]
    assert refused["error"]["type"] == "INVALID_ARGUMENT"
    assert listed["update_sessions"] == []
    assert named["library_item"]["name"] == "tools"
