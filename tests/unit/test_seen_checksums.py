# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is hashed on its way where that can count, and whatever a server shows in the end is compared."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional

import pytest

from tests.harness.held import contents
from tests.harness.packages import make_iso
from tests.harness.tasks import TOOLS, Run, Tasks, fetch, publish
from tests.simulator import Seed, Simulator

#: What an item holds when the task comes: the algorithm of each file's checksum, if it has one.
Stored = Mapping[str, Optional[str]]
STORED: dict[str, tuple[Stored, bool]] = {
    "nothing": ({}, True),
    "one of its kind without a checksum": ({"old.ISO": None}, False),
    "one of its kind with a checksum": ({"old.iso": "SHA256"}, True),
    "one with and one without": ({"old.iso": None, "older.iso": "SHA1"}, True),
    "another kind without a checksum": ({"notes.txt": None}, True),
}
#: What the server then shows of the sent file.
SHOWN = ("none", "SHA1", "SHA256")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The algorithms by which the module hashes files, one for each file. The server, in this process, hashes too."""
    algorithms: list[str] = []
    new = hashlib.new

    def noted(name: str, *args: Any, **options: Any) -> Any:
        if "module_utils" in inspect.stack(0)[1].filename:
            algorithms.append(name)
        return new(name, *args, **options)

    monkeypatch.setattr(hashlib, "new", noted)
    return algorithms


def hold(sim: Simulator, stored: Stored) -> None:
    def seed(store: Any) -> None:
        item_id = store.find_item_id("templates", "tools")
        store.seed_item_files(item_id, {name: name.encode() for name in stored})
        for name, algorithm in stored.items():
            store.catalog.item(item_id).files[name].algorithm = algorithm or "none"

    sim.run(seed)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "tools.iso", 100_000)


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("case", STORED)
def test_what_is_sent_is_verified_as_ever(one: Tasks, image: Path, hashed: list[str], case: str, shown: str) -> None:
    stored, counts = STORED[case]
    one.sim.reset(Seed(checksum_algorithm=shown))
    hold(one.sim, stored)
    run = one.run(**publish(image, purge_files=True))
    assert run.changed, run.msg
    [file] = run.result["files"]
    assert file["verified"] is (shown != "none")
    # Hashed on its way, if that may count, and once more if the server uses another algorithm.
    assert hashed == ["sha1"] * counts + [shown.lower()] * (shown != "none" and not (counts and shown == "SHA1"))


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("case", STORED)
def test_what_was_damaged_on_its_way_is_found_as_ever(one: Tasks, image: Path, case: str, shown: str) -> None:
    one.sim.reset(Seed(checksum_algorithm=shown))
    hold(one.sim, STORED[case][0])
    one.sim.inject("PUT:/cls/data/*:1:corrupt")
    run = one.run(**publish(image, purge_files=False))
    if shown == "none":
        assert run.changed, run.msg
    else:
        assert run.error["type"] == "CHECKSUM_MISMATCH"
        assert "tools.iso" not in contents(one.sim, "tools")


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "SHA256", "SHA512"])
def test_a_declared_checksum_is_always_computed(
    one: Tasks, image: Path, hashed: list[str], algorithm: str, shown: str
) -> None:
    one.sim.reset(Seed(checksum_algorithm=shown))
    hold(one.sim, {"old.iso": None})
    digits = hashlib.new(algorithm, image.read_bytes()).hexdigest()
    hashed.clear()
    declared = {"src": str(image), "checksum": digits, "checksum_algorithm": algorithm}
    run = one.run(**{**publish(image), "files": [declared], "purge_files": True})
    assert run.changed, run.msg
    assert hashed == [algorithm.lower()]


@pytest.mark.parametrize("role", ["received", "received-with"])
def test_what_a_session_has_received_shows_it_too(one: Tasks, image: Path, hashed: list[str], role: str) -> None:
    shows = role == "received-with"
    one.sim.reset(Seed(checksum_algorithm="SHA1" if shows else "none"))
    item_id = one.sim.run(lambda store: store.find_item_id("templates", "tools"))
    one.sim.run(lambda store: store.seed_update_session(item_id, files={"first.iso": b"first"}))
    run = one.run(**publish(image, purge_files=False, busy_timeout=30))
    assert run.changed, run.msg
    assert contents(one.sim, "tools").keys() == {"first.iso", "tools.iso"}
    assert hashed == ["sha1"] * shows


DOWNLOADS: dict[str, tuple[Stored, Callable[[list[str]], bool]]] = {
    "no checksums": ({"a.iso": None, "b.iso": None}, lambda found: found == ["sha1"]),
    "no checksum of the first": ({"a.iso": None, "b.iso": "SHA256"}, lambda found: found == ["sha1", "sha256"]),
    "other kinds": ({"a.iso": None, "b.txt": None}, lambda found: found == ["sha1", "sha1"]),
}


@pytest.mark.parametrize("case", DOWNLOADS)
def test_what_is_fetched_is_verified_as_ever(one: Tasks, dest: Path, hashed: list[str], case: str) -> None:
    stored, fits = DOWNLOADS[case]
    hold(one.sim, stored)
    run: Run = one.run(**fetch(dest, TOOLS, parallel_transfers=1))
    assert run.changed, run.msg
    assert {file["name"]: file["verified"] for file in run.result["files"]} == {
        name: algorithm is not None for name, algorithm in stored.items()
    }
    assert fits(hashed), hashed
