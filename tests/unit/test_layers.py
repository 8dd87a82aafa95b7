# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who imports whom is what docs/architecture.md says: any other edge fails, and so does one that is not there."""

from __future__ import annotations

import ast
import pkgutil
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import connection_spec

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = "ansible_collections.vsphere.content"
UTILS = f"{COLLECTION}.plugins.module_utils"

PAGE = PLUGINS.parent / "docs" / "architecture.md"
PACKAGE = re.compile(r"^\| \*\*`(\w+)`\*\* \|")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \|((?: `\w+`,?)*) ?\|$")


def table() -> dict[str, tuple[str, set[str]]]:
    """The page's table: each file's package, and what it imports."""
    found: dict[str, tuple[str, set[str]]] = {}
    package = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        heading, row = PACKAGE.match(line), ROW.match(line)
        if heading:
            package = heading[1]
        elif row and package:
            assert row[1] not in found, "a name stands once"
            found[row[1]] = (package, set(re.findall(r"\w+", row[2])))
        elif found and not line.startswith("|"):
            break
    return found


TABLE = table()
LAYERS = {name: targets for name, (_package, targets) in TABLE.items()}
MODULES = {
    "content_library_download_session",
    "content_library_item",
    "content_library_session_info",
    "content_library_update_session",
    "require_allowed_paths",
}
# An action plugin does all that they do.
DOCUMENTATION_ONLY = {"require_own_vcenter"}
MODULE_IMPORTS = {*LAYERS, "ansible"} - {"connection", "connection_options"}

# A module says what it wants; how it goes over the wire, and when, is for the layers below.
LOW_LEVEL_STDLIB = {"http", "socket", "ssl", "time", "urllib"}
WIRE_TEXT = re.compile(r"^(GET|HEAD|POST|PUT|PATCH|DELETE)$|://|^/|/(api|rest)/|~?action=")
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


@dataclass(frozen=True)
class Import:
    target: str
    line: int
    guarded: bool


def standard_library() -> set[str]:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    folders |= {f"{folder}/lib-dynload" for folder in folders}
    return {*sys.builtin_module_names, *(found.name for found in pkgutil.iter_modules(sorted(folders)))}


STDLIB = standard_library()


def target_of(name: str) -> str:
    """Reduce a dotted name to what the table speaks of: one of our utils, or a top-level package."""
    if name.startswith(f"{UTILS}."):
        return name[len(UTILS) + 1 :].split(".")[-1]
    return name if name.startswith(COLLECTION) else name.split(".")[0]


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def is_package(name: str) -> bool:
    return name == UTILS or name in {f"{UTILS}.{package}" for package, _targets in TABLE.values()}


def imports(source: str, package: str = UTILS) -> Iterator[Import]:
    tree = ast.parse(source)
    guarded = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Try)
        for part in outer.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = absolute_name(node, package)
            names = [f"{module}.{alias.name}" for alias in node.names] if is_package(module) else [module]
        for name in names:
            yield Import(target=target_of(name), line=getattr(node, "lineno", 0), guarded=node in guarded)


def forbidden_imports(source: str, allowed: set[str], package: str = UTILS) -> list[str]:
    return [
        f"line {found.line}: {found.target}"
        for found in imports(source, package)
        if found.target not in allowed and found.target not in STDLIB
    ]


def wire_knowledge(source: str) -> list[str]:
    tree = ast.parse(source)
    prose = {
        inner
        for node in ast.walk(tree)
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and {ast.unparse(target) for target in node.targets} & DOCUMENTATION)
        for inner in ast.walk(node)
    }
    found = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and node not in prose
        and isinstance(node.value, str)
        and WIRE_TEXT.search(node.value)
    ]
    return found + [f"line {each.line}: {each.target}" for each in imports(source) if each.target in LOW_LEVEL_STDLIB]


def names_in(folder: str) -> set[str]:
    return {path.stem for path in (PLUGINS / folder).glob("*.py")}


def read(folder: str, name: str) -> str:
    return (PLUGINS / folder / f"{name}.py").read_text(encoding="utf-8")


def read_util(name: str) -> str:
    return read(f"module_utils/{TABLE[name][0]}", name)


