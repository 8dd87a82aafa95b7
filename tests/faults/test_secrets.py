# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret comes to light: in what a task returns, prints and logs, in files, in processes, whatever happens.

What goes where over the wire is in ``test_hostile.py``; what a broken URL or option shows, in
``tests/unit/test_pull.py``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import syslog
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

from tests.faults.secrets_canaries import (
    PASSWORD,
    PROXY_PASSWORD,
    PROXY_USER,
    SESSION_TOKEN,
    Canaries,
    all_canaries,
    processes_below,
    source_url,
    texts,
)
from tests.faults.secrets_relay import Relay
from tests.harness.checkout import CACHE, ROOT
from tests.harness.modules import WITH_INVOCATION, ModuleResult, connection_args, run_module
from tests.harness.packages import make_iso
from tests.harness.samples import marked
from tests.harness.servers import CannedServer, Identity, Proxy, Received, Reply
from tests.harness.tasks import DIALECTS, TOOLS
from tests.roles.jobs import run_job
from tests.simulator import Exchange, ItemSeed, LibrarySeed, Seed, Simulator, UserSeed
from tests.simulator.seed import ADMINISTRATOR, DEFAULT_LIBRARIES
from tools.environment import check_environment

UPDATE, DOWNLOAD = "content_library_update_session", "content_library_download_session"
INFO, ITEM = "content_library_session_info", "content_library_item"
ITEM_INFO, RETENTION = "content_library_item_info", "content_library_retention"
CHECK = "content_library_check"
CONTENT = b"an image that lies on a mirror"
SHELF = LibrarySeed(
    "nightly",
    tuple(
        ItemSeed(f"night-{day}", files={"night.iso": CONTENT}, modified=f"2024-11-0{day}T03:00:00.000Z")
        for day in (1, 2)
    ),
)
UTILS = "ansible_collections.vsphere.content.plugins.module_utils"


@dataclass
class Scene:
    """A vCenter whose tokens are canaries as well, a mirror to pull from, and all that must not be seen."""

    sim: Simulator
    mirror: CannedServer
    folder: Path
    canaries: Canaries
    logged: list[str] = field(default_factory=list)
    watchers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return source_url(f"{self.mirror.hostname}:{self.mirror.port}")

    def reset(self) -> None:
        """As it was in the beginning: items without content but one, and a session that pulls from a secret URL.

        Beside them is a library of two items with content, an old one and a new one.
        """
        self.sim.reset(Seed(libraries=(*DEFAULT_LIBRARIES, SHELF), users=(UserSeed(ADMINISTRATOR, password=PASSWORD),)))
        url = self.url

        def prepare(store: Any) -> None:
            item = store.find_item_id("templates", "rocky9")
            store.seed_item_files(item, {"a.iso": CONTENT, "b.iso": CONTENT})
            session = store.updates.session(store.seed_update_session(item, files={"pulled.iso": b"x"}))
            session.files["pulled.iso"].source_endpoint = {"uri": url}
            self.canaries.add_tokens_of(store.logins)

        self.sim.run(prepare)
        for path in self.dest.iterdir():
            path.unlink()
        self.logged.clear()

    @property
    def dest(self) -> Path:
        return self.folder / "dest"

    def require_nothing_shown(self, ran: ModuleResult) -> None:
        shown = texts(ran.stdout, ran.stderr, ran.result, *ran.warnings, *self.logged)
        assert self.canaries.found_in(shown) == [], shown
        assert "Traceback" not in ran.stdout + ran.stderr
        assert "INTERNAL_ERROR" not in ran.stdout


@pytest.fixture(scope="module")
def mirror() -> Iterator[CannedServer]:
    with CannedServer(lambda request: Reply(200, b"" if request.method == "HEAD" else CONTENT), tls=False) as running:
        yield running


@pytest.fixture(scope="module")
def setting(mirror: CannedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "dest").mkdir()
    make_iso(folder / "local.iso", 5000)
    watchers: list[Callable[[], None]] = []

    def watch(_exchange: Exchange) -> None:
        for watcher in watchers:
            watcher()

    with Simulator(settle=0, on_exchange=watch) as sim:
        yield Scene(sim, mirror, folder, all_canaries(ADMINISTRATOR), watchers=watchers)


@pytest.fixture
def quick() -> dict[str, float]:
    first = dict.fromkeys(("first_request_pause", "first_transfer_pause", "first_insisting_pause"), 0.001)
    return {**first, **dict.fromkeys(("watch_idle", "watch_transfer", "claim"), 0.0)}


