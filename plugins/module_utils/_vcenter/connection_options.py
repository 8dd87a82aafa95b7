# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says of its connection: the options, where they come from, and what they must be."""

from __future__ import annotations

import base64
import os
import re
import ssl
import urllib.parse
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ansible.module_utils.common.parameters import env_fallback

from .allowed_hosts import (
    ALLOWED_VARIABLE,
    HOST_VARIABLE,
    PORT_VARIABLE,
    USUAL_PORT,
    Place,
    bound_to,
    is_allowed,
    is_bound,
    read_host,
)
from .errors import InvalidArgument

TOKEN = re.compile(r"[\x21-\x7e]+")
# No server takes a longer line in the head of a request.
LONGEST_TOKEN = 8190
VALIDATE_VARIABLE = "VMWARE_VALIDATE_CERTS"
AUTHORITY_VARIABLE = "VMWARE_CA_PATH"
PASSWORD_VARIABLE = "VMWARE_PASSWORD"  # noqa: S105 (the name of the variable)
TOKEN_VARIABLE = "VMWARE_SESSION_TOKEN"  # noqa: S105


class Environment:
    """An C(env_fallback) that remembers which variables have set an option."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, name: str, **_options: Any) -> str:
        value: str = env_fallback(name)
        self.used.add(name)
        return value


def connection_spec(fallback: Callable[..., str] = env_fallback) -> dict[str, Any]:
    """The argument spec of the documentation fragment C(vsphere.content.connection)."""
    return {
        "hostname": {"type": "str", "fallback": (fallback, [HOST_VARIABLE])},
        "username": {"type": "str", "fallback": (fallback, ["VMWARE_USER"])},
        "password": {"type": "str", "no_log": True, "fallback": (fallback, [PASSWORD_VARIABLE])},
        "port": {"type": "int", "default": USUAL_PORT, "fallback": (fallback, [PORT_VARIABLE])},
        "validate_certs": {"type": "bool", "default": True, "fallback": (fallback, [VALIDATE_VARIABLE])},
        "ca_path": {"type": "path", "fallback": (fallback, [AUTHORITY_VARIABLE])},
        "session_token": {"type": "str", "no_log": True, "fallback": (fallback, [TOKEN_VARIABLE])},
        "proxy_host": {"type": "str"},
        "proxy_port": {"type": "int"},
        "proxy_protocol": {"type": "str", "default": "https", "choices": ["http", "https"]},
        "proxy_username": {"type": "str"},
        "proxy_password": {"type": "str", "no_log": True},
        "request_timeout": {"type": "int", "default": 60},
        "api_dialect": {"type": "str", "default": "auto", "choices": ["auto", "api", "rest"]},
    }


def is_verified(params: Mapping[str, Any], from_environment: Collection[str]) -> bool:
    """Whether the certificate of the vCenter is verified; C(from_environment) are the variables that set an option.

    An authority to verify it against outranks a false that only the environment says: AWX's own credential always says
    so, and which of two credentials comes first must not decide.
    """
    return bool(params["validate_certs"] or (params["ca_path"] and VALIDATE_VARIABLE in from_environment))


def read_options(params: Mapping[str, Any], from_environment: Collection[str] = ()) -> ConnectionOptions:
    """The connection options of a task, checked; C(from_environment) are the variables that set one of them.

    Raises InvalidArgument, also where a password or token of the environment would go to another host than that allows.
    """
    if not params["hostname"]:
        raise InvalidArgument(
            "the option hostname is missing",
            remedy="Set hostname (or the environment variable VMWARE_HOST) to the name or address of the vCenter.",
        )
    token = params["session_token"] or None
    if not token:
        for name, variable in (("username", "VMWARE_USER"), ("password", PASSWORD_VARIABLE)):
            if not params[name]:
                raise InvalidArgument(
                    f"the option {name} is missing",
                    remedy=f"Set {name} (or the environment variable {variable}), or use session_token.",
                )
    elif not TOKEN.fullmatch(token):
        raise InvalidArgument(
            "session_token holds a character that no token has, such as a space or a line break",
            remedy="Give the token alone; the trim filter takes a line break off its end.",
        )
    for name in ("username", "password", "proxy_username", "proxy_password"):
        _require_text(name, params[name])
    require_range("port", params["port"], 1, 65535)
    require_range("request_timeout", params["request_timeout"], 1, 86400)
    verify = _read_trust(params, from_environment)
    if params["proxy_host"]:
        if not params["proxy_port"]:
            raise InvalidArgument("proxy_host is given without proxy_port", remedy="Set proxy_port.")
        require_range("proxy_port", params["proxy_port"], 1, 65535)
    options = ConnectionOptions(
        hostname=read_host("hostname", params["hostname"]),
        port=params["port"],
        username=params["username"],
        password=params["password"],
        session_token=token,
        verify=verify,
        proxy=_proxy_url(params),
        request_timeout=params["request_timeout"],
        dialect=None if params["api_dialect"] == "auto" else params["api_dialect"],
    )
    if is_bound(os.environ):
        _require_allowed(options, params, from_environment, os.environ)
    return options


def _require_allowed(
    options: ConnectionOptions,
    params: Mapping[str, Any],
    from_environment: Collection[str],
    environment: Mapping[str, str],
) -> None:
    """Require that a secret of the environment goes only where that environment allows it. Raises InvalidArgument.

    A proxy gets it as well where the vCenter is not verified, or verified against an authority of the task's choice.
    """
    option, variable = ("session_token", TOKEN_VARIABLE) if options.session_token else ("password", PASSWORD_VARIABLE)
    if variable not in from_environment:
        return
    place, secret = Place(options.hostname, options.port), f"the {option} of the environment ({variable})"
    if not is_allowed(place, environment):
        raise InvalidArgument(
            f"the task names {place}, and {secret} belongs to {bound_to(environment)}",
            remedy=f"Nothing was sent. Give the task a {option} of its own, or have whoever runs the job allow the "
            f"host in {ALLOWED_VARIABLE}.",
        )
    own_authority = bool(params["ca_path"]) and AUTHORITY_VARIABLE not in from_environment
    if not options.proxy or (options.verify and not own_authority):
        return
    proxy = Place(read_host("proxy_host", params["proxy_host"]), params["proxy_port"])
    if not is_allowed(proxy, environment):
        trust = "trusts an authority of its own choice" if options.verify else "verifies no certificate"
        raise InvalidArgument(
            f"the task names the proxy {proxy} and {trust}, so the proxy could read {secret}, which belongs to "
            f"{bound_to(environment)}",
            remedy=f"Nothing was sent. Have {AUTHORITY_VARIABLE} name the vCenter's authority instead of ca_path, and "
            f"leave out validate_certs; or have whoever runs the job allow the proxy in {ALLOWED_VARIABLE}.",
        )


def _require_text(name: str, text: str | None) -> None:
    try:
        as_sent(text or "")
    except UnicodeError:
        raise InvalidArgument(
            f"{name} holds half a character", remedy=f"Give {name} in UTF-8, without an escape such as \\ud800."
        ) from None


def as_sent(text: str) -> bytes:
    """As it is sent: what came in another encoding from the environment goes out as it came."""
    return text.encode("utf-8", "surrogateescape")


def require_range(name: str, value: int | None, lowest: int, highest: int) -> None:
    """Raises InvalidArgument for a number outside; an option that is not given fits."""
    if value is not None and not lowest <= value <= highest:
        raise InvalidArgument(f"{name} is {value}", remedy=f"Set {name} to a number from {lowest} to {highest}.")


def secrets_in_options(params: Mapping[str, Any]) -> set[str]:
    """What must not be shown of the options, which need not be valid: passwords, and credentials that stand in a URL in
    the place of a host or a path. Ansible shows passwords where it finds an error before it has looked for them."""
    secrets = {str(params.get(name) or "") for name in ("password", "session_token", "proxy_password")}
    for option in ("hostname", "proxy_host", "ca_path", "dest"):
        text = str(params.get(option) or "")
        _scheme, separator, rest = text.partition("://")
        if not separator and option not in ("hostname", "proxy_host"):
            continue
        userinfo = (rest if separator else text).rpartition("@")[0]
        for secret in (userinfo, userinfo.partition(":")[2]):
            secrets |= {secret, urllib.parse.unquote(secret)}
    return secrets - {""}


def _read_trust(params: Mapping[str, Any], from_environment: Collection[str]) -> bool | str:
    """The authority to verify the certificate against, True for those that requests knows, False for none."""
    verified, path = is_verified(params, from_environment), params["ca_path"]
    if path and AUTHORITY_VARIABLE not in from_environment:
        _require_certificates("ca_path", path)
    elif path and verified:
        _require_certificates(f"ca_path (from the environment variable {AUTHORITY_VARIABLE})", path)
    return (path or True) if verified else False


def _require_certificates(name: str, path: str) -> None:
    if not os.path.exists(path):
        raise InvalidArgument(
            f"{name}: {path} does not exist on the host that runs this task",
            remedy="Give the path of a PEM file, or of a directory that openssl rehash prepared, on that host.",
        )
    place = "capath" if os.path.isdir(path) else "cafile"
    try:
        if place == "cafile" and not os.path.isfile(path):
            raise OSError("it is no file")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**{place: path})
    except OSError as error:
        raise InvalidArgument(
            f"{name}: {path} holds no certificate that can be read: {error.strerror or error}",
            remedy="Give a file of PEM certificates (BEGIN CERTIFICATE), or a directory that openssl rehash prepared.",
        ) from None


def _proxy_url(params: Mapping[str, Any]) -> str | None:
    if not params["proxy_host"]:
        return None
    user, password = (
        urllib.parse.quote(as_sent(params[name] or ""), safe="") for name in ("proxy_username", "proxy_password")
    )
    credentials = f"{user}:{password}@" if user else ""
    host = in_url(read_host("proxy_host", params["proxy_host"]))
    return f"{params['proxy_protocol']}://{credentials}{host}:{params['proxy_port']}"


def in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True)
class ConnectionOptions:
    """Where vCenter is and how to get in; C(dialect) is api, rest, or None to find out."""

    hostname: str
    port: int
    username: str | None
    password: str | None
    session_token: str | None
    verify: bool | str
    proxy: str | None
    request_timeout: int
    dialect: str | None

    @property
    def origin(self) -> str:
        return f"https://{in_url(self.hostname)}:{self.port}"

    @property
    def coded_credentials(self) -> set[str]:
        """How passwords stand in what is sent: some servers and proxies show in an error what they were sent."""
        sent = {basic_credentials(self.username or "", self.password or "")} if self.password else set()
        if self.proxy:
            parts = urllib.parse.urlsplit(self.proxy)
            if parts.username:
                user, password = parts.username, parts.password or ""
                sent |= {basic_credentials(unquoted(user), unquoted(password)), password}
        return sent - {""}


def unquoted(text: str) -> str:
    return urllib.parse.unquote(text, errors="surrogateescape")


def basic_credentials(user: str, password: str) -> str:
    return base64.b64encode(as_sent(f"{user}:{password}")).decode()
