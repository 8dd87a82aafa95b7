# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group, mode, attributes and SELinux context of files, with Ansible's own functions for them.

Those end a module by themselves when they fail; here that is an exception as everywhere, so that what was begun is
cleaned up.
"""

from __future__ import annotations

import copy
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vsphere.content.plugins.module_utils._errors import TransferFailed

OPTIONS = ("owner", "group", "mode", "attributes", "seuser", "serole", "setype", "selevel")
NEW_FILE_MODE = 0o666


class _Refused(Exception):
    """What one of Ansible's functions would have ended the module with."""


def _stand_in(module: AnsibleModule, *, check_mode: bool) -> AnsibleModule:
    """A copy of the module to call those functions on, which raises _Refused where the module would end.

    The module itself is left alone: a thread may be in such a function when the main thread is about to end it.
    """

    def fail(msg: str, details: Any = "", **_more: Any) -> NoReturn:
        raise _Refused(f"{msg}: {details}" if details else str(msg))

    copied = copy.copy(module)
    copied.check_mode = check_mode
    vars(copied)["fail_json"] = fail
    return copied


class FileAttributes:
    """The attributes that a task declares for its files."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = _stand_in(module, check_mode=module.check_mode)
        # Outside check mode too, looking must not change anything.
        self._onlooker = _stand_in(module, check_mode=True)
        self._umask = os.umask(0o077)
        os.umask(self._umask)

    @property
    def declared(self) -> bool:
        return any(self._module.params[name] is not None for name in OPTIONS)

    def differences(self, path: str) -> dict[str, Any]:
        """What a file has in place of what is declared. Raises TransferFailed for what cannot be declared at all."""
        found: dict[str, Any] = {}
        with _failures_raised(path):
            self._onlooker.set_fs_attributes_if_different(self._all_arguments(path), False, found, expand=False)
        return dict(found.get("before", {}))

    def prepare(self, path: str, target: str) -> None:
        """Give a file that is to take the place of C(target) what is declared, and in all else what C(target) has.

        All but the attributes of chattr, some of which would keep it from being renamed. Raises TransferFailed.
        """
        with _failures_raised(target):
            found = os.lstat(target) if os.path.lexists(target) and not os.path.islink(target) else None
            if found:
                # Who may not give files away keeps them, as with ansible.builtin.copy.
                with suppress(PermissionError):
                    os.chown(path, found.st_uid, found.st_gid)
            os.chmod(path, stat.S_IMODE(found.st_mode) & 0o777 if found else NEW_FILE_MODE & ~self._umask)
            if self._module.selinux_enabled():
                module = self._module
                context = module.selinux_context(target) if found else module.selinux_default_context(target)
                module.set_context_if_different(path, context, False)
            self._module.set_fs_attributes_if_different(self._arguments(path, target), False, expand=False)

    def apply(self, path: str) -> None:
        """Give a file what is declared. Raises TransferFailed."""
        with _failures_raised(path):
            self._module.set_fs_attributes_if_different(self._all_arguments(path), False, expand=False)

    def _all_arguments(self, path: str) -> dict[str, Any]:
        return {**self._arguments(path, path), "attributes": self._flags_to_set(path)}

    def _arguments(self, path: str, target: str) -> dict[str, Any]:
        arguments: dict[str, Any] = self._module.load_file_common_arguments(self._module.params, path=target)
        # Ansible expands variables in a path, which a file name from a server must not be subject to.
        return {**arguments, "path": path, "attributes": None}

    def _flags_to_set(self, path: str) -> str | None:
        """What is declared of chattr's flags, None if it is so: Ansible adds a flag again where the file has others."""
        declared: str | None = self._module.params["attributes"]
        if not declared or declared[0] not in "+-":
            return declared
        found = set(self._module.get_file_attributes(path, include_version=False).get("attr_flags", ""))
        named = set(declared[1:])
        return None if (named <= found if declared[0] == "+" else not named & found) else declared


@contextmanager
def _failures_raised(path: str) -> Iterator[None]:
    try:
        yield
    except (_Refused, OSError) as error:
        raise TransferFailed(
            f"{path}: {(isinstance(error, OSError) and error.strerror) or error}",
            remedy="Check the options owner, group, mode, attributes and those of SELinux, and that the user who runs "
            "this task may set them.",
        ) from None
