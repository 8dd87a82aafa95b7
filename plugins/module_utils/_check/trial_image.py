# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial observes of an image: how a file arrives, how a session is completed, and what the item then holds."""

from __future__ import annotations

import hashlib
import ipaddress

from .._session.finding import find_active
from .._vcenter.errors import ContentError, NotAllowedInCurrentState, ResourceBusy
from .._vcenter.models import UpdateFile
from .known import OTHER
from .samples import ISO_NAME, iso
from .trial import WAITING, Trial, aside, host_of, states_named
from .trial_session import (
    end_in_each_way,
    new_token,
    observe_deletion,
    observe_expiry,
    observe_memory,
    observe_session,
    open_first,
)

CLAIM_PROGRESS = 1
LATER_LOOKS = 3
"""How often a file is looked at once it is READY."""


def try_image(trial: Trial, *, is_slow: bool) -> str:
    """Publish an image to an item of its own; returns the identifier of the item, which then holds the image.

    Raises what a publish raises.
    """
    item_id, token = trial.made.item("iso"), new_token()
    session_id = open_first(trial, item_id, token)
    observe_session(trial, item_id, session_id, token)
    if not observe_deletion(trial, session_id):
        session_id = trial.open_update(item_id)
    url = trial.add(session_id, ISO_NAME, iso())
    _observe_host(trial, url)
    if not _observe_early_completion(trial, session_id):
        trial.end_update(session_id)
        session_id = trial.open_update(item_id)
        trial.add(session_id, ISO_NAME, iso())
    _observe_arrival(trial, session_id, _take_over(trial, item_id, session_id))
    preview = trial.session(session_id).preview_info
    forms = {"UNAVAILABLE": "unavailable", "NOT_APPLICABLE": "not-applicable"}
    trial.seen["iso-preview"] = forms.get(str(preview.state), OTHER) if preview else "absent"
    _observe_completion(trial, item_id, session_id)
    trial.end_update(session_id)
    _observe_meanwhile(trial, item_id)
    _observe_canceling(trial, item_id)
    observe_memory(trial, item_id, token, is_slow=is_slow)
    end_in_each_way(trial, item_id)
    if is_slow:
        observe_expiry(trial, item_id)
    return item_id


def _observe_host(trial: Trial, url: str) -> None:
    """Which host an upload goes to. If the user came by that name, too, nobody can tell."""
    asked, named = trial.task.connection.options.hostname, host_of(url)
    if named.lower() != asked.lower():
        trial.seen["endpoint-name"] = "primary"
    elif _is_address(asked):
        # A vCenter has a name, and does not call itself by its address.
        trial.seen["endpoint-name"] = "as-asked"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _observe_early_completion(trial: Trial, session_id: str) -> bool:
    """Complete a session before its file was sent; returns whether the session is as it was."""
    try:
        trial.api.updates.complete(session_id)
    except NotAllowedInCurrentState:
        trial.seen["completion-needs-received-files"] = "refused"
        return trial.session(session_id).state == "ACTIVE"
    trial.seen["completion-needs-received-files"] = "accepted"
    return False


def _take_over(trial: Trial, item_id: str, session_id: str) -> str:
    """Do what a task does with a session that an earlier one has left: find it, claim it, and add its file anew.

    Returns the address to send the image to. Raises TransferFailed if the session is not found by its item.
    """
    found = find_active(trial.api.updates, item_id, trial.task.clock.timing)
    if found is None or str(found.id) != session_id:
        raise trial.not_found(session_id)
    trial.api.updates.keep_alive(session_id, CLAIM_PROGRESS)
    return trial.add(session_id, ISO_NAME, iso())


def _observe_arrival(trial: Trial, session_id: str, url: str) -> None:
    """Send the image, and look at it again and again. Raises TransferFailed if vCenter says that it has failed."""
    trial.seen["put-answer"] = str(trial.send(session_id, url, iso()))
    # Servers without previews are known that say nothing of a file.
    trial.is_silent = trial.session(session_id).preview_info is None
    looks: list[UpdateFile] = []
    file = trial.await_file(session_id, ISO_NAME, each=looks.append)
    if file is None or file.status not in ("READY", WAITING):
        trial.seen["pushed-file"] = OTHER
        raise trial.not_received(ISO_NAME, file, session_id)
    if file.status == WAITING:
        # The completion tells whether it has come.
        trial.is_silent = True
        trial.seen["pushed-file"] = "stays-waiting"
        return
    trial.seen["pushed-file"] = "arrives"
    trial.seen["arrival"] = "with-its-answer" if looks[0].status == "READY" else "later"
    later = [look for look in (trial.file(session_id, ISO_NAME) for _again in range(LATER_LOOKS)) if look]
    trial.seen["ready-file"] = _what_follows(file, later)
    trial.await_file(session_id, ISO_NAME)


