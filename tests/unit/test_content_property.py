# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted against what is there, for any files on both sides: verdicts that are true, and plans that get there.

The truth is known here, as the bytes of both sides are; the code under test knows sizes and checksums only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from ansible_collections.vsphere.content.plugins.module_utils._transfer.comparison import (
    Verdict,
    compare_with_item,
    compare_with_session,
    held_by_item,
    held_by_session,
)
from ansible_collections.vsphere.content.plugins.module_utils._transfer.content import (
    DESCRIPTOR_SET,
    DIGEST_LENGTHS,
    NOT_KEPT,
    PREVIEWED,
    Checksum,
    PullSource,
    Role,
    Wanted,
    WantedFile,
    role_of,
)
from ansible_collections.vsphere.content.plugins.module_utils._transfer.local_file import Identity
from ansible_collections.vsphere.content.plugins.module_utils._update.file_plan import (
    FilePlan,
    expect_item,
    expect_session,
    plan_files,
    project_item,
    project_session,
    verdicts_after,
)
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.models import (
    ChecksumInfo,
    LibraryItemFile,
    UpdateFile,
)

ALGORITHMS = tuple(DIGEST_LENGTHS)
STORAGE_BLOCK = 4
PROVEN = (Verdict.EQUAL, Verdict.DIFFERENT)

# Few names and few contents, many of one size: what matters is how often the two sides meet.
NAMES = ("box.ovf", "box.mf", "box.cert", "box.nvram", "disk1.vmdk", "Disk2.VMDK", "tools.iso", "notes")
MEMBERS = ("pack.ovf", "pack.mf", "pack.vmdk", "pack.nvram")
CONTENTS = (b"", b"a", b"b", b"aa", b"ab", b"abcde", b"abcdf")
contents = st.sampled_from(CONTENTS)
algorithms = st.sampled_from(ALGORITHMS)


def checksum_of(content: bytes, algorithm: str) -> Checksum:
    return Checksum(algorithm, hashlib.new(algorithm.lower(), content).hexdigest())


@dataclass(frozen=True)
class Local:
    """Declared files, and what they hold; a path is the name of the file that lies there."""

    wanted: Wanted
    stored: Mapping[str, bytes]

    def digest(self, path: str, algorithm: str, offset: int, size: int, _identity: Identity | None) -> str:
        content = self.stored[path][offset : offset + size]
        assert len(content) == size, "only what is there is hashed"
        return checksum_of(content, algorithm).digest

    def content_of(self, file: WantedFile) -> bytes:
        if file.path is None:
            return self.stored[file.name]
        return self.stored[file.path][file.offset : file.offset + (file.size or 0)]


