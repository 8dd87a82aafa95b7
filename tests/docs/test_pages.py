# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides list, show and promise is what the code has."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.vsphere.content.plugins.module_utils._session import states
from ansible_collections.vsphere.content.plugins.module_utils._update import pull
from ansible_collections.vsphere.content.plugins.module_utils._vcenter import answers, remedies
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.adapters import OLDEST_LIBRARIES
from ansible_collections.vsphere.content.plugins.modules import content_library_update_session
from tests.docs.pages import (
    EE_PIECE,
    SEED,
    Block,
    blocks,
    documents,
    list_table,
    modules,
    other_pages,
    overlooked,
    sections,
)
from tests.docs.scene import Scene
from tests.harness import packages
from tests.harness.checkout import ROOT
from tests.harness.modules import connection_args, run_module
from tests.simulator.__main__ import parser
from tests.simulator.faults import parse_fault
from tests.simulator.seed import seed_from_mapping
from tools import facts, nightly, scale, shelf
from tools.check import PUSH, REST
from tools.environment import check_environment
from tools.package import LINK
from tools.pages import read_part
from tools.sanity import OLDEST, SUPPORTED

README = ROOT / "README.md"
GUIDES = ROOT / "docs" / "docsite" / "rst"
SIGNER = "FINGERPRINT"
SIMULATOR = re.compile(r"python -m tests\.simulator\b(.*)$")
PACKAGES = re.compile(r"python -m tests\.harness\.packages\b(.*)$")
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
CREDENTIAL_TYPES = sorted((ROOT / "awx" / "credential_types").glob("*.json"))


def read(page: str) -> str:
    return (GUIDES / page).read_text(encoding="utf-8")


def options() -> set[str]:
    documented = yaml.safe_load(content_library_update_session.DOCUMENTATION)["options"]
    fragments = [path.read_text(encoding="utf-8") for path in ROOT.glob("plugins/doc_fragments/*.py")]
    return set(documented) | {name for text in fragments for name in re.findall(r"^  ([a-z_]+):$", text, re.MULTILINE)}


