# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""content_library_session_info reads sessions of both kinds, whole, with as few requests as that takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.held import item_id
from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.packages import SELF_SIGNED_RAISES, make_package
from tests.harness.tasks import SESSION_INFO, changes_something, in_dialect
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, Store
from tests.simulator.seed import VIEWER

Run = Callable[..., ModuleResult]

SESSION_KEYS = {
    "id",
    "library_item_id",
    "library_item_content_version",
    "state",
    "client_progress",
    "expiration_time",
    "error_message",
}
UPDATE_KEYS = SESSION_KEYS | {"preview_info", "warning_behavior"}
UPDATE_FILE_KEYS = {
    "name",
    "status",
    "source_type",
    "size",
    "bytes_transferred",
    "checksum_info",
    "source_endpoint",
    "upload_endpoint",
    "error_message",
    "keep_in_storage",
}
DOWNLOAD_FILE_KEYS = {
    "name",
    "status",
    "size",
    "bytes_transferred",
    "checksum_info",
    "download_endpoint",
    "error_message",
}
NESTED_MESSAGE = {
    "id": "com.vmware.vdcs.cls-main.transfer_failed",
    "default_message": "Transfer of disk.vmdk failed at 42.5 %.",
    "args": ["disk.vmdk", "42.5"],
    "params": {
        "file": {"s": "disk.vmdk"},
        "at": {"dt": "2026-11-23T12:00:00.000Z", "format": "MED_DATE"},
        "bytes": {"i": 42},
        "share": {"d": 42.5, "precision": 1},
        "because": {
            "l": {
                "id": "com.vmware.vdcs.cls-main.datastore_full",
                "params": {"name": {"s": "datastore1"}, "why": {"l": {"id": "quota", "params": {"left": {"i": 0}}}}},
            }
        },
    },
    "localized": "Die Übertragung von disk.vmdk ist gescheitert.",
}

# How sessions are named, whether their files are read too, and whether a session_token spares login and logout.
BUDGETS = [
    *((by, files, False) for by in ("nothing", "library_item_id", "names", "session_ids") for files in (False, True)),
    ("nothing", False, True),
    ("names", True, True),
]
BUDGET_IDS = [f"by-{by}{'-with-files' * files}{'-token' * token}" for by, files, token in BUDGETS]


@pytest.fixture
def run(sim: Simulator, dialect: str) -> Run:
    return in_dialect(sim, SESSION_INFO, dialect)


@pytest.fixture
def tools(sim: Simulator) -> str:
    return item_id(sim)


@pytest.fixture
def rocky9(sim: Simulator) -> str:
    return item_id(sim, "rocky9")


@pytest.fixture
def seeded(sim: Simulator, tools: str, rocky9: str) -> dict[str, str]:
    """One session of each kind and state on tools, and two that are ACTIVE on rocky9, by a readable name."""

    def seed(store: Any) -> dict[str, str]:
        update = {
            state: store.seed_update_session(tools, state=state) for state in ("ACTIVE", "DONE", "ERROR", "CANCELED")
        }
        download = {state: store.seed_download_session(tools, state=state) for state in ("ACTIVE", "ERROR", "CANCELED")}
        return {
            **{f"update {state}": session for state, session in update.items()},
            **{f"download {state}": session for state, session in download.items()},
            "update rocky9": store.seed_update_session(rocky9),
            "download rocky9": store.seed_download_session(rocky9),
        }

    return sim.run(seed)


def found(result: ModuleResult) -> set[str]:
    assert result.rc == 0, result.result
    assert result.result["changed"] is False
    return {session["id"] for kind in ("update_sessions", "download_sessions") for session in result.result[kind]}


def named(seeded: dict[str, str], *names: str) -> set[str]:
    return {seeded[name] for name in names}


@pytest.mark.parametrize("check", [False, True], ids=["for-real", "check-mode"])
def test_all_sessions_of_the_user_are_read_when_nothing_is_named(
    run: Run, sim: Simulator, seeded: dict[str, str], check: bool
) -> None:
    result = run(check=check)
    assert found(result) == set(seeded.values())
    assert {session["id"] for session in result.result["update_sessions"]} == {
        session for name, session in seeded.items() if name.startswith("update")
    }
    assert not any(changes_something(each) for each in sim.exchanges)
    assert sim.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize("by", ["names", "library_id", "library_item_id"])
