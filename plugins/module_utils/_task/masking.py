# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module whose output holds no secret, no user of a URL, and nothing that steers a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Callable, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from .._vcenter.connection_options import secrets_in_options
from .._vcenter.errors import InvalidArgument, failure, printable

Secrets = Callable[[Mapping[str, Any]], "set[str]"]
"""Finds the secrets in the options, which need not be valid."""

USER_OF_URL = re.compile(r"(?<=://)[^/?#\s@\"'<>]*(?=@)")
QUERY_OF_URL = re.compile(r"(://[^?\s\"'<>]*\?)[^\s\"'<>]+")
# Where a result repeats what a server says; elsewhere a URL is somebody's text, or an endpoint that is no good without
# its query.
SAID_BY_SERVER = ("data", "error_message", "error_messages", "message", "messages")
# JSON writes out none of these, and Ansible shows them as they are.
STEERING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FIELD_NAME = re.compile(r"[a-z_]+")
MASK = "********"


def _shown_text(text: str) -> str:
    return STEERING.sub(lambda found: printable(found.group()), USER_OF_URL.sub(MASK, text))


def _said_text(text: str) -> str:
    return _shown_text(QUERY_OF_URL.sub(r"\1...", text))


class MaskingModule(AnsibleModule):
    """Knows the secrets within options before Ansible logs the options, or refuses them, while it is being built.

    What it returns holds no user information of any URL, nothing that steers a terminal, and no secret as a key, of
    which Ansible takes no notice.
    """

    ansible_version: str

    def __init__(self, secrets: Secrets, **options: Any) -> None:
        self._secrets = secrets
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._learn_secrets()

    def log(self, msg: Any, log_args: Any = None) -> None:
        self._learn_secrets()
        super().log(self.without_secrets(msg), self.without_secrets(log_args))  # type: ignore[no-untyped-call]

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._shown(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        self._learn_secrets()
        # What has no error yet are Ansible's own words about the options.
        kwargs.setdefault("error", failure(InvalidArgument(msg))["error"])
        super().fail_json(self.as_said(msg), **self._shown(kwargs))

    def _log_invocation(self) -> None:
        # Ansible ends in a traceback over an option that is no text, such as the name of a file in another encoding.
        with suppress(UnicodeError):
            super()._log_invocation()  # type: ignore[no-untyped-call]

    def learn_secret(self, secret: str) -> None:
        """Keep a text out of every output, also as Python writes it: that is how options are logged."""
        self.no_log_values |= {secret, repr(secret)[1:-1], repr(f"{secret}'\"")[1:-4]}

    def as_said(self, text: str) -> str:
        """A sentence for people, as it may be shown: Ansible removes secrets from results, but not from warnings."""
        return printable(_said_text(str(self.without_secrets(text))))

    def without_secrets(self, value: Any) -> Any:
        # A thread that logs in again adds to them.
        return remove_values(value, self.no_log_values.copy())

    def _learn_secrets(self) -> None:
        for secret in self._secrets(self.params) | secrets_in_options(self.params):
            self.learn_secret(secret)

    def _shown(self, value: Any, show: Callable[[str], str] = _shown_text) -> Any:
        if isinstance(value, Mapping):
            return {
                self._shown_key(key, show): self._shown(entry, _said_text if key in SAID_BY_SERVER else show)
                for key, entry in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._shown(entry, show) for entry in value]
        return show(value) if isinstance(value, str) else value

    def _shown_key(self, key: str, show: Callable[[str], str]) -> str:
        # The names of fields are words, which somebody's password may be as well.
        return key if FIELD_NAME.fullmatch(key) else show(str(self.without_secrets(key)))
