# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group, mode, attributes and SELinux context of files, as Ansible's own functions set them.

Ansible's functions follow a path, and another user who may write to the directory can make it lead elsewhere. So this
file sets everything by descriptor, except the attributes of chattr, which takes only a path. The functions of Ansible
that it still uses end the module when they fail. Here they raise an exception instead, so that the task cleans up.
"""

from __future__ import annotations

import copy
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable, NoReturn

from ansible.module_utils.basic import AnsibleModule

from .._vcenter.errors import InvalidArgument, TransferFailed

OPTIONS = ("owner", "group", "mode", "attributes", "seuser", "serole", "setype", "selevel")
NEW_FILE_MODE = 0o666
HIGHEST_PLAIN_MODE = 0o777
MODE_REMEDY = "Set mode to octal digits in quotes, such as '0644', or to a symbolic mode such as u=rw,g=r."
CONTEXT = "security.selinux"
# The number above this one means to leave the owner alone.
HIGHEST_NUMBER = 2**32 - 2


class _Refused(Exception):
    """A declared value is not valid, or one of Ansible's functions would have ended the module."""


def _stand_in(module: AnsibleModule, *, check_mode: bool) -> AnsibleModule:
    """A copy of the module whose `fail_json` raises _Refused.

    It is a copy, as a thread may be in such a function while the main thread fails with the module itself.
    """

    def fail(msg: str, details: Any = "", **_more: Any) -> NoReturn:
        raise _Refused(f"{msg}: {details}" if details else str(msg))

    copied = copy.copy(module)
    copied.check_mode = check_mode
    vars(copied)["fail_json"] = fail
    return copied


@dataclass(frozen=True)
class _Wanted:
    """What a file shall have; None leaves it alone."""

    owner: int | None
    group: int | None
    mode: int | None


