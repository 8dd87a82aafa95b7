# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in what is done when: waiting, order, reading back, cleaning up, trying again, logging in again.

Independent programs judge where they can: vcsim what our client makes of it, govc what our client leaves behind in the
simulator, the official bindings how the simulator behaves, and what it said that our client has to hand on.

Some mistakes our own unit tests must see alone. They show only where something goes wrong on the way, where a clock is
moved, where two are at work at once, or where a server has previews or checksums, and vcsim has neither.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutations.mutation import Mutation, Suite, govc, sdk, unit, vcsim

UTILS = "plugins/module_utils/"
SESSION, INSIST = UTILS + "_session/", UTILS + "_session/lost_answers.py"
UPLOAD, CONTENT = UTILS + "_update/push.py", UTILS + "_transfer/content.py"
CONNECTION, API, DOWNLOAD = UTILS + "_vcenter/connection.py", UTILS + "_vcenter/api.py", UTILS + "_download/fetch.py"
UPDATES = "tests/simulator/updates.py"

#: Name, file, what stands there, what is wrong, and who sees it.
Row = tuple[str, str, str, str, Suite]


def behaviour_mutations() -> Iterator[Mutation]:
    for side, rows in (("client", JUDGED_BY_OTHERS), ("client", JUDGED_BY_US), ("simulator", SIMULATOR)):
        for name, path, old, new, suite in rows:
            yield Mutation(name, side, "both", path, old, new, (suite,))


