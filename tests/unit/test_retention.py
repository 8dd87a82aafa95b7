# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""content_library_retention deletes what is old, and never anything else.

CASES says what goes and what stays. Each is tried in check mode, for real, and again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable

import pytest

from tests.harness.held import begin_update, item_id
from tests.harness.modules import connection_args, finish_module, run_module, start_module
from tests.harness.servers import CannedServer, Identity, Received, Reply, relay_to
from tests.harness.tasks import RETENTION, Run, Tasks
from tests.harness.waiting import eventually, while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, Store, UserSeed
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES

LIBRARY = "templates"
FILES = {"image.iso": b"an image"}
GOES, STAYS = "to be deleted", "stays"


def on(day: int) -> str:
    """A time in November, at which nobody publishes now."""
    return f"2024-11-{day:02}T03:00:00.000Z"


def image(name: str, day: int, **more: Any) -> ItemSeed:
    return ItemSeed(**{"name": name, "type": "iso", "files": FILES, "modified": on(day), "created": on(day), **more})


def dated(days: Sequence[int], family: str = "rocky9", **more: Any) -> tuple[ItemSeed, ...]:
    """An image for each night, named by its date."""
    return tuple(image(f"{family}-2024-11-{day:02}", day, **more) for day in days)


def named(days: Sequence[int], family: str = "rocky9") -> list[str]:
    return [f"{family}-2024-11-{day:02}" for day in days]


@dataclass(frozen=True)
class Case:
    """Items, what a task declares of them, which go (the oldest first), and why the others that fit stay."""

    items: tuple[ItemSeed, ...]
    options: dict[str, Any]
    goes: list[str] = field(default_factory=list)
    stays: dict[str, str] = field(default_factory=dict)


TWO = {"pattern": "rocky9-*", "keep": 2}
NEWEST = "it is one of the 2 newest"
KEPT = {"rocky9-2024-11-04": NEWEST, "rocky9-2024-11-05": NEWEST}
BUILDS = {"pattern": "*", "keep": 2, "by": "name", "name_pattern": "build-(.+)"}
CASES = {
    "one name, published again each night": Case(
        (image("rocky9", 5),), {"pattern": "rocky9", "keep": 1}, stays={"rocky9": "it is the newest"}
    ),
    "a name for each night": Case(dated([3, 1, 5, 2, 4]), TWO, named([1, 2, 3]), KEPT),
    "packages": Case(dated([3, 1, 5, 2, 4], type="ovf"), TWO, named([1, 2, 3]), KEPT),
    "no more than stay": Case(dated([4, 5]), TWO, stays=KEPT),
    "nothing": Case((), TWO),
    "empty items of failed nights": Case(
        (*dated([1, 2, 3]), *dated([4, 5, 6], files={})),
        TWO,
        named([1]),
        {
            **dict.fromkeys(named([2, 3]), NEWEST),
            **dict.fromkeys(named([4, 5, 6]), "it holds no files"),
        },
    ),
    "two families whose names begin alike": Case(
        (*dated([3, 4, 5]), *dated([1, 2, 9], "rocky9-minimal")),
        {"pattern": "rocky9-[0-9]*", "keep": 2},
        named([3]),
        KEPT,
    ),
    "a family whose name is the beginning of another's": Case(
        (image("rocky9", 1), image("rocky9-old", 2), image("xrocky9", 3)),
        {"pattern": "rocky9", "keep": 1},
        stays={"rocky9": "it is the newest"},
    ),
    "upper and lower case": Case((*dated([1, 2], "Rocky9"), *dated([3, 4, 5])), TWO, named([3]), KEPT),
    "templates of virtual machines and other types": Case(
        (
            *dated([1, 2], type="vm-template"),
            *dated([3], type="ISO"),
            *dated([6], type=""),
            *dated([4, 5]),
        ),
        {"pattern": "rocky9-*", "keep": 1},
        named([4]),
        {
            **dict.fromkeys(named([1, 2]), "it is of type vm-template, and only iso and ovf count"),
            "rocky9-2024-11-03": "it is of type ISO, and only iso and ovf count",
            "rocky9-2024-11-06": "it has no type, and only iso and ovf count",
            "rocky9-2024-11-05": "it is the newest",
        },
    ),
    "an old item that was published again": Case(
        (image("rocky9-1", 1, modified=on(9)), image("rocky9-2", 2), image("rocky9-3", 3)),
        TWO,
        ["rocky9-2"],
        dict.fromkeys(["rocky9-1", "rocky9-3"], NEWEST),
    ),
    "by the time of their creation": Case(
        (image("rocky9-1", 1, modified=on(9)), image("rocky9-2", 2), image("rocky9-3", 3)),
        {**TWO, "by": "creation_time"},
        ["rocky9-1"],
        dict.fromkeys(["rocky9-2", "rocky9-3"], NEWEST),
    ),
    "numbers in names": Case(
        (image("build-9.10", 1), image("build-9.9", 2), image("build-10.1", 3), image("build-next", 4)),
        {**BUILDS, "name_pattern": r"build-(\d+\.\d+)"},
        ["build-9.9"],
        {**dict.fromkeys(["build-9.10", "build-10.1"], NEWEST), "build-next": "its name does not fit name_pattern"},
    ),
    "a group of the pattern that is not always there": Case(
        (image("build-", 1), image("build-1", 2), image("build-2", 3), image("build-3", 4)),
        {**BUILDS, "name_pattern": r"build-(\d+)?"},
        ["build-1"],
        {**dict.fromkeys(["build-2", "build-3"], NEWEST), "build-": "its name does not fit name_pattern"},
    ),
    "items that are as old as each other": Case(
        (image("rocky9-a", 3), image("rocky9-b", 2), image("rocky9-c", 2), image("rocky9-d", 1)),
        TWO,
        ["rocky9-d"],
        {
            "rocky9-a": NEWEST,
            "rocky9-b": NEWEST,
            "rocky9-c": "it is as new as the last of the 2 newest",
        },
    ),
    "times without and with fractions": Case(
        (
            image("rocky9-a", 1, modified="2024-11-01T03:00:00Z"),
            image("rocky9-b", 1, modified="2024-11-01T03:00:00.25Z"),
            image("rocky9-c", 1, modified="2024-11-01T03:00:00.250Z"),
            image("rocky9-d", 1, modified="2024-11-01T03:00:00.5Z"),
        ),
        TWO,
        ["rocky9-a"],
        {
            "rocky9-d": NEWEST,
            "rocky9-b": NEWEST,
            "rocky9-c": "it is as new as the last of the 2 newest",
        },
    ),
}


