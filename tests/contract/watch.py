# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pytest plugin: each exchange with a simulator is held to the description, in the test in which it happens.

A test in which the server sends what nobody has described yet is marked with ``beyond_description``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.contract.checks import load_contract
from tests.simulator import Exchange, Simulator

OURS = "vsphere.content"
BEYOND = "beyond_description"


class ContractWatch:
    """Watches all simulators of this process."""

    def __init__(self, config: pytest.Config) -> None:
        self._contract = load_contract()
        self._pending: list[Exchange] = []
        self._is_worker = hasattr(config, "workerinput")
        self._unused: list[str] = []
        Simulator.default_observer = self._pending.append
        config.addinivalue_line("markers", f"{BEYOND}: the server sends more than the published description has")

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
        exchanges = [self._pending.pop(0) for _each in range(len(self._pending))]
        if item.get_closest_marker(BEYOND):
            return
        found = [
            text
            for each in exchanges
            for text in self._contract.violations(each, deliberate=not each.client.startswith(OURS))
        ]
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
        elif exitstatus == pytest.ExitCode.OK and _whole(session.config):
            self._unused = self._contract.unused()
            if self._unused:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(f"{self._contract.checked} exchanges held to the published description")
        for name in self._unused:
            terminalreporter.write_line(f"FAILED: no test meets what is listed as undescribed: {name}")


def _whole(config: pytest.Config) -> bool:
    """Whether all unit tests ran, but for those of processes: these have a run of their own, and meet nothing new."""
    chosen = config.option.keyword or getattr(config.option, "lf", False)
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen
    return whole and config.option.markexpr in ("", "not process")
