# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the role publish tells what became of each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from ..test.no_login import has_no_login

DOCUMENTATION = r"""
name: publish_results
short_description: Say what became of each image
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - The role C(publish) of this collection uses it for C(publish_results), as it documents that.
options:
  _input:
    description: The results of M(vsphere.content.content_library_update_session) in a loop.
    type: list
    elements: dict
    required: true
  jobs:
    description: The jobs of P(vsphere.content.publish_plan#filter), in the same order.
    type: list
    elements: dict
    required: true
  vcenter:
    description: The vCenter that the host uses.
    type: str
  check_mode:
    description: Whether the task ran in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what became of each image
  ansible.builtin.debug:
    msg: "{{ done.results | vsphere.content.publish_results(plan.jobs, 'vcenter.example.com') }}"
"""

RETURN = r"""
_value:
  description: The results, each as the role publish documents it.
  type: list
  elements: dict
"""


def tell_results(
    results: Sequence[Mapping[str, Any]],
    jobs: Sequence[Mapping[str, Any]],
    vcenter: str | None,
    check_mode: bool = False,
) -> list[dict[str, Any]]:
    """What became of each image, as the documentation describes it."""
    return list(_results(results, jobs, vcenter, check_mode))


def _results(
    results: Sequence[Mapping[str, Any]], jobs: Sequence[Mapping[str, Any]], vcenter: str | None, check_mode: bool
) -> Iterator[dict[str, Any]]:
    refusal: Mapping[str, Any] = {}
    for done, job in zip(results, jobs):
        if has_no_login(done):
            refusal = done
        # The role does not try an image for the reason for which one before it had no login.
        cause = refusal if done.get("skipped") else done if done.get("failed") else None
        changed = bool(done.get("changed"))
        is_guess = bool(done.get("failed")) or (check_mode and changed)
        yield {
            "vcenter": vcenter,
            "library": job["target"],
            "library_item": job["library_item"],
            "library_item_id": (done.get("library_item") or {}).get("id"),
            "item_created": done.get("item_created", False),
            "outcome": _outcome(done),
            "changed": changed,
            "error": None if cause is None else cause.get("error") or {},
            "reason": None if cause is None else str(cause.get("msg") or "").partition(". ")[0],
            "files": job["names"] if is_guess else _listed(done) or job["names"],
            "files_removed": done.get("files_removed", []),
        }


def _outcome(done: Mapping[str, Any]) -> str:
    if done.get("skipped") or has_no_login(done):
        return "not tried"
    if done.get("failed"):
        return "failed"
    return "published" if done.get("changed") else "unchanged"


def _listed(done: Mapping[str, Any]) -> list[str]:
    """The declared files that the item holds.

    Only the module knows which file a directory in `files` stands for, and which files a package brings. It says of
    declared files alone whether they are verified, and of a session's files whether vCenter keeps them.
    """
    return [
        file["name"]
        for file in done.get("files") or []
        if file.get("verified", False) is not None and file.get("keep_in_storage") is not False
    ]


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"publish_results": tell_results}