@dataclass(frozen=True)
class Server:
    """How a server reports what it holds; `algorithm` is None where it reports no checksums."""

    algorithm: str | None
    keeps_manifest: bool
    reports_size: bool

    def checksum(self, content: bytes) -> ChecksumInfo | None:
        if self.algorithm is None:
            return None
        if self.algorithm not in DIGEST_LENGTHS:
            return ChecksumInfo(algorithm=self.algorithm, checksum="5eed")
        known = checksum_of(content, self.algorithm)
        # The API's default is not written by all servers, and some write upper case.
        return ChecksumInfo(
            algorithm=None if self.algorithm == "SHA1" else self.algorithm, checksum=known.digest.upper()
        )

    def size(self, name: str, content: bytes) -> int | None:
        if not self.reports_size:
            return None
        storage = role_of(name) is Role.DISK
        return -(-len(content) // STORAGE_BLOCK) * STORAGE_BLOCK if storage else len(content)

    def item_files(self, item: Mapping[str, bytes]) -> tuple[LibraryItemFile, ...]:
        return tuple(
            LibraryItemFile(name=name, size=self.size(name, content), checksum_info=self.checksum(content))
            for name, content in item.items()
        )


@dataclass
class Session:
    """A model of an update session, as the API's own bindings describe it."""

    server: Server
    item: Mapping[str, bytes]
    pushed: dict[str, WantedFile | bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def files(self, local: Local) -> tuple[UpdateFile, ...]:
        unchanged = [
            UpdateFile(
                name=name,
                source_type="NONE",
                status="READY",
                size=self.server.size(name, content),
                checksum_info=self.server.checksum(content),
            )
            for name, content in self.item.items()
            if name not in self.removed and name not in self.pushed
        ]
        sent = [self._received(name, entry, local) for name, entry in self.pushed.items()]
        return (*unchanged, *sent)

    def _received(self, name: str, entry: WantedFile | bytes, local: Local) -> UpdateFile:
        content = self._bytes(entry, local)
        # There is no checksum of an OVA.
        info = None if role_of(name) is Role.ARCHIVE else self.server.checksum(content)
        return UpdateFile(name=name, source_type="PUSH", status="READY", size=len(content), checksum_info=info)

    def _bytes(self, entry: WantedFile | bytes, local: Local) -> bytes:
        return entry if isinstance(entry, bytes) else local.content_of(entry)

    def carry_out(self, plan: FilePlan) -> None:
        for file in plan.push:
            if file.role in NOT_KEPT:
                assert not any(role_of(name) is Role.DESCRIPTOR for name in self.pushed), "refused by vCenter"
            self.pushed[file.name] = file
            self.removed.discard(file.name)
        for name in plan.remove:
            assert name in self.pushed or name in self.item, "the removal of a file that is not there is an error"
            self.pushed.pop(name, None)
            if name in self.item:
                self.removed.add(name)

    def complete(self, local: Local) -> dict[str, bytes]:
        item = {name: content for name, content in self.item.items() if name not in self.removed}
        for name, entry in self.pushed.items():
            if isinstance(entry, WantedFile) and entry.members:
                arrived = {part.name: local.content_of(part) for part in entry.members}
            else:
                arrived = {name: self._bytes(entry, local)}
            item.update(arrived)
        return {name: content for name, content in item.items() if self.server.keeps_manifest or role_of(name)
                not in NOT_KEPT or name in self.item}  # fmt: skip


servers = st.builds(
    Server,
    algorithm=st.sampled_from((*ALGORITHMS, None, "CRC99")),
    keeps_manifest=st.booleans(),
    reports_size=st.sampled_from((True, True, True, False)),
)
items = st.dictionaries(st.sampled_from(NAMES + MEMBERS), contents)


@st.composite
def locals_(draw: st.DrawFn, *, pulls: bool = True) -> Local:
    declared = draw(st.dictionaries(st.sampled_from(NAMES), contents))
    stored: dict[str, bytes] = dict(declared)
    files = []
    for name, content in declared.items():
        known = draw(st.none() | algorithms)
        file = WantedFile(
            name, f"/images/{name}", name, len(content), 0, (known and checksum_of(content, known)) or None
        )
        if pulls and draw(st.integers(0, 3)) == 0:
            file = replace(file, path=None, size=None, source=PullSource(f"https://mirror.example/{name}"))
        files.append(file)
    if draw(st.booleans()):
        packed = draw(st.dictionaries(st.sampled_from(MEMBERS[1:]), contents))
        archive, members = b"tar", []
        for name, content in {"pack.ovf": draw(contents), **packed}.items():
            members.append(WantedFile(name, f"{name} in pack.ova", "pack.ova", len(content), len(archive)))
            archive += content
        files.append(WantedFile("pack.ova", "/images/pack.ova", "pack.ova", len(archive), members=tuple(members)))
        stored["pack.ova"] = archive
    files.sort(key=lambda file: min(file.role, Role.DISK))
    names = {part.name for file in files for part in (file, *file.members)}
    absent = draw(st.sets(st.sampled_from(NAMES + MEMBERS), max_size=2)) - names
    return Local(Wanted(tuple(files), frozenset(absent), draw(st.booleans())), stored)


def is_verifiable(file: WantedFile, server: Server) -> bool:
    """Whether anybody could tell, with what the server says and what is known of the wanted file."""
    if server.algorithm not in DIGEST_LENGTHS:
        return False
    return file.path is not None or (file.checksum is not None and file.checksum.algorithm == server.algorithm)


@settings(max_examples=100, deadline=None)
@given(local=locals_(), item=items, server=servers)
def test_a_verdict_is_true_and_whatever_can_be_known_is_known(
    local: Local, item: dict[str, bytes], server: Server
) -> None:
    verdicts = compare_with_item(local.wanted, server.item_files(item), local.digest)
    for file in local.wanted.content:
        verdict = verdicts[file.name]
        if file.name not in item:
            assert verdict is (Verdict.EQUAL if file.role in NOT_KEPT else Verdict.MISSING)
            continue
        same = item[file.name] == local.content_of(file)
        event(f"{'same' if same else 'other'}: {verdict.value}")
        assert verdict in (Verdict.UNVERIFIABLE, Verdict.EQUAL if same else Verdict.DIFFERENT)
        if is_verifiable(file, server):
            assert verdict in PROVEN
        if file.role is Role.DISK and not is_verifiable(file, server):
            assert verdict is Verdict.UNVERIFIABLE, "the size of a disk proves nothing"
    for archive in (file for file in local.wanted.files if file.members):
        parts = {verdicts[part.name] for part in archive.members}
        assert (verdicts[archive.name] is Verdict.EQUAL) == (parts == {Verdict.EQUAL})


@settings(max_examples=60, deadline=None)
@given(local=locals_(), item=items, server=servers)
def test_nothing_is_hashed_that_a_size_decides(local: Local, item: dict[str, bytes], server: Server) -> None:
    hashed = []

    def digest(path: str, algorithm: str, offset: int, size: int, identity: Identity | None) -> str:
        hashed.append((path, offset, size))
        return local.digest(path, algorithm, offset, size, identity)

    compare_with_item(local.wanted, server.item_files(item), digest)
    for file in local.wanted.content:
        # A size of 0 is also that of a file which is not on the storage.
        decided = server.reports_size and file.role is not Role.DISK and bool(item.get(file.name))
        if file.name not in item or (decided and len(item[file.name]) != file.size):
            assert (file.path, file.offset, file.size) not in hashed or any(
                (other.path, other.offset, other.size) == (file.path, file.offset, file.size)
                for other in local.wanted.content
                if other is not file
            )


@settings(max_examples=100, deadline=None)
@given(local=locals_(), item=items, server=servers, skip=st.booleans())
def test_a_plan_for_a_new_session_gets_where_it_says(
    local: Local, item: dict[str, bytes], server: Server, skip: bool
) -> None:
    wanted, files = local.wanted, server.item_files(item)
    verdicts, held = compare_with_item(wanted, files, local.digest), held_by_item(files)
    plan = plan_files(wanted, verdicts, held, accept_unverifiable=skip)
    assert_plan_sends_what_it_must(wanted, verdicts, plan, skip)
    session = Session(server, item)
    session.carry_out(plan)
    now = session.files(local)
    after = verdicts_after(verdicts, plan)
    assert project_session(wanted, held_by_session(now), after) == expect_session(wanted, held, verdicts, plan)
    published = session.complete(local)
    result = held_by_item(server.item_files(published))
    assert project_item(wanted, result, after) == expect_item(wanted, held, verdicts, plan)
    assert_declared(local, server, item, published, plan, skip)
    assert_second_run_agrees(local, server, published, skip)


@settings(max_examples=100, deadline=None)
@given(
    local=locals_(),
    item=items,
    server=servers,
    skip=st.booleans(),
    foreign=st.dictionaries(st.sampled_from(NAMES), contents, max_size=3),
    sent=st.sets(st.sampled_from((*NAMES, "pack.ova"))),
    removed=st.sets(st.sampled_from(NAMES + MEMBERS), max_size=2),
)
def test_a_plan_for_a_found_session_gets_where_it_says(
    local: Local,
    item: dict[str, bytes],
    server: Server,
    skip: bool,
    foreign: dict[str, bytes],
    sent: set[str],
    removed: set[str],
) -> None:
    """One in which somebody has removed and sent files, some of which are the wanted ones."""
    wanted = local.wanted
    session = Session(server, item, dict(foreign), removed & item.keys() - foreign.keys())
    for file in wanted.files:
        if file.name in sent:
            session.pushed[file.name] = file
            session.removed.discard(file.name)
    in_item = compare_with_item(wanted, server.item_files(item), local.digest)
    files = session.files(local)
    held = held_by_session(files)
    verdicts = compare_with_session(wanted, files, in_item, local.digest)
    for file in wanted.files:
        if file.name in held and not file.members:
            there = session.pushed.get(file.name, item.get(file.name))
            same = there is file or there == local.content_of(file)
            assert verdicts[file.name] in (Verdict.UNVERIFIABLE, Verdict.EQUAL if same else Verdict.DIFFERENT)
    plan = plan_files(wanted, verdicts, held, accept_unverifiable=skip, files=files)
    event(f"restart: {plan.restart}")
    assume(not plan.restart)
    session.carry_out(plan)
    after = verdicts_after(verdicts, plan)
    now = held_by_session(session.files(local))
    assert project_session(wanted, now, after) == expect_session(wanted, held, verdicts, plan)
    published = session.complete(local)
    result = held_by_item(server.item_files(published))
    assert project_item(wanted, result, after) == expect_item(wanted, held, verdicts, plan)
    again = plan_files(wanted, after, now, accept_unverifiable=True, files=session.files(local))
    assert not again, "a second run finds nothing to do"


def assert_plan_sends_what_it_must(wanted: Wanted, verdicts: Mapping[str, Verdict], plan: FilePlan, skip: bool) -> None:
    fits = {Verdict.EQUAL, Verdict.UNVERIFIABLE} if skip else {Verdict.EQUAL}
    pushed = {file.name for file in plan.push}
    for file in wanted.files:
        if file.role not in NOT_KEPT and verdicts[file.name] not in fits:
            assert file.name in pushed
    if pushed:
        for file in wanted.files:
            assert file.role not in DESCRIPTOR_SET or file.name in pushed, "the signature is checked again"
    roles = [min(file.role, Role.DISK) for file in plan.push]
    assert roles == sorted(roles), "in the order that vCenter takes"
    assert not plan.restart


def assert_declared(
    local: Local,
    server: Server,
    before: Mapping[str, bytes],
    published: Mapping[str, bytes],
    plan: FilePlan,
    skip: bool,
) -> None:
    """The item holds what was declared, but for what was skipped as nobody can tell it from what is there."""
    sent = {part.name for file in plan.push for part in file.members or (file,)}
    for file in local.wanted.content:
        if file.role in NOT_KEPT:
            continue
        if skip and file.name not in sent:
            assert file.name in published
        else:
            assert published[file.name] == local.content_of(file)
    assert not local.wanted.absent & published.keys()
    if local.wanted.purge and knows_packages(local, server, before, sent):
        assert published.keys() <= local.wanted.names
    else:
        assert before.keys() - local.wanted.absent <= published.keys()


def knows_packages(local: Local, server: Server, before: Mapping[str, bytes], sent: set[str]) -> bool:
    """Whether a task knows what belongs to each package there: it pulls none, and each descriptor goes, is sent, or
    can be told to be the local one."""

    def is_own(name: str, content: bytes) -> bool:
        file = own.get(name)
        return file is not None and is_verifiable(file, server) and content == local.content_of(file)

    own = {file.name: file for file in local.wanted.content}
    pulls = any(file.source and role_of(file.name) in PREVIEWED for file in local.wanted.files)
    return not pulls and all(
        name in sent or name in local.wanted.absent or is_own(name, content)
        for name, content in before.items()
        if role_of(name) is Role.DESCRIPTOR
    )


def assert_second_run_agrees(local: Local, server: Server, published: Mapping[str, bytes], skip: bool) -> None:
    files = server.item_files(published)
    verdicts = compare_with_item(local.wanted, files, local.digest)
    assert Verdict.MISSING not in {verdicts[file.name] for file in local.wanted.content}
    again = plan_files(local.wanted, verdicts, held_by_item(files), accept_unverifiable=True)
    assert not again.remove
    if skip or Verdict.UNVERIFIABLE not in verdicts.values():
        assert not again


def shown(local: Local, item: Mapping[str, bytes], server: Server) -> dict[str, Any]:
    files = server.item_files(item)
    verdicts, held = compare_with_item(local.wanted, files, local.digest), held_by_item(files)
    return project_item(local.wanted, held, verdicts)


@settings(max_examples=60, deadline=None)
@given(local=locals_(pulls=False), item=items, algorithm=algorithms)
def test_a_diff_shows_no_change_exactly_where_there_is_none(
    local: Local, item: dict[str, bytes], algorithm: str
) -> None:
    """On a server with checksums, for local files."""
    server = Server(algorithm, keeps_manifest=False, reports_size=True)
    item = {name: content for name, content in item.items() if role_of(name) not in NOT_KEPT}
    files = server.item_files(item)
    verdicts, held = compare_with_item(local.wanted, files, local.digest), held_by_item(files)
    plan = plan_files(local.wanted, verdicts, held, accept_unverifiable=False)
    session = Session(server, item)
    session.carry_out(plan)
    published = session.complete(local)
    changes = shown(local, item, server) != expect_item(local.wanted, held, verdicts, plan)
    event(f"changes: {changes}")
    assert changes == (published != item)
    assert shown(local, published, server) == expect_item(local.wanted, held, verdicts, plan)
