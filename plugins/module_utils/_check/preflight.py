# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told of a vCenter, an account and libraries by reading alone: rows, each with what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .._item.item_lookup import find_library
from .._session.states import ACTIVE
from .._session.waiting import gather
from .._task.converge import Task
from .._vcenter.answers import is_unknown
from .._vcenter.api import Api, Sessions
from .._vcenter.errors import ContentError, InvalidArgument, NotFound, TlsUnverified, some_of
from .._vcenter.models import Library, LibraryItem, StorageBacking
from .._vcenter.remedies import needs
from .asking import About, knows, read_about, read_datastore
from .presented import presented_issuer
from .rows import Row, Verdict, failed

OK, WILL_FAIL, UNKNOWN = Verdict.OK, Verdict.WILL_FAIL, Verdict.UNKNOWN
SECONDS_APART = 300
"""How far clocks may be apart: a signed package, and the certificate of a vCenter, are valid from a time on."""
LEAST_FREE = 64 * 1024**2
"""A datastore with less room than this many bytes holds no image."""
CHECKED_SESSIONS = 200
LOOK_YOURSELF = "Look at the free space in the vSphere Client."
UPDATING, DOWNLOADING = "ContentLibrary.UpdateSession", "ContentLibrary.DownloadSession"
ADDING = "ContentLibrary.AddLibraryItem"
CREATION = f"privilege {ADDING}"
"""What the row is about that only a trial can settle."""


@dataclass
class Looked:
    """What a preflight has found: the rows, and what others need of it.

    `dialects` are those that the vCenter knows, `libraries` the named ones that are there, by name.
    """

    rows: list[Row] = field(default_factory=list)
    about: About = field(default_factory=About)
    dialects: tuple[str, ...] = ()
    logged_in: bool = False
    may_update: bool = False
    libraries: dict[str, Library] = field(default_factory=dict)


def look(task: Task, names: Sequence[str]) -> Looked:
    """Look at the vCenter, the account, and the libraries of these names. Each failure is a row."""
    looked = Looked()
    if not _look_at_connection(task, looked):
        return looked
    if not _log_in(task, looked):
        return looked
    looked.rows.append(_clock_row(task))
    api = Api(task.connection)
    sessions = _look_at_privileges(api, task, looked)
    for name in names:
        _look_at_library(api, task, looked, name, sessions)
    return looked


def _look_at_connection(task: Task, looked: Looked) -> bool:
    """Look at what shows without a login; returns whether the vCenter can be reached."""
    connection = task.connection
    place = f"connection to {connection.options.vcenter}"
    try:
        found = {dialect: knows(connection, dialect) for dialect in ("api", "rest")}
    except TlsUnverified as error:
        looked.rows.append(Row(place, "it answers"))
        looked.rows.append(_untrusted_row(task, error))
        return False
    except ContentError as error:
        looked.rows.append(failed(place, error))
        return False
    looked.rows.append(Row(place, "it answers"))
    looked.rows.append(_certificate_row(task))
    looked.dialects = tuple(dialect for dialect, known in found.items() if known)
    try:
        looked.about = read_about(connection)
    except ContentError as error:
        looked.rows.append(failed("version", error, UNKNOWN))
    else:
        known = looked.about.version is not None
        remedy = None if known else "Give the version, as the vSphere Client shows it, with each report."
        looked.rows.append(Row("version", str(looked.about), OK if known else UNKNOWN, remedy))
    return True


def _untrusted_row(task: Task, error: TlsUnverified) -> Row:
    options = task.connection.options
    row = failed("certificate", error)
    # A proxy stands between, and may not be asked in this way.
    issuer = None if options.proxy else presented_issuer(options.hostname, options.port, options.request_timeout)
    return Row(row.about, f"{row.found}; it is signed by {issuer}", row.verdict, row.remedy) if issuer else row


def _certificate_row(task: Task) -> Row:
    connection = task.connection
    if not connection.options.verify:
        return Row(
            "certificate",
            "nobody verifies it, as validate_certs is false",
            OK,
            "Set ca_path to the authority that signed it, and leave validate_certs out. Until then, whoever stands "
            "between can read the password.",
        )
    shown = connection.http.certificate
    issuer, until = _name_in(shown.get("issuer", ())), shown.get("notAfter")
    if not issuer:
        return Row("certificate", "it is trusted")
    own = " itself" if issuer == _name_in(shown.get("subject", ())) else ""
    return Row("certificate", f"it is trusted, signed by {issuer}{own}, and valid until {until}")


