# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of others, and items for them to work on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.held import item_id

if TYPE_CHECKING:
    from tests.harness.servers import CannedServer, Identity
    from tests.peers.programs import Vcsim
    from tests.simulator import Simulator

CONTENT = b"an image that lies on a mirror" * 100


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of vcsim, govc and actionlint. Without Go a test is left out, but not in CI."""
    from tests.peers.binaries import LINTER, PEERS, Unavailable, build

    try:
        return build(*PEERS, LINTER)
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"vcsim, govc and actionlint are left out: {error}")


@pytest.fixture
def vcsim(programs: Path) -> Iterator[Vcsim]:
    from tests.peers.programs import run_vcsim

    with run_vcsim(programs) as running:
        yield running


@pytest.fixture(scope="session")
def https(identity: Identity) -> Iterator[str]:
    """The address of an image on an untrusted server."""
    with serving(identity=identity) as mirror:
        yield f"https://{mirror.hostname}:{mirror.port}/image.iso"


@pytest.fixture(scope="session")
def http() -> Iterator[str]:
    """The address of an image."""
    with serving(tls=False) as mirror:
        yield f"http://{mirror.hostname}:{mirror.port}/image.iso"


def serving(**options: Any) -> CannedServer:
    from tests.harness.servers import CannedServer, Reply

    octets = {"Content-Type": "application/octet-stream"}
    return CannedServer(
        lambda request: Reply(200, CONTENT, octets) if request.path == "/image.iso" else Reply(404), **options
    )


@pytest.fixture
def iso(sim: Simulator) -> str:
    return item_id(sim)


@pytest.fixture
def ovf(sim: Simulator) -> str:
    return item_id(sim, "rocky9")
