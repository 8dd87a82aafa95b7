# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of vCenter: what each one does otherwise than 8.0, which a seed of defaults is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from .facts import follows
from .seed import Seed

DEFAULT = "8.0"
VERSIONS: Mapping[str, Mapping[str, Any]] = {
    "6.7": {
        "version": "6.7.0",
        "dialects": ("rest",),
        "preview": False,
        "omit_session_id": True,
        "probe": False,
        "chain": "absent",
        "rest_error_type": False,
        "old_authentication": True,
        "ova_from_url": False,
    },
    "7.0": {"version": "7.0.3", "session_ids": "one-part"},
    "8.0": {},
    "9.0": {
        "version": "9.0.0",
        "session_ids": "one-part",
        "logins_together": 3000,
        "token_idle_seconds": 7200.0,
        "source_certificate": "known",
        "probe_answer": "both",
        "thumbprints": ("SHA256",),
        "thumbprint_algorithm": "SHA256",
        "untrusted_source": "refused",
    },
}


@follows("two-dialects", "rest-still-serves-9")
def as_version(seed: Seed, version: str) -> Seed:
    """The seed of a vCenter of this version, but for the fields that the seed itself sets; ValueError if unknown."""
    if version not in VERSIONS:
        raise ValueError(f"there is no vCenter {version!r} here, only {', '.join(VERSIONS)}")
    usual = Seed()
    untouched = {entry.name for entry in fields(Seed) if getattr(seed, entry.name) == getattr(usual, entry.name)}
    changes = {name: value for name, value in VERSIONS[version].items() if name in untouched}
    return replace(seed, **changes)
