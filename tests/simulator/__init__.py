# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stateful Content Library server for tests and the demo.

From the command line: ``python -m tests.simulator --help``. In a test::

    with Simulator(dialect="api", settle=0.05) as sim:
        item = sim.run(lambda store: store.find_item_id("templates", "rocky9"))

``sim.run`` calls a function with the store, on the server's thread. Recipes, each returns the session's id::

    store.seed_update_session(item)                                       # ACTIVE, empty, the first user's
    store.seed_update_session(item, user="viewer@vsphere.local")          # somebody else's
    store.seed_update_session(item, files={"a.iso": b"..."})              # ACTIVE, the file READY
    store.seed_update_session(item, files={"a.iso": None})                # ACTIVE, the file WAITING_FOR_TRANSFER
    store.seed_update_session(item, transferring={"a.iso": 100})          # ACTIVE, the file stuck after 100 bytes
    store.seed_update_session(item, state="ERROR", error_message="why")   # likewise DONE and CANCELED
    store.seed_update_session(item, warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}])
    store.seed_download_session(item, prepared=["a.iso"])                 # or state="CANCELED", state="ERROR"

and what happens beside the test::

    store.seed_item_files(item, {"a.iso": b"..."})       # content that the item already holds
    store.move_transfer(session, "a.iso", 100)           # somebody else's upload goes on
    store.break_transfer(session, "a.iso")               # the session goes to ERROR
    store.logins.expire_all()                            # every token is stale from now on

and what to assert on: ``store.update_session(id).state``, ``store.active_update_sessions()``,
``store.item_contents(item)``, ``store.logins.count``, and ``sim.exchanges``.

The seed (``Seed``) says what the server holds and how it deviates from a current vCenter; see ``seed.py``. What it does
otherwise follows the facts in ``facts.py``. A version (``versions.py``) and a world (``worlds.py``) are changes of the
seed. For faults see ``faults.py``. With a ``clock`` of its own, a test decides when sessions expire and files settle.
"""

from __future__ import annotations

from .record import Exchange
from .seed import ItemSeed, LibrarySeed, Seed, UserSeed
from .simulator import Simulator
from .store import Store

__all__ = ["Exchange", "ItemSeed", "LibrarySeed", "Seed", "Simulator", "Store", "UserSeed"]
