# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a table to read, and as the page docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

from tools.bench.kept import MOMENT, Measured
from tools.bench.measure import DISTURBED, REACHED, TRIES, Figure, Sample

HEADER = """\
<!--
SPDX-FileCopyrightText: 2026 The vsphere.content authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

`make bench` measures these figures and writes this page. Each row compares the collection with a yardstick: both run in
turns, on the same machine and against the same server. The ratio is the median of the rounds' ratios, with its interval
beside it. CPU seconds stand beside a figure where one process, or one job, can be counted. The speeds hold for this
machine only. Compare the ratios.

![How far each row is from its bar](images/benchmarks.svg)

"""

METHOD = """
## How it is measured

- Each row has at least seven rounds. A round measures the collection and the yardstick, in the other order than the
  round before, and gives one ratio.
- The interval holds the true median of the ratios with a confidence of 95 % or more, by the sign test: a ratio is as
  likely above the median as below it, whatever the ratios look like. For seven rounds the interval reaches from the
  lowest to the highest ratio. For nine rounds it leaves out one ratio at each end.
- A bar is reached if the whole interval is on its side, and missed if the whole interval is on the other side or a
  condition of the row is not met. Otherwise the row is undecided.
- While a row runs, `make bench` compares the CPU time of all processes with that of its own. A row during which other
  processes used more than a tenth of the machine's CPU is measured again, four times at most. Then it is disturbed, and
  its figures say nothing.
- The rows about PUT and download run only the transfer layer of the collection, in its own process, against an HTTPS
  server in Go that discards uploads and generates downloads. The time of curl and of the collection includes the
  connection and the TLS handshake. The files are in memory, as a disk would slow both down to the same speed. The CPU
  seconds of the collection are those of that time. All other CPU seconds are those of whole processes.
- The rows about tasks use the duration that ansible-runner reports for the task on the controller, from its start to
  its result: starting the module in a fork of the worker, logging in, working, logging out. The row about many hosts
  takes the time from the start of a task to the start of the next one. govc's time is that of its whole process.
- The rows about the role take the time and the CPU of the whole job, from the start of ansible-runner to its end. Their
  yardstick is the collection of an earlier commit, which `make bench` takes from the repository. Both run in one
  session.
- The rows about an ISO in a new item and about memory use vcsim, govmomi's simulator of a vCenter. All other rows about
  tasks and jobs use the simulator of this collection, which delays its answers and limits each connection as the row
  says.
- The time of parallel files runs from the first byte until the server has confirmed the last one, as the module reports
  in `transferred`.
- The kernel reports the peak of memory for the process that the module runs in (VmHWM), and what this process holds
  right before the module starts (VmRSS): the interpreter alone, or what a worker of Ansible has loaded.

## What was measured elsewhere

The package registries of the machine that measures this page do not have these peers whole. They were measured on 28
November 2026, on another machine with two cores, against the simulator of this collection, with ansible-core 2.21. The
collection of that day ran each module in a process of its own. Each figure is one of its day, without an interval.
Compare it with the others of its table only.

| a task with nothing to do | seconds | requests |
|---|---|---|
| a module that only imports requests | 0.34 | none |
| `item_info` of vmware.vmware_rest 4.9 | 0.45 | 2 |
| the same with ansible-core 2.18, and with the turbo mode, which newer versions do not have | 0.34, and 0.26 | 2 |
| `import_content_library_iso` of vmware.vmware 2.9, the item is there | 0.60 | 4 |
| `content_library_update_session` of that day | 0.53 | 5 or 6 |

| publishing, seconds | an ISO of 1 GiB | an OVF with three disks of 100 MiB, 50 ms latency |
|---|---|---|
| govc 0.55 | 2.3 | 1.8 |
| vmware.vmware 2.9, which reads no manifest | 3.0 | 2.3 |
| tasks with `ansible.builtin.uri` | 7.2 | 8.7 |
| this collection, on that day | 4.0 | 3.7 |

One task with nothing to do on each of 50 hosts, with 20 forks, took 12.4 s for the module that only imports requests,
19.0 s for vmware.vmware 2.9, and 17.5 s for the collection of that day.

## What limits the rows that miss

- `govc library.import`: on the machine below, the task takes 8.5 s for 2 GiB. Its trace (`-vvv`) shows 6.8 s in the
  PUT. In that time the module uses 5 s of a core for TLS and the checksum, and vcsim uses 6.0 s: both cores are busy.
  govc hashes nothing. It takes 5.7 s for the whole import, with 3.9 s of a core for itself and 5.6 s for vcsim. The
  task also waits for a second in which vcsim could confirm the file, which it never does. That matters less for a
  larger image, and a vCenter confirms a file.
- The task with nothing to do in a process of its own: it takes 0.5 s longer than the module that only imports requests.
  Importing its own code takes 0.37 s of a core of that: 0.27 s for compiling, as the archive in which Ansible sends the
  code keeps no bytecode, and 0.10 s for running, most of which makes dataclasses. Of the code, all that changes
  something is imported only by a task that has something to do. The module also logs in, reads and logs out over TLS.
- The rows about a file of 1 GiB that are undecided differ from round to round by more than from their bar, as all
  processes compete for two cores. The download with its checksum uses 4.2 s of a core, and curl, which computes none,
  2.6 s: Python gets each TLS record of 16 KiB by itself, and a second thread hashes what has arrived.
"""


