# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mutation is: one mistake in one place, and the suites that are asked, in this order, whether they see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutations.mistakes import Mistake, defines, made

OPERATIONS = "tests/mutations/test_operations.py"
NEEDING_GO = ("govc", "vcsim")
FOLDERS = {"client": Path("plugins", "module_utils"), "simulator": Path("tests", "simulator")}


@dataclass(frozen=True)
class Suite:
    """Who judges, and what to give pytest; what breaks the description is credited to that, whoever met it.

    `ours` says that nobody judges who does not know our code: what client and simulator agree on, it cannot see.
    """

    witness: str
    arguments: tuple[str, ...]
    ours: bool = False


@dataclass(frozen=True)
class Mutation:
    """`place` is the qualified name of a function, class or constant, which only one file of the `side` defines."""

    name: str
    side: str
    dialect: str
    place: str
    mistake: Mistake
    suites: tuple[Suite, ...]

    @property
    def title(self) -> str:
        return f"{self.side} {self.dialect} {self.name}"

    def file(self, root: Path) -> Path:
        return defining_file(root, self.side, self.place)

    def apply(self, source: str) -> str:
        """Raises ValueError where the mistake cannot be made any more."""
        try:
            return made(source, self.place, self.mistake)
        except ValueError as error:
            raise ValueError(f"{self.name}: {self.place} has changed: {error}") from error


def defining_file(root: Path, side: str, name: str) -> Path:
    """Which file of a side defines a name. Raises ValueError if none does, or several do."""
    found = [path for path in _files(root / FOLDERS[side]) if defines(path.read_text(encoding="utf-8"), name)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} files of the {side} define {name}")
    return found[0]


@cache
def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.py")))


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


def worlds(words: str) -> Suite:
    """The main jobs in a world of the simulator, such as `put-answer=204`."""
    return _ours("worlds", "tests/faults/test_worlds.py", "-k", f"main_jobs and {words}")


def _ours(witness: str, *arguments: str) -> Suite:
    return Suite(witness, arguments, ours=True)
