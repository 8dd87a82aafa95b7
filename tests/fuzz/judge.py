# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one case, and says which promises it broke: what must hold whatever a server answers and a user writes."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import requests

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock
from tests.fuzz.flows import HOST, PASSWORD, TOKEN
from tests.fuzz.mutate import no_constant
from tests.fuzz.operations import LOGIN, LOGOUT
from tests.fuzz.replay import Replay, Script
from tests.harness.modules import ModuleResult, paced, run_module
from tests.harness.tasks import ERROR_KEYS

SECONDS = 20.0
TICK = 0.25
SUCCESS, REFUSED, NO_RESULT = "success", "options refused by Ansible", "no result"
CODED = "YWRtaW5pc3RyYXRvckB2c3BoZXJlLmxvY2FsOkNhbmFyeS03ZjNrUTI="
SECRETS = (PASSWORD, TOKEN, CODED)
STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PROGRESS = "progress"
DEFECT = "This is a defect of vsphere.content"
CONNECTION = {
    "hostname": HOST,
    "username": "administrator@vsphere.local",
    "password": PASSWORD,
    "request_timeout": 5,
}
SHORT = {"wait_timeout": 1, "busy_timeout": 1}


class Hang(BaseException):
    """Nothing catches it on its way out but clean-ups."""


@dataclass(frozen=True)
class Verdict:
    """What came of a case: `outcome` is success or a type of error, `troubles` are the promises it broke."""

    outcome: str
    troubles: tuple[str, ...]
    seconds: float
    result: Mapping[str, Any]


class TickingClock:
    """Time goes on with each look at it, so that every wait ends without any waiting."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            self._now += TICK
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


def without_pauses() -> AbstractContextManager[None]:
    """In the block, no wait of the modules takes real time, and nothing is read by several at once."""
    return paced(
        Clock(TickingClock().now, lambda _seconds: None),
        first_request_pause=0.0,
        first_pause=0.0,
        longest_pause=0.0,
        first_insisting_pause=0.0,
        first_transfer_pause=0.0,
        join_completion=2 * TICK,
        watch_idle=TICK,
        watch_transfer=2 * TICK,
        silent_file=TICK,
        preview_unavailable=TICK,
        readers=1,
    )


def judge(script: Script, options: Mapping[str, Any], sandbox: Path) -> Verdict:
    """Run a case; `sandbox` is a directory in which nothing but the files in `dest` may change."""
    before = _listing(sandbox)
    began = time.perf_counter()
    troubles: list[str] = []
    ran = None
    try:
        with _transport(script), _time_limit():
            ran = run_module(script.flow.module, options, check=script.reads_only, verbosity=3)
    except (Hang, Exception) as error:  # noqa: BLE001 (whatever comes out of a module is what we are looking for)
        troubles.append("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    seconds = time.perf_counter() - began
    outcome = NO_RESULT
    if ran:
        outcome = _outcome(ran)
        troubles += _broken_promises(ran, script)
    troubles += script.troubles
    troubles += [f"{path} was made or changed" for path in _listing(sandbox).items() ^ before.items()]
    troubles += _clear(sandbox / "dest")
    return Verdict(outcome, tuple(troubles), seconds, ran.result if ran else {})


def _outcome(ran: ModuleResult) -> str:
    if not ran.result.get("failed"):
        return SUCCESS
    error = ran.result.get("error")
    return str(error.get("type")) if isinstance(error, dict) else REFUSED


def _broken_promises(ran: ModuleResult, script: Script) -> Iterator[str]:
    result = ran.result
    lines = ran.stdout.strip().splitlines()
    if len(lines) != 1:
        yield f"{len(lines)} lines of output"
    try:
        json.loads(ran.stdout, parse_constant=no_constant)
    except ValueError as error:
        yield f"the output is no JSON: {error}"
    if ran.stderr:
        yield f"stderr has {ran.stderr[:200]!r}"
    if "Traceback" in ran.stdout or "exception" in result:
        yield "there is a traceback"
    if [secret for secret in SECRETS if secret in ran.stdout]:
        yield "a secret stands in the output"
    if bool(result.get("failed")) != bool(ran.rc):
        yield f"exit code {ran.rc} with failed {result.get('failed')}"
    yield from _left_behind(result, script)
    yield from _broken_by_failure(result, script) if result.get("failed") else _broken_by_success(result)
    for text in (str(result.get("msg", "")), *ran.warnings):
        if STEERING.search(text):
            yield f"a message steers the terminal: {text[:200]!r}"


def _left_behind(result: Mapping[str, Any], script: Script) -> Iterator[str]:
    """What the task made and knew of, and neither took away nor told of."""
    if script.well_answered[LOGIN] and not script.asked[LOGOUT]:
        yield "the login was left open"
    if not script.target or not result.get("failed"):
        return
    for kind in ("update_session", "download_session"):
        made, removed = script.well_answered[f"{kind}.create"], script.asked[f"{kind}.delete"]
        if made and not removed and "Session " not in str(result.get("msg")):
            yield f"the {kind} that it made was left, and is not told of"


def _broken_by_failure(result: Mapping[str, Any], script: Script) -> Iterator[str]:
    message, error = result.get("msg"), result.get("error")
    if not isinstance(message, str) or not message.strip():
        yield "there is no msg"
    elif DEFECT in message:
        yield f"a defect of ours: {message}"
    if error is None:
        # Ansible itself refuses options, before anything is sent.
        if script.asked:
            yield "there is no error payload"
    elif set(error) != ERROR_KEYS or not isinstance(error["type"], str) or not error["type"]:
        yield f"the error payload is {error}"


def _broken_by_success(result: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(result.get("changed"), bool):
        yield f"changed is {result.get('changed')!r}"
    if "diff" in result and set(result["diff"]) != {"before", "after"}:
        yield f"the diff has {sorted(result['diff'])}"


def _listing(sandbox: Path) -> dict[str, tuple[int, int]]:
    """What lies in the sandbox, without what dest and the file for lines about progress hold."""
    found = {}
    for entry in os.scandir(sandbox):
        status = entry.stat(follow_symlinks=False)
        grows = entry.name == PROGRESS or entry.is_dir(follow_symlinks=False)
        found[entry.name] = (status.st_mode, 0 if grows else status.st_size)
    return found


def _clear(dest: Path) -> list[str]:
    """Empty dest for the next case; what should not have been left in it is a broken promise."""
    troubles = []
    for entry in list(os.scandir(dest)):
        if entry.name.endswith(".part") or not entry.is_file(follow_symlinks=False):
            troubles.append(f"{entry.name!r} was left in dest")
        os.unlink(entry.path)
    return troubles


@contextmanager
def _transport(script: Script) -> Iterator[None]:
    """Have connections made by this case end in its script."""
    with mock.patch.object(requests.Session, "get_adapter", return_value=Replay(script)):
        yield


@contextmanager
def _time_limit() -> Iterator[None]:
    def hang(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"no end within {SECONDS:g} seconds")

    previous = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        with suppress(TypeError):
            signal.signal(signal.SIGALRM, previous)
