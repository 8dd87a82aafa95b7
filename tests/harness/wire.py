# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went over the wire, as tests look at it: which requests could change something, and which ones were logins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator import Exchange

LOGIN_PATHS = ("/api/session", "/rest/com/vmware/cis/session")
READING_ACTIONS = ("action=find", "action=get", "action=validate", "action=probe")


def mutating(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The requests that could change something, other than logging in and out."""
    return [each for each in apart_from_logins(exchanges) if each.method != "GET" and not _reads(each)]


def apart_from_logins(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return [each for each in exchanges if each.path.partition("?")[0] not in LOGIN_PATHS]


def methods(exchanges: Iterable[Exchange]) -> list[str]:
    return [each.method for each in exchanges]


def _reads(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.path.endswith(READING_ACTIONS)
