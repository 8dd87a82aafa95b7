# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module runs from its start to its end: build, log in, work, clean up, log out, then exit or fail."""

from __future__ import annotations

import platform
import re
import sys
import urllib.parse
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NoReturn, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

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
)
from .._vcenter.errors import REMEDIES, ContentError, TimedOut, defect, failure
from .converge import Task
from .masking import MaskingModule, Secrets
from .progress import open_progress
from .signals import Interrupted, Signals

DeclaredT = TypeVar("DeclaredT")

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
    module = MaskingModule(secrets, argument_spec={**connection_spec(environment), **argument_spec}, **rules)
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
    module = MaskingModule(secrets, argument_spec=argument_spec, supports_check_mode=True)
    _warn_of_old_core(module)
    try:
        check(module.params)
    except Exception as error:  # noqa: BLE001 (as for every module: a message and never a traceback)
        module.fail_json(**failure(error))
    module.exit_json(changed=False)


def _warn_of_old_core(module: MaskingModule) -> None:
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


def _connect_and_work(
    module: MaskingModule,
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
