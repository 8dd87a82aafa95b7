# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of a task: where they come from, and how they are checked."""

from __future__ import annotations

import base64
import os
import re
import ssl
import stat
import urllib.parse
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ansible.module_utils.common.parameters import env_fallback

from .allowed_hosts import ALLOWED_VARIABLE, USUAL_PORT, Place, bound_to, is_allowed, is_bound, read_host
from .environment import (
    AUTHORITY_VARIABLE,
    PASSWORD_VARIABLE,
    PROXY_HOST_VARIABLE,
    PROXY_PORT_VARIABLE,
    TOKEN_VARIABLE,
    VALIDATE_VARIABLE,
    VARIABLES,
    named,
)
from .errors import InvalidArgument

TOKEN = re.compile(r"[\x21-\x7e]+")
# The names of certificates by which OpenSSL finds them in a directory.
HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
# No server accepts a longer line in the head of a request.
LONGEST_TOKEN = 8190


def connection_spec(fallback: Callable[..., str] = env_fallback) -> dict[str, Any]:
    """The argument spec of the documentation fragment `vsphere.content.connection`."""
    spec: dict[str, dict[str, Any]] = {
        "hostname": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "port": {"type": "int", "default": USUAL_PORT},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "session_token": {"type": "str", "no_log": True},
        "proxy_host": {"type": "str"},
        "proxy_port": {"type": "int"},
        "proxy_protocol": {"type": "str", "default": "https", "choices": ["http", "https"]},
        "proxy_username": {"type": "str"},
        "proxy_password": {"type": "str", "no_log": True},
        "request_timeout": {"type": "int", "default": 60},
        "api_dialect": {"type": "str", "default": "auto", "choices": ["auto", "api", "rest"]},
    }
    for option, variable in VARIABLES.items():
        spec[option]["fallback"] = (fallback, [variable])
    return spec


def is_verified(params: Mapping[str, Any], from_environment: Collection[str]) -> bool:
    """Whether the task verifies the vCenter's certificate; `from_environment` are the variables that set an option.

    `ca_path` outranks a `validate_certs: false` that comes from the environment. AWX's own credential always sets that,
    and the order of two credentials must not decide.
    """
    return bool(params["validate_certs"] or (params["ca_path"] and VALIDATE_VARIABLE in from_environment))


def read_options(params: Mapping[str, Any], from_environment: Collection[str] = ()) -> ConnectionOptions:
    """The connection options of a task, checked; `from_environment` are the variables that set one of them.

    Raises InvalidArgument, also if a password or token of the environment would go to a host that the environment does
    not allow.
    """
    if not params["hostname"]:
        raise InvalidArgument(
            "the option hostname is missing",
            remedy="Set hostname (or the environment variable VMWARE_HOST) to the name or address of the vCenter.",
        )
    token = _read_token(params, from_environment)
    if not token:
        for name in ("username", "password"):
            if not params[name]:
                raise InvalidArgument(
                    f"the option {name} is missing",
                    remedy=f"Set {name} (or the environment variable {VARIABLES[name]}), or use session_token.",
                )
    elif not TOKEN.fullmatch(token):
        raise InvalidArgument(
            f"{named('session_token', from_environment)} holds a character that no token has, such as a space or a "
            "line break",
            remedy="Give the token alone; the trim filter takes a line break off its end.",
        )
    for name in ("username", "password", "proxy_username", "proxy_password"):
        _require_text(name, params[name])
    require_range(named("port", from_environment), params["port"], 1, 65535)
    require_range("request_timeout", params["request_timeout"], 1, 86400)
    verify = _read_trust(params, from_environment)
    if params["proxy_host"]:
        if not params["proxy_port"]:
            raise InvalidArgument(
                f"{named('proxy_host', from_environment)} is given without proxy_port",
                remedy=f"Set proxy_port (or the environment variable {PROXY_PORT_VARIABLE}).",
            )
        require_range(named("proxy_port", from_environment), params["proxy_port"], 1, 65535)
    options = ConnectionOptions(
        hostname=read_host(named("hostname", from_environment), params["hostname"]),
        port=params["port"],
        username=params["username"],
        password=params["password"],
        session_token=token,
        token_variable=TOKEN_VARIABLE if token and TOKEN_VARIABLE in from_environment else None,
        verify=verify,
        proxy=_proxy_url(params, from_environment),
        request_timeout=params["request_timeout"],
        dialect=None if params["api_dialect"] == "auto" else params["api_dialect"],
    )
    if is_bound(os.environ):
        _require_allowed(options, params, from_environment, os.environ)
    return options


def _read_token(params: Mapping[str, Any], from_environment: Collection[str]) -> str | None:
    """The token to use. A login of the task itself comes before a token of the environment."""
    own_login = any(params[name] and VARIABLES[name] not in from_environment for name in ("username", "password"))
    if TOKEN_VARIABLE in from_environment and own_login and params["username"] and params["password"]:
        return None
    return params["session_token"] or None


