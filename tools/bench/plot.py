# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a picture: how much better than its bar each row is, on one logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tools.bench.measure import Figure

WIDTH, LABELS, MARGIN = 860, 330, 30
TOP, ROW, BAR = 54, 46, 16
LOWEST, HIGHEST = 0.25, 4.0
GRID = (0.25, 0.5, 1.0, 2.0, 4.0)
STYLE = """
  text { font: 13px sans-serif; fill: #24292f }
  .faint { fill: #6e7781; font-size: 11px }
  .grid { stroke: #d0d7de }
  .bar { stroke: #24292f; stroke-width: 2 }
  .reached { fill: #2da44e }
  .missed { fill: #cf222e }
  .undecided { fill: #bf8700 }
  .disturbed { fill: #8c959f }
  .interval { stroke: #24292f; stroke-width: 1.5; opacity: .6 }
"""


def plot(figures: Sequence[Figure]) -> str:
    """An SVG with a bar for each row; right of the line a row is better than its bar demands."""
    height = TOP + ROW * len(figures) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="Benchmarks against their bars">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="24">How many times better than its bar each row is: median and interval</text>',
    ]
    bottom = height - MARGIN
    for mark in GRID:
        kind = "bar" if mark == 1 else "grid"
        lines.append(f'<line class="{kind}" x1="{_x(mark):.1f}" x2="{_x(mark):.1f}" y1="{TOP - 14}" y2="{bottom}"/>')
        lines.append(f'<text class="faint" x="{_x(mark):.1f}" y="{bottom + 16}" text-anchor="middle">{mark:g}</text>')
    for number, figure in enumerate(figures):
        lines += _row(figure, TOP + ROW * number)
    return "\n".join([*lines, "</svg>", ""])


def _row(figure: Figure, top: float) -> list[str]:
    middle = top + BAR / 2
    start, end = sorted((_x(1.0), _x(_merit(figure, figure.ratio))))
    worst, best = sorted(_x(_merit(figure, ratio)) for ratio in figure.interval)
    width = max(1.0, end - start)
    return [
        f'<text x="{MARGIN}" y="{middle}">{escape(figure.name)}</text>',
        f'<text class="faint" x="{MARGIN}" y="{middle + 15}">ratio {figure.ratio:.2f}, bar {escape(str(figure.limit))};'
        f" {figure.ours.value:.4g} and {figure.against.value:.4g} {escape(figure.unit)}</text>",
        f'<rect class="{figure.verdict}" x="{start:.1f}" y="{top}" width="{width:.1f}" height="{BAR}"/>',
        f'<line class="interval" x1="{worst:.1f}" x2="{best:.1f}" y1="{middle}" y2="{middle}"/>',
    ]


def _merit(figure: Figure, ratio: float) -> float:
    return figure.limit.limit / ratio if figure.limit.less_is_better else ratio / figure.limit.limit


def _x(merit: float) -> float:
    place = math.log(min(max(merit, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return LABELS + place * (WIDTH - LABELS - MARGIN)