def table(figures: Sequence[Figure]) -> str:
    """The rows as plain text."""
    rows = [("row", "ours", "yardstick", "ratio", "interval", "bar", "")]
    rows += [
        (figure.name, *_amounts(figure), f"{figure.ratio:.2f}", _interval(figure), str(figure.limit), _verdict(figure))
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    remarks = [f"{figure.name}: {remark}" for figure in figures for remark in _remarks(figure)]
    return "\n".join([*lines, *remarks])


def page(rows: Sequence[Measured]) -> str:
    """The rows as a page."""
    figures = [row.figure for row in rows]
    lines = ["| what | ours | yardstick | ratio | bar |", "|---|---|---|---|---|"]
    for figure in figures:
        ours, against = _amounts(figure)
        beside = "".join(f"<br>{remark}" for remark in _remarks(figure))
        lines.append(
            f"| {figure.title}{beside} | {ours} | {against}: {figure.yardstick} "
            f"| **{figure.ratio:.2f}** ({_interval(figure)}) | {figure.limit}: {_verdict(figure)} |"
        )
    return "\n".join([HEADER + "\n".join(lines), METHOD, "## Where", "", *_where(rows), ""])


def _where(rows: Sequence[Measured]) -> list[str]:
    """When and where the rows were measured. If several machines have done so, each has the names of its rows."""
    machines: dict[tuple[tuple[str, str], ...], list[Measured]] = {}
    for row in rows:
        machines.setdefault(tuple(row.machine.items()), []).append(row)
    if len(machines) == 1:
        return _conditions(rows)
    lines = []
    for own in machines.values():
        lines += [f"{', '.join(row.figure.name for row in own)}:", "", *_conditions(own), ""]
    return lines[:-1]


def _conditions(rows: Sequence[Measured]) -> list[str]:
    """When and how the rows of one machine were measured."""
    moments = sorted({row.facts[MOMENT] for row in rows})
    rounds = sorted({len(row.figure.pairs) for row in rows})
    return [
        f"- {MOMENT}: {' to '.join(dict.fromkeys((moments[0], moments[-1])))}",
        *(f"- {name}: {value}" for name, value in rows[0].machine.items()),
        f"- rounds of each row: {' or '.join(map(str, rounds))}",
    ]


def _amounts(figure: Figure) -> tuple[str, str]:
    """Both medians, each with its CPU seconds where a process can be counted."""
    return _amount(figure.ours, figure.unit), _amount(figure.against, figure.unit)


def _amount(sample: Sample, unit: str) -> str:
    used = "" if sample.cpu is None else f", CPU {sample.cpu:.2f} s"
    return f"{sample.value:.{0 if sample.value >= 100 else 2}f} {unit}{used}"


def _interval(figure: Figure) -> str:
    lowest, highest = figure.interval
    return f"{lowest:.2f} to {highest:.2f}"


def _verdict(figure: Figure) -> str:
    """The verdict; what does not reach its bar stands out."""
    return figure.verdict if figure.verdict == REACHED else figure.verdict.upper()


def _remarks(figure: Figure) -> list[str]:
    said = [f"{condition.text}{'' if condition.holds else ' (NOT MET)'}" for condition in figure.conditions]
    if figure.verdict == DISTURBED:
        said.append(f"other processes used {figure.others:.0%} of the CPU in the last of {TRIES} tries")
    return [*said, *([figure.note] if figure.note else [])]
