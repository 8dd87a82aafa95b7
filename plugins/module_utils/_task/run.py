# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows AnsibleModule: build, connect, converge, clean up, log out, then exit or fail.

Every module converges the same way: read what is there, plan (pure), stop there in check mode, else apply and read
again.
"""

from __future__ import annotations

import platform
import re
import sys
import urllib.parse
import warnings
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Callable, NoReturn, Protocol, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from .._vcenter.connection import (
    HAS_REQUESTS,
    OLDEST_LIBRARIES,
    REQUESTS_IMPORT_ERROR,
    Connection,
    Exchange,
    outdated_libraries,
)
from .._vcenter.connection_options import (
    VALIDATE_VARIABLE,
    ConnectionOptions,
    Environment,
    connection_spec,
    is_verified,
    read_options,
    secrets_in_options,
)
from .._vcenter.errors import REMEDIES, ContentError, InvalidArgument, TimedOut, defect, failure, printable
from .progress import Progress, open_progress
from .signals import Interrupted, Signals

StateT = TypeVar("StateT")
PlanT = TypeVar("PlanT")
DeclaredT = TypeVar("DeclaredT")

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
TRACE_VERBOSITY = 3
# Whatever of its time a task that has to end has used up before.
LOGOUT_SECONDS = 1.0

AWX_CERTIFICATES = (
    "The certificate of the vCenter is not verified, as the environment says VMWARE_VALIDATE_CERTS=false. That is the "
    "default of AWX's VMware vCenter credential. Have ca_path, or the environment variable VMWARE_CA_PATH, name the "
    "authority that signed the certificate. If that is a public one, validate_certs: true on the task is enough (in "
    "the roles: in vcenter_connection)."
)

OLDEST_CORE = (2, 15)
UNKNOWN_CORE = (0, 0)


class Overtaken(Exception):
    """Somebody else has changed meanwhile what was read, which is to be read again.

    C(error) is for a second time, unless the task is C(patient) with others then.
    """

    def __init__(self, error: ContentError, *, patient: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.patient = patient


class Resource(Protocol[StateT, PlanT]):
    """What a module that declares something brings along; StateT and PlanT are frozen dataclasses."""

    def read(self) -> StateT:
        """What is there."""

    def plan(self, before: StateT) -> PlanT:
        """What has to be done; without asking the server."""

    def project(self, state: StateT) -> Mapping[str, Any]:
        """The part of a state that counts as a difference."""

    def expect(self, plan: PlanT) -> Mapping[str, Any]:
        """That part as the plan will leave it."""

    def apply(self, plan: PlanT) -> StateT:
        """Do it; returns what is there then."""

    def result(self, state: StateT) -> dict[str, Any]:
        """What the task returns."""


@dataclass
class Task:
    """What the work of a module may use: the connection, what to undo on failure, words for the result, and an account
    of what moves.

    Within C(shield()) a signal waits: what is made there and noted for what C(on_failure) undoes cannot be lost in
    between. C(so_far) is what a task that fails, or is ended, can return all the same; it is asked for when all is
    undone. C(take_step) takes a step of that, again if a second signal has cut it, as then it says what is left.
    """

    connection: Connection
    warn: Callable[[str], None]
    shield: Callable[[], AbstractContextManager[None]]
    progress: Progress = field(default_factory=Progress)
    undo: list[Callable[[], str]] = field(default_factory=list)
    so_far: Callable[[], Mapping[str, Any]] = dict
    take_step: Callable[[Callable[[], str]], str] = lambda step: step()

    def on_failure(self, undo: Callable[[], str]) -> None:
        """Have something undone if the task fails, the last first; C(undo) returns what to say of it, if anything."""
        self.undo.append(undo)

    def undo_all(self, error: ContentError) -> None:
        """Undo what was done, noting in the failure what was and could not be undone, and what is left to return."""
        while self.undo:
            try:
                said = self.take_step(self.undo.pop())
                error.notes.extend([said] if said else [])
            except Exception as failed:  # noqa: BLE001 (what cannot be undone keeps nothing else from being undone)
                error.notes.append(f"Clean-up failed: {failure(failed)['msg']}")
        error.result = {**error.result, **self.so_far()}


def run_module(
    argument_spec: Mapping[str, Any],
    declare: Callable[[AnsibleModule], DeclaredT],
    work: Callable[[AnsibleModule, Task, DeclaredT], dict[str, Any]],
    *,
    describe: Callable[[Mapping[str, Any]], str | None],
    secrets: Secrets = lambda _params: set(),
    **rules: Any,
) -> NoReturn:
    """Build the module, log in, do the work, log out; exit with what the work returns or fail with what it raised.

    C(declare) reads and checks the options before anything is sent, and C(describe) says what the task is about.
    C(secrets) are what no output may show of options that are no secret as a whole. C(rules) are those of
    AnsibleModule. A failure carries the payload of C(errors.failure), and at -vvv each outcome C(trace).
    """
    environment = Environment()
    module = _Module(secrets, argument_spec={**connection_spec(environment), **argument_spec}, **rules)
    exchanges: list[Exchange] = []
    traced = module._verbosity >= TRACE_VERBOSITY
    _warn_of_old_core(module)
    if VALIDATE_VARIABLE in environment.used and not is_verified(module.params, environment.used):
        module.warn(AWX_CERTIFICATES)
    signals = Signals()
    with signals.handled(), warnings.catch_warnings():
        # Not verifying is declared by validate_certs; urllib3 would repeat that on stderr for each request.
        warnings.simplefilter("ignore")
        try:
            _require_requests()
            on_exchange = exchanges.append if traced else None
            declared = declare(module)
            options = read_options(module.params, environment.used)
            outcome = _connect_and_work(module, options, declared, work, signals, on_exchange)
        except Interrupted as interruption:
            outcome = {"failed": True, **failure(_as_failure(interruption))}
        except Exception as error:  # noqa: BLE001 (whatever it is, a user gets a message and never a traceback)
            if isinstance(error, ContentError) and not error.subject:
                error.subject = describe(module.params)
            outcome = {"failed": True, **failure(error)}
    if traced:
        outcome["trace"] = _trace(exchanges, module.without_secrets)
    if outcome.pop("failed", False):
        module.fail_json(**outcome)
    module.exit_json(**outcome)


def run_check(
    argument_spec: Mapping[str, Any], check: Callable[[Mapping[str, Any]], None], *, secrets: Secrets
) -> NoReturn:
    """Build a module that reaches no vCenter and changes nothing; it fails with what C(check) raises of its options.

    C(secrets) are those of C(run_module).
    """
    module = _Module(secrets, argument_spec=argument_spec, supports_check_mode=True)
    _warn_of_old_core(module)
    try:
        check(module.params)
    except Exception as error:  # noqa: BLE001 (as for every module: a message and never a traceback)
        module.fail_json(**failure(error))
    module.exit_json(changed=False)


def _warn_of_old_core(module: _Module) -> None:
    """Ansible itself says only that the collection does not support its version, and not what to do."""
    version = module.ansible_version
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and UNKNOWN_CORE < (int(found.group(1)), int(found.group(2))) < OLDEST_CORE:
        oldest = ".".join(map(str, OLDEST_CORE))
        module.warn(
            f"vsphere.content needs ansible-core {oldest} or later and this is {version}. Update it where "
            f"ansible-playbook runs: python -m pip install --upgrade 'ansible-core>={oldest}'; in AWX choose a newer "
            "execution environment."
        )


def _as_failure(error: BaseException) -> ContentError:
    """What ends a task, as its users are told of it."""
    if isinstance(error, ContentError):
        return error
    if not isinstance(error, Interrupted):
        return defect(error)
    told = ContentError(str(error), error_type=error.error_type, remedy=REMEDIES["CANCELED"])
    # What a shield held back a signal for was given up as well, and may have been done all the same.
    if isinstance(error.__context__, TimedOut):
        told.notes.append(error.__context__.explain())
    return told


def _require_requests() -> None:
    if not HAS_REQUESTS:
        raise ContentError(
            f"{missing_required_lib('requests')}. Python says: {REQUESTS_IMPORT_ERROR}",
            error_type="MISSING_REQUIREMENT",
            remedy=f"There, run {sys.executable} -m pip install requests.",
        )
    outdated = outdated_libraries()
    if outdated:
        oldest = {name: ".".join(map(str, numbers)) for name, numbers in OLDEST_LIBRARIES.items()}
        found = " and ".join(f"{name} {version}" for name, version in outdated.items())
        needed = " and ".join(f"{name} {oldest[name]}" for name in outdated)
        wanted = " ".join(f"'{name}>={oldest[name]}'" for name in oldest)
        where = f"{platform.node()}'s Python {sys.executable}"
        raise ContentError(
            f"{found} of {where} is too old: vsphere.content needs {needed} or later",
            error_type="MISSING_REQUIREMENT",
            remedy=f"There, run {sys.executable} -m pip install --upgrade {wanted}.",
        )


def _trace(exchanges: Iterable[Exchange], hide: Callable[[str], str]) -> list[dict[str, Any]]:
    """The exchanges of a task for people who look for a fault, in the order in which they began."""
    return [
        {
            "method": exchange.method,
            "path": _hide_decoded(exchange.place, hide),
            "status": exchange.status,
            "milliseconds": round((exchange.head - exchange.began) * 1000),
        }
        for exchange in sorted(exchanges, key=lambda exchange: exchange.began)
    ]


def _hide_decoded(place: str, hide: Callable[[str], str]) -> str:
    decoded = urllib.parse.unquote(place)
    shown = hide(decoded)
    return place if shown == decoded else shown


def converge(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Read, plan, and outside check mode apply; C(changed) and the diff compare projections, never status codes.

    Who is overtaken by somebody else starts again, once, and as often as it takes while there is patience left.
    """
    times = 0
    while True:
        try:
            return _converge(resource, check_mode=check_mode, diff_mode=diff_mode)
        except Overtaken as overtaken:
            times += 1
            if times > 1 and not overtaken.patient:
                raise overtaken.error from None


