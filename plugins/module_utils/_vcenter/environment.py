# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an option comes from a variable of the environment: which one, and what is wrong with its value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Callable

from ansible.module_utils.common.parameters import env_fallback
from ansible.module_utils.common.validation import check_type_bool, check_type_int
from ansible.module_utils.errors import AnsibleFallbackNotFound

from .allowed_hosts import HOST_VARIABLE, PORT_VARIABLE
from .errors import InvalidArgument

VALIDATE_VARIABLE = "VMWARE_VALIDATE_CERTS"
AUTHORITY_VARIABLE = "VMWARE_CA_PATH"
USER_VARIABLE = "VMWARE_USER"
PASSWORD_VARIABLE = "VMWARE_PASSWORD"  # noqa: S105 (the name of the variable)
TOKEN_VARIABLE = "VMWARE_SESSION_TOKEN"  # noqa: S105
PROXY_HOST_VARIABLE = "VMWARE_PROXY_HOST"
PROXY_PORT_VARIABLE = "VMWARE_PROXY_PORT"

VARIABLES: Mapping[str, str] = {
    "hostname": HOST_VARIABLE,
    "port": PORT_VARIABLE,
    "username": USER_VARIABLE,
    "password": PASSWORD_VARIABLE,
    "validate_certs": VALIDATE_VARIABLE,
    "ca_path": AUTHORITY_VARIABLE,
    "session_token": TOKEN_VARIABLE,
    "proxy_host": PROXY_HOST_VARIABLE,
    "proxy_port": PROXY_PORT_VARIABLE,
}
"""The variable that an option comes from if the task leaves it out."""

A_PORT = (check_type_int, "a number from 1 to 65535")
FORMS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    PORT_VARIABLE: A_PORT,
    PROXY_PORT_VARIABLE: A_PORT,
    VALIDATE_VARIABLE: (check_type_bool, "true or false"),
}
"""How the value of a variable that is not a text is read, and what it should be."""


class Environment:
    """An `env_fallback` that remembers which variables have set an option, and that an empty variable does not set.

    Ansible names the option when it cannot convert a value. So a variable with a wrong value sets nothing here, and
    `refusal` names the variable.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.refusal: InvalidArgument | None = None

    def __call__(self, name: str, **_options: Any) -> str:
        value: str = env_fallback(name)
        if not value.strip():
            raise AnsibleFallbackNotFound
        read, form = FORMS.get(name, (str, ""))
        try:
            read(value)
        except (TypeError, ValueError, ArithmeticError):
            self.refusal = InvalidArgument(
                f"the environment variable {name} is {value!r}", remedy=f"Set {name} to {form}, or remove it."
            )
            raise AnsibleFallbackNotFound from None
        self.used.add(name)
        return value


def named(option: str, from_environment: Collection[str]) -> str:
    """An option in a message, with the variable that it comes from."""
    variable = VARIABLES.get(option)
    return f"{option} (from the environment variable {variable})" if variable in from_environment else option
