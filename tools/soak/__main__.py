# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tools.soak --minutes 10``: prints a table at the end, and exits with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from tests.harness.checkout import collections_root
from tests.harness.packages import make_iso, make_package
from tests.harness.tasks import DIALECTS
from tests.harness.waiting import eventually
from tests.simulator import Simulator
from tools.soak.ledger import Ledger
from tools.soak.runs import Ran, run_module, run_playbook
from tools.soak.trouble import Trouble, choose

UPDATE_SESSION = "content_library_update_session"
DOWNLOAD_SESSION = "content_library_download_session"
SESSION_INFO = "content_library_session_info"
LIBRARY = "templates"
ITEMS = {"ovf": "rocky9", "iso": "tools"}
DISK_BYTES = 300_000
FRESH_SHARE = 0.3
PLAYBOOK_EVERY = 6


Work = Callable[[Optional[Trouble]], Ran]


@dataclass(frozen=True)
class Jobs:
    """The jobs of a cycle; each can run with trouble or without."""

    publish: Work
    fetch: Work
    clean: Work


@dataclass(frozen=True)
class Content:
    """One version of an item: the options of the task, and what the item holds afterwards."""

    item: str
    source: Path
    files: Mapping[str, bytes]


def make_content(kind: str, folder: Path, number: int) -> Content:
    if kind == "iso":
        image = make_iso(folder / "tools.iso", DISK_BYTES, f"version {number}")
        return Content(ITEMS[kind], image, {image.name: image.read_bytes()})
    package = make_package(folder, f"rocky9-{number}", disks=2, disk_bytes=DISK_BYTES)
    return Content(
        ITEMS[kind],
        package.descriptor,
        {path.name: path.read_bytes() for path in (package.descriptor, *package.references)},
    )


