# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files to send and to remove so that an item or a session holds the wanted ones, and what a diff shows. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._transfer.comparison import Held, Verdict, names_unchanged
from .._transfer.content import DESCRIPTOR_SET, NOT_KEPT, Role, Wanted, WantedFile, role_of, unpacked
from .._vcenter.models import UpdateFile


@dataclass(frozen=True)
class FilePlan:
    """Which files to send and to remove; `restart` says that only a new session can take them in the right order.

    `unnamed` stay although the task does not declare them, as it purges nothing. `doubts` are packages whose files the
    task does not know: those that vCenter pulls, and descriptors on the server that are neither sent nor equal. Because
    of them a purge leaves the `spared` names alone. `rivals` are descriptors on the server that would stay beside
    another one that is sent.
    """

    push: tuple[WantedFile, ...] = ()
    remove: tuple[str, ...] = ()
    restart: bool = False
    unnamed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.push or self.remove)


def plan_files(
    wanted: Wanted,
    verdicts: Mapping[str, Verdict],
    held: Iterable[str],
    *,
    accept_unverifiable: bool,
    files: Sequence[UpdateFile] = (),
) -> FilePlan:
    """Which files to send, and which of the `held` names to remove; `files` are those of the session, if there is one.

    With any part of an OVF package the whole descriptor set is sent, so that vCenter checks the signature again. Files
    of the set that the session has received already are not sent twice. If the task does not know which files belong to
    a package, it removes only those declared absent.
    """
    held = tuple(held)
    fits = {Verdict.EQUAL, Verdict.UNVERIFIABLE} if accept_unverifiable else {Verdict.EQUAL}
    pushed = {file.name for file in files} - names_unchanged(files)
    unfit = {file.name: file for file in wanted.files if verdicts[file.name] not in fits}
    # vCenter drops .mf and .cert on completion, so their absence is no difference.
    if all(file.role in NOT_KEPT for file in unfit.values()) and not pushed & wanted.names:
        unfit = {}
    push = tuple(
        file
        for file in wanted.files
        if file.name in unfit or (unfit and file.role in DESCRIPTOR_SET and file.name not in pushed)
    )
    sent = {part.name for part in unpacked(push)}
    doubts = (*wanted.pulled_packages, *_unknown_descriptors(wanted, verdicts, held, sent))
    superfluous = wanted.superfluous(held)
    remove = tuple(name for name in superfluous if name in wanted.absent or not doubts)
    going = frozenset(remove)
    return FilePlan(
        push=push,
        remove=remove,
        unnamed=() if wanted.purge or wanted.pulled_packages else wanted.unnamed(held),
        restart=any(map(is_descriptor, pushed)) and any(file.role in NOT_KEPT for file in push),
        spared=tuple(name for name in superfluous if name not in going),
        doubts=doubts,
        rivals=tuple(name for name in doubts if name not in wanted.names) if any(map(is_descriptor, sent)) else (),
    )


def _unknown_descriptors(
    wanted: Wanted, verdicts: Mapping[str, Verdict], held: Iterable[str], sent: Container[str]
) -> list[str]:
    """The descriptors on the server that stay and are not the task's own, so it does not know which files they need."""
    equal = {part.name for part in wanted.content if verdicts[part.name] is Verdict.EQUAL}
    return [
        name
        for name in held
        if is_descriptor(name) and name not in sent and name not in equal and name not in wanted.absent
    ]


def is_descriptor(name: str) -> bool:
    return role_of(name) is Role.DESCRIPTOR


def project_session(wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """What a diff shows of a session's files."""
    return _project(wanted, wanted.files, held, verdicts)


def project_item(wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """What a diff shows of an item's files, without those that some servers keep and others drop."""
    hidden = {file.name for file in wanted.files if file.is_opaque}
    hidden |= {part.name for part in wanted.content if part.may_be_dropped and verdicts[part.name] is Verdict.EQUAL}
    kept = {name: held[name] for name in held if role_of(name) not in NOT_KEPT and name not in hidden}
    return _project(wanted, wanted.content, kept, verdicts)


def expect_session(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> dict[str, Any]:
    """What `project_session` will show once the plan is carried out."""
    return project_session(wanted, *_carried_out(plan.push, held, verdicts, plan))


def expect_item(
    wanted: Wanted, held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> dict[str, Any]:
    """What `project_item` will show once the plan is carried out and the session completed."""
    received = [file for file in wanted.files if file.members and file.name in held]
    archives = {file.name for file in received}
    left = {name: entry for name, entry in held.items() if name not in archives}
    return project_item(wanted, *_carried_out(unpacked((*received, *plan.push)), left, verdicts, plan))


def verdicts_after(verdicts: Mapping[str, Verdict], plan: FilePlan) -> dict[str, Verdict]:
    """The verdicts once the plan is carried out. Sent files were compared on arrival, so they are not hashed again."""
    sent = {name for file in plan.push for name in (file.name, *(part.name for part in file.members))}
    return {**verdicts, **dict.fromkeys(sent, Verdict.EQUAL)}


def _carried_out(
    sent: Iterable[WantedFile], held: Mapping[str, Held], verdicts: Mapping[str, Verdict], plan: FilePlan
) -> tuple[dict[str, Held], dict[str, Verdict]]:
    going = frozenset(plan.remove)
    left = {name: entry for name, entry in held.items() if name not in going}
    arrived = {file.name: Held(file.size, file.checksum, exact_size=True) for file in sent}
    return {**left, **arrived}, verdicts_after(verdicts, plan)


def _project(
    wanted: Wanted, files: Iterable[WantedFile], held: Mapping[str, Held], verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    """All files that are there; if vCenter pulls a package, only those that the task declares, as others may be new.

    Of a file that the task does not declare it shows no size, as a session need not know it.
    """
    declared = {file.name: file for file in files}
    shown = held.keys() & (declared.keys() | wanted.absent) if wanted.pulled_packages else held.keys()
    return {
        name: _describe(declared[name], held[name], verdicts[name])
        if name in declared
        else {"content": _checksum(held[name])}
        for name in sorted(shown)
    }


def _describe(file: WantedFile, held: Held, verdict: Verdict) -> dict[str, Any]:
    """A file in a diff. An equal file shows the path of its content, which check mode can predict without hashing."""
    if verdict is Verdict.EQUAL:
        return {"size": file.size, "content": f"same as {file.origin}"}
    if verdict is Verdict.UNVERIFIABLE:
        return {"size": file.size, "content": f"not known to be the same as {file.origin}"}
    return _describe_held(file.name, held)


def _describe_held(name: str, held: Held) -> dict[str, Any]:
    """What the server says of a file. Of a disk it says how much storage it uses, which a completion changes."""
    content = {"content": _checksum(held)}
    return content if role_of(name) is Role.DISK else {"size": held.size, **content}


def _checksum(held: Held) -> str:
    return f"{held.checksum.algorithm}:{held.checksum.digest}" if held.checksum else "no checksum"
