# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands for an AWX say what its API takes, and name what the collection brings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import blocks
from tests.harness.awx import NIGHTLY, commands_of, options_of
from tests.harness.checkout import ROOT

GUIDES = ROOT / "docs" / "docsite" / "rst"
PAGES = {
    name: [line for block in blocks(GUIDES / name) for line in block.commands]
    for name in ("guide_awx.rst", "guide_nightly.rst")
}
COMMANDS = {"make": commands_of(NIGHTLY / "make"), **PAGES}

# What the API of AWX 24.6 takes in a POST to each of these, which become the options of `awx create`; and which of them
# hold JSON.
TAKEN = {
    "projects": "name description organization scm_type scm_url scm_branch scm_refspec scm_clean scm_track_submodules "
    "scm_delete_on_update scm_update_on_launch scm_update_cache_timeout local_path credential timeout allow_override "
    "default_environment signature_validation_credential wait monitor",
    "execution_environments": "name description organization image credential pull",
    "credential_types": "name description kind inputs injectors",
    "credentials": "name description organization user team credential_type inputs",
    "inventory": "name description organization kind host_filter variables prevent_instance_group_fallback",
    "hosts": "name description inventory enabled instance_id variables",
    "job_templates": "name description job_type inventory project playbook scm_branch forks limit verbosity extra_vars "
    "job_tags skip_tags force_handlers start_at_task timeout use_fact_cache execution_environment host_config_key "
    "survey_enabled become_enabled diff_mode allow_simultaneous job_slice_count webhook_service webhook_credential "
    "prevent_instance_group_fallback ask_job_type_on_launch ask_limit_on_launch ask_variables_on_launch "
    "ask_credential_on_launch ask_diff_mode_on_launch ask_verbosity_on_launch ask_inventory_on_launch",
    "schedules": "name description enabled unified_job_template rrule extra_data inventory scm_branch job_type "
    "job_tags skip_tags limit diff_mode verbosity execution_environment forks job_slice_count timeout",
    "notification_templates": "name description organization notification_type notification_configuration messages",
}
REQUIRED = {
    "projects": {"name"},
    "execution_environments": {"name", "image"},
    "credential_types": {"name", "kind"},
    "credentials": {"name", "credential_type"},
    "inventory": {"name", "organization"},
    "hosts": {"name", "inventory"},
    "job_templates": {"name", "project", "playbook"},
    "schedules": {"name", "rrule", "unified_job_template"},
    "notification_templates": {"name", "organization", "notification_type"},
}
JSON_OPTIONS = {"inputs", "injectors", "variables", "extra_vars", "notification_configuration", "messages"}
ASSOCIATED = {"credential", "start_notification", "success_notification", "failure_notification"}
EMAIL = {"host", "port", "username", "password", "use_tls", "use_ssl", "sender", "recipients", "timeout"}
LAUNCHED = {"monitor", "wait", "extra_vars", "job_type", "limit"}


def calls(source: str) -> list[list[str]]:
    """The calls of `awx`, also those within another command, as words."""
    lines = [re.sub(r"^\w+=\$\((awx .+?) \|.*$", r"\1", line) for line in COMMANDS[source]]
    return [shlex.split(line) for line in lines if line.startswith("awx ")]


def as_json(text: str) -> Any:
    """The value of an option: JSON, or the path of a file that holds it. That of a program is for the shell."""
    if text.startswith("$("):
        return {}
    return json.loads((ROOT / text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)


@pytest.mark.parametrize("source", COMMANDS)
def test_awx_takes_each_command(source: str) -> None:
    assert calls(source)
    for _awx, resource, action, *words in calls(source):
        given = options_of(words)
        said = f"awx {resource} {action} {given}"
        for name in JSON_OPTIONS & set(given):
            assert isinstance(as_json(given[name]), dict), said
        if action == "create":
            assert set(given) <= set(TAKEN[resource].split()), said
            assert REQUIRED[resource] <= set(given), said
        elif action in ("associate", "disassociate"):
            assert len(given) == 1, said
            assert set(given) <= ASSOCIATED, said
        elif action == "launch":
            assert set(given) <= LAUNCHED, said
        else:
            assert (action, given) == ("get", {}), said


@pytest.mark.parametrize("source", COMMANDS)
def test_a_mail_has_each_setting_that_awx_requires(source: str) -> None:
    made = [
        options_of(words) for _awx, resource, action, *words in calls(source) if resource == "notification_templates"
    ]
    for given in made:
        assert set(as_json(given["notification_configuration"])) == EMAIL
        assert set(as_json(given["messages"])) <= {"started", "success", "error", "workflow_approval"}
        # AWX refuses a subject of several lines.
        assert all("\n" not in each["message"] for each in as_json(given["messages"]).values())


def test_the_guide_shows_commands_of_the_script() -> None:
    shown = [line for line in PAGES["guide_nightly.rst"] if line.startswith("awx ")]
    assert {" ".join(line.split()) for line in shown} <= {" ".join(line.split()) for line in COMMANDS["make"]}


def test_the_script_is_one_that_bash_takes_and_its_files_are_there() -> None:
    script = NIGHTLY / "make"
    ran = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    text = script.read_text(encoding="utf-8")
    assert [path for path in re.findall(r"\bawx/[\w./]*\.json", text) if not Path(ROOT / path).exists()] == []
