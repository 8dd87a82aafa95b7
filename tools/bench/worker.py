# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measured run of ours in a process of its own: ``python -m tools.bench.worker put|get|open|list|peak ...``.

It prints one line of JSON. Like curl's own clock, that of `put` and `get` starts before the connection is made, and
not with the process.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import re
import runpy
import sys
import threading
import time
import uuid
from pathlib import Path

from ansible_collections.vsphere.content.plugins.module_utils._download.destination import Folder, Partial
from ansible_collections.vsphere.content.plugins.module_utils._task.progress import Progress
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import identity_of
from ansible_collections.vsphere.content.plugins.module_utils._transfer.streams import get_file, put_file
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.api import Api
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection import Connection
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.connection_options import ConnectionOptions

REQUEST_SECONDS = 60
# A hundred times as often as a task tells by default, so that a transfer of a second or two shows what it costs.
LINE_SECONDS = 0.05


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
    """Send a file, hashed on the way if `--hash` is given, and tell of it in the file `--progress`."""
    identity = identity_of(os.stat(options.path))
    began = time.perf_counter()
    progress = Progress(path=options.progress, interval=LINE_SECONDS)
    progress.expect({options.path: identity.size})
    moving = progress.start(options.path, identity.size, "waiting for the answer")
    connection = connect(options)
    put_file(
        connection.stream,
        f"{connection.options.origin}/{os.path.basename(options.path)}",
        options.path,
        identity,
        hash_with=options.hash,
        session_id="bench",
        stop=threading.Event(),
        on_progress=moving.reach,
    )
    moving.finish()
    progress.close()
    tell(seconds=time.perf_counter() - began)


def get(options: argparse.Namespace) -> None:
    """Fetch `--size` bytes into `--path`, as a download with `dest` does before the file takes its place."""
    began = time.perf_counter()
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
    )
    seconds = time.perf_counter() - began
    partial.discard()
    partial.close()
    tell(seconds=seconds, digest=arrived.digest)


def open_sessions(options: argparse.Namespace) -> None:
    """Make `--size` download sessions on an item of the simulator."""
    connection = connect(options)
    connection.login()
    api = Api(connection)
    [library_id] = api.find_libraries("templates")
    [item_id] = api.find_items("tools", library_id)
    for number in range(options.size):
        api.create_download_session(item_id, str(uuid.UUID(int=number)))
    connection.logout()
    tell(sessions=options.size)


def read_sessions(options: argparse.Namespace) -> None:
    """Read all download sessions, one after another."""
    connection = connect(options)
    connection.login()
    api = Api(connection)
    sessions = [api.get_download_session(session_id) for session_id in api.list_download_sessions()]
    connection.logout()
    tell(sessions=len(sessions))


def peak(options: argparse.Namespace) -> None:
    """Run a module, with its arguments on standard input, and write its peak memory in KiB to `--path`."""
    atexit.register(lambda: Path(options.path).write_text(str(peak_kib())))
    sys.argv = [options.module]
    runpy.run_module(options.module, run_name="__main__", alter_sys=True)


def peak_kib() -> int:
    """The largest resident set of this process: getrusage would count that of the process it was forked from too."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if not found:
        raise OSError("/proc/self/status names no VmHWM")
    return int(found.group(1))


def tell(**facts: object) -> None:
    print(json.dumps(facts))


COMMANDS = {"put": put, "get": get, "open": open_sessions, "list": read_sessions, "peak": peak}


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
