# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of fetched files are set in threads, and the module that those threads work for can end meanwhile."""

from __future__ import annotations

import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vsphere.content.plugins.module_utils._attributes import FileAttributes
from ansible_collections.vsphere.content.plugins.module_utils._errors import TransferFailed
from tests.harness.modules import MODULES, run_module

LONG = 20.0


class HangingModule(AnsibleModule):
    """One whose files lie where setting an owner takes its time."""

    def __init__(self, reached: threading.Event, go_on: threading.Event) -> None:
        self.reached = reached
        self.go_on = go_on
        super().__init__(argument_spec={}, add_file_common_args=True)  # type: ignore[no-untyped-call]

    def set_owner_if_different(self, *arguments: Any, **options: Any) -> Any:
        self.reached.set()
        self.go_on.wait(LONG)
        return super().set_owner_if_different(*arguments, **options)  # type: ignore[no-untyped-call]


def test_a_module_can_end_while_a_thread_sets_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached, go_on = threading.Event(), threading.Event()
    failures: list[TransferFailed] = []
    path = tmp_path / "a.iso"
    path.write_bytes(b"")

    def main() -> None:
        module = HangingModule(reached, go_on)
        attributes = FileAttributes(module)

        def prepare() -> None:
            try:
                attributes.prepare(str(path), str(path))
            except TransferFailed as error:
                failures.append(error)

        thread = threading.Thread(target=prepare)
        thread.start()
        assert reached.wait(LONG)
        try:
            module.fail_json("The task was ended.")
        finally:
            go_on.set()
            thread.join()

    made = types.ModuleType(f"{MODULES}.made_up")
    vars(made)["main"] = main
    monkeypatch.setitem(sys.modules, made.__name__, made)
    ran = run_module("made_up", {"owner": "nobody-has-this-name"})
    assert (ran.rc, ran.result["msg"]) == (1, "The task was ended.")
    assert "nobody-has-this-name" in str(failures[0])
