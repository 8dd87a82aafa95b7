# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A night of many vCenters and libraries in which some of them fail, and the night after."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.harness.awx import NIGHTLY, commands_of, options_of
from tests.harness.checkout import ROOT
from tests.harness.held import contents
from tests.harness.packages import certificate_in
from tests.harness.tasks import is_login
from tests.progress.plays import kits, settings_of
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import Job, credential, run_job, verified
from tests.simulator import LibrarySeed, Seed, Simulator, Store, UserSeed
from tools.environment import check_environment

LIBRARIES = ("isos", "templates", "archive")
NIGHT = Seed(libraries=tuple(LibrarySeed(name) for name in LIBRARIES))


@pytest.fixture
def vcenters(jobs: Jobs) -> Iterator[dict[str, Simulator]]:
    """Four vCenters with the same libraries, by the hosts that stand for them."""
    with ExitStack() as stack:
        others = {name: stack.enter_context(Simulator(settle=0.05)) for name in ("berlin", "lima", "tokyo")}
        found = {**others, "oslo": jobs.sim}
        for sim in found.values():
            sim.reset(NIGHT)
        yield found


def inventory(vcenters: Mapping[str, Simulator]) -> dict[str, Any]:
    hosts = {
        name: {"vcenter_connection": {"hostname": sim.hostname, "port": sim.port, "ca_path": sim.ca_path}}
        for name, sim in vcenters.items()
    }
    return {"all": {"hosts": hosts}}


def made(resource: str) -> list[dict[str, str]]:
    """The options of each command of the script for an AWX that creates such a resource."""
    calls = [shlex.split(line) for line in commands_of(NIGHTLY / "make") if line.startswith(f"awx {resource} create")]
    return [options_of(words) for words in calls]


def encrypted(vault: Path, command: str, password: str) -> str:
    """What a command of the guide writes when somebody types this password."""
    words = shlex.split(command.partition(">")[0].replace(f"~/{vault.name}", str(vault)))
    ran = subprocess.run(
        words, input=password, env=check_environment(os.environ), capture_output=True, text=True, check=True
    )
    return ran.stdout


@pytest.mark.rest
def test_the_job_that_the_guide_makes_in_an_awx_publishes_and_mails_what_is_missing(
    vcenters: dict[str, Simulator], images: Images, tmp_path: Path
) -> None:
    names = ("berlin", "tokyo")
    for name in names:
        (tmp_path / f"vault-{name}").write_text(f"the vault of {name}", encoding="utf-8")
        vcenters[name].reset(replace(NIGHT, users=(UserSeed("publisher@vsphere.local", f"Canary-of-{name}"),)))
    vcenters["tokyo"].run(lambda store: set_kind(store, "templates", "SUBSCRIBED"))
    shutil.copytree(images.folder, tmp_path / "images")
    (tmp_path / "images" / "drivers.iso").rename(tmp_path / "images" / "tools.iso")
    (tmp_path / "images" / "signer.pem").write_text(
        certificate_in(images.signed.with_suffix(".cert")), encoding="utf-8"
    )
    (tmp_path / "ca.pem").write_text("".join(Path(vcenters[name].ca_path).read_text() for name in names))

    (shared,) = made("inventory")
    hosts = {host["name"]: json.loads(host["variables"]) for host in made("hosts")}
    assert hosts == {name: {"vcenter_hostname": f"vcenter.{name}.example.com"} for name in names}
    here = {name: {"vcenter_hostname": vcenters[name].hostname, "vcenter_port": vcenters[name].port} for name in names}
    variables = json.loads(shared["variables"])
    variables["vcenter_connection"]["port"] = "{{ vcenter_port }}"
    (template,) = made("job_templates")
    survey = json.loads((NIGHTLY / "survey.json").read_text(encoding="utf-8"))
    defaults = {question["variable"]: question["default"] for question in survey["spec"]}
    assert defaults == {"vcenter_hosts": "all", "vcenter_serial": "100%"}, "as without an answer"
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_nightly.rst").read_text(encoding="utf-8")
    commands = {name: found for found, name in re.findall(r"(ansible-vault .+ > host_vars/(\w+)\.yml)", guide)}
    files = {
        f"host_vars/{name}.yml": encrypted(tmp_path / f"vault-{name}", commands[name], f"Canary-of-{name}")
        for name in names
    }

    job = run_job(
        tmp_path / "job",
        template["playbook"],
        {"VMWARE_CA_PATH": str(tmp_path / "ca.pem")},
        dict.fromkeys(defaults, ""),
        f"--forks {template['forks']}",
        "-vvv",
        *(f"--vault-id {name}@{tmp_path}/vault-{name}" for name in names),
        inventory={"all": {"hosts": here, "vars": variables}},
        template_vars=json.loads(template["extra_vars"].replace("/images", str(tmp_path / "images"))),
        files=files,
    ).failed()

    assert "Canary-of" not in json.dumps(job.events)
    for item in ("tools", "rocky9"):
        assert contents(vcenters["berlin"], item, "templates")
        assert contents(vcenters["tokyo"], item, "isos")
    (mail,) = made("notification_templates")
    messages = json.loads((ROOT / mail["messages"].removeprefix("@")).read_text(encoding="utf-8"))["error"]
    subject, body = (as_awx_renders(messages[part], job.handed_over) for part in ("message", "body"))
    assert subject == "Job 7: nightly has failed"
    place = f"templates on {vcenters['tokyo'].hostname}:{vcenters['tokyo'].port}"
    *missing, address = filter(None, body.split("\n"))
    assert [line.partition(": failed (INVALID_ELEMENT_TYPE): ")[0] for line in missing] == [
        f"tools in {place}",
        f"rocky9 in {place}",
    ]
    assert address == "https://awx.example.com/#/jobs/7"
    # AWX tries a message without artifacts before it takes it.
    assert as_awx_renders(messages["body"], {}).split() == [address]


