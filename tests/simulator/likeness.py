# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vCenter that a report tells of: which version, worlds and deviations of the seed make the simulator like it.

A report is what ``content_library_check`` writes. What it saw of a point is the value of the world of that name, or a
word of ``SHOWN`` for a fact that no world decides. What a check could not see stays as the version has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .facts import FACTS
from .otherwise import OTHERWISE
from .seed import Seed
from .versions import DEFAULT, VERSIONS, as_version
from .worlds import WORLDS, in_worlds

FORMAT = 1
UNOBSERVED, OTHER = "unobserved", "other"
DIALECTS = ("api", "rest")
NUMBERS = re.compile(r"(\d+)\.(\d+)")
VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){1,4}")

#: The words for what was seen of a fact that no world decides, and how each changes the seed.
SHOWN: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "two-dialects": {
        "both": {"dialects": ("api", "rest")},
        "rest-only": {"dialects": ("rest",)},
        "api-only": {"dialects": ("api",)},
    },
    "rest-error-type": {"repeated": {"rest_error_type": True}, "outside-only": {"rest_error_type": False}},
    "probe-exists": {"answered": {"probe": True}, "not-found": {"probe": False}},
    "item-file-sha1": {name: {"checksum_algorithm": name} for name in ("SHA1", "SHA256", "SHA512", "MD5", "none")},
    "preview-while-active": {"there": {"preview": True}, "absent": {"preview": False}},
    "chain-is-base64": {name: {"chain": name} for name in ("base64", "pem", "absent")},
    "certificate-as-pin": {"taken": {"source_certificate": "known"}, "refused": {"source_certificate": "unknown"}},
    "ova-from-url": {"taken": {"ova_from_url": True}, "refused": {"ova_from_url": False}},
    **{fact: {word: {"otherwise": {fact: word}} for word in words} for fact, words in OTHERWISE.items()},
}
#: How the seed changes where a check saw of a point something else than the values of its world.
SHOWN_BY_OTHER: Mapping[str, Mapping[str, Any]] = {
    # A pushed file was there after the completion, and its status had stayed WAITING.
    "arrival": {"silent_puts": True},
}


@dataclass(frozen=True)
class Report:
    """What a simulator can learn of a report; ``version`` is empty if the vCenter did not say it."""

    version: str
    dialects: tuple[str, ...]
    observations: Mapping[str, str]


@dataclass(frozen=True)
class Likeness:
    """What a report makes of the simulator; ``unlike`` is what it saw and no simulator does.

    ``version`` is the one that the simulator knows. The deviations count before what a seed says.
    """

    version: str
    worlds: Mapping[str, str] = field(default_factory=dict)
    deviations: Mapping[str, Any] = field(default_factory=dict)
    unlike: Mapping[str, str] = field(default_factory=dict)

    def place(self, seed: Seed, usual: Mapping[str, str], chosen: Mapping[str, str]) -> Seed:
        """The seed of such a vCenter, in the usual worlds where the report says nothing, and in the chosen ones."""
        seen = replace(as_version(seed, self.version), **self.deviations)
        return in_worlds(seen, {**usual, **self.worlds, **chosen})


def read_report(path: str) -> Report:
    """Read the file of a report. OSError if it cannot be read, ValueError if it is none or says what none can say."""
    with open(path, encoding="utf-8") as stream:
        try:
            found = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is no report: {error}") from None
    return report_from(found, path)


def report_from(found: Any, path: str = "the report") -> Report:
    """The part of a report from which a simulator can learn. Raises ValueError."""
    if not isinstance(found, dict) or "format" not in found:
        raise ValueError(f"{path} is no report of a check")
    if found["format"] != FORMAT:
        raise ValueError(f"{path} has the format {found['format']!r}, and only {FORMAT} is known")
    vcenter, observations = found.get("vcenter"), found.get("observations")
    if not isinstance(vcenter, dict) or not isinstance(observations, dict):
        raise ValueError(f"{path} lacks vcenter or observations")
    dialects = vcenter.get("dialects") or []
    if not isinstance(dialects, list) or not set(map(str, dialects)) <= set(DIALECTS):
        raise ValueError(f"{path} names dialects that there are not: {dialects!r}")
    for name, seen in observations.items():
        _require_known(path, name, seen)
    version = str(vcenter.get("version"))
    return Report(version if VERSION.fullmatch(version) else "", tuple(dialects), observations)


def _require_known(path: str, name: str, seen: Any) -> None:
    values = WORLDS[name].values if name in WORLDS else tuple(SHOWN.get(name, ()))
    if name not in WORLDS and name not in FACTS:
        raise ValueError(f"{path} names the point {name!r}, which is neither a world nor a fact")
    if seen not in (*values, UNOBSERVED, OTHER):
        raise ValueError(f"{path} says that {name} is {seen!r}, and it can only be {', '.join((*values, OTHER))}")


def likeness_of(report: Report) -> Likeness:
    worlds = {name: seen for name, seen in report.observations.items() if seen in _values(name)}
    shown = {name: seen for name, seen in report.observations.items() if seen in SHOWN.get(name, ())}
    deviations: dict[str, Any] = {}
    for name, seen in shown.items():
        for field_name, value in SHOWN[name][seen].items():
            deviations[field_name] = {**deviations.get(field_name, {}), **value} if name in OTHERWISE else value
    if report.version:
        deviations["version"] = report.version
    for name, changes in SHOWN_BY_OTHER.items():
        if report.observations.get(name) == OTHER:
            shown[name] = OTHER
            deviations.update(changes)
    if report.dialects and "dialects" not in deviations:
        deviations["dialects"] = tuple(each for each in DIALECTS if each in report.dialects)
    unlike = {
        name: seen
        for name, seen in report.observations.items()
        if seen != UNOBSERVED and name not in worlds and name not in shown
    }
    return Likeness(nearest(report.version), worlds, deviations, unlike)


def _values(world: str) -> tuple[str, ...]:
    return WORLDS[world].values if world in WORLDS else ()


def nearest(version: str) -> str:
    """The version that the simulator knows of a vCenter of this one: the same, or the one before it."""
    found = NUMBERS.match(version)
    if found is None:
        return DEFAULT
    numbers = _numbers(found.group())
    before = [known for known in VERSIONS if _numbers(known) <= numbers]
    return max(before, key=_numbers) if before else min(VERSIONS, key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
