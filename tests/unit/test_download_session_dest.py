# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download sessions with dest: which files are fetched, how they stand there afterwards, and what is refused."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.vsphere.content.plugins.module_utils._download.destination import (
    PARTIAL_SUFFIX,
    Folder,
    cannot_write,
)
from ansible_collections.vsphere.content.plugins.module_utils._download.fetch import require_placed
from ansible_collections.vsphere.content.plugins.module_utils._download.leftovers import remove_stale
from ansible_collections.vsphere.content.plugins.module_utils._download.partial import Partial
from ansible_collections.vsphere.content.plugins.module_utils._download.session_mark import MARK_SUFFIX
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import FileChanged
from tests.harness.held import download_states, seed_of
from tests.harness.modules import connection_args, run_module
from tests.harness.servers import CannedServer, Identity, Received, Reply, relay_to
from tests.harness.tasks import DOWNLOAD_SESSION, Run, Tasks, fetch, files_in
from tests.harness.users import as_nobody, reachable_folder
from tests.harness.waiting import while_held
from tests.simulator import ItemSeed, LibrarySeed, Seed
from tests.simulator.seed import filler

FILES = {
    "rocky9.ovf": b"<Envelope/>",
    "disk1.vmdk": filler("disk1", 200_000),
    "$HOME ~ü.nvram": filler("nvram", 3000),
    "empty.txt": b"",
}


pytestmark = pytest.mark.seed(seed_of(FILES))


def fetched(run: Run) -> list[str]:
    assert not run.failed, run.msg
    return [file["name"] for file in run.result["files"] if file["fetched"]]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_all_files_are_fetched_and_verified_through_a_session_that_is_gone_then(tasks: Tasks, dest: Path) -> None:
    run = tasks.converge(**fetch(dest))
    assert files_in(dest) == FILES
    assert download_states(tasks.sim) == {}
    assert run.session is None
    assert fetched(run) == list(FILES)
    assert all(file["verified"] for file in run.result["files"])
    for file in run.result["files"]:
        assert file["path"] == str(dest / file["name"])
        assert file["size"] == len(FILES[file["name"]])
        assert file["checksum_info"]["algorithm"] == "SHA1"
    assert run.result["transferred"]["files"] == len(FILES)
    assert run.result["transferred"]["bytes"] == sum(map(len, FILES.values()))


def test_nothing_to_fetch_makes_no_session_and_five_requests(tasks: Tasks, dest: Path) -> None:
    for name, content in FILES.items():
        (dest / name).write_bytes(content)
    run = tasks.run(**fetch(dest))
    assert not run.changed
    assert len(run.exchanges) == 5
    assert "transferred" not in run.result
    assert [file["verified"] for file in run.result["files"]] == [True] * len(FILES)


def test_only_what_differs_is_fetched(tasks: Tasks, dest: Path) -> None:
    (dest / "rocky9.ovf").write_bytes(FILES["rocky9.ovf"])
    (dest / "disk1.vmdk").write_bytes(filler("other", 200_000))
    (dest / "empty.txt").write_bytes(b"longer")
    (dest / "unrelated").write_bytes(b"stays")
    run = tasks.converge(**fetch(dest, files=["*.ovf", "*.vmdk", "*.txt"]))
    assert fetched(run) == ["disk1.vmdk", "empty.txt"]
    wanted = {name: FILES[name] for name in ("rocky9.ovf", "disk1.vmdk", "empty.txt")}
    assert files_in(dest) == {**wanted, "unrelated": b"stays"}
    assert run.diff["before"]["files"]["disk1.vmdk"]["content"] == "not the same as in the item"
    assert run.diff["after"]["files"]["disk1.vmdk"]["content"] == "same as in the item"


