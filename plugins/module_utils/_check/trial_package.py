# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial observes of packages: preview and warnings, which files are needed, and what the item then holds."""

from __future__ import annotations

from collections.abc import Sequence

from .._vcenter.errors import ApiError, ContentError, NotAllowedInCurrentState
from .._vcenter.models import PreviewInfo, PreviewWarning, UpdateFileAddition
from .known import OTHER
from .samples import (
    CERTIFICATE_NAME,
    DESCRIPTOR_NAME,
    DISK_NAME,
    EXTRA_NAME,
    MANIFEST_NAME,
    OVA_NAME,
    certificate,
    descriptor,
    disk,
    manifest,
    ova,
)
from .trial import Trial
from .trial_session import IGNORED, SELF_SIGNED, UNTRUSTED

BEGIN = "-----BEGIN"
NOT_RECEIVED = "update_session_file_not_received"
BARE_ID = "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_"


def try_package(trial: Trial) -> None:
    """Publish a signed package to an item of its own. Raises what a publish raises."""
    item_id = trial.made.item("ovf")
    session_id = trial.open_update(item_id)
    _push_descriptor(trial, session_id)
    entries = "created" if trial.file(session_id, DISK_NAME) else "none"
    if not trial.is_silent:
        trial.seen["descriptor-entries"] = entries
    has_preview = _observe_preview(trial, session_id)
    if _observe_lacking(trial, session_id):
        trial.push(session_id, DISK_NAME, disk())
        is_published = _observe_warned(trial, session_id, has_preview=has_preview)
    else:
        is_published = False
    trial.end_update(session_id)
    if not is_published:
        session_id = trial.open_update(item_id, ignored=IGNORED if has_preview else ())
        _push_descriptor(trial, session_id)
        trial.push(session_id, DISK_NAME, disk())
        _await_preview(trial, session_id)
        trial.complete(session_id)
        trial.end_update(session_id)
    # Where vCenter says nothing of files, only now it is sure that the descriptor had come.
    trial.seen["descriptor-entries"] = entries
    _observe_item(trial, item_id)
    _observe_order(trial, item_id)


def _push_descriptor(trial: Trial, session_id: str) -> None:
    for name, content in (
        (MANIFEST_NAME, manifest()),
        (CERTIFICATE_NAME, certificate()),
        (DESCRIPTOR_NAME, descriptor()),
    ):
        trial.push(session_id, name, content)


def _await_preview(trial: Trial, session_id: str) -> PreviewInfo | None:
    """The preview once it is AVAILABLE, or as it is when the time is over; None without one."""
    found: list[PreviewInfo | None] = [None]

    def is_there() -> bool:
        found[0] = trial.session(session_id).preview_info
        return found[0] is None or found[0].state == "AVAILABLE"

    trial.until(is_there, trial.task.clock.timing.preview_unavailable)
    return found[0]


def _observe_preview(trial: Trial, session_id: str) -> bool:
    """Observe the preview of a signed package; returns whether there is one."""
    preview = _await_preview(trial, session_id)
    if preview is None:
        trial.seen["preview-while-active"] = "absent"
        # Nobody can tell whether it is the image that has no preview.
        trial.seen.pop("iso-preview", None)
        return False
    trial.seen["preview-while-active"] = "there"
    if preview.state != "AVAILABLE":
        return True
    _observe_warnings(trial, preview.warnings or ())
    if preview.certificate_info is None:
        trial.seen["x509"] = "none"
        return True
    shown = preview.certificate_info.x509
    trial.seen["x509"] = _form(shown) if shown else "none"
    chain = preview.cert_chain or ()
    trial.seen["chain-is-base64"] = _form(chain[0]) if chain else "absent"
    return True


def _form(text: str) -> str:
    return "pem" if text.lstrip().startswith(BEGIN) else "base64"


def _observe_warnings(trial: Trial, warnings: Sequence[PreviewWarning]) -> None:
    kinds = {warning.type for warning in warnings}
    names = {
        frozenset((SELF_SIGNED, UNTRUSTED)): "both",
        frozenset((UNTRUSTED,)): "untrusted-alone",
        frozenset((SELF_SIGNED,)): "self-signed-alone",
        frozenset(): "neither",
    }
    trial.seen["self-signed-raises-two-warnings"] = names.get(frozenset(kinds), OTHER)
    message = next((warning.message for warning in warnings if warning.message), None)
    if message:
        is_bare = (message.id or "").startswith(BARE_ID) and not message.args
        trial.seen["warning-texts"] = "bare" if is_bare else "named" if message.args or message.params else OTHER


