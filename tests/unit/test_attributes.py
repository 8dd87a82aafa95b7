# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of fetched files: set by descriptor, in threads, while the module that they work for can end."""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vsphere.content.plugins.module_utils._download.attributes import CONTEXT, FileAttributes
from ansible_collections.vsphere.content.plugins.module_utils._vcenter.errors import TransferFailed
from tests.harness.modules import MODULES, run_module

LONG = 20.0
OLD, NEW = "system_u:object_r:user_home_t:s0", "system_u:object_r:usr_t:s0"


class FileModule(AnsibleModule):
    def __init__(self) -> None:
        super().__init__(argument_spec={}, add_file_common_args=True)  # type: ignore[no-untyped-call]


class HangingModule(FileModule):
    """One whose files lie where chattr takes its time, and fails."""

    def __init__(self, reached: threading.Event, go_on: threading.Event) -> None:
        self.reached = reached
        self.go_on = go_on
        super().__init__()

    def set_attributes_if_different(self, *_arguments: Any, **_options: Any) -> Any:
        self.reached.set()
        self.go_on.wait(LONG)
        self.fail_json("chattr failed")


class LabellingModule(FileModule):
    """One on a host with SELinux, whose policy has one context for new files."""

    def selinux_enabled(self) -> bool:
        return True

    def selinux_mls_enabled(self) -> bool:
        return True

    def selinux_default_context(self, _path: str, _mode: int = 0) -> list[str]:
        return NEW.split(":", 3)

    def selinux_context(self, path: str) -> list[str]:
        return os.getxattr(path, CONTEXT, follow_symlinks=False).decode().rstrip("\0").split(":", 3)


@pytest.fixture
def run_main(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a function as the main() of a module with these options."""

    def run(main: Callable[[], None], **options: Any) -> Any:
        made = types.ModuleType(f"{MODULES}.made_up")
        vars(made)["main"] = main
        monkeypatch.setitem(sys.modules, made.__name__, made)
        return run_module("made_up", options)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.iso"
    path.write_bytes(b"")
    return path


@pytest.fixture
def descriptor(file: Path) -> Iterator[int]:
    opened = os.open(file, os.O_RDWR)
    yield opened
    os.close(opened)


def test_a_module_can_end_while_a_thread_sets_attributes(file: Path, run_main: Callable[..., Any]) -> None:
    reached, go_on = threading.Event(), threading.Event()
    failures: list[TransferFailed] = []

    def main() -> None:
        module = HangingModule(reached, go_on)
        attributes = FileAttributes(module)

        def set_flags() -> None:
            try:
                attributes.set_flags(str(file), str(file))
            except TransferFailed as error:
                failures.append(error)

        thread = threading.Thread(target=set_flags)
        thread.start()
        assert reached.wait(LONG)
        try:
            module.fail_json("The task was ended.")
        finally:
            go_on.set()
            thread.join()

    ran = run_main(main, attributes="A")
    assert (ran.rc, ran.result["msg"]) == (1, "The task was ended.")
    assert f"{file}: chattr failed" in str(failures[0])


@pytest.fixture
def labelled(descriptor: int) -> None:
    """The file has a context. Without SELinux, whoever may administer the host may give files any."""
    try:
        os.setxattr(descriptor, CONTEXT, OLD.encode() + b"\0")
    except OSError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"this user may not set contexts here: {error.strerror}")


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("options", "inherits", "context"),
    [
        ({}, False, NEW),
        ({}, True, OLD),
        ({"setype": "httpd_sys_content_t"}, False, "system_u:object_r:httpd_sys_content_t:s0"),
        ({"setype": "_default", "selevel": "s0:c1"}, True, "system_u:object_r:usr_t:s0:c1"),
    ],
)
def test_a_context_of_selinux_is_declared_or_inherited_or_the_policy_s_and_set_by_descriptor(
    file: Path,
    descriptor: int,
    run_main: Callable[..., Any],
    options: dict[str, str],
    inherits: bool,
    context: str,
) -> None:
    """The name leads to another file meanwhile, which keeps its own."""
    away = file.rename(file.with_name("away"))
    file.write_bytes(b"of somebody else")
    os.setxattr(file, CONTEXT, OLD.encode() + b"\0")

    def main() -> None:
        module = LabellingModule()
        attributes, path = FileAttributes(module), str(file)
        attributes.dress(descriptor, path, path, os.stat(file) if inherits else None)
        changed = attributes.differences(path, str(away), os.fstat(descriptor))
        module.exit_json(differences=changed, others=attributes.differences(path, path, os.stat(file)))

    ran = run_main(main, **options)
    assert os.getxattr(away, CONTEXT).decode().rstrip("\0") == context
    assert os.getxattr(file, CONTEXT).decode().rstrip("\0") == OLD
    assert "secontext" not in ran.result["differences"]
    assert ("secontext" in ran.result["others"]) == bool(options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"owner": "nobody-has-this-name"}, "chown failed: failed to look up user nobody-has-this-name"),
        ({"owner": "-1"}, "chown failed: -1 is the number of no user"),
        ({"group": "nobody-has-this-name"}, "chgrp failed: failed to look up group nobody-has-this-name"),
        ({"group": "99999999999"}, "chgrp failed: 99999999999 is the number of no group"),
        ({"mode": "u=rwy"}, "mode must be in octal or symbolic form: "),
        ({"mode": "77777"}, "Invalid mode supplied"),
    ],
)
def test_what_no_file_can_have_is_refused_in_ansible_s_words(
    file: Path, run_main: Callable[..., Any], options: dict[str, str], says: str
) -> None:
    def main() -> None:
        module = FileModule()
        try:
            FileAttributes(module).differences(str(file), str(file), os.stat(file))
        except TransferFailed as error:
            module.exit_json(said=error.explain())

    said = run_main(main, **options).result["said"]
    assert f"{file}: {says}" in said
    assert "Check the options owner, group, mode" in said
