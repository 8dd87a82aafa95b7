# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another user does in the directory that root fetches to: small shell scripts that run there in that
user's name.

`VICTIM` is a file of root's elsewhere, `TARGET` the name of the file that is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping

PARTIALS = ".*.vsphere-content.part"
MARKS = ".*.vsphere-content.session"


def in_place_of(names: str, what: str) -> str:
    return f'for name in {names}; do mv "$name" taken; {what}; done'


#: While half of the file has come. None of these may succeed, and what is put there stays.
ON_THE_WAY: Mapping[str, str] = {
    "a-link": in_place_of(PARTIALS, 'ln -s "$VICTIM" "$name"'),
    "a-link-to-the-file-itself": in_place_of(PARTIALS, 'ln -s taken "$name"'),
    "a-file": in_place_of(PARTIALS, 'echo forged > "$name"; chmod 666 "$name"'),
    "a-pipe": in_place_of(PARTIALS, 'mkfifo "$name"'),
    "a-directory": in_place_of(PARTIALS, 'mkdir "$name"'),
    "nothing": in_place_of(PARTIALS, ":"),
}

#: At the same moment, in the place of the target: the task goes on, and puts its own file there.
IN_THE_TARGETS_PLACE: Mapping[str, str] = {
    "a-link": 'rm -f "$TARGET"; ln -s "$VICTIM" "$TARGET"',
    "a-link-that-leads-nowhere": 'rm -f "$TARGET"; ln -s nowhere "$TARGET"',
    "a-file-that-anybody-may-write": 'rm -f "$TARGET"; echo forged > "$TARGET"; chmod 4777 "$TARGET"',
    "a-pipe": 'rm -f "$TARGET"; mkfifo "$TARGET"',
}

#: As often as it goes.
AGAIN_AND_AGAIN: Mapping[str, str] = {
    "partial": f'while :; do for name in {PARTIALS}; do mv "$name" taken && ln -s "$VICTIM" "$name"; done; done',
    "target": 'while :; do ln -s "$VICTIM" new; mv -f new "$TARGET"; done',
    "target-and-away": 'while :; do ln -s "$VICTIM" new; mv -f new "$TARGET"; rm -f "$TARGET"; done',
}

#: Before the task begins, under the names of marks. `PREFIX` is what begins a mark of the item, `TOKEN` the client
#: token of another job's session.
MARKS_PLANTED: Mapping[str, str] = {
    "with-a-token": 'umask 077; echo "$TOKEN" > "$PREFIX.x.vsphere-content.session"',
    "with-a-token-as-its-name": 'umask 077; : > "$PREFIX.$TOKEN.vsphere-content.session"',
    "with-nonsense": 'umask 077; echo "../$TOKEN" > "$PREFIX.x.vsphere-content.session"',
    "with-a-name-that-is-no-text": ': > "$PREFIX.$(printf "\\377").vsphere-content.session"',
    "a-link": 'echo "$TOKEN" > token; ln -s token "$PREFIX.x.vsphere-content.session"',
    "a-link-to-a-file-of-root's": 'ln -s "$VICTIM" "$PREFIX.x.vsphere-content.session"',
    "a-second-name": 'umask 077; echo "$TOKEN" > a; ln a "$PREFIX.x.vsphere-content.session"',
    "a-pipe": 'mkfifo -m 600 "$PREFIX.x.vsphere-content.session"',
    "a-directory": 'mkdir "$PREFIX.x.vsphere-content.session"',
}
