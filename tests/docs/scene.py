# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place that the examples play in: two vCenters, a mirror, and the files that the examples name.

Examples are written as people would write them, with paths and hosts of their own. SUBSTITUTIONS puts the scene's in
their place, and nothing else in an example is touched.
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import Block, substituted
from tests.harness.checkout import ROOT
from tests.harness.packages import certificate_in, make_iso, make_ova, make_package
from tests.harness.servers import HOST, CannedServer, Identity, Received, Reply, make_identity, server_context
from tests.simulator import ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tools.environment import check_environment

PUBLISHER = "publisher@vsphere.local"
GROUP = "group/vsphere.content.vcenter"
PLAYBOOK = re.compile(r"^ansible-playbook .*\bvsphere\.content\.\w+")
# The tasks by which a role includes another one. Ansible shows them without the name of their role.
INCLUSIONS = {
    name
    for path in ROOT.glob("roles/*/tasks/*.yml")
    for name in re.findall(r"- name: (.+)\n +ansible\.builtin\.include_role:", path.read_text())
}
KIBIBYTE = 1024
PUBLISHED = b"tools of last month"


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str

    @property
    def skipped(self) -> list[str]:
        """The page's own tasks that were skipped, not those within a role."""
        found = re.findall(r"^TASK \[(?!vsphere\.content\.\w+ : )(.+?)\].*\nskipping:", self.output, re.MULTILINE)
        return [name for name in found if name not in INCLUSIONS]


