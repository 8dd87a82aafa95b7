# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody who may only launch a job tries with its variables: to get the password, a file, or code into the job.

Whatever is refused, the same job shows that the attack works where whoever runs the job allows it.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.servers import CannedServer, Identity, Received, Reply
from tests.harness.tasks import TOOLS
from tests.progress.plays import Place, kits, settings_of
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import SECONDS, Job, credential, run_job, verified
from tests.roles.test_variables import attempt
from tests.simulator import ItemSeed, LibrarySeed, Seed

COLLECTION = "vsphere.content"
RETAIN = {"libraries": ["templates"], "pattern": "tools", "keep": 1}
OWN_CODE, FOREIGN_CODE = "print('ours')\n", "print('theirs')\n"


@pytest.fixture
def listener(identity: Identity) -> Iterator[CannedServer]:
    """The launcher's own server, which takes whatever login comes."""

    def respond(request: Received) -> Reply:
        return Reply(200, b'"the-token"' if request.method == "POST" and request.path == "/api/session" else b"[]")

    with CannedServer(respond, identity=identity) as server:
        yield server


@dataclass(frozen=True)
class Launches:
    """Jobs of plays whose environment holds the login of a vCenter; the launcher has a say in extra variables only."""

    jobs: Jobs
    folder: Path

    def run(
        self,
        tasks: Sequence[Mapping[str, Any]],
        extra_vars: Mapping[str, Any],
        settings: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Job:
        """Run tasks after whose failure the play goes on; `settings` stand in ansible.cfg."""
        self.jobs.sim.clear_exchanges()
        own = self.folder / f"launch-{len(list(self.folder.glob('launch-*')))}"
        own.mkdir()
        lines = [f"{name} = {value}" for name, value in (settings or {}).items()]
        (own / "ansible.cfg").write_text("\n".join(["[vsphere_content]", *lines, ""]), encoding="utf-8")
        playbook = own / "play.yml"
        shared = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
        playbook.write_text(yaml.safe_dump([{**shared, **play}]), encoding="utf-8")
        login = verified(credential(self.jobs.sim), self.jobs.sim)
        config = {"ANSIBLE_CONFIG": str(own / "ansible.cfg")}
        job = run_job(own / "job", str(playbook), {**login, **config, **(env or {})}, extra_vars).succeeded()
        assert self.jobs.sim.password not in job.stdout
        return job

    def got_the_password(self, server: CannedServer) -> bool:
        sent = [base64.b64decode(entry.headers.get("authorization", "")[6:]).decode() for entry in server.received]
        return f"{self.jobs.sim.username}:{self.jobs.sim.password}" in sent


@pytest.fixture
def launches(jobs: Jobs, tmp_path: Path) -> Launches:
    code = {"helper.py": FOREIGN_CODE.encode()}
    items = (ItemSeed("tools"), ItemSeed("code", "", code))
    jobs.sim.reset(Seed(libraries=(LibrarySeed("templates", items),)))
    return Launches(jobs, tmp_path)


def trial(module: str, options: Mapping[str, Any], **task: Any) -> dict[str, Any]:
    return {"block": [{f"{COLLECTION}.{module}": dict(options), **task}], "rescue": [{"ansible.builtin.meta": "noop"}]}


def reasons(job: Job) -> list[str]:
    return [task.result["msg"] for task in job.tasks if task.verdict == "failed"]


def modules_called(connection: Mapping[str, Any] | None = None, **task: Any) -> list[dict[str, Any]]:
    """A task of each module, and of each short name that there is."""
    given = dict(connection or {})
    return [
        trial("content_library_session_info", {"kind": "update", **given}, **task),
        trial("session_info", {"kind": "update", **given}, **task),
        trial("content_library_item_info", {**TOOLS, **given}, **task),
        trial("item_info", {**TOOLS, **given}, **task),
        trial("content_library_check", given, **task),
        trial("content_library_retention", {**RETAIN, **given}, **task),
        trial("retention", {**RETAIN, **given}, **task),
        trial("content_library_item", {"library": "templates", "name": "tools", **given}, **task),
        trial("content_library_update_session", {**TOOLS, "state": "canceled", **given}, **task),
        trial("update_session", {**TOOLS, "state": "canceled", **given}, **task),
        trial("content_library_download_session", {**TOOLS, "state": "canceled", **given}, **task),
        trial("download_session", {**TOOLS, "state": "canceled", **given}, **task),
    ]


# Another host


@pytest.mark.parametrize("callers", ["roles", pytest.param("modules", marks=pytest.mark.rest)])
@pytest.mark.parametrize("by", ["VMWARE_HOST", pytest.param("ansible.cfg", marks=pytest.mark.night)])
def test_a_launcher_cannot_have_the_password_sent_to_another_host(
    launches: Launches, listener: CannedServer, images: Images, tmp_path: Path, by: str, callers: str
) -> None:
    """By the roles, by the group of the modules, and by each module itself; and not by a list of the launcher's own."""
    another = {"hostname": listener.hostname, "port": listener.port, "validate_certs": False, "ca_path": ""}
    extra_vars = {
        "vcenter_connection": another,
        "allowed_hosts": "*:*",
        "VMWARE_ALLOWED_HOSTS": "*:*",
        "vsphere_content": {"allowed_hosts": "*:*"},
    }
    publish = {"publish_libraries": "templates", "publish_src": str(images.iso)}
    fetch = {"fetch_library": "templates", "fetch_library_item": "tools", "fetch_dest": str(tmp_path / "dest")}
    group = {f"group/{COLLECTION}.vcenter": "{{ vcenter_connection }}"}
    named = {name: f"{{{{ vcenter_connection.{name} }}}}" for name in another}
    roles = [
        attempt("publish", publish),
        attempt("fetch", fetch),
        attempt("retain", {"retain_libraries": "templates", "retain_items": "tools", "retain_keep": 1}),
        attempt("check", {}),
        attempt("sessions", {}),
        attempt("clean_sessions", {}),
    ]
    modules = [*modules_called(module_defaults=group), *modules_called(named)]
    tasks = roles if callers == "roles" else modules
    own = f"{launches.jobs.sim.hostname}:{launches.jobs.sim.port}"
    # Where only ansible.cfg says where the password belongs, the modules know it by nothing else.
    settings = {} if by == "VMWARE_HOST" else {"allowed_hosts": own}
    env = {} if by == "VMWARE_HOST" else {"VMWARE_HOST": "", "VMWARE_ALLOWED_HOSTS": ""}

    job = launches.run(tasks, extra_vars, settings, env)

    said = reasons(job)
    refused = [reason for reason in said if f"the task names {listener.hostname}:{listener.port}" in reason]
    # The roles publish and fetch sum up.
    summaries = [reason.split(" on ")[0] for reason in said if reason not in refused]
    by_roles = callers == "roles"
    assert summaries == ["drivers in templates", "tools in templates"] * by_roles
    assert len(refused) == len(tasks) + 2 * by_roles, (
        "the roles retain and check say again at their end what their module has said"
    )
    assert all("the password of the environment (VMWARE_PASSWORD) belongs to" in reason for reason in refused)
    assert listener.received == []
    assert not (tmp_path / "dest").exists()


@pytest.mark.parametrize(
    "by",
    [
        "ansible.cfg",
        pytest.param("VMWARE_ALLOWED_HOSTS", marks=pytest.mark.night),
        pytest.param("the play's environment", marks=pytest.mark.night),
    ],
)
@pytest.mark.rest
def test_whoever_runs_the_job_can_allow_another_host(launches: Launches, listener: CannedServer, by: str) -> None:
    another = {"hostname": listener.hostname, "port": listener.port, "ca_path": listener.ca_path}
    listed = f"vcenter.example.com, {listener.hostname}:*"
    tasks = [attempt("sessions", {})]
    if by == "ansible.cfg":
        job = launches.run(tasks, {"vcenter_connection": another}, {"allowed_hosts": listed})
    elif by == "VMWARE_ALLOWED_HOSTS":
        env = {"VMWARE_ALLOWED_HOSTS": listed}
        job = launches.run(tasks, {"vcenter_connection": another}, {"allowed_hosts": "nothing.invalid"}, env)
    else:
        given = {"environment": {"VMWARE_ALLOWED_HOSTS": listed}}
        job = launches.run(tasks, {"vcenter_connection": another}, {"allowed_hosts": "nothing.invalid"}, **given)
    assert reasons(job) == []
    assert launches.got_the_password(listener)


@pytest.mark.parametrize("kit", kits())
def test_what_ansible_cfg_says_reaches_the_modules(jobs: Jobs, tmp_path: Path, kit: str) -> None:
    """With each ansible-core that is supported, or in an AWX, of which these are the ends."""
    config = tmp_path / "ansible.cfg"
    config.write_text("[vsphere_content]\nallowed_hosts = vcenter.example.com\n", encoding="utf-8")
    place = Place(tmp_path, jobs.sim, {**settings_of(kit), "ANSIBLE_CONFIG": str(config), "VMWARE_HOST": ""})
    playbook = place.playbook(*modules_called({"hostname": jobs.sim.hostname}))
    command = ["ansible-playbook", str(playbook)]
    ran = subprocess.run(command, env=place.env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    failed = [line for line in ran.stdout.splitlines() if line.startswith("fatal:")]
    assert len(failed) == len(modules_called())
    assert all("belongs to the hosts in VMWARE_ALLOWED_HOSTS" in line for line in failed), ran.stdout
    assert not jobs.sim.exchanges


@pytest.mark.rest
def test_a_launcher_cannot_read_along_as_a_proxy(launches: Launches, listener: CannedServer) -> None:
    through = {"proxy_host": listener.hostname, "proxy_port": listener.port}
    tasks = [
        attempt("sessions", {"vcenter_connection": {**through, "validate_certs": False}}),
        attempt("sessions", {"vcenter_connection": {**through, "ca_path": listener.ca_path}}),
    ]
    said = reasons(launches.run(tasks, {}))
    assert [f"the task names the proxy {listener.hostname}:{listener.port}" in reason for reason in said] == [
        True,
        True,
    ]
    assert listener.received == []


# A file of the job


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the execution environment that is none of the launcher's business."""
    path = tmp_path / "secret.iso"
    path.write_text("the key of the job", encoding="utf-8")
    return path


@pytest.mark.rest
@pytest.mark.parametrize("by", ["ansible.cfg", pytest.param("environment", marks=pytest.mark.night)])
def test_a_launcher_cannot_publish_a_file_from_outside_the_root(
    launches: Launches, secret: Path, tmp_path: Path, by: str
) -> None:
    root = tmp_path / "images"
    root.mkdir()
    (root / "linked.iso").symlink_to(secret)
    (root / "linked").symlink_to(tmp_path)
    paths = [secret, root / ".." / "secret.iso", root / "linked.iso", root / "linked" / "secret.iso", tmp_path]
    libraries = {"publish_libraries": "templates"}
    listed = {"library_item": "stolen", "files": [{"src": str(root / "linked.iso"), "name": "x.iso"}]}
    tasks = [
        *(attempt("publish", {**libraries, "publish_src": str(path)}) for path in paths),
        attempt("publish", {**libraries, "publish_items": [listed]}),
        trial("content_library_update_session", {**TOOLS, "state": "done", "files": [{"src": str(secret)}]}),
        trial("require_allowed_paths", {"src": [str(secret)]}),
    ]
    extra_vars = {"publish_src_root": "/", "VMWARE_PUBLISH_SRC_ROOT": "/"}
    settings = {"publish_src_root": str(root)} if by == "ansible.cfg" else {}
    env = {"VMWARE_PUBLISH_SRC_ROOT": "" if by == "ansible.cfg" else str(root)}

    said = reasons(launches.run(tasks, extra_vars, settings, env))

    assert [f"is not below {root} (publish_src_root)" in reason for reason in said] == [True] * len(tasks), said
    assert not launches.jobs.sim.exchanges
    assert launches.jobs.item_names() == {"tools", "code"}


@pytest.mark.rest
def test_a_single_source_is_an_image_or_a_directory(launches: Launches, images: Images, tmp_path: Path) -> None:
    private_key = tmp_path / "id_ed25519"
    private_key.write_text("the key of the job", encoding="utf-8")
    upper = tmp_path / "DRIVERS.ISO"
    upper.write_bytes(images.iso.read_bytes())
    libraries = {"publish_libraries": "templates"}
    entry = {"src": str(private_key), "library_item": "notes", "type": "notes"}
    tasks = [
        attempt("publish", {**libraries, "publish_src": str(private_key)}),
        attempt("publish", {**libraries, "publish_src": str(upper)}),
        attempt("publish", {**libraries, "publish_items": [entry]}),
    ]

    (said,) = reasons(launches.run(tasks, {}))

    assert f"publish_src is {private_key}, which is neither a directory nor a file with the extension" in said
    assert ".iso, .ova, .ovf" in said
    assert launches.jobs.item_names() == {"tools", "code", "DRIVERS", "notes"}


# Code of the job


@pytest.mark.rest
@pytest.mark.parametrize("by", ["ansible.cfg", pytest.param("environment", marks=pytest.mark.night)])
def test_a_launcher_cannot_fetch_over_code_of_the_job(launches: Launches, tmp_path: Path, by: str) -> None:
    root, code = tmp_path / "fetched", tmp_path / "site-packages"
    root.mkdir()
    code.mkdir()
    (root / "linked").symlink_to(code)
    (code / "helper.py").write_text(OWN_CODE, encoding="utf-8")
    wanted = {"fetch_library": "templates", "fetch_library_item": "code"}
    item = {"library": "templates", "library_item": "code"}
    paths = [code, root / ".." / "site-packages", root / "linked", root / "linked" / "new", tmp_path / "new", "/"]
    tasks = [
        *(attempt("fetch", {**wanted, "fetch_dest": str(path)}) for path in paths),
        trial("content_library_download_session", {**item, "dest": str(code)}),
        trial("require_allowed_paths", {"dest": str(code)}),
    ]
    extra_vars = {"fetch_dest_root": "/", "VMWARE_FETCH_DEST_ROOT": "/"}
    settings = {"fetch_dest_root": str(root)} if by == "ansible.cfg" else {}
    env = {"VMWARE_FETCH_DEST_ROOT": "" if by == "ansible.cfg" else str(root)}

    said = reasons(launches.run(tasks, extra_vars, settings, env))

    assert [f"is not below {root} (fetch_dest_root)" in reason for reason in said] == [True] * len(tasks), said
    assert not launches.jobs.sim.exchanges
    assert (code / "helper.py").read_text(encoding="utf-8") == OWN_CODE
    assert sorted(path.name for path in code.iterdir()) == ["helper.py"]
    assert not (tmp_path / "new").exists()

    below = attempt("fetch", {**wanted, "fetch_dest": str(root / "new")})
    assert reasons(launches.run([below], {}, settings, env)) == []
    assert (root / "new" / "helper.py").read_text(encoding="utf-8") == FOREIGN_CODE
