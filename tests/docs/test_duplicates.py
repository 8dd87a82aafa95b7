# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks for lines that stand twice finds them, and leaves out what each module has to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.duplicates import LEAST_LINES, MOST_PAIRS, main, without_what_each_has

MODULE = """DOCUMENTATION = '''
module: a
'''


def argument_spec():
    return {"a": {}}


def main():
    return 1
"""


def test_what_each_module_has_is_left_out_and_lines_keep_their_numbers() -> None:
    left = without_what_each_has(MODULE).splitlines()
    assert [number for number, line in enumerate(left, 1) if line] == [10, 11]


@pytest.mark.parametrize("too_many", [False, True])
def test_places_that_share_lines_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], too_many: bool
) -> None:
    pairs = MOST_PAIRS + too_many
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for pair in range(pairs):
        lines = [f"pair_{pair}_{number} = {number}" for number in range(LEAST_LINES)]
        for copy in ("one", "other"):
            (plugins / f"{copy}{pair}.py").write_text("\n".join([f"{copy} = {pair}", *lines, ""]), encoding="utf-8")
    assert main(plugins, tmp_path / "copies") == int(too_many)
    assert f"{pairs} pairs of places" in capsys.readouterr().out
