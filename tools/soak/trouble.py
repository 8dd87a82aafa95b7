# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random trouble from a seed: a fault of the server, or the death of the module's process."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.faults.kills import DEATHS, FETCH_POINTS, PUBLISH_POINTS

PUBLISH = (
    *(
        f"POST:*{place}*:1:{kind}"
        for place in ("find", "update-session", "validate", "complete")
        for kind in ("503", "reset")
    ),
    *(f"POST:*session/*file*:1:{kind}" for kind in ("500", "429/1", "html", "truncate", "unauthenticated", "slow/0.3")),
    *(
        f"PUT:*:1:{kind}"
        for kind in ("reset", "503", "reset-mid-body/50", "corrupt", "transfer-error", "unauthenticated")
    ),
    *(f"POST:*complete*:1:{kind}" for kind in ("500", "html", "truncate", "busy", "reset-mid-body")),
    "POST:*update-session*:1:truncate",
    "GET:*update-session/*:2:500",
    "DELETE:*/session:1:reset",
)
FETCH = (
    *(
        f"POST:*{place}*:1:{kind}"
        for place in ("download-session", "prepare")
        for kind in ("503", "reset", "html", "500")
    ),
    *(
        f"GET:/cls/data/*:1:{kind}"
        for kind in ("reset", "reset-mid-body", "truncate", "503", "unauthenticated", "slow/0.3")
    ),
    *(f"GET:/cls/data/*:1+:{kind}" for kind in ("404", "reset")),
    "GET:*library/item/*file*:1:500",
    "DELETE:*/download-session/*:1:503",
    "DELETE:*/session:1:500",
)
LOGIN = ("POST:*/session:1:401", "POST:*/session:1:503", "POST:*/session:1:reset", "GET:*:1:429/1", "GET:*:2:reset")
# Points that depend on the names and the number of an item's files.
PACKAGES_ONLY = ("earlier-session-read", "descriptor-announced", "last-prepared-unanswered")
HOLDS = {
    job: [
        *(
            point.hold
            for point in points
            if not (point.in_content or point.options or point.faults or point.name in PACKAGES_ONLY)
        ),
        *(f"{content}:1:hold/{percent}" for percent in (0, 1, 25, 50, 75, 99)),
    ]
    for job, points, content in (("publish", PUBLISH_POINTS, "PUT:*"), ("fetch", FETCH_POINTS, "GET:/cls/data/*"))
}
QUIET_SHARE = 0.35
DEATH_SHARE = 0.35


@dataclass(frozen=True)
class Trouble:
    """A fault; with a `death` the process is killed while the fault holds its request."""

    fault: str
    death: str | None = None

    @property
    def loses_login(self) -> bool:
        """Whether nobody can log out, so that the login only expires."""
        return self.death == "SIGKILL" or self.fault.startswith("DELETE:*/session:")

    def __str__(self) -> str:
        return f"{self.death} at {self.fault}" if self.death else self.fault


def choose(dice: random.Random, job: str, *, mortal: bool) -> Trouble | None:
    """The trouble of one run of a job, publish or fetch; about a third have none. A `mortal` run may be killed."""
    roll = dice.random()
    if roll < QUIET_SHARE:
        return None
    if mortal and roll < QUIET_SHARE + DEATH_SHARE:
        return Trouble(dice.choice(HOLDS[job]), dice.choice(list(DEATHS)))
    return Trouble(dice.choice([*(PUBLISH if job == "publish" else FETCH), *LOGIN]))
