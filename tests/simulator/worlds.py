# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds: each tries the answers to one question that no source answers, or on which vCenters differ.

A value of a world is a change of the seed, which alone says how the server deviates. So a test may name a world,
``Simulator(worlds={"reading-extends": "yes"})``, or set the field of the seed itself. A vCenter of another version is
such a change, too: ``versions.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .facts import FACTS
from .seed import Seed


@dataclass(frozen=True)
class World:
    """One question, and for each answer what it changes in the seed; the first answer is the default."""

    name: str
    fact: str
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.answers)

    @property
    def default(self) -> str:
        return self.values[0]


_WORLDS = (
    World(
        "arrival",
        "answered-put-is-not-received",
        {name: {"arrival": name} for name in ("with-its-answer", "later")},
    ),
    World("completion", "completion-answer", {name: {"completion": name} for name in ("when-done", "at-once")}),
    World(
        "old-api",
        "old-api-session",
        {name: {"old_api": name} for name in ("plain-404", "json-404", "400", "405", "redirect", "json-rpc")},
    ),
    World(
        "ready-file",
        "ready-and-then-more",
        {name: {"ready_file": name} for name in ("stays", "checksum-later", "size-later", "checked-again")},
    ),
    World(
        "descriptor-entries",
        "descriptor-creates-entries",
        {"created": {"descriptor_entries": True}, "none": {"descriptor_entries": False}},
    ),
    World(
        "token-idle",
        "token-idle-time",
        {f"{minutes}-minutes": {"token_idle_seconds": 60.0 * minutes} for minutes in (30, 5, 60, 120)},
    ),
    World("x509", "x509-form", {name: {"x509": name} for name in ("pem", "base64", "none")}),
    World("warning-texts", "warnings-are-bare", {name: {"warning_texts": name} for name in ("bare", "named")}),
    World("reading-extends", "reading-extends", {"no": {"reading_extends": False}, "yes": {"reading_extends": True}}),
    World("pushed-file", "file-stays-waiting", {"arrives": {"lost_puts": False}, "stays-waiting": {"lost_puts": True}}),
    World("put-answer", "answer-of-a-put", {str(status): {"put_status": status} for status in (200, 201, 204)}),
    World(
        "iso-preview",
        "iso-preview-state",
        {name: {"iso_preview": name} for name in ("unavailable", "not-applicable", "absent")},
    ),
    World(
        "ova-preview",
        "ova-preview-unavailable",
        {name: {"ova_preview": name} for name in ("preparing", "unavailable", "long-unavailable")},
    ),
    World("ova-members", "unreferenced-ova-members", {name: {"ova_extras": name} for name in ("kept", "dropped")}),
    World(
        "client-token",
        "client-token-memory",
        {name: {"token_memory": name} for name in ("for-good", "for-a-time", "until-deletion")},
    ),
    World(
        "cancel-meanwhile",
        "meanwhile",
        {name: {"cancel_meanwhile": name} for name in ("accepted", "refused")},
    ),
    World(
        "unignored-warning",
        "answer-to-an-unignored-warning",
        {name: {"unignored_warning": name} for name in ("fails-later", "refuses")},
    ),
    World(
        "probe-answer",
        "probe-answers-certificate",
        {name: {"probe_answer": name} for name in ("thumbprint", "certificate", "both")},
    ),
    World(
        "pin",
        "pin-on-9",
        {
            "sha1": {"thumbprints": ("SHA1",), "thumbprint_algorithm": "SHA1"},
            "sha256": {"thumbprints": ("SHA256",), "thumbprint_algorithm": "SHA256"},
        },
    ),
    World(
        "untrusted-source",
        "untrusted-source-is-refused-on-9",
        {name: {"untrusted_source": name} for name in ("hangs", "refused")},
    ),
    World("session-ids", "session-ids-are-opaque", {name: {"session_ids": name} for name in ("two-parts", "one-part")}),
    World(
        "endpoint-name",
        "urls-carry-the-primary-name",
        {name: {"endpoint_name": name} for name in ("primary", "as-asked")},
    ),
    World(
        "unprivileged-creation",
        "empty-session-without-a-privilege",
        {name: {"unprivileged_creation": name} for name in ("refused", "empty")},
    ),
    World("verification", "verification-statuses", {name: {"verification": name} for name in ("at-once", "later")}),
    World("busy-text", "two-creations-text", {name: {"busy_text": name} for name in ("item", "session")}),
    World("item-names", "item-name-limits", {name: {"long_names": name} for name in ("taken", "refused")}),
    World(
        "download-address",
        "download-address-after-its-session",
        {"ends-with-it": {"download_outlives": False}, "outlives-it": {"download_outlives": True}},
    ),
    World(
        "meanwhile",
        "meanwhile",
        {name: {"while_completing": name} for name in ("refused", "unexplained", "busy", "accepted")},
    ),
    World("range", "range-of-downloads", {"honoured": {"ranges": True}, "ignored": {"ranges": False}}),
    World(
        "session-id", "session-without-id", {"shown": {"omit_session_id": False}, "left-out": {"omit_session_id": True}}
    ),
    World("rest-empty-list", "rest-empty-list", {text: {"rest_empty_list": text} for text in ("[]", "null", "{}")}),
)

WORLDS: Mapping[str, World] = {world.name: world for world in _WORLDS}
for _world in _WORLDS:
    if _world.fact not in FACTS:
        raise ValueError(f"the world {_world.name} names no fact: {_world.fact}")


def in_worlds(seed: Seed, chosen: Mapping[str, str]) -> Seed:
    """The seed with the changes of the chosen worlds; ValueError for a world or a value that there is not."""
    changes: dict[str, Any] = {}
    for name, value in chosen.items():
        if name not in WORLDS:
            raise ValueError(f"there is no world {name!r}, only {', '.join(WORLDS)}")
        if value not in WORLDS[name].answers:
            raise ValueError(f"the world {name} has no value {value!r}, only {', '.join(WORLDS[name].values)}")
        changes.update(WORLDS[name].answers[value])
    return replace(seed, **changes)


def slow_world(settle: float | None) -> dict[str, str]:
    """The world of a server that was given a time in which content settles."""
    return {"arrival": "later"} if settle else {}


def parse_worlds(texts: Iterable[str]) -> dict[str, str]:
    """The worlds of the command line; the last ``NAME=VALUE`` of a name counts."""
    chosen = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"not a world: {text!r}; NAME=VALUE is expected")
        chosen[name] = value
    return chosen


def describe_worlds() -> list[dict[str, Any]]:
    return [
        {"name": world.name, "values": list(world.values), "default": world.default, "fact": world.fact}
        for world in _WORLDS
    ]
