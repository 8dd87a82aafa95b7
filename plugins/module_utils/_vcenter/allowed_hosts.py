# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a password or token of the environment may go: to the host that the environment names, and to allowed ones.

Whoever launches a job may name a host in a variable, while the secret belongs to somebody else. So the list comes from
the environment too, and no option of a task can change it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import InvalidArgument

HOST_VARIABLE = "VMWARE_HOST"
PORT_VARIABLE = "VMWARE_PORT"
ALLOWED_VARIABLE = "VMWARE_ALLOWED_HOSTS"
USUAL_PORT = 443
HIGHEST_PORT = 65535
ANY = "*"
HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
ENTRY = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^\[\]:]+))(?::(?P<port>\d{1,5}|\*))?")
# The last part takes no star, as 10.0.0.* would also match the name 10.0.0.example.
PATTERN = re.compile(r"([a-z0-9_*-]+\.)*[a-z0-9_-]+")


@dataclass(frozen=True)
class Place:
    """A host as `read_host` returns it, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def is_same(self, other: Place) -> bool:
        return (_folded(self.host), self.port) == (_folded(other.host), other.port)


def read_host(option: str, text: str) -> str:
    """A host name or address; an IPv6 address loses its brackets. Raises InvalidArgument."""
    name = text.strip()
    if HOST_NAME.fullmatch(name):
        return name
    try:
        return str(ipaddress.IPv6Address(re.sub(r"^\[(.*)\]$", r"\1", name)))
    except ValueError:
        raise InvalidArgument(
            f"{option}: {name!r} is not a host name",
            remedy="Give the name or address alone; the port has its own option.",
        ) from None


def is_bound(environment: Mapping[str, str]) -> bool:
    """Whether the environment binds its secrets to certain hosts."""
    return any(environment.get(name, "").strip() for name in (HOST_VARIABLE, ALLOWED_VARIABLE))


def is_allowed(place: Place, environment: Mapping[str, str]) -> bool:
    """Whether a bound secret of this environment may go to a place.

    Raises InvalidArgument if one of the variables is not valid, whatever the place.
    """
    own, usual_port = _own_place(environment), _own_port(environment)
    entries = re.findall(r"[^,\s]+", environment.get(ALLOWED_VARIABLE, ""))
    fits = [_fits(entry, place, usual_port) for entry in entries]
    if None in fits:
        # The entry may be a URL with a password in it, so the message has its number and not its text.
        raise InvalidArgument(
            f"entry {fits.index(None) + 1} of {ALLOWED_VARIABLE} is not a name, a pattern, an address or a network",
            remedy="Give names such as vcenter.example.com or vcenter-*.example.com, addresses, or networks such as "
            "10.0.0.0/24, each with its port if that is not the usual one (vcenter.example.com:8443), between commas.",
        )
    return any(fits) or (own is not None and place.is_same(own))


def bound_to(environment: Mapping[str, str]) -> str:
    """The hosts that a bound secret belongs to, for a message. Raises InvalidArgument as `is_allowed` does."""
    own, listed = _own_place(environment), environment.get(ALLOWED_VARIABLE, "").strip()
    return " and ".join([*([str(own)] if own else []), *([f"the hosts in {ALLOWED_VARIABLE}"] if listed else [])])


def _own_place(environment: Mapping[str, str]) -> Place | None:
    text = environment.get(HOST_VARIABLE, "").strip()
    if not text:
        return None
    try:
        host = read_host(HOST_VARIABLE, text)
    except InvalidArgument:
        # A value that is not a host name may have a password in it, so the message does not show it.
        raise InvalidArgument(
            f"{HOST_VARIABLE} holds no host name, so nobody can tell where the login of the environment belongs",
            remedy=f"Set {HOST_VARIABLE} to the name or address alone.",
        ) from None
    return Place(host, _own_port(environment))


def _own_port(environment: Mapping[str, str]) -> int:
    text = environment.get(PORT_VARIABLE, "").strip() or str(USUAL_PORT)
    if not re.fullmatch(r"\d{1,5}", text) or not 1 <= int(text) <= HIGHEST_PORT:
        raise InvalidArgument(
            f"{PORT_VARIABLE} is {text!r}, which is not a port", remedy=f"Set it to a number from 1 to {HIGHEST_PORT}."
        )
    return int(text)


def _fits(entry: str, place: Place, usual_port: int) -> bool | None:
    """Whether an entry of the list matches a place, None if the entry is not valid.

    An entry without a port means `usual_port`, the environment's.
    """
    found = ENTRY.fullmatch(entry)
    # An IPv6 address without brackets has no port.
    host, port = (found["address"] or found["name"], found["port"]) if found else (entry, None)
    meant = _is_meant(_folded(host), _folded(place.host))
    return meant and (port == ANY or place.port == int(port or usual_port))


def _is_meant(meant: str, host: str) -> bool | None:
    if meant == ANY:
        return True
    if "/" in meant or ":" in meant:
        return _is_in(meant, host)
    if not PATTERN.fullmatch(meant):
        return None
    return re.fullmatch("[^.:]*".join(map(re.escape, meant.split(ANY))), host) is not None


def _is_in(network: str, host: str) -> bool | None:
    try:
        addresses = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    try:
        return ipaddress.ip_address(host) in addresses
    except ValueError:
        return False


def _folded(host: str) -> str:
    return host.lower().removesuffix(".")
