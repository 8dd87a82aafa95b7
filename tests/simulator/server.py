# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: authentication, dispatch, latency, faults and the record around the store's operations."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from . import shapes
from .clock import Seconds
from .data import DataService
from .errors import ApiError, invalid_argument, message, unauthenticated, unknown_operation
from .facts import follows
from .faults import Fault, FaultPlan
from .holds import Holds
from .logins import Login
from .operations import OPERATIONS, UPDATE, Call, describe_datastore
from .pull import Puller
from .record import Exchange, Observer, Record
from .routes import Match, Row, find_route
from .seed import Seed, UserSeed
from .shapes import Struct
from .soap import answer_soap
from .store import Store
from .wire import ERROR_OF_STATUS, encode_fault, encode_result

SETTLE = 0.2
TOKEN_HEADER = "vmware-api-session-id"
DATASTORE_PATHS = {"api": "/api/vcenter/datastore/", "rest": "/rest/vcenter/datastore/"}
LOGIN_PATHS = {"/api/session": "api", "/rest/com/vmware/cis/session": "rest"}
#: By what a client may address a server on this host, and the name that such a server takes for its own.
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOCAL_NAME = "localhost"
#: How often the answer to a completion looks whether the session is done.
COMPLETION_PAUSE = 0.01
HTML_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>upstream connect error</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 0
    dialect: str = "both"
    data: str | None = None
    session_timeout: float = 300.0
    login_timeout: float | None = None
    latency_ms: float = 0.0
    rate: int | None = None
    settle: float = SETTLE
    record: str | None = None
    clock: Seconds = time.monotonic
    observers: tuple[Observer, ...] = ()
    #: Empty for the name that a server at `host` takes for its own.
    primary_name: str = ""

    @property
    def own_name(self) -> str:
        return self.primary_name or (LOCAL_NAME if self.host in LOOPBACK else self.host)


@dataclass
class Progress:
    """An exchange under way; it becomes an Exchange when it ends."""

    time: float
    method: str
    path: str
    user: str | None = None
    token_sent: bool = False
    client: str = ""
    fault: Fault | None = None
    request_bytes: int = 0
    request_body: bytes = b""
    closed: bool = field(default=False)


