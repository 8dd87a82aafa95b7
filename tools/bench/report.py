# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a table to read, and as the page docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.bench.measure import Figure

HEADER = """\
<!--
SPDX-FileCopyrightText: 2026 The vsphere.content authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

`make bench` measures this and writes this page. Each row compares the collection with a yardstick: both are measured in
turns in the same run, on the same machine and against the same server. The ratio is the median of the rounds' ratios,
with the lowest and the highest beside it. Speeds hold for this machine; the ratios are what can be compared.

![How far each row is from its bar](images/benchmarks.svg)

"""

METHOD = """
## How it is measured

- The rows about PUT and download run the transfer layer of the collection alone, in a process of its own, against an
  HTTPS server in Go that discards what it gets and makes up what it gives. curl and ours are timed from before the
  connection is made, TLS handshake included. The files are in memory, as a disk would slow both down to the same speed.
- The rows about tasks take the duration that ansible-runner reports for the task, from the controller's side: building
  the module, starting Python, logging in, working, logging out.
- What is published goes to vcsim, govmomi's simulator of a vCenter; the second run, the parallel files and the sessions
  are measured on the simulator of this collection, which delays its answers and limits each connection as the row says.
- Parallel files are timed from the first to the last byte and the server's word that it has them, as the module reports
  in `transferred`.
- The peak of memory is what the kernel reports for the module's process (VmHWM).

## What limits the rows that miss

- `govc library.import`: of 7.3 s for 2 GiB, the trace of the task (`-vvv`) shows 5.2 s in the PUT, in which the module
  uses 5.7 s of a core, TLS and the checksum, and vcsim 4.0 s: both cores are busy. govc takes 5.0 s for the whole
  import, with 4.7 s of a core. The rest is the second in which vcsim may still say that it has received the file,
  which it never does, and what Ansible needs to build and start a module, nearly a second, as in the last row. On a
  larger image both weigh less; a vCenter says that it has a file.
- The task with nothing to do: beyond requests the module imports its own code, 0.1 s of a core from the archive in
  which Ansible sends it (a third of it the making of dataclasses, a third compiling, as an archive keeps no bytecode),
  and then logs in, asks its questions and logs out over TLS.
"""


def table(figures: Sequence[Figure]) -> str:
    """The rows as plain text."""
    rows = [("row", "ours", "yardstick", "ratio", "spread", "bar", "")]
    rows += [
        (figure.name, _amount(figure.ours, figure), _amount(figure.against, figure), *_ratio(figure), _verdict(figure))
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    remarks = [f"{figure.name}: {remark}" for figure in figures for remark in _remarks(figure)]
    return "\n".join([*lines, *remarks])


def page(figures: Sequence[Figure], facts: Mapping[str, str]) -> str:
    """The rows as a page."""
    lines = ["| what | ours | yardstick | ratio | bar |", "|---|---|---|---|---|"]
    for figure in figures:
        ratio, spread, limit = _ratio(figure)
        beside = "".join(f"<br>{remark}" for remark in _remarks(figure))
        lines.append(
            f"| {figure.title}{beside} | {_amount(figure.ours, figure)} "
            f"| {_amount(figure.against, figure)}: {figure.yardstick} "
            f"| **{ratio}** ({spread}) | {limit}: {_verdict(figure)} |"
        )
    rounds = sorted({len(figure.pairs) for figure in figures})
    where = [f"- {name}: {value}" for name, value in facts.items()]
    where.append(f"- rounds of each row: {' or '.join(map(str, rounds))}")
    return "\n".join([HEADER + "\n".join(lines), METHOD, "## Where", "", *where, ""])


def _ratio(figure: Figure) -> tuple[str, str, str]:
    return f"{figure.ratio:.2f}", f"{figure.ratios[0]:.2f} to {figure.ratios[-1]:.2f}", str(figure.limit)


def _amount(value: float, figure: Figure) -> str:
    return f"{value:.{0 if value >= 100 else 2}f} {figure.unit}"


def _verdict(figure: Figure) -> str:
    return "reached" if figure.reached else "MISSED"


def _remarks(figure: Figure) -> list[str]:
    said = [f"{condition.text}{'' if condition.holds else ' (NOT MET)'}" for condition in figure.conditions]
    return [*said, *([figure.note] if figure.note else [])]
