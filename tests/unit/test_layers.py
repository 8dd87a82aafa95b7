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

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = "ansible_collections.vsphere.content"
UTILS = f"{COLLECTION}.plugins.module_utils"

PAGE = PLUGINS.parent / "docs" / "architecture.md"
PACKAGE = re.compile(r"^\| \*\*`(\w+)`\*\* \| \*\*[^|]+\*\* \|((?: `\w+`,?)*) ?\|$")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \|((?: `\w+`,?)*) ?\|$")


@dataclass(frozen=True)
class Package:
    """A package of the page's table: its files from the bottom up, each with what it uses of third parties.

    `uses` are the files of other packages that its files may import.
    """

    uses: frozenset[str]
    files: dict[str, frozenset[str]]


def table() -> dict[str, Package]:
    found: dict[str, Package] = {}
    package = None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := PACKAGE.match(line):
            package = found[heading[1]] = Package(frozenset(re.findall(r"\w+", heading[2])), {})
        elif package and (row := ROW.match(line)):
            package.files[row[1]] = frozenset(re.findall(r"\w+", row[2]))
        elif package:
            break
    return found


TABLE = table()
PACKAGE_OF = {name: package for package, entry in TABLE.items() for name in entry.files}
MODULES = {
    "content_library_check",
    "content_library_download_session",
    "content_library_item",
    "content_library_item_info",
    "content_library_retention",
    "content_library_session_info",
    "content_library_update_session",
    "require_allowed_paths",
}
# An action plugin does all that they do.
DOCUMENTATION_ONLY = {"require_own_vcenter"}
MODULE_IMPORTS = {*PACKAGE_OF, "ansible"} - {"connection", "connection_options", "http_request"}

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
    return name == UTILS or name in {f"{UTILS}.{package}" for package in TABLE}


def imports(source: str, package: str = UTILS) -> Iterator[Import]:
    tree = ast.parse(source)
    guarded = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Try) or (isinstance(outer, ast.If) and ast.unparse(outer.test) == "HAS_REQUESTS")
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
    return read(f"module_utils/{PACKAGE_OF[name]}", name)


def allowed(name: str) -> set[str]:
    """What a file may import: those above it in its package, what its package uses, and third parties of its own."""
    package = TABLE[PACKAGE_OF[name]]
    names = list(package.files)
    return {*names[: names.index(name)], *package.uses, *package.files[name]}


def imported(name: str) -> set[str]:
    return {found.target for found in imports(read_util(name), f"{UTILS}.{PACKAGE_OF[name]}")}


def test_table_lists_each_util_that_exists() -> None:
    found = {path.relative_to(PLUGINS / "module_utils").as_posix() for path in PLUGINS.glob("module_utils/**/*.py")}
    listed = [f"{package}/{name}.py" for package, entry in TABLE.items() for name in entry.files]
    assert sorted(found) == sorted(listed)
    assert len(PACKAGE_OF) == len(listed), "a name stands once"


def test_table_lists_each_module_that_exists() -> None:
    assert names_in("modules") == MODULES | DOCUMENTATION_ONLY


@pytest.mark.parametrize("name", sorted(DOCUMENTATION_ONLY))
def test_module_that_is_an_action_plugin_s_documentation_does_nothing(name: str) -> None:
    assert name in names_in("action")
    assert {type(node) for node in ast.parse(read("modules", name)).body} == {ast.Expr, ast.ImportFrom, ast.Assign}


@pytest.mark.parametrize("name", PACKAGE_OF)
def test_util_imports_what_the_table_allows(name: str) -> None:
    assert forbidden_imports(read_util(name), allowed(name), f"{UTILS}.{PACKAGE_OF[name]}") == []
    assert TABLE[PACKAGE_OF[name]].files[name] - imported(name) == set(), "the file does not need these"


@pytest.mark.parametrize("package", TABLE)
def test_package_uses_what_its_row_says(package: str) -> None:
    entry = TABLE[package]
    assert entry.uses - {target for name in entry.files for target in imported(name)} == set(), "nothing needs these"


def test_util_imports_requests_only_where_its_absence_is_handled() -> None:
    found = [each for name in PACKAGE_OF for each in imports(read_util(name)) if each.target in ("requests", "urllib3")]
    assert found
    assert [each for each in found if not each.guarded] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_module_imports_only_what_its_row_allows(name: str) -> None:
    package = f"{COLLECTION}.plugins.modules"
    assert forbidden_imports(read("modules", name), MODULE_IMPORTS, package) == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_module_knows_nothing_of_the_wire(name: str) -> None:
    assert wire_knowledge(read("modules", name)) == []


def names_of(owner: ast.Module | ast.ClassDef) -> set[str]:
    """What a file or a class defines; for a class, its attributes, too."""
    found = {node.name for node in owner.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(owner) if isinstance(owner, ast.ClassDef) else owner.body:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            found.add(node.attr)
        elif isinstance(node, ast.Assign) and isinstance(owner, ast.Module):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("name", PACKAGE_OF)
def test_no_two_names_differ_by_an_underscore(name: str) -> None:
    tree = ast.parse(read_util(name))
    owners: list[ast.Module | ast.ClassDef] = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for owner in owners:
        found = names_of(owner)
        assert {each for each in found if f"_{each}" in found} == set()


@pytest.mark.parametrize("name", PACKAGE_OF)
def test_a_file_can_be_read_in_one_go(name: str) -> None:
    assert len(read_util(name).splitlines()) <= 350


def test_packages_have_no_circle() -> None:
    left = {package: {PACKAGE_OF[name] for name in entry.uses} for package, entry in TABLE.items()}
    while left:
        free = {package for package, uses in left.items() if not uses & set(left)}
        assert free, f"these use each other: {sorted(left)}"
        left = {package: uses for package, uses in left.items() if package not in free}


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
