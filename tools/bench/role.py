# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole jobs of a role over many hosts, beside the same jobs by an earlier commit."""

from __future__ import annotations

from pathlib import Path

from tools.bench.before import checked_out
from tools.bench.bench import Bench, BenchError, simulator
from tools.bench.measure import Bar, Figure, Pair, Sample, take_turns
from tools.bench.runner import FORKS, Runner, running, vcenters
from tools.bench.scale import as_text

LIBRARY = "templates"


def role_publish(bench: Bench) -> Figure:
    """Each measurement has a server of its own, as the items of one before would be more to list."""

    def published(collections: Path | None) -> Sample:
        with simulator() as server, running(bench, server, collections) as runner:
            return _publish_by_role(bench, runner, changes=True)

    before = checked_out(bench.scale.before, bench.scratch)
    pairs = take_turns(bench.scale.long_rounds, lambda: published(None), lambda: published(before))
    return _role_figure(bench, "role-publish", "", 0.4, pairs)


def role_publish_again(bench: Bench) -> Figure:
    before = checked_out(bench.scale.before, bench.scratch)
    with simulator() as server, running(bench, server) as now, running(bench, server, before) as then:
        _publish_by_role(bench, now, changes=True)
        pairs = take_turns(
            bench.scale.long_rounds,
            lambda: _publish_by_role(bench, now, changes=False),
            lambda: _publish_by_role(bench, then, changes=False),
        )
    return _role_figure(bench, "role-publish-again", ", which the items already hold", 0.3, pairs)


def _publish_by_role(bench: Bench, runner: Runner, *, changes: bool) -> Sample:
    hosts = vcenters(bench.scale.role_hosts)
    variables = {
        "vcenter_shared": True,
        "publish_libraries": [LIBRARY],
        "publish_src": str(bench.random_file("role.iso", bench.scale.role_image)),
        "publish_library_item": "image-of-{{ inventory_hostname }}",
    }
    job = runner.role_on(hosts, "publish", variables)
    if job.changed != (len(hosts) if changes else 0):
        raise BenchError(f"the role has changed something on {job.changed} of {len(hosts)} hosts")
    return Sample(job.seconds, job.cpu)


def _role_figure(bench: Bench, name: str, beside: str, limit: float, pairs: tuple[Pair, ...]) -> Figure:
    scale = bench.scale
    image = f"an image of {as_text(scale.role_image)} each{beside}"
    return Figure(
        name,
        f"the role publish on {scale.role_hosts} hosts, {FORKS} forks, {image}",
        f"the same at the commit {scale.before[:12]}",
        "s",
        Bar(limit, less_is_better=True),
        pairs,
    )
