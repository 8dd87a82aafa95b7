# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mistake for each route of our client and each row of the simulator's tables: in both dialects, all operations.

What is wrong is the subtlest thing that a route can have wrong: the name of a wrapper before a header that is not read,
that before the name of a query parameter, that before the action, that before a lost ``id:``, and a wrong verb only
where there is nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.mutations.mistakes import Edits, Mistake, find
from tests.mutations.mutation import Mutation, defining_file, govc, operation, sdk, vcsim

OTHER_VERBS = {"GET": "POST", "POST": "PUT", "PATCH": "PUT", "DELETE": "PUT"}

#: Our client asks for a probe in the older dialect only, whatever it speaks otherwise.
NEVER_TAKEN = {("update_session.file.probe", "api")}

#: Which of the independent clients' tests meet an operation of the simulator.
SEEN_BY_SDK: Mapping[str, str] = {
    "library.list": "libraries_are_listed",
    "library.find": "libraries_are_listed",
    "library.get": "libraries_are_listed",
    "local_library.list": "libraries_are_listed",
    "item.create": "item_from_its_making",
    "item.list": "item_from_its_making",
    "item.find": "item_from_its_making",
    "item.get": "item_from_its_making",
    "item.update": "item_from_its_making",
    "item.delete": "item_from_its_making",
    "item.file.list": "files_of_an_item",
    "item.file.get": "files_of_an_item",
    "item.storage.list": "files_of_an_item",
    "item.storage.get": "files_of_an_item",
    "update.create": "client_token",
    "update.list": "get_and_list",
    "update.get": "get_and_list",
    "update.update": "update_changes",
    "update.complete": "up_to_done",
    "update.cancel": "cancel_fail",
    "update.fail": "cancel_fail",
    "update.keep_alive": "keep_alive",
    "update.delete": "cancel_fail",
    "update.file.list": "up_to_done",
    "update.file.add": "up_to_done",
    "update.file.get": "up_to_done",
    "update.file.remove": "up_to_done",
    "update.file.validate": "up_to_done",
    "download.create": "client_token",
    "download.list": "get_and_list",
    "download.get": "get_and_list",
    "download.cancel": "cancel_fail",
    "download.fail": "cancel_fail",
    "download.keep_alive": "keep_alive",
    "download.delete": "cancel_fail",
    "download.file.list": "files_of_a_download",
    "download.file.get": "files_of_a_download",
    "download.file.prepare": "files_of_a_download",
}
SEEN_BY_GOVC: Mapping[str, str] = {
    "library.list": "listed_and_described",
    "library.find": "listed_and_described",
    "library.get": "listed_and_described",
    "item.list": "listed_and_described",
    "item.find": "listed_and_described",
    "item.get": "listed_and_described",
    "item.create": "we_find",
    "item.update": "govc_says_of_an_item",
    "item.delete": "removes_is_gone",
    "item.file.list": "listed_and_described",
    "item.storage.get": "listed_and_described",
    "update.create": "we_find",
    "update.list": "seen_and_removed",
    "update.get": "seen_and_removed",
    "update.complete": "we_find",
    "update.cancel": "seen_and_removed",
    "update.delete": "seen_and_removed",
    "update.file.add": "we_find",
    "update.file.list": "files_of_a_session",
    "update.file.remove": "files_of_a_session",
    "probe": "probe_finds",
    "download.create": "govc_exports",
    "download.list": "seen_by_us",
    "download.get": "seen_by_us",
    "download.cancel": "ended_by_govc",
    "download.delete": "ended_by_govc",
    "download.file.list": "govc_exports",
    "download.file.prepare": "govc_exports",
    "download.file.get": "govc_exports",
}
#: Which of our tests against vcsim need an operation of our client.
TAKEN_BY_VCSIM: Mapping[str, str] = {
    "library.list": "items_are_read",
    "item.storage.list": "items_are_read",
    "library.find": "made_once",
    "item.find": "made_once",
    "item.get": "made_once",
    "item.create": "made_once",
    "item.delete": "made_once",
    "item.file.list": "image_is_published",
    "update_session.create": "sessions_are_read",
    "update_session.get": "sessions_are_read",
    "update_session.cancel": "sessions_are_read",
    "update_session.delete": "sessions_are_read",
    "update_session.complete": "image_is_published",
    "update_session.file.add": "image_is_published",
    "update_session.file.validate": "image_is_published",
    "update_session.file.probe": "cannot_be_pulled",
    "download_session.create": "image_is_published",
    "download_session.delete": "image_is_published",
    "download_session.file.list": "image_is_published",
    "download_session.file.get": "image_is_published",
    "download_session.file.prepare": "image_is_published",
}
#: Which of our client's work on the simulator the bindings look at, in both dialects.
SEEN_THROUGH_SDK: Mapping[str, str] = {
    "update_session.file.list": "validate_names",
    "update_session.keep_alive": "progress_that_we_declare",
    "download_session.keep_alive": "progress_that_we_declare",
}