def seed_of(items: tuple[ItemSeed, ...], **deviations: Any) -> Seed:
    """These items, and the same ones in libraries that no task names."""
    other = tuple(replace(item, id="") for item in items)
    return Seed(
        libraries=(
            LibrarySeed(LIBRARY, items),
            LibrarySeed("other", other),
            LibrarySeed("mirror", other, "SUBSCRIBED"),
        ),
        **deviations,
    )


def held(sim: Simulator, library: str = LIBRARY) -> list[str]:
    """The names of the items of a library."""
    return sim.run(
        lambda store: [item.name for item in store.catalog.items.values() if item.library.seed.name == library]
    )


def retain(tasks: Tasks, options: dict[str, Any], *, check: bool = False) -> Run:
    return tasks.run(RETENTION, check=check, **{"libraries": [LIBRARY], **options})


def outcomes(run: Run) -> dict[str, tuple[str, str]]:
    return {entry["name"]: (entry["outcome"], entry["reason"]) for entry in run.result["library_items"]}


def of_outcome(run: Run, outcome: str) -> list[str]:
    return [entry["name"] for entry in run.result["library_items"] if entry["outcome"] == outcome]


@pytest.mark.parametrize("name", CASES)
def test_what_goes_and_what_stays(one: Tasks, name: str) -> None:
    case, sim = CASES[name], one.sim
    sim.reset(seed_of(case.items))
    before = held(sim)
    ids = {item: item_id(sim, item) for item in case.goes}

    predicted = retain(one, case.options, check=True)
    assert not predicted.failed, predicted.msg
    assert (predicted.mutations, held(sim)) == ([], before)
    assert of_outcome(predicted, GOES) == case.goes
    assert {item: reason for item, (outcome, reason) in outcomes(predicted).items() if outcome == STAYS} == case.stays

    real = retain(one, case.options)
    assert not real.failed, real.msg
    assert of_outcome(real, "deleted") == case.goes
    assert [text.rpartition("/")[2].removeprefix("id:") for text in real.mutations] == [ids[i] for i in case.goes]
    assert all(text.startswith("DELETE ") for text in real.mutations)
    assert held(sim) == [item for item in before if item not in case.goes]
    assert held(sim, "other") == held(sim, "mirror") == before
    assert (predicted.changed, predicted.diff) == (real.changed, real.diff)
    assert real.changed is bool(case.goes)

    again = retain(one, case.options)
    assert (again.changed, again.mutations, of_outcome(again, STAYS)) == (False, [], of_outcome(real, STAYS))
    assert again.diff["before"] == again.diff["after"] == real.diff["after"]