@pytest.mark.parametrize(
    ("files", "options", "error_type", "says"),
    [
        ({}, {}, "NOT_FOUND", ["holds no files", "Publish to it first", "synchronized"]),
        ({}, {"files": ["rocky9.ovf"]}, "NOT_FOUND", ["holds no files"]),
        (FILES, {"files": ["*.ovf", "rocky8.ovf"]}, "INVALID_ARGUMENT", ["'rocky8.ovf'", "rocky9.ovf, disk1.vmdk"]),
        (FILES, {"files": ["*.iso"]}, "INVALID_ARGUMENT", ["'*.iso'", "rocky9.ovf, disk1.vmdk"]),
    ],
    ids=["all-of-nothing", "a-name-of-nothing", "one-of-two-names", "a-glob"],
)
def test_fetching_nothing_is_an_error_and_may_be_allowed(
    tasks: Tasks, dest: Path, files: dict[str, bytes], options: dict[str, Any], error_type: str, says: list[str]
) -> None:
    tasks.sim.reset(seed_of(files))
    earlier = {"rocky9.ovf": b"of an earlier run", "rocky8.ovf": b"of another item"}
    for name, content in earlier.items():
        (dest / name).write_bytes(content)
    run = tasks.refuse(**fetch(dest, **options))
    assert run.error["type"] == error_type
    assert all(text in run.msg for text in ("'rocky9' in library 'templates'", "allow_empty: true", *says)), run.msg
    assert files_in(dest) == earlier

    allowed = tasks.converge(**fetch(dest, **options, allow_empty=True))
    there = [name for name in files if "*.ovf" in options.get("files", []) and name.endswith(".ovf")]
    assert fetched(allowed) == [file["name"] for file in allowed.result["files"]] == there
    assert allowed.changed == bool(there)
    assert files_in(dest) == {**earlier, **{name: files[name] for name in there}}
    assert download_states(tasks.sim) == {}


def test_an_empty_list_of_files_is_refused_before_the_first_request(one: Tasks, dest: Path) -> None:
    run = one.refuse(**fetch(dest, files=[]))
    assert "files is an empty list" in run.msg
    assert run.exchanges == ()
    assert not one.converge(**fetch(dest, files=[], allow_empty=True)).changed
    assert files_in(dest) == {}


def test_a_session_may_be_kept(one: Tasks, dest: Path) -> None:
    run = one.run(**fetch(dest, keep_session=True))
    assert run.session is not None
    assert run.session["state"] == "ACTIVE"
    assert one.sim.run(lambda store: list(store.downloads.sessions)) == [run.session["id"]]
    again = one.run(**fetch(dest, keep_session=True))
    assert not again.changed
    assert again.session is None
    assert len(download_states(one.sim)) == 1


