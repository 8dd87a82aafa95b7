# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check finds by reading alone: a row for each thing that makes a publish fail, with what to do."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.harness.modules import ModuleResult, connection_args, run_module
from tests.harness.servers import CannedServer, Identity, Reply, unused_port
from tests.harness.tasks import CHECK, Run, Tasks
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR, PRIVILEGES

TEMPLATES: dict[str, Any] = {"libraries": ["templates"]}
HOUR = 3600.0


def rows(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows by what they are about."""
    found = {row["about"]: row for row in result["rows"]}
    assert len(found) == len(result["rows"])
    for row in found.values():
        assert set(row) == {"about", "found", "verdict", "remedy"}
        assert row["verdict"] == "ok" or row["remedy"], row
    return found


def not_ok(result: Mapping[str, Any]) -> dict[str, str]:
    """The verdicts that are not ok, without that on the privilege that nothing shows."""
    about = "privilege ContentLibrary.AddLibraryItem"
    found = rows(result)
    return {
        name: row["verdict"]
        for name, row in found.items()
        if row["verdict"] != "ok" and (name != about or row["verdict"] != "unknown")
    }


def test_a_vcenter_in_order_is_usable_and_nothing_is_changed(tasks: Tasks) -> None:
    run = tasks.run(CHECK, **TEMPLATES)
    assert (run.failed, run.changed, run.result["usable"]) == (False, False, True), run.msg
    assert run.mutations == []
    assert not_ok(run.result) == {}
    found = rows(run.result)
    assert "signed by Simulated vCenter CA" in found["certificate"]["found"]
    assert found["version"]["found"] == "8.0.2, build 0"
    assert found["dialects"]["found"] == f"it knows /api and /rest; tasks use /{tasks.dialect}"
    assert found[f"login as {ADMINISTRATOR}"]["verdict"] == "ok"
    assert found["library templates: storage"]["found"] == "the datastore datastore1 has 1024.0 GiB free"
    assert tasks.sim.run(lambda store: store.logins.count) == 0
    assert tasks.run(CHECK, check=True, **TEMPLATES).result["rows"] == run.result["rows"]


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong with a server: which row says so, with which verdict, and a part of the remedy."""

    about: str
    verdict: str
    remedy: str
    seed: Seed
    options: Mapping[str, Any]


def of_user(*lacking: str, permission: str = "global") -> Seed:
    kept = tuple(name for name in PRIVILEGES if name not in lacking)
    return Seed(users=(UserSeed(ADMINISTRATOR, privileges=kept, permission=permission),))


def of_library(*items: ItemSeed, **facts: Any) -> Seed:
    return Seed(libraries=(LibrarySeed("templates", items, **facts),))


TWINS = Seed(libraries=(LibrarySeed("templates"), LibrarySeed("templates")))
UPDATING, DOWNLOADING = "ContentLibrary.UpdateSession", "ContentLibrary.DownloadSession"
STORAGE = "library templates: storage"
TROUBLES = {
    "read-only": Trouble(f"privilege {UPDATING}", "will_fail", UPDATING, of_user(*PRIVILEGES), TEMPLATES),
    "vcenter-role": Trouble(
        f"privilege {UPDATING}", "will_fail", "global permission", of_user(permission="vcenter"), TEMPLATES
    ),
    "no-download": Trouble(f"privilege {DOWNLOADING}", "ok", DOWNLOADING, of_user(DOWNLOADING), TEMPLATES),
    "full": Trouble(STORAGE, "will_fail", "Make room", Seed(free_space=4096), TEMPLATES),
    "unreachable": Trouble(STORAGE, "will_fail", "Repair the datastore", Seed(free_space=-1), TEMPLATES),
    "other-storage": Trouble(
        STORAGE, "unknown", "where the storage is", of_library(storage_uri="nfs://filer/images"), TEMPLATES
    ),
    "subscribed": Trouble(
        "library mirror", "will_fail", "the library that it subscribes to", Seed(), {"libraries": ["mirror"]}
    ),
    "policy": Trouble(
        "library templates: security policy", "unknown", "signed", of_library(security_policy_id="p-1"), TEMPLATES
    ),
    "absent": Trouble("library images", "will_fail", "Check the spelling", Seed(), {"libraries": ["images"]}),
    "twins": Trouble("library templates", "will_fail", "library_id", TWINS, TEMPLATES),
    "template": Trouble(
        "library templates: items without files",
        "ok",
        "other names",
        of_library(ItemSeed("golden", "vm-template")),
        TEMPLATES,
    ),
    "wrong-password": Trouble(
        f"login as {ADMINISTRATOR}",
        "will_fail",
        "Check username and password",
        Seed(users=(UserSeed(ADMINISTRATOR, password="another one"),)),
        TEMPLATES,
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_a_row_with_its_remedy(name: str, sim: Simulator, dialect: str) -> None:
    trouble = TROUBLES[name]
    given = {**connection_args(sim), "api_dialect": dialect, **trouble.options}
    sim.reset(trouble.seed)
    run = run_module(CHECK, given)
    assert run.rc == 0, run.result
    row = rows(run.result)[trouble.about]
    assert row["verdict"] == trouble.verdict
    assert trouble.remedy in row["remedy"]
    assert run.result["usable"] is (trouble.verdict != "will_fail")
    others = {} if trouble.verdict == "ok" else {trouble.about: trouble.verdict}
    assert not_ok(run.result) == others, "nothing else is wrong"


def test_a_published_library_can_be_published_to(one: Tasks) -> None:
    one.sim.reset(of_library(published=True))
    run = one.run(CHECK, **TEMPLATES)
    assert rows(run.result)["library templates"] == {
        "about": "library templates",
        "found": "it is a local library, and others may subscribe to it",
        "verdict": "ok",
        "remedy": None,
    }


def test_an_item_at_work_is_named(one: Tasks) -> None:
    item = one.sim.run(lambda store: store.find_item_id("templates", "tools"))
    one.sim.run(lambda store: store.seed_update_session(item))
    row = rows(one.run(CHECK, **TEMPLATES).result)["library templates: items at work"]
    assert (row["verdict"], "ACTIVE update session on tools" in row["found"]) == ("unknown", True)


@pytest.mark.parametrize(("ahead", "side"), [(HOUR, "ahead of"), (-HOUR, "behind")])
def test_a_clock_an_hour_off_is_told(one: Tasks, ahead: float, side: str) -> None:
    one.sim.run(lambda store: store.calendar.set_ahead(ahead))
    run = one.run(CHECK)
    row = rows(run.result)["clock"]
    assert (row["verdict"], f"seconds {side} that of this host" in row["found"]) == ("unknown", True)
    assert "NTP" in row["remedy"]
    assert run.result["usable"], "a publish works all the same"


def down(sim: Simulator, _identity: Identity) -> tuple[dict[str, Any], str, str]:
    return {**connection_args(sim), "port": unused_port()}, "connection to 127.0.0.1", "Check hostname, port"


def another_authority(sim: Simulator, identity: Identity) -> tuple[dict[str, Any], str, str]:
    return {**connection_args(sim), "ca_path": identity.ca_path}, "certificate", "add that one"


@pytest.mark.parametrize("trouble", [down, another_authority])
def test_a_vcenter_that_cannot_be_reached_is_a_row(
    trouble: Callable[[Simulator, Identity], tuple[dict[str, Any], str, str]], sim: Simulator, identity: Identity
) -> None:
    given, about, remedy = trouble(sim, identity)
    run = run_module(CHECK, {**given, **TEMPLATES})
    assert (run.rc, run.result["usable"], run.result["changed"]) == (0, False, False)
    (row,) = (row for row in run.result["rows"] if row["verdict"] == "will_fail")
    assert row["about"].startswith(about)
    assert remedy in row["remedy"]
    assert [entry["seen"] for entry in run.result["observations"] if entry["seen"] != "unobserved"] == []
    assert ("it is signed by Simulated vCenter CA" in row["found"]) is (about == "certificate")


def test_what_is_no_vcenter_is_a_row(identity: Identity) -> None:
    with CannedServer(lambda _request: Reply(200, b"<html>Welcome</html>"), identity=identity) as server:
        run = run_module(CHECK, connection_args(server))
    assert (run.rc, run.result["usable"]) == (0, False), run.result
    assert "login as administrator@vsphere.local" in rows(run.result)


def refused(run: ModuleResult | Run) -> str:
    result = run.result
    assert result.get("failed"), result
    assert result["error"]["type"] == "INVALID_ARGUMENT"
    return str(result["msg"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trial": True}, "libraries names 0 libraries"),
        ({"trial": True, "libraries": ["a", "b"]}, "libraries names 2 libraries"),
        ({"url": "https://mirror/x.iso"}, "url is given without trial"),
        ({"slow": True}, "slow is given without trial"),
        ({"libraries": [""]}, "libraries holds an empty name"),
        ({"report": "/nowhere/at/all.json"}, "/nowhere/at is not a directory"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_sent(
    one: Tasks, options: dict[str, Any], said: str
) -> None:
    run = one.run(CHECK, **options)
    assert said in refused(run)
    assert run.exchanges == ()


def test_a_report_is_for_its_owner_alone_and_replaces_only_a_report(one: Tasks, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for _again in range(2):
        run = one.run(CHECK, report=str(path), **TEMPLATES)
        assert run.result["report"] == str(path), run.msg
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held = json.loads(path.read_text(encoding="utf-8"))
    assert (held["format"], held["trial"], held["vcenter"]["version"]) == (1, False, "8.0.2")
    assert held["vcenter"]["dialects"] == ["api", "rest"]
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    assert one.run(CHECK, check=True, report=str(path)).result["report"] is None
    assert path.read_bytes() == before, "check mode writes nothing"


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 1}', "my diary"])
def test_what_is_no_report_is_not_replaced(one: Tasks, tmp_path: Path, content: str) -> None:
    path = tmp_path / "diary"
    path.write_text(content, encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to(path)
    for target in (path, link, tmp_path):
        run = one.run(CHECK, report=str(target))
        assert "is there, and is no report" in refused(run)
        assert run.exchanges == ()
    assert path.read_text(encoding="utf-8") == content


def test_a_session_token_is_tried_before_it_counts(one: Tasks) -> None:
    token = one.sim.run(lambda store: store.logins.login(one.sim.username, one.sim.password))
    given = {**connection_args(one.sim), "username": None, "password": None}
    good = run_module(CHECK, {**given, **TEMPLATES, "session_token": token})
    assert (good.rc, good.result["usable"]) == (0, True), good.result
    assert one.sim.run(lambda store: store.logins.count) == 1, "it is not logged out"
    for dialect in ("auto", "api"):
        bad = run_module(CHECK, {**given, **TEMPLATES, "session_token": "of-another-vcenter", "api_dialect": dialect})
        row = rows(bad.result)["login as the owner of the session_token"]
        assert (bad.rc, row["verdict"]) == (0, "will_fail")
        assert "Get a new session_token" in row["remedy"]