def test_each_library_keeps_its_own(tasks: Tasks) -> None:
    tasks.sim.reset(seed_of(dated([1, 2, 3])))
    other = tasks.sim.run(lambda store: store.find_library_id("other"))
    run = retain(tasks, {**TWO, "library_ids": [other, other], "libraries": [LIBRARY, LIBRARY.upper()]})
    assert [
        (entry["library"], entry["name"]) for entry in run.result["library_items"] if entry["outcome"] != STAYS
    ] == [
        (LIBRARY, "rocky9-2024-11-01"),
        ("other", "rocky9-2024-11-01"),
    ]
    assert held(tasks.sim) == held(tasks.sim, "other") == named([2, 3])
    assert held(tasks.sim, "mirror") == named([1, 2, 3])


def test_an_item_is_returned_with_what_a_report_needs(tasks: Tasks) -> None:
    tasks.sim.reset(seed_of(dated([1, 2, 3])))
    library, old = tasks.sim.run(lambda store: store.find_library_id(LIBRARY)), item_id(tasks.sim, named([1])[0])
    assert retain(tasks, TWO).result["library_items"][0] == {
        "id": old,
        "library": LIBRARY,
        "library_id": library,
        "name": named([1])[0],
        "type": "iso",
        "size": 8,
        "content_version": "1",
        "creation_time": on(1),
        "last_modified_time": on(1),
        "outcome": "deleted",
        "reason": "2 newer ones stay",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"libraries": []}, "Set libraries or library_ids"),
        ({"libraries": ["mirror"]}, "no local library, as its type is SUBSCRIBED"),
        ({"libraries": [LIBRARY, "mirror"]}, "no local library"),
        ({"libraries": [LIBRARY, "nowhere"]}, "Check the spelling of libraries"),
        ({"libraries": ["twice"]}, "Name the one you mean by library_ids instead of libraries"),
        ({"libraries": [""]}, "names nothing"),
        ({"library_ids": ["nowhere"]}, "Could not read the library"),
        ({"pattern": ""}, "pattern is ''"),
        ({"pattern": None}, "missing required arguments: pattern"),
        ({"keep": None}, "missing required arguments: keep"),
        ({"keep": 0}, "Set keep to a number from 1"),
        ({"at_most": 0}, "Set at_most to a number from 1"),
        ({"by": "name"}, "name_pattern is missing"),
        ({"by": "name", "name_pattern": "rocky9-.*"}, "has 0 groups, and needs one"),
        ({"by": "name", "name_pattern": "(rocky9)-(.*)"}, "has 2 groups, and needs one"),
        ({"by": "name", "name_pattern": "(rocky9"}, "is no regular expression"),
        ({"name_pattern": "rocky9-(.*)"}, "Set by: name"),
        ({"at_most": 2, "keep": 1}, "4 items would be deleted, and at_most is 2: 'rocky9-2024-11-01' in 'templates', "),
    ],
    ids=str,
)
def test_what_is_refused_before_anything_is_deleted(one: Tasks, options: dict[str, Any], said: str) -> None:
    seed = seed_of(dated([1, 2, 3, 4, 5]))
    one.sim.reset(replace(seed, libraries=(*seed.libraries, LibrarySeed("twice"), LibrarySeed("twice"))))
    given = {**TWO, **options}
    refused = [
        retain(one, {name: given[name] for name in given if given[name] is not None}, check=check)
        for check in (True, False)
    ]
    for run in refused:
        assert run.failed
        assert said in run.msg
        assert (run.changed, run.mutations) == (False, [])
        assert "Traceback" not in run.outcome.stdout + run.outcome.stderr


