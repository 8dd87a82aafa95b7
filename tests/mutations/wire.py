# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in what is written and read: names and types of fields, envelopes, maps, statuses, and the login's ways."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutations.mutation import Mutation, Suite, govc, login, operation, refusals, sdk, unit, vcsim

SCHEMA = "plugins/module_utils/_vcenter/models.py"
DIALECT = "plugins/module_utils/_vcenter/dialect.py"
CONNECTION = "plugins/module_utils/_vcenter/connection.py"
UPDATES = "tests/simulator/updates.py"
DOWNLOADS = "tests/simulator/downloads.py"
WIRE = "tests/simulator/wire.py"
SERVER = "tests/simulator/server.py"

READ = "    found = read_object(value, path)\n    codecs = dict"
WRITTEN = "    return {**model.extra, **written}"
REFUSED = (
    "            if not 200 <= answer.status < 300:\n"
    "                raise from_response(answer.status, answer.body, operation, session_id, hide=self._hide)"
)
FIELDS_OF_UPDATE, FIELDS_OF_DOWNLOAD = sdk("field_of_an_update"), sdk("field_of_a_download")


def wire_mutations() -> Iterator[Mutation]:
    yield from _fields()
    yield from CLIENT
    yield from SIMULATOR
    yield from _errors()
    yield from _logins()


def _fields() -> Iterator[Mutation]:
    for name, suite in READ_BY_CLIENT.items():
        read = READ.replace(
            "read_object(value, path)",
            f'{{k if k != "{name}" else "x": v for k, v in read_object(value, path).items()}}',
        )
        yield Mutation(f"{name} is read under another name", "client", "both", SCHEMA, READ, read, (suite,))
    for name, suite in WRITTEN_BY_CLIENT.items():
        written = (
            f'    return {{**model.extra, **{{k if k != "{name}" else "{name}_x": v for k, v in written.items()}}}}'
        )
        yield Mutation(f"{name} is written under another name", "client", "both", SCHEMA, WRITTEN, written, (suite,))


def _errors() -> Iterator[Mutation]:
    for kind, dialect, right, wrong in ERRORS:
        statuses = f"{dialect.upper()}_STATUS"
        old = f"{statuses}.get(fault.error_type, 400)"
        new = f'{{**{statuses}, "{kind}": {wrong}}}.get(fault.error_type, 400)'
        yield Mutation(f"{kind}: {right} is {wrong}", "simulator", dialect, WIRE, old, new, (refusals(),))


