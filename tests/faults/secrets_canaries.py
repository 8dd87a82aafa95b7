# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that stand nowhere else, each form in which they might come to light, and where one looks for them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

# What a URL, JSON, base64 or Python would write otherwise than it is.
PASSWORD = "C4n@ry/7f+3k Q2\"ä%'\\x"
PROXY_PASSWORD = "Pr0xy-C4n@ry/+ 9:ö'"
URL_PASSWORD = "Url-C4n4ry-4d~!$'(8"
SIGNATURE = "S1gn4ture-C4n4ry-77c0"
SESSION_TOKEN = "T0ken-C4n4ry-e81b"
PROXY_USER, URL_USER = "svc-proxy", "svc-mirror"


def forms_of(secret: str, *users: str) -> set[str]:
    """The text as it is, quoted for a URL, escaped in JSON and in Python, and in base64 with and without a user."""
    coded = {base64.b64encode(f"{user}{secret}".encode()).decode() for user in ("", *(f"{user}:" for user in users))}
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        *coded,
        *(text.rstrip("=") for text in coded),
        *(quote(text, safe="") for text in coded),
    }


@dataclass
class Canaries:
    """All that must be seen nowhere, by name; tokens are added as the server gives them out."""

    forms: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, secret: str, *users: str) -> None:
        self.forms.setdefault(name, set()).update(forms_of(secret, *users))

    def add_tokens_of(self, logins: Any) -> None:
        """Take each token that a simulator's logins give out from now on for a secret."""
        login = logins.login

        def spied(name: str, password: str) -> str:
            token: str = login(name, password)
            self.add("token", token)
            return token

        logins.login = spied

    def found_in(self, content: str | bytes) -> list[str]:
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        return sorted(name for name, forms in self.forms.items() if any(form.encode() in data for form in forms))

    def files_in(self, *folders: Path, within: int = 8 << 20) -> dict[str, list[str]]:
        """The files that hold a secret, with the names of the secrets."""
        found = {}
        for folder in folders:
            for path in _files(folder):
                names = self.found_in(path.read_bytes()[:within])
                if names:
                    found[str(path.relative_to(folder))] = names
        return found


def all_canaries(user: str) -> Canaries:
    canaries = Canaries()
    canaries.add("password", PASSWORD, user)
    canaries.add("proxy password", PROXY_PASSWORD, PROXY_USER)
    canaries.add("URL password", URL_PASSWORD, URL_USER)
    canaries.add("URL signature", SIGNATURE)
    canaries.add("session token", SESSION_TOKEN)
    return canaries


def source_url(host: str) -> str:
    """A URL with a password in it and a query that lets anybody in."""
    return f"http://{URL_USER}:{quote(URL_PASSWORD, safe='')}@{host}/tools.iso?X-Signature={SIGNATURE}"


def _files(folder: Path) -> Iterator[Path]:
    for place, _folders, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def processes_below(root: int) -> Mapping[int, tuple[bytes, bytes]]:
    """Command line and environment of a process's descendants, by their identifiers."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                parent = int(Path(entry.path, "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    waiting, below = [root], {}
    while waiting:
        for child in children.get(waiting.pop(), ()):
            waiting.append(child)
            below[child] = _shown_of(child)
    return below


def _shown_of(process: int) -> tuple[bytes, bytes]:
    try:
        folder = Path("/proc", str(process))
        return (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
    except OSError:
        return b"", b""


def texts(*values: Any) -> str:
    """What several values show, as text and as JSON."""
    return "\n".join(part for value in values for part in _texts(value))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    return [json.dumps(value), json.dumps(value, ensure_ascii=False), str(value)]
