# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pytest plugin: each exchange with a simulator is held to the description, in the test in which it happens.

A test in which the server sends what nobody has described yet is marked with ``beyond_description``: only what is
asked is judged then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import pytest

from tests.contract.checks import load_contract
from tests.simulator import Exchange, Simulator

BEYOND = "beyond_description"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("published description")
    group.addoption(
        "--exchanges",
        type=int,
        default=0,
        metavar="N",
        help="fail if fewer exchanges were held to the description: then something is not seen",
    )
    group.addoption(
        "--all-undescribed",
        action="store_true",
        help="fail if something that is listed as undescribed was not met: for runs of all that could meet it",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{BEYOND}: the server sends more than the published description has")
    config.pluginmanager.register(ContractWatch(config), "contract-watch")


class ContractWatch:
    """Watches all simulators of this process, and sums up what the workers' watches have seen."""

    def __init__(self, config: pytest.Config) -> None:
        self._contract = load_contract()
        self._pending: deque[Exchange] = deque()
        self._is_worker = hasattr(config, "workerinput")
        self._complaints: list[str] = []
        Simulator.default_observer = self._pending.append

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        outcome = yield
        self._judge(item)
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        outcome = yield
        self._judge(item)
        return outcome

    def _judge(self, item: pytest.Item) -> None:
        judge = self._contract.asked if item.get_closest_marker(BEYOND) else self._contract.violations
        exchanges = [self._pending.popleft() for _each in range(len(self._pending))]
        found = [text for each in exchanges for text in judge(each)]
        if found:
            pytest.fail("against the published description:\n" + "\n".join(dict.fromkeys(found)), pytrace=False)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})
        self._contract.used |= set(output.get("contract_used", ()))
        self._contract.checked += output.get("contract_checked", 0)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._is_worker:
            output = session.config.workeroutput  # type: ignore[attr-defined]
            output["contract_used"] = sorted(self._contract.used)
            output["contract_checked"] = self._contract.checked
        elif exitstatus == pytest.ExitCode.OK:
            self._complaints = self._missed(session.config)
            if self._complaints:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _missed(self, config: pytest.Config) -> list[str]:
        """What a run should have seen, and has not."""
        wanted, found = config.getoption("--exchanges"), self._contract.checked
        missed = [f"at least {wanted} exchanges were expected, {found} were seen"] if found < wanted else []
        if config.getoption("--all-undescribed"):
            missed += [f"no test meets what is listed as undescribed: {name}" for name in self._contract.unused()]
        return missed

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(f"{self._contract.checked} exchanges held to the published description")
        for text in self._complaints:
            terminalreporter.write_line(f"FAILED: {text}")
