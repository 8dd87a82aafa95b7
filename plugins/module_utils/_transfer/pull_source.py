# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a `url` of `files` is read: which file vCenter itself fetches, and how it recognises the server there."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .._vcenter.errors import InvalidArgument
from .local_file import identify

PULLED_SCHEMES = ("http", "https", "ds")


def credentials_in(options: Any) -> set[str]:
    """The secrets of the URLs in any options, valid or not, both as written and decoded."""
    if isinstance(options, Mapping):
        return {secret for value in options.values() for secret in credentials_in(value)}
    if isinstance(options, (list, tuple)):
        return {secret for value in options for secret in credentials_in(value)}
    secrets: set[str] = set()
    for url in _urls_in(options) if isinstance(options, str) else ():
        rest = url.partition("://")[2]
        netloc = re.split("[/?#]", rest, maxsplit=1)[0]
        # A password with a slash in it makes the URL invalid, but must not be shown either.
        broken = "@" not in netloc and re.search(r":.*\D", netloc)
        userinfo = (rest if broken else netloc).rpartition("@")[0]
        query, _hash, fragment = url.partition("?")[2].partition("#")
        for secret in (userinfo, userinfo.partition(":")[2], query, fragment):
            secrets |= {secret, unquote(secret)}
    return {secret for secret in secrets if secret}


def _urls_in(text: str) -> list[str]:
    """The whole text if it starts as a URL, as its password may hold any character, and all URLs within the text."""
    scheme = "[A-Za-z][A-Za-z0-9+.-]*://"
    return re.findall(f"^\\s*({scheme}.+)", text, re.DOTALL) + re.findall(rf"{scheme}[^\s\"'<>]+", text)


def read_thumbprint(text: str | None) -> str | None:
    """Upper-case pairs of hex digits with colons, as vCenter writes them."""
    if not text:
        return None
    digits = re.sub(r"[:\s]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", digits):
        raise InvalidArgument(
            f"files: ssl_thumbprint {text!r} is neither a SHA-256 nor a SHA-1 thumbprint",
            remedy="Give 64 or 40 hex digits, with or without colons.",
        )
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))


def read_certificate(text: str | None, option: str) -> str | None:
    """The certificate of an option as PEM text, given as text or as the path of a file. Raises InvalidArgument."""
    if not text:
        return None
    if os.path.isabs(text):
        identify(text, option)
        with open(text, encoding="ascii", errors="replace") as file:
            text = file.read()
    pem = text.strip() + "\n"
    try:
        # Anything beside the certificate, such as its key, would go to vCenter too.
        if len(re.findall("-----BEGIN ", pem)) != 1:
            raise ValueError
        ssl.PEM_cert_to_DER_cert(pem)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError):
        raise InvalidArgument(
            f"{option} is not one certificate in PEM form",
            remedy="Give the text from BEGIN CERTIFICATE to END CERTIFICATE, or the absolute path of a file with it.",
        ) from None
    return pem
