# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server below `requests`: answers each operation from a recording, with some of the answers mutated."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
from requests.structures import CaseInsensitiveDict

from tests.fuzz.flows import Answer, Flow, place_of
from tests.fuzz.mutate import Context, Mutant, fits_envelope, mutate
from tests.fuzz.operations import GET_DATA, LOGIN, only_reads, operation_of

TOKEN_HEADER = "vmware-api-session-id"
MOST_REQUESTS = 3000
ALSO_MUTATED = 0.8


@dataclass(frozen=True)
class Served:
    """A mutated answer as it went out."""

    operation: str
    dialect: str
    what: str
    valid: bool


@dataclass
class Script:
    """One case: `target` is the answer that is mutated in any case; each later one may be as well.

    `pool` has answers to each operation, for requests that the flow itself does not make. `troubles` are promises
    that were broken on the wire; `asked` and `well_answered` count the requests of each operation.
    """

    seed: str
    flow: Flow
    pool: Mapping[str, tuple[Answer, ...]]
    target: tuple[str, int] | None
    reads_only: bool
    served: list[Served] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    well_answered: Counter[str] = field(default_factory=Counter)
    _counts: Counter[str] = field(default_factory=Counter)
    _reached: bool = False
    _origin: tuple[str, str, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        method, url = str(request.method), str(request.url)
        _swallow(request.body)
        operation = operation_of(method, url)
        place = place_of(method, url)
        with self._lock:
            self._watch(request, operation)
            number = self._counts[place]
            self._counts[place] += 1
        if operation is None:
            return _respond(request, Mutant("", 404, b"404 page not found\n"))
        recorded = self.flow.answers.get(place) or self.pool[operation]
        plain = recorded[min(number, len(recorded) - 1)]
        rng = random.Random(f"{self.seed} {place} {number}")
        if self.target == (place, number):
            self._reached = True
        elif not self._reached or rng.random() >= ALSO_MUTATED:
            with self._lock:
                self.well_answered[operation] += 1
            return _respond(request, Mutant("", plain.status, plain.body, _lengths(operation, plain)))
        others = self.pool[rng.choice(list(self.pool))]
        context = Context(self.flow.dialect, _heard(request), others)
        mutant = mutate(rng, operation, plain, context)
        valid = not (mutant.error or mutant.broken) and fits_envelope(context.dialect, mutant.status, mutant.body)
        with self._lock:
            self.served.append(Served(operation, context.dialect, mutant.what, valid))
        if mutant.error:
            raise mutant.error
        return _respond(request, mutant)

    def _watch(self, request: requests.PreparedRequest, operation: str | None) -> None:
        parts = urlsplit(str(request.url))
        place = parts.scheme, (parts.hostname or "").lower(), parts.port or 443
        # The first request is a login, or carries the token that the task was given: it goes where the options say.
        self._origin = self._origin or place
        own = place == self._origin
        self.asked[operation or ""] += 1
        if sum(self.asked.values()) == MOST_REQUESTS:
            self.troubles.append(f"{MOST_REQUESTS} requests, and no end")
            raise AssertionError(self.troubles[-1])
        if TOKEN_HEADER in request.headers and not own:
            self.troubles.append(f"the token was sent to {request.url}")
        if "Authorization" in request.headers and not (own and operation == LOGIN) and parts.username is None:
            self.troubles.append(f"the password was sent to {request.url}")
        if "Cookie" in request.headers:
            self.troubles.append(f"a cookie was sent to {request.url}")
        if parts.scheme != "https":
            self.troubles.append(f"{request.url} was asked without TLS")
        if self.reads_only and operation and not only_reads(operation):
            self.troubles.append(f"check mode asked for {operation}")


class Replay(requests.adapters.BaseAdapter):
    """The transport of a session, bound to one case."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        return self._script.answer(request)

    def close(self) -> None:
        pass


class Raw:
    """The body of an answer as urllib3 hands it on: in pieces, and perhaps not to its end."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def stream(self, size: int, **_options: bool) -> Iterator[bytes]:
        mutant = self._mutant
        body = mutant.body[: mutant.cut] if mutant.broken else mutant.body
        for start in range(0, len(body), size):
            yield body[start : start + size]
        if mutant.broken:
            raise mutant.broken

    def close(self) -> None:
        pass


def _swallow(body: Any) -> None:
    """Read a body that is streamed, as a server does."""
    if hasattr(body, "read"):
        while body.read(1 << 16):
            pass


def _respond(request: requests.PreparedRequest, mutant: Mutant) -> requests.Response:
    response = requests.Response()
    response.status_code = mutant.status
    response.headers = CaseInsensitiveDict(mutant.headers)
    response.raw = Raw(mutant)
    response.url = str(request.url)
    response.request = request
    return response


def _lengths(operation: str, answer: Answer) -> dict[str, str]:
    return {"Content-Length": str(len(answer.body))} if operation == GET_DATA else {}


def _heard(request: requests.PreparedRequest) -> dict[str, str]:
    names = (TOKEN_HEADER, "Authorization")
    return {name: str(request.headers[name]) for name in names if name in request.headers}
