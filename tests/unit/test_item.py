# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""content_library_item makes, changes and deletes exactly the item that is declared, in both dialects."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.modules import ModuleResult, connection_args, finish_module, run_module, start_module
from tests.harness.tasks import LIBRARY_ITEM, changes_something, in_dialect
from tests.simulator import Exchange, ItemSeed, LibrarySeed, Seed, Simulator
from tests.simulator.catalog import Item
from tests.simulator.seed import VIEWER

Run = Callable[..., ModuleResult]

POLICY = "6d9b6f2e-7f0e-4d55-9e8c-0a1b2c3d4e5f"
ABSENT = {"state": "absent"}
EMPTY_ITEM_FILES: list[dict[str, Any]] = []


@pytest.fixture
def run(sim: Simulator, dialect: str) -> Run:
    return in_dialect(sim, LIBRARY_ITEM, dialect)


def mutating(sim: Simulator) -> list[Exchange]:
    return [each for each in sim.exchanges if changes_something(each)]


def item_of(sim: Simulator, library: str, name: str) -> Item | None:
    def find(store: Any) -> Item | None:
        held: list[Item] = list(store.catalog.items.values())
        return next((each for each in held if each.library.seed.name == library and each.name == name), None)

    return sim.run(find)


def id_of(sim: Simulator, library: str, name: str) -> str:
    return sim.run(lambda store: store.find_item_id(library, name))


def converges(run: Run, sim: Simulator, options: dict[str, Any]) -> ModuleResult:
    """Check mode, for real, again: the prediction holds, and the second run asks for nothing. Returns the real run."""
    predicted = run(check=True, **options)
    assert mutating(sim) == []
    real = run(**options)
    assert real.rc == 0, real.result
    assert len(mutating(sim)) == (1 if real.result["changed"] else 0)
    assert real.result["created"] is any(each.method == "POST" for each in mutating(sim))
    assert (predicted.result["changed"], predicted.result["diff"]) == (real.result["changed"], real.result["diff"])
    again = run(**options)
    assert (again.result["changed"], mutating(sim)) == (False, [])
    assert again.result["diff"]["before"] == again.result["diff"]["after"] == real.result["diff"]["after"]
    assert sim.run(lambda store: store.logins.count) == 0
    return real


def refused(run: Run, sim: Simulator, options: dict[str, Any]) -> dict[str, Any]:
    """The failure, which is the same in check mode, and before which nothing is changed."""
    predicted = run(check=True, **options)
    real = run(**options)
    assert mutating(sim) == []
    assert (predicted.rc, real.rc) == (1, 1)
    assert predicted.result["msg"] == real.result["msg"]
    assert "Traceback" not in real.stdout + real.stderr
    return real.result


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {"name": "new", "type": "", "description": ""}),
        ({"type": "ovf"}, {"name": "new", "type": "ovf", "description": ""}),
        ({"type": "iso", "description": "Tools"}, {"name": "new", "type": "iso", "description": "Tools"}),
        (
            {"description": "Zürich \u2013 \U0001f600"},
            {"name": "new", "type": "", "description": "Zürich \u2013 \U0001f600"},
        ),
    ],
    ids=["name-only", "type", "type-and-description", "beyond-ascii"],
)
def test_present_makes_the_item_once(run: Run, sim: Simulator, options: dict[str, Any], shown: dict[str, str]) -> None:
    real = converges(run, sim, {"library": "templates", "name": "new", **options})
    assert real.result["changed"] is True
    assert real.result["diff"] == {"before": {"state": "absent"}, "after": {"state": "present", **shown}}
    made = item_of(sim, "templates", "new")
    assert made is not None
    assert (made.type, made.description) == (shown["type"], shown["description"])
    assert real.result["library_item"]["id"] == made.id


def test_the_library_may_be_named_by_its_id(run: Run, sim: Simulator) -> None:
    library_id = sim.run(lambda store: store.find_library_id("templates"))
    real = converges(run, sim, {"library_id": library_id, "name": "new", "type": "iso"})
    assert real.result["changed"] is True
    assert real.result["library_item"]["library_id"] == library_id
    assert item_of(sim, "templates", "new") is not None