def as_awx_renders(text: str, artifacts: Mapping[str, Any]) -> str:
    job = {"id": 7, "name": "nightly", "status": "failed", "artifacts": artifacts, "job_explanation": ""}
    known = {"job": job, "job_friendly_name": "Job", "url": "https://awx.example.com/#/jobs/7"}
    return ImmutableSandboxedEnvironment().from_string(text).render(known)


def outcomes(job: Job) -> dict[tuple[str, str], tuple[str, str | None]]:
    """What became of the image in each library of each host, and the type of its failure."""
    return {
        (host, entry["library"]): (entry["outcome"], entry["error"] and entry["error"]["type"])
        for host, entries in job.handed_over["content_library_published"].items()
        for entry in entries
    }


def set_kind(store: Store, name: str, kind: str) -> None:
    """Make a library one of the vCenter's own, which takes images, or a subscribed one."""
    for library in store.catalog.libraries.values():
        if library.seed.name == name:
            library.seed = replace(library.seed, type=kind)


@pytest.mark.rest
def test_what_fails_at_night_is_named_and_the_next_night_publishes_it_alone(
    vcenters: dict[str, Simulator], images: Images, tmp_path: Path
) -> None:
    login = {name: credential(vcenters["oslo"])[name] for name in ("VMWARE_USER", "VMWARE_PASSWORD")}
    answers = {"publish_libraries": ", ".join(LIBRARIES), "publish_src": str(images.iso), "vcenter_hosts": "all"}

    def publish(night: str) -> Job:
        return run_job(tmp_path / night, "publish.yml", login, answers, inventory=inventory(vcenters))

    vcenters["oslo"].run(lambda store: set_kind(store, "templates", "SUBSCRIBED"))
    vcenters["tokyo"].inject("*:*:*:reset")
    vcenters["lima"].inject("PUT:*:2:transfer-error")

    job = publish("first").failed()

    assert job.rc != 0
    failed: dict[tuple[str, str], tuple[str, str | None]] = {
        ("oslo", "templates"): ("failed", "INVALID_ELEMENT_TYPE"),
        ("lima", "templates"): ("failed", "TRANSFER_FAILED"),
        **{("tokyo", library): ("not tried", "CONNECTION_FAILED") for library in LIBRARIES},
    }
    everywhere = [(host, library) for host in vcenters for library in LIBRARIES]
    assert outcomes(job) == {place: failed.get(place, ("published", None)) for place in everywhere}
    for host, entries in job.handed_over["content_library_published"].items():
        vcenter = f"{vcenters[host].hostname}:{vcenters[host].port}"
        assert {entry["vcenter"] for entry in entries} == {vcenter}
        assert all(entry["reason"] for entry in entries if entry["error"])
        (summary,) = [
            task.result["msg"] for task in job.tasks if task.module == "ansible.builtin.debug" and task.host == host
        ]
        assert [line.partition(": ")[0] for line in summary] == [
            f"drivers in {library} on {vcenter}" for library in LIBRARIES
        ]

    for sim in vcenters.values():
        sim.clear_faults()
        sim.clear_exchanges()
    vcenters["oslo"].run(lambda store: set_kind(store, "templates", "LOCAL"))
    again = publish("second").succeeded()

    assert outcomes(again) == {place: ("published" if place in failed else "unchanged", None) for place in everywhere}
    uploads = [entry for sim in vcenters.values() for entry in sim.exchanges if entry.method == "PUT"]
    assert len(uploads) == len(failed)
    for host, library in everywhere:
        assert contents(vcenters[host], "drivers", library) == {"drivers.iso": images.iso.read_bytes()}


@pytest.mark.rest
@pytest.mark.parametrize("kit", kits())
def test_a_wrong_password_is_sent_once_by_twenty_hosts_and_another_one_afterwards(
    jobs: Jobs, tmp_path: Path, kit: str
) -> None:
    """vCenter locks an account after a few refused logins, and all hosts would log in at the same time."""
    hosts: dict[str, Any] = {f"host{number:02}": {} for number in range(20)}
    task = {"name": "Look", "vsphere.content.content_library_session_info": {"kind": "update"}}
    usual = {"gather_facts": False, "connection": "local"}
    play = {**usual, "hosts": "all", "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}

    def refused(strategy: str, **login: str) -> dict[str, Any]:
        defaults = {"group/vsphere.content.vcenter": login}
        task_after = {**task, "ignore_errors": True}
        return {**play, "strategy": strategy, "module_defaults": defaults, "tasks": [task_after]}

    plays = [
        refused("linear", password="not-the-right-1"),
        refused("free", username="nobody@vsphere.local"),
        {**play, "hosts": "host00:host01:host02", "tasks": [task]},
    ]
    playbook = tmp_path / "plays.yml"
    playbook.write_text(json.dumps(plays), encoding="utf-8")
    env = verified(credential(jobs.sim), jobs.sim)

    job = run_job(
        tmp_path / "job",
        str(playbook),
        env,
        {},
        "--forks 20",
        inventory={"all": {"hosts": hosts}},
        settings=settings_of(kit),
    ).succeeded()

    looked = [task.result.get("error", {}).get("type") for task in job.of("content_library_session_info")]
    assert looked == ["UNAUTHENTICATED"] * 40 + [None] * 3
    logins = [entry.status for entry in jobs.sim.exchanges if is_login(entry) and entry.method == "POST"]
    assert logins == [401, 401, 201, 201, 201]
