# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module whose output holds no secrets, no credentials of URLs, and no characters that control a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Callable, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from .._vcenter.connection_options import secrets_in_options
from .._vcenter.errors import InvalidArgument, failure, printable
from .written_options import require_texts

Secrets = Callable[[Mapping[str, Any]], "set[str]"]
"""Finds the secrets in the options, which need not be valid."""

WrittenCheck = Callable[[Mapping[str, Any]], None]
"""Raises InvalidArgument for options as the task wrote them, for which Ansible's own message says too little."""


def accept_all(_params: Mapping[str, Any]) -> None:
    """The WrittenCheck of a module for which Ansible's own messages do."""


USER_OF_URL = re.compile(r"(?<=://)[^/?#\s@\"'<>]*(?=@)")
QUERY_OF_URL = re.compile(r"(://[^?\s\"'<>]*\?)[^\s\"'<>]+")
# The keys of a result that quote a server. Elsewhere a URL is a user's text, or an endpoint that needs its query.
SAID_BY_SERVER = ("data", "error_message", "error_messages", "message", "messages")
# JSON does not escape these, and Ansible shows them as they are.
STEERING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FIELD_NAME = re.compile(r"[a-z_]+")
MASK = "********"


def _shown_text(text: str) -> str:
    return STEERING.sub(lambda found: printable(found.group()), USER_OF_URL.sub(MASK, text))


def _said_text(text: str) -> str:
    return _shown_text(QUERY_OF_URL.sub(r"\1...", text))


class MaskingModule(AnsibleModule):
    """An AnsibleModule that learns the secrets in options before its constructor logs or refuses the options.

    Its results hold no credentials of URLs, no characters that control a terminal, and no secret as a key. Ansible
    itself masks only values.
    """

    ansible_version: str

    def __init__(self, secrets: Secrets, *, check_written: WrittenCheck = accept_all, **options: Any) -> None:
        self._secrets = secrets
        self._check_written = check_written
        self._refusal: InvalidArgument | None = None
        self._misread: InvalidArgument | None = None
        super().__init__(**options)  # type: ignore[no-untyped-call]
        # Ansible has accepted the options, whatever form they have.
        self._refusal = None
        self._learn_secrets()

    def _load_params(self) -> None:
        super()._load_params()  # type: ignore[no-untyped-call]
        try:
            require_texts(self.params, self.argument_spec)
        except InvalidArgument as refusal:
            self._misread = refusal
        try:
            self._check_written(self.params)
        except InvalidArgument as refusal:
            self._refusal = refusal

    def require_as_written(self) -> None:
        """Raises InvalidArgument for an option that Ansible accepted by making something else of it."""
        if self._misread:
            raise self._misread

    def log(self, msg: Any, log_args: Any = None) -> None:
        self._learn_secrets()
        super().log(self.without_secrets(msg), self.without_secrets(log_args))  # type: ignore[no-untyped-call]

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._shown(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        self._learn_secrets()
        # Without an error this is Ansible's own complaint about the options.
        msg = self._refusal.explain() if self._refusal else msg
        kwargs.setdefault("error", failure(InvalidArgument(msg))["error"])
        super().fail_json(self.as_said(msg), **self._shown(kwargs))

    def _log_invocation(self) -> None:
        # Ansible raises a UnicodeError for an option that is not UTF-8, such as a file name in another encoding.
        with suppress(UnicodeError):
            super()._log_invocation()  # type: ignore[no-untyped-call]

    def learn_secret(self, secret: str) -> None:
        """Mask a text in every output, also in the form of its `repr`, as Ansible logs options in that form."""
        self.no_log_values |= {secret, repr(secret)[1:-1], repr(f"{secret}'\"")[1:-4]}

    def as_said(self, text: str) -> str:
        """A sentence without secrets: Ansible removes secrets from results, but not from warnings."""
        return printable(_said_text(str(self.without_secrets(text))))

    def without_secrets(self, value: Any) -> Any:
        # A copy, as a thread that logs in again adds a secret.
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
        # A password may be a word that is also the name of a field; field names stay.
        return key if FIELD_NAME.fullmatch(key) else show(str(self.without_secrets(key)))
