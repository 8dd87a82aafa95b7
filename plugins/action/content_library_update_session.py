# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._progress import ProgressAction

ITEM = "vsphere.content.content_library_item"
CONNECTION = (
    "hostname",
    "username",
    "password",
    "port",
    "validate_certs",
    "ca_path",
    "session_token",
    "proxy_host",
    "proxy_port",
    "proxy_protocol",
    "proxy_username",
    "proxy_password",
    "request_timeout",
    "api_dialect",
)


class ActionModule(ProgressAction):
    """The module of the same name documents what this adds to it.

    It is here that an item that was made for the task is taken away again, whatever it was that failed, be it the
    module itself. It happens in the same task, as those of a C(rescue) wait until all other hosts have finished the one
    at hand.
    """

    def _execute_module(self, module_name: Any = None, module_args: Any = None, *rest: Any, **options: Any) -> Any:
        result = super()._execute_module(module_name, module_args, *rest, **options)
        new_item = self._task.args.get("new_item")
        if module_name is None and result.get("failed") and isinstance(new_item, Mapping) and new_item.get("created"):
            fate = self._take_away(new_item, result, options.get("task_vars"))
            result["msg"] = f"{result.get('msg') or 'The module failed.'} {fate}"
        return result

    def _take_away(self, new_item: Mapping[str, Any], result: Mapping[str, Any], task_vars: Any) -> str:
        """Delete the item if it is as it was made; returns what to say of it."""
        item = new_item.get("library_item") or {}
        called = f"The item {item.get('name')}, which this run had made,"
        if result.get("item_changed"):
            return f"{called} stays, as it may have its new content."
        if (result.get("error") or {}).get("type") == "UNAUTHENTICATED":
            return f"{called} stays, as the login was refused."
        connection = {name: self._task.args[name] for name in CONNECTION if name in self._task.args}
        made = {"created": True, "library_item": dict(item)}
        options = {"library_item_id": item.get("id"), "state": "absent", "new_item": made}
        removed = super()._execute_module(ITEM, {**connection, **options}, task_vars=task_vars)
        if removed.get("failed"):
            return f"{called} could not be deleted: {removed.get('msg')}"
        return f"{called} stays, as {removed['kept']}." if removed.get("kept") else f"{called} was deleted again."
