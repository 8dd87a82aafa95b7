# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in what is written and read: names and types of fields, envelopes, maps, and the login's ways.

No status is here: each exchange of every suite is held to those of the published description, and `tests/contract`
proves that a wrong one is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutations.mistakes import Mistake, always, another, given, instead, never, without
from tests.mutations.mutation import Mutation, Suite, govc, login, operation, refusals, sdk, unit, vcsim

FIELDS_OF_UPDATE, FIELDS_OF_DOWNLOAD = sdk("field_of_an_update"), sdk("field_of_a_download")


def wire_mutations() -> Iterator[Mutation]:
    yield from _fields()
    yield from CLIENT
    yield from SIMULATOR
    yield from _logins()


def _fields() -> Iterator[Mutation]:
    for name, suite in READ_BY_CLIENT.items():
        mistake = instead("read_object", _renamed(name))
        yield Mutation(f"{name} is read under another name", "client", "both", "_read_model", mistake, (suite,))
    for name, suite in WRITTEN_BY_CLIENT.items():
        mistake = instead("written", _renamed(name))
        yield Mutation(f"{name} is written under another name", "client", "both", "encode", mistake, (suite,))


def _renamed(name: str) -> str:
    return f'{{k if k != "{name}" else "{name}_x": v for k, v in (...).items()}}'


def _logins() -> Iterator[Mutation]:
    for name, side, dialect, place, mistake, others in LOGINS:
        yield Mutation(name, side, dialect, place, mistake, (*others, login(dialect)))


