# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks on the controller whether hosts of a play share a vCenter; hosts that come later count as well."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

VARIABLE = "vcenter_connection"
# The roles set the module_defaults of this group from the variable. Any other module_defaults are the play's own.
GROUP_OF_VARIABLE = "group/vsphere.content.vcenter_connection"
HOST_VARIABLE = "VMWARE_HOST"
PORT_VARIABLE = "VMWARE_PORT"
USUAL_PORT = "443"
SHOWN_HOSTS = 5


@dataclass(frozen=True)
class Use:
    """The vCenter that a host uses; `by_accident` unless somebody named it for this host alone."""

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
        return {**result, "changed": False, "vcenter": self._own(), **(_failure(reason) if reason else {})}

    def _own(self) -> str | None:
        """The vCenter of this host, as messages of the modules call it; None if the controller cannot tell."""
        environment = self._play_environment()
        local = os.environ if self._connection.transport == "local" else {}
        told = {**local, **environment}
        host = str(self._task.args.get("hostname") or told.get(HOST_VARIABLE) or "").strip()
        port = str(self._task.args.get("port") or told.get(PORT_VARIABLE) or USUAL_PORT)
        if not host or port == USUAL_PORT:
            return host or None
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _find_reason(self, task_vars: Mapping[str, Any]) -> str | None:
        """Why the play must not go on; None if it may."""
        hosts = [str(host) for host in task_vars["ansible_play_hosts_all"]]
        own = str(task_vars["inventory_hostname"])
        listed = {host: _listed(task_vars["hostvars"], host) for host in hosts} if len(hosts) > 1 else {}
        is_named, is_listed = bool(self._task.args.get("hostname")), bool((listed.get(own) or {}).get("hostname"))
        if is_named and not is_listed:
            return None  # The play itself names the vCenter, for all hosts.
        replaced = is_listed and not is_named
        if replaced:
            listed = {host: {} for host in hosts}
        extra = VARIABLE in load_extra_vars(self._loader)
        shared = _find_shared(list(self._uses(listed, extra=extra)))
        return _explain(shared, extra=extra, replaced=replaced) if shared else None

    def _uses(self, listed: Mapping[str, Mapping[str, Any] | None], *, extra: bool) -> Iterator[Use]:
        """The known vCenters of the hosts; `listed` has the `vcenter_connection` of each."""
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
        """The vCenter of tasks whose options name none; empty if the play may set it."""
        local = self._connection.transport == "local"
        if not local or HOST_VARIABLE in self._play_environment() or self._play_names_host():
            return ""
        return os.environ.get(HOST_VARIABLE) or ""

    def _play_environment(self) -> dict[str, Any]:
        """What `environment` of the play says."""
        environment: dict[str, Any] = {}
        # Only newer versions of ansible-core give its types.
        ansible: Any = self
        ansible._compute_environment_string(environment)
        return environment

    def _play_names_host(self) -> bool:
        """Whether module_defaults of the play name a vCenter; options that are one template may do so."""
        return any(
            isinstance(options, str) or "hostname" in (options or {})
            for defaults in self._task.module_defaults or []
            for name, options in defaults.items()
            if name != GROUP_OF_VARIABLE
        )


def _listed(hostvars: Any, host: str) -> Mapping[str, Any] | None:
    """The `vcenter_connection` of a host, without variables of the play; None if it cannot be read."""
    try:
        found = hostvars[host].get(VARIABLE) or {}
    except Exception:  # noqa: BLE001 (a template may need variables that only that host's own tasks have)
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
