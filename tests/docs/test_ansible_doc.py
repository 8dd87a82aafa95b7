# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-doc shows: it is where most people meet a module first."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from ansible_collections.vsphere.content.plugins.module_utils._vcenter import models
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.messages import LocalizableMessage
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.schema import Model
from tests.docs.pages import modules
from tests.harness.checkout import ROOT
from tools.environment import check_environment

NAMESPACE = "vsphere.content"
NAMES = sorted(path.stem for path in modules())
SHORT_NAMES = {
    "update_session": "content_library_update_session",
    "download_session": "content_library_download_session",
    "item_info": "content_library_item_info",
    "retention": "content_library_retention",
    "session_info": "content_library_session_info",
}
ROLES = ["check", "clean_sessions", "fetch", "publish", "retain", "sessions"]
SHARED_OPTIONS = {"vcenter_connection", "vcenter_shared"}
WITHOUT_CONNECTION = {"require_allowed_paths"}
# ansible-doc cuts what does not fit beside the names, which leaves this much on 120 columns.
WIDTH = 60
RETURNED = [
    ("content_library_update_session", ("session",), models.UpdateSession),
    ("content_library_update_session", ("files",), models.UpdateFile),
    ("content_library_download_session", ("session",), models.DownloadSession),
    ("content_library_download_session", ("files",), models.DownloadFile),
    ("content_library_session_info", ("update_sessions",), models.UpdateSession),
    ("content_library_session_info", ("update_sessions", "files"), models.UpdateFile),
    ("content_library_session_info", ("download_sessions",), models.DownloadSession),
    ("content_library_session_info", ("download_sessions", "files"), models.DownloadFile),
    ("content_library_item_info", ("library_items",), models.LibraryItem),
    ("content_library_item_info", ("library_items", "files"), models.LibraryItemFile),
    ("content_library_item_info", ("library_items", "storage"), models.LibraryItemStorage),
    ("content_library_item", ("library_item",), models.LibraryItem),
    ("content_library_item", ("library_item", "files"), models.LibraryItemFile),
]


@cache
def ansible_doc(*arguments: str) -> Any:
    ran = subprocess.run(
        ["ansible-doc", "--json", *arguments],
        env=check_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def module_docs() -> Any:
    return ansible_doc(*(f"{NAMESPACE}.{name}" for name in (*NAMES, *SHORT_NAMES)))


def test_the_list_has_the_modules_and_a_short_line_for_each() -> None:
    listed = ansible_doc("--list", NAMESPACE)
    assert sorted(listed) == [f"{NAMESPACE}.{name}" for name in NAMES]
    for text in listed.values():
        assert text[0].isupper()
        assert not text.endswith(".")
        assert len(text) <= WIDTH


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_documented(name: str) -> None:
    found = module_docs()[f"{NAMESPACE}.{name}"]
    assert found["doc"]["module"] == name
    assert ("hostname" in found["doc"]["options"]) is (name not in WITHOUT_CONNECTION), "the fragments are part of it"
    assert found["examples"]
    assert found["return"]["error"]["contains"]


@pytest.mark.parametrize(("short", "name"), SHORT_NAMES.items())
def test_a_short_name_shows_the_same(short: str, name: str) -> None:
    assert module_docs()[f"{NAMESPACE}.{short}"] == module_docs()[f"{NAMESPACE}.{name}"]


def test_the_short_names_are_all_there_are() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    routed = runtime["plugin_routing"]["modules"]
    assert {name: entry["redirect"] for name, entry in routed.items()} == {
        short: f"{NAMESPACE}.{name}" for short, name in SHORT_NAMES.items()
    }


def test_the_roles_are_documented_with_their_variables() -> None:
    found = ansible_doc("--type", "role", *(f"{NAMESPACE}.{role}" for role in ROLES))
    assert sorted(found) == [f"{NAMESPACE}.{role}" for role in ROLES]
    for role in ROLES:
        main = found[f"{NAMESPACE}.{role}"]["entry_points"]["main"]
        assert main["short_description"]
        assert main["options"]
        assert {name for name in main["options"] if not name.startswith(f"{role}_")} == SHARED_OPTIONS


def nested_model(hint: Any) -> type[Model] | None:
    """The model in a field's type, such as `tuple[Model, ...] | None`; a message is described as a whole."""
    for part in (hint, *get_args(hint)):
        if isinstance(part, type) and issubclass(part, Model):
            return None if part is LocalizableMessage else part
        if part is not hint and (found := nested_model(part)):
            return found
    return None


def undocumented(contains: dict[str, Any], model: type[Model], path: str = "") -> Iterator[str]:
    hints = get_type_hints(model)
    for entry in fields(model):
        if "codec" not in entry.metadata:
            continue
        if entry.name not in contains:
            yield f"{path}{entry.name}"
        elif inner := nested_model(hints[entry.name]):
            yield from undocumented(contains[entry.name].get("contains", {}), inner, f"{path}{entry.name}.")


@pytest.mark.parametrize(
    ("name", "path", "model"), RETURNED, ids=lambda value: ".".join(value) if isinstance(value, tuple) else None
)
def test_each_key_that_is_returned_is_documented(name: str, path: tuple[str, ...], model: type[Model]) -> None:
    module = importlib.import_module(f"ansible_collections.vsphere.content.plugins.modules.{name}")
    contains = yaml.safe_load(module.RETURN)
    for key in path:
        contains = contains[key]["contains"]
    assert list(undocumented(contains, model)) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_dictionary_that_the_collection_makes_is_documented(name: str) -> None:
    found = module_docs()[f"{NAMESPACE}.{name}"]["return"]
    assert [
        key
        for key, entry in found.items()
        if "dict" in (entry["type"], entry.get("elements")) and "contains" not in entry
    ] == []
