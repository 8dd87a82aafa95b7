# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for what happens in another thread or process."""

from __future__ import annotations

import time
from typing import Any, Callable

SECONDS = 60.0
PAUSE = 0.01


def eventually(condition: Callable[[], Any], seconds: float = SECONDS) -> bool:
    """Whether it comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
