# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The YAML and the commands that people copy out of the documentation: EXAMPLES, and the blocks of guides and README.

A block of YAML is played unless a comment before it says otherwise: ``.. not run: REASON`` in reStructuredText,
``<!-- not run: REASON -->`` in Markdown. ``the file NAME`` is written where the page's commands find it. A block with
a comment of TRIED_ELSEWHERE has a test of its own. The blocks of a page tell one story, unless the comment
``starts anew`` stands before one of them: what was done before is then forgotten.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.checkout import ROOT

DIRECTIVE = re.compile(r"^\.\. code-block:: *(\S+) *$")
FENCE = re.compile(r"^```(\S+)$")
COMMENT = re.compile(r"^(?:\.\.|<!--) (.+?)(?: -->)?$")
YAML_LEXERS = ("yaml", "yaml+jinja", "YAML+Jinja")
SHELL_LEXERS = ("shell", "console", "bash")
NOT_RUN = "not run: "
FILE = "the file "
SEED = "a seed"
EE_PIECE = "a piece of execution-environment.yml"
TRIED_ELSEWHERE = (SEED, EE_PIECE)
OPENINGS = {
    ".md": re.compile(r"^\s*(?:```+|~~~+) *(\S*)"),
    ".rst": re.compile(r"^\s*\.\. (?:code-block|code|sourcecode):: *(\S*)"),
}
LITERAL = re.compile(r"^(?!\s*\.\.).*::$")


@dataclass(frozen=True)
class Block:
    """A block of code, and the comment before it."""

    language: str
    text: str
    comment: str = ""

    @property
    def is_played(self) -> bool:
        return self.is_yaml and not self.comment.startswith((NOT_RUN, FILE)) and self.comment not in TRIED_ELSEWHERE

    @property
    def why_not_run(self) -> str:
        return self.comment.removeprefix(NOT_RUN) if self.comment.startswith(NOT_RUN) else ""

    @property
    def file_name(self) -> str:
        return self.comment.removeprefix(FILE) if self.comment.startswith(FILE) else ""

    @property
    def starts_anew(self) -> bool:
        return self.comment == "starts anew"

    @property
    def is_yaml(self) -> bool:
        return self.language in YAML_LEXERS

    @property
    def commands(self) -> list[str]:
        """Each command of a shell block in one line."""
        lines = self.text.replace("\\\n", " ").splitlines() if self.language in SHELL_LEXERS else []
        return [line.strip() for line in lines if line.strip()]

    def content(self, substitutions: dict[str, str]) -> Any:
        return yaml.safe_load(substituted(self.text, substitutions))


def substituted(text: str, substitutions: dict[str, str]) -> str:
    for pattern, replacement in substitutions.items():
        text = re.sub(pattern, replacement.replace("\\", r"\\"), text)
    return text


def modules() -> list[Path]:
    return sorted(ROOT.glob("plugins/modules/*.py"))


def programs() -> list[Path]:
    """The modules that a host runs; the others are the documentation of an action plugin."""
    return [path for path in modules() if "def main" in path.read_text(encoding="utf-8")]


def clients() -> list[Path]:
    """The programs that reach a vCenter."""
    return [path for path in programs() if "vsphere.content.connection" in path.read_text(encoding="utf-8")]


def documents() -> list[Path]:
    pages = ("docs/*.md", "docs/docsite/rst/*.rst", "roles/*/README.md")
    return [ROOT / "README.md", *(path for pattern in pages for path in sorted(ROOT.glob(pattern)))]


def other_pages() -> list[Path]:
    """What is read beside the documents, and shows no YAML."""
    return [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return list(_examples(text))
    return list(_fenced(text) if path.suffix == ".md" else _directives(text))


def overlooked(text: str, suffix: str) -> list[str]:
    """The lines that open a block that may hold YAML, or does so where `blocks` does not look."""
    found = []
    fenced = False
    for line in text.splitlines():
        opening = OPENINGS[suffix].match(line)
        is_end, fenced = fenced, fenced != bool(opening and suffix == ".md")
        if opening and not is_end:
            seen = FENCE.match(line) if suffix == ".md" else DIRECTIVE.match(line)
            if not opening.group(1) or (opening.group(1).lower().startswith("y") and not seen):
                found.append(line)
        elif suffix == ".rst" and LITERAL.match(line):
            found.append(line)
    return found


def sections(text: str, underline: str) -> dict[str, str]:
    """The titles with that underline in reStructuredText, and what stands below each until the next of its level."""
    pieces = re.split(rf"^(.+)\n{re.escape(underline)}{{3,}}\n", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2]))


def list_table(text: str) -> list[list[str]]:
    """The rows of the first list-table, as texts of one line without literal quotes."""
    body = text.split(".. list-table::", 1)[1]
    rows: list[list[str]] = []
    for line in body.splitlines()[1:]:
        if found := re.match(r"^   (\* -|  -) (.*)$", line):
            if found.group(1) == "* -":
                rows.append([])
            rows[-1].append(found.group(2).replace("``", ""))
        elif line.startswith("       "):
            rows[-1][-1] += f" {line.strip()}"
        elif line.strip() and not line.startswith("   :"):
            break
    return rows


def _examples(source: str) -> Iterator[Block]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            yield Block("yaml", ast.literal_eval(node.value))


def _directives(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if found := DIRECTIVE.match(line):
            body = []
            for following in lines[number + 1 :]:
                if following and not following.startswith(" "):
                    break
                body.append(following[3:])
            yield Block(found.group(1), "\n".join(body).strip("\n") + "\n", _comment(lines[:number]))


def _fenced(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if found := FENCE.match(line):
            end = lines.index("```", number)
            yield Block(found.group(1), "\n".join(lines[number + 1 : end]) + "\n", _comment(lines[:number]))


def _comment(before: list[str]) -> str:
    last = next((line for line in reversed(before) if line), "")
    found = COMMENT.match(last)
    return found.group(1) if found else ""