def test_present_in_check_mode_returns_no_item_that_does_not_exist(run: Run, sim: Simulator) -> None:
    predicted = run(check=True, library="templates", name="new")
    shown = [predicted.result[name] for name in ("changed", "created", "library_item")]
    assert shown == [True, False, None]
    assert item_of(sim, "templates", "new") is None


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({"description": "Rocky"}, {"description": ""}, {"description": "Rocky"}),
        ({"type": "iso"}, {"type": "ovf"}, {"type": "iso"}),
        (
            {"type": "iso", "description": "Rocky"},
            {"type": "ovf", "description": ""},
            {"type": "iso", "description": "Rocky"},
        ),
    ],
    ids=["description", "type", "both"],
)
@pytest.mark.parametrize("by", ["names", "id"])
def test_present_changes_what_differs_and_sends_nothing_else(
    run: Run, sim: Simulator, by: str, options: dict[str, str], before: dict[str, str], after: dict[str, str]
) -> None:
    item_id = id_of(sim, "templates", "rocky9")
    named = {"library": "templates", "name": "rocky9"} if by == "names" else {"library_item_id": item_id}
    run(check=True, **named, **options)
    real = run(**named, **options)
    (patch,) = mutating(sim)
    sent = json.loads(patch.request_body)
    assert patch.method == "PATCH"
    assert sent.get("update_spec", sent) == options
    assert {name: real.result["diff"]["before"][name] for name in before} == before
    assert {name: real.result["diff"]["after"][name] for name in after} == after
    assert real.result["library_item"]["id"] == item_id
    assert converges(run, sim, {**named, **options}).result["changed"] is False


@pytest.mark.parametrize(
    ("item", "content", "wanted"),
    [
        ("rocky9", ["rocky9.ovf", "disk.vmdk"], "iso"),
        ("rocky9", ["rocky9.ovf"], ""),
        ("rocky9", ["rocky9.ovf"], "vm-template"),
        ("rocky9", ["rocky9.ovf"], "OVF-of-ours"),
        ("tools", ["tools.iso"], "ovf"),
        ("untyped", ["tools.iso"], "iso"),
    ],
)
@pytest.mark.parametrize("by", ["names", "id"])
def test_an_item_that_holds_files_never_changes_its_type(
    run: Run, sim: Simulator, by: str, item: str, content: list[str], wanted: str
) -> None:
    run(library="templates", name="untyped")
    item_id = id_of(sim, "templates", item)
    sim.run(lambda store: store.seed_item_files(item_id, dict.fromkeys(content, b"content")))
    named = {"library": "templates", "name": item} if by == "names" else {"library_item_id": item_id}
    failure = refused(run, sim, {**named, "type": wanted, "description": "changed"})
    assert failure["error"]["type"] == "INVALID_ARGUMENT"
    before = item_of(sim, "templates", item)
    assert before is not None
    assert (f"of type {before.type}" if before.type else "has no type") in failure["msg"]
    assert all(text in failure["msg"] for text in (str(len(content)), *content, "another name", "delete the item"))
    for options in ({}, {"type": before.type}):
        real = converges(run, sim, {**named, **options, "description": f"described with {options}"})
        assert real.result["library_item"]["type"] == before.type


def test_of_many_files_that_an_item_holds_some_are_named(run: Run, sim: Simulator) -> None:
    item_id = id_of(sim, "templates", "rocky9")
    sim.run(lambda store: store.seed_item_files(item_id, {f"disk-{number:03}.vmdk": b"" for number in range(250)}))
    said = refused(run, sim, {"library": "templates", "name": "rocky9", "type": "iso"})["msg"]
    assert "250 files (disk-000.vmdk, " in said
    assert "disk-009.vmdk and 240 more)" in said
    assert len(said) < 1000


def test_a_vm_template_keeps_its_type_although_no_file_of_it_is_listed(run: Run, sim: Simulator) -> None:
    sim.reset(Seed(libraries=(LibrarySeed("templates", (ItemSeed("rocky9", "vm-template"),)),)))
    failure = refused(run, sim, {"library": "templates", "name": "rocky9", "type": "ovf"})
    assert "of type vm-template and holds a VM template" in failure["msg"]
    assert converges(run, sim, {"library": "templates", "name": "rocky9", "description": "changed"}).result["changed"]