def test_table_lists_each_util_that_exists() -> None:
    found = {path.relative_to(PLUGINS / "module_utils").as_posix() for path in PLUGINS.glob("module_utils/**/*.py")}
    assert found == {f"{package}/{name}.py" for name, (package, _targets) in TABLE.items()}


def test_table_lists_each_module_that_exists() -> None:
    assert names_in("modules") == MODULES | DOCUMENTATION_ONLY


@pytest.mark.parametrize("name", sorted(DOCUMENTATION_ONLY))
def test_module_that_is_an_action_plugin_s_documentation_does_nothing(name: str) -> None:
    assert name in names_in("action")
    assert {type(node) for node in ast.parse(read("modules", name)).body} == {ast.Expr, ast.ImportFrom, ast.Assign}


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_util_imports_what_its_row_says(name: str) -> None:
    package = f"{UTILS}.{TABLE[name][0]}"
    assert forbidden_imports(read_util(name), LAYERS[name], package) == []
    assert LAYERS[name] - {found.target for found in imports(read_util(name), package)} == set(), "nothing needs these"


@pytest.mark.parametrize("name", sorted(name for name, targets in LAYERS.items() if "requests" in targets))
def test_util_imports_requests_only_where_its_absence_is_handled(name: str) -> None:
    found = [each for each in imports(read_util(name)) if each.target == "requests"]
    assert [each for each in found if not each.guarded] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_module_imports_only_what_its_row_allows(name: str) -> None:
    package = f"{COLLECTION}.plugins.modules"
    assert forbidden_imports(read("modules", name), MODULE_IMPORTS, package) == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_module_knows_nothing_of_the_wire(name: str) -> None:
    assert wire_knowledge(read("modules", name)) == []


def test_table_has_no_circle() -> None:
    left = dict(LAYERS)
    while left:
        free = {name for name, targets in left.items() if not targets & set(left)}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: targets for name, targets in left.items() if name not in free}


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "import requests.adapters",
        "from requests import Session",
        "from ansible.module_utils.basic import AnsibleModule",
        f"from {UTILS}._task.run import run_module",
        f"from {UTILS}._task import run",
        f"import {UTILS}._task.run",
        "from . import api",
        "from .api import Api",
        "from .._task import run",
        "from .._task.run import run_module",
        "from ...modules.content_library_item import main",
        "def late():\n    from .api import Api",
    ],
)
def test_an_edge_is_seen_however_it_is_written(source: str) -> None:
    assert forbidden_imports(source, {"models"}, f"{UTILS}._vcenter") != []


def test_an_allowed_edge_passes() -> None:
    source = (
        f"import json\nfrom . import models\nfrom .models import Warning\nfrom {UTILS}._vcenter.models import Session"
    )
    assert forbidden_imports(source, {"models"}, f"{UTILS}._vcenter") == []


@pytest.mark.parametrize(
    "source", ["x = 'PATCH'", "x = '/api/session'", "x = f'{host}/rest/com'", "import time", "from urllib import parse"]
)
def test_wire_knowledge_is_seen(source: str) -> None:
    assert wire_knowledge(source) != []


def test_an_action_plugin_knows_the_options_of_the_connection_without_importing_them() -> None:
    """The item's module, which it runs beside its own, gets the same connection.

    It is read and not imported, as modules do not work in a process that has loaded Ansible's controller.
    """
    tree = ast.parse(read("action", "content_library_update_session"))
    (known,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CONNECTION"
    ]
    assert list(known) == list(connection_spec())


def test_each_module_gets_the_settings_of_the_operator_by_whatever_name_it_is_called() -> None:
    """A module without an action plugin, or a short name that leads past it, would know nothing of ansible.cfg."""
    for name in MODULES:
        plugins = {
            found.target.rpartition(".")[2] for found in imports(read("action", name), f"{COLLECTION}.plugins.action")
        }
        assert plugins & {"_operator", "_progress"}, name
    routing = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))["plugin_routing"]
    assert routing["action"] == routing["modules"]


def test_documentation_may_speak_of_the_wire() -> None:
    assert wire_knowledge("'''GET'''\nEXAMPLES = '''\nurl: https://example.com\n'''") == []
