# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the checkout in which a mistake is made and judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.checkout import CACHE
from tests.mutations.mutation import Mutation
from tools.staging import stage

FORKED_PYTEST = Path(__file__).with_name("forked_pytest.py")
#: No suite takes a tenth of this.
SECONDS = 120.0
#: What takes long to make, and no mistake is made in.
SHARED = ("go", "peers")


class Bench:
    """Suites run here one at a time."""

    def __init__(self, copy: Path, process: subprocess.Popen[str]) -> None:
        self.copy = copy
        self._process = process

    @contextmanager
    def made(self, mutation: Mutation) -> Iterator[None]:
        """The mistake is in the copy while the block runs. Raises ValueError if it cannot be made."""
        path = mutation.file(self.copy)
        right = path.read_text(encoding="utf-8")
        path.write_text(mutation.apply(right), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(right, encoding="utf-8")

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """pytest's exit code and output."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        code, output = json.loads(self._process.stdout.readline())
        return int(code), str(output)


@contextmanager
def open_bench(copy: Path, env: Mapping[str, str], seconds: float = SECONDS) -> Iterator[Bench]:
    """`seconds` is after how long a run is taken to hang."""
    with subprocess.Popen(
        [sys.executable, str(FORKED_PYTEST), str(seconds)],
        cwd=copy,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Bench(copy, process)
        # Its input ends, and so does it.
        process.communicate()


def make_copy(folder: Path) -> Path:
    copy = stage(folder)
    cache = copy / ".cache"
    cache.mkdir()
    for name in SHARED:
        (CACHE / name).mkdir(exist_ok=True)
        (cache / name).symlink_to(CACHE / name)
    return copy
