# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as a program of its own, whose exchanges are held to the published description.

``python -m tests.contract.serve FILE [OPTIONS OF THE SIMULATOR]`` writes to the file what is against it, as it happens.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.contract.checks import load_contract
from tests.simulator import Exchange
from tests.simulator.__main__ import main as simulator_main


def main(arguments: list[str]) -> int:
    path, contract = Path(arguments[0]), load_contract()
    path.touch()

    def judge(exchange: Exchange) -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{text}\n" for text in contract.violations(exchange))

    return simulator_main(arguments[1:], judge)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
