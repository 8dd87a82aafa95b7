# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's own path without AWX, and what stands under awx/."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.faults.secrets_canaries import PASSWORD, Canaries
from tests.harness.awx import NIGHTLY
from tests.harness.checkout import ROOT, collections_root
from tests.harness.held import contents
from tests.progress.plays import kits, settings_of
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import PROJECT, Job, called, command_line, credential, prepare, read_job, run_job, verified
from tests.roles.test_variables import options_of
from tests.simulator import LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR

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
    return {question["variable"]: question["default"] for question in survey(role)["spec"] if "default" in question}


def emptied(role: str) -> dict[str, Any]:
    """What AWX sends for a survey in which somebody has emptied each text."""
    texts = [question["variable"] for question in survey(role)["spec"] if question["type"] == "text"]
    return {**untouched(role), **dict.fromkeys(texts, "")}


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
    ran = called(["bash", "-o", "pipefail", "-c", script])
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
    (filled,) = job.of("content_library_update_session")
    assert filled.changed
    assert filled.result["item_created"]
    assert filled.result["session"]["state"] == "DONE"
    diff = filled.result["diff"]
    assert (diff["before"]["state"], diff["after"]["state"]) == (None, "DONE")
    assert diff["before"]["item_content"] == {}
    assert diff["after"]["item_content"]["drivers.iso"]["content"] == f"same as {images.iso}"
    assert filled.result["trace"]
    assert "VMWARE_VALIDATE_CERTS" in json.dumps(filled.result["warnings"])
    assert jobs.contents("templates", "drivers") == {"drivers.iso": images.iso.read_bytes()}
    require_secrets_kept(tmp_path / "processed", canaries)


@pytest.mark.rest
def test_a_failed_job_tells_its_type_and_leaves_no_item(
    jobs: Jobs, images: Images, canaries: Canaries, tmp_path: Path
) -> None:
    answers = {"publish_libraries": "templates", "publish_src": str(images.signed), "publish_library_item": "fresh"}

    job = run_like_awx(tmp_path, "publish.yml", verified(credential(jobs.sim), jobs.sim), answers).failed()

    (refused,) = job.of("content_library_update_session")
    assert refused.result["error"]["type"] == "WARNINGS_NOT_IGNORED"
    assert "SELF_SIGNED_CERTIFICATE" in refused.result["msg"]
    assert "which this task created, was deleted again" in refused.result["msg"]
    last = [task for task in job.tasks if task.verdict == "failed"][-1]
    assert "fresh in templates on " in last.result["msg"]
    assert ": failed (WARNINGS_NOT_IGNORED)." in last.result["msg"]
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


@pytest.mark.rest
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
            assert contents(sim, "drivers") == {"drivers.iso": images.iso.read_bytes()}
        assert not [task for task in job.tasks if task.result.get("warnings")], "each certificate is verified"


@pytest.mark.rest
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
    options = options_of(role)
    asked = {question["variable"]: question for question in survey(role)["spec"]}
    variables = yaml.safe_load((ROOT / "roles" / role / "vars" / "main.yml").read_text(encoding="utf-8"))

    assert set(asked) <= set(options)
    assert {name for name, option in options.items() if option.get("required")} <= set(asked)
    for name, question in asked.items():
        option = options[name]
        assert option["type"] in QUESTIONS[question["type"]], name
        allowed = option.get("choices", ["false", "true"] if option["type"] == "bool" else None)
        assert (question["choices"] or None) == allowed, name
        assert not option.get("required") or question["required"], name
        # Of a number it is the least one, and of a text the shortest.
        rule = variables[f"__{role}_rules"].get(name, {})
        assert question["min"] == (rule["range"][0] if question["type"] == "integer" else int(question["required"]))
        # A default of the survey says what the role would do without an answer. AWX sends an empty one as well, and it
        # would replace what the job template says.
        if usual := option.get("default", ""):
            assert question["default"] == usual, name
        elif "default" in question:
            assert question["default"] == (str(usual).lower() if option["type"] == "bool" else usual) != "", name