def test_an_item_whose_files_were_removed_is_empty_whatever_its_content_version(run: Run, sim: Simulator) -> None:
    item_id = id_of(sim, "templates", "tools")

    def empty(store: Any) -> None:
        store.seed_item_files(item_id, {"tools.iso": b"content"})
        item = store.catalog.item(item_id)
        store.catalog.commit(item, {}, {}, ["tools.iso"])

    sim.run(empty)
    real = converges(run, sim, {"library": "templates", "name": "tools", "type": "ovf"})
    assert (real.result["library_item"]["type"], real.result["library_item"]["content_version"]) == ("ovf", "3")


@pytest.mark.parametrize("files", [{"tools.iso": b"content"}, {}], ids=["with-files", "yet-without"])
def test_an_active_session_keeps_an_empty_item_from_changing_its_type(
    run: Run, sim: Simulator, files: dict[str, bytes]
) -> None:
    item_id = id_of(sim, "templates", "tools")
    session_id = sim.run(lambda store: store.seed_update_session(item_id, files=files))
    options = {"library": "templates", "name": "tools", "type": "ovf"}
    failure = refused(run, sim, options)
    assert (failure["error"]["type"], failure["error"]["session_id"]) == ("RESOURCE_BUSY", session_id)
    assert all(text in failure["msg"] for text in (session_id, "of type iso", "state: absent"))
    assert converges(run, sim, {**options, "type": "iso", "description": "changed"}).result["changed"]


def test_what_is_published_after_the_item_was_read_keeps_its_type(run: Run, sim: Simulator) -> None:
    item_id = id_of(sim, "templates", "rocky9")
    sim.inject("GET:*/update-session?*:1:hold")

    def publish() -> None:
        assert sim.wait_until_held()
        sim.run(lambda store: store.seed_item_files(item_id, {"rocky9.ovf": b"<Envelope/>"}))
        sim.release()

    thread = threading.Thread(target=publish)
    thread.start()
    failed = run(library="templates", name="rocky9", type="iso")
    thread.join()
    assert (failed.rc, failed.result["error"]["type"], mutating(sim)) == (1, "INVALID_ARGUMENT", [])
    assert "holds 1 file (rocky9.ovf)" in failed.result["msg"]


@pytest.mark.parametrize(
    ("written", "right"), [("ISO", "iso"), ("Ovf", "ovf"), ("VM-Template", "vm-template"), (" iso", "iso")]
)
def test_a_known_type_in_another_spelling_is_refused_before_the_first_request(
    run: Run, sim: Simulator, written: str, right: str
) -> None:
    failure = refused(run, sim, {"library": "templates", "name": "new", "type": written})
    assert failure["error"]["type"] == "INVALID_ARGUMENT"
    assert f"Write type: {right}." in failure["msg"]
    assert sim.exchanges == ()


def test_a_description_can_be_emptied(run: Run, sim: Simulator) -> None:
    run(library="templates", name="rocky9", description="old")
    real = converges(run, sim, {"library": "templates", "name": "rocky9", "description": ""})
    assert real.result["changed"] is True
    assert real.result["library_item"]["description"] == ""


def test_what_is_not_declared_is_left_alone(run: Run, sim: Simulator) -> None:
    run(library="templates", name="rocky9", description="kept")
    real = converges(run, sim, {"library": "templates", "name": "rocky9"})
    assert real.result["changed"] is False
    assert (real.result["library_item"]["type"], real.result["library_item"]["description"]) == ("ovf", "kept")


def test_an_item_named_by_id_is_renamed(run: Run, sim: Simulator) -> None:
    item_id = id_of(sim, "templates", "rocky9")
    real = converges(run, sim, {"library_item_id": item_id, "name": "rocky9-old"})
    assert real.result["changed"] is True
    assert (real.result["diff"]["before"]["name"], real.result["diff"]["after"]["name"]) == ("rocky9", "rocky9-old")
    assert real.result["library_item"]["name"] == "rocky9-old"
    assert item_of(sim, "templates", "rocky9") is None