class Server:
    def __init__(self, settings: Settings, seed: Seed) -> None:
        self.settings = settings
        self.record = Record(settings.record, settings.observers)
        self.faults = FaultPlan()
        self.holds = Holds()
        self.in_flight = 0
        self.stopping = asyncio.Event()
        self.port = settings.port
        self._runner: web.ServerRunner | None = None
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self.store = self._new_store(seed)
        self.puller = self._start_pulls()
        self.data = DataService(self)

    def _new_store(self, seed: Seed) -> Store:
        chosen = self.settings
        return Store(seed, chosen.clock, chosen.session_timeout, chosen.login_timeout, chosen.settle)

    def _start_pulls(self) -> Puller:
        puller = Puller(self.store)
        self.store.updates.start_pull = puller.start
        return puller

    async def reset(self, seed: Seed) -> None:
        await self.puller.stop()
        self.store = self._new_store(seed)
        self.puller = self._start_pulls()
        self.record.clear()
        self.clear_faults()

    def clear_faults(self) -> None:
        self.faults.clear()
        self.holds.release()
        self.holds = Holds()

    async def start(self, context: Any) -> None:
        server = web.Server(self.handle, access_log=None, read_bufsize=1 << 20)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.stopping.set()
        self.holds.release()
        await self.puller.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        # An idle client does not answer the end of TLS, so do not wait for it.
        for transport in list(self._transports):
            transport.abort()
        await asyncio.sleep(0.01)

    # -- one request

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.in_flight += 1
        try:
            return await self._handle(request)
        finally:
            self.in_flight -= 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            self._transports.add(request.transport)
        token = request.headers.get(TOKEN_HEADER)
        client = request.headers.get("User-Agent", "")
        progress = Progress(time.time(), request.method, request.raw_path, token_sent=token is not None, client=client)
        login = self.store.logins.peek(token)
        progress.user = login.user.name if login else None
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        progress.fault = self.faults.next(request.method, request.raw_path)
        fault = progress.fault
        if fault is not None:
            answer = await self._before(request, progress, fault)
            if answer is not None:
                return answer
        self.store.advance()
        if request.path.startswith("/cls/data/"):
            return await self.data.handle(request, progress)
        response = await self._answer(request, progress)
        response.headers["Date"] = self.store.calendar.http_stamp()
        if fault is not None and fault.kind in ("truncate", "reset-mid-body"):
            return await self._cut(request, progress, response, fault.kind)
        if fault is not None and fault.kind == "hold-answer":
            await self.holds.wait()
        self.close(progress, response)
        return response

    async def _answer(self, request: web.BaseRequest, progress: Progress) -> web.Response:
        dialect = "api" if request.path.startswith("/api/") else "rest" if request.path.startswith("/rest/") else ""
        raw = await request.read()
        progress.request_bytes, progress.request_body = len(raw), raw
        if request.path == "/sdk" and request.method == "POST":
            progress.request_body = b""
            return answer_soap(self.store, raw)
        if dialect not in self.store.seed.dialects or self.settings.dialect not in ("both", dialect):
            return old_api_answer(self.store.seed.old_api, request.path) if dialect == "api" else plain_404()
        try:
            return await self._dispatch(request, progress, dialect, raw)
        except ApiError as error:
            status, body = encode_fault(dialect, error, self.store.seed.rest_error_type)
            return _refusal(status, body)

    async def _dispatch(self, request: web.BaseRequest, progress: Progress, dialect: str, raw: bytes) -> web.Response:
        path = request.rel_url.raw_path
        if LOGIN_PATHS.get(path) == dialect:
            return self._session(request, progress, dialect)
        if request.method == "GET" and path.startswith(DATASTORE_PATHS[dialect]):
            self.store.logins.resolve(request.headers.get(TOKEN_HEADER))
            found = describe_datastore(self.store, path[len(DATASTORE_PATHS[dialect]) :])
            return _json(encode_result(dialect, found, "[]"))
        match = find_route(dialect, request.method, path, request.query)
        if match is None or self._is_unknown(match.row):
            raise unknown_operation(path)
        if match.row.operation == "probe" and not self.store.seed.probe:
            raise unknown_operation(path)
        login = self.store.logins.resolve(request.headers.get(TOKEN_HEADER))
        if raw.strip() and request.method != "GET" and request.content_type != "application/json":
            return web.Response(status=415, text="Unsupported Media Type\n")
        args = self._arguments(match, request, raw)
        value = await self._run(match, login, request, args)
        if value is None:
            return web.Response(status=match.row.status, content_type="application/json")
        return _json(encode_result(dialect, value, self.store.seed.rest_empty_list), match.row.status)

    def _is_unknown(self, row: Row) -> bool:
        """Whether a server as old as this one lacks an operation."""
        if row.operation == "update.update":
            return self._change_of_warnings() == "not-found"
        return row.modern and not self.store.seed.preview

    def _change_of_warnings(self) -> str:
        seed = self.store.seed
        usual = "set" if seed.preview else "not-found"
        return seed.otherwise.get("patch-changes-warnings-only", usual)

    @follows("api-refuses-unknown-queries", "client-token-in-query-or-header")
    def _arguments(self, match: Match, request: web.BaseRequest, raw: bytes) -> dict[str, Any]:
        row = match.row
        args: dict[str, Any] = dict(match.args)
        for name, value in request.query.items():
            if name in ("action", "~action"):
                continue
            if name not in row.query:
                raise invalid_argument("vapi.rest.query.unexpected", "Unexpected query parameter {0}.", name)
            args[row.query[name]] = value
        for name in row.required_query:
            if name not in request.query:
                raise invalid_argument("vapi.rest.query.missing", "The query parameter {0} is missing.", name)
        for name, argument in row.headers.items():
            if name in request.headers:
                args.setdefault(argument, request.headers[name])
        if request.method == "GET":
            return {**args, **_bindings_query(row, request.query, raw)}
        body = shapes.decode(raw, self._body_shape(row))
        if row.body_as:
            args[row.body_as] = body
        else:
            args.update(body)
        return args

    def _body_shape(self, row: Row) -> Struct:
        if self.store.seed.preview or self._change_of_warnings() == "ignored":
            return row.body
        if row.body is shapes.UPDATE_MODEL:
            return shapes.OLD_UPDATE_MODEL
        fields = {
            name: shapes.OLD_UPDATE_MODEL if of is shapes.UPDATE_MODEL else of for name, of in row.body.fields.items()
        }
        return Struct(fields, row.body.required)

    async def _run(self, match: Match, login: Login, request: web.BaseRequest, args: Mapping[str, Any]) -> Any:
        if match.row.operation == "probe":
            self.store.authorize(login.user, UPDATE)
            return await self.puller.probe(login.user, args["source_endpoint"])
        operation = OPERATIONS[match.row.operation]
        if self._is_created_empty(match.row.operation, login.user):
            return ""
        self.store.authorize(login.user, operation.privilege)
        value = operation.run(Call(self.store, login.user, self._origin(request), args))
        if match.row.operation == "update.complete":
            await self._completed(args["session_id"])
        return value

    @follows("empty-session-without-a-privilege")
    def _is_created_empty(self, operation: str, user: UserSeed) -> bool:
        is_creation = operation in ("update.create", "download.create")
        lacks = is_creation and OPERATIONS[operation].privilege not in user.privileges
        return lacks and self.store.seed.unprivileged_creation == "empty"

    @follows("urls-carry-the-primary-name")
    def _origin(self, request: web.BaseRequest) -> str:
        """Where the addresses of content lead. The port is the client's, so that what stands in between stays there."""
        if self.store.seed.endpoint_name == "as-asked":
            return f"https://{request.host}"
        port = request.url.port or self.port
        return f"https://{self.settings.own_name}:{port}"

    async def _completed(self, session_id: str) -> None:
        store = self.store
        session = store.updates.sessions.get(session_id)
        while session is not None and store.updates.is_being_completed(session) and not self.stopping.is_set():
            await asyncio.sleep(COMPLETION_PAUSE)
            store.advance()
        if session is not None and store.seed.completion == "when-done":
            store.updates.refuse_warned(session)

    def _session(self, request: web.BaseRequest, progress: Progress, dialect: str) -> web.Response:
        token = request.headers.get(TOKEN_HEADER)
        logins, action = self.store.logins, request.query.get("~action", "")
        who = (request.method, action) == (("GET", "") if dialect == "api" else ("POST", "get"))
        if who:
            return _json(encode_result(dialect, logins.describe(logins.resolve(token)), "[]"))
        if request.method == "DELETE":
            logins.resolve(token)
            logins.logout(token)
            return web.Response(status=204 if dialect == "api" else 200, content_type="application/json")
        if (request.method, action) != ("POST", ""):
            raise unknown_operation(request.path)
        name, password = _basic(request.headers.get("Authorization", ""))
        fresh = logins.login(name, password)
        progress.user = logins.resolve(fresh).user.name
        return _logged_in(dialect, fresh)

    # -- faults

    async def _before(self, request: web.BaseRequest, progress: Progress, fault: Fault) -> web.StreamResponse | None:
        """The answer of a fault that replaces the request; None if the request goes on."""
        dialect = "rest" if request.path.startswith("/rest/") else "api"
        if fault.kind in ("slow", "hold"):
            await self._delay(request, fault)
            return None
        if fault.kind in ("reset", "hang"):
            self.close(progress, None)
            if fault.kind == "hang":
                await self._until_gone(request)
            return self.drop(request)
        if fault.kind == "unauthenticated":
            self.store.logins.logout(request.headers.get(TOKEN_HEADER))
            response = web.Response(status=401)
        elif fault.kind == "html":
            response = web.Response(status=502, body=HTML_PAGE, content_type="text/html")
        elif fault.kind == "busy":
            status, body = encode_fault(
                dialect, ApiError("RESOURCE_BUSY", message("injected", "The resource is busy."))
            )
            response = _json(body, status)
        elif fault.kind == "status":
            kind = ERROR_OF_STATUS.get(fault.status, "INTERNAL_SERVER_ERROR")
            text = message("injected", "A fault with the status {0} was injected.", str(fault.status))
            response = _json(encode_fault(dialect, ApiError(kind, text))[1], fault.status)
            if fault.value:
                response.headers["Retry-After"] = fault.value
        else:
            return None
        if request.path.startswith("/cls/data/"):
            response.force_close()
        else:
            progress.request_body = await request.read()
            progress.request_bytes = len(progress.request_body)
        self.close(progress, response)
        return response

    async def _delay(self, request: web.BaseRequest, fault: Fault) -> None:
        if fault.kind == "slow":
            await asyncio.sleep(float(fault.value or "2"))
        elif not fault.value:
            if not request.path.startswith("/cls/data/"):
                # A request that arrived whole is carried out, even if the client is gone by then.
                await request.read()
            await self.holds.wait()

    async def _until_gone(self, request: web.BaseRequest) -> None:
        while not self.stopping.is_set() and request.transport is not None and not request.transport.is_closing():
            try:
                await asyncio.wait_for(self.stopping.wait(), 0.1)
            except asyncio.TimeoutError:
                continue

    async def _cut(
        self, request: web.BaseRequest, progress: Progress, response: web.Response, kind: str
    ) -> web.StreamResponse:
        body = bytes(response.body) if isinstance(response.body, (bytes, bytearray)) else b""
        half = body[: len(body) // 2]
        if kind == "truncate":
            cut = web.Response(status=response.status, body=half, content_type=response.content_type)
            self.close(progress, cut)
            return cut
        self.close(progress, None)
        stream = web.StreamResponse(status=response.status, headers={"Content-Length": str(max(len(body), 1))})
        stream.content_type = response.content_type
        await stream.prepare(request)
        await stream.write(half)
        return self.drop(request)

    def drop(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    # -- the record

    def close(self, progress: Progress, response: web.Response | None, response_bytes: int | None = None) -> None:
        if progress.closed:
            return
        progress.closed = True
        body = bytes(response.body) if response is not None and isinstance(response.body, (bytes, bytearray)) else b""
        shown = body
        login = progress.path.partition("?")[0] in LOGIN_PATHS
        if (
            login
            and progress.method == "POST"
            and response is not None
            and response.status < 300
            and "get" not in progress.path
        ):
            shown = b'"<token>"' if progress.path.startswith("/api") else b'{"value": "<token>"}'
        self.record.add(
            Exchange(
                progress.time,
                progress.method,
                progress.path,
                response.status if response is not None else 0,
                progress.request_bytes,
                len(body) if response_bytes is None else response_bytes,
                progress.user,
                progress.token_sent,
                progress.request_body,
                shown,
                progress.fault.text if progress.fault else None,
                progress.client,
            )
        )


def _bindings_query(row: Row, query: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    """The arguments of a GET by the official bindings: they put the name into the query and the value into the body."""
    bare = {name: shapes.STRING for name in row.required_query if query[name] == ""}
    if not bare or not raw.strip():
        return {}
    body = shapes.decode(raw, Struct(bare, tuple(bare)))
    return {row.query[name]: body[name] for name in bare}


@follows("old-api-session")
def old_api_answer(kind: str, path: str) -> web.Response:
    """What a server without /api answers there."""
    if kind == "json-404":
        return _json(encode_fault("rest", unknown_operation(path))[1], 404)
    if kind == "400":
        text = message("vapi.rest.request.invalid", "The request is not valid.")
        return _json(encode_fault("rest", ApiError("INVALID_ARGUMENT", text))[1], 400)
    if kind == "405":
        return web.Response(status=405, text="405 method not allowed\n")
    if kind == "redirect":
        return web.Response(status=302, text="302 found\n", headers={"Location": f"https://{LOCAL_NAME}/ui/"})
    if kind == "json-rpc":
        # The path that later became /api was that of JSON-RPC.
        return _json(b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error."}}')
    return plain_404()


@follows("not-every-answer-is-json")
def plain_404() -> web.Response:
    return web.Response(status=404, text="404 page not found\n")


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")


@follows("refusals-close-the-connection")
def _refusal(status: int, body: bytes) -> web.Response:
    response = _json(body, status)
    if status == 400:
        response.headers["x-envoy-upstream-service-time"] = "5"
        response.force_close()
    return response


@follows("login-sets-a-cookie")
def _logged_in(dialect: str, token: str) -> web.Response:
    response = _json(encode_result(dialect, token, "[]"), 201 if dialect == "api" else 200)
    if dialect == "rest":
        response.set_cookie(TOKEN_HEADER, token, path="/rest", secure=True, httponly=True)
    return response


def _basic(header: str) -> tuple[str, str]:
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise unauthenticated()
    try:
        name, _colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthenticated() from None
    return name, password