@pytest.mark.parametrize("ended", [False, True], ids=["of-another-item", "ended"])
def test_a_client_token_that_names_another_session_is_refused(tasks: Tasks, dest: Path, ended: bool) -> None:
    """Its files would pass for those of the item: they have the same names, and checksums of their own."""
    token = "b8a2a2e3-2314-43cd-a871-6ede0f429751"
    items = (ItemSeed("rocky9", "ovf", FILES), ItemSeed("old", "ovf", dict.fromkeys(FILES, b"old")))
    tasks.sim.reset(Seed(libraries=(LibrarySeed("templates", items),)))
    other = tasks.run(**fetch(dest, library_item="rocky9" if ended else "old", keep_session=True, client_token=token))
    assert other.session is not None
    session_id = other.session["id"]
    if ended:
        tasks.run(module=DOWNLOAD_SESSION, session_id=session_id, state="canceled")
    for path in dest.iterdir():
        path.unlink()
    run = tasks.run(**fetch(dest, client_token=token))
    assert run.error["type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert f"client_token was used before: it names session {session_id}" in run.msg
    assert f"Session {session_id} was not created by this task, and stays as it was." in run.msg
    assert not run.changed
    assert files_in(dest) == {}
    assert tasks.sim.run(lambda store: [entry.state for entry in store.downloads.sessions.values()]) == [
        "CANCELED" if ended else "ACTIVE"
    ]


def test_other_sessions_are_left_alone(one: Tasks, dest: Path) -> None:
    item = one.sim.run(lambda store: store.find_item_id("templates", "rocky9"))
    other = one.sim.run(lambda store: store.seed_download_session(item))
    one.run(**fetch(dest))
    assert one.sim.run(lambda store: list(store.downloads.sessions)) == [other]


@pytest.mark.parametrize(("choice", "again"), [("transfer", list(FILES)), ("download", list(FILES)), ("skip", [])])
def test_without_checksums_on_the_server(one: Tasks, dest: Path, choice: str, again: list[str]) -> None:
    one.sim.reset(seed_of(FILES, checksum_algorithm="none"))
    first = one.run(**fetch(dest, when_unverifiable=choice))
    assert files_in(dest) == FILES
    assert not any(file["verified"] for file in first.result["files"])
    predicted = one.run(**fetch(dest, when_unverifiable=choice), check=True)
    second = one.run(**fetch(dest, when_unverifiable=choice))
    assert fetched(second) == again
    assert predicted.changed == second.changed == bool(again)
    assert predicted.diff == second.diff
    assert not any(file["verified"] for file in second.result["files"])


def test_files_that_are_not_cached_are_compared_by_their_checksums(tasks: Tasks, dest: Path) -> None:
    def evict(store: Any) -> None:
        for file in store.catalog.item(store.find_item_id("templates", "rocky9")).files.values():
            file.cached = False

    tasks.sim.run(evict)
    assert tasks.converge(**fetch(dest)).changed
    assert files_in(dest) == FILES


def test_a_size_of_0_proves_nothing_where_the_server_does_not_say_what_is_cached(
    one: Tasks, dest: Path, identity: Identity
) -> None:
    def evict(store: Any) -> None:
        for file in store.catalog.item(store.find_item_id("templates", "rocky9")).files.values():
            file.cached = False

    def change(_request: Received, reply: Reply | None) -> Reply | None:
        if not reply:
            return None
        here, there = (
            f"https://{place}/".encode() for place in (f"127.0.0.1:{server.port}", f"localhost:{one.sim.port}")
        )
        return Reply(reply.status, re.sub(rb'"cached": ?(true|false), ?', b"", reply.body).replace(there, here))

    one.sim.run(evict)
    options = {name: value for name, value in fetch(dest).items() if name != "module"}
    with CannedServer(relay_to(one.sim, change), identity=identity) as server:
        runs = [run_module(DOWNLOAD_SESSION, {**connection_args(server), **options}) for _time in range(2)]
    assert [run.result.get("changed") for run in runs] == [True, False], runs[-1].result


@pytest.mark.parametrize("algorithm", ["MD5", "SHA256", "SHA512"])
def test_the_servers_algorithm_is_followed(one: Tasks, dest: Path, algorithm: str) -> None:
    one.sim.reset(seed_of(FILES, checksum_algorithm=algorithm))
    run = one.converge(**fetch(dest))
    assert {file["checksum_info"]["algorithm"] for file in run.result["files"]} == {algorithm}
    assert all(file["verified"] for file in run.result["files"])


def test_a_checksum_that_does_not_fit_puts_nothing_into_place(tasks: Tasks, dest: Path) -> None:
    def forge(store: Any) -> None:
        blob = store.catalog.item(store.find_item_id("templates", "rocky9")).files["rocky9.ovf"].blob
        blob.digests["SHA1"] = "0" * 40

    (dest / "rocky9.ovf").write_bytes(b"an older one")
    tasks.sim.run(forge)
    run = tasks.run(**fetch(dest, files=["rocky9.ovf"]))
    assert run.error["type"] == "CHECKSUM_MISMATCH"
    assert run.error["operation"] == "download_session.file.get_data"
    assert run.error["data"] == {"files": [{"name": "rocky9.ovf", "fate": "failed"}]}
    assert "0" * 40 in run.msg
    assert "was canceled and deleted" in run.msg
    assert not run.changed
    assert files_in(dest) == {"rocky9.ovf": b"an older one"}
    assert download_states(tasks.sim) == {}


def test_new_files_follow_the_umask_and_replaced_ones_keep_their_mode(one: Tasks, dest: Path) -> None:
    (dest / "rocky9.ovf").write_bytes(b"old")
    (dest / "rocky9.ovf").chmod(0o604)
    umask = os.umask(0o027)
    try:
        one.run(**fetch(dest))
    finally:
        os.umask(umask)
    assert mode_of(dest / "rocky9.ovf") == 0o604
    assert mode_of(dest / "disk1.vmdk") == 0o640


def test_declared_attributes_are_set(tasks: Tasks, dest: Path) -> None:
    me, mine = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    run = tasks.converge(**fetch(dest, mode="u=rw,g=r,o=", owner=me, group=mine))
    assert {mode_of(path) for path in dest.iterdir()} == {0o640}
    assert files_in(dest) == FILES
    assert run.diff["after"]["files"]["rocky9.ovf"]["attributes"] == "as declared"


def test_wrong_attributes_alone_are_mended_without_a_session(tasks: Tasks, dest: Path) -> None:
    for name, content in FILES.items():
        (dest / name).write_bytes(content)
        (dest / name).chmod(0o600)
    (dest / "rocky9.ovf").chmod(0o644)
    run = tasks.converge(**fetch(dest, mode="0600"))
    assert run.changed
    assert run.diff["before"]["files"]["rocky9.ovf"]["attributes"] == {"mode": "0644"}
    assert fetched(run) == []
    assert not run.mutations
    assert mode_of(dest / "rocky9.ovf") == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_attributes_that_may_not_be_set_are_a_failure_that_leaves_nothing(one: Tasks, there: bool) -> None:
    # Only root can read the authority's file.
    unverified = {"ca_path": None, "validate_certs": False, "files": ["rocky9.ovf"]}
    with reachable_folder() as dest:
        # What a module imports is there when others cannot read it any more.
        one.run(**fetch(dest, **unverified, owner="root"), check=True)
        dest.chmod(0o777)
        with as_nobody():
            if there:
                (dest / "rocky9.ovf").write_bytes(FILES["rocky9.ovf"])
            run = one.run(**fetch(dest, **unverified, owner="root"))
        assert run.error["type"] == "TRANSFER_FAILED"
        assert f"{dest}/rocky9.ovf: chown failed" in run.msg
        assert files_in(dest) == ({"rocky9.ovf": FILES["rocky9.ovf"]} if there else {})
    assert download_states(one.sim) == {}


@pytest.mark.parametrize("same", [True, False])
def test_a_symbolic_link_is_replaced_and_not_followed(tasks: Tasks, dest: Path, tmp_path: Path, same: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(FILES["rocky9.ovf"] if same else b"precious")
    before = elsewhere.read_bytes()
    elsewhere.chmod(0o600)
    (dest / "rocky9.ovf").symlink_to(elsewhere)
    tasks.converge(**fetch(dest, files=["rocky9.ovf"], mode="0644"))
    assert not (dest / "rocky9.ovf").is_symlink()
    assert files_in(dest) == {"rocky9.ovf": FILES["rocky9.ovf"]}
    assert (elsewhere.read_bytes(), mode_of(elsewhere)) == (before, 0o600)


@pytest.mark.parametrize(
    "name",
    ["../up", "/etc/passwd", "a/b", "a\\b", "..", ".", "", "a\0b", "a\nb", "\x1b[31m", "x" * 256, "ü" * 128],
)
def test_a_name_that_is_no_plain_file_name_is_refused_before_anything_is_written(
    one: Tasks, dest: Path, name: str
) -> None:
    one.sim.reset(seed_of({"fine.iso": b"fine", name: b"hostile"}))
    run = one.refuse(**fetch(dest))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "cannot be the name of a file in dest" in run.msg
    assert files_in(dest) == {}
    assert fetched(one.run(**fetch(dest, files=["fine.iso"]))) == ["fine.iso"]


def test_a_long_name_is_fine(one: Tasks, dest: Path) -> None:
    one.sim.reset(seed_of({"x" * 255: b"1", "x" * 254 + "y": b"2", ".hidden": b"3"}))
    one.converge(**fetch(dest))
    assert files_in(dest) == {"x" * 255: b"1", "x" * 254 + "y": b"2", ".hidden": b"3"}


def test_names_that_differ_in_case_alone_are_refused(one: Tasks, dest: Path) -> None:
    one.sim.reset(seed_of({"Straße.iso": b"1", "STRASSE.iso": b"2"}))
    run = one.refuse(**fetch(dest))
    assert "'Straße.iso' and 'STRASSE.iso'" in run.msg
    assert fetched(one.run(**fetch(dest, files=["Straße.iso"]))) == ["Straße.iso"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("relative", ["is relative", "{{ playbook_dir }}"]),
        ("{tmp}/missing", ["does not exist on the host that runs this task", "ansible.builtin.file"]),
        ("{tmp}/file", ["is not a directory"]),
        ("{tmp}/file/below", ["Not a directory"]),
    ],
)
def test_a_dest_that_is_no_directory(one: Tasks, tmp_path: Path, place: str, says: list[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    run = one.refuse(**fetch(place.format(tmp=tmp_path)))
    assert run.error["type"] == "INVALID_ARGUMENT"
    assert "dest: " in run.msg
    assert all(text in run.msg for text in says), run.msg


def test_a_directory_in_the_place_of_a_file_is_refused(one: Tasks, dest: Path) -> None:
    (dest / "rocky9.ovf").mkdir()
    run = one.refuse(**fetch(dest))
    assert f"{dest}/rocky9.ovf is a directory" in run.msg
    assert [path.name for path in dest.iterdir()] == ["rocky9.ovf"]


def test_something_else_in_the_place_of_a_file_is_refused(one: Tasks, dest: Path) -> None:
    os.mkfifo(dest / "rocky9.ovf")
    assert f"{dest}/rocky9.ovf is no regular file" in one.refuse(**fetch(dest)).msg


def test_a_dest_that_cannot_be_written_to(one: Tasks) -> None:
    run = one.run(**fetch("/sys", files=["rocky9.ovf"]))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert "/sys cannot be written: Permission denied" in run.msg
    assert "cannot be written: " in run.msg
    assert download_states(one.sim) == {}


def test_a_disk_that_takes_no_more_leaves_no_half_file(one: Tasks, dest: Path) -> None:
    with largest_file(100_000):
        run = one.run(**fetch(dest, files=["disk1.vmdk"]))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{dest}/disk1.vmdk cannot be written: File too large" in run.msg
    assert files_in(dest) == {}
    assert download_states(one.sim) == {}


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "Make room"), (errno.EDQUOT, "quota"), (errno.EROFS, "read-only")]
)
def test_a_failure_to_write_says_what_to_do(number: int, says: str) -> None:
    text = cannot_write("/srv/a.iso", OSError(number, os.strerror(number))).explain()
    assert f"/srv/a.iso cannot be written: {os.strerror(number)}." in text
    assert says in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"endpoint_type": "DIRECT"}, ["dest", "endpoint_type: DIRECT"]),
        ({"state": "absent"}, ["dest", "state: absent"]),
        ({"client_progress": 3}, ["dest|client_progress"]),
    ],
)
def test_options_that_do_not_go_together(one: Tasks, dest: Path, options: dict[str, Any], says: list[str]) -> None:
    run = one.run(**fetch(dest, **options))
    assert run.failed
    assert all(text in run.msg for text in says), run.msg
    assert not run.mutations