def _what_follows(first: UpdateFile, later: list[UpdateFile]) -> str:
    """What becomes of a file after it was seen as READY."""
    if any(look.status != "READY" for look in later):
        return "checked-again"
    if first.checksum_info is None and any(look.checksum_info for look in later):
        return "checksum-later"
    if first.size is None and any(look.size is not None for look in later):
        return "size-later"
    return "stays"


def _observe_completion(trial: Trial, item_id: str, session_id: str) -> None:
    """Complete the session, and see what the item holds then."""
    before = trial.api.get_item(item_id)
    trial.api.updates.complete(session_id)
    if trial.seen["pushed-file"] == "stays-waiting":
        trial.seen.update({"pushed-file": "arrives", "arrival": OTHER})
    state = trial.session(session_id).state
    if state in ("DONE", "ACTIVE"):
        trial.seen["completion"] = "when-done" if state == "DONE" else "at-once"
    trial.await_done(session_id)
    after = trial.api.get_item(item_id)
    if before.version and after.version:
        trial.seen["item-version-stays"] = "stays" if before.version == after.version else "moves"
    held = next((file for file in trial.api.list_item_files(item_id) if file.name == ISO_NAME), None)
    if held is None:
        raise trial.lost(ISO_NAME, session_id)
    if held.checksum_info is None:
        trial.seen["item-file-sha1"] = "none"
        return
    algorithm = held.checksum_info.algorithm or "SHA1"
    trial.seen["item-file-sha1"] = algorithm
    if algorithm.lower() in hashlib.algorithms_available:
        # Not for security: vCenter chooses the algorithm.
        own = hashlib.new(algorithm.lower(), iso(), usedforsecurity=False).hexdigest()
        if own != held.checksum_info.checksum.lower():
            raise trial.differs(ISO_NAME, session_id)


def _pushed(trial: Trial, item_id: str) -> str:
    session_id = trial.open_update(item_id)
    trial.push(session_id, ISO_NAME, iso())
    return session_id


def _observe_meanwhile(trial: Trial, item_id: str) -> None:
    """Ask for a second completion while the first one is under way."""
    session_id, clock = _pushed(trial, item_id), trial.task.clock
    first = aside(lambda: trial.api.updates.complete(session_id))
    clock.sleep(clock.timing.trial_head_start)
    refusal: ContentError | None = None
    was_under_way = first.is_under_way or trial.session(session_id).state == "ACTIVE"
    if was_under_way:
        try:
            trial.api.updates.complete(session_id)
        except ContentError as error:
            refusal = error
        trial.until(lambda: not first.is_under_way)
        refusal = refusal or first.error
        if refusal is None:
            trial.seen["meanwhile"] = "accepted"
        elif not states_named(refusal) & {"DONE", "ERROR", "CANCELED"}:
            trial.seen["meanwhile"] = _kind_of(refusal)
    trial.await_end(session_id)
    trial.end_update(session_id)


def _kind_of(refusal: ContentError) -> str:
    if isinstance(refusal, ResourceBusy):
        return "busy"
    if isinstance(refusal, NotAllowedInCurrentState):
        return "refused" if states_named(refusal) else "unexplained"
    return OTHER


def _observe_canceling(trial: Trial, item_id: str) -> None:
    """Cancel a session while its completion is under way."""
    session_id, clock = _pushed(trial, item_id), trial.task.clock
    first = aside(lambda: trial.api.updates.complete(session_id))
    clock.sleep(clock.timing.trial_head_start)
    if first.is_under_way or trial.session(session_id).state == "ACTIVE":
        try:
            trial.api.updates.cancel(session_id)
        except (NotAllowedInCurrentState, ResourceBusy) as error:
            if not states_named(error) & {"DONE", "ERROR", "CANCELED"}:
                trial.seen["cancel-meanwhile"] = "refused"
        else:
            trial.seen["cancel-meanwhile"] = "accepted"
        trial.until(lambda: not first.is_under_way)
    trial.await_end(session_id)
    trial.end_update(session_id)