def test_a_name_that_is_taken_is_no_name_to_rename_to(run: Run, sim: Simulator) -> None:
    failed = run(library_item_id=id_of(sim, "templates", "rocky9"), name="tools")
    assert (failed.rc, failed.result["error"]["type"]) == (1, "ALREADY_EXISTS")
    assert "tools" in failed.result["msg"]
    assert item_of(sim, "templates", "rocky9") is not None


def test_the_name_may_be_written_library_item(run: Run, sim: Simulator) -> None:
    real = converges(run, sim, {"library": "templates", "library_item": "new"})
    assert real.result["library_item"]["name"] == "new"


@pytest.mark.parametrize("by", ["names", "library_id", "id"])
def test_absent_deletes_the_item_with_its_files(run: Run, sim: Simulator, by: str) -> None:
    item_id = id_of(sim, "templates", "tools")
    sim.run(lambda store: store.seed_item_files(item_id, {"tools.iso": b"content"}))
    named = {
        "names": {"library": "templates", "name": "tools"},
        "library_id": {"library_id": sim.run(lambda store: store.find_library_id("templates")), "name": "tools"},
        "id": {"library_item_id": item_id},
    }[by]
    real = converges(run, sim, {**named, **ABSENT})
    assert (real.result["changed"], real.result["library_item"]) == (True, None)
    assert real.result["diff"]["after"] == ABSENT
    assert item_of(sim, "templates", "tools") is None
    assert item_of(sim, "templates", "rocky9") is not None


@pytest.mark.parametrize(
    "named",
    [
        {"library": "templates", "name": "nowhere"},
        {"library": "mirror", "name": "nowhere"},
        {"library_item_id": "0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55"},
    ],
    ids=["by-names", "in-a-subscribed-library", "by-id"],
)
def test_absent_is_content_with_what_is_not_there(run: Run, sim: Simulator, named: dict[str, str]) -> None:
    real = converges(run, sim, {**named, **ABSENT})
    assert (real.result["changed"], real.result["library_item"]) == (False, None)


def test_an_identifier_without_an_item_is_not_found(run: Run, sim: Simulator) -> None:
    failure = refused(run, sim, {"library_item_id": "0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55"})
    assert failure["error"]["type"] == "NOT_FOUND"
    assert "0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55" in failure["msg"]


def test_an_unknown_library_is_not_found(run: Run, sim: Simulator) -> None:
    failure = refused(run, sim, {"library": "nowhere", "name": "rocky9"})
    assert failure["error"]["type"] == "NOT_FOUND"
    assert "'nowhere'" in failure["msg"]


def test_libraries_of_one_name_are_listed_and_library_id_takes_one(run: Run, sim: Simulator) -> None:
    twins = (LibrarySeed("twins", (ItemSeed("one"),), id="a-1"), LibrarySeed("twins", (ItemSeed("two"),), id="b-2"))
    sim.reset(Seed(libraries=twins))
    failure = refused(run, sim, {"library": "twins", "name": "one"})
    assert failure["error"]["type"] == "INVALID_ARGUMENT"
    assert all(text in failure["msg"] for text in ("a-1", "b-2", "library_id"))
    assert run(library_id="a-1", name="one").rc == 0


@pytest.mark.parametrize("state", ["present", "absent"])
def test_items_of_one_name_are_listed_and_library_item_id_takes_one(run: Run, sim: Simulator, state: str) -> None:
    twins = (ItemSeed("twin", "ovf", id="item-1"), ItemSeed("twin", "iso", id="item-2"))
    sim.reset(Seed(libraries=(LibrarySeed("templates", twins),)))
    failure = refused(run, sim, {"library": "templates", "name": "twin", "state": state})
    assert failure["error"]["type"] == "INVALID_ARGUMENT"
    assert all(text in failure["msg"] for text in ("item-1", "type ovf", "item-2", "type iso", "library_item_id"))
    assert run(library_item_id="item-1", state=state).rc == 0


