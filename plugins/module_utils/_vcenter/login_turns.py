# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tasks of one run of Ansible keep a wrong password from being sent more than once.

vCenter locks an account after a few refused logins, and a play over many hosts sends as many at the same time. So the
first login of a user to a vCenter goes alone, and the other tasks of the run wait until its outcome is known. After a
refusal none of them sends that password again.

The outcome stands in a file of the folder that ansible-playbook makes for its run and removes at its end. The name of
the file is a digest of vCenter, user and password, whose key stands in no file. So another password has its own turn.
The lock of the file goes with its process, so a task that is killed holds up nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Callable

from .connection_options import ConnectionOptions
from .errors import ContentError
from .timing import Clock

# The key of the digests and the folder, with a colon between them. The action plugins set it.
TURNS_VARIABLE = "VSPHERE_CONTENT_LOGINS"
# After such an answer nobody logs in with the same password again.
REFUSED_STATUSES = (401, 403)
MOST_BYTES = 1 << 16
OPEN_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class LoginTurns:
    """The turns of a task at logging in; without `place`, as outside of Ansible, it never waits.

    A file that cannot be used, as another user has made it or it cannot be locked, counts as none. `hide` removes
    secrets from what the other tasks are told.
    """

    def __init__(self, place: str, options: ConnectionOptions, clock: Clock, hide: Callable[[str], str]) -> None:
        self._key, _colon, self._folder = place.partition(":")
        self._options = options
        self._clock = clock
        self._hide = hide

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Log in within the block, alone if no login of the run has succeeded so far.

        Raises the ContentError of another task: if vCenter has refused the same login in this run, or if the login that
        this task has waited for has failed.
        """
        with self._locked() as turn:
            if turn is None:
                yield
                return
            file, known, waited = turn
            accepted = known.get("outcome") == "accepted"
            if known.get("outcome") == "refused" or (waited and known.get("way") == self._digest(self._options)):
                raise _shared(known)
            if accepted:
                fcntl.flock(file, fcntl.LOCK_UN)
            else:
                _write(file, {})
            try:
                yield
            except ContentError as error:
                refused = error.operation == "session.login" and error.status in REFUSED_STATUSES
                if refused and accepted:
                    fcntl.flock(file, fcntl.LOCK_EX)
                if refused or not accepted:
                    _write(file, self._failed(error, "refused" if refused else "failed"))
                raise
            if not accepted:
                _write(file, {"outcome": "accepted"})

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, Mapping[str, Any], bool] | None]:
        """The locked file of this login, what it says, and whether another task held it; None if there is none."""
        file = self._open()
        try:
            waited = False
            while file is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waited = True
                    self._clock.sleep(self._clock.timing.login_turn)
                except OSError:
                    break
                else:
                    yield file, _read(file), waited
                    return
            yield None
        finally:
            if file is not None:
                os.close(file)

    def _open(self) -> int | None:
        if not self._folder:
            return None
        user = (self._options.username or "").casefold()
        login = (self._options.hostname, self._options.port, user, self._options.password)
        with suppress(OSError):
            file = os.open(os.path.join(self._folder, f"login-{self._digest(login)}"), OPEN_FLAGS, 0o600)
            if os.fstat(file).st_uid == os.geteuid():
                return file
            os.close(file)
        return None

    def _failed(self, error: ContentError, outcome: str) -> Mapping[str, Any]:
        """What the other tasks are told of a login that failed. Only those that log in in the same way share it."""
        return {
            "outcome": outcome,
            "way": self._digest(self._options),
            "said": self._hide(error.said),
            "type": error.error_type,
            "status": error.status,
            "remedy": error.remedy,
        }

    def _digest(self, value: Any) -> str:
        # repr writes bytes of another encoding, which an option of the environment may hold, as escapes.
        return hmac.new(self._key.encode(), repr(value).encode(), hashlib.sha256).hexdigest()


def _shared(known: Mapping[str, Any]) -> ContentError:
    """The failure of a task that another one has met before it."""
    refused = known["outcome"] == "refused"
    error = ContentError(
        "vCenter has refused the same user and password in another task of this run, so this task did not send them"
        if refused
        else known["said"],
        error_type=known["type"],
        status=known["status"],
        operation="session.login",
        remedy=known["remedy"],
    )
    error.was_sent = False
    if not refused:
        error.notes.append("Another task of this run tried, and this task waited for it.")
    return error


def _read(file: int) -> Mapping[str, Any]:
    """What a file says; nothing if its task was killed while it wrote."""
    with suppress(ValueError):
        said = json.loads(os.pread(file, MOST_BYTES, 0) or b"{}")
        return said if isinstance(said, dict) else {}
    return {}


def _write(file: int, said: Mapping[str, Any]) -> None:
    # On a full disk the file says nothing, so the next task goes alone, too.
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(said).encode(), 0)
