# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the connections of all hosts of a play on the controller, so that hosts that come later count as well."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

VARIABLE = "vcenter_connection"
# What the roles set from that variable; module_defaults of anything else are the play's own.
GROUP_OF_VARIABLE = "group/vsphere.content.vcenter_connection"
HOST_VARIABLE = "VMWARE_HOST"
PORT_VARIABLE = "VMWARE_PORT"
USUAL_PORT = "443"
SHOWN_HOSTS = 5


@dataclass(frozen=True)
class Use:
    """The vCenter that a host uses; C(by_accident) if nobody has named it for this host alone."""

    host: str
    vcenter: tuple[str, str]
    by_environment: bool
    by_accident: bool


class ActionModule(ActionBase):
    """The module of the same name documents it."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            shared = boolean(self._task.args.get("shared") or False)
        except TypeError as error:
            return {**result, **_failure(f"shared: {error}. Set it to true or false.")}
        reason = None if shared else self._find_reason(task_vars or {})
        return {**result, "changed": False, **(_failure(reason) if reason else {})}

    def _find_reason(self, task_vars: Mapping[str, Any]) -> str | None:
        """Why the play must not go on; None if it may."""
        hosts = [str(host) for host in task_vars["ansible_play_hosts_all"]]
        own = str(task_vars["inventory_hostname"])
        listed = {host: _listed(task_vars["hostvars"], host) for host in hosts} if len(hosts) > 1 else {}
        is_named, is_listed = bool(self._task.args.get("hostname")), bool((listed.get(own) or {}).get("hostname"))
        if is_named and not is_listed:
            return None  # The play itself names it, for this host as for the others.
        replaced = is_listed and not is_named
        if replaced:
            listed = {host: {} for host in hosts}
        extra = VARIABLE in load_extra_vars(self._loader)
        shared = _find_shared(list(self._uses(listed, extra=extra)))
        return _explain(shared, extra=extra, replaced=replaced) if shared else None

    def _uses(self, listed: Mapping[str, Mapping[str, Any] | None], *, extra: bool) -> Iterator[Use]:
        """What can be said of the vCenters of the hosts, each with its C(vcenter_connection)."""
        inherited = self._inherited_host()
        port = os.environ.get(PORT_VARIABLE) or USUAL_PORT
        for host, connection in listed.items():
            if connection is None:
                continue
            named = str(connection.get("hostname") or "")
            if vcenter := named or inherited:
                place = (vcenter.strip().lower(), str(connection.get("port") or port))
                yield Use(host, place, by_environment=not named, by_accident=extra or not named)

    def _inherited_host(self) -> str:
        """The vCenter that tasks use whose options name none; empty where the play has a word in that."""
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        if self._connection.transport != "local" or HOST_VARIABLE in environment or self._play_names_host():
            return ""
        return os.environ.get(HOST_VARIABLE) or ""

    def _play_names_host(self) -> bool:
        """Whether module_defaults of the play name a vCenter; a template as a whole may."""
        return any(
            isinstance(options, str) or "hostname" in (options or {})
            for defaults in self._task.module_defaults or []
            for name, options in defaults.items()
            if name != GROUP_OF_VARIABLE
        )


def _listed(hostvars: Any, host: str) -> Mapping[str, Any] | None:
    """The C(vcenter_connection) that is known of a host outside the play; None if it cannot be read."""
    try:
        found = hostvars[host].get(VARIABLE) or {}
    except Exception:  # noqa: BLE001 (what a template of another host needs may be known to its own tasks only)
        return None
    return found if isinstance(found, Mapping) else None


def _find_shared(uses: Sequence[Use]) -> list[Use]:
    """The first hosts that use one vCenter, at least one of them by accident."""
    by_vcenter: dict[tuple[str, str], list[Use]] = {}
    for use in uses:
        by_vcenter.setdefault(use.vcenter, []).append(use)
    return next(
        (found for found in by_vcenter.values() if len(found) > 1 and any(use.by_accident for use in found)), []
    )


def _explain(shared: Sequence[Use], *, extra: bool, replaced: bool) -> str:
    unnamed = [use.host for use in shared if use.by_environment]
    said = f"{_names([use.host for use in shared])} would use one vCenter, {shared[0].vcenter[0]}, as "
    if unnamed:
        said += f"the environment variable {HOST_VARIABLE} says so, and {VARIABLE} names no hostname"
        said += "" if len(unnamed) == len(shared) else f" for {_names(unnamed)}"
    else:
        said += f"the extra variable {VARIABLE} says so"
    if extra:
        said += f". The extra variable {VARIABLE} replaces whatever the inventory says of a host"
    elif replaced:
        said += f". A variable {VARIABLE} of the play or the role replaces what the inventory says of each host"
    remedy = f"Give each host a {VARIABLE} with its hostname in the inventory"
    if extra:
        remedy += f", and leave {VARIABLE} out of the extra variables"
    return (
        f"{said}. {remedy}; or set vcenter_shared: true (shared: true in a task of your own) if one vCenter is meant "
        "for all of them. Nothing has been changed."
    )


def _names(hosts: Sequence[str]) -> str:
    shown, more = hosts[:SHOWN_HOSTS], len(hosts) - SHOWN_HOSTS
    parts = [*shown, f"{more} more"] if more > 0 else list(shown)
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _failure(reason: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("status", "operation", "data", "session_id"))
    return {"failed": True, "msg": reason, "error": {"type": "INVALID_ARGUMENT", "messages": [], **unknown}}