def _converge(resource: Resource[Any, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    before = resource.read()
    plan = resource.plan(before)
    old, new = resource.project(before), resource.expect(plan)
    if old == new:
        after = before if check_mode else resource.apply(plan)
    elif check_mode:
        after = before
    else:
        after = resource.apply(plan)
        new = resource.project(after)
    outcome = {"changed": old != new, **resource.result(after)}
    if diff_mode:
        outcome["diff"] = {"before": old, "after": new}
    return outcome


def _connect_and_work(
    module: _Module,
    options: ConnectionOptions,
    declared: DeclaredT,
    work: Callable[[AnsibleModule, Task, DeclaredT], dict[str, Any]],
    signals: Signals,
    on_exchange: Callable[[Exchange], None] | None,
) -> dict[str, Any]:
    connection = Connection(
        options,
        on_secret=module.learn_secret,
        hide=module.without_secrets,
        on_exchange=on_exchange,
        shield=signals.shielded,
        time_left=signals.time_left,
        sleep=signals.sleep,
    )

    progress = open_progress(module.params, module.as_said)
    task = Task(
        connection=connection,
        warn=lambda text: module.warn(module.as_said(text)),
        shield=signals.shielded,
        progress=progress,
        take_step=signals.take_step,
    )
    worked = False
    try:
        try:
            connection.login()
            outcome = work(module, task, declared)
            worked = True
            return outcome
        finally:
            signals.begin_to_end()
            progress.close(failed=not worked)
    except BaseException as error:
        told = _as_failure(error)
        task.undo_all(told)
        if isinstance(error, (Exception, Interrupted)):
            raise told from None
        raise
    finally:
        _log_out(connection, task, signals)


def _log_out(connection: Connection, task: Task, signals: Signals) -> None:
    """The work is done or has failed already, so a logout that fails is worth a warning and no more."""
    signals.grant(LOGOUT_SECONDS)
    try:
        signals.take_step(connection.logout)
    except ContentError as error:
        task.warn(f"{error.explain()} The API session ends by itself after its idle time.")


def _shown_text(text: str) -> str:
    return STEERING.sub(lambda found: printable(found.group()), USER_OF_URL.sub(MASK, text))


def _said_text(text: str) -> str:
    return _shown_text(QUERY_OF_URL.sub(r"\1...", text))


class _Module(AnsibleModule):
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
