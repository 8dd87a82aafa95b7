# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons against a plan, found before anything changes: type of the item, signer, second package, files that stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._session.states import Step
from .._transfer.comparison import Digest
from .._transfer.content import ISO, OVF, PREVIEWED, VM_TEMPLATE, Role, Wanted, role_of, unpacked
from .._vcenter.errors import ContentError, InvalidArgument, NotAllowedInCurrentState, some_of
from .._vcenter.models import LibraryItem
from .update_plan import Declared, Found, Plan


def require_declared_type(declared: Declared, item: LibraryItem) -> None:
    """Raises InvalidArgument for an item of another type than the task declares."""
    if declared.item_type in (None, item.type) or declared.state not in ("active", "done"):
        return
    kind = f"of type {item.type}" if item.type else "of no type"
    raise InvalidArgument(
        f"library item {item.name!r} ({item.id}) is {kind}, and item_type is {declared.item_type}",
        error_type="INVALID_ELEMENT_TYPE" if item.type == VM_TEMPLATE else None,
        remedy=_other_item(str(declared.item_type)),
    )


def require_fitting_item(declared: Declared, found: Found, item: LibraryItem) -> None:
    """Raises InvalidArgument for files that surely contradict the type of the item.

    An item without a type, or of an unknown type, takes any file. A package may reference an image, so an item of type
    ovf takes one together with the descriptor, or in place of one that it has. With `state: active` the descriptor may
    still follow.
    """
    files = declared.wanted.files if declared.wanted else ()
    packages = [file.name for file in files if file.role in PREVIEWED]
    there = {held.name for held in found.content} | {held.name for held in found.files}
    images = [file.name for file in files if file.name.lower().endswith(".iso") and file.name not in there]
    called = f"library item {item.name!r} ({item.id})" if item.id else f"the new item {item.name!r}"
    if item.type == VM_TEMPLATE:
        raise InvalidArgument(
            f"{called} is a VM template, which takes no update session",
            error_type="INVALID_ELEMENT_TYPE",
            remedy="Publish to an item of another name.",
        )
    if item.type == ISO and packages:
        raise InvalidArgument(_misfit(called, ISO, packages, OVF), remedy=_other_item(OVF))
    if item.type == OVF and declared.state == "done" and images and not packages and not _has_package(found):
        raise InvalidArgument(_misfit(called, OVF, images, ISO), remedy=_other_item(ISO))


def _misfit(called: str, item_type: str, names: Sequence[str], fitting: str) -> str:
    return f"{called} is of type {item_type}, and {some_of(names)} would make it one of type {fitting}"


def _other_item(fitting: str) -> str:
    return (
        f"Publish to an item of another name. If this one is empty, vsphere.content.content_library_item can give it "
        f"type: {fitting} first; check mode does not see what an earlier task of the play would change."
    )


def _has_package(found: Found) -> bool:
    """Whether the found session has received the descriptor already."""
    return any(role_of(file.name) in PREVIEWED for file in found.files if file.is_brought)


def require_accepted_signer(declared: Declared, plan: Plan) -> None:
    """Raises SignerNotAccepted if the plan would publish a local package of another signer than the accepted one."""
    publishes = plan.files.push or (plan.step is Step.COMPLETE and not plan.opens)
    if declared.accepted_signer and declared.wanted and publishes:
        from .._transfer.signer import require_signed_by

        require_signed_by(declared.wanted, declared.accepted_signer)


