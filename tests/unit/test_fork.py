# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function that runs in a fork is like a program: what it sees, what it leaves, and what it cannot touch."""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from ansible_collections.vsphere.content.plugins.plugin_utils._fork import Outcome, Program, run_in_fork
from tests.harness.waiting import eventually

MANY = 1 << 20


def fork(
    program: Callable[[], Any], env: Mapping[str, str] = {}, directory: str = "/", on_start: Callable[[], Any] = int
) -> Outcome:
    return run_in_fork(Program("the-program", program, env, directory), on_start)


def fail() -> NoReturn:
    raise ValueError("not handled")


def write_much() -> None:
    # More than a pipe holds, to one stream after the other.
    sys.stderr.write("e" * MANY)
    sys.stdout.write("o" * MANY)


ENDS: Mapping[str, tuple[Callable[[], Any], int, str, str]] = {
    "returns": (lambda: print("said"), 0, "said\n", ""),
    "exits": (lambda: sys.exit(3), 3, "", ""),
    "exits without a status": (sys.exit, 0, "", ""),
    "exits with a text": (lambda: sys.exit("why"), 1, "", "why\n"),
    "raises": (fail, 1, "", "ValueError: not handled\n"),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), 137, "", ""),
    "writes much": (write_much, 0, "o" * MANY, "e" * MANY),
    "cannot be written": (lambda: print("\udc80", file=sys.stderr), 0, "", "\\udc80\n"),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_a_program_leaves(end: str) -> None:
    program, status, stdout, stderr = ENDS[end]
    left = fork(program)
    assert (left.status, left.stdout.decode()) == (status, stdout)
    assert left.stderr.decode().endswith(stderr) if stderr else not left.stderr


def seen_by(program: Callable[[], Any], env: Mapping[str, str] = {}, directory: str = "/") -> Any:
    left = fork(lambda: print(json.dumps(program())), env, directory)
    assert not left.stderr, left.stderr
    return json.loads(left.stdout)


def test_a_program_has_arguments_a_directory_and_variables_of_its_own(tmp_path: Path) -> None:
    before = (dict(os.environ), os.getcwd(), list(sys.argv))

    def look() -> list[Any]:
        return [sys.argv, os.getcwd(), os.environ["VMWARE_HOST"], os.environ["PATH"], sys.stdin.read()]

    seen = seen_by(look, {"VMWARE_HOST": "vc"}, str(tmp_path))
    assert seen == [["the-program"], str(tmp_path), "vc", os.environ["PATH"], ""]
    assert (dict(os.environ), os.getcwd(), list(sys.argv)) == before


def test_a_program_does_not_start_where_it_must_not(tmp_path: Path) -> None:
    left = fork(lambda: print("started"), directory=str(tmp_path / "missing"))
    assert (left.status, left.stdout) == (1, b"")
    assert b"FileNotFoundError" in left.stderr


def test_a_program_has_none_of_the_descriptors(tmp_path: Path) -> None:
    """Neither the queue of Ansible's results, nor a terminal; and no file of its own gets one of their numbers."""

    def look() -> list[Any]:
        targets = {
            name: os.readlink(f"/proc/self/fd/{name}")
            for name in sorted(os.listdir("/proc/self/fd"), key=int)
            if os.path.exists(f"/proc/self/fd/{name}")
        }
        with open(tmp_path / "own", "w") as own:
            return [targets, own.fileno()]

    with open(tmp_path / "secret", "w") as secret:
        targets, own = seen_by(look)
        assert targets[str(secret.fileno())] == os.devnull
        assert own > secret.fileno()
    assert [target.partition(":")[0] for name, target in targets.items() if int(name) < 3] == [
        os.devnull,
        "pipe",
        "pipe",
    ]
    assert {target for name, target in targets.items() if int(name) > 2} == {os.devnull}


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGTERM, lambda *_arguments: None)
    signal.signal(signal.SIGALRM, raise_timeout)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Timeout(Exception):
    """What Ansible's handler raises in a worker."""


def raise_timeout(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Timeout


@pytest.mark.usefixtures("handlers")
def test_signals_are_handled_as_in_a_new_program() -> None:
    def look() -> list[str]:
        numbers = (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGPIPE)
        return [
            *(str(int(signal.getsignal(number))) for number in numbers),  # type: ignore[arg-type]
            str(signal.getsignal(signal.SIGINT) is signal.default_int_handler),
            str(len(signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        ]

    before = signal.getsignal(signal.SIGTERM)
    default, ignored = str(int(signal.SIG_DFL)), str(int(signal.SIG_IGN))
    assert seen_by(look) == [default, default, ignored, ignored, "True", "0"]
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


@pytest.mark.usefixtures("handlers")
def test_a_program_outlives_a_timeout_and_sees_that_nobody_reads(tmp_path: Path) -> None:
    def wait_for_reader() -> None:
        poller = select.poll()
        poller.register(1, 0)
        poller.poll(60_000)
        (tmp_path / "seen").touch()

    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(Timeout):
        fork(wait_for_reader, on_start=lambda: os.kill(os.getpid(), signal.SIGALRM))
    assert eventually((tmp_path / "seen").exists)
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_program_runs_its_own_clean_up_and_no_other() -> None:
    us = os.getpid()

    def theirs() -> None:
        if os.getpid() != us:
            print("theirs", flush=True)

    class Garbage:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            theirs()

    def program() -> None:
        atexit.register(print, "ours")
        gc.collect()

    atexit.register(theirs)
    gc.disable()
    try:
        Garbage()
        left = fork(program)
    finally:
        gc.enable()
        atexit.unregister(theirs)
    assert (left.status, left.stdout, left.stderr) == (0, b"ours\n", b"")


def test_libraries_do_not_write_into_the_log_of_ansible(tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    logging.root.addHandler(handler)
    try:
        left = fork(lambda: logging.getLogger("a.library").warning("retrying"))
    finally:
        logging.root.removeHandler(handler)
        handler.close()
    assert left.stderr == b"retrying\n"
    assert (tmp_path / "log").read_text() == ""


def test_the_caller_is_told_when_the_fork_exists() -> None:
    pids: list[int] = []
    left = fork(lambda: print(os.getppid()), on_start=lambda: pids.append(os.getpid()))
    assert [int(left.stdout)] == pids == [os.getpid()]


def test_the_state_of_this_process_stays() -> None:
    state = {"changed": False}
    fork(lambda: state.update(changed=True))
    assert state == {"changed": False}
