# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's own path without AWX, and what stands under awx/."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.faults.secrets_canaries import PASSWORD, Canaries
from tests.harness.checkout import ROOT, collections_root
from tests.roles.conftest import Images, Jobs, contents
from tests.roles.jobs import PROJECT, SECONDS, Job, command_line, credential, prepare, read_job, run_job, verified
from tests.simulator import Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR
from tools.environment import check_environment

AWX = ROOT / "awx"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
SESSION_URL = "https://{0.hostname}:{0.port}/api/session"
QUESTIONS = {
    "text": ("str", "list"),
    "textarea": ("str",),
    "password": ("str",),
    "integer": ("int",),
    "multiplechoice": ("str", "bool"),
    "multiselect": ("list",),
}


def survey(role: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((AWX / "surveys" / f"{role}.json").read_text(encoding="utf-8"))
    return loaded


def untouched(role: str) -> dict[str, Any]:
    """What AWX sends for a survey in which nobody has changed anything."""
    return {
        question["variable"]: [] if question["type"] == "multiselect" else question["default"]
        for question in survey(role)["spec"]
    }


@pytest.fixture
def canaries(jobs: Jobs) -> Canaries:
    """The password and each token of a vCenter, none of which may be seen."""
    jobs.sim.reset(Seed(users=(UserSeed(ADMINISTRATOR, password=PASSWORD),)))
    found = Canaries()
    found.add("password", PASSWORD, ADMINISTRATOR)
    jobs.sim.run(lambda store: found.add_tokens_of(store.logins))
    return found


def run_like_awx(folder: Path, playbook: str, env: dict[str, str], extra_vars: dict[str, Any], *options: str) -> Job:
    """Send a job, work on it elsewhere, and take in what comes back; only the last folder is AWX's."""
    prepare(folder / "sent", env, extra_vars)
    runner = "ansible-runner"
    script = (
        f"{runner} transmit {folder}/sent --playbook {playbook} --ident job {shlex.join(command_line(options))}"
        f" | {runner} worker --private-data-dir {folder}/worker"
        f" | {runner} process {folder}/processed --ident job"
    )
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env=check_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (folder / "processed" / "artifacts" / "job" / "status").exists(), ran.stdout + ran.stderr
    return read_job(folder / "processed")


def require_secrets_kept(folder: Path, canaries: Canaries) -> None:
    """Runner's own record of the environment that it was given is the only file that holds any."""
    assert "token" in canaries.forms
    assert canaries.files_in(folder) == {"artifacts/job/command": ["password"]}


def test_publish_with_the_built_in_credential_alone(
    jobs: Jobs, images: Images, canaries: Canaries, tmp_path: Path
) -> None:
    env = {**credential(jobs.sim), "VMWARE_VALIDATE_CERTS": "False"}
    answers = {**untouched("publish"), "publish_libraries": "templates", "publish_src": str(images.iso)}

    # What "Show changes" of a job template adds, and "Verbosity: 3 (Debug)".
    job = run_like_awx(tmp_path, "publish.yml", env, answers, "--diff", "-vvv").succeeded()

    assert {event["event"] for event in job.events} >= {"playbook_on_start", "runner_on_ok", "playbook_on_stats"}
    made, filled = job.of("content_library_item") + job.of("content_library_update_session")
    assert made.changed
    assert made.result["diff"]["before"] == {"state": "absent"}
    assert filled.changed
    assert filled.result["session"]["state"] == "DONE"
    diff = filled.result["diff"]
    assert (diff["before"]["state"], diff["after"]["state"]) == (None, "DONE")
    assert diff["before"]["item_content"] == {}
    assert diff["after"]["item_content"]["drivers.iso"]["content"] == f"same as {images.iso}"
    assert filled.result["trace"]
    assert "VMWARE_VALIDATE_CERTS" in json.dumps(filled.result["warnings"])
    assert jobs.contents("templates", "drivers") == {"drivers.iso": images.iso.read_bytes()}
    require_secrets_kept(tmp_path / "processed", canaries)


def test_a_failed_job_tells_its_type_and_leaves_no_item(
    jobs: Jobs, images: Images, canaries: Canaries, tmp_path: Path
) -> None:
    answers = {"publish_libraries": "templates", "publish_src": str(images.signed), "publish_library_item": "fresh"}

    job = run_like_awx(tmp_path, "publish.yml", verified(credential(jobs.sim), jobs.sim), answers).failed()

    (refused,) = job.of("content_library_update_session")
    assert refused.result["error"]["type"] == "WARNINGS_NOT_IGNORED"
    assert "SELF_SIGNED_CERTIFICATE" in refused.result["msg"]
    (made,) = job.of("content_library_item")
    assert made.changed
    last = [task for task in job.tasks if task.verdict == "failed"][-1]
    assert "fresh, which this run had made, was deleted again" in last.result["msg"]
    assert "fresh" not in jobs.item_names()
    assert not [task.name for task in job.tasks if "diff" in task.result], "nobody asked for it"
    require_secrets_kept(tmp_path / "processed", canaries)


def render(template: Any, namespace: dict[str, Any]) -> Any:
    """Injectors are Jinja in the leaves of a document."""
    if isinstance(template, dict):
        return {key: render(value, namespace) for key, value in template.items()}
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(namespace)


def credential_type(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((AWX / "credential_types" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def authority_env(ca_type: dict[str, Any], file: Path) -> dict[str, str]:
    """What the credential type for an authority puts into the environment, all that it injects beside its file."""
    assert set(ca_type["injectors"]) == {"file", "env"}
    injected: dict[str, str] = render(ca_type["injectors"]["env"], {"tower": {"filename": {"ca": str(file)}}})
    return injected


@pytest.mark.parametrize("authority_first", [True, False])
def test_each_host_has_its_own_vcenter_with_both_credentials(
    jobs: Jobs, images: Images, tmp_path: Path, authority_first: bool
) -> None:
    """The built-in credential names one vCenter and switches verification off, and either may come first."""
    with Simulator(settle=0.05) as other:
        vcenters = {"berlin": jobs.sim, "tokyo": other}
        authority = tmp_path / "ca.pem"
        authority.write_text("".join(Path(sim.ca_path).read_text(encoding="utf-8") for sim in vcenters.values()))
        listed = {"VMWARE_ALLOWED_HOSTS": f"{jobs.sim.hostname}:*"}
        built_in = {**credential(jobs.sim), "VMWARE_VALIDATE_CERTS": "False", **listed}
        ours = authority_env(credential_type("certificate_authority"), authority)
        inventory = {
            "all": {
                "hosts": {
                    name: {"vcenter_connection": {"hostname": sim.hostname, "port": sim.port}}
                    for name, sim in vcenters.items()
                }
            }
        }
        answers = {"publish_libraries": "templates", "publish_src": str(images.iso), "vcenter_hosts": "all"}

        job = run_job(
            tmp_path / "job",
            "publish.yml",
            {**ours, **built_in} if authority_first else {**built_in, **ours},
            answers,
            inventory=inventory,
        ).succeeded()

        for sim in vcenters.values():
            assert contents(sim, "templates", "drivers") == {"drivers.iso": images.iso.read_bytes()}
        assert not [task for task in job.tasks if task.result.get("warnings")], "each certificate is verified"


def test_the_credential_types_inject_a_token_and_an_authority(jobs: Jobs, canaries: Canaries, tmp_path: Path) -> None:
    import requests

    token_type, ca_type = (credential_type(name) for name in ("session_token", "certificate_authority"))
    # As text it would be sent in Latin-1.
    login = requests.auth.HTTPBasicAuth(jobs.sim.username.encode(), jobs.sim.password.encode())
    token = requests.post(SESSION_URL.format(jobs.sim), auth=login, verify=jobs.sim.ca_path, timeout=60).json()
    authority = tmp_path / "ca.pem"
    inputs = {"hostname": jobs.sim.hostname, "session_token": token}
    pem = {"ca_certificates": Path(jobs.sim.ca_path).read_text(encoding="utf-8")}
    authority.write_text(render(ca_type["injectors"]["file"], pem)["template.ca"], encoding="utf-8")
    env = {**render(token_type["injectors"]["env"], inputs), **authority_env(ca_type, authority)}

    env["VMWARE_PORT"] = str(jobs.sim.port)
    job = run_job(tmp_path / "job", "sessions.yml", env, untouched("sessions")).succeeded()

    assert not [task for task in job.tasks if task.result.get("warnings")]
    assert jobs.sim.run(lambda store: store.logins.count) == 1, "a session that was handed over is not logged out"
    assert canaries.files_in(tmp_path / "job" / "artifacts") == {"job/command": ["token"]}
    for kind in (token_type, ca_type, credential_type("listed_hosts")):
        fields = {field["id"] for field in kind["inputs"]["fields"]}
        used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(kind["injectors"])))
        assert used == fields == set(kind["inputs"]["required"])
    assert [field["id"] for field in token_type["inputs"]["fields"] if field.get("secret")] == ["session_token"]


def test_a_credential_for_listed_hosts_goes_to_these_alone(jobs: Jobs, canaries: Canaries, tmp_path: Path) -> None:
    kind = credential_type("listed_hosts")
    assert [field["id"] for field in kind["inputs"]["fields"] if field.get("secret")] == ["password"]
    hosts = {
        name: {"vcenter_connection": {"hostname": host, "port": jobs.sim.port, "ca_path": jobs.sim.ca_path}}
        for name, host in (("berlin", jobs.sim.hostname), ("tokyo", "localhost"))
    }
    inputs = {
        "username": jobs.sim.username,
        "password": jobs.sim.password,
        "allowed_hosts": f"vcenter.*.example.com\n{jobs.sim.hostname}:{jobs.sim.port}\n",
    }

    job = run_job(
        tmp_path / "job",
        "sessions.yml",
        render(kind["injectors"]["env"], inputs),
        {**untouched("sessions"), "vcenter_hosts": "all"},
        inventory={"all": {"hosts": hosts}},
    ).failed()

    (refused,) = [task.result for task in job.tasks if task.verdict == "failed"]
    assert f"the task names localhost:{jobs.sim.port}, and the password" in refused["msg"]
    assert set(job.stats["ok"]) >= {"berlin"}
    assert list(job.stats["failures"]) == ["tokyo"]
    assert canaries.files_in(tmp_path / "job" / "artifacts") == {"job/command": ["password"]}


@pytest.mark.parametrize("role", ROLES)
def test_a_survey_asks_for_what_the_role_takes(role: str) -> None:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    asked = {question["variable"]: question for question in survey(role)["spec"]}

    assert set(asked) <= set(options)
    assert {name for name, option in options.items() if option.get("required")} <= set(asked)
    for name, question in asked.items():
        option = options[name]
        assert option["type"] in QUESTIONS[question["type"]], name
        allowed = option.get("choices", ["false", "true"] if option["type"] == "bool" else None)
        assert (question["choices"] or None) == allowed, name
        assert not option.get("required") or question["required"], name
        # A default of the survey says what the role would do without an answer.
        usual = option.get("default", "")
        expected = "" if option["type"] == "list" else str(usual).lower() if option["type"] == "bool" else usual
        assert question["default"] == expected, name


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_documentation_of_a_role_agree(role: str) -> None:
    folder = ROOT / "roles" / role
    specs = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert yaml.safe_load((folder / "defaults" / "main.yml").read_text(encoding="utf-8")) == documented
    assert all(option.get("required") for name, option in options.items() if name not in documented)


def test_project_playbooks_and_roles_go_together() -> None:
    assert sorted(path.stem for path in (AWX / "project").glob("*.yml")) == ROLES
    assert sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")) == ROLES
    assert sorted(path.stem for path in (AWX / "surveys").glob("*.json")) == ROLES


def test_the_project_brings_the_collection_along() -> None:
    """AWX runs this when it updates the project; here the checkout is what is found installed, or not new enough."""
    requirements = PROJECT / "collections" / "requirements.yml"
    wanted = yaml.safe_load(requirements.read_text(encoding="utf-8"))["collections"]
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert wanted == [{"name": "vsphere.content", "version": version}]
    place = ["--offline", "--collections-path", str(collections_root())]
    ran = subprocess.run(
        ["ansible-galaxy", "collection", "install", "--requirements-file", str(requirements), *place],
        env=check_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "already installed" in ran.stdout
