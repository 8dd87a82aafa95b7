# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a simulator: items, their files, the sessions on them, and the logins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, Store

LIBRARY = "templates"


def seed_of(files: Mapping[str, bytes], name: str = "rocky9", kind: str = "ovf", **deviations: Any) -> Seed:
    """A simulator with one item, which holds these files."""
    return Seed(libraries=(LibrarySeed(LIBRARY, (ItemSeed(name, kind, files),)),), **deviations)


def item_id(sim: Simulator, name: str = "tools", library: str = LIBRARY) -> str:
    return sim.run(lambda store: store.find_item_id(library, name))


def contents(sim: Simulator, name: str = "tools", library: str = LIBRARY) -> dict[str, bytes]:
    """The contents of an item's files, by their names."""
    item = item_id(sim, name, library)
    return sim.run(lambda store: store.item_contents(item))


def hold(sim: Simulator, files: Mapping[str, bytes], name: str = "tools") -> None:
    """Add these files to an item."""
    item = item_id(sim, name)
    sim.run(lambda store: store.seed_item_files(item, files))


def begin_update(sim: Simulator, name: str = "tools", **content: Any) -> str:
    """Make an update session on an item, ACTIVE unless `content` has another state; returns its id."""
    item = item_id(sim, name)
    return sim.run(lambda store: store.seed_update_session(item, **content))


def update_states(sim: Simulator) -> dict[str, str]:
    """The present state of each update session, by its id."""

    def read(store: Store) -> dict[str, str]:
        store.advance()
        return {entry.id: entry.state for entry in store.updates.sessions.values()}

    return sim.run(read)


def download_states(sim: Simulator) -> dict[str, str]:
    """The state of each download session, by its id."""
    return sim.run(lambda store: {entry.id: entry.state for entry in store.downloads.sessions.values()})


def logins(sim: Simulator) -> int:
    """How many API sessions are open."""
    return sim.run(lambda store: store.logins.count)
