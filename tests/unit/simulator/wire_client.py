# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The smallest client that speaks both dialects, written for these tests only, so that they trust nothing of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from tests.harness.modules import Server

TOKEN = "vmware-api-session-id"
PROBE = "/rest/com/vmware/content/library/item/updatesession/file?~action=probe"


def wire_error(response: requests.Response) -> str:
    """The error type of an answer, whatever the dialect."""
    body = response.json()
    return str(body["error_type"] if "error_type" in body else body["type"].rpartition(".")[2].upper())


def wire_messages(response: requests.Response) -> list[dict[str, Any]]:
    body = response.json()
    found: list[dict[str, Any]] = body["messages"] if "messages" in body else body["value"]["messages"]
    return found


class Wire:
    def __init__(self, sim: Server, dialect: str, user: str | None = None, log_in: bool = True) -> None:
        self.dialect = dialect
        self.origin = f"https://{sim.hostname}:{sim.port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = sim.ca_path
        self.token = ""
        if log_in:
            self.token = str(self.value(self.log_in(user or sim.username, sim.password)))
            self.http.headers[TOKEN] = self.token

    @property
    def session_path(self) -> str:
        return "/api/session" if self.dialect == "api" else "/rest/com/vmware/cis/session"

    def log_in(self, user: str, password: str) -> requests.Response:
        return self.http.post(self.origin + self.session_path, auth=(user, password))

    def who_am_i(self) -> requests.Response:
        if self.dialect == "api":
            return self.call("GET", self.session_path)
        return self.call("POST", f"{self.session_path}?~action=get")

    def call(self, verb: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        if body is not None:
            options["json"] = body
        return self.http.request(verb, self.origin + path, **options)

    def value(self, response: requests.Response) -> Any:
        assert response.status_code < 300, response.text
        return response.json() if self.dialect == "api" else response.json()["value"]

    def _at(self, kind: str, identifier: str = "", action: str = "") -> str:
        old = self.dialect == "rest"
        path = ("/rest/com/vmware" if old else "/api") + f"/content/library/{kind}"
        if identifier:
            path += f"/id:{identifier}" if old else f"/{identifier}"
        if action:
            path += f"?~action={action}" if old else f"?action={action}"
        return path

    def _spec(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        return {name: spec} if self.dialect == "rest" else spec

    # -- sessions of both kinds ("update-session", "download-session")

    def create(self, item: str, kind: str = "update-session", token: str = "", **spec: Any) -> requests.Response:
        body = self._spec("create_spec", {"library_item_id": item, **spec})
        path = self._at(f"item/{kind}")
        if token and self.dialect == "rest":
            body["client_token"] = token
        elif token:
            path += f"?client_token={token}"
        return self.call("POST", path, body)

    def open(self, item: str, kind: str = "update-session", **spec: Any) -> str:
        return str(self.value(self.create(item, kind, **spec)))

    def get(self, session: str, kind: str = "update-session") -> requests.Response:
        return self.call("GET", self._at(f"item/{kind}", session))

    def model(self, session: str, kind: str = "update-session") -> dict[str, Any]:
        found: dict[str, Any] = self.value(self.get(session, kind))
        return found

    def list(self, kind: str = "update-session", item: str = "") -> requests.Response:
        return self.call("GET", self._at(f"item/{kind}") + (f"?library_item_id={item}" if item else ""))

    def act(self, session: str, action: str, body: Any = None, kind: str = "update-session") -> requests.Response:
        return self.call("POST", self._at(f"item/{kind}", session, action), body)

    def patch(self, session: str, **spec: Any) -> requests.Response:
        return self.call("PATCH", self._at("item/update-session", session), self._spec("update_spec", spec))

    def delete(self, session: str, kind: str = "update-session") -> requests.Response:
        return self.call("DELETE", self._at(f"item/{kind}", session))

    # -- files

    def files(self, session: str, kind: str = "update") -> requests.Response:
        if self.dialect == "api":
            return self.call("GET", self._at(f"item/{kind}-session", session) + "/file")
        return self.call("GET", self._at(f"item/{kind}session/file") + f"?{kind}_session_id={session}")

    def _file_act(self, session: str, action: str, body: Any = None, kind: str = "update") -> requests.Response:
        if self.dialect == "api":
            suffix = "/file" + (f"?action={action}" if action != "add" else "")
            return self.call("POST", self._at(f"item/{kind}-session", session) + suffix, body)
        return self.call("POST", self._at(f"item/{kind}session/file", session, action), body)

    def add(self, session: str, name: str, **spec: Any) -> requests.Response:
        spec = {"name": name, "source_type": "PUSH", **spec}
        return self._file_act(session, "add", self._spec("file_spec", spec))

    def file(self, session: str, name: str) -> requests.Response:
        if self.dialect == "rest":
            return self._file_act(session, "get", {"file_name": name})
        return self.call("GET", self._at("item/update-session", session) + f"/file/{quote(name, safe='')}")

    def remove(self, session: str, name: str) -> requests.Response:
        if self.dialect == "rest":
            return self._file_act(session, "remove", {"file_name": name})
        return self.call("DELETE", self._at("item/update-session", session) + f"/file/{quote(name, safe='')}")

    def validate(self, session: str) -> requests.Response:
        return self._file_act(session, "validate")

    def prepare(self, session: str, name: str, **spec: Any) -> requests.Response:
        return self._file_act(session, "prepare", {"file_name": name, **spec}, "download")

    def download_file(self, session: str, name: str) -> requests.Response:
        if self.dialect == "rest":
            return self._file_act(session, "get", {"file_name": name}, "download")
        return self.call("GET", self._at("item/download-session", session) + f"/file?file_name={quote(name, safe='')}")

    def probe(self, **endpoint: Any) -> requests.Response:
        """Only the older dialect has it."""
        return self.call("POST", PROBE, {"source_endpoint": endpoint})

    def put(self, uri: str, content: Any) -> requests.Response:
        return requests.put(uri, data=content, verify=self.http.verify)

    def push(self, session: str, name: str, content: bytes, **spec: Any) -> requests.Response:
        return self.put(self.value(self.add(session, name, **spec))["upload_endpoint"]["uri"], content)

    # -- items

    def create_item(self, **spec: Any) -> requests.Response:
        return self.call("POST", self._at("item"), self._spec("create_spec", spec))

    def item(self, item: str) -> requests.Response:
        return self.call("GET", self._at("item", item))

    def delete_item(self, item: str) -> requests.Response:
        return self.call("DELETE", self._at("item", item))

    def item_files(self, item: str) -> requests.Response:
        if self.dialect == "api":
            return self.call("GET", self._at("item", item) + "/file")
        return self.call("GET", self._at("item/file") + f"?library_item_id={item}")
