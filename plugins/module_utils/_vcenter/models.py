# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of the Content Library API as frozen dataclasses, and the pure mapping between them and JSON.

This is the only place where the wire names of a model's fields stand; a field of a dataclass bears its wire name.
To add a field, add one line to its class.

The mapping keeps what it does not know: a field without a line here is carried in C(extra) and written back
as it came, and an enumeration is text, so a value that a later server invents passes through. A value of the wrong
JSON type raises SchemaError. Null and absent are the same on this API ("unset") and read as None.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Callable, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

ModelT = TypeVar("ModelT", bound="Model")


class SchemaError(ValueError):
    """A JSON value that does not fit the model: C(path) says where it stands, C(expected) what should stand there."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        super().__init__(f"{path or 'the answer'} should be {expected}, not {_kind(found)}")
        self.path = path
        self.expected = expected


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


@dataclass(frozen=True)
class MapForm:
    """How a dialect writes a map: C(read) takes a JSON value to a dict or raises SchemaError, C(write) is its inverse.

    C(read) is given the value and the path at which it stands.
    """

    read: Callable[[object, str], dict[str, Any]]
    write: Callable[[dict[str, Any]], object]


def read_object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SchemaError(path, "an object", value)
    return value


def _read_pairs(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, list):
        raise SchemaError(path, "a list of key and value", value)
    pairs = [read_object(entry, path) for entry in value]
    for pair in pairs:
        if not isinstance(pair.get("key"), str) or "value" not in pair:
            raise SchemaError(path, "a list of key and value", pair)
    return {pair["key"]: pair["value"] for pair in pairs}


PLAIN_MAPS = MapForm(read=read_object, write=lambda value: value)
PAIRED_MAPS = MapForm(
    read=_read_pairs, write=lambda value: [{"key": key, "value": entry} for key, entry in value.items()]
)


@dataclass(frozen=True)
class Codec:
    """Reads and writes one JSON value; both directions take the map form of the dialect in use."""

    read: Callable[[object, str, MapForm], Any]
    write: Callable[[Any, MapForm], Any]


def _scalar(expected: str, *types: type) -> Codec:
    def read(value: object, path: str, _maps: MapForm) -> object:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise SchemaError(path, expected, value)
        return value

    return Codec(read=read, write=lambda value, _maps: value)


TEXT = _scalar("a string", str)
BOOLEAN = _scalar("a boolean", bool)
INTEGER = _scalar("an integer", int)
NUMBER = _scalar("a number", int, float)
ANYTHING = _scalar("any value", object, bool)


def listing(codec: Codec) -> Codec:
    """The codec of a JSON list, read as a tuple."""

    def read(value: object, path: str, maps: MapForm) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise SchemaError(path, "a list", value)
        return tuple(codec.read(entry, f"{path}[{index}]", maps) for index, entry in enumerate(value))

    return Codec(read=read, write=lambda value, maps: [codec.write(entry, maps) for entry in value])


def mapping(codec: Codec) -> Codec:
    """The codec of a map with text keys, in the form of the dialect."""

    def read(value: object, path: str, maps: MapForm) -> dict[str, Any]:
        return {key: codec.read(entry, f"{path}.{key}", maps) for key, entry in maps.read(value, path).items()}

    return Codec(
        read=read, write=lambda value, maps: maps.write({key: codec.write(entry, maps) for key, entry in value.items()})
    )


def nested(model: Callable[[], type[Model]]) -> Codec:
    """The codec of a model inside another; the class is named late, as messages nest in messages."""
    return Codec(
        read=lambda value, path, maps: _read_model(model(), value, path, maps),
        write=encode,
    )


def wire(codec: Codec, *, required: bool = False) -> dict[str, Any]:
    """The metadata of a dataclass field that stands on the wire; a required one that is missing raises SchemaError."""
    return {"codec": codec, "required": required}


def decode(model: type[ModelT], value: object, maps: MapForm = PLAIN_MAPS) -> ModelT:
    """Read a model from a JSON value. Raises SchemaError."""
    return _read_model(model, value, "", maps)


def encode(model: Model, maps: MapForm = PLAIN_MAPS) -> dict[str, Any]:
    """Write a model as a JSON object; what is None is left out."""
    written = {
        name: codec.write(value, maps)
        for name, codec, value in ((name, codec, getattr(model, name)) for name, codec in _codecs(type(model)))
        if value is not None
    }
    return {**model.extra, **written}


def to_result(model: Model) -> dict[str, Any]:
    """A model as a module returns it: every key is there, None where the server sent nothing, maps are plain dicts.

    Only of a LocalizationParam, of which one value is set, the others are left out.
    """
    model = model.shown()
    known = {name: _result_value(getattr(model, name)) for name, _codec in _codecs(type(model))}
    if isinstance(model, LocalizationParam):
        known = {name: value for name, value in known.items() if value is not None}
    return {**model.extra, **known}


def _result_value(value: Any) -> Any:
    if isinstance(value, Model):
        return to_result(value)
    if isinstance(value, tuple):
        return [_result_value(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _result_value(entry) for key, entry in value.items()}
    return value


def _read_model(model: type[ModelT], value: object, path: str, maps: MapForm) -> ModelT:
    found = read_object(value, path)
    codecs = dict(_codecs(model))
    values: dict[str, Any] = {"extra": {key: entry for key, entry in found.items() if key not in codecs}}
    for name, codec in codecs.items():
        place = f"{path}.{name}" if path else name
        if found.get(name) is not None:
            values[name] = codec.read(found[name], place, maps)
        elif _field(model, name).metadata["required"]:
            raise SchemaError(place, "present", None)
    return model(**values)


def _codecs(model: type[Model]) -> Sequence[tuple[str, Codec]]:
    return [(entry.name, cast(Codec, entry.metadata["codec"])) for entry in fields(model) if "codec" in entry.metadata]


def _field(model: type[Model], name: str) -> Field[Any]:
    return cast("Field[Any]", model.__dataclass_fields__[name])


class Model:
    """What all models share: C(extra) holds the fields, by wire name, that this version does not know.

    They are compared and shown here, as methods generated for each class would take longer to import than the rest.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __hash__ = None  # type: ignore[assignment]
    extra: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def shown(self) -> Model:
        """As it may be returned to a user."""
        return self

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"