@pytest.mark.parametrize(
    ("items", "shown", "more"),
    [
        (dated(range(1, 21)), 18, ""),
        pytest.param(
            (*dated(range(1, 31)), *dated(range(1, 31), "rocky9-minimal")), 50, " and 8 more", marks=pytest.mark.rest
        ),
    ],
    ids=["18", "58"],
)
def test_an_error_for_too_many_lists_them_and_has_all_as_data(
    one: Tasks, items: tuple[ItemSeed, ...], shown: int, more: str
) -> None:
    one.sim.reset(seed_of(items))
    run = retain(one, TWO)
    assert run.error["type"] == "INVALID_ARGUMENT"
    doomed = of_outcome(run, GOES)
    assert len(doomed) == len(items) - 2
    listed = ", ".join(f"'{name}' in '{LIBRARY}'" for name in doomed[:shown])
    assert f"at_most is 10: {listed}{more}. Nothing has been deleted" in run.msg
    assert "raise at_most. library_items of the result lists each" in run.msg
    assert (run.changed, run.mutations) == (False, [])
    allowed = retain(one, {**TWO, "at_most": len(doomed)})
    assert of_outcome(allowed, "deleted") == doomed


# What was just published


@pytest.mark.parametrize(
    ("published", "goes", "why"),
    [
        (["rocky9-2024-11-05"], named([1, 2, 3]), {}),
        (["rocky9-2024-11-01"], named([2, 3]), {"rocky9-2024-11-01": "it was just published"}),
        ([], [], dict.fromkeys(named([1, 2, 3]), "nothing that fits pattern was just published to this library")),
        (
            ["tools"],
            [],
            dict.fromkeys(named([1, 2, 3]), "nothing that fits pattern was just published to this library"),
        ),
    ],
    ids=str,
)
def test_after_a_publish_only_its_own_family_is_tidied(
    tasks: Tasks, published: list[str], goes: list[str], why: dict[str, str]
) -> None:
    tasks.sim.reset(seed_of((*dated([1, 2, 3, 4, 5]), image("tools", 1))))
    run = retain(tasks, {**TWO, "published_ids": [item_id(tasks.sim, name) for name in published]})
    assert of_outcome(run, "deleted") == goes
    assert {name: outcomes(run)[name] for name in why} == {name: (STAYS, reason) for name, reason in why.items()}


# What others do meanwhile


def begin_download(sim: Simulator, name: str) -> str:
    item = item_id(sim, name)
    return sim.run(lambda store: store.seed_download_session(item))


@pytest.mark.parametrize(
    ("begin", "kind"), [(begin_update, "update"), (begin_download, "download")], ids=["update", "download"]
)
def test_an_item_with_an_active_session_stays(tasks: Tasks, begin: Callable[..., str], kind: str) -> None:
    tasks.sim.reset(seed_of(dated([1, 2, 3, 4])))
    session = begin(tasks.sim, named([1])[0])
    begin_update(tasks.sim, named([2])[0], state="DONE")
    predicted, real = retain(tasks, TWO, check=True), retain(tasks, TWO)
    said = (STAYS, f"{kind} session {session} is ACTIVE on it")
    assert outcomes(predicted)[named([1])[0]] == outcomes(real)[named([1])[0]] == said
    assert held(tasks.sim) == named([1, 3, 4])


@pytest.mark.fact("deletion-in-use")
def test_an_item_that_vcenter_says_is_in_use_stays(tasks: Tasks) -> None:
    tasks.sim.reset(seed_of((*dated([1], in_use=True), *dated([2, 3, 4]))))
    real, again = retain(tasks, TWO), retain(tasks, TWO)
    outcome, reason = outcomes(real)[named([1])[0]]
    assert outcome == STAYS
    assert reason.startswith("vCenter says that it is in use: ")
    assert held(tasks.sim) == named([1, 3, 4])
    assert (real.changed, again.changed, again.failed) == (True, False, False)


def republish(sim: Simulator, name: str) -> None:
    def commit(store: Store) -> None:
        item = store.catalog.item(store.find_item_id(LIBRARY, name))
        store.catalog.commit(item, {}, {}, ())

    sim.run(commit)


def describe_anew(sim: Simulator, name: str) -> None:
    item = item_id(sim, name)
    sim.run(lambda store: store.catalog.update_item(item, {"description": "the one of the audit"}))


def delete(sim: Simulator, name: str) -> None:
    item = item_id(sim, name)
    sim.run(lambda store: store.delete_item(item))


