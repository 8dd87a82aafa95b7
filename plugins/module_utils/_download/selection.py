# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a task means, and whether its names and checksums fit those of the server."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Iterable, Sequence

from .._transfer.content import VM_TEMPLATE, usable_checksum
from .._transfer.names import explain_forms, other_form
from .._vcenter.errors import ChecksumMismatch, InvalidArgument, NotFound, some_of
from .._vcenter.models import DownloadFile, DownloadSession, LibraryItem, LibraryItemFile
from .download_plan import Declared

FIND = "download_session.file.find"


def require_fitting_checksums(
    declared: Declared, wanted: Iterable[str], files: Iterable[LibraryItemFile | DownloadFile]
) -> None:
    """Raises InvalidArgument for a checksum of a file that is not wanted, and ChecksumMismatch for one that differs
    from the server's.
    """
    unknown = [name for name in declared.checksums if name not in set(wanted)]
    if unknown and not declared.allow_empty:
        raise InvalidArgument(
            f"checksums has {some_of([repr(name) for name in unknown])}, and the files of the task are "
            f"{some_of(list(wanted))}",
            operation=FIND,
            remedy="Give names as the item has them, and no others than those under files; case counts.",
        )
    for file in files:
        ours, theirs = declared.checksums.get(file.name), usable_checksum(file.checksum_info)
        if ours and theirs and ours.algorithm == theirs.algorithm and ours != theirs:
            raise ChecksumMismatch(
                f"for {file.name}, checksums has {ours.algorithm} {ours.digest}, and the server has {theirs.digest}",
                operation=FIND,
                remedy="Nothing was fetched. Correct checksums, or find out who has changed the item.",
            )


def require_fetchable(item: LibraryItem) -> None:
    """Raises InvalidArgument for a VM template, to which nobody can publish the files that it lacks."""
    if item.type == VM_TEMPLATE:
        raise InvalidArgument(
            "it is a VM template, which has no files to fetch",
            error_type="INVALID_ELEMENT_TYPE",
            operation=FIND,
            remedy="Name an item of type ovf or iso; in vCenter, a VM template can be cloned to one of type ovf.",
        )


def match_names(
    patterns: Sequence[str] | None, names: Iterable[str], *, session: DownloadSession | None, allow_empty: bool
) -> tuple[str, ...]:
    """The names that fit a pattern, in the server's order; all of them if `patterns` is None.

    The names are those of the session, or of the item if there is no session. Unless `allow_empty` is set, raises
    NotFound if there are no names, and InvalidArgument for patterns that fit no name.
    """
    listed = list(names)
    if not listed and not allow_empty:
        raise _nothing_held(session)
    if patterns is None:
        return tuple(listed)
    unfit = [pattern for pattern in patterns if not any(_fits(name, pattern) for name in listed)]
    if unfit and not allow_empty:
        held = f"the files of {_called(session)}" if session else "its files"
        twin = other_form(unfit[0], listed)
        raise InvalidArgument(
            f"{some_of([repr(pattern) for pattern in unfit])} under files fit{'s' if len(unfit) == 1 else ''} none of "
            f"{held}, {explain_forms(unfit[0], twin) if twin else some_of(listed)}",
            operation=FIND,
            session_id=session.id if session else None,
            remedy="Give names as the item has them, or globs such as '*.vmdk'; case counts. With allow_empty: true, "
            "the task takes those that are there, even if none is.",
        )
    return tuple(name for name in listed if any(_fits(name, pattern) for pattern in patterns))


def _nothing_held(session: DownloadSession | None) -> NotFound:
    remedy = (
        "If the item has got files since, remove this session with state: absent, and make a new one."
        if session
        else "Publish to it first; if its library subscribes to another one, have it synchronized."
    )
    return NotFound(
        f"{_called(session) if session else 'it'} holds no files",
        operation=FIND,
        session_id=session.id if session else None,
        remedy=f"{remedy} With allow_empty: true, it is fine that there is nothing to fetch.",
    )


def _called(session: DownloadSession) -> str:
    return f"session {session.id} on item {session.library_item_id}"


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatch.fnmatchcase(name, pattern)


def require_distinct_names(names: Iterable[str]) -> None:
    """Raises InvalidArgument for names that may be one file on disk: they differ only in case, or in how an accent is
    encoded."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(unicodedata.normalize("NFC", name.casefold()), name)
        if twin is not name:
            raise InvalidArgument(
                f"the item has the files {twin!r} and {name!r}, which may be the same file in dest",
                remedy="Name one of them under files, and fetch the other to another dest.",
            )
