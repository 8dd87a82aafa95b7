# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mistake for each route of our client and each row of the simulator's tables: in both dialects, all operations.

What is wrong is the subtlest thing that a route can have wrong: the name of a wrapper before a header that is not read,
that before the name of a query parameter, that before the action, that before a lost ``id:``, and a wrong verb only
where there is nothing else. A wrong status is a mistake by itself, as most clients take any of success.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.mutations.mutation import Mutation, Suite, govc, operation, sdk, vcsim

DIALECT_FILE = "plugins/module_utils/_vcenter/dialect.py"
ROWS_FILE = "tests/simulator/routes.py"
STATUS = "status"
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
    "update_session.file.list": "image_is_published",
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
    "update_session.keep_alive": "progress_that_we_declare",
    "download_session.keep_alive": "progress_that_we_declare",
}


def client_mutations(root: Path) -> Iterator[Mutation]:
    text = (root / DIALECT_FILE).read_text(encoding="utf-8")
    for entry in _entries(text):
        name = str(ast.literal_eval(entry.elts[0]))
        for dialect, route in zip(("api", "rest"), entry.elts[1:]):
            if (name, dialect) in NEVER_TAKEN:
                continue
            old = ast.get_source_segment(text, route) or ""
            whole = ast.get_source_segment(text, entry) or ""
            suites = [operation(name, dialect)]
            if name in SEEN_THROUGH_SDK:
                suites.insert(0, sdk(SEEN_THROUGH_SDK[name]))
            if dialect == "rest" and name in TAKEN_BY_VCSIM:
                suites.insert(0, vcsim(TAKEN_BY_VCSIM[name]))
            for what, new in mistakes(old):
                # The entry as a whole is the context, as a route alone may stand for several operations.
                yield Mutation(
                    f"{name}: {what}",
                    "client",
                    dialect,
                    DIALECT_FILE,
                    whole,
                    _replaced(whole, old, new, last=dialect == "rest"),
                    tuple(suites),
                )


def simulator_mutations(root: Path) -> Iterator[Mutation]:
    text = (root / ROWS_FILE).read_text(encoding="utf-8")
    for dialect, row in _rows(text):
        served = str(ast.literal_eval(row.args[2]))
        name = our_name(served)
        old = ast.get_source_segment(text, row) or ""
        for what, new in mistakes(old):
            suites: list[Suite] = [operation(name, dialect)]
            if dialect == "api" and served in SEEN_BY_SDK and not what.startswith(STATUS):
                suites.insert(0, sdk(SEEN_BY_SDK[served]))
            if dialect == "rest" and served in SEEN_BY_GOVC:
                suites.insert(0, govc(SEEN_BY_GOVC[served]))
            yield Mutation(f"{name}: {what}", "simulator", dialect, ROWS_FILE, old, new, tuple(suites))


def mistakes(source: str) -> Iterator[tuple[str, str]]:
    """What is made wrong of a route or a row, and the wrong one."""
    call = ast.parse(source, mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError(f"no call: {source}")
    named = {keyword.arg or "": keyword.value for keyword in call.keywords}
    if "status" in named:
        right = ast.literal_eval(named["status"])
        yield f"{STATUS} {right} is 200", source.replace(f"status={right}", "status=200")
    yield _subtlest(source, call, named)


def _subtlest(source: str, call: ast.Call, named: Mapping[str, ast.expr]) -> tuple[str, str]:
    wrapped = named.get("body")
    if isinstance(wrapped, ast.Call) and isinstance(wrapped.func, ast.Name) and wrapped.func.id == "_wrapped":
        return _renamed(source, "wrapper", str(ast.literal_eval(wrapped.args[0])))
    if "wrap" in named:
        return _renamed(source, "wrapper", str(ast.literal_eval(named["wrap"])))
    if "headers" in named:
        return "no header is read", source.replace(f"headers={ast.unparse(named['headers'])}", "headers={}")
    if "query" in named:
        return _mistaken_query(source, named["query"])
    if "body" in named and isinstance(named["body"], ast.Tuple):
        return _dropped(source, "field", str(ast.literal_eval(named["body"].elts[0])))
    action = named.get("action") or (call.args[3] if len(call.args) > 3 else None)
    if action is not None:
        return _renamed(source, "action", str(ast.literal_eval(action)))
    if "/id:" in source:
        return "id: is left out", source.replace("/id:", "/", 1)
    verb = str(ast.literal_eval(call.args[0]))
    return f"{verb} is {OTHER_VERBS[verb]}", source.replace(f'"{verb}"', f'"{OTHER_VERBS[verb]}"', 1)


def _mistaken_query(source: str, query: ast.expr) -> tuple[str, str]:
    if isinstance(query, ast.Name):
        return "the query parameter is another", source.replace(f"query={query.id}", 'query={"item": "item"}')
    if isinstance(query, ast.Dict) and query.keys[0]:
        return _renamed(source, "query parameter", str(ast.literal_eval(query.keys[0])))
    if isinstance(query, ast.Tuple):
        return _dropped(source, "query parameter", str(ast.literal_eval(query.elts[0])))
    raise ValueError(f"no query: {source}")


def _renamed(source: str, kind: str, name: str) -> tuple[str, str]:
    return f"the {kind} {name} is renamed", source.replace(f'"{name}"', f'"{name}_x"')


def _dropped(source: str, kind: str, name: str) -> tuple[str, str]:
    """An argument that a route asks for by another name has no value, and is left out."""
    return f"the {kind} {name} is not sent", source.replace(f'"{name}"', f'"{name}_x"')


def _replaced(whole: str, old: str, new: str, *, last: bool) -> str:
    return new.join(whole.rsplit(old, 1)) if last else whole.replace(old, new, 1)


def our_name(served: str) -> str:
    """The name in our client of what the simulator serves."""
    if served == "probe":
        return "update_session.file.probe"
    kind, dot, rest = served.partition(".")
    return f"{kind}_session{dot}{rest}" if kind in ("update", "download") else served


def _entries(text: str) -> Iterator[ast.Tuple]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Tuple) and len(node.elts) == 3 and _is_call(node.elts[1], "Route"):
            yield node


def _rows(text: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Tuple):
            dialect = {"API_ROWS": "api", "REST_ROWS": "rest"}[node.target.id]
            for row in node.value.elts:
                if isinstance(row, ast.Call) and _is_call(row, "Row"):
                    yield dialect, row


def _is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
