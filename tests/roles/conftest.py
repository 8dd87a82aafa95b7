# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vCenter for each worker, images to publish, and a way to run jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.roles.jobs import Job
    from tests.simulator import Simulator


@dataclass(frozen=True)
class Images:
    """An ISO, and below it a package whose certificate is self-signed."""

    folder: Path

    @property
    def iso(self) -> Path:
        return self.folder / "drivers.iso"

    @property
    def signed(self) -> Path:
        return self.folder / "rocky9" / "rocky9.ovf"

    @property
    def package(self) -> list[Path]:
        """What an item holds of the package: the descriptor and what it references."""
        return [path for path in self.signed.parent.iterdir() if path.suffix not in (".cert", ".mf")]


@dataclass(frozen=True)
class Jobs:
    """Runs jobs of the example project against the vCenter, each in a private data directory of its own."""

    sim: Simulator
    folder: Path

    def run(self, playbook: str, extra_vars: Mapping[str, Any], *options: str, **more: Any) -> Job:
        from tests.roles.jobs import credential, run_job, verified

        self.sim.clear_exchanges()
        directory = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        return run_job(directory, playbook, verified(credential(self.sim), self.sim), extra_vars, *options, **more)

    @property
    def mutations(self) -> list[str]:
        """What was asked of the vCenter in the last job beyond reading."""
        from tests.harness.tasks import changes_something

        return [f"{entry.method} {entry.path}" for entry in self.sim.exchanges if changes_something(entry)]

    def item_names(self) -> set[str]:
        return self.sim.run(lambda store: {entry.name for entry in store.catalog.items.values()})

    def contents(self, library: str, name: str) -> dict[str, bytes]:
        from tests.harness.held import contents

        return contents(self.sim, name, library)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    from tests.simulator import Simulator

    with Simulator(settle=0.05) as running:
        yield running


@pytest.fixture
def jobs(sim: Simulator, tmp_path: Path) -> Jobs:
    return Jobs(sim, tmp_path)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    from tests.harness.packages import make_iso, make_package

    found = Images(tmp_path_factory.mktemp("images"))
    make_iso(found.iso, 100_000)
    make_package(found.signed.parent, signed="self-signed", disk_bytes=20_000)
    return found
