# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does about an item that is not there: which item it creates, or why it creates none. Pure."""

from __future__ import annotations

from typing import Callable

from .._session.states import MISSING_ITEM_STEPS, Step
from .._transfer.content import ISO, NOT_KEPT, OVF, PREVIEWED, Wanted
from .._vcenter.errors import InvalidArgument, NotFound
from .._vcenter.models import Library, LibraryItem
from .update_plan import Declared

EARLIER_TASK = "In check mode, an earlier task of the play that would create the item has not done so."


def item_to_create(
    declared: Declared, name: str, library: Library, *, check_mode: bool, warn: Callable[[str], None]
) -> LibraryItem | None:
    """The item that the task creates in this library; None if the declared state needs none.

    Raises NotFound if the task may or can create none, and InvalidArgument if it does not know of which type.
    """
    if MISSING_ITEM_STEPS[declared.state] is not Step.CREATE:
        return None
    files = [file for file in declared.wanted.files if file.role not in NOT_KEPT] if declared.wanted else []
    if not files or not declared.create_item:
        why = "create_item is false" if files else "files names nothing to publish"
        way = "leave create_item out" if files else "give the files to publish"
        remedy = f"Check library_item for spelling, or {way}: this task then creates the item."
        raise NotFound(
            f"no item of library {library.name or library.id!r} is named {name!r}, and {why}",
            operation="item.find",
            remedy=f"{EARLIER_TASK} {remedy}" if check_mode else remedy,
        )
    item_type = declared.item_type or type_of(declared.wanted)
    if not item_type:
        names = ", ".join(file.name for file in files[:3])
        said = f"the item {name!r} is missing, and {names} does not tell of which type it would be"
        if not check_mode:
            raise InvalidArgument(said, remedy="Set item_type, such as item_type: ovf.")
        warn(f"In check mode {said}. Unless an earlier task of the play creates it, set item_type.")
    return LibraryItem(library_id=library.id, name=name, type=item_type, description=declared.item_description or None)


def type_of(wanted: Wanted | None) -> str | None:
    """The type of item that these files make; None if they do not tell. A package may reference an image."""
    files = wanted.files if wanted else ()
    if any(file.role in PREVIEWED for file in files):
        return OVF
    return ISO if any(file.name.lower().endswith(".iso") for file in files) else None
