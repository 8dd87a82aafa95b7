# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that a playbook may hold, drawn from the modules' own argument specs: fitting, odd and impossible ones."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fuzz.judge import PROGRESS
from tests.fuzz.mutate import TEXTS, URLS
from tests.harness.modules import MODULES

Spec = Mapping[str, Mapping[str, Any]]

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    7,
    100,
    2**31,
    10**30,
    0.5,
    "",
    " ",
    "yes",
    "no",
    "12",
    "1e3",
    "a=b",
    "[]",
    "{}",
    "a,b",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": ""},
    {"a": {"b": ["c"]}},
    *(text for text in TEXTS if text != "long " * 4000),
)
# Outside of the sandbox no option may lead to a place where anything could be written, or wait for somebody.
PLACES = (
    "dest",
    "dest/below",
    "tools.iso",
    "link",
    "loop",
    "pipe",
    "rocky9",
    "rocky9/rocky9.ovf",
    "nowhere",
    "other.iso",
)
SPECIAL_PLACES = (
    "/dev/null",
    "/proc/self",
    "relative/path",
    "",
    ".",
    "nul\0in it",
    "x" * 300,
    "~",
    "$HOME/nowhere",
    "\udcff",
)
IDENTIFIERS = ("0b1e1a5c-6d3c-4b53-9a19-6c0e2c9f8a55", "a:b", "..", "", "a/../b", "\udcff", "a\nb", "ü", "%2e%2e")
MODES = ("0644", "u+x", "u=rw,g=r,o=", "99999", "rwx", "preserve", "", 420, -1, "0o644")
ATTRIBUTES = ("zz", "=zz", "-z")
HOSTS = ("vcenter.test", "[::1]", "::1", "https://vcenter.test", "a b", "user:word@vcenter.test", "a" * 300, "", "x..y")


def read_specs(names: list[str]) -> dict[str, tuple[Spec, tuple[str, ...]]]:
    """The argument spec of each module, with the connection options and those of files that it takes as well."""
    return {name: _read_spec(name) for name in names}


def _read_spec(name: str) -> tuple[Spec, tuple[str, ...]]:
    module = importlib.import_module(f"{MODULES}.{name}")
    read: list[tuple[Spec, bool]] = []

    def keep(spec: Spec, *_functions: Any, **rules: Any) -> None:
        read.append((spec, bool(rules.get("add_file_common_args"))))

    given = vars(module)["run_module"]
    vars(module)["run_module"] = keep
    try:
        module.main()
    finally:
        vars(module)["run_module"] = given
    [(spec, files)] = read
    connection_options = importlib.import_module(
        "ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options"
    )
    common = {name: {"type": "str"} for name in ("mode", "owner", "group", "attributes", "seuser")} if files else {}
    return {**connection_options.connection_spec(), **spec, **common}, tuple(spec)


def draw_options(
    rng: random.Random, given: Mapping[str, Any], spec: Spec, own: tuple[str, ...], sandbox: Path
) -> dict[str, Any]:
    """What is given, with some of it left out, changed or added."""
    options = dict(given)
    for _count in range(rng.choice((1, 1, 2, 3, 5, 8))):
        name = rng.choice(own if rng.random() < 0.8 else tuple(spec))
        drawn = rng.random()
        if drawn < 0.12 and options:
            options.pop(rng.choice(list(options)))
        elif drawn < 0.13:
            options[rng.choice(TEXTS[:20]) or "libary"] = rng.choice(ODD)
        else:
            options[name] = draw_value(rng, name, spec[name], sandbox)
    return options


def draw_value(rng: random.Random, name: str, option: Mapping[str, Any], sandbox: Path) -> Any:
    drawn = rng.random()
    if drawn < 0.1:
        return rng.choice(ODD)
    if "choices" in option and drawn < 0.9:
        return rng.choice(option["choices"])
    kind = option.get("type", "str")
    if kind == "list":
        return _draw_list(rng, name, option, sandbox)
    if kind == "dict":
        return _draw_entry(rng, option.get("options", {}), sandbox)
    if kind == "bool":
        return rng.choice((True, False, "yes", "false", 1, "maybe"))
    if kind == "int":
        number = rng.choice((0, 1, 2, 5, 32, 33, 100, 101, -1, 65535, 65536, 2**40, "3", "x", 1.5))
        # A task may ask every few seconds for as long, which the replay takes for one that never ends.
        return 999 if number == 65535 and name.endswith("_timeout") else number
    return _draw_text(rng, name, kind, sandbox)


def _draw_list(rng: random.Random, name: str, option: Mapping[str, Any], sandbox: Path) -> list[Any]:
    element = {**option, "type": option.get("elements", "str")}
    length = rng.choice((0, 1, 1, 1, 2, 3, 50))
    return [draw_value(rng, name, element, sandbox) for _count in range(length)]


def _draw_entry(rng: random.Random, spec: Spec, sandbox: Path) -> dict[str, Any]:
    names = [name for name in spec if spec[name].get("required") or rng.random() < 0.35]
    return {name: draw_value(rng, name, spec[name], sandbox) for name in names}


def _draw_text(rng: random.Random, name: str, kind: str, sandbox: Path) -> Any:
    if name == "progress_file":
        # Lines are added to it, whatever it is, as its documentation says.
        return str(sandbox / rng.choice((PROGRESS, "dest", "link", "loop", "pipe", "nowhere")))
    if kind == "path":
        return str(sandbox / rng.choice(PLACES)) if rng.random() < 0.75 else rng.choice(SPECIAL_PLACES)
    special: Mapping[str, tuple[Any, ...]] = {
        "url": (*URLS, "https://mirror.test/x.iso", "ds:///v/x.iso", "https://u:p@m.test/x.iso?k=v#f"),
        "hostname": HOSTS,
        "proxy_host": HOSTS,
        "mode": MODES,
        "attributes": ATTRIBUTES,
        "owner": ("root", "nobody-has-this-name", "0", ""),
        "group": ("root", "nobody-has-this-name", ""),
        "name": ("tools.iso", "disk.vmdk", "new", ""),
        "files": ("*", "a.iso", "*.iso", "[", "nothing"),
        "checksum": ("0" * 40, "0" * 64, "g" * 64, "AB" * 20),
        "client_token": ("b8a2a2e3-2314-43cd-a871-6ede0f429751", "once"),
        "library": ("templates", "nothing"),
        "library_item": ("tools", "rocky9"),
    }
    if name in special and rng.random() < 0.7:
        return rng.choice(special[name])
    if name.endswith("id") and rng.random() < 0.7:
        return rng.choice(IDENTIFIERS)
    return rng.choice(TEXTS)