def client_mutations(root: Path) -> Iterator[Mutation]:
    table = find(defining_file(root, "client", "OPERATIONS").read_text(encoding="utf-8"), "OPERATIONS")
    for (name, dialect), route in _routes(table).items():
        if (name, dialect) in NEVER_TAKEN:
            continue
        suites = [sdk(SEEN_THROUGH_SDK[name]) if name in SEEN_THROUGH_SDK else operation(name, dialect)]
        if dialect == "rest" and name in TAKEN_BY_VCSIM:
            suites.insert(0, vcsim(TAKEN_BY_VCSIM[name]))
        what, _edits = subtlest(route)
        yield Mutation(f"{name}: {what}", "client", dialect, "OPERATIONS", _in_route(name, dialect), tuple(suites))


def simulator_mutations(root: Path) -> Iterator[Mutation]:
    source = defining_file(root, "simulator", "API_ROWS").read_text(encoding="utf-8")
    for dialect, table in (("api", "API_ROWS"), ("rest", "REST_ROWS")):
        for served, row in _rows(find(source, table)).items():
            name, (what, _edits) = our_name(served), subtlest(row)
            seen = dialect == "api" and served in SEEN_BY_SDK
            suites = [sdk(SEEN_BY_SDK[served]) if seen else operation(name, dialect)]
            if dialect == "rest" and served in SEEN_BY_GOVC:
                suites.insert(0, govc(SEEN_BY_GOVC[served]))
            yield Mutation(f"{name}: {what}", "simulator", dialect, table, _in_row(served), tuple(suites))


def _in_route(name: str, dialect: str) -> Mistake:
    return lambda table: subtlest(_routes(table)[name, dialect])[1]


def _in_row(served: str) -> Mistake:
    return lambda table: subtlest(_rows(table)[served])[1]


def _routes(table: ast.AST) -> dict[tuple[str, str], ast.Call]:
    """The routes of our client, by operation and dialect."""
    (rows,) = (node for node in ast.walk(table) if isinstance(node, ast.Dict))
    return {
        (_text(name), given.arg): given.value
        for name, row in zip(rows.keys, rows.values)
        if name is not None and isinstance(row, ast.Call)
        for given in row.keywords
        if given.arg in ("api", "rest") and isinstance(given.value, ast.Call)
    }


def _rows(table: ast.AST) -> dict[str, ast.Call]:
    """The rows of one of the simulator's tables, by what they serve."""
    rows = (node for node in ast.walk(table) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Row")
    return {_text(row.args[2]): row for row in rows}


def subtlest(call: ast.Call) -> tuple[str, Edits]:
    """What is made wrong of a route or a row, in words and in its code."""
    named = {keyword.arg or "": keyword.value for keyword in call.keywords}
    body, query, path = named.get("body"), named.get("query"), ast.unparse(call.args[1])
    if isinstance(body, ast.Call) and ast.unparse(body.func) == "_wrapped":
        return _renamed("wrapper", body.args[0])
    if "wrap" in named:
        return _renamed("wrapper", named["wrap"])
    if "headers" in named:
        return "no header is read", [(named["headers"], "{}")]
    if query is not None:
        return _mistaken_query(query)
    if isinstance(body, ast.Tuple):
        return _dropped("field", body.elts[0])
    action = named.get("action") or (call.args[3] if len(call.args) > 3 else None)
    if action is not None:
        return _renamed("action", action)
    if "/id:" in path:
        return "id: is left out", [(call.args[1], path.replace("/id:", "/"))]
    verb = _text(call.args[0])
    return f"{verb} is {OTHER_VERBS[verb]}", [(call.args[0], repr(OTHER_VERBS[verb]))]


def _mistaken_query(query: ast.expr) -> tuple[str, Edits]:
    if isinstance(query, ast.Tuple):
        return _dropped("query parameter", query.elts[0])
    if isinstance(query, ast.Dict) and query.keys[0]:
        return _renamed("query parameter", query.keys[0])
    return "the query parameter is another", [(query, '{"item": "item"}')]


def _renamed(kind: str, name: ast.expr) -> tuple[str, Edits]:
    return f"the {kind} {_text(name)} is renamed", [(name, repr(f"{_text(name)}_x"))]


def _dropped(kind: str, name: ast.expr) -> tuple[str, Edits]:
    """An argument that a route asks for by another name has no value, and is left out."""
    return f"the {kind} {_text(name)} is not sent", _renamed(kind, name)[1]


def _text(node: ast.expr) -> str:
    return str(ast.literal_eval(node))


def our_name(served: str) -> str:
    """The name in our client of what the simulator serves."""
    if served == "probe":
        return "update_session.file.probe"
    kind, dot, rest = served.partition(".")
    return f"{kind}_session{dot}{rest}" if kind in ("update", "download") else served