def raised_types() -> set[str]:
    """Every error type that the collection itself gives to a failure."""
    found = {*remedies.REMEDIES, *answers.TYPE_OF_STATUS.values(), *pull.PROBE_TYPES.values()}
    for path in ROOT.glob("plugins/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "error_type":
                names: ast.AST = node.value
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_type":
                names = node.value
            else:
                continue
            found.update(_texts(names))
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isupper():
            yield part.value


def test_troubleshooting_has_each_error_type_and_no_other() -> None:
    assert set(sections(read("troubleshooting.rst"), "~")) == raised_types()


@pytest.mark.parametrize("name", sorted(raised_types()))
def test_each_error_type_has_cause_and_remedy(name: str) -> None:
    text = sections(read("troubleshooting.rst"), "~")[name]
    assert "**Cause:**" in text
    advice = text.split("**Remedy:**")[1]
    advised = set(re.findall(r"[a-z]+(?:_[a-z]+)+", remedies.REMEDIES.get(name, ""))) & options()
    assert {option for option in advised if f"``{option}" not in advice} == set()


@pytest.mark.parametrize(
    ("title", "steps", "missing"),
    [
        ("Update sessions: declared and found", states.UPDATE_STEPS, states.MISSING_ITEM_STEPS),
        ("Download sessions", states.DOWNLOAD_STEPS, {}),
    ],
)
def test_the_tables_of_states_are_those_of_the_code(
    title: str, steps: dict[str, dict[str | None, states.Step]], missing: dict[str, states.Step]
) -> None:
    header, *rows = list_table(sections(read("session_states.rst"), "-")[title])
    shown = {row[0]: dict(zip(header[1:], row[1:])) for row in rows}
    assert shown == {
        declared: {
            **({"no item": missing[declared].value} if missing else {}),
            **{found or "no session": step.value for found, step in cells.items()},
        }
        for declared, cells in steps.items()
    }


def test_the_picture_shows_the_states_and_what_leads_to_them() -> None:
    picture = ElementTree.parse(ROOT / "docs" / "images" / "session-states.svg")
    texts = {"".join(element.itertext()) for element in picture.iter() if element.tag.endswith("}text")}
    wanted = {found for cells in states.UPDATE_STEPS.values() for found in cells if found}
    assert wanted <= texts
    assert {f"state: {declared}" for declared in states.UPDATE_STEPS if declared != "active"} <= texts


def test_signed_content_explains_each_warning() -> None:
    documented = yaml.safe_load(content_library_update_session.DOCUMENTATION)
    types = documented["options"]["warning_behavior"]["suboptions"]["type"]["choices"]
    explained = sections(sections(read("guide_signed_content.rst"), "-")["The warnings"], "~")
    assert {name for name in explained if name.endswith("_CERTIFICATE")} == set(types)
    assert all("**It means:**" in explained[name] and "**To decide:**" in explained[name] for name in types)


def test_a_refused_session_shows_what_the_guide_says(scene: Scene) -> None:
    scene.sim.reset(scene.seed)
    found = run_module(
        "content_library_update_session",
        {
            **connection_args(scene.sim),
            "library": "templates",
            "library_item": "rocky9",
            "state": "done",
            "files": [{"src": str(scene.folder / "images" / "rocky9" / "rocky9.ovf")}],
        },
    )
    said = read("guide_signed_content.rst").split(".. the text of a refused session")[1]
    block = re.search(r"code-block:: text\n\n((?:   .*\n)+)", said)
    assert block
    places = {
        f"{scene.sim.hostname}:{scene.sim.port}": "vcenter.example.com",
        found.result["error"]["data"]["accepted_signer"]: SIGNER,
    }
    shown = found.result["msg"]
    for place, name in places.items():
        shown = shown.replace(place, name)
    assert shown == " ".join(block.group(1).split())


def commands(program: re.Pattern[str]) -> list[str]:
    """The arguments that the pages call a program with."""
    lines = [line for path in documents() for block in blocks(path) for line in block.commands]
    return sorted({arguments.strip() for line in lines for arguments in program.findall(line)})


@pytest.mark.parametrize("command", commands(SIMULATOR))
def test_the_simulator_takes_the_options_that_pages_give_it(command: str) -> None:
    options = parser().parse_args(shlex.split(command.split("&")[0].split(">")[0]))
    for fault in options.fault:
        parse_fault(fault)


@pytest.mark.parametrize("command", commands(PACKAGES))
def test_the_harness_makes_what_pages_have_it_make(command: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert packages.main(shlex.split(command.replace("/images/", f"{tmp_path}/images/"))) == 0
    assert any((tmp_path / "images").iterdir())


def test_the_simulator_takes_the_seed_of_its_guide() -> None:
    (seed,) = (block for block in blocks(GUIDES / "guide_simulator.rst") if block.comment == SEED)
    assert seed_from_mapping(seed.content({})).libraries[1].security_policy_id == "ovf-strict"


@pytest.mark.parametrize(
    "piece",
    [block for block in blocks(GUIDES / "guide_execution_environment.rst") if block.comment == EE_PIECE],
    ids=lambda piece: next(iter(piece.content({}))),
)
def test_ansible_builder_takes_the_pieces_of_its_page(piece: Block, tmp_path: Path) -> None:
    metadata = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    tarball = tmp_path / ".cache" / "dist" / f"{metadata['namespace']}-{metadata['name']}-{metadata['version']}.tar.gz"
    tarball.parent.mkdir(parents=True)
    tarball.touch()
    whole = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))
    added = piece.content({})
    definition = {**whole, **added, "dependencies": {**whole["dependencies"], **added["dependencies"]}}
    (tmp_path / "execution-environment.yml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    ran = subprocess.run(
        ["ansible-builder", "create", "--context", "context"],
        cwd=tmp_path,
        env=check_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    context = tmp_path / "context" / "_build"
    wanted = yaml.safe_load((context / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted == added["dependencies"]["galaxy"]
    for collection in wanted["collections"]:
        assert collection.get("type") != "file" or (context / collection["name"]).is_file()


def test_hardly_a_block_of_yaml_is_not_run() -> None:
    reasons = [(path.name, block.why_not_run) for path in documents() for block in blocks(path) if block.why_not_run]
    assert reasons == [("guide_migration.rst", "it is what this guide replaces")] * 4


@pytest.mark.parametrize("path", documents() + other_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_yaml_is_overlooked(path: Path) -> None:
    assert overlooked(path.read_text(encoding="utf-8"), path.suffix) == []


@pytest.mark.parametrize("path", other_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_is_on_pages_whose_examples_are_run(path: Path) -> None:
    assert not any(block.is_played for block in blocks(path))


@pytest.mark.parametrize(
    ("text", "suffix", "found"),
    [
        ("```yaml\na: 1\n```\n", ".md", []),
        ("- a list\n\n  ```shell\n  make\n  ```\n", ".md", []),
        ("- a list\n\n  ```yaml\n  a: 1\n  ```\n", ".md", ["  ```yaml"]),
        ("```\na: 1\n```\n", ".md", ["```"]),
        ("~~~ yaml\na: 1\n~~~\n", ".md", ["~~~ yaml"]),
        ("```text\n```\n\n```yml\na: 1\n```\n", ".md", []),
        (".. code-block:: yaml\n\n   a: 1\n", ".rst", []),
        ("- a list\n\n  .. code-block:: yaml\n\n     a: 1\n", ".rst", ["  .. code-block:: yaml"]),
        (".. code:: yaml\n\n   a: 1\n", ".rst", [".. code:: yaml"]),
        (".. code-block::\n\n   a: 1\n", ".rst", [".. code-block::"]),
        ("Like this::\n\n   a: 1\n", ".rst", ["Like this::"]),
    ],
)
def test_what_counts_as_overlooked(text: str, suffix: str, found: list[str]) -> None:
    assert overlooked(text, suffix) == found


SHELL = [block for path in documents() + other_pages() for block in blocks(path) if block.commands]


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.commands[0][:40])
def test_the_shell_takes_the_commands_of_pages(block: Block) -> None:
    ran = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_page_on_awx_names_what_the_collection_brings() -> None:
    page = read("guide_awx.rst")
    named = set(re.findall(r"\bawx/[\w./$-]*\w", page))
    playbooks = [path.stem for path in (ROOT / "playbooks").glob("*.yml")]
    assert "awx/surveys/$name.json" in named
    paths = {path.replace("$name", playbook) for path in named for playbook in playbooks}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    read_keys = re.findall(r"jq \.(\w+) (awx/\S+\.json)", page)
    assert {path for _key, path in read_keys} == {f"awx/credential_types/{path.name}" for path in CREDENTIAL_TYPES}
    assert [key for key, path in read_keys if key not in json.loads((ROOT / path).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", CREDENTIAL_TYPES, ids=lambda path: path.stem)
def test_the_page_on_awx_makes_credentials_of_our_types(path: Path) -> None:
    kind = json.loads(path.read_text(encoding="utf-8"))
    (made,) = (
        shlex.split(command)
        for block in blocks(GUIDES / "guide_awx.rst")
        for command in block.commands
        if command.startswith("awx credentials create") and f'--credential_type "{kind["name"]}"' in command
    )
    inputs = json.loads(made[made.index("--inputs") + 1])
    assert set(inputs) == {field["id"] for field in kind["inputs"]["fields"]}


def hooks() -> list[Any]:
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in settings["repos"]] == ["local"], "nothing is fetched"
    return list(settings["repos"][0]["hooks"])


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_steps_that_there_are_without_the_network(hook: dict[str, Any]) -> None:
    assert hook["language"] == "system"
    python, *arguments = hook["entry"].split()
    assert (ROOT / python).exists()
    assert arguments[:2] == ["-m", "tools.check"]
    assert set(arguments[2:]) <= {step.name for step in (*PUSH, *REST)}
    assert arguments[2:]


def test_each_page_is_looked_at_before_it_is_committed() -> None:
    (files,) = (hook["files"] for hook in hooks() if hook["id"] == "documentation")
    pages = [str(path.relative_to(ROOT)) for path in [*documents(), *other_pages(), *modules()]]
    assert [page for page in pages if not re.search(files, page)] == []


def test_the_readme_promises_what_is_checked() -> None:
    readme = README.read_text(encoding="utf-8")
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    pins = (ROOT / "requirements" / "demo.in").read_text(encoding="utf-8")
    newest = max(re.findall(r"^ansible-core>=(\d+\.\d+)", pins, re.MULTILINE), key=lambda pin: int(pin.split(".")[1]))
    oldest = runtime["requires_ansible"].strip(">=").removesuffix(".0")
    assert f"| ansible-core | {oldest} or later |" in readme
    assert f"ansible-core {newest}" in readme
    assert f"Python {', '.join(SUPPORTED[:-1])} and {SUPPORTED[-1]}" in readme
    assert f"on Python {OLDEST} also that of {oldest}" in readme


def test_the_oldest_libraries_are_the_same_wherever_they_are_named() -> None:
    oldest = {name: ".".join(map(str, numbers)) for name, numbers in OLDEST_LIBRARIES.items()}
    needed = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    tested = (ROOT / "requirements" / "smallest.in").read_text(encoding="utf-8")
    fragment = (ROOT / "plugins" / "doc_fragments" / "connection.py").read_text(encoding="utf-8")
    readme, guide = (README.read_text(encoding="utf-8"), read("guide_execution_environment.rst"))
    for name, version in oldest.items():
        assert f"\n{name}>={version}\n" in needed
        assert f"\n{name}=={version}\n" in tested
        assert f"- {name} >= {version}\n" in fragment
        assert f"`{name}` {version}" in readme
        assert f"``{name}`` {version}" in guide


def test_the_readme_names_the_pairs_that_the_unit_tests_run_on() -> None:
    """The newest Python is missing there, as it runs all tests, with the newest ansible-core."""
    row = next(line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| Unit tests: "))
    pins = (ROOT / "requirements" / "supported.in").read_text(encoding="utf-8")
    cores = re.findall(
        r'^ansible-core>=(\d+\.\d+)\.\d+,<\S+ ; python_version (<|==|>=) "([\d.]+)"$', pins, re.MULTILINE
    )
    assert [relation for _core, relation, _version in cores] == ["<", "==", "==", "==", ">="]
    assert [version for _core, _relation, version in cores] == [SUPPORTED[1], *SUPPORTED[1:]]
    pinned = [(core, version) for (core, _relation, _bound), version in zip(cores, SUPPORTED)]
    assert re.findall(r"(\d+\.\d+) on Python (\d+\.\d+)", row) == pinned[:-1]


@pytest.mark.parametrize("path", documents() + other_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(path: Path) -> None:
    linked = LINK.findall(path.read_text(encoding="utf-8"))
    assert [target for target in linked if not (path.parent / target).exists()] == []


def test_the_guide_on_scale_has_figures_without_a_failure() -> None:
    part = read_part(scale.PAGE, "scale")
    assert part.startswith(f"{scale.HOSTS} hosts, {scale.FORKS} forks, ")
    header, *runs = list_table(part)
    assert header == list(scale.COLUMNS)
    assert len(runs) == 6
    for run in runs:
        counts = dict(zip(header, run))
        assert [counts[name] for name in ("failures", "sessions left", "damaged")] == ["0", "0", "0"], run


def test_the_guide_on_scale_shows_that_the_nightly_job_does_what_it_can_and_nothing_twice() -> None:
    part = read_part(scale.PAGE, "nightly")
    assert part.startswith(f"{nightly.SCENE}, ")
    header, *nights = list_table(part)
    assert header == list(nightly.COLUMNS)
    each = nightly.LIBRARIES * len(nightly.IMAGES)
    up = each * (len(nightly.VCENTERS) - 1)
    outcomes = [tuple(int(cell) for cell in night[-len(nightly.OUTCOMES) :]) for night in nights]
    assert outcomes == [(up, 0, 0, each), (each, up, 0, 0), (0, up + each, 0, 0)]


def test_the_guide_on_scale_has_a_row_for_each_task_over_a_thousand_items() -> None:
    part = read_part(scale.PAGE, "shelf")
    assert part.startswith(f"{shelf.SCENE}, ")
    header, *tasks = list_table(part)
    assert header == list(shelf.COLUMNS)
    each, kept, family = shelf.ITEMS, shelf.KEPT, shelf.FAMILY
    assert [task[-1] for task in tasks] == [
        f"{each} read",
        f"{each - kept} to be deleted, {kept} stays",
        f"{family - shelf.FAMILY_KEPT} deleted, {shelf.FAMILY_KEPT} stays",
    ]


def test_the_page_of_facts_has_those_of_the_simulator() -> None:
    assert {name: read_part(facts.PAGE, name) for name in facts.parts()} == facts.parts()


def test_a_page_that_leads_to_a_form_for_an_issue_names_one_that_there_is() -> None:
    pages = [*documents(), *other_pages(), *(ROOT / "roles").glob("*/templates/*.j2")]
    named = {name for path in pages for name in re.findall(r"issues/new\?template=([\w.-]+)", path.read_text("utf-8"))}
    forms = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FORMS}
    assert named == {"report.yml"}
    assert all({"name", "description", "body"} <= set(form) for form in forms.values())
    assert named <= set(forms)
