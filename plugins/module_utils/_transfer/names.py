# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be the name of a file, and which file a reference means.

Whether a terminal can show a name is another question: messages escape what it cannot show. Blanks and joiners of all
scripts are part of names that people give.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

LINE_ENDS = "\u2028\u2029"
DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that end a line, and those that show the text after them in another order. A name with them can pass for
another one: `exe.\u202efdmv` shows as `exe.vmdf`.
"""
NO_TEXT = ("Cc", "Cs")
"""The Unicode categories of control characters, and of bytes that are no UTF-8, which no JSON can carry."""
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|ds:", re.IGNORECASE)


def is_file_name(name: str) -> bool:
    """Whether a name stays within a directory and can be sent: one component, and text without control characters."""
    return (
        name not in ("", ".", "..")
        and not any(character in "/\\" + LINE_ENDS + DIRECTIONS for character in name)
        and not any(unicodedata.category(character) in NO_TEXT for character in name)
        and not URL.match(name)
    )


def readings(reference: str) -> tuple[str, ...]:
    """The file names that a reference may mean, the likeliest first.

    Tools write a name with a blank both as it is and percent-encoded, and some write `./` before it. What was decoded
    once is not decoded again.
    """
    plain = reference[2:] if reference.startswith("./") else reference
    decoded = [unquote(text, errors="surrogateescape") for text in (reference, plain)]
    return tuple(name for name in dict.fromkeys((reference, decoded[0], plain, decoded[1])) if is_file_name(name))


def other_form(name: str, there: Iterable[str]) -> str | None:
    """A name that looks the same and is another one: macOS and Windows write accents with other characters."""
    composed = unicodedata.normalize("NFC", name)
    return next((other for other in there if other != name and unicodedata.normalize("NFC", other) == composed), None)


def explain_forms(name: str, other: str) -> str:
    """Why a name is not there, although a user sees it there."""
    return (
        f"{other!a} is there, which looks like {name!a} and is another name: one has its accents in the form "
        "NFC of Unicode, and the other in NFD, as macOS and some archivers write them"
    )