def require_one_package(plan: Plan) -> None:
    """Refuse to bring a second descriptor into an item or a session. Raises NotAllowedInCurrentState.

    The task does not know which files belong to the first one, so it cannot remove that package. No source says what
    vCenter does with an item that has two descriptors.
    """
    rivals, session = plan.files.rivals, None if plan.opens else plan.found.session
    if not rivals:
        return
    names = ", ".join(rivals)
    sent = ", ".join(part.name for part in unpacked(plan.files.push) if part.role is Role.DESCRIPTOR)
    brought = {file.name for file in plan.found.files if file.is_brought}
    if session and brought.issuperset(rivals):
        holder, way_out = f"session {session.id}", "If it does not, end the session first, with state: absent."
    else:
        holder, way_out = "the item", "If it does not, publish it to an item of its own."
    raise NotAllowedInCurrentState(
        f"{holder} holds {names} of another package, beside which {sent} would come",
        session_id=str(session.id) if session else None,
        remedy=f"If this package replaces that one, add an entry with name: {rivals[0]} and state: absent to files. "
        f"What else is there and not named in files then goes as well, unless purge_files is false. {way_out}",
    )


def manifest_objections(wanted: Wanted, digest: Digest) -> Iterator[ContentError]:
    """What vCenter will refuse of the manifests, one by one; what is in large files, only their upload shows."""
    # Most runs send nothing, and start faster without what hashes files.
    from .._transfer.vouching import mismatches

    for fault in wanted.faults:
        yield InvalidArgument(
            f"files: {fault}. vCenter refuses such a manifest",
            remedy="Export the package again, or make the manifest anew, and its signature; the guide on packages says "
            "how. With check_manifest: false, the task only warns.",
        )
    yield from mismatches(wanted.files, digest)


def unnamed_ova_warnings(plan: Plan, item: LibraryItem) -> Iterator[str]:
    """Warnings about archives that vCenter will not unpack, as it goes by their names."""
    if item.type != OVF:
        return
    from .._transfer.ova import is_ova_of_other_name

    for file in plan.files.push:
        if is_ova_of_other_name(file):
            yield (
                f"{file.path} is an OVA, and {file.name} is not called so. vCenter goes by the name, and stores it as "
                f"it is. To have it unpacked, set name: {file.name}.ova."
            )


def spared_warning(declared: Declared, plan: Plan) -> str | None:
    """A warning about files that stay although purge_files would remove them; None if there is none to give.

    The task never knows the files of a package that vCenter pulls, so only users who set purge_files get this warning.
    """
    wanted, files = declared.wanted, plan.files
    if not wanted or not files.spared:
        return None
    pulled = wanted.pulled_packages
    if pulled and not (wanted.purge_declared and wanted.purge):
        return None
    own = [name for name in files.doubts if name in wanted.names and name not in pulled]
    others = [name for name in files.doubts if name not in wanted.names]
    reasons = [f"vCenter itself fetches {', '.join(pulled)} and what belongs to it"] if pulled else []
    if others:
        reasons.append(f"{', '.join(others)} describes a package that this task does not send")
    if own:
        reasons.append(f"vCenter has no checksum of {', '.join(own)}, which when_unverifiable leaves in place")
    return (
        f"purge_files removes nothing, as it is not known what belongs to the item: {'; '.join(reasons)}. These files "
        f"stay: {', '.join(files.spared)}. To remove one, give it an entry with state: absent in files."
    )


def undecided_warning(declared: Declared, plan: Plan) -> str | None:
    """A warning about files that the task does not name, if purge_files is left out; None if there is none to give."""
    wanted = declared.wanted
    if not wanted or wanted.purge_declared:
        return None
    going = [name for name in plan.files.remove if name not in wanted.absent]
    if going:
        return (
            f"files does not name {some_of(going)}. The task removes them, as purge_files is left out and files holds "
            "a package. purge_files: false would keep them, purge_files: true removes them without this warning."
        )
    unnamed, session = plan.files.unnamed, None if plan.opens else plan.found.session
    if not unnamed:
        return None
    left = [file.name for file in plan.found.files if session and file.is_brought and file.name in unnamed]
    found = f" (session {session.id}, which was found, brings {some_of(left)})" if session and left else ""
    return (
        f"files does not name {some_of(unnamed)}{found}. They stay, as purge_files is left out. purge_files: true "
        "would remove them, purge_files: false keeps them without this warning."
    )
