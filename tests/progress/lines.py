# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines about progress as a program would read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FRAME = re.compile(r"progress: \[(?P<host>[^\]]+)\] (?P<rest>.+)")
NUMBER, TIME = r"\d+(?:\.\d+)?", r"\d+(?::\d\d)+"
AMOUNT = rf"{NUMBER} (?:B|KiB|MiB|GiB)"
PACE = rf"(?:{NUMBER} MiB/s(?:, {TIME} left)?|nothing moved for {TIME})"
ITEM, FILE = r"(?P<item>.+?)(?: in (?P<library>.+?))? on (?P<vcenter>\S+)", r"(?P<file>.+?)"
KINDS = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "moves": rf"{ITEM}: {FILE}: (?P<done>{NUMBER}) of (?P<total>{NUMBER}) \w+ \((?P<percent>\d+) %\), "
        rf"(?:{PACE}|mean {NUMBER} MiB/s|[^,]+, {TIME} so far)",
        "moves, of unknown size": rf"{ITEM}: {FILE}: {AMOUNT} so far, {PACE}",
        "again": rf"{ITEM}: {FILE}: again from the start, {AMOUNT} so far, {PACE}",
        "server": rf"{ITEM}: {FILE}: vCenter is (?:pulling|transferring|validating|preparing) it, "
        rf"(?:{TIME} so far|{AMOUNT} so far, {PACE})",
        "waits": rf"{ITEM}: waiting for [^:,]+, {TIME} so far",
        "step": rf"{ITEM}: (?P<step>item created|session created|preview seen(?:, ignored: [A-Z_, ]+)?|completing)",
        "removal": rf"{ITEM}: removed .+",
        "summary": rf"{ITEM}: \d+ files?, {AMOUNT} in {TIME}, mean {NUMBER} MiB/s(?:, open, nothing published yet)?",
        "failure": rf"{ITEM}: failed after {NUMBER}(?: of {NUMBER})? \w+ in {TIME}, mean {NUMBER} MiB/s",
    }.items()
}


@dataclass(frozen=True)
class Line:
    kind: str
    text: str
    item: str
    host: str = ""
    library: str = ""
    vcenter: str = ""
    file: str = ""
    step: str = ""
    done: float = 0.0
    total: float = 0.0
    percent: int = 0


def read_line(text: str, host: str = "") -> Line:
    """What a line says without its frame. Raises ValueError for what is none."""
    for kind, pattern in KINDS.items():
        if found := pattern.fullmatch(text):
            said = found.groupdict()
            return Line(
                kind,
                text,
                said["item"],
                host,
                said.get("library") or "",
                said["vcenter"],
                said.get("file", ""),
                said.get("step", ""),
                float(said.get("done", 0)),
                float(said.get("total", 0)),
                int(said.get("percent", 0)),
            )
    raise ValueError(f"no line about progress: {text!r}")


def read_shown(output: Iterable[str]) -> list[Line]:
    """The lines about progress in the output of a job. Raises ValueError for one that is not whole."""
    lines = []
    for text in output:
        if "progress: " in text:
            found = FRAME.fullmatch(text)
            if not found:
                raise ValueError(f"no whole line: {text!r}")
            lines.append(read_line(found["rest"], found["host"]))
    return lines


def require_forward(lines: Iterable[Line]) -> None:
    """Each file goes towards 100 %, and never back."""
    reached: dict[tuple[str, str, str], Line] = {}
    for line in lines:
        if line.kind == "moves":
            before = reached.setdefault((line.host, line.item, line.file), line)
            assert before.percent <= line.percent <= 100, (before.text, line.text)
            assert before.done <= line.done <= line.total, (before.text, line.text)
            reached[line.host, line.item, line.file] = line
