# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measured run of our code in a separate process: ``python -m tools.bench.worker COMMAND ...``.

COMMAND is one of `COMMANDS`. It prints one line of JSON. Like curl, `put` and `get` start their clock right before they
connect, and not with the process.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import json
import os
import re
import runpy
import sys
import threading
import time
import uuid
from pathlib import Path

from ansible_collections.vsphere.content.plugins.module_utils._download.destination import Folder
from ansible_collections.vsphere.content.plugins.module_utils._download.partial import Partial
from ansible_collections.vsphere.content.plugins.module_utils._task.progress import Progress
from ansible_collections.vsphere.content.plugins.module_utils._transfer.content import WantedFile
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import identity_of
from ansible_collections.vsphere.content.plugins.module_utils._transfer.streams import get_file, put_file
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import ConnectionOptions
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import DownloadSession
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.timing import Timing

PLUGINS = "ansible_collections.vsphere.content.plugins"
REQUEST_SECONDS = 60
# A hundred times as often as by default, so that a transfer of a second or two shows what progress lines cost.
LINE_SECONDS = 0.05


class Stopwatch:
    """Takes the time and the CPU seconds of this process from now on."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {"seconds": time.perf_counter() - self._began, "cpu": time.process_time() - self._used}


def connect(options: argparse.Namespace) -> Connection:
    return Connection(
        ConnectionOptions(
            hostname=options.hostname,
            port=options.port,
            username=os.environ.get("VMWARE_USER"),
            password=os.environ.get("VMWARE_PASSWORD"),
            session_token=None,
            verify=options.ca,
            proxy=None,
            request_timeout=REQUEST_SECONDS,
            dialect="api",
        ),
        on_secret=lambda _secret: None,
    )


def put(options: argparse.Namespace) -> None:
    """Send a file, hash it on the way if `--hash` is given, and write progress lines to the file `--progress`."""
    identity = identity_of(os.stat(options.path))
    stopwatch = Stopwatch()
    progress = Progress(path=options.progress, interval=LINE_SECONDS)
    progress.expect({options.path: identity.size})
    moving = progress.start(options.path, identity.size, "waiting for the answer")
    connection = connect(options)
    put_file(
        connection.stream,
        f"{connection.options.origin}/{os.path.basename(options.path)}",
        WantedFile(os.path.basename(options.path), options.path, options.path, identity.size, identity=identity),
        hash_with=options.hash,
        session_id="bench",
        stop=threading.Event(),
        on_progress=moving.reach,
    )
    moving.finish()
    progress.close()
    tell(**stopwatch.read())


def get(options: argparse.Namespace) -> None:
    """Fetch `--size` bytes into `--path`, as a download with `dest` does before the file takes its place."""
    stopwatch = Stopwatch()
    connection = connect(options)
    folder, name = os.path.split(options.path)
    partial = Partial(Folder(folder), name)
    partial.open()
    arrived = get_file(
        connection.stream,
        f"{connection.options.origin}/{options.size}",
        partial,
        size=options.size,
        hash_with=options.hash,
        session_id="bench",
        stop=threading.Event(),
        on_progress=lambda _received: None,
        on_break=lambda why: sys.exit(f"the download broke: {why}"),
        timing=Timing(),
    )
    measured = stopwatch.read()
    partial.discard()
    partial.close()
    tell(**measured, digests=dict(arrived.digests))


def open_sessions(options: argparse.Namespace) -> None:
    """Make `--size` download sessions on an item of the simulator."""
    connection = connect(options)
    connection.login()
    api = Api(connection)
    [library_id] = api.find_libraries("templates")
    [item_id] = api.find_items("tools", library_id)
    for number in range(options.size):
        api.downloads.create(DownloadSession(library_item_id=item_id), str(uuid.UUID(int=number)))
    connection.logout()
    tell(sessions=options.size)


def read_sessions(options: argparse.Namespace) -> None:
    """Read all download sessions, one after another."""
    connection = connect(options)
    connection.login()
    api = Api(connection)
    sessions = [api.downloads.get(session_id) for session_id in api.downloads.ids()]
    connection.logout()
    tell(read=len(sessions))


def read_items(options: argparse.Namespace) -> None:
    """Read all items of a library with their files, one after another."""
    connection = connect(options)
    connection.login()
    api = Api(connection)
    [library_id] = api.find_libraries("templates")
    items = [(api.get_item(item_id), api.list_item_files(item_id)) for item_id in api.find_items(library_id=library_id)]
    connection.logout()
    tell(read=len(items))


def memory(options: argparse.Namespace) -> None:
    """Run a module, with its arguments on standard input, and write what memory it took to `--path`, in KiB."""
    idle = kib("VmRSS")
    atexit.register(lambda: keep_memory(options.path, idle))
    module = f"{PLUGINS}.modules.{options.module}"
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def memory_in_fork(options: argparse.Namespace) -> None:
    """The same in a fork of this process, which has loaded the module's action plugin as a worker of Ansible has."""
    # What else is measured here runs without the parts of Ansible that only a controller loads.
    from ansible_collections.vsphere.content.plugins.plugin_utils._core import become_module
    from ansible_collections.vsphere.content.plugins.plugin_utils._fork import Program, run_in_fork

    module = importlib.import_module(f"{PLUGINS}.action.{options.module}").ActionModule.MODULE
    arguments = sys.stdin.buffer.read()

    def run() -> None:
        idle = kib("VmRSS")
        try:
            become_module(arguments)
            module.main()
        finally:
            keep_memory(options.path, idle)

    ended = run_in_fork(Program(module.path, run, {}, os.getcwd()), lambda: None)
    sys.stdout.write(ended.stdout.decode())
    sys.stderr.write(ended.stderr.decode())
    sys.exit(ended.status)


def keep_memory(path: str, idle: int) -> None:
    Path(path).write_text(json.dumps({"idle": idle, "peak": kib("VmHWM")}))


def kib(name: str) -> int:
    """The resident set of this process (VmRSS) or its peak (VmHWM); getrusage has that of who forked it, too."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if not found:
        raise OSError(f"/proc/self/status has no {name}")
    return int(found.group(1))


def tell(**facts: object) -> None:
    print(json.dumps(facts))


COMMANDS = {
    "put": put,
    "get": get,
    "open": open_sessions,
    "list": read_sessions,
    "items": read_items,
    "memory": memory,
    "memory-in-fork": memory_in_fork,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.worker")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--hostname")
    parser.add_argument("--port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--path")
    parser.add_argument("--size", type=int)
    parser.add_argument("--hash")
    parser.add_argument("--progress")
    parser.add_argument("--module")
    options = parser.parse_args()
    COMMANDS[options.command](options)


if __name__ == "__main__":
    main()
