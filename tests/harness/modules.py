# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module as Ansible does: its real ``main()``, through its real argument spec."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TextIO
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings as ansible_warnings
from ansible.module_utils.common.parameters import PASS_VARS

from tests.harness.checkout import CACHE, ROOT, collections_root

if TYPE_CHECKING:
    from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
    from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Clock, Timing

#: Has a module return its arguments, so that a test sees what of them is shown. Versions of ansible-core that do not
#: know the variable return them always.
WITH_INVOCATION = {"_ansible_inject_invocation": True} if "inject_invocation" in PASS_VARS else {}
MODULES = "ansible_collections.vsphere.content.plugins.modules"
#: Has `run_module` and the nursery run modules in forks as an action plugin does.
IN_FORK = os.environ.get("MODULES_IN_FORK", "") == "1"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


class Server(Protocol):
    """What the connection options need of a server."""

    @property
    def hostname(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def ca_path(self) -> str: ...


@dataclass(frozen=True)
class ModuleResult:
    rc: int
    result: dict[str, Any]
    stdout: str
    stderr: str

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings; ansible-core 2.19 and later wrap each in an object."""
        found = self.result.get("warnings", [])
        return [each["event"]["msg"] if isinstance(each, dict) else each for each in found]


def connect(server: Server, dialect: str) -> Connection:
    """A connection that is not logged in yet."""
    from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
    from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import ConnectionOptions

    options = ConnectionOptions(
        hostname=server.hostname,
        port=server.port,
        username=server.username,
        password=server.password,
        session_token=None,
        verify=server.ca_path,
        proxy=None,
        request_timeout=10,
        dialect=dialect,
    )
    return Connection(options, on_secret=lambda _secret: None)


def connection_args(server: Server) -> dict[str, Any]:
    return {
        "hostname": server.hostname,
        "port": server.port,
        "username": server.username,
        "password": server.password,
        "ca_path": str(server.ca_path),
    }


_clocks: list[Clock] = []


@contextlib.contextmanager
def paced(clock: Clock | None = None, **pauses: Any) -> Iterator[None]:
    """Give the modules that run in this process in the block a clock, or some pauses, of the test's own."""
    given = clock or _clock()
    _clocks.append(replace(given, timing=replace(given.timing, **pauses)))
    try:
        yield
    finally:
        _clocks.pop()


def pauses() -> Timing:
    """The pauses of the block."""
    return _clock().timing


def _clock() -> Clock:
    from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import SYSTEM_CLOCK

    return _clocks[-1] if _clocks else SYSTEM_CLOCK


def run_module(
    name: str,
    args: Mapping[str, Any],
    *,
    check: bool = False,
    diff: bool = True,
    verbosity: int = 0,
    env: Mapping[str, str] | None = None,
) -> ModuleResult:
    """Run a module in this process; only from the main thread, as modules set signal handlers.

    ``env`` is added to this process's environment, from which the developer's VMWARE_* variables are removed.
    """
    main = importlib.import_module(f"{MODULES}.{name}").main
    stdout, stderr = io.StringIO(), io.StringIO()
    rc: Any = None
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, _environment(env), clear=True))
        stack.enter_context(_patched_args(_module_args(args, check, diff, verbosity)))
        stack.enter_context(_signal_handlers_kept())
        stack.enter_context(contextlib.redirect_stdout(stdout))
        stack.enter_context(contextlib.redirect_stderr(stderr))
        _forget_warnings()
        clocked = {"clock": _clock()} if "clock" in inspect.signature(main).parameters else {}
        if IN_FORK:
            return _run_in_fork(name, lambda: main(**clocked))
        try:
            main(**clocked)
        except SystemExit as exited:
            rc = exited.code
    if not isinstance(rc, int):
        raise AssertionError(f"{name} ended without exit_json or fail_json; it printed {stdout.getvalue()!r}")
    return _module_result(rc, stdout.getvalue(), stderr.getvalue())