@dataclass(frozen=True, repr=False, eq=False)
class LocalizationParam(Model):
    """A named value of a message: one of text, time, integer, number or a nested message, and how to show it."""

    s: str | None = field(default=None, metadata=wire(TEXT))
    dt: str | None = field(default=None, metadata=wire(TEXT))
    i: int | None = field(default=None, metadata=wire(INTEGER))
    d: float | None = field(default=None, metadata=wire(NUMBER))
    l: NestedLocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: NestedLocalizableMessage)))  # noqa: E741 (wire name)
    format: str | None = field(default=None, metadata=wire(TEXT))
    precision: int | None = field(default=None, metadata=wire(INTEGER))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class NestedLocalizableMessage(Model):
    id: str = field(metadata=wire(TEXT, required=True))
    params: Mapping[str, LocalizationParam] | None = field(
        default=None, metadata=wire(mapping(nested(lambda: LocalizationParam)))
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LocalizableMessage(Model):
    id: str | None = field(default=None, metadata=wire(TEXT))
    default_message: str | None = field(default=None, metadata=wire(TEXT))
    args: tuple[str, ...] | None = field(default=None, metadata=wire(listing(TEXT)))
    params: Mapping[str, LocalizationParam] | None = field(
        default=None, metadata=wire(mapping(nested(lambda: LocalizationParam)))
    )
    localized: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What to show to people: the server's translation when it sent one."""
        return self.localized or self.default_message or self.id or ""


@dataclass(frozen=True, repr=False, eq=False)
class WarningBehavior(Model):
    type: str = field(metadata=wire(TEXT, required=True))
    ignored: bool = field(metadata=wire(BOOLEAN, required=True))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class PreviewWarning(Model):
    type: str = field(metadata=wire(TEXT, required=True))
    message: LocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: LocalizableMessage)))
    ignored: bool | None = field(default=None, metadata=wire(BOOLEAN))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class CertificateInfo(Model):
    issuer: str | None = field(default=None, metadata=wire(TEXT))
    subject: str | None = field(default=None, metadata=wire(TEXT))
    self_signed: bool | None = field(default=None, metadata=wire(BOOLEAN))
    x509: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class PreviewInfo(Model):
    state: str | None = field(default=None, metadata=wire(TEXT))
    certificate_info: CertificateInfo | None = field(default=None, metadata=wire(nested(lambda: CertificateInfo)))
    warnings: tuple[PreviewWarning, ...] | None = field(
        default=None, metadata=wire(listing(nested(lambda: PreviewWarning)))
    )
    cert_chain: tuple[str, ...] | None = field(default=None, metadata=wire(listing(TEXT)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class Session(Model):
    """What sessions of both kinds have."""

    id: str | None = field(default=None, metadata=wire(TEXT))
    library_item_id: str | None = field(default=None, metadata=wire(TEXT))
    library_item_content_version: str | None = field(default=None, metadata=wire(TEXT))
    state: str | None = field(default=None, metadata=wire(TEXT))
    client_progress: int | None = field(default=None, metadata=wire(INTEGER))
    expiration_time: str | None = field(default=None, metadata=wire(TEXT))
    error_message: LocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: LocalizableMessage)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class UpdateSession(Session):
    preview_info: PreviewInfo | None = field(default=None, metadata=wire(nested(lambda: PreviewInfo)))
    warning_behavior: tuple[WarningBehavior, ...] | None = field(
        default=None, metadata=wire(listing(nested(lambda: WarningBehavior)))
    )

    @property
    def ignored_warnings(self) -> tuple[str, ...]:
        """The types of the warnings that this session lets pass, sorted."""
        return tuple(sorted({entry.type for entry in self.warning_behavior or () if entry.ignored}))


@dataclass(frozen=True, repr=False, eq=False)
class DownloadSession(Session):
    """A download session has the common fields only."""


@dataclass(frozen=True, repr=False, eq=False)
class ChecksumInfo(Model):
    """A checksum in hex digits. An absent algorithm means SHA1, as the API says."""

    checksum: str = field(metadata=wire(TEXT, required=True))
    algorithm: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class TransferEndpoint(Model):
    uri: str = field(metadata=wire(TEXT, required=True))
    ssl_certificate_thumbprint: str | None = field(default=None, metadata=wire(TEXT))
    ssl_certificate: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class SourceEndpoint(TransferEndpoint):
    """Where the server fetches a file: what lets it in there, a password or a signed query, is for nobody else."""

    def shown(self) -> SourceEndpoint:
        try:
            return replace(self, uri=without_credentials(self.uri))
        except ValueError:
            return replace(self, uri="...")


def without_credentials(url: str) -> str:
    """A URL as it may be shown: a query can be a signature that lets anybody in. Raises ValueError for what is none."""
    parts = urlsplit(url)
    netloc = parts.netloc.rsplit("@", 1)[-1]
    if netloc == parts.netloc and not parts.query and not parts.fragment:
        return url
    return parts._replace(netloc=netloc, query="..." if parts.query else "", fragment="").geturl()


@dataclass(frozen=True, repr=False, eq=False)
class ProbeResult(Model):
    """What a server found at a source that it was asked to probe; not in the published description."""

    status: str | None = field(default=None, metadata=wire(TEXT))
    ssl_thumbprint: str | None = field(default=None, metadata=wire(TEXT))
    error_messages: tuple[LocalizableMessage, ...] | None = field(
        default=None, metadata=wire(listing(nested(lambda: LocalizableMessage)))
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class UpdateFile(Model):
    """A file of an update session; sizes are bytes, C(size) is what the server received, None until READY."""

    name: str = field(metadata=wire(TEXT, required=True))
    status: str = field(metadata=wire(TEXT, required=True))
    source_type: str | None = field(default=None, metadata=wire(TEXT))
    size: int | None = field(default=None, metadata=wire(INTEGER))
    bytes_transferred: int | None = field(default=None, metadata=wire(INTEGER))
    checksum_info: ChecksumInfo | None = field(default=None, metadata=wire(nested(lambda: ChecksumInfo)))
    source_endpoint: SourceEndpoint | None = field(default=None, metadata=wire(nested(lambda: SourceEndpoint)))
    upload_endpoint: TransferEndpoint | None = field(default=None, metadata=wire(nested(lambda: TransferEndpoint)))
    error_message: LocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: LocalizableMessage)))
    keep_in_storage: bool | None = field(default=None, metadata=wire(BOOLEAN))
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_brought(self) -> bool:
        """Whether the session brings it, and it is not just one that the item holds already."""
        return self.source_type != "NONE"


