# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mutation is: one mistake in one file, and the suites that are asked, in this order, whether they see it."""

from __future__ import annotations

from dataclasses import dataclass

OPERATIONS = "tests/mutations/test_operations.py"
NEEDING_GO = ("govc", "vcsim")


@dataclass(frozen=True)
class Suite:
    """Who judges, and what to give pytest; what breaks the description is credited to that, whoever met it.

    C(ours) says that nobody judges who does not know our code: what client and simulator agree on, it cannot see.
    """

    witness: str
    arguments: tuple[str, ...]
    ours: bool = False


@dataclass(frozen=True)
class Mutation:
    """C(old) stands in the file exactly C(count) times."""

    name: str
    side: str
    dialect: str
    path: str
    old: str
    new: str
    suites: tuple[Suite, ...]
    count: int = 1

    @property
    def title(self) -> str:
        return f"{self.side} {self.dialect} {self.name}"

    def apply(self, text: str) -> str:
        if text.count(self.old) != self.count:
            raise ValueError(f"{self.name}: {self.path} has changed, the mistake cannot be made there any more")
        return text.replace(self.old, self.new)


def operation(name: str, dialect: str) -> Suite:
    return _ours("client against simulator", f"{OPERATIONS}::test_an_operation[{dialect}-{name}]")


def login(dialect: str) -> Suite:
    return _ours("client against simulator", f"{OPERATIONS}::test_a_login[{dialect}]")


def refusals() -> Suite:
    return _ours("client against simulator", OPERATIONS, "-k", "refusal")


def sdk(words: str) -> Suite:
    return Suite("official SDK", ("tests/peers/test_sdk.py", "-k", words))


def govc(words: str) -> Suite:
    return Suite("govc", ("tests/peers/test_govc.py", "-k", words))


def vcsim(words: str) -> Suite:
    return Suite("vcsim", ("tests/peers/test_vcsim.py", "-k", words))


def unit(file: str, words: str) -> Suite:
    return _ours("unit tests", f"tests/unit/{file}.py", "-k", words)


def _ours(witness: str, *arguments: str) -> Suite:
    return Suite(witness, arguments, ours=True)