class FileAttributes:
    """The attributes that a task declares for its files.

    Messages call a file by its `path`. `place` leads to the file even if `path` leads elsewhere by now.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = _stand_in(module, check_mode=module.check_mode)
        # To look must change nothing, also outside check mode.
        self._onlooker = _stand_in(module, check_mode=True)
        self._umask = os.umask(0o077)
        os.umask(self._umask)

    @property
    def declared(self) -> bool:
        return any(self._module.params[name] is not None for name in OPTIONS)

    @property
    def owner(self) -> int | None:
        """The number of the declared owner, None also if there is no such user."""
        with suppress(_Refused):
            return self._wanted(0).owner
        return None

    def require_valid(self) -> None:
        """Refuse an owner, a group or a mode that no file can have. Raises InvalidArgument."""
        params = self._module.params
        mode = params["mode"]
        # Without quotes YAML reads 644 as a decimal number, and Ansible would set the mode 01204.
        if isinstance(mode, int) and not 0 <= mode <= HIGHEST_PLAIN_MODE:
            raise InvalidArgument(f"mode is the number {mode}, which is 0{mode:o} in octal digits", remedy=MODE_REMEDY)
        for option, read, remedy in (
            ("owner", _owner_of, "Set owner to a user of the host that runs this task, by name or number."),
            ("group", _group_of, "Set group to a group of the host that runs this task, by name or number."),
            ("mode", lambda declared: self._read_mode(declared, NEW_FILE_MODE), MODE_REMEDY),
        ):
            try:
                if params[option] is not None:
                    read(params[option])
            except _Refused as error:
                raise InvalidArgument(f"{option} is {params[option]!r}: {error}", remedy=remedy) from None

    def require_settable(self, dest: str, others: str) -> None:
        """Refuse attributes of chattr if root would set them while `others` may replace files in `dest`.

        Raises InvalidArgument.
        """
        if others and self._module.params["attributes"]:
            raise InvalidArgument(
                f"attributes is given, this task runs as root, and {others} may write to {dest}: what chattr is told "
                "to change may be another file by then",
                remedy="Leave attributes out, or fetch to a directory that only root may write to.",
            )

    def differences(self, path: str, place: str, found: os.stat_result) -> dict[str, Any]:
        """The attributes that differ from the declared ones. Raises TransferFailed for a value that is not valid."""
        with _failures_raised(path, place):
            mode = stat.S_IMODE(found.st_mode)
            wanted = self._wanted(mode)
            before: dict[str, Any] = {}
            if wanted.owner not in (None, found.st_uid):
                before["owner"] = found.st_uid
            if wanted.group not in (None, found.st_gid):
                before["group"] = found.st_gid
            if wanted.mode not in (None, mode):
                before["mode"] = f"0{mode:03o}"
            if self._module.selinux_enabled():
                context = self._module.selinux_context(place)
                if self._wanted_context(path, context) != context:
                    before["secontext"] = context
            flags: dict[str, Any] = {}
            self._onlooker.set_attributes_if_different(place, self._flags_to_set(place), False, flags, expand=False)
            return {**before, **flags.get("before", {})}

    def dress(self, descriptor: int, path: str, place: str, heir: os.stat_result | None) -> None:
        """Give an open file the declared attributes, and the others of `heir`, the file at `path` that it replaces.

        It does not set the attributes of chattr, as some of them would prevent the rename. Raises TransferFailed.
        """
        with _failures_raised(path, place):
            mode = stat.S_IMODE(heir.st_mode) & 0o777 if heir else NEW_FILE_MODE & ~self._umask
            wanted = self._wanted(mode)
            if heir:
                # A user who may not give files away stays the owner, as with ansible.builtin.copy.
                with suppress(PermissionError):
                    os.fchown(descriptor, heir.st_uid, heir.st_gid)
            if self._module.selinux_enabled():
                module = self._module
                inherited = module.selinux_context(place) if heir else module.selinux_default_context(path)
                self._set_context(descriptor, path, inherited)
            _set(descriptor, _Wanted(wanted.owner, wanted.group, mode if wanted.mode is None else wanted.mode))

    def adjust(self, descriptor: int, path: str, place: str) -> None:
        """Give an open file the declared attributes. Raises TransferFailed."""
        with _failures_raised(path, place):
            if self._module.selinux_enabled():
                self._set_context(descriptor, path, [])
            _set(descriptor, self._wanted(stat.S_IMODE(os.fstat(descriptor).st_mode)))
        self.set_flags(path, place)

    def set_flags(self, path: str, place: str) -> None:
        """Give a file the declared attributes of chattr. Raises TransferFailed."""
        with _failures_raised(path, place):
            self._module.set_attributes_if_different(place, self._flags_to_set(place), False, expand=False)

    def _wanted(self, mode: int) -> _Wanted:
        """The declared values, for a file whose present mode is `mode`. Raises _Refused."""
        params = self._module.params
        return _Wanted(
            _owner_of(params["owner"]),
            _group_of(params["group"]),
            None if params["mode"] is None else self._read_mode(params["mode"], mode),
        )

    def _read_mode(self, declared: Any, before: int) -> int:
        try:
            mode = declared if isinstance(declared, int) else int(declared, 8)
        except (TypeError, ValueError):
            try:
                file = os.stat_result((stat.S_IFREG | before, *[0] * 9))
                mode = self._module._symbolic_mode_to_octal(file, declared)
            except Exception as error:  # noqa: BLE001 (Ansible does not say what its function raises)
                raise _Refused(f"mode must be in octal or symbolic form: {error}") from None
        if mode != stat.S_IMODE(mode):
            raise _Refused(f"Invalid mode supplied, only permission info is allowed: {mode}")
        return int(mode)

    def _set_context(self, descriptor: int, path: str, inherited: list[str | None]) -> None:
        context = os.getxattr(descriptor, CONTEXT).rstrip(b"\0").decode().split(":", 3)
        wanted = self._wanted_context(path, context, inherited)
        if wanted != context:
            os.setxattr(descriptor, CONTEXT, ":".join(wanted).encode() + b"\0")

    def _wanted_context(self, path: str, context: list[str], inherited: list[str | None] | None = None) -> list[str]:
        """The context that a file shall have: each part as declared, else as inherited, else as it is."""
        special, of_mount = self._module.is_special_selinux_path(path)
        if special:
            return list(of_mount)
        declared = self._module.load_file_common_arguments(self._module.params, path=path)["secontext"]
        wanted = list(context)
        for layer in (inherited or [], declared):
            for index, part in enumerate(layer[: len(context)]):
                wanted[index] = wanted[index] if part is None else part
        return wanted

    def _flags_to_set(self, place: str) -> str | None:
        """The declared flags of chattr, None if the file has them: Ansible would add a flag again beside others."""
        declared: str | None = self._module.params["attributes"]
        if not declared or declared[0] not in "+-":
            return declared
        found = set(self._module.get_file_attributes(place, include_version=False).get("attr_flags", ""))
        named = set(declared[1:])
        return None if (named <= found if declared[0] == "+" else not named & found) else declared


def _owner_of(declared: str | None) -> int | None:
    return _number_of(declared, lambda name: pwd.getpwnam(name).pw_uid, "chown", "user")


def _group_of(declared: str | None) -> int | None:
    return _number_of(declared, lambda name: grp.getgrnam(name).gr_gid, "chgrp", "group")


def _number_of(declared: str | None, look_up: Callable[[str], int], doing: str, kind: str) -> int | None:
    if declared is None:
        return None
    try:
        number = int(declared)
    except ValueError:
        try:
            return look_up(declared)
        except (KeyError, ValueError):
            raise _Refused(f"{doing} failed: failed to look up {kind} {declared}") from None
    if not 0 <= number <= HIGHEST_NUMBER:
        raise _Refused(f"{doing} failed: {number} is the number of no {kind}")
    return number


def _set(descriptor: int, wanted: _Wanted) -> None:
    found = os.fstat(descriptor)
    if wanted.owner not in (None, found.st_uid):
        with _named("chown"):
            os.fchown(descriptor, wanted.owner, -1)
    if wanted.group not in (None, found.st_gid):
        with _named("chgrp"):
            os.fchown(descriptor, -1, wanted.group)
    # Last, as a change of the owner clears the setuid and setgid bits.
    if wanted.mode not in (None, stat.S_IMODE(os.fstat(descriptor).st_mode)):
        with _named("chmod"):
            os.fchmod(descriptor, wanted.mode)


@contextmanager
def _named(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _Refused(f"{doing} failed: {error.strerror}") from None


@contextmanager
def _failures_raised(path: str, place: str) -> Iterator[None]:
    try:
        yield
    except (_Refused, OSError) as error:
        said = str((isinstance(error, OSError) and error.strerror) or error).replace(place, path)
        raise TransferFailed(
            f"{path}: {said}",
            remedy="Check the options owner, group, mode, attributes and those of SELinux, and that the user who runs "
            "this task may set them.",
        ) from None
