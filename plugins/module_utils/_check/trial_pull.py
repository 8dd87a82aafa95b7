# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial observes of a file that vCenter fetches: whom it trusts, by what, and what becomes of the session."""

from __future__ import annotations

from urllib.parse import urlsplit

from .._vcenter.answers import is_unknown
from .._vcenter.errors import ApiError, ContentError, InvalidArgument
from .._vcenter.models import ProbeResult, SourceEndpoint, TransferEndpoint, UpdateFile, UpdateFileAddition
from .known import OTHER
from .samples import ISO_NAME, OVA_NAME
from .trial import Trial

HASHES = {40: "sha1", 64: "sha256"}


def require_fetchable(url: str) -> None:
    """Raises InvalidArgument for what no trial can fetch under a name of its own."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgument("url is not the address of a file", remedy="Give an http or https address.")
    if parts.path.lower().endswith((".ovf", ".mf", ".cert")):
        raise InvalidArgument(
            "url names a part of an OVF package, of which vCenter would fetch the other files, too",
            remedy="Name an ISO or an OVA.",
        )


def try_pull(trial: Trial, url: str) -> None:
    """Have vCenter fetch a file, unpinned and pinned, in an item of its own. Raises what such a publish raises."""
    item_id, timing = trial.made.item("pull"), trial.task.clock.timing
    probed = _probe(trial, url)
    is_ova = urlsplit(url).path.lower().endswith(".ova")
    name = OVA_NAME if is_ova else ISO_NAME
    is_untrusted = probed is not None and probed.status == "CERTIFICATE_ERROR"
    limit = timing.trial_hang if is_untrusted else timing.trial_wait
    fetched = _fetch(trial, item_id, name, SourceEndpoint(uri=url), limit)
    is_told = not is_untrusted
    if is_untrusted and fetched.status != "READY":
        trial.seen["untrusted-source"] = "refused" if fetched.status == "ERROR" else "hangs"
    if fetched.status != "READY" and probed and probed.ssl_thumbprint:
        pinned = SourceEndpoint(uri=url, ssl_certificate_thumbprint=probed.ssl_thumbprint)
        fetched, is_told = _fetch(trial, item_id, name, pinned, timing.trial_wait), True
    if is_ova and is_told and fetched.status in ("READY", "ERROR"):
        trial.seen["ova-from-url"] = "taken" if fetched.status == "READY" else "refused"
    if probed and probed.ssl_certificate:
        _observe_certificate(trial, item_id, name, SourceEndpoint(uri=url, ssl_certificate=probed.ssl_certificate))


def _probe(trial: Trial, url: str) -> ProbeResult | None:
    try:
        probed = trial.api.updates.probe(TransferEndpoint(uri=url))
    except ContentError as error:
        if is_unknown(error):
            trial.seen["probe-exists"] = "not-found"
        return None
    trial.seen["probe-exists"] = "answered"
    if probed.ssl_thumbprint:
        trial.seen["pin"] = HASHES.get(len(probed.ssl_thumbprint.replace(":", "")), OTHER)
    told = (bool(probed.ssl_thumbprint), bool(probed.ssl_certificate))
    names = {(True, False): "thumbprint", (False, True): "certificate", (True, True): "both"}
    if told in names:
        trial.seen["probe-answer"] = names[told]
    return probed


def _fetch(trial: Trial, item_id: str, name: str, endpoint: SourceEndpoint, seconds: float) -> UpdateFile:
    """Have a file fetched in a session of its own; returns it as it was at the end."""
    session_id = trial.open_update(item_id)
    addition = UpdateFileAddition(name=name, source_type="PULL", source_endpoint=endpoint)
    try:
        added = trial.api.updates.add_file(session_id, addition)
        file = trial.await_file(session_id, name, seconds=seconds) or added
        if file.status == "READY":
            state = trial.session(session_id).state
            trial.seen["pull-stays-active"] = {"ACTIVE": "active", "DONE": "done"}.get(str(state), OTHER)
        return file
    finally:
        trial.end_update(session_id)


def _observe_certificate(trial: Trial, item_id: str, name: str, endpoint: SourceEndpoint) -> None:
    try:
        fetched = _fetch(trial, item_id, name, endpoint, trial.task.clock.timing.trial_wait)
    except ApiError as error:
        if error.error_type != "INVALID_ARGUMENT":
            raise
        trial.seen["certificate-as-pin"] = "refused"
        return
    if fetched.status == "READY":
        trial.seen["certificate-as-pin"] = "taken"
