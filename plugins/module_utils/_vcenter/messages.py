# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of what vCenter says: localizable messages, and the error that holds some.

Source: the published vCenter REST description, versions 7.0.3 and 8.0.2, and the official Python bindings 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .schema import ANYTHING, INTEGER, NUMBER, TEXT, Model, listing, mapping, nested, optional, wire


@dataclass(frozen=True, repr=False, eq=False)
class LocalizationParam(Model):
    """A named value of a message: one of text, time, integer, number or a nested message, and how to show it."""

    shows_unset = False
    s: str | None = optional(TEXT)
    dt: str | None = optional(TEXT)
    i: int | None = optional(INTEGER)
    d: float | None = optional(NUMBER)
    l: NestedLocalizableMessage | None = optional(nested(lambda: NestedLocalizableMessage))  # noqa: E741 (wire name)
    format: str | None = optional(TEXT)
    precision: int | None = optional(INTEGER)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class NestedLocalizableMessage(Model):
    id: str = field(metadata=wire(TEXT, required=True))
    params: Mapping[str, LocalizationParam] | None = optional(mapping(nested(lambda: LocalizationParam)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class LocalizableMessage(Model):
    id: str | None = optional(TEXT)
    default_message: str | None = optional(TEXT)
    args: tuple[str, ...] | None = optional(listing(TEXT))
    params: Mapping[str, LocalizationParam] | None = optional(mapping(nested(lambda: LocalizationParam)))
    localized: str | None = optional(TEXT)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message for people: the server's translation if it sent one."""
        return self.localized or self.default_message or self.id or ""


class Fallible:
    """Something that can fail on the server, which may give a reason."""

    error_message: LocalizableMessage | None

    @property
    def reason(self) -> str:
        """Why it failed, in the server's words."""
        return (self.error_message.text if self.error_message else "") or "the server gives no reason"

    @property
    def messages(self) -> tuple[LocalizableMessage, ...]:
        """The server's message, if it gave one."""
        return (self.error_message,) if self.error_message else ()


@dataclass(frozen=True, repr=False, eq=False)
class ErrorBody(Model):
    """The error in the envelope of either dialect."""

    messages: tuple[LocalizableMessage, ...] | None = optional(listing(nested(lambda: LocalizableMessage)))
    error_type: str | None = optional(TEXT)
    data: Any = optional(ANYTHING)
    extra: Mapping[str, Any] = field(default_factory=dict)
