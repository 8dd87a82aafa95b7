# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the page of what is known about vCenter, from the simulator's facts and worlds. Its test compares it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from tests.harness.checkout import ROOT
from tests.simulator.facts import FACTS, MEANINGS, SUBJECTS, Fact
from tests.simulator.worlds import WORLDS
from tools.pages import write_parts

PAGE = ROOT / "docs" / "docsite" / "rst" / "facts.rst"
ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def parts() -> dict[str, str]:
    """The generated parts of the page, by name."""
    return {
        "strengths": "\n".join(f"- **{strength.value}**: {meaning}" for strength, meaning in MEANINGS.items()),
        "facts": "\n\n".join(_section(subject, title) for subject, title in SUBJECTS.items()),
        "worlds": _table(
            ("switch", "values, the usual one first", "the question, or the fact that differs"),
            ((f"``{world.name}``", _listed(world.values), _rst(FACTS[world.fact].says)) for world in WORLDS.values()),
        ),
    }


def _section(subject: str, title: str) -> str:
    facts = [fact for fact in FACTS.values() if fact.subject == subject]
    table = _table(("what", "versions", "how sure", "source"), (_row(fact) for fact in facts))
    return f"{title}\n{'~' * len(title)}\n\n{table}"


def _row(fact: Fact) -> tuple[str, ...]:
    return _rst(fact.says), _rst(fact.versions), fact.strength.value, ISSUE.sub(_linked, _rst(fact.source))


def _linked(found: re.Match[str]) -> str:
    return f"`{found.group(0)} <https://github.com/{found.group(1)}/issues/{found.group(2)}>`__"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"``{value}``" for value in values)


def _rst(text: str) -> str:
    return text.replace("`", "``").replace("*", r"\*")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines)


def main() -> int:
    write_parts(PAGE, parts())
    return 0


if __name__ == "__main__":
    sys.exit(main())
