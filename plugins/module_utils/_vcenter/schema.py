# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a model of the API is read from JSON and written to it: pure, and the same for every model.

A field that has no line in its class stays in `extra` and is written back as it came. An enumeration is text, so a
value that a later server invents passes through. A value of the wrong JSON type raises `SchemaError`. The API treats
null and absent alike ("unset"), and both read as None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from functools import partial
from typing import Any, Callable, ClassVar, TypeVar, cast

ModelT = TypeVar("ModelT", bound="Model")
_UNSET = partial(field, default=None)


class SchemaError(ValueError):
    """A JSON value that does not fit the model: `path` says where it is, `expected` what should be there."""

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
    """How a dialect writes a map: `read` makes a dict of a JSON value or raises SchemaError, `write` is its inverse.

    `read` takes the value and its path.
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
    """The codec of a model inside another; `model` is called late, as messages nest in messages."""
    return Codec(
        read=lambda value, path, maps: _read_model(model(), value, path, maps),
        write=encode,
    )


def wire(codec: Codec, *, required: bool = False) -> dict[str, Any]:
    """The metadata of a field that goes over the wire. Reading raises SchemaError if a required one is missing."""
    return {"codec": codec, "required": required}


def optional(codec: Codec) -> Any:
    """A field that goes over the wire; None if the server sends nothing."""
    return _UNSET(metadata=wire(codec))


def decode(model: type[ModelT], value: object, maps: MapForm = PLAIN_MAPS) -> ModelT:
    """Read a model from a JSON value. Raises SchemaError."""
    return _read_model(model, value, "", maps)


def encode(model: Model, maps: MapForm = PLAIN_MAPS) -> dict[str, Any]:
    """Write a model as a JSON object, without the fields that are None."""
    written = {
        name: codec.write(value, maps)
        for name, codec, value in ((name, codec, getattr(model, name)) for name, codec in _codecs(type(model)))
        if value is not None
    }
    return {**model.extra, **written}


def to_result(model: Model) -> dict[str, Any]:
    """A model as a module returns it: with every key, None where the server sent nothing, and maps as plain dicts.

    Without `shows_unset` only the keys that are set are there.
    """
    model = model.shown()
    known = {name: _result_value(getattr(model, name)) for name, _codec in _codecs(type(model))}
    if not model.shows_unset:
        known = {name: value for name, value in known.items() if value is not None}
    return {**model.extra, **known}


def result_keys(*models: type[Model]) -> tuple[str, ...]:
    """The keys that `to_result` has for one or another of these models."""
    return tuple(dict.fromkeys(name for model in models for name, _codec in _codecs(model)))


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
    """What all models share: `extra` holds the fields, by wire name, that this version does not know.

    `__eq__` and `__repr__` stand here, as generated ones for each class would take longer to import than the rest.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __hash__ = None  # type: ignore[assignment]
    shows_unset: ClassVar[bool] = True
    extra: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def shown(self) -> Model:
        """The model as a user may see it."""
        return self

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"
