# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter by which the role publish settles which image goes to which item of which library."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import unquote

from ansible.module_utils.parsing.convert_bool import boolean

from ..filter.as_list import as_list
from ..module_utils._transfer.source_directory import PACKAGES
from ..module_utils._vcenter.errors import printable

DOCUMENTATION = r"""
name: publish_plan
short_description: Say which image goes to which item of which library
version_added: 0.1.0
author:
  - The vsphere.content authors (@vsphere-content)
description:
  - The role C(publish) of this collection uses it to settle what it does before it changes anything.
  - It knows of the sources only what it is given, and does not look at any file itself.
options:
  _input:
    description: The entries, as the role takes them in C(publish_items).
    type: list
    elements: dict
    required: true
  sources:
    description:
      - What stands at the C(src) of each entry that has one, in the same order, as
        M(vsphere.content.require_allowed_paths) returns it.
    type: list
    elements: dict
    required: true
  defaults:
    description:
      - What an entry gets that does not say otherwise, by the names of the keys of an entry.
      - Its C(src) is what C(publish_src) gives, and its C(recurse) whether the sources were looked at with their
        subdirectories.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would go where
  ansible.builtin.debug:
    msg: "{{ entries | vsphere.content.publish_plan([], {'libraries': 'templates, archive'}) }}"
  vars:
    entries:
      - url: https://mirror.example.com/images/tools.iso
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    refusal:
      description: Why nothing can be published, in a sentence or two. Empty if all can.
      type: str
    jobs:
      description:
        - Each image with each library, in the order of the entries. Empty with a refusal.
        - They have the options C(library) or C(library_id), C(library_item), C(item_type), C(item_description),
          C(files), C(accepted_signer), C(warning_behavior) and C(purge_files) of
          M(vsphere.content.content_library_update_session). An option that the task is to leave out is not there.
        - C(target) is the name or the identifier of the library, and C(names) are those of the declared files.
      type: list
      elements: dict
"""

KNOWN_TYPES = ("iso", "ovf", "vm-template")
KINDS = ("src", "url", "files")


@dataclass(frozen=True)
class Image:
    """An image of an entry; `place` is its path or its URL, and empty where the entry lists files."""

    place: str
    base: str

    @property
    def extension(self) -> str:
        return os.path.splitext(self.base)[1].lower()


@dataclass(frozen=True)
class Entry:
    """What an entry says, and what it gets where it does not say otherwise."""

    said: Mapping[str, Any]
    defaults: Mapping[str, Any]
    source: Mapping[str, Any]

    @property
    def given(self) -> list[str]:
        return [kind for kind in KINDS if self.said.get(kind)]

    @property
    def images(self) -> list[Image]:
        """Its images; an entry by its files is one."""
        src = str(self.said.get("src") or "")
        if self.source.get("is_directory"):
            return [Image(path, os.path.basename(path)) for path in self.source["images"]]
        if src:
            return [Image(src, os.path.basename(src))]
        url = str(self.said.get("url") or "")
        return [Image(url, unquote(url.partition("?")[0].rpartition("/")[2]))]

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Pairs of the option for a library, and the library. Those of an entry count instead of the role's."""
        values = self.said if self.said.get("libraries") or self.said.get("library_ids") else self.defaults
        names, ids = (as_list(values.get(option)) for option in ("libraries", "library_ids"))
        return [*(("library", name) for name in names), *(("library_id", library_id) for library_id in ids)]

    @property
    def _accepted(self) -> Mapping[str, Any]:
        """Whom the entry accepts, by either of its own, is instead of whom the role accepts."""
        is_own = self.said.get("accepted_signer") or self.said.get("accepted_warnings")
        return self.said if is_own else self.defaults

    @property
    def signer(self) -> str:
        return self._accepted.get("accepted_signer") or ""

    @property
    def warnings(self) -> list[str]:
        return as_list(self._accepted.get("accepted_warnings"))

    @property
    def purge_given(self) -> Any:
        """What is said of purging, or None."""
        said = (values.get("purge_files") for values in (self.said, self.defaults))
        return next((value for value in said if value is not None and value != ""), None)

    @property
    def held_files(self) -> list[Mapping[str, Any]]:
        """The listed files that the item is to hold."""
        return [file for file in self.said.get("files") or [] if file.get("state") != "absent"]

    def or_default(self, key: str) -> Any:
        return self.said.get(key) or self.defaults.get(key)

    def name_of(self, image: Image) -> str:
        return self.said.get("library_item") or os.path.splitext(image.base)[0]