@pytest.mark.parametrize("there", [True, False], ids=["nothing-to-fetch", "fetched"])
def test_what_killed_runs_left_is_removed_whatever_it_is_called_now(one: Tasks, dest: Path, there: bool) -> None:
    """The item may have got other names since; what is alive, and what is no file under way, stays."""
    if there:
        (dest / "disk1.vmdk").write_bytes(FILES["disk1.vmdk"])
    folder = Folder(str(dest))
    dead, alive, renamed = (Partial(folder, name) for name in ("disk1.vmdk", "disk1.vmdk", "disk1-2025.vmdk"))
    for partial in (dead, alive, renamed):
        partial.open()
    dead.close()
    renamed.close()
    (dest / f"a user's{PARTIAL_SUFFIX}").write_bytes(b"")
    assert fetched(one.run(**fetch(dest, files=["disk1.vmdk"]))) == ([] if there else ["disk1.vmdk"])
    left = {path.name for path in dest.iterdir()}
    assert left == {"disk1.vmdk", alive.hidden, f"a user's{PARTIAL_SUFFIX}"}
    alive.close()


def test_check_mode_removes_nothing_that_a_killed_run_left(one: Tasks, dest: Path) -> None:
    dead = Partial(Folder(str(dest)), "disk1.vmdk")
    dead.open()
    dead.close()
    one.run(**fetch(dest), check=True)
    assert [path.name for path in dest.iterdir()] == [dead.hidden]