@dataclass(frozen=True, repr=False, eq=False)
class UpdateFileAddition(Model):
    """The specification of a file that is added to an update session (the API's AddSpec)."""

    name: str = field(metadata=wire(TEXT, required=True))
    source_type: str = field(metadata=wire(TEXT, required=True))
    size: int | None = field(default=None, metadata=wire(INTEGER))
    checksum_info: ChecksumInfo | None = field(default=None, metadata=wire(nested(lambda: ChecksumInfo)))
    source_endpoint: TransferEndpoint | None = field(default=None, metadata=wire(nested(lambda: TransferEndpoint)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class FileValidationError(Model):
    name: str = field(metadata=wire(TEXT, required=True))
    error_message: LocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: LocalizableMessage)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class FileValidation(Model):
    has_errors: bool = field(metadata=wire(BOOLEAN, required=True))
    missing_files: tuple[str, ...] | None = field(default=None, metadata=wire(listing(TEXT)))
    invalid_files: tuple[FileValidationError, ...] | None = field(
        default=None, metadata=wire(listing(nested(lambda: FileValidationError)))
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class DownloadFile(Model):
    name: str = field(metadata=wire(TEXT, required=True))
    status: str = field(metadata=wire(TEXT, required=True))
    size: int | None = field(default=None, metadata=wire(INTEGER))
    bytes_transferred: int | None = field(default=None, metadata=wire(INTEGER))
    checksum_info: ChecksumInfo | None = field(default=None, metadata=wire(nested(lambda: ChecksumInfo)))
    download_endpoint: TransferEndpoint | None = field(default=None, metadata=wire(nested(lambda: TransferEndpoint)))
    error_message: LocalizableMessage | None = field(default=None, metadata=wire(nested(lambda: LocalizableMessage)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class Library(Model):
    """The fields of a library that the modules decide on; the others stay in C(extra)."""

    id: str | None = field(default=None, metadata=wire(TEXT))
    name: str | None = field(default=None, metadata=wire(TEXT))
    type: str | None = field(default=None, metadata=wire(TEXT))
    security_policy_id: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class CertificateVerificationInfo(Model):
    status: str | None = field(default=None, metadata=wire(TEXT))
    cert_chain: tuple[str, ...] | None = field(default=None, metadata=wire(listing(TEXT)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItem(Model):
    """A library item; C(size) is the storage that its files use, in bytes."""

    id: str | None = field(default=None, metadata=wire(TEXT))
    library_id: str | None = field(default=None, metadata=wire(TEXT))
    name: str | None = field(default=None, metadata=wire(TEXT))
    description: str | None = field(default=None, metadata=wire(TEXT))
    type: str | None = field(default=None, metadata=wire(TEXT))
    size: int | None = field(default=None, metadata=wire(INTEGER))
    cached: bool | None = field(default=None, metadata=wire(BOOLEAN))
    version: str | None = field(default=None, metadata=wire(TEXT))
    content_version: str | None = field(default=None, metadata=wire(TEXT))
    metadata_version: str | None = field(default=None, metadata=wire(TEXT))
    source_id: str | None = field(default=None, metadata=wire(TEXT))
    creation_time: str | None = field(default=None, metadata=wire(TEXT))
    last_modified_time: str | None = field(default=None, metadata=wire(TEXT))
    last_sync_time: str | None = field(default=None, metadata=wire(TEXT))
    security_compliance: bool | None = field(default=None, metadata=wire(BOOLEAN))
    certificate_verification_info: CertificateVerificationInfo | None = field(
        default=None, metadata=wire(nested(lambda: CertificateVerificationInfo))
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItemFile(Model):
    """A file that an item holds; C(size) is the storage it uses, which for a disk need not be the bytes sent."""

    name: str = field(metadata=wire(TEXT, required=True))
    size: int | None = field(default=None, metadata=wire(INTEGER))
    cached: bool | None = field(default=None, metadata=wire(BOOLEAN))
    version: str | None = field(default=None, metadata=wire(TEXT))
    checksum_info: ChecksumInfo | None = field(default=None, metadata=wire(nested(lambda: ChecksumInfo)))
    file_download_endpoint: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryFilter(Model):
    """What libraries are searched by (the API's FindSpec of a library)."""

    name: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LibraryItemFilter(Model):
    """What items are searched by (the API's FindSpec of an item)."""

    name: str | None = field(default=None, metadata=wire(TEXT))
    library_id: str | None = field(default=None, metadata=wire(TEXT))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class ErrorBody(Model):
    """What both dialects' error envelopes hold in the end."""

    messages: tuple[LocalizableMessage, ...] | None = field(
        default=None, metadata=wire(listing(nested(lambda: LocalizableMessage)))
    )
    error_type: str | None = field(default=None, metadata=wire(TEXT))
    data: Any = field(default=None, metadata=wire(ANYTHING))
    extra: Mapping[str, Any] = field(default_factory=dict)
