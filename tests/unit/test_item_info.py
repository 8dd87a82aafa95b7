# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""content_library_item_info reads items as they are, with as few requests as that takes, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.held import item_id
from tests.harness.tasks import ITEM_INFO, Run, Tasks
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed, UserSeed
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES

TOOLS_ID = "0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55"
ITEMS = (
    ItemSeed("rocky9-2026-10", "ovf", {"rocky9.ovf": b"<Envelope/>", "disk.vmdk": b"a disk"}),
    ItemSeed("rocky9-2026-11", "ovf", {"rocky9.ovf": b"<Envelope/>"}, verification="VERIFIED"),
    ItemSeed("Tools", "iso", {"tools.iso": b"an image"}, "Guest tools", TOOLS_ID),
    ItemSeed("golden", "vm-template"),
)
SHELVES = Seed(
    libraries=(
        LibrarySeed("templates", ITEMS),
        LibrarySeed("mirror", (ItemSeed("synced", "iso", {"synced.iso": b"x"}, cached=False),), type="SUBSCRIBED"),
        LibrarySeed("nfs", (ItemSeed("tools", "iso", {"tools.iso": b"same name"}),), storage_uri="nfs://filer/images"),
        LibrarySeed("twice"),
        LibrarySeed("twice"),
    )
)
ALL = ["rocky9-2026-10", "rocky9-2026-11", "Tools", "golden", "synced", "tools"]
seeded = pytest.mark.seed(SHELVES)
LOGIN_AND_LOGOUT = 2


def read(tasks: Tasks, **options: Any) -> list[dict[str, Any]]:
    run = tasks.run(ITEM_INFO, **options)
    assert not run.failed, run.msg
    assert (run.changed, run.mutations) == (False, [])
    items: list[dict[str, Any]] = run.result["library_items"]
    return items


@seeded
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ALL),
        ({"library": "templates"}, ALL[:4]),
        ({"library": "TEMPLATES", "type": "ovf"}, ALL[:2]),
        ({"library": "templates", "library_item": "tools"}, ["Tools"]),
        ({"library_item": "tools"}, ["Tools", "tools"]),
        ({"library_item": "nothing"}, []),
        ({"type": "iso"}, ["Tools", "synced", "tools"]),
        ({"type": "vm-template"}, ["golden"]),
        ({"pattern": "rocky9-*"}, ALL[:2]),
        ({"pattern": "rocky9"}, []),
        ({"pattern": "t*"}, ["tools"]),
        ({"pattern": "[!r]*", "library": "templates"}, ["Tools", "golden"]),
        ({"pattern": "rocky9-????-11", "type": "ovf"}, ["rocky9-2026-11"]),
        ({"library_item_id": TOOLS_ID}, ["Tools"]),
        ({"library_item_id": "00000000-6d3c-4b53-9a19-6c0e2c9f8a55"}, []),
        ({"library": "twice", "library_item": "x"}, "2 libraries are named 'twice'"),
        ({"library": "nowhere"}, "no library is named 'nowhere'"),
        ({"library_id": "nowhere"}, "Could not read the library"),
        ({"pattern": ""}, "pattern is '', which names nothing"),
        ({"type": "ISO"}, "Write type: iso"),
        ({"pattern": "*", "library_item": "tools"}, "mutually exclusive"),
        ({"library_item_id": TOOLS_ID, "type": "iso"}, "mutually exclusive"),
    ],
    ids=str,
)
def test_the_items_that_the_options_ask_for_are_read(
    tasks: Tasks, options: dict[str, Any], names: list[str] | str
) -> None:
    if isinstance(names, list):
        assert [item["name"] for item in read(tasks, **options)] == names
    else:
        refused = tasks.run(ITEM_INFO, **options)
        assert names in refused.msg
        assert refused.mutations == []


@seeded
def test_check_mode_makes_no_difference(one: Tasks) -> None:
    assert read(one, check=True, with_storage=True) == read(one, with_storage=True)


@seeded
def test_an_item_is_returned_whole(tasks: Tasks) -> None:
    (found,) = read(tasks, library_item="rocky9-2026-11")
    (bare,) = read(tasks, library_item="rocky9-2026-11", with_files=False)
    library = tasks.sim.run(lambda store: store.find_library_id("templates"))
    known = {
        "id": item_id(tasks.sim, "rocky9-2026-11"),
        "library_id": library,
        "library": "templates",
        "type": "ovf",
        "size": len(b"<Envelope/>"),
        "cached": True,
        "version": "1",
        "content_version": "1",
        "metadata_version": "1",
        "source_id": None,
        "last_sync_time": None,
        "security_compliance": True,
        "certificate_verification_info": {"status": "VERIFIED", "cert_chain": None},
        "storage": None,
    }
    assert {name: found[name] for name in known} == known
    assert found["creation_time"] <= found["last_modified_time"]
    (file,) = found["files"]
    assert (file["name"], file["size"], file["held_by"]) == ("rocky9.ovf", 11, "item")
    assert bare == {**found, "files": None}