def _logins() -> Iterator[Mutation]:
    for name, side, dialect, old, right, wrong, others in LOGINS:
        path = CONNECTION if side == "client" else SERVER
        yield Mutation(name, side, dialect, path, old, old.replace(right, wrong), (*others, login(dialect)))


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
        DIALECT,
        'action_key="~action"',
        'action_key="action"',
        (operation("update_session.complete", "rest"),),
    ),
    Mutation(
        "maps are read as in the other dialect",
        "client",
        "rest",
        DIALECT,
        "maps=PAIRED_MAPS",
        "maps=PLAIN_MAPS",
        (FIELDS_OF_DOWNLOAD,),
    ),
    Mutation(
        "client_token stays outside of the query",
        "client",
        "api",
        DIALECT,
        'query["client_token"] = client_token',
        'query["token"] = client_token',
        (operation("update_session.create", "api"),),
    ),
    Mutation(
        "client_token stands in the query of both dialects",
        "client",
        "rest",
        DIALECT,
        "if client_token and self.wraps:",
        "if client_token and not self.wraps:",
        (operation("download_session.create", "rest"),),
    ),
    Mutation(
        "the colon of an identifier is encoded",
        "client",
        "both",
        DIALECT,
        'quote(value, safe=":", ',
        'quote(value, safe="", ',
        (unit("test_dialect", "colon_of_an_identifier"),),
    ),
    Mutation(
        "what must be encoded in a path is not",
        "client",
        "both",
        DIALECT,
        'quote(value, safe=":", ',
        'quote(value, safe=":/ %", ',
        (unit("test_dialect", "odd_name"),),
    ),
    Mutation(
        "a refusal is taken for an answer",
        "client",
        "both",
        CONNECTION,
        REFUSED,
        REFUSED.replace("300", "500"),
        (vcsim("sessions_are_read"), refusals()),
    ),
)
SIMULATOR = (
    Mutation(
        "client_progress is answered under another name",
        "simulator",
        "both",
        UPDATES,
        '"client_progress": session.client_progress,',
        '"progress": session.client_progress,',
        (sdk("keep_alive"),),
    ),
    Mutation(
        "expiration_time is answered in seconds",
        "simulator",
        "both",
        DOWNLOADS,
        "self._calendar.stamp(session.expires)",
        "session.expires",
        (sdk("get_and_list"),),
    ),
    Mutation(
        "warning_behavior is answered under another name",
        "simulator",
        "both",
        UPDATES,
        'model["warning_behavior"] =',
        'model["warning_behaviour"] =',
        (sdk("update_changes"),),
    ),
    Mutation(
        "preview_info is left out",
        "simulator",
        "both",
        UPDATES,
        'model["preview_info"] = self._preview(session)',
        "self._preview(session)",
        (FIELDS_OF_UPDATE,),
    ),
    Mutation(
        "bytes_transferred is answered as text",
        "simulator",
        "both",
        UPDATES,
        '"bytes_transferred": entry.bytes_transferred,',
        '"bytes_transferred": str(entry.bytes_transferred),',
        (operation("update_session.file.list", "api"),),
    ),
    Mutation(
        "upload_endpoint holds a url",
        "simulator",
        "both",
        UPDATES,
        'model["upload_endpoint"] = {"uri":',
        'model["upload_endpoint"] = {"url":',
        (sdk("up_to_done"),),
    ),
    Mutation(
        "a file has a status that nobody knows",
        "simulator",
        "both",
        DOWNLOADS,
        '"status": status}',
        '"status": status.lower()}',
        (operation("download_session.file.list", "rest"),),
    ),
    Mutation(
        "an error has no error_type",
        "simulator",
        "api",
        WIRE,
        '{"error_type": fault.error_type, "messages"',
        '{"type": fault.error_type, "messages"',
        (sdk("errors_as_the_bindings"),),
    ),
    Mutation(
        "the type of an error is not a full name",
        "simulator",
        "rest",
        WIRE,
        'f"com.vmware.vapi.std.errors.{fault.error_type.lower()}"',
        "fault.error_type",
        (govc("names_what"), refusals()),
    ),
    Mutation(
        "the envelope has another name",
        "simulator",
        "rest",
        WIRE,
        'json.dumps({"value": rest_maps(value)})',
        'json.dumps({"result": rest_maps(value)})',
        (govc("listed_and_described"),),
    ),
    Mutation(
        "maps are written as in the other dialect",
        "simulator",
        "rest",
        WIRE,
        'if name == "params" and isinstance(entry, dict)',
        'if name == "no params" and isinstance(entry, dict)',
        (FIELDS_OF_DOWNLOAD,),
    ),
)
#: Which error has which status, and the mistaken one, which other errors do have.
ERRORS = (
    ("NOT_FOUND", "api", 404, 400),
    ("NOT_FOUND", "rest", 404, 400),
    ("UNAUTHENTICATED", "api", 401, 403),
    ("UNAUTHENTICATED", "rest", 401, 403),
    ("UNAUTHORIZED", "api", 403, 401),
    ("UNAUTHORIZED", "rest", 403, 400),
    ("RESOURCE_BUSY", "api", 500, 400),
    ("RESOURCE_BUSY", "rest", 400, 500),
    ("INVALID_ARGUMENT", "api", 400, 404),
    ("INVALID_ARGUMENT", "rest", 400, 404),
)
PATHS = 'LOGIN_PATHS = {"api": "/api/session", "rest": "/rest/com/vmware/cis/session"}'
SERVED = 'LOGIN_PATHS = {"/api/session": "api", "/rest/com/vmware/cis/session": "rest"}'
LOG_IN = '"POST", self.options.origin + LOGIN_PATHS[dialect], "session.login"'
LOG_OUT = '"DELETE", url, "session.logout"'
LOGGED_IN = '_json(encode_result(dialect, fresh, "[]"), 201 if dialect == "api" else 200)'
LOGGED_OUT = 'status=204 if dialect == "api" else 200'
WHO = '(("GET", "") if dialect == "api" else ("POST", "get"))'
NEW_PATH, NEW_VERB = "session.login: the path is another", "session.login: POST is PUT"
LEAVING = "session.logout: DELETE is PUT"
LOGINS: tuple[tuple[str, str, str, str, str, str, tuple[Suite, ...]], ...] = (
    (NEW_PATH, "client", "api", PATHS, '/api/session"', '/api/sessions"', ()),
    (NEW_PATH, "client", "rest", PATHS, 'cis/session"', 'cis/sessions"', (vcsim("made_once"),)),
    (NEW_VERB, "client", "api", LOG_IN, '"POST"', '"PUT" if dialect == "api" else "POST"', ()),
    (NEW_VERB, "client", "rest", LOG_IN, '"POST"', '"PUT" if dialect == "rest" else "POST"', (vcsim("made_once"),)),
    (LEAVING, "client", "api", LOG_OUT, '"DELETE"', '"PUT" if self.dialect == "api" else "DELETE"', ()),
    (LEAVING, "client", "rest", LOG_OUT, '"DELETE"', '"PUT" if self.dialect == "rest" else "DELETE"', ()),
    (NEW_PATH, "simulator", "api", SERVED, '/api/session"', '/api/sessions"', (sdk("client_token"),)),
    (NEW_PATH, "simulator", "rest", SERVED, 'cis/session"', 'cis/sessions"', (govc("listed_and_described"),)),
    ("session.login: status 201 is 200", "simulator", "api", LOGGED_IN, "201", "200", ()),
    ("session.login: status 200 is 201", "simulator", "rest", LOGGED_IN, "200", "201", ()),
    ("session.logout: status 204 is 200", "simulator", "api", LOGGED_OUT, "204", "200", ()),
    ("session.logout: status 200 is 204", "simulator", "rest", LOGGED_OUT, "200", "204", ()),
    ("session.get: GET is PUT", "simulator", "api", WHO, '"GET"', '"PUT"', ()),
    (
        "session.get: the action get is renamed",
        "simulator",
        "rest",
        WHO,
        '"get"',
        '"get_x"',
        (govc("listed_and_described"),),
    ),
)