def test_the_sessions_of_one_item_are_read(
    run: Run, sim: Simulator, seeded: dict[str, str], rocky9: str, by: str
) -> None:
    options = {
        "names": {"library": "templates", "library_item": "rocky9"},
        "library_id": {
            "library_id": sim.run(lambda store: store.find_library_id("templates")),
            "library_item": "rocky9",
        },
        "library_item_id": {"library_item_id": rocky9},
    }[by]
    assert found(run(**options)) == named(seeded, "update rocky9", "download rocky9")


def test_sessions_are_read_by_their_ids_in_the_order_asked_for(run: Run, seeded: dict[str, str]) -> None:
    wanted = [seeded[name] for name in ("update DONE", "download ERROR", "update ACTIVE", "download ACTIVE")]
    result = run(session_ids=[*wanted, "815994e5:gone"])
    assert [session["id"] for session in result.result["update_sessions"]] == [wanted[0], wanted[2]]
    assert [session["id"] for session in result.result["download_sessions"]] == [wanted[1], wanted[3]]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["ACTIVE"], ["update ACTIVE", "update rocky9", "download ACTIVE", "download rocky9"]),
        (["DONE"], ["update DONE"]),
        (["ERROR", "CANCELED"], ["update ERROR", "update CANCELED", "download ERROR", "download CANCELED"]),
    ],
    ids=["active", "done", "error-or-canceled"],
)
def test_sessions_are_read_by_state(run: Run, seeded: dict[str, str], states: list[str], expected: list[str]) -> None:
    assert found(run(states=states)) == named(seeded, *expected)


def test_ids_and_states_are_both_asked_for(run: Run, seeded: dict[str, str]) -> None:
    expected = named(seeded, "update ERROR", "update CANCELED", "download ERROR", "download CANCELED")
    assert found(run(states=["ERROR", "CANCELED"], session_ids=list(seeded.values()))) == expected


@pytest.mark.parametrize("kind", ["update", "download"])
def test_only_sessions_of_one_kind_are_read(run: Run, sim: Simulator, seeded: dict[str, str], kind: str) -> None:
    other = {"update": "download", "download": "update"}[kind]
    result = run(kind=kind)
    assert found(result) == {session for name, session in seeded.items() if name.startswith(kind)}
    assert result.result[f"{other}_sessions"] == []
    assert not [each for each in sim.exchanges if f"{other}-session" in each.path]
    assert found(run(kind=kind, session_ids=[seeded[f"{other} ACTIVE"]])) == set()


def test_no_session_at_all_is_two_empty_lists(run: Run) -> None:
    result = run()
    assert (result.result["update_sessions"], result.result["download_sessions"]) == ([], [])


@pytest.mark.parametrize("empty", ["[]", "null", "{}"])
def test_an_empty_list_may_be_written_in_each_way(run: Run, sim: Simulator, empty: str) -> None:
    sim.reset(Seed(rest_empty_list=empty))
    assert found(run(library="templates", library_item="tools", with_files=True)) == set()


def test_sessions_of_other_users_are_not_listed_but_can_be_named(run: Run, sim: Simulator, tools: str) -> None:
    ours = sim.run(lambda store: store.seed_update_session(tools))
    theirs = sim.run(lambda store: store.seed_update_session(tools, user=VIEWER))
    assert found(run()) == {ours}
    assert found(run(library_item_id=tools)) == {ours}
    assert found(run(session_ids=[theirs])) == {theirs}


def test_a_server_that_leaves_the_id_out_is_filled_in(run: Run, sim: Simulator) -> None:
    sim.reset(Seed(omit_session_id=True))
    item = sim.run(lambda store: store.find_item_id("templates", "tools"))
    ids = {sim.run(lambda store: store.seed_update_session(item)), sim.run(lambda s: s.seed_download_session(item))}
    assert found(run()) == ids