READ_BY_CLIENT: dict[str, Suite] = {
    "client_progress": FIELDS_OF_DOWNLOAD,
    "expiration_time": FIELDS_OF_DOWNLOAD,
    "library_item_content_version": FIELDS_OF_UPDATE,
    "warning_behavior": FIELDS_OF_UPDATE,
    "preview_info": FIELDS_OF_UPDATE,
    "cert_chain": FIELDS_OF_UPDATE,
    "localized": FIELDS_OF_UPDATE,
    "precision": FIELDS_OF_DOWNLOAD,
    "upload_endpoint": vcsim("image_is_published"),
    "download_endpoint": vcsim("image_is_published"),
    "missing_files": sdk("validate_names"),
}
WRITTEN_BY_CLIENT: dict[str, Suite] = {
    "library_item_id": operation("update_session.create", "api"),
    "warning_behavior": operation("update_session.update", "api"),
    "ignored": operation("update_session.update", "api"),
    "source_type": operation("update_session.file.add", "api"),
    "uri": vcsim("cannot_be_pulled"),
}
CLIENT = (
    Mutation(
        "actions are asked for as in the other dialect",
        "client",
        "rest",
        "DIALECTS",
        another("~action", "action"),
        (operation("update_session.complete", "rest"),),
    ),
    Mutation(
        "maps are read as in the other dialect",
        "client",
        "rest",
        "DIALECTS",
        instead("PAIRED_MAPS", "PLAIN_MAPS"),
        (FIELDS_OF_DOWNLOAD,),
    ),
    Mutation(
        "client_token stands in the body of both dialects",
        "client",
        "api",
        "Dialect.call",
        always("wraps"),
        (operation("update_session.create", "api"),),
    ),
    Mutation(
        "client_token stands in the query of both dialects",
        "client",
        "rest",
        "Dialect.call",
        never("wraps"),
        (operation("download_session.create", "rest"),),
    ),
    Mutation(
        "the colon of an identifier is encoded",
        "client",
        "both",
        "_Segments.__getitem__",
        given("safe", '""'),
        (unit("test_dialect", "colon_of_an_identifier"),),
    ),
    Mutation(
        "what must be encoded in a path is not",
        "client",
        "both",
        "_Segments.__getitem__",
        given("safe", '":/ %"'),
        (unit("test_dialect", "odd_name"),),
    ),
    Mutation(
        "a refusal is taken for an answer",
        "client",
        "both",
        "Connection.send",
        another(300, 500),
        (vcsim("sessions_are_read"), refusals()),
    ),
)
SIMULATOR = (
    Mutation(
        "client_progress is answered under another name",
        "simulator",
        "both",
        "Updates.describe",
        another("client_progress", "progress"),
        (sdk("keep_alive"),),
    ),
    Mutation(
        "expiration_time is answered in seconds",
        "simulator",
        "both",
        "Downloads.describe",
        given("expiration_time", "session.expires"),
        (sdk("get_and_list"),),
    ),
    Mutation(
        "warning_behavior is answered under another name",
        "simulator",
        "both",
        "Updates.describe",
        another("warning_behavior", "warning_behaviour"),
        (sdk("update_changes"),),
    ),
    Mutation(
        "preview_info is left out",
        "simulator",
        "both",
        "Updates.describe",
        without("preview_info"),
        (FIELDS_OF_UPDATE,),
    ),
    Mutation(
        "bytes_transferred is answered as text",
        "simulator",
        "both",
        "Updates.describe_file",
        given("bytes_transferred", "str(entry.bytes_transferred)"),
        (operation("update_session.file.list", "api"),),
    ),
    Mutation(
        "upload_endpoint holds a url",
        "simulator",
        "both",
        "Updates.describe_file",
        another("uri", "url"),
        (sdk("up_to_done"),),
    ),
    Mutation(
        "a file has a status that nobody knows",
        "simulator",
        "both",
        "Downloads.describe_file",
        given("status", "status.lower()"),
        (operation("download_session.file.list", "rest"),),
    ),
    Mutation(
        "an error has no error_type",
        "simulator",
        "api",
        "encode_fault",
        another("error_type", "type"),
        (sdk("errors_as_the_bindings"),),
    ),
    Mutation(
        "the type of an error is not a full name",
        "simulator",
        "rest",
        "encode_fault",
        given("type", "fault.error_type"),
        (govc("names_what"), refusals()),
    ),
    Mutation(
        "the envelope has another name",
        "simulator",
        "rest",
        "encode_result",
        another("value", "result"),
        (govc("listed_and_described"),),
    ),
    Mutation(
        "maps are written as in the other dialect",
        "simulator",
        "rest",
        "rest_maps",
        never("params"),
        (FIELDS_OF_DOWNLOAD,),
    ),
)
NEW_PATH, NEW_VERB = "session.login: the path is another", "session.login: POST is PUT"
LEAVING = "session.logout: DELETE is PUT"
PATHS, SERVED = "LOGIN_PATHS", "LOGIN_PATHS"
IN, OUT, SESSION = "Connection._ask_for_login", "Connection._close", "Server._session"
API_PATH = another("/api/session", "/api/sessions")
REST_PATH = another("/rest/com/vmware/cis/session", "/rest/com/vmware/cis/sessions")
#: The suites speak no other dialect than that of the row, so a mistake in both of them tells of one.
LOGINS: tuple[tuple[str, str, str, str, Mistake, tuple[Suite, ...]], ...] = (
    (NEW_PATH, "client", "api", PATHS, API_PATH, ()),
    (NEW_PATH, "client", "rest", PATHS, REST_PATH, (vcsim("made_once"),)),
    (NEW_VERB, "client", "api", IN, another("POST", "PUT"), ()),
    (NEW_VERB, "client", "rest", IN, another("POST", "PUT"), (vcsim("made_once"),)),
    (LEAVING, "client", "api", OUT, another("DELETE", "PUT"), ()),
    (LEAVING, "client", "rest", OUT, another("DELETE", "PUT"), ()),
    (NEW_PATH, "simulator", "api", SERVED, API_PATH, (sdk("client_token"),)),
    (NEW_PATH, "simulator", "rest", SERVED, REST_PATH, (govc("listed_and_described"),)),
    (LEAVING, "simulator", "api", SESSION, another("DELETE", "PUT"), ()),
    (LEAVING, "simulator", "rest", SESSION, another("DELETE", "PUT"), ()),
    ("session.get: GET is PUT", "simulator", "api", SESSION, another("GET", "PUT"), ()),
    (
        "session.get: the action get is renamed",
        "simulator",
        "rest",
        SESSION,
        another("get", "get_x"),
        (govc("listed_and_described"),),
    ),
)