@dataclass(frozen=True)
class Scene:
    """Runs the blocks of a page as one playbook; ``reset_url`` makes the vCenter forget what was done to it.

    `far` is another vCenter, for pages that name two.
    """

    folder: Path
    sim: Simulator
    far: Simulator
    seed: Seed
    mirror_port: int
    reset_url: str

    @property
    def substitutions(self) -> dict[str, str]:
        return {
            r"vcenter\.tokyo\.example\.com, ca_path: \S+\.pem": (
                f"{self.far.hostname}, port: {self.far.port}, ca_path: {self.far.ca_path}"
            ),
            r"https://mirror\.example\.com(?=/)": f"https://127.0.0.1:{self.mirror_port}",
            r"https://(vcenter\.example\.com|\{\{ vcenter_hostname \}\})(?=/)": f"https://127.0.0.1:{self.sim.port}",
            r"vcenter\.(berlin\.)?example\.com": self.sim.hostname,
            r"/etc/pki/vcenter-ca\.pem": self.sim.ca_path,
            r"(?<=[\s'=])/images(?=/)": str(self.folder / "images"),
            r"(?<=[\s=])/srv(?=/)": str(self.folder / "srv"),
            r"(?<=owner: )root": getpass.getuser(),
            r"\n +group: root": "",
        }

    @property
    def variables(self) -> dict[str, str]:
        return {
            "vault_vcenter_password": self.sim.password,
            "vcenter_hostname": self.sim.hostname,
            "vcenter_ca_path": self.sim.ca_path,
            "tools_iso_sha256": hashlib.sha256((self.folder / "images" / "tools.iso").read_bytes()).hexdigest(),
            "published_iso_sha256": hashlib.sha256(PUBLISHED).hexdigest(),
        }

    def play(self, blocks: Sequence[Block], anew: frozenset[str]) -> Outcome:
        """Run tasks and plays in the order of the page; the server starts anew before the tasks named ``anew``."""
        self._reset()
        plays: list[dict[str, Any]] = []
        for block in blocks:
            content = block.content(self.substitutions)
            if isinstance(content, dict):
                plays.append(self._connected(_play_with(content)))
                continue
            for entry in content:
                if "hosts" in entry:
                    plays.append(self._connected(entry))
                    continue
                if not plays or plays[-1]["name"] != "Tasks of the page":
                    plays.append(self._connected({"name": "Tasks of the page", "hosts": "localhost", "tasks": []}))
                if entry["name"] in anew or (block.starts_anew and entry is content[0]):
                    plays[-1]["tasks"].append({"name": "Start anew", "ansible.builtin.uri": {"url": self.reset_url}})
                plays[-1]["tasks"].append(entry)
        playbook, variables = self.folder / "page.yml", self.folder / "variables.json"
        playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        variables.write_text(json.dumps(self.variables), encoding="utf-8")
        return self._run(str(playbook), "--extra-vars", f"@{variables}")

    def run_playbooks(self, blocks: Sequence[Block]) -> dict[str, Outcome]:
        """Run the commands of a page that play the collection's own playbooks, beside the page's own files."""
        self._reset()
        for block in blocks:
            if block.file_name:
                text = substituted(block.text, self.substitutions)
                (self.folder / block.file_name).write_text(text, encoding="utf-8")
        return {command: self._run(*self._arguments(command)) for command in playbook_commands(blocks)}

    def _arguments(self, command: str) -> list[str]:
        _program, *arguments = shlex.split(substituted(command, self.substitutions))
        if "-i" in arguments:
            return arguments
        return ["--extra-vars", json.dumps({"vcenter_connection": {"ca_path": self.sim.ca_path}}), *arguments]

    def _reset(self) -> None:
        for server in (self.sim, self.far):
            server.reset(self.seed)

    def _connected(self, play: dict[str, Any]) -> dict[str, Any]:
        """What a page need not say of the connection, as another page does."""
        defaults = play.setdefault("module_defaults", {}).setdefault(GROUP, {})
        defaults.setdefault("ca_path", self.sim.ca_path)
        play.setdefault("gather_facts", False)
        return play

    def _run(self, *arguments: str) -> Outcome:
        done = subprocess.run(
            ["ansible-playbook", *arguments],
            cwd=self.folder,
            env={
                **check_environment(os.environ),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                "VMWARE_HOST": self.sim.hostname,
                "VMWARE_PORT": str(self.sim.port),
                "VMWARE_USER": self.sim.username,
                "VMWARE_PASSWORD": self.sim.password,
                "VMWARE_ALLOWED_HOSTS": f"{self.far.hostname}:{self.far.port}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout)


def playbook_commands(blocks: Sequence[Block]) -> list[str]:
    return [command for block in blocks for command in block.commands if PLAYBOOK.match(command)]


def _play_with(content: dict[str, Any]) -> dict[str, Any]:
    """A play that tries `module_defaults`, which is all that a page may show of a play."""
    if set(content) != {"module_defaults"}:
        raise ValueError(f"neither tasks nor plays, and no comment says why it is not run: {content}")
    task = {"name": "Use what the page sets", "vsphere.content.content_library_session_info": {}}
    return {"name": "Defaults of the page", "hosts": "localhost", "tasks": [task], **content}


@contextmanager
def set_scene(folder: Path) -> Iterator[Scene]:
    images = folder / "images"
    images.mkdir()
    for name in ("images", "packages/rocky9"):
        (folder / "srv" / name).mkdir(parents=True)
    make_iso(images / "tools.iso", 256 * KIBIBYTE)
    signed = make_package(images / "rocky9", signed="self-signed", disk_bytes=20_000)
    (images / "signer.pem").write_text(certificate_in(signed.descriptor.with_suffix(".cert")), encoding="utf-8")
    make_package(images / "rocky9-2026-11", disk_bytes=20_000)
    make_ova(make_package(images / "appliance", "appliance", disks=1, disk_bytes=20_000), images / "appliance.ova")
    identity = make_identity(folder / "mirror")
    seed = _seed(Path(identity.ca_path).read_text(encoding="utf-8"))

    with (
        Simulator(seed=seed, settle=0.05) as sim,
        Simulator(seed=seed, settle=0.05) as far,
        _mirror(folder, identity) as port,
    ):

        def start_anew(_request: Received) -> Reply:
            sim.reset(seed)
            return Reply()

        with CannedServer(start_anew, tls=False) as control:
            yield Scene(folder, sim, far, seed, port, f"http://127.0.0.1:{control.port}/")


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder; what was asked for is not printed."""

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def _mirror(folder: Path, identity: Identity) -> Iterator[int]:
    server = ThreadingHTTPServer((HOST, 0), functools.partial(_Files, directory=str(folder)))
    server.daemon_threads = True
    server.socket = server_context(identity).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _seed(mirror_root: str) -> Seed:
    rocky9 = {"rocky9.ovf": b"<Envelope/>", "rocky9-disk1.vmdk": b"a disk of last month"}
    items = (ItemSeed("rocky9", "ovf", rocky9), ItemSeed("tools", "iso", {"tools.iso": PUBLISHED}))
    nightly = tuple(
        ItemSeed(f"rocky9-2025-{month:02}", "ovf", rocky9, modified=f"2025-{month:02}-28T03:00:00.000Z")
        for month in range(7, 12)
    )
    return Seed(
        libraries=(LibrarySeed("templates", items), LibrarySeed("archive"), LibrarySeed("nightly", nightly)),
        users=(UserSeed("administrator@vsphere.local"), UserSeed(PUBLISHER)),
        trusted_roots=(mirror_root,),
    )
