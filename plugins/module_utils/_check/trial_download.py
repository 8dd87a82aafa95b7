# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial observes of downloads: parts of a file, its checksum, and its address after the session."""

from __future__ import annotations

from .._vcenter.errors import ContentError
from .._vcenter.models import DownloadFile, DownloadSession
from .known import OTHER
from .samples import ISO_NAME, iso
from .trial import Trial

SPAN, FIRST, END = "bytes=1024-2047", 1024, 2048
PARTIAL, WHOLE = 206, 200
GONE = (401, 403, 404, 410)


def try_download(trial: Trial, item_id: str) -> None:
    """Fetch the image of an item, whole and in part. Raises what a fetch raises."""
    downloads = trial.api.downloads
    session_id = trial.made.session(downloads, DownloadSession(library_item_id=item_id))
    before = _file(trial, session_id)
    downloads.prepare_file(session_id, ISO_NAME, "HTTPS")
    trial.until(lambda: _file(trial, session_id).status in ("PREPARED", "ERROR"))
    prepared = downloads.get_file(session_id, ISO_NAME)
    if prepared.download_endpoint is None:
        raise trial.not_prepared(ISO_NAME, prepared, session_id)
    url = prepared.download_endpoint.uri
    status, part = trial.fetch(session_id, url, span=SPAN)
    if (status, part) == (PARTIAL, iso()[FIRST:END]):
        trial.seen["range"] = "honoured"
    else:
        trial.seen["range"] = "ignored" if status == WHOLE and part == iso() else OTHER
    _status, whole = trial.fetch(session_id, url)
    if whole != iso():
        raise trial.differs(ISO_NAME, session_id)
    after = _file(trial, session_id)
    if before.checksum_info:
        trial.seen["download-checksum-when-fetched"] = "before"
    else:
        trial.seen["download-checksum-when-fetched"] = "when-fetched" if after.checksum_info else "never"
    downloads.keep_alive(session_id, 100)
    downloads.cancel(session_id)
    try:
        status, _bytes = trial.fetch(session_id, url)
    except ContentError as error:
        if error.status in GONE:
            trial.seen["download-address"] = "ends-with-it"
    else:
        trial.seen["download-address"] = "outlives-it"
    trial.made.end(downloads, session_id)


def _file(trial: Trial, session_id: str) -> DownloadFile:
    """The image in the session. Raises TransferFailed if it is not there."""
    found = next((file for file in trial.api.downloads.files(session_id) if file.name == ISO_NAME), None)
    if found is None:
        raise trial.lost(ISO_NAME, session_id)
    return found