JUDGED_BY_OTHERS: tuple[Row, ...] = (
    (
        "polling: an answered PUT counts as a received file",
        SESSION + "receive.py",
        'ready=lambda files: set(names) <= silent | {file.name for file in files if file.status == "READY"}',
        "ready=lambda files: True",
        govc("slow_server"),
    ),
    (
        "polling: a completion is not waited for",
        SESSION + "completion.py",
        "isinstance(found, UpdateSession) and (found.state != ACTIVE or not wait)",
        "isinstance(found, UpdateSession)",
        govc("slow_server"),
    ),
    (
        "read-back: what the server made of warning_behavior is believed",
        SESSION + "receive.py",
        "if session.ignored_warnings != tuple(sorted(ignored_warnings)):",
        "if False:",
        vcsim("server_does_not_know"),
    ),
    (
        "order: the certificate goes after the descriptor",
        CONTENT,
        "    CERTIFICATE = 1\n    DESCRIPTOR = 2\n",
        "    CERTIFICATE = 2\n    DESCRIPTOR = 1\n",
        vcsim("servers_order"),
    ),
    (
        "clean-up: a session is deleted while it is ACTIVE",
        INSIST,
        "            insist(lambda: api.cancel_update_session(session_id))\n",
        "            pass\n",
        govc("failed_task_made"),
    ),
    (
        "clean-up: a session that is canceled stays",
        INSIST,
        "        insist(lambda: api.delete_update_session(session_id))\n    return Fate.CANCELED",
        "    return Fate.CANCELED",
        govc("failed_task_made"),
    ),
    (
        "log in again: an expired login ends the task",
        CONNECTION,
        "if status_of(answer) != 401 or",
        "if status_of(answer) != 419 or",
        vcsim("login_that_ended"),
    ),
    (
        "purge: what is not wanted stays",
        CONTENT,
        "if name in self.absent or (self.purge and name not in self.names))",
        "if name in self.absent)",
        govc("we_purge"),
    ),
    (
        "validate: missing files are no reason not to complete",
        SESSION + "completion.py",
        "    if validation.has_errors:\n",
        "    if False:\n",
        sdk("validate_names"),
    ),
)
JUDGED_BY_US: tuple[Row, ...] = (
    (
        "polling: the deadline does not move on with progress",
        SESSION + "waiting.py",
        "            seen, deadline, waits = signs(value), clock.now() + timeout, pauses()\n    return",
        "            seen, waits = signs(value), pauses()\n    return",
        unit("test_waiting", "deadline"),
    ),
    (
        "order: the preview is not awaited before the disks",
        UPLOAD,
        "        if previewed and not packed:\n            self._preview()\n",
        "",
        unit("test_update_session_warnings", "before_the_first_disk"),
    ),
    (
        "retry: a read is not tried again",
        CONNECTION,
        "ATTEMPTS = 4\n",
        "ATTEMPTS = 1\n",
        unit("test_connection", "retry_after_is_honoured"),
    ),
    (
        "retry: a create is not tried again",
        API,
        "model=model, client_token=client_token, repeatable=True)",
        "model=model, client_token=client_token)",
        unit("test_update_session_options", "answer_is_lost"),
    ),
    (
        "retry: a bare 500 is tried again",
        CONNECTION,
        "RETRIED_STATUSES = (429, 502, 503, 504)",
        "RETRIED_STATUSES = (429, 500, 502, 503, 504)",
        unit("test_connection", "what_is_answered_is_not_tried_again"),
    ),
    (
        "retry: a broken upload is not sent again",
        UPLOAD,
        "TRIES = 3\n",
        "TRIES = 1\n",
        unit("test_transfers", "second_try"),
    ),
    (
        "log in again: each thread does it for itself",
        CONNECTION,
        "            if self._token == token:\n",
        "            if True:\n",
        unit("test_connection", "threads_that_meet"),
    ),
    (
        "checksums: what arrived changed is published",
        UPLOAD,
        "            elif theirs != ours:\n",
        "            elif False:\n",
        unit("test_update_session_files", "content_that_arrives_changed"),
    ),
    (
        "checksums: what was fetched changed is put into place",
        DOWNLOAD,
        "        if theirs != ours:\n",
        "        if False:\n",
        unit("test_download_session_dest", "checksum_that_does_not_fit"),
    ),
    (
        "keep-alive: a session expires under a long upload",
        SESSION + "keep_alive.py",
        "                extend(reached if reached > told else None)\n",
        "                pass\n",
        unit("test_transfers", "outlives_session"),
    ),
    (
        "take over: a transfer that moves is nobody's",
        SESSION + "acquire.py",
        "            return session, files, True\n",
        "            return session, files, False\n",
        unit("test_take_over", "transfer_that_moves"),
    ),
)
SIMULATOR: tuple[Row, ...] = (
    (
        "polling: what was not received yet is completed",
        UPDATES,
        '            elif status != "READY":\n',
        "            elif False:\n",
        sdk("late.iso"),
    ),
    (
        "order: a certificate is taken after the descriptor",
        UPDATES,
        'if extension(entry.name) in ("mf", "cert") and any(',
        "if extension(entry.name) in () and any(",
        sdk("x.mf"),
    ),
    (
        "clean-up: a session is deleted while it is ACTIVE",
        UPDATES,
        'if session.state == "ACTIVE":\n            raise wrong_state("delete"',
        'if False:\n            raise wrong_state("delete"',
        sdk("delete"),
    ),
    (
        "retry: a client token makes a new session each time",
        UPDATES,
        '            self._tokens[f"{user.name} {client_token}"] = session.id\n',
        "            pass\n",
        sdk("client_token"),
    ),
    (
        "read-back: a change of warning_behavior is answered with success, and not made",
        UPDATES,
        'if "warning_behavior" in spec and not self._seed.patch_ignored:',
        "if False:",
        sdk("update_changes"),
    ),
    (
        "two ACTIVE sessions on one item",
        UPDATES,
        "            raise resource_busy(item.id)\n",
        "            pass\n",
        sdk("RESOURCE_BUSY"),
    ),
    (
        "a list has the sessions of other items",
        UPDATES,
        "if entry.user == user.name and item_id in (None, entry.item.id)",
        "if entry.user == user.name",
        sdk("get_and_list"),
    ),
    (
        "a list has other users' sessions",
        UPDATES,
        "if entry.user == user.name and item_id in (None, entry.item.id)",
        "if item_id in (None, entry.item.id)",
        sdk("only_the_callers"),
    ),
)