def test_every_field_is_there_and_none_where_the_server_sent_nothing(run: Run, sim: Simulator, tools: str) -> None:
    session_id = sim.run(lambda store: store.seed_update_session(tools, client_progress=40))
    download_id = sim.run(lambda store: store.seed_download_session(tools, client_progress=60))
    result = run().result
    (update,), (download,) = result["update_sessions"], result["download_sessions"]
    assert set(update) == UPDATE_KEYS
    assert update.pop("expiration_time").endswith("Z")
    assert update == {
        "id": session_id,
        "library_item_id": tools,
        "library_item_content_version": "1",
        "state": "ACTIVE",
        "client_progress": 40,
        "error_message": None,
        "preview_info": {"state": "UNAVAILABLE", "certificate_info": None, "warnings": None, "cert_chain": None},
        "warning_behavior": [],
    }
    assert set(download) == SESSION_KEYS
    assert (download["id"], download["client_progress"], download["error_message"]) == (download_id, 60, None)


@pytest.mark.parametrize("kind", ["update", "download"])
def test_an_error_message_stays_whole_with_nested_messages_and_params(
    run: Run, sim: Simulator, tools: str, kind: str
) -> None:
    def break_session(store: Any) -> None:
        seed, look = getattr(store, f"seed_{kind}_session"), getattr(store, f"{kind}_session")
        look(seed(tools, state="ERROR")).error_message = NESTED_MESSAGE

    sim.run(break_session)
    (session,) = run(kind=kind).result[f"{kind}_sessions"]
    assert session["error_message"] == NESTED_MESSAGE


@pytest.mark.beyond_description
def test_what_this_version_does_not_know_is_passed_on(run: Run, sim: Simulator, tools: str) -> None:
    def age(store: Any) -> None:
        session = store.update_session(store.seed_update_session(tools))
        session.state = "SUSPENDED"
        session.warning_behavior = [{"type": "QUANTUM_CERTIFICATE", "ignored": True, "until": "2030"}]

    sim.run(age)
    (session,) = run().result["update_sessions"]
    assert session["state"] == "SUSPENDED"
    assert session["warning_behavior"] == [{"type": "QUANTUM_CERTIFICATE", "ignored": True, "until": "2030"}]


def test_the_preview_is_returned_with_its_warnings_and_certificates(run: Run, sim: Simulator, tmp_path: Path) -> None:
    sim.reset(Seed(warning_texts="named"))
    rocky9 = item_id(sim, "rocky9")
    package = make_package(tmp_path, disks=1, disk_bytes=20_000, signed="self-signed")
    files = {path.name: path.read_bytes() for path in package.files}
    behavior = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
    sim.run(lambda store: store.seed_update_session(rocky9, files=files, warning_behavior=behavior))
    (session,) = run(kind="update", with_files=True).result["update_sessions"]
    assert session["warning_behavior"] == behavior
    preview = session["preview_info"]
    assert set(preview) == {"state", "certificate_info", "warnings", "cert_chain"}
    assert preview["state"] == "AVAILABLE"
    raised = {warning["type"]: warning for warning in preview["warnings"]}
    assert set(raised) == set(SELF_SIGNED_RAISES)
    for warning in raised.values():
        assert set(warning) == {"type", "message", "ignored"}
        assert set(warning["message"]) == {"id", "default_message", "args", "params", "localized"}
        assert warning["message"]["default_message"]
        assert warning["ignored"] is False
    certificate = preview["certificate_info"]
    assert set(certificate) == {"issuer", "subject", "self_signed", "x509"}
    assert certificate["self_signed"] is True
    assert certificate["issuer"] == certificate["subject"] != ""
    assert preview["cert_chain"]
    assert [file["name"] for file in session["files"]] == [path.name for path in package.files]


def test_a_server_from_before_previews_has_none(run: Run, sim: Simulator) -> None:
    sim.reset(Seed(preview=False))
    item = sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    sim.run(lambda store: store.seed_update_session(item))
    (session,) = run().result["update_sessions"]
    assert set(session) == UPDATE_KEYS
    assert (session["preview_info"], session["warning_behavior"]) == (None, [])