@seeded
@pytest.mark.fact("storage-of-an-item", "storage-names", "other-storage")
@pytest.mark.parametrize(
    ("library", "backing", "begins"),
    [
        (
            "templates",
            {"type": "DATASTORE", "datastore_id": "datastore-11", "storage_uri": None},
            "ds:///vmfs/volumes/",
        ),
        ("nfs", {"type": "OTHER", "datastore_id": None, "storage_uri": "nfs://filer/images"}, "nfs://filer/images/"),
    ],
)
def test_with_storage_tells_where_the_files_lie(
    tasks: Tasks, library: str, backing: dict[str, Any], begins: str
) -> None:
    (found,) = read(tasks, library=library, library_item="tools", with_storage=True)
    (stored,) = found["storage"]
    assert (stored["name"], stored["storage_backing"]) == ("tools.iso", backing)
    assert [uri.startswith(begins) for uri in stored["storage_uris"]] == [True]
    assert {name: stored[name] for name in ("size", "checksum_info", "version", "cached")} == {
        name: found["files"][0][name] for name in ("size", "checksum_info", "version", "cached")
    }


@pytest.mark.seed(
    Seed(
        libraries=SHELVES.libraries,
        users=(UserSeed(ADMINISTRATOR, privileges=tuple(set(PRIVILEGES) - {"ContentLibrary.ReadStorage"})),),
    )
)
def test_without_the_privilege_for_storage_the_task_names_it(tasks: Tasks) -> None:
    refused = tasks.run(ITEM_INFO, library="templates", with_storage=True)
    assert (refused.error["type"], refused.error["operation"]) == ("UNAUTHORIZED", "item.storage.list")
    assert "ContentLibrary.ReadStorage" in refused.msg
    assert len(read(tasks, library="templates")) == 4


def assert_requests(run: Run, requests: int) -> None:
    assert len(run.exchanges) - LOGIN_AND_LOGOUT == requests, [f"{each.method} {each.path}" for each in run.exchanges]


@seeded
@pytest.mark.parametrize(
    ("options", "requests"),
    [
        # Find the library, list its items, read each, and the name of the library.
        ({"library": "templates", "with_files": False}, 1 + 1 + 4 + 1),
        ({"library": "templates"}, 1 + 1 + 2 * 4 + 1),
        ({"library": "templates", "with_storage": True}, 1 + 1 + 3 * 4 + 1),
        # What does not fit is read no further.
        ({"library": "templates", "pattern": "golden"}, 1 + 1 + 4 + 1 + 1),
        ({"library_item_id": TOOLS_ID}, 2 + 1),
        ({"type": "iso", "with_files": False}, 1 + 3 + 3),
        # List the libraries, and the items of each.
        ({"with_files": False}, 1 + 5 + 6 + 3),
    ],
    ids=str,
)
def test_one_request_per_list_and_one_per_item(tasks: Tasks, options: dict[str, Any], requests: int) -> None:
    assert_requests(tasks.run(ITEM_INFO, **options), requests)


@seeded
@pytest.mark.parametrize("held", ["list", "item", "files"])
def test_an_item_that_disappears_meanwhile_is_left_out(tasks: Tasks, held: str) -> None:
    path = {"list": "*action=find*", "item": f"*{TOOLS_ID}", "files": "*/file*"}[held]
    verb = "POST" if held == "list" else "GET"
    # Of a list, the answer is held: the item is in it.
    fault = f"{verb}:{path}:1:{'hold-answer' if held == 'list' else 'hold'}"
    wanted = {"library_id": tasks.sim.run(lambda store: store.find_library_id("templates")), "type": "iso"}
    with while_held(tasks.sim, fault, lambda: tasks.sim.run(lambda store: store.delete_item(TOOLS_ID))):
        assert read(tasks, **wanted) == []


@seeded
def test_what_cannot_be_read_is_an_error_and_no_gap(tasks: Tasks) -> None:
    tasks.sim.inject(f"GET:*{TOOLS_ID}:*:500")
    failed = tasks.run(ITEM_INFO, library="templates")
    assert (failed.error["type"], failed.error["operation"]) == ("INTERNAL_SERVER_ERROR", "item.get")
    assert "library_items" not in failed.result