def _require_allowed(
    options: ConnectionOptions,
    params: Mapping[str, Any],
    from_environment: Collection[str],
    environment: Mapping[str, str],
) -> None:
    """Require that a secret of the environment goes only where that environment allows it. Raises InvalidArgument.

    A proxy of the task must be allowed too if it could read the secret: if the task does not verify the vCenter, or
    verifies it against an authority of its own choice.
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
    own_proxy = options.proxy and not {PROXY_HOST_VARIABLE, PROXY_PORT_VARIABLE} <= set(from_environment)
    if not own_proxy or (options.verify and not own_authority):
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
            f"{name} holds half of a surrogate pair", remedy=f"Give {name} in UTF-8, without an escape such as \\ud800."
        ) from None


def as_sent(text: str) -> bytes:
    """The bytes to send; text of the environment in another encoding keeps its bytes."""
    return text.encode("utf-8", "surrogateescape")


def require_range(name: str, value: int | None, lowest: int, highest: int) -> None:
    """Raises InvalidArgument for a number outside the range; None is fine."""
    if value is not None and not lowest <= value <= highest:
        raise InvalidArgument(f"{name} is {value}", remedy=f"Set {name} to a number from {lowest} to {highest}.")


def secrets_in_options(params: Mapping[str, Any]) -> set[str]:
    """The secrets in the options, which need not be valid: passwords, and credentials in a URL that a user gave as a
    host or a path. Ansible itself would show passwords in errors that it finds before it looks for secrets.
    """
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
    """The path of the authority to verify the certificate against, True for those of requests, False for none."""
    verified, path = is_verified(params, from_environment), params["ca_path"]
    # The task may switch the check off, and with it an authority of the environment.
    if path and (verified or AUTHORITY_VARIABLE not in from_environment):
        _require_certificates(named("ca_path", from_environment), path)
    return (path or True) if verified else False


def _require_certificates(name: str, path: str) -> None:
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)
        hashed = not is_directory or any(HASHED.fullmatch(file) for file in os.listdir(path))
        if not is_directory and os.path.isfile(path):
            with open(path, "rb"):
                pass
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidArgument(
            f"{name}: {path} does not exist on the host that runs this task",
            remedy="Give the path of a PEM file, or of a directory that openssl rehash prepared, on that host.",
        ) from None
    except OSError as error:
        raise InvalidArgument(
            f"{name}: {path} cannot be read: {error.strerror}",
            remedy="Give the user that runs this task the right to read it.",
        ) from None
    if not hashed:
        raise InvalidArgument(
            f"{name}: the directory {path} holds no certificate that openssl rehash has prepared",
            remedy=f"Run openssl rehash {path}, or give the path of a PEM file.",
        )
    place = "capath" if is_directory else "cafile"
    try:
        if place == "cafile" and not os.path.isfile(path):
            raise OSError("it is no file")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**{place: path})
    except OSError as error:
        raise InvalidArgument(
            f"{name}: {path} holds no certificate that can be read: {error.strerror or error}",
            remedy="Give a file of PEM certificates (BEGIN CERTIFICATE), or a directory that openssl rehash prepared.",
        ) from None


def _proxy_url(params: Mapping[str, Any], from_environment: Collection[str]) -> str | None:
    if not params["proxy_host"]:
        return None
    user, password = (
        urllib.parse.quote(as_sent(params[name] or ""), safe="") for name in ("proxy_username", "proxy_password")
    )
    credentials = f"{user}:{password}@" if user else ""
    host = in_url(read_host(named("proxy_host", from_environment), params["proxy_host"]))
    return f"{params['proxy_protocol']}://{credentials}{host}:{params['proxy_port']}"


def in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True)
class ConnectionOptions:
    """Where vCenter is and how to log in; `dialect` is api, rest, or None to find out.

    `token_variable` is the variable of the environment that `session_token` comes from.
    """

    hostname: str
    port: int
    username: str | None
    password: str | None
    session_token: str | None
    verify: bool | str
    proxy: str | None
    request_timeout: int
    dialect: str | None
    token_variable: str | None = None

    @property
    def login_remedy(self) -> str | None:
        """What helps when vCenter takes this login for none; None for a user name and a password."""
        if not self.session_token:
            return None
        if self.token_variable:
            return (
                f"The session_token of the environment has ended or belongs to another vCenter: put a new one into "
                f"{self.token_variable}, or remove that variable to log in with username and password."
            )
        return "Get a new session_token, or leave it out to log in with username and password."

    @property
    def vcenter(self) -> str:
        """What messages call the vCenter."""
        return self.hostname if self.port == USUAL_PORT else f"{in_url(self.hostname)}:{self.port}"

    @property
    def origin(self) -> str:
        return f"https://{in_url(self.hostname)}:{self.port}"

    @property
    def coded_credentials(self) -> set[str]:
        """Passwords as they are encoded in requests: some servers and proxies quote a request in an error."""
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