@pytest.fixture
def scene(setting: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The setting anew, with a system log that is kept."""
    setting.reset()
    monkeypatch.setattr(syslog, "syslog", lambda *said: setting.logged.extend(str(text) for text in said))
    yield setting
    setting.watchers.clear()


# -- what a task does, from a login to a logout

Options = Callable[[Scene], "dict[str, Any]"]


def _publish(scene: Scene) -> dict[str, Any]:
    files = [{"url": scene.url}, {"src": str(scene.folder / "local.iso")}]
    return {**TOOLS, "state": "done", "files": files, "parallel_transfers": 1, "wait_timeout": 1}


def _fetch(scene: Scene) -> dict[str, Any]:
    item = {"library": "templates", "library_item": "rocky9"}
    return {**item, "dest": str(scene.dest), "parallel_transfers": 1, "wait_timeout": 1}


def _info(_scene: Scene) -> dict[str, Any]:
    return {"with_files": True}


def _item(_scene: Scene) -> dict[str, Any]:
    return {"library": "templates", "name": "new", "type": "iso"}


def _item_info(_scene: Scene) -> dict[str, Any]:
    return {"library": SHELF.name, "with_storage": True}


def _retain(_scene: Scene) -> dict[str, Any]:
    return {"libraries": [SHELF.name], "pattern": "night-*", "keep": 1}


def _check(_scene: Scene) -> dict[str, Any]:
    return {"libraries": ["templates"]}


FLOWS: Mapping[str, tuple[str, Options]] = {
    "publish": (UPDATE, _publish),
    "fetch": (DOWNLOAD, _fetch),
    "info": (INFO, _info),
    "item": (ITEM, _item),
    "item-info": (ITEM_INFO, _item_info),
    "retain": (RETENTION, _retain),
    "check": (CHECK, _check),
}


@dataclass(frozen=True)
class Cell:
    flow: str
    dialect: str

    def run(self, scene: Scene, server: Any = None, *, check: bool = False, **options: Any) -> ModuleResult:
        module, given = FLOWS[self.flow]
        args = {**connection_args(server or scene.sim), "api_dialect": self.dialect, **given(scene), **options}
        return run_module(module, {**args, **WITH_INVOCATION}, check=check, verbosity=4)


CELLS = {f"{dialect}-{flow}": Cell(flow, dialect) for dialect in DIALECTS for flow in FLOWS}


@pytest.fixture(params=CELLS)
def cell(request: pytest.FixtureRequest) -> Cell:
    return CELLS[request.param]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_nothing_is_shown_when_all_goes_well(scene: Scene, cell: Cell, check: bool) -> None:
    ran = cell.run(scene, check=check)
    assert ran.rc == 0, ran.result
    scene.require_nothing_shown(ran)
    assert ran.result["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert scene.logged
    assert scene.canaries.files_in(scene.folder) == {}


FAILURES = itertools.product(CELLS, ("reset", "unauthenticated", "truncate", "500"), ("real", "check"))


@pytest.mark.parametrize(
    ("name", "fault", "mode"),
    marked([("-".join(each), each) for each in FAILURES], lambda values: CELLS[values[0]].flow, one_in=8),
)
def test_nothing_is_shown_when_any_request_fails(scene: Scene, name: str, fault: str, mode: str) -> None:
    cell, check = CELLS[name], mode == "check"
    cell.run(scene, check=check)
    count = len(scene.sim.exchanges)
    failed = 0
    for number in range(1, count + 1):
        scene.reset()
        scene.sim.inject(f"*:*:{number}:{fault}")
        ran = cell.run(scene, check=check)
        scene.require_nothing_shown(ran)
        failed += ran.rc
    # Some faults are got over, and a logout that fails is a warning. A check tells of them in its rows.
    assert 0 < failed < count or fault == "unauthenticated" or (cell.flow, failed) == ("check", 0)
    assert scene.canaries.files_in(scene.folder, CACHE / "remote_tmp") == {}


def _as_message(request: Received, dialect: str) -> Reply:
    """A refusal of the dialect that repeats what it was sent: as text, as values and as keys."""
    heard = dict(request.headers)
    message = {"id": "x", "default_message": json.dumps(heard), "args": [str(heard)]}
    value = {"messages": [message], "data": {"heard": heard, "turned": {text: name for name, text in heard.items()}}}
    envelope = {"type": "com.vmware.vapi.std.errors.error", "value": value}
    return Reply(500, json.dumps({"error_type": "ERROR", **value} if dialect == "api" else envelope).encode())


def _as_page(request: Received, _dialect: str) -> Reply:
    lines = "".join(f"<dt>{name}<dd>{text}" for name, text in request.headers.items())
    return Reply(
        500, f"<html><body><h1>Debug</h1><dl>{lines}</dl></body></html>".encode(), {"Content-Type": "text/html"}
    )


def _as_text_cut_short(request: Received, _dialect: str) -> Reply:
    """So long before each secret that a quotation of the beginning ends within it."""
    heard = [text for name, text in request.headers.items() if name in ("authorization", "vmware-api-session-id")]
    return Reply(400, "".join("." * 185 + text for text in heard).encode(), {"Content-Type": "text/plain"})


def _as_json_that_is_none(request: Received, _dialect: str) -> Reply:
    return Reply(200, json.dumps(dict(request.headers)).encode()[:-1])


ECHOES = {
    "message": _as_message,
    "page": _as_page,
    "text cut short": _as_text_cut_short,
    "broken JSON": _as_json_that_is_none,
}


# Only a refusal is written differently in the two dialects.
REPEATED = [(name, "message") for name in CELLS] + [
    (name, echo) for name in CELLS for echo in ECHOES if echo != "message" and name.startswith("api")
]


@pytest.mark.parametrize(
    ("name", "echo"), marked([("-".join(each), each) for each in REPEATED], lambda values: values[1], one_in=3)
)
def test_nothing_is_shown_when_a_server_repeats_what_it_was_sent(
    scene: Scene, identity: Identity, name: str, echo: str
) -> None:
    cell, reply = CELLS[name], ECHOES[echo]
    with Relay(scene.sim, identity) as relay:
        cell.run(scene, relay)
        count = len(relay.received)
        for number in range(1, count + 1):
            scene.reset()
            start = len(relay.received)

            def meddle(
                sent: int, request: Received, _pass_on: Callable[[], Reply], at: int = start + number
            ) -> Reply | None:
                return reply(request, cell.dialect) if sent == at else None

            relay.meddle = meddle
            ran = cell.run(scene, relay)
            scene.require_nothing_shown(ran)
            shown = texts(ran.result, *ran.warnings)
            half = [
                name for name, forms in scene.canaries.forms.items() if any(f"..{form[:9]}" in shown for form in forms)
            ]
            assert half == [], shown
    assert scene.canaries.files_in(scene.folder) == {}


# -- other ways in


def test_a_session_token_and_what_a_server_says_of_it_are_not_shown(scene: Scene, identity: Identity) -> None:
    cell = CELLS["api-info"]
    with Relay(scene.sim, identity, lambda _number, request, _pass_on: _as_message(request, "api")) as relay:
        ran = cell.run(scene, relay, session_token=SESSION_TOKEN)
    assert ran.result["error"]["type"] == "ERROR"
    assert "headers" not in ran.result["error"]["data"]
    scene.require_nothing_shown(ran)


@pytest.mark.parametrize("refuse", [None, 403, 407])
def test_a_proxy_password_is_not_shown(scene: Scene, refuse: int | None) -> None:
    with Proxy(credentials=(PROXY_USER, PROXY_PASSWORD), refuse=refuse) as proxy:
        ran = CELLS["api-publish"].run(
            scene,
            proxy_host="127.0.0.1",
            proxy_port=proxy.port,
            proxy_protocol="http",
            proxy_username=PROXY_USER,
            proxy_password=PROXY_PASSWORD,
        )
    assert bool(ran.rc) is bool(refuse), ran.result
    assert proxy.connects
    scene.require_nothing_shown(ran)


@contextlib.contextmanager
def talkative_proxy() -> Iterator[int]:
    """A proxy that refuses, and says in its status line what it was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    with client:
                        head = client.recv(65536).decode("latin-1").replace("\r\n", " ")
                        client.sendall(f"HTTP/1.1 407 {head}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def test_what_a_proxy_repeats_of_its_password_is_not_shown(scene: Scene) -> None:
    with talkative_proxy() as port:
        ran = CELLS["api-info"].run(
            scene,
            proxy_host="127.0.0.1",
            proxy_port=port,
            proxy_protocol="http",
            proxy_username=PROXY_USER,
            proxy_password=PROXY_PASSWORD,
        )
    assert ran.result["error"]["type"] == "CONNECTION_FAILED"
    assert "407" in ran.result["msg"]
    scene.require_nothing_shown(ran)


MISTAKES: dict[str, dict[str, Any]] = {
    "a URL as hostname": {"hostname": "https://svc:{secret}@vcenter.test/ui"},
    "a user in the hostname": {"hostname": "svc:{secret}@vcenter.test"},
    "a URL as proxy_host": {"proxy_host": "http://svc:{secret}@proxy.test", "proxy_port": 3128},
    "a user in the proxy_host": {"proxy_host": "svc:{secret}@proxy.test", "proxy_port": 3128},
    "a URL as src": {"files": [{"src": "https://svc:{secret}@mirror.test/x.iso"}]},
    "a URL as ca_path": {"ca_path": "https://svc:{secret}@mirror.test/ca.pem"},
    "a URL of another scheme": {"files": [{"url": "sftp://svc:{secret}@mirror.test/x.iso"}]},
    "a URL of no server": {"files": [{"url": "https://svc:{secret}@/x.iso"}]},
    "a URL with a line break": {"files": [{"url": "https://svc:{secret}\n@mirror.test/x.iso"}]},
    "a URL with spaces": {"files": [{"url": " https://svc:{secret}@mirror.test:x/x.iso "}]},
    "a URL without files": {"files": "https://svc:{secret}@mirror.test/x.iso"},
    "a path as dest": {"module": DOWNLOAD, "dest": "https://svc:{secret}@mirror.test/"},
}


@pytest.mark.parametrize(
    "secret", ["Plain-C4n4ry-1", "C4n'4ry-2", 'C4n"4ry-3', "C4n\\4ry-4", "C4n 4ry-5", "C4nä4ry-6", "C4n%2F4ry-7"]
)
@pytest.mark.parametrize("case", MISTAKES)
def test_credentials_in_the_wrong_place_are_not_shown(scene: Scene, case: str, secret: str) -> None:
    options = json.loads(json.dumps(MISTAKES[case]).replace("{secret}", json.dumps(secret)[1:-1]))
    module = options.pop("module", UPDATE)
    state = {"state": "done"} if module == UPDATE else {}
    args = {**connection_args(scene.sim), **TOOLS, **state, **options, **WITH_INVOCATION}
    ran = run_module(module, args, verbosity=4)
    assert ran.rc == 1
    scene.canaries.add("mistaken", secret, "svc")
    try:
        scene.require_nothing_shown(ran)
    finally:
        del scene.canaries.forms["mistaken"]
    assert scene.sim.exchanges == ()


def test_what_another_task_gave_as_url_is_not_shown_by_whom_it_is_read(scene: Scene) -> None:
    """The server returns the URL of a pulled file whole, to a task that has never been told its password."""
    ran = CELLS["api-info"].run(scene)
    [file] = [file for file in ran.result["update_sessions"][0]["files"] if file["name"] == "pulled.iso"]
    assert file["source_endpoint"]["uri"] == f"http://{scene.mirror.hostname}:{scene.mirror.port}/tools.iso?..."


def shown_url(scene: Scene) -> str:
    """The URL as it is left in a message: without what lets somebody in."""
    return f"http://********@{scene.mirror.hostname}:{scene.mirror.port}/tools.iso?..."


def test_what_a_server_says_of_another_tasks_url_is_not_shown(scene: Scene) -> None:
    def fail(store: Any) -> None:
        session = next(iter(store.updates.sessions.values()))
        session.state = "ERROR"
        session.error_message = {"id": "x", "default_message": f"{{0}}: {scene.url}", "args": [scene.url]}

    scene.sim.run(fail)
    ran = CELLS["api-info"].run(scene)
    [session] = ran.result["update_sessions"]
    assert session["state"] == "ERROR"
    assert session["error_message"]["args"] == [shown_url(scene)]
    assert scene.canaries.found_in(texts(ran.stdout, ran.result)) == []


@pytest.mark.parametrize("method", ["GET", "DELETE"], ids=["failure", "warning"])
def test_what_a_refusal_says_of_another_tasks_url_is_not_shown(scene: Scene, identity: Identity, method: str) -> None:
    message = {"id": "x", "default_message": f"nothing was read from {scene.url} today", "args": [scene.url]}
    refusal = json.dumps({"error_type": "ERROR", "messages": [message], "data": {"sources": [scene.url]}}).encode()

    def refuse(_number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        return Reply(400, refusal) if request.method == method else None

    with Relay(scene.sim, identity, refuse) as relay:
        ran = CELLS["api-info"].run(scene, relay)
    assert f"nothing was read from {shown_url(scene)} today" in " ".join([ran.result.get("msg", ""), *ran.warnings])
    scene.require_nothing_shown(ran)


# -- whole programs

SPY = """\
import os, syslog
def keep(*said):
    with open(os.environ["KEPT_LOG"], "a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(" ".join(map(str, said)) + "\\n")
syslog.syslog = keep
"""
VARS = "the-users-own-vars.json"


@dataclass(frozen=True)
class Program:
    """A run of ansible-playbook: all its traces are below `home`."""

    home: Path
    output: str
    returncode: int

    @property
    def logs(self) -> str:
        return "".join((self.home / name).read_text(encoding="utf-8") for name in ("ansible.log", "system.log"))


def play(scene: Scene, home: Path, tasks: list[dict[str, Any]], secrets: Mapping[str, Any], **env: str) -> Program:
    """Play tasks with all verbosity; while each request is served, the processes are looked at."""
    (home / "spy").mkdir(parents=True)
    (home / "spy" / "sitecustomize.py").write_text(SPY, encoding="utf-8")
    (home / VARS).write_text(json.dumps(secrets), encoding="utf-8")
    playbook = home / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    seen: list[tuple[bytes, bytes]] = []
    scene.watchers.append(lambda: seen.extend(processes_below(os.getpid()).values()))
    ran = subprocess.run(
        [
            "ansible-playbook",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-vvvv",
            "--diff",
            "-e",
            f"@{home / VARS}",
            str(playbook),
        ],
        cwd=ROOT,
        env={
            **check_environment(os.environ),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(home / "remote"),
            "ANSIBLE_LOG_PATH": str(home / "ansible.log"),
            "ANSIBLE_DISPLAY_TRACEBACK": "always",
            "KEPT_LOG": str(home / "system.log"),
            "PYTHONPATH": str(home / "spy"),
            **env,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=600,
        check=False,
    )
    scene.watchers.clear()
    assert any(b"AnsiballZ" in command for command, _env in seen), "the modules were seen at work"
    assert scene.canaries.found_in(b"\n".join(command for command, _env in seen)) == []
    environments = b"\n".join(environment for _command, environment in seen)
    assert scene.canaries.found_in(environments) == scene.canaries.found_in(str(env))
    return Program(home, ran.stdout + ran.stderr, ran.returncode)


def task(module: str, register: str = "", **options: Any) -> dict[str, Any]:
    more = {"register": register} if register else {}
    return {f"vsphere.content.{module}": options, "ignore_errors": True, **more}


def show(name: str) -> dict[str, Any]:
    return {"ansible.builtin.debug": {"var": name}}


def good_tasks(scene: Scene) -> list[dict[str, Any]]:
    given = {name: f"{{{{ {name} }}}}" for name in ("hostname", "username", "password", "port", "ca_path")}
    publish = {**_publish(scene), "files": [{"url": "{{ url }}"}, {"src": str(scene.folder / "local.iso")}]}
    return [
        {**task(UPDATE, **given, **publish), "check_mode": True},
        task(UPDATE, "published", **given, **publish),
        show("published"),
        task(INFO, "found", **given, **_info(scene)),
        show("found"),
        task(DOWNLOAD, "fetched", **given, **_fetch(scene)),
        task(ITEM, "made", **given, **_item(scene)),
        task(ITEM_INFO, **given, **_item_info(scene)),
        task(RETENTION, **given, **_retain(scene)),
        task(INFO, **{**given, "password": "a-wrong-password"}),
        task(UPDATE, **given, **{**publish, "files": [{"url": "{{ url }}", "src": "/x"}]}),
    ]


def secrets_of(scene: Scene, server: Any = None) -> dict[str, Any]:
    return {**connection_args(server or scene.sim), "url": scene.url}


def require_nothing_shown(scene: Scene, program: Program, *, own: dict[str, list[str]]) -> None:
    assert scene.canaries.found_in(program.output) == []
    assert scene.canaries.found_in(program.logs) == []
    assert "Invoked with" in program.logs
    assert scene.canaries.files_in(program.home) == {VARS: ["URL password", "URL signature", "password"], **own}


@pytest.mark.rest
def test_a_playbook_with_all_its_verbosity_shows_nothing(scene: Scene, tmp_path: Path) -> None:
    program = play(scene, tmp_path, good_tasks(scene), secrets_of(scene))
    assert program.returncode == 0, program.output
    assert program.output.count('"changed": true') >= 3, "tasks did something"
    assert "INVALID_ARGUMENT" in program.output
    require_nothing_shown(scene, program, own={})


@pytest.mark.rest
@pytest.mark.parametrize("echo", ["message", pytest.param("page", marks=pytest.mark.night)])
def test_a_playbook_that_fails_in_the_middle_shows_nothing(
    scene: Scene, identity: Identity, tmp_path: Path, echo: str
) -> None:
    def meddle(number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        return ECHOES[echo](request, "api") if number % 7 == 0 else None

    with Relay(scene.sim, identity, meddle) as relay:
        program = play(scene, tmp_path, good_tasks(scene), secrets_of(scene, relay))
    assert "fatal: [localhost]" in program.output
    require_nothing_shown(scene, program, own={})


@pytest.mark.rest
def test_the_password_in_the_environment_stays_there(scene: Scene, tmp_path: Path) -> None:
    place = {"VMWARE_HOST": scene.sim.hostname, "VMWARE_PORT": str(scene.sim.port)}
    env = {"VMWARE_PASSWORD": PASSWORD, "VMWARE_USER": ADMINISTRATOR, **place}
    tasks = [task(INFO, ca_path=scene.sim.ca_path, with_files=True)]
    program = play(scene, tmp_path, tasks, {}, **env)
    assert program.returncode == 0, program.output
    assert scene.canaries.found_in(program.output + program.logs) == []
    assert scene.canaries.files_in(program.home) == {}


@pytest.mark.rest
def test_kept_remote_files_hold_the_options_and_nothing_else_does(scene: Scene, tmp_path: Path) -> None:
    """What SECURITY.md says of ANSIBLE_KEEP_REMOTE_FILES: the payload of a module is Ansible's own file."""
    program = play(scene, tmp_path, good_tasks(scene)[1:2], secrets_of(scene), ANSIBLE_KEEP_REMOTE_FILES="1")
    assert program.returncode == 0, program.output
    held = scene.canaries.files_in(program.home)
    assert [Path(name).name for name in held if name != VARS] == [f"AnsiballZ_{UPDATE}.py"]


@pytest.mark.rest
def test_a_job_of_ansible_runner_shows_nothing(scene: Scene, tmp_path: Path) -> None:
    env = {
        "VMWARE_HOST": scene.sim.hostname,
        "VMWARE_USER": ADMINISTRATOR,
        "VMWARE_PASSWORD": PASSWORD,
        "VMWARE_PORT": str(scene.sim.port),
    }
    answers = {
        "vcenter_connection": {"ca_path": scene.sim.ca_path},
        "publish_libraries": "templates",
        "publish_src": str(scene.folder / "local.iso"),
    }
    directory = tmp_path / "job"
    job = run_job(directory, "publish.yml", env, answers, "-vvvv", "--diff").succeeded()
    assert scene.canaries.found_in(json.dumps(job.events)) == []
    # Runner's own record of the environment, and the user's own file.
    assert set(scene.canaries.files_in(directory)) == {"artifacts/job/command", "env/envvars"}


@pytest.mark.rest
def test_a_failing_job_of_ansible_runner_shows_nothing(scene: Scene, identity: Identity, tmp_path: Path) -> None:
    def meddle(number: int, request: Received, _pass_on: Callable[[], Reply]) -> Reply | None:
        return _as_message(request, "api") if number > 6 else None

    with Relay(scene.sim, identity, meddle) as relay:
        env = {
            "VMWARE_HOST": relay.hostname,
            "VMWARE_USER": ADMINISTRATOR,
            "VMWARE_PASSWORD": PASSWORD,
            "VMWARE_PORT": str(relay.port),
        }
        answers = {
            "vcenter_connection": {"ca_path": relay.ca_path},
            "publish_libraries": "templates",
            "publish_src": str(scene.folder / "local.iso"),
        }
        directory = tmp_path / "job"
        job = run_job(directory, "publish.yml", env, answers, "-vvvv", "--diff").failed()
    assert scene.canaries.found_in(json.dumps(job.events)) == []
    assert set(scene.canaries.files_in(directory)) == {"artifacts/job/command", "env/envvars"}
