# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a task, and the length of each pause and wait that no option sets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Timing:
    """Pauses and limits, in seconds where no other unit is named. Tests pass shorter ones."""

    # Tries of a read or a creation that fails with a transient error; each pause is twice the one before.
    request_tries: int = 4
    first_request_pause: float = 0.5
    # If the server asks for a longer pause by Retry-After, the task does not try again.
    longest_request_pause: float = 30.0
    # Each try to connect. To try this often is as good as the kernel's own way, and the task can give up in between.
    connect_try: float = 3.0
    # A whole answer may take this many times request_timeout, however steadily it comes.
    exchange_factor: int = 10
    # In bytes. No vCenter sends more.
    longest_answer: int = 12 * 1024 * 1024
    # Between two looks whether the first login of the run has come to its end.
    login_turn: float = 0.05
    # Between two looks of the thread that ends exchanges which take too long.
    limit_watch: float = 0.1

    # How long a server may be silent after a signal: the task must end before Ansible kills it.
    hurried_silence: int = 4
    # Longer than hurried_silence, so that the message of a silent server says that it was silent.
    hurried_exchange: float = 5.0
    # For everything that a task does after a signal, except the logout.
    clean_up: float = 6.5
    logout: float = 1.0
    # A terminal and Ansible may each send a signal to end a task, so those this soon after the first are ignored.
    one_wish: float = 0.5
    longest_hurried_pause: float = 0.5
    # So often a task looks whether anybody still reads its result, and wakes its main thread once a signal has come.
    reader_check: float = 1.0
    wake: float = 0.1
    # A longer sleep is slept in such pieces, so that a signal can shorten it.
    nap: float = 0.1
    # The last lines about the progress may take so long to be written.
    flush: float = 2.0

    # Between two looks at something that vCenter is working on; each pause is twice the one before.
    first_pause: float = 0.1
    longest_pause: float = 2.0
    # Threads that read at a time.
    readers: int = 16
    # How long a task watches a session that it found, before it decides that nobody works in it,
    watch_idle: float = 5.0
    # and one in which it saw something move.
    watch_transfer: float = 10.0
    watch_pause: float = 1.0
    # Between reads that show whether reading extends a session: more than the smallest step of vCenter's times.
    extending_pause: float = 0.05
    # Longer than any task takes between looking at a session and extending it.
    claim: float = 1.0
    # How long a preview may be UNAVAILABLE before the task concludes that the server makes none.
    preview_unavailable: float = 10.0
    # How long a server without previews may say nothing of a file whose PUT it has answered.
    silent_file: float = 1.0
    # How long another task's completion of the same session may take to show.
    join_completion: float = 5.0

    # Tries of a request that does no harm when it is repeated; each pause is twice the one before.
    removal_tries: int = 3
    completion_tries: int = 5
    first_insisting_pause: float = 1.0

    # In a trial: how long anything small may take, how long a fetch may stand still before it counts as hanging, and
    # how long a completion is under way before the next request comes.
    trial_wait: float = 60.0
    trial_hang: float = 20.0
    trial_head_start: float = 0.1
    # Longer than vCenter is known to keep a client token, and longer than a session without activity lives.
    trial_slow: float = 660.0

    shortest_keep_alive: float = 0.5
    longest_keep_alive: float = 30.0
    # Shorter than watch_idle, so that a task which watches sees another one at work in an update session.
    sign_of_life: float = 2.0

    upload_tries: int = 3
    download_tries: int = 5
    first_transfer_pause: float = 0.25
    # How long the task waits for a thread that it told to stop.
    stop: float = 1.0


@dataclass(frozen=True)
class Clock:
    """A monotonic clock in seconds, how to sleep, and how long each pause is."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timing: Timing = field(default_factory=Timing)


SYSTEM_CLOCK = Clock()
