# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's time: a clock of elapsed seconds that tests can replace, and the date by it."""

from __future__ import annotations

import datetime
import email.utils
from typing import Callable

Seconds = Callable[[], float]


class Calendar:
    """Turns the clock's seconds into dates, so a test that moves the clock moves the dates too."""

    def __init__(self, clock: Seconds) -> None:
        self.clock = clock
        self._origin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=clock())

    def set_ahead(self, seconds: float) -> None:
        """Set the server's clock ahead of that of its clients."""
        self._origin += datetime.timedelta(seconds=seconds)

    def date(self, seconds: float) -> datetime.datetime:
        return self._origin + datetime.timedelta(seconds=seconds)

    def now(self) -> datetime.datetime:
        return self.date(self.clock())

    def stamp(self, seconds: float) -> str:
        return self.date(seconds).strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.date(seconds).microsecond // 1000:03d}Z"

    def http_stamp(self) -> str:
        return email.utils.format_datetime(self.now(), usegmt=True)

    def now_stamp(self) -> str:
        return self.stamp(self.clock())
