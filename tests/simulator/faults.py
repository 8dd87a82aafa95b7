# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults chosen per request: ``METHOD:PATH-GLOB:NTH:KIND``.

METHOD is a verb or ``*``. PATH-GLOB must match the path with its query, as it was sent; its only wildcard is ``*``. NTH
counts the requests that match (``1``: the first, ``2+``: from the second on, ``*``: each).

=================  ====================================================================================
KIND               what happens
=================  ====================================================================================
``503``            answers with this status and an error body of the dialect; ``503/5`` adds ``Retry-After: 5``
``reset``          drops the connection before any answer, and does nothing
``reset-mid-body`` drops an upload after its first bytes, or with ``reset-mid-body/50`` after half of them; does
                   anything else, and sends half of the answer
``hang``           does not answer until the client goes away or the server stops
``truncate``       does what was asked, and cuts the body of the answer in half
``html``           answers 502 with the HTML page of a proxy
``unauthenticated`` ends the login, and answers 401 without a body
``busy``           answers RESOURCE_BUSY
``slow``           does what was asked after 2 seconds; ``slow/0.5`` after half a second
``transfer-error`` answers an upload with success, then sets the session to ERROR
``corrupt``        stores an upload with another last byte than was sent
``hold``           does nothing until the test says so (``Simulator.release``); with ``hold/50`` it stops after half of
                   an upload or a download, with ``hold/100`` before the answer to an upload
``hold-answer``    does what was asked, and holds the answer until the test says so; not for downloads
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
        """The fault for this request: each rule counts the request, and the first one that fires wins."""
        fired = [rule.fault for rule in self._rules if rule.meets(method, path)]
        return fired[0] if fired else None
