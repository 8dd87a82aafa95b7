# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which vCenter each host of a play uses, and the plays that are refused as several hosts would use one by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.held import contents
from tests.roles.conftest import Images, Jobs
from tests.roles.jobs import Job, credential, run_job, verified
from tests.simulator import LibrarySeed, Seed, Simulator

REQUIREMENT = "require_own_vcenter"
ALL_ROLES: dict[str, dict[str, Any]] = {
    "publish": {"publish_libraries": ["templates"], "publish_src": "ISO"},
    "fetch": {"fetch_library": "mirror", "fetch_library_item": "synced", "fetch_dest": "DEST"},
    "retain": {"retain_libraries": ["templates"], "retain_items": "rocky9-*", "retain_keep": 3},
    "check": {},
    "sessions": {},
    "clean_sessions": {},
}


@pytest.fixture(scope="module")
def other() -> Iterator[Simulator]:
    with Simulator(settle=0.05) as running:
        yield running


class Plays:
    """Plays over hosts of which some have a vCenter of their own in the inventory; the environment names the first."""

    def __init__(self, jobs: Jobs, other: Simulator, folder: Path) -> None:
        self.first, self.other = jobs.sim, other
        self._folder = folder

    @staticmethod
    def connection(sim: Simulator) -> dict[str, Any]:
        return {"hostname": sim.hostname, "port": sim.port, "ca_path": sim.ca_path}

    def run(self, plays: list[dict[str, Any]], extra_vars: Mapping[str, Any] | None = None) -> Job:
        self.first.clear_exchanges()
        self.other.clear_exchanges()
        playbook = self._folder / "plays.yml"
        usual = {"gather_facts": False, "connection": "local"}
        playbook.write_text(yaml.safe_dump([{**usual, **play} for play in plays]), encoding="utf-8")
        hosts = {
            "berlin": {"vcenter_connection": self.connection(self.first)},
            "tokyo": {"vcenter_connection": self.connection(self.other)},
            "bare": {},
            "plain": {},
        }
        env = {**verified(credential(self.first), self.first), "VMWARE_ALLOWED_HOSTS": f"{self.other.hostname}:*"}
        folder = self._folder / f"job-{len(list(self._folder.glob('job-*')))}"
        return run_job(folder, str(playbook), env, extra_vars or {}, inventory={"all": {"hosts": hosts}})

    @property
    def asked(self) -> tuple[bool, bool]:
        """Whether anything was asked of the first vCenter, and of the other."""
        return bool(self.first.exchanges), bool(self.other.exchanges)


@pytest.fixture
def plays(jobs: Jobs, other: Simulator, tmp_path: Path) -> Plays:
    return Plays(jobs, other, tmp_path)


def attempt(role: str = "sessions", **variables: Any) -> dict[str, Any]:
    """A use of a role after whose failure the playbook goes on."""
    use = {"ansible.builtin.include_role": {"name": f"vsphere.content.{role}"}, "vars": variables}
    return {"block": [use], "rescue": [{"ansible.builtin.meta": "noop"}]}


def refusals(job: Job) -> list[str]:
    failed = [task for task in job.tasks if task.verdict == "failed"]
    assert {task.module.rpartition(".")[2] for task in failed} <= {REQUIREMENT}, job.stdout
    assert all(task.result["error"]["type"] == "INVALID_ARGUMENT" for task in failed)
    return [" ".join(task.result["msg"].split()) for task in failed]


def test_hosts_that_would_use_one_vcenter_by_accident_are_refused(plays: Plays, images: Images, tmp_path: Path) -> None:
    given = json.loads(json.dumps(ALL_ROLES).replace("ISO", str(images.iso)).replace("DEST", str(tmp_path / "dest")))
    replaced: dict[str, Any] = {"vcenter_connection": {"ca_path": plays.first.ca_path}}
    pair = "bare and plain would use one vCenter, 127.0.0.1, as the environment variable VMWARE_HOST says so, and "
    cases: list[tuple[dict[str, Any], str, int]] = [
        ({"hosts": "bare:plain", "tasks": [attempt(role, **given[role]) for role in given]}, pair, 2 * len(given)),
        ({"hosts": "bare:plain", "serial": 1, "tasks": [attempt()]}, pair, 2),
        ({"hosts": "bare:plain", "strategy": "free", "tasks": [attempt()]}, pair, 2),
        # What is wrong with some hosts keeps the play from changing anything on the others.
        ({"hosts": "tokyo:bare:plain", "tasks": [attempt()]}, f"{pair}vcenter_connection names no hostname", 3),
        ({"hosts": "berlin:bare", "tasks": [attempt()]}, "berlin and bare would use one vCenter", 2),
        ({"hosts": "berlin:tokyo", "vars": replaced, "tasks": [attempt()]}, "of the play or the role replaces", 2),
        ({"hosts": "berlin:tokyo", "tasks": [attempt(**replaced)]}, "of the play or the role replaces", 2),
    ]

    job = plays.run([play for play, _reason, _times in cases]).succeeded()

    said = refusals(job)
    assert len(said) == sum(times for _play, _reason, times in cases)
    for _play, reason, times in cases:
        here, said = said[:times], said[times:]
        assert all(reason in each for each in here), here
        assert all("vcenter_shared: true" in each and "Nothing has been changed." in each for each in here)
    assert plays.asked == (False, False)
    assert not (tmp_path / "dest").exists()