def _observe_lacking(trial: Trial, session_id: str) -> bool:
    """Complete a package without its disk; returns whether the session is as it was."""
    try:
        trial.api.updates.complete(session_id)
    except NotAllowedInCurrentState as error:
        if any((message.id or "").endswith(NOT_RECEIVED) for message in error.messages):
            raise
        trial.seen["references-must-be-there"] = "refused"
        return trial.session(session_id).state == "ACTIVE"
    ended = trial.await_end(session_id)
    trial.seen["references-must-be-there"] = "taken" if ended.state == "DONE" else "refused"
    return False


def _observe_warned(trial: Trial, session_id: str, *, has_preview: bool) -> bool:
    """Complete a package with warnings that nobody ignores; returns whether it is published all the same."""
    refusal: ContentError | None = None
    try:
        trial.api.updates.complete(session_id)
    except ApiError as error:
        refusal = error
    ended = trial.await_end(session_id)
    if has_preview and trial.seen.get("self-signed-raises-two-warnings") not in (None, "neither"):
        if ended.state == "ERROR":
            trial.seen["unignored-warning"] = "refuses" if refusal else "fails-later"
        elif ended.state == "DONE":
            trial.seen["unignored-warning"] = OTHER
    return ended.state == "DONE"


def _observe_item(trial: Trial, item_id: str) -> None:
    found = trial.api.get_item(item_id).certificate_verification_info
    if found and trial.seen.get("x509") is not None:
        trial.seen["verification"] = "later" if found.status == "VERIFICATION_IN_PROGRESS" else "at-once"
    held = {file.name for file in trial.api.list_item_files(item_id)}
    trial.seen["manifest-is-not-stored"] = "kept" if held & {MANIFEST_NAME, CERTIFICATE_NAME} else "dropped"


def _observe_order(trial: Trial, item_id: str) -> None:
    """Announce a manifest after the descriptor, in a session of its own, as that may spoil it."""
    session_id = trial.open_update(item_id)
    for name, content in ((DESCRIPTOR_NAME, descriptor()), (MANIFEST_NAME, manifest())):
        try:
            trial.api.updates.add_file(session_id, UpdateFileAddition(name=name, source_type="PUSH", size=len(content)))
        except NotAllowedInCurrentState:
            if name == MANIFEST_NAME:
                trial.seen["manifest-before-descriptor"] = "refused"
            break
    else:
        trial.seen["manifest-before-descriptor"] = "taken"
    trial.end_update(session_id)


def try_ova(trial: Trial) -> None:
    """Publish an OVA to an item of its own, with a long name if vCenter takes one. Raises what a publish raises."""
    try:
        item_id = trial.made.item("ova", is_long=True)
    except ApiError as error:
        if error.error_type != "INVALID_ARGUMENT":
            raise
        trial.seen["item-names"] = "refused"
        item_id = trial.made.item("ova")
    else:
        trial.seen["item-names"] = "taken"
    session_id = trial.open_update(item_id)
    trial.send(session_id, trial.add(session_id, OVA_NAME, ova()), ova())
    _observe_ova_preview(trial, session_id)
    file = trial.await_file(session_id, OVA_NAME)
    if file is None or (file.status != "READY" and not trial.says_nothing_of(file)):
        raise trial.not_received(OVA_NAME, file, session_id)
    trial.complete(session_id)
    trial.end_update(session_id)
    held = {found.name for found in trial.api.list_item_files(item_id)}
    trial.seen["ova-is-unpacked"] = "unpacked" if DESCRIPTOR_NAME in held else "kept-whole"
    if DESCRIPTOR_NAME in held:
        trial.seen["ova-members"] = "kept" if EXTRA_NAME in held else "dropped"


def _observe_ova_preview(trial: Trial, session_id: str) -> None:
    """Look at the preview from the answer to the upload on, until it is AVAILABLE."""
    clock = trial.task.clock
    began, states = clock.now(), []
    limit = clock.timing.preview_unavailable

    def is_there() -> bool:
        preview = trial.session(session_id).preview_info
        states.append(preview.state if preview else None)
        return states[-1] in (None, "AVAILABLE")

    if not trial.until(is_there, max(limit, clock.timing.trial_wait)):
        # It has not arrived, or has no preview: that is another point.
        return
    if states[0] == "PREPARING":
        trial.seen["ova-preview"] = "preparing"
    elif states[0] == "UNAVAILABLE":
        trial.seen["ova-preview"] = "unavailable" if clock.now() - began < limit else "long-unavailable"