@pytest.mark.parametrize(
    "options",
    [
        {"name": "new"},
        {"name": "synced", "description": "changed"},
        {"name": "synced", **ABSENT},
        {"description": "changed"},
        ABSENT,
    ],
    ids=["make", "change", "delete", "change-by-id", "delete-by-id"],
)
def test_a_subscribed_library_is_refused_before_anything_is_sent(
    run: Run, sim: Simulator, options: dict[str, Any]
) -> None:
    named = {"library": "mirror"} if "name" in options else {"library_item_id": id_of(sim, "mirror", "synced")}
    failure = refused(run, sim, {**named, **options})
    assert failure["error"]["type"] == "INVALID_ELEMENT_TYPE"
    assert all(text in failure["msg"] for text in ("'mirror'", "subscribed library", "Publish to the library"))


def test_an_item_of_a_subscribed_library_can_be_read(run: Run, sim: Simulator) -> None:
    real = converges(run, sim, {"library": "mirror", "name": "synced"})
    assert real.result["changed"] is False
    assert real.result["library_item"]["source_id"]
    assert real.result["library_item"]["last_sync_time"]


@pytest.mark.parametrize("item_type", [None, "iso"], ids=["no-type", "iso"])
def test_a_security_policy_refusal_is_explained(run: Run, sim: Simulator, item_type: str | None) -> None:
    sim.reset(Seed(libraries=(LibrarySeed("secure", security_policy_id=POLICY),)))
    failed = run(library="secure", name="tools", **({"type": item_type} if item_type else {}))
    assert failed.rc == 1
    assert failed.result["error"]["type"] == "INVALID_ARGUMENT"
    assert failed.result["error"]["operation"] == "item.create"
    assert all(text in failed.result["msg"] for text in ("'secure'", POLICY, "type: ovf", "signature"))
    assert item_of(sim, "secure", "tools") is None
    assert sim.run(lambda store: store.logins.count) == 0


def test_a_security_policy_takes_an_ovf_item(run: Run, sim: Simulator) -> None:
    sim.reset(Seed(libraries=(LibrarySeed("secure", security_policy_id=POLICY),)))
    real = converges(run, sim, {"library": "secure", "name": "rocky9", "type": "ovf"})
    assert real.result["library_item"]["security_compliance"] is True


@pytest.mark.parametrize(
    ("options", "privilege"),
    [
        ({"name": "new"}, "ContentLibrary.AddLibraryItem"),
        ({"name": "tools", "description": "changed"}, "ContentLibrary.UpdateLibraryItem"),
        ({"name": "tools", "state": "absent"}, "ContentLibrary.DeleteLibraryItem"),
    ],
    ids=["make", "change", "delete"],
)
def test_a_missing_privilege_is_named(run: Run, sim: Simulator, options: dict[str, str], privilege: str) -> None:
    default = Seed()
    poor = [type(user)(user.name, user.password, ()) if user.name == VIEWER else user for user in default.users]
    sim.reset(Seed(users=tuple(poor)))
    failed = run(username=VIEWER, library="templates", **options)
    assert (failed.rc, failed.result["error"]["type"]) == (1, "UNAUTHORIZED")
    assert privilege in failed.result["msg"]


