# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: starts the server, prints one line of JSON when it is ready, and stops on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile

from .faults import parse_fault
from .record import Observer
from .seed import Seed, load_seed
from .server import Server, Settings
from .tls import make_tls


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="A Content Library server to try things on."
    )
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free port")
    options.add_argument("--dialect", choices=("both", "api", "rest"), default="both")
    options.add_argument("--seed", metavar="FILE.yml", help="what the server holds when it starts")
    options.add_argument("--data", metavar="DIR", help="keep content there instead of in memory")
    options.add_argument("--session-timeout", type=float, default=300.0, metavar="SECONDS")
    options.add_argument("--login-timeout", type=float, default=1800.0, metavar="SECONDS")
    options.add_argument("--latency", type=float, default=0.0, metavar="MS", help="wait before each answer")
    options.add_argument("--rate", type=int, metavar="BYTES_PER_SECOND", help="limit of each connection")
    options.add_argument(
        "--settle", type=float, default=0.2, metavar="SECONDS", help="how long content takes to be READY"
    )
    options.add_argument("--fault", action="append", default=[], metavar="METHOD:PATH-GLOB:NTH:KIND")
    options.add_argument("--record", metavar="FILE.jsonl", help="write one line for each exchange")
    return options


def main(arguments: list[str] | None = None, *observers: Observer) -> int:
    options = parser().parse_args(arguments)
    try:
        for text in options.fault:
            parse_fault(text)
        seed = load_seed(options.seed) if options.seed else Seed()
        if options.data:
            os.makedirs(options.data, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="simulator-") as directory:
        return asyncio.run(serve(options, seed, directory, observers))


async def serve(options: argparse.Namespace, seed: Seed, directory: str, observers: tuple[Observer, ...] = ()) -> int:
    server = Server(
        Settings(
            options.host,
            options.port,
            options.dialect,
            options.data,
            options.session_timeout,
            options.login_timeout,
            options.latency,
            options.rate,
            options.settle,
            options.record,
            observers=observers,
        ),
        seed,
    )
    for text in options.fault:
        server.faults.add(text)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await server.start(make_tls(directory, options.host))
    except OSError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    ready = {
        "hostname": options.host,
        "port": server.port,
        "username": seed.users[0].name,
        "password": seed.users[0].password,
        "ca_path": os.path.join(directory, "ca.pem"),
        "pid": os.getpid(),
    }
    print(json.dumps(ready), flush=True)
    await stopped.wait()
    await server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