OLD, OLDER, KEPT_ONE = named([2])[0], named([1])[0], named([4])[0]
CHANGED = "it has changed since it was listed"
ACTS: dict[str, tuple[Callable[[Simulator, str], Any], str, tuple[str, str], list[str]]] = {
    "the item is published again": (republish, OLD, (STAYS, CHANGED), [OLDER]),
    "the item is described anew": (describe_anew, OLD, (STAYS, CHANGED), [OLDER]),
    "the item is deleted": (delete, OLD, ("gone", "somebody else has deleted it meanwhile"), [OLDER]),
    "an item that is to stay is deleted": (
        delete,
        KEPT_ONE,
        (STAYS, f"'{KEPT_ONE}', which is to stay, has changed or gone since it was listed"),
        [OLDER],
    ),
    "an item that is to stay is published again": (
        republish,
        KEPT_ONE,
        (STAYS, f"'{KEPT_ONE}', which is to stay, has changed or gone since it was listed"),
        [OLDER],
    ),
    "an update session begins": (begin_update, OLD, (STAYS, "update session"), [OLDER]),
    "a download session begins": (begin_download, OLD, (STAYS, "download session"), [OLDER]),
}


@pytest.mark.parametrize("name", ACTS)
def test_what_happens_between_the_list_and_a_deletion_keeps_the_item(tasks: Tasks, name: str) -> None:
    act, target, (outcome, reason), deleted = ACTS[name]
    tasks.sim.reset(seed_of(dated([1, 2, 4, 5])))
    # The first deletion is done and its answer held, so the second item is listed, and not yet read again.
    with while_held(tasks.sim, "DELETE:*:1:hold-answer", lambda: act(tasks.sim, target)):
        run = retain(tasks, TWO)
    assert not run.failed, run.msg
    assert of_outcome(run, "deleted") == deleted
    found, said = outcomes(run)[OLD]
    assert (found, reason in said) == (outcome, True)
    assert len(run.mutations) == 1
    assert OLD in held(tasks.sim) or outcome == "gone"


def test_an_item_that_goes_at_the_same_moment_is_gone(tasks: Tasks) -> None:
    tasks.sim.reset(seed_of(dated([1, 4, 5])))
    with while_held(tasks.sim, "DELETE:*:1:hold", lambda: delete(tasks.sim, OLDER)):
        run = retain(tasks, TWO)
    assert outcomes(run)[OLDER] == ("gone", "somebody else has deleted it meanwhile")
    assert (run.failed, run.changed) == (False, False), "somebody else has changed it"


@pytest.mark.parametrize("fault", ["hold", "hold-answer"])
def test_two_at_once_delete_what_one_would(one: Tasks, fault: str) -> None:
    one.sim.reset(seed_of(dated([1, 2, 3, 4, 5])))
    one.sim.inject(f"DELETE:*:1:{fault}")
    process = start_module(RETENTION, {**connection_args(one.sim), "libraries": [LIBRARY], **TWO})
    assert one.sim.wait_until_held()
    other = retain(one, TWO)
    one.sim.release()
    first = finish_module(process).result
    assert not first.get("failed"), first
    assert not other.failed, other.msg
    assert held(one.sim) == named([4, 5])
    both = [entry["name"] for entry in first["library_items"] if entry["outcome"] == "deleted"]
    assert sorted([*both, *of_outcome(other, "deleted")]) == named([1, 2, 3]), "each was deleted once"


def test_a_server_that_ignores_the_filter_loses_nothing_of_another_library(one: Tasks, identity: Identity) -> None:
    """No source says that a vCenter does; some do so with the sessions of an item."""
    one.sim.reset(seed_of(dated([1, 2, 3, 4])))
    everything = one.sim.run(lambda store: list(store.catalog.items))

    def answer_all(request: Received, reply: Reply | None) -> Reply | None:
        found = reply and request.path.endswith("/item?action=find")
        return Reply(200, json.dumps(everything).encode()) if found else None

    with CannedServer(relay_to(one.sim, answer_all), identity=identity) as server:
        ran = run_module(RETENTION, {**connection_args(server), "libraries": [LIBRARY], **TWO})
    assert ran.rc == 0, ran.result["msg"]
    assert held(one.sim) == named([3, 4])
    assert held(one.sim, "other") == named([1, 2, 3, 4])