def test_files_come_with_their_sessions_only_when_asked_for(run: Run, sim: Simulator, tools: str) -> None:
    def seed(store: Any) -> None:
        store.seed_item_files(tools, {"old.iso": b"old content"})
        store.seed_update_session(tools, files={"new.iso": b"hello", "late.iso": None}, transferring={"slow.iso": 3})
        store.seed_download_session(tools, prepared=["old.iso"])

    sim.run(seed)
    without = run().result
    assert "files" not in without["update_sessions"][0]
    assert "files" not in without["download_sessions"][0]
    result = run(with_files=True).result
    pushed = {file["name"]: file for file in result["update_sessions"][0]["files"]}
    assert {name: (file["source_type"], file["status"]) for name, file in pushed.items()} == {
        "old.iso": ("NONE", "READY"),
        "new.iso": ("PUSH", "READY"),
        "late.iso": ("PUSH", "WAITING_FOR_TRANSFER"),
        "slow.iso": ("PUSH", "TRANSFERRING"),
    }
    assert all(set(file) == UPDATE_FILE_KEYS | {"held_by"} for file in pushed.values())
    assert pushed["new.iso"]["checksum_info"] == {
        "algorithm": "SHA1",
        "checksum": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
    }
    assert (pushed["new.iso"]["size"], pushed["slow.iso"]["bytes_transferred"]) == (5, 3)
    assert set(pushed["late.iso"]["upload_endpoint"]) == {"uri", "ssl_certificate_thumbprint", "ssl_certificate"}
    (prepared,) = result["download_sessions"][0]["files"]
    assert set(prepared) == DOWNLOAD_FILE_KEYS | {"held_by"}
    assert (prepared["name"], prepared["status"], prepared["size"]) == ("old.iso", "PREPARED", 11)
    assert prepared["download_endpoint"]["uri"].startswith("https://")


def test_names_of_items_and_libraries_come_when_asked_for(run: Run, sim: Simulator) -> None:
    libraries = tuple(LibrarySeed(name, (ItemSeed("tools"), ItemSeed("gone"))) for name in ("first", "last"))
    sim.reset(Seed(libraries=libraries))

    def seed(store: Store) -> dict[str, str | None]:
        first, last = (store.find_item_id(name, "tools") for name in ("first", "last"))
        gone = store.seed_update_session(store.find_item_id("first", "gone"), state="DONE")
        store.catalog.delete_item(store.find_item_id("first", "gone"))
        ended = [store.seed_update_session(first, state="DONE") for _number in range(2)]
        return {
            **dict.fromkeys(ended, "first"),
            store.seed_download_session(last): "last",
            gone: None,
        }

    expected = sim.run(seed)
    result = run(with_names=True).result

    sessions = result["update_sessions"] + result["download_sessions"]
    assert {session["id"]: session["library"] for session in sessions} == expected
    assert {session["library_item"] for session in sessions} == {"tools", None}
    reads = [entry.path for entry in sim.exchanges if "/content/library/" in entry.path and "session" not in entry.path]
    assert len(reads) == len(set(reads)) == 5, "each item and each library once"
    assert "library" not in run().result["update_sessions"][0]


@pytest.mark.parametrize(("by", "with_files", "token"), BUDGETS, ids=BUDGET_IDS)
def test_the_requests_are_one_per_list_and_one_per_session(
    run: Run, sim: Simulator, tools: str, by: str, with_files: bool, token: bool
) -> None:
    update_ids = [sim.run(lambda store: store.seed_update_session(tools, state="DONE")) for _number in range(3)]
    download_ids = [sim.run(lambda store: store.seed_download_session(tools)) for _number in range(2)]
    rows: dict[str, dict[str, Any]] = {
        "nothing": {},
        "library_item_id": {"library_item_id": tools},
        "names": {"library": "templates", "library_item": "tools"},
        "session_ids": {"session_ids": update_ids, "kind": "update"},
    }
    options = rows[by]
    if token:
        secret = sim.run(lambda store: store.logins.login(sim.username, sim.password))
        options.update(session_token=secret, username=None, password=None)
    result = run(with_files=with_files, **options)
    sessions = [*update_ids, *([] if by == "session_ids" else download_ids)]
    assert found(result) == set(sessions)
    lists = 0 if by == "session_ids" else 2
    expected = lists + len(sessions) * (2 if with_files else 1) + (2 if by == "names" else 0) + (0 if token else 2)
    assert len(sim.exchanges) == expected
    assert sim.run(lambda store: store.logins.count) == (1 if token else 0)