def test_the_result_holds_every_field_of_the_item_and_of_its_files(run: Run, sim: Simulator) -> None:
    item_id = id_of(sim, "templates", "tools")

    def sign(store: Any) -> None:
        store.seed_item_files(item_id, {"tools.iso": b"hello", "note.txt": b""})
        item = store.catalog.item(item_id)
        item.verification, item.cert_chain, item.compliant = "UNTRUSTED", ["first", "second"], False

    sim.run(sign)
    shown = run(library="templates", name="tools").result["library_item"]
    assert shown.pop("creation_time") == shown.pop("last_modified_time")
    assert shown == {
        "id": item_id,
        "library_id": sim.run(lambda store: store.find_library_id("templates")),
        "name": "tools",
        "description": "",
        "type": "iso",
        "size": 5,
        "cached": True,
        "version": "1",
        "content_version": "2",
        "metadata_version": "1",
        "source_id": None,
        "last_sync_time": None,
        "security_compliance": False,
        "certificate_verification_info": {"status": "UNTRUSTED", "cert_chain": ["first", "second"]},
        "files": [
            {
                "name": "tools.iso",
                "held_by": "item",
                "size": 5,
                "cached": True,
                "version": "1",
                "checksum_info": {"algorithm": "SHA1", "checksum": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"},
                "file_download_endpoint": None,
            },
            {
                "name": "note.txt",
                "held_by": "item",
                "size": 0,
                "cached": True,
                "version": "1",
                "checksum_info": {"algorithm": "SHA1", "checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
                "file_download_endpoint": None,
            },
        ],
    }


@pytest.mark.parametrize("empty", ["[]", "null", "{}"])
def test_an_older_server_leaves_out_what_it_does_not_know(run: Run, sim: Simulator, empty: str) -> None:
    sim.reset(Seed(preview=False, rest_empty_list=empty))
    shown = run(library="templates", name="tools").result["library_item"]
    assert (shown["security_compliance"], shown["certificate_verification_info"]) == (None, None)
    assert shown["files"] == EMPTY_ITEM_FILES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "neither name nor library_item_id"),
        ({"name": "new"}, "without its library"),
        ({"library": "templates"}, "neither name nor library_item_id"),
        ({"library": "templates", "library_id": "a-1", "name": "new"}, "mutually exclusive"),
        ({"library": "templates", "library_item_id": "item-1"}, "mutually exclusive"),
        ({"library_id": "a-1", "library_item_id": "item-1"}, "mutually exclusive"),
        ({"library": "templates", "name": "n" * 81}, "name is longer than 80 characters"),
        ({"library": "templates", "name": "new", "description": "d" * 2001}, "description is longer than 2000"),
        ({"library": "templates", "name": "new", "state": "gone"}, "state must be one of"),
    ],
    ids=[
        "nothing",
        "no-library",
        "no-name",
        "library-twice",
        "library-and-item-id",
        "library-id-and-item-id",
        "name-too-long",
        "description-too-long",
        "unknown-state",
    ],
)
def test_options_that_name_no_item_are_refused_before_anything_is_changed(
    sim: Simulator, options: dict[str, str], said: str
) -> None:
    failed = run_module("content_library_item", {**connection_args(sim), **options})
    assert failed.rc == 1
    assert said in failed.result["msg"]
    assert mutating(sim) == []


def test_names_and_identifiers_reach_the_server_as_they_are(run: Run, sim: Simulator) -> None:
    name = "a b/c?d&e=f#g%20'\""
    real = converges(run, sim, {"library": "templates", "name": name})
    assert real.result["library_item"]["name"] == name
    assert item_of(sim, "templates", name) is not None
    failed = run(library_item_id="no/such?item=x")
    assert failed.result["error"]["type"] == "NOT_FOUND"


def test_an_answer_that_was_lost_does_not_make_the_item_twice(run: Run, sim: Simulator) -> None:
    sim.inject("POST:*/library/item:1:reset-mid-body")
    sim.inject("POST:*/library/item?client_token=*:1:reset-mid-body")
    real = run(library="templates", name="new")
    assert (real.rc, real.result["changed"]) == (0, True)
    assert [each.method for each in mutating(sim)] == ["POST", "POST"]
    assert item_of(sim, "templates", "new") is not None


MAKE, CHANGE, DELETE = {"name": "new"}, {"name": "tools", "description": "changed"}, {"name": "tools", **ABSENT}


@pytest.mark.parametrize(
    ("options", "done", "nth", "operation"),
    [
        (MAKE, "created", 1, "item.get"),
        (MAKE, "created", 2, "item.file.list"),
        (CHANGE, "changed", 3, "item.get"),
        (CHANGE, "changed", 4, "item.file.list"),
    ],
    ids=["make-item", "make-files", "change-item", "change-files"],
)
@pytest.mark.parametrize("fault", ["403", "500", "truncate"])
def test_what_was_done_to_an_item_that_cannot_be_read_then_stays_and_is_told(
    run: Run, sim: Simulator, options: dict[str, str], done: str, nth: int, operation: str, fault: str
) -> None:
    sim.inject(f"GET:*/library/item/*:{nth}:{fault}")
    failed = run(library="templates", **options)
    assert (failed.rc, failed.result["error"]["operation"], failed.result["changed"]) == (1, operation, True)
    assert f"Changed, and not put back: the item was {done}. The next run goes on" in failed.result["msg"]
    assert len(mutating(sim)) == 1
    again = run(library="templates", **options)
    assert (again.rc, again.result["changed"], mutating(sim)) == (0, False, [])


