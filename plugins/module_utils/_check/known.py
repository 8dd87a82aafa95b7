# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of vCenters, as a table of points that a check observes: pure.

A point with `is_world` has the name and the values of a setting of the simulator (--world NAME=VALUE), any other one
the name of its fact. The first value is what is known. The facts stand in docs/docsite/rst/facts.rst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNOBSERVED, OTHER = "unobserved", "other"


@dataclass(frozen=True)
class Point:
    """Something on which vCenters differ, or may differ; `about` is the subject of the sentence about it."""

    name: str
    fact: str
    values: tuple[str, ...]
    about: str
    is_world: bool = True

    def observed(self, seen: str) -> dict[str, Any]:
        """The observation as the module returns it; a value that is not in the table counts as `other`."""
        value = seen if seen in (*self.values, UNOBSERVED) else OTHER
        differs = value in self.values[1:]
        return {
            "name": self.name,
            "seen": value,
            "fits": _fit(value, self.values),
            "world": f"{self.name}={value}" if differs and self.is_world else None,
            "fact": self.fact,
            "sentence": f"{self.about}: {_WORDS.get(value, value.replace('-', ' '))}."
            + (f" What is known is: {self.values[0].replace('-', ' ')}." if differs or value == OTHER else ""),
        }


_WORDS = {UNOBSERVED: "not observed", OTHER: "something that nobody has thought of"}


def _fit(value: str, values: tuple[str, ...]) -> str | None:
    if value == UNOBSERVED:
        return None
    if value == values[0]:
        return "as_known"
    return "another_world" if value in values else "new"


def _fact(name: str, values: tuple[str, ...], about: str) -> Point:
    return Point(name, name, values, about, is_world=False)