# What goes wrong


@pytest.mark.parametrize(
    "request_line",
    ["GET:*{id}", "GET:*{id}/file", "POST:*action=find", "GET:*update-session", "GET:*download-session"],
)
def test_what_cannot_be_read_ends_the_task_before_the_first_deletion(tasks: Tasks, request_line: str) -> None:
    tasks.sim.reset(seed_of(dated([1, 2, 3, 4, 5])))
    line = request_line.replace("{id}/file", "/file?library_item_id={id}") if tasks.dialect == "rest" else request_line
    tasks.sim.inject(f"{line.format(id=item_id(tasks.sim, named([5])[0]))}:*:500")
    run = retain(tasks, TWO)
    assert run.error["type"] == "INTERNAL_SERVER_ERROR"
    assert (run.changed, run.mutations, held(tasks.sim)) == (False, [], named([1, 2, 3, 4, 5]))


@pytest.mark.parametrize(
    ("fault", "outcome"), [("500", "perhaps deleted"), ("reset", "perhaps deleted"), ("409", GOES)], ids=str
)
def test_a_deletion_that_fails_ends_the_task_and_says_what_became_of_each(
    tasks: Tasks, fault: str, outcome: str
) -> None:
    tasks.sim.reset(seed_of(dated([1, 2, 3, 4, 5])))
    tasks.sim.inject(f"DELETE:*:2:{fault}")
    run = retain(tasks, TWO)
    assert run.error["operation"] == "item.delete"
    assert run.changed
    assert [outcomes(run)[name][0] for name in named([1, 2, 3])] == ["deleted", outcome, GOES]
    assert f"Deleted before that: '{OLDER}' in 'templates'" in run.msg
    assert len(run.mutations) == 2
    tasks.sim.clear_faults()
    assert not retain(tasks, TWO).failed
    assert held(tasks.sim) == named([4, 5])


@pytest.mark.seed(
    seed_of(
        dated([1, 2, 3]),
        users=(UserSeed(ADMINISTRATOR, privileges=tuple(set(PRIVILEGES) - {"ContentLibrary.DeleteLibraryItem"})),),
    )
)
def test_without_the_privilege_the_task_names_it(tasks: Tasks) -> None:
    run = retain(tasks, TWO)
    assert run.error["type"] == "UNAUTHORIZED"
    assert "ContentLibrary.DeleteLibraryItem" in run.msg
    assert (run.changed, held(tasks.sim)) == (False, named([1, 2, 3]))


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("GET:*{id}:2:hold", [2, 3, 4, 5]),
        ("DELETE:*:2:hold", [3, 4, 5]),
        ("DELETE:*:2:hold-answer", [3, 4, 5]),
        ("DELETE:*:3:hold-answer", [4, 5]),
    ],
    ids=["before-the-second", "in-the-second", "after-the-second", "after-the-last"],
)
def test_after_a_kill_between_two_deletions_the_next_run_ends_in_the_same_state(
    one: Tasks, fault: str, left: list[int]
) -> None:
    one.sim.reset(seed_of(dated([1, 2, 3, 4, 5])))
    one.sim.inject(fault.format(id=item_id(one.sim, OLD)))
    process = start_module(RETENTION, {**connection_args(one.sim), "libraries": [LIBRARY], **TWO})
    assert one.sim.wait_until_held()
    process.kill()
    process.communicate()
    one.sim.release()
    assert eventually(lambda: held(one.sim) == named(left))
    run = retain(one, TWO)
    assert of_outcome(run, "deleted") == named(left)[:-2]
    assert held(one.sim) == named([4, 5])


def test_a_signal_between_two_deletions_leaves_the_rest(one: Tasks) -> None:
    one.sim.reset(seed_of(dated([1, 2, 3, 4, 5])))
    one.sim.inject("DELETE:*:1:hold-answer")
    process = start_module(RETENTION, {**connection_args(one.sim), "libraries": [LIBRARY], **TWO})
    assert one.sim.wait_until_held()
    process.terminate()
    result = finish_module(process).result
    one.sim.release()
    assert result["failed"]
    assert result["changed"]
    assert [entry["outcome"] for entry in result["library_items"]][:3] == ["perhaps deleted", GOES, GOES]
    assert not retain(one, TWO).failed
    assert held(one.sim) == named([4, 5])