def _name_in(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """The common name in a name as `ssl` describes it, or else the organization."""
    found: dict[str, str] = {key: value for part in parts for key, value in part}
    return found.get("commonName") or found.get("organizationName") or ""


def _log_in(task: Task, looked: Looked) -> bool:
    """Log in; returns whether that worked, and notes the dialects."""
    connection = task.connection
    token = connection.options.session_token
    who = "the owner of the session_token" if token else connection.options.username
    try:
        connection.login()
        if token:
            # Only an operation tells whether the token counts, and in which dialect.
            Api(connection).list_libraries()
    except ContentError as error:
        remedy = connection.options.login_remedy if error.error_type == "UNAUTHENTICATED" else None
        row = failed("login", error)
        looked.rows.append(Row(f"login as {who}", row.found, row.verdict, remedy or row.remedy))
        return False
    looked.logged_in = True
    looked.rows.append(Row(f"login as {who}", "vCenter accepts it"))
    used = str(connection.dialect)
    looked.dialects = tuple(dialect for dialect in ("api", "rest") if dialect in looked.dialects or dialect == used)
    known = " and ".join(f"/{dialect}" for dialect in looked.dialects)
    looked.rows.append(Row("dialects", f"it knows {known}; tasks use /{used}"))
    return True


def _clock_row(task: Task) -> Row:
    theirs = task.connection.server_time()
    if theirs is None:
        return Row("clock", "vCenter does not tell its time", UNKNOWN, "Compare the clocks of both hosts yourself.")
    ahead = round((theirs - datetime.now(timezone.utc)).total_seconds())
    found = f"vCenter's clock is {abs(ahead)} seconds {'ahead of' if ahead > 0 else 'behind'} that of this host"
    if abs(ahead) <= SECONDS_APART:
        # vCenter tells whole seconds.
        return Row("clock", found if abs(ahead) > 1 else "vCenter's clock and that of this host agree")
    return Row(
        "clock",
        found,
        UNKNOWN,
        "Have both hosts set their clocks by the same time servers (NTP). Until then, certificates may count as "
        "expired, or as not yet valid, and times of items mislead.",
    )


def _look_at_privileges(api: Api, task: Task, looked: Looked) -> list[Any]:
    """Note which privileges the account has, as far as reading shows them; returns its ACTIVE update sessions."""
    about = f"privilege {UPDATING}"
    ids: list[str] = []
    try:
        ids = api.updates.ids()
    except ContentError as error:
        looked.rows.append(_refused(about, error, WILL_FAIL))
    else:
        looked.may_update = True
        looked.rows.append(Row(about, "the account has it"))
    looked.rows.append(_download_row(api.downloads))
    looked.rows.append(
        Row(
            CREATION,
            "no operation shows it without creating an item",
            UNKNOWN,
            f"A publish to an item that is not there yet needs it. {needs(ADDING)}",
        )
    )
    try:
        found = gather(api.updates.get, ids[:CHECKED_SESSIONS], task.clock.timing.readers)
    except ContentError as error:
        looked.rows.append(failed("own update sessions", error, UNKNOWN))
        return []
    return [session for session in found if session.state == ACTIVE]


def _refused(about: str, error: ContentError, verdict: Verdict) -> Row:
    """The row for a list that vCenter refuses to this account, or that fails for another reason."""
    if error.error_type == "UNAUTHORIZED":
        return Row(about, "the account lacks it", verdict, error.way_out())
    return failed(about, error, UNKNOWN)


def _download_row(downloads: Sessions[Any, Any]) -> Row:
    about = f"privilege {DOWNLOADING}"
    try:
        downloads.ids()
    except ContentError as error:
        row = _refused(about, error, OK)
        return Row(about, f"{row.found}; a publish does not need it, and a fetch does", row.verdict, row.remedy)
    return Row(about, "the account has it")


def _look_at_library(api: Api, task: Task, looked: Looked, name: str, sessions: Sequence[Any]) -> None:
    about, rows = f"library {name}", looked.rows
    try:
        library = api.get_library(find_library(api, name, option="libraries"))
    except InvalidArgument as error:
        rows.append(
            Row(about, error.said, WILL_FAIL, "Name one of them by library_id in the tasks, or rename the others.")
        )
        return
    except NotFound as error:
        remedy = "Check the spelling, and that the account may read the library: others are not found."
        rows.append(Row(about, error.said, WILL_FAIL, remedy))
        return
    except ContentError as error:
        rows.append(failed(about, error))
        return
    looked.libraries[name] = library
    rows.append(_kind_row(about, library))
    if library.security_policy_id:
        rows.append(
            Row(
                f"{about}: security policy",
                f"it has the policy {library.security_policy_id}",
                UNKNOWN,
                "It takes only OVF packages that are signed. Publish images and unsigned packages to another library.",
            )
        )
    for backing in library.storage_backings or ():
        rows.append(_storage_row(task, f"{about}: storage", backing))
    rows += _blocking_rows(api, task, about, library, sessions)


def _kind_row(about: str, library: Library) -> Row:
    if library.type == "SUBSCRIBED":
        return Row(
            about,
            "it subscribes to another library, and its items cannot be changed",
            WILL_FAIL,
            "Publish to the library that it subscribes to.",
        )
    is_published = library.publish_info and library.publish_info.published
    return Row(about, f"it is a local library{', and others may subscribe to it' if is_published else ''}")


def _storage_row(task: Task, about: str, backing: StorageBacking) -> Row:
    if not backing.datastore_id:
        found = f"its storage is of the type {backing.type}, of which vCenter does not tell the free space"
        return Row(about, found, UNKNOWN, "Look at the free space where the storage is.")
    try:
        datastore = read_datastore(task.connection, backing.datastore_id)
    except ContentError as error:
        if is_unknown(error):
            return Row(about, "this vCenter tells nothing of datastores", UNKNOWN, LOOK_YOURSELF)
        if error.error_type in ("UNAUTHORIZED", "NOT_FOUND"):
            found = f"the account may not read the datastore {backing.datastore_id}"
            return Row(about, found, UNKNOWN, "Give it the role Read-only on the datastore to see the free space.")
        return failed(about, error, UNKNOWN)
    called = datastore.name or backing.datastore_id
    if datastore.accessible is False:
        remedy = "Repair the datastore, or publish to a library with another one."
        return Row(about, f"vCenter cannot reach the datastore {called}", WILL_FAIL, remedy)
    if datastore.free_space is None:
        return Row(about, f"vCenter does not tell the free space of {called}", UNKNOWN, LOOK_YOURSELF)
    free = f"the datastore {called} has {datastore.free_space / 1024**3:.1f} GiB free"
    if datastore.free_space < LEAST_FREE:
        return Row(about, free, WILL_FAIL, "Make room there, for example with vsphere.content.retain.")
    return Row(about, free)


def _blocking_rows(api: Api, task: Task, about: str, library: Library, sessions: Sequence[Any]) -> list[Row]:
    """Rows about items that no task can publish to, or only after another one: as far as this account sees."""
    rows = []
    try:
        templates = api.find_items(None, library.id, "vm-template")
        items = gather(
            api.get_item,
            list(dict.fromkeys(session.library_item_id for session in sessions if session.library_item_id)),
            task.clock.timing.readers,
        )
    except ContentError as error:
        return [failed(f"{about}: items", error, UNKNOWN)]
    if templates:
        names = _names(api, templates, task)
        rows.append(
            Row(
                f"{about}: items without files",
                f"{len(templates)} items are templates of virtual machines, such as {names}",
                OK,
                "Give what you publish other names.",
            )
        )
    busy = [item for item in items if item.library_id == library.id]
    if busy:
        rows.append(
            Row(
                f"{about}: items at work",
                f"this account has an ACTIVE update session on {some_of([str(item.name) for item in busy])}",
                UNKNOWN,
                "If no job is at work there, vsphere.content.clean_sessions removes such sessions.",
            )
        )
    return rows


def _names(api: Api, item_ids: Sequence[str], task: Task) -> str:
    found: Callable[[str], LibraryItem] = api.get_item
    some = gather(found, item_ids[:3], task.clock.timing.readers)
    return some_of([str(item.name) for item in some])