def test_a_session_that_is_filtered_out_is_not_asked_for_again(
    run: Run, sim: Simulator, seeded: dict[str, str]
) -> None:
    assert found(run(session_ids=[seeded["update DONE"]], states=["ACTIVE"])) == set()
    assert len(sim.exchanges) == 3


@pytest.mark.parametrize("moment", ["before-get", "before-files"])
@pytest.mark.parametrize("kind", ["update", "download"])
def test_a_session_that_disappears_while_it_is_read_is_left_out(
    sim: Simulator, tools: str, kind: str, moment: str
) -> None:
    doomed = sim.run(lambda store: getattr(store, f"seed_{kind}_session")(tools))
    kept = sim.run(lambda store: getattr(store, f"seed_{kind}_session")(tools))
    sim.clear_exchanges()

    def delete(store: Store) -> None:
        for kept_in in (store.updates, store.downloads):
            kept_in.sessions.pop(doomed, None)

    path = doomed if moment == "before-get" else f"{doomed}/file"
    with while_held(sim, f"GET:*{path}:1:hold", lambda: sim.run(delete)):
        result = run_module(SESSION_INFO, {**connection_args(sim), "with_files": True})
    assert found(result) == {kept}
    answers = [each.status for each in sim.exchanges if doomed in each.path]
    assert answers == ([404] if moment == "before-get" else [200, 404])


@pytest.mark.parametrize("kind", ["update", "download"])
def test_a_session_that_cannot_be_read_for_another_reason_is_a_failure(
    run: Run, sim: Simulator, tools: str, kind: str
) -> None:
    session_id = sim.run(lambda store: getattr(store, f"seed_{kind}_session")(tools))
    sim.inject(f"GET:*{session_id}:1:500")
    failed = run(library_item_id=tools)
    assert (failed.rc, failed.result["error"]["type"]) == (1, "INTERNAL_SERVER_ERROR")
    assert failed.result["error"]["operation"] == f"{kind}_session.get"
    assert failed.result["error"]["session_id"] == session_id
    assert session_id in failed.result["msg"]
    assert sim.run(lambda store: store.logins.count) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"library": "templates"}, "Set library_item too"),
        ({"library_item": "tools"}, "Set library or library_id too"),
        ({"session_ids": ["a"], "library_item_id": "b"}, "mutually exclusive"),
        ({"library_item_id": "b", "library": "templates"}, "mutually exclusive"),
        ({"states": ["DONE", "OPEN"]}, "states must be one or more of"),
        ({"kind": "both"}, "kind must be one of"),
        ({"library": "nowhere", "library_item": "tools"}, "no library is named 'nowhere'"),
        ({"library": "templates", "library_item": "nothing"}, "is named 'nothing'"),
    ],
    ids=[
        "library-without-item",
        "item-without-library",
        "ids-and-item",
        "item-id-and-library",
        "unknown-state",
        "unknown-kind",
        "unknown-library",
        "unknown-item",
    ],
)
def test_options_that_name_nothing_are_explained(sim: Simulator, options: dict[str, Any], said: str) -> None:
    failed = run_module(SESSION_INFO, {**connection_args(sim), **options})
    assert failed.rc == 1
    assert said in failed.result["msg"]


def test_names_that_match_several_are_listed_with_their_ids(run: Run, sim: Simulator) -> None:
    twins = (ItemSeed("twin", "ovf", id="item-1"), ItemSeed("twin", "iso", id="item-2"))
    sim.reset(Seed(libraries=(LibrarySeed("templates", twins),)))
    failed = run(library="templates", library_item="twin")
    assert failed.rc == 1
    assert all(text in failed.result["msg"] for text in ("item-1", "item-2", "library_item_id"))


def test_an_item_that_does_not_exist_is_not_found(run: Run) -> None:
    failed = run(library_item_id="0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55")
    assert (failed.rc, failed.result["error"]["type"]) == (1, "NOT_FOUND")
    assert "0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55" in failed.result["msg"]
