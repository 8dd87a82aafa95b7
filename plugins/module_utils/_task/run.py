# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module runs from its start to its end: build, log in, work, clean up, log out, then exit or fail."""

from __future__ import annotations

import os
import platform
import re
import sys
import urllib.parse
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Callable, NoReturn, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._vcenter.adapters import HAS_REQUESTS, OLDEST_LIBRARIES, REQUESTS_IMPORT_ERROR, outdated_libraries
from .._vcenter.connection import Connection
from .._vcenter.connection_options import ConnectionOptions, connection_spec, is_verified, read_options
from .._vcenter.environment import VALIDATE_VARIABLE, Environment
from .._vcenter.errors import ContentError, TimedOut, Unauthenticated, defect, failure
from .._vcenter.http_request import Exchange
from .._vcenter.login_turns import TURNS_VARIABLE
from .._vcenter.remedies import REMEDIES
from .._vcenter.timing import SYSTEM_CLOCK, Clock
from .converge import Task
from .masking import MaskingModule, Secrets, WrittenCheck, accept_all
from .progress import open_progress
from .signals import Interrupted, Signals

DeclaredT = TypeVar("DeclaredT")

TRACE_VERBOSITY = 3

AWX_CERTIFICATES = (
    "The certificate of the vCenter is not verified, as the environment says VMWARE_VALIDATE_CERTS=false. That is the "
    "default of AWX's VMware vCenter credential. Set ca_path, or the environment variable VMWARE_CA_PATH, to the "
    "authority that signed the certificate. If that is a public one, validate_certs: true on the task is enough (in "
    "the roles: in vcenter_connection)."
)

OLDEST_CORE = (2, 15)
UNKNOWN_CORE = (0, 0)


def run_module(
    argument_spec: Mapping[str, Any],
    declare: Callable[[AnsibleModule], DeclaredT],
    work: Callable[[AnsibleModule, Task, DeclaredT], dict[str, Any]],
    *,
    describe: Callable[[Mapping[str, Any]], str | None],
    secrets: Secrets = lambda _params: set(),
    check_written: WrittenCheck = accept_all,
    logs_in: bool = True,
    clock: Clock = SYSTEM_CLOCK,
    **rules: Any,
) -> NoReturn:
    """Build the module, log in, do the work, log out; exit with what the work returns or fail with what it raised.

    `declare` reads and checks the options before anything is sent. `describe` names the item for messages. `secrets`
    finds secrets within options that are not secret as a whole. If Ansible refuses the options, the user sees what
    `check_written` raises for them, if it raises something. Without `logs_in` the work itself logs in, and may go on if
    that fails. `clock` has the pauses of the task. `rules` are those of AnsibleModule. A failure has the payload of
    `errors.failure`; with -vvv every result has `trace`.
    """
    environment = Environment()
    spec = {**connection_spec(environment), **argument_spec}
    module = MaskingModule(secrets, check_written=check_written, argument_spec=spec, **rules)
    exchanges: list[Exchange] = []
    traced = module._verbosity >= TRACE_VERBOSITY
    _warn_of_old_core(module)
    if VALIDATE_VARIABLE in environment.used and not is_verified(module.params, environment.used):
        module.warn(AWX_CERTIFICATES)
    signals = Signals(clock.timing)
    with signals.handled(), warnings.catch_warnings():
        # With validate_certs: false urllib3 would warn on stderr of each request.
        warnings.simplefilter("ignore")
        try:
            _require_requests()
            module.require_as_written()
            if environment.refusal:
                raise environment.refusal
            on_exchange = exchanges.append if traced else None
            declared = declare(module)
            options = read_options(module.params, environment.used)
            outcome = _connect_and_work(module, options, declared, work, signals, clock, on_exchange, logs_in)
        except Interrupted as interruption:
            outcome = {"failed": True, **failure(_as_failure(interruption))}
        except Exception as error:  # noqa: BLE001 (a user gets a message for every exception, and never a traceback)
            if isinstance(error, ContentError) and not error.subject:
                error.subject = describe(module.params)
            outcome = {"failed": True, **failure(error)}
    if traced:
        outcome["trace"] = _trace(exchanges, module.without_secrets)
    if outcome.pop("failed", False):
        module.fail_json(**outcome)
    module.exit_json(**outcome)


def run_check(
    argument_spec: Mapping[str, Any], check: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, secrets: Secrets
) -> NoReturn:
    """Build a module that asks no vCenter and changes nothing; it fails with what `check` raises for its options.

    `check` returns what the task returns beside `changed`. `secrets` is that of `run_module`.
    """
    module = MaskingModule(secrets, argument_spec=argument_spec, supports_check_mode=True)
    _warn_of_old_core(module)
    try:
        module.require_as_written()
        found = check(module.params)
    except Exception as error:  # noqa: BLE001 (as for every module: a message and never a traceback)
        module.fail_json(**failure(error))
    module.exit_json(changed=False, **found)


def _warn_of_old_core(module: MaskingModule) -> None:
    """Warn of an old ansible-core with what to do; Ansible itself only says that its version is not supported."""
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
    """The exception that ended a task, as the failure to report."""
    if isinstance(error, ContentError):
        return error
    if not isinstance(error, Interrupted):
        return defect(error)
    told = ContentError(str(error), error_type=error.error_type, remedy=REMEDIES["CANCELED"])
    # The signal also ended a request within a shield, which may have been done: tell the user.
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
    """The exchanges of a task for troubleshooting, in the order in which they began."""
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


def _connect_and_work(
    module: MaskingModule,
    options: ConnectionOptions,
    declared: DeclaredT,
    work: Callable[[AnsibleModule, Task, DeclaredT], dict[str, Any]],
    signals: Signals,
    clock: Clock,
    on_exchange: Callable[[Exchange], None] | None,
    logs_in: bool,
) -> dict[str, Any]:
    connection = Connection(
        options,
        on_secret=module.learn_secret,
        hide=module.without_secrets,
        on_exchange=on_exchange,
        shield=signals.shielded,
        time_left=signals.time_left,
        turns=os.environ.get(TURNS_VARIABLE, ""),
        clock=replace(clock, sleep=signals.sleep),
    )

    progress = open_progress(module.params, options.vcenter, module.as_said, clock.timing)
    task = Task(
        connection=connection,
        clock=clock,
        warn=lambda text: module.warn(module.as_said(text)),
        shield=signals.shielded,
        progress=progress,
        take_step=signals.take_step,
    )
    worked = False
    try:
        try:
            if logs_in:
                connection.login()
            outcome = work(module, task, declared)
            worked = True
            return outcome
        finally:
            signals.begin_to_end()
            progress.close(failed=not worked)
    except BaseException as error:
        told = _locate(_as_failure(error), options)
        if isinstance(told, Unauthenticated):
            told.remedy = told.remedy or options.login_remedy
        task.undo_all(told)
        if isinstance(error, (Exception, Interrupted)):
            raise told from None
        raise
    finally:
        _log_out(connection, task, signals)


def _locate(error: ContentError, options: ConnectionOptions) -> ContentError:
    error.vcenter = options.vcenter
    if error.operation == "session.login":
        error.user = options.username
    return error


def _log_out(connection: Connection, task: Task, signals: Signals) -> None:
    """Log out. The work is done or has failed already, so a logout that fails is only a warning."""
    # Also if the task has used up its time after a signal.
    signals.grant(task.clock.timing.logout)
    try:
        signals.take_step(connection.logout)
    except ContentError as error:
        error = _locate(error, connection.options)
        task.warn(f"{error.explain()} The API session ends by itself after its idle time.")
