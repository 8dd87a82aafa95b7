# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How declared files get into an update session: descriptor set, preview, then the rest; received, and checked.

The order is vCenter's: a manifest or certificate is refused after the descriptor. The preview comes before the first
disk, so that a warning costs kilobytes and not hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.vsphere.content.plugins.module_utils._api import Api
from ansible_collections.vsphere.content.plugins.module_utils._content import (
    DESCRIPTOR_SET,
    DIGEST_LENGTHS,
    PREVIEWED,
    Checksum,
    Digest,
    LocalFile,
    Role,
    read_checksum,
    role_of,
    write_checksum,
)
from ansible_collections.vsphere.content.plugins.module_utils._errors import ChecksumMismatch, InvalidResponse
from ansible_collections.vsphere.content.plugins.module_utils._lifecycle import (
    Clock,
    await_files,
    await_preview,
    require_accepted_warnings,
)
from ansible_collections.vsphere.content.plugins.module_utils._schema import (
    UpdateFile,
    UpdateFileAddition,
    UpdateSession,
)
from ansible_collections.vsphere.content.plugins.module_utils._transfer import put_file

HASHED_WHILE_SENT = "SHA256"


@dataclass
class Upload:
    """The files that one task sends into one session, and what became of them.

    C(digest) hashes a local file; C(on_change) is told in words what was changed in the session. C(unverified) names
    the files for which the server gave no checksum to compare with.
    """

    api: Api
    session_id: str
    digest: Digest
    wait_timeout: float
    clock: Clock
    on_change: Callable[[str], None]
    bytes: int = 0
    seconds: float = 0.0
    sent: dict[str, Checksum] = field(default_factory=dict)
    unverified: set[str] = field(default_factory=set)
    session: UpdateSession | None = None

    def push(self, files: Sequence[LocalFile], *, previewed: bool) -> None:
        """Send files in the order given and wait until the server has them; C(previewed) says that a preview will come.

        Raises WarningsNotIgnored before anything but the descriptor set is sent, or before the end for an OVA.
        """
        if not files:
            return
        started = self.clock.now()
        try:
            self._push(files, previewed=previewed)
        finally:
            self.seconds += self.clock.now() - started

    def _push(self, files: Sequence[LocalFile], *, previewed: bool) -> None:
        first = [file for file in files if file.role in DESCRIPTOR_SET]
        rest = [file for file in files if file.role not in DESCRIPTOR_SET]
        packed = any(file.role is Role.ARCHIVE for file in rest)
        self._send_and_check(first)
        if previewed and not packed:
            self._preview()
        self._send_and_check(rest)
        if packed:
            self._preview()

    def remove(self, names: Sequence[str]) -> None:
        """Have files gone when the session is completed."""
        for name in names:
            self.api.remove_update_file(self.session_id, name)
            self.on_change(f"file {name} was removed")

    def settle(self) -> tuple[UpdateSession, list[UpdateFile]]:
        """Wait for what must be there before the session may be completed: pulled files, and the preview of a package.

        Returns the session and its files as they are then. Raises TransferFailed, WarningsNotIgnored or TimedOut.
        """
        files = self.api.list_update_files(self.session_id)
        pulled = [file.name for file in files if file.source_type == "PULL"]
        if pulled:
            files = await_files(self.api, self.session_id, pulled, wait_timeout=self.wait_timeout, clock=self.clock)
        if not self.session and any(role_of(file.name) in PREVIEWED and file.source_type != "NONE" for file in files):
            self._preview()
        return self.session or self.api.get_update_session(self.session_id), files

    @property
    def transferred(self) -> dict[str, Any]:
        return {"files": len(self.sent), "bytes": self.bytes, "seconds": round(self.seconds, 3)}

    def _preview(self) -> None:
        self.session = await_preview(self.api, self.session_id, wait_timeout=self.wait_timeout, clock=self.clock)
        require_accepted_warnings(self.session)

    def _send_and_check(self, files: Sequence[LocalFile]) -> None:
        for file in files:
            self.sent[file.name] = self._send(file)
            self.bytes += file.size
        if files:
            received = await_files(
                self.api,
                self.session_id,
                [file.name for file in files],
                wait_timeout=self.wait_timeout,
                clock=self.clock,
            )
            self._compare(files, {file.name: file for file in received})

    def _send(self, file: LocalFile) -> Checksum:
        # The server unpacks an OVA while it arrives and, as the API says, takes no checksum for it.
        declared = None if file.role is Role.ARCHIVE else file.checksum
        addition = UpdateFileAddition(
            name=file.name, source_type="PUSH", size=file.size, checksum_info=write_checksum(declared)
        )
        added = self.api.add_update_file(self.session_id, addition)
        self.on_change(f"file {file.name} was added")
        if added.upload_endpoint is None:
            raise InvalidResponse(
                f"the server named no endpoint to upload {file.name} to",
                operation="update_session.file.add",
                session_id=self.session_id,
            )
        digest = put_file(
            self.api.stream,
            added.upload_endpoint.uri,
            file.path,
            file.size,
            hash_with=None if declared else HASHED_WHILE_SENT,
            session_id=self.session_id,
        )
        return declared or Checksum(HASHED_WHILE_SENT, digest or "")

    def _compare(self, files: Sequence[LocalFile], received: Mapping[str, UpdateFile]) -> None:
        """What the server says it received against what we sent; a mismatch keeps the session from being completed."""
        for file in files:
            theirs = read_checksum(received[file.name].checksum_info)
            if theirs is None or theirs.algorithm not in DIGEST_LENGTHS:
                self.unverified.add(file.name)
                continue
            ours = self.sent[file.name]
            if theirs.algorithm != ours.algorithm:
                ours = Checksum(theirs.algorithm, self.digest(file.path, theirs.algorithm))
            if theirs != ours:
                raise ChecksumMismatch(
                    f"{file.name} arrived with the {theirs.algorithm} checksum {theirs.digest}, "
                    f"{file.path} has {ours.digest}",
                    session_id=self.session_id,
                )