@pytest.mark.parametrize(
    ("options", "done", "requests"),
    [
        (MAKE, "created", ("POST:*/library/item", "POST:*/library/item?client_token=*")),
        (CHANGE, "changed", ("PATCH:*",)),
        (DELETE, "deleted", ("DELETE:*/library/item/*",)),
    ],
    ids=["make", "change", "delete"],
)
@pytest.mark.parametrize(("fault", "may_be_done"), [("reset", True), ("500", True), ("403", False), ("400", False)])
def test_what_may_have_been_done_to_an_item_counts_and_is_told(
    run: Run,
    sim: Simulator,
    options: dict[str, str],
    done: str,
    requests: tuple[str, ...],
    fault: str,
    may_be_done: bool,
) -> None:
    for request_ in requests:
        sim.inject(f"{request_}:*:{fault}")
    failed = run(library="templates", **options)
    assert failed.rc == 1, failed.result
    assert failed.result.get("changed", False) is may_be_done
    told = f"Changed, and not put back: perhaps the item was {done}. The next run goes on"
    assert (told in failed.result["msg"]) is may_be_done
    sim.clear_faults()
    assert run(library="templates", **options).rc == 0


def test_a_refusal_is_told_although_the_library_cannot_be_asked_why(run: Run, sim: Simulator) -> None:
    sim.reset(Seed(libraries=(LibrarySeed("secure", security_policy_id=POLICY),)))
    # It is read before the item is made, too.
    sim.inject("GET:*/content/library/*:2:403")
    failed = run(library="secure", name="tools")
    assert (failed.result["error"]["type"], failed.result["error"]["operation"]) == ("INVALID_ARGUMENT", "item.create")


@pytest.mark.parametrize(("options", "changed"), [(CHANGE, True), (DELETE, False)], ids=["present", "absent"])
def test_an_item_that_goes_between_its_being_found_and_read_is_not_there(
    run: Run, sim: Simulator, options: dict[str, str], changed: bool
) -> None:
    item_id = id_of(sim, "templates", "tools")
    sim.inject("GET:*/library/item/*:1:hold")

    def delete() -> None:
        assert sim.wait_until_held()
        sim.run(lambda store: store.delete_item(item_id))
        sim.release()

    thread = threading.Thread(target=delete)
    thread.start()
    real = run(library="templates", **options)
    thread.join()
    assert (real.rc, real.result["changed"]) == (0, changed), real.result
    made = item_of(sim, "templates", "tools")
    assert (made is not None) is changed


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "fault", "said"),
    [
        (MAKE, "POST:*/library/item?client_token=*:1:hold-answer", "perhaps the item was created"),
        (MAKE, "GET:*/library/item/*:1:hold", "the item was created"),
        (CHANGE, "PATCH:*:1:hold-answer", "perhaps the item was changed"),
        (CHANGE, "GET:*/library/item/*:4:hold", "the item was changed"),
        (DELETE, "DELETE:*/library/item/*:1:hold-answer", "perhaps the item was deleted"),
    ],
    ids=["making", "made", "changing", "changed", "deleting"],
)
def test_a_signal_hides_nothing_of_what_was_done(
    sim: Simulator, options: dict[str, str], fault: str, said: str
) -> None:
    sim.inject(fault)
    args = {**connection_args(sim), "api_dialect": "api", "library": "templates", **options}
    process = start_module("content_library_item", args)
    assert sim.wait_until_held()
    process.send_signal(signal.SIGTERM)
    ended = finish_module(process)
    sim.release()
    assert (ended.rc, ended.result["error"]["type"], ended.result["changed"]) == (1, "CANCELED", True)
    assert f"ended by SIGTERM. Changed, and not put back: {said}. The next run" in ended.result["msg"]
    assert run_module("content_library_item", args).rc == 0
