# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data service: takes PUT requests at upload addresses, and GET requests at download addresses."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import http_exceptions, web

from .blobs import BLOCK, BlobWriter, damaged
from .descriptor import unpack
from .downloads import DownloadFile, DownloadSession
from .facts import follows
from .faults import Fault
from .holds import hold_after
from .store import Store
from .updates import UpdateFile, UpdateSession

if TYPE_CHECKING:
    from .server import Progress, Server

#: Clients use either.
UPLOADS = ("PUT", "POST")
BROKEN = (OSError, aiohttp.ClientError, http_exceptions.HttpProcessingError, asyncio.IncompleteReadError)
RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


class Pace:
    """Limits one connection to a number of bytes per second."""

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._started = time.monotonic()

    async def keep(self, count: int) -> None:
        if self._rate:
            ahead = count / self._rate - (time.monotonic() - self._started)
            if ahead > 0:
                await asyncio.sleep(ahead)

    @property
    def block(self) -> int:
        return BLOCK if not self._rate else max(1, min(BLOCK, self._rate // 20))


class DataService:
    def __init__(self, server: Server) -> None:
        self._server = server

    @follows("post-uploads-as-well")
    async def handle(self, request: web.BaseRequest, progress: Progress) -> web.StreamResponse:
        identifier = request.rel_url.raw_path.split("/")[3]
        store = self._server.store
        target = store.updates.upload_target(identifier) if request.method in UPLOADS else None
        if target is not None:
            return await self._upload(request, progress, store, target, store.updates.upload_file(target, identifier))
        source = store.downloads.source(identifier) if request.method == "GET" else None
        if source is not None:
            return await self._download(
                request, progress, store, source, store.downloads.source_file(source, identifier)
            )
        response = web.Response(status=404, text="404 page not found\n")
        response.force_close()
        self._server.close(progress, response)
        return response

    async def _upload(
        self, request: web.BaseRequest, progress: Progress, store: Store, session: UpdateSession, entry: UpdateFile
    ) -> web.StreamResponse:
        generation = store.updates.begin_transfer(session, entry)
        writer = BlobWriter(self._server.settings.data, store.updates.digest_algorithms(session, entry))
        try:
            whole = await self._receive(request, progress, store, session, entry, writer)
        except BROKEN:
            whole = False
        if not whole or entry.generation != generation or session.state != "ACTIVE":
            self._server.close(progress, None)
            return self._server.drop(request)
        kind = progress.fault.kind if progress.fault is not None else ""
        blob = damaged(writer.finish()) if kind == "corrupt" else writer.finish()
        algorithm = store.seed.checksum_algorithm
        members, fault = await asyncio.get_running_loop().run_in_executor(None, unpack, entry.name, blob, algorithm)
        store.updates.received(session, entry, blob, members, fault)
        if kind == "transfer-error":
            store.updates.break_transfer(session, entry.name, "Pipe closed")
        if kind == "hold-answer":
            await self._server.holds.wait()
        response = _put_answer(store.seed.put_status)
        self._server.close(progress, response)
        return response

    async def _receive(
        self,
        request: web.BaseRequest,
        progress: Progress,
        store: Store,
        session: UpdateSession,
        entry: UpdateFile,
        writer: BlobWriter,
    ) -> bool:
        """Take the body; returns whether all of it arrived. A part counts as transferred too."""
        pace = Pace(self._server.settings.rate)
        loop = asyncio.get_running_loop()
        generation = entry.generation
        waiting: list[bytes] = []
        held = 0
        writing: asyncio.Future[None] = loop.run_in_executor(None, writer.write, b"")
        cut = _cut_after(progress.fault, request.content_length or 0)
        held_from = hold_after(progress.fault, request.content_length or 0)
        while True:
            if held_from is not None and progress.request_bytes >= held_from:
                await self._server.holds.wait()
            piece = await request.content.read(pace.block)
            progress.request_bytes += len(piece)
            if entry.generation != generation or session.state != "ACTIVE":
                return False
            store.updates.transferred(session, entry, progress.request_bytes)
            if cut is not None and progress.request_bytes >= cut:
                return False
            waiting.append(piece)
            held += len(piece)
            if not piece or held >= BLOCK:
                # A thread hashes and stores one block while the next one is read.
                await writing
                writing = loop.run_in_executor(None, writer.write, b"".join(waiting))
                waiting, held = [], 0
            if not piece:
                await writing
                return request.content_length in (None, progress.request_bytes)
            await pace.keep(progress.request_bytes)

    @follows("range-of-downloads")
    async def _download(
        self, request: web.BaseRequest, progress: Progress, store: Store, session: DownloadSession, entry: DownloadFile
    ) -> web.StreamResponse:
        blob = entry.source.blob
        ranged = request.headers.get("Range") if store.seed.ranges else None
        span = _span(ranged, blob.size)
        if span is None:
            refusal = web.Response(status=416, headers={"Content-Range": f"bytes */{blob.size}"})
            self._server.close(progress, refusal)
            return refusal
        start, end = span
        fault = progress.fault.kind if progress.fault is not None else ""
        stop = start + (end - start) // 2 if fault in ("truncate", "reset-mid-body") else end
        response = web.StreamResponse(status=206 if ranged else 200)
        response.content_type = "application/octet-stream"
        response.content_length = (stop if fault == "truncate" else end) - start
        if ranged:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        if store.seed.ranges:
            response.headers["Accept-Ranges"] = "bytes"
        position = start
        try:
            await response.prepare(request)
            pace = Pace(self._server.settings.rate)
            held_from = hold_after(progress.fault, stop - start)
            while position < stop:
                if held_from is not None and position - start >= held_from:
                    await self._server.holds.wait()
                    held_from = None
                border = stop if held_from is None else start + held_from
                piece = blob.read(position, min(pace.block, border - position))
                position += len(piece)
                # The client may ask for the state as soon as it has the last byte, so note both before sending it.
                store.downloads.fetched(session, entry, position)
                if position >= stop:
                    self._note(progress, response, position - start)
                await response.write(piece)
                await pace.keep(position - start)
            if fault == "reset-mid-body":
                return self._server.drop(request)
            self._note(progress, response, position - start)
            await response.write_eof()
        except BROKEN:
            self._note(progress, response, position - start)
        return response

    def _note(self, progress: Progress, response: web.StreamResponse, count: int) -> None:
        self._server.close(progress, web.Response(status=response.status), count)


@follows("answer-of-a-put", "uploads-need-no-token")
def _put_answer(status: int) -> web.Response:
    return web.Response(status=status)


def _cut_after(fault: Fault | None, size: int) -> int | None:
    """How many bytes of an upload to take before the connection breaks, None for all of them."""
    if fault is None or fault.kind != "reset-mid-body":
        return None
    return int(size * float(fault.value or "0") / 100)


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte of a range and the one after its last; None if the range is outside the content."""
    match = RANGE.match(header or "")
    if match is None:
        return 0, size
    start = int(match.group(1))
    end = min(int(match.group(2)) + 1, size) if match.group(2) else size
    return (start, end) if start < min(end, size) else None