def _run_in_fork(name: str, main: Callable[[], Any]) -> ModuleResult:
    from ansible_collections.vsphere.content.plugins.plugin_utils._fork import Program, run_in_fork

    with warnings.catch_warnings():
        # The simulator's thread runs here, too. It holds nothing that a module needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        left = run_in_fork(Program(name, main, {}, os.getcwd()), lambda: None)
    return _module_result(left.status, left.stdout.decode(), left.stderr.decode())


def start_module(
    name: str,
    args: Mapping[str, Any],
    *,
    check: bool = False,
    diff: bool = True,
    verbosity: int = 0,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a module in a process of its own, for tests that send it signals; see finish_module()."""
    with module_input(args, check=check, diff=diff, verbosity=verbosity) as stdin:
        return subprocess.Popen(
            [sys.executable, "-m", f"{MODULES}.{name}"],
            cwd=ROOT,
            env=module_environment(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def module_environment(env: Mapping[str, str] | None) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(collections_root()), os.environ.get("PYTHONPATH", "")]))
    return {**_environment(env), "PYTHONPATH": path}


@contextlib.contextmanager
def module_input(
    args: Mapping[str, Any], *, check: bool = False, diff: bool = True, verbosity: int = 0
) -> Iterator[TextIO]:
    """The arguments as standard input: they hold the password, and every process list shows a command line."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stdin:
        json.dump({"ANSIBLE_MODULE_ARGS": _module_args(args, check, diff, verbosity)}, stdin)
        stdin.seek(0)
        yield stdin


class ModuleProcess(Protocol):
    """What `finish_module` needs of a process."""

    @property
    def returncode(self) -> Any: ...
    def kill(self) -> None: ...
    def communicate(self, *, timeout: float = ...) -> tuple[str, str]: ...


def finish_module(process: ModuleProcess, timeout: float = 60.0) -> ModuleResult:
    """Wait for a started module. After the timeout this kills it and raises TimeoutExpired."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return _module_result(process.returncode, stdout, stderr)


def run_module_process(
    name: str,
    args: Mapping[str, Any],
    *,
    check: bool = False,
    diff: bool = True,
    verbosity: int = 0,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> ModuleResult:
    process = start_module(name, args, check=check, diff=diff, verbosity=verbosity, env=env)
    return finish_module(process, timeout)


def _module_args(args: Mapping[str, Any], check: bool, diff: bool, verbosity: int) -> dict[str, Any]:
    return {
        **args,
        "_ansible_check_mode": check,
        "_ansible_diff": diff,
        "_ansible_remote_tmp": str(CACHE / "remote_tmp"),
        "_ansible_verbosity": verbosity,
    }


def _patched_args(args: dict[str, Any]) -> contextlib.AbstractContextManager[Any]:
    try:
        testing: Any = importlib.import_module("ansible.module_utils.testing")
    except ImportError:  # before ansible-core 2.19
        encoded: Any = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        return mock.patch.object(basic, "_ANSIBLE_ARGS", encoded)
    patched: contextlib.AbstractContextManager[Any] = testing.patch_module_args(args)
    return patched


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VMWARE_")}
    return {**kept, **(env or {})}


def _forget_warnings() -> None:
    # Ansible keeps them per process. Only in tests does a process run more than one task.
    for name in ("_global_warnings", "_global_deprecations"):
        getattr(ansible_warnings, name).clear()


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _module_result(rc: int, stdout: str, stderr: str) -> ModuleResult:
    """Read the result as Ansible does: the JSON object at the beginning of a line."""
    start = next((index for index, line in enumerate(stdout.splitlines()) if line.startswith("{")), None)
    document = "\n".join(stdout.splitlines()[start:]) if start is not None else "{}"
    return ModuleResult(rc=rc, result=json.loads(document), stdout=stdout, stderr=stderr)