def test_a_file_that_is_taken_for_stale_before_it_is_locked_is_made_again(dest: Path) -> None:
    folder = Folder(str(dest))
    partial = Partial(folder, "a.iso")
    partial.open()
    partial.close()
    remove_stale(folder)
    assert files_in(dest) == {}
    partial.open()
    partial.write(b"whole")
    partial.replace_target()
    partial.close()
    assert files_in(dest) == {"a.iso": b"whole"}


def test_what_may_not_be_removed_is_told_of(dest: Path) -> None:
    partial = Partial(Folder(str(dest)), "a.iso")
    partial.open()
    dest.chmod(0o555)
    with as_nobody():
        left = partial.discard()
    dest.chmod(0o755)
    partial.close()
    assert left == (
        f"{dest}/{partial.hidden} cannot be removed (Permission denied), and stays until the next run with this dest."
    )
    assert list(files_in(dest)) == [partial.hidden]
    assert partial.discard() == ""
    assert files_in(dest) == {}


@pytest.mark.parametrize(
    ("content", "mode", "is_twin"), [(b"whole", 0o600, True), (b"forged", 0o600, False), (b"whole", 0o644, False)]
)
def test_what_another_task_puts_there_at_the_same_moment_is_no_failure_if_it_is_the_same(
    dest: Path, content: bytes, mode: int, is_twin: bool
) -> None:
    ours, theirs = (Partial(Folder(str(dest)), "a.iso") for _task in range(2))
    for partial, block in ((ours, b"whole"), (theirs, content)):
        partial.open()
        partial.write(block)
        os.fchmod(partial.descriptor, mode if partial is theirs else 0o600)
        partial.replace_target()
    with nullcontext() if is_twin else pytest.raises(FileChanged, match="somebody else"):
        require_placed(ours, 5)
    for partial in (ours, theirs):
        partial.close()
    assert files_in(dest) == {"a.iso": content}


