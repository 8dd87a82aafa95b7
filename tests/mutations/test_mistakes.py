# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of mistake is made in the one place that fits, and refused where none fits, or several do."""

from __future__ import annotations

import pytest

from tests.mutations.mistakes import Mistake, always, another, becomes, given, instead, made, never, swapped, without

SOURCE = '''\
TRIES = 3


class Order:
    FIRST = 1
    LAST = 2

    def send(self, files, wait):
        """É stands here, which is two bytes."""
        if self.ready and (wait or not files):
            self.tell(files, f"é {files}", kind="all")
        return {"sent": len(files), "kind": 1}
'''


@pytest.mark.parametrize(
    ("place", "mistake", "right", "wrong"),
    [
        ("TRIES", becomes("1"), "TRIES = 3", "TRIES = 1"),
        ("Order", swapped("FIRST", "LAST"), "FIRST = 1\n    LAST = 2", "FIRST = 2\n    LAST = 1"),
        ("Order.send", always("wait"), "(wait or", "(True or"),
        ("Order.send", never("ready"), "if self.ready", "if False"),
        ("Order.send", always("wait", "ready"), "self.ready and (wait or not files):", "True:"),
        ("Order.send", without("tell"), 'self.tell(files, f"é {files}", kind="all")', "pass"),
        ("Order.send", another("all", "none"), '"all"', "'none'"),
        ("Order.send", another(1, 2), '"kind": 1', '"kind": 2'),
        ("Order.send", given("sent", "0"), "len(files)", "0"),
        ("Order.send", instead("len", "(...) + 1"), "len(files)", "(len(files)) + 1"),
        ("Order.send", instead("wait", "not ..."), "(wait or", "(not wait or"),
    ],
)
def test_a_mistake_is_made_where_it_fits(place: str, mistake: Mistake, right: str, wrong: str) -> None:
    assert made(SOURCE, place, mistake) == SOURCE.replace(right, wrong)


@pytest.mark.parametrize(
    ("place", "mistake"),
    [
        ("Order.receive", without("tell")),
        ("Order", becomes("1")),
        ("Order", swapped("FIRST", "SECOND")),
        ("Order.send", always("patience")),
        ("Order.send", without("files")),
        ("Order.send", another(True, False)),
        ("Order.send", another("é ", "e ")),
        ("Order.send", given("kind", "None")),
        ("Order.send", instead("files", "None")),
    ],
)
def test_a_mistake_that_fits_nowhere_or_twice_is_refused(place: str, mistake: Mistake) -> None:
    with pytest.raises(ValueError, match=r"no constant|[02-9] places, not one"):
        made(SOURCE, place, mistake)
