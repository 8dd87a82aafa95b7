# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of the Content Library API as frozen dataclasses.

Each field bears its wire name, and no other file knows it. To add a field, add one line to its class.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .messages import Fallible, LocalizableMessage
from .schema import BOOLEAN, INTEGER, TEXT, Model, listing, nested, optional, to_result, wire


@dataclass(frozen=True, repr=False, eq=False)
class WarningBehavior(Model):
    type: str = field(metadata=wire(TEXT, required=True))
    ignored: bool = field(metadata=wire(BOOLEAN, required=True))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class PreviewWarning(Model):
    type: str = field(metadata=wire(TEXT, required=True))
    message: LocalizableMessage | None = optional(nested(lambda: LocalizableMessage))
    ignored: bool | None = optional(BOOLEAN)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class CertificateInfo(Model):
    issuer: str | None = optional(TEXT)
    subject: str | None = optional(TEXT)
    self_signed: bool | None = optional(BOOLEAN)
    x509: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class PreviewInfo(Model):
    state: str | None = optional(TEXT)
    certificate_info: CertificateInfo | None = optional(nested(lambda: CertificateInfo))
    warnings: tuple[PreviewWarning, ...] | None = optional(listing(nested(lambda: PreviewWarning)))
    cert_chain: tuple[str, ...] | None = optional(listing(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class Session(Fallible, Model):
    """The fields that sessions of both kinds have."""

    id: str | None = optional(TEXT)
    library_item_id: str | None = optional(TEXT)
    library_item_content_version: str | None = optional(TEXT)
    state: str | None = optional(TEXT)
    client_progress: int | None = optional(INTEGER)
    expiration_time: str | None = optional(TEXT)
    error_message: LocalizableMessage | None = optional(nested(lambda: LocalizableMessage))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class UpdateSession(Session):
    preview_info: PreviewInfo | None = optional(nested(lambda: PreviewInfo))
    warning_behavior: tuple[WarningBehavior, ...] | None = optional(listing(nested(lambda: WarningBehavior)))

    @property
    def ignored_warnings(self) -> tuple[str, ...]:
        """The types of the warnings that this session ignores, sorted."""
        return tuple(sorted({entry.type for entry in self.warning_behavior or () if entry.ignored}))

    def shown(self) -> UpdateSession:
        """With a list of warnings, also if the server sends none."""
        return replace(self, warning_behavior=self.warning_behavior or ())


@dataclass(frozen=True, repr=False, eq=False)
class DownloadSession(Session):
    """A download session has the common fields only."""


@dataclass(frozen=True, repr=False, eq=False)
class ChecksumInfo(Model):
    """A checksum in hex digits. An absent algorithm means SHA1, as the API says."""

    checksum: str = field(metadata=wire(TEXT, required=True))
    algorithm: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class TransferEndpoint(Model):
    uri: str = field(metadata=wire(TEXT, required=True))
    ssl_certificate_thumbprint: str | None = optional(TEXT)
    ssl_certificate: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class SourceEndpoint(TransferEndpoint):
    """Where the server fetches a file. `shown` hides the password or the signed query that lets the server in."""

    def shown(self) -> SourceEndpoint:
        try:
            return replace(self, uri=without_credentials(self.uri))
        except ValueError:
            return replace(self, uri="...")


def without_credentials(url: str) -> str:
    """A URL without its user and its query, which can be a signature. Raises ValueError for anything but a URL."""
    parts = urlsplit(url)
    netloc = parts.netloc.rsplit("@", 1)[-1]
    if netloc == parts.netloc and not parts.query and not parts.fragment:
        return url
    return parts._replace(netloc=netloc, query="..." if parts.query else "", fragment="").geturl()


@dataclass(frozen=True, repr=False, eq=False)
class ProbeResult(Model):
    """What a server found when it probed a source; not in the published description.

    From 9.0 on servers answer `ssl_certificate`, in PEM form, beside the thumbprint or in its place.
    """

    status: str | None = optional(TEXT)
    ssl_thumbprint: str | None = optional(TEXT)
    ssl_certificate: str | None = optional(TEXT)
    error_messages: tuple[LocalizableMessage, ...] | None = optional(listing(nested(lambda: LocalizableMessage)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class UpdateFile(Fallible, Model):
    """A file of an update session. `size` is how many bytes the server received, None until READY."""

    held_by: ClassVar[str] = "session"
    name: str = field(metadata=wire(TEXT, required=True))
    status: str = field(metadata=wire(TEXT, required=True))
    source_type: str | None = optional(TEXT)
    size: int | None = optional(INTEGER)
    bytes_transferred: int | None = optional(INTEGER)
    checksum_info: ChecksumInfo | None = optional(nested(lambda: ChecksumInfo))
    source_endpoint: SourceEndpoint | None = optional(nested(lambda: SourceEndpoint))
    upload_endpoint: TransferEndpoint | None = optional(nested(lambda: TransferEndpoint))
    error_message: LocalizableMessage | None = optional(nested(lambda: LocalizableMessage))
    keep_in_storage: bool | None = optional(BOOLEAN)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_brought(self) -> bool:
        """Whether the session brings the file; else the item holds it already."""
        return self.source_type != "NONE"


@dataclass(frozen=True, repr=False, eq=False)
class UpdateFileAddition(Model):
    """The specification of a file that is added to an update session (the API's AddSpec)."""

    name: str = field(metadata=wire(TEXT, required=True))
    source_type: str = field(metadata=wire(TEXT, required=True))
    size: int | None = optional(INTEGER)
    checksum_info: ChecksumInfo | None = optional(nested(lambda: ChecksumInfo))
    source_endpoint: TransferEndpoint | None = optional(nested(lambda: TransferEndpoint))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class FileValidationError(Fallible, Model):
    name: str = field(metadata=wire(TEXT, required=True))
    error_message: LocalizableMessage | None = optional(nested(lambda: LocalizableMessage))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class FileValidation(Model):
    has_errors: bool = field(metadata=wire(BOOLEAN, required=True))
    missing_files: tuple[str, ...] | None = optional(listing(TEXT))
    invalid_files: tuple[FileValidationError, ...] | None = optional(listing(nested(lambda: FileValidationError)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class DownloadFile(Fallible, Model):
    held_by: ClassVar[str] = "session"
    name: str = field(metadata=wire(TEXT, required=True))
    status: str = field(metadata=wire(TEXT, required=True))
    size: int | None = optional(INTEGER)
    bytes_transferred: int | None = optional(INTEGER)
    checksum_info: ChecksumInfo | None = optional(nested(lambda: ChecksumInfo))
    download_endpoint: TransferEndpoint | None = optional(nested(lambda: TransferEndpoint))
    error_message: LocalizableMessage | None = optional(nested(lambda: LocalizableMessage))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class PublishInfo(Model):
    """Whether other libraries may subscribe to a library."""

    published: bool | None = optional(BOOLEAN)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class Library(Model):
    """The fields of a library that the modules decide on; the others stay in `extra`."""

    id: str | None = optional(TEXT)
    name: str | None = optional(TEXT)
    type: str | None = optional(TEXT)
    security_policy_id: str | None = optional(TEXT)
    publish_info: PublishInfo | None = optional(nested(lambda: PublishInfo))
    storage_backings: tuple[StorageBacking, ...] | None = optional(listing(nested(lambda: StorageBacking)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class CertificateVerificationInfo(Model):
    status: str | None = optional(TEXT)
    cert_chain: tuple[str, ...] | None = optional(listing(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItem(Model):
    """A library item; `size` is the bytes of storage that its files use."""

    id: str | None = optional(TEXT)
    library_id: str | None = optional(TEXT)
    name: str | None = optional(TEXT)
    description: str | None = optional(TEXT)
    type: str | None = optional(TEXT)
    size: int | None = optional(INTEGER)
    cached: bool | None = optional(BOOLEAN)
    version: str | None = optional(TEXT)
    content_version: str | None = optional(TEXT)
    metadata_version: str | None = optional(TEXT)
    source_id: str | None = optional(TEXT)
    creation_time: str | None = optional(TEXT)
    last_modified_time: str | None = optional(TEXT)
    last_sync_time: str | None = optional(TEXT)
    security_compliance: bool | None = optional(BOOLEAN)
    certificate_verification_info: CertificateVerificationInfo | None = optional(
        nested(lambda: CertificateVerificationInfo)
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItemFile(Model):
    """A file of an item; `size` is the storage it uses, which for a disk need not be the bytes sent."""

    held_by: ClassVar[str] = "item"
    name: str = field(metadata=wire(TEXT, required=True))
    size: int | None = optional(INTEGER)
    cached: bool | None = optional(BOOLEAN)
    version: str | None = optional(TEXT)
    checksum_info: ChecksumInfo | None = optional(nested(lambda: ChecksumInfo))
    file_download_endpoint: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class StorageBacking(Model):
    """A storage of a library: a datastore, or another storage by its URI."""

    type: str | None = optional(TEXT)
    datastore_id: str | None = optional(TEXT)
    storage_uri: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class Datastore(Model):
    """A datastore (the API's vcenter.Datastore.Info); `free_space` is in bytes."""

    name: str | None = optional(TEXT)
    accessible: bool | None = optional(BOOLEAN)
    free_space: int | None = optional(INTEGER)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItemStorage(LibraryItemFile):
    """A file of an item on one storage, and the URIs at which it lies there (the API's Storage.Info)."""

    storage_backing: StorageBacking | None = optional(nested(lambda: StorageBacking))
    storage_uris: tuple[str, ...] | None = optional(listing(TEXT))


@dataclass(frozen=True, repr=False, eq=False)
class LibraryFilter(Model):
    """The criteria of a search for libraries (the API's FindSpec of a library)."""

    name: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItemFilter(Model):
    """The criteria of a search for items (the API's FindSpec of an item)."""

    name: str | None = optional(TEXT)
    library_id: str | None = optional(TEXT)
    type: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)


def file_result(file: UpdateFile | DownloadFile | LibraryItemFile, keys: Iterable[str] = ()) -> dict[str, Any]:
    """A file in a result, with what holds it, and none for each of the `keys` that its model does not have."""
    return {**dict.fromkeys(keys), **to_result(file), "held_by": file.held_by}