@pytest.mark.rest
@pytest.mark.parametrize(
    "names", [pytest.param(False, marks=pytest.mark.night), True], ids=["an authority alone", "a vCenter"]
)
def test_an_extra_variable_for_all_hosts_is_refused(plays: Plays, names: bool) -> None:
    connection = plays.connection(plays.first) if names else {"ca_path": plays.first.ca_path}
    play = {"hosts": "berlin:tokyo", "serial": 1, "tasks": [attempt(), attempt(vcenter_shared=True)]}

    job = plays.run([play], {"vcenter_connection": connection}).succeeded()

    said = refusals(job)
    assert len(said) == 2
    reason = "the extra variable vcenter_connection" if names else "the environment variable VMWARE_HOST"
    assert all(f"berlin and tokyo would use one vCenter, 127.0.0.1, as {reason} says so" in each for each in said)
    assert all("The extra variable vcenter_connection replaces whatever the inventory says" in each for each in said)
    assert all("leave vcenter_connection out of the extra variables" in each for each in said)
    assert plays.asked == (True, False), "what is said to be meant is done"


@pytest.mark.rest
def test_hosts_whose_vcenters_somebody_has_named_go_on(plays: Plays) -> None:
    connections = {"bare": plays.connection(plays.first), "plain": plays.connection(plays.other)}
    by_host = {"connections": connections, "vcenter_connection": "{{ connections[inventory_hostname] }}"}
    defaults = {"group/vsphere.content.vcenter": "{{ connections[inventory_hostname] }}"}
    part = {"group/vsphere.content.vcenter": {"hostname": "{{ connections[inventory_hostname].hostname }}"}}
    ports = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "{{ connections[inventory_hostname].port }}"}
    authorities = {"VMWARE_CA_PATH": "{{ connections[inventory_hostname].ca_path }}"}
    named: list[dict[str, Any]] = [
        {"vars": by_host},
        {"vars": {"connections": connections}, "module_defaults": defaults},
        {
            "vars": {"connections": connections},
            "module_defaults": part,
            "environment": {**ports, **authorities},
        },
        {"vars": {"connections": connections}, "environment": {**ports, **authorities}},
    ]
    accepted: list[dict[str, Any]] = [
        {"hosts": "berlin:tokyo"},
        {"hosts": "bare"},
        {"hosts": "bare:plain", "vars": {"vcenter_shared": "yes"}},
        *({"hosts": "bare:plain", **play} for play in named),
    ]
    session = plays.other.run(lambda store: store.seed_update_session(store.find_item_id("templates", "tools")))

    job = plays.run([{**play, "tasks": [attempt()]} for play in accepted]).succeeded()

    assert refusals(job) == []
    found = [json.dumps(task.result) for task in job.of("content_library_session_info")]
    assert len(found) == 2 * len(accepted) - 1
    assert sum(session in each for each in found) == 1 + len(named), "that many hosts have named the other vCenter"


@pytest.mark.rest
def test_a_role_takes_its_connection_before_that_of_the_play(plays: Plays, images: Images, tmp_path: Path) -> None:
    """In a play of one's own, used at its start and in its midst; what one place leaves out comes from the next."""
    variables = {
        "publish_libraries": ["archive"],
        "publish_src": str(images.iso),
        "publish_library_item": "ours",
        "vcenter_connection": {"hostname": plays.other.hostname, "port": plays.other.port},
    }
    plays.other.reset(Seed(libraries=(LibrarySeed("archive"),)))
    fetched = {"fetch_library": "archive", "fetch_library_item": "ours", "fetch_dest": str(tmp_path / "fetched")}
    defaults = {"hostname": "nowhere.invalid", "ca_path": plays.other.ca_path}
    play = {
        "hosts": "bare",
        "module_defaults": {"group/vsphere.content.vcenter": defaults},
        "roles": [{"role": "vsphere.content.publish", "vars": variables}],
        "post_tasks": [
            {"ansible.builtin.include_role": {"name": "vsphere.content.clean_sessions"}, "vars": variables},
            {"ansible.builtin.import_role": {"name": "vsphere.content.sessions"}, "vars": variables},
            {"ansible.builtin.include_role": {"name": "vsphere.content.fetch"}, "vars": {**variables, **fetched}},
        ],
    }

    job = plays.run([play]).succeeded()

    assert contents(plays.other, "ours", "archive") == {"drivers.iso": images.iso.read_bytes()}
    assert (tmp_path / "fetched" / "drivers.iso").read_bytes() == images.iso.read_bytes()
    assert plays.asked == (False, True)
    assert len(job.of("content_library_session_info")) == 2


def test_whether_a_vcenter_is_shared_is_said_by_true_or_false(plays: Plays) -> None:
    job = plays.run([{"hosts": "bare:plain", "tasks": [{f"vsphere.content.{REQUIREMENT}": {"shared": "perhaps"}}]}])
    (first, *_others) = refusals(job.failed())
    assert first.startswith("shared: The value 'perhaps' is not a valid boolean.")