_POINTS = (
    _fact("two-dialects", ("both", "rest-only", "api-only"), "The dialects that it knows"),
    Point(
        "old-api",
        "old-api-session",
        ("plain-404", "json-404", "400", "405", "redirect", "json-rpc"),
        "Its answer to a login at /api, which it does not have",
    ),
    _fact(
        "authentication-required-id",
        ("endpoint-id", "old-id"),
        "The identifier of its refusal of a request without a login",
    ),
    _fact("challenge-in-refused-login", ("there", "absent"), "The challenge in that refusal"),
    _fact("rest-error-type", ("repeated", "outside-only"), "The type of an error at /rest, inside its value"),
    Point("rest-empty-list", "rest-empty-list", ("[]", "null", "{}"), "An empty list at /rest"),
    _fact("probe-exists", ("answered", "not-found"), "The probe of a source"),
    Point("session-ids", "session-ids-are-opaque", ("two-parts", "one-part"), "The identifiers of sessions"),
    Point("session-id", "session-without-id", ("shown", "left-out"), "The identifier in the answer about a session"),
    Point(
        "unprivileged-creation",
        "empty-session-without-a-privilege",
        ("refused", "empty"),
        "The creation of a session without the privilege",
    ),
    _fact("one-active-session", ("refused", "allowed"), "A second ACTIVE update session on an item"),
    Point("busy-text", "two-creations-text", ("item", "session"), "What the refusal of a second session names"),
    _fact("client-token-is-idempotent", ("same-session", "another-session", "refused"), "A creation sent again"),
    Point(
        "client-token",
        "client-token-memory",
        ("for-good", "for-a-time", "until-deletion"),
        "How long it remembers a client token",
    ),
    _fact("active-session-is-not-deleted", ("refused", "deleted"), "The deletion of an ACTIVE update session"),
    _fact("patch-changes-warnings-only", ("set", "ignored", "not-found"), "A change of warning_behavior"),
    Point("reading-extends", "reading-extends", ("no", "yes"), "Whether reading a session extends it"),
    _fact("sessions-expire", ("five-minutes", "sooner", "later"), "When a session without activity expires"),
    Point("item-names", "item-name-limits", ("taken", "refused"), "A name of more than 80 characters"),
    Point("endpoint-name", "urls-carry-the-primary-name", ("primary", "as-asked"), "The host in addresses of content"),
    Point("put-answer", "answer-of-a-put", ("200", "201", "204"), "The status of the answer to a PUT"),
    Point("pushed-file", "file-stays-waiting", ("arrives", "stays-waiting"), "A file whose PUT was answered"),
    Point(
        "arrival", "answered-put-is-not-received", ("with-its-answer", "later"), "When a pushed file has been received"
    ),
    Point(
        "ready-file",
        "ready-and-then-more",
        ("stays", "checksum-later", "size-later", "checked-again"),
        "What becomes of a file that is READY",
    ),
    _fact("completion-needs-received-files", ("refused", "accepted"), "A completion before a file was received"),
    Point("completion", "completion-answer", ("when-done", "at-once"), "When a completion is answered"),
    Point(
        "meanwhile",
        "meanwhile",
        ("refused", "unexplained", "busy", "accepted"),
        "A second completion while the first one is under way",
    ),
    Point("cancel-meanwhile", "meanwhile", ("accepted", "refused"), "A cancellation while a completion is under way"),
    _fact("item-file-sha1", ("SHA1", "SHA256", "SHA512", "MD5", "none"), "The checksum of an item's file"),
    _fact("item-version-stays", ("stays", "moves"), "The version of an item when its content changes"),
    _fact("preview-while-active", ("there", "absent"), "The preview of a package"),
    Point("iso-preview", "iso-preview-state", ("unavailable", "not-applicable", "absent"), "The preview of an ISO"),
    _fact(
        "self-signed-raises-two-warnings",
        ("both", "untrusted-alone", "self-signed-alone", "neither"),
        "The warnings about a self-signed package",
    ),
    Point("warning-texts", "warnings-are-bare", ("bare", "named"), "The message of a warning"),
    Point("x509", "x509-form", ("pem", "base64", "none"), "The certificate in a preview"),
    _fact("chain-is-base64", ("base64", "pem", "absent"), "The chain of certificates in a preview"),
    Point("descriptor-entries", "descriptor-creates-entries", ("created", "none"), "Entries for files of a descriptor"),
    _fact("manifest-before-descriptor", ("refused", "taken"), "A manifest after the descriptor"),
    _fact("references-must-be-there", ("refused", "taken"), "A completion without a file of the descriptor"),
    Point(
        "unignored-warning",
        "answer-to-an-unignored-warning",
        ("fails-later", "refuses"),
        "The completion of a package with a warning that is not ignored",
    ),
    _fact("manifest-is-not-stored", ("dropped", "kept"), "Manifest and certificate in the item"),
    Point("verification", "verification-statuses", ("at-once", "later"), "When an item's signature is judged"),
    Point(
        "ova-preview",
        "ova-preview-unavailable",
        ("preparing", "unavailable", "long-unavailable"),
        "The preview of an OVA while it is read",
    ),
    _fact("ova-is-unpacked", ("unpacked", "kept-whole"), "An OVA in the item"),
    Point("ova-members", "unreferenced-ova-members", ("kept", "dropped"), "A file of an OVA that nothing references"),
    Point("range", "range-of-downloads", ("honoured", "ignored"), "A request for a part of a download"),
    Point(
        "download-address",
        "download-address-after-its-session",
        ("ends-with-it", "outlives-it"),
        "The address of a download after its session",
    ),
    _fact("download-checksum-when-fetched", ("when-fetched", "before", "never"), "The checksum of a download's file"),
    Point(
        "probe-answer",
        "probe-answers-certificate",
        ("thumbprint", "certificate", "both"),
        "What a probe tells of a source's certificate",
    ),
    Point("pin", "pin-on-9", ("sha1", "sha256"), "The hash of a thumbprint"),
    Point(
        "untrusted-source",
        "untrusted-source-is-refused-on-9",
        ("hangs", "refused"),
        "A source whose certificate nobody trusts",
    ),
    _fact("certificate-as-pin", ("taken", "refused"), "A certificate that pins a source"),
    _fact("ova-from-url", ("taken", "refused"), "An OVA that is fetched"),
    _fact("pull-stays-active", ("active", "done"), "A session whose file was fetched"),
    Point(
        "token-idle",
        "token-idle-time",
        ("30-minutes", "5-minutes", "60-minutes", "120-minutes"),
        "How long a login may be idle",
    ),
)

POINTS: Mapping[str, Point] = {point.name: point for point in _POINTS}


def observations(seen: Mapping[str, str]) -> list[dict[str, Any]]:
    """All points in the order of the table, with what was seen of each."""
    return [point.observed(seen.get(name, UNOBSERVED)) for name, point in POINTS.items()]
