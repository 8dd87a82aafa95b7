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
from dataclasses import replace

from .faults import parse_fault
from .likeness import Likeness, likeness_of, read_report
from .record import Observer
from .seed import Seed, load_seed
from .server import SETTLE, Server, Settings
from .tls import make_tls
from .versions import DEFAULT, VERSIONS
from .worlds import describe_worlds, parse_worlds, slow_world


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="A Content Library server to try things on."
    )
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free port")
    options.add_argument(
        "--primary-name", default="", metavar="NAME", help="the server's own name, in addresses of content"
    )
    options.add_argument("--dialect", choices=("both", "api", "rest"), default="both")
    options.add_argument("--seed", metavar="FILE.yml", help="what the server holds when it starts")
    options.add_argument(
        "--data",
        metavar="DIR",
        help="keep content there instead of in memory, for as long as an item or a session holds it",
    )
    options.add_argument("--session-timeout", type=float, default=300.0, metavar="SECONDS")
    options.add_argument("--login-timeout", type=float, metavar="SECONDS", help="how long a login may be idle")
    options.add_argument("--latency", type=float, default=0.0, metavar="MS", help="wait before each answer")
    options.add_argument("--rate", type=int, metavar="BYTES_PER_SECOND", help="limit of each connection")
    options.add_argument(
        "--settle",
        type=float,
        metavar="SECONDS",
        help=f"how long content takes to be READY; pushed files are READY at once without it, others after {SETTLE}",
    )
    options.add_argument("--fault", action="append", default=[], metavar="METHOD:PATH-GLOB:NTH:KIND")
    options.add_argument(
        "--vcenter", choices=tuple(VERSIONS), help=f"the version to be like; {DEFAULT} if none is given"
    )
    options.add_argument(
        "--like", metavar="REPORT.json", help="do what a check has seen of a vCenter; --vcenter and --world come first"
    )
    options.add_argument(
        "--world", action="append", default=[], metavar="NAME=VALUE", help="answer an open question in this way"
    )
    options.add_argument("--worlds", action="store_true", help="print the open questions as JSON, and stop")
    options.add_argument("--record", metavar="FILE.jsonl", help="write one line for each exchange")
    return options


def main(arguments: list[str] | None = None, *observers: Observer) -> int:
    options = parser().parse_args(arguments)
    if options.worlds:
        print(json.dumps(describe_worlds(), indent=2))
        return 0
    try:
        for text in options.fault:
            parse_fault(text)
        given = load_seed(options.seed) if options.seed else Seed()
        seed = _placed(given, options)
        if options.dialect not in ("both", *seed.dialects):
            raise ValueError(f"this vCenter does not speak /{options.dialect}: leave --dialect out")
        if options.data:
            os.makedirs(options.data, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="simulator-") as directory:
        return asyncio.run(serve(options, seed, directory, observers))


def _placed(seed: Seed, options: argparse.Namespace) -> Seed:
    like = likeness_of(read_report(options.like)) if options.like else Likeness(DEFAULT)
    if options.vcenter:
        like = replace(like, version=options.vcenter)
    return like.place(seed, slow_world(options.settle), parse_worlds(options.world))


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
            SETTLE if options.settle is None else options.settle,
            options.record,
            observers=observers,
            primary_name=options.primary_name,
        ),
        seed,
    )
    for text in options.fault:
        server.faults.add(text)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await server.start(make_tls(directory, options.host, server.settings.own_name))
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
