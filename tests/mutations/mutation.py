# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mutation is: one mistake in one file, and the suites that are asked, in this order, whether they see it."""

from __future__ import annotations

from dataclasses import dataclass

OPERATIONS = "tests/mutations/test_operations.py"


@dataclass(frozen=True)
class Suite:
    """Who judges, and what to give pytest; what breaks the description is credited to that, whoever met it."""

    witness: str
    arguments: tuple[str, ...]


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
    return Suite("client against simulator", (f"{OPERATIONS}::test_an_operation[{dialect}-{name}]",))


def all_operations() -> Suite:
    return Suite("client against simulator", (OPERATIONS,))


def sdk(words: str) -> Suite:
    return Suite("official SDK", ("tests/peers/test_sdk.py", "-k", words))


def govc(words: str) -> Suite:
    return Suite("govc", ("tests/peers/test_govc.py", "-k", words))


def vcsim(words: str) -> Suite:
    return Suite("vcsim", ("tests/peers/test_vcsim.py", "-k", words))


def behaviour(file: str, words: str) -> Suite:
    return Suite("behaviour tests", (f"tests/unit/{file}.py", "-k", words))