@pytest.mark.parametrize(
    "path", sorted([*(AWX / "surveys").glob("*.json"), NIGHTLY / "survey.json"]), ids=lambda path: path.stem
)
def test_a_survey_requires_no_answer_that_has_a_default(path: Path) -> None:
    asked = json.loads(path.read_text(encoding="utf-8"))["spec"]
    assert asked
    assert [question["variable"] for question in asked if question["required"] and "default" in question] == []


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits("awx"))
def test_emptied_answers_are_none(jobs: Jobs, images: Images, tmp_path: Path, kit: str) -> None:
    asked: dict[str, dict[str, Any]] = {
        "publish": {"publish_libraries": "templates", "publish_src": str(images.iso)},
        "fetch": {"fetch_library": "templates", "fetch_library_item": "drivers", "fetch_dest": str(tmp_path / "out")},
        "retain": {"retain_libraries": "templates", "retain_items": "drivers-*", "retain_keep": 3},
        "check": {},
        "sessions": {},
        "clean_sessions": {},
    }
    env, settings = verified(credential(jobs.sim), jobs.sim), settings_of(kit)
    for role, answers in asked.items():
        entered = {**emptied(role), **answers}
        run_job(tmp_path / role, f"{role}.yml", env, entered, settings=settings).succeeded()
    assert (tmp_path / "out" / "drivers.iso").read_bytes() == images.iso.read_bytes()
    assert not jobs.sim.run(lambda store: store.updates.sessions), "the session of the publish has ended"


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits("newest", "awx"))
def test_a_name_is_taken_as_entered_or_refused(jobs: Jobs, images: Images, tmp_path: Path, kit: str) -> None:
    """From 2.19 on, ansible-core makes 9.1 of the answer 9.10 before a role sees it."""
    jobs.sim.reset(Seed(libraries=(LibrarySeed("2024"),)))
    answers = {"publish_libraries": "2024", "publish_library_item": "9.10", "publish_src": str(images.iso)}
    env, settings = verified(credential(jobs.sim), jobs.sim), settings_of(kit)

    job = run_job(tmp_path / "entered", "publish.yml", env, answers, settings=settings)

    if kit == "newest":
        (refused,) = [task.result["msg"] for task in job.failed().tasks if task.verdict == "failed"]
        assert "publish_libraries is 2024, which is not text." in refused
        assert "publish_library_item is 9.1, which is not text. AWX with ansible-core 2.19 or later" in refused
        assert not jobs.sim.exchanges
        inside = {"publish_src": answers.pop("publish_src")}
        run_job(tmp_path / "job", "publish.yml", env, inside, template_vars=answers, settings=settings).succeeded()
    assert contents(jobs.sim, "9.10", "2024") == {"drivers.iso": images.iso.read_bytes()}


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_documentation_of_a_role_agree(role: str) -> None:
    folder = ROOT / "roles" / role
    specs = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    # A list has no default there: with one, Ansible would refuse none, which it makes of an empty answer.
    assert not [name for name, option in options.items() if option["type"] == "list" and "default" in option]
    documented = {
        name: option.get("default", [])
        for name, option in options.items()
        if "default" in option or option["type"] == "list"
    }
    assert yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8")) == documented
    assert all(option.get("required") for name, option in options.items() if name not in documented)


def test_project_playbooks_and_roles_go_together() -> None:
    assert sorted(path.stem for path in (AWX / "project").glob("*.yml")) == sorted([*ROLES, "nightly"])
    assert sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")) == ROLES
    assert sorted(path.stem for path in (AWX / "surveys").glob("*.json")) == ROLES


def test_the_project_brings_the_collection_along() -> None:
    """AWX runs this when it updates the project; here the checkout is what is found installed, or not new enough."""
    requirements = PROJECT / "collections" / "requirements.yml"
    wanted = yaml.safe_load(requirements.read_text(encoding="utf-8"))["collections"]
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert wanted == [{"name": "vsphere.content", "version": version}]
    place = ["--offline", "--collections-path", str(collections_root())]
    ran = called(["ansible-galaxy", "collection", "install", "--requirements-file", str(requirements), *place])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "already installed" in ran.stdout