def plan_publish(
    entries: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The plan, as the documentation describes it."""
    paths = [entry["src"] for entry in entries if entry.get("src")]
    there = dict(zip(paths, sources))
    read = [Entry(entry, defaults, there.get(entry.get("src"), {})) for entry in entries]
    refusal = next(_refusals(read, there, defaults), "")
    jobs = [] if refusal else [job for entry in read for job in _jobs(entry)]
    return {"refusal": printable(refusal), "jobs": jobs}


def _refusals(
    entries: Sequence[Entry], there: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any]
) -> Iterator[str]:
    if not entries:
        yield "There is nothing to publish. Set publish_src, publish_url or publish_items."
    types = [str(values.get("type") or "") for values in (defaults, *(entry.said for entry in entries))]
    # vCenter takes a type in another spelling for one of its own.
    respelled = [kind for kind in types if kind not in KNOWN_TYPES and kind.strip().lower() in KNOWN_TYPES]
    if respelled:
        yield f"The type {', '.join(respelled)} is written {', '.join(kind.strip().lower() for kind in respelled)}."
    for path, source in there.items():
        if not os.path.isabs(path) and not path.startswith("~"):
            yield f"{path} is not an absolute path."
        elif not source["exists"]:
            yield f"{path} does not exist on the host that runs this task."
    single = defaults.get("src") or ""
    # Other files are for publish_items, which no survey asks for.
    if single and not there[single]["is_directory"] and os.path.splitext(single)[1].lower() not in PACKAGES:
        yield (
            f"publish_src is {single}, which is neither a directory nor a file with the extension of an image: "
            f"{', '.join(sorted(PACKAGES))}. Publish any other file by publish_items."
        )
    for entry in entries:
        yield from _mistakes(entry)
    # vCenter finds names in any case.
    places = Counter(
        f"{entry.name_of(image).lower()} in {target}"
        for entry in entries
        for image in entry.images
        for _option, target in entry.targets
    )
    shared = [place for place, number in places.items() if number > 1]
    if shared:
        yield (
            "Several images are for one item, and each would replace the one before: "
            f"{', '.join(shared)}. Name their items by library_item of publish_items."
        )


def _mistakes(entry: Entry) -> Iterator[str]:
    given, images = entry.given, entry.images
    if len(given) != 1:
        beside = f", and these are given: {', '.join(given)}" if given else ""
        yield f"An item takes one of src, url and files{beside}."
        return
    if not entry.targets:
        yield (
            "No library is given. Set publish_libraries, publish_library_ids, or libraries or library_ids of the entry."
        )
    if not images:
        looked_below = boolean(entry.defaults.get("recurse", False))
        remedy = "Check the path" if looked_below else "Set publish_recurse to look below it"
        yield f"{entry.said['src']} holds no .ovf, .ova or .iso. {remedy}."
        return
    if len(images) > 1 and entry.said.get("library_item"):
        yield (
            f"{entry.said['src']} holds {len(images)} images, which cannot all be published as "
            f"{entry.said['library_item']}. Leave the name out, or give the path of one image."
        )
    # As of a pattern that fits nothing.
    if given == ["files"] and not entry.held_files and boolean(entry.purge_given, strict=False):
        yield (
            "purge_files is true, and files names none that the item would keep, so everything that it holds would go. "
            "Check what makes the list, or leave purge_files out."
        )
    if entry.signer and entry.warnings:
        yield "accepted_signer accepts one signer, and accepted_warnings any. Keep one of the two."
    [image, *_others] = images
    if given == ["url"] and image.extension == ".ova" and entry.said.get("checksum"):
        yield (
            f"{image.base} is an OVA that vCenter fetches, and vCenter takes no checksum of an OVA. Leave the checksum "
            "out."
        )
    if given == ["url"] and not image.base:
        yield (
            "The url of an item names no file. Give a whole one, such as https://mirror.example.com/images/tools.iso."
        )
    if given == ["files"] and not entry.said.get("library_item"):
        yield "An item that is given by its files needs a library_item, too."


def _jobs(entry: Entry) -> Iterator[dict[str, Any]]:
    for image in entry.images:
        is_listed = entry.given == ["files"]
        files = list(entry.said["files"]) if is_listed else [_file(entry, image)]
        held = entry.held_files if is_listed else files
        options = {
            "library_item": entry.name_of(image),
            "item_type": entry.or_default("type"),
            "item_description": entry.or_default("description"),
            "files": files,
            "accepted_signer": entry.signer,
            "warning_behavior": None if entry.signer else [{"type": name, "ignored": True} for name in entry.warnings],
            "purge_files": _purge_files(entry, image),
            "names": [file.get("name") or os.path.basename(file.get("src") or "") for file in held],
        }
        kept = {option: value for option, value in options.items() if value is not None and value != ""}
        for option, target in entry.targets:
            yield {option: target, "target": target, **kept}


def _file(entry: Entry, image: Image) -> dict[str, Any]:
    is_https = image.place.lower().startswith("https:")
    file = {
        entry.given[0]: image.place,
        "name": image.base,
        "checksum": entry.said.get("checksum"),
        "checksum_algorithm": entry.or_default("checksum_algorithm"),
        "ssl_thumbprint": entry.or_default("ssl_thumbprint") if is_https else entry.said.get("ssl_thumbprint"),
    }
    return {option: value for option, value in file.items() if value}


def _purge_files(entry: Entry, image: Image) -> Any:
    """Whether the task removes other files, or None where the module decides.

    An entry by `src` or `url` promises that its image is all that the item holds. Of a package that vCenter fetches
    nobody here knows the files.
    """
    if entry.purge_given is not None:
        return entry.purge_given
    if entry.given == ["url"] and image.extension in (".ovf", ".ova"):
        return None
    return entry.given != ["files"]


class FilterModule:
    """Ansible's way to find filters."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"publish_plan": plan_publish}