class Soak:
    """Runs cycles against one simulated vCenter, and counts."""

    def __init__(self, sim: Simulator, folder: Path, seed: int) -> None:
        self._sim = sim
        self._folder = folder
        self._dice = random.Random(seed)
        self._held: dict[str, Mapping[str, bytes]] = {item: {} for item in ITEMS.values()}
        self._wanted: Mapping[str, bytes] = {}
        self.ledger = Ledger(seed)

    def cycle(self, *, by_playbook: bool) -> None:
        ledger = self.ledger
        ledger.cycles += 1
        ledger.by_playbook += by_playbook
        kind = self._dice.choice(list(ITEMS))
        folder = self._folder / "images"
        folder.mkdir()
        content = make_content(kind, folder, ledger.cycles)
        dest = self._folder / f"dest-{content.item}"
        dest.mkdir(exist_ok=True)
        self._wanted = content.files
        jobs = self._playbooks(content, dest) if by_playbook else self._modules(content, dest)
        published, fetched = (choose(self._dice, job, mortal=not by_playbook) for job in ("publish", "fetch"))
        self._settle(content, jobs.publish, published, lambda: self._content(content.item) == content.files)
        self._settle(content, jobs.fetch, fetched, lambda: content.files.items() <= _local(dest).items())
        ledger.promise(not self._run(jobs.clean, None).code, "cleaning failed")
        ledger.promise(not self._sessions(ended=True), "cleaning left sessions that have ended")
        ledger.memory["server"].append(resident())
        shutil.rmtree(folder)
        for path in dest.iterdir():
            if path.name not in content.files or self._dice.random() < FRESH_SHARE:
                path.unlink()

    def finish(self) -> Ledger:
        """Count what is left over at the end."""
        states = self._sessions(ended=False) + self._sessions(ended=True)
        self.ledger.sessions_left = len(states)
        self.ledger.logins_left = self._logins()
        self.ledger.files_left = sum(len(_hidden(path)) for path in self._folder.glob("dest-*"))
        left = (self.ledger.sessions_left, self.ledger.logins_left, self.ledger.files_left)
        self.ledger.promise(left == (0, 0, 0), f"left over: sessions, logins and files {left}")
        self.ledger.judge_memory()
        return self.ledger

    def _settle(self, content: Content, work: Work, trouble: Trouble | None, is_done: Callable[[], bool]) -> None:
        """Run a job with trouble, then without: it must be done then, and a third run must change nothing."""
        first = self._run(work, trouble)
        where = f"{content.item} with {trouble or 'no trouble'}"
        if first.code:
            self.ledger.failures[first.error_type or "none"] += 1
            self.ledger.promise(trouble is not None, f"{where} failed: {first.output[-600:]}")
            self.ledger.promise("Traceback" not in first.output, f"{where} showed a traceback")
        killed = trouble is not None and trouble.death == "SIGKILL"
        self._check(f"after {where}", content.item, killed=killed)
        if trouble:
            second = self._run(work, None)
            self.ledger.promise(not second.code, f"the run after {where} failed: {second.output[-600:]}")
            self._check(f"after the run after {where}", content.item, killed=False)
        self.ledger.promise(is_done(), f"{where}: the work is not done")
        self._sim.clear_exchanges()
        third = self._run(work, None)
        uploads = [entry for entry in self._sim.exchanges if entry.path.startswith("/cls/data/")]
        idle = not third.code and not third.changed and not uploads
        self.ledger.promise(idle, f"another run after {where} found something to do")

    def _run(self, work: Work, trouble: Trouble | None) -> Ran:
        sim, ledger = self._sim, self.ledger
        sim.clear_exchanges()
        ledger.runs += 1
        if trouble:
            sim.inject(trouble.fault)
            ledger.deaths += bool(trouble.death)
            ledger.faults += not trouble.death
        ran = work(trouble)
        sim.release()
        sim.clear_faults()
        eventually(lambda: not sim.in_flight)
        return ran

    def _check(self, when: str, item: str, *, killed: bool) -> None:
        """Check after each run that nothing is lost, and nothing is left behind unless SIGKILL ended the run."""
        found = self._content(item)
        self.ledger.promise(found in (self._held[item], self._wanted), f"{when} the item holds neither content whole")
        self._held[item] = found
        if not killed:
            active = self._sessions(ended=False)
            self.ledger.promise(not active, f"{when} sessions are left ACTIVE")
            hidden = [str(path) for folder in self._folder.glob("dest-*") for path in _hidden(folder)]
            self.ledger.promise(not hidden, f"{when} temporary files are left: {hidden}")

    def _modules(self, content: Content, dest: Path) -> Jobs:
        named = {"library": LIBRARY, "library_item": content.item}
        files = [{"src": str(content.source)}]
        dialect = self._dice.choice(DIALECTS)

        def run(module: str, options: Mapping[str, Any]) -> Work:
            def work(trouble: Trouble | None) -> Ran:
                ran = run_module(self._sim, module, options, dialect, trouble)
                self._note("module", ran)
                self._expect_no_login(trouble)
                return ran

            return work

        def clean(_trouble: Trouble | None) -> Ran:
            ran = run(SESSION_INFO, named)(None)
            for kind, module in (("update_sessions", UPDATE_SESSION), ("download_sessions", DOWNLOAD_SESSION)):
                for session in ran.result.get(kind, ()):
                    ran = run(module, {"session_id": session["id"], "state": "absent"})(None)
            return ran

        publish = {**named, "state": "done", "files": files, "purge_files": True}
        return Jobs(run(UPDATE_SESSION, publish), run(DOWNLOAD_SESSION, {**named, "dest": str(dest)}), clean)

    def _playbooks(self, content: Content, dest: Path) -> Jobs:
        def run(name: str, variables: Mapping[str, Any]) -> Work:
            def work(trouble: Trouble | None) -> Ran:
                ran = run_playbook(self._sim, name, variables, self._folder)
                self._note("ansible", ran)
                self._expect_no_login(trouble)
                return ran

            return work

        item = {"library": LIBRARY, "library_item": content.item}
        publish = {
            "publish_libraries": LIBRARY,
            "publish_items": [
                {"src": str(content.source), "library_item": content.item, "purge_files": True, "type": ""},
            ],
        }
        fetch = {**{f"fetch_{name}": value for name, value in item.items()}, "fetch_dest": str(dest)}
        clean = {f"clean_sessions_{name}": value for name, value in item.items()}
        return Jobs(run("publish", publish), run("fetch", fetch), run("clean_sessions", clean))

    def _note(self, kind: str, ran: Ran) -> None:
        if not ran.error_type:
            self.ledger.memory[kind].append(ran.peak)

    def _expect_no_login(self, trouble: Trouble | None) -> None:
        self._sim.release()
        eventually(lambda: not self._sim.in_flight)
        if not (trouble and trouble.loses_login):
            self.ledger.promise(not self._logins(), f"a login is left after {trouble or 'no trouble'}")
        # A login that nobody can end would expire when idle; this does not wait for that.
        self._sim.run(lambda store: store.logins.expire_all())

    def _logins(self) -> int:
        return self._sim.run(lambda store: store.logins.count)

    def _content(self, item: str) -> dict[str, bytes]:
        return self._sim.run(lambda store: store.item_contents(store.find_item_id(LIBRARY, item)))

    def _sessions(self, *, ended: bool) -> list[str]:
        def read(store: Any) -> list[str]:
            sessions = [*store.updates.sessions.values(), *store.downloads.sessions.values()]
            return [session.id for session in sessions if (session.state != "ACTIVE") == ended]

        return self._sim.run(read)


def _local(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def resident() -> int:
    """The memory of this process, which includes the server, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def soak(seconds: float, seed: int) -> Ledger:
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch, Simulator(settle=0.05) as sim:
        soaking = Soak(sim, Path(scratch), seed)
        while not soaking.ledger.cycles or time.monotonic() < end:
            soaking.cycle(by_playbook=soaking.ledger.cycles % PLAYBOOK_EVERY == PLAYBOOK_EVERY - 1)
        return soaking.finish()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description="Work for long while things go wrong.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="the same faults again; by default others each time")
    options = parser.parse_args(arguments)
    collections_root()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    ledger = soak(60 * options.minutes, seed)
    print(ledger.report())
    return 1 if ledger.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
