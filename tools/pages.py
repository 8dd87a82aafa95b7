# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of pages that tools write from their results, between a comment and the one that ends the part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

COMMENTS = {".md": ("<!-- {} -->\n", "\n<!-- end of {} -->"), ".rst": (".. {}\n\n", "\n\n.. end of {}\n")}


def read_part(page: Path, name: str) -> str:
    begin, end = _marks(page, name)
    return page.read_text(encoding="utf-8").split(begin, 1)[1].split(end, 1)[0]


def write_parts(page: Path, parts: Mapping[str, str]) -> None:
    for name, text in parts.items():
        begin, end = _marks(page, name)
        before, _begin, rest = page.read_text(encoding="utf-8").partition(begin)
        _old, _end, after = rest.partition(end)
        page.write_text(f"{before}{begin}{text}{end}{after}", encoding="utf-8")


def _marks(page: Path, name: str) -> tuple[str, str]:
    begin, end = (comment.format(name) for comment in COMMENTS[page.suffix])
    written = page.read_text(encoding="utf-8")
    if written.count(begin) != 1 or end not in written.split(begin)[1]:
        raise ValueError(f"{page.name} has no part {name!r}")
    return begin, end
