# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The harness runs a module as Ansible does, leaves the process as it found it, and settles which tests run when."""

from __future__ import annotations

import os
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from tests.harness.modules import MODULES, run_module
from tests.harness.samples import FEW, mark_samples, waiting

Install = Callable[[Callable[[], None]], str]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    def make(main: Callable[[], None]) -> str:
        module = types.ModuleType(f"{MODULES}.made_up")
        vars(module)["main"] = main
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return "made_up"

    return make


def polite() -> None:
    module = AnsibleModule(
        {"name": {"type": "str", "required": True}, "secret": {"type": "str", "no_log": True}},
        supports_check_mode=True,
    )
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    os.environ["LEFT_BEHIND"] = "yes"
    module.warn("said once")
    module.exit_json(
        changed=module.check_mode,
        host=os.environ.get("VMWARE_HOST"),
        name=module.params["name"],
        echo=module.params["secret"],
    )


def test_result_comes_through_the_real_argument_spec(install: Install) -> None:
    ran = run_module(install(polite), {"name": 5, "secret": "hush-hush"}, check=True)
    assert (ran.rc, ran.result["changed"], ran.result["name"]) == (0, True, "5")
    assert "hush-hush" not in ran.stdout


def test_a_bad_argument_is_the_modules_own_failure(install: Install) -> None:
    ran = run_module(install(polite), {"nam": "x"})
    assert ran.rc == 1
    assert ran.result["failed"]
    assert "name" in ran.result["msg"]


def test_warnings_are_those_of_one_run(install: Install) -> None:
    name = install(polite)
    assert [run_module(name, {"name": "x"}).warnings for _again in range(2)] == [["said once"], ["said once"]]


def test_environment_and_signal_handlers_are_put_back(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMWARE_HOST", "the-developers-own")
    before = signal.getsignal(signal.SIGTERM)

    own = run_module(install(polite), {"name": "x"})
    given = run_module(install(polite), {"name": "x"}, env={"VMWARE_HOST": "given"})

    assert (own.result["host"], given.result["host"]) == (None, "given")
    assert signal.getsignal(signal.SIGTERM) == before
    assert "LEFT_BEHIND" not in os.environ
    assert os.environ["VMWARE_HOST"] == "the-developers-own"


def test_a_module_that_just_returns_is_an_error(install: Install) -> None:
    with pytest.raises(AssertionError, match="without exit_json"):
        run_module(install(lambda: None), {})


@dataclass
class Collected:
    """A test, as far as it matters for which run has it."""

    nodeid: str
    fixturenames: tuple[str, ...] = ("simulator",)
    marks: set[str] = field(default_factory=set)

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None

    def add_marker(self, name: str) -> None:
        self.marks.add(name)


def runs(items: list[Any], *, another_python: bool) -> set[str]:
    """Which of these tests a push has, or another Python."""
    mark_samples(items, another_python=another_python)
    return {item.nodeid for item in items if "rest" not in item.marks}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_another_python_tries_what_a_push_leaves_out_and_one_of_the_rest(count: int) -> None:
    names = {f"test_it[{number}]" for number in range(count)}
    push = runs([Collected(name) for name in sorted(names)], another_python=False)
    other = runs([Collected(name) for name in sorted(names)], another_python=True)
    assert len(push) == min(FEW, count)
    assert push | other == names
    assert len(push & other) == 1


def test_a_push_tries_all_sets_of_a_test_that_asks_no_server() -> None:
    names = {f"test_it[{number}]" for number in range(7)}
    assert runs([Collected(name, fixturenames=()) for name in names], another_python=False) == names


def test_of_what_a_push_leaves_out_one_in_so_many_does_not_wait_for_the_night() -> None:
    cells = [(f"{number}", (number,), number < 2) for number in range(9)]
    marks = [[mark.name for mark in cell.marks] for cell in waiting(cells, one_in=3)]
    assert marks == [[], [], ["night"], ["night"], ["rest"], ["night"], ["night"], ["rest"], ["night"]]