def test_a_file_system_that_cannot_sync_directories_is_no_failure() -> None:
    partial = Partial(Folder("/proc"), "a.iso")
    partial.sync_directory()
    assert partial.discard() == ""


@pytest.mark.parametrize(
    ("again", "says"),
    [(True, "is another directory than"), (False, "dest cannot be written: No such file or directory")],
)
def test_a_dest_that_goes_away_in_mid_fetch_is_the_failure_and_no_defect(
    one: Tasks, dest: Path, again: bool, says: str
) -> None:
    """As when another one is mounted over it: what nobody would find is not put there."""
    away = dest.with_name("away")

    def replace() -> None:
        dest.rename(away)
        if again:
            dest.mkdir()

    with while_held(one.sim, "GET:/cls/data/*:1:hold", replace):
        run = one.run(**fetch(dest, files=["disk1.vmdk"]))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert says in run.msg
    assert "was canceled and deleted" in run.msg
    assert "defect" not in run.msg
    assert not run.changed
    assert download_states(one.sim) == {}
    assert files_in(away) == {}


def replace_by_directories(dest: Path, suffix: str) -> None:
    for path in dest.glob(f".*{suffix}"):
        path.unlink()
        path.mkdir()


def test_what_takes_the_place_of_a_partial_file_is_left_alone_and_told_of(one: Tasks, dest: Path) -> None:
    (dest / "disk1.vmdk").write_bytes(b"old")
    with while_held(one.sim, "GET:/cls/data/*:1:hold/50", lambda: replace_by_directories(dest, PARTIAL_SUFFIX)):
        run = one.run(**fetch(dest, files=["disk1.vmdk"]))
    assert run.error["type"] == "TRANSFER_FAILED"
    (left,) = dest.glob(".*")
    assert f"{left} changed while it was fetched: somebody else has put something in its place" in run.msg
    assert run.outcome.warnings == [f"{left} was put in the place of a file of this task by somebody else, and stays."]
    assert (dest / "disk1.vmdk").read_bytes() == b"old"


def test_what_takes_the_place_of_a_mark_is_no_failure_of_what_was_fetched(one: Tasks, dest: Path) -> None:
    with while_held(one.sim, "DELETE:*download-session*:1:hold", lambda: replace_by_directories(dest, MARK_SUFFIX)):
        run = one.run(**fetch(dest, files=["disk1.vmdk"]))
    assert fetched(run) == ["disk1.vmdk"]
    (warning,) = run.outcome.warnings
    (left,) = dest.glob(".*")
    assert warning == f"{left} was put in the place of a file of this task by somebody else, and stays."
    assert run.changed
    assert download_states(one.sim) == {}


