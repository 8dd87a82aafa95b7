# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server may do otherwise than a fact says: words for it, by the fact. The first one is what the fact says.

A fact is sure enough that no question is open about it, so no world decides it. But a report of a vCenter, or another
program that speaks the API, may show that it is not so there: the simulator can then be like that, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from .facts import FACTS

OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "authentication-required-id": ("endpoint-id", "old-id"),
    "challenge-in-refused-login": ("there", "absent"),
    "one-active-session": ("refused", "allowed"),
    "client-token-is-idempotent": ("same-session", "another-session", "refused"),
    "active-session-is-not-deleted": ("refused", "deleted"),
    "patch-changes-warnings-only": ("set", "ignored", "not-found"),
    "sessions-expire": ("five-minutes", "sooner", "later"),
    "completion-needs-received-files": ("refused", "accepted"),
    "item-version-stays": ("stays", "moves"),
    "self-signed-raises-two-warnings": ("both", "untrusted-alone", "self-signed-alone", "neither"),
    "manifest-before-descriptor": ("refused", "taken"),
    "references-must-be-there": ("refused", "taken"),
    "manifest-is-not-stored": ("dropped", "kept"),
    "ova-is-unpacked": ("unpacked", "kept-whole"),
    "download-checksum-when-fetched": ("when-fetched", "before", "never"),
    "pull-stays-active": ("active", "done"),
}
for _fact in OTHERWISE:
    if _fact not in FACTS:
        raise ValueError(f"there is no fact {_fact}")


def require_known(chosen: Mapping[str, str]) -> None:
    """ValueError for a fact that nothing can be otherwise about, and for a word that it does not have."""
    for fact, word in chosen.items():
        if fact not in OTHERWISE:
            raise ValueError(f"nothing can be otherwise about {fact!r}, only about {', '.join(OTHERWISE)}")
        if word not in OTHERWISE[fact]:
            raise ValueError(f"{fact} has no word {word!r}, only {', '.join(OTHERWISE[fact])}")
