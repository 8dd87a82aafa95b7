# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in what is done when: waiting, order, reading back, cleaning up, trying again, logging in again."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutations.mutation import Mutation, Suite, behaviour, sdk

UTILS = "plugins/module_utils/"
LIFECYCLE, UPLOAD, CONTENT = UTILS + "_lifecycle.py", UTILS + "_upload.py", UTILS + "_content.py"
CONNECTION, API, DOWNLOAD = UTILS + "_connection.py", UTILS + "_api.py", UTILS + "_download.py"
UPDATES = "tests/simulator/updates.py"


def behaviour_mutations() -> Iterator[Mutation]:
    for name, path, old, new, suite in CLIENT:
        yield Mutation(name, "client", "both", path, old, new, (suite,))
    for name, path, old, new, suite in SIMULATOR:
        yield Mutation(name, "simulator", "both", path, old, new, (suite,))


CLIENT: tuple[tuple[str, str, str, str, Suite], ...] = (
    (
        "polling: an answered PUT counts as a received file",
        LIFECYCLE,
        'ready=lambda files: set(names) <= silent | {file.name for file in files if file.status == "READY"}',
        "ready=lambda files: True",
        behaviour("test_update_session_options", "never_received"),
    ),
    (
        "polling: a completion is not waited for",
        LIFECYCLE,
        "ready=lambda found: found.state != ACTIVE or not wait",
        "ready=lambda found: True",
        behaviour("test_update_session_options", "never_ends"),
    ),
    (
        "polling: the deadline does not move on with progress",
        LIFECYCLE,
        "            seen, deadline, pause = signs(value), clock.now() + timeout, FIRST_PAUSE\n    return",
        "            seen, pause = signs(value), FIRST_PAUSE\n    return",
        behaviour("test_lifecycle", "deadline"),
    ),
    (
        "read-back: what the server made of warning_behavior is believed",
        LIFECYCLE,
        "if session.ignored_warnings != tuple(sorted(ignored_warnings)):",
        "if False:",
        behaviour("test_update_session_warnings", "does_not_take"),
    ),
    (
        "order: the certificate goes after the descriptor",
        CONTENT,
        "    CERTIFICATE = 1\n    DESCRIPTOR = 2\n",
        "    CERTIFICATE = 2\n    DESCRIPTOR = 1\n",
        behaviour("test_update_session_files", "servers_order"),
    ),
    (
        "order: the preview is not awaited before the disks",
        UPLOAD,
        "        if previewed and not packed:\n            self._preview()\n",
        "",
        behaviour("test_update_session_warnings", "before_the_first_disk"),
    ),
    (
        "clean-up: a session is deleted while it is ACTIVE",
        LIFECYCLE,
        "            insist(lambda: api.cancel_update_session(session_id))\n",
        "            pass\n",
        behaviour("test_cleanup", "failed_task_made"),
    ),
    (
        "clean-up: a session that is canceled stays",
        LIFECYCLE,
        "        insist(lambda: api.delete_update_session(session_id))\n    return Fate.CANCELED",
        "    return Fate.CANCELED",
        behaviour("test_cleanup", "failed_task_made"),
    ),
    (
        "retry: a read is not tried again",
        CONNECTION,
        "ATTEMPTS = 4\n",
        "ATTEMPTS = 1\n",
        behaviour("test_connection", "retry_after_is_honoured"),
    ),
    (
        "retry: a create is not tried again",
        API,
        "model=model, client_token=client_token, repeatable=True)",
        "model=model, client_token=client_token)",
        behaviour("test_update_session_options", "answer_is_lost"),
    ),
    (
        "retry: a bare 500 is tried again",
        CONNECTION,
        "RETRIED_STATUSES = (429, 502, 503, 504)",
        "RETRIED_STATUSES = (429, 500, 502, 503, 504)",
        behaviour("test_connection", "what_is_answered_is_not_tried_again"),
    ),
    (
        "retry: a broken upload is not sent again",
        UPLOAD,
        "TRIES = 3\n",
        "TRIES = 1\n",
        behaviour("test_transfers", "second_try"),
    ),
    (
        "log in again: an expired login ends the task",
        CONNECTION,
        "if status_of(answer) != 401 or",
        "if status_of(answer) != 419 or",
        behaviour("test_connection", "expires_in_mid_task"),
    ),
    (
        "log in again: each thread does it for itself",
        CONNECTION,
        "            if self._token == token:\n                self.login()\n",
        "            self.login()\n",
        behaviour("test_connection", "threads_that_meet"),
    ),
    (
        "checksums: what arrived changed is published",
        UPLOAD,
        "            elif theirs != ours:\n",
        "            elif False:\n",
        behaviour("test_update_session_files", "content_that_arrives_changed"),
    ),
    (
        "checksums: what was fetched changed is put into place",
        DOWNLOAD,
        "        if theirs != ours:\n",
        "        if False:\n",
        behaviour("test_download_session_dest", "checksum_that_does_not_fit"),
    ),
    (
        "keep-alive: a session expires under a long upload",
        LIFECYCLE,
        "                extend(reached if reached > told else None)\n",
        "                pass\n",
        behaviour("test_transfers", "outlives_session"),
    ),
    (
        "take over: a transfer that moves is nobody's",
        LIFECYCLE,
        "            return session, files, True\n",
        "            return session, files, False\n",
        behaviour("test_take_over", "transfer_that_moves"),
    ),
    (
        "validate: missing files are no reason not to complete",
        LIFECYCLE,
        "    if validation.has_errors:\n",
        "    if False:\n",
        behaviour("test_update_session_files", "found_session_with_a_missing"),
    ),
    (
        "purge: what is not wanted stays",
        CONTENT,
        "if name in self.absent or (purge and name not in self.names))",
        "if name in self.absent)",
        behaviour("test_update_session_files", "purge_files"),
    ),
)
SIMULATOR: tuple[tuple[str, str, str, str, Suite], ...] = (
    (
        "two ACTIVE sessions on one item",
        UPDATES,
        "            raise resource_busy(item.id)\n",
        "            pass\n",
        sdk("RESOURCE_BUSY"),
    ),
    (
        "a client token makes a new session each time",
        UPDATES,
        '            self._tokens[f"{user.name} {client_token}"] = session.id\n',
        "            pass\n",
        sdk("client_token"),
    ),
    (
        "a certificate is taken after the descriptor",
        UPDATES,
        'if extension(entry.name) in ("mf", "cert") and any(',
        "if extension(entry.name) in () and any(",
        sdk("x.mf"),
    ),
    (
        "a list has other users' sessions and other items'",
        UPDATES,
        "if entry.user == user.name and item_id in (None, entry.item.id)",
        "if entry.user == user.name",
        sdk("get_and_list"),
    ),
)
