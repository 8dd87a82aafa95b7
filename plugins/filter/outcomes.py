# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the roles say what became of each item or session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from ..module_utils._vcenter.errors import printable

DOCUMENTATION = r"""
name: outcomes
short_description: Write a line about what became of each item
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - Makes lines of what the roles of this collection return in C(publish_results), C(fetch_results) and
    C(clean_sessions_results), for the output of a job or for a mail.
options:
  _input:
    description: The results of a role.
    type: list
    elements: dict
    required: true
  reasons:
    description:
      - Whether a line ends with the reason of a failure. If several lines have the same reason, the first one shows
        it, and the others say C(as above).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Send what became of each image
  community.general.mail:
    to: images@example.com
    subject: The images of tonight
    body: "{{ publish_results | vsphere.content.outcomes | join('\n') }}"
"""

RETURN = r"""
_value:
  description: A line for each result. It names the session if it is about one, the item, the library and the vCenter.
  type: list
  elements: str
  sample:
    - "rocky9 in templates on vcenter.berlin.example.com: published"
    - "rocky9 in mirror on vcenter.berlin.example.com: failed (NOT_FOUND): There is no library mirror"
"""


def tell_outcomes(results: Sequence[Mapping[str, Any]], reasons: bool = True) -> list[str]:
    """The lines for the results of a role."""
    return [printable(line) for line in _lines(results, reasons)]


def _lines(results: Sequence[Mapping[str, Any]], reasons: bool) -> Iterator[str]:
    said: set[str] = set()
    for entry in results:
        line = f"{_subject(entry)}: {entry['outcome']}"
        if kind := (entry.get("error") or {}).get("type"):
            line += f" ({kind})"
        reason = entry.get("reason") if reasons else None
        yield f"{line}: {'as above' if reason in said else reason}" if reason else line
        said.add(str(reason))


def _subject(entry: Mapping[str, Any]) -> str:
    session = f"{entry['kind']} session {entry['id']} of " if entry.get("kind") else ""
    item = entry.get("library_item") or entry.get("library_item_id")
    places = (("in", entry.get("library") or entry.get("library_id")), ("on", entry.get("vcenter")))
    return f"{session}{item}" + "".join(f" {word} {place}" for word, place in places if place)


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"outcomes": tell_outcomes}