CHATTR = """#!/bin/sh
# Flags stand in a file beside the one that has them.
case "$1" in
  -*) : > "$2.flags" ;;
  *) echo "$1" | tr -d '=+' > "$2.flags" ;;
esac
"""
LSATTR = """#!/bin/sh
echo "----$(cat "$2.flags" 2>/dev/null)---- $2"
"""
LSATTR_OF_EXT4 = LSATTR.replace(")----", ")---e---")
UNSUPPORTED = """#!/bin/sh
echo "$0: Operation not supported while reading flags on $2" >&2
exit 1
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have these be what Ansible finds as chattr and lsattr: what the real ones can do depends on the file system."""

    def install(**scripts: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, script in scripts.items():
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    return install


def test_attributes_of_chattr_are_set_and_seen(one: Tasks, dest: Path, programs: Callable[..., None]) -> None:
    programs(chattr=CHATTR, lsattr=LSATTR)
    run = one.converge(**fetch(dest, files=["disk1.vmdk"], attributes="A", mode="0600"))
    assert (dest / "disk1.vmdk.flags").read_text() == "A\n"
    assert run.changed
    (dest / "disk1.vmdk.flags").write_text("i\n")
    again = one.converge(**fetch(dest, files=["disk1.vmdk"], attributes="A", mode="0600"))
    assert again.diff["before"]["files"]["disk1.vmdk"]["attributes"] == {"attributes": "i"}
    assert (fetched(again), again.mutations) == ([], [])


@pytest.mark.parametrize(("declared", "before", "after"), [("+A", "", "A"), ("-A", "A", ""), ("+A", "A", "A")])
def test_flags_that_are_added_or_taken_away_leave_others_alone(
    one: Tasks, dest: Path, programs: Callable[..., None], declared: str, before: str, after: str
) -> None:
    programs(chattr=CHATTR, lsattr=LSATTR_OF_EXT4)
    (dest / "disk1.vmdk").write_bytes(FILES["disk1.vmdk"])
    (dest / "disk1.vmdk.flags").write_text(before)
    run = one.converge(**fetch(dest, files=["disk1.vmdk"], attributes=declared))
    assert run.changed == (before != after)
    assert (dest / "disk1.vmdk.flags").read_text().strip() == after


@pytest.mark.parametrize("there", [True, False], ids=["to-adjust", "to-fetch"])
@pytest.mark.parametrize("mode", ["0600", "0644"])
def test_attributes_that_the_file_system_does_not_have(
    one: Tasks, dest: Path, programs: Callable[..., None], there: bool, mode: str
) -> None:
    """A failure after the file is in place, or after its mode was set, does not hide that."""
    programs(chattr=UNSUPPORTED, lsattr=UNSUPPORTED)
    if there:
        (dest / "disk1.vmdk").write_bytes(FILES["disk1.vmdk"])
        (dest / "disk1.vmdk").chmod(0o644)
    run = one.run(**fetch(dest, files=["disk1.vmdk"], attributes="A", mode=mode))
    assert run.error["type"] == "TRANSFER_FAILED"
    assert f"{dest}/disk1.vmdk: chattr failed: " in run.msg
    assert "Operation not supported" in run.msg
    assert "Check the options owner, group, mode, attributes" in run.msg
    assert run.changed == (not there or mode == "0600")
    assert (f"some attributes of {dest}/disk1.vmdk were set" in run.msg) == (there and mode == "0600")
    assert files_in(dest) == {"disk1.vmdk": FILES["disk1.vmdk"]}
    assert mode_of(dest / "disk1.vmdk") == int(mode, 8)
    assert download_states(one.sim) == {}


@pytest.mark.parametrize("option", ["seuser", "serole", "setype", "selevel"])
def test_a_context_of_selinux_where_there_is_none_is_as_if_not_declared(one: Tasks, dest: Path, option: str) -> None:
    """As with Ansible's own modules."""
    run = one.converge(**fetch(dest, files=["disk1.vmdk"], **{option: "s0"}))
    assert files_in(dest) == {"disk1.vmdk": FILES["disk1.vmdk"]}
    assert run.changed


def test_attributes_that_were_mended_before_a_fetch_failed_are_told_of(one: Tasks, dest: Path) -> None:
    (dest / "rocky9.ovf").write_bytes(FILES["rocky9.ovf"])
    (dest / "rocky9.ovf").chmod(0o600)
    one.sim.inject("GET:/cls/data/*:1:500")
    run = one.run(**fetch(dest, files=["rocky9.ovf", "disk1.vmdk"], mode="0644"))
    assert run.error["type"] == "INTERNAL_SERVER_ERROR"
    assert run.changed
    assert f"Changed, and not put back: attributes of {dest}/rocky9.ovf were set." in run.msg
    assert mode_of(dest / "rocky9.ovf") == 0o644
