# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults chosen per request: ``METHOD:PATH-GLOB:NTH:KIND``.

METHOD is a verb or ``*``; PATH-GLOB is matched against the path with its query, as it was sent, and knows no wildcard
but ``*``; NTH counts the requests that match (``1``: the first, ``2+``: from the second on, ``*``: each).

=================  ====================================================================================
KIND               what happens
=================  ====================================================================================
``503``            that status, with an error body of the dialect; ``503/5`` adds ``Retry-After: 5``
``reset``          the connection is dropped before any answer, and nothing is done
``reset-mid-body`` an upload is dropped after its first bytes, or with ``reset-mid-body/50`` after half of them;
                   anything else is done and half answered
``hang``           no answer, until the client goes away or the server stops
``truncate``       it is done, and the body of the answer is cut in half
``html``           a 502 with the HTML page of a proxy
``unauthenticated`` the login is ended, and the answer is a 401 without a body
``busy``           RESOURCE_BUSY
``slow``           it is done after 2 seconds; ``slow/0.5`` after half a second
``transfer-error`` an upload is answered with success, and the session then goes to ERROR by itself
``corrupt``        an upload is stored with another last byte than was sent
``hold``           nothing is done until the test lets it go on (``Simulator.release``); with ``hold/50`` that is after
                   half of an upload or a download, and ``hold/100`` is before the answer to an upload
``hold-answer``    it is done, and its answer waits until the test lets it go; not for downloads
=================  ====================================================================================
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

KINDS = (
    "reset",
    "reset-mid-body",
    "hang",
    "truncate",
    "html",
    "unauthenticated",
    "busy",
    "slow",
    "transfer-error",
    "corrupt",
    "hold",
    "hold-answer",
)
RULE = re.compile(
    r"^(?P<method>[A-Z*]+):(?P<glob>.+):(?P<nth>\*|\d+\+?):(?P<kind>[a-z-]+|\d{3})(?:/(?P<value>[0-9.]+))?$"
)


@dataclass(frozen=True)
class Fault:
    text: str
    kind: str
    status: int = 0
    value: str = ""


@dataclass
class Rule:
    method: str
    glob: str
    first: int
    last: int | None
    fault: Fault
    seen: int = 0

    def meets(self, method: str, path: str) -> bool:
        if self.method not in ("*", method) or not fnmatch.fnmatchcase(path, self.glob):
            return False
        self.seen += 1
        return self.seen >= self.first and (self.last is None or self.seen <= self.last)


def parse_fault(text: str) -> Rule:
    match = RULE.match(text)
    if match is None:
        raise ValueError(f"not a fault: {text!r}; METHOD:PATH-GLOB:NTH:KIND is expected")
    kind, nth = match.group("kind"), match.group("nth")
    if not kind.isdigit() and kind not in KINDS:
        raise ValueError(f"unknown kind of fault {kind!r}; one of {', '.join(KINDS)} or an HTTP status is expected")
    first = 1 if nth == "*" else int(nth.rstrip("+"))
    last = None if nth == "*" or nth.endswith("+") else first
    status = int(kind) if kind.isdigit() else 0
    fault = Fault(text, "status" if status else kind, status, match.group("value") or "")
    return Rule(match.group("method"), _bracket_safe(match.group("glob")), first, last, fault)


def _bracket_safe(glob: str) -> str:
    return glob.replace("[", "[[]").replace("?", "[?]")


class FaultPlan:
    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, text: str) -> None:
        self._rules.append(parse_fault(text))

    def clear(self) -> None:
        self._rules.clear()

    def next(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; each rule counts it, the first one that fires wins."""
        fired = [rule.fault for rule in self._rules if rule.meets(method, path)]
        return fired[0] if fired else None
