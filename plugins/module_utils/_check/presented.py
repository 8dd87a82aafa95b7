# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has signed the certificate that a server shows, although nobody trusts it.

Only a handshake is made, and nothing is sent. What is read of the certificate is for a message, and decides nothing.
Source: ITU-T X.690 (DER); RFC 5280, section 4.1.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

CONTEXT_0, OBJECT_ID = 0xA0, 0x06
COMMON_NAME, ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"


def presented_issuer(host: str, port: int, seconds: float) -> str | None:
    """The name of the authority in the certificate that a server shows; None if it cannot be told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection((host, port), timeout=seconds)
        with plain, context.wrap_socket(plain, server_hostname=host) as secure:
            return issuer_of(secure.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return None


def issuer_of(certificate: bytes) -> str | None:
    """The common name, or else the organization, of who has issued a certificate in DER form. Raises ValueError."""
    outer = next(_elements(certificate), (0, b""))[1]
    signed = next(_elements(outer), (0, b""))[1]
    fields = [content for tag, content in _elements(signed) if tag != CONTEXT_0]
    if len(fields) < 3:
        raise ValueError("no certificate")
    # The serial number and the algorithm come before it.
    named = dict(_names_in(fields[2]))
    found = named.get(COMMON_NAME) or named.get(ORGANIZATION)
    return found.decode("utf-8", "replace") if found else None


def _names_in(name: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a name: each the identifier of its kind, and its text."""
    for _tag, group in _elements(name):
        for _tag, pair in _elements(group):
            parts = list(_elements(pair))
            if len(parts) == 2 and parts[0][0] == OBJECT_ID:
                yield parts[0][1], parts[1][1]


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a sequence: the tag of each, and its content. Raises ValueError for what is cut off."""
    place = 0
    while place < len(content):
        if place + 2 > len(content):
            raise ValueError("cut off")
        tag, length = content[place], content[place + 1]
        place += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(content[place : place + count], "big")
            place += count
        if place + length > len(content):
            raise ValueError("cut off")
        yield tag, content[place : place + length]
        place += length
